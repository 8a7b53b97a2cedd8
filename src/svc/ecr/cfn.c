/* Repositories as CloudFormation makes them. */
#include "cfn/type.h"
#include "svc/ecr/ecr.h"

#define REPO "{'repositoryName': '$ref'}"
#define LIFECYCLE "{'repositoryName': '$ref', " \
	"'registryId': '$p.LifecyclePolicy.RegistryId', " \
	"'lifecyclePolicyText': '$p.LifecyclePolicy.LifecyclePolicyText'}"
#define ARN "{'resourceArn': '$a.Arn'}"

static const struct cfn_tagging tagging = {
	"TagResource", ARN, "tags", "UntagResource", ARN, "tagKeys",
};

const struct cfn_map ecr_types[] = {
	{
		.type = "AWS::ECR::Repository",
		.name = "RepositoryName",
		.name_lower = true,
		.create = CFN_STEPS(CFN_STEP("CreateRepository", NULL, NULL),
		    CFN_STEP("SetRepositoryPolicy", "RepositoryPolicyText",
			REPO, .map = "RepositoryPolicyText=policyText"),
		    CFN_STEP("PutLifecyclePolicy", "LifecyclePolicy",
			LIFECYCLE)),
		.update = CFN_STEPS(
		    CFN_STEP("PutImageTagMutability", "ImageTagMutability "
			"ImageTagMutabilityExclusionFilters", REPO),
		    CFN_STEP("PutImageScanningConfiguration",
			"ImageScanningConfiguration", REPO),
		    CFN_STEP("SetRepositoryPolicy", "RepositoryPolicyText",
			REPO, .map = "RepositoryPolicyText=policyText",
			.without = "DeleteRepositoryPolicy"),
		    CFN_STEP("PutLifecyclePolicy", "LifecyclePolicy",
			LIFECYCLE, .without = "DeleteLifecyclePolicy")),
		.defaults = "{'ImageTagMutability': 'MUTABLE', "
		    "'ImageScanningConfiguration': {'ScanOnPush': false}}",
		.remove = CFN_STEPS(CFN_STEP("DeleteRepository", "",
		    "{'repositoryName': '$ref', 'force': '$p.EmptyOnDelete'}")),
		/* Deletion asks for it. */
		.no_effect = "EmptyOnDelete",
		.ref = "$p.RepositoryName",
		.attrs = "{'Arn': '$o.repository.repositoryArn', "
		    "'RepositoryUri': '$o.repository.repositoryUri'}",
		.tagging = &tagging,
	},
	{.type = NULL},
};
