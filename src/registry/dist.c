/* The distribution endpoints: routes, authentication, life of a request. */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "registry/ref.h"
#include "registry/rq.h"
#include "registry/upload.h"

const struct dist_op dist_ops[] = {
    {ROUTE_PING, "GET", NULL, NULL, ping_get},
    {ROUTE_CATALOG, "GET", NULL, NULL, catalog_get},
    {ROUTE_TAGS, "GET", NULL, NULL, tags_get},
    {ROUTE_REFERRERS, "GET", NULL, NULL, referrers_get},
    {ROUTE_MANIFEST, "GET", NULL, NULL, manifest_get},
    {ROUTE_MANIFEST, "PUT", manifest_put_begin, manifest_body, manifest_put},
    {ROUTE_MANIFEST, "DELETE", NULL, NULL, manifest_delete},
    {ROUTE_BLOB, "GET", NULL, NULL, blob_get},
    {ROUTE_BLOB, "DELETE", NULL, NULL, blob_delete},
    {ROUTE_UPLOADS, "POST", uploads_post, upload_body, uploads_post_end},
    {ROUTE_UPLOAD, "GET", NULL, NULL, upload_get},
    {ROUTE_UPLOAD, "PATCH", upload_begin_patch, upload_body,
	upload_patch_end},
    {ROUTE_UPLOAD, "PUT", upload_begin_put, upload_body, upload_put_end},
    {ROUTE_UPLOAD, "DELETE", NULL, NULL, upload_delete},
};

/* Life of a request */

static void
rq_free(struct rq *q)
{
	CHECK_OBJ(q, RQ_MAGIC);
	AZ(q->held);
	if (q->up)
		upload_abort(q);
	if (q->http)
		q->http->user = NULL;
	close_p(&q->fd);
	q->g->manifest_bytes -= q->body.n;
	buf_done(&q->body);
	arena_free(q->a);
	FREE_OBJ(q);
}

static void
rq_send(struct rq *q)
{
	struct http_response resp = HTTP_RESPONSE(q->status);

	if (q->http) {
		q->answered = true;
		resp.headers = q->headers;
		resp.n_headers = q->n_headers;
		resp.body = q->out;
		resp.fd = TAKE_FD(q->fd);
		resp.offset = q->offset;
		resp.length = q->length;
		resp.head = span_is(q->http->method, "HEAD");
		http_respond(q->http, &resp);
	}
	rq_free(q);
}

static void
rq_committed(void *ctx, int err)
{
	struct rq *q;

	CAST_OBJ(q, ctx, RQ_MAGIC);
	q->held = false;
	if (err) {
		q->status = 0;
		q->n_headers = 0;
		rq_fail(q, err);
	}
	rq_send(q);
}

/* What was answered may have been read from, or written to, a transaction
 * that is not on disk yet. */
static void
rq_finish(struct rq *q)
{
	if (!store_dirty(q->g->store)) {
		rq_send(q);
		return;
	}
	q->held = true;
	store_on_commit(q->g->store, rq_committed, q);
}

static void
run_in_savepoint(struct rq *q, void (*fn)(struct rq *q, int r), int r)
{
	int e = store_savepoint(q->g->store);

	if (e) {
		rq_fail(q, e);
		return;
	}
	fn(q, r);
	if (q->failed)
		store_rollback(q->g->store);
	else
		store_release(q->g->store);
}

void
rq_hold(struct rq *q)
{
	CHECK_OBJ(q, RQ_MAGIC);
	q->held = true;
}

void
rq_resume(struct rq *q, void (*fn)(struct rq *q, int r), int r)
{
	CHECK_OBJ(q, RQ_MAGIC);
	AN(q->held);
	q->held = false;
	run_in_savepoint(q, fn, r);
	rq_finish(q);
}

/* Routes */

/* Cuts the last path component off. */
static struct span
pop(struct span *path)
{
	ptrdiff_t i = span_rchr(*path, '/');
	struct span last = span_from(*path, (size_t)(i + 1));

	*path = span_to(*path, i < 0 ? 0 : (size_t)i);
	return last;
}

static bool
find_route(struct rq *q, struct span path, enum route *ret)
{
	struct span last, kind;

	if (!span_starts(path, SPAN("/v2")))
		return false;
	path = span_from(path, 3);
	if (path.n == 0 || span_is(path, "/")) {
		*ret = ROUTE_PING;
		return true;
	}
	if (span_is(path, "/_catalog")) {
		*ret = ROUTE_CATALOG;
		return true;
	}
	last = pop(&path);
	kind = pop(&path);
	q->ref = last;
	if (span_is(kind, "blobs") && span_is(last, "uploads")) {
		*ret = ROUTE_UPLOADS;
	} else if (span_is(kind, "uploads") && span_ends(path, SPAN("/blobs"))) {
		pop(&path);
		*ret = last.n ? ROUTE_UPLOAD : ROUTE_UPLOADS;
	} else if (span_is(kind, "blobs")) {
		*ret = ROUTE_BLOB;
	} else if (span_is(kind, "manifests")) {
		*ret = ROUTE_MANIFEST;
	} else if (span_is(kind, "referrers")) {
		*ret = ROUTE_REFERRERS;
	} else if (span_is(kind, "tags") && span_is(last, "list")) {
		*ret = ROUTE_TAGS;
	} else {
		return false;
	}
	q->key.name = span_from(path, 1);
	return true;
}

static const struct dist_op *
find_op(struct rq *q, enum route route)
{
	struct span method = q->http->method;

	/* HEAD is GET; the server leaves the body out. */
	if (span_is(method, "HEAD"))
		method = SPAN("GET");
	for (size_t i = 0; i < ARRAY_SIZE(dist_ops); i++) {
		if (dist_ops[i].route == route &&
		    span_is(method, dist_ops[i].method))
			return &dist_ops[i];
	}
	return NULL;
}

/* Authentication */

static void
challenge(struct rq *q)
{
	rq_header(q, "WWW-Authenticate",
	    "Basic realm=\"http://%.*s/\",service=\"ecr.amazonaws.com\"",
	    SPAN_ARG(rq_in(q, "Host")));
	rq_error(q, 401, "UNAUTHORIZED", "Not Authorized");
}

static bool
authenticate(struct rq *q)
{
	struct span header = rq_in(q, "Authorization"), account, region;
	int r = token_check_basic(q->g->store, q->a, header, &q->who);

	if (r == TOKEN_E_BAD) {
		challenge(q);
	} else if (r == TOKEN_E_EXPIRED) {
		rq_error(q, 403, "DENIED", "Your authorization token has "
		    "expired. Reauthenticate and try again.");
	} else if (r) {
		rq_fail(q, r);
	} else if (ref_ecr_host(rq_in(q, "Host"), &account, &region) &&
	    (!span_eq(account, q->who.account) ||
		!span_eq(region, q->who.region))) {
		rq_error(q, 403, "DENIED", "The authorization token is not "
		    "valid for the registry with id '%.*s' in %.*s",
		    SPAN_ARG(account), SPAN_ARG(region));
	}
	q->key.store = q->g->store;
	q->key.scope = (struct scope){q->who.account, q->who.region};
	return q->status == 0;
}

static bool
check_repository(struct rq *q)
{
	struct res *unused;
	int r;

	if (!ref_repo_ok(q->key.name)) {
		rq_error(q, 400, "NAME_INVALID", "invalid repository name");
		return false;
	}
	r = repo_get(&q->key, q->a, &unused);
	if (r < 0)
		rq_fail(q, r);
	else if (r)
		rq_repo_error(q, r, SPAN_NULL);
	return q->status == 0;
}

static void
prepare(struct rq *q, int r UNUSED)
{
	struct buf b = BUF_INIT;
	struct span path;
	enum route route;

	rq_header(q, "Docker-Distribution-Api-Version", "registry/2.0");
	buf_add_unuri(&b, q->http->path, false);
	path = arena_span(q->a, buf_span(&b));
	buf_done(&b);
	if (!authenticate(q))
		return;
	if (!find_route(q, path, &route)) {
		rq_error(q, 404, "NAME_UNKNOWN", "there is no such endpoint");
		return;
	}
	if (q->key.name.p && !check_repository(q))
		return;
	q->op = find_op(q, route);
	if (!q->op)
		rq_error(q, 405, "UNSUPPORTED",
		    "The operation is unsupported.");
	else if (q->op->begin)
		q->op->begin(q);
}

/* What the server calls */

static bool
on_body(struct http_request *http, struct span piece)
{
	struct rq *q;

	CAST_OBJ(q, http->user, RQ_MAGIC);
	q->received += piece.n;
	if (q->op->body)
		q->op->body(q, piece);
	else
		rq_error(q, 400, "UNSUPPORTED", "no body is expected here");
	if (q->status == 0)
		return true;
	rq_send(q);
	return false;
}

static void
on_request(void *ctx, struct http_request *http, struct http_plan *plan)
{
	struct registry *g;
	struct rq *q;

	CAST_OBJ(g, ctx, REGISTRY_MAGIC);
	ALLOC_OBJ(q, RQ_MAGIC);
	q->g = g;
	q->http = http;
	q->a = arena_new();
	q->fd = -1;
	http->user = q;
	plan->on_body = on_body;
	run_in_savepoint(q, prepare, 0);
	if (q->status)
		rq_send(q);
}

static void
run_end(struct rq *q, int r UNUSED)
{
	q->op->end(q);
}

static void
on_complete(void *ctx, struct http_request *http)
{
	struct rq *q;

	(void)ctx;
	CAST_OBJ(q, http->user, RQ_MAGIC);
	run_in_savepoint(q, run_end, 0);
	if (!q->held)
		rq_finish(q);
}

static void
on_abort(void *ctx, struct http_request *http)
{
	struct rq *q = http->user;

	(void)ctx;
	if (!q)
		return; /* it was answered */
	CHECK_OBJ(q, RQ_MAGIC);
	q->http = NULL;
	if (!q->held)
		rq_free(q);
}

void
dist_init(struct registry *g)
{
	g->handler = (struct http_handler){.on_request = on_request,
	    .on_complete = on_complete, .on_abort = on_abort, .ctx = g};
}
