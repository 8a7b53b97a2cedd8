/* aws-chunked: a state machine over lines and data, with signatures. */
#include <openssl/evp.h>

#include "auth/chunked.h"
#include "base/id.h"

#define CHUNKED_MAGIC 0x43484b44

#define EMPTY_SHA256                                                    \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum state {
	AT_SIZE,     /* in the line that starts a chunk */
	AT_DATA,
	AT_DATA_END, /* in the line break after the data */
	AT_TRAILER,
	AT_END
};

struct chunked {
	unsigned magic;
	struct chunked_config config;
	bool signed_chunks;
	bool with_trailer;
	enum state state;
	enum chunked_outcome failed; /* CHUNKED_OK: not yet */
	struct buf line;
	uint64_t left;	/* of the chunk */
	uint64_t total; /* decoded so far */
	struct buf prev;	/* the signature before this one */
	struct buf claimed;	/* this chunk's signature, as sent */
	struct buf trailers;	/* canonical: "name:value\n" for each */
	struct buf trailer_sig;
	EVP_MD_CTX *hash; /* of the chunk's data */
	struct checksum *sum;
	struct buf sum_claimed;
	size_t trailer_bytes;
	bool last;
};

static const struct {
	struct span payload;
	bool signed_chunks;
	bool with_trailer;
} forms[] = {
    {{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 34}, true, false},
    {{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 42}, true, true},
    {{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34}, false, true},
};

bool
chunked_is(struct span payload)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (span_eq(payload, forms[i].payload))
			return true;
	return false;
}

struct chunked *
chunked_new(const struct chunked_config *config)
{
	enum checksum_kind kind = CHECKSUM_CRC32;
	struct chunked *c;

	if (config->trailer.n &&
	    !checksum_kind_of_header(config->trailer, &kind))
		return NULL;
	ALLOC_OBJ(c, CHUNKED_MAGIC);
	c->config = *config;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!span_eq(config->sig->payload, forms[i].payload))
			continue;
		c->signed_chunks = forms[i].signed_chunks;
		c->with_trailer = forms[i].with_trailer;
	}
	AN(c->signed_chunks || c->with_trailer);
	if (config->trailer.n)
		c->sum = checksum_new(kind);
	buf_add_span(&c->prev, config->sig->signature);
	AN(c->hash = EVP_MD_CTX_new());
	AN(EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL));
	return c;
}

void
chunked_free(struct chunked *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CHUNKED_MAGIC);
	buf_done(&c->line);
	buf_done(&c->prev);
	buf_done(&c->claimed);
	buf_done(&c->trailers);
	buf_done(&c->trailer_sig);
	buf_done(&c->sum_claimed);
	EVP_MD_CTX_free(c->hash);
	checksum_free(c->sum);
	FREE_OBJ(c);
}

/* Signatures */

/* Does claimed sign text, after all that was signed before? */
static bool
verify(struct chunked *c, const char *algorithm, struct span text,
    struct span claimed)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct sigv4 *s = c->config.sig;
	struct span to_sign, sig;

	to_sign = arena_fmt_span(a, "%s\n%.*s\n%.*s\n%.*s\n%.*s", algorithm,
	    SPAN_ARG(s->amz_date), SPAN_ARG(s->scope),
	    SPAN_ARG(buf_span(&c->prev)), SPAN_ARG(text));
	sig = sigv4_signature(a, s, c->config.secret, to_sign);
	if (!secret_eq(sig, claimed))
		return false;
	buf_clear(&c->prev);
	buf_add_span(&c->prev, sig);
	return true;
}

static enum chunked_outcome
verify_chunk(struct chunked *c)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	unsigned char d[SHA256_LEN];

	if (!c->signed_chunks)
		return CHUNKED_OK;
	AN(EVP_DigestFinal_ex(c->hash, d, NULL));
	AN(EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL));
	buf_add_str(&text, EMPTY_SHA256 "\n");
	buf_add_hex(&text, d, sizeof(d));
	return verify(c, "AWS4-HMAC-SHA256-PAYLOAD", buf_span(&text),
		   buf_span(&c->claimed)) ?
	    CHUNKED_OK :
	    CHUNKED_E_SIGNATURE;
}

static enum chunked_outcome
verify_trailer(struct chunked *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span hash;

	if (!c->signed_chunks)
		return CHUNKED_OK;
	hash = span_of(sha256_hex(a, buf_span(&c->trailers)));
	return verify(c, "AWS4-HMAC-SHA256-TRAILER", hash,
		   buf_span(&c->trailer_sig)) ?
	    CHUNKED_OK :
	    CHUNKED_E_SIGNATURE;
}

static enum chunked_outcome
verify_checksum(struct chunked *c)
{
	_cleanup_arena_ struct arena *a = arena_new();

	if (!c->sum)
		return CHUNKED_OK;
	if (!c->sum_claimed.n)
		return CHUNKED_E_SYNTAX;
	return span_eq(checksum_text(c->sum, a), buf_span(&c->sum_claimed)) ?
	    CHUNKED_OK :
	    CHUNKED_E_CHECKSUM;
}

/* Lines */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* At most 2^60 - 1, so that sums of it do not overflow. */
static bool
parse_size(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 15)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int d = hex_digit(s.p[i]);

		if (d < 0)
			return false;
		v = v << 4 | (uint64_t)d;
	}
	*ret = v;
	return true;
}

static enum chunked_outcome
take_size(struct chunked *c, struct span line)
{
	struct span size = span_cut(&line, ';');
	struct span sig = SPAN("chunk-signature=");

	if (!parse_size(size, &c->left))
		return CHUNKED_E_SYNTAX;
	if (c->signed_chunks) {
		if (!line.p || !span_starts(line, sig))
			return CHUNKED_E_SYNTAX;
		buf_clear(&c->claimed);
		buf_add_span(&c->claimed, span_from(line, sig.n));
	}
	if (c->config.decoded_length >= 0 &&
	    c->total + c->left > (uint64_t)c->config.decoded_length)
		return CHUNKED_E_LENGTH;
	c->last = c->left == 0;
	c->state = c->last ? AT_TRAILER : AT_DATA;
	return c->last ? verify_chunk(c) : CHUNKED_OK;
}

static enum chunked_outcome
finish(struct chunked *c)
{
	enum chunked_outcome o = CHUNKED_OK;

	if (c->with_trailer)
		o = verify_trailer(c);
	if (o == CHUNKED_OK)
		o = verify_checksum(c);
	if (o == CHUNKED_OK && c->config.decoded_length >= 0 &&
	    c->total != (uint64_t)c->config.decoded_length)
		o = CHUNKED_E_LENGTH;
	c->state = AT_END;
	return o;
}

static void
add_lower(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ?
		    (char)(s.p[i] | 0x20) : s.p[i]);
}

static enum chunked_outcome
take_trailer(struct chunked *c, struct span line)
{
	struct span name, value = line;

	if (line.n == 0)
		return finish(c);
	c->trailer_bytes += line.n;
	name = span_trim(span_cut(&value, ':'));
	if (!c->with_trailer || !value.p || c->trailer_bytes > CHUNKED_LINE_MAX)
		return CHUNKED_E_SYNTAX;
	value = span_trim(value);
	if (span_ieq(name, SPAN("x-amz-trailer-signature"))) {
		buf_clear(&c->trailer_sig);
		buf_add_span(&c->trailer_sig, value);
		return CHUNKED_OK;
	}
	add_lower(&c->trailers, name);
	buf_addf(&c->trailers, ":%.*s\n", SPAN_ARG(value));
	if (c->sum && span_ieq(name, c->config.trailer)) {
		buf_clear(&c->sum_claimed);
		buf_add_span(&c->sum_claimed, value);
	}
	return CHUNKED_OK;
}

static enum chunked_outcome
take_line(struct chunked *c, struct span line)
{
	switch (c->state) {
	case AT_SIZE:
		return take_size(c, line);
	case AT_DATA_END:
		c->state = AT_SIZE;
		return line.n ? CHUNKED_E_SYNTAX : verify_chunk(c);
	case AT_TRAILER:
		return take_trailer(c, line);
	case AT_DATA:
	case AT_END:
		break;
	}
	WRONG("no line is due");
}

/* Gathers bytes up to the end of a line; some clients send a bare LF after
 * trailers. */
static enum chunked_outcome
feed_line(struct chunked *c, struct span *in)
{
	ptrdiff_t end = span_chr(*in, '\n');
	size_t n = end < 0 ? in->n : (size_t)end + 1;
	enum chunked_outcome o;
	struct span line;

	if (c->line.n + n > CHUNKED_LINE_MAX)
		return CHUNKED_E_SYNTAX;
	buf_add(&c->line, in->p, n);
	*in = span_from(*in, n);
	if (end < 0)
		return CHUNKED_OK;
	line = span_to(buf_span(&c->line), c->line.n - 1);
	if (span_ends(line, SPAN("\r")))
		line.n--;
	o = take_line(c, line);
	buf_clear(&c->line);
	return o;
}

static enum chunked_outcome
feed_data(struct chunked *c, struct span *in)
{
	struct span piece = span_to(*in, (size_t)MIN((uint64_t)in->n, c->left));

	*in = span_from(*in, piece.n);
	c->left -= piece.n;
	c->total += piece.n;
	if (c->signed_chunks)
		AN(EVP_DigestUpdate(c->hash, piece.p, piece.n));
	if (c->sum)
		checksum_add(c->sum, piece);
	if (c->left == 0)
		c->state = AT_DATA_END;
	return c->config.sink(c->config.ctx, piece) ? CHUNKED_OK :
						      CHUNKED_E_SINK;
}

enum chunked_outcome
chunked_feed(struct chunked *c, struct span in)
{
	CHECK_OBJ(c, CHUNKED_MAGIC);
	while (in.n && c->failed == CHUNKED_OK) {
		if (c->state == AT_END)
			c->failed = CHUNKED_E_SYNTAX;
		else if (c->state == AT_DATA)
			c->failed = feed_data(c, &in);
		else
			c->failed = feed_line(c, &in);
	}
	return c->failed;
}

/* The empty line at the very end is left out by some clients. */
enum chunked_outcome
chunked_end(struct chunked *c)
{
	CHECK_OBJ(c, CHUNKED_MAGIC);
	if (c->failed != CHUNKED_OK || c->state == AT_END)
		return c->failed;
	if (c->state != AT_TRAILER || c->line.n)
		return c->failed = CHUNKED_E_INCOMPLETE;
	return c->failed = finish(c);
}
