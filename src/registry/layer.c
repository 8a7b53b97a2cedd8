/* Which layers are unpacked, and a short queue of those that will be. */
#include "registry/layer.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "registry/kinds.h"

#define LAYER_MAGIC 0x4c415952
#define LAYERS_MIN 2 /* at once */
#define LAYERS_MAX 8

static const struct scope global = {SPAN_NULL, SPAN_NULL};

struct waiter {
	struct list node;
	layer_cb cb;
	void *ctx;
};

/* One layer on its way. */
struct layer {
	unsigned magic;
	UT_hash_handle hh;
	struct list node; /* in the queue */
	struct registry *registry;
	char *key; /* digest, blank, diff_id */
	char *digest, *diff_id, *media_type;
	struct list waiters;
	bool running;
};

static void
layer_free(struct layer *l)
{
	CHECK_OBJ(l, LAYER_MAGIC);
	list_each_safe(n, &l->waiters) {
		list_del(n);
		free(list_entry(n, struct waiter, node));
	}
	list_del(&l->node);
	HASH_DEL(l->registry->layer_jobs, l);
	free(l->key);
	free(l->digest);
	free(l->diff_id);
	free(l->media_type);
	FREE_OBJ(l);
}

/* The verified diff_id of an unpacked layer; empty when it is not unpacked. */
static int
layer_known(struct registry *g, struct arena *a, struct span digest,
    struct span *ret_diff_id)
{
	struct res *row;
	int r = store_get(g->store, a, &registry_layer, global, SPAN_NULL,
	    digest, &row);

	if (r == STORE_E_NOT_FOUND) {
		*ret_diff_id = SPAN_NULL;
		return 0;
	}
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	*ret_diff_id = doc_get_str(row->spec, "diffId");
	return 0;
}

int
layer_record(struct registry *g, struct span digest, struct span diff_id)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct res *row = res_new(a, &registry_layer, global, SPAN_NULL,
	    digest);
	struct span known;
	int r;

	doc_set_str(a, row->spec, "diffId", diff_id);
	r = store_insert(g->store, a, row);
	if (r != STORE_E_EXISTS)
		return r;
	r = layer_known(g, a, digest, &known);
	return r ? r : span_eq(known, diff_id) ? 0 : LAYER_E_BAD;
}

static void layers_start(struct registry *g);

static void
layer_unpacked(void *ctx, int err, struct span why)
{
	struct registry *g;
	struct layer *l;
	int r = 0;

	CAST_OBJ(l, ctx, LAYER_MAGIC);
	g = l->registry;
	g->layers_running--;
	if (g->closing) {
		layer_free(l);
		return;
	}
	if (err == 0)
		r = layer_record(g, span_of(l->digest), span_of(l->diff_id));
	if (r) {
		err = r == LAYER_E_BAD ? -EBADMSG : -EIO;
		why = r == LAYER_E_BAD ? SPAN("wrong diff id")
				       : SPAN("the layer could not be recorded");
	}
	if (err)
		log_warn("layer %s was not unpacked: %.*s", l->digest,
		    SPAN_ARG(why));
	list_each_safe(n, &l->waiters) {
		struct waiter *w = list_entry(n, struct waiter, node);

		list_del(n);
		w->cb(w->ctx, err, why);
		free(w);
	}
	layer_free(l);
	layers_start(g);
}

static void
layers_start(struct registry *g)
{
	while (g->layers_running < g->layers_max &&
	    !list_empty(&g->layer_queue)) {
		struct layer *l = list_entry(g->layer_queue.next, struct layer,
		    node);

		list_del(&l->node);
		l->running = true;
		g->layers_running++;
		g->layers->unpack(g->layers->ctx, span_of(l->digest),
		    span_of(l->diff_id), span_of(l->media_type),
		    layer_unpacked, l);
	}
}

static struct layer *
layer_queue(struct registry *g, struct span digest, struct span diff_id,
    struct span media_type)
{
	char *key = xasprintf("%.*s %.*s", SPAN_ARG(digest),
	    SPAN_ARG(diff_id));
	struct layer *l;

	HASH_FIND_STR(g->layer_jobs, key, l);
	if (l) {
		free(key);
		return l;
	}
	ALLOC_OBJ(l, LAYER_MAGIC);
	l->registry = g;
	l->key = key;
	l->digest = xstrndup(digest.p, digest.n);
	l->diff_id = xstrndup(diff_id.p, diff_id.n);
	l->media_type = xstrndup(media_type.p, media_type.n);
	list_init(&l->waiters);
	list_init(&l->node);
	HASH_ADD_KEYPTR(hh, g->layer_jobs, l->key, strlen(l->key), l);
	list_add(&g->layer_queue, &l->node);
	return l;
}

int
layer_ensure(struct registry *g, struct span digest, struct span diff_id,
    struct span media_type, layer_cb cb, void *ctx)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span known;
	struct waiter *w;
	struct layer *l;
	int r = layer_known(g, a, digest, &known);

	if (r)
		return err_trace(r);
	/* Who asks will mount it soon. */
	sweep_touch(g, digest);
	if (known.n)
		return span_eq(known, diff_id) ? 0 : LAYER_E_BAD;
	if (!g->layers)
		return err_origin(ENOTSUP, "nothing here unpacks layers");
	l = layer_queue(g, digest, diff_id, media_type);
	if (cb) {
		w = xcalloc(1, sizeof(*w));
		w->cb = cb;
		w->ctx = ctx;
		list_add(&l->waiters, &w->node);
	}
	layers_start(g);
	return LAYER_WAIT;
}

bool
layer_pending(const struct registry *g, struct span digest)
{
	struct layer *l, *next;

	HASH_ITER(hh, g->layer_jobs, l, next) {
		if (span_is(digest, l->digest))
			return true;
	}
	return false;
}

void
layer_cancel(struct registry *g, void *ctx)
{
	struct layer *l, *next;

	HASH_ITER(hh, g->layer_jobs, l, next) {
		list_each_safe(n, &l->waiters) {
			struct waiter *w = list_entry(n, struct waiter, node);

			if (w->ctx != ctx)
				continue;
			list_del(n);
			free(w);
		}
	}
}

/* Arrival */

static int
unpack_image(struct registry *g, struct arena *a, const struct res *image)
{
	struct image_config c;
	struct manifest m;
	struct span bytes;
	const char *why;
	int r;

	if (manifest_parse(a, doc_get_str(image->spec, "manifest"),
		doc_get_str(image->spec, "mediaType"), &m, &why) ||
	    !manifest_is_image(&m) || m.config.size > CONFIG_MAX)
		return 0;
	r = blob_read(g->blobs, a, m.config.digest, CONFIG_MAX, &bytes);
	if (r)
		return r < 0 ? err_trace(r) : 0;
	/* What cannot run here is kept, but not unpacked; what does not fit
	 * together is told to who runs it. */
	if (!image_config_parse(a, bytes, &c) || !span_is(c.os, "linux") ||
	    !span_eq(c.arch, host_arch()) || c.n_diff_ids != m.n_layers)
		return 0;
	for (size_t i = 0; i < m.n_layers; i++) {
		r = layer_ensure(g, m.layers[i].digest, c.diff_ids[i],
		    m.layers[i].media_type, NULL, NULL);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static void
on_image(void *ctx, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct registry *g;
	struct res *image;

	CAST_OBJ(g, ctx, REGISTRY_MAGIC);
	if (!c->inserted || c->deleted || !g->layers ||
	    store_get_row(g->store, a, c->row, &image))
		return;
	if (unpack_image(g, a, image))
		log_warn("cannot unpack image %.*s (%s), ignoring",
		    SPAN_ARG(image->id), err_last());
}

void
layer_init(struct registry *g)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	g->layers_max = (unsigned)MIN(MAX(cpus, LAYERS_MIN), LAYERS_MAX);
	list_init(&g->layer_queue);
	store_subscribe(g->store, &ecr_image, on_image, g);
}

void
layer_done(struct registry *g)
{
	struct layer *l, *next;

	HASH_ITER(hh, g->layer_jobs, l, next) {
		/* Its engine still holds a running one and will call back. */
		if (!l->running)
			layer_free(l);
	}
}
