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

bool
stack_has_service(const char *name)
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

	if (!stack_has_service(service))
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
	if (!d && span_starts(attr, SPAN("Outputs.")))
		return invalid(a, err, "Output '%.*s' not found in stack "
		    "'%.*s'", SPAN_ARG(span_from(attr, 8)), SPAN_ARG(
		    doc_get_str(r->status, "PhysicalResourceId")));
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
		    doc_type(inner) != DOC_OBJ)
			return invalid(x->arena, err,
			    "Could not parse SecretString JSON");
		if (!doc_getn(inner, d->json_key))
			return invalid(x->arena, err, "Could not find a value "
			    "associated with JSONKey in SecretString");
		inner = doc_getn(inner, d->json_key);
		text = doc_type(inner) == DOC_STR ? doc_span(inner) :
		    doc_json(x->arena, inner);
	}
	*ret = text;
	return 0;
}

/* One parameter of the store; *ret is NULL when there is none of that name. */
static int
fetch(struct stack_context *x, struct span name, bool decrypt,
    struct doc **ret, struct cfn_error *err)
{
	struct doc *in = doc_obj(x->arena), *names = doc_arr(x->arena), *out;
	int e;

	doc_push_str(x->arena, names, name);
	doc_set(x->arena, in, "Names", names);
	doc_set_bool(x->arena, in, "WithDecryption", decrypt);
	e = stack_call(x, "ssm", "GetParameters", in, &out, err);
	if (!e)
		*ret = doc_at(doc_get(out, "Parameters"), 0);
	return e;
}

/* AWS's words of what a reference names, without its braces. */
static int
parameter(struct stack_context *x, const struct cfn_dynamic *d, bool secure,
    struct span *ret, struct cfn_error *err)
{
	struct span name = d->version.n ? arena_fmt_span(x->arena,
	    "%.*s:%.*s", SPAN_ARG(d->name), SPAN_ARG(d->version)) : d->name;
	struct doc *p;
	int e = fetch(x, name, secure, &p, err);

	if (e)
		return e;
	if (!p)
		return invalid(x->arena, err, "Parameters: [%s:%.*s] cannot be "
		    "found.", secure ? "ssm-secure" : "ssm", SPAN_ARG(name));
	if (!secure && span_is(doc_get_str(p, "Type"), "SecureString"))
		return invalid(x->arena, err, "Non-secure ssm prefix was used "
		    "for secure parameter %.*s", SPAN_ARG(d->name));
	*ret = doc_get_str(p, "Value");
	return 0;
}

static int
ask_dynamic(void *ctx, struct arena *a UNUSED, const struct cfn_dynamic *d,
    struct span *ret, struct cfn_error *err)
{
	switch (d->service) {
	case CFN_DYN_SSM:
		return parameter(ctx, d, false, ret, err);
	case CFN_DYN_SSM_SECURE:
		return parameter(ctx, d, true, ret, err);
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

struct unresolved {
	struct buf missing, secret, other;
};

static void
unresolved_done(struct unresolved *u)
{
	buf_done(&u->missing);
	buf_done(&u->secret);
	buf_done(&u->other);
}

static void
note(struct buf *b, struct span name)
{
	buf_addf(b, "%s%.*s", b->n ? "," : "", SPAN_ARG(name));
}

/* AWS tells all of one kind of trouble at once. */
static int
judge(struct stack_context *x, const struct unresolved *u,
    struct cfn_error *err)
{
	if (u->missing.n)
		return invalid(x->arena, err, "Unable to fetch parameters [%s] "
		    "from parameter store for this account.",
		    buf_str(&u->missing));
	if (u->secret.n)
		return invalid(x->arena, err, "Parameters [%s] referenced by "
		    "template have types not supported by CloudFormation.",
		    buf_str(&u->secret));
	if (u->other.n)
		return invalid(x->arena, err, "Types for SSM parameters [%s] "
		    "defined in CFN template and SSM are incompatible",
		    buf_str(&u->other));
	return 0;
}

int
stack_resolve(struct stack_context *x, struct doc *def, struct cfn_error *err)
{
	_cleanup_(unresolved_done) struct unresolved u = {BUF_INIT, BUF_INIT,
	    BUF_INIT};
	struct doc *names, *p, *resolved = doc_obj(x->arena);
	struct cfn_template *t;
	struct span value;
	int e = cfn_template_parse(x->arena,
	    doc_get_str(def, "TemplateBody"), &t, err);

	if (e)
		return e;
	names = cfn_params_ssm(x->arena, t, doc_get(def, "Params"));
	doc_each_key(k, v, names) {
		struct span name = doc_span(v), type;

		if ((e = fetch(x, name, false, &p, err)))
			return e;
		type = doc_get_str(p, "Type");
		if (!p)
			note(&u.missing, name);
		else if (span_is(type, "SecureString"))
			note(&u.secret, name);
		else if (!cfn_param_resolve(x->arena, t, k, type,
		    doc_get_str(p, "Value"), &value))
			note(&u.other, name);
		else
			doc_setn(x->arena, resolved, k,
			    doc_str(x->arena, value));
	}
	doc_set(x->arena, def, "Resolved", resolved);
	return judge(x, &u, err);
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
