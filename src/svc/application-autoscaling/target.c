/* Scalable targets. */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/application-autoscaling/scaling.h"
#include "svc/ecs/kinds.h"

/* Of ECS, in each region.
 * https://docs.aws.amazon.com/general/latest/gr/as-app.html */
#define TARGETS_MAX 3000
#define ROLE "arn:aws:iam::%.*s:role/aws-service-role/" \
	"ecs.application-autoscaling.amazonaws.com/" \
	"AWSServiceRoleForApplicationAutoScaling_ECSService"

static const char *const suspended[] = {"DynamicScalingInSuspended",
	"DynamicScalingOutSuspended", "ScheduledScalingSuspended"};

static struct reply *
check_service(struct call *c, struct span resource)
{
	struct span rest = resource, cluster;
	struct res *svc;
	int r;

	span_cut(&rest, '/');
	cluster = span_cut(&rest, '/');
	r = store_get(c->store, c->arena, &ecs_service, c->scope, cluster, rest,
	    &svc);
	if (r < 0)
		return reply_failure(c, r);
	if (r || span_is(doc_get_str(svc->status, "status"), "INACTIVE"))
		return scaling_invalid(c, "ECS service doesn't exist: %.*s",
		    SPAN_ARG(resource));
	return NULL;
}

/* What the input changes: bounds and suspensions. */
static void
change(struct call *c, struct doc *spec, int64_t min, int64_t max)
{
	struct doc *state = doc_get(spec, "SuspendedState");
	const struct doc *wanted = doc_get(c->in, "SuspendedState");

	if (min >= 0)
		doc_set_int(c->arena, spec, "MinCapacity", min);
	if (max >= 0)
		doc_set_int(c->arena, spec, "MaxCapacity", max);
	if (!state) {
		state = doc_obj(c->arena);
		doc_set(c->arena, spec, "SuspendedState", state);
	}
	for (size_t i = 0; i < ARRAY_SIZE(suspended); i++)
		doc_set_bool(c->arena, state, suspended[i],
		    doc_get_bool(wanted, suspended[i],
			doc_get_bool(state, suspended[i], false)));
	doc_set_int(c->arena, spec, "Round",
	    doc_get_int(spec, "Round", 0) + 1);
}

/* AWS makes the role "if it does not yet exist". */
static struct reply *
make_role(struct call *c)
{
	struct principal who = principal_system(c->scope.account,
	    "application-autoscaling.amazonaws.com");
	struct doc *in = doc_obj(c->arena);
	struct op_result r;
	int e;

	doc_set_str(c->arena, in, "AWSServiceName",
	    SPAN("ecs.application-autoscaling.amazonaws.com"));
	e = op_call(c->api, c->arena, &who, c->scope, "iam",
	    "CreateServiceLinkedRole", in, &r);
	/* InvalidInput: it is there. */
	if (e == 0 && r.error.n && !span_is(r.error, "InvalidInput"))
		e = err_origin(EIO, "CreateServiceLinkedRole: %.*s",
		    SPAN_ARG(r.message));
	return e ? reply_failure(c, e) : NULL;
}

static struct reply *
make(struct call *c, int64_t min, int64_t max, struct res **ret)
{
	static const char *const names[] = {"ServiceNamespace", "ResourceId",
		"ScalableDimension", NULL};
	struct res *t = res_new(c->arena, &scaling_target, c->scope, SPAN_NULL,
	    span_of(id_hex(c->arena, 36)));
	struct reply *no;
	int r;

	if (min < 0 || max < 0)
		return scaling_invalid(c, "Both minimum and maximum capacity "
		    "should be provided when registering a new scalable "
		    "target");
	no = scaling_room(c, &scaling_target, SPAN_NULL, TARGETS_MAX,
	    "scalable targets");
	if (no || (no = make_role(c)))
		return no;
	scaling_copy(c->arena, t->spec, c->in, names);
	doc_setf(c->arena, t->spec, "RoleARN", ROLE,
	    SPAN_ARG(c->scope.account));
	doc_set_time(c->arena, t->spec, "CreationTime", clock_ms());
	change(c, t->spec, min, max);
	if ((r = store_insert(c->store, c->arena, t)))
		return reply_failure(c, err_fold(r));
	*ret = t;
	return NULL;
}

static struct reply *
update(struct call *c, struct res *t, int64_t min, int64_t max)
{
	int64_t new_min, new_max;
	struct reply *no;
	int r;

	change(c, t->spec, min, max);
	if ((no = scaling_bounds(c, t->spec, &new_min, &new_max)))
		return no;
	r = store_put_spec(c->store, t);
	return r ? reply_failure(c, err_fold(r)) : NULL;
}

struct reply *
scaling_register_target(struct call *c)
{
	struct span resource = doc_get_str(c->in, "ResourceId");
	struct doc *out = doc_obj(c->arena);
	struct reply *no = scaling_key(c);
	struct res *t = NULL;
	int64_t min, max;
	int r;

	if (no || (no = scaling_bounds(c, c->in, &min, &max)) ||
	    (no = check_service(c, resource)))
		return no;
	r = scaling_get(c, resource, &t);
	if (r < 0)
		return reply_failure(c, r);
	no = r ? make(c, min, max, &t) : update(c, t, min, max);
	if (no || (no = scaling_tag(c, t, doc_get(c->in, "Tags"))))
		return no;
	doc_set_str(c->arena, out, "ScalableTargetARN", t->arn);
	return reply_ok(c, out);
}

static int
view(struct call *c, const struct res *t, struct doc **ret)
{
	static const char *const names[] = {"ServiceNamespace", "ResourceId",
		"ScalableDimension", "MinCapacity", "MaxCapacity", "RoleARN",
		"CreationTime", "SuspendedState", NULL};
	const struct doc *ids = doc_get(c->in, "ResourceIds");

	*ret = NULL;
	if (!scaling_wanted(c) || (doc_len(ids) &&
	    !doc_has_str(ids, doc_get_str(t->spec, "ResourceId"))))
		return 0;
	*ret = doc_obj(c->arena);
	scaling_copy(c->arena, *ret, t->spec, names);
	doc_set_str(c->arena, *ret, "ScalableTargetARN", t->arn);
	return 0;
}

struct reply *
scaling_describe_targets(struct call *c)
{
	struct query q = {.kind = &scaling_target, .scope = c->scope};
	struct reply *no = scaling_filter(c, "ResourceIds");

	return no ? no : scaling_page(c, &q, "ScalableTargets", view);
}

static int
drop_all(struct call *c, const struct kind *k, struct span parent)
{
	struct query q = {.kind = k, .scope = c->scope, .parent = parent};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = store_delete(c->store, l.v[i]);
	return r ? err_fold(r) : 0;
}

struct reply *
scaling_deregister_target(struct call *c)
{
	struct reply *no = scaling_key(c);
	struct res *t;
	int r;

	if (no)
		return no;
	r = scaling_get(c, doc_get_str(c->in, "ResourceId"), &t);
	if (r == STORE_E_NOT_FOUND)
		return scaling_not_found(c, "scalable target found");
	if (r || (r = drop_all(c, &scaling_policy, t->id)) ||
	    (r = drop_all(c, &scaling_action, t->id)))
		return reply_failure(c, r);
	r = store_delete(c->store, t);
	return r ? reply_failure(c, err_fold(r)) : reply_ok(c, NULL);
}
