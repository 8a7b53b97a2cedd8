/* The kinds of IAM. */
#include "svc/iam/kinds.h"

static const char *const role_index[] = {
	"spec.Key", "spec.Attached", "spec.Boundary", "spec.Id", NULL};
static const char *const user_index[] = {
	"spec.Key", "spec.Attached", "spec.Boundary", "spec.Id", "spec.Groups",
	NULL};
static const char *const group_index[] = {
	"spec.Key", "spec.Attached", "spec.Id", NULL};
static const char *const policy_index[] = {"spec.Key", NULL};
static const char *const profile_index[] = {"spec.Key", "spec.Role", NULL};
static const char *const key_index[] = {"spec.User", NULL};

/* GetResources does not tell of roles and users: AWS's does not, either. */
const struct kind iam_role = {
	.name = "iam.role",
	.arn = "arn:aws:iam::{account}:role{parent}{id}",
	.index = role_index,
	.global = true,
	.untaggable = true,
};
const struct kind iam_user = {
	.name = "iam.user",
	.arn = "arn:aws:iam::{account}:user{parent}{id}",
	.index = user_index,
	.global = true,
	.untaggable = true,
};
const struct kind iam_group = {
	.name = "iam.group",
	.arn = "arn:aws:iam::{account}:group{parent}{id}",
	.index = group_index,
	.global = true,
	.untaggable = true,
};
const struct kind iam_policy = {
	.name = "iam.policy",
	.arn = "arn:aws:iam::{account}:policy{parent}{id}",
	.index = policy_index,
	.global = true,
};
const struct kind iam_instance_profile = {
	.name = "iam.instance-profile",
	.arn = "arn:aws:iam::{account}:instance-profile{parent}{id}",
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
const struct kind iam_deletion = {.name = "iam.deletion", .global = true};

const struct kind *const iam_kinds[] = {
	&iam_role, &iam_user, &iam_group, &iam_access_key, &iam_policy,
	&iam_instance_profile, &iam_oidc_provider, &iam_deletion, NULL,
};
