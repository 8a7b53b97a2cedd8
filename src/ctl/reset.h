/*
 * The end of all that runs: every container, proxy (but the edge) and network
 * of the instance.  The controllers are stopped before (ctl_stop()); the one
 * who asked empties the store and starts them afterwards.
 */
#pragma once

#include "ctl/ctl.h"

struct ctl_reset;

/* Calls done once, from the loop, and is gone then.  What cannot be ended is
 * logged. */
struct ctl_reset *ctl_reset_new(const struct ctl_env *env,
    void (*done)(void *ctx), void *ctx);
/* done will not be called; what is asked for already is.  NULL is fine. */
void ctl_reset_cancel(struct ctl_reset *r);
