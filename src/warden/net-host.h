/*
 * The host's part of the network: forwarding, one nft table named after the
 * instance, the pool of public addresses.
 *
 * Kept in /run/neargate-net: a file for each instance with its pool, locked
 * while its warden lives, and "ip-forward-was-off" when we switched it on.
 */
#pragma once

#include "warden/net.h"

/* The instance's pool: 198.18.0.0/16 for "ng0", for others a /22 of
 * 198.19.0.0/16 that no other instance holds.  The same again after a
 * restart.  *ret_fd keeps the claim. */
int net_host_pool(const char *instance, struct net_cidr *ret, int *ret_fd);
/* The nft script of the host's table. */
void net_host_script(struct buf *b, const char *instance,
    struct net_cidr pool);
int net_host_up(const char *instance, struct net_cidr pool);
/* Takes the table and the pool back, and forwarding if it was off before the
 * first instance came and this is the last. */
int net_host_down(const char *instance);
