/* IPv4 addresses and blocks; IPv6 blocks in canonical form. */
#include "base/cidr.h"

#include <arpa/inet.h>

bool
ip4_parse(struct span s, uint32_t *ret)
{
	uint32_t addr = 0;
	size_t parts = 0;

	for (struct span rest = s; rest.p && parts <= 4; parts++) {
		struct span part = span_cut(&rest, '.');
		uint64_t v;

		if (part.n == 0 || part.n > 3 || !span_u64(part, &v) || v > 255)
			return false;
		if (part.n > 1 && part.p[0] == '0')
			return false;
		addr = addr << 8 | (uint32_t)v;
	}
	if (parts != 4)
		return false;
	*ret = addr;
	return true;
}

struct span
ip4_text(struct arena *a, uint32_t addr)
{
	return arena_fmt_span(a, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
	    addr >> 8 & 255, addr & 255);
}

/* "a/len": cuts and checks the length. */
static bool
split(struct span s, uint64_t max, struct span *ret_addr, uint8_t *ret_len)
{
	ptrdiff_t slash = span_rchr(s, '/');
	struct span digits;
	uint64_t len;

	if (slash < 0)
		return false;
	digits = span_from(s, (size_t)slash + 1);
	if (digits.n == 0 || digits.n > 3 || !span_u64(digits, &len) || len > max)
		return false;
	*ret_addr = span_to(s, (size_t)slash);
	*ret_len = (uint8_t)len;
	return true;
}

bool
cidr_parse(struct span s, struct cidr *ret)
{
	struct span addr;
	struct cidr c;

	if (!split(s, 32, &addr, &c.len) || !ip4_parse(addr, &c.addr))
		return false;
	*ret = c;
	return true;
}

struct span
cidr_text(struct arena *a, struct cidr c)
{
	return arena_fmt_span(a, "%u.%u.%u.%u/%u", c.addr >> 24,
	    c.addr >> 16 & 255, c.addr >> 8 & 255, c.addr & 255, c.len);
}

uint32_t
cidr_mask(struct cidr c)
{
	return c.len == 0 ? 0 : ~UINT32_C(0) << (32 - c.len);
}

struct cidr
cidr_base(struct cidr c)
{
	return (struct cidr){c.addr & cidr_mask(c), c.len};
}

uint64_t
cidr_size(struct cidr c)
{
	return UINT64_C(1) << (32 - c.len);
}

bool
cidr_has(struct cidr c, uint32_t addr)
{
	return ((c.addr ^ addr) & cidr_mask(c)) == 0;
}

bool
cidr_within(struct cidr inner, struct cidr outer)
{
	return inner.len >= outer.len && cidr_has(outer, inner.addr);
}

bool
cidr_overlap(struct cidr a, struct cidr b)
{
	return a.len <= b.len ? cidr_has(a, b.addr) : cidr_has(b, a.addr);
}

bool
cidr6_canonical(struct arena *a, struct span s, struct span *ret)
{
	struct in6_addr in;
	struct span addr;
	uint8_t len;
	char *text;

	if (s.n > INET6_ADDRSTRLEN + 4 || !split(s, 128, &addr, &len))
		return false;
	if (inet_pton(AF_INET6, arena_str(a, addr), &in) != 1)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int keep = CLAMP((int)len - (int)i * 8, 0, 8);

		in.s6_addr[i] &= (uint8_t)(0xff00 >> keep);
	}
	text = arena_alloc(a, INET6_ADDRSTRLEN);
	AN(inet_ntop(AF_INET6, &in, text, INET6_ADDRSTRLEN));
	*ret = arena_fmt_span(a, "%s/%u", text, len);
	return true;
}
