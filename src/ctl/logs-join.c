/* Records to events. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ctl/logs-join.h"
#include "wire/shape.h"

#define RULE_MAGIC 0x6a6f696e
/* Steps of matching: a line that needs more does not begin an event. */
#define RULE_STEPS 100000

struct join_rule {
	unsigned magic;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

int
join_rule_new(struct span pattern, struct join_rule **ret)
{
	struct join_rule *r;
	pcre2_code *code;
	PCRE2_SIZE at;
	int err;

	code = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""),
	    pattern.n, 0, &err, &at, NULL);
	if (!code)
		return JOIN_E_BAD;
	ALLOC_OBJ(r, RULE_MAGIC);
	r->code = code;
	r->data = pcre2_match_data_create(1, NULL);
	r->limits = pcre2_match_context_create(NULL);
	AN(r->data && r->limits);
	pcre2_set_match_limit(r->limits, RULE_STEPS);
	*ret = r;
	return 0;
}

void
join_rule_free(struct join_rule *r)
{
	if (!r)
		return;
	CHECK_OBJ(r, RULE_MAGIC);
	pcre2_match_context_free(r->limits);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
	FREE_OBJ(r);
}

static bool
begins_event(const struct join_rule *r, struct span line)
{
	CHECK_OBJ(r, RULE_MAGIC);
	return pcre2_match(r->code, (PCRE2_SPTR)(line.p ? line.p : ""),
	    line.n, 0, 0, r->data, r->limits) >= 0;
}

/* Everything but the codes is a regular expression already. */
struct span
join_format_pattern(struct arena *a, struct span format)
{
	static const char *const codes[128] = {
	    ['a'] = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
	    ['A'] = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day",
	    ['b'] = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
	    ['B'] = "(?:January|February|March|April|May|June|July|August|"
		"September|October|November|December)",
	    ['d'] = "(?:0[1-9]|[12][0-9]|3[01])",
	    ['f'] = "[0-9]{6}",
	    ['H'] = "(?:[01][0-9]|2[0-3])",
	    ['I'] = "(?:0[1-9]|1[0-2])",
	    ['j'] = "[0-3][0-9]{2}",
	    ['L'] = "\\.[0-9]{3}",
	    ['m'] = "(?:0[1-9]|1[0-2])",
	    ['M'] = "[0-5][0-9]",
	    ['p'] = "[AP]M",
	    ['S'] = "[0-5][0-9]",
	    ['U'] = "[0-5][0-9]",
	    ['w'] = "[0-6]",
	    ['W'] = "[0-5][0-9]",
	    ['y'] = "[0-9]{2}",
	    ['Y'] = "[0-9]{4}",
	    ['z'] = "[+-][0-9]{4}",
	    ['Z'] = "[A-Z]{1,4}T",
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < format.n; i++) {
		unsigned char next = i + 1 < format.n ?
		    (unsigned char)format.p[i + 1] : 0;

		if (format.p[i] == '%' && next < 128 && codes[next]) {
			buf_add_str(&b, codes[next]);
			i++;
		} else {
			buf_add_char(&b, format.p[i]);
		}
	}
	return arena_span(a, buf_span(&b));
}

void
join_done(struct join *j)
{
	for (int i = 0; i < LOG_PARTS; i++)
		buf_done(&j->part[i]);
}

static void
push(struct join_events *e, struct arena *a, int64_t time, struct span text)
{
	if (e->n == e->cap) {
		size_t cap = MAX(e->cap * 2, (size_t)64);

		e->v = arena_grow(a, e->v, e->cap * sizeof(*e->v),
		    cap * sizeof(*e->v));
		e->cap = cap;
	}
	e->v[e->n++] = (struct log_event){.time = time, .message = text};
}

/* At most JOIN_MAX bytes of s, and no character cut in two. */
static size_t
cut(struct span s)
{
	size_t n = JOIN_MAX;

	if (s.n <= JOIN_MAX)
		return s.n;
	while (n > JOIN_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
emit(struct join_events *e, struct arena *a, int64_t time, struct span text)
{
	text = wire_clean_text(a, text, false);
	while (text.n > 0) {
		size_t n = cut(text);

		push(e, a, time, span_to(text, n));
		text = span_from(text, n);
	}
}

void
join_flush(struct join *j, struct arena *a, struct join_events *ret)
{
	struct buf *event = &j->part[JOIN_EVENT];
	struct span text = arena_span(a, buf_span(event));

	/* The newline between lines, not the one behind the last. */
	if (text.n > 0)
		emit(ret, a, j->time[JOIN_EVENT], span_to(text, text.n - 1));
	buf_clear(event);
}

/* A whole line. */
static void
add_line(struct join *j, struct arena *a, int64_t time, struct span line,
    struct join_events *ret)
{
	struct buf *event = &j->part[JOIN_EVENT];

	if (!j->rule) {
		emit(ret, a, time, line);
		return;
	}
	if (begins_event(j->rule, line) ||
	    event->n + line.n + 1 > JOIN_MAX)
		join_flush(j, a, ret);
	if (event->n == 0 && line.n == 0)
		return;
	if (event->n == 0)
		j->time[JOIN_EVENT] = time;
	buf_add_span(event, line);
	buf_add_char(event, '\n');
}

static void
add_record(struct join *j, struct arena *a, int64_t time, int stream,
    bool ends, struct span text, struct join_events *ret)
{
	struct buf *part = &j->part[stream];

	if (ends && part->n == 0) {
		add_line(j, a, time, text, ret);
		return;
	}
	if (part->n == 0)
		j->time[stream] = time;
	buf_add_span(part, text);
	if (ends) {
		add_line(j, a, j->time[stream],
		    arena_span(a, buf_span(part)), ret);
		buf_clear(part);
		return;
	}
	while (part->n > JOIN_MAX) {
		size_t n = cut(buf_span(part));

		add_line(j, a, j->time[stream],
		    arena_span(a, span_to(buf_span(part), n)), ret);
		buf_drop(part, n);
	}
}

/* "<ms> <stream> <kind> <text>"; what is not of this form is skipped. */
static void
read_record(struct join *j, struct arena *a, struct span line,
    struct join_events *ret)
{
	struct span ms = span_cut(&line, ' '), stream = span_cut(&line, ' ');
	struct span kind = span_cut(&line, ' ');
	int64_t time;

	if (!line.p || !span_i64(ms, &time) || time < 0 ||
	    !(span_is(stream, "o") || span_is(stream, "e")) ||
	    !(span_is(kind, "F") || span_is(kind, "P")))
		return;
	add_record(j, a, time, span_is(stream, "e"), span_is(kind, "F"), line,
	    ret);
}

size_t
join_add(struct join *j, struct arena *a, struct span text,
    struct join_events *ret)
{
	struct span rest = text;
	ptrdiff_t at;

	while ((at = span_chr(rest, '\n')) >= 0) {
		read_record(j, a, span_to(rest, (size_t)at), ret);
		rest = span_from(rest, (size_t)at + 1);
	}
	return text.n - rest.n;
}

void
join_end(struct join *j, struct arena *a, struct join_events *ret)
{
	for (int i = JOIN_STDOUT; i <= JOIN_STDERR; i++) {
		struct span line = arena_span(a, buf_span(&j->part[i]));

		if (line.n > 0)
			add_line(j, a, j->time[i], line, ret);
		buf_clear(&j->part[i]);
	}
	join_flush(j, a, ret);
}
