/*
 * neargated's end of the socket pair to the warden.  Messages and their fields
 * are in warden/proto.h.
 *
 *	struct buf *b = warden_begin(w, WARDEN_CONTAINER_KILL);
 *	msg_put_span(b, id);
 *	msg_put_u32(b, SIGTERM);
 *	warden_send(w, on_reply, ctx);
 *
 * Between warden_begin() and warden_send() nothing else may be begun.  Every
 * request is answered by exactly one call of its callback, from the loop,
 * never before warden_send() returned; also when the connection is lost or
 * closed (err is -ECONNRESET then), or when it is longer than MSG_MAX and so
 * was not sent (-EMSGSIZE).
 */
#pragma once

#include <uv.h>

#include "loop/msg.h"
#include "warden/proto.h"

struct warden;

/* err is 0 or a negative errno; why is the warden's text for it.  m holds the
 * reply's further fields; check msg_ok(m) after reading them. */
typedef void (*warden_cb)(void *ctx, int err, struct span why,
    struct msg_reader *m);
typedef void (*warden_event_cb)(void *ctx, struct msg_reader *m);
typedef void (*warden_lost_cb)(void *ctx);

/* Takes over fd (a connected stream socket). */
int warden_new(uv_loop_t *loop, int fd, struct warden **ret);
/* Answers all that is outstanding with -ECONNRESET first. */
void warden_free(struct warden *w);

struct buf *warden_begin(struct warden *w, enum warden_msg type);
void warden_send(struct warden *w, warden_cb cb, void *ctx);

/* Calls fn, from the loop, when every request that was sent before now has been
 * answered; there must be one.  One waiter at a time. */
void warden_drain(struct warden *w, void (*fn)(void *ctx), void *ctx);

/* One listener for each type of event; cb NULL takes it away. */
void warden_on_event(struct warden *w, enum warden_msg type,
    warden_event_cb cb, void *ctx);
/* The warden is gone: neargated shall end, a new warden starts a new one. */
void warden_on_lost(struct warden *w, warden_lost_cb cb, void *ctx);
