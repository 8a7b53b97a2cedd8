/* A network that is only told: for tests, and for a daemon without a warden. */
#include <errno.h>

#include "base/list.h"
#include "drv/net/net-fake.h"

#define NET_FAKE_MAGIC 0x4efa4e00u

struct fake_vpc {
	struct list link;
	struct buf id;
	struct buf state; /* as net_put_vpc() writes it */
};

struct fake_answer {
	struct list link;
	net_cb cb;
	void *ctx;
	int err;
	struct buf why;
};

struct net_fake {
	unsigned magic;
	struct net net;
	struct list vpcs;
	struct list answers;
	size_t calls;
	int fail;
	uv_timer_t *timer; /* answers by itself; NULL: when told to */
};

static struct net_fake *
of(struct net *n)
{
	struct net_fake *f = container_of(n, struct net_fake, net);
	CHECK_OBJ(f, NET_FAKE_MAGIC);
	return f;
}

static void
on_timer(uv_timer_t *t)
{
	net_fake_answer(t->data);
}

static void
on_closed(uv_handle_t *h)
{
	free(h);
}

static struct fake_answer *
answer(struct net_fake *f, net_cb cb, void *ctx)
{
	struct fake_answer *x = xcalloc(1, sizeof(*x));
	x->cb = cb;
	x->ctx = ctx;
	x->err = f->fail;
	if (f->fail)
		buf_add_str(&x->why, "told to fail");
	f->calls++;
	list_add(&f->answers, &x->link);
	if (f->timer)
		AZ(uv_timer_start(f->timer, on_timer, 0, 0));
	return x;
}

static struct fake_vpc *
find(struct net_fake *f, struct span id)
{
	list_each(it, &f->vpcs)
	{
		struct fake_vpc *v = list_entry(it, struct fake_vpc, link);
		if (span_eq(buf_span(&v->id), id))
			return v;
	}
	return NULL;
}

static void
forget(struct fake_vpc *v)
{
	list_del(&v->link);
	buf_done(&v->id);
	buf_done(&v->state);
	free(v);
}

static void
fake_sync(struct net *n, const struct net_vpc *w, net_cb cb, void *ctx)
{
	struct net_fake *f = of(n);
	if (answer(f, cb, ctx)->err)
		return;
	struct fake_vpc *v = find(f, w->id);
	if (!v) {
		v = xcalloc(1, sizeof(*v));
		buf_add_span(&v->id, w->id);
		list_add(&f->vpcs, &v->link);
	}
	buf_clear(&v->state);
	net_put_vpc(&v->state, w);
}

static void
fake_remove(struct net *n, struct span vpc, net_cb cb, void *ctx)
{
	struct net_fake *f = of(n);
	if (answer(f, cb, ctx)->err)
		return;
	struct fake_vpc *v = find(f, vpc);
	if (v)
		forget(v);
}

static void
fake_list(struct net *n, net_cb cb, void *ctx)
{
	struct net_fake *f = of(n);
	struct fake_answer *x = answer(f, cb, ctx);
	if (x->err)
		return;
	list_each(it, &f->vpcs)
	{
		if (x->why.n > 0)
			buf_add_char(&x->why, ' ');
		buf_add_span(&x->why,
		    buf_span(&list_entry(it, struct fake_vpc, link)->id));
	}
}

static void
fake_clean(struct net *n, net_cb cb, void *ctx)
{
	struct net_fake *f = of(n);
	if (answer(f, cb, ctx)->err)
		return;
	list_each_safe(it, &f->vpcs)
		forget(list_entry(it, struct fake_vpc, link));
}

static void
fake_pool(struct net *n, net_cb cb, void *ctx)
{
	struct fake_answer *x = answer(of(n), cb, ctx);
	if (!x->err)
		buf_add_str(&x->why, "198.18.0.0/16");
}

static void
answer_free(struct fake_answer *x)
{
	list_del(&x->link);
	buf_done(&x->why);
	free(x);
}

static void
fake_free(struct net *n)
{
	struct net_fake *f = of(n);
	list_each_safe(it, &f->vpcs)
		forget(list_entry(it, struct fake_vpc, link));
	list_each_safe(it, &f->answers)
	{
		struct fake_answer *x =
		    list_entry(it, struct fake_answer, link);
		x->cb(x->ctx, -ECANCELED, SPAN("stopped"));
		answer_free(x);
	}
	if (f->timer)
		uv_close((uv_handle_t *)f->timer, on_closed);
	FREE_OBJ(f);
}

static const struct net_ops net_fake_ops = {
	.vpc_sync = fake_sync,
	.vpc_remove = fake_remove,
	.list = fake_list,
	.clean = fake_clean,
	.pool = fake_pool,
	.free = fake_free,
};

struct net *
net_fake_new(uv_loop_t *loop)
{
	struct net_fake *f;
	ALLOC_OBJ(f, NET_FAKE_MAGIC);
	f->net.ops = &net_fake_ops;
	list_init(&f->vpcs);
	list_init(&f->answers);
	if (loop) {
		f->timer = xcalloc(1, sizeof(*f->timer));
		AZ(uv_timer_init(loop, f->timer));
		f->timer->data = &f->net;
	}
	return &f->net;
}

void
net_fake_fail(struct net *n, int err)
{
	of(n)->fail = err;
}

size_t
net_fake_calls(struct net *n)
{
	return of(n)->calls;
}

size_t
net_fake_answer(struct net *n)
{
	struct net_fake *f = of(n);
	size_t done = 0;
	/* Those that come meanwhile wait for the next call. */
	struct list now = LIST_INIT(now);
	while (!list_empty(&f->answers)) {
		struct list *it = f->answers.next;
		list_del(it);
		list_add(&now, it);
	}
	while (!list_empty(&now)) {
		struct fake_answer *x =
		    list_entry(now.next, struct fake_answer, link);
		x->cb(x->ctx, x->err, buf_span(&x->why));
		answer_free(x);
		done++;
	}
	return done;
}

bool
net_fake_vpc(struct net *n, struct arena *a, struct span id,
    struct net_vpc *ret)
{
	struct fake_vpc *v = find(of(n), id);
	struct span why;
	if (!v)
		return false;
	struct msg_reader m = {.rest = arena_span(a, buf_span(&v->state))};
	AN(net_get_vpc(&m, a, ret, &why));
	return true;
}
