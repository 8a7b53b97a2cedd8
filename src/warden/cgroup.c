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
#define CPU_WEIGHT	100 /* of v2, unless said otherwise */
#define KILL_ROUNDS	200
#define KILL_PAUSE_US	5000

/* Where the task has its own group under v1: its limits, and the account of
 * processor time, which some hosts lack.  crun makes its groups below in every
 * hierarchy that is mounted. */
static const char *const v1_groups[] = {"memory", "cpu", "cpuacct"};

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

static const char *
root_of(const struct host *h)
{
	return h->cgroup_root ? h->cgroup_root : ROOT;
}

/* 0 or an errno, for those who know what to make of it. */
static int
try_put(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;
}

static int
put(const char *dir, const char *file, const char *text)
{
	int e = try_put(dir, file, text);

	if (e)
		return err_origin(e, "write \"%s\" to %s/%s", text, dir, file);
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

/* Open to everybody, whatever the umask: neargated reads what tasks use. */
static int
make_dir(const char *dir)
{
	if (mkdir(dir, 0755) < 0)
		return errno == EEXIST ? 0 :
		    err_origin(errno, "mkdir %s", dir);
	return chmod(dir, 0755) < 0 ? err_origin(errno, "chmod %s", dir) : 0;
}

/* All tasks together weigh as much as the processors they may fill: as one
 * group among the host's they would otherwise count as one process. */
static uint64_t
processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 100 ? 100 : (uint64_t)n;
}

static int
make_v1(struct arena *a, const struct host *h, struct span task,
    uint64_t memory, uint32_t cpu)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(v1_groups); i++) {
		const char *name = v1_groups[i];
		const char *root = arena_fmt(a, "%s/%s", root_of(h), name);
		const char *top = arena_fmt(a, "%s%s", root,
		    cgroup_path(a, h, SPAN_NULL, SPAN_NULL));
		const char *dir = arena_fmt(a, "%s%s", root,
		    cgroup_path(a, h, task, SPAN_NULL));

		if (access(root, F_OK) < 0 && !strcmp(name, "cpuacct"))
			continue;
		if (access(root, F_OK) < 0)
			return err_origin(ENOENT, "no v1 controller %s", name);
		r = make_dir(top);
		if (r == 0 && !strcmp(name, "cpu"))
			r = put_u64(top, "cpu.shares", CPU_UNITS * processors());
		if (r == 0)
			r = make_dir(dir);
		if (r == 0)
			r = limit_v1(name, dir, memory, cpu);
	}
	return err_trace(r);
}

/* Shares of 2 to 262144 onto weights of 1 to 10000, as runtimes do. */
static uint64_t
weight_of(uint32_t cpu)
{
	uint64_t shares = MIN(MAX(cpu, 2), 262144);

	return 1 + (shares - 2) * 9999 / 262142;
}

static int
limit_v2(struct arena *a, const char *dir, uint64_t memory, uint32_t cpu)
{
	int r = 0;

	if (memory)
		r = put_u64(dir, "memory.max", memory);
	/* Absent where swap is not accounted. */
	if (r == 0 && memory &&
	    access(arena_fmt(a, "%s/memory.swap.max", dir), F_OK) == 0)
		r = put(dir, "memory.swap.max", "0");
	if (r == 0 && cpu)
		r = put(dir, "cpu.max", arena_fmt(a, "%ju %d",
		    (uintmax_t)cpu * CPU_PERIOD_US / CPU_UNITS, CPU_PERIOD_US));
	if (r == 0 && cpu)
		r = put_u64(dir, "cpu.weight", weight_of(cpu));
	return err_trace(r);
}

#define V2_CONTROLLERS "+cpu +memory +pids"
#define LEAF	       "init"
#define VACATE_ROUNDS  16

/* Moves the processes of one group to another, if they still live; those of
 * other PID namespaces have the number 0 here and stay. */
static int
move_members(const char *from, const char *to)
{
	_cleanup_free_ char *path = xasprintf("%s/cgroup.procs", from);
	FILE *f = fopen(path, "re");
	int pid, e = 0;

	if (!f)
		return err_origin(errno, "%s", path);
	while ((e == 0 || e == ESRCH) && fscanf(f, "%d", &pid) == 1) {
		_cleanup_free_ char *text = xasprintf("%d", pid);

		if (pid > 0)
			e = try_put(to, "cgroup.procs", text);
	}
	fclose(f);
	return e == 0 || e == ESRCH ? 0 : err_origin(e, "move to %s", to);
}

/*
 * Hands the root's controllers down.  On a host the root may have processes
 * nevertheless.  In a container it is a group like any other, with the
 * container's processes in it: those go to a leaf, as an init system would
 * have it.  They stay there: others may have come to rely on it.
 */
static int
open_root(const char *root)
{
	_cleanup_free_ char *leaf = xasprintf("%s/" LEAF, root);
	int r = 0;

	/* Some may have been started meanwhile. */
	for (int i = 0; r == 0 && i < VACATE_ROUNDS; i++) {
		if (try_put(root, "cgroup.subtree_control",
		    V2_CONTROLLERS) != EBUSY)
			break;
		r = make_dir(leaf);
		if (r == 0)
			r = move_members(root, leaf);
	}
	if (r == 0)
		r = put(root, "cgroup.subtree_control", V2_CONTROLLERS);
	return err_trace(r);
}

/* A group has what its parent hands down; none below the root has processes. */
static int
make_v2(struct arena *a, const struct host *h, struct span task,
    uint64_t memory, uint32_t cpu)
{
	const char *root = root_of(h);
	const char *chain[] = {
	    arena_fmt(a, "%s%s", root, cgroup_path(a, h, SPAN_NULL, SPAN_NULL)),
	    arena_fmt(a, "%s%s", root, cgroup_path(a, h, task, SPAN_NULL))};
	int r = open_root(root);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(chain); i++) {
		r = make_dir(chain[i]);
		if (r == 0)
			r = put(chain[i], "cgroup.subtree_control",
			    V2_CONTROLLERS);
	}
	if (r == 0)
		r = put_u64(chain[0], "cpu.weight", CPU_WEIGHT * processors());
	if (r == 0)
		r = limit_v2(a, chain[1], memory, cpu);
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
		return arena_fmt(a, "%s%s/memory.events", root_of(h), path);
	return arena_fmt(a, "%s/memory%s/memory.oom_control", root_of(h), path);
}

/* Signals everything in one group; false when there is nobody. */
static bool
kill_members(const char *dir)
{
	_cleanup_free_ char *all = xasprintf("%s/cgroup.kill", dir);
	_cleanup_free_ char *path = xasprintf("%s/cgroup.procs", dir);
	_cleanup_close_ int fd = open(all, O_WRONLY | O_CLOEXEC);
	bool any = false;
	FILE *f;
	int pid;

	/* v2 since Linux 5.14: nothing forks away from it. */
	if (fd >= 0 && write(fd, "1", 1) == 1)
		return true;
	f = fopen(path, "re");

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
		return errno == ENOENT || errno == ENOTDIR ? 0 :
		    err_origin(errno, "%s", dir);
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
	struct dirent *e;
	int r = 0, s;
	DIR *d;

	if (h->cgroups == CGROUP_V2)
		return err_trace(remove_tree(arena_fmt(a, "%s%s", root_of(h),
		    path)));
	d = opendir(root_of(h));
	if (!d)
		return err_origin(errno, "%s", root_of(h));
	/* In whatever hierarchies this host has: crun enters all of them. */
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		s = remove_tree(arena_fmt(a, "%s/%s%s", root_of(h), e->d_name,
		    path));
		if (r == 0)
			r = s;
	}
	closedir(d);
	return err_trace(r);
}
