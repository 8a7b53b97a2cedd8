/* The operations of CloudFormation, and its own resource types. */
#include "cfn/type.h"
#include "svc/cloudformation/cfn.h"
#include "svc/cloudformation/cloudformation.h"

/* Members without effect: README.md says why of each. */
#define IDLE "RoleARN ResourceTypes NotificationARNs "
#define DEFINITION "StackName TemplateBody TemplateURL Parameters " \
	"Capabilities Tags " IDLE
#define FAILING "DisableRollback RetainExceptOnCreate ClientRequestToken "

#define POLICY "StackPolicyBody StackPolicyURL"

static const struct op_row ops[] = {
	{"CreateStack", stack_create, DEFINITION FAILING "TimeoutInMinutes "
	    "OnFailure EnableTerminationProtection " POLICY},
	{"UpdateStack", stack_update, DEFINITION FAILING "UsePreviousTemplate "
	    "StackPolicyDuringUpdateBody StackPolicyDuringUpdateURL " POLICY},
	{"DeleteStack", stack_delete,
	    "StackName RetainResources RoleARN ClientRequestToken DeletionMode"},
	{"CancelUpdateStack", stack_cancel_update,
	    "StackName ClientRequestToken"},
	{"ContinueUpdateRollback", stack_continue_rollback,
	    "StackName RoleARN ClientRequestToken ResourcesToSkip"},
	{"RollbackStack", stack_rollback, "StackName RoleARN "
	    "ClientRequestToken RetainExceptOnCreate"},
	{"UpdateTerminationProtection", stack_protect, NULL},

	{"DescribeStacks", stack_describe, NULL},
	{"ListStacks", stack_list, NULL},
	{"DescribeStackEvents", stack_events, NULL},
	{"DescribeStackResources", stack_resources, NULL},
	{"DescribeStackResource", stack_resource, NULL},
	{"ListStackResources", stack_list_resources, NULL},

	{"GetTemplate", template_get, NULL},
	{"GetTemplateSummary", template_summary,
	    "TemplateBody TemplateURL StackName TemplateSummaryConfig"},
	{"ValidateTemplate", template_validate, NULL},

	{"CreateChangeSet", change_set_create, DEFINITION
	    "UsePreviousTemplate ChangeSetName ClientToken Description "
	    "ChangeSetType OnStackFailure IncludeNestedStacks "
	    "ImportExistingResources ResourcesToImport DeploymentMode"},
	{"DescribeChangeSet", change_set_describe, NULL},
	{"ListChangeSets", change_set_list, NULL},
	{"DeleteChangeSet", change_set_delete, NULL},
	{"ExecuteChangeSet", change_set_execute,
	    "ChangeSetName StackName " FAILING},

	{"DetectStackDrift", drift_detect, NULL},
	{"DetectStackResourceDrift", drift_detect_resource, NULL},
	{"DescribeStackDriftDetectionStatus", drift_status, NULL},
	{"DescribeStackResourceDrifts", drift_list, NULL},

	{"SetStackPolicy", policy_set, NULL},
	{"GetStackPolicy", policy_get, NULL},
	{"SignalResource", signal_resource, NULL},

	{"DescribeEvents", operation_events, NULL},
	{"ListHookResults", hook_results, NULL},
	{"GetHookResult", hook_result, NULL},
	{"DescribeChangeSetHooks", change_set_hooks, NULL},

	{"ListExports", export_list, NULL},
	{"ListImports", import_list, NULL},
	{"DescribeAccountLimits", cfn_limits, NULL},
	{NULL, NULL, NULL},
};

const struct service cloudformation_service = {
	.name = "cloudformation",
	.ops = ops,
	.kinds = cloudformation_kinds,
	.types = cloudformation_types,
	.open_path = WAIT_PATH,
	.open = wait_signal_open,
};
