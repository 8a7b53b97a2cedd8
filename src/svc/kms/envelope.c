/* Ciphertexts: envelope.h is their format. */
#include "svc/kms/envelope.h"

#include <openssl/crypto.h>

#include "base/id.h"

#define FORMAT 1
#define ID     16
#define SALT   16
#define HEAD   (1 + ID + 4 + SALT)

static void
add_u32(struct buf *b, size_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(v >> shift));
}

static unsigned
nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void
add_id(struct buf *b, struct span uuid)
{
	unsigned high = 0, n = 0;

	for (size_t i = 0; i < uuid.n; i++) {
		if (uuid.p[i] == '-')
			continue;
		if (n++ % 2)
			buf_add_char(b, (char)(high << 4 | nibble(uuid.p[i])));
		else
			high = nibble(uuid.p[i]);
	}
	AN(n == 2 * ID);
}

static struct span
read_id(struct arena *a, struct span bytes)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT, b = BUF_INIT;

	buf_add_hex(&hex, bytes.p, bytes.n);
	for (size_t i = 0; i < hex.n; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			buf_add_char(&b, '-');
		buf_add_char(&b, hex.p[i]);
	}
	return arena_span(a, buf_span(&b));
}

bool
envelope_read(struct arena *a, struct span text, struct envelope *ret)
{
	const unsigned char *u = (const unsigned char *)text.p;

	if (text.n < HEAD + SEAL_EXTRA || u[0] != FORMAT)
		return false;
	ret->key_id = read_id(a, span_make(text.p + 1, ID));
	u += 1 + ID;
	ret->material = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | u[3];
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return span_cmp(*x, *y);
}

static struct span
aad(struct arena *a, struct span head, const struct doc *context)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t n = doc_len(context), i = 0;
	struct span *keys = arena_array(a, struct span, n + 1), v;

	doc_each_key(k, member, context)
		keys[i++] = k;
	qsort(keys, n, sizeof(*keys), by_key);
	buf_add_span(&b, head);
	for (i = 0; i < n; i++) {
		v = doc_span(doc_getn(context, keys[i]));
		add_u32(&b, keys[i].n);
		buf_add_span(&b, keys[i]);
		add_u32(&b, v.n);
		buf_add_span(&b, v);
	}
	return arena_span(a, buf_span(&b));
}

void
envelope_seal(struct arena *a, const struct envelope *b,
    const unsigned char key[SEAL_KEY], const struct doc *context,
    struct span plain, struct buf *to)
{
	_cleanup_(buf_done) struct buf head = BUF_INIT;
	unsigned char salt[SALT], one[SHA256_LEN];

	random_bytes(salt, sizeof(salt));
	buf_add_char(&head, FORMAT);
	add_id(&head, b->key_id);
	add_u32(&head, b->material);
	buf_add(&head, salt, sizeof(salt));
	hmac_sha256(span_make((const char *)key, SEAL_KEY), buf_span(&head),
	    one);
	buf_add_span(to, buf_span(&head));
	seal(one, aad(a, buf_span(&head), context), plain, to);
	OPENSSL_cleanse(one, sizeof(one));
}

bool
envelope_open(struct arena *a, struct span text,
    const unsigned char key[SEAL_KEY], const struct doc *context,
    struct buf *to)
{
	struct span head = span_to(text, HEAD);
	unsigned char one[SHA256_LEN];
	bool ok;

	AN(text.n >= HEAD);
	hmac_sha256(span_make((const char *)key, SEAL_KEY), head, one);
	ok = unseal(one, aad(a, head, context), span_from(text, HEAD), to);
	OPENSSL_cleanse(one, sizeof(one));
	return ok;
}
