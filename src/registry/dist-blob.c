/* Pulling and deleting blobs. */
#include "base/err.h"
#include "registry/ref.h"
#include "registry/rq.h"

static void
blob_unknown(struct rq *q)
{
	rq_error(q, 404, "BLOB_UNKNOWN", "The layer with digest '%.*s' does "
	    "not exist in the repository with name '%.*s'", SPAN_ARG(q->ref),
	    SPAN_ARG(q->key.name));
}

static bool
check_digest(struct rq *q)
{
	if (digest_ok(q->ref, NULL))
		return true;
	rq_error(q, 400, "DIGEST_INVALID", "the digest is not valid");
	return false;
}

enum { RANGE_NONE, RANGE_OK, RANGE_BAD };

/* RFC 9110, 14.1.2: one range; several, or what is no range, are ignored. */
static int
parse_range(struct span s, uint64_t size, uint64_t *ret_first,
    uint64_t *ret_last)
{
	struct span rest, first;
	uint64_t a, b;

	if (!span_starts(s, SPAN("bytes=")) || span_chr(s, ',') >= 0)
		return RANGE_NONE;
	rest = span_trim(span_from(s, 6));
	if (span_chr(rest, '-') < 0)
		return RANGE_NONE;
	first = span_cut(&rest, '-');
	if (first.n == 0) { /* the last b bytes */
		if (!span_u64(rest, &b))
			return RANGE_NONE;
		a = b >= size ? 0 : size - b;
		if (b == 0 || size == 0)
			return RANGE_BAD;
		b = size - 1;
	} else {
		if (!span_u64(first, &a))
			return RANGE_NONE;
		b = UINT64_MAX;
		if (rest.n && (!span_u64(rest, &b) || b < a))
			return RANGE_NONE;
		if (a >= size)
			return RANGE_BAD;
		b = MIN(b, size - 1);
	}
	*ret_first = a;
	*ret_last = b;
	return RANGE_OK;
}

static void
answer(struct rq *q, uint64_t size)
{
	uint64_t first, last;

	switch (parse_range(rq_in(q, "Range"), size, &first, &last)) {
	case RANGE_BAD:
		rq_header(q, "Content-Range", "bytes */%llu",
		    (unsigned long long)size);
		rq_error(q, 416, "SIZE_INVALID",
		    "the range is outside the blob");
		return;
	case RANGE_OK:
		q->offset = first;
		q->length = last - first + 1;
		rq_header(q, "Content-Range", "bytes %llu-%llu/%llu",
		    (unsigned long long)first, (unsigned long long)last,
		    (unsigned long long)size);
		rq_ok(q, 206);
		break;
	case RANGE_NONE:
		q->length = size;
		rq_ok(q, 200);
		break;
	}
	rq_header(q, "Content-Type", "application/octet-stream");
	rq_header(q, "Docker-Content-Digest", "%.*s", SPAN_ARG(q->ref));
	rq_header(q, "ETag", "\"%.*s\"", SPAN_ARG(q->ref));
	rq_header(q, "Accept-Ranges", "bytes");
}

void
blob_get(struct rq *q)
{
	uint64_t size;
	int r;

	if (!check_digest(q))
		return;
	r = repo_blob(&q->key, q->a, q->ref, NULL);
	if (r == 0)
		r = blob_open(q->g->blobs, q->ref, &q->fd, &size);
	if (r < 0)
		rq_fail(q, r);
	else if (r)
		blob_unknown(q);
	else {
		sweep_touch(q->g, q->ref);
		answer(q, size);
	}
}

void
blob_delete(struct rq *q)
{
	struct query users = {.kind = &ecr_image, .scope = q->key.scope,
	    .parent = q->key.name, .index = "spec.blobs", .value = q->ref};
	struct res *link;
	int64_t n;
	int r;

	if (!check_digest(q))
		return;
	r = repo_blob(&q->key, q->a, q->ref, &link);
	if (r > 0) {
		blob_unknown(q);
		return;
	}
	n = r ? r : store_count(q->g->store, &users);
	if (n > 0) {
		rq_error(q, 403, "DENIED", "an image needs this layer");
		return;
	}
	if (n == 0)
		n = store_delete(q->g->store, link);
	if (n) {
		rq_fail(q, n < 0 ? (int)n : err_fold((int)n));
		return;
	}
	rq_ok(q, 202);
}
