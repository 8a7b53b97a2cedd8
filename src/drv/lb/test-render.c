/* The proxy's configuration, against golden/ (make with
 * NEARGATE_UPDATE=1 in the environment to write it anew). */
#include <stdio.h>

#include "base/test.h"
#include "drv/lb/edge.h"
#include "drv/lb/quote.h"
#include "drv/lb/render.h"

static const struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	if (doc_parse_json(a, span_of(text), &d))
		fail_msg("test's own JSON: %s", text);
	return d;
}

#define TG(n) "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/" n

static struct lb_group groups[2];
static struct lb_rule rules[7];
static struct lb_listener listeners[3];

static const struct lb_cert certs[] = {
    {SPAN("cert-00aa.pem"), SPAN("PEM a"), SPAN("key a")},
    {SPAN("cert-00bb.pem"), SPAN("PEM b"), SPAN("key b")}};
static const struct lb_tls tls = {.min = 0, .max = 3,
    .ciphers = SPAN("ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA"),
    .suites = SPAN("TLS_AES_128_GCM_SHA256"), .certs = certs, .n_certs = 2,
    .h2 = true};

static struct lb_conf
full(struct arena *a)
{
	groups[0] = (struct lb_group){SPAN(TG("a/00")), SPAN("tg-aaaa"),
	    json(a, "{\"Protocol\":\"HTTP\",\"HealthCheckPort\":"
	    "\"traffic-port\",\"HealthCheckPath\":\"/api/health?a=%20\","
	    "\"Matcher\":{\"HttpCode\":\"200-299,301\"},\"Attributes\":{"
	    "\"stickiness.enabled\":\"true\"}}")};
	groups[1] = (struct lb_group){SPAN(TG("b/11")), SPAN("tg-bbbb"),
	    json(a, "{\"Protocol\":\"HTTPS\",\"HealthCheckPort\":\"8081\","
	    "\"HealthCheckPath\":\"/\",\"HealthCheckIntervalSeconds\":5,"
	    "\"HealthyThresholdCount\":2,\"UnhealthyThresholdCount\":3,"
	    "\"Matcher\":{\"HttpCode\":\"200\"},\"Attributes\":{"
	    "\"slow_start.duration_seconds\":\"30\","
	    "\"load_balancing.algorithm.type\":"
	    "\"least_outstanding_requests\"}}")};
	rules[0] = (struct lb_rule){json(a, "[{\"Field\":\"host-header\","
	    "\"HostHeaderConfig\":{\"Values\":[\"*.example.com\",\"a.b\"]}},"
	    "{\"Field\":\"path-pattern\",\"PathPatternConfig\":{\"Values\":"
	    "[\"/img/?.png\",\"/$(x)\\\"'\"]}}]"),
	    json(a, "[{\"Type\":\"forward\",\"ForwardConfig\":{\"TargetGroups\""
	    ":[{\"TargetGroupArn\":\"" TG("a/00") "\",\"Weight\":3},"
	    "{\"TargetGroupArn\":\"" TG("b/11") "\",\"Weight\":1}]}}]")};
	rules[1] = (struct lb_rule){json(a, "[{\"Field\":\"http-header\","
	    "\"HttpHeaderConfig\":{\"HttpHeaderName\":\"X-Beta\",\"Values\":"
	    "[\"yes*\"]}}]"), json(a, "[{\"Type\":\"fixed-response\","
	    "\"FixedResponseConfig\":{\"StatusCode\":\"418\",\"ContentType\":"
	    "\"text/plain\",\"MessageBody\":\"a\\n\\\"b\\\" %[x] $HOME #\"}}]")};
	rules[2] = (struct lb_rule){json(a, "[{\"Field\":"
	    "\"http-request-method\",\"HttpRequestMethodConfig\":{\"Values\":"
	    "[\"PUT\",\"POST\"]}},{\"Field\":\"source-ip\",\"SourceIpConfig\":"
	    "{\"Values\":[\"10.0.0.0/8\"]}}]"),
	    json(a, "[{\"Type\":\"redirect\",\"RedirectConfig\":{\"Protocol\":"
	    "\"HTTPS\",\"Port\":\"443\",\"Host\":\"#{host}\",\"Path\":"
	    "\"/#{path}\",\"Query\":\"#{query}\",\"StatusCode\":"
	    "\"HTTP_301\"}}]")};
	rules[3] = (struct lb_rule){json(a, "[{\"Field\":\"query-string\","
	    "\"QueryStringConfig\":{\"Values\":[{\"Key\":\"v\",\"Value\":"
	    "\"1?\"},{\"Value\":\"*x*\"}]}}]"),
	    json(a, "[{\"Type\":\"forward\",\"ForwardConfig\":{\"TargetGroups\""
	    ":[{\"TargetGroupArn\":\"" TG("b/11") "\",\"Weight\":1}]}}]")};
	listeners[0] = (struct lb_listener){80, rules[3].actions, NULL, rules,
	    4, NULL};
	listeners[1] = (struct lb_listener){8080, rules[2].actions,
	    json(a, "{\"routing.http.response.server.enabled\":\"false\","
	    "\"routing.http.response.x_frame_options.header_value\":"
	    "\"DENY 100%\"}"), NULL, 0, NULL};
	listeners[2] = (struct lb_listener){443, rules[2].actions,
	    json(a, "{\"routing.http.request.x_amzn_tls_version.header_name\":"
	    "\"X-Tls\"}"), NULL, 0, &tls};
	return (struct lb_conf){SPAN("lb-0123"), SPAN("ng0-lb-0123"),
	    SPAN("0.0.0.0"), SPAN("192.0.2.1/32"),
	    json(a, "{\"idle_timeout.timeout_seconds\":\"30\",\"routing.http."
	    "x_amzn_tls_version_and_cipher_suite.enabled\":\"true\"}"),
	    listeners, 3,
	    groups, 2};
}

static void
golden(const char *name, struct span text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf want = BUF_INIT;
	char *path = arena_fmt(a, "src/drv/lb/golden/%s", name);
	FILE *f;
	int c;

	if (getenv("NEARGATE_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fwrite(text.p, 1, text.n, f);
		fclose(f);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("no %s", path);
	while ((c = fgetc(f)) != EOF)
		buf_add_char(&want, (char)c);
	fclose(f);
	if (!span_eq(buf_span(&want), text))
		fail_msg("%s differs; we render:\n%.*s", path, SPAN_ARG(text));
}

static void
test_golden(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT, again = BUF_INIT;
	struct lb_conf c = full(a);
	const struct lb_server v[] = {
	    {.group = SPAN("tg-aaaa"), .name = SPAN("5555"),
		.addr = SPAN("10.0.0.5:80")},
	    {.group = SPAN("tg-aaaa"), .name = SPAN("5555"), .open = true,
		.addr = SPAN("10.0.0.5:80")},
	    {.group = SPAN("tg-bbbb"), .name = SPAN("6666"),
		.addr = SPAN("10.0.0.6:443")},
	};
	struct span digest, other;

	lb_render(a, &c, "/run/x", v, 3, &b, &digest);
	golden("full.cfg", buf_span(&b));
	/* Servers are not structure; a threshold is. */
	lb_render(a, &c, "/run/x", NULL, 0, &again, &other);
	assert_true(span_eq(digest, other));
	groups[0].spec = json(a, "{\"HealthyThresholdCount\":3}");
	buf_clear(&again);
	lb_render(a, &c, "/run/x", NULL, 0, &again, &other);
	assert_false(span_eq(digest, other));
}

static void
test_empty(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct lb_conf c = {.id = SPAN("lb-1"), .addr = SPAN("0.0.0.0")};
	struct span digest;

	lb_render(a, &c, "/run/x", NULL, 0, &b, &digest);
	golden("empty.cfg", buf_span(&b));
}

static void
test_edge(void **state UNUSED)
{
	static const struct span addrs[] = {SPAN("127.0.0.1"), SPAN("::1")};
	static const struct lb_edge_bind binds[] = {{80, 80, false},
		{8443, 443, true}};
	static const struct lb_edge_host hosts[] = {
		{SPAN("a.test"), SPAN("10.0.0.1")},
		{SPAN("*.test"), SPAN("10.0.0.2")}};
	struct lb_edge e = {addrs, 2, binds, 2, hosts, 2, SPAN("169.254.64.3")};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT, again = BUF_INIT;
	struct span digest, other;

	lb_edge_render(a, &e, "/run/edge", &b, &digest);
	golden("edge.cfg", buf_span(&b));
	assert_true(span_is(lb_edge_map(a, &e),
	    "a.test 10.0.0.1\n*.test 10.0.0.2\n"));
	assert_true(span_is(doc_json(a, lb_edge_plan(a, "/d", &e, SPAN(
	    "0x1 b.test 10.0.0.9\n0x2 a.test 10.0.0.3\n\n"))),
	    "[\"del map /d/hosts.map b.test\","
	    "\"set map /d/hosts.map a.test 10.0.0.1\","
	    "\"add map /d/hosts.map *.test 10.0.0.2\"]"));
	assert_int_equal(doc_len(lb_edge_plan(a, "/d", &e, SPAN(
	    "0x1 a.test 10.0.0.1\n0x2 *.test 10.0.0.2\n"))), 0);
	/* Hosts are not structure; how a port speaks is. */
	e.n_hosts = 0;
	lb_edge_render(a, &e, "/run/edge", &again, &other);
	assert_true(span_eq(digest, other));
	e.n_binds = 1;
	lb_edge_render(a, &e, "/run/edge", &again, &other);
	assert_false(span_eq(digest, other));
}

static void
test_quote(void **state UNUSED)
{
	static const struct {
		struct span text;
		const char *want;
	} cases[] = {
		{{"a b", 3}, "\"a b\""},
		{{"\"", 1}, "\"\\x22\""},
		{{"a\nglobal", 8}, "\"a\\x0aglobal\""},
		{{"\\n$HOME#'", 9}, "\"\\x5cn\\x24HOME\\x23\\x27\""},
		{{"\0", 1}, "\"\\x00\""},
		{{"%[env(X)]", 9}, "\"\\x25[env(X)]\""},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_clear(&b);
		cfg_quote(&b, cases[i].text);
		assert_string_equal(buf_str(&b), cases[i].want);
	}
	buf_clear(&b);
	cfg_quote_format(&b, SPAN("%[env(X)]"));
	assert_string_equal(buf_str(&b), "\"%%[env(X)]\"");
	buf_clear(&b);
	cfg_regex(&b, SPAN("*.a?(b)"), ".");
	assert_string_equal(buf_str(&b), ".*\\.a.\\(b\\)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_empty), cmocka_unit_test(test_edge),
	    cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
