/* Policies of CloudFormation: on what holds them, and as resources. */
#include "base/err.h"
#include "svc/iam/cfn.h"

#define VERSIONS_MAX 5

const struct iam_cfn_holder iam_cfn_role = {
	"RoleName", "Roles", "PutRolePolicy", "DeleteRolePolicy",
	"AttachRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary",
	"DeleteRolePermissionsBoundary",
};
const struct iam_cfn_holder iam_cfn_user = {
	"UserName", "Users", "PutUserPolicy", "DeleteUserPolicy",
	"AttachUserPolicy", "DetachUserPolicy", "PutUserPermissionsBoundary",
	"DeleteUserPermissionsBoundary",
};
const struct iam_cfn_holder iam_cfn_group = {
	"GroupName", "Groups", "PutGroupPolicy", "DeleteGroupPolicy",
	"AttachGroupPolicy", "DetachGroupPolicy", NULL, NULL,
};
static const struct iam_cfn_holder *const holders[] = {
	&iam_cfn_role, &iam_cfn_user, &iam_cfn_group,
};

struct doc *
iam_cfn_named(struct cfn_run *run, const struct iam_cfn_holder *h)
{
	return doc_set_str(run->arena, doc_obj(run->arena), h->member,
	    run->ref);
}

struct span
iam_cfn_text(struct arena *a, const struct doc *d)
{
	return doc_type(d) == DOC_STR ? doc_span(d) : doc_json(a, d);
}

static int
put(struct cfn_run *run, const struct iam_cfn_holder *h, struct span holder,
    const struct doc *policy, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, h->member, holder);
	doc_set_str(run->arena, in, "PolicyName",
	    doc_get_str(policy, "PolicyName"));
	doc_set_str(run->arena, in, "PolicyDocument", iam_cfn_text(run->arena,
	    doc_get(policy, "PolicyDocument")));
	return cfn_do(run, h->put, in, false, ret);
}

static int
drop(struct cfn_run *run, const struct iam_cfn_holder *h, struct span holder,
    struct span name, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, h->member, holder);
	doc_set_str(run->arena, in, "PolicyName", name);
	return cfn_do(run, h->drop, in, true, ret);
}

/* op: h->attach or h->detach. */
static int
attach(struct cfn_run *run, const struct iam_cfn_holder *h, const char *op,
    struct span holder, struct span arn, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, h->member, holder);
	doc_set_str(run->arena, in, "PolicyArn", arn);
	return cfn_do(run, op, in, op == h->detach, ret);
}

/* The element of Policies with that name. */
static const struct doc *
named(const struct doc *policies, struct span name)
{
	doc_each(p, policies)
		if (span_eq(doc_get_str(p, "PolicyName"), name))
			return p;
	return NULL;
}

static int
sync_attached(struct cfn_run *run, const struct iam_cfn_holder *h,
    const struct doc *is, const struct doc *was, enum cfn_outcome *ret)
{
	int e;

	doc_each(v, was)
		if (!doc_has_str(is, doc_span(v)) &&
		    ((e = attach(run, h, h->detach, run->ref, doc_span(v),
			ret)) || *ret != CFN_DONE))
			return e;
	doc_each(v, is)
		if (!doc_has_str(was, doc_span(v)) &&
		    ((e = attach(run, h, h->attach, run->ref, doc_span(v),
			ret)) || *ret != CFN_DONE))
			return e;
	return 0;
}

static int
sync_inline(struct cfn_run *run, const struct iam_cfn_holder *h,
    const struct doc *is, const struct doc *was, enum cfn_outcome *ret)
{
	int e;

	doc_each(p, was) {
		struct span name = doc_get_str(p, "PolicyName");

		if (!named(is, name) &&
		    ((e = drop(run, h, run->ref, name, ret)) ||
		    *ret != CFN_DONE))
			return e;
	}
	doc_each(p, is)
		if (!doc_eq(p, named(was, doc_get_str(p, "PolicyName"))) &&
		    ((e = put(run, h, run->ref, p, ret)) || *ret != CFN_DONE))
			return e;
	return 0;
}

int
iam_cfn_policies(struct cfn_run *run, const struct iam_cfn_holder *h,
    const struct doc *props, const struct doc *old, enum cfn_outcome *ret)
{
	int e = sync_attached(run, h, doc_get(props, "ManagedPolicyArns"),
	    doc_get(old, "ManagedPolicyArns"), ret);

	return e || *ret != CFN_DONE ? e : sync_inline(run, h,
	    doc_get(props, "Policies"), doc_get(old, "Policies"), ret);
}

static int
member(struct cfn_run *run, const char *op, struct span group,
    enum cfn_outcome *ret)
{
	struct doc *in = iam_cfn_named(run, &iam_cfn_user);

	doc_set_str(run->arena, in, "GroupName", group);
	return cfn_do(run, op, in, op[0] == 'R', ret);
}

int
iam_cfn_groups(struct cfn_run *run, const struct doc *props,
    const struct doc *old, enum cfn_outcome *ret)
{
	const struct doc *is = doc_get(props, "Groups");
	const struct doc *was = doc_get(old, "Groups");
	int e;

	doc_each(g, was)
		if (!doc_has_str(is, doc_span(g)) &&
		    ((e = member(run, "RemoveUserFromGroup", doc_span(g),
			ret)) || *ret != CFN_DONE))
			return e;
	doc_each(g, is)
		if (!doc_has_str(was, doc_span(g)) &&
		    ((e = member(run, "AddUserToGroup", doc_span(g), ret)) ||
		    *ret != CFN_DONE))
			return e;
	return 0;
}

/* AWS::IAM::Policy: one inline policy on many holders. */

/* Puts it on all that props name; takes it from what old names and props does
 * not, or all of it when its name is another one. */
static int
spread(struct cfn_run *run, const struct doc *props, const struct doc *old,
    enum cfn_outcome *ret)
{
	struct span was = doc_get_str(old, "PolicyName");
	bool renamed = !span_eq(was, doc_get_str(props, "PolicyName"));
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
		const struct iam_cfn_holder *h = holders[i];
		const struct doc *now = doc_get(props, h->list);

		doc_each(v, doc_get(old, h->list))
			if ((renamed || !doc_has_str(now, doc_span(v))) &&
			    ((e = drop(run, h, doc_span(v), was, ret)) ||
			    *ret != CFN_DONE))
				return e;
		doc_each(v, now)
			if ((e = put(run, h, doc_span(v), props, ret)) ||
			    *ret != CFN_DONE)
				return e;
	}
	return 0;
}

int
iam_cfn_policy_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	run->ref = doc_get_str(run->props, "PolicyName");
	if (!doc_len(doc_get(run->props, "Roles")) &&
	    !doc_len(doc_get(run->props, "Users")) &&
	    !doc_len(doc_get(run->props, "Groups"))) {
		*ret = cfn_fail(run, "At least one of [Groups,Roles,Users] "
		    "must be non-empty.");
		return 0;
	}
	return spread(run, run->props, NULL, ret);
}

int
iam_cfn_policy_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	return spread(run, run->props, run->old, ret);
}

int
iam_cfn_policy_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return spread(run, NULL, run->props, ret);
}

/* AWS::IAM::ManagedPolicy */

static int
sync_holders(struct cfn_run *run, const struct doc *props,
    const struct doc *old, enum cfn_outcome *ret)
{
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
		const struct iam_cfn_holder *h = holders[i];
		const struct doc *is = doc_get(props, h->list);
		const struct doc *was = doc_get(old, h->list);

		doc_each(v, was)
			if (!doc_has_str(is, doc_span(v)) &&
			    ((e = attach(run, h, h->detach, doc_span(v),
				run->ref, ret)) || *ret != CFN_DONE))
				return e;
		doc_each(v, is)
			if (!doc_has_str(was, doc_span(v)) &&
			    ((e = attach(run, h, h->attach, doc_span(v),
				run->ref, ret)) || *ret != CFN_DONE))
				return e;
	}
	return 0;
}

int
iam_cfn_managed_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	static const struct cfn_step create = CFN_STEP("CreatePolicy",
	    "ManagedPolicyName Description Path PolicyDocument", NULL,
	    .map = "ManagedPolicyName=PolicyName");
	int e = cfn_step(run, &create, ret);

	if (e || *ret != CFN_DONE)
		return e;
	run->ref = doc_get_str(doc_get(run->out, "Policy"), "Arn");
	return sync_holders(run, run->props, NULL, ret);
}

static struct doc *
by_arn(struct cfn_run *run)
{
	return doc_set_str(run->arena, doc_obj(run->arena), "PolicyArn",
	    run->ref);
}

/* Deletes versions that are not the default one, the oldest first, until no
 * more than keep are left.  The list is newest first. */
static int
thin_out(struct cfn_run *run, size_t keep, enum cfn_outcome *ret)
{
	struct op_result r;
	const struct doc *list;
	int e = cfn_call(run, "ListPolicyVersions", by_arn(run), &r);

	if (e)
		return err_trace(e);
	*ret = CFN_DONE;
	if (r.error.n) {
		if (!cfn_says_gone(r.error))
			*ret = cfn_refused(run, "ListPolicyVersions", &r);
		return 0;
	}
	list = doc_get(r.out, "Versions");
	for (size_t n = doc_len(list), i = n; i-- > 0 && n > keep;) {
		const struct doc *v = doc_at(list, i);
		struct doc *in = by_arn(run);

		if (doc_get_bool(v, "IsDefaultVersion", false))
			continue;
		doc_set_str(run->arena, in, "VersionId",
		    doc_get_str(v, "VersionId"));
		e = cfn_do(run, "DeletePolicyVersion", in, true, ret);
		if (e || *ret != CFN_DONE)
			return e;
		n--;
	}
	return 0;
}

static int
new_version(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = by_arn(run);
	int e = thin_out(run, VERSIONS_MAX - 1, ret);

	if (e || *ret != CFN_DONE)
		return e;
	doc_set_str(run->arena, in, "PolicyDocument", iam_cfn_text(run->arena,
	    doc_get(run->props, "PolicyDocument")));
	doc_set_bool(run->arena, in, "SetAsDefault", true);
	return cfn_do(run, "CreatePolicyVersion", in, false, ret);
}

int
iam_cfn_managed_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = 0;

	if (cfn_changed(run, "PolicyDocument"))
		e = new_version(run, ret);
	return e || *ret != CFN_DONE ? e :
	    sync_holders(run, run->props, run->old, ret);
}

int
iam_cfn_managed_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = sync_holders(run, NULL, run->props, ret);

	if (e || *ret != CFN_DONE ||
	    (e = thin_out(run, 1, ret)) || *ret != CFN_DONE)
		return e;
	return cfn_do(run, "DeletePolicy", by_arn(run), true, ret);
}
