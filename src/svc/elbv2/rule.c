/* Rules of listeners.  The default rule is the listener's default actions. */
#include "base/err.h"
#include "base/id.h"
#include "svc/elbv2/elbv2.h"

static struct span
rule_parent(struct arena *a, const struct res *listener)
{
	return arena_fmt_span(a, "%.*s/%.*s", SPAN_ARG(listener->parent),
	    SPAN_ARG(listener->id));
}

static struct doc *
rule_doc(struct arena *a, const struct res *r)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "RuleArn", r->arn);
	doc_setf(a, d, "Priority", "%d",
	    (int)doc_get_int(r->spec, "Priority", 0));
	doc_set(a, d, "Conditions", doc_copy(a, doc_get(r->spec, "Conditions")));
	doc_set(a, d, "Actions", doc_copy(a, doc_get(r->spec, "Actions")));
	return doc_set_bool(a, d, "IsDefault", false);
}

/* Its id is the listener's own, so that its ARN is stable without a row. */
static struct doc *
default_doc(struct call *c, const struct res *l)
{
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "RuleArn", kind_arn(a, &elbv2_rule, c->scope,
	    rule_parent(a, l), l->id));
	doc_set_str(a, d, "Priority", SPAN("default"));
	doc_set(a, d, "Conditions", doc_arr(a));
	doc_set(a, d, "Actions",
	    doc_copy(a, doc_get(l->spec, "DefaultActions")));
	return doc_set_bool(a, d, "IsDefault", true);
}

/* Is this the ARN of a listener's default rule?  Then *ret is the listener. */
static bool
default_rule(struct call *c, struct span arn, struct res **ret)
{
	ptrdiff_t cut = span_rchr(arn, '/');
	struct span id = span_from(arn, (size_t)(cut + 1));
	struct span mark = SPAN(":listener-rule/"), head;
	ptrdiff_t at = span_find(arn, mark);

	if (at < 0 || cut < 0)
		return false;
	head = span_to(arn, (size_t)cut);
	if (!span_ends(head, id))
		return false;
	return store_get_arn(c->store, c->arena, arena_fmt_span(c->arena,
	    "%.*s:listener/%.*s", SPAN_ARG(span_to(head, (size_t)at)),
	    SPAN_ARG(span_from(head, (size_t)at + mark.n))), ret) == 0 &&
	    (*ret)->kind == &elbv2_listener &&
	    span_eq((*ret)->id, id) &&
	    span_eq((*ret)->scope.account, c->scope.account);
}

static struct reply *
reply_rules(struct call *c, struct doc *list)
{
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Rules", list));
}

static struct reply *
reply_rule(struct call *c, const struct res *r)
{
	struct doc *list = doc_arr(c->arena);

	doc_push(list, rule_doc(c->arena, r));
	return reply_rules(c, list);
}

static struct reply *
count_check(struct call *c, struct span lb_id)
{
	struct query q = {.kind = &elbv2_rule, .scope = c->scope,
	    .any_parent = true};
	struct res_list l;
	size_t n = 0;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return reply_failure(c, err_fold(e));
	for (size_t i = 0; i < l.n; i++)
		n += span_eq(lb_id_of(l.v[i]->parent), lb_id);
	return n < LIMIT_RULES ? NULL : reply_error(c, "TooManyRules",
	    "The maximum number of rules on load balancer has been reached");
}

static struct reply *
priority_check(struct call *c, struct span parent, int64_t priority)
{
	struct res_list l;
	int e = list_below(c, &elbv2_rule, parent, &l);

	if (e)
		return reply_failure(c, err_fold(e));
	for (size_t i = 0; i < l.n; i++)
		if (doc_get_int(l.v[i]->spec, "Priority", 0) == priority)
			return reply_error(c, "PriorityInUse",
			    "Priority '%d' is currently in use",
			    (int)priority);
	return NULL;
}

/* Conditions and actions of the input, where given, into spec. */
static struct reply *
rule_place(struct call *c, const struct res *lb, struct doc *spec)
{
	struct doc *conditions, *actions, *groups;
	struct reply *e;

	if (doc_get(c->in, "Conditions")) {
		e = conditions_check(c, doc_get(c->in, "Conditions"),
		    &conditions);
		if (e)
			return e;
		doc_set(c->arena, spec, "Conditions", conditions);
	}
	if (doc_get(c->in, "Actions")) {
		if ((e = actions_check(c, doc_get(c->in, "Actions"), &actions,
		    &groups)) || (e = tg_usable(c, lb, groups)))
			return e;
		doc_set(c->arena, spec, "Actions", actions);
		doc_set(c->arena, spec, "TargetGroupArns", groups);
	}
	return NULL;
}

struct reply *
rule_create(struct call *c)
{
	int64_t priority = doc_get_int(c->in, "Priority", 0);
	struct res *l, *lb, *r;
	struct span parent;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);
	int n;

	if (e || (e = lb_find(c, doc_get_str(l->spec, "LoadBalancerArn"), &lb)))
		return e;
	parent = rule_parent(c->arena, l);
	if ((e = priority_check(c, parent, priority)) ||
	    (e = count_check(c, lb->id)))
		return e;
	r = res_new(c->arena, &elbv2_rule, c->scope, parent,
	    span_of(id_hex(c->arena, 16)));
	if ((e = rule_place(c, lb, r->spec)))
		return e;
	doc_set_str(c->arena, r->spec, "ListenerArn", l->arn);
	doc_set_int(c->arena, r->spec, "Priority", priority);
	if ((n = store_insert(c->store, c->arena, r)))
		return reply_failure(c, err_fold(n));
	if ((e = tags_put(c, r, doc_get(c->in, "Tags"))))
		return e;
	return reply_rule(c, r);
}

static struct reply *
describe_by_arn(struct call *c, const struct doc *arns)
{
	struct doc *list = doc_arr(c->arena);
	struct res *r;
	struct reply *e;

	doc_each(arn, arns) {
		if (default_rule(c, doc_span(arn), &r)) {
			doc_push(list, default_doc(c, r));
			continue;
		}
		if ((e = rule_find(c, doc_span(arn), &r)))
			return e;
		doc_push(list, rule_doc(c->arena, r));
	}
	return reply_rules(c, list);
}

static int
by_priority(const void *a, const void *b)
{
	const struct res *const *x = a, *const *y = b;
	int64_t p = doc_get_int((*x)->spec, "Priority", 0);
	int64_t q = doc_get_int((*y)->spec, "Priority", 0);

	return (p > q) - (p < q);
}

/* A listener has 100 rules at most, in order of priority: one page. */
struct reply *
rule_describe(struct call *c)
{
	const struct doc *arns = doc_get(c->in, "RuleArns");
	struct span arn = doc_get_str(c->in, "ListenerArn");
	struct doc *list = doc_arr(c->arena);
	struct res_list l;
	struct res *listener;
	struct reply *e;
	int n;

	if (!!arn.n + !!doc_len(arns) != 1)
		return reply_error(c, VALIDATION,
		    "You must specify either listener rule ARNs or a listener ARN");
	if (doc_len(arns))
		return describe_by_arn(c, arns);
	if ((e = listener_find(c, arn, &listener)))
		return e;
	if ((n = list_below(c, &elbv2_rule, rule_parent(c->arena, listener),
	    &l)))
		return reply_failure(c, err_fold(n));
	if (l.n)
		qsort(l.v, l.n, sizeof(struct res *), by_priority);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, rule_doc(c->arena, l.v[i]));
	doc_push(list, default_doc(c, listener));
	return reply_rules(c, list);
}

struct reply *
rule_modify(struct call *c)
{
	struct span arn = doc_get_str(c->in, "RuleArn");
	struct res *r, *l, *lb;
	struct reply *e;
	int n;

	if (default_rule(c, arn, &l))
		return reply_error(c, "OperationNotPermitted",
		    "Default rule '%.*s' cannot be modified", SPAN_ARG(arn));
	if (!doc_get(c->in, "Conditions") && !doc_get(c->in, "Actions"))
		return reply_error(c, VALIDATION,
		    "Either conditions or actions must be specified");
	if ((e = rule_find(c, arn, &r)) ||
	    (e = listener_find(c, doc_get_str(r->spec, "ListenerArn"), &l)) ||
	    (e = lb_find(c, doc_get_str(l->spec, "LoadBalancerArn"), &lb)) ||
	    (e = rule_place(c, lb, r->spec)))
		return e;
	if ((n = store_put_spec(c->store, r)))
		return reply_failure(c, err_fold(n));
	return reply_rule(c, r);
}

struct reply *
rule_delete(struct call *c)
{
	struct span arn = doc_get_str(c->in, "RuleArn");
	struct res *r;
	struct reply *e;
	int n;

	if (default_rule(c, arn, &r))
		return reply_error(c, "OperationNotPermitted",
		    "Default rule '%.*s' cannot be deleted", SPAN_ARG(arn));
	if ((e = rule_find(c, arn, &r)))
		return e;
	n = store_delete(c->store, r);
	return n ? reply_failure(c, err_fold(n)) : reply_ok(c, NULL);
}

/* All of the listener's priorities after the change must differ. */
static struct reply *
priorities_check(struct call *c, struct res *const *v, size_t n)
{
	struct res_list l;
	const struct res *same;
	int e;

	for (size_t i = 0; i < n; i++) {
		if ((e = list_below(c, &elbv2_rule, v[i]->parent, &l)))
			return reply_failure(c, err_fold(e));
		same = NULL;
		for (size_t j = 0; j < l.n; j++)
			if (l.v[j]->row != v[i]->row &&
			    doc_get_int(l.v[j]->spec, "Priority", 0) ==
			    doc_get_int(v[i]->spec, "Priority", 0))
				same = l.v[j];
		if (same)
			return reply_error(c, "PriorityInUse",
			    "Priority '%d' is currently in use",
			    (int)doc_get_int(same->spec, "Priority", 0));
	}
	return NULL;
}

struct reply *
rule_set_priorities(struct call *c)
{
	const struct doc *in = doc_get(c->in, "RulePriorities");
	struct res **v = arena_array(c->arena, struct res *, doc_len(in) + 1);
	struct doc *list = doc_arr(c->arena);
	struct reply *e;
	size_t n = 0;
	int r;

	doc_each(p, in) {
		if ((e = rule_find(c, doc_get_str(p, "RuleArn"), &v[n])))
			return e;
		doc_set_int(c->arena, v[n]->spec, "Priority",
		    doc_get_int(p, "Priority", 0));
		if ((r = store_put_spec(c->store, v[n])))
			return reply_failure(c, err_fold(r));
		n++;
	}
	if ((e = priorities_check(c, v, n)))
		return e;
	for (size_t i = 0; i < n; i++)
		doc_push(list, rule_doc(c->arena, v[i]));
	return reply_rules(c, list);
}
