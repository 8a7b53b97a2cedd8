/*
 * Dynamic references: {{resolve:service:reference}} inside of a string.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
 */
#include "cfn/eval.h"

#define OPEN SPAN("{{resolve:")

/* The next reference of *rest, which is cut behind it; *ret_before is what is
 * in front of it.  False: there is none. */
static bool
next(struct span *rest, struct span *ret_before, struct span *ret)
{
	ptrdiff_t at = span_find(*rest, OPEN), end;
	struct span tail;

	if (at < 0)
		return false;
	tail = span_from(*rest, (size_t)at);
	end = span_find(tail, SPAN("}}"));
	if (end < 0)
		return false;
	*ret_before = span_to(*rest, (size_t)at);
	*ret = span_to(tail, (size_t)end + 2);
	*rest = span_from(tail, (size_t)end + 2);
	return true;
}

/* "ssm:name:version" or "secretsmanager:id:SecretString:key:stage:version".
 * An ARN has colons of its own: six parts before its name. */
static bool
parse(struct span text, struct cfn_dynamic *ret)
{
	static const char *const names[] = {"ssm", "ssm-secure",
	    "secretsmanager"};
	struct cfn_dynamic d = {.text = text};
	struct span rest = span_from(span_to(text, text.n - 2), OPEN.n), first;
	const char *p;
	size_t i;

	first = span_cut(&rest, ':');
	for (i = 0; i < ARRAY_SIZE(names) && !span_is(first, names[i]); i++)
		;
	if (i == ARRAY_SIZE(names) || !rest.n)
		return false;
	d.service = (enum cfn_dynamic_service)i;
	p = rest.p;
	d.name = span_cut(&rest, ':');
	if (span_is(d.name, "arn")) {
		for (i = 0; i < 6 && rest.p; i++)
			first = span_cut(&rest, ':');
		d.name = span_make(p, (size_t)(first.p + first.n - p));
	}
	if (d.service != CFN_DYN_SECRETSMANAGER) {
		d.version = rest;
	} else {
		first = span_cut(&rest, ':');
		if (first.n && !span_is(first, "SecretString"))
			return false;
		d.json_key = span_cut(&rest, ':');
		d.stage = span_cut(&rest, ':');
		d.version = rest;
	}
	*ret = d;
	return d.name.n > 0;
}

static int
value_of(struct arena *a, const struct cfn_stack *s, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err)
{
	const struct cfn_lookup *l = s->env.lookup;

	if (!l || !l->dynamic)
		return CFN_E_UNKNOWN;
	return l->dynamic(s->env.ctx, a, d, ret, err);
}

static int
replacement(struct eval *e, struct span text, struct span *ret)
{
	struct cfn_dynamic d;

	if (!parse(text, &d))
		return cfn_invalid(e->a, e->err, "Invalid dynamic reference "
		    "%.*s", SPAN_ARG(text));
	*ret = text;
	if ((e->flags & CFN_LITERAL_SECRETS) &&
	    d.service == CFN_DYN_SECRETSMANAGER)
		return 0;
	return value_of(e->a, e->s, &d, ret, e->err);
}

int
eval_string(struct eval *e, struct span s, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span before, text, v;

	if (e->flags & (CFN_SHOW | CFN_PLAN | CFN_LITERAL) ||
	    span_find(s, OPEN) < 0) {
		*ret = doc_strdup(e->a, s);
		return 0;
	}
	while (next(&s, &before, &text)) {
		R(replacement(e, text, &v));
		buf_add_span(&b, before);
		buf_add_span(&b, v);
	}
	buf_add_span(&b, s);
	*ret = doc_strdup(e->a, buf_span(&b));
	return 0;
}

/* Checking all of a stack */

struct check {
	struct arena *a;
	const struct cfn_stack *s;
	struct cfn_error *err;
	struct doc *values;
	struct span type;
	struct buf misplaced; /* where secure ones may not be */
};

static void
check_done(struct check *c)
{
	buf_done(&c->misplaced);
}

static bool
is_digits(struct span s)
{
	uint64_t n;

	return span_u64(s, &n);
}

/* Of all types here, one takes a secure parameter.
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html */
static bool
takes_secure(const struct check *c, struct span path)
{
	return span_is(c->type, "AWS::IAM::User") &&
	    span_is(path, "LoginProfile/Password");
}

static int
check_reference(struct check *c, struct span text, struct span path)
{
	/* What is to be made first cannot be looked at yet. */
	bool whole = span_find(text, SPAN("{{changeSet:")) < 0;
	struct cfn_dynamic d;
	struct span v;

	if (!parse(text, &d))
		return cfn_invalid(c->a, c->err, "Invalid dynamic reference "
		    "%.*s", SPAN_ARG(text));
	if (d.service == CFN_DYN_SECRETSMANAGER)
		return 0;
	if (whole && d.version.n && !is_digits(d.version))
		return cfn_invalid(c->a, c->err, "Incorrect format is used in "
		    "the following SSM reference: [%.*s]", SPAN_ARG(text));
	if (d.service == CFN_DYN_SSM_SECURE && !takes_secure(c, path)) {
		buf_addf(&c->misplaced, "%s%.*s/Properties/%.*s",
		    c->misplaced.n ? "," : "", SPAN_ARG(c->type),
		    SPAN_ARG(path));
		return 0;
	}
	if (!whole)
		return 0;
	R(value_of(c->a, c->s, &d, &v, c->err));
	if (d.service == CFN_DYN_SSM)
		doc_setn(c->a, c->values, arena_span(c->a, text),
		    doc_strdup(c->a, v));
	return 0;
}

/* path: the property's, down to the first list.  deep: below one. */
static int
check_value(struct check *c, const struct doc *v, struct span path, bool deep)
{
	struct span rest = doc_span(v), before, text;

	while (doc_type(v) == DOC_STR && next(&rest, &before, &text))
		R(check_reference(c, text, path));
	if (doc_type(v) == DOC_ARR)
		doc_each(one, v)
			R(check_value(c, one, path, true));
	if (doc_type(v) == DOC_OBJ)
		doc_each_key(k, one, v)
			R(check_value(c, one, deep ? path : path.n ?
			    arena_fmt_span(c->a, "%.*s/%.*s", SPAN_ARG(path),
				SPAN_ARG(k)) : k, deep));
	return 0;
}

int
cfn_dynamics(struct arena *a, const struct cfn_stack *s, struct doc *values,
    struct cfn_error *err)
{
	_cleanup_(check_done) struct check c = {.a = a, .s = s, .err = err,
	    .values = values, .misplaced = BUF_INIT};
	struct doc *props;
	int r;

	for (size_t i = 0; i < s->n; i++) {
		r = cfn_properties(a, s, i, CFN_PLAN, &props, err);
		/* What is wrong with it is told when it is made. */
		if (r < 0)
			return r;
		if (r)
			continue;
		c.type = s->resources[i].type;
		R(check_value(&c, props, SPAN_NULL, false));
	}
	if (c.misplaced.n)
		return cfn_invalid(a, err, "SSM Secure reference is not "
		    "supported in: [%s]", buf_str(&c.misplaced));
	return 0;
}
