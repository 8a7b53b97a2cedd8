/* Encrypt, Decrypt, ReEncrypt, data keys, random bytes. */
#include "base/err.h"
#include "base/id.h"
#include "svc/kms/envelope.h"
#include "svc/kms/kms.h"

#define ALGORITHM "SYMMETRIC_DEFAULT"

struct source {
	struct span key, algorithm;
	const struct doc *context;
};

static struct reply *
check_algorithm(struct call *c, struct span name)
{
	if (name.n == 0 || span_is(name, ALGORITHM))
		return NULL;
	return reply_error(c, "InvalidKeyUsageException", "Algorithm %.*s is "
	    "incompatible with key spec " ALGORITHM ".", SPAN_ARG(name));
}

/* Everything was found to be right, and nothing is to be done. */
static struct reply *
dry_run(struct call *c)
{
	if (!doc_get_bool(c->in, "DryRun", false))
		return NULL;
	return reply_error(c, "DryRunOperationException",
	    "The request would have succeeded, but the DryRun option is set.");
}

static struct span
keep(struct call *c, const struct buf *b)
{
	return arena_span(c->arena, buf_span(b));
}

/* Under the material of now. */
static struct reply *
encrypt(struct call *c, struct res *key, const struct doc *context,
    struct span plain, struct span *ret_blob, struct span *ret_material)
{
	_cleanup_(kms_material_done) struct kms_material m = {.id = SPAN_NULL};
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct envelope head = {.key_id = key->id};
	int r;

	if ((r = kms_rotate_due(c, key)) < 0)
		return kms_fail(c, r);
	head.material = (uint32_t)doc_get_int(key->spec, "Material", 0);
	if ((r = kms_material(c, key, head.material, &m)))
		return kms_fail(c, r);
	envelope_seal(c->arena, &head, m.key, context, plain, &b);
	*ret_blob = keep(c, &b);
	*ret_material = m.id;
	return NULL;
}

static struct reply *
invalid_ciphertext(struct call *c)
{
	return reply_error(c, "InvalidCiphertextException", "%s", "");
}

/* The key inside of the blob, which must be the one the caller names. */
static struct reply *
source_key(struct call *c, const struct source *s, const struct envelope *b,
    struct res **ret)
{
	struct res *named;
	struct reply *no;
	int r;

	if (s->key.n) {
		no = kms_find(c, s->key, true, KMS_CRYPT, &named);
		if (no)
			return no;
		if (!span_eq(named->id, b->key_id))
			return reply_error(c, "IncorrectKeyException",
			    "The key ID in the request does not identify a "
			    "CMK that can perform this operation.");
		*ret = named;
		return NULL;
	}
	r = store_get(c->store, c->arena, &kms_key, c->scope, SPAN_NULL,
	    b->key_id, ret);
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "AccessDeniedException",
		    "The ciphertext refers to a customer master key that does "
		    "not exist, does not exist in this region, or you are not "
		    "allowed to access.");
	return r ? kms_fail(c, r) : kms_allows(c, *ret, KMS_CRYPT);
}

static struct reply *
decrypt(struct call *c, const struct source *s, struct res **ret_key,
    struct span *ret_plain, struct span *ret_material)
{
	_cleanup_(kms_material_done) struct kms_material m = {.id = SPAN_NULL};
	_cleanup_(buf_done) struct buf plain = BUF_INIT;
	struct span text = doc_get_str(c->in, "CiphertextBlob");
	struct envelope b;
	struct reply *no = check_algorithm(c, s->algorithm);
	int r;

	if (no)
		return no;
	if (!doc_get(c->in, "CiphertextBlob"))
		return kms_invalid(c, "1 validation error detected: Value null "
		    "at 'ciphertextBlob' failed to satisfy constraint: Member "
		    "must not be null");
	if (!envelope_read(c->arena, text, &b))
		return invalid_ciphertext(c);
	if ((no = source_key(c, s, &b, ret_key)))
		return no;
	r = kms_material(c, *ret_key, b.material, &m);
	if (r == STORE_E_NOT_FOUND)
		return invalid_ciphertext(c);
	if (r)
		return kms_fail(c, r);
	if (!envelope_open(c->arena, text, m.key, s->context, &plain))
		return invalid_ciphertext(c);
	*ret_plain = keep(c, &plain);
	*ret_material = m.id;
	return NULL;
}

struct reply *
kms_encrypt(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct span blob, material;
	struct res *key;
	struct reply *no = kms_find(c, doc_get_str(c->in, "KeyId"), true,
	    KMS_CRYPT, &key);

	if (no || (no = check_algorithm(c,
	    doc_get_str(c->in, "EncryptionAlgorithm"))) || (no = dry_run(c)))
		return no;
	no = encrypt(c, key, doc_get(c->in, "EncryptionContext"),
	    doc_get_str(c->in, "Plaintext"), &blob, &material);
	if (no)
		return no;
	doc_set_str(c->arena, out, "CiphertextBlob", blob);
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_str(c->arena, out, "EncryptionAlgorithm", SPAN(ALGORITHM));
	return reply_ok(c, out);
}

struct reply *
kms_decrypt(struct call *c)
{
	struct source s = {doc_get_str(c->in, "KeyId"),
	    doc_get_str(c->in, "EncryptionAlgorithm"),
	    doc_get(c->in, "EncryptionContext")};
	struct doc *out = doc_obj(c->arena);
	struct span plain, material;
	struct res *key;
	struct reply *no = decrypt(c, &s, &key, &plain, &material);

	if (no || (no = dry_run(c)))
		return no;
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_str(c->arena, out, "Plaintext", plain);
	doc_set_str(c->arena, out, "EncryptionAlgorithm", SPAN(ALGORITHM));
	doc_set_str(c->arena, out, "KeyMaterialId", material);
	return reply_ok(c, out);
}

struct reply *
kms_reencrypt(struct call *c)
{
	struct source s = {doc_get_str(c->in, "SourceKeyId"),
	    doc_get_str(c->in, "SourceEncryptionAlgorithm"),
	    doc_get(c->in, "SourceEncryptionContext")};
	struct doc *out = doc_obj(c->arena);
	struct span plain, blob, from, to;
	struct res *source, *key;
	struct reply *no = decrypt(c, &s, &source, &plain, &from);

	if (no || (no = check_algorithm(c,
	    doc_get_str(c->in, "DestinationEncryptionAlgorithm"))))
		return no;
	no = kms_find(c, doc_get_str(c->in, "DestinationKeyId"), true,
	    KMS_CRYPT, &key);
	if (no || (no = dry_run(c)))
		return no;
	no = encrypt(c, key, doc_get(c->in, "DestinationEncryptionContext"),
	    plain, &blob, &to);
	if (no)
		return no;
	doc_set_str(c->arena, out, "CiphertextBlob", blob);
	doc_set_str(c->arena, out, "SourceKeyId", source->arn);
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_str(c->arena, out, "SourceEncryptionAlgorithm",
	    SPAN(ALGORITHM));
	doc_set_str(c->arena, out, "DestinationEncryptionAlgorithm",
	    SPAN(ALGORITHM));
	doc_set_str(c->arena, out, "SourceKeyMaterialId", from);
	doc_set_str(c->arena, out, "DestinationKeyMaterialId", to);
	return reply_ok(c, out);
}

/* How long the data key is to be. */
static struct reply *
data_key_length(struct call *c, size_t *ret)
{
	struct span spec = doc_get_str(c->in, "KeySpec");
	int64_t n = doc_get_int(c->in, "NumberOfBytes", 0);

	if ((spec.n != 0) == (n != 0))
		return kms_invalid(c, "Please specify either number of bytes "
		    "or key spec.");
	*ret = n ? (size_t)n : span_is(spec, "AES_128") ? 16 : 32;
	return NULL;
}

static struct reply *
data_key(struct call *c, bool with_plaintext)
{
	struct doc *out = doc_obj(c->arena);
	struct span plain, blob, material;
	struct res *key;
	struct reply *no = kms_find(c, doc_get_str(c->in, "KeyId"), true,
	    KMS_CRYPT, &key);
	size_t n = 0;
	char *p;

	if (no || (no = data_key_length(c, &n)) || (no = dry_run(c)))
		return no;
	p = arena_alloc(c->arena, n);
	random_bytes(p, n);
	plain = span_make(p, n);
	no = encrypt(c, key, doc_get(c->in, "EncryptionContext"), plain, &blob,
	    &material);
	if (no)
		return no;
	doc_set_str(c->arena, out, "CiphertextBlob", blob);
	if (with_plaintext)
		doc_set_str(c->arena, out, "Plaintext", plain);
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_str(c->arena, out, "KeyMaterialId", material);
	return reply_ok(c, out);
}

struct reply *
kms_generate_data_key(struct call *c)
{
	return data_key(c, true);
}

struct reply *
kms_generate_data_key_without_plaintext(struct call *c)
{
	return data_key(c, false);
}

struct reply *
kms_generate_random(struct call *c)
{
	size_t n = (size_t)doc_get_int(c->in, "NumberOfBytes", 0);
	char *p;

	if (n == 0)
		return kms_invalid(c, "NumberOfBytes is required.");
	p = arena_alloc(c->arena, n);
	random_bytes(p, n);
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
	    "Plaintext", span_make(p, n)));
}
