/* Values under a key of kms. */
#include "api/vault.h"

#include <errno.h>

#include "base/err.h"
#include "base/seal.h"

#define WRAPPED 2
/* Before the ciphertext of a data key: WRAPPED and its length. */
#define HEAD	3

static int
kms(struct call *c, const struct vault *v, const char *op, struct span key,
    const struct doc *in, struct op_result *ret)
{
	struct principal who = span_is(key, v->managed) ?
	    principal_system(c->scope.account, v->service) : c->who;
	int e = op_call(c->api, c->arena, &who, c->scope, "kms", op, in, ret);

	if (e)
		return err_trace(e);
	return ret->error.n ? VAULT_E_REFUSED : 0;
}

static struct doc *
input(struct call *c, const struct vault *v)
{
	return doc_set(c->arena, doc_obj(c->arena), "EncryptionContext",
	    doc_copy(c->arena, v->context));
}

static struct span
base64(struct call *c, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_base64(&b, s.p, s.n);
	return arena_span(c->arena, buf_span(&b));
}

static int
wrap(struct call *c, const struct vault *v, struct span key,
    struct span plain, struct span *ret, struct op_result *ret_why)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct doc *in = input(c, v);
	struct span blob, secret;
	int e;

	doc_set_str(c->arena, in, "KeyId", key);
	doc_set_str(c->arena, in, "KeySpec", SPAN("AES_256"));
	if ((e = kms(c, v, "GenerateDataKey", key, in, ret_why)))
		return e;
	blob = doc_get_str(ret_why->out, "CiphertextBlob");
	secret = doc_get_str(ret_why->out, "Plaintext");
	AN(secret.n == SEAL_KEY && blob.n <= UINT16_MAX);
	buf_add_char(&b, WRAPPED);
	buf_add_char(&b, (char)(blob.n >> 8));
	buf_add_char(&b, (char)blob.n);
	buf_add_span(&b, blob);
	seal((const unsigned char *)secret.p, v->what, plain, &b);
	*ret = base64(c, buf_span(&b));
	return 0;
}

int
vault_encrypt(struct call *c, const struct vault *v, struct span key,
    struct span plain, struct span *ret, struct op_result *ret_why)
{
	struct doc *in = input(c, v);
	int e;

	if (plain.n > v->direct_max)
		return wrap(c, v, key, plain, ret, ret_why);
	doc_set_str(c->arena, in, "KeyId", key);
	doc_set_str(c->arena, in, "Plaintext", plain);
	if ((e = kms(c, v, "Encrypt", key, in, ret_why)))
		return e;
	*ret = base64(c, doc_get_str(ret_why->out, "CiphertextBlob"));
	return 0;
}

static int
damaged(void)
{
	return err_origin(EBADMSG, "an encrypted value does not open");
}

int
vault_decrypt(struct call *c, const struct vault *v, struct span key,
    struct span kept, struct span *ret, struct op_result *ret_why)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT, plain = BUF_INIT;
	struct span all, blob, sealed = SPAN_NULL, secret;
	struct doc *in = input(c, v);
	size_t n;
	int e;

	if (!buf_add_unbase64(&b, kept) || b.n < HEAD)
		return damaged();
	all = blob = buf_span(&b);
	if (all.p[0] == WRAPPED) {
		n = (size_t)(unsigned char)all.p[1] << 8 |
		    (unsigned char)all.p[2];
		blob = span_to(span_from(all, HEAD), n);
		sealed = span_from(all, HEAD + n);
	}
	doc_set_str(c->arena, in, "CiphertextBlob", blob);
	if ((e = kms(c, v, "Decrypt", key, in, ret_why)))
		return e;
	secret = doc_get_str(ret_why->out, "Plaintext");
	if (all.p[0] == WRAPPED) {
		if (secret.n != SEAL_KEY || !unseal((const unsigned char *)
		    secret.p, v->what, sealed, &plain))
			return damaged();
		secret = arena_span(c->arena, buf_span(&plain));
	}
	*ret = secret;
	return 0;
}
