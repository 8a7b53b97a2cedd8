/* PutLogEvents.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
#include "base/clock.h"
#include "svc/logs/logs.h"

#define BATCH_MAX   1048576
#define HOUR_MS	    (60 * 60 * 1000LL)
#define TOO_OLD_MS  (14 * 24 * HOUR_MS)
#define TOO_NEW_MS  (2 * HOUR_MS)
#define SPAN_MAX_MS (24 * HOUR_MS)

/* A batch and which of its events count: from first up to end. */
struct batch {
	struct log_event *v;
	size_t n;
	size_t too_old; /* the first this many */
	size_t expired; /* the first this many, by the group's retention */
	size_t too_new; /* index of the first; n: none */
};

static struct reply *
read_batch(struct call *c, struct batch *ret)
{
	const struct doc *events = doc_get(c->in, "logEvents");
	size_t n = 0, bytes = 0;
	struct log_event *v =
	    arena_array(c->arena, struct log_event, doc_len(events) + 1);

	doc_each(e, events) {
		v[n].time = doc_get_int(e, "timestamp", 0);
		v[n].message = doc_get_str(e, "message");
		if (v[n].message.n > LOGS_MESSAGE_MAX)
			return logs_invalid(c, "Log event too large: %zu bytes "
			    "exceeds limit of %d", v[n].message.n,
			    LOGS_MESSAGE_MAX);
		if (n > 0 && v[n].time < v[n - 1].time)
			return logs_invalid(c, "Log events in a single "
			    "PutLogEvents request must be in chronological "
			    "order.");
		bytes += v[n].message.n + LOG_EVENT_OVERHEAD;
		n++;
	}
	if (bytes > BATCH_MAX)
		return logs_invalid(c, "Upload too large: %zu bytes exceeds "
		    "limit of %d", bytes, BATCH_MAX);
	*ret = (struct batch){.v = v, .n = n};
	return NULL;
}

/* The events are in order, so what is refused is a head and a tail. */
static struct reply *
sort_out(struct call *c, const struct res *group, int64_t now,
    struct batch *b)
{
	int64_t oldest = logs_oldest(group, now);
	size_t first;

	while (b->too_old < b->n && b->v[b->too_old].time < now - TOO_OLD_MS)
		b->too_old++;
	while (b->expired < b->n && b->v[b->expired].time < oldest)
		b->expired++;
	b->too_new = b->n;
	while (b->too_new > 0 && b->v[b->too_new - 1].time > now + TOO_NEW_MS)
		b->too_new--;
	first = MAX(b->too_old, b->expired);
	if (first < b->too_new &&
	    b->v[b->too_new - 1].time - b->v[first].time > SPAN_MAX_MS)
		return logs_invalid(c, "The batch of log events in a single "
		    "PutLogEvents request cannot span more than 24 hours.");
	return NULL;
}

static struct doc *
rejected(struct call *c, const struct batch *b)
{
	struct doc *d = doc_obj(c->arena);

	if (b->too_old)
		doc_set_int(c->arena, d, "tooOldLogEventEndIndex",
		    (int64_t)b->too_old);
	if (b->expired)
		doc_set_int(c->arena, d, "expiredLogEventEndIndex",
		    (int64_t)b->expired);
	if (b->too_new < b->n)
		doc_set_int(c->arena, d, "tooNewLogEventStartIndex",
		    (int64_t)b->too_new);
	return doc_len(d) ? d : NULL;
}

struct reply *
logs_put_events(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	int64_t now = clock_ms();
	struct res *g, *s;
	struct batch b = {0};
	size_t first;
	struct reply *no = logs_group(c, &g);
	int r;

	if (!no)
		no = logs_stream(c, g, &s);
	if (!no)
		no = read_batch(c, &b);
	if (!no)
		no = sort_out(c, g, now, &b);
	if (no)
		return no;
	first = MAX(b.too_old, b.expired);
	if (first < b.too_new) {
		r = log_append(store_logs(c->store), g->row, s->row,
		    b.v + first, b.too_new - first, now, true);
		if (r)
			return logs_fail(c, r);
	}
	doc_set_str(c->arena, out, "nextSequenceToken",
	    logs_pos_text(c->arena, (struct log_pos){now, s->row}));
	doc_set(c->arena, out, "rejectedLogEventsInfo", rejected(c, &b));
	return reply_ok(c, out);
}
