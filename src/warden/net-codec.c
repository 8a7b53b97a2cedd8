/* The network's messages: encoding, decoding, and the forms that hold. */
#include "warden/check.h"
#include "warden/net.h"

bool
net_id_ok(struct span id, const char *prefix)
{
	struct span p = span_of(prefix);
	if (!span_starts(id, p))
		return false;
	struct span hex = span_from(id, p.n);
	if (hex.n < 8 || hex.n > 17)
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		char c = hex.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

bool
net_netns_ok(struct span netns)
{
	return netns.n <= 64 && check_id(netns) &&
	    (span_starts(netns, SPAN("task-")) ||
		span_starts(netns, SPAN("lb-")));
}

static void
put_cidr(struct buf *b, struct net_cidr c)
{
	msg_put_u32(b, c.addr);
	msg_put_u32(b, c.len);
}

static void
put_eni(struct buf *b, const struct net_eni *e)
{
	msg_put_span(b, e->id);
	msg_put_span(b, e->netns);
	msg_put_u32(b, e->addr);
	put_cidr(b, e->subnet);
	msg_put_span(b, span_make((const char *)e->mac, sizeof(e->mac)));
	msg_put_u32(b, e->public_addr);
	msg_put_bool(b, e->internet);
	msg_put_spans(b, e->groups, e->n_groups);
}

static void
put_rule(struct buf *b, const struct net_rule *r)
{
	msg_put_bool(b, r->egress);
	msg_put_u32(b, (uint32_t)r->proto);
	msg_put_u32(b, (uint32_t)r->from_port);
	msg_put_u32(b, (uint32_t)r->to_port);
	put_cidr(b, r->cidr);
	msg_put_span(b, r->group);
}

static void
put_table(struct buf *b, const struct net_table *t)
{
	msg_put_span(b, t->id);
	msg_put_u32(b, (uint32_t)t->n_routes);
	for (size_t i = 0; i < t->n_routes; i++) {
		put_cidr(b, t->routes[i].dst);
		msg_put_u32(b, t->routes[i].to);
		msg_put_u32(b, t->routes[i].via);
	}
}

static void
put_acl(struct buf *b, const struct net_acl *acl)
{
	msg_put_span(b, acl->id);
	msg_put_u32(b, (uint32_t)acl->n_rules);
	for (size_t i = 0; i < acl->n_rules; i++) {
		put_rule(b, &acl->rules[i].match);
		msg_put_bool(b, acl->rules[i].allow);
	}
}

static void
put_paths(struct buf *b, const struct net_vpc *v)
{
	msg_put_u32(b, (uint32_t)v->n_subnets);
	for (size_t i = 0; i < v->n_subnets; i++) {
		msg_put_span(b, v->subnets[i].id);
		put_cidr(b, v->subnets[i].cidr);
		msg_put_span(b, v->subnets[i].table);
		msg_put_span(b, v->subnets[i].acl);
	}
	msg_put_u32(b, (uint32_t)v->n_tables);
	for (size_t i = 0; i < v->n_tables; i++)
		put_table(b, &v->tables[i]);
	msg_put_u32(b, (uint32_t)v->n_acls);
	for (size_t i = 0; i < v->n_acls; i++)
		put_acl(b, &v->acls[i]);
	msg_put_u32(b, (uint32_t)v->n_nats);
	for (size_t i = 0; i < v->n_nats; i++) {
		msg_put_span(b, v->nats[i].id);
		msg_put_span(b, v->nats[i].subnet);
		msg_put_u32(b, v->nats[i].addr);
		msg_put_u32(b, v->nats[i].public_addr);
	}
}

void
net_put_vpc(struct buf *b, const struct net_vpc *v)
{
	msg_put_span(b, v->id);
	msg_put_u32(b, (uint32_t)v->n_cidrs);
	for (size_t i = 0; i < v->n_cidrs; i++)
		put_cidr(b, v->cidrs[i]);
	msg_put_u32(b, (uint32_t)v->n_enis);
	for (size_t i = 0; i < v->n_enis; i++)
		put_eni(b, &v->enis[i]);
	msg_put_u32(b, (uint32_t)v->n_groups);
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct net_group *g = &v->groups[i];
		msg_put_span(b, g->id);
		msg_put_u32(b, (uint32_t)g->n_rules);
		for (size_t k = 0; k < g->n_rules; k++)
			put_rule(b, &g->rules[k]);
	}
	put_paths(b, v);
}

/* Latches the first reason why a message is refused. */
struct decoder {
	struct msg_reader *m;
	struct arena *a;
	struct span why;
};

static bool
refuse(struct decoder *d, const char *why, struct span what)
{
	if (d->why.n == 0)
		d->why = arena_fmt_span(d->a, "%s: '%.*s'", why,
		    SPAN_ARG(span_to(what, 64)));
	return false;
}

static bool
get_count(struct decoder *d, size_t max, const char *what, size_t *ret)
{
	size_t n = msg_u32(d->m);
	if (d->m->bad || n > max)
		return refuse(d, "too many", span_of(what));
	*ret = n;
	return true;
}

static bool
get_cidr(struct decoder *d, struct net_cidr *ret)
{
	uint32_t addr = msg_u32(d->m);
	uint32_t len = msg_u32(d->m);
	if (len > 32 || (addr & ~net_mask((uint8_t)len)))
		return refuse(d, "not a prefix",
		    arena_fmt_span(d->a, "%x/%u", addr, len));
	*ret = (struct net_cidr){addr, (uint8_t)len};
	return true;
}

static bool
get_eni(struct decoder *d, struct span vpc, struct net_eni *e)
{
	e->vpc = vpc;
	e->id = msg_span(d->m);
	e->netns = msg_span(d->m);
	e->addr = msg_u32(d->m);
	if (!get_cidr(d, &e->subnet))
		return false;
	struct span mac = msg_span(d->m);
	e->public_addr = msg_u32(d->m);
	e->internet = msg_bool(d->m);
	e->groups = msg_spans(d->m, d->a, NET_MAX_ENI_GROUPS, &e->n_groups);
	if (!net_id_ok(e->id, "eni-"))
		return refuse(d, "not an interface id", e->id);
	if (!net_netns_ok(e->netns))
		return refuse(d, "not a namespace", e->netns);
	/* The gateway answers at base+1, and broadcast has its own meaning. */
	if (e->subnet.len < 8 || e->subnet.len > 28 ||
	    !net_in(e->subnet, e->addr) || e->addr <= e->subnet.addr + 1 ||
	    e->addr == (e->subnet.addr | ~net_mask(e->subnet.len)))
		return refuse(d, "address is not the subnet's", e->id);
	if (mac.n != sizeof(e->mac) || (mac.p[0] & 1))
		return refuse(d, "not a hardware address", e->id);
	memcpy(e->mac, mac.p, mac.n);
	for (size_t i = 0; i < e->n_groups; i++)
		if (!net_id_ok(e->groups[i], "sg-"))
			return refuse(d, "not a group id", e->groups[i]);
	return true;
}

/* ICMP: type and code are 0 to 255; else ports; -1 is all of either. */
static bool
ports_ok(const struct net_rule *r)
{
	int max = r->proto == NET_ICMP ? 255 : 65535;
	if (r->from_port < -1 || r->from_port > max || r->to_port < -1 ||
	    r->to_port > max)
		return false;
	if (r->proto == NET_TCP || r->proto == NET_UDP)
		return (r->from_port == -1) == (r->to_port == -1) &&
		    r->from_port <= r->to_port;
	return true;
}

static bool
get_rule(struct decoder *d, struct net_rule *r)
{
	r->egress = msg_bool(d->m);
	r->proto = (int)msg_u32(d->m);
	r->from_port = (int)msg_u32(d->m);
	r->to_port = (int)msg_u32(d->m);
	if (!get_cidr(d, &r->cidr))
		return false;
	r->group = msg_span(d->m);
	if (r->proto < NET_ANY || r->proto > 255 || !ports_ok(r))
		return refuse(d, "not a protocol and ports",
		    arena_fmt_span(d->a, "%d %d %d", r->proto, r->from_port,
			r->to_port));
	if (r->group.n > 0 && !net_id_ok(r->group, "sg-"))
		return refuse(d, "not a group id", r->group);
	return true;
}

static bool
get_group(struct decoder *d, struct net_group *g)
{
	size_t n = 0;
	g->id = msg_span(d->m);
	if (!net_id_ok(g->id, "sg-"))
		return refuse(d, "not a group id", g->id);
	if (!get_count(d, NET_MAX_RULES, "rules", &n))
		return false;
	struct net_rule *rules = arena_array(d->a, struct net_rule, n);
	for (size_t i = 0; i < n; i++)
		if (!get_rule(d, &rules[i]))
			return false;
	g->rules = rules;
	g->n_rules = n;
	return true;
}

static bool
get_enis(struct decoder *d, struct net_vpc *v)
{
	if (!get_count(d, NET_MAX_ENIS, "interfaces", &v->n_enis))
		return false;
	struct net_eni *e = arena_array(d->a, struct net_eni, v->n_enis);
	for (size_t i = 0; i < v->n_enis; i++)
		if (!get_eni(d, v->id, &e[i]))
			return false;
	v->enis = e;
	return true;
}

static bool
get_groups(struct decoder *d, struct net_vpc *v)
{
	if (!get_count(d, NET_MAX_GROUPS, "groups", &v->n_groups))
		return false;
	struct net_group *g = arena_array(d->a, struct net_group, v->n_groups);
	for (size_t i = 0; i < v->n_groups; i++)
		if (!get_group(d, &g[i]))
			return false;
	v->groups = g;
	return true;
}

static bool
get_subnets(struct decoder *d, struct net_vpc *v)
{
	if (!get_count(d, NET_MAX_SUBNETS, "subnets", &v->n_subnets))
		return false;
	struct net_subnet *s =
	    arena_array(d->a, struct net_subnet, v->n_subnets);
	for (size_t i = 0; i < v->n_subnets; i++) {
		s[i].id = msg_span(d->m);
		if (!get_cidr(d, &s[i].cidr))
			return false;
		s[i].table = msg_span(d->m);
		s[i].acl = msg_span(d->m);
		if (!net_id_ok(s[i].id, "subnet-"))
			return refuse(d, "not a subnet id", s[i].id);
		if (!net_id_ok(s[i].table, "rtb-"))
			return refuse(d, "not a route table id", s[i].table);
		if (!net_id_ok(s[i].acl, "acl-"))
			return refuse(d, "not an ACL id", s[i].acl);
		/* nft takes no overlapping ranges in one map. */
		for (size_t k = 0; k < i; k++)
			if (net_in(s[k].cidr, s[i].cidr.addr) ||
			    net_in(s[i].cidr, s[k].cidr.addr))
				return refuse(d, "subnets overlap", s[i].id);
	}
	v->subnets = s;
	return true;
}

static bool
get_table(struct decoder *d, struct net_table *t)
{
	t->id = msg_span(d->m);
	if (!net_id_ok(t->id, "rtb-"))
		return refuse(d, "not a route table id", t->id);
	if (!get_count(d, NET_MAX_ROUTES, "routes", &t->n_routes))
		return false;
	struct net_route *r = arena_array(d->a, struct net_route, t->n_routes);
	for (size_t i = 0; i < t->n_routes; i++) {
		if (!get_cidr(d, &r[i].dst))
			return false;
		uint32_t to = msg_u32(d->m);
		r[i].via = msg_u32(d->m);
		if (to > NET_NAT)
			return refuse(d, "not a route's target", t->id);
		r[i].to = (enum net_target)to;
	}
	t->routes = r;
	return true;
}

static bool
get_acl(struct decoder *d, struct net_acl *acl)
{
	acl->id = msg_span(d->m);
	if (!net_id_ok(acl->id, "acl-"))
		return refuse(d, "not an ACL id", acl->id);
	if (!get_count(d, NET_MAX_ACL_RULES, "ACL rules", &acl->n_rules))
		return false;
	struct net_acl_rule *r =
	    arena_array(d->a, struct net_acl_rule, acl->n_rules);
	for (size_t i = 0; i < acl->n_rules; i++) {
		if (!get_rule(d, &r[i].match))
			return false;
		r[i].allow = msg_bool(d->m);
		if (r[i].match.group.n > 0)
			return refuse(d, "an ACL names a group", acl->id);
	}
	acl->rules = r;
	return true;
}

/* Its address is its subnet's, if that is known. */
static bool
nat_inside(const struct net_vpc *v, const struct net_nat *n)
{
	for (size_t i = 0; i < v->n_subnets; i++)
		if (span_eq(v->subnets[i].id, n->subnet))
			return net_in(v->subnets[i].cidr, n->addr);
	return true;
}

static bool
get_nats(struct decoder *d, struct net_vpc *v)
{
	if (!get_count(d, NET_MAX_NATS, "NAT gateways", &v->n_nats))
		return false;
	struct net_nat *n = arena_array(d->a, struct net_nat, v->n_nats);
	for (size_t i = 0; i < v->n_nats; i++) {
		n[i].id = msg_span(d->m);
		n[i].subnet = msg_span(d->m);
		n[i].addr = msg_u32(d->m);
		n[i].public_addr = msg_u32(d->m);
		if (!net_id_ok(n[i].id, "nat-"))
			return refuse(d, "not a NAT gateway id", n[i].id);
		if (!net_id_ok(n[i].subnet, "subnet-"))
			return refuse(d, "not a subnet id", n[i].subnet);
		/* 1 is the mark of the internet gateway. */
		if (n[i].addr <= 1 || !nat_inside(v, &n[i]))
			return refuse(d, "not a gateway's address", n[i].id);
	}
	v->nats = n;
	return true;
}

static bool
get_paths(struct decoder *d, struct net_vpc *v)
{
	if (!get_subnets(d, v) ||
	    !get_count(d, NET_MAX_TABLES, "route tables", &v->n_tables))
		return false;
	struct net_table *t = arena_array(d->a, struct net_table, v->n_tables);
	for (size_t i = 0; i < v->n_tables; i++)
		if (!get_table(d, &t[i]))
			return false;
	v->tables = t;
	if (!get_count(d, NET_MAX_ACLS, "ACLs", &v->n_acls))
		return false;
	struct net_acl *acl = arena_array(d->a, struct net_acl, v->n_acls);
	for (size_t i = 0; i < v->n_acls; i++)
		if (!get_acl(d, &acl[i]))
			return false;
	v->acls = acl;
	return get_nats(d, v);
}

static bool
get_vpc(struct decoder *d, struct net_vpc *v)
{
	v->id = msg_span(d->m);
	if (!net_id_ok(v->id, "vpc-"))
		return refuse(d, "not a VPC id", v->id);
	if (!get_count(d, NET_MAX_CIDRS, "prefixes", &v->n_cidrs))
		return false;
	struct net_cidr *c = arena_array(d->a, struct net_cidr, v->n_cidrs);
	for (size_t i = 0; i < v->n_cidrs; i++)
		if (!get_cidr(d, &c[i]))
			return false;
	v->cidrs = c;
	return get_enis(d, v) && get_groups(d, v) && get_paths(d, v);
}

bool
net_get_vpc(struct msg_reader *m, struct arena *a, struct net_vpc *ret,
    struct span *ret_why)
{
	struct decoder d = {.m = m, .a = a};
	struct net_vpc v = {0};
	bool ok = get_vpc(&d, &v);
	if (ok && !msg_ok(m))
		ok = refuse(&d, "the message", SPAN("is cut"));
	if (!ok) {
		*ret_why = d.why;
		return false;
	}
	*ret = v;
	return true;
}
