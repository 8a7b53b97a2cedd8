/*
 * Activities, and the one thing that scaling does: setting a desired count.
 *
 * https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
 */
#include "base/err.h"
#include "base/id.h"
#include "ctl/scaling.h"
#include "svc/ecs/kinds.h"

/* "You can look up scaling activities from the last six weeks." */
#define KEEP_MS	   (6 * 7 * 24 * 60 * 60 * 1000LL)
#define PURGE_STEP 20

static struct store *
store_of(const struct scaling_run *v)
{
	return ctl_env(v->ctl)->store;
}

void
scaling_again(struct scaling_run *v, int64_t ms)
{
	ms = MAX(ms, (int64_t)1);
	if (*v->again_ms == 0 || ms < *v->again_ms)
		*v->again_ms = ms;
}

/* Whoever's: those of services that are gone have no next one. */
static int
purge(struct scaling_run *v)
{
	struct query q = {.kind = &scaling_activity,
		.scope = v->target->scope, .any_parent = true,
		.limit = PURGE_STEP};
	struct res_list l;
	int e = store_list(store_of(v), v->a, &q, &l);

	for (size_t i = 0; e == 0 && i < l.n; i++)
		if (l.v[i]->created < v->now - KEEP_MS)
			e = store_delete(store_of(v), l.v[i]);
	return e ? err_fold(e) : 0;
}

static struct res *
activity(struct scaling_run *v, struct span description, struct span cause,
    const char *code)
{
	struct res *x = res_new(v->a, &scaling_activity, v->target->scope,
	    v->resource, span_of(id_uuid(v->a)));

	doc_set_str(v->a, x->status, "ActivityId", x->id);
	doc_set_str(v->a, x->status, "ServiceNamespace", SPAN("ecs"));
	doc_set_str(v->a, x->status, "ResourceId", v->resource);
	doc_set_str(v->a, x->status, "ScalableDimension",
	    SPAN("ecs:service:DesiredCount"));
	doc_set_str(v->a, x->status, "Description", description);
	doc_set_str(v->a, x->status, "Cause", cause);
	doc_set_time(v->a, x->status, "StartTime", v->now);
	doc_set_str(v->a, x->status, "StatusCode", span_of(code));
	return x;
}

static int
insert(struct scaling_run *v, struct res *x)
{
	int e = store_insert(store_of(v), v->a, x);

	return e ? err_fold(e) : err_trace(purge(v));
}

int
scaling_tell(struct scaling_run *v, struct span what, struct span cause,
    struct span failure)
{
	struct res *x = activity(v, arena_fmt_span(v->a, "Setting %.*s",
	    SPAN_ARG(what)), cause, failure.n ? "Failed" : "Successful");

	if (failure.n)
		doc_setf(v->a, x->status, "StatusMessage",
		    "Failed to set %.*s. Reason: %.*s", SPAN_ARG(what),
		    SPAN_ARG(failure));
	else
		doc_setf(v->a, x->status, "StatusMessage",
		    "Successfully set %.*s", SPAN_ARG(what));
	doc_set_time(v->a, x->status, "EndTime", v->now);
	return err_trace(insert(v, x));
}

int
scaling_tell_stuck(struct scaling_run *v, struct span cause, const char *code,
    const char *bound)
{
	struct span told = arena_fmt_span(v->a, "%s %.*s", code,
	    SPAN_ARG(cause));
	struct doc *why = doc_obj(v->a), *all = doc_arr(v->a);
	struct res *x;

	/* An alarm stays for long; it is told of once. */
	if (span_eq(doc_get_str(v->target->status, "NotScaled"), told))
		return 0;
	doc_set_str(v->a, v->target->status, "NotScaled", told);
	v->dirty = true;
	x = activity(v, SPAN("Attempting to scale due to alarm triggered"),
	    cause, "Failed");
	doc_set_str(v->a, why, "Code", span_of(code));
	doc_set_int(v->a, why, bound, doc_get_int(v->target->spec, bound, 0));
	doc_push(all, why);
	doc_set(v->a, x->status, "NotScaledReasons", all);
	doc_set_time(v->a, x->status, "EndTime", v->now);
	return err_trace(insert(v, x));
}

/* --- the activity under way -------------------------------------------- */

static int64_t
wanted(const struct scaling_run *v)
{
	return doc_i64(doc_path(v->target->status, "Activity", "To", NULL), 0);
}

/* The row may be gone: activities are kept for six weeks only. */
static int
end(struct scaling_run *v, const char *code, struct span text)
{
	struct span id = doc_get_str(doc_get(v->target->status, "Activity"),
	    "Id");
	struct res *x;
	int e = store_get(store_of(v), v->a, &scaling_activity,
	    v->target->scope, v->resource, id, &x);

	if (e < 0)
		return err_trace(e);
	if (e == 0) {
		doc_set_str(v->a, x->status, "StatusCode", span_of(code));
		doc_set_str(v->a, x->status, "StatusMessage", text);
		doc_set_time(v->a, x->status, "EndTime", v->now);
		if ((e = store_put_status(store_of(v), x)))
			return err_fold(e);
	}
	doc_del(v->target->status, "Activity");
	v->dirty = true;
	return 0;
}

static int
override(struct scaling_run *v, int64_t count)
{
	return end(v, "Overridden", arena_fmt_span(v->a, "Successfully set "
	    "desired count to %lld. Found it was later changed to %lld.",
	    (long long)wanted(v), (long long)count));
}

int
scaling_settle(struct scaling_run *v)
{
	int64_t count = doc_get_int(v->svc->spec, "desiredCount", 0);

	if (!doc_get(v->target->status, "Activity"))
		return 0;
	if (count != wanted(v))
		return err_trace(override(v, count));
	if (doc_get_int(v->svc->status, "runningCount", 0) != count ||
	    doc_get_int(v->svc->status, "pendingCount", 0) != 0)
		return 0;
	return err_trace(end(v, "Successful", arena_fmt_span(v->a,
	    "Successfully set desired count to %lld. Change successfully "
	    "fulfilled by ecs.", (long long)count)));
}

/* --- setting it -------------------------------------------------------- */

static int
begin(struct scaling_run *v, struct span what, struct span cause,
    int64_t count)
{
	struct doc *at = doc_obj(v->a);
	struct res *x;
	int e;

	if (doc_get(v->target->status, "Activity") &&
	    (e = override(v, count)))
		return err_trace(e);
	x = activity(v, arena_fmt_span(v->a, "Setting %.*s.", SPAN_ARG(what)),
	    cause, "InProgress");
	doc_setf(v->a, x->status, "StatusMessage", "Successfully set %.*s. "
	    "Waiting for change to be fulfilled by ecs.", SPAN_ARG(what));
	doc_set_str(v->a, at, "Id", x->id);
	doc_set_int(v->a, at, "To", count);
	doc_set(v->a, v->target->status, "Activity", at);
	v->dirty = true;
	return err_trace(insert(v, x));
}

int
scaling_set(struct scaling_run *v, int64_t count, struct span cause)
{
	struct principal who = principal_system(v->target->scope.account,
	    SCALING_PRINCIPAL);
	struct span what = arena_fmt_span(v->a, "desired count to %lld",
	    (long long)count);
	struct doc *in = doc_obj(v->a);
	struct op_result r;
	int e;

	doc_set_str(v->a, in, "cluster", v->svc->parent);
	doc_set_str(v->a, in, "service", v->svc->id);
	doc_set_int(v->a, in, "desiredCount", count);
	e = op_call(ctl_env(v->ctl)->api, v->a, &who, v->target->scope, "ecs",
	    "UpdateService", in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		return err_trace(scaling_tell(v, what, cause, r.message));
	doc_set_int(v->a, v->svc->spec, "desiredCount", count);
	doc_del(v->target->status, "NotScaled");
	return err_trace(begin(v, what, cause, count));
}
