/* Change sets: what an update would do, kept until it is done or dropped. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "cfn/type.h"
#include "svc/cloudformation/cloudformation.h"

static struct reply *
not_found(struct call *c)
{
	return reply_error(c, "ChangeSetNotFound",
	    "ChangeSet [%.*s] does not exist",
	    SPAN_ARG(doc_get_str(c->in, "ChangeSetName")));
}

/* NULL and *ret (NULL: none of that name). */
static struct reply *
find(struct call *c, struct res **ret)
{
	struct span name = doc_get_str(c->in, "ChangeSetName");
	struct span of = doc_get_str(c->in, "StackName");
	struct query q = {.kind = &cloudformation_change_set,
		.scope = c->scope, .index = "spec.ChangeSetName",
		.value = name, .newest_first = true, .limit = 1};
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no;
	int e;

	*ret = NULL;
	if (span_starts(name, SPAN("arn:"))) {
		e = store_get_arn(c->store, c->arena, name, ret);
		if (e < 0)
			return cfn_fail_reply(c, e);
		if (e || (*ret)->kind != &cloudformation_change_set)
			*ret = NULL;
		return NULL;
	}
	if (!of.n)
		return cfn_refuse(c, "StackName must be specified if "
		    "ChangeSetName is not specified as an ARN.");
	if ((no = stack_try(c, of, &stack)) || !stack)
		return no;
	q.parent = stack->id;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	if (l.n)
		*ret = l.v[0];
	return NULL;
}

struct reply *
change_set_find(struct call *c, struct res **ret)
{
	struct reply *no = find(c, ret);

	return no ? no : *ret ? NULL : not_found(c);
}

/* Creation */

static struct reply *
stack_for(struct call *c, bool create, struct res **ret)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct res *stack;
	struct reply *no = stack_try(c, name, &stack);
	bool review;
	int e;

	if (no)
		return no;
	review = stack && span_is(doc_get_str(stack->status, "StackStatus"),
	    "REVIEW_IN_PROGRESS");
	*ret = stack;
	if (create && stack && !review)
		return cfn_refuse(c, "Stack [%.*s] already exists and cannot "
		    "be created again with the changeSet [%.*s].",
		    SPAN_ARG(name),
		    SPAN_ARG(doc_get_str(c->in, "ChangeSetName")));
	if (create && !stack) {
		if ((no = stack_name_check(c, name)))
			return no;
		*ret = stack = stack_make(c, name);
		stack_note_family(c, stack);
		if ((e = store_insert(c->store, c->arena, stack)))
			return cfn_fail_reply(c, e);
		return stack_begin(c, stack, NULL, "REVIEW_IN_PROGRESS",
		    "CREATE_CHANGESET");
	}
	if (create)
		return NULL;
	if (!stack || !doc_get(stack->spec, "Live"))
		return cfn_refuse(c, "Stack [%.*s] does not exist",
		    SPAN_ARG(name));
	return stack_updatable(c, stack);
}

static void
judge(struct call *c, struct res *set, bool ok, struct span reason)
{
	struct arena *a = c->arena;

	doc_set_str(a, set->spec, "Status", ok ? SPAN("CREATE_COMPLETE") :
						 SPAN("FAILED"));
	doc_set_str(a, set->spec, "ExecutionStatus",
	    ok ? SPAN("AVAILABLE") : SPAN("UNAVAILABLE"));
	if (reason.n)
		doc_set_str(a, set->spec, "StatusReason", reason);
}

static bool
is_import(const struct res *set)
{
	return span_is(doc_get_str(set->spec, "Type"), "IMPORT");
}

static int
judge_import(struct call *c, struct stack_context *before,
    struct stack_context *x, struct doc *plain, struct doc *full,
    struct span *ret_why)
{
	struct doc *was = doc_arr(c->arena), *is;
	int e = before->stack ? stack_outputs(c, before, &was) : 0;

	if (e || (e = stack_outputs(c, x, &is)))
		return err_trace(e);
	import_judge(c, x->def, plain, full, !doc_eq(was, is), ret_why);
	return 0;
}

/* Finds the changes and says whether there are any. */
static int
examine(struct call *c, const struct res *stack, struct res *set,
    struct stack_context *x, struct doc *def)
{
	struct stack_context before;
	struct doc *plain, *full;
	struct cfn_error err;
	struct span why = SPAN_NULL;
	bool differs;
	int e;

	if (!(e = stack_before(c, stack, x, &before, &err)) &&
	    !(e = stack_changes(c, &before, x, false, &plain, &err)))
		e = stack_changes(c, &before, x, true, &full, &err);
	if (e > 0) {
		judge(c, set, false, err.text);
		doc_set(c->arena, set->spec, "Changes", doc_arr(c->arena));
		return 0;
	}
	if (!e && is_import(set))
		e = judge_import(c, &before, x, plain, full, &why);
	else if (!e && doc_get_bool(set->spec, "ImportExistingResources",
	    false))
		e = import_existing(c, x, def, plain, full, &why);
	if (!e && doc_get_bool(set->spec, "IncludeNestedStacks", false))
		e = nested_sets(c, stack, set, x, plain, full, &why);
	if (e || (e = stack_differs(c, &before, x, plain, &differs)))
		return err_trace(e);
	doc_set(c->arena, set->spec, "Changes", plain);
	doc_set(c->arena, set->spec, "Values", full);
	judge(c, set, differs && !why.n, why.n ? why :
	    differs ? SPAN_NULL : SPAN(CHANGE_SET_EMPTY));
	return 0;
}

static struct reply *
check_type(struct call *c, bool *ret_create)
{
	struct span type = doc_get_str(c->in, "ChangeSetType");

	struct res *stack = NULL;
	struct reply *no = stack_try(c, doc_get_str(c->in, "StackName"),
	    &stack);

	if (no)
		return no;
	*ret_create = span_is(type, "CREATE") ||
	    (span_is(type, "IMPORT") && (!stack || span_is(doc_get_str(
		stack->status, "StackStatus"), "REVIEW_IN_PROGRESS")));
	if (doc_get_str(c->in, "DeploymentMode").n &&
	    !span_is(doc_get_str(c->in, "DeploymentMode"), "STANDARD"))
		return reply_not_implemented(c, "DeploymentMode %.*s",
		    SPAN_ARG(doc_get_str(c->in, "DeploymentMode")));
	return NULL;
}

static struct reply *
answer(struct call *c, const struct res *set)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "Id", set->arn);
	doc_set_str(c->arena, out, "StackId",
	    doc_get_str(set->spec, "StackId"));
	return reply_ok(c, out);
}

static void
keep(struct call *c, struct res *set)
{
	static const char *const kept[] = {"Description", "OnStackFailure",
		"ClientToken", "IncludeNestedStacks",
		"ImportExistingResources"};
	static const char *const inner[] = {"ParentChangeSetId",
		"RootChangeSetId"};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		doc_set(c->arena, set->spec, kept[i],
		    doc_get(c->in, kept[i]) ? doc_copy(c->arena,
			doc_get(c->in, kept[i])) : NULL);
	for (size_t i = 0; c->who.system && i < ARRAY_SIZE(inner); i++)
		doc_set_str(c->arena, set->spec, inner[i],
		    doc_get_str(c->in, inner[i]));
}

struct reply *
change_set_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "ChangeSetName"), stack_name;
	struct res *stack = NULL, *set = NULL;
	struct doc *def = NULL;
	struct stack_context x;
	struct reply *no;
	bool create;
	int e;

	if ((no = check_type(c, &create)) || (no = find(c, &set)))
		return no;
	if (set && span_eq(doc_get_str(set->spec, "ClientToken"),
		       doc_get_str(c->in, "ClientToken")) &&
	    doc_get_str(c->in, "ClientToken").n)
		return answer(c, set);
	if (set)
		return reply_error(c, "AlreadyExistsException",
		    "ChangeSet %.*s already exists", SPAN_ARG(set->arn));
	if ((no = stack_for(c, create, &stack)))
		return no;
	stack_name = doc_get_str(stack->spec, "StackName");
	if ((no = definition_read(c, stack, stack_name, &def)) ||
	    (no = definition_open(c, stack, stack_name, def, &x)) ||
	    (no = definition_check(c, &x, def)) ||
	    (span_is(doc_get_str(c->in, "ChangeSetType"), "IMPORT") &&
		(no = import_read(c, x.stack, def))))
		return no;
	set = res_new(c->arena, &cloudformation_change_set, c->scope,
	    stack->id, arena_fmt_span(c->arena, "%.*s/%s", SPAN_ARG(name),
		id_uuid(c->arena)));
	doc_set_str(c->arena, set->spec, "ChangeSetName", name);
	doc_set_str(c->arena, set->spec, "StackId", stack->arn);
	doc_set_str(c->arena, set->spec, "StackName", stack_name);
	doc_set_str(c->arena, set->spec, "Type", doc_get(c->in,
	    "ChangeSetType") ? doc_get_str(c->in, "ChangeSetType") :
			       SPAN("UPDATE"));
	keep(c, set);
	doc_set(c->arena, set->spec, "Def", def);
	if ((e = examine(c, stack, set, &x, def)) ||
	    (e = store_insert(c->store, c->arena, set)))
		return cfn_fail_reply(c, e);
	return answer(c, set);
}

/* Showing */

static struct doc *
summary(struct call *c, const struct res *set)
{
	static const char *const members[] = {"ChangeSetName", "StackId",
		"StackName", "Status", "StatusReason", "ExecutionStatus",
		"Description", "OnStackFailure", "ParentChangeSetId",
		"RootChangeSetId"};
	struct doc *v = doc_obj(c->arena);

	doc_set_str(c->arena, v, "ChangeSetId", set->arn);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (doc_get(set->spec, members[i]))
			doc_set(c->arena, v, members[i], doc_copy(c->arena,
			    doc_get(set->spec, members[i])));
	doc_set_time(c->arena, v, "CreationTime", set->created);
	doc_set_bool(c->arena, v, "ImportExistingResources",
	    doc_get_bool(set->spec, "ImportExistingResources", false));
	doc_set_bool(c->arena, v, "IncludeNestedStacks",
	    doc_get_bool(set->spec, "IncludeNestedStacks", false));
	return v;
}

struct reply *
change_set_describe(struct call *c)
{
	bool values = doc_get_bool(c->in, "IncludePropertyValues", false);
	const struct doc *def, *changes;
	struct arena *a = c->arena;
	struct res *set = NULL;
	struct reply *no = change_set_find(c, &set);
	struct doc *v;

	if (no)
		return no;
	def = doc_get(set->spec, "Def");
	changes = doc_get(set->spec, values ? "Values" : "Changes");
	v = summary(c, set);
	doc_set(a, v, "Parameters", doc_copy(a, doc_get(def, "Shown")));
	doc_set(a, v, "Tags", doc_get(def, "Tags") ?
		doc_copy(a, doc_get(def, "Tags")) : doc_arr(a));
	doc_set(a, v, "Capabilities",
	    doc_copy(a, doc_get(def, "Capabilities")));
	doc_set(a, v, "NotificationARNs", doc_arr(a));
	doc_set(a, v, "RollbackConfiguration", doc_obj(a));
	doc_set(a, v, "Changes", changes ? doc_copy(a, changes) : doc_arr(a));
	return reply_ok(c, v);
}

struct reply *
change_set_list(struct call *c)
{
	struct query q = {.kind = &cloudformation_change_set,
		.scope = c->scope};
	struct doc *list = doc_arr(c->arena);
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);
	int e;

	if (no)
		return no;
	q.parent = stack->id;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, summary(c, l.v[i]));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Summaries",
	    list));
}

/* AWS: to delete what is not there is no mistake. */
struct reply *
change_set_delete(struct call *c)
{
	struct res *set = NULL;
	struct reply *no = find(c, &set);
	int e;

	if (no || !set)
		return no ? no : reply_ok(c, NULL);
	if (cfn_word("EXECUTE_IN_PROGRESS",
		doc_get_str(set->spec, "ExecutionStatus")))
		return reply_error(c, "InvalidChangeSetStatus",
		    "ChangeSet [%.*s] cannot be deleted in status "
		    "EXECUTE_IN_PROGRESS", SPAN_ARG(set->arn));
	if ((no = change_set_is_root(c, set)))
		return no;
	e = change_set_drop(c, set);
	return e ? cfn_fail_reply(c, e) : reply_ok(c, NULL);
}

/* Execution */

struct reply *
change_set_drop_others(struct call *c, const struct res *stack,
    const struct res *set)
{
	struct query q = {.kind = &cloudformation_change_set,
		.scope = c->scope, .parent = stack->id};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++)
		if (!set || l.v[i]->row != set->row)
			e = change_set_drop(c, l.v[i]);
	return e ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
change_set_outdate(struct call *c, const struct res *stack)
{
	struct query q = {.kind = &cloudformation_change_set,
		.scope = c->scope, .parent = stack->id};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++) {
		if (!span_is(doc_get_str(l.v[i]->spec, "ExecutionStatus"),
			"AVAILABLE"))
			continue;
		doc_set_str(c->arena, l.v[i]->spec, "ExecutionStatus",
		    SPAN("OBSOLETE"));
		e = store_put_spec(c->store, l.v[i]);
	}
	return e ? cfn_fail_reply(c, e) : NULL;
}

/* OnStackFailure is what the set's maker said of it. */
static void
note_failure(struct call *c, struct res *stack, const struct res *set)
{
	struct span on = doc_get_str(set->spec, "OnStackFailure");

	stack_note_request(c, stack);
	doc_del(stack->spec, "OnFailure");
	if (span_is(on, "DO_NOTHING"))
		doc_set_bool(c->arena, stack->spec, "DisableRollback", true);
	else if (on.n)
		doc_set_str(c->arena, stack->spec, "OnFailure", on);
}

/* What a first execution sets, as CreateStack does. */
static struct reply *
execute_create(struct call *c, struct res *stack, const struct res *set)
{
	const struct doc *def = doc_get(set->spec, "Def");
	int e;

	doc_set(c->arena, stack->spec, "Def", doc_copy(c->arena, def));
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	return stack_begin(c, stack, "create", "CREATE_IN_PROGRESS",
	    "CREATE_STACK");
}

static struct reply *
execute_import(struct call *c, struct res *stack, const struct res *set)
{
	bool first = !doc_get(stack->spec, "Def");
	struct arena *a = c->arena;
	struct reply *no;
	int e;

	if (!first && ((no = stack_updatable(c, stack))))
		return no;
	doc_set(a, stack->spec, "Prior", first ? NULL :
	    doc_copy(a, doc_get(stack->spec, "Def")));
	doc_set(a, stack->spec, "Def", doc_copy(a, doc_get(set->spec, "Def")));
	if ((e = store_put_spec(c->store, stack)))
		return cfn_fail_reply(c, e);
	return stack_begin(c, stack, "import", "IMPORT_IN_PROGRESS",
	    first ? "CREATE_STACK" : "UPDATE_STACK");
}

struct reply *
change_set_execute(struct call *c)
{
	struct res *set = NULL, *stack;
	struct span status, token = doc_get_str(c->in, "ClientRequestToken");
	struct reply *no = change_set_find(c, &set);
	int e;

	if (no)
		return no;
	if ((no = change_set_is_root(c, set)))
		return no;
	e = store_get(c->store, c->arena, &cloudformation_stack, c->scope,
	    SPAN_NULL, set->parent, &stack);
	if (e)
		return cfn_fail_reply(c, e);
	status = doc_get_str(set->spec, "ExecutionStatus");
	if (doc_get_bool(c->in, "DisableRollback", false) &&
	    doc_get(set->spec, "OnStackFailure"))
		return cfn_refuse(c, "You can't specify both DisableRollback "
		    "and the OnStackFailure of the change set.");
	if (span_is(status, "EXECUTE_COMPLETE") && token.n &&
	    span_eq(token, doc_get_str(stack->spec, "Token")))
		return reply_ok(c, NULL);
	if (!span_is(status, "AVAILABLE"))
		return reply_error(c, "InvalidChangeSetStatus",
		    "ChangeSet [%.*s] cannot be executed in its current "
		    "execution status of [%.*s]", SPAN_ARG(set->arn),
		    SPAN_ARG(status));
	doc_set_str(c->arena, set->spec, "ExecutionStatus",
	    SPAN("EXECUTE_COMPLETE"));
	doc_set_str(c->arena, stack->spec, "ChangeSetId", set->arn);
	if ((e = store_put_spec(c->store, set)))
		return cfn_fail_reply(c, e);
	if ((no = change_set_drop_others(c, stack, set)))
		return no;
	if ((e = nested_executed(c, set)))
		return cfn_fail_reply(c, e);
	note_failure(c, stack, set);
	if ((no = policy_note(c, stack)))
		return no;
	if (is_import(set))
		no = execute_import(c, stack, set);
	else if (span_is(doc_get_str(set->spec, "Type"), "CREATE"))
		no = execute_create(c, stack, set);
	else if ((no = stack_updatable(c, stack)))
		return no;
	else
		return stack_update_to(c, stack, doc_get(set->spec, "Def"));
	return no ? no : reply_ok(c, NULL);
}
