/* What has a path and a name: finding, making, listing. */
#include <stdlib.h>

#include "auth/policy.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/iam/iam.h"
#include "wire/model.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define TAGS_MAX 50

const struct entity entity_role = {&iam_role, "Role", "role", "RoleName",
    "Roles", "AROA", 1000, "RolesPerAccount"};
const struct entity entity_user = {&iam_user, "User", "user", "UserName",
    "Users", "AIDA", 5000, "UsersPerAccount"};
const struct entity entity_group = {&iam_group, "Group", "group", "GroupName",
    "Groups", "AGPA", 300, "GroupsPerAccount"};
const struct entity entity_policy = {&iam_policy, "Policy", "policy",
    "PolicyName", "Policies", "ANPA", 1500, "PoliciesPerAccount"};
const struct entity entity_profile = {&iam_instance_profile, "InstanceProfile",
    "instance profile", "InstanceProfileName", "InstanceProfiles", "AIPA",
    1000, "InstanceProfilesPerAccount"};

const struct entity *
entity_of(const struct call *c)
{
	struct span op = model_str(c->op->model, c->op->name);

	if (span_find(op, SPAN("InstanceProfile")) >= 0)
		return &entity_profile;
	if (span_find(op, SPAN("Role")) >= 0)
		return &entity_role;
	if (span_find(op, SPAN("User")) >= 0)
		return &entity_user;
	if (span_find(op, SPAN("Group")) >= 0)
		return &entity_group;
	return &entity_policy;
}

struct reply *
iam_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct span
iam_lower(struct arena *a, struct span s)
{
	char *p = arena_str(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 'a' - 'A');
	return span_make(p, s.n);
}

struct span
iam_quote(struct call *c, struct span text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_uri(&b, text, false);
	return arena_span(c->arena, buf_span(&b));
}

struct reply *
iam_check_policy(struct call *c, struct span text, int type)
{
	struct span why;
	struct doc *d;

	if (policy_parse(c->arena, text, (enum policy_type)type, &d, &why))
		return reply_error(c, "MalformedPolicyDocument", "%.*s",
		    SPAN_ARG(why));
	return NULL;
}

int
entity_get(struct store *s, struct arena *a, const struct entity *e,
    struct scope scope, struct span name, struct res **ret)
{
	struct query q = {.kind = e->kind, .scope = scope, .any_parent = true,
	    .index = "spec.Key", .value = iam_lower(a, name), .limit = 1};
	struct res_list l;
	int r;

	if (!scope.account.n)
		return STORE_E_NOT_FOUND;
	q.scope.region = SPAN("");
	if ((r = store_list(s, a, &q, &l)) < 0)
		return err_trace(r);
	if (l.n == 0)
		return STORE_E_NOT_FOUND;
	*ret = l.v[0];
	return 0;
}

struct reply *
entity_missing(struct call *c, const struct entity *e, struct span name)
{
	if (e == &entity_profile)
		return reply_error(c, "NoSuchEntity", "Instance Profile %.*s "
		    "cannot be found.", SPAN_ARG(name));
	return reply_error(c, "NoSuchEntity",
	    "The %s with name %.*s cannot be found.", e->text, SPAN_ARG(name));
}

struct reply *
entity_find(struct call *c, const struct entity *e, struct span name,
    struct res **ret)
{
	int r = entity_get(c->store, c->arena, e, c->scope, name, ret);

	if (r == STORE_E_NOT_FOUND)
		return entity_missing(c, e, name);
	return r ? iam_fail(c, r) : NULL;
}

struct reply *
entity_named(struct call *c, const struct entity *e, struct res **ret)
{
	return entity_find(c, e, doc_get_str(c->in, e->name), ret);
}

struct reply *
entity_new(struct call *c, const struct entity *e, struct res **ret)
{
	struct span name = doc_get_str(c->in, e->name);
	struct span path = doc_get_str(c->in, "Path");
	struct res *r, *old;
	int have = entity_get(c->store, c->arena, e, c->scope, name, &old);

	if (have < 0)
		return iam_fail(c, have);
	if (have == 0)
		return reply_error(c, "EntityAlreadyExists",
		    e == &entity_policy ? "A %s called %.*s already exists. "
		    "Duplicate names are not allowed." : "%s with name %.*s "
		    "already exists.", e == &entity_profile ?
		    "Instance Profile" : e == &entity_policy ? e->text :
		    e->noun, SPAN_ARG(name));
	path = path.n ? path : SPAN("/");
	r = res_new(c->arena, e->kind, c->scope, span_from(path, 1), name);
	doc_set_str(c->arena, r->spec, "Path", path);
	doc_set_str(c->arena, r->spec, "Key", iam_lower(c->arena, name));
	doc_setf(c->arena, r->spec, "Id", "%s%s", e->prefix,
	    id_upper(c->arena, 17));
	*ret = r;
	return NULL;
}

static struct reply *
put_tags(struct call *c, const struct res *r)
{
	struct doc *now;
	int e;

	doc_each(t, doc_get(c->in, "Tags")) {
		struct span k = doc_get_str(t, "Key");

		if (span_ieq(span_to(k, 4), SPAN("aws:")) && !c->who.system)
			return reply_error(c, "InvalidInput",
			    "aws: prefixed tag key names are not allowed for "
			    "external use.");
		e = store_tag(c->store, r, k, doc_get_str(t, "Value"));
		if (e)
			return iam_fail(c, e);
	}
	if ((e = store_tags(c->store, c->arena, r, &now)))
		return iam_fail(c, e);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for TagsPerResource: %d", TAGS_MAX);
	return NULL;
}

struct reply *
entity_insert(struct call *c, const struct entity *e, struct res *r)
{
	struct query q = {.kind = e->kind, .scope = r->scope,
	    .any_parent = true};
	int64_t n = store_count(c->store, &q);
	int err;

	if (n < 0)
		return iam_fail(c, (int)n);
	if ((size_t)n >= e->max)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for %s: %zu", e->quota, e->max);
	if ((err = store_insert(c->store, c->arena, r)))
		return iam_fail(c, err);
	return put_tags(c, r);
}

struct reply *
iam_put(struct call *c, struct res *r)
{
	int e = store_put_spec(c->store, r);

	return e ? iam_fail(c, e) : NULL;
}

struct doc *
entity_doc(struct call *c, const struct entity *e, const struct res *r)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Path", doc_get_str(r->spec, "Path"));
	doc_set_str(c->arena, d, e->name, r->id);
	doc_set_str(c->arena, d, arena_fmt(c->arena, "%sId", e->noun),
	    doc_get_str(r->spec, "Id"));
	doc_set_str(c->arena, d, "Arn", r->arn);
	doc_set_time(c->arena, d, "CreateDate", r->created);
	return d;
}

void
iam_set_tags(struct call *c, const struct res *r, struct doc *d)
{
	struct doc *list = doc_arr(c->arena), *tags = NULL;

	if (store_tags(c->store, c->arena, r, &tags) < 0)
		return; /* told, and the next write fails */
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "Key", k);
		doc_set_str(c->arena, t, "Value", doc_span(v));
		doc_push(list, t);
	}
	if (doc_len(list))
		doc_set(c->arena, d, "Tags", list);
}

/* Pages */

struct reply *
iam_page(struct call *c, struct iam_page *ret)
{
	struct span marker = doc_get_str(c->in, "Marker");

	*ret = (struct iam_page){
	    .limit = (size_t)doc_get_int(c->in, "MaxItems", 100)};
	if (marker.n && !page_token_read(c, marker, &ret->after))
		return reply_error(c, "ValidationError", "Invalid Marker.");
	return NULL;
}

struct item {
	struct span at;
	const struct doc *d;
};

static int
by_text(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return span_cmp(x->at, y->at);
}

void
iam_page_set(struct call *c, const struct iam_page *p, struct doc *out,
    const char *member, const struct doc *all, const char *name)
{
	struct item *v = arena_array(c->arena, struct item, doc_len(all) + 1);
	struct doc *list = doc_arr(c->arena);
	size_t n = 0, i = 0;

	doc_each(d, all)
		v[n++] = (struct item){name ? doc_get_str(d, name) :
		    doc_span(d), d};
	qsort(v, n, sizeof(*v), by_text);
	while (i < n && p->after.n && span_cmp(v[i].at, p->after) <= 0)
		i++;
	for (; i < n && doc_len(list) < p->limit; i++)
		doc_push(list, doc_copy(c->arena, v[i].d));
	doc_set(c->arena, out, member, list);
	doc_set_bool(c->arena, out, "IsTruncated", i < n);
	if (i < n)
		doc_set_str(c->arena, out, "Marker",
		    page_token_text(c, v[i - 1].at));
}

struct reply *
entity_list(struct call *c, const struct entity *e, struct res_list *ret)
{
	struct query q = {.kind = e->kind, .scope = c->scope,
	    .any_parent = true};
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	size_t n = 0;
	int r;

	q.scope.region = SPAN("");
	if ((r = store_list(c->store, c->arena, &q, ret)))
		return iam_fail(c, r);
	for (size_t i = 0; i < ret->n; i++)
		if (span_starts(doc_get_str(ret->v[i]->spec, "Path"), prefix))
			ret->v[n++] = ret->v[i];
	ret->n = n;
	return NULL;
}

/* Tags */

/* What TagX names: by its name, or an ARN. */
static struct reply *
tagged(struct call *c, struct res **ret)
{
	const struct entity *e = entity_of(c);
	struct span arn = doc_get_str(c->in, "PolicyArn");
	int r;

	if (!arn.n)
		arn = doc_get_str(c->in, "OpenIDConnectProviderArn");
	if (!arn.n)
		return entity_named(c, e, ret);
	r = store_get_arn(c->store, c->arena, arn, ret);
	if (r == STORE_E_NOT_FOUND || (r == 0 &&
	    (*ret)->kind != &iam_policy && (*ret)->kind != &iam_oidc_provider))
		return reply_error(c, "NoSuchEntity", "%.*s does not exist.",
		    SPAN_ARG(arn));
	return r ? iam_fail(c, r) : NULL;
}

struct reply *
iam_tag(struct call *c)
{
	struct res *r;
	struct reply *no = tagged(c, &r);

	if (no || (no = put_tags(c, r)))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
iam_untag(struct call *c)
{
	struct res *r;
	struct reply *no = tagged(c, &r);
	int e;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((e = store_untag(c->store, r, doc_span(k))) < 0)
			return iam_fail(c, e);
	return reply_ok(c, NULL);
}

struct reply *
iam_list_tags(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d = doc_obj(c->arena);
	struct iam_page page;
	struct res *r;
	struct reply *no = tagged(c, &r);

	if (no || (no = iam_page(c, &page)))
		return no;
	iam_set_tags(c, r, d);
	iam_page_set(c, &page, out, "Tags", doc_get(d, "Tags"), "Key");
	return reply_ok(c, out);
}
