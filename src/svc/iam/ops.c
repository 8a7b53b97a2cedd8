/* The operations of IAM.  What is not listed answers as not implemented. */
#include "base/err.h"
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
static const struct {
	const char *name;
	const struct kind *kind; /* its count */
	int64_t fixed;
} summary[] = {
	{"Users", &iam_user, 0}, {"UsersQuota", NULL, 5000},
	{"Groups", &iam_group, 0}, {"GroupsQuota", NULL, 300},
	{"Roles", &iam_role, 0}, {"RolesQuota", NULL, 1000},
	{"Policies", &iam_policy, 0}, {"PoliciesQuota", NULL, 1500},
	{"InstanceProfiles", &iam_instance_profile, 0},
	{"InstanceProfilesQuota", NULL, 1000},
	{"Providers", &iam_oidc_provider, 0},
	{"AccessKeysPerUserQuota", NULL, 2}, {"GroupsPerUserQuota", NULL, 10},
	{"AttachedPoliciesPerGroupQuota", NULL, 10},
	{"AttachedPoliciesPerRoleQuota", NULL, 10},
	{"AttachedPoliciesPerUserQuota", NULL, 10},
	{"GroupPolicySizeQuota", NULL, 5120},
	{"UserPolicySizeQuota", NULL, 2048},
	{"RolePolicySizeQuota", NULL, 10240},
	{"PolicySizeQuota", NULL, 6144}, {"VersionsPerPolicyQuota", NULL, 5},
	{"AssumeRolePolicySizeQuota", NULL, 2048},
	{"AccountAccessKeysPresent", NULL, 1}, {"AccountMFAEnabled", NULL, 0},
	{"MFADevices", NULL, 0}, {"MFADevicesInUse", NULL, 0},
	{"ServerCertificates", NULL, 0}, {"GlobalEndpointTokenVersion", NULL, 2},
};

struct reply *
iam_account_summary(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *map = doc_obj(c->arena);

	for (size_t i = 0; i < ARRAY_SIZE(summary); i++) {
		struct query q = {.kind = summary[i].kind, .scope = c->scope,
		    .any_parent = true};
		int64_t n = summary[i].fixed;

		if (q.kind && (n = store_count(c->store, &q)) < 0)
			return iam_fail(c, (int)n);
		doc_set_int(c->arena, map, summary[i].name, n);
	}
	doc_set(c->arena, out, "SummaryMap", map);
	return reply_ok(c, out);
}

#define LIST "Marker MaxItems PathPrefix"

static const struct op_row ops[] = {
	{"CreateRole", iam_create_role, NULL},
	{"GetRole", iam_get_role, NULL},
	{"ListRoles", iam_list_roles, LIST},
	{"UpdateRole", iam_update_role, NULL},
	{"UpdateRoleDescription", iam_update_role_description, NULL},
	{"UpdateAssumeRolePolicy", iam_update_trust, NULL},
	{"DeleteRole", iam_delete_role, NULL},
	{"PutRolePermissionsBoundary", iam_put_boundary, NULL},
	{"DeleteRolePermissionsBoundary", iam_delete_boundary, NULL},
	{"CreateServiceLinkedRole", iam_create_linked_role, NULL},
	{"DeleteServiceLinkedRole", iam_delete_linked_role, NULL},
	{"GetServiceLinkedRoleDeletionStatus", iam_linked_deletion_status,
	    NULL},
	{"PutRolePolicy", iam_put_inline, NULL},
	{"PutUserPolicy", iam_put_inline, NULL},
	{"PutGroupPolicy", iam_put_inline, NULL},
	{"GetRolePolicy", iam_get_inline, NULL},
	{"GetUserPolicy", iam_get_inline, NULL},
	{"GetGroupPolicy", iam_get_inline, NULL},
	{"DeleteRolePolicy", iam_delete_inline, NULL},
	{"DeleteUserPolicy", iam_delete_inline, NULL},
	{"DeleteGroupPolicy", iam_delete_inline, NULL},
	{"ListRolePolicies", iam_list_inline, NULL},
	{"ListUserPolicies", iam_list_inline, NULL},
	{"ListGroupPolicies", iam_list_inline, NULL},
	{"AttachRolePolicy", iam_attach, NULL},
	{"AttachUserPolicy", iam_attach, NULL},
	{"AttachGroupPolicy", iam_attach, NULL},
	{"DetachRolePolicy", iam_detach, NULL},
	{"DetachUserPolicy", iam_detach, NULL},
	{"DetachGroupPolicy", iam_detach, NULL},
	{"ListAttachedRolePolicies", iam_list_attached, NULL},
	{"ListAttachedUserPolicies", iam_list_attached, NULL},
	{"ListAttachedGroupPolicies", iam_list_attached, NULL},
	{"ListEntitiesForPolicy", iam_list_entities,
	    "PolicyArn EntityFilter PolicyUsageFilter MaxItems"},
	{"CreatePolicy", iam_create_policy, NULL},
	{"GetPolicy", iam_get_policy, NULL},
	{"ListPolicies", iam_list_policies, NULL},
	{"DeletePolicy", iam_delete_policy, NULL},
	{"CreatePolicyVersion", iam_create_version, NULL},
	{"GetPolicyVersion", iam_get_version, NULL},
	{"ListPolicyVersions", iam_list_versions, "PolicyArn MaxItems"},
	{"DeletePolicyVersion", iam_delete_version, NULL},
	{"SetDefaultPolicyVersion", iam_set_default_version, NULL},
	{"CreateUser", iam_create_user, NULL},
	{"GetUser", iam_get_user, NULL},
	{"ListUsers", iam_list_users, LIST},
	{"DeleteUser", iam_delete_user, NULL},
	{"PutUserPermissionsBoundary", iam_put_boundary, NULL},
	{"DeleteUserPermissionsBoundary", iam_delete_boundary, NULL},
	{"CreateGroup", iam_create_group, NULL},
	{"GetGroup", iam_get_group, NULL},
	{"ListGroups", iam_list_groups, LIST},
	{"DeleteGroup", iam_delete_group, NULL},
	{"AddUserToGroup", iam_add_to_group, NULL},
	{"RemoveUserFromGroup", iam_remove_from_group, NULL},
	{"ListGroupsForUser", iam_list_groups_of_user, NULL},
	{"CreateAccessKey", iam_create_key, NULL},
	{"UpdateAccessKey", iam_update_key, NULL},
	{"DeleteAccessKey", iam_delete_key, NULL},
	{"ListAccessKeys", iam_list_keys, NULL},
	{"CreateInstanceProfile", iam_create_profile, NULL},
	{"GetInstanceProfile", iam_get_profile, NULL},
	{"ListInstanceProfiles", iam_list_profiles, LIST},
	{"ListInstanceProfilesForRole", iam_list_profiles_of_role, NULL},
	{"DeleteInstanceProfile", iam_delete_profile, NULL},
	{"AddRoleToInstanceProfile", iam_profile_add_role, NULL},
	{"RemoveRoleFromInstanceProfile", iam_profile_remove_role, NULL},
	{"CreateOpenIDConnectProvider", iam_create_provider, NULL},
	{"GetOpenIDConnectProvider", iam_get_provider, NULL},
	{"ListOpenIDConnectProviders", iam_list_providers, NULL},
	{"DeleteOpenIDConnectProvider", iam_delete_provider, NULL},
	{"UpdateOpenIDConnectProviderThumbprint", iam_update_thumbprints,
	    NULL},
	{"AddClientIDToOpenIDConnectProvider", iam_add_client, NULL},
	{"RemoveClientIDFromOpenIDConnectProvider", iam_remove_client, NULL},
	{"TagRole", iam_tag, NULL}, {"UntagRole", iam_untag, NULL},
	{"ListRoleTags", iam_list_tags, NULL},
	{"TagUser", iam_tag, NULL}, {"UntagUser", iam_untag, NULL},
	{"ListUserTags", iam_list_tags, NULL},
	{"TagPolicy", iam_tag, NULL}, {"UntagPolicy", iam_untag, NULL},
	{"ListPolicyTags", iam_list_tags, NULL},
	{"TagInstanceProfile", iam_tag, NULL},
	{"UntagInstanceProfile", iam_untag, NULL},
	{"ListInstanceProfileTags", iam_list_tags, NULL},
	{"TagOpenIDConnectProvider", iam_tag, NULL},
	{"UntagOpenIDConnectProvider", iam_untag, NULL},
	{"ListOpenIDConnectProviderTags", iam_list_tags, NULL},
	{"GetAccountSummary", iam_account_summary, NULL},
	{NULL, NULL, NULL},
};

const struct service iam_service = {
	.name = "iam",
	.ops = ops,
	.kinds = iam_kinds,
	.types = iam_types,
};
