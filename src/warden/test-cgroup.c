/* Paths and values of control groups in trees that stand for the kernel's:
 * a directory is made beforehand where the kernel would fill it with files. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/cgroup.h"
#include "warden/dirs.h"

#define TASK SPAN("t1")

static struct host host;
static struct arena *a;

static int
setup(void **state UNUSED)
{
	a = arena_new();
	host = (struct host){.magic = HOST_MAGIC, .instance = "ngx",
	    .cgroup_root = arena_fmt(a, "/tmp/neargate-cgroup-XXXXXX")};
	assert_non_null(mkdtemp((char *)(uintptr_t)host.cgroup_root));
	return 0;
}

static int
teardown(void **state UNUSED)
{
	assert_int_equal(dirs_remove(AT_FDCWD, host.cgroup_root), 0);
	arena_free(a);
	return 0;
}

static const char *
at(const char *path)
{
	return arena_fmt(a, "%s/%s", host.cgroup_root, path);
}

/* A group with these files, blank-separated, and its parents. */
static void
group(const char *path, const char *files)
{
	struct span rest = span_of(path), f = span_of(files);
	size_t n = 0;

	while (rest.p) {
		n += span_cut(&rest, '/').n + (n > 0);
		(void)mkdir(at(arena_fmt(a, "%.*s", (int)n, path)), 0755);
	}
	while (f.n) {
		struct span name = span_cut(&f, ' ');
		int fd = open(at(arena_fmt(a, "%s/%.*s", path, SPAN_ARG(name))),
		    O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		assert_true(fd >= 0);
		close(fd);
	}
}

static void
assert_value(const char *path, const char *want)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = open(at(path), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	buf_reserve(&b, 256);
	n = read(fd, b.p, 255);
	assert_true(n >= 0);
	b.n = (size_t)n;
	b.p[b.n] = '\0';
	assert_string_equal(buf_str(&b), want);
}

static void
test_paths(void **state UNUSED)
{
	assert_string_equal(cgroup_path(a, &host, SPAN_NULL, SPAN_NULL),
	    "/neargate-ngx");
	assert_string_equal(cgroup_path(a, &host, TASK, SPAN_NULL),
	    "/neargate-ngx/t1");
	assert_string_equal(cgroup_path(a, &host, TASK, SPAN("c")),
	    "/neargate-ngx/t1/c");
	host.cgroups = CGROUP_V2;
	assert_string_equal(cgroup_oom_file(a, &host, TASK, SPAN("c")),
	    at("neargate-ngx/t1/c/memory.events"));
	host.cgroups = CGROUP_HYBRID;
	assert_string_equal(cgroup_oom_file(a, &host, TASK, SPAN("c")),
	    at("memory/neargate-ngx/t1/c/memory.oom_control"));
}

static void
v1(const char *memory_files)
{
	group("memory/neargate-ngx/t1", memory_files);
	group("cpu/neargate-ngx", "cpu.shares");
	group("cpu/neargate-ngx/t1",
	    "cpu.cfs_period_us cpu.cfs_quota_us cpu.shares");
}

static void
test_v1_limits(void **state UNUSED)
{
	host.cgroups = CGROUP_V1;
	v1("memory.limit_in_bytes memory.memsw.limit_in_bytes");
	assert_int_equal(cgroup_task_make(&host, TASK, 512u << 20, 256), 0);
	assert_value("memory/neargate-ngx/t1/memory.limit_in_bytes",
	    "536870912");
	assert_value("memory/neargate-ngx/t1/memory.memsw.limit_in_bytes",
	    "536870912");
	assert_value("cpu/neargate-ngx/t1/cpu.cfs_period_us", "100000");
	assert_value("cpu/neargate-ngx/t1/cpu.cfs_quota_us", "25000");
	assert_value("cpu/neargate-ngx/t1/cpu.shares", "256");
	assert_value("cpu/neargate-ngx/cpu.shares", arena_fmt(a, "%ld",
	    1024 * MIN(sysconf(_SC_NPROCESSORS_ONLN), 100)));
}

/* What tasks use is for neargated to read, whatever the umask. */
static void
test_v1_open_to_all(void **state UNUSED)
{
	static const char *const dirs[] = {"cpuacct/neargate-ngx",
		"cpuacct/neargate-ngx/t1", "memory/neargate-ngx/t2"};
	mode_t was;
	struct stat st;

	host.cgroups = CGROUP_V1;
	v1("memory.limit_in_bytes");
	group("cpuacct", "");
	was = umask(0077);
	assert_int_equal(cgroup_task_make(&host, TASK, 0, 0), 0);
	assert_int_equal(cgroup_task_make(&host, SPAN("t2"), 0, 0), 0);
	umask(was);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		assert_int_equal(stat(at(dirs[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0755);
	}
}

/* Swap that is not accounted is no fault; no limit is none. */
static void
test_v1_least(void **state UNUSED)
{
	host.cgroups = CGROUP_HYBRID;
	v1("memory.limit_in_bytes");
	assert_int_equal(cgroup_task_make(&host, TASK, 1u << 30, 0), 0);
	assert_value("memory/neargate-ngx/t1/memory.limit_in_bytes",
	    "1073741824");
	assert_value("cpu/neargate-ngx/t1/cpu.cfs_quota_us", "");
}

static void
test_v1_missing(void **state UNUSED)
{
	host.cgroups = CGROUP_V1;
	group("memory", "");
	assert_int_equal(cgroup_task_make(&host, TASK, 0, 0), -ENOENT);
}

static void
v2(const char *task_files)
{
	host.cgroups = CGROUP_V2;
	group("neargate-ngx", "cgroup.subtree_control cpu.weight");
	group("neargate-ngx/t1", task_files);
	close(open(at("cgroup.subtree_control"), O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644));
}

static void
test_v2_limits(void **state UNUSED)
{
	v2("cgroup.subtree_control memory.max memory.swap.max cpu.max "
	   "cpu.weight");
	assert_int_equal(cgroup_task_make(&host, TASK, 512u << 20, 256), 0);
	assert_value("cgroup.subtree_control", "+cpu +memory +pids");
	assert_value("neargate-ngx/cgroup.subtree_control",
	    "+cpu +memory +pids");
	assert_value("neargate-ngx/t1/cgroup.subtree_control",
	    "+cpu +memory +pids");
	assert_value("neargate-ngx/t1/memory.max", "536870912");
	assert_value("neargate-ngx/t1/memory.swap.max", "0");
	assert_value("neargate-ngx/t1/cpu.max", "25000 100000");
	assert_value("neargate-ngx/t1/cpu.weight", "10");
	assert_value("neargate-ngx/cpu.weight", arena_fmt(a, "%ld",
	    100 * MIN(sysconf(_SC_NPROCESSORS_ONLN), 100)));
}

static void
test_v2_least(void **state UNUSED)
{
	v2("cgroup.subtree_control memory.max cpu.max cpu.weight");
	assert_int_equal(cgroup_task_make(&host, TASK, 1u << 20, 16384), 0);
	assert_value("neargate-ngx/t1/cpu.max", "1600000 100000");
	assert_value("neargate-ngx/t1/cpu.weight", "625");
}

/* A limit that cannot be set refuses the task; it is never dropped. */
static void
test_v2_refused(void **state UNUSED)
{
	v2("cgroup.subtree_control cpu.max");
	assert_int_equal(cgroup_task_make(&host, TASK, 1u << 20, 256),
	    -ENOENT);
}

static void
test_remove_v1(void **state UNUSED)
{
	host.cgroups = CGROUP_HYBRID;
	group("memory/neargate-ngx/t1/c", "");
	group("memory/neargate-ngx/t2", "");
	group("memory/neargate-ngxy/t1", "");
	group("named/neargate-ngx/t1/c", "");
	group("other", "tasks");
	assert_int_equal(cgroup_remove(&host, TASK, SPAN("c")), 0);
	assert_int_equal(access(at("memory/neargate-ngx/t1/c"), F_OK), -1);
	assert_int_equal(access(at("named/neargate-ngx/t1/c"), F_OK), -1);
	assert_int_equal(access(at("memory/neargate-ngx/t1"), F_OK), 0);
	assert_int_equal(cgroup_remove(&host, TASK, SPAN_NULL), 0);
	assert_int_equal(access(at("named/neargate-ngx/t1"), F_OK), -1);
	assert_int_equal(access(at("memory/neargate-ngx/t2"), F_OK), 0);
	assert_int_equal(cgroup_remove(&host, SPAN_NULL, SPAN_NULL), 0);
	assert_int_equal(access(at("memory/neargate-ngx"), F_OK), -1);
	/* Another instance's, though its name begins as ours. */
	assert_int_equal(access(at("memory/neargate-ngxy/t1"), F_OK), 0);
	assert_int_equal(cgroup_remove(&host, TASK, SPAN("c")), 0);
}

static void
test_remove_v2(void **state UNUSED)
{
	host.cgroups = CGROUP_V2;
	group("neargate-ngx/t1/c", "");
	group("neargate-ngx/t1/d", "");
	assert_int_equal(cgroup_remove(&host, TASK, SPAN("c")), 0);
	assert_int_equal(access(at("neargate-ngx/t1/c"), F_OK), -1);
	assert_int_equal(access(at("neargate-ngx/t1/d"), F_OK), 0);
	assert_int_equal(cgroup_remove(&host, SPAN_NULL, SPAN_NULL), 0);
	assert_int_equal(access(at("neargate-ngx"), F_OK), -1);
}

/* A warden that starts just after another has ended finds its hierarchy still
 * ending.  Needs root and a kernel that knows how. */
static void
test_hold_hierarchy_again(void **state UNUSED)
{
	const char *name = arena_fmt(a, "neargate-test-%d", (int)getpid());
	int fd = cgroup_hold_hierarchy(name);

	if (fd < 0)
		skip(); /* does not return */
	for (int i = 0; i < 3; i++) {
		close(fd);
		fd = cgroup_hold_hierarchy(name);
		assert_true(fd >= 0);
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_paths), T(test_v1_limits), T(test_v1_open_to_all),
		T(test_v1_least),
		T(test_v1_missing), T(test_v2_limits), T(test_v2_least),
		T(test_v2_refused), T(test_remove_v1), T(test_remove_v2),
		T(test_hold_hierarchy_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
