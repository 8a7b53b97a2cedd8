/* Routes: where a table sends what. */
#include "base/err.h"
#include "svc/ec2/ops.h"

enum { ROUTES_MAX = 500 };

/* What a route may lead to: the member that names it, in requests and in the
 * table, and what it names. */
struct target {
	const char *member;
	const struct noun *noun;
	const char *what; /* in AWS's words */
};

static const struct target targets[] = {
	{"GatewayId", &noun_gateway, "network gateway"},
	{"NatGatewayId", &noun_nat, "nat gateway"},
	{"NetworkInterfaceId", &noun_interface, "network interface"},
};

static const struct target *
target_of(const struct doc *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (doc_get(route, targets[i].member))
			return &targets[i];
	return NULL;
}

static bool
is_local(const struct doc *route)
{
	return span_is(doc_get_str(route, "GatewayId"), "local");
}

/* AWS: a route whose target is gone, elsewhere or not in use is a
 * "blackhole". */
static bool
alive(const struct res *r, struct span vpc)
{
	if (!span_eq(doc_get_str(r->spec, "VpcId"), vpc))
		return false;
	if (r->kind == &ec2_nat_gateway)
		return !doc_get(r->spec, "DeleteTime") &&
		    !doc_get(r->spec, "FailureCode");
	if (r->kind == &ec2_network_interface)
		return doc_get(r->spec, "AttachmentId") != NULL;
	return true;
}

int
route_state(const struct at *at, struct span vpc, struct doc *route)
{
	const struct target *t = target_of(route);
	struct res *r;
	bool active = is_local(route);
	int e;

	if (!active && t) {
		e = noun_find(at, t->noun, doc_get_str(route, t->member), &r);
		if (e < 0)
			return err_trace(e);
		active = e == 0 && alive(r, vpc);
	}
	doc_set_str(at->arena, route, "State",
	    active ? SPAN("active") : SPAN("blackhole"));
	return 0;
}

/* The destination of the request, in canonical form. */
static struct reply *
destination(struct call *c, struct span *ret)
{
	struct span text = doc_get_str(c->in, "DestinationCidrBlock");
	struct cidr cidr;

	if (text.n == 0)
		return noun_missing(c, "destinationCidrBlock");
	if (!cidr_parse(text, &cidr))
		return noun_invalid(c, "Value (%.*s) for parameter "
		    "destinationCidrBlock is invalid. This is not a valid CIDR "
		    "block.", SPAN_ARG(text));
	*ret = cidr_text(c->arena, cidr_base(cidr));
	return NULL;
}

/* Is it exactly a subnet of the VPC?  1, 0, or negative. */
static int
is_subnet(const struct at *at, struct span vpc, struct span cidr)
{
	struct res_list l;
	int e = noun_list(at, &ec2_subnet, "spec.VpcId", vpc, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(doc_get_str(l.v[i]->spec, "CidrBlock"), cidr))
			return 1;
	return 0;
}

/* AWS: traffic inside the VPC may be led only to a machine in between, and
 * only that to a whole subnet.
 * docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html */
static struct reply *
inside_vpc(struct call *c, const struct res *table, struct span cidr,
    const struct target *t)
{
	struct span vpc = doc_get_str(table->spec, "VpcId");
	struct at at = at_of(c);
	struct cidr want, local;
	int e = 0;

	AN(cidr_parse(cidr, &want));
	doc_each(d, doc_get(table->spec, "Routes")) {
		if (!is_local(d) ||
		    !cidr_parse(doc_get_str(d, "DestinationCidrBlock"),
			&local) ||
		    !cidr_within(want, local))
			continue;
		if (t->noun != &noun_gateway)
			e = is_subnet(&at, vpc, cidr);
		if (e < 0)
			return reply_failure(c, e);
		if (e == 0)
			return noun_invalid(c, "The destination CIDR block %.*s "
			    "is equal to or more specific than one of this "
			    "VPC's CIDR blocks. This route can target only an "
			    "interface or an instance.", SPAN_ARG(cidr));
	}
	return NULL;
}

static struct reply *
one_target(struct call *c, const struct target **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (doc_get(c->in, targets[i].member)) {
			*ret = &targets[i];
			n++;
		}
	if (n == 1)
		return NULL;
	return reply_error(c, n ? "InvalidParameterCombination" :
	    "MissingParameter", "The request must "
	    "contain exactly one of gatewayId, natGatewayId, "
	    "networkInterfaceId, vpcPeeringConnectionId, "
	    "egressOnlyInternetGatewayId, transitGatewayId, "
	    "localGatewayId, carrierGatewayId, vpcEndpointId, "
	    "coreNetworkArn or instanceId");
}

/* The target of the request, which must be of the table's VPC. */
static struct reply *
target_wanted(struct call *c, const struct res *table,
    const struct target **ret)
{
	struct reply *refusal = one_target(c, ret);
	struct span id;
	struct res *r;

	if (refusal)
		return refusal;
	id = doc_get_str(c->in, (*ret)->member);
	if (span_is(id, "local"))
		return noun_invalid(c, "cannot create local route");
	if ((refusal = noun_get(c, (*ret)->noun, id, &r)))
		return refusal;
	if (!span_eq(doc_get_str(r->spec, "VpcId"),
		doc_get_str(table->spec, "VpcId")))
		return noun_invalid(c, "route table %.*s and %s "
		    "%.*s belong to different networks", SPAN_ARG(table->id),
		    (*ret)->what, SPAN_ARG(id));
	if (r->kind == &ec2_nat_gateway &&
	    !alive(r, doc_get_str(table->spec, "VpcId")))
		return noun_not_found(c, &noun_nat, id);
	return NULL;
}

static void
lead(struct call *c, struct doc *route, const struct target *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		doc_del(route, targets[i].member);
	doc_set_str(c->arena, route, t->member,
	    doc_get_str(c->in, t->member));
}

struct reply *
route_create(struct call *c)
{
	const struct target *t;
	struct reply *refusal;
	struct span cidr;
	struct doc *d;
	struct res *r;

	if ((refusal = table_wanted(c, &r)) ||
	    (refusal = destination(c, &cidr)) ||
	    (refusal = target_wanted(c, r, &t)))
		return refusal;
	if ((d = table_route(r, cidr))) {
		/* AWS: the same route again is no error. */
		if (span_eq(doc_get_str(d, t->member),
			doc_get_str(c->in, t->member)))
			return noun_done(c);
		return reply_error(c, "RouteAlreadyExists", "The route "
		    "identified by %.*s already exists.", SPAN_ARG(cidr));
	}
	if ((refusal = inside_vpc(c, r, cidr, t)))
		return refusal;
	if (doc_len(doc_get(r->spec, "Routes")) >= ROUTES_MAX)
		return reply_error(c, "RouteLimitExceeded",
		    "The maximum number of routes has been reached.");
	d = doc_obj(c->arena);
	doc_set_str(c->arena, d, "DestinationCidrBlock", cidr);
	doc_set_str(c->arena, d, "Origin", SPAN("CreateRoute"));
	lead(c, d, t);
	doc_push(doc_get(r->spec, "Routes"), d);
	return noun_saved(c, r);
}

struct reply *
route_replace(struct call *c)
{
	const struct target *t;
	struct reply *refusal;
	struct doc *route;
	struct span cidr;
	struct res *r;

	if ((refusal = table_wanted(c, &r)) ||
	    (refusal = destination(c, &cidr)))
		return refusal;
	if (!(route = table_route(r, cidr)))
		return noun_invalid(c, "There is no route defined for '%.*s' in "
		    "the route table. Use CreateRoute instead.",
		    SPAN_ARG(cidr));
	if ((refusal = target_wanted(c, r, &t)) ||
	    (refusal = inside_vpc(c, r, cidr, t)))
		return refusal;
	if (is_local(route))
		return reply_not_implemented(c,
		    "another target for a local route");
	lead(c, route, t);
	return noun_saved(c, r);
}

struct reply *
route_delete(struct call *c)
{
	struct reply *refusal;
	struct span cidr;
	struct res *r;

	if ((refusal = table_wanted(c, &r)) ||
	    (refusal = destination(c, &cidr)))
		return refusal;
	if (is_local(table_route(r, cidr)))
		return noun_invalid(c, "cannot remove local route %.*s in "
		    "route table %.*s", SPAN_ARG(cidr), SPAN_ARG(r->id));
	if (!table_drop_route(r, cidr))
		return reply_error(c, "InvalidRoute.NotFound", "no route with "
		    "destination-cidr-block %.*s in route table %.*s",
		    SPAN_ARG(cidr), SPAN_ARG(r->id));
	return noun_saved(c, r);
}
