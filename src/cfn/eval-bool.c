/* Conditions and the functions of rules. */
#include "cfn/eval.h"

static int
bool_list(struct eval *e, const struct doc *arg, const char *fn, bool all,
    bool *ret)
{
	bool b, result = all;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) < 2 || doc_len(arg) > 10)
		return cfn_invalid(e->a, e->err, "Template error: every %s "
		    "object requires a list of at least 2 and at most 10 "
		    "boolean parameters.", fn);
	doc_each(v, arg) {
		R(eval_bool(e, v, &b));
		result = all ? result && b : result || b;
	}
	*ret = result;
	return 0;
}

static int
bool_and(struct eval *e, const struct doc *arg, bool *ret)
{
	return bool_list(e, arg, "Fn::And", true, ret);
}

static int
bool_or(struct eval *e, const struct doc *arg, bool *ret)
{
	return bool_list(e, arg, "Fn::Or", false, ret);
}

static int
bool_not(struct eval *e, const struct doc *arg, bool *ret)
{
	bool b;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 1)
		return cfn_invalid(e->a, e->err, "Template error: every "
		    "Fn::Not object requires one boolean parameter.");
	R(eval_bool(e, doc_at(arg, 0), &b));
	*ret = !b;
	return 0;
}

static bool
same(struct eval *e, const struct doc *a, const struct doc *b)
{
	if (cfn_is_scalar(a) && cfn_is_scalar(b))
		return span_eq(cfn_scalar_text(e->a, a),
		    cfn_scalar_text(e->a, b));
	return doc_eq(a, b);
}

static int
bool_equals(struct eval *e, const struct doc *arg, bool *ret)
{
	struct doc *a, *b;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2)
		return cfn_invalid(e->a, e->err, "Template error: every "
		    "Fn::Equals object requires a list of 2 string "
		    "parameters.");
	R(eval_value(e, doc_at(arg, 0), &a));
	R(eval_value(e, doc_at(arg, 1), &b));
	*ret = same(e, a, b);
	return 0;
}

static int
two_lists(struct eval *e, const struct doc *arg, const char *fn,
    struct doc **ret_a, struct doc **ret_b)
{
	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2)
		return cfn_invalid(e->a, e->err, "Template error: every %s "
		    "object requires two parameters.", fn);
	R(eval_value(e, doc_at(arg, 0), ret_a));
	R(eval_value(e, doc_at(arg, 1), ret_b));
	return 0;
}

static bool
has(struct eval *e, const struct doc *list, const struct doc *v)
{
	doc_each(x, list)
		if (same(e, x, v))
			return true;
	return false;
}

static int
bool_contains(struct eval *e, const struct doc *arg, bool *ret)
{
	struct doc *list, *v;

	R(two_lists(e, arg, "Fn::Contains", &list, &v));
	*ret = has(e, list, v);
	return 0;
}

static int
bool_each_equals(struct eval *e, const struct doc *arg, bool *ret)
{
	struct doc *list, *v;
	bool all = true;

	R(two_lists(e, arg, "Fn::EachMemberEquals", &list, &v));
	doc_each(x, list)
		all = all && same(e, x, v);
	*ret = all;
	return 0;
}

static int
bool_each_in(struct eval *e, const struct doc *arg, bool *ret)
{
	struct doc *list, *in;
	bool all = true;

	R(two_lists(e, arg, "Fn::EachMemberIn", &list, &in));
	doc_each(x, list)
		all = all && has(e, in, x);
	*ret = all;
	return 0;
}

static int
bool_named(struct eval *e, struct span name, bool *ret)
{
	const struct doc *known = doc_getn(e->s->conditions, name), *c;

	if (known) {
		*ret = doc_true(known);
		return 0;
	}
	c = doc_getn(doc_get(e->s->doc, "Conditions"), name);
	if (!c)
		return cfn_invalid(e->a, e->err, "Template format error: "
		    "Unresolved condition dependency %.*s in the Conditions "
		    "block of the template", SPAN_ARG(name));
	R(eval_bool(e, c, ret));
	/* Decided once, however many others name it. */
	doc_setn(e->a, e->s->conditions, name, doc_bool(e->a, *ret));
	return 0;
}

static const struct test {
	const char *name;
	int (*fn)(struct eval *e, const struct doc *arg, bool *ret);
} tests[] = {
	{"Fn::And", bool_and},
	{"Fn::Contains", bool_contains},
	{"Fn::EachMemberEquals", bool_each_equals},
	{"Fn::EachMemberIn", bool_each_in},
	{"Fn::Equals", bool_equals},
	{"Fn::Not", bool_not},
	{"Fn::Or", bool_or},
};

static int
eval_test(struct eval *e, const struct doc *value, bool *ret)
{
	const struct test *t = tests;
	struct doc *arg = NULL;
	struct span fn;

	if (doc_type(value) == DOC_BOOL ||
	    span_ieq(doc_span(value), SPAN("true")) ||
	    span_ieq(doc_span(value), SPAN("false"))) {
		*ret = doc_true(value) ||
		    span_ieq(doc_span(value), SPAN("true"));
		return 0;
	}
	if (doc_len(value) == 1 &&
	    doc_type(doc_get(value, "Condition")) == DOC_STR)
		return bool_named(e, doc_get_str(value, "Condition"), ret);
	fn = cfn_function(value, &arg);
	for (; t < tests + ARRAY_SIZE(tests); t++)
		if (span_is(fn, t->name))
			return t->fn(e, arg, ret);
	return cfn_invalid(e->a, e->err, "Template format error: Conditions "
	    "can only be boolean operations on parameters and other "
	    "conditions");
}

int
eval_bool(struct eval *e, const struct doc *value, bool *ret)
{
	bool b = false;

	/* Conditions that name each other end here. */
	if (e->depth > 2 * DOC_MAX_DEPTH)
		return cfn_invalid(e->a, e->err, "Template format error: "
		    "Circular dependency between conditions");
	e->depth++;
	R(eval_test(e, value, &b));
	e->depth--;
	*ret = b;
	return 0;
}
