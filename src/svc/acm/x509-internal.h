/* What the two files on certificates share. */
#pragma once

#include <openssl/x509.h>

#include "svc/acm/x509.h"

void x509_free_p(X509 **x);
void pkey_free_p(EVP_PKEY **k);
void bio_free_p(BIO **b);
BIO *bio_of(struct span s);
/* What was written to b, which forgets it. */
void bio_take(BIO *b, struct buf *to);
/* NULL: not such a thing. */
EVP_PKEY *pkey_read(struct span pem);
X509 *x509_read(struct span pem);
void x509_write(X509 *x, struct buf *ret);
/* passphrase empty: in the clear. */
void pkey_write(EVP_PKEY *k, struct span passphrase, struct buf *ret);
