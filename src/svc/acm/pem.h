/*
 * A certificate with its key, for whoever terminates TLS with it.  May be used
 * by controllers: it only reads the store.
 */
#pragma once

#include "store/store.h"
#include "svc/acm/kinds.h"

enum { ACM_E_NONE = 1 }; /* no such certificate, or not issued yet */

struct acm_pem {
	struct span certificate;
	struct span chain; /* empty: a self-signed one */
	struct span key;   /* clear PKCS#8; wiped when the arena ends */
};

/* The certificate of an ARN.  Expired ones are given, too, as AWS serves
 * them.  ACM_E_NONE or negative. */
int acm_pem(struct store *s, struct arena *a, struct span arn,
    struct acm_pem *ret);
/* The same without its key, for whoever looks often. */
int acm_public(struct store *s, struct arena *a, struct span arn,
    struct acm_pem *ret);
/* May a listener be given it?  ISSUED, also when expired; and such that a proxy
 * takes it, see x509_is_strong(). */
bool acm_is_issued(const struct res *certificate);
bool acm_is_strong(const struct res *certificate);
/* A key as the store keeps it, bound to the ARN of its certificate; and clear
 * again, wiped when the arena ends. */
struct span acm_seal_key(struct store *s, struct arena *a, struct span arn,
    struct span pem);
int acm_open_key(struct store *s, struct arena *a, struct span arn,
    struct span sealed, struct span *ret);
