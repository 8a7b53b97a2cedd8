/*
 * The host's edge: names of load balancers, and those of Route 53 that lead to
 * them, lead to their public addresses on the host's own loopback.
 *
 * Settings: "edge_http_port" is where port 80 of load balancers is served
 * ("80"; "auto" picks a free one and writes it back), "edge_https_port" the
 * same of 443 (without it 443, or "auto" where the other is not 80); a port
 * that is served for an HTTPS listener is for TLS alone; "edge_ports" is what
 * the running edge holds; "edge_names" are names of Route 53 that it knows, and
 * "edge_status" says what could not be served, both for `neargate status`.
 * Other listener ports are served at their own number.  A port that somebody
 * else has is left to them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/edge-names.h"
#include "ctl/lb.h"
#include "svc/route53/kinds.h"

#define EDGE_MAGIC 0xed6e57a7u
#define EDGE_KEY   1
#define RETRY_MS   10000
#define BINDS_MAX  64

struct edge {
	unsigned magic;
	struct ctl *ctl;
	bool busy, again, ended;
	struct arena *call;
	char *error;
};

struct plan {
	struct lb_edge edge;
	struct span ports;	/* " 80 8080", as kept */
	struct span taken;
	struct span names;	/* as kept */
};

/* --- what the host has ------------------------------------------------- */

static bool
has_ipv6(void)
{
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC,
	    0);
	struct sockaddr_in6 in = {.sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	return fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
}

/* Does anybody serve the port?  Loopback answers at once. */
static bool
port_taken(uint16_t port)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
}

static int
port_free(uint16_t *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) ||
	    getsockname(fd, (struct sockaddr *)&in, &len))
		return err_origin(errno, "no free port for the edge");
	*ret = ntohs(in.sin_port);
	return 0;
}

static struct span
setting(struct store *s, struct arena *a, const char *key)
{
	struct span v;

	return store_setting(s, a, key, &v) == 0 ? v : SPAN_NULL;
}

/* The port that a setting names; without it what otherwise says. */
static int
named_port(struct store *s, struct arena *a, const char *key,
    const char *otherwise, uint16_t *ret)
{
	struct span v = setting(s, a, key);
	uint64_t n;
	int e;

	if (!v.n)
		v = span_of(otherwise);
	if (span_is(v, "auto")) {
		if ((e = port_free(ret)))
			return e;
		return store_set_setting(s, key, arena_fmt_span(a, "%u", *ret));
	}
	if (!span_u64(v, &n) || n == 0 || n > 65535)
		return err_origin(EINVAL, "setting %s is '%.*s'", key,
		    SPAN_ARG(v));
	*ret = (uint16_t)n;
	return 0;
}

/* --- what is wanted ---------------------------------------------------- */

static bool
word_in(struct span words, struct span w)
{
	while (words.p)
		if (span_eq(span_cut(&words, ' '), w))
			return true;
	return false;
}

static int
hosts(struct store *s, struct arena *a, struct plan *p)
{
	struct query lbs = {.kind = &elbv2_load_balancer};
	struct query records = {.kind = &route53_record_set,
	    .any_parent = true};
	struct res_list l, r = {.n = 0};
	int e = store_list(s, a, &lbs, &l);

	if (!e && l.n)
		e = store_list(s, a, &records, &r);
	if (e)
		return err_fold(e);
	edge_names(a, &l, &r, &p->edge, &p->names);
	return 0;
}

static void
bind_add(struct arena *a, struct plan *p, struct lb_edge_bind *v,
    struct span ours, struct lb_edge_bind want)
{
	uint16_t port = want.port;
	struct span word = arena_fmt_span(a, "%u", port);

	if (p->edge.n_binds == BINDS_MAX || word_in(p->ports, word))
		return;
	if (!word_in(ours, word) && port_taken(port)) {
		p->taken = arena_fmt_span(a, "%.*s %u", SPAN_ARG(p->taken),
		    port);
		return;
	}
	v[p->edge.n_binds++] = want;
	p->ports = arena_fmt_span(a, "%.*s %u", SPAN_ARG(p->ports), port);
}

static struct lb_edge_bind
listener_bind(const struct res *l)
{
	uint16_t port = (uint16_t)doc_get_int(l->spec, "Port", 80);

	return (struct lb_edge_bind){port, port,
	    span_is(doc_get_str(l->spec, "Protocol"), "HTTPS")};
}

static int
binds(struct store *s, struct arena *a, struct plan *p)
{
	struct query q = {.kind = &elbv2_listener, .any_parent = true};
	struct lb_edge_bind *v = arena_array(a, struct lb_edge_bind, BINDS_MAX);
	struct span ours = setting(s, a, "edge_ports");
	struct res_list l;
	uint16_t http = 80, https = 0;
	int e = named_port(s, a, "edge_http_port", "80", &http);

	if (!e)
		e = store_list(s, a, &q, &l);
	if (e)
		return err_fold(e);
	bind_add(a, p, v, ours, (struct lb_edge_bind){http, 80, false});
	/* TLS first: such a port is for TLS alone. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < l.n; i++) {
			struct lb_edge_bind b = listener_bind(l.v[i]);

			if (b.tls != (pass == 0) || b.to == 80)
				continue;
			if (b.to == 443 && b.tls) {
				if (!https && (e = named_port(s, a,
				    "edge_https_port", http == 80 ? "443" :
				    "auto", &https)))
					return err_trace(e);
				b.port = https;
			}
			bind_add(a, p, v, ours, b);
		}
	p->edge.binds = v;
	return 0;
}

static int
plan_make(struct store *s, struct arena *a, struct plan *ret)
{
	struct span *addrs = arena_array(a, struct span, 2);
	struct plan p = {.edge = {.addrs = addrs, .n_addrs = 1,
	    .source = SPAN(EDGE_SOURCE)}};
	int e;

	addrs[0] = SPAN("127.0.0.1");
	if (has_ipv6())
		addrs[p.edge.n_addrs++] = SPAN("::1");
	if ((e = hosts(s, a, &p)) || (e = binds(s, a, &p)))
		return e;
	*ret = p;
	return 0;
}

/* --- runs --------------------------------------------------------------- */

static int
setting_keep(struct store *s, struct arena *a, const char *key, struct span v)
{
	if (span_eq(setting(s, a, key), v))
		return 0;
	return store_set_setting(s, key, v);
}

static void
edge_free(struct edge *st)
{
	arena_free(st->call);
	free(st->error);
	FREE_OBJ(st);
}

static void
on_edge(void *ctx, int err, struct span why)
{
	struct edge *st;

	CAST_OBJ(st, ctx, EDGE_MAGIC);
	if (st->ended) {
		edge_free(st);
		return;
	}
	st->busy = false;
	arena_free(st->call);
	st->call = NULL;
	free(st->error);
	st->error = err ? xasprintf("%.*s", SPAN_ARG(why)) : NULL;
	if (err)
		log_warn("edge: %s, trying again", st->error);
	if (st->again || err)
		ctl_wake(st->ctl, &ctl_edge, EDGE_KEY);
	st->again = false;
}

static int
status_keep(struct store *s, struct arena *a, const struct plan *p)
{
	struct span text = p->taken.n ? arena_fmt_span(a, "port%.*s of "
	    "127.0.0.1 is taken by another program", SPAN_ARG(p->taken))
	    : SPAN("ok");

	if (p->taken.n && !span_eq(setting(s, a, "edge_status"), text))
		log_warn("edge: %.*s, going on without", SPAN_ARG(text));
	return setting_keep(s, a, "edge_status", text);
}

static int
run(void *state, struct ctl *ctl, struct arena *a, int64_t key UNUSED,
    int64_t *again_ms)
{
	struct edge *st;
	struct store *s = ctl_env(ctl)->store;
	struct lb *drv = ctl_env(ctl)->lb;
	struct plan *p;
	int e;

	CAST_OBJ(st, state, EDGE_MAGIC);
	if (st->busy)
		st->again = true;
	if (!drv || st->busy)
		return 0;
	if (st->error) {
		/* What we thought ours may not be: look again, later. */
		e = setting_keep(s, a, "edge_status", span_of(st->error));
		if (!e)
			e = setting_keep(s, a, "edge_ports", SPAN(""));
		free(TAKE_PTR(st->error));
		*again_ms = RETRY_MS;
		return e;
	}
	st->call = arena_new();
	p = arena_new_of(st->call, struct plan);
	e = plan_make(s, st->call, p);
	if (!e)
		e = status_keep(s, a, p);
	if (!e)
		e = setting_keep(s, a, "edge_ports", arena_span(a, p->ports));
	if (!e)
		e = setting_keep(s, a, "edge_names", arena_span(a, p->names));
	if (e || p->edge.n_binds == 0) {
		arena_free(st->call);
		st->call = NULL;
		*again_ms = RETRY_MS;
		return e;
	}
	if (p->taken.n)
		*again_ms = RETRY_MS;
	st->busy = true;
	drv->ops->edge(drv, &p->edge, on_edge, st);
	return 0;
}

static int64_t
key(void *state UNUSED, struct ctl *ctl UNUSED, const struct change *c UNUSED)
{
	return EDGE_KEY;
}

/* An edge that runs already may hold what is wanted no more. */
static void *
init(struct ctl *ctl)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct edge *st;

	ALLOC_OBJ(st, EDGE_MAGIC);
	st->ctl = ctl;
	if (setting(ctl_env(ctl)->store, a, "edge_ports").n)
		ctl_wake(ctl, &ctl_edge, EDGE_KEY);
	return st;
}

/* A call that is under way ends the state when it is answered. */
static void
done(void *state)
{
	struct edge *st;

	CAST_OBJ(st, state, EDGE_MAGIC);
	if (st->busy)
		st->ended = true;
	else
		edge_free(st);
}

static const struct kind *const kinds[] = {&elbv2_load_balancer,
	&elbv2_listener, &route53_record_set, NULL};

const struct controller ctl_edge = {
	.name = "edge",
	.kinds = kinds,
	.key = key,
	.init = init,
	.done = done,
	.run = run,
};
