/*
 * What Application Auto Scaling keeps in the store.
 *
 * ...scalable-target	parent none, id = 36 letters and digits.  spec
 *			{ServiceNamespace, ResourceId, ScalableDimension,
 *			MinCapacity, MaxCapacity, RoleARN, SuspendedState,
 *			CreationTime, Round: grows with every registration, for
 *			then the capacity is brought within the bounds}.
 *			status (by ctl_scaling): {Round: the one that was seen
 *			to, Activity: id of the one under way, Evaluated (ms),
 *			Out: {At (ms), From, Policy}, In: {At, Policy},
 *			NotScaled: what was told last}.
 * ...scaling-policy	parent = target id, id = policy name.  spec {PolicyARN,
 *			PolicyType, TargetTrackingScalingPolicyConfiguration,
 *			CreationTime, AlarmHigh, AlarmLow: names of the alarms
 *			that causes speak of}.
 * ...scheduled-action	parent = target id, id = name.  spec
 *			{ScheduledActionARN, Schedule, Timezone?, StartTime?,
 *			EndTime?, ScalableTargetAction, CreationTime, Since
 *			(ms): it is due after this time only}.  status (by
 *			ctl_scaling): {Done (ms): the last due time seen to}.
 * ...scaling-activity	parent = ResourceId, id = a UUID.  status (by
 *			ctl_scaling): AWS's members.  Survives the target.
 */
#pragma once

#include "store/store.h"

extern const struct kind scaling_target;
extern const struct kind scaling_policy;
extern const struct kind scaling_action;
extern const struct kind scaling_activity;

extern const struct kind *const scaling_kinds[];
