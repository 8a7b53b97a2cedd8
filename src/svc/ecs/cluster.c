/* Clusters and their capacity providers (FARGATE and FARGATE_SPOT). */
#include "svc/ecs/ecs.h"

#include "base/err.h"

static struct doc *
default_settings(struct arena *a, struct span insights)
{
	struct doc *list = doc_arr(a), *s = doc_obj(a);

	doc_set_str(a, s, "name", SPAN("containerInsights"));
	doc_set_str(a, s, "value", insights);
	doc_push(list, s);
	return list;
}

static bool
is_active(const struct res *r)
{
	return span_is(doc_get_str(r->spec, "status"), "ACTIVE");
}

static int
cluster_get(struct call *c, struct span ref, struct res **ret)
{
	struct span name = ref_tail(ref, "cluster");

	return store_get(c->store, c->arena, &ecs_cluster, c->scope, SPAN_NULL,
	    name, ret);
}

static int
cluster_new(struct call *c, struct span name, struct res **ret)
{
	struct arena *a = c->arena;
	struct res *r = res_new(a, &ecs_cluster, c->scope, SPAN_NULL, name);
	struct span insights = SPAN_NULL;
	int e = account_setting(c, "containerInsights", &insights);

	if (e)
		return err_trace(e);
	doc_set_str(a, r->spec, "clusterName", name);
	doc_set_str(a, r->spec, "status", SPAN("ACTIVE"));
	doc_set(a, r->spec, "settings", default_settings(a, insights));
	doc_set(a, r->spec, "capacityProviders", doc_arr(a));
	doc_set(a, r->spec, "defaultCapacityProviderStrategy", doc_arr(a));
	*ret = r;
	return 0;
}

struct span
cluster_name(struct call *c)
{
	struct span ref = doc_get_str(c->in, "cluster");

	return ref.n ? ref_tail(ref, "cluster") : SPAN("default");
}

struct reply *
cluster_find(struct call *c, bool create, struct res **ret)
{
	struct span ref = doc_get_str(c->in, "cluster");
	struct span name = cluster_name(c);
	struct reply *bad = ref_check(c, ref);
	struct res *r;
	int e;

	if (bad)
		return bad;
	e = cluster_get(c, name, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e == STORE_E_NOT_FOUND && create && span_is(name, "default")) {
		/* AWS makes the default cluster on first use. */
		if ((e = cluster_new(c, SPAN("default"), &r)) ||
		    (e = store_insert(c->store, c->arena, r)))
			return reply_failure(c, err_fold(e));
	}
	if (e || !is_active(r))
		return reply_error(c, "ClusterNotFoundException",
		    "Cluster not found.");
	*ret = r;
	return NULL;
}

/* What lives in a cluster, counted from the rows. */
struct census {
	int64_t services, draining, running, pending;
};

static int
take_census(struct call *c, struct span cluster, struct census *ret)
{
	struct census n = {0};
	struct res_list list;
	struct query q = {
		.kind = &ecs_service, .scope = c->scope, .parent = cluster};
	int e = store_list(c->store, c->arena, &q, &list);

	if (e)
		return err_fold(e);
	for (size_t i = 0; i < list.n; i++) {
		const struct res *s = list.v[i];

		if (span_is(doc_get_str(s->status, "status"), "INACTIVE"))
			continue;
		if (span_is(doc_get_str(s->spec, "status"), "DRAINING"))
			n.draining++;
		else
			n.services++;
	}
	q.kind = &ecs_task;
	if ((e = store_list(c->store, c->arena, &q, &list)))
		return err_fold(e);
	for (size_t i = 0; i < list.n; i++) {
		struct span st = doc_get_str(list.v[i]->status, "lastStatus");

		if (span_is(st, "RUNNING"))
			n.running++;
		else if (!span_is(st, "STOPPED") &&
		    !span_is(st, "DEPROVISIONING") && !span_is(st, "STOPPING") &&
		    !span_is(st, "DEACTIVATING"))
			n.pending++;
	}
	*ret = n;
	return 0;
}

static void
statistic(struct arena *a, struct doc *list, const char *name, int64_t v)
{
	struct doc *s = doc_obj(a);

	doc_set_str(a, s, "name", span_of(name));
	doc_setf(a, s, "value", "%lld", (long long)v);
	doc_push(list, s);
}

/* Everything here is Fargate: the EC2 halves are truly zero. */
static struct doc *
statistics(struct arena *a, const struct census *n)
{
	struct doc *list = doc_arr(a);

	statistic(a, list, "runningEC2TasksCount", 0);
	statistic(a, list, "runningFargateTasksCount", n->running);
	statistic(a, list, "pendingEC2TasksCount", 0);
	statistic(a, list, "pendingFargateTasksCount", n->pending);
	statistic(a, list, "activeEC2ServiceCount", 0);
	statistic(a, list, "activeFargateServiceCount", n->services);
	statistic(a, list, "drainingEC2ServiceCount", 0);
	statistic(a, list, "drainingFargateServiceCount", n->draining);
	return list;
}

/* which: the input's include, or NULL for all that AWS shows after a change. */
static int
cluster_view(struct call *c, const struct res *r, const struct doc *which,
    struct doc **ret)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *tags = NULL;
	struct census n;
	int e = take_census(c, r->id, &n);

	if (e)
		return err_trace(e);
	doc_set_str(a, out, "clusterArn", r->arn);
	doc_set_str(a, out, "clusterName", r->id);
	doc_set(a, out, "status", doc_copy(a, doc_get(r->spec, "status")));
	doc_set_int(a, out, "registeredContainerInstancesCount", 0);
	doc_set_int(a, out, "runningTasksCount", n.running);
	doc_set_int(a, out, "pendingTasksCount", n.pending);
	doc_set_int(a, out, "activeServicesCount", n.services);
	doc_set(a, out, "statistics",
	    doc_has_str(which, SPAN("STATISTICS")) ? statistics(a, &n) :
						     doc_arr(a));
	if (!which || doc_has_str(which, SPAN("TAGS")))
		if ((e = tags_list(c, r, &tags)))
			return err_trace(e);
	doc_set(a, out, "tags", tags ? tags : doc_arr(a));
	doc_set(a, out, "settings",
	    !which || doc_has_str(which, SPAN("SETTINGS")) ?
		doc_copy(a, doc_get(r->spec, "settings")) :
		doc_arr(a));
	if (!which || doc_has_str(which, SPAN("CONFIGURATIONS")))
		doc_set(a, out, "configuration",
		    doc_copy(a, doc_get(r->spec, "configuration")));
	if (doc_has_str(which, SPAN("ATTACHMENTS")))
		doc_set(a, out, "attachments", doc_arr(a));
	doc_set(a, out, "capacityProviders",
	    doc_copy(a, doc_get(r->spec, "capacityProviders")));
	doc_set(a, out, "defaultCapacityProviderStrategy",
	    doc_copy(a, doc_get(r->spec, "defaultCapacityProviderStrategy")));
	*ret = out;
	return 0;
}

static struct reply *
reply_cluster(struct call *c, const struct res *r)
{
	struct doc *view, *out = doc_obj(c->arena);
	int e = cluster_view(c, r, NULL, &view);

	if (e)
		return reply_failure(c, e);
	doc_set(c->arena, out, "cluster", view);
	return reply_ok(c, out);
}

static bool
provider_known(struct span name)
{
	return span_is(name, "FARGATE") || span_is(name, "FARGATE_SPOT");
}

static bool
providers_check(struct arena *a, const struct doc *in, struct refusal *ret)
{
	const struct doc *names = doc_get(in, "capacityProviders");
	const struct doc *strategy =
	    doc_get(in, "defaultCapacityProviderStrategy");
	int bases = 0;

	doc_each(n, names)
		if (!provider_known(doc_span(n)))
			return refuse(ret, a, "InvalidParameterException",
			    "The specified capacity provider '%.*s' could not "
			    "be found. Specify a valid name and try again.",
			    SPAN_ARG(doc_span(n)));
	doc_each(s, strategy) {
		struct span name = doc_get_str(s, "capacityProvider");

		if (!doc_has_str(names, name))
			return refuse(ret, a, "InvalidParameterException",
			    "The specified capacity provider '%.*s' is not "
			    "associated with the cluster. Specify a valid "
			    "capacity provider and try again.",
			    SPAN_ARG(name));
		if (doc_get_int(s, "base", 0) > 0 && ++bases > 1)
			return refuse(ret, a, "InvalidParameterException",
			    "Only one capacity provider in a strategy can "
			    "have a base defined.");
	}
	return true;
}

/* configuration may only say what is stored without effect: logging of
 * ExecuteCommand sessions, which is refused on its own. */
static bool
settings_check(struct arena *a, const struct doc *in, struct refusal *ret)
{
	doc_each(s, doc_get(in, "settings")) {
		struct span v = doc_get_str(s, "value");

		if (!span_is(v, "enabled") && !span_is(v, "disabled") &&
		    !span_is(v, "enhanced"))
			return refuse(ret, a, "InvalidParameterException",
			    "Invalid cluster setting value: %.*s.",
			    SPAN_ARG(v));
	}
	if (doc_get(in, "serviceConnectDefaults"))
		return refuse_unimplemented(ret, a, "serviceConnectDefaults");
	if (doc_path(in, "configuration", "managedStorageConfiguration", NULL))
		return refuse_unimplemented(ret, a,
		    "configuration.managedStorageConfiguration");
	return true;
}

static void
copy_member(struct call *c, struct res *r, const char *name)
{
	const struct doc *v = doc_get(c->in, name);

	if (v)
		doc_set(c->arena, r->spec, name, doc_copy(c->arena, v));
}

struct reply *
create_cluster(struct call *c)
{
	struct span name = doc_get_str(c->in, "clusterName");
	struct refusal why;
	struct res *r;
	int e;

	if (!name.n)
		name = SPAN("default");
	if (!ecs_name_ok(name))
		return reply_error(c, "InvalidParameterException",
		    "Cluster name contains invalid characters.");
	if (!settings_check(c->arena, c->in, &why) ||
	    !providers_check(c->arena, c->in, &why) ||
	    !ecs_tags_check(c->arena, doc_get(c->in, "tags"), c->who.system, &why))
		return reply_refusal(c, &why);
	e = cluster_get(c, name, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e == 0 && is_active(r))
		return reply_cluster(c, r);
	if (e == 0 && (e = store_delete(c->store, r)))
		return reply_failure(c, err_fold(e));
	if ((e = cluster_new(c, name, &r)))
		return reply_failure(c, e);
	copy_member(c, r, "settings");
	copy_member(c, r, "configuration");
	copy_member(c, r, "capacityProviders");
	copy_member(c, r, "defaultCapacityProviderStrategy");
	if ((e = store_insert(c->store, c->arena, r)) ||
	    (e = ecs_tags_put(c, r, doc_get(c->in, "tags"))))
		return reply_failure(c, err_fold(e));
	return reply_cluster(c, r);
}

struct reply *
describe_clusters(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	const struct doc *which = doc_get(c->in, "include");
	const struct doc *refs = doc_get(c->in, "clusters");
	struct reply *bad;

	if (!doc_len(refs)) {
		struct doc *one = doc_arr(a);

		doc_push_str(a, one, SPAN("default"));
		refs = one;
	}
	doc_each(v, refs) {
		struct span name = ref_tail(doc_span(v), "cluster");
		struct doc *view;
		struct res *r;
		int e;

		if ((bad = ref_check(c, doc_span(v))))
			return bad;
		e = cluster_get(c, name, &r);
		if (e == STORE_E_NOT_FOUND) {
			failure_add(c, lost,
			    kind_arn(a, &ecs_cluster, c->scope, SPAN_NULL, name),
			    "MISSING");
			continue;
		}
		if (e || (e = cluster_view(c, r, which ? which : doc_arr(a),
			      &view)))
			return reply_failure(c, e);
		doc_push(found, view);
	}
	doc_set(a, out, "clusters", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}

static bool
list_cluster(struct call *c, struct res *r, struct doc *list, void *ctx)
{
	(void)ctx;
	if (!is_active(r))
		return false;
	doc_push_str(c->arena, list, r->arn);
	return true;
}

struct reply *
list_clusters(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *arns = doc_arr(c->arena);
	struct query q = {.kind = &ecs_cluster, .scope = c->scope};
	struct reply *bad =
	    page_walk(c, &q, 100, 100, list_cluster, NULL, arns, out);

	if (bad)
		return bad;
	doc_set(c->arena, out, "clusterArns", arns);
	return reply_ok(c, out);
}

struct reply *
update_cluster(struct call *c)
{
	struct refusal why;
	struct res *r;
	struct reply *bad = cluster_find(c, false, &r);
	int e;

	if (bad)
		return bad;
	if (!settings_check(c->arena, c->in, &why))
		return reply_refusal(c, &why);
	copy_member(c, r, "settings");
	copy_member(c, r, "configuration");
	if ((e = store_put_spec(c->store, r)))
		return reply_failure(c, err_fold(e));
	return reply_cluster(c, r);
}

struct reply *
update_cluster_settings(struct call *c)
{
	return update_cluster(c);
}

struct reply *
put_cluster_capacity_providers(struct call *c)
{
	struct refusal why;
	struct res *r;
	struct reply *bad = cluster_find(c, false, &r);
	int e;

	if (bad)
		return bad;
	if (!providers_check(c->arena, c->in, &why))
		return reply_refusal(c, &why);
	copy_member(c, r, "capacityProviders");
	copy_member(c, r, "defaultCapacityProviderStrategy");
	if ((e = store_put_spec(c->store, r)))
		return reply_failure(c, err_fold(e));
	return reply_cluster(c, r);
}

struct reply *
delete_cluster(struct call *c)
{
	struct census n;
	struct res *r;
	struct reply *bad = cluster_find(c, false, &r);
	int e;

	if (bad)
		return bad;
	if ((e = take_census(c, r->id, &n)))
		return reply_failure(c, e);
	if (n.services || n.draining)
		return reply_error(c, "ClusterContainsServicesException",
		    "The Cluster cannot be deleted while Services are active.");
	if (n.running || n.pending)
		return reply_error(c, "ClusterContainsTasksException",
		    "The Cluster cannot be deleted while Tasks are active.");
	doc_set_str(c->arena, r->spec, "status", SPAN("INACTIVE"));
	if ((e = store_put_spec(c->store, r)))
		return reply_failure(c, err_fold(e));
	return reply_cluster(c, r);
}

static struct doc *
provider_view(struct call *c, struct span name)
{
	struct arena *a = c->arena;
	struct doc *p = doc_obj(a);

	doc_setf(a, p, "capacityProviderArn",
	    "arn:aws:ecs:%.*s:%.*s:capacity-provider/%.*s",
	    SPAN_ARG(c->scope.region), SPAN_ARG(c->scope.account),
	    SPAN_ARG(name));
	doc_set_str(a, p, "name", name);
	doc_set_str(a, p, "status", SPAN("ACTIVE"));
	doc_set(a, p, "tags", doc_arr(a));
	return p;
}

struct reply *
describe_capacity_providers(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	const struct doc *refs = doc_get(c->in, "capacityProviders");

	if (!doc_len(refs)) {
		doc_push(found, provider_view(c, SPAN("FARGATE")));
		doc_push(found, provider_view(c, SPAN("FARGATE_SPOT")));
	}
	doc_each(v, refs) {
		struct span name = ref_tail(doc_span(v), "capacity-provider");

		if (provider_known(name))
			doc_push(found, provider_view(c, name));
		else
			failure_add(c, lost, doc_span(v), "MISSING");
	}
	doc_set(a, out, "capacityProviders", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}
