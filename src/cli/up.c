/* neargate up: starts the warden and waits until neargated answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"
#include "cli/env.h"
#include "cli/local.h"
#include "cli/up.h"

#define USER	  "neargate"
#define READY_MS  60000
#define LOG_MAX	  (16 << 20)
#define TAIL_MAX  (16 << 10)

enum { UP_E_ENDED = 1, UP_E_LATE };

/* --- before ------------------------------------------------------------- */

static int
ensure_user(struct passwd **ret)
{
	static const char *const argv[] = {"/usr/sbin/useradd", "--system",
	    "--no-create-home", "--home-dir", "/nonexistent", "--shell",
	    "/usr/sbin/nologin", USER, NULL};
	struct passwd *pw = getpwnam(USER);
	int r;

	if (!pw) {
		r = run_program(argv);
		if (r)
			return err_origin(EIO, "the system user " USER
			    " cannot be made: useradd says %d", r);
		cli_say("made the system user " USER);
		pw = getpwnam(USER);
	}
	if (!pw || pw->pw_uid == 0)
		return err_origin(EINVAL, "user " USER " is unknown, or root");
	*ret = pw;
	return 0;
}

static int
check_programs(void)
{
	static const struct {
		const char *const *paths;
		const char *package;
	} rows[] = {
		{cli_runtimes, "crun"}, {cli_haproxies, "haproxy"},
		{cli_nfts, "nftables"},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!cli_find(rows[i].paths))
			buf_addf(&b, " %s", rows[i].package);
	if (b.n)
		return err_origin(ENOENT, "missing programs; get them by: "
		    "apt-get install%s", buf_str(&b));
	return 0;
}

static int
check_edge(const char *option, const char *port)
{
	struct span s = span_of(port);
	uint64_t n;

	if (!s.p || span_is(s, "auto") ||
	    (span_u64(s, &n) && n > 0 && n <= UINT16_MAX))
		return 0;
	return err_origin(EINVAL, "%s %s: neither a port nor auto", option,
	    port);
}

static int
check_words(const struct cli *c, const char *listen)
{
	struct span s = span_of(listen), account = span_of(c->account);
	ptrdiff_t colon = span_rchr(s, ':');
	uint64_t n;
	int e;

	if (colon <= 0 || !span_u64(span_from(s, (size_t)colon + 1), &n) ||
	    n > UINT16_MAX)
		return err_origin(EINVAL, "--listen %s: not ADDRESS:PORT",
		    listen);
	if (account.p && (account.n != 12 || !span_u64(account, &n)))
		return err_origin(EINVAL, "--account %s: not 12 digits",
		    c->account);
	e = check_edge("--edge-port", c->edge_port);
	return e ? e : check_edge("--edge-https-port", c->edge_https_port);
}

/* It has to stay the same when neargated starts anew, so neargated cannot
 * choose. */
static int
free_port(struct cli *c, const char **ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		return err_origin(errno, "no free port: %s", strerror(errno));
	*ret = arena_fmt(c->a, "127.0.0.1:%u", ntohs(in.sin_port));
	return 0;
}

/* Of one length, so that none begins another's interface names. */
static const char *
fresh_name(struct cli *c)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char u[4];
	char *name;

	do {
		random_bytes(u, sizeof(u));
		name = arena_fmt(c->a, "ng%c%c%c%c", digits[u[0] % 26],
		    digits[u[1] % 36], digits[u[2] % 36], digits[u[3] % 36]);
	} while (access(arena_fmt(c->a, "/run/neargate-%s", name), F_OK) == 0);
	return name;
}

static int
settle(struct cli *c, struct instance *ret)
{
	int r;

	if (c->ephemeral && !c->instance)
		c->instance = fresh_name(c);
	if ((r = instance_load(c, ret)) < 0)
		return err_trace(r);
	if (!ret->listen && (c->ephemeral || ret->ephemeral)) {
		if ((r = free_port(c, &ret->listen)) < 0)
			return err_trace(r);
	} else if (!ret->listen) {
		ret->listen = "127.0.0.1:4566";
	}
	return err_trace(check_words(c, ret->listen));
}

/* What was there before is somebody's, and is never made to go. */
static int
make_state(struct cli *c, struct instance *in)
{
	const char *mark = arena_fmt(c->a, "%s/ephemeral", in->state_dir);
	bool made = mkdir(in->state_dir, 0700) == 0;
	_cleanup_close_ int fd = -1;

	if (!made && errno != EEXIST)
		return err_origin(errno, "mkdir %s: %s", in->state_dir,
		    strerror(errno));
	if (!c->ephemeral || in->ephemeral)
		return 0;
	if (!made)
		return err_origin(EEXIST, "--ephemeral: %s is there already "
		    "and was not made to be thrown away", in->state_dir);
	fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_origin(errno, "%s: %s", mark, strerror(errno));
	in->ephemeral = true;
	return 0;
}

static int
make_dirs(struct cli *c, struct instance *in, const struct passwd *pw)
{
	int r = make_state(c, in);

	if (r < 0)
		return err_trace(r);
	if ((mkdir(in->daemon_dir, 0700) < 0 && errno != EEXIST) ||
	    lchown(in->daemon_dir, pw->pw_uid, pw->pw_gid) < 0)
		return err_origin(errno, "%s: %s", in->daemon_dir,
		    strerror(errno));
	return 0;
}

/* Only root's own file: others may write into the state directory. */
static int
open_log(struct cli *c, struct instance *in, int *ret_fd)
{
	const char *path = arena_fmt(c->a, "%s/neargate.log", in->state_dir);
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_close_ int fd = open(path, flags, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != 0 || st.st_nlink != 1 || st.st_size > LOG_MAX) {
		if (rename(path, arena_fmt(c->a, "%s.1", path)) < 0)
			return err_origin(errno, "%s: %s", path,
			    strerror(errno));
		close(fd);
		fd = open(path, flags | O_EXCL, 0600);
		if (fd < 0)
			return err_origin(errno, "%s: %s", path,
			    strerror(errno));
	}
	in->log = path;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- the warden --------------------------------------------------------- */

static const char *const *
warden_args(struct cli *c, const struct instance *in)
{
	const char **v = arena_array(c->a, const char *, 24);
	size_t n = 0;

	v[n++] = cli_program(c, "neargate-warden");
	v[n++] = "--instance";
	v[n++] = in->name;
	v[n++] = "--run-dir";
	v[n++] = in->run_dir;
	v[n++] = "--state-dir";
	v[n++] = in->state_dir;
	v[n++] = "--listen";
	v[n++] = in->listen;
	v[n++] = "--port-file";
	v[n++] = arena_fmt(c->a, "%s/port", in->daemon_dir);
	v[n++] = "--admin";
	v[n++] = in->socket;
	if (c->edge_port || strcmp(in->name, "ng0")) {
		v[n++] = "--edge-http-port";
		v[n++] = c->edge_port ? c->edge_port : "auto";
	}
	if (c->edge_https_port) {
		v[n++] = "--edge-https-port";
		v[n++] = c->edge_https_port;
	}
	if (in->ephemeral)
		v[n++] = "--ephemeral";
	return v;
}

/* What may be a secret goes by the environment. */
static void
set_environment(const struct cli *c)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{"NEARGATE_ACCOUNT", c->account},
		{"NEARGATE_ROOT_ACCESS_KEY", c->access_key},
		{"NEARGATE_ROOT_SECRET_KEY", c->secret_key},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value)
			setenv(rows[i].name, rows[i].value, 1);
}

NORETURN static void
become_warden(struct cli *c, const struct instance *in, int log)
{
	const char *const *argv = warden_args(c, in);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_environment(c);
	if (null < 0 || dup2(null, 0) < 0 ||
	    (log >= 0 && (dup2(log, 1) < 0 || dup2(log, 2) < 0)))
		_exit(126);
	if (log >= 0) {
		setsid();
		/* Nobody waits for the end of a pipe that we were left, and
		 * no working directory is kept from being unmounted. */
		if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ||
		    chdir("/") < 0)
			_exit(126);
	}
	execv(argv[0], (char *const *)argv);
	cli_fail("%s: %s", argv[0], strerror(errno));
	_exit(126);
}

/* --- readiness ---------------------------------------------------------- */

static int
watch(const struct instance *in, int *ret_fd)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, in->daemon_dir, IN_MOVED_TO) < 0)
		return err_origin(errno, "inotify: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* neargated renames its port file into place when all of it is ready. */
static bool
saw_port(int fd)
{
	union {
		struct inotify_event e;
		char bytes[4096];
	} u;
	const struct inotify_event *e;
	bool seen = false;
	ssize_t n;

	while ((n = read(fd, u.bytes, sizeof(u.bytes))) > 0)
		for (char *p = u.bytes; p < u.bytes + n;
		    p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(void *)p;
			seen |= e->len && !strcmp(e->name, "port");
		}
	return seen;
}

static int
wait_ready(int watch_fd, pid_t warden)
{
	_cleanup_close_ int pidfd = pidfd_open(warden, 0);
	int64_t end = clock_mono_us() / 1000 + READY_MS, left;
	struct pollfd p[] = {{watch_fd, POLLIN, 0}, {pidfd, POLLIN, 0}};

	if (pidfd < 0)
		return UP_E_ENDED;
	for (;;) {
		left = end - clock_mono_us() / 1000;
		if (left <= 0)
			return UP_E_LATE;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return err_origin(errno, "poll: %s", strerror(errno));
		if (p[0].revents && saw_port(watch_fd))
			return 0;
		if (p[1].revents)
			return UP_E_ENDED;
	}
}

/* The warnings and errors that came since the log had this size. */
static void
tell_log(const struct instance *in, off_t since)
{
	_cleanup_close_ int fd = in->log ? open(in->log,
	    O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest, line;
	ssize_t n;

	buf_reserve(&b, TAIL_MAX);
	if (fd < 0 || (n = pread(fd, b.p, TAIL_MAX, since)) <= 0)
		return;
	rest = span_make(b.p, (size_t)n);
	while (rest.n) {
		line = span_cut(&rest, '\n');
		if (span_starts(line, SPAN("<3>")) ||
		    span_starts(line, SPAN("<4>")))
			cli_say("%.*s", SPAN_ARG(span_from(line, 3)));
	}
}

/* --- after -------------------------------------------------------------- */

static int
tell(struct cli *c, const struct instance *in, const struct doc *status,
    bool already)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span endpoint = doc_get_str(status, "endpoint");
	struct span account = doc_get_str(status, "account");
	const char *more = strcmp(in->name, "ng0") ? arena_fmt(c->a,
	    " --instance %s", in->name) : "";
	FILE *f = in->ephemeral ? stderr : stdout;

	if (env_lines(c, in, status, &b) < 0 ||
	    (c->env_file && env_file(buf_span(&b), c->env_file) < 0))
		return cli_fail("%s", err_last());
	fprintf(f, "Neargate runs%s at %.*s, account %.*s.\n",
	    already ? " already" : "", SPAN_ARG(endpoint), SPAN_ARG(account));
	fprintf(f, "Let AWS clients use it:  eval \"$(neargate env%s)\"\n"
	    "See what runs:           neargate status%s\n"
	    "End it:                  neargate down%s\n", more, more, more);
	if (in->ephemeral)
		fputs(buf_str(&b), stdout);
	fflush(stdout);
	return 0;
}

static int
give_up(struct cli *c, const struct instance *in, int r, off_t since)
{
	tell_log(in, since);
	if (r == UP_E_LATE)
		cli_fail("%s is not ready after a minute; `neargate logs` may "
		    "tell why", in->name);
	else if (r == UP_E_ENDED)
		cli_fail("%s could not start", in->name);
	else
		cli_fail("%s", err_last());
	if (in->ephemeral && bring_down(c, in) < 0)
		cli_fail("%s", err_last());
	return 1;
}

/* Until a signal or the warden's end; what is ephemeral ends with us. */
static int
stay(struct cli *c, const struct instance *in, pid_t warden, int signals)
{
	_cleanup_close_ int pidfd = pidfd_open(warden, 0);
	struct pollfd p[] = {{signals, POLLIN, 0}, {pidfd, POLLIN, 0}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return cli_fail("poll: %s", strerror(errno));
	if (p[1].revents)
		cli_say("the warden ended");
	if (in->ephemeral && bring_down(c, in) < 0)
		return cli_fail("%s", err_last());
	return p[1].revents ? 1 : 0;
}

static int
launch(struct cli *c, struct instance *in, int watch_fd, int signals)
{
	_cleanup_close_ int log = -1;
	struct doc *status;
	struct stat st;
	pid_t pid;
	int r;

	if (open_log(c, in, &log) < 0 || instance_record(c, in) < 0)
		return cli_fail("%s", err_last());
	st.st_size = 0;
	(void)fstat(log, &st);
	pid = fork();
	if (pid == 0)
		become_warden(c, in, log);
	if (pid < 0)
		return cli_fail("fork: %s", strerror(errno));
	r = wait_ready(watch_fd, pid);
	if (!r)
		r = local_ask(c, in, "/status", &status);
	if (r)
		return give_up(c, in, r, st.st_size);
	r = tell(c, in, status, false);
	return r || !c->foreground ? r : stay(c, in, pid, signals);
}

/* As a service: the warden takes this process over. */
static int
turn_into_warden(struct cli *c, struct instance *in)
{
	in->log = NULL;
	if (instance_record(c, in) < 0)
		return cli_fail("%s", err_last());
	become_warden(c, in, -1);
}

/* 0: it runs, *ret is its state.  LOCAL_E_DOWN: start it. */
static int
look(struct cli *c, const struct instance *in, int watch_fd, struct doc **ret)
{
	int r = local_ask(c, in, "/status", ret);
	pid_t warden;

	if (r != LOCAL_E_DOWN || !(warden = instance_warden(in)))
		return r;
	r = wait_ready(watch_fd, warden);
	if (r == UP_E_LATE)
		return err_origin(EBUSY, "%s's warden runs (process %d), but "
		    "neargated does not answer; `neargate logs` may tell why",
		    in->name, (int)warden);
	return r < 0 ? err_trace(r) : local_ask(c, in, "/status", ret);
}

static int
block_signals(int *ret_fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return *ret_fd < 0 ? err_origin(errno, "signalfd") : 0;
}

int
cli_up(struct cli *c)
{
	_cleanup_close_ int lock = -1, watch_fd = -1, signals = -1;
	struct instance in;
	struct doc *status;
	struct passwd *pw = NULL;
	int r;

	if (settle(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	if (!cli_program(c, "neargate-warden") ||
	    !cli_program(c, "neargated"))
		return cli_fail("neargate-warden and neargated are not beside "
		    "%s nor in ../libexec/neargate", c->self);
	/* Settled anew under the lock: what is there may have changed. */
	if (check_programs() < 0 || ensure_user(&pw) < 0 ||
	    instance_lock(&in, &lock) < 0 || settle(c, &in) < 0 ||
	    make_dirs(c, &in, pw) < 0 ||
	    watch(&in, &watch_fd) < 0)
		return cli_fail("%s", err_last());
	r = look(c, &in, watch_fd, &status);
	if (r == 0)
		return tell(c, &in, status, true);
	if (r < 0)
		return cli_fail("%s", err_last());
	if (c->foreground && !in.ephemeral)
		return turn_into_warden(c, &in);
	if (c->foreground && block_signals(&signals) < 0)
		return cli_fail("%s", err_last());
	return launch(c, &in, watch_fd, signals);
}
