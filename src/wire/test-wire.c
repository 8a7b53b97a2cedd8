/* Identifying, decoding what is malformed, validating, refusing. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <time.h>

#include "base/test.h"
#include "doc/xml.h"
#include "wire/wire.h"

#define ECS "AmazonEC2ContainerServiceV20141113"

/* One request in short: "header: value" lines before an empty one. */
struct req {
	const char *method, *path, *query, *service, *header, *value, *body;
};

static struct wire_in
in_of(const struct req *r, struct wire_header *h)
{
	*h = (struct wire_header){span_of(r->header), span_of(r->value)};
	return (struct wire_in){
		.method = span_of(r->method),
		.path = span_of(r->path),
		.query = span_of(r->query),
		.service = span_of(r->service),
		.headers = h,
		.n_headers = r->header ? 1 : 0,
		.body = span_of(r->body),
	};
}

static void
test_identify(void **state UNUSED)
{
	static const struct {
		struct req r;
		int outcome;
		const char *service, *op, *code;
		enum model_protocol p;
	} cases[] = {
		{{"POST", "/", NULL, "ecs", "X-Amz-Target", ECS ".ListTasks",
		  "{}"}, 0, "ecs", "ListTasks", NULL, PROTO_JSON},
		{{"POST", "/", NULL, "ecs", "x-amz-target", ECS ".Nope", "{}"},
		 WIRE_E_REFUSED, "ecs", NULL, "UnknownOperationException",
		 PROTO_JSON},
		{{"POST", "/", NULL, "elasticloadbalancing", NULL, NULL,
		  "Version=2015-12-01&Action=DescribeTags"}, 0, "elbv2",
		 "DescribeTags", NULL, PROTO_QUERY},
		{{"GET", "/", "Action=DescribeVpcs", "ec2", NULL, NULL, NULL},
		 0, "ec2", "DescribeVpcs", NULL, PROTO_EC2},
		{{"POST", "/", NULL, "ec2", NULL, NULL, NULL}, WIRE_E_BODY,
		 NULL, NULL, NULL, PROTO_EC2},
		{{"POST", "/", NULL, "ec2", NULL, NULL, "Action=Nope"},
		 WIRE_E_REFUSED, "ec2", NULL, "InvalidAction", PROTO_EC2},
		{{"POST", "/", NULL, NULL, NULL, NULL, "Action=AssumeRoleWith"
		  "WebIdentity&Version=2011-06-15"}, 0, "sts",
		 "AssumeRoleWithWebIdentity", NULL, PROTO_QUERY},
		{{"POST", "/service/GraniteServiceVersion20100801/operation/"
		  "PutMetricData", NULL, "monitoring", "smithy-protocol",
		  "rpc-v2-cbor", NULL}, 0, "cloudwatch", "PutMetricData",
		 NULL, PROTO_CBOR},
		{{"GET", "/", NULL, NULL, NULL, NULL, NULL}, WIRE_E_REFUSED,
		 NULL, NULL, "MissingAuthenticationToken", PROTO_QUERY},
		{{"PUT", "/runtimes/r/", NULL, "bedrock-agentcore", NULL,
		  NULL, "{}"}, WIRE_E_REFUSED, NULL, NULL,
		 "UnknownOperationException", PROTO_REST_JSON},
		{{"GET", "/", NULL, "s3", NULL, NULL, NULL}, 0, "s3",
		 "ListBuckets", NULL, PROTO_REST_XML},
		{{"GET", "/b", "list-type=2&prefix=x", "s3", NULL, NULL, NULL},
		 0, "s3", "ListObjectsV2", NULL, PROTO_REST_XML},
		{{"GET", "/b/", "location=", "s3", NULL, NULL, NULL}, 0, "s3",
		 "GetBucketLocation", NULL, PROTO_REST_XML},
		{{"PUT", "/b/k/with/slashes", "x-id=PutObject", "s3", NULL,
		  NULL, NULL}, 0, "s3", "PutObject", NULL, PROTO_REST_XML},
		{{"PUT", "/b/k", "partNumber=1&uploadId=u", "s3", NULL, NULL,
		  NULL}, 0, "s3", "UploadPart", NULL, PROTO_REST_XML},
		{{"PUT", "/b/k", NULL, "s3", "x-amz-copy-source", "/b/c",
		  NULL}, 0, "s3", "CopyObject", NULL, PROTO_REST_XML},
		{{"POST", "/b/k", "uploads=", "s3", NULL, NULL, NULL}, 0, "s3",
		 "CreateMultipartUpload", NULL, PROTO_REST_XML},
		{{"PUT", "/b", "notification", "s3", NULL, NULL, NULL}, 0,
		 "s3", "PutBucketNotificationConfiguration", NULL,
		 PROTO_REST_XML},
		{{"PATCH", "/b", NULL, "s3", NULL, NULL, NULL}, WIRE_E_REFUSED,
		 "s3", NULL, "MethodNotAllowed", PROTO_REST_XML},
		{{"POST", "/2015-03-31/functions/f/invocations", NULL,
		  "lambda", NULL, NULL, NULL}, 0, "lambda", "Invoke", NULL,
		 PROTO_REST_JSON},
		{{"POST", "/2013-04-01/hostedzone/Z1/rrset/", NULL, "route53",
		  NULL, NULL, NULL}, 0, "route53",
		 "ChangeResourceRecordSets", NULL, PROTO_REST_XML},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_header h;
		struct wire_in in = in_of(&cases[i].r, &h);
		struct wire_target t;
		struct wire_error e;

		assert_int_equal(wire_identify(a, &in, &t, &e),
		    cases[i].outcome);
		if (cases[i].op)
			assert_string_equal(model_op_name(t.op).p,
			    cases[i].op);
		if (cases[i].service)
			assert_string_equal(t.model->name, cases[i].service);
		if (cases[i].code)
			assert_string_equal(e.code.p, cases[i].code);
		if (cases[i].outcome != WIRE_E_BODY)
			assert_int_equal(t.protocol, cases[i].p);
	}
}

static struct wire_target
target(const char *service, const char *op, enum model_protocol p)
{
	const struct model *m = model_find(span_of(service));

	return (struct wire_target){m, model_op_find(m, span_of(op)), p};
}

/* Decodes and validates; the code, "" if all is well. */
static struct span
judge(struct arena *a, struct wire_target t, const char *body,
    struct wire_error *e)
{
	struct wire_in in = {.method = SPAN("POST"), .path = SPAN("/b"),
		.body = span_of(body)};
	struct doc *d;

	*e = (struct wire_error){0};
	if (wire_decode(a, &t, &in, &d, e) == 0)
		wire_validate(a, &t, d, e);
	return e->code.p ? e->code : SPAN("");
}

static void
test_malformed(void **state UNUSED)
{
	static const struct {
		const char *service, *op;
		enum model_protocol p;
		const char *body, *code, *message;
	} cases[] = {
		{"ecs", "ListTasks", PROTO_JSON, "{", "SerializationException",
		 NULL},
		{"ecs", "ListTasks", PROTO_JSON, "[]",
		 "SerializationException",
		 "Start of list found where not expected"},
		{"ecs", "ListTasks", PROTO_JSON, "{\"cluster\":1}",
		 "SerializationException",
		 "NUMBER_VALUE cannot be converted to String"},
		{"ecs", "ListTasks", PROTO_JSON, "{\"maxResults\":\"1\"}",
		 "SerializationException",
		 "STRING_VALUE cannot be converted to Integer"},
		{"ecs", "ListTasks", PROTO_JSON, "{\"cluster\":[]}",
		 "SerializationException",
		 "Unrecognized collection type class java.lang.String"},
		{"ecs", "ListTasks", PROTO_JSON, "{\"cluster\":{}}",
		 "SerializationException", "Start of structure or map found "
		 "where not expected."},
		{"ecs", "ListTasks", PROTO_JSON, "{\"maxResults\":3000000000}",
		 "SerializationException", NULL},
		{"ecs", "ListTasks", PROTO_JSON, "{\"maxResults\":1e300}",
		 "SerializationException", NULL},
		{"ecs", "ListTasks", PROTO_JSON, "", "", NULL},
		{"ecs", "ListTasks", PROTO_JSON, "{\"unknown\":{\"x\":1}}", "",
		 NULL},
		{"ec2", "DescribeVpcs", PROTO_EC2, "MaxResults=abc",
		 "InvalidParameterValue", NULL},
		{"elbv2", "DescribeTags", PROTO_QUERY, "ResourceArns=", "",
		 NULL},
		{"s3", "PutBucketTagging", PROTO_REST_XML, "<Tagging",
		 "MalformedXML", NULL},
		{"s3", "PutBucketTagging", PROTO_REST_XML,
		 "<!DOCTYPE x [<!ENTITY a \"b\">]><Tagging/>", "MalformedXML",
		 NULL},
		{"cloudwatch", "PutMetricData", PROTO_CBOR, "\x9b\xff",
		 "SerializationException", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_error e;
		struct span code = judge(a, target(cases[i].service,
		    cases[i].op, cases[i].p), cases[i].body, &e);

		if (!span_is(code, cases[i].code))
			print_error("%s: %.*s %.*s\n", cases[i].body,
			    SPAN_ARG(code), SPAN_ARG(e.message));
		assert_true(span_is(code, cases[i].code));
		if (cases[i].message)
			assert_true(span_is(e.message, cases[i].message));
	}
}

static void
test_validate(void **state UNUSED)
{
	static const struct {
		const char *service, *op;
		enum model_protocol p;
		const char *body, *code, *message;
	} cases[] = {
		{"ecs", "DescribeServices", PROTO_JSON, "{}",
		 "InvalidParameterException", "Services cannot be empty."},
		{"ecs", "DescribeTaskDefinition", PROTO_JSON, "{}",
		 "InvalidParameterException",
		 "Task Definition can not be blank."},
		{"ecs", "RegisterTaskDefinition", PROTO_JSON, "{}",
		 "ClientException", "Family can not be blank."},
		{"ecs", "RegisterTaskDefinition", PROTO_JSON,
		 "{\"family\":\"f\"}", "ClientException",
		 "Container list cannot be empty."},
		{"ecs", "DeleteAttributes", PROTO_JSON, "{}",
		 "InvalidParameterException", "1 validation error detected: "
		 "Value null at 'attributes' failed to satisfy constraint: "
		 "Member must not be null"},
		{"ecs", "DescribeServices", PROTO_JSON,
		 "{\"services\":[\"a\"]}", "", NULL},
		{"ecs", "ListTasks", PROTO_JSON, "{\"launchType\":\"MOON\"}",
		 "InvalidParameterException", "1 validation error detected: "
		 "Value 'MOON' at 'launchType' failed to satisfy constraint: "
		 "Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL, "
		 "MANAGED_INSTANCES]"},
		{"ecr", "CreateRepository", PROTO_JSON,
		 "{\"repositoryName\":\"Bad\"}", "InvalidParameterException",
		 "Invalid parameter at 'repositoryName' failed to satisfy "
		 "constraint: 'must satisfy regular expression '[a-z0-9]+"
		 "((\\.|_|__|-+)[a-z0-9]+)*"
		 "(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*''"},
		{"ssm", "GetParameter", PROTO_JSON, "{\"Name\":\"\"}",
		 "ValidationException", "1 validation error detected: Value "
		 "'' at 'name' failed to satisfy constraint: Member must have "
		 "length greater than or equal to 1"},
		{"cloudformation", "DescribeStackEvents", PROTO_QUERY, "",
		 "ValidationError", NULL},
		{"ec2", "CreateSubnet", PROTO_EC2, "CidrBlock=10.0.0.0/24",
		 "MissingParameter",
		 "The request must contain the parameter VpcId"},
		{"sqs", "GetQueueUrl", PROTO_JSON, "{}", "MissingParameter",
		 "The request must contain the parameter QueueName."},
		{"elbv2", "CreateTargetGroup", PROTO_QUERY,
		 "Name=x&Tags.member.1.Key=k&Port=70000", "ValidationError",
		 "1 validation error detected: Value '70000' at 'port' failed "
		 "to satisfy constraint: Member must have value less than or "
		 "equal to 65535"},
		{"elbv2", "CreateTargetGroup", PROTO_QUERY,
		 "Name=x&Tags.member.1.Value=v", "ValidationError",
		 "1 validation error detected: Value null at "
		 "'tags.1.member.key' failed to satisfy constraint: Member "
		 "must not be null"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_error e;
		struct span code = judge(a, target(cases[i].service,
		    cases[i].op, cases[i].p), cases[i].body, &e);

		if (!span_is(code, cases[i].code) || (cases[i].message &&
		    !span_is(e.message, cases[i].message)))
			print_error("%s: %.*s %.*s\n", cases[i].body,
			    SPAN_ARG(code), SPAN_ARG(e.message));
		assert_true(span_is(code, cases[i].code));
		if (cases[i].message)
			assert_true(span_is(e.message, cases[i].message));
	}
}

static void
test_patterns_compile(void **state UNUSED)
{
	pcre2_code *code;
	const struct model *m;
	struct span s;
	PCRE2_SIZE at;
	int err, bad = 0;

	for (size_t i = 0; i < models_n; i++) {
		m = models[i];
		for (size_t k = 1; k < m->n_bounds; k++) {
			s = model_str(m, m->bounds[k].regex);
			code = pcre2_compile((PCRE2_SPTR)s.p, s.n, PCRE2_UTF,
			    &err, &at, NULL);
			if (!code) {
				print_error("%s: %s\n", m->name, s.p);
				bad++;
			}
			pcre2_code_free(code);
		}
	}
	assert_int_equal(bad, 0);
}

static void
test_refusals(void **state UNUSED)
{
	static const struct {
		const char *service, *op;
		enum model_protocol p;
		const char *code;
		int status;
		const char *body;
	} cases[] = {
		{"ecs", "ListTasks", PROTO_JSON, "ClusterNotFoundException",
		 400, "{\"__type\":\"ClusterNotFoundException\",\"message\":"
		 "\"a<b\"}"},
		{"ec2", "DescribeVpcs", PROTO_EC2, "InvalidVpcID.NotFound",
		 400, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>"
		 "<Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>"
		 "a&lt;b</Message></Error></Errors><RequestID>id</RequestID>"
		 "</Response>"},
		{"elbv2", "DescribeTags", PROTO_QUERY,
		 "LoadBalancerNotFoundException", 400, "<?xml version=\"1.0\" "
		 "encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"http://"
		 "elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error>"
		 "<Type>Sender</Type><Code>LoadBalancerNotFound</Code>"
		 "<Message>a&lt;b</Message></Error><RequestId>id</RequestId>"
		 "</ErrorResponse>"},
		{"s3", "GetObject", PROTO_REST_XML, "NoSuchKey", 404,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"
		 "NoSuchKey</Code><Message>a&lt;b</Message><RequestId>id"
		 "</RequestId><HostId>id</HostId></Error>"},
		{"lambda", "Invoke", PROTO_REST_JSON,
		 "ResourceNotFoundException", 404, "{\"Message\":\"a<b\"}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct wire_target t = target(cases[i].service, cases[i].op,
		    cases[i].p);
		struct wire_error e = {.code = span_of(cases[i].code),
			.message = SPAN("a<b")};
		struct wire_out out;

		wire_encode_error(a, &t, &e, SPAN("id"), &out);
		assert_int_equal(out.status, cases[i].status);
		assert_string_equal(out.body.p, cases[i].body);
	}
}

static void
test_odd_text(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct wire_target t = target("logs", "GetLogEvents", PROTO_JSON);
	struct doc *out = doc_obj(a), *events = doc_arr(a), *e = doc_obj(a);
	struct xml_node *x;
	struct wire_out w;

	doc_set_str(a, e, "message", SPAN("\x01\xff\"\\\n\xc3\xa4"));
	doc_push(events, e);
	doc_set(a, out, "events", events);
	doc_set_str(a, out, "notInTheModel", SPAN("x"));
	wire_encode(a, &t, out, SPAN("id"), &w);
	assert_string_equal(w.body.p, "{\"events\":[{\"message\":\"\\u0001"
	    "\xef\xbf\xbd\\\"\\\\\\n\xc3\xa4\"}]}");
	t = target("sns", "CreateTopic", PROTO_QUERY);
	out = doc_set_str(a, doc_obj(a), "TopicArn", SPAN("\x01<\xff&"));
	wire_encode(a, &t, out, SPAN("id"), &w);
	assert_int_equal(xml_parse(a, w.body, &x), 0);
}

/* Prints what a DescribeServices-sized reply costs in CPU time; never fails. */
static void
test_speed(void **state UNUSED)
{
	static const char *member[] = {"serviceArn", "serviceName",
		"clusterArn", "status", "taskDefinition", "launchType",
		"platformVersion", "roleArn", "createdBy", "schedulingStrategy"};
	_cleanup_arena_ struct arena *keep = arena_new();
	struct wire_target t = target("ecs", "DescribeServices", PROTO_JSON);
	struct doc *s = doc_obj(keep), *list = doc_arr(keep);
	struct doc *out = doc_obj(keep), *in, *e, *events = doc_arr(keep);
	struct wire_in req = {.method = SPAN("POST"), .path = SPAN("/"),
		.body = SPAN("{\"cluster\":\"demo\",\"services\":[\"web\"]}")};
	struct wire_error err;
	struct wire_out w;
	int64_t from, n = 2000;

	for (size_t i = 0; i < ARRAY_SIZE(member); i++)
		doc_set_str(keep, s, member[i], SPAN("arn:aws:ecs:us-east-1:"
		    "123456789012:service/demo/web"));
	for (int i = 0; i < 20; i++) {
		e = doc_obj(keep);
		doc_set_str(keep, e, "id", SPAN("0d1f5f0e-4f0e-4b60-9d1c"));
		doc_set_time(keep, e, "createdAt", 1700000000123);
		doc_set_str(keep, e, "message", SPAN("(service web) has "
		    "reached a steady state."));
		doc_push(events, e);
	}
	doc_set(keep, s, "events", events);
	doc_push(list, s);
	doc_set(keep, out, "services", list);
	from = clock();
	for (int i = 0; i < n; i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		assert_int_equal(wire_decode(a, &t, &req, &in, &err), 0);
		assert_int_equal(wire_validate(a, &t, in, &err), 0);
	}
	print_message("decode + validate: %.2f us\n",
	    (double)(clock() - from) / (double)n);
	from = clock();
	for (int i = 0; i < n; i++) {
		_cleanup_arena_ struct arena *a = arena_new();

		wire_encode(a, &t, out, SPAN("id"), &w);
		req.query.n = w.body.n;
	}
	print_message("encode %zu bytes: %.2f us\n", req.query.n,
	    (double)(clock() - from) / (double)n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_patterns_compile),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_odd_text),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests_name("wire/wire", tests, NULL, NULL);
}
