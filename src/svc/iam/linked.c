/* Service-linked roles: made for one service, with a policy of AWS.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html */
#include "base/clock.h"
#include "base/id.h"
#include "svc/iam/iam.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

static const struct linked {
	const char *service;
	const char *role;
	const char *policy; /* AWS's; NULL: it is not among ours */
} linked[] = {
	{"ecs.amazonaws.com", "AWSServiceRoleForECS",
	    "AmazonECSServiceRolePolicy"},
	{"elasticloadbalancing.amazonaws.com",
	    "AWSServiceRoleForElasticLoadBalancing",
	    "AWSElasticLoadBalancingServiceRolePolicy"},
	{"ecs.application-autoscaling.amazonaws.com",
	    "AWSServiceRoleForApplicationAutoScaling_ECSService",
	    "AWSApplicationAutoscalingECSServicePolicy"},
	{"lambda.application-autoscaling.amazonaws.com",
	    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency", NULL},
	{"replication.ecr.amazonaws.com", "AWSServiceRoleForECRReplication",
	    NULL},
	{"events.amazonaws.com", "AWSServiceRoleForCloudWatchEvents", NULL},
};

static const struct linked *
of_service(struct span service)
{
	for (size_t i = 0; i < ARRAY_SIZE(linked); i++)
		if (span_is(service, linked[i].service))
			return &linked[i];
	return NULL;
}

static struct span
trust(struct call *c, const struct linked *l)
{
	return arena_fmt_span(c->arena, "{\"Version\":\"2012-10-17\","
	    "\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
	    "\"%s\"},\"Action\":\"sts:AssumeRole\"}]}", l->service);
}

static struct reply *
taken(struct call *c, struct span name)
{
	return reply_error(c, "InvalidInput", "Service role name %.*s has been "
	    "taken in this account, please try a different suffix.",
	    SPAN_ARG(name));
}

/* The role in memory, as if CreateRole had asked for it. */
static struct reply *
make(struct call *c, const struct linked *l, struct res **ret)
{
	const struct doc *in = c->in;
	struct doc *as = doc_obj(c->arena);
	struct span name = span_of(l->role);
	struct reply *no;
	struct res *r;

	doc_set_str(c->arena, as, "RoleName", name);
	doc_setf(c->arena, as, "Path", "/aws-service-role/%s/", l->service);
	c->in = as;
	no = iam_new(c, iam_noun_role, &r);
	c->in = in;
	if (no)
		return taken(c, name);
	doc_set_str(c->arena, r->spec, "Trust", trust(c, l));
	doc_set_str(c->arena, r->spec, "Service", span_of(l->service));
	doc_set_int(c->arena, r->spec, "MaxSession", 3600);
	if (doc_get(in, "Description"))
		doc_set_str(c->arena, r->spec, "Description",
		    doc_get_str(in, "Description"));
	if (l->policy)
		doc_push(doc_get(r->spec, "Attached"), doc_str(c->arena,
		    arena_fmt_span(c->arena, "arn:aws:iam::aws:policy/"
			"aws-service-role/%s", l->policy)));
	*ret = r;
	return NULL;
}

struct reply *
iam_create_linked_role(struct call *c)
{
	struct span service = doc_get_str(c->in, "AWSServiceName");
	const struct linked *l = of_service(service);
	struct reply *no;
	struct res *r;

	if (!l && !span_ends(service, SPAN(".amazonaws.com")))
		return reply_error(c, "InvalidInput", "Service name %.*s is "
		    "not valid.", SPAN_ARG(service));
	if (!l)
		return reply_not_implemented(c, "AWSServiceName %.*s",
		    SPAN_ARG(service));
	if (doc_len(doc_get(c->in, "CustomSuffix")))
		return reply_error(c, "InvalidInput", "Custom suffix is not "
		    "allowed for %.*s", SPAN_ARG(service));
	if ((no = make(c, l, &r)) || (no = iam_insert(c, r)))
		return no;
	return iam_reply(c, "Role", iam_show_role(c, r));
}

static int
sweep(struct call *c)
{
	struct query q = {.kind = &iam_deletion, .scope = c->scope};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		if (l.v[i]->created < clock_ms() - DAY_MS)
			r = store_delete(c->store, l.v[i]);
	return r;
}

/* AWS looks first whether the service still needs it; ours never do, because
 * services act by themselves here. */
struct reply *
iam_delete_linked_role(struct call *c)
{
	struct reply *no;
	struct span task;
	struct res *r;
	int e;

	if ((no = iam_named(c, iam_noun_role, &r)))
		return no;
	if (!doc_get(r->spec, "Service"))
		return iam_missing(c, "The role with name %.*s cannot be "
		    "found.", SPAN_ARG(r->id));
	task = arena_fmt_span(c->arena, "task%.*s%.*s/%s",
	    SPAN_ARG(r->parent), SPAN_ARG(r->id), id_uuid(c->arena));
	if ((e = sweep(c)) || (e = store_delete(c->store, r)))
		return iam_fail(c, e);
	r = res_new(c->arena, &iam_deletion, c->scope, SPAN_NULL, task);
	if ((no = iam_insert(c, r)))
		return no;
	return iam_reply(c, "DeletionTaskId", doc_str(c->arena, task));
}

struct reply *
iam_linked_role_deletion(struct call *c)
{
	struct span task = doc_get_str(c->in, "DeletionTaskId");
	struct res *r;
	int e = store_get(c->store, c->arena, &iam_deletion, c->scope,
	    SPAN_NULL, task, &r);

	if (e == STORE_E_NOT_FOUND)
		return iam_missing(c, "Deletion task %.*s cannot be found.",
		    SPAN_ARG(task));
	if (e)
		return iam_fail(c, e);
	return iam_reply(c, "Status", doc_str(c->arena, SPAN("SUCCEEDED")));
}
