/* Time zones: TZif files, the rule at their end, the calendar. */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/tz.h"

#define TZ_MAGIC 0x747a6f6e
#define TZ_DIR   "/usr/share/zoneinfo/"
#define NAME_MAX_N 64
#define FILE_MAX   (1 << 20)
#define HEADER	   44

/* When a rule changes the clocks: the day's form, and the time of that day in
 * seconds, which may be before or after it. */
struct change {
	enum { CHANGE_WEEK, CHANGE_JULIAN, CHANGE_ZERO } form;
	int month, week, day;
	int64_t time;
};

/* A POSIX TZ. */
struct rule {
	bool there;
	bool has_dst;
	int64_t std, dst; /* seconds east */
	struct change start, end;
};

struct tz {
	unsigned magic;
	int64_t *times;	  /* ascending */
	int64_t *offsets; /* from each time on */
	size_t n;
	int64_t before;	  /* the offset before the first */
	struct rule rule;
};

/* --- the calendar ------------------------------------------------------ */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years that begin in March have their odd day at the end. */
int64_t
date_days(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

void
date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t era = floor_div(days + 719468, 146097);
	int64_t d = days + 719468 - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t of_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = y + era * 400 + (*ret_month <= 2);
}

int
date_month_length(int64_t year, int month)
{
	int64_t next = month == 12 ? date_days(year + 1, 1, 1) :
				     date_days(year, month + 1, 1);

	return (int)(next - date_days(year, month, 1));
}

int
date_weekday(int64_t days)
{
	return (int)(days + 4 - floor_div(days + 4, 7) * 7);
}

int64_t
date_of_second(int64_t s)
{
	return floor_div(s, DAY_S);
}

/* --- the rule at the end ----------------------------------------------- */

static bool
eat(struct span *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	*s = span_from(*s, 1);
	return true;
}

static bool
eat_number(struct span *s, int max, int *ret)
{
	int v = 0;
	size_t i = 0;

	while (i < s->n && i < 3 && s->p[i] >= '0' && s->p[i] <= '9')
		v = v * 10 + (s->p[i++] - '0');
	if (i == 0 || v > max)
		return false;
	*s = span_from(*s, i);
	*ret = v;
	return true;
}

/* "EST" or "<+0330>" */
static bool
eat_name(struct span *s)
{
	bool quoted = eat(s, '<');
	size_t i = 0;

	while (i < s->n && (quoted ? s->p[i] != '>' :
	    (s->p[i] | 32) >= 'a' && (s->p[i] | 32) <= 'z'))
		i++;
	*s = span_from(*s, i);
	return i >= 3 && (!quoted || eat(s, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool
eat_time(struct span *s, int max_hours, int64_t *ret)
{
	int h, m = 0, sec = 0;
	bool minus = eat(s, '-');

	if (!minus)
		eat(s, '+');
	if (!eat_number(s, max_hours, &h) ||
	    (eat(s, ':') && (!eat_number(s, 59, &m) ||
		(eat(s, ':') && !eat_number(s, 59, &sec)))))
		return false;
	*ret = (h * 60 + m) * (int64_t)60 + sec;
	if (minus)
		*ret = -*ret;
	return true;
}

/* ",M3.2.0/2", ",J60", ",59" */
static bool
eat_change(struct span *s, struct change *ret)
{
	struct change c = {.time = 2 * 60 * 60};
	bool ok = eat(s, ',');

	if (eat(s, 'M')) {
		c.form = CHANGE_WEEK;
		ok = ok && eat_number(s, 12, &c.month) && c.month > 0 &&
		    eat(s, '.') && eat_number(s, 5, &c.week) && c.week > 0 &&
		    eat(s, '.') && eat_number(s, 6, &c.day);
	} else {
		c.form = eat(s, 'J') ? CHANGE_JULIAN : CHANGE_ZERO;
		ok = ok && eat_number(s, 365, &c.day) &&
		    (c.form == CHANGE_ZERO || c.day > 0);
	}
	if (ok && eat(s, '/'))
		ok = eat_time(s, 167, &c.time);
	*ret = c;
	return ok;
}

static bool
rule_parse(struct span s, struct rule *ret)
{
	struct rule r = {.there = true};

	/* POSIX counts west of Greenwich. */
	if (!eat_name(&s) || !eat_time(&s, 24, &r.std))
		return false;
	r.std = -r.std;
	if (s.n > 0) {
		r.has_dst = true;
		if (!eat_name(&s))
			return false;
		r.dst = r.std + 60 * 60;
		if (s.n > 0 && *s.p != ',') {
			if (!eat_time(&s, 24, &r.dst))
				return false;
			r.dst = -r.dst;
		}
		if (!eat_change(&s, &r.start) || !eat_change(&s, &r.end))
			return false;
	}
	*ret = r;
	return s.n == 0;
}

/* The local second of a change in a year. */
static int64_t
change_in(const struct change *c, int64_t year)
{
	int64_t day = 0;
	int leap = date_month_length(year, 2) == 29, skip;

	switch (c->form) {
	case CHANGE_WEEK:
		day = date_days(year, c->month, 1);
		skip = (c->day - date_weekday(day) + 7) % 7 + (c->week - 1) * 7;
		/* The fifth is the last. */
		if (skip >= date_month_length(year, c->month))
			skip -= 7;
		day += skip;
		break;
	case CHANGE_JULIAN: /* the 29th of February is never counted */
		day = date_days(year, 1, 1) + c->day - 1 +
		    (leap && c->day >= 60);
		break;
	case CHANGE_ZERO:
		day = date_days(year, 1, 1) + c->day;
		break;
	}
	return day * DAY_S + c->time;
}

static int64_t
rule_offset(const struct rule *r, int64_t utc)
{
	int64_t year, start, end;
	int month, day;

	if (!r->has_dst)
		return r->std;
	date_of(date_of_second(utc + r->std), &year, &month, &day);
	start = change_in(&r->start, year) - r->std;
	end = change_in(&r->end, year) - r->dst;
	if (start < end)
		return utc >= start && utc < end ? r->dst : r->std;
	return utc >= end && utc < start ? r->std : r->dst;
}

/* --- files ------------------------------------------------------------- */

static uint64_t
big(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* The counts of a header, in the order of the file. */
enum { ISUT, ISSTD, LEAP, TIME, TYPE, CHARS, COUNTS };

/* Cuts a header off; false when there is none. */
static bool
header(struct span *s, size_t ret[COUNTS])
{
	if (s->n < HEADER || !span_starts(*s, SPAN("TZif")))
		return false;
	for (size_t i = 0; i < COUNTS; i++) {
		ret[i] = big(s->p + 20 + i * 4, 4);
		if (ret[i] > FILE_MAX)
			return false;
	}
	*s = span_from(*s, HEADER);
	return true;
}

/* The bytes of a header's data when times have width bytes. */
static size_t
data_size(const size_t c[COUNTS], size_t width)
{
	return c[TIME] * (width + 1) + c[TYPE] * 6 + c[CHARS] +
	    c[LEAP] * (width + 4) + c[ISSTD] + c[ISUT];
}

static bool
offset_of(const char *types, size_t n, size_t i, int64_t *ret)
{
	if (i >= n)
		return false;
	*ret = (int32_t)(uint32_t)big(types + i * 6, 4);
	/* RFC 9636, 3.2: what is further off is no time of this world. */
	return *ret > -25 * 60 * 60 && *ret < 26 * 60 * 60;
}

static bool
read_data(struct tz *z, struct span data, const size_t c[COUNTS])
{
	const char *index = data.p + c[TIME] * 8, *types = index + c[TIME];

	z->n = c[TIME];
	z->times = xcalloc(z->n + 1, sizeof(*z->times));
	z->offsets = xcalloc(z->n + 1, sizeof(*z->offsets));
	for (size_t i = 0; i < z->n; i++) {
		z->times[i] = (int64_t)big(data.p + i * 8, 8);
		if ((i > 0 && z->times[i] <= z->times[i - 1]) ||
		    !offset_of(types, c[TYPE], (unsigned char)index[i],
			&z->offsets[i]))
			return false;
	}
	return offset_of(types, c[TYPE], 0, &z->before);
}

struct tz *
tz_parse(struct span s)
{
	_cleanup_tz_ struct tz *z = NULL;
	size_t c[COUNTS];
	struct span rule;

	/* What version 1 says is said again in 64 bits. */
	if (!header(&s, c) || s.n < data_size(c, 4))
		return NULL;
	s = span_from(s, data_size(c, 4));
	if (!header(&s, c) || s.n < data_size(c, 8))
		return NULL;
	ALLOC_OBJ(z, TZ_MAGIC);
	if (!read_data(z, s, c))
		return NULL;
	rule = span_from(s, data_size(c, 8));
	if (!eat(&rule, '\n') || span_chr(rule, '\n') < 0)
		return NULL;
	rule = span_cut(&rule, '\n');
	if (rule.n > 0 && !rule_parse(rule, &z->rule))
		return NULL;
	return TAKE_PTR(z);
}

/* Names are parts of [A-Za-z0-9_+-] with slashes in between.  The same zones
 * are there again below posix, and with leap seconds below right. */
static bool
name_ok(struct span s)
{
	if (s.n == 0 || s.n > NAME_MAX_N || span_starts(s, SPAN("posix/")) ||
	    span_starts(s, SPAN("right/")))
		return false;
	while (s.p) {
		struct span part = span_cut(&s, '/');

		if (part.n == 0)
			return false;
		for (size_t i = 0; i < part.n; i++) {
			char c = part.p[i];

			if (!(((c | 32) >= 'a' && (c | 32) <= 'z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '+' ||
			    c == '-'))
				return false;
		}
	}
	return true;
}

static bool
read_file(int fd, struct buf *b)
{
	ssize_t n;

	do {
		buf_reserve(b, 4096);
		n = read(fd, b->p + b->n, 4096);
		if (n > 0)
			b->n += (size_t)n;
	} while (n > 0 && b->n < FILE_MAX);
	return n == 0;
}

struct tz *
tz_open(struct span name)
{
	struct span file = name.n ? name : SPAN("Etc/UTC");
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct tz *z = NULL;

	if (!name_ok(file))
		return NULL;
	path = xasprintf(TZ_DIR "%.*s", SPAN_ARG(file));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read_file(fd, &b))
		z = tz_parse(buf_span(&b));
	if (z || (name.n && !span_is(name, "UTC") && !span_is(name, "Etc/UTC")))
		return z;
	/* UTC is known where there is no database. */
	ALLOC_OBJ(z, TZ_MAGIC);
	return z;
}

void
tz_free(struct tz *z)
{
	if (!z)
		return;
	CHECK_OBJ(z, TZ_MAGIC);
	free(z->times);
	free(z->offsets);
	FREE_OBJ(z);
}

void
tz_free_p(struct tz **z)
{
	tz_free(*z);
}

/* --- look-ups ---------------------------------------------------------- */

int64_t
tz_offset(const struct tz *z, int64_t utc)
{
	size_t lo = 0, hi = z->n;

	CHECK_OBJ(z, TZ_MAGIC);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->times[mid] <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->n && z->rule.there)
		return rule_offset(&z->rule, utc);
	return lo == 0 ? z->before : z->offsets[lo - 1];
}

/* Clocks do not change twice within two days, so one of the two offsets that
 * are in force a day before and after is the one; the first makes the earlier
 * instant where both are, and the later one in a gap. */
bool
tz_utc(const struct tz *z, int64_t local, int64_t *ret)
{
	int64_t before = tz_offset(z, local - DAY_S);
	int64_t after = tz_offset(z, local + DAY_S);
	bool first = tz_offset(z, local - before) == before;
	bool second = tz_offset(z, local - after) == after;

	*ret = local - before;
	if (second && (!first || local - after < *ret))
		*ret = local - after;
	return first || second;
}
