/*
 * The load balancer controller: interfaces, proxy, targets, in this order.
 *
 * One driver call is under way for a load balancer at a time; its callback
 * keeps what it said and wakes the key again.  A run that finds something new
 * from the proxy writes it to the targets' status, and asks again a second
 * later, or at once when the targets changed meanwhile.
 */
#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"
#include "ctl/lb.h"
#include "drv/lb/render.h"
#include "svc/acm/kinds.h"
#include "svc/ec2/kinds.h"

#define STATE_MAGIC 0x1bc7115au
#define WORK_MAGIC  0x1bc7110bu
#define POLL_MS	    1000
#define RETRY_MS    5000
/* Structure that changes again soon waits, so that many changes are few
 * reloads: each leaves a process that ends with its last connection. */
#define RELOAD_MS   300
/* A proxy that ended within this time of its start is started anew after a
 * while that doubles, to half a minute at most. */
#define YOUNG_MS    10000
#define DEATHS_MAX  7

struct state {
	unsigned magic;
	struct ctl *ctl;
	struct work *works;
};

/* What is known of one load balancer besides the store; all of it can be
 * found out again. */
struct work {
	unsigned magic;
	UT_hash_handle hh;
	int64_t row;
	struct state *state;
	char *id;		/* of its proxy */
	bool busy;
	bool orphan;		/* the row is gone: ends with the call */
	bool stopped;
	bool died;		/* since the last sync: why calls fail */
	struct arena *call;	/* what the call under way was given */
	char *digest;		/* structure the proxy runs with, or NULL */
	char *calling;		/* structure of the call under way */
	char *asked;		/* targets the last answer is about */
	char *error;		/* why the last call failed, or NULL */
	int64_t synced_us;	/* when the proxy got its structure */
	unsigned deaths;	/* in a row, each while young */
	struct arena *seen;	/* the last answer */
	struct lb_server *servers;
	size_t n_servers;
	bool fresh;		/* the answer has not been used yet */
	int64_t seen_us;
};

static void
replace(char **p, char *v)
{
	free(*p);
	*p = v;
}

static struct work *
work_get(struct state *st, int64_t row, struct span id)
{
	struct work *w;

	HASH_FIND(hh, st->works, &row, sizeof(row), w);
	if (w)
		return w;
	ALLOC_OBJ(w, WORK_MAGIC);
	w->row = row;
	w->state = st;
	w->id = xstrndup(id.p, id.n);
	HASH_ADD(hh, st->works, row, sizeof(w->row), w);
	return w;
}

static void
work_free(struct work *w)
{
	if (w->state)
		HASH_DEL(w->state->works, w);
	arena_free(w->call);
	arena_free(w->seen);
	free(w->id);
	free(w->digest);
	free(w->calling);
	free(w->asked);
	free(w->error);
	FREE_OBJ(w);
}

/* --- the driver's answers --------------------------------------------- */

/* True when the work still matters. */
static bool
call_over(struct work *w, int err, struct span why)
{
	w->busy = false;
	arena_free(w->call);
	w->call = NULL;
	replace(&w->error, err ? xasprintf("%.*s", SPAN_ARG(why)) : NULL);
	if (w->orphan) {
		work_free(w);
		return false;
	}
	if (err) {
		log_warn("load balancer %s: %.*s, trying again", w->id,
		    SPAN_ARG(why));
		replace(&w->digest, NULL);
	}
	return true;
}

static void
on_synced(void *ctx, int err, struct span why)
{
	struct work *w;

	CAST_OBJ(w, ctx, WORK_MAGIC);
	if (!call_over(w, err, why))
		return;
	if (!err)
		replace(&w->digest, TAKE_PTR(w->calling));
	w->synced_us = clock_mono_us();
	ctl_wake(w->state->ctl, &ctl_lb, w->row);
}

static void
on_stopped(void *ctx, int err, struct span why)
{
	struct work *w;

	CAST_OBJ(w, ctx, WORK_MAGIC);
	if (!call_over(w, err, why))
		return;
	w->stopped = !err;
	ctl_wake(w->state->ctl, &ctl_lb, w->row);
}

static void
servers_keep(struct work *w, const struct lb_server *v, size_t n)
{
	arena_free(w->seen);
	w->seen = arena_new();
	w->servers = arena_array(w->seen, struct lb_server, n + 1);
	for (size_t i = 0; i < n; i++) {
		w->servers[i] = v[i];
		w->servers[i].group = arena_span(w->seen, v[i].group);
		w->servers[i].name = arena_span(w->seen, v[i].name);
		w->servers[i].addr = arena_span(w->seen, v[i].addr);
	}
	w->n_servers = n;
	w->fresh = true;
	w->seen_us = clock_mono_us();
}

static void
on_servers(void *ctx, int err, struct span why, const struct lb_server *v,
    size_t n)
{
	struct work *w;

	CAST_OBJ(w, ctx, WORK_MAGIC);
	if (!call_over(w, err, why))
		return;
	if (err)
		replace(&w->asked, NULL);
	else
		servers_keep(w, v, n);
	ctl_wake(w->state->ctl, &ctl_lb, w->row);
}

static int64_t
since_sync_ms(const struct work *w)
{
	return (clock_mono_us() - w->synced_us) / 1000;
}

/* How long until a proxy may be started or reloaded (again). */
static int64_t
sync_pause_ms(const struct work *w)
{
	int64_t ms = w->deaths > 1 ? 500 << (w->deaths - 1)
	    : w->digest ? RELOAD_MS : 0;

	return w->synced_us ? MAX(ms - since_sync_ms(w), 0) : 0;
}

static void
on_died(void *ctx, struct span id)
{
	struct state *st;
	struct work *w, *next;

	CAST_OBJ(st, ctx, STATE_MAGIC);
	HASH_ITER(hh, st->works, w, next) {
		if (!span_is(id, w->id))
			continue;
		log_warn("load balancer %s: its proxy ended, starting it anew",
		    w->id);
		replace(&w->digest, NULL);
		w->died = true;
		w->deaths = since_sync_ms(w) < YOUNG_MS
		    ? MIN(w->deaths + 1, DEATHS_MAX) : 0;
		ctl_wake(st->ctl, &ctl_lb, w->row);
	}
	if (span_is(id, "edge"))
		ctl_wake(st->ctl, &ctl_edge, 1);
}

/* --- targets ---------------------------------------------------------- */

static const struct lb_server *
server_of(const struct work *w, const struct lb_target *t, bool open)
{
	for (size_t i = 0; i < w->n_servers; i++)
		if (w->servers[i].open == open &&
		    span_eq(w->servers[i].name, t->name) &&
		    span_eq(w->servers[i].group, t->group->name))
			return &w->servers[i];
	return NULL;
}

/* A server that carries requests on its twin is not drained yet. */
static struct lb_server
whole(const struct work *w, const struct lb_target *t,
    const struct lb_server *s)
{
	const struct lb_server *o = server_of(w, t, true);
	struct lb_server sum = *s;

	if (o)
		sum.active += o->active;
	return sum;
}

static int
target_write(struct store *st, struct arena *a, struct work *w,
    const struct lb_target *t, struct res *row)
{
	const struct lb_server *s = server_of(w, t, false);
	struct lb_server sum;
	enum lb_verdict v;
	struct doc *status;

	if (s) {
		sum = whole(w, t, s);
		s = &sum;
	}
	v = lb_verdict(row, t->group->spec, s, clock_ms());
	if (v == LB_DRAINED && !s && !server_of(w, t, true))
		return store_delete(st, row);
	status = lb_verdict_status(a, v, s, row->status);
	if (doc_eq(status, row->status))
		return 0;
	row->status = status;
	return store_put_status(st, row);
}

/* Those whose draining is over are not wanted any more. */
static size_t
targets_wanted(struct work *w, struct lb_snapshot *snap, struct lb_target *v)
{
	const struct lb_server *s;
	struct lb_server sum;
	size_t n = 0;

	for (size_t i = 0; i < snap->n_targets; i++) {
		s = server_of(w, &snap->targets[i], false);
		if (s) {
			sum = whole(w, &snap->targets[i], s);
			s = &sum;
		}
		if (lb_verdict(snap->rows[i], snap->targets[i].group->spec, s,
		    clock_ms()) != LB_DRAINED)
			v[n++] = snap->targets[i];
	}
	return n;
}

/* A word for all that a call of ops->targets depends on. */
static char *
targets_digest(const struct lb_target *v, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%.*s %.*s %d %d\n", SPAN_ARG(v[i].group->name),
		    SPAN_ARG(v[i].name), v[i].draining, v[i].judged);
	return xstrdup(sha256_hex(a, buf_span(&b)));
}

static int
statuses_write(struct ctl *ctl, struct arena *a, struct work *w,
    struct lb_snapshot *snap)
{
	int e;

	w->fresh = false;
	for (size_t i = 0; i < snap->n_targets; i++) {
		e = target_write(ctl_env(ctl)->store, a, w, &snap->targets[i],
		    snap->rows[i]);
		if (e && e != STORE_E_NOT_FOUND)
			return err_fold(e);
	}
	return 0;
}

/* --- one run ---------------------------------------------------------- */

static struct span
structure_digest(struct arena *a, const struct lb_snapshot *snap)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span digest;

	lb_render(a, &snap->conf, "-", NULL, 0, &b, &digest);
	return digest;
}

/* The call keeps its own snapshot: it outlives this run. */
static int
call_snapshot(struct ctl *ctl, struct work *w, bool keys,
    struct lb_snapshot **ret)
{
	struct res *lb;
	struct lb_snapshot *snap;
	int e;

	w->call = arena_new();
	snap = arena_new_of(w->call, struct lb_snapshot);
	e = store_get_row(ctl_env(ctl)->store, w->call, w->row, &lb);
	if (!e)
		e = lb_snapshot(ctl_env(ctl)->store, w->call, lb, keys, snap);
	if (e) {
		arena_free(w->call);
		w->call = NULL;
		return err_fold(e);
	}
	*ret = snap;
	return 0;
}

static int
call_sync(struct ctl *ctl, struct work *w, struct span digest)
{
	struct lb *drv = ctl_env(ctl)->lb;
	struct lb_snapshot *snap;
	int e = call_snapshot(ctl, w, true, &snap);

	if (e)
		return e;
	replace(&w->calling, xstrndup(digest.p, digest.n));
	w->busy = true;
	w->died = false;
	drv->ops->sync(drv, &snap->conf, on_synced, w);
	return 0;
}

static int
call_targets(struct ctl *ctl, struct work *w, char *digest)
{
	struct lb *drv = ctl_env(ctl)->lb;
	struct lb_snapshot *snap;
	struct lb_target *v;
	size_t n;
	int e;

	replace(&w->asked, digest);
	if ((e = call_snapshot(ctl, w, false, &snap)))
		return e;
	v = arena_array(w->call, struct lb_target, snap->n_targets + 1);
	n = targets_wanted(w, snap, v);
	w->busy = true;
	drv->ops->targets(drv, &snap->conf, v, n, on_servers, w);
	return 0;
}

/* Uses what the proxy said, then asks when something changed or the last
 * answer is a second old. */
static int
targets_run(struct ctl *ctl, struct arena *a, struct work *w,
    struct lb_snapshot *snap, int64_t *again_ms)
{
	_cleanup_free_ char *digest = NULL;
	struct lb_target *v;
	int64_t age;
	int e;

	if (w->fresh) {
		e = statuses_write(ctl, a, w, snap);
		if (!e)
			e = lb_snapshot(ctl_env(ctl)->store, a, snap->lb,
			    false, snap);
		if (e)
			return e;
	}
	v = arena_array(a, struct lb_target, snap->n_targets + 1);
	digest = targets_digest(v, targets_wanted(w, snap, v));
	age = (clock_mono_us() - w->seen_us) / 1000;
	if (!w->asked || strcmp(w->asked, digest) != 0)
		return call_targets(ctl, w, TAKE_PTR(digest));
	if (!snap->n_targets && !w->n_servers)
		return 0;
	if (age >= POLL_MS)
		return call_targets(ctl, w, TAKE_PTR(digest));
	*again_ms = POLL_MS - age;
	return 0;
}

static int
state_write(struct ctl *ctl, struct arena *a, struct res *lb,
    const char *state, struct span why)
{
	int e;

	if (span_is(doc_get_str(lb->status, "State"), state) &&
	    span_eq(doc_get_str(lb->status, "Reason"), why))
		return 0;
	doc_set_str(a, lb->status, "State", span_of(state));
	doc_set(a, lb->status, "Reason", why.n ? doc_str(a, why) : NULL);
	e = store_put_status(ctl_env(ctl)->store, lb);
	return e ? err_fold(e) : 0;
}

/* The last call failed: say so and let a while pass. */
static int
error_run(struct ctl *ctl, struct arena *a, struct work *w, struct res *lb,
    int64_t *again_ms)
{
	struct span why = arena_span(a, span_of(w->error));
	bool was = span_starts(doc_get_str(lb->status, "State"), SPAN("active"));

	replace(&w->error, NULL);
	*again_ms = RETRY_MS;
	return state_write(ctl, a, lb, was ? "active_impaired" : "provisioning",
	    why);
}

static int
lb_run(struct ctl *ctl, struct arena *a, struct work *w, struct res *lb,
    int64_t *again_ms)
{
	struct lb_snapshot snap;
	struct span why, digest;
	bool up;
	int e = lb_interfaces_apply(ctl, a, lb, &up, &why);

	if (e)
		return e;
	if (why.n) {
		*again_ms = RETRY_MS;
		return state_write(ctl, a, lb, "failed", why);
	}
	if (!up)
		return doc_get_str(lb->status, "State").n ? 0
		    : state_write(ctl, a, lb, "provisioning", SPAN_NULL);
	if ((e = lb_snapshot(ctl_env(ctl)->store, a, lb, false, &snap)))
		return e;
	digest = structure_digest(a, &snap);
	if (!w->digest || !span_is(digest, w->digest)) {
		if ((*again_ms = sync_pause_ms(w)) > 0)
			return 0;
		replace(&w->asked, NULL);
		return call_sync(ctl, w, digest);
	}
	if ((e = targets_run(ctl, a, w, &snap, again_ms)))
		return e;
	return state_write(ctl, a, lb, "active", SPAN_NULL);
}

/* Proxy, interfaces, row. */
static int
lb_end(struct ctl *ctl, struct arena *a, struct work *w, struct res *lb)
{
	struct lb *drv = ctl_env(ctl)->lb;
	int e;

	if (!w->stopped) {
		w->busy = true;
		w->call = arena_new();
		drv->ops->stop(drv, lb_proxy_id(w->call, lb->id), on_stopped,
		    w);
		return 0;
	}
	if ((e = lb_interfaces_end(ctl, a, lb)))
		return e;
	e = store_delete(ctl_env(ctl)->store, lb);
	return e ? err_fold(e) : 0;
}

static int
run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct state *st;
	struct work *w;
	struct res *lb;
	int e;

	CAST_OBJ(st, state, STATE_MAGIC);
	e = store_get_row(ctl_env(ctl)->store, a, key, &lb);
	HASH_FIND(hh, st->works, &key, sizeof(key), w);
	if (e < 0)
		return err_trace(e);
	if (e || lb->kind != &elbv2_load_balancer) {
		if (w && w->busy)
			w->orphan = true;
		else if (w)
			work_free(w);
		return 0;
	}
	if (!ctl_env(ctl)->lb)
		return 0;
	w = work_get(st, key, lb_proxy_id(a, lb->id));
	if (w->busy)
		return 0;
	if (w->error && !w->died)
		return error_run(ctl, a, w, lb, again_ms);
	return doc_get_bool(lb->spec, "Deleting", false)
	    ? lb_end(ctl, a, w, lb) : lb_run(ctl, a, w, lb, again_ms);
}

/* --- who is woken ----------------------------------------------------- */

static int64_t
row_of_lb(struct ctl *ctl, struct arena *a, struct scope scope, struct span id)
{
	struct res *lb;

	return store_get(ctl_env(ctl)->store, a, &elbv2_load_balancer, scope,
	    SPAN_NULL, id, &lb) == 0 ? lb->row : 0;
}

/* "app/NAME/ID" of "app/NAME/ID/LISTENER" or of itself. */
static struct span
lb_part(struct span parent)
{
	size_t slashes = 0;

	for (size_t i = 0; i < parent.n; i++)
		if (parent.p[i] == '/' && ++slashes == 3)
			return span_to(parent, i);
	return parent;
}

static int64_t
row_of_group(struct ctl *ctl, struct arena *a, struct scope scope,
    struct span arn)
{
	const struct kind *const kinds[] = {&elbv2_listener, &elbv2_rule};
	struct query q = {.scope = scope, .any_parent = true,
	    .index = "spec.TargetGroupArns", .value = arn, .limit = 1};
	struct res_list l;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		q.kind = kinds[i];
		if (store_list(ctl_env(ctl)->store, a, &q, &l) == 0 && l.n)
			return row_of_lb(ctl, a, scope, lb_part(l.v[0]->parent));
	}
	return 0;
}

/* Ours are described as "ELB app/NAME/ID". */
static int64_t
row_of_interface(struct ctl *ctl, struct arena *a, const struct change *c)
{
	struct span mark = SPAN("ELB "), text;
	struct res *eni;

	if (store_get_row(ctl_env(ctl)->store, a, c->row, &eni))
		return 0;
	text = doc_get_str(eni->spec, "Description");
	return span_starts(text, mark)
	    ? row_of_lb(ctl, a, c->scope, span_from(text, mark.n)) : 0;
}

/* A certificate was renewed, or came: all that have it. */
static void
wake_users(struct ctl *ctl, struct arena *a, const struct change *c)
{
	struct query q = {.kind = &elbv2_listener, .scope = c->scope,
	    .any_parent = true, .index = "spec.CertificateArns",
	    .value = kind_arn(a, &acm_certificate, c->scope, c->parent, c->id)};
	struct res_list l;

	if (store_list(ctl_env(ctl)->store, a, &q, &l))
		return; /* told; each looks again when it runs next */
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(ctl, &ctl_lb, row_of_lb(ctl, a, c->scope,
		    lb_part(l.v[i]->parent)));
}

static int64_t
key(void *state UNUSED, struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	bool own = !c->inserted && !c->deleted && !c->spec;

	if (c->kind == &elbv2_load_balancer)
		return own ? 0 : c->row;
	if (c->kind == &elbv2_listener || c->kind == &elbv2_rule)
		return row_of_lb(ctl, a, c->scope, lb_part(c->parent));
	if (c->kind == &acm_certificate) {
		wake_users(ctl, a, c);
		return 0;
	}
	if (c->kind == &elbv2_target_group)
		return row_of_group(ctl, a, c->scope, kind_arn(a,
		    &elbv2_target_group, c->scope, c->parent, c->id));
	if (c->kind == &elbv2_target)
		return own ? 0 : row_of_group(ctl, a, c->scope, c->parent);
	return row_of_interface(ctl, a, c);
}

static void *
init(struct ctl *ctl)
{
	struct state *st;
	struct lb *drv = ctl_env(ctl)->lb;

	ALLOC_OBJ(st, STATE_MAGIC);
	st->ctl = ctl;
	if (drv) {
		drv->on_died = on_died;
		drv->on_died_ctx = st;
	}
	return st;
}

/* A call that is under way ends its work when it is answered. */
static void
done(void *state)
{
	struct state *st;
	struct work *w, *next;

	CAST_OBJ(st, state, STATE_MAGIC);
	HASH_ITER(hh, st->works, w, next) {
		if (!w->busy) {
			work_free(w);
			continue;
		}
		HASH_DEL(st->works, w);
		w->state = NULL;
		w->orphan = true;
	}
	if (ctl_env(st->ctl)->lb)
		ctl_env(st->ctl)->lb->on_died = NULL;
	FREE_OBJ(st);
}

static const struct kind *const kinds[] = {&elbv2_load_balancer,
	&elbv2_listener, &elbv2_rule, &elbv2_target_group, &elbv2_target,
	&ec2_network_interface, &acm_certificate, NULL};

const struct controller ctl_lb = {
	.name = "load balancer",
	.kinds = kinds,
	.key = key,
	.init = init,
	.done = done,
	.run = run,
};
