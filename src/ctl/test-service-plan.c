/* A small model of the world, driven through thousands of random steps by the
 * scheduler's plans; what must always hold is checked after each. */
#include "base/test.h"

#include <string.h>

#include "ctl/service-plan.h"

#define MAX_TASKS 400

struct world {
	unsigned seed;
	int generation; /* of the deployment in force */
	bool broken;	/* its tasks never become healthy */
	int desired, min, max;
	struct {
		int generation;
		bool healthy, unhealthy, broken, veteran;
		size_t subnet;
	} t[MAX_TASKS];
	size_t n;
};

static int
rnd(struct world *w, int n)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (int)((w->seed >> 16) % (unsigned)n);
}

static int
healthy(const struct world *w)
{
	int n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->t[i].healthy;
	return n;
}

static void
drop(struct world *w, size_t i)
{
	memmove(&w->t[i], &w->t[i + 1], (w->n - i - 1) * sizeof(w->t[0]));
	w->n--;
}

static size_t
step(struct world *w, int allowance)
{
	struct plan_task tasks[MAX_TASKS];
	size_t start[MAX_TASKS], had = w->n, stopped = 0;
	struct service_plan p = {.desired = w->desired, .min_percent = w->min,
		.max_percent = w->max, .allowance = allowance, .n_subnets = 3,
		.tasks = tasks, .n_tasks = w->n, .start = start};
	int before = healthy(w), floor = plan_floor(w->desired, w->min), live;

	for (size_t i = 0; i < w->n; i++)
		tasks[i] = (struct plan_task){
			.primary = w->t[i].generation == w->generation,
			.healthy = w->t[i].healthy,
			.unhealthy = w->t[i].unhealthy,
			.veteran = w->t[i].veteran,
			.subnet = w->t[i].subnet,
		};
	service_plan(&p);
	assert_true(p.n_start <= (size_t)MAX(allowance, 0));
	for (size_t i = had; i-- > 0;)
		if (tasks[i].stop != PLAN_KEEP) {
			drop(w, i);
			stopped++;
		}
	live = (int)w->n;
	for (size_t i = 0; i < p.n_start; i++) {
		assert_true(p.start[i] < 3);
		w->t[w->n].generation = w->generation;
		w->t[w->n].healthy = w->t[w->n].unhealthy = false;
		w->t[w->n].veteran = false;
		w->t[w->n].broken = w->broken;
		w->t[w->n++].subnet = p.start[i];
	}
	/* Never more than the maximum, unless nothing was started. */
	if (p.n_start)
		assert_true(live + (int)p.n_start <=
		    plan_ceiling(w->desired, w->max));
	/* Healthy tasks are never stopped below the minimum. */
	assert_true(healthy(w) >= MIN(before, floor));
	return stopped + p.n_start;
}

static void
disturb(struct world *w)
{
	size_t i = w->n ? (size_t)rnd(w, (int)w->n) : 0;

	switch (rnd(w, 12)) {
	case 0:
		w->desired = rnd(w, 12);
		break;
	case 1:
		w->generation++;
		w->broken = rnd(w, 3) == 0;
		break;
	case 2:
		if (w->n)
			drop(w, i);
		break;
	case 3:
		if (w->n) {
			w->t[i].veteran = w->t[i].healthy;
			w->t[i].healthy = false;
			w->t[i].unhealthy = true;
		}
		break;
	case 4:
		w->min = rnd(w, 101);
		w->max = 100 + rnd(w, 150);
		break;
	default:
		if (w->n && !w->t[i].broken && !w->t[i].unhealthy)
			w->t[i].healthy = true;
	}
}

static void
test_random(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct world w = {.seed = seed, .desired = 3, .min = 100,
			.max = 200};

		for (int i = 0; i < 400; i++) {
			disturb(&w);
			step(&w, rnd(&w, 4) ? 10 : rnd(&w, 3));
		}
		/* Left alone, with tasks that work, it converges. */
		w.generation++;
		w.broken = false;
		w.min = 100;
		w.max = 200;
		w.desired = MAX(w.desired, 1);
		for (int i = 0; i < 100; i++) {
			step(&w, 10);
			for (size_t k = 0; k < w.n; k++)
				if (!w.t[k].broken && !w.t[k].unhealthy)
					w.t[k].healthy = true;
		}
		assert_int_equal(w.n, w.desired);
		for (size_t k = 0; k < w.n; k++)
			assert_int_equal(w.t[k].generation, w.generation);
		assert_int_equal(step(&w, 10), 0);
	}
}

/* A deployment whose tasks never get healthy takes nobody's place. */
static void
test_broken_deployment(void **state)
{
	struct world w = {.seed = 7, .desired = 4, .min = 100, .max = 200};

	(void)state;
	for (int i = 0; i < 3; i++) {
		step(&w, 10);
		for (size_t k = 0; k < w.n; k++)
			w.t[k].healthy = true;
	}
	assert_int_equal(healthy(&w), 4);
	w.generation++;
	w.broken = true;
	for (int i = 0; i < 20; i++) {
		step(&w, 10);
		assert_int_equal(healthy(&w), 4);
		assert_int_equal(w.n, 8);
	}
}

/* Of desired tasks one served and fails: how many are stopped and started,
 * before its replacement is healthy and after. */
static void
test_replacement(void **state)
{
	static const struct {
		int desired, max;
		size_t after, left; /* tasks after a step, bad ones of them */
	} cases[] = {
		{1, 200, 2, 1}, {2, 200, 3, 1}, {3, 134, 4, 1},
		/* No room beside it. */
		{1, 100, 1, 0}, {1, 199, 1, 0}, {2, 149, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = {.seed = 1, .desired = cases[i].desired,
			.min = 0, .max = cases[i].max};
		size_t bad = 0;

		step(&w, 10);
		for (size_t k = 0; k < w.n; k++)
			w.t[k].healthy = true;
		w.t[0].veteran = w.t[0].unhealthy = true;
		w.t[0].healthy = false;
		step(&w, 10);
		for (size_t k = 0; k < w.n; k++)
			bad += w.t[k].unhealthy;
		if (w.n != cases[i].after || bad != cases[i].left)
			fail_msg("case %zu: %zu tasks, %zu bad", i, w.n, bad);
		assert_int_equal(step(&w, 10), 0);
		for (size_t k = 0; k < w.n; k++)
			w.t[k].healthy = !w.t[k].unhealthy;
		step(&w, 10);
		assert_int_equal(w.n, cases[i].desired);
		assert_int_equal(healthy(&w), cases[i].desired);
	}
}

static void
test_numbers(void **state)
{
	(void)state;
	assert_int_equal(plan_floor(3, 50), 2);
	assert_int_equal(plan_floor(2, 100), 2);
	assert_int_equal(plan_floor(0, 100), 0);
	assert_int_equal(plan_ceiling(3, 150), 4);
	assert_int_equal(plan_ceiling(1, 199), 1);
	assert_int_equal(breaker_threshold(1), 3);
	assert_int_equal(breaker_threshold(25), 13);
	assert_int_equal(breaker_threshold(1000), 200);
	assert_int_equal(throttle_ms(0), 0);
	assert_int_equal(throttle_ms(3), 1000);
	assert_int_equal(throttle_ms(100), 60000);
}

static void
test_spread(void **state)
{
	struct world w = {.seed = 1, .desired = 6, .min = 100, .max = 200};
	int in[3] = {0};

	(void)state;
	step(&w, 10);
	assert_int_equal(w.n, 6);
	for (size_t i = 0; i < w.n; i++)
		in[w.t[i].subnet]++;
	assert_true(in[0] == 2 && in[1] == 2 && in[2] == 2);
	for (size_t i = 0; i < w.n; i++)
		w.t[i].healthy = true;
	w.desired = 3;
	step(&w, 10);
	memset(in, 0, sizeof(in));
	for (size_t i = 0; i < w.n; i++)
		in[w.t[i].subnet]++;
	assert_true(in[0] == 1 && in[1] == 1 && in[2] == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_broken_deployment),
		cmocka_unit_test(test_replacement),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
