/* The secret part of keys: at rest under the root key, rotated. */
#include <errno.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/kms/kms.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

static struct span
place(struct call *c, const struct res *key, int64_t number)
{
	return arena_fmt_span(c->arena, "kms.key-material %.*s %lld",
	    SPAN_ARG(key->arn), (long long)number);
}

static struct span
number_id(struct call *c, int64_t number)
{
	return arena_fmt_span(c->arena, "%lld", (long long)number);
}

int
kms_add_material(struct call *c, struct res *key, const char *type,
    int64_t when)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, text = BUF_INIT;
	int64_t number = doc_get_int(key->spec, "Material", 0) + 1;
	unsigned char secret[SEAL_KEY];
	struct res *m = res_new(c->arena, &kms_key_material, key->scope,
	    key->id, number_id(c, number));
	int r;

	random_bytes(secret, sizeof(secret));
	store_seal(c->store, place(c, key, number),
	    span_make((char *)secret, sizeof(secret)), &sealed);
	OPENSSL_cleanse(secret, sizeof(secret));
	buf_add_base64(&text, sealed.p, sealed.n);
	doc_set(c->arena, m->spec, "Sealed",
	    doc_strdup(c->arena, buf_span(&text)));
	doc_set_str(c->arena, m->spec, "MaterialId",
	    span_of(id_hex(c->arena, 64)));
	if (type) {
		doc_set_str(c->arena, m->spec, "RotationType", span_of(type));
		doc_set_int(c->arena, m->spec, "RotationDate", when);
	}
	doc_set_int(c->arena, key->spec, "Material", number);
	r = store_insert(c->store, c->arena, m);
	return r > 0 ? err_fold(r) : err_trace(r);
}

void
kms_material_done(struct kms_material *m)
{
	OPENSSL_cleanse(m->key, sizeof(m->key));
}

static void
clean_done(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_done(b);
}

int
kms_material(struct call *c, const struct res *key, int64_t number,
    struct kms_material *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	_cleanup_(clean_done) struct buf plain = BUF_INIT;
	struct res *m;
	int r = store_get(c->store, c->arena, &kms_key_material, key->scope,
	    key->id, number_id(c, number), &m);

	if (r)
		return r;
	if (!buf_add_unbase64(&sealed, doc_get_str(m->spec, "Sealed")))
		return err_origin(EBADMSG, "key material is no base64");
	r = store_unseal(c->store, place(c, key, number), buf_span(&sealed),
	    &plain);
	if (r < 0)
		return err_trace(r);
	if (plain.n != sizeof(ret->key))
		return err_origin(EBADMSG, "key material of %zu bytes",
		    plain.n);
	memcpy(ret->key, plain.p, plain.n);
	ret->id = doc_get_str(m->spec, "MaterialId");
	return 0;
}

int
kms_rotate_due(struct call *c, struct res *key)
{
	struct doc *rotation = doc_get(key->spec, "Rotation");
	int64_t period = doc_get_int(rotation, "Period", 0) * DAY_MS;
	int64_t next = doc_get_int(rotation, "From", 0) + period;
	int64_t now = clock_ms();
	int r;

	if (!rotation || now < next || !kms_is(key, "KeyState", "Enabled"))
		return 0;
	/* What nobody used needs no material of its own: one for all that
	 * were missed. */
	next += (now - next) / period * period;
	if ((r = kms_add_material(c, key, "AUTOMATIC", next)) < 0)
		return err_trace(r);
	doc_set_int(c->arena, rotation, "From", next);
	r = store_put_spec(c->store, key);
	return r > 0 ? err_fold(r) : err_trace(r);
}
