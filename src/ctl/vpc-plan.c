/* Reads the specs of a VPC's parts into the network's own types. */
#include "base/cidr.h"
#include "ctl/vpc-plan.h"

static bool
to_cidr(struct span text, struct net_cidr *ret)
{
	struct cidr c;
	if (!cidr_parse(text, &c))
		return false;
	c = cidr_base(c);
	*ret = (struct net_cidr){c.addr, c.len};
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
to_mac(struct span s, unsigned char ret[6])
{
	for (size_t i = 0; i < 6; i++) {
		struct span part = span_cut(&s, ':');
		if (part.n != 2 || hex_digit(part.p[0]) < 0 ||
		    hex_digit(part.p[1]) < 0)
			return false;
		ret[i] = (unsigned char)(hex_digit(part.p[0]) << 4 |
		    hex_digit(part.p[1]));
	}
	return s.n == 0;
}

bool
vpc_proto(struct span s, int *ret)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"tcp", NET_TCP}, {"udp", NET_UDP}, {"icmp", NET_ICMP},
		{"-1", NET_ANY}};
	uint64_t n;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_is(s, names[i].name)) {
			*ret = names[i].number;
			return true;
		}
	if (!span_u64(s, &n) || n > 255)
		return false; /* "icmpv6": there is no IPv6 here */
	*ret = (int)n;
	return true;
}

/* False: a rule that matches nothing here (IPv6, prefix lists). */
static bool
to_rule(const struct doc *spec, struct net_rule *ret)
{
	struct net_rule r = {.egress = doc_get_bool(spec, "IsEgress", false)};
	struct span cidr = doc_get_str(spec, "CidrIpv4");
	r.group =
	    doc_get_str(doc_get(spec, "ReferencedGroupInfo"), "GroupId");
	if (!vpc_proto(doc_get_str(spec, "IpProtocol"), &r.proto))
		return false;
	if (r.group.n == 0 && !to_cidr(cidr, &r.cidr))
		return false;
	r.from_port = (int)doc_get_int(spec, "FromPort", -1);
	r.to_port = (int)doc_get_int(spec, "ToPort", -1);
	bool ports = r.proto == NET_TCP || r.proto == NET_UDP;
	bool all = ports && (r.from_port < 0 || r.to_port < 0);
	if (all || (!ports && r.proto != NET_ICMP))
		r.from_port = r.to_port = -1;
	*ret = r;
	return true;
}

static void
plan_cidrs(struct arena *a, const struct vpc_facts *f, struct net_vpc *v)
{
	const struct doc *set =
	    doc_get(f->vpc->spec, "CidrBlockAssociationSet");
	struct net_cidr *c = arena_array(a, struct net_cidr, NET_MAX_CIDRS);
	size_t n = 0;
	doc_each(x, set)
	{
		struct span state =
		    doc_get_str(doc_get(x, "CidrBlockState"), "State");
		if ((state.n == 0 || span_is(state, "associated")) &&
		    n < NET_MAX_CIDRS &&
		    to_cidr(doc_get_str(x, "CidrBlock"), &c[n]))
			n++;
	}
	if (n == 0 && to_cidr(doc_get_str(f->vpc->spec, "CidrBlock"), &c[0]))
		n = 1;
	v->cidrs = c;
	v->n_cidrs = n;
}

static void
plan_groups(struct arena *a, const struct vpc_facts *f, struct net_vpc *v)
{
	size_t n = MIN(f->groups.n, (size_t)NET_MAX_GROUPS);
	struct net_group *g = arena_array(a, struct net_group, n);
	for (size_t i = 0; i < n; i++) {
		const struct res_list *l = &f->rules[i];
		struct net_rule *r = arena_array(a, struct net_rule, l->n);
		size_t k = 0;
		for (size_t j = 0; j < l->n && k < NET_MAX_RULES; j++)
			if (to_rule(l->v[j]->spec, &r[k]))
				k++;
		g[i] = (struct net_group){f->groups.v[i]->id, r, k};
	}
	v->groups = g;
	v->n_groups = n;
}

static const struct res *
find(const struct res_list *l, struct span id)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(l->v[i]->id, id))
			return l->v[i];
	return NULL;
}

/* Why it cannot be made, or NULL. */
static const char *
to_eni(struct arena *a, const struct vpc_facts *f, const struct res *r,
    struct net_eni *e)
{
	const struct doc *spec = r->spec;
	struct span subnet = doc_get_str(spec, "SubnetId");
	const struct res *s = find(&f->subnets, subnet);
	const struct doc *groups = doc_get(spec, "Groups");
	struct span public_ip = doc_get_str(spec, "PublicIp");
	struct span *ids = arena_array(a, struct span, NET_MAX_ENI_GROUPS);
	*e = (struct net_eni){.id = r->id, .vpc = f->vpc->id,
		.netns = doc_get_str(spec, "Netns"), .groups = ids};
	if (!s || !to_cidr(doc_get_str(s->spec, "CidrBlock"), &e->subnet))
		return "its subnet does not exist";
	if (!net_netns_ok(e->netns))
		return "the name of its namespace is malformed";
	if (!ip4_parse(doc_get_str(spec, "PrivateIpAddress"), &e->addr) ||
	    !net_in(e->subnet, e->addr))
		return "its address is not of its subnet";
	if (!to_mac(doc_get_str(spec, "MacAddress"), e->mac))
		return "its hardware address is malformed";
	if (public_ip.n > 0 && !ip4_parse(public_ip, &e->public_addr))
		return "its public address is malformed";
	if (doc_len(groups) > NET_MAX_ENI_GROUPS)
		return "it has too many security groups";
	doc_each(g, groups)
		ids[e->n_groups++] = doc_span(g);
	e->internet = vpc_has_gateway(f);
	return NULL;
}

struct vpc_plan *
vpc_plan(struct arena *a, const struct vpc_facts *f)
{
	struct vpc_plan *p = arena_new_of(a, struct vpc_plan);
	struct net_eni *e = arena_array(a, struct net_eni, f->enis.n);
	p->net.id = f->vpc->id;
	p->fresh = arena_array(a, int64_t, f->enis.n + f->nats.n);
	p->faults = arena_array(a, struct vpc_fault, f->enis.n);
	plan_cidrs(a, f, &p->net);
	plan_groups(a, f, &p->net);
	vpc_plan_paths(a, f, p);
	for (size_t i = 0; i < f->enis.n; i++) {
		const struct res *r = f->enis.v[i];
		if (doc_get_str(r->spec, "Netns").n == 0)
			continue;
		const char *why = p->net.n_enis < NET_MAX_ENIS
		    ? to_eni(a, f, r, &e[p->net.n_enis])
		    : "the VPC has too many network interfaces";
		if (why) {
			p->faults[p->n_faults++] =
			    (struct vpc_fault){r->row, why};
			continue;
		}
		p->net.n_enis++;
		if (!span_is(doc_get_str(r->status, "plane"), "up"))
			p->fresh[p->n_fresh++] = r->row;
	}
	p->net.enis = e;
	return p;
}
