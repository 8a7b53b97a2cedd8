/* gzip by ISA-L. */
#include <limits.h>

#include <isa-l/igzip_lib.h>

#include "base/gunzip.h"

#define STEP (64u << 10)

/* One member; leaves z at what follows it. */
static enum gunzip_outcome
member(struct inflate_state *z, struct buf *out, size_t max)
{
	size_t room;

	do {
		room = MIN((size_t)STEP, max + 1 - out->n);
		buf_reserve(out, room);
		z->next_out = (unsigned char *)out->p + out->n;
		z->avail_out = (uint32_t)room;
		if (isal_inflate(z) != ISAL_DECOMP_OK)
			return GUNZIP_E_SYNTAX;
		out->n += room - z->avail_out;
		out->p[out->n] = '\0';
		if (out->n > max)
			return GUNZIP_E_LARGE;
	} while (z->avail_out == 0 && z->block_state != ISAL_BLOCK_FINISH);
	return z->block_state == ISAL_BLOCK_FINISH ? GUNZIP_OK :
						     GUNZIP_E_SYNTAX;
}

enum gunzip_outcome
gunzip(struct buf *out, struct span in, size_t max)
{
	_cleanup_free_ struct inflate_state *z = xmalloc(sizeof(*z));
	enum gunzip_outcome o = GUNZIP_E_SYNTAX;

	if (in.n > UINT32_MAX)
		return GUNZIP_E_LARGE;
	isal_inflate_init(z);
	z->next_in = (unsigned char *)(uintptr_t)in.p;
	z->avail_in = (uint32_t)in.n;
	max += out->n;
	while (z->avail_in) {
		isal_inflate_reset(z);
		z->crc_flag = ISAL_GZIP;
		if ((o = member(z, out, max)) != GUNZIP_OK)
			break;
	}
	return o;
}
