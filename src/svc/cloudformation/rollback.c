/* Stacks: going back, and giving up on going on. */
#include <errno.h>

#include "base/err.h"
#include "svc/cloudformation/cloudformation.h"

/* What nested stacks do is for their root to say. */
static struct reply *
find_root(struct call *c, const char *what, struct res **ret)
{
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"), ret);

	if (!no && doc_get(*ret ? (*ret)->spec : NULL, "ParentId") &&
	    !c->who.system)
		return cfn_refuse(c, "%s cannot be invoked on child stacks",
		    what);
	return no;
}

struct reply *
stack_cancel_update(struct call *c)
{
	struct res *stack = NULL;
	struct reply *no = find_root(c, "CancelUpdateStack", &stack);
	int e;

	if (no)
		return no;
	if (!span_is(doc_get_str(stack->status, "StackStatus"),
		"UPDATE_IN_PROGRESS"))
		return cfn_refuse(c, "CancelUpdateStack cannot be called from "
		    "current stack status");
	doc_set_bool(c->arena, stack->spec, "Cancel", true);
	e = store_put_spec(c->store, stack);
	return e ? cfn_fail_reply(c, e) : reply_ok(c, NULL);
}

static struct reply *
go_back(struct call *c, struct res *stack, const char *op)
{
	int e;

	doc_set(c->arena, stack->spec, "Def", doc_copy(c->arena,
	    doc_get(stack->spec, "Prior")));
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	return stack_begin(c, stack, "update-rollback",
	    "UPDATE_ROLLBACK_IN_PROGRESS", op);
}

/* Only what the roll-back failed at is skipped.  "NESTED.RESOURCE" is seen to
 * by the nested stack. */
static struct reply *
check_skipped(struct call *c, const struct res *stack, const struct doc *names)
{
	struct res *row;
	int e;

	doc_each(n, names) {
		struct span name = doc_span(n);

		if (span_chr(name, '.') >= 0)
			continue;
		e = store_get(c->store, c->arena, &cloudformation_resource,
		    c->scope, stack->id, name, &row);
		if (e < 0)
			return cfn_fail_reply(c, e);
		if (e || !span_is(doc_get_str(row->status, "ResourceStatus"),
			     "UPDATE_FAILED"))
			return cfn_refuse(c, "Resource %.*s of stack %.*s "
			    "cannot be skipped: it is not in UPDATE_FAILED "
			    "state", SPAN_ARG(name), SPAN_ARG(doc_get_str(
			    stack->spec, "StackName")));
	}
	return NULL;
}

struct reply *
stack_continue_rollback(struct call *c)
{
	const struct doc *skip = doc_get(c->in, "ResourcesToSkip");
	struct res *stack = NULL;
	struct reply *no = find_root(c, "RollbackUpdatedStack", &stack);

	if (no)
		return no;
	if (stack_same_token(c, stack))
		return reply_ok(c, NULL);
	if (!span_is(doc_get_str(stack->status, "StackStatus"),
		"UPDATE_ROLLBACK_FAILED"))
		return cfn_refuse(c, "Stack:%.*s is in %.*s state and can not "
		    "continue rollback.", SPAN_ARG(stack->arn),
		    SPAN_ARG(doc_get_str(stack->status, "StackStatus")));
	if (!doc_get(stack->spec, "Prior"))
		return reply_failure(c, err_origin(ENOENT, "no way back"));
	if ((no = role_check(c)) || (no = check_skipped(c, stack, skip)))
		return no;
	stack_note_request(c, stack);
	doc_set(c->arena, stack->spec, "SkipResources",
	    skip ? doc_copy(c->arena, skip) : NULL);
	no = go_back(c, stack, "CONTINUE_ROLLBACK");
	return no ? no : reply_ok(c, NULL);
}

/* AWS: a stack that never was complete is emptied.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html */
struct reply *
stack_rollback(struct call *c)
{
	struct res *stack = NULL;
	struct reply *no = find_root(c, "RollbackStack", &stack);
	struct span status;
	int e;

	if (no)
		return no;
	if (stack_same_token(c, stack))
		return stack_reply(c, stack);
	status = doc_get_str(stack->status, "StackStatus");
	if (!span_is(status, "CREATE_FAILED") &&
	    !span_is(status, "UPDATE_FAILED"))
		return cfn_refuse(c, "RollbackStack operation can only be "
		    "performed on stacks in UPDATE_FAILED or CREATE_FAILED "
		    "state");
	if ((no = role_check(c)))
		return no;
	stack_note_request(c, stack);
	doc_del(stack->spec, "DisableRollback");
	if (doc_get(stack->spec, "Prior")) {
		no = go_back(c, stack, "ROLLBACK");
		return no ? no : stack_reply(c, stack);
	}
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	no = stack_begin(c, stack, "rollback", "ROLLBACK_IN_PROGRESS",
	    "ROLLBACK");
	return no ? no : stack_reply(c, stack);
}
