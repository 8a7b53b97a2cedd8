/* The kinds of IAM. */
#include "svc/iam/kinds.h"

static const char *const attachable[] = {"spec.Key", "spec.Id",
    "spec.Attached", "spec.PermissionsBoundary", "spec.Groups", NULL};
static const char *const by_key[] = {"spec.Key", NULL};
static const char *const profile_index[] = {"spec.Key", "spec.Roles", NULL};
static const char *const key_index[] = {"spec.UserKey", NULL};

const struct kind iam_role = {
	.name = "iam.role",
	.arn = "arn:aws:iam::{account}:role/{parent}{id}",
	.index = attachable,
	.global = true,
};
const struct kind iam_user = {
	.name = "iam.user",
	.arn = "arn:aws:iam::{account}:user/{parent}{id}",
	.index = attachable,
	.global = true,
};
const struct kind iam_group = {
	.name = "iam.group",
	.arn = "arn:aws:iam::{account}:group/{parent}{id}",
	.index = attachable,
	.global = true,
	.untaggable = true,
};
const struct kind iam_policy = {
	.name = "iam.policy",
	.arn = "arn:aws:iam::{account}:policy/{parent}{id}",
	.index = by_key,
	.global = true,
};
const struct kind iam_instance_profile = {
	.name = "iam.instance-profile",
	.arn = "arn:aws:iam::{account}:instance-profile/{parent}{id}",
	.index = profile_index,
	.global = true,
};
const struct kind iam_oidc_provider = {
	.name = "iam.oidc-provider",
	.arn = "arn:aws:iam::{account}:oidc-provider/{id}",
	.global = true,
};
const struct kind iam_access_key = {
	.name = "iam.access-key",
	.index = key_index,
	.global = true,
};

const struct kind *const iam_kinds[] = {
	&iam_role, &iam_user, &iam_group, &iam_policy, &iam_instance_profile,
	&iam_oidc_provider, &iam_access_key, NULL,
};
