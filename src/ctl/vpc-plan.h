/*
 * From what the store says of one VPC to what the network shall be: pure.
 *
 * AWS: a public address works when an internet gateway is attached and the
 * subnet's route table (its own, or the VPC's main one) leads there.
 * docs.aws.amazonaws.com/vpc/latest/userguide/VPC_Internet_Gateway.html
 */
#pragma once

#include "drv/net/net.h"
#include "store/store.h"

struct vpc_facts {
	const struct res *vpc;
	struct res_list subnets, enis, groups, tables, gateways, acls, nats;
	struct res_list *rules; /* one for each of groups */
};

struct vpc_plan {
	struct net_vpc net;
	/* Interfaces and NAT gateways that are in net but not known to be up. */
	int64_t *fresh;
	size_t n_fresh;
	/* NAT gateways that are to go and not known to have gone. */
	int64_t *gone;
	size_t n_gone;
	/* Interfaces whose spec cannot be made, and why. */
	struct vpc_fault {
		int64_t row;
		const char *why;
	} *faults;
	size_t n_faults;
};

/* An interface without a Netns has no owner yet and is left out. */
struct vpc_plan *vpc_plan(struct arena *a, const struct vpc_facts *f);

/* vpc-path.c */
void vpc_plan_paths(struct arena *a, const struct vpc_facts *f,
    struct vpc_plan *p);
bool vpc_has_gateway(const struct vpc_facts *f);
/* "tcp", "6" or "-1".  False: nothing that exists here. */
bool vpc_proto(struct span s, int *ret);
