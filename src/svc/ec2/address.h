/*
 * Which address comes next: of a subnet for an interface's private one, of the
 * installation's pool for its public one.  A counter moves forward through the
 * block, so that an address just given up is not soon another's.
 */
#pragma once

#include "base/cidr.h"

/* A block and how many of its first and last addresses are not given out.
 * AWS: four and one of every subnet. */
struct address_block {
	struct cidr cidr;
	uint32_t low, high;
};

/* How many addresses there are to give. */
uint64_t address_count(const struct address_block *b);
/* The n-th (from 0), round and round. */
uint32_t address_nth(const struct address_block *b, uint64_t n);
/* May this one be given out? */
bool address_usable(const struct address_block *b, uint32_t addr);
/* "02:..", made of the first ten digits of an interface's id. */
struct span address_mac(struct arena *a, struct span eni);
/* "ip-10-0-0-1.ec2.internal", or ".REGION.compute.internal" */
struct span address_private_name(struct arena *a, struct span region,
    struct span addr);
/* "ec2-198-18-0-1.compute-1.amazonaws.com", or ".REGION.compute..." */
struct span address_public_name(struct arena *a, struct span region,
    struct span addr);
