/* Target tracking, pure. */
#include <math.h>
#include <sys/param.h>

#include "ctl/scaling-plan.h"

/* Periods by which the oldest datapoint may be older than it should be. */
#define SLACK	  2
#define LOW_RATIO 0.9
#define COUNT_MAX INT32_MAX

/* Are the n newest there, and recent? */
static bool
enough(const struct scaling_state *s, const struct scaling_policy_state *p,
    size_t n)
{
	return p->n >= n && p->values[n - 1].time >
	    s->now - (int64_t)(n + SLACK) * s->period;
}

static bool
is_high(const struct scaling_state *s, const struct scaling_policy_state *p)
{
	if (!enough(s, p, SCALING_OUT_POINTS))
		return false;
	for (size_t i = 0; i < SCALING_OUT_POINTS; i++)
		if (p->values[i].v <= p->target)
			return false;
	return true;
}

/* The greatest of the points in *ret. */
static bool
is_low(const struct scaling_state *s, const struct scaling_policy_state *p,
    double *ret)
{
	double max = 0;

	if (!enough(s, p, SCALING_IN_POINTS))
		return false;
	for (size_t i = 0; i < SCALING_IN_POINTS; i++)
		max = MAX(max, p->values[i].v);
	*ret = max;
	return max < p->target * LOW_RATIO;
}

/* A hair less than a whole number is that number. */
static int64_t
needed(int64_t count, double value, double target)
{
	double n = ceil((double)count * value / target - 1e-6);

	return n >= COUNT_MAX ? COUNT_MAX : (int64_t)n;
}

static struct scaling_plan
out(const struct scaling_state *s)
{
	struct scaling_plan plan = {SCALING_STAY, s->current, 0};

	for (size_t i = 0; i < s->n; i++) {
		const struct scaling_policy_state *p = &s->policies[i];
		bool cooling = s->out_at && s->out_policy == i &&
		    s->now < s->out_at + p->out_cooldown;
		int64_t want;

		if (!is_high(s, p))
			continue;
		want = needed(cooling ? s->out_from : s->current,
		    p->values[0].v, p->target);
		if (want > plan.to)
			plan = (struct scaling_plan){SCALING_OUT, want, i};
	}
	if (plan.what == SCALING_STAY || s->out_suspended)
		return (struct scaling_plan){SCALING_STAY, s->current, 0};
	plan.to = MIN(MAX(plan.to, s->min), s->max);
	if (plan.to <= s->current)
		plan.what = SCALING_AT_MAX;
	return plan;
}

static bool
in_blocked(const struct scaling_state *s)
{
	return s->deploying || s->in_suspended ||
	    (s->in_at && s->in_at > s->out_at &&
		s->now < s->in_at + s->in_cooldown);
}

static struct scaling_plan
in(const struct scaling_state *s)
{
	const struct scaling_plan stay = {SCALING_STAY, s->current, 0};
	struct scaling_plan plan = {SCALING_IN, 1, s->n};
	double max;

	for (size_t i = 0; i < s->n; i++) {
		const struct scaling_policy_state *p = &s->policies[i];
		int64_t want;

		if (is_high(s, p))
			return stay;
		if (p->no_scale_in)
			continue;
		if (!is_low(s, p, &max))
			return stay;
		want = needed(s->current, max, p->target);
		if (plan.policy == s->n || want > plan.to) {
			plan.to = MAX(want, plan.to);
			plan.policy = i;
		}
	}
	if (plan.policy == s->n || plan.to >= s->current || in_blocked(s))
		return stay;
	plan.to = MIN(MAX(plan.to, s->min), s->max);
	if (plan.to >= s->current)
		plan.what = SCALING_AT_MIN;
	return plan;
}

struct scaling_plan
scaling_plan(const struct scaling_state *s)
{
	struct scaling_plan plan = out(s);

	return plan.what == SCALING_STAY ? in(s) : plan;
}
