/* Proxies started by the warden. */
#include "drv/lb/lb.h"
#include "drv/warden.h"

struct ask {
	lb_cb cb;
	void *ctx;
};

static void
on_reply(void *ctx, int err, struct span why, struct msg_reader *m UNUSED)
{
	struct ask *q = ctx;
	lb_cb cb = q->cb;
	void *cb_ctx = q->ctx;

	free(q);
	cb(cb_ctx, err, why);
}

static void
ask(void *p, enum warden_msg type, struct span id, const struct span *netns,
    lb_cb cb, void *ctx)
{
	struct warden *w = p;
	struct ask *q = xcalloc(1, sizeof(*q));
	struct buf *b = warden_begin(w, type);

	q->cb = cb;
	q->ctx = ctx;
	msg_put_span(b, id);
	if (netns)
		msg_put_span(b, *netns);
	warden_send(w, on_reply, q);
}

static void
start(void *p, struct span id, struct span netns, lb_cb cb, void *ctx)
{
	ask(p, WARDEN_PROXY_START, id, &netns, cb, ctx);
}

static void
reload(void *p, struct span id, struct span netns, lb_cb cb, void *ctx)
{
	ask(p, WARDEN_PROXY_RELOAD, id, &netns, cb, ctx);
}

static void
stop(void *p, struct span id, lb_cb cb, void *ctx)
{
	ask(p, WARDEN_PROXY_STOP, id, NULL, cb, ctx);
}

static void
on_died(void *ctx, struct msg_reader *m)
{
	struct lb *l = ctx;
	struct span id = msg_span(m);

	if (msg_ok(m) && l->on_died)
		l->on_died(l->on_died_ctx, id);
}

struct lb *
lb_warden_new(uv_loop_t *loop, struct warden *w, const char *run_dir)
{
	static const struct lb_process_ops ops = {start, reload, stop};
	struct lb *l = lb_new(loop, run_dir, &ops, w);

	warden_on_event(w, WARDEN_PROXY_DIED, on_died, l);
	return l;
}
