/*
 * Change sets of nested stacks.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html
 */
#include "base/err.h"
#include "base/id.h"
#include "svc/cloudformation/cfn.h"
#include "svc/cloudformation/cloudformation.h"

#define SET_NAME_MAX 128

struct nesting {
	struct call *c;
	const struct res *stack;
	struct res *set;
	struct stack_context *x;
	struct doc *list; /* of the set: what is nested in it */
};

static bool
is_known(const struct doc *v)
{
	if (doc_type(v) == DOC_STR)
		return span_find(doc_span(v), SPAN(CFN_AFTER_APPLY)) < 0;
	doc_each(e, v)
		if (!is_known(e))
			return false;
	return true;
}

static int
system_call(struct call *c, const char *op, const struct doc *in,
    struct op_result *ret)
{
	struct principal who = principal_system(c->scope.account,
	    "cloudformation.amazonaws.com");

	return op_call(c->api, c->arena, &who, c->scope, "cloudformation", op,
	    in, ret);
}

static struct doc *
request(struct nesting *n, struct span logical, const struct doc *props)
{
	const struct doc *def = doc_get(n->set->spec, "Def");
	struct span root = doc_get_str(n->set->spec, "RootChangeSetId");
	const struct res *row = stack_row(n->x, logical);
	struct span child = row ? doc_get_str(row->status,
	    "PhysicalResourceId") : SPAN_NULL;
	struct span top = doc_get_str(n->stack->spec, "RootId");
	struct arena *a = n->c->arena;
	struct doc *in = doc_obj(a);
	const struct doc *tags = doc_get(props, "Tags") ?
	    doc_get(props, "Tags") : doc_get(def, "Tags");
	struct span name = span_to(doc_get_str(n->set->spec, "ChangeSetName"),
	    SET_NAME_MAX / 2 - 14);

	doc_set_str(a, in, "StackName", child.n ? child : nested_name(a,
		doc_get_str(n->stack->spec, "StackName"), logical));
	doc_set_str(a, in, "ChangeSetType", child.n ? SPAN("UPDATE") :
						      SPAN("CREATE"));
	doc_setf(a, in, "ChangeSetName", "%.*s-%.*s-%s", SPAN_ARG(name),
	    SPAN_ARG(span_to(logical, SET_NAME_MAX / 2)), id_upper(a, 12));
	doc_set_str(a, in, "TemplateURL", doc_get_str(props, "TemplateURL"));
	doc_set(a, in, "Parameters", nested_parameters(a, props));
	doc_set(a, in, "Tags", tags ? doc_copy(a, tags) : NULL);
	doc_set(a, in, "Capabilities", doc_copy(a,
	    doc_get(def, "Capabilities")));
	doc_set_bool(a, in, "IncludeNestedStacks", true);
	doc_set_str(a, in, "ParentChangeSetId", n->set->arn);
	doc_set_str(a, in, "RootChangeSetId", root.n ? root : n->set->arn);
	doc_set_str(a, in, "ParentId", n->stack->arn);
	doc_set_str(a, in, "RootId", top.n ? top : n->stack->arn);
	return in;
}

static struct doc *
find_change(struct doc *changes, struct span logical, size_t *ret_i)
{
	size_t i = 0;

	doc_each(v, changes) {
		struct doc *rc = doc_get(v, "ResourceChange");

		*ret_i = i++;
		if (span_eq(doc_get_str(rc, "LogicalResourceId"), logical))
			return rc;
	}
	return NULL;
}

/* Nothing of its own changes: it is among the changes for what may be inside. */
static bool
is_automatic(const struct doc *rc)
{
	const struct doc *details = doc_get(rc, "Details");

	return doc_len(details) == 1 && span_is(doc_get_str(doc_at(details, 0),
	    "ChangeSource"), "Automatic");
}

static void
note(struct nesting *n, struct doc *changes, struct span logical,
    struct span id)
{
	size_t i;
	struct doc *rc = find_change(changes, logical, &i);

	if (rc && id.n)
		doc_set_str(n->c->arena, rc, "ChangeSetId", id);
	else if (rc && is_automatic(rc))
		doc_remove(changes, i);
}

static int
one(struct nesting *n, struct span logical, const struct doc *props,
    struct span *ret_id, struct span *ret_why)
{
	struct arena *a = n->c->arena;
	struct op_result r;
	struct res *set;
	struct doc *entry;
	int e = system_call(n->c, "CreateChangeSet", request(n, logical,
	    props), &r);

	if (e)
		return err_trace(e);
	if (r.error.n) {
		*ret_why = r.message;
		return 0;
	}
	if ((e = store_get_arn(n->c->store, a, doc_get_str(r.out, "Id"), &set)))
		return err_fold(e);
	if (span_is(doc_get_str(set->spec, "StatusReason"), CHANGE_SET_EMPTY)) {
		*ret_id = SPAN_NULL;
		e = store_delete(n->c->store, set);
		return e ? err_fold(e) : 0;
	}
	if (!span_is(doc_get_str(set->spec, "Status"), "CREATE_COMPLETE"))
		*ret_why = arena_fmt_span(a, "Nested change set %.*s was not "
		    "successfully created: Currently in FAILED.",
		    SPAN_ARG(set->arn));
	entry = doc_set_str(a, doc_obj(a), "LogicalResourceId", logical);
	doc_set_str(a, entry, "ChangeSetId", set->arn);
	doc_set_str(a, entry, "StackId", doc_get_str(set->spec, "StackId"));
	doc_push(n->list, entry);
	*ret_id = set->arn;
	return 0;
}

int
nested_sets(struct call *c, const struct res *stack, struct res *set,
    struct stack_context *x, struct doc *plain, struct doc *full,
    struct span *ret_why)
{
	struct nesting n = {c, stack, set, x, doc_arr(c->arena)};
	struct cfn_error err;
	struct doc *props;
	struct span id;
	int e;

	set->arn = kind_arn(c->arena, set->kind, set->scope, set->parent,
	    set->id);
	for (size_t i = 0; i < x->stack->n && !ret_why->n; i++) {
		struct span logical = x->stack->resources[i].id;

		if (!span_is(x->stack->resources[i].type,
			"AWS::CloudFormation::Stack"))
			continue;
		e = cfn_properties(c->arena, x->stack, i, CFN_PLAN, &props,
		    &err);
		if (e < 0)
			return err_trace(e);
		if (e || !is_known(props))
			continue;
		if ((e = one(&n, logical, props, &id, ret_why)))
			return err_trace(e);
		if (ret_why->n)
			break;
		note(&n, plain, logical, id);
		note(&n, full, logical, id);
	}
	doc_set(c->arena, set->spec, "Nested", n.list);
	return 0;
}

/* Both of an entry of Nested; either may be NULL. */
static int
entry_find(struct call *c, const struct doc *entry, struct res **ret_set,
    struct res **ret_stack)
{
	int e = store_get_arn(c->store, c->arena,
	    doc_get_str(entry, "ChangeSetId"), ret_set);

	if (e > 0)
		*ret_set = NULL;
	if (e < 0)
		return err_trace(e);
	e = store_get_arn(c->store, c->arena, doc_get_str(entry, "StackId"),
	    ret_stack);
	if (e > 0)
		*ret_stack = NULL;
	return e < 0 ? err_trace(e) : 0;
}

int
change_set_drop(struct call *c, const struct res *set)
{
	struct doc *in = doc_obj(c->arena);
	struct res *inner, *stack;
	struct op_result r;
	int e;

	doc_each(entry, doc_get(set->spec, "Nested")) {
		if ((e = entry_find(c, entry, &inner, &stack)))
			return err_trace(e);
		if (inner && (e = change_set_drop(c, inner)))
			return err_trace(e);
		if (!stack || !span_is(doc_get_str(stack->status,
				  "StackStatus"), "REVIEW_IN_PROGRESS"))
			continue;
		doc_set_str(c->arena, in, "StackName", stack->arn);
		if ((e = system_call(c, "DeleteStack", in, &r)))
			return err_trace(e);
	}
	e = store_delete(c->store, set);
	return e ? err_fold(e) : 0;
}

int
nested_executed(struct call *c, const struct res *set)
{
	struct res *inner, *stack;
	int e;

	doc_each(entry, doc_get(set->spec, "Nested")) {
		if ((e = entry_find(c, entry, &inner, &stack)))
			return err_trace(e);
		if (!inner)
			continue;
		doc_set_str(c->arena, inner->spec, "ExecutionStatus",
		    SPAN("EXECUTE_COMPLETE"));
		if ((e = store_put_spec(c->store, inner)))
			return err_fold(e);
		if ((e = nested_executed(c, inner)))
			return err_trace(e);
	}
	return 0;
}

struct reply *
change_set_is_root(struct call *c, const struct res *set)
{
	if (c->who.system || !doc_get(set->spec, "ParentChangeSetId"))
		return NULL;
	return reply_error(c, "InvalidChangeSetStatus", "Operation on nested "
	    "change set [%.*s] must be initiated from the root change set "
	    "[%.*s]", SPAN_ARG(set->arn), SPAN_ARG(doc_get_str(set->spec,
	    "RootChangeSetId")));
}
