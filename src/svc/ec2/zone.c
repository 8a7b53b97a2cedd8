/* Regions, their zones, and what an account may do: facts, no resources. */
#include "base/err.h"
#include "svc/ec2/ops.h"

/* AWS: docs.aws.amazon.com/global-infrastructure/latest/regions */
static const struct region {
	const char *name;
	const char *code; /* of zone ids: "use1-az1" */
	bool opt_in;
} regions[] = {
	{"af-south-1", "afs1", true},
	{"ap-east-1", "ape1", true},
	{"ap-northeast-1", "apne1", false},
	{"ap-northeast-2", "apne2", false},
	{"ap-northeast-3", "apne3", false},
	{"ap-south-1", "aps1", false},
	{"ap-south-2", "aps2", true},
	{"ap-southeast-1", "apse1", false},
	{"ap-southeast-2", "apse2", false},
	{"ap-southeast-3", "apse3", true},
	{"ap-southeast-4", "apse4", true},
	{"ap-southeast-5", "apse5", true},
	{"ca-central-1", "cac1", false},
	{"ca-west-1", "caw1", true},
	{"eu-central-1", "euc1", false},
	{"eu-central-2", "euc2", true},
	{"eu-north-1", "eun1", false},
	{"eu-south-1", "eus1", true},
	{"eu-south-2", "eus2", true},
	{"eu-west-1", "euw1", false},
	{"eu-west-2", "euw2", false},
	{"eu-west-3", "euw3", false},
	{"il-central-1", "ilc1", true},
	{"me-central-1", "mec1", true},
	{"me-south-1", "mes1", true},
	{"sa-east-1", "sae1", false},
	{"us-east-1", "use1", false},
	{"us-east-2", "use2", false},
	{"us-west-1", "usw1", false},
	{"us-west-2", "usw2", false},
};

struct span
zone_name(struct arena *a, struct span region, size_t i)
{
	return arena_fmt_span(a, "%.*s%c", SPAN_ARG(region), 'a' + (int)i);
}

struct span
zone_id(struct arena *a, struct span region, size_t i)
{
	for (size_t j = 0; j < ARRAY_SIZE(regions); j++)
		if (span_is(region, regions[j].name))
			return arena_fmt_span(a, "%s-az%zu", regions[j].code,
			    i + 1);
	return arena_fmt_span(a, "%.*s-az%zu", SPAN_ARG(region), i + 1);
}

int
zone_find(struct arena *a, struct span region, struct span name)
{
	for (size_t i = 0; i < ZONES; i++)
		if (span_eq(name, zone_name(a, region, i)) ||
		    span_eq(name, zone_id(a, region, i)))
			return (int)i;
	return -1;
}

static const struct ec2_filter zone_filters[] = {
	{"group-long-name", "GroupLongName", NULL},
	{"group-name", "GroupName", NULL},
	{"message", "Messages.Message", NULL},
	{"opt-in-status", "OptInStatus", NULL},
	{"parent-zone-id", NULL, NULL},
	{"parent-zone-name", NULL, NULL},
	{"region-name", "RegionName", NULL},
	{"state", "State", NULL},
	{"zone-id", "ZoneId", NULL},
	{"zone-name", "ZoneName", NULL},
	{"zone-type", "ZoneType", NULL},
	{NULL, NULL, NULL},
};

static struct doc *
zone_show(struct arena *a, struct span region, size_t i)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "OptInStatus", SPAN("opt-in-not-required"));
	doc_set(a, d, "Messages", doc_arr(a));
	doc_set_str(a, d, "RegionName", region);
	doc_set_str(a, d, "ZoneName", zone_name(a, region, i));
	doc_set_str(a, d, "ZoneId", zone_id(a, region, i));
	doc_setf(a, d, "GroupName", "%.*s-zg-1", SPAN_ARG(region));
	doc_setf(a, d, "GroupLongName", "%.*s 1", SPAN_ARG(region));
	doc_set_str(a, d, "NetworkBorderGroup", region);
	doc_set_str(a, d, "ZoneType", SPAN("availability-zone"));
	doc_set_str(a, d, "State", SPAN("available"));
	return d;
}

/* Every name and id asked for must be one of the region's. */
static struct reply *
zones_exist(struct call *c, const char *member)
{
	doc_each(v, doc_get(c->in, member))
		if (zone_find(c->arena, c->scope.region, doc_span(v)) < 0)
			return noun_invalid(c,
			    "Invalid availability zone%s: [%.*s]",
			    span_is(span_of(member), "ZoneIds") ? "-id" : "",
			    SPAN_ARG(doc_span(v)));
	return NULL;
}

static bool
asked_for(const struct doc *list, struct span v)
{
	return doc_len(list) == 0 || doc_has_str(list, v);
}

struct reply *
zone_describe(struct call *c)
{
	const struct doc *filters = doc_get(c->in, "Filters");
	struct span unknown = ec2_filter_unknown(filters, zone_filters);
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct reply *refusal;

	if (unknown.n > 0)
		return noun_invalid(c, "The filter '%.*s' is invalid",
		    SPAN_ARG(unknown));
	if ((refusal = zones_exist(c, "ZoneNames")) ||
	    (refusal = zones_exist(c, "ZoneIds")))
		return refusal;
	for (size_t i = 0; i < ZONES; i++) {
		struct doc *d = zone_show(c->arena, c->scope.region, i);

		if (asked_for(doc_get(c->in, "ZoneNames"),
			doc_get_str(d, "ZoneName")) &&
		    asked_for(doc_get(c->in, "ZoneIds"),
			doc_get_str(d, "ZoneId")) &&
		    ec2_filter_match(filters, zone_filters, d, NULL))
			doc_push(list, d);
	}
	return reply_ok(c, doc_set(c->arena, out, "AvailabilityZones", list));
}

static const struct ec2_filter region_filters[] = {
	{"endpoint", "Endpoint", NULL},
	{"opt-in-status", "OptInStatus", NULL},
	{"region-name", "RegionName", NULL},
	{NULL, NULL, NULL},
};

static bool
region_known(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (span_is(name, regions[i].name))
			return true;
	return false;
}

struct reply *
region_describe(struct call *c)
{
	const struct doc *filters = doc_get(c->in, "Filters");
	const struct doc *names = doc_get(c->in, "RegionNames");
	bool all = doc_get_bool(c->in, "AllRegions", false);
	struct span unknown = ec2_filter_unknown(filters, region_filters);
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);

	if (unknown.n > 0)
		return noun_invalid(c, "The filter '%.*s' is invalid",
		    SPAN_ARG(unknown));
	doc_each(v, names)
		if (!region_known(doc_span(v)))
			return noun_invalid(c, "Invalid region: [%.*s]",
			    SPAN_ARG(doc_span(v)));
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		const struct region *r = &regions[i];
		struct doc *d = doc_obj(c->arena);

		if (!asked_for(names, span_of(r->name)) ||
		    (r->opt_in && !all && doc_len(names) == 0))
			continue;
		doc_set_str(c->arena, d, "RegionName", span_of(r->name));
		doc_setf(c->arena, d, "Endpoint", "ec2.%.*s.amazonaws.com",
		    SPAN_ARG(span_of(r->name)));
		doc_set_str(c->arena, d, "OptInStatus", r->opt_in ?
		    SPAN("opted-in") : SPAN("opt-in-not-required"));
		if (ec2_filter_match(filters, region_filters, d, NULL))
			doc_push(list, d);
	}
	return reply_ok(c, doc_set(c->arena, out, "Regions", list));
}

static void
push_attribute(struct call *c, struct doc *list, const char *name,
    struct span value)
{
	struct doc *d, *v = doc_obj(c->arena), *values = doc_arr(c->arena);
	const struct doc *names = doc_get(c->in, "AttributeNames");

	if (!asked_for(names, span_of(name)))
		return;
	d = doc_obj(c->arena);
	doc_set_str(c->arena, v, "AttributeValue", value);
	doc_push(values, v);
	doc_set_str(c->arena, d, "AttributeName", span_of(name));
	doc_set(c->arena, d, "AttributeValues", values);
	doc_push(list, d);
}

struct reply *
account_attributes(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct at at = at_of(c);
	struct res *vpc = NULL;
	int e = vpc_default(&at, &vpc);

	if (e < 0)
		return reply_failure(c, e);
	push_attribute(c, list, "supported-platforms", SPAN("VPC"));
	push_attribute(c, list, "vpc-max-security-groups-per-interface",
	    SPAN("16"));
	push_attribute(c, list, "max-elastic-ips", SPAN("0"));
	push_attribute(c, list, "vpc-max-elastic-ips", SPAN("0"));
	push_attribute(c, list, "max-instances", SPAN("0"));
	push_attribute(c, list, "default-vpc", vpc ? vpc->id : SPAN("none"));
	return reply_ok(c, doc_set(c->arena, out, "AccountAttributes", list));
}
