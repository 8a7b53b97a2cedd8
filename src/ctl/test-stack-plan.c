/* Graphs of resources, driven to their end with failures injected. */
#include "base/test.h"

#include "ctl/stack-plan.h"

#define N 7

/* 0 <- 1 <- 2, 0 <- 3, 4 alone, 5 <- 6 */
static const size_t d1[] = {0}, d2[] = {1}, d3[] = {0}, d6[] = {5};

static void
graph(struct stack_item *v)
{
	const struct stack_item fresh[N] = {
		{ITEM_TODO, NULL, 0}, {ITEM_TODO, d1, 1}, {ITEM_TODO, d2, 1},
		{ITEM_TODO, d3, 1}, {ITEM_TODO, NULL, 0},
		{ITEM_TODO, NULL, 0}, {ITEM_TODO, d6, 1}};

	for (size_t i = 0; i < N; i++)
		v[i] = fresh[i];
}

/* Everything that may begin at once does, and nothing before its deps. */
static void
test_waves(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const size_t want[3] = {3, 3, 1};
	struct stack_item v[N];
	struct stack_plan p;

	graph(v);
	for (size_t wave = 0; wave < 3; wave++) {
		p = stack_plan(a, v, N, false);
		assert_false(p.done || p.failed);
		assert_int_equal(p.n, want[wave]);
		for (size_t i = 0; i < p.n; i++)
			v[p.start[i]].state = ITEM_DONE;
	}
	p = stack_plan(a, v, N, false);
	assert_true(p.done && !p.failed && !p.n);
	assert_true(stack_plan(a, v, 0, false).done);
}

static void
test_busy_waits(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct stack_item v[N];
	struct stack_plan p;

	graph(v);
	v[0].state = v[4].state = v[5].state = ITEM_BUSY;
	for (int thorough = 0; thorough < 2; thorough++) {
		p = stack_plan(a, v, N, thorough);
		assert_true(!p.done && !p.failed && !p.n);
	}
}

/* Each item fails in turn: creation ends at once; deletion does all that the
 * failed one does not hold up, and then ends. */
static void
test_failures(void **state UNUSED)
{
	static const size_t held[N] = {3, 1, 0, 0, 0, 1, 0};
	_cleanup_arena_ struct arena *a = arena_new();
	struct stack_item v[N];
	struct stack_plan p;

	for (size_t bad = 0; bad < N; bad++) {
		size_t done = 0;

		graph(v);
		for (p = stack_plan(a, v, N, true); !p.failed && !p.done;
		     p = stack_plan(a, v, N, true))
			for (size_t i = 0; i < p.n; i++)
				v[p.start[i]].state = p.start[i] == bad ?
				    ITEM_FAILED : ITEM_DONE;
		assert_true(p.failed && !p.done);
		for (size_t i = 0; i < N; i++)
			done += v[i].state == ITEM_DONE;
		assert_int_equal(done, N - 1 - held[bad]);

		graph(v);
		v[bad].state = ITEM_FAILED;
		v[(bad + 1) % N].state = ITEM_BUSY;
		p = stack_plan(a, v, N, false);
		assert_true(p.failed && !p.n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waves),
		cmocka_unit_test(test_busy_waits),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
