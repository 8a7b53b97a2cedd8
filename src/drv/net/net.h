/*
 * The network driver: VPC routers, interfaces, firewalls, public addresses.
 * All calls are asynchronous and idempotent (they say how things shall be);
 * callbacks run on the loop thread, never before the call returned.
 *
 * A VPC is a namespace that routes.  An ENI is a veth pair between a VPC and
 * the namespace of its owner ("task-<id>", "lb-<id>"), which the first ENI in
 * it creates.  Every packet between two ENIs passes the VPC's firewall:
 * egress rules of the sender's groups, then ingress rules of the receiver's.
 * Connections are tracked: answers pass.  A public address is one of the
 * instance's pool on the host and mapped one to one onto the ENI's private
 * address; without one there is no way to or from outside the VPC.
 */
#pragma once

#include "base/arena.h"

struct net;

struct net_cidr {
	uint32_t addr; /* host byte order */
	uint8_t len;
};

struct net_eni {
	struct span id;		/* "eni-0123456789abcdef0" */
	struct span vpc;	/* "vpc-..." */
	struct span netns;	/* owner's namespace */
	uint32_t addr;		/* private, host byte order */
	struct net_cidr subnet; /* prefix of the interface, gateway is base+1 */
	unsigned char mac[6];
	uint32_t public_addr;	/* 0: none */
	bool internet;		/* the subnet's route table leads 0.0.0.0/0 to an
				   internet gateway: public_addr works */
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

/* The whole wanted state of one VPC. */
struct net_vpc {
	struct span id;
	const struct net_cidr *cidrs;
	size_t n_cidrs;
	const struct net_eni *enis;
	size_t n_enis;
	const struct net_group *groups;
	size_t n_groups;
};

typedef void (*net_cb)(void *ctx, int err, struct span why);

struct net_ops {
	/* Makes the VPC be as told: creates what is missing, removes what is
	 * not listed, replaces the firewall in one transaction.  done runs when
	 * all of it holds. */
	void (*vpc_sync)(struct net *n, const struct net_vpc *v, net_cb cb,
	    void *ctx);
	void (*vpc_remove)(struct net *n, struct span vpc, net_cb cb, void *ctx);
	/* VPC ids that exist on this host, to find leftovers: ids are given as
	 * a space-separated list in `why` of cb. */
	void (*list)(struct net *n, net_cb cb, void *ctx);
	void (*free)(struct net *n);
};

struct net {
	const struct net_ops *ops;
};

struct warden;
struct net *net_warden_new(struct warden *w);
struct net *net_fake_new(void);
