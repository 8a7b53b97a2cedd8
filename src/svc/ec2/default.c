/* What AWS has in each account and region from the start: the default VPC. */
#include "base/err.h"
#include "svc/ec2/ops.h"

/* The record says that the defaults were made: a default VPC that its owner
 * deleted does not come back. */
int
default_region(const struct at *at, struct res **ret)
{
	struct res *dhcp, *r;
	int e = store_get(at->store, at->arena, &ec2_region, at->scope,
	    SPAN_NULL, SPAN("region"), ret);

	if (e <= 0)
		return e;
	if ((e = dhcp_make(at, &dhcp)) < 0)
		return err_trace(e);
	r = res_new(at->arena, &ec2_region, at->scope, SPAN_NULL,
	    SPAN("region"));
	doc_set_str(at->arena, r->spec, "DhcpOptionsId", dhcp->id);
	if ((e = noun_insert(at, r)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

int
default_subnet_make(const struct at *at, const struct res *vpc,
    struct span zone, struct cidr cidr, struct res **ret)
{
	struct res *r = noun_new(at, &noun_subnet, SPAN_NULL);
	int i = zone_find(at->arena, at->scope.region, zone);
	struct arena *a = at->arena;
	int e;

	AN(i >= 0);
	doc_set_str(a, r->spec, "VpcId", vpc->id);
	doc_set_str(a, r->spec, "CidrBlock", cidr_text(a, cidr));
	doc_set_str(a, r->spec, "AvailabilityZone",
	    zone_name(a, at->scope.region, (size_t)i));
	doc_set_str(a, r->spec, "AvailabilityZoneId",
	    zone_id(a, at->scope.region, (size_t)i));
	doc_set_str(a, r->spec, "State", SPAN("available"));
	doc_set_bool(a, r->spec, "DefaultForAz", true);
	doc_set_bool(a, r->spec, "MapPublicIpOnLaunch", true);
	if ((e = noun_insert(at, r)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

static int
default_gateway_make(const struct at *at, const struct res *vpc)
{
	struct res *igw = noun_new(at, &noun_gateway, SPAN_NULL), *table;
	int e;

	doc_set_str(at->arena, igw->spec, "VpcId", vpc->id);
	if ((e = noun_insert(at, igw)) < 0 ||
	    (e = table_main(at, vpc->id, &table)) < 0)
		return err_trace(e);
	table_add_route(at->arena, table, SPAN("0.0.0.0/0"), igw->id,
	    SPAN("CreateRoute"));
	e = store_put_spec(at->store, table);
	return e > 0 ? err_fold(e) : e;
}

/* AWS: 172.31.0.0/16 with a /20 in each zone. */
int
default_vpc_make(const struct at *at, struct res **ret)
{
	const struct cidr block = {UINT32_C(172) << 24 | 31 << 16, 16};
	const struct vpc_plan plan = {.cidr = block,
		.tenancy = SPAN("default"), .is_default = true};
	struct res *vpc, *subnet;
	int e = vpc_make(at, &plan, &vpc);

	if (e < 0)
		return err_trace(e);
	for (uint32_t i = 0; i < ZONES; i++) {
		const struct cidr part = {block.addr + (i << 12), 20};

		e = default_subnet_make(at, vpc,
		    zone_name(at->arena, at->scope.region, i), part, &subnet);
		if (e < 0)
			return err_trace(e);
	}
	if ((e = default_gateway_make(at, vpc)) < 0)
		return err_trace(e);
	*ret = vpc;
	return 0;
}

int
default_scope(struct store *s, struct arena *a, struct scope scope)
{
	const struct at at = {s, a, scope};
	struct res *r;
	int e = store_get(s, a, &ec2_region, scope, SPAN_NULL, SPAN("region"),
	    &r);

	if (e <= 0)
		return e;
	return default_vpc_make(&at, &r);
}
