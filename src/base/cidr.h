/*
 * IPv4 addresses and blocks.  Numbers are in host byte order, so that they
 * compare and add; text is dotted decimal.
 */
#pragma once

#include "base/arena.h"

struct cidr {
	uint32_t addr; /* host byte order; host bits may be set, see cidr_base */
	uint8_t len;   /* 0..32 */
};

/* Whole span must be "a.b.c.d", each 0..255 without leading zeros. */
bool ip4_parse(struct span s, uint32_t *ret);
struct span ip4_text(struct arena *a, uint32_t addr);

/* Whole span must be "a.b.c.d/len".  Host bits are kept. */
bool cidr_parse(struct span s, struct cidr *ret);
struct span cidr_text(struct arena *a, struct cidr c);
uint32_t cidr_mask(struct cidr c);
/* The same block with its host bits cleared. */
struct cidr cidr_base(struct cidr c);
/* Number of addresses, 1..2^32. */
uint64_t cidr_size(struct cidr c);
bool cidr_has(struct cidr c, uint32_t addr);
/* Is inner all inside outer (or equal)? */
bool cidr_within(struct cidr inner, struct cidr outer);
bool cidr_overlap(struct cidr a, struct cidr b);

/* IPv6 blocks are only checked and written in canonical form (RFC 5952), host
 * bits cleared: "2001:DB8:0::1/32" is "2001:db8::/32". */
bool cidr6_canonical(struct arena *a, struct span s, struct span *ret);
