/* Subnets: blocks of a VPC in a zone. */
#include "base/err.h"
#include "svc/ec2/ops.h"

/* AWS: the first four addresses and the last are not for interfaces. */
enum { LEN_MIN = 16, LEN_MAX = 28, RESERVED = 5, SUBNETS_MAX = 200 };

static int
subnet_render(const struct at *at, const struct res *r, struct doc *d)
{
	const struct query q = {.kind = &ec2_network_interface,
		.scope = at->scope, .any_parent = true,
		.index = "spec.SubnetId", .value = r->id};
	struct arena *a = at->arena;
	struct cidr cidr;
	int64_t used = store_count(at->store, &q);

	if (used < 0)
		return err_trace((int)used);
	AN(cidr_parse(doc_get_str(r->spec, "CidrBlock"), &cidr));
	doc_set_int(a, d, "AvailableIpAddressCount",
	    (int64_t)cidr_size(cidr) - RESERVED - used);
	doc_set_str(a, d, "SubnetArn", r->arn);
	doc_set_bool(a, d, "AssignIpv6AddressOnCreation", false);
	doc_set_bool(a, d, "EnableDns64", false);
	doc_set_bool(a, d, "Ipv6Native", false);
	doc_set_bool(a, d, "MapCustomerOwnedIpOnLaunch", false);
	doc_set(a, d, "Ipv6CidrBlockAssociationSet", doc_arr(a));
	if (!doc_get(d, "PrivateDnsNameOptionsOnLaunch")) {
		struct doc *o = doc_obj(a);

		doc_set_str(a, o, "HostnameType", SPAN("ip-name"));
		doc_set_bool(a, o, "EnableResourceNameDnsARecord", false);
		doc_set_bool(a, o, "EnableResourceNameDnsAAAARecord", false);
		doc_set(a, d, "PrivateDnsNameOptionsOnLaunch", o);
	}
	return 0;
}

static const struct ec2_filter filters[] = {
	{"availability-zone", "AvailabilityZone", NULL},
	{"availabilityZone", "AvailabilityZone", NULL},
	{"availability-zone-id", "AvailabilityZoneId", NULL},
	{"availabilityZoneId", "AvailabilityZoneId", NULL},
	{"available-ip-address-count", "AvailableIpAddressCount", NULL},
	{"cidr-block", "CidrBlock", NULL},
	{"cidr", "CidrBlock", NULL},
	{"cidrBlock", "CidrBlock", NULL},
	{"customer-owned-ipv4-pool", NULL, NULL},
	{"default-for-az", "DefaultForAz", NULL},
	{"defaultForAz", "DefaultForAz", NULL},
	{"enable-dns64", "EnableDns64", NULL},
	{"enable-lni-at-device-index", NULL, NULL},
	{"ipv6-cidr-block-association.ipv6-cidr-block", NULL, NULL},
	{"ipv6-cidr-block-association.association-id", NULL, NULL},
	{"ipv6-cidr-block-association.state", NULL, NULL},
	{"ipv6-native", "Ipv6Native", NULL},
	{"map-customer-owned-ip-on-launch", "MapCustomerOwnedIpOnLaunch", NULL},
	{"map-public-ip-on-launch", "MapPublicIpOnLaunch", NULL},
	{"outpost-arn", NULL, NULL},
	{"owner-id", "OwnerId", NULL},
	{"private-dns-name-options-on-launch.hostname-type",
	    "PrivateDnsNameOptionsOnLaunch.HostnameType", NULL},
	{"private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
	    "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord", NULL},
	{"private-dns-name-options-on-launch."
	 "enable-resource-name-dns-aaaa-record",
	    "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord",
	    NULL},
	{"state", "State", NULL},
	{"subnet-arn", "SubnetArn", NULL},
	{"subnet-id", "SubnetId", NULL},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_subnet = {
	.kind = &ec2_subnet,
	.type = "subnet",
	.prefix = "subnet-",
	.label = "subnet ID",
	.not_found = "InvalidSubnetID.NotFound",
	.malformed = "InvalidSubnetID.Malformed",
	.id = "SubnetId",
	.ids = "SubnetIds",
	.list = "Subnets",
	.tags = "Tags",
	.filters = filters,
	.render = subnet_render,
};

static struct reply *
zone_refused(struct call *c, struct span zone)
{
	struct span region = c->scope.region;

	return noun_invalid(c, "Value (%.*s) for parameter availabilityZone is "
	    "invalid. Subnets can currently only be created in the following "
	    "availability zones: %s, %s, %s.", SPAN_ARG(zone),
	    zone_name(c->arena, region, 0).p, zone_name(c->arena, region, 1).p,
	    zone_name(c->arena, region, 2).p);
}

/* The zone asked for by name or id; with neither, AWS chooses: here the next
 * one round. */
static struct reply *
zone_wanted(struct call *c, size_t others, size_t *ret)
{
	struct span name = doc_get_str(c->in, "AvailabilityZone");
	struct span id = doc_get_str(c->in, "AvailabilityZoneId");
	struct span want = name.n > 0 ? name : id;
	int i;

	if (name.n > 0 && id.n > 0)
		return reply_error(c, "InvalidParameterCombination",
		    "You may not specify both the AvailabilityZone and the "
		    "AvailabilityZoneId");
	if (want.n == 0) {
		*ret = others % ZONES;
		return NULL;
	}
	if ((i = zone_find(c->arena, c->scope.region, want)) < 0)
		return zone_refused(c, want);
	*ret = (size_t)i;
	return NULL;
}

/* AWS: docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html */
static struct reply *
cidr_wanted(struct call *c, const struct res *vpc,
    const struct res_list *others, struct cidr *ret)
{
	struct span text = doc_get_str(c->in, "CidrBlock");
	struct cidr cidr, *have, other;
	bool inside = false;
	size_t n;

	if (text.n == 0)
		return reply_error(c, "MissingParameter", "Either 'cidrBlock' "
		    "or 'ipv4IpamPoolId' should be provided.");
	if (!cidr_parse(text, &cidr))
		return noun_invalid(c, "Value (%.*s) for parameter cidrBlock is "
		    "invalid. This is not a valid CIDR block.", SPAN_ARG(text));
	cidr = cidr_base(cidr);
	have = vpc_cidrs(c->arena, vpc, &n);
	for (size_t i = 0; i < n; i++)
		inside |= cidr_within(cidr, have[i]);
	if (!inside || cidr.len < LEN_MIN || cidr.len > LEN_MAX)
		return reply_error(c, "InvalidSubnet.Range",
		    "The CIDR '%.*s' is invalid.", SPAN_ARG(text));
	for (size_t i = 0; i < others->n; i++)
		if (cidr_parse(doc_get_str(others->v[i]->spec, "CidrBlock"),
			&other) && cidr_overlap(cidr, other))
			return reply_error(c, "InvalidSubnet.Conflict",
			    "The CIDR '%.*s' conflicts with another subnet",
			    SPAN_ARG(text));
	*ret = cidr;
	return NULL;
}

struct reply *
subnet_create(struct call *c)
{
	struct at at = at_of(c);
	struct span region = c->scope.region;
	struct reply *refusal;
	struct res_list others;
	struct res *vpc, *r;
	struct cidr cidr;
	size_t zone;
	int e;

	refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &vpc);
	if (refusal)
		return refusal;
	e = noun_list(&at, &ec2_subnet, "spec.VpcId", vpc->id, &others);
	if (e < 0)
		return reply_failure(c, e);
	if ((refusal = zone_wanted(c, others.n, &zone)) ||
	    (refusal = cidr_wanted(c, vpc, &others, &cidr)) ||
	    (refusal = noun_room(c, &ec2_subnet, vpc->id, SUBNETS_MAX,
		 "SubnetLimitExceeded", "subnets")))
		return refusal;
	r = noun_new(&at, &noun_subnet, SPAN_NULL);
	doc_set_str(c->arena, r->spec, "VpcId", vpc->id);
	doc_set_str(c->arena, r->spec, "CidrBlock", cidr_text(c->arena, cidr));
	doc_set_str(c->arena, r->spec, "AvailabilityZone",
	    zone_name(c->arena, region, zone));
	doc_set_str(c->arena, r->spec, "AvailabilityZoneId",
	    zone_id(c->arena, region, zone));
	doc_set_str(c->arena, r->spec, "State", SPAN("available"));
	doc_set_bool(c->arena, r->spec, "DefaultForAz", false);
	doc_set_bool(c->arena, r->spec, "MapPublicIpOnLaunch", false);
	if ((refusal = noun_create(c, &noun_subnet, r)))
		return refusal;
	return noun_reply(c, &noun_subnet, r, "Subnet");
}

/* The first /20 of the default VPC that no subnet touches.  False: full. */
static bool
free_block(const struct res *vpc, const struct res_list *others,
    struct cidr *ret)
{
	struct cidr block, other;

	AN(cidr_parse(doc_get_str(vpc->spec, "CidrBlock"), &block));
	for (uint32_t i = 0; i < 16; i++) {
		const struct cidr part = {block.addr + (i << 12), 20};
		bool taken = false;

		for (size_t j = 0; j < others->n; j++)
			taken |= cidr_parse(doc_get_str(others->v[j]->spec,
				     "CidrBlock"), &other) &&
			    cidr_overlap(part, other);
		if (!taken) {
			*ret = part;
			return true;
		}
	}
	return false;
}

struct reply *
subnet_create_default(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list others;
	struct res *vpc, *r;
	struct cidr cidr;
	struct span name;
	size_t zone;
	int e = vpc_default(&at, &vpc);

	if (e > 0)
		return reply_error(c, "DefaultVpcDoesNotExist", "No default "
		    "VPC exists for this account in this region.");
	if (e < 0 || (e = noun_list(&at, &ec2_subnet, "spec.VpcId", vpc->id,
			  &others)) < 0)
		return reply_failure(c, e);
	if (!doc_get(c->in, "AvailabilityZone") &&
	    !doc_get(c->in, "AvailabilityZoneId"))
		return noun_missing(c, "availabilityZone");
	if ((refusal = zone_wanted(c, 0, &zone)))
		return refusal;
	name = zone_name(c->arena, c->scope.region, zone);
	for (size_t i = 0; i < others.n; i++)
		if (doc_get_bool(others.v[i]->spec, "DefaultForAz", false) &&
		    span_eq(doc_get_str(others.v[i]->spec, "AvailabilityZone"),
			name))
			return reply_error(c,
			    "DefaultSubnetAlreadyExistsInAvailabilityZone",
			    "'%.*s' is already the default subnet in %.*s.",
			    SPAN_ARG(others.v[i]->id), SPAN_ARG(name));
	if (!free_block(vpc, &others, &cidr))
		return reply_error(c, "InvalidSubnet.Range", "There is no "
		    "room for another default subnet in the default VPC.");
	if ((e = default_subnet_make(&at, vpc, name, cidr, &r)) < 0)
		return reply_failure(c, e);
	return noun_reply(c, &noun_subnet, r, "Subnet");
}

struct reply *
subnet_delete(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	refusal = noun_get(c, &noun_subnet, doc_get_str(c->in, "SubnetId"), &r);
	if (refusal)
		return refusal;
	e = noun_any(&at, &ec2_network_interface, "spec.SubnetId", r->id);
	if (e > 0)
		return noun_in_use(c, "subnet", r->id);
	if (e < 0 || (e = table_forget_subnet(&at, r->id)) < 0 ||
	    (e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
subnet_describe(struct call *c)
{
	return noun_describe(c, &noun_subnet);
}

/* How instances would be named: kept and shown, as there are none. */
static void
name_options(struct call *c, struct res *r)
{
	static const struct {
		const char *in, *member;
	} rows[] = {
		{"EnableResourceNameDnsARecordOnLaunch",
		    "EnableResourceNameDnsARecord"},
		{"EnableResourceNameDnsAAAARecordOnLaunch",
		    "EnableResourceNameDnsAAAARecord"},
	};
	const struct doc *old = doc_get(r->spec,
	    "PrivateDnsNameOptionsOnLaunch");
	struct span type =
	    doc_get_str(c->in, "PrivateDnsHostnameTypeOnLaunch");
	struct doc *o = old ? doc_copy(c->arena, old) : doc_obj(c->arena);

	if (type.n > 0)
		doc_set_str(c->arena, o, "HostnameType", type);
	else if (!old)
		doc_set_str(c->arena, o, "HostnameType", SPAN("ip-name"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool was = doc_get_bool(old, rows[i].member, false);

		doc_set_bool(c->arena, o, rows[i].member,
		    doc_get_bool(doc_get(c->in, rows[i].in), "Value", was));
	}
	doc_set(c->arena, r->spec, "PrivateDnsNameOptionsOnLaunch", o);
}

struct reply *
subnet_modify(struct call *c)
{
	static const char *const ipv6[] = {"AssignIpv6AddressOnCreation",
		"EnableDns64"};
	const struct doc *map = doc_get(c->in, "MapPublicIpOnLaunch");
	struct reply *refusal;
	struct res *r;

	refusal = noun_get(c, &noun_subnet, doc_get_str(c->in, "SubnetId"), &r);
	if (refusal)
		return refusal;
	for (size_t i = 0; i < ARRAY_SIZE(ipv6); i++)
		if (doc_get_bool(doc_get(c->in, ipv6[i]), "Value", false))
			return reply_not_implemented(c, "%s", ipv6[i]);
	if (map)
		doc_set_bool(c->arena, r->spec, "MapPublicIpOnLaunch",
		    doc_get_bool(map, "Value", false));
	name_options(c, r);
	return noun_saved(c, r);
}
