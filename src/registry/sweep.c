/*
 * The sweep: removes what no image refers to any more.
 *
 * Links first (a repository's right to a blob that none of its images uses),
 * then, when that is durable, files without a link anywhere, then unpacked
 * layers.  A blob that was pushed, asked for or mounted within the grace time
 * stays: a push that is under way counts on it.  Nothing is swept while a
 * thread puts a blob into place.  Images of other registries go when nobody
 * used them for a month.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "registry/internal.h"
#include "registry/layer.h"
#include "registry/lifecycle.h"
#include "registry/repo.h"
#include "registry/upload.h"

#define GRACE_MS (3600 * 1000)
#define EXPIRE_MS (3600 * 1000)
#define UPSTREAM_MS (30 * 24 * 3600 * 1000LL)

static const struct scope everywhere = {SPAN_NULL, SPAN_NULL};

struct touch {
	UT_hash_handle hh;
	char *digest;
	int64_t at;
};

void
sweep_touch(struct registry *g, struct span digest)
{
	struct touch *t;

	HASH_FIND(hh, g->touched, digest.p, digest.n, t);
	if (!t) {
		t = xcalloc(1, sizeof(*t));
		t->digest = xstrndup(digest.p, digest.n);
		HASH_ADD_KEYPTR(hh, g->touched, t->digest, digest.n, t);
	}
	t->at = clock_ms();
}

static void
touch_free(struct registry *g, struct touch *t)
{
	HASH_DEL(g->touched, t);
	free(t->digest);
	free(t);
}

static void
forget_touches(struct registry *g, int64_t before)
{
	struct touch *t, *next;

	HASH_ITER(hh, g->touched, t, next) {
		if (t->at < before)
			touch_free(g, t);
	}
}

static bool
touched(struct registry *g, struct span digest)
{
	struct touch *t;

	HASH_FIND(hh, g->touched, digest.p, digest.n, t);
	return t != NULL;
}

struct sweep {
	struct registry *g;
	struct arena *a;
	int64_t before;
	unsigned n;
};

static int
sweep_links(struct sweep *s)
{
	struct query all = {.kind = &ecr_blob, .any_parent = true};
	struct res_list l;
	int r = store_list(s->g->store, s->a, &all, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct query users = {.kind = &ecr_image,
		    .scope = l.v[i]->scope, .parent = l.v[i]->parent,
		    .index = "spec.blobs", .value = l.v[i]->id};
		int64_t n;

		if (l.v[i]->created >= s->before ||
		    touched(s->g, l.v[i]->id))
			continue;
		n = store_count(s->g->store, &users);
		if (n == 0)
			r = store_delete(s->g->store, l.v[i]);
		else if (n < 0)
			r = (int)n;
	}
	return r;
}

static int64_t
links_of(struct registry *g, struct span digest)
{
	struct query q = {.kind = &ecr_blob, .scope = everywhere,
	    .any_parent = true, .index = "spec.digest", .value = digest};

	return store_count(g->store, &q);
}

static int
sweep_file(void *ctx, struct span digest, int64_t mtime_ms)
{
	struct sweep *s = ctx;
	int64_t n;

	if (mtime_ms >= s->before || touched(s->g, digest))
		return 0;
	n = links_of(s->g, digest);
	if (n)
		return n < 0 ? (int)n : 0;
	s->n++;
	return blob_remove(s->g->blobs, digest) < 0 ? -EIO : 0;
}

static void
sweep_files(void *ctx, int err)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct registry *g;
	struct sweep s;
	int r;

	CAST_OBJ(g, ctx, REGISTRY_MAGIC);
	s = (struct sweep){g, a, clock_ms() - g->grace_ms, 0};
	if (g->closing)
		return;
	if (err || g->sealing || store_dirty(g->store)) {
		sweep_soon(g, 1000);
		return;
	}
	r = blobs_each(g->blobs, sweep_file, &s);
	if (r == 0)
		r = layers_sweep(g, a);
	if (r)
		log_warn("sweep: %s, ignoring", err_last());
	else if (s.n)
		log_info("sweep: removed %u unreferenced blobs", s.n);
}

static void
sweep_run(struct registry *g)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct sweep s = {g, a, clock_ms() - g->grace_ms, 0};

	if (g->sealing) {
		sweep_soon(g, 1000);
		return;
	}
	forget_touches(g, s.before);
	if (sweep_links(&s))
		log_warn("sweep: %s, ignoring", err_last());
	else
		store_on_commit(g->store, sweep_files, g);
}

static void
on_sweep_timer(uv_timer_t *t)
{
	struct registry *g;

	CAST_OBJ(g, t->data, REGISTRY_MAGIC);
	sweep_run(g);
}

void
sweep_soon(struct registry *g, int64_t ms)
{
	if (!g->closing && !uv_is_active((uv_handle_t *)&g->sweep_timer))
		AZ(uv_timer_start(&g->sweep_timer, on_sweep_timer,
		    (uint64_t)ms, 0));
}

void
registry_sweep_now(struct registry *g)
{
	CHECK_OBJ(g, REGISTRY_MAGIC);
	uv_timer_stop(&g->sweep_timer);
	sweep_run(g);
}

/* Something was deleted: what it alone used goes when the grace is over. */
static void
on_deleted(void *ctx, const struct change *c)
{
	struct registry *g;

	CAST_OBJ(g, ctx, REGISTRY_MAGIC);
	if (c->deleted)
		sweep_soon(g, g->grace_ms + 1000);
}

struct unused {
	struct registry *g;
	int64_t before;
};

static int
drop_unused(void *ctx, struct res *image)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct unused *u = ctx;
	struct repo_key k = {u->g->store, image->scope, image->parent};
	struct span missing;
	int r = 0;

	if (MAX(image->created, doc_get_time(image->status, "lastPull")) <
	    u->before)
		r = repo_delete_image(&k, a, image->id, &missing);
	return MIN(r, 0);
}

/* Whoever needs one again pulls it again.  An image that an index lists goes
 * after the index. */
void
sweep_upstream(struct registry *g, int64_t before)
{
	struct query all = {.kind = &ecr_image, .any_parent = true,
	    .scope = {SPAN(UPSTREAM), SPAN_NULL}};
	struct unused u = {g, before};

	if (images_each(g->store, &all, drop_unused, &u))
		log_warn("sweep: %s, ignoring", err_last());
}

static void
on_expire_timer(uv_timer_t *t)
{
	struct registry *g;

	CAST_OBJ(g, t->data, REGISTRY_MAGIC);
	uploads_expire(g, false);
	sweep_upstream(g, clock_ms() - UPSTREAM_MS);
	lifecycle_run(g, clock_ms());
	sweep_soon(g, 0);
}

void
sweep_init(struct registry *g)
{
	if (g->grace_ms <= 0)
		g->grace_ms = GRACE_MS;
	AZ(uv_timer_init(g->loop, &g->sweep_timer));
	AZ(uv_timer_init(g->loop, &g->expire_timer));
	g->sweep_timer.data = g->expire_timer.data = g;
	AZ(uv_timer_start(&g->expire_timer, on_expire_timer, EXPIRE_MS,
	    EXPIRE_MS));
	uv_unref((uv_handle_t *)&g->expire_timer);
	uv_unref((uv_handle_t *)&g->sweep_timer);
	store_subscribe(g->store, &ecr_image, on_deleted, g);
	store_subscribe(g->store, &ecr_blob, on_deleted, g);
}

void
sweep_done(struct registry *g)
{
	forget_touches(g, INT64_MAX);
}
