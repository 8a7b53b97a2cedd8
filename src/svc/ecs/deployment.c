/* Service deployments and service revisions, as their own operations show
 * them; DescribeServices' deployments are in service-view.c. */
#include "svc/ecs/service.h"

#include "base/err.h"

#define INVALID "InvalidParameterException"

static struct span
parent_arn(struct arena *a, const struct res *r, const struct kind *k)
{
	struct span rest = r->parent, cluster = span_cut(&rest, '/');

	if (k == &ecs_cluster)
		return kind_arn(a, k, r->scope, SPAN_NULL, cluster);
	return kind_arn(a, k, r->scope, cluster, rest);
}

static struct span
revision_arn(struct arena *a, const struct res *near, struct span id)
{
	return kind_arn(a, &ecs_service_revision, near->scope, near->parent,
	    id);
}

static int
deployment_by_id(struct call *c, const struct res *near, struct span id,
    struct res **ret)
{
	struct query q = {.kind = &ecs_service_deployment, .scope = c->scope,
		.parent = near->parent, .index = "spec.id", .value = id};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return err_fold(e);
	if (!l.n)
		return STORE_E_NOT_FOUND;
	*ret = l.v[0];
	return 0;
}

/* What AWS calls the state that a roll-out is in. */
static int
status_of(struct call *c, const struct res *d, const struct res *svc,
    struct span *ret)
{
	struct span state = doc_get_str(d->status, "rolloutState");
	struct span to = doc_get_str(doc_get(d->status, "Rollback"), "Id");
	struct res *good;
	int e;

	if (to.n) {
		if ((e = deployment_by_id(c, d, to, &good)) < 0)
			return err_trace(e);
		*ret = e == 0 && span_is(doc_get_str(good->status,
			   "rolloutState"), "IN_PROGRESS") ?
		    SPAN("ROLLBACK_IN_PROGRESS") : SPAN("ROLLBACK_SUCCESSFUL");
	} else if (span_is(state, "COMPLETED")) {
		*ret = SPAN("SUCCESSFUL");
	} else if (span_is(state, "FAILED") ||
	    !span_eq(doc_get_str(d->spec, "id"),
		doc_get_str(svc->spec, "Deployment"))) {
		/* It failed, or a newer one came before it was through. */
		*ret = SPAN("STOPPED");
	} else {
		*ret = SPAN("IN_PROGRESS");
	}
	return 0;
}

static struct doc *
summary(struct arena *a, const struct res *d, struct span revision,
    const struct doc *counts)
{
	struct doc *s = doc_obj(a);

	doc_set_str(a, s, "arn", revision_arn(a, d, revision));
	doc_set_int(a, s, "requestedTaskCount",
	    doc_get_int(counts, "desiredCount", 0));
	doc_set_int(a, s, "runningTaskCount",
	    doc_get_int(counts, "runningCount", 0));
	doc_set_int(a, s, "pendingTaskCount",
	    doc_get_int(counts, "pendingCount", 0));
	return s;
}

static struct doc *
breaker(struct arena *a, const struct res *d, const struct res *svc)
{
	const struct doc *cb = doc_path(svc->spec, "deploymentConfiguration",
	    "deploymentCircuitBreaker", NULL);
	int64_t half = (doc_get_int(svc->spec, "desiredCount", 0) + 1) / 2;
	struct span state = doc_get_str(d->status, "rolloutState");
	struct doc *b = doc_obj(a);

	doc_set_str(a, b, "status",
	    !doc_get_bool(cb, "enable", false) ? SPAN("DISABLED") :
	    span_is(state, "FAILED") ? SPAN("TRIGGERED") :
	    span_is(state, "IN_PROGRESS") ? SPAN("MONITORING") :
	    SPAN("MONITORING_COMPLETE"));
	doc_set_int(a, b, "failureCount",
	    doc_get_int(d->status, "failedTasks", 0));
	doc_set_int(a, b, "threshold",
	    CLAMP(half, (int64_t)3, (int64_t)200));
	return b;
}

static void
copy(struct arena *a, struct doc *to, const struct doc *from, const char *name)
{
	if (doc_get(from, name))
		doc_set(a, to, name, doc_copy(a, doc_get(from, name)));
}

static int
brief(struct call *c, const struct res *d, const struct res *svc,
    struct doc **ret)
{
	struct arena *a = c->arena;
	struct doc *v = doc_obj(a);
	struct span status = SPAN_NULL;
	int e = status_of(c, d, svc, &status);

	if (e)
		return err_trace(e);
	doc_set_str(a, v, "serviceDeploymentArn", d->arn);
	doc_set_str(a, v, "serviceArn", parent_arn(a, d, &ecs_service));
	doc_set_str(a, v, "clusterArn", parent_arn(a, d, &ecs_cluster));
	copy(a, v, d->spec, "createdAt");
	doc_set(a, v, "startedAt", doc_copy(a, doc_get(d->spec, "createdAt")));
	copy(a, v, d->status, "finishedAt");
	doc_set_str(a, v, "status", status);
	if (!span_is(status, "SUCCESSFUL") && !span_is(status, "IN_PROGRESS"))
		doc_set_str(a, v, "statusReason",
		    doc_get_str(d->status, "rolloutStateReason"));
	doc_set_str(a, v, "targetServiceRevisionArn",
	    revision_arn(a, d, doc_get_str(d->spec, "Revision")));
	*ret = v;
	return 0;
}

static int
full(struct call *c, const struct res *d, const struct res *svc,
    struct doc **ret)
{
	struct arena *a = c->arena;
	const struct doc *back = doc_get(d->status, "Rollback");
	struct span source = doc_get_str(d->spec, "SourceRevision");
	struct doc *v = NULL, *sources = doc_arr(a), *roll;
	struct res *old;
	int e = brief(c, d, svc, &v);

	if (e)
		return err_trace(e);
	doc_del(v, "targetServiceRevisionArn");
	copy(a, v, d->status, "updatedAt");
	doc_set(a, v, "targetServiceRevision",
	    summary(a, d, doc_get_str(d->spec, "Revision"), d->status));
	if (source.n) {
		e = deployment_by_id(c, d, doc_get_str(d->spec, "Source"),
		    &old);
		if (e < 0)
			return err_trace(e);
		doc_push(sources, summary(a, d, source, e ? NULL :
			old->status));
	}
	doc_set(a, v, "sourceServiceRevisions", sources);
	copy(a, v, svc->spec, "deploymentConfiguration");
	doc_set(a, v, "deploymentCircuitBreaker", breaker(a, d, svc));
	if (back) {
		roll = doc_obj(a);
		copy(a, roll, back, "reason");
		copy(a, roll, back, "startedAt");
		doc_set_str(a, roll, "serviceRevisionArn",
		    revision_arn(a, d, doc_get_str(back, "Revision")));
		doc_set(a, v, "rollback", roll);
	}
	*ret = v;
	return 0;
}

/* A resource of the kind by ARN, and its service. */
static int
find(struct call *c, const struct kind *k, struct span arn, struct res **ret,
    struct res **ret_svc)
{
	struct span rest;
	int e = store_get_arn(c->store, c->arena, arn, ret);

	if (e)
		return e;
	if ((*ret)->kind != k)
		return STORE_E_NOT_FOUND;
	rest = (*ret)->parent;
	return service_get(c, span_cut(&rest, '/'), rest, ret_svc);
}

static struct reply *
check_arns(struct call *c, const struct doc *arns)
{
	if (!doc_len(arns) || doc_len(arns) > 20)
		return reply_error(c, INVALID,
		    "The number of ARNs must be between 1 and 20.");
	doc_each(v, arns) {
		struct reply *bad = ref_check(c, doc_span(v));

		if (bad)
			return bad;
	}
	return NULL;
}

struct reply *
describe_service_deployments(struct call *c)
{
	struct arena *a = c->arena;
	const struct doc *arns = doc_get(c->in, "serviceDeploymentArns");
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	struct reply *bad = check_arns(c, arns);

	if (bad)
		return bad;
	doc_each(v, arns) {
		struct doc *view = NULL;
		struct res *d = NULL, *svc = NULL;
		int e = find(c, &ecs_service_deployment, doc_span(v), &d, &svc);

		if (e == STORE_E_NOT_FOUND) {
			failure_add(c, lost, doc_span(v), "MISSING");
			continue;
		}
		if (e || (e = full(c, d, svc, &view)))
			return reply_failure(c, e);
		doc_push(found, view);
	}
	doc_set(a, out, "serviceDeployments", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}

static bool
list_one(struct call *c, struct res *d, struct doc *list, void *ctx)
{
	const struct doc *want = doc_get(c->in, "status");
	const struct doc *when = doc_get(c->in, "createdAt");
	int64_t at = doc_get_time(d->spec, "createdAt");
	int64_t after = doc_get_time(when, "after");
	int64_t before = doc_get_time(when, "before");
	struct doc *v = NULL;

	if ((after && at <= after) || (before && at >= before))
		return false;
	if (brief(c, d, ctx, &v) ||
	    (doc_len(want) && !doc_has_str(want, doc_get_str(v, "status"))))
		return false;
	doc_push(list, v);
	return true;
}

struct reply *
list_service_deployments(struct call *c)
{
	struct arena *a = c->arena;
	struct span ref = doc_get_str(c->in, "service");
	struct doc *out = doc_obj(a), *list = doc_arr(a);
	struct query q = {.kind = &ecs_service_deployment, .scope = c->scope,
		.newest_first = true};
	struct res *cluster = NULL, *svc = NULL;
	struct reply *bad;
	int e;

	if ((bad = ref_check(c, ref)) ||
	    (bad = cluster_find(c, false, &cluster)))
		return bad;
	e = service_get(c, cluster->id, ref, &svc);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, "ServiceNotFoundException",
		    "Service not found.");
	q.parent = arena_fmt_span(a, "%.*s/%.*s", SPAN_ARG(svc->parent),
	    SPAN_ARG(svc->id));
	if ((bad = page_walk(c, &q, 20, 100, list_one, svc, list, out)))
		return bad;
	doc_set(a, out, "serviceDeployments", list);
	return reply_ok(c, out);
}

static struct doc *
revision_view(struct arena *a, const struct res *r)
{
	struct doc *v = doc_copy(a, r->spec), *images = doc_arr(a);

	doc_set_str(a, v, "serviceRevisionArn", r->arn);
	doc_set_str(a, v, "serviceArn", parent_arn(a, r, &ecs_service));
	doc_set_str(a, v, "clusterArn", parent_arn(a, r, &ecs_cluster));
	doc_each_key(name, image, doc_get(r->status, "Images")) {
		struct doc *one = doc_copy(a, image);

		doc_set_str(a, one, "containerName", name);
		doc_push(images, one);
	}
	doc_set(a, v, "containerImages", images);
	doc_set_bool(a, v, "guardDutyEnabled", false);
	return v;
}

struct reply *
describe_service_revisions(struct call *c)
{
	struct arena *a = c->arena;
	const struct doc *arns = doc_get(c->in, "serviceRevisionArns");
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	struct reply *bad = check_arns(c, arns);

	if (bad)
		return bad;
	doc_each(v, arns) {
		struct res *r = NULL, *svc = NULL;
		int e = find(c, &ecs_service_revision, doc_span(v), &r, &svc);

		if (e < 0)
			return reply_failure(c, e);
		if (e)
			failure_add(c, lost, doc_span(v), "MISSING");
		else
			doc_push(found, revision_view(a, r));
	}
	doc_set(a, out, "serviceRevisions", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}
