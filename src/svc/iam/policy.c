/* Managed policies of the account, and what AWS keeps of its own. */
#include "base/id.h"
#include "svc/iam/iam.h"
#include "wire/model.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define POLICY_MAX   6144 /* characters, white space apart */
#define VERSIONS_MAX 5

#define AWS_PREFIX SPAN("arn:aws:iam::aws:policy")

const struct iam_aws_policy *
iam_aws_policy(struct span arn)
{
	struct span rest = span_from(arn, AWS_PREFIX.n);

	if (!span_starts(arn, AWS_PREFIX))
		return NULL;
	for (const struct iam_aws_policy *p = iam_aws_policies; p->name; p++)
		if (span_starts(rest, span_of(p->path)) &&
		    span_is(span_from(rest, strlen(p->path)), p->name))
			return p;
	return NULL;
}

static struct reply *
not_found(struct call *c, struct span arn)
{
	return iam_missing(c, "Policy %.*s was not found.", SPAN_ARG(arn));
}

struct reply *
iam_find_policy(struct call *c, struct span arn, struct res **ret)
{
	int r;

	/* What changes a policy is not for AWS's own. */
	if (iam_aws_policy(arn))
		return reply_error_with(c, 403, "AccessDenied", NULL,
		    "User: %.*s is not authorized to perform: iam:%.*s on resource: policy "
		    "%.*s", SPAN_ARG(c->who.arn),
		    SPAN_ARG(model_op_name(c->op)), SPAN_ARG(arn));
	r = store_get_arn(c->store, c->arena, arn, ret);
	if (r == STORE_E_NOT_FOUND || (r == 0 && (*ret)->kind != &iam_policy))
		return not_found(c, arn);
	return r ? iam_fail(c, r) : NULL;
}

/* How often a policy is attached, or a boundary.  Negative: an error. */
static int64_t
usage(struct call *c, struct span arn, const char *index)
{
	int64_t sum = 0, n;

	for (const struct iam_noun *k = iam_nouns; k->attach_max; k++) {
		struct query q = {.kind = k->kind, .scope = c->scope,
		    .any_parent = true, .index = index, .value = arn};

		if (k == iam_noun_group && strcmp(index, "spec.Boundary") == 0)
			continue;
		if ((n = store_count(c->store, &q)) < 0)
			return n;
		sum += n;
	}
	return sum;
}

static struct reply *
add_usage(struct call *c, struct span arn, struct doc *d)
{
	int64_t attached = usage(c, arn, "spec.Attached");
	int64_t bound = usage(c, arn, "spec.Boundary");

	if (attached < 0 || bound < 0)
		return iam_fail(c, (int)MIN(attached, bound));
	doc_set_int(c->arena, d, "AttachmentCount", attached);
	doc_set_int(c->arena, d, "PermissionsBoundaryUsageCount", bound);
	doc_set_bool(c->arena, d, "IsAttachable", true);
	return NULL;
}

/* What lists tell of a policy. */
static struct reply *
show(struct call *c, const struct res *r, struct doc **ret)
{
	struct doc *d = iam_show(c, iam_noun_policy, r);
	struct reply *no = add_usage(c, r->arn, d);

	if (no)
		return no;
	doc_set_str(c->arena, d, "DefaultVersionId",
	    doc_get_str(r->spec, "Default"));
	doc_set_time(c->arena, d, "UpdateDate",
	    doc_get_int(r->spec, "Updated", r->created));
	*ret = d;
	return NULL;
}

/* AWS does not publish them; the same one every time. */
static struct span
aws_id(struct call *c, const struct iam_aws_policy *p)
{
	char *hex = sha256_hex(c->arena, span_of(p->name));

	for (size_t i = 0; i < 17; i++)
		hex[i] = (char)(hex[i] >= 'a' ? hex[i] - 'a' + 'A' :
		    hex[i] - '0' + 'G');
	return arena_fmt_span(c->arena, "ANPA%.17s", hex);
}

static struct span
aws_text(struct call *c, const struct iam_aws_policy *p)
{
	char *text = arena_str(c->arena, span_of(p->text));

	for (char *s = text; *s; s++)
		if (*s == '\'')
			*s = '"';
	return span_of(text);
}

static struct reply *
show_aws(struct call *c, const struct iam_aws_policy *p, struct doc **ret)
{
	struct doc *d = doc_obj(c->arena);
	struct span arn = arena_fmt_span(c->arena, "%.*s%s%s",
	    SPAN_ARG(AWS_PREFIX), p->path, p->name);
	struct reply *no = add_usage(c, arn, d);

	if (no)
		return no;
	doc_set_str(c->arena, d, "PolicyName", span_of(p->name));
	doc_set_str(c->arena, d, "PolicyId", aws_id(c, p));
	doc_set_str(c->arena, d, "Arn", arn);
	doc_set_str(c->arena, d, "Path", span_of(p->path));
	doc_setf(c->arena, d, "DefaultVersionId", "v%d", p->version);
	doc_set_time(c->arena, d, "CreateDate", p->created * 1000);
	doc_set_time(c->arena, d, "UpdateDate", p->updated * 1000);
	*ret = d;
	return NULL;
}

static struct reply *
reply_policy(struct call *c, const struct res *r)
{
	const struct doc *about = doc_get(r->spec, "Description");
	struct doc *d;
	struct reply *no = show(c, r, &d);

	if (no || (no = iam_show_tags(c, r, d)))
		return no;
	if (about)
		doc_set_str(c->arena, d, "Description", doc_span(about));
	return iam_reply(c, "Policy", d);
}

/* Versions */

static struct reply *
check_text(struct call *c, struct span text)
{
	struct reply *no = iam_check_policy(c, text, POLICY_MANAGED);

	if (no)
		return no;
	return policy_size(text) > POLICY_MAX ?
	    iam_quota(c, "PolicySize", POLICY_MAX) : NULL;
}

static struct doc *
add_version(struct call *c, struct res *r, struct span text, bool make_default)
{
	int64_t next = doc_get_int(r->spec, "Next", 1);
	struct doc *v = doc_obj(c->arena);

	doc_setf(c->arena, v, "Id", "v%lld", (long long)next);
	doc_set_str(c->arena, v, "Text", text);
	doc_set_int(c->arena, v, "Created", iam_now());
	doc_push(doc_get(r->spec, "Versions"), v);
	doc_set_int(c->arena, r->spec, "Next", next + 1);
	doc_set_int(c->arena, r->spec, "Updated", iam_now());
	if (make_default)
		doc_set_str(c->arena, r->spec, "Default",
		    doc_get_str(v, "Id"));
	return v;
}

static struct doc *
show_version(struct call *c, const struct res *r, const struct doc *v,
    bool text)
{
	struct doc *d = doc_obj(c->arena);
	struct span id = doc_get_str(v, "Id");

	doc_set_str(c->arena, d, "VersionId", id);
	doc_set_bool(c->arena, d, "IsDefaultVersion",
	    span_eq(id, doc_get_str(r->spec, "Default")));
	doc_set_time(c->arena, d, "CreateDate",
	    doc_get_int(v, "Created", r->created));
	if (text)
		doc_set_str(c->arena, d, "Document",
		    iam_encoded(c, doc_get_str(v, "Text")));
	return d;
}

/* Where the version of that id is; SIZE_MAX: nowhere. */
static size_t
version_at(const struct res *r, struct span id)
{
	size_t i = 0;

	doc_each(v, doc_get(r->spec, "Versions")) {
		if (span_eq(doc_get_str(v, "Id"), id))
			return i;
		i++;
	}
	return SIZE_MAX;
}

/* Newest first, as AWS has them. */
static struct span
version_key(struct call *c, const struct doc *v)
{
	int64_t n = 0;

	span_i64(span_from(doc_get_str(v, "Id"), 1), &n);
	return arena_fmt_span(c->arena, "%010lld", (long long)(INT32_MAX - n));
}

static struct reply *
no_version(struct call *c)
{
	return iam_missing(c, "Policy %.*s version %.*s does not exist or is "
	    "not attachable.", SPAN_ARG(doc_get_str(c->in, "PolicyArn")),
	    SPAN_ARG(doc_get_str(c->in, "VersionId")));
}

struct reply *
iam_show_details(struct call *c, const struct res *r, struct doc **ret)
{
	const struct doc *about = doc_get(r->spec, "Description");
	struct doc *list = doc_arr(c->arena);
	struct reply *no = show(c, r, ret);

	if (no)
		return no;
	if (about)
		doc_set_str(c->arena, *ret, "Description", doc_span(about));
	doc_each(v, doc_get(r->spec, "Versions"))
		doc_push(list, show_version(c, r, v, true));
	doc_set(c->arena, *ret, "PolicyVersionList", list);
	return NULL;
}

static struct doc *
show_aws_version(struct call *c, const struct iam_aws_policy *p, bool text)
{
	struct doc *d = doc_obj(c->arena);

	doc_setf(c->arena, d, "VersionId", "v%d", p->version);
	doc_set_bool(c->arena, d, "IsDefaultVersion", true);
	doc_set_time(c->arena, d, "CreateDate", p->updated * 1000);
	if (text)
		doc_set_str(c->arena, d, "Document",
		    iam_encoded(c, aws_text(c, p)));
	return d;
}

struct reply *
iam_show_aws_details(struct call *c, const struct iam_aws_policy *p,
    struct doc **ret)
{
	struct doc *list = doc_arr(c->arena);
	struct reply *no = show_aws(c, p, ret);

	if (no)
		return no;
	doc_push(list, show_aws_version(c, p, true));
	doc_set(c->arena, *ret, "PolicyVersionList", list);
	return NULL;
}

/* Operations */

struct reply *
iam_create_policy(struct call *c)
{
	struct span text = doc_get_str(c->in, "PolicyDocument");
	const struct doc *about = doc_get(c->in, "Description");
	struct reply *no;
	struct res *r;

	if ((no = check_text(c, text)) ||
	    (no = iam_new(c, iam_noun_policy, &r)))
		return no;
	if (doc_len(about))
		doc_set_str(c->arena, r->spec, "Description", doc_span(about));
	doc_set(c->arena, r->spec, "Versions", doc_arr(c->arena));
	add_version(c, r, text, true);
	if ((no = iam_insert(c, r)) || (no = iam_put_tags(c, r)))
		return no;
	return reply_policy(c, r);
}

struct reply *
iam_get_policy(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct iam_aws_policy *p = iam_aws_policy(arn);
	struct reply *no;
	struct doc *d;
	struct res *r;

	if (p)
		return (no = show_aws(c, p, &d)) ? no :
		    iam_reply(c, "Policy", d);
	return (no = iam_find_policy(c, arn, &r)) ? no : reply_policy(c, r);
}

/* Does the policy pass OnlyAttached and PolicyUsageFilter? */
static bool
wanted(struct call *c, const struct doc *d)
{
	struct span use = doc_get_str(c->in, "PolicyUsageFilter");
	bool attached = doc_get_int(d, "AttachmentCount", 0) > 0;
	bool bound = doc_get_int(d, "PermissionsBoundaryUsageCount", 0) > 0;

	if (!span_starts(doc_get_str(d, "Path"),
		doc_get_str(c->in, "PathPrefix")))
		return false;
	if (doc_get_bool(c->in, "OnlyAttached", false) && !attached && !bound)
		return false;
	if (span_is(use, "PermissionsPolicy"))
		return attached;
	return !span_is(use, "PermissionsBoundary") || bound;
}

struct reply *
iam_list_policies(struct call *c)
{
	struct query q = {.kind = &iam_policy, .scope = c->scope,
	    .any_parent = true};
	struct span which = doc_get_str(c->in, "Scope");
	struct doc *all = doc_obj(c->arena), *out, *d;
	struct reply *no;
	struct res_list l;
	int e = store_list(c->store, c->arena, &q, &l);

	if (e)
		return iam_fail(c, e);
	for (size_t i = 0; i < l.n && !span_is(which, "AWS"); i++) {
		if ((no = show(c, l.v[i], &d)))
			return no;
		if (wanted(c, d))
			doc_append(c->arena, all, l.v[i]->arn, d);
	}
	for (const struct iam_aws_policy *p = iam_aws_policies;
	    p->name && !span_is(which, "Local"); p++) {
		if ((no = show_aws(c, p, &d)))
			return no;
		if (wanted(c, d))
			doc_append(c->arena, all, doc_get_str(d, "Arn"), d);
	}
	return (no = iam_page(c, "Policies", all, &out)) ? no :
	    reply_ok(c, out);
}

struct reply *
iam_delete_policy(struct call *c)
{
	struct res *r;
	struct reply *no = iam_find_policy(c, doc_get_str(c->in, "PolicyArn"),
	    &r);
	int64_t attached, bound;
	int e;

	if (no)
		return no;
	attached = usage(c, r->arn, "spec.Attached");
	bound = usage(c, r->arn, "spec.Boundary");
	if (attached < 0 || bound < 0)
		return iam_fail(c, (int)MIN(attached, bound));
	if (attached || bound)
		return iam_conflict(c, "Cannot delete a policy attached to "
		    "entities.");
	if (doc_len(doc_get(r->spec, "Versions")) > 1)
		return iam_conflict(c, "This policy has more than one version. "
		    "Before you delete a policy, you must delete the policy's "
		    "versions. The default version is deleted with the "
		    "policy.");
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}

struct reply *
iam_create_version(struct call *c)
{
	struct span text = doc_get_str(c->in, "PolicyDocument");
	struct doc *v;
	struct res *r;
	struct reply *no = iam_find_policy(c, doc_get_str(c->in, "PolicyArn"),
	    &r);

	if (no || (no = check_text(c, text)))
		return no;
	if (doc_len(doc_get(r->spec, "Versions")) >= VERSIONS_MAX)
		return reply_error(c, "LimitExceeded", "A managed policy can "
		    "have up to 5 versions. Before you create a new version, "
		    "you must delete an existing version.");
	v = add_version(c, r, text, doc_get_bool(c->in, "SetAsDefault", false));
	return (no = iam_put(c, r)) ? no :
	    iam_reply(c, "PolicyVersion", show_version(c, r, v, false));
}

struct reply *
iam_get_version(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct iam_aws_policy *p = iam_aws_policy(arn);
	struct reply *no;
	struct res *r;
	size_t at;

	if (p)
		return span_is(doc_get_str(c->in, "VersionId"), arena_fmt(
		    c->arena, "v%d", p->version)) ? iam_reply(c,
		    "PolicyVersion", show_aws_version(c, p, true)) :
		    no_version(c);
	if ((no = iam_find_policy(c, arn, &r)))
		return no;
	at = version_at(r, doc_get_str(c->in, "VersionId"));
	if (at == SIZE_MAX)
		return no_version(c);
	return iam_reply(c, "PolicyVersion", show_version(c, r,
	    doc_at(doc_get(r->spec, "Versions"), at), true));
}

struct reply *
iam_list_versions(struct call *c)
{
	struct span arn = doc_get_str(c->in, "PolicyArn");
	const struct iam_aws_policy *p = iam_aws_policy(arn);
	struct doc *all = doc_obj(c->arena), *out;
	struct reply *no;
	struct res *r;

	if (p) {
		doc_append(c->arena, all, SPAN("v"),
		    show_aws_version(c, p, false));
	} else if ((no = iam_find_policy(c, arn, &r))) {
		return no;
	} else {
		doc_each(v, doc_get(r->spec, "Versions"))
			doc_append(c->arena, all, version_key(c, v),
			    show_version(c, r, v, false));
	}
	return (no = iam_page(c, "Versions", all, &out)) ? no :
	    reply_ok(c, out);
}

struct reply *
iam_set_default(struct call *c)
{
	struct span id = doc_get_str(c->in, "VersionId");
	struct res *r;
	struct reply *no = iam_find_policy(c, doc_get_str(c->in, "PolicyArn"),
	    &r);

	if (no)
		return no;
	if (version_at(r, id) == SIZE_MAX)
		return no_version(c);
	doc_set_str(c->arena, r->spec, "Default", id);
	doc_set_int(c->arena, r->spec, "Updated", iam_now());
	return iam_put_ok(c, r);
}

struct reply *
iam_delete_version(struct call *c)
{
	struct span id = doc_get_str(c->in, "VersionId");
	struct res *r;
	struct reply *no = iam_find_policy(c, doc_get_str(c->in, "PolicyArn"),
	    &r);
	size_t at;

	if (no)
		return no;
	if ((at = version_at(r, id)) == SIZE_MAX)
		return no_version(c);
	if (span_eq(id, doc_get_str(r->spec, "Default")))
		return iam_conflict(c, "Cannot delete the default version of a "
		    "policy.");
	doc_remove(doc_get(r->spec, "Versions"), at);
	return iam_put_ok(c, r);
}
