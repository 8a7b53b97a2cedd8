/* Success codes of health checks. */
#include "svc/elbv2/elbv2.h"

static bool
code_ok(struct span s, uint64_t *ret)
{
	return s.n == 3 && span_u64(s, ret) && *ret >= 200 && *ret <= 499;
}

bool
matcher_ok(struct span s)
{
	struct span rest = s, one, low;
	uint64_t lo, hi;

	if (!s.n)
		return false;
	while (rest.p) {
		one = span_cut(&rest, ',');
		low = span_cut(&one, '-');
		if (!code_ok(low, &lo))
			return false;
		if (one.p && (!code_ok(one, &hi) || hi < lo))
			return false;
	}
	return true;
}
