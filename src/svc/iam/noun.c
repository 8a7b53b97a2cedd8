/* Roles, users, groups, policies, instance profiles: names, paths, ids. */
#include "base/id.h"
#include "svc/iam/iam.h"
#include "wire/model.h"

/* Quotas: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const struct iam_noun iam_nouns[] = {
	{&iam_role, "RoleName", "role", "Role", "Roles", "AROA",
	    "RolesPerAccount", 1000, "PoliciesPerRole", 10, 10240},
	{&iam_user, "UserName", "user", "User", "Users", "AIDA",
	    "UsersPerAccount", 5000, "PoliciesPerUser", 10, 2048},
	{&iam_group, "GroupName", "group", "Group", "Groups", "AGPA",
	    "GroupsPerAccount", 300, "PoliciesPerGroup", 10, 5120},
	{&iam_policy, "PolicyName", "policy", "Policy", "Policies", "ANPA",
	    "PoliciesPerAccount", 1500, NULL, 0, 0},
	{&iam_instance_profile, "InstanceProfileName", "instance profile",
	    "InstanceProfile", "InstanceProfiles", "AIPA",
	    "InstanceProfilesPerAccount", 1000, NULL, 0, 0},
	{NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 0},
};
const struct iam_noun *const iam_noun_role = &iam_nouns[0];
const struct iam_noun *const iam_noun_user = &iam_nouns[1];
const struct iam_noun *const iam_noun_group = &iam_nouns[2];
const struct iam_noun *const iam_noun_policy = &iam_nouns[3];
const struct iam_noun *const iam_noun_profile = &iam_nouns[4];

const struct iam_noun *
iam_noun(struct call *c)
{
	const struct model *m = c->op->model;

	for (const struct iam_noun *n = iam_nouns; n->kind; n++)
		if (model_member_find(m, model_shape(m, c->op->in),
			span_of(n->member)))
			return n;
	WRONG("the operation names nothing");
}

/* 0, STORE_E_NOT_FOUND or negative. */
static int
first(struct call *c, const struct kind *k, const char *index,
    struct span value, struct res **ret)
{
	struct query q = {.kind = k, .scope = c->scope, .any_parent = true,
	    .index = index, .value = value, .limit = 1};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r;
	if (l.n == 0)
		return STORE_E_NOT_FOUND;
	*ret = l.v[0];
	return 0;
}

int
iam_by_id(struct call *c, const struct kind *k, struct span id,
    struct res **ret)
{
	return first(c, k, "spec.Id", id, ret);
}

static struct reply *
no_such(struct call *c, const struct iam_noun *n, struct span name)
{
	if (n == iam_noun_profile)
		return iam_missing(c, "Instance Profile %.*s cannot be found.",
		    SPAN_ARG(name));
	return iam_missing(c, "The %s with name %.*s cannot be found.",
	    n->in_text, SPAN_ARG(name));
}

struct reply *
iam_find(struct call *c, const struct iam_noun *n, struct span name,
    struct res **ret)
{
	int r = first(c, n->kind, "spec.Key", arena_lower(c->arena, name), ret);

	if (r == STORE_E_NOT_FOUND)
		return no_such(c, n, name);
	return r ? iam_fail(c, r) : NULL;
}

struct reply *
iam_named(struct call *c, const struct iam_noun *n, struct res **ret)
{
	return iam_find(c, n, doc_get_str(c->in, n->member), ret);
}

static struct reply *
taken(struct call *c, const struct iam_noun *n, struct span name)
{
	if (n == iam_noun_policy)
		return reply_error(c, "EntityAlreadyExists", "A policy called "
		    "%.*s already exists. Duplicate names are not allowed.",
		    SPAN_ARG(name));
	if (n == iam_noun_profile)
		return reply_error(c, "EntityAlreadyExists", "Instance Profile "
		    "%.*s already exists.", SPAN_ARG(name));
	return reply_error(c, "EntityAlreadyExists", "%s with name %.*s "
	    "already exists.", n->title, SPAN_ARG(name));
}

/* Is the name free for r?  r NULL: for a new one. */
static struct reply *
check_free(struct call *c, const struct iam_noun *n, struct span name,
    const struct res *r)
{
	struct res *other;
	int e = first(c, n->kind, "spec.Key", arena_lower(c->arena, name),
	    &other);

	if (e == 0 && (!r || other->row != r->row))
		return taken(c, n, name);
	return e && e != STORE_E_NOT_FOUND ? iam_fail(c, e) : NULL;
}

static struct reply *
check_path(struct call *c, struct span path)
{
	if (span_starts(path, SPAN("/")) && span_ends(path, SPAN("/")))
		return NULL;
	return reply_error(c, "ValidationError", "The specified value for path "
	    "is invalid. It must begin and end with / and contain only "
	    "alphanumeric characters and/or / characters.");
}

struct reply *
iam_new(struct call *c, const struct iam_noun *n, struct res **ret)
{
	struct span name = doc_get_str(c->in, n->member);
	struct span path = doc_get_str(c->in, "Path");
	struct query q = {.kind = n->kind, .scope = c->scope,
	    .any_parent = true};
	struct reply *no;
	struct res *r;
	int64_t count;

	path = path.n ? path : SPAN("/");
	if ((no = check_path(c, path)) || (no = check_free(c, n, name, NULL)))
		return no;
	if ((count = store_count(c->store, &q)) < 0)
		return iam_fail(c, (int)count);
	if (count >= n->max)
		return iam_quota(c, n->quota, n->max);
	r = res_new(c->arena, n->kind, c->scope, path, name);
	r->created = iam_now();
	doc_set_str(c->arena, r->spec, "Key", arena_lower(c->arena, name));
	doc_setf(c->arena, r->spec, "Id", "%s%s", n->prefix,
	    id_upper(c->arena, 17));
	if (n->inline_max) {
		doc_set(c->arena, r->spec, "Inline", doc_obj(c->arena));
		doc_set(c->arena, r->spec, "Attached", doc_arr(c->arena));
	}
	*ret = r;
	return NULL;
}

struct reply *
iam_rename(struct call *c, const struct iam_noun *n, struct res *r,
    struct span path, struct span name)
{
	struct reply *no;
	int e;

	path = path.n ? path : r->parent;
	name = name.n ? name : r->id;
	if ((no = check_path(c, path)) || (no = check_free(c, n, name, r)))
		return no;
	doc_set_str(c->arena, r->spec, "Key", arena_lower(c->arena, name));
	e = store_rename(c->store, c->arena, r, path, name);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}

struct doc *
iam_show(struct call *c, const struct iam_noun *n, const struct res *r)
{
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "Path", r->parent);
	doc_set_str(a, d, n->member, r->id);
	doc_set_str(a, d, arena_fmt(a, "%sId", n->title),
	    doc_get_str(r->spec, "Id"));
	doc_set_str(a, d, "Arn", r->arn);
	doc_set_time(a, d, "CreateDate", r->created);
	return d;
}

struct reply *
iam_reply(struct call *c, const char *member, struct doc *d)
{
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), member, d));
}
