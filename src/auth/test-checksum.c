/* The check value of each checksum, whole and in pieces. */
#include "auth/checksum.h"
#include "base/test.h"

static void
test_check_values(void **state UNUSED)
{
	/* Of "123456789": the catalogue's check values, in base64. */
	static const struct {
		const char *header;
		const char *sum;
	} cases[] = {
	    {"x-amz-checksum-crc32", "y/Q5Jg=="},
	    {"X-Amz-Checksum-CRC32C", "4waSgw=="},
	    {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
	    {"x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="},
	    {"x-amz-checksum-sha256",
		"FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
	};
	struct span text = SPAN("123456789");
	enum checksum_kind k;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t cut = 0; cut <= text.n; cut++) {
			_cleanup_arena_ struct arena *a = arena_new();
			struct checksum *c;

			assert_true(checksum_kind_of_header(
			    span_of(cases[i].header), &k));
			c = checksum_new(k);
			checksum_add(c, span_to(text, cut));
			checksum_add(c, span_from(text, cut));
			assert_string_equal(checksum_text(c, a).p,
			    cases[i].sum);
			checksum_free(c);
		}
	assert_false(checksum_kind_of_header(SPAN("x-amz-checksum-md5"), &k));
	assert_false(checksum_kind_of_header(SPAN("x-amz"), &k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
