/* Scaling policies: target tracking on what ecs and its load balancers
 * measure. */
#include <math.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/application-autoscaling/scaling.h"
#include "svc/ecs/kinds.h"

/* For each scalable target.
 * https://docs.aws.amazon.com/general/latest/gr/as-app.html */
#define POLICIES_MAX 50
#define CONFIG	     "TargetTrackingScalingPolicyConfiguration"
#define BY_REQUESTS  "ALBRequestCountPerTarget"

static const char *const metrics[] = {"ECSServiceAverageCPUUtilization",
	"ECSServiceAverageMemoryUtilization", BY_REQUESTS};

/* "app/NAME/ID/targetgroup/NAME/ID": the group must be the service's. */
static struct reply *
check_label(struct call *c, struct span label)
{
	struct span rest = doc_get_str(c->in, "ResourceId"), cluster, arn;
	ptrdiff_t at = span_find(label, SPAN("/targetgroup/"));
	struct res *svc;
	int r;

	if (!label.n)
		return scaling_invalid(c, "The predefined metric type "
		    BY_REQUESTS " requires a resource label");
	if (!span_starts(label, SPAN("app/")) || at < 0)
		return scaling_invalid(c, "Invalid resource label: %.*s",
		    SPAN_ARG(label));
	span_cut(&rest, '/');
	cluster = span_cut(&rest, '/');
	r = store_get(c->store, c->arena, &ecs_service, c->scope, cluster, rest,
	    &svc);
	if (r < 0)
		return reply_failure(c, r);
	arn = arena_fmt_span(c->arena, "arn:aws:elasticloadbalancing:%.*s:"
	    "%.*s:%.*s", SPAN_ARG(c->scope.region), SPAN_ARG(c->scope.account),
	    SPAN_ARG(span_from(label, (size_t)at + 1)));
	if (r || !doc_has_str(doc_get(svc->spec, "TargetGroups"), arn))
		return scaling_invalid(c, "Target group %.*s is not attached "
		    "to the ECS service", SPAN_ARG(arn));
	return NULL;
}

static struct reply *
check_metric(struct call *c, const struct doc *config)
{
	const struct doc *metric = doc_get(config,
	    "PredefinedMetricSpecification");
	struct span type = doc_get_str(metric, "PredefinedMetricType");
	struct span label = doc_get_str(metric, "ResourceLabel");
	bool known = false;

	if (doc_get(config, "CustomizedMetricSpecification"))
		return metric ? scaling_invalid(c, "Exactly one of predefined "
		    "and customized metric specification can be provided") :
		    reply_not_implemented(c, "%s",
			CONFIG ".CustomizedMetricSpecification");
	if (!metric)
		return scaling_invalid(c, "A metric specification is required");
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		known |= span_is(type, metrics[i]);
	if (!known)
		return scaling_invalid(c, "The predefined metric type %.*s is "
		    "not supported by the service namespace ecs",
		    SPAN_ARG(type));
	if (span_is(type, BY_REQUESTS))
		return check_label(c, label);
	return label.n ? scaling_invalid(c, "A resource label can only be "
	    "specified with " BY_REQUESTS) : NULL;
}

static struct reply *
check_config(struct call *c, const struct doc *config)
{
	static const char *const cooldowns[] = {"ScaleOutCooldown",
		"ScaleInCooldown"};
	double target = doc_f64(doc_get(config, "TargetValue"), 0);

	if (!config)
		return scaling_invalid(c, CONFIG " is required");
	if (!isfinite(target) || target <= 0 || target > 0x1p360)
		return scaling_invalid(c,
		    "TargetValue must be a positive number");
	for (size_t i = 0; i < ARRAY_SIZE(cooldowns); i++)
		if (doc_get_int(config, cooldowns[i], 0) < 0)
			return scaling_invalid(c,
			    "%s must not be negative", cooldowns[i]);
	return check_metric(c, config);
}

static struct reply *
check_unique(struct call *c, const struct res *t, const struct doc *config)
{
	static const char spec[] = "PredefinedMetricSpecification";
	struct query q = {.kind = &scaling_policy, .scope = c->scope,
		.parent = t->id};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return reply_failure(c, err_fold(r));
	for (size_t i = 0; i < l.n; i++)
		if (!span_eq(l.v[i]->id, doc_get_str(c->in, "PolicyName")) &&
		    doc_eq(doc_get(config, spec),
			doc_path(l.v[i]->spec, CONFIG, spec, NULL)))
			return scaling_invalid(c, "Only one "
			    "TargetTrackingScaling policy for a given metric "
			    "specification is allowed.");
	return NULL;
}

/* What is not said stays as it is; of a new one AWS takes the type to be
 * StepScaling. */
static struct reply *
check(struct call *c, const struct res *t, const struct res *old)
{
	struct span type = doc_get_str(c->in, "PolicyType");
	const struct doc *config = doc_get(c->in, CONFIG);
	struct reply *no;

	if (!type.n)
		type = old ? doc_get_str(old->spec, "PolicyType") :
			     SPAN("StepScaling");
	if (!span_is(type, "TargetTrackingScaling"))
		return reply_not_implemented(c, "PolicyType %.*s",
		    SPAN_ARG(type));
	if (!config && old)
		return NULL;
	no = check_config(c, config);
	return no ? no : check_unique(c, t, config);
}

/* The alarms are named as AWS names those it makes. */
static struct span
alarm_name(struct call *c, const char *which)
{
	return arena_fmt_span(c->arena, "TargetTracking-%.*s-%s-%s",
	    SPAN_ARG(doc_get_str(c->in, "ResourceId")), which,
	    id_uuid(c->arena));
}

static struct reply *
make(struct call *c, const struct res *t, struct res **ret)
{
	struct res *p = res_new(c->arena, &scaling_policy, c->scope, t->id,
	    doc_get_str(c->in, "PolicyName"));
	struct reply *no = scaling_room(c, &scaling_policy, t->id,
	    POLICIES_MAX, "scaling policies per scalable target");

	if (no)
		return no;
	doc_set_time(c->arena, p->spec, "CreationTime", clock_ms());
	doc_setf(c->arena, p->spec, "PolicyARN", "arn:aws:autoscaling:%.*s:"
	    "%.*s:scalingPolicy:%s:resource/ecs/%.*s:policyName/%.*s",
	    SPAN_ARG(c->scope.region), SPAN_ARG(c->scope.account),
	    id_uuid(c->arena), SPAN_ARG(doc_get_str(t->spec, "ResourceId")),
	    SPAN_ARG(p->id));
	doc_set_str(c->arena, p->spec, "AlarmHigh",
	    alarm_name(c, "AlarmHigh"));
	doc_set_str(c->arena, p->spec, "AlarmLow", alarm_name(c, "AlarmLow"));
	*ret = p;
	return NULL;
}

struct reply *
scaling_put_policy(struct call *c)
{
	static const char *const names[] = {"PolicyType", CONFIG, NULL};
	struct doc *out = doc_obj(c->arena);
	struct res *t, *p = NULL;
	struct reply *no = scaling_find(c, &t);
	bool is_new;
	int r;

	if (no)
		return no;
	r = store_get(c->store, c->arena, &scaling_policy, c->scope, t->id,
	    doc_get_str(c->in, "PolicyName"), &p);
	if (r < 0)
		return reply_failure(c, r);
	is_new = r == STORE_E_NOT_FOUND;
	if ((no = check(c, t, is_new ? NULL : p)) ||
	    (is_new && (no = make(c, t, &p))))
		return no;
	scaling_copy(c->arena, p->spec, c->in, names);
	r = is_new ? store_insert(c->store, c->arena, p) :
		     store_put_spec(c->store, p);
	if (r)
		return reply_failure(c, err_fold(r));
	doc_set_str(c->arena, out, "PolicyARN",
	    doc_get_str(p->spec, "PolicyARN"));
	doc_set(c->arena, out, "Alarms", doc_arr(c->arena));
	return reply_ok(c, out);
}

static int
view(struct call *c, const struct res *p, struct doc **ret)
{
	static const char *const names[] = {"PolicyARN", "PolicyType", CONFIG,
		"CreationTime", NULL};
	int r = scaling_owned(c, p, "PolicyName", ret);

	if (r || !*ret)
		return r;
	scaling_copy(c->arena, *ret, p->spec, names);
	doc_set(c->arena, *ret, "Alarms", doc_arr(c->arena));
	return 0;
}

struct reply *
scaling_describe_policies(struct call *c)
{
	return scaling_list_owned(c, &scaling_policy, "ScalingPolicies", view);
}

struct reply *
scaling_delete_policy(struct call *c)
{
	return scaling_drop(c, &scaling_policy, "PolicyName",
	    "scaling policy found");
}
