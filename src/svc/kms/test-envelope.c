/* Ciphertexts: what is inside, and that nothing of it can be changed. */
#include "svc/kms/envelope.h"

#include "base/test.h"

#define ID "01234567-89ab-4cde-8f01-23456789abcd"

static const unsigned char key[SEAL_KEY] = "a key of thirty-two bytes, here";

static struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	AZ(doc_parse_json(a, span_of(text), &d));
	return d;
}

static void
round_trip(void **st UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT, out = BUF_INIT;
	struct envelope e = {SPAN(ID), 0x01020304}, got;

	envelope_seal(a, &e, key, NULL, SPAN("secret"), &b);
	assert_true(envelope_read(a, buf_span(&b), &got));
	assert_string_equal(arena_str(a, got.key_id), ID);
	assert_int_equal(got.material, 0x01020304);
	assert_true(envelope_open(a, buf_span(&b), key, NULL, &out));
	assert_string_equal(buf_str(&out), "secret");
}

static void
context(void **st UNUSED)
{
	static const struct {
		const char *with, *opened;
		bool ok;
	} cases[] = {
		{"{\"a\":\"1\",\"b\":\"2\"}", "{\"b\":\"2\",\"a\":\"1\"}", true},
		{"{}", "{}", true},
		{"{\"a\":\"1\"}", "{}", false},
		{"{}", "{\"a\":\"1\"}", false},
		{"{\"a\":\"1\"}", "{\"A\":\"1\"}", false},
		{"{\"a\":\"1\"}", "{\"a\":\"2\"}", false},
		/* Lengths part keys from values. */
		{"{\"ab\":\"c\"}", "{\"a\":\"bc\"}", false},
		{"{\"a\":\"\",\"b\":\"\"}", "{\"a\":\"b\"}", false},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct envelope e = {SPAN(ID), 1};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT, out = BUF_INIT;

		envelope_seal(a, &e, key, json(a, cases[i].with),
		    SPAN("secret"), &b);
		if (envelope_open(a, buf_span(&b), key,
		    json(a, cases[i].opened), &out) != cases[i].ok)
			fail_msg("%s with %s", cases[i].with, cases[i].opened);
	}
}

static void
changed(void **st UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT, out = BUF_INIT;
	struct envelope e = {SPAN(ID), 1}, got;

	envelope_seal(a, &e, key, NULL, SPAN("x"), &b);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		assert_false(envelope_open(a, buf_span(&b), key, NULL, &out));
		b.p[i] ^= 1;
		assert_true(i + 1 >= b.n ||
		    !envelope_read(a, span_make(b.p, i), &got) ||
		    !envelope_open(a, span_make(b.p, i), key, NULL, &out));
	}
	b.p[0] = 2;
	assert_false(envelope_read(a, buf_span(&b), &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(context),
		cmocka_unit_test(changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
