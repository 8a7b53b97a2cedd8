/* Child processes that report through a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uthash.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/job.h"

#define JOB_MAGIC 0x70b50001u
#define OUT_FD	  3
#define FIRST_FD  4

struct job {
	unsigned magic;
	uv_poll_t poll;
	int fd;
	pid_t pid;
	bool reaped;
	bool stays;
	int status;
	struct buf out;
	job_done done;
	void *ctx;
	UT_hash_handle hh;
};

/* Children not reaped yet; of one process as the loop is. */
static struct job *jobs;

static void
on_closed(uv_handle_t *h)
{
	struct job *j;

	CAST_OBJ(j, h->data, JOB_MAGIC);
	close(j->fd);
	j->done(j->ctx, j->status, buf_span(&j->out));
	buf_done(&j->out);
	FREE_OBJ(j);
}

static void
finish(struct job *j)
{
	if (j->stays && !j->reaped)
		HASH_DEL(jobs, j); /* its owner watches it from here on */
	else if (!j->reaped)
		return;
	if (!uv_is_closing((uv_handle_t *)&j->poll))
		uv_close((uv_handle_t *)&j->poll, on_closed);
}

static void
on_readable(uv_poll_t *p, int status UNUSED, int events UNUSED)
{
	struct job *j;
	ssize_t n;

	CAST_OBJ(j, p->data, JOB_MAGIC);
	buf_reserve(&j->out, 4096);
	n = read(j->fd, j->out.p + j->out.n, 4096);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		if (j->out.n + (size_t)n <= JOB_MAX_OUT)
			j->out.n += (size_t)n;
		return;
	}
	uv_poll_stop(p);
	finish(j);
}

void
job_reaped(pid_t pid, int status)
{
	struct job *j;

	HASH_FIND(hh, jobs, &pid, sizeof(pid), j);
	if (!j)
		return; /* a monitor; its pidfd told already */
	HASH_DEL(jobs, j);
	j->reaped = true;
	j->status = status;
	/* Done when the pipe has been read to its end, too. */
	if (!uv_is_active((uv_handle_t *)&j->poll))
		finish(j);
}

/* Puts the child's descriptors where job.h says and closes all others. */
static int
move_fds(const struct job_spec *s, int out)
{
	/* First out of the way of the numbers they shall get. */
	int high[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int base = FIRST_FD + (int)s->n_fds;

	AN(s->n_fds <= ARRAY_SIZE(high));
	out = fcntl(out, F_DUPFD, base);
	for (size_t i = 0; i < s->n_fds; i++)
		if (s->fds[i] >= 0)
			high[i] = fcntl(s->fds[i], F_DUPFD, base);
	if (dup2(out, OUT_FD) < 0)
		return -errno;
	for (size_t i = 0; i < s->n_fds; i++) {
		close(FIRST_FD + (int)i);
		if (high[i] >= 0 && dup2(high[i], FIRST_FD + (int)i) < 0)
			return -errno;
	}
	if (close_range((unsigned)base, ~0u, 0) < 0)
		return -errno;
	return 0;
}

NORETURN static void
child(const struct job_spec *s, int out, pid_t parent)
{
	sigset_t none;
	int r;

	/* The next warden does it again; two must not meet. */
	if (s->run &&
	    (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(127);
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (s->keep)
		_exit(s->run(s->arg, out));
	r = move_fds(s, out);
	if (r == 0 && s->prepare)
		r = s->prepare(s->arg, OUT_FD);
	if (r < 0)
		_exit(127);
	if (s->run)
		_exit(s->run(s->arg, OUT_FD));
	execv(s->exec[0], (char *const *)s->exec);
	dprintf(OUT_FD, "%s: %s", s->exec[0], strerror(errno));
	_exit(127);
}

/* A child that only executes borrows our memory until then: copying the page
 * tables would take longer than all the rest.  No handler of ours may run in
 * it. */
static pid_t
spawn(const struct job_spec *s, int out)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = s->exec && !s->prepare ? vfork() : fork();
	if (pid == 0)
		child(s, out, parent);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

int
job_start(struct host *h, const struct job_spec *spec, job_done done, void *ctx,
    pid_t *ret_pid)
{
	struct job *j;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_origin(errno, "pipe");
	pid = spawn(spec, p[1]);
	close(p[1]);
	if (pid < 0) {
		close(p[0]);
		return err_origin(errno, "fork");
	}
	ALLOC_OBJ(j, JOB_MAGIC);
	j->fd = p[0];
	j->pid = pid;
	j->stays = spec->stays;
	j->done = done;
	j->ctx = ctx;
	fcntl(j->fd, F_SETFL, O_NONBLOCK);
	AZ(uv_poll_init(h->loop, &j->poll, j->fd));
	j->poll.data = j;
	AZ(uv_poll_start(&j->poll, UV_READABLE | UV_DISCONNECT, on_readable));
	HASH_ADD(hh, jobs, pid, sizeof(j->pid), j);
	if (ret_pid)
		*ret_pid = pid;
	return 0;
}
