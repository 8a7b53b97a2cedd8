/* Subnets, route tables, network ACLs and NAT gateways of a VPC, as the network
 * takes them. */
#include "base/cidr.h"
#include "ctl/vpc-plan.h"

static bool
gateway_attached(const struct vpc_facts *f, struct span id)
{
	for (size_t i = 0; i < f->gateways.n; i++)
		if (span_eq(f->gateways.v[i]->id, id) &&
		    span_eq(doc_get_str(f->gateways.v[i]->spec, "VpcId"),
			f->vpc->id))
			return true;
	return false;
}

bool
vpc_has_gateway(const struct vpc_facts *f)
{
	for (size_t i = 0; i < f->gateways.n; i++)
		if (gateway_attached(f, f->gateways.v[i]->id))
			return true;
	return false;
}

/* A gateway that works: neither failed nor on its way out. */
static bool
nat_lives(const struct res *nat)
{
	return !doc_get(nat->spec, "FailureCode") &&
	    !doc_get(nat->spec, "DeleteTime");
}

static bool
to_nat(const struct res *r, struct net_nat *n)
{
	const struct doc *a =
	    doc_at(doc_get(r->spec, "NatGatewayAddresses"), 0);
	struct span public = doc_get_str(a, "PublicIp");
	*n = (struct net_nat){
		.id = r->id, .subnet = doc_get_str(r->spec, "SubnetId")};
	return ip4_parse(doc_get_str(a, "PrivateIp"), &n->addr) &&
	    (public.n == 0 || ip4_parse(public, &n->public_addr));
}

/* Those that are to be and not known to be up go to fresh, those that are to
 * go and not known to have gone to gone. */
static void
plan_nats(struct arena *a, const struct vpc_facts *f, struct vpc_plan *p)
{
	struct net_nat *n = arena_array(a, struct net_nat, f->nats.n);
	p->gone = arena_array(a, int64_t, f->nats.n);
	for (size_t i = 0; i < f->nats.n; i++) {
		const struct res *r = f->nats.v[i];
		struct span plane = doc_get_str(r->status, "plane");
		if (nat_lives(r) && p->net.n_nats < NET_MAX_NATS &&
		    to_nat(r, &n[p->net.n_nats])) {
			p->net.n_nats++;
			if (!span_is(plane, "up"))
				p->fresh[p->n_fresh++] = r->row;
		} else if (!nat_lives(r) && !span_is(plane, "gone")) {
			p->gone[p->n_gone++] = r->row;
		}
	}
	p->net.nats = n;
}

static const struct net_nat *
find_nat(const struct net_vpc *v, struct span id)
{
	for (size_t i = 0; i < v->n_nats; i++)
		if (span_eq(v->nats[i].id, id))
			return &v->nats[i];
	return NULL;
}

/* A route to an interface leads nowhere: each is a task's or a balancer's,
 * which takes nothing that is not for itself (SourceDestCheck). */
static bool
to_route(const struct vpc_facts *f, const struct net_vpc *v,
    const struct doc *d, struct net_route *r)
{
	struct span gateway = doc_get_str(d, "GatewayId");
	const struct net_nat *nat =
	    find_nat(v, doc_get_str(d, "NatGatewayId"));
	struct cidr c;
	if (!cidr_parse(doc_get_str(d, "DestinationCidrBlock"), &c))
		return false;
	c = cidr_base(c);
	*r = (struct net_route){.dst = {c.addr, c.len}};
	if (span_is(gateway, "local"))
		r->to = NET_LOCAL;
	else if (gateway_attached(f, gateway))
		r->to = NET_INTERNET;
	else if (nat)
		r->to = NET_NAT;
	r->via = nat ? nat->addr : 0;
	return true;
}

/* Only what a subnet follows: the rest leads nobody. */
static bool
followed(const struct net_vpc *v, struct span id)
{
	for (size_t i = 0; i < v->n_subnets; i++)
		if (span_eq(v->subnets[i].table, id) ||
		    span_eq(v->subnets[i].acl, id))
			return true;
	return false;
}

static void
plan_tables(struct arena *a, const struct vpc_facts *f, struct net_vpc *v)
{
	struct net_table *t = arena_array(a, struct net_table, f->tables.n);
	for (size_t i = 0; i < f->tables.n; i++) {
		if (v->n_tables == NET_MAX_TABLES ||
		    !followed(v, f->tables.v[i]->id))
			continue;
		const struct doc *routes =
		    doc_get(f->tables.v[i]->spec, "Routes");
		struct net_route *r =
		    arena_array(a, struct net_route, doc_len(routes));
		size_t k = 0;
		doc_each(d, routes)
			if (k < NET_MAX_ROUTES && to_route(f, v, d, &r[k]))
				k++;
		t[v->n_tables++] =
		    (struct net_table){f->tables.v[i]->id, r, k};
	}
	v->tables = t;
}

/* False: an entry that matches nothing here (IPv6). */
static bool
to_entry(const struct doc *d, struct net_acl_rule *ret)
{
	const struct doc *ports = doc_get(d, "PortRange");
	const struct doc *icmp = doc_get(d, "IcmpTypeCode");
	struct net_rule m = {.egress = doc_get_bool(d, "Egress", false),
		.from_port = -1, .to_port = -1};
	struct cidr c;
	if (!vpc_proto(doc_get_str(d, "Protocol"), &m.proto) ||
	    !cidr_parse(doc_get_str(d, "CidrBlock"), &c))
		return false;
	c = cidr_base(c);
	m.cidr = (struct net_cidr){c.addr, c.len};
	if (m.proto == NET_TCP || m.proto == NET_UDP) {
		m.from_port = (int)doc_get_int(ports, "From", 0);
		m.to_port = (int)doc_get_int(ports, "To", 65535);
	} else if (m.proto == NET_ICMP) {
		m.from_port = (int)doc_get_int(icmp, "Type", -1);
		m.to_port = (int)doc_get_int(icmp, "Code", -1);
	}
	*ret = (struct net_acl_rule){m,
		span_is(doc_get_str(d, "RuleAction"), "allow")};
	return true;
}

static void
plan_acls(struct arena *a, const struct vpc_facts *f, struct net_vpc *v)
{
	struct net_acl *acl = arena_array(a, struct net_acl, f->acls.n);
	for (size_t i = 0; i < f->acls.n; i++) {
		if (v->n_acls == NET_MAX_ACLS ||
		    !followed(v, f->acls.v[i]->id))
			continue;
		const struct doc *entries =
		    doc_get(f->acls.v[i]->spec, "Entries");
		struct net_acl_rule *r =
		    arena_array(a, struct net_acl_rule, doc_len(entries));
		size_t k = 0;
		doc_each(d, entries)
			if (k < NET_MAX_ACL_RULES && to_entry(d, &r[k]))
				k++;
		acl[v->n_acls++] = (struct net_acl){f->acls.v[i]->id, r, k};
	}
	v->acls = acl;
}

/* The table of a subnet: its own, or the VPC's main one. */
static struct span
table_of(const struct vpc_facts *f, struct span subnet)
{
	struct span main = SPAN_NULL;
	for (size_t i = 0; i < f->tables.n; i++)
		doc_each(x, doc_get(f->tables.v[i]->spec, "Associations"))
		{
			if (span_eq(doc_get_str(x, "SubnetId"), subnet))
				return f->tables.v[i]->id;
			if (doc_get_bool(x, "Main", false))
				main = f->tables.v[i]->id;
		}
	return main;
}

static struct span
default_acl(const struct vpc_facts *f)
{
	for (size_t i = 0; i < f->acls.n; i++)
		if (doc_get_bool(f->acls.v[i]->spec, "IsDefault", false))
			return f->acls.v[i]->id;
	return SPAN_NULL;
}

static void
plan_subnets(struct arena *a, const struct vpc_facts *f, struct net_vpc *v)
{
	struct net_subnet *s = arena_array(a, struct net_subnet, f->subnets.n);
	for (size_t i = 0; i < f->subnets.n; i++) {
		const struct res *r = f->subnets.v[i];
		struct span acl = doc_get_str(r->spec, "NetworkAclId");
		struct span table = table_of(f, r->id);
		struct cidr c;
		if (acl.n == 0)
			acl = default_acl(f);
		if (v->n_subnets == NET_MAX_SUBNETS || table.n == 0 ||
		    acl.n == 0 ||
		    !cidr_parse(doc_get_str(r->spec, "CidrBlock"), &c))
			continue;
		c = cidr_base(c);
		s[v->n_subnets++] = (struct net_subnet){
			r->id, {c.addr, c.len}, table, acl};
	}
	v->subnets = s;
}

void
vpc_plan_paths(struct arena *a, const struct vpc_facts *f, struct vpc_plan *p)
{
	plan_nats(a, f, p);
	plan_subnets(a, f, &p->net);
	plan_tables(a, f, &p->net);
	plan_acls(a, f, &p->net);
}
