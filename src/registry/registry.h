/*
 * The registry of one store: the OCI distribution endpoints, version 1.1,
 * upload sessions, unpacked layers, and the sweep of what nobody refers to.
 *
 * What ECR adds to the specification, and we with it: repositories must
 * exist; tags may be immutable; names ACCOUNT.dkr.ecr.REGION.ANYTHING/repo
 * choose account and region, any other host name means the token's own.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */
#pragma once

#include <uv.h>

#include "http/server.h"
#include "registry/blob.h"
#include "store/store.h"

struct registry;

/* Unpacks and removes layers: the warden, or a fake.  format is the media
 * type of the layer.  err of the callback: 0; -EBADMSG, -EILSEQ and the like
 * with why for people.  Callbacks never run before the call returned. */
typedef void (*layer_cb)(void *ctx, int err, struct span why);
struct layer_engine {
	void (*unpack)(void *ctx, struct span digest, struct span diff_id,
	    struct span media_type, layer_cb cb, void *cb_ctx);
	/* -EBUSY while a container uses the layer. */
	void (*remove)(void *ctx, struct span digest, layer_cb cb,
	    void *cb_ctx);
	/* NULL: nothing is left over from before.  err is not 0: n is 0. */
	void (*list)(void *ctx, void (*cb)(void *ctx, int err,
	    const struct span *digests, size_t n), void *cb_ctx);
	void *ctx;
};

struct registry_config {
	uv_loop_t *loop;
	struct store *store;
	const char *state_dir;
	const struct layer_engine *layers; /* NULL: layers stay packed */
	/* Unreferenced blobs stay this long after they were last pushed,
	 * asked for or mounted; 0: an hour. */
	int64_t grace_ms;
};

/* Clears out expired uploads at once. */
int registry_new(const struct registry_config *c, struct registry **ret);
/* Waits until no thread works on a blob; their callbacks run. */
void registry_drain(struct registry *g);
/* Drains first.  The loop must run once more before it can be closed. */
void registry_free(struct registry *g);
/* Valid as long as g. */
const struct http_handler *registry_handler(struct registry *g);
/* The registry that works on s, for the ecr service; NULL: none. */
struct registry *registry_of(struct store *s);
const struct blobs *registry_blobs(const struct registry *g);
/* Right before store_wipe(): removes uploads, blobs and layers. */
void registry_reset(struct registry *g);
/* Sweeps now, whatever its age is; for tests and for a full disk. */
void registry_sweep_now(struct registry *g);
/* Counts and bytes, for `neargate dump`. */
void registry_dump(struct registry *g, struct buf *b);
