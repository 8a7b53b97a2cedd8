/* HAProxy's CSV of `show stat`. */
#include "drv/lb/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *copy = xmalloc(n ? n : 1);
	struct lb_server *v;
	struct lb_count *counts;
	size_t count;

	if (n)
		memcpy(copy, p, n);
	lb_stat_parse(a, span_make(copy, n), &v, &count);
	lb_stat_counts(a, span_make(copy, n), &counts, &count);
	return 0;
}
