/* Running one operation, for the wire and for callers inside. */
#include <errno.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/id.h"

const struct service *
api_service(struct api *api, struct span name)
{
	for (const struct service *const *s = api->config.services; *s; s++)
		if (span_is(name, (*s)->name))
			return *s;
	return NULL;
}

static const struct op_row *
find_row(const struct service *s, struct span op)
{
	for (const struct op_row *row = s ? s->ops : NULL; row && row->name; row++)
		if (span_is(op, row->name))
			return row;
	return NULL;
}

bool
call_has_handler(const struct service *s, const struct model_op *op)
{
	return find_row(s, model_op_name(op));
}

/* Is word one of the space-separated words of list? */
static bool
has_word(const char *list, struct span word)
{
	struct span rest = span_of(list);

	while (rest.p)
		if (span_eq(span_cut(&rest, ' '), word))
			return true;
	return false;
}

/* Clients send an idempotency token whether the operation cares or not, and
 * the decoder fills in one that is absent: none is ever refused. */
static bool
takes(const struct call *c, const struct op_row *row, struct span member)
{
	const struct model *m = c->op->model;
	const struct model_member *mb;

	if (has_word(row->takes, member))
		return true;
	mb = model_member_find(m, model_shape(m, c->op->in), member);
	return mb && mb->flags & MEMBER_TOKEN;
}

static int
init_scope(struct call *c)
{
	_cleanup_free_ char *key = xasprintf("%s/%.*s/%.*s", c->service->name,
	    SPAN_ARG(c->scope.account), SPAN_ARG(c->scope.region));
	struct inited *i;
	int r;

	HASH_FIND_STR(c->api->inited, key, i);
	if (i || !c->service->scope_init)
		return 0;
	if ((r = c->service->scope_init(c->store, c->arena, c->scope)) < 0)
		return err_trace(r);
	i = xcalloc(1, sizeof(*i));
	i->key = TAKE_PTR(key);
	HASH_ADD_KEYPTR(hh, c->api->inited, i->key, strlen(i->key), i);
	return 0;
}

void
api_forget_scopes(struct api *api)
{
	struct inited *i, *next;

	HASH_ITER (hh, api->inited, i, next) {
		HASH_DEL(api->inited, i);
		free(i->key);
		free(i);
	}
}

struct reply *
call_run(struct call *c)
{
	const struct op_row *row = find_row(c->service, model_op_name(c->op));
	struct reply *r;
	int ret;

	if (!row)
		return reply_not_implemented(c, "%s", "");
	if (row->takes && !c->who.system)
		doc_each_key(k, v, c->in)
			if (!takes(c, row, k))
				return reply_not_implemented(c, "%.*s",
				    SPAN_ARG(k));
	/* What AWS has from the start stays, also when the call fails. */
	if ((ret = init_scope(c)) < 0)
		return reply_failure(c, ret);
	if ((ret = store_savepoint(c->store)) < 0)
		return reply_failure(c, ret);
	r = c->service->before ? c->service->before(c) : NULL;
	if (!r)
		r = row->fn(c);
	CHECK_OBJ(r, REPLY_MAGIC);
	if (r->kind == REPLY_ERROR)
		store_rollback(c->store);
	else
		store_release(c->store);
	return r;
}

#define FILE_MAX (16u << 20)

/* The next bytes of a reply's body, at least one; or negative. */
static ssize_t
read_piece(struct reply *r, uint64_t at, char *p)
{
	ssize_t n = r->seq ? file_seq_read(r->seq, p, r->length - at) :
	    pread(r->fd, p, r->length - at, (off_t)(r->offset + at));

	return n > 0 ? n : err_origin(n < 0 && !r->seq ? errno : EIO,
	    "cannot read a file");
}

/* The bytes of a reply's file, for callers inside. */
static int
read_file(struct call *c, struct reply *r)
{
	const struct model_member *mb = wire_streams_out(c->op);
	uint64_t at = 0;
	char *p;

	if ((r->fd < 0 && !r->seq) || !mb)
		return 0;
	if (r->length > FILE_MAX)
		return err_origin(EFBIG, "a file is too large to be read");
	p = arena_alloc(c->arena, r->length + 1);
	while (at < r->length) {
		ssize_t n = read_piece(r, at, p + at);

		if (n < 0)
			return err_trace((int)n);
		at += (uint64_t)n;
	}
	doc_setn(c->arena, r->out, model_str(c->op->model, mb->name),
	    doc_str(c->arena, span_make(p, r->length)));
	return 0;
}

int
op_call(struct api *api, struct arena *a, const struct principal *who,
    struct scope scope, const char *service, const char *op,
    const struct doc *in, struct op_result *ret)
{
	const struct model *m = model_find(span_of(service));
	const struct model_op *mo = m ? model_op_find(m, span_of(op)) : NULL;
	struct call c = {.magic = CALL_MAGIC, .arena = a, .api = api,
	    .store = api->config.store, .op = mo, .who = *who, .scope = scope,
	    .request_id = span_of(id_uuid(a)), .origin = api->origin,
	    .files = api->config.files, .in = in ? in : doc_obj(a)};
	struct reply *r;
	int err;

	AN(mo);
	c.service = api_service(api, span_of(service));
	r = call_run(&c);
	AN(r->kind != REPLY_LATER);
	err = r->file ? read_file(&c, r) : 0;
	reply_close(r);
	if (err < 0)
		return err_trace(err);
	*ret = (struct op_result){r->error.code, r->error.message, r->out};
	return 0;
}

bool
op_check(struct api *api, struct arena *a, const char *service, const char *op,
    const struct doc *in, struct op_result *ret)
{
	const struct model *m = model_find(span_of(service));
	const struct model_op *mo = m ? model_op_find(m, span_of(op)) : NULL;
	const struct service *s = api_service(api, span_of(service));
	const struct op_row *row = find_row(s, span_of(op));
	const struct call c = {.op = mo};
	const struct wire_target t = {m, mo, m ? m->protocol : PROTO_JSON};
	struct wire_error err = {0};

	AN(mo);
	*ret = (struct op_result){0};
	if (!row) {
		ret->message = arena_fmt_span(a, "%s:%s is not implemented",
		    service, op);
	} else {
		doc_each_key(k, v, in)
			if (row->takes && !takes(&c, row, k))
				ret->message = arena_fmt_span(a,
				    "%s:%s: %.*s is not implemented", service,
				    op, SPAN_ARG(k));
	}
	if (ret->message.n)
		ret->error = SPAN("NotImplemented");
	else if (wire_validate(a, &t, in, &err))
		*ret = (struct op_result){err.code, err.message, NULL};
	return ret->error.n == 0;
}

struct principal
principal_system(struct span account, const char *service)
{
	return (struct principal){.account = account, .system = true,
	    .arn = span_of(service), .id = span_of(service),
	    .service = span_of(service)};
}

/* Tokens: a text, led by a MAC of it and of the operation. */
#define TOKEN_MAC 32 /* hex digits */
#define TOKEN_MAX 4096

static void
token_mac(struct call *c, struct span text, unsigned char ret[SHA256_LEN])
{
	struct span all = arena_fmt_span(c->arena, "%s:%.*s:%.*s:%.*s:%.*s",
	    c->op->model->name, SPAN_ARG(model_op_name(c->op)),
	    SPAN_ARG(c->scope.account), SPAN_ARG(c->scope.region),
	    SPAN_ARG(text));

	hmac_sha256(c->api->token_key, all, ret);
}

struct span
page_token_text(struct call *c, struct span text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	unsigned char mac[SHA256_LEN];

	token_mac(c, text, mac);
	buf_add_hex(&b, mac, TOKEN_MAC / 2);
	buf_add_span(&b, text);
	buf_add_base64(&out, b.p, b.n);
	return arena_span(c->arena, buf_span(&out));
}

bool
page_token_read(struct call *c, struct span token, struct span *ret_text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span text;

	if (token.n > TOKEN_MAX || !buf_add_unbase64(&b, token) ||
	    b.n < TOKEN_MAC)
		return false;
	text = arena_span(c->arena, span_from(buf_span(&b), TOKEN_MAC));
	if (!secret_eq(page_token_text(c, text), token))
		return false;
	*ret_text = text;
	return true;
}

struct span
page_token(struct call *c, int64_t row)
{
	return page_token_text(c, arena_fmt_span(c->arena, "%lld",
	    (long long)row));
}

bool
page_token_row(struct call *c, struct span token, int64_t *ret_row)
{
	struct span text;

	return page_token_read(c, token, &text) && span_i64(text, ret_row);
}
