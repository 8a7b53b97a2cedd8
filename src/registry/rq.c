/* What handlers of the distribution endpoints say things with. */
#include "registry/rq.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

struct span
rq_in(const struct rq *q, const char *header)
{
	return q->http ? http_header(q->http, header) : SPAN_NULL;
}

struct span
rq_query(struct rq *q, const char *name)
{
	struct span rest = q->http ? q->http->query : SPAN_NULL;
	struct buf b = BUF_INIT;
	struct span out;

	while (rest.p) {
		struct span value = span_cut(&rest, '&');

		if (!span_is(span_cut(&value, '='), name))
			continue;
		buf_add_unuri(&b, value, true);
		out = arena_span(q->a, buf_span(&b));
		if (!out.p)
			out = SPAN("");
		buf_done(&b);
		return out;
	}
	return SPAN_NULL;
}

void
rq_header(struct rq *q, const char *name, const char *fmt, ...)
{
	va_list ap;

	AN(q->n_headers < RQ_HEADERS_MAX);
	va_start(ap, fmt);
	q->headers[q->n_headers++] = (struct http_header){span_of(name),
	    span_of(arena_vfmt(q->a, fmt, ap))};
	va_end(ap);
}

void
rq_ok(struct rq *q, int status)
{
	CHECK_OBJ(q, RQ_MAGIC);
	AZ(q->status);
	q->status = status;
}

void
rq_json(struct rq *q, const struct doc *d)
{
	q->out = doc_json(q->a, d);
}

void
rq_error(struct rq *q, int status, const char *code, const char *fmt, ...)
{
	struct doc *e = doc_obj(q->a), *arr = doc_arr(q->a);
	va_list ap;

	CHECK_OBJ(q, RQ_MAGIC);
	AZ(q->status);
	va_start(ap, fmt);
	doc_set_str(q->a, e, "code", span_of(code));
	doc_set_str(q->a, e, "message", span_of(arena_vfmt(q->a, fmt, ap)));
	va_end(ap);
	doc_push(arr, e);
	close_p(&q->fd);
	rq_header(q, "Content-Type", "application/json; charset=utf-8");
	rq_json(q, doc_set(q->a, doc_obj(q->a), "errors", arr));
	q->status = status;
	q->failed = true;
}

void
rq_fail(struct rq *q, int r)
{
	if (r == -ENOSPC || r == -EDQUOT) {
		rq_error(q, 507, "UNKNOWN",
		    "no space is left on the registry's disk");
		return;
	}
	log_error("registry: %s (%d)", err_last(), r);
	rq_error(q, 500, "UNKNOWN", "an internal error occurred");
}

void
rq_repo_error(struct rq *q, int outcome, struct span missing)
{
	struct span name = q->key.name, id = q->key.scope.account;

	switch (outcome) {
	case REPO_E_NO_REPO:
		rq_error(q, 404, "NAME_UNKNOWN", "The repository with name "
		    "'%.*s' does not exist in the registry with id '%.*s'",
		    SPAN_ARG(name), SPAN_ARG(id));
		return;
	case REPO_E_NO_IMAGE:
		rq_error(q, 404, "MANIFEST_UNKNOWN",
		    "Requested image not found");
		return;
	case REPO_E_IMMUTABLE:
		rq_error(q, 400, "TAG_INVALID", "The image tag '%.*s' already "
		    "exists in the '%.*s' repository and cannot be overwritten "
		    "because the tag is immutable.", SPAN_ARG(q->ref),
		    SPAN_ARG(name));
		return;
	case REPO_E_NO_LAYERS:
		rq_error(q, 404, "MANIFEST_BLOB_UNKNOWN", "Layers with digests "
		    "'[%.*s]' required for pushing image into repository with "
		    "name '%.*s' in the registry with id '%.*s' do not exist",
		    SPAN_ARG(missing), SPAN_ARG(name), SPAN_ARG(id));
		return;
	case REPO_E_NO_CHILDREN:
		rq_error(q, 404, "MANIFEST_BLOB_UNKNOWN", "Images with digests "
		    "'[%.*s]' required for pushing image into repository with "
		    "name '%.*s' in the registry with id '%.*s' do not exist",
		    SPAN_ARG(missing), SPAN_ARG(name), SPAN_ARG(id));
		return;
	case REPO_E_REFERENCED:
		rq_error(q, 403, "DENIED",
		    "Requested image referenced by manifest list: [%.*s]",
		    SPAN_ARG(missing));
		return;
	case REPO_E_NOT_EMPTY:
		break;
	}
	WRONG("an outcome that no endpoint has");
}
