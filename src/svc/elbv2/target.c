/* Targets: register, deregister, health. */
#include <arpa/inet.h>

#include "base/clock.h"
#include "base/err.h"
#include "svc/elbv2/elbv2.h"

/* RFC 1918 and RFC 6598, the ranges an IP target may lie in.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-type */
static const struct {
	uint32_t net;
	uint32_t mask;
} ranges[] = {
	{0x0a000000, 0xff000000},
	{0xac100000, 0xfff00000},
	{0xc0a80000, 0xffff0000},
	{0x64400000, 0xffc00000},
};

static struct reply *
address_check(struct call *c, struct span id)
{
	struct in_addr in;
	uint32_t a;

	if (inet_pton(AF_INET, arena_str(c->arena, id), &in) != 1)
		return reply_error(c, VALIDATION, "The IP address '%.*s' is "
		    "not a valid IPv4 address", SPAN_ARG(id));
	a = ntohl(in.s_addr);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if ((a & ranges[i].mask) == ranges[i].net)
			return NULL;
	return reply_error(c, VALIDATION, "The IP address '%.*s' is not in a "
	    "valid range of private addresses", SPAN_ARG(id));
}

static int64_t
port_of(const struct res *tg, const struct doc *t)
{
	return doc_get_int(t, "Port", doc_get_int(tg->spec, "Port", 80));
}

static struct span
target_id(struct arena *a, const struct res *tg, const struct doc *t)
{
	return arena_fmt_span(a, "%.*s:%d", SPAN_ARG(doc_get_str(t, "Id")),
	    (int)port_of(tg, t));
}

static int
target_get(struct call *c, const struct res *tg, const struct doc *t,
    struct res **ret)
{
	return store_get(c->store, c->arena, &elbv2_target, c->scope, tg->arn,
	    target_id(c->arena, tg, t), ret);
}

/* A registered target stays as it is; one that drains comes back. */
static int
register_one(struct call *c, const struct res *tg, const struct doc *t)
{
	struct res *r;
	struct span zone = doc_get_str(t, "AvailabilityZone");
	int e = target_get(c, tg, t, &r);

	if (e < 0)
		return e;
	if (!e) {
		if (!doc_get_bool(r->spec, "Draining", false))
			return 0;
		doc_del(r->spec, "Draining");
		doc_del(r->spec, "DrainUntil");
		return store_put_spec(c->store, r);
	}
	r = res_new(c->arena, &elbv2_target, c->scope, tg->arn,
	    target_id(c->arena, tg, t));
	doc_set_str(c->arena, r->spec, "Id", doc_get_str(t, "Id"));
	doc_set_int(c->arena, r->spec, "Port", port_of(tg, t));
	if (zone.n)
		doc_set_str(c->arena, r->spec, "AvailabilityZone", zone);
	return store_insert(c->store, c->arena, r);
}

struct reply *
target_register(struct call *c)
{
	const struct doc *targets = doc_get(c->in, "Targets");
	struct query q = {.kind = &elbv2_target, .scope = c->scope};
	struct res *tg;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);
	int64_t have;
	int n;

	if (e)
		return e;
	doc_each(t, targets)
		if ((e = address_check(c, doc_get_str(t, "Id"))))
			return e;
	doc_each(t, targets)
		if ((n = register_one(c, tg, t)))
			return reply_failure(c, err_fold(n));
	q.parent = tg->arn;
	have = store_count(c->store, &q);
	if (have > LIMIT_TARGETS)
		return reply_error(c, "TooManyTargets", "The maximum number of "
		    "targets for target group '%.*s' has been reached",
		    SPAN_ARG(tg->arn));
	return reply_ok(c, NULL);
}

static int64_t
drain_delay_ms(const struct res *tg)
{
	struct span s = doc_get_str(doc_get(tg->spec, "Attributes"),
	    "deregistration_delay.timeout_seconds");
	int64_t n;

	return (span_i64(s, &n) ? n : 300) * 1000;
}

/* With a load balancer the target drains and the controller deletes it at the
 * end; without one nothing can be under way. */
static int
deregister_one(struct call *c, const struct res *tg, const struct doc *t,
    bool used)
{
	struct res *r;
	int e = target_get(c, tg, t, &r);

	if (e)
		return e;
	if (!used)
		return store_delete(c->store, r);
	if (doc_get_bool(r->spec, "Draining", false))
		return 0;
	doc_set_bool(c->arena, r->spec, "Draining", true);
	doc_set_time(c->arena, r->spec, "DrainUntil",
	    clock_ms() + drain_delay_ms(tg));
	return store_put_spec(c->store, r);
}

struct reply *
target_deregister(struct call *c)
{
	const struct doc *targets = doc_get(c->in, "Targets");
	struct res *tg, *row;
	struct doc *users;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);
	int n;

	if (e)
		return e;
	if ((n = tg_users(c, tg->arn, &users)))
		return reply_failure(c, n);
	doc_each(t, targets) {
		/* Without a port: every port of the address. */
		struct res_list l = {NULL, 0, false};

		n = doc_get(t, "Port") ? 0
		    : list_below(c, &elbv2_target, tg->arn, &l);
		for (size_t i = 0; !n && i < l.n; i++) {
			row = l.v[i];
			if (span_eq(doc_get_str(row->spec, "Id"),
			    doc_get_str(t, "Id")))
				n = deregister_one(c, tg, row->spec,
				    doc_len(users) > 0);
		}
		if (!n && doc_get(t, "Port"))
			n = deregister_one(c, tg, t, doc_len(users) > 0);
		/* One that is not registered is passed over, as AWS does. */
		if (n && n != STORE_E_NOT_FOUND)
			return reply_failure(c, err_fold(n));
	}
	return reply_ok(c, NULL);
}

static void
health_set(struct arena *a, struct doc *h, const char *state,
    const char *reason, const char *text)
{
	doc_set_str(a, h, "State", span_of(state));
	if (reason)
		doc_set_str(a, h, "Reason", span_of(reason));
	if (text)
		doc_set_str(a, h, "Description", span_of(text));
}

/* What the controller has not said yet follows from the row. */
static struct doc *
health_doc(struct arena *a, const struct res *t, bool used)
{
	struct doc *h = doc_obj(a);
	struct span state = doc_get_str(t->status, "State");

	if (!used)
		health_set(a, h, "unused", "Target.NotInUse", "Target group is "
		    "not configured to receive traffic from the load balancer");
	else if (doc_get_bool(t->spec, "Draining", false))
		health_set(a, h, "draining", "Target.DeregistrationInProgress",
		    "Target deregistration is in progress");
	else if (!state.n || span_is(state, "unused") ||
	    span_is(state, "draining"))
		health_set(a, h, "initial", "Elb.RegistrationInProgress",
		    "Target registration is in progress");
	else
		return doc_copy(a, t->status);
	return h;
}

static struct doc *
description(struct arena *a, const struct res *tg, const struct doc *t,
    struct doc *health)
{
	struct doc *d = doc_obj(a), *id = doc_obj(a);
	struct span port = doc_get_str(tg->spec, "HealthCheckPort");

	doc_set_str(a, id, "Id", doc_get_str(t, "Id"));
	doc_set_int(a, id, "Port", port_of(tg, t));
	if (doc_get_str(t, "AvailabilityZone").n)
		doc_set_str(a, id, "AvailabilityZone",
		    doc_get_str(t, "AvailabilityZone"));
	doc_set(a, d, "Target", id);
	if (span_is(port, "traffic-port"))
		doc_setf(a, d, "HealthCheckPort", "%d", (int)port_of(tg, t));
	else
		doc_set_str(a, d, "HealthCheckPort", port);
	return doc_set(a, d, "TargetHealth", health);
}

static struct reply *
health_of_named(struct call *c, const struct res *tg, bool used,
    const struct doc *targets, struct doc *out)
{
	struct res *r;
	struct doc *h;
	int e;

	doc_each(t, targets) {
		e = target_get(c, tg, t, &r);
		if (e < 0)
			return reply_failure(c, e);
		if (e) {
			h = doc_obj(c->arena);
			health_set(c->arena, h, "unused", "Target.NotRegistered",
			    "Target is not registered to the target group");
		} else {
			h = health_doc(c->arena, r, used);
		}
		doc_push(out, description(c->arena, tg, e ? t : r->spec, h));
	}
	return NULL;
}

struct reply *
target_health(struct call *c)
{
	const struct doc *targets = doc_get(c->in, "Targets");
	struct doc *out = doc_arr(c->arena), *users;
	struct res_list l;
	struct res *tg;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);
	bool used;
	int n;

	if (e)
		return e;
	if ((n = tg_users(c, tg->arn, &users)))
		return reply_failure(c, n);
	used = doc_len(users) > 0;
	if (doc_len(targets)) {
		if ((e = health_of_named(c, tg, used, targets, out)))
			return e;
	} else {
		if ((n = list_below(c, &elbv2_target, tg->arn, &l)))
			return reply_failure(c, err_fold(n));
		for (size_t i = 0; i < l.n; i++)
			doc_push(out, description(c->arena, tg, l.v[i]->spec,
			    health_doc(c->arena, l.v[i], used)));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "TargetHealthDescriptions", out));
}
