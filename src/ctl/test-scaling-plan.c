/* Target tracking, by tables. */
#include "base/test.h"

#include "base/span.h"
#include "ctl/scaling-plan.h"

#define PERIOD 60000
#define NOW    (1000 * (int64_t)PERIOD)
#define MINUTE 60000

/* Datapoints as text, newest first: "90 80x14" is 90, then 80 fourteen times;
 * "-" is one that is missing. */
static size_t
values(const char *text, struct scaling_value *v)
{
	struct span rest = span_of(text);
	int64_t time = NOW - PERIOD;
	size_t n = 0;

	while (rest.n > 0) {
		struct span times = span_cut(&rest, ' ');
		struct span value = span_cut(&times, 'x');
		uint64_t count = 1, number = 0;

		if (times.p)
			AN(span_u64(times, &count));
		if (!span_is(value, "-"))
			AN(span_u64(value, &number));
		for (; count > 0; count--, time -= PERIOD)
			if (!span_is(value, "-"))
				v[n++] = (struct scaling_value){time,
				    (double)number};
	}
	return n;
}

struct policy {
	double target;
	const char *values;
	bool no_scale_in;
};

struct test_case {
	const char *what;
	struct policy p[2];
	int64_t current, min, max;
	enum scaling_what want;
	int64_t to;
	size_t policy;
	struct scaling_state s; /* the rest */
};

#define P(t, v)	    {.target = t, .values = v}
#define P_OUT(t, v) {.target = t, .values = v, .no_scale_in = true}
#define STAY	    .want = SCALING_STAY
#define OUT(n)	    .want = SCALING_OUT, .to = n
#define IN(n)	    .want = SCALING_IN, .to = n
#define AT_MAX	    .want = SCALING_AT_MAX
#define AT_MIN	    .want = SCALING_AT_MIN

static void
check(const struct test_case *v, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		struct scaling_value a[2][64];
		struct scaling_policy_state p[2];
		struct scaling_state s = v[i].s;
		struct scaling_plan plan;

		for (s.n = 0; s.n < 2 && v[i].p[s.n].target > 0; s.n++)
			p[s.n] = (struct scaling_policy_state){
			    v[i].p[s.n].target, 5 * MINUTE, 5 * MINUTE,
			    v[i].p[s.n].no_scale_in, a[s.n],
			    values(v[i].p[s.n].values, a[s.n])};
		s.now = NOW;
		s.period = PERIOD;
		s.current = v[i].current;
		s.min = v[i].min;
		s.max = v[i].max;
		s.policies = p;
		plan = scaling_plan(&s);
		if (plan.what != v[i].want || (plan.what != SCALING_STAY &&
		    plan.policy != v[i].policy) || ((plan.what == SCALING_OUT ||
		    plan.what == SCALING_IN) && plan.to != v[i].to))
			fail_msg("%s: %d to %lld by %zu", v[i].what, plan.what,
			    (long long)plan.to, plan.policy);
	}
}

static void
scales_out(void **state UNUSED)
{
	static const struct test_case cases[] = {
		{"nothing known", {P(50, "")}, 2, 1, 10, STAY},
		{"two points", {P(50, "90x2")}, 2, 1, 10, STAY},
		{"three", {P(50, "90x3")}, 2, 1, 10, OUT(4)},
		{"one of them at the target", {P(50, "90 50 90")}, 2, 1, 10,
		    STAY},
		{"by the newest", {P(50, "60 99 99")}, 10, 1, 20, OUT(12)},
		{"whole numbers stay whole", {P(50, "75x3")}, 2, 1, 10, OUT(3)},
		{"up to the maximum", {P(50, "90x3")}, 4, 1, 5, OUT(5)},
		{"no room", {P(50, "90x3")}, 5, 1, 5, AT_MAX},
		{"above the maximum by hand", {P(50, "90x3")}, 7, 1, 5, AT_MAX},
		{"below the minimum by hand", {P(50, "60x3")}, 2, 6, 10,
		    OUT(6)},
		{"nothing runs", {P(50, "90x3")}, 0, 0, 5, STAY},
		{"the points are old", {P(50, "-x5 90x3")}, 2, 1, 10, STAY},
		{"one is missing", {P(50, "90 - 90 90")}, 2, 1, 10, OUT(4)},
		{"far too much", {P(1e-9, "99x3")}, 2, 1, INT32_MAX,
		    OUT(INT32_MAX)},
		{"the larger of two", {P(50, "60x3"), P(100, "300x3")}, 2, 1,
		    10, OUT(6), .policy = 1},
		{"one wants out, one in", {P(50, "10x15"), P(100, "300x15")}, 2,
		    1, 10, OUT(6), .policy = 1},
		{"suspended", {P(50, "90x3")}, 2, 1, 10, STAY,
		    .s.out_suspended = true},
		{"deploying", {P(50, "90x3")}, 2, 1, 10, OUT(4),
		    .s.deploying = true},
	};

	check(cases, ARRAY_SIZE(cases));
}

static void
scales_in(void **state UNUSED)
{
	static const struct test_case cases[] = {
		{"14 points", {P(50, "10x14")}, 10, 1, 10, STAY},
		{"15", {P(50, "10x15")}, 10, 1, 10, IN(2)},
		{"one at 90 %", {P(50, "10x7 45 10x7")}, 10, 1, 10, STAY},
		{"by the greatest", {P(50, "10x7 44 10x7")}, 10, 1, 10, IN(9)},
		{"down to the minimum", {P(50, "10x15")}, 10, 4, 10, IN(4)},
		{"no room", {P(50, "10x15")}, 4, 4, 10, AT_MIN},
		{"below the minimum by hand", {P(50, "10x15")}, 3, 4, 10,
		    AT_MIN},
		{"above the maximum by hand", {P(50, "44x15")}, 20, 1, 10,
		    IN(10)},
		{"never to nothing", {P(50, "0x15")}, 3, 0, 10, IN(1)},
		{"one is enough", {P(50, "0x15")}, 1, 0, 10, STAY},
		{"woken from 0/0", {P(50, "0x15")}, 1, 0, 0, STAY},
		{"two woken from 0/0", {P(50, "0x15")}, 2, 0, 0, IN(0)},
		{"rounded up to what there is", {P(50, "44x15")}, 2, 1, 10,
		    STAY},
		{"both want in: the larger", {P(50, "10x15"), P(100, "50x15")},
		    10, 1, 10, IN(5), .policy = 1},
		{"one knows nothing", {P(50, "10x15"), P(100, "")}, 10, 1, 10,
		    STAY},
		{"one does not take part", {P(50, "10x15"), P_OUT(100,
		    "95x15")}, 10, 1, 10, IN(2)},
		{"none takes part", {P_OUT(50, "10x15")}, 10, 1, 10, STAY},
		{"one that does not take part is high", {P(50, "10x15"),
		    P_OUT(100, "101x15")}, 10, 1, 10, AT_MAX, .to = 0,
		    .policy = 1},
		{"deploying", {P(50, "10x15")}, 10, 1, 10, STAY,
		    .s.deploying = true},
		{"suspended", {P(50, "10x15")}, 10, 1, 10, STAY,
		    .s.in_suspended = true},
	};

	check(cases, ARRAY_SIZE(cases));
}

static void
cools_down(void **state UNUSED)
{
	static const struct test_case cases[] = {
		{"no more than was added", {P(50, "90x3")}, 4, 1, 10, STAY,
		    .s = {.out_at = NOW - MINUTE, .out_from = 2}},
		{"more than was added", {P(50, "150x3")}, 4, 1, 10, OUT(6),
		    .s = {.out_at = NOW - MINUTE, .out_from = 2}},
		{"over", {P(50, "90x3")}, 4, 1, 10, OUT(8),
		    .s = {.out_at = NOW - 5 * MINUTE, .out_from = 2}},
		{"of another policy", {P(50, "10x3"), P(50, "90x3")}, 4, 1, 10,
		    OUT(8), .policy = 1, .s = {.out_at = NOW - MINUTE,
		    .out_from = 2}},
		{"of one that is gone", {P(50, "90x3")}, 4, 1, 10, OUT(8),
		    .s = {.out_at = NOW - MINUTE, .out_from = 2,
		    .out_policy = 1}},
		{"in is blocked", {P(50, "10x15")}, 10, 1, 10, STAY,
		    .s = {.in_at = NOW - MINUTE, .in_cooldown = 5 * MINUTE}},
		{"in is free", {P(50, "10x15")}, 10, 1, 10, IN(2),
		    .s = {.in_at = NOW - 5 * MINUTE,
		    .in_cooldown = 5 * MINUTE}},
		{"out during in's", {P(50, "90x3")}, 4, 1, 10, OUT(8),
		    .s = {.in_at = NOW - MINUTE, .in_cooldown = 5 * MINUTE}},
		{"out ended in's", {P(50, "10x15")}, 10, 1, 10, IN(2),
		    .s = {.in_at = NOW - 2 * MINUTE, .in_cooldown = 5 * MINUTE,
		    .out_at = NOW - MINUTE, .out_from = 9}},
	};

	check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales_out),
		cmocka_unit_test(scales_in),
		cmocka_unit_test(cools_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
