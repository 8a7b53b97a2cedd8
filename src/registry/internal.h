/* What the parts of the registry share. */
#pragma once

#include <uthash.h>

#include "base/list.h"
#include "registry/registry.h"

#define REGISTRY_MAGIC 0x52454749

struct upload;
struct layer;
struct touch;

struct registry {
	unsigned magic;
	uv_loop_t *loop;
	struct store *store;
	struct blobs *blobs;
	const struct layer_engine *layers;
	int64_t grace_ms;
	struct http_handler handler;
	struct upload *uploads;	    /* by id */
	struct layer *layer_jobs;   /* by digest and diff_id */
	struct list layer_queue;
	unsigned layers_running, layers_max;
	struct touch *touched;	    /* by digest */
	uv_timer_t sweep_timer;
	uv_timer_t expire_timer;
	size_t manifest_bytes;	    /* of bodies that are coming in */
	unsigned uploading;	    /* sessions that are written to */
	unsigned jobs;		    /* on the worker pool */
	unsigned sealing;	    /* of them; a sweep would not know the blob */
	bool closing;
	unsigned handles;
	struct list node;	    /* all registries of the process */
};

/* sweep.c */
/* Keeps a blob from being swept for the grace time from now on. */
void sweep_touch(struct registry *g, struct span digest);
void sweep_soon(struct registry *g, int64_t ms);
/* Deletes images of other registries that nobody used since. */
void sweep_upstream(struct registry *g, int64_t before);
void sweep_init(struct registry *g);
void sweep_done(struct registry *g);

/* layer.c */
/* Writes down that a layer is unpacked; LAYER_E_BAD: it is known as another. */
int layer_record(struct registry *g, struct span digest, struct span diff_id);
void layer_init(struct registry *g);
void layer_done(struct registry *g);

/* dist.c */
void dist_init(struct registry *g);
