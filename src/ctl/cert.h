/*
 * Certificates that were requested: issued as soon as all their domains are
 * proved by records in our hosted zones, given up after 72 hours, renewed
 * under the same ARN before they expire.  Imported ones are left alone.
 */
#pragma once

#include "ctl/ctl.h"

extern const struct controller ctl_cert;

#define CERT_VALID_DAYS 395 /* AWS: 13 months */

/* What is known of a certificate. */
struct cert_view {
	int64_t now, created;
	bool pending;	/* it never was issued */
	bool issued;
	bool proved;	/* all its domains, now */
	bool renewable; /* used by a listener, or exported since */
	int64_t issued_at, not_after, renew_asked; /* ms; 0: not */
};

enum cert_step {
	CERT_REST,
	CERT_GIVE_UP,
	CERT_ISSUE,
	CERT_RENEW,
	CERT_PROVE /* a renewal is due, but a record is missing */
};

struct cert_plan {
	enum cert_step step;
	int64_t again_ms; /* look again then; 0: when something changes */
};

/* cert-plan.c: pure. */
struct cert_plan cert_plan(const struct cert_view *v);
/* From midnight on (UTC), as AWS dates them; until is the last second. */
void cert_term(int64_t now, int64_t *ret_from, int64_t *ret_until);
