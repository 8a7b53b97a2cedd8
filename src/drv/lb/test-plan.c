/* Commands for servers, and the statistics they come from. */
#include "base/test.h"
#include "drv/lb/plan.h"
#include "drv/lb/stat.h"

#define HEAD "# pxname,svname,scur,status,lastchg,check_status,check_code," \
	"addr,used_conn_cur,req_tot,\n"
#define CHECK "check inter 30s rise 5 fall 2"
#define POOL "pool-max-conn -1 pool-purge-delay 5s"
#define ENABLE "set weight tg-1/aa 0; enable server tg-1/aa; " \
	"set server tg-1/aa health down; enable health tg-1/aa; " \
	"set weight tg-1/aa 100\n"

static void
test_plan(void **state UNUSED)
{
	static const struct {
		const char *stat;
		const char *target; /* "": none, "d": draining, "j": judged,
					"h": healthy */
		const char *want;
	} cases[] = {
		{"", "-", "add server tg-1/aa 10.0.0.1:80 " CHECK " " POOL
		    " weight 0\n" ENABLE},
		{"", "h", "add server tg-1/aa 10.0.0.1:80 " CHECK " " POOL
		    " weight 0\nenable server tg-1/aa; "
		    "enable health tg-1/aa; set weight tg-1/aa 100\n"},
		{"", "d", ""},
		{"tg-1,aa,0,MAINT,1,INI,,10.0.0.1:80,0,\n", "-", ENABLE},
		{"tg-1,aa,0,UP,1,L7OK,200,10.0.0.1:80,0,\n", "-", ""},
		{"tg-1,aa,0,DOWN 1/5,1,L7OK,200,10.0.0.1:80,0,\n", "-",
		    "set server tg-1/aa health up\n"},
		{"tg-1,aa,0,DOWN,1,L7STS,500,10.0.0.1:80,0,\n", "-", ""},
		{"tg-1,aa,0,DOWN 1/5,1,L7OK,200,10.0.0.1:80,0,\n"
		    "tg-1,aao,0,no check,1,,,10.0.0.1:80,0,\n", "j", ""},
		{"tg-1,aa,0,UP,1,L7OK,200,10.0.0.1:80,0,\n", "j",
		    "add server tg-1/aao 10.0.0.1:80 backup " POOL "\n"
		    "enable server tg-1/aao\n"},
		{"tg-1,aa,1,UP,1,L7OK,200,10.0.0.1:80,0,\n"
		    "tg-1,aao,0,no check,1,,,10.0.0.1:80,0,\n", "d",
		    "set server tg-1/aa state drain\n"
		    "set server tg-1/aao state drain\n"},
		{"tg-1,aa,1,DRAIN,1,L7OK,200,10.0.0.1:80,0,\n", "d", ""},
		{"tg-1,aa,1,DRAIN,1,L7OK,200,10.0.0.1:80,0,\n", "-",
		    "set server tg-1/aa state ready\n"},
		{"tg-1,aa,1,DRAIN,1,L7OK,200,10.0.0.1:80,0,\n", "",
		    "disable health tg-1/aa; set server tg-1/aa state maint; "
		    "shutdown sessions server tg-1/aa\ndel server tg-1/aa\n"
		    "del acl /d/draining.lst aa\n"},
		{"tg-1,aao,0,MAINT,1,,,10.0.0.1:80,0,\n", "",
		    "del server tg-1/aao\n"},
		{"tg-1,BACKEND,1,UP,1,,,,,\nf80,FRONTEND,,,,,,,\n", "", ""},
	};
	const struct lb_group g = {SPAN("arn"), SPAN("tg-1"), NULL};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_(buf_done) struct buf got = BUF_INIT;
		struct lb_target t = {&g, SPAN("aa"), SPAN("10.0.0.1"), 80,
		    cases[i].target[0] == 'd', cases[i].target[0] == 'j',
		    cases[i].target[0] == 'h'};
		struct lb_server *v = NULL;
		size_t n = 0;

		assert_int_equal(lb_stat_parse(a, arena_fmt_span(a, "%s%s",
		    HEAD, cases[i].stat), &v, &n), 0);
		doc_each(line, lb_plan(a, "/d", &t, cases[i].target[0] != 0, v,
		    n))
			buf_addf(&got, "%.*s\n", SPAN_ARG(doc_span(line)));
		if (!span_is(buf_span(&got), cases[i].want))
			fail_msg("case %zu: %s", i, buf_str(&got));
	}
}

static void
test_stat(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lb_server *v;
	size_t n;

	assert_true(lb_stat_parse(a, SPAN("Unknown command\n"), &v, &n) < 0);
	assert_true(lb_stat_parse(a, SPAN(""), &v, &n) < 0);
	assert_int_equal(lb_stat_parse(a, SPAN(HEAD
	    "tg-1,aa,3,UP 1/3,7,* L7STS,503,10.0.0.1:80,4,\n"
	    "tg-1,bb,0,DOWN,7,L4CON,,10.0.0.2:80,0,\n"), &v, &n), 0);
	assert_int_equal(n, 2);
	assert_true(v[0].up);
	assert_int_equal(v[0].check, LB_CHECK_CODE);
	assert_int_equal(v[0].code, 503);
	assert_int_equal(v[0].active, 4);
	assert_int_equal(v[0].since_s, 7);
	assert_int_equal(v[1].check, LB_CHECK_FAILED);
	assert_false(v[1].up);
}

static void
test_counts(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct lb_count *v;
	size_t n;

	assert_true(lb_stat_counts(a, SPAN("Unknown command\n"), &v, &n) < 0);
	assert_int_equal(lb_stat_counts(a, SPAN(HEAD
	    "tg-1,aa,3,UP,7,L7OK,200,10.0.0.1:80,4,9,\n"
	    "tg-1,BACKEND,0,UP,7,,,,,12,\n"
	    "none,BACKEND,0,UP,7,,,,,3,\n"
	    "tg-2,BACKEND,0,UP,7,,,,,,\n"), &v, &n), 0);
	assert_int_equal(n, 2);
	assert_true(span_is(v[0].group, "tg-1"));
	assert_int_equal(v[0].requests, 12);
	assert_int_equal(v[1].requests, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_stat),
	    cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
