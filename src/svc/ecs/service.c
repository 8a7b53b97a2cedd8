/* Services: create, update, delete.  The rollout is the work of
 * src/ctl/service.c; here a deployment and its frozen revision are written. */
#include "svc/ecs/service.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/elbv2/kinds.h"

#define INVALID "InvalidParameterException"

int
service_get(struct call *c, struct span cluster, struct span ref,
    struct res **ret)
{
	struct span name = ref_tail(ref, "service");
	ptrdiff_t slash = span_chr(name, '/');

	if (slash >= 0) {
		cluster = span_to(name, (size_t)slash);
		name = span_from(name, (size_t)slash + 1);
	}
	return store_get(c->store, c->arena, &ecs_service, c->scope, cluster,
	    name, ret);
}

struct span
service_status(const struct res *svc)
{
	struct span s = doc_get_str(svc->status, "status");

	return span_is(s, "INACTIVE") ? s : doc_get_str(svc->spec, "status");
}

/* Checks of the input */

static struct reply *
check_numbers(struct call *c)
{
	static const char *const names[] = {"desiredCount",
		"healthCheckGracePeriodSeconds"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (doc_get_int(c->in, names[i], 0) < 0)
			return reply_error(c, INVALID,
			    "Invalid %s, must be non-negative.", names[i]);
	return NULL;
}

static struct reply *
check_unimplemented(struct call *c)
{
	static const char *const names[] = {"serviceConnectConfiguration",
		"serviceRegistries", "volumeConfigurations",
		"vpcLatticeConfigurations"};
	struct span controller =
	    doc_get_str(doc_get(c->in, "deploymentController"), "type");
	const struct doc *config = doc_get(c->in, "deploymentConfiguration");
	struct span strategy = doc_get_str(config, "strategy");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct doc *v = doc_get(c->in, names[i]);

		if (doc_len(v) &&
		    (doc_type(v) != DOC_OBJ || doc_get_bool(v, "enabled", true)))
			return reply_not_implemented(c, "%s", names[i]);
	}
	if (controller.n && !span_is(controller, "ECS"))
		return reply_not_implemented(c, "deploymentController.type "
		    "%.*s", SPAN_ARG(controller));
	if (strategy.n && !span_is(strategy, "ROLLING"))
		return reply_not_implemented(c, "deploymentConfiguration."
		    "strategy %.*s", SPAN_ARG(strategy));
	if (doc_get_bool(doc_get(config, "alarms"), "enable", false))
		return reply_not_implemented(c,
		    "deploymentConfiguration.alarms");
	if (doc_len(doc_get(config, "lifecycleHooks")))
		return reply_not_implemented(c,
		    "deploymentConfiguration.lifecycleHooks");
	if (span_is(doc_get_str(c->in, "schedulingStrategy"), "DAEMON"))
		return reply_error(c, INVALID,
		    "The daemon scheduling strategy is not supported with "
		    "launch type FARGATE.");
	return NULL;
}

static struct reply *
check_percents(struct call *c, struct doc *spec)
{
	const struct doc *given = doc_get(c->in, "deploymentConfiguration");
	struct doc *own = doc_get(spec, "deploymentConfiguration"), *cb;
	int64_t min, max;

	if (!own)
		own = doc_get(doc_set(c->arena, spec,
				  "deploymentConfiguration",
				  doc_obj(c->arena)),
		    "deploymentConfiguration");
	doc_each_key(k, v, given)
		doc_setn(c->arena, own, k, doc_copy(c->arena, v));
	min = doc_get_int(own, "minimumHealthyPercent", 100);
	max = doc_get_int(own, "maximumPercent", 200);
	if (min < 0 || min > 100 || max < 100 || (min == 100 && max == 100))
		return reply_error(c, INVALID,
		    "Both maximumPercent and minimumHealthyPercent cannot be "
		    "100 as this will block deployments, and maximumPercent "
		    "must be at least 100.");
	doc_set_int(c->arena, own, "minimumHealthyPercent", min);
	doc_set_int(c->arena, own, "maximumPercent", max);
	if (!doc_get(own, "deploymentCircuitBreaker")) {
		cb = doc_obj(c->arena);
		doc_set_bool(c->arena, cb, "enable", false);
		doc_set_bool(c->arena, cb, "rollback", false);
		doc_set(c->arena, own, "deploymentCircuitBreaker", cb);
	}
	doc_set_str(c->arena, own, "strategy", SPAN("ROLLING"));
	return NULL;
}

static struct reply *
check_balancer(struct call *c, const struct doc *lb, const struct doc *def)
{
	struct span arn = doc_get_str(lb, "targetGroupArn");
	struct span name = doc_get_str(lb, "containerName");
	int64_t port = doc_get_int(lb, "containerPort", 0);
	const struct doc *k = taskdef_container(def, name);
	bool found = false;
	struct res *tg;
	int e;

	if (doc_get_str(lb, "loadBalancerName").n)
		return reply_not_implemented(c, "loadBalancers."
		    "loadBalancerName (Classic Load Balancer)");
	if (doc_len(doc_get(lb, "advancedConfiguration")))
		return reply_not_implemented(c,
		    "loadBalancers.advancedConfiguration");
	if (!k)
		return reply_error(c, INVALID,
		    "The container %.*s does not exist in the task definition.",
		    SPAN_ARG(name));
	doc_each(p, doc_get(k, "portMappings"))
		found |= doc_get_int(p, "containerPort", 0) == port;
	if (!found)
		return reply_error(c, INVALID,
		    "The container %.*s did not have a container port %lld "
		    "defined.", SPAN_ARG(name), (long long)port);
	e = store_get_arn(c->store, c->arena, arn, &tg);
	if (e < 0)
		return reply_failure(c, e);
	if (e || tg->kind != &elbv2_target_group)
		return reply_error(c, INVALID,
		    "The specified target group does not exist: %.*s",
		    SPAN_ARG(arn));
	if (!span_is(doc_get_str(tg->spec, "TargetType"), "ip"))
		return reply_error(c, INVALID,
		    "The provided target group %.*s has target type %.*s, "
		    "which is incompatible with the awsvpc network mode "
		    "specified in the task definition.", SPAN_ARG(arn),
		    SPAN_ARG(doc_get_str(tg->spec, "TargetType")));
	return NULL;
}

/* A group works once a listener or rule forwards to it. */
static struct reply *
check_attached(struct call *c, struct span arn)
{
	const struct kind *const kinds[] = {&elbv2_listener, &elbv2_rule};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct query q = {.kind = kinds[i], .scope = c->scope,
			.any_parent = true};
		struct res_list l;
		int e = store_list(c->store, c->arena, &q, &l);

		if (e)
			return reply_failure(c, err_fold(e));
		for (size_t j = 0; j < l.n; j++)
			if (doc_has_str(doc_get(l.v[j]->spec,
					    "TargetGroupArns"), arn))
				return NULL;
	}
	return reply_error(c, INVALID,
	    "The target group with targetGroupArn %.*s does not have an "
	    "associated load balancer.", SPAN_ARG(arn));
}

static void
note_groups(struct call *c, struct doc *spec)
{
	struct doc *groups = doc_arr(c->arena);

	doc_each(lb, doc_get(spec, "loadBalancers"))
		doc_push_str(c->arena, groups,
		    doc_get_str(lb, "targetGroupArn"));
	doc_set(c->arena, spec, "TargetGroups", groups);
}

static struct reply *
check_balancers(struct call *c, const struct doc *def, struct doc *spec)
{
	const struct doc *lbs = doc_get(spec, "loadBalancers");
	struct reply *bad;

	if (doc_len(lbs) > 5)
		return reply_error(c, INVALID,
		    "load balancers can have at most 5 items.");
	doc_each(lb, lbs)
		if ((bad = check_balancer(c, lb, def)) ||
		    (bad = check_attached(c,
			 doc_get_str(lb, "targetGroupArn"))))
			return bad;
	note_groups(c, spec);
	if (doc_get(c->in, "healthCheckGracePeriodSeconds") && !doc_len(lbs))
		return reply_error(c, INVALID,
		    "Health check grace period is only valid for services "
		    "configured to use load balancers");
	return NULL;
}

/* Deployments */

static char *
digits(struct arena *a, size_t n)
{
	char *s = id_hex(a, n);

	for (char *p = s; *p; p++)
		*p = (char)('0' + (*p >= 'a' ? *p - 'a' + 1 : *p - '0'));
	if (*s == '0')
		*s = '7';
	return s;
}

static void
copy(struct arena *a, struct doc *to, const struct doc *from, const char *name)
{
	if (doc_get(from, name))
		doc_set(a, to, name, doc_copy(a, doc_get(from, name)));
}

/* Freezes the service's present configuration as a revision, and orders its
 * deployment.  spec.Deployment names the newest. */
static const char *const frozen[] = {"taskDefinition", "launchType",
	"capacityProviderStrategy", "platformVersion", "platformFamily",
	"networkConfiguration", "loadBalancers"};

static int
deploy(struct call *c, struct res *svc)
{
	struct arena *a = c->arena;
	struct span parent = arena_fmt_span(a, "%.*s/%.*s",
	    SPAN_ARG(svc->parent), SPAN_ARG(svc->id));
	struct res *rev = res_new(a, &ecs_service_revision, c->scope, parent,
	    span_of(digits(a, 19)));
	struct res *dep = res_new(a, &ecs_service_deployment, c->scope, parent,
	    span_of(id_hex(a, 21)));
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(frozen); i++) {
		copy(a, rev->spec, svc->spec, frozen[i]);
		copy(a, dep->spec, svc->spec, frozen[i]);
	}
	doc_set_time(a, rev->spec, "createdAt", clock_ms());
	doc_setf(a, dep->spec, "id", "ecs-svc/%s", digits(a, 19));
	doc_set_str(a, dep->spec, "Revision", rev->id);
	copy(a, dep->spec, svc->spec, "SourceRevision");
	if (doc_get(svc->spec, "Deployment"))
		doc_set_str(a, dep->spec, "Source",
		    doc_get_str(svc->spec, "Deployment"));
	doc_set_time(a, dep->spec, "createdAt", clock_ms());
	doc_set_str(a, dep->status, "rolloutState", SPAN("IN_PROGRESS"));
	doc_setf(a, dep->status, "rolloutStateReason",
	    "ECS deployment %.*s in progress.",
	    SPAN_ARG(doc_get_str(dep->spec, "id")));
	doc_set_time(a, dep->status, "updatedAt", clock_ms());
	if ((e = store_insert(c->store, a, rev)) ||
	    (e = store_insert(c->store, a, dep)))
		return err_fold(e);
	doc_set_str(a, svc->spec, "Deployment", doc_get_str(dep->spec, "id"));
	doc_set_str(a, svc->spec, "SourceRevision", rev->id);
	return 0;
}

/* CreateService */

static struct reply *
reply_service(struct call *c, const struct res *svc)
{
	struct doc *out = doc_obj(c->arena);

	doc_set(c->arena, out, "service", service_view(c, svc));
	return reply_ok(c, out);
}

/* What was asked for, whatever the token: the same again is no mistake. */
static struct span
input_hash(struct call *c)
{
	struct doc *in = doc_copy(c->arena, c->in);

	doc_del(in, "clientToken");
	return span_of(sha256_hex(c->arena, doc_json(c->arena, in)));
}

/* The name may be free, taken, or still draining. */
static struct reply *
check_name(struct call *c, const struct res *cluster, struct span name)
{
	struct res *old;
	int e = service_get(c, cluster->id, name, &old);

	if (e == STORE_E_NOT_FOUND)
		return NULL;
	if (e)
		return reply_failure(c, e);
	if (span_is(service_status(old), "ACTIVE")) {
		if (span_eq(doc_get_str(old->spec, "InputHash"), input_hash(c)))
			return reply_service(c, old);
		return reply_error(c, INVALID,
		    "Creation of service was not idempotent.");
	}
	if (span_is(service_status(old), "DRAINING"))
		return reply_error(c, INVALID,
		    "Unable to Start a service that is still Draining.");
	e = store_delete(c->store, old);
	return e ? reply_failure(c, err_fold(e)) : NULL;
}

static void
fill_service(struct call *c, struct doc *spec)
{
	static const char *const as_sent[] = {"loadBalancers",
		"healthCheckGracePeriodSeconds", "enableECSManagedTags",
		"propagateTags", "availabilityZoneRebalancing"};
	struct arena *a = c->arena;
	struct doc *controller = doc_obj(a);

	for (size_t i = 0; i < ARRAY_SIZE(as_sent); i++)
		copy(a, spec, c->in, as_sent[i]);
	doc_set_str(a, controller, "type", SPAN("ECS"));
	doc_set(a, spec, "deploymentController", controller);
	doc_set_str(a, spec, "schedulingStrategy", SPAN("REPLICA"));
	doc_set_str(a, spec, "status", SPAN("ACTIVE"));
	doc_set_int(a, spec, "desiredCount",
	    doc_get_int(c->in, "desiredCount", 1));
	doc_set_time(a, spec, "createdAt", clock_ms());
	doc_set_str(a, spec, "createdBy", c->who.arn);
	if (!doc_get(spec, "propagateTags"))
		doc_set_str(a, spec, "propagateTags", SPAN("NONE"));
	if (!doc_get(spec, "availabilityZoneRebalancing"))
		doc_set_str(a, spec, "availabilityZoneRebalancing",
		    SPAN("DISABLED"));
	if (!doc_get(spec, "loadBalancers"))
		doc_set(a, spec, "loadBalancers", doc_arr(a));
}

struct reply *
create_service(struct call *c)
{
	struct arena *a = c->arena;
	struct span name = doc_get_str(c->in, "serviceName");
	struct res *cluster = NULL, *def = NULL, *svc;
	struct refusal why;
	struct reply *bad;
	int e;

	if (!ecs_name_ok(name))
		return reply_error(c, INVALID,
		    "Service name contains invalid characters.");
	if (!doc_get_str(c->in, "taskDefinition").n)
		return reply_error(c, INVALID,
		    "TaskDefinition can not be blank.");
	if ((bad = check_numbers(c)))
		return bad;
	if (doc_get_str(c->in, "role").n)
		return reply_error(c, INVALID,
		    "You cannot specify an IAM role for services that require "
		    "a service linked role.");
	if (!ecs_tags_check(a, doc_get(c->in, "tags"), c->who.system, &why))
		return reply_refusal(c, &why);
	if ((bad = check_unimplemented(c)) ||
	    (bad = cluster_find(c, true, &cluster)) ||
	    (bad = taskdef_find(c, false,
		 doc_get_str(c->in, "taskDefinition"), &def)))
		return bad;
	svc = res_new(a, &ecs_service, c->scope, cluster->id, name);
	doc_set_str(a, svc->spec, "serviceName", name);
	doc_set_str(a, svc->spec, "InputHash", input_hash(c));
	doc_set_str(a, svc->spec, "clusterArn", cluster->arn);
	doc_set_str(a, svc->spec, "taskDefinition", def->arn);
	fill_service(c, svc->spec);
	if ((bad = launch_check(c, c->in, cluster, def->spec, svc->spec)) ||
	    (bad = check_percents(c, svc->spec)) ||
	    (bad = check_balancers(c, def->spec, svc->spec)) ||
	    (bad = check_name(c, cluster, name)))
		return bad;
	if ((e = deploy(c, svc)) || (e = store_insert(c->store, a, svc)) ||
	    (e = ecs_tags_put(c, svc, doc_get(c->in, "tags"))))
		return reply_failure(c, err_fold(e));
	return reply_service(c, svc);
}

/* UpdateService */

static struct reply *
find_service(struct call *c, struct res **ret_cluster, struct res **ret)
{
	struct span ref = doc_get_str(c->in, "service");
	struct res *cluster = NULL, *svc;
	struct reply *bad;
	int e;

	if ((bad = cluster_find(c, false, &cluster)) ||
	    (bad = ref_check(c, ref)))
		return bad;
	e = service_get(c, cluster->id, ref, &svc);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, "ServiceNotFoundException",
		    "Service not found.");
	*ret_cluster = cluster;
	*ret = svc;
	return NULL;
}

/* After a roll-back the service is what the deployment in force says, not what
 * the failed one wanted. */
static int
accept_rollback(struct call *c, struct res *svc)
{
	struct query q = {.kind = &ecs_service_deployment, .scope = c->scope,
		.any_parent = true, .index = "spec.id",
		.value = service_primary(svc)};
	struct res_list l;
	int e;

	if (span_eq(q.value, doc_get_str(svc->spec, "Deployment")))
		return 0;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return err_fold(e);
	if (!l.n)
		return err_origin(ENOENT, "no deployment %.*s",
		    SPAN_ARG(q.value));
	for (size_t i = 0; i < ARRAY_SIZE(frozen); i++) {
		doc_del(svc->spec, frozen[i]);
		copy(c->arena, svc->spec, l.v[0]->spec, frozen[i]);
	}
	note_groups(c, svc->spec);
	return 0;
}

/* What of the input makes a new deployment, put over the present spec. */
static bool
changes(struct call *c, struct res *svc, struct doc *launch)
{
	static const char *const names[] = {"launchType",
		"capacityProviderStrategy", "platformVersion",
		"networkConfiguration", "loadBalancers"};
	bool any = doc_true(doc_get(c->in, "forceNewDeployment"));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (doc_get(c->in, names[i])) {
			/* CloudFormation says again what has not changed. */
			any |= !doc_eq(doc_get(c->in, names[i]),
			    doc_get(svc->spec, names[i]));
			copy(c->arena, launch, c->in, names[i]);
		} else {
			copy(c->arena, launch, svc->spec, names[i]);
		}
	}
	if (doc_get(c->in, "capacityProviderStrategy"))
		doc_del(launch, "launchType");
	return any;
}

static struct reply *
change_service(struct call *c, struct res *cluster, struct res *svc)
{
	struct span ref = doc_get_str(c->in, "taskDefinition");
	struct doc *launch = doc_obj(c->arena);
	bool any = changes(c, svc, launch);
	struct res *def = NULL;
	struct reply *bad;
	int e;

	if (ref.n) {
		if ((bad = taskdef_find(c, false, ref, &def)))
			return bad;
		any |= !span_eq(def->arn,
		    doc_get_str(svc->spec, "taskDefinition"));
		doc_set_str(c->arena, svc->spec, "taskDefinition", def->arn);
	}
	if (!any)
		return NULL;
	if (!def &&
	    (e = store_get_arn(c->store, c->arena,
		 doc_get_str(svc->spec, "taskDefinition"), &def)))
		return reply_failure(c, err_fold(e));
	doc_del(svc->spec, "launchType");
	doc_del(svc->spec, "capacityProviderStrategy");
	copy(c->arena, svc->spec, launch, "loadBalancers");
	if ((bad = launch_check(c, launch, cluster, def->spec, svc->spec)) ||
	    (bad = check_balancers(c, def->spec, svc->spec)))
		return bad;
	e = deploy(c, svc);
	return e ? reply_failure(c, e) : NULL;
}

struct reply *
update_service(struct call *c)
{
	static const char *const plain[] = {"desiredCount",
		"healthCheckGracePeriodSeconds", "enableECSManagedTags",
		"propagateTags", "availabilityZoneRebalancing"};
	struct res *cluster = NULL, *svc = NULL;
	struct reply *bad;
	int e;

	if ((bad = check_unimplemented(c)) ||
	    (bad = find_service(c, &cluster, &svc)))
		return bad;
	if (!span_is(service_status(svc), "ACTIVE"))
		return reply_error(c, "ServiceNotActiveException",
		    "Service was not ACTIVE.");
	if (doc_true(doc_get(c->in, "enableExecuteCommand")))
		return reply_not_implemented(c, "enableExecuteCommand");
	if ((bad = check_numbers(c)))
		return bad;
	if ((e = accept_rollback(c, svc)))
		return reply_failure(c, e);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		copy(c->arena, svc->spec, c->in, plain[i]);
	if ((bad = check_percents(c, svc->spec)) ||
	    (bad = change_service(c, cluster, svc)))
		return bad;
	if ((e = store_put_spec(c->store, svc)))
		return reply_failure(c, err_fold(e));
	return reply_service(c, svc);
}

struct reply *
delete_service(struct call *c)
{
	struct res *cluster = NULL, *svc = NULL;
	struct reply *bad = find_service(c, &cluster, &svc);
	int e;

	if (bad)
		return bad;
	if (span_is(service_status(svc), "INACTIVE"))
		return reply_error(c, "ServiceNotFoundException",
		    "Service not found.");
	if (doc_get_int(svc->spec, "desiredCount", 0) > 0 &&
	    !doc_true(doc_get(c->in, "force")))
		return reply_error(c, INVALID,
		    "The service cannot be stopped while it is scaled above "
		    "0.");
	doc_set_str(c->arena, svc->spec, "status", SPAN("DRAINING"));
	doc_set_int(c->arena, svc->spec, "desiredCount", 0);
	if ((e = store_put_spec(c->store, svc)))
		return reply_failure(c, err_fold(e));
	return reply_service(c, svc);
}
