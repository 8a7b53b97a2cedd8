/* The warden as the registry's unpacker. */
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "drv/image/image.h"
#include "drv/warden.h"
#include "registry/registry.h"

#define LAYERS_MAX 50000 /* fit into a message */

struct layers {
	struct layer_engine pub;
	struct warden *warden;
	struct store *store;
};

struct wait {
	layer_cb cb;
	void *ctx;
};

static void
on_reply(void *ctx, int err, struct span why, struct msg_reader *m UNUSED)
{
	struct wait *w = ctx;

	w->cb(w->ctx, err, why);
	free(w);
}

/* What the bytes are; media types are claims, and Docker's say gzip for
 * anything that docker pushes. */
static enum layer_format
format_of(struct layers *l, struct span digest)
{
	struct registry *g = registry_of(l->store);
	unsigned char head[4] = {0};
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (!g || blob_open(registry_blobs(g), digest, &fd, &size) ||
	    read(fd, head, sizeof(head)) != sizeof(head))
		return LAYER_TAR;
	if (head[0] == 0x1f && head[1] == 0x8b)
		return LAYER_GZIP;
	if (head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f &&
	    head[3] == 0xfd)
		return LAYER_ZSTD;
	return LAYER_TAR;
}

static void
send_to(struct layers *l, layer_cb cb, void *ctx)
{
	struct wait *w = xcalloc(1, sizeof(*w));

	w->cb = cb;
	w->ctx = ctx;
	warden_send(l->warden, on_reply, w);
}

static void
unpack(void *ctx, struct span digest, struct span diff_id,
    struct span media_type UNUSED, layer_cb cb, void *cb_ctx)
{
	struct layers *l = ctx;
	enum layer_format format = format_of(l, digest);
	struct buf *b = warden_begin(l->warden, WARDEN_IMAGE_UNPACK);

	msg_put_span(b, digest);
	msg_put_span(b, diff_id);
	msg_put_u32(b, format);
	send_to(l, cb, cb_ctx);
}

static void
remove_layer(void *ctx, struct span digest, layer_cb cb, void *cb_ctx)
{
	struct layers *l = ctx;
	struct buf *b = warden_begin(l->warden, WARDEN_IMAGE_REMOVE);

	msg_put_span(b, digest);
	send_to(l, cb, cb_ctx);
}

struct list_wait {
	void (*cb)(void *ctx, int err, const struct span *digests, size_t n);
	void *ctx;
};

static void
on_listed(void *ctx, int err, struct span why UNUSED, struct msg_reader *m)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ struct list_wait *w = ctx;
	struct span *v = NULL;
	size_t n = 0;

	if (err == 0)
		v = msg_spans(m, a, LAYERS_MAX, &n);
	if (err == 0 && !msg_ok(m))
		err = -EBADMSG;
	w->cb(w->ctx, err, v, err ? 0 : n);
}

static void
list_layers(void *ctx, void (*cb)(void *ctx, int err,
    const struct span *digests, size_t n), void *cb_ctx)
{
	struct layers *l = ctx;
	struct list_wait *w = xcalloc(1, sizeof(*w));

	*w = (struct list_wait){cb, cb_ctx};
	warden_begin(l->warden, WARDEN_IMAGE_LIST);
	warden_send(l->warden, on_listed, w);
}

struct layer_engine *
layers_warden_new(struct warden *w, struct store *s)
{
	struct layers *l = xcalloc(1, sizeof(*l));

	l->warden = w;
	l->store = s;
	l->pub = (struct layer_engine){unpack, remove_layer, list_layers, l};
	return &l->pub;
}

void
layers_warden_free(struct layer_engine *e)
{
	if (e)
		free(container_of(e, struct layers, pub));
}
