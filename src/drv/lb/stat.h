/* What HAProxy says of its servers: the CSV of `show stat`.  Pure. */
#pragma once

#include "drv/lb/lb.h"

/* Servers of groups ("tg-…") in text; negative when it is not that CSV. */
int lb_stat_parse(struct arena *a, struct span text, struct lb_server **ret,
    size_t *ret_n);
/* The same of groups, with what was sent to each. */
int lb_stat_counts(struct arena *a, struct span text, struct lb_count **ret,
    size_t *ret_n);
