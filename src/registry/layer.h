/*
 * Layers, unpacked once.  A layer is known by the digest of its compressed
 * blob; that its tar is what the image's configuration says (diff_id) is
 * checked while it is unpacked, and kept with it (registry.layer), so that an
 * image which claims another one is refused later, too.
 *
 * A pushed image's layers are unpacked when it arrives, if it is for this host,
 * as many at a time as there are processors; whoever needs one waits by
 * layer_ensure().
 */
#pragma once

#include "registry/config.h"
#include "registry/internal.h"
#include "registry/manifest.h"

/* 0: it is there.  LAYER_WAIT: cb will be called, not before the return.
 * LAYER_E_BAD: it is not what diff_id says. */
enum { LAYER_WAIT = 1, LAYER_E_BAD };
int layer_ensure(struct registry *g, struct span digest, struct span diff_id,
    struct span media_type, layer_cb cb, void *ctx);
/* Removes unpacked layers whose blob is gone. */
int layers_sweep(struct registry *g, struct arena *a);
/* Makes what is recorded and what is unpacked agree, after a kill between the
 * two: what is not known goes, what is not there is forgotten. */
void layers_reconcile(struct registry *g);
bool layer_pending(const struct registry *g, struct span digest);

/* The callback of ctx will not be called. */
void layer_cancel(struct registry *g, void *ctx);
