/*
 * From the bytes of a request to a struct doc, and back.
 *
 *	wire_identify()	    which service, operation and protocol is this?
 *	wire_decode()	    the input, an object keyed by member names
 *	wire_validate()	    does it keep the model's bounds?
 *	wire_encode()	    the reply
 *	wire_encode_error() the refusal
 *
 * All are pure: no I/O, no clock (but for ids of absent idempotency tokens).
 * What they return is the given arena's, or borrowed from the request.
 *
 * In a decoded input, timestamps are seconds since 1970, blobs are raw bytes,
 * numbers are numbers, unknown members are gone, and an absent idempotency
 * token has been filled in.  wire_encode() takes the same form; members that
 * the model does not know, and nulls, are left out.
 */
#pragma once

#include "doc/doc.h"
#include "wire/model.h"

/* The layout of struct http_header, which this layer may not include. */
struct wire_header {
	struct span name; /* case is ignored */
	struct span value;
};

struct wire_in {
	struct span method;
	struct span path;    /* raw, not decoded */
	struct span query;   /* raw, without '?' */
	const struct wire_header *headers;
	size_t n_headers;
	struct span body;    /* as it is before an operation is known */
	struct span service; /* of the credential scope; empty: unsigned */
	struct span bucket;  /* from the host name; path lacks it then */
};

struct wire_target {
	const struct model *model; /* NULL: not known */
	const struct model_op *op; /* NULL: not known */
	enum model_protocol protocol;
};

struct wire_error {
	int status;	     /* 0: what the model says of code, else 400 */
	struct span code;    /* an error shape's name or its wire code */
	struct span message;
	const struct doc *members; /* further members of the shape, or NULL */
};

struct wire_out {
	int status;
	struct wire_header *headers; /* no Content-Length */
	size_t n_headers;
	struct span body;
	bool stream; /* the body is a streaming member: the caller's to send */
};

enum {
	WIRE_E_REFUSED = 1, /* *ret_err says why */
	WIRE_E_BODY	    /* the action is in the body, which is empty */
};

/* 0; WIRE_E_BODY: call again when the body is there; WIRE_E_REFUSED, and then
 * *ret_target holds what was found out, enough to encode the refusal. */
int wire_identify(struct arena *a, const struct wire_in *in,
    struct wire_target *ret_target, struct wire_error *ret_err);

/* The target's op must be set.  0 or WIRE_E_REFUSED.  A streaming payload
 * member is not in *ret: it is the body, and wire_streams() tells so. */
int wire_decode(struct arena *a, const struct wire_target *t,
    const struct wire_in *in, struct doc **ret, struct wire_error *ret_err);
/* The blob or event stream member that is the request's (or the reply's)
 * whole body and is never held in memory by this layer; NULL: none. */
const struct model_member *wire_streams_in(const struct model_op *op);
const struct model_member *wire_streams_out(const struct model_op *op);

/* Required members, lengths, ranges, patterns, enums.  0 or WIRE_E_REFUSED
 * with AWS's code and wording for the service. */
int wire_validate(struct arena *a, const struct wire_target *t,
    const struct doc *in, struct wire_error *ret_err);

/* out NULL is the empty output. */
void wire_encode(struct arena *a, const struct wire_target *t,
    const struct doc *out, struct span request_id, struct wire_out *ret);
/* The target may lack op and model. */
void wire_encode_error(struct arena *a, const struct wire_target *t,
    const struct wire_error *e, struct span request_id, struct wire_out *ret);
/* The HTTP status of an error code: the model's, else 400. */
int wire_error_status(const struct model *m, struct span code);

/* The value of the first header of that name; p NULL: none. */
struct span wire_header_get(const struct wire_in *in, const char *name);
/* One more header of a reply; the strings are kept, not copied. */
void wire_header_add(struct arena *a, struct wire_out *o, const char *name,
    struct span value);
