/* NAT gateways: a subnet's address that others leave by. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

/* AWS: five in a zone at first; here as many as the network takes in a VPC. */
enum { GATEWAYS_MAX = 64 };

/* The state follows from what was asked for and from what the network has done
 * (status.plane and status.State, by ctl/vpc.c and ctl/nat.c). */
static struct span
state_of(const struct res *r)
{
	if (doc_get(r->spec, "DeleteTime"))
		return span_is(doc_get_str(r->status, "State"), "deleted") ?
		    SPAN("deleted") : SPAN("deleting");
	if (doc_get(r->spec, "FailureCode"))
		return SPAN("failed");
	return span_is(doc_get_str(r->status, "plane"), "up") ?
	    SPAN("available") : SPAN("pending");
}

static int
nat_render(const struct at *at, const struct res *r, struct doc *d)
{
	static const struct {
		const char *state, *address;
	} rows[] = {{"pending", "associating"}, {"available", "succeeded"},
		{"failed", "failed"}, {"deleting", "disassociating"},
		{"deleted", "succeeded"}};
	struct span state = state_of(r);

	doc_set_str(at->arena, d, "State", state);
	doc_set_time(at->arena, d, "CreateTime", r->created);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (span_is(state, rows[i].state))
			doc_each(v, doc_get(d, "NatGatewayAddresses"))
				doc_set_str(at->arena, v, "Status",
				    span_of(rows[i].address));
	return 0;
}

static const struct ec2_filter filters[] = {
	{"connectivity-type", "ConnectivityType", NULL},
	{"nat-gateway-id", "NatGatewayId", NULL},
	{"state", "State", NULL},
	{"subnet-id", "SubnetId", "spec.SubnetId"},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_nat = {
	.kind = &ec2_nat_gateway,
	.type = "natgateway",
	.prefix = "nat-",
	.label = "NatGateway ID",
	.lacks = "NAT gateway",
	.not_found = "NatGatewayNotFound",
	.malformed = "NatGatewayMalformed",
	.id = "NatGatewayId",
	.ids = "NatGatewayIds",
	.list = "NatGateways",
	.tags = "Tags",
	.filter = "Filter",
	.filters = filters,
	.render = nat_render,
};

static struct reply *
nat_answer(struct call *c, const struct res *r)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct at at = at_of(c);
	int e = noun_show(&at, &noun_nat, r, &d);

	if (e < 0)
		return reply_failure(c, e);
	/* AWS: what fails is pending first. */
	if (doc_get(d, "FailureCode")) {
		doc_set_str(c->arena, d, "State", SPAN("pending"));
		doc_del(d, "FailureCode");
		doc_del(d, "FailureMessage");
	}
	doc_set(c->arena, out, "NatGateway", d);
	doc_set_str(c->arena, out, "ClientToken",
	    doc_get_str(r->spec, "ClientToken"));
	return reply_ok(c, out);
}

/* What a request must have, by connectivity; what there is none of here. */
static struct reply *
form(struct call *c, bool *ret_private)
{
	struct span type = doc_get_str(c->in, "ConnectivityType");
	bool private = span_is(type, "private");
	bool address = doc_get(c->in, "AllocationId") != NULL;

	if (span_is(doc_get_str(c->in, "AvailabilityMode"), "regional"))
		return reply_not_implemented(c, "AvailabilityMode regional");
	if (!doc_get(c->in, "SubnetId"))
		return noun_missing(c, "SubnetId");
	if (!private && !address)
		return noun_missing(c, "AllocationId");
	if (private && address)
		return reply_error(c, "InvalidParameterCombination",
		    "AllocationId cannot be specified for a NAT gateway whose "
		    "connectivity type is private.");
	*ret_private = private;
	return NULL;
}

static void PRINTF(4, 5)
fails(struct call *c, struct res *r, const char *code, const char *fmt, ...)
{
	va_list ap;

	doc_set_str(c->arena, r->spec, "FailureCode", span_of(code));
	va_start(ap, fmt);
	doc_set_str(c->arena, r->spec, "FailureMessage",
	    span_of(arena_vfmt(c->arena, fmt, ap)));
	va_end(ap);
}

/* AWS: these make a gateway that is then "failed".
 * docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html */
static struct reply *
judge(struct call *c, struct res *r, const struct res *address)
{
	struct span vpc = doc_get_str(r->spec, "VpcId");
	struct at at = at_of(c);
	int e;

	if (!address)
		return NULL;
	e = noun_any(&at, &ec2_internet_gateway, "spec.VpcId", vpc);
	if (e < 0)
		return reply_failure(c, e);
	if (e == 0)
		fails(c, r, "Gateway.NotAttached", "Network %.*s has no "
		    "Internet gateway attached", SPAN_ARG(vpc));
	else if (doc_get(address->spec, "AssociationId"))
		fails(c, r, "Resource.AlreadyAssociated", "Elastic IP address "
		    "[%.*s] is already associated", SPAN_ARG(address->id));
	return NULL;
}

/* Ended ones do not count. */
static struct reply *
room(struct call *c, struct span vpc)
{
	struct at at = at_of(c);
	struct res_list l;
	size_t n = 0;
	int e = noun_list(&at, &ec2_nat_gateway, "spec.VpcId", vpc, &l);

	if (e < 0)
		return reply_failure(c, e);
	for (size_t i = 0; i < l.n; i++)
		n += !ec2_nat_gateway.ended(l.v[i]);
	return n < GATEWAYS_MAX ? NULL : reply_error(c,
	    "NatGatewayLimitExceeded",
	    "The maximum number of NAT gateways has been reached.");
}

/* The interface through which it leaves: AWS's, not the user's. */
static int
make_interface(struct call *c, const struct res *r, const struct res *subnet,
    struct span addr, struct res **ret)
{
	struct at at = at_of(c);
	struct arena *a = c->arena;
	struct res *i = interface_new(&at, subnet, addr);

	doc_set_bool(a, i->spec, "SourceDestCheck", false);
	doc_set_str(a, i->spec, "InterfaceType", SPAN("nat_gateway"));
	doc_setf(a, i->spec, "Description", "Interface for NAT Gateway %.*s",
	    SPAN_ARG(r->id));
	doc_set_bool(a, i->spec, "RequesterManaged", true);
	doc_set_str(a, i->spec, "RequesterId", SPAN("amazon-aws"));
	doc_set_str(a, i->spec, "AttachmentId",
	    span_of(id_prefixed(a, "ela-attach-", 17)));
	*ret = i;
	return noun_insert(&at, i);
}

/* Gives it its interface and address. */
static int
equip(struct call *c, struct res *r, const struct res *subnet,
    struct res *address, struct span private, struct doc *entry)
{
	static const char *const same[] = {"AssociationId", "PublicIp"};
	struct at at = at_of(c);
	struct res *i;
	int e = make_interface(c, r, subnet, private, &i);

	if (e == 0 && address)
		e = elastic_ip_bind(&at, address, i);
	if (e < 0)
		return err_trace(e);
	doc_set_str(c->arena, entry, "NetworkInterfaceId", i->id);
	doc_set_str(c->arena, entry, "PrivateIp", private);
	for (size_t k = 0; address && k < ARRAY_SIZE(same); k++)
		doc_set_str(c->arena, entry, same[k],
		    doc_get_str(address->spec, same[k]));
	return 0;
}

static struct reply *
nat_make(struct call *c, const struct res *subnet, struct res *address,
    struct res *r)
{
	struct doc *entry = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct span private;
	struct reply *refusal = judge(c, r, address);
	int e;

	if (refusal)
		return refusal;
	doc_set_bool(c->arena, entry, "IsPrimary", true);
	if (address)
		doc_set_str(c->arena, entry, "AllocationId", address->id);
	if (!doc_get(r->spec, "FailureCode")) {
		refusal = address_private(c, subnet,
		    doc_get_str(c->in, "PrivateIpAddress"), &private);
		if (refusal)
			return refusal;
		e = equip(c, r, subnet, address, private, entry);
		if (e < 0)
			return reply_failure(c, e);
	}
	doc_push(list, entry);
	doc_set(c->arena, r->spec, "NatGatewayAddresses", list);
	return noun_create(c, &noun_nat, r);
}

struct reply *
nat_create(struct call *c)
{
	struct res *subnet, *address = NULL, *r;
	struct at at = at_of(c);
	struct reply *refusal;
	bool private = false;
	struct span vpc;

	if ((refusal = form(c, &private)) ||
	    (refusal = noun_get(c, &noun_subnet,
		 doc_get_str(c->in, "SubnetId"), &subnet)) ||
	    (refusal = noun_repeated(c, &noun_nat, &r)))
		return refusal;
	if (r)
		return nat_answer(c, r);
	if (!private &&
	    (refusal = noun_get(c, &noun_elastic_ip,
		 doc_get_str(c->in, "AllocationId"), &address)))
		return refusal;
	vpc = doc_get_str(subnet->spec, "VpcId");
	if ((refusal = room(c, vpc)))
		return refusal;
	r = noun_new(&at, &noun_nat, SPAN_NULL);
	doc_set_str(c->arena, r->spec, "SubnetId", subnet->id);
	doc_set_str(c->arena, r->spec, "VpcId", vpc);
	doc_set_str(c->arena, r->spec, "ConnectivityType",
	    private ? SPAN("private") : SPAN("public"));
	doc_set_str(c->arena, r->spec, "AvailabilityMode", SPAN("zonal"));
	if ((refusal = nat_make(c, subnet, address, r)))
		return refusal;
	return nat_answer(c, r);
}

struct reply *
nat_delete(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct reply *refusal;
	struct res *r;
	int e;

	refusal = noun_get(c, &noun_nat, doc_get_str(c->in, "NatGatewayId"),
	    &r);
	if (refusal)
		return refusal;
	if (!doc_get(r->spec, "DeleteTime")) {
		doc_set_time(c->arena, r->spec, "DeleteTime", clock_ms());
		if ((e = store_put_spec(c->store, r)) != 0)
			return reply_failure(c, e > 0 ? err_fold(e) : e);
	}
	doc_set_str(c->arena, out, "NatGatewayId", r->id);
	return reply_ok(c, out);
}

struct reply *
nat_describe(struct call *c)
{
	return noun_describe(c, &noun_nat);
}
