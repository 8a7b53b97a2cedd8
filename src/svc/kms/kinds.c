/* The kinds of kms. */
#include "svc/kms/kinds.h"

static const char *const key_index[] = {"spec.KeyState", NULL};
static const char *const alias_index[] = {"spec.TargetKeyId", NULL};

const struct kind kms_key = {
	.name = "kms.key",
	.arn = "arn:aws:kms:{region}:{account}:key/{id}",
	.index = key_index,
};
const struct kind kms_key_material = {.name = "kms.key-material"};
const struct kind kms_alias = {
	.name = "kms.alias",
	.arn = "arn:aws:kms:{region}:{account}:{id}",
	.index = alias_index,
	.untaggable = true,
};

const struct kind *const kms_kinds[] = {
	&kms_key, &kms_key_material, &kms_alias, NULL,
};
