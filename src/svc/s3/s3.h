/*
 * What the handlers of S3 share.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
#pragma once

#include "api/op.h"
#include "cfn/type.h"
#include "svc/s3/kinds.h"

extern const struct service s3_service;
/* cfn.c: its CloudFormation resource types. */
extern const struct cfn_map s3_types[];

/* A slice of the sweep at start: removes files that no row names. */
int s3_sweep(struct store *s, struct files *f, bool *ret_more);
/* Once the turn is durable, or lost, removes a file that no row names. */
void s3_garbage(struct call *c, struct span blob);

/* The bucket that the input names.  NULL and *ret filled, or the refusal. */
struct reply *s3_find_bucket(struct call *c, struct res **ret);
/* The same by its name. */
struct reply *s3_get_bucket(struct call *c, struct span name,
    struct span owner, struct res **ret);
/* Is the key one that S3 takes? NULL, or the refusal. */
struct reply *s3_check_key(struct call *c, struct span key);

REPLY s3_fail(struct call *c, int r);
REPLY s3_no_bucket(struct call *c, struct span name);
REPLY s3_no_key(struct call *c, struct span key);
REPLY s3_malformed(struct call *c); /* MalformedXML */
/* A count of the input, or what it is when absent.  NULL, or the refusal; name
 * is what the refusal calls it. */
struct reply *s3_read_count(struct call *c, const char *member,
    const char *name, int64_t otherwise, int64_t *ret);
REPLY s3_invalid(struct call *c, const char *name, struct span value,
    const char *message); /* InvalidArgument */
/* An error with one member that says what it is about. */
REPLY s3_error(struct call *c, const char *code, const char *member,
    struct span value, const char *message);

/* May this be the bucket's policy?  NULL, or the refusal. */
struct reply *s3_check_policy(struct call *c, const struct res *bucket,
    struct span text);
/* Names the rules that have no ID.  NULL, or the refusal. */
struct reply *s3_check_lifecycle(struct call *c, struct doc *v);

/* {ID, DisplayName} of the account. */
struct doc *s3_owner(struct call *c);
/* As encoding-type asks: "url" or as it is. */
struct span s3_encoded(struct call *c, struct span s);
/* The first string that sorts after all that begin with s; p NULL: none. */
struct span s3_successor(struct arena *a, struct span s);
