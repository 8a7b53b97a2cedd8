/* What a policy says of a request. */
#include "auth/policy.h"

struct view {
	struct arena *a;
	const struct policy_request *q;
	bool variables;
};

/* Each of a text or a list of texts. */
static bool
any(const struct view *v, const struct doc *list,
    bool (*fn)(const struct view *, struct span))
{
	if (doc_type(list) == DOC_STR)
		return fn(v, doc_span(list));
	doc_each(e, list)
		if (fn(v, doc_span(e)))
			return true;
	return false;
}

static bool
is_action(const struct view *v, struct span action)
{
	return policy_like(arena_lower(v->a, action), arena_lower(v->a, v->q->action),
	    v->q, false);
}

static bool
is_resource(const struct view *v, struct span resource)
{
	return policy_like(resource, v->q->resource, v->q, v->variables);
}

/* The account that "123456789012" or its root's ARN means. */
static struct span
account_of(struct span s)
{
	const struct span tail = SPAN(":root");
	struct span rest = s;

	if (s.n == 12 && span_chr(s, ':') < 0)
		return s;
	if (!span_starts(s, SPAN("arn:")) || !span_ends(s, tail))
		return SPAN_NULL;
	span_cut(&rest, ':');
	span_cut(&rest, ':');
	if (!span_is(span_cut(&rest, ':'), "iam"))
		return SPAN_NULL;
	span_cut(&rest, ':');
	return span_to(rest, rest.n - tail.n);
}

static bool
is_aws(const struct view *v, struct span s)
{
	const struct policy_request *q = v->q;
	struct span account = account_of(s);

	if (!q->principal.n)
		return false;
	if (span_is(s, "*"))
		return true;
	if (account.n)
		return span_eq(account, q->account);
	return s.n && (span_eq(s, q->principal) || span_eq(s, q->role));
}

static bool
is_service(const struct view *v, struct span s)
{
	return s.n && span_eq(s, v->q->service);
}

static bool
is_federated(const struct view *v, struct span s)
{
	return s.n && span_eq(s, v->q->federated);
}

static bool
is_principal(const struct view *v, const struct doc *p)
{
	if (doc_type(p) == DOC_STR)
		return span_is(doc_span(p), "*");
	return any(v, doc_get(p, "AWS"), is_aws) ||
	    any(v, doc_get(p, "Service"), is_service) ||
	    any(v, doc_get(p, "Federated"), is_federated);
}

static bool
applies(const struct view *v, const struct doc *s)
{
	const struct doc *d;

	if ((d = doc_get(s, "Principal")) && !is_principal(v, d))
		return false;
	if ((d = doc_get(s, "NotPrincipal")) && is_principal(v, d))
		return false;
	if ((d = doc_get(s, "Action")) && !any(v, d, is_action))
		return false;
	if ((d = doc_get(s, "NotAction")) && any(v, d, is_action))
		return false;
	if ((d = doc_get(s, "Resource")) && !any(v, d, is_resource))
		return false;
	if ((d = doc_get(s, "NotResource")) && any(v, d, is_resource))
		return false;
	return policy_condition(v->a, doc_get(s, "Condition"), v->q,
	    v->variables);
}

static enum policy_effect
statement(const struct view *v, const struct doc *s)
{
	if (!applies(v, s))
		return POLICY_SILENT;
	return span_is(doc_get_str(s, "Effect"), "Deny") ? POLICY_DENY :
	    POLICY_ALLOW;
}

enum policy_effect
policy_says(struct arena *a, const struct doc *policy,
    const struct policy_request *q)
{
	const struct doc *list = doc_get(policy, "Statement");
	enum policy_effect all = POLICY_SILENT;
	struct view v = {a, q,
	    span_is(doc_get_str(policy, "Version"), "2012-10-17")};

	if (doc_type(list) == DOC_OBJ)
		return statement(&v, list);
	doc_each(s, list) {
		enum policy_effect e = statement(&v, s);

		if (e == POLICY_DENY)
			return e;
		all = e == POLICY_ALLOW ? e : all;
	}
	return all;
}
