/* The network's messages, answered. */
#include <errno.h>

#include "base/err.h"
#include "warden/net-host.h"
#include "warden/net-ns.h"
#include "warden/net-part.h"
#include "warden/net-vpc.h"

#define NET_STATE_MAGIC 0x4e7a7a7eu

struct net_state {
	unsigned magic;
	struct net_cidr pool;
	int claim; /* keeps the pool ours */
	struct nets *nets;
};

static struct net_state *
state(struct host *h)
{
	CHECK_OBJ(h->net, NET_STATE_MAGIC);
	return h->net;
}

static int
answer(struct request *q, int err)
{
	if (err)
		request_fail(q, -err, "%s", err_last());
	else
		request_ok(q);
	return 0;
}

static int
run_sync(struct host *h, struct request *q, struct msg_reader *m)
{
	struct net_vpc v;
	struct span why;
	/* A VPC that breaks a form is refused by name; the connection ends
	 * only when the frame itself is broken. */
	if (!net_get_vpc(m, request_arena(q), &v, &why)) {
		if (m->bad)
			return err_origin(EBADMSG, "%.*s", SPAN_ARG(why));
		request_fail(q, EINVAL, "%.*s", SPAN_ARG(why));
		return 0;
	}
	return answer(q, nets_sync(state(h)->nets, &v));
}

static int
run_remove(struct host *h, struct request *q, struct msg_reader *m)
{
	struct span id = msg_span(m);
	if (!msg_ok(m))
		return err_origin(EBADMSG, "vpc remove");
	return answer(q, nets_remove(state(h)->nets, id));
}

static int
run_list(struct host *h, struct request *q, struct msg_reader *m)
{
	size_t n;
	if (!msg_ok(m))
		return err_origin(EBADMSG, "net list");
	struct span *ids = nets_list(state(h)->nets, request_arena(q), &n);
	msg_put_spans(request_begin(q), ids, n);
	request_end(q);
	return 0;
}

static int
run_clean(struct host *h, struct request *q, struct msg_reader *m)
{
	if (!msg_ok(m))
		return err_origin(EBADMSG, "net clean");
	return answer(q, nets_clean(state(h)->nets));
}

static int
run_pool(struct host *h, struct request *q, struct msg_reader *m)
{
	if (!msg_ok(m))
		return err_origin(EBADMSG, "net pool");
	struct buf *b = request_begin(q);
	msg_put_u32(b, state(h)->pool.addr);
	msg_put_u32(b, state(h)->pool.len);
	request_end(q);
	return 0;
}

static const struct host_op ops[] = {
	{(enum warden_msg)WARDEN_NET_VPC_SYNC, "vpc-sync", run_sync},
	{(enum warden_msg)WARDEN_NET_VPC_REMOVE, "vpc-remove", run_remove},
	{(enum warden_msg)WARDEN_NET_LIST, "net-list", run_list},
	{(enum warden_msg)WARDEN_NET_CLEAN, "net-clean", run_clean},
	{(enum warden_msg)WARDEN_NET_POOL, "net-pool", run_pool},
};

static void
part_done(struct host *h)
{
	struct net_state *s = h->net;
	if (!s)
		return;
	h->net = NULL;
	CHECK_OBJ(s, NET_STATE_MAGIC);
	nets_free(s->nets);
	close_p(&s->claim);
	FREE_OBJ(s);
}

static int
part_init(struct host *h)
{
	struct net_state *s;
	ALLOC_OBJ(s, NET_STATE_MAGIC);
	s->claim = -1;
	h->net = s;
	int e = ns_init();
	if (e == 0)
		e = net_host_pool(h->instance, &s->pool, &s->claim);
	if (e == 0)
		e = net_host_up(h->instance, s->pool);
	if (e == 0)
		e = nets_new(h->instance, s->pool, &s->nets);
	if (e)
		part_done(h);
	return err_trace(e);
}

static int
part_clean(struct host *h)
{
	struct nets *n = NULL;
	int e = ns_init();
	if (e == 0)
		e = nets_new(h->instance, (struct net_cidr){0, 0}, &n);
	if (e == 0)
		e = nets_clean(n);
	nets_free(n);
	int e2 = nets_sweep(h->instance);
	int e3 = net_host_down(h->instance);
	return err_trace(e ? e : e2 ? e2 : e3);
}

const struct host_part net_part = {
	.name = "net",
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.init = part_init,
	.done = part_done,
	.clean = part_clean,
};
