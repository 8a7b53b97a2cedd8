/* Filter patterns: what matches, what does not, what is refused. */
#include "base/buf.h"
#include "base/test.h"
#include "svc/logs/pattern.h"

static struct arena *a;

static int
setup(void **state UNUSED)
{
	a = arena_new();
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

static const struct {
	const char *pattern;
	const char *message;
	bool yes;
} cases[] = {
    /* everything */
    {"", "anything", true},
    {"  ", "anything", true},
    {"\" \"", "anything", true},
    /* terms */
    {"ERROR", "[ERROR 400] BAD REQUEST", true},
    {"ERROR", "an error", false},
    {"ERROR REQUEST", "[ERROR 400] BAD REQUEST", true},
    {"ERROR GOOD", "[ERROR 400] BAD REQUEST", false},
    {"\"BAD REQUEST\"", "[ERROR 400] BAD REQUEST", true},
    {"\"REQUEST BAD\"", "[ERROR 400] BAD REQUEST", false},
    {"\"say \\\"hi\\\"\"", "I say \"hi\" now", true},
    {"?ERROR ?WARN", "WARN x", true},
    {"?ERROR ?WARN", "INFO x", false},
    {"ERROR -400", "ERROR 401", true},
    {"ERROR -400", "ERROR 400", false},
    {"-\"BAD REQUEST\"", "fine", true},
    {"-\"BAD REQUEST\"", "a BAD REQUEST", false},
    /* AWS: "?" next to other terms is ignored */
    {"?ERROR REQUEST", "a REQUEST", true},
    {"?ERROR REQUEST", "an ERROR", false},
    /* regular expressions */
    {"%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", true},
    {"%^\\[ERROR [45]\\d\\d\\]%", "[ERROR 401] X", true},
    {"%^\\[ERROR [45]\\d\\d\\]%", "x [ERROR 401] X", false},
    {"%colou?r|gr[ae]y%", "the grey", true},
    {"%a{3,5}$%", "baaa", true},
    {"%a{3,5}$%", "baa", false},
    /* JSON */
    {"{ $.eventType = \"UpdateTrail\" }", "{\"eventType\":\"UpdateTrail\"}",
	true},
    {"{ $.eventType = \"UpdateTrail\" }", "{\"eventType\":\"Update\"}", false},
    {"{ $.eventType = UpdateTrail }", "{\"eventType\":\"UpdateTrail\"}", true},
    {"{ $.eventType = \"Update*\" }", "{\"eventType\":\"UpdateTrail\"}", true},
    {"{$.a=\"*x*y\"}", "{\"a\":\"axbyxy\"}", true},
    {"{ $.ip != 123.123.* }", "{\"ip\":\"111.111.111.111\"}", true},
    {"{ $.ip != 123.123.* }", "{\"ip\":\"123.123.1.1\"}", false},
    {"{ $.ip != 123.123.* }", "{\"other\":1}", false},
    {"{ $.a.b[0].c = 1 }", "{\"a\":{\"b\":[{\"c\":1}]}}", true},
    {"{ $.a.b[1].c = 1 }", "{\"a\":{\"b\":[{\"c\":1}]}}", false},
    {"{ $.a[*].c = 2 }", "{\"a\":[{\"c\":1},{\"c\":2}]}", true},
    {"{ $.a[*] = \"x\" }", "{\"a\":[\"y\",\"z\"]}", false},
    {"{ $['a b'].c = 1 }", "{\"a b\":{\"c\":1}}", true},
    {"{ $.[0].a = 1 }", "[{\"a\":1}]", true},
    {"{ $.n > 3 }", "{\"n\":3.5}", true},
    {"{ $.n > 3 }", "{\"n\":3}", false},
    {"{ $.n >= 3 }", "{\"n\":3}", true},
    {"{ $.n < -1e2 }", "{\"n\":-101}", true},
    {"{ $.n <= 1.5 }", "{\"n\":1.6}", false},
    {"{ $.n = 1 }", "{\"n\":1.0}", true},
    {"{ $.n != 1 }", "{\"n\":2}", true},
    {"{ $.n > 3 }", "{\"n\":\"4\"}", false},
    {"{ $.status = 4* }", "{\"status\":404}", true},
    {"{ $.status = \"401\" }", "{\"status\":\"401\"}", true},
    {"{ $.a IS NULL }", "{\"a\":null}", true},
    {"{ $.a IS NULL }", "{\"a\":0}", false},
    {"{ $.a IS NULL }", "{}", false},
    {"{ $.a IS TRUE }", "{\"a\":true}", true},
    {"{ $.a IS FALSE }", "{\"a\":true}", false},
    {"{ $.a NOT EXISTS }", "{\"b\":1}", true},
    {"{ $.a NOT EXISTS }", "{\"a\":null}", false},
    {"{ $.a.b NOT EXISTS }", "{\"a\":1}", true},
    {"{ $.a = \"*\" }", "{\"a\":{}}", true},
    {"{ $.a = \"*\" }", "{}", false},
    {"{ $.a = %^x.z$% }", "{\"a\":\"xyz\"}", true},
    {"{ ($.a = 1) && ($.b = 2) }", "{\"a\":1,\"b\":2}", true},
    {"{ $.a = 1 && $.b = 2 }", "{\"a\":1,\"b\":3}", false},
    {"{ $.a = 1 || $.b = 2 && $.c = 3 }", "{\"a\":1}", true},
    {"{ ($.a = 1 || $.b = 2) && $.c = 3 }", "{\"a\":1}", false},
    {"{$.kubernetes.namespace_name=\"abc\" && $.x=\"d&&f\"}",
	"{\"kubernetes\":{\"namespace_name\":\"abc\"},\"x\":\"d&&f\"}", true},
    {"{ $.a = 1 }", "not json {\"a\":1}", false},
    {"{ $.a = 1 }", "{\"a\":1", false},
    {"{ $.a = 1 }", "  {\"a\":1}\n", true},
    /* fields */
    {"[w1=ERROR, w2]", "ERROR x", true},
    {"[w1=ERROR, w2]", "ERROR x y", false},
    {"[w1=ERROR, w2]", "WARN x", false},
    {"[w1, w2]", "x", false},
    {"[ip, user, username, timestamp, request, status_code = 4*, bytes > 10]",
	"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "
	"\"GET /index.html HTTP/1.0\" 404 1534", true},
    {"[ip, user, username, timestamp, request, status_code = 4*, bytes > 10]",
	"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "
	"\"GET /index.html HTTP/1.0\" 200 1534", false},
    {"[ip, user, username, timestamp, request = *.html*, ...]",
	"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "
	"\"GET /index.html HTTP/1.0\" 404 1534", true},
    {"[..., status_code = 4* && status_code != 404, bytes]",
	"a b c 403 12", true},
    {"[..., status_code = 4* && status_code != 404, bytes]",
	"a b c 404 12", false},
    {"[first, ..., last = z]", "a b c z", true},
    {"[first, ..., last = z]", "z", false},
    {"[...]", "", true},
    {"[w = %^1[0-9]$%, ...]", "12 x", true},
    {"[w=ERROR || w=WARN, x]", "WARN y", true},
    {"[(w=ERROR || w=WARN) && w!=W*, x]", "WARN y", false},
    {"[n = 1, x]", "1.0 x", true},
};

static void
match(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pattern *p;
		struct span why;

		if (pattern_parse(a, span_of(cases[i].pattern), &p, &why))
			fail_msg("%s: %.*s", cases[i].pattern, SPAN_ARG(why));
		if (pattern_match(p, span_of(cases[i].message)) !=
		    cases[i].yes)
			fail_msg("%s: not %d for: %s", cases[i].pattern,
			    cases[i].yes, cases[i].message);
	}
}

static const struct {
	const char *pattern;
	const char *why;
} bad[] = {
    {"{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"},
    {"[a, b", "If a filter pattern starts with '[' it must end with ']'"},
    {"{ }", "Invalid filter pattern"},
    {"{ a = 1 }", "Invalid filter pattern"},
    {"{ $.a }", "Invalid filter pattern"},
    {"{ $.a = }", "Invalid filter pattern"},
    {"{ $.a == 1 }", "Invalid filter pattern"},
    {"{ $.a > \"x\" }", "Invalid filter pattern"},
    {"{ $.a = 1 && }", "Invalid filter pattern"},
    {"{ ($.a = 1 }", "Invalid filter pattern"},
    {"{ $.a = 1 } x }", "Invalid filter pattern"},
    {"{ $.a[x] = 1 }", "Invalid filter pattern"},
    {"{ $.a[ = 1 }", "Invalid filter pattern"},
    {"{ $.a IS MAYBE }", "Invalid filter pattern"},
    {"{ $.a = \"x }", "Invalid filter pattern"},
    {"[a, ..., b, ...]", "Invalid filter pattern"},
    {"[a, b = 1 && c = 2]", "Invalid filter pattern"},
    {"[a,, b]", "Invalid filter pattern"},
    {"[(a]", "Invalid filter pattern"},
    {"\"open", "Invalid filter pattern"},
    {"%open", "Invalid filter pattern"},
    {"%something!%", "Invalid character(s) in term 'something!'"},
    {"%(a)%", "Invalid character(s) in term '(a)'"},
    {"%[%", "Invalid filter pattern"},
    {"%a% %b% %c%", "Invalid filter pattern"},
    {"a&b", "Invalid character(s) in term 'a&b'"},
    {"-", "Invalid filter pattern"},
};

static void
refuse(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct span why = SPAN_NULL;
		struct pattern *p;

		if (pattern_parse(a, span_of(bad[i].pattern), &p, &why) !=
		    PATTERN_E_BAD)
			fail_msg("%s: taken", bad[i].pattern);
		if (!span_is(why, bad[i].why))
			fail_msg("%s: %.*s", bad[i].pattern, SPAN_ARG(why));
	}
}

/* Much nesting is refused, and no expression takes long. */
static void
hostile(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct pattern *p;
	struct span why;

	buf_add_str(&b, "{ ");
	for (int i = 0; i < 500; i++)
		buf_add_char(&b, '(');
	buf_add_str(&b, "$.a=1 }");
	assert_int_equal(pattern_parse(a, buf_span(&b), &p, &why),
	    PATTERN_E_BAD);
	buf_clear(&b);
	for (int i = 0; i < 60; i++)
		buf_add_char(&b, 'a');
	AZ(pattern_parse(a, SPAN("%a*a*a*a*a*a*a*a*a*a*b%"), &p, &why));
	assert_false(pattern_match(p, buf_span(&b)));
	AZ(pattern_parse(a, SPAN("{ $.a = \"*a*a*a*a*a*a*a*b\" }"), &p, &why));
	assert_false(pattern_match(p, SPAN("{\"a\":\"aaaaaaaaaaaaaaaaaaaa\"}")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(match, setup, teardown),
	    cmocka_unit_test_setup_teardown(refuse, setup, teardown),
	    cmocka_unit_test_setup_teardown(hostile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
