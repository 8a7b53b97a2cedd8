/* The operations of Application Auto Scaling.  One that is not listed answers
 * as not implemented. */
#include "svc/application-autoscaling/scaling.h"

#define KEY "ServiceNamespace ResourceId ScalableDimension "

static const struct op_row ops[] = {
	{"RegisterScalableTarget", scaling_register_target, NULL},
	{"DescribeScalableTargets", scaling_describe_targets, NULL},
	{"DeregisterScalableTarget", scaling_deregister_target, NULL},
	{"PutScalingPolicy", scaling_put_policy,
	    KEY "PolicyName PolicyType "
	    "TargetTrackingScalingPolicyConfiguration"},
	{"DescribeScalingPolicies", scaling_describe_policies, NULL},
	{"DeleteScalingPolicy", scaling_delete_policy, NULL},
	{"PutScheduledAction", scaling_put_action, NULL},
	{"DescribeScheduledActions", scaling_describe_actions, NULL},
	{"DeleteScheduledAction", scaling_delete_action, NULL},
	{"DescribeScalingActivities", scaling_describe_activities, NULL},
	{"TagResource", scaling_tag_resource, NULL},
	{"UntagResource", scaling_untag_resource, NULL},
	{"ListTagsForResource", scaling_list_tags, NULL},
	{NULL, NULL, NULL},
};

const struct service scaling_service = {
	.name = "application-autoscaling",
	.ops = ops,
	.kinds = scaling_kinds,
	.types = scaling_types,
};
