/* Route tables, their routes and the subnets that follow them. */
#include <errno.h>

#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

enum { TABLES_MAX = 200 };

static int
table_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct span vpc = doc_get_str(r->spec, "VpcId");
	int e;

	doc_each(route, doc_get(d, "Routes"))
		if ((e = route_state(at, vpc, route)) < 0)
			return err_trace(e);
	doc_each(assoc, doc_get(d, "Associations")) {
		struct doc *state = doc_obj(at->arena);

		doc_set_str(at->arena, state, "State", SPAN("associated"));
		doc_set(at->arena, assoc, "AssociationState", state);
	}
	doc_set(at->arena, d, "PropagatingVgws", doc_arr(at->arena));
	return 0;
}

static const struct ec2_filter filters[] = {
	{"association.gateway-id", NULL, NULL},
	{"association.route-table-association-id",
	    "Associations.RouteTableAssociationId", "spec.AssociationIds"},
	{"association.route-table-id", "Associations.RouteTableId", NULL},
	{"association.subnet-id", "Associations.SubnetId", "spec.SubnetIds"},
	{"association.main", "Associations.Main", NULL},
	{"owner-id", "OwnerId", NULL},
	{"route-table-id", "RouteTableId", NULL},
	{"route.destination-cidr-block", "Routes.DestinationCidrBlock", NULL},
	{"route.destination-ipv6-cidr-block", NULL, NULL},
	{"route.destination-prefix-list-id", NULL, NULL},
	{"route.egress-only-internet-gateway-id", NULL, NULL},
	{"route.gateway-id", "Routes.GatewayId", NULL},
	{"route.instance-id", NULL, NULL},
	{"route.nat-gateway-id", "Routes.NatGatewayId", NULL},
	{"route.transit-gateway-id", NULL, NULL},
	{"route.origin", "Routes.Origin", NULL},
	{"route.state", "Routes.State", NULL},
	{"route.vpc-peering-connection-id", NULL, NULL},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_table = {
	.kind = &ec2_route_table,
	.type = "route-table",
	.prefix = "rtb-",
	.label = "routeTable ID",
	.not_found = "InvalidRouteTableID.NotFound",
	.malformed = "InvalidRouteTableId.Malformed",
	.id = "RouteTableId",
	.ids = "RouteTableIds",
	.list = "RouteTables",
	.tags = "Tags",
	.filters = filters,
	.render = table_render,
};

/* Associations change through these two, which keep the id lists that lookups
 * go by.  subnet empty: the VPC's main association. */
static struct span
associate(struct arena *a, struct res *table, struct span subnet)
{
	struct span id = span_of(id_prefixed(a, "rtbassoc-", 17));
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "RouteTableAssociationId", id);
	doc_set_str(a, d, "RouteTableId", table->id);
	doc_set_bool(a, d, "Main", subnet.n == 0);
	if (subnet.n > 0) {
		doc_set_str(a, d, "SubnetId", subnet);
		doc_push_str(a, doc_get(table->spec, "SubnetIds"), subnet);
	}
	doc_push(doc_get(table->spec, "Associations"), d);
	doc_push_str(a, doc_get(table->spec, "AssociationIds"), id);
	return id;
}

static void
remove_str(struct doc *list, struct span s)
{
	size_t i = 0;

	doc_each(v, list) {
		if (span_eq(doc_span(v), s)) {
			doc_remove(list, i);
			return;
		}
		i++;
	}
}

/* Takes out the association whose member is value; *ret_subnet: whose it was
 * (empty: main).  False: there is none. */
static bool
dissociate(struct arena *a, struct res *table, const char *member,
    struct span value, struct span *ret_subnet)
{
	struct doc *list = doc_get(table->spec, "Associations");
	size_t i = 0;

	doc_each(d, list) {
		if (span_eq(doc_get_str(d, member), value)) {
			struct span subnet =
			    arena_span(a, doc_get_str(d, "SubnetId"));

			remove_str(doc_get(table->spec, "AssociationIds"),
			    doc_get_str(d, "RouteTableAssociationId"));
			remove_str(doc_get(table->spec, "SubnetIds"), subnet);
			doc_remove(list, i);
			*ret_subnet = subnet;
			return true;
		}
		i++;
	}
	return false;
}

void
table_add_route(struct arena *a, struct res *table, struct span cidr,
    struct span gateway, struct span origin)
{
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "DestinationCidrBlock", cidr);
	doc_set_str(a, d, "GatewayId", gateway);
	doc_set_str(a, d, "Origin", origin);
	doc_push(doc_get(table->spec, "Routes"), d);
}

struct doc *
table_route(const struct res *table, struct span cidr)
{
	doc_each(d, doc_get(table->spec, "Routes"))
		if (span_eq(doc_get_str(d, "DestinationCidrBlock"), cidr))
			return d;
	return NULL;
}

bool
table_drop_route(struct res *table, struct span cidr)
{
	struct doc *routes = doc_get(table->spec, "Routes");
	size_t i = 0;

	doc_each(d, routes) {
		if (span_eq(doc_get_str(d, "DestinationCidrBlock"), cidr)) {
			doc_remove(routes, i);
			return true;
		}
		i++;
	}
	return false;
}

/* A table in memory with the local routes of its VPC. */
static struct res *
table_new(const struct at *at, const struct res *vpc)
{
	static const char *const lists[] = {"Routes", "Associations",
		"AssociationIds", "SubnetIds"};
	struct res *r = noun_new(at, &noun_table, SPAN_NULL);
	struct cidr *cidrs;
	size_t n;

	doc_set_str(at->arena, r->spec, "VpcId", vpc->id);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		doc_set(at->arena, r->spec, lists[i], doc_arr(at->arena));
	cidrs = vpc_cidrs(at->arena, vpc, &n);
	for (size_t i = 0; i < n; i++)
		table_add_route(at->arena, r, cidr_text(at->arena, cidrs[i]),
		    SPAN("local"), SPAN("CreateRouteTable"));
	return r;
}

int
table_make(const struct at *at, const struct res *vpc, bool is_main,
    struct res **ret)
{
	struct res *r = table_new(at, vpc);
	int e;

	if (is_main)
		associate(at->arena, r, SPAN_NULL);
	if ((e = noun_insert(at, r)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

int
table_main(const struct at *at, struct span vpc, struct res **ret)
{
	struct res_list l;
	int e = noun_list(at, &ec2_route_table, "spec.VpcId", vpc, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		doc_each(d, doc_get(l.v[i]->spec, "Associations"))
			if (doc_get_bool(d, "Main", false)) {
				*ret = l.v[i];
				return 0;
			}
	return err_origin(EINVAL, "%.*s has no main route table",
	    SPAN_ARG(vpc));
}

int
table_forget_subnet(const struct at *at, struct span subnet)
{
	struct res_list l;
	struct span was;
	int e = noun_list(at, &ec2_route_table, "spec.SubnetIds", subnet, &l);

	for (size_t i = 0; e >= 0 && i < l.n; i++)
		if (dissociate(at->arena, l.v[i], "SubnetId", subnet, &was))
			e = noun_put(at, l.v[i]);
	return e;
}

struct reply *
table_wanted(struct call *c, struct res **ret)
{
	return noun_get(c, &noun_table, doc_get_str(c->in, "RouteTableId"),
	    ret);
}

struct reply *
table_create(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *vpc, *r;

	refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &vpc);
	if (refusal || (refusal = noun_repeated(c, &noun_table, &r)))
		return refusal;
	if (r)
		return noun_reply(c, &noun_table, r, "RouteTable");
	refusal = noun_room(c, &ec2_route_table, vpc->id, TABLES_MAX,
	    "RouteTableLimitExceeded", "route tables");
	if (refusal)
		return refusal;
	r = table_new(&at, vpc);
	if ((refusal = noun_create(c, &noun_table, r)))
		return refusal;
	return noun_reply(c, &noun_table, r, "RouteTable");
}

struct reply *
table_delete(struct call *c)
{
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = table_wanted(c, &r)))
		return refusal;
	if (doc_len(doc_get(r->spec, "Associations")) > 0)
		return noun_in_use(c, "routeTable", r->id);
	if ((e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
table_describe(struct call *c)
{
	return noun_describe(c, &noun_table);
}

static struct reply *
association_reply(struct call *c, const char *member, struct span id)
{
	struct doc *out = doc_obj(c->arena), *state = doc_obj(c->arena);

	doc_set_str(c->arena, state, "State", SPAN("associated"));
	doc_set_str(c->arena, out, member, id);
	doc_set(c->arena, out, "AssociationState", state);
	return reply_ok(c, out);
}

struct reply *
table_associate(struct call *c)
{
	struct span id = doc_get_str(c->in, "SubnetId");
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r, *subnet;
	int e;

	if ((refusal = table_wanted(c, &r)))
		return refusal;
	if (id.n == 0)
		return noun_missing(c, "subnetId");
	if ((refusal = noun_get(c, &noun_subnet, id, &subnet)))
		return refusal;
	if (!span_eq(doc_get_str(subnet->spec, "VpcId"),
		doc_get_str(r->spec, "VpcId")))
		return noun_invalid(c, "route table %.*s and subnet %.*s "
		    "belong to different networks", SPAN_ARG(r->id),
		    SPAN_ARG(id));
	if ((e = noun_any(&at, &ec2_route_table, "spec.SubnetIds", id)) > 0)
		return reply_error(c, "Resource.AlreadyAssociated",
		    "the specified association for route table %.*s conflicts "
		    "with an existing association", SPAN_ARG(r->id));
	id = associate(c->arena, r, subnet->id);
	if (e < 0 || (e = noun_put(&at, r)) < 0)
		return reply_failure(c, e);
	return association_reply(c, "AssociationId", id);
}

/* The table that has the association of the request. */
static struct reply *
association_wanted(struct call *c, struct res **ret)
{
	return noun_associated(c, &ec2_route_table, "spec.AssociationIds", ret);
}

struct reply *
table_disassociate(struct call *c)
{
	struct span id = doc_get_str(c->in, "AssociationId"), subnet;
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = association_wanted(c, &r)))
		return refusal;
	AN(dissociate(c->arena, r, "RouteTableAssociationId", id, &subnet));
	if (subnet.n == 0)
		return noun_invalid(c, "cannot disassociate the main route "
		    "table association %.*s", SPAN_ARG(id));
	if ((e = noun_put(&at, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

/* Moves a subnet, or the VPC's main association, to another table. */
struct reply *
table_replace(struct call *c)
{
	struct span id = doc_get_str(c->in, "AssociationId"), subnet;
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *from, *to;
	int e;

	if ((refusal = association_wanted(c, &from)) ||
	    (refusal = table_wanted(c, &to)))
		return refusal;
	if (!span_eq(doc_get_str(from->spec, "VpcId"),
		doc_get_str(to->spec, "VpcId")))
		return noun_invalid(c, "route table %.*s and network %.*s "
		    "belong to different networks", SPAN_ARG(to->id),
		    SPAN_ARG(doc_get_str(from->spec, "VpcId")));
	if (span_eq(from->id, to->id))
		to = from;
	AN(dissociate(c->arena, from, "RouteTableAssociationId", id, &subnet));
	id = associate(c->arena, to, subnet);
	if ((e = noun_put(&at, from)) < 0 ||
	    (to != from && (e = noun_put(&at, to)) < 0))
		return reply_failure(c, e);
	return association_reply(c, "NewAssociationId", id);
}
