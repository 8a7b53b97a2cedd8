/* FilterLogEvents: all streams of a group, in the order of time. */
#include "base/clock.h"
#include "svc/logs/logs.h"
#include "svc/logs/pattern.h"

#include <uthash.h>

/* What one call looks at: a page may be empty and have a token, as AWS's may,
 * and no other request waits long. */
#define SCAN_EVENTS 20000
#define SCAN_BYTES  (16 << 20)

/* A stream that was met: its name, or that its events do not count. */
struct name {
	int64_t row;
	bool wanted;
	struct span name;
	UT_hash_handle hh;
};

struct filter {
	struct call *c;
	const struct res *group;
	const struct doc *names;
	struct span prefix;
	struct pattern *pattern;
	struct name *known;
	struct doc *events;
	size_t max;
	size_t n, bytes;		/* shown */
	size_t looked, looked_bytes;	/* read */
	struct log_pos at;		/* where the page ended */
	bool more;
	int err;
};

static struct name *
name_of(struct filter *f, int64_t row)
{
	struct name *n;
	struct res *r;
	int err;

	HASH_FIND(hh, f->known, &row, sizeof(row), n);
	if (n)
		return n;
	n = arena_new_of(f->c->arena, struct name);
	n->row = row;
	HASH_ADD(hh, f->known, row, sizeof(row), n);
	err = store_get_row(f->c->store, f->c->arena, row, &r);
	/* Events of a deleted stream are on their way out. */
	if (err == STORE_E_NOT_FOUND)
		return n;
	if (err)
		f->err = err;
	else {
		n->name = r->id;
		n->wanted = f->names ? doc_has_str(f->names, r->id) :
		    span_starts(r->id, f->prefix);
	}
	return n;
}

static void
show(struct filter *f, const struct log_event *e, struct span stream)
{
	struct arena *a = f->c->arena;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "logStreamName", stream);
	doc_set_int(a, d, "timestamp", e->time);
	doc_set(a, d, "message", doc_strdup(a, e->message));
	doc_set_int(a, d, "ingestionTime", e->ingested);
	doc_set_str(a, d, "eventId",
	    logs_pos_text(a, (struct log_pos){e->time, e->id}));
	doc_push(f->events, d);
	f->n++;
	f->bytes += e->message.n + LOG_EVENT_OVERHEAD;
}

static bool
full(const struct filter *f, const struct log_event *e)
{
	return f->n == f->max || f->looked == SCAN_EVENTS ||
	    f->looked_bytes > SCAN_BYTES || (f->n && f->bytes + e->message.n +
		LOG_EVENT_OVERHEAD > LOGS_PAGE_BYTES);
}

static bool
look(void *ctx, const struct log_event *e)
{
	struct filter *f = ctx;
	struct name *n;

	if (full(f, e)) {
		f->at = (struct log_pos){e->time, e->id};
		f->more = true;
		return false;
	}
	f->looked++;
	f->looked_bytes += e->message.n;
	n = name_of(f, e->stream);
	if (n->wanted && pattern_match(f->pattern, e->message))
		show(f, e, n->name);
	return f->err == 0;
}

static struct reply *
read_query(struct call *c, const struct res *g, struct log_query *ret)
{
	struct span token = doc_get_str(c->in, "nextToken"), text;

	*ret = (struct log_query){.group = g->row, .to = LOG_POS_MAX};
	ret->from.time = MAX(doc_get_int(c->in, "startTime", 0),
	    logs_oldest(g, clock_ms()));
	/* Here, unlike in GetLogEvents, the end is part of the range. */
	if (doc_get(c->in, "endTime"))
		ret->to = (struct log_pos){
		    doc_get_int(c->in, "endTime", 0) + 1, 0};
	if (token.n && (!page_token_read(c, token, &text) ||
	    !logs_pos_parse(text, &ret->from)))
		return logs_bad_token(c);
	return NULL;
}

static struct reply *
read_filter(struct call *c, struct filter *f)
{
	struct span why;
	int r;

	f->names = doc_get(c->in, "logStreamNames");
	f->prefix = doc_get_str(c->in, "logStreamNamePrefix");
	if (f->names && f->prefix.n)
		return logs_invalid(c, "logStreamNamePrefix and logStreamNames "
		    "are mutually exclusive parameters.");
	r = pattern_parse(c->arena, doc_get_str(c->in, "filterPattern"),
	    &f->pattern, &why);
	if (r == PATTERN_E_BAD)
		return logs_invalid(c, "%.*s", SPAN_ARG(why));
	return r ? logs_fail(c, r) : NULL;
}

/* One stream alone is read by its own index; a name that is none is AWS's
 * error. */
static struct reply *
narrow(struct call *c, const struct filter *f, struct log_query *q)
{
	struct res *s;
	int r;

	doc_each(name, f->names) {
		r = store_get(c->store, c->arena, &logs_log_stream,
		    f->group->scope, f->group->id, doc_span(name), &s);
		if (r == STORE_E_NOT_FOUND)
			return logs_no_stream(c);
		if (r)
			return logs_fail(c, r);
		if (doc_len(f->names) == 1)
			q->stream = s->row;
	}
	return NULL;
}

struct reply *
logs_filter_events(struct call *c)
{
	struct arena *a = c->arena;
	struct filter f = {.c = c, .events = doc_arr(a),
	    .max = (size_t)doc_get_int(c->in, "limit", LOGS_PAGE_EVENTS)};
	struct doc *out = doc_obj(a);
	struct log_query q;
	struct res *g;
	struct reply *no = logs_group(c, &g);
	int r;

	f.group = g;
	if (!no)
		no = read_filter(c, &f);
	if (!no)
		no = read_query(c, g, &q);
	if (!no)
		no = narrow(c, &f, &q);
	if (no)
		return no;
	r = log_scan(store_logs(c->store), &q, look, &f);
	HASH_CLEAR(hh, f.known);
	if (r || f.err)
		return logs_fail(c, r ? r : f.err);
	doc_set(a, out, "events", f.events);
	/* AWS: always empty since 2020. */
	doc_set(a, out, "searchedLogStreams", doc_arr(a));
	if (f.more)
		doc_set_str(a, out, "nextToken",
		    page_token_text(c, logs_pos_text(a, f.at)));
	return reply_ok(c, out);
}
