/*
 * Control groups: /neargate-<instance>/<task>/<container> in every v1
 * hierarchy, or in the one of v2.  The task's group carries the hard limits of
 * all its containers together: a quota of cpu (1024 units are one processor in
 * every 100 ms) and memory without swap.  crun makes the container's own group
 * below and sets its limits.  The instance's group weighs as many processors as
 * the host has.  Both are open to everybody, so that neargated can read what
 * tasks use.
 */
#pragma once

#include "warden/host.h"

enum cgroup_mode cgroup_mode(void);
/* As OCI's cgroupsPath: "/neargate-ng0/<task>/<container>". */
char *cgroup_path(struct arena *a, const struct host *h, struct span task,
    struct span container);
/* Makes the task's group; limits of 0 are none.  Where the root of v2 is not
 * the host's (in a container), its processes go to the group /init first and
 * stay there: the kernel wants them in leaves. */
int cgroup_task_make(const struct host *h, struct span task, uint64_t memory,
    uint32_t cpu);
/*
 * Moving a process into a control group costs an RCU grace period, 5 to 20 ms,
 * during which no group can be made either, unless some hierarchy favours such
 * changes; then none does, on the whole host, and forks cost a little more.
 * Between these two one does, where the kernel (from 6.0) knows how and lets us.
 * End also for a warden that was killed, with moves_fd -1.
 */
void cgroup_moves_begin(struct host *h);
void cgroup_moves_end(struct host *h);
/* Beside v1: an empty hierarchy of this name that favours changes, mounted
 * nowhere, until the descriptor is closed everywhere; instances hold one
 * together.  -1: there is none. */
int cgroup_hold_hierarchy(const char *name);
/* The file in which the kernel counts OOM kills of the container. */
char *cgroup_oom_file(struct arena *a, const struct host *h, struct span task,
    struct span container);
/* Kills what is in it and below, then removes it; container empty: the
 * task's; both empty: all of the instance.  Not there: success. */
int cgroup_remove(const struct host *h, struct span task,
    struct span container);
