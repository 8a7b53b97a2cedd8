/* Who forwards to a target group. */
#include "base/err.h"
#include "svc/elbv2/elbv2.h"

/* Listeners and rules name their groups in the index spec.TargetGroupArns;
 * the load balancer is the head of their parent path. */
static int
users_of_kind(struct call *c, const struct kind *k, struct span arn,
    struct doc *ret)
{
	struct res_list l;
	struct span lb;
	int e = list_by(c, k, "spec.TargetGroupArns", arn, &l);

	if (e)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++) {
		lb = kind_arn(c->arena, &elbv2_load_balancer, c->scope,
		    SPAN_NULL, lb_id_of(l.v[i]->parent));
		if (!doc_has_str(ret, lb))
			doc_push_str(c->arena, ret, lb);
	}
	return 0;
}

int
tg_users(struct call *c, struct span tg_arn, struct doc **ret)
{
	struct doc *lbs = doc_arr(c->arena);
	int e = users_of_kind(c, &elbv2_listener, tg_arn, lbs);

	if (!e)
		e = users_of_kind(c, &elbv2_rule, tg_arn, lbs);
	if (!e)
		*ret = lbs;
	return e;
}

static struct reply *
one_usable(struct call *c, const struct res *lb, struct span arn)
{
	struct res *tg;
	struct doc *users;
	struct reply *e;
	int n;

	if ((e = tg_find(c, arn, &tg)))
		return e;
	if (!span_eq(doc_get_str(tg->spec, "VpcId"),
	    doc_get_str(lb->spec, "VpcId")))
		return reply_error(c, VALIDATION, "Target group '%.*s' is not "
		    "in the same VPC as the load balancer", SPAN_ARG(arn));
	if ((n = tg_users(c, arn, &users)))
		return reply_failure(c, n);
	if (doc_len(users) && !doc_has_str(users, lb->arn))
		return reply_error(c, "TargetGroupAssociationLimit",
		    "The following target groups cannot be associated with "
		    "more than one load balancer: %.*s", SPAN_ARG(arn));
	return NULL;
}

/* Adds what the rows of one kind below lb use. */
static int
groups_below(struct call *c, const struct kind *k, const struct res *lb,
    struct doc *ret)
{
	struct query q = {.kind = k, .scope = c->scope, .any_parent = true};
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++) {
		if (!span_eq(lb_id_of(l.v[i]->parent), lb->id))
			continue;
		doc_each(arn, doc_get(l.v[i]->spec, "TargetGroupArns"))
			if (!doc_has_str(ret, doc_span(arn)))
				doc_push_str(c->arena, ret, doc_span(arn));
	}
	return e;
}

struct reply *
tg_usable(struct call *c, const struct res *lb, const struct doc *arns)
{
	struct doc *all = doc_arr(c->arena);
	struct reply *e;
	int n;

	doc_each(arn, arns)
		if ((e = one_usable(c, lb, doc_span(arn))))
			return e;
	if (doc_len(arns) == 0)
		return NULL;
	n = groups_below(c, &elbv2_listener, lb, all);
	if (!n)
		n = groups_below(c, &elbv2_rule, lb, all);
	if (n)
		return reply_failure(c, err_fold(n));
	doc_each(arn, arns)
		if (!doc_has_str(all, doc_span(arn)))
			doc_push_str(c->arena, all, doc_span(arn));
	if (doc_len(all) > LIMIT_GROUPS_OF_LB)
		return reply_error(c, "TooManyUniqueTargetGroupsPerLoadBalancer",
		    "The maximum number of unique target groups on load "
		    "balancer '%.*s' has been reached", SPAN_ARG(lb->arn));
	return NULL;
}
