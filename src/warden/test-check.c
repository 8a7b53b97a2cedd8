/* What the warden lets through, and above all what it does not. */
#include "base/test.h"
#include "warden/check.h"

#define HEX64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_id(void **state UNUSED)
{
	static const struct {
		struct span s;
		bool ok;
	} cases[] = {
	    {SPAN("a"), true}, {SPAN("0af-1"), true}, {SPAN(""), false},
	    {SPAN("-a"), false}, {SPAN("A"), false}, {SPAN("a/b"), false},
	    {SPAN(".."), false}, {SPAN("a.b"), false}, {SPAN("a\0b"), false},
	    {SPAN("a b"), false}, {SPAN("a\n"), false},
	    {SPAN(HEX64 HEX64), true}, {SPAN(HEX64 HEX64 "a"), false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(check_id(cases[i].s), cases[i].ok);
}

static void
test_digest(void **state UNUSED)
{
	static const struct {
		struct span s;
		bool ok;
	} cases[] = {
	    {SPAN("sha256:" HEX64), true}, {SPAN("sha256:" HEX64 "0"), false},
	    {SPAN(HEX64), false}, {SPAN("sha512:" HEX64), false},
	    {SPAN("sha256:../456789abcdef0123456789abcdef0123456789abcdef0123"
		  "456789abcdef"), false},
	    {SPAN("sha256:"), false}, {SPAN(""), false},
	};
	struct span hex;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(check_digest(cases[i].s, &hex), cases[i].ok);
	assert_true(check_digest(cases[0].s, &hex) && span_is(hex, HEX64));
}

static void
test_path(void **state UNUSED)
{
	static const struct {
		struct span s;
		bool ok;
	} cases[] = {
	    {SPAN("/"), true}, {SPAN("/a"), true}, {SPAN("/a/b/"), true},
	    {SPAN("/a/..b"), true}, {SPAN(""), false}, {SPAN("a"), false},
	    {SPAN("/.."), false}, {SPAN("/a/../b"), false},
	    {SPAN("/a/."), false}, {SPAN("//a"), false}, {SPAN("/a//b"), false},
	    {SPAN("/a\0"), false}, {SPAN("//"), false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(check_path(cases[i].s), cases[i].ok);
}

static void
test_lines(void **state UNUSED)
{
	assert_true(check_hostname(SPAN("ip-10-0-0-1.ec2.internal")));
	assert_false(check_hostname(SPAN("a b")));
	assert_false(check_hostname(SPAN("-a")));
	assert_false(check_hostname(SPAN("")));
	assert_true(check_line(SPAN("10.0.0.1 a\tb"), 20));
	assert_false(check_line(SPAN("a\nb"), 20));
	assert_false(check_line(SPAN("abc"), 2));
	assert_true(check_text(SPAN("a\nb"), 3));
	assert_false(check_text(SPAN("a\0b"), 3));
	assert_true(check_name(SPAN("My_vol.1")));
	assert_false(check_name(SPAN("..")));
	assert_false(check_name(SPAN("a/b")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_id), cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_path), cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
