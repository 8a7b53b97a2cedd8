/* Control groups' accounts, from trees as the kernel shows them. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/test.h"
#include "drv/runtime/usage.h"

static char *root;

static void
put(const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", root, file);
	_cleanup_free_ char *dir = xasprintf("mkdir -p $(dirname %s)", path);
	FILE *f;

	AZ(system(dir));
	AN(f = fopen(path, "w"));
	AN(fputs(text, f) >= 0);
	AZ(fclose(f));
}

static int
setup(void **state UNUSED)
{
	root = xstrdup("/tmp/test-usage-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int
teardown(void **state UNUSED)
{
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", root);

	free_p(&root);
	return system(rm);
}

static void
test_v1(void **state UNUSED)
{
	struct task_usage u;

	put("unified/cgroup.controllers", "");
	put("cpuacct/g/t/cpuacct.usage", "1234567890\n");
	put("memory/g/t/memory.usage_in_bytes", "1000000\n");
	put("memory/g/t/memory.stat", "cache 500000\ninactive_file 7\n"
	    "total_cache 500000\ntotal_inactive_file 300000\n");
	usage_read(root, "/g/t", &u);
	assert_true(u.there);
	assert_int_equal(u.cpu_us, 1234567);
	assert_int_equal(u.memory, 700000);
	usage_read(root, "/g/other", &u);
	assert_false(u.there);
	assert_int_equal(u.cpu_us, 0);
	/* Half of it is gone already. */
	put("memory/g/t/memory.stat", "");
	usage_read(root, "/g/t", &u);
	assert_false(u.there);
	assert_int_equal(u.memory, 0);
}

static void
test_v2(void **state UNUSED)
{
	struct task_usage u;

	put("cgroup.controllers", "cpu memory pids\n");
	put("g/t/cpu.stat", "usage_usec 4242\nuser_usec 1\nsystem_usec 2\n");
	put("g/t/memory.current", "1000\n");
	put("g/t/memory.stat", "anon 1\nfile 2\ninactive_file 4000\n");
	usage_read(root, "/g/t", &u);
	assert_true(u.there);
	assert_int_equal(u.cpu_us, 4242);
	assert_int_equal(u.memory, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_v1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_v2, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
