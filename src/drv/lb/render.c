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
lb_server_params(struct arena *a, const struct lb_group *g)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span port = doc_get_str(g->spec, "HealthCheckPort");
	struct span slow = attr(doc_get(g->spec, "Attributes"),
	    "slow_start.duration_seconds", "0");
	bool ssl = span_is(doc_get_str(g->spec, "Protocol"), "HTTPS");
	bool check_ssl = span_is(doc_get_str(g->spec, "HealthCheckProtocol"),
	    "HTTPS");

	buf_addf(&b, "check inter %ds rise %d fall %d",
	    (int)doc_get_int(g->spec, "HealthCheckIntervalSeconds", 30),
	    (int)doc_get_int(g->spec, "HealthyThresholdCount", 5),
	    (int)doc_get_int(g->spec, "UnhealthyThresholdCount", 2));
	if (port.n && !span_is(port, "traffic-port"))
		buf_addf(&b, " port %.*s", SPAN_ARG(port));
	if (!span_is(slow, "0"))
		buf_addf(&b, " slowstart %.*ss", SPAN_ARG(slow));
	/* Certificates of targets are not verified, as AWS says. */
	if (ssl)
		buf_add_str(&b, " ssl verify none");
	if (check_ssl)
		buf_add_str(&b, ssl ? " check-ssl" : " check-ssl verify none");
	else if (ssl)
		buf_add_str(&b, " no-check-ssl");
	return arena_span(a, buf_span(&b));
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
	    "\tnbthread 1\n"
	    "\ttune.bufsize 65536\n"
	    "\ttune.http.maxhdr 256\n"
	    "\tspread-checks 5\n",
	    SPAN_ARG(c->id), SPAN_ARG(digest), dir, dir);
}

static void
defaults(const struct lb_conf *c, struct buf *b)
{
	struct span idle = attr(c->attributes, "idle_timeout.timeout_seconds",
	    "60");

	buf_addf(b, "defaults\n"
	    "\tmode http\n"
	    "\ttimeout connect 10s\n"
	    "\ttimeout client %.*ss\n"
	    "\ttimeout server %.*ss\n"
	    "\ttimeout tunnel %.*ss\n"
	    "\ttimeout http-request 60s\n"
	    "\ttimeout http-keep-alive %.*ss\n"
	    "\tretries 2\n"
	    "\toption redispatch 1\n"
	    "\thttp-reuse safe\n"
	    "\toption idle-close-on-response\n"
	    "\tload-server-state-from-file global\n",
	    SPAN_ARG(idle), SPAN_ARG(idle), SPAN_ARG(idle), SPAN_ARG(idle));
	lb_render_errors(b);
}

/* X-Forwarded-For by routing.http.xff_header_processing.mode.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html */
static void
forwarded_for(const struct lb_conf *c, struct buf *b)
{
	struct span mode = attr(c->attributes,
	    "routing.http.xff_header_processing.mode", "append");
	const char *client = attr_true(c->attributes,
	    "routing.http.xff_client_port.enabled")
	    ? "%[src]:%[src_port]" : "%[src]";

	if (span_is(mode, "preserve"))
		return;
	if (span_is(mode, "remove")) {
		buf_add_str(b, "\thttp-request del-header X-Forwarded-For\n");
		return;
	}
	buf_addf(b, "\tacl forwarded req.fhdr(X-Forwarded-For) -m found\n"
	    "\thttp-request replace-header X-Forwarded-For ^(.*)$ "
	    "\"\\1, %s\" if forwarded\n"
	    "\thttp-request set-header X-Forwarded-For %s unless forwarded\n",
	    client, client);
}

/* https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html */
static void
trace_id(struct buf *b)
{
	buf_add_str(b,
	    "\thttp-request set-var(txn.trace) "
	    "date(),hex,bytes(8,8),lower\n"
	    "\thttp-request set-var(txn.trail) "
	    "uuid(),regsub(-,,g),bytes(0,24)\n"
	    "\tacl traced req.fhdr(X-Amzn-Trace-Id) -m found\n"
	    "\thttp-request set-header X-Amzn-Trace-Id "
	    "\"Self=1-%[var(txn.trace)]-%[var(txn.trail)];"
	    "%[req.fhdr(X-Amzn-Trace-Id)]\" if traced\n"
	    "\thttp-request set-header X-Amzn-Trace-Id "
	    "Root=1-%[var(txn.trace)]-%[var(txn.trail)] unless traced\n");
}

static void
request_headers(const struct lb_conf *c, const struct lb_listener *l,
    struct buf *b)
{
	if (c->edge.n)
		buf_addf(b, "\ttcp-request connection expect-proxy layer4 "
		    "if { src %.*s }\n", SPAN_ARG(c->edge));
	buf_add_str(b, "\thttp-request set-var(txn.t0) date(0,ms)\n"
	    "\thttp-request set-var(txn.host) "
	    "req.hdr(host),field(1,:),lower\n");
	if (attr_true(c->attributes,
	    "routing.http.drop_invalid_header_fields.enabled"))
		buf_add_str(b, "\thttp-request del-header "
		    "[^-A-Za-z0-9] -m reg\n");
	forwarded_for(c, b);
	buf_addf(b, "\thttp-request set-header X-Forwarded-Proto http\n"
	    "\thttp-request set-header X-Forwarded-Port %u\n", l->port);
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
	buf_add_str(b, "\thttp-response set-var(txn.answered) bool(true)\n");
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

/* Where an action leads: a group's backend, or one made for it. */
static struct span
action_name(struct arena *a, const struct lb_conf *c,
    const struct doc *actions, struct span own)
{
	const struct doc *action = doc_at(actions, 0), *groups;

	(void)a;
	if (!span_is(doc_get_str(action, "Type"), "forward"))
		return own;
	groups = action_groups(action);
	if (doc_len(groups) > 1)
		return own;
	return group_name(c, doc_get_str(doc_at(groups, 0), "TargetGroupArn"));
}

/* Replaces the name of a weighted action by one of its groups: each in turn
 * takes its share of what the ones before it left. */
static void
weighted(const struct lb_conf *c, const struct doc *actions, struct span own,
    struct buf *b)
{
	const struct doc *groups = action_groups(doc_at(actions, 0));
	int64_t left = 0, w;

	if (doc_len(groups) < 2)
		return;
	doc_each(g, groups)
		left += doc_get_int(g, "Weight", 1);
	doc_each(g, groups) {
		w = doc_get_int(g, "Weight", 1);
		if (w == 0)
			continue;
		buf_addf(b, "\thttp-request set-var(txn.to) str(%.*s) "
		    "if { var(txn.to) -m str %.*s }",
		    SPAN_ARG(group_name(c, doc_get_str(g, "TargetGroupArn"))),
		    SPAN_ARG(own));
		if (w < left)
			buf_addf(b, " { rand(%d) lt %d }", (int)left, (int)w);
		buf_add_char(b, '\n');
		left -= w;
	}
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

static void
frontend(struct arena *a, const struct lb_conf *c, const struct lb_listener *l,
    struct buf *b)
{
	struct span own;

	buf_addf(b, "frontend f%u\n\tbind %.*s:%u\n", l->port,
	    SPAN_ARG(c->addr), l->port);
	request_headers(c, l, b);
	response_lines(a, l, b);
	for (size_t i = 0; i < l->n_rules; i++) {
		own = rule_name(a, l, i);
		buf_addf(b, "\thttp-request set-var(txn.to) str(%.*s) "
		    "if !{ var(txn.to) -m found }",
		    SPAN_ARG(action_name(a, c, l->rules[i].actions, own)));
		lb_render_conditions(a, b, l->rules[i].conditions);
		buf_add_char(b, '\n');
	}
	own = rule_name(a, l, l->n_rules);
	buf_addf(b, "\thttp-request set-var(txn.to) str(%.*s) "
	    "if !{ var(txn.to) -m found }\n",
	    SPAN_ARG(action_name(a, c, l->actions, own)));
	for (size_t i = 0; i <= l->n_rules; i++)
		weighted(c, rule_actions(l, i), rule_name(a, l, i), b);
	buf_add_str(b, "\tuse_backend %[var(txn.to)]\n\tdefault_backend none\n");
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
			    l->port);
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

static void
backend(const struct lb_group *g, const char *dir, struct buf *b)
{
	bool least = span_is(attr(doc_get(g->spec, "Attributes"),
	    "load_balancing.algorithm.type", "round_robin"),
	    "least_outstanding_requests");

	buf_addf(b, "backend %.*s\n\tbalance %s\n\toption allbackups\n",
	    SPAN_ARG(g->name), least ? "leastconn" : "roundrobin");
	health_check(g, b);
	/* A process that is being replaced counts no servers and still has to
	 * answer what comes on its last connections. */
	buf_add_str(b, "\tacl deserted nbsrv eq 0\n"
	    "\tacl replaced stopping\n"
	    "\thttp-request set-var(txn.answered) bool(true) if deserted !replaced\n"
	    "\thttp-request return status 503 content-type text/html string ");
	lb_render_page(b, 503);
	buf_add_str(b, " hdr Server awselb/2.0 hdr Date "
	    "\"%[date(),http_date]\" if deserted !replaced\n"
	    "\tacl refused status 503\n"
	    "\tacl answered var(txn.answered) -m found\n"
	    "\tacl slow date(0,ms),sub(txn.t0) ge 10000\n"
	    "\thttp-after-response set-status 504 reason \"Gateway Time-out\" "
	    "if refused !answered slow\n"
	    "\thttp-after-response set-status 502 reason \"Bad Gateway\" "
	    "if refused !answered !slow\n");
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
			    SPAN_ARG(lb_server_params(a, g)));
	}
}

static void
render(struct arena *a, const struct lb_conf *c, const char *dir,
    struct span digest, const struct lb_server *v, size_t n, struct buf *b)
{
	global(c, dir, digest, b);
	defaults(c, b);
	for (size_t i = 0; i < c->n_listeners; i++)
		frontend(a, c, &c->listeners[i], b);
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
		buf_add_span(&structure, lb_server_params(a, &c->groups[i]));
	digest = span_of(sha256_hex(a, buf_span(&structure)));
	render(a, c, dir, digest, v, n, ret_text);
	*ret_digest = digest;
}
