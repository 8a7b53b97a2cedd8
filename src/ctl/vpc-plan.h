/*
 * From what the store says of one VPC to what the network shall be: pure.
 *
 * AWS: a public address works when the subnet's route table (its own, or the
 * VPC's main one) leads 0.0.0.0/0 to an internet gateway that is attached.
 * docs.aws.amazonaws.com/vpc/latest/userguide/VPC_Internet_Gateway.html
 */
#pragma once

#include "drv/net/net.h"
#include "store/store.h"

struct vpc_facts {
	const struct res *vpc;
	struct res_list subnets, enis, groups, tables, gateways;
	struct res_list *rules; /* one for each of groups */
};

struct vpc_plan {
	struct net_vpc net;
	/* Interfaces that are in net but not known to be up. */
	int64_t *fresh;
	size_t n_fresh;
	/* Interfaces whose spec cannot be made, and why. */
	struct vpc_fault {
		int64_t row;
		const char *why;
	} *faults;
	size_t n_faults;
};

/* An interface without a Netns has no owner yet and is left out. */
struct vpc_plan *vpc_plan(struct arena *a, const struct vpc_facts *f);
