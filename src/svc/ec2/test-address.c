/* Addresses of a block in turn, and what is kept back; names. */
#include "base/test.h"

#include "svc/ec2/address.h"

static struct address_block
subnet(const char *text)
{
	struct address_block b = {.low = 4, .high = 1};

	assert_true(cidr_parse(span_of(text), &b.cidr));
	return b;
}

static void
goes_round(void **state UNUSED)
{
	static const struct {
		const char *cidr;
		uint64_t n;
		const char *want;
	} cases[] = {
		{"10.0.0.0/28", 0, "10.0.0.4"},
		{"10.0.0.0/28", 10, "10.0.0.14"},
		{"10.0.0.0/28", 11, "10.0.0.4"},
		{"10.0.0.5/28", 1, "10.0.0.5"},
		{"10.0.0.0/16", 65530, "10.0.255.254"},
		{"10.0.0.0/16", 65531, "10.0.0.4"},
		{"255.255.255.240/28", 10, "255.255.255.254"},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address_block b = subnet(cases[i].cidr);
		uint32_t got = address_nth(&b, cases[i].n);

		assert_string_equal(ip4_text(a, got).p, cases[i].want);
		assert_true(address_usable(&b, got));
	}
	arena_free(a);
}

static void
keeps_some_back(void **state UNUSED)
{
	static const struct {
		const char *addr;
		bool usable;
	} cases[] = {
		{"10.0.0.15", false}, {"10.0.0.16", false},
		{"10.0.0.19", false}, {"10.0.0.20", true},
		{"10.0.0.30", true},  {"10.0.0.31", false},
		{"10.0.0.32", false},
	};
	struct address_block b = subnet("10.0.0.16/28");
	const struct address_block none = {.cidr = {0, 32}, .low = 4};
	uint32_t addr;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(ip4_parse(span_of(cases[i].addr), &addr));
		assert_int_equal(address_usable(&b, addr), cases[i].usable);
	}
	assert_int_equal(address_count(&b), 11);
	assert_int_equal(address_count(&none), 0);
}

static void
names(void **state UNUSED)
{
	struct arena *a = arena_new();

	assert_string_equal(
	    address_mac(a, SPAN("eni-0123456789abcdef0")).p,
	    "02:01:23:45:67:89");
	assert_string_equal(address_private_name(a, SPAN("us-east-1"),
	    SPAN("10.0.0.1")).p, "ip-10-0-0-1.ec2.internal");
	assert_string_equal(address_private_name(a, SPAN("eu-west-1"),
	    SPAN("10.0.0.1")).p, "ip-10-0-0-1.eu-west-1.compute.internal");
	assert_string_equal(address_public_name(a, SPAN("us-east-1"),
	    SPAN("198.18.0.1")).p, "ec2-198-18-0-1.compute-1.amazonaws.com");
	assert_string_equal(address_public_name(a, SPAN("eu-west-1"),
	    SPAN("198.18.0.1")).p,
	    "ec2-198-18-0-1.eu-west-1.compute.amazonaws.com");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_round),
		cmocka_unit_test(keeps_some_back),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
