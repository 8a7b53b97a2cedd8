/*
 * A request's body on its way to a file.  A thread undoes its framing, sums
 * it up and writes it while the next bytes come; memory is bounded by two
 * pieces.  What it reads is its own copy, so that it may outlive the request.
 */
#pragma once

#include "api/internal.h"
#include "api/payload.h"
#include "auth/checksum.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingObjects.html: one
 * PUT takes 5 GiB. */
#define BODY_FILE_MAX (INT64_C(5) << 30)

struct body;

/* 0, WIRE_E_REFUSED or negative.  The error is a's. */
int body_new(struct api *api, struct arena *a, const struct wire_in *in,
    const struct sigv4 *sig, struct span secret, struct body **ret,
    struct wire_error *ret_err);
/* What the bytes up to here say of it: 0, WIRE_E_REFUSED or negative.  The
 * error is a's. */
int body_state(const struct body *b, struct arena *a,
    struct wire_error *ret_err);
/* True: there is room for more; false: room() says when. */
bool body_add(struct body *b, struct span piece, void (*room)(void *ctx),
    void *ctx);
/* All bytes came: done() runs once it is verified and on disk, or is not. */
void body_end(struct body *b, void (*done)(void *ctx), void *ctx);
/* After done() and a good state; the body's as long as it. */
struct call_body *body_call(struct body *b);
/* Removes the file unless it was kept.  NULL is fine. */
void body_free(struct body *b);
