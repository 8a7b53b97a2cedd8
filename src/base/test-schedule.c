/* Zones, the calendar, schedule expressions.  What is expected of zones is
 * what `zdump` and Python's zoneinfo say. */
#include "base/test.h"

#include "base/clock.h"
#include "base/schedule.h"

static int64_t
at(const char *text)
{
	int64_t ms;

	if (!clock_parse_iso(span_of(text), &ms))
		fail_msg("no time: %s", text);
	return ms / 1000;
}

static void
counts_days(void **state UNUSED)
{
	int64_t y, again;
	int m, d;

	assert_int_equal(date_days(1970, 1, 1), 0);
	assert_int_equal(date_days(2000, 3, 1), 11017);
	assert_int_equal(date_days(1969, 12, 31), -1);
	assert_int_equal(date_weekday(0), 4);
	assert_int_equal(date_weekday(-5), 6);
	assert_int_equal(date_month_length(2024, 2), 29);
	assert_int_equal(date_month_length(2100, 2), 28);
	assert_int_equal(date_month_length(2026, 12), 31);
	assert_int_equal(date_of_second(-1), -1);
	for (int64_t i = -800000; i < 800000; i += 37) {
		date_of(i, &y, &m, &d);
		again = date_days(y, m, d);
		assert_int_equal(again, i);
		assert_true(m >= 1 && m <= 12 && d >= 1 && d <= 31);
	}
}

static void
knows_offsets(void **state UNUSED)
{
	static const struct {
		const char *zone, *utc;
		int offset;
	} cases[] = {
		{"", "2026-07-01T00:00:00Z", 0},
		{"UTC", "2026-07-01T00:00:00Z", 0},
		{"Etc/GMT+9", "2026-07-01T00:00:00Z", -9 * 3600},
		{"Europe/London", "2026-03-29T00:59:59Z", 0},
		{"Europe/London", "2026-03-29T01:00:00Z", 3600},
		{"Europe/London", "2026-10-25T00:59:59Z", 3600},
		{"Europe/London", "2026-10-25T01:00:00Z", 0},
		/* Past the table's end the rule goes on. */
		{"Europe/London", "2150-07-01T00:00:00Z", 3600},
		{"America/New_York", "2026-03-08T06:59:59Z", -18000},
		{"America/New_York", "2026-03-08T07:00:00Z", -14400},
		{"America/New_York", "1850-01-01T00:00:00Z", -17762},
		{"Australia/Sydney", "2026-01-01T00:00:00Z", 39600},
		{"Australia/Sydney", "2150-07-01T00:00:00Z", 36000},
		{"Australia/Sydney", "2150-12-31T23:00:00Z", 39600},
		{"Australia/Lord_Howe", "2026-01-01T00:00:00Z", 39600},
		{"Australia/Lord_Howe", "2026-07-01T00:00:00Z", 37800},
		{"Asia/Kathmandu", "2026-01-01T00:00:00Z", 20700},
		/* Ireland's winter is its exception: DST of -1 h. */
		{"Europe/Dublin", "2150-01-01T00:00:00Z", 0},
		{"Europe/Dublin", "2150-07-01T00:00:00Z", 3600},
		/* A rule with negative hours. */
		{"America/Godthab", "2150-07-01T00:00:00Z", -3600},
		{"Pacific/Apia", "2011-12-30T09:59:59Z", -36000},
		{"Pacific/Apia", "2011-12-30T10:00:00Z", 50400},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_tz_ struct tz *z =
		    tz_open(span_of(cases[i].zone));

		if (!z)
			fail_msg("no zone %s", cases[i].zone);
		if (tz_offset(z, at(cases[i].utc)) != cases[i].offset)
			fail_msg("%s %s: %lld", cases[i].zone, cases[i].utc,
			    (long long)tz_offset(z, at(cases[i].utc)));
	}
}

static void
knows_no_such_zones(void **state UNUSED)
{
	static const char *const cases[] = {"Europe/Atlantis", "../passwd",
		"/etc/passwd", "Europe", "Europe/", "Europe//London", "EST5 ",
		"zone.tab", "a.b", "posix/../../passwd", "right/Europe/London",
		"posix/Europe/London"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_null(tz_open(span_of(cases[i])));
}

static void
reads_local_times(void **state UNUSED)
{
	static const struct {
		const char *zone, *local, *utc;
		bool shown;
	} cases[] = {
		{"Europe/London", "2026-03-29T00:59:59Z",
		    "2026-03-29T00:59:59Z", true},
		{"Europe/London", "2026-03-29T01:30:00Z",
		    "2026-03-29T01:30:00Z", false},
		{"Europe/London", "2026-03-29T02:00:00Z",
		    "2026-03-29T01:00:00Z", true},
		/* Twice: the first. */
		{"Europe/London", "2026-10-25T01:30:00Z",
		    "2026-10-25T00:30:00Z", true},
		{"America/New_York", "2026-11-01T01:00:00Z",
		    "2026-11-01T05:00:00Z", true},
		{"America/New_York", "2026-11-01T02:00:00Z",
		    "2026-11-01T07:00:00Z", true},
		{"Pacific/Apia", "2011-12-30T12:00:00Z",
		    "2011-12-30T22:00:00Z", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_tz_ struct tz *z =
		    tz_open(span_of(cases[i].zone));
		int64_t got;

		assert_non_null(z);
		if (tz_utc(z, at(cases[i].local), &got) != cases[i].shown ||
		    got != at(cases[i].utc))
			fail_msg("%s %s: %lld", cases[i].zone, cases[i].local,
			    (long long)got);
	}
}

/* Joined with and without what makes it good. */
static void
reads_expressions(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{"at(2026-11-26T22:00:00)", true},
		{"at(2026-11-26T22:00)", false},
		{"at(2026-11-26T22:00:00Z)", false},
		{"at(2026-11-26 22:00:00)", false},
		{"at(2026-02-29T22:00:00)", false},
		{"at(2024-02-29T22:00:00)", true},
		{"at(2026-13-01T22:00:00)", false},
		{"at(2026-11-26T24:00:00)", false},
		{"at(2026-11-26T22:00:60)", false},
		{"at(+026-11-26T22:00:00)", false},
		{"at()", false},
		{"rate(1 minute)", true},
		{"rate(5 minutes)", true},
		{"rate(12 hours)", true},
		{"rate(1 day)", true},
		{"rate(0 minutes)", false},
		{"rate(-1 minutes)", false},
		{"rate(1.5 hours)", false},
		{"rate(5 weeks)", false},
		{"rate(5)", false},
		{"rate(5 minutes 3)", false},
		{"cron(0 22 ? * * *)", true},
		{"cron(0 22 * * ? *)", true},
		{"cron(0 22 * * * *)", false},
		{"cron(0 22 ? * ? *)", false},
		{"cron(0 22 * * ?)", false},
		{"cron(0 22 * * ? * *)", false},
		{"cron(60 22 * * ? *)", false},
		{"cron(0 24 * * ? *)", false},
		{"cron(0 22 0 * ? *)", false},
		{"cron(0 22 32 * ? *)", false},
		{"cron(0 22 * 13 ? *)", false},
		{"cron(0 22 ? * 0 *)", false},
		{"cron(0 22 ? * 8 *)", false},
		{"cron(0 22 * * ? 1969)", false},
		{"cron(0 22 * * ? 2200)", false},
		{"cron(0 22 * * ? 2030-2026)", false},
		{"cron(0/15 8-18/2 1,15,L JAN,jul-SEP ? 2026-2028,2030)",
		    true},
		{"cron(*/5 * ? * MON-FRI *)", true},
		{"cron(0 8 ? * FRI-MON *)", true},
		{"cron(0 8 LW * ? *)", true},
		{"cron(0 8 15W * ? *)", true},
		{"cron(0 8 32W * ? *)", false},
		{"cron(0 8 ? * 6L *)", true},
		{"cron(0 8 ? * FRI#2 *)", true},
		{"cron(0 8 ? * 6#6 *)", false},
		{"cron(0 8 ? * 6#0 *)", false},
		{"cron(0 8 L-3 * ? *)", false},
		{"cron(0/0 * * * ? *)", false},
		{"cron(0/61 * * * ? *)", false},
		{"cron(,0 * * * ? *)", false},
		{"cron(0, * * * ? *)", false},
		{"cron(1- * * * ? *)", false},
		{"cron(? * * * ? *)", false},
		{"cron()", false},
		{"cron(0 22 ? * * *", false},
		{" cron(0 22 ? * * *)", false},
		{"Cron(0 22 ? * * *)", false},
		{"0 22 ? * * *", false},
		{"", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct schedule s;

		if (schedule_parse(span_of(cases[i].text), &s) != cases[i].ok)
			fail_msg("%s", cases[i].text);
	}
}

struct due {
	const char *text, *zone, *after, *next; /* NULL: never again */
};

static void
check_due(const struct due *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_tz_ struct tz *z = tz_open(span_of(v[i].zone));
		struct schedule s;
		int64_t got = 0;
		bool is;

		assert_non_null(z);
		assert_true(schedule_parse(span_of(v[i].text), &s));
		is = schedule_next(&s, z, at("2026-01-01T00:00:00Z"),
		    at(v[i].after), &got);
		if (is != (v[i].next != NULL) || (is && got != at(v[i].next)))
			fail_msg("%s in %s after %s: %s", v[i].text, v[i].zone,
			    v[i].after, clock_iso(a, got * 1000, false));
	}
}

static void
finds_the_next_time(void **state UNUSED)
{
	static const struct due cases[] = {
		{"cron(0 22 ? * * *)", "", "2026-11-26T21:59:59Z",
		    "2026-11-26T22:00:00Z"},
		{"cron(0 22 ? * * *)", "", "2026-11-26T22:00:00Z",
		    "2026-11-27T22:00:00Z"},
		{"cron(0 22 ? * * *)", "", "2026-12-31T22:00:00Z",
		    "2027-01-01T22:00:00Z"},
		/* Not before its start. */
		{"cron(0 22 ? * * *)", "", "2020-01-01T00:00:00Z",
		    "2026-01-01T22:00:00Z"},
		{"cron(0 0 1 1 ? *)", "", "2020-01-01T00:00:00Z",
		    "2026-01-01T00:00:00Z"},
		{"cron(*/15 * * * ? *)", "", "2026-11-26T22:46:00Z",
		    "2026-11-26T23:00:00Z"},
		{"cron(5/20 * * * ? *)", "", "2026-11-26T22:00:00Z",
		    "2026-11-26T22:05:00Z"},
		{"cron(0 8 ? * MON-FRI *)", "", "2026-11-27T08:00:00Z",
		    "2026-11-30T08:00:00Z"},
		{"cron(0 8 ? * FRI-MON *)", "", "2026-11-23T08:00:00Z",
		    "2026-11-27T08:00:00Z"},
		{"cron(0 8 29 2 ? *)", "", "2026-11-26T00:00:00Z",
		    "2028-02-29T08:00:00Z"},
		{"cron(0 8 30 2 ? *)", "", "2026-11-26T00:00:00Z", NULL},
		{"cron(0 8 L * ? *)", "", "2026-02-01T00:00:00Z",
		    "2026-02-28T08:00:00Z"},
		/* 2026-05-31 is a Sunday. */
		{"cron(0 8 LW * ? *)", "", "2026-05-01T00:00:00Z",
		    "2026-05-29T08:00:00Z"},
		/* The 15th is a Sunday, the 1st a Saturday of its month. */
		{"cron(0 8 15W * ? *)", "", "2026-11-01T00:00:00Z",
		    "2026-11-16T08:00:00Z"},
		{"cron(0 8 1W 8 ? *)", "", "2026-06-01T00:00:00Z",
		    "2026-08-03T08:00:00Z"},
		{"cron(0 8 ? * 6L *)", "", "2026-11-01T00:00:00Z",
		    "2026-11-27T08:00:00Z"},
		{"cron(0 8 ? * L *)", "", "2026-11-26T00:00:00Z",
		    "2026-11-28T08:00:00Z"},
		{"cron(0 8 ? * 2#1 *)", "", "2026-11-26T00:00:00Z",
		    "2026-12-07T08:00:00Z"},
		{"cron(0 8 ? * MON#5 *)", "", "2026-12-01T00:00:00Z",
		    "2027-03-29T08:00:00Z"},
		{"cron(0 8 1 * ? 2030)", "", "2026-12-01T00:00:00Z",
		    "2030-01-01T08:00:00Z"},
		{"cron(0 8 1 * ? 2026)", "", "2026-12-01T08:00:00Z", NULL},
		{"rate(5 minutes)", "", "2026-01-01T00:00:00Z",
		    "2026-01-01T00:05:00Z"},
		{"rate(5 minutes)", "", "2025-01-01T00:00:00Z",
		    "2026-01-01T00:00:00Z"},
		{"rate(1 day)", "", "2026-03-29T12:00:00Z",
		    "2026-03-30T00:00:00Z"},
		{"at(2026-11-26T22:00:00)", "", "2026-11-26T21:59:59Z",
		    "2026-11-26T22:00:00Z"},
		{"at(2026-11-26T22:00:00)", "", "2026-11-26T22:00:00Z", NULL},
		{"at(2025-11-26T22:00:00)", "", "2025-01-01T00:00:00Z", NULL},
	};

	check_due(cases, ARRAY_SIZE(cases));
}

static void
follows_the_clocks(void **state UNUSED)
{
	static const struct due cases[] = {
		{"cron(0 22 ? * * *)", "America/Los_Angeles",
		    "2026-07-01T00:00:00Z", "2026-07-01T05:00:00Z"},
		{"cron(0 22 ? * * *)", "America/Los_Angeles",
		    "2026-11-26T07:00:00Z", "2026-11-27T06:00:00Z"},
		{"cron(0 1 * * ? *)", "Pacific/Kiritimati",
		    "2026-11-26T10:30:00Z", "2026-11-26T11:00:00Z"},
		{"cron(0 23 31 12 ? *)", "Pacific/Pago_Pago",
		    "2026-12-31T23:00:00Z", "2027-01-01T10:00:00Z"},
		/* Skipped: 01:30 on the 29th is not there. */
		{"cron(30 1 * * ? *)", "Europe/London",
		    "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
		/* Shown twice: once, the first time. */
		{"cron(30 1 * * ? *)", "Europe/London",
		    "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"cron(30 1 * * ? *)", "Europe/London",
		    "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"cron(0 * * * ? *)", "Europe/London",
		    "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
		{"cron(0 12 ? * SUN *)", "Europe/London",
		    "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"},
		{"at(2026-07-01T12:00:00)", "Asia/Tokyo",
		    "2026-07-01T00:00:00Z", "2026-07-01T03:00:00Z"},
		/* What clocks skip is due when they would have shown it. */
		{"at(2026-03-29T01:30:00)", "Europe/London",
		    "2026-03-28T00:00:00Z", "2026-03-29T01:30:00Z"},
		/* Without a zone's help: absolute spans. */
		{"rate(1 day)", "Europe/London", "2026-03-29T12:00:00Z",
		    "2026-03-30T00:00:00Z"},
	};

	check_due(cases, ARRAY_SIZE(cases));
}

static void
finds_what_was_missed(void **state UNUSED)
{
	static const struct {
		const char *text, *after, *now, *due;
	} cases[] = {
		{"cron(0 22 ? * * *)", "2026-11-20T12:00:00Z",
		    "2026-11-26T12:00:00Z", "2026-11-25T22:00:00Z"},
		{"cron(0 22 ? * * *)", "2026-11-25T22:00:00Z",
		    "2026-11-26T12:00:00Z", NULL},
		{"cron(* * * * ? *)", "2026-01-20T12:00:00Z",
		    "2026-11-26T12:00:30Z", "2026-11-26T12:00:00Z"},
		{"cron(0 8 1 3 ? *)", "2026-01-20T12:00:00Z",
		    "2029-11-26T12:00:30Z", "2029-03-01T08:00:00Z"},
		{"rate(7 days)", "2026-01-20T12:00:00Z",
		    "2026-11-26T12:00:30Z", "2026-11-26T00:00:00Z"},
		{"at(2026-11-26T22:00:00)", "2026-11-20T00:00:00Z",
		    "2026-12-01T00:00:00Z", "2026-11-26T22:00:00Z"},
		{"at(2026-11-26T22:00:00)", "2026-11-20T00:00:00Z",
		    "2026-11-26T22:00:00Z", "2026-11-26T22:00:00Z"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_tz_ struct tz *z = tz_open(SPAN_NULL);
		struct schedule s;
		int64_t got = 0;
		bool is;

		assert_true(schedule_parse(span_of(cases[i].text), &s));
		is = schedule_missed(&s, z, at("2026-01-01T00:00:00Z"),
		    at(cases[i].after), at(cases[i].now), &got);
		if (is != (cases[i].due != NULL) ||
		    (is && got != at(cases[i].due)))
			fail_msg("%s: %lld", cases[i].text, (long long)got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_days),
		cmocka_unit_test(knows_offsets),
		cmocka_unit_test(knows_no_such_zones),
		cmocka_unit_test(reads_local_times),
		cmocka_unit_test(reads_expressions),
		cmocka_unit_test(finds_the_next_time),
		cmocka_unit_test(follows_the_clocks),
		cmocka_unit_test(finds_what_was_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
