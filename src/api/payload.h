/*
 * The body of an S3 request, piece by piece: aws-chunked framing undone, and
 * every sum that the client sent of it verified, in S3's words.
 *
 *	x-amz-content-sha256	the hash that is signed, or how it is framed
 *	Content-MD5, x-amz-checksum-NAME, the same in a trailer
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 *
 * Pieces reach the sink before the sums are known: what it made of them counts
 * only once payload_end() has said 0.
 */
#pragma once

#include "auth/sigv4.h"
#include "wire/wire.h"

struct payload;

struct payload_config {
	struct arena *arena;	   /* of the request; the errors are its */
	const struct wire_in *in;  /* headers; kept by reference */
	const struct sigv4 *sig;   /* verified; kept by reference */
	struct span secret;	   /* kept by reference */
	bool sum_apart; /* x-amz-checksum-NAME tells of an object that is here
			   already, not of the body */
	bool (*sink)(void *ctx, struct span piece); /* false: stop */
	void *ctx;
};

/* Each: 0, or WIRE_E_REFUSED with *ret_err filled.  When the sink says false,
 * payload_feed() refuses with an empty error: the sink knows why. */
int payload_new(const struct payload_config *config, struct payload **ret,
    struct wire_error *ret_err);
int payload_feed(struct payload *p, struct span piece,
    struct wire_error *ret_err);
int payload_end(struct payload *p, struct wire_error *ret_err);
void payload_free(struct payload *p); /* NULL is fine */
void payload_free_p(struct payload **p);
