/* The image driver's fake twin: answers from the reference alone. */
#include <errno.h>

#include "base/id.h"
#include "base/list.h"
#include "drv/image/image.h"

#define FAKE_MAGIC 0x46414b49

struct fake {
	struct images pub;
	unsigned magic;
	uv_timer_t timer;
	struct list waiting;
	char *fail;
};

struct wait {
	struct list node;
	char *ref, *why;
	image_cb cb;
	void *ctx;
};

static void
answer(struct wait *w)
{
	_cleanup_arena_ struct arena *a = arena_new();
	ptrdiff_t at = span_chr(span_of(w->ref), '@');
	struct span layer, digest = at >= 0 ?
	    span_from(span_of(w->ref), (size_t)at + 1) :
	    arena_fmt_span(a, "sha256:%s", sha256_hex(a, span_of(w->ref)));
	static const struct span cmd = {"/app", 4};
	struct image img = {.digest = digest, .pinned = digest,
	    .layers = &layer, .n_layers = 1, .cmd = &cmd, .n_cmd = 1,
	    .size = 1};

	layer = digest;
	if (w->why)
		w->cb(w->ctx, -ENOENT, span_of(w->why), NULL);
	else
		w->cb(w->ctx, 0, SPAN_NULL, &img);
}

static void
on_timer(uv_timer_t *t)
{
	struct fake *f;

	CAST_OBJ(f, t->data, FAKE_MAGIC);
	while (!list_empty(&f->waiting)) {
		struct wait *w = list_entry(f->waiting.next, struct wait,
		    node);

		list_del(&w->node);
		answer(w);
		free(w->ref);
		free(w->why);
		free(w);
	}
}

static void
fake_ensure(struct images *im, struct span account UNUSED,
    struct span region UNUSED, struct span ref, struct span arch UNUSED,
    image_cb cb, void *ctx)
{
	struct fake *f = container_of(im, struct fake, pub);
	struct wait *w = xcalloc(1, sizeof(*w));

	CHECK_OBJ(f, FAKE_MAGIC);
	w->ref = xstrndup(ref.p, ref.n);
	w->why = TAKE_PTR(f->fail);
	if (!w->why && span_starts(ref, SPAN("missing")))
		w->why = xasprintf("CannotPullContainerError: %s: not found",
		    w->ref);
	w->cb = cb;
	w->ctx = ctx;
	list_add(&f->waiting, &w->node);
	AZ(uv_timer_start(&f->timer, on_timer, 0, 0));
}

static int
fake_user(struct images *im UNUSED, const struct image *img UNUSED,
    struct span user, struct arena *a UNUSED, uint32_t *ret_uid,
    uint32_t *ret_gid, uint32_t **ret_groups, size_t *ret_n)
{
	struct span rest = user, uid = span_cut(&rest, ':');
	uint64_t u = 0, g = 0;

	if ((uid.n && !span_u64(uid, &u)) || (rest.n && !span_u64(rest, &g)))
		return -ENOENT;
	*ret_uid = (uint32_t)u;
	*ret_gid = (uint32_t)g;
	*ret_groups = NULL;
	*ret_n = 0;
	return 0;
}

static void
on_closed(uv_handle_t *h)
{
	struct fake *f = h->data;

	FREE_OBJ(f);
}

static void
fake_free(struct images *im)
{
	struct fake *f = container_of(im, struct fake, pub);

	CHECK_OBJ(f, FAKE_MAGIC);
	on_timer(&f->timer);
	free(f->fail);
	uv_close((uv_handle_t *)&f->timer, on_closed);
}

static const struct image_ops ops = {fake_ensure, fake_user, fake_free};

struct images *
images_fake_new(uv_loop_t *loop)
{
	struct fake *f;

	ALLOC_OBJ(f, FAKE_MAGIC);
	f->pub.ops = &ops;
	list_init(&f->waiting);
	AZ(uv_timer_init(loop, &f->timer));
	f->timer.data = f;
	return &f->pub;
}

void
images_fake_fail(struct images *im, const char *why)
{
	struct fake *f = container_of(im, struct fake, pub);

	CHECK_OBJ(f, FAKE_MAGIC);
	free(f->fail);
	f->fail = xstrdup(why);
}
