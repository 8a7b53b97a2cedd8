/* What a policy says of a request. */
#include "auth/policy.h"

struct ask {
	struct arena *a;
	const struct policy_request *q;
};

static struct span
lower(struct arena *a, struct span s)
{
	char *p = arena_str(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 'a' - 'A');
	return span_make(p, s.n);
}

static bool
glob_lower(struct arena *a, struct span pattern, struct span s)
{
	return span_glob(lower(a, pattern), lower(a, s));
}

/* Does one of the words match?  A word alone stands for a list of one. */
static bool
any_word(const struct ask *k, const struct doc *words,
    bool (*fn)(const struct ask *, struct span))
{
	if (doc_type(words) == DOC_STR)
		return fn(k, doc_span(words));
	doc_each(w, words)
		if (fn(k, doc_span(w)))
			return true;
	return false;
}

static bool
is_action(const struct ask *k, struct span w)
{
	return glob_lower(k->a, w, k->q->action);
}

static bool
is_resource(const struct ask *k, struct span w)
{
	return span_glob(w, k->q->resource);
}

/* An account, by its number or its root, stands for all of it. */
static bool
is_aws(const struct ask *k, struct span w)
{
	const struct policy_request *q = k->q;

	if (!q->principal.n)
		return false;
	return span_is(w, "*") || span_eq(w, q->account) ||
	    span_eq(w, q->principal) || (q->role.n && span_eq(w, q->role)) ||
	    span_eq(w, arena_fmt_span(k->a, "arn:aws:iam::%.*s:root",
		SPAN_ARG(q->account)));
}

static bool
is_service(const struct ask *k, struct span w)
{
	return k->q->service.n && span_eq(w, k->q->service);
}

static bool
is_principal(const struct ask *k, const struct doc *d)
{
	if (doc_type(d) == DOC_STR)
		return span_is(doc_span(d), "*");
	return any_word(k, doc_get(d, "AWS"), is_aws) ||
	    any_word(k, doc_get(d, "Service"), is_service);
}

/* Conditions */

enum judged { NO, YES, UNKNOWN };

static struct span
text_of(const struct ask *k, const struct doc *d)
{
	return doc_type(d) == DOC_STR ? doc_span(d) : doc_json(k->a, d);
}

/* "arn:a:b:c:d:e" with wildcards in each part, not over them. */
static bool
arn_like(struct span pattern, struct span s)
{
	for (int i = 0; i < 5; i++)
		if (!span_glob(span_cut(&pattern, ':'), span_cut(&s, ':')))
			return false;
	return span_glob(pattern, s);
}

/* Whole numbers are what AWS's keys have. */
static enum judged
numeric(struct span op, struct span want, struct span have)
{
	int64_t w, h;

	if (!span_i64(want, &w) || !span_i64(have, &h))
		return UNKNOWN;
	if (span_ieq(op, SPAN("NumericEquals")))
		return w == h;
	if (span_ieq(op, SPAN("NumericNotEquals")))
		return w != h;
	if (span_ieq(op, SPAN("NumericLessThan")))
		return h < w;
	if (span_ieq(op, SPAN("NumericLessThanEquals")))
		return h <= w;
	if (span_ieq(op, SPAN("NumericGreaterThan")))
		return h > w;
	return h >= w;
}

/* One value of the policy against one of the request, negation left out. */
static enum judged
compare(struct span op, struct span want, struct span have)
{
	if (span_ieq(op, SPAN("StringEquals")) || span_ieq(op,
	    SPAN("BinaryEquals")))
		return span_eq(want, have);
	if (span_ieq(op, SPAN("StringEqualsIgnoreCase")) ||
	    span_ieq(op, SPAN("Bool")))
		return span_ieq(want, have);
	if (span_ieq(op, SPAN("StringLike")))
		return span_glob(want, have);
	if (span_ieq(op, SPAN("ArnEquals")) || span_ieq(op, SPAN("ArnLike")))
		return arn_like(want, have);
	if (span_ieq(span_to(op, 7), SPAN("Numeric")))
		return numeric(op, want, have);
	return UNKNOWN;
}

static enum judged
matches_any(const struct ask *k, struct span op, const struct doc *want,
    struct span have)
{
	enum judged all = NO;

	if (doc_type(want) != DOC_ARR)
		return compare(op, text_of(k, want), have);
	doc_each(w, want) {
		enum judged j = compare(op, text_of(k, w), have);

		if (j == YES)
			return YES;
		all = j == UNKNOWN ? UNKNOWN : all;
	}
	return all;
}

/* "StringNotLike" is "StringLike" that must not hold for any value. */
static bool
without_not(struct arena *a, struct span *op)
{
	ptrdiff_t at = span_find(*op, SPAN("Not"));

	if (at < 0 || span_ieq(*op, SPAN("NumericNotEquals")))
		return false;
	*op = arena_fmt_span(a, "%.*s%.*s", (int)at, op->p,
	    SPAN_ARG(span_from(*op, (size_t)at + 3)));
	return true;
}

enum set { ONE, ANY_VALUE, ALL_VALUES };

static enum set
cut_set(struct span *op)
{
	struct span rest = *op, first = span_cut(&rest, ':');

	if (!rest.p)
		return ONE;
	*op = rest;
	return span_is(first, "ForAnyValue") ? ANY_VALUE : ALL_VALUES;
}

static enum judged
judge_values(const struct ask *k, struct span op, enum set set, bool negated,
    const struct doc *want, const struct doc *have)
{
	enum judged result = set == ALL_VALUES ? YES : NO;

	if (doc_type(have) == DOC_STR) {
		enum judged j = matches_any(k, op, want, doc_span(have));

		return j == UNKNOWN ? UNKNOWN : (j == YES) != negated;
	}
	doc_each(h, have) {
		enum judged j = matches_any(k, op, want, doc_span(h));

		if (j == UNKNOWN)
			return UNKNOWN;
		if (((j == YES) != negated) != (set == ALL_VALUES))
			result = set == ALL_VALUES ? NO : YES;
	}
	return result;
}

static enum judged
judge_key(const struct ask *k, struct span op, struct span key,
    const struct doc *want)
{
	const struct doc *have = doc_getn(k->q->context, lower(k->a, key));
	enum set set = cut_set(&op);
	bool if_exists = span_ends(op, SPAN("IfExists")), negated;

	if (span_ieq(op, SPAN("Null")))
		return matches_any(k, SPAN("Bool"), want,
		    have ? SPAN("false") : SPAN("true"));
	if (if_exists)
		op = span_to(op, op.n - 8);
	negated = without_not(k->a, &op);
	if (!have)
		return if_exists || negated || set == ALL_VALUES ? YES : NO;
	return judge_values(k, op, set, negated, want, have);
}

static enum judged
judge(const struct ask *k, const struct doc *condition)
{
	enum judged all = YES;

	doc_each_key(op, keys, condition)
		doc_each_key(key, want, keys) {
			enum judged j = judge_key(k, op, key, want);

			if (j == NO)
				return NO;
			all = j == UNKNOWN ? UNKNOWN : all;
		}
	return all;
}

static bool
holds(const struct ask *k, const struct doc *st, const char *name,
    const char *opposite, bool (*fn)(const struct ask *, struct span))
{
	const struct doc *d = doc_get(st, name);

	if (d)
		return any_word(k, d, fn);
	d = doc_get(st, opposite);
	return !d || !any_word(k, d, fn);
}

static enum policy_effect
statement(const struct ask *k, const struct doc *st)
{
	bool deny = span_is(doc_get_str(st, "Effect"), "Deny");
	const struct doc *who = doc_get(st, "Principal");
	const struct doc *not = doc_get(st, "NotPrincipal");
	enum judged j;

	if ((who && !is_principal(k, who)) || (not && is_principal(k, not)) ||
	    !holds(k, st, "Action", "NotAction", is_action) ||
	    !holds(k, st, "Resource", "NotResource", is_resource))
		return POLICY_SILENT;
	j = judge(k, doc_get(st, "Condition"));
	if (deny)
		return j == NO ? POLICY_SILENT : POLICY_DENY;
	return j == YES ? POLICY_ALLOW : POLICY_SILENT;
}

enum policy_effect
policy_says(struct arena *a, const struct doc *policy,
    const struct policy_request *q)
{
	struct ask k = {.a = a, .q = q};
	const struct doc *list = doc_get(policy, "Statement");
	enum policy_effect all = POLICY_SILENT;

	if (doc_type(list) == DOC_OBJ)
		return statement(&k, list);
	doc_each(st, list) {
		enum policy_effect e = statement(&k, st);

		if (e == POLICY_DENY)
			return e;
		all = e == POLICY_ALLOW ? e : all;
	}
	return all;
}
