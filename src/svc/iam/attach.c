/* Managed policies on roles, users and groups; permissions boundaries. */
#include "svc/iam/iam.h"

static struct reply *
no_such(struct call *c, struct span arn)
{
	return iam_missing(c, "Policy %.*s does not exist or is not "
	    "attachable.", SPAN_ARG(arn));
}

struct reply *
iam_attachable(struct call *c, struct span arn)
{
	struct res *r;
	int e;

	if (!span_starts(arn, SPAN("arn:")))
		return reply_error(c, "InvalidInput", "ARN %.*s is not valid.",
		    SPAN_ARG(arn));
	if (iam_aws_policy(arn))
		return NULL;
	e = store_get_arn(c->store, c->arena, arn, &r);
	if (e == STORE_E_NOT_FOUND || (e == 0 && r->kind != &iam_policy))
		return no_such(c, arn);
	return e ? iam_fail(c, e) : NULL;
}

/* Policies of service-linked roles are for those alone. */
static struct reply *
check_owner(struct call *c, struct span arn)
{
	const struct iam_aws_policy *p = iam_aws_policy(arn);

	if (!p || strcmp(p->path, "/aws-service-role/") != 0)
		return NULL;
	return reply_error(c, "PolicyNotAttachable", "Cannot attach a Service "
	    "Role Policy to a Customer Role.");
}

struct reply *
iam_attach(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct iam_noun *n = iam_noun(c);
	struct doc *list;
	struct res *r;
	struct reply *no = iam_named(c, n, &r);

	if (no || (no = iam_protected(c, r)) ||
	    (no = iam_attachable(c, arn)) || (no = check_owner(c, arn)))
		return no;
	list = doc_get(r->spec, "Attached");
	if (doc_has_str(list, arn))
		return reply_ok(c, NULL);
	if (doc_len(list) >= n->attach_max)
		return iam_quota(c, n->attach_quota, (int64_t)n->attach_max);
	doc_push_str(c->arena, list, arn);
	return iam_put_ok(c, r);
}

struct reply *
iam_detach(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	struct doc *list;
	struct res *r;
	struct reply *no = iam_named(c, iam_noun(c), &r);
	size_t i = 0;

	if (no || (no = iam_protected(c, r)))
		return no;
	list = doc_get(r->spec, "Attached");
	doc_each(v, list) {
		if (span_eq(doc_span(v), arn))
			break;
		i++;
	}
	if (i == doc_len(list))
		return iam_missing(c, "Policy %.*s was not found.",
		    SPAN_ARG(arn));
	doc_remove(list, i);
	return iam_put_ok(c, r);
}

static struct doc *
one(struct call *c, struct span arn)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "PolicyName",
	    span_from(arn, (size_t)span_rchr(arn, '/') + 1));
	doc_set_str(c->arena, d, "PolicyArn", arn);
	return d;
}

struct doc *
iam_show_attached(struct call *c, const struct res *r)
{
	struct doc *list = doc_arr(c->arena);

	doc_each(v, doc_get(r->spec, "Attached"))
		doc_push(list, one(c, doc_span(v)));
	return list;
}

/* The path of a policy is in its ARN: "...:policy/service-role/Name". */
static bool
under(struct span arn, struct span prefix)
{
	ptrdiff_t at = span_find(arn, SPAN(":policy/"));

	return span_starts(span_from(arn, (size_t)at + strlen(":policy")),
	    prefix);
}

struct reply *
iam_list_attached(struct call *c)
{
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	struct doc *all = doc_obj(c->arena), *out;
	struct res *r;
	struct reply *no = iam_named(c, iam_noun(c), &r);

	if (no)
		return no;
	doc_each(v, doc_get(r->spec, "Attached"))
		if (under(doc_span(v), prefix))
			doc_append(c->arena, all, doc_span(v),
			    one(c, doc_span(v)));
	return (no = iam_page(c, "AttachedPolicies", all, &out)) ? no :
	    reply_ok(c, out);
}

static struct reply *
add_entities(struct call *c, const struct iam_noun *n, const char *index,
    struct doc *all)
{
	struct query q = {.kind = n->kind, .scope = c->scope,
	    .any_parent = true, .index = index,
	    .value = doc_get_str(c->in, "PolicyArn")};
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	struct res_list l;
	struct doc *d;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		if (!span_starts(l.v[i]->parent, prefix))
			continue;
		d = doc_obj(c->arena);
		doc_set_str(c->arena, d, n->member, l.v[i]->id);
		doc_setf(c->arena, d, arena_fmt(c->arena, "%sId", n->title),
		    "%.*s", SPAN_ARG(doc_get_str(l.v[i]->spec, "Id")));
		doc_append(c->arena, all, arena_fmt_span(c->arena, "%s %.*s",
		    n->title, SPAN_ARG(l.v[i]->id)), d);
	}
	return NULL;
}

/* A page of all entities is told in three lists. */
static struct doc *
split(struct call *c, struct doc *out)
{
	const struct doc *page = doc_get(out, "Entities");
	struct doc *lists[3] = {doc_arr(c->arena), doc_arr(c->arena),
	    doc_arr(c->arena)};

	doc_each(d, page)
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
			if (doc_get(d, iam_nouns[i].member))
				doc_push(lists[i], doc_copy(c->arena, d));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		doc_set(c->arena, out, arena_fmt(c->arena, "Policy%s",
		    iam_nouns[i].list), lists[i]);
	doc_del(out, "Entities");
	return out;
}

struct reply *
iam_list_entities(struct call *c)
{
	struct span filter = doc_get_str(c->in, "EntityFilter");
	bool boundary = span_is(doc_get_str(c->in, "PolicyUsageFilter"),
	    "PermissionsBoundary");
	struct doc *all = doc_obj(c->arena), *out;
	struct reply *no = iam_attachable(c, doc_get_str(c->in, "PolicyArn"));

	if (no)
		return no;
	for (const struct iam_noun *n = iam_nouns; n->attach_max; n++) {
		if (filter.n && !span_is(filter, n->title))
			continue;
		if (!boundary &&
		    (no = add_entities(c, n, "spec.Attached", all)))
			return no;
		if (boundary && n != iam_noun_group &&
		    (no = add_entities(c, n, "spec.Boundary", all)))
			return no;
	}
	return (no = iam_page(c, "Entities", all, &out)) ? no :
	    reply_ok(c, split(c, out));
}

/* Boundaries */

struct reply *
iam_set_boundary(struct call *c, struct res *r)
{
	struct span arn = doc_get_str(c->in, "PermissionsBoundary");
	struct reply *no;

	if (!arn.n)
		return NULL;
	if ((no = iam_attachable(c, arn)))
		return no;
	doc_set_str(c->arena, r->spec, "Boundary", arn);
	return NULL;
}

struct doc *
iam_show_boundary(struct call *c, const struct res *r)
{
	struct span arn = doc_get_str(r->spec, "Boundary");
	struct doc *d;

	if (!arn.n)
		return NULL;
	d = doc_obj(c->arena);
	doc_set_str(c->arena, d, "PermissionsBoundaryType", SPAN("Policy"));
	doc_set_str(c->arena, d, "PermissionsBoundaryArn", arn);
	return d;
}

struct reply *
iam_put_boundary(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun(c), &r);

	if (no || (no = iam_protected(c, r)) || (no = iam_set_boundary(c, r)))
		return no;
	return iam_put_ok(c, r);
}

struct reply *
iam_delete_boundary(struct call *c)
{
	const struct iam_noun *n = iam_noun(c);
	struct res *r;
	struct reply *no = iam_named(c, n, &r);

	if (no || (no = iam_protected(c, r)))
		return no;
	if (!doc_get(r->spec, "Boundary"))
		return iam_missing(c, "%s %.*s does not have a permissions "
		    "boundary.", n->title, SPAN_ARG(r->id));
	doc_del(r->spec, "Boundary");
	return iam_put_ok(c, r);
}

struct reply *
iam_holds_none(struct call *c, const struct res *r)
{
	if (doc_len(doc_get(r->spec, "Attached")))
		return iam_conflict(c, "Cannot delete entity, must detach all "
		    "policies first.");
	if (doc_len(doc_get(r->spec, "Inline")))
		return iam_conflict(c, "Cannot delete entity, must delete "
		    "policies first.");
	return NULL;
}
