/* Stacks, their events and resources as clients are shown them. */
#include "base/err.h"
#include "cfn/summary.h"
#include "svc/cloudformation/cloudformation.h"

#define EVENTS 100
#define STACKS 100

static void
copy(struct arena *a, struct doc *to, const struct doc *from, const char *name)
{
	if (doc_get(from, name))
		doc_set(a, to, name, doc_copy(a, doc_get(from, name)));
}

static struct doc *
drift(struct arena *a, const struct res *r)
{
	const struct doc *d = doc_get(r->spec, "Drift");

	return d ? doc_copy(a, d) : doc_set_str(a, doc_obj(a),
	    "StackDriftStatus", SPAN("NOT_CHECKED"));
}

static struct doc *
resource_drift(struct arena *a, const struct res *r)
{
	struct doc *d = doc_set_str(a, doc_obj(a), "StackResourceDriftStatus",
	    drift_of(r));

	if (!span_is(drift_of(r), "NOT_CHECKED"))
		doc_set_time(a, d, "LastCheckTimestamp", doc_get_time(
		    doc_get(r->spec, "Drift"), "Timestamp"));
	return d;
}

/* The tags of the definition: that is what the next update starts from. */
static struct doc *
stack_view(struct call *c, const struct res *s)
{
	static const char *const of_def[] = {"Description", "RoleARN",
		"Capabilities", "Tags", "ChangeSetId"};
	static const char *const of_spec[] = {"StackName", "TimeoutInMinutes",
		"ParentId", "RootId", "RetainExceptOnCreate", "DeletionMode"};
	static const char *const of_status[] = {"StackStatus",
		"StackStatusReason", "LastUpdatedTime", "DeletionTime"};
	const struct doc *def = doc_get(s->spec, "Def");
	struct arena *a = c->arena;
	struct doc *v = doc_obj(a);

	doc_set_str(a, v, "StackId", s->arn);
	for (size_t i = 0; i < ARRAY_SIZE(of_def); i++)
		copy(a, v, def, of_def[i]);
	for (size_t i = 0; i < ARRAY_SIZE(of_spec); i++)
		copy(a, v, s->spec, of_spec[i]);
	for (size_t i = 0; i < ARRAY_SIZE(of_status); i++)
		copy(a, v, s->status, of_status[i]);
	copy(a, v, s->spec, "ChangeSetId");
	doc_set_time(a, v, "CreationTime", s->created);
	doc_set(a, v, "Parameters", doc_copy(a, doc_get(def, "Shown")));
	doc_set(a, v, "Outputs", doc_copy(a, doc_get(s->status, "Outputs")));
	doc_set(a, v, "NotificationARNs", doc_get(def, "NotificationARNs") ?
		doc_copy(a, doc_get(def, "NotificationARNs")) : doc_arr(a));
	doc_set(a, v, "RollbackConfiguration", doc_obj(a));
	if (!doc_get(v, "Tags"))
		doc_set(a, v, "Tags", doc_arr(a));
	doc_set_bool(a, v, "DisableRollback",
	    doc_get_bool(s->spec, "DisableRollback", false));
	doc_set_bool(a, v, "EnableTerminationProtection",
	    doc_get_bool(s->spec, "EnableTerminationProtection", false));
	doc_set(a, v, "DriftInformation", drift(a, s));
	if (doc_get(s->status, "Operation")) {
		struct doc *last = doc_arr(a);

		doc_push(last, doc_copy(a, doc_get(s->status, "Operation")));
		doc_set(a, v, "LastOperations", last);
	}
	return v;
}

static struct reply *
bad_token(struct call *c)
{
	return cfn_refuse(c, "Invalid NextToken");
}

struct reply *
stack_describe(struct call *c)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct query q = {.kind = &cloudformation_stack, .scope = c->scope,
		.limit = STACKS, .newest_first = true};
	struct res_list l;
	struct res *one = NULL;
	struct reply *no;
	int e;

	doc_set(c->arena, out, "Stacks", list);
	if (name.n) {
		if ((no = stack_find(c, name, &one)))
			return no;
		doc_push(list, stack_view(c, one));
		return reply_ok(c, out);
	}
	if (doc_get_str(c->in, "NextToken").n &&
	    !page_token_row(c, doc_get_str(c->in, "NextToken"), &q.after))
		return bad_token(c);
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		if (doc_get(l.v[i]->spec, "Live"))
			doc_push(list, stack_view(c, l.v[i]));
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
stack_list(struct call *c)
{
	const struct doc *wanted = doc_get(c->in, "StackStatusFilter");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *v;
	struct query q = {.kind = &cloudformation_stack, .scope = c->scope,
		.limit = STACKS, .newest_first = true};
	struct res_list l;
	int e;

	if (doc_get_str(c->in, "NextToken").n &&
	    !page_token_row(c, doc_get_str(c->in, "NextToken"), &q.after))
		return bad_token(c);
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++) {
		struct span status = doc_get_str(l.v[i]->status, "StackStatus");

		if (doc_len(wanted) && !doc_has_str(wanted, status))
			continue;
		v = stack_view(c, l.v[i]);
		if (doc_get(v, "Description"))
			doc_set(c->arena, v, "TemplateDescription",
			    doc_copy(c->arena, doc_get(v, "Description")));
		doc_push(list, v);
	}
	doc_set(c->arena, out, "StackSummaries", list);
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
stack_events(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct query q = {.kind = &cloudformation_event, .scope = c->scope,
		.limit = EVENTS, .newest_first = true};
	struct span name = doc_get_str(c->in, "StackName");
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no = stack_try(c, name, &stack);
	int e;

	if (no)
		return no;
	if (!stack)
		return cfn_refuse(c, "Stack [%.*s] does not exist",
		    SPAN_ARG(name));
	if (doc_get_str(c->in, "NextToken").n &&
	    !page_token_row(c, doc_get_str(c->in, "NextToken"), &q.after))
		return bad_token(c);
	q.parent = stack->id;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, doc_copy(c->arena, l.v[i]->spec));
	doc_set(c->arena, out, "StackEvents", list);
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

/* Resources */

static struct doc *
resource_view(struct call *c, const struct res *stack, const struct res *r)
{
	static const char *const members[] = {"LogicalResourceId",
		"PhysicalResourceId", "ResourceType", "ResourceStatus",
		"ResourceStatusReason", "Timestamp"};
	struct arena *a = c->arena;
	struct doc *v = doc_obj(a);

	doc_set_str(a, v, "StackName", doc_get_str(stack->spec, "StackName"));
	doc_set_str(a, v, "StackId", stack->arn);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		copy(a, v, r->status, members[i]);
	doc_set(a, v, "LastUpdatedTimestamp", doc_copy(a,
	    doc_get(r->status, "Timestamp")));
	doc_set(a, v, "DriftInformation", resource_drift(a, r));
	return v;
}

static struct reply *
rows(struct call *c, struct res *stack, struct res_list *ret)
{
	struct query q = {.kind = &cloudformation_resource, .scope = c->scope,
		.parent = stack->id};
	size_t n = 0;
	int e = store_list(c->store, c->arena, &q, ret);

	if (e)
		return cfn_fail_reply(c, e);
	/* What was replaced is not a resource of the stack any more. */
	for (size_t i = 0; i < ret->n; i++)
		if (!doc_get_bool(ret->v[i]->status, "Replaced", false))
			ret->v[n++] = ret->v[i];
	ret->n = n;
	return NULL;
}

static struct reply *
by_physical(struct call *c, struct span physical, struct res **ret)
{
	struct query q = {.kind = &cloudformation_resource, .scope = c->scope,
		.any_parent = true, .index = "status.PhysicalResourceId",
		.value = physical};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		if (!doc_get_bool(l.v[i]->status, "Gone", false) &&
		    !store_get(c->store, c->arena, &cloudformation_stack,
			c->scope, SPAN_NULL, l.v[i]->parent, ret))
			return NULL;
	return cfn_refuse(c, "Stack for %.*s does not exist",
	    SPAN_ARG(physical));
}

struct reply *
stack_resources(struct call *c)
{
	struct span name = doc_get_str(c->in, "StackName");
	struct span physical = doc_get_str(c->in, "PhysicalResourceId");
	struct span logical = doc_get_str(c->in, "LogicalResourceId");
	struct doc *list = doc_arr(c->arena);
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no;

	if (name.n == 0 && physical.n == 0)
		return cfn_refuse(c, "Either StackName or PhysicalResourceId "
		    "must be specified");
	no = name.n ? stack_find(c, name, &stack) :
		      by_physical(c, physical, &stack);
	if (no || (no = rows(c, stack, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++)
		if (!logical.n || span_eq(l.v[i]->id, logical))
			doc_push(list, resource_view(c, stack, l.v[i]));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "StackResources", list));
}

struct reply *
stack_resource(struct call *c)
{
	struct span logical = doc_get_str(c->in, "LogicalResourceId");
	struct span name = doc_get_str(c->in, "StackName");
	struct res *stack = NULL, *r;
	struct reply *no = stack_try(c, name, &stack);
	struct doc *v;
	int e;

	if (no)
		return no;
	if (!stack)
		return cfn_refuse(c, "Stack '%.*s' does not exist",
		    SPAN_ARG(name));
	e = store_get(c->store, c->arena, &cloudformation_resource, c->scope,
	    stack->id, logical, &r);
	if (e == STORE_E_NOT_FOUND)
		return cfn_refuse(c, "Resource %.*s does not exist for stack "
		    "%.*s", SPAN_ARG(logical), SPAN_ARG(name));
	if (e)
		return cfn_fail_reply(c, e);
	v = resource_view(c, stack, r);
	copy(c->arena, v, r->status, "Metadata");
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "StackResourceDetail", v));
}

struct reply *
stack_list_resources(struct call *c)
{
	struct doc *list = doc_arr(c->arena);
	struct res *stack = NULL;
	struct res_list l;
	struct reply *no = stack_find(c, doc_get_str(c->in, "StackName"),
	    &stack);

	if (no || (no = rows(c, stack, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, resource_view(c, stack, l.v[i]));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "StackResourceSummaries", list));
}

/* Templates */

static struct reply *
shown_template(struct call *c, const struct res *stack, struct span *ret,
    const struct doc **ret_def)
{
	struct res *set = NULL;
	struct reply *no;

	*ret_def = doc_get(stack->spec, "Def");
	if (doc_get_str(c->in, "ChangeSetName").n) {
		if ((no = change_set_find(c, &set)))
			return no;
		*ret_def = doc_get(set->spec, "Def");
	}
	*ret = doc_get_str(*ret_def, "TemplateBody");
	return NULL;
}

struct reply *
template_get(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *stages = doc_arr(c->arena);
	struct span name = doc_get_str(c->in, "StackName"), body;
	const struct doc *def = NULL;
	struct stack_context x;
	struct res *stack = NULL;
	struct reply *no = stack_find(c, name, &stack);

	if (no || (no = shown_template(c, stack, &body, &def)))
		return no;
	if (span_is(doc_get_str(c->in, "TemplateStage"), "Processed") && def) {
		no = definition_open(c, stack, doc_get_str(stack->spec,
		    "StackName"), def, &x);
		if (no)
			return no;
		if (doc_len(x.template->transforms))
			body = doc_json(c->arena, x.stack->doc);
	}
	doc_set_str(c->arena, out, "TemplateBody", body);
	doc_push_str(c->arena, stages, SPAN("Original"));
	doc_push_str(c->arena, stages, SPAN("Processed"));
	return reply_ok(c, doc_set(c->arena, out, "StagesAvailable", stages));
}

static struct reply *
read_any(struct call *c, struct cfn_template **ret)
{
	struct span name = doc_get_str(c->in, "StackName"), body;
	struct res *stack = NULL;
	struct cfn_error err;
	struct reply *no;
	int e;

	if (name.n) {
		if ((no = stack_find(c, name, &stack)))
			return no;
		body = doc_get_str(doc_get(stack->spec, "Def"),
		    "TemplateBody");
	} else if ((no = template_read(c, NULL, &body))) {
		return no;
	}
	e = cfn_template_parse(c->arena, body, ret, &err);
	if (e > 0)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	return e ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
template_summary(struct call *c)
{
	struct cfn_template *t = NULL;
	struct reply *no = read_any(c, &t);

	return no ? no : reply_ok(c, cfn_summary(c->arena, t));
}

struct reply *
template_validate(struct call *c)
{
	struct cfn_template *t = NULL;
	struct reply *no = read_any(c, &t);

	return no ? no : reply_ok(c, cfn_validate_output(c->arena, t));
}

/* Exports */

struct reply *
export_list(struct call *c)
{
	struct query q = {.kind = &cloudformation_export, .scope = c->scope,
		.limit = STACKS};
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *v;
	struct res_list l;
	int e;

	if (doc_get_str(c->in, "NextToken").n &&
	    !page_token_row(c, doc_get_str(c->in, "NextToken"), &q.after))
		return bad_token(c);
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++) {
		v = doc_copy(c->arena, l.v[i]->spec);
		doc_push(list, doc_set_str(c->arena, v, "Name", l.v[i]->id));
	}
	doc_set(c->arena, out, "Exports", list);
	if (l.more)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[l.n - 1]->row));
	return reply_ok(c, out);
}

struct reply *
import_list(struct call *c)
{
	struct span name = doc_get_str(c->in, "ExportName");
	struct query q = {.kind = &cloudformation_stack, .scope = c->scope,
		.index = "status.Imports", .value = name};
	struct doc *list = doc_arr(c->arena);
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return cfn_fail_reply(c, e);
	for (size_t i = 0; i < l.n; i++)
		doc_push_str(c->arena, list,
		    doc_get_str(l.v[i]->spec, "StackName"));
	if (!l.n)
		return cfn_refuse(c, "Export '%.*s' is not imported by any "
		    "stack.", SPAN_ARG(name));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Imports",
	    list));
}

/* https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
struct reply *
cfn_limits(struct call *c)
{
	static const struct {
		const char *name;
		int value;
	} rows[] = {{"StackLimit", 2000}, {"StackOutputsLimit",
	    CFN_MAX_OUTPUTS}, {"ConcurrentResourcesLimit", 2500}};
	struct doc *list = doc_arr(c->arena), *v;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		v = doc_set_str(c->arena, doc_obj(c->arena), "Name",
		    span_of(rows[i].name));
		doc_push(list, doc_set_int(c->arena, v, "Value",
		    rows[i].value));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "AccountLimits", list));
}
