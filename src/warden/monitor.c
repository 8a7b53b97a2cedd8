/*
 * monitor --run: mounts the container's root where nobody else sees it, has
 * crun start the container, and stays as the parent of its first process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/buf.h"
#include "warden/logseg.h"
#include "warden/monitor.h"

enum { RESULT_FD = 3, DIR_FD = 4, LOG_FD = 5, NETNS_FD = 6, RUNTIME_FD = 7 };

/* crun before 1.9 refuses to start where it sees this. */
#define HYBRID "/sys/fs/cgroup/unified"
/* Of `-o lowerdir=0:1:…`; the names are links made by the warden. */
#define OVERLAY_REST ",upperdir=u,workdir=w,userxattr,volatile"
/* The most that a pipe holds without privileges. */
#define REST_MAX (1u << 20)

struct monitor {
	const char *crun, *root, *id, *oom_file;
	int layers;
	bool tty;
	int out, err; /* the container's output; -1: closed */
	int console;  /* listening, for a tty */
	int runtime;  /* its program; -1: by its path */
	int signals;
	int watch; /* inotify on the log directory */
	pid_t pid, init; /* ours, the container's */
	int status;
	bool ended;
	struct logseg log;
};

NORETURN static void
fail(const char *what)
{
	dprintf(RESULT_FD, "%s: %s", what, strerror(errno));
	_exit(1);
}

/* Slave, not private: what the host unmounts later must go here, too. */
static void
own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		fail("mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		fail("mount propagation");
	if (umount2(HYBRID, MNT_DETACH) < 0 && errno != EINVAL &&
	    errno != ENOENT)
		fail(HYBRID);
	/* Else every namespace made later would be mounted here as well. */
	if (umount2("/run/netns", MNT_DETACH) < 0 && errno != EINVAL &&
	    errno != ENOENT)
		fail("/run/netns");
}

/* The working directory is still of the old namespace, where we may not
 * mount: go there again by its name. */
static void
enter_again(void)
{
	_cleanup_free_ char *path = xcalloc(1, PATH_MAX);

	if (!getcwd(path, PATH_MAX) || chdir(path) < 0)
		fail("container directory");
}

static void
mount_root(const struct monitor *m)
{
	_cleanup_(buf_done) struct buf o = BUF_INIT;

	buf_add_str(&o, "lowerdir=");
	for (int i = 0; i < m->layers; i++)
		buf_addf(&o, "%s%d", i ? ":" : "", i);
	buf_add_str(&o, OVERLAY_REST);
	if (chdir("l") < 0)
		fail("layers");
	if (mount("overlay", "../rootfs", "overlay", 0, buf_str(&o)) < 0)
		fail("root file system");
	if (chdir("..") < 0)
		fail("layers");
}

static int
console_listen(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX,
	    .sun_path = "console.sock"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 1) < 0)
		fail("console");
	return fd;
}

/* crun sends the terminal's master end. */
static int
console_receive(int listening)
{
	union {
		struct cmsghdr head;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	unsigned char byte[64];
	struct iovec iov = {byte, sizeof(byte)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control)};
	_cleanup_close_ int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	struct cmsghdr *c;
	int got = -1;

	if (fd < 0 || recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) < 0)
		fail("console");
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		fail("console");
	memcpy(&got, CMSG_DATA(c), sizeof(got));
	return got;
}

int
monitor_runtime(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : fd;
}

void
monitor_exec_runtime(int fd, const char *const *argv)
{
	char *const *v = (char *const *)argv;

	/* By its path where there is no descriptor, or programs in memory are
	 * not welcome. */
	execveat(fd, "", v, environ, AT_EMPTY_PATH);
	execv(v[0], v);
	_exit(127);
}

bool
monitor_inherit(pid_t pid)
{
	siginfo_t si;

	while (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0) {
		if (waitid(P_ALL, 0, &si, WEXITED | WNOWAIT) < 0) {
			if (errno != EINTR)
				return false;
		} else if (si.si_pid != pid) {
			waitpid(si.si_pid, NULL, WNOHANG);
		}
	}
	return true;
}

NORETURN static void
exec_crun(const struct monitor *m, int out, int err)
{
	const char *argv[20];
	int n = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* Without us it must not go on: nobody would know of what it makes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != m->pid)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, 0);
	dup2(out >= 0 ? out : null, 1);
	dup2(err >= 0 ? err : null, 2);
	argv[n++] = m->crun;
	argv[n++] = "--root";
	argv[n++] = m->root;
	argv[n++] = "--log";
	argv[n++] = "runtime.log";
	argv[n++] = "run";
	argv[n++] = "--detach";
	argv[n++] = "--bundle";
	argv[n++] = ".";
	argv[n++] = "--pid-file";
	argv[n++] = "pid";
	if (m->tty) {
		argv[n++] = "--console-socket";
		argv[n++] = "console.sock";
	}
	argv[n++] = m->id;
	argv[n] = NULL;
	fcntl(NETNS_FD, F_SETFD, 0);
	monitor_exec_runtime(m->runtime, argv);
}

static void
slurp(const char *name, struct buf *b)
{
	_cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf_reserve(b, 4096);
	n = fd < 0 ? -1 : read(fd, b->p, 4095);
	b->n = n < 0 ? 0 : (size_t)n;
	b->p[b->n] = '\0';
}

/* crun logs "2026-…Z: text" or bare text; the last line says why. */
NORETURN static void
fail_crun(int status)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s;
	ptrdiff_t at;

	slurp("runtime.log", &b);
	s = span_trim(buf_span(&b));
	at = span_rchr(s, '\n');
	s = span_from(s, (size_t)(at + 1));
	at = span_find(s, SPAN("Z: "));
	if (at >= 0)
		s = span_from(s, (size_t)at + 3);
	if (s.n)
		dprintf(RESULT_FD, "%.*s", SPAN_ARG(s));
	else
		dprintf(RESULT_FD, "the runtime ended with status %x", status);
	_exit(1);
}

static void
write_file(const char *name, const char *tmp, const char *text)
{
	_cleanup_close_ int fd =
	    open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	/* A full /run loses the exit code; the warden then says 137. */
	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		(void)!rename(tmp, name);
}

static void
start(struct monitor *m)
{
	_cleanup_(buf_done) struct buf pid = BUF_INIT;
	int o[2] = {-1, -1}, e[2] = {-1, -1}, status = -1;
	int64_t now;
	pid_t child;

	if (m->tty)
		m->console = console_listen();
	else if (pipe2(o, O_CLOEXEC) < 0 || pipe2(e, O_CLOEXEC) < 0)
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		exec_crun(m, o[1], e[1]);
	close(o[1]);
	close(e[1]);
	m->out = o[0];
	m->err = e[0];
	/* Only this one: which of the others is the container is not known
	 * yet. */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		fail_crun(status);
	if (m->tty) {
		m->out = console_receive(m->console);
		close(m->console);
	}
	slurp("pid", &pid);
	m->init = (pid_t)strtol(buf_str(&pid), NULL, 10);
	if (!monitor_inherit(m->init))
		fail("the container's first process");
	now = clock_ms();
	_cleanup_free_ char *text = xasprintf("%d %jd\n", m->init,
	    (intmax_t)now);
	write_file("state", "state.tmp", text);
	dprintf(RESULT_FD, "ok %d %jd", m->init, (intmax_t)now);
	close(RESULT_FD);
	close(NETNS_FD);
	close_p(&m->runtime);
}

static void
reap(struct monitor *m)
{
	struct signalfd_siginfo si;
	int status;
	pid_t p;

	(void)!read(m->signals, &si, sizeof(si));
	while ((p = waitpid(-1, &status, WNOHANG)) > 0)
		if (p == m->init) {
			m->status = status;
			m->ended = true;
		}
}

/* Takes what a stream has; closes it at its end.  How much it was. */
static size_t
take(struct monitor *m, int *fd, char stream)
{
	static unsigned char chunk[16 << 10];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0) {
		/* A full disk loses lines; it must not stop the container. */
		(void)logseg_add(&m->log, stream, (const char *)chunk,
		    (size_t)n, clock_ms());
		return (size_t)n;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_p(fd);
	return 0;
}

/* What the container left in a stream when it ended.  Somebody else may hold
 * the other end and write for ever: not more than a pipe holds. */
static void
take_rest(struct monitor *m, int *fd, char stream)
{
	size_t left = REST_MAX, n;

	while (*fd >= 0 && left > 0) {
		struct pollfd p = {.fd = *fd, .events = POLLIN};

		if (poll(&p, 1, 0) <= 0)
			return;
		n = take(m, fd, stream);
		left -= MIN(left, n);
	}
}

static void
drain_watch(struct monitor *m)
{
	static unsigned char events[4096];

	while (read(m->watch, events, sizeof(events)) > 0)
		;
}

/* Until the container has ended.  When the reader is far behind, the output
 * waits, but not the exit. */
static void
serve(struct monitor *m)
{
	while (!m->ended) {
		bool full = logseg_full(&m->log);
		struct pollfd p[] = {
		    {.fd = full ? -1 : m->out, .events = POLLIN},
		    {.fd = full ? -1 : m->err, .events = POLLIN},
		    {.fd = m->signals, .events = POLLIN},
		    {.fd = full ? m->watch : -1, .events = POLLIN},
		};

		/* Ending without a word makes the warden end the container. */
		if ((poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR) ||
		    ((p[2].revents | p[3].revents) & ~POLLIN))
			_exit(1);
		if (p[2].revents)
			reap(m);
		if (p[3].revents)
			drain_watch(m);
		if (p[0].revents)
			take(m, &m->out, 'o');
		if (p[1].revents)
			take(m, &m->err, 'e');
	}
	take_rest(m, &m->out, 'o');
	take_rest(m, &m->err, 'e');
}

/* "oom_kill N" in either cgroup version's file. */
static bool
was_oom(const struct monitor *m)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	ptrdiff_t at;

	slurp(m->oom_file, &b);
	at = span_find(buf_span(&b), SPAN("oom_kill "));
	return at >= 0 && b.p[at + 9] != '0';
}

static void
write_exit(const struct monitor *m)
{
	int code = WIFSIGNALED(m->status) ? 128 + WTERMSIG(m->status)
					  : WEXITSTATUS(m->status);
	_cleanup_free_ char *text = xasprintf("%d %d %jd\n", code,
	    code == 137 && was_oom(m), (intmax_t)clock_ms());

	write_file("exit", "exit.tmp", text);
}

int
monitor_run(char **argv)
{
	struct monitor m = {.crun = argv[0], .root = argv[1], .id = argv[2],
	    .layers = (int)strtol(argv[3], NULL, 10), .oom_file = argv[4],
	    .tty = argv[5][0] == '1', .pid = getpid(), .out = -1, .err = -1, .console = -1};
	_cleanup_free_ char *pid = xasprintf("%d\n", m.pid);
	_cleanup_free_ char *logs = xasprintf("/proc/self/fd/%d", LOG_FD);
	sigset_t chld;

	setsid();
	for (int fd = RESULT_FD; fd <= NETNS_FD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	m.runtime = monitor_runtime(RUNTIME_FD);
	signal(SIGPIPE, SIG_IGN);
	umask(0022);
	if (fchdir(DIR_FD) < 0)
		fail("container directory");
	write_file("monitor", "monitor.tmp", pid);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		fail("subreaper");
	own_mounts();
	enter_again();
	mount_root(&m);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	m.signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	m.watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(m.watch, logs, IN_DELETE);
	umask(0027);
	logseg_init(&m.log, LOG_FD);
	start(&m);
	serve(&m);
	write_exit(&m);
	logseg_end(&m.log, clock_ms());
	return 0;
}
