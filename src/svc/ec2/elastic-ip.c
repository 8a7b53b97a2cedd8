/* Elastic IP addresses: public addresses that an account keeps. */
#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

static const struct ec2_filter filters[] = {
	{"allocation-id", "AllocationId", NULL},
	{"association-id", "AssociationId", "spec.AssociationId"},
	{"domain", "Domain", NULL},
	{"instance-id", NULL, NULL},
	{"network-border-group", "NetworkBorderGroup", NULL},
	{"network-interface-id", "NetworkInterfaceId",
	    "spec.NetworkInterfaceId"},
	{"network-interface-owner-id", "NetworkInterfaceOwnerId", NULL},
	{"private-ip-address", "PrivateIpAddress", NULL},
	{"public-ip", "PublicIp", "spec.PublicIp"},
	{NULL, NULL, NULL},
};

const struct noun noun_elastic_ip = {
	.kind = &ec2_elastic_ip,
	.type = "elastic-ip",
	.prefix = "eipalloc-",
	.label = "allocation ID",
	.not_found = "InvalidAllocationID.NotFound",
	.malformed = "InvalidAllocationID.Malformed",
	.id = "AllocationId",
	.ids = "AllocationIds",
	.list = "Addresses",
	.tags = "Tags",
	.filters = filters,
};

/* Members of the address that tell of its association. */
static void
forget(struct res *address)
{
	static const char *const members[] = {"AssociationId",
		"NetworkInterfaceId", "NetworkInterfaceOwnerId",
		"PrivateIpAddress"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		doc_del(address->spec, members[i]);
}

int
elastic_ip_free(const struct at *at, const struct res *interface)
{
	struct span id = doc_get_str(interface->spec, "AllocationId");
	struct res *r;
	int e;

	if (id.n == 0)
		return 0;
	e = noun_find(at, &noun_elastic_ip, id, &r);
	if (e != 0)
		return e > 0 ? err_fold(e) : err_trace(e);
	forget(r);
	return noun_put(at, r);
}

int
elastic_ip_bind(const struct at *at, struct res *address,
    struct res *interface)
{
	struct span id = span_of(id_prefixed(at->arena, "eipassoc-", 17));
	struct arena *a = at->arena;
	int e = elastic_ip_free(at, interface);

	if (e < 0)
		return err_trace(e);
	doc_set_str(a, address->spec, "AssociationId", id);
	doc_set_str(a, address->spec, "NetworkInterfaceId", interface->id);
	doc_set_str(a, address->spec, "NetworkInterfaceOwnerId",
	    at->scope.account);
	doc_set_str(a, address->spec, "PrivateIpAddress",
	    doc_get_str(interface->spec, "PrivateIpAddress"));
	doc_set_str(a, interface->spec, "PublicIp",
	    doc_get_str(address->spec, "PublicIp"));
	doc_set_str(a, interface->spec, "AllocationId", address->id);
	doc_set_str(a, interface->spec, "AssociationId", id);
	if ((e = noun_put(at, address)) < 0 || (e = noun_put(at, interface)) < 0)
		return err_trace(e);
	return 0;
}

/* Takes the address from the interface that has it. */
static int
unbind(const struct at *at, struct res *address)
{
	static const char *const members[] = {"PublicIp", "AllocationId",
		"AssociationId"};
	struct span id = doc_get_str(address->spec, "NetworkInterfaceId");
	struct res *interface;
	int e = noun_find(at, &noun_interface, id, &interface);

	if (e < 0)
		return err_trace(e);
	forget(address);
	if (e == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			doc_del(interface->spec, members[i]);
		if ((e = noun_put(at, interface)) < 0)
			return err_trace(e);
	}
	return noun_put(at, address);
}

/* AWS: a service's own interface is not the user's to change. */
static struct reply *
refuse_managed(struct call *c, const struct res *interface)
{
	if (c->who.system ||
	    !doc_get_bool(interface->spec, "RequesterManaged", false))
		return NULL;
	return reply_error(c, "AuthFailure", "You do not have permission to "
	    "access the specified resource.");
}

struct reply *
elastic_ip_allocate(struct call *c)
{
	struct span domain = doc_get_str(c->in, "Domain"), addr;
	struct span group = doc_get_str(c->in, "NetworkBorderGroup");
	struct at at = at_of(c);
	struct arena *a = c->arena;
	struct reply *refusal;
	struct res *r;
	struct doc *out;

	if (domain.n > 0 && !span_is(domain, "vpc"))
		return noun_invalid(c, "Invalid value '%.*s' for domain.",
		    SPAN_ARG(domain));
	if (group.n > 0 && !span_eq(group, c->scope.region))
		return noun_invalid(c, "The network border group '%.*s' is not "
		    "valid.", SPAN_ARG(group));
	if ((refusal = address_public(c, &addr)))
		return refusal;
	r = noun_new(&at, &noun_elastic_ip, SPAN_NULL);
	doc_set_str(a, r->spec, "PublicIp", addr);
	doc_set_str(a, r->spec, "Domain", SPAN("vpc"));
	doc_set_str(a, r->spec, "PublicIpv4Pool", SPAN("amazon"));
	doc_set_str(a, r->spec, "NetworkBorderGroup", c->scope.region);
	if ((refusal = noun_create(c, &noun_elastic_ip, r)))
		return refusal;
	out = doc_copy(a, r->spec);
	return reply_ok(c, out);
}

/* The address with this text. */
static struct reply *
by_text(struct call *c, struct span text, struct res **ret)
{
	struct at at = at_of(c);
	struct res_list l;
	int e = noun_list(&at, &ec2_elastic_ip, "spec.PublicIp", text, &l);

	if (e < 0)
		return reply_failure(c, e);
	if (l.n == 0)
		return reply_error(c, "InvalidAddress.NotFound",
		    "Address '%.*s' not found.", SPAN_ARG(text));
	*ret = l.v[0];
	return NULL;
}

/* The request names it by AllocationId or by PublicIp. */
static struct reply *
wanted(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "AllocationId");
	struct span text = doc_get_str(c->in, "PublicIp");

	if (id.n > 0 && text.n > 0)
		return reply_error(c, "InvalidParameterCombination",
		    "You may specify public IP or allocation id, but not both "
		    "in the same call");
	if (id.n > 0)
		return noun_get(c, &noun_elastic_ip, id, ret);
	if (text.n > 0)
		return by_text(c, text, ret);
	return reply_error(c, "MissingParameter", "Either 'publicIp' or "
	    "'allocationId' must be specified.");
}

struct reply *
elastic_ip_release(struct call *c)
{
	struct span group = doc_get_str(c->in, "NetworkBorderGroup");
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = wanted(c, &r)))
		return refusal;
	if (group.n > 0 && !span_eq(group, c->scope.region))
		return noun_invalid(c, "The network border group '%.*s' is not "
		    "valid.", SPAN_ARG(group));
	if (doc_get(r->spec, "AssociationId"))
		return reply_error(c, "InvalidIPAddress.InUse", "Address "
		    "%.*s is in use.",
		    SPAN_ARG(doc_get_str(r->spec, "PublicIp")));
	if ((e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

static struct reply *
associated(struct call *c, const struct res *r)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "AssociationId",
	    doc_get_str(r->spec, "AssociationId"));
	return reply_ok(c, out);
}

/* The one that has the address now may be a service's. */
static struct reply *
refuse_holder(struct call *c, const struct res *r)
{
	struct span id = doc_get_str(r->spec, "NetworkInterfaceId");
	struct at at = at_of(c);
	struct res *holder;
	int e = id.n > 0 ? noun_find(&at, &noun_interface, id, &holder) : 1;

	if (e < 0)
		return reply_failure(c, e);
	return e > 0 ? NULL : refuse_managed(c, holder);
}

/* Does the interface's VPC lead to the internet? */
static struct reply *
refuse_unattached(struct call *c, const struct res *interface)
{
	struct span vpc = doc_get_str(interface->spec, "VpcId");
	struct at at = at_of(c);
	int e = noun_any(&at, &ec2_internet_gateway, "spec.VpcId", vpc);

	if (e < 0)
		return reply_failure(c, e);
	if (e > 0)
		return NULL;
	return reply_error(c, "Gateway.NotAttached", "Network %.*s is not "
	    "attached to any internet gateway", SPAN_ARG(vpc));
}

/* AWS: "Reassociation is automatic, but you can specify false to ensure the
 * operation fails".
 * docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html */
static struct reply *
refuse_taken(struct call *c, const struct res *r, const struct res *interface)
{
	if (doc_get_bool(c->in, "AllowReassociation", true))
		return NULL;
	if (doc_get(r->spec, "AssociationId"))
		return reply_error(c, "Resource.AlreadyAssociated", "resource "
		    "%.*s is already associated with associate-id %.*s",
		    SPAN_ARG(r->id),
		    SPAN_ARG(doc_get_str(r->spec, "AssociationId")));
	if (doc_get(interface->spec, "AllocationId"))
		return reply_error(c, "Resource.AlreadyAssociated", "resource "
		    "%.*s is already associated with associate-id %.*s",
		    SPAN_ARG(interface->id),
		    SPAN_ARG(doc_get_str(interface->spec, "AssociationId")));
	return NULL;
}

struct reply *
elastic_ip_associate(struct call *c)
{
	struct span id = doc_get_str(c->in, "NetworkInterfaceId");
	struct span private = doc_get_str(c->in, "PrivateIpAddress");
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r, *interface;
	int e = 0;

	if ((refusal = wanted(c, &r)))
		return refusal;
	if (id.n == 0)
		return noun_missing(c, "networkInterfaceId");
	if ((refusal = noun_get(c, &noun_interface, id, &interface)) ||
	    (refusal = refuse_managed(c, interface)))
		return refusal;
	if (private.n > 0 && !span_eq(private,
		doc_get_str(interface->spec, "PrivateIpAddress")))
		return noun_invalid(c, "Invalid value '%.*s' for "
		    "privateIpAddress. Address is not of the interface.",
		    SPAN_ARG(private));
	if (span_eq(doc_get_str(r->spec, "NetworkInterfaceId"), id))
		return associated(c, r);
	if ((refusal = refuse_unattached(c, interface)) ||
	    (refusal = refuse_taken(c, r, interface)) ||
	    (refusal = refuse_holder(c, r)))
		return refusal;
	if (doc_get(r->spec, "AssociationId"))
		e = unbind(&at, r);
	if (e < 0 || (e = elastic_ip_bind(&at, r, interface)) < 0)
		return reply_failure(c, e);
	return associated(c, r);
}

/* By AssociationId, or, as in the days before VPCs, by PublicIp. */
static struct reply *
association_wanted(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "AssociationId");
	struct span text = doc_get_str(c->in, "PublicIp");

	if (id.n == 0)
		return text.n > 0 ? by_text(c, text, ret) :
		    noun_missing(c, "associationId");
	return noun_associated(c, &ec2_elastic_ip, "spec.AssociationId", ret);
}

struct reply *
elastic_ip_disassociate(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = association_wanted(c, &r)) ||
	    (refusal = refuse_holder(c, r)))
		return refusal;
	if (doc_get(r->spec, "AssociationId") && (e = unbind(&at, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

/* Addresses by their text count like those by id. */
struct reply *
elastic_ip_describe(struct call *c)
{
	const struct doc *texts = doc_get(c->in, "PublicIps");
	struct doc *ids, *in;
	struct reply *refusal;
	struct res *r;

	if (doc_len(texts) == 0)
		return noun_describe(c, &noun_elastic_ip);
	in = doc_copy(c->arena, c->in);
	ids = doc_get(in, "AllocationIds");
	if (!ids)
		doc_set(c->arena, in, "AllocationIds",
		    ids = doc_arr(c->arena));
	doc_each(text, texts) {
		if ((refusal = by_text(c, doc_span(text), &r)))
			return refusal;
		doc_push_str(c->arena, ids, r->id);
	}
	c->in = in;
	return noun_describe(c, &noun_elastic_ip);
}
