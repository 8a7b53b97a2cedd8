/* Opens templates over what a stack has: what the engine asks is answered. */
#include "svc/cloudformation/context.h"

#include "base/err.h"

static int
invalid(struct arena *a, struct cfn_error *err, const char *fmt, ...)
    PRINTF(3, 4);

static int
invalid(struct arena *a, struct cfn_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err->text = span_of(arena_vfmt(a, fmt, ap));
	va_end(ap);
	return CFN_E_INVALID;
}

static bool
has_service(const char *name)
{
	for (const struct service *const *s = services; *s; s++)
		if (strcmp((*s)->name, name) == 0)
			return true;
	return false;
}

int
stack_call(struct stack_context *x, const char *service, const char *op,
    const struct doc *in, struct doc **ret, struct cfn_error *err)
{
	struct principal who = principal_system(x->scope.account,
	    "cloudformation.amazonaws.com");
	struct op_result r;
	int e;

	if (!has_service(service))
		return invalid(x->arena, err, "%s:%s is not implemented",
		    service, op);
	e = op_call(x->api, x->arena, &who, x->scope, service, op, in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		return invalid(x->arena, err, "%.*s", SPAN_ARG(r.message));
	*ret = r.out ? r.out : doc_obj(x->arena);
	return 0;
}

int
stack_context(struct stack_context *x, struct api *api, struct store *store,
    struct arena *a, const struct res *stack)
{
	struct query q = {.kind = &cloudformation_resource};
	int e;

	*x = (struct stack_context){.api = api, .store = store, .arena = a,
	    .rows = {arena_array(a, struct res *, 1), 0, false},
	    .imports = doc_arr(a)};
	if (!stack)
		return 0;
	x->scope = stack->scope;
	x->stack_id = stack->arn;
	x->stack_name = doc_get_str(stack->spec, "StackName");
	q.scope = stack->scope;
	q.parent = stack->id;
	e = store_list(store, a, &q, &x->rows);
	return e ? err_fold(e) : 0;
}

struct res *
stack_row(const struct stack_context *x, struct span logical)
{
	for (size_t i = 0; i < x->rows.n; i++)
		if (span_eq(x->rows.v[i]->id, logical))
			return x->rows.v[i];
	return NULL;
}

/* The engine's questions */

static int
ask_ref(void *ctx, struct arena *a, struct span id, struct doc **ret,
    struct cfn_error *err UNUSED)
{
	const struct res *r = stack_row(ctx, id);
	struct span physical = r ?
	    doc_get_str(r->status, "PhysicalResourceId") : SPAN_NULL;

	if (!physical.n)
		return CFN_E_UNKNOWN;
	*ret = doc_strdup(a, physical);
	return 0;
}

static int
ask_attr(void *ctx, struct arena *a, struct span id, struct span attr,
    struct doc **ret, struct cfn_error *err)
{
	const struct res *r = stack_row(ctx, id);
	const struct doc *d;

	if (!r || !doc_get_str(r->status, "PhysicalResourceId").n)
		return CFN_E_UNKNOWN;
	d = doc_getn(doc_get(r->status, "Attrs"), attr);
	if (!d)
		d = doc_getn(doc_get(r->status, "Props"), attr);
	if (!d)
		return invalid(a, err, "Attribute '%.*s' of resource %.*s is "
		    "not implemented", SPAN_ARG(attr), SPAN_ARG(id));
	*ret = doc_copy(a, d);
	return 0;
}

static int
ask_zones(void *ctx, struct arena *a, struct span region, struct doc **ret,
    struct cfn_error *err)
{
	struct stack_context *x = ctx;
	struct scope was = x->scope;
	struct doc *out, *names = doc_arr(a);
	int e;

	if (region.n)
		x->scope.region = region;
	e = stack_call(x, "ec2", "DescribeAvailabilityZones", doc_obj(a), &out,
	    err);
	x->scope = was;
	if (e)
		return e;
	doc_each(z, doc_get(out, "AvailabilityZones"))
		doc_push_str(a, names, doc_get_str(z, "ZoneName"));
	*ret = names;
	return 0;
}

static int
ask_import(void *ctx, struct arena *a, struct span name, struct span *ret,
    struct cfn_error *err UNUSED)
{
	struct stack_context *x = ctx;
	struct res *r;
	int e = store_get(x->store, a, &cloudformation_export, x->scope,
	    SPAN_NULL, name, &r);

	if (e == STORE_E_NOT_FOUND)
		return CFN_E_UNKNOWN;
	if (e)
		return err_fold(e);
	if (!doc_has_str(x->imports, name))
		doc_push(x->imports, doc_strdup(x->arena, name));
	*ret = doc_get_str(r->spec, "Value");
	return 0;
}

static int
secret(struct stack_context *x, const struct cfn_dynamic *d, struct span *ret,
    struct cfn_error *err)
{
	struct doc *in = doc_obj(x->arena), *out, *inner;
	struct span text;
	int e;

	doc_set_str(x->arena, in, "SecretId", d->name);
	if (d->version.n)
		doc_set_str(x->arena, in, "VersionId", d->version);
	if (d->stage.n)
		doc_set_str(x->arena, in, "VersionStage", d->stage);
	e = stack_call(x, "secretsmanager", "GetSecretValue", in, &out, err);
	if (e)
		return e;
	text = doc_get_str(out, "SecretString");
	if (d->json_key.n) {
		if (doc_parse_json(x->arena, text, &inner) ||
		    !doc_getn(inner, d->json_key))
			return invalid(x->arena, err, "Could not find a value "
			    "associated with JSONKey in SecretString");
		inner = doc_getn(inner, d->json_key);
		text = doc_type(inner) == DOC_STR ? doc_span(inner) :
		    doc_json(x->arena, inner);
	}
	*ret = text;
	return 0;
}

static int
parameter(struct stack_context *x, struct span name, struct span version,
    bool secure, struct span *ret, struct cfn_error *err)
{
	struct doc *in = doc_obj(x->arena), *out;
	int e;

	doc_set_str(x->arena, in, "Name", version.n ?
	    arena_fmt_span(x->arena, "%.*s:%.*s", SPAN_ARG(name),
		SPAN_ARG(version)) : name);
	if (secure)
		doc_set_bool(x->arena, in, "WithDecryption", true);
	e = stack_call(x, "ssm", "GetParameter", in, &out, err);
	if (e)
		return e;
	out = doc_get(out, "Parameter");
	if (!secure && span_is(doc_get_str(out, "Type"), "SecureString"))
		return invalid(x->arena, err, "Parameters [%.*s] referenced by "
		    "template have types not supported by CloudFormation.",
		    SPAN_ARG(name));
	*ret = doc_get_str(out, "Value");
	return 0;
}

static int
ask_dynamic(void *ctx, struct arena *a UNUSED, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err)
{
	switch (d->service) {
	case CFN_DYN_SSM:
		return parameter(ctx, d->name, d->version, false, ret, err);
	case CFN_DYN_SSM_SECURE:
		return parameter(ctx, d->name, d->version, true, ret, err);
	case CFN_DYN_SECRETSMANAGER:
		return secret(ctx, d, ret, err);
	}
	WRONG("a dynamic reference of no service");
}

static const struct cfn_lookup lookup = {
	.ref = ask_ref,
	.attr = ask_attr,
	.zones = ask_zones,
	.import = ask_import,
	.dynamic = ask_dynamic,
};

int
stack_resolve(struct stack_context *x, struct doc *def, struct cfn_error *err)
{
	struct cfn_template *t;
	struct doc *names, *resolved = doc_obj(x->arena);
	int e = cfn_template_parse(x->arena,
	    doc_get_str(def, "TemplateBody"), &t, err);

	if (e)
		return e;
	names = cfn_params_ssm(x->arena, t, doc_get(def, "Params"));
	doc_each_key(k, v, names) {
		struct span value;

		e = parameter(x, doc_span(v), SPAN_NULL, false, &value, err);
		if (e == CFN_E_INVALID && !has_service("ssm"))
			return e;
		if (e == CFN_E_INVALID && span_find(err->text,
			SPAN("not supported")) < 0)
			return invalid(x->arena, err, "Parameters: [%.*s] "
			    "referenced by template do not exist",
			    SPAN_ARG(doc_span(v)));
		if (e)
			return e;
		doc_setn(x->arena, resolved, k,
		    doc_strdup(x->arena, value));
	}
	doc_set(x->arena, def, "Resolved", resolved);
	return 0;
}

int
stack_open(struct stack_context *x, const struct doc *def,
    struct cfn_error *err)
{
	struct cfn_env env = {
		.account = x->scope.account,
		.region = x->scope.region,
		.stack_id = x->stack_id,
		.stack_name = x->stack_name,
		.notification_arns = doc_get(def, "NotificationARNs"),
		.params = doc_get(def, "Params"),
		.resolved = doc_get(def, "Resolved"),
		.lookup = &lookup,
		.ctx = x,
	};
	int e;

	x->def = def;
	e = cfn_template_parse(x->arena, doc_get_str(def, "TemplateBody"),
	    &x->template, err);
	if (e)
		return e;
	return cfn_stack_open(x->arena, x->template, &env, &x->stack, err);
}
