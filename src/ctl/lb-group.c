/*
 * Target groups that no load balancer uses: their targets are unused, and one
 * that was draining is gone.  The load balancer's controller has the others.
 */
#include "base/err.h"
#include "ctl/lb.h"

static int
used(struct store *s, struct arena *a, const struct res *tg, bool *ret)
{
	const struct kind *const kinds[] = {&elbv2_listener, &elbv2_rule};
	struct query q = {.scope = tg->scope, .any_parent = true,
	    .index = "spec.TargetGroupArns", .value = tg->arn, .limit = 1};
	struct res_list l = {NULL, 0, false};
	int e = 0;

	for (size_t i = 0; !e && !l.n && i < ARRAY_SIZE(kinds); i++) {
		q.kind = kinds[i];
		e = store_list(s, a, &q, &l);
	}
	*ret = l.n > 0;
	return e;
}

static int
target_unused(struct store *s, struct arena *a, struct res *t)
{
	if (doc_get_bool(t->spec, "Draining", false))
		return store_delete(s, t);
	if (span_is(doc_get_str(t->status, "State"), "unused"))
		return 0;
	t->status = lb_verdict_status(a, LB_UNUSED, NULL, NULL);
	return store_put_status(s, t);
}

static int
run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms UNUSED)
{
	struct store *s = ctl_env(ctl)->store;
	struct query q = {.kind = &elbv2_target};
	struct res_list l;
	struct res *tg;
	bool in_use;
	int e = store_get_row(s, a, key, &tg);

	if (e == STORE_E_NOT_FOUND)
		return 0;
	if (!e)
		e = used(s, a, tg, &in_use);
	if (e || in_use)
		return e ? err_fold(e) : 0;
	q.scope = tg->scope;
	q.parent = tg->arn;
	e = store_list(s, a, &q, &l);
	for (size_t i = 0; !e && i < l.n; i++)
		e = target_unused(s, a, l.v[i]);
	return e ? err_fold(e) : 0;
}

/* A listener or rule that went does not tell its groups any more: every group
 * of its scope is looked at. */
static void
wake_all(struct ctl *ctl, struct arena *a, struct scope scope)
{
	struct query q = {.kind = &elbv2_target_group, .scope = scope};
	struct res_list l;

	if (store_list(ctl_env(ctl)->store, a, &q, &l))
		return;
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(ctl, &ctl_lb_group, l.v[i]->row);
}

static int64_t
key(void *state UNUSED, struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct res *tg;

	if (c->kind == &elbv2_target_group)
		return c->deleted ? 0 : c->row;
	if (c->kind == &elbv2_target)
		return !c->deleted && (c->inserted || c->spec) &&
		    store_get_arn(ctl_env(ctl)->store, a, c->parent, &tg) == 0
		    ? tg->row : 0;
	wake_all(ctl, a, c->scope);
	return 0;
}

static const struct kind *const kinds[] = {&elbv2_target_group,
	&elbv2_target, &elbv2_listener, &elbv2_rule, NULL};

const struct controller ctl_lb_group = {
	.name = "target group",
	.kinds = kinds,
	.key = key,
	.run = run,
};
