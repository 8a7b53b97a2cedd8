/* Events go when their group's retention says so, and when their stream has
 * gone.  In small steps, one queue for all: everything else waits for a step. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/logs.h"
#include "store/logs.h"
#include "svc/logs/kinds.h"

#define PURGE_MAGIC 0x70757267
#define STEP_EVENTS 500
#define STEP_ROWS   50
#define STEP_MS	    5
#define LOOK_MS	    (60 * 60 * 1000LL)
/* The only key there is. */
#define KEY	    1

/* Rows of groups to look at and of streams that have gone. */
struct purge {
	unsigned magic;
	struct ctl *ctl;
	int64_t *rows;
	size_t head, n, cap;
	int64_t next_look; /* ms: at all groups */
};

static const struct kind *const kinds[] = {
	&logs_log_group, &logs_log_stream, NULL};

static void
push(struct purge *p, int64_t row)
{
	if (p->head == p->n)
		p->head = p->n = 0;
	if (p->n == p->cap) {
		p->cap = MAX(p->cap * 2, (size_t)64);
		p->rows = xrealloc(p->rows, p->cap * sizeof(*p->rows));
	}
	p->rows[p->n++] = row;
}

/* A group's retention may have changed; a stream matters when it goes. */
static int64_t
key(void *state, struct ctl *ctl UNUSED, const struct change *c)
{
	struct purge *p;

	CAST_OBJ(p, state, PURGE_MAGIC);
	if (c->kind == &logs_log_stream && !c->deleted)
		return 0;
	push(p, c->row);
	return KEY;
}

/* Time goes on: each group may have more that expired. */
static int
look_at_all(struct purge *p, struct arena *a, int64_t now)
{
	struct query q = {.kind = &logs_log_group, .any_parent = true};
	struct res_list l;
	int r = store_list(ctl_env(p->ctl)->store, a, &q, &l);

	if (r)
		return err_fold(r);
	for (size_t i = 0; i < l.n; i++)
		if (logs_oldest(l.v[i], now) != INT64_MIN)
			push(p, l.v[i]->row);
	p->next_look = now + LOOK_MS;
	return 0;
}

/* Deletes up to max events of what the row says; fewer: there are no more. */
static int
purge_row(struct purge *p, struct arena *a, int64_t row, int64_t now,
    size_t max, size_t *ret_n)
{
	struct store *s = ctl_env(p->ctl)->store;
	struct res *g;
	int64_t oldest;
	int r = store_get_row(s, a, row, &g);

	*ret_n = 0;
	if (r < 0)
		return err_trace(r);
	/* Of a group that went nothing is left but its streams, which went
	 * with it. */
	if (r == STORE_E_NOT_FOUND)
		return err_trace(log_delete_stream(store_logs(s), row, max,
		    ret_n));
	oldest = logs_oldest(g, now);
	if (g->kind != &logs_log_group || oldest == INT64_MIN)
		return 0;
	return err_trace(log_delete_before(store_logs(s), row, oldest, max,
	    ret_n));
}

static int
run(void *state, struct ctl *ctl UNUSED, struct arena *a, int64_t only UNUSED,
    int64_t *again_ms)
{
	size_t left = STEP_EVENTS, n;
	int64_t now = clock_ms();
	struct purge *p;
	int r;

	CAST_OBJ(p, state, PURGE_MAGIC);
	if (now >= p->next_look && (r = look_at_all(p, a, now)) < 0)
		return err_trace(r);
	for (int i = 0; i < STEP_ROWS && left > 0 && p->head < p->n; i++) {
		int64_t row = p->rows[p->head];

		if ((r = purge_row(p, a, row, now, left, &n)) < 0)
			return err_trace(r);
		/* With more to come it stays first. */
		if (n < left)
			p->head++;
		left -= n;
	}
	*again_ms = p->head < p->n ? STEP_MS : p->next_look - now;
	return 0;
}

static void
note_orphan(void *ctx, const struct log_stats *st)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct purge *p = ctx;
	struct res *r;

	if (store_get_row(ctl_env(p->ctl)->store, a, st->stream, &r) ==
	    STORE_E_NOT_FOUND)
		push(p, st->stream);
}

static void *
init(struct ctl *ctl)
{
	struct purge *p;

	ALLOC_OBJ(p, PURGE_MAGIC);
	p->ctl = ctl;
	/* Streams that went right before we were killed. */
	if (log_stats_each(store_logs(ctl_env(ctl)->store), 0, note_orphan,
	    p) < 0)
		log_warn("logs: events without a stream are left: %s",
		    err_last());
	ctl_wake(ctl, &ctl_logs_purge, KEY);
	return p;
}

static void
done(void *state)
{
	struct purge *p;

	CAST_OBJ(p, state, PURGE_MAGIC);
	free(p->rows);
	FREE_OBJ(p);
}

const struct controller ctl_logs_purge = {
	.name = "logs-purge",
	.kinds = kinds,
	.key = key,
	.init = init,
	.done = done,
	.run = run,
};
