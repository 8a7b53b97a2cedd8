/* Identifiers and digests. */
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/id.h"

#define HASH_BLOCK 64 /* of SHA-256 */

void
random_bytes(void *p, size_t n)
{
	unsigned char *u = p;
	ssize_t got;

	while (n) {
		got = getrandom(u, MIN(n, (size_t)256), 0);
		AN(got > 0);
		u += got;
		n -= (size_t)got;
	}
}

char *
id_hex(struct arena *a, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char *p = arena_alloc(a, n + 1);

	random_bytes(p, n);
	for (size_t i = 0; i < n; i++)
		p[i] = hex[(unsigned char)p[i] & 15];
	return p;
}

char *
id_prefixed(struct arena *a, const char *prefix, size_t n)
{
	return arena_fmt(a, "%s%s", prefix, id_hex(a, n));
}

char *
id_uuid(struct arena *a)
{
	unsigned char u[16];
	char *p, *q;

	random_bytes(u, sizeof(u));
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
	p = q = arena_alloc(a, 37);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*q++ = '-';
		*q++ = "0123456789abcdef"[u[i] >> 4];
		*q++ = "0123456789abcdef"[u[i] & 15];
	}
	return p;
}

char *
id_upper(struct arena *a, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char *p = arena_alloc(a, n + 1);

	random_bytes(p, n);
	for (size_t i = 0; i < n; i++)
		p[i] = set[(unsigned char)p[i] & 31];
	return p;
}

/* OpenSSL's one-shot calls look the algorithm up each time, which costs more
 * than hashing a small request: one context for each thread, kept for good. */
static EVP_MD_CTX *
hash_begin(void)
{
	static _Thread_local EVP_MD_CTX *ctx;

	if (!ctx) {
		EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);

		AN(md && (ctx = EVP_MD_CTX_new()));
		AN(EVP_DigestInit_ex2(ctx, md, NULL));
		EVP_MD_free(md); /* the context holds it */
		return ctx;
	}
	AN(EVP_DigestInit_ex2(ctx, NULL, NULL));
	return ctx;
}

static void
hash_end(EVP_MD_CTX *ctx, struct span s, unsigned char ret[SHA256_LEN])
{
	if (s.n)
		AN(EVP_DigestUpdate(ctx, s.p, s.n));
	AN(EVP_DigestFinal_ex(ctx, ret, NULL));
}

void
sha256(struct span s, unsigned char ret[SHA256_LEN])
{
	hash_end(hash_begin(), s, ret);
}

char *
sha256_hex(struct arena *a, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char d[SHA256_LEN];

	sha256(s, d);
	buf_add_hex(&b, d, sizeof(d));
	return arena_str(a, buf_span(&b));
}

/* RFC 2104. */
void
hmac_sha256(struct span key, struct span s, unsigned char ret[SHA256_LEN])
{
	unsigned char k[HASH_BLOCK] = {0}, pad[HASH_BLOCK];
	unsigned char inner[SHA256_LEN];
	EVP_MD_CTX *ctx;

	if (key.n > sizeof(k))
		sha256(key, k);
	else if (key.n)
		memcpy(k, key.p, key.n);
	for (size_t i = 0; i < sizeof(k); i++)
		pad[i] = k[i] ^ 0x36;
	ctx = hash_begin();
	AN(EVP_DigestUpdate(ctx, pad, sizeof(pad)));
	hash_end(ctx, s, inner);
	for (size_t i = 0; i < sizeof(k); i++)
		pad[i] = k[i] ^ 0x5c;
	ctx = hash_begin();
	AN(EVP_DigestUpdate(ctx, pad, sizeof(pad)));
	hash_end(ctx, span_make((char *)inner, sizeof(inner)), ret);
	OPENSSL_cleanse(k, sizeof(k));
	OPENSSL_cleanse(pad, sizeof(pad));
}

bool
secret_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
