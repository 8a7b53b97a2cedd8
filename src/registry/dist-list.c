/* Content discovery: the version check, tags, repositories, referrers. */
#include "base/err.h"
#include "registry/ref.h"
#include "registry/rq.h"

#define LIST_MAX 1000 /* names in one answer */

void
ping_get(struct rq *q)
{
	rq_header(q, "Content-Type", "application/json");
	q->out = SPAN("{}");
	rq_ok(q, 200);
}

/* Puts the page of v that `n` and `last` ask for into arr, and a Link to the
 * next one.  v is in byte order.  False when n is no number. */
static bool
page(struct rq *q, const char *path, const struct span *v, size_t n_v,
    struct doc *arr)
{
	struct span n = rq_query(q, "n"), last = rq_query(q, "last");
	struct buf b = BUF_INIT;
	uint64_t max = LIST_MAX;
	size_t i = 0, taken = 0;

	if (n.p && !span_u64(n, &max)) {
		rq_error(q, 400, "UNSUPPORTED", "n is not a number");
		return false;
	}
	max = MIN(max, LIST_MAX);
	while (last.n && i < n_v && span_cmp(v[i], last) <= 0)
		i++;
	for (; i < n_v && taken < max; i++, taken++)
		doc_push_str(q->a, arr, v[i]);
	if (i < n_v && taken > 0) {
		buf_add_uri(&b, v[i - 1], false);
		rq_header(q, "Link", "<%s?n=%llu&last=%s>; rel=\"next\"",
		    path, (unsigned long long)max, buf_str(&b));
		buf_done(&b);
	}
	return true;
}

void
tags_get(struct rq *q)
{
	struct doc *arr = doc_arr(q->a), *out = doc_obj(q->a);
	struct span *v;
	size_t n;
	int r = repo_tags(&q->key, q->a, SPAN_NULL, &v, &n);

	if (r) {
		rq_fail(q, r < 0 ? r : err_fold(r));
		return;
	}
	if (!page(q, arena_fmt(q->a, "/v2/%.*s/tags/list",
		SPAN_ARG(q->key.name)), v, n, arr))
		return;
	doc_set_str(q->a, out, "name", q->key.name);
	doc_set(q->a, out, "tags", arr);
	rq_json(q, out);
	rq_header(q, "Content-Type", "application/json");
	rq_ok(q, 200);
}

static int
by_span(const void *x, const void *y)
{
	return span_cmp(*(const struct span *)x, *(const struct span *)y);
}

void
catalog_get(struct rq *q)
{
	struct query all = {.kind = &ecr_repository, .scope = q->key.scope};
	struct doc *arr = doc_arr(q->a);
	struct res_list l;
	struct span *v;
	int r = store_list(q->g->store, q->a, &all, &l);

	if (r) {
		rq_fail(q, r < 0 ? r : err_fold(r));
		return;
	}
	v = arena_array(q->a, struct span, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		v[i] = l.v[i]->id;
	qsort(v, l.n, sizeof(*v), by_span);
	if (!page(q, "/v2/_catalog", v, l.n, arr))
		return;
	rq_json(q, doc_set(q->a, doc_obj(q->a), "repositories", arr));
	rq_header(q, "Content-Type", "application/json");
	rq_ok(q, 200);
}

static struct doc *
referrer(struct arena *a, const struct res *image)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct doc *d = doc_obj(a), *manifest;
	struct span type = arena_span(a, doc_get_str(image->spec,
	    "artifactType"));

	/* The image does not outlive this call. */
	doc_set_str(a, d, "mediaType", arena_span(a,
	    doc_get_str(image->spec, "mediaType")));
	doc_set_str(a, d, "digest", arena_span(a, image->id));
	doc_set_int(a, d, "size", doc_get_int(image->spec, "manifestSize", 0));
	if (type.n)
		doc_set_str(a, d, "artifactType", type);
	if (doc_parse_json(scratch, doc_get_str(image->spec, "manifest"),
		&manifest) == 0 && doc_get(manifest, "annotations"))
		doc_set(a, d, "annotations",
		    doc_copy(a, doc_get(manifest, "annotations")));
	return d;
}

struct referrers {
	struct rq *q;
	struct span type; /* p NULL: all */
	struct doc *arr;
	int64_t bytes; /* of the manifests in arr: annotations may be long */
	int64_t last;  /* row */
	bool more;
};

static int
add_referrer(void *ctx, struct res *image)
{
	struct referrers *x = ctx;

	if (x->type.p &&
	    !span_eq(x->type, doc_get_str(image->spec, "artifactType")))
		return 0;
	x->more = x->bytes >= (int64_t)MANIFEST_MAX;
	if (x->more)
		return 1;
	doc_push(x->arr, referrer(x->q->a, image));
	x->bytes += doc_get_int(image->spec, "manifestSize", 0);
	x->last = image->row;
	return 0;
}

static void
link_next(const struct referrers *x)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (x->type.p) {
		buf_add_str(&b, "&artifactType=");
		buf_add_uri(&b, x->type, false);
	}
	rq_header(x->q, "Link", "</v2/%.*s/referrers/%.*s?after=%lld%s>; "
	    "rel=\"next\"", SPAN_ARG(x->q->key.name), SPAN_ARG(x->q->ref),
	    (long long)x->last, buf_str(&b));
}

void
referrers_get(struct rq *q)
{
	struct query by = {.kind = &ecr_image, .scope = q->key.scope,
	    .parent = q->key.name, .index = "spec.subject", .value = q->ref};
	struct referrers x = {.q = q, .type = rq_query(q, "artifactType"),
	    .arr = doc_arr(q->a)};
	struct span after = rq_query(q, "after");
	struct doc *out = doc_obj(q->a);
	int r;

	if (!digest_ok(q->ref, NULL)) {
		rq_error(q, 400, "DIGEST_INVALID", "the digest is not valid");
		return;
	}
	if (after.p && !span_i64(after, &by.after)) {
		rq_error(q, 400, "UNSUPPORTED", "after is not a number");
		return;
	}
	r = images_each(q->g->store, &by, add_referrer, &x);
	if (r < 0) {
		rq_fail(q, r);
		return;
	}
	if (x.more)
		link_next(&x);
	if (x.type.p)
		rq_header(q, "OCI-Filters-Applied", "artifactType");
	doc_set_int(q->a, out, "schemaVersion", 2);
	doc_set_str(q->a, out, "mediaType", SPAN(MT_OCI_INDEX));
	doc_set(q->a, out, "manifests", x.arr);
	rq_json(q, out);
	rq_header(q, "Content-Type", MT_OCI_INDEX);
	rq_ok(q, 200);
}
