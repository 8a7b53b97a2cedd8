/* Free addresses: of a subnet, and of the installation's public pool. */
#include <errno.h>

#include "base/err.h"
#include "svc/ec2/address.h"
#include "svc/ec2/ops.h"

/* AWS: the first four addresses of a subnet and its last are not given out.
 * Of the public pool the first few are the host's own. */
enum { SUBNET_LOW = 4, POOL_LOW = 16, HIGH = 1 };

/* Where an address may be in use already. */
struct place {
	const struct kind *const *kinds; /* ends with NULL */
	const char *index;
	struct span subnet; /* empty: any account and region (a public one) */
};

/* 1, 0, or negative. */
static int
taken(const struct at *at, const struct place *p, struct span addr)
{
	const struct scope everywhere = {SPAN_NULL, SPAN_NULL};
	struct query q = {.scope = p->subnet.n > 0 ? at->scope : everywhere,
		.any_parent = true, .index = p->index, .value = addr};
	struct res_list l;
	int e;

	for (size_t k = 0; p->kinds[k]; k++) {
		q.kind = p->kinds[k];
		if ((e = store_list(at->store, at->arena, &q, &l)) < 0)
			return err_trace(e);
		for (size_t i = 0; i < l.n; i++)
			if (p->subnet.n == 0 ||
			    span_eq(doc_get_str(l.v[i]->spec, "SubnetId"),
				p->subnet))
				return 1;
	}
	return 0;
}

/* The next free address of a block.  0, 1: it is full, or negative. */
static int
next_free(const struct at *at, struct span counter,
    const struct address_block *b, const struct place *p, struct span *ret)
{
	uint64_t count = address_count(b);
	struct span addr;
	int64_t start;
	int e = store_next(at->store, counter, &start);

	for (uint64_t i = 0; e >= 0 && i < count; i++) {
		addr = ip4_text(at->arena,
		    address_nth(b, (uint64_t)start - 1 + i));
		if ((e = taken(at, p, addr)) == 0) {
			*ret = addr;
			return 0;
		}
	}
	return e < 0 ? err_trace(e) : 1;
}

static struct reply *
subnet_full(struct call *c)
{
	return reply_error(c, "InsufficientFreeAddressesInSubnet", "The "
	    "specified subnet does not have enough free addresses to satisfy "
	    "the request.");
}

struct reply *
address_private(struct call *c, const struct res *subnet, struct span want,
    struct span *ret)
{
	static const struct kind *const kinds[] = {
		&ec2_network_interface, NULL};
	const struct place p = {kinds, "spec.PrivateIpAddress", subnet->id};
	const struct query q = {.kind = &ec2_network_interface,
		.scope = c->scope, .any_parent = true,
		.index = "spec.SubnetId", .value = subnet->id};
	struct address_block b = {.low = SUBNET_LOW, .high = HIGH};
	int64_t used = store_count(c->store, &q);
	struct at at = at_of(c);
	uint32_t addr;
	int e;

	if (used < 0)
		return reply_failure(c, (int)used);
	AN(cidr_parse(doc_get_str(subnet->spec, "CidrBlock"), &b.cidr));
	if ((uint64_t)used >= address_count(&b))
		return subnet_full(c);
	if (want.n == 0) {
		e = next_free(&at, arena_fmt_span(c->arena, "ec2.%.*s",
		    SPAN_ARG(subnet->id)), &b, &p, ret);
		if (e < 0)
			return reply_failure(c, e);
		return e > 0 ? subnet_full(c) : NULL;
	}
	if (!ip4_parse(want, &addr))
		return noun_invalid(c, "Value (%.*s) for parameter "
		    "privateIpAddress is invalid.", SPAN_ARG(want));
	if (!cidr_has(b.cidr, addr))
		return noun_invalid(c, "Address does not fall within the "
		    "subnet's address range");
	if (!address_usable(&b, addr))
		return noun_invalid(c, "Address is in subnet's reserved "
		    "address range");
	if ((e = taken(&at, &p, want)) > 0)
		return reply_error(c, "InvalidIPAddress.InUse",
		    "Address %.*s is in use.", SPAN_ARG(want));
	*ret = want;
	return e < 0 ? reply_failure(c, e) : NULL;
}

struct reply *
address_public(struct call *c, struct span *ret)
{
	static const struct kind *const kinds[] = {
		&ec2_network_interface, &ec2_elastic_ip, NULL};
	const struct place p = {kinds, "spec.PublicIp", SPAN_NULL};
	struct address_block b = {.low = POOL_LOW, .high = HIGH};
	struct span pool = SPAN("198.18.0.0/16");
	struct at at = at_of(c);
	int e = store_setting(c->store, c->arena, "public_pool", &pool);

	if (e >= 0 && !cidr_parse(pool, &b.cidr))
		e = err_origin(EINVAL, "public_pool: %.*s", SPAN_ARG(pool));
	if (e >= 0)
		e = next_free(&at, SPAN("ec2.public"), &b, &p, ret);
	if (e < 0)
		return reply_failure(c, e);
	if (e > 0)
		return reply_error(c, "InsufficientAddressCapacity", "Not "
		    "enough available addresses to satisfy your request.");
	return NULL;
}
