/* Services as DescribeServices shows them; lists; deployments, revisions. */
#include "base/err.h"
#include "svc/ecs/service.h"

#define INVALID "InvalidParameterException"

static void
copy(struct arena *a, struct doc *to, const struct doc *from, const char *name)
{
	if (doc_get(from, name))
		doc_set(a, to, name, doc_copy(a, doc_get(from, name)));
}

static struct span
inner_parent(struct arena *a, const struct res *svc)
{
	return arena_fmt_span(a, "%.*s/%.*s", SPAN_ARG(svc->parent),
	    SPAN_ARG(svc->id));
}

struct span
service_primary(const struct res *svc)
{
	struct span newest = doc_get_str(svc->spec, "Deployment");
	const struct doc *back = doc_get(svc->status, "Primary");

	if (span_eq(doc_get_str(back, "Of"), newest))
		return doc_get_str(back, "Id");
	return newest;
}

static struct doc *
deployment_view(struct arena *a, const struct res *svc, const struct res *d,
    bool primary)
{
	struct doc *v = doc_copy(a, d->spec);

	doc_del(v, "loadBalancers");
	doc_each_key(k, m, d->status)
		doc_setn(a, v, k, doc_copy(a, m));
	doc_set_str(a, v, "status", primary ? SPAN("PRIMARY") : SPAN("ACTIVE"));
	if (primary)
		doc_set_int(a, v, "desiredCount",
		    doc_get_int(svc->spec, "desiredCount", 0));
	else if (!doc_get(v, "desiredCount"))
		doc_set_int(a, v, "desiredCount", 0);
	if (!doc_get(v, "runningCount"))
		doc_set_int(a, v, "runningCount", 0);
	if (!doc_get(v, "pendingCount"))
		doc_set_int(a, v, "pendingCount", 0);
	if (!doc_get(v, "failedTasks"))
		doc_set_int(a, v, "failedTasks", 0);
	return v;
}

/* Primary first; then those that still have tasks. */
static struct doc *
deployments(struct call *c, const struct res *svc, struct doc *view)
{
	struct arena *a = c->arena;
	struct doc *list = doc_arr(a), *rest = doc_arr(a);
	struct query q = {.kind = &ecs_service_deployment, .scope = c->scope,
		.parent = inner_parent(a, svc), .newest_first = true,
		.limit = 50};
	struct res_list l;

	if (store_list(c->store, a, &q, &l))
		return list;
	for (size_t i = 0; i < l.n; i++) {
		const struct res *d = l.v[i];

		if (span_eq(doc_get_str(d->spec, "id"), service_primary(svc))) {
			doc_push(list, deployment_view(a, svc, d, true));
			copy(a, view, d->spec, "taskDefinition");
			doc_set_str(a, view, "currentServiceDeployment",
			    d->arn);
		} else if (!doc_get(d->status, "Done")) {
			doc_push(rest, deployment_view(a, svc, d, false));
		}
	}
	doc_each(r, rest)
		doc_push(list, doc_copy(a, r));
	return list;
}

struct doc *
service_view(struct call *c, const struct res *svc)
{
	struct arena *a = c->arena;
	struct doc *v = doc_copy(a, svc->spec);

	doc_set_str(a, v, "serviceArn", svc->arn.n ? svc->arn :
		kind_arn(a, &ecs_service, svc->scope, svc->parent, svc->id));
	doc_set_str(a, v, "status", service_status(svc));
	doc_set_int(a, v, "runningCount",
	    doc_get_int(svc->status, "runningCount", 0));
	doc_set_int(a, v, "pendingCount",
	    doc_get_int(svc->status, "pendingCount", 0));
	doc_setf(a, v, "roleArn",
	    "arn:aws:iam::%.*s:role/aws-service-role/ecs.amazonaws.com/"
	    "AWSServiceRoleForECS", SPAN_ARG(svc->scope.account));
	doc_set(a, v, "serviceRegistries", doc_arr(a));
	doc_set(a, v, "placementConstraints", doc_arr(a));
	doc_set(a, v, "placementStrategy", doc_arr(a));
	doc_set_bool(a, v, "enableExecuteCommand", false);
	if (!doc_get(v, "enableECSManagedTags"))
		doc_set_bool(a, v, "enableECSManagedTags", false);
	doc_set(a, v, "events", doc_get(svc->status, "events") ?
		doc_copy(a, doc_get(svc->status, "events")) : doc_arr(a));
	doc_set(a, v, "deployments",
	    span_is(service_status(svc), "INACTIVE") ? doc_arr(a) :
		deployments(c, svc, v));
	return v;
}

struct reply *
describe_services(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	const struct doc *refs = doc_get(c->in, "services");
	struct res *cluster = NULL, *svc = NULL;
	struct reply *bad;

	if ((bad = cluster_find(c, false, &cluster)))
		return bad;
	if (!doc_len(refs))
		return reply_error(c, INVALID, "Services cannot be empty.");
	if (doc_len(refs) > 10)
		return reply_error(c, INVALID,
		    "Services cannot have more than 10 elements.");
	doc_each(v, refs) {
		struct span ref = doc_span(v);
		struct doc *view, *tags;
		int e;

		if ((bad = ref_check(c, ref)))
			return bad;
		e = service_get(c, cluster->id, ref, &svc);
		if (e < 0)
			return reply_failure(c, e);
		if (e) {
			failure_add(c, lost,
			    span_starts(ref, SPAN("arn:")) ? ref :
				kind_arn(a, &ecs_service, c->scope, cluster->id,
				    ref), "MISSING");
			continue;
		}
		view = service_view(c, svc);
		if (includes(c, "TAGS")) {
			if ((e = tags_list(c, svc, &tags)))
				return reply_failure(c, e);
			doc_set(a, view, "tags", tags);
		}
		doc_push(found, view);
	}
	doc_set(a, out, "services", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}

static bool
list_one(struct call *c, struct res *svc, struct doc *list, void *ctx)
{
	struct span type = doc_get_str(c->in, "launchType");

	(void)ctx;
	if (!span_is(service_status(svc), "ACTIVE") ||
	    (type.n && !span_is(type, "FARGATE")) ||
	    span_is(doc_get_str(c->in, "schedulingStrategy"), "DAEMON"))
		return false;
	doc_push_str(c->arena, list, svc->arn);
	return true;
}

struct reply *
list_services(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *arns = doc_arr(c->arena);
	struct res *cluster = NULL;
	struct reply *bad = cluster_find(c, false, &cluster);
	struct query q = {.kind = &ecs_service, .scope = c->scope};

	if (bad)
		return bad;
	q.parent = cluster->id;
	if ((bad = page_walk(c, &q, 10, 100, list_one, NULL, arns, out)))
		return bad;
	doc_set(c->arena, out, "serviceArns", arns);
	return reply_ok(c, out);
}
