/*
 * Ends all that runs, for POST /_neargate/reset.
 *
 * The networks go first: whatever is still on its way to start finds no
 * namespace then.  When nothing is on its way any more, containers and proxies
 * are listed and removed, then the tasks' own things, then what was logged.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uthash.h>

#include "base/log.h"
#include "ctl/reset.h"
#include "drv/warden.h"

#define RESET_MAGIC 0x4e5e7a11u

struct gone_task {
	UT_hash_handle hh;
	char *id;
};

struct ctl_reset {
	unsigned magic;
	const struct ctl_env *env;
	bool cancelled;	/* asks for nothing more */
	size_t pending;
	struct gone_task *tasks;
	bool tasks_asked;
	void (*done)(void *ctx);
	void *ctx;
};

static void
warn(const char *what, int err, struct span why)
{
	if (err)
		log_error("reset: %s: %.*s, ignoring", what, SPAN_ARG(why));
}

/* Only files that the monitors wrote; the directories are neargated's. */
static void
remove_logs(const char *state_dir)
{
	_cleanup_free_ char *path = xasprintf("%s/log", state_dir);
	DIR *all = opendir(path), *one;
	struct dirent *e, *f;
	int fd;

	while (all && (e = readdir(all))) {
		if (e->d_name[0] == '.')
			continue;
		fd = openat(dirfd(all), e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		one = fd < 0 ? NULL : fdopendir(fd);
		while (one && (f = readdir(one)))
			if (f->d_name[0] != '.')
				unlinkat(dirfd(one), f->d_name, 0);
		if (one)
			closedir(one);
		if (unlinkat(dirfd(all), e->d_name, AT_REMOVEDIR) < 0)
			log_error("reset: log of %s: %s, ignoring", e->d_name,
			    strerror(errno));
	}
	if (all)
		closedir(all);
}

static void
tasks_free(struct ctl_reset *r)
{
	struct gone_task *t, *next;

	HASH_ITER (hh, r->tasks, t, next) {
		HASH_DEL(r->tasks, t);
		free(t->id);
		free(t);
	}
}

static void
end(struct ctl_reset *r)
{
	tasks_free(r);
	if (!r->cancelled && r->env->warden)
		remove_logs(r->env->state_dir);
	if (!r->cancelled)
		r->done(r->ctx);
	FREE_OBJ(r);
}

static void on_task_removed(void *ctx, int err, struct span why);

/* Nothing is asked for at the moment. */
static void
next_step(struct ctl_reset *r)
{
	struct runtime *rt = r->env->runtime;
	struct gone_task *t, *next;

	if (r->tasks_asked || r->cancelled || !r->tasks) {
		end(r);
		return;
	}
	r->tasks_asked = true;
	r->pending = HASH_COUNT(r->tasks);
	HASH_ITER (hh, r->tasks, t, next)
		rt->ops->task_remove(rt, span_of(t->id), on_task_removed, r);
}

static void
came_back(struct ctl_reset *r)
{
	CHECK_OBJ(r, RESET_MAGIC);
	AN(r->pending > 0);
	if (--r->pending == 0)
		next_step(r);
}

static void
on_task_removed(void *ctx, int err, struct span why)
{
	warn("task", err, why);
	came_back(ctx);
}

static void
on_removed(void *ctx, int err, struct span why)
{
	warn("container", err, why);
	came_back(ctx);
}

static void
on_stopped(void *ctx, int err, struct span why)
{
	warn("proxy", err, why);
	came_back(ctx);
}

static void
note_task(struct ctl_reset *r, struct span id)
{
	struct gone_task *t;

	HASH_FIND(hh, r->tasks, id.p, id.n, t);
	if (t)
		return;
	t = xcalloc(1, sizeof(*t));
	t->id = xstrndup(id.p, id.n);
	HASH_ADD_KEYPTR(hh, r->tasks, t->id, id.n, t);
}

static void
on_list(void *ctx, int err, const struct container_state *v, size_t n)
{
	struct ctl_reset *r;

	CAST_OBJ(r, ctx, RESET_MAGIC);
	warn("containers", err, SPAN("cannot be listed"));
	for (size_t i = 0; !r->cancelled && i < n; i++) {
		struct runtime *rt = r->env->runtime;

		note_task(r, v[i].task);
		r->pending++;
		rt->ops->remove(rt, v[i].id, on_removed, r);
	}
	came_back(r);
}

/* Every proxy has a directory of its name. */
static void
stop_proxies(struct ctl_reset *r)
{
	_cleanup_free_ char *path = xasprintf("%s/lb",
	    r->env->run_dir ? r->env->run_dir : "");
	struct lb *lb = r->env->lb;
	DIR *d = r->env->run_dir ? opendir(path) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "edge"))
			continue;
		r->pending++;
		lb->ops->stop(lb, span_of(e->d_name), on_stopped, r);
	}
	if (d)
		closedir(d);
}

static void
on_quiet(void *ctx)
{
	struct ctl_reset *r;

	CAST_OBJ(r, ctx, RESET_MAGIC);
	if (r->cancelled) {
		end(r);
		return;
	}
	r->pending = 1;
	r->env->runtime->ops->list(r->env->runtime, on_list, r);
	stop_proxies(r);
}

static void
on_clean(void *ctx, int err, struct span why)
{
	struct ctl_reset *r;

	CAST_OBJ(r, ctx, RESET_MAGIC);
	warn("network", err, why);
	if (!r->env->warden)
		on_quiet(r);
}

struct ctl_reset *
ctl_reset_new(const struct ctl_env *env, void (*done)(void *ctx), void *ctx)
{
	struct ctl_reset *r;

	ALLOC_OBJ(r, RESET_MAGIC);
	r->env = env;
	r->done = done;
	r->ctx = ctx;
	env->net->ops->clean(env->net, on_clean, r);
	if (env->warden)
		warden_drain(env->warden, on_quiet, r);
	return r;
}

void
ctl_reset_cancel(struct ctl_reset *r)
{
	if (!r)
		return;
	CHECK_OBJ(r, RESET_MAGIC);
	r->cancelled = true;
}
