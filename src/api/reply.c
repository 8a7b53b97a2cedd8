/* The only makers of replies. */
#include <string.h>

#include "api/internal.h"
#include "base/log.h"

static struct reply *
reply_new(struct call *c, enum reply_kind kind)
{
	struct reply *r;

	CHECK_OBJ(c, CALL_MAGIC);
	r = arena_new_of(c->arena, struct reply);
	r->magic = REPLY_MAGIC;
	r->kind = kind;
	r->fd = -1;
	return r;
}

struct reply *
reply_ok(struct call *c, struct doc *out)
{
	struct reply *r = reply_new(c, REPLY_OK);

	r->out = out ? out : doc_obj(c->arena);
	return r;
}

struct reply *
reply_file(struct call *c, struct doc *out, int fd, uint64_t offset,
    uint64_t length)
{
	struct reply *r = reply_ok(c, out);

	r->file = true;
	r->fd = fd;
	r->offset = offset;
	r->length = length;
	return r;
}

struct reply *
reply_seq(struct call *c, struct doc *out, struct file_seq *seq)
{
	struct reply *r = reply_file(c, out, -1, 0, file_seq_length(seq));

	r->seq = seq;
	return r;
}

void
reply_close(struct reply *r)
{
	if (!r)
		return;
	CHECK_OBJ(r, REPLY_MAGIC);
	close_p(&r->fd);
	file_seq_free(TAKE_PTR(r->seq));
}

void
reply_set_status(struct reply *r, int status)
{
	CHECK_OBJ(r, REPLY_MAGIC);
	if (r->kind == REPLY_ERROR)
		r->error.status = status;
	else
		r->status = status;
}

void
reply_set_header(struct call *c, struct reply *r, const char *name,
    struct span value)
{
	CHECK_OBJ(r, REPLY_MAGIC);
	if (!r->headers)
		r->headers = doc_obj(c->arena);
	doc_set_str(c->arena, r->headers, name, value);
}

struct reply *
reply_wire_error(struct call *c, const struct wire_error *e)
{
	struct reply *r = reply_new(c, REPLY_ERROR);

	r->error = *e;
	return r;
}

static struct reply *
error_reply(struct call *c, int status, const char *code, struct doc *members,
    const char *fmt, va_list ap)
{
	struct wire_error e = {.status = status, .code = span_of(code),
	    .members = members};

	e.message = span_of(arena_vfmt(c->arena, fmt, ap));
	return reply_wire_error(c, &e);
}

struct reply *
reply_error(struct call *c, const char *code, const char *fmt, ...)
{
	struct reply *r;
	va_list ap;

	va_start(ap, fmt);
	r = error_reply(c, 0, code, NULL, fmt, ap);
	va_end(ap);
	return r;
}

struct reply *
reply_error_with(struct call *c, int status, const char *code,
    struct doc *members, const char *fmt, ...)
{
	struct reply *r;
	va_list ap;

	va_start(ap, fmt);
	r = error_reply(c, status, code, members, fmt, ap);
	va_end(ap);
	return r;
}

void
reply_tell_error(const struct reply *r, struct span *ret_code,
    struct span *ret_message)
{
	CHECK_OBJ(r, REPLY_MAGIC);
	AN(r->kind == REPLY_ERROR);
	*ret_code = r->error.code;
	*ret_message = r->error.message;
}

struct reply *
reply_not_implemented(struct call *c, const char *fmt, ...)
{
	struct span op = model_op_name(c->op);
	va_list ap;
	char *what;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error_with(c, 501, "NotImplemented", NULL,
	    "%s:%.*s%s%s is not implemented", c->op->model->name, SPAN_ARG(op),
	    *what ? ": " : "", what);
}

struct reply *
reply_failure(struct call *c, int err)
{
	AN(err < 0);
	log_error("%s:%.*s failed: %s (%s)", c->op->model->name,
	    SPAN_ARG(model_op_name(c->op)), err_last(), strerror(-err));
	if (c->op->model->no_error_wrapping)
		return reply_error_with(c, 500, "InternalError", NULL, "We "
		    "encountered an internal error. Please try again.");
	return reply_error_with(c, 500, "InternalFailure", NULL,
	    "The request processing has failed because of an unknown error, "
	    "exception or failure.");
}

struct reply *
reply_later(struct call *c)
{
	AN(c->request);
	/* The request may be gone when the answer is made. */
	c->in = doc_copy(c->arena, c->in);
	c->scope.region = arena_span(c->arena, c->scope.region);
	c->host = arena_span(c->arena, c->host);
	return reply_new(c, REPLY_LATER);
}

void
call_finish(struct call *c, struct reply *r)
{
	CHECK_OBJ(c, CALL_MAGIC);
	CHECK_OBJ(r, REPLY_MAGIC);
	AN(r->kind != REPLY_LATER);
	request_finish(c->request, r);
}
