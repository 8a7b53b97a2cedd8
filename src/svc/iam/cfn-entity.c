/* Roles, users and groups of CloudFormation: what they carry in lists. */
#include "base/err.h"
#include "svc/iam/cfn.h"

static struct span
op_name(struct cfn_run *run, const char *form, const char *noun)
{
	return arena_fmt_span(run->arena, form, noun);
}

static int
call(struct cfn_run *run, struct span op, struct doc *in,
    enum cfn_outcome *ret)
{
	struct op_result r;
	int e = cfn_call(run, op.p, in, &r);

	if (e)
		return err_trace(e);
	/* What is to go may have gone already. */
	bool goes = span_starts(op, SPAN("De")) ||
	    span_starts(op, SPAN("Remove"));

	*ret = !r.error.n || (goes && cfn_says_gone(r.error)) ? CFN_DONE :
	    cfn_refused(run, op.p, &r);
	return 0;
}

int
iam_cfn_attach(struct cfn_run *run, const char *noun, struct span entity,
    struct span arn, bool attach, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, arena_fmt(run->arena, "%sName", noun),
	    entity);
	doc_set_str(run->arena, in, "PolicyArn", arn);
	return call(run, op_name(run, attach ? "Attach%sPolicy" :
	    "Detach%sPolicy", noun), in, ret);
}

/* document NULL: it goes. */
int
iam_cfn_inline(struct cfn_run *run, const char *noun, struct span entity,
    struct span policy, const struct doc *document, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, arena_fmt(run->arena, "%sName", noun),
	    entity);
	doc_set_str(run->arena, in, "PolicyName", policy);
	if (document)
		doc_set_str(run->arena, in, "PolicyDocument",
		    doc_type(document) == DOC_STR ? doc_span(document) :
		    doc_json(run->arena, document));
	return call(run, op_name(run, document ? "Put%sPolicy" :
	    "Delete%sPolicy", noun), in, ret);
}

static const struct doc *
policy_named(const struct doc *list, struct span name)
{
	doc_each(p, list)
		if (span_eq(doc_get_str(p, "PolicyName"), name))
			return p;
	return NULL;
}

/* was and is: Policies of the properties. */
static int
inlines(struct cfn_run *run, const char *noun, const struct doc *was,
    const struct doc *is, enum cfn_outcome *ret)
{
	int e = 0;

	doc_each(p, was) {
		struct span name = doc_get_str(p, "PolicyName");

		if (!policy_named(is, name) &&
		    ((e = iam_cfn_inline(run, noun, run->ref, name, NULL,
			ret)) || *ret == CFN_FAILED))
			return e;
	}
	doc_each(p, is) {
		struct span name = doc_get_str(p, "PolicyName");

		if (!doc_eq(policy_named(was, name), p) &&
		    ((e = iam_cfn_inline(run, noun, run->ref, name,
			doc_get(p, "PolicyDocument"), ret)) ||
			*ret == CFN_FAILED))
			return e;
	}
	return 0;
}

static int
attached(struct cfn_run *run, const char *noun, const struct doc *was,
    const struct doc *is, enum cfn_outcome *ret)
{
	int e;

	doc_each(a, was)
		if (!doc_has_str(is, doc_span(a)) &&
		    ((e = iam_cfn_attach(run, noun, run->ref, doc_span(a),
			false, ret)) || *ret == CFN_FAILED))
			return e;
	doc_each(a, is)
		if (!doc_has_str(was, doc_span(a)) &&
		    ((e = iam_cfn_attach(run, noun, run->ref, doc_span(a),
			true, ret)) || *ret == CFN_FAILED))
			return e;
	return 0;
}

static int
member(struct cfn_run *run, struct span group, bool in_it,
    enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);

	doc_set_str(run->arena, in, "UserName", run->ref);
	doc_set_str(run->arena, in, "GroupName", group);
	return call(run, in_it ? SPAN("AddUserToGroup") :
	    SPAN("RemoveUserFromGroup"), in, ret);
}

static int
groups(struct cfn_run *run, const struct doc *was, const struct doc *is,
    enum cfn_outcome *ret)
{
	int e;

	doc_each(g, was)
		if (!doc_has_str(is, doc_span(g)) &&
		    ((e = member(run, doc_span(g), false, ret)) || *ret == CFN_FAILED))
			return e;
	doc_each(g, is)
		if (!doc_has_str(was, doc_span(g)) &&
		    ((e = member(run, doc_span(g), true, ret)) || *ret == CFN_FAILED))
			return e;
	return 0;
}

static const char *
noun_of(const struct cfn_run *run)
{
	return run->map->type + strlen("AWS::IAM::");
}

/* From the lists of was to those of is. */
static int
carry(struct cfn_run *run, const struct doc *was, const struct doc *is,
    enum cfn_outcome *ret)
{
	const char *noun = noun_of(run);
	int e = inlines(run, noun, doc_get(was, "Policies"),
	    doc_get(is, "Policies"), ret);

	if (!e && *ret != CFN_FAILED)
		e = attached(run, noun, doc_get(was, "ManagedPolicyArns"),
		    doc_get(is, "ManagedPolicyArns"), ret);
	if (!e && *ret != CFN_FAILED && span_is(span_of(noun), "User"))
		e = groups(run, doc_get(was, "Groups"), doc_get(is, "Groups"),
		    ret);
	return e;
}

/* The row's own steps, then the lists. */
static int
steps(struct cfn_run *run, const struct cfn_step *s, enum cfn_outcome *ret)
{
	int e;

	for (; s && s->op; s++)
		if ((e = cfn_step(run, s, ret)) || *ret == CFN_FAILED)
			return e;
	return 0;
}

int
iam_cfn_create(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *name;
	int e = steps(run, run->map->create, ret);

	if (e || *ret == CFN_FAILED)
		return e;
	name = cfn_expr(run, run->map->ref);
	if (name)
		run->ref = doc_span(name);
	return carry(run, NULL, run->props, ret);
}

static bool
differs(const struct cfn_run *run, const char *prop)
{
	return !doc_eq(doc_get(run->props, prop), doc_get(run->old, prop));
}

static int
update_role(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = doc_obj(run->arena);
	int e = 0;

	doc_set_str(run->arena, in, "RoleName", run->ref);
	if (differs(run, "Description") || differs(run, "MaxSessionDuration")) {
		struct doc *u = doc_copy(run->arena, in);
		const struct doc *d = doc_get(run->props, "Description");
		const struct doc *m = doc_get(run->props, "MaxSessionDuration");

		doc_set(run->arena, u, "Description", d ?
		    doc_copy(run->arena, d) : doc_str(run->arena, SPAN("")));
		doc_set_int(run->arena, u, "MaxSessionDuration",
		    doc_i64(m, 3600));
		e = call(run, SPAN("UpdateRole"), u, ret);
	}
	if (!e && *ret != CFN_FAILED &&
	    differs(run, "AssumeRolePolicyDocument")) {
		struct doc *u = doc_copy(run->arena, in);

		doc_set_str(run->arena, u, "PolicyDocument", doc_json(run->arena,
		    doc_get(run->props, "AssumeRolePolicyDocument")));
		e = call(run, SPAN("UpdateAssumeRolePolicy"), u, ret);
	}
	return e;
}

static int
update_boundary(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *b = doc_get(run->props, "PermissionsBoundary");
	const char *noun = noun_of(run);
	struct doc *in = doc_obj(run->arena);

	if (!differs(run, "PermissionsBoundary"))
		return 0;
	doc_set_str(run->arena, in, arena_fmt(run->arena, "%sName", noun),
	    run->ref);
	if (b)
		doc_set_str(run->arena, in, "PermissionsBoundary", doc_span(b));
	return call(run, op_name(run, b ? "Put%sPermissionsBoundary" :
	    "Delete%sPermissionsBoundary", noun), in, ret);
}

int
iam_cfn_update(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = 0;

	*ret = CFN_DONE;
	if (span_is(span_of(noun_of(run)), "Role"))
		e = update_role(run, ret);
	if (!e && *ret != CFN_FAILED)
		e = update_boundary(run, ret);
	if (!e && *ret != CFN_FAILED)
		e = carry(run, run->old, run->props, ret);
	if (!e && *ret != CFN_FAILED && run->map->tagging)
		e = cfn_retag(run, ret);
	return e;
}

int
iam_cfn_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = carry(run, run->props, NULL, ret);

	return e || *ret == CFN_FAILED ? e : steps(run, run->map->remove, ret);
}
