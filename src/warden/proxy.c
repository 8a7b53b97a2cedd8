/*
 * HAProxy processes: started without privileges, watched, reloaded by a new
 * process that takes the old one's sockets over, found again after a restart.
 *
 * A process is ours when it belongs to the user neargate and its command line
 * names run_dir/lb/<id>/haproxy.cfg.  The files there are neargated's, so the
 * process number in haproxy.pid is only believed after that check.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/check.h"
#include "warden/dirs.h"
#include "warden/job.h"
#include "warden/parts.h"

#define PROXY_MAGIC 0x940c5e01u
#define PORT_START  "/proc/sys/net/ipv4/ip_unprivileged_port_start"

enum { OUT_FD = 3, NETNS_FD = 4 };

struct proxy {
	unsigned magic;
	struct host *host;
	struct list node;
	char *id;
	pid_t pid; /* 0: none yet, or it has ended */
	struct watch *watch; /* NULL when there is no process */
	bool busy; /* a start or reload is under way */
};

struct proxies {
	struct list all;
};

/* One start or reload. */
struct launch {
	struct proxy *p;
	struct request *q;
	uid_t uid;
	gid_t gid;
	bool in_host;
};

static char *
cfg_path(const struct host *h, const char *id)
{
	return xasprintf("%s/lb/%s/haproxy.cfg", h->run_dir, id);
}

/* Does pid run our configuration (id NULL: any of ours) as our user? */
static bool
is_ours(const struct host *h, pid_t pid, const char *id)
{
	_cleanup_free_ char *proc = xasprintf("/proc/%d", pid);
	_cleanup_free_ char *line = xasprintf("%s/cmdline", proc);
	_cleanup_free_ char *want = id ? cfg_path(h, id) :
	    xasprintf("%s/lb/", h->run_dir);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct stat st;
	FILE *f;

	if (pid <= 1 || stat(proc, &st) < 0 || st.st_uid != h->uid)
		return false;
	f = fopen(line, "re");
	if (!f)
		return false;
	buf_reserve(&b, 8192);
	b.n = fread(b.p, 1, 8192, f);
	fclose(f);
	return span_find(buf_span(&b), SPAN("haproxy")) >= 0 &&
	    span_find(buf_span(&b), span_of(want)) >= 0;
}

static pid_t
read_pid(const struct host *h, const char *id)
{
	_cleanup_free_ char *path = xasprintf("lb/%s/haproxy.pid", id);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	pid_t pid;

	if (dirs_read(h->run_fd, path, 32, &b) < 0)
		return 0;
	pid = (pid_t)strtol(buf_str(&b), NULL, 10);
	return is_ours(h, pid, id) ? pid : 0;
}

static struct proxy *
find(struct host *h, struct span id)
{
	list_each(it, &h->proxies->all) {
		struct proxy *p = list_entry(it, struct proxy, node);

		if (span_is(id, p->id))
			return p;
	}
	return NULL;
}

static struct proxy *
proxy_new(struct host *h, struct span id)
{
	struct proxy *p;

	ALLOC_OBJ(p, PROXY_MAGIC);
	p->host = h;
	p->id = xstrndup(id.p, id.n);
	list_add(&h->proxies->all, &p->node);
	return p;
}

/* A pidfd in the loop; its handle outlives the proxy by one turn. */
struct watch {
	uv_poll_t poll;
	int fd;
};

static void
on_closed(uv_handle_t *h)
{
	struct watch *w = container_of((uv_poll_t *)h, struct watch, poll);

	close(w->fd);
	free(w);
}

static void
unwatch(struct proxy *p)
{
	if (p->watch)
		uv_close((uv_handle_t *)&p->watch->poll, on_closed);
	p->watch = NULL;
	p->pid = 0;
}

static void
on_end(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct proxy *p;
	struct buf *b;

	CAST_OBJ(p, poll->data, PROXY_MAGIC);
	unwatch(p);
	/* The one that is being started told it to end. */
	if (p->busy)
		return;
	log_warn("proxy %s ended", p->id);
	b = host_event_begin(p->host, WARDEN_PROXY_DIED);
	msg_put_span(b, span_of(p->id));
	host_event_end(p->host);
}

static int
watch_start(struct proxy *p, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct watch *w;

	if (fd < 0)
		return err_origin(errno, "proxy %s", p->id);
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	AZ(uv_poll_init(p->host->loop, &w->poll, fd));
	w->poll.data = p;
	AZ(uv_poll_start(&w->poll, UV_READABLE, on_end));
	unwatch(p);
	p->watch = w;
	p->pid = pid;
	return 0;
}

static void
proxy_free(struct proxy *p)
{
	list_del(&p->node);
	unwatch(p);
	free(p->id);
	FREE_OBJ(p);
}

/* Ports below 1024: everybody's in a namespace of its own, a single
 * capability on the host. */
static int
low_ports(bool in_host)
{
	int fd, r = 0;

	if (in_host)
		return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	fd = open(PORT_START, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		r = -1;
	close(fd);
	return r;
}

static int
keep_bind_capability(void)
{
	static const cap_value_t bind_cap = CAP_NET_BIND_SERVICE;
	cap_t caps = cap_init();
	int r;

	r = cap_set_flag(caps, CAP_PERMITTED, 1, &bind_cap, CAP_SET) |
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &bind_cap, CAP_SET) |
	    cap_set_flag(caps, CAP_INHERITABLE, 1, &bind_cap, CAP_SET) |
	    cap_set_proc(caps);
	cap_free(caps);
	return r ? -1 : prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bind_cap,
	    0, 0);
}

static int
become_proxy(void *arg, int out)
{
	const struct launch *l = arg;

	/* haproxy's complaints are the job's output; the daemon that stays
	 * lets go of them. */
	fcntl(out, F_SETFD, FD_CLOEXEC);
	if (dup2(out, 1) < 0 || dup2(out, 2) < 0)
		return -errno;
	if ((!l->in_host && setns(NETNS_FD, CLONE_NEWNET) < 0) ||
	    low_ports(l->in_host) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(l->gid, l->gid, l->gid) < 0 ||
	    setresuid(l->uid, l->uid, l->uid) < 0 ||
	    (l->in_host && keep_bind_capability() < 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		dprintf(out, "privileges: %s", strerror(errno));
		return -1;
	}
	close(NETNS_FD);
	return 0;
}

static void
on_launched(void *ctx, int status, struct span out)
{
	struct launch *l = ctx;
	struct proxy *p = l->p;
	struct request *q = l->q;
	struct buf *b;
	pid_t pid = status == 0 ? read_pid(p->host, p->id) : 0;

	free(l);
	p->busy = false;
	if (pid <= 0 || watch_start(p, pid) < 0) {
		out = span_trim(out);
		request_fail(q, EIO, "%.*s", SPAN_ARG(out.n ? out :
		    SPAN("haproxy did not start")));
		if (!p->pid)
			proxy_free(p);
		return;
	}
	b = request_begin(q);
	msg_put_u32(b, (uint32_t)pid);
	msg_put_bool(b, false);
	request_end(q);
}

static int
launch(struct proxy *p, struct request *q, struct span netns)
{
	struct host *h = p->host;
	struct arena *a = request_arena(q);
	const char *dir = arena_fmt(a, "%s/lb/%s", h->run_dir, p->id);
	const char *argv[16] = {h->haproxy, "-D", "-f",
	    arena_fmt(a, "%s/haproxy.cfg", dir), "-p",
	    arena_fmt(a, "%s/haproxy.pid", dir)};
	const char *admin = arena_fmt(a, "%s/admin.sock", dir);
	_cleanup_close_ int ns = -1;
	struct launch *l;
	size_t n = 6;
	int r;

	if (netns.n) {
		ns = open(arena_fmt(a, "/run/netns/%s-%.*s", h->instance,
		    SPAN_ARG(netns)), O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			return err_origin(errno, "network namespace %.*s",
			    SPAN_ARG(netns));
	}
	if (p->pid) {
		if (access(admin, F_OK) == 0) {
			argv[n++] = "-x";
			argv[n++] = admin;
		}
		argv[n++] = "-sf";
		argv[n++] = arena_fmt(a, "%d", p->pid);
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct launch){.p = p, .q = q, .uid = h->uid, .gid = h->gid,
	    .in_host = !netns.n};
	struct job_spec job = {.exec = argv, .prepare = become_proxy, .arg = l,
	    .fds = &ns, .n_fds = 1};

	r = job_start(h, &job, on_launched, l, NULL);
	if (r < 0) {
		free(l);
		return err_trace(r);
	}
	p->busy = true;
	return 0;
}

static int
start_or_reload(struct host *h, struct request *q, struct msg_reader *m,
    bool reload)
{
	struct span id = msg_span(m), netns = msg_span(m);
	struct proxy *p;
	struct buf *b;

	if (!msg_ok(m))
		return -EBADMSG;
	if (!check_id(id) || (netns.n && !check_id(netns))) {
		request_fail(q, EINVAL, "proxy or namespace");
		return 0;
	}
	p = find(h, id);
	if (p && p->busy) {
		request_fail(q, EBUSY, "proxy %s is being started", p->id);
		return 0;
	}
	if (p && p->pid && !reload) {
		b = request_begin(q);
		msg_put_u32(b, (uint32_t)p->pid);
		msg_put_bool(b, true);
		request_end(q);
		return 0;
	}
	if (!p)
		p = proxy_new(h, id);
	if (launch(p, q, netns) < 0) {
		request_fail(q, EIO, "%s", err_last());
		if (!p->pid)
			proxy_free(p);
	}
	return 0;
}

static int
start(struct host *h, struct request *q, struct msg_reader *m)
{
	return start_or_reload(h, q, m, false);
}

static int
reload(struct host *h, struct request *q, struct msg_reader *m)
{
	return start_or_reload(h, q, m, true);
}

/* Kills all processes of one proxy (or of all), those that only finish their
 * connections after a reload, too. */
static void
kill_all(struct host *h, const char *id)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		_cleanup_close_ int fd = -1;

		if (pid <= 1)
			continue;
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
		/* Looked at after it was opened: the number is still its. */
		if (fd >= 0 && is_ours(h, pid, id))
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	}
	if (d)
		closedir(d);
}

static int
stop(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span id = msg_span(m);
	struct proxy *p;

	if (!msg_ok(m))
		return -EBADMSG;
	p = find(h, id);
	if (p && p->busy) {
		request_fail(q, EBUSY, "proxy %s is being started", p->id);
		return 0;
	}
	if (p) {
		unwatch(p);
		kill_all(h, p->id);
		proxy_free(p);
	}
	request_ok(q);
	return 0;
}

static int
list(struct host *h, struct request *q, struct msg_reader *m)
{
	struct buf *b;
	uint32_t n = 0;

	if (!msg_ok(m))
		return -EBADMSG;
	list_each(it, &h->proxies->all)
		n += list_entry(it, struct proxy, node)->pid != 0;
	b = request_begin(q);
	msg_put_u32(b, n);
	list_each(it, &h->proxies->all) {
		struct proxy *p = list_entry(it, struct proxy, node);

		if (!p->pid)
			continue;
		msg_put_span(b, span_of(p->id));
		msg_put_u32(b, (uint32_t)p->pid);
	}
	request_end(q);
	return 0;
}

static int
init(struct host *h)
{
	int fd = dirs_open(h->run_fd, "lb", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	pid_t pid;

	h->proxies = xcalloc(1, sizeof(*h->proxies));
	list_init(&h->proxies->all);
	if (!d)
		return err_origin(errno, "the proxies' directory");
	while ((e = readdir(d)))
		if (check_id(span_of(e->d_name)) &&
		    (pid = read_pid(h, e->d_name)) > 0)
			(void)watch_start(proxy_new(h, span_of(e->d_name)), pid);
	closedir(d);
	return 0;
}

static void
done(struct host *h)
{
	if (!h->proxies)
		return;
	list_each_safe(it, &h->proxies->all)
		proxy_free(list_entry(it, struct proxy, node));
	free_p(&h->proxies);
}

static int
clean(struct host *h)
{
	kill_all(h, NULL);
	return 0;
}

static const struct host_op ops[] = {
    {WARDEN_PROXY_START, "PROXY_START", start},
    {WARDEN_PROXY_RELOAD, "PROXY_RELOAD", reload},
    {WARDEN_PROXY_STOP, "PROXY_STOP", stop},
    {WARDEN_PROXY_LIST, "PROXY_LIST", list},
};

const struct host_part proxy_part = {.name = "proxies", .ops = ops,
    .n_ops = ARRAY_SIZE(ops), .init = init, .done = done, .clean = clean};
