/* Names and values of records: the first byte picks the type. */
#include "svc/route53/name.h"
#include "svc/route53/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = {"A", "AAAA", "CAA", "CNAME", "DS",
		"HTTPS", "MX", "NAPTR", "SOA", "SRV", "SSHFP", "TLSA", "TXT"};
	_cleanup_arena_ struct arena *a = arena_new();
	struct span text, why, once, twice;

	if (n == 0)
		return 0;
	text = span_make((const char *)p + 1, n - 1);
	rdata_check(a, span_of(types[p[0] % ARRAY_SIZE(types)]), text, &why);
	if (name_canonical(a, text, &once) != NAME_OK)
		return 0;
	/* A canonical name is its own canonical form, and has one key. */
	AZ(name_canonical(a, once, &twice));
	AN(span_eq(once, twice));
	AN(name_key(a, once).n > 0 || span_is(once, "."));
	AN(name_within(once, once));
	return 0;
}
