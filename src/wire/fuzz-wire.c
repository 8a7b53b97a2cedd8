/* Any bytes as a request: identify, decode, validate, and encode what came
 * out.  The first byte picks service and protocol from the table below; from
 * 0x80 on the next three pick any operation there is. */
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

static struct wire_target
from_table(uint8_t i)
{
	struct wire_target t;

	i %= ARRAY_SIZE(targets);
	t.model = model_find(span_of(targets[i].service));
	t.op = model_op_find(t.model, span_of(targets[i].op));
	t.protocol = targets[i].protocol;
	return t;
}

static struct wire_target
any_target(uint8_t service, uint8_t op, uint8_t more)
{
	struct wire_target t = {.model = models[service % models_n]};
	unsigned want = more & 7;

	t.op = &t.model->ops[(op | more >> 3 << 8) % t.model->n_ops];
	t.protocol = t.model->protocol;
	for (unsigned p = PROTO_JSON; p <= PROTO_CBOR; p++)
		if (p == want && model_speaks(t.model, (enum model_protocol)p))
			t.protocol = (enum model_protocol)p;
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct wire_header h[] = {{SPAN("x-amz-acl"), SPAN_NULL},
	    {SPAN("content-type"), SPAN_NULL}, {SPAN("x-amz-target"), SPAN_NULL}};
	struct wire_in in = {.path = SPAN("/bucket"), .headers = h,
		.n_headers = 1};
	struct wire_target t;
	size_t head = 1;

	if (n < 4)
		return 0;
	if (p[0] & 0x80) {
		t = any_target(p[1], p[2], p[3]);
		head = 4;
	} else {
		t = from_table(p[0]);
	}
	in.body = span_make((const char *)p + head, n - head);
	h[0].value = span_to(in.body, 40);
	h[1].value = span_to(in.body, 20);
	h[2].value = span_to(in.body, 60);
	in.query = span_to(in.body, 200);
	if (p[0] & 0x40) {
		in.path = span_to(in.body, 100);
		in.n_headers = ARRAY_SIZE(h);
	}
	in.method = model_str(t.model, t.op->method);
	in.service = span_of(t.model->signing_name);
	run(a, &t, &in);
	return 0;
}
