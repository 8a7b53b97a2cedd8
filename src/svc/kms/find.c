/* Finding keys, what may be done with them, refusing in KMS's words. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/kms/kms.h"
#include "wire/model.h"

/* Aliases that AWS makes when one of its services needs them first. */
static const char *const managed_aliases[] = {
	"alias/aws/ssm", "alias/aws/secretsmanager", "alias/aws/s3",
};

struct reply *
kms_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
kms_invalid(struct call *c, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "ValidationException", "%s", what);
}

bool
kms_is(const struct res *key, const char *member, const char *value)
{
	return span_is(doc_get_str(key->spec, member), value);
}

bool
kms_is_managed_alias(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(managed_aliases); i++)
		if (span_is(name, managed_aliases[i]))
			return true;
	return false;
}

static struct reply *
denied(struct call *c, const struct res *key)
{
	struct span op = model_op_name(c->op);

	return reply_error(c, "AccessDeniedException", "User: %.*s is not "
	    "authorized to perform: kms:%.*s on resource: %.*s because no "
	    "resource-based policy allows the kms:%.*s action",
	    SPAN_ARG(c->who.arn), SPAN_ARG(op), SPAN_ARG(key->arn),
	    SPAN_ARG(op));
}

struct reply *
kms_allows(struct call *c, const struct res *key, enum kms_use use)
{
	bool pending = kms_is(key, "KeyState", "PendingDeletion");

	if (use == KMS_LOOK)
		return NULL;
	if (kms_is(key, "KeyManager", "AWS") &&
	    !(use == KMS_CRYPT && c->who.system))
		return denied(c, key);
	if (use == KMS_MANAGE)
		return NULL;
	if (pending)
		return reply_error(c, "KMSInvalidStateException",
		    "%.*s is pending deletion.", SPAN_ARG(key->arn));
	if (use == KMS_CRYPT && !kms_is(key, "KeyState", "Enabled"))
		return reply_error(c, "DisabledException", "%.*s is disabled.",
		    SPAN_ARG(key->arn));
	return NULL;
}

/* 0, STORE_E_NOT_FOUND or negative. */
static int
make_managed(struct call *c, struct span name, struct res **ret)
{
	struct span service = span_from(name, strlen("alias/aws/"));
	struct kms_new n = {.managed = true, .description = arena_fmt_span(
	    c->arena, "Default key that protects my %.*s when no other key is "
	    "defined", SPAN_ARG(span_is(service, "s3") ? SPAN("S3 objects") :
	    span_is(service, "ssm") ? SPAN("SSM parameters") :
	    SPAN("Secrets Manager data")))};
	struct res *alias;
	int r;

	if (!kms_is_managed_alias(name))
		return STORE_E_NOT_FOUND;
	if ((r = kms_make(c, &n, ret)) < 0)
		return err_trace(r);
	alias = res_new(c->arena, &kms_alias, c->scope, SPAN_NULL, name);
	doc_set_str(c->arena, alias->spec, "TargetKeyId", (*ret)->id);
	doc_set_int(c->arena, alias->spec, "Updated", clock_ms());
	r = store_insert(c->store, c->arena, alias);
	return r > 0 ? err_fold(r) : err_trace(r);
}

static int
get_by_alias(struct call *c, struct span name, struct res **ret)
{
	struct res *alias;
	int r = store_get(c->store, c->arena, &kms_alias, c->scope, SPAN_NULL,
	    name, &alias);

	if (r == STORE_E_NOT_FOUND)
		return make_managed(c, name, ret);
	if (r)
		return err_trace(r);
	return store_get(c->store, c->arena, &kms_key, c->scope, SPAN_NULL,
	    doc_get_str(alias->spec, "TargetKeyId"), ret);
}

/* Cuts an ARN's region and account off, or refuses. */
static struct reply *
unwrap(struct call *c, struct span *id)
{
	struct span rest = *id, region, account;

	if (!span_starts(rest, SPAN("arn:")))
		return NULL;
	span_cut(&rest, ':');
	span_cut(&rest, ':');
	if (!span_is(span_cut(&rest, ':'), "kms"))
		return reply_error(c, "InvalidArnException", "%.*s is not a "
		    "valid ARN", SPAN_ARG(*id));
	region = span_cut(&rest, ':');
	account = span_cut(&rest, ':');
	if (!span_eq(region, c->scope.region))
		return reply_error(c, "NotFoundException", "Invalid arn %.*s",
		    SPAN_ARG(region));
	if (!span_eq(account, c->scope.account))
		return reply_error(c, "NotFoundException",
		    "Key '%.*s' does not exist", SPAN_ARG(*id));
	if (span_starts(rest, SPAN("key/")))
		rest = span_from(rest, 4);
	else if (!span_starts(rest, SPAN("alias/")))
		return reply_error(c, "NotFoundException",
		    "Invalid keyId '%.*s'", SPAN_ARG(*id));
	*id = rest;
	return NULL;
}

static bool
is_uuid(struct span s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s.p[i] != '-')
				return false;
		} else if (!strchr("0123456789abcdef", s.p[i])) {
			return false;
		}
	}
	return true;
}

struct reply *
kms_find(struct call *c, struct span id, bool by_alias, enum kms_use use,
    struct res **ret)
{
	struct span full = id;
	struct reply *no = unwrap(c, &id);
	bool alias = span_starts(id, SPAN("alias/"));
	int r;

	if (no)
		return no;
	if (alias && by_alias)
		r = get_by_alias(c, id, ret);
	else if (!alias && is_uuid(id))
		r = store_get(c->store, c->arena, &kms_key, c->scope,
		    SPAN_NULL, id, ret);
	else
		return reply_error(c, "NotFoundException",
		    "Invalid keyId '%.*s'", SPAN_ARG(full));
	if (r == STORE_E_NOT_FOUND && alias)
		return reply_error(c, "NotFoundException",
		    "Alias %.*s is not found.", SPAN_ARG(kind_arn(c->arena,
		    &kms_alias, c->scope, SPAN_NULL, id)));
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "NotFoundException",
		    "Key '%.*s' does not exist", SPAN_ARG(kind_arn(c->arena,
		    &kms_key, c->scope, SPAN_NULL, id)));
	return r ? kms_fail(c, r) : kms_allows(c, *ret, use);
}

struct reply *
kms_named(struct call *c, enum kms_use use, struct res **ret)
{
	return kms_find(c, doc_get_str(c->in, "KeyId"), false, use, ret);
}

static int
delete_all(struct call *c, const struct query *q)
{
	struct res_list l;
	int r = store_list(c->store, c->arena, q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = store_delete(c->store, l.v[i]);
	return r;
}

static int
delete_key(struct call *c, const struct res *key)
{
	struct query aliases = {.kind = &kms_alias, .scope = c->scope,
	    .index = "spec.TargetKeyId", .value = key->id};
	struct query materials = {.kind = &kms_key_material, .scope = c->scope,
	    .parent = key->id};
	int r;

	if ((r = delete_all(c, &aliases)) || (r = delete_all(c, &materials)))
		return r;
	return store_delete(c->store, key);
}

struct reply *
kms_before(struct call *c)
{
	struct query q = {.kind = &kms_key, .scope = c->scope,
	    .index = "spec.KeyState", .value = SPAN("PendingDeletion")};
	int64_t now = clock_ms();
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		if (doc_get_int(l.v[i]->spec, "DeletionDate", INT64_MAX) <= now)
			r = delete_key(c, l.v[i]);
	return r ? kms_fail(c, r) : NULL;
}
