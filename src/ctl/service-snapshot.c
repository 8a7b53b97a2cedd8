/* Reads all that a run of the service controller decides from. */
#include <stdarg.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "ctl/service-view.h"
#include "svc/ecs/kinds.h"
#include "svc/elbv2/kinds.h"

/* Without any health check a task counts as healthy once it ran this long:
 * one that ends at once is a failed start, not a deployment that completed. */
#define SETTLE_MS 1000
#define MAX_EVENTS 100

void
svc_again(struct svc_view *v, int64_t ms)
{
	ms = MAX(ms, (int64_t)1);
	if (!*v->again_ms || ms < *v->again_ms)
		*v->again_ms = ms;
}

void
svc_event(struct svc_view *v, const char *fmt, ...)
{
	struct arena *a = v->a;
	struct doc *old = doc_get(v->svc->status, "events"), *list = doc_arr(a);
	struct doc *e = doc_obj(a);
	struct span text;
	va_list ap;

	va_start(ap, fmt);
	text = span_of(arena_vfmt(a, fmt, ap));
	va_end(ap);
	text = arena_fmt_span(a, "(service %.*s) %.*s",
	    SPAN_ARG(v->svc->id), SPAN_ARG(text));
	if (span_eq(doc_get_str(doc_at(old, 0), "message"), text))
		return;
	doc_set_str(a, e, "id", span_of(id_uuid(a)));
	doc_set_time(a, e, "createdAt", v->now);
	doc_set_str(a, e, "message", text);
	doc_push(list, e);
	doc_each(o, old)
		if (doc_len(list) < MAX_EVENTS)
			doc_push(list, doc_copy(a, o));
	doc_set(a, v->svc->status, "events", list);
	v->dirty = true;
}

struct span
svc_ids(struct arena *a, const struct doc *ids)
{
	struct span all = SPAN_NULL;

	doc_each(id, ids)
		all = arena_fmt_span(a, "%.*s%s(task %.*s)", SPAN_ARG(all),
		    all.n ? " " : "", SPAN_ARG(doc_span(id)));
	return all;
}

int
svc_call(struct svc_view *v, const char *op, const struct doc *in,
    struct op_result *ret)
{
	struct principal who =
	    principal_system(v->svc->scope.account, "ecs.amazonaws.com");

	*ret = (struct op_result){0};
	return op_call(ctl_env(v->ctl)->api, v->a, &who, v->svc->scope, "ecs",
	    op, in, ret);
}

/* Deployments */

static struct span
primary_id(const struct res *svc)
{
	struct span newest = doc_get_str(svc->spec, "Deployment");
	const struct doc *back = doc_get(svc->status, "Primary");

	if (span_eq(doc_get_str(back, "Of"), newest))
		return doc_get_str(back, "Id");
	return newest;
}

static int
load_deployments(struct svc_view *v)
{
	struct query q = {.kind = &ecs_service_deployment,
		.scope = v->svc->scope, .parent = v->parent,
		.newest_first = true, .limit = 50};
	struct span want = primary_id(v->svc);
	int e = store_list(ctl_env(v->ctl)->store, v->a, &q, &v->deps);

	if (e)
		return err_fold(e);
	v->dep_before = arena_array(v->a, struct span, v->deps.n + 1);
	for (size_t i = 0; i < v->deps.n; i++) {
		v->dep_before[i] = doc_json(v->a, v->deps.v[i]->status);
		if (span_eq(doc_get_str(v->deps.v[i]->spec, "id"), want))
			v->primary = v->deps.v[i];
	}
	if (!v->primary)
		return err_origin(ENOENT, "service %.*s has no deployment %.*s",
		    SPAN_ARG(v->svc->id), SPAN_ARG(want));
	return 0;
}

/* Tasks */

/* The task definitions of a service's tasks are few. */
struct svc_checks {
	struct svc_checks *next;
	struct span arn;
	bool any;
};

static bool
definition_checks(struct svc_view *v, struct span arn)
{
	struct res *def;

	if (store_get_arn(ctl_env(v->ctl)->store, v->a, arn, &def))
		return false;
	doc_each(c, doc_get(def->spec, "containerDefinitions"))
		if (doc_get(c, "healthCheck") &&
		    doc_get_bool(c, "essential", true))
			return true;
	return false;
}

static bool
has_check(struct svc_view *v, const struct res *task)
{
	struct span arn = doc_get_str(task->spec, "taskDefinitionArn");
	struct svc_checks *k;

	for (k = v->checks; k; k = k->next)
		if (span_eq(k->arn, arn))
			return k->any;
	k = arena_new_of(v->a, struct svc_checks);
	k->next = v->checks;
	k->arn = arn;
	k->any = definition_checks(v, arn);
	v->checks = k;
	return k->any;
}

/* A running task has been registered: one that is not a target any more, or on
 * its way out, can serve nobody and has to be replaced. */
static int
missing_target(struct svc_view *v, struct span arn, struct span *ret)
{
	struct res *group;
	int e = store_get_arn(ctl_env(v->ctl)->store, v->a, arn, &group);

	if (e < 0)
		return err_trace(e);
	/* Without the group nothing would be better with another task. */
	*ret = e ? SPAN_NULL : SPAN("Target is not registered to the target "
				    "group");
	return 0;
}

static int
target_trouble(struct svc_view *v, struct span arn, const struct res *target,
    bool grace, struct span *ret)
{
	struct span state = doc_get_str(target ? target->status : NULL,
	    "State");
	struct span text = doc_get_str(target ? target->status : NULL,
	    "Description");

	*ret = SPAN_NULL;
	if (!target)
		return missing_target(v, arn, ret);
	if (doc_get_bool(target->spec, "Draining", false))
		*ret = SPAN("Target deregistration is in progress");
	else if (span_is(state, "unhealthy") && !grace)
		*ret = text.n ? text : doc_get_str(target->status, "Reason");
	return 0;
}

/* The target's state; a task is as healthy as its worst target. */
static int
look_at_targets(struct svc_view *v, struct svc_task *t, bool grace)
{
	struct span ip = doc_get_str(doc_get(t->res->status, "Eni"),
	    "privateIPv4Address");

	doc_each(lb, doc_get(t->res->spec, "loadBalancers")) {
		struct span arn = doc_get_str(lb, "targetGroupArn"), state;
		struct span why = SPAN_NULL;
		long long port = (long long)doc_get_int(lb, "containerPort", 0);
		struct res *r = NULL;
		int e = store_get(ctl_env(v->ctl)->store, v->a, &elbv2_target,
		    t->res->scope, arn,
		    arena_fmt_span(v->a, "%.*s:%lld", SPAN_ARG(ip), port), &r);

		if (e < 0)
			return err_trace(e);
		if ((e = target_trouble(v, arn, e ? NULL : r, grace, &why)))
			return err_trace(e);
		state = doc_get_str(r ? r->status : NULL, "State");
		t->healthy &= !why.n &&
		    (span_is(state, "healthy") || span_is(state, "unused"));
		if (!why.n)
			continue;
		t->unhealthy = true;
		t->group = arn;
		t->why = arena_fmt_span(v->a, "(task %.*s) (port %lld) is "
		    "unhealthy in (target-group %.*s) due to (reason %.*s)",
		    SPAN_ARG(t->res->id), port, SPAN_ARG(arn), SPAN_ARG(why));
	}
	return 0;
}

static int
look_at_health(struct svc_view *v, struct svc_task *t)
{
	int64_t grace = doc_get_int(v->svc->spec,
			    "healthCheckGracePeriodSeconds", 0) * 1000;
	int64_t started = doc_get_time(t->res->status, "startedAt");
	struct span health = doc_get_str(t->res->status, "healthStatus");
	bool checks = has_check(v, t->res), in_grace = false;

	if (t->pending || t->stopping)
		return 0;
	if (v->now < started + grace) {
		in_grace = true;
		svc_again(v, started + grace - v->now);
	}
	t->healthy = !checks || span_is(health, "HEALTHY");
	if (checks && span_is(health, "UNHEALTHY") && !in_grace) {
		t->unhealthy = true;
		t->why = arena_fmt_span(v->a,
		    "(task %.*s) failed container health checks.",
		    SPAN_ARG(t->res->id));
	}
	if (!checks && !doc_len(doc_get(t->res->spec, "loadBalancers")) &&
	    v->now < started + SETTLE_MS) {
		t->healthy = false;
		svc_again(v, started + SETTLE_MS - v->now);
	}
	return look_at_targets(v, t, in_grace);
}

static size_t
subnet_index(const struct svc_view *v, const struct res *task)
{
	size_t i = 0;

	doc_each(s, doc_path(v->primary->spec, "networkConfiguration",
		     "awsvpcConfiguration", "subnets", NULL)) {
		if (span_eq(doc_span(s), doc_get_str(task->spec, "Subnet")))
			return i;
		i++;
	}
	return 0;
}

static int
load_task(struct svc_view *v, struct res *r)
{
	struct svc_task *t = &v->tasks[v->n_tasks++];
	struct span last = doc_get_str(r->status, "lastStatus");

	*t = (struct svc_task){.res = r};
	t->stopping = span_is(doc_get_str(r->spec, "desiredStatus"),
			  "STOPPED") ||
	    span_is(doc_get_str(r->status, "desiredStatus"), "STOPPED");
	t->pending = !span_is(last, "RUNNING");
	t->primary = span_eq(doc_get_str(r->spec, "startedBy"),
	    doc_get_str(v->primary->spec, "id"));
	t->subnet = subnet_index(v, r);
	return look_at_health(v, t);
}

static int
load_tasks(struct svc_view *v)
{
	struct query q = {.kind = &ecs_task, .scope = v->svc->scope,
		.parent = v->svc->parent, .index = "status.LiveIn",
		.value = v->svc->id};
	struct res_list l;
	int e = store_list(ctl_env(v->ctl)->store, v->a, &q, &l);

	if (e)
		return err_fold(e);
	v->tasks = arena_array(v->a, struct svc_task, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		if ((e = load_task(v, l.v[i])))
			return err_trace(e);
	return 0;
}

int
svc_view_load(struct svc_view *v)
{
	int e;

	v->now = clock_ms();
	v->parent = arena_fmt_span(v->a, "%.*s/%.*s", SPAN_ARG(v->svc->parent),
	    SPAN_ARG(v->svc->id));
	if ((e = load_deployments(v)) || (e = load_tasks(v)))
		return err_trace(e);
	return 0;
}
