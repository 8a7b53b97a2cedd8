/* Stacks: what begins their creation, update and deletion. */
#include "base/clock.h"
#include "base/err.h"
#include "cfn/diff.h"
#include "cfn/type.h"
#include "svc/cloudformation/cloudformation.h"

static void
copy(struct call *c, struct doc *to, const char *name)
{
	if (doc_get(c->in, name))
		doc_set(c->arena, to, name, doc_copy(c->arena,
		    doc_get(c->in, name)));
	else
		doc_del(to, name);
}

bool
stack_same_token(struct call *c, const struct res *stack)
{
	struct span token = doc_get_str(c->in, "ClientRequestToken");

	return token.n &&
	    span_eq(token, doc_get_str(stack->spec, "Token"));
}

void
stack_note_request(struct call *c, struct res *stack)
{
	doc_del(stack->spec, "Token");
	if (doc_get(c->in, "ClientRequestToken"))
		doc_set_str(c->arena, stack->spec, "Token",
		    doc_get_str(c->in, "ClientRequestToken"));
	copy(c, stack->spec, "DisableRollback");
	copy(c, stack->spec, "RetainExceptOnCreate");
	doc_del(stack->spec, "Cancel");
}

/* Parents are named by calls from inside alone. */
void
stack_note_family(struct call *c, struct res *stack)
{
	if (!c->who.system || !doc_get(c->in, "ParentId"))
		return;
	copy(c, stack->spec, "ParentId");
	copy(c, stack->spec, "RootId");
}

/* A nested stack may be there under review: its change set made it. */
static struct reply *
review_or_new(struct call *c, struct span name, struct res **ret)
{
	struct span id = doc_get_str(c->in, "ReviewId");
	int e;

	if (!c->who.system || !id.n) {
		*ret = stack_make(c, name);
		return NULL;
	}
	e = store_get_arn(c->store, c->arena, id, ret);
	return e ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
stack_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct stack_context x;
	struct doc *def = NULL;
	struct res *old, *stack;
	struct reply *no;
	int e;

	if ((no = stack_name_check(c, name)) || (no = stack_try(c, name, &old)))
		return no;
	if (old && stack_same_token(c, old))
		return stack_reply(c, old);
	if (old && !(c->who.system && doc_get(c->in, "ReviewId")))
		return reply_error(c, "AlreadyExistsException",
		    "Stack [%.*s] already exists", SPAN_ARG(name));
	if (doc_get(c->in, "DisableRollback") && doc_get(c->in, "OnFailure"))
		return cfn_refuse(c, "Either DisableRollback or OnFailure can "
		    "be specified, not both.");
	if ((no = definition_read(c, NULL, name, &def)) ||
	    (no = definition_open(c, NULL, name, def, &x)) ||
	    (no = definition_check(c, &x, def)))
		return no;
	if ((no = review_or_new(c, name, &stack)))
		return no;
	stack_note_family(c, stack);
	doc_set(c->arena, stack->spec, "Def", def);
	stack_note_request(c, stack);
	if ((no = policy_note(c, stack)))
		return no;
	copy(c, stack->spec, "OnFailure");
	copy(c, stack->spec, "TimeoutInMinutes");
	copy(c, stack->spec, "EnableTerminationProtection");
	e = stack->row ? store_put_spec(c->store, stack) :
			 store_insert(c->store, c->arena, stack);
	if (e)
		return cfn_fail_reply(c, e);
	if ((no = stack_begin(c, stack, "create", "CREATE_IN_PROGRESS",
	    "CREATE_STACK")))
		return no;
	return stack_reply(c, stack);
}

/* Updates */

static struct doc *
by_row(struct stack_context *x, const char *member)
{
	struct doc *out = doc_obj(x->arena);

	for (size_t i = 0; i < x->rows.n; i++) {
		const struct res *r = x->rows.v[i];
		const struct doc *v = doc_get(r->status, member);

		if (v && !doc_get_bool(r->status, "Replaced", false) &&
		    !doc_get_bool(r->status, "Gone", false))
			doc_setn(x->arena, out, r->id, doc_copy(x->arena, v));
	}
	return out;
}

int
stack_before(struct call *c, const struct res *stack,
    const struct stack_context *after, struct stack_context *ret,
    struct cfn_error *err)
{
	const struct doc *def = stack ? doc_get(stack->spec, "Def") : NULL;

	*ret = *after;
	ret->def = NULL;
	ret->stack = NULL;
	ret->imports = doc_arr(c->arena);
	return def ? stack_open(ret, def, err) : 0;
}

int
stack_changes(struct call *c, struct stack_context *before,
    struct stack_context *after, bool values, struct doc **ret,
    struct cfn_error *err)
{
	struct cfn_diff d = {.after = after->stack, .values = values,
		.before = before->stack,
		.tags_after = doc_get(after->def, "Tags"),
		.tags_before = doc_get(before->def, "Tags")};

	if (before->stack)
		d.physical = by_row(before, "PhysicalResourceId");
	return cfn_diff(c->arena, &d, ret, err);
}

int
stack_outputs(struct call *c, struct stack_context *x, struct doc **ret)
{
	struct cfn_error err;
	int e = cfn_outputs(c->arena, x->stack, CFN_SHOW, ret, &err);

	if (e > 0)
		*ret = doc_arr(c->arena);
	return e < 0 ? e : 0;
}

int
stack_differs(struct call *c, struct stack_context *before,
    struct stack_context *after, const struct doc *changes, bool *ret)
{
	static const char *const members[] = {"Tags", "Resolved"};
	struct doc *o1, *o2;
	int e;

	*ret = !before->stack || doc_len(changes);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		*ret |= !doc_eq(doc_get(before->def, members[i]),
		    doc_get(after->def, members[i]));
	if (*ret)
		return 0;
	if ((e = stack_outputs(c, before, &o1)) ||
	    (e = stack_outputs(c, after, &o2)))
		return e;
	*ret = !doc_eq(o1, o2);
	return 0;
}

struct reply *
stack_update_to(struct call *c, struct res *stack, struct doc *def)
{
	struct span status = doc_get_str(stack->status, "StackStatus");
	struct reply *no;
	int e;

	/* What it goes back to stays while the one before it may yet be undone;
	 * there is none where the stack never was complete. */
	if (!span_ends(status, SPAN("_FAILED")) &&
	    !doc_get(stack->spec, "Prior"))
		doc_set(c->arena, stack->spec, "Prior", doc_copy(c->arena,
		    doc_get(stack->spec, "Def")));
	doc_set(c->arena, stack->spec, "Def", doc_copy(c->arena, def));
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	doc_set_time(c->arena, stack->status, "LastUpdatedTime", clock_ms());
	if ((no = stack_begin(c, stack, "update", "UPDATE_IN_PROGRESS",
	    "UPDATE_STACK")))
		return no;
	return stack_reply(c, stack);
}

struct reply *
stack_update(struct call *c)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct doc *def = NULL, *changes;
	struct stack_context x, before;
	struct cfn_error err;
	struct res *stack = NULL;
	struct reply *no;
	bool differs;
	int e;

	if ((no = stack_try(c, name, &stack)))
		return no;
	if (!stack || !doc_get(stack->spec, "Live"))
		return cfn_refuse(c, "Stack [%.*s] does not exist",
		    SPAN_ARG(name));
	if (stack_same_token(c, stack))
		return stack_reply(c, stack);
	name = doc_get_str(stack->spec, "StackName");
	if ((no = stack_updatable(c, stack)) ||
	    (no = definition_read(c, stack, name, &def)) ||
	    (no = definition_open(c, stack, name, def, &x)) ||
	    (no = definition_check(c, &x, def)))
		return no;
	if (!(e = stack_before(c, stack, &x, &before, &err)))
		e = stack_changes(c, &before, &x, false, &changes, &err);
	if (e > 0)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	if (e || (e = stack_differs(c, &before, &x, changes, &differs)))
		return cfn_fail_reply(c, e);
	if (!differs && !span_ends(doc_get_str(stack->status, "StackStatus"),
			    SPAN("_FAILED")))
		return cfn_refuse(c, "No updates are to be performed.");
	stack_note_request(c, stack);
	if ((no = policy_note(c, stack)) ||
	    (no = change_set_outdate(c, stack)))
		return no;
	return stack_update_to(c, stack, def);
}

/* Deletion */

/* AWS: a nested stack is protected as its root is.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html */
static struct reply *
is_protected(struct call *c, struct res *stack, bool *ret)
{
	struct span root = doc_get_str(stack->spec, "RootId");
	int e = 0;

	if (root.n)
		e = store_get_arn(c->store, c->arena, root, &stack);
	*ret = !e && !c->who.system && doc_get_bool(stack->spec,
	    "EnableTerminationProtection", false);
	return e < 0 ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
stack_delete(struct call *c)
{
	struct span name = doc_get_str(c->in, "StackName"), status;
	struct res *stack;
	struct reply *no = stack_try(c, name, &stack);
	bool kept;
	int e;

	if (no)
		return no;
	/* AWS: to delete what is not there is no mistake. */
	if (!stack || !doc_get(stack->spec, "Live"))
		return reply_ok(c, NULL);
	status = doc_get_str(stack->status, "StackStatus");
	if ((no = is_protected(c, stack, &kept)))
		return no;
	if (kept)
		return cfn_refuse(c, "Stack [%.*s] cannot be deleted while "
		    "TerminationProtection is enabled",
		    SPAN_ARG(doc_get_str(stack->spec, "StackName")));
	if (span_is(status, "DELETE_IN_PROGRESS"))
		return reply_ok(c, NULL);
	if (doc_len(doc_get(c->in, "RetainResources")) &&
	    !span_is(status, "DELETE_FAILED"))
		return cfn_refuse(c, "Invalid operation on stack [%.*s]. "
		    "RetainResources can only be specified when the stack is "
		    "in the DELETE_FAILED state.", SPAN_ARG(stack->arn));
	if (doc_get(c->in, "DeletionMode") &&
	    !span_is(status, "DELETE_FAILED") &&
	    span_is(doc_get_str(c->in, "DeletionMode"), "FORCE_DELETE_STACK"))
		return cfn_refuse(c, "Invalid operation on stack [%.*s]. "
		    "FORCE_DELETE_STACK can only be specified when the stack "
		    "is in the DELETE_FAILED state.", SPAN_ARG(stack->arn));
	/* A nested stack goes whatever it is at: its parent waits for no end. */
	if (!c->who.system && span_starts(status, SPAN("UPDATE_")) &&
	    span_ends(status, SPAN("IN_PROGRESS")))
		return cfn_refuse(c, "Stack [%.*s] cannot be deleted while in "
		    "status %.*s", SPAN_ARG(stack->arn), SPAN_ARG(status));
	if ((no = role_check(c)) ||
	    (no = change_set_drop_others(c, stack, NULL)))
		return no;
	stack_note_request(c, stack);
	copy(c, stack->spec, "RetainResources");
	copy(c, stack->spec, "DeletionMode");
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	no = stack_begin(c, stack, "delete", "DELETE_IN_PROGRESS",
	    "DELETE_STACK");
	return no ? no : reply_ok(c, NULL);
}

struct reply *
stack_protect(struct call *c)
{
	struct res *stack = NULL;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	int e;

	if (no)
		return no;
	if (doc_get(stack->spec, "ParentId"))
		return cfn_refuse(c, "Termination protection cannot be updated "
		    "on nested stacks");
	copy(c, stack->spec, "EnableTerminationProtection");
	e = store_put_spec(c->store, stack);
	return e ? cfn_fail_reply(c, e) : stack_reply(c, stack);
}
