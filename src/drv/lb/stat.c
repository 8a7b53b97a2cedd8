/* What HAProxy says of its servers. */
#include <errno.h>

#include "base/err.h"
#include "drv/lb/stat.h"

/* The columns we read, found by name in the header line. */
enum column { PXNAME, SVNAME, SCUR, STATUS, LASTCHG, CHECK_STATUS, CHECK_CODE,
	ADDR, USED, REQ_TOT, COLUMNS };

static const char *const names[COLUMNS] = {"pxname", "svname", "scur",
	"status", "lastchg", "check_status", "check_code", "addr",
	"used_conn_cur", "req_tot"};

static int
columns(struct span line, size_t ret[COLUMNS])
{
	size_t at = 0, found = 0;
	struct span field;

	if (span_starts(line, SPAN("# ")))
		line = span_from(line, 2);
	for (; line.p; at++) {
		field = span_cut(&line, ',');
		for (size_t i = 0; i < COLUMNS; i++)
			if (span_is(field, names[i])) {
				ret[i] = at;
				found++;
			}
	}
	return found == COLUMNS ? 0 : err_origin(EPROTO,
	    "statistics of the proxy lack columns");
}

static unsigned
number(struct span s)
{
	uint64_t n;

	return span_u64(s, &n) && n < UINT32_MAX ? (unsigned)n : 0;
}

/* https://docs.haproxy.org/2.6/management.html#9.1, field check_status; a
 * "* " before it says that a check is under way. */
static enum lb_check
check_of(struct span s)
{
	static const struct {
		const char *text;
		enum lb_check check;
	} map[] = {
		{"L7OK", LB_CHECK_OK}, {"L7OKC", LB_CHECK_OK},
		{"L6OK", LB_CHECK_OK}, {"L4OK", LB_CHECK_OK},
		{"L7STS", LB_CHECK_CODE}, {"L7TOUT", LB_CHECK_TIMEOUT},
		{"L6TOUT", LB_CHECK_TIMEOUT}, {"L4TOUT", LB_CHECK_TIMEOUT},
		{"INI", LB_CHECK_NONE}, {"UNK", LB_CHECK_NONE},
		{"", LB_CHECK_NONE},
	};

	if (span_starts(s, SPAN("* ")))
		s = span_from(s, 2);
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (span_is(s, map[i].text))
			return map[i].check;
	return LB_CHECK_FAILED;
}

/* "UP", "UP 1/3", "DOWN", "DOWN 1/2", "MAINT", "DRAIN", "no check". */
static void
server(const struct span f[COLUMNS], struct lb_server *ret)
{
	struct span status = f[STATUS], name = f[SVNAME];

	*ret = (struct lb_server){.group = f[PXNAME], .name = name,
	    .addr = f[ADDR]};
	if (span_ends(name, SPAN("o"))) {
		ret->open = true;
		ret->name = span_to(name, name.n - 1);
	}
	ret->maint = span_starts(status, SPAN("MAINT"));
	ret->drain = span_starts(status, SPAN("DRAIN"));
	ret->up = span_starts(status, SPAN("UP"));
	ret->check = check_of(f[CHECK_STATUS]);
	ret->code = (int)number(f[CHECK_CODE]);
	ret->active = MAX(number(f[SCUR]), number(f[USED]));
	ret->since_s = number(f[LASTCHG]);
}

/* The lines of groups, one a call: fills f with the columns. */
static bool
next_line(struct span *text, const size_t at[COLUMNS], struct span f[COLUMNS])
{
	struct span line, rest, field;
	size_t i;

	while (text->p) {
		line = span_cut(text, '\n');
		if (!span_starts(line, SPAN("tg-")))
			continue;
		memset(f, 0, sizeof(*f) * COLUMNS);
		for (rest = line, i = 0; rest.p; i++) {
			field = span_cut(&rest, ',');
			for (size_t c = 0; c < COLUMNS; c++)
				if (at[c] == i)
					f[c] = field;
		}
		return true;
	}
	return false;
}

/* Room for one more of size in v, which has n. */
static void *
more(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t was = *cap;

	if (n < was)
		return v;
	*cap = was ? was * 2 : 16;
	return arena_grow(a, v, was * size, *cap * size);
}

int
lb_stat_parse(struct arena *a, struct span text, struct lb_server **ret,
    size_t *ret_n)
{
	size_t at[COLUMNS] = {0}, n = 0, cap = 0;
	struct lb_server *v = NULL;
	struct span f[COLUMNS];
	int e = columns(span_cut(&text, '\n'), at);

	if (e)
		return e;
	while (next_line(&text, at, f)) {
		if (span_is(f[SVNAME], "BACKEND") ||
		    span_is(f[SVNAME], "FRONTEND"))
			continue;
		v = more(a, v, n, &cap, sizeof(*v));
		server(f, &v[n++]);
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

int
lb_stat_counts(struct arena *a, struct span text, struct lb_count **ret,
    size_t *ret_n)
{
	size_t at[COLUMNS] = {0}, n = 0, cap = 0;
	struct lb_count *v = NULL;
	struct span f[COLUMNS];
	int e = columns(span_cut(&text, '\n'), at);

	if (e)
		return e;
	while (next_line(&text, at, f)) {
		if (!span_is(f[SVNAME], "BACKEND"))
			continue;
		v = more(a, v, n, &cap, sizeof(*v));
		v[n] = (struct lb_count){.group = f[PXNAME]};
		span_u64(f[REQ_TOT], &v[n++].requests);
	}
	*ret = v;
	*ret_n = n;
	return 0;
}
