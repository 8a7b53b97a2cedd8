/*
 * The fake engine: containers start at once and end when told to.  Answers
 * come from a loop turn of their own, as the real one's do.
 */
#include <errno.h>
#include <signal.h>

#include <uthash.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "drv/runtime/runtime.h"

#define FAKE_MAGIC 0xfa4e2001u
#define FIRST_PID  100000

struct fake_container {
	char *id;
	char *task;
	int pid;
	int64_t started;
	bool exited, stubborn;
	unsigned burns; /* percent of a processor */
	struct container_exit exit;
	UT_hash_handle hh;
};

/* An answer that waits for its turn. */
struct answer {
	struct list link;
	enum { ANSWER_PLAIN, ANSWER_START, ANSWER_EXEC, ANSWER_LIST,
		ANSWER_USAGE, ANSWER_EXIT } what;
	union {
		runtime_cb plain;
		runtime_start_cb start;
		runtime_exec_cb exec;
		runtime_list_cb list;
		runtime_usage_cb usage;
	} cb;
	void *ctx;
	int err;
	char *text; /* why, output, or the id that exited */
	int pid;
	int64_t started;
	int code;
	struct task_usage *v; /* n of them */
	size_t n;
};

struct fake {
	unsigned magic;
	struct runtime base;
	struct fake_container *all;
	struct list answers;
	uv_idle_t idle;
	char *fail;
	int last_pid;
};

static struct fake *
fake_of(struct runtime *r)
{
	struct fake *f = container_of(r, struct fake, base);

	CHECK_OBJ(f, FAKE_MAGIC);
	return f;
}

static struct fake_container *
find(struct fake *f, struct span id)
{
	struct fake_container *c;

	HASH_FIND(hh, f->all, id.p, id.n, c);
	return c;
}

static void
answer_list(struct fake *f, const struct answer *an)
{
	size_t n = HASH_COUNT(f->all), i = 0;
	_cleanup_free_ struct container_state *v = xcalloc(n, sizeof(*v));
	struct fake_container *c, *next;

	HASH_ITER(hh, f->all, c, next)
		v[i++] = (struct container_state){.id = span_of(c->id),
		    .task = span_of(c->task), .pid = c->exited ? 0 : c->pid,
		    .started = c->started, .exited = c->exited,
		    .exit = c->exit};
	an->cb.list(an->ctx, an->err, v, n);
}

static void
answer_exit(struct fake *f, const struct answer *an)
{
	struct fake_container *c = find(f, span_of(an->text));

	if (c && c->exited && f->base.on_exit)
		f->base.on_exit(f->base.on_exit_ctx, &c->exit);
}

static void
answer_run(struct fake *f, const struct answer *an)
{
	switch (an->what) {
	case ANSWER_PLAIN:
		an->cb.plain(an->ctx, an->err, span_of(an->text));
		break;
	case ANSWER_START:
		an->cb.start(an->ctx, an->err, span_of(an->text), an->pid,
		    an->started);
		break;
	case ANSWER_EXEC:
		an->cb.exec(an->ctx, an->err, an->code, span_of(an->text));
		break;
	case ANSWER_LIST:
		answer_list(f, an);
		break;
	case ANSWER_USAGE:
		an->cb.usage(an->ctx, an->v, an->n);
		break;
	case ANSWER_EXIT:
		answer_exit(f, an);
		break;
	}
}

static void
answer_free(struct answer *an)
{
	free(an->text);
	free(an->v);
	free(an);
}

static void
on_idle(uv_idle_t *idle)
{
	struct list mine;
	struct fake *f;

	CAST_OBJ(f, idle->data, FAKE_MAGIC);
	/* Only what was asked before this turn. */
	list_init(&mine);
	while (!list_empty(&f->answers)) {
		struct list *l = f->answers.next;

		list_del(l);
		list_add(&mine, l);
	}
	uv_idle_stop(idle);
	list_each_safe(l, &mine) {
		struct answer *an = list_entry(l, struct answer, link);

		list_del(&an->link);
		answer_run(f, an);
		answer_free(an);
	}
}

static struct answer *
answer_add(struct fake *f, int what, void *ctx)
{
	struct answer *an = xcalloc(1, sizeof(*an));

	an->what = what;
	an->ctx = ctx;
	list_add(&f->answers, &an->link);
	uv_idle_start(&f->idle, on_idle);
	return an;
}

/* N of the words "WORD N", or -1. */
static int
word_of(const struct span *args, size_t n, const char *word)
{
	uint64_t code;

	return n == 2 && span_is(args[0], word) && span_u64(args[1], &code) ?
	    (int)code : -1;
}

static int
exit_of(const struct span *args, size_t n)
{
	return word_of(args, n, "exit");
}

static void fake_end(struct fake *f, struct fake_container *c, int code);

static void
fake_start(struct runtime *r, const struct container_spec *c,
    runtime_start_cb cb, void *ctx)
{
	struct fake *f = fake_of(r);
	struct answer *an = answer_add(f, ANSWER_START, ctx);
	struct fake_container *fc = find(f, c->id);

	an->cb.start = cb;
	if (f->fail) {
		an->err = -EIO;
		an->text = TAKE_PTR(f->fail);
		return;
	}
	if (c->n_args == 2 && span_is(c->args[0], "fail")) {
		an->err = -EIO;
		an->text = xstrndup(c->args[1].p, c->args[1].n);
		return;
	}
	if (!fc) {
		fc = xcalloc(1, sizeof(*fc));
		fc->id = xstrndup(c->id.p, c->id.n);
		fc->task = xstrndup(c->task.p, c->task.n);
		fc->pid = ++f->last_pid;
		fc->started = clock_ms();
		fc->burns = (unsigned)MAX(word_of(c->args, c->n_args, "burn"),
		    0);
		fc->stubborn = c->n_args && span_is(c->args[0], "stubborn");
		HASH_ADD_KEYPTR(hh, f->all, fc->id, c->id.n, fc);
		if (exit_of(c->args, c->n_args) >= 0)
			fake_end(f, fc, exit_of(c->args, c->n_args));
	}
	an->pid = fc->pid;
	an->started = fc->started;
}

static void
fake_end(struct fake *f, struct fake_container *c, int code)
{
	if (c->exited)
		return;
	c->exited = true;
	c->exit = (struct container_exit){.id = span_of(c->id), .code = code,
	    .at = clock_ms()};
	answer_add(f, ANSWER_EXIT, NULL)->text = xstrdup(c->id);
}

static void
fake_kill(struct runtime *r, struct span id, int sig, runtime_cb cb, void *ctx)
{
	struct fake *f = fake_of(r);
	struct fake_container *c = find(f, id);

	answer_add(f, ANSWER_PLAIN, ctx)->cb.plain = cb;
	if (c && (sig == SIGKILL || (sig == SIGTERM && !c->stubborn)))
		fake_end(f, c, 128 + sig);
}

static void
forget(struct fake *f, struct fake_container *c)
{
	HASH_DEL(f->all, c);
	free(c->id);
	free(c->task);
	free(c);
}

static void
fake_remove(struct runtime *r, struct span id, runtime_cb cb, void *ctx)
{
	struct fake *f = fake_of(r);
	struct fake_container *c = find(f, id);

	if (c)
		forget(f, c);
	answer_add(f, ANSWER_PLAIN, ctx)->cb.plain = cb;
}

static void
fake_task_remove(struct runtime *r, struct span task UNUSED, runtime_cb cb,
    void *ctx)
{
	answer_add(fake_of(r), ANSWER_PLAIN, ctx)->cb.plain = cb;
}

static void
fake_exec(struct runtime *r, struct span id, const struct span *args,
    size_t n_args, int timeout_ms UNUSED, runtime_exec_cb cb, void *ctx)
{
	struct fake *f = fake_of(r);
	struct fake_container *c = find(f, id);
	struct answer *an = answer_add(f, ANSWER_EXEC, ctx);

	an->cb.exec = cb;
	an->code = MAX(exit_of(args, n_args), 0);
	if (!c || c->exited) {
		an->err = -ENOENT;
		an->text = xstrdup("the container does not run");
	}
}

static void
fake_list(struct runtime *r, runtime_list_cb cb, void *ctx)
{
	answer_add(fake_of(r), ANSWER_LIST, ctx)->cb.list = cb;
}

static void
fake_usage(struct runtime *r, const struct span *tasks, size_t n,
    runtime_usage_cb cb, void *ctx)
{
	struct fake *f = fake_of(r);
	struct answer *an = answer_add(f, ANSWER_USAGE, ctx);
	struct fake_container *c, *next;

	an->cb.usage = cb;
	an->n = n;
	an->v = xcalloc(n + 1, sizeof(*an->v));
	for (size_t i = 0; i < n; i++)
		HASH_ITER(hh, f->all, c, next) {
			if (c->exited || !span_is(tasks[i], c->task))
				continue;
			an->v[i].there = true;
			an->v[i].cpu_us += (uint64_t)(clock_ms() -
			    c->started) * 10 * c->burns;
		}
}

static void
on_closed(uv_handle_t *h)
{
	struct fake *f;

	CAST_OBJ(f, h->data, FAKE_MAGIC);
	FREE_OBJ(f);
}

static void
fake_free(struct runtime *r)
{
	struct fake *f = fake_of(r);
	struct fake_container *c, *next;

	HASH_ITER(hh, f->all, c, next)
		forget(f, c);
	list_each_safe(l, &f->answers) {
		struct answer *an = list_entry(l, struct answer, link);

		list_del(&an->link);
		/* Who asked waits for it, to let go of what it holds. */
		an->err = -ECANCELED;
		an->n = 0;
		answer_run(f, an);
		answer_free(an);
	}
	free_p(&f->fail);
	uv_close((uv_handle_t *)&f->idle, on_closed);
}

static const struct runtime_ops fake_ops = {
    .start = fake_start, .kill = fake_kill, .remove = fake_remove,
    .task_remove = fake_task_remove, .exec = fake_exec, .list = fake_list,
    .usage = fake_usage, .free = fake_free,
};

struct runtime *
runtime_fake_new(uv_loop_t *loop)
{
	struct fake *f;

	ALLOC_OBJ(f, FAKE_MAGIC);
	f->base.ops = &fake_ops;
	f->last_pid = FIRST_PID;
	list_init(&f->answers);
	AZ(uv_idle_init(loop, &f->idle));
	f->idle.data = f;
	return &f->base;
}

void
runtime_fake_exit(struct runtime *r, struct span id, int code)
{
	struct fake *f = fake_of(r);
	struct fake_container *c = find(f, id);

	AN(c);
	fake_end(f, c, code);
}

void
runtime_fake_fail(struct runtime *r, const char *why)
{
	struct fake *f = fake_of(r);

	free(f->fail);
	f->fail = xstrdup(why);
}
