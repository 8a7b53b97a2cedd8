/* What ensure() and pulling share. */
#pragma once

#include "base/list.h"
#include "drv/image/image.h"
#include "registry/ref.h"
#include "registry/repo.h"

#define IMAGES_MAGIC 0x494d4753

struct puller;

struct real_images {
	struct images pub;
	unsigned magic;
	struct images_config config;
	int layers_fd;	      /* state_dir/layers; -1 until it is there */
	char *state_dir;
	struct list ensures;  /* all in progress */
	struct list done;     /* to be answered on the next turn */
	uv_async_t wake;
	struct puller *puller;
};

/* Fetches what ref names, for the platform linux/arch, into the UPSTREAM
 * namespace.  cb runs later; err 0: the manifests and blobs are in the store
 * under upstream_key() by ret_digest. */
typedef void (*pull_cb)(void *ctx, int err, struct span why,
    struct span digest);
struct puller *puller_new(struct real_images *im);
void puller_free(struct puller *p);
void pull_start(struct puller *p, const struct ref *ref, struct span arch,
    pull_cb cb, void *ctx);

struct repo_key upstream_key(struct real_images *im, struct arena *a,
    const struct ref *ref);
