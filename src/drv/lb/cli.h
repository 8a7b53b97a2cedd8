/*
 * HAProxy's runtime API: one line, one connection, one answer, in order.
 * https://docs.haproxy.org/2.6/management.html#9.3
 */
#pragma once

#include <uv.h>

#include "base/arena.h"

struct cli;

/* out is the whole answer, valid during the callback; err -ETIMEDOUT after
 * five seconds, -ECANCELED from cli_free().  Never before cli_send() returned,
 * except from cli_free(). */
typedef void (*cli_cb)(void *ctx, int err, struct span out);

/* path: the socket.  Nothing is opened before the first cli_send(). */
struct cli *cli_new(uv_loop_t *loop, const char *path);
void cli_send(struct cli *c, const char *line, cli_cb cb, void *ctx);
void cli_free(struct cli *c);
