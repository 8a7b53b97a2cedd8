/* Log groups and streams as CloudFormation makes them. */
#include "cfn/type.h"
#include "svc/logs/logs.h"

#define GROUP "{'logGroupName': '$ref'}"
#define STREAM "{'logGroupName': '$p.LogGroupName', 'logStreamName': '$ref'}"

static const struct cfn_tagging tagging = {
	"TagResource", "{'resourceArn': '$a..Arn'}", "tags",
	"UntagResource", "{'resourceArn': '$a..Arn'}", "tagKeys",
};

const struct cfn_map logs_types[] = {
	{
		.type = "AWS::Logs::LogGroup",
		.name = "LogGroupName",
		.name_max = 512,
		.create = CFN_STEPS(
		    CFN_STEP("CreateLogGroup", NULL, NULL),
		    CFN_STEP("PutRetentionPolicy", "RetentionInDays", GROUP)),
		.update = CFN_STEPS(
		    CFN_STEP("PutRetentionPolicy", "RetentionInDays", GROUP,
			.without = "DeleteRetentionPolicy")),
		.remove = CFN_STEPS(CFN_STEP("DeleteLogGroup", "", GROUP)),
		.ref = "$p.LogGroupName",
		/* The attribute ends in ":*", as policies want it. */
		.attrs = "{'Arn': 'arn:${partition}:logs:${region}:${account}:"
		    "log-group:${ref}:*', '.Arn': 'arn:${partition}:logs:"
		    "${region}:${account}:log-group:${ref}'}",
		.tagging = &tagging,
	},
	{
		.type = "AWS::Logs::LogStream",
		.name = "LogStreamName",
		.name_max = 512,
		.create = CFN_STEPS(CFN_STEP("CreateLogStream", NULL, NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteLogStream", "", STREAM)),
		.ref = "$p.LogStreamName",
	},
	{.type = NULL},
};
