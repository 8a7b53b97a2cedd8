/*
 * Time zones of the IANA database, as the system has it in /usr/share/zoneinfo
 * (RFC 9636, and POSIX's TZ for what comes after the last transition).  libc
 * reads them, too, but keeps the zone it works with in one place for the whole
 * process; here any number of zones is in use at the same time.
 *
 * Seconds are those since 1970.  A local time is the seconds that the same
 * clock reading has in UTC.
 */
#pragma once

#include "base/span.h"
#include "base/util.h"

struct tz;

/* "Europe/London"; "" is UTC.  NULL: there is no such zone. */
struct tz *tz_open(struct span name);
/* The bytes of a zone's file; NULL: they are none. */
struct tz *tz_parse(struct span bytes);
void tz_free(struct tz *z);	/* NULL is fine */
void tz_free_p(struct tz **z);
#define _cleanup_tz_ _cleanup_(tz_free_p)

/* Seconds east of UTC at an instant. */
int64_t tz_offset(const struct tz *z, int64_t utc);
/* The first instant at which clocks show a local time.  False when they skip
 * it; *ret is then the instant at which they would have shown it. */
bool tz_utc(const struct tz *z, int64_t local, int64_t *ret);

/* The Gregorian calendar; days are counted from 1970-01-01, a Thursday. */
#define DAY_S 86400
int64_t date_days(int64_t year, int month, int day);
void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int date_month_length(int64_t year, int month);
int date_weekday(int64_t days); /* 0 is Sunday */
/* The day that an instant, or a local time, is in. */
int64_t date_of_second(int64_t s);
