/* Network interfaces: an address in a subnet, under security groups. */
#include <errno.h>

#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/address.h"
#include "svc/ec2/ops.h"

/* AWS: up to 16 groups. */
enum { GROUPS_MAX = 16 };

/* Names follow the VPC's enableDnsHostnames. */
static int
set_names(const struct at *at, const struct res *r, struct doc *d)
{
	struct span addr = doc_get_str(r->spec, "PrivateIpAddress");
	struct span public = doc_get_str(r->spec, "PublicIp");
	struct span region = at->scope.region;
	struct arena *a = at->arena;
	struct doc *primary = doc_obj(a), *all = doc_arr(a), *assoc;
	struct res *vpc;
	bool named;
	int e = noun_find(at, &noun_vpc, doc_get_str(r->spec, "VpcId"), &vpc);

	if (e != 0)
		return e > 0 ? err_fold(e) : e;
	named = doc_get_bool(vpc->spec, "EnableDnsHostnames", false);
	doc_set_bool(a, primary, "Primary", true);
	doc_set_str(a, primary, "PrivateIpAddress", addr);
	if (named) {
		struct span name = address_private_name(a, region, addr);

		doc_set_str(a, d, "PrivateDnsName", name);
		doc_set_str(a, primary, "PrivateDnsName", name);
	}
	if (public.n > 0) {
		struct span name = named ?
		    address_public_name(a, region, public) : SPAN("");
		struct span alloc = doc_get_str(r->spec, "AllocationId");

		assoc = doc_obj(a);
		/* AWS: an elastic address is the account's. */
		doc_set_str(a, assoc, "IpOwnerId",
		    alloc.n > 0 ? at->scope.account : SPAN("amazon"));
		if (alloc.n > 0) {
			doc_set_str(a, assoc, "AllocationId", alloc);
			doc_set_str(a, assoc, "AssociationId",
			    doc_get_str(r->spec, "AssociationId"));
		}
		doc_set_str(a, assoc, "PublicDnsName", name);
		doc_set_str(a, assoc, "PublicIp", public);
		doc_set(a, primary, "Association", doc_copy(a, assoc));
		doc_set(a, d, "Association", assoc);
	}
	doc_push(all, primary);
	doc_set(a, d, "PrivateIpAddresses", all);
	return 0;
}

static int
set_groups(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *list = doc_arr(at->arena), *one;
	struct res *group;
	int e;

	doc_each(id, doc_get(r->spec, "Groups")) {
		e = noun_find(at, &noun_group, doc_span(id), &group);
		if (e != 0)
			return e > 0 ? err_fold(e) : e;
		one = doc_obj(at->arena);
		doc_set_str(at->arena, one, "GroupId", group->id);
		doc_set_str(at->arena, one, "GroupName",
		    doc_get_str(group->spec, "GroupName"));
		doc_push(list, one);
	}
	doc_set(at->arena, d, "Groups", list);
	return 0;
}

static struct doc *
attachment(struct arena *a, const struct res *r)
{
	struct span id = doc_get_str(r->spec, "AttachmentId");
	struct doc *d;

	if (id.n == 0)
		return NULL;
	d = doc_obj(a);
	doc_set_str(a, d, "AttachmentId", id);
	doc_set_bool(a, d, "DeleteOnTermination", false);
	doc_set_int(a, d, "DeviceIndex", 1);
	doc_set_int(a, d, "NetworkCardIndex", 0);
	doc_set_str(a, d, "InstanceOwnerId",
	    doc_get_str(r->spec, "RequesterId"));
	doc_set_str(a, d, "Status", SPAN("attached"));
	return doc_set_time(a, d, "AttachTime", r->created);
}

static int
interface_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *attached = attachment(at->arena, r);
	int e;

	doc_set(at->arena, d, "Attachment", attached);
	doc_set_str(at->arena, d, "Status",
	    attached ? SPAN("in-use") : SPAN("available"));
	doc_set(at->arena, d, "Ipv6Addresses", doc_arr(at->arena));
	if ((e = set_names(at, r, d)) < 0 || (e = set_groups(at, r, d)) < 0)
		return err_trace(e);
	return 0;
}

static const struct ec2_filter filters[] = {
	{"association.allocation-id", "Association.AllocationId", NULL},
	{"association.association-id", "Association.AssociationId", NULL},
	{"addresses.association.owner-id",
	    "PrivateIpAddresses.Association.IpOwnerId", NULL},
	{"addresses.association.public-ip",
	    "PrivateIpAddresses.Association.PublicIp", "spec.PublicIp"},
	{"addresses.primary", "PrivateIpAddresses.Primary", NULL},
	{"addresses.private-ip-address",
	    "PrivateIpAddresses.PrivateIpAddress", "spec.PrivateIpAddress"},
	{"association.ip-owner-id", "Association.IpOwnerId", NULL},
	{"association.public-ip", "Association.PublicIp", "spec.PublicIp"},
	{"association.public-dns-name", "Association.PublicDnsName", NULL},
	{"attachment.attach-time", NULL, NULL},
	{"attachment.attachment-id", "Attachment.AttachmentId", NULL},
	{"attachment.delete-on-termination", "Attachment.DeleteOnTermination",
	    NULL},
	{"attachment.device-index", "Attachment.DeviceIndex", NULL},
	{"attachment.instance-id", "Attachment.InstanceId", NULL},
	{"attachment.instance-owner-id", "Attachment.InstanceOwnerId", NULL},
	{"attachment.status", "Attachment.Status", NULL},
	{"availability-zone", "AvailabilityZone", NULL},
	{"availability-zone-id", "AvailabilityZoneId", NULL},
	{"description", "Description", NULL},
	{"group-id", "Groups.GroupId", "spec.Groups"},
	{"group-name", "Groups.GroupName", NULL},
	{"ipv6-addresses.ipv6-address", NULL, NULL},
	{"interface-type", "InterfaceType", NULL},
	{"mac-address", "MacAddress", NULL},
	{"network-interface-id", "NetworkInterfaceId", NULL},
	{"operator.managed", NULL, NULL},
	{"operator.principal", NULL, NULL},
	{"owner-id", "OwnerId", NULL},
	{"private-dns-name", "PrivateDnsName", NULL},
	{"private-ip-address", "PrivateIpAddress", "spec.PrivateIpAddress"},
	{"requester-id", "RequesterId", NULL},
	{"requester-managed", "RequesterManaged", NULL},
	{"source-dest-check", "SourceDestCheck", NULL},
	{"status", "Status", NULL},
	{"subnet-id", "SubnetId", "spec.SubnetId"},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_interface = {
	.kind = &ec2_network_interface,
	.type = "network-interface",
	.prefix = "eni-",
	.label = "networkInterface ID",
	.not_found = "InvalidNetworkInterfaceID.NotFound",
	.malformed = "InvalidNetworkInterfaceId.Malformed",
	.id = "NetworkInterfaceId",
	.ids = "NetworkInterfaceIds",
	.list = "NetworkInterfaces",
	.tags = "TagSet",
	.filters = filters,
	.render = interface_render,
};

/* The address asked for; there are two ways to ask for the primary one. */
static struct span
address_asked(const struct doc *in)
{
	struct span one = doc_get_str(in, "PrivateIpAddress");

	if (one.n == 0)
		doc_each(d, doc_get(in, "PrivateIpAddresses"))
			if (doc_get_bool(d, "Primary", false))
				return doc_get_str(d, "PrivateIpAddress");
	return one;
}

/* The groups asked for, which must be of the VPC; none: its default group. */
static struct reply *
groups_wanted(struct call *c, struct span vpc, struct doc **ret)
{
	const struct doc *in = doc_get(c->in, "Groups");
	struct doc *out = doc_arr(c->arena);
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	doc_each(id, in) {
		if ((refusal = noun_get(c, &noun_group, doc_span(id), &r)))
			return refusal;
		if (!span_eq(doc_get_str(r->spec, "VpcId"), vpc))
			return reply_error(c, "InvalidGroup.NotFound", "You "
			    "have specified two resources that belong to "
			    "different networks.");
		if (!doc_has_str(out, r->id))
			doc_push_str(c->arena, out, r->id);
	}
	if (doc_len(out) > GROUPS_MAX)
		return reply_error(c, "SecurityGroupsPerInterfaceLimitExceeded",
		    "The maximum number of security groups per interface has "
		    "been reached.");
	if (doc_len(out) == 0) {
		if ((e = group_by_name(&at, vpc, SPAN("default"), &r)) < 0)
			return reply_failure(c, e);
		AN(r);
		doc_push_str(c->arena, out, r->id);
	}
	*ret = out;
	return NULL;
}

/* What only services of ours may ask for: the namespace that owns the
 * interface, and a public address. */
static struct reply *
managed(struct call *c, struct res *r)
{
	struct arena *a = c->arena;
	struct span netns = doc_get_str(c->in, "NeargateNetns"), addr;
	struct reply *refusal;
	bool lb = span_starts(c->who.service, SPAN("elasticloadbalancing"));

	doc_set_bool(a, r->spec, "RequesterManaged", c->who.system);
	if (!c->who.system)
		return NULL;
	doc_set_str(a, r->spec, "RequesterId",
	    lb ? SPAN("amazon-elb") : SPAN("amazon-aws"));
	if (netns.n > 0) {
		doc_set_str(a, r->spec, "Netns", netns);
		doc_set_str(a, r->spec, "AttachmentId", span_of(id_prefixed(a,
		    lb ? "ela-attach-" : "eni-attach-", 17)));
	}
	if (!doc_get_bool(c->in, "NeargatePublicIp", false))
		return NULL;
	if ((refusal = address_public(c, &addr)))
		return refusal;
	doc_set_str(a, r->spec, "PublicIp", addr);
	return NULL;
}

static struct reply *
interface_answer(struct call *c, const struct res *r)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct at at = at_of(c);
	int e = noun_show(&at, &noun_interface, r, &d);

	if (e < 0)
		return reply_failure(c, e);
	doc_set(c->arena, out, "NetworkInterface", d);
	doc_set_str(c->arena, out, "ClientToken",
	    doc_get_str(r->spec, "ClientToken"));
	return reply_ok(c, out);
}

/* What no interface of ours is. */
static struct reply *
unusual(struct call *c)
{
	if (doc_get(c->in, "InterfaceType"))
		return reply_not_implemented(c, "InterfaceType %.*s",
		    SPAN_ARG(doc_get_str(c->in, "InterfaceType")));
	if (doc_len(doc_get(c->in, "PrivateIpAddresses")) > 1)
		return reply_not_implemented(c,
		    "PrivateIpAddresses beyond the primary one");
	return NULL;
}

struct res *
interface_new(const struct at *at, const struct res *subnet, struct span addr)
{
	static const char *const same[] = {"VpcId", "AvailabilityZone",
		"AvailabilityZoneId"};
	struct res *r = noun_new(at, &noun_interface, SPAN_NULL);
	struct arena *a = at->arena;

	doc_set_str(a, r->spec, "SubnetId", subnet->id);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		doc_set_str(a, r->spec, same[i],
		    doc_get_str(subnet->spec, same[i]));
	doc_set_str(a, r->spec, "PrivateIpAddress", addr);
	doc_set_str(a, r->spec, "MacAddress", address_mac(a, r->id));
	doc_set(a, r->spec, "Groups", doc_arr(a));
	doc_set_bool(a, r->spec, "SourceDestCheck", true);
	doc_set_str(a, r->spec, "InterfaceType", SPAN("interface"));
	return r;
}

struct reply *
interface_create(struct call *c)
{
	struct span vpc, addr, subnet_id = doc_get_str(c->in, "SubnetId");
	struct arena *a = c->arena;
	struct at at = at_of(c);
	struct res *subnet, *r;
	struct reply *refusal;
	struct doc *groups;

	if ((refusal = unusual(c)) ||
	    (refusal = noun_get(c, &noun_subnet, subnet_id, &subnet)) ||
	    (refusal = noun_repeated(c, &noun_interface, &r)))
		return refusal;
	if (r)
		return interface_answer(c, r);
	vpc = doc_get_str(subnet->spec, "VpcId");
	if ((refusal = groups_wanted(c, vpc, &groups)) ||
	    (refusal = address_private(c, subnet,
		 address_asked(c->in), &addr)))
		return refusal;
	r = interface_new(&at, subnet, addr);
	doc_set(a, r->spec, "Groups", groups);
	doc_set_str(a, r->spec, "Description",
	    doc_get_str(c->in, "Description"));
	if ((refusal = managed(c, r)) ||
	    (refusal = noun_create(c, &noun_interface, r)))
		return refusal;
	return interface_answer(c, r);
}

static struct reply *
interface_wanted(struct call *c, struct res **ret)
{
	return noun_get(c, &noun_interface,
	    doc_get_str(c->in, "NetworkInterfaceId"), ret);
}

struct reply *
interface_delete(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = interface_wanted(c, &r)))
		return refusal;
	if (!c->who.system && doc_get_bool(r->spec, "RequesterManaged", false))
		return noun_invalid(c, "Network interface '%.*s' is currently "
		    "in use.", SPAN_ARG(r->id));
	/* AWS: its elastic address stays the account's. */
	if ((e = elastic_ip_free(&at, r)) < 0 ||
	    (e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
interface_describe(struct call *c)
{
	return noun_describe(c, &noun_interface);
}

/* For a change: those of services are not the user's to change. */
static struct reply *
interface_mine(struct call *c, struct res **ret)
{
	struct reply *refusal = interface_wanted(c, ret);

	if (refusal)
		return refusal;
	if (!c->who.system &&
	    doc_get_bool((*ret)->spec, "RequesterManaged", false))
		return reply_error(c, "AuthFailure", "You do not have "
		    "permission to access the specified resource.");
	return NULL;
}

/* AWS: one attribute in a request. */
struct reply *
interface_modify(struct call *c)
{
	const struct doc *description = doc_get(c->in, "Description");
	const struct doc *check = doc_get(c->in, "SourceDestCheck");
	const struct doc *groups = doc_get(c->in, "Groups");
	struct reply *refusal;
	struct doc *list;
	struct res *r;

	if ((refusal = interface_mine(c, &r)))
		return refusal;
	if (!description + !check + !groups != 2)
		return reply_error(c, "InvalidParameterCombination",
		    "Exactly one network interface attribute must be "
		    "specified");
	if (groups) {
		refusal = groups_wanted(c, doc_get_str(r->spec, "VpcId"),
		    &list);
		if (refusal)
			return refusal;
		doc_set(c->arena, r->spec, "Groups", list);
	}
	if (description)
		doc_set_str(c->arena, r->spec, "Description",
		    doc_get_str(description, "Value"));
	if (check)
		doc_set_bool(c->arena, r->spec, "SourceDestCheck",
		    doc_get_bool(check, "Value", true));
	return noun_saved(c, r);
}

struct reply *
interface_reset(struct call *c)
{
	struct reply *refusal;
	struct res *r;

	if ((refusal = interface_mine(c, &r)))
		return refusal;
	if (!doc_get(c->in, "SourceDestCheck"))
		return noun_missing(c, "sourceDestCheck");
	doc_set_bool(c->arena, r->spec, "SourceDestCheck", true);
	return noun_saved(c, r);
}

struct reply *
interface_attribute(struct call *c)
{
	struct span want = doc_get_str(c->in, "Attribute");
	struct doc *out = doc_obj(c->arena), *value = doc_obj(c->arena), *d;
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = interface_wanted(c, &r)))
		return refusal;
	if ((e = noun_show(&at, &noun_interface, r, &d)) < 0)
		return reply_failure(c, e);
	doc_set_str(c->arena, out, "NetworkInterfaceId", r->id);
	if (span_is(want, "description")) {
		doc_set_str(c->arena, value, "Value",
		    doc_get_str(d, "Description"));
		doc_set(c->arena, out, "Description", value);
	} else if (span_is(want, "sourceDestCheck")) {
		doc_set_bool(c->arena, value, "Value",
		    doc_get_bool(d, "SourceDestCheck", true));
		doc_set(c->arena, out, "SourceDestCheck", value);
	} else if (span_is(want, "groupSet")) {
		doc_set(c->arena, out, "Groups",
		    doc_copy(c->arena, doc_get(d, "Groups")));
	} else if (span_is(want, "attachment")) {
		doc_set(c->arena, out, "Attachment", attachment(c->arena, r));
	} else if (span_is(want, "associatePublicIpAddress")) {
		doc_set_bool(c->arena, out, "AssociatePublicIpAddress",
		    doc_get(r->spec, "PublicIp") != NULL);
	} else {
		return reply_error(c, "InvalidParameterCombination",
		    "Exactly one network interface attribute must be "
		    "specified");
	}
	return reply_ok(c, out);
}
