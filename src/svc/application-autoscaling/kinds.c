/* The kinds of Application Auto Scaling. */
#include "svc/application-autoscaling/kinds.h"

#define NAME "application-autoscaling."

static const char *const target_index[] = {"spec.ResourceId", NULL};

const struct kind scaling_target = {
	.name = NAME "scalable-target",
	.arn = "arn:aws:application-autoscaling:{region}:{account}:"
	    "scalable-target/{id}",
	.index = target_index,
};
const struct kind scaling_policy = {.name = NAME "scaling-policy"};
const struct kind scaling_action = {.name = NAME "scheduled-action"};
const struct kind scaling_activity = {.name = NAME "scaling-activity"};

const struct kind *const scaling_kinds[] = {
	&scaling_target, &scaling_policy, &scaling_action, &scaling_activity,
	NULL,
};
