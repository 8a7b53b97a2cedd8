/* Which address comes next, and the names addresses have. */
#include "svc/ec2/address.h"

uint64_t
address_count(const struct address_block *b)
{
	uint64_t all = cidr_size(b->cidr);
	uint64_t kept = (uint64_t)b->low + b->high;

	return all > kept ? all - kept : 0;
}

uint32_t
address_nth(const struct address_block *b, uint64_t n)
{
	uint64_t count = address_count(b);

	AN(count > 0);
	return cidr_base(b->cidr).addr + b->low + (uint32_t)(n % count);
}

bool
address_usable(const struct address_block *b, uint32_t addr)
{
	uint64_t i = addr - cidr_base(b->cidr).addr;

	return cidr_has(b->cidr, addr) && i >= b->low &&
	    i < b->low + address_count(b);
}

struct span
address_mac(struct arena *a, struct span eni)
{
	struct span hex = span_from(eni, strlen("eni-"));

	AN(hex.n >= 10);
	return arena_fmt_span(a, "02:%.2s:%.2s:%.2s:%.2s:%.2s", hex.p,
	    hex.p + 2, hex.p + 4, hex.p + 6, hex.p + 8);
}

/* "10.0.0.1" as "10-0-0-1" */
static struct span
dashed(struct arena *a, struct span addr)
{
	char *s = arena_str(a, addr);

	for (char *p = s; *p; p++)
		if (*p == '.')
			*p = '-';
	return span_of(s);
}

struct span
address_private_name(struct arena *a, struct span region, struct span addr)
{
	struct span host = dashed(a, addr);

	if (span_is(region, "us-east-1"))
		return arena_fmt_span(a, "ip-%.*s.ec2.internal",
		    SPAN_ARG(host));
	return arena_fmt_span(a, "ip-%.*s.%.*s.compute.internal",
	    SPAN_ARG(host), SPAN_ARG(region));
}

struct span
address_public_name(struct arena *a, struct span region, struct span addr)
{
	struct span host = dashed(a, addr);

	if (span_is(region, "us-east-1"))
		return arena_fmt_span(a, "ec2-%.*s.compute-1.amazonaws.com",
		    SPAN_ARG(host));
	return arena_fmt_span(a, "ec2-%.*s.%.*s.compute.amazonaws.com",
	    SPAN_ARG(host), SPAN_ARG(region));
}
