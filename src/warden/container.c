/* Containers: start, signal, remove, list; and finding those of before. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "warden/cgroup.h"
#include "warden/check.h"
#include "warden/container.h"
#include "warden/dirs.h"
#include "warden/job.h"
#include "warden/parts.h"

#define CODE_LOST 137 /* as if killed: its monitor is gone */

struct container *
container_find(struct host *h, struct span id)
{
	list_each(it, &h->containers->all) {
		struct container *c = list_entry(it, struct container, node);

		if (span_is(id, c->id))
			return c;
	}
	return NULL;
}

struct container *
container_new(struct host *h, struct span id, struct span task, int dir)
{
	struct container *c;

	ALLOC_OBJ(c, CONTAINER_MAGIC);
	c->host = h;
	c->id = xstrndup(id.p, id.n);
	c->task = xstrndup(task.p, task.n);
	c->dir = dir;
	c->monitor_fd = c->init_fd = -1;
	list_add(&h->containers->all, &c->node);
	return c;
}

static void
container_end(struct container *c)
{
	close_p(&c->dir);
	close_p(&c->monitor_fd);
	close_p(&c->init_fd);
	free(c->id);
	free(c->task);
	free(c->why);
	FREE_OBJ(c);
}

static void
on_closed(uv_handle_t *h)
{
	struct container *c;

	CAST_OBJ(c, h->data, CONTAINER_MAGIC);
	container_end(c);
}

void
container_free(struct container *c)
{
	list_del(&c->node);
	if (c->polling)
		uv_close((uv_handle_t *)&c->poll, on_closed);
	else
		container_end(c);
}

int
container_pidfd(pid_t pid)
{
	int fd;

	if (pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

/* Opens the first process, unless its number is another's by now: ours has
 * the monitor for a parent. */
static int
open_init(struct container *c)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", c->pid);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = container_pidfd(c->pid);
	int parent = 0;
	ptrdiff_t at;

	if (fd < 0)
		return fd == -ESRCH ? fd : err_origin(-fd, "pidfd");
	FILE *f = fopen(path, "re");
	if (f) {
		buf_reserve(&b, 1024);
		b.n = fread(b.p, 1, 1023, f);
		b.p[b.n] = '\0';
		fclose(f);
	}
	at = span_rchr(buf_span(&b), ')');
	if (at < 0 || sscanf(b.p + at + 1, " %*c %d", &parent) != 1 ||
	    parent != c->monitor)
		return -ESRCH;
	return TAKE_FD(fd);
}

int
container_read_state(struct container *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	intmax_t started;
	int pid, fd;

	if (dirs_read(c->dir, "state", 256, &b) < 0 ||
	    sscanf(buf_str(&b), "%d %jd", &pid, &started) != 2)
		return -ENOENT;
	c->pid = pid;
	c->started = started;
	fd = open_init(c);
	if (fd < 0 && fd != -ESRCH)
		return err_trace(fd);
	c->init_fd = fd < 0 ? -1 : fd;
	return 0;
}

static bool
read_exit(struct container *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	intmax_t at;
	int code, oom;

	if (dirs_read(c->dir, "exit", 256, &b) < 0 ||
	    sscanf(buf_str(&b), "%d %d %jd", &code, &oom, &at) != 3)
		return false;
	c->code = code;
	c->oom = oom != 0;
	c->at = at;
	return true;
}

static int
end_group(void *arg, int out UNUSED)
{
	struct container *c = arg;

	return cgroup_remove(c->host, span_of(c->task), span_of(c->id)) < 0;
}

static void
tell_exit(struct container *c)
{
	struct buf *b = host_event_begin(c->host, WARDEN_EXIT);

	msg_put_span(b, span_of(c->id));
	msg_put_u32(b, (uint32_t)c->code);
	msg_put_bool(b, c->oom);
	msg_put_u64(b, (uint64_t)c->at);
	host_event_end(c->host);
}

static void
ended(struct container *c)
{
	c->exited = true;
	close_p(&c->init_fd);
	if (c->removing)
		container_wipe(c);
	else
		tell_exit(c);
}

static void
on_group_ended(void *ctx, int status, struct span out UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct container *c = ctx;

	CHECK_OBJ(c, CONTAINER_MAGIC);
	if (status != 0)
		log_error("container %s: something of it lives on", c->id);
	c->lost = false;
	c->code = CODE_LOST;
	c->at = clock_ms();
	text = xasprintf("%d 0 %jd\n", CODE_LOST, (intmax_t)c->at);
	if (dirs_write(c->dir, "exit", span_of(text), 0600) < 0)
		log_warn("container %s: its exit is not kept, ignoring", c->id);
	ended(c);
}

void
container_conclude(struct container *c)
{
	struct job_spec job = {.run = end_group, .arg = c, .keep = true};

	if (read_exit(c)) {
		ended(c);
		return;
	}
	/* The monitor was killed: nobody knows how the container ends, so it
	 * ends now. */
	log_warn("container %s lost its monitor, ending it", c->id);
	c->lost = true;
	(void)container_signal(c, SIGKILL);
	if (job_start(c->host, &job, on_group_ended, c, NULL) < 0)
		on_group_ended(c, 1, SPAN_NULL);
}

static void
on_monitor_end(uv_poll_t *p, int status UNUSED, int events UNUSED)
{
	struct container *c;

	CAST_OBJ(c, p->data, CONTAINER_MAGIC);
	uv_poll_stop(p);
	container_conclude(c);
}

void
container_watch(struct container *c)
{
	AZ(uv_poll_init(c->host->loop, &c->poll, c->monitor_fd));
	c->poll.data = c;
	c->polling = true;
	AZ(uv_poll_start(&c->poll, UV_READABLE, on_monitor_end));
}

int
container_signal(struct container *c, int sig)
{
	if (c->init_fd < 0)
		return 0;
	if (syscall(SYS_pidfd_send_signal, c->init_fd, sig, NULL, 0) < 0 &&
	    errno != ESRCH)
		return err_origin(errno, "signal %d to %s", sig, c->id);
	return 0;
}

static int
wipe(void *arg, int out UNUSED)
{
	struct container *c = arg;
	_cleanup_free_ char *run = xasprintf("runtime/%s", c->id);
	int r, s;

	r = cgroup_remove(c->host, span_of(c->task), span_of(c->id));
	s = dirs_remove(c->host->containers->upper_dir, c->id);
	r = r ? r : s;
	s = dirs_remove(c->host->run_fd, run);
	r = r ? r : s;
	/* Last: while it is there, a new warden finds what is left to do. */
	s = r ? r : dirs_remove(c->host->containers->dir, c->id);
	return s < 0 ? 1 : 0;
}

static void
on_wiped(void *ctx, int status, struct span out UNUSED)
{
	struct container *c = ctx;
	struct request *q = TAKE_PTR(c->remove_req);

	CHECK_OBJ(c, CONTAINER_MAGIC);
	/* A start that failed is answered now: the next may follow at once. */
	if (c->start_req)
		request_fail(TAKE_PTR(c->start_req), EIO, "%s", c->why);
	if (status != 0) {
		c->removing = false;
		if (q)
			request_fail(q, EIO, "%s could not be removed whole",
			    c->id);
		return;
	}
	container_free(c);
	if (q)
		request_ok(q);
}

void
container_wipe(struct container *c)
{
	struct job_spec job = {.run = wipe, .arg = c, .keep = true};

	c->removing = true;
	if (job_start(c->host, &job, on_wiped, c, NULL) < 0)
		on_wiped(c, 1, SPAN_NULL);
}

static void
fail_start(struct container *c, struct span why)
{
	c->why = why.n ? xstrndup(why.p, why.n) : xstrdup("the monitor died");
	container_wipe(c);
}

/* The monitor's first answer: it runs, or why not. */
static void
on_started(void *ctx, int status UNUSED, struct span out)
{
	struct container *c = ctx;
	struct request *q;
	struct buf *b;

	CHECK_OBJ(c, CONTAINER_MAGIC);
	if (!span_starts(out, SPAN("ok "))) {
		fail_start(c, out);
		return;
	}
	if (c->monitor_fd < 0 || container_read_state(c) < 0) {
		fail_start(c, SPAN("the container's state is lost"));
		return;
	}
	c->starting = false;
	q = TAKE_PTR(c->start_req);
	b = request_begin(q);
	msg_put_u32(b, (uint32_t)c->pid);
	msg_put_u64(b, (uint64_t)c->started);
	request_end(q);
	container_watch(c);
}

static int
launch(struct container *c, const struct oci_spec *s, struct arena *a)
{
	struct host *h = c->host;
	const char *netns = arena_fmt(a, "/run/netns/%s-%.*s", h->instance,
	    SPAN_ARG(s->netns));
	_cleanup_close_ int ns = open(netns, O_RDONLY | O_CLOEXEC), log = -1;
	int r;

	if (ns < 0)
		return err_origin(errno, "network namespace %s", netns);
	/* Every start has a log of its own; one of the same id before us was
	 * read, or is given up. */
	r = dirs_remove(h->containers->log_dir, c->id);
	if (r == 0)
		r = dirs_make(h->containers->log_dir, c->id, 02750, h->uid,
		    h->gid, &log);
	if (r < 0)
		return err_trace(r);
	const char *argv[] = {arena_fmt(a, "%s/neargate-monitor",
				  h->libexec_dir), "--run", h->runtime,
	    arena_fmt(a, "%s/runtime", h->run_dir), c->id,
	    arena_fmt(a, "%zu", s->n_layers),
	    cgroup_oom_file(a, h, s->task, s->id), s->tty ? "1" : "0", NULL};
	int fds[] = {c->dir, log, ns, h->containers->runtime.fd};
	struct job_spec job = {.exec = argv, .fds = fds, .n_fds = 4,
	    .stays = true};

	r = job_start(h, &job, on_started, c, &c->monitor);
	if (r < 0)
		return err_trace(r);
	/* Now, while nobody can have reaped it. */
	c->monitor_fd = container_pidfd(c->monitor);
	return 0;
}

static void
answer_running(struct container *c, struct request *q)
{
	struct buf *b;

	if (c->starting || c->removing) {
		request_fail(q, EBUSY, "%s is being %s", c->id,
		    c->starting ? "started" : "removed");
		return;
	}
	b = request_begin(q);
	msg_put_u32(b, (uint32_t)c->pid);
	msg_put_u64(b, (uint64_t)c->started);
	request_end(q);
}

static int
start(struct host *h, struct request *q, struct msg_reader *m)
{
	struct arena *a = request_arena(q);
	const char *why;
	struct oci_spec s;
	struct container *c;
	int dir, r;

	r = oci_read(m, a, &s, &why);
	if (r < 0)
		return r;
	if (r == OCI_E_BAD) {
		request_fail(q, EINVAL, "%s", why);
		return 0;
	}
	c = container_find(h, s.id);
	if (c) {
		answer_running(c, q);
		return 0;
	}
	if (dirs_make(h->containers->dir, arena_str(a, s.id), 0700, 0, 0,
		&dir) < 0) {
		request_fail(q, EIO, "%s", err_last());
		return 0;
	}
	c = container_new(h, s.id, s.task, dir);
	c->start_req = q;
	c->starting = true;
	/* The lock goes to the monitor with the descriptor. */
	if (flock(dir, LOCK_EX | LOCK_NB) < 0 || container_prepare(c, &s) < 0 ||
	    launch(c, &s, a) < 0)
		fail_start(c, span_of(err_last()));
	return 0;
}

static int
kill_one(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span id = msg_span(m);
	uint32_t sig = msg_u32(m);
	struct container *c;

	if (!msg_ok(m))
		return -EBADMSG;
	c = container_find(h, id);
	if (sig == 0 || sig > (uint32_t)SIGRTMAX)
		request_fail(q, EINVAL, "signal %u", sig);
	else if (c && container_signal(c, (int)sig) < 0)
		request_fail(q, EIO, "%s", err_last());
	else
		request_ok(q);
	return 0;
}

static int
remove_one(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span id = msg_span(m);
	struct container *c;

	if (!msg_ok(m))
		return -EBADMSG;
	c = container_find(h, id);
	if (!c) {
		request_ok(q);
		return 0;
	}
	if (c->starting || c->removing) {
		request_fail(q, EBUSY, "%s is being %s", c->id,
		    c->starting ? "started" : "removed");
		return 0;
	}
	c->remove_req = q;
	c->removing = true;
	if (c->exited)
		container_wipe(c);
	else if (!c->lost && container_signal(c, SIGKILL) < 0)
		log_error("container %s: %s", c->id, err_last());
	/* Its end goes on with it. */
	return 0;
}

static int
list(struct host *h, struct request *q, struct msg_reader *m)
{
	uint32_t n = 0;
	struct buf *b;

	if (!msg_ok(m))
		return -EBADMSG;
	b = request_begin(q);
	list_each(it, &h->containers->all)
		n += !list_entry(it, struct container, node)->starting;
	msg_put_u32(b, n);
	list_each(it, &h->containers->all) {
		struct container *c = list_entry(it, struct container, node);

		if (c->starting)
			continue;
		msg_put_span(b, span_of(c->id));
		msg_put_span(b, span_of(c->task));
		msg_put_u32(b, c->exited ? 0 : (uint32_t)c->pid);
		msg_put_u64(b, (uint64_t)c->started);
		msg_put_bool(b, c->exited);
		msg_put_u32(b, (uint32_t)c->code);
		msg_put_bool(b, c->oom);
		msg_put_u64(b, (uint64_t)c->at);
	}
	request_end(q);
	return 0;
}

struct task_end {
	struct host *host;
	struct request *q;
	char *task;
};

/* A volume may hold anything. */
static int
end_task(void *arg, int out)
{
	struct task_end *t = arg;
	int r = cgroup_remove(t->host, span_of(t->task), SPAN_NULL);
	int s = dirs_remove(t->host->containers->volume_dir, t->task);

	if (r < 0 || s < 0)
		dprintf(out, "%s", err_last());
	return r < 0 || s < 0;
}

static void
on_task_ended(void *ctx, int status, struct span out)
{
	struct task_end *t = ctx;

	if (status == 0)
		request_ok(t->q);
	else
		request_fail(t->q, EIO, "%.*s", SPAN_ARG(out.n ? out :
		    SPAN("the task could not be removed whole")));
	free(t->task);
	free(t);
}

static int
task_remove(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span task = msg_span(m);
	struct task_end *t;

	if (!msg_ok(m))
		return -EBADMSG;
	if (!check_id(task)) {
		request_fail(q, EINVAL, "task id");
		return 0;
	}
	list_each(it, &h->containers->all)
		if (span_is(task,
			list_entry(it, struct container, node)->task)) {
			request_fail(q, EBUSY, "the task has containers");
			return 0;
		}
	t = xcalloc(1, sizeof(*t));
	*t = (struct task_end){h, q, xstrndup(task.p, task.n)};
	struct job_spec job = {.run = end_task, .arg = t, .keep = true};

	if (job_start(h, &job, on_task_ended, t, NULL) < 0)
		on_task_ended(t, 1, SPAN_NULL);
	return 0;
}

static const struct host_op ops[] = {
    {WARDEN_CONTAINER_START, "CONTAINER_START", start},
    {WARDEN_CONTAINER_KILL, "CONTAINER_KILL", kill_one},
    {WARDEN_CONTAINER_REMOVE, "CONTAINER_REMOVE", remove_one},
    {WARDEN_CONTAINER_EXEC, "CONTAINER_EXEC", container_exec},
    {WARDEN_CONTAINER_LIST, "CONTAINER_LIST", list},
    {WARDEN_TASK_REMOVE, "TASK_REMOVE", task_remove},
};

const struct host_part container_part = {.name = "containers", .ops = ops,
    .n_ops = ARRAY_SIZE(ops), .init = containers_init,
    .done = containers_done, .clean = containers_clean};
