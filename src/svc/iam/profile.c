/* Instance profiles: a role in a wrapper for EC2's sake. */
#include "base/err.h"
#include "svc/iam/iam.h"

static struct reply *
profile_doc(struct call *c, const struct res *p, struct doc **ret)
{
	struct doc *d = entity_doc(c, &entity_profile, p);
	struct doc *roles = doc_arr(c->arena);
	struct res *r;
	struct reply *no;

	doc_each(key, doc_get(p->spec, "Roles")) {
		struct doc *role;

		if ((no = entity_find(c, &entity_role, doc_span(key), &r)))
			return no;
		role = entity_doc(c, &entity_role, r);
		doc_set_str(c->arena, role, "AssumeRolePolicyDocument",
		    iam_quote(c, doc_get_str(r->spec,
			"AssumeRolePolicyDocument")));
		doc_push(roles, role);
	}
	doc_set(c->arena, d, "Roles", roles);
	iam_set_tags(c, p, d);
	*ret = d;
	return NULL;
}

static struct reply *
answer(struct call *c, const struct res *p)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct reply *no = profile_doc(c, p, &d);

	if (no)
		return no;
	doc_set(c->arena, out, "InstanceProfile", d);
	return reply_ok(c, out);
}

struct reply *
iam_create_profile(struct call *c)
{
	struct res *p;
	struct reply *no = entity_new(c, &entity_profile, &p);

	if (no)
		return no;
	doc_set(c->arena, p->spec, "Roles", doc_arr(c->arena));
	no = entity_insert(c, &entity_profile, p);
	return no ? no : answer(c, p);
}

struct reply *
iam_get_profile(struct call *c)
{
	struct res *p;
	struct reply *no = entity_named(c, &entity_profile, &p);

	return no ? no : answer(c, p);
}

static struct reply *
answer_list(struct call *c, const struct res_list *l)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena), *d;
	struct iam_page page;
	struct reply *no = iam_page(c, &page);

	if (no)
		return no;
	for (size_t i = 0; i < l->n; i++) {
		if ((no = profile_doc(c, l->v[i], &d)))
			return no;
		doc_push(all, d);
	}
	iam_page_set(c, &page, out, "InstanceProfiles", all,
	    "InstanceProfileName");
	return reply_ok(c, out);
}

struct reply *
iam_list_profiles(struct call *c)
{
	struct res_list l;
	struct reply *no = entity_list(c, &entity_profile, &l);

	return no ? no : answer_list(c, &l);
}

struct reply *
iam_list_profiles_of_role(struct call *c)
{
	struct query q = {.kind = &iam_instance_profile, .scope = c->scope,
	    .any_parent = true, .index = "spec.Roles"};
	struct res_list l;
	struct res *role;
	struct reply *no = entity_named(c, &entity_role, &role);
	int r;

	if (no)
		return no;
	q.value = doc_get_str(role->spec, "Key");
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return iam_fail(c, r);
	return answer_list(c, &l);
}

struct reply *
iam_delete_profile(struct call *c)
{
	struct res *p;
	struct reply *no = entity_named(c, &entity_profile, &p);
	int r;

	if (no)
		return no;
	if (doc_len(doc_get(p->spec, "Roles")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must remove roles from instance profile first.");
	r = store_delete(c->store, p);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

static struct reply *
both(struct call *c, struct res **ret_profile, struct res **ret_role)
{
	struct reply *no = entity_named(c, &entity_profile, ret_profile);

	return no ? no : entity_named(c, &entity_role, ret_role);
}

struct reply *
iam_profile_add_role(struct call *c)
{
	struct res *p, *r;
	struct reply *no = both(c, &p, &r);

	if (no)
		return no;
	/* https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html:
	 * one role, and the quota cannot be increased. */
	if (doc_len(doc_get(p->spec, "Roles")))
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for InstanceSessionsPerInstanceProfile: 1");
	doc_push_str(c->arena, doc_get(p->spec, "Roles"),
	    doc_get_str(r->spec, "Key"));
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_profile_remove_role(struct call *c)
{
	struct res *p, *r;
	struct reply *no = both(c, &p, &r);

	if (no)
		return no;
	if (!doc_has_str(doc_get(p->spec, "Roles"),
	    doc_get_str(r->spec, "Key")))
		return entity_missing(c, &entity_role, r->id);
	doc_set(c->arena, p->spec, "Roles", doc_arr(c->arena));
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}
