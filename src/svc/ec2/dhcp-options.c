/* DHCP options: the set that every VPC of a region uses. */
#include "svc/ec2/ops.h"

static const struct ec2_filter filters[] = {
	{"dhcp-options-id", "DhcpOptionsId", NULL},
	{"key", "DhcpConfigurations.Key", NULL},
	{"owner-id", "OwnerId", NULL},
	{"value", "DhcpConfigurations.Values.Value", NULL},
	{NULL, NULL, NULL},
};

const struct noun noun_dhcp = {
	.kind = &ec2_dhcp_options,
	.type = "dhcp-options",
	.prefix = "dopt-",
	.label = "dhcpOption ID",
	.not_found = "InvalidDhcpOptionID.NotFound",
	.malformed = "InvalidDhcpOptionsId.Malformed",
	.id = "DhcpOptionsId",
	.ids = "DhcpOptionsIds",
	.list = "DhcpOptions",
	.tags = "Tags",
	.filters = filters,
};

static void
push_option(struct arena *a, struct doc *list, const char *key,
    struct span value)
{
	struct doc *d = doc_obj(a), *v = doc_obj(a), *values = doc_arr(a);

	doc_set_str(a, v, "Value", value);
	doc_push(values, v);
	doc_set_str(a, d, "Key", span_of(key));
	doc_set(a, d, "Values", values);
	doc_push(list, d);
}

int
dhcp_make(const struct at *at, struct res **ret)
{
	struct res *r = noun_new(at, &noun_dhcp, SPAN_NULL);
	struct doc *list = doc_arr(at->arena);
	struct span region = at->scope.region;
	int e;

	push_option(at->arena, list, "domain-name",
	    span_is(region, "us-east-1") ?
		SPAN("ec2.internal") :
		arena_fmt_span(at->arena, "%.*s.compute.internal",
		    SPAN_ARG(region)));
	push_option(at->arena, list, "domain-name-servers",
	    SPAN("AmazonProvidedDNS"));
	doc_set(at->arena, r->spec, "DhcpConfigurations", list);
	if ((e = noun_insert(at, r)) < 0)
		return e;
	*ret = r;
	return 0;
}

struct reply *
dhcp_describe(struct call *c)
{
	return noun_describe(c, &noun_dhcp);
}
