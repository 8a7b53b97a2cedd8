/*
 * Security policies of HTTPS listeners: which versions of TLS and which
 * ciphers a load balancer speaks.  May be used by controllers.
 *
 * What the host's OpenSSL does not have is listed, as on AWS, and not served:
 * TLS before 1.2, DES, and, before OpenSSL 3.5, the hybrid key exchange that
 * policies with PQ in their names add; their clients agree on a classical one,
 * as with AWS those do that do not know it.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
 */
#pragma once

#include "base/arena.h"

/* Families of ciphers. */
enum {
	SSL_TLS13 = 1 << 0,
	SSL_FS_GCM = 1 << 1,	/* forward secrecy, authenticated */
	SSL_FS_SHA2 = 1 << 2,
	SSL_FS_SHA1 = 1 << 3,
	SSL_RSA_SHA2 = 1 << 4,	/* the key itself is encrypted */
	SSL_RSA_SHA1 = 1 << 5,
	SSL_RSA_DES3 = 1 << 6,
};

struct ssl_policy {
	const char *name;
	/* TLS 1.x from, to.  Below 2 nothing is served here: OpenSSL 3 and
	 * Debian do not speak it any more. */
	int min, max;
	unsigned ciphers;
};

extern const struct ssl_policy ssl_policies_all[]; /* ends with name NULL */
/* The one of listeners that name none. */
#define SSL_POLICY_DEFAULT "ELBSecurityPolicy-2016-08"

const struct ssl_policy *ssl_policy_find(struct span name);

struct ssl_cipher {
	const char *name; /* OpenSSL's */
	unsigned family;
};
extern const struct ssl_cipher ssl_ciphers[]; /* in order of preference */
