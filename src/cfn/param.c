/* Parameters: types, constraints, and what Ref of one gives. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "cfn/internal.h"

/* A pattern of the template's author against a value of its user. */
#define MATCH_LIMIT 200000

static struct span
inner(struct span type, const char *head)
{
	struct span h = span_of(head);

	if (!span_starts(type, h) || !span_ends(type, SPAN(">")))
		return SPAN_NULL;
	return span_to(span_from(type, h.n), type.n - h.n - 1);
}

static struct span
ssm_type(const struct doc *p)
{
	return inner(doc_get_str(p, "Type"), "AWS::SSM::Parameter::Value<");
}

static bool
is_list(struct span type)
{
	return span_is(type, "CommaDelimitedList") || inner(type, "List<").n;
}

static bool
is_number(struct span s)
{
	_cleanup_free_ char *text = xstrndup(s.p ? s.p : "", s.n);
	char *end;

	if (!s.n || strspn(text, "+-.eE0123456789") != s.n)
		return false;
	strtod(text, &end);
	return *end == '\0';
}

static double
number(struct span s)
{
	_cleanup_free_ char *text = xstrndup(s.p ? s.p : "", s.n);

	return strtod(text, NULL);
}

/* A pattern that PCRE2 cannot read matches nothing. */
static bool
matches(struct span pattern, struct span s)
{
	pcre2_match_context *limits;
	pcre2_match_data *data;
	pcre2_code *code;
	PCRE2_SIZE at;
	int r;

	code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
	    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &r, &at, NULL);
	if (!code)
		return false;
	data = pcre2_match_data_create(1, NULL);
	limits = pcre2_match_context_create(NULL);
	AN(data && limits);
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	r = pcre2_match(code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0, 0, data,
	    limits);
	pcre2_match_context_free(limits);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return r >= 0;
}

struct check {
	struct arena *a;
	struct cfn_error *err;
	struct span name;
	const struct doc *p;
};

static int
refuse(const struct check *c, const char *why, struct span arg)
{
	struct span said = doc_get_str(c->p, "ConstraintDescription");

	if (said.n)
		return cfn_invalid(c->a, c->err, "Parameter %.*s failed to "
		    "satisfy constraint: %.*s", SPAN_ARG(c->name),
		    SPAN_ARG(said));
	return cfn_invalid(c->a, c->err, "Parameter '%.*s' must %s%.*s",
	    SPAN_ARG(c->name), why, SPAN_ARG(arg));
}

static size_t
chars(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static struct span
limit(const struct check *c, const char *key)
{
	return cfn_scalar_text(c->a, doc_get(c->p, key));
}

static int
check_range(const struct check *c, struct span s)
{
	struct span min = limit(c, "MinValue"), max = limit(c, "MaxValue");

	if (!is_number(s))
		return cfn_invalid(c->a, c->err, "Parameter '%.*s' must be a "
		    "number.", SPAN_ARG(c->name));
	if (min.n && number(s) < number(min))
		return refuse(c, "be a number not less than ", min);
	if (max.n && number(s) > number(max))
		return refuse(c, "be a number not greater than ", max);
	return 0;
}

static int
check_length(const struct check *c, struct span s)
{
	struct span min = limit(c, "MinLength"), max = limit(c, "MaxLength");

	if (min.n && (double)chars(s) < number(min))
		return refuse(c, "contain at least ",
		    arena_fmt_span(c->a, "%.*s characters", SPAN_ARG(min)));
	if (max.n && (double)chars(s) > number(max))
		return refuse(c, "contain at most ",
		    arena_fmt_span(c->a, "%.*s characters", SPAN_ARG(max)));
	return 0;
}

static int
check_item(const struct check *c, struct span s)
{
	const struct doc *allowed = doc_get(c->p, "AllowedValues");
	struct span pattern = doc_get_str(c->p, "AllowedPattern");
	bool ok = !allowed;

	doc_each(v, allowed)
		ok = ok || span_eq(cfn_scalar_text(c->a, v), s);
	if (!ok)
		return refuse(c, "be one of AllowedValues", SPAN_NULL);
	if (pattern.n && !matches(pattern, s))
		return refuse(c, "match pattern ", pattern);
	return 0;
}

static int
check_value(const struct check *c, struct span s)
{
	struct span type = doc_get_str(c->p, "Type"), item;
	struct span rest = s;

	if (s.n > 4096)
		return cfn_invalid(c->a, c->err, "Parameter '%.*s' must "
		    "contain at most 4096 characters", SPAN_ARG(c->name));
	if (span_is(type, "Number"))
		R(check_range(c, s));
	if (!is_list(type)) {
		R(check_length(c, s));
		return check_item(c, s);
	}
	while (rest.p) {
		item = span_trim(span_cut(&rest, ','));
		if (span_is(type, "List<Number>") && !is_number(item))
			return cfn_invalid(c->a, c->err, "Parameter '%.*s' "
			    "must be a list of numbers.", SPAN_ARG(c->name));
		R(check_item(c, item));
	}
	return 0;
}

static int
check_given(struct arena *a, const struct cfn_template *t,
    const struct doc *given, struct cfn_error *err)
{
	_cleanup_(buf_done) struct buf bad = BUF_INIT;

	doc_each_key(k, v, given)
		if (!doc_getn(t->parameters, k))
			cfn_list_add(&bad, k);
	if (bad.n)
		return cfn_invalid(a, err, "Parameters: [%s] do not exist in "
		    "the template", buf_str(&bad));
	doc_each_key(k, p, t->parameters)
		if (!doc_get(p, "Default") && !doc_getn(given, k))
			cfn_list_add(&bad, k);
	if (bad.n)
		return cfn_invalid(a, err, "Parameters: [%s] must have values",
		    buf_str(&bad));
	return 0;
}

int
cfn_params(struct arena *a, const struct cfn_template *t,
    const struct doc *given, struct doc **ret_values, struct cfn_error *err)
{
	struct doc *values = doc_obj(a);
	const struct doc *v;
	struct span s;

	R(check_given(a, t, given, err));
	doc_each_key(k, p, t->parameters) {
		struct check c = {a, err, k, p};

		v = doc_getn(given, k);
		s = cfn_scalar_text(a, v ? v : doc_get(p, "Default"));
		R(check_value(&c, s.p ? s : SPAN("")));
		doc_append(a, values, k, doc_strdup(a, s));
	}
	*ret_values = values;
	return 0;
}

struct doc *
cfn_params_ssm(struct arena *a, const struct cfn_template *t,
    const struct doc *values)
{
	struct doc *o = doc_obj(a);

	doc_each_key(k, p, t->parameters)
		if (ssm_type(p).n)
			doc_append(a, o, k,
			    doc_str(a, doc_span(doc_getn(values, k))));
	return o;
}

bool
cfn_param_resolve(struct arena *a, const struct cfn_template *t,
    struct span name, struct span type, struct span stored, struct span *ret)
{
	bool list = is_list(ssm_type(doc_getn(t->parameters, name)));
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest = stored;

	if (list != span_is(type, "StringList"))
		return false;
	while (list && rest.p) {
		buf_add_span(&b, span_trim(span_cut(&rest, ',')));
		if (rest.p)
			buf_add_char(&b, ',');
	}
	*ret = list ? arena_span(a, buf_span(&b)) : stored;
	return true;
}

struct doc *
cfn_params_naming(struct arena *a, const struct cfn_template *t,
    const struct doc *values, const struct doc *resolved)
{
	struct doc *list = doc_arr(a);

	doc_each_key(k, p, t->parameters) {
		struct span type = doc_get_str(p, "Type"), item, rest;
		bool stored = ssm_type(p).n > 0;

		type = stored ? ssm_type(p) : type;
		item = inner(type, "List<");
		rest = doc_span(doc_getn(stored ? resolved : values, k));
		if (!span_starts(item.n ? item : type, SPAN("AWS::")))
			continue;
		do {
			struct doc *o = doc_obj(a);

			doc_set_str(a, o, "Name", k);
			doc_set_str(a, o, "Type", item.n ? item : type);
			doc_set_str(a, o, "Value", item.n ?
			    span_trim(span_cut(&rest, ',')) : rest);
			doc_push(list, o);
		} while (item.n && rest.p);
	}
	return list;
}

bool
cfn_param_noecho(const struct cfn_template *t, struct span name)
{
	const struct doc *d = doc_get(doc_getn(t->parameters, name), "NoEcho");

	return doc_true(d) || span_ieq(doc_span(d), SPAN("true"));
}

struct doc *
cfn_params_shown(struct arena *a, const struct cfn_template *t,
    const struct doc *values, const struct doc *resolved)
{
	struct doc *list = doc_arr(a), *o;

	doc_each_key(k, v, values) {
		o = doc_obj(a);
		doc_set_str(a, o, "ParameterKey", k);
		doc_set_str(a, o, "ParameterValue", cfn_param_noecho(t, k) ?
		    SPAN("****") : doc_span(v));
		if (doc_getn(resolved, k) && !cfn_param_noecho(t, k))
			doc_set(a, o, "ResolvedValue",
			    doc_copy(a, doc_getn(resolved, k)));
		doc_push(list, o);
	}
	return list;
}

struct doc *
cfn_param_value(struct arena *a, const struct cfn_stack *s, struct span name,
    int flags)
{
	const struct doc *p = doc_getn(s->template->parameters, name);
	struct span type = doc_get_str(p, "Type"), text;
	struct doc *list;

	if (!p)
		return NULL;
	if ((flags & CFN_SHOW) && cfn_param_noecho(s->template, name))
		return doc_str(a, SPAN("****"));
	text = doc_span(doc_getn(s->env.params, name));
	if (ssm_type(p).n) {
		type = ssm_type(p);
		text = cfn_scalar_text(a, doc_getn(s->env.resolved, name));
	}
	if (!is_list(type))
		return doc_strdup(a, text);
	list = doc_arr(a);
	if (!text.p)
		text = SPAN("");
	while (text.p)
		doc_push(list, doc_strdup(a, span_trim(span_cut(&text, ','))));
	return list;
}
