/*
 * The driver with a real HAProxy on loopback, started by ourselves.
 *
 * `test-driver serve DIR` is a tool for tests/test_lb_proxy.py: it reads a
 * JSON line for each call of lb_ops, {"op": "sync"|"targets"|
 * "requests"|"stop"|"edge", ...}, and answers with one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/list.h"
#include "base/test.h"
#include "drv/lb/files.h"
#include "drv/lb/lb.h"

/* --- processes of our own -------------------------------------------- */

struct proxies {
	uv_loop_t *loop;
	const char *run_dir;
	struct list all;
};

struct proxy {
	struct list in;
	uv_process_t process;
	char *id;
};

static void
proxy_closed(uv_handle_t *h)
{
	struct proxy *p = h->data;

	list_del(&p->in);
	free(p->id);
	free(p);
}

static void
on_exit_of(uv_process_t *u, int64_t status UNUSED, int signal UNUSED)
{
	uv_close((uv_handle_t *)u, proxy_closed);
}

/* Newest first. */
static struct proxy *
proxy_find(struct proxies *s, struct span id)
{
	list_each(it, &s->all) {
		struct proxy *p = list_entry(it, struct proxy, in);

		if (span_is(id, p->id))
			return p;
	}
	return NULL;
}

static int
spawn(struct proxies *s, struct span id, const char *old)
{
	_cleanup_arena_ struct arena *a = arena_new();
	uv_process_options_t o = {.exit_cb = on_exit_of};
	uv_stdio_container_t io[3] = {{.flags = UV_IGNORE},
		{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
	struct proxy *p = xcalloc(1, sizeof(*p));
	const char *argv[] = {"haproxy", "-q", "-db", "-f", NULL, NULL, NULL,
		NULL, NULL, NULL};
	char *dir;

	AZ(lb_dir(a, s->run_dir, id, false, &dir));
	argv[4] = arena_fmt(a, "%s/haproxy.cfg", dir);
	if (old) {
		argv[5] = "-x";
		argv[6] = arena_fmt(a, "%s/admin.sock", dir);
		argv[7] = "-sf";
		argv[8] = old;
	}
	if (!getenv("LB_VERBOSE"))
		io[2].flags = UV_IGNORE;
	o.file = "/usr/sbin/haproxy";
	o.args = (char **)argv;
	o.stdio = io;
	o.stdio_count = 3;
	p->id = arena_str(a, id);
	p->id = xstrdup(p->id);
	p->process.data = p;
	list_init(&p->in);
	list_add_first(&s->all, &p->in);
	return uv_spawn(s->loop, &p->process, &o);
}

struct later {
	uv_timer_t t;
	lb_cb cb;
	void *ctx;
	int err;
};

static void
later_freed(uv_handle_t *h)
{
	free(h->data);
}

static void
on_later(uv_timer_t *t)
{
	struct later *l = t->data;

	l->cb(l->ctx, l->err, l->err ? SPAN("spawn") : SPAN_NULL);
	uv_close((uv_handle_t *)t, later_freed);
}

static void
answer(struct proxies *s, int err, lb_cb cb, void *ctx)
{
	struct later *l = xcalloc(1, sizeof(*l));

	l->cb = cb;
	l->ctx = ctx;
	l->err = err;
	l->t.data = l;
	uv_timer_init(s->loop, &l->t);
	uv_timer_start(&l->t, on_later, 0, 0);
}

static void
p_start(void *ps, struct span id, struct span netns UNUSED, lb_cb cb, void *ctx)
{
	answer(ps, spawn(ps, id, NULL), cb, ctx);
}

static void
p_reload(void *ps, struct span id, struct span netns UNUSED, lb_cb cb,
    void *ctx)
{
	_cleanup_free_ char *old = xasprintf("%d",
	    proxy_find(ps, id)->process.pid);

	answer(ps, spawn(ps, id, old), cb, ctx);
}

static void
p_stop(void *ps, struct span id, lb_cb cb, void *ctx)
{
	struct proxies *s = ps;

	list_each(it, &s->all) {
		struct proxy *p = list_entry(it, struct proxy, in);

		if (span_is(id, p->id))
			uv_process_kill(&p->process, SIGTERM);
	}
	answer(ps, 0, cb, ctx);
}

static const struct lb_process_ops p_ops = {p_start, p_reload, p_stop};

/* --- the tool --------------------------------------------------------- */

/* {"min", "max", "ciphers", "suites", "h2", "certs": [[name, pem, key]]} */
static struct lb_tls *
tls_of(struct arena *a, const struct doc *d)
{
	struct lb_tls *t = arena_new_of(a, struct lb_tls);
	struct lb_cert *v = arena_array(a, struct lb_cert,
	    doc_len(doc_get(d, "certs")));

	*t = (struct lb_tls){(int)doc_get_int(d, "min", 2),
	    (int)doc_get_int(d, "max", 3), doc_get_str(d, "ciphers"),
	    doc_get_str(d, "suites"), v, 0, doc_get_bool(d, "h2", true)};
	doc_each(c, doc_get(d, "certs"))
		v[t->n_certs++] = (struct lb_cert){doc_span(doc_at(c, 0)),
		    doc_span(doc_at(c, 1)), doc_span(doc_at(c, 2))};
	return t;
}

static struct lb_conf
conf_of(struct arena *a, const struct doc *d)
{
	const struct doc *ls = doc_get(d, "listeners");
	const struct doc *gs = doc_get(d, "groups");
	struct lb_listener *l = arena_array(a, struct lb_listener, doc_len(ls));
	struct lb_group *g = arena_array(a, struct lb_group, doc_len(gs));
	struct lb_rule *r;
	struct lb_conf c = {.id = doc_get_str(d, "id"),
	    .addr = SPAN("127.0.0.1"), .edge = doc_get_str(d, "edge"),
	    .attributes = doc_get(d, "attributes"), .listeners = l,
	    .groups = g};

	doc_each(x, ls) {
		const struct doc *rules = doc_get(x, "rules");

		r = arena_array(a, struct lb_rule, doc_len(rules));
		l[c.n_listeners++] = (struct lb_listener){
		    (uint16_t)doc_get_int(x, "port", 0),
		    doc_get(x, "actions"), doc_get(x, "attributes"), r,
		    doc_len(rules), doc_get(x, "tls")
			? tls_of(a, doc_get(x, "tls")) : NULL};
		doc_each(y, rules)
			*r++ = (struct lb_rule){doc_get(y, "conditions"),
			    doc_get(y, "actions")};
	}
	doc_each(x, gs)
		g[c.n_groups++] = (struct lb_group){doc_get_str(x, "arn"),
		    doc_get_str(x, "name"), doc_get(x, "spec")};
	return c;
}

static const struct lb_group *
group_of(const struct lb_conf *c, struct span name)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (span_eq(c->groups[i].name, name))
			return &c->groups[i];
	return NULL;
}

struct done {
	bool yes;
	struct doc *out;
	struct arena *a;
};

static void
on_done(void *ctx, int err, struct span why)
{
	struct done *d = ctx;

	d->yes = true;
	doc_set_int(d->a, d->out, "err", err);
	doc_set(d->a, d->out, "why", doc_strdup(d->a, why));
}

static void
on_servers(void *ctx, int err, struct span why, const struct lb_server *v,
    size_t n)
{
	struct done *d = ctx;
	struct doc *l = doc_arr(d->a), *s;

	on_done(ctx, err, why);
	for (size_t i = 0; i < n; i++) {
		s = doc_obj(d->a);
		doc_set(d->a, s, "group", doc_strdup(d->a, v[i].group));
		doc_set(d->a, s, "name", doc_strdup(d->a, v[i].name));
		doc_set_bool(d->a, s, "open", v[i].open);
		doc_set_bool(d->a, s, "up", v[i].up);
		doc_set_bool(d->a, s, "drain", v[i].drain);
		doc_set_bool(d->a, s, "maint", v[i].maint);
		doc_set_int(d->a, s, "check", v[i].check);
		doc_set_int(d->a, s, "code", v[i].code);
		doc_set_int(d->a, s, "active", v[i].active);
		doc_push(l, s);
	}
	doc_set(d->a, d->out, "servers", l);
}

static void
on_counts(void *ctx, int err, struct span why, const struct lb_count *v,
    size_t n)
{
	struct done *d = ctx;
	struct doc *o = doc_obj(d->a);

	on_done(ctx, err, why);
	for (size_t i = 0; i < n; i++)
		doc_set_int(d->a, o, arena_str(d->a, v[i].group),
		    (int64_t)v[i].requests);
	doc_set(d->a, d->out, "requests", o);
}

static void
wait_for(uv_loop_t *loop, struct done *d)
{
	while (!d->yes)
		uv_run(loop, UV_RUN_ONCE);
}

static struct lb_target *
targets_of(struct arena *a, const struct lb_conf *c, const struct doc *d,
    size_t *ret_n)
{
	struct lb_target *v = arena_array(a, struct lb_target, doc_len(d));
	size_t n = 0;

	doc_each(x, d)
		v[n++] = (struct lb_target){
		    group_of(c, doc_get_str(x, "group")),
		    doc_get_str(x, "name"), doc_get_str(x, "addr"),
		    (uint16_t)doc_get_int(x, "port", 0),
		    doc_get_bool(x, "draining", false),
		    doc_get_bool(x, "judged", false),
		    doc_get_bool(x, "healthy", false)};
	*ret_n = n;
	return v;
}

static struct lb_edge
edge_of(struct arena *a, const struct doc *d)
{
	static struct lb_edge_bind bind;
	static struct span addr;
	struct lb_edge_host *h = arena_array(a, struct lb_edge_host,
	    doc_len(doc_get(d, "hosts")));
	struct lb_edge e = {.addrs = &addr, .n_addrs = 1, .binds = &bind,
	    .n_binds = 1, .hosts = h, .source = doc_get_str(d, "source")};

	addr = SPAN("127.0.0.1");
	bind.port = (uint16_t)doc_get_int(d, "port", 0);
	bind.to = (uint16_t)doc_get_int(d, "to", 0);
	bind.tls = doc_get_bool(d, "tls", false);
	doc_each_key(k, v, doc_get(d, "hosts"))
		h[e.n_hosts++] = (struct lb_edge_host){k, doc_span(v)};
	return e;
}

static void
serve_line(struct lb *l, uv_loop_t *loop, struct span line)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct done done = {false, doc_obj(a), a};
	struct lb_target *v;
	struct lb_conf c;
	struct lb_edge e;
	struct doc *d;
	struct span op;
	size_t n;

	AZ(doc_parse_json(a, line, &d));
	op = doc_get_str(d, "op");
	c = conf_of(a, d);
	if (span_is(op, "sync")) {
		l->ops->sync(l, &c, on_done, &done);
	} else if (span_is(op, "targets")) {
		v = targets_of(a, &c, doc_get(d, "targets"), &n);
		l->ops->targets(l, &c, v, n, on_servers, &done);
	} else if (span_is(op, "edge")) {
		e = edge_of(a, d);
		l->ops->edge(l, &e, on_done, &done);
	} else if (span_is(op, "requests")) {
		l->ops->requests(l, c.id, on_counts, &done);
	} else {
		l->ops->stop(l, c.id, on_done, &done);
	}
	wait_for(loop, &done);
	printf("%.*s\n", SPAN_ARG(doc_json(a, done.out)));
	fflush(stdout);
}

static int
serve(const char *dir)
{
	uv_loop_t loop;
	struct proxies s = {&loop, dir, LIST_INIT(s.all)};
	struct lb *l;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	AZ(uv_loop_init(&loop));
	l = lb_new(&loop, dir, &p_ops, &s);
	while ((n = getline(&line, &cap, stdin)) > 0)
		serve_line(l, &loop, span_make(line, (size_t)n));
	list_each(it, &s.all)
		uv_process_kill(&list_entry(it, struct proxy, in)->process,
		    SIGKILL);
	l->ops->free(l);
	uv_run(&loop, UV_RUN_DEFAULT);
	AZ(uv_loop_close(&loop));
	return 0;
}

/* --- unit tests ------------------------------------------------------- */

/* No proxy and none that can be started: an error, no hang. */
static void
p_fail(void *ps, struct span id UNUSED, struct span netns UNUSED, lb_cb cb,
    void *ctx)
{
	answer(ps, -EACCES, cb, ctx);
}

static void
test_start_fails(void **state UNUSED)
{
	static const struct lb_process_ops fail = {p_fail, p_fail, p_stop};
	_cleanup_arena_ struct arena *a = arena_new();
	char *dir = mkdtemp(arena_str(a, SPAN("/tmp/neargate-lb-XXXXXX")));
	struct done done = {false, doc_obj(a), a};
	struct done stopped = {false, doc_obj(a), a};
	struct lb_conf c = {.id = SPAN("lb-1"), .addr = SPAN("127.0.0.1")};
	uv_loop_t loop;
	struct proxies s = {&loop, dir, LIST_INIT(s.all)};
	struct lb *l;

	AZ(uv_loop_init(&loop));
	l = lb_new(&loop, dir, &fail, &s);
	l->ops->sync(l, &c, on_done, &done);
	assert_false(done.yes);
	wait_for(&loop, &done);
	assert_int_equal(doc_get_int(done.out, "err", 0), -EACCES);
	l->ops->stop(l, c.id, on_done, &stopped);
	wait_for(&loop, &stopped);
	assert_int_equal(access(arena_fmt(a, "%s/lb/lb-1", dir), F_OK), -1);
	l->ops->free(l);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	rmdir(arena_fmt(a, "%s/lb", dir));
	assert_int_equal(rmdir(dir), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start_fails),
	};

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
