/* Parameters as CloudFormation makes them. */
#include "cfn/type.h"
#include "svc/ssm/ssm.h"

#define TAGGED "{'ResourceType': 'Parameter', 'ResourceId': '$ref'}"

static const struct cfn_tagging tagging = {
	"AddTagsToResource", TAGGED, "Tags",
	"RemoveTagsFromResource", TAGGED, "TagKeys",
};

const struct cfn_map ssm_types[] = {
	{
		.type = "AWS::SSM::Parameter",
		.name = "Name",
		.name_head = "CFN",
		.create = CFN_STEPS(CFN_STEP("PutParameter", NULL, NULL)),
		/* Type goes along, so that a change makes a String of what
		 * somebody turned into a SecureString in between. */
		.update = CFN_STEPS(CFN_STEP("PutParameter", NULL,
		    "{'Overwrite': true}")),
		/* Intelligent-Tiering keeps the tier that there is. */
		.defaults = "{'Description': '', 'AllowedPattern': '', "
		    "'DataType': 'text', 'Tier': 'Intelligent-Tiering'}",
		.remove = CFN_STEPS(CFN_STEP("DeleteParameter", "",
		    "{'Name': '$ref'}")),
		.ref = "$p.Name",
		.attrs = "{'Type': '$p.Type', 'Value': '$p.Value'}",
		.tagging = &tagging,
	},
	{.type = NULL},
};
