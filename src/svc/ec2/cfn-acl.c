/* What CloudFormation replaces: the target of a route, and a subnet's network
 * ACL: each subnet follows one always, so that to associate is to replace. */
#include "base/err.h"
#include "svc/ec2/cfn.h"

/* A route that gets a target of another kind loses the property that named the
 * first one. */
int
cfn_route_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const struct cfn_step step = {.op = "ReplaceRoute"};
	struct cfn_run whole = *run;
	int e;

	whole.old = NULL;
	e = cfn_step(&whole, &step, ret);
	run->reason = whole.reason;
	return e;
}

static int
acls(struct cfn_run *run, const char *with, struct doc **ret,
    enum cfn_outcome *ret_outcome)
{
	struct op_result r;
	int e = cfn_call(run, "DescribeNetworkAcls", cfn_expr(run, with), &r);

	if (e)
		return err_trace(e);
	if (r.error.n) {
		*ret_outcome = cfn_refused(run, "DescribeNetworkAcls", &r);
		return 0;
	}
	*ret_outcome = CFN_DONE;
	*ret = doc_get(r.out, "NetworkAcls");
	return 0;
}

/* The association that the subnet has now, and the ACL it is with; empty: there
 * is no such subnet. */
static int
current(struct cfn_run *run, const struct doc **ret, enum cfn_outcome *ret_outcome)
{
	struct span subnet = doc_get_str(run->props, "SubnetId");
	struct doc *list = NULL;
	int e = acls(run, "{'Filters': [{'Name': 'association.subnet-id', "
	    "'Values': ['$p.SubnetId']}]}", &list, ret_outcome);

	*ret = NULL;
	doc_each(acl, list)
		doc_each(a, doc_get(acl, "Associations"))
			if (span_eq(doc_get_str(a, "SubnetId"), subnet))
				*ret = a;
	return e;
}

static int
replace(struct cfn_run *run, const struct doc *was, struct span acl,
    struct span *ret, enum cfn_outcome *ret_outcome)
{
	struct doc *in = doc_obj(run->arena);
	struct op_result r;
	int e;

	doc_set_str(run->arena, in, "AssociationId",
	    doc_get_str(was, "NetworkAclAssociationId"));
	doc_set_str(run->arena, in, "NetworkAclId", acl);
	e = cfn_call(run, "ReplaceNetworkAclAssociation", in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		*ret_outcome = cfn_refused(run,
		    "ReplaceNetworkAclAssociation", &r);
	else
		*ret = doc_get_str(r.out, "NewAssociationId");
	return 0;
}

int
cfn_acl_association_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *was;
	int e = current(run, &was, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	if (!was) {
		*ret = cfn_fail(run, "The subnet ID '%.*s' does not exist",
		    SPAN_ARG(doc_get_str(run->props, "SubnetId")));
		return 0;
	}
	return replace(run, was, doc_get_str(run->props, "NetworkAclId"),
	    &run->ref, ret);
}

/* The subnet goes back to its VPC's default ACL, unless it went on to another
 * meanwhile or is gone. */
int
cfn_acl_association_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *mine = NULL, *other = NULL;
	const struct doc *was;
	struct span id;
	int e = current(run, &was, ret);

	if (e || *ret == CFN_FAILED || !span_eq(run->ref,
		doc_get_str(was, "NetworkAclAssociationId")))
		return e;
	e = acls(run, "{'Filters': [{'Name': 'network-acl-id', "
	    "'Values': ['$p.NetworkAclId']}]}", &mine, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	doc_set(run->arena, run->out, "Mine", doc_copy(run->arena, mine));
	e = acls(run, "{'Filters': [{'Name': 'default', 'Values': ['true']}, "
	    "{'Name': 'vpc-id', 'Values': ['$o.Mine.0.VpcId']}]}", &other, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	return replace(run, was,
	    doc_get_str(doc_at(other, 0), "NetworkAclId"), &id, ret);
}
