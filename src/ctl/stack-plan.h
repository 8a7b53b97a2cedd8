/* What may be done next in a graph of resources.  Pure. */
#pragma once

#include "base/arena.h"

enum stack_item_state { ITEM_TODO, ITEM_BUSY, ITEM_DONE, ITEM_FAILED };

struct stack_item {
	enum stack_item_state state;
	const size_t *deps; /* indexes of what must be done before it */
	size_t n_deps;
};

struct stack_plan {
	size_t *start; /* items that may begin now, in their order */
	size_t n;
	bool done;   /* every item is */
	bool failed; /* one has failed, and nothing more will come of it */
};

/*
 * thorough: a failure stops only what needs the failed item (deletion), and
 * the plan has failed when nothing is busy and nothing can begin.  Without it
 * (creation, update) nothing begins after a failure, and the plan has failed
 * at once: what is busy is cancelled.
 */
struct stack_plan stack_plan(struct arena *a, const struct stack_item *items,
    size_t n, bool thorough);
