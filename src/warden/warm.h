/*
 * Moving a process into a control group costs an RCU grace period, 5 to 20 ms,
 * unless another move was made in the last moments.  The runtime makes such a
 * move a few milliseconds after we hear of a container: so at once, and in a
 * thread of its own, we move ourselves to where we are, which changes nothing
 * and lets the grace period pass meanwhile.
 */
#pragma once

#include "warden/host.h"

int warm_new(struct host *h);
void warm_free(struct host *h);
/* A move is to be expected soon. */
void warm_up(struct host *h);
/* It stays warm from begin to end, which nest. */
void warm_begin(struct host *h);
void warm_end(struct host *h);
/* The file below root through which a process with this /proc/self/cgroup is
 * moved to where it is; NULL: none. */
char *warm_path(struct arena *a, const char *root, enum cgroup_mode mode,
    struct span self);
