/*
 * Proof of a domain by DNS: a CNAME that stays the same for an account and a
 * domain, so that one record proves every certificate and every renewal.
 * https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
 *
 * May be used by controllers: it only reads the store.
 */
#pragma once

#include "store/store.h"

struct validation {
	struct span name;  /* "_0123….example.com.", canonical */
	struct span value; /* "_4567….abcdefghij.acm-validations.aws." */
};

/* "*.example.com" is proved as "example.com". */
void validation_record(struct arena *a, struct span account,
    struct span domain, struct validation *ret);
/* Is the record in the public hosted zone that holds its name?  Of several
 * zones the one with the longest name counts, as it would be delegated to. */
int validation_there(struct store *s, struct arena *a,
    const struct validation *v, bool *ret);
/* The load balancers whose listeners have the certificate: ARNs. */
int acm_users(struct store *s, struct arena *a, struct scope scope,
    struct span arn, struct doc **ret);
