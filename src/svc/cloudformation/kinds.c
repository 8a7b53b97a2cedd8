/* The kinds of CloudFormation, and the events that their changes make. */
#include "svc/cloudformation/kinds.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

static const char *const stack_index[] = {"spec.Live", "spec.StackName",
	"status.Imports", NULL};
static const char *const change_set_index[] = {"spec.ChangeSetName", NULL};

static bool
stack_ended(const struct res *r)
{
	return span_is(doc_get_str(r->status, "StackStatus"),
	    "DELETE_COMPLETE");
}

const struct kind cloudformation_stack = {
	.name = "cloudformation.stack",
	.arn = "arn:aws:cloudformation:{region}:{account}:stack/{id}",
	.index = stack_index,
	.ended = stack_ended,
};

static const char *const resource_index[] = {"status.PhysicalResourceId",
	NULL};

const struct kind cloudformation_resource = {
	.name = "cloudformation.resource",
	.index = resource_index,
};

const struct kind cloudformation_event = {
	.name = "cloudformation.event",
};

const struct kind cloudformation_export = {
	.name = "cloudformation.export",
};

const struct kind cloudformation_change_set = {
	.name = "cloudformation.change-set",
	.arn = "arn:aws:cloudformation:{region}:{account}:changeSet/{id}",
	.index = change_set_index,
	.untaggable = true,
};

static const char *const drift_index[] = {"spec.StackDriftDetectionId", NULL};

const struct kind cloudformation_drift = {
	.name = "cloudformation.drift",
	.index = drift_index,
};

const struct kind *const cloudformation_kinds[] = {
	&cloudformation_stack, &cloudformation_resource,
	&cloudformation_event, &cloudformation_export,
	&cloudformation_change_set, &cloudformation_drift, NULL,
};

static void
copy(struct arena *a, struct doc *to, const struct doc *from, const char *key)
{
	if (doc_get(from, key))
		doc_set(a, to, key, doc_copy(a, doc_get(from, key)));
}

/* As AWS shows them: texts are texts, and all of it is one text. */
static void
event_properties(struct arena *a, struct doc *e, const struct doc *resource)
{
	const struct doc *shown = doc_get(resource, "Shown");

	if (doc_len(shown))
		doc_set_str(a, e, "ResourceProperties", doc_json(a, shown));
}

/* Clients sort events by their time, in which a whole stack can be made here:
 * no two of one stack have the same, as on AWS. */
static int64_t
next_event_time(struct arena *a, const struct res *stack)
{
	int64_t at = MAX(clock_ms(),
	    doc_get_time(stack->status, "LastEvent") + 1);

	doc_set_time(a, stack->status, "LastEvent", at);
	return at;
}

int
stack_event(struct store *s, struct arena *a, const struct res *stack,
    const struct doc *resource)
{
	struct span token = doc_get_str(stack->spec, "Token");
	struct res *r = res_new(a, &cloudformation_event, stack->scope,
	    stack->id, span_of(id_uuid(a)));
	struct doc *e = r->spec;
	int f;

	doc_set_str(a, e, "EventId", r->id);
	doc_set_str(a, e, "StackId", stack->arn);
	doc_set_str(a, e, "StackName", doc_get_str(stack->spec, "StackName"));
	doc_set_time(a, e, "Timestamp", next_event_time(a, stack));
	copy(a, e, doc_get(stack->status, "Operation"), "OperationId");
	copy(a, e, doc_get(stack->status, "Operation"), "OperationType");
	if (token.n)
		doc_set_str(a, e, "ClientRequestToken", token);
	if (resource) {
		copy(a, e, resource, "LogicalResourceId");
		copy(a, e, resource, "PhysicalResourceId");
		copy(a, e, resource, "ResourceType");
		copy(a, e, resource, "ResourceStatus");
		copy(a, e, resource, "ResourceStatusReason");
		event_properties(a, e, resource);
	} else {
		doc_set_str(a, e, "LogicalResourceId",
		    doc_get_str(stack->spec, "StackName"));
		doc_set_str(a, e, "PhysicalResourceId", stack->arn);
		doc_set_str(a, e, "ResourceType",
		    SPAN("AWS::CloudFormation::Stack"));
		doc_set_str(a, e, "ResourceStatus",
		    doc_get_str(stack->status, "StackStatus"));
		if (doc_get(stack->status, "StackStatusReason"))
			doc_set_str(a, e, "ResourceStatusReason",
			    doc_get_str(stack->status, "StackStatusReason"));
	}
	f = store_insert(s, a, r);
	return f ? err_fold(f) : 0;
}

static void
set_or_drop(struct arena *a, struct doc *d, const char *key, struct span v)
{
	if (v.n)
		doc_set_str(a, d, key, v);
	else
		doc_del(d, key);
}

int
stack_status(struct store *s, struct arena *a, struct res *stack,
    const char *status, struct span reason)
{
	int e;

	doc_set_str(a, stack->status, "StackStatus", span_of(status));
	set_or_drop(a, stack->status, "StackStatusReason", reason);
	if ((e = stack_event(s, a, stack, NULL)))
		return err_trace(e);
	e = store_put_status(s, stack);
	return e ? err_fold(e) : 0;
}

/* Its own tags are those of what it is, forward or back. */
static int
tags_follow(struct store *s, struct arena *a, const struct res *stack)
{
	const struct doc *def = doc_get(stack->spec, "Def");
	struct doc *had, *has = doc_obj(a);
	int e = def ? store_tags(s, a, stack, &had) : 0;

	if (e || !def)
		return err_trace(e);
	doc_each(t, doc_get(def, "Tags"))
		doc_setn(a, has, doc_get_str(t, "Key"),
		    doc_str(a, doc_get_str(t, "Value")));
	doc_each_key(k, v, had)
		if (!e && !doc_getn(has, k))
			e = store_untag(s, stack, k);
	doc_each_key(k, v, has)
		if (!e && !doc_eq(v, doc_getn(had, k)))
			e = store_tag(s, stack, k, doc_span(v));
	return e ? err_fold(e) : 0;
}

int
stack_turn(struct store *s, struct arena *a, struct res *stack,
    const char *phase, const char *status, struct span reason)
{
	struct doc *d = stack->status;
	int e = tags_follow(s, a, stack);

	if (e)
		return err_trace(e);
	if (phase)
		doc_set_str(a, d, "Phase", span_of(phase));
	else
		doc_del(d, "Phase");
	doc_set_int(a, d, "Op", doc_get_int(d, "Op", 0) + 1);
	doc_set_time(a, d, "Since", clock_ms());
	return stack_status(s, a, stack, status, reason);
}

int
resource_status(struct store *s, struct arena *a, const struct res *stack,
    struct res *r, const char *status, struct span reason)
{
	int e;

	doc_set_str(a, r->status, "ResourceStatus", span_of(status));
	set_or_drop(a, r->status, "ResourceStatusReason", reason);
	doc_set_time(a, r->status, "Timestamp", clock_ms());
	e = r->row ? store_put_status(s, r) : store_insert(s, a, r);
	if (e)
		return err_fold(e);
	return stack_event(s, a, stack, r->status);
}
