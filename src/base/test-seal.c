/* What is sealed opens with the same key and aad, and with nothing else. */
#include "base/seal.h"
#include "base/test.h"

static const unsigned char key[SEAL_KEY] = "0123456789abcdef0123456789abcde";

static void
round_trip(void **st UNUSED)
{
	static const size_t sizes[] = {0, 1, 16, 4096, 70000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *text = xcalloc(1, sizes[i] + 1);
		_cleanup_(buf_done) struct buf b = BUF_INIT, out = BUF_INIT;

		buf_add_str(&b, "before");
		buf_add_str(&out, "kept");
		seal(key, SPAN("aad"), span_make(text, sizes[i]), &b);
		assert_int_equal(b.n, 6 + sizes[i] + SEAL_EXTRA);
		buf_drop(&b, 6);
		assert_true(unseal(key, SPAN("aad"), buf_span(&b), &out));
		buf_drop(&out, 4);
		assert_true(span_eq(buf_span(&out), span_make(text, sizes[i])));
	}
}

static void
changed(void **st UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT, out = BUF_INIT;
	unsigned char other[SEAL_KEY];

	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	seal(key, SPAN("aad"), SPAN("secret"), &b);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		assert_false(unseal(key, SPAN("aad"), buf_span(&b), &out));
		b.p[i] ^= 1;
		assert_false(unseal(key, SPAN("aad"), span_make(b.p, i), &out));
	}
	assert_false(unseal(key, SPAN("aae"), buf_span(&b), &out));
	assert_false(unseal(key, SPAN_NULL, buf_span(&b), &out));
	assert_false(unseal(other, SPAN("aad"), buf_span(&b), &out));
	assert_int_equal(out.n, 0);
	assert_true(unseal(key, SPAN("aad"), buf_span(&b), &out));
}

/* The same text twice is not seen to be the same. */
static void
fresh(void **st UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT, c = BUF_INIT;

	seal(key, SPAN_NULL, SPAN("secret"), &b);
	seal(key, SPAN_NULL, SPAN("secret"), &c);
	assert_false(span_eq(buf_span(&b), buf_span(&c)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(changed),
		cmocka_unit_test(fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
