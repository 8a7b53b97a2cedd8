/* Sums of parts against sums of the whole. */
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "svc/s3/sums.h"

static struct span
sum_of(struct arena *a, enum checksum_kind k, struct span s)
{
	struct checksum *c = checksum_new(k);
	struct span t;

	checksum_add(c, s);
	t = checksum_text(c, a);
	checksum_free(c);
	return t;
}

static void
test_full(void **state UNUSED)
{
	static const enum checksum_kind kinds[] = {CHECKSUM_CRC32,
	    CHECKSUM_CRC32C, CHECKSUM_CRC64NVME};
	static const size_t cuts[][2] = {{0, 0}, {1, 2}, {0, 9}, {9, 9},
	    {4, 4}, {3, 70000}, {65536, 70001}, {99999, 100000}};
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&b, (char)(i * 2654435761u >> 13));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(cuts); j++) {
			_cleanup_arena_ struct arena *a = arena_new();
			struct span all = buf_span(&b), piece[3];
			struct sum_part v[3];

			piece[0] = span_to(all, cuts[j][0]);
			piece[1] = span_from(span_to(all, cuts[j][1]),
			    cuts[j][0]);
			piece[2] = span_from(all, cuts[j][1]);
			for (size_t p = 0; p < 3; p++)
				v[p] = (struct sum_part){sum_of(a, kinds[i],
				    piece[p]), piece[p].n};
			assert_true(span_eq(sums_full(a, kinds[i], v, 3),
			    sum_of(a, kinds[i], all)));
		}
}

static void
test_composite(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	/* SHA-256 of "a" and of "b", and of both sums, by sha256sum. */
	const struct sum_part v[] = {
		{SPAN("ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="), 1},
		{SPAN("PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0="), 1}};

	assert_string_equal(sums_composite(a, CHECKSUM_SHA256, v, 2).p,
	    "5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2");
}

static void
test_etag(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	/* MD5 of "a" and of "b", and of both, by md5sum. */
	const struct span v[] = {
		SPAN("\x0c\xc1\x75\xb9\xc0\xf1\xb6\xa8\x31\xc3\x99\xe2\x69\x77"
		    "\x26\x61"),
		SPAN("\x92\xeb\x5f\xfe\xe6\xae\x2f\xec\x3a\xd7\x1c\x77\x75\x31"
		    "\x57\x8f")};

	assert_string_equal(sums_etag(a, v, 2).p,
	    "\"96e024ba2074fe77e8e965ba43a704be-2\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_composite),
		cmocka_unit_test(test_etag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
