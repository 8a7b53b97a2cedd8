/*
 * Listings: one walk over keys in their order, that reads no more rows than
 * it tells of and jumps over what a delimiter rolls up.
 */
#include "base/err.h"
#include "svc/s3/object.h"
#include "svc/s3/ops.h"
#include "wire/model.h"

#define KEYS_MAX 1000
/* Rows read at once: few while prefixes are being jumped over. */
#define STEP_MIN 4

struct walk {
	struct call *c;
	const struct res *bucket;
	struct span prefix;
	struct span delimiter;
	struct span from;  /* keys from this one on */
	bool after;	   /* itself not */
	size_t max;
	size_t n;	   /* keys and prefixes told of */
	bool truncated;
	struct span last;  /* the last key or prefix told of */
	struct span resume; /* where the next page goes on, itself included */
	struct doc *contents;
	struct doc *prefixes;
	struct doc *(*tell)(struct walk *w, const struct res *row);
};

/* The common prefix that rolls key up; p NULL: none. */
static struct span
rolled(const struct walk *w, struct span key)
{
	ptrdiff_t i = w->delimiter.n ?
	    span_find(span_from(key, w->prefix.n), w->delimiter) : -1;

	return i < 0 ? SPAN_NULL :
	    span_to(key, w->prefix.n + (size_t)i + w->delimiter.n);
}

static bool
is_full(struct walk *w, struct span at)
{
	if (w->n < w->max)
		return false;
	w->truncated = true;
	w->resume = at;
	return true;
}

static void
tell_prefix(struct walk *w, struct span p)
{
	struct doc *d = doc_obj(w->c->arena);

	doc_set_str(w->c->arena, d, "Prefix", s3_encoded(w->c, p));
	doc_push(w->prefixes, d);
	w->last = p;
	w->n++;
}

/* Takes rows until one is rolled up: *ret_jump is then where to go on. */
static void
take(struct walk *w, const struct res_list *l, struct span *ret_jump)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span p = rolled(w, l->v[i]->id);

		if (is_full(w, p.p ? p : l->v[i]->id))
			return;
		if (p.p) {
			tell_prefix(w, p);
			*ret_jump = s3_successor(w->c->arena, p);
			return;
		}
		doc_push(w->contents, w->tell(w, l->v[i]));
		w->last = l->v[i]->id;
		w->n++;
	}
}

static int
walk(struct walk *w)
{
	struct id_range q = {.kind = &s3_object, .scope = w->c->scope,
	    .parent = w->bucket->id,
	    .until = s3_successor(w->c->arena, w->prefix)};
	size_t step = w->delimiter.n ? STEP_MIN : w->max + 1;
	struct res_list l;
	struct span jump;
	int r;

	w->contents = doc_arr(w->c->arena);
	w->prefixes = doc_arr(w->c->arena);
	q.from = w->from;
	q.after = w->after;
	if (span_cmp(q.from, w->prefix) < 0) {
		q.from = w->prefix;
		q.after = false;
	}
	while (w->max && !w->truncated) {
		q.limit = step;
		if ((r = store_list_ids(w->c->store, w->c->arena, &q, &l)))
			return err_trace(r);
		jump = SPAN_NULL;
		take(w, &l, &jump);
		if (w->truncated || (!jump.p && !l.more))
			break;
		q.from = jump.p ? jump : l.v[l.n - 1]->id;
		q.after = !jump.p;
		step = jump.p ? STEP_MIN : MIN(step * 2, KEYS_MAX + 1);
	}
	return 0;
}

static struct doc *
tell_object(struct walk *w, const struct res *row)
{
	struct arena *a = w->c->arena;
	struct span class = doc_get_str(row->spec, "StorageClass");
	struct doc *d = doc_obj(a), *kinds = doc_arr(a);

	doc_set_str(a, d, "Key", s3_encoded(w->c, row->id));
	doc_set_time(a, d, "LastModified",
	    doc_get_int(row->spec, "LastModified", 0));
	doc_set_str(a, d, "ETag", doc_get_str(row->spec, "ETag"));
	doc_each_key(k, v, doc_get(row->spec, "Checksums"))
		doc_push_str(a, kinds, k);
	doc_set(a, d, "ChecksumAlgorithm", kinds);
	doc_set(a, d, "ChecksumType", doc_str(a,
	    doc_get_str(row->spec, "ChecksumType")));
	doc_set_int(a, d, "Size", doc_get_int(row->spec, "Size", 0));
	doc_set_str(a, d, "StorageClass",
	    class.n ? class : SPAN("STANDARD"));
	if (doc_get_bool(w->c->in, "FetchOwner",
	    !span_is(model_op_name(w->c->op), "ListObjectsV2")))
		doc_set(a, d, "Owner", s3_owner(w->c));
	return d;
}

/* What all three listings read and tell alike. */
static struct reply *
begin(struct call *c, struct walk *w)
{
	const struct doc *max = doc_get(c->in, "MaxKeys");
	struct span encoding = doc_get_str(c->in, "EncodingType");
	struct res *bucket;
	struct reply *no = s3_find_bucket(c, &bucket);

	if (no)
		return no;
	if (doc_i64(max, 0) < 0)
		return s3_invalid(c, "maxKeys", arena_fmt_span(c->arena,
		    "%lld", (long long)doc_i64(max, 0)), "Argument max-keys "
		    "must be an integer between 0 and 2147483647");
	if (encoding.n && !span_is(encoding, "url"))
		return s3_invalid(c, "encoding-type", encoding,
		    "Invalid Encoding Method specified in Request");
	*w = (struct walk){.c = c, .bucket = bucket, .tell = tell_object,
	    .prefix = doc_get_str(c->in, "Prefix"),
	    .delimiter = doc_get_str(c->in, "Delimiter"),
	    .max = (size_t)MIN(doc_i64(max, KEYS_MAX), KEYS_MAX)};
	return NULL;
}

static struct doc *
finish(struct walk *w)
{
	struct call *c = w->c;
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "Name", w->bucket->id);
	doc_set_str(c->arena, out, "Prefix", s3_encoded(c, w->prefix));
	if (w->delimiter.n)
		doc_set_str(c->arena, out, "Delimiter",
		    s3_encoded(c, w->delimiter));
	if (doc_get(c->in, "EncodingType"))
		doc_set_str(c->arena, out, "EncodingType", SPAN("url"));
	doc_set_int(c->arena, out, "MaxKeys",
	    doc_get_int(c->in, "MaxKeys", KEYS_MAX));
	doc_set_bool(c->arena, out, "IsTruncated", w->truncated);
	return doc_set(c->arena, out, "CommonPrefixes", w->prefixes);
}

struct reply *
s3_list_objects_v2(struct call *c)
{
	struct span token = doc_get_str(c->in, "ContinuationToken");
	struct span start = doc_get_str(c->in, "StartAfter");
	struct walk w;
	struct reply *no = begin(c, &w);
	struct doc *out;
	int r;

	if (no)
		return no;
	w.from = start;
	w.after = start.n > 0;
	if (doc_get(c->in, "ContinuationToken")) {
		if (!page_token_read(c, token, &w.from))
			return s3_invalid(c, "continuation-token", token,
			    "The continuation token provided is incorrect");
		w.after = false;
	}
	if ((r = walk(&w)) < 0)
		return s3_fail(c, r);
	out = finish(&w);
	doc_set(c->arena, out, "Contents", w.contents);
	doc_set_int(c->arena, out, "KeyCount", (int64_t)w.n);
	if (token.n)
		doc_set_str(c->arena, out, "ContinuationToken", token);
	if (start.n)
		doc_set_str(c->arena, out, "StartAfter", s3_encoded(c, start));
	if (w.truncated)
		doc_set_str(c->arena, out, "NextContinuationToken",
		    page_token_text(c, w.resume));
	return reply_ok(c, out);
}

/* A marker that is a common prefix of the last page is past all it rolls up. */
static void
start_after(struct walk *w, struct span marker)
{
	struct span p = span_starts(marker, w->prefix) ? rolled(w, marker) :
	    SPAN_NULL;

	w->from = marker;
	w->after = marker.n > 0;
	if (!p.p || p.n != marker.n)
		return;
	w->from = s3_successor(w->c->arena, p);
	w->after = false;
}

struct reply *
s3_list_objects(struct call *c)
{
	struct span marker = doc_get_str(c->in, "Marker");
	struct walk w;
	struct reply *no = begin(c, &w);
	struct doc *out;
	int r;

	if (no)
		return no;
	start_after(&w, marker);
	if ((r = walk(&w)) < 0)
		return s3_fail(c, r);
	out = finish(&w);
	doc_set(c->arena, out, "Contents", w.contents);
	doc_set_str(c->arena, out, "Marker", s3_encoded(c, marker));
	if (w.truncated && w.delimiter.n)
		doc_set_str(c->arena, out, "NextMarker",
		    s3_encoded(c, w.last));
	return reply_ok(c, out);
}
