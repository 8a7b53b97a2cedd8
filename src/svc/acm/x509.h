/*
 * Keys and certificates, by OpenSSL.  Everything is PEM.  No store, no clock;
 * any thread may call these.  What cannot fail but by a broken library or no
 * memory aborts.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "doc/doc.h"

/* A fresh PKCS#8 key; algorithm as ACM names it: RSA_2048, EC_prime256v1 and
 * so on.  RSA takes a tenth of a second: not on the loop's thread. */
bool x509_is_algorithm(struct span algorithm);
bool x509_is_slow(struct span algorithm);
void x509_key(struct span algorithm, struct buf *ret);
/* Overwrites before it frees; for _cleanup_(). */
void x509_wipe(struct buf *b);

/* A root certificate for its key. */
void x509_root(struct span key, struct span name, int64_t from_ms,
    int64_t until_ms, struct buf *ret);
struct x509_issue {
	struct span ca, ca_key; /* the issuer's */
	struct span key;	/* the subject's */
	const struct doc *names; /* the first is the common name */
	int64_t from_ms, until_ms;
};
void x509_issue(const struct x509_issue *i, struct buf *ret);

/* What DescribeCertificate tells: {Serial, Subject, Issuer, NotBefore,
 * NotAfter (ms), KeyAlgorithm, SignatureAlgorithm, Names[], KeyUsages[],
 * ExtendedKeyUsages[{Name, OID}]}.  NULL: not one certificate's PEM. */
struct doc *x509_facts(struct arena *a, struct span certificate);

/* May it, and a chain (or empty), be shown to clients?  OpenSSL refuses keys
 * and signatures of less than this host's level, 112 bits, such as RSA_1024
 * and SHA-1; a root's own signature does not count. */
bool x509_is_strong(struct span certificate, struct span chain);

/* What is to be imported, and as it is kept: in our own PEM, the key as
 * unencrypted PKCS#8. */
struct x509_import {
	struct span certificate, chain; /* chain may be empty */
	struct buf key;			/* for x509_wipe() */
};
/* May it be imported?  NULL, with *ret filled, or AWS's sentence. */
const char *x509_import(struct arena *a, struct span certificate,
    struct span chain, struct span key, int64_t now_ms,
    struct x509_import *ret);
/* The key sealed with a passphrase, as PKCS#8. */
void x509_export_key(struct span key, struct span passphrase,
    struct buf *ret);
