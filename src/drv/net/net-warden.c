/* The network through the warden: each call is one message. */
#include <errno.h>

#include "base/cidr.h"
#include "base/err.h"
#include "drv/net/net.h"
#include "drv/warden.h"

#define NET_WARDEN_MAGIC 0x4e77a4d3u

struct net_warden {
	unsigned magic;
	struct net net;
	struct warden *warden;
};

struct pending {
	net_cb cb;
	void *ctx;
};

static struct net_warden *
of(struct net *n)
{
	struct net_warden *w = container_of(n, struct net_warden, net);
	CHECK_OBJ(w, NET_WARDEN_MAGIC);
	return w;
}

static struct pending *
pending_new(net_cb cb, void *ctx)
{
	struct pending *p = xcalloc(1, sizeof(*p));
	*p = (struct pending){cb, ctx};
	return p;
}

static void
on_done(void *ctx, int err, struct span why, struct msg_reader *m)
{
	_cleanup_free_ struct pending *p = ctx;
	if (err == 0 && !msg_ok(m)) {
		err = -EBADMSG;
		why = SPAN("the warden's answer does not decode");
	}
	p->cb(p->ctx, err, why);
}

static void
on_list(void *ctx, int err, struct span why, struct msg_reader *m)
{
	_cleanup_free_ struct pending *p = ctx;
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t n = 0;
	struct span *v = NULL;
	if (err) {
		p->cb(p->ctx, err, why);
		return;
	}
	v = msg_spans(m, a, MSG_MAX / 8, &n);
	if (!msg_ok(m)) {
		p->cb(p->ctx, -EBADMSG,
		    SPAN("the warden's answer does not decode"));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&b, ' ');
		buf_add_span(&b, v[i]);
	}
	p->cb(p->ctx, 0, buf_span(&b));
}

static void
warden_vpc_sync(struct net *n, const struct net_vpc *v, net_cb cb, void *ctx)
{
	struct net_warden *w = of(n);
	net_put_vpc(warden_begin(w->warden,
			(enum warden_msg)WARDEN_NET_VPC_SYNC), v);
	warden_send(w->warden, on_done, pending_new(cb, ctx));
}

static void
warden_vpc_remove(struct net *n, struct span vpc, net_cb cb, void *ctx)
{
	struct net_warden *w = of(n);
	msg_put_span(warden_begin(w->warden,
			 (enum warden_msg)WARDEN_NET_VPC_REMOVE), vpc);
	warden_send(w->warden, on_done, pending_new(cb, ctx));
}

static void
warden_list(struct net *n, net_cb cb, void *ctx)
{
	struct net_warden *w = of(n);
	(void)warden_begin(w->warden, (enum warden_msg)WARDEN_NET_LIST);
	warden_send(w->warden, on_list, pending_new(cb, ctx));
}

static void
warden_clean(struct net *n, net_cb cb, void *ctx)
{
	struct net_warden *w = of(n);
	(void)warden_begin(w->warden, (enum warden_msg)WARDEN_NET_CLEAN);
	warden_send(w->warden, on_done, pending_new(cb, ctx));
}

static void
on_pool(void *ctx, int err, struct span why, struct msg_reader *m)
{
	_cleanup_free_ struct pending *p = ctx;
	_cleanup_arena_ struct arena *a = arena_new();
	struct cidr c;
	if (err == 0) {
		c.addr = msg_u32(m);
		c.len = (uint8_t)msg_u32(m);
		if (!msg_ok(m) || c.len > 32) {
			err = -EBADMSG;
			why = SPAN("the warden's answer does not decode");
		} else {
			why = cidr_text(a, c);
		}
	}
	p->cb(p->ctx, err, why);
}

static void
warden_pool(struct net *n, net_cb cb, void *ctx)
{
	struct net_warden *w = of(n);
	(void)warden_begin(w->warden, (enum warden_msg)WARDEN_NET_POOL);
	warden_send(w->warden, on_pool, pending_new(cb, ctx));
}

static void
warden_net_free(struct net *n)
{
	struct net_warden *w = of(n);
	FREE_OBJ(w);
}

static const struct net_ops net_warden_ops = {
	.vpc_sync = warden_vpc_sync,
	.vpc_remove = warden_vpc_remove,
	.list = warden_list,
	.clean = warden_clean,
	.pool = warden_pool,
	.free = warden_net_free,
};

struct net *
net_warden_new(struct warden *w)
{
	struct net_warden *n;
	ALLOC_OBJ(n, NET_WARDEN_MAGIC);
	n->net.ops = &net_warden_ops;
	n->warden = w;
	return &n->net;
}
