/*
 * aws-chunked: the framing of bodies that are signed or checked piece by
 * piece, undone piece by piece.
 *
 *	size[;chunk-signature=HEX] CRLF data CRLF ...
 *	0[;chunk-signature=HEX] CRLF
 *	[name:value CRLF ...] [x-amz-trailer-signature:HEX CRLF] CRLF
 *
 * Which of the forms it is, x-amz-content-sha256 says:
 *	STREAMING-AWS4-HMAC-SHA256-PAYLOAD		every chunk is signed
 *	STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER	and so is the trailer
 *	STREAMING-UNSIGNED-PAYLOAD-TRAILER		only a checksum follows
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * Data goes to the sink before its chunk is verified, since a chunk may be
 * larger than what one wants to hold: what the sink made of it counts only
 * once chunked_end() has said 0.  Memory is bounded by CHUNKED_LINE_MAX.
 */
#pragma once

#include "auth/checksum.h"
#include "auth/sigv4.h"

struct chunked;

/* The longest line, and the most bytes of all trailers. */
#define CHUNKED_LINE_MAX 4096

enum chunked_outcome {
	CHUNKED_OK,
	CHUNKED_E_SYNTAX,     /* IncompleteBody or InvalidRequest */
	CHUNKED_E_INCOMPLETE, /* ended early: IncompleteBody */
	CHUNKED_E_SIGNATURE,  /* SignatureDoesNotMatch */
	CHUNKED_E_CHECKSUM,   /* BadDigest */
	CHUNKED_E_LENGTH,     /* not x-amz-decoded-content-length */
	CHUNKED_E_SINK        /* the sink returned false */
};

struct chunked_config {
	const struct sigv4 *sig; /* of the request; kept by reference */
	struct span secret;	 /* kept by reference */
	struct span trailer;	 /* x-amz-trailer: "x-amz-checksum-crc32" */
	int64_t decoded_length;  /* x-amz-decoded-content-length; -1: absent */
	bool (*sink)(void *ctx, struct span piece);
	void *ctx;
};

/* Is this one of the three values of x-amz-content-sha256? */
bool chunked_is(struct span payload);
/* The payload of config->sig must be one of them.  NULL: the trailer is named
 * that no checksum of ours has. */
struct chunked *chunked_new(const struct chunked_config *config);
void chunked_free(struct chunked *c); /* NULL is fine */
/* Takes all of in, unless it fails; after a failure it fails for ever. */
enum chunked_outcome chunked_feed(struct chunked *c, struct span in);
/* The body is over: was it all there, and all true? */
enum chunked_outcome chunked_end(struct chunked *c);
