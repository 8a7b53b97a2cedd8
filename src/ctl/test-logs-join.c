/* Records of a container's output: lines, parts, limits, garbage. */
#include "base/test.h"
#include "ctl/logs-join.h"

static void
expect(const struct join_events *e, size_t i, int64_t time, const char *text)
{
	assert_true(i < e->n);
	assert_int_equal(e->v[i].time, time);
	if (!span_is(e->v[i].message, text))
		fail_msg("%zu: '%.*s', not '%s'", i,
		    SPAN_ARG(e->v[i].message), text);
}

static void
test_records(void **state UNUSED)
{
	static const char text[] = "1 o F one\n2 e F two two\n3 o F \n"
				   "4 o P be\n5 e P other\n6 o F gun\n7 o F in";
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(join_done) struct join j = {0};
	struct join_events e = {0};

	assert_int_equal(join_add(&j, a, span_of(text), &e),
	    sizeof(text) - 1 - strlen("7 o F in"));
	assert_int_equal(e.n, 3);
	expect(&e, 0, 1, "one");
	expect(&e, 1, 2, "two two");
	expect(&e, 2, 4, "begun");
	assert_int_equal(j.part[0].n, 0);
	assert_true(span_is(buf_span(&j.part[1]), "other"));
	join_end(&j, a, &e);
	expect(&e, 3, 5, "other");
	assert_int_equal(e.n, 4);
}

static void
test_garbage(void **state UNUSED)
{
	static const char text[] = "\n1\n1 o\n1 x F a\n1 o X a\nx o F a\n"
				   "-1 o F a\n1 o F\n1 o F ok\n";
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(join_done) struct join j = {0};
	struct join_events e = {0};

	assert_int_equal(join_add(&j, a, span_of(text), &e), sizeof(text) - 1);
	assert_int_equal(e.n, 1);
	expect(&e, 0, 1, "ok");
}

static void
test_bad_bytes(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(join_done) struct join j = {0};
	struct join_events e = {0};

	join_add(&j, a, SPAN("1 o F a\xff" "b\n2 o P \xc3\n3 o F \xa9\n"), &e);
	expect(&e, 0, 1, "a\xef\xbf\xbd" "b");
	/* A character cut in two by the limit of a record is whole again. */
	expect(&e, 1, 2, "\xc3\xa9");
}

/* A line of any length: events of at most JOIN_MAX, all bytes there, no
 * character cut. */
static void
test_long_line(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(join_done) struct join j = {0};
	_cleanup_(buf_done) struct buf b = BUF_INIT, all = BUF_INIT;
	struct join_events e = {0};
	size_t sent = 0;

	for (int i = 0; i < 100; i++) {
		buf_clear(&b);
		buf_addf(&b, "%d o %c ", i + 1, i == 99 ? 'F' : 'P');
		for (int k = 0; k < 5461; k++)
			buf_add_str(&b, "\xe2\x82\xac");
		sent += 5461 * 3;
		buf_add_char(&b, '\n');
		assert_int_equal(join_add(&j, a, buf_span(&b), &e), b.n);
		assert_true(j.part[0].n <= JOIN_MAX);
	}
	assert_int_equal(e.n, sent / JOIN_MAX + 1);
	for (size_t i = 0; i < e.n; i++) {
		struct span m = e.v[i].message;

		assert_true(m.n <= JOIN_MAX && m.n > 0);
		assert_int_equal(m.n % 3, 0);
		assert_int_equal((unsigned char)m.p[0], 0xe2);
		buf_add_span(&all, m);
	}
	assert_int_equal(all.n, sent);
}

static void
test_several_lines(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct join_rule *rule;
	struct join j = {0};
	struct join_events e = {0};

	assert_int_equal(join_rule_new(SPAN("["), &rule), JOIN_E_BAD);
	AZ(join_rule_new(SPAN("^INFO|^ERROR"), &rule));
	j.rule = rule;
	join_add(&j, a, SPAN("1 o F \n2 o F before\n3 o F INFO one\n"
	    "4 e F ERROR two\n5 e F  at x\n6 e P  at \n6 e F y\n7 o F \n"),
	    &e);
	assert_int_equal(e.n, 2);
	expect(&e, 0, 2, "before");
	expect(&e, 1, 3, "INFO one");
	join_flush(&j, a, &e);
	expect(&e, 2, 4, "ERROR two\n at x\n at y\n");
	join_flush(&j, a, &e);
	assert_int_equal(e.n, 3);
	join_add(&j, a, SPAN("8 o F INFO three\n9 o P  half"
	    "\n"), &e);
	join_end(&j, a, &e);
	expect(&e, 3, 8, "INFO three\n half");
	assert_int_equal(e.n, 4);
	/* No event outgrows its limit. */
	for (int i = 0; i < 100; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		buf_addf(&b, "1 o F %s", i ? "" : "INFO ");
		for (int k = 0; k < 10000; k++)
			buf_add_char(&b, 'x');
		buf_add_char(&b, '\n');
		join_add(&j, a, arena_span(a, buf_span(&b)), &e);
		assert_true(j.part[JOIN_EVENT].n <= JOIN_MAX);
	}
	join_end(&j, a, &e);
	assert_int_equal(e.n, 4 + 4);
	join_done(&j);
	join_rule_free(rule);
}

static void
test_formats(void **state UNUSED)
{
	static const struct {
		const char *format, *line;
		bool begins;
	} rows[] = {
	    {"%Y-%m-%d %H:%M:%S%L", "2026-11-23 10:11:12.123 x", true},
	    {"%Y-%m-%d %H:%M:%S%L", "2026-11-23 10:11:12 x", false},
	    {"%Y-%m-%d %H:%M:%S%L", " at Foo.bar", false},
	    {"\\[%b %d, %Y %H:%M:%S\\]", "[May 01, 2017 19:00:01] a", true},
	    {"%d/%B/%y %I:%M %p %z", "07/June/26 07:05 PM +0200", true},
	    {"%A %a %j %w %Z %f", "Sunday Sun 001 0 CEST 123456", true},
	    {"100%% %q", "100%% %q", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_(join_done) struct join j = {0};
		struct join_rule *rule;
		struct join_events e = {0};

		AZ(join_rule_new(join_format_pattern(a,
		    span_of(rows[i].format)), &rule));
		j.rule = rule;
		join_add(&j, a, span_of(arena_fmt(a, "1 o F x\n1 o F %s\n",
		    rows[i].line)), &e);
		if (e.n != rows[i].begins)
			fail_msg("%s: %s", rows[i].format, rows[i].line);
		join_rule_free(rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records), cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_bad_bytes), cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_several_lines),
	    cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
