/*
 * The service through the call interface, on a store of its own, with an ec2
 * that knows two subnets in two zones.
 */
#include <stdio.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/test.h"
#include "svc/elbv2/elbv2.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

/* --- ec2, as far as it is asked ---------------------------------------- */

static struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	if (doc_parse_json(a, span_of(text), &d))
		fail_msg("test's own JSON: %s", text);
	return d;
}

static struct reply *
subnets(struct call *c)
{
	struct doc *l = doc_arr(c->arena), *s;

	doc_each(id, doc_get(c->in, "SubnetIds")) {
		if (!span_starts(doc_span(id), SPAN("subnet-")))
			return reply_error(c, "InvalidSubnetID.NotFound",
			    "The subnet ID '%.*s' does not exist",
			    SPAN_ARG(doc_span(id)));
		s = doc_obj(c->arena);
		doc_set_str(c->arena, s, "SubnetId", doc_span(id));
		doc_set_str(c->arena, s, "VpcId", SPAN("vpc-1"));
		/* subnet-1a and subnet-2a are in zone a */
		doc_setf(c->arena, s, "AvailabilityZone", "us-east-1%c",
		    doc_span(id).p[doc_span(id).n - 1]);
		doc_push(l, s);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Subnets", l));
}

static struct reply *
groups(struct call *c)
{
	return reply_ok(c, json(c->arena, "{\"SecurityGroups\":[{\"GroupId\":"
	    "\"sg-1\",\"VpcId\":\"vpc-1\"}]}"));
}

static struct reply *
gateways(struct call *c)
{
	return reply_ok(c, json(c->arena,
	    "{\"InternetGateways\":[{\"InternetGatewayId\":\"igw-1\"}]}"));
}

static struct reply *
vpcs(struct call *c)
{
	if (doc_has_str(doc_get(c->in, "VpcIds"), SPAN("vpc-9")))
		return reply_error(c, "InvalidVpcID.NotFound", "no");
	return reply_ok(c, NULL);
}

static const struct op_row ec2_ops[] = {
	{"DescribeSubnets", subnets, NULL},
	{"DescribeSecurityGroups", groups, NULL},
	{"DescribeInternetGateways", gateways, NULL},
	{"DescribeVpcs", vpcs, NULL},
	{NULL, NULL, NULL},
};
static const struct kind *const no_kinds[] = {NULL};
static const struct service ec2 = {.name = "ec2", .ops = ec2_ops,
	.kinds = no_kinds};
static const struct service *const all[] = {&elbv2_service, &ec2, NULL};

/* --- calls -------------------------------------------------------------- */

static struct store *store;
static struct api *api;
static struct arena *a;
static char *dir;

static struct op_result
call(const char *op, const char *in)
{
	struct principal who = principal_system(here.account, "test");
	struct op_result r;

	assert_int_equal(op_call(api, a, &who, here, "elbv2", op, json(a, in),
	    &r), 0);
	return r;
}

static const struct doc *
ok(const char *op, const char *in)
{
	struct op_result r = call(op, in);

	if (r.error.n)
		fail_msg("%s %s: %.*s: %.*s", op, in, SPAN_ARG(r.error),
		    SPAN_ARG(r.message));
	return r.out;
}

static void
refused(const char *op, const char *in, const char *code, const char *message)
{
	struct op_result r = call(op, in);

	if (!span_is(r.error, code) ||
	    span_find(r.message, span_of(message)) < 0)
		fail_msg("%s %s: not %s, %s but '%.*s': '%.*s'", op, in, code,
		    message, SPAN_ARG(r.error), SPAN_ARG(r.message));
}

static const char *
text(const struct doc *d)
{
	return arena_str(a, doc_span(d));
}

static const char *
first(const struct doc *out, const char *list, const char *member)
{
	return text(doc_get(doc_at(doc_get(out, list), 0), member));
}

static const char *
new_lb(const char *name)
{
	return first(ok("CreateLoadBalancer", arena_fmt(a, "{\"Name\":\"%s\","
	    "\"Subnets\":[\"subnet-1b\",\"subnet-1a\"]}", name)),
	    "LoadBalancers", "LoadBalancerArn");
}

static const char *
new_tg(const char *name)
{
	return first(ok("CreateTargetGroup", arena_fmt(a, "{\"Name\":\"%s\","
	    "\"Protocol\":\"HTTP\",\"Port\":80,\"VpcId\":\"vpc-1\","
	    "\"TargetType\":\"ip\"}", name)), "TargetGroups",
	    "TargetGroupArn");
}

static const char *
new_listener(const char *lb, int port, const char *tg)
{
	return first(ok("CreateListener", arena_fmt(a, "{\"LoadBalancerArn\":"
	    "\"%s\",\"Port\":%d,\"Protocol\":\"HTTP\",\"DefaultActions\":[{"
	    "\"Type\":\"forward\",\"TargetGroupArn\":\"%s\"}]}", lb, port,
	    tg)), "Listeners", "ListenerArn");
}

static int
setup(void **state UNUSED)
{
	static struct api_config c;

	a = arena_new();
	dir = xstrdup("/tmp/test-elbv2-XXXXXX");
	AN(mkdtemp(dir));
	AZ(store_open(dir, elbv2_kinds, &store));
	c.store = store;
	c.services = all;
	c.root = (struct root_key){here.account, SPAN("AKIAEXAMPLE"),
	    SPAN("secret")};
	api = api_new(&c);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", dir);

	api_free(api);
	store_close(store);
	arena_free(a);
	AZ(system(rm));
	free(dir);
	return 0;
}

/* --- tests -------------------------------------------------------------- */

static void
test_load_balancer(void **state UNUSED)
{
	const char *arn = new_lb("web");
	const struct doc *out = ok("DescribeLoadBalancers",
	    "{\"Names\":[\"web\"]}");
	const struct doc *lb = doc_at(doc_get(out, "LoadBalancers"), 0);
	struct span id = span_from(span_of(arn), strlen(
	    "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
	    "loadbalancer/app/web/"));

	assert_int_equal(id.n, 16);
	assert_string_equal(text(doc_path(lb, "State", "Code", NULL)),
	    "provisioning");
	assert_true(span_starts(doc_get_str(lb, "DNSName"), SPAN("web-")));
	assert_true(span_ends(doc_get_str(lb, "DNSName"),
	    SPAN(".us-east-1.elb.neargate.localhost")));
	assert_string_equal(text(doc_get(lb, "CanonicalHostedZoneId")),
	    "Z35SXDOTRQ7X7K");
	assert_string_equal(text(doc_at(doc_get(lb, "SecurityGroups"), 0)),
	    "sg-1");
	/* The same again, subnets in another order: the same one. */
	assert_string_equal(new_lb("web"), arn);
	refused("CreateLoadBalancer", "{\"Name\":\"web\",\"Scheme\":"
	    "\"internal\",\"Subnets\":[\"subnet-1a\",\"subnet-1b\"]}",
	    "DuplicateLoadBalancerName", "A load balancer with the same name "
	    "'web' exists, but with different settings");
	out = ok("CreateLoadBalancer", "{\"Name\":\"in\",\"Scheme\":"
	    "\"internal\",\"Subnets\":[\"subnet-1a\",\"subnet-1b\"]}");
	assert_true(span_starts(span_of(first(out, "LoadBalancers",
	    "DNSName")), SPAN("internal-in-")));
}

static void
test_load_balancer_refused(void **state UNUSED)
{
#define TWO "\"Subnets\":[\"subnet-1a\",\"subnet-1b\"]"
	static const struct {
		const char *in, *code, *message;
	} cases[] = {
		{"{\"Name\":\"a\",\"Subnets\":[\"subnet-1a\"]}",
		    "ValidationError", "At least two subnets in two different "
		    "Availability Zones must be specified"},
		{"{\"Name\":\"a\",\"Subnets\":[\"subnet-1a\",\"subnet-2a\"]}",
		    "InvalidConfigurationRequest", "multiple subnets in the "
		    "same Availability Zone"},
		{"{\"Name\":\"a\",\"Subnets\":[\"nope-1\",\"subnet-2a\"]}",
		    "SubnetNotFound", "nope-1"},
		{"{\"Name\":\"-a\"," TWO "}", "ValidationError",
		    "cannot begin or end with a hyphen"},
		{"{\"Name\":\"a_b\"," TWO "}", "ValidationError",
		    "alphanumeric"},
		{"{\"Name\":\"internal-a\"," TWO "}", "ValidationError",
		    "internal-"},
		{"{\"Name\":\"012345678901234567890123456789012\"," TWO "}",
		    "ValidationError", "cannot be longer than '32'"},
		{"{\"Name\":\"a\",\"Type\":\"network\"," TWO "}",
		    "NotImplemented", "network"},
		{"{\"Name\":\"a\",\"Tags\":[{\"Key\":\"k\"},{\"Key\":\"k\"}],"
		    TWO "}", "DuplicateTagKeys", "k"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refused("CreateLoadBalancer", cases[i].in, cases[i].code,
		    cases[i].message);
	refused("DescribeLoadBalancers", "{\"Names\":[\"nope\"]}",
	    "LoadBalancerNotFound", "Load balancers '[nope]' not found");
	refused("DescribeLoadBalancers", "{\"LoadBalancerArns\":[\"arn:aws:"
	    "elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/"
	    "0\"]}", "LoadBalancerNotFound",
	    "One or more load balancers not found");
	refused("DescribeLoadBalancers", "{\"LoadBalancerArns\":[\"x\"]}",
	    "ValidationError", "'x' is not a valid load balancer ARN");
	assert_int_equal(doc_len(doc_get(ok("DescribeLoadBalancers", "{}"),
	    "LoadBalancers")), 0);
}

static void
test_delete(void **state UNUSED)
{
	const char *lb = new_lb("web"), *tg = new_tg("tg");
	char *by_arn = arena_fmt(a, "{\"LoadBalancerArn\":\"%s\"}", lb);
	char *group = arena_fmt(a, "{\"TargetGroupArn\":\"%s\"}", tg);

	new_listener(lb, 80, tg);
	refused("DeleteTargetGroup", group, "ResourceInUse", arena_fmt(a,
	    "Target group '%s' is currently in use by a listener or a rule",
	    tg));
	ok("ModifyLoadBalancerAttributes", arena_fmt(a, "{\"LoadBalancerArn\""
	    ":\"%s\",\"Attributes\":[{\"Key\":\"deletion_protection.enabled\","
	    "\"Value\":\"true\"}]}", lb));
	refused("DeleteLoadBalancer", by_arn, "OperationNotPermitted",
	    "deletion protection");
	ok("ModifyLoadBalancerAttributes", arena_fmt(a, "{\"LoadBalancerArn\""
	    ":\"%s\",\"Attributes\":[{\"Key\":\"deletion_protection.enabled\","
	    "\"Value\":\"false\"}]}", lb));
	ok("DeleteLoadBalancer", by_arn);
	ok("DeleteLoadBalancer", by_arn);
	refused("DescribeListeners", by_arn, "LoadBalancerNotFound", "");
	ok("DeleteTargetGroup", group);
	/* Its name is free while the controller still puts things away. */
	assert_string_not_equal(new_lb("web"), lb);
	assert_int_equal(doc_len(doc_get(ok("DescribeLoadBalancers", "{}"),
	    "LoadBalancers")), 1);
}

static void
test_target_group(void **state UNUSED)
{
	static const struct {
		const char *member;
		const char *want;
	} defaults[] = {
		{"HealthCheckPath", "\"/\""},
		{"HealthCheckPort", "\"traffic-port\""},
		{"HealthCheckProtocol", "\"HTTP\""},
		{"HealthCheckIntervalSeconds", "30"},
		{"HealthCheckTimeoutSeconds", "5"},
		{"HealthyThresholdCount", "5"},
		{"UnhealthyThresholdCount", "2"},
		{"Matcher", "{\"HttpCode\":\"200\"}"},
		{"ProtocolVersion", "\"HTTP1\""},
		{"LoadBalancerArns", "[]"},
	};
	static const struct {
		const char *in, *code, *message;
	} cases[] = {
		{"{\"TargetType\":\"instance\"", "NotImplemented", "instance"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"TCP\"",
		    "NotImplemented", "TCP"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\"",
		    "ValidationError", "A port must be specified"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\",\"Port\":1",
		    "ValidationError", "A VPC ID must be specified"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\",\"Port\":1,"
		    "\"VpcId\":\"vpc-9\"", "ValidationError",
		    "The VPC ID 'vpc-9' is not found"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\",\"Port\":1,"
		    "\"VpcId\":\"vpc-1\",\"HealthCheckPath\":\"x\"",
		    "ValidationError", "must begin with a '/'"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\",\"Port\":1,"
		    "\"VpcId\":\"vpc-1\",\"HealthCheckIntervalSeconds\":5",
		    "ValidationError", "Health check timeout '5' must be "
		    "smaller than the interval '5'"},
		{"{\"TargetType\":\"ip\",\"Protocol\":\"HTTP\",\"Port\":1,"
		    "\"VpcId\":\"vpc-1\",\"Matcher\":{\"HttpCode\":\"600\"}",
		    "ValidationError", "600"},
	};
	const struct doc *tg;
	const char *arn = new_tg("tg");

	assert_string_equal(new_tg("tg"), arn);
	tg = doc_at(doc_get(ok("DescribeTargetGroups", "{}"), "TargetGroups"),
	    0);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!span_is(doc_json(a, doc_get(tg, defaults[i].member)),
		    defaults[i].want))
			fail_msg("%s is %.*s", defaults[i].member,
			    SPAN_ARG(doc_json(a, doc_get(tg,
			    defaults[i].member))));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refused("CreateTargetGroup", arena_fmt(a,
		    "%s,\"Name\":\"b\"}", cases[i].in), cases[i].code,
		    cases[i].message);
	ok("ModifyTargetGroup", arena_fmt(a, "{\"TargetGroupArn\":\"%s\","
	    "\"HealthCheckPath\":\"/h\"}", arn));
	tg = doc_at(doc_get(ok("DescribeTargetGroups", "{}"), "TargetGroups"),
	    0);
	assert_string_equal(text(doc_get(tg, "HealthCheckPath")), "/h");
	assert_string_equal(text(doc_path(tg, "Matcher", "HttpCode", NULL)),
	    "200");
}

static const char *
health(const char *tg, const char *member)
{
	const struct doc *l = doc_get(ok("DescribeTargetHealth", arena_fmt(a,
	    "{\"TargetGroupArn\":\"%s\"}", tg)), "TargetHealthDescriptions");

	return doc_len(l) ? text(doc_get(doc_get(doc_at(l, 0), "TargetHealth"),
	    member)) : "gone";
}

static void
test_targets(void **state UNUSED)
{
	const char *lb = new_lb("web"), *tg = new_tg("tg");
	char *one = arena_fmt(a, "{\"TargetGroupArn\":\"%s\",\"Targets\":"
	    "[{\"Id\":\"10.0.0.5\",\"Port\":8080}]}", tg);
	char *plain = arena_fmt(a, "{\"TargetGroupArn\":\"%s\",\"Targets\":"
	    "[{\"Id\":\"10.0.0.5\"}]}", tg);
	struct res *t;

	refused("RegisterTargets", arena_fmt(a, "{\"TargetGroupArn\":\"%s\","
	    "\"Targets\":[{\"Id\":\"x\"}]}", tg), "ValidationError",
	    "The IP address 'x' is not a valid IPv4 address");
	refused("RegisterTargets", arena_fmt(a, "{\"TargetGroupArn\":\"%s\","
	    "\"Targets\":[{\"Id\":\"8.8.8.8\"}]}", tg), "ValidationError",
	    "8.8.8.8");
	ok("RegisterTargets", one);
	ok("RegisterTargets", one);
	assert_string_equal(health(tg, "State"), "unused");
	assert_string_equal(health(tg, "Reason"), "Target.NotInUse");
	ok("DeregisterTargets", plain);
	assert_string_equal(health(tg, "State"), "gone");
	new_listener(lb, 80, tg);
	ok("RegisterTargets", one);
	assert_string_equal(health(tg, "State"), "initial");
	assert_string_equal(health(tg, "Reason"), "Elb.RegistrationInProgress");
	AZ(store_get(store, a, &elbv2_target, here, span_of(tg),
	    SPAN("10.0.0.5:8080"), &t));
	doc_set_str(a, t->status, "State", SPAN("healthy"));
	AZ(store_put_status(store, t));
	assert_string_equal(health(tg, "State"), "healthy");
	ok("DeregisterTargets", one);
	assert_string_equal(health(tg, "State"), "draining");
	AZ(store_get(store, a, &elbv2_target, here, span_of(tg),
	    SPAN("10.0.0.5:8080"), &t));
	assert_in_range(doc_get_time(t->spec, "DrainUntil") - clock_ms(),
	    299000, 301000);
	/* Registered again it comes back. */
	ok("RegisterTargets", one);
	assert_string_equal(health(tg, "State"), "healthy");
	assert_string_equal(text(doc_path(doc_at(doc_get(ok(
	    "DescribeTargetHealth", arena_fmt(a, "{\"TargetGroupArn\":\"%s\","
	    "\"Targets\":[{\"Id\":\"10.0.0.6\"}]}", tg)),
	    "TargetHealthDescriptions"), 0), "TargetHealth", "Reason", NULL)),
	    "Target.NotRegistered");
}

static void
test_listener(void **state UNUSED)
{
	const char *lb = new_lb("web"), *tg = new_tg("tg"), *other;
	const char *l = new_listener(lb, 80, tg);
	const struct doc *d;

	assert_true(span_starts(span_of(l), arena_fmt_span(a, "arn:aws:"
	    "elasticloadbalancing:us-east-1:123456789012:listener/%s/",
	    lb + strlen("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
	    "loadbalancer/"))));
	d = doc_at(doc_get(ok("DescribeListeners", arena_fmt(a,
	    "{\"LoadBalancerArn\":\"%s\"}", lb)), "Listeners"), 0);
	assert_true(doc_eq(doc_get(d, "DefaultActions"), json(a, arena_fmt(a,
	    "[{\"Type\":\"forward\",\"TargetGroupArn\":\"%s\","
	    "\"ForwardConfig\":{\"TargetGroups\":[{\"TargetGroupArn\":\"%s\","
	    "\"Weight\":1}],\"TargetGroupStickinessConfig\":{\"Enabled\":"
	    "false}}}]", tg, tg))));
	assert_true(doc_eq(d, doc_at(doc_get(ok("CreateListener", arena_fmt(a,
	    "{\"LoadBalancerArn\":\"%s\",\"Port\":80,\"Protocol\":\"HTTP\","
	    "\"DefaultActions\":[{\"Type\":\"forward\",\"TargetGroupArn\":"
	    "\"%s\"}]}", lb, tg)), "Listeners"), 0)));
	refused("CreateListener", arena_fmt(a, "{\"LoadBalancerArn\":\"%s\","
	    "\"Port\":80,\"Protocol\":\"HTTP\",\"DefaultActions\":[{\"Type\":"
	    "\"fixed-response\",\"FixedResponseConfig\":{\"StatusCode\":"
	    "\"404\"}}]}", lb),
	    "DuplicateListener", "A listener already exists on this port");
	refused("CreateListener", arena_fmt(a, "{\"LoadBalancerArn\":\"%s\","
	    "\"Port\":443,\"Protocol\":\"HTTPS\",\"DefaultActions\":[{\"Type\":"
	    "\"forward\",\"TargetGroupArn\":\"%s\"}]}", lb, tg),
	    "ValidationError", "A certificate must be specified");
	other = new_lb("other");
	refused("CreateListener", arena_fmt(a, "{\"LoadBalancerArn\":\"%s\","
	    "\"Port\":80,\"Protocol\":\"HTTP\",\"DefaultActions\":[{\"Type\":"
	    "\"forward\",\"TargetGroupArn\":\"%s\"}]}", other, tg),
	    "TargetGroupAssociationLimit", tg);
	ok("ModifyListener", arena_fmt(a, "{\"ListenerArn\":\"%s\",\"Port\":"
	    "81,\"DefaultActions\":[{\"Type\":\"redirect\",\"RedirectConfig\":"
	    "{\"Protocol\":\"HTTPS\",\"Port\":\"443\",\"StatusCode\":"
	    "\"HTTP_301\"}}]}", l));
	d = doc_at(doc_get(ok("DescribeListeners", arena_fmt(a,
	    "{\"ListenerArns\":[\"%s\"]}", l)), "Listeners"), 0);
	assert_int_equal(doc_get_int(d, "Port", 0), 81);
	assert_true(doc_eq(doc_path(doc_at(doc_get(d, "DefaultActions"), 0),
	    "RedirectConfig", NULL), json(a, "{\"Protocol\":\"HTTPS\","
	    "\"Port\":\"443\",\"Host\":\"#{host}\",\"Path\":\"/#{path}\","
	    "\"Query\":\"#{query}\",\"StatusCode\":\"HTTP_301\"}")));
	/* The group is free again. */
	new_listener(other, 80, tg);
}

/* Newer than some clients. */
static void
test_listener_tls(void **state UNUSED)
{
	const char *lb = new_lb("web"), *tg = new_tg("tg");
	const char *l = new_listener(lb, 80, tg);
	static const char *const names[] = {"", "a b", "a:b",
		"x123456789x123456789x123456789x1234567890"};
#define MODIFY "{\"ListenerArn\":\"%s\",\"Attributes\":[{"     \
	    "\"Key\":\"routing.http.request.x_amzn_tls_version."             \
	    "header_name\",\"Value\":\"%s\"}]}"

	refused("ModifyListener", arena_fmt(a, "{\"ListenerArn\":\"%s\","
	    "\"MutualAuthentication\":{\"Mode\":\"verify\"}}", l),
	    "NotImplemented", "MutualAuthentication");
	ok("ModifyListener", arena_fmt(a, "{\"ListenerArn\":\"%s\","
	    "\"MutualAuthentication\":{\"Mode\":\"off\"}}", l));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		refused("ModifyListenerAttributes", arena_fmt(a, MODIFY, l,
		    names[i]), "ValidationError", "1 to 40 characters");
	ok("ModifyListenerAttributes", arena_fmt(a, MODIFY, l, "X-Tls"));
}

static const char *
rule_in(const char *listener, int priority, const char *conditions)
{
	return arena_fmt(a, "{\"ListenerArn\":\"%s\",\"Priority\":%d,"
	    "\"Conditions\":%s,\"Actions\":[{\"Type\":\"fixed-response\","
	    "\"FixedResponseConfig\":{\"StatusCode\":\"200\"}}]}", listener,
	    priority, conditions);
}

#define PATH "[{\"Field\":\"path-pattern\",\"Values\":[\"/a*\"]}]"

static void
test_rules(void **state UNUSED)
{
	static const struct {
		const char *conditions, *message;
	} cases[] = {
		{"[]", "A condition must be specified"},
		{"[{\"Field\":\"nope\",\"Values\":[\"x\"]}]",
		    "Condition field 'nope' must be one of"},
		{"[{\"Field\":\"path-pattern\"}]",
		    "A condition value must be specified"},
		{"[{\"Field\":\"source-ip\",\"Values\":[\"x\"]}]",
		    "'Values' field is not compatible with 'source-ip'"},
		{"[{\"Field\":\"source-ip\",\"SourceIpConfig\":{\"Values\":"
		    "[\"x\"]}}]", "must be in IPv4 CIDR format"},
		{"[{\"Field\":\"http-request-method\","
		    "\"HttpRequestMethodConfig\":{\"Values\":[\"get\"]}}]",
		    "A-Z, hyphen and underscore"},
		{"[{\"Field\":\"path-pattern\",\"Values\":[\"/1\",\"/2\","
		    "\"/3\",\"/4\",\"/5\",\"/6\"]}]",
		    "A rule can only have '5' condition values"},
		{"[{\"Field\":\"http-header\",\"HttpHeaderConfig\":{"
		    "\"HttpHeaderName\":\"a b\",\"Values\":[\"x\"]}}]",
		    "HttpHeaderName"},
	};
	const char *lb = new_lb("web"), *tg = new_tg("tg");
	const char *l = new_listener(lb, 80, tg), *one, *two;
	const struct doc *rules;
	char *all_of = arena_fmt(a, "{\"ListenerArn\":\"%s\"}", l);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refused("CreateRule", rule_in(l, 5, cases[i].conditions),
		    "ValidationError", cases[i].message);
	one = first(ok("CreateRule", rule_in(l, 10, PATH)), "Rules", "RuleArn");
	two = first(ok("CreateRule", rule_in(l, 5, PATH)), "Rules", "RuleArn");
	refused("CreateRule", rule_in(l, 10, PATH), "PriorityInUse",
	    "Priority '10' is currently in use");
	rules = doc_get(ok("DescribeRules", all_of), "Rules");
	assert_int_equal(doc_len(rules), 3);
	assert_string_equal(text(doc_get(doc_at(rules, 0), "RuleArn")), two);
	assert_string_equal(text(doc_get(doc_at(rules, 2), "Priority")),
	    "default");
	assert_true(doc_eq(doc_get(doc_at(rules, 0), "Conditions"), json(a,
	    "[{\"Field\":\"path-pattern\",\"Values\":[\"/a*\"],"
	    "\"PathPatternConfig\":{\"Values\":[\"/a*\"]}}]")));
	refused("DeleteRule", arena_fmt(a, "{\"RuleArn\":\"%s\"}",
	    text(doc_get(doc_at(rules, 2), "RuleArn"))),
	    "OperationNotPermitted", "Default rule");
	ok("SetRulePriorities", arena_fmt(a, "{\"RulePriorities\":[{\"RuleArn\""
	    ":\"%s\",\"Priority\":5},{\"RuleArn\":\"%s\",\"Priority\":10}]}",
	    one, two));
	refused("SetRulePriorities", arena_fmt(a, "{\"RulePriorities\":["
	    "{\"RuleArn\":\"%s\",\"Priority\":10}]}", one), "PriorityInUse",
	    "Priority '10' is currently in use");
	rules = doc_get(ok("DescribeRules", all_of), "Rules");
	assert_string_equal(text(doc_get(doc_at(rules, 0), "RuleArn")), one);
	ok("DeleteRule", arena_fmt(a, "{\"RuleArn\":\"%s\"}", one));
	refused("DescribeRules", arena_fmt(a, "{\"RuleArns\":[\"%s\"]}", one),
	    "RuleNotFound", "One or more rules not found");
}

static void
test_attributes(void **state UNUSED)
{
	static const struct {
		const char *key, *value, *code;
	} cases[] = {
		{"idle_timeout.timeout_seconds", "30", NULL},
		{"idle_timeout.timeout_seconds", "0", "ValidationError"},
		{"idle_timeout.timeout_seconds", "x", "ValidationError"},
		{"routing.http.xff_header_processing.mode", "remove", NULL},
		{"routing.http.xff_header_processing.mode", "x",
		    "ValidationError"},
		{"access_logs.s3.enabled", "false", NULL},
		{"access_logs.s3.enabled", "true", "NotImplemented"},
		{"nope", "x", "ValidationError"},
		{"stickiness.enabled", "true", "ValidationError"},
	};
	const char *lb = new_lb("web");
	const struct doc *l;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *in = arena_fmt(a, "{\"LoadBalancerArn\":\"%s\","
		    "\"Attributes\":[{\"Key\":\"%s\",\"Value\":\"%s\"}]}", lb,
		    cases[i].key, cases[i].value);

		if (cases[i].code)
			refused("ModifyLoadBalancerAttributes", in,
			    cases[i].code, cases[i].key);
		else
			ok("ModifyLoadBalancerAttributes", in);
	}
	l = doc_get(ok("DescribeLoadBalancerAttributes", arena_fmt(a,
	    "{\"LoadBalancerArn\":\"%s\"}", lb)), "Attributes");
	doc_each(v, l)
		if (span_is(doc_get_str(v, "Key"),
		    "idle_timeout.timeout_seconds"))
			assert_string_equal(text(doc_get(v, "Value")), "30");
	assert_true(doc_len(l) > 20);
}

static void
test_tags_and_pages(void **state UNUSED)
{
	const char *arn = new_lb("a");
	const struct doc *out;
	char *resource = arena_fmt(a, "{\"ResourceArns\":[\"%s\"]}", arn);

	new_lb("b");
	new_lb("c");
	ok("AddTags", arena_fmt(a, "{\"ResourceArns\":[\"%s\"],\"Tags\":[{"
	    "\"Key\":\"x\",\"Value\":\"1\"},{\"Key\":\"y\"}]}", arn));
	ok("RemoveTags", arena_fmt(a, "{\"ResourceArns\":[\"%s\"],"
	    "\"TagKeys\":[\"y\",\"z\"]}", arn));
	out = doc_at(doc_get(ok("DescribeTags", resource), "TagDescriptions"),
	    0);
	assert_true(doc_eq(doc_get(out, "Tags"),
	    json(a, "[{\"Key\":\"x\",\"Value\":\"1\"}]")));
	out = ok("DescribeLoadBalancers", "{\"PageSize\":2}");
	assert_int_equal(doc_len(doc_get(out, "LoadBalancers")), 2);
	out = ok("DescribeLoadBalancers", arena_fmt(a, "{\"PageSize\":2,"
	    "\"Marker\":\"%s\"}", text(doc_get(out, "NextMarker"))));
	assert_int_equal(doc_len(doc_get(out, "LoadBalancers")), 1);
	assert_null(doc_get(out, "NextMarker"));
	refused("DescribeLoadBalancers", "{\"Marker\":\"x\"}",
	    "ValidationError", "Invalid marker");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_load_balancer), T(test_load_balancer_refused),
	    T(test_delete), T(test_target_group), T(test_targets),
	    T(test_listener), T(test_listener_tls), T(test_rules),
	    T(test_attributes),
	    T(test_tags_and_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
