/* IAM's resource types of CloudFormation.  Most hold lists of policies, so that
 * an update is the difference of two lists: hooks, not steps. */
#include "base/err.h"
#include "svc/iam/cfn.h"

#define NAME_MAX_ROLE 64

static const struct cfn_tagging role_tags = {
	"TagRole", "{'RoleName': '$ref'}", "Tags",
	"UntagRole", "{'RoleName': '$ref'}", "TagKeys",
};
static const struct cfn_tagging user_tags = {
	"TagUser", "{'UserName': '$ref'}", "Tags",
	"UntagUser", "{'UserName': '$ref'}", "TagKeys",
};
static const struct cfn_tagging provider_tags = {
	"TagOpenIDConnectProvider", "{'OpenIDConnectProviderArn': '$ref'}",
	"Tags",
	"UntagOpenIDConnectProvider", "{'OpenIDConnectProviderArn': '$ref'}",
	"TagKeys",
};

/* Holders: roles, users, groups */

static const struct cfn_step create_role = CFN_STEP("CreateRole",
    "RoleName AssumeRolePolicyDocument Path Description MaxSessionDuration "
    "PermissionsBoundary Tags", NULL);
static const struct cfn_step create_user = CFN_STEP("CreateUser",
    "UserName Path PermissionsBoundary Tags", NULL);
static const struct cfn_step create_group = CFN_STEP("CreateGroup",
    "GroupName Path", NULL);

static int
holder_create(struct cfn_run *run, const struct iam_cfn_holder *h,
    const struct cfn_step *create, enum cfn_outcome *ret)
{
	int e;

	if ((e = cfn_step(run, create, ret)) || *ret != CFN_DONE)
		return e;
	run->ref = doc_get_str(run->props, h->member);
	return iam_cfn_policies(run, h, run->props, NULL, ret);
}

static int
role_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	return holder_create(run, &iam_cfn_role, &create_role, ret);
}

static int
group_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	return holder_create(run, &iam_cfn_group, &create_group, ret);
}

static bool
no_login(struct cfn_run *run, enum cfn_outcome *ret)
{
	if (!doc_get(run->props, "LoginProfile"))
		return true;
	*ret = cfn_fail(run, "%s: property LoginProfile is not implemented",
	    run->map->type);
	return false;
}

static int
user_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e;

	if (!no_login(run, ret))
		return 0;
	e = holder_create(run, &iam_cfn_user, &create_user, ret);
	if (e || *ret != CFN_DONE)
		return e;
	return iam_cfn_groups(run, run->props, NULL, ret);
}

static int
set_path(struct cfn_run *run, const struct iam_cfn_holder *h, const char *op,
    enum cfn_outcome *ret)
{
	struct doc *in = iam_cfn_named(run, h);
	struct span path = doc_get_str(run->props, "Path");

	if (!cfn_changed(run, "Path"))
		return 0;
	doc_set_str(run->arena, in, "NewPath", path.n ? path : SPAN("/"));
	return cfn_do(run, op, in, false, ret);
}

static int
set_boundary(struct cfn_run *run, const struct iam_cfn_holder *h,
    enum cfn_outcome *ret)
{
	struct doc *in = iam_cfn_named(run, h);
	struct span arn = doc_get_str(run->props, "PermissionsBoundary");

	if (!cfn_changed(run, "PermissionsBoundary"))
		return 0;
	if (!arn.n)
		return cfn_do(run, h->unbound, in, true, ret);
	doc_set_str(run->arena, in, "PermissionsBoundary", arn);
	return cfn_do(run, h->bound, in, false, ret);
}

static int
set_trust(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = iam_cfn_named(run, &iam_cfn_role);

	if (!cfn_changed(run, "AssumeRolePolicyDocument"))
		return 0;
	doc_set_str(run->arena, in, "PolicyDocument", iam_cfn_text(run->arena,
	    doc_get(run->props, "AssumeRolePolicyDocument")));
	return cfn_do(run, "UpdateAssumeRolePolicy", in, false, ret);
}

static int
set_role(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = iam_cfn_named(run, &iam_cfn_role);

	if (!cfn_changed(run, "Description") &&
	    !cfn_changed(run, "MaxSessionDuration"))
		return 0;
	doc_set_str(run->arena, in, "Description",
	    doc_get_str(run->props, "Description"));
	doc_set_int(run->arena, in, "MaxSessionDuration",
	    doc_get_int(run->props, "MaxSessionDuration", 3600));
	return cfn_do(run, "UpdateRole", in, false, ret);
}

static int
role_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e;

	if ((e = set_trust(run, ret)) || *ret != CFN_DONE ||
	    (e = set_role(run, ret)) || *ret != CFN_DONE ||
	    (e = set_boundary(run, &iam_cfn_role, ret)) || *ret != CFN_DONE ||
	    (e = iam_cfn_policies(run, &iam_cfn_role, run->props, run->old,
		ret)) || *ret != CFN_DONE)
		return e;
	return cfn_retag(run, ret);
}

static int
user_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e;

	if (!no_login(run, ret))
		return 0;
	if ((e = set_path(run, &iam_cfn_user, "UpdateUser", ret)) ||
	    *ret != CFN_DONE ||
	    (e = set_boundary(run, &iam_cfn_user, ret)) || *ret != CFN_DONE ||
	    (e = iam_cfn_policies(run, &iam_cfn_user, run->props, run->old,
		ret)) || *ret != CFN_DONE ||
	    (e = iam_cfn_groups(run, run->props, run->old, ret)) ||
	    *ret != CFN_DONE)
		return e;
	return cfn_retag(run, ret);
}

static int
group_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = set_path(run, &iam_cfn_group, "UpdateGroup", ret);

	if (e || *ret != CFN_DONE)
		return e;
	return iam_cfn_policies(run, &iam_cfn_group, run->props, run->old,
	    ret);
}

/* What the template did not put there keeps it from going, as AWS has it. */
static int
holder_remove(struct cfn_run *run, const struct iam_cfn_holder *h,
    const char *op, enum cfn_outcome *ret)
{
	int e = iam_cfn_policies(run, h, NULL, run->props, ret);

	if (e || *ret != CFN_DONE)
		return e;
	return cfn_do(run, op, iam_cfn_named(run, h), true, ret);
}

static int
role_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return holder_remove(run, &iam_cfn_role, "DeleteRole", ret);
}

static int
group_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return holder_remove(run, &iam_cfn_group, "DeleteGroup", ret);
}

static int
user_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = iam_cfn_groups(run, NULL, run->props, ret);

	if (e || *ret != CFN_DONE)
		return e;
	return holder_remove(run, &iam_cfn_user, "DeleteUser", ret);
}

/* A user's membership of its own: {GroupName, Users}. */

/* props: whose GroupName it is. */
static int
members(struct cfn_run *run, const char *op, const struct doc *props,
    const struct doc *except, bool gone_ok, enum cfn_outcome *ret)
{
	int e;

	doc_each(u, doc_get(props, "Users")) {
		struct doc *in = doc_obj(run->arena);

		if (doc_has_str(except, doc_span(u)))
			continue;
		doc_set_str(run->arena, in, "GroupName",
		    doc_get_str(props, "GroupName"));
		doc_set_str(run->arena, in, "UserName", doc_span(u));
		if ((e = cfn_do(run, op, in, gone_ok, ret)) ||
		    *ret != CFN_DONE)
			return e;
	}
	return 0;
}

static int
addition_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	run->ref = arena_fmt_span(run->arena, "%.*s-%.*s-%.*s",
	    SPAN_ARG(run->stack), SPAN_ARG(run->logical),
	    SPAN_ARG(run->random));
	return members(run, "AddUserToGroup", run->props, NULL, false, ret);
}

static int
addition_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	bool moved = cfn_changed(run, "GroupName");
	int e = members(run, "AddUserToGroup", run->props,
	    moved ? NULL : doc_get(run->old, "Users"), false, ret);

	return e || *ret != CFN_DONE ? e :
	    members(run, "RemoveUserFromGroup", run->old,
	    moved ? NULL : doc_get(run->props, "Users"), true, ret);
}

static int
addition_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return members(run, "RemoveUserFromGroup", run->props, NULL, true, ret);
}

/* Instance profiles have one role, in a list: a second one is refused. */

static int
profile_roles(struct cfn_run *run, const char *op, const struct doc *roles,
    bool gone_ok, enum cfn_outcome *ret)
{
	int e = 0;

	doc_each(role, roles) {
		struct doc *in = doc_obj(run->arena);

		if (e || *ret == CFN_FAILED)
			break;
		doc_set_str(run->arena, in, "InstanceProfileName", run->ref);
		doc_set_str(run->arena, in, "RoleName", doc_span(role));
		e = cfn_do(run, op, in, gone_ok, ret);
	}
	return e;
}

static int
profile_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const struct cfn_step create = CFN_STEP("CreateInstanceProfile",
	    "InstanceProfileName Path", NULL);
	int e = cfn_step(run, &create, ret);

	if (e || *ret != CFN_DONE)
		return e;
	run->ref = doc_get_str(run->props, "InstanceProfileName");
	return profile_roles(run, "AddRoleToInstanceProfile",
	    doc_get(run->props, "Roles"), false, ret);
}

static int
profile_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e;

	if (!cfn_changed(run, "Roles"))
		return 0;
	e = profile_roles(run, "RemoveRoleFromInstanceProfile",
	    doc_get(run->old, "Roles"), true, ret);
	return e || *ret != CFN_DONE ? e :
	    profile_roles(run, "AddRoleToInstanceProfile",
	    doc_get(run->props, "Roles"), false, ret);
}

static int
profile_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);
	int e = profile_roles(run, "RemoveRoleFromInstanceProfile",
	    doc_get(run->props, "Roles"), true, ret);

	if (e || *ret != CFN_DONE)
		return e;
	doc_set_str(run->arena, in, "InstanceProfileName", run->ref);
	return cfn_do(run, "DeleteInstanceProfile", in, true, ret);
}

/* Providers: client ids are added and removed one by one. */

static int
clients(struct cfn_run *run, const char *op, const struct doc *list,
    const struct doc *except, enum cfn_outcome *ret)
{
	int e;

	doc_each(v, list) {
		struct doc *in = doc_obj(run->arena);

		if (doc_has_str(except, doc_span(v)))
			continue;
		doc_set_str(run->arena, in, "OpenIDConnectProviderArn",
		    run->ref);
		doc_set_str(run->arena, in, "ClientID", doc_span(v));
		if ((e = cfn_do(run, op, in, false, ret)) ||
		    *ret != CFN_DONE)
			return e;
	}
	return 0;
}

static int
provider_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *is = doc_get(run->props, "ClientIdList");
	const struct doc *was = doc_get(run->old, "ClientIdList");
	struct doc *in = doc_obj(run->arena);
	int e = clients(run, "AddClientIDToOpenIDConnectProvider", is, was,
	    ret);

	if (e || *ret != CFN_DONE)
		return e;
	e = clients(run, "RemoveClientIDFromOpenIDConnectProvider", was, is,
	    ret);
	if (e || *ret != CFN_DONE)
		return e;
	if (cfn_changed(run, "ThumbprintList")) {
		const struct doc *list = doc_get(run->props, "ThumbprintList");

		doc_set_str(run->arena, in, "OpenIDConnectProviderArn",
		    run->ref);
		doc_set(run->arena, in, "ThumbprintList", list ?
		    doc_copy(run->arena, list) : doc_arr(run->arena));
		e = cfn_do(run, "UpdateOpenIDConnectProviderThumbprint",
		    in, false, ret);
		if (e || *ret != CFN_DONE)
			return e;
	}
	return cfn_retag(run, ret);
}

#define ROLE "{'RoleName': '$ref'}"
#define KEY  "{'UserName': '$p.UserName', 'AccessKeyId': '$ref'}"
#define INLINE(noun)                                                    \
	{                                                               \
		.type = "AWS::IAM::" noun "Policy",                     \
		.create = CFN_STEPS(                                    \
		    CFN_STEP("Put" noun "Policy", NULL, NULL)),         \
		.update = CFN_STEPS(                                    \
		    CFN_STEP("Put" noun "Policy", NULL, NULL)),         \
		.remove = CFN_STEPS(CFN_STEP("Delete" noun "Policy", "",\
		    "{'" noun "Name': '$p." noun "Name', "              \
		    "'PolicyName': '$p.PolicyName'}")),                 \
		.ref = "${p.PolicyName}|${p." noun "Name}",             \
	}

const struct cfn_map iam_types[] = {
	{
		.type = "AWS::IAM::Role",
		.name = "RoleName",
		.name_max = NAME_MAX_ROLE,
		.on_create = role_create,
		.on_update = role_update,
		.on_remove = role_remove,
		.attrs = "{'Arn': '$o.Role.Arn', 'RoleId': '$o.Role.RoleId'}",
		.tagging = &role_tags,
	},
	{
		.type = "AWS::IAM::User",
		.name = "UserName",
		.name_max = 64,
		.on_create = user_create,
		.on_update = user_update,
		.on_remove = user_remove,
		.read = CFN_STEPS(CFN_STEP("GetUser", "",
		    "{'UserName': '$ref'}")),
		.attrs = "{'Arn': '$o.User.Arn'}",
		.tagging = &user_tags,
	},
	{
		.type = "AWS::IAM::Group",
		.name = "GroupName",
		.name_max = 128,
		.on_create = group_create,
		.on_update = group_update,
		.on_remove = group_remove,
		.read = CFN_STEPS(CFN_STEP("GetGroup", "",
		    "{'GroupName': '$ref'}")),
		.attrs = "{'Arn': '$o.Group.Arn'}",
	},
	{
		.type = "AWS::IAM::Policy",
		.on_create = iam_cfn_policy_create,
		.on_update = iam_cfn_policy_update,
		.on_remove = iam_cfn_policy_remove,
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::IAM::ManagedPolicy",
		.name = "ManagedPolicyName",
		.name_max = 128,
		.on_create = iam_cfn_managed_create,
		.on_update = iam_cfn_managed_update,
		.on_remove = iam_cfn_managed_remove,
		.read = CFN_STEPS(CFN_STEP("GetPolicy", "",
		    "{'PolicyArn': '$ref'}")),
		.attrs = "{'PolicyArn': '$ref', "
		    "'PolicyId': '$o.Policy.PolicyId', "
		    "'DefaultVersionId': '$o.Policy.DefaultVersionId', "
		    "'AttachmentCount': '$o.Policy.AttachmentCount', "
		    "'IsAttachable': '$o.Policy.IsAttachable', "
		    "'PermissionsBoundaryUsageCount': "
		    "'$o.Policy.PermissionsBoundaryUsageCount'}",
	},
	{
		.type = "AWS::IAM::UserToGroupAddition",
		.on_create = addition_create,
		.on_update = addition_update,
		.on_remove = addition_remove,
	},
	{
		.type = "AWS::IAM::InstanceProfile",
		.name = "InstanceProfileName",
		.name_max = 128,
		.on_create = profile_create,
		.on_update = profile_update,
		.on_remove = profile_remove,
		.attrs = "{'Arn': '$o.InstanceProfile.Arn'}",
	},
	{
		.type = "AWS::IAM::AccessKey",
		.create = CFN_STEPS(
		    CFN_STEP("CreateAccessKey", "UserName", NULL),
		    CFN_STEP("UpdateAccessKey", "Status", KEY)),
		.update = CFN_STEPS(CFN_STEP("UpdateAccessKey", "Status", KEY)),
		.defaults = "{'Status': 'Active'}",
		.no_effect = "Serial", /* says when to make another one */
		.remove = CFN_STEPS(CFN_STEP("DeleteAccessKey", "", KEY)),
		.ref = "$o.AccessKey.AccessKeyId",
		.attrs = "{'Id': '$ref', 'SecretAccessKey': "
		    "'$o.AccessKey.SecretAccessKey'}",
	},
	{
		.type = "AWS::IAM::OIDCProvider",
		.create = CFN_STEPS(CFN_STEP("CreateOpenIDConnectProvider",
		    NULL, NULL)),
		.on_update = provider_update,
		.remove = CFN_STEPS(CFN_STEP("DeleteOpenIDConnectProvider", "",
		    "{'OpenIDConnectProviderArn': '$ref'}")),
		.ref = "$o.OpenIDConnectProviderArn",
		.attrs = "{'Arn': '$ref'}",
		.tagging = &provider_tags,
	},
	{
		.type = "AWS::IAM::ServiceLinkedRole",
		.create = CFN_STEPS(
		    CFN_STEP("CreateServiceLinkedRole", NULL, NULL)),
		.update = CFN_STEPS(
		    CFN_STEP("UpdateRoleDescription", "Description", ROLE)),
		.defaults = "{'Description': ''}",
		.remove = CFN_STEPS(
		    CFN_STEP("DeleteServiceLinkedRole", "", ROLE)),
		.ref = "$o.Role.RoleName",
		.attrs = "{'RoleName': '$ref'}",
	},
	INLINE("Role"),
	INLINE("User"),
	INLINE("Group"),
	{.type = NULL},
};
