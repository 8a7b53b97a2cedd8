/* The kinds of the ecs service: names, ARNs, what they are looked up by. */
#include "svc/ecs/kinds.h"

#define INDEX(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool
cluster_ended(const struct res *r)
{
	return span_is(doc_get_str(r->spec, "status"), "INACTIVE");
}

static bool
service_ended(const struct res *r)
{
	return span_is(doc_get_str(r->status, "status"), "INACTIVE");
}

static bool
task_ended(const struct res *r)
{
	return span_is(doc_get_str(r->status, "lastStatus"), "STOPPED");
}

const struct kind ecs_cluster = {
	.name = "ecs.cluster",
	.arn = "arn:aws:ecs:{region}:{account}:cluster/{id}",
	.ended = cluster_ended,
};

const struct kind ecs_task_definition = {
	.name = "ecs.task-definition",
	.arn = "arn:aws:ecs:{region}:{account}:task-definition/{id}",
	.index = INDEX("spec.family"),
};

const struct kind ecs_service = {
	.name = "ecs.service",
	.arn = "arn:aws:ecs:{region}:{account}:service/{parent}/{id}",
	.index = INDEX("spec.TargetGroups"),
	.ended = service_ended,
};

const struct kind ecs_service_deployment = {
	.name = "ecs.service-deployment",
	.arn = "arn:aws:ecs:{region}:{account}:service-deployment/{parent}/{id}",
	.index = INDEX("spec.id"),
	.untaggable = true,
};

const struct kind ecs_service_revision = {
	.name = "ecs.service-revision",
	.arn = "arn:aws:ecs:{region}:{account}:service-revision/{parent}/{id}",
	.untaggable = true,
};

const struct kind ecs_task = {
	.name = "ecs.task",
	.arn = "arn:aws:ecs:{region}:{account}:task/{parent}/{id}",
	.index = INDEX("spec.ServiceName", "spec.startedBy", "spec.group",
	    "status.LiveIn", "status.lastStatus"),
	.ended = task_ended,
};

const struct kind ecs_account_setting = {
	.name = "ecs.account-setting",
};

const struct kind ecs_run_token = {
	.name = "ecs.run-token",
};

const struct kind *const ecs_kinds[] = {
	&ecs_cluster,
	&ecs_task_definition,
	&ecs_service,
	&ecs_service_deployment,
	&ecs_service_revision,
	&ecs_task,
	&ecs_account_setting,
	&ecs_run_token,
	NULL,
};
