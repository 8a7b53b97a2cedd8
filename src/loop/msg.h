/*
 * Typed messages between our processes, over a stream socket.
 *
 * Frame: u32 length of what follows, u16 type, u64 serial, fields.  Integers
 * are little endian; strings and blobs are u32 length and bytes.  A reply
 * carries the serial of its request.  A frame is at most MSG_MAX bytes.
 *
 * Reading is by cursor: each getter takes the next field; the first one that
 * does not fit makes the cursor bad, and everything after it reads as zero or
 * empty, so a reader checks msg_ok() once, at the end.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* The largest message is a VPC (warden/net.h): 17 MB with 8192 interfaces and
 * 2500 groups of 120 rules, AWS's quotas. */
#define MSG_MAX (32u << 20)

struct msg_reader {
	struct span rest;
	bool bad;
};

/* Writing: msg_begin() ... msg_put_*() ... msg_end() appends one frame. */
size_t msg_begin(struct buf *b, uint16_t type, uint64_t serial);
void msg_end(struct buf *b, size_t at);
/* Is it short enough for msg_end() yet? */
bool msg_fits(const struct buf *b, size_t at);
void msg_put_u32(struct buf *b, uint32_t v);
void msg_put_u64(struct buf *b, uint64_t v);
void msg_put_bool(struct buf *b, bool v);
void msg_put_span(struct buf *b, struct span s);
void msg_put_spans(struct buf *b, const struct span *v, size_t n);

/* Takes one whole frame off the front of in: 1 and its parts, 0 when more
 * bytes are needed, negative when the frame is too long. */
int msg_next(struct span *in, uint16_t *ret_type, uint64_t *ret_serial,
    struct msg_reader *ret);
uint32_t msg_u32(struct msg_reader *r);
uint64_t msg_u64(struct msg_reader *r);
bool msg_bool(struct msg_reader *r);
struct span msg_span(struct msg_reader *r); /* borrowed from the frame */
/* An array of spans in the arena, at most max. */
struct span *msg_spans(struct msg_reader *r, struct arena *a, size_t max,
    size_t *ret_n);
bool msg_ok(const struct msg_reader *r); /* not bad and nothing left */
