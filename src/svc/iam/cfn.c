/* The types of IAM as CloudFormation makes them. */
#include <errno.h>

#include "base/err.h"
#include "svc/iam/cfn.h"

/* Those a policy is for. */
static const struct {
	const char *noun, *prop;
} sides[] = {{"Role", "Roles"}, {"User", "Users"}, {"Group", "Groups"}};

/* One of them; is: what is to be said there, NULL: nothing more. */
typedef int (*side_fn)(struct cfn_run *run, const char *noun, struct span name,
    const struct doc *props, enum cfn_outcome *ret);

/* fn for each that is named in props and, when that is not NULL, not in
 * but. */
static int
each_side(struct cfn_run *run, const struct doc *props, const struct doc *but,
    side_fn fn, const struct doc *arg, enum cfn_outcome *ret)
{
	int e;

	*ret = CFN_DONE;
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		doc_each(n, doc_get(props, sides[i].prop)) {
			if (doc_has_str(doc_get(but, sides[i].prop),
			    doc_span(n)))
				continue;
			e = fn(run, sides[i].noun, doc_span(n), arg, ret);
			if (e || *ret == CFN_FAILED)
				return e;
		}
	return 0;
}

/* AWS::IAM::Policy */

static int
put_one(struct cfn_run *run, const char *noun, struct span name,
    const struct doc *props, enum cfn_outcome *ret)
{
	return iam_cfn_inline(run, noun, name, doc_get_str(props, "PolicyName"),
	    doc_get(props, "PolicyDocument"), ret);
}

static int
drop_one(struct cfn_run *run, const char *noun, struct span name,
    const struct doc *props, enum cfn_outcome *ret)
{
	return iam_cfn_inline(run, noun, name, doc_get_str(props, "PolicyName"),
	    NULL, ret);
}

static int
policy_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	run->ref = arena_fmt_span(run->arena, "%.*s-%.*s-%.*s",
	    SPAN_ARG(run->stack), SPAN_ARG(run->logical),
	    SPAN_ARG(run->random));
	doc_set_str(run->arena, run->attrs, "Id", run->ref);
	return each_side(run, run->props, NULL, put_one, run->props, ret);
}

static int
policy_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	bool renamed = !doc_eq(doc_get(run->props, "PolicyName"),
	    doc_get(run->old, "PolicyName"));
	int e = each_side(run, run->old, renamed ? NULL : run->props, drop_one,
	    run->old, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	return each_side(run, run->props, NULL, put_one, run->props, ret);
}

static int
policy_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return each_side(run, run->props, NULL, drop_one, run->props, ret);
}

/* AWS::IAM::ManagedPolicy */

static int
attach_one(struct cfn_run *run, const char *noun, struct span name,
    const struct doc *arg UNUSED, enum cfn_outcome *ret)
{
	return iam_cfn_attach(run, noun, name, run->ref, true, ret);
}

static int
detach_one(struct cfn_run *run, const char *noun, struct span name,
    const struct doc *arg UNUSED, enum cfn_outcome *ret)
{
	return iam_cfn_attach(run, noun, name, run->ref, false, ret);
}

static const struct cfn_step managed_make = CFN_STEP("CreatePolicy",
    "ManagedPolicyName Path Description PolicyDocument", NULL,
    .map = "ManagedPolicyName=PolicyName");

static int
managed_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *arn;
	int e = cfn_step(run, &managed_make, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	arn = cfn_expr(run, "$o.Policy.Arn");
	if (!arn)
		return err_origin(EIO, "CreatePolicy told no ARN");
	run->ref = doc_span(arn);
	return each_side(run, run->props, NULL, attach_one, NULL, ret);
}

/* Answers false when the operation was refused; *ret is set then. */
static int
plain(struct cfn_run *run, const char *op, struct doc *in,
    struct op_result *ret_result, enum cfn_outcome *ret)
{
	int e = cfn_call(run, op, in, ret_result);

	if (e)
		return err_trace(e);
	*ret = ret_result->error.n ? cfn_refused(run, op, ret_result) :
	    CFN_DONE;
	return 0;
}

static struct doc *
of_policy(struct cfn_run *run)
{
	return doc_set_str(run->arena, doc_obj(run->arena), "PolicyArn",
	    run->ref);
}

/* Deletes versions that are not the current one, oldest first, until no more
 * than keep are left. */
static int
prune(struct cfn_run *run, size_t keep, enum cfn_outcome *ret)
{
	struct op_result list, r;
	size_t n;
	int e = plain(run, "ListPolicyVersions", of_policy(run), &list, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	n = doc_len(doc_get(list.out, "Versions"));
	for (size_t i = n; i-- > 0 && n > keep;) {
		const struct doc *v = doc_at(doc_get(list.out, "Versions"), i);
		struct doc *in = of_policy(run);

		if (doc_get_bool(v, "IsDefaultVersion", false))
			continue;
		doc_set_str(run->arena, in, "VersionId",
		    doc_get_str(v, "VersionId"));
		e = plain(run, "DeletePolicyVersion", in, &r, ret);
		if (e || *ret == CFN_FAILED)
			return e;
		n--;
	}
	return 0;
}

static int
managed_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *text = doc_get(run->props, "PolicyDocument");
	struct op_result r;
	int e = each_side(run, run->old, run->props, detach_one, NULL, ret);

	if (!e && *ret != CFN_FAILED)
		e = each_side(run, run->props, run->old, attach_one, NULL,
		    ret);
	if (e || *ret == CFN_FAILED ||
	    doc_eq(text, doc_get(run->old, "PolicyDocument")))
		return e;
	if ((e = prune(run, 4, ret)) || *ret == CFN_FAILED)
		return e;
	struct doc *in = of_policy(run);

	doc_set_str(run->arena, in, "PolicyDocument",
	    doc_json(run->arena, text));
	doc_set_bool(run->arena, in, "SetAsDefault", true);
	return plain(run, "CreatePolicyVersion", in, &r, ret);
}

static int
managed_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct op_result r;
	int e = each_side(run, run->props, NULL, detach_one, NULL, ret);

	if (!e && *ret != CFN_FAILED)
		e = prune(run, 1, ret);
	if (e || *ret == CFN_FAILED)
		return e;
	return plain(run, "DeletePolicy", of_policy(run), &r, ret);
}

/* AWS::IAM::InstanceProfile */

static int
profile_role(struct cfn_run *run, const struct doc *props, const char *op,
    enum cfn_outcome *ret)
{
	struct op_result r;
	int e = 0;

	*ret = CFN_DONE;
	doc_each(role, doc_get(props, "Roles")) {
		struct doc *in = doc_obj(run->arena);

		doc_set_str(run->arena, in, "InstanceProfileName", run->ref);
		doc_set_str(run->arena, in, "RoleName", doc_span(role));
		e = plain(run, op, in, &r, ret);
		if (e || *ret == CFN_FAILED)
			return e;
	}
	return e;
}

static const struct cfn_step profile_make = CFN_STEP("CreateInstanceProfile",
    "InstanceProfileName Path", NULL);
static const struct cfn_step profile_drop = CFN_STEP("DeleteInstanceProfile",
    "", "{'InstanceProfileName': '$ref'}");

static int
profile_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = cfn_step(run, &profile_make, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	run->ref = doc_get_str(run->props, "InstanceProfileName");
	return profile_role(run, run->props, "AddRoleToInstanceProfile", ret);
}

static int
profile_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = profile_role(run, run->old, "RemoveRoleFromInstanceProfile",
	    ret);

	if (e || *ret == CFN_FAILED)
		return e;
	return profile_role(run, run->props, "AddRoleToInstanceProfile", ret);
}

static int
profile_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = profile_role(run, run->props, "RemoveRoleFromInstanceProfile",
	    ret);

	return e || *ret == CFN_FAILED ? e : cfn_step(run, &profile_drop, ret);
}

#define ROLE	 "{'RoleName': '$ref'}"
#define USER	 "{'UserName': '$ref'}"
#define PROVIDER "{'OpenIDConnectProviderArn': '$ref'}"

static const struct cfn_tagging role_tags = {
	"TagRole", ROLE, "Tags", "UntagRole", ROLE, "TagKeys",
};
static const struct cfn_tagging user_tags = {
	"TagUser", USER, "Tags", "UntagUser", USER, "TagKeys",
};
static const struct cfn_tagging provider_tags = {
	"TagOpenIDConnectProvider", PROVIDER, "Tags",
	"UntagOpenIDConnectProvider", PROVIDER, "TagKeys",
};

const struct cfn_map iam_types[] = {
	{
		.type = "AWS::IAM::Role",
		.name = "RoleName", .name_max = 64,
		.create = CFN_STEPS(CFN_STEP("CreateRole", "RoleName Path "
		    "AssumeRolePolicyDocument Description MaxSessionDuration "
		    "PermissionsBoundary Tags", NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteRole", "", ROLE)),
		.ref = "$p.RoleName",
		.attrs = "{'Arn': '$o.Role.Arn', 'RoleId': '$o.Role.RoleId'}",
		.tagging = &role_tags,
		.on_create = iam_cfn_create,
		.on_update = iam_cfn_update,
		.on_remove = iam_cfn_remove,
	},
	{
		.type = "AWS::IAM::User",
		.name = "UserName", .name_max = 64,
		.create = CFN_STEPS(CFN_STEP("CreateUser", "UserName Path "
		    "PermissionsBoundary Tags LoginProfile", NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteUser", "", USER)),
		.ref = "$p.UserName",
		.attrs = "{'Arn': '$o.User.Arn'}",
		.tagging = &user_tags,
		.on_create = iam_cfn_create,
		.on_update = iam_cfn_update,
		.on_remove = iam_cfn_remove,
	},
	{
		.type = "AWS::IAM::Group",
		.name = "GroupName", .name_max = 128,
		.create = CFN_STEPS(CFN_STEP("CreateGroup", "GroupName Path",
		    NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteGroup", "",
		    "{'GroupName': '$ref'}")),
		.ref = "$p.GroupName",
		.attrs = "{'Arn': '$o.Group.Arn'}",
		.on_create = iam_cfn_create,
		.on_update = iam_cfn_update,
		.on_remove = iam_cfn_remove,
	},
	{
		.type = "AWS::IAM::Policy",
		.on_create = policy_create,
		.on_update = policy_update,
		.on_remove = policy_remove,
	},
	{
		.type = "AWS::IAM::ManagedPolicy",
		.name = "ManagedPolicyName", .name_max = 128,
		.attrs = "{'PolicyArn': '$o.Policy.Arn', "
		    "'PolicyId': '$o.Policy.PolicyId', "
		    "'DefaultVersionId': '$o.Policy.DefaultVersionId', "
		    "'CreateDate': '$o.Policy.CreateDate', "
		    "'IsAttachable': '$o.Policy.IsAttachable'}",
		.on_create = managed_create,
		.on_update = managed_update,
		.on_remove = managed_remove,
	},
	{
		.type = "AWS::IAM::AccessKey",
		.create = CFN_STEPS(
		    CFN_STEP("CreateAccessKey", "UserName", NULL),
		    CFN_STEP("UpdateAccessKey", "Status",
			"{'UserName': '$p.UserName', 'AccessKeyId': "
			"'$o.AccessKey.AccessKeyId'}")),
		.update = CFN_STEPS(CFN_STEP("UpdateAccessKey", "Status",
		    "{'UserName': '$p.UserName', 'AccessKeyId': '$ref'}")),
		.remove = CFN_STEPS(CFN_STEP("DeleteAccessKey", "",
		    "{'UserName': '$p.UserName', 'AccessKeyId': '$ref'}")),
		.defaults = "{'Status': 'Active'}",
		/* A change of it asks for a new key. */
		.no_effect = "Serial",
		.ref = "$o.AccessKey.AccessKeyId",
		.attrs = "{'Id': '$o.AccessKey.AccessKeyId', "
		    "'SecretAccessKey': '$o.AccessKey.SecretAccessKey'}",
	},
	{
		.type = "AWS::IAM::InstanceProfile",
		.name = "InstanceProfileName", .name_max = 128,
		.attrs = "{'Arn': '$o.InstanceProfile.Arn'}",
		.on_create = profile_create,
		.on_update = profile_update,
		.on_remove = profile_remove,
	},
	{
		.type = "AWS::IAM::OIDCProvider",
		.create = CFN_STEPS(CFN_STEP("CreateOpenIDConnectProvider",
		    NULL, NULL, .map = "ClientIdList=ClientIDList")),
		.update = CFN_STEPS(
		    CFN_STEP("UpdateOpenIDConnectProviderThumbprint",
			"ThumbprintList", PROVIDER)),
		.remove = CFN_STEPS(CFN_STEP("DeleteOpenIDConnectProvider", "",
		    PROVIDER)),
		.ref = "$o.OpenIDConnectProviderArn",
		.attrs = "{'Arn': '$o.OpenIDConnectProviderArn'}",
		.tagging = &provider_tags,
	},
	{
		.type = "AWS::IAM::ServiceLinkedRole",
		.create = CFN_STEPS(CFN_STEP("CreateServiceLinkedRole", NULL,
		    NULL)),
		.update = CFN_STEPS(CFN_STEP("UpdateRoleDescription",
		    "Description", ROLE)),
		.remove = CFN_STEPS(CFN_STEP("DeleteServiceLinkedRole", "",
		    ROLE)),
		.ref = "$o.Role.RoleName",
		.attrs = "{'RoleName': '$o.Role.RoleName'}",
	},
	{.type = NULL},
};
