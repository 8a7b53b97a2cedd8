/* The fake twin: proxies run at once, targets are what tests say. */
#include <uthash.h>

#include "drv/lb/lb.h"

#define FAKE_MAGIC 0x1bfa4e00u

struct fact {
	UT_hash_handle hh;
	char *name;
	bool up;
	int code;
	unsigned active;
	bool running;	/* a proxy's */
	uint64_t requests; /* a group's */
};

struct fake {
	unsigned magic;
	struct lb lb;
	uv_loop_t *loop;
	struct fact *facts;
	bool all_up;
};

struct later {
	uv_timer_t timer;
	lb_cb cb;
	lb_servers_cb servers_cb;
	lb_counts_cb counts_cb;
	void *ctx;
	struct arena *a;
	struct lb_server *v;
	struct lb_count *counts;
	size_t n;
};

static struct fake *
fake(struct lb *l)
{
	struct fake *f = container_of(l, struct fake, lb);

	CHECK_OBJ(f, FAKE_MAGIC);
	return f;
}

static struct fact *
fact(struct fake *f, struct span name)
{
	struct fact *x;

	HASH_FIND(hh, f->facts, name.p, name.n, x);
	if (x)
		return x;
	x = xcalloc(1, sizeof(*x));
	x->name = xstrndup(name.p, name.n);
	x->up = f->all_up;
	HASH_ADD_KEYPTR(hh, f->facts, x->name, name.n, x);
	return x;
}

static void
on_closed(uv_handle_t *h)
{
	struct later *l = h->data;

	arena_free(l->a);
	free(l);
}

static void
on_timer(uv_timer_t *t)
{
	struct later *l = t->data;

	if (l->counts_cb)
		l->counts_cb(l->ctx, 0, SPAN_NULL, l->counts, l->n);
	else if (l->servers_cb)
		l->servers_cb(l->ctx, 0, SPAN_NULL, l->v, l->n);
	else
		l->cb(l->ctx, 0, SPAN_NULL);
	uv_close((uv_handle_t *)t, on_closed);
}

static struct later *
later(struct fake *f, lb_cb cb, void *ctx)
{
	struct later *l = xcalloc(1, sizeof(*l));

	l->cb = cb;
	l->ctx = ctx;
	l->a = arena_new();
	l->timer.data = l;
	uv_timer_init(f->loop, &l->timer);
	uv_timer_start(&l->timer, on_timer, 0, 0);
	return l;
}

static void
fake_sync(struct lb *l, const struct lb_conf *c, lb_cb cb, void *ctx)
{
	fact(fake(l), c->id)->running = true;
	later(fake(l), cb, ctx);
}

static void
fake_targets(struct lb *l, const struct lb_conf *c UNUSED,
    const struct lb_target *v, size_t n, lb_servers_cb cb, void *ctx)
{
	struct later *t = later(fake(l), NULL, ctx);
	struct fact *x;

	t->servers_cb = cb;
	t->v = arena_array(t->a, struct lb_server, n + 1);
	t->n = n;
	for (size_t i = 0; i < n; i++) {
		x = fact(fake(l), v[i].name);
		t->v[i] = (struct lb_server){
		    .group = arena_span(t->a, v[i].group->name),
		    .name = arena_span(t->a, v[i].name),
		    .drain = v[i].draining,
		    .up = x->up,
		    .check = x->up ? LB_CHECK_OK
			: x->code ? LB_CHECK_CODE : LB_CHECK_NONE,
		    .code = x->code,
		    .active = x->active,
		    .since_s = 3600,
		};
	}
}

/* Those of all proxies: a test has one. */
static void
fake_requests(struct lb *l, struct span id UNUSED, lb_counts_cb cb, void *ctx)
{
	struct later *t = later(fake(l), NULL, ctx);
	struct fact *x, *next;

	t->counts_cb = cb;
	t->counts = arena_array(t->a, struct lb_count,
	    HASH_COUNT(fake(l)->facts) + 1);
	HASH_ITER(hh, fake(l)->facts, x, next)
		if (strncmp(x->name, "tg-", 3) == 0)
			t->counts[t->n++] = (struct lb_count){
			    arena_span(t->a, span_of(x->name)), x->requests};
}

static void
fake_stop(struct lb *l, struct span id, lb_cb cb, void *ctx)
{
	fact(fake(l), id)->running = false;
	later(fake(l), cb, ctx);
}

static void
fake_edge(struct lb *l, const struct lb_edge *c UNUSED, lb_cb cb, void *ctx)
{
	later(fake(l), cb, ctx);
}

static void
fake_free(struct lb *l)
{
	struct fake *f = fake(l);
	struct fact *x, *next;

	HASH_ITER(hh, f->facts, x, next) {
		HASH_DEL(f->facts, x);
		free(x->name);
		free(x);
	}
	FREE_OBJ(f);
}

struct lb *
lb_fake_new(uv_loop_t *loop)
{
	static const struct lb_ops ops = {fake_sync, fake_targets,
		fake_requests, fake_stop, fake_edge, fake_free};
	struct fake *f;

	ALLOC_OBJ(f, FAKE_MAGIC);
	f->lb.ops = &ops;
	f->loop = loop;
	return &f->lb;
}

void
lb_fake_all_up(struct lb *l)
{
	fake(l)->all_up = true;
}

void
lb_fake_health(struct lb *l, struct span name, bool up, int code)
{
	fact(fake(l), name)->up = up;
	fact(fake(l), name)->code = code;
}

void
lb_fake_active(struct lb *l, struct span name, unsigned active)
{
	fact(fake(l), name)->active = active;
}

void
lb_fake_requests(struct lb *l, struct span group, uint64_t requests)
{
	fact(fake(l), group)->requests = requests;
}

bool
lb_fake_running(struct lb *l, struct span id)
{
	return fact(fake(l), id)->running;
}
