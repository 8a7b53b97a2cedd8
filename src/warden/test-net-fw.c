/* Firewalls as text, against golden files; and that a difference applied to
 * one gives the other.  `UPDATE=1 make t T=warden/net-fw` rewrites them. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/net-fw.h"
#include "warden/net-host.h"

#define GOLDEN "src/warden/golden/"

static void
check_golden(const char *name, const struct buf *got)
{
	_cleanup_free_ char *path = xasprintf(GOLDEN "%s", name);
	if (getenv("UPDATE")) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(buf_str(got), f);
		fclose(f);
	}
	_cleanup_(buf_done) struct buf want = BUF_INIT;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n;
	do {
		buf_reserve(&want, 4096);
		n = read(fd, want.p + want.n, 4000);
		assert_true(n >= 0);
		want.n += (size_t)n;
		want.p[want.n] = '\0';
	} while (n > 0);
	close(fd);
	assert_string_equal(buf_str(got), buf_str(&want));
}

#define SG_LB  ((struct span){"sg-0000000000000001b", 20})
#define SG_APP ((struct span){"sg-000000000000000a9", 20})
#define SG_ALL ((struct span){"sg-000000000000000a1", 20})

static struct net_rule lb_rules[] = {
	{.proto = NET_TCP, .from_port = 80, .to_port = 80},
	{.proto = NET_TCP, .from_port = 8000, .to_port = 8080,
	    .cidr = {0xc0a80000, 16}},
	{.egress = true, .proto = NET_ANY, .from_port = -1, .to_port = -1}};
static struct net_rule app_rules[] = {
	{.proto = NET_TCP, .from_port = 3000, .to_port = 3000,
	    .group = {"sg-0000000000000001b", 20}},
	{.proto = NET_UDP, .from_port = 0, .to_port = 65535,
	    .cidr = {0x0a000001, 32}},
	{.proto = NET_ICMP, .from_port = 8, .to_port = -1},
	{.proto = NET_ICMP, .from_port = 3, .to_port = 4},
	{.proto = NET_ICMP, .from_port = -1, .to_port = -1,
	    .group = {"sg-000000000000000a9", 20}},
	{.proto = 50, .from_port = -1, .to_port = -1},
	{.egress = true, .proto = NET_ANY, .from_port = -1, .to_port = -1}};
static struct net_group base_groups[3];
static struct net_cidr base_cidr = {0x0a000000, 16};
static struct span app_of[1], both_of[2];
static struct net_eni base_enis[3];

static struct net_vpc
base_vpc(void)
{
	base_groups[0] = (struct net_group){SG_LB, lb_rules, 3};
	base_groups[1] = (struct net_group){SG_APP, app_rules, 7};
	base_groups[2] = (struct net_group){SG_ALL, NULL, 0};
	app_of[0] = SG_APP;
	both_of[0] = SG_LB;
	both_of[1] = SG_ALL;
	for (uint32_t i = 0; i < 3; i++)
		base_enis[i] = (struct net_eni){.addr = 0x0a00000a + i,
			.id = SPAN("eni-00000000"), .groups = app_of,
			.n_groups = 1};
	base_enis[2].groups = both_of;
	base_enis[2].n_groups = 2;
	base_enis[2].public_addr = 0xc6120005;
	base_enis[2].internet = true;
	/* An address without a way to the internet is not mapped. */
	base_enis[0].public_addr = 0xc6120006;
	return (struct net_vpc){.id = SPAN("vpc-00000000"),
		.cidrs = &base_cidr, .n_cidrs = 1, .enis = base_enis,
		.n_enis = 3, .groups = base_groups, .n_groups = 3};
}

static void
test_full(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc v = base_vpc();
	fw_script(&b, fw_diff(a, NULL, fw_build(a, &v)), true);
	check_golden("full.nft", &b);
}

static void
test_one_more(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc v = base_vpc(), w;
	struct fw *from = fw_build(a, &v);
	w = v;
	w.n_enis = 2;
	struct fw_diff *d = fw_diff(a, fw_build(a, &w), from);
	/* The first interface with these two groups brings their chain. */
	assert_true(d->structure);
	base_enis[2].groups = app_of;
	base_enis[2].n_groups = 1;
	d = fw_diff(a, fw_build(a, &w), fw_build(a, &v));
	assert_false(d->structure);
	assert_int_equal(d->n_del, 0);
	/* egress, ingress, its group's members, and four of translation */
	assert_int_equal(d->n_add, 7);
	fw_script(&b, d, false);
	check_golden("one-more.nft", &b);
	assert_true(fw_diff_empty(fw_diff(a, from, from)));
}

static void
test_rules_change(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc v = base_vpc();
	struct fw *from = fw_build(a, &v);
	/* No rule names the load balancer's group any more; a group goes with
	 * its interface, which gets another public address. */
	base_groups[1].rules = app_rules + 1;
	base_groups[1].n_rules = 6;
	base_enis[2].public_addr++;
	v.n_groups = 2;
	fw_script(&b, fw_diff(a, from, fw_build(a, &v)), false);
	check_golden("rules-change.nft", &b);
}

/* Public, private and isolated subnets, the private one's ACL tight. */
static struct net_acl_rule tight[] = {
	{{.egress = true, .proto = NET_TCP, .from_port = 443, .to_port = 443},
	    true},
	{{.egress = true, .proto = NET_ANY, .from_port = -1, .to_port = -1},
	    false},
	{{.proto = NET_TCP, .from_port = 1024, .to_port = 65535,
	     .cidr = {0x0a000000, 8}}, false},
	{{.proto = NET_TCP, .from_port = 1024, .to_port = 65535}, true},
	{{.proto = NET_ICMP, .from_port = 3, .to_port = 4}, true}};
static struct net_acl_rule open_rules[] = {
	{{.egress = true, .proto = NET_ANY, .from_port = -1, .to_port = -1},
	    true},
	{{.proto = NET_ANY, .from_port = -1, .to_port = -1}, true}};
static struct net_route routes[] = {
	{{0, 0}, NET_INTERNET, 0}, {{0x0a000000, 16}, NET_LOCAL, 0},
	{{0xc0000200, 24}, NET_NOWHERE, 0}};
static struct net_route by_nat[] = {
	{{0, 0}, NET_NAT, 0x0a000005}, {{0x0a000000, 16}, NET_LOCAL, 0},
	{{0xc6336400, 24}, NET_NAT, 0x0a000099}};
static struct net_acl path_acls[] = {
	{{"acl-0000000a", 12}, open_rules, 2}, {{"acl-0000000b", 12}, tight, 5}};
static struct net_table path_tables[] = {
	{{"rtb-0000000a", 12}, routes, 3}, {{"rtb-0000000b", 12}, by_nat, 3},
	{{"rtb-0000000c", 12}, routes + 1, 1}};
static struct net_subnet path_subnets[] = {
	{{"subnet-0000000a", 15}, {0x0a000000, 24}, {"rtb-0000000a", 12},
	    {"acl-0000000a", 12}},
	{{"subnet-0000000b", 15}, {0x0a000100, 24}, {"rtb-0000000b", 12},
	    {"acl-0000000b", 12}},
	{{"subnet-0000000c", 15}, {0x0a000200, 24}, {"rtb-0000000c", 12},
	    {"acl-0000000a", 12}}};
static struct net_nat path_nats[] = {
	{{"nat-0000000a", 12}, {"subnet-0000000a", 15}, 0x0a000005, 0xc6120020},
	{{"nat-0000000b", 12}, {"subnet-0000000b", 15}, 0x0a000105, 0}};

static struct net_vpc
path_vpc(void)
{
	struct net_vpc v = base_vpc();
	v.subnets = path_subnets;
	v.n_subnets = 3;
	v.tables = path_tables;
	v.n_tables = 3;
	v.acls = path_acls;
	v.n_acls = 2;
	v.nats = path_nats;
	v.n_nats = 2;
	return v;
}

static void
test_paths(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc v = path_vpc();
	fw_script(&b, fw_diff(a, NULL, fw_build(a, &v)), true);
	check_golden("paths.nft", &b);
}

/* A gateway goes, and one interface more changes no chain. */
static void
test_path_changes(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct net_vpc v = path_vpc();
	struct fw *from = fw_build(a, &v);
	v.n_nats = 1;
	path_nats[0].public_addr = 0xc6120021;
	v.n_subnets = 2;
	fw_script(&b, fw_diff(a, from, fw_build(a, &v)), false);
	path_nats[0].public_addr = 0xc6120020;
	check_golden("paths-change.nft", &b);
	v = path_vpc();
	v.n_enis = 1;
	struct fw *one = fw_build(a, &v);
	v.n_enis = 2;
	assert_false(fw_diff(a, one, fw_build(a, &v))->structure);
}

static void
test_no_group(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_vpc v = base_vpc();
	v.n_groups = 0;
	struct fw *fw = fw_build(a, &v);
	for (size_t i = 0; i < fw->n_sets; i++)
		if (fw->sets[i].type == FW_CHAIN_MAP)
			assert_int_equal(fw->sets[i].n, 0);
}

static void
test_host(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	net_host_script(&b, "ng0", (struct net_cidr){0xc6120000, 16});
	check_golden("host.nft", &b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_one_more),
		cmocka_unit_test(test_rules_change),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_changes),
		cmocka_unit_test(test_no_group),
		cmocka_unit_test(test_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
