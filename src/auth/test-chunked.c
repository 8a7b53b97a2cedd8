/* aws-chunked: AWS's own worked examples, cut everywhere, and what is wrong. */
#include "auth/chunked.h"
#include "base/test.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SIGNED "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define UNSIGNED "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

struct run {
	const char *payload;
	const char *seed;
	const char *trailer;
	int64_t length;
	struct buf out;
	bool refuse;
};

static bool
sink(void *ctx, struct span piece)
{
	struct run *r = ctx;

	buf_add_span(&r->out, piece);
	return !r->refuse;
}

/* Feeds body in steps of step bytes. */
static enum chunked_outcome
decode(struct run *r, struct span body, size_t step)
{
	struct sigv4 sig = {.date = SPAN("20130524"),
	    .region = SPAN("us-east-1"), .service = SPAN("s3"),
	    .scope = SPAN("20130524/us-east-1/s3/aws4_request"),
	    .amz_date = SPAN("20130524T000000Z"),
	    .signature = span_of(r->seed), .payload = span_of(r->payload)};
	struct chunked_config config = {.sig = &sig, .secret = SPAN(SECRET),
	    .trailer = span_of(r->trailer), .decoded_length = r->length,
	    .sink = sink, .ctx = r};
	struct chunked *c = chunked_new(&config);
	enum chunked_outcome o;

	assert_non_null(c);
	buf_clear(&r->out);
	for (size_t at = 0; at < body.n; at += step)
		if (chunked_feed(c, span_to(span_from(body, at), step)))
			break;
	o = chunked_end(c);
	chunked_free(c);
	return o;
}

static void
add_as(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, 'a');
}

/* AWS: 66560 bytes of 'a' in chunks of 65536 and 1024. */
static void
example(struct buf *b, const char *s1, const char *s2, const char *s3,
    const char *trailer)
{
	buf_addf(b, "10000;chunk-signature=%s\r\n", s1);
	add_as(b, 65536);
	buf_addf(b, "\r\n400;chunk-signature=%s\r\n", s2);
	add_as(b, 1024);
	buf_addf(b, "\r\n0;chunk-signature=%s\r\n%s\r\n", s3, trailer);
}

static void
test_signed_example(void **state UNUSED)
{
	static const size_t steps[] = {1, 7, 1000, 1 << 20};
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct run r = {SIGNED,
	    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	    NULL, 66560, BUF_INIT, false};

	example(&b,
	    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
	    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
	    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
	    "");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(decode(&r, buf_span(&b), steps[i]), CHUNKED_OK);
		assert_int_equal(r.out.n, 66560);
	}
	b.p[100]++; /* data of the first chunk */
	assert_int_equal(decode(&r, buf_span(&b), 1000), CHUNKED_E_SIGNATURE);
	b.p[100]--;
	assert_int_equal(decode(&r, span_to(buf_span(&b), b.n - 90), 1000),
	    CHUNKED_E_INCOMPLETE);
	r.length = 66559;
	assert_int_equal(decode(&r, buf_span(&b), 1000), CHUNKED_E_LENGTH);
	r.length = 66560;
	r.refuse = true;
	assert_int_equal(decode(&r, buf_span(&b), 1000), CHUNKED_E_SINK);
	buf_done(&r.out);
}

#define TRAILER "x-amz-checksum-crc32c:sOO8/Q==\r\n"

static void
test_signed_trailer_example(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct run r = {SIGNED "-TRAILER",
	    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
	    "x-amz-checksum-crc32c", 66560, BUF_INIT, false};
	ptrdiff_t at;

	example(&b,
	    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
	    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
	    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
	    TRAILER "x-amz-trailer-signature:"
	    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
	    "\r\n");
	assert_int_equal(decode(&r, buf_span(&b), 999), CHUNKED_OK);
	assert_int_equal(r.out.n, 66560);
	at = span_find(buf_span(&b), SPAN("sOO8"));
	b.p[at] = 't';
	assert_int_equal(decode(&r, buf_span(&b), 999), CHUNKED_E_SIGNATURE);
	buf_done(&r.out);
}

static void
test_unsigned(void **state UNUSED)
{
	static const struct {
		const char *body;
		int64_t length;
		enum chunked_outcome want;
	} cases[] = {
	    {"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", 9,
		CHUNKED_OK},
	    {"4\r\n1234\r\n5\r\n56789\r\n0\r\nX-Amz-Checksum-CRC32: y/Q5Jg== "
	     "\r\n\r\n", -1, CHUNKED_OK},
	    {"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n", 9,
		CHUNKED_OK},
	    {"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jh==\r\n\r\n", 9,
		CHUNKED_E_CHECKSUM},
	    {"9\r\n123456789\r\n0\r\n\r\n", 9, CHUNKED_E_SYNTAX},
	    {"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", 10,
		CHUNKED_E_LENGTH},
	    {"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\nmore",
		9, CHUNKED_E_SYNTAX},
	    {"9\r\n1234567890\r\n", 9, CHUNKED_E_SYNTAX},
	    {"9\r\n12345678", 9, CHUNKED_E_INCOMPLETE},
	    {"", 0, CHUNKED_E_INCOMPLETE},
	    {"x\r\n", -1, CHUNKED_E_SYNTAX},
	    {"-1\r\n", -1, CHUNKED_E_SYNTAX},
	    {"\r\n", -1, CHUNKED_E_SYNTAX},
	    {"ffffffffffffffff\r\n", -1, CHUNKED_E_SYNTAX},
	    {"fffffffffffffff\r\n", 9, CHUNKED_E_LENGTH},
	    {"0\r\nno colon\r\n\r\n", 0, CHUNKED_E_SYNTAX},
	};
	struct run r = {UNSIGNED, "seed", "x-amz-checksum-crc32", 0, BUF_INIT,
	    false};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t step = 1; step < 40; step += 13) {
			r.length = cases[i].length;
			if (decode(&r, span_of(cases[i].body), step) !=
			    cases[i].want)
				fail_msg("case %zu, step %zu", i, step);
		}
	buf_done(&r.out);
}

/* A line that never ends must not be kept. */
static void
test_bounded(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct run r = {UNSIGNED, "seed", "x-amz-checksum-crc32", -1, BUF_INIT,
	    false};

	add_as(&b, CHUNKED_LINE_MAX + 1);
	assert_int_equal(decode(&r, buf_span(&b), 100), CHUNKED_E_SYNTAX);
	buf_clear(&b);
	buf_add_str(&b, "0\r\n");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&b, "a:bcdef\r\n");
	assert_int_equal(decode(&r, buf_span(&b), 100), CHUNKED_E_SYNTAX);
	assert_true(chunked_is(SPAN(UNSIGNED)));
	assert_false(chunked_is(SPAN("UNSIGNED-PAYLOAD")));
	buf_done(&r.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_signed_example),
	    cmocka_unit_test(test_signed_trailer_example),
	    cmocka_unit_test(test_unsigned),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
