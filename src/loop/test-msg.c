/* Frames survive the trip, and broken ones are told apart. */
#include "base/test.h"
#include "loop/msg.h"

static void
test_round_trip(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_arena_ struct arena *a = arena_new();
	const struct span v[] = {SPAN("a"), SPAN(""), SPAN("ccc")};
	struct msg_reader r;
	struct span in, *got;
	uint64_t serial;
	uint16_t type;
	size_t n, at;

	at = msg_begin(&b, 0x1234, 0x1122334455667788);
	msg_put_u32(&b, 0xfffffffe);
	msg_put_u64(&b, 1ull << 63);
	msg_put_bool(&b, true);
	msg_put_span(&b, SPAN("text"));
	msg_put_spans(&b, v, 3);
	msg_end(&b, at);
	at = msg_begin(&b, 7, 8);
	msg_end(&b, at);

	in = buf_span(&b);
	assert_int_equal(msg_next(&in, &type, &serial, &r), 1);
	assert_int_equal(type, 0x1234);
	assert_true(serial == 0x1122334455667788);
	assert_true(msg_u32(&r) == 0xfffffffe);
	assert_true(msg_u64(&r) == 1ull << 63);
	assert_true(msg_bool(&r));
	assert_false(msg_ok(&r));
	assert_true(span_is(msg_span(&r), "text"));
	got = msg_spans(&r, a, 3, &n);
	assert_int_equal(n, 3);
	assert_true(span_is(got[2], "ccc") && got[1].n == 0);
	assert_true(msg_ok(&r));
	assert_int_equal(msg_next(&in, &type, &serial, &r), 1);
	assert_true(msg_ok(&r) && type == 7 && serial == 8);
	assert_int_equal(msg_next(&in, &type, &serial, &r), 0);
}

static void
test_partial(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t at = msg_begin(&b, 1, 2);
	struct msg_reader r;
	uint64_t serial;
	uint16_t type;

	msg_put_span(&b, SPAN("hello"));
	msg_end(&b, at);
	for (size_t n = 0; n < b.n; n++) {
		struct span in = span_make(b.p, n);

		assert_int_equal(msg_next(&in, &type, &serial, &r), 0);
		assert_int_equal(in.n, n);
	}
}

static void
test_bad(void **state UNUSED)
{
	static const struct {
		struct span fields;
		int what; /* 0 u32, 1 u64, 2 bool, 3 span, 4 spans */
	} cases[] = {
	    {SPAN("\1\0\0"), 0}, {SPAN("\1\0\0\0\0\0\0"), 1}, {SPAN("\2"), 2},
	    {SPAN("\5\0\0\0abcd"), 3}, {SPAN("\377\377\377\377abcd"), 3},
	    {SPAN("\377\377\377\377"), 4}, {SPAN("\2\0\0\0\0\0\0\0"), 4},
	    {SPAN("\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct msg_reader r = {.rest = cases[i].fields};
		size_t n = 9;

		switch (cases[i].what) {
		case 0: assert_int_equal(msg_u32(&r), 0); break;
		case 1: assert_true(msg_u64(&r) == 0); break;
		case 2: assert_false(msg_bool(&r)); break;
		case 3: assert_int_equal(msg_span(&r).n, 0); break;
		default: msg_spans(&r, a, 4, &n); assert_true(n <= 4); break;
		}
		assert_true(r.bad);
		assert_false(msg_ok(&r));
		assert_int_equal(msg_u32(&r), 0);
	}
}

static void
test_too_long(void **state UNUSED)
{
	static const struct span frames[] = {
	    SPAN("\377\377\377\377"), SPAN("\1\0\0\2"), SPAN("\11\0\0\0"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct span in = frames[i];
		struct msg_reader r;
		uint64_t serial;
		uint16_t type;

		assert_true(msg_next(&in, &type, &serial, &r) < 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_partial),
	    cmocka_unit_test(test_bad), cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
