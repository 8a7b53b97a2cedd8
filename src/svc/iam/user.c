/* Users. */
#include "svc/iam/iam.h"

struct doc *
iam_show_user(struct call *c, const struct res *r)
{
	return iam_show(c, iam_noun_user, r);
}

static struct reply *
reply_user(struct call *c, const struct res *r)
{
	struct doc *d = iam_show_user(c, r), *boundary;
	struct reply *no = iam_show_tags(c, r, d);

	if (no)
		return no;
	if ((boundary = iam_show_boundary(c, r)))
		doc_set(c->arena, d, "PermissionsBoundary", boundary);
	return iam_reply(c, "User", d);
}

/* AWS: without a name the one whose key signs is meant. */
struct reply *
iam_user_or_caller(struct call *c, struct res **ret)
{
	const struct res *caller = c->who.entity;
	int r;

	if (doc_get(c->in, "UserName"))
		return iam_named(c, iam_noun_user, ret);
	if (!caller || caller->kind != &iam_user)
		return reply_error(c, "ValidationError", "Must specify userName "
		    "when calling with non-User credentials");
	r = store_get_row(c->store, c->arena, caller->row, ret);
	return r ? iam_fail(c, r) : NULL;
}

struct reply *
iam_create_user(struct call *c)
{
	struct reply *no;
	struct res *r;

	if ((no = iam_new(c, iam_noun_user, &r)))
		return no;
	doc_set(c->arena, r->spec, "Groups", doc_arr(c->arena));
	if ((no = iam_set_boundary(c, r)) || (no = iam_insert(c, r)) ||
	    (no = iam_put_tags(c, r)))
		return no;
	return reply_user(c, r);
}

/* The root user has no name of its own. */
static struct reply *
show_root(struct call *c)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Path", SPAN("/"));
	doc_set_str(c->arena, d, "UserName", SPAN("root"));
	doc_set_str(c->arena, d, "UserId", c->who.id);
	doc_set_str(c->arena, d, "Arn", c->who.arn);
	doc_set_time(c->arena, d, "CreateDate", 0);
	return iam_reply(c, "User", d);
}

struct reply *
iam_get_user(struct call *c)
{
	struct reply *no;
	struct res *r;

	if (!doc_get(c->in, "UserName") && !c->who.entity && !c->who.system)
		return show_root(c);
	return (no = iam_user_or_caller(c, &r)) ? no : reply_user(c, r);
}

struct reply *
iam_list_users(struct call *c)
{
	struct query q = {.kind = &iam_user, .scope = c->scope,
	    .any_parent = true};
	struct doc *all, *out;
	struct reply *no = iam_list(c, &q, iam_show_user, &all);

	if (no || (no = iam_page(c, "Users", all, &out)))
		return no;
	return reply_ok(c, out);
}

struct reply *
iam_update_user(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_user, &r);

	return no ? no : iam_rename(c, iam_noun_user, r,
	    doc_get_str(c->in, "NewPath"), doc_get_str(c->in, "NewUserName"));
}

struct reply *
iam_delete_user(struct call *c)
{
	struct query keys = {.kind = &iam_access_key, .scope = c->scope,
	    .index = "spec.User"};
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_user, &r);
	int64_t n;
	int e;

	if (no)
		return no;
	keys.value = doc_get_str(r->spec, "Id");
	if ((n = store_count(c->store, &keys)) < 0)
		return iam_fail(c, (int)n);
	if (n)
		return iam_conflict(c, "Cannot delete entity, must delete "
		    "access keys first.");
	if (doc_len(doc_get(r->spec, "Groups")))
		return iam_conflict(c, "Cannot delete entity, must remove "
		    "users from group first.");
	if ((no = iam_holds_none(c, r)))
		return no;
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}
