/* Which file moves a process to where it is. */
#include "base/test.h"
#include "warden/warm.h"

static const char v1[] = "5:name=systemd:/u/s\n4:memory:/a/b\n3:cpu,cpuacct:/c\n"
			 "0::/user.slice\n";

static const struct {
	enum cgroup_mode mode;
	const char *self, *want;
} rows[] = {
    {CGROUP_V1, v1, "/r/memory/a/b/cgroup.procs"},
    {CGROUP_HYBRID, v1, "/r/memory/a/b/cgroup.procs"},
    {CGROUP_V2, v1, "/r/user.slice/cgroup.procs"},
    {CGROUP_V2, "0::/", "/r//cgroup.procs"},
    {CGROUP_V2, "0::/a:b\n", "/r/a:b/cgroup.procs"},
    {CGROUP_V2, "4:memory:/a\n", NULL},
    {CGROUP_V1, "0::/a\n", NULL},
    {CGROUP_V1, "", NULL},
};

static void
test_path(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *got = warm_path(a, "/r", rows[i].mode,
		    span_of(rows[i].self));

		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_path)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
