/*
 * The name servers that tasks use: the host's own, as long as a VPC has no
 * resolver.  Those on loopback are out of a task's reach; where
 * systemd-resolved listens there, its upstream servers are taken, else there
 * are none, and a task then resolves what is in its /etc/hosts only.
 */
#pragma once

#include "base/arena.h"

enum { RESOLVER_MAX = 3 }; /* resolv.conf(5): MAXNS */

/* The IPv4 servers of a resolv.conf that are not on loopback; at most
 * RESOLVER_MAX.  They borrow from text. */
struct span *resolver_parse(struct arena *a, struct span text, size_t *ret_n);
/* Reads the host's files, below root ("" for the real one). */
struct span *resolver_of_host(struct arena *a, const char *root,
    size_t *ret_n);
