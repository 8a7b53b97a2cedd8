/* The registry as a whole: start, end, reset. */
#include "registry/registry.h"

#include "base/err.h"
#include "registry/internal.h"
#include "registry/kinds.h"
#include "registry/layer.h"
#include "registry/upload.h"

/* Services know a store, not who else works on it: see registry_of(). */
static struct list registries = LIST_INIT(registries);

int
registry_new(const struct registry_config *c, struct registry **ret)
{
	struct blobs *blobs;
	struct registry *g;
	int r = blobs_open(c->state_dir, &blobs);

	if (r)
		return err_trace(r);
	ALLOC_OBJ(g, REGISTRY_MAGIC);
	g->loop = c->loop;
	g->store = c->store;
	g->blobs = blobs;
	g->layers = c->layers;
	g->grace_ms = c->grace_ms;
	dist_init(g);
	layer_init(g);
	sweep_init(g);
	list_add(&registries, &g->node);
	uploads_expire(g, false);
	layers_reconcile(g);
	*ret = g;
	return 0;
}

static void
on_closed(uv_handle_t *h)
{
	struct registry *g;

	CAST_OBJ(g, h->data, REGISTRY_MAGIC);
	if (--g->handles == 0)
		FREE_OBJ(g);
}

void
registry_drain(struct registry *g)
{
	CHECK_OBJ(g, REGISTRY_MAGIC);
	while (g->jobs)
		uv_run(g->loop, UV_RUN_ONCE);
}

void
registry_free(struct registry *g)
{
	if (!g)
		return;
	CHECK_OBJ(g, REGISTRY_MAGIC);
	g->closing = true;
	registry_drain(g);
	store_commit(g->store); /* answers what waits, too */
	list_del(&g->node);
	layer_done(g);
	sweep_done(g);
	uploads_done(g);
	blobs_free(g->blobs);
	g->blobs = NULL;
	g->handles = 2;
	uv_close((uv_handle_t *)&g->sweep_timer, on_closed);
	uv_close((uv_handle_t *)&g->expire_timer, on_closed);
}

const struct http_handler *
registry_handler(struct registry *g)
{
	CHECK_OBJ(g, REGISTRY_MAGIC);
	return &g->handler;
}

struct registry *
registry_of(struct store *s)
{
	list_each(n, &registries) {
		struct registry *g = list_entry(n, struct registry, node);

		if (g->store == s)
			return g;
	}
	return NULL;
}

const struct blobs *
registry_blobs(const struct registry *g)
{
	CHECK_OBJ(g, REGISTRY_MAGIC);
	return g->blobs;
}

static int
remove_blob(void *ctx, struct span digest, int64_t mtime_ms UNUSED)
{
	struct registry *g = ctx;
	int r = blob_remove(g->blobs, digest);

	return r < 0 ? r : 0;
}

static void
on_reset_layer(void *ctx UNUSED, int err UNUSED, struct span why UNUSED)
{
}

void
registry_reset(struct registry *g)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query all = {.kind = &registry_layer, .any_parent = true};
	struct res_list l;

	CHECK_OBJ(g, REGISTRY_MAGIC);
	if (store_list(g->store, a, &all, &l) == 0) {
		for (size_t i = 0; g->layers && i < l.n; i++)
			g->layers->remove(g->layers->ctx, l.v[i]->id,
			    on_reset_layer, NULL);
	}
	uploads_expire(g, true);
	(void)blobs_each(g->blobs, remove_blob, g);
}

static int
count_blob(void *ctx, struct span digest, int64_t mtime_ms UNUSED)
{
	void **v = ctx;
	struct registry *g = v[0];
	uint64_t *sum = v[1], size;

	if (blob_size(g->blobs, digest, &size) == 0) {
		sum[0]++;
		sum[1] += size;
	}
	return 0;
}

void
registry_dump(struct registry *g, struct buf *b)
{
	uint64_t sum[2] = {0, 0};
	void *ctx[2] = {g, sum};

	CHECK_OBJ(g, REGISTRY_MAGIC);
	(void)blobs_each(g->blobs, count_blob, ctx);
	buf_addf(b, "registry: %llu blobs, %llu bytes, %u uploads, "
	    "%u layers being unpacked, %u jobs\n",
	    (unsigned long long)sum[0], (unsigned long long)sum[1],
	    uploads_count(g), g->layers_running, g->jobs);
}
