/* GetLogEvents: one stream, both directions. */
#include "base/clock.h"
#include "svc/logs/logs.h"

/*
 * A token is a place between two events, and a direction to go from there:
 * "f/<place>/s" the events at or after it, "b/<place>/s" those before it.  Who
 * goes on in one direction until nothing is left gets the same token back, as
 * clients that end there expect.
 */
#define TOKEN_LEN (2 + LOGS_POS_DIGITS + 2)

struct page {
	struct call *c;
	struct doc *events;
	size_t left;
	size_t bytes;
	struct log_pos first, last; /* of those shown, in the order of reading */
	size_t n;
};

static bool
parse_token(struct span s, bool *ret_backward, struct log_pos *ret)
{
	if (s.n != TOKEN_LEN || !span_ends(s, SPAN("/s")) || s.p[1] != '/' ||
	    (s.p[0] != 'f' && s.p[0] != 'b') ||
	    !logs_pos_parse(span_make(s.p + 2, LOGS_POS_DIGITS), ret))
		return false;
	*ret_backward = s.p[0] == 'b';
	return true;
}

static void
set_token(struct call *c, struct doc *out, const char *member, char direction,
    struct log_pos pos)
{
	struct span text = logs_pos_text(c->arena, pos);

	doc_setf(c->arena, out, member, "%c/%.*s/s", direction,
	    SPAN_ARG(text));
}

static bool
add(void *ctx, const struct log_event *e)
{
	struct page *p = ctx;
	struct arena *a = p->c->arena;
	struct doc *d;

	if (p->left == 0 || (p->n && p->bytes + e->message.n +
	    LOG_EVENT_OVERHEAD > LOGS_PAGE_BYTES))
		return false;
	p->left--;
	p->bytes += e->message.n + LOG_EVENT_OVERHEAD;
	p->last = (struct log_pos){e->time, e->id};
	if (p->n++ == 0)
		p->first = p->last;
	d = doc_obj(a);
	doc_set_int(a, d, "timestamp", e->time);
	doc_set(a, d, "message", doc_strdup(a, e->message));
	doc_set_int(a, d, "ingestionTime", e->ingested);
	doc_push(p->events, d);
	return true;
}

static struct doc *
reversed(struct arena *a, struct doc *arr, size_t n)
{
	struct doc **v = arena_array(a, struct doc *, n + 1);
	struct doc *out = doc_arr(a);
	size_t i = 0;

	doc_each(d, arr)
		v[i++] = d;
	while (i > 0)
		doc_push(out, doc_copy(a, v[--i]));
	return out;
}

/* What the input asks for, the token included. */
static struct reply *
read_query(struct call *c, const struct res *g, const struct res *s,
    struct log_query *ret)
{
	struct span token = doc_get_str(c->in, "nextToken");
	int64_t oldest = logs_oldest(g, clock_ms());
	struct log_pos pos;

	*ret = (struct log_query){.stream = s->row, .from = LOG_POS_MIN,
	    .to = LOG_POS_MAX,
	    .backward = !doc_get_bool(c->in, "startFromHead", false)};
	ret->from.time = MAX(doc_get_int(c->in, "startTime", 0), oldest);
	if (doc_get(c->in, "endTime"))
		ret->to = (struct log_pos){doc_get_int(c->in, "endTime", 0), 0};
	if (!token.n)
		return NULL;
	if (!parse_token(token, &ret->backward, &pos))
		return logs_bad_token(c);
	if (ret->backward)
		ret->to = pos;
	else
		ret->from = pos;
	return NULL;
}

static void
set_tokens(struct call *c, struct doc *out, const struct log_query *q,
    const struct page *p)
{
	struct log_pos before = q->from, after = q->to;

	if (p->n) {
		before = q->backward ? p->last : p->first;
		after = logs_pos_next(q->backward ? p->first : p->last);
	} else if (q->backward) {
		/* Nothing before q->to: both places are there. */
		before = q->to;
		if (after.time == INT64_MAX)
			after = q->from;
	} else {
		after = q->from;
	}
	set_token(c, out, "nextForwardToken", 'f', after);
	set_token(c, out, "nextBackwardToken", 'b', before);
}

struct reply *
logs_get_events(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct page p = {.c = c, .events = doc_arr(c->arena),
	    .left = (size_t)doc_get_int(c->in, "limit", LOGS_PAGE_EVENTS)};
	struct log_query q;
	struct res *g, *s;
	struct reply *no = logs_group(c, &g);
	int r;

	if (!no)
		no = logs_stream(c, g, &s);
	if (!no)
		no = read_query(c, g, s, &q);
	if (no)
		return no;
	if ((r = log_scan(store_logs(c->store), &q, add, &p)) < 0)
		return logs_fail(c, r);
	doc_set(c->arena, out, "events", q.backward ?
	    reversed(c->arena, p.events, p.n) : p.events);
	set_tokens(c, out, &q, &p);
	return reply_ok(c, out);
}
