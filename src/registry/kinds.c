/* The kinds of the registry: names, ARNs, what they are looked up by. */
#include "registry/kinds.h"

#define INDEX(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct kind ecr_repository = {
	.name = "ecr.repository",
	.arn = "arn:aws:ecr:{region}:{account}:repository/{id}",
};

const struct kind ecr_image = {
	.name = "ecr.image",
	.index = INDEX("spec.subject", "spec.blobs", "spec.children"),
};

const struct kind ecr_tag = {
	.name = "ecr.tag",
	.index = INDEX("spec.digest"),
};

const struct kind ecr_blob = {
	.name = "ecr.blob",
	.index = INDEX("spec.digest"),
};

const struct kind ecr_upload = {
	.name = "ecr.upload",
};

const struct kind ecr_registry_policy = {
	.name = "ecr.registry-policy",
};

const struct kind registry_layer = {
	.name = "registry.layer",
	.global = true,
};

const struct kind *const ecr_kinds[] = {
	&ecr_repository, &ecr_image, &ecr_tag, &ecr_blob, &ecr_upload,
	&ecr_registry_policy, &registry_layer, NULL,
};
