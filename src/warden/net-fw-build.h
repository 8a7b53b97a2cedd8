/*
 * The parts of fw_build(): what net-fw.c and net-fw-path.c share.
 *
 * net-fw.c has the firewall of interfaces and their groups; net-fw-path.c what
 * happens between subnets: network ACLs, route tables, NAT gateways.
 */
#pragma once

#include "warden/net-fw.h"

struct builder {
	struct arena *a;
	const struct net_vpc *v;
	struct net_group *groups; /* by id */
	struct fw *fw;
	size_t cap_sets, cap_chains;
	struct buf text; /* the rules of the chain that is next */
};

/* Ends the chain whose rules were written to b->text. */
void fw_add_chain(struct builder *b, const char *name, const char *hook);
void fw_put_addr(struct buf *t, uint32_t addr);
void fw_put_cidr(struct buf *t, struct net_cidr c);
/* What a rule matches, with a blank at the end. */
void fw_put_match(struct buf *t, const struct net_rule *r);

/* net-fw-path.c: the chains named after tables, ACLs, subnets and gateways, and
 * the hooks that lead there. */
void fw_build_paths(struct builder *b);
/* "{ a, b }" with the public addresses of NAT gateways; false: there are
 * none, and nothing was written. */
bool fw_put_nats(struct buf *t, const struct net_vpc *v);
/* Rules that give what leaves through a NAT gateway its address. */
void fw_put_nat_rules(struct buf *t, const struct net_vpc *v);
