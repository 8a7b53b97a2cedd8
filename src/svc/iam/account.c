/* The account as a whole: how much there is, and all of it. */
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
static const struct {
	const char *name;
	int64_t quota;
	const struct kind *kind; /* NULL: the quota is the value */
} summary[] = {
	{"Users", 0, &iam_user}, {"UsersQuota", 5000, NULL},
	{"Groups", 0, &iam_group}, {"GroupsQuota", 300, NULL},
	{"Roles", 0, &iam_role}, {"RolesQuota", 1000, NULL},
	{"Policies", 0, &iam_policy}, {"PoliciesQuota", 1500, NULL},
	{"InstanceProfiles", 0, &iam_instance_profile},
	{"InstanceProfilesQuota", 1000, NULL},
	{"Providers", 0, &iam_oidc_provider},
	{"ServerCertificates", 0, NULL}, {"ServerCertificatesQuota", 20, NULL},
	{"MFADevices", 0, NULL}, {"MFADevicesInUse", 0, NULL},
	{"AccountMFAEnabled", 0, NULL}, {"AccountPasswordPresent", 0, NULL},
	/* The root key. */
	{"AccountAccessKeysPresent", 1, NULL},
	{"AccountSigningCertificatesPresent", 0, NULL},
	{"AccessKeysPerUserQuota", 2, NULL}, {"GroupsPerUserQuota", 10, NULL},
	{"SigningCertificatesPerUserQuota", 2, NULL},
	{"UserPolicySizeQuota", 2048, NULL},
	{"GroupPolicySizeQuota", 5120, NULL},
	{"RolePolicySizeQuota", 10240, NULL},
	{"PolicySizeQuota", 6144, NULL},
	{"AssumeRolePolicySizeQuota", 2048, NULL},
	{"VersionsPerPolicyQuota", 5, NULL},
	{"AttachedPoliciesPerUserQuota", 10, NULL},
	{"AttachedPoliciesPerGroupQuota", 10, NULL},
	{"AttachedPoliciesPerRoleQuota", 10, NULL},
	{"GlobalEndpointTokenVersion", 1, NULL},
};

struct reply *
iam_account_summary(struct call *c)
{
	struct doc *map = doc_obj(c->arena);
	struct query policies = {.kind = &iam_policy, .scope = c->scope,
	    .any_parent = true};
	int64_t versions = 0;
	struct res_list l;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(summary); i++) {
		struct query q = {.kind = summary[i].kind, .scope = c->scope,
		    .any_parent = true};
		int64_t n = q.kind ? store_count(c->store, &q) :
		    summary[i].quota;

		if (n < 0)
			return iam_fail(c, (int)n);
		doc_set_int(c->arena, map, summary[i].name, n);
	}
	if ((e = store_list(c->store, c->arena, &policies, &l)))
		return iam_fail(c, e);
	for (size_t i = 0; i < l.n; i++)
		versions += (int64_t)doc_len(doc_get(l.v[i]->spec, "Versions"));
	doc_set_int(c->arena, map, "PolicyVersionsInUse", versions);
	doc_set_int(c->arena, map, "PolicyVersionsInUseQuota", 10000);
	return iam_reply(c, "SummaryMap", map);
}

/* What GetAccountAuthorizationDetails tells of each kind. */

static struct reply *
add_holder(struct call *c, const struct iam_noun *n, const struct res *r,
    struct doc *d)
{
	struct doc *boundary = iam_show_boundary(c, r);

	doc_set(c->arena, d, arena_fmt(c->arena, "%sPolicyList", n->title),
	    iam_show_inline(c, r));
	doc_set(c->arena, d, "AttachedManagedPolicies",
	    iam_show_attached(c, r));
	if (boundary)
		doc_set(c->arena, d, "PermissionsBoundary", boundary);
	return NULL;
}

static struct reply *
role_profiles(struct call *c, const struct res *role, struct doc *d)
{
	struct query q = {.kind = &iam_instance_profile, .scope = c->scope,
	    .any_parent = true, .index = "spec.Role",
	    .value = doc_get_str(role->spec, "Id")};
	struct doc *list = doc_arr(c->arena), *p, *roles;
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return iam_fail(c, e);
	for (size_t i = 0; i < l.n; i++) {
		p = iam_show(c, iam_noun_profile, l.v[i]);
		roles = doc_arr(c->arena);
		doc_push(roles, iam_show_role(c, role));
		doc_push(list, doc_set(c->arena, p, "Roles", roles));
	}
	doc_set(c->arena, d, "InstanceProfileList", list);
	return NULL;
}

static struct reply *
user_groups(struct call *c, const struct res *user, struct doc *d)
{
	struct doc *list = doc_arr(c->arena);
	struct res *group;
	int e;

	doc_each(id, doc_get(user->spec, "Groups")) {
		if ((e = iam_by_id(c, &iam_group, doc_span(id), &group)))
			return iam_fail(c, e);
		doc_push(list, doc_str(c->arena, group->id));
	}
	doc_set(c->arena, d, "GroupList", list);
	return NULL;
}

static struct reply *
details(struct call *c, const struct iam_noun *n, const struct res *r,
    struct doc **ret)
{
	struct reply *no;
	struct doc *d;

	if (n == iam_noun_policy)
		return iam_show_details(c, r, ret);
	d = n == iam_noun_role ? iam_show_role(c, r) : iam_show(c, n, r);
	if ((no = add_holder(c, n, r, d)))
		return no;
	if (n == iam_noun_user && (no = user_groups(c, r, d)))
		return no;
	if (n == iam_noun_role && (no = role_profiles(c, r, d)))
		return no;
	if (n != iam_noun_group && (no = iam_show_tags(c, r, d)))
		return no;
	*ret = d;
	return NULL;
}

/* The filter's names. */
static const struct {
	const char *filter;
	const char *list;
} parts[] = {
	{"Role", "RoleDetailList"}, {"User", "UserDetailList"},
	{"Group", "GroupDetailList"}, {"LocalManagedPolicy", "Policies"},
};

static bool
wanted(struct call *c, size_t part)
{
	const struct doc *filter = doc_get(c->in, "Filter");

	return doc_len(filter) == 0 ||
	    doc_has_str(filter, span_of(parts[part].filter));
}

static struct reply *
add_all(struct call *c, size_t part, struct doc *all)
{
	const struct iam_noun *n = &iam_nouns[part];
	struct query q = {.kind = n->kind, .scope = c->scope,
	    .any_parent = true};
	struct reply *no;
	struct res_list l;
	struct doc *d;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return iam_fail(c, e);
	for (size_t i = 0; i < l.n; i++) {
		if ((no = details(c, n, l.v[i], &d)))
			return no;
		doc_set_int(c->arena, d, ".Part", (int64_t)part);
		doc_append(c->arena, all, arena_fmt_span(c->arena, "%zu %.*s",
		    part, SPAN_ARG(l.v[i]->arn)), d);
	}
	return NULL;
}

static struct reply *
add_aws(struct call *c, struct doc *all)
{
	struct reply *no;
	struct doc *d;

	if (doc_len(doc_get(c->in, "Filter")) && !doc_has_str(
		doc_get(c->in, "Filter"), SPAN("AWSManagedPolicy")))
		return NULL;
	for (const struct iam_aws_policy *p = iam_aws_policies; p->name; p++) {
		if ((no = iam_show_aws_details(c, p, &d)))
			return no;
		doc_set_int(c->arena, d, ".Part", ARRAY_SIZE(parts) - 1);
		doc_append(c->arena, all, arena_fmt_span(c->arena, "9 %s",
		    p->name), d);
	}
	return NULL;
}

struct reply *
iam_account_details(struct call *c)
{
	struct doc *all = doc_obj(c->arena), *out, *lists[ARRAY_SIZE(parts)];
	struct reply *no;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		lists[i] = doc_arr(c->arena);
		if (wanted(c, i) && (no = add_all(c, i, all)))
			return no;
	}
	if ((no = add_aws(c, all)) || (no = iam_page(c, "All", all, &out)))
		return no;
	doc_each(d, doc_get(out, "All")) {
		size_t part = (size_t)doc_get_int(d, ".Part", 0);

		doc_push(lists[part], doc_copy(c->arena, d));
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		doc_set(c->arena, out, parts[i].list, lists[i]);
	return reply_ok(c, out);
}
