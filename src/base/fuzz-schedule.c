/* Schedule expressions, and the files of time zones.  The first byte says
 * which of them the rest is. */
#include "base/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
expression(struct span text)
{
	static struct tz *z;
	struct schedule s;
	int64_t next, after = 1774746000; /* a spring night */

	if (!z)
		AN(z = tz_open(SPAN("Europe/London")));
	if (!schedule_parse(text, &s))
		return;
	for (int i = 0; i < 3; i++) {
		if (!schedule_next(&s, z, 0, after, &next))
			return;
		AN(next > after);
		after = next;
	}
}

static void
zone(struct span bytes)
{
	static const int64_t times[] = {INT32_MIN, -1, 0, 1774746000,
		INT32_MAX, 7258118400};
	_cleanup_tz_ struct tz *z = tz_parse(bytes);
	int64_t utc;

	for (size_t i = 0; z && i < ARRAY_SIZE(times); i++) {
		if (tz_utc(z, times[i], &utc))
			AN(utc + tz_offset(z, utc) == times[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (p[0] == 'z')
		zone(span_make((const char *)p + 1, n - 1));
	else
		expression(span_make((const char *)p + 1, n - 1));
	return 0;
}
