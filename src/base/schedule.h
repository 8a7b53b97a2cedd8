/*
 * Schedule expressions of Application Auto Scaling and EventBridge:
 *
 *	at(2026-11-26T22:00:00)
 *	rate(5 minutes)
 *	cron(minutes hours day-of-month month day-of-week year)
 *
 * https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 *
 * Fields of cron are lists of values, ranges and steps ("5", "MON-FRI", "*",
 * "0/15", "8-18/2"); a range may go round ("FRI-MON"), but for years.  One of
 * the two fields for days, and only one, is "?".  Days of the month also know
 * L (the last), LW (its last weekday) and nW (the weekday nearest to n, in the
 * same month); days of the week, 1-7 or SUN-SAT, L (Saturday), nL (the last n
 * of the month) and n#k (its k-th n).
 *
 * All of it is pure: no clock, no zone but the given one.
 */
#pragma once

#include "base/span.h"
#include "base/tz.h"

#define SCHEDULE_YEAR_MIN 1970
#define SCHEDULE_YEAR_MAX 2199

enum schedule_type { SCHEDULE_AT, SCHEDULE_RATE, SCHEDULE_CRON };

struct schedule {
	enum schedule_type type;
	int64_t at;	  /* SCHEDULE_AT: local time */
	int64_t every;	  /* SCHEDULE_RATE: seconds */
	/* SCHEDULE_CRON: sets, bit n for the value n. */
	uint64_t minutes, hours, days, months;
	uint64_t years[4];	/* bit n: 1970 + n */
	bool by_week;		/* days of the week count, not of the month */
	bool last, last_weekday; /* of the month */
	uint64_t nearest;	/* nW */
	uint64_t weekdays;	/* 1 is Sunday */
	uint64_t last_weekdays; /* nL */
	uint64_t nth[8];	/* n#k: bit k of nth[n] */
};

bool schedule_parse(struct span text, struct schedule *ret);

/*
 * The first time after `after` at which s is due; false: there is none.  Local
 * times that clocks skip in spring are left out, those that they show twice in
 * autumn count once, the first time; see the second page above.  A rate counts
 * from start, which is its first time; at and cron begin there, too.
 */
bool schedule_next(const struct schedule *s, const struct tz *z,
    int64_t start, int64_t after, int64_t *ret);
/* The last time in (after, now], for one that was asleep meanwhile: a minute's
 * schedule is then due once, not many times. */
bool schedule_missed(const struct schedule *s, const struct tz *z,
    int64_t start, int64_t after, int64_t now, int64_t *ret);
