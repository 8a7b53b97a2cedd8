/*
 * The names by which the host's edge knows load balancers: their own, and
 * those of records in any hosted zone that lead to one, by alias or CNAME,
 * through as many other names as it takes; wildcards among them.
 *
 * Of several records with one name, the edge takes the first that leads to a
 * load balancer: the primary before the secondary, the heavier before the
 * lighter, else in Route 53's order.  It neither draws lots nor looks at
 * health checks: all its names are for one host's own use.
 */
#pragma once

#include "drv/lb/lb.h"
#include "store/store.h"

/* Fills hosts, all lower case, each name once.  *ret_more: lines "NAME
 * LOAD-BALANCER" of names that are not load balancers' own.  An address is
 * the load balancer's public one; without one it has no names. */
void edge_names(struct arena *a, const struct res_list *lbs,
    const struct res_list *records, struct lb_edge *ret,
    struct span *ret_more);
