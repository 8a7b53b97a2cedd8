/*
 * What target tracking makes of a service.  Pure.
 *
 * https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
 *
 *  - A policy wants more when the 3 newest datapoints are all above the target,
 *    and less when the 15 newest are all below 90 % of it.  Without enough of
 *    them, or with old ones only, it wants nothing: missing data is not low use.
 *  - It wants the capacity that would bring the metric to the target, rounded
 *    up.  Out goes by the newest datapoint, as fast as it can; in, which is to
 *    be gradual, by the greatest of the 15.
 *  - Of several policies the largest capacity wins.  In only when none wants out
 *    and all that may scale in want it.
 *  - During a policy's scale-out cool-down it scales out again only for more
 *    than it has brought already, counted from where it began.  A scale-in
 *    cool-down blocks scaling in; scaling out ends it.
 *  - While a deployment is under way nothing is scaled in.
 *  - Results are within the bounds.  A count set by hand outside of them stays
 *    until a policy acts towards them: below the minimum a scale-out raises it
 *    to that at least, above the maximum a scale-in lowers it to that at least.
 *
 * In is never to 0, for a service without tasks has no metric to come back by.
 * So a service that a schedule had shut down (0/0) and that was woken with one
 * task stays awake, until the schedule speaks again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCALING_OUT_POINTS 3
#define SCALING_IN_POINTS  15

struct scaling_value {
	int64_t time; /* ms: when its period began */
	double v;
};

struct scaling_policy_state {
	double target;
	int64_t out_cooldown, in_cooldown; /* ms */
	bool no_scale_in;
	const struct scaling_value *values; /* newest first */
	size_t n;
};

struct scaling_state {
	int64_t now, period; /* ms */
	int64_t current, min, max;
	bool deploying;
	bool out_suspended, in_suspended;
	const struct scaling_policy_state *policies;
	size_t n;
	/* The last scale-out: when (0: never), from what, which policy (n:
	 * one that is gone).  The same of the last scale-in; its cool-down. */
	int64_t out_at, out_from;
	size_t out_policy;
	int64_t in_at, in_cooldown;
};

enum scaling_what {
	SCALING_STAY,
	SCALING_OUT,
	SCALING_IN,
	SCALING_AT_MAX, /* out was wanted, and there is no room */
	SCALING_AT_MIN, /* the same of in */
};

struct scaling_plan {
	enum scaling_what what;
	int64_t to;    /* with SCALING_OUT and SCALING_IN */
	size_t policy; /* that decided; unless SCALING_STAY */
};

struct scaling_plan scaling_plan(const struct scaling_state *s);
