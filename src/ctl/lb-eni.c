/* A load balancer's network interfaces: one in each of its subnets. */
#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/lb.h"
#include "svc/ec2/kinds.h"

static bool
in_subnet(const struct doc *list, struct span subnet)
{
	doc_each(v, list)
		if (span_eq(doc_get_str(v, "SubnetId"), subnet))
			return true;
	return false;
}

struct lb_interfaces
lb_interfaces_plan(struct arena *a, const struct doc *spec,
    const struct doc *status)
{
	const struct doc *zones = doc_get(spec, "AvailabilityZones");
	const struct doc *have = doc_get(status, "Interfaces");
	struct lb_interfaces p = {doc_arr(a), doc_arr(a), doc_arr(a)};

	doc_each(z, zones)
		if (!in_subnet(have, doc_get_str(z, "SubnetId")))
			doc_push_str(a, p.add, doc_get_str(z, "SubnetId"));
	doc_each(v, have) {
		if (!in_subnet(zones, doc_get_str(v, "SubnetId")))
			doc_push(p.drop, doc_copy(a, v));
		else if (!doc_eq(doc_get(v, "Groups"),
		    doc_get(spec, "SecurityGroups")))
			doc_push(p.change, doc_copy(a, v));
	}
	return p;
}

static int
ec2(struct ctl *ctl, struct arena *a, const struct res *lb, const char *op,
    const struct doc *in, struct op_result *ret)
{
	struct principal who = principal_system(lb->scope.account,
	    ELB_PRINCIPAL);

	return op_call(ctl_env(ctl)->api, a, &who, lb->scope, "ec2", op, in,
	    ret);
}

static struct doc *
entry(struct arena *a, const struct doc *eni, const struct res *lb)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "SubnetId", doc_get_str(eni, "SubnetId"));
	doc_set_str(a, d, "NetworkInterfaceId",
	    doc_get_str(eni, "NetworkInterfaceId"));
	doc_set_str(a, d, "PrivateIpAddress",
	    doc_get_str(eni, "PrivateIpAddress"));
	if (doc_get(eni, "Association"))
		doc_set_str(a, d, "PublicIp",
		    doc_get_str(doc_get(eni, "Association"), "PublicIp"));
	doc_set(a, d, "Groups",
	    doc_copy(a, doc_get(lb->spec, "SecurityGroups")));
	return d;
}

static int
add(struct ctl *ctl, struct arena *a, const struct res *lb, struct span subnet,
    struct doc *list, struct span *ret_why)
{
	struct doc *in = doc_obj(a);
	struct op_result r;
	int e;

	doc_set_str(a, in, "SubnetId", subnet);
	doc_set(a, in, "Groups",
	    doc_copy(a, doc_get(lb->spec, "SecurityGroups")));
	doc_setf(a, in, "Description", "ELB %.*s", SPAN_ARG(lb->id));
	doc_set_str(a, in, "NeargateNetns", lb_proxy_id(a, lb->id));
	doc_set_bool(a, in, "NeargatePublicIp", span_is(
	    doc_get_str(lb->spec, "Scheme"), "internet-facing"));
	e = ec2(ctl, a, lb, "CreateNetworkInterface", in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		*ret_why = r.message;
	else
		doc_push(list, entry(a, doc_get(r.out, "NetworkInterface"),
		    lb));
	return 0;
}

static struct doc *
id_of(struct arena *a, const struct doc *v)
{
	return doc_set_str(a, doc_obj(a), "NetworkInterfaceId",
	    doc_get_str(v, "NetworkInterfaceId"));
}

static int
drop(struct ctl *ctl, struct arena *a, const struct res *lb,
    const struct doc *v)
{
	struct op_result r;
	int e = ec2(ctl, a, lb, "DeleteNetworkInterface", id_of(a, v), &r);

	if (e)
		return err_trace(e);
	if (r.error.n && !span_is(r.error, "InvalidNetworkInterfaceID.NotFound"))
		return err_origin(EBUSY, "cannot delete the interface of %.*s:"
		    " %.*s", SPAN_ARG(lb->id), SPAN_ARG(r.message));
	return 0;
}

static int
regroup(struct ctl *ctl, struct arena *a, const struct res *lb,
    const struct doc *v, struct span *ret_why)
{
	struct doc *in = id_of(a, v);
	struct op_result r;
	int e;

	doc_set(a, in, "Groups",
	    doc_copy(a, doc_get(lb->spec, "SecurityGroups")));
	e = ec2(ctl, a, lb, "ModifyNetworkInterfaceAttribute", in, &r);
	if (!e && r.error.n)
		*ret_why = r.message;
	return err_trace(e);
}

static bool
listed(const struct doc *list, const struct doc *v)
{
	return in_subnet(list, doc_get_str(v, "SubnetId"));
}

/* status.Interfaces after the plan was carried out. */
static int
carry_out(struct ctl *ctl, struct arena *a, struct res *lb,
    const struct lb_interfaces *p, struct span *ret_why)
{
	struct doc *list = doc_arr(a), *keep;
	int e = 0;

	doc_each(v, p->drop)
		if ((e = drop(ctl, a, lb, v)))
			return e;
	doc_each(v, p->change)
		if ((e = regroup(ctl, a, lb, v, ret_why)))
			return e;
	doc_each(v, doc_get(lb->status, "Interfaces")) {
		if (listed(p->drop, v))
			continue;
		keep = doc_copy(a, v);
		if (listed(p->change, v) && !ret_why->n)
			doc_set(a, keep, "Groups", doc_copy(a,
			    doc_get(lb->spec, "SecurityGroups")));
		doc_push(list, keep);
	}
	doc_each(s, p->add)
		if ((e = add(ctl, a, lb, doc_span(s), list, ret_why)))
			return e;
	doc_set(a, lb->status, "Interfaces", list);
	return 0;
}

/* Has the network made them all? */
static int
all_up(struct ctl *ctl, struct arena *a, const struct res *lb, bool *ret_up,
    struct span *ret_why)
{
	struct res *eni;
	struct span plane;
	bool up = true;
	int e;

	doc_each(v, doc_get(lb->status, "Interfaces")) {
		e = store_get(ctl_env(ctl)->store, a, &ec2_network_interface,
		    lb->scope, SPAN_NULL, doc_get_str(v, "NetworkInterfaceId"),
		    &eni);
		if (e < 0)
			return e;
		plane = e ? SPAN_NULL : doc_get_str(eni->status, "plane");
		up &= span_is(plane, "up");
		if (span_is(plane, "error"))
			*ret_why = doc_get_str(eni->status, "detail");
	}
	*ret_up = up && doc_len(doc_get(lb->status, "Interfaces")) > 0;
	return 0;
}

int
lb_interfaces_apply(struct ctl *ctl, struct arena *a, struct res *lb,
    bool *ret_up, struct span *ret_why)
{
	struct lb_interfaces p = lb_interfaces_plan(a, lb->spec, lb->status);
	int e;

	*ret_why = SPAN_NULL;
	*ret_up = false;
	if (doc_len(p.add) || doc_len(p.drop) || doc_len(p.change)) {
		if ((e = carry_out(ctl, a, lb, &p, ret_why)))
			return e;
		if ((e = store_put_status(ctl_env(ctl)->store, lb)))
			return err_fold(e);
	}
	return all_up(ctl, a, lb, ret_up, ret_why);
}

int
lb_interfaces_end(struct ctl *ctl, struct arena *a, struct res *lb)
{
	int e;

	doc_each(v, doc_get(lb->status, "Interfaces"))
		if ((e = drop(ctl, a, lb, v)))
			return e;
	return 0;
}
