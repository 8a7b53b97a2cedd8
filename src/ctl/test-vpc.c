/* The plan of a VPC from its parts, and the controller on a fake network. */
#include <stdio.h>

#include "base/cidr.h"
#include "base/clock.h"
#include "base/test.h"
#include "ctl/vpc-plan.h"
#include "ctl/vpc.h"
#include "drv/net/net-fake.h"
#include "svc/ec2/kinds.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

#define VPC "vpc-00000000000000001"

static struct res *
res(struct arena *a, const struct kind *k, const char *parent, const char *id,
    const char *json)
{
	struct res *r = res_new(a, k, here, span_of(parent), span_of(id));
	AZ(doc_parse_json(a, span_of(json), &r->spec));
	return r;
}

/* The parts of a small VPC; the store's tests insert the same. */
struct world {
	struct res *vpc, *subnet[2], *group[2], *rule[5], *table[2], *igw,
	    *eni[4], *acl[2], *nat[3];
};

static void
world(struct arena *a, struct world *w)
{
	w->vpc = res(a, &ec2_vpc, "", VPC,
	    "{\"VpcId\":\"" VPC "\",\"CidrBlock\":\"10.0.0.0/16\"}");
	w->subnet[0] = res(a, &ec2_subnet, "", "subnet-00000001",
	    "{\"VpcId\":\"" VPC "\",\"CidrBlock\":\"10.0.1.0/24\"}");
	w->subnet[1] = res(a, &ec2_subnet, "", "subnet-00000002",
	    "{\"VpcId\":\"" VPC "\",\"CidrBlock\":\"10.0.2.0/24\"}");
	w->group[0] = res(a, &ec2_security_group, "", "sg-00000001",
	    "{\"VpcId\":\"" VPC "\",\"GroupName\":\"lb\"}");
	w->group[1] = res(a, &ec2_security_group, "", "sg-00000002",
	    "{\"VpcId\":\"" VPC "\",\"GroupName\":\"app\"}");
	w->rule[0] = res(a, &ec2_security_group_rule, "sg-00000001", "sgr-01",
	    "{\"IsEgress\":false,\"IpProtocol\":\"tcp\",\"FromPort\":80,"
	    "\"ToPort\":81,\"CidrIpv4\":\"192.0.2.77/24\"}");
	w->rule[1] = res(a, &ec2_security_group_rule, "sg-00000001", "sgr-02",
	    "{\"IsEgress\":true,\"IpProtocol\":\"-1\",\"FromPort\":-1,"
	    "\"ToPort\":-1,\"CidrIpv4\":\"0.0.0.0/0\"}");
	w->rule[2] = res(a, &ec2_security_group_rule, "sg-00000002", "sgr-03",
	    "{\"IsEgress\":false,\"IpProtocol\":\"udp\",\"FromPort\":53,"
	    "\"ToPort\":53,\"ReferencedGroupInfo\":{\"GroupId\":"
	    "\"sg-00000001\"}}");
	w->rule[3] = res(a, &ec2_security_group_rule, "sg-00000002", "sgr-04",
	    "{\"IsEgress\":false,\"IpProtocol\":\"tcp\",\"FromPort\":1,"
	    "\"ToPort\":2,\"CidrIpv6\":\"::/0\"}");
	w->rule[4] = res(a, &ec2_security_group_rule, "sg-00000002", "sgr-05",
	    "{\"IsEgress\":true,\"IpProtocol\":\"50\",\"FromPort\":1,"
	    "\"ToPort\":2,\"CidrIpv4\":\"10.0.0.0/8\"}");
	w->table[0] = res(a, &ec2_route_table, "", "rtb-00000001",
	    "{\"VpcId\":\"" VPC "\",\"Routes\":[{\"DestinationCidrBlock\":"
	    "\"10.0.0.0/16\",\"GatewayId\":\"local\"}],\"Associations\":"
	    "[{\"Main\":true}]}");
	w->table[1] = res(a, &ec2_route_table, "", "rtb-00000002",
	    "{\"VpcId\":\"" VPC "\",\"Routes\":[{\"DestinationCidrBlock\":"
	    "\"10.0.0.0/16\",\"GatewayId\":\"local\"},"
	    "{\"DestinationCidrBlock\":\"0.0.0.0/0\",\"GatewayId\":"
	    "\"igw-00000001\"}],\"Associations\":[{\"Main\":false,"
	    "\"SubnetId\":\"subnet-00000001\"}]}");
	w->igw = res(a, &ec2_internet_gateway, "", "igw-00000001",
	    "{\"VpcId\":\"" VPC "\"}");
	w->eni[0] = res(a, &ec2_network_interface, "", "eni-00000001",
	    "{\"VpcId\":\"" VPC "\",\"SubnetId\":\"subnet-00000001\","
	    "\"PrivateIpAddress\":\"10.0.1.5\",\"MacAddress\":"
	    "\"02:AB:00:00:00:05\",\"Groups\":[\"sg-00000001\","
	    "\"sg-00000002\"],\"PublicIp\":\"198.18.0.5\",\"Netns\":\"lb-1\"}");
	w->eni[1] = res(a, &ec2_network_interface, "", "eni-00000002",
	    "{\"VpcId\":\"" VPC "\",\"SubnetId\":\"subnet-00000002\","
	    "\"PrivateIpAddress\":\"10.0.2.5\",\"MacAddress\":"
	    "\"02:00:00:00:00:06\",\"Groups\":[\"sg-00000002\"],"
	    "\"PublicIp\":\"198.18.0.6\",\"Netns\":\"task-1\"}");
	w->eni[2] = res(a, &ec2_network_interface, "", "eni-00000003",
	    "{\"VpcId\":\"" VPC "\",\"SubnetId\":\"subnet-00000002\","
	    "\"PrivateIpAddress\":\"10.0.2.6\",\"MacAddress\":"
	    "\"02:00:00:00:00:07\",\"Groups\":[]}");
	w->eni[3] = res(a, &ec2_network_interface, "", "eni-00000004",
	    "{\"VpcId\":\"" VPC "\",\"SubnetId\":\"subnet-00000002\","
	    "\"PrivateIpAddress\":\"10.0.1.7\",\"MacAddress\":"
	    "\"02:00:00:00:00:08\",\"Groups\":[],\"Netns\":\"task-2\"}");
	w->acl[0] = res(a, &ec2_network_acl, "", "acl-00000001",
	    "{\"VpcId\":\"" VPC "\",\"IsDefault\":true,\"Entries\":["
	    "{\"Egress\":true,\"Protocol\":\"-1\",\"RuleAction\":\"allow\","
	    "\"RuleNumber\":100,\"CidrBlock\":\"0.0.0.0/0\"}]}");
	w->acl[1] = res(a, &ec2_network_acl, "", "acl-00000002",
	    "{\"VpcId\":\"" VPC "\",\"IsDefault\":false,\"Entries\":["
	    "{\"Egress\":false,\"Protocol\":\"6\",\"RuleAction\":\"deny\","
	    "\"RuleNumber\":100,\"CidrBlock\":\"10.0.0.0/8\","
	    "\"PortRange\":{\"From\":22,\"To\":23}},"
	    "{\"Egress\":false,\"Protocol\":\"1\",\"RuleAction\":\"allow\","
	    "\"RuleNumber\":110,\"CidrBlock\":\"10.0.0.0/8\","
	    "\"IcmpTypeCode\":{\"Type\":8,\"Code\":-1}}]}");
	for (int i = 0; i < 3; i++)
		w->nat[i] = res(a, &ec2_nat_gateway, "",
		    arena_fmt(a, "nat-0000000%d", i),
		    arena_fmt(a, "{\"VpcId\":\"" VPC "\",\"SubnetId\":"
			"\"subnet-00000001\",\"NatGatewayAddresses\":[{"
			"\"PrivateIp\":\"10.0.1.2%d\",\"PublicIp\":"
			"\"198.18.0.2%d\"}]}", i, i));
}

/* The private subnet's own ACL, and a way out by the first gateway. */
static void
lead_private(struct arena *a, struct world *w)
{
	struct doc *route;
	AZ(doc_parse_json(a, SPAN("{\"DestinationCidrBlock\":\"0.0.0.0/0\","
	    "\"NatGatewayId\":\"nat-00000000\"}"), &route));
	doc_push(doc_get(w->table[0]->spec, "Routes"), route);
	doc_set_str(a, w->subnet[1]->spec, "NetworkAclId",
	    SPAN("acl-00000002"));
}

static void
test_plan(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct world w;
	world(a, &w);
	struct res_list rules[2] = {
		{w.rule, 2, false}, {w.rule + 2, 3, false}};
	struct vpc_facts f = {.vpc = w.vpc, .subnets = {w.subnet, 2, false},
		.enis = {w.eni, 4, false}, .groups = {w.group, 2, false},
		.tables = {w.table, 2, false}, .gateways = {&w.igw, 1, false},
		.rules = rules};
	doc_set_str(a, w.eni[1]->status, "plane", SPAN("up"));
	w.eni[0]->row = 10;
	w.eni[3]->row = 13;
	struct vpc_plan *p = vpc_plan(a, &f);
	/* Without a Netns there is nothing to make; a wrong one is told. */
	assert_int_equal(p->net.n_enis, 2);
	assert_int_equal(p->n_fresh, 1);
	assert_int_equal(p->fresh[0], 10);
	assert_int_equal(p->n_faults, 1);
	assert_int_equal(p->faults[0].row, 13);
	const struct net_eni *e = p->net.enis;
	assert_int_equal(e[0].addr, 0x0a000105);
	assert_int_equal(e[0].subnet.addr, 0x0a000100);
	assert_int_equal(e[0].mac[1], 0xab);
	assert_int_equal(e[0].public_addr, 0xc6120005);
	assert_int_equal(e[0].n_groups, 2);
	/* The gateway is there; who is led to it is the tables' to say. */
	assert_true(e[0].internet);
	assert_true(e[1].internet);
	const struct net_group *g = p->net.groups;
	assert_int_equal(g[0].n_rules, 2);
	assert_int_equal(g[0].rules[0].cidr.addr, 0xc0000200);
	assert_int_equal(g[0].rules[0].to_port, 81);
	assert_true(g[0].rules[1].egress);
	assert_int_equal(g[0].rules[1].proto, NET_ANY);
	/* IPv6 matches nothing here; other protocols have no ports. */
	assert_int_equal(g[1].n_rules, 2);
	assert_true(span_is(g[1].rules[0].group, "sg-00000001"));
	assert_int_equal(g[1].rules[1].proto, 50);
	assert_int_equal(g[1].rules[1].from_port, -1);
	/* A detached gateway leads nowhere. */
	doc_del(w.igw->spec, "VpcId");
	assert_false(vpc_plan(a, &f)->net.enis[0].internet);
	/* What the plan says, the warden takes. */
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc got;
	struct span why;
	net_put_vpc(&b, &p->net);
	struct msg_reader m = {.rest = buf_span(&b)};
	assert_true(net_get_vpc(&m, a, &got, &why));
}

/* The controller */

static void
test_paths(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct world w;
	world(a, &w);
	lead_private(a, &w);
	struct vpc_facts f = {.vpc = w.vpc, .subnets = {w.subnet, 2, false},
		.tables = {w.table, 2, false}, .gateways = {&w.igw, 1, false},
		.acls = {w.acl, 2, false}, .nats = {w.nat, 3, false}};
	for (int i = 0; i < 3; i++)
		w.nat[i]->row = 20 + i;
	doc_set_str(a, w.nat[1]->spec, "FailureCode", SPAN("x"));
	doc_set_time(a, w.nat[2]->spec, "DeleteTime", 1);
	doc_set_str(a, w.nat[2]->status, "plane", SPAN("up"));
	struct vpc_plan *p = vpc_plan(a, &f);
	const struct net_vpc *v = &p->net;
	/* One is to come; of the others' ends the network is told. */
	assert_int_equal(v->n_nats, 1);
	assert_int_equal(v->nats[0].addr, 0x0a000114);
	assert_int_equal(v->nats[0].public_addr, 0xc6120014);
	assert_int_equal(p->n_fresh, 1);
	assert_int_equal(p->fresh[0], 20);
	assert_int_equal(p->n_gone, 2);
	assert_int_equal(p->gone[1], 22);
	/* A subnet's own table and ACL, or the VPC's. */
	assert_true(span_is(v->subnets[0].table, "rtb-00000002"));
	assert_true(span_is(v->subnets[1].table, "rtb-00000001"));
	assert_true(span_is(v->subnets[0].acl, "acl-00000001"));
	assert_true(span_is(v->subnets[1].acl, "acl-00000002"));
	assert_int_equal(v->tables[1].routes[0].to, NET_LOCAL);
	assert_int_equal(v->tables[1].routes[1].to, NET_INTERNET);
	assert_int_equal(v->tables[0].routes[1].to, NET_NAT);
	assert_int_equal(v->tables[0].routes[1].via, 0x0a000114);
	const struct net_acl_rule *r = v->acls[1].rules;
	assert_false(r[0].allow);
	assert_int_equal(r[0].match.to_port, 23);
	assert_true(r[1].allow);
	assert_int_equal(r[1].match.from_port, 8);
	assert_int_equal(r[1].match.to_port, -1);
	/* A gateway that goes leaves a route that leads nowhere. */
	doc_set_time(a, w.nat[0]->spec, "DeleteTime", 1);
	doc_del(w.igw->spec, "VpcId");
	p = vpc_plan(a, &f);
	assert_int_equal(p->net.tables[0].routes[1].to, NET_NOWHERE);
	assert_int_equal(p->net.tables[1].routes[1].to, NET_NOWHERE);
	assert_int_equal(p->n_gone, 3);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc got;
	struct span why;
	net_put_vpc(&b, v);
	struct msg_reader m = {.rest = buf_span(&b)};
	assert_true(net_get_vpc(&m, a, &got, &why));
}

struct bench {
	uv_loop_t loop;
	uv_prepare_t prep;
	char *dir;
	struct ctl_env env;
	struct ctl *ctl;
	struct arena *a;
	struct world w;
};

static const struct controller *const list[] = {&ctl_vpc, NULL};

static void
commit(uv_prepare_t *h)
{
	store_commit(h->data);
}

static void
insert(struct bench *b, struct res *r)
{
	AZ(store_insert(b->env.store, b->a, r));
}

static void
set_up(struct bench *b)
{
	*b = (struct bench){.dir = xstrdup("/tmp/test-vpc-XXXXXX")};
	b->a = arena_new();
	AN(mkdtemp(b->dir));
	AZ(uv_loop_init(&b->loop));
	b->env.loop = &b->loop;
	b->env.net = net_fake_new(NULL);
	AZ(store_open(b->dir, ec2_kinds, &b->env.store));
	AZ(uv_prepare_init(&b->loop, &b->prep));
	b->prep.data = b->env.store;
	AZ(uv_prepare_start(&b->prep, commit));
	uv_unref((uv_handle_t *)&b->prep);
	world(b->a, &b->w);
	insert(b, b->w.vpc);
	for (int i = 0; i < 2; i++) {
		insert(b, b->w.subnet[i]);
		insert(b, b->w.group[i]);
		insert(b, b->w.table[i]);
	}
	for (int i = 0; i < 5; i++)
		insert(b, b->w.rule[i]);
	insert(b, b->w.igw);
	insert(b, b->w.acl[0]);
}

/* Turns the loop until nothing happens any more. */
static void
settle(struct bench *b)
{
	for (int idle = 0; idle < 3;) {
		store_commit(b->env.store);
		uv_run(&b->loop, UV_RUN_NOWAIT);
		idle = net_fake_answer(b->env.net) ? 0 : idle + 1;
	}
}

static void
start(struct bench *b)
{
	AZ(ctl_new(&b->env, list, &b->ctl));
	settle(b);
}

static void
tear_down(struct bench *b)
{
	_cleanup_free_ char *rm = xasprintf("rm -rf %s", b->dir);
	ctl_free(b->ctl);
	net_fake_answer(b->env.net);
	uv_close((uv_handle_t *)&b->prep, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	b->env.net->ops->free(b->env.net);
	store_close(b->env.store);
	AZ(uv_loop_close(&b->loop));
	AZ(system(rm));
	arena_free(b->a);
	free(b->dir);
}

static struct span
plane(struct bench *b, const struct res *r)
{
	struct res *now;
	AZ(store_get_row(b->env.store, b->a, r->row, &now));
	return doc_get_str(now->status, "plane");
}

static void
test_brings_up(void **state UNUSED)
{
	struct bench b;
	struct net_vpc v;
	set_up(&b);
	start(&b);
	/* No interface, no network. */
	assert_false(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	insert(&b, b.w.eni[0]);
	insert(&b, b.w.eni[1]);
	insert(&b, b.w.eni[3]);
	size_t before = net_fake_calls(b.env.net);
	settle(&b);
	/* All of them in one go, and our own status does not wake us. */
	assert_int_equal(net_fake_calls(b.env.net), before + 1);
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_int_equal(v.n_enis, 2);
	assert_true(span_is(plane(&b, b.w.eni[0]), "up"));
	assert_true(span_is(plane(&b, b.w.eni[3]), "error"));
	/* A rule goes: its row can no longer tell whose it was. */
	AZ(store_delete(b.env.store, b.w.rule[0]));
	settle(&b);
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_int_equal(v.groups[0].n_rules, 1);
	/* A gateway is detached. */
	doc_del(b.w.igw->spec, "VpcId");
	AZ(store_put_spec(b.env.store, b.w.igw));
	settle(&b);
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_false(v.enis[0].internet);
	AZ(store_delete(b.env.store, b.w.eni[0]));
	settle(&b);
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_int_equal(v.n_enis, 1);
	AZ(store_delete(b.env.store, b.w.vpc));
	settle(&b);
	assert_false(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	tear_down(&b);
}

static void
test_tries_again(void **state UNUSED)
{
	struct bench b;
	set_up(&b);
	start(&b);
	net_fake_fail(b.env.net, -5);
	insert(&b, b.w.eni[0]);
	settle(&b);
	assert_true(span_is(plane(&b, b.w.eni[0]), "error"));
	net_fake_fail(b.env.net, 0);
	int64_t from = clock_mono_us();
	while (!span_is(plane(&b, b.w.eni[0]), "up") &&
	    clock_mono_us() - from < 3000000) {
		uv_run(&b.loop, UV_RUN_ONCE);
		net_fake_answer(b.env.net);
	}
	settle(&b);
	assert_true(span_is(plane(&b, b.w.eni[0]), "up"));
	/* Ends with a call still on its way. */
	insert(&b, b.w.eni[1]);
	store_commit(b.env.store);
	uv_run(&b.loop, UV_RUN_NOWAIT);
	tear_down(&b);
}

/* A gateway alone makes a network; it is gone when the network says so. */
static void
test_nat(void **state UNUSED)
{
	struct bench b;
	struct net_vpc v;
	set_up(&b);
	start(&b);
	insert(&b, b.w.nat[0]);
	settle(&b);
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_int_equal(v.n_nats, 1);
	assert_true(span_is(plane(&b, b.w.nat[0]), "up"));
	net_fake_fail(b.env.net, -5);
	doc_set_time(b.a, b.w.nat[0]->spec, "DeleteTime", 1);
	AZ(store_put_spec(b.env.store, b.w.nat[0]));
	settle(&b);
	assert_true(span_is(plane(&b, b.w.nat[0]), "up"));
	net_fake_fail(b.env.net, 0);
	AZ(store_put_spec(b.env.store, b.w.nat[0]));
	settle(&b);
	assert_true(span_is(plane(&b, b.w.nat[0]), "gone"));
	assert_true(net_fake_vpc(b.env.net, b.a, SPAN(VPC), &v));
	assert_int_equal(v.n_nats, 0);
	tear_down(&b);
}

static void
ignore(void *ctx UNUSED, int err UNUSED, struct span why UNUSED)
{
}

static void
test_leftovers_go(void **state UNUSED)
{
	struct bench b;
	struct net_vpc v = {.id = SPAN("vpc-0000000000000dead")};
	set_up(&b);
	/* Made before the controller started, deleted while it was away. */
	b.env.net->ops->vpc_sync(b.env.net, &v, ignore, NULL);
	start(&b);
	assert_false(net_fake_vpc(b.env.net, b.a, v.id, &v));
	tear_down(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_brings_up),
		cmocka_unit_test(test_tries_again),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_leftovers_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
