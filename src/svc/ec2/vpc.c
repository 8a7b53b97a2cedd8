/* VPCs: CIDR blocks, attributes, what they are born with and die with. */
#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

enum { LEN_MIN = 16, LEN_MAX = 28, CIDRS_MAX = 5 };

static int
vpc_render(const struct at *at, const struct res *r, struct doc *d)
{
	(void)r;
	doc_set(at->arena, d, "Ipv6CidrBlockAssociationSet",
	    doc_arr(at->arena));
	return 0;
}

static const struct ec2_filter filters[] = {
	{"cidr", "CidrBlock", NULL},
	{"cidr-block-association.cidr-block",
	    "CidrBlockAssociationSet.CidrBlock", NULL},
	{"cidr-block-association.association-id",
	    "CidrBlockAssociationSet.AssociationId", NULL},
	{"cidr-block-association.state",
	    "CidrBlockAssociationSet.CidrBlockState.State", NULL},
	{"dhcp-options-id", "DhcpOptionsId", NULL},
	{"ipv6-cidr-block-association.ipv6-cidr-block", NULL, NULL},
	{"ipv6-cidr-block-association.ipv6-pool", NULL, NULL},
	{"ipv6-cidr-block-association.association-id", NULL, NULL},
	{"ipv6-cidr-block-association.state", NULL, NULL},
	{"is-default", "IsDefault", NULL},
	{"isDefault", "IsDefault", NULL},
	{"owner-id", "OwnerId", NULL},
	{"state", "State", NULL},
	{"vpc-id", "VpcId", NULL},
	{NULL, NULL, NULL},
};

const struct noun noun_vpc = {
	.kind = &ec2_vpc,
	.type = "vpc",
	.prefix = "vpc-",
	.label = "vpc ID",
	.not_found = "InvalidVpcID.NotFound",
	.malformed = "InvalidVpcID.Malformed",
	.id = "VpcId",
	.ids = "VpcIds",
	.list = "Vpcs",
	.tags = "Tags",
	.filters = filters,
	.render = vpc_render,
};

static struct doc *
association(struct arena *a, struct cidr cidr)
{
	struct doc *d = doc_obj(a), *state = doc_obj(a);

	doc_set_str(a, state, "State", SPAN("associated"));
	doc_set_str(a, d, "AssociationId",
	    span_of(id_prefixed(a, "vpc-cidr-assoc-", 17)));
	doc_set_str(a, d, "CidrBlock", cidr_text(a, cidr));
	return doc_set(a, d, "CidrBlockState", state);
}

int
vpc_make(const struct at *at, const struct vpc_plan *p, struct res **ret)
{
	struct res *r = noun_new(at, &noun_vpc, SPAN_NULL);
	struct doc *blocks = doc_arr(at->arena);
	struct arena *a = at->arena;
	struct res *region, *table;
	int e;

	if ((e = default_region(at, &region)) < 0)
		return err_trace(e);
	doc_push(blocks, association(a, p->cidr));
	doc_set_str(a, r->spec, "CidrBlock", cidr_text(a, p->cidr));
	doc_set(a, r->spec, "CidrBlockAssociationSet", blocks);
	doc_set_bool(a, r->spec, "IsDefault", p->is_default);
	doc_set_str(a, r->spec, "State", SPAN("available"));
	doc_set_str(a, r->spec, "InstanceTenancy", p->tenancy);
	doc_set_str(a, r->spec, "DhcpOptionsId",
	    doc_get_str(region->spec, "DhcpOptionsId"));
	/* AWS: DNS host names are on only in default VPCs. */
	doc_set_bool(a, r->spec, "EnableDnsSupport", true);
	doc_set_bool(a, r->spec, "EnableDnsHostnames", p->is_default);
	if ((e = noun_insert(at, r)) < 0 ||
	    (e = table_make(at, r, true, &table)) < 0 ||
	    (e = acl_make(at, r->id)) < 0 ||
	    (e = group_make_default(at, r->id)) < 0)
		return err_trace(e);
	*ret = r;
	return 0;
}

int
vpc_default(const struct at *at, struct res **ret)
{
	struct res_list l;
	int e = noun_list(at, &ec2_vpc, NULL, SPAN_NULL, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		if (doc_get_bool(l.v[i]->spec, "IsDefault", false)) {
			*ret = l.v[i];
			return 0;
		}
	return 1;
}

struct cidr *
vpc_cidrs(struct arena *a, const struct res *vpc, size_t *ret_n)
{
	const struct doc *set = doc_get(vpc->spec, "CidrBlockAssociationSet");
	struct cidr *v = arena_array(a, struct cidr, doc_len(set) + 1);
	size_t n = 0;

	doc_each(d, set)
		AN(cidr_parse(doc_get_str(d, "CidrBlock"), &v[n++]));
	*ret_n = n;
	return v;
}

/* AWS: docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html */
static struct reply *
cidr_wanted(struct call *c, struct cidr *ret)
{
	struct span text = doc_get_str(c->in, "CidrBlock");
	struct cidr cidr;

	if (text.n == 0)
		return reply_error(c, "MissingParameter", "Either 'cidrBlock' "
		    "or 'ipv4IpamPoolId' should be provided.");
	if (!cidr_parse(text, &cidr))
		return noun_invalid(c, "Value (%.*s) for parameter cidrBlock is "
		    "invalid. This is not a valid CIDR block.", SPAN_ARG(text));
	if (cidr.len < LEN_MIN || cidr.len > LEN_MAX)
		return reply_error(c, "InvalidVpc.Range",
		    "The CIDR '%.*s' is invalid.", SPAN_ARG(text));
	*ret = cidr_base(cidr);
	return NULL;
}

static struct reply *
no_ipv6(struct call *c)
{
	if (doc_get_bool(c->in, "AmazonProvidedIpv6CidrBlock", false))
		return reply_not_implemented(c, "AmazonProvidedIpv6CidrBlock");
	return NULL;
}

struct reply *
vpc_create(struct call *c)
{
	struct span tenancy = doc_get_str(c->in, "InstanceTenancy");
	struct at at = at_of(c);
	struct vpc_plan plan = {.tenancy = tenancy};
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = no_ipv6(c)) || (refusal = cidr_wanted(c, &plan.cidr)))
		return refusal;
	if (tenancy.n == 0)
		plan.tenancy = SPAN("default");
	else if (span_is(tenancy, "host"))
		return reply_error(c, "UnsupportedTenancy",
		    "The tenancy value host is not supported.");
	if ((e = vpc_make(&at, &plan, &r)) < 0)
		return reply_failure(c, e);
	if ((refusal = tags_specified(c, "vpc", r)))
		return refusal;
	return noun_reply(c, &noun_vpc, r, "Vpc");
}

struct reply *
vpc_create_default(struct call *c)
{
	struct at at = at_of(c);
	struct res *r;
	int e = vpc_default(&at, &r);

	if (e == 0)
		return reply_error(c, "DefaultVpcAlreadyExists", "A Default "
		    "VPC already exists for this account in this region.");
	if (e < 0 || (e = default_vpc_make(&at, &r)) < 0)
		return reply_failure(c, e);
	return noun_reply(c, &noun_vpc, r, "Vpc");
}

/* What the VPC came with may still be there; anything else is in the way.
 * 1: in the way, 0, or negative. */
static int
vpc_busy(const struct at *at, struct span vpc)
{
	static const struct kind *const others[] = {&ec2_subnet,
		&ec2_internet_gateway, &ec2_network_interface};
	struct res_list groups, tables, acls;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if ((e = noun_any(at, others[i], "spec.VpcId", vpc)) != 0)
			return e;
	if ((e = noun_list(at, &ec2_security_group, "spec.VpcId", vpc,
		 &groups)) < 0 ||
	    (e = noun_list(at, &ec2_route_table, "spec.VpcId", vpc,
		 &tables)) < 0 ||
	    (e = noun_list(at, &ec2_network_acl, "spec.VpcId", vpc,
		 &acls)) < 0)
		return err_trace(e);
	return groups.n > 1 || tables.n > 1 || acls.n > 1;
}

static int
vpc_drop(const struct at *at, const struct res *vpc)
{
	static const struct kind *const own[] = {&ec2_security_group,
		&ec2_route_table, &ec2_network_acl};
	struct res_list l;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		e = noun_list(at, own[i], "spec.VpcId", vpc->id, &l);
		for (size_t j = 0; e >= 0 && j < l.n; j++)
			e = own[i] == &ec2_security_group ?
			    group_drop(at, l.v[j]) :
			    store_delete(at->store, l.v[j]);
		if (e < 0)
			return err_trace(e);
	}
	return store_delete(at->store, vpc);
}

struct reply *
vpc_delete(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *r;
	int e;

	if ((refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &r)))
		return refusal;
	if ((e = vpc_busy(&at, r->id)) > 0)
		return noun_in_use(c, "vpc", r->id);
	if (e < 0 || (e = vpc_drop(&at, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
vpc_describe(struct call *c)
{
	return noun_describe(c, &noun_vpc);
}

/* AWS: one attribute in a request. */
struct reply *
vpc_modify(struct call *c)
{
	static const char *const names[] = {"EnableDnsSupport",
		"EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"};
	struct reply *refusal;
	struct res *r;
	size_t given = 0;

	if ((refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &r)))
		return refusal;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct doc *v = doc_get(c->in, names[i]);

		if (!v)
			continue;
		given++;
		doc_set_bool(c->arena, r->spec, names[i],
		    doc_get_bool(v, "Value", false));
	}
	if (given == 0)
		return noun_missing(c, "attribute");
	if (given > 1)
		return reply_error(c, "InvalidParameterCombination",
		    "Fields for multiple attribute types specified: only one "
		    "VPC attribute can be modified at a time");
	return noun_saved(c, r);
}

struct reply *
vpc_attribute(struct call *c)
{
	static const struct {
		const char *attribute, *member;
	} rows[] = {
		{"enableDnsSupport", "EnableDnsSupport"},
		{"enableDnsHostnames", "EnableDnsHostnames"},
		{"enableNetworkAddressUsageMetrics",
		    "EnableNetworkAddressUsageMetrics"},
	};
	struct span want = doc_get_str(c->in, "Attribute");
	struct doc *out = doc_obj(c->arena), *value = doc_obj(c->arena);
	struct reply *refusal;
	struct res *r;

	if ((refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &r)))
		return refusal;
	doc_set_str(c->arena, out, "VpcId", r->id);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!span_is(want, rows[i].attribute))
			continue;
		doc_set_bool(c->arena, value, "Value",
		    doc_get_bool(r->spec, rows[i].member, false));
		doc_set(c->arena, out, rows[i].member, value);
		return reply_ok(c, out);
	}
	return noun_invalid(c, "Value (%.*s) for parameter attribute is "
	    "invalid. Unknown attribute.", SPAN_ARG(want));
}

/* Gives every route table of the VPC its local route to a block, or takes it
 * away: AWS shows one for each block. */
static int
local_routes(const struct at *at, struct span vpc, struct span cidr, bool add)
{
	struct res_list l;
	int e = noun_list(at, &ec2_route_table, "spec.VpcId", vpc, &l);

	for (size_t i = 0; e >= 0 && i < l.n; i++) {
		if (add)
			table_add_route(at->arena, l.v[i], cidr, SPAN("local"),
			    SPAN("CreateRouteTable"));
		else
			table_drop_route(l.v[i], cidr);
		e = store_put_spec(at->store, l.v[i]);
	}
	return e > 0 ? err_fold(e) : e;
}

static struct reply *
cidr_answer(struct call *c, const struct res *r, struct doc *assoc)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "VpcId", r->id);
	doc_set(c->arena, out, "CidrBlockAssociation", assoc);
	return reply_ok(c, out);
}

struct reply *
vpc_associate_cidr(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct doc *assoc, *set;
	struct cidr cidr, *have;
	struct res *r;
	size_t n;
	int e;

	if ((refusal = no_ipv6(c)) ||
	    (refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"),
		 &r)) ||
	    (refusal = cidr_wanted(c, &cidr)))
		return refusal;
	have = vpc_cidrs(c->arena, r, &n);
	for (size_t i = 0; i < n; i++)
		if (cidr_overlap(have[i], cidr))
			return reply_error(c, "InvalidVpc.Range",
			    "The CIDR '%s' conflicts with another CIDR block "
			    "of the VPC", cidr_text(c->arena, cidr).p);
	if (n >= CIDRS_MAX)
		return reply_error(c, "CidrLimitExceeded", "This network "
		    "'%.*s' has met its maximum number of allowed CIDRs: %d",
		    SPAN_ARG(r->id), CIDRS_MAX);
	assoc = association(c->arena, cidr);
	set = doc_get(r->spec, "CidrBlockAssociationSet");
	doc_push(set, doc_copy(c->arena, assoc));
	if ((e = store_put_spec(c->store, r)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	if ((e = local_routes(&at, r->id, cidr_text(c->arena, cidr), true)) < 0)
		return reply_failure(c, e);
	return cidr_answer(c, r, assoc);
}

/* The VPC that an association is of, and where in its set.  0, 1: none. */
static int
association_find(const struct at *at, struct span id, struct res **ret,
    size_t *ret_at)
{
	struct res_list l;
	int e = noun_list(at, &ec2_vpc, NULL, SPAN_NULL, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++) {
		size_t n = 0;

		doc_each(d, doc_get(l.v[i]->spec, "CidrBlockAssociationSet")) {
			if (span_eq(doc_get_str(d, "AssociationId"), id)) {
				*ret = l.v[i];
				*ret_at = n;
				return 0;
			}
			n++;
		}
	}
	return 1;
}

static int
cidr_in_use(const struct at *at, struct span vpc, struct span text)
{
	struct res_list l;
	struct cidr block, sub;
	int e = noun_list(at, &ec2_subnet, "spec.VpcId", vpc, &l);

	if (e < 0)
		return err_trace(e);
	AN(cidr_parse(text, &block));
	for (size_t i = 0; i < l.n; i++)
		if (cidr_parse(doc_get_str(l.v[i]->spec, "CidrBlock"), &sub) &&
		    cidr_within(sub, block))
			return 1;
	return 0;
}

struct reply *
vpc_disassociate_cidr(struct call *c)
{
	struct span id = doc_get_str(c->in, "AssociationId");
	struct at at = at_of(c);
	struct doc *set, *assoc;
	struct span text;
	struct res *r = NULL;
	size_t i = 0;
	int e = association_find(&at, id, &r, &i);

	if (e < 0)
		return reply_failure(c, e);
	if (e > 0)
		return reply_error(c,
		    "InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR "
		    "block association ID '%.*s' does not exist", SPAN_ARG(id));
	set = doc_get(r->spec, "CidrBlockAssociationSet");
	if (i == 0)
		return reply_error(c, "OperationNotPermitted", "The vpc CIDR "
		    "block with association ID %.*s may not be disassociated. "
		    "It is the primary IPv4 CIDR block of the VPC",
		    SPAN_ARG(id));
	assoc = doc_copy(c->arena, doc_at(set, i));
	text = doc_get_str(assoc, "CidrBlock");
	if ((e = cidr_in_use(&at, r->id, text)) > 0)
		return reply_error(c, "InvalidCidrBlock.InUse", "The vpc CIDR "
		    "block with association ID %.*s is in use by a subnet and "
		    "may not be disassociated", SPAN_ARG(id));
	doc_remove(set, i);
	if (e < 0 || (e = store_put_spec(c->store, r)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	if ((e = local_routes(&at, r->id, text, false)) < 0)
		return reply_failure(c, e);
	doc_set_str(c->arena, doc_get(assoc, "CidrBlockState"), "State",
	    SPAN("disassociating"));
	return cidr_answer(c, r, assoc);
}
