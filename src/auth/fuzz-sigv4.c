/* Fuzzes the reader of signatures: lines of a request, then the check. */
#include "auth/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span in = span_make((const char *)data, size), why = SPAN_NULL;
	struct wire_header h[16];
	struct sigv4_request r = {.method = SPAN("GET"), .headers = h};
	struct span target = span_cut(&in, '\n');
	struct sigv4 s;

	r.path = span_cut(&target, '?');
	r.query = target;
	while (in.p && r.n_headers < ARRAY_SIZE(h)) {
		struct span line = span_cut(&in, '\n');

		h[r.n_headers].name = span_cut(&line, ':');
		h[r.n_headers++].value = line;
	}
	if (sigv4_read(a, &r, &s, &why) == SIGV4_OK)
		sigv4_check(a, &r, &s, SPAN("secret"), in, s.at, &why);
	return 0;
}
