/*
 * The VPCs of this instance on this host: wanted state in, system calls out.
 *
 * The kernel is the memory: an interface's outer end carries, as its alias,
 * what it was made from, set last.  So a warden that starts finds what stands
 * and leaves it alone, and what a crash left half-built has no alias and is
 * made anew.  Firewalls are compared with what this process applied; its first
 * sync of a VPC replaces all of it in one transaction.
 */
#pragma once

#include "warden/net.h"

struct nets;

/* Adopts what is there; removes owners' namespaces that no interface uses. */
int nets_new(const char *instance, struct net_cidr pool, struct nets **ret);
void nets_free(struct nets *n);
/* A second call with the same v does nothing. */
int nets_sync(struct nets *n, const struct net_vpc *v);
int nets_remove(struct nets *n, struct span vpc);
/* Ids in the arena. */
struct span *nets_list(struct nets *n, struct arena *a, size_t *ret_n);
/* Every namespace with a name of ours, whatever is in it: the last resort. */
int nets_sweep(const char *instance);
/* All VPCs; goes on after a failure and returns the first. */
int nets_clean(struct nets *n);
