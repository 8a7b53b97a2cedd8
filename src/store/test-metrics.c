/* Metrics: order, replacing, dropping, a restart, a wipe, a full disk. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"
#include "store/metrics.h"

static const struct kind *const kinds[] = {NULL};

struct fixture {
	char *dir;
	struct store *s;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = xstrdup("/tmp/test-metrics-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, kinds, &f->s));
	f->a = arena_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", f->dir);

	store_close(f->s);
	arena_free(f->a);
	AZ(system(rm));
	free(f->dir);
	free(f);
	return 0;
}

static const struct metric cpu = {{{"1", 1}, {"r", 1}}, {"AWS/ECS", 7},
	{"CPUUtilization", 14}, {"ClusterName=c,ServiceName=s", 27}};
static const struct metric other = {{{"1", 1}, {"r", 1}}, {"AWS/ECS", 7},
	{"CPUUtilization", 14}, {"ClusterName=c,ServiceName=t", 27}};

static struct metric_sample
sample(const struct metric *m, int64_t time, double v)
{
	return (struct metric_sample){*m, {time, v, 1, v, v}};
}

/* The times and sums of points, newest first. */
static void
expect(struct fixture *f, const struct metric *m, int64_t from, size_t limit,
    const char *text)
{
	struct metric_point *v;
	struct span got = SPAN_NULL;
	size_t n;

	assert_int_equal(metric_get(store_metrics(f->s), f->a, m, from, limit,
	    &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		got = arena_fmt_span(f->a, "%.*s%lld:%g ", SPAN_ARG(got),
		    (long long)v[i].time, v[i].sum);
	assert_string_equal(arena_str(f->a, got), text);
}

static void
test_points(void **state)
{
	struct fixture *f = *state;
	const struct metric_sample v[] = {sample(&cpu, 60, 1),
		sample(&cpu, 180, 3), sample(&cpu, 120, 2.5),
		sample(&other, 120, 9)};
	const struct metric_sample again = sample(&cpu, 180, 4);

	expect(f, &cpu, 0, 10, "");
	assert_int_equal(metric_put(store_metrics(f->s), v, 4), 0);
	expect(f, &cpu, 0, 10, "180:3 120:2.5 60:1 ");
	expect(f, &cpu, 0, 2, "180:3 120:2.5 ");
	expect(f, &cpu, 120, 10, "180:3 120:2.5 ");
	expect(f, &other, 0, 10, "120:9 ");
	assert_int_equal(metric_put(store_metrics(f->s), &again, 1), 0);
	expect(f, &cpu, 0, 10, "180:4 120:2.5 60:1 ");
	assert_int_equal(metric_put(store_metrics(f->s), NULL, 0), 0);
	store_close(f->s);
	AZ(store_open(f->dir, kinds, &f->s));
	expect(f, &cpu, 0, 10, "180:4 120:2.5 60:1 ");
	assert_int_equal(metric_drop_before(store_metrics(f->s), 180), 0);
	expect(f, &cpu, 0, 10, "180:4 ");
	expect(f, &other, 0, 10, "");
	assert_int_equal(store_wipe(f->s), 0);
	store_commit(f->s);
	expect(f, &cpu, 0, 10, "");
}

static void
test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, full = {0};
	struct metric_sample v[400];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = sample(&cpu, (int64_t)i, 1);
	AZ(getrlimit(RLIMIT_FSIZE, &was));
	full.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	AZ(setrlimit(RLIMIT_FSIZE, &full));
	assert_true(metric_put(store_metrics(f->s), v, ARRAY_SIZE(v)) < 0);
	AZ(setrlimit(RLIMIT_FSIZE, &was));
	expect(f, &cpu, 0, 10, "");
	assert_int_equal(metric_put(store_metrics(f->s), v, 1), 0);
	expect(f, &cpu, 0, 10, "0:1 ");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_points), T(test_full_disk)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
