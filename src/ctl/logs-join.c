/* Records to events. */
#include "ctl/logs-join.h"
#include "wire/shape.h"

void
join_done(struct join *j)
{
	for (int i = 0; i < 2; i++)
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

static void
add_record(struct join *j, struct arena *a, int64_t time, int stream,
    bool ends, struct span text, struct join_events *ret)
{
	struct buf *part = &j->part[stream];

	if (ends && part->n == 0) {
		emit(ret, a, time, text);
		return;
	}
	if (part->n == 0)
		j->time[stream] = time;
	buf_add_span(part, text);
	if (ends) {
		emit(ret, a, j->time[stream], arena_span(a, buf_span(part)));
		buf_clear(part);
		return;
	}
	while (part->n > JOIN_MAX) {
		size_t n = cut(buf_span(part));

		emit(ret, a, j->time[stream],
		    arena_span(a, span_to(buf_span(part), n)));
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
	for (int i = 0; i < 2; i++) {
		emit(ret, a, j->time[i], arena_span(a, buf_span(&j->part[i])));
		buf_clear(&j->part[i]);
	}
}
