/* Conditions: operators, sets, variables. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#include "auth/policy.h"
#include "base/clock.h"

/* In expanded text these two are wild; what was meant literally is not. */
#define ANY  '\001'
#define ONE  '\002'
#define NONE '\003' /* stands for either where a value brings it along */

#define NUMBER_MAX 64

static const struct doc *
context_get(const struct policy_request *q, struct span key)
{
	doc_each_key(k, v, q->context)
		if (span_ieq(k, key))
			return v;
	return NULL;
}

static void
add_literal(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(b, s.p[i] == ANY || s.p[i] == ONE ? NONE :
		    s.p[i]);
}

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * False: the variable has no value, and nothing matches then. */
static bool
add_variable(struct buf *b, struct span name, const struct policy_request *q)
{
	struct span rest = name, key = span_trim(span_cut(&rest, ','));
	const struct doc *v;

	if (span_is(name, "*") || span_is(name, "?") || span_is(name, "$")) {
		buf_add_span(b, name);
		return true;
	}
	v = context_get(q, key);
	if (doc_type(v) == DOC_STR) {
		add_literal(b, doc_span(v));
		return true;
	}
	rest = span_trim(rest);
	if (rest.n < 2 || rest.p[0] != '\'' || rest.p[rest.n - 1] != '\'')
		return false;
	add_literal(b, span_make(rest.p + 1, rest.n - 2));
	return true;
}

static bool
expand(struct buf *b, struct span s, const struct policy_request *q,
    bool variables, bool wild)
{
	while (s.n) {
		ptrdiff_t end = span_starts(s, SPAN("${")) && variables ?
		    span_chr(s, '}') : -1;

		if (end > 0) {
			if (!add_variable(b, span_make(s.p + 2,
				(size_t)end - 2), q))
				return false;
			s = span_from(s, (size_t)end + 1);
			continue;
		}
		if (wild && (s.p[0] == '*' || s.p[0] == '?'))
			buf_add_char(b, s.p[0] == '*' ? ANY : ONE);
		else
			add_literal(b, span_to(s, 1));
		s = span_from(s, 1);
	}
	return true;
}

/* Goes back to the last run only: that is enough, and linear in space. */
static bool
matches(struct span p, struct span s)
{
	size_t i = 0, j = 0, run = SIZE_MAX, from = 0;

	while (j < s.n) {
		if (i < p.n && p.p[i] == ANY) {
			run = i++;
			from = j;
		} else if (i < p.n && (p.p[i] == ONE || p.p[i] == s.p[j])) {
			i++;
			j++;
		} else if (run != SIZE_MAX) {
			i = run + 1;
			j = ++from;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == ANY)
		i++;
	return i == p.n;
}

bool
policy_like(struct span pattern, struct span value,
    const struct policy_request *q, bool variables)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	return expand(&b, pattern, q, variables, true) &&
	    matches(buf_span(&b), value);
}

/* The kinds of comparison.  p is expanded, its wild bytes being ANY and ONE
 * where the operator has them. */

static bool
same(struct span p, struct span v)
{
	return span_eq(p, v);
}

static bool
same_nocase(struct span p, struct span v)
{
	return span_ieq(p, v);
}

/* Each of an ARN's six parts by itself. */
static bool
arn_like(struct span p, struct span v)
{
	for (int i = 0; i < 5; i++) {
		struct span pp = span_cut(&p, ':'), vp = span_cut(&v, ':');

		if (!p.p || !v.p || !matches(pp, vp))
			return false;
	}
	return matches(p, v);
}

static bool
number(struct span s, double *ret)
{
	char text[NUMBER_MAX + 1], *end;

	if (s.n == 0 || s.n > NUMBER_MAX || memchr(s.p, 0, s.n) ||
	    isspace((unsigned char)s.p[0]))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	*ret = strtod(text, &end);
	return *end == 0;
}

/* ISO 8601, of a day ("2026-11-23") or a second, or seconds since 1970. */
static bool
moment(struct span s, double *ret)
{
	_cleanup_(buf_done) struct buf day = BUF_INIT;
	int64_t ms;

	if (s.n == strlen("2026-11-23") && span_chr(s, '-') == 4) {
		buf_addf(&day, "%.*sT00:00:00Z", SPAN_ARG(s));
		s = buf_span(&day);
	}
	if (!clock_parse_iso(s, &ms))
		return number(s, ret);
	*ret = (double)ms / 1000;
	return true;
}

#define COMPARE(name, read, op)                                         \
	static bool name(struct span p, struct span v)                  \
	{                                                               \
		double x, y;                                            \
		return read(v, &x) && read(p, &y) && x op y;            \
	}
COMPARE(number_eq, number, ==)
COMPARE(number_lt, number, <)
COMPARE(number_le, number, <=)
COMPARE(number_gt, number, >)
COMPARE(number_ge, number, >=)
COMPARE(date_eq, moment, ==)
COMPARE(date_lt, moment, <)
COMPARE(date_le, moment, <=)
COMPARE(date_gt, moment, >)
COMPARE(date_ge, moment, >=)

struct address {
	unsigned char b[16]; /* 4 of version 4 */
	unsigned bits;	     /* 32 or 128; of a block: its length */
};

static bool
read_address(struct span s, struct address *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || memchr(s.p ? s.p : "", 0, s.n))
		return false;
	memcpy(text, s.p ? s.p : "", s.n);
	text[s.n] = 0;
	ret->bits = span_chr(s, ':') < 0 ? 32 : 128;
	return inet_pton(ret->bits == 32 ? AF_INET : AF_INET6, text,
	    ret->b) == 1;
}

/* An address is a block of its own. */
static bool
in_block(struct span p, struct span v)
{
	struct address block, one;
	struct span rest = p, base = span_cut(&rest, '/');
	uint64_t len;

	if (!read_address(v, &one) || !read_address(base, &block) ||
	    one.bits != block.bits)
		return false;
	len = block.bits;
	if (rest.p && (!span_u64(rest, &len) || len > block.bits))
		return false;
	for (unsigned i = 0; i < len; i++)
		if ((block.b[i / 8] ^ one.b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

struct operator {
	const char *name;
	bool (*fn)(struct span p, struct span v);
	bool negated;
	bool wild;
};

static const struct operator operators[] = {
	{"StringEquals", same, false, false},
	{"StringNotEquals", same, true, false},
	{"StringEqualsIgnoreCase", same_nocase, false, false},
	{"StringNotEqualsIgnoreCase", same_nocase, true, false},
	{"StringLike", matches, false, true},
	{"StringNotLike", matches, true, true},
	{"NumericEquals", number_eq, false, false},
	{"NumericNotEquals", number_eq, true, false},
	{"NumericLessThan", number_lt, false, false},
	{"NumericLessThanEquals", number_le, false, false},
	{"NumericGreaterThan", number_gt, false, false},
	{"NumericGreaterThanEquals", number_ge, false, false},
	{"DateEquals", date_eq, false, false},
	{"DateNotEquals", date_eq, true, false},
	{"DateLessThan", date_lt, false, false},
	{"DateLessThanEquals", date_le, false, false},
	{"DateGreaterThan", date_gt, false, false},
	{"DateGreaterThanEquals", date_ge, false, false},
	{"Bool", same_nocase, false, false},
	{"BinaryEquals", same, false, false},
	{"IpAddress", in_block, false, false},
	{"NotIpAddress", in_block, true, false},
	{"ArnEquals", arn_like, false, true},
	{"ArnLike", arn_like, false, true},
	{"ArnNotEquals", arn_like, true, true},
	{"ArnNotLike", arn_like, true, true},
	{"Null", same_nocase, false, false},
};

enum set { SET_NONE, SET_ANY, SET_ALL };

struct test {
	const struct operator *op;
	enum set set;
	bool if_exists;
};

static bool
read_operator(struct span name, struct test *ret)
{
	*ret = (struct test){0};
	if (span_starts(name, SPAN("ForAnyValue:")))
		ret->set = SET_ANY;
	else if (span_starts(name, SPAN("ForAllValues:")))
		ret->set = SET_ALL;
	if (ret->set != SET_NONE)
		span_cut(&name, ':');
	ret->if_exists = span_ends(name, SPAN("IfExists"));
	if (ret->if_exists)
		name.n -= strlen("IfExists");
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (span_is(name, operators[i].name))
			ret->op = &operators[i];
	return ret->op && !(ret->if_exists && span_is(name, "Null"));
}

bool
policy_operator_known(struct span name)
{
	struct test t;

	return read_operator(name, &t);
}

/* A scalar of a policy, or of the context, as text. */
static struct span
text_of(struct arena *a, const struct doc *d)
{
	return doc_type(d) == DOC_STR ? doc_span(d) : doc_json(a, d);
}

/* Does value match one of what the policy lists? */
static bool
one_of(struct arena *a, const struct operator *op, const struct doc *listed,
    struct span value, const struct policy_request *q, bool variables)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (doc_type(listed) != DOC_ARR)
		return expand(&b, text_of(a, listed), q, variables, op->wild) &&
		    op->fn(buf_span(&b), value);
	doc_each(v, listed)
		if (one_of(a, op, v, value, q, variables))
			return true;
	return false;
}

static bool
holds(struct arena *a, const struct test *t, const struct doc *listed,
    const struct doc *have, const struct policy_request *q, bool variables)
{
	bool all = t->set == SET_ALL;

	if (strcmp(t->op->name, "Null") == 0)
		return one_of(a, t->op, listed, doc_type(have) == DOC_NONE ?
		    SPAN("true") : SPAN("false"), q, variables);
	if (doc_type(have) == DOC_NONE ||
	    (doc_type(have) == DOC_ARR && doc_len(have) == 0))
		return t->if_exists || all ||
		    (t->op->negated && t->set == SET_NONE);
	if (doc_type(have) != DOC_ARR)
		return one_of(a, t->op, listed, text_of(a, have), q,
		    variables) != t->op->negated;
	/* Without a word on sets, a negation is of all values. */
	if (t->set == SET_NONE)
		all = t->op->negated;
	doc_each(v, have) {
		bool ok = one_of(a, t->op, listed, text_of(a, v), q,
		    variables) != t->op->negated;

		if (ok != all)
			return ok;
	}
	return all;
}

bool
policy_condition(struct arena *a, const struct doc *condition,
    const struct policy_request *q, bool variables)
{
	struct test t;

	doc_each_key(name, keys, condition) {
		if (!read_operator(name, &t))
			return false;
		doc_each_key(key, listed, keys)
			if (!holds(a, &t, listed, context_get(q, key), q,
				variables))
				return false;
	}
	return true;
}
