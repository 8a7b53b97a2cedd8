/* A VPC from strange bytes: what is refused is refused by name, and what is
 * taken becomes lines that nft knows, whatever the names in it. */
#include "warden/net-fw.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check_line(struct span line)
{
	static const char *const verbs[] = {"add ", "delete ", "table "};
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		known |= span_starts(line, span_of(verbs[i]));
	AN(known);
	for (size_t i = 0; i < line.n; i++)
		AN(line.p[i] >= ' ' && line.p[i] < 127 && line.p[i] != '#');
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf script = BUF_INIT, again = BUF_INIT;
	struct msg_reader m = {.rest = span_make((const char *)p, n)};
	struct net_vpc v;
	struct span why = SPAN_NULL, rest;

	if (!net_get_vpc(&m, a, &v, &why)) {
		AN(why.n > 0);
		return 0;
	}
	net_put_vpc(&again, &v);
	AN(span_eq(buf_span(&again), span_make((const char *)p, n)));
	fw_script(&script, fw_diff(a, NULL, fw_build(a, &v)), true);
	rest = buf_span(&script);
	while (rest.n > 0)
		check_line(span_cut(&rest, '\n'));
	return 0;
}
