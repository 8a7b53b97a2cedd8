/*
 * What ecs and its load balancers tell CloudWatch, once in a period: a round
 * asks the runtime about all running tasks of services and each proxy about
 * its requests; when all have answered, datapoints are written and those who
 * scale by them are woken.
 *
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 *
 * Use of processors is a difference of two looks, so a task counts from its
 * second look on, and everything does after a restart.
 */
#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/lb.h"
#include "ctl/scaling.h"
#include "svc/ecs/kinds.h"

#define MEASURE_MAGIC 0x6d656173
#define ROUND_MAGIC   0x6d726e64
#define PERIOD_S      60
#define KEEP_MS	      (3 * 60 * 60 * 1000LL)
#define PURGE_MS      (10 * 60 * 1000LL)
/* The only key there is. */
#define KEY	      1

/* A counter as last seen: processor time of a task, requests of a group. */
struct counter {
	UT_hash_handle hh;
	char *name;
	uint64_t value;
	int64_t mono_us;
	int64_t round; /* in which it was seen */
};

struct measure {
	unsigned magic;
	struct ctl *ctl;
	int64_t period;
	int64_t next;	/* ms: of the next round */
	int64_t purge;	/* ms: of old datapoints */
	int64_t rounds;
	struct counter *counters;
	struct round *round; /* under way, or NULL */
};

/* A task that is measured. */
struct task_seen {
	struct scope scope;
	struct span cluster, service, id;
	double cpu;    /* units */
	double memory; /* bytes */
};

/* What a round has to say of one service or group, by all of its name. */
struct series {
	UT_hash_handle hh;
	struct metric metric;
	struct metric_point point;
};

struct round {
	unsigned magic;
	struct measure *m; /* NULL: nobody waits for it any more */
	struct arena *a;
	int64_t time;	   /* ms: when the period began */
	size_t pending;
	struct task_seen *tasks;
	size_t n_tasks;
	struct series *series;
};

/* A proxy's answer that is waited for. */
struct asked {
	struct round *r;
	struct span lb; /* id */
	struct lb_snapshot snap;
};

int64_t
metric_period(struct store *s)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span text;
	uint64_t v;

	if (store_setting(s, a, "metric_period", &text) == 0 &&
	    span_u64(text, &v) && v > 0 && v <= 3600)
		return (int64_t)v * 1000;
	return PERIOD_S * 1000;
}

struct metric
metric_of_service(struct arena *a, struct scope scope, const char *name,
    struct span cluster, struct span service)
{
	return (struct metric){scope, SPAN("AWS/ECS"), span_of(name),
	    arena_fmt_span(a, "ClusterName=%.*s,ServiceName=%.*s",
		SPAN_ARG(cluster), SPAN_ARG(service))};
}

struct metric
metric_of_group(struct arena *a, struct scope scope, struct span lb,
    struct span group)
{
	return (struct metric){scope, SPAN("AWS/ApplicationELB"),
	    SPAN("RequestCountPerTarget"),
	    arena_fmt_span(a, "LoadBalancer=%.*s,TargetGroup=%.*s",
		SPAN_ARG(lb), SPAN_ARG(group))};
}

/* --- counters ---------------------------------------------------------- */

/* How much it grew, and in what time; false: it is seen for the first time.
 * Less than before is a counter that began anew. */
static bool
grown(struct measure *m, struct span name, uint64_t value, uint64_t *ret,
    int64_t *ret_us)
{
	struct counter *c;
	int64_t now = clock_mono_us();
	bool known;

	HASH_FIND(hh, m->counters, name.p, name.n, c);
	known = c != NULL;
	if (!known) {
		c = xcalloc(1, sizeof(*c));
		c->name = xstrndup(name.p, name.n);
		HASH_ADD_KEYPTR(hh, m->counters, c->name, name.n, c);
	} else {
		*ret = value >= c->value ? value - c->value : value;
		*ret_us = MAX(now - c->mono_us, (int64_t)1);
	}
	c->value = value;
	c->mono_us = now;
	c->round = m->rounds;
	return known;
}

/* Those of what was not there in this round. */
static void
forget(struct measure *m, bool all)
{
	struct counter *c, *next;

	HASH_ITER (hh, m->counters, c, next)
		if (all || c->round != m->rounds) {
			HASH_DEL(m->counters, c);
			free(c->name);
			free(c);
		}
}

/* --- a round's end ----------------------------------------------------- */

static void
add(struct round *r, struct metric metric, double v)
{
	struct span key = arena_fmt_span(r->a, "%.*s %.*s %.*s %.*s",
	    SPAN_ARG(metric.scope.account), SPAN_ARG(metric.scope.region),
	    SPAN_ARG(metric.name), SPAN_ARG(metric.dimensions));
	struct series *s;

	HASH_FIND(hh, r->series, key.p, key.n, s);
	if (!s) {
		s = arena_new_of(r->a, struct series);
		s->metric = metric;
		s->point = (struct metric_point){.time = r->time, .min = v,
		    .max = v};
		HASH_ADD_KEYPTR(hh, r->series, key.p, key.n, s);
	}
	s->point.sum += v;
	s->point.count++;
	s->point.min = MIN(s->point.min, v);
	s->point.max = MAX(s->point.max, v);
}

static void
write_points(struct round *r)
{
	struct store *s = ctl_env(r->m->ctl)->store;
	struct metric_sample *v =
	    arena_array(r->a, struct metric_sample, HASH_COUNT(r->series) + 1);
	struct series *x, *next;
	size_t n = 0;

	HASH_ITER (hh, r->series, x, next)
		v[n++] = (struct metric_sample){x->metric, x->point};
	if (metric_put(store_metrics(s), v, n) < 0)
		log_warn("metrics of a period are lost: %s", err_last());
	if (clock_ms() < r->m->purge)
		return;
	r->m->purge = clock_ms() + PURGE_MS;
	if (metric_drop_before(store_metrics(s), clock_ms() - KEEP_MS) < 0)
		log_warn("old metrics stay: %s, ignoring", err_last());
}

static void
wake_targets(struct measure *m)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query q = {.kind = &scaling_target};
	struct res_list l;

	if (store_list(ctl_env(m->ctl)->store, a, &q, &l)) {
		log_warn("nobody scales in this period: %s", err_last());
		return;
	}
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(m->ctl, &ctl_scaling, l.v[i]->row);
}

static void
round_put(struct round *r)
{
	struct measure *m = r->m;

	CHECK_OBJ(r, ROUND_MAGIC);
	if (--r->pending > 0)
		return;
	if (m) {
		write_points(r);
		forget(m, false);
		m->round = NULL;
		wake_targets(m);
	}
	HASH_CLEAR(hh, r->series);
	arena_free(r->a);
	FREE_OBJ(r);
}

/* --- tasks ------------------------------------------------------------- */

static void
on_usage(void *ctx, const struct task_usage *v, size_t n)
{
	struct round *r = ctx;

	for (size_t i = 0; r->m && i < n; i++) {
		const struct task_seen *t = &r->tasks[i];
		uint64_t cpu;
		int64_t us;

		if (!v[i].there)
			continue;
		add(r, metric_of_service(r->a, t->scope, "MemoryUtilization",
		    t->cluster, t->service),
		    100.0 * (double)v[i].memory / t->memory);
		if (grown(r->m, t->id, v[i].cpu_us, &cpu, &us))
			add(r, metric_of_service(r->a, t->scope,
			    "CPUUtilization", t->cluster, t->service),
			    100.0 * (double)cpu / (double)us /
			    (t->cpu / 1024));
	}
	round_put(r);
}

static bool
task_seen(const struct res *task, struct task_seen *ret)
{
	uint64_t cpu, memory;

	if (!span_u64(doc_get_str(task->spec, "cpu"), &cpu) || cpu == 0 ||
	    !span_u64(doc_get_str(task->spec, "memory"), &memory) ||
	    memory == 0)
		return false;
	*ret = (struct task_seen){task->scope, task->parent,
	    doc_get_str(task->spec, "ServiceName"), task->id, (double)cpu,
	    (double)memory * (1 << 20)};
	return ret->service.n > 0;
}

static int
ask_tasks(struct measure *m, struct round *r)
{
	const struct ctl_env *env = ctl_env(m->ctl);
	struct query q = {.kind = &ecs_task, .any_parent = true,
		.index = "status.lastStatus", .value = SPAN("RUNNING")};
	struct span *ids;
	struct res_list l;
	int e = store_list(env->store, r->a, &q, &l);

	if (e)
		return err_fold(e);
	ids = arena_array(r->a, struct span, l.n + 1);
	r->tasks = arena_array(r->a, struct task_seen, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		if (task_seen(l.v[i], &r->tasks[r->n_tasks]))
			ids[r->n_tasks++] = l.v[i]->id;
	if (r->n_tasks) {
		r->pending++;
		env->runtime->ops->usage(env->runtime, ids, r->n_tasks,
		    on_usage, r);
	}
	return 0;
}

/* --- load balancers ---------------------------------------------------- */

static size_t
count_targets(const struct lb_snapshot *snap, const struct lb_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < snap->n_targets; i++)
		n += snap->targets[i].group == g && snap->targets[i].healthy;
	return n;
}

/* Requests of one minute for each target, whatever the period. */
static void
note_requests(struct asked *q, const struct lb_count *c)
{
	struct round *r = q->r;
	const struct lb_group *g = NULL;
	size_t targets;
	struct span tail;
	uint64_t n;
	int64_t us;

	for (size_t i = 0; i < q->snap.conf.n_groups; i++)
		if (span_eq(q->snap.conf.groups[i].name, c->group))
			g = &q->snap.conf.groups[i];
	if (!g || !grown(r->m, arena_fmt_span(r->a, "%.*s %.*s",
	    SPAN_ARG(q->lb), SPAN_ARG(c->group)), c->requests, &n, &us))
		return;
	targets = count_targets(&q->snap, g);
	if (targets == 0)
		return;
	tail = span_from(g->arn, (size_t)span_rchr(g->arn, ':') + 1);
	add(r, metric_of_group(r->a, q->snap.lb->scope, q->lb, tail),
	    (double)n * PERIOD_S * 1e6 / (double)us / (double)targets);
}

static void
on_counts(void *ctx, int err, struct span why, const struct lb_count *v,
    size_t n)
{
	struct asked *q = ctx;

	if (err && q->r->m)
		log_debug("requests of %.*s are not known: %.*s",
		    SPAN_ARG(q->lb), SPAN_ARG(why));
	for (size_t i = 0; q->r->m && i < n; i++)
		note_requests(q, &v[i]);
	round_put(q->r);
}

static int
ask_proxies(struct measure *m, struct round *r)
{
	const struct ctl_env *env = ctl_env(m->ctl);
	struct query q = {.kind = &elbv2_load_balancer};
	struct res_list l;
	int e = store_list(env->store, r->a, &q, &l);

	if (e)
		return err_fold(e);
	for (size_t i = 0; i < l.n; i++) {
		struct asked *x = arena_new_of(r->a, struct asked);

		if (!span_starts(doc_get_str(l.v[i]->status, "State"),
		    SPAN("active")))
			continue;
		*x = (struct asked){.r = r, .lb = l.v[i]->id};
		if ((e = lb_snapshot(env->store, r->a, l.v[i], false,
		    &x->snap)))
			return err_trace(e);
		r->pending++;
		env->lb->ops->requests(env->lb,
		    lb_proxy_id(r->a, l.v[i]->id), on_counts, x);
	}
	return 0;
}

/* --- rounds ------------------------------------------------------------ */

static int
begin(struct measure *m, int64_t time)
{
	struct round *r;
	int e;

	ALLOC_OBJ(r, ROUND_MAGIC);
	r->a = arena_new();
	r->m = m;
	r->time = time;
	r->pending = 1; /* ours: answers come later */
	m->round = r;
	m->rounds++;
	e = ask_tasks(m, r);
	if (e == 0)
		e = ask_proxies(m, r);
	round_put(r);
	return err_trace(e);
}

/* Periods begin at whole multiples, as CloudWatch's do. */
static int
run(void *state, struct ctl *ctl UNUSED, struct arena *a UNUSED,
    int64_t key UNUSED, int64_t *again_ms)
{
	int64_t now = clock_ms(), due;
	struct measure *m;

	CAST_OBJ(m, state, MEASURE_MAGIC);
	due = now / m->period * m->period;
	*again_ms = due + m->period - now;
	/* A clock that was set back must not stop us for that long. */
	if (now < m->next && m->next <= now + m->period)
		return 0;
	m->next = due + m->period;
	if (m->round) {
		log_warn("metrics: a period's answers are late");
		return 0;
	}
	return err_trace(begin(m, due - m->period));
}

static void *
init(struct ctl *ctl)
{
	struct measure *m;

	ALLOC_OBJ(m, MEASURE_MAGIC);
	m->ctl = ctl;
	m->period = metric_period(ctl_env(ctl)->store);
	ctl_wake(ctl, &ctl_measure, KEY);
	return m;
}

static void
done(void *state)
{
	struct measure *m;

	CAST_OBJ(m, state, MEASURE_MAGIC);
	if (m->round)
		m->round->m = NULL;
	forget(m, true);
	FREE_OBJ(m);
}

static const struct kind *const kinds[] = {NULL};

const struct controller ctl_measure = {
	.name = "measure",
	.kinds = kinds,
	.init = init,
	.done = done,
	.run = run,
};
