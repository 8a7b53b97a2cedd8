/* Groups, and who is in them. */
#include "svc/iam/iam.h"

#define GROUPS_MAX 10 /* of a user */

struct doc *
iam_show_group(struct call *c, const struct res *r)
{
	return iam_show(c, iam_noun_group, r);
}

static struct query
members(struct call *c, const struct res *group)
{
	return (struct query){.kind = &iam_user, .scope = c->scope,
	    .any_parent = true, .index = "spec.Groups",
	    .value = doc_get_str(group->spec, "Id")};
}

struct reply *
iam_create_group(struct call *c)
{
	struct reply *no;
	struct res *r;

	if ((no = iam_new(c, iam_noun_group, &r)) || (no = iam_insert(c, r)))
		return no;
	return iam_reply(c, "Group", iam_show_group(c, r));
}

struct reply *
iam_get_group(struct call *c)
{
	struct doc *all, *out;
	struct query q;
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_group, &r);

	if (no)
		return no;
	q = members(c, r);
	if ((no = iam_list(c, &q, iam_show_user, &all)) ||
	    (no = iam_page(c, "Users", all, &out)))
		return no;
	return reply_ok(c, doc_set(c->arena, out, "Group",
	    iam_show_group(c, r)));
}

struct reply *
iam_list_groups(struct call *c)
{
	struct query q = {.kind = &iam_group, .scope = c->scope,
	    .any_parent = true};
	struct doc *all, *out;
	struct reply *no = iam_list(c, &q, iam_show_group, &all);

	if (no || (no = iam_page(c, "Groups", all, &out)))
		return no;
	return reply_ok(c, out);
}

struct reply *
iam_update_group(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_group, &r);

	return no ? no : iam_rename(c, iam_noun_group, r,
	    doc_get_str(c->in, "NewPath"), doc_get_str(c->in, "NewGroupName"));
}

struct reply *
iam_delete_group(struct call *c)
{
	struct query q;
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_group, &r);
	int64_t n;
	int e;

	if (no)
		return no;
	q = members(c, r);
	if ((n = store_count(c->store, &q)) < 0)
		return iam_fail(c, (int)n);
	if (n)
		return iam_conflict(c, "Cannot delete entity, must remove "
		    "users from group first.");
	if ((no = iam_holds_none(c, r)))
		return no;
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}

/* The group and the user that the input names. */
static struct reply *
both(struct call *c, struct res **ret_group, struct res **ret_user)
{
	struct reply *no = iam_named(c, iam_noun_group, ret_group);

	return no ? no : iam_named(c, iam_noun_user, ret_user);
}

struct reply *
iam_add_member(struct call *c)
{
	struct res *group, *user;
	struct reply *no = both(c, &group, &user);
	struct span id;
	struct doc *list;

	if (no)
		return no;
	id = doc_get_str(group->spec, "Id");
	list = doc_get(user->spec, "Groups");
	if (doc_has_str(list, id))
		return reply_ok(c, NULL);
	if (doc_len(list) >= GROUPS_MAX)
		return iam_quota(c, "GroupsPerUser", GROUPS_MAX);
	doc_push_str(c->arena, list, id);
	return iam_put_ok(c, user);
}

struct reply *
iam_remove_member(struct call *c)
{
	struct doc *left = doc_arr(c->arena);
	struct res *group, *user;
	struct reply *no = both(c, &group, &user);
	struct span id;

	if (no)
		return no;
	id = doc_get_str(group->spec, "Id");
	doc_each(v, doc_get(user->spec, "Groups"))
		if (!span_eq(doc_span(v), id))
			doc_push(left, doc_copy(c->arena, v));
	doc_set(c->arena, user->spec, "Groups", left);
	return iam_put_ok(c, user);
}

struct reply *
iam_list_groups_of_user(struct call *c)
{
	struct doc *all = doc_obj(c->arena), *out;
	struct res *user, *group;
	struct reply *no = iam_named(c, iam_noun_user, &user);
	int e;

	if (no)
		return no;
	doc_each(id, doc_get(user->spec, "Groups")) {
		if ((e = iam_by_id(c, &iam_group, doc_span(id), &group)))
			return iam_fail(c, e);
		doc_append(c->arena, all, group->id, iam_show_group(c, group));
	}
	return (no = iam_page(c, "Groups", all, &out)) ? no :
	    reply_ok(c, out);
}
