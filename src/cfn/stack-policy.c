/* Stack policies: see cfn/stack-policy.h. */
#include "cfn/stack-policy.h"

#include "cfn/internal.h"

#define POLICY_MAX 16384 /* bytes, as the model of SetStackPolicy says */

static int
invalid(struct arena *a, struct cfn_error *err)
{
	return cfn_invalid(a, err, "Error validating stack policy: Invalid "
	    "stack policy");
}

/* A text, or a list of texts that is not empty. */
static bool
is_words(const struct doc *d)
{
	if (doc_type(d) == DOC_STR)
		return true;
	if (doc_type(d) != DOC_ARR || !doc_len(d))
		return false;
	doc_each(v, d)
		if (doc_type(v) != DOC_STR)
			return false;
	return true;
}

/* Exactly one of the two. */
static bool
either(const struct doc *s, const char *one, const char *other)
{
	return (doc_get(s, one) != NULL) != (doc_get(s, other) != NULL) &&
	    is_words(doc_get(s, one) ? doc_get(s, one) : doc_get(s, other));
}

static bool
is_condition(const struct doc *c)
{
	if (c && doc_type(c) != DOC_OBJ)
		return false;
	doc_each_key(op, v, c) {
		if (!span_is(op, "StringEquals") && !span_is(op, "StringLike"))
			return false;
		if (doc_type(v) != DOC_OBJ || doc_len(v) != 1 ||
		    !is_words(doc_get(v, "ResourceType")))
			return false;
	}
	return true;
}

static bool
is_statement(const struct doc *s)
{
	static const char *const known[] = {"Effect", "Action", "NotAction",
		"Principal", "Resource", "NotResource", "Condition", "Sid"};
	struct span effect = doc_get_str(s, "Effect");
	bool found;

	doc_each_key(k, v, s) {
		found = false;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found |= span_is(k, known[i]);
		if (!found)
			return false;
	}
	return (span_is(effect, "Allow") || span_is(effect, "Deny")) &&
	    span_is(doc_get_str(s, "Principal"), "*") &&
	    either(s, "Action", "NotAction") &&
	    either(s, "Resource", "NotResource") &&
	    is_condition(doc_get(s, "Condition"));
}

int
cfn_stack_policy_parse(struct arena *a, struct span text, struct doc **ret,
    struct cfn_error *err)
{
	struct doc *d, *list;

	if (text.n > POLICY_MAX || doc_parse_json(a, text, &d))
		return invalid(a, err);
	list = doc_get(d, "Statement");
	if (doc_type(d) != DOC_OBJ || doc_type(list) != DOC_ARR)
		return invalid(a, err);
	doc_each(s, list)
		if (!is_statement(s))
			return invalid(a, err);
	*ret = d;
	return 0;
}

static bool
any_match(const struct doc *words, struct span s)
{
	if (doc_type(words) == DOC_STR)
		return span_glob(doc_span(words), s);
	doc_each(w, words)
		if (span_glob(doc_span(w), s))
			return true;
	return false;
}

static bool
any_equal(const struct doc *words, struct span s)
{
	return doc_type(words) == DOC_STR ? span_eq(doc_span(words), s) :
					    doc_has_str(words, s);
}

static bool
matches(const struct doc *s, const char *one, const char *other,
    struct span value)
{
	return doc_get(s, one) ? any_match(doc_get(s, one), value) :
				 !any_match(doc_get(s, other), value);
}

static bool
condition_holds(const struct doc *c, struct span type)
{
	doc_each_key(op, v, c) {
		const struct doc *types = doc_get(v, "ResourceType");

		if (span_is(op, "StringEquals") ? !any_equal(types, type) :
						  !any_match(types, type))
			return false;
	}
	return true;
}

bool
cfn_stack_policy_allows(struct arena *a, const struct doc *policy,
    const char *action, struct span logical, struct span type,
    struct span *ret_why)
{
	struct span resource = arena_fmt_span(a, "LogicalResourceId/%.*s",
	    SPAN_ARG(logical));
	bool allowed = false;
	size_t i = 0;

	doc_each(s, doc_get(policy, "Statement")) {
		i++;
		if (!matches(s, "Action", "NotAction", span_of(action)) ||
		    !matches(s, "Resource", "NotResource", resource) ||
		    !condition_holds(doc_get(s, "Condition"), type))
			continue;
		if (span_is(doc_get_str(s, "Effect"), "Deny")) {
			*ret_why = arena_fmt_span(a, "Action denied by stack "
			    "policy: Statement [#%zu] does not allow [%s] for "
			    "resource [%.*s]", i, action, SPAN_ARG(resource));
			return false;
		}
		allowed = true;
	}
	if (!allowed)
		*ret_why = arena_fmt_span(a, "Action denied by stack policy: "
		    "No statement allows [%s] for resource [%.*s]", action,
		    SPAN_ARG(resource));
	return allowed;
}
