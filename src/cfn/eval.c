/* Evaluates values: scalars, objects, references; the other functions are in
 * eval-fn.c, dynamic references in dynamic.c. */
#include "cfn/eval.h"

int
eval_unknown(struct eval *e, struct doc **ret)
{
	if (!(e->flags & (CFN_SHOW | CFN_PLAN)))
		return CFN_E_UNKNOWN;
	*ret = doc_str(e->a, SPAN(CFN_AFTER_APPLY));
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

/* What IAM tells once, when it makes a key. */
static bool
is_secret(struct span attr)
{
	return span_is(attr, "SecretAccessKey");
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
	if ((e->flags & CFN_SHOW) && is_secret(attr)) {
		*ret = doc_str(e->a, SPAN("****"));
		return 0;
	}
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
