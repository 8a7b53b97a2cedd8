/* monitor --exec: one more command in a running container, and its output.
 * monitor --init: the first process inside a container that asks for one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "warden/monitor.h"
#include "warden/proto.h"

enum { RESULT_FD = 3, DIR_FD = 4, MNT_FD = 5, RUNTIME_FD = 6 };
#define CODE_TIMEOUT   137
#define CODE_NOT_FOUND 127

NORETURN static void
answer(int code, struct span out)
{
	out = span_to(out, WARDEN_MAX_OUTPUT);
	dprintf(RESULT_FD, "%d\n%.*s", code, SPAN_ARG(out));
	_exit(0);
}

NORETURN static void
fail(const char *what)
{
	dprintf(RESULT_FD, "!%s: %s", what, strerror(errno));
	_exit(1);
}

static pid_t
spawn(char **argv, int runtime, const char *pid_file, int out)
{
	const char *crun[] = {argv[0], "--root", argv[1], "exec", "--detach",
	    "--pid-file", pid_file, "--process", argv[4], argv[2], NULL};
	pid_t child = fork();
	int null;

	if (child != 0)
		return child;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	monitor_exec_runtime(runtime, crun);
}

static pid_t
read_pid(const char *name)
{
	FILE *f = fopen(name, "re");
	int pid = 0;

	if (f) {
		if (fscanf(f, "%d", &pid) != 1)
			pid = 0;
		fclose(f);
	}
	unlink(name);
	return pid;
}

static void
take(int fd, struct buf *out)
{
	unsigned char c[1024];
	ssize_t n;

	while ((n = read(fd, c, sizeof(c))) > 0)
		if (out->n < WARDEN_MAX_OUTPUT)
			buf_add(out, c, (size_t)n);
}

static int
code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* Reads output until pid ended, or kills it when the time is over. */
NORETURN static void
attend(pid_t pid, int out, int64_t deadline_us, struct buf *text)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	bool late = false;

	for (;;) {
		struct pollfd p[] = {{.fd = pidfd, .events = POLLIN},
		    {.fd = out, .events = POLLIN}};
		int64_t left = (deadline_us - clock_mono_us() + 999) / 1000;

		poll(p, 2, late ? -1 : (int)MAX(left, 0));
		take(out, text);
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		if (!late && clock_mono_us() >= deadline_us) {
			kill(pid, SIGKILL);
			late = true;
		}
		/* It closed its output and goes on: watch only its end. */
		if ((p[1].revents & (POLLHUP | POLLIN)) == POLLHUP)
			out = -1;
	}
	take(out, text);
	answer(late ? CODE_TIMEOUT : code_of(status), buf_span(text));
}

/* argv: CRUN ROOT ID TIMEOUT_MS FILE */
int
monitor_exec(char **argv)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_free_ char *pid_file = xasprintf("%s.pid", argv[4]);
	int64_t deadline = clock_mono_us() + strtoll(argv[3], NULL, 10) * 1000;
	int p[2], status, runtime = monitor_runtime(RUNTIME_FD);
	pid_t crun, pid;

	for (int fd = RESULT_FD; fd <= MNT_FD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (setns(MNT_FD, CLONE_NEWNS) < 0 || fchdir(DIR_FD) < 0)
		fail("the container's mounts");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
	    pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		fail("pipe");
	/* The command's own end blocks, as programs expect. */
	fcntl(p[1], F_SETFL, 0);
	crun = spawn(argv, runtime, pid_file, p[1]);
	close(p[1]);
	if (crun < 0 || waitpid(crun, &status, 0) != crun)
		fail("crun exec");
	unlink(argv[4]);
	pid = read_pid(pid_file);
	if (status != 0 || pid <= 0 || !monitor_inherit(pid)) {
		take(p[0], &text);
		answer(CODE_NOT_FOUND, span_trim(buf_span(&text)));
	}
	attend(pid, p[0], deadline, &text);
}

/* argv: -- PROGRAM ARGS */
int
monitor_init(char **argv)
{
	struct signalfd_siginfo si;
	sigset_t all, old;
	pid_t child, p;
	int fd, status;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	fd = signalfd(-1, &all, SFD_CLOEXEC);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		sigprocmask(SIG_SETMASK, &old, NULL);
		execvp(argv[1], argv + 1);
		fprintf(stderr, "exec: \"%s\": %s\n", argv[1], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (child > 0 && read(fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGCHLD) {
			kill(child, (int)si.ssi_signo);
			continue;
		}
		while ((p = waitpid(-1, &status, WNOHANG)) > 0)
			if (p == child)
				return code_of(status);
	}
	return 1;
}
