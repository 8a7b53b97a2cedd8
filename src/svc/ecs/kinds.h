/*
 * What the ecs service keeps in the store.
 *
 * ecs.cluster		parent none, id = name.  All in spec; spec.status is
 *			ACTIVE or INACTIVE.
 * ecs.task-definition	parent none, id = "family:revision".  spec is what
 *			DescribeTaskDefinition shows, defaults filled in.
 * ecs.service		parent = cluster name, id = service name.  spec is what
 *			was asked for; spec.Deployment names the newest
 *			ecs.service-deployment.  status (by ctl_service):
 *			{status, runningCount, pendingCount, events[],
 *			Primary: the deployment in force after a roll-back}.
 * ecs.service-deployment  parent = "cluster/service".  spec {id "ecs-svc/…",
 *			Revision: id of the service revision, …}; status (by
 *			ctl_service): {rolloutState, rolloutStateReason, …}.
 * ecs.service-revision	parent = "cluster/service".  spec: the frozen
 *			configuration; status.Images (by ctl_task): {container:
 *			{image, imageDigest}} pinned by the first task.
 * ecs.task		parent = cluster name, id = 32 hex.  spec is what
 *			RunTask was told, spec.desiredStatus (written by
 *			StopTask) included.  status (by ctl_task; its first
 *			value by RunTask): {lastStatus, desiredStatus,
 *			LiveIn: service name while not STOPPED, …,
 *			Eni: {…}, Containers: [{name, lastStatus, exitCode, …,
 *			RuntimeContainer: "<task>-<n>", LogGroup, LogStream,
 *			LogRegion, LogAccount, LogPattern?: the expression
 *			that the first line of an event matches}]}.
 * ecs.account-setting	parent = principal ARN, id = setting.
 * ecs.run-token	parent none, id = clientToken: what RunTask did for it.
 *
 * Members with an upper-case initial are ours; the others are AWS's.
 */
#pragma once

#include "store/store.h"

extern const struct kind ecs_cluster;
extern const struct kind ecs_task_definition;
extern const struct kind ecs_service;
extern const struct kind ecs_service_deployment;
extern const struct kind ecs_service_revision;
extern const struct kind ecs_task;
extern const struct kind ecs_account_setting;
extern const struct kind ecs_run_token;

extern const struct kind *const ecs_kinds[];
