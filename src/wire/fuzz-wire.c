/* Any bytes as a request: identify, decode, validate, and encode what came
 * out.  The first byte picks the service and protocol. */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct {
	const char *service;
	const char *op;
	enum model_protocol protocol;
} targets[] = {
	{"ecs", "RegisterTaskDefinition", PROTO_JSON},
	{"elbv2", "CreateRule", PROTO_QUERY},
	{"sqs", "SendMessageBatch", PROTO_QUERY},
	{"ec2", "RunInstances", PROTO_EC2},
	{"ec2", "AuthorizeSecurityGroupIngress", PROTO_EC2},
	{"lambda", "CreateFunction", PROTO_REST_JSON},
	{"s3", "PutBucketLifecycleConfiguration", PROTO_REST_XML},
	{"s3", "PutBucketAcl", PROTO_REST_XML},
	{"route53", "ChangeResourceRecordSets", PROTO_REST_XML},
	{"cloudwatch", "PutMetricData", PROTO_CBOR},
	{"cloudwatch", "GetMetricData", PROTO_CBOR},
};

static void
run(struct arena *a, const struct wire_target *t, struct wire_in *in)
{
	struct wire_target found;
	struct wire_error e;
	struct wire_out out;
	struct doc *d;

	if (wire_identify(a, in, &found, &e) == WIRE_E_REFUSED)
		wire_encode_error(a, &found, &e, SPAN("id"), &out);
	if (wire_decode(a, t, in, &d, &e) || wire_validate(a, t, d, &e)) {
		wire_encode_error(a, t, &e, SPAN("id"), &out);
		return;
	}
	wire_encode(a, t, d, SPAN("id"), &out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct wire_header h = {SPAN("x-amz-acl"), SPAN_NULL};
	struct wire_in in = {.path = SPAN("/bucket"), .headers = &h,
		.n_headers = 1};
	struct wire_target t;
	size_t i;

	if (n == 0)
		return 0;
	i = p[0] % ARRAY_SIZE(targets);
	in.body = span_make((const char *)p + 1, n - 1);
	h.value = span_to(in.body, 40);
	in.query = span_to(in.body, 200);
	t.model = model_find(span_of(targets[i].service));
	t.op = model_op_find(t.model, span_of(targets[i].op));
	t.protocol = targets[i].protocol;
	in.method = model_str(t.model, t.op->method);
	in.service = span_of(t.model->signing_name);
	run(a, &t, &in);
	return 0;
}
