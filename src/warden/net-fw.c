/* Builds a VPC's firewall from its groups and interfaces; compares two. */
#include <arpa/inet.h>

#include "base/id.h"
#include "warden/net-fw-build.h"

/* Sorted ids of groups; what interfaces with the same groups share. */
static int
by_span(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static int
by_set_name(const void *a, const void *b)
{
	return strcmp(((const struct fw_set *)a)->name,
	    ((const struct fw_set *)b)->name);
}

static int
by_chain_name(const void *a, const void *b)
{
	return strcmp(((const struct fw_chain *)a)->name,
	    ((const struct fw_chain *)b)->name);
}

static int
by_group_id(const void *a, const void *b)
{
	return span_cmp(((const struct net_group *)a)->id,
	    ((const struct net_group *)b)->id);
}

static struct fw_set *
add_set(struct builder *b, const char *name, enum fw_type type)
{
	struct fw *fw = b->fw;
	if (fw->n_sets == b->cap_sets) {
		size_t cap = b->cap_sets ? b->cap_sets * 2 : 16;
		fw->sets = arena_grow(b->a, fw->sets,
		    b->cap_sets * sizeof(*fw->sets), cap * sizeof(*fw->sets));
		b->cap_sets = cap;
	}
	struct fw_set *s = &fw->sets[fw->n_sets++];
	*s = (struct fw_set){.name = name, .type = type};
	return s;
}

void
fw_add_chain(struct builder *b, const char *name, const char *hook)
{
	struct fw *fw = b->fw;
	if (fw->n_chains == b->cap_chains) {
		size_t cap = b->cap_chains ? b->cap_chains * 2 : 16;
		fw->chains = arena_grow(b->a, fw->chains,
		    b->cap_chains * sizeof(*fw->chains),
		    cap * sizeof(*fw->chains));
		b->cap_chains = cap;
	}
	fw->chains[fw->n_chains++] = (struct fw_chain){.name = name,
		.hook = hook,
		.rules = arena_str(b->a, buf_span(&b->text))};
	buf_clear(&b->text);
}

struct fw_set *
fw_find_set(const struct fw *fw, const char *name)
{
	struct fw_set key = {.name = name};
	return bsearch(&key, fw->sets, fw->n_sets, sizeof(key), by_set_name);
}

static void
add_elem(struct arena *a, struct fw_set *s, struct fw_elem e)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		s->v = arena_grow(a, s->v, s->cap * sizeof(e),
		    cap * sizeof(e));
		s->cap = cap;
	}
	s->v[s->n++] = e;
}

static int
by_key(const void *pa, const void *pb)
{
	const struct fw_elem *a = pa, *b = pb;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* Sorts; of equal keys the last one added stays (qsort of glibc is a merge
 * sort here, stable for these sizes, but do not rely on it: keys are unique
 * unless the caller sends one address twice). */
static void
sort_elems(struct fw_set *s)
{
	size_t n = 0;
	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), by_key);
	for (size_t i = 0; i < s->n; i++) {
		if (n > 0 && s->v[n - 1].key == s->v[i].key)
			s->v[n - 1] = s->v[i];
		else
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

static void
put_ports(struct buf *b, const struct net_rule *r)
{
	const char *name = r->proto == NET_TCP ? "tcp" : "udp";
	if (r->from_port == -1 || (r->from_port == 0 && r->to_port == 65535))
		buf_addf(b, "meta l4proto %d ", r->proto);
	else if (r->from_port == r->to_port)
		buf_addf(b, "%s dport %d ", name, r->from_port);
	else
		buf_addf(b, "%s dport %d-%d ", name, r->from_port, r->to_port);
}

static void
put_icmp(struct buf *b, const struct net_rule *r)
{
	if (r->from_port == -1)
		buf_add_str(b, "meta l4proto 1 ");
	else
		buf_addf(b, "icmp type %d ", r->from_port);
	if (r->from_port != -1 && r->to_port != -1)
		buf_addf(b, "icmp code %d ", r->to_port);
}

void
fw_put_addr(struct buf *t, uint32_t addr)
{
	buf_addf(t, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
	    addr >> 8 & 255, addr & 255);
}

void
fw_put_cidr(struct buf *t, struct net_cidr c)
{
	fw_put_addr(t, c.addr);
	if (c.len < 32)
		buf_addf(t, "/%u", c.len);
	buf_add_char(t, ' ');
}

void
fw_put_match(struct buf *t, const struct net_rule *r)
{
	const char *peer = r->egress ? "ip daddr" : "ip saddr";
	if (r->group.n > 0) {
		buf_addf(t, "%s @%.*s ", peer, SPAN_ARG(r->group));
	} else if (r->cidr.len > 0) {
		buf_addf(t, "%s ", peer);
		fw_put_cidr(t, r->cidr);
	}
	if (r->proto == NET_TCP || r->proto == NET_UDP)
		put_ports(t, r);
	else if (r->proto == NET_ICMP)
		put_icmp(t, r);
	else if (r->proto != NET_ANY)
		buf_addf(t, "meta l4proto %d ", r->proto);
}

static void
put_rule(struct buf *b, const struct net_rule *r)
{
	fw_put_match(b, r);
	buf_add_str(b, "accept\n");
}

/* A rule about the public addresses of NAT gateways, if there are any. */
static void
put_nats(struct builder *b, const char *match, const char *verdict)
{
	_cleanup_(buf_done) struct buf set = BUF_INIT;
	if (fw_put_nats(&set, b->v))
		buf_addf(&b->text, "%s%s%s", match, buf_str(&set), verdict);
}

static void
build_base(struct builder *b)
{
	buf_add_str(&b->text,
	    "ct state invalid drop\n"
	    "iifname \"lo\" accept\n"
	    "iifname \"host\" ip daddr @public accept\n");
	put_nats(b, "iifname \"host\" ip daddr ",
	    "ct state established,related accept\n");
	buf_add_str(&b->text,
	    "iifname \"host\" drop\n"
	    "ct state established,related accept\n"
	    "ip saddr vmap @egress\n");
	fw_add_chain(b, "from-eni",
	    "type filter hook prerouting priority -150; policy drop;");
	buf_add_str(&b->text,
	    "oifname \"host\" ip saddr @public accept\n");
	put_nats(b, "oifname \"host\" ip saddr ", "accept\n");
	buf_add_str(&b->text,
	    "oifname \"host\" drop\n"
	    "oifname \"lo\" accept\n"
	    "ct state established,related accept\n"
	    "ip daddr vmap @ingress\n");
	fw_add_chain(b, "to-eni",
	    "type filter hook postrouting priority 150; policy drop;");
	buf_add_str(&b->text,
	    "iifname \"lo\" accept\n"
	    "ct state established,related accept\n");
	fw_add_chain(b, "to-router",
	    "type filter hook input priority 0; policy drop;");
	buf_add_str(&b->text, "dnat to ip daddr map @private-of\n");
	fw_add_chain(b, "to-private",
	    "type nat hook prerouting priority -100; policy accept;");
	fw_put_nat_rules(&b->text, b->v);
	buf_add_str(&b->text,
	    "oifname \"host\" snat to ip saddr map @public-of\n"
	    "ct status dnat snat to ip saddr map @public-of\n");
	fw_add_chain(b, "to-public",
	    "type nat hook postrouting priority 100; policy accept;");
	add_set(b, "egress", FW_CHAIN_MAP);
	add_set(b, "ingress", FW_CHAIN_MAP);
	add_set(b, "mapped", FW_ADDRS);
	add_set(b, "private-of", FW_ADDR_MAP);
	add_set(b, "public", FW_ADDRS);
	add_set(b, "public-of", FW_ADDR_MAP);
}

static void
build_group(struct builder *b, const struct net_group *g)
{
	for (size_t i = 0; i < g->n_rules; i++)
		if (g->rules[i].egress)
			put_rule(&b->text, &g->rules[i]);
	fw_add_chain(b, arena_fmt(b->a, "out-%.*s", SPAN_ARG(g->id)), NULL);
	for (size_t i = 0; i < g->n_rules; i++)
		if (!g->rules[i].egress)
			put_rule(&b->text, &g->rules[i]);
	fw_add_chain(b, arena_fmt(b->a, "in-%.*s", SPAN_ARG(g->id)), NULL);
}

/* A set for each group that a rule names, whether it is listed or not. */
static void
build_members(struct builder *b)
{
	struct span *names = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < b->v->n_groups; i++)
		cap += b->v->groups[i].n_rules;
	names = arena_array(b->a, struct span, cap);
	for (size_t i = 0; i < b->v->n_groups; i++) {
		const struct net_group *g = &b->v->groups[i];
		for (size_t k = 0; k < g->n_rules; k++)
			if (g->rules[k].group.n > 0)
				names[n++] = g->rules[k].group;
	}
	if (n > 1)
		qsort(names, n, sizeof(*names), by_span);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !span_eq(names[i], names[i - 1]))
			add_set(b, arena_str(b->a, names[i]), FW_ADDRS);
}

static bool
group_listed(const struct builder *b, struct span id)
{
	struct net_group key = {.id = id};
	return bsearch(&key, b->groups, b->v->n_groups, sizeof(key),
	    by_group_id) != NULL;
}

/* Several groups: a chain that asks each, shared by all interfaces that have
 * the same ones.  Made by the first. */
static const char *
shared_chain(struct builder *b, const char *way, struct span *ids, size_t n)
{
	struct buf *t = &b->text;
	for (size_t i = 0; i < n; i++)
		buf_addf(t, "jump %s-%.*s\n", way, SPAN_ARG(ids[i]));
	const char *name = arena_fmt(b->a, "%s-all-%.16s", way,
	    sha256_hex(b->a, buf_span(t)));
	for (size_t i = b->fw->n_chains; i-- > 0;)
		if (strcmp(b->fw->chains[i].name, name) == 0) {
			buf_clear(t);
			return b->fw->chains[i].name;
		}
	fw_add_chain(b, name, NULL);
	return name;
}

/* The chain of an interface with these groups; NULL: nothing is allowed. */
static const char *
chain_of(struct builder *b, const char *way, const struct net_eni *e)
{
	struct span ids[NET_MAX_ENI_GROUPS];
	size_t n = 0;
	for (size_t i = 0; i < e->n_groups && n < NET_MAX_ENI_GROUPS; i++)
		if (group_listed(b, e->groups[i]))
			ids[n++] = e->groups[i];
	if (n == 0)
		return NULL;
	qsort(ids, n, sizeof(*ids), by_span);
	if (n == 1)
		return arena_fmt(b->a, "%s-%.*s", way, SPAN_ARG(ids[0]));
	return shared_chain(b, way, ids, n);
}

static void
add_to(struct builder *b, const char *set, struct fw_elem e)
{
	struct fw_set *s = fw_find_set(b->fw, set);
	if (s)
		add_elem(b->a, s, e);
}

static void
build_eni(struct builder *b, const struct net_eni *e)
{
	const char *out = chain_of(b, "out", e);
	const char *in = chain_of(b, "in", e);
	if (out)
		add_to(b, "egress", (struct fw_elem){e->addr, 0, out});
	if (in)
		add_to(b, "ingress", (struct fw_elem){e->addr, 0, in});
	for (size_t i = 0; i < e->n_groups; i++)
		add_to(b, arena_str(b->a, e->groups[i]),
		    (struct fw_elem){e->addr, 0, NULL});
	if (!e->public_addr || !e->internet)
		return;
	add_to(b, "mapped", (struct fw_elem){e->addr, 0, NULL});
	add_to(b, "public", (struct fw_elem){e->public_addr, 0, NULL});
	add_to(b, "public-of",
	    (struct fw_elem){e->addr, e->public_addr, NULL});
	add_to(b, "private-of",
	    (struct fw_elem){e->public_addr, e->addr, NULL});
}

struct fw *
fw_build(struct arena *a, const struct net_vpc *v)
{
	struct builder b = {.a = a, .v = v, .text = BUF_INIT};
	b.fw = arena_new_of(a, struct fw);
	b.groups = arena_array(a, struct net_group, v->n_groups);
	if (v->n_groups > 0) {
		memcpy(b.groups, v->groups, v->n_groups * sizeof(*b.groups));
		qsort(b.groups, v->n_groups, sizeof(*b.groups), by_group_id);
	}
	build_base(&b);
	fw_build_paths(&b);
	build_members(&b);
	qsort(b.fw->sets, b.fw->n_sets, sizeof(*b.fw->sets), by_set_name);
	for (size_t i = 0; i < v->n_groups; i++)
		if (i == 0 || !span_eq(b.groups[i].id, b.groups[i - 1].id))
			build_group(&b, &b.groups[i]);
	for (size_t i = 0; i < v->n_enis; i++)
		build_eni(&b, &v->enis[i]);
	for (size_t i = 0; i < b.fw->n_sets; i++)
		sort_elems(&b.fw->sets[i]);
	qsort(b.fw->chains, b.fw->n_chains, sizeof(*b.fw->chains),
	    by_chain_name);
	buf_done(&b.text);
	return b.fw;
}
