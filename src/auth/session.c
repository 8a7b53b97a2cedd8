/* Temporary credentials, sealed into their own tokens. */
#include <zstd.h>

#include "auth/session.h"
#include "base/id.h"

/* A token travels in a header: what it may carry is what packs into this.  AWS
 * has a limit of its own here, which it does not tell. */
#define PACKED_MAX 2048
#define PLAIN_MAX  (64u << 10)
#define TOKEN_MAX  (8u << 10)

/* The first byte says how the rest is written.  Small claims are not worth a
 * compressor's set-up on each request. */
#define PLAIN	   'j'
#define COMPRESSED 'z'
#define COMPRESS_FROM 1024

static struct span
place(struct arena *a, struct span access_key)
{
	return arena_fmt_span(a, "sts.session %.*s", SPAN_ARG(access_key));
}

static void
add_compressed(struct buf *to, struct span s)
{
	size_t n;

	buf_reserve(to, ZSTD_compressBound(s.n));
	n = ZSTD_compress(to->p + to->n, ZSTD_compressBound(s.n), s.p, s.n, 3);
	AZ(ZSTD_isError(n));
	to->n += n;
	to->p[to->n] = 0;
}

int64_t
session_packed(struct arena *a, const struct doc *extra)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span text = doc_json(a, extra);

	if (doc_len(extra) == 0)
		return 0;
	if (text.n > PLAIN_MAX / 2)
		return (int64_t)(text.n * 100 / PACKED_MAX);
	add_compressed(&b, text);
	return (int64_t)((b.n * 100 + PACKED_MAX - 1) / PACKED_MAX);
}

static struct span
claims_text(struct arena *a, const struct session_claims *c,
    struct span secret)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "k", secret);
	doc_set_str(a, d, "a", c->account);
	doc_set_int(a, d, "r", c->row);
	doc_set_str(a, d, "e", c->entity);
	doc_set_str(a, d, "n", c->name);
	doc_set_int(a, d, "i", c->issued);
	doc_set_int(a, d, "x", c->expires);
	if (doc_len(c->extra))
		doc_set(a, d, "o", doc_copy(a, c->extra));
	return doc_json(a, d);
}

void
session_issue(struct store *s, struct arena *a,
    const struct session_claims *c, struct session_keys *ret)
{
	_cleanup_(buf_done) struct buf plain = BUF_INIT, sealed = BUF_INIT;
	_cleanup_(buf_done) struct buf token = BUF_INIT;
	struct span secret = secret_key_make(a), text;

	text = claims_text(a, c, secret);
	AN(text.n < PLAIN_MAX);
	buf_add_char(&plain, text.n < COMPRESS_FROM ? PLAIN : COMPRESSED);
	if (text.n < COMPRESS_FROM)
		buf_add_span(&plain, text);
	else
		add_compressed(&plain, text);
	ret->access_key = access_key_make(a, "ASIA", c->account);
	ret->secret_key = secret;
	store_seal(s, place(a, ret->access_key), buf_span(&plain), &sealed);
	buf_add_base64(&token, sealed.p, sealed.n);
	ret->token = arena_span(a, buf_span(&token));
}

static bool
unpack(struct arena *a, struct span plain, struct doc **ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	char how = plain.n ? plain.p[0] : 0;
	size_t n;

	plain = span_from(plain, 1);
	if (how == PLAIN)
		return doc_parse_json(a, plain, ret) == 0;
	if (how != COMPRESSED)
		return false;
	buf_reserve(&b, PLAIN_MAX);
	n = ZSTD_decompress(b.p, PLAIN_MAX, plain.p, plain.n);
	return !ZSTD_isError(n) &&
	    doc_parse_json(a, span_make(b.p, n), ret) == 0;
}

bool
session_open(struct store *s, struct arena *a, struct span access_key,
    struct span token, struct session_claims *ret, struct span *ret_secret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, plain = BUF_INIT;
	struct doc *d;

	if (token.n > TOKEN_MAX || !buf_add_unbase64(&sealed, token) ||
	    !store_try_unseal(s, place(a, access_key), buf_span(&sealed),
		&plain) || !unpack(a, buf_span(&plain), &d))
		return false;
	*ret_secret = doc_get_str(d, "k");
	*ret = (struct session_claims){
	    .account = doc_get_str(d, "a"),
	    .row = doc_get_int(d, "r", 0),
	    .entity = doc_get_str(d, "e"),
	    .name = doc_get_str(d, "n"),
	    .issued = doc_get_int(d, "i", 0),
	    .expires = doc_get_int(d, "x", 0),
	    .extra = doc_get(d, "o") ? doc_get(d, "o") : doc_obj(a),
	};
	return true;
}

/* Access key ids: ten bytes in base 32 after the prefix.  The account is in
 * the upper six, shifted up by seven bits. */

#define KEY_BYTES 10
#define PREFIX	  4
#define KEY_LEN	  (PREFIX + KEY_BYTES * 8 / 5)

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

struct span
access_key_make(struct arena *a, const char *prefix, struct span account)
{
	unsigned char u[KEY_BYTES];
	uint64_t n = 0, head;
	char *p = arena_alloc(a, KEY_LEN + 1);

	AN(strlen(prefix) == PREFIX && span_u64(account, &n));
	random_bytes(u, sizeof(u));
	head = UINT64_C(1) << 47 | n << 7 | (u[5] & 0x7f);
	for (int i = 0; i < 6; i++)
		u[i] = (unsigned char)(head >> (40 - 8 * i));
	memcpy(p, prefix, PREFIX);
	for (int bit = 0, i = PREFIX; i < KEY_LEN; i++, bit += 5) {
		unsigned pair = (unsigned)u[bit / 8] << 8 |
		    (bit / 8 + 1 < KEY_BYTES ? u[bit / 8 + 1] : 0);

		p[i] = base32[pair >> (11 - bit % 8) & 31];
	}
	return span_make(p, KEY_LEN);
}

bool
access_key_account(struct arena *a, struct span key, struct span *ret)
{
	uint64_t head = 0;
	const char *at;

	if (key.n != KEY_LEN)
		return false;
	/* The first ten digits are fifty bits; 48 of them are the head. */
	for (size_t i = PREFIX; i < PREFIX + 10; i++) {
		if (!key.p[i] || !(at = strchr(base32, key.p[i])))
			return false;
		head = head << 5 | (uint64_t)(at - base32);
	}
	head = (head >> 2 & UINT64_C(0x7fffffffff80)) >> 7;
	*ret = arena_fmt_span(a, "%012llu", (unsigned long long)head);
	return ret->n == 12;
}

struct span
secret_key_make(struct arena *a)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char u[30];

	random_bytes(u, sizeof(u));
	buf_add_base64(&b, u, sizeof(u));
	return arena_span(a, buf_span(&b));
}
