/* Control groups of tasks, in v1, hybrid and v2 hierarchies. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/cgroup.h"
#include "warden/dirs.h"

#define ROOT		"/sys/fs/cgroup"
#define CPU_PERIOD_US	100000
#define CPU_UNITS	1024
#define KILL_ROUNDS	200
#define KILL_PAUSE_US	5000

/* Where crun puts a container under v1; those that are not mounted are
 * skipped. */
static const char *const v1_hierarchies[] = {
    "memory", "cpu", "cpuacct", "pids", "cpuset", "devices", "freezer",
    "blkio", "net_cls", "net_prio", "perf_event", "hugetlb", "rdma", "misc",
    "systemd",
};

enum cgroup_mode
cgroup_mode(void)
{
	struct statfs fs;

	if (statfs(ROOT, &fs) == 0 &&
	    (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
		return CGROUP_V2;
	if (statfs(ROOT "/unified", &fs) == 0 &&
	    (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
		return CGROUP_HYBRID;
	return CGROUP_V1;
}

char *
cgroup_path(struct arena *a, const struct host *h, struct span task,
    struct span container)
{
	return arena_fmt(a, "/neargate-%s%s%.*s%s%.*s", h->instance,
	    task.n ? "/" : "", SPAN_ARG(task), container.n ? "/" : "",
	    SPAN_ARG(container));
}

/* The directory below which our paths stand; NULL: not mounted. */
static const char *
hierarchy(struct arena *a, const struct host *h, size_t i)
{
	const char *root;

	if (h->cgroups == CGROUP_V2)
		return i == 0 ? ROOT : NULL;
	root = arena_fmt(a, ROOT "/%s", v1_hierarchies[i]);
	return access(root, F_OK) == 0 ? root : NULL;
}

static int
put(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_origin(errno, "write \"%s\" to %s", text, path);
	return 0;
}

static int
put_u64(const char *dir, const char *file, uint64_t v)
{
	_cleanup_free_ char *text = xasprintf("%ju", (uintmax_t)v);

	return put(dir, file, text);
}

static int
limit_v1(const char *name, const char *dir, uint64_t memory, uint32_t cpu)
{
	int r = 0;

	if (!strcmp(name, "memory") && memory) {
		r = put_u64(dir, "memory.limit_in_bytes", memory);
		/* Absent where swap is not accounted. */
		_cleanup_free_ char *swap =
		    xasprintf("%s/memory.memsw.limit_in_bytes", dir);
		if (r == 0 && access(swap, F_OK) == 0)
			r = put_u64(dir, "memory.memsw.limit_in_bytes", memory);
	} else if (!strcmp(name, "cpu") && cpu) {
		r = put_u64(dir, "cpu.cfs_period_us", CPU_PERIOD_US);
		if (r == 0)
			r = put_u64(dir, "cpu.cfs_quota_us",
			    (uint64_t)cpu * CPU_PERIOD_US / CPU_UNITS);
		if (r == 0)
			r = put_u64(dir, "cpu.shares", MAX(cpu, 2));
	}
	return err_trace(r);
}

static int
make_dir(const char *dir)
{
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_origin(errno, "mkdir %s", dir);
	return 0;
}

static int
make_v1(struct arena *a, const struct host *h, struct span task,
    uint64_t memory, uint32_t cpu)
{
	int r;

	/* Only where limits of the task live; crun makes the rest. */
	for (size_t i = 0; i < 2; i++) {
		const char *root = hierarchy(a, h, i), *dir;

		if (!root)
			return err_origin(ENOENT, "no v1 controller %s",
			    v1_hierarchies[i]);
		r = make_dir(arena_fmt(a, "%s%s", root,
		    cgroup_path(a, h, SPAN_NULL, SPAN_NULL)));
		dir = arena_fmt(a, "%s%s", root,
		    cgroup_path(a, h, task, SPAN_NULL));
		if (r == 0)
			r = make_dir(dir);
		if (r == 0)
			r = limit_v1(v1_hierarchies[i], dir, memory, cpu);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

#define V2_CONTROLLERS "+cpu +memory +pids"

static int
make_v2(struct arena *a, const struct host *h, struct span task,
    uint64_t memory, uint32_t cpu)
{
	const char *top = arena_fmt(a, ROOT "%s",
	    cgroup_path(a, h, SPAN_NULL, SPAN_NULL));
	const char *dir = arena_fmt(a, ROOT "%s",
	    cgroup_path(a, h, task, SPAN_NULL));
	int r;

	r = put(ROOT, "cgroup.subtree_control", V2_CONTROLLERS);
	if (r == 0)
		r = make_dir(top);
	if (r == 0)
		r = put(top, "cgroup.subtree_control", V2_CONTROLLERS);
	if (r == 0)
		r = make_dir(dir);
	if (r == 0)
		r = put(dir, "cgroup.subtree_control", V2_CONTROLLERS);
	if (r == 0 && memory)
		r = put_u64(dir, "memory.max", memory);
	if (r == 0 && memory &&
	    access(arena_fmt(a, "%s/memory.swap.max", dir), F_OK) == 0)
		r = put(dir, "memory.swap.max", "0");
	if (r == 0 && cpu)
		r = put(dir, "cpu.max", arena_fmt(a, "%ju %d",
		    (uintmax_t)cpu * CPU_PERIOD_US / CPU_UNITS, CPU_PERIOD_US));
	return err_trace(r);
}

int
cgroup_task_make(const struct host *h, struct span task, uint64_t memory,
    uint32_t cpu)
{
	_cleanup_arena_ struct arena *a = arena_new();

	if (h->cgroups == CGROUP_V2)
		return make_v2(a, h, task, memory, cpu);
	return make_v1(a, h, task, memory, cpu);
}

char *
cgroup_oom_file(struct arena *a, const struct host *h, struct span task,
    struct span container)
{
	const char *path = cgroup_path(a, h, task, container);

	if (h->cgroups == CGROUP_V2)
		return arena_fmt(a, ROOT "%s/memory.events", path);
	return arena_fmt(a, ROOT "/memory%s/memory.oom_control", path);
}

/* Signals everything in one group; false when there is nobody. */
static bool
kill_members(const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/cgroup.procs", dir);
	FILE *f = fopen(path, "re");
	bool any = false;
	int pid;

	if (!f)
		return false;
	while (fscanf(f, "%d", &pid) == 1)
		if (pid > 0 && kill(pid, SIGKILL) == 0)
			any = true;
	fclose(f);
	return any;
}

/* Removes dir and the groups below it, bottom first. */
static int
remove_tree(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (e = readdir(d))) {
		_cleanup_free_ char *sub = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = xasprintf("%s/%s", dir, e->d_name);
		r = remove_tree(sub);
	}
	closedir(d);
	for (int i = 0; r == 0 && rmdir(dir) < 0; i++) {
		if (errno == ENOENT)
			break;
		/* A killed process leaves its group only when it has ended;
		 * v1 has no event for that.  The wait is bounded and rare. */
		if (errno != EBUSY || i == KILL_ROUNDS)
			return err_origin(errno, "rmdir %s", dir);
		if (kill_members(dir) || i > 0)
			usleep(KILL_PAUSE_US);
	}
	return r;
}

int
cgroup_remove(const struct host *h, struct span task, struct span container)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *path = cgroup_path(a, h, task, container);
	int r = 0, s;

	for (size_t i = 0; i < ARRAY_SIZE(v1_hierarchies); i++) {
		const char *root = hierarchy(a, h, i);

		if (!root)
			continue;
		s = remove_tree(arena_fmt(a, "%s%s", root, path));
		if (r == 0)
			r = s;
	}
	return err_trace(r);
}
