/* Roles. */
#include "svc/iam/iam.h"

/* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
#define TRUST_MAX   2048 /* characters, white space apart */
#define SESSION_MAX 3600 /* seconds, unless the role says otherwise */

static struct doc *
last_used(struct call *c, const struct res *r)
{
	struct doc *d = doc_obj(c->arena);
	int64_t at = doc_get_int(r->status, "LastUsed", 0);

	if (!at)
		return d;
	doc_set_time(c->arena, d, "LastUsedDate", at);
	doc_set_str(c->arena, d, "Region", doc_get_str(r->status, "Region"));
	return d;
}

/* What lists tell of a role. */
struct doc *
iam_show_role(struct call *c, const struct res *r)
{
	struct doc *d = iam_show(c, iam_noun_role, r);

	doc_set_str(c->arena, d, "AssumeRolePolicyDocument",
	    iam_encoded(c, doc_get_str(r->spec, "Trust")));
	if (doc_get(r->spec, "Description"))
		doc_set_str(c->arena, d, "Description",
		    doc_get_str(r->spec, "Description"));
	doc_set_int(c->arena, d, "MaxSessionDuration",
	    doc_get_int(r->spec, "MaxSession", SESSION_MAX));
	return d;
}

static struct reply *
reply_role(struct call *c, const struct res *r)
{
	struct doc *d = iam_show_role(c, r), *boundary;
	struct reply *no = iam_show_tags(c, r, d);

	if (no)
		return no;
	doc_set(c->arena, d, "RoleLastUsed", last_used(c, r));
	if ((boundary = iam_show_boundary(c, r)))
		doc_set(c->arena, d, "PermissionsBoundary", boundary);
	return iam_reply(c, "Role", d);
}

/* IAM knows its own: a principal of the account must be there.  Its id is noted
 * in trusted. */
static struct reply *
check_known(struct call *c, struct span arn, struct doc *trusted)
{
	struct span rest = arn, name;
	const struct iam_noun *n;
	struct res *r;

	for (int i = 0; i < 4; i++)
		span_cut(&rest, ':');
	if (!span_starts(arn, SPAN("arn:aws:iam:")) ||
	    !span_eq(span_cut(&rest, ':'), c->scope.account))
		return NULL;
	n = span_starts(rest, SPAN("user/")) ? iam_noun_user :
	    span_starts(rest, SPAN("role/")) ? iam_noun_role : NULL;
	if (!n)
		return NULL;
	name = span_from(rest, (size_t)span_rchr(rest, '/') + 1);
	if (iam_find(c, n, name, &r) || !span_eq(r->arn, arn))
		return reply_error(c, "MalformedPolicyDocument", "Invalid "
		    "principal in policy: \"AWS\":\"%.*s\"", SPAN_ARG(arn));
	doc_setn(c->arena, trusted, arn,
	    doc_str(c->arena, doc_get_str(r->spec, "Id")));
	return NULL;
}

static struct reply *
check_principals(struct call *c, const struct doc *statement,
    struct doc *trusted)
{
	const struct doc *aws = doc_path(statement, "Principal", "AWS", NULL);
	struct reply *no = NULL;

	if (doc_type(aws) == DOC_STR)
		return check_known(c, doc_span(aws), trusted);
	doc_each(v, aws)
		if (!no)
			no = check_known(c, doc_span(v), trusted);
	return no;
}

/* Checks a trust policy and makes it the role's. */
static struct reply *
set_trust(struct call *c, struct span text, struct res *r)
{
	struct doc *trusted = doc_obj(c->arena), *d;
	const struct doc *list;
	struct reply *no = NULL;
	struct span why;

	if (policy_parse(c->arena, text, POLICY_TRUST, &d, &why))
		return reply_error(c, "MalformedPolicyDocument", "%.*s",
		    SPAN_ARG(why));
	if (policy_size(text) > TRUST_MAX)
		return iam_quota(c, "ACLSizePerRole", TRUST_MAX);
	list = doc_get(d, "Statement");
	if (doc_type(list) == DOC_OBJ)
		no = check_principals(c, list, trusted);
	else
		doc_each(s, list)
			if (!no)
				no = check_principals(c, s, trusted);
	if (no)
		return no;
	doc_set_str(c->arena, r->spec, "Trust", text);
	doc_set(c->arena, r->spec, "Trusted", trusted);
	return NULL;
}

struct reply *
iam_create_role(struct call *c)
{
	struct span trust = doc_get_str(c->in, "AssumeRolePolicyDocument");
	const struct doc *about = doc_get(c->in, "Description");
	struct reply *no;
	struct res *r;

	if (span_starts(doc_get_str(c->in, "Path"), SPAN("/aws-service-role/")))
		return reply_error(c, "ValidationError", "Path for role cannot "
		    "begin with '/aws-service-role/'");
	if ((no = iam_new(c, iam_noun_role, &r)) ||
	    (no = set_trust(c, trust, r)))
		return no;
	if (doc_len(about))
		doc_set_str(c->arena, r->spec, "Description", doc_span(about));
	doc_set_int(c->arena, r->spec, "MaxSession",
	    doc_get_int(c->in, "MaxSessionDuration", SESSION_MAX));
	if ((no = iam_set_boundary(c, r)) || (no = iam_insert(c, r)) ||
	    (no = iam_put_tags(c, r)))
		return no;
	return reply_role(c, r);
}

struct reply *
iam_get_role(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_role, &r);

	return no ? no : reply_role(c, r);
}

struct reply *
iam_list_roles(struct call *c)
{
	struct query q = {.kind = &iam_role, .scope = c->scope,
	    .any_parent = true};
	struct doc *all, *out;
	struct reply *no = iam_list(c, &q, iam_show_role, &all);

	if (no || (no = iam_page(c, "Roles", all, &out)))
		return no;
	return reply_ok(c, out);
}

/* The role that the input names, if it may be changed. */
static struct reply *
changeable(struct call *c, struct res **ret)
{
	struct reply *no = iam_named(c, iam_noun_role, ret);

	return no ? no : iam_protected(c, *ret);
}

/* AWS: the description of a service-linked role is free to change. */
struct reply *
iam_update_role(struct call *c)
{
	const struct doc *about = doc_get(c->in, "Description");
	const struct doc *max = doc_get(c->in, "MaxSessionDuration");
	struct res *r;
	struct reply *no = max ? changeable(c, &r) :
	    iam_named(c, iam_noun_role, &r);

	if (no)
		return no;
	if (about)
		doc_set_str(c->arena, r->spec, "Description", doc_span(about));
	if (max)
		doc_set_int(c->arena, r->spec, "MaxSession",
		    doc_i64(max, SESSION_MAX));
	return iam_put_ok(c, r);
}

struct reply *
iam_update_role_description(struct call *c)
{
	struct res *r;
	struct reply *no = iam_named(c, iam_noun_role, &r);

	if (no)
		return no;
	doc_set_str(c->arena, r->spec, "Description",
	    doc_get_str(c->in, "Description"));
	return (no = iam_put(c, r)) ? no : reply_role(c, r);
}

struct reply *
iam_update_trust(struct call *c)
{
	struct span text = doc_get_str(c->in, "PolicyDocument");
	struct res *r;
	struct reply *no = changeable(c, &r);

	if (no || (no = set_trust(c, text, r)))
		return no;
	return iam_put_ok(c, r);
}

struct reply *
iam_delete_role(struct call *c)
{
	struct query q = {.kind = &iam_instance_profile, .scope = c->scope,
	    .any_parent = true, .index = "spec.Role"};
	struct res *r;
	struct reply *no = changeable(c, &r);
	int64_t n;
	int e;

	if (no)
		return no;
	q.value = doc_get_str(r->spec, "Id");
	if ((n = store_count(c->store, &q)) < 0)
		return iam_fail(c, (int)n);
	if (n)
		return iam_conflict(c, "Cannot delete entity, must remove "
		    "roles from instance profile first.");
	if ((no = iam_holds_none(c, r)))
		return no;
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}
