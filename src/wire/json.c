/* awsJson and the bodies of restJson; the reader serves CBOR, too. */
#include <math.h>

#include "wire/shape.h"

/* The names that AWS's JSON reader gives to what it met. */
static const char *
met(const struct doc *d)
{
	switch (doc_type(d)) {
	case DOC_STR:
		return "STRING_VALUE";
	case DOC_INT:
	case DOC_REAL:
		return "NUMBER_VALUE";
	case DOC_BOOL:
		return doc_true(d) ? "TRUE_VALUE" : "FALSE_VALUE";
	case DOC_NONE:
	case DOC_NULL:
	case DOC_ARR:
	case DOC_OBJ:
		break;
	}
	return "VALUE_NULL";
}

static int
mismatch(struct wire_walk *w, const struct doc *d, const char *wanted)
{
	if (doc_type(d) == DOC_OBJ)
		return wire_refuse(w, NULL, "Start of structure or map found "
		    "where not expected.");
	if (doc_type(d) == DOC_ARR && strcmp(wanted, "String") == 0)
		return wire_refuse(w, NULL,
		    "Unrecognized collection type class java.lang.String");
	if (doc_type(d) == DOC_ARR)
		return wire_refuse(w, NULL,
		    "Start of list found where not expected");
	return wire_refuse(w, NULL, "%s cannot be converted to %s", met(d),
	    wanted);
}

int
wire_json_parse(struct wire_walk *w, struct span body, struct doc **ret)
{
	if (span_trim(body).n == 0) {
		*ret = doc_obj(w->a);
		return 0;
	}
	switch (doc_parse_json(w->a, body, ret)) {
	case 0:
		return 0;
	case DOC_E_DEPTH:
		return wire_refuse(w, NULL, "The document is nested too deeply");
	}
	return wire_refuse(w, NULL, "The request body is not valid JSON");
}

int
wire_tree_read_struct(struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct doc *into)
{
	const struct model_member *mb;
	struct doc *out;
	size_t hint = 0;
	int r;

	if (doc_type(d) != DOC_OBJ)
		return mismatch(w, d, "a structure");
	doc_each_key(k, v, d) {
		if (doc_type(v) == DOC_NULL)
			continue;
		mb = wire_find(w, s, k, &hint);
		if (!mb || !wire_in_body(w, mb))
			continue;
		if ((r = wire_tree_read(w, mb, v, &out)))
			return r;
		/* A repeated key: the last one counts. */
		if (doc_getn(into, model_str(w->m, mb->name)))
			doc_setn(w->a, into, model_str(w->m, mb->name), out);
		else
			doc_append(w->a, into, model_str(w->m, mb->name), out);
	}
	return 0;
}

static int
read_list(struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct doc **ret)
{
	struct doc *arr = doc_arr(w->a), *out;
	int r;

	if (doc_type(d) != DOC_ARR)
		return mismatch(w, d, "a list");
	doc_each(v, d) {
		if ((r = wire_tree_read(w, model_members(w->m, s), v, &out)))
			return r;
		doc_push(arr, out);
	}
	*ret = arr;
	return 0;
}

static int
read_map(struct wire_walk *w, const struct model_shape *s,
    const struct doc *d, struct doc **ret)
{
	struct doc *obj = doc_obj(w->a), *out;
	int r;

	if (doc_type(d) != DOC_OBJ)
		return mismatch(w, d, "a map");
	doc_each_key(k, v, d) {
		if ((r = wire_tree_read(w, model_members(w->m, s) + 1, v,
		    &out)))
			return r;
		doc_append(w->a, obj, k, out);
	}
	*ret = obj;
	return 0;
}

static int
read_number(struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct doc **ret)
{
	const struct model_shape *s = wire_shape(w, mb);
	bool real = s->type == MODEL_FLOAT || s->type == MODEL_DOUBLE;
	double v;
	int r;

	if (doc_type(d) == DOC_STR) {
		/* Only a number's own strings: NaN and the infinities. */
		if (!real || !wire_real_read(w->a, doc_span(d), &v) ||
		    isfinite(v))
			return mismatch(w, d, real ? "Double" : "Integer");
		*ret = doc_real(w->a, v);
		return 0;
	}
	if (doc_type(d) != DOC_INT && doc_type(d) != DOC_REAL)
		return mismatch(w, d, real ? "Double" : "Integer");
	if (real) {
		*ret = doc_real(w->a, doc_f64(d, 0));
		return 0;
	}
	if ((r = wire_int_check(w, s, doc_f64(d, 0))))
		return r;
	*ret = doc_int(w->a, doc_i64(d, 0));
	return 0;
}

static int
read_time(struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct doc **ret)
{
	if (doc_type(d) == DOC_STR)
		return wire_scalar_read(w, mb, doc_span(d), ret);
	if (doc_type(d) == DOC_INT && fabs(doc_f64(d, 0)) < 9e12) {
		*ret = doc_int(w->a, doc_i64(d, 0));
		return 0;
	}
	if (doc_type(d) == DOC_REAL && fabs(doc_f64(d, 0)) < 9e12) {
		*ret = doc_real(w->a, doc_f64(d, 0));
		return 0;
	}
	return mismatch(w, d, "Timestamp");
}

int
wire_tree_read(struct wire_walk *w, const struct model_member *mb,
    const struct doc *d, struct doc **ret)
{
	const struct model_shape *s = wire_shape(w, mb);

	if (doc_type(d) == DOC_NULL || s->flags & SHAPE_DOCUMENT) {
		*ret = doc_copy(w->a, d);
		return 0;
	}
	switch ((enum model_type)s->type) {
	case MODEL_STRUCTURE:
		*ret = doc_obj(w->a);
		return wire_tree_read_struct(w, s, d, *ret);
	case MODEL_LIST:
		return read_list(w, s, d, ret);
	case MODEL_MAP:
		return read_map(w, s, d, ret);
	case MODEL_STRING:
	case MODEL_BLOB:
		if (doc_type(d) != DOC_STR)
			return mismatch(w, d, "String");
		if (s->type == MODEL_BLOB && w->protocol != PROTO_CBOR)
			return wire_scalar_read(w, mb, doc_span(d), ret);
		*ret = doc_str(w->a, doc_span(d));
		return 0;
	case MODEL_BOOLEAN:
		if (doc_type(d) != DOC_BOOL)
			return mismatch(w, d, "Boolean");
		*ret = doc_bool(w->a, doc_true(d));
		return 0;
	case MODEL_INTEGER:
	case MODEL_LONG:
	case MODEL_FLOAT:
	case MODEL_DOUBLE:
		return read_number(w, mb, d, ret);
	case MODEL_TIMESTAMP:
		return read_time(w, mb, d, ret);
	}
	WRONG("a shape's type");
}

/* Writer */

static void
put_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_add(b, "\\\"", 2);
		return;
	case '\\':
		buf_add(b, "\\\\", 2);
		return;
	case '\n':
		buf_add(b, "\\n", 2);
		return;
	case '\r':
		buf_add(b, "\\r", 2);
		return;
	case '\t':
		buf_add(b, "\\t", 2);
		return;
	}
	buf_addf(b, "\\u%04x", c);
}

void
wire_json_put_str(struct buf *b, const struct wire_walk *w, struct span s)
{
	size_t from = 0;

	s = wire_clean_text(w->a, s, false);
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, s.p + from, i - from);
		put_escape(b, c);
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
	buf_add_char(b, '"');
}

static void
put_real(struct buf *b, double v)
{
	if (!isfinite(v))
		buf_add_char(b, '"');
	wire_put_real(b, v);
	if (!isfinite(v))
		buf_add_char(b, '"');
}

static void
put_text(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	if (s->type != MODEL_BLOB) {
		wire_json_put_str(b, w, doc_span(d));
		return;
	}
	buf_add_char(b, '"');
	buf_add_base64(b, doc_span(d).p, doc_span(d).n);
	buf_add_char(b, '"');
}

static void
put_time(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, const struct doc *d)
{
	enum model_time t = wire_time(w, mb);

	if (t != TIME_EPOCH)
		buf_add_char(b, '"');
	wire_put_time(b, w->a, d, t);
	if (t != TIME_EPOCH)
		buf_add_char(b, '"');
}

static void
put_list(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	bool first = true;

	if (s->type != MODEL_LIST) {
		buf_add(b, "null", 4);
		return;
	}
	buf_add_char(b, '[');
	doc_each(v, d) {
		if (!first)
			buf_add_char(b, ',');
		first = false;
		wire_json_put(b, w, model_members(w->m, s), v);
	}
	buf_add_char(b, ']');
}

static void
put_map(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	bool first = true;

	if (s->type != MODEL_MAP) {
		buf_add(b, "null", 4);
		return;
	}
	buf_add_char(b, '{');
	doc_each_key(k, v, d) {
		if (!first)
			buf_add_char(b, ',');
		first = false;
		wire_json_put_str(b, w, k);
		buf_add_char(b, ':');
		wire_json_put(b, w, model_members(w->m, s) + 1, v);
	}
	buf_add_char(b, '}');
}

void
wire_json_put_struct(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d, struct span head)
{
	const struct model_member *mb;
	bool first = head.n == 0;
	size_t hint = 0;

	buf_add_char(b, '{');
	buf_add_span(b, head);
	doc_each_key(k, v, d) {
		if (doc_type(v) == DOC_NULL)
			continue;
		mb = wire_find_own(w, s, k, &hint);
		if (!mb || !wire_in_body(w, mb))
			continue;
		if (!first)
			buf_add_char(b, ',');
		first = false;
		/* Member names need no escapes. */
		buf_add_char(b, '"');
		buf_add_span(b, wire_name(w, mb));
		buf_add(b, "\":", 2);
		wire_json_put(b, w, mb, v);
	}
	buf_add_char(b, '}');
}

void
wire_json_put(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, const struct doc *d)
{
	const struct model_shape *s = wire_shape(w, mb);

	if (s->flags & SHAPE_DOCUMENT) {
		doc_write_json(b, d);
		return;
	}
	switch (doc_type(d)) {
	case DOC_NONE:
	case DOC_NULL:
		buf_add(b, "null", 4);
		return;
	case DOC_BOOL:
		buf_add_str(b, doc_true(d) ? "true" : "false");
		return;
	case DOC_INT:
	case DOC_REAL:
		if (s->type == MODEL_TIMESTAMP)
			put_time(b, w, mb, d);
		else if (doc_type(d) == DOC_INT)
			wire_put_int(b, doc_i64(d, 0));
		else if (s->type == MODEL_INTEGER || s->type == MODEL_LONG)
			wire_put_int(b, doc_i64(d, 0));
		else
			put_real(b, doc_f64(d, 0));
		return;
	case DOC_STR:
		put_text(b, w, s, d);
		return;
	case DOC_ARR:
		put_list(b, w, s, d);
		return;
	case DOC_OBJ:
		if (s->type == MODEL_STRUCTURE)
			wire_json_put_struct(b, w, s, d, SPAN_NULL);
		else
			put_map(b, w, s, d);
		return;
	}
}
