/*
 * The network's part of the warden protocol: what a VPC shall be, as typed
 * values, and the messages that carry it.  drv/net/net.h is the face of the
 * same things for controllers.
 *
 * A VPC is sent whole; the warden compares it with what is there and does the
 * least.  Nothing in it becomes text for a privileged program unless it is a
 * number, an address, or an id that net_get_vpc() has checked.
 */
#pragma once

#include "base/arena.h"
#include "loop/msg.h"
#include "warden/proto.h"

enum net_msg {
	/* The VPC as net_put_vpc() writes it -> nothing.  Answered when all of
	 * it holds. */
	WARDEN_NET_VPC_SYNC = WARDEN_NET_FIRST,
	/* span vpc id.  One that is not there: success. */
	WARDEN_NET_VPC_REMOVE,
	/* -> span[] ids of the VPCs that exist on this host */
	WARDEN_NET_LIST,
	/* Everything of this instance but the host's own part goes: reset. */
	WARDEN_NET_CLEAN,
	/* -> u32 address, u32 prefix length of the public pool */
	WARDEN_NET_POOL,
};

/* Bounds that net_get_vpc() enforces. */
enum {
	NET_MAX_CIDRS = 16,
	NET_MAX_ENIS = 8192,
	NET_MAX_GROUPS = 2500,
	NET_MAX_RULES = 1000,	/* of one group */
	NET_MAX_ENI_GROUPS = 16, /* AWS: at most 16 groups an interface */
	NET_MAX_SUBNETS = 500,
	NET_MAX_TABLES = 500,
	NET_MAX_ROUTES = 1000,	/* of one table */
	NET_MAX_ACLS = 500,
	NET_MAX_ACL_RULES = 80, /* AWS: up to 40 a direction */
	NET_MAX_NATS = 64
};

struct net_cidr {
	uint32_t addr; /* host byte order, no bits behind the prefix */
	uint8_t len;
};

struct net_eni {
	struct span id;		/* "eni-0123456789abcdef0" */
	struct span vpc;	/* "vpc-..."; not sent, the VPC's own */
	struct span netns;	/* owner's namespace: "task-<id>" */
	uint32_t addr;		/* private, host byte order */
	struct net_cidr subnet; /* prefix of the interface, gateway is base+1 */
	unsigned char mac[6];
	uint32_t public_addr;	/* 0: none */
	bool internet;		/* the VPC has an internet gateway: public_addr
				   works where its subnet's routes lead there */
	const struct span *groups; /* "sg-..." */
	size_t n_groups;
};

enum net_proto { NET_ANY = -1, NET_ICMP = 1, NET_TCP = 6, NET_UDP = 17 };

struct net_rule {
	bool egress;
	int proto;		/* IP protocol number, or NET_ANY */
	int from_port, to_port; /* -1: all; for ICMP type and code */
	struct net_cidr cidr;	/* the peer, unless group is given */
	struct span group;	/* "sg-...": the addresses of its members */
};

struct net_group {
	struct span id;
	const struct net_rule *rules;
	size_t n_rules;
};

enum net_target { NET_NOWHERE, NET_LOCAL, NET_INTERNET, NET_NAT };

struct net_route {
	struct net_cidr dst;
	enum net_target to;
	uint32_t via;		/* NET_NAT: the gateway's private address */
};

struct net_table {
	struct span id;		/* "rtb-..." */
	const struct net_route *routes; /* the most specific one decides */
	size_t n_routes;
};

struct net_acl_rule {
	struct net_rule match;	/* without a group */
	bool allow;
};

/* Rules in the order in which they are tried; what none matches is denied. */
struct net_acl {
	struct span id;		/* "acl-..." */
	const struct net_acl_rule *rules;
	size_t n_rules;
};

/* What goes from one subnet to another, or out, is led by the table of the one
 * and passes the ACLs of both, with every packet.  A table that is not listed
 * leads nowhere; an ACL that is not listed lets everything pass. */
struct net_subnet {
	struct span id;		/* "subnet-..." */
	struct net_cidr cidr;	/* those of a VPC do not overlap */
	struct span table, acl;
};

struct net_nat {
	struct span id;		/* "nat-..." */
	struct span subnet;
	uint32_t addr;		/* private, unique in the VPC, not 0 or 1 */
	uint32_t public_addr;	/* 0: a private gateway */
};

/* The whole wanted state of one VPC. */
struct net_vpc {
	struct span id;
	const struct net_cidr *cidrs;
	size_t n_cidrs;
	const struct net_eni *enis;
	size_t n_enis;
	const struct net_group *groups;
	size_t n_groups;
	const struct net_subnet *subnets;
	size_t n_subnets;
	const struct net_table *tables;
	size_t n_tables;
	const struct net_acl *acls;
	size_t n_acls;
	const struct net_nat *nats;
	size_t n_nats;
};

static inline uint32_t
net_mask(uint8_t len)
{
	return len == 0 ? 0 : ~(uint32_t)0 << (32 - len);
}

static inline bool
net_in(struct net_cidr c, uint32_t addr)
{
	return (addr & net_mask(c.len)) == c.addr;
}

/* "vpc-", "eni-", "sg-" and the like: prefix and 8 to 17 lower-case hex. */
bool net_id_ok(struct span id, const char *prefix);
/* "task-…" or "lb-…", as check_id, at most 64 bytes. */
bool net_netns_ok(struct span netns);

void net_put_vpc(struct buf *b, const struct net_vpc *v);
/* Everything is the arena's or borrowed from the frame.  False: it does not
 * decode, or breaks a form or bound above; *ret_why says which. */
bool net_get_vpc(struct msg_reader *m, struct arena *a, struct net_vpc *ret,
    struct span *ret_why);
