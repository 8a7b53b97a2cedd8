/*
 * The warden's end of the socket pair: cuts frames, finds the handler in the
 * parts' tables, sends replies and events.  When the peer goes, or sends what
 * does not decode, on_lost runs once; the owner then calls link_free().
 */
#pragma once

#include "warden/host.h"

typedef void (*link_lost_cb)(struct host *h);

/* Takes over fd and sets h->link. */
int link_new(struct host *h, int fd, link_lost_cb on_lost);
void link_free(struct link *l);
/* Has the peer ever asked for something we know? */
bool link_heard(const struct link *l);
