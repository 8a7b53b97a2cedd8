/* What became of a service's tasks, and how far its deployments are. */
#include "base/err.h"
#include "ctl/service-view.h"
#include "svc/ecs/kinds.h"

/* Memory of tasks */

struct doc *
svc_remember(struct svc_view *v, struct span task, struct span deployment)
{
	struct doc *all = doc_get(v->svc->status, "Known"), *m = doc_obj(v->a);

	if (!all) {
		all = doc_obj(v->a);
		doc_set(v->a, v->svc->status, "Known", all);
	}
	doc_set_str(v->a, m, "Dep", deployment);
	doc_append(v->a, all, task, m);
	v->dirty = true;
	return m;
}

struct doc *
svc_memory(struct svc_view *v, struct svc_task *t)
{
	if (!t->mem)
		t->mem = svc_remember(v, t->res->id,
		    doc_get_str(t->res->spec, "startedBy"));
	return t->mem;
}

static struct res *
deployment(const struct svc_view *v, struct span id)
{
	for (size_t i = 0; i < v->deps.n; i++)
		if (span_eq(doc_get_str(v->deps.v[i]->spec, "id"), id))
			return v->deps.v[i];
	return NULL;
}

static void
flag(struct svc_view *v, struct doc *m, const char *name)
{
	doc_set_bool(v->a, m, name, true);
	v->dirty = true;
}

/* AWS: failedTasks counts failures in a row. */
static void
note_well(struct svc_view *v, const struct res *task)
{
	struct res *d = deployment(v, doc_get_str(task->spec, "startedBy"));

	doc_del(v->svc->status, "Failures");
	doc_del(v->svc->status, "NextStart");
	if (d)
		doc_set_int(v->a, d->status, "failedTasks", 0);
}

/* How many targets came or went in this run, by group. */
struct moves {
	struct doc *registered, *deregistered;
	int draining;
};

static void
count_targets(struct arena *a, struct doc *by_group, const struct res *task)
{
	doc_each(lb, doc_get(task->spec, "loadBalancers")) {
		struct span arn = doc_get_str(lb, "targetGroupArn");

		doc_setn(a, by_group, arn,
		    doc_int(a, doc_i64(doc_getn(by_group, arn), 0) + 1));
	}
}

static void
targets_events(struct svc_view *v, const struct doc *by_group,
    const char *verb)
{
	doc_each_key(arn, n, by_group)
		svc_event(v, "%s %lld targets in (target-group %.*s)", verb,
		    (long long)doc_i64(n, 0), SPAN_ARG(arn));
}

static void
note_live(struct svc_view *v, struct svc_task *t, struct moves *moves)
{
	struct doc *m = svc_memory(v, t);

	if (!t->pending && !t->stopping && !doc_get(m, "Ran")) {
		flag(v, m, "Ran");
		count_targets(v->a, moves->registered, t->res);
	}
	if (t->healthy && !t->unhealthy && !doc_get(m, "Well")) {
		flag(v, m, "Well");
		note_well(v, t->res);
	}
	if (t->unhealthy && !t->stopping && !doc_get(m, "Ill")) {
		flag(v, m, "Ill");
		svc_event(v, "%.*s", SPAN_ARG(t->why));
	} else if (t->healthy && !t->unhealthy && doc_get(m, "Ill")) {
		doc_del(m, "Ill");
		v->dirty = true;
	}
	if (t->stopping && doc_get(m, "Ran") && !doc_get(m, "Drained")) {
		flag(v, m, "Drained");
		if (doc_len(doc_get(t->res->spec, "loadBalancers")))
			moves->draining++;
		count_targets(v->a, moves->deregistered, t->res);
	}
}

static void
note_failure(struct svc_view *v, const struct doc *m, const struct res *task)
{
	struct res *d = deployment(v, doc_get_str(m, "Dep"));
	struct span why =
	    doc_get_str(task ? task->status : NULL, "stoppedReason");
	int64_t n = doc_get_int(v->svc->status, "Failures", 0) + 1;
	int wait = throttle_ms((int)MIN(n, (int64_t)100));

	v->dirty = true;
	if (d)
		doc_set_int(v->a, d->status, "failedTasks",
		    doc_get_int(d->status, "failedTasks", 0) + 1);
	if (task && span_is(doc_get_str(task->status, "stopCode"),
			"TaskFailedToStart"))
		svc_event(v, "was unable to place a task. Reason: %.*s%s",
		    SPAN_ARG(why), span_ends(why, SPAN(".")) ? "" : ".");
	/* What an older deployment wanted holds up nobody. */
	if (d != v->primary)
		return;
	doc_set_int(v->a, v->svc->status, "Failures", n);
	doc_set_str(v->a, v->svc->status, "FailuresOf",
	    doc_get_str(v->primary->spec, "id"));
	if (wait)
		doc_set_int(v->a, v->svc->status, "NextStart", v->now + wait);
	if (n == 3)
		svc_event(v, "is unable to consistently start tasks "
		    "successfully. For more information, see the "
		    "Troubleshooting section of the Amazon ECS Developer "
		    "Guide.");
}

static int
note_end(struct svc_view *v, struct span id, const struct doc *m)
{
	struct res *task = NULL;
	int e = store_get(ctl_env(v->ctl)->store, v->a, &ecs_task,
	    v->svc->scope, v->svc->parent, id, &task);

	if (e < 0)
		return err_trace(e);
	if (!doc_get(m, "Well") && !doc_get(m, "Expected") &&
	    !(e == 0 && span_is(doc_get_str(task->status, "stopCode"),
			    "UserInitiated")))
		note_failure(v, m, e ? NULL : task);
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct svc_task *const *x = a, *const *y = b;

	return span_cmp((*x)->res->id, (*y)->res->id);
}

static int
id_of(const void *key, const void *elem)
{
	const struct span *id = key;
	const struct svc_task *const *t = elem;

	return span_cmp(*id, (*t)->res->id);
}

/* Gives each live task its memory; what is left of it belongs to tasks that
 * have ended. */
static int
recall(struct svc_view *v)
{
	struct svc_task **sorted =
	    arena_array(v->a, struct svc_task *, v->n_tasks + 1);
	struct doc *was = doc_get(v->svc->status, "Known"), *left;
	size_t n = 0;
	int e;

	for (size_t i = 0; i < v->n_tasks; i++)
		sorted[i] = &v->tasks[i];
	qsort(sorted, v->n_tasks, sizeof(*sorted), by_id);
	doc_each_key(id, m, was) {
		struct svc_task **t = bsearch(&id, sorted, v->n_tasks,
		    sizeof(*sorted), id_of);

		if (t) {
			(*t)->mem = m;
			n++;
		} else if ((e = note_end(v, id, m))) {
			return err_trace(e);
		}
	}
	if (n == doc_len(was))
		return 0;
	left = doc_obj(v->a);
	for (size_t i = 0; i < v->n_tasks; i++) {
		struct svc_task *t = &v->tasks[i];

		if (!t->mem)
			continue;
		t->mem = doc_copy(v->a, t->mem);
		doc_append(v->a, left, t->res->id, t->mem);
	}
	doc_set(v->a, v->svc->status, "Known", left);
	v->dirty = true;
	return 0;
}

/* What a new deployment wants has not failed yet. */
static void
forgive(struct svc_view *v)
{
	struct doc *s = v->svc->status;

	if (!doc_get(s, "Failures") || span_eq(doc_get_str(s, "FailuresOf"),
		doc_get_str(v->primary->spec, "id")))
		return;
	doc_del(s, "Failures");
	doc_del(s, "NextStart");
	v->dirty = true;
}

int
svc_note_changes(struct svc_view *v)
{
	struct moves moves = {doc_obj(v->a), doc_obj(v->a), 0};
	int e;

	forgive(v);
	if ((e = recall(v)))
		return err_trace(e);
	for (size_t i = 0; i < v->n_tasks; i++)
		note_live(v, &v->tasks[i], &moves);
	targets_events(v, moves.registered, "registered");
	if (moves.draining)
		svc_event(v, "has begun draining connections on %d tasks.",
		    moves.draining);
	targets_events(v, moves.deregistered, "deregistered");
	return 0;
}

/* Deployments */

struct tally {
	int running, pending, healthy, all;
};

static struct tally
tally(const struct svc_view *v, struct span dep)
{
	struct tally n = {0};

	for (size_t i = 0; i < v->n_tasks; i++) {
		const struct svc_task *t = &v->tasks[i];

		if (!span_eq(doc_get_str(t->res->spec, "startedBy"), dep))
			continue;
		n.all++;
		n.running += !t->pending && !t->stopping;
		n.pending += t->pending && !t->stopping;
		n.healthy += t->healthy && !t->stopping && !t->unhealthy;
	}
	return n;
}

static void
rollout_state(struct svc_view *v, struct res *d, const char *state,
    struct span reason)
{
	doc_set_str(v->a, d->status, "rolloutState", span_of(state));
	doc_set_str(v->a, d->status, "rolloutStateReason", reason);
}

static bool
in_state(const struct res *d, const char *state)
{
	return span_is(doc_get_str(d->status, "rolloutState"), state);
}

static void
count_one(struct svc_view *v, struct res *d, int desired)
{
	struct tally n = tally(v, doc_get_str(d->spec, "id"));

	if (doc_get(d->status, "Done") && !n.all && d != v->primary)
		return;
	doc_set_int(v->a, d->status, "runningCount", n.running);
	doc_set_int(v->a, d->status, "pendingCount", n.pending);
	doc_set_int(v->a, d->status, "desiredCount",
	    d == v->primary ? desired : n.running + n.pending);
	if (d != v->primary && !n.all)
		doc_set_bool(v->a, d->status, "Done", true);
	else
		doc_del(d->status, "Done");
}

static struct res *
last_good(const struct svc_view *v)
{
	for (size_t i = 0; i < v->deps.n; i++)
		if (v->deps.v[i] != v->primary &&
		    doc_get(v->deps.v[i]->status, "Completed"))
			return v->deps.v[i];
	return NULL;
}

static void
note_rollback(struct svc_view *v, const struct res *good)
{
	struct doc *r = doc_obj(v->a);

	doc_set_str(v->a, r, "Id", doc_get_str(good->spec, "id"));
	doc_set_str(v->a, r, "Revision", doc_get_str(good->spec, "Revision"));
	doc_set_str(v->a, r, "reason",
	    doc_get_str(v->primary->status, "rolloutStateReason"));
	doc_set_time(v->a, r, "startedAt", v->now);
	doc_set(v->a, v->primary->status, "Rollback", r);
}

/* AWS: "Amazon ECS deployment circuit breaker". */
static void
break_circuit(struct svc_view *v)
{
	const struct doc *cb = doc_path(v->svc->spec, "deploymentConfiguration",
	    "deploymentCircuitBreaker", NULL);
	struct span id = doc_get_str(v->primary->spec, "id"), to;
	struct res *good = last_good(v);
	struct doc *back;
	bool rolling_back = doc_get(v->primary->status, "Completed") != NULL;

	rollout_state(v, v->primary, "FAILED",
	    SPAN("ECS deployment circuit breaker: tasks failed to start."));
	doc_set_time(v->a, v->primary->status, "finishedAt", v->now);
	svc_event(v, "(deployment %.*s) deployment failed: tasks failed to "
	    "start.", SPAN_ARG(id));
	if (!doc_get_bool(cb, "rollback", false) || !good || rolling_back)
		return;
	to = doc_get_str(good->spec, "id");
	back = doc_obj(v->a);
	doc_set_str(v->a, back, "Of", doc_get_str(v->svc->spec, "Deployment"));
	doc_set_str(v->a, back, "Id", to);
	doc_set(v->a, v->svc->status, "Primary", back);
	note_rollback(v, good);
	doc_del(v->svc->status, "Failures");
	doc_del(v->svc->status, "NextStart");
	doc_del(good->status, "Done");
	doc_set_int(v->a, good->status, "failedTasks", 0);
	rollout_state(v, good, "IN_PROGRESS",
	    arena_fmt_span(v->a, "ECS deployment circuit breaker: rolling back "
		"to deploymentId %.*s.", SPAN_ARG(to)));
	svc_event(v, "rolling back to (deployment %.*s).", SPAN_ARG(to));
	v->primary = good;
	for (size_t i = 0; i < v->n_tasks; i++)
		v->tasks[i].primary = span_eq(to,
		    doc_get_str(v->tasks[i].res->spec, "startedBy"));
	v->dirty = true;
}

static void
complete(struct svc_view *v)
{
	struct span id = doc_get_str(v->primary->spec, "id");

	if (!in_state(v->primary, "IN_PROGRESS"))
		return;
	doc_set_bool(v->a, v->primary->status, "Completed", true);
	doc_set_time(v->a, v->primary->status, "finishedAt", v->now);
	rollout_state(v, v->primary, "COMPLETED",
	    arena_fmt_span(v->a, "ECS deployment %.*s completed.",
		SPAN_ARG(id)));
	svc_event(v, "(deployment %.*s) deployment completed.", SPAN_ARG(id));
}

static void
count_service(struct svc_view *v)
{
	int64_t running = 0, pending = 0;

	for (size_t i = 0; i < v->n_tasks; i++) {
		running += !v->tasks[i].pending && !v->tasks[i].stopping;
		pending += v->tasks[i].pending && !v->tasks[i].stopping;
	}
	if (running != doc_get_int(v->svc->status, "runningCount", -1) ||
	    pending != doc_get_int(v->svc->status, "pendingCount", -1))
		v->dirty = true;
	doc_set_int(v->a, v->svc->status, "runningCount", running);
	doc_set_int(v->a, v->svc->status, "pendingCount", pending);
}

void
svc_rollout(struct svc_view *v)
{
	const struct doc *cb = doc_path(v->svc->spec, "deploymentConfiguration",
	    "deploymentCircuitBreaker", NULL);
	int desired = (int)doc_get_int(v->svc->spec, "desiredCount", 0);
	struct tally n;
	bool steady;

	if (in_state(v->primary, "IN_PROGRESS") &&
	    doc_get_bool(cb, "enable", false) &&
	    doc_get_int(v->primary->status, "failedTasks", 0) >=
		breaker_threshold(desired))
		break_circuit(v);
	n = tally(v, doc_get_str(v->primary->spec, "id"));
	steady = n.healthy == desired && (size_t)n.healthy == v->n_tasks;
	if (steady)
		complete(v);
	if (steady && !doc_get(v->svc->status, "Steady"))
		svc_event(v, "has reached a steady state.");
	if (steady != doc_get_bool(v->svc->status, "Steady", false)) {
		doc_set(v->a, v->svc->status, "Steady",
		    steady ? doc_bool(v->a, true) : NULL);
		v->dirty = true;
	}
	for (size_t i = 0; i < v->deps.n; i++)
		count_one(v, v->deps.v[i], desired);
	count_service(v);
}

/* What is older than all that was read can no longer be gone back to. */
static int
drop_old(struct svc_view *v)
{
	struct store *s = ctl_env(v->ctl)->store;
	struct query q = {.kind = &ecs_service_deployment,
		.scope = v->svc->scope, .parent = v->parent,
		.newest_first = true, .limit = 50};
	struct res_list l;
	struct res *rev;
	int e;

	if (!v->deps.more)
		return 0;
	q.after = v->deps.v[v->deps.n - 1]->row;
	if ((e = store_list(s, v->a, &q, &l)))
		return err_fold(e);
	for (size_t i = 0; i < l.n; i++) {
		e = store_get(s, v->a, &ecs_service_revision, v->svc->scope,
		    v->parent, doc_get_str(l.v[i]->spec, "Revision"), &rev);
		if (e < 0 || (e == 0 && (e = store_delete(s, rev))) ||
		    (e = store_delete(s, l.v[i])))
			return err_fold(e);
	}
	return 0;
}

int
svc_save(struct svc_view *v)
{
	struct store *s = ctl_env(v->ctl)->store;
	int e = drop_old(v);

	if (e)
		return err_trace(e);

	for (size_t i = 0; i < v->deps.n; i++) {
		struct res *d = v->deps.v[i];

		if (span_eq(v->dep_before[i], doc_json(v->a, d->status)))
			continue;
		doc_set_time(v->a, d->status, "updatedAt", v->now);
		if ((e = store_put_status(s, d)))
			return err_fold(e);
	}
	if (!v->dirty)
		return 0;
	e = store_put_status(s, v->svc);
	return e ? err_fold(e) : 0;
}
