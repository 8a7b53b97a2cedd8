/* What tests may do with the network that net_fake_new() makes. */
#pragma once

#include "drv/net/net.h"

/* From now on calls fail with err (negative); 0: they succeed again. */
void net_fake_fail(struct net *n, int err);
/* Calls of vpc_sync, vpc_remove and list so far. */
size_t net_fake_calls(struct net *n);
/* Runs the callbacks of all calls made before; how many. */
size_t net_fake_answer(struct net *n);
/* What the VPC was last told to be; false: there is none. */
bool net_fake_vpc(struct net *n, struct arena *a, struct span id,
    struct net_vpc *ret);
