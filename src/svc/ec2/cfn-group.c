/* Security groups of CloudFormation: flat rules become permissions. */
#include "base/err.h"
#include "svc/ec2/cfn.h"

struct side {
	const char *prop;
	const char *authorize;
	const char *revoke;
	const char *group;  /* the peer's member */
	const char *prefix;
};

static const struct side ingress = {"SecurityGroupIngress",
	"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress",
	"SourceSecurityGroupId", "SourcePrefixListId"};
static const struct side egress = {"SecurityGroupEgress",
	"AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress",
	"DestinationSecurityGroupId", "DestinationPrefixListId"};

static void
peer(struct arena *a, struct doc *p, const struct doc *rule, const char *from,
    const char *list, const char *member)
{
	struct doc *arr, *one;

	if (!doc_get(rule, from))
		return;
	arr = doc_arr(a);
	one = doc_obj(a);
	doc_set(a, one, member, doc_copy(a, doc_get(rule, from)));
	if (doc_get(rule, "Description"))
		doc_set(a, one, "Description", doc_copy(a,
		    doc_get(rule, "Description")));
	doc_push(arr, one);
	doc_set(a, p, list, arr);
}

static struct doc *
permission(struct arena *a, const struct side *s, const struct doc *rule)
{
	static const char *const same[] = {"IpProtocol", "FromPort", "ToPort"};
	struct doc *p = doc_obj(a);

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (doc_get(rule, same[i]))
			doc_set(a, p, same[i],
			    doc_copy(a, doc_get(rule, same[i])));
	peer(a, p, rule, "CidrIp", "IpRanges", "CidrIp");
	peer(a, p, rule, "CidrIpv6", "Ipv6Ranges", "CidrIpv6");
	peer(a, p, rule, s->group, "UserIdGroupPairs", "GroupId");
	peer(a, p, rule, s->prefix, "PrefixListIds", "PrefixListId");
	return p;
}

static int
call(struct cfn_run *run, const char *op, const struct side *s,
    struct span group, const struct doc *rule, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena), *list = doc_arr(run->arena);
	struct op_result r;
	int e;

	doc_set_str(run->arena, in, "GroupId", group);
	doc_push(list, permission(run->arena, s, rule));
	doc_set(run->arena, in, "IpPermissions", list);
	if ((e = cfn_call(run, op, in, &r)))
		return err_trace(e);
	*ret = r.error.n ? cfn_refused(run, op, &r) : CFN_DONE;
	if (!r.error.n)
		doc_set(run->arena, run->out, "SecurityGroupRules",
		    doc_copy(run->arena, doc_get(r.out, "SecurityGroupRules")));
	return 0;
}

static bool
among(const struct doc *rules, const struct doc *rule)
{
	doc_each(r, rules)
		if (doc_eq(r, rule))
			return true;
	return false;
}

/* AWS: a group that says nothing of egress lets everything out. */
static const struct doc *
rules_of(struct cfn_run *run, const struct side *s, const struct doc *props)
{
	const struct doc *given = doc_get(props, s->prop);
	struct doc *all, *one;

	if (doc_len(given) || s == &ingress)
		return given;
	all = doc_arr(run->arena);
	one = doc_set_str(run->arena, doc_obj(run->arena), "IpProtocol",
	    SPAN("-1"));
	doc_push(all, doc_set_str(run->arena, one, "CidrIp",
	    SPAN("0.0.0.0/0")));
	return all;
}

static int
apply(struct cfn_run *run, const struct side *s, enum cfn_outcome *ret)
{
	const struct doc *was = rules_of(run, s, run->old);
	const struct doc *is = rules_of(run, s, run->props);
	int e;

	doc_each(r, was)
		if (!among(is, r) && ((e = call(run, s->revoke, s, run->ref, r,
				 ret)) || *ret == CFN_FAILED))
			return e;
	doc_each(r, is)
		if (!among(was, r) && ((e = call(run, s->authorize, s,
				 run->ref, r, ret)) || *ret == CFN_FAILED))
			return e;
	return 0;
}

static int
apply_both(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = apply(run, &egress, ret);

	return e || *ret == CFN_FAILED ? e : apply(run, &ingress, ret);
}

int
cfn_group_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = cfn_expr(run, "{'GroupName': '$p.GroupName', "
	    "'Description': '$p.GroupDescription', 'VpcId': '$p.VpcId', "
	    "'TagSpecifications': [{'ResourceType': 'security-group', "
	    "'Tags': '$p.Tags'}]}");
	struct op_result r;
	int e;

	/* Not through the checks: CloudFormation's own tags are in it. */
	e = op_call(run->api, run->arena, &run->who, run->scope, "ec2",
	    "CreateSecurityGroup", in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n) {
		*ret = cfn_refused(run, "CreateSecurityGroup", &r);
		return 0;
	}
	run->ref = doc_get_str(r.out, "GroupId");
	return apply_both(run, ret);
}

int
cfn_group_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = apply_both(run, ret);

	return e || *ret == CFN_FAILED ? e : cfn_retag(run, ret);
}

static int
rule_create(struct cfn_run *run, const struct side *s, enum cfn_outcome *ret)
{
	struct doc *id;
	int e;

	if (!doc_get(run->props, "GroupId") ||
	    doc_get(run->props, "SourceSecurityGroupName")) {
		*ret = cfn_fail(run, "%s: groups by name are not implemented",
		    run->map->type);
		return 0;
	}
	e = call(run, s->authorize, s, doc_get_str(run->props, "GroupId"),
	    run->props, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	id = cfn_expr(run, "$o.SecurityGroupRules.0.SecurityGroupRuleId");
	if (id)
		run->ref = doc_span(id);
	return 0;
}

int
cfn_ingress_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	return rule_create(run, &ingress, ret);
}

int
cfn_egress_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	return rule_create(run, &egress, ret);
}
