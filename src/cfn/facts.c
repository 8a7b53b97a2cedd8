/* Looks facts up and holds properties against them. */
#include "cfn/facts.h"
#include "cfn/internal.h"

const struct cfn_facts *
cfn_facts_find(struct span type)
{
	size_t lo = 0, hi = cfn_facts_n, mid;
	int c;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		c = span_cmp(type, span_of(cfn_facts[mid].type));
		if (c == 0)
			return &cfn_facts[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (span_starts(type, SPAN("Custom::")))
		return cfn_facts_find(SPAN("AWS::CloudFormation::CustomResource"));
	return NULL;
}

static const struct cfn_prop *
member(const struct cfn_shape *s, struct span name)
{
	const struct cfn_prop *p = &cfn_fact_props[s->first];

	if (s->map)
		return p;
	for (size_t i = 0; i < s->n; i++)
		if (span_is(name, p[i].name))
			return &p[i];
	return NULL;
}

const struct cfn_prop *
cfn_facts_prop(const struct cfn_facts *f, struct span name)
{
	return member(&cfn_fact_shapes[f->shape], name);
}

struct doc *
cfn_facts_identifiers(struct arena *a, const struct cfn_facts *f)
{
	const struct cfn_shape *s = &cfn_fact_shapes[f->shape];
	struct doc *names = doc_arr(a);

	for (size_t i = 0; i < s->n; i++)
		if (cfn_fact_props[s->first + i].flags & CFN_IDENTIFIER)
			doc_push_str(a, names,
			    span_of(cfn_fact_props[s->first + i].name));
	return names;
}

bool
cfn_facts_attr(const struct cfn_facts *f, struct span attr)
{
	const struct cfn_prop *p = cfn_facts_prop(f, attr);

	for (size_t i = 0; i < f->n_attrs; i++)
		if (span_is(attr, cfn_fact_attrs[f->first_attr + i]))
			return true;
	if (f->any || (span_is(span_of(f->type), "AWS::CloudFormation::Stack") &&
	    span_starts(attr, SPAN("Outputs."))))
		return true;
	return p && !(p->flags & CFN_WRITE_ONLY);
}

struct check {
	struct arena *a;
	struct cfn_error *err;
};

static const char *
type_name(enum doc_type t)
{
	switch (t) {
	case DOC_STR:
		return "String";
	case DOC_INT:
		return "Integer";
	case DOC_REAL:
		return "Double";
	case DOC_BOOL:
		return "Boolean";
	case DOC_ARR:
		return "JSONArray";
	case DOC_OBJ:
		return "JSONObject";
	case DOC_NONE:
	case DOC_NULL:
		break;
	}
	return "Null";
}

static int
wrong(struct check *c, const char *path, const char *want,
    const struct doc *v)
{
	return cfn_invalid(c->a, c->err, "Model validation failed (#%s: "
	    "expected type: %s, found: %s)", path, want,
	    type_name(doc_type(v)));
}

static int check_shape(struct check *c, const struct cfn_shape *s,
    const struct doc *v, const char *path, bool any, struct doc **ret);

static int
check_enum(struct check *c, const struct cfn_prop *p, struct span s,
    const char *path)
{
	for (size_t i = 0; i < p->n_enum; i++)
		if (span_is(s, cfn_fact_enums[p->first_enum + i]))
			return 0;
	if (!p->n_enum)
		return 0;
	return cfn_invalid(c->a, c->err, "Model validation failed (#%s: "
	    "#: %.*s is not a valid enum value)", path, SPAN_ARG(s));
}

static int
check_number(struct check *c, enum cfn_type t, const struct doc *v,
    const char *path, struct doc **ret)
{
	struct span s = cfn_scalar_text(c->a, v);
	char *end, *text = arena_str(c->a, s);
	double f = strtod(text, &end);
	int64_t i;

	if (doc_type(v) == DOC_BOOL || !s.n || *end ||
	    strspn(text, "+-.eE0123456789") != s.n)
		return wrong(c, path, t == CFN_INTEGER ? "Integer" : "Number",
		    v);
	if (span_i64(s, &i))
		*ret = doc_int(c->a, i);
	else if (t == CFN_INTEGER && (f != (double)(int64_t)CLAMP(f, -9e15, 9e15)))
		return wrong(c, path, "Integer", v);
	else if (t == CFN_INTEGER)
		*ret = doc_int(c->a, (int64_t)f);
	else
		*ret = doc_real(c->a, f);
	return 0;
}

static int
check_bool(struct check *c, const struct doc *v, const char *path,
    struct doc **ret)
{
	bool yes = doc_true(v) || span_ieq(doc_span(v), SPAN("true"));

	if (doc_type(v) != DOC_BOOL && !yes &&
	    !span_ieq(doc_span(v), SPAN("false")))
		return wrong(c, path, "Boolean", v);
	*ret = doc_bool(c->a, yes);
	return 0;
}

static int
check_json(struct check *c, const struct doc *v, const char *path,
    struct doc **ret)
{
	if (doc_type(v) == DOC_OBJ || doc_type(v) == DOC_ARR) {
		*ret = doc_copy(c->a, v);
		return 0;
	}
	if (doc_type(v) == DOC_STR) {
		if (doc_parse_json(c->a, doc_span(v), ret) != 0)
			*ret = doc_copy(c->a, v);
		return 0;
	}
	return wrong(c, path, "JSONObject", v);
}

static int
check_value(struct check *c, const struct cfn_prop *p, enum cfn_type t,
    const struct doc *v, const char *path, struct doc **ret)
{
	struct cfn_prop item;
	struct doc *list, *d;
	size_t i = 0;

	if (span_is(doc_span(v), CFN_AFTER_APPLY)) {
		*ret = doc_copy(c->a, v);
		return 0;
	}
	switch (t) {
	case CFN_STRING:
		if (!cfn_is_scalar(v))
			return wrong(c, path, "String", v);
		R(check_enum(c, p, cfn_scalar_text(c->a, v), path));
		*ret = doc_strdup(c->a, cfn_scalar_text(c->a, v));
		return 0;
	case CFN_INTEGER:
	case CFN_NUMBER:
		return check_number(c, t, v, path, ret);
	case CFN_BOOLEAN:
		return check_bool(c, v, path, ret);
	case CFN_OBJECT:
		return check_shape(c, &cfn_fact_shapes[p->shape], v, path,
		    false, ret);
	case CFN_LIST:
		if (doc_type(v) != DOC_ARR)
			return wrong(c, path, "JSONArray", v);
		list = doc_arr(c->a);
		item = *p;
		item.n_enum = 0;
		doc_each(e, v) {
			R(check_value(c, &item, (enum cfn_type)p->item ==
			    CFN_LIST ? CFN_ANY : (enum cfn_type)p->item, e,
			    arena_fmt(c->a, "%s/%zu", path, i++), &d));
			doc_push(list, d);
		}
		*ret = list;
		return 0;
	case CFN_JSON:
		return check_json(c, v, path, ret);
	case CFN_ANY:
		break;
	}
	*ret = doc_copy(c->a, v);
	return 0;
}

static int
check_required(struct check *c, const struct cfn_shape *s,
    const struct doc *v, const char *path)
{
	const struct cfn_prop *p = &cfn_fact_props[s->first];

	for (size_t i = 0; i < s->n; i++)
		if ((p[i].flags & CFN_REQUIRED) &&
		    !doc_get(v, p[i].name))
			return cfn_invalid(c->a, c->err, "Model validation "
			    "failed (#%s: required key [%s] not found)", path,
			    p[i].name);
	return 0;
}

static int
check_shape(struct check *c, const struct cfn_shape *s, const struct doc *v,
    const char *path, bool any, struct doc **ret)
{
	const struct cfn_prop *p;
	struct doc *out, *d;

	if (doc_type(v) != DOC_OBJ)
		return wrong(c, path, "JSONObject", v);
	out = doc_obj(c->a);
	doc_each_key(k, e, v) {
		p = member(s, k);
		if (!p && any) {
			d = doc_copy(c->a, e);
		} else if (!p || (p->flags & CFN_READ_ONLY)) {
			if (!*path)
				return cfn_invalid(c->a, c->err, "Encountered "
				    "unsupported property %.*s", SPAN_ARG(k));
			return cfn_invalid(c->a, c->err, "Model validation "
			    "failed (#%s: extraneous key [%.*s] is not "
			    "permitted)", path, SPAN_ARG(k));
		} else {
			R(check_value(c, p, (enum cfn_type)p->type, e,
			    arena_fmt(c->a, "%s/%.*s", path, SPAN_ARG(k)),
			    &d));
		}
		doc_append(c->a, out, arena_span(c->a, k), d);
	}
	R(s->map ? 0 : check_required(c, s, v, path));
	*ret = out;
	return 0;
}

int
cfn_facts_check(struct arena *a, const struct cfn_facts *f,
    const struct doc *props, struct doc **ret_props, struct cfn_error *err)
{
	struct check c = {a, err};

	return check_shape(&c, &cfn_fact_shapes[f->shape], props, "", f->any,
	    ret_props);
}
