/*
 * Nested stacks: a resource that is a stack of its own.  It is made by the
 * same operations, called from inside with its ParentId and RootId.
 *
 * A nested stack whose creation fails stays as it is: its parent's roll-back
 * removes it.  One whose update fails goes back by itself, and tells its
 * parent at once; what it replaced stays until the parent is done
 * (ctl/stack-family.c), so that the parent can still go back.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
 */
#include "base/err.h"
#include "base/id.h"
#include "svc/cloudformation/cfn.h"
#include "svc/cloudformation/kinds.h"

#define NAME_LENGTH 128

static int
by_arn(struct cfn_run *run, struct span arn, struct res **ret)
{
	int e = store_get_arn(run->store, run->arena, arn, ret);

	if (e == STORE_E_NOT_FOUND)
		*ret = NULL;
	return e < 0 ? err_trace(e) : 0;
}

/* Both; *ret_child may be NULL. */
static int
family(struct cfn_run *run, struct res **ret_parent, struct res **ret_child)
{
	int e = by_arn(run, run->stack_id, ret_parent);

	*ret_child = NULL;
	if (!e && run->ref.n)
		e = by_arn(run, run->ref, ret_child);
	if (!e)
		AN(*ret_parent);
	return e;
}

struct span
nested_name(struct arena *a, struct span parent, struct span logical)
{
	struct span random = span_of(id_upper(a, 12));
	size_t room = NAME_LENGTH - random.n - 2;

	logical = span_to(logical, room / 2);
	return arena_fmt_span(a, "%.*s-%.*s-%.*s",
	    SPAN_ARG(span_to(parent, room - logical.n)), SPAN_ARG(logical),
	    SPAN_ARG(random));
}

struct doc *
nested_parameters(struct arena *a, const struct doc *props)
{
	struct doc *list = doc_arr(a), *p;

	doc_each_key(k, v, doc_get(props, "Parameters")) {
		p = doc_set_str(a, doc_obj(a), "ParameterKey", k);
		doc_push(list, doc_set_str(a, p, "ParameterValue",
		    doc_span(v)));
	}
	return list;
}

static struct doc *
own_tags(struct cfn_run *run)
{
	struct doc *list = doc_arr(run->arena);

	doc_each(t, doc_get(run->props, "Tags"))
		if (!span_starts(doc_get_str(t, "Key"), SPAN("aws:")))
			doc_push(list, doc_copy(run->arena, t));
	return list;
}

static void
pass(struct cfn_run *run, struct doc *in, const struct doc *from,
    const char *name)
{
	if (doc_get(from, name))
		doc_set(run->arena, in, name, doc_copy(run->arena,
		    doc_get(from, name)));
}

/* What creation and update have in common. */
static struct doc *
input(struct cfn_run *run, const struct res *parent)
{
	const struct doc *def = doc_get(parent->spec, "Def");
	struct arena *a = run->arena;
	struct doc *in = doc_obj(a);

	pass(run, in, run->props, "TemplateURL");
	doc_set(a, in, "Parameters", nested_parameters(a, run->props));
	doc_set(a, in, "Tags", own_tags(run));
	pass(run, in, def, "NotificationARNs");
	pass(run, in, run->props, "NotificationARNs");
	pass(run, in, def, "Capabilities");
	pass(run, in, def, "RoleARN");
	if (doc_get(parent->spec, "Token"))
		doc_set_str(a, in, "ClientRequestToken",
		    doc_get_str(parent->spec, "Token"));
	return in;
}

static int
operation(struct cfn_run *run, const char *op, const struct doc *in,
    struct op_result *ret)
{
	return op_call(run->api, run->arena, &run->who, run->scope,
	    "cloudformation", op, in, ret);
}

/* The change set that is executed may have made the stack, to be reviewed. */
static int
use_review(struct cfn_run *run, const struct res *parent, struct doc *in)
{
	struct res *set = NULL, *stack = NULL;
	int e = doc_get(parent->spec, "ChangeSetId") ? by_arn(run,
	    doc_get_str(parent->spec, "ChangeSetId"), &set) : 0;

	if (e || !set)
		return e;
	doc_each(n, doc_get(set->spec, "Nested")) {
		if (!span_eq(doc_get_str(n, "LogicalResourceId"), run->logical))
			continue;
		if ((e = by_arn(run, doc_get_str(n, "StackId"), &stack)))
			return e;
	}
	if (!stack || !span_is(doc_get_str(stack->status, "StackStatus"),
			  "REVIEW_IN_PROGRESS"))
		return 0;
	doc_set_str(run->arena, in, "ReviewId", stack->arn);
	doc_set_str(run->arena, in, "StackName",
	    doc_get_str(stack->spec, "StackName"));
	return 0;
}

int
cfn_nested_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct arena *a = run->arena;
	struct res *parent, *none;
	struct span root;
	struct op_result r;
	struct doc *in;
	int e = family(run, &parent, &none);

	if (e)
		return err_trace(e);
	in = input(run, parent);
	root = doc_get_str(parent->spec, "RootId");
	doc_set_str(a, in, "StackName", nested_name(a, run->stack,
	    run->logical));
	pass(run, in, run->props, "TimeoutInMinutes");
	doc_set_str(a, in, "OnFailure", SPAN("DO_NOTHING"));
	if ((e = use_review(run, parent, in)))
		return err_trace(e);
	doc_set_str(a, in, "ParentId", parent->arn);
	doc_set_str(a, in, "RootId", root.n ? root : parent->arn);
	if ((e = operation(run, "CreateStack", in, &r)))
		return err_trace(e);
	if (r.error.n) {
		*ret = cfn_fail(run, "%.*s", SPAN_ARG(r.message));
		return 0;
	}
	run->ref = doc_get_str(r.out, "StackId");
	return 0;
}

/* ResourcesToSkip has "LOGICAL.INNER" for what is in here. */
static struct doc *
skipped_inside(struct cfn_run *run, const struct res *parent)
{
	struct doc *list = doc_arr(run->arena);
	struct span head, rest;

	doc_each(n, doc_get(parent->spec, "SkipResources")) {
		rest = doc_span(n);
		head = span_cut(&rest, '.');
		if (rest.p && span_eq(head, run->logical))
			doc_push_str(run->arena, list, rest);
	}
	return list;
}

/* Back with the parent, unless it goes back already or never went. */
static int
go_back(struct cfn_run *run, const struct res *parent, struct res *child)
{
	struct span status = doc_get_str(child->status, "StackStatus");
	int e;

	if (!doc_get(child->spec, "Prior") ||
	    span_is(status, "UPDATE_ROLLBACK_IN_PROGRESS") ||
	    span_is(status, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"))
		return 0;
	if (span_is(status, "UPDATE_IN_PROGRESS")) {
		doc_set_bool(run->arena, child->spec, "Cancel", true);
		e = store_put_spec(run->store, child);
		return e ? err_fold(e) : 0;
	}
	doc_set(run->arena, child->spec, "Def", doc_copy(run->arena,
	    doc_get(child->spec, "Prior")));
	doc_set(run->arena, child->spec, "SkipResources",
	    skipped_inside(run, parent));
	if ((e = store_put_spec(run->store, child)))
		return err_fold(e);
	return stack_turn(run->store, run->arena, child, "update-rollback",
	    "UPDATE_ROLLBACK_IN_PROGRESS", SPAN_NULL);
}

static bool
going_back(const struct res *parent)
{
	return span_is(doc_get_str(parent->status, "Phase"), "update-rollback");
}

int
cfn_nested_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct res *parent, *child;
	struct op_result r;
	struct doc *in;
	int e = family(run, &parent, &child);

	if (e)
		return err_trace(e);
	if (!child) {
		*ret = cfn_fail(run, "Stack with id %.*s does not exist",
		    SPAN_ARG(run->ref));
		return 0;
	}
	if (going_back(parent))
		return go_back(run, parent, child);
	in = input(run, parent);
	doc_set_str(run->arena, in, "StackName", run->ref);
	doc_set_bool(run->arena, in, "DisableRollback",
	    doc_get_bool(parent->spec, "DisableRollback", false));
	if ((e = operation(run, "UpdateStack", in, &r)))
		return err_trace(e);
	doc_set(run->arena, run->attrs, ".Operation", r.error.n ? NULL :
	    doc_strdup(run->arena, doc_get_str(r.out, "OperationId")));
	if (r.error.n && !span_is(r.message, "No updates are to be performed."))
		*ret = cfn_fail(run, "%.*s", SPAN_ARG(r.message));
	return 0;
}

int
cfn_nested_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);
	struct op_result r;
	int e;

	doc_set_str(run->arena, in, "StackName", run->ref);
	if ((e = operation(run, "DeleteStack", in, &r)))
		return err_trace(e);
	if (r.error.n)
		*ret = cfn_fail(run, "%.*s", SPAN_ARG(r.message));
	return 0;
}

static void
take_outputs(struct cfn_run *run, const struct res *child)
{
	struct arena *a = run->arena;

	run->attrs = doc_obj(a);
	doc_each(o, doc_get(child->status, "Outputs"))
		doc_setn(a, run->attrs, arena_fmt_span(a, "Outputs.%.*s",
		    SPAN_ARG(doc_get_str(o, "OutputKey"))),
		    doc_strdup(a, doc_get_str(o, "OutputValue")));
}

static enum cfn_outcome
failed(struct cfn_run *run, const struct res *child, bool made)
{
	struct span status = doc_get_str(child->status, "StackStatus");
	struct span why = doc_get_str(child->status, "WhyFailed");

	if (made)
		return cfn_fail(run, "Embedded stack %.*s was not successfully "
		    "created: %.*s", SPAN_ARG(child->arn), SPAN_ARG(why));
	return cfn_fail(run, "Embedded stack %.*s was not successfully "
	    "updated. Currently in %.*s with reason: %.*s",
	    SPAN_ARG(child->arn), SPAN_ARG(status), SPAN_ARG(why));
}

int
cfn_nested_ready(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct res *parent, *child;
	struct span status;
	bool back, mine; /* mine: what went on last was begun by this update */
	int e = family(run, &parent, &child);

	if (e)
		return err_trace(e);
	if (!child) {
		*ret = cfn_fail(run, "Stack with id %.*s does not exist",
		    SPAN_ARG(run->ref));
		return 0;
	}
	status = doc_get_str(child->status, "StackStatus");
	mine = doc_get(run->attrs, ".Operation") &&
	    span_eq(doc_get_str(run->attrs, ".Operation"), doc_get_str(
		doc_get(child->status, "Operation"), "OperationId"));
	back = going_back(parent) && span_starts(status, SPAN("UPDATE_"));
	if (span_is(status, "CREATE_COMPLETE") ||
	    span_is(status, "UPDATE_COMPLETE") ||
	    (span_is(status, "UPDATE_ROLLBACK_COMPLETE") && (back || !mine)) ||
	    span_is(status, "IMPORT_COMPLETE") ||
	    (span_is(status, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") && !back)) {
		*ret = CFN_DONE;
		take_outputs(run, child);
	} else if (span_is(status, "CREATE_IN_PROGRESS") ||
	    span_is(status, "UPDATE_IN_PROGRESS") ||
	    (back && !span_ends(status, SPAN("_FAILED")))) {
		*ret = CFN_WAIT;
	} else {
		*ret = failed(run, child, span_starts(status, SPAN("CREATE_")) ||
			span_starts(status, SPAN("ROLLBACK_")));
	}
	return 0;
}

int
cfn_nested_gone(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct res *parent, *child;
	struct span status;
	int e = family(run, &parent, &child);

	if (e)
		return err_trace(e);
	status = child ? doc_get_str(child->status, "StackStatus") :
	    SPAN("DELETE_COMPLETE");
	*ret = CFN_WAIT;
	if (span_is(status, "DELETE_COMPLETE"))
		*ret = CFN_DONE;
	else if (span_is(status, "DELETE_FAILED"))
		*ret = cfn_fail(run, "Embedded stack %.*s was not successfully "
		    "deleted: %.*s", SPAN_ARG(child->arn), SPAN_ARG(doc_get_str(
		    child->status, "StackStatusReason")));
	return 0;
}
