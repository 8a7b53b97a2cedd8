/* Clocks and the date forms of AWS's protocols. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static int64_t faked;

int64_t
clock_ms(void)
{
	struct timespec ts;

	if (faked)
		return faked;
	AZ(clock_gettime(CLOCK_REALTIME, &ts));
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	AZ(clock_gettime(CLOCK_MONOTONIC, &ts));
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
clock_fake(int64_t ms)
{
	faked = ms;
}

/* strftime with C-locale names: the program never calls setlocale(). */
static char *
format(struct arena *a, int64_t ms, const char *fmt)
{
	time_t t = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
	char *p = arena_alloc(a, 40);
	struct tm tm;

	AN(gmtime_r(&t, &tm));
	AN(strftime(p, 40, fmt, &tm));
	return p;
}

char *
clock_iso(struct arena *a, int64_t ms, bool millis)
{
	char *p;

	if (!millis)
		return format(a, ms, "%Y-%m-%dT%H:%M:%SZ");
	p = format(a, ms, "%Y-%m-%dT%H:%M:%S");
	return arena_fmt(a, "%s.%03dZ", p, (int)(((ms % 1000) + 1000) % 1000));
}

char *
clock_http(struct arena *a, int64_t ms)
{
	return format(a, ms, "%a, %d %b %Y %H:%M:%S GMT");
}

char *
clock_basic(struct arena *a, int64_t ms)
{
	return format(a, ms, "%Y%m%dT%H%M%SZ");
}

/* Parses with fmt; returns what follows, or NULL. */
static const char *
parse(const char *text, const char *fmt, int64_t *ret_ms)
{
	struct tm tm = {0};
	const char *rest = strptime(text, fmt, &tm);

	if (!rest)
		return NULL;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return rest;
}

static bool
parse_zone(const char *p, int64_t *ms)
{
	int h, m, used = 0;

	if (p[0] == 'Z' || p[0] == 'z')
		return p[1] == '\0';
	if ((p[0] != '+' && p[0] != '-') ||
	    sscanf(p + 1, "%2d:%2d%n", &h, &m, &used) != 2 || used != 5 ||
	    p[6] != '\0')
		return false;
	*ms += (p[0] == '+' ? -1 : 1) * (int64_t)(h * 60 + m) * 60000;
	return true;
}

bool
clock_parse_iso(struct span s, int64_t *ret_ms)
{
	_cleanup_free_ char *text = xstrndup(s.p, s.n);
	const char *p = parse(text, "%Y-%m-%dT%H:%M:%S", ret_ms);
	int64_t scale = 100;

	if (!p || s.n > 64)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			*ret_ms += (*p - '0') * scale;
	return parse_zone(p, ret_ms);
}

bool
clock_parse_http(struct span s, int64_t *ret_ms)
{
	_cleanup_free_ char *text = xstrndup(s.p, s.n);
	const char *p = parse(text, "%a, %d %b %Y %H:%M:%S", ret_ms);
	int64_t scale = 100;

	if (!p)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			*ret_ms += (*p - '0') * scale;
	return strcmp(p, " GMT") == 0;
}

bool
clock_parse_basic(struct span s, int64_t *ret_ms)
{
	_cleanup_free_ char *text = xstrndup(s.p, s.n);
	const char *p = parse(text, "%Y%m%dT%H%M%SZ", ret_ms);

	return p && *p == '\0' && s.n == 16;
}
