/* The controllers' queue: coalescing, timers, back-off, rollback. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/test.h"
#include "ctl/ctl.h"

static const struct kind pet = {.name = "zoo.pet"};
static const struct kind *const kinds[] = {&pet, NULL};
static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

static int runs, fail_first;
static int64_t again_once;

static int
run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct res *r = NULL;

	runs++;
	assert_int_equal(store_get_row(ctl_env(ctl)->store, a, key, &r), 0);
	doc_set_int(a, r->status, "Runs", runs);
	if (runs <= fail_first) {
		doc_set_bool(a, r->status, "Half", true);
		assert_int_equal(store_put_status(ctl_env(ctl)->store, r), 0);
		return err_origin(EIO, "wanted failure");
	}
	*again_ms = again_once;
	again_once = 0;
	return 0;
}

static const struct controller fake = {
    .name = "fake", .kinds = kinds, .run = run};
static const struct controller *const list[] = {&fake, NULL};

static void
commit(uv_prepare_t *h)
{
	store_commit(h->data);
}

static void
test_queue(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *dir = xstrdup("/tmp/test-ctl-XXXXXX");
	_cleanup_free_ char *rm = NULL;
	struct ctl_env env = {0};
	struct res *r, *got = NULL;
	struct ctl *ctl;
	uv_prepare_t prep;
	uv_loop_t loop;
	int64_t from;

	AN(mkdtemp(dir));
	AZ(uv_loop_init(&loop));
	env.loop = &loop;
	AZ(store_open(dir, kinds, &env.store));
	r = res_new(a, &pet, here, SPAN(""), SPAN("leo"));
	AZ(store_insert(env.store, a, r));
	AZ(uv_prepare_init(&loop, &prep));
	prep.data = env.store;
	AZ(uv_prepare_start(&prep, commit));
	uv_unref((uv_handle_t *)&prep);

	/* Start, the commit of the insert and a wake are one run each at most;
	 * the first fails and is undone, the timer runs it again. */
	fail_first = 1;
	again_once = 20;
	from = clock_mono_us();
	AZ(ctl_new(&env, list, &ctl));
	ctl_wake(ctl, &fake, r->row);
	ctl_wake(ctl, &fake, r->row);
	while (runs < 4 && clock_mono_us() - from < 2000000)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(runs >= 3);
	assert_int_equal(store_get_row(env.store, a, r->row, &got), 0);
	assert_int_equal(doc_len(got->status), 0);

	/* Stopped, it hears nothing; started again it looks at all there is. */
	ctl_stop(ctl);
	ctl_stop(ctl);
	runs = 0;
	fail_first = 0;
	ctl_wake(ctl, &fake, r->row);
	ctl_wake_after(ctl, &fake, r->row, 1);
	AZ(store_put_spec(env.store, r));
	store_commit(env.store);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(runs, 0);
	assert_int_equal(ctl_start(ctl), 0);
	while (runs < 1 && clock_mono_us() - from < 4000000)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(runs, 1);
	ctl_free(ctl);
	uv_close((uv_handle_t *)&prep, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	store_close(env.store);
	AZ(uv_loop_close(&loop));
	rm = xasprintf("rm -rf %s", dir);
	AZ(system(rm));
}

/* It does not listen to what it writes itself. */
static int64_t
by_spec(void *state UNUSED, struct ctl *ctl UNUSED, const struct change *c)
{
	return c->spec ? c->row : 0;
}

static int
run_deaf(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms UNUSED)
{
	struct res *r = NULL;

	runs++;
	assert_int_equal(store_get_row(ctl_env(ctl)->store, a, key, &r), 0);
	doc_set_int(a, r->status, "Runs", runs);
	assert_int_equal(store_put_status(ctl_env(ctl)->store, r), 0);
	return 0;
}

static const struct controller deaf = {
    .name = "deaf", .kinds = kinds, .key = by_spec, .run = run_deaf};
static const struct controller *const deaf_list[] = {&deaf, NULL};

static void
limit_files(rlim_t bytes)
{
	struct rlimit l;

	AZ(getrlimit(RLIMIT_FSIZE, &l));
	l.rlim_cur = bytes;
	AZ(setrlimit(RLIMIT_FSIZE, &l));
}

static void
run_until(uv_loop_t *loop, int wanted)
{
	int64_t from = clock_mono_us();

	while (runs < wanted && clock_mono_us() - from < 2000000)
		uv_run(loop, UV_RUN_ONCE);
	assert_int_equal(runs, wanted);
}

static void
test_lost_turn(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *dir = xstrdup("/tmp/test-ctl-XXXXXX");
	_cleanup_free_ char *rm = NULL;
	struct ctl_env env = {0};
	struct res *r, *got = NULL;
	struct ctl *ctl;
	uv_prepare_t prep;
	uv_loop_t loop;

	AN(mkdtemp(dir));
	AZ(uv_loop_init(&loop));
	env.loop = &loop;
	AZ(store_open(dir, kinds, &env.store));
	r = res_new(a, &pet, here, SPAN(""), SPAN("leo"));
	AZ(store_insert(env.store, a, r));
	store_commit(env.store);
	AZ(uv_prepare_init(&loop, &prep));
	prep.data = env.store;
	AZ(uv_prepare_start(&prep, commit));
	uv_unref((uv_handle_t *)&prep);
	runs = fail_first = 0;
	AZ(ctl_new(&env, deaf_list, &ctl));
	run_until(&loop, 1);

	signal(SIGXFSZ, SIG_IGN);
	limit_files(1);
	ctl_wake(ctl, &deaf, r->row);
	run_until(&loop, 2);
	limit_files(RLIM_INFINITY);
	assert_int_equal(store_losses(env.store), 1);
	assert_int_equal(store_get_row(env.store, a, r->row, &got), 0);
	assert_int_equal(doc_get_int(got->status, "Runs", 0), 1);
	run_until(&loop, 3);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(store_get_row(env.store, a, r->row, &got), 0);
	assert_int_equal(doc_get_int(got->status, "Runs", 0), 3);
	assert_int_equal(runs, 3);
	ctl_free(ctl);
	uv_close((uv_handle_t *)&prep, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	store_close(env.store);
	AZ(uv_loop_close(&loop));
	rm = xasprintf("rm -rf %s", dir);
	AZ(system(rm));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_queue),
		cmocka_unit_test(test_lost_turn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
