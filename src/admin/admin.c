/* The administrative socket: questions and their answers. */
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/version.h"
#include "http/server.h"

#define ADMIN_MAGIC  0xad313d00u
#define ANSWER_MAGIC 0xad313d01u

struct admin {
	unsigned magic;
	struct admin_config config;
	struct http_handler handler;
	struct http_server *http;
	int64_t started; /* ms */
};

static struct res_list
list(struct admin *ad, struct arena *a, const char *kind, const char *index,
    struct span value)
{
	struct query q = {.kind = store_kind(ad->config.store, span_of(kind)),
	    .any_parent = true, .index = index, .value = value};
	struct res_list l = {0};

	if (!q.kind || store_list(ad->config.store, a, &q, &l))
		return (struct res_list){0};
	return l;
}

static int64_t
count(struct admin *ad, const char *kind, const char *index, struct span value)
{
	struct query q = {.kind = store_kind(ad->config.store, span_of(kind)),
	    .any_parent = true, .index = index, .value = value};
	int64_t n = q.kind ? store_count(ad->config.store, &q) : 0;

	return MAX(n, 0);
}

static struct span
setting(struct admin *ad, struct arena *a, const char *key)
{
	struct span v;

	return store_setting(ad->config.store, a, key, &v) == 0 ? v : SPAN_NULL;
}

/* --- GET /status -------------------------------------------------------- */

static struct doc *
tasks(struct admin *ad, struct arena *a)
{
	static const char *const states[] = {"PROVISIONING", "PENDING",
	    "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING",
	    "DEPROVISIONING"};
	struct doc *d = doc_obj(a);

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		doc_set_int(a, d, states[i], count(ad, "ecs.task",
		    "status.lastStatus", span_of(states[i])));
	return d;
}

/* Deleted services stay listed for a while as INACTIVE; they are no more. */
static int64_t
services(struct admin *ad, struct arena *a)
{
	struct res_list l = list(ad, a, "ecs.service", NULL, SPAN_NULL);
	int64_t n = 0;

	for (size_t i = 0; i < l.n; i++)
		n += !span_is(doc_get_str(l.v[i]->status, "status"),
		    "INACTIVE");
	return n;
}

/* Where the edge serves a port of load balancers, as a URL has it: ":8080", or
 * empty for the scheme's own. */
static struct span
edge_port(struct admin *ad, struct arena *a, int port, bool tls)
{
	int own = tls ? 443 : 80;
	struct span at = port != own ? SPAN_NULL : setting(ad, a,
	    tls ? "edge_https_port" : "edge_http_port");

	if (!at.n)
		at = arena_fmt_span(a, "%d", port);
	return span_eq(at, arena_fmt_span(a, "%d", own)) ? SPAN_NULL :
	    arena_fmt_span(a, ":%.*s", SPAN_ARG(at));
}

/* The URL of each listener, as the edge of the host serves it. */
static struct doc *
urls(struct admin *ad, struct arena *a, const struct res *lb)
{
	struct res_list l = list(ad, a, "elbv2.listener", NULL, SPAN_NULL);
	struct doc *d = doc_arr(a);
	bool tls;
	int port;

	for (size_t i = 0; i < l.n; i++) {
		if (!span_eq(l.v[i]->parent, lb->id))
			continue;
		tls = span_is(doc_get_str(l.v[i]->spec, "Protocol"), "HTTPS");
		port = (int)doc_get_int(l.v[i]->spec, "Port", 80);
		doc_push_str(a, d, arena_fmt_span(a, "%s://%.*s%.*s/",
		    tls ? "https" : "http",
		    SPAN_ARG(doc_get_str(lb->spec, "DNSName")),
		    SPAN_ARG(edge_port(ad, a, port, tls))));
	}
	return d;
}

/* Names of Route 53 that lead to it: of lines "NAME LOAD-BALANCER". */
static struct doc *
names(struct admin *ad, struct arena *a, const struct res *lb)
{
	struct span rest = setting(ad, a, "edge_names"), line, name;
	struct doc *d = doc_arr(a);

	while (rest.p) {
		line = span_cut(&rest, '\n');
		name = span_cut(&line, ' ');
		if (span_ieq(line, doc_get_str(lb->spec, "DNSName")))
			doc_push_str(a, d, name);
	}
	return d;
}

static struct doc *
load_balancers(struct admin *ad, struct arena *a)
{
	struct res_list l = list(ad, a, "elbv2.load-balancer", NULL,
	    SPAN_NULL);
	struct doc *d = doc_arr(a), *one;

	for (size_t i = 0; i < l.n; i++) {
		if (doc_get_bool(l.v[i]->spec, "Deleting", false))
			continue;
		one = doc_obj(a);
		doc_set_str(a, one, "name",
		    doc_get_str(l.v[i]->spec, "LoadBalancerName"));
		doc_set_str(a, one, "region", l.v[i]->scope.region);
		doc_set_str(a, one, "state",
		    doc_get_str(l.v[i]->status, "State"));
		doc_set(a, one, "urls", urls(ad, a, l.v[i]));
		doc_set(a, one, "names", names(ad, a, l.v[i]));
		doc_push(d, one);
	}
	return d;
}

static int
status(struct admin *ad, struct arena *a, struct span query UNUSED,
    struct buf *b)
{
	const struct admin_config *c = &ad->config;
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "version", span_of(neargate_version));
	doc_set_str(a, d, "instance", c->instance);
	doc_set_str(a, d, "endpoint", c->endpoint);
	doc_set_str(a, d, "account", c->account);
	doc_set_str(a, d, "stateDir", span_of(c->state_dir));
	doc_set_bool(a, d, "ephemeral", c->ephemeral);
	doc_set_int(a, d, "pid", getpid());
	doc_set_int(a, d, "uptimeSeconds",
	    MAX((clock_ms() - ad->started) / 1000, 0));
	doc_set(a, d, "tasks", tasks(ad, a));
	doc_set_int(a, d, "services", services(ad, a));
	doc_set(a, d, "loadBalancers", load_balancers(ad, a));
	doc_set_str(a, d, "edge", setting(ad, a, "edge_status"));
	doc_write_json(b, d);
	return 0;
}

/* --- GET /dump ---------------------------------------------------------- */

static void
dump_parts(struct admin *ad, struct arena *a, struct span want, struct buf *b)
{
	for (size_t i = 0; i < ad->config.n_parts; i++) {
		const struct admin_part *p = &ad->config.parts[i];
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		struct span kind = arena_fmt_span(a, "live.%s", p->name);
		struct doc *d = doc_obj(a);

		if (!span_glob(want, kind))
			continue;
		p->dump(p->ctx, &text);
		doc_set_str(a, d, "kind", kind);
		doc_set_str(a, d, "text", arena_span(a,
		    span_trim(buf_span(&text))));
		doc_write_json(b, d);
		buf_add_char(b, '\n');
	}
}

static int
dump(struct admin *ad, struct arena *a, struct span want, struct buf *b)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT;
	struct span rest, line, kind;
	struct doc *d;
	int r = store_dump(ad->config.store, &all);

	if (r < 0)
		return err_trace(r);
	if (!want.n)
		want = SPAN("*");
	rest = buf_span(&all);
	while (rest.n) {
		_cleanup_arena_ struct arena *one = arena_new();

		line = span_cut(&rest, '\n');
		if ((r = doc_parse_json(one, line, &d)))
			return err_fold(r);
		kind = doc_get_str(d, "kind");
		/* The store's own parts tell of themselves, too. */
		if (!kind.n) {
			kind = arena_fmt_span(one, "live.%.*s",
			    SPAN_ARG(doc_get_str(d, "class")));
			doc_set_str(one, d, "kind", kind);
		}
		if (!span_glob(want, kind))
			continue;
		doc_write_json(b, admin_hide(one, kind, d));
		buf_add_char(b, '\n');
	}
	dump_parts(ad, a, want, b);
	return 0;
}

/* --- GET /task ---------------------------------------------------------- */

static const char *const shown[] = {"name", "lastStatus", "RuntimeContainer",
	"LogGroup", "LogStream"};

/* An id or its beginning, an ARN, or the name of the task's service. */
static bool
means(struct span want, const struct res *task)
{
	return span_eq(want, task->arn) ||
	    span_eq(want, doc_get_str(task->spec, "ServiceName")) ||
	    (want.n >= 6 && span_starts(task->id, want));
}

static int
task(struct admin *ad, struct arena *a, struct span want, struct buf *b)
{
	struct res_list l = list(ad, a, "ecs.task", NULL, SPAN_NULL);
	struct doc *d = doc_arr(a), *one;

	for (size_t i = 0; i < l.n; i++) {
		if (!means(want, l.v[i]))
			continue;
		doc_each(c, doc_get(l.v[i]->status, "Containers")) {
			one = doc_obj(a);
			doc_set_str(a, one, "task", l.v[i]->id);
			for (size_t m = 0; m < ARRAY_SIZE(shown); m++)
				doc_set(a, one, shown[m],
				    doc_copy(a, doc_get(c, shown[m])));
			doc_push(d, one);
		}
	}
	doc_write_json(b, d);
	return 0;
}

/* --- the door ----------------------------------------------------------- */

static const struct {
	const char *path;
	const char *type;
	int (*run)(struct admin *ad, struct arena *a, struct span query,
	    struct buf *b);
} routes[] = {
	{"/status", "application/json", status},
	{"/dump", "application/jsonl", dump},
	{"/task", "application/json", task},
};

static void
on_request(void *ctx UNUSED, struct http_request *r UNUSED,
    struct http_plan *plan)
{
	plan->body_max = 0;
}

static void
answer(struct http_request *r, int code, const char *type, struct span body)
{
	struct http_header head = {SPAN("Content-Type"), span_of(type)};
	struct http_response resp = HTTP_RESPONSE(code);

	resp.headers = &head;
	resp.n_headers = 1;
	resp.body = body;
	http_respond(r, &resp);
}

/* An answer that waits for the disk. */
struct answer {
	unsigned magic;
	struct http_request *request; /* NULL: the client is gone */
	int code;
	const char *type;
	struct buf body;
};

static void
on_stored(void *ctx, int err)
{
	struct answer *w;

	CAST_OBJ(w, ctx, ANSWER_MAGIC);
	if (w->request) {
		w->request->user = NULL;
		if (err < 0)
			answer(w->request, 500, "text/plain",
			    SPAN("what was to be stored is not"));
		else
			answer(w->request, w->code, w->type,
			    buf_span(&w->body));
	}
	buf_done(&w->body);
	FREE_OBJ(w);
}

static void
on_abort(void *ctx UNUSED, struct http_request *r)
{
	struct answer *w = r->user;

	if (!w)
		return;
	CHECK_OBJ(w, ANSWER_MAGIC);
	w->request = NULL;
}

static void
run_verb(struct admin *ad, const struct admin_verb *v, struct http_request *r,
    struct span query)
{
	struct store *s = ad->config.store;
	struct answer *w;
	int e = store_savepoint(s);

	ALLOC_OBJ(w, ANSWER_MAGIC);
	w->request = r;
	w->code = 200;
	w->type = v->type;
	if (e == 0) {
		e = v->run(v->ctx, r->arena, query, &w->body);
		if (e)
			store_rollback(s);
		else
			store_release(s);
	}
	if (e)
		w->type = "text/plain";
	if (e < 0) {
		buf_clear(&w->body);
		buf_add_str(&w->body, err_last());
	}
	w->code = e < 0 ? 500 : e ? 409 : 200;
	r->user = w;
	store_on_commit(s, on_stored, w);
}

static void
on_complete(void *ctx, struct http_request *r)
{
	_cleanup_(buf_done) struct buf query = BUF_INIT, out = BUF_INIT;
	struct admin *ad;

	CAST_OBJ(ad, ctx, ADMIN_MAGIC);
	buf_add_unuri(&query, r->query, false);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!span_is(r->path, routes[i].path) ||
		    !span_is(r->method, "GET"))
			continue;
		if (routes[i].run(ad, r->arena, buf_span(&query), &out) < 0)
			answer(r, 500, "text/plain", span_of(err_last()));
		else
			answer(r, 200, routes[i].type, buf_span(&out));
		return;
	}
	for (size_t i = 0; i < ad->config.n_verbs; i++) {
		const struct admin_verb *v = &ad->config.verbs[i];

		if (span_is(r->path, v->path) && span_is(r->method, v->method)) {
			run_verb(ad, v, r, buf_span(&query));
			return;
		}
	}
	answer(r, 404, "text/plain", SPAN("not here\n"));
}

int
admin_new(const struct admin_config *c, struct admin **ret)
{
	struct admin *ad;
	int r;

	ALLOC_OBJ(ad, ADMIN_MAGIC);
	ad->config = *c;
	ad->started = clock_ms();
	ad->handler = (struct http_handler){.on_request = on_request,
	    .on_complete = on_complete, .on_abort = on_abort, .ctx = ad};
	r = http_server_new(c->loop, c->socket, 0, &ad->handler, &ad->http);
	if (r < 0) {
		FREE_OBJ(ad);
		return err_trace(r);
	}
	*ret = ad;
	return 0;
}

void
admin_free(struct admin *ad)
{
	if (!ad)
		return;
	CHECK_OBJ(ad, ADMIN_MAGIC);
	http_server_free(ad->http);
	FREE_OBJ(ad);
}
