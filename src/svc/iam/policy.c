/* Managed policies: ours with their versions, and AWS's own. */
#include "auth/policy.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define SIZE_MAX_MANAGED 6144
#define VERSIONS_MAX	 5

#define AWS_PREFIX "arn:aws:iam::aws:policy"

const struct managed *
managed_find(struct span arn)
{
	struct span rest = span_from(arn, strlen(AWS_PREFIX));

	if (!span_starts(arn, SPAN(AWS_PREFIX "/")))
		return NULL;
	for (const struct managed *m = managed_policies; m->name; m++)
		if (span_starts(rest, span_of(m->path)) &&
		    span_is(span_from(rest, strlen(m->path)), m->name))
			return m;
	return NULL;
}

static int
get(struct call *c, struct span arn, struct res **ret)
{
	int r = store_get_arn(c->store, c->arena, arn, ret);

	return r ? r : (*ret)->kind == &iam_policy ? 0 : STORE_E_NOT_FOUND;
}

static struct reply *
missing(struct call *c, struct span arn)
{
	return reply_error(c, "NoSuchEntity", "Policy %.*s was not found.",
	    SPAN_ARG(arn));
}

struct reply *
policy_attachable(struct call *c, struct span arn)
{
	struct res *p;
	int r = managed_find(arn) ? 0 : get(c, arn, &p);

	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "NoSuchEntity", "Policy %.*s does not "
		    "exist or is not attachable.", SPAN_ARG(arn));
	return r ? iam_fail(c, r) : NULL;
}

/* One of ours, to be changed. */
static struct reply *
named(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	int r;

	if (span_starts(arn, SPAN(AWS_PREFIX "/")))
		return reply_error(c, "AccessDenied", "Policy is outside your "
		    "own account.");
	r = get(c, arn, ret);
	if (r == STORE_E_NOT_FOUND)
		return missing(c, arn);
	return r ? iam_fail(c, r) : NULL;
}

static struct doc *
find_version(const struct res *p, struct span id)
{
	doc_each(v, doc_get(p->spec, "Versions"))
		if (span_eq(doc_get_str(v, "VersionId"), id))
			return v;
	return NULL;
}

static struct reply *
check_text(struct call *c, struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += !strchr(" \t\r\n", text.p[i]);
	if (n > SIZE_MAX_MANAGED)
		return reply_error(c, "LimitExceeded", "Cannot exceed quota "
		    "for PolicySize: %d", SIZE_MAX_MANAGED);
	return iam_check_policy(c, text, POLICY_IDENTITY);
}

/* Another version of the input's PolicyDocument; *ret is in the spec. */
static struct doc *
add_version(struct call *c, struct res *p, bool current)
{
	int64_t n = doc_get_int(p->spec, "Newest", 0) + 1;
	struct span id = arena_fmt_span(c->arena, "v%jd", (intmax_t)n);
	struct doc *v = doc_obj(c->arena);

	doc_set_int(c->arena, p->spec, "Newest", n);
	doc_set_str(c->arena, v, "VersionId", id);
	doc_set_str(c->arena, v, "Document",
	    doc_get_str(c->in, "PolicyDocument"));
	doc_set_int(c->arena, v, "Created", clock_ms());
	doc_push(doc_get(p->spec, "Versions"), v);
	if (current)
		doc_set_str(c->arena, p->spec, "DefaultVersionId", id);
	doc_set_int(c->arena, p->spec, "Updated", clock_ms());
	return v;
}

static struct reply *
policy_doc(struct call *c, const struct res *p, bool whole, struct doc **ret)
{
	int64_t used = policy_uses(c, p->arn, false);
	int64_t bound = policy_uses(c, p->arn, true);
	struct doc *d = entity_doc(c, &entity_policy, p);

	if (used < 0 || bound < 0)
		return iam_fail(c, (int)MIN(used, bound));
	doc_set_str(c->arena, d, "DefaultVersionId",
	    doc_get_str(p->spec, "DefaultVersionId"));
	doc_set_int(c->arena, d, "AttachmentCount", used);
	doc_set_int(c->arena, d, "PermissionsBoundaryUsageCount", bound);
	doc_set_bool(c->arena, d, "IsAttachable", true);
	doc_set_time(c->arena, d, "UpdateDate",
	    doc_get_int(p->spec, "Updated", p->created));
	if (whole) {
		doc_set(c->arena, d, "Description",
		    doc_copy(c->arena, doc_get(p->spec, "Description")));
		iam_set_tags(c, p, d);
	}
	*ret = d;
	return NULL;
}

/* AWS's own: their ids and dates are of no use here but must be steady. */
static struct reply *
managed_doc(struct call *c, const struct managed *m, struct doc **ret)
{
	struct span arn = arena_fmt_span(c->arena, AWS_PREFIX "%s%s", m->path,
	    m->name);
	struct span hex = span_of(sha256_hex(c->arena, arn));
	int64_t used = policy_uses(c, arn, false);
	int64_t bound = policy_uses(c, arn, true);
	struct doc *d = doc_obj(c->arena);
	char *id = arena_fmt(c->arena, "ANPA%.17s", hex.p);

	if (used < 0 || bound < 0)
		return iam_fail(c, (int)MIN(used, bound));
	for (char *p = id; *p; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	doc_set_str(c->arena, d, "PolicyName", span_of(m->name));
	doc_set_str(c->arena, d, "PolicyId", span_of(id));
	doc_set_str(c->arena, d, "Arn", arn);
	doc_set_str(c->arena, d, "Path", span_of(m->path));
	doc_set_str(c->arena, d, "DefaultVersionId", SPAN("v1"));
	doc_set_int(c->arena, d, "AttachmentCount", used);
	doc_set_int(c->arena, d, "PermissionsBoundaryUsageCount", bound);
	doc_set_bool(c->arena, d, "IsAttachable", true);
	doc_set_time(c->arena, d, "CreateDate", INT64_C(1423180800000));
	doc_set_time(c->arena, d, "UpdateDate", INT64_C(1423180800000));
	*ret = d;
	return NULL;
}

struct reply *
iam_create_policy(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *d;
	struct res *p;
	struct reply *no = entity_new(c, &entity_policy, &p);

	if (no ||
	    (no = check_text(c, doc_get_str(c->in, "PolicyDocument"))))
		return no;
	doc_set(c->arena, p->spec, "Versions", doc_arr(c->arena));
	doc_set(c->arena, p->spec, "Description",
	    doc_copy(c->arena, doc_get(c->in, "Description")));
	add_version(c, p, true);
	if ((no = entity_insert(c, &entity_policy, p)) ||
	    (no = policy_doc(c, p, true, &d)))
		return no;
	doc_set(c->arena, out, "Policy", d);
	return reply_ok(c, out);
}

struct reply *
iam_get_policy(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct managed *m = managed_find(arn);
	struct doc *out = doc_obj(c->arena), *d;
	struct res *p;
	struct reply *no;
	int r = m ? 0 : get(c, arn, &p);

	if (r)
		return r == STORE_E_NOT_FOUND ? missing(c, arn) :
		    iam_fail(c, r);
	no = m ? managed_doc(c, m, &d) : policy_doc(c, p, true, &d);
	if (no)
		return no;
	doc_set(c->arena, out, "Policy", d);
	return reply_ok(c, out);
}

static bool
wanted(const struct call *c, const struct doc *d)
{
	struct span usage = doc_get_str(c->in, "PolicyUsageFilter");
	int64_t used = doc_get_int(d, "AttachmentCount", 0);
	int64_t bound = doc_get_int(d, "PermissionsBoundaryUsageCount", 0);

	if (!span_starts(doc_get_str(d, "Path"),
	    doc_get_str(c->in, "PathPrefix")))
		return false;
	if (span_is(usage, "PermissionsBoundary") && !bound)
		return false;
	return !doc_get_bool(c->in, "OnlyAttached", false) || used > 0;
}

struct reply *
iam_list_policies(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena), *d;
	struct span of = doc_get_str(c->in, "Scope");
	struct iam_page page;
	struct res_list l = {.v = NULL};
	struct reply *no = iam_page(c, &page);

	if (no || (!span_is(of, "AWS") &&
	    (no = entity_list(c, &entity_policy, &l))))
		return no;
	for (size_t i = 0; i < l.n; i++) {
		if ((no = policy_doc(c, l.v[i], false, &d)))
			return no;
		if (wanted(c, d))
			doc_push(all, d);
	}
	for (const struct managed *m = managed_policies;
	    m->name && !span_is(of, "Local"); m++) {
		if ((no = managed_doc(c, m, &d)))
			return no;
		if (wanted(c, d))
			doc_push(all, d);
	}
	iam_page_set(c, &page, out, "Policies", all, "Arn");
	return reply_ok(c, out);
}

struct reply *
iam_delete_policy(struct call *c)
{
	struct res *p;
	struct reply *no = named(c, &p);
	int64_t used, bound;
	int r;

	if (no)
		return no;
	used = policy_uses(c, p->arn, false);
	bound = policy_uses(c, p->arn, true);
	if (used < 0 || bound < 0)
		return iam_fail(c, (int)MIN(used, bound));
	if (used + bound > 0)
		return reply_error(c, "DeleteConflict", "Cannot delete a policy "
		    "attached to entities.");
	if (doc_len(doc_get(p->spec, "Versions")) > 1)
		return reply_error(c, "DeleteConflict", "This policy has more "
		    "than one version. Before you delete a policy, you must "
		    "delete the policy's versions. The default version is "
		    "deleted with the policy.");
	r = store_delete(c->store, p);
	return r ? iam_fail(c, r) : reply_ok(c, NULL);
}

/* Versions */

static struct doc *
version_doc(struct call *c, const struct res *p, const struct doc *v,
    bool text)
{
	struct doc *d = doc_obj(c->arena);
	struct span id = doc_get_str(v, "VersionId");

	if (text)
		doc_set_str(c->arena, d, "Document",
		    iam_quote(c, doc_get_str(v, "Document")));
	doc_set_str(c->arena, d, "VersionId", id);
	doc_set_bool(c->arena, d, "IsDefaultVersion", span_eq(id,
	    doc_get_str(p->spec, "DefaultVersionId")));
	doc_set_time(c->arena, d, "CreateDate", doc_get_int(v, "Created", 0));
	return d;
}

struct reply *
iam_create_version(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *v;
	struct res *p;
	struct reply *no = named(c, &p);

	if (no ||
	    (no = check_text(c, doc_get_str(c->in, "PolicyDocument"))))
		return no;
	if (doc_len(doc_get(p->spec, "Versions")) >= VERSIONS_MAX)
		return reply_error(c, "LimitExceeded", "A managed policy can "
		    "have up to %d versions. Before you create a new version, "
		    "you must delete an existing version.", VERSIONS_MAX);
	v = add_version(c, p, doc_get_bool(c->in, "SetAsDefault", false));
	if ((no = iam_put(c, p)))
		return no;
	doc_set(c->arena, out, "PolicyVersion", version_doc(c, p, v, false));
	return reply_ok(c, out);
}

static struct reply *
version_missing(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");

	return reply_error(c, "NoSuchEntity", "Policy %.*s version %.*s does "
	    "not exist or is not attachable.", SPAN_ARG(arn),
	    SPAN_ARG(doc_get_str(c->in, "VersionId")));
}

static struct doc *
managed_version(struct call *c, const struct managed *m, bool text)
{
	struct doc *d = doc_obj(c->arena);

	if (text)
		doc_set_str(c->arena, d, "Document",
		    iam_quote(c, span_of(m->document)));
	doc_set_str(c->arena, d, "VersionId", SPAN("v1"));
	doc_set_bool(c->arena, d, "IsDefaultVersion", true);
	doc_set_time(c->arena, d, "CreateDate", INT64_C(1423180800000));
	return d;
}

struct reply *
iam_get_version(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	struct span id = doc_get_str(c->in, "VersionId");
	const struct managed *m = managed_find(arn);
	struct doc *out = doc_obj(c->arena), *v;
	struct res *p;
	int r = m ? 0 : get(c, arn, &p);

	if (r)
		return r == STORE_E_NOT_FOUND ? missing(c, arn) :
		    iam_fail(c, r);
	if (m && !span_is(id, "v1"))
		return version_missing(c);
	if (m) {
		doc_set(c->arena, out, "PolicyVersion",
		    managed_version(c, m, true));
		return reply_ok(c, out);
	}
	if (!(v = find_version(p, id)))
		return version_missing(c);
	doc_set(c->arena, out, "PolicyVersion", version_doc(c, p, v, true));
	return reply_ok(c, out);
}

struct reply *
iam_list_versions(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct managed *m = managed_find(arn);
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res *p;
	int r = m ? 0 : get(c, arn, &p);

	if (r)
		return r == STORE_E_NOT_FOUND ? missing(c, arn) :
		    iam_fail(c, r);
	if (m) {
		doc_push(list, managed_version(c, m, false));
	} else {
		const struct doc *all = doc_get(p->spec, "Versions");

		for (size_t i = doc_len(all); i-- > 0;)
			doc_push(list, version_doc(c, p, doc_at(all, i),
			    false));
	}
	doc_set(c->arena, out, "Versions", list);
	doc_set_bool(c->arena, out, "IsTruncated", false);
	return reply_ok(c, out);
}

struct reply *
iam_delete_version(struct call *c)
{
	struct span id = doc_get_str(c->in, "VersionId");
	struct res *p;
	struct reply *no = named(c, &p);
	struct doc *all;
	size_t i = 0;

	if (no)
		return no;
	if (!find_version(p, id))
		return version_missing(c);
	if (span_eq(id, doc_get_str(p->spec, "DefaultVersionId")))
		return reply_error(c, "DeleteConflict", "Cannot delete the "
		    "default version of a policy.");
	all = doc_get(p->spec, "Versions");
	while (!span_eq(doc_get_str(doc_at(all, i), "VersionId"), id))
		i++;
	doc_remove(all, i);
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_set_default_version(struct call *c)
{
	struct span id = doc_get_str(c->in, "VersionId");
	struct res *p;
	struct reply *no = named(c, &p);

	if (no)
		return no;
	if (!find_version(p, id))
		return version_missing(c);
	doc_set_str(c->arena, p->spec, "DefaultVersionId", id);
	doc_set_int(c->arena, p->spec, "Updated", clock_ms());
	no = iam_put(c, p);
	return no ? no : reply_ok(c, NULL);
}
