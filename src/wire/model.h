/*
 * struct model: what one AWS service's API looks like, as const tables that
 * tools/gen-tables.py makes from model/<service>.json (doc/format/model.md).
 * Nothing here allocates, except for the patterns, which are compiled when
 * first used and kept for the life of the process.
 *
 * Strings are offsets into a pool that all models share, so that the tables
 * need no relocation: model_str() makes a span of one.  Offset 0 is the empty
 * string, which also says "absent".
 *
 * A member's wire name depends on the protocol; see wire/shape.h.
 */
#pragma once

#include "base/span.h"

enum model_protocol {
	PROTO_JSON,	 /* awsJson 1.0 and 1.1 */
	PROTO_QUERY,	 /* awsQuery */
	PROTO_EC2,	 /* ec2Query */
	PROTO_REST_JSON,
	PROTO_REST_XML,
	PROTO_CBOR	 /* rpcv2Cbor */
};

enum model_type {
	MODEL_STRUCTURE, MODEL_LIST, MODEL_MAP, MODEL_STRING, MODEL_BLOB,
	MODEL_BOOLEAN, MODEL_INTEGER, MODEL_LONG, MODEL_FLOAT, MODEL_DOUBLE,
	MODEL_TIMESTAMP
};

enum model_location {
	LOC_BODY, LOC_HEADER, LOC_HEADERS, LOC_QUERY, LOC_URI, LOC_STATUS
};

enum model_time {
	TIME_DEFAULT, /* the protocol's */
	TIME_EPOCH, TIME_ISO8601, TIME_RFC822
};

/* Flags of shapes. */
enum {
	SHAPE_EXCEPTION = 1 << 0,
	SHAPE_FAULT = 1 << 1,
	SHAPE_UNION = 1 << 2,
	SHAPE_DOCUMENT = 1 << 3, /* any JSON value */
	SHAPE_SENSITIVE = 1 << 4
};

/* Flags of members; flattened and streaming are the shape's, too. */
enum {
	MEMBER_REQUIRED = 1 << 0,
	MEMBER_FLATTENED = 1 << 1,
	MEMBER_XML_ATTRIBUTE = 1 << 2,
	MEMBER_TOKEN = 1 << 3,	     /* idempotency token */
	MEMBER_STREAMING = 1 << 4,
	MEMBER_EVENT_STREAM = 1 << 5,
	MEMBER_JSON_VALUE = 1 << 6   /* a header of base64-coded JSON */
};

#define MODEL_NONE UINT16_MAX /* no shape */

/* A member of a structure, the element of a list, or key and value of a map. */
struct model_member {
	uint32_t name;	/* "member", "key", "value" in lists and maps */
	uint32_t wire;	/* locationName, or 0 */
	uint32_t query; /* queryName, or 0 */
	uint32_t xmlns;
	uint16_t shape;
	uint16_t flags;
	uint8_t location; /* enum model_location */
	uint8_t time;	  /* enum model_time, the shape's included */
};

struct model_shape {
	uint32_t name;
	uint32_t wire;	  /* locationName: the root element as payload */
	uint32_t xmlns;
	uint32_t first;	  /* of its members in model->members */
	uint16_t n;	  /* structure: members; list: 1; map: 2 (key, value) */
	uint16_t bounds;  /* index in model->bounds, or 0 */
	uint16_t payload; /* index of the payload member plus 1, or 0 */
	uint16_t flags;
	uint8_t type;	  /* enum model_type */
	uint8_t time;	  /* enum model_time */
};

struct model_bounds {
	double min; /* characters, elements or the value itself */
	double max;
	uint32_t pattern; /* as AWS says it */
	uint32_t regex;	  /* as PCRE2 reads it */
	uint16_t first_enum; /* in model->enums */
	uint16_t n_enum;
	bool has_min;
	bool has_max;
};

struct model_error {
	uint32_t code; /* on the wire of the query protocols */
	uint16_t shape;
	uint16_t status;
	bool sender; /* the caller's fault */
};

enum {
	OP_UNSIGNED = 1 << 0,	/* may come without a signature */
	OP_DEPRECATED = 1 << 1,
	OP_UNWRAPPED = 1 << 2	/* the reply is one element with text */
};

struct model_op {
	const struct model *model;
	uint32_t name;
	uint32_t method;   /* "POST" */
	uint32_t uri;	   /* "/{Bucket}/{Key+}?uploads" */
	uint32_t wrapper;  /* resultWrapper */
	uint32_t in_name;  /* the request body's root element */
	uint32_t in_xmlns;
	uint32_t out_name; /* the reply's root element, or 0: by convention */
	uint16_t in;	   /* shape, or MODEL_NONE */
	uint16_t out;
	uint16_t status;   /* of success */
	uint16_t flags;
	uint16_t first_error; /* in model->op_errors: indexes of shapes */
	uint16_t n_errors;
};

struct model {
	const char *name;	    /* the file's: "elbv2" */
	const char *api_version;    /* "2015-12-01" */
	const char *target_prefix;  /* of X-Amz-Target, or "" */
	const char *json_version;   /* "1.1", or "" */
	const char *xmlns;	    /* of replies, or "" */
	const char *signing_name;   /* in the credential scope */
	const char *endpoint_prefix;
	const char *service_id;	    /* "Elastic Load Balancing v2" */
	const char *botocore;	    /* version the facts come from */
	unsigned protocols;	    /* 1 << enum model_protocol, … */
	enum model_protocol protocol; /* the one the definition names first */
	bool query_compatible;	    /* errors carry x-amzn-query-error */
	bool no_error_wrapping;	    /* S3: <Error> is the root */
	const char *pool;
	const struct model_op *ops; /* in byte order of their names */
	const struct model_shape *shapes;
	const struct model_member *members;
	const struct model_bounds *bounds;
	const uint32_t *enums;
	const struct model_error *errors;
	const uint16_t *op_errors;
	void **patterns;	    /* one for each of bounds: wire/validate.c */
	uint16_t n_ops;
	uint16_t n_shapes;
	uint16_t n_errors;
	uint16_t n_bounds;
};

/* All services, in byte order of their names. */
extern const struct model *const models[];
extern const size_t models_n;

/* The bytes of a pooled string; NUL follows them. */
static inline struct span
model_str(const struct model *m, uint32_t off)
{
	const unsigned char *p = (const unsigned char *)m->pool + off;

	return span_make(m->pool + off, (size_t)p[-2] | (size_t)p[-1] << 8);
}

static inline const struct model_shape *
model_shape(const struct model *m, uint16_t i)
{
	return i == MODEL_NONE ? NULL : &m->shapes[i];
}

static inline const struct model_member *
model_members(const struct model *m, const struct model_shape *s)
{
	return &m->members[s->first];
}

static inline struct span
model_op_name(const struct model_op *op)
{
	return model_str(op->model, op->name);
}

static inline bool
model_speaks(const struct model *m, enum model_protocol p)
{
	return m->protocols >> p & 1;
}

/* Each returns NULL when there is none. */
const struct model *model_find(struct span name);
const struct model *model_by_target(struct span prefix);
const struct model *model_by_signing(struct span signing_name);
const struct model_op *model_op_find(const struct model *m, struct span name);
/* By the name of an error shape or by its code for the query protocols. */
const struct model_error *model_error_find(const struct model *m,
    struct span code);
/* Shapes are in byte order of their names, too. */
const struct model_shape *model_shape_find(const struct model *m,
    struct span name);
/* The member of a structure by its own name (as services see it). */
const struct model_member *model_member_find(const struct model *m,
    const struct model_shape *s, struct span name);
