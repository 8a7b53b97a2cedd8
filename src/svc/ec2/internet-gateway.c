/* Internet gateways: attached to one VPC at a time, or to none. */
#include "base/err.h"
#include "svc/ec2/ops.h"

static int
gateway_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *list = doc_arr(at->arena), *one;
	struct span vpc = doc_get_str(r->spec, "VpcId");

	if (vpc.n > 0) {
		one = doc_obj(at->arena);
		/* AWS: "available", though the model calls it attached. */
		doc_set_str(at->arena, one, "State", SPAN("available"));
		doc_set_str(at->arena, one, "VpcId", vpc);
		doc_push(list, one);
	}
	doc_set(at->arena, d, "Attachments", list);
	return 0;
}

static const struct ec2_filter filters[] = {
	{"attachment.state", "Attachments.State", NULL},
	{"attachment.vpc-id", "Attachments.VpcId", "spec.VpcId"},
	{"internet-gateway-id", "InternetGatewayId", NULL},
	{"owner-id", "OwnerId", NULL},
	{NULL, NULL, NULL},
};

const struct noun noun_gateway = {
	.kind = &ec2_internet_gateway,
	.type = "internet-gateway",
	.prefix = "igw-",
	.label = "internetGateway ID",
	.not_found = "InvalidInternetGatewayID.NotFound",
	.malformed = "InvalidInternetGatewayId.Malformed",
	.id = "InternetGatewayId",
	.ids = "InternetGatewayIds",
	.list = "InternetGateways",
	.tags = "Tags",
	.filters = filters,
	.render = gateway_render,
};

struct reply *
gateway_create(struct call *c)
{
	struct at at = at_of(c);
	struct res *r = noun_new(&at, &noun_gateway, SPAN_NULL);
	struct reply *refusal = noun_create(c, &noun_gateway, r);

	if (refusal)
		return refusal;
	return noun_reply(c, &noun_gateway, r, "InternetGateway");
}

/* The gateway and the VPC that a request names. */
static struct reply *
both(struct call *c, struct res **ret_gateway, struct res **ret_vpc)
{
	struct span id = doc_get_str(c->in, "InternetGatewayId");
	struct reply *refusal = noun_get(c, &noun_gateway, id, ret_gateway);

	if (refusal)
		return refusal;
	return noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), ret_vpc);
}

struct reply *
gateway_attach(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *igw, *vpc;
	struct span now;
	int e;

	if ((refusal = both(c, &igw, &vpc)))
		return refusal;
	now = doc_get_str(igw->spec, "VpcId");
	if (now.n > 0)
		return reply_error(c, "Resource.AlreadyAssociated",
		    "resource %.*s is already attached to network %.*s",
		    SPAN_ARG(igw->id), SPAN_ARG(now));
	e = noun_any(&at, &ec2_internet_gateway, "spec.VpcId", vpc->id);
	if (e > 0)
		return noun_invalid(c, "Network %.*s already has an internet "
		    "gateway attached", SPAN_ARG(vpc->id));
	doc_set_str(c->arena, igw->spec, "VpcId", vpc->id);
	if (e < 0 || (e = store_put_spec(c->store, igw)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	return noun_done(c);
}

/* Does an interface of the VPC have a public address? 1, 0, or negative. */
static int
vpc_public(const struct at *at, struct span vpc)
{
	struct res_list l;
	int e = noun_list(at, &ec2_network_interface, "spec.VpcId", vpc, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		if (doc_get(l.v[i]->spec, "PublicIp"))
			return 1;
	return 0;
}

struct reply *
gateway_detach(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *igw, *vpc;
	int e;

	if ((refusal = both(c, &igw, &vpc)))
		return refusal;
	if (!span_eq(doc_get_str(igw->spec, "VpcId"), vpc->id))
		return reply_error(c, "Gateway.NotAttached",
		    "resource %.*s is not attached to network %.*s",
		    SPAN_ARG(igw->id), SPAN_ARG(vpc->id));
	if ((e = vpc_public(&at, vpc->id)) > 0)
		return reply_error(c, "DependencyViolation", "Network %.*s has "
		    "some mapped public address(es). Please unmap those public "
		    "address(es) before detaching the gateway.",
		    SPAN_ARG(vpc->id));
	doc_del(igw->spec, "VpcId");
	if (e < 0 || (e = store_put_spec(c->store, igw)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	return noun_done(c);
}

struct reply *
gateway_delete(struct call *c)
{
	struct span id = doc_get_str(c->in, "InternetGatewayId");
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = noun_get(c, &noun_gateway, id, &r)))
		return refusal;
	if (doc_get(r->spec, "VpcId"))
		return noun_in_use(c, "internetGateway", r->id);
	if ((e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
gateway_describe(struct call *c)
{
	return noun_describe(c, &noun_gateway);
}
