/* Replies and refusals to bytes. */
#include "wire/shape.h"

#define XML_DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* Statuses of codes that no model knows: those of the front door, which every
 * service shares, and S3's, whose definition leaves them out.
 * AWS: "Common Errors" of each API reference; S3 "List of error codes". */
static const struct {
	const char *code;
	int status;
} statuses[] = {
	{"AccessDenied", 403}, {"AuthFailure", 401}, {"BucketAlreadyExists", 409},
	{"BucketAlreadyOwnedByYou", 409}, {"BucketNotEmpty", 409},
	{"ExpiredToken", 403}, {"IncompleteSignature", 400},
	{"InternalError", 500}, {"InternalFailure", 500},
	{"InternalServerError", 500}, {"InvalidAccessKeyId", 403},
	{"InvalidClientTokenId", 403}, {"InvalidObjectState", 403},
	{"InvalidRange", 416}, {"MethodNotAllowed", 405},
	{"MissingContentLength", 411}, {"NoSuchBucket", 404},
	{"NoSuchBucketPolicy", 404}, {"NoSuchCORSConfiguration", 404},
	{"NoSuchKey", 404}, {"NoSuchLifecycleConfiguration", 404},
	{"NoSuchTagSet", 404}, {"NoSuchUpload", 404}, {"NoSuchVersion", 404},
	{"NoSuchWebsiteConfiguration", 404}, {"NotFound", 404},
	{"NotImplemented", 501}, {"NotModified", 304}, {"OptInRequired", 403},
	{"PreconditionFailed", 412}, {"RequestExpired", 400},
	{"RequestTimeTooSkewed", 403},
	{"ServerSideEncryptionConfigurationNotFoundError", 404},
	{"ServiceUnavailable", 503}, {"SignatureDoesNotMatch", 403},
	{"SlowDown", 503}, {"UnauthorizedOperation", 403},
};

int
wire_error_status(const struct model *m, struct span code)
{
	const struct model_error *e = m ? model_error_find(m, code) : NULL;

	/* S3's error shapes carry no status. */
	if (e && (e->status != 400 || !m->no_error_wrapping))
		return e->status;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (span_is(code, statuses[i].code))
			return statuses[i].status;
	return 400;
}

static void
finish(const struct wire_walk *w, struct wire_out *o, const struct buf *b)
{
	o->body = arena_span(w->a, buf_span(b));
}

static void
put_content_type(const struct wire_walk *w, struct wire_out *o)
{
	struct span v = SPAN("application/json");

	switch (w->protocol) {
	case PROTO_JSON:
		v = w->m && w->m->json_version[0] ? arena_fmt_span(w->a,
		    "application/x-amz-json-%s", w->m->json_version) :
		    SPAN("application/x-amz-json-1.1");
		break;
	case PROTO_QUERY:
		v = SPAN("text/xml");
		break;
	case PROTO_EC2:
		v = SPAN("text/xml;charset=UTF-8");
		break;
	case PROTO_REST_JSON:
		break;
	case PROTO_REST_XML:
		v = SPAN("application/xml");
		break;
	case PROTO_CBOR:
		v = SPAN("application/cbor");
		wire_header_add(w->a, o, "smithy-protocol",
		    SPAN("rpc-v2-cbor"));
		break;
	}
	wire_header_add(w->a, o, "Content-Type", v);
}

static void
put_request_id(const struct wire_walk *w, struct wire_out *o, struct span id)
{
	bool s3 = w->m && w->m->no_error_wrapping;

	wire_header_add(w->a, o, s3 ? "x-amz-request-id" : "x-amzn-RequestId",
	    id);
}

static struct span
root_xmlns(const struct wire_walk *w)
{
	return span_of(w->m ? w->m->xmlns : "");
}

static void
open_root(struct buf *b, struct span name, struct span xmlns)
{
	buf_add_char(b, '<');
	buf_add_span(b, name);
	if (xmlns.n) {
		buf_add_str(b, " xmlns=\"");
		buf_add_span(b, xmlns);
		buf_add_char(b, '"');
	}
	buf_add_char(b, '>');
}

static void
close_root(struct buf *b, struct span name)
{
	buf_add(b, "</", 2);
	buf_add_span(b, name);
	buf_add_char(b, '>');
}

static void
put_id_element(struct buf *b, const struct wire_walk *w, const char *name,
    struct span id)
{
	open_root(b, span_of(name), SPAN_NULL);
	wire_xml_put_text(b, w, id);
	close_root(b, span_of(name));
}

static void
put_query(struct buf *b, const struct wire_walk *w, const struct model_op *op,
    const struct doc *out, struct span id)
{
	const struct model_shape *s = model_shape(w->m, op->out);
	struct span root = arena_fmt_span(w->a, "%.*sResponse",
	    SPAN_ARG(model_op_name(op)));
	struct span wrapper = model_str(w->m, op->wrapper);

	if (w->protocol == PROTO_QUERY && !wrapper.n)
		wrapper = arena_fmt_span(w->a, "%.*sResult",
		    SPAN_ARG(model_op_name(op)));
	buf_add_str(b, XML_DECL);
	open_root(b, root, root_xmlns(w));
	if (w->protocol == PROTO_EC2)
		put_id_element(b, w, "requestId", id);
	if (s) {
		if (wrapper.n)
			open_root(b, wrapper, SPAN_NULL);
		wire_xml_put_members(b, w, s, out);
		if (wrapper.n)
			close_root(b, wrapper);
	}
	if (w->protocol == PROTO_QUERY) {
		buf_add_str(b, "<ResponseMetadata>");
		put_id_element(b, w, "RequestId", id);
		buf_add_str(b, "</ResponseMetadata>");
	}
	close_root(b, root);
}

/* The root of a restXml reply without a payload member. */
static void
put_rest_xml(struct buf *b, const struct wire_walk *w,
    const struct model_op *op, const struct model_shape *s,
    const struct doc *out)
{
	struct span root = model_str(w->m, op->out_name);
	struct span ns = model_str(w->m, s->xmlns);

	if (!root.n)
		root = model_str(w->m, s->wire);
	if (!root.n)
		root = arena_fmt_span(w->a, "%.*sResponse",
		    SPAN_ARG(model_op_name(op)));
	buf_add_str(b, XML_DECL);
	open_root(b, root, ns.n ? ns : root_xmlns(w));
	if (op->flags & OP_UNWRAPPED) {
		doc_each(v, out)
			if (doc_type(v) == DOC_STR)
				wire_xml_put_text(b, w, doc_span(v));
	} else {
		wire_xml_put_members(b, w, s, out);
	}
	close_root(b, root);
}

static bool
has_body(const struct wire_walk *w, const struct model_shape *s)
{
	const struct model_member *mb = model_members(w->m, s);

	for (size_t i = 0; i < s->n; i++)
		if (wire_in_body(w, &mb[i]))
			return true;
	return false;
}

static void
put_payload(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, const struct doc *v, struct wire_out *o)
{
	const struct model_shape *s = wire_shape(w, mb);
	struct span name;

	if (s->type == MODEL_BLOB || s->type == MODEL_STRING) {
		buf_add_span(b, doc_span(v));
		wire_header_add(w->a, o, "Content-Type", s->type == MODEL_BLOB ?
		    SPAN("application/octet-stream") : SPAN("text/plain"));
		return;
	}
	put_content_type(w, o);
	if (w->protocol == PROTO_REST_JSON) {
		if (v)
			wire_json_put(b, w, mb, v);
		else
			buf_add_str(b, "{}");
		return;
	}
	if (!v)
		return;
	name = model_str(w->m, s->wire);
	if (!name.n)
		name = model_str(w->m, mb->wire);
	if (!name.n)
		name = model_str(w->m, s->name);
	buf_add_str(b, XML_DECL);
	wire_xml_put(b, w, mb, name, v);
}

static bool
has_header(const struct wire_out *o, const char *name)
{
	for (size_t i = 0; i < o->n_headers; i++)
		if (span_ieq(o->headers[i].name, span_of(name)))
			return true;
	return false;
}

/* A Content-Type that is bound to a member wins over the body's own. */
static void
drop_second_type(struct wire_out *o, size_t from)
{
	size_t to = from;

	for (size_t i = from; i < o->n_headers; i++)
		if (!span_ieq(o->headers[i].name, SPAN("content-type")))
			o->headers[to++] = o->headers[i];
	o->n_headers = to;
}

static void
put_rest(struct buf *b, const struct wire_walk *w, const struct model_op *op,
    const struct doc *out, struct wire_out *o)
{
	const struct model_shape *s = model_shape(w->m, op->out);
	const struct model_member *mb;
	size_t bound;
	bool typed;

	if (!s) {
		if (w->protocol == PROTO_REST_JSON && op->status != 204)
			put_content_type(w, o);
		return;
	}
	wire_rest_put(w, s, out, o);
	bound = o->n_headers;
	typed = has_header(o, "content-type");
	if (s->payload) {
		mb = model_members(w->m, s) + s->payload - 1;
		if (wire_streams_out(op))
			o->stream = true;
		else
			put_payload(b, w, mb, doc_getn(out, model_str(w->m,
			    mb->name)), o);
	} else if (w->protocol == PROTO_REST_JSON) {
		if (o->status == 204 || o->status == 304)
			return;
		put_content_type(w, o);
		wire_json_put_struct(b, w, s, out, SPAN_NULL);
	} else if (has_body(w, s)) {
		put_content_type(w, o);
		put_rest_xml(b, w, op, s, out);
	}
	if (typed)
		drop_second_type(o, bound);
}

void
wire_encode(struct arena *a, const struct wire_target *t,
    const struct doc *out, struct span request_id, struct wire_out *ret)
{
	struct wire_walk w = {a, t->model, t->protocol, true, NULL};
	const struct model_shape *s = model_shape(t->model, t->op->out);
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	*ret = (struct wire_out){.status = t->op->status};
	put_request_id(&w, ret, request_id);
	switch (t->protocol) {
	case PROTO_JSON:
		put_content_type(&w, ret);
		if (s)
			wire_json_put_struct(&b, &w, s, out, SPAN_NULL);
		else
			buf_add_str(&b, "{}");
		break;
	case PROTO_CBOR:
		put_content_type(&w, ret);
		wire_cbor_put_struct(&b, &w, s, out, SPAN_NULL);
		break;
	case PROTO_QUERY:
	case PROTO_EC2:
		put_content_type(&w, ret);
		put_query(&b, &w, t->op, out, request_id);
		break;
	case PROTO_REST_JSON:
	case PROTO_REST_XML:
		put_rest(&b, &w, t->op, out, ret);
		break;
	}
	finish(&w, ret, &b);
}

/* Errors */

struct refusal {
	const struct model_error *known; /* NULL: no shape of the model */
	const struct model_shape *shape;
	struct span shape_name; /* what awsJson calls it */
	struct span code;	/* what the query protocols call it */
	struct span message;
	struct span message_name;
	const struct doc *members;
	bool sender;
};

static struct span
message_name(const struct model *m, const struct model_shape *s)
{
	const struct model_member *mb = s ? model_members(m, s) : NULL;

	for (size_t i = 0; s && i < s->n; i++)
		if (span_ieq(model_str(m, mb[i].name), SPAN("message")))
			return model_str(m, mb[i].name);
	return SPAN("message");
}

static struct refusal
refusal_of(const struct model *m, const struct wire_error *e, int status)
{
	struct refusal r = {
		.known = m ? model_error_find(m, e->code) : NULL,
		.shape_name = e->code,
		.code = e->code,
		.message = e->message,
		.members = e->members,
		.sender = status < 500,
	};

	if (r.known) {
		r.shape = &m->shapes[r.known->shape];
		r.shape_name = model_str(m, r.shape->name);
		r.code = model_str(m, r.known->code);
	}
	r.message_name = message_name(m, r.shape);
	return r;
}

/* The members of the error without its message, which is written apart. */
static struct doc *
members_of(const struct wire_walk *w, const struct refusal *r)
{
	struct doc *d = doc_obj(w->a);

	doc_each_key(k, v, r->members)
		if (!span_ieq(k, SPAN("message")))
			doc_append(w->a, d, k, doc_copy(w->a, v));
	return d;
}

static void
error_json(struct buf *b, const struct wire_walk *w, const struct refusal *r)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT;

	if (w->protocol == PROTO_JSON) {
		buf_add_str(&head, "\"__type\":");
		wire_json_put_str(&head, w, r->shape_name);
		buf_add_char(&head, ',');
	}
	buf_addf(&head, "\"%.*s\":", SPAN_ARG(r->message_name));
	wire_json_put_str(&head, w, r->message);
	if (r->shape) {
		wire_json_put_struct(b, w, r->shape, members_of(w, r),
		    buf_span(&head));
		return;
	}
	buf_add_char(b, '{');
	buf_add_span(b, buf_span(&head));
	buf_add_char(b, '}');
}

static void
error_cbor(struct buf *b, const struct wire_walk *w, const struct refusal *r)
{
	struct doc *d = members_of(w, r);

	doc_setn(w->a, d, r->message_name, doc_str(w->a, r->message));
	if (r->shape && doc_getn(d, r->message_name)) {
		wire_cbor_put_struct(b, w, r->shape, d, r->shape_name);
		return;
	}
	wire_cbor_put_struct(b, w, NULL, d, r->shape_name);
}

/* S3 tells in <Error> what the error is about: <BucketName>, <Key>. */
static void
put_members_plain(struct buf *b, const struct wire_walk *w,
    const struct doc *d)
{
	doc_each_key(k, v, d) {
		if (doc_type(v) != DOC_STR)
			continue;
		open_root(b, k, SPAN_NULL);
		wire_xml_put_text(b, w, doc_span(v));
		close_root(b, k);
	}
}

static void
error_xml_inner(struct buf *b, const struct wire_walk *w,
    const struct refusal *r, bool type)
{
	if (type)
		buf_add_str(b, r->sender ? "<Type>Sender</Type>" :
		    "<Type>Receiver</Type>");
	put_id_element(b, w, "Code", r->code);
	put_id_element(b, w, "Message", r->message);
	if (w->m && w->m->no_error_wrapping)
		put_members_plain(b, w, r->members);
	else if (r->shape)
		wire_xml_put_members(b, w, r->shape, members_of(w, r));
}

static void
error_xml(struct buf *b, const struct wire_walk *w, const struct refusal *r,
    struct span id)
{
	buf_add_str(b, XML_DECL);
	if (w->protocol == PROTO_EC2) {
		buf_add_str(b, "<Response><Errors><Error>");
		error_xml_inner(b, w, r, false);
		buf_add_str(b, "</Error></Errors>");
		put_id_element(b, w, "RequestID", id);
		buf_add_str(b, "</Response>");
	} else if (w->m && w->m->no_error_wrapping) {
		buf_add_str(b, "<Error>");
		error_xml_inner(b, w, r, false);
		put_id_element(b, w, "RequestId", id);
		put_id_element(b, w, "HostId", id);
		buf_add_str(b, "</Error>");
	} else {
		open_root(b, SPAN("ErrorResponse"), root_xmlns(w));
		buf_add_str(b, "<Error>");
		error_xml_inner(b, w, r, true);
		buf_add_str(b, "</Error>");
		put_id_element(b, w, "RequestId", id);
		buf_add_str(b, "</ErrorResponse>");
	}
}

/* "AWS: x-amzn-query-error: CODE;Sender" */
static void
put_query_error(const struct wire_walk *w, const struct refusal *r,
    struct wire_out *o)
{
	if (!w->m || !w->m->query_compatible)
		return;
	wire_header_add(w->a, o, "x-amzn-query-error", arena_fmt_span(w->a,
	    "%.*s;%s", SPAN_ARG(r->code), r->sender ? "Sender" : "Receiver"));
}

void
wire_encode_error(struct arena *a, const struct wire_target *t,
    const struct wire_error *e, struct span request_id, struct wire_out *ret)
{
	struct wire_walk w = {a, t->model, t->protocol, true, NULL};
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct refusal r;

	*ret = (struct wire_out){
		.status = e->status ? e->status :
		    wire_error_status(t->model, e->code),
	};
	r = refusal_of(t->model, e, ret->status);
	put_request_id(&w, ret, request_id);
	put_content_type(&w, ret);
	if (r.shape)
		wire_rest_put(&w, r.shape, r.members, ret);
	switch (t->protocol) {
	case PROTO_JSON:
		put_query_error(&w, &r, ret);
		error_json(&b, &w, &r);
		break;
	case PROTO_REST_JSON:
		wire_header_add(a, ret, "x-amzn-ErrorType", r.shape_name);
		error_json(&b, &w, &r);
		break;
	case PROTO_CBOR:
		put_query_error(&w, &r, ret);
		error_cbor(&b, &w, &r);
		break;
	case PROTO_QUERY:
	case PROTO_EC2:
	case PROTO_REST_XML:
		error_xml(&b, &w, &r, request_id);
		break;
	}
	finish(&w, ret, &b);
}
