/* The task controller: which changes wake which task, and its run. */
#include "base/clock.h"
#include "base/err.h"
#include "ctl/task.h"
#include "svc/ec2/kinds.h"
#include "svc/ecs/kinds.h"
#include "svc/elbv2/kinds.h"

/* AWS shows stopped tasks for about an hour. */
#define KEEP_STOPPED_MS (60 * 60 * 1000)

static const struct kind *const kinds[] = {
	&ecs_task, &ec2_network_interface, &elbv2_target, NULL};

static int64_t
by_interface(struct tasks *s, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct live_task *t;
	struct span netns;
	struct res *r;

	if (c->deleted || !c->status ||
	    store_get_row(ctl_env(s->ctl)->store, a, c->row, &r))
		return 0;
	netns = doc_get_str(r->spec, "Netns");
	if (!span_starts(netns, SPAN("task-")))
		return 0;
	t = live_task_find(s, span_from(netns, 5));
	return t ? t->row : 0;
}

/* Only the end of draining matters to a task. */
static int64_t
by_target(struct tasks *s, const struct change *c)
{
	struct span rest = c->id, ip = span_cut(&rest, ':');
	struct live_task *t, *next;

	if (!c->deleted)
		return 0;
	/* Addresses may repeat between VPCs: every match looks again. */
	HASH_ITER (hh, s->by_id, t, next)
		if (t->ip && span_is(ip, t->ip))
			live_wake(t);
	return 0;
}

static int64_t
task_key(void *state, struct ctl *ctl, const struct change *c)
{
	struct tasks *s;

	(void)ctl;
	CAST_OBJ(s, state, TASKS_MAGIC);
	if (c->kind == &ec2_network_interface)
		return by_interface(s, c);
	if (c->kind == &elbv2_target)
		return by_target(s, c);
	return c->row;
}

static void *
task_init(struct ctl *ctl)
{
	struct runtime *r = ctl_env(ctl)->runtime;
	struct tasks *s;

	ALLOC_OBJ(s, TASKS_MAGIC);
	s->ctl = ctl;
	s->found_arena = arena_new();
	s->found = doc_obj(s->found_arena);
	r->on_exit = live_on_exit;
	r->on_exit_ctx = s;
	live_list(s);
	return s;
}

static void
task_done(void *state)
{
	struct tasks *s;
	struct live_task *t, *next;

	CAST_OBJ(s, state, TASKS_MAGIC);
	HASH_ITER (hh, s->by_id, t, next)
		live_task_drop(t);
	ctl_env(s->ctl)->runtime->on_exit = NULL;
	if (s->listing)
		s->ended = true;
	else
		live_tasks_free(s);
}

static void
forget(struct tasks *s, struct span id)
{
	struct live_task *t = live_task_find(s, id);

	if (t)
		live_task_drop(t);
}

/* The token of the RunTask that made it lives as long as its tasks do. */
static int
purge(struct store *s, struct arena *a, const struct res *task)
{
	struct span token = doc_get_str(task->spec, "Token");
	struct res *r;
	int e = 0;

	if (token.n)
		e = store_get(s, a, &ecs_run_token, task->scope, SPAN_NULL,
		    token, &r);
	if (e == 0 && token.n)
		e = store_delete(s, r);
	if (e && e != STORE_E_NOT_FOUND)
		return err_fold(e);
	e = store_delete(s, task);
	return e ? err_fold(e) : 0;
}

static int
stopped(struct tasks *s, struct arena *a, const struct res *task,
    int64_t *again_ms)
{
	int64_t left = doc_get_time(task->status, "stoppedAt") +
	    KEEP_STOPPED_MS - clock_ms();

	forget(s, task->id);
	if (left > 0) {
		*again_ms = left;
		return 0;
	}
	return err_trace(purge(ctl_env(s->ctl)->store, a, task));
}

static void
note_address(struct live_task *t, const struct res *task)
{
	struct span ip = doc_get_str(doc_get(task->status, "Eni"),
	    "privateIPv4Address");

	if (!t->ip && ip.n)
		t->ip = xstrndup(ip.p, ip.n);
}

static void
forget_row(struct tasks *s, int64_t row)
{
	struct live_task *t, *next;

	HASH_ITER (hh, s->by_id, t, next)
		if (t->row == row)
			live_task_end(t);
}

static int
task_run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct store *store = ctl_env(ctl)->store;
	struct live_task *live;
	struct tasks *s;
	struct res *task, *def;
	int e;

	CAST_OBJ(s, state, TASKS_MAGIC);
	e = store_get_row(store, a, key, &task);
	if (e == STORE_E_NOT_FOUND) {
		forget_row(s, key);
		return 0;
	}
	if (e)
		return err_trace(e);
	if (span_is(doc_get_str(task->status, "lastStatus"), "STOPPED"))
		return stopped(s, a, task, again_ms);
	/* What already runs must be known first. */
	if (!s->listed) {
		if (!s->listing)
			live_list(s);
		*again_ms = 1000;
		return 0;
	}
	e = store_get_arn(store, a,
	    doc_get_str(task->spec, "taskDefinitionArn"), &def);
	if (e)
		return err_fold(e);
	live = live_task_get(s, task->id, key,
	    doc_len(doc_get(task->status, "Containers")));
	if ((e = task_step(s, a, task, live, def->spec, again_ms)))
		return err_trace(e);
	note_address(live, task);
	return 0;
}

const struct controller ctl_task = {
	.name = "task",
	.kinds = kinds,
	.key = task_key,
	.init = task_init,
	.done = task_done,
	.run = task_run,
};
