/* The small readers of text, each on all of the input; what one accepts must
 * come back the same from its writer. */
#include "base/buf.h"
#include "base/cidr.h"
#include "base/clock.h"
#include "base/gunzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
blocks(struct arena *a, struct span s)
{
	struct cidr c, again;
	struct span text;
	uint32_t ip;

	if (ip4_parse(s, &ip))
		AN(span_eq(ip4_text(a, ip), s));
	if (cidr_parse(s, &c)) {
		AN(cidr_parse(cidr_text(a, c), &again));
		AN(again.addr == c.addr && again.len == c.len);
		AN(cidr_within(c, cidr_base(c)) && cidr_overlap(c, c));
		AN(cidr_has(c, c.addr) && cidr_size(c) > 0);
	}
	if (cidr6_canonical(a, s, &text)) {
		struct span twice;

		AN(cidr6_canonical(a, text, &twice) && span_eq(text, twice));
	}
}

static void
times(struct arena *a, struct span s)
{
	int64_t ms, again;

	if (clock_parse_basic(s, &ms) && ms >= 0)
		AN(clock_parse_basic(span_of(clock_basic(a, ms)), &again) &&
		    again == ms);
	if (clock_parse_http(s, &ms) && ms >= 0)
		AN(clock_parse_http(span_of(clock_http(a, ms)), &again) &&
		    again == ms / 1000 * 1000);
	if (clock_parse_iso(s, &ms) && ms >= 0 && ms < INT64_C(253402300800000))
		AN(clock_parse_iso(span_of(clock_iso(a, ms, true)), &again) &&
		    again == ms);
}

static void
codes(struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_(buf_done) struct buf c = BUF_INIT;
	uint64_t u;
	int64_t i;

	if (buf_add_unbase64(&b, s))
		buf_add_base64(&c, b.p, b.n);
	buf_clear(&b);
	buf_clear(&c);
	buf_add_uri(&b, s, false);
	buf_add_unuri(&c, buf_span(&b), true);
	AN(span_eq(buf_span(&c), s));
	buf_add_unuri(&c, s, true);
	span_u64(s, &u);
	span_i64(s, &i);
	if (gunzip(&b, s, 1u << 20) == GUNZIP_OK)
		AN(b.n <= (1u << 20) + 3 * s.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	/* A copy without room behind it. */
	_cleanup_free_ char *copy = xmalloc(n ? n : 1);
	struct span s = span_make(copy, n);
	ptrdiff_t half = span_chr(s, '\n');

	if (n)
		memcpy(copy, p, n);
	blocks(a, s);
	times(a, s);
	codes(s);
	if (half >= 0 && half < 40 && n < 300)
		span_glob(span_to(s, (size_t)half),
		    span_from(s, (size_t)half + 1));
	return 0;
}
