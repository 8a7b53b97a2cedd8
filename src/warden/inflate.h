/* A blob as a stream of its uncompressed bytes, counted and hashed. */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"
#include "warden/proto.h"

struct inflate;

/* fd is borrowed. */
struct inflate *inflate_new(int fd, enum layer_format format);
void inflate_free(struct inflate *z);
/* The next bytes, valid until the next call: their number, 0 at the end, or
 * negative with *ret_why. */
ssize_t inflate_next(struct inflate *z, const void **ret,
    const char **ret_why);
uint64_t inflate_in(const struct inflate *z);  /* bytes read so far */
uint64_t inflate_out(const struct inflate *z); /* bytes given so far */
/* At the end only: 64 hex digits. */
void inflate_digest(struct inflate *z, struct buf *b);
