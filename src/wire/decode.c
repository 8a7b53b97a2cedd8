/* A request's bytes to the operation's input. */
#include "base/id.h"
#include "doc/cbor.h"
#include "wire/shape.h"

static const struct model_member *
payload(const struct model_op *op, uint16_t shape)
{
	const struct model_shape *s = model_shape(op->model, shape);

	if (!s || !s->payload)
		return NULL;
	return model_members(op->model, s) + s->payload - 1;
}

static const struct model_member *
streaming(const struct model_member *mb)
{
	return mb && mb->flags & (MEMBER_STREAMING | MEMBER_EVENT_STREAM) ?
	    mb : NULL;
}

const struct model_member *
wire_streams_in(const struct model_op *op)
{
	return streaming(payload(op, op->in));
}

const struct model_member *
wire_streams_out(const struct model_op *op)
{
	return streaming(payload(op, op->out));
}

static int
read_cbor(struct wire_walk *w, const struct model_shape *s, struct span body,
    struct doc *into)
{
	struct doc *d;

	if (body.n == 0 || !s)
		return 0;
	if (doc_parse_cbor(w->a, body, &d))
		return wire_refuse(w, NULL, "The body is not valid CBOR");
	return wire_tree_read_struct(w, s, d, into);
}

static int
read_json(struct wire_walk *w, const struct model_shape *s, struct span body,
    struct doc *into)
{
	struct doc *d;
	int r;

	if ((r = wire_json_parse(w, body, &d)) || !s)
		return r;
	return wire_tree_read_struct(w, s, d, into);
}

static bool
has_body_members(const struct wire_walk *w, const struct model_shape *s)
{
	const struct model_member *mb = model_members(w->m, s);

	for (size_t i = 0; i < s->n; i++)
		if (mb[i].location == LOC_BODY)
			return true;
	return false;
}

/* The whole body as one member. */
static int
read_payload(struct wire_walk *w, const struct model_member *mb,
    struct span body, struct doc **ret)
{
	enum model_type type = (enum model_type)wire_shape(w, mb)->type;
	struct xml_node *n;
	struct doc *d;
	int r;

	if (type == MODEL_BLOB || type == MODEL_STRING) {
		*ret = doc_str(w->a, body);
		return 0;
	}
	if (w->protocol == PROTO_REST_JSON) {
		if ((r = wire_json_parse(w, body, &d)))
			return r;
		return wire_tree_read(w, mb, d, ret);
	}
	if ((r = wire_xml_parse(w, body, &n)))
		return r;
	return wire_xml_read(w, mb, n, ret);
}

static int
read_rest_body(struct wire_walk *w, const struct model_op *op,
    struct span body, struct doc *into)
{
	const struct model_shape *s = model_shape(w->m, op->in);
	const struct model_member *mb = payload(op, op->in);
	struct xml_node *n;
	struct doc *v;
	int r;

	if (!s || body.n == 0 || streaming(mb))
		return 0;
	if (mb) {
		if ((r = read_payload(w, mb, body, &v)))
			return r;
		doc_append(w->a, into, model_str(w->m, mb->name), v);
		return 0;
	}
	if (!has_body_members(w, s))
		return 0;
	if (w->protocol == PROTO_REST_JSON)
		return read_json(w, s, body, into);
	if ((r = wire_xml_parse(w, body, &n)))
		return r;
	return wire_xml_read_struct(w, s, n, into);
}

static void
fill_tokens(struct wire_walk *w, const struct model_shape *s, struct doc *into)
{
	const struct model_member *mb = s ? model_members(w->m, s) : NULL;
	struct span name;

	for (size_t i = 0; s && i < s->n; i++, mb++) {
		if (!(mb->flags & MEMBER_TOKEN))
			continue;
		name = model_str(w->m, mb->name);
		if (!doc_getn(into, name))
			doc_append(w->a, into, name,
			    doc_str(w->a, span_of(id_uuid(w->a))));
	}
}

static int
read_by_protocol(struct wire_walk *w, const struct model_op *op,
    const struct wire_in *in, struct doc *into)
{
	const struct model_shape *s = model_shape(w->m, op->in);
	int r;

	switch (w->protocol) {
	case PROTO_JSON:
		return read_json(w, s, in->body, into);
	case PROTO_CBOR:
		return read_cbor(w, s, in->body, into);
	case PROTO_QUERY:
	case PROTO_EC2:
		return wire_query_read(w, s, in->query, in->body, into);
	case PROTO_REST_JSON:
	case PROTO_REST_XML:
		if ((r = wire_rest_read(w, op, in, into)))
			return r;
		return read_rest_body(w, op, in->body, into);
	}
	WRONG("protocol");
}

int
wire_decode(struct arena *a, const struct wire_target *t,
    const struct wire_in *in, struct doc **ret, struct wire_error *ret_err)
{
	struct wire_walk w = {a, t->model, t->protocol, false, ret_err};
	struct doc *into = doc_obj(a);
	int r;

	AN(t->op);
	*ret_err = (struct wire_error){0};
	if ((r = read_by_protocol(&w, t->op, in, into))) {
		ret_err->status = 400;
		return r;
	}
	fill_tokens(&w, model_shape(t->model, t->op->in), into);
	*ret = into;
	return 0;
}
