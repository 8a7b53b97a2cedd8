/* The functions, one C function each. */
#include "base/cidr.h"
#include "cfn/eval.h"

static int
fail(struct eval *e, const char *why)
{
	return cfn_invalid(e->a, e->err, "Template error: %s", why);
}

static bool
unknown(const struct doc *d)
{
	return span_is(doc_span(d), CFN_AFTER_APPLY);
}

/* Scalars joined by sep; a value not yet known makes the whole unknown. */
static int
join(struct eval *e, struct span sep, const struct doc *list, struct doc **ret)
{
	static const char *const bad = "every Fn::Join object requires two "
	    "parameters, (1) a string delimiter and (2) a list of strings to "
	    "be joined or a function that returns a list of strings (such as "
	    "Fn::GetAZs) to be joined.";
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool first = true;

	doc_each(v, list) {
		if (!cfn_is_scalar(v))
			return fail(e, bad);
		if (unknown(v))
			return eval_unknown(e, ret);
		if (!first)
			buf_add_span(&b, sep);
		first = false;
		buf_add_span(&b, cfn_scalar_text(e->a, v));
	}
	*ret = doc_strdup(e->a, buf_span(&b));
	return 0;
}

static int
fn_join(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "every Fn::Join object requires two "
	    "parameters, (1) a string delimiter and (2) a list of strings to "
	    "be joined or a function that returns a list of strings (such as "
	    "Fn::GetAZs) to be joined.";
	struct doc *list;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2 ||
	    doc_type(doc_at(arg, 0)) != DOC_STR)
		return fail(e, bad);
	R(eval_value(e, doc_at(arg, 1), &list));
	if (unknown(list))
		return eval_unknown(e, ret);
	if (doc_type(list) != DOC_ARR)
		return fail(e, bad);
	R(join(e, doc_span(doc_at(arg, 0)), list, &list));
	/* Put together, it may be a dynamic reference. */
	return eval_value(e, list, ret);
}

static int
fn_split(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "every Fn::Split object requires two "
	    "parameters, (1) a string delimiter and (2) a string to be split "
	    "or a function that returns a string to be split.";
	struct span sep = doc_span(doc_at(arg, 0)), s;
	struct doc *list;
	ptrdiff_t at;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2 || !sep.n)
		return fail(e, bad);
	R(eval_text(e, doc_at(arg, 1), bad, &s));
	if (span_is(s, CFN_AFTER_APPLY))
		return eval_unknown(e, ret);
	list = doc_arr(e->a);
	while ((at = span_find(s, sep)) >= 0) {
		doc_push(list, doc_strdup(e->a, span_to(s, (size_t)at)));
		s = span_from(s, (size_t)at + sep.n);
	}
	doc_push(list, doc_strdup(e->a, s));
	*ret = list;
	return 0;
}

static int
fn_select(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "Fn::Select requires a list argument "
	    "with two elements: an integer index and a list";
	struct span index;
	struct doc *list, *v;
	uint64_t i;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 2)
		return fail(e, bad);
	R(eval_text(e, doc_at(arg, 0), bad, &index));
	R(eval_value(e, doc_at(arg, 1), &list));
	if (unknown(list) || span_is(index, CFN_AFTER_APPLY))
		return eval_unknown(e, ret);
	if (doc_type(list) != DOC_ARR || !span_u64(index, &i))
		return fail(e, bad);
	v = i < doc_len(list) ? doc_at(list, i) : NULL;
	if (!v)
		return cfn_invalid(e->a, e->err, "Template error: Fn::Select "
		    "cannot select nonexistent value at index %.*s",
		    SPAN_ARG(index));
	*ret = doc_copy(e->a, v);
	return 0;
}

static int
fn_find_in_map(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "every Fn::FindInMap object requires "
	    "three parameters, the map name, map key and the attribute for "
	    "return value";
	const struct doc *other = doc_get(doc_at(arg, 3), "DefaultValue");
	struct span map, key, attr;
	const struct doc *v;

	if (doc_type(arg) != DOC_ARR || (doc_len(arg) != 3 &&
	    (doc_len(arg) != 4 || !other || !e->s->template->extensions)))
		return fail(e, bad);
	R(eval_text(e, doc_at(arg, 0), bad, &map));
	R(eval_text(e, doc_at(arg, 1), bad, &key));
	R(eval_text(e, doc_at(arg, 2), bad, &attr));
	v = doc_getn(doc_getn(doc_getn(e->s->template->mappings, map), key),
	    attr);
	if (v) {
		*ret = doc_copy(e->a, v);
		return 0;
	}
	if (other)
		return eval_value(e, other, ret);
	if (!doc_getn(e->s->template->mappings, map))
		return cfn_invalid(e->a, e->err, "Template error: Mapping "
		    "named '%.*s' is not present in the 'Mappings' section of "
		    "template.", SPAN_ARG(map));
	return cfn_invalid(e->a, e->err, "Template error: Unable to get "
	    "mapping for %.*s::%.*s::%.*s", SPAN_ARG(map), SPAN_ARG(key),
	    SPAN_ARG(attr));
}

static int
fn_base64(struct eval *e, const struct doc *arg, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s;

	R(eval_text(e, arg, "every Fn::Base64 object must have a String-typed "
	    "value.", &s));
	if (span_is(s, CFN_AFTER_APPLY))
		return eval_unknown(e, ret);
	buf_add_base64(&b, s.p ? s.p : "", s.n);
	*ret = doc_strdup(e->a, buf_span(&b));
	return 0;
}

/* [block, count, host bits = 8]: the first count blocks of that size. */
static int
fn_cidr(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "every Fn::Cidr object requires two or "
	    "three parameters, (1) a valid CIDR block, (2) a number between 1 "
	    "and 256 and (3) the number of subnet bits";
	struct span block, count, bits = SPAN("8");
	struct cidr c;
	uint64_t n, b;
	struct doc *list;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) < 2 || doc_len(arg) > 3)
		return fail(e, bad);
	R(eval_text(e, doc_at(arg, 0), bad, &block));
	R(eval_text(e, doc_at(arg, 1), bad, &count));
	if (doc_len(arg) == 3)
		R(eval_text(e, doc_at(arg, 2), bad, &bits));
	if (span_is(block, CFN_AFTER_APPLY))
		return eval_unknown(e, ret);
	if (!cidr_parse(block, &c) || !span_u64(count, &n) ||
	    !span_u64(bits, &b) || n < 1 || n > 256 || b < 1 || b > 31)
		return fail(e, bad);
	c = cidr_base(c);
	if (32 - b < c.len || n << b > cidr_size(c))
		return fail(e, "Fn::Cidr cannot fit as many blocks of that "
		    "size into the given one");
	list = doc_arr(e->a);
	for (uint64_t i = 0; i < n; i++)
		doc_push_str(e->a, list, cidr_text(e->a, (struct cidr){
		    .addr = c.addr + (uint32_t)(i << b),
		    .len = (uint8_t)(32 - b)}));
	*ret = list;
	return 0;
}

static int
fn_zones(struct eval *e, const struct doc *arg, struct doc **ret)
{
	const struct cfn_lookup *l = e->s->env.lookup;
	struct span region;
	int r;

	R(eval_text(e, arg, "every Fn::GetAZs object requires a String-typed "
	    "region", &region));
	if (!region.n)
		region = e->s->env.region;
	r = l && l->zones ? l->zones(e->s->env.ctx, e->a, region, ret, e->err) :
	    CFN_E_UNKNOWN;
	return r == CFN_E_UNKNOWN ? eval_unknown(e, ret) : r;
}

static int
fn_import(struct eval *e, const struct doc *arg, struct doc **ret)
{
	const struct cfn_lookup *l = e->s->env.lookup;
	struct span name, v;
	int r;

	R(eval_text(e, arg, "the attribute in Fn::ImportValue must not depend "
	    "on any resources, imported values, or Fn::GetAZs", &name));
	if (!l || !l->import)
		return eval_unknown(e, ret);
	r = l->import(e->s->env.ctx, e->a, name, &v, e->err);
	if (r == CFN_E_UNKNOWN)
		return cfn_invalid(e->a, e->err, "No export named %.*s found",
		    SPAN_ARG(name));
	R(r);
	*ret = doc_strdup(e->a, v);
	return 0;
}

static int
fn_getatt(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "every Fn::GetAtt object requires two "
	    "non-empty parameters, the resource name and the resource "
	    "attribute";
	struct span id, attr;
	struct doc *value;

	if (!cfn_getatt(arg, &id, &attr, &value))
		return fail(e, bad);
	if (value)
		R(eval_text(e, value, bad, &attr));
	return eval_attr(e, id, attr, ret);
}

static int
sub_name(struct eval *e, const struct doc *vars, struct span name,
    struct doc **ret)
{
	const struct doc *own = doc_getn(vars, name);
	struct span attr = name, id;

	if (own)
		return eval_value(e, own, ret);
	id = span_cut(&attr, '.');
	return attr.p ? eval_attr(e, id, attr, ret) : eval_ref(e, id, ret);
}

static int
fn_sub(struct eval *e, const struct doc *arg, struct doc **ret)
{
	static const char *const bad = "One or more Fn::Sub intrinsic "
	    "functions don't specify expected arguments. Specify a string as "
	    "first argument, and an optional second argument to specify a "
	    "mapping of values to replace in the string";
	const struct doc *vars = NULL;
	struct doc *parts, *v;
	struct span text, piece;
	enum cfn_piece kind;

	if (doc_type(arg) == DOC_ARR && doc_len(arg) == 2) {
		vars = doc_at(arg, 1);
		arg = doc_at(arg, 0);
	}
	if (doc_type(arg) != DOC_STR || (vars && doc_type(vars) != DOC_OBJ))
		return fail(e, bad);
	text = doc_span(arg);
	parts = doc_arr(e->a);
	while ((kind = cfn_sub_next(&text, &piece)) != CFN_PIECE_END) {
		if (kind == CFN_PIECE_BAD)
			return fail(e, "variable names in Fn::Sub syntax must "
			    "contain only alphanumeric characters, "
			    "underscores, periods, and colons");
		if (kind == CFN_PIECE_TEXT) {
			v = doc_str(e->a, piece);
		} else if (kind == CFN_PIECE_LITERAL) {
			v = doc_str(e->a, arena_fmt_span(e->a, "${%.*s}",
			    SPAN_ARG(piece)));
		} else {
			R(sub_name(e, vars, piece, &v));
			if (!cfn_is_scalar(v))
				return cfn_invalid(e->a, e->err, "Template "
				    "error: Fn::Sub expression does not "
				    "resolve to a string");
		}
		doc_push(parts, v);
	}
	R(join(e, SPAN_NULL, parts, &v));
	/* Put together, it may be a dynamic reference. */
	return eval_value(e, v, ret);
}

static int
fn_if(struct eval *e, const struct doc *arg, struct doc **ret)
{
	const struct doc *c;

	if (doc_type(arg) != DOC_ARR || doc_len(arg) != 3 ||
	    doc_type(doc_at(arg, 0)) != DOC_STR)
		return fail(e, "Fn::If requires a list argument with the first "
		    "element being a condition");
	c = doc_getn(e->s->conditions, doc_span(doc_at(arg, 0)));
	if (!c)
		return cfn_invalid(e->a, e->err, "Template error: unresolved "
		    "condition dependency %.*s in Fn::If",
		    SPAN_ARG(doc_span(doc_at(arg, 0))));
	return eval_value(e, doc_at(arg, doc_true(c) ? 1 : 2), ret);
}

static int
fn_length(struct eval *e, const struct doc *arg, struct doc **ret)
{
	struct doc *list;

	R(eval_value(e, arg, &list));
	if (unknown(list))
		return eval_unknown(e, ret);
	if (doc_type(list) != DOC_ARR)
		return fail(e, "Fn::Length requires an array as its argument");
	*ret = doc_int(e->a, (int64_t)doc_len(list));
	return 0;
}

static int
fn_json(struct eval *e, const struct doc *arg, struct doc **ret)
{
	struct doc *v;

	if (doc_type(arg) != DOC_OBJ && doc_type(arg) != DOC_ARR)
		return fail(e, "Fn::ToJsonString requires an object or an "
		    "array as its argument");
	R(eval_value(e, arg, &v));
	*ret = doc_str(e->a, doc_json(e->a, v));
	return 0;
}

static int
fn_bool(struct eval *e, struct span fn, const struct doc *arg,
    struct doc **ret)
{
	struct doc *o = doc_obj(e->a);
	bool b;

	doc_append(e->a, o, fn, doc_copy(e->a, arg));
	R(eval_bool(e, o, &b));
	*ret = doc_bool(e->a, b);
	return 0;
}

static const struct function {
	const char *name;
	int (*fn)(struct eval *e, const struct doc *arg, struct doc **ret);
	bool extension; /* of AWS::LanguageExtensions */
} functions[] = {
	{"Fn::Base64", fn_base64, false},
	{"Fn::Cidr", fn_cidr, false},
	{"Fn::FindInMap", fn_find_in_map, false},
	{"Fn::GetAZs", fn_zones, false},
	{"Fn::GetAtt", fn_getatt, false},
	{"Fn::If", fn_if, false},
	{"Fn::ImportValue", fn_import, false},
	{"Fn::Join", fn_join, false},
	{"Fn::Length", fn_length, true},
	{"Fn::Select", fn_select, false},
	{"Fn::Split", fn_split, false},
	{"Fn::Sub", fn_sub, false},
	{"Fn::ToJsonString", fn_json, true},
};

static int
fn_unsupported(struct eval *e, struct span fn)
{
	return cfn_invalid(e->a, e->err, "Template format error: Encountered "
	    "unsupported function: %.*s Supported functions are: [Fn::Base64, "
	    "Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, "
	    "Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, "
	    "Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, "
	    "Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, "
	    "Fn::Sub, Fn::Cidr]", SPAN_ARG(fn));
}

int
eval_function(struct eval *e, struct span fn, const struct doc *arg,
    struct doc **ret)
{
	static const char *const bools[] = {"Fn::Equals", "Fn::And", "Fn::Or",
	    "Fn::Not"};
	const struct function *f = functions;

	if (span_is(fn, "Ref")) {
		if (doc_type(arg) != DOC_STR)
			return cfn_invalid(e->a, e->err, "Template format "
			    "error: Every Ref object must have a single "
			    "String value.");
		return eval_ref(e, doc_span(arg), ret);
	}
	for (; f < functions + ARRAY_SIZE(functions); f++)
		if (span_is(fn, f->name) &&
		    (!f->extension || e->s->template->extensions))
			return f->fn(e, arg, ret);
	for (size_t i = 0; i < ARRAY_SIZE(bools); i++)
		if (span_is(fn, bools[i]))
			return fn_bool(e, fn, arg, ret);
	if (span_is(fn, "Fn::RefAll") || span_is(fn, "Fn::ValueOf") ||
	    span_is(fn, "Fn::ValueOfAll"))
		return cfn_invalid(e->a, e->err, "Template error: %.*s is not "
		    "supported.", SPAN_ARG(fn));
	if (span_is(fn, "Fn::Transform"))
		return cfn_invalid(e->a, e->err, "Transform %.*s is not "
		    "supported.", SPAN_ARG(doc_get_str(arg, "Name")));
	return fn_unsupported(e, fn);
}
