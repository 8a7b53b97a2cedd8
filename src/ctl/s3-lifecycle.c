/* Looks through buckets that have lifecycle rules. */
#include "ctl/s3-lifecycle.h"

#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "svc/s3/kinds.h"
#include "svc/s3/lifecycle.h"
#include "svc/s3/walk.h"

#define LIFECYCLE_MAGIC 0x4c494645
#define STEP_ROWS	100
#define STEP_MS		5

enum phase { PHASE_VERSIONS, PHASE_UPLOADS };

/* How far a bucket was looked through. */
struct place {
	int64_t row;	/* the bucket's */
	int64_t version; /* the bucket's settings have not changed since */
	enum phase phase;
	struct buf after; /* the id that was looked at last */
	struct buf key;	  /* its key */
	int64_t made;	  /* when that version was */
	int64_t older;	  /* noncurrent versions of the key so far */
	bool skip;	  /* the key's rows have moved: next time */
	UT_hash_handle hh;
};

struct lifecycle {
	unsigned magic;
	struct place *places;
};

/* A step's surroundings. */
struct look {
	struct ctl *ctl;
	struct arena *a;
	const struct res *bucket;
	const struct doc *rules;
	struct place *p;
	int64_t now;
};

static const struct kind *const kinds[] = {&s3_bucket, NULL};

static struct place *
place_of(struct lifecycle *l, const struct res *bucket)
{
	struct place *p;

	HASH_FIND(hh, l->places, &bucket->row, sizeof(bucket->row), p);
	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->row = bucket->row;
	p->after = p->key = BUF_INIT;
	HASH_ADD(hh, l->places, row, sizeof(p->row), p);
	return p;
}

static void
place_free(struct lifecycle *l, struct place *p)
{
	HASH_DEL(l->places, p);
	buf_done(&p->after);
	buf_done(&p->key);
	free(p);
}

static void
forget(struct lifecycle *l, int64_t row)
{
	struct place *p;

	HASH_FIND(hh, l->places, &row, sizeof(row), p);
	if (p)
		place_free(l, p);
}

static void
set(struct buf *b, struct span s)
{
	buf_clear(b);
	buf_add_span(b, s);
}

/* An operation of S3 on the key.  A refusal is logged and does not stop the
 * others. */
static int
act(struct look *k, const char *op, struct span key, const char *member,
    struct span value)
{
	struct principal who = principal_system(k->bucket->scope.account,
	    "s3.amazonaws.com");
	struct scope scope = {k->bucket->scope.account,
	    doc_get_str(k->bucket->spec, "Region")};
	struct doc *in = doc_obj(k->a);
	struct op_result r;
	int e;

	doc_set_str(k->a, in, "Bucket", k->bucket->id);
	doc_set_str(k->a, in, "Key", key);
	if (value.n)
		doc_set_str(k->a, in, member, value);
	e = op_call(ctl_env(k->ctl)->api, k->a, &who, scope, "s3", op, in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		log_warn("s3: %s by lifecycle rules: %.*s, ignoring", op,
		    SPAN_ARG(r.message));
	return 0;
}

static int
drop_version(struct look *k, const struct res *row)
{
	return act(k, "DeleteObject", walk_key(row), "VersionId",
	    doc_get_str(row->spec, "VersionId"));
}

/* The first of a key's rows: its object, or what says that it has none. */
static int
look_at_latest(struct look *k, const struct res *row, bool alone)
{
	bool marker = doc_get_bool(row->spec, "DeleteMarker", false);

	if (marker && alone && lifecycle_marker(k->rules, walk_key(row),
	    row->spec).at <= k->now)
		return drop_version(k, row);
	if (marker || lifecycle_current(k->rules, walk_key(row),
	    row->spec).at > k->now)
		return 0;
	/* In a bucket with versions a delete marker now comes first. */
	k->p->skip = true;
	return act(k, "DeleteObject", walk_key(row), NULL, SPAN_NULL);
}

/* A version became noncurrent when it was archived; a delete marker, which is
 * archived from the start, when the next version was made. */
static int
look_at_older(struct look *k, const struct res *row)
{
	bool marker = doc_get_bool(row->spec, "DeleteMarker", false);
	int64_t since = marker ? k->p->made : row->created;
	int64_t newer = k->p->older++;

	return lifecycle_noncurrent(k->rules, walk_key(row), row->spec, since,
	    newer).at > k->now ? 0 : drop_version(k, row);
}

static int
look_at_version(struct look *k, const struct res *row, const struct res *next)
{
	struct span key = walk_key(row);
	bool first = !span_eq(key, buf_span(&k->p->key)) || !k->p->after.n;
	int e = 0;

	if (first) {
		set(&k->p->key, key);
		k->p->older = 0;
		k->p->skip = false;
	}
	if (first)
		e = look_at_latest(k, row, !next ||
		    !span_eq(walk_key(next), key));
	else if (!k->p->skip)
		e = look_at_older(k, row);
	k->p->made = doc_get_int(row->spec, "LastModified", 0);
	set(&k->p->after, row->id);
	return err_trace(e);
}

static int
fetch(struct look *k, const struct kind *kind, struct res_list *ret)
{
	struct id_range q = {.kind = kind, .scope = k->bucket->scope,
	    .parent = k->bucket->id, .from = buf_span(&k->p->after),
	    .after = k->p->after.n > 0, .limit = STEP_ROWS};

	q.from.p = q.from.p ? q.from.p : "";
	return err_fold(store_list_ids(ctl_env(k->ctl)->store, k->a, &q, ret));
}

/* *ret_done: that was all. */
static int
look_at_versions(struct look *k, bool *ret_done)
{
	struct res_list objects, versions, l;
	size_t n;
	int e;

	if ((e = fetch(k, &s3_object, &objects)) < 0 ||
	    (e = fetch(k, &s3_version, &versions)) < 0)
		return err_trace(e);
	walk_merge(k->a, &objects, &versions, &l);
	/* The last one's next is not known unless there is none. */
	n = l.more ? l.n - 1 : l.n;
	for (size_t i = 0; i < n && e == 0; i++)
		e = look_at_version(k, l.v[i], i + 1 < l.n ? l.v[i + 1] : NULL);
	*ret_done = !l.more;
	return err_trace(e);
}

static int
look_at_uploads(struct look *k, bool *ret_done)
{
	struct res_list l;
	int e = fetch(k, &s3_upload, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n && e == 0; i++) {
		struct span key = walk_key(l.v[i]);

		if (lifecycle_upload(k->rules, key, l.v[i]->created).at <=
		    k->now)
			e = act(k, "AbortMultipartUpload", key, "UploadId",
			    span_from(l.v[i]->id, key.n + 1));
		set(&k->p->after, l.v[i]->id);
	}
	*ret_done = !l.more;
	return err_trace(e);
}

/* From the beginning. */
static void
begin(struct place *p, enum phase phase)
{
	p->phase = phase;
	buf_clear(&p->after);
	buf_clear(&p->key);
}

static int
step(struct look *k, int64_t *ret_again)
{
	bool versions = k->p->phase == PHASE_VERSIONS, done = false;
	int e = versions ? look_at_versions(k, &done) :
	    look_at_uploads(k, &done);

	if (e < 0)
		return err_trace(e);
	*ret_again = STEP_MS;
	if (!done)
		return 0;
	begin(k->p, versions ? PHASE_UPLOADS : PHASE_VERSIONS);
	if (!versions)
		*ret_again = lifecycle_midnight(k->now) - k->now;
	return 0;
}

static int
run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct look k = {.ctl = ctl, .a = a, .now = clock_ms()};
	struct lifecycle *l;
	struct res *bucket;
	int e = store_get_row(ctl_env(ctl)->store, a, key, &bucket);

	CAST_OBJ(l, state, LIFECYCLE_MAGIC);
	if (e < 0)
		return err_trace(e);
	k.rules = e ? NULL : doc_get(doc_get(bucket->spec, "Lifecycle"),
	    "Rules");
	if (!doc_len(k.rules)) {
		forget(l, key);
		return 0;
	}
	k.bucket = bucket;
	k.p = place_of(l, bucket);
	if (k.p->version != bucket->version)
		begin(k.p, PHASE_VERSIONS);
	k.p->version = bucket->version;
	return err_trace(step(&k, again_ms));
}

static void *
init(struct ctl *ctl UNUSED)
{
	struct lifecycle *l;

	ALLOC_OBJ(l, LIFECYCLE_MAGIC);
	return l;
}

static void
done(void *state)
{
	struct place *p, *next;
	struct lifecycle *l;

	CAST_OBJ(l, state, LIFECYCLE_MAGIC);
	HASH_ITER (hh, l->places, p, next)
		place_free(l, p);
	FREE_OBJ(l);
}

const struct controller ctl_s3_lifecycle = {
	.name = "s3-lifecycle",
	.kinds = kinds,
	.init = init,
	.done = done,
	.run = run,
};
