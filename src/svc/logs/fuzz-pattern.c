/* Fuzzes filter patterns: the first line is the pattern, the rest a message. */
#include "svc/logs/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span rest = span_make((const char *)data, size);
	struct span text = span_cut(&rest, '\n'), why = SPAN_NULL;
	struct pattern *p;

	if (text.n > 1024)
		return 0;
	if (pattern_parse(a, text, &p, &why) == 0)
		pattern_match(p, rest);
	else if (why.n == 0)
		WRONG("refused without a reason");
	return 0;
}
