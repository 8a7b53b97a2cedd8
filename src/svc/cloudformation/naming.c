/*
 * Parameters that name something of AWS's own.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
 */
#include "svc/cloudformation/context.h"

#include "base/err.h"

static const struct naming {
	const char *type, *service, *op, *member;
	bool list;
} rows[] = {
	{"AWS::EC2::AvailabilityZone::Name", "ec2",
	    "DescribeAvailabilityZones", "ZoneNames", true},
	{"AWS::EC2::SecurityGroup::GroupName", "ec2", "DescribeSecurityGroups",
	    "GroupNames", true},
	{"AWS::EC2::SecurityGroup::Id", "ec2", "DescribeSecurityGroups",
	    "GroupIds", true},
	{"AWS::EC2::Subnet::Id", "ec2", "DescribeSubnets", "SubnetIds", true},
	{"AWS::EC2::VPC::Id", "ec2", "DescribeVpcs", "VpcIds", true},
	{"AWS::Route53::HostedZone::Id", "route53", "GetHostedZone", "Id",
	    false},
	{"AWS::SSM::Parameter::Name", "ssm", "GetParameter", "Name", false},
};

/* 0, CFN_E_INVALID or negative. */
static int
look(struct stack_context *x, const struct naming *n, struct span value,
    struct cfn_error *err)
{
	struct doc *in = doc_obj(x->arena), *list = doc_arr(x->arena), *out;

	doc_push_str(x->arena, list, value);
	if (n->list)
		doc_set(x->arena, in, n->member, list);
	else
		doc_set_str(x->arena, in, n->member, value);
	return stack_call(x, n->service, n->op, in, &out, err);
}

int
stack_names(struct stack_context *x, struct cfn_error *err)
{
	const struct doc *all = cfn_params_naming(x->arena, x->template,
	    doc_get(x->def, "Params"), doc_get(x->def, "Resolved"));
	int e;

	doc_each(p, all)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct span name = doc_get_str(p, "Name");
			struct span value = doc_get_str(p, "Value");

			if (!span_is(doc_get_str(p, "Type"), rows[i].type))
				continue;
			e = look(x, &rows[i], value, err);
			if (e == CFN_E_INVALID)
				err->text = arena_fmt_span(x->arena, "Parameter "
				    "validation failed: parameter value %.*s "
				    "for parameter name %.*s does not exist. ",
				    SPAN_ARG(cfn_param_noecho(x->template,
					name) ? SPAN("****") : value),
				    SPAN_ARG(name));
			if (e)
				return e;
		}
	return 0;
}
