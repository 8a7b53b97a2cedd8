/* Checksums of bodies: ISA-L's CRCs, OpenSSL's digests, one table of ours. */
#include <endian.h>
#include <limits.h>

#include <isa-l/crc.h>
#include <openssl/evp.h>

#include "auth/checksum.h"
#include "base/buf.h"

#define CHECKSUM_MAGIC 0x43534d31

/* CRC-64/NVME, reflected: ISA-L knows it only in later releases. */
#define CRC64_POLY  UINT64_C(0x9a6c9329ac4bc9b5)
#define CRC32_POLY  UINT64_C(0xedb88320)
#define CRC32C_POLY UINT64_C(0x82f63b78)

struct checksum {
	unsigned magic;
	enum checksum_kind kind;
	uint32_t crc32;
	uint64_t crc64;
	EVP_MD_CTX *digest;
};

static const struct span names[CHECKSUM_KINDS] = {
    [CHECKSUM_CRC32] = {"crc32", 5},
    [CHECKSUM_CRC32C] = {"crc32c", 6},
    [CHECKSUM_CRC64NVME] = {"crc64nvme", 9},
    [CHECKSUM_SHA1] = {"sha1", 4},
    [CHECKSUM_SHA256] = {"sha256", 6},
};

struct span
checksum_name(enum checksum_kind k)
{
	return names[k];
}

struct span
checksum_label(enum checksum_kind k)
{
	static const struct span labels[CHECKSUM_KINDS] = {
	    [CHECKSUM_CRC32] = {"CRC32", 5},
	    [CHECKSUM_CRC32C] = {"CRC32C", 6},
	    [CHECKSUM_CRC64NVME] = {"CRC64NVME", 9},
	    [CHECKSUM_SHA1] = {"SHA1", 4},
	    [CHECKSUM_SHA256] = {"SHA256", 6},
	};

	return labels[k];
}

bool
checksum_kind_of(struct span label, enum checksum_kind *ret)
{
	for (int k = 0; k < CHECKSUM_KINDS; k++) {
		if (!span_eq(label, checksum_label((enum checksum_kind)k)))
			continue;
		*ret = (enum checksum_kind)k;
		return true;
	}
	return false;
}

size_t
checksum_size(enum checksum_kind k)
{
	static const size_t sizes[CHECKSUM_KINDS] = {
		[CHECKSUM_CRC32] = 4, [CHECKSUM_CRC32C] = 4,
		[CHECKSUM_CRC64NVME] = 8, [CHECKSUM_SHA1] = 20,
		[CHECKSUM_SHA256] = 32};

	return sizes[k];
}

bool
checksum_kind_of_header(struct span header, enum checksum_kind *ret)
{
	struct span prefix = SPAN("x-amz-checksum-");

	if (!span_ieq(span_to(header, prefix.n), prefix))
		return false;
	for (int k = 0; k < CHECKSUM_KINDS; k++) {
		if (!span_ieq(span_from(header, prefix.n), names[k]))
			continue;
		*ret = (enum checksum_kind)k;
		return true;
	}
	return false;
}

/* Eight tables, so that eight bytes go in one step. */
static const uint64_t (*crc64_tables(void))[256]
{
	static uint64_t t[8][256];

	if (t[0][1])
		return t;
	for (unsigned i = 0; i < 256; i++) {
		uint64_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ CRC64_POLY : v >> 1;
		t[0][i] = v;
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned i = 0; i < 256; i++)
			t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
	return t;
}

static uint64_t
crc64(uint64_t crc, struct span s)
{
	const uint64_t(*t)[256] = crc64_tables();
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = s.n;
	uint64_t w;

	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		crc ^= le64toh(w);
		crc = t[7][crc & 255] ^ t[6][crc >> 8 & 255] ^
		    t[5][crc >> 16 & 255] ^ t[4][crc >> 24 & 255] ^
		    t[3][crc >> 32 & 255] ^ t[2][crc >> 40 & 255] ^
		    t[1][crc >> 48 & 255] ^ t[0][crc >> 56];
	}
	for (; n; n--, p++)
		crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
	return ~crc;
}

struct checksum *
checksum_new(enum checksum_kind k)
{
	struct checksum *c;

	ALLOC_OBJ(c, CHECKSUM_MAGIC);
	c->kind = k;
	if (k == CHECKSUM_SHA1 || k == CHECKSUM_SHA256) {
		AN(c->digest = EVP_MD_CTX_new());
		AN(EVP_DigestInit_ex(c->digest,
		    k == CHECKSUM_SHA1 ? EVP_sha1() : EVP_sha256(), NULL));
	}
	return c;
}

void
checksum_free(struct checksum *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CHECKSUM_MAGIC);
	EVP_MD_CTX_free(c->digest);
	FREE_OBJ(c);
}

/* ISA-L takes an int for the length. */
static uint32_t
crc32c(uint32_t crc, struct span s)
{
	crc = ~crc;
	while (s.n) {
		int n = (int)MIN(s.n, (size_t)INT_MAX);

		crc = crc32_iscsi((unsigned char *)(uintptr_t)s.p, n, crc);
		s = span_from(s, (size_t)n);
	}
	return ~crc;
}

void
checksum_add(struct checksum *c, struct span piece)
{
	CHECK_OBJ(c, CHECKSUM_MAGIC);
	if (!piece.n)
		return;
	switch (c->kind) {
	case CHECKSUM_CRC32:
		c->crc32 = crc32_gzip_refl(c->crc32,
		    (const unsigned char *)piece.p, piece.n);
		break;
	case CHECKSUM_CRC32C:
		c->crc32 = crc32c(c->crc32, piece);
		break;
	case CHECKSUM_CRC64NVME:
		c->crc64 = crc64(c->crc64, piece);
		break;
	case CHECKSUM_SHA1:
	case CHECKSUM_SHA256:
		AN(EVP_DigestUpdate(c->digest, piece.p, piece.n));
		break;
	case CHECKSUM_KINDS:
		WRONG("not a kind of checksum");
	}
}

struct span
checksum_text(struct checksum *c, struct arena *a)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned int n = sizeof(d);
	uint32_t be32 = htobe32(c->crc32);
	uint64_t be64 = htobe64(c->crc64);

	CHECK_OBJ(c, CHECKSUM_MAGIC);
	if (c->digest) {
		AN(EVP_DigestFinal_ex(c->digest, d, &n));
		buf_add_base64(&b, d, n);
	} else if (c->kind == CHECKSUM_CRC64NVME) {
		buf_add_base64(&b, &be64, sizeof(be64));
	} else {
		buf_add_base64(&b, &be32, sizeof(be32));
	}
	return arena_span(a, buf_span(&b));
}

/* Joining CRCs: polynomials over GF(2) modulo that of the CRC, the highest
 * bit being the coefficient of x^0. */

static uint64_t
poly_mul(uint64_t poly, uint64_t one, uint64_t a, uint64_t b)
{
	uint64_t sum = 0;

	for (; one && a; one >>= 1) {
		if (a & one)
			sum ^= b;
		a &= ~one;
		b = b & 1 ? b >> 1 ^ poly : b >> 1;
	}
	return sum;
}

bool
checksum_is_crc(enum checksum_kind k)
{
	return k == CHECKSUM_CRC32 || k == CHECKSUM_CRC32C ||
	    k == CHECKSUM_CRC64NVME;
}

uint64_t
checksum_join(enum checksum_kind k, uint64_t a, uint64_t b, uint64_t b_len)
{
	uint64_t poly = k == CHECKSUM_CRC64NVME ? CRC64_POLY :
	    k == CHECKSUM_CRC32C ? CRC32C_POLY : CRC32_POLY;
	uint64_t one = UINT64_C(1) << (8 * checksum_size(k) - 1);
	uint64_t square = one >> 8; /* x^8: one byte */

	AN(checksum_is_crc(k));
	for (; b_len; b_len >>= 1) {
		if (b_len & 1)
			a = poly_mul(poly, one, square, a);
		square = poly_mul(poly, one, square, square);
	}
	return a ^ b;
}
