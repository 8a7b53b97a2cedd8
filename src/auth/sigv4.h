/*
 * AWS Signature Version 4, the verifying side.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 *	sigv4_read()	what the request claims: key, scope, date, signature
 *	sigv4_claim()	is it in time, and for this service?
 *	sigv4_check()	is the claim true?
 *
 * The signature covers raw bytes, so all spans are as they came.  The payload
 * is covered by its hash: the caller compares sigv4.payload with the body by
 * sigv4_payload_ok(), once the body is there.
 */
#pragma once

#include "wire/wire.h"

struct sigv4_request {
	struct span method;
	struct span path;  /* raw */
	struct span query; /* raw, without '?' */
	const struct wire_header *headers;
	size_t n_headers;
};

struct sigv4 {
	struct span access_key;
	struct span date;	/* "20261123", of the scope */
	struct span region;
	struct span service;
	struct span scope;	/* "20261123/us-east-1/ecs/aws4_request" */
	struct span amz_date;	/* "20261123T091830Z" */
	int64_t at;		/* the same in ms */
	struct span signed_headers; /* "host;x-amz-date" */
	struct span signature;	/* hex */
	struct span token;	/* X-Amz-Security-Token, or empty */
	struct span payload;	/* x-amz-content-sha256, or empty */
	bool presigned;
	int64_t expires;	/* seconds after at; S3's presigned only */
};

enum sigv4_outcome {
	SIGV4_OK,
	SIGV4_E_MISSING,    /* no signature at all, or not version 4 */
	SIGV4_E_INCOMPLETE, /* malformed; *ret_why tells */
	SIGV4_E_EXPIRED,    /* skewed or presigned too long ago; *ret_why */
	SIGV4_E_CLAIM,	    /* contradicts itself or the service; *ret_why */
	SIGV4_E_MISMATCH
};

/* How far clocks may be apart. */
#define SIGV4_SKEW_MS (15 * 60 * 1000)

/* *ret gets what could be read, also when that is not all. */
enum sigv4_outcome sigv4_read(struct arena *a, const struct sigv4_request *r,
    struct sigv4 *ret, struct span *ret_why);
/* All that needs no secret; service p NULL: any. */
enum sigv4_outcome sigv4_claim(struct arena *a, const struct sigv4 *s,
    struct span service, int64_t now_ms, struct span *ret_why);
/* The claim for any service, and the signature. */
enum sigv4_outcome sigv4_check(struct arena *a, const struct sigv4_request *r,
    const struct sigv4 *s, struct span secret, struct span body, int64_t now_ms,
    struct span *ret_why);
/* Is the header one of those that the signature covers? */
bool sigv4_covers(const struct sigv4 *s, struct span header);
/* Does the payload hash that was signed fit the body?  "UNSIGNED-PAYLOAD" and
 * an absent one always do. */
bool sigv4_payload_ok(struct arena *a, const struct sigv4 *s,
    struct span body);

/* The steps, for tests. */
struct span sigv4_canonical(struct arena *a, const struct sigv4_request *r,
    const struct sigv4 *s, struct span body, bool normalize);
struct span sigv4_to_sign(struct arena *a, const struct sigv4 *s,
    struct span canonical);
struct span sigv4_signature(struct arena *a, const struct sigv4 *s,
    struct span secret, struct span to_sign);
