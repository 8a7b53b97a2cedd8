/* Fuzzes the records of container output, cut into pieces at any place. */
#include "ctl/logs-join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(join_done) struct join j = {0};
	struct span in = span_make((const char *)data, size);
	struct join_events e = {0};
	size_t half = size / 2, used = join_add(&j, a, span_to(in, half), &e);

	AN(used <= half);
	join_add(&j, a, span_from(in, used), &e);
	join_end(&j, a, &e);
	for (size_t i = 0; i < e.n; i++)
		AN(e.v[i].message.n > 0 && e.v[i].message.n <= JOIN_MAX);
	return 0;
}
