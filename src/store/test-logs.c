/* Log events: order, ranges, statistics, deleting, the turn, a crash. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "store/logs.h"
#include "store/store.h"

static const struct kind *const kinds[] = {NULL};

struct fixture {
	char *dir;
	struct store *s;
	struct log_store *l;
	struct arena *a;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = xstrdup("/tmp/test-logs-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, kinds, &f->s));
	f->l = store_logs(f->s);
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

/* One event for each letter, at 10, 20, 30 and so on from start. */
static void
add(struct fixture *f, int64_t group, int64_t stream, int64_t start,
    const char *letters)
{
	struct log_event v[64];
	size_t n = strlen(letters);

	AN(n <= ARRAY_SIZE(v));
	for (size_t i = 0; i < n; i++)
		v[i] = (struct log_event){.time = start + (int64_t)i * 10,
		    .message = span_make(letters + i, 1)};
	assert_int_equal(log_append(f->l, group, stream, v, n, 5000, true), 0);
}

static bool
collect(void *ctx, const struct log_event *e)
{
	buf_add_span(ctx, e->message);
	return true;
}

static void
expect(struct fixture *f, const struct log_query *q, const char *letters)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	assert_int_equal(log_scan(f->l, q, collect, &b), 0);
	assert_string_equal(buf_str(&b), letters);
}

static const struct log_query stream1 = {.group = 1, .stream = 11,
    .from = {0, 0}, .to = {INT64_MAX, INT64_MAX}};
static const struct log_query group1 = {.group = 1,
    .from = {0, 0}, .to = {INT64_MAX, INT64_MAX}};

static void
test_order(void **state)
{
	struct fixture *f = *state;
	struct log_query q = stream1;

	add(f, 1, 11, 100, "abc");
	add(f, 1, 12, 105, "xyz");
	add(f, 2, 21, 100, "other");
	add(f, 1, 11, 110, "B"); /* late, at the time of b */
	expect(f, &stream1, "abBc");
	expect(f, &group1, "axbByc" "z");
	q.backward = true;
	expect(f, &q, "cBba");
	q.from = (struct log_pos){110, 0};
	q.to = (struct log_pos){120, 0};
	expect(f, &q, "Bb");
	q.backward = false;
	expect(f, &q, "bB");
	q = group1;
	q.from.time = 115;
	expect(f, &q, "ycz");
	q.backward = true;
	expect(f, &q, "zcy");
}

static bool
first_only(void *ctx, const struct log_event *e)
{
	struct log_event *ret = ctx;

	*ret = *e;
	return false;
}

static void
test_positions(void **state)
{
	struct fixture *f = *state;
	struct log_query q = stream1;
	struct log_event e;

	add(f, 1, 11, 100, "a");
	add(f, 1, 11, 100, "b");
	assert_int_equal(log_scan(f->l, &q, first_only, &e), 0);
	q.from = (struct log_pos){e.time, e.id + 1};
	expect(f, &q, "b");
	q = stream1;
	q.to = (struct log_pos){e.time, e.id};
	expect(f, &q, "");
	assert_int_equal(e.ingested, 5000);
	assert_int_equal(e.stream, 11);
}

static void
test_bytes_are_kept(void **state)
{
	struct fixture *f = *state;
	struct log_event e = {.time = 1, .message = SPAN("a\0b\xff")};
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	AZ(log_append(f->l, 1, 11, &e, 1, 1, true));
	AZ(log_scan(f->l, &stream1, collect, &b));
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "a\0b\xff", 4);
}

static void
sum(void *ctx, const struct log_stats *s)
{
	int64_t *v = ctx;

	v[0]++;
	v[1] += s->bytes;
}

static void
test_stats_and_deleting(void **state)
{
	struct fixture *f = *state;
	struct log_stats s;
	int64_t v[2] = {0, 0};
	size_t n;

	AZ(log_stats(f->l, 11, &s));
	assert_int_equal(s.first, -1);
	assert_int_equal(s.last, -1);
	add(f, 1, 11, 200, "cd");
	add(f, 1, 11, 100, "ab");
	add(f, 1, 12, 105, "x");
	AZ(log_stats(f->l, 11, &s));
	assert_int_equal(s.first, 100);
	assert_int_equal(s.last, 210);
	assert_int_equal(s.bytes, 4 * 27);
	assert_int_equal(s.group, 1);
	AZ(log_stats_each(f->l, 1, sum, v));
	assert_int_equal(v[0], 2);
	assert_int_equal(v[1], 5 * 27);
	AZ(log_delete_before(f->l, 1, 200, 2, &n));
	assert_int_equal(n, 2);
	expect(f, &group1, "bcd");
	AZ(log_stats(f->l, 11, &s));
	assert_int_equal(s.first, 110);
	assert_int_equal(s.bytes, 3 * 27);
	AZ(log_delete_before(f->l, 1, 200, 2, &n));
	assert_int_equal(n, 1);
	expect(f, &group1, "cd");
	AZ(log_delete_stream(f->l, 11, 2, &n));
	assert_int_equal(n, 2);
	AZ(log_delete_stream(f->l, 11, 2, &n));
	assert_int_equal(n, 0);
	AZ(log_stats(f->l, 11, &s));
	assert_int_equal(s.last, -1);
}

static int told;

static void
on_commit(void *ctx UNUSED, int err)
{
	told = err ? -1 : 1;
}

static void
test_turn(void **state)
{
	struct fixture *f = *state;
	struct log_event e = {.time = 1, .message = SPAN("x")};

	/* A relaxed write keeps no reply waiting. */
	AZ(log_append(f->l, 1, 11, &e, 1, 1, false));
	assert_false(store_dirty(f->s));
	store_commit(f->s);
	AZ(log_append(f->l, 1, 11, &e, 1, 1, true));
	assert_true(store_dirty(f->s));
	told = 0;
	store_on_commit(f->s, on_commit, NULL);
	store_commit(f->s);
	assert_int_equal(told, 1);
	assert_false(store_dirty(f->s));
	expect(f, &stream1, "xx");
	AZ(log_sync(f->l));
	AZ(store_wipe(f->s));
	store_commit(f->s);
	expect(f, &stream1, "");
}

static void
test_sources(void **state)
{
	struct fixture *f = *state;
	struct log_source s = {.made = 7, .segment = 3, .offset = 99,
	    .part = {SPAN_NULL, SPAN("half")}, .part_time = {0, 12}}, got;

	assert_int_equal(log_source_get(f->l, f->a, SPAN("c-0"), &got),
	    LOG_E_NOT_FOUND);
	AZ(log_source_put(f->l, SPAN("c-0"), &s));
	AZ(log_source_get(f->l, f->a, SPAN("c-0"), &got));
	assert_int_equal(got.made, 7);
	assert_int_equal(got.segment, 3);
	assert_int_equal(got.offset, 99);
	assert_int_equal(got.part[0].n, 0);
	assert_true(span_is(got.part[1], "half"));
	assert_int_equal(got.part_time[1], 12);
	s.part[1] = SPAN_NULL;
	s.offset = 100;
	AZ(log_source_put(f->l, SPAN("c-0"), &s));
	AZ(log_source_get(f->l, f->a, SPAN("c-0"), &got));
	assert_int_equal(got.part[1].n, 0);
	assert_int_equal(got.offset, 100);
	AZ(log_source_delete(f->l, SPAN("c-0")));
	assert_int_equal(log_source_get(f->l, f->a, SPAN("c-0"), &got),
	    LOG_E_NOT_FOUND);
}

/* Events and position are there together or not at all. */
static void
test_crash(void **state)
{
	struct fixture *f = *state;
	struct log_source s = {.segment = 1, .offset = 1}, got;
	struct log_event e = {.time = 1, .message = SPAN("x")};
	int status;
	pid_t pid;

	store_close(f->s);
	if ((pid = fork()) == 0) {
		AZ(store_open(f->dir, kinds, &f->s));
		f->l = store_logs(f->s);
		for (s.offset = 1; s.offset <= 3; s.offset++) {
			AZ(log_append(f->l, 1, 11, &e, 1, 1, false));
			AZ(log_source_put(f->l, SPAN("c"), &s));
			if (s.offset < 3)
				store_commit(f->s);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	AZ(store_open(f->dir, kinds, &f->s));
	f->l = store_logs(f->s);
	expect(f, &stream1, "xx");
	AZ(log_source_get(f->l, f->a, SPAN("c"), &got));
	assert_int_equal(got.offset, 2);
}

/* A disk that takes no more: the turn is undone as a whole, and told so. */
static void
test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, tight = {.rlim_cur = 300 << 10};
	_cleanup_free_ char *big = xcalloc(1, 1 << 20);
	struct log_event e = {.time = 2, .message = span_make(big, 1 << 20)};
	struct log_source s = {.segment = 1, .offset = 1};

	add(f, 1, 11, 1, "a");
	store_commit(f->s);
	signal(SIGXFSZ, SIG_IGN);
	AZ(getrlimit(RLIMIT_FSIZE, &was));
	tight.rlim_max = was.rlim_max;
	AZ(setrlimit(RLIMIT_FSIZE, &tight));
	for (int i = 0; i < 8; i++)
		if (log_append(f->l, 1, 11, &e, 1, 1, true) < 0)
			break;
	(void)log_source_put(f->l, SPAN("c"), &s);
	told = 0;
	store_on_commit(f->s, on_commit, NULL);
	store_commit(f->s);
	AZ(setrlimit(RLIMIT_FSIZE, &was));
	assert_int_equal(told, -1);
	expect(f, &stream1, "a");
	assert_int_equal(log_source_get(f->l, f->a, SPAN("c"), &s),
	    LOG_E_NOT_FOUND);
	add(f, 1, 11, 3, "b");
	store_on_commit(f->s, on_commit, NULL);
	store_commit(f->s);
	assert_int_equal(told, 1);
	expect(f, &stream1, "ab");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_order), T(test_positions), T(test_bytes_are_kept),
	    T(test_stats_and_deleting), T(test_turn), T(test_sources),
	    T(test_crash), T(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
