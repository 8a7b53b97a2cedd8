/*
 * The scaling controller: one key for each scalable target.  A run does what
 * is due, in this order: scheduled actions, the bounds of a registration,
 * target tracking; then it ends the activity that ecs has fulfilled.  What it
 * decided, what it did and what it tells of it are one transaction.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "ctl/scaling.h"
#include "svc/ecs/kinds.h"

static const struct kind *const kinds[] = {&scaling_target, &scaling_policy,
	&scaling_action, &ecs_service, NULL};

static int64_t
target_of(struct store *s, const struct change *c, struct arena *a)
{
	struct query q = {.kind = &scaling_target, .scope = c->scope,
		.index = "spec.ResourceId", .value = arena_fmt_span(a,
		    "service/%.*s/%.*s", SPAN_ARG(c->parent), SPAN_ARG(c->id)),
		.limit = 1};
	struct res_list l;

	return store_list(s, a, &q, &l) == 0 && l.n ? l.v[0]->row : 0;
}

static int64_t
scaling_key(void *state UNUSED, struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct store *s = ctl_env(ctl)->store;
	struct res *t;

	/* Status is our own writing, but for the service's. */
	if (c->kind == &ecs_service)
		return target_of(s, c, a);
	if (!c->spec && !c->inserted)
		return 0;
	if (c->kind == &scaling_target)
		return c->row;
	return store_get(s, a, &scaling_target, c->scope, SPAN_NULL, c->parent,
	    &t) == 0 ? t->row : 0;
}

int
scaling_call(struct scaling_run *v, const char *op, struct doc *in,
    struct op_result *ret)
{
	static const char *const key[] = {"ServiceNamespace", "ResourceId",
		"ScalableDimension"};
	struct principal who = principal_system(v->target->scope.account,
	    SCALING_PRINCIPAL);

	for (size_t i = 0; i < ARRAY_SIZE(key); i++)
		doc_set_str(v->a, in, key[i],
		    doc_get_str(v->target->spec, key[i]));
	return err_trace(op_call(ctl_env(v->ctl)->api, v->a, &who,
	    v->target->scope, "application-autoscaling", op, in, ret));
}

/* A target whose service has gone goes, too. */
static int
deregister(struct scaling_run *v)
{
	struct op_result r;
	int e = scaling_call(v, "DeregisterScalableTarget", doc_obj(v->a), &r);

	if (e)
		return err_trace(e);
	return r.error.n ? err_origin(EIO, "DeregisterScalableTarget: %.*s",
	    SPAN_ARG(r.message)) : 0;
}

/* v->svc: NULL when there is none any more. */
static int
load(struct scaling_run *v, int64_t row)
{
	struct store *s = ctl_env(v->ctl)->store;
	struct span rest, cluster;
	int e = store_get_row(s, v->a, row, &v->target);

	v->svc = NULL;
	if (e)
		return e;
	v->resource = rest = doc_get_str(v->target->spec, "ResourceId");
	span_cut(&rest, '/');
	cluster = span_cut(&rest, '/');
	e = store_get(s, v->a, &ecs_service, v->target->scope, cluster, rest,
	    &v->svc);
	if (e < 0)
		return err_trace(e);
	if (e || span_is(doc_get_str(v->svc->status, "status"), "INACTIVE"))
		v->svc = NULL;
	return 0;
}

/* Once after each registration: what is set by hand later stays. */
static int
keep_within(struct scaling_run *v)
{
	int64_t round = doc_get_int(v->target->spec, "Round", 0);
	int64_t min = doc_get_int(v->target->spec, "MinCapacity", 0);
	int64_t max = doc_get_int(v->target->spec, "MaxCapacity", 0);
	int64_t count = doc_get_int(v->svc->spec, "desiredCount", 0);

	if (round == doc_get_int(v->target->status, "Round", 0))
		return 0;
	doc_set_int(v->a, v->target->status, "Round", round);
	v->dirty = true;
	if (count < min)
		return err_trace(scaling_set(v, min, arena_fmt_span(v->a,
		    "minimum capacity was set to %lld", (long long)min)));
	if (count > max)
		return err_trace(scaling_set(v, max, arena_fmt_span(v->a,
		    "maximum capacity was set to %lld", (long long)max)));
	return 0;
}

static int
act(struct scaling_run *v, int64_t row)
{
	bool changed;
	int e = scaling_actions(v, &changed);

	/* Registering it wrote the target. */
	if (e == 0 && changed)
		e = load(v, row);
	if (e || (e = keep_within(v)) || (e = scaling_track(v)) ||
	    (e = scaling_settle(v)))
		return err_fold(e);
	if (!v->dirty)
		return 0;
	e = store_put_status(ctl_env(v->ctl)->store, v->target);
	return e ? err_fold(e) : 0;
}

static int
scaling_run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t row,
    int64_t *again_ms)
{
	struct scaling_run v = {.ctl = ctl, .a = a, .now = clock_ms(),
		.again_ms = again_ms};
	int e = load(&v, row);

	if (e)
		return e == STORE_E_NOT_FOUND ? 0 : err_trace(e);
	if (!v.svc)
		return err_trace(deregister(&v));
	/* On its way out: nothing to scale. */
	if (span_is(doc_get_str(v.svc->spec, "status"), "DRAINING"))
		return 0;
	return err_trace(act(&v, row));
}

const struct controller ctl_scaling = {
	.name = "scaling",
	.kinds = kinds,
	.key = scaling_key,
	.run = scaling_run,
};
