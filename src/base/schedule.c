/* Schedule expressions: reading them, and when they are due. */
#include "base/schedule.h"
#include "base/util.h"

#define MINUTE_S 60
#define HOUR_S	 3600

/* A field of cron. */
struct field {
	int min, max;
	const char *names; /* of three letters each, for min, min + 1 and so on */
	bool round;	   /* a range may go past the end */
};

enum { MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, YEARS, FIELDS };

static const struct field fields[FIELDS] = {
	[MINUTES] = {0, 59, NULL, true},
	[HOURS] = {0, 23, NULL, true},
	[DAYS] = {1, 31, NULL, true},
	[MONTHS] = {1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", true},
	[WEEKDAYS] = {1, 7, "SUNMONTUEWEDTHUFRISAT", true},
	[YEARS] = {SCHEDULE_YEAR_MIN, SCHEDULE_YEAR_MAX, NULL, false},
};

/* --- reading ----------------------------------------------------------- */

static bool
value(const struct field *f, struct span s, int *ret)
{
	uint64_t n;

	for (int i = 0; f->names && f->names[i * 3]; i++)
		if (span_ieq(s, span_make(f->names + i * 3, 3))) {
			*ret = f->min + i;
			return true;
		}
	if (s.n > 4 || !span_u64(s, &n) || n < (uint64_t)f->min ||
	    n > (uint64_t)f->max)
		return false;
	*ret = (int)n;
	return true;
}

static void
set_bit(uint64_t *bits, int i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static bool
has_bit(const uint64_t *bits, int64_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* "5", "1-5", "*", and each of them with "/2".  bias: what bit 0 stands for. */
static bool
range(const struct field *f, struct span s, int bias, uint64_t *bits)
{
	struct span step = s, first = span_cut(&step, '/'), to = first;
	struct span from = span_cut(&to, '-');
	int a = f->min, b = f->max, span_of_all = f->max - f->min + 1;
	uint64_t by = 1;

	if (step.p && (!span_u64(step, &by) || by == 0 ||
	    by > (uint64_t)span_of_all))
		return false;
	if (!span_is(first, "*")) {
		if (!value(f, from, &a))
			return false;
		if (to.p && !value(f, to, &b))
			return false;
		if (!to.p && !step.p)
			b = a;
	}
	if (b < a && !f->round)
		return false;
	if (b < a)
		b += span_of_all;
	for (int i = a; i <= b; i += (int)by)
		set_bit(bits, f->min + (i - f->min) % span_of_all - bias);
	return true;
}

/* L, LW, nW; false: it is none of them. */
static bool
day_special(struct schedule *s, struct span item)
{
	int n;

	if (span_ieq(item, SPAN("L")))
		s->last = true;
	else if (span_ieq(item, SPAN("LW")))
		s->last_weekday = true;
	else if (item.n > 1 && span_ieq(span_from(item, item.n - 1),
	    SPAN("W")) && value(&fields[DAYS], span_to(item, item.n - 1), &n))
		s->nearest |= (uint64_t)1 << n;
	else
		return false;
	return true;
}

/* L, nL, n#k */
static bool
weekday_special(struct schedule *s, struct span item)
{
	static const struct field weeks = {1, 5, NULL, false};
	struct span nth = item, day = span_cut(&nth, '#');
	int n, k;

	if (span_ieq(item, SPAN("L"))) {
		s->weekdays |= 1 << 7;
	} else if (nth.p) {
		if (!value(&fields[WEEKDAYS], day, &n) ||
		    !value(&weeks, nth, &k))
			return false;
		s->nth[n] |= (uint64_t)1 << k;
	} else if (item.n > 1 && span_ieq(span_from(item, item.n - 1),
	    SPAN("L")) && value(&fields[WEEKDAYS], span_to(item, item.n - 1),
	    &n)) {
		s->last_weekdays |= (uint64_t)1 << n;
	} else {
		return false;
	}
	return true;
}

static bool
list(struct schedule *s, int which, struct span text)
{
	uint64_t *const sets[FIELDS] = {&s->minutes, &s->hours, &s->days,
		&s->months, &s->weekdays, s->years};

	if (text.n == 0)
		return false;
	while (text.p) {
		struct span item = span_cut(&text, ',');

		if ((which == DAYS && day_special(s, item)) ||
		    (which == WEEKDAYS && weekday_special(s, item)))
			continue;
		if (!range(&fields[which], item,
		    which == YEARS ? SCHEDULE_YEAR_MIN : 0, sets[which]))
			return false;
	}
	return true;
}

/* The next word of *s. */
static struct span
word(struct span *s)
{
	size_t i = 0;
	struct span w;

	*s = span_trim(*s);
	while (i < s->n && s->p[i] != ' ' && s->p[i] != '\t')
		i++;
	w = span_to(*s, i);
	*s = span_from(*s, i);
	return w;
}

static bool
parse_cron(struct span text, struct schedule *s)
{
	struct span f[FIELDS];
	bool any_day, any_weekday;

	for (int i = 0; i < FIELDS; i++)
		f[i] = word(&text);
	any_day = span_is(f[DAYS], "?");
	any_weekday = span_is(f[WEEKDAYS], "?");
	if (span_trim(text).n || any_day == any_weekday)
		return false;
	s->type = SCHEDULE_CRON;
	s->by_week = any_day;
	for (int i = 0; i < FIELDS; i++)
		if (!(i == DAYS && any_day) &&
		    !(i == WEEKDAYS && any_weekday) && !list(s, i, f[i]))
			return false;
	return true;
}

static bool
parse_rate(struct span text, struct schedule *s)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"minute", MINUTE_S}, {"minutes", MINUTE_S},
		{"hour", HOUR_S}, {"hours", HOUR_S},
		{"day", DAY_S}, {"days", DAY_S}};
	struct span n = word(&text), unit = word(&text);
	uint64_t v;

	if (span_trim(text).n || !span_u64(n, &v) || v == 0 || v > 1000000)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (span_is(unit, units[i].name)) {
			s->type = SCHEDULE_RATE;
			s->every = (int64_t)v * units[i].seconds;
			return true;
		}
	return false;
}

/* "2026-11-26T22:00:00": c digits at i, within bounds. */
static bool
part(struct span text, size_t i, size_t c, int min, int max, int *ret)
{
	struct field f = {min, max, NULL, false};

	return value(&f, span_to(span_from(text, i), c), ret);
}

static bool
parse_at(struct span text, struct schedule *s)
{
	int y, mo, d, h, m, sec;

	if (text.n != 19 || text.p[4] != '-' || text.p[7] != '-' ||
	    text.p[10] != 'T' || text.p[13] != ':' || text.p[16] != ':' ||
	    !part(text, 0, 4, SCHEDULE_YEAR_MIN, SCHEDULE_YEAR_MAX, &y) ||
	    !part(text, 5, 2, 1, 12, &mo) || !part(text, 8, 2, 1, 31, &d) ||
	    !part(text, 11, 2, 0, 23, &h) || !part(text, 14, 2, 0, 59, &m) ||
	    !part(text, 17, 2, 0, 59, &sec) || d > date_month_length(y, mo))
		return false;
	s->type = SCHEDULE_AT;
	s->at = date_days(y, mo, d) * DAY_S + h * HOUR_S + m * MINUTE_S + sec;
	return true;
}

bool
schedule_parse(struct span text, struct schedule *ret)
{
	static const struct {
		struct span head;
		bool (*parse)(struct span text, struct schedule *s);
	} forms[] = {{{"at(", 3}, parse_at}, {{"rate(", 5}, parse_rate},
		{{"cron(", 5}, parse_cron}};
	struct schedule s = {0};

	if (!span_ends(text, SPAN(")")))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct span head = forms[i].head;

		if (!span_starts(text, head))
			continue;
		if (!forms[i].parse(span_make(text.p + head.n,
		    text.n - head.n - 1), &s))
			return false;
		*ret = s;
		return true;
	}
	return false;
}

/* --- when -------------------------------------------------------------- */

static bool
is_weekday(int64_t day)
{
	return date_weekday(day) >= 1 && date_weekday(day) <= 5;
}

/* The weekday nearest to a day, which stays in its month. */
static int
nearest_weekday(int64_t first, int length, int day)
{
	static const int order[] = {0, -1, 1, -2, 2};

	day = MIN(day, length);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int d = day + order[i];

		if (d >= 1 && d <= length && is_weekday(first + d - 1))
			return d;
	}
	return day;
}

static bool
month_day_due(const struct schedule *s, int64_t first, int length, int day)
{
	if (has_bit(&s->days, day) || (s->last && day == length) ||
	    (s->last_weekday &&
		day == nearest_weekday(first, length, length)))
		return true;
	for (int n = 1; s->nearest && n <= length; n++)
		if (has_bit(&s->nearest, n) &&
		    day == nearest_weekday(first, length, n))
			return true;
	return false;
}

static bool
week_day_due(const struct schedule *s, int64_t first, int length, int day)
{
	int n = date_weekday(first + day - 1) + 1;

	return has_bit(&s->weekdays, n) ||
	    (has_bit(&s->last_weekdays, n) && day + 7 > length) ||
	    has_bit(&s->nth[n], (day - 1) / 7 + 1);
}

/* What a search for the next time begins with. */
struct search {
	const struct schedule *s;
	const struct tz *z;
	int64_t after; /* UTC */
	int64_t local; /* what clocks show then: all up to it has been shown, or
			* was skipped */
};

static bool
next_in_day(const struct search *q, int64_t day, int64_t *ret)
{
	const struct schedule *s = q->s;

	for (int h = 0; h < 24; h++) {
		if (!has_bit(&s->hours, h) ||
		    day * DAY_S + (h + 1) * HOUR_S <= q->local)
			continue;
		for (int m = 0; m < 60; m++)
			if (has_bit(&s->minutes, m) &&
			    tz_utc(q->z, day * DAY_S + h * HOUR_S +
				m * MINUTE_S, ret) && *ret > q->after)
				return true;
	}
	return false;
}

static bool
next_in_month(const struct search *q, int64_t year, int month, int64_t *ret)
{
	const struct schedule *s = q->s;
	int64_t first = date_days(year, month, 1);
	int length = date_month_length(year, month);

	for (int d = 1; d <= length; d++) {
		bool due = s->by_week ? week_day_due(s, first, length, d) :
					month_day_due(s, first, length, d);

		if (due && next_in_day(q, first + d - 1, ret))
			return true;
	}
	return false;
}

static bool
next_cron(const struct schedule *s, const struct tz *z, int64_t after,
    int64_t *ret)
{
	struct search q = {s, z, after, after + tz_offset(z, after)};
	int64_t year;
	int month, day;

	date_of(date_of_second(q.local), &year, &month, &day);
	if (year < SCHEDULE_YEAR_MIN) {
		year = SCHEDULE_YEAR_MIN;
		month = 1;
	}
	for (; year <= SCHEDULE_YEAR_MAX; year++, month = 1) {
		if (!has_bit(s->years, year - SCHEDULE_YEAR_MIN))
			continue;
		for (; month <= 12; month++)
			if (has_bit(&s->months, month) &&
			    next_in_month(&q, year, month, ret))
				return true;
	}
	return false;
}

bool
schedule_next(const struct schedule *s, const struct tz *z, int64_t start,
    int64_t after, int64_t *ret)
{
	int64_t at;

	after = MAX(after, start - 1);
	switch (s->type) {
	case SCHEDULE_AT:
		tz_utc(z, s->at, &at);
		*ret = at;
		return at > after;
	case SCHEDULE_RATE:
		*ret = after < start ? start :
		    start + ((after - start) / s->every + 1) * s->every;
		return true;
	case SCHEDULE_CRON:
		break;
	}
	return next_cron(s, z, after, ret);
}

bool
schedule_missed(const struct schedule *s, const struct tz *z, int64_t start,
    int64_t after, int64_t now, int64_t *ret)
{
	int64_t first, at, span = HOUR_S, from;

	if (!schedule_next(s, z, start, after, &first) || first > now)
		return false;
	/* Back from now in growing steps until one has a time in it. */
	for (; now - span > first; span *= 4)
		if (schedule_next(s, z, start, now - span, &at) && at <= now)
			break;
	*ret = first;
	from = MAX(now - span, first);
	while (schedule_next(s, z, start, from, &at) && at <= now)
		*ret = from = at;
	return true;
}
