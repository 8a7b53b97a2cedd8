/* Network ACLs: the default one of each VPC, which lets everything pass. */
#include "base/err.h"
#include "base/id.h"
#include "svc/ec2/ops.h"

static void
push_association(struct arena *a, struct doc *list, const struct res *acl,
    struct span subnet)
{
	struct doc *d = doc_obj(a);

	/* The id is made of the subnet's, so that it is the same each time. */
	doc_set_str(a, d, "NetworkAclAssociationId",
	    arena_fmt_span(a, "aclassoc-%.*s",
		SPAN_ARG(span_from(subnet, strlen("subnet-")))));
	doc_set_str(a, d, "NetworkAclId", acl->id);
	doc_set_str(a, d, "SubnetId", subnet);
	doc_push(list, d);
}

static int
acl_render(const struct at *at, const struct res *r, struct doc *d)
{
	struct doc *list = doc_arr(at->arena);
	struct res_list l;
	int e = noun_list(at, &ec2_subnet, "spec.VpcId",
	    doc_get_str(r->spec, "VpcId"), &l);

	if (e < 0)
		return err_trace(e);
	for (size_t i = 0; i < l.n; i++)
		push_association(at->arena, list, r, l.v[i]->id);
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
	{"entry.icmp.code", NULL, NULL},
	{"entry.icmp.type", NULL, NULL},
	{"entry.ipv6-cidr", NULL, NULL},
	{"entry.port-range.from", NULL, NULL},
	{"entry.port-range.to", NULL, NULL},
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

/* AWS: 100 allows all, 32767 is the asterisk that denies the rest. */
int
acl_make(const struct at *at, struct span vpc)
{
	static const struct {
		bool egress, allow;
	} rows[] = {{true, true}, {true, false}, {false, true}, {false, false}};
	struct res *r = noun_new(at, &noun_acl, SPAN_NULL);
	struct doc *entries = doc_arr(at->arena);
	struct arena *a = at->arena;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct doc *d = doc_obj(a);

		doc_set_str(a, d, "CidrBlock", SPAN("0.0.0.0/0"));
		doc_set_bool(a, d, "Egress", rows[i].egress);
		doc_set_str(a, d, "Protocol", SPAN("-1"));
		doc_set_str(a, d, "RuleAction",
		    rows[i].allow ? SPAN("allow") : SPAN("deny"));
		doc_set_int(a, d, "RuleNumber", rows[i].allow ? 100 : 32767);
		doc_push(entries, d);
	}
	doc_set_str(a, r->spec, "VpcId", vpc);
	doc_set_bool(a, r->spec, "IsDefault", true);
	doc_set(a, r->spec, "Entries", entries);
	return noun_insert(at, r);
}

struct reply *
acl_describe(struct call *c)
{
	return noun_describe(c, &noun_acl);
}
