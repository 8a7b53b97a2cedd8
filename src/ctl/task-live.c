/* Tasks in flight: calls to the drivers and what came of them. */
#include "base/clock.h"
#include "base/log.h"
#include "ctl/task.h"
#include "svc/ecs/kinds.h"

/* Between two attempts at what the runtime refused. */
#define RETRY_MS 500

static const struct ctl_env *
env_of(const struct live_task *t)
{
	return ctl_env(t->owner->ctl);
}

struct live_task *
live_task_find(struct tasks *s, struct span id)
{
	struct live_task *t;

	HASH_FIND(hh, s->by_id, id.p, id.n, t);
	return t;
}

static void
adopt(struct tasks *s, struct live_container *k)
{
	const struct doc *f = doc_get(s->found, k->id);

	if (!f)
		return;
	k->start_asked = k->started = true;
	k->started_ms = doc_get_int(f, "started", 0);
	if (!doc_true(doc_get(f, "exited")))
		return;
	k->exited = true;
	k->exit.code = (int)doc_get_int(f, "code", 0);
	k->exit.oom = doc_get_bool(f, "oom", false);
	k->exit.at = doc_get_int(f, "at", 0);
}

struct live_task *
live_task_get(struct tasks *s, struct span id, int64_t row, size_t n)
{
	struct live_task *t = live_task_find(s, id);

	if (t)
		return t;
	ALLOC_OBJ(t, LIVE_TASK_MAGIC);
	t->owner = s;
	t->id = xstrndup(id.p, id.n);
	t->row = row;
	t->n = n;
	t->v = xcalloc(n + 1, sizeof(*t->v));
	for (size_t i = 0; i < n; i++) {
		t->v[i].task = t;
		t->v[i].n = (int)i;
		t->v[i].id = xasprintf("%s-%zu", t->id, i);
		adopt(s, &t->v[i]);
	}
	HASH_ADD_KEYPTR(hh, s->by_id, t->id, strlen(t->id), t);
	return t;
}

void
live_forget_secrets(struct live_container *k)
{
	arena_free(k->secrets_arena);
	k->secrets_arena = NULL;
	k->secrets = NULL;
}

static void
live_task_free(struct live_task *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].id);
		free(t->v[i].failure);
		free(t->v[i].image_ref);
		arena_free(t->v[i].image_arena);
		live_forget_secrets(&t->v[i]);
	}
	free(t->v);
	free(t->ip);
	free(t->id);
	FREE_OBJ(t);
}

void
live_task_drop(struct live_task *t)
{
	CHECK_OBJ(t, LIVE_TASK_MAGIC);
	if (!t->dead)
		HASH_DELETE(hh, t->owner->by_id, t);
	t->dead = true;
	if (t->refs == 0)
		live_task_free(t);
}

void
live_wake(struct live_task *t)
{
	ctl_wake(t->owner->ctl, &ctl_task, t->row);
}

/* A callback came back.  False: nobody waits for it any more. */
static bool
came_back(struct live_task *t)
{
	CHECK_OBJ(t, LIVE_TASK_MAGIC);
	AN(t->refs > 0);
	t->refs--;
	if (t->dead) {
		if (t->refs == 0)
			live_task_free(t);
		return false;
	}
	live_wake(t);
	return true;
}

static void
fail(struct live_container *k, const char *kind, struct span why)
{
	free(k->failure);
	k->failure = xstrndup(why.p ? why.p : "", why.n);
	k->failure_kind = kind;
}

/* Images */

static const struct span *
copy_spans(struct arena *a, const struct span *v, size_t n)
{
	struct span *out = arena_array(a, struct span, n + 1);

	for (size_t i = 0; i < n; i++)
		out[i] = arena_span(a, v[i]);
	return out;
}

static void
keep_image(struct live_container *k, const struct image *img)
{
	struct arena *a = arena_new();

	arena_free(k->image_arena);
	k->image_arena = a;
	k->image = *img;
	k->image.digest = arena_span(a, img->digest);
	k->image.pinned = arena_span(a, img->pinned);
	k->image.layers = copy_spans(a, img->layers, img->n_layers);
	k->image.entrypoint = copy_spans(a, img->entrypoint, img->n_entrypoint);
	k->image.cmd = copy_spans(a, img->cmd, img->n_cmd);
	k->image.env = copy_spans(a, img->env, img->n_env);
	k->image.user = arena_span(a, img->user);
	k->image.cwd = arena_span(a, img->cwd);
	k->image.stop_signal = arena_span(a, img->stop_signal);
	/* ECS does not run the image's own health check. */
	k->image.healthcheck = NULL;
	k->image_ready = true;
}

static void
on_image(void *ctx, int err, struct span why, const struct image *img)
{
	struct live_container *k = ctx;

	if (!came_back(k->task))
		return;
	if (err)
		fail(k, NULL, why.n ? why : SPAN("CannotPullContainerError"));
	else
		keep_image(k, img);
}

void
live_image(struct live_container *k, const struct res *task, struct span ref,
    struct span arch)
{
	struct images *im = env_of(k->task)->images;

	free(k->image_ref);
	k->image_ref = xstrndup(ref.p, ref.n);
	k->image_asked = true;
	k->image_ready = false;
	k->task->refs++;
	im->ops->ensure(im, task->scope.account, task->scope.region, ref, arch,
	    on_image, k);
}

/* Containers */

static void
on_start(void *ctx, int err, struct span why, int pid, int64_t started_ms)
{
	struct live_container *k = ctx;

	(void)pid;
	if (!came_back(k->task))
		return;
	if (err) {
		fail(k, "CannotStartContainerError", why);
		return;
	}
	k->started = true;
	k->started_ms = started_ms;
}

void
live_start(struct live_container *k, const struct container_spec *spec)
{
	struct runtime *r = env_of(k->task)->runtime;

	k->start_asked = true;
	k->task->refs++;
	r->ops->start(r, spec, on_start, k);
	live_forget_secrets(k);
}

static void
on_killed(void *ctx, int err, struct span why)
{
	struct live_container *k = ctx;

	if (!came_back(k->task))
		return;
	if (!err)
		return;
	log_warn("container %s: signal: %.*s, again in %d ms", k->id,
	    SPAN_ARG(why), RETRY_MS);
	k->kill_at = k->kill_asked ? clock_ms() + RETRY_MS : k->kill_at;
	k->kill_asked = false;
}

void
live_kill(struct live_container *k, int sig)
{
	struct runtime *r = env_of(k->task)->runtime;

	k->task->refs++;
	r->ops->kill(r, span_of(k->id), sig, on_killed, k);
}

static void
on_removed(void *ctx, int err, struct span why)
{
	struct live_container *k = ctx;

	if (!came_back(k->task))
		return;
	if (err)
		log_warn("container %s: remove: %.*s, again in %d ms", k->id,
		    SPAN_ARG(why), RETRY_MS);
	k->removed = !err;
	k->remove_asked = !err;
	k->remove_at = clock_ms() + RETRY_MS;
}

void
live_remove(struct live_container *k)
{
	struct runtime *r = env_of(k->task)->runtime;

	k->remove_asked = true;
	k->task->refs++;
	r->ops->remove(r, span_of(k->id), on_removed, k);
}

static void
on_task_removed(void *ctx, int err, struct span why)
{
	struct live_task *t = ctx;

	if (!came_back(t))
		return;
	if (err)
		log_warn("task %s: remove: %.*s, again in %d ms", t->id,
		    SPAN_ARG(why), RETRY_MS);
	t->task_removed = !err;
	t->task_remove_asked = !err;
	t->remove_at = clock_ms() + RETRY_MS;
}

void
live_task_remove(struct live_task *t)
{
	struct runtime *r = env_of(t)->runtime;

	t->task_remove_asked = true;
	t->refs++;
	r->ops->task_remove(r, span_of(t->id), on_task_removed, t);
}

static void
on_check(void *ctx, int err, int code, struct span out)
{
	struct live_container *k = ctx;

	(void)out;
	if (!came_back(k->task))
		return;
	k->check_running = false;
	k->check_done = true;
	k->check_code = err ? -1 : code;
}

void
live_check(struct live_container *k, const struct span *args, size_t n,
    int timeout_ms)
{
	struct runtime *r = env_of(k->task)->runtime;

	k->check_running = true;
	k->task->refs++;
	r->ops->exec(r, span_of(k->id), args, n, timeout_ms, on_check, k);
}

/* Removal of what no task waits for */

static void
on_swept(void *ctx, int err, struct span why)
{
	(void)ctx;
	if (err)
		log_warn("remove what no task owns: %.*s", SPAN_ARG(why));
}

static void
sweep_container(struct tasks *s, struct span id)
{
	struct runtime *r = ctl_env(s->ctl)->runtime;

	r->ops->remove(r, id, on_swept, NULL);
}

static void
sweep_task(struct tasks *s, struct span id)
{
	struct runtime *r = ctl_env(s->ctl)->runtime;

	r->ops->task_remove(r, id, on_swept, NULL);
}

void
live_task_end(struct live_task *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].start_asked && !t->v[i].removed)
			sweep_container(t->owner, span_of(t->v[i].id));
	sweep_task(t->owner, span_of(t->id));
	live_task_drop(t);
}

static void note_exit(struct tasks *s, const struct container_exit *e);

void
live_on_exit(void *ctx, const struct container_exit *e)
{
	struct tasks *s;
	struct live_task *t;
	struct live_container *k;
	struct span n = e->id;
	uint64_t i;

	CAST_OBJ(s, ctx, TASKS_MAGIC);
	t = live_task_find(s, span_cut(&n, '-'));
	if (!t)
		note_exit(s, e);
	if (!t || !span_u64(n, &i) || i >= t->n)
		return;
	k = &t->v[i];
	if (k->exited)
		return;
	k->exited = true;
	k->exit = *e;
	k->exit.id = SPAN_NULL;
	live_wake(t);
}

/* What was there before us */

static void
note_found(struct tasks *s, const struct container_state *c)
{
	struct arena *a = s->found_arena;
	struct doc *d = doc_obj(a);

	doc_set_int(a, d, "started", c->started);
	doc_set_bool(a, d, "exited", c->exited);
	doc_set_int(a, d, "code", c->exit.code);
	doc_set_bool(a, d, "oom", c->exit.oom);
	doc_set_int(a, d, "at", c->exit.at);
	doc_setn(a, s->found, arena_span(a, c->id), d);
}

void
live_tasks_free(struct tasks *s)
{
	arena_free(s->found_arena);
	FREE_OBJ(s);
}

/* It ended after the list was made and before its task was looked at. */
static void
note_exit(struct tasks *s, const struct container_exit *e)
{
	struct doc *d = doc_getn(s->found, e->id);

	if (!d)
		return;
	doc_set_bool(s->found_arena, d, "exited", true);
	doc_set_int(s->found_arena, d, "code", e->code);
	doc_set_bool(s->found_arena, d, "oom", e->oom);
	doc_set_int(s->found_arena, d, "at", e->at);
}

/* Containers of tasks that are no more, or have been STOPPED. */
static void
sweep(struct tasks *s, struct arena *a, const struct res_list *tasks)
{
	struct doc *live = doc_obj(a), *gone = doc_obj(a);

	for (size_t i = 0; i < tasks->n; i++)
		if (!span_is(doc_get_str(tasks->v[i]->status, "lastStatus"),
			"STOPPED"))
			doc_setn(a, live, tasks->v[i]->id, doc_bool(a, true));
	doc_each_key(id, found, s->found) {
		struct span rest = id, task = span_cut(&rest, '-');

		if (doc_getn(live, task))
			continue;
		log_warn("container %.*s belongs to no task: removed",
		    SPAN_ARG(id));
		sweep_container(s, id);
		doc_setn(a, gone, task, doc_bool(a, true));
	}
	doc_each_key(task, one, gone)
		sweep_task(s, task);
}

static void
on_list(void *ctx, int err, const struct container_state *v, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query q = {.kind = &ecs_task, .any_parent = true};
	struct res_list list;
	struct tasks *s;

	CAST_OBJ(s, ctx, TASKS_MAGIC);
	s->listing = false;
	if (s->ended) {
		live_tasks_free(s);
		return;
	}
	if (err) {
		log_warn("cannot list containers; tasks wait");
		return;
	}
	for (size_t i = 0; i < n; i++)
		note_found(s, &v[i]);
	if (store_list(ctl_env(s->ctl)->store, a, &q, &list))
		return;
	s->listed = true;
	sweep(s, a, &list);
	for (size_t i = 0; i < list.n; i++)
		ctl_wake(s->ctl, &ctl_task, list.v[i]->row);
}

void
live_list(struct tasks *s)
{
	struct runtime *r = ctl_env(s->ctl)->runtime;

	s->listing = true;
	r->ops->list(r, on_list, s);
}
