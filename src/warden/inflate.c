/* gzip by ISA-L, zstd by libzstd, or as it is; several members or frames, one
 * after the other, are one stream. */
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>
#include <zstd.h>

#include "warden/inflate.h"

#define IN_SIZE	 (256u << 10)
#define OUT_SIZE (256u << 10)

struct inflate {
	int fd;
	enum layer_format format;
	unsigned char *in, *out;
	size_t at, have; /* unread part of in */
	bool eof, mid;	 /* mid: inside a member or frame */
	uint64_t n_in, n_out;
	struct inflate_state gz;
	ZSTD_DStream *zstd;
	EVP_MD_CTX *hash;
};

struct inflate *
inflate_new(int fd, enum layer_format format)
{
	struct inflate *z = xcalloc(1, sizeof(*z));

	z->fd = fd;
	z->format = format;
	z->in = xmalloc(IN_SIZE);
	z->out = xmalloc(OUT_SIZE);
	isal_inflate_init(&z->gz);
	z->gz.crc_flag = ISAL_GZIP;
	z->zstd = ZSTD_createDStream();
	z->hash = EVP_MD_CTX_new();
	AN(z->zstd && z->hash);
	AN(EVP_DigestInit_ex(z->hash, EVP_sha256(), NULL));
	return z;
}

void
inflate_free(struct inflate *z)
{
	if (!z)
		return;
	EVP_MD_CTX_free(z->hash);
	ZSTD_freeDStream(z->zstd);
	free(z->in);
	free(z->out);
	free(z);
}

static int
fill(struct inflate *z)
{
	ssize_t n;

	if (z->at < z->have || z->eof)
		return 0;
	do
		n = read(z->fd, z->in, IN_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	z->eof = n == 0;
	z->at = 0;
	z->have = (size_t)n;
	z->n_in += (uint64_t)n;
	return 0;
}

static ssize_t
step_gzip(struct inflate *z)
{
	size_t n;

	if (z->gz.block_state == ISAL_BLOCK_FINISH) {
		isal_inflate_reset(&z->gz);
		z->gz.crc_flag = ISAL_GZIP;
	}
	z->gz.next_in = z->in + z->at;
	z->gz.avail_in = (uint32_t)(z->have - z->at);
	z->gz.next_out = z->out;
	z->gz.avail_out = OUT_SIZE;
	if (isal_inflate(&z->gz) < 0)
		return -EBADMSG;
	z->at = z->have - z->gz.avail_in;
	n = OUT_SIZE - z->gz.avail_out;
	z->mid = z->gz.block_state != ISAL_BLOCK_FINISH;
	return (ssize_t)n;
}

static ssize_t
step_zstd(struct inflate *z)
{
	ZSTD_inBuffer in = {z->in, z->have, z->at};
	ZSTD_outBuffer out = {z->out, OUT_SIZE, 0};
	size_t r = ZSTD_decompressStream(z->zstd, &out, &in);

	if (ZSTD_isError(r))
		return -EBADMSG;
	z->at = in.pos;
	z->mid = r != 0;
	return (ssize_t)out.pos;
}

static ssize_t
step(struct inflate *z)
{
	ssize_t n;

	switch (z->format) {
	case LAYER_GZIP:
		return step_gzip(z);
	case LAYER_ZSTD:
		return step_zstd(z);
	case LAYER_TAR:
		n = (ssize_t)MIN(z->have - z->at, OUT_SIZE);
		memcpy(z->out, z->in + z->at, (size_t)n);
		z->at += (size_t)n;
		return n;
	}
	return -EINVAL;
}

ssize_t
inflate_next(struct inflate *z, const void **ret, const char **ret_why)
{
	ssize_t n = 0;

	while (n == 0) {
		if (fill(z) < 0) {
			*ret_why = "the blob cannot be read";
			return -EIO;
		}
		if (z->eof && !z->mid)
			return 0;
		n = step(z);
		if (n < 0) {
			*ret_why = "the compressed data is corrupt";
			return n;
		}
		if (n == 0 && z->eof) {
			*ret_why = "the compressed data ends too early";
			return -EBADMSG;
		}
	}
	z->n_out += (uint64_t)n;
	AN(EVP_DigestUpdate(z->hash, z->out, (size_t)n));
	*ret = z->out;
	return n;
}

uint64_t
inflate_in(const struct inflate *z)
{
	return z->n_in;
}

uint64_t
inflate_out(const struct inflate *z)
{
	return z->n_out;
}

void
inflate_digest(struct inflate *z, struct buf *b)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n;

	AN(EVP_DigestFinal_ex(z->hash, md, &n));
	buf_add_hex(b, md, n);
}
