/* Containers that a warden before us left: found and watched, or ended. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/cgroup.h"
#include "warden/check.h"
#include "warden/container.h"
#include "warden/dirs.h"

#define ADOPT_TRIES   50
#define ADOPT_WAIT_US 20000
#define END_MS	      5000

/* Its monitor holds a lock on the directory. */
static bool
is_alive(int dir)
{
	if (flock(dir, LOCK_EX | LOCK_NB) == 0) {
		flock(dir, LOCK_UN);
		return false;
	}
	return true;
}

/* Reads what the monitor says of itself; one that was started a moment ago
 * says it in some milliseconds.  0: the container has started. */
static int
find_state(struct container *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int r = -ENOENT;

	for (int i = 0; i < ADOPT_TRIES && r < 0; i++) {
		bool alive = is_alive(c->dir);

		buf_clear(&b);
		if (dirs_read(c->dir, "monitor", 32, &b) == 0) {
			c->monitor = (pid_t)strtol(buf_str(&b), NULL, 10);
			r = container_read_state(c);
		}
		if (!alive || r == 0)
			break;
		usleep(ADOPT_WAIT_US);
	}
	return r;
}

static void
end_process(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (poll(&p, 1, END_MS) != 1)
		log_error("a monitor does not end");
}

static void
adopt(struct host *h, const char *id)
{
	_cleanup_(buf_done) struct buf task = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct container *c;
	int dir = dirs_open(h->containers->dir, id, O_RDONLY | O_DIRECTORY);
	bool started;

	if (dir < 0)
		return;
	dirs_read(dir, "task", 256, &task);
	c = container_new(h, span_of(id), buf_span(&task), dir);
	started = find_state(c) == 0;
	fd = container_pidfd(c->monitor);
	/* Locked after the number was opened: the number is the monitor's. */
	if (!is_alive(dir))
		close_p(&fd);
	if (started && fd >= 0) {
		c->monitor_fd = TAKE_FD(fd);
		container_watch(c);
	} else if (started) {
		container_conclude(c);
	} else {
		/* Nobody was told that it runs. */
		if (fd >= 0)
			end_process(fd);
		container_wipe(c);
	}
}

static int
each_dir(struct host *h, int dir, void (*fn)(struct host *h, const char *name))
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return err_origin(errno, "opendir");
	while ((e = readdir(d)))
		if (check_id(span_of(e->d_name)))
			fn(h, e->d_name);
	closedir(d);
	return 0;
}

/* Writable layers of containers that a reboot took. */
static void
drop_stale_upper(struct host *h, const char *id)
{
	if (faccessat(h->containers->dir, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		(void)dirs_remove(h->containers->upper_dir, id);
}

int
containers_init(struct host *h)
{
	int r;

	h->containers = xcalloc(1, sizeof(*h->containers));
	list_init(&h->containers->all);
	r = containers_open(h);
	if (r == 0)
		r = runtime_load(&h->containers->runtime, h->runtime);
	if (r == 0)
		r = each_dir(h, h->containers->upper_dir, drop_stale_upper);
	if (r == 0)
		r = each_dir(h, h->containers->dir, adopt);
	return err_trace(r);
}

void
containers_done(struct host *h)
{
	struct containers *cs = h->containers;

	if (!cs)
		return;
	list_each_safe(it, &cs->all)
		container_free(list_entry(it, struct container, node));
	runtime_unload(&cs->runtime);
	close(cs->dir);
	close(cs->upper_dir);
	close(cs->log_dir);
	close(cs->volume_dir);
	free_p(&h->containers);
}

/* Is pid a monitor of ours?  The fourth word of its command line, below
 * run_dir, says whose it is; see monitor.h. */
static bool
is_monitor(const struct host *h, pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cmdline", pid);
	_cleanup_free_ char *root = xasprintf("%s/runtime", h->run_dir);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest, word[4];
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	buf_reserve(&b, 16384);
	b.n = fread(b.p, 1, 16384, f);
	fclose(f);
	rest = buf_span(&b);
	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = span_cut(&rest, '\0');
	return (span_is(word[1], "--run") || span_is(word[1], "--exec")) &&
	    span_ends(word[0], SPAN("/neargate-monitor")) &&
	    span_is(word[3], root);
}

/* Monitors go first: what one is just making would not be found after.  Found
 * by their command lines, so that a lost run_dir hides none. */
static void
end_monitors(const struct host *h)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_close_ int fd =
		    container_pidfd((pid_t)strtol(e->d_name, NULL, 10));

		if (fd >= 0 &&
		    is_monitor(h, (pid_t)strtol(e->d_name, NULL, 10)))
			end_process(fd);
	}
	if (d)
		closedir(d);
}

int
containers_clean(struct host *h)
{
	static const struct {
		bool state;
		const char *name;
	} dirs[] = {{false, "containers"}, {false, "runtime"},
	    {true, "containers"}, {true, "volumes"}};
	int r;

	end_monitors(h);
	r = cgroup_remove(h, SPAN_NULL, SPAN_NULL);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int s = dirs_remove(dirs[i].state ? h->state_fd : h->run_fd,
		    dirs[i].name);

		r = r ? r : s;
	}
	return err_trace(r);
}
