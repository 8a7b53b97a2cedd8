/* Stack policies: kept with the stack, obeyed by the controller. */
#include "cfn/stack-policy.h"

#include "base/err.h"
#include "svc/cloudformation/cloudformation.h"

/* From NAMEBody or NAMEURL of the input; empty: neither is there. */
static struct reply *
read_policy(struct call *c, const char *name, struct span *ret)
{
	char *body = arena_fmt(c->arena, "%sBody", name);
	char *url = arena_fmt(c->arena, "%sURL", name);
	struct span at = doc_get_str(c->in, url);
	struct cfn_error err;
	struct reply *no;
	struct doc *d;
	int e;

	*ret = doc_get_str(c->in, body);
	if (ret->n && at.n)
		return cfn_refuse(c, "You cannot specify both %s and %s", body,
		    url);
	if (at.n && (no = object_read(c, at, url, ret)))
		return no;
	if (!ret->n && !at.n)
		return NULL;
	e = cfn_stack_policy_parse(c->arena, *ret, &d, &err);
	if (e < 0)
		return cfn_fail_reply(c, e);
	return e ? cfn_refuse(c, "%.*s", SPAN_ARG(err.text)) : NULL;
}

struct reply *
policy_note(struct call *c, struct res *stack)
{
	struct span next, during = SPAN_NULL;
	struct reply *no = read_policy(c, "StackPolicy", &next);

	if (no || (no = read_policy(c, "StackPolicyDuringUpdate", &during)))
		return no;
	/* What is new protects from the next update on. */
	doc_set(c->arena, stack->spec, "PolicyInForce",
	    during.n ? doc_strdup(c->arena, during) :
	    doc_get(stack->spec, "StackPolicyBody") ? doc_copy(c->arena,
	    doc_get(stack->spec, "StackPolicyBody")) : NULL);
	if (next.n)
		doc_set(c->arena, stack->spec, "StackPolicyBody",
		    doc_strdup(c->arena, next));
	return NULL;
}

struct reply *
policy_set(struct call *c)
{
	struct res *stack = NULL;
	struct span text;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	int e;

	if (no || (no = read_policy(c, "StackPolicy", &text)))
		return no;
	if (!text.n)
		return cfn_refuse(c, "You must specify either StackPolicyBody "
		    "or StackPolicyURL");
	doc_set_str(c->arena, stack->spec, "StackPolicyBody", text);
	e = store_put_spec(c->store, stack);
	return e ? cfn_fail_reply(c, e) : reply_ok(c, NULL);
}

struct reply *
policy_get(struct call *c)
{
	struct res *stack = NULL;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	struct doc *out = doc_obj(c->arena);

	if (no)
		return no;
	if (doc_get(stack->spec, "StackPolicyBody"))
		doc_set_str(c->arena, out, "StackPolicyBody",
		    doc_get_str(stack->spec, "StackPolicyBody"));
	return reply_ok(c, out);
}
