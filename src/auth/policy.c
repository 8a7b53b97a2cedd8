/* The grammar of policies. */
#include "auth/policy.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
static const char *const operators[] = {
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase",
	"StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan",
	"NumericLessThanEquals", "NumericGreaterThan",
	"NumericGreaterThanEquals", "DateEquals", "DateNotEquals",
	"DateLessThan", "DateLessThanEquals", "DateGreaterThan",
	"DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
	"NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
	"Null", NULL,
};

struct check {
	struct arena *a;
	enum policy_type type;
	struct span *why;
};

static bool
bad(const struct check *k, const char *text)
{
	*k->why = span_of(text);
	return false;
}

#define SYNTAX "Syntax errors in policy."

/* A string, or an array of strings that has any. */
static bool
is_words(const struct doc *d)
{
	if (doc_type(d) == DOC_STR)
		return true;
	if (doc_type(d) != DOC_ARR || doc_len(d) == 0)
		return false;
	doc_each(v, d)
		if (doc_type(v) != DOC_STR)
			return false;
	return true;
}

static bool
is_scalar(const struct doc *d)
{
	enum doc_type t = doc_type(d);

	return t == DOC_STR || t == DOC_BOOL || t == DOC_INT || t == DOC_REAL;
}

static bool
is_operator(struct span name)
{
	ptrdiff_t colon = span_chr(name, ':');

	if (colon >= 0) {
		struct span set = span_to(name, (size_t)colon);

		if (!span_is(set, "ForAnyValue") && !span_is(set, "ForAllValues"))
			return false;
		name = span_from(name, (size_t)colon + 1);
	}
	if (span_ends(name, SPAN("IfExists")))
		name = span_to(name, name.n - 8);
	for (const char *const *o = operators; *o; o++)
		if (span_ieq(name, span_of(*o)))
			return true;
	return false;
}

static bool
check_condition(const struct check *k, const struct doc *d)
{
	if (doc_type(d) != DOC_OBJ)
		return bad(k, SYNTAX);
	doc_each_key(op, keys, d) {
		if (!is_operator(op) || doc_type(keys) != DOC_OBJ)
			return bad(k, SYNTAX);
		doc_each_key(key, v, keys) {
			if (key.n == 0)
				return bad(k, SYNTAX);
			if (doc_type(v) == DOC_ARR) {
				doc_each(e, v)
					if (!is_scalar(e))
						return bad(k, SYNTAX);
			} else if (!is_scalar(v)) {
				return bad(k, SYNTAX);
			}
		}
	}
	return true;
}

/* "*", or "vendor:Name" with wildcards. */
static bool
check_action(const struct check *k, struct span s)
{
	ptrdiff_t colon = span_chr(s, ':');

	if (span_is(s, "*"))
		return true;
	if (colon <= 0 || (size_t)colon + 1 == s.n)
		return bad(k, "Actions/Conditions must be prefaced by a "
		    "vendor, e.g., iam, sdb, ec2, etc.");
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool vendor = i < (size_t)colon;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || i == (size_t)colon ||
		    (!vendor && (c == '*' || c == '?' || c == '_')))
			continue;
		*k->why = vendor ? arena_fmt_span(k->a, "Vendor %.*s is not "
		    "valid", (int)colon, s.p) : SPAN(SYNTAX);
		return false;
	}
	if (k->type == POLICY_TRUST && !span_starts(s, SPAN("sts:")))
		return bad(k, "AssumeRole policy may only specify STS "
		    "AssumeRole actions.");
	return true;
}

static bool
check_resource(const struct check *k, struct span s)
{
	size_t colons = 0;

	if (span_is(s, "*"))
		return true;
	for (size_t i = 0; i < s.n; i++)
		colons += s.p[i] == ':';
	if (span_starts(s, SPAN("arn:")) && colons >= 5)
		return true;
	*k->why = arena_fmt_span(k->a, "Resource %.*s must be in ARN format or "
	    "\"*\".", SPAN_ARG(s));
	return false;
}

static bool
check_each(const struct check *k, const struct doc *d,
    bool (*fn)(const struct check *, struct span))
{
	if (!is_words(d))
		return bad(k, SYNTAX);
	if (doc_type(d) == DOC_STR)
		return fn(k, doc_span(d));
	doc_each(v, d)
		if (!fn(k, doc_span(v)))
			return false;
	return true;
}

static bool
check_principal(const struct check *k, const struct doc *d)
{
	if (doc_type(d) == DOC_STR)
		return span_is(doc_span(d), "*") || bad(k, SYNTAX);
	if (doc_type(d) != DOC_OBJ || doc_len(d) == 0)
		return bad(k, SYNTAX);
	doc_each_key(who, v, d) {
		if (!span_is(who, "AWS") && !span_is(who, "Service") &&
		    !span_is(who, "Federated") &&
		    !span_is(who, "CanonicalUser"))
			return bad(k, SYNTAX);
		if (!is_words(v))
			return bad(k, SYNTAX);
	}
	return true;
}

/* Exactly one of an element and its opposite. */
static const struct doc *
one_of(const struct doc *st, const char *name, const char *opposite,
    bool *ret_both)
{
	const struct doc *d = doc_get(st, name), *n = doc_get(st, opposite);

	*ret_both = d && n;
	return d ? d : n;
}

static bool
check_members(const struct check *k, const struct doc *st)
{
	static const char *const known[] = {"Sid", "Effect", "Principal",
	    "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
	    "Condition"};

	doc_each_key(name, v, st) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found = found || span_is(name, known[i]);
		if (!found)
			return bad(k, SYNTAX);
	}
	return true;
}

static bool
check_scope(const struct check *k, const struct doc *st)
{
	bool both;
	const struct doc *d = one_of(st, "Resource", "NotResource", &both);

	if (both)
		return bad(k, SYNTAX);
	if (k->type == POLICY_TRUST && d)
		return bad(k, "Has prohibited field Resource");
	if (k->type != POLICY_TRUST && !d)
		return bad(k, "Policy statement must contain resources.");
	if (d && !check_each(k, d, check_resource))
		return false;
	d = one_of(st, "Principal", "NotPrincipal", &both);
	if (both)
		return bad(k, SYNTAX);
	if (k->type == POLICY_IDENTITY && d)
		return bad(k, "Policy document should not specify a "
		    "principal.");
	if (k->type != POLICY_IDENTITY && !d)
		return bad(k, "Missing required field Principal");
	return !d || check_principal(k, d);
}

static bool
check_statement(const struct check *k, const struct doc *st)
{
	struct span effect = doc_get_str(st, "Effect");
	const struct doc *sid = doc_get(st, "Sid"), *action;
	const struct doc *condition = doc_get(st, "Condition");
	bool both;

	if (doc_type(st) != DOC_OBJ || !check_members(k, st) ||
	    (sid && doc_type(sid) != DOC_STR) ||
	    (!span_is(effect, "Allow") && !span_is(effect, "Deny")))
		return bad(k, SYNTAX);
	action = one_of(st, "Action", "NotAction", &both);
	if (both)
		return bad(k, SYNTAX);
	if (!action)
		return bad(k, "Policy statement must contain actions.");
	return check_each(k, action, check_action) && check_scope(k, st) &&
	    (!condition || check_condition(k, condition));
}

/* Sids are of one policy's statements alone. */
static bool
check_sids(const struct check *k, const struct doc *list)
{
	struct doc *seen = doc_obj(k->a);

	doc_each(st, list) {
		struct span sid = doc_get_str(st, "Sid");

		if (!sid.n)
			continue;
		if (doc_getn(seen, sid))
			return bad(k, "Statement IDs (SID) in a single policy "
			    "must be unique.");
		doc_setn(k->a, seen, sid, doc_bool(k->a, true));
	}
	return true;
}

static bool
check_document(const struct check *k, const struct doc *d)
{
	struct span version = doc_get_str(d, "Version");
	const struct doc *list = doc_get(d, "Statement");

	if (doc_type(d) != DOC_OBJ)
		return bad(k, SYNTAX);
	doc_each_key(name, v, d)
		if (!span_is(name, "Version") && !span_is(name, "Id") &&
		    !span_is(name, "Statement"))
			return bad(k, SYNTAX);
	if (doc_get(d, "Version") && !span_is(version, "2012-10-17") &&
	    !span_is(version, "2008-10-17"))
		return bad(k, SYNTAX);
	if (k->type == POLICY_IDENTITY && !span_is(version, "2012-10-17"))
		return bad(k, "Policy document must be version 2012-10-17 or "
		    "greater.");
	if (doc_type(list) == DOC_OBJ)
		return check_statement(k, list);
	if (doc_type(list) != DOC_ARR || doc_len(list) == 0)
		return bad(k, SYNTAX);
	doc_each(st, list)
		if (!check_statement(k, st))
			return false;
	return check_sids(k, list);
}

int
policy_parse(struct arena *a, struct span text, enum policy_type type,
    struct doc **ret, struct span *ret_why)
{
	struct check k = {.a = a, .type = type, .why = ret_why};
	struct doc *d;

	if (doc_parse_json(a, text, &d)) {
		*ret_why = type == POLICY_TRUST ?
		    SPAN("This policy contains invalid Json") : SPAN(SYNTAX);
		return POLICY_E_MALFORMED;
	}
	if (!check_document(&k, d))
		return POLICY_E_MALFORMED;
	*ret = d;
	return 0;
}
