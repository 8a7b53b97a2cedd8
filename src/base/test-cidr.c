/* IPv4 and IPv6 blocks: text forms, containment, overlap. */
#include "base/test.h"

#include "base/cidr.h"

static void
parses_addresses(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t addr;
	} cases[] = {
		{"0.0.0.0", true, 0},
		{"10.1.2.3", true, 0x0a010203},
		{"255.255.255.255", true, 0xffffffff},
		{"256.0.0.0", false, 0},
		{"1.2.3", false, 0},
		{"1.2.3.4.5", false, 0},
		{"1.2.3.", false, 0},
		{"01.2.3.4", false, 0},
		{"1.2.3.4 ", false, 0},
		{"", false, 0},
		{"a.b.c.d", false, 0},
		{"-1.2.3.4", false, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t addr = 0;

		assert_int_equal(ip4_parse(span_of(cases[i].text), &addr),
		    cases[i].ok);
		assert_int_equal(addr, cases[i].addr);
	}
}

static void
parses_blocks(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *base; /* NULL: refused */
	} cases[] = {
		{"10.0.0.0/16", "10.0.0.0/16"},
		{"10.0.255.1/16", "10.0.0.0/16"},
		{"1.2.3.4/32", "1.2.3.4/32"},
		{"255.255.255.255/0", "0.0.0.0/0"},
		{"10.0.0.0", NULL},
		{"10.0.0.0/33", NULL},
		{"10.0.0.0/", NULL},
		{"10.0.0.0/-1", NULL},
		{"10.0.0/8", NULL},
		{"/8", NULL},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr c;
		bool ok = cidr_parse(span_of(cases[i].text), &c);

		assert_int_equal(ok, cases[i].base != NULL);
		if (ok)
			assert_string_equal(cidr_text(a, cidr_base(c)).p,
			    cases[i].base);
	}
	arena_free(a);
}

static struct cidr
block(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(span_of(text), &c));
	return c;
}

static void
compares_blocks(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool within, overlap;
	} cases[] = {
		{"10.0.0.0/24", "10.0.0.0/16", true, true},
		{"10.0.0.0/16", "10.0.0.0/16", true, true},
		{"10.0.0.0/16", "10.0.0.0/24", false, true},
		{"10.1.0.0/24", "10.0.0.0/16", false, false},
		{"10.0.1.0/24", "10.0.0.0/24", false, false},
		{"10.0.0.0/8", "0.0.0.0/0", true, true},
		{"0.0.0.0/0", "10.0.0.0/8", false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr a = block(cases[i].a), b = block(cases[i].b);

		assert_int_equal(cidr_within(a, b), cases[i].within);
		assert_int_equal(cidr_overlap(a, b), cases[i].overlap);
		assert_int_equal(cidr_overlap(b, a), cases[i].overlap);
	}
	assert_int_equal(cidr_size(block("0.0.0.0/0")), UINT64_C(1) << 32);
	assert_int_equal(cidr_size(block("10.0.0.0/28")), 16);
}

static void
writes_ipv6_canonically(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"::/0", "::/0"},
		{"2001:DB8:0::1/32", "2001:db8::/32"},
		{"2001:db8::ff/121", "2001:db8::80/121"},
		{"2001:db8::1/128", "2001:db8::1/128"},
		{"::/129", NULL},
		{"::", NULL},
		{"10.0.0.0/8", NULL},
		{"zz::/8", NULL},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span got = SPAN_NULL;
		bool ok = cidr6_canonical(a, span_of(cases[i].text), &got);

		assert_int_equal(ok, cases[i].want != NULL);
		if (ok)
			assert_string_equal(got.p, cases[i].want);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_addresses),
		cmocka_unit_test(parses_blocks),
		cmocka_unit_test(compares_blocks),
		cmocka_unit_test(writes_ipv6_canonically),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
