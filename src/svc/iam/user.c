/* Users, groups, and who is in which. */
#include "base/err.h"
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define GROUPS_MAX 10

static struct doc *
user_doc(struct call *c, const struct res *r, bool whole)
{
	struct doc *d = entity_doc(c, &entity_user, r);
	const struct doc *boundary = doc_get(r->spec, "PermissionsBoundary");

	if (boundary && whole) {
		struct doc *b = doc_obj(c->arena);

		doc_set_str(c->arena, b, "PermissionsBoundaryType",
		    SPAN("Policy"));
		doc_set_str(c->arena, b, "PermissionsBoundaryArn",
		    doc_span(boundary));
		doc_set(c->arena, d, "PermissionsBoundary", b);
	}
	if (whole)
		iam_set_tags(c, r, d);
	return d;
}

static struct doc *
show(struct call *c, const struct entity *e, const struct res *r, bool whole)
{
	return e == &entity_user ? user_doc(c, r, whole) :
	    entity_doc(c, e, r);
}

static struct reply *
create(struct call *c, const struct entity *e)
{
	struct span boundary = doc_get_str(c->in, "PermissionsBoundary");
	struct doc *out = doc_obj(c->arena);
	struct res *r;
	struct reply *no = entity_new(c, e, &r);

	if (no || (boundary.n && (no = policy_attachable(c, boundary))))
		return no;
	if (boundary.n)
		doc_set_str(c->arena, r->spec, "PermissionsBoundary", boundary);
	doc_set(c->arena, r->spec, "Policies", doc_obj(c->arena));
	doc_set(c->arena, r->spec, "Attached", doc_arr(c->arena));
	doc_set(c->arena, r->spec, "Groups", doc_arr(c->arena));
	if ((no = entity_insert(c, e, r)))
		return no;
	doc_set(c->arena, out, e->noun, show(c, e, r, true));
	return reply_ok(c, out);
}

struct reply *
iam_create_user(struct call *c)
{
	return create(c, &entity_user);
}

struct reply *
iam_create_group(struct call *c)
{
	return create(c, &entity_group);
}

/* Without a name: who calls, if that is a user. */
struct reply *
iam_get_user(struct call *c)
{
	struct span name = doc_get_str(c->in, "UserName");
	struct doc *out = doc_obj(c->arena), *d;
	struct res *r;
	struct reply *no;

	if (!name.n && span_find(c->who.arn, SPAN(":user/")) >= 0)
		name = span_from(c->who.arn,
		    (size_t)(span_rchr(c->who.arn, '/') + 1));
	if (!name.n && span_ends(c->who.arn, SPAN(":root"))) {
		d = doc_obj(c->arena);
		doc_set_str(c->arena, d, "Path", SPAN("/"));
		doc_set_str(c->arena, d, "UserId", c->who.id);
		doc_set_str(c->arena, d, "Arn", c->who.arn);
		doc_set(c->arena, out, "User", d);
		return reply_ok(c, out);
	}
	if (!name.n)
		return reply_error(c, "ValidationError", "Must specify "
		    "userName when calling with non-User credentials");
	if ((no = entity_find(c, &entity_user, name, &r)))
		return no;
	doc_set(c->arena, out, "User", user_doc(c, r, true));
	return reply_ok(c, out);
}

static struct reply *
list(struct call *c, const struct entity *e)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res_list l;
	struct reply *no = iam_page(c, &page);

	if (no || (no = entity_list(c, e, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++)
		doc_push(all, show(c, e, l.v[i], false));
	iam_page_set(c, &page, out, e->list, all, e->name);
	return reply_ok(c, out);
}

struct reply *
iam_list_users(struct call *c)
{
	return list(c, &entity_user);
}

struct reply *
iam_list_groups(struct call *c)
{
	return list(c, &entity_group);
}

static int
members(struct call *c, const struct res *group, struct res_list *ret)
{
	struct query q = {.kind = &iam_user, .scope = group->scope,
	    .any_parent = true, .index = "spec.Groups",
	    .value = doc_get_str(group->spec, "Key")};

	return store_list(c->store, c->arena, &q, ret);
}

struct reply *
iam_get_group(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res_list l;
	struct res *g;
	struct reply *no = iam_page(c, &page);
	int r;

	if (no || (no = entity_named(c, &entity_group, &g)))
		return no;
	if ((r = members(c, g, &l)))
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(all, user_doc(c, l.v[i], false));
	iam_page_set(c, &page, out, "Users", all, "UserName");
	doc_set(c->arena, out, "Group", entity_doc(c, &entity_group, g));
	return reply_ok(c, out);
}

static ptrdiff_t
index_of(const struct doc *list, struct span s)
{
	ptrdiff_t i = 0;

	doc_each(v, list) {
		if (span_eq(doc_span(v), s))
			return i;
		i++;
	}
	return -1;
}

static struct reply *
membership(struct call *c, struct res **ret_user, struct res **ret_group)
{
	struct reply *no = entity_named(c, &entity_group, ret_group);

	return no ? no : entity_named(c, &entity_user, ret_user);
}

struct reply *
iam_add_to_group(struct call *c)
{
	struct res *u, *g;
	struct reply *no = membership(c, &u, &g);
	struct doc *groups;
	struct span key;

	if (no)
		return no;
	groups = doc_get(u->spec, "Groups");
	key = doc_get_str(g->spec, "Key");
	if (index_of(groups, key) >= 0)
		return reply_ok(c, NULL);
	if (doc_len(groups) >= GROUPS_MAX)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for GroupsPerUser: %d", GROUPS_MAX);
	doc_push_str(c->arena, groups, key);
	no = iam_put(c, u);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_remove_from_group(struct call *c)
{
	struct res *u, *g;
	struct reply *no = membership(c, &u, &g);
	ptrdiff_t at;

	if (no)
		return no;
	at = index_of(doc_get(u->spec, "Groups"), doc_get_str(g->spec, "Key"));
	if (at < 0)
		return reply_error(c, "NoSuchEntity", "User %.*s is not in "
		    "group %.*s.", SPAN_ARG(u->id), SPAN_ARG(g->id));
	doc_remove(doc_get(u->spec, "Groups"), (size_t)at);
	no = iam_put(c, u);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_list_groups_of_user(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res *u, *g;
	struct reply *no = iam_page(c, &page);

	if (no || (no = entity_named(c, &entity_user, &u)))
		return no;
	doc_each(key, doc_get(u->spec, "Groups")) {
		if ((no = entity_find(c, &entity_group, doc_span(key), &g)))
			return no;
		doc_push(all, entity_doc(c, &entity_group, g));
	}
	iam_page_set(c, &page, out, "Groups", all, "GroupName");
	return reply_ok(c, out);
}

/* What stands in the way of a deletion; the refusal or NULL. */
static struct reply *
in_the_way(struct call *c, const struct res *r)
{
	if (doc_len(doc_get(r->spec, "Attached")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must detach all policies first.");
	if (doc_len(doc_get(r->spec, "Policies")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must delete policies first.");
	if (doc_len(doc_get(r->spec, "Groups")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must remove users from group first.");
	return NULL;
}

struct reply *
iam_delete_user(struct call *c)
{
	struct query q = {.kind = &iam_access_key, .scope = c->scope,
	    .index = "spec.UserKey"};
	struct res *u;
	struct reply *no = entity_named(c, &entity_user, &u);
	int64_t n;
	int r;

	if (no || (no = in_the_way(c, u)))
		return no;
	q.value = doc_get_str(u->spec, "Key");
	if ((n = store_count(c->store, &q)) < 0)
		return iam_fail(c, (int)n);
	if (n > 0)
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must delete access keys first.");
	r = store_delete(c->store, u);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
iam_delete_group(struct call *c)
{
	struct res_list l;
	struct res *g;
	struct reply *no = entity_named(c, &entity_group, &g);
	int r;

	if (no || (no = in_the_way(c, g)))
		return no;
	if ((r = members(c, g, &l)))
		return iam_fail(c, r);
	if (l.n)
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must remove users from group first.");
	r = store_delete(c->store, g);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}
