/* Sums of sums, and sums joined. */
#include "svc/s3/sums.h"

#include <openssl/evp.h>

#include "base/buf.h"

static void
add_raw(struct buf *b, struct span base64)
{
	AN(buf_add_unbase64(b, base64));
}

struct span
sums_composite(struct arena *a, enum checksum_kind k, const struct sum_part *v,
    size_t n)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT;
	struct checksum *c = checksum_new(k);
	struct span sum;

	for (size_t i = 0; i < n; i++)
		add_raw(&raw, v[i].sum);
	checksum_add(c, buf_span(&raw));
	sum = checksum_text(c, a);
	checksum_free(c);
	return arena_fmt_span(a, "%.*s-%zu", SPAN_ARG(sum), n);
}

static uint64_t
crc_value(struct span base64)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT;
	uint64_t v = 0;

	add_raw(&raw, base64);
	for (size_t i = 0; i < raw.n; i++)
		v = v << 8 | (unsigned char)raw.p[i];
	return v;
}

struct span
sums_full(struct arena *a, enum checksum_kind k, const struct sum_part *v,
    size_t n)
{
	_cleanup_(buf_done) struct buf raw = BUF_INIT, text = BUF_INIT;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = checksum_join(k, sum, crc_value(v[i].sum), v[i].size);
	for (size_t i = checksum_size(k); i > 0; i--)
		buf_add_char(&raw, (char)(sum >> (8 * (i - 1)) & 0xff));
	buf_add_base64(&text, raw.p, raw.n);
	return arena_span(a, buf_span(&text));
}

struct span
sums_etag(struct arena *a, const struct span *md5, size_t n)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT, hex = BUF_INIT;
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	for (size_t i = 0; i < n; i++)
		buf_add_span(&all, md5[i]);
	AN(EVP_Digest(buf_str(&all), all.n, d, &len, EVP_md5(), NULL));
	buf_add_hex(&hex, d, len);
	return arena_fmt_span(a, "\"%s-%zu\"", buf_str(&hex), n);
}

bool
sums_may_be_composite(enum checksum_kind k)
{
	return k != CHECKSUM_CRC64NVME;
}
