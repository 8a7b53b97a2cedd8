/* Starts and supervises neargated; owns the loop and the signals. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "warden/cgroup.h"
#include "warden/dirs.h"
#include "warden/job.h"
#include "warden/keeper.h"
#include "warden/link.h"

#define DAEMON_FD	3
#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	10000
#define STEADY_MS	30000
#define STOP_MS		10000
#define EXIT_USAGE	2
#define DOWN_TRIES	150
#define DOWN_WAIT_US	100000

struct keeper {
	struct keeper_config *config;
	uv_signal_t chld, term, intr;
	uv_timer_t timer;
	pid_t pid; /* neargated; 0 while there is none */
	int64_t started;
	unsigned starts;
	uint64_t backoff;
	bool stopping;
	bool heard; /* neargated, once, has asked something: it can run */
	int code;
};

/* The signal callbacks' own; there is one keeper in a process. */
static struct keeper keeper;

/* In a directory like /tmp somebody else may have been there first. */
static int
open_dir(const char *path, mode_t mode, gid_t gid)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_origin(errno, "mkdir %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_origin(errno, "directory %s", path);
	if (st.st_uid != 0)
		return err_origin(EPERM, "directory %s is not root's", path);
	if (fchown(fd, 0, gid) < 0 || fchmod(fd, mode) < 0)
		return err_origin(errno, "directory %s", path);
	return TAKE_FD(fd);
}

/* state_dir is root's with the sticky bit: neargated makes its own files there
 * and cannot replace ours. */
static int
open_dirs(struct host *h)
{
	int r;

	h->run_fd = open_dir(h->run_dir, 0755, 0);
	if (h->run_fd < 0)
		return err_trace(h->run_fd);
	h->state_fd = open_dir(h->state_dir, 01770, h->gid);
	if (h->state_fd < 0)
		return err_trace(h->state_fd);
	r = dirs_make(h->state_fd, "layers", 0750, 0, h->gid, NULL);
	if (r == 0)
		r = dirs_make(h->run_fd, "lb", 0750, h->uid, h->gid, NULL);
	return err_trace(r);
}

/* Held until the process ends; its content is our number. */
static int
take_lock(struct host *h)
{
	int fd = openat(h->run_fd, "warden.pid",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_origin(errno, "warden.pid");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_origin(errno, "instance %s runs already",
		    h->instance);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", getpid()) < 0)
		return err_origin(errno, "warden.pid");
	return 0;
}

NORETURN static void
become_daemon(const struct keeper_config *k, int fd)
{
	const struct host *h = &k->host;
	const char **argv = xcalloc(k->n_args + 14, sizeof(*argv));
	sigset_t none;
	size_t n = 0;
	int program;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	argv[n++] = k->daemon;
	argv[n++] = "--instance";
	argv[n++] = h->instance;
	argv[n++] = "--state-dir";
	argv[n++] = h->state_dir;
	argv[n++] = "--run-dir";
	argv[n++] = h->run_dir;
	argv[n++] = "--warden-fd";
	argv[n++] = xasprintf("%d", DAEMON_FD);
	for (size_t i = 0; i < k->n_args; i++)
		argv[n++] = k->args[i];
	/* Its own session: a ^C reaches it through us alone. */
	setsid();
	/* Opened by root: a build tree may be closed to the user. */
	program = open(k->daemon, O_PATH | O_CLOEXEC);
	if (program >= 0 && program <= DAEMON_FD)
		program = fcntl(program, F_DUPFD_CLOEXEC, DAEMON_FD + 1);
	if (fd == DAEMON_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, DAEMON_FD) < 0)
		_exit(126);
	close_range(DAEMON_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	if (setgroups(0, NULL) < 0 || setresgid(h->gid, h->gid, h->gid) < 0 ||
	    setresuid(h->uid, h->uid, h->uid) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(126);
	execv(k->daemon, (char *const *)argv);
	if (errno == EACCES)
		fexecve(program, (char *const *)argv, environ);
	log_error("%s: %s", k->daemon, strerror(errno));
	_exit(126);
}

static void on_timer(uv_timer_t *t);

static void
drop_link(void)
{
	struct link *l = keeper.config->host.link;

	keeper.heard |= l && link_heard(l);
	link_free(l);
}

/* neargated closed its end, or sent what does not decode. */
static void
on_link_lost(struct host *h UNUSED)
{
	drop_link();
	if (keeper.pid > 0) {
		kill(keeper.pid, SIGTERM);
		uv_timer_start(&keeper.timer, on_timer, STOP_MS, 0);
	}
}

static int
start_daemon(void)
{
	struct keeper_config *k = keeper.config;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_origin(errno, "socketpair");
	pid = fork();
	if (pid == 0)
		become_daemon(k, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_origin(errno, "fork");
	}
	keeper.pid = pid;
	keeper.starts++;
	keeper.started = clock_ms();
	return err_trace(link_new(&k->host, fds[0], on_link_lost));
}

static void
on_timer(uv_timer_t *t UNUSED)
{
	if (keeper.pid > 0) {
		log_warn("neargated does not end, killing it");
		kill(keeper.pid, SIGKILL);
	} else if (start_daemon() < 0) {
		uv_timer_start(&keeper.timer, on_timer, keeper.backoff, 0);
	}
}

static void
stop_loop(int code)
{
	keeper.code = code;
	uv_stop(keeper.config->host.loop);
}

static void
daemon_ended(int status)
{
	int64_t lived = clock_ms() - keeper.started;
	bool clean = WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
	    WEXITSTATUS(status) == EXIT_USAGE);

	keeper.pid = 0;
	uv_timer_stop(&keeper.timer);
	drop_link();
	/* It could not even start: whoever started us shall hear of it. */
	if (keeper.starts == 1 && WIFEXITED(status) && !keeper.heard)
		clean = true;
	if (keeper.stopping || clean) {
		stop_loop(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
		return;
	}
	keeper.backoff = lived > STEADY_MS || !keeper.backoff
	    ? BACKOFF_MIN_MS : MIN(keeper.backoff * 2, BACKOFF_MAX_MS);
	log_warn("neargated ended with status %x, again in %ju ms", status,
	    (uintmax_t)keeper.backoff);
	uv_timer_start(&keeper.timer, on_timer, keeper.backoff, 0);
}

static void
on_chld(uv_signal_t *s UNUSED, int signum UNUSED)
{
	int status;
	pid_t pid;

	/* The one place that reaps: two would take each other's children. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == keeper.pid)
			daemon_ended(status);
		else
			job_reaped(pid, status);
	}
}

static void
on_term(uv_signal_t *s UNUSED, int signum UNUSED)
{
	keeper.stopping = true;
	if (keeper.pid <= 0) {
		stop_loop(0);
		return;
	}
	kill(keeper.pid, SIGTERM);
	uv_timer_start(&keeper.timer, on_timer, STOP_MS, 0);
}

static int
init_parts(struct host *h)
{
	int r;

	for (const struct host_part *const *p = host_parts; *p; p++) {
		r = (*p)->init ? (*p)->init(h) : 0;
		if (r < 0)
			return err_origin(-r, "the %s could not be taken over",
			    (*p)->name);
	}
	return 0;
}

/* Each container takes three descriptors. */
static void
raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int
prepare(struct keeper_config *k)
{
	struct host *h = &k->host;
	int r;

	h->magic = HOST_MAGIC;
	h->cgroups = cgroup_mode();
	raise_files();
	umask(0022);
	signal(SIGPIPE, SIG_IGN);
	r = open_dirs(h);
	if (r == 0)
		r = take_lock(h);
	return err_trace(r);
}

int
keeper_run(struct keeper_config *k)
{
	static uv_loop_t loop; /* as long as the process */
	int r;

	if (prepare(k) < 0)
		return 1;
	AZ(uv_loop_init(&loop));
	k->host.loop = &loop;
	keeper.config = k;
	AZ(uv_signal_init(&loop, &keeper.chld));
	AZ(uv_signal_init(&loop, &keeper.term));
	AZ(uv_signal_init(&loop, &keeper.intr));
	AZ(uv_timer_init(&loop, &keeper.timer));
	AZ(uv_signal_start(&keeper.chld, on_chld, SIGCHLD));
	AZ(uv_signal_start(&keeper.term, on_term, SIGTERM));
	AZ(uv_signal_start(&keeper.intr, on_term, SIGINT));
	cgroup_moves_begin(&k->host);
	r = init_parts(&k->host);
	if (r == 0)
		r = start_daemon();
	if (r < 0) {
		cgroup_moves_end(&k->host);
		return 1;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (const struct host_part *const *p = host_parts; *p; p++)
		if ((*p)->done)
			(*p)->done(&k->host);
	cgroup_moves_end(&k->host);
	return keeper.code;
}

/* Asks a warden that runs to end, and waits until it has. */
static int
end_running(struct host *h)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = dirs_open(h->run_fd, "warden.pid", O_RDWR);
	pid_t pid;

	if (fd < 0)
		return 0;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		buf_clear(&b);
		if (i == DOWN_TRIES ||
		    dirs_read(h->run_fd, "warden.pid", 32, &b) < 0)
			return err_origin(EBUSY, "the warden does not end");
		pid = (pid_t)strtol(buf_str(&b), NULL, 10);
		if (i == 0 && pid > 1)
			kill(pid, SIGTERM);
		/* It is not our child; the lock has no event. */
		usleep(DOWN_WAIT_US);
	}
	return 0;
}

int
keeper_down(struct keeper_config *k)
{
	const struct host_part *const *last;
	struct host *h = &k->host;
	/* Namespaces, groups and processes are found without it. */
	bool had_state = access(h->state_dir, F_OK) == 0;
	int r, s;

	h->magic = HOST_MAGIC;
	h->moves_fd = -1;
	h->cgroups = cgroup_mode();
	if (open_dirs(h) < 0 || end_running(h) < 0)
		return 1;
	r = take_lock(h);
	for (last = host_parts; *last; last++)
		;
	while (last-- > host_parts) {
		s = (*last)->clean ? (*last)->clean(h) : 0;
		r = r ? r : s;
	}
	cgroup_moves_end(h);
	s = dirs_remove(h->run_fd, "lb");
	r = r ? r : s;
	s = dirs_remove(AT_FDCWD, h->run_dir);
	r = r ? r : s;
	if (k->purge || !had_state) {
		s = dirs_remove(AT_FDCWD, h->state_dir);
		r = r ? r : s;
	}
	return r < 0 ? 1 : 0;
}
