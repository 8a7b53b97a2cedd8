/* S3 bodies: which sums are due, and whether they hold. */
#include <openssl/evp.h>

#include "api/payload.h"
#include "auth/chunked.h"
#include "base/id.h"

#define PAYLOAD_MAGIC 0x504c4f44
#define MD5_LEN	      16

/* https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
#define SHA256_VALUES                                                   \
	"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "               \
	"STREAMING-UNSIGNED-PAYLOAD-TRAILER, "                          \
	"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "                          \
	"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "                  \
	"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "                    \
	"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid "  \
	"sha256 value."

struct payload {
	unsigned magic;
	struct payload_config config;
	struct chunked *chunked; /* NULL: the body is as it is */
	EVP_MD_CTX *sha256;	 /* NULL: not signed */
	EVP_MD_CTX *md5;	 /* NULL: none was sent */
	struct span md5_claimed; /* raw */
	struct checksum *sum;	 /* NULL: none was sent in a header */
	enum checksum_kind kind;
	struct span sum_claimed;
};

static int
refuse(struct wire_error *e, int status, const char *code, struct span text)
{
	*e = (struct wire_error){.status = status, .code = span_of(code),
	    .message = text};
	return WIRE_E_REFUSED;
}

static int
invalid(struct wire_error *e, struct span text)
{
	return refuse(e, 400, "InvalidRequest", text);
}

/* The raw bytes of a sum in base64, if there are n of them. */
static bool
read_sum(struct arena *a, struct span text, size_t n, struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (!buf_add_unbase64(&b, text) || b.n != n)
		return false;
	*ret = arena_span(a, buf_span(&b));
	return true;
}

static int
want_sum(struct payload *p, struct wire_error *e)
{
	const struct wire_in *in = p->config.in;
	struct span trailer = wire_header_get(in, "x-amz-trailer");
	struct arena *a = p->config.arena;
	struct span raw;

	for (size_t i = 0; i < in->n_headers && !p->config.sum_apart; i++) {
		enum checksum_kind kind = CHECKSUM_CRC32;

		if (!checksum_kind_of_header(in->headers[i].name, &kind))
			continue;
		if (p->sum)
			return invalid(e, SPAN("Expecting a single "
			    "x-amz-checksum- header. Multiple checksum Types "
			    "are not allowed."));
		if (trailer.n)
			return invalid(e, SPAN("Expecting a single "
			    "x-amz-checksum- header"));
		p->sum_claimed = in->headers[i].value;
		if (!read_sum(a, p->sum_claimed, checksum_size(kind), &raw))
			return invalid(e, arena_fmt_span(a, "Value for "
			    "x-amz-checksum-%.*s header is invalid.",
			    SPAN_ARG(checksum_name(kind))));
		p->kind = kind;
		p->sum = checksum_new(kind);
	}
	return 0;
}

static EVP_MD_CTX *
digest(const EVP_MD *md)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	AN(c);
	AN(EVP_DigestInit_ex(c, md, NULL));
	return c;
}

static int
want_md5(struct payload *p, struct wire_error *e)
{
	struct span text = wire_header_get(p->config.in, "content-md5");

	if (!text.p)
		return 0;
	if (!read_sum(p->config.arena, text, MD5_LEN, &p->md5_claimed))
		return refuse(e, 400, "InvalidDigest",
		    SPAN("The Content-MD5 you specified was invalid."));
	p->md5 = digest(EVP_md5());
	return 0;
}

static bool
is_sha256(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("0123456789abcdefABCDEF", s.p[i], 22))
			return false;
	return s.n == 2 * SHA256_LEN;
}

/* A piece of the body itself. */
static bool
take(void *ctx, struct span piece)
{
	struct payload *p;

	CAST_OBJ(p, ctx, PAYLOAD_MAGIC);
	if (p->sha256)
		AN(EVP_DigestUpdate(p->sha256, piece.p, piece.n));
	if (p->md5)
		AN(EVP_DigestUpdate(p->md5, piece.p, piece.n));
	if (p->sum)
		checksum_add(p->sum, piece);
	return p->config.sink(p->config.ctx, piece);
}

static int
want_chunked(struct payload *p, struct wire_error *e)
{
	const struct wire_in *in = p->config.in;
	struct chunked_config c = {.sig = p->config.sig,
	    .secret = p->config.secret,
	    .trailer = span_trim(wire_header_get(in, "x-amz-trailer")),
	    .sink = take, .ctx = p};
	struct span length = wire_header_get(in,
	    "x-amz-decoded-content-length");

	if (!length.p)
		return refuse(e, 411, "MissingContentLength", SPAN("You must "
		    "provide the Content-Length HTTP header."));
	if (!span_i64(length, &c.decoded_length) || c.decoded_length < 0)
		return refuse(e, 400, "InvalidArgument", SPAN("Invalid "
		    "x-amz-decoded-content-length header value"));
	if (!(p->chunked = chunked_new(&c)))
		return invalid(e, SPAN("The value specified in the "
		    "x-amz-trailer header is not supported"));
	return 0;
}

static int
want_signed(struct payload *p, struct wire_error *e)
{
	struct span how = p->config.sig->payload;

	if (chunked_is(how))
		return want_chunked(p, e);
	if (is_sha256(how)) {
		p->sha256 = digest(EVP_sha256());
		return 0;
	}
	if (!how.n && p->config.sig->access_key.n && !p->config.sig->presigned)
		return invalid(e, SPAN("Missing required header for this "
		    "request: x-amz-content-sha256"));
	if (span_starts(how, SPAN("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")))
		return refuse(e, 501, "NotImplemented", SPAN("Chunks signed "
		    "with asymmetric keys are not implemented"));
	if (how.n && !span_is(how, "UNSIGNED-PAYLOAD"))
		return refuse(e, 400, "InvalidArgument", SPAN(SHA256_VALUES));
	return 0;
}

int
payload_new(const struct payload_config *config, struct payload **ret,
    struct wire_error *e)
{
	struct payload *p;
	int r;

	ALLOC_OBJ(p, PAYLOAD_MAGIC);
	p->config = *config;
	if ((r = want_signed(p, e)) || (r = want_sum(p, e)) ||
	    (r = want_md5(p, e))) {
		payload_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void
payload_free(struct payload *p)
{
	if (!p)
		return;
	CHECK_OBJ(p, PAYLOAD_MAGIC);
	chunked_free(p->chunked);
	checksum_free(p->sum);
	EVP_MD_CTX_free(p->sha256);
	EVP_MD_CTX_free(p->md5);
	FREE_OBJ(p);
}

void
payload_free_p(struct payload **p)
{
	payload_free(*p);
}

static int
chunked_refusal(struct payload *p, enum chunked_outcome o,
    struct wire_error *e)
{
	struct span trailer = wire_header_get(p->config.in, "x-amz-trailer");
	enum checksum_kind k = CHECKSUM_CRC32;

	switch (o) {
	case CHUNKED_OK:
		return 0;
	case CHUNKED_E_SINK:
		*e = (struct wire_error){0};
		return WIRE_E_REFUSED;
	case CHUNKED_E_SYNTAX:
	case CHUNKED_E_INCOMPLETE:
	case CHUNKED_E_LENGTH:
		return refuse(e, 400, "IncompleteBody",
		    SPAN("The request body terminated unexpectedly"));
	case CHUNKED_E_SIGNATURE:
		return refuse(e, 403, "SignatureDoesNotMatch", SPAN("The "
		    "request signature we calculated does not match the "
		    "signature you provided. Check your key and signing "
		    "method."));
	case CHUNKED_E_CHECKSUM:
		break;
	}
	AN(checksum_kind_of_header(span_trim(trailer), &k));
	return refuse(e, 400, "BadDigest", arena_fmt_span(p->config.arena,
	    "The %.*s you specified did not match the calculated checksum.",
	    SPAN_ARG(checksum_label(k))));
}

int
payload_feed(struct payload *p, struct span piece, struct wire_error *e)
{
	CHECK_OBJ(p, PAYLOAD_MAGIC);
	if (p->chunked)
		return chunked_refusal(p, chunked_feed(p->chunked, piece), e);
	return take(p, piece) ? 0 : chunked_refusal(p, CHUNKED_E_SINK, e);
}

static struct span
digest_end(struct arena *a, EVP_MD_CTX *c)
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	AN(EVP_DigestFinal_ex(c, d, &n));
	return arena_span(a, span_make((char *)d, n));
}

static bool
sha256_holds(struct payload *p)
{
	struct arena *a = p->config.arena;
	_cleanup_(buf_done) struct buf hex = BUF_INIT;
	struct span d;

	if (!p->sha256)
		return true;
	d = digest_end(a, p->sha256);
	buf_add_hex(&hex, d.p, d.n);
	return span_ieq(buf_span(&hex), p->config.sig->payload);
}

int
payload_end(struct payload *p, struct wire_error *e)
{
	struct arena *a = p->config.arena;
	int r;

	CHECK_OBJ(p, PAYLOAD_MAGIC);
	if (p->chunked &&
	    (r = chunked_refusal(p, chunked_end(p->chunked), e)))
		return r;
	if (!sha256_holds(p))
		return refuse(e, 400, "XAmzContentSHA256Mismatch",
		    SPAN("The provided 'x-amz-content-sha256' header does not "
		    "match what was computed."));
	if (p->md5 && !span_eq(digest_end(a, p->md5), p->md5_claimed))
		return refuse(e, 400, "BadDigest", SPAN("The Content-MD5 you "
		    "specified did not match what we received."));
	if (p->sum && !span_eq(checksum_text(p->sum, a), p->sum_claimed))
		return refuse(e, 400, "BadDigest", arena_fmt_span(a, "The %.*s "
		    "you specified did not match the calculated checksum.",
		    SPAN_ARG(checksum_label(p->kind))));
	return 0;
}
