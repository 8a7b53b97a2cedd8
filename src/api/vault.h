/*
 * Values that services keep encrypted under a key of kms: Parameter Store's
 * SecureStrings, Secrets Manager's versions.  What is kept is base64 of
 *
 *	kms's own ciphertext, for a value of up to direct_max bytes;
 *	else 2, the length of a data key's ciphertext (2 bytes), that, and the
 *	value sealed under the data key (base/seal.h).
 *
 * The caller's own right to the key counts, but for the one AWS manages, which
 * is the service's.
 */
#pragma once

#include "api/op.h"

struct vault {
	const char *service;	   /* "ssm.amazonaws.com" */
	const char *managed;	   /* AWS's key: "alias/aws/ssm" */
	size_t direct_max;	   /* at most 4096, which is kms's own limit */
	struct span what;	   /* names the place: a value fits no other */
	const struct doc *context; /* the encryption context */
};

enum {
	VAULT_E_REFUSED = 1 /* by kms, as *ret_why says */
};

/* 0, VAULT_E_REFUSED or negative. */
int vault_encrypt(struct call *c, const struct vault *v, struct span key,
    struct span plain, struct span *ret, struct op_result *ret_why);
int vault_decrypt(struct call *c, const struct vault *v, struct span key,
    struct span kept, struct span *ret, struct op_result *ret_why);
