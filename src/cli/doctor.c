/* neargate doctor: what this host has, lacks, and how to get it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/version.h"
#include "cli/local.h"

#define GIB	     (1ull << 30)
#define FILES_WANTED 65536
#define OVERLAY_MAGIC 0x794c7630
#define NFS_MAGIC     0x6969

enum verdict { OK, WARN, FAIL };

struct doctor {
	struct cli *c;
	struct instance in;
	bool up;
};

/* --- looking ------------------------------------------------------------ */

/* What a program prints; 0, or its exit code, or negative. */
static int
capture(const char *const *argv, struct buf *b)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	do {
		buf_reserve(b, 4096);
		n = read(fds[0], b->p + b->n, 4096);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0 && b->n < (1 << 20));
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static struct span
first_line(const struct buf *b)
{
	struct span s = span_trim(buf_span(b));

	return span_cut(&s, '\n');
}

static bool
slurp(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	do {
		buf_reserve(b, 4096);
		n = read(fd, b->p + b->n, 4096);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0 && b->n < (1 << 20));
	return n == 0;
}

static bool
has_word(struct span text, const char *word)
{
	for (size_t i = 0; i < text.n;) {
		size_t n = 0;

		while (i + n < text.n && !strchr(" \t\n", text.p[i + n]))
			n++;
		if (span_is(span_make(text.p + i, n), word))
			return true;
		i += n + 1;
	}
	return false;
}

/* --- who ---------------------------------------------------------------- */

static enum verdict
check_root(struct doctor *d UNUSED, struct buf *b)
{
	if (geteuid() == 0)
		return OK;
	buf_add_str(b, "not root: some checks see less; neargate up asks for "
	    "it by sudo");
	return WARN;
}

static enum verdict
check_user(struct doctor *d UNUSED, struct buf *b)
{
	const struct passwd *pw = getpwnam("neargate");

	if (!pw)
		buf_add_str(b, "no system user neargate yet: neargate up makes "
		    "it");
	else if (pw->pw_uid == 0)
		buf_add_str(b, "the user neargate is root: give it a number "
		    "of its own");
	else
		buf_addf(b, "neargate is %u", (unsigned)pw->pw_uid);
	return pw && pw->pw_uid == 0 ? FAIL : OK;
}

static enum verdict
check_own(struct doctor *d, struct buf *b)
{
	static const char *const names[] = {"neargated", "neargate-warden",
	    "neargate-monitor"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!cli_program(d->c, names[i])) {
			buf_addf(b, "%s is not beside %s nor in "
			    "../libexec/neargate: make install", names[i],
			    d->c->self);
			return FAIL;
		}
	buf_add_str(b, neargate_version);
	return OK;
}

/* --- programs ----------------------------------------------------------- */

static enum verdict
program(struct buf *b, const char *const *paths, const char *flag,
    const char *package)
{
	const char *argv[] = {cli_find(paths), flag, NULL};
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	if (!argv[0]) {
		buf_addf(b, "missing: apt-get install %s", package);
		return FAIL;
	}
	if (capture(argv, &out) != 0) {
		buf_addf(b, "%s %s fails: %.*s", argv[0], flag,
		    SPAN_ARG(first_line(&out)));
		return FAIL;
	}
	buf_add_span(b, first_line(&out));
	return OK;
}

static enum verdict
check_crun(struct doctor *d UNUSED, struct buf *b)
{
	enum verdict v = program(b, cli_runtimes, "--version", "crun");

	if (v == OK && !span_starts(buf_span(b), SPAN("crun"))) {
		buf_add_str(b, ": works; crun starts containers three times "
		    "as fast: apt-get install crun");
		return WARN;
	}
	return v;
}

static enum verdict
check_haproxy(struct doctor *d UNUSED, struct buf *b)
{
	return program(b, cli_haproxies, "-v", "haproxy");
}

static enum verdict
check_nft(struct doctor *d UNUSED, struct buf *b)
{
	const char *argv[] = {cli_find(cli_nfts), "list", "tables", NULL};
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	enum verdict v = program(b, cli_nfts, "--version", "nftables");

	if (v != OK || geteuid() != 0)
		return v;
	if (capture(argv, &out) == 0)
		return OK;
	buf_addf(b, ", but the kernel refuses it: %.*s",
	    SPAN_ARG(first_line(&out)));
	return FAIL;
}

/* Older ones do not know AWS_ENDPOINT_URL. */
static enum verdict
check_aws(struct doctor *d UNUSED, struct buf *b)
{
	static const char *const argv[] = {"aws", "--version", NULL};
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	struct span s, major;
	uint64_t x, y;

	if (capture(argv, &out) != 0) {
		buf_add_str(b, "no AWS CLI: apt-get install awscli");
		return WARN;
	}
	s = first_line(&out);
	s = span_cut(&s, ' ');
	buf_add_span(b, s);
	span_cut(&s, '/');
	major = span_cut(&s, '.');
	s = span_cut(&s, '.');
	if (!span_u64(major, &x) || !span_u64(s, &y) || x > 2 ||
	    (x == 2 && y >= 13) || (x == 1 && y >= 29))
		return OK;
	buf_add_str(b, " does not know AWS_ENDPOINT_URL: give it "
	    "--endpoint-url \"$AWS_ENDPOINT_URL\", or install one from 2.13 "
	    "on");
	return WARN;
}

/* --- the kernel --------------------------------------------------------- */

static enum verdict
check_kernel(struct doctor *d UNUSED, struct buf *b)
{
	static const char *const files[] = {"/proc/self/ns/net",
	    "/proc/self/ns/mnt", "/proc/self/ns/pid", "/proc/self/ns/ipc",
	    "/proc/self/ns/uts", "/proc/self/ns/cgroup",
	    "/proc/sys/kernel/seccomp/actions_avail"};
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	buf_add_str(b, u.release);
	if (sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	    (major < 5 || (major == 5 && minor < 10))) {
		buf_add_str(b, ": 5.10 or later is needed");
		return FAIL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (access(files[i], F_OK) < 0) {
			buf_addf(b, ": lacks %s", files[i]);
			return FAIL;
		}
	return OK;
}

static enum verdict
check_netns(struct doctor *d UNUSED, struct buf *b)
{
	pid_t pid;
	int status = 0;

	if (geteuid() != 0) {
		buf_add_str(b, "not tried: needs root");
		return OK;
	}
	pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWNET | CLONE_NEWNS) ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return FAIL;
	if (WEXITSTATUS(status)) {
		buf_addf(b, "cannot be made: %s; a container needs to be "
		    "privileged for this", strerror(WEXITSTATUS(status)));
		return FAIL;
	}
	buf_add_str(b, "can be made");
	return OK;
}

static enum verdict
check_cgroup(struct doctor *d UNUSED, struct buf *b)
{
	static const char *const want[] = {"cpu", "memory", "pids"};
	bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
	_cleanup_(buf_done) struct buf have = BUF_INIT;

	buf_add_str(b, v2 ? "version 2" :
	    access("/sys/fs/cgroup/unified", F_OK) == 0 ? "hybrid" :
	    "version 1");
	if (v2)
		slurp("/sys/fs/cgroup/cgroup.controllers", &have);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		_cleanup_free_ char *dir = xasprintf("/sys/fs/cgroup/%s",
		    want[i]);

		if (v2 ? has_word(buf_span(&have), want[i]) :
			 access(dir, F_OK) == 0)
			continue;
		buf_addf(b, ": no controller %s, so its limits cannot hold",
		    want[i]);
		return FAIL;
	}
	return OK;
}

static enum verdict
check_overlay(struct doctor *d UNUSED, struct buf *b)
{
	_cleanup_(buf_done) struct buf have = BUF_INIT;

	if (slurp("/proc/filesystems", &have) &&
	    has_word(buf_span(&have), "overlay")) {
		buf_add_str(b, "there");
		return OK;
	}
	buf_add_str(b, "the kernel does not know overlay: modprobe overlay");
	return FAIL;
}

static enum verdict
check_forward(struct doctor *d UNUSED, struct buf *b)
{
	_cleanup_(buf_done) struct buf v = BUF_INIT;

	if (!slurp("/proc/sys/net/ipv4/ip_forward", &v)) {
		buf_add_str(b, "/proc/sys/net/ipv4/ip_forward is not there");
		return FAIL;
	}
	buf_add_str(b, span_is(first_line(&v), "1") ? "on" :
	    "off; on while an instance runs");
	return OK;
}

static enum verdict
check_limits(struct doctor *d UNUSED, struct buf *b)
{
	_cleanup_(buf_done) struct buf status = BUF_INIT;
	struct rlimit l = {0};
	struct span s;
	ptrdiff_t at;
	uint64_t caps = 0;

	getrlimit(RLIMIT_NOFILE, &l);
	slurp("/proc/self/status", &status);
	s = buf_span(&status);
	at = span_find(s, SPAN("CapBnd:"));
	if (at >= 0)
		caps = strtoull(buf_str(&status) + at + 7, NULL, 16);
	buf_addf(b, "%llu open files", (unsigned long long)l.rlim_max);
	if (caps >> CAP_SYS_RESOURCE & 1)
		return OK;
	buf_add_str(b, " at most, and without CAP_SYS_RESOURCE no container "
	    "can have more");
	return l.rlim_max < FILES_WANTED ? WARN : OK;
}

/* --- disk and time ------------------------------------------------------ */

static enum verdict
check_disk(struct doctor *d, struct buf *b)
{
	const char *path = d->in.state_dir;
	struct statfs fs;
	uint64_t free_bytes;

	while (statfs(path, &fs) < 0) {
		struct span s = span_of(path);
		ptrdiff_t slash = span_rchr(s, '/');

		if (slash <= 0)
			path = "/";
		else
			path = arena_str(d->c->a, span_to(s, (size_t)slash));
	}
	free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	buf_addf(b, "%llu GiB free for %s",
	    (unsigned long long)(free_bytes / GIB), d->in.state_dir);
	if (fs.f_type == OVERLAY_MAGIC || fs.f_type == NFS_MAGIC) {
		buf_add_str(b, ", on a file system that cannot hold containers:"
		    " use --state-dir on another");
		return FAIL;
	}
	if (free_bytes < 10 * GIB)
		buf_add_str(b, ": images need room; 10 GiB are little enough");
	return free_bytes < GIB ? FAIL : free_bytes < 10 * GIB ? WARN : OK;
}

static enum verdict
check_time(struct doctor *d UNUSED, struct buf *b)
{
	struct timex t = {0};
	int r = adjtimex(&t);

	buf_add_str(b, clock_iso(d->c->a, clock_ms(), false));
	if (r != TIME_ERROR && !(t.status & STA_UNSYNC))
		return OK;
	buf_add_str(b, ": not kept by NTP; clients of other machines are "
	    "refused when it is 15 minutes off");
	return WARN;
}

/* --- ports and names ---------------------------------------------------- */

static enum verdict
check_port(struct doctor *d, struct buf *b, uint16_t port, const char *how)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool taken = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;

	if (taken && d->up) {
		buf_addf(b, "%u is served", port);
		return OK;
	}
	buf_addf(b, "%u is %s", port, taken ? "taken by another program" :
	    "free");
	if (taken)
		buf_addf(b, ": %s", how);
	return taken ? WARN : OK;
}

static enum verdict
check_api(struct doctor *d, struct buf *b)
{
	struct span s = span_of(d->in.listen);
	uint64_t port = 4566;

	if (s.n)
		span_u64(span_from(s, (size_t)span_rchr(s, ':') + 1), &port);
	return check_port(d, b, (uint16_t)port,
	    "neargate up --listen 127.0.0.1:PORT");
}

static enum verdict
check_edge(struct doctor *d, struct buf *b)
{
	return check_port(d, b, 80, "neargate up --edge-port 8080");
}

static enum verdict
check_edge_https(struct doctor *d, struct buf *b)
{
	return check_port(d, b, 443, "neargate up --edge-https-port 8443");
}

static enum verdict
check_names(struct doctor *d UNUSED, struct buf *b)
{
	struct addrinfo want = {.ai_family = AF_INET,
	    .ai_socktype = SOCK_STREAM}, *got = NULL;
	const struct sockaddr_in *in;
	bool ok;

	if (getaddrinfo("name.elb.neargate.localhost", NULL, &want, &got))
		got = NULL;
	in = got ? (const void *)got->ai_addr : NULL;
	ok = in && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	if (got)
		freeaddrinfo(got);
	buf_add_str(b, ok ? "lead to 127.0.0.1" : "browsers and curl know "
	    "them, other programs do not: apt-get install libnss-myhostname");
	return ok ? OK : WARN;
}

/* --- all ---------------------------------------------------------------- */

static const struct {
	const char *name;
	enum verdict (*run)(struct doctor *d, struct buf *b);
} checks[] = {
	{"root", check_root},
	{"user", check_user},
	{"neargate", check_own},
	{"crun", check_crun},
	{"haproxy", check_haproxy},
	{"nft", check_nft},
	{"aws", check_aws},
	{"kernel", check_kernel},
	{"namespaces", check_netns},
	{"cgroups", check_cgroup},
	{"overlay", check_overlay},
	{"forwarding", check_forward},
	{"limits", check_limits},
	{"disk", check_disk},
	{"clock", check_time},
	{"API port", check_api},
	{"edge port", check_edge},
	{"edge HTTPS port", check_edge_https},
	{"*.localhost", check_names},
};

int
cli_doctor(struct cli *c)
{
	static const char *const words[] = {[OK] = "ok", [WARN] = "warn",
	    [FAIL] = "fail"};
	struct doctor d = {.c = c};
	size_t n[3] = {0};
	enum verdict v;

	if (instance_load(c, &d.in) < 0)
		return cli_fail("%s", err_last()), 2;
	d.up = instance_warden(&d.in) > 0;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		v = checks[i].run(&d, &b);
		n[v]++;
		printf("%-4s  %-11s %s\n", words[v], checks[i].name,
		    buf_str(&b));
		fflush(stdout);
	}
	printf("%zu ok, %zu to look at, %zu in the way\n", n[OK], n[WARN],
	    n[FAIL]);
	return n[FAIL] ? 1 : 0;
}
