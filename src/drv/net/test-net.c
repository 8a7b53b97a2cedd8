/* The network's messages survive the wire; the fake does as it is told. */
#include "base/test.h"
#include "drv/net/net-fake.h"

static const struct span groups[] = {
	{"sg-0123456789abcdef0", 20}, {"sg-00000000", 11}};
static const struct net_rule rules[] = {
	{.proto = NET_TCP, .from_port = 80, .to_port = 80,
	    .group = {"sg-00000000", 11}},
	{.egress = true, .proto = NET_ANY, .from_port = -1, .to_port = -1}};
static const struct net_group group = {
	.id = {"sg-0123456789abcdef0", 20}, .rules = rules, .n_rules = 2};
static const struct net_cidr cidr = {0x0a000000, 16};
static const struct net_route route = {
	{0, 0}, NET_NAT, 0x0a000006};
static const struct net_table table = {{"rtb-00000000", 12}, &route, 1};
static const struct net_acl_rule entry = {
	{.proto = NET_TCP, .from_port = 1, .to_port = 2}, true};
static const struct net_acl acl = {{"acl-00000000", 12}, &entry, 1};
static const struct net_subnet subnet = {{"subnet-00000000", 15},
	{0x0a000000, 24}, {"rtb-00000000", 12}, {"acl-00000000", 12}};
static const struct net_nat nat = {{"nat-00000000", 12},
	{"subnet-00000000", 15}, 0x0a000006, 0xc6120002};

static struct net_eni
eni(void)
{
	return (struct net_eni){.id = SPAN("eni-0123456789abcdef0"),
		.vpc = SPAN("vpc-0123456789abcdef0"),
		.netns = SPAN("task-1"), .addr = 0x0a000005,
		.subnet = {0x0a000000, 24}, .mac = {2, 0, 0, 0, 0, 5},
		.public_addr = 0xc6120001, .internet = true,
		.groups = groups, .n_groups = 2};
}

static struct net_vpc
vpc(const struct net_eni *e)
{
	return (struct net_vpc){.id = SPAN("vpc-0123456789abcdef0"),
		.cidrs = &cidr, .n_cidrs = 1, .enis = e, .n_enis = 1,
		.groups = &group, .n_groups = 1, .subnets = &subnet,
		.n_subnets = 1, .tables = &table, .n_tables = 1, .acls = &acl,
		.n_acls = 1, .nats = &nat, .n_nats = 1};
}

static void
test_round_trip(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT, again = BUF_INIT;
	struct net_eni e = eni();
	struct net_vpc v = vpc(&e), got;
	struct span why;
	net_put_vpc(&b, &v);
	struct msg_reader m = {.rest = buf_span(&b)};
	assert_true(net_get_vpc(&m, a, &got, &why));
	net_put_vpc(&again, &got);
	assert_true(span_eq(buf_span(&b), buf_span(&again)));
	assert_int_equal(got.enis[0].mac[5], 5);
	assert_int_equal(got.groups[0].rules[1].proto, NET_ANY);
	assert_int_equal(got.tables[0].routes[0].via, 0x0a000006);
	assert_true(got.acls[0].rules[0].allow);
	assert_int_equal(got.nats[0].public_addr, 0xc6120002);
	/* Every shorter message is refused, none crashes. */
	for (size_t n = 0; n < b.n; n++) {
		m = (struct msg_reader){.rest = span_to(buf_span(&b), n)};
		assert_false(net_get_vpc(&m, a, &got, &why));
	}
}

static bool
decodes(const struct net_vpc *v)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc got;
	struct span why = SPAN_NULL;
	net_put_vpc(&b, v);
	struct msg_reader m = {.rest = buf_span(&b)};
	bool ok = net_get_vpc(&m, a, &got, &why);
	assert_true(ok == (why.n == 0));
	return ok;
}

/* What would become text for nft, or a path, or an address of another's. */
static void
test_refused(void **state UNUSED)
{
	static const struct span bad_ids[] = {
		{"sg-0123456789abcdef0 }; flush ruleset", 37},
		{"sg-0123456789ABCDEF0", 20}, {"sg-", 3}, {"", 0},
		{"sg-012345\n89", 12}};
	for (size_t i = 0; i < ARRAY_SIZE(bad_ids); i++) {
		struct net_eni e = eni();
		e.groups = &bad_ids[i];
		e.n_groups = 1;
		struct net_vpc v = vpc(&e);
		assert_false(decodes(&v));
	}
	static const struct span bad_ns[] = {{"task-../../etc", 14},
		{"vpc-0123456789abcdef0", 21}, {"task-a b", 8}, {"", 0}};
	for (size_t i = 0; i < ARRAY_SIZE(bad_ns); i++) {
		struct net_eni e = eni();
		e.netns = bad_ns[i];
		struct net_vpc v = vpc(&e);
		assert_false(decodes(&v));
	}
	static const uint32_t bad_addr[] = {0x0a000000, 0x0a000001,
		0x0a0000ff, 0x0a000105, 0};
	for (size_t i = 0; i < ARRAY_SIZE(bad_addr); i++) {
		struct net_eni e = eni();
		e.addr = bad_addr[i];
		struct net_vpc v = vpc(&e);
		assert_false(decodes(&v));
	}
}

/* The same of what lies between subnets. */
static void
test_bad_paths(void **state UNUSED)
{
	static const struct span bad = {"x-00000000 }; flush ruleset", 27};
	struct net_eni e = eni();
	struct net_vpc v = vpc(&e);
	struct net_subnet s[2] = {subnet, subnet};
	struct net_table t = table;
	struct net_route r = route;
	struct net_acl l = acl;
	struct net_acl_rule k = entry;
	struct net_nat n = nat;
	v.subnets = s;
	v.tables = &t;
	v.acls = &l;
	v.nats = &n;
	t.routes = &r;
	l.rules = &k;
	assert_true(decodes(&v));
	struct span *ids[] = {&s[0].id, &s[0].table, &s[0].acl, &t.id, &l.id,
		&n.id, &n.subnet, &k.match.group};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct span was = *ids[i];
		*ids[i] = bad;
		assert_false(decodes(&v));
		*ids[i] = was;
	}
	k.match.group = SPAN("sg-00000000");
	assert_false(decodes(&v));
	k.match.group = SPAN_NULL;
	r.to = NET_NAT + 1;
	assert_false(decodes(&v));
	r.to = NET_NAT;
	n.addr = 1;
	assert_false(decodes(&v));
	n.addr = 0x0a000106;
	assert_false(decodes(&v));
	n.addr = 0x0a000007;
	s[1].id = SPAN("subnet-00000001");
	s[1].cidr = (struct net_cidr){0x0a000080, 25};
	v.n_subnets = 2;
	assert_false(decodes(&v));
	s[1].cidr = (struct net_cidr){0x0a000100, 24};
	assert_true(decodes(&v));
}

static void
test_bad_rules(void **state UNUSED)
{
	static const struct net_rule bad[] = {
		{.proto = NET_TCP, .from_port = 90, .to_port = 80},
		{.proto = NET_TCP, .from_port = 0, .to_port = 65536},
		{.proto = NET_TCP, .from_port = -1, .to_port = 80},
		{.proto = NET_ICMP, .from_port = 256, .to_port = 0},
		{.proto = 256, .from_port = -1, .to_port = -1},
		{.proto = -2, .from_port = -1, .to_port = -1},
		{.proto = NET_ANY, .cidr = {0x0a000001, 16}},
		{.proto = NET_ANY, .cidr = {0, 33}}};
	struct net_eni e = eni();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_group g = {.id = groups[0], .rules = &bad[i],
			.n_rules = 1};
		struct net_vpc v = vpc(&e);
		v.groups = &g;
		assert_false(decodes(&v));
	}
}

struct heard {
	int calls, err;
	struct buf why;
};

static void
on_answer(void *ctx, int err, struct span why)
{
	struct heard *h = ctx;
	h->calls++;
	h->err = err;
	buf_clear(&h->why);
	buf_add_span(&h->why, why);
}

static void
test_fake(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net *n = net_fake_new(NULL);
	struct heard h = {0};
	struct net_eni e = eni();
	struct net_vpc v = vpc(&e), got;
	n->ops->vpc_sync(n, &v, on_answer, &h);
	assert_int_equal(h.calls, 0);
	assert_int_equal(net_fake_answer(n), 1);
	assert_int_equal(h.err, 0);
	assert_true(net_fake_vpc(n, a, v.id, &got));
	assert_int_equal(got.enis[0].addr, 0x0a000005);
	n->ops->list(n, on_answer, &h);
	net_fake_answer(n);
	assert_string_equal(buf_str(&h.why), "vpc-0123456789abcdef0");
	net_fake_fail(n, -5);
	n->ops->vpc_remove(n, v.id, on_answer, &h);
	net_fake_answer(n);
	assert_int_equal(h.err, -5);
	assert_true(net_fake_vpc(n, a, v.id, &got));
	net_fake_fail(n, 0);
	n->ops->clean(n, on_answer, &h);
	n->ops->pool(n, on_answer, &h);
	assert_int_equal(net_fake_answer(n), 2);
	assert_string_equal(buf_str(&h.why), "198.18.0.0/16");
	assert_false(net_fake_vpc(n, a, v.id, &got));
	n->ops->vpc_remove(n, v.id, on_answer, &h);
	n->ops->free(n); /* unanswered ones are forgotten */
	buf_done(&h.why);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_fake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
