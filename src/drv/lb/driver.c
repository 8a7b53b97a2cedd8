/*
 * Applies: one task for each call of lb_ops, a chain of steps that ends in the
 * caller's callback.  Each step is a word to the runtime API, a file, or a
 * request to whoever starts processes.
 */
#include <errno.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "drv/lb/cli.h"
#include "drv/lb/edge.h"
#include "drv/lb/files.h"
#include "drv/lb/lb.h"
#include "drv/lb/plan.h"
#include "drv/lb/render.h"
#include "drv/lb/stat.h"

#define DRIVER_MAGIC 0x1bd71fe7u
#define TASK_MAGIC   0x1b7a5c00u
#define ASK_MS	     20	 /* between looks at a process that starts */
#define ASK_TIMES    250

struct driver {
	unsigned magic;
	struct lb lb;
	uv_loop_t *loop;
	char *run_dir;
	const struct lb_process_ops *ops;
	void *process;
	struct list tasks;
};

struct task {
	unsigned magic;
	struct list in;
	struct driver *d;
	struct arena *a;
	struct cli *cli;
	uv_timer_t timer;
	char *dir;
	struct span id, netns;
	const struct lb_conf *conf;
	const struct lb_edge *edge;
	const struct lb_target *want;
	size_t n_want;
	struct span digest;
	struct span state;	/* of servers, for the new process */
	bool reload;
	unsigned asked;
	bool asking;		/* of whoever starts processes */
	bool over;		/* the caller has been answered */
	struct doc *commands;	/* left to say */
	size_t said;
	bool settled;		/* commands were said: tell what there is */
	lb_cb cb;
	lb_servers_cb servers_cb;
	lb_counts_cb counts_cb;
	struct lb_count *counts;
	size_t n_counts;
	void *ctx;
};

static const struct lb_ops ops;

static struct driver *
driver(struct lb *l)
{
	struct driver *d = container_of(l, struct driver, lb);

	CHECK_OBJ(d, DRIVER_MAGIC);
	return d;
}

static void
on_closed(uv_handle_t *h)
{
	struct task *t;

	CAST_OBJ(t, h->data, TASK_MAGIC);
	arena_free(t->a);
	FREE_OBJ(t);
}

/* The last step of every task.  Its client has nothing outstanding then. */
static void
task_end(struct task *t, int err, struct span why, const struct lb_server *v,
    size_t n)
{
	list_del(&t->in);
	t->over = true;
	if (t->counts_cb)
		t->counts_cb(t->ctx, err, why, t->counts, t->n_counts);
	else if (t->servers_cb)
		t->servers_cb(t->ctx, err, why, v, n);
	else
		t->cb(t->ctx, err, why);
	cli_free(t->cli);
	t->cli = NULL;
	if (!t->asking)
		uv_close((uv_handle_t *)&t->timer, on_closed);
}

static void
task_fail(struct task *t, int err, const char *what)
{
	task_end(t, err, arena_fmt_span(t->a, "%s: %s", what, strerror(-err)),
	    NULL, 0);
}

static struct task *
task_new(struct driver *d, struct span id, void *ctx)
{
	struct task *t;

	ALLOC_OBJ(t, TASK_MAGIC);
	t->d = d;
	t->a = arena_new();
	t->id = arena_span(t->a, id);
	t->ctx = ctx;
	AZ(uv_timer_init(d->loop, &t->timer));
	t->timer.data = t;
	AZ(lb_dir(t->a, d->run_dir, t->id, false, &t->dir));
	t->cli = cli_new(d->loop, arena_fmt(t->a, "%s/admin.sock", t->dir));
	list_add(&d->tasks, &t->in);
	return t;
}

/* --- structure -------------------------------------------------------- */

#define ASK "show env NEARGATE_STRUCTURE"

static bool
runs_as(const struct task *t, struct span answer)
{
	struct span value = span_trim(answer);

	span_cut(&value, '=');
	return span_eq(value, t->digest);
}

static void edge_hosts(struct task *t);
static void on_asked(void *ctx, int err, struct span out);

static void
structure_done(struct task *t)
{
	if (t->edge)
		edge_hosts(t);
	else
		task_end(t, 0, SPAN_NULL, NULL, 0);
}

static void
on_ask_again(uv_timer_t *timer)
{
	struct task *t;

	CAST_OBJ(t, timer->data, TASK_MAGIC);
	cli_send(t->cli, ASK, on_asked, t);
}

/* The new process is there when the socket answers with the new digest.  It
 * takes the socket's name over with a rename, of which nobody tells. */
static void
on_asked(void *ctx, int err, struct span out)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (!err && runs_as(t, out))
		structure_done(t);
	else if (++t->asked < ASK_TIMES)
		uv_timer_start(&t->timer, on_ask_again, ASK_MS, 0);
	else
		task_fail(t, -ETIMEDOUT, "the proxy did not start");
}

static void
on_started(void *ctx, int err, struct span why)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	t->asking = false;
	if (t->over)
		uv_close((uv_handle_t *)&t->timer, on_closed);
	else if (err)
		task_end(t, err, why, NULL, 0);
	else
		cli_send(t->cli, ASK, on_asked, t);
}

static struct span
draining_list(struct arena *a, const struct lb_server *v, size_t n)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (v[i].drain && !v[i].open)
			buf_addf(&b, "%.*s\n", SPAN_ARG(v[i].name));
	return arena_span(a, buf_span(&b));
}

/* Keys, and the lists of who has which.  Those of before go: no process opens
 * them again. */
static int
write_certs(struct task *t)
{
	struct doc *names = doc_arr(t->a);
	int e = 0;

	for (size_t i = 0; i < t->conf->n_listeners; i++) {
		const struct lb_listener *l = &t->conf->listeners[i];

		if (!l->tls)
			continue;
		for (size_t j = 0; !e && j < l->tls->n_certs; j++) {
			const struct lb_cert *c = &l->tls->certs[j];

			e = lb_file_write_key(t->dir,
			    arena_str(t->a, c->name), c->pem, c->key);
			doc_push_str(t->a, names, c->name);
		}
		if (!e)
			e = lb_file_write(t->dir, arena_fmt(t->a, "f%u.crt",
			    l->port), lb_render_certs(t->a, l, t->dir));
	}
	if (!e)
		lb_files_keep(t->dir, "cert-", names);
	return e;
}

static int
write_files(struct task *t, const struct lb_server *v, size_t n)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int e = lb_dir(t->a, t->d->run_dir, t->id, true, &t->dir);

	if (e)
		return e;
	if (t->edge) {
		buf_add_span(&b, lb_edge_map(t->a, t->edge));
		e = lb_file_write(t->dir, "hosts.map", buf_span(&b));
		buf_clear(&b);
		lb_edge_render(t->a, t->edge, t->dir, &b, &t->digest);
		return e ? e : lb_file_write(t->dir, "haproxy.cfg",
		    buf_span(&b));
	}
	lb_render(t->a, t->conf, t->dir, v, n, &b, &t->digest);
	e = lb_file_write(t->dir, "haproxy.cfg", buf_span(&b));
	if (!e)
		e = write_certs(t);
	if (!e)
		e = lb_file_write(t->dir, "servers.state",
		    t->state.n ? t->state : SPAN("1\n"));
	return e ? e : lb_file_write(t->dir, "draining.lst",
	    draining_list(t->a, v, n));
}

static void
launch(struct task *t, const struct lb_server *v, size_t n)
{
	const struct lb_process_ops *o = t->d->ops;
	int e = write_files(t, v, n);

	if (e) {
		task_fail(t, e, "cannot write the proxy's files");
		return;
	}
	t->asking = true;
	if (t->reload)
		o->reload(t->d->process, t->id, t->netns, on_started, t);
	else
		o->start(t->d->process, t->id, t->netns, on_started, t);
}

static void
on_stat_to_reload(void *ctx, int err, struct span out)
{
	struct task *t;
	struct lb_server *v;
	size_t n;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (!err)
		err = lb_stat_parse(t->a, arena_span(t->a, out), &v, &n);
	if (err)
		task_fail(t, err, "cannot read the proxy's servers");
	else
		launch(t, v, n);
}

static void
on_state_to_reload(void *ctx, int err, struct span out)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (err) {
		task_fail(t, err, "cannot read the proxy's servers");
		return;
	}
	t->state = arena_span(t->a, out);
	cli_send(t->cli, "show stat -1 4 -1", on_stat_to_reload, t);
}

/* First look: does it run, and as wanted?  A socket that nobody answers is a
 * proxy that does not run. */
static void
on_looked(void *ctx, int err, struct span out)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (!err && runs_as(t, out)) {
		structure_done(t);
		return;
	}
	t->reload = err != -ENOENT && err != -ECONNREFUSED;
	if (t->reload && err)
		task_fail(t, err, "the proxy does not answer");
	else if (t->reload && t->conf)
		cli_send(t->cli, "show servers state", on_state_to_reload, t);
	else
		launch(t, NULL, 0);
}

static void
lb_sync(struct lb *l, const struct lb_conf *c, lb_cb cb, void *ctx)
{
	struct task *t = task_new(driver(l), c->id, ctx);
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	t->conf = c;
	t->netns = c->netns;
	t->cb = cb;
	lb_render(t->a, c, t->dir, NULL, 0, &b, &t->digest);
	cli_send(t->cli, ASK, on_looked, t);
}

/* --- servers ---------------------------------------------------------- */

static void on_stat(void *ctx, int err, struct span out);

static bool
said_ok(struct span line, struct span out)
{
	out = span_trim(out);
	if (span_starts(line, SPAN("add server")))
		return span_starts(out, SPAN("New server registered"));
	if (span_starts(line, SPAN("del ")))
		return true; /* the next look tells */
	return out.n == 0;
}

static void say_next(struct task *t);

static void
on_said(void *ctx, int err, struct span out)
{
	struct task *t;
	struct span line;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	line = doc_span(doc_at(t->commands, t->said++));
	if (err)
		task_fail(t, err, "the proxy does not answer");
	else if (!said_ok(line, out))
		task_end(t, -EIO, arena_fmt_span(t->a, "%.*s: %.*s",
		    SPAN_ARG(line), SPAN_ARG(span_trim(out))), NULL, 0);
	else
		say_next(t);
}

static void
say_next(struct task *t)
{
	if (t->said < doc_len(t->commands)) {
		cli_send(t->cli, arena_str(t->a,
		    doc_span(doc_at(t->commands, t->said))), on_said, t);
	} else if (t->edge) {
		task_end(t, 0, SPAN_NULL, NULL, 0);
	} else {
		t->settled = true;
		cli_send(t->cli, "show stat -1 4 -1", on_stat, t);
	}
}

static void
on_stat(void *ctx, int err, struct span out)
{
	struct task *t;
	struct lb_server *v = NULL;
	size_t n = 0;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (!err)
		err = lb_stat_parse(t->a, arena_span(t->a, out), &v, &n);
	if (err) {
		task_fail(t, err, "cannot read the proxy's servers");
		return;
	}
	if (!t->settled)
		t->commands = lb_plan(t->a, t->dir, t->want, t->n_want, v, n);
	if (t->settled || doc_len(t->commands) == 0)
		task_end(t, 0, SPAN_NULL, v, n);
	else
		say_next(t);
}

static void
lb_targets(struct lb *l, const struct lb_conf *c, const struct lb_target *v,
    size_t n, lb_servers_cb cb, void *ctx)
{
	struct task *t = task_new(driver(l), c->id, ctx);

	t->want = v;
	t->n_want = n;
	t->servers_cb = cb;
	cli_send(t->cli, "show stat -1 4 -1", on_stat, t);
}

/* --- requests --------------------------------------------------------- */

static void
on_counts(void *ctx, int err, struct span out)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (!err)
		err = lb_stat_counts(t->a, arena_span(t->a, out), &t->counts,
		    &t->n_counts);
	if (err)
		task_fail(t, err, "cannot read the proxy's counters");
	else
		task_end(t, 0, SPAN_NULL, NULL, 0);
}

static void
lb_requests(struct lb *l, struct span id, lb_counts_cb cb, void *ctx)
{
	struct task *t = task_new(driver(l), id, ctx);

	t->counts_cb = cb;
	cli_send(t->cli, "show stat -1 2 -1", on_counts, t);
}

/* --- stop ------------------------------------------------------------- */

static void
on_stopped(void *ctx, int err, struct span why)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	t->asking = false;
	if (!err)
		lb_dir_remove(t->dir);
	if (t->over)
		uv_close((uv_handle_t *)&t->timer, on_closed);
	else
		task_end(t, err, why, NULL, 0);
}

static void
lb_stop(struct lb *l, struct span id, lb_cb cb, void *ctx)
{
	struct driver *d = driver(l);
	struct task *t = task_new(d, id, ctx);

	t->cb = cb;
	t->asking = true;
	d->ops->stop(d->process, t->id, on_stopped, t);
}

/* --- the edge --------------------------------------------------------- */

static void
on_map(void *ctx, int err, struct span out)
{
	struct task *t;

	CAST_OBJ(t, ctx, TASK_MAGIC);
	if (err == -ECANCELED)
		return;
	if (err) {
		task_fail(t, err, "the edge does not answer");
		return;
	}
	t->commands = lb_edge_plan(t->a, t->dir, t->edge, out);
	say_next(t);
}

/* The file, for the edge's next start, and what the running one knows. */
static void
edge_hosts(struct task *t)
{
	int e = lb_file_write(t->dir, "hosts.map", lb_edge_map(t->a, t->edge));

	if (e)
		task_fail(t, e, "cannot write the edge's map");
	else
		cli_send(t->cli, arena_fmt(t->a, "show map %s/hosts.map",
		    t->dir), on_map, t);
}

static void
lb_edge(struct lb *l, const struct lb_edge *c, lb_cb cb, void *ctx)
{
	struct task *t = task_new(driver(l), SPAN("edge"), ctx);
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	t->edge = c;
	t->netns = SPAN_NULL;
	t->cb = cb;
	lb_edge_render(t->a, c, t->dir, &b, &t->digest);
	cli_send(t->cli, ASK, on_looked, t);
}

/* --- life ------------------------------------------------------------- */

/* What is under way is answered with -ECANCELED; a task whose process request
 * is not answered yet ends with that answer. */
static void
lb_free(struct lb *l)
{
	struct driver *d = driver(l);

	list_each_safe(it, &d->tasks)
		task_fail(list_entry(it, struct task, in), -ECANCELED,
		    "the daemon ends");
	free(d->run_dir);
	FREE_OBJ(d);
}

static const struct lb_ops ops = {
	.sync = lb_sync,
	.targets = lb_targets,
	.requests = lb_requests,
	.stop = lb_stop,
	.edge = lb_edge,
	.free = lb_free,
};

struct lb *
lb_new(uv_loop_t *loop, const char *run_dir, const struct lb_process_ops *o,
    void *process)
{
	struct driver *d;

	ALLOC_OBJ(d, DRIVER_MAGIC);
	d->lb.ops = &ops;
	d->loop = loop;
	d->run_dir = xstrdup(run_dir);
	d->ops = o;
	d->process = process;
	list_init(&d->tasks);
	return &d->lb;
}
