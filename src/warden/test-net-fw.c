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
		cmocka_unit_test(test_no_group),
		cmocka_unit_test(test_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
