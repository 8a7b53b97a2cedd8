/* The configuration of a load balancer's proxy: process, frontends, groups. */
#include "base/id.h"
#include "drv/lb/quote.h"
#include "drv/lb/render.h"

static struct span
attr(const struct doc *attributes, const char *key, const char *otherwise)
{
	const struct doc *v = doc_get(attributes, key);

	return v ? doc_span(v) : span_of(otherwise);
}

static bool
attr_true(const struct doc *attributes, const char *key)
{
	return span_is(attr(attributes, key, "false"), "true");
}

bool
lb_group_sticky(const struct lb_group *g)
{
	return attr_true(doc_get(g->spec, "Attributes"), "stickiness.enabled");
}

struct span
lb_server_params(struct arena *a, const struct lb_group *g, struct span port)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span check_port = doc_get_str(g->spec, "HealthCheckPort");
	struct span slow = attr(doc_get(g->spec, "Attributes"),
	    "slow_start.duration_seconds", "0");
	bool ssl = span_is(doc_get_str(g->spec, "Protocol"), "HTTPS");
	bool check_ssl = span_is(doc_get_str(g->spec, "HealthCheckProtocol"),
	    "HTTPS");

	buf_addf(&b, "check inter %ds rise %d fall %d",
	    (int)doc_get_int(g->spec, "HealthCheckIntervalSeconds", 30),
	    (int)doc_get_int(g->spec, "HealthyThresholdCount", 5),
	    (int)doc_get_int(g->spec, "UnhealthyThresholdCount", 2));
	if (!check_port.n || span_is(check_port, "traffic-port"))
		check_port = ssl && !check_ssl ? port : SPAN_NULL;
	if (check_port.n)
		buf_addf(&b, " port %.*s", SPAN_ARG(check_port));
	if (!span_is(slow, "0"))
		buf_addf(&b, " slowstart %.*ss", SPAN_ARG(slow));
	/* Certificates of targets are not verified, as AWS says.  A check of
	 * a port of its own does not inherit TLS. */
	if (ssl)
		buf_add_str(&b, " ssl verify none");
	if (check_ssl)
		buf_add_str(&b, ssl ? " check-ssl" : " check-ssl verify none");
	return arena_span(a, buf_span(&b));
}

/* One thread: a host has more load balancers than cores.  Buffers hold the
 * largest header AWS lets through (64 KiB); few events in a turn keep few of
 * them in use, so that they come from the thread's cache and not from malloc.
 * HAProxy pays for every connection it may have when it starts, and takes as
 * many as it has descriptors for unless told. */
void
lb_render_process(struct buf *b)
{
	buf_add_str(b, "\tnbthread 1\n"
	    "\tmaxconn 8192\n"
	    "\tno strict-limits\n"
	    "\ttune.bufsize 69632\n"
	    "\ttune.http.maxhdr 256\n"
	    "\ttune.maxpollevents 10\n");
}

static void
global(const struct lb_conf *c, const char *dir, struct span digest,
    struct buf *b)
{
	buf_addf(b, "# Made by neargated for %.*s; changes are lost.\n"
	    "global\n"
	    "\tsetenv NEARGATE_STRUCTURE %.*s\n"
	    "\tstats socket %s/admin.sock mode 600 level admin "
	    "expose-fd listeners\n"
	    "\tserver-state-file %s/servers.state\n"
	    "\thard-stop-after 1h\n"
	    "\tspread-checks 5\n"
	    /* 0.3 MB and not 4.6: sessions are taken up by tickets. */
	    "\ttune.ssl.cachesize 1000\n",
	    SPAN_ARG(c->id), SPAN_ARG(digest), dir, dir);
	lb_render_process(b);
}

static void
defaults(const struct lb_conf *c, struct buf *b)
{
	struct span idle = attr(c->attributes, "idle_timeout.timeout_seconds",
	    "60");

	/* AWS gives a connection ten seconds: three attempts share them. */
	buf_addf(b, "defaults\n"
	    "\tmode http\n"
	    "\ttimeout connect 3330ms\n"
	    "\ttimeout client %.*ss\n"
	    "\ttimeout server %.*ss\n"
	    "\ttimeout tunnel %.*ss\n"
	    "\ttimeout http-request 60s\n"
	    "\ttimeout http-keep-alive %.*ss\n"
	    "\tretries 2\n"
	    "\toption redispatch 1\n"
	    "\thttp-reuse safe\n"
	    "\toption idle-close-on-response\n"
	    "\toption disable-h2-upgrade\n"
	    "\tload-server-state-from-file global\n",
	    SPAN_ARG(idle), SPAN_ARG(idle), SPAN_ARG(idle), SPAN_ARG(idle));
	lb_render_errors(b);
}

/* X-Forwarded-For by routing.http.xff_header_processing.mode.  What was there
 * in one line or two goes before the client's address, in one line; a fetch
 * that finds nothing is nothing.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html */
static void
forwarded_for(const struct lb_conf *c, struct buf *b)
{
	struct span mode = attr(c->attributes,
	    "routing.http.xff_header_processing.mode", "append");

	if (span_is(mode, "remove"))
		buf_add_str(b, "\thttp-request del-header X-Forwarded-For\n");
	else if (span_is(mode, "append"))
		buf_add_str(b,
		    "\tacl forwarded req.fhdr(X-Forwarded-For) -m found\n"
		    "\thttp-request set-header X-Forwarded-For \""
		    "%[req.fhdr(X-Forwarded-For,-2),concat(\\\", \\\")]"
		    "%[req.fhdr(X-Forwarded-For,-1),concat(\\\", \\\")]"
		    "%[var(sess.from)]\" if forwarded\n"
		    "\thttp-request add-header X-Forwarded-For "
		    "%[var(sess.from)] unless forwarded\n");
}

/* Fourteen digits of an identifier are the connection's.  The request's ten
 * are decimal, as numbers are cheaper than text: 2^32 of them.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html */
#define TRAIL	 "%[rand(),hex,bytes(8,8),lower]%[rand(),hex,bytes(10,6),lower]"
#define TRACE_ID "1-%[date(),hex,bytes(8,8),lower]-%[var(sess.trail)]"      \
		 "%[rand(),add(1000000000)]"

static void
trace_id(struct buf *b)
{
	buf_add_str(b, "\tacl traced req.fhdr(X-Amzn-Trace-Id) -m found\n"
	    "\thttp-request set-header X-Amzn-Trace-Id \"Self=" TRACE_ID ";"
	    "%[req.fhdr(X-Amzn-Trace-Id),"
	    "regsub(\\\"(^|;) *Self=[^;]*\\\",),regsub(^;,)]\" if traced\n"
	    "\thttp-request add-header X-Amzn-Trace-Id "
	    "Root=" TRACE_ID " unless traced\n");
}

/* What is the same for all requests of a connection is made once. */
static void
connection(const struct lb_conf *c, struct buf *b)
{
	if (c->edge.n)
		buf_addf(b, "\ttcp-request connection expect-proxy layer4 "
		    "if { src %.*s }\n", SPAN_ARG(c->edge));
	buf_addf(b, "\ttcp-request session set-var-fmt(sess.from) %s\n",
	    attr_true(c->attributes, "routing.http.xff_client_port.enabled")
		? "%[src]:%[src_port]" : "%[src]");
	buf_add_str(b, "\ttcp-request session set-var-fmt(sess.trail) " TRAIL
	    "\n");
}

/* What the client agreed on, for targets that ask; nobody else says it.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html */
static const struct {
	const char *header;
	const char *key; /* of the listener attribute that names it anew */
	const char *sample;
} tls_headers[] = {
	{"X-Amzn-Tls-Version", "x_amzn_tls_version", "ssl_fc_protocol"},
	{"X-Amzn-Tls-Cipher-Suite", "x_amzn_tls_cipher_suite",
	    "ssl_fc_cipher"},
};

static void
tls_lines(struct arena *a, const struct lb_conf *c,
    const struct lb_listener *l, struct buf *b)
{
	if (!l->tls || !attr_true(c->attributes,
	    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(tls_headers); i++) {
		buf_add_str(b, "\thttp-request set-header ");
		cfg_quote(b, attr(l->attributes, arena_fmt(a,
		    "routing.http.request.%s.header_name",
		    tls_headers[i].key), tls_headers[i].header));
		buf_addf(b, " %%[%s]\n", tls_headers[i].sample);
	}
}

static void
request_headers(struct arena *a, const struct lb_conf *c,
    const struct lb_listener *l, struct buf *b)
{
	connection(c, b);
	buf_add_str(b, "\thttp-request set-var(txn.t0) date(0,ms)\n");
	lb_render_kept(a, b, l);
	if (attr_true(c->attributes,
	    "routing.http.drop_invalid_header_fields.enabled"))
		buf_add_str(b, "\thttp-request del-header "
		    "[^-A-Za-z0-9] -m reg\n");
	forwarded_for(c, b);
	buf_addf(b, "\thttp-request set-header X-Forwarded-Proto %s\n"
	    "\thttp-request set-header X-Forwarded-Port %u\n",
	    l->tls ? "https" : "http", l->port);
	tls_lines(a, c, l, b);
	trace_id(b);
}

/* Listener attributes that set a header of every response. */
static const struct {
	const char *key;
	const char *header;
} response_headers[] = {
	{"strict_transport_security", "Strict-Transport-Security"},
	{"access_control_allow_origin", "Access-Control-Allow-Origin"},
	{"access_control_allow_methods", "Access-Control-Allow-Methods"},
	{"access_control_allow_headers", "Access-Control-Allow-Headers"},
	{"access_control_allow_credentials",
	    "Access-Control-Allow-Credentials"},
	{"access_control_expose_headers", "Access-Control-Expose-Headers"},
	{"access_control_max_age", "Access-Control-Max-Age"},
	{"content_security_policy", "Content-Security-Policy"},
	{"x_content_type_options", "X-Content-Type-Options"},
	{"x_frame_options", "X-Frame-Options"},
};

static void
response_lines(struct arena *a, const struct lb_listener *l, struct buf *b)
{
	struct span v;

	for (size_t i = 0; i < ARRAY_SIZE(response_headers); i++) {
		v = attr(l->attributes, arena_fmt(a,
		    "routing.http.response.%s.header_value",
		    response_headers[i].key), "");
		if (!v.n)
			continue;
		buf_addf(b, "\thttp-after-response set-header %s ",
		    response_headers[i].header);
		cfg_quote_format(b, v);
		buf_add_char(b, '\n');
	}
	if (span_is(attr(l->attributes, "routing.http.response.server.enabled",
	    "true"), "false"))
		buf_add_str(b, "\thttp-after-response del-header Server\n");
}

static struct span
group_name(const struct lb_conf *c, struct span arn)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (span_eq(c->groups[i].arn, arn))
			return c->groups[i].name;
	return SPAN("none");
}

static const struct doc *
action_groups(const struct doc *action)
{
	return doc_path(action, "ForwardConfig", "TargetGroups", NULL);
}

static struct span
rule_name(struct arena *a, const struct lb_listener *l, size_t i)
{
	return i < l->n_rules ? arena_fmt_span(a, "r%u-%zu", l->port, i)
	    : arena_fmt_span(a, "r%u-default", l->port);
}

static const struct doc *
rule_actions(const struct lb_listener *l, size_t i)
{
	return i < l->n_rules ? l->rules[i].actions : l->actions;
}

/* Leads what meets the conditions to the groups of an action: each but the
 * last with a weight in turn takes its share of what the ones before it left.
 * Returns where the rest goes. */
static struct span
weighted(const struct lb_conf *c, const struct doc *groups,
    struct span conditions, struct buf *b)
{
	struct span name = SPAN("none");
	int64_t left = 0, w;

	doc_each(g, groups)
		left += doc_get_int(g, "Weight", 1);
	doc_each(g, groups) {
		w = doc_get_int(g, "Weight", 1);
		if (w == 0)
			continue;
		name = group_name(c, doc_get_str(g, "TargetGroupArn"));
		if (w == left)
			break;
		buf_addf(b, "\tuse_backend %.*s if%.*s { rand(%d) lt %d }\n",
		    SPAN_ARG(name), SPAN_ARG(conditions), (int)left, (int)w);
		left -= w;
	}
	return name;
}

/* A rule, or the default action as the one after the last. */
static void
route(struct arena *a, const struct lb_conf *c, const struct lb_listener *l,
    size_t i, struct buf *b)
{
	_cleanup_(buf_done) struct buf conditions = BUF_INIT;
	const struct doc *action = doc_at(rule_actions(l, i), 0);
	struct span to;

	if (i < l->n_rules)
		lb_render_conditions(a, &conditions, l->rules[i].conditions);
	to = span_is(doc_get_str(action, "Type"), "forward")
	    ? weighted(c, action_groups(action), buf_span(&conditions), b)
	    : rule_name(a, l, i);
	if (i < l->n_rules)
		buf_addf(b, "\tuse_backend %.*s if%.*s\n", SPAN_ARG(to),
		    SPAN_ARG(buf_span(&conditions)));
	else
		buf_addf(b, "\tdefault_backend %.*s\n", SPAN_ARG(to));
}

/* TLS on a bind.  Which certificates the list names is told, too: another one
 * is another structure. */
static void
secure(const struct lb_listener *l, const char *dir, struct buf *b)
{
	const struct lb_tls *t = l->tls;

	buf_addf(b, " ssl crt-list %s/f%u.crt alpn %shttp/1.1 "
	    "ssl-min-ver TLSv1.%d ssl-max-ver TLSv1.%d", dir, l->port,
	    t->h2 ? "h2," : "", MAX(t->min, 2), t->max);
	if (t->ciphers.n)
		buf_addf(b, " ciphers %.*s", SPAN_ARG(t->ciphers));
	if (t->suites.n)
		buf_addf(b, " ciphersuites %.*s", SPAN_ARG(t->suites));
	for (size_t i = 0; i < t->n_certs; i++)
		buf_addf(b, "\n\t# %.*s", SPAN_ARG(t->certs[i].name));
}

struct span
lb_render_certs(struct arena *a, const struct lb_listener *l, const char *dir)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->tls->n_certs; i++)
		buf_addf(&b, "%s/%.*s\n", dir, SPAN_ARG(l->tls->certs[i].name));
	return arena_span(a, buf_span(&b));
}

static void
frontend(struct arena *a, const struct lb_conf *c, const struct lb_listener *l,
    const char *dir, struct buf *b)
{
	buf_addf(b, "frontend f%u\n\tbind %.*s:%u", l->port,
	    SPAN_ARG(c->addr), l->port);
	if (l->tls)
		secure(l, dir, b);
	buf_add_char(b, '\n');
	request_headers(a, c, l, b);
	response_lines(a, l, b);
	for (size_t i = 0; i <= l->n_rules; i++)
		route(a, c, l, i, b);
}

/* The backends of actions that answer by themselves. */
static void
answers(struct arena *a, const struct lb_listener *l, struct buf *b)
{
	const struct doc *action;

	for (size_t i = 0; i <= l->n_rules; i++) {
		action = doc_at(rule_actions(l, i), 0);
		if (span_is(doc_get_str(action, "Type"), "forward"))
			continue;
		buf_addf(b, "backend %.*s\n", SPAN_ARG(rule_name(a, l, i)));
		if (span_is(doc_get_str(action, "Type"), "redirect"))
			lb_render_redirect(b, doc_get(action, "RedirectConfig"),
			    l);
		else
			lb_render_fixed(b,
			    doc_get(action, "FixedResponseConfig"));
	}
}

static void
health_check(const struct lb_group *g, struct buf *b)
{
	buf_addf(b, "\ttimeout check %ds\n\toption httpchk\n"
	    "\thttp-check send meth GET uri ",
	    (int)doc_get_int(g->spec, "HealthCheckTimeoutSeconds", 5));
	cfg_quote(b, doc_get_str(g->spec, "HealthCheckPath"));
	buf_addf(b, " ver HTTP/1.1 hdr Host %%[dst]:%%[dst_port] "
	    "hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close\n"
	    "\thttp-check expect status %.*s\n",
	    SPAN_ARG(doc_get_str(doc_get(g->spec, "Matcher"), "HttpCode")));
}

/* The cookie holds the name of the target's server.  Servers that come by the
 * runtime API cannot have a cookie of HAProxy's own. */
static void
sticky(const struct lb_group *g, const char *dir, struct buf *b)
{
	struct span age = attr(doc_get(g->spec, "Attributes"),
	    "stickiness.lb_cookie.duration_seconds", "86400");

	if (!lb_group_sticky(g))
		return;
	buf_addf(b, "\tacl stuck req.cook(AWSALB) -m found\n"
	    "\tacl leaving req.cook(AWSALB) -f %s/draining.lst\n"
	    "\tuse-server %%[req.cook(AWSALB)] if stuck !leaving\n", dir);
	buf_addf(b, "\thttp-response add-header Set-Cookie \"AWSALB="
	    "%%[srv_name,bytes(0,16)]; "
	    "Expires=%%[date(%.*s),http_date]; Path=/\"\n", SPAN_ARG(age));
	buf_addf(b, "\thttp-response add-header Set-Cookie \"AWSALBCORS="
	    "%%[srv_name,bytes(0,16)]; Expires=%%[date(%.*s),http_date]; "
	    "Path=/; SameSite=None; Secure\"\n", SPAN_ARG(age));
}

/* A group without servers says 503.  HAProxy's own 503 is a connection that
 * failed: AWS says 502 then, or 504 when it took the whole connection timeout
 * (10 s, of which rounding may take some).  A target's own 503 has a response
 * time.  A process that is being replaced counts no servers and still has to
 * answer what comes on its last connections. */
static void
refusals(struct buf *b)
{
	buf_add_str(b, "\tacl deserted nbsrv eq 0\n"
	    "\tacl replaced stopping\n"
	    "\thttp-request return status 503 content-type text/html string ");
	lb_render_page(b, 503);
	buf_add_str(b, " hdr Server awselb/2.0 hdr Date "
	    "\"%[date(),http_date]\" if deserted !replaced\n"
	    "\thttp-after-response allow unless { status 503 }\n"
	    "\thttp-after-response set-var-fmt(txn.response) %Tr\n"
	    "\thttp-after-response allow unless "
	    "{ var(txn.response) -m str -- -1 }\n"
	    "\thttp-after-response allow if deserted !replaced\n"
	    "\tacl slow date(0,ms),sub(txn.t0) ge 9500\n"
	    "\thttp-after-response set-status 504 reason "
	    "\"Gateway Time-out\" if slow\n"
	    "\thttp-after-response set-status 502 reason \"Bad Gateway\" "
	    "unless slow\n");
}

static void
backend(const struct lb_group *g, const char *dir, struct buf *b)
{
	bool least = span_is(attr(doc_get(g->spec, "Attributes"),
	    "load_balancing.algorithm.type", "round_robin"),
	    "least_outstanding_requests");

	buf_addf(b, "backend %.*s\n\tbalance %s\n\toption allbackups\n",
	    SPAN_ARG(g->name), least ? "leastconn" : "roundrobin");
	health_check(g, b);
	refusals(b);
	sticky(g, dir, b);
}

static void
servers(struct arena *a, const struct lb_group *g, const struct lb_server *v,
    size_t n, struct buf *b)
{
	for (size_t i = 0; i < n; i++) {
		if (!span_eq(v[i].group, g->name))
			continue;
		buf_addf(b, "\tserver %.*s%s %.*s", SPAN_ARG(v[i].name),
		    v[i].open ? "o" : "", SPAN_ARG(v[i].addr));
		if (v[i].open)
			buf_addf(b, " backup%s\n", span_is(doc_get_str(g->spec,
			    "Protocol"), "HTTPS") ? " ssl verify none" : "");
		else
			buf_addf(b, " %.*s weight 100\n",
			    SPAN_ARG(lb_server_params(a, g, span_from(
			    v[i].addr, (size_t)(span_rchr(v[i].addr, ':') +
			    1)))));
	}
}

static void
render(struct arena *a, const struct lb_conf *c, const char *dir,
    struct span digest, const struct lb_server *v, size_t n, struct buf *b)
{
	global(c, dir, digest, b);
	defaults(c, b);
	for (size_t i = 0; i < c->n_listeners; i++)
		if (!c->listeners[i].tls || c->listeners[i].tls->n_certs)
			frontend(a, c, &c->listeners[i], dir, b);
	for (size_t i = 0; i < c->n_listeners; i++)
		answers(a, &c->listeners[i], b);
	for (size_t i = 0; i < c->n_groups; i++) {
		backend(&c->groups[i], dir, b);
		servers(a, &c->groups[i], v, n, b);
	}
	buf_add_str(b, "backend none\n\thttp-request return status 503 "
	    "content-type text/html string ");
	lb_render_page(b, 503);
	buf_add_str(b, " hdr Server awselb/2.0 hdr Date "
	    "\"%[date(),http_date]\"\n");
}

void
lb_render(struct arena *a, const struct lb_conf *c, const char *dir,
    const struct lb_server *v, size_t n, struct buf *ret_text,
    struct span *ret_digest)
{
	_cleanup_(buf_done) struct buf structure = BUF_INIT;
	struct span digest;

	render(a, c, dir, SPAN("-"), NULL, 0, &structure);
	/* Group parameters are in server lines only: count them in. */
	for (size_t i = 0; i < c->n_groups; i++)
		buf_add_span(&structure, lb_server_params(a,
		    &c->groups[i], SPAN("0")));
	digest = span_of(sha256_hex(a, buf_span(&structure)));
	render(a, c, dir, digest, v, n, ret_text);
	*ret_digest = digest;
}
