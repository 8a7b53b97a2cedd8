/* The grammar of policies. */
#include <ctype.h>

#include "auth/policy.h"

struct reading {
	struct arena *a;
	enum policy_type type;
	struct doc *sids; /* seen so far */
	struct span why;  /* empty: nothing is wrong yet */
};

static bool
wrong(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->why = span_of(arena_vfmt(r->a, fmt, ap));
	va_end(ap);
	return false;
}

#define SYNTAX "Syntax errors in policy."

static bool
syntax(struct reading *r)
{
	return wrong(r, SYNTAX);
}

static bool
known_members(struct reading *r, const struct doc *d,
    const char *const *names, size_t n)
{
	doc_each_key(k, v, d) {
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found |= span_is(k, names[i]);
		if (!found)
			return syntax(r);
	}
	return true;
}

/* A text or a list of texts, each looked at by fn. */
static bool
each_text(struct reading *r, const struct doc *d,
    bool (*fn)(struct reading *, struct span))
{
	if (doc_type(d) == DOC_STR)
		return fn(r, doc_span(d));
	if (doc_type(d) != DOC_ARR || doc_len(d) == 0)
		return syntax(r);
	doc_each(v, d) {
		if (doc_type(v) != DOC_STR)
			return syntax(r);
		if (!fn(r, doc_span(v)))
			return false;
	}
	return true;
}

static bool
check_action(struct reading *r, struct span action)
{
	struct span name = action, vendor = span_cut(&name, ':');

	if (span_is(action, "*") && r->type != POLICY_TRUST)
		return true;
	if (r->type == POLICY_TRUST && (!name.p ||
		!span_ieq(vendor, SPAN("sts"))))
		return wrong(r, "AssumeRole policy may only specify STS "
		    "AssumeRole actions.");
	if (!name.n || !vendor.n)
		return wrong(r, "Actions/Conditions must be prefaced by a "
		    "vendor, e.g., iam, sdb, ec2, etc.");
	for (size_t i = 0; i < vendor.n; i++)
		if (!isalnum((unsigned char)vendor.p[i]) &&
		    !strchr("-.", vendor.p[i]))
			return wrong(r, "Vendor %.*s is not valid",
			    SPAN_ARG(vendor));
	return true;
}

static bool
check_resource(struct reading *r, struct span resource)
{
	struct span rest = resource, part;

	if (span_is(resource, "*"))
		return true;
	if (!span_starts(resource, SPAN("arn:")))
		return wrong(r, "Resource %.*s must be in ARN format or \"*\".",
		    SPAN_ARG(resource));
	span_cut(&rest, ':');
	part = span_cut(&rest, ':');
	if (!span_starts(part, SPAN("aws")) && span_chr(part, '*') < 0 &&
	    span_chr(part, '$') < 0)
		return wrong(r, "Partition \"%.*s\" is not valid for resource "
		    "\"%.*s\".", SPAN_ARG(part), SPAN_ARG(resource));
	if (!rest.p && span_chr(part, '*') < 0)
		return wrong(r, "The policy failed legacy parsing");
	return true;
}

static bool
bad_principal(struct reading *r, const char *type, struct span value)
{
	return wrong(r, "Invalid principal in policy: \"%s\":\"%.*s\"", type,
	    SPAN_ARG(value));
}

static bool
check_aws(struct reading *r, struct span s)
{
	struct span rest = s;
	bool digits = s.n == 12;

	for (size_t i = 0; i < s.n; i++)
		digits &= isdigit((unsigned char)s.p[i]) != 0;
	/* The unique ids that IAM shows of who is gone. */
	if (span_is(s, "*") || digits || span_starts(s, SPAN("AROA")) ||
	    span_starts(s, SPAN("AIDA")))
		return true;
	if (!span_is(span_cut(&rest, ':'), "arn") ||
	    !span_starts(span_cut(&rest, ':'), SPAN("aws")) ||
	    span_chr(s, '*') >= 0)
		return bad_principal(r, "AWS", s);
	rest = span_to(rest, (size_t)MAX(span_chr(rest, ':'), 0));
	return span_is(rest, "iam") || span_is(rest, "sts") ||
	    bad_principal(r, "AWS", s);
}

static bool
check_service(struct reading *r, struct span s)
{
	return (span_chr(s, '.') > 0 && span_chr(s, '*') < 0) ||
	    bad_principal(r, "SERVICE", s);
}

static bool
check_federated(struct reading *r, struct span s)
{
	return (s.n > 0 && span_chr(s, '*') < 0) ||
	    bad_principal(r, "FEDERATED", s);
}

static bool
check_principal(struct reading *r, const struct doc *p)
{
	static const char *const types[] = {"AWS", "Service", "Federated",
	    "CanonicalUser"};
	const struct doc *d;

	if (doc_type(p) == DOC_STR)
		return span_is(doc_span(p), "*") ||
		    bad_principal(r, "AWS", doc_span(p));
	if (doc_type(p) != DOC_OBJ || doc_len(p) == 0)
		return syntax(r);
	return known_members(r, p, types, ARRAY_SIZE(types)) &&
	    (!(d = doc_get(p, "AWS")) || each_text(r, d, check_aws)) &&
	    (!(d = doc_get(p, "Service")) || each_text(r, d, check_service)) &&
	    (!(d = doc_get(p, "Federated")) ||
		each_text(r, d, check_federated));
}

static bool
is_scalar(const struct doc *d)
{
	return doc_type(d) == DOC_STR || doc_type(d) == DOC_BOOL ||
	    doc_type(d) == DOC_INT || doc_type(d) == DOC_REAL;
}

static bool
check_condition(struct reading *r, const struct doc *condition)
{
	if (condition && doc_type(condition) != DOC_OBJ)
		return syntax(r);
	doc_each_key(op, keys, condition) {
		if (doc_type(keys) != DOC_OBJ)
			return syntax(r);
		if (!policy_operator_known(op))
			return wrong(r, "Invalid Condition type : %.*s.",
			    SPAN_ARG(op));
		doc_each_key(key, v, keys) {
			if (key.n == 0 || span_chr(key, ':') <= 0)
				return wrong(r, "Actions/Conditions must be "
				    "prefaced by a vendor, e.g., iam, sdb, "
				    "ec2, etc.");
			if (!is_scalar(v) && doc_type(v) != DOC_ARR)
				return syntax(r);
			if (doc_type(v) == DOC_ARR)
				doc_each(e, v)
					if (!is_scalar(e))
						return syntax(r);
		}
	}
	return true;
}

static bool
check_sid(struct reading *r, const struct doc *d)
{
	struct span sid = doc_span(d);

	if (!d)
		return true;
	if (doc_type(d) != DOC_STR)
		return syntax(r);
	for (size_t i = 0; i < sid.n && r->type != POLICY_RESOURCE; i++)
		if (!isalnum((unsigned char)sid.p[i]))
			return wrong(r, "Statement IDs (SID) must be "
			    "alpha-numeric. Check that your input satisfies "
			    "the regular expression [0-9A-Za-z]*");
	if (sid.n && doc_has_str(r->sids, sid))
		return wrong(r, "Statement IDs (SID) in a single policy must "
		    "be unique.");
	doc_push_str(r->a, r->sids, sid);
	return true;
}

/* Who: only policies of resources, as trust policies are, say so. */
static bool
check_who(struct reading *r, const struct doc *s)
{
	const struct doc *p = doc_get(s, "Principal");
	const struct doc *not = doc_get(s, "NotPrincipal");

	if (r->type == POLICY_IDENTITY || r->type == POLICY_MANAGED)
		return !p && !not ? true :
		    wrong(r, "Policy document should not specify a principal.");
	if (not && r->type == POLICY_TRUST)
		return wrong(r, "Has prohibited field NotPrincipal");
	if (p && not)
		return syntax(r);
	return p || not ? check_principal(r, p ? p : not) :
	    wrong(r, "Missing required field Principal");
}

static bool
check_what(struct reading *r, const struct doc *s)
{
	const struct doc *yes = doc_get(s, "Resource");
	const struct doc *not = doc_get(s, "NotResource");

	if (r->type == POLICY_TRUST)
		return !yes && !not ? true :
		    wrong(r, "Has prohibited field %s", yes ? "Resource" :
		    "NotResource");
	if (!yes && !not)
		return wrong(r, "Policy statement must contain resources.");
	return yes && not ? syntax(r) :
	    each_text(r, yes ? yes : not, check_resource);
}

static bool
check_statement(struct reading *r, const struct doc *s)
{
	static const char *const names[] = {"Sid", "Effect", "Principal",
	    "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
	    "Condition"};
	struct span effect = doc_get_str(s, "Effect");
	const struct doc *yes = doc_get(s, "Action");
	const struct doc *not = doc_get(s, "NotAction");

	if (doc_type(s) != DOC_OBJ)
		return syntax(r);
	if (!known_members(r, s, names, ARRAY_SIZE(names)))
		return false;
	if (!span_is(effect, "Allow") && !span_is(effect, "Deny"))
		return syntax(r);
	if (!yes && !not)
		return wrong(r, "Policy statement must contain actions.");
	if (yes && not)
		return syntax(r);
	return check_sid(r, doc_get(s, "Sid")) && check_who(r, s) &&
	    each_text(r, yes ? yes : not, check_action) &&
	    check_what(r, s) && check_condition(r, doc_get(s, "Condition"));
}

static bool
check_version(struct reading *r, const struct doc *policy)
{
	const struct doc *d = doc_get(policy, "Version");

	if (d && !span_is(doc_span(d), "2012-10-17") &&
	    !span_is(doc_span(d), "2008-10-17"))
		return syntax(r);
	if (r->type == POLICY_MANAGED && !span_is(doc_span(d), "2012-10-17"))
		return wrong(r, "Policy document must be version 2012-10-17 or "
		    "greater.");
	return true;
}

static bool
check(struct reading *r, const struct doc *policy)
{
	static const char *const names[] = {"Version", "Id", "Statement"};
	const struct doc *list = doc_get(policy, "Statement");

	if (doc_type(policy) != DOC_OBJ)
		return syntax(r);
	if (!known_members(r, policy, names, ARRAY_SIZE(names)) ||
	    !check_version(r, policy))
		return false;
	if (doc_type(list) == DOC_OBJ)
		return check_statement(r, list);
	if (doc_type(list) != DOC_ARR || doc_len(list) == 0)
		return syntax(r);
	doc_each(s, list)
		if (!check_statement(r, s))
			return false;
	return true;
}

int
policy_parse(struct arena *a, struct span text, enum policy_type type,
    struct doc **ret, struct span *ret_why)
{
	struct reading r = {.a = a, .type = type, .sids = doc_arr(a)};
	struct doc *d;

	if (doc_parse_json(a, text, &d)) {
		*ret_why = type == POLICY_TRUST ?
		    SPAN("This policy contains invalid Json") : SPAN(SYNTAX);
		return POLICY_E_MALFORMED;
	}
	if (!check(&r, d)) {
		*ret_why = r.why;
		return POLICY_E_MALFORMED;
	}
	*ret = d;
	return 0;
}

size_t
policy_size(struct span text)
{
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted && i + 1 < text.n)
			n++, i++;
		n += quoted || !isspace((unsigned char)c);
	}
	return n;
}
