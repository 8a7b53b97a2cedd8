/*
 * Images made ready to run: from our registry's store, or pulled from another
 * one into it.  See src/registry for the store of blobs and manifests.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "doc/doc.h"

struct images;

struct image {
	struct span digest;	    /* of the platform's manifest */
	struct span pinned;	    /* "sha256:..." that a revision keeps: of the
				       index or manifest the reference named */
	const struct span *layers;  /* compressed-layer digests, bottom first */
	size_t n_layers;
	/* From the image's configuration. */
	const struct span *entrypoint, *cmd, *env;
	size_t n_entrypoint, n_cmd, n_env;
	struct span user;	    /* as written: "1001", "node", "0:0" */
	struct span cwd;
	struct span stop_signal;    /* "SIGTERM", or empty */
	const struct doc *healthcheck; /* Docker's Healthcheck object or NULL */
	uint64_t size;		    /* compressed bytes */
};

/* why on failure is ECS's: "CannotPullContainerError: ...". */
typedef void (*image_cb)(void *ctx, int err, struct span why,
    const struct image *img);

/*
 * Resolves ref for account and region ("ACCT.dkr.ecr.REGION.x/repo:tag",
 * "127.0.0.1:4566/repo@sha256:...", "alpine:3") for linux/amd64 or arm64 as
 * `arch` says, pulls it if it is not ours, and has every layer unpacked.
 * The image and its strings are valid during the callback only.
 */
struct image_ops {
	void (*ensure)(struct images *im, struct span account,
	    struct span region, struct span ref, struct span arch,
	    image_cb cb, void *ctx);
	/* Resolves an image's user and extra group names against the passwd
	 * and group files in its layers.  0, or negative with no such user. */
	int (*user)(struct images *im, const struct image *img,
	    struct span user, struct arena *a, uint32_t *ret_uid,
	    uint32_t *ret_gid, uint32_t **ret_groups, size_t *ret_n);
	void (*free)(struct images *im);
};

struct images {
	const struct image_ops *ops;
};

struct registry; /* registry/registry.h */
struct store;
struct warden;
struct layer_engine;
struct http_client;

/* The real one.  own_port: references to a loopback host with this port are
 * the registry's own.  client may be NULL: then other registries' images are
 * refused.  Callbacks of ensure() never run before it returned. */
struct images_config {
	uv_loop_t *loop;
	struct registry *registry;
	struct store *store;
	struct http_client *client;
	const char *state_dir;
	uint16_t own_port;
};
struct images *images_new(const struct images_config *c);

/* The warden as what unpacks layers; free it after the registry. */
struct layer_engine *layers_warden_new(struct warden *w, struct store *s);
void layers_warden_free(struct layer_engine *e);

/* The fake: every reference resolves, on the next turn of loop, to an image of
 * one layer and a command, whose digest and pinned are those of the reference's
 * text; one that starts with "missing" is not found. */
struct images *images_fake_new(uv_loop_t *loop);
/* The next ensure() fails with this text. */
void images_fake_fail(struct images *im, const char *why);
