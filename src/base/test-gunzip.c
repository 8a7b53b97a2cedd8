/* gunzip(): whole, split in members, cut everywhere, bombs. */
#include "base/test.h"

#include <isa-l/igzip_lib.h>

#include "base/gunzip.h"

/* s as one gzip member. */
static void
add_member(struct buf *b, struct span s)
{
	struct isal_zstream *z = xcalloc(1, sizeof(*z));
	size_t max = s.n + 4096;

	buf_reserve(b, max);
	isal_deflate_stateless_init(z);
	z->gzip_flag = IGZIP_GZIP;
	z->flush = NO_FLUSH;
	z->end_of_stream = 1;
	z->next_in = (unsigned char *)(uintptr_t)s.p;
	z->avail_in = (uint32_t)s.n;
	z->next_out = (unsigned char *)b->p + b->n;
	z->avail_out = (uint32_t)max;
	assert_int_equal(isal_deflate_stateless(z), 0);
	b->n += z->total_out;
	b->p[b->n] = '\0';
	free(z);
}

static void
test_members(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf gz = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	add_member(&gz, SPAN("hello, "));
	add_member(&gz, SPAN("world"));
	buf_add_str(&out, ">");
	assert_int_equal(gunzip(&out, buf_span(&gz), 12), GUNZIP_OK);
	assert_string_equal(buf_str(&out), ">hello, world");
	buf_clear(&out);
	assert_int_equal(gunzip(&out, buf_span(&gz), 11), GUNZIP_E_LARGE);
	buf_add_str(&gz, "trailing");
	buf_clear(&out);
	assert_int_equal(gunzip(&out, buf_span(&gz), 100), GUNZIP_E_SYNTAX);
}

static void
test_broken(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf gz = BUF_INIT;

	add_member(&gz, SPAN("some words, some more words, and the end"));
	for (size_t n = 0; n < gz.n; n++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT;

		assert_int_equal(gunzip(&out, span_to(buf_span(&gz), n), 1000),
		    GUNZIP_E_SYNTAX);
	}
	for (size_t i = gz.n - 8; i < gz.n; i++) { /* its sum and length */
		_cleanup_(buf_done) struct buf out = BUF_INIT;

		gz.p[i] ^= 1;
		assert_int_equal(gunzip(&out, buf_span(&gz), 1000),
		    GUNZIP_E_SYNTAX);
		gz.p[i] ^= 1;
	}
}

static void
test_bomb(void **state UNUSED)
{
	size_t n = 64u << 20;
	_cleanup_free_ char *zeros = xcalloc(1, n);
	_cleanup_(buf_done) struct buf gz = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	add_member(&gz, span_make(zeros, n));
	assert_true(gz.n < n / 50);
	assert_int_equal(gunzip(&out, buf_span(&gz), 1u << 20),
	    GUNZIP_E_LARGE);
	assert_true(out.cap < 4u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_members),
	    cmocka_unit_test(test_broken), cmocka_unit_test(test_bomb)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
