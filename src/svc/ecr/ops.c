/* The operations of ecr.  One that is not listed answers as not implemented. */
#include "svc/ecr/ecr.h"

static const struct op_row ops[] = {
	{"CreateRepository", create_repository,
	    "registryId repositoryName tags imageTagMutability "
	    "imageTagMutabilityExclusionFilters imageScanningConfiguration "
	    "encryptionConfiguration"},
	{"DeleteRepository", delete_repository, NULL},
	{"DescribeRepositories", describe_repositories, NULL},
	{"PutImageTagMutability", put_image_tag_mutability, NULL},
	{"PutImageScanningConfiguration", put_image_scanning_configuration,
	    NULL},
	{"SetRepositoryPolicy", set_repository_policy, NULL},
	{"GetRepositoryPolicy", get_repository_policy, NULL},
	{"DeleteRepositoryPolicy", delete_repository_policy, NULL},
	{"PutLifecyclePolicy", put_lifecycle_policy, NULL},
	{"GetLifecyclePolicy", get_lifecycle_policy, NULL},
	{"DeleteLifecyclePolicy", delete_lifecycle_policy, NULL},
	{"PutRegistryPolicy", put_registry_policy, NULL},
	{"GetRegistryPolicy", get_registry_policy, NULL},
	{"DeleteRegistryPolicy", delete_registry_policy, NULL},
	{"DescribeRegistry", describe_registry, NULL},
	{"GetRegistryScanningConfiguration",
	    get_registry_scanning_configuration, NULL},
	{"GetAuthorizationToken", get_authorization_token, NULL},
	{"TagResource", ecr_tag_resource, NULL},
	{"UntagResource", ecr_untag_resource, NULL},
	{"ListTagsForResource", ecr_list_tags_for_resource, NULL},
	{"DescribeImages", describe_images, NULL},
	{"ListImages", list_images, NULL},
	{"BatchGetImage", batch_get_image, NULL},
	{"BatchDeleteImage", batch_delete_image, NULL},
	{"PutImage", put_image, NULL},
	{"BatchCheckLayerAvailability", batch_check_layer_availability, NULL},
	{"InitiateLayerUpload", initiate_layer_upload, NULL},
	{"UploadLayerPart", upload_layer_part, NULL},
	{"CompleteLayerUpload", complete_layer_upload, NULL},
	{NULL, NULL, NULL},
};

const struct service ecr_service = {
	.name = "ecr",
	.ops = ops,
	.kinds = ecr_kinds,
	.types = ecr_types,
};
