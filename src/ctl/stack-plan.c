/* What may be done next in a graph of resources. */
#include "ctl/stack-plan.h"

static bool
ready(const struct stack_item *items, size_t i)
{
	for (size_t d = 0; d < items[i].n_deps; d++)
		if (items[items[i].deps[d]].state != ITEM_DONE)
			return false;
	return true;
}

struct stack_plan
stack_plan(struct arena *a, const struct stack_item *items, size_t n,
    bool thorough)
{
	struct stack_plan p = {.start = arena_array(a, size_t, n + 1)};
	size_t done = 0, busy = 0, failed = 0;

	for (size_t i = 0; i < n; i++) {
		done += items[i].state == ITEM_DONE;
		busy += items[i].state == ITEM_BUSY;
		failed += items[i].state == ITEM_FAILED;
	}
	p.done = done == n;
	if (failed && !thorough) {
		p.failed = true;
		return p;
	}
	for (size_t i = 0; i < n; i++)
		if (items[i].state == ITEM_TODO && ready(items, i))
			p.start[p.n++] = i;
	p.failed = failed && !busy && !p.n;
	return p;
}
