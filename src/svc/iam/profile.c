/* Instance profiles: a role for an EC2 instance. */
#include "svc/iam/iam.h"

static struct reply *
show(struct call *c, const struct res *r, struct doc **ret)
{
	struct span id = doc_get_str(r->spec, "Role");
	struct doc *d = iam_show(c, iam_noun_profile, r);
	struct doc *roles = doc_arr(c->arena);
	struct res *role;
	int e;

	if (id.n) {
		if ((e = iam_by_id(c, &iam_role, id, &role)))
			return iam_fail(c, e);
		doc_push(roles, iam_show_role(c, role));
	}
	doc_set(c->arena, d, "Roles", roles);
	*ret = d;
	return NULL;
}

static struct reply *
reply_profile(struct call *c, const struct res *r)
{
	struct doc *d;
	struct reply *no = show(c, r, &d);

	if (no || (no = iam_show_tags(c, r, d)))
		return no;
	return iam_reply(c, "InstanceProfile", d);
}

static struct reply *
list(struct call *c, const struct query *q)
{
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	struct doc *all = doc_obj(c->arena), *out, *d;
	struct reply *no;
	struct res_list l;
	int r = store_list(c->store, c->arena, q, &l);

	if (r)
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		if (!span_starts(l.v[i]->parent, prefix))
			continue;
		if ((no = show(c, l.v[i], &d)))
			return no;
		doc_append(c->arena, all, l.v[i]->id, d);
	}
	return (no = iam_page(c, "InstanceProfiles", all, &out)) ? no :
	    reply_ok(c, out);
}

struct reply *
iam_create_profile(struct call *c)
{
	struct reply *no;
	struct res *r;

	if ((no = iam_new(c, iam_noun_profile, &r)) ||
	    (no = iam_insert(c, r)) || (no = iam_put_tags(c, r)))
		return no;
	return reply_profile(c, r);
}

struct reply *
iam_get_profile(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_profile, &r);

	return no ? no : reply_profile(c, r);
}

struct reply *
iam_list_profiles(struct call *c)
{
	return list(c, &(struct query){.kind = &iam_instance_profile,
	    .scope = c->scope, .any_parent = true});
}

struct reply *
iam_list_profiles_of_role(struct call *c)
{
	struct res *role;
	struct reply *no = iam_named(c, iam_noun_role, &role);

	return no ? no : list(c, &(struct query){
	    .kind = &iam_instance_profile, .scope = c->scope,
	    .any_parent = true, .index = "spec.Role",
	    .value = doc_get_str(role->spec, "Id")});
}

struct reply *
iam_delete_profile(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_profile, &r);
	int e;

	if (no)
		return no;
	if (doc_get(r->spec, "Role"))
		return iam_conflict(c, "Cannot delete entity, must remove "
		    "roles from instance profile first.");
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}

static struct reply *
both(struct call *c, struct res **ret_profile, struct res **ret_role)
{
	struct reply *no = iam_named(c, iam_noun_profile, ret_profile);

	return no ? no : iam_named(c, iam_noun_role, ret_role);
}

struct reply *
iam_add_role(struct call *c)
{
	struct res *profile, *role;
	struct reply *no = both(c, &profile, &role);

	if (no || (no = iam_protected(c, role)))
		return no;
	if (doc_get(profile->spec, "Role"))
		return iam_quota(c, "InstanceSessionsPerInstanceProfile", 1);
	doc_set_str(c->arena, profile->spec, "Role",
	    doc_get_str(role->spec, "Id"));
	return iam_put_ok(c, profile);
}

struct reply *
iam_remove_role(struct call *c)
{
	struct res *profile, *role;
	struct reply *no = both(c, &profile, &role);

	if (no)
		return no;
	if (!span_eq(doc_get_str(profile->spec, "Role"),
		doc_get_str(role->spec, "Id")))
		return iam_missing(c, "The role with name %.*s cannot be "
		    "found.", SPAN_ARG(role->id));
	doc_del(profile->spec, "Role");
	return iam_put_ok(c, profile);
}
