/* Scheduled actions. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/schedule.h"
#include "svc/application-autoscaling/scaling.h"

/* For each scalable target.
 * https://docs.aws.amazon.com/general/latest/gr/as-app.html */
#define ACTIONS_MAX 200

static struct reply *
check_schedule(struct call *c)
{
	struct span text = doc_get_str(c->in, "Schedule");
	struct span name = doc_get_str(c->in, "Timezone");
	_cleanup_tz_ struct tz *z = NULL;
	struct schedule s;

	if (text.n && !schedule_parse(text, &s))
		return scaling_invalid(c, "Invalid schedule expression: %.*s",
		    SPAN_ARG(text));
	if (name.n && !(z = tz_open(name)))
		return scaling_invalid(c, "Invalid timezone: %.*s",
		    SPAN_ARG(name));
	if (doc_get(c->in, "StartTime") && doc_get(c->in, "EndTime") &&
	    doc_get_time(c->in, "StartTime") > doc_get_time(c->in, "EndTime"))
		return scaling_invalid(c,
		    "The start time must be before the end time");
	return NULL;
}

static struct reply *
check_action(struct call *c)
{
	const struct doc *action = doc_get(c->in, "ScalableTargetAction");
	int64_t min, max;

	if (!action)
		return NULL;
	if (!doc_get(action, "MinCapacity") && !doc_get(action, "MaxCapacity"))
		return scaling_invalid(c, "At least one of minimum capacity "
		    "and maximum capacity should be provided");
	return scaling_bounds(c, action, &min, &max);
}

static struct reply *
make(struct call *c, const struct res *t, struct res **ret)
{
	struct res *x = res_new(c->arena, &scaling_action, c->scope, t->id,
	    doc_get_str(c->in, "ScheduledActionName"));
	struct reply *no = scaling_room(c, &scaling_action, t->id, ACTIONS_MAX,
	    "scheduled actions per scalable target");

	if (no)
		return no;
	if (!doc_get_str(c->in, "Schedule").n)
		return scaling_invalid(c, "A schedule should be provided for "
		    "a new scheduled action");
	if (!doc_get(c->in, "ScalableTargetAction"))
		return scaling_invalid(c, "At least one of minimum capacity "
		    "and maximum capacity should be provided");
	doc_set_time(c->arena, x->spec, "CreationTime", clock_ms());
	doc_setf(c->arena, x->spec, "ScheduledActionARN",
	    "arn:aws:autoscaling:%.*s:%.*s:scheduledAction:%s:resource/ecs/"
	    "%.*s:scheduledActionName/%.*s", SPAN_ARG(c->scope.region),
	    SPAN_ARG(c->scope.account), id_uuid(c->arena),
	    SPAN_ARG(doc_get_str(t->spec, "ResourceId")), SPAN_ARG(x->id));
	*ret = x;
	return NULL;
}

struct reply *
scaling_put_action(struct call *c)
{
	static const char *const names[] = {"Schedule", "Timezone",
		"StartTime", "EndTime", "ScalableTargetAction", NULL};
	struct res *t, *x = NULL;
	struct reply *no = scaling_find(c, &t);
	bool is_new;
	int r;

	if (no || (no = check_schedule(c)) || (no = check_action(c)))
		return no;
	r = store_get(c->store, c->arena, &scaling_action, c->scope, t->id,
	    doc_get_str(c->in, "ScheduledActionName"), &x);
	if (r < 0)
		return reply_failure(c, r);
	is_new = r == STORE_E_NOT_FOUND;
	if (is_new && (no = make(c, t, &x)))
		return no;
	/* "If you don't specify start and end times, the old values are
	 * deleted"; what else is not said stays. */
	doc_del(x->spec, "StartTime");
	doc_del(x->spec, "EndTime");
	scaling_copy(c->arena, x->spec, c->in, names);
	doc_set_int(c->arena, x->spec, "Since", clock_ms());
	r = is_new ? store_insert(c->store, c->arena, x) :
		     store_put_spec(c->store, x);
	return r ? reply_failure(c, err_fold(r)) : reply_ok(c, NULL);
}

static int
view(struct call *c, const struct res *x, struct doc **ret)
{
	static const char *const names[] = {"ScheduledActionARN", "Schedule",
		"Timezone", "StartTime", "EndTime", "ScalableTargetAction",
		"CreationTime", NULL};
	int r = scaling_owned(c, x, "ScheduledActionName", ret);

	if (r == 0 && *ret)
		scaling_copy(c->arena, *ret, x->spec, names);
	return r;
}

struct reply *
scaling_describe_actions(struct call *c)
{
	return scaling_list_owned(c, &scaling_action, "ScheduledActions", view);
}

struct reply *
scaling_delete_action(struct call *c)
{
	return scaling_drop(c, &scaling_action, "ScheduledActionName",
	    "scheduled action found");
}
