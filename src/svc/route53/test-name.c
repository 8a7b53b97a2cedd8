/* Names: canonical form, order, zones. */
#include "base/test.h"
#include "svc/route53/name.h"

static void
test_canonical(void **state UNUSED)
{
	static const struct {
		const char *in, *out;
		int code;
	} rows[] = {
		{"Example.COM", "example.com.", NAME_OK},
		{"example.com.", "example.com.", NAME_OK},
		{"*.example.com", "\\052.example.com.", NAME_OK},
		{"\\052.example.com", "\\052.example.com.", NAME_OK},
		{"_x.a-b.c", "_x.a-b.c.", NAME_OK},
		{"a\\056b.c", "a\\056b.c.", NAME_OK},
		{"a/b.c", "a\\057b.c.", NAME_OK},
		{"A\\101.c", "aa.c.", NAME_OK},
		{".", ".", NAME_OK},
		{"", NULL, NAME_EMPTY_LABEL},
		{"a..b", NULL, NAME_EMPTY_LABEL},
		{".a", NULL, NAME_EMPTY_LABEL},
		{"a\\05", NULL, NAME_BAD_ESCAPE},
		{"a\\999.b", NULL, NAME_BAD_ESCAPE},
		{"a\\777.b", NULL, NAME_BAD_ESCAPE},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct span out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(name_canonical(a, span_of(rows[i].in), &out),
		    rows[i].code);
		if (rows[i].out)
			assert_string_equal(arena_str(a, out), rows[i].out);
	}
}

static void
test_lengths(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *l63 = arena_alloc(a, 65), *long_;
	struct span out;

	memset(l63, 'a', 63);
	assert_int_equal(name_canonical(a, span_of(l63), &out), NAME_OK);
	l63[63] = 'a';
	assert_int_equal(name_canonical(a, span_of(l63), &out),
	    NAME_LONG_LABEL);
	l63[63] = 0;
	long_ = arena_fmt(a, "%s.%s.%s.%.61s", l63, l63, l63, l63);
	assert_int_equal(name_canonical(a, span_of(long_), &out), NAME_OK);
	long_ = arena_fmt(a, "%s.%s.%s.%.62s", l63, l63, l63, l63);
	assert_int_equal(name_canonical(a, span_of(long_), &out), NAME_LONG);
}

/* The trailing dot counts: what is less than '.' comes before the domain. */
static void
test_order(void **state UNUSED)
{
	static const char *const names[] = {"a.com.", "example-a.com.",
		"example.com.", "1.example.com.", "\\052.example.com.",
		"a.example.com.",
		"b.a.example.com.", "www.example.com.", "zone.com.", "a.net."};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 1; i < ARRAY_SIZE(names); i++)
		assert_true(span_cmp(record_id(a, span_of(names[i - 1]),
		    SPAN("TXT"), SPAN_NULL), record_id(a, span_of(names[i]),
		    SPAN("A"), SPAN_NULL)) < 0);
	assert_true(span_cmp(record_id(a, SPAN("a."), SPAN("A"), SPAN("y")),
	    record_id(a, SPAN("a."), SPAN("AAAA"), SPAN("x"))) < 0);
	assert_true(span_eq(name_key(a, SPAN("a\\056b.c.")),
	    SPAN("c.a\\056b.")));
}

static void
test_within(void **state UNUSED)
{
	assert_true(name_within(SPAN("example.com."), SPAN("example.com.")));
	assert_true(name_within(SPAN("a.example.com."), SPAN("example.com.")));
	assert_false(name_within(SPAN("anexample.com."), SPAN("example.com.")));
	assert_false(name_within(SPAN("com."), SPAN("example.com.")));
	assert_true(name_within(SPAN("com."), SPAN(".")));
}

static void
test_plain(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();

	assert_true(span_is(name_plain(a, SPAN("\\052.a.com.")), "*.a.com"));
	assert_true(span_is(name_plain(a, SPAN("b.a.com.")), "b.a.com"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
