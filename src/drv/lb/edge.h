/*
 * The host's edge: HAProxy on loopback that sends a connection on by the name
 * its request asks for.  Pure.
 *
 * A host's name is looked up in hosts.map, which the runtime API changes; the
 * load balancer's own listener decides everything else.  The client's address
 * travels in a PROXY v2 header.
 */
#pragma once

#include "drv/lb/lb.h"

/* Like lb_render(): the digest covers all but the hosts. */
void lb_edge_render(struct arena *a, const struct lb_edge *c, const char *dir,
    struct buf *ret_text, struct span *ret_digest);
/* "name address\n" lines. */
struct span lb_edge_map(struct arena *a, const struct lb_edge *c);
/* Commands that make the answer of `show map` be so. */
struct doc *lb_edge_plan(struct arena *a, const char *dir,
    const struct lb_edge *c, struct span shown);
