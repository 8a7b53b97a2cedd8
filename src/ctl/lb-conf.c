/* A load balancer in the store, as its driver wants it. */
#include "base/err.h"
#include "base/id.h"
#include "ctl/lb.h"
#include "svc/acm/pem.h"
#include "svc/elbv2/ssl-policy.h"

struct span
lb_proxy_id(struct arena *a, struct span lb_id)
{
	return arena_fmt_span(a, "lb-%.*s",
	    SPAN_ARG(span_from(lb_id, (size_t)(span_rchr(lb_id, '/') + 1))));
}

struct span
lb_server_name(struct arena *a, struct span group_arn, struct span target_id)
{
	return span_to(span_of(sha256_hex(a, arena_fmt_span(a, "%.*s %.*s",
	    SPAN_ARG(group_arn), SPAN_ARG(target_id)))), 16);
}

static int
below(struct store *s, struct arena *a, const struct kind *k,
    struct scope scope, struct span parent, struct res_list *ret)
{
	struct query q = {.kind = k, .scope = scope, .parent = parent};

	return store_list(s, a, &q, ret);
}

static int
by_priority(const void *x, const void *y)
{
	const struct res *const *p = x, *const *q = y;
	int64_t m = doc_get_int((*p)->spec, "Priority", 0);
	int64_t n = doc_get_int((*q)->spec, "Priority", 0);

	return (m > n) - (m < n);
}

static int
by_port(const void *x, const void *y)
{
	const struct res *const *p = x, *const *q = y;

	return (int)(doc_get_int((*p)->spec, "Port", 0) -
	    doc_get_int((*q)->spec, "Port", 0));
}

static void
note_groups(struct arena *a, struct doc *arns, const struct res *r)
{
	doc_each(arn, doc_get(r->spec, "TargetGroupArns"))
		if (!doc_has_str(arns, doc_span(arn)))
			doc_push_str(a, arns, doc_span(arn));
}

/* A certificate that is gone is left out; ACM lets none go that is used. */
static int
certificate(struct store *s, struct arena *a, struct span arn, bool keys,
    struct lb_tls *tls, struct lb_cert *v)
{
	struct acm_pem p = {.key = SPAN_NULL};
	struct span pem;
	int e = keys ? acm_pem(s, a, arn, &p) : acm_public(s, a, arn, &p);

	if (e)
		return e == ACM_E_NONE ? 0 : err_trace(e);
	pem = arena_fmt_span(a, "%.*s%.*s", SPAN_ARG(p.certificate),
	    SPAN_ARG(p.chain));
	v[tls->n_certs++] = (struct lb_cert){arena_fmt_span(a, "cert-%.16s.pem",
	    sha256_hex(a, pem)), pem, p.key};
	return 0;
}

static void
ciphers(struct arena *a, const struct ssl_policy *p, struct lb_tls *ret)
{
	for (const struct ssl_cipher *c = ssl_ciphers; c->name; c++) {
		struct span *to = c->family == SSL_TLS13 ? &ret->suites :
		    &ret->ciphers;

		if (p->ciphers & c->family)
			*to = arena_fmt_span(a, "%.*s%s%s", SPAN_ARG(*to),
			    to->n ? ":" : "", c->name);
	}
}

/* *ret stays NULL for a listener in clear. */
static int
tls(struct store *s, struct arena *a, const struct res *l,
    const struct lb_snapshot *snap, const struct lb_tls **ret)
{
	const struct doc *arns = doc_get(l->spec, "CertificateArns");
	const struct ssl_policy *p = ssl_policy_find(doc_get_str(l->spec,
	    "SslPolicy"));
	struct lb_tls *t = arena_new_of(a, struct lb_tls);
	struct lb_cert *v = arena_array(a, struct lb_cert, doc_len(arns) + 1);
	int e;

	if (!span_is(doc_get_str(l->spec, "Protocol"), "HTTPS"))
		return 0;
	AN(p);
	*t = (struct lb_tls){.min = p->min, .max = p->max, .certs = v,
	    .h2 = !span_is(doc_get_str(snap->conf.attributes,
		"routing.http2.enabled"), "false")};
	ciphers(a, p, t);
	doc_each(arn, arns)
		if ((e = certificate(s, a, doc_span(arn), snap->keys, t, v)))
			return err_trace(e);
	*ret = t;
	return 0;
}

static int
listener(struct store *s, struct arena *a, const struct res *l,
    const struct lb_snapshot *snap, struct doc *arns, struct lb_listener *ret)
{
	struct res_list rules;
	struct lb_rule *v;
	int e = below(s, a, &elbv2_rule, l->scope, arena_fmt_span(a,
	    "%.*s/%.*s", SPAN_ARG(l->parent), SPAN_ARG(l->id)), &rules);

	if (e)
		return err_fold(e);
	if (rules.n)
		qsort(rules.v, rules.n, sizeof(struct res *), by_priority);
	v = arena_array(a, struct lb_rule, rules.n + 1);
	note_groups(a, arns, l);
	for (size_t i = 0; i < rules.n; i++) {
		v[i].conditions = doc_get(rules.v[i]->spec, "Conditions");
		v[i].actions = doc_get(rules.v[i]->spec, "Actions");
		note_groups(a, arns, rules.v[i]);
	}
	*ret = (struct lb_listener){
	    (uint16_t)doc_get_int(l->spec, "Port", 80),
	    doc_get(l->spec, "DefaultActions"),
	    doc_get(l->spec, "Attributes"), v, rules.n, NULL};
	return tls(s, a, l, snap, &ret->tls);
}

static int
listeners(struct store *s, struct arena *a, struct lb_snapshot *snap,
    struct doc *arns)
{
	struct lb_listener *v;
	struct res_list l;
	int e = below(s, a, &elbv2_listener, snap->lb->scope, snap->lb->id, &l);

	if (e)
		return err_fold(e);
	if (l.n)
		qsort(l.v, l.n, sizeof(struct res *), by_port);
	v = arena_array(a, struct lb_listener, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		if ((e = listener(s, a, l.v[i], snap, arns, &v[i])))
			return e;
	snap->conf.listeners = v;
	snap->conf.n_listeners = l.n;
	return 0;
}

/* A group that is gone is left out: its backend is "none", 503. */
static int
groups(struct store *s, struct arena *a, struct lb_snapshot *snap,
    const struct doc *arns)
{
	struct lb_group *v = arena_array(a, struct lb_group, doc_len(arns) + 1);
	struct res **rows = arena_array(a, struct res *, doc_len(arns) + 1);
	struct span tail;
	size_t n = 0;
	int e;

	doc_each(arn, arns) {
		e = store_get_arn(s, a, doc_span(arn), &rows[n]);
		if (e < 0)
			return e;
		if (e)
			continue;
		tail = span_from(doc_span(arn),
		    (size_t)(span_rchr(doc_span(arn), '/') + 1));
		v[n] = (struct lb_group){rows[n]->arn,
		    arena_fmt_span(a, "tg-%.*s", SPAN_ARG(tail)),
		    rows[n]->spec};
		n++;
	}
	snap->conf.groups = v;
	snap->conf.n_groups = n;
	snap->groups = rows;
	return 0;
}

static void
target(struct arena *a, const struct lb_group *g, struct res *row,
    struct lb_target *ret)
{
	struct span state = doc_get_str(row->status, "State");

	*ret = (struct lb_target){
	    .group = g,
	    .name = lb_server_name(a, g->arn, row->id),
	    .addr = doc_get_str(row->spec, "Id"),
	    .port = (uint16_t)doc_get_int(row->spec, "Port", 80),
	    .draining = doc_get_bool(row->spec, "Draining", false),
	    .healthy = span_is(state, "healthy"),
	    .judged = span_is(state, "healthy") || span_is(state, "unhealthy"),
	};
}

static int
targets(struct store *s, struct arena *a, struct lb_snapshot *snap)
{
	const struct lb_conf *c = &snap->conf;
	struct res_list *l = arena_array(a, struct res_list, c->n_groups + 1);
	size_t n = 0;
	int e;

	for (size_t i = 0; i < c->n_groups; i++) {
		e = below(s, a, &elbv2_target, snap->groups[i]->scope,
		    c->groups[i].arn, &l[i]);
		if (e)
			return err_fold(e);
		n += l[i].n;
	}
	snap->targets = arena_array(a, struct lb_target, n + 1);
	snap->rows = arena_array(a, struct res *, n + 1);
	for (size_t i = 0; i < c->n_groups; i++)
		for (size_t j = 0; j < l[i].n; j++) {
			snap->rows[snap->n_targets] = l[i].v[j];
			target(a, &c->groups[i], l[i].v[j],
			    &snap->targets[snap->n_targets++]);
		}
	return 0;
}

int
lb_snapshot(struct store *s, struct arena *a, struct res *lb, bool keys,
    struct lb_snapshot *ret)
{
	struct doc *arns = doc_arr(a);
	struct lb_snapshot snap = {.lb = lb, .keys = keys};
	int e;

	snap.conf.id = lb_proxy_id(a, lb->id);
	snap.conf.netns = snap.conf.id;
	snap.conf.addr = SPAN("0.0.0.0");
	snap.conf.edge = SPAN(EDGE_SOURCE "/32");
	snap.conf.attributes = doc_get(lb->spec, "Attributes");
	if ((e = listeners(s, a, &snap, arns)) ||
	    (e = groups(s, a, &snap, arns)) || (e = targets(s, a, &snap)))
		return err_trace(e);
	*ret = snap;
	return 0;
}
