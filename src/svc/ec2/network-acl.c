/* Network ACLs: the default one of each VPC, others, and the subnets that
 * follow them. */
#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

#define ASSOCIATION "aclassoc-"

enum { ACLS_MAX = 200 };

/* A subnet that was never given another ACL has an association whose id is
 * made of its own. */
static struct span
association_of(struct arena *a, const struct res *subnet)
{
	struct span id = doc_get_str(subnet->spec, "NetworkAclAssociationId");

	return id.n > 0 ? id : arena_fmt_span(a, ASSOCIATION "%.*s",
	    SPAN_ARG(span_from(subnet->id, strlen("subnet-"))));
}

static bool
follows(const struct res *subnet, const struct res *acl)
{
	struct span id = doc_get_str(subnet->spec, "NetworkAclId");

	if (!span_eq(doc_get_str(subnet->spec, "VpcId"),
		doc_get_str(acl->spec, "VpcId")))
		return false;
	return id.n > 0 ? span_eq(id, acl->id) :
	    doc_get_bool(acl->spec, "IsDefault", false);
}

/* The subnets that follow an ACL. */
static int
followers(const struct at *at, const struct res *acl, struct res_list *ret)
{
	struct res_list all;
	int e = noun_list(at, &ec2_subnet, "spec.VpcId",
	    doc_get_str(acl->spec, "VpcId"), &all);

	if (e < 0)
		return err_trace(e);
	*ret = (struct res_list){.v = all.v};
	for (size_t i = 0; i < all.n; i++)
		if (follows(all.v[i], acl))
			ret->v[ret->n++] = all.v[i];
	return 0;
}

static int
acl_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *list = doc_arr(at->arena);
	struct res_list l;
	int e = followers(at, r, &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++) {
		struct doc *one = doc_obj(at->arena);

		doc_set_str(at->arena, one, "NetworkAclAssociationId",
		    association_of(at->arena, l.v[i]));
		doc_set_str(at->arena, one, "NetworkAclId", r->id);
		doc_set_str(at->arena, one, "SubnetId", l.v[i]->id);
		doc_push(list, one);
	}
	doc_set(at->arena, d, "Associations", list);
	return 0;
}

static const struct ec2_filter filters[] = {
	{"association.association-id",
	    "Associations.NetworkAclAssociationId", NULL},
	{"association.network-acl-id", "Associations.NetworkAclId", NULL},
	{"association.subnet-id", "Associations.SubnetId", NULL},
	{"default", "IsDefault", NULL},
	{"entry.cidr", "Entries.CidrBlock", NULL},
	{"entry.icmp.code", "Entries.IcmpTypeCode.Code", NULL},
	{"entry.icmp.type", "Entries.IcmpTypeCode.Type", NULL},
	{"entry.ipv6-cidr", NULL, NULL},
	{"entry.port-range.from", "Entries.PortRange.From", NULL},
	{"entry.port-range.to", "Entries.PortRange.To", NULL},
	{"entry.protocol", "Entries.Protocol", NULL},
	{"entry.rule-action", "Entries.RuleAction", NULL},
	{"entry.egress", "Entries.Egress", NULL},
	{"entry.rule-number", "Entries.RuleNumber", NULL},
	{"network-acl-id", "NetworkAclId", NULL},
	{"owner-id", "OwnerId", NULL},
	{"vpc-id", "VpcId", "spec.VpcId"},
	{NULL, NULL, NULL},
};

const struct noun noun_acl = {
	.kind = &ec2_network_acl,
	.type = "network-acl",
	.prefix = "acl-",
	.label = "network acl ID",
	.not_found = "InvalidNetworkAclID.NotFound",
	.malformed = "InvalidNetworkAclId.Malformed",
	.id = "NetworkAclId",
	.ids = "NetworkAclIds",
	.list = "NetworkAcls",
	.tags = "Tags",
	.filters = filters,
	.render = acl_render,
};

/* AWS: 32767, shown as an asterisk, denies what no rule decided; the default
 * ACL has a rule 100 before it that allows all. */
static struct res *
acl_new(const struct at *at, struct span vpc, bool is_default)
{
	static const struct {
		bool egress, allow;
	} rows[] = {{true, true}, {true, false}, {false, true}, {false, false}};
	struct res *r = noun_new(at, &noun_acl, SPAN_NULL);
	struct doc *entries = doc_arr(at->arena);
	struct arena *a = at->arena;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct doc *d;

		if (rows[i].allow && !is_default)
			continue;
		d = doc_obj(a);
		doc_set_str(a, d, "CidrBlock", SPAN("0.0.0.0/0"));
		doc_set_bool(a, d, "Egress", rows[i].egress);
		doc_set_str(a, d, "Protocol", SPAN("-1"));
		doc_set_str(a, d, "RuleAction",
		    rows[i].allow ? SPAN("allow") : SPAN("deny"));
		doc_set_int(a, d, "RuleNumber", rows[i].allow ? 100 : 32767);
		doc_push(entries, d);
	}
	doc_set_str(a, r->spec, "VpcId", vpc);
	doc_set_bool(a, r->spec, "IsDefault", is_default);
	doc_set(a, r->spec, "Entries", entries);
	return r;
}

int
acl_make(const struct at *at, struct span vpc)
{
	return noun_insert(at, acl_new(at, vpc, true));
}

struct reply *
acl_create(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct at at = at_of(c);
	struct reply *refusal;
	struct res *vpc, *r;
	int e;

	refusal = noun_get(c, &noun_vpc, doc_get_str(c->in, "VpcId"), &vpc);
	if (refusal || (refusal = noun_repeated(c, &noun_acl, &r)))
		return refusal;
	if (!r) {
		refusal = noun_room(c, &ec2_network_acl, vpc->id, ACLS_MAX,
		    "NetworkAclLimitExceeded", "network ACLs");
		if (refusal)
			return refusal;
		r = acl_new(&at, vpc->id, false);
		if ((refusal = noun_create(c, &noun_acl, r)))
			return refusal;
	}
	if ((e = noun_show(&at, &noun_acl, r, &d)) < 0)
		return reply_failure(c, e);
	doc_set(c->arena, out, "NetworkAcl", d);
	doc_set_str(c->arena, out, "ClientToken",
	    doc_get_str(r->spec, "ClientToken"));
	return reply_ok(c, out);
}

struct reply *
acl_delete(struct call *c)
{
	struct at at = at_of(c);
	struct reply *refusal;
	struct res_list l;
	struct res *r;
	int e;

	refusal = noun_get(c, &noun_acl, doc_get_str(c->in, "NetworkAclId"),
	    &r);
	if (refusal)
		return refusal;
	if (doc_get_bool(r->spec, "IsDefault", false))
		return noun_invalid(c, "cannot delete default network ACL "
		    "%.*s", SPAN_ARG(r->id));
	if ((e = followers(&at, r, &l)) < 0)
		return reply_failure(c, e);
	if (l.n > 0)
		return noun_in_use(c, "networkAcl", r->id);
	if ((e = store_delete(c->store, r)) < 0)
		return reply_failure(c, e);
	return noun_done(c);
}

struct reply *
acl_describe(struct call *c)
{
	return noun_describe(c, &noun_acl);
}

/* The subnet that an association is of. */
static struct reply *
association_wanted(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "AssociationId"), prefix, subnet;
	struct at at = at_of(c);
	struct res_list l;
	int e = noun_list(&at, &ec2_subnet, "spec.NetworkAclAssociationId", id,
	    &l);

	if (e < 0)
		return reply_failure(c, e);
	if (l.n > 0) {
		*ret = l.v[0];
		return NULL;
	}
	prefix = SPAN(ASSOCIATION);
	if (span_starts(id, prefix)) {
		subnet = arena_fmt_span(c->arena, "subnet-%.*s",
		    SPAN_ARG(span_from(id, prefix.n)));
		if ((e = noun_find(&at, &noun_subnet, subnet, ret)) < 0)
			return reply_failure(c, e);
		if (e == 0 && !doc_get((*ret)->spec, "NetworkAclAssociationId"))
			return NULL;
	}
	return reply_error(c, "InvalidAssociationID.NotFound",
	    "The association ID '%.*s' does not exist", SPAN_ARG(id));
}

struct reply *
acl_replace(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct arena *a = c->arena;
	struct reply *refusal;
	struct res *subnet, *r;
	struct span id;
	int e;

	if ((refusal = association_wanted(c, &subnet)) ||
	    (refusal = noun_get(c, &noun_acl,
		 doc_get_str(c->in, "NetworkAclId"), &r)))
		return refusal;
	if (!span_eq(doc_get_str(subnet->spec, "VpcId"),
		doc_get_str(r->spec, "VpcId")))
		return noun_invalid(c, "networkAcl %.*s and subnet %.*s belong "
		    "to different networks", SPAN_ARG(r->id),
		    SPAN_ARG(subnet->id));
	id = span_of(id_prefixed(a, ASSOCIATION, 17));
	doc_set_str(a, subnet->spec, "NetworkAclId", r->id);
	doc_set_str(a, subnet->spec, "NetworkAclAssociationId", id);
	if ((e = store_put_spec(c->store, subnet)) != 0)
		return reply_failure(c, e > 0 ? err_fold(e) : e);
	doc_set_str(a, out, "NewAssociationId", id);
	return reply_ok(c, out);
}
