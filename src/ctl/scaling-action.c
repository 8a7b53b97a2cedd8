/*
 * Scheduled actions.  What came due while we were not there is done late, each
 * action once and in the order of time, so that a target ends with the bounds
 * that it would have now.
 *
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
#include "base/err.h"
#include "base/log.h"
#include "base/schedule.h"
#include "ctl/scaling.h"

/* A wall clock may be set, and does not go on while a machine sleeps: nothing
 * waits for longer without a look at it. */
#define LOOK_MS 30000

struct due {
	struct res *action;
	int64_t at; /* ms */
};

/* A rate begins when the action was put, unless it says when. */
static int64_t
start_of(const struct res *x, const struct schedule *s)
{
	int64_t start = doc_get_time(x->spec, "StartTime") / 1000;

	return start == 0 && s->type == SCHEDULE_RATE ?
	    doc_get_int(x->spec, "Since", 0) / 1000 + s->every : start;
}

/* 0: nothing is due.  *ret_next: the next time, 0: never. */
static int64_t
due_at(const struct scaling_run *v, const struct res *x, int64_t *ret_next)
{
	_cleanup_tz_ struct tz *z =
	    tz_open(doc_get_str(x->spec, "Timezone"));
	int64_t after = MAX(doc_get_int(x->spec, "Since", 0),
	    doc_get_int(x->status, "Done", 0)) / 1000;
	int64_t end = doc_get_time(x->spec, "EndTime") / 1000;
	int64_t now = v->now / 1000, at, start, first;
	struct schedule s;

	*ret_next = 0;
	/* Both were looked at when it was put; the database of zones may have
	 * changed since. */
	if (!z || !schedule_parse(doc_get_str(x->spec, "Schedule"), &s)) {
		log_warn("scheduled action %.*s of %.*s: no zone %.*s",
		    SPAN_ARG(x->id), SPAN_ARG(v->resource),
		    SPAN_ARG(doc_get_str(x->spec, "Timezone")));
		return 0;
	}
	start = start_of(x, &s);
	if (schedule_next(&s, z, start, now, &at) && (!end || at <= end))
		*ret_next = at * 1000;
	/* AWS: "If you specify a start time, Application Auto Scaling performs
	 * the action at this time, and then [...] based on the specified
	 * recurrence", for cron, too, which knows of no start. */
	first = s.type == SCHEDULE_CRON ? start : 0;
	if (first > now)
		*ret_next = first * 1000;
	if (!schedule_missed(&s, z, start, after,
	    end ? MIN(end, now) : now, &at))
		at = first > after && first <= now ? first : 0;
	return at * 1000;
}

static struct span
bounds_text(struct scaling_run *v, const struct doc *action)
{
	long long min = (long long)doc_get_int(action, "MinCapacity", -1);
	long long max = (long long)doc_get_int(action, "MaxCapacity", -1);

	if (min < 0)
		return arena_fmt_span(v->a, "max capacity to %lld", max);
	if (max < 0)
		return arena_fmt_span(v->a, "min capacity to %lld", min);
	return arena_fmt_span(v->a, "min capacity to %lld and max capacity "
	    "to %lld", min, max);
}

/* Registering the target anew changes its bounds and asks for the count to be
 * brought within them. */
static int
apply(struct scaling_run *v, const struct res *x)
{
	const struct doc *action = doc_get(x->spec, "ScalableTargetAction");
	struct op_result r;
	int e = scaling_call(v, "RegisterScalableTarget",
	    doc_copy(v->a, action), &r);

	if (e)
		return err_trace(e);
	return err_trace(scaling_tell(v, bounds_text(v, action),
	    arena_fmt_span(v->a, "scheduled action name %.*s was triggered",
		SPAN_ARG(x->id)), r.error.n ? r.message : SPAN_NULL));
}

static int
by_time(const void *x, const void *y)
{
	const struct due *p = x, *q = y;

	if (p->at != q->at)
		return p->at < q->at ? -1 : 1;
	return (p->action->row > q->action->row) -
	    (p->action->row < q->action->row);
}

int
scaling_actions(struct scaling_run *v, bool *ret)
{
	struct store *s = ctl_env(v->ctl)->store;
	struct query q = {.kind = &scaling_action, .scope = v->target->scope,
		.parent = v->target->id};
	bool suspended = doc_get_bool(doc_get(v->target->spec,
	    "SuspendedState"), "ScheduledScalingSuspended", false);
	struct due *due;
	struct res_list l;
	size_t n = 0;
	int64_t next;
	int e = store_list(s, v->a, &q, &l);

	*ret = false;
	if (e)
		return err_fold(e);
	due = arena_array(v->a, struct due, l.n + 1);
	for (size_t i = 0; i < l.n; i++) {
		due[n] = (struct due){l.v[i], due_at(v, l.v[i], &next)};
		n += due[n].at != 0;
		if (next)
			scaling_again(v, MIN(next - v->now,
			    (int64_t)LOOK_MS));
	}
	if (n)
		qsort(due, n, sizeof(*due), by_time);
	for (size_t i = 0; i < n; i++) {
		/* What comes due while suspended is passed over. */
		if (!suspended && (e = apply(v, due[i].action)))
			return err_trace(e);
		doc_set_int(v->a, due[i].action->status, "Done", due[i].at);
		if ((e = store_put_status(s, due[i].action)))
			return err_fold(e);
		*ret |= !suspended;
	}
	return 0;
}
