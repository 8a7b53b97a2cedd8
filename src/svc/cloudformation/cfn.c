/* CloudFormation's own resource types, and CDK's mark. */
#include "svc/cloudformation/cfn.h"

/* Nothing is made: CDK marks its stacks with it. */
static int
make_mark(struct cfn_run *run, enum cfn_outcome *ret)
{
	run->ref = run->logical;
	*ret = CFN_DONE;
	return 0;
}

const struct cfn_map cloudformation_types[] = {
	{.type = "AWS::CDK::Metadata", .on_create = make_mark,
	    .no_effect = "Analytics"},
	{
		.type = "AWS::CloudFormation::Stack",
		.looks_inside = true,
		.own_limit = true,
		.on_create = cfn_nested_create,
		.on_update = cfn_nested_update,
		.on_remove = cfn_nested_remove,
		.on_ready = cfn_nested_ready,
		.on_gone = cfn_nested_gone,
	},
	{
		.type = "AWS::CloudFormation::WaitConditionHandle",
		.on_create = cfn_handle_create,
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::CloudFormation::WaitCondition",
		.own_limit = true,
		.on_create = cfn_wait_create,
		.on_update = cfn_wait_update,
		.on_ready = cfn_wait_ready,
		.attrs = "{'Id': '$ref'}",
	},
	{.type = NULL},
};
