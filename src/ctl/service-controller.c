/* The service controller: keeps as many tasks of the right revision running
 * as a service asks for, and replaces them without a gap. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/service-view.h"
#include "svc/ecs/kinds.h"
#include "svc/elbv2/kinds.h"

static const struct kind *const kinds[] = {
	&ecs_service, &ecs_task, &elbv2_target, NULL};

/* Which changes wake which service */

static int64_t
by_task(struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct store *s = ctl_env(ctl)->store;
	struct res *task, *svc;
	struct span name;

	if (c->deleted || store_get_row(s, a, c->row, &task))
		return 0;
	name = doc_get_str(task->spec, "ServiceName");
	if (!name.n ||
	    store_get(s, a, &ecs_service, c->scope, c->parent, name, &svc))
		return 0;
	return svc->row;
}

static void
by_target(struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query q = {.kind = &ecs_service, .scope = c->scope,
		.any_parent = true, .index = "spec.TargetGroups",
		.value = c->parent};
	struct res_list l;

	if (store_list(ctl_env(ctl)->store, a, &q, &l))
		return;
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(ctl, &ctl_service, l.v[i]->row);
}

static int64_t
service_key(void *state, struct ctl *ctl, const struct change *c)
{
	(void)state;
	if (c->kind == &ecs_task)
		return by_task(ctl, c);
	if (c->kind == &elbv2_target) {
		by_target(ctl, c);
		return 0;
	}
	/* Status is our own writing. */
	return c->spec || c->inserted ? c->row : 0;
}

/* Stopping */

static const char *
stop_reason(struct svc_view *v, const struct svc_task *t, enum plan_why why)
{
	switch (why) {
	case PLAN_UNHEALTHY:
		if (!t->group.n)
			return "Task failed container health checks";
		return arena_fmt(v->a, "Task failed ELB health checks in "
		    "(target-group %.*s)", SPAN_ARG(t->group));
	case PLAN_KEEP:
	case PLAN_DRAIN:
	case PLAN_SCALE:
	case PLAN_OLD:
		break;
	}
	return arena_fmt(v->a, "Scaling activity initiated by (deployment "
	    "%.*s)", SPAN_ARG(doc_get_str(v->primary->spec, "id")));
}

static int
stop_one(struct svc_view *v, struct svc_task *t, enum plan_why why,
    struct doc *ids)
{
	struct doc *in = doc_obj(v->a);
	struct op_result r;
	int e;

	doc_set_str(v->a, in, "cluster", v->svc->parent);
	doc_set_str(v->a, in, "task", t->res->id);
	doc_set_str(v->a, in, "reason", span_of(stop_reason(v, t, why)));
	if ((e = svc_call(v, "StopTask", in, &r)))
		return err_trace(e);
	if (r.error.n)
		return err_origin(EIO, "StopTask: %.*s", SPAN_ARG(r.message));
	if (why != PLAN_UNHEALTHY)
		doc_set_bool(v->a, svc_memory(v, t), "Expected", true);
	t->stopping = true;
	v->dirty = true;
	doc_push_str(v->a, ids, t->res->id);
	return 0;
}

static int
stop_tasks(struct svc_view *v, const struct service_plan *p,
    struct svc_task **map)
{
	struct doc *ids = doc_arr(v->a);
	int e;

	for (size_t i = 0; i < p->n_tasks; i++)
		if (p->tasks[i].stop != PLAN_KEEP &&
		    (e = stop_one(v, map[i], p->tasks[i].stop, ids)))
			return err_trace(e);
	if (doc_len(ids))
		svc_event(v, "has stopped %zu running tasks: %.*s.",
		    doc_len(ids), SPAN_ARG(svc_ids(v->a, ids)));
	return 0;
}

/* Starting */

static int
add_tag(struct arena *a, struct doc *tags, struct span key, struct span value)
{
	struct doc *t = doc_obj(a);

	doc_set_str(a, t, "key", key);
	doc_set_str(a, t, "value", value);
	doc_push(tags, t);
	return 0;
}

static int
tags_for(struct svc_view *v, struct doc *in)
{
	struct arena *a = v->a;
	struct doc *tags = doc_arr(a), *own;
	struct span from = doc_get_str(v->svc->spec, "propagateTags");
	int e;

	if (span_is(from, "SERVICE")) {
		e = store_tags(ctl_env(v->ctl)->store, a, v->svc, &own);
		if (e)
			return err_fold(e);
		doc_each_key(k, value, own)
			add_tag(a, tags, k, doc_span(value));
	} else if (span_is(from, "TASK_DEFINITION")) {
		doc_set_str(a, in, "propagateTags", from);
	}
	if (doc_get_bool(v->svc->spec, "enableECSManagedTags", false)) {
		doc_set_bool(a, in, "enableECSManagedTags", true);
		add_tag(a, tags, SPAN("aws:ecs:serviceName"), v->svc->id);
	}
	doc_set(a, in, "tags", tags);
	return 0;
}

static int
task_input(struct svc_view *v, size_t subnet, struct doc **ret)
{
	static const char *const as_frozen[] = {"taskDefinition", "launchType",
		"capacityProviderStrategy", "platformVersion",
		"networkConfiguration", "loadBalancers", "Revision"};
	struct arena *a = v->a;
	const struct doc *spec = v->primary->spec;
	struct doc *in = doc_obj(a);
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(as_frozen); i++)
		if (doc_get(spec, as_frozen[i]))
			doc_set(a, in, as_frozen[i],
			    doc_copy(a, doc_get(spec, as_frozen[i])));
	doc_set_str(a, in, "cluster", v->svc->parent);
	doc_set_str(a, in, "startedBy", doc_get_str(spec, "id"));
	doc_setf(a, in, "group", "service:%.*s", SPAN_ARG(v->svc->id));
	doc_set_str(a, in, "ServiceName", v->svc->id);
	doc_set(a, in, "Subnet",
	    doc_copy(a, doc_at(doc_path(spec, "networkConfiguration",
			    "awsvpcConfiguration", "subnets", NULL), subnet)));
	if ((e = tags_for(v, in)))
		return err_trace(e);
	*ret = in;
	return 0;
}

static void
cannot_place(struct svc_view *v, const struct op_result *r)
{
	int64_t n = doc_get_int(v->svc->status, "Failures", 0) + 1;

	doc_set_int(v->a, v->svc->status, "Failures", n);
	doc_set_str(v->a, v->svc->status, "FailuresOf",
	    doc_get_str(v->primary->spec, "id"));
	doc_set_int(v->a, v->svc->status, "NextStart",
	    v->now + MAX(throttle_ms((int)MIN(n, (int64_t)100)), 1000));
	doc_set_int(v->a, v->primary->status, "failedTasks",
	    doc_get_int(v->primary->status, "failedTasks", 0) + 1);
	svc_event(v, "was unable to place a task. Reason: %.*s",
	    SPAN_ARG(r->message));
	svc_again(v, doc_get_int(v->svc->status, "NextStart", 0) - v->now);
}

static int
start_tasks(struct svc_view *v, const struct service_plan *p)
{
	struct doc *ids = doc_arr(v->a), *in = NULL;
	struct op_result r;
	int e;

	for (size_t i = 0; i < p->n_start; i++) {
		struct span arn;

		if ((e = task_input(v, p->start[i], &in)) ||
		    (e = svc_call(v, "RunTask", in, &r)))
			return err_trace(e);
		if (r.error.n) {
			cannot_place(v, &r);
			break;
		}
		arn = doc_get_str(doc_at(doc_get(r.out, "tasks"), 0),
		    "taskArn");
		arn = span_from(arn, (size_t)(span_rchr(arn, '/') + 1));
		svc_remember(v, arn, doc_get_str(v->primary->spec, "id"));
		doc_push_str(v->a, ids, arn);
	}
	if (doc_len(ids))
		svc_event(v, "has started %zu tasks: %.*s.", doc_len(ids),
		    SPAN_ARG(svc_ids(v->a, ids)));
	return 0;
}

/* How many may be started: none of a failed deployment or while throttled,
 * one to probe while failing. */
static int
allowance(struct svc_view *v)
{
	int64_t next = doc_get_int(v->svc->status, "NextStart", 0);

	if (span_is(doc_get_str(v->primary->status, "rolloutState"), "FAILED"))
		return 0;
	if (next > v->now) {
		svc_again(v, next - v->now);
		return 0;
	}
	/* Fargate starts tasks of a service in groups. */
	return next ? 1 : 20;
}

static int
decide(struct svc_view *v, bool draining)
{
	struct service_plan p = {.draining = draining};
	const struct doc *config =
	    doc_get(v->svc->spec, "deploymentConfiguration");
	struct svc_task **map =
	    arena_array(v->a, struct svc_task *, v->n_tasks + 1);
	int e;

	p.desired = (int)doc_get_int(v->svc->spec, "desiredCount", 0);
	p.min_percent = (int)doc_get_int(config, "minimumHealthyPercent", 100);
	p.max_percent = (int)doc_get_int(config, "maximumPercent", 200);
	p.allowance = allowance(v);
	p.n_subnets = doc_len(doc_path(v->primary->spec, "networkConfiguration",
	    "awsvpcConfiguration", "subnets", NULL));
	p.tasks = arena_array(v->a, struct plan_task, v->n_tasks + 1);
	p.start = arena_array(v->a, size_t, (size_t)p.desired + 1);
	for (size_t i = 0; i < v->n_tasks; i++) {
		struct svc_task *t = &v->tasks[i];

		if (t->stopping)
			continue;
		map[p.n_tasks] = t;
		p.tasks[p.n_tasks++] = (struct plan_task){
			.primary = t->primary,
			.healthy = t->healthy && !t->unhealthy,
			.unhealthy = t->unhealthy,
			.veteran = doc_get_bool(t->mem, "Well", false),
			.subnet = t->subnet,
		};
	}
	service_plan(&p);
	if ((e = stop_tasks(v, &p, map)) || (e = start_tasks(v, &p)))
		return err_trace(e);
	/* What the allowance held back comes in the next run. */
	if (p.short_of && p.allowance > 1)
		svc_again(v, 50);
	return 0;
}

static int
drop_all(struct svc_view *v, const struct kind *k)
{
	struct query q = {.kind = k, .scope = v->svc->scope,
		.parent = v->parent};
	struct store *s = ctl_env(v->ctl)->store;
	struct res_list l;
	int e = store_list(s, v->a, &q, &l);

	for (size_t i = 0; e == 0 && i < l.n; i++)
		e = store_delete(s, l.v[i]);
	return e ? err_fold(e) : 0;
}

/* AWS shows a deleted service for a while. */
#define KEEP_INACTIVE_MS (60 * 60 * 1000)

/* The name can be used again now, so nothing of the old may be left to it. */
static int
inactive(struct svc_view *v)
{
	int e;

	doc_set_str(v->a, v->svc->status, "status", SPAN("INACTIVE"));
	doc_set_time(v->a, v->svc->status, "InactiveAt", v->now);
	svc_again(v, KEEP_INACTIVE_MS);
	doc_set_int(v->a, v->svc->status, "runningCount", 0);
	doc_set_int(v->a, v->svc->status, "pendingCount", 0);
	if ((e = drop_all(v, &ecs_service_deployment)) ||
	    (e = drop_all(v, &ecs_service_revision)))
		return err_trace(e);
	e = store_put_status(ctl_env(v->ctl)->store, v->svc);
	return e ? err_fold(e) : 0;
}

static int
purge(struct svc_view *v)
{
	int64_t left = doc_get_time(v->svc->status, "InactiveAt") +
	    KEEP_INACTIVE_MS - clock_ms();
	int e;

	if (left > 0) {
		svc_again(v, left);
		return 0;
	}
	e = store_delete(ctl_env(v->ctl)->store, v->svc);
	return e ? err_fold(e) : 0;
}

static int
service_run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct svc_view v = {.ctl = ctl, .a = a, .again_ms = again_ms};
	bool draining;
	int e;

	(void)state;
	e = store_get_row(ctl_env(ctl)->store, a, key, &v.svc);
	if (e == STORE_E_NOT_FOUND)
		return 0;
	if (e)
		return err_trace(e);
	if (span_is(doc_get_str(v.svc->status, "status"), "INACTIVE"))
		return purge(&v);
	if ((e = svc_view_load(&v)))
		return err_trace(e);
	draining = span_is(doc_get_str(v.svc->spec, "status"), "DRAINING");
	if (draining && v.n_tasks == 0)
		return inactive(&v);
	if ((e = svc_note_changes(&v)))
		return err_trace(e);
	if (!draining)
		svc_rollout(&v);
	if ((e = decide(&v, draining)))
		return err_trace(e);
	return svc_save(&v);
}

const struct controller ctl_service = {
	.name = "service",
	.kinds = kinds,
	.key = service_key,
	.run = service_run,
};
