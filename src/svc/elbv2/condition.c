/* Conditions of rules, in the normal form AWS answers with. */
#include <arpa/inet.h>

#include "svc/elbv2/elbv2.h"

enum { VALUE_MAX = 128, NAME_MAX_LEN = 40 };

/* The six fields, the member that configures each, and whether the short
 * form (Values beside Field) is allowed. */
static const struct field {
	const char *name;
	const char *config;
	bool short_form;
	bool wildcards;
	size_t max;
} fields[] = {
	{"host-header", "HostHeaderConfig", true, true, VALUE_MAX},
	{"path-pattern", "PathPatternConfig", true, true, VALUE_MAX},
	{"http-header", "HttpHeaderConfig", false, true, VALUE_MAX},
	{"http-request-method", "HttpRequestMethodConfig", false, false,
	    NAME_MAX_LEN},
	{"query-string", "QueryStringConfig", false, true, VALUE_MAX},
	{"source-ip", "SourceIpConfig", false, false, VALUE_MAX},
};

struct tally {
	size_t values;
	size_t wildcards;
};

static const struct field *
field_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (span_is(name, fields[i].name))
			return &fields[i];
	return NULL;
}

static struct reply *
text_check(struct call *c, const struct field *f, const char *what,
    struct span v, struct tally *t)
{
	if (v.n > f->max)
		return reply_error(c, VALIDATION, "The '%s' value is too long; "
		    "the limit is '%d'", what, (int)f->max);
	for (size_t i = 0; i < v.n; i++) {
		if ((unsigned char)v.p[i] < ' ' || v.p[i] == 127)
			return reply_error(c, VALIDATION, "The '%s' value "
			    "contains invalid characters", what);
		t->wildcards += f->wildcards &&
		    (v.p[i] == '*' || v.p[i] == '?');
	}
	return NULL;
}

static bool
cidr_ok(struct arena *a, struct span s)
{
	struct span addr = span_cut(&s, '/');
	struct in_addr in;
	uint64_t len;

	return s.p && span_u64(s, &len) && len <= 32 &&
	    inet_pton(AF_INET, arena_str(a, addr), &in) == 1;
}

static bool
method_ok(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '-' ||
		    s.p[i] == '_'))
			return false;
	return s.n > 0;
}

static struct reply *
value_check(struct call *c, const struct field *f, struct span v,
    struct tally *t)
{
	if (!v.n)
		return reply_error(c, VALIDATION,
		    "A condition value must be specified");
	if (span_is(span_of(f->name), "source-ip") && !cidr_ok(c->arena, v))
		return reply_error(c, VALIDATION, "The 'source-ip' value "
		    "'%.*s' must be in IPv4 CIDR format", SPAN_ARG(v));
	if (span_is(span_of(f->name), "http-request-method") && !method_ok(v))
		return reply_error(c, VALIDATION, "The 'http-request-method' "
		    "value is invalid; the allowed characters are A-Z, hyphen "
		    "and underscore");
	return text_check(c, f, f->name, v, t);
}

static struct reply *
pair_check(struct call *c, const struct field *f, const struct doc *v,
    struct tally *t)
{
	struct reply *e;

	if (!doc_get_str(v, "Value").n)
		return reply_error(c, VALIDATION, "A 'Value' must be specified "
		    "in 'QueryStringKeyValuePair'");
	if ((e = text_check(c, f, "Key", doc_get_str(v, "Key"), t)))
		return e;
	return text_check(c, f, "Value", doc_get_str(v, "Value"), t);
}

static struct reply *
header_name_check(struct call *c, struct span name)
{
	if (!name.n)
		return reply_error(c, VALIDATION,
		    "A 'HttpHeaderName' must be specified");
	if (name.n > NAME_MAX_LEN)
		return reply_error(c, VALIDATION, "The 'HttpHeaderName' value "
		    "is too long; the limit is '%d'", NAME_MAX_LEN);
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
		    "YZ0123456789!#$%&'*+-.^_`|~", name.p[i]))
			return reply_error(c, VALIDATION, "The "
			    "'HttpHeaderName' value is invalid");
	if (span_ieq(name, SPAN("host")))
		return reply_error(c, VALIDATION, "The 'HttpHeaderName' value "
		    "cannot be 'Host'; use a 'host-header' condition");
	return NULL;
}

static struct reply *
values_of(struct call *c, const struct field *f, const struct doc *in,
    const struct doc **ret)
{
	const struct doc *conf = doc_get(in, f->config);
	const struct doc *brief = doc_get(in, "Values");

	if (doc_len(doc_get(in, "RegexValues")) ||
	    doc_len(doc_get(conf, "RegexValues")))
		return reply_not_implemented(c, "RegexValues of conditions");
	if (doc_len(brief) && !f->short_form)
		return reply_error(c, VALIDATION, "The 'Values' field is not "
		    "compatible with '%s'", f->name);
	if (doc_len(brief) && conf)
		return reply_error(c, VALIDATION, "You cannot provide both "
		    "Values and '%s' for a condition of type '%s'", f->config,
		    f->name);
	if (!conf && !doc_len(brief))
		return f->short_form
		    ? reply_error(c, VALIDATION,
			"A condition value must be specified")
		    : reply_error(c, VALIDATION, "A '%s' must be specified "
			"with '%s'", f->config, f->name);
	*ret = conf ? doc_get(conf, "Values") : brief;
	if (doc_len(*ret) == 0)
		return reply_error(c, VALIDATION, "A '%s' value must be "
		    "specified", f->name);
	return NULL;
}

static struct reply *
one_normal(struct call *c, const struct doc *in, struct tally *t,
    struct doc *out)
{
	struct arena *a = c->arena;
	struct span name = doc_get_str(in, "Field");
	const struct field *f = field_find(name);
	const struct doc *values, *header;
	struct doc *conf = doc_obj(a);
	struct reply *e;

	if (!f)
		return reply_error(c, VALIDATION, "Condition field '%.*s' must "
		    "be one of '[path-pattern, host-header, http-header, "
		    "http-request-method, query-string, source-ip]'",
		    SPAN_ARG(name));
	if ((e = values_of(c, f, in, &values)))
		return e;
	doc_each(v, values) {
		e = doc_type(v) == DOC_OBJ ? pair_check(c, f, v, t)
		    : value_check(c, f, doc_span(v), t);
		if (e)
			return e;
		t->values++;
	}
	doc_set_str(a, out, "Field", span_of(f->name));
	if (f->short_form)
		doc_set(a, out, "Values", doc_copy(a, values));
	header = doc_path(in, "HttpHeaderConfig", "HttpHeaderName", NULL);
	if (span_is(name, "http-header")) {
		if ((e = header_name_check(c, doc_span(header))))
			return e;
		doc_set_str(a, conf, "HttpHeaderName", doc_span(header));
	}
	doc_set(a, conf, "Values", doc_copy(a, values));
	doc_set(a, out, f->config, conf);
	return NULL;
}

struct reply *
conditions_check(struct call *c, const struct doc *in, struct doc **ret)
{
	static const char *const once[] = {"host-header", "path-pattern",
		"http-request-method", "source-ip"};
	struct doc *out = doc_arr(c->arena), *seen = doc_arr(c->arena), *one;
	struct tally t = {0, 0};
	struct span name;
	struct reply *e;

	if (doc_len(in) == 0)
		return reply_error(c, VALIDATION, "A condition must be "
		    "specified");
	doc_each(v, in) {
		one = doc_obj(c->arena);
		name = doc_get_str(v, "Field");
		if ((e = one_normal(c, v, &t, one)))
			return e;
		for (size_t i = 0; i < ARRAY_SIZE(once); i++)
			if (span_is(name, once[i]) && doc_has_str(seen, name))
				return reply_error(c, VALIDATION, "A rule can "
				    "have only one condition of type '%.*s'",
				    SPAN_ARG(name));
		doc_push_str(c->arena, seen, name);
		doc_push(out, one);
	}
	if (t.values > LIMIT_CONDITION_VALUES)
		return reply_error(c, VALIDATION, "A rule can only have '%d' "
		    "condition values", LIMIT_CONDITION_VALUES);
	if (t.wildcards > LIMIT_WILDCARDS)
		return reply_error(c, VALIDATION, "A rule can only have '%d' "
		    "condition wildcards", LIMIT_WILDCARDS);
	*ret = out;
	return NULL;
}
