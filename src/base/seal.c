/* AES-256-GCM by OpenSSL. */
#include "base/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/id.h"

#define NONCE 12
#define TAG   16

static void
context_free(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

static const unsigned char *
bytes(struct span s)
{
	return (const unsigned char *)s.p;
}

void
seal(const unsigned char key[SEAL_KEY], struct span aad, struct span plain,
    struct buf *to)
{
	_cleanup_(context_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *p;
	int n;

	AN(ctx && plain.n < INT32_MAX && aad.n < INT32_MAX);
	buf_reserve(to, plain.n + SEAL_EXTRA);
	p = (unsigned char *)to->p + to->n;
	random_bytes(p, NONCE);
	AN(EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, p, NULL));
	if (aad.n)
		AN(EVP_EncryptUpdate(ctx, NULL, &n, bytes(aad), (int)aad.n));
	if (plain.n)
		AN(EVP_EncryptUpdate(ctx, p + NONCE, &n, bytes(plain),
		    (int)plain.n));
	p += NONCE + plain.n;
	AN(EVP_EncryptFinal_ex(ctx, p, &n) && n == 0);
	AN(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, p));
	to->n += plain.n + SEAL_EXTRA;
	to->p[to->n] = '\0';
}

bool
unseal(const unsigned char key[SEAL_KEY], struct span aad, struct span sealed,
    struct buf *to)
{
	_cleanup_(context_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = sealed.n - SEAL_EXTRA;
	unsigned char tag[TAG], *p;
	int n;

	AN(ctx && sealed.n < INT32_MAX && aad.n < INT32_MAX);
	if (sealed.n < SEAL_EXTRA)
		return false;
	buf_reserve(to, len);
	p = (unsigned char *)to->p + to->n;
	memcpy(tag, sealed.p + NONCE + len, TAG);
	AN(EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, bytes(sealed),
	    NULL));
	if (aad.n)
		AN(EVP_DecryptUpdate(ctx, NULL, &n, bytes(aad), (int)aad.n));
	if (len)
		AN(EVP_DecryptUpdate(ctx, p, &n, bytes(sealed) + NONCE,
		    (int)len));
	AN(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag));
	if (EVP_DecryptFinal_ex(ctx, p + len, &n) != 1) {
		OPENSSL_cleanse(p, len);
		return false;
	}
	to->n += len;
	to->p[to->n] = '\0';
	return true;
}
