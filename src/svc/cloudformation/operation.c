/*
 * Events by operation, and hooks.  There are no hooks here: a type of hook
 * cannot be registered, so that none ever ran.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
 */
#include "base/err.h"
#include "svc/cloudformation/cloudformation.h"

#define EVENTS 100

static bool
is_failure(const struct doc *e)
{
	return span_ends(doc_get_str(e, "ResourceStatus"), SPAN("_FAILED"));
}

static struct doc *
operation_event(struct arena *a, const struct doc *e)
{
	struct doc *v = doc_copy(a, e);
	bool stack = span_eq(doc_get_str(e, "PhysicalResourceId"),
	    doc_get_str(e, "StackId"));
	struct span status = doc_get_str(e, "ResourceStatus");

	doc_set_str(a, v, "EventType", stack ? SPAN("STACK_EVENT") :
	    is_failure(e) ? SPAN("PROVISIONING_ERROR") :
			    SPAN("PROGRESS_EVENT"));
	if (stack)
		doc_set_str(a, v, "OperationStatus",
		    is_failure(e) ? SPAN("FAILED") :
		    span_ends(status, SPAN("_COMPLETE")) ? SPAN("SUCCEEDED") :
							   SPAN("IN_PROGRESS"));
	return v;
}

/* The stack whose events are asked for; *ret NULL: those of a change set,
 * which has none, for all of it is done when CreateChangeSet answers. */
static struct reply *
whose(struct call *c, struct res **ret)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct res *set = NULL;

	*ret = NULL;
	if (doc_get(c->in, "ChangeSetName"))
		return change_set_find(c, &set);
	if (!name.n)
		return doc_get(c->in, "OperationId") ? NULL : cfn_refuse(c,
		    "Either StackName, ChangeSetName or OperationId must be "
		    "specified");
	return stack_find(c, name, ret);
}

struct reply *
operation_events(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct span id = doc_get_str(c->in, "OperationId");
	bool failed = doc_get_bool(doc_get(c->in, "Filters"), "FailedEvents",
	    false);
	struct query q = {.kind = &cloudformation_event, .scope = c->scope,
		.limit = EVENTS, .newest_first = true};
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no = whose(c, &stack);
	int e;

	if (no)
		return no;
	doc_set(c->arena, out, "OperationEvents", list);
	if (!stack && !id.n)
		return reply_ok(c, out);
	if (doc_get_str(c->in, "NextToken").n &&
	    !page_token_row(c, doc_get_str(c->in, "NextToken"), &q.after))
		return cfn_refuse(c, "Invalid NextToken");
	q.any_parent = !stack;
	q.parent = stack ? stack->id : SPAN_NULL;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		if ((!id.n || span_eq(doc_get_str(l.v[i]->spec, "OperationId"),
				  id)) &&
		    (!failed || is_failure(l.v[i]->spec)))
			doc_push(list, operation_event(c->arena, l.v[i]->spec));
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
hook_results(struct call *c)
{
	struct doc *out = doc_obj(c->arena);

	doc_set(c->arena, out, "HookResults", doc_arr(c->arena));
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "TargetId" : "TargetType";

		if (doc_get(c->in, name))
			doc_set_str(c->arena, out, name,
			    doc_get_str(c->in, name));
	}
	return reply_ok(c, out);
}

struct reply *
hook_result(struct call *c)
{
	return reply_error(c, "HookResultNotFound",
	    "The specified target doesn't have any requested Hook results.");
}

struct reply *
change_set_hooks(struct call *c)
{
	static const char *const members[] = {"ChangeSetName", "StackId",
		"StackName"};
	struct doc *out = doc_obj(c->arena);
	struct res *set = NULL;
	struct reply *no = change_set_find(c, &set);

	if (no)
		return no;
	doc_set_str(c->arena, out, "ChangeSetId", set->arn);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		doc_set_str(c->arena, out, members[i],
		    doc_get_str(set->spec, members[i]));
	doc_set_str(c->arena, out, "Status", SPAN("PLANNED"));
	return reply_ok(c, doc_set(c->arena, out, "Hooks", doc_arr(c->arena)));
}
