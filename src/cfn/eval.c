/* Evaluates values: scalars with dynamic references, objects, references; the
 * other functions are in eval-fn.c. */
#include "cfn/eval.h"

static bool
show(const struct eval *e)
{
	return e->flags & (CFN_SHOW | CFN_PLAN);
}

int
eval_unknown(struct eval *e, struct doc **ret)
{
	if (!show(e))
		return CFN_E_UNKNOWN;
	*ret = doc_str(e->a, SPAN(CFN_AFTER_APPLY));
	return 0;
}

/* "ssm:name:version" or "secretsmanager:id:SecretString:key:stage:version".
 * An ARN has colons of its own: six parts before its name. */
static bool
dynamic_parse(struct span text, struct cfn_dynamic *ret)
{
	static const char *const names[] = {"ssm", "ssm-secure",
	    "secretsmanager"};
	struct cfn_dynamic d = {.text = text};
	struct span rest = span_from(span_to(text, text.n - 2), 10), first;
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
dynamic_value(struct eval *e, struct span text, struct span *ret)
{
	const struct cfn_lookup *l = e->s->env.lookup;
	struct cfn_dynamic d;

	if (!dynamic_parse(text, &d))
		return cfn_invalid(e->a, e->err, "Invalid dynamic reference "
		    "%.*s", SPAN_ARG(text));
	if (!l || !l->dynamic)
		return CFN_E_UNKNOWN;
	return l->dynamic(e->s->env.ctx, e->a, &d, ret, e->err);
}

/* Replaces every {{resolve:...}} of a string. */
static int
eval_string(struct eval *e, struct span s, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	ptrdiff_t at, end;
	struct span v;

	if (show(e) || span_find(s, SPAN("{{resolve:")) < 0) {
		*ret = doc_strdup(e->a, s);
		return 0;
	}
	while ((at = span_find(s, SPAN("{{resolve:"))) >= 0 &&
	    (end = span_find(span_from(s, (size_t)at), SPAN("}}"))) >= 0) {
		buf_add_span(&b, span_to(s, (size_t)at));
		R(dynamic_value(e, span_to(span_from(s, (size_t)at),
		    (size_t)end + 2), &v));
		buf_add_span(&b, v);
		s = span_from(s, (size_t)(at + end) + 2);
	}
	buf_add_span(&b, s);
	*ret = doc_strdup(e->a, buf_span(&b));
	return 0;
}

static int
resource_ref(struct eval *e, struct span name, struct doc **ret)
{
	const struct cfn_lookup *l = e->s->env.lookup;
	int r;

	if (cfn_find(e->s, name) == CFN_NONE)
		return cfn_invalid(e->a, e->err, "Template format error: "
		    "Unresolved resource dependencies [%.*s] in the Resources "
		    "block of the template", SPAN_ARG(name));
	r = l && l->ref ? l->ref(e->s->env.ctx, e->a, name, ret, e->err) :
	    CFN_E_UNKNOWN;
	return r == CFN_E_UNKNOWN ? eval_unknown(e, ret) : r;
}

static int
pseudo(struct eval *e, struct span name, struct doc **ret)
{
	const struct cfn_env *env = &e->s->env;
	struct span v = SPAN_NULL;

	if (span_is(name, "AWS::NoValue")) {
		*ret = NULL;
		return 0;
	}
	if (span_is(name, "AWS::NotificationARNs")) {
		*ret = env->notification_arns ?
		    doc_copy(e->a, env->notification_arns) : doc_arr(e->a);
		return 0;
	}
	if (span_is(name, "AWS::AccountId"))
		v = env->account;
	else if (span_is(name, "AWS::Region"))
		v = env->region;
	else if (span_is(name, "AWS::StackName"))
		v = env->stack_name;
	else if (span_is(name, "AWS::StackId"))
		v = env->stack_id;
	else if (span_is(name, "AWS::Partition"))
		v = SPAN("aws");
	else
		v = SPAN("amazonaws.com");
	if (!v.n && span_is(name, "AWS::StackId"))
		return eval_unknown(e, ret);
	*ret = doc_strdup(e->a, v);
	return 0;
}

int
eval_ref(struct eval *e, struct span name, struct doc **ret)
{
	struct doc *v;

	if (cfn_pseudo(name))
		return pseudo(e, name, ret);
	v = cfn_param_value(e->a, e->s, name, e->flags);
	if (!v)
		return resource_ref(e, name, ret);
	/* A default may hold a dynamic reference. */
	if (doc_type(v) == DOC_STR)
		return eval_string(e, doc_span(v), ret);
	*ret = v;
	return 0;
}

int
eval_attr(struct eval *e, struct span id, struct span attr, struct doc **ret)
{
	const struct cfn_lookup *l = e->s->env.lookup;
	int r;

	if (cfn_find(e->s, id) == CFN_NONE)
		return cfn_invalid(e->a, e->err, "Template error: instance of "
		    "Fn::GetAtt references undefined resource %.*s",
		    SPAN_ARG(id));
	r = l && l->attr ? l->attr(e->s->env.ctx, e->a, id, attr, ret, e->err) :
	    CFN_E_UNKNOWN;
	return r == CFN_E_UNKNOWN ? eval_unknown(e, ret) : r;
}

static int
eval_array(struct eval *e, const struct doc *value, struct doc **ret)
{
	struct doc *arr = doc_arr(e->a), *d;

	doc_each(v, value) {
		R(eval_value(e, v, &d));
		if (d)
			doc_push(arr, d);
	}
	*ret = arr;
	return 0;
}

static int
eval_object(struct eval *e, const struct doc *value, struct doc **ret)
{
	struct doc *obj = doc_obj(e->a), *d;

	doc_each_key(k, v, value) {
		R(eval_value(e, v, &d));
		if (d)
			doc_append(e->a, obj, arena_span(e->a, k), d);
	}
	*ret = obj;
	return 0;
}

int
eval_value(struct eval *e, const struct doc *value, struct doc **ret)
{
	struct doc *arg = NULL;
	struct span fn;
	int r = 0;

	/* Deeper than any template: mappings and parameters add nothing. */
	if (e->depth > 2 * DOC_MAX_DEPTH)
		return cfn_invalid(e->a, e->err, "Template error: functions "
		    "are nested too deeply");
	if (arena_bytes(e->a) > e->room)
		return cfn_invalid(e->a, e->err, "Template error: the values "
		    "of the template are too large");
	e->depth++;
	switch (doc_type(value)) {
	case DOC_STR:
		r = eval_string(e, doc_span(value), ret);
		break;
	case DOC_ARR:
		r = eval_array(e, value, ret);
		break;
	case DOC_OBJ:
		fn = cfn_function(value, &arg);
		r = fn.n ? eval_function(e, fn, arg, ret) :
		    eval_object(e, value, ret);
		break;
	case DOC_NONE:
	case DOC_NULL:
	case DOC_BOOL:
	case DOC_INT:
	case DOC_REAL:
		*ret = doc_copy(e->a, value);
		break;
	}
	e->depth--;
	return r;
}

int
eval_text(struct eval *e, const struct doc *value, const char *what,
    struct span *ret)
{
	struct doc *d;

	R(eval_value(e, value, &d));
	if (!cfn_is_scalar(d))
		return cfn_invalid(e->a, e->err, "Template error: %s", what);
	*ret = cfn_scalar_text(e->a, d);
	return 0;
}

/* A long text of a mapping may be asked for in thousands of places. */
static size_t
room(const struct arena *a)
{
	return MIN(arena_bytes(a) + EVAL_BYTES, STACK_BYTES);
}

int
cfn_eval(struct arena *a, const struct cfn_stack *s, const struct doc *value,
    int flags, struct doc **ret, struct cfn_error *err)
{
	struct eval e = {.a = a, .s = s, .flags = flags, .err = err,
	    .room = room(a)};
	struct doc *d;

	R(eval_value(&e, value, &d));
	*ret = d;
	return 0;
}

int
cfn_eval_text(struct arena *a, const struct cfn_stack *s,
    const struct doc *value, int flags, const char *what, struct span *ret,
    struct cfn_error *err)
{
	struct eval e = {.a = a, .s = s, .flags = flags, .err = err,
	    .room = room(a)};

	return eval_text(&e, value, what, ret);
}

int
cfn_eval_condition(struct arena *a, const struct cfn_stack *s,
    const struct doc *value, bool *ret, struct cfn_error *err)
{
	struct eval e = {.a = a, .s = s, .err = err, .room = room(a)};

	return eval_bool(&e, value, ret);
}
