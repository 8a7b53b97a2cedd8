/* Policies inside of roles, users and groups; those attached to them. */
#include "auth/policy.h"
#include "base/err.h"
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define ATTACHED_MAX 10

static size_t
inline_max(const struct entity *e)
{
	return e == &entity_role ? 10240 : e == &entity_group ? 5120 : 2048;
}

/* AWS counts no white space. */
static size_t
weight(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] != ' ' && text.p[i] != '\n' &&
		    text.p[i] != '\t' && text.p[i] != '\r';
	return n;
}

struct reply *
iam_put_inline(struct call *c)
{
	const struct entity *e = entity_of(c);
	struct span text = doc_get_str(c->in, "PolicyDocument");
	struct span name = doc_get_str(c->in, "PolicyName");
	size_t total = weight(text);
	struct res *r;
	struct reply *no = entity_named(c, e, &r);

	if (no || (no = iam_check_policy(c, text, POLICY_IDENTITY)))
		return no;
	doc_each_key(k, v, doc_get(r->spec, "Policies"))
		if (!span_eq(k, name))
			total += weight(doc_span(v));
	if (total > inline_max(e))
		return reply_error(c, "LimitExceeded", "Maximum policy size of "
		    "%zu bytes exceeded for %s %.*s", inline_max(e), e->text,
		    SPAN_ARG(r->id));
	if (!doc_get(r->spec, "Policies"))
		doc_set(c->arena, r->spec, "Policies", doc_obj(c->arena));
	doc_setn(c->arena, doc_get(r->spec, "Policies"), name,
	    doc_str(c->arena, text));
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

static struct reply *
find_inline(struct call *c, const struct entity *e, struct res **ret,
    struct span *ret_text)
{
	struct span name = doc_get_str(c->in, "PolicyName");
	struct reply *no = entity_named(c, e, ret);
	const struct doc *d;

	if (no)
		return no;
	d = doc_getn(doc_get((*ret)->spec, "Policies"), name);
	if (!d)
		return reply_error(c, "NoSuchEntity", "The %s policy with name "
		    "%.*s cannot be found.", e->text, SPAN_ARG(name));
	*ret_text = doc_span(d);
	return NULL;
}

struct reply *
iam_get_inline(struct call *c)
{
	const struct entity *e = entity_of(c);
	struct doc *out = doc_obj(c->arena);
	struct span text;
	struct res *r;
	struct reply *no = find_inline(c, e, &r, &text);

	if (no)
		return no;
	doc_set_str(c->arena, out, e->name, r->id);
	doc_set_str(c->arena, out, "PolicyName",
	    doc_get_str(c->in, "PolicyName"));
	doc_set_str(c->arena, out, "PolicyDocument", iam_quote(c, text));
	return reply_ok(c, out);
}

struct reply *
iam_delete_inline(struct call *c)
{
	struct span text;
	struct res *r;
	struct reply *no = find_inline(c, entity_of(c), &r, &text);

	if (no)
		return no;
	doc_setn(c->arena, doc_get(r->spec, "Policies"),
	    doc_get_str(c->in, "PolicyName"), NULL);
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_list_inline(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res *r;
	struct reply *no = entity_named(c, entity_of(c), &r);

	if (no || (no = iam_page(c, &page)))
		return no;
	doc_each_key(k, v, doc_get(r->spec, "Policies"))
		doc_push_str(c->arena, all, k);
	iam_page_set(c, &page, out, "PolicyNames", all, NULL);
	return reply_ok(c, out);
}

/* Attached */

static ptrdiff_t
attached_at(const struct res *r, struct span arn)
{
	ptrdiff_t i = 0;

	doc_each(v, doc_get(r->spec, "Attached")) {
		if (span_eq(doc_span(v), arn))
			return i;
		i++;
	}
	return -1;
}

struct reply *
iam_attach(struct call *c)
{
	const struct entity *e = entity_of(c);
	struct span arn = doc_get_str(c->in, "PolicyArn");
	struct doc *list;
	struct res *r;
	struct reply *no = entity_named(c, e, &r);

	if (no || (no = policy_attachable(c, arn)))
		return no;
	if (attached_at(r, arn) >= 0)
		return reply_ok(c, NULL);
	list = doc_get(r->spec, "Attached");
	if (!list)
		doc_set(c->arena, r->spec, "Attached",
		    list = doc_arr(c->arena));
	if (doc_len(list) >= ATTACHED_MAX)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for PoliciesPer%s: %d", e->noun, ATTACHED_MAX);
	doc_push_str(c->arena, list, arn);
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_detach(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	struct res *r;
	struct reply *no = entity_named(c, entity_of(c), &r);
	ptrdiff_t at;

	if (no)
		return no;
	if ((at = attached_at(r, arn)) < 0)
		return reply_error(c, "NoSuchEntity", "Policy %.*s was not "
		    "found.", SPAN_ARG(arn));
	doc_remove(doc_get(r->spec, "Attached"), (size_t)at);
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

static struct span
last_part(struct span arn)
{
	return span_from(arn, (size_t)(span_rchr(arn, '/') + 1));
}

struct reply *
iam_list_attached(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	struct iam_page page;
	struct res *r;
	struct reply *no = entity_named(c, entity_of(c), &r);

	if (no || (no = iam_page(c, &page)))
		return no;
	doc_each(v, doc_get(r->spec, "Attached")) {
		struct span arn = doc_span(v), path;
		struct doc *d = doc_obj(c->arena);
		ptrdiff_t at = span_find(arn, SPAN(":policy/"));

		path = span_from(arn, (size_t)at + 7);
		if (!span_starts(path, prefix))
			continue;
		doc_set_str(c->arena, d, "PolicyName", last_part(arn));
		doc_set_str(c->arena, d, "PolicyArn", arn);
		doc_push(all, d);
	}
	iam_page_set(c, &page, out, "AttachedPolicies", all, "PolicyArn");
	return reply_ok(c, out);
}

static int
users_of(struct call *c, const struct entity *e, struct span arn,
    bool boundary, struct res_list *ret)
{
	struct query q = {.kind = e->kind, .scope = c->scope,
	    .any_parent = true, .value = arn,
	    .index = boundary ? "spec.PermissionsBoundary" : "spec.Attached"};

	return store_list(c->store, c->arena, &q, ret);
}

int64_t
policy_uses(struct call *c, struct span arn, bool boundary)
{
	const struct entity *const v[] = {&entity_role, &entity_user,
	    &entity_group};
	struct res_list l;
	int64_t n = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if ((r = users_of(c, v[i], arn, boundary, &l)) < 0)
			return err_trace(r);
		n += (int64_t)l.n;
	}
	return n;
}

struct reply *
iam_list_entities(struct call *c)
{
	static const struct {
		const struct entity *e;
		const char *member, *filter;
	} rows[] = {{&entity_group, "PolicyGroups", "Group"},
	    {&entity_user, "PolicyUsers", "User"},
	    {&entity_role, "PolicyRoles", "Role"}};
	struct span arn = doc_get_str(c->in, "PolicyArn");
	struct span filter = doc_get_str(c->in, "EntityFilter");
	bool boundary = span_is(doc_get_str(c->in, "PolicyUsageFilter"),
	    "PermissionsBoundary");
	struct doc *out = doc_obj(c->arena);
	struct reply *no = policy_attachable(c, arn);
	struct res_list l;
	int r;

	if (no)
		return no;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct doc *list = doc_arr(c->arena);

		doc_set(c->arena, out, rows[i].member, list);
		if (filter.n && !span_is(filter, rows[i].filter))
			continue;
		if ((r = users_of(c, rows[i].e, arn, boundary, &l)))
			return iam_fail(c, r);
		for (size_t j = 0; j < l.n; j++) {
			struct doc *d = doc_obj(c->arena);

			doc_set_str(c->arena, d, rows[i].e->name, l.v[j]->id);
			doc_set_str(c->arena, d, arena_fmt(c->arena, "%sId",
			    rows[i].e->noun), doc_get_str(l.v[j]->spec, "Id"));
			doc_push(list, d);
		}
	}
	doc_set_bool(c->arena, out, "IsTruncated", false);
	return reply_ok(c, out);
}
