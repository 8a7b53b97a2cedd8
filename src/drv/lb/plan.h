/* What the runtime API must be told so that servers are as wanted.  Pure. */
#pragma once

#include "drv/lb/lb.h"

/* Command lines, one a string; several commands in a line are one step.  dir:
 * the proxy's folder, for the list of those that leave sticky clients. */
struct doc *lb_plan(struct arena *a, const char *dir,
    const struct lb_target *want, size_t n_want, const struct lb_server *have,
    size_t n_have);
