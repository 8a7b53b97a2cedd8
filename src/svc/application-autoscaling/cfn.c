/* Scalable targets and scaling policies as CloudFormation makes them. */
#include "base/err.h"
#include "svc/application-autoscaling/scaling.h"
#include "wire/model.h"

#define KEY "'ServiceNamespace': '$p.ServiceNamespace', " \
	"'ResourceId': '$p.ResourceId', " \
	"'ScalableDimension': '$p.ScalableDimension'"

static const char *const key[] = {"ServiceNamespace", "ResourceId",
	"ScalableDimension", NULL};

/* An operation whose input is properties, and members that name its object. */
static int
call(struct cfn_run *run, const char *op, const struct doc *props,
    const struct doc *names, struct op_result *ret, enum cfn_outcome *outcome)
{
	const struct model_op *mo = model_op_find(
	    model_find(SPAN("application-autoscaling")), span_of(op));
	struct doc *in = doc_obj(run->arena);
	struct span why = SPAN_NULL;
	int e;

	if (!cfn_input(run->arena, mo, props, NULL, in, &why)) {
		*outcome = cfn_fail(run, "Encountered unsupported property "
		    "%.*s", SPAN_ARG(why));
		return 0;
	}
	scaling_copy(run->arena, in, names, key);
	if ((e = cfn_call(run, op, in, ret)))
		return err_trace(e);
	*outcome = ret->error.n ? cfn_refused(run, op, ret) : CFN_DONE;
	return 0;
}

/* --- targets ------------------------------------------------------------ */

/* Suspensions that a template no longer speaks of end. */
static const struct cfn_step reg = CFN_STEP("RegisterScalableTarget",
    "ServiceNamespace ResourceId ScalableDimension MinCapacity MaxCapacity "
    "RoleARN SuspendedState", NULL);
static const struct cfn_step reg_resumed = CFN_STEP("RegisterScalableTarget",
    "ServiceNamespace ResourceId ScalableDimension MinCapacity MaxCapacity "
    "RoleARN", "{'SuspendedState': {'DynamicScalingInSuspended': false, "
    "'DynamicScalingOutSuspended': false, "
    "'ScheduledScalingSuspended': false}}");

static const struct doc *
action_named(const struct doc *props, struct span name)
{
	doc_each(x, doc_get(props, "ScheduledActions"))
		if (span_eq(doc_get_str(x, "ScheduledActionName"), name))
			return x;
	return NULL;
}

static int
drop_action(struct cfn_run *run, struct span name, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	scaling_copy(run->arena, in, run->props, key);
	doc_set_str(run->arena, in, "ScheduledActionName", name);
	return cfn_do(run, "DeleteScheduledAction", in, true, ret);
}

static int
actions(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct op_result r;
	int e;

	doc_each(x, doc_get(run->old, "ScheduledActions")) {
		struct span name = doc_get_str(x, "ScheduledActionName");

		if (!action_named(run->props, name) &&
		    ((e = drop_action(run, name, ret)) || *ret == CFN_FAILED))
			return e;
	}
	doc_each(x, doc_get(run->props, "ScheduledActions")) {
		const struct doc *was = action_named(run->old,
		    doc_get_str(x, "ScheduledActionName"));

		if (doc_eq(x, was))
			continue;
		/* What the new one does not say must not stay of the old. */
		if (was && ((e = drop_action(run, doc_get_str(x,
		    "ScheduledActionName"), ret)) || *ret == CFN_FAILED))
			return e;
		e = call(run, "PutScheduledAction", x, run->props, &r, ret);
		if (e || *ret == CFN_FAILED)
			return e;
	}
	return 0;
}

static int
target_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = cfn_step(run, &reg, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	run->ref = doc_span(cfn_expr(run, "${p.ResourceId}|"
	    "${p.ScalableDimension}|${p.ServiceNamespace}"));
	return err_trace(actions(run, ret));
}

static int
target_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const char *const names[] = {"MinCapacity", "MaxCapacity",
		"RoleARN", "SuspendedState"};
	bool same = true;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		same &= !cfn_changed(run, names[i]);
	if (!same) {
		e = cfn_step(run, doc_get(run->props, "SuspendedState") ?
		    &reg : &reg_resumed, ret);
		if (e || *ret == CFN_FAILED)
			return e;
	}
	return err_trace(actions(run, ret));
}

/* --- policies ----------------------------------------------------------- */

/* The key by ScalingTargetId, "RESOURCE|DIMENSION|NAMESPACE", or by the three
 * properties; NULL: neither. */
static struct doc *
policy_key(struct cfn_run *run)
{
	struct span rest = doc_get_str(run->props, "ScalingTargetId");
	struct doc *k = doc_obj(run->arena);

	if (rest.n) {
		doc_set_str(run->arena, k, "ResourceId", span_cut(&rest, '|'));
		doc_set_str(run->arena, k, "ScalableDimension",
		    span_cut(&rest, '|'));
		doc_set_str(run->arena, k, "ServiceNamespace", rest);
	} else {
		scaling_copy(run->arena, k, run->props, key);
	}
	for (size_t i = 0; key[i]; i++)
		if (!doc_get_str(k, key[i]).n)
			return NULL;
	return k;
}

static int
policy_put(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *k = policy_key(run);
	struct doc *props = doc_copy(run->arena, run->props);
	struct op_result r = {0};
	int e;

	if (!k) {
		*ret = cfn_fail(run, "Either ScalingTargetId or all three of "
		    "[ResourceId, ScalableDimension, ServiceNamespace] must "
		    "be specified");
		return 0;
	}
	doc_del(props, "ScalingTargetId");
	e = call(run, "PutScalingPolicy", props, k, &r, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	run->ref = doc_get_str(r.out, "PolicyARN");
	return 0;
}

/* The target may have gone before it, and then took it along. */
static int
policy_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *k = policy_key(run);

	if (!k)
		return 0;
	doc_set_str(run->arena, k, "PolicyName",
	    doc_get_str(run->props, "PolicyName"));
	return cfn_do(run, "DeleteScalingPolicy", k, true, ret);
}

const struct cfn_map scaling_types[] = {
	{
		.type = "AWS::ApplicationAutoScaling::ScalableTarget",
		.on_create = target_create,
		.on_update = target_update,
		.remove = CFN_STEPS(CFN_STEP("DeregisterScalableTarget", "",
		    "{" KEY "}")),
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::ApplicationAutoScaling::ScalingPolicy",
		.on_create = policy_put,
		.on_update = policy_put,
		.on_remove = policy_remove,
		.attrs = "{'Arn': '$ref'}",
	},
	{.type = NULL},
};
