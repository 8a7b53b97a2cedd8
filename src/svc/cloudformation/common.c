/* Stacks by name, templates and parameters of requests. */
#include <ctype.h>

#include "base/err.h"
#include "base/id.h"
#include "cfn/facts.h"
#include "cfn/summary.h"
#include "cfn/type.h"
#include "svc/cloudformation/cloudformation.h"
#include "svc/cloudformation/url.h"

#define TAGS_MAX 50
#define NAME_LONGEST 128

struct reply *
cfn_fail_reply(struct call *c, int e)
{
	return reply_failure(c, e > 0 ? err_fold(e) : e);
}

struct reply *
cfn_refuse(struct call *c, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "ValidationError", "%s", text);
}

struct reply *
stack_try(struct call *c, struct span name, struct res **ret)
{
	struct query q = {.kind = &cloudformation_stack, .scope = c->scope,
		.index = "spec.Live", .value = name, .limit = 1};
	struct res_list l;
	int e;

	*ret = NULL;
	if (span_starts(name, SPAN("arn:"))) {
		e = store_get_arn(c->store, c->arena, name, ret);
		if (e < 0)
			return cfn_fail_reply(c, e);
		if (e || (*ret)->kind != &cloudformation_stack)
			*ret = NULL;
		return NULL;
	}
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return cfn_fail_reply(c, e);
	if (l.n)
		*ret = l.v[0];
	return NULL;
}

struct reply *
stack_find(struct call *c, struct span name, struct res **ret)
{
	struct reply *no = stack_try(c, name, ret);

	if (!no && !*ret)
		return cfn_refuse(c, "Stack with id %.*s does not exist",
		    SPAN_ARG(name));
	return no;
}

/* Templates */

/* How we are reached; a call from inside has no host of its own. */
static struct span
own_host(struct call *c)
{
	ptrdiff_t at = span_find(c->origin, SPAN("://"));

	return c->host.n || at < 0 ? c->host :
	    span_from(c->origin, (size_t)at + 3);
}

/* An object of a bucket here.  Called from inside, GetObject puts what the
 * wire would stream into Body. */
struct reply *
object_read(struct call *c, struct span url, const char *member,
    struct span *ret)
{
	struct principal who = principal_system(c->scope.account,
	    "cloudformation.amazonaws.com");
	struct doc *in = doc_obj(c->arena);
	struct span bucket, key;
	struct op_result r;
	int e;

	if (!template_url_parse(c->arena, url, own_host(c), &bucket, &key))
		return cfn_refuse(c, "%s must be a supported URL.", member);
	doc_set_str(c->arena, in, "Bucket", bucket);
	doc_set_str(c->arena, in, "Key", key);
	e = op_call(c->api, c->arena, &who, c->scope, "s3", "GetObject", in,
	    &r);
	if (e)
		return cfn_fail_reply(c, e);
	if (span_is(r.error, "NotImplemented"))
		return reply_not_implemented(c, "%s (s3)", member);
	if (r.error.n)
		return cfn_refuse(c, "S3 error: %.*s", SPAN_ARG(r.message));
	*ret = doc_get_str(r.out, "Body");
	return NULL;
}

struct reply *
template_read(struct call *c, const struct res *stack, struct span *ret)
{
	struct span body = doc_get_str(c->in, "TemplateBody");
	struct span url = doc_get_str(c->in, "TemplateURL");
	struct reply *no;

	if (body.n && url.n)
		return cfn_refuse(c, "Either Template URL or Template Body "
		    "must be specified, but not both.");
	if (body.n > CFN_MAX_BODY)
		return cfn_refuse(c, "1 validation error detected: Value "
		    "at 'templateBody' failed to satisfy constraint: Member "
		    "must have length less than or equal to %d", CFN_MAX_BODY);
	if (url.n && (no = object_read(c, url, "TemplateURL", ret)))
		return no;
	if (url.n && ret->n > CFN_MAX_URL_BODY)
		return cfn_refuse(c, "Template may not exceed 1000000 bytes in "
		    "size.");
	if (url.n)
		return NULL;
	if (doc_get_bool(c->in, "UsePreviousTemplate", false) && stack) {
		*ret = doc_get_str(doc_get(stack->spec, "Def"),
		    "TemplateBody");
		return NULL;
	}
	if (!body.n)
		return cfn_refuse(c,
		    "Either Template URL or Template Body must be specified.");
	*ret = body;
	return NULL;
}

/* Parameters as texts by name. */
static struct reply *
read_parameters(struct call *c, const struct doc *before, struct doc *given)
{
	doc_each(p, doc_get(c->in, "Parameters")) {
		struct span key = doc_get_str(p, "ParameterKey");
		const struct doc *old = doc_getn(before, key);

		if (doc_get_bool(p, "UsePreviousValue", false)) {
			if (!old)
				return cfn_refuse(c, "Invalid input for "
				    "parameter key %.*s. Cannot specify "
				    "usePreviousValue as true for a parameter "
				    "key not in the previous template",
				    SPAN_ARG(key));
			doc_setn(c->arena, given, key,
			    doc_copy(c->arena, old));
			continue;
		}
		doc_setn(c->arena, given, key, doc_str(c->arena,
		    doc_get_str(p, "ParameterValue")));
	}
	return NULL;
}

static struct reply *
check_types(struct call *c, const struct cfn_template *t)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const struct service *s;

	doc_each(v, cfn_types(c->arena, t)) {
		struct span type = doc_span(v);

		if (!cfn_map_find(type, &s) || !cfn_facts_find(type))
			buf_addf(&b, "%s%.*s", b.n ? ", " : "",
			    SPAN_ARG(type));
	}
	return b.n ? cfn_refuse(c, "Template format error: Unrecognized "
	    "resource types: [%s]", buf_str(&b)) : NULL;
}

static struct reply *
check_tags(struct call *c)
{
	const struct doc *tags = doc_get(c->in, "Tags");

	if (doc_len(tags) > TAGS_MAX)
		return cfn_refuse(c, "1 validation error detected: Value at "
		    "'tags' failed to satisfy constraint: Member must have "
		    "length less than or equal to %d", TAGS_MAX);
	doc_each(t, tags)
		if (span_starts(doc_get_str(t, "Key"), SPAN("aws:")))
			return cfn_refuse(c, "User tag keys must not start "
			    "with 'aws:'");
	return NULL;
}

/* Operations run as CloudFormation itself, but what is named must be there. */
struct reply *
role_check(struct call *c)
{
	struct span arn = doc_get_str(c->in, "RoleARN");
	ptrdiff_t slash = span_rchr(arn, '/');
	struct doc *in = doc_obj(c->arena), *out;
	struct stack_context x;
	struct cfn_error err;
	int e;

	if (!arn.n || !stack_has_service("iam"))
		return NULL;
	if ((e = stack_context(&x, c->api, c->store, c->arena, NULL)))
		return cfn_fail_reply(c, e);
	x.scope = c->scope;
	doc_set_str(c->arena, in, "RoleName",
	    span_from(arn, (size_t)(slash + 1)));
	e = stack_call(&x, "iam", "GetRole", in, &out, &err);
	if (e < 0)
		return cfn_fail_reply(c, e);
	if (e || !span_eq(doc_get_str(doc_get(out, "Role"), "Arn"), arn))
		return cfn_refuse(c, "Role %.*s is invalid or cannot be "
		    "assumed", SPAN_ARG(arn));
	return NULL;
}

static struct reply *
check_template(struct call *c, struct span body, struct cfn_template **ret)
{
	struct cfn_error err;
	struct span missing;
	struct reply *no;
	int e = cfn_template_parse(c->arena, body, ret, &err);

	if (e < 0)
		return cfn_fail_reply(c, e);
	if (e)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	if ((no = check_types(c, *ret)))
		return no;
	missing = cfn_capabilities_missing(c->arena, *ret,
	    doc_get(c->in, "Capabilities"), doc_get(c->in, "ChangeSetName"));
	return missing.n ? reply_error(c, "InsufficientCapabilitiesException",
	    "%.*s", SPAN_ARG(missing)) : NULL;
}

static void
carry(struct call *c, struct doc *def, const struct doc *before,
    const char *name)
{
	const struct doc *v = doc_get(c->in, name);

	if (!v)
		v = doc_get(before, name);
	if (v)
		doc_set(c->arena, def, name, doc_copy(c->arena, v));
}

struct reply *
definition_read(struct call *c, const struct res *stack, struct span name,
    struct doc **ret)
{
	static const char *const kept[] = {"Tags", "RoleARN",
		"NotificationARNs", "RollbackConfiguration"};
	const struct doc *before = stack ? doc_get(stack->spec, "Def") : NULL;
	struct arena *a = c->arena;
	struct doc *def = doc_obj(a), *given = doc_obj(a), *values;
	struct cfn_template *t = NULL;
	struct stack_context x;
	struct cfn_error err;
	struct span body;
	struct reply *no;
	int e;

	if ((no = check_tags(c)) || (no = role_check(c)) ||
	    (no = template_read(c, stack, &body)) ||
	    (no = check_template(c, body, &t)) ||
	    (no = read_parameters(c, doc_get(before, "Params"), given)))
		return no;
	e = cfn_params(a, t, given, &values, &err);
	if (e > 0)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	if (e)
		return cfn_fail_reply(c, e);
	doc_set_str(a, def, "TemplateBody", body);
	doc_set(a, def, "Params", values);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		carry(c, def, before, kept[i]);
	doc_set(a, def, "Capabilities", doc_get(c->in, "Capabilities") ?
		doc_copy(a, doc_get(c->in, "Capabilities")) : doc_arr(a));
	if (t->description.n)
		doc_set_str(a, def, "Description", t->description);
	if ((e = stack_context(&x, c->api, c->store, a, NULL)))
		return cfn_fail_reply(c, e);
	x.scope = c->scope;
	x.stack_name = name;
	if ((e = stack_resolve(&x, def, &err)) > 0)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	if (e)
		return cfn_fail_reply(c, e);
	doc_set(a, def, "Shown", doc_copy(a, cfn_params_shown(a, t, values,
	    doc_get(def, "Resolved"))));
	*ret = def;
	return NULL;
}

struct reply *
definition_open(struct call *c, const struct res *stack, struct span name,
    const struct doc *def, struct stack_context *x)
{
	struct cfn_error err;
	int e = stack_context(x, c->api, c->store, c->arena, stack);

	if (e)
		return cfn_fail_reply(c, e);
	x->scope = c->scope;
	x->stack_name = name;
	if ((e = stack_open(x, def, &err)) > 0)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	return e ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
definition_check(struct call *c, struct stack_context *x, struct doc *def)
{
	struct cfn_error err;
	int e = cfn_dynamics(c->arena, x->stack, doc_get(def, "Resolved"),
	    &err);

	if (e == CFN_E_INVALID)
		return cfn_refuse(c, "%.*s", SPAN_ARG(err.text));
	return e ? cfn_fail_reply(c, e) : NULL;
}

/* Stacks */

/* The model has no pattern for it; the documentation of CreateStack does. */
struct reply *
stack_name_check(struct call *c, struct span name)
{
	bool ok = name.n && isalpha((unsigned char)name.p[0]);

	for (size_t i = 0; ok && i < name.n; i++)
		ok = isalnum((unsigned char)name.p[i]) || name.p[i] == '-';
	if (!ok)
		return cfn_refuse(c, "1 validation error detected: Value "
		    "'%.*s' at 'stackName' failed to satisfy constraint: "
		    "Member must satisfy regular expression pattern: "
		    "[a-zA-Z][-a-zA-Z0-9]*", SPAN_ARG(name));
	if (name.n > NAME_LONGEST)
		return cfn_refuse(c, "1 validation error detected: Value "
		    "'%.*s' at 'stackName' failed to satisfy constraint: "
		    "Member must have length less than or equal to %d",
		    SPAN_ARG(name), NAME_LONGEST);
	return NULL;
}

struct res *
stack_make(struct call *c, struct span name)
{
	struct res *r = res_new(c->arena, &cloudformation_stack, c->scope,
	    SPAN_NULL, arena_fmt_span(c->arena, "%.*s/%s", SPAN_ARG(name),
		id_uuid(c->arena)));

	doc_set_str(c->arena, r->spec, "StackName", name);
	doc_set_str(c->arena, r->spec, "Live", name);
	r->arn = kind_arn(c->arena, r->kind, r->scope, r->parent, r->id);
	return r;
}

struct reply *
stack_begin(struct call *c, struct res *stack, const char *phase,
    const char *status, const char *op)
{
	struct doc *s = stack->status, *operation = doc_obj(c->arena);
	int e;

	doc_set_str(c->arena, operation, "OperationType", span_of(op));
	doc_set_str(c->arena, operation, "OperationId",
	    span_of(id_uuid(c->arena)));
	doc_set(c->arena, s, "Operation", operation);
	e = stack_turn(c->store, c->arena, stack, phase, status,
	    SPAN("User Initiated"));
	return e ? cfn_fail_reply(c, e) : NULL;
}

struct reply *
stack_reply(struct call *c, const struct res *stack)
{
	struct doc *out = doc_obj(c->arena);

	doc_set_str(c->arena, out, "StackId", stack->arn);
	doc_set_str(c->arena, out, "OperationId", doc_get_str(
	    doc_get(stack->status, "Operation"), "OperationId"));
	return reply_ok(c, out);
}

struct reply *
stack_updatable(struct call *c, const struct res *stack)
{
	static const char *const ok = "CREATE_COMPLETE UPDATE_COMPLETE "
	    "UPDATE_ROLLBACK_COMPLETE IMPORT_COMPLETE "
	    "IMPORT_ROLLBACK_COMPLETE UPDATE_FAILED CREATE_FAILED";
	struct span status = doc_get_str(stack->status, "StackStatus");

	if (cfn_word(ok, status) || (c->who.system &&
		span_is(status, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")))
		return NULL;
	return cfn_refuse(c, "Stack:%.*s is in %.*s state and can not be "
	    "updated.", SPAN_ARG(stack->arn), SPAN_ARG(status));
}
