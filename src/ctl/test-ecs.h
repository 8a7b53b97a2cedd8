/*
 * The world of the tests of tasks and services: the real ecs service and
 * controllers; the fake runtime; images that are ready at once; an ec2 whose
 * interfaces come up at once; an elbv2 whose targets are healthy at once and
 * drain for a turn.
 *
 * Whatever can fail asks fault() first.  set_fault(n) makes the n-th that asks
 * from then on fail, once.
 */
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/test.h"
#include "ctl/service-view.h"
#include "ctl/task.h"
#include "svc/ec2/kinds.h"
#include "svc/ecs/kinds.h"
#include "svc/ecs/ops.h"
#include "svc/elbv2/kinds.h"

static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

static struct store *store;
static struct api *api;
static struct ctl *ctl;
static struct arena *a;
static struct runtime *runtime;
static struct ctl_env env;
static char *dir;

static struct doc *
json(const char *text)
{
	struct doc *d;

	if (doc_parse_json(a, span_of(text), &d))
		fail_msg("test's own JSON: %s", text);
	return d;
}

/* --- faults --------------------------------------------------------------- */

static int fault_in;	    /* 0: none */
static const char *faulted; /* what failed */

static bool
fault(const char *what)
{
	if (!fault_in || --fault_in)
		return false;
	faulted = what;
	return true;
}

static UNUSED void
set_fault(int n)
{
	fault_in = n;
	faulted = NULL;
}

/* --- ec2 ------------------------------------------------------------------ */

static int last_ip = 3;

static struct reply *
make_eni(struct call *c)
{
	struct span id = arena_fmt_span(c->arena, "eni-%d", ++last_ip);
	struct res *r = res_new(c->arena, &ec2_network_interface, c->scope,
	    SPAN_NULL, id);

	if (fault("CreateNetworkInterface"))
		return reply_failure(c, -EIO);
	doc_set_str(c->arena, r->spec, "NetworkInterfaceId", id);
	doc_setf(c->arena, r->spec, "PrivateIpAddress", "10.0.0.%d", last_ip);
	doc_set_str(c->arena, r->spec, "Netns",
	    doc_get_str(c->in, "NeargateNetns"));
	doc_set_str(c->arena, r->status, "plane", SPAN("up"));
	AZ(store_insert(c->store, c->arena, r));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "NetworkInterface", doc_copy(c->arena, r->spec)));
}

static struct reply *
drop_eni(struct call *c)
{
	struct res *r;

	if (fault("DeleteNetworkInterface"))
		return reply_failure(c, -EIO);
	AZ(store_get(c->store, c->arena, &ec2_network_interface, c->scope,
	    SPAN_NULL, doc_get_str(c->in, "NetworkInterfaceId"), &r));
	AZ(store_delete(c->store, r));
	return reply_ok(c, NULL);
}

static const struct op_row ec2_ops[] = {
	{"CreateNetworkInterface", make_eni, NULL},
	{"DeleteNetworkInterface", drop_eni, NULL},
	{NULL, NULL, NULL},
};
static const struct service ec2 = {.name = "ec2", .ops = ec2_ops,
	.kinds = ec2_kinds};

/* --- elbv2 ------------------------------------------------------------------ */

#define GROUP "arn:aws:elasticloadbalancing:us-east-1:123456789012:" \
	"targetgroup/tg/0123456789abcdef"

static struct res *
target_of(struct call *c)
{
	const struct doc *t = doc_at(doc_get(c->in, "Targets"), 0);
	struct span id = arena_fmt_span(c->arena, "%.*s:%lld",
	    SPAN_ARG(doc_get_str(t, "Id")),
	    (long long)doc_get_int(t, "Port", 0));
	struct res *r;

	if (store_get(c->store, c->arena, &elbv2_target, c->scope, SPAN(GROUP),
		id, &r) == 0)
		return r;
	r = res_new(c->arena, &elbv2_target, c->scope, SPAN(GROUP), id);
	doc_set_str(c->arena, r->status, "State", SPAN("healthy"));
	return r;
}

static struct reply *
put_target(struct call *c)
{
	struct res *r = target_of(c);

	if (fault("RegisterTargets"))
		return reply_failure(c, -EIO);
	if (!r->row)
		AZ(store_insert(c->store, c->arena, r));
	return reply_ok(c, NULL);
}

static struct reply *
drop_target(struct call *c)
{
	struct res *r = target_of(c);

	if (fault("DeregisterTargets"))
		return reply_failure(c, -EIO);
	if (r->row) {
		doc_set_bool(c->arena, r->spec, "Draining", true);
		AZ(store_put_spec(c->store, r));
	}
	return reply_ok(c, NULL);
}

static const struct op_row elb_ops[] = {
	{"RegisterTargets", put_target, NULL},
	{"DeregisterTargets", drop_target, NULL},
	{NULL, NULL, NULL},
};
static const struct service elb = {.name = "elbv2", .ops = elb_ops,
	.kinds = elbv2_kinds};
static const struct service *const all[] = {
	&ecs_service_ops, &ec2, &elb, NULL};

static struct res_list
rows(const struct kind *k)
{
	struct query q = {.kind = k, .any_parent = true};
	struct res_list l = {0};

	AZ(store_list(store, a, &q, &l));
	return l;
}

/* What drains has drained by the next turn. */
static void
drain(void)
{
	struct res_list l = rows(&elbv2_target);

	for (size_t i = 0; i < l.n; i++)
		if (doc_get_bool(l.v[i]->spec, "Draining", false))
			AZ(store_delete(store, l.v[i]));
}

/* --- the runtime ------------------------------------------------------------ */

static int starts; /* that succeeded */
static const struct runtime_ops *fake_runtime;

/* One turn later, as the contract says. */
struct refused {
	uv_timer_t timer;
	runtime_cb cb;
	runtime_start_cb start;
	runtime_list_cb list;
	void *ctx;
};

static void
refused_closed(uv_handle_t *h)
{
	free(h->data);
}

static void
on_refused(uv_timer_t *t)
{
	struct refused *r = t->data;

	if (r->cb)
		r->cb(r->ctx, -EIO, SPAN("refused"));
	if (r->start)
		r->start(r->ctx, -EIO, SPAN("refused"), 0, 0);
	if (r->list)
		r->list(r->ctx, -EIO, NULL, 0);
	uv_close((uv_handle_t *)t, refused_closed);
}

static struct refused *
refused(void *ctx)
{
	struct refused *r = xcalloc(1, sizeof(*r));

	r->ctx = ctx;
	AZ(uv_timer_init(env.loop, &r->timer));
	r->timer.data = r;
	AZ(uv_timer_start(&r->timer, on_refused, 0, 0));
	return r;
}

static void
try_start_(struct runtime *r, const struct container_spec *c,
    runtime_start_cb cb, void *ctx)
{
	if (fault("start")) {
		refused(ctx)->start = cb;
		return;
	}
	starts++;
	fake_runtime->start(r, c, cb, ctx);
}

static void
try_kill(struct runtime *r, struct span id, int sig, runtime_cb cb, void *ctx)
{
	if (fault("kill"))
		refused(ctx)->cb = cb;
	else
		fake_runtime->kill(r, id, sig, cb, ctx);
}

static void
try_remove(struct runtime *r, struct span id, runtime_cb cb, void *ctx)
{
	if (fault("remove"))
		refused(ctx)->cb = cb;
	else
		fake_runtime->remove(r, id, cb, ctx);
}

static void
try_task_remove(struct runtime *r, struct span id, runtime_cb cb, void *ctx)
{
	if (fault("task_remove"))
		refused(ctx)->cb = cb;
	else
		fake_runtime->task_remove(r, id, cb, ctx);
}

static void
try_list(struct runtime *r, runtime_list_cb cb, void *ctx)
{
	if (fault("list"))
		refused(ctx)->list = cb;
	else
		fake_runtime->list(r, cb, ctx);
}

static struct runtime *
faulty_runtime(void)
{
	static struct runtime_ops ops;
	struct runtime *r = runtime_fake_new(uv_default_loop());

	fake_runtime = r->ops;
	ops = *r->ops;
	ops.start = try_start_;
	ops.kill = try_kill;
	ops.remove = try_remove;
	ops.task_remove = try_task_remove;
	ops.list = try_list;
	r->ops = &ops;
	return r;
}

static size_t n_containers;

static void
on_count(void *ctx, int err, const struct container_state *v, size_t n)
{
	(void)ctx, (void)v;
	AZ(err);
	n_containers = n;
}

static UNUSED size_t
containers(void)
{
	n_containers = SIZE_MAX;
	fake_runtime->list(runtime, on_count, NULL);
	while (n_containers == SIZE_MAX)
		uv_run(env.loop, UV_RUN_NOWAIT);
	return n_containers;
}

/* --- images ----------------------------------------------------------------- */

struct asked {
	image_cb cb;
	void *ctx;
	bool missing;
	uv_timer_t timer;
};

static void
closed(uv_handle_t *h)
{
	free(h->data);
}

static void
answer(uv_timer_t *t)
{
	static const struct span cmd[] = {{"/app", 4}};
	struct asked *q = t->data;
	struct image img = {.digest = SPAN("sha256:aa"),
		.pinned = SPAN("sha256:bb"), .cmd = cmd, .n_cmd = 1};

	if (q->missing)
		q->cb(q->ctx, -ENOENT, SPAN("CannotPullContainerError: gone"),
		    NULL);
	else
		q->cb(q->ctx, 0, SPAN_NULL, &img);
	uv_close((uv_handle_t *)t, closed);
}

static void
ensure(struct images *im, struct span account, struct span region,
    struct span ref, struct span arch, image_cb cb, void *ctx)
{
	struct asked *q = xcalloc(1, sizeof(*q));

	(void)im, (void)account, (void)region, (void)arch;
	q->cb = cb;
	q->ctx = ctx;
	q->missing = span_starts(ref, SPAN("missing")) || fault("image");
	AZ(uv_timer_init(env.loop, &q->timer));
	q->timer.data = q;
	AZ(uv_timer_start(&q->timer, answer, 0, 0));
}

static const struct image_ops image_ops = {.ensure = ensure};
static struct images images = {&image_ops};

/* --- the world ---------------------------------------------------------------- */

static const struct controller *const list[] = {
	&ctl_task, &ctl_service, NULL};

static int restart_in; /* commits; 0: never */

static void
commit(void)
{
	bool dirty = store_dirty(store);

	store_commit(store);
	if (!dirty || !restart_in || --restart_in)
		return;
	ctl_stop(ctl);
	AZ(ctl_start(ctl));
}

static void
turn(void)
{
	uv_run(env.loop, UV_RUN_NOWAIT);
	commit();
	drain();
	commit();
}

static UNUSED struct op_result
call(const char *op, const char *fmt, ...)
{
	struct principal who = {.account = here.account,
		.arn = SPAN("arn:aws:iam::123456789012:root")};
	struct op_result r = {0};
	va_list ap;

	va_start(ap, fmt);
	AZ(op_call(api, a, &who, here, "ecs", op,
	    json(arena_vfmt(a, fmt, ap)), &r));
	va_end(ap);
	commit();
	return r;
}

static const struct doc *
ok(struct op_result r)
{
	if (r.error.n)
		fail_msg("%.*s: %.*s", SPAN_ARG(r.error), SPAN_ARG(r.message));
	return r.out;
}

static UNUSED const struct doc *
service(void)
{
	return doc_at(doc_get(ok(call("DescribeServices",
	    "{\"services\":[\"web\"]}")), "services"), 0);
}

static UNUSED const struct doc *
task(struct span arn)
{
	return doc_at(doc_get(ok(call("DescribeTasks", "{\"tasks\":[\"%.*s\"]}",
	    SPAN_ARG(arn))), "tasks"), 0);
}

#define UNTIL(cond)                                                     \
	do {                                                            \
		int64_t end_ = clock_mono_us() + 20000000;              \
		while (!(cond)) {                                       \
			turn();                                         \
			if (clock_mono_us() > end_) {                   \
				struct span j_ = doc_json(a, service()); \
				fail_msg("%s never: %.*s", #cond,       \
				    SPAN_ARG(j_));                      \
			}                                               \
			usleep(200);                                    \
		}                                                       \
	} while (0)

static UNUSED bool
stable(void)
{
	const struct doc *s = service();

	return doc_len(doc_get(s, "deployments")) == 1 &&
	    doc_get_int(s, "runningCount", -1) ==
		doc_get_int(s, "desiredCount", 0) &&
	    span_is(doc_get_str(doc_at(doc_get(s, "deployments"), 0),
			"rolloutState"), "COMPLETED");
}

static UNUSED bool
said(const char *text)
{
	doc_each(e, doc_get(service(), "events"))
		if (span_find(doc_get_str(e, "message"), span_of(text)) >= 0)
			return true;
	return false;
}

static void
register_def(const char *image)
{
	ok(call("RegisterTaskDefinition",
	    "{\"family\":\"app\",\"networkMode\":\"awsvpc\",\"cpu\":\"256\","
	    "\"memory\":\"512\",\"requiresCompatibilities\":[\"FARGATE\"],"
	    "\"containerDefinitions\":[{\"name\":\"app\",\"image\":\"%s\","
	    "\"portMappings\":[{\"containerPort\":80}],"
	    "\"stopTimeout\":2}]}", image));
}

#define NETWORK "\"networkConfiguration\":{\"awsvpcConfiguration\":"       \
		"{\"subnets\":[\"subnet-1\"]}},\"launchType\":\"FARGATE\""

static UNUSED struct span
first_task(const char *status)
{
	return doc_span(doc_at(doc_get(ok(call("ListTasks",
	    "{\"serviceName\":\"web\",\"desiredStatus\":\"%s\"}", status)),
	    "taskArns"), 0));
}

/* A target group, and a listener that forwards to it. */
static void
make_group(void)
{
	struct res *r = res_new(a, &elbv2_target_group, here, SPAN_NULL,
	    SPAN("tg/0123456789abcdef"));

	doc_set_str(a, r->spec, "TargetType", SPAN("ip"));
	AZ(store_insert(store, a, r));
	assert_true(span_is(r->arn, GROUP));
	r = res_new(a, &elbv2_listener, here, SPAN("app/lb/0123456789abcdef"),
	    SPAN("0123456789abcdef"));
	doc_set(a, r->spec, "TargetGroupArns", json("[\"" GROUP "\"]"));
	AZ(store_insert(store, a, r));
	store_commit(store);
}

static UNUSED int
set_up(void **state)
{
	static const struct kind *kinds[32];
	struct api_config c = {.services = all};
	struct res *r;
	size_t n = 0;

	(void)state;
	a = arena_new();
	/* Where syncing costs nothing: there are very many commits. */
	dir = mkdtemp(arena_fmt(a, "%s/ngecs-XXXXXX",
	    access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"));
	AN(dir);
	for (size_t i = 0; ecs_kinds[i]; i++)
		kinds[n++] = ecs_kinds[i];
	for (size_t i = 0; ec2_kinds[i]; i++)
		kinds[n++] = ec2_kinds[i];
	for (size_t i = 0; elbv2_kinds[i]; i++)
		kinds[n++] = elbv2_kinds[i];
	AZ(store_open(dir, kinds, &store));
	c.store = store;
	c.root.account = here.account;
	api = api_new(&c);
	r = res_new(a, &ec2_subnet, here, SPAN_NULL, SPAN("subnet-1"));
	doc_set_str(a, r->spec, "VpcId", SPAN("vpc-1"));
	AZ(store_insert(store, a, r));
	store_commit(store);
	env.loop = uv_default_loop();
	runtime = faulty_runtime();
	set_fault(0);
	restart_in = starts = 0;
	env = (struct ctl_env){.loop = uv_default_loop(), .store = store,
		.api = api, .runtime = runtime, .images = &images};
	make_group();
	AZ(ctl_new(&env, list, &ctl));
	register_def("img");
	return 0;
}

static UNUSED int
tear_down(void **state)
{
	(void)state;
	ctl_free(ctl);
	runtime->ops->free(runtime);
	for (int i = 0; i < 20; i++)
		uv_run(env.loop, UV_RUN_NOWAIT);
	api_free(api);
	store_close(store);
	AZ(system(arena_fmt(a, "rm -rf %s", dir)));
	arena_free(a);
	return 0;
}

