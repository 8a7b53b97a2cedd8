/* Roles. */
#include "auth/policy.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/iam/iam.h"

#define SESSION_DEFAULT 3600

static struct doc *
role_doc(struct call *c, const struct res *r, bool whole)
{
	struct doc *d = entity_doc(c, &entity_role, r);
	const struct doc *boundary = doc_get(r->spec, "PermissionsBoundary");

	doc_set_str(c->arena, d, "AssumeRolePolicyDocument", iam_quote(c,
	    doc_get_str(r->spec, "AssumeRolePolicyDocument")));
	doc_set(c->arena, d, "Description",
	    doc_copy(c->arena, doc_get(r->spec, "Description")));
	doc_set_int(c->arena, d, "MaxSessionDuration",
	    doc_get_int(r->spec, "MaxSessionDuration", SESSION_DEFAULT));
	if (!whole)
		return d;
	if (boundary) {
		struct doc *b = doc_obj(c->arena);

		doc_set_str(c->arena, b, "PermissionsBoundaryType",
		    SPAN("Policy"));
		doc_set_str(c->arena, b, "PermissionsBoundaryArn",
		    doc_span(boundary));
		doc_set(c->arena, d, "PermissionsBoundary", b);
	}
	iam_set_tags(c, r, d);
	doc_set(c->arena, d, "RoleLastUsed", doc_obj(c->arena));
	return d;
}

static struct reply *
answer(struct call *c, const struct res *r)
{
	struct doc *out = doc_obj(c->arena);

	doc_set(c->arena, out, "Role", role_doc(c, r, true));
	return reply_ok(c, out);
}

/* Copies those of the input's members that are there into the spec. */
static void
take(struct call *c, struct res *r, const char *member)
{
	const struct doc *d = doc_get(c->in, member);

	if (d)
		doc_set(c->arena, r->spec, member, doc_copy(c->arena, d));
}

struct reply *
iam_create_role(struct call *c)
{
	struct span boundary = doc_get_str(c->in, "PermissionsBoundary");
	struct span trust = doc_get_str(c->in, "AssumeRolePolicyDocument");
	struct res *r;
	struct reply *no;

	if (span_starts(doc_get_str(c->in, "Path"),
	    SPAN("/aws-service-role/")) && !c->who.system)
		return reply_error(c, "InvalidInput", "Cannot create a role "
		    "with path /aws-service-role/: use "
		    "CreateServiceLinkedRole.");
	if ((no = entity_new(c, &entity_role, &r)) ||
	    (no = iam_check_policy(c, trust, POLICY_TRUST)) ||
	    (boundary.n && (no = policy_attachable(c, boundary))))
		return no;
	take(c, r, "AssumeRolePolicyDocument");
	take(c, r, "Description");
	take(c, r, "MaxSessionDuration");
	take(c, r, "PermissionsBoundary");
	doc_set(c->arena, r->spec, "Policies", doc_obj(c->arena));
	doc_set(c->arena, r->spec, "Attached", doc_arr(c->arena));
	if ((no = entity_insert(c, &entity_role, r)))
		return no;
	return answer(c, r);
}

struct reply *
iam_get_role(struct call *c)
{
	struct res *r;
	struct reply *no = entity_named(c, &entity_role, &r);

	return no ? no : answer(c, r);
}

struct reply *
iam_list_roles(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *all = doc_arr(c->arena);
	struct iam_page page;
	struct res_list l;
	struct reply *no;

	if ((no = iam_page(c, &page)) ||
	    (no = entity_list(c, &entity_role, &l)))
		return no;
	for (size_t i = 0; i < l.n; i++)
		doc_push(all, role_doc(c, l.v[i], false));
	iam_page_set(c, &page, out, "Roles", all, "RoleName");
	return reply_ok(c, out);
}

/* Those that only the service changes which they are linked to. */
static struct reply *
changeable(struct call *c, struct res **ret)
{
	struct reply *no = entity_named(c, &entity_role, ret);

	if (no)
		return no;
	if (doc_get_bool((*ret)->spec, "ServiceLinked", false))
		return reply_error(c, "UnmodifiableEntity", "Cannot perform "
		    "the operation on the protected role '%.*s' - this role is "
		    "only modifiable by AWS", SPAN_ARG((*ret)->id));
	return NULL;
}

struct reply *
iam_update_role(struct call *c)
{
	struct res *r;
	struct reply *no = changeable(c, &r);

	if (no)
		return no;
	take(c, r, "Description");
	take(c, r, "MaxSessionDuration");
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_update_role_description(struct call *c)
{
	struct res *r;
	struct reply *no = changeable(c, &r);

	if (no)
		return no;
	take(c, r, "Description");
	no = iam_put(c, r);
	return no ? no : answer(c, r);
}

struct reply *
iam_update_trust(struct call *c)
{
	struct span text = doc_get_str(c->in, "PolicyDocument");
	struct res *r;
	struct reply *no = changeable(c, &r);

	if (no || (no = iam_check_policy(c, text, POLICY_TRUST)))
		return no;
	doc_set_str(c->arena, r->spec, "AssumeRolePolicyDocument", text);
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_put_boundary(struct call *c)
{
	const struct entity *e = entity_of(c);
	struct res *r;
	struct reply *no = e == &entity_role ? changeable(c, &r) :
	    entity_named(c, e, &r);

	if (no || (no = policy_attachable(c,
	    doc_get_str(c->in, "PermissionsBoundary"))))
		return no;
	take(c, r, "PermissionsBoundary");
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_delete_boundary(struct call *c)
{
	const struct entity *e = entity_of(c);
	struct res *r;
	struct reply *no = e == &entity_role ? changeable(c, &r) :
	    entity_named(c, e, &r);

	if (no)
		return no;
	if (!doc_get(r->spec, "PermissionsBoundary"))
		return reply_error(c, "NoSuchEntity", "%s %.*s does not have a "
		    "permissions boundary attached.", e->noun, SPAN_ARG(r->id));
	doc_del(r->spec, "PermissionsBoundary");
	no = iam_put(c, r);
	return no ? no : reply_ok(c, NULL);
}

struct reply *
iam_delete_role(struct call *c)
{
	struct query q = {.kind = &iam_instance_profile, .scope = c->scope,
	    .any_parent = true, .index = "spec.Roles"};
	struct res *r;
	struct reply *no = changeable(c, &r);
	int64_t n;
	int e;

	if (no)
		return no;
	if (doc_len(doc_get(r->spec, "Attached")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must detach all policies first.");
	if (doc_len(doc_get(r->spec, "Policies")))
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must delete policies first.");
	q.value = doc_get_str(r->spec, "Key");
	if ((n = store_count(c->store, &q)) < 0)
		return iam_fail(c, (int)n);
	if (n > 0)
		return reply_error(c, "DeleteConflict", "Cannot delete entity, "
		    "must remove roles from instance profile first.");
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, NULL);
}

/* Service-linked roles: the name is made of the service's.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html */

static const struct {
	const char *service, *role;
} linked[] = {
	{"ecs.amazonaws.com", "AWSServiceRoleForECS"},
	{"elasticloadbalancing.amazonaws.com",
	    "AWSServiceRoleForElasticLoadBalancing"},
	{"ecs.application-autoscaling.amazonaws.com",
	    "AWSServiceRoleForApplicationAutoScaling_ECSService"},
	{"lambda.application-autoscaling.amazonaws.com",
	    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"},
	{"replication.ecr.amazonaws.com", "AWSServiceRoleForECRReplication"},
	{"events.amazonaws.com", "AWSServiceRoleForCloudWatchEvents"},
	{"resource-explorer-2.amazonaws.com",
	    "AWSServiceRoleForResourceExplorer"},
};

struct reply *
iam_create_linked_role(struct call *c)
{
	struct span service = doc_get_str(c->in, "AWSServiceName");
	struct span name = SPAN_NULL;
	struct res *r;
	struct reply *no;

	for (size_t i = 0; i < ARRAY_SIZE(linked); i++)
		if (span_is(service, linked[i].service))
			name = span_of(linked[i].role);
	if (!name.n)
		return reply_error(c, "InvalidInput", "Service role "
		    "creation failed: %.*s has no service-linked role here.",
		    SPAN_ARG(service));
	if (doc_get_str(c->in, "CustomSuffix").n)
		return reply_error(c, "InvalidInput", "Custom suffix is not "
		    "allowed for %.*s", SPAN_ARG(service));
	if (entity_get(c->store, c->arena, &entity_role, c->scope, name,
	    &r) == 0)
		return reply_error(c, "InvalidInput", "Service role name %.*s "
		    "has been taken in this account, please try a different "
		    "suffix.", SPAN_ARG(name));
	struct doc *in = doc_copy(c->arena, c->in);

	doc_set_str(c->arena, in, "RoleName", name);
	doc_setf(c->arena, in, "Path", "/aws-service-role/%.*s/",
	    SPAN_ARG(service));
	doc_setf(c->arena, in, "AssumeRolePolicyDocument",
	    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
	    "\"Principal\":{\"Service\":\"%.*s\"},"
	    "\"Action\":\"sts:AssumeRole\"}]}", SPAN_ARG(service));
	c->in = in;
	if ((no = entity_new(c, &entity_role, &r)))
		return no;
	take(c, r, "AssumeRolePolicyDocument");
	take(c, r, "Description");
	doc_set_bool(c->arena, r->spec, "ServiceLinked", true);
	if ((no = entity_insert(c, &entity_role, r)))
		return no;
	return answer(c, r);
}

/* Nothing that is ours holds on to such a role: it is gone at once. */
struct reply *
iam_delete_linked_role(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct res *r;
	struct reply *no = entity_named(c, &entity_role, &r);
	int e;

	if (no)
		return no;
	if (!doc_get_bool(r->spec, "ServiceLinked", false))
		return reply_error(c, "InvalidInput", "Role %.*s is not a "
		    "service-linked role.", SPAN_ARG(r->id));
	doc_setf(c->arena, out, "DeletionTaskId", "task%.*s%.*s/%s",
	    SPAN_ARG(doc_get_str(r->spec, "Path")), SPAN_ARG(r->id),
	    id_uuid(c->arena));
	e = store_delete(c->store, r);
	return e ? iam_fail(c, e) : reply_ok(c, out);
}

/* "task/aws-service-role/SERVICE/ROLE/UUID": gone, unless made again. */
struct reply *
iam_linked_deletion_status(struct call *c)
{
	struct span id = doc_get_str(c->in, "DeletionTaskId");
	struct doc *out = doc_obj(c->arena);
	ptrdiff_t slash = span_rchr(id, '/');

	if (!span_starts(id, SPAN("task/aws-service-role/")) || slash < 0 ||
	    id.n - (size_t)slash != 37)
		return reply_error(c, "NoSuchEntity", "Deletion task %.*s "
		    "cannot be found.", SPAN_ARG(id));
	doc_set_str(c->arena, out, "Status", SPAN("SUCCEEDED"));
	return reply_ok(c, out);
}
