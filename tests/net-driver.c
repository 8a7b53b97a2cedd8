/*
 * The warden's network alone, for tests that need root but no daemon: reads
 * frames of loop/msg.h on standard input, does what they say, answers as the
 * warden does, with the microseconds it took as a further field.
 *
 *	net-driver INSTANCE		serve
 *	net-driver INSTANCE clean	take everything away, as `neargate down`
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "warden/net-host.h"
#include "warden/net-ns.h"
#include "warden/net-vpc.h"

static int
act(struct nets *n, int type, struct msg_reader *m, struct arena *a,
    struct buf *extra)
{
	struct net_vpc v;
	struct span why;
	switch (type) {
	case WARDEN_NET_VPC_SYNC:
		if (!net_get_vpc(m, a, &v, &why))
			return err_origin(22, "%.*s", SPAN_ARG(why));
		return nets_sync(n, &v);
	case WARDEN_NET_VPC_REMOVE:
		return nets_remove(n, msg_span(m));
	case WARDEN_NET_LIST: {
		size_t k;
		struct span *ids = nets_list(n, a, &k);
		msg_put_spans(extra, ids, k);
		return 0;
	}
	case WARDEN_NET_CLEAN:
		return nets_clean(n);
	}
	return err_origin(38, "type %d", type);
}

static void
answer(struct nets *n, int type, uint64_t serial, struct msg_reader *m)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf extra = BUF_INIT, out = BUF_INIT;
	int64_t start = clock_mono_us();
	int e = act(n, type, m, a, &extra);
	int64_t took = clock_mono_us() - start;
	size_t at = msg_begin(&out, WARDEN_REPLY, serial);
	msg_put_u32(&out, (uint32_t)-e);
	msg_put_span(&out, e ? span_of(err_last()) : SPAN_NULL);
	msg_put_u32(&out, (uint32_t)took);
	buf_add_span(&out, buf_span(&extra));
	msg_end(&out, at);
	if (write(1, out.p, out.n) != (ssize_t)out.n)
		_exit(1);
}

static int
serve(struct nets *n)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT;
	for (;;) {
		buf_reserve(&in, 65536);
		ssize_t got = read(0, in.p + in.n, 65536);
		if (got <= 0)
			return 0;
		in.n += (size_t)got;
		struct span rest = buf_span(&in);
		uint16_t type;
		uint64_t serial;
		struct msg_reader m;
		while (msg_next(&rest, &type, &serial, &m) > 0)
			answer(n, type, serial, &m);
		buf_drop(&in, in.n - rest.n);
	}
}

int
main(int argc, char **argv)
{
	struct net_cidr pool;
	struct nets *n = NULL;
	int claim;
	if (argc < 2)
		return 2;
	log_init("net-driver", LOG_LEVEL_DEBUG);
	if (ns_init())
		return 1;
	if (argc > 2) {
		int e = nets_new(argv[1], (struct net_cidr){0, 0}, &n);
		if (e == 0)
			e = nets_clean(n);
		nets_free(n);
		int e2 = net_host_down(argv[1]);
		return e || e2;
	}
	if (net_host_pool(argv[1], &pool, &claim) ||
	    net_host_up(argv[1], pool) || nets_new(argv[1], pool, &n))
		return 1;
	printf("%u %u\n", pool.addr, pool.len);
	fflush(stdout);
	int e = serve(n);
	nets_free(n);
	return e;
}
