/* Events go when their group's retention says so, and when their stream has
 * gone.  In small steps: everything else waits for a step. */
#include "base/clock.h"
#include "base/err.h"
#include "ctl/logs.h"
#include "store/logs.h"
#include "svc/logs/kinds.h"

#define STEP_EVENTS 500
#define STEP_MS	    5
#define LOOK_MS	    (60 * 60 * 1000)

static const struct kind *const kinds[] = {
	&logs_log_group, &logs_log_stream, NULL};

/* A group's retention may have changed; a stream matters when it goes. */
static int64_t
key(void *state UNUSED, struct ctl *ctl UNUSED, const struct change *c)
{
	if (c->kind == &logs_log_group)
		return c->row;
	return c->deleted ? c->row : 0;
}

static int
run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t row,
    int64_t *again_ms)
{
	struct store *s = ctl_env(ctl)->store;
	struct res *g;
	int64_t oldest;
	size_t n = 0;
	int r = store_get_row(s, a, row, &g);

	if (r < 0)
		return err_trace(r);
	if (r == STORE_E_NOT_FOUND) {
		/* Of a group that went nothing is left but its streams, which
		 * went with it. */
		r = log_delete_stream(store_logs(s), row, STEP_EVENTS, &n);
	} else {
		oldest = logs_oldest(g, clock_ms());
		if (oldest == INT64_MIN)
			return 0;
		*again_ms = LOOK_MS;
		r = log_delete_before(store_logs(s), row, oldest, STEP_EVENTS,
		    &n);
	}
	if (n == STEP_EVENTS)
		*again_ms = STEP_MS;
	return err_trace(r);
}

static void
note_orphan(void *ctx, const struct log_stats *st)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct ctl *ctl = ctx;
	struct res *r;

	if (store_get_row(ctl_env(ctl)->store, a, st->stream, &r) ==
	    STORE_E_NOT_FOUND)
		ctl_wake(ctl, &ctl_logs_purge, st->stream);
}

/* Streams that went right before we were killed. */
static void *
init(struct ctl *ctl)
{
	if (log_stats_each(store_logs(ctl_env(ctl)->store), 0, note_orphan,
	    ctl) < 0)
		return NULL;
	return NULL;
}

const struct controller ctl_logs_purge = {
	.name = "logs-purge",
	.kinds = kinds,
	.key = key,
	.init = init,
	.run = run,
};
