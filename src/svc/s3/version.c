/* Which version is current: writing, deleting, finding them. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/s3/multipart.h"

/* Hex digits: the last 16 are the version's number. */
#define VERSION_ID 32

struct span
object_versioning(const struct res *bucket)
{
	return doc_get_str(doc_get(bucket->spec, "Versioning"), "Status");
}

int
object_current(struct call *c, const struct res *bucket, struct span key,
    struct res **ret)
{
	return store_get(c->store, c->arena, &s3_object, c->scope, bucket->id,
	    key, ret);
}

static struct span
archive_id(struct arena *a, struct span key, int64_t seq)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_span(&b, key);
	buf_add_char(&b, 0);
	buf_addf(&b, "%016llx", (unsigned long long)(INT64_MAX - seq));
	return arena_span(a, buf_span(&b));
}

struct span
version_key(const struct res *version)
{
	return span_to(version->id, version->id.n - MIN(version->id.n, 17));
}

/* Newest first; limit 0: all. */
static int
archived(struct call *c, const struct res *bucket, struct span key,
    size_t limit, struct res_list *ret)
{
	_cleanup_(buf_done) struct buf from = BUF_INIT, until = BUF_INIT;
	struct id_range q = {.kind = &s3_version, .scope = c->scope,
	    .parent = bucket->id, .limit = limit};

	buf_add_span(&from, key);
	buf_add_char(&from, 0);
	buf_add_span(&until, key);
	buf_add_char(&until, 1);
	q.from = buf_span(&from);
	q.until = buf_span(&until);
	return err_trace(store_list_ids(c->store, c->arena, &q, ret));
}

static int
find_archived(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct res **ret)
{
	struct res_list l;
	int r = archived(c, bucket, key, 0, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		if (!span_eq(doc_get_str(l.v[i]->spec, "VersionId"), version))
			continue;
		*ret = l.v[i];
		return 0;
	}
	return r ? r : STORE_E_NOT_FOUND;
}

int
object_version(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct res **ret)
{
	struct res_list l;
	int r = object_current(c, bucket, key, ret);

	if (r < 0 || (r == 0 && (!version.n ||
	    span_eq(doc_get_str((*ret)->spec, "VersionId"), version))))
		return r;
	if (version.n)
		return find_archived(c, bucket, key, version, ret);
	if ((r = archived(c, bucket, key, 1, &l)))
		return r;
	if (!l.n)
		return STORE_E_NOT_FOUND;
	*ret = l.v[0];
	return 0;
}

/* An id ends in the version's number. */
static bool
number_of(struct span version, int64_t *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	uint64_t v = 0;

	if (version.n != VERSION_ID || !buf_add_unhex(&b, version))
		return false;
	for (size_t i = b.n - 8; i < b.n; i++)
		v = v << 8 | (unsigned char)b.p[i];
	*ret = (int64_t)v;
	return *ret >= 0;
}

/* *ret_seq: INT64_MAX when nobody can tell any more. */
static int
find_number(struct call *c, const struct res *bucket, struct span key,
    struct span version, int64_t *ret_seq)
{
	struct res *row;
	int r = object_version(c, bucket, key, version, &row);

	if (r == 0)
		*ret_seq = doc_get_int(row->spec, "Seq", 0);
	else if (r > 0 && !number_of(version, ret_seq))
		*ret_seq = INT64_MAX;
	return r < 0 ? err_trace(r) : 0;
}

/* The current object's row is before all others of its key, and one that was
 * archived moves there when it becomes current: numbers alone stay. */
int
version_behind(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct version_place *ret)
{
	struct res *newest;
	int64_t seq = INT64_MAX, first = 0;
	int r = find_number(c, bucket, key, version, &seq);

	if (r < 0)
		return err_trace(r);
	if ((r = object_version(c, bucket, key, SPAN_NULL, &newest)) < 0)
		return err_trace(r);
	if (r == 0)
		first = doc_get_int(newest->spec, "Seq", 0);
	*ret = (struct version_place){.from = key, .newer = first >= seq};
	if (first < seq)
		return 0;
	ret->from = archive_id(c->arena, key, seq);
	ret->after = true;
	return 0;
}

static int
insert(struct call *c, const struct kind *k, const struct res *bucket,
    struct span id, const struct doc *spec)
{
	struct res *r = res_new(c->arena, k, c->scope, bucket->id, id);

	r->spec = doc_copy(c->arena, spec);
	return err_fold(store_insert(c->store, c->arena, r));
}

static int
archive(struct call *c, const struct res *bucket, struct span key,
    const struct doc *spec)
{
	return err_trace(insert(c, &s3_version, bucket, archive_id(c->arena,
	    key, doc_get_int(spec, "Seq", 0)), spec));
}

/* Ends a row for good. */
static int
drop(struct call *c, const struct res *row)
{
	struct span upload = doc_get_str(row->spec, "Upload");
	int r = store_delete(c->store, row);

	if (r == 0 && upload.n)
		r = part_drop_all(c, upload);
	if (r == 0)
		s3_garbage(c, doc_get_str(row->spec, "Blob"));
	return err_fold(r);
}

/* In a bucket whose versioning is suspended there is one null version. */
static int
drop_null(struct call *c, const struct res *bucket, struct span key)
{
	struct res *old;
	int r = find_archived(c, bucket, key, SPAN("null"), &old);

	if (r == STORE_E_NOT_FOUND)
		return 0;
	return err_trace(r ? r : drop(c, old));
}

/* Makes room for a new version: the current one is kept or gone. */
static int
retire(struct call *c, const struct res *bucket, struct span key, bool enabled,
    struct res *current)
{
	int r = 0;

	if (!enabled && object_versioning(bucket).n)
		r = drop_null(c, bucket, key);
	if (r || !current)
		return r;
	if (!enabled && span_is(doc_get_str(current->spec, "VersionId"),
	    "null"))
		return err_trace(drop(c, current));
	if ((r = store_delete(c->store, current)))
		return err_fold(r);
	return err_trace(archive(c, bucket, key, current->spec));
}

static int
stamp(struct call *c, const struct res *bucket, struct doc *spec)
{
	bool enabled = span_is(object_versioning(bucket), "Enabled");
	int64_t seq;
	int r = store_next(c->store, SPAN("s3.version"), &seq);

	if (r)
		return err_fold(r);
	doc_set_int(c->arena, spec, "Seq", seq);
	if (!doc_get(spec, "LastModified"))
		doc_set_int(c->arena, spec, "LastModified", clock_ms());
	doc_set_str(c->arena, spec, "VersionId", enabled ?
	    arena_fmt_span(c->arena, "%s%016llx", id_hex(c->arena,
	    VERSION_ID - 16),
	    (unsigned long long)seq) : SPAN("null"));
	return 0;
}

static int
current_or_none(struct call *c, const struct res *bucket, struct span key,
    struct res **ret)
{
	int r = object_current(c, bucket, key, ret);

	if (r == STORE_E_NOT_FOUND)
		*ret = NULL;
	return r < 0 ? r : 0;
}

int
object_write(struct call *c, const struct res *bucket, struct span key,
    struct doc *spec)
{
	bool enabled = span_is(object_versioning(bucket), "Enabled");
	struct res *current;
	int r;

	if ((r = current_or_none(c, bucket, key, &current)) < 0 ||
	    (r = stamp(c, bucket, spec)) < 0 ||
	    (r = retire(c, bucket, key, enabled, current)) < 0)
		return err_trace(r);
	return err_trace(insert(c, &s3_object, bucket, key, spec));
}

/* The newest version becomes current, when it is no delete marker. */
static int
promote(struct call *c, const struct res *bucket, struct span key)
{
	struct res_list l;
	int r = archived(c, bucket, key, 1, &l);

	if (r || !l.n || doc_get_bool(l.v[0]->spec, "DeleteMarker", false))
		return err_trace(r);
	if ((r = store_delete(c->store, l.v[0])))
		return err_fold(r);
	return err_trace(insert(c, &s3_object, bucket, key, l.v[0]->spec));
}

static int
delete_version(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct doc *ret_out)
{
	struct res *row, *current;
	int r = object_version(c, bucket, key, version, &row);

	doc_set_str(c->arena, ret_out, "VersionId", version);
	/* AWS: one that is not there was deleted, too. */
	if (r == STORE_E_NOT_FOUND)
		return 0;
	if (r == 0)
		r = drop(c, row);
	if (r)
		return err_trace(r);
	if (doc_get_bool(row->spec, "DeleteMarker", false))
		doc_set_bool(c->arena, ret_out, "DeleteMarker", true);
	if ((r = current_or_none(c, bucket, key, &current)) || current)
		return err_trace(r);
	return err_trace(promote(c, bucket, key));
}

int
object_delete(struct call *c, const struct res *bucket, struct span key,
    struct span version, struct doc *ret_out)
{
	struct span how = object_versioning(bucket);
	bool enabled = span_is(how, "Enabled");
	struct doc *marker = doc_obj(c->arena);
	struct res *current;
	int r;

	if (version.n)
		return delete_version(c, bucket, key, version, ret_out);
	if ((r = current_or_none(c, bucket, key, &current)) < 0)
		return err_trace(r);
	if (!how.n)
		return current ? drop(c, current) : 0;
	if ((r = stamp(c, bucket, marker)) < 0 ||
	    (r = retire(c, bucket, key, enabled, current)) < 0)
		return err_trace(r);
	doc_set_bool(c->arena, marker, "DeleteMarker", true);
	doc_set_bool(c->arena, ret_out, "DeleteMarker", true);
	doc_set_str(c->arena, ret_out, "VersionId",
	    doc_get_str(marker, "VersionId"));
	return err_trace(archive(c, bucket, key, marker));
}
