/* The host's edge: its configuration and its map. */
#include "base/id.h"
#include "drv/lb/edge.h"
#include "drv/lb/render.h"

/* Labels that a wildcard record may stand for. */
#define WILD_MAX 4

/* Keeps where the name in sample leads: itself, or the closest wildcard that
 * has it, as records have wildcards. */
static void
look_up(struct buf *b, const char *rule, const char *var, const char *sample,
    const char *dir, const char *when)
{
	buf_addf(b, "\t%s set-var(%s) %s,map_str(%s/hosts.map)%s%s\n", rule,
	    var, sample, dir, *when ? " if " : "", when);
	for (int i = 0; i < WILD_MAX; i++) {
		buf_addf(b, "\t%s set-var(%s) %s,regsub(^[^.]*", rule, var,
		    sample);
		for (int j = 0; j < i; j++)
			buf_add_str(b, "[.][^.]*");
		buf_addf(b, ",*),map_str(%s/hosts.map) if %s%s"
		    "!{ var(%s) -m found }\n", dir, when, *when ? " " : "", var);
	}
}

/* A connection waits for its first message, which says the name; what is no
 * TLS, or for a name that nobody has, ends. */
static void
by_sni(const struct lb_edge_bind *at, const char *dir, struct buf *b)
{
	buf_add_str(b, "\tmode tcp\n"
	    "\ttcp-request inspect-delay 10s\n"
	    "\tacl hello req.ssl_hello_type 1\n");
	look_up(b, "tcp-request content", "sess.to", "req.ssl_sni,lower", dir,
	    "hello");
	buf_addf(b, "\ttcp-request content reject unless hello "
	    "{ var(sess.to) -m found }\n"
	    "\ttcp-request content set-dst var(sess.to)\n"
	    "\ttcp-request content set-dst-port int(%u)\n"
	    "\tdefault_backend lbs\n", at->to);
}

static void
by_host(const struct lb_edge_bind *at, const char *dir, struct buf *b)
{
	look_up(b, "http-request", "txn.to", "req.hdr(host),field(1,:),"
	    "rtrim(.),lower", dir, "");
	buf_addf(b, "\thttp-request return status 404 content-type text/plain "
	    "lf-string \"Neargate: no load balancer is called "
	    "%%[req.hdr(host),field(1,:)].\\n\" "
	    "hdr Server neargate unless { var(txn.to) -m found }\n"
	    "\thttp-request set-dst var(txn.to)\n"
	    "\thttp-request set-dst-port int(%u)\n"
	    "\tdefault_backend lb\n", at->to);
}

static void
frontend(const struct lb_edge *c, const struct lb_edge_bind *at,
    const char *dir, struct buf *b)
{
	buf_addf(b, "frontend f%u\n", at->port);
	for (size_t i = 0; i < c->n_addrs; i++)
		buf_addf(b, "\tbind %s%.*s:%u\n",
		    span_chr(c->addrs[i], ':') < 0 ? "ipv4@" : "ipv6@",
		    SPAN_ARG(c->addrs[i]), at->port);
	if (at->tls)
		by_sni(at, dir, b);
	else
		by_host(at, dir, b);
}

static void
backend(const struct lb_edge *c, const char *name, const char *mode,
    struct buf *b)
{
	buf_addf(b, "backend %s\n\tmode %s\n"
	    "\tserver lb 0.0.0.0:0 send-proxy-v2", name, mode);
	if (c->source.n)
		buf_addf(b, " source %.*s", SPAN_ARG(c->source));
	buf_add_char(b, '\n');
}

static void
render(const struct lb_edge *c, const char *dir, struct span digest,
    struct buf *b)
{
	buf_addf(b, "# Made by neargated for the host's edge; changes are "
	    "lost.\n"
	    "global\n"
	    "\tsetenv NEARGATE_STRUCTURE %.*s\n"
	    "\tstats socket %s/admin.sock mode 600 level admin "
	    "expose-fd listeners\n"
	    "\thard-stop-after 1h\n", SPAN_ARG(digest), dir);
	lb_render_process(b);
	buf_add_str(b, "defaults\n"
	    "\tmode http\n"
	    "\ttimeout connect 10s\n"
	    "\ttimeout client 4000s\n"
	    "\ttimeout server 4000s\n"
	    "\ttimeout tunnel 4000s\n"
	    "\ttimeout http-request 60s\n"
	    "\ttimeout http-keep-alive 4000s\n"
	    "\toption idle-close-on-response\n"
	    "\toption disable-h2-upgrade\n"
	    "\thttp-reuse safe\n");
	for (size_t i = 0; i < c->n_binds; i++)
		frontend(c, &c->binds[i], dir, b);
	backend(c, "lb", "http", b);
	backend(c, "lbs", "tcp", b);
}

void
lb_edge_render(struct arena *a, const struct lb_edge *c, const char *dir,
    struct buf *ret_text, struct span *ret_digest)
{
	_cleanup_(buf_done) struct buf structure = BUF_INIT;

	render(c, dir, SPAN("-"), &structure);
	*ret_digest = span_of(sha256_hex(a, buf_span(&structure)));
	render(c, dir, *ret_digest, ret_text);
}

struct span
lb_edge_map(struct arena *a, const struct lb_edge *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < c->n_hosts; i++)
		buf_addf(&b, "%.*s %.*s\n", SPAN_ARG(c->hosts[i].name),
		    SPAN_ARG(c->hosts[i].addr));
	return arena_span(a, buf_span(&b));
}

struct known {
	struct lb_edge_host host;
	bool shown;
};

static int
by_name(const void *x, const void *y)
{
	const struct known *p = x, *q = y;

	return span_cmp(p->host.name, q->host.name);
}

/* `show map` answers "0x… name address" lines. */
struct doc *
lb_edge_plan(struct arena *a, const char *dir, const struct lb_edge *c,
    struct span shown)
{
	struct known *v = arena_array(a, struct known, c->n_hosts + 1), key;
	struct span line, rest = shown;
	struct doc *out = doc_arr(a);
	struct known *h;

	for (size_t i = 0; i < c->n_hosts; i++)
		v[i].host = c->hosts[i];
	qsort(v, c->n_hosts, sizeof(*v), by_name);
	while (rest.p) {
		line = span_trim(span_cut(&rest, '\n'));
		if (!span_starts(line, SPAN("0x")))
			continue;
		span_cut(&line, ' ');
		key.host.name = span_cut(&line, ' ');
		h = bsearch(&key, v, c->n_hosts, sizeof(*v), by_name);
		if (!h)
			doc_push_str(a, out, arena_fmt_span(a,
			    "del map %s/hosts.map %.*s", dir,
			    SPAN_ARG(key.host.name)));
		else if (!span_eq(h->host.addr, line))
			doc_push_str(a, out, arena_fmt_span(a,
			    "set map %s/hosts.map %.*s %.*s", dir,
			    SPAN_ARG(key.host.name), SPAN_ARG(h->host.addr)));
		if (h)
			h->shown = true;
	}
	for (size_t i = 0; i < c->n_hosts; i++)
		if (!v[i].shown)
			doc_push_str(a, out, arena_fmt_span(a,
			    "add map %s/hosts.map %.*s %.*s", dir,
			    SPAN_ARG(v[i].host.name),
			    SPAN_ARG(v[i].host.addr)));
	return out;
}
