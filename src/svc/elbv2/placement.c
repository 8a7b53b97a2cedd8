/* Where a load balancer stands: subnets and security groups. */
#include "base/err.h"
#include "svc/elbv2/elbv2.h"
#include "svc/elbv2/placement.h"

static struct doc *
filter(struct arena *a, struct span name, struct span value)
{
	struct doc *f = doc_obj(a), *v = doc_arr(a);

	doc_push_str(a, v, value);
	doc_set_str(a, f, "Name", name);
	return doc_set(a, f, "Values", v);
}

/* The wanted ids, from either form of the input. */
static struct reply *
wanted_subnets(struct call *c, struct doc **ret)
{
	static const char *const addresses[] = {"AllocationId",
		"PrivateIPv4Address", "IPv6Address", "SourceNatIpv6Prefix"};
	struct doc *ids = doc_arr(c->arena);
	const struct doc *plain = doc_get(c->in, "Subnets");
	const struct doc *maps = doc_get(c->in, "SubnetMappings");

	if (doc_len(plain) && doc_len(maps))
		return reply_error(c, VALIDATION,
		    "You must specify either subnets or subnet mappings");
	doc_each(m, maps) {
		for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
			if (doc_get_str(m, addresses[i]).n)
				return reply_not_implemented(c,
				    "SubnetMappings with %s", addresses[i]);
		doc_push_str(c->arena, ids, doc_get_str(m, "SubnetId"));
	}
	doc_each(s, plain)
		if (!doc_has_str(ids, doc_span(s)))
			doc_push_str(c->arena, ids, doc_span(s));
	if (doc_len(ids) < 2)
		return reply_error(c, VALIDATION, "At least two subnets in two "
		    "different Availability Zones must be specified");
	*ret = ids;
	return NULL;
}

static struct reply *
zones_check(struct call *c, const struct doc *subnets)
{
	struct doc *seen = doc_arr(c->arena);
	struct span vpc = doc_get_str(doc_at(subnets, 0), "VpcId"), zone;

	doc_each(s, subnets) {
		zone = doc_get_str(s, "AvailabilityZone");
		if (!span_eq(doc_get_str(s, "VpcId"), vpc))
			return reply_error(c, "InvalidConfigurationRequest",
			    "All subnets must belong to the same VPC: '%.*s'",
			    SPAN_ARG(vpc));
		if (doc_has_str(seen, zone))
			return reply_error(c, "InvalidConfigurationRequest",
			    "A load balancer cannot be attached to multiple "
			    "subnets in the same Availability Zone");
		doc_push_str(c->arena, seen, zone);
	}
	return NULL;
}

static struct reply *
internet_check(struct call *c, struct span vpc)
{
	struct doc *in = doc_obj(c->arena), *f = doc_arr(c->arena);
	struct op_result r;
	int e;

	doc_push(f, filter(c->arena, SPAN("attachment.vpc-id"), vpc));
	doc_set(c->arena, in, "Filters", f);
	if ((e = ec2_call(c, "DescribeInternetGateways", in, &r)))
		return reply_failure(c, e);
	if (r.error.n || doc_len(doc_get(r.out, "InternetGateways")) == 0)
		return reply_error(c, "InvalidSubnet",
		    "VPC %.*s has no internet gateway", SPAN_ARG(vpc));
	return NULL;
}

static int
by_id(const void *a, const void *b)
{
	const struct doc *const *x = a, *const *y = b;

	return span_cmp(doc_get_str(*x, "SubnetId"),
	    doc_get_str(*y, "SubnetId"));
}

/* Sorted, so that the same subnets in another order are the same settings. */
static struct doc *
zones_doc(struct arena *a, const struct doc *subnets)
{
	size_t n = doc_len(subnets), i = 0;
	struct doc **v = arena_array(a, struct doc *, n);
	struct doc *out = doc_arr(a), *z;

	doc_each(s, subnets)
		v[i++] = s;
	qsort(v, n, sizeof(struct doc *), by_id);
	for (i = 0; i < n; i++) {
		z = doc_obj(a);
		doc_set_str(a, z, "ZoneName",
		    doc_get_str(v[i], "AvailabilityZone"));
		doc_set_str(a, z, "SubnetId", doc_get_str(v[i], "SubnetId"));
		doc_push(out, z);
	}
	return out;
}

struct reply *
subnets_place(struct call *c, struct span scheme, struct doc *spec)
{
	struct doc *ids, *in = doc_obj(c->arena);
	const struct doc *subnets;
	struct op_result r;
	struct span vpc;
	struct reply *e;
	int n;

	if ((e = wanted_subnets(c, &ids)))
		return e;
	doc_set(c->arena, in, "SubnetIds", ids);
	if ((n = ec2_call(c, "DescribeSubnets", in, &r)))
		return reply_failure(c, n);
	if (r.error.n)
		return reply_error(c, "SubnetNotFound", "%.*s",
		    SPAN_ARG(r.message));
	subnets = doc_get(r.out, "Subnets");
	if ((e = zones_check(c, subnets)))
		return e;
	vpc = doc_get_str(doc_at(subnets, 0), "VpcId");
	if (span_is(scheme, "internet-facing") && (e = internet_check(c, vpc)))
		return e;
	doc_set_str(c->arena, spec, "VpcId", vpc);
	doc_set(c->arena, spec, "AvailabilityZones",
	    zones_doc(c->arena, subnets));
	return NULL;
}

static struct doc *
groups_query(struct call *c, struct span vpc, const struct doc *wanted)
{
	struct doc *in = doc_obj(c->arena), *f;

	if (doc_len(wanted))
		return doc_set(c->arena, in, "GroupIds",
		    doc_copy(c->arena, wanted));
	f = doc_arr(c->arena);
	doc_push(f, filter(c->arena, SPAN("vpc-id"), vpc));
	doc_push(f, filter(c->arena, SPAN("group-name"), SPAN("default")));
	return doc_set(c->arena, in, "Filters", f);
}

struct reply *
groups_place(struct call *c, struct doc *spec)
{
	struct span vpc = doc_get_str(spec, "VpcId");
	const struct doc *wanted = doc_get(c->in, "SecurityGroups");
	struct doc *ids = doc_arr(c->arena);
	struct op_result r;
	int n;

	if (doc_len(wanted) > 5)
		return reply_error(c, "InvalidConfigurationRequest", "At most "
		    "'5' security groups can be specified");
	n = ec2_call(c, "DescribeSecurityGroups", groups_query(c, vpc, wanted),
	    &r);
	if (n)
		return reply_failure(c, n);
	if (r.error.n)
		return reply_error(c, "InvalidSecurityGroup",
		    "One or more security groups are invalid");
	doc_each(g, doc_get(r.out, "SecurityGroups")) {
		if (!span_eq(doc_get_str(g, "VpcId"), vpc))
			return reply_error(c, "InvalidConfigurationRequest",
			    "One or more security groups are invalid");
		doc_push_str(c->arena, ids, doc_get_str(g, "GroupId"));
	}
	if (doc_len(wanted))
		ids = doc_copy(c->arena, wanted);
	doc_set(c->arena, spec, "SecurityGroups", ids);
	return NULL;
}
