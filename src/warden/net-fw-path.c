/* Between subnets: network ACLs, route tables, NAT gateways. */
#include "warden/net-fw-build.h"

/* ct mark: how a connection leaves its VPC.  A NAT gateway's mark is its
 * private address, so that it means the same whatever else there is. */
#define BY_INTERNET "1"

static const struct net_subnet *
find_subnet(const struct net_vpc *v, struct span id)
{
	for (size_t i = 0; i < v->n_subnets; i++)
		if (span_eq(v->subnets[i].id, id))
			return &v->subnets[i];
	return NULL;
}

static const struct net_table *
find_table(const struct net_vpc *v, struct span id)
{
	for (size_t i = 0; i < v->n_tables; i++)
		if (span_eq(v->tables[i].id, id))
			return &v->tables[i];
	return NULL;
}

/* The ACL, if it holds anything back in this direction: the first rule of most
 * lets everything pass, and then there is nothing to ask. */
static const struct net_acl *
find_acl(const struct net_vpc *v, struct span id, bool egress)
{
	for (size_t i = 0; i < v->n_acls; i++) {
		const struct net_acl *acl = &v->acls[i];
		if (!span_eq(acl->id, id))
			continue;
		for (size_t k = 0; k < acl->n_rules; k++) {
			const struct net_acl_rule *r = &acl->rules[k];
			if (r->match.egress != egress)
				continue;
			return r->allow && r->match.proto == NET_ANY &&
				r->match.cidr.len == 0 ? NULL : acl;
		}
		return acl;
	}
	return NULL;
}

/* Allowed packets return to the chain that asked. */
static void
build_acl(struct builder *b, const struct net_acl *acl, bool egress)
{
	for (size_t i = 0; i < acl->n_rules; i++) {
		if (acl->rules[i].match.egress != egress)
			continue;
		fw_put_match(&b->text, &acl->rules[i].match);
		buf_add_str(&b->text,
		    acl->rules[i].allow ? "return\n" : "drop\n");
	}
	buf_add_str(&b->text, "drop\n");
	fw_add_chain(b, arena_fmt(b->a, "%s-%.*s", egress ? "out" : "in",
	    SPAN_ARG(acl->id)), NULL);
}

static void
put_jump(struct builder *b, const char *way, const struct net_acl *acl)
{
	buf_addf(&b->text, "jump %s-%.*s\n", way, SPAN_ARG(acl->id));
}

static int
by_length(const void *pa, const void *pb)
{
	const struct net_route *a = pa, *b = pb;
	if (a->dst.len != b->dst.len)
		return a->dst.len > b->dst.len ? -1 : 1;
	return a->dst.addr < b->dst.addr ? -1 : a->dst.addr > b->dst.addr;
}

/* The most specific first: the first that matches decides. */
static const struct net_route *
sorted(struct builder *b, const struct net_table *t)
{
	struct net_route *r = arena_array(b->a, struct net_route, t->n_routes);
	if (t->n_routes == 0)
		return r;
	memcpy(r, t->routes, t->n_routes * sizeof(*r));
	qsort(r, t->n_routes, sizeof(*r), by_length);
	return r;
}

static void
put_dst(struct buf *t, struct net_cidr dst)
{
	if (dst.len == 0)
		return;
	buf_add_str(t, "ip daddr ");
	fw_put_cidr(t, dst);
}

static const struct net_nat *
find_nat(const struct net_vpc *v, uint32_t addr)
{
	for (size_t i = 0; i < v->n_nats; i++)
		if (v->nats[i].addr == addr)
			return &v->nats[i];
	return NULL;
}

static void
put_route(struct builder *b, const struct net_route *r)
{
	const struct net_nat *nat = find_nat(b->v, r->via);
	put_dst(&b->text, r->dst);
	switch (r->to) {
	case NET_LOCAL:
		buf_add_str(&b->text, "accept\n");
		return;
	case NET_INTERNET:
		buf_add_str(&b->text, "goto to-internet\n");
		return;
	case NET_NAT:
		if (nat) {
			buf_addf(&b->text, "goto to-%.*s\n",
			    SPAN_ARG(nat->id));
			return;
		}
		break;
	case NET_NOWHERE:
		break;
	}
	buf_add_str(&b->text, "drop\n");
}

static void
build_table(struct builder *b, const struct net_table *t)
{
	const struct net_route *r = sorted(b, t);
	for (size_t i = 0; i < t->n_routes; i++)
		put_route(b, &r[i]);
	buf_add_str(&b->text, "drop\n");
	fw_add_chain(b, arena_fmt(b->a, "to-%.*s", SPAN_ARG(t->id)), NULL);
}

static void
put_subnet_match(struct builder *b, const char *what,
    const struct net_subnet *s)
{
	buf_addf(&b->text, "ip %s ", what);
	fw_put_cidr(&b->text, s->cidr);
}

/* What leaves a subnet, and what comes in if its ACL holds anything back. */
static void
build_subnet(struct builder *b, const struct net_subnet *s)
{
	const struct net_acl *out = find_acl(b->v, s->acl, true);
	const struct net_acl *in = find_acl(b->v, s->acl, false);
	put_subnet_match(b, "daddr", s);
	buf_add_str(&b->text, "accept\n");
	if (out)
		put_jump(b, "out", out);
	if (find_table(b->v, s->table))
		buf_addf(&b->text, "goto to-%.*s\n", SPAN_ARG(s->table));
	else
		buf_add_str(&b->text, "drop\n");
	fw_add_chain(b, arena_fmt(b->a, "out-%.*s", SPAN_ARG(s->id)), NULL);
	if (!in)
		return;
	put_subnet_match(b, "saddr", s);
	buf_add_str(&b->text, "accept\n");
	put_jump(b, "in", in);
	fw_add_chain(b, arena_fmt(b->a, "in-%.*s", SPAN_ARG(s->id)), NULL);
}

/* Where a NAT gateway sends what came to it: its own subnet's table decides,
 * once; one gateway behind another leads nowhere. */
static void
put_nat_routes(struct builder *b, const struct net_nat *n,
    const struct net_subnet *s)
{
	const struct net_table *t = find_table(b->v, s->table);
	const struct net_route *r = t ? sorted(b, t) : NULL;
	put_subnet_match(b, "daddr", s);
	buf_add_str(&b->text, "accept\n");
	for (size_t i = 0; t && i < t->n_routes; i++) {
		bool on = r[i].to == NET_LOCAL ||
		    (r[i].to == NET_INTERNET && n->public_addr);
		put_dst(&b->text, r[i].dst);
		buf_add_str(&b->text, on ? "accept\n" : "drop\n");
	}
	buf_add_str(&b->text, "drop\n");
}

/* AWS: TCP, UDP and ICMP; only connections that began on this side.  The
 * subnet's ACL sees them come and go. */
static void
build_nat(struct builder *b, const struct net_nat *n)
{
	const struct net_subnet *s = find_subnet(b->v, n->subnet);
	const struct net_acl *in = s ? find_acl(b->v, s->acl, false) : NULL;
	const struct net_acl *out = s ? find_acl(b->v, s->acl, true) : NULL;
	struct buf *t = &b->text;
	buf_addf(t, "meta l4proto != { 1, 6, 17 } drop\n"
	    "ct direction reply drop\n"
	    "ct state new ct mark set 0x%08x\n"
	    "ct mark != 0x%08x drop\n", n->addr, n->addr);
	if (in) {
		put_subnet_match(b, "saddr !=", s);
		put_jump(b, "in", in);
	}
	if (out) {
		put_subnet_match(b, "daddr !=", s);
		put_jump(b, "out", out);
	}
	if (s)
		put_nat_routes(b, n, s);
	else
		buf_add_str(t, "drop\n");
	fw_add_chain(b, arena_fmt(b->a, "to-%.*s", SPAN_ARG(n->id)), NULL);
}

/* An interface without a public address has no way through the gateway. */
static void
build_internet(struct builder *b)
{
	buf_add_str(&b->text,
	    "ip saddr != @mapped drop\n"
	    "ct direction reply accept\n"
	    "ct state new ct mark set " BY_INTERNET "\n"
	    "ct mark > " BY_INTERNET " drop\n"
	    "accept\n");
	fw_add_chain(b, "to-internet", NULL);
}

/* "ip saddr vmap { 10.0.1.0/24 : goto out-subnet-1, ... }" */
static void
put_subnets(struct builder *b, const char *side, const char *way, bool acl_only)
{
	bool any = false;
	for (size_t i = 0; i < b->v->n_subnets; i++) {
		const struct net_subnet *s = &b->v->subnets[i];
		if (acl_only && !find_acl(b->v, s->acl, false))
			continue;
		if (any)
			buf_add_str(&b->text, ", ");
		else
			buf_addf(&b->text, "ip %s vmap { ", side);
		fw_put_cidr(&b->text, s->cidr);
		buf_addf(&b->text, ": goto %s-%.*s", way, SPAN_ARG(s->id));
		any = true;
	}
	if (any)
		buf_add_str(&b->text, " }\n");
}

/* What comes back to a NAT gateway, before it is translated. */
static void
put_nat_returns(struct builder *b)
{
	for (size_t i = 0; i < b->v->n_nats; i++) {
		const struct net_nat *n = &b->v->nats[i];
		const struct net_subnet *s = find_subnet(b->v, n->subnet);
		const struct net_acl *in =
		    s ? find_acl(b->v, s->acl, false) : NULL;
		if (!in || !n->public_addr)
			continue;
		buf_add_str(&b->text, "ip daddr ");
		fw_put_addr(&b->text, n->public_addr);
		buf_add_char(&b->text, ' ');
		put_jump(b, "in", in);
	}
}

/* What a NAT gateway hands back to the subnet that asked. */
static void
put_nat_answers(struct builder *b)
{
	for (size_t i = 0; i < b->v->n_nats; i++) {
		const struct net_nat *n = &b->v->nats[i];
		const struct net_subnet *s = find_subnet(b->v, n->subnet);
		const struct net_acl *out =
		    s ? find_acl(b->v, s->acl, true) : NULL;
		if (!out)
			continue;
		buf_addf(&b->text, "ct direction reply ct mark 0x%08x ",
		    n->addr);
		put_subnet_match(b, "daddr !=", s);
		put_jump(b, "out", out);
	}
}

static void
build_hooks(struct builder *b)
{
	buf_add_str(&b->text, "iifname \"lo\" accept\n");
	put_nat_returns(b);
	buf_add_str(&b->text, "iifname \"host\" accept\n");
	put_subnets(b, "saddr", "out", false);
	fw_add_chain(b, "leave",
	    "type filter hook prerouting priority -140; policy drop;");
	put_nat_answers(b);
	buf_add_str(&b->text, "oifname \"host\" accept\n");
	put_subnets(b, "daddr", "in", true);
	fw_add_chain(b, "arrive",
	    "type filter hook postrouting priority 140; policy accept;");
}

void
fw_build_paths(struct builder *b)
{
	const struct net_vpc *v = b->v;
	for (size_t i = 0; i < v->n_acls; i++)
		for (int egress = 0; egress < 2; egress++)
			if (find_acl(v, v->acls[i].id, egress))
				build_acl(b, &v->acls[i], egress);
	for (size_t i = 0; i < v->n_tables; i++)
		build_table(b, &v->tables[i]);
	for (size_t i = 0; i < v->n_nats; i++)
		build_nat(b, &v->nats[i]);
	for (size_t i = 0; i < v->n_subnets; i++)
		build_subnet(b, &v->subnets[i]);
	build_internet(b);
	build_hooks(b);
}

bool
fw_put_nats(struct buf *t, const struct net_vpc *v)
{
	bool any = false;
	for (size_t i = 0; i < v->n_nats; i++) {
		if (!v->nats[i].public_addr)
			continue;
		buf_add_str(t, any ? ", " : "{ ");
		fw_put_addr(t, v->nats[i].public_addr);
		any = true;
	}
	if (any)
		buf_add_str(t, " } ");
	return any;
}

/* Outside as its public address, also where that leads back into the VPC by
 * another's public address; inside as its private one. */
void
fw_put_nat_rules(struct buf *t, const struct net_vpc *v)
{
	static const char *const ways[] = {"oifname \"host\"",
		"ct status dnat"};
	for (size_t i = 0; i < v->n_nats; i++) {
		const struct net_nat *n = &v->nats[i];
		for (size_t k = 0; n->public_addr && k < 2; k++) {
			buf_addf(t, "ct mark 0x%08x %s snat to ", n->addr,
			    ways[k]);
			fw_put_addr(t, n->public_addr);
			buf_add_char(t, '\n');
		}
		buf_addf(t, "ct mark 0x%08x snat to ", n->addr);
		fw_put_addr(t, n->addr);
		buf_add_char(t, '\n');
	}
}
