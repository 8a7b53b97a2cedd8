/* The embedded engine: each call is one message to the warden. */
#include <errno.h>

#include "base/log.h"
#include "drv/runtime/usage.h"
#include "drv/warden.h"

#define EMBEDDED_MAGIC 0xe3bedded
#define MAX_CONTAINERS (1u << 16)

struct embedded {
	unsigned magic;
	struct runtime base;
	uv_loop_t *loop;
	struct warden *warden;
	char *run_dir;
	char *instance;
};

/* What a call asked for, until the warden answered. */
struct asked {
	struct embedded *e;
	union {
		runtime_cb plain;
		runtime_start_cb start;
		runtime_exec_cb exec;
		runtime_list_cb list;
	} cb;
	void *ctx;
};

static struct embedded *
embedded_of(struct runtime *r)
{
	struct embedded *e = container_of(r, struct embedded, base);

	CHECK_OBJ(e, EMBEDDED_MAGIC);
	return e;
}

static struct asked *
asked_new(struct embedded *e, void *ctx)
{
	struct asked *q = xcalloc(1, sizeof(*q));

	q->e = e;
	q->ctx = ctx;
	return q;
}

static void
on_plain(void *ctx, int err, struct span why, struct msg_reader *m UNUSED)
{
	_cleanup_free_ struct asked *q = ctx;

	q->cb.plain(q->ctx, err, why);
}

/* The program's name between the first two backquotes, or empty. */
static struct span
quoted(struct span why)
{
	span_cut(&why, '`');
	return span_chr(why, '`') < 0 ? SPAN_NULL : span_cut(&why, '`');
}

/* crun's words for what ECS's users know in runc's. */
static struct span
start_failure(struct arena *a, struct span why)
{
	static const char head[] =
	    "OCI runtime create failed: unable to start container process: ";
	struct span name = quoted(why);

	if (span_is(why, "open executable: Permission denied"))
		return arena_fmt_span(a, "%sexec: permission denied", head);
	if (!name.n)
		return why;
	if (span_starts(why, SPAN("executable file")))
		return span_chr(name, '/') < 0 ?
		    arena_fmt_span(a, "%sexec: \"%.*s\": executable file not "
			"found in $PATH", head, SPAN_ARG(name)) :
		    arena_fmt_span(a, "%sexec: \"%.*s\": stat %.*s: no such "
			"file or directory", head, SPAN_ARG(name),
			SPAN_ARG(name));
	return why;
}

static void
on_started(void *ctx, int err, struct span why, struct msg_reader *m)
{
	_cleanup_free_ struct asked *q = ctx;
	_cleanup_arena_ struct arena *a = arena_new();
	int pid = 0;
	int64_t at = 0;

	if (err == 0) {
		pid = (int)msg_u32(m);
		at = (int64_t)msg_u64(m);
		if (!msg_ok(m)) {
			err = -EBADMSG;
			why = SPAN("the warden's answer does not decode");
		}
	}
	q->cb.start(q->ctx, err, err ? start_failure(a, why) : why, pid, at);
}

static void
on_execed(void *ctx, int err, struct span why, struct msg_reader *m)
{
	_cleanup_free_ struct asked *q = ctx;
	struct span out = why;
	int code = 0;

	if (err == 0) {
		code = (int)msg_u32(m);
		out = msg_span(m);
		if (!msg_ok(m))
			err = -EBADMSG;
	}
	q->cb.exec(q->ctx, err, code, out);
}

static void
put_lists(struct buf *b, const struct container_spec *c)
{
	msg_put_u32(b, (uint32_t)c->n_ulimits);
	for (size_t i = 0; i < c->n_ulimits; i++) {
		msg_put_span(b, c->ulimits[i].name);
		msg_put_u64(b, c->ulimits[i].soft);
		msg_put_u64(b, c->ulimits[i].hard);
	}
	msg_put_u32(b, (uint32_t)c->n_mounts);
	for (size_t i = 0; i < c->n_mounts; i++) {
		msg_put_span(b, c->mounts[i].source);
		msg_put_span(b, c->mounts[i].target);
		msg_put_bool(b, c->mounts[i].read_only);
	}
	msg_put_spans(b, c->cap_add, c->n_cap_add);
	msg_put_spans(b, c->cap_drop, c->n_cap_drop);
}

static void
put_spec(struct buf *b, const struct container_spec *c)
{
	msg_put_span(b, c->id);
	msg_put_span(b, c->task);
	msg_put_span(b, c->netns);
	msg_put_span(b, c->hostname);
	msg_put_spans(b, c->layers, c->n_layers);
	msg_put_bool(b, c->read_only_root);
	msg_put_spans(b, c->args, c->n_args);
	msg_put_spans(b, c->env, c->n_env);
	msg_put_span(b, c->cwd);
	msg_put_u32(b, c->uid);
	msg_put_u32(b, c->gid);
	msg_put_u32(b, (uint32_t)c->n_groups);
	for (size_t i = 0; i < c->n_groups; i++)
		msg_put_u32(b, c->groups[i]);
	msg_put_u64(b, c->memory);
	msg_put_u64(b, c->memory_soft);
	msg_put_u32(b, c->cpu_shares);
	msg_put_u64(b, c->task_memory);
	msg_put_u32(b, c->task_cpu);
	msg_put_u32(b, c->pids);
	put_lists(b, c);
	msg_put_bool(b, c->init);
	msg_put_bool(b, c->tty);
	msg_put_spans(b, c->dns, c->n_dns);
	msg_put_spans(b, c->hosts, c->n_hosts);
}

static void
embedded_start(struct runtime *r, const struct container_spec *c,
    runtime_start_cb cb, void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct asked *q = asked_new(e, ctx);

	q->cb.start = cb;
	put_spec(warden_begin(e->warden, WARDEN_CONTAINER_START), c);
	warden_send(e->warden, on_started, q);
}

static void
embedded_kill(struct runtime *r, struct span id, int sig, runtime_cb cb,
    void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct asked *q = asked_new(e, ctx);
	struct buf *b = warden_begin(e->warden, WARDEN_CONTAINER_KILL);

	q->cb.plain = cb;
	msg_put_span(b, id);
	msg_put_u32(b, (uint32_t)sig);
	warden_send(e->warden, on_plain, q);
}

static void
ask_plain(struct runtime *r, enum warden_msg type, struct span name,
    runtime_cb cb, void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct asked *q = asked_new(e, ctx);

	q->cb.plain = cb;
	msg_put_span(warden_begin(e->warden, type), name);
	warden_send(e->warden, on_plain, q);
}

static void
embedded_remove(struct runtime *r, struct span id, runtime_cb cb, void *ctx)
{
	ask_plain(r, WARDEN_CONTAINER_REMOVE, id, cb, ctx);
}

static void
embedded_task_remove(struct runtime *r, struct span task, runtime_cb cb,
    void *ctx)
{
	ask_plain(r, WARDEN_TASK_REMOVE, task, cb, ctx);
}

static void
embedded_exec(struct runtime *r, struct span id, const struct span *args,
    size_t n_args, int timeout_ms, runtime_exec_cb cb, void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct asked *q = asked_new(e, ctx);
	struct buf *b = warden_begin(e->warden, WARDEN_CONTAINER_EXEC);

	q->cb.exec = cb;
	msg_put_span(b, id);
	msg_put_spans(b, args, n_args);
	msg_put_u32(b, (uint32_t)timeout_ms);
	warden_send(e->warden, on_execed, q);
}

/* The states of a CONTAINER_LIST reply; spans are borrowed from it. */
static int
read_states(struct msg_reader *m, struct container_state **ret, size_t *ret_n)
{
	uint32_t n = msg_u32(m);
	struct container_state *v;

	if (n > MAX_CONTAINERS)
		return -EBADMSG;
	v = xcalloc(n, sizeof(*v));
	for (uint32_t i = 0; i < n; i++) {
		v[i].id = msg_span(m);
		v[i].task = msg_span(m);
		v[i].pid = (int)msg_u32(m);
		v[i].started = (int64_t)msg_u64(m);
		v[i].exited = msg_bool(m);
		v[i].exit.id = v[i].id;
		v[i].exit.code = (int)msg_u32(m);
		v[i].exit.oom = msg_bool(m);
		v[i].exit.at = (int64_t)msg_u64(m);
	}
	if (!msg_ok(m)) {
		free(v);
		return -EBADMSG;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

static void
on_listed(void *ctx, int err, struct span why UNUSED, struct msg_reader *m)
{
	_cleanup_free_ struct asked *q = ctx;
	_cleanup_free_ struct container_state *v = NULL;
	size_t n = 0;

	if (err == 0)
		err = read_states(m, &v, &n);
	q->cb.list(q->ctx, err, v, n);
}

static void
embedded_list(struct runtime *r, runtime_list_cb cb, void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct asked *q = asked_new(e, ctx);

	q->cb.list = cb;
	warden_begin(e->warden, WARDEN_CONTAINER_LIST);
	warden_send(e->warden, on_listed, q);
}

/* A look at tasks' control groups, on a worker. */
struct look {
	uv_work_t work;
	struct arena *a;
	const char **groups;
	struct task_usage *v;
	size_t n;
	runtime_usage_cb cb;
	void *ctx;
};

static void
look(uv_work_t *work)
{
	struct look *l = work->data;

	for (size_t i = 0; i < l->n; i++)
		usage_read("/sys/fs/cgroup", l->groups[i], &l->v[i]);
}

static void
on_looked(uv_work_t *work, int status)
{
	struct look *l = work->data;

	AZ(status);
	l->cb(l->ctx, l->v, l->n);
	arena_free(l->a);
	free(l);
}

static void
embedded_usage(struct runtime *r, const struct span *tasks, size_t n,
    runtime_usage_cb cb, void *ctx)
{
	struct embedded *e = embedded_of(r);
	struct look *l = xcalloc(1, sizeof(*l));

	l->work.data = l;
	l->a = arena_new();
	l->groups = arena_array(l->a, const char *, n + 1);
	l->v = arena_array(l->a, struct task_usage, n + 1);
	l->n = n;
	l->cb = cb;
	l->ctx = ctx;
	for (size_t i = 0; i < n; i++)
		l->groups[i] = arena_fmt(l->a, "/neargate-%s/%.*s",
		    e->instance, SPAN_ARG(tasks[i]));
	AZ(uv_queue_work(e->loop, &l->work, look, on_looked));
}

static void
tell_exit(struct embedded *e, const struct container_exit *x)
{
	if (e->base.on_exit)
		e->base.on_exit(e->base.on_exit_ctx, x);
}

static void
on_exit_event(void *ctx, struct msg_reader *m)
{
	struct container_exit x;
	struct embedded *e;

	CAST_OBJ(e, ctx, EMBEDDED_MAGIC);
	x.id = msg_span(m);
	x.code = (int)msg_u32(m);
	x.oom = msg_bool(m);
	x.at = (int64_t)msg_u64(m);
	if (msg_ok(m))
		tell_exit(e, &x);
	else
		log_warn("runtime: an exit does not decode, ignoring");
}

/* Exits from before our time: told once, as soon as the loop runs. */
static void
on_first_list(void *ctx, int err, const struct container_state *v, size_t n)
{
	struct embedded *e;

	if (err)
		return;
	CAST_OBJ(e, ctx, EMBEDDED_MAGIC);
	for (size_t i = 0; i < n; i++)
		if (v[i].exited)
			tell_exit(e, &v[i].exit);
}

static void
embedded_free(struct runtime *r)
{
	struct embedded *e = embedded_of(r);

	warden_on_event(e->warden, WARDEN_EXIT, NULL, NULL);
	free(e->run_dir);
	free(e->instance);
	FREE_OBJ(e);
}

static const struct runtime_ops embedded_ops = {
    .start = embedded_start, .kill = embedded_kill, .remove = embedded_remove,
    .task_remove = embedded_task_remove, .exec = embedded_exec,
    .list = embedded_list, .usage = embedded_usage, .free = embedded_free,
};

struct runtime *
runtime_embedded_new(uv_loop_t *loop, struct warden *w, const char *run_dir,
    struct span instance)
{
	struct embedded *e;

	ALLOC_OBJ(e, EMBEDDED_MAGIC);
	e->base.ops = &embedded_ops;
	e->loop = loop;
	e->warden = w;
	e->run_dir = xstrdup(run_dir);
	e->instance = xstrndup(instance.p, instance.n);
	warden_on_event(w, WARDEN_EXIT, on_exit_event, e);
	embedded_list(&e->base, on_first_list, e);
	return &e->base;
}
