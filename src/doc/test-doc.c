/* The document tree and JSON. */
#include "doc/doc.h"
#include "base/test.h"

/* Numbers of strangers that no int64 holds. */
static void
test_numbers(void **state UNUSED)
{
	static const struct {
		const char *json;
		int64_t want;
	} cases[] = {
		{"1e300", -7}, {"-1e300", -7}, {"9223372036854775808", -7},
		{"18446744073709551615", -7}, {"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN}, {"-1e18", -1000000000000000000},
		{"9.3e18", -7}, {"2.9", 2}, {"-2.9", -2}, {"null", -7},
		{"\"1\"", -7},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct doc *d, *o = doc_obj(a);

		assert_int_equal(doc_parse_json(a, span_of(cases[i].json), &d),
		    0);
		assert_int_equal(doc_i64(d, -7), cases[i].want);
		doc_set(a, o, "t", d);
		doc_get_time(o, "t");
	}
}

static void
test_build_and_read(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doc *o = doc_obj(a), *l = doc_arr(a);
	size_t n = 0;

	doc_set_int(a, o, "i", -3);
	doc_set_str(a, o, "s", SPAN("x"));
	doc_set_time(a, o, "t", 1500);
	doc_push_str(a, l, SPAN("p"));
	doc_push_str(a, l, SPAN("q"));
	doc_set(a, o, "l", l);
	assert_true(span_is(doc_json(a, o),
	    "{\"i\":-3,\"s\":\"x\",\"t\":1.5,\"l\":[\"p\",\"q\"]}"));
	doc_set_int(a, o, "i", 4);
	assert_int_equal(doc_get_int(o, "i", 0), 4);
	assert_int_equal(doc_get_time(o, "t"), 1500);
	assert_true(doc_has_str(doc_get(o, "l"), SPAN("q")));
	assert_int_equal(doc_len(o), 4);
	doc_set(a, o, "s", NULL);
	assert_int_equal(doc_type(doc_get(o, "s")), DOC_NONE);
	assert_true(span_is(doc_get_str(doc_get(NULL, "a"), "b"), ""));
	doc_each_key(k, v, o) {
		static const char *keys[] = {"i", "t", "l"};

		assert_true(span_is(k, keys[n++]));
		assert_ptr_equal(v, doc_getn(o, k));
	}
	assert_int_equal(n, 3);
	n = 0;
	doc_each(v, l)
		assert_true(span_is(doc_span(v), n++ ? "q" : "p"));
	assert_int_equal(n, 2);
	doc_each(v, NULL)
		fail_msg("element %p of nothing", (void *)v);
}

static void
test_parse(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf deep = BUF_INIT;
	struct doc *d = NULL, *e = NULL;

	assert_int_equal(doc_parse_json(a, SPAN("{\"a\":[1,2.5,null,true]}"), &d),
	    0);
	assert_true(doc_eq(d, doc_copy(a, d)));
	assert_int_equal(doc_parse_json(a, SPAN("{\"a\":[1,2.5,null,false]}"), &e),
	    0);
	assert_false(doc_eq(d, e));
	assert_int_equal(doc_parse_json(a, SPAN("{"), &d), DOC_E_SYNTAX);
	assert_int_equal(doc_parse_json(a, SPAN(""), &d), DOC_E_SYNTAX);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&deep, '[');
	for (int i = 0; i < 100000; i++)
		buf_add_char(&deep, ']');
	assert_int_equal(doc_parse_json(a, buf_span(&deep), &d), DOC_E_DEPTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_build_and_read),
	    cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
