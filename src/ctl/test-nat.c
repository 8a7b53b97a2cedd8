/* NAT gateways from the API to the network and back, on a fake network. */
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/test.h"
#include "ctl/vpc.h"
#include "drv/net/net-fake.h"
#include "svc/ec2/ec2.h"
#include "svc/ec2/kinds.h"

static const struct service *const only_ec2[] = {&ec2_service, NULL};
static const struct controller *const list[] = {&ctl_vpc, &ctl_nat, NULL};
static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

struct bench {
	uv_loop_t loop;
	uv_prepare_t prep;
	struct ctl_env env;
	struct ctl *ctl;
	struct arena *a;
	char *dir;
};

static void
commit(uv_prepare_t *p)
{
	store_commit(p->data);
}

static void
settle(struct bench *b)
{
	for (int idle = 0; idle < 3;) {
		store_commit(b->env.store);
		uv_run(&b->loop, UV_RUN_NOWAIT);
		idle = net_fake_answer(b->env.net) ? 0 : idle + 1;
	}
}

static int
set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct api_config config = {.services = only_ec2,
		.root = {SPAN("123456789012"), SPAN("AK"), SPAN("SK")}};

	b->dir = xstrdup("/tmp/test-nat-XXXXXX");
	b->a = arena_new();
	AN(mkdtemp(b->dir));
	AZ(uv_loop_init(&b->loop));
	b->env.loop = &b->loop;
	b->env.net = net_fake_new(NULL);
	AZ(store_open(b->dir, ec2_kinds, &b->env.store));
	config.store = b->env.store;
	b->env.api = api_new(&config);
	AZ(uv_prepare_init(&b->loop, &b->prep));
	b->prep.data = b->env.store;
	AZ(uv_prepare_start(&b->prep, commit));
	uv_unref((uv_handle_t *)&b->prep);
	AZ(ctl_new(&b->env, list, &b->ctl));
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", b->dir);

	clock_fake(0);
	ctl_free(b->ctl);
	net_fake_answer(b->env.net);
	uv_close((uv_handle_t *)&b->prep, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	b->env.net->ops->free(b->env.net);
	api_free(b->env.api);
	store_close(b->env.store);
	AZ(uv_loop_close(&b->loop));
	AZ(system(rm));
	arena_free(b->a);
	free(b->dir);
	free(b);
	return 0;
}

/* The answer; the input has ' for ". */
static struct doc *PRINTF(3, 4)
ok(struct bench *b, const char *op, const char *fmt, ...)
{
	const struct principal who = {.account = here.account};
	struct op_result r;
	struct doc *in;
	va_list ap;
	char *json;

	va_start(ap, fmt);
	json = arena_vfmt(b->a, fmt, ap);
	va_end(ap);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	AZ(doc_parse_json(b->a, span_of(json), &in));
	AZ(op_call(b->env.api, b->a, &who, here, "ec2", op, in, &r));
	if (r.error.n > 0)
		fail_msg("%s: %.*s", op, SPAN_ARG(r.message));
	settle(b);
	return r.out;
}

static const struct doc *
first(struct bench *b, const char *op, const char *member)
{
	return doc_at(doc_get(ok(b, op, "{}"), member), 0);
}

static const char *
state_of(struct bench *b)
{
	return arena_str(b->a, doc_get_str(first(b, "DescribeNatGateways",
	    "NatGateways"), "State"));
}

/* In the default VPC; the id of the gateway. */
static const char *
make(struct bench *b)
{
	const struct doc *subnet = first(b, "DescribeSubnets", "Subnets");
	const char *alloc = arena_str(b->a, doc_get_str(
	    ok(b, "AllocateAddress", "{}"), "AllocationId"));
	struct doc *d = ok(b, "CreateNatGateway", "{'SubnetId':'%.*s',"
	    "'AllocationId':'%s'}", SPAN_ARG(doc_get_str(subnet, "SubnetId")),
	    alloc);

	return arena_str(b->a, doc_get_str(doc_get(d, "NatGateway"),
	    "NatGatewayId"));
}

/* The network says when it is there, and when it is gone. */
static void
comes_and_goes(void **state)
{
	struct bench *b = *state;
	const char *nat;

	net_fake_fail(b->env.net, -5);
	nat = make(b);
	assert_string_equal(state_of(b), "pending");
	net_fake_fail(b->env.net, 0);
	ok(b, "CreateTags", "{'Resources':['%s'],'Tags':[{'Key':'a'}]}", nat);
	ok(b, "CreateNetworkAcl", "{'VpcId':'%.*s'}", SPAN_ARG(doc_get_str(
	    first(b, "DescribeVpcs", "Vpcs"), "VpcId")));
	assert_string_equal(state_of(b), "available");
	net_fake_fail(b->env.net, -5);
	ok(b, "DeleteNatGateway", "{'NatGatewayId':'%s'}", nat);
	/* As long as it may carry packets, its interface is there. */
	assert_string_equal(state_of(b), "deleting");
	assert_non_null(first(b, "DescribeNetworkInterfaces",
	    "NetworkInterfaces"));
	net_fake_fail(b->env.net, 0);
	ok(b, "CreateNetworkAcl", "{'VpcId':'%.*s'}", SPAN_ARG(doc_get_str(
	    first(b, "DescribeVpcs", "Vpcs"), "VpcId")));
	assert_string_equal(state_of(b), "deleted");
	assert_null(first(b, "DescribeNetworkInterfaces",
	    "NetworkInterfaces"));
	assert_null(doc_get(first(b, "DescribeAddresses", "Addresses"),
	    "AssociationId"));
}

/* AWS: an hour later it is not described any more; also when nobody ran in
 * between. */
static void
is_shown_for_an_hour(void **state)
{
	struct bench *b = *state;
	int64_t now = clock_ms();

	clock_fake(now);
	ok(b, "DeleteNatGateway", "{'NatGatewayId':'%s'}", make(b));
	assert_string_equal(state_of(b), "deleted");
	for (int minutes = 59; minutes < 62; minutes += 2) {
		ctl_stop(b->ctl);
		clock_fake(now + minutes * INT64_C(60000));
		AZ(ctl_start(b->ctl));
		settle(b);
		assert_int_equal(doc_len(doc_get(ok(b, "DescribeNatGateways",
		    "{}"), "NatGateways")), minutes < 60);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(comes_and_goes),
		CASE(is_shown_for_an_hour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
