/*
 * CBOR (RFC 8949) as a document tree, read with libcbor's stream decoder.
 * Byte strings become strings of raw bytes, tags are dropped (tag 1, a time,
 * leaves its number), undefined becomes null.  An integer beyond int64 becomes
 * a real.  Only text may be a key.
 */
#pragma once

#include "doc/doc.h"

enum { CBOR_E_SYNTAX = 1, CBOR_E_DEPTH };
int doc_parse_cbor(struct arena *a, struct span bytes, struct doc **ret);

/* The writer's pieces; an array or map is begun, filled and ended. */
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_real(struct buf *b, double v);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_null(struct buf *b);
void cbor_put_text(struct buf *b, struct span s);
void cbor_put_bytes(struct buf *b, struct span s);
void cbor_put_tag(struct buf *b, uint64_t tag);
void cbor_begin_map(struct buf *b);
void cbor_begin_array(struct buf *b);
void cbor_end(struct buf *b);
