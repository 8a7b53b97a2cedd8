/*
 * What the files of the ecs service share.
 *
 * Functions that look something up for a handler return NULL when all is
 * well, else the reply that the handler must return.  Checks that need no
 * store are pure: they return false and fill a struct refusal.
 */
#pragma once

#include "api/op.h"
#include "svc/ecs/kinds.h"

/* Why an input is refused. */
struct refusal {
	bool unimplemented;	/* 501 that names it; else an error: */
	const char *code;	/* AWS error code */
	const char *text;
};
/* Both return false, so that a check can end with them. */
bool refuse(struct refusal *r, struct arena *a, const char *code,
    const char *fmt, ...) PRINTF(4, 5);
bool refuse_unimplemented(struct refusal *r, struct arena *a, const char *fmt,
    ...) PRINTF(3, 4);
struct reply *reply_refusal(struct call *c, const struct refusal *r);

/* References */

/* The part of an ARN after ":type/", or ref itself when it is no ARN.  An ARN
 * of another type gives the empty span. */
struct span ref_tail(struct span ref, const char *type);
/* Region and account of an ARN must be the call's; names pass. */
struct reply *ref_check(struct call *c, struct span ref);
/* The rule for names of clusters and services: 1 to 255 ASCII letters, digits,
 * underscores and hyphens (API_CreateCluster, API_CreateService). */
bool ecs_name_ok(struct span name);
/* The input member "cluster", or "default". */
struct span cluster_name(struct call *c);
/* An ACTIVE cluster by the input member "cluster"; the one named default is
 * made when it is not there and create says so. */
struct reply *cluster_find(struct call *c, bool create, struct res **ret);
/* The service `ref` names in the cluster; STORE_E_NOT_FOUND or negative. */
int service_get(struct call *c, struct span cluster, struct span ref,
    struct res **ret);
int task_get(struct call *c, struct span cluster, struct span ref,
    struct res **ret);
/* By family, family:revision or ARN; family alone: newest ACTIVE revision. */
int taskdef_get(struct call *c, struct span ref, struct res **ret);
/* The same for a task or service to run it: NULL, or the refusal. */
struct reply *taskdef_find(struct call *c, bool inactive_too, struct span ref,
    struct res **ret);

/* {arn, reason: "MISSING"} appended to failures. */
void failure_add(struct call *c, struct doc *failures, struct span arn,
    const char *reason);

/* Tags */
bool ecs_tags_check(struct arena *a, const struct doc *tags, bool system,
    struct refusal *ret);
int ecs_tags_put(struct call *c, const struct res *r, const struct doc *tags);
/* [{key, value}] */
int tags_list(struct call *c, const struct res *r, struct doc **ret);
/* Is `what` in the input's "include"? */
bool includes(struct call *c, const char *what);

/* Pagination over a store query: fn says whether a resource belongs to the
 * answer and appends one value to list if so.  Reads maxResults (default and maximum given)
 * and nextToken; puts nextToken into out. */
typedef bool (*page_fn)(struct call *c, struct res *r, struct doc *list,
    void *ctx);
struct reply *page_walk(struct call *c, struct query *q, size_t def,
    size_t max, page_fn fn, void *ctx, struct doc *list, struct doc *out);

/* Task definitions (taskdef-check.c, taskdef-fill.c: pure) */
bool taskdef_check(struct arena *a, const struct doc *in, struct refusal *ret);
/* "256", "0.25 vCPU", "1 vcpu" → cpu units; "512", "0.5 GB" → MiB. */
bool taskdef_cpu(struct span s, int64_t *ret);
bool taskdef_memory(struct span s, int64_t *ret);
bool fargate_size(int64_t cpu, int64_t memory);
/* AWS's words for a pair that is none; both as long long. */
#define FARGATE_NO_SIZE                                                   \
	"No Fargate configuration exists for given values: %lld CPU, "    \
	"%lld memory. See the Amazon ECS documentation for the valid "    \
	"values."
/* The spec as DescribeTaskDefinition shows it, without ARN and revision. */
struct doc *taskdef_fill(struct arena *a, const struct doc *in);
/* taskdef-secrets.c: the form of a container's secrets; role: the execution
 * role, or empty. */
bool taskdef_check_secrets(struct arena *a, const struct doc *container,
    struct span role, struct refusal *ret);
/* Is no secret of the container named as a variable of the environment? */
bool taskdef_secrets_alone(struct arena *a, const struct doc *container,
    const struct doc *environment, struct refusal *ret);
const struct doc *taskdef_container(const struct doc *def, struct span name);

/* What holds for the caller: the principal's value, the account's, AWS's. */
int account_setting(struct call *c, const char *name, struct span *ret);

/* Launch parameters that services and RunTask share (launch.c) */

/* launchType, capacityProviderStrategy, platformVersion and
 * networkConfiguration of `in` against the definition, the cluster and ec2;
 * puts them, completed, into spec. */
struct reply *launch_check(struct call *c, const struct doc *in,
    const struct res *cluster, const struct doc *def, struct doc *spec);

/* Views */
struct doc *service_view(struct call *c, const struct res *svc);
struct doc *task_view(struct call *c, const struct res *task);

/* Handlers, by file */
typedef struct reply *ecs_handler(struct call *c);
ecs_handler create_cluster, describe_clusters, list_clusters, update_cluster,
    update_cluster_settings, delete_cluster, put_cluster_capacity_providers,
    describe_capacity_providers;
ecs_handler register_task_definition, describe_task_definition,
    deregister_task_definition, delete_task_definitions,
    list_task_definitions, list_task_definition_families;
ecs_handler create_service, update_service, delete_service,
    describe_services, list_services;
ecs_handler describe_service_deployments, describe_service_revisions,
    list_service_deployments;
ecs_handler run_task, start_task, stop_task, describe_tasks, list_tasks;
ecs_handler list_container_instances, describe_container_instances,
    list_attributes;
ecs_handler tag_resource, untag_resource, list_tags_for_resource;
ecs_handler list_account_settings, put_account_setting,
    put_account_setting_default, delete_account_setting;
