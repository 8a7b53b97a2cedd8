/* Spans, bufs, arenas, clocks, ids. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/test.h"

static void
test_span_numbers(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} cases[] = {
	    {"0", true, 0}, {"-1", true, -1}, {"", false, 0}, {"-", false, 0},
	    {"9223372036854775807", true, INT64_MAX},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775808", true, INT64_MIN}, {"1x", false, 0},
	    {" 1", false, 0}, {"+1", false, 0},
	};
	int64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		v = 0;
		assert_int_equal(span_i64(span_of(cases[i].text), &v),
		    cases[i].ok);
		if (cases[i].ok)
			assert_true(v == cases[i].v);
	}
}

static void
test_span_cut(void **state UNUSED)
{
	struct span rest = SPAN("a,,b,");

	assert_true(span_is(span_cut(&rest, ','), "a"));
	assert_true(span_is(span_cut(&rest, ','), ""));
	assert_true(span_is(span_cut(&rest, ','), "b"));
	assert_non_null(rest.p);
	assert_true(span_is(span_cut(&rest, ','), ""));
	assert_null(rest.p);
}

static void
test_span_glob(void **state UNUSED)
{
	assert_true(span_glob(SPAN("a*c"), SPAN("abbc")));
	assert_true(span_glob(SPAN("*"), SPAN("")));
	assert_true(span_glob(SPAN("a?c*"), SPAN("abc")));
	assert_false(span_glob(SPAN("a*c"), SPAN("abcd")));
	assert_false(span_glob(SPAN("?"), SPAN("")));
}

static void
test_buf_codecs(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_base64(&b, "any carnal pleas", 16);
	assert_string_equal(buf_str(&b), "YW55IGNhcm5hbCBwbGVhcw==");
	buf_clear(&b);
	assert_true(buf_add_unhex(&b, SPAN("4e6f")));
	assert_true(buf_add_unhex(&b, SPAN("")));
	assert_false(buf_add_unhex(&b, SPAN("4e6")));
	assert_false(buf_add_unhex(&b, SPAN("4e6g")));
	assert_string_equal(buf_str(&b), "No");
	buf_clear(&b);
	assert_true(buf_add_unbase64(&b, SPAN("YW55IGNhcm5hbCBwbGVhcw==")));
	assert_string_equal(buf_str(&b), "any carnal pleas");
	assert_false(buf_add_unbase64(&b, SPAN("YW5")));
	assert_false(buf_add_unbase64(&b, SPAN("Y===")));
	assert_false(buf_add_unbase64(&b, SPAN(" W55")));
	assert_string_equal(buf_str(&b), "any carnal pleas");
	buf_clear(&b);
	buf_add_uri(&b, SPAN("a b/c~\xc3\xa9"), true);
	assert_string_equal(buf_str(&b), "a%20b/c~%C3%A9");
	buf_clear(&b);
	buf_add_unuri(&b, SPAN("a%20b+%2F%zz%4"), true);
	assert_string_equal(buf_str(&b), "a b /%zz%4");
	buf_drop(&b, 2);
	assert_string_equal(buf_str(&b), "b /%zz%4");
}

static void
note(void *ctx)
{
	++*(int *)ctx;
}

static void
test_arena(void **state UNUSED)
{
	struct arena *a = arena_new();
	int noted = 0;
	char *p, *q;

	arena_note(a, note, &noted);
	p = arena_alloc(a, 100);
	memset(p, 'x', 100);
	q = arena_grow(a, p, 100, 300);
	assert_ptr_equal(p, q);
	assert_int_equal(q[99], 'x');
	assert_int_equal(q[100], 0);
	q = arena_grow(a, p, 300, 1000000);
	assert_int_equal(q[99], 'x');
	assert_string_equal(arena_fmt(a, "%d-%s", 4, "b"), "4-b");
	arena_free(a);
	assert_int_equal(noted, 1);
}

static void
test_clock(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	int64_t ms = 0;

	assert_true(clock_parse_iso(SPAN("2026-11-23T09:18:30.125Z"), &ms));
	assert_string_equal(clock_iso(a, ms, true), "2026-11-23T09:18:30.125Z");
	assert_string_equal(clock_http(a, ms), "Mon, 23 Nov 2026 09:18:30 GMT");
	assert_string_equal(clock_basic(a, ms), "20261123T091830Z");
	assert_true(clock_parse_iso(SPAN("2026-11-23T10:18:30+01:00"), &ms));
	assert_string_equal(clock_iso(a, ms, false), "2026-11-23T09:18:30Z");
	assert_true(clock_parse_basic(SPAN("20261123T091830Z"), &ms));
	assert_true(clock_parse_http(SPAN("Mon, 23 Nov 2026 09:18:30 GMT"), &ms));
	assert_false(clock_parse_iso(SPAN("2026-11-23"), &ms));
	assert_false(clock_parse_basic(SPAN("20261123T091830Zx"), &ms));
}

static void
test_id(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();

	assert_string_equal(sha256_hex(a, SPAN("abc")),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(strlen(id_uuid(a)), 36);
	assert_int_equal(strlen(id_prefixed(a, "eni-", 17)), 21);
	assert_true(secret_eq(SPAN("a"), SPAN("a")));
	assert_false(secret_eq(SPAN("a"), SPAN("ab")));
}

/* RFC 4231, cases 1, 2 and 6. */
static void
test_hmac(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT, key = BUF_INIT;
	unsigned char d[SHA256_LEN];

	for (int i = 0; i < 20; i++)
		buf_add_char(&key, 0x0b);
	hmac_sha256(buf_span(&key), SPAN("Hi There"), d);
	buf_add_hex(&b, d, sizeof(d));
	assert_string_equal(buf_str(&b), "b0344c61d8db38535ca8afceaf0bf12b"
					 "881dc200c9833da726e9376c2e32cff7");
	buf_clear(&b);
	hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?"), d);
	buf_add_hex(&b, d, sizeof(d));
	assert_string_equal(buf_str(&b), "5bdcc146bf60754e6a042426089575c7"
					 "5a003f089d2739839dec58b964ec3843");
	buf_clear(&b);
	buf_clear(&key);
	for (int i = 0; i < 131; i++)
		buf_add_char(&key, (char)0xaa);
	hmac_sha256(buf_span(&key),
	    SPAN("Test Using Larger Than Block-Size Key - Hash Key First"), d);
	buf_add_hex(&b, d, sizeof(d));
	assert_string_equal(buf_str(&b), "60e431591ee0b67f0d8a26aacbf5b77f"
					 "8e0bc6213728c5140546040f0ee37f54");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_span_numbers),
	    cmocka_unit_test(test_span_cut),
	    cmocka_unit_test(test_span_glob),
	    cmocka_unit_test(test_buf_codecs),
	    cmocka_unit_test(test_arena),
	    cmocka_unit_test(test_clock),
	    cmocka_unit_test(test_id),
	    cmocka_unit_test(test_hmac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
