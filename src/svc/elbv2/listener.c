/* Listeners. */
#include "base/err.h"
#include "base/id.h"
#include "svc/elbv2/elbv2.h"

static struct doc *
listener_doc(struct arena *a, const struct res *l)
{
	struct doc *d = doc_copy(a, l->spec);

	doc_del(d, "TargetGroupArns");
	doc_del(d, "Attributes");
	doc_del(d, "ExtraCertificates");
	doc_del(d, "CertificateArns");
	doc_set_str(a, d, "ListenerArn", l->arn);
	return d;
}

static struct reply *
reply_listener(struct call *c, const struct res *l)
{
	struct doc *list = doc_arr(c->arena);

	doc_push(list, listener_doc(c->arena, l));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Listeners",
	    list));
}

static struct reply *
protocol_check(struct call *c, struct span protocol)
{
	if (!protocol.n)
		return reply_error(c, VALIDATION,
		    "A listener protocol must be specified");
	if (!span_is(protocol, "HTTP") && !span_is(protocol, "HTTPS"))
		return reply_error(c, VALIDATION, "Listener protocol '%.*s' "
		    "must be one of 'HTTP, HTTPS'", SPAN_ARG(protocol));
	return NULL;
}

/* Attributes are set later and do not make it another listener. */
static bool
same_settings(const struct res *a, const struct res *b)
{
	static const char *const names[] = {"Protocol", "DefaultActions",
	    "Certificates", "SslPolicy"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!doc_eq(doc_get(a->spec, names[i]),
		    doc_get(b->spec, names[i])))
			return false;
	return true;
}

/* Is another listener of the load balancer on this port?  One that is as l
 * would be is *same, where the caller asks for it. */
static struct reply *
port_check(struct call *c, const struct res *lb, int64_t port,
    const struct res *l, struct res **same)
{
	struct res_list all;
	int e = list_below(c, &elbv2_listener, lb->id, &all);

	if (e)
		return reply_failure(c, err_fold(e));
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i]->row == l->row ||
		    doc_get_int(all.v[i]->spec, "Port", 0) != port)
			continue;
		if (same && same_settings(all.v[i], l)) {
			*same = all.v[i];
			return NULL;
		}
		return reply_error(c, "DuplicateListener", "A listener "
		    "already exists on this port for this load "
		    "balancer '%.*s'", SPAN_ARG(lb->arn));
	}
	if (l->row == 0 && all.n >= LIMIT_LISTENERS)
		return reply_error(c, "TooManyListeners", "The maximum number "
		    "of listeners on load balancer '%.*s' has been reached",
		    SPAN_ARG(lb->arn));
	return NULL;
}

static struct reply *
actions_place(struct call *c, const struct res *lb, struct doc *spec)
{
	struct doc *actions, *groups;
	struct reply *e = actions_check(c, doc_get(c->in, "DefaultActions"),
	    &actions, &groups);

	if (e || (e = tg_usable(c, lb, groups)))
		return e;
	doc_set(c->arena, spec, "DefaultActions", actions);
	doc_set(c->arena, spec, "TargetGroupArns", groups);
	return NULL;
}

/* Idempotent: the same settings again answer with the listener there is. */
struct reply *
listener_create(struct call *c)
{
	int64_t port = doc_get_int(c->in, "Port", 0);
	struct span protocol = doc_get_str(c->in, "Protocol");
	struct res *lb, *l, *same = NULL;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);
	int n;

	if (e)
		return e;
	if (!port)
		return reply_error(c, VALIDATION,
		    "A listener port must be specified");
	l = res_new(c->arena, &elbv2_listener, c->scope, lb->id,
	    span_of(id_hex(c->arena, 16)));
	doc_set_str(c->arena, l->spec, "LoadBalancerArn", lb->arn);
	doc_set_int(c->arena, l->spec, "Port", port);
	doc_set_str(c->arena, l->spec, "Protocol", protocol);
	if ((e = protocol_check(c, protocol)) || (e = tls_place(c, l->spec)) ||
	    (e = actions_place(c, lb, l->spec)) ||
	    (e = port_check(c, lb, port, l, &same)))
		return e;
	if (same)
		return reply_listener(c, same);
	doc_set(c->arena, l->spec, "Attributes", doc_obj(c->arena));
	if ((n = store_insert(c->store, c->arena, l)))
		return reply_failure(c, err_fold(n));
	if ((e = tags_put(c, l, doc_get(c->in, "Tags"))))
		return e;
	return reply_listener(c, l);
}

static struct reply *
describe_by_arn(struct call *c, const struct doc *arns)
{
	struct doc *list = doc_arr(c->arena);
	struct res *l;
	struct reply *e;

	doc_each(arn, arns) {
		if ((e = listener_find(c, doc_span(arn), &l)))
			return e;
		doc_push(list, listener_doc(c->arena, l));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Listeners",
	    list));
}

struct reply *
listener_describe(struct call *c)
{
	const struct doc *arns = doc_get(c->in, "ListenerArns");
	struct span arn = doc_get_str(c->in, "LoadBalancerArn");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res_list l;
	struct query q;
	struct res *lb;
	struct reply *e;
	int n;

	if (!!arn.n + !!doc_len(arns) != 1)
		return reply_error(c, VALIDATION, "You must specify either "
		    "listener ARNs or a load balancer ARN");
	if (doc_len(arns))
		return describe_by_arn(c, arns);
	if ((e = lb_find(c, arn, &lb)) ||
	    (e = page_query(c, &elbv2_listener, &q)))
		return e;
	q.any_parent = false;
	q.parent = lb->id;
	if ((n = store_list(c->store, c->arena, &q, &l)))
		return reply_failure(c, err_fold(n));
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, listener_doc(c->arena, l.v[i]));
	page_next(c, out, &l);
	return reply_ok(c, doc_set(c->arena, out, "Listeners", list));
}

static struct reply *
modify_place(struct call *c, struct res *l)
{
	struct span protocol = doc_get_str(c->in, "Protocol");
	int64_t port = doc_get_int(c->in, "Port", 0);
	struct res *lb;
	struct reply *e = lb_find(c, doc_get_str(l->spec, "LoadBalancerArn"),
	    &lb);

	if (e)
		return e;
	if (!protocol.n)
		protocol = doc_get_str(l->spec, "Protocol");
	if ((e = protocol_check(c, protocol)))
		return e;
	if (port && (e = port_check(c, lb, port, l, NULL)))
		return e;
	if (port)
		doc_set_int(c->arena, l->spec, "Port", port);
	doc_set_str(c->arena, l->spec, "Protocol", protocol);
	if ((e = tls_place(c, l->spec)))
		return e;
	return doc_get(c->in, "DefaultActions") ? actions_place(c, lb, l->spec)
	    : NULL;
}

struct reply *
listener_modify(struct call *c)
{
	struct res *l;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);
	int n;

	if (e || (e = modify_place(c, l)))
		return e;
	if ((n = store_put_spec(c->store, l)))
		return reply_failure(c, err_fold(n));
	return reply_listener(c, l);
}

int
listener_drop(struct call *c, struct res *l)
{
	struct res_list rules;
	int e = list_below(c, &elbv2_rule, arena_fmt_span(c->arena,
	    "%.*s/%.*s", SPAN_ARG(l->parent), SPAN_ARG(l->id)), &rules);

	for (size_t i = 0; !e && i < rules.n; i++)
		e = store_delete(c->store, rules.v[i]);
	return e ? e : store_delete(c->store, l);
}

struct reply *
listener_delete(struct call *c)
{
	struct res *l;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);
	int n;

	if (e)
		return e;
	n = listener_drop(c, l);
	return n ? reply_failure(c, err_fold(n)) : reply_ok(c, NULL);
}

struct reply *
listener_attributes(struct call *c)
{
	struct res *l;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);

	if (e)
		return e;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Attributes",
	    attrs_doc(c->arena, ATTR_LISTENER,
	    doc_get(l->spec, "Attributes"))));
}

struct reply *
listener_modify_attributes(struct call *c)
{
	struct res *l;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);
	int n;

	if (e || (e = attrs_modify(c, ATTR_LISTENER,
	    doc_get(l->spec, "Attributes"))))
		return e;
	if ((n = store_put_spec(c->store, l)))
		return reply_failure(c, err_fold(n));
	return listener_attributes(c);
}
