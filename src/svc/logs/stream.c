/* Log streams. */
#include "svc/logs/logs.h"

#include <stdlib.h>

#include <uthash.h>

#define LIST_DEFAULT 50

struct reply *
logs_create_stream(struct call *c)
{
	struct res *g, *s;
	struct reply *no = logs_group(c, &g);
	int r;

	if (no)
		return no;
	s = res_new(c->arena, &logs_log_stream, g->scope, g->id,
	    doc_get_str(c->in, "logStreamName"));
	r = store_insert(c->store, c->arena, s);
	if (r == STORE_E_EXISTS)
		return reply_error(c, "ResourceAlreadyExistsException",
		    "The specified log stream already exists");
	return r ? logs_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
logs_delete_stream(struct call *c)
{
	struct res *g, *s;
	struct reply *no = logs_group(c, &g);
	int r;

	if (!no)
		no = logs_stream(c, g, &s);
	if (no)
		return no;
	r = store_delete(c->store, s);
	return r ? logs_fail(c, r) : reply_ok(c, NULL);
}

/* DescribeLogStreams */

struct entry {
	const struct res *r;
	struct log_stats stats;
	UT_hash_handle hh;
};

/* How a list is ordered, and the place to go on after. */
struct order {
	bool by_time;
	bool descending;
	int64_t time;	   /* of the last entry shown */
	struct span after; /* its name; empty: from the start */
};

static int
compare(const struct order *o, int64_t time, struct span name,
    const struct entry *e)
{
	int d = 0;

	if (o->by_time)
		d = (time > e->stats.last) - (time < e->stats.last);
	if (d == 0)
		d = span_cmp(name, e->r->id);
	return o->descending ? -d : d;
}

static int
in_order(const void *a, const void *b, void *ctx)
{
	const struct entry *x = a;

	return compare(ctx, x->stats.last, x->r->id, b);
}

static void
note_stats(void *ctx, const struct log_stats *s)
{
	struct entry **by_row = ctx, *e;

	HASH_FIND(hh, *by_row, &s->stream, sizeof(s->stream), e);
	if (e)
		e->stats = *s;
}

/* The group's streams that begin with prefix, with their statistics. */
static int
load(struct call *c, const struct res *group, struct span prefix,
    struct entry **ret, size_t *ret_n)
{
	struct query q = {.kind = &logs_log_stream, .scope = group->scope,
	    .parent = group->id};
	struct entry *v, *by_row = NULL;
	struct res_list l;
	size_t n = 0;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r;
	v = arena_array(c->arena, struct entry, l.n + 1);
	for (size_t i = 0; i < l.n; i++) {
		if (!span_starts(l.v[i]->id, prefix))
			continue;
		v[n].r = l.v[i];
		v[n].stats.first = v[n].stats.last = -1;
		HASH_ADD_KEYPTR(hh, by_row, &v[n].r->row,
		    sizeof(v[n].r->row), &v[n]);
		n++;
	}
	r = log_stats_each(store_logs(c->store), group->row, note_stats,
	    &by_row);
	HASH_CLEAR(hh, by_row);
	*ret = v;
	*ret_n = n;
	return r;
}

static struct doc *
show(struct call *c, const struct entry *e)
{
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "logStreamName", e->r->id);
	doc_set_int(a, d, "creationTime", e->r->created);
	if (e->stats.last >= 0) {
		doc_set_int(a, d, "firstEventTimestamp", e->stats.first);
		doc_set_int(a, d, "lastEventTimestamp", e->stats.last);
		doc_set_int(a, d, "lastIngestionTime", e->stats.ingested);
	}
	/* AWS: ignored since 2023, but still there. */
	doc_set_str(a, d, "uploadSequenceToken", logs_pos_text(a,
	    (struct log_pos){e->stats.ingested, e->r->row}));
	doc_set_str(a, d, "arn", e->r->arn);
	/* AWS: always 0 since 2019. */
	doc_set_int(a, d, "storedBytes", 0);
	return d;
}

static struct reply *
read_order(struct call *c, struct order *ret)
{
	struct span token = doc_get_str(c->in, "nextToken"), text;

	*ret = (struct order){.by_time = span_is(doc_get_str(c->in, "orderBy"),
	    "LastEventTime"),
	    .descending = doc_get_bool(c->in, "descending", false)};
	if (ret->by_time && doc_get(c->in, "logStreamNamePrefix"))
		return logs_invalid(c, "Cannot order by LastEventTime with a "
		    "logStreamNamePrefix.");
	if (!token.n)
		return NULL;
	if (!page_token_read(c, token, &text) ||
	    !span_i64(span_cut(&text, ':'), &ret->time) || !text.n)
		return logs_bad_token(c);
	ret->after = text;
	return NULL;
}

struct reply *
logs_describe_streams(struct call *c)
{
	size_t max = (size_t)doc_get_int(c->in, "limit", LIST_DEFAULT);
	struct doc *out = doc_obj(c->arena), *arr = doc_arr(c->arena);
	struct span prefix = doc_get_str(c->in, "logStreamNamePrefix");
	struct order o;
	struct entry *v, *last = NULL;
	struct res *g;
	struct reply *no = logs_group(c, &g);
	size_t n, shown = 0;
	int r;

	if (!no)
		no = read_order(c, &o);
	if (no)
		return no;
	if ((r = load(c, g, prefix, &v, &n)))
		return logs_fail(c, r);
	qsort_r(v, n, sizeof(*v), in_order, &o);
	for (size_t i = 0; i < n; i++) {
		if (o.after.n && compare(&o, o.time, o.after, &v[i]) >= 0)
			continue;
		if (shown++ == max) {
			doc_set_str(c->arena, out, "nextToken",
			    page_token_text(c, arena_fmt_span(c->arena,
				"%lld:%.*s", (long long)last->stats.last,
				SPAN_ARG(last->r->id))));
			break;
		}
		doc_push(arr, show(c, &v[i]));
		last = &v[i];
	}
	return reply_ok(c, doc_set(c->arena, out, "logStreams", arr));
}
