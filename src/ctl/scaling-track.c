/* Target tracking: the store as the plan wants it, and what comes of it. */
#include "base/err.h"
#include "ctl/scaling.h"
#include "svc/ecs/kinds.h"

#define CONFIG "TargetTrackingScalingPolicyConfiguration"
/* https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html#target-tracking-cooldown */
#define COOLDOWN_S 300
/* Periods to look back. */
#define LOOK_BACK  (SCALING_IN_POINTS + 3)

/* A time that is still to come was told by a clock that was set back since: it
 * says nothing. */
static int64_t
past(const struct scaling_run *v, const struct doc *of, const char *member)
{
	int64_t t = doc_get_int(of, member, 0);

	return t <= v->now ? t : 0;
}

/* A policy's datapoints; the metric is an average, but for one. */
static int
values(struct scaling_run *v, const struct doc *config, int64_t period,
    struct scaling_policy_state *ret)
{
	const struct doc *spec = doc_get(config,
	    "PredefinedMetricSpecification");
	struct span type = doc_get_str(spec, "PredefinedMetricType");
	struct span label = doc_get_str(spec, "ResourceLabel");
	ptrdiff_t at = span_find(label, SPAN("/targetgroup/"));
	struct scaling_value *values = arena_array(v->a, struct scaling_value,
	    LOOK_BACK);
	struct metric_point *p;
	struct metric m;
	size_t n;
	int e;

	if (at > 0)
		m = metric_of_group(v->a, v->target->scope,
		    span_to(label, (size_t)at),
		    span_from(label, (size_t)at + 1));
	else
		m = metric_of_service(v->a, v->target->scope,
		    span_is(type, "ECSServiceAverageCPUUtilization") ?
			"CPUUtilization" : "MemoryUtilization",
		    v->svc->parent, v->svc->id);
	e = metric_get(store_metrics(ctl_env(v->ctl)->store), v->a, &m,
	    v->now - LOOK_BACK * period, LOOK_BACK, &p, &n);
	if (e)
		return err_trace(e);
	ret->values = values;
	for (size_t i = 0; i < n; i++)
		if (p[i].time <= v->now)
			values[ret->n++] = (struct scaling_value){p[i].time,
			    p[i].sum / p[i].count};
	return 0;
}

static int
policies(struct scaling_run *v, const struct res_list *l,
    struct scaling_state *s)
{
	struct scaling_policy_state *p =
	    arena_array(v->a, struct scaling_policy_state, l->n + 1);
	struct span last = doc_get_str(doc_get(v->target->status, "Out"),
	    "Policy");
	int e;

	s->out_policy = l->n;
	for (size_t i = 0; i < l->n; i++) {
		const struct doc *c = doc_get(l->v[i]->spec, CONFIG);

		p[i].target = doc_f64(doc_get(c, "TargetValue"), 0);
		p[i].out_cooldown = doc_get_int(c, "ScaleOutCooldown",
		    COOLDOWN_S) * 1000;
		p[i].in_cooldown = doc_get_int(c, "ScaleInCooldown",
		    COOLDOWN_S) * 1000;
		p[i].no_scale_in = doc_get_bool(c, "DisableScaleIn", false);
		if (span_eq(l->v[i]->id, last))
			s->out_policy = i;
		if (span_eq(l->v[i]->id, doc_get_str(
		    doc_get(v->target->status, "In"), "Policy")))
			s->in_cooldown = p[i].in_cooldown;
		if ((e = values(v, c, s->period, &p[i])))
			return err_trace(e);
	}
	s->policies = p;
	s->n = l->n;
	return 0;
}

static int
deploying(struct scaling_run *v, bool *ret)
{
	struct query q = {.kind = &ecs_service_deployment,
		.scope = v->target->scope, .parent = arena_fmt_span(v->a,
		    "%.*s/%.*s", SPAN_ARG(v->svc->parent),
		    SPAN_ARG(v->svc->id))};
	struct res_list l;
	int e = store_list(ctl_env(v->ctl)->store, v->a, &q, &l);

	*ret = false;
	if (e)
		return err_fold(e);
	for (size_t i = 0; i < l.n; i++)
		*ret |= span_is(doc_get_str(l.v[i]->status, "rolloutState"),
		    "IN_PROGRESS");
	return 0;
}

static int
snapshot(struct scaling_run *v, const struct res_list *l,
    struct scaling_state *s)
{
	const struct doc *spec = v->target->spec, *status = v->target->status;
	const struct doc *suspended = doc_get(spec, "SuspendedState");

	*s = (struct scaling_state){
	    .now = v->now,
	    .period = metric_period(ctl_env(v->ctl)->store),
	    .current = doc_get_int(v->svc->spec, "desiredCount", 0),
	    .min = doc_get_int(spec, "MinCapacity", 0),
	    .max = doc_get_int(spec, "MaxCapacity", 0),
	    .out_suspended = doc_get_bool(suspended,
		"DynamicScalingOutSuspended", false),
	    .in_suspended = doc_get_bool(suspended,
		"DynamicScalingInSuspended", false),
	    .out_at = past(v, doc_get(status, "Out"), "At"),
	    .out_from = doc_get_int(doc_get(status, "Out"), "From", 0),
	    .in_at = past(v, doc_get(status, "In"), "At"),
	};
	return err_trace(policies(v, l, s));
}

/* The newest datapoint there is. */
static int64_t
newest(const struct scaling_state *s)
{
	int64_t t = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->policies[i].n)
			t = MAX(t, s->policies[i].values[0].time);
	return t;
}

/* What the next cool-downs need to know. */
static void
remember(struct scaling_run *v, const struct scaling_state *s,
    const struct scaling_plan *p, struct span policy)
{
	struct doc *d = doc_obj(v->a);

	doc_set_int(v->a, d, "At", v->now);
	doc_set_int(v->a, d, "From", s->current);
	doc_set_str(v->a, d, "Policy", policy);
	doc_set(v->a, v->target->status, p->what == SCALING_OUT ? "Out" : "In",
	    d);
}

static int
apply(struct scaling_run *v, const struct scaling_state *s,
    const struct scaling_plan *p, const struct res *policy)
{
	bool out = p->what == SCALING_OUT || p->what == SCALING_AT_MAX;
	struct span cause = arena_fmt_span(v->a, "monitor alarm %.*s in state "
	    "ALARM triggered policy %.*s", SPAN_ARG(doc_get_str(policy->spec,
	    out ? "AlarmHigh" : "AlarmLow")), SPAN_ARG(policy->id));

	switch (p->what) {
	case SCALING_OUT:
	case SCALING_IN:
		remember(v, s, p, policy->id);
		return err_trace(scaling_set(v, p->to, cause));
	case SCALING_AT_MAX:
		return err_trace(scaling_tell_stuck(v, cause,
		    "AlreadyAtMaxCapacity", "MaxCapacity"));
	case SCALING_AT_MIN:
		return err_trace(scaling_tell_stuck(v, cause,
		    "AlreadyAtMinCapacity", "MinCapacity"));
	case SCALING_STAY:
		break;
	}
	doc_del(v->target->status, "NotScaled");
	return 0;
}

int
scaling_track(struct scaling_run *v)
{
	struct query q = {.kind = &scaling_policy, .scope = v->target->scope,
		.parent = v->target->id};
	struct scaling_plan plan;
	struct scaling_state s;
	struct res_list l;
	int e = store_list(ctl_env(v->ctl)->store, v->a, &q, &l);

	if (e || l.n == 0)
		return e ? err_fold(e) : 0;
	if ((e = snapshot(v, &l, &s)))
		return err_trace(e);
	if (newest(&s) <= past(v, v->target->status, "Evaluated"))
		return 0;
	if ((e = deploying(v, &s.deploying)))
		return err_trace(e);
	doc_set_int(v->a, v->target->status, "Evaluated", newest(&s));
	v->dirty = true;
	plan = scaling_plan(&s);
	return err_trace(apply(v, &s, &plan,
	    l.n > plan.policy ? l.v[plan.policy] : l.v[0]));
}
