/* Pushing blobs: sessions, chunks, mounts, the single POST. */
#include "base/err.h"
#include "registry/ref.h"
#include "registry/rq.h"
#include "registry/upload.h"

static void
on_room(void *ctx)
{
	struct rq *q;

	CAST_OBJ(q, ctx, RQ_MAGIC);
	if (!q->paused)
		return;
	q->paused = false;
	http_resume(q->http);
}

static void
say_session(struct rq *q)
{
	uint64_t n = upload_size(q->up);

	rq_header(q, "Location", "/v2/%.*s/blobs/uploads/%s",
	    SPAN_ARG(q->key.name), upload_id(q->up));
	/* Nothing yet is "0-0", too: so all registries say. */
	rq_header(q, "Range", "0-%llu", (unsigned long long)(n ? n - 1 : 0));
	rq_header(q, "Docker-Upload-UUID", "%s", upload_id(q->up));
}

static void
say_blob(struct rq *q, struct span digest)
{
	rq_header(q, "Location", "/v2/%.*s/blobs/%.*s", SPAN_ARG(q->key.name),
	    SPAN_ARG(digest));
	rq_header(q, "Docker-Content-Digest", "%.*s", SPAN_ARG(digest));
	rq_ok(q, 201);
}

static void
release(struct rq *q)
{
	upload_end(q->up);
	q->up = NULL;
}

void
upload_abort(struct rq *q)
{
	/* What came stays: the client may resume.  A session of which nobody
	 * heard is not worth keeping. */
	if (q->op && q->op->route == ROUTE_UPLOADS)
		upload_drop(q->g, TAKE_PTR(q->up), q->a);
	else
		release(q);
}

static void
upload_error(struct rq *q, int r)
{
	switch (r) {
	case UPLOAD_E_NONE:
		rq_error(q, 404, "BLOB_UPLOAD_UNKNOWN",
		    "there is no such upload in this repository");
		return;
	case UPLOAD_E_BUSY:
		rq_error(q, 409, "BLOB_UPLOAD_INVALID",
		    "another request writes to this upload");
		return;
	case UPLOAD_E_MANY:
		rq_error(q, 429, "TOOMANYREQUESTS",
		    "too many uploads are in progress");
		return;
	}
	rq_fail(q, r);
}

/* Starting */

/* 0 when the answer is given, 1 when an ordinary upload has to do. */
static int
try_mount(struct rq *q, struct span digest, struct span from)
{
	struct repo_key other = q->key;
	struct res *link;
	uint64_t size;
	int r;

	other.name = from;
	if (!digest_ok(digest, NULL) || !ref_repo_ok(from))
		return 1;
	r = repo_blob(&other, q->a, digest, &link);
	if (r == 0)
		r = blob_size(q->g->blobs, digest, &size);
	if (r > 0)
		return 1;
	sweep_touch(q->g, digest);
	if (r == 0)
		r = repo_link_blob(&q->key, q->a, digest, size);
	if (r)
		rq_fail(q, r);
	else
		say_blob(q, digest);
	return 0;
}

static bool
check_digest_param(struct rq *q, struct span digest)
{
	if (digest_ok(digest, NULL))
		return true;
	rq_error(q, 400, "DIGEST_INVALID",
	    "the digest parameter is missing or not valid");
	return false;
}

void
uploads_post(struct rq *q)
{
	struct span digest = rq_query(q, "digest");
	struct upload *u;
	int r;

	if (digest.p && !check_digest_param(q, digest))
		return;
	r = upload_start(q->g, &q->key, q->a, &u);
	if (r == 0) {
		r = upload_begin(u, on_room, q);
		if (r)
			upload_drop(q->g, u, q->a);
	}
	if (r)
		upload_error(q, r);
	else
		q->up = u;
}

/* Finishing */

static void
sealed(struct rq *q, int r)
{
	struct span digest = q->ref; /* put there by seal() */
	struct upload *u = TAKE_PTR(q->up);
	uint64_t size = upload_size(u);
	struct res *repo;

	if (r == BLOB_E_MISMATCH) {
		rq_error(q, 400, "DIGEST_INVALID",
		    "the content is not that of the digest");
	} else if (r) {
		rq_fail(q, r > 0 ? err_fold(r) : r);
	} else {
		sweep_touch(q->g, digest);
		r = repo_get(&q->key, q->a, &repo);
		if (r == 0)
			r = repo_link_blob(&q->key, q->a, digest, size);
		if (r < 0)
			rq_fail(q, r);
		else if (r)
			rq_repo_error(q, r, SPAN_NULL);
		else
			say_blob(q, digest);
	}
	upload_end(u);
	/* Should this be undone, the row is found without its file and goes. */
	upload_drop(q->g, u, q->a);
}

static void
on_sealed(void *ctx, int r)
{
	struct rq *q;

	CAST_OBJ(q, ctx, RQ_MAGIC);
	rq_resume(q, sealed, r);
}

static void
seal(struct rq *q, struct span digest)
{
	q->ref = digest;
	rq_hold(q);
	upload_seal(q->up, digest, on_sealed, q);
}

void
uploads_post_end(struct rq *q)
{
	struct span digest = rq_query(q, "digest");
	struct span mount = rq_query(q, "mount"), from = rq_query(q, "from");

	if (digest.p) {
		seal(q, digest);
		return;
	}
	if (mount.p && try_mount(q, mount, from) == 0) {
		struct upload *u = TAKE_PTR(q->up);

		upload_end(u);
		upload_drop(q->g, u, q->a);
		return;
	}
	say_session(q);
	rq_ok(q, 202);
	release(q);
}

/* Writing */

/* "0-1023", as the specification writes it, or with "bytes" before it. */
static bool
parse_content_range(struct span s, uint64_t *ret_first, uint64_t *ret_last)
{
	struct span rest = span_trim(s);

	if (span_starts(rest, SPAN("bytes")))
		rest = span_trim(span_from(rest, 5));
	rest = span_cut(&rest, '/');
	return span_u64(span_cut(&rest, '-'), ret_first) &&
	    span_u64(rest, ret_last) && *ret_first <= *ret_last;
}

static void
refuse_range(struct rq *q)
{
	say_session(q);
	rq_error(q, 416, "BLOB_UPLOAD_INVALID",
	    "the chunk does not start where the upload ends");
}

static void
check_range(struct rq *q)
{
	struct span range = rq_in(q, "Content-Range"), length;
	uint64_t first, last, n;

	if (!range.p)
		return;
	length = rq_in(q, "Content-Length");
	if (!parse_content_range(range, &first, &last))
		rq_error(q, 400, "BLOB_UPLOAD_INVALID",
		    "the Content-Range is not valid");
	else if (first != upload_size(q->up))
		refuse_range(q);
	else if (length.p &&
	    (!span_u64(length, &n) || n != last - first + 1))
		rq_error(q, 400, "SIZE_INVALID",
		    "the Content-Length is not that of the Content-Range");
}

static void
take_session(struct rq *q)
{
	struct upload *u;
	int r = upload_find(q->g, &q->key, q->a, q->ref, &u);

	if (r == 0)
		r = upload_begin(u, on_room, q);
	if (r) {
		upload_error(q, r);
		return;
	}
	q->up = u;
	check_range(q);
}

void
upload_begin_patch(struct rq *q)
{
	take_session(q);
}

void
upload_begin_put(struct rq *q)
{
	if (check_digest_param(q, rq_query(q, "digest")))
		take_session(q);
}

/* A disk that is full shall not stay so because of us. */
static void
fail_writing(struct rq *q, int r)
{
	rq_fail(q, r);
	upload_drop(q->g, TAKE_PTR(q->up), q->a);
}

bool
upload_body(struct rq *q, struct span piece)
{
	int r = upload_write(q->up, piece);

	if (r == UPLOAD_FULL) {
		q->paused = true;
		http_pause(q->http);
	}
	if (r >= 0)
		return true;
	fail_writing(q, r);
	return false;
}

static void
synced(struct rq *q, int r)
{
	if (r) {
		fail_writing(q, r > 0 ? err_fold(r) : r);
		return;
	}
	say_session(q);
	rq_ok(q, 202);
	release(q);
}

static void
on_synced(void *ctx, int r)
{
	struct rq *q;

	CAST_OBJ(q, ctx, RQ_MAGIC);
	rq_resume(q, synced, r);
}

void
upload_patch_end(struct rq *q)
{
	rq_hold(q);
	upload_sync(q->up, on_synced, q);
}

void
upload_put_end(struct rq *q)
{
	seal(q, rq_query(q, "digest"));
}

void
upload_get(struct rq *q)
{
	struct upload *u;
	int r = upload_find(q->g, &q->key, q->a, q->ref, &u);

	if (r) {
		upload_error(q, r);
		return;
	}
	q->up = u;
	say_session(q);
	q->up = NULL;
	rq_ok(q, 204);
}

void
upload_delete(struct rq *q)
{
	struct upload *u;
	int r = upload_find(q->g, &q->key, q->a, q->ref, &u);

	if (r == 0)
		r = upload_begin(u, NULL, NULL);
	if (r) {
		upload_error(q, r);
		return;
	}
	upload_end(u);
	upload_drop(q->g, u, q->a);
	rq_ok(q, 204);
}
