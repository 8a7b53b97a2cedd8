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
	{.type = NULL},
};
