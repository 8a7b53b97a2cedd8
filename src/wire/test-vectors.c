/*
 * The public protocol vectors.  Input: what a client sends is decoded and must
 * be what it was given.  Output: the result is encoded and must be what a
 * client must be able to read, but for order, spacing and root element names.
 *
 * tests/vectors-skipped.txt lists those that do not apply to a server.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "doc/cbor.h"
#include "doc/xml.h"
#include "wire/shape.h"
#include "vectors.inc"

#define SKIPPED "tests/vectors-skipped.txt"

/* Comparison */

static bool same(const struct doc *want, const struct doc *have);

/* NaN has no JSON: vectors write it as text. */
static bool
same_real(const struct doc *want, const struct doc *have)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (doc_type(want) == DOC_STR) {
		wire_put_real(&b, doc_f64(have, 0));
		return span_eq(doc_span(want), buf_span(&b));
	}
	if (doc_f64(want, 0) == doc_f64(have, 0))
		return true;
	return isnan(doc_f64(want, 0)) ? isnan(doc_f64(have, 0)) :
	    fabs(doc_f64(want, 0) - doc_f64(have, 0)) < 1e-6;
}

/* The wire cannot tell an absent list or map from an empty one. */
static bool
nothing(const struct doc *d)
{
	return doc_type(d) == DOC_NULL || ((doc_type(d) == DOC_ARR ||
	    doc_type(d) == DOC_OBJ) && doc_len(d) == 0);
}

/* A null and an absent member are the same. */
static bool
same_obj(const struct doc *want, const struct doc *have)
{
	doc_each_key(k, v, want)
		if (!same(v, doc_getn(have, k)) &&
		    !(nothing(v) && !doc_getn(have, k)))
			return false;
	doc_each_key(k, v, have)
		if (!nothing(v) && !doc_getn(want, k))
			return false;
	return true;
}

static bool
same(const struct doc *want, const struct doc *have)
{
	struct doc_iter it = doc_iter(have);

	if (doc_type(want) == DOC_OBJ)
		return doc_type(have) == DOC_OBJ && same_obj(want, have);
	if (doc_type(want) == DOC_ARR) {
		if (doc_type(have) != DOC_ARR || doc_len(want) != doc_len(have))
			return false;
		doc_each(v, want)
			if (!same(v, doc_next(&it)))
				return false;
		return true;
	}
	if (doc_type(have) == DOC_REAL || (doc_type(want) == DOC_REAL &&
	    doc_type(have) == DOC_INT))
		return same_real(want, have);
	return doc_eq(want, have);
}

static bool
same_xml(const struct xml_node *want, const struct xml_node *have);

static bool
ignored(struct span name)
{
	return span_ieq(name, SPAN("requestid")) ||
	    span_is(name, "ResponseMetadata") || span_is(name, "HostId");
}

/* Every child of want has its twin in have, those of one name in order. */
static bool
covers(const struct xml_node *want, const struct xml_node *have)
{
	const struct xml_node *h;
	size_t nth, i;

	for (const struct xml_node *c = want->first; c; c = c->next) {
		if (ignored(c->name))
			continue;
		nth = i = 0;
		for (const struct xml_node *p = want->first; p != c; p = p->next)
			nth += span_eq(p->name, c->name);
		for (h = have->first; h; h = h->next)
			if (span_eq(h->name, c->name) && i++ == nth)
				break;
		if (!h || !same_xml(c, h))
			return false;
	}
	return true;
}

static bool
same_xml(const struct xml_node *want, const struct xml_node *have)
{
	if (want->first || have->first)
		return covers(want, have) && covers(have, want);
	return span_eq(span_trim(want->text), span_trim(have->text));
}

/* Cases */

struct one {
	struct arena *a;
	const struct vector *v;
	const struct model *m;
	struct doc *d;
	struct wire_target t;
};

static bool
is_cbor(const struct one *o)
{
	return o->t.protocol == PROTO_CBOR;
}

static struct span
body_of(const struct one *o, const struct doc *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s = doc_get_str(d, "body");

	if (!is_cbor(o))
		return s.p ? s : SPAN("");
	assert_true(buf_add_unbase64(&b, s));
	return arena_span(o->a, buf_span(&b));
}

static void
headers_of(const struct one *o, const struct doc *d, struct wire_in *in)
{
	struct wire_header *h = arena_array(o->a, struct wire_header,
	    doc_len(d) + 1);

	in->headers = h;
	doc_each_key(k, v, d)
		h[in->n_headers++] = (struct wire_header){k, doc_span(v)};
}

/* Filled in by us, where the case does not give it. */
static void
drop_tokens(const struct one *o, struct doc *have)
{
	const struct model_shape *s = model_shape(o->m, o->t.op->in);
	const struct model_member *mb = s ? model_members(o->m, s) : NULL;

	for (size_t i = 0; s && i < s->n; i++) {
		struct span name = model_str(o->m, mb[i].name);

		if (mb[i].flags & MEMBER_TOKEN &&
		    !doc_getn(doc_get(o->d, "params"), name))
			doc_setn(o->a, have, name, NULL);
	}
}

static void
show(const struct one *o, struct span want, struct span have)
{
	print_error("%s %.*s\n want %.*s\n have %.*s\n", o->v->file,
	    SPAN_ARG(doc_get_str(o->d, "id")), SPAN_ARG(want),
	    SPAN_ARG(have));
}

static void
run_input(struct one *o)
{
	const struct doc *ser = doc_get(o->d, "serialized");
	const struct doc *params = doc_get(o->d, "params");
	struct span uri = doc_get_str(ser, "uri");
	struct wire_in in = {.method = doc_get_str(ser, "method")};
	struct wire_error e = {0};
	struct doc *have = NULL;
	const struct model_member *stream;
	int r;

	if (!in.method.n)
		in.method = SPAN("POST");
	in.path = span_cut(&uri, '?');
	in.query = uri;
	in.body = body_of(o, ser);
	headers_of(o, doc_get(ser, "headers"), &in);
	if (o->t.protocol == PROTO_REST_JSON ||
	    o->t.protocol == PROTO_REST_XML)
		assert_ptr_equal(wire_route(o->a, o->m, &in), o->t.op);
	r = wire_decode(o->a, &o->t, &in, &have, &e);
	if (r)
		show(o, doc_json(o->a, params), e.message);
	assert_int_equal(r, 0);
	drop_tokens(o, have);
	stream = wire_streams_in(o->t.op);
	if (stream && in.body.n)
		doc_setn(o->a, have, model_str(o->m, stream->name),
		    doc_str(o->a, in.body));
	if (!same(params, have))
		show(o, doc_json(o->a, params), doc_json(o->a, have));
	assert_true(same(params, have));
}

static bool
same_body(const struct one *o, struct span want, struct span have)
{
	struct xml_node *x, *y;
	struct doc *p, *q;

	if (span_trim(want).n == 0)
		return have.n == 0 || span_is(have, "{}") || is_cbor(o) ||
		    o->t.protocol == PROTO_QUERY;
	if (is_cbor(o)) {
		assert_int_equal(doc_parse_cbor(o->a, want, &p), 0);
		assert_int_equal(doc_parse_cbor(o->a, have, &q), 0);
		return same(p, q);
	}
	if (o->t.protocol == PROTO_JSON || o->t.protocol == PROTO_REST_JSON) {
		if (doc_parse_json(o->a, want, &p))
			return span_eq(want, have);
		return doc_parse_json(o->a, have, &q) == 0 && same(p, q);
	}
	if (xml_parse(o->a, want, &x))
		return span_eq(want, have);
	return xml_parse(o->a, have, &y) == 0 && same_xml(x, y);
}

static struct span
out_header(const struct wire_out *out, struct span name)
{
	for (size_t i = 0; i < out->n_headers; i++)
		if (span_ieq(out->headers[i].name, name))
			return out->headers[i].value;
	return SPAN_NULL;
}

static void
run_result(struct one *o, const struct doc *rsp)
{
	struct span want = body_of(o, rsp), have;
	const struct model_member *stream = wire_streams_out(o->t.op);
	struct wire_out out;

	wire_encode(o->a, &o->t, doc_get(o->d, "result"), SPAN("requestid"),
	    &out);
	assert_int_equal(out.status, doc_get_int(rsp, "status_code", 200));
	have = out.body;
	if (stream) {
		assert_true(out.stream);
		have = doc_span(doc_getn(doc_get(o->d, "result"),
		    model_str(o->m, stream->name)));
	}
	if (!same_body(o, want, have))
		show(o, want, have);
	assert_true(same_body(o, want, have));
	doc_each_key(k, v, doc_get(rsp, "headers")) {
		if (span_ieq(k, SPAN("content-type")) ||
		    span_ieq(k, SPAN("content-length")) ||
		    span_ieq(k, SPAN("x-amz-target")) ||
		    span_ieq(k, SPAN("x-amzn-requestid")))
			continue;
		have = out_header(&out, k);
		if (!span_eq(doc_span(v), have))
			show(o, doc_span(v), have);
		assert_true(span_eq(doc_span(v), have));
	}
}

/* The code as a client finds it. */
static struct span
code_in(const struct one *o, const struct wire_out *out)
{
	struct span s = out_header(out, SPAN("x-amzn-query-error"));
	struct xml_node *x, *e;
	struct doc *d = NULL;

	if (s.n)
		return span_cut(&s, ';');
	switch (o->t.protocol) {
	case PROTO_REST_JSON:
		return out_header(out, SPAN("x-amzn-errortype"));
	case PROTO_JSON:
		assert_int_equal(doc_parse_json(o->a, out->body, &d), 0);
		return doc_get_str(d, "__type");
	case PROTO_CBOR:
		assert_int_equal(doc_parse_cbor(o->a, out->body, &d), 0);
		return doc_get_str(d, "__type");
	case PROTO_QUERY:
	case PROTO_REST_XML:
	case PROTO_EC2:
		break;
	}
	assert_int_equal(xml_parse(o->a, out->body, &x), 0);
	e = xml_child(x, SPAN("Errors"));
	e = xml_child(e ? e : x, SPAN("Error"));
	return xml_child(e, SPAN("Code"))->text;
}

static void
run_error(struct one *o, const struct doc *rsp)
{
	struct wire_error e = {
		.status = (int)doc_get_int(rsp, "status_code", 0),
		.code = doc_get_str(o->d, "errorCode"),
		.message = doc_get_str(o->d, "errorMessage"),
		.members = doc_get(o->d, "error"),
	};
	const struct model_error *known = model_error_find(o->m, e.code);
	struct span want = body_of(o, rsp);
	struct wire_out out;
	struct doc *p, *q;

	assert_non_null(known);
	wire_encode_error(o->a, &o->t, &e, SPAN("requestid"), &out);
	assert_int_equal(out.status, e.status);
	assert_true(span_eq(code_in(o, &out), e.code) ||
	    span_eq(code_in(o, &out), model_str(o->m,
	    o->m->shapes[known->shape].name)));
	if (o->t.protocol == PROTO_JSON || o->t.protocol == PROTO_REST_JSON ||
	    is_cbor(o)) {
		if (is_cbor(o)) {
			assert_int_equal(doc_parse_cbor(o->a, want, &p), 0);
			assert_int_equal(doc_parse_cbor(o->a, out.body, &q), 0);
		} else {
			if (span_trim(want).n == 0)
				return;
			assert_int_equal(doc_parse_json(o->a, want, &p), 0);
			assert_int_equal(doc_parse_json(o->a, out.body, &q), 0);
		}
		doc_del(p, "__type");
		doc_del(q, "__type");
		doc_del(p, "code");
		if (!doc_get(p, "message") && !doc_get(p, "Message")) {
			doc_del(q, "message");
			doc_del(q, "Message");
		}
		if (!same(p, q))
			show(o, doc_json(o->a, p), doc_json(o->a, q));
		assert_true(same(p, q));
	}
}

static bool
is_skipped(const struct one *o)
{
	char *line = NULL;
	size_t cap = 0;
	bool found = false;
	struct span rest, file, id;
	FILE *f = fopen(SKIPPED, "re");

	assert_non_null(f);
	while (!found && getline(&line, &cap, f) > 0) {
		rest = span_of(line);
		file = span_cut(&rest, '\t');
		id = span_cut(&rest, '\t');
		found = span_is(file, o->v->file) &&
		    span_eq(id, doc_get_str(o->d, "id"));
	}
	fclose(f);
	free(line);
	return found;
}

static void
run_one(void **state)
{
	const struct vector *v = *state;
	_cleanup_arena_ struct arena *a = arena_new();
	struct one o = {.a = a, .v = v, .m = vector_models[v->model]};
	const struct doc *rsp;

	assert_int_equal(doc_parse_json(a, span_of(v->json), &o.d), 0);
	o.t = (struct wire_target){o.m, &o.m->ops[0], o.m->protocol};
	if (is_skipped(&o)) {
		arena_free_p(&a);
		skip(); /* does not return */
	}
	rsp = doc_get(o.d, "response");
	if (!rsp)
		run_input(&o);
	else if (doc_get(o.d, "errorCode"))
		run_error(&o, rsp);
	else
		run_result(&o, rsp);
}

int
main(void)
{
	size_t n = ARRAY_SIZE(vectors) - 1;
	struct CMUnitTest *tests = xcalloc(n + 1, sizeof(*tests));
	int r;

	if (n == 0) {
		printf("SKIPPED: no protocol vectors in $NEARGATE_VECTORS\n");
		free(tests);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct doc *d;

		AZ(doc_parse_json(a, span_of(vectors[i].json), &d));
		tests[i].name = xasprintf("%s/%.*s", vectors[i].file,
		    SPAN_ARG(doc_get_str(d, "id")));
		tests[i].test_func = run_one;
		tests[i].initial_state = (void *)(uintptr_t)&vectors[i];
		arena_free(a);
	}
	r = _cmocka_run_group_tests("wire/vectors", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)tests[i].name);
	free(tests);
	return r;
}
