/* Unpacked layers that nobody needs, and those that a kill left. */
#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "registry/kinds.h"
#include "registry/layer.h"

static const struct scope global = {SPAN_NULL, SPAN_NULL};

struct removal {
	struct registry *g;
	char *digest, *diff_id;
};

static void
on_removed(void *ctx, int err, struct span why)
{
	struct removal *m = ctx;

	/* Busy: a container still runs on it; the next sweep tries again. */
	if (err && err != -EBUSY)
		log_warn("cannot remove layer %s: %.*s, ignoring", m->digest,
		    SPAN_ARG(why));
	if (err && !m->g->closing && m->diff_id &&
	    layer_record(m->g, span_of(m->digest), span_of(m->diff_id)) < 0)
		log_warn("cannot record layer %s again, ignoring", m->digest);
	free(m->digest);
	free(m->diff_id);
	free(m);
}

static void
remove_layer(struct registry *g, struct span digest, struct span diff_id)
{
	struct removal *m = xcalloc(1, sizeof(*m));

	m->g = g;
	m->digest = xstrndup(digest.p, digest.n);
	m->diff_id = diff_id.n ? xstrndup(diff_id.p, diff_id.n) : NULL;
	g->layers->remove(g->layers->ctx, digest, on_removed, m);
}

/* The record goes first: who needs the layer while it is removed has it
 * unpacked anew, after the removal, which the engine does in that order. */
int
layers_sweep(struct registry *g, struct arena *a)
{
	struct query all = {.kind = &registry_layer, .any_parent = true};
	struct res_list l;
	uint64_t size;
	int r = store_list(g->store, a, &all, &l);

	for (size_t i = 0; r == 0 && g->layers && i < l.n; i++) {
		if (blob_size(g->blobs, l.v[i]->id, &size) != BLOB_E_NONE)
			continue;
		r = store_delete(g->store, l.v[i]);
		if (r == 0)
			remove_layer(g, l.v[i]->id,
			    doc_get_str(l.v[i]->spec, "diffId"));
	}
	return r;
}

static bool
has(const struct span *v, size_t n, struct span s)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(v[i], s))
			return true;
	}
	return false;
}

static void
on_list(void *ctx, int err, const struct span *v, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query all = {.kind = &registry_layer, .any_parent = true};
	struct registry *g;
	struct res_list l;
	struct res *row;

	CAST_OBJ(g, ctx, REGISTRY_MAGIC);
	if (err || g->closing || store_list(g->store, a, &all, &l))
		return;
	for (size_t i = 0; i < l.n; i++) {
		if (!has(v, n, l.v[i]->id) && !layer_pending(g, l.v[i]->id) &&
		    store_delete(g->store, l.v[i]))
			log_warn("cannot forget a layer, ignoring");
	}
	for (size_t i = 0; i < n; i++) {
		if (!layer_pending(g, v[i]) &&
		    store_get(g->store, a, &registry_layer, global, SPAN_NULL,
			v[i], &row) == STORE_E_NOT_FOUND)
			remove_layer(g, v[i], SPAN_NULL);
	}
}

void
layers_reconcile(struct registry *g)
{
	if (g->layers && g->layers->list)
		g->layers->list(g->layers->ctx, on_list, g);
}
