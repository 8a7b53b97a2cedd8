/* Properties of a template as the input of an operation, by its wire model. */
#include "base/clock.h"
#include "cfn/internal.h"
#include "cfn/type.h"
#include "wire/model.h"

struct conv {
	struct arena *a;
	const struct model *m;
	const char *map;
	struct span why;
};

static struct doc *convert(struct conv *c, const struct model_shape *s,
    struct span path, const struct doc *v);

bool
cfn_word(const char *list, struct span word)
{
	struct span rest = span_of(list);

	while (rest.p)
		if (span_eq(span_cut(&rest, ' '), word))
			return true;
	return false;
}

struct span
cfn_exception(const char *map, struct span path)
{
	struct span rest = span_of(map), pair, left;

	while (rest.p) {
		pair = span_cut(&rest, ' ');
		left = span_cut(&pair, '=');
		if (span_eq(left, path))
			return pair;
	}
	return SPAN_NULL;
}

const struct model_member *
cfn_member(const struct model *m, const struct model_shape *s, struct span key)
{
	const struct model_member *mb = model_members(m, s);

	for (size_t i = 0; i < s->n; i++)
		if (span_ieq(model_str(m, mb[i].name), key))
			return &mb[i];
	/* KMS spells its tags so. */
	if (span_is(key, "Key") || span_is(key, "Value"))
		for (size_t i = 0; i < s->n; i++)
			if (span_is(model_str(m, mb[i].name),
				span_is(key, "Key") ? "TagKey" : "TagValue"))
				return &mb[i];
	return NULL;
}

static const struct model_member *
member(const struct conv *c, const struct model_shape *s, struct span path,
    struct span key)
{
	struct span other = cfn_exception(c->map, path);

	return cfn_member(c->m, s, other.n ? other : key);
}

static struct doc *
bad(struct conv *c, struct span path)
{
	if (!c->why.n)
		c->why = path;
	return NULL;
}

static bool
fill(struct conv *c, const struct model_shape *s, struct span path,
    const struct doc *obj, struct doc *into)
{
	doc_each_key(k, v, obj) {
		struct span p = path.n ? arena_fmt_span(c->a, "%.*s.%.*s",
		    SPAN_ARG(path), SPAN_ARG(k)) : k;
		const struct model_member *mb = member(c, s, p, k);
		struct doc *d;

		if (!mb)
			return bad(c, p) != NULL;
		d = convert(c, model_shape(c->m, mb->shape), p, v);
		if (!d)
			return false;
		doc_setn(c->a, into, model_str(c->m, mb->name), d);
	}
	return true;
}

static struct doc *
to_structure(struct conv *c, const struct model_shape *s, struct span path,
    const struct doc *v)
{
	const struct model_member *mb = model_members(c->m, s);
	struct doc *out = doc_obj(c->a), *one;

	if (s->flags & SHAPE_DOCUMENT)
		return doc_copy(c->a, v);
	if (doc_type(v) == DOC_OBJ)
		return fill(c, s, path, v, out) ? out : NULL;
	/* EC2 wraps the values of attributes. */
	if (s->n == 1 && span_is(model_str(c->m, mb->name), "Value")) {
		one = convert(c, model_shape(c->m, mb->shape), path, v);
		return one ? doc_set(c->a, out, "Value", one) : NULL;
	}
	return bad(c, path);
}

static struct doc *
to_list(struct conv *c, const struct model_shape *s, struct span path,
    const struct doc *v)
{
	const struct model_shape *of =
	    model_shape(c->m, model_members(c->m, s)->shape);
	struct doc *out = doc_arr(c->a), *d, *pair;

	if (doc_type(v) != DOC_ARR && doc_type(v) != DOC_OBJ)
		return bad(c, path);
	doc_each_key(k, e, v) {
		pair = NULL;
		if (doc_type(v) == DOC_OBJ) {
			pair = doc_obj(c->a);
			doc_set_str(c->a, pair, "Key", k);
			doc_set(c->a, pair, "Value", doc_copy(c->a, e));
		}
		d = convert(c, of, path, pair ? pair : e);
		if (!d)
			return NULL;
		doc_push(out, d);
	}
	return out;
}

static struct doc *
to_map(struct conv *c, const struct model_shape *s, struct span path,
    const struct doc *v)
{
	const struct model_shape *of =
	    model_shape(c->m, model_members(c->m, s)[1].shape);
	struct doc *out = doc_obj(c->a), *d;
	bool pairs = doc_type(v) == DOC_ARR;

	if (!pairs && doc_type(v) != DOC_OBJ)
		return bad(c, path);
	doc_each_key(k, e, v) {
		d = convert(c, of, path, pairs ? doc_get(e, "Value") : e);
		if (!d)
			return bad(c, path);
		doc_setn(c->a, out, pairs ? doc_get_str(e, "Key") :
			arena_span(c->a, k), d);
	}
	return out;
}

static struct doc *
to_string(struct conv *c, struct span path, const struct doc *v)
{
	switch (doc_type(v)) {
	case DOC_STR:
		return doc_strdup(c->a, doc_span(v));
	case DOC_BOOL:
	case DOC_INT:
	case DOC_REAL:
	case DOC_ARR:
	case DOC_OBJ:
		return doc_str(c->a, doc_json(c->a, v));
	case DOC_NONE:
	case DOC_NULL:
		break;
	}
	return bad(c, path);
}

static struct doc *
to_number(struct conv *c, struct span path, const struct doc *v, bool whole)
{
	struct doc *parsed = NULL;
	double d;

	if (doc_type(v) == DOC_STR) {
		if (doc_parse_json(c->a, doc_span(v), &parsed))
			return bad(c, path);
		v = parsed;
	}
	if (doc_type(v) == DOC_INT)
		return whole ? doc_int(c->a, doc_i64(v, 0)) :
			       doc_real(c->a, doc_f64(v, 0));
	if (doc_type(v) != DOC_REAL)
		return bad(c, path);
	d = doc_f64(v, 0);
	if (!whole)
		return doc_real(c->a, d);
	if (d < -9e15 || d > 9e15 || (double)(int64_t)d != d)
		return bad(c, path);
	return doc_int(c->a, (int64_t)d);
}

static struct doc *
to_boolean(struct conv *c, struct span path, const struct doc *v)
{
	if (doc_type(v) == DOC_BOOL)
		return doc_bool(c->a, doc_true(v));
	if (span_ieq(doc_span(v), SPAN("true")))
		return doc_bool(c->a, true);
	if (span_ieq(doc_span(v), SPAN("false")))
		return doc_bool(c->a, false);
	return bad(c, path);
}

static struct doc *
to_time(struct conv *c, struct span path, const struct doc *v)
{
	int64_t ms;

	if (clock_parse_iso(doc_span(v), &ms))
		return doc_real(c->a, (double)ms / 1000);
	return to_number(c, path, v, false);
}

static struct doc *
convert(struct conv *c, const struct model_shape *s, struct span path,
    const struct doc *v)
{
	AN(s);
	switch ((enum model_type)s->type) {
	case MODEL_STRUCTURE:
		return to_structure(c, s, path, v);
	case MODEL_LIST:
		return to_list(c, s, path, v);
	case MODEL_MAP:
		return to_map(c, s, path, v);
	case MODEL_STRING:
	case MODEL_BLOB:
		return to_string(c, path, v);
	case MODEL_BOOLEAN:
		return to_boolean(c, path, v);
	case MODEL_INTEGER:
	case MODEL_LONG:
		return to_number(c, path, v, true);
	case MODEL_FLOAT:
	case MODEL_DOUBLE:
		return to_number(c, path, v, false);
	case MODEL_TIMESTAMP:
		return to_time(c, path, v);
	}
	WRONG("a type of the model");
}

bool
cfn_input(struct arena *a, const struct model_op *op, const struct doc *props,
    const char *map, struct doc *into, struct span *ret_why)
{
	const struct model_shape *s = model_shape(op->model, op->in);
	struct conv c = {.a = a, .m = op->model, .map = map};

	if (fill(&c, s, SPAN_NULL, props, into))
		return true;
	*ret_why = c.why;
	return false;
}
