/* Versions: what is encrypted, and when an old one goes. */
#include "api/vault.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/secretsmanager/secretsmanager.h"

#define KEPT_VERSIONS 100
#define KEPT_MS	      (24 * 60 * 60 * 1000LL)
#define STAGES_MAX    20
#define MANAGED	      "alias/aws/secretsmanager"

/* AWS: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html */
static struct vault
vault(struct call *c, const struct res *secret, struct span version)
{
	struct doc *context = doc_obj(c->arena);

	doc_set_str(c->arena, context, "SecretARN", secret->arn);
	doc_set_str(c->arena, context, "SecretVersionId", version);
	return (struct vault){"secretsmanager.amazonaws.com", MANAGED, 0,
	    arena_fmt_span(c->arena, "%.*s %.*s", SPAN_ARG(secret->arn),
		SPAN_ARG(version)), context};
}

static struct span
key_of(const struct doc *spec)
{
	struct span key = doc_get_str(spec, "KmsKeyId");

	return key.n ? key : SPAN(MANAGED);
}

static struct reply *
refused(struct call *c, int e, const struct op_result *why, bool encrypting)
{
	if (e < 0)
		return secret_fail(c, e);
	if (span_is(why->error, "AccessDeniedException"))
		return reply_error(c, "AccessDeniedException",
		    "Access to KMS is not allowed");
	if (span_is(why->error, "NotFoundException"))
		return reply_error(c, "ResourceNotFoundException", "%.*s",
		    SPAN_ARG(why->message));
	if (encrypting)
		return reply_error(c, "EncryptionFailure", "Secrets Manager "
		    "can't encrypt the protected secret text using the "
		    "provided KMS key. Check that the KMS key is available, "
		    "enabled, and not in an invalid state.");
	return reply_error(c, "DecryptionFailure", "Secrets Manager can't "
	    "decrypt the protected secret text using the provided KMS key.");
}

struct reply *
version_open(struct call *c, const struct res *secret,
    const struct res *version, struct span *ret)
{
	struct vault v = vault(c, secret, version->id);
	struct op_result why;
	int e = vault_decrypt(c, &v, key_of(version->spec),
	    doc_get_str(version->spec, "Value"), ret, &why);

	return e ? refused(c, e, &why, false) : NULL;
}

static struct reply *
close_version(struct call *c, const struct res *secret, struct res *version,
    struct span plain)
{
	struct vault v = vault(c, secret, version->id);
	const struct doc *key = doc_get(secret->spec, "KmsKeyId");
	struct op_result why;
	struct span sealed;
	int e = vault_encrypt(c, &v, key_of(secret->spec), plain, &sealed,
	    &why);

	if (e)
		return refused(c, e, &why, true);
	doc_set_str(c->arena, version->spec, "Value", sealed);
	doc_set(c->arena, version->spec, "KmsKeyId",
	    key ? doc_copy(c->arena, key) : NULL);
	return NULL;
}

static bool
in_use(const struct res *version)
{
	const struct doc *stages = doc_get(version->spec, "Stages");

	return doc_has_str(stages, AWSCURRENT) ||
	    doc_has_str(stages, AWSPREVIOUS) ||
	    doc_has_str(stages, SPAN("AWSPENDING"));
}

struct reply *
version_rekey(struct call *c, const struct res *secret)
{
	struct reply *no;
	struct span plain;
	struct res_list all;
	int e = version_list(c, secret, &all);

	for (size_t i = 0; !e && i < all.n; i++) {
		if (!in_use(all.v[i]))
			continue;
		if ((no = version_open(c, secret, all.v[i], &plain)) ||
		    (no = close_version(c, secret, all.v[i], plain)))
			return no;
		e = store_put_spec(c->store, all.v[i]);
	}
	return e ? secret_fail(c, e) : NULL;
}

/* Versions without a stage go when there are many, but not on their first
 * day.
 * AWS: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
static int
drop_old(struct call *c, const struct res_list *all)
{
	int64_t now = clock_ms();
	size_t left = all->n;
	int e = 0;

	for (size_t i = 0; !e && i < all->n && left > KEPT_VERSIONS; i++) {
		const struct res *v = all->v[i];

		if (doc_len(doc_get(v->spec, "Stages")) ||
		    now - doc_get_int(v->spec, "Created", 0) < KEPT_MS)
			continue;
		e = store_delete(c->store, v);
		left--;
	}
	return e ? err_fold(e) : 0;
}

/* The same token again: fine when it says the same. */
static struct reply *
again(struct call *c, const struct res *secret, const struct res *version,
    struct span value, bool binary)
{
	struct span was;
	struct reply *no = version_open(c, secret, version, &was);

	if (no)
		return no;
	if (span_eq(was, value) &&
	    doc_get_bool(version->spec, "Binary", false) == binary)
		return NULL;
	return reply_error(c, "ResourceExistsException", "You can't use "
	    "ClientRequestToken %.*s because that value is already in use for "
	    "a version of secret %.*s.", SPAN_ARG(version->id),
	    SPAN_ARG(secret->arn));
}

static struct reply *
insert(struct call *c, const struct res *secret, const struct doc *stages,
    struct res *v)
{
	struct res_list all;
	int e = store_insert(c->store, c->arena, v);

	if (e || (e = version_list(c, secret, &all)))
		return secret_fail(c, e);
	/* The list has rows of its own; the newest is ours. */
	doc_each(s, stages)
		if ((e = stage_move(c, &all, doc_span(s), all.v[all.n - 1])))
			return secret_fail(c, e);
	/* AWS: the first version is the current one, whatever is asked. */
	if (all.n == 1 && (e = stage_move(c, &all, AWSCURRENT, all.v[0])))
		return secret_fail(c, e);
	v->spec = all.v[all.n - 1]->spec;
	if (doc_len(doc_get(v->spec, "Stages")) > STAGES_MAX)
		return reply_error(c, "LimitExceededException", "You can't "
		    "attach more than %d staging labels to a version.",
		    STAGES_MAX);
	e = drop_old(c, &all);
	return e ? secret_fail(c, e) : NULL;
}

/* The wire makes a token where a client has none; services of ours do not. */
static struct span
token(struct call *c)
{
	struct span t = doc_get_str(c->in, "ClientRequestToken");

	return t.n ? t : span_of(id_uuid(c->arena));
}

struct reply *
version_add(struct call *c, struct res *secret, const struct doc *stages,
    struct res **ret)
{
	bool binary = doc_get(c->in, "SecretBinary") != NULL;
	bool text = doc_get(c->in, "SecretString") != NULL;
	struct span value = doc_get_str(c->in,
	    binary ? "SecretBinary" : "SecretString"), id = token(c);
	struct reply *no;
	struct res *v;
	int e;

	*ret = NULL;
	if (binary && text)
		return secret_bad_parameter(c, "You can't specify both a "
		    "binary secret value and a string secret value in the "
		    "same secret.");
	if (!binary && !text)
		return NULL;
	e = store_get(c->store, c->arena, &secretsmanager_version, c->scope,
	    secret->id, id, ret);
	if (!e)
		return again(c, secret, *ret, value, binary);
	if (e != STORE_E_NOT_FOUND)
		return secret_fail(c, e);
	*ret = v = res_new(c->arena, &secretsmanager_version, c->scope,
	    secret->id, id);
	doc_set(c->arena, v->spec, "Stages", doc_arr(c->arena));
	doc_set_int(c->arena, v->spec, "Created", clock_ms());
	if (binary)
		doc_set_bool(c->arena, v->spec, "Binary", true);
	no = close_version(c, secret, v, value);
	return no ? no : insert(c, secret, stages, v);
}
