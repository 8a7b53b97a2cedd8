/*
 * Values of SecureStrings, through kms.  Up to 4 KB: kms's own ciphertext.
 * Longer: 2, the length of a data key's ciphertext (2 bytes), that, and the
 * value sealed under the data key.
 */
#include <errno.h>

#include "base/err.h"
#include "base/seal.h"
#include "svc/ssm/ssm.h"

#define DIRECT_MAX 4096
#define WRAPPED	   2

#define DEFAULT_KEY "alias/aws/ssm"

/* The caller's own right to the key counts, but for the one AWS manages. */
static struct reply *
kms(struct call *c, const char *op, struct span key, const struct doc *in,
    struct doc **ret)
{
	struct principal who = span_is(key, DEFAULT_KEY) ?
	    principal_system(c->scope.account, "ssm.amazonaws.com") : c->who;
	struct op_result r;
	int e = op_call(c->api, c->arena, &who, c->scope, "kms", op, in, &r);

	if (e < 0)
		return ssm_fail(c, e);
	if (span_is(r.error, "AccessDeniedException"))
		return reply_error(c, "AccessDeniedException", "%.*s",
		    SPAN_ARG(r.message));
	if (r.error.n)
		return reply_error(c, "InvalidKeyId", "%.*s",
		    SPAN_ARG(r.message));
	*ret = r.out;
	return NULL;
}

static struct doc *
context(struct call *c, struct span arn)
{
	struct doc *in = doc_obj(c->arena), *ctx = doc_obj(c->arena);

	doc_set_str(c->arena, ctx, "PARAMETER_ARN", arn);
	return doc_set(c->arena, in, "EncryptionContext", ctx);
}

static struct span
base64(struct call *c, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_base64(&b, s.p, s.n);
	return arena_span(c->arena, buf_span(&b));
}

static struct reply *
wrap(struct call *c, struct span arn, struct span key, struct span plain,
    struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct doc *in = context(c, arn), *out;
	struct span blob, secret;
	struct reply *no;

	doc_set_str(c->arena, in, "KeyId", key);
	doc_set_str(c->arena, in, "KeySpec", SPAN("AES_256"));
	if ((no = kms(c, "GenerateDataKey", key, in, &out)))
		return no;
	blob = doc_get_str(out, "CiphertextBlob");
	secret = doc_get_str(out, "Plaintext");
	AN(secret.n == SEAL_KEY && blob.n <= UINT16_MAX);
	buf_add_char(&b, WRAPPED);
	buf_add_char(&b, (char)(blob.n >> 8));
	buf_add_char(&b, (char)blob.n);
	buf_add_span(&b, blob);
	seal((const unsigned char *)secret.p, arn, plain, &b);
	*ret = base64(c, buf_span(&b));
	return NULL;
}

struct reply *
ssm_encrypt(struct call *c, struct span arn, struct span key,
    struct span plain, struct span *ret)
{
	struct doc *in = context(c, arn), *out;
	struct reply *no;

	if (plain.n > DIRECT_MAX)
		return wrap(c, arn, key, plain, ret);
	doc_set_str(c->arena, in, "KeyId", key);
	doc_set_str(c->arena, in, "Plaintext", plain);
	if ((no = kms(c, "Encrypt", key, in, &out)))
		return no;
	*ret = base64(c, doc_get_str(out, "CiphertextBlob"));
	return NULL;
}

static struct reply *
damaged(struct call *c)
{
	return ssm_fail(c, err_origin(EBADMSG, "a parameter does not open"));
}

struct reply *
ssm_decrypt(struct call *c, struct span arn, const struct doc *spec,
    struct span *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT, plain = BUF_INIT;
	struct span all, blob, sealed = SPAN_NULL, secret;
	struct doc *in = context(c, arn), *out;
	struct reply *no;
	size_t n;

	if (!buf_add_unbase64(&b, doc_get_str(spec, "Value")) || b.n < 3)
		return damaged(c);
	all = blob = buf_span(&b);
	if (all.p[0] == WRAPPED) {
		n = (size_t)(unsigned char)all.p[1] << 8 |
		    (unsigned char)all.p[2];
		blob = span_to(span_from(all, 3), n);
		sealed = span_from(all, 3 + n);
	}
	doc_set_str(c->arena, in, "CiphertextBlob", blob);
	no = kms(c, "Decrypt", doc_get_str(spec, "KeyId"), in, &out);
	if (no)
		return no;
	*ret = secret = doc_get_str(out, "Plaintext");
	if (all.p[0] != WRAPPED)
		return NULL;
	if (secret.n != SEAL_KEY || !unseal((const unsigned char *)secret.p,
	    arn, sealed, &plain))
		return damaged(c);
	*ret = arena_span(c->arena, buf_span(&plain));
	return NULL;
}
