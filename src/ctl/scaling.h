/*
 * Scaling: measure.c measures services and load balancers once in a period and
 * keeps datapoints (store/metrics.h); scaling.c runs scheduled actions, keeps
 * desired counts within bounds after a registration, and tracks targets.
 *
 * The setting "metric_period" is the period in seconds; 60, as AWS's, unless
 * said otherwise.  Cool-downs and schedules do not depend on it.
 */
#pragma once

#include "ctl/ctl.h"
#include "ctl/scaling-plan.h"
#include "store/metrics.h"
#include "svc/application-autoscaling/kinds.h"

extern const struct controller ctl_measure;
extern const struct controller ctl_scaling;

#define SCALING_PRINCIPAL "ecs.application-autoscaling.amazonaws.com"

/* ms */
int64_t metric_period(struct store *s);

/* How CloudWatch names what is measured; everything is the arena's. */
struct metric metric_of_service(struct arena *a, struct scope scope,
    const char *name, struct span cluster, struct span service);
/* lb: "app/NAME/ID"; group: "targetgroup/NAME/ID". */
struct metric metric_of_group(struct arena *a, struct scope scope,
    struct span lb, struct span group);

/* A target at work. */
struct scaling_run {
	struct ctl *ctl;
	struct arena *a;
	int64_t now;
	int64_t *again_ms;
	struct res *target;
	struct span resource;	/* "service/CLUSTER/NAME" */
	struct res *svc;
	bool dirty;		/* the target's status must be written */
};

/* scaling.c: an operation of Application Auto Scaling on the target. */
int scaling_call(struct scaling_run *v, const char *op, struct doc *in,
    struct op_result *ret);

/* scaling-activity.c */

/* Makes the desired count be so, and an activity that tells of it: one that is
 * under way until ecs has done it, or a failed one. */
int scaling_set(struct scaling_run *v, int64_t count, struct span cause);
/* Ends the activity under way, when ecs has done it or somebody wanted
 * another count meanwhile. */
int scaling_settle(struct scaling_run *v);
/* An activity that is over: text is its Description and, when it did not
 * fail, the end of "Successfully ...". */
int scaling_tell(struct scaling_run *v, struct span what, struct span cause,
    struct span failure);
/* Why an alarm led to nothing; code is AWS's, bound what it speaks of. */
int scaling_tell_stuck(struct scaling_run *v, struct span cause,
    const char *code, const char *bound);
void scaling_again(struct scaling_run *v, int64_t ms);

/* scaling-action.c: runs what is due; *ret: something was, so the target must
 * be read again.  Says when the next one is due. */
int scaling_actions(struct scaling_run *v, bool *ret);
/* scaling-track.c: target tracking, once for each new datapoint. */
int scaling_track(struct scaling_run *v);
