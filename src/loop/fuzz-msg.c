/* Frames between our processes: the reader takes a field of each kind in
 * turn, as the bytes say. */
#include "loop/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *copy = xmalloc(n ? n : 1);
	struct span in = span_make(copy, n);
	struct msg_reader r;
	uint64_t serial;
	uint16_t type;
	size_t count;

	if (n)
		memcpy(copy, p, n);
	while (msg_next(&in, &type, &serial, &r) == 1) {
		for (int i = 0; i < 16; i++) {
			switch (type >> i & 3) {
			case 0:
				msg_u32(&r);
				break;
			case 1:
				msg_u64(&r);
				break;
			case 2:
				msg_span(&r);
				break;
			case 3:
				msg_spans(&r, a, 100, &count);
				AN(count <= 100);
				break;
			}
		}
		msg_ok(&r);
	}
	return 0;
}
