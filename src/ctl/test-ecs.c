/*
 * Tasks and services through the call interface and the real controllers, with
 * the fake runtime, images that are ready at once, and an ec2 whose interfaces
 * come up at once.
 */
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

/* --- ec2 ------------------------------------------------------------------ */

static int last_ip = 3;

static struct reply *
make_eni(struct call *c)
{
	struct span id = arena_fmt_span(c->arena, "eni-%d", ++last_ip);
	struct res *r = res_new(c->arena, &ec2_network_interface, c->scope,
	    SPAN_NULL, id);

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
static const struct service *const all[] = {&ecs_service_ops, &ec2, NULL};

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
	q->missing = span_starts(ref, SPAN("missing"));
	AZ(uv_timer_init(env.loop, &q->timer));
	q->timer.data = q;
	AZ(uv_timer_start(&q->timer, answer, 0, 0));
}

static const struct image_ops image_ops = {.ensure = ensure};
static struct images images = {&image_ops};

/* --- the world ---------------------------------------------------------------- */

static const struct controller *const list[] = {
	&ctl_task, &ctl_service, NULL};

static void
turn(void)
{
	uv_run(env.loop, UV_RUN_NOWAIT);
	store_commit(store);
}

static struct op_result
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
	store_commit(store);
	return r;
}

static const struct doc *
ok(struct op_result r)
{
	if (r.error.n)
		fail_msg("%.*s: %.*s", SPAN_ARG(r.error), SPAN_ARG(r.message));
	return r.out;
}

static const struct doc *
service(void)
{
	return doc_at(doc_get(ok(call("DescribeServices",
	    "{\"services\":[\"web\"]}")), "services"), 0);
}

static const struct doc *
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

static bool
stable(void)
{
	const struct doc *s = service();

	return doc_len(doc_get(s, "deployments")) == 1 &&
	    doc_get_int(s, "runningCount", -1) ==
		doc_get_int(s, "desiredCount", 0) &&
	    span_is(doc_get_str(doc_at(doc_get(s, "deployments"), 0),
			"rolloutState"), "COMPLETED");
}

static bool
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
	    "\"stopTimeout\":2}]}", image));
}

#define NETWORK "\"networkConfiguration\":{\"awsvpcConfiguration\":"       \
		"{\"subnets\":[\"subnet-1\"]}},\"launchType\":\"FARGATE\""

static struct span
first_task(const char *status)
{
	return doc_span(doc_at(doc_get(ok(call("ListTasks",
	    "{\"serviceName\":\"web\",\"desiredStatus\":\"%s\"}", status)),
	    "taskArns"), 0));
}

static int
set_up(void **state)
{
	static char dir_name[] = "/tmp/ngecs-XXXXXX";
	static const struct kind *kinds[32];
	struct api_config c = {.services = all};
	struct res *r;
	size_t n = 0;

	(void)state;
	a = arena_new();
	dir = mkdtemp(strcpy(dir_name, "/tmp/ngecs-XXXXXX"));
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
	runtime = runtime_fake_new(uv_default_loop());
	env = (struct ctl_env){.loop = uv_default_loop(), .store = store,
		.api = api, .runtime = runtime, .images = &images};
	AZ(ctl_new(&env, list, &ctl));
	register_def("img");
	return 0;
}

static int
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

static void
test_run_and_stop(void **state)
{
	const struct doc *t = doc_at(doc_get(ok(call("RunTask",
	    "{\"taskDefinition\":\"app\"," NETWORK "}")), "tasks"), 0);
	struct span arn = doc_get_str(t, "taskArn");
	int64_t begun = clock_mono_us();

	(void)state;
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":0,"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "RUNNING"));
	print_message("RunTask to RUNNING: %lld us\n",
	    (long long)(clock_mono_us() - begun));
	t = task(arn);
	assert_true(span_is(doc_get_str(doc_at(doc_get(t, "containers"), 0),
	    "imageDigest"), "sha256:bb"));
	assert_int_equal(doc_len(doc_get(t, "attachments")), 1);
	ok(call("StopTask", "{\"task\":\"%.*s\",\"reason\":\"enough\"}",
	    SPAN_ARG(arn)));
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "STOPPED"));
	t = task(arn);
	assert_true(span_is(doc_get_str(t, "stopCode"), "UserInitiated"));
	assert_true(span_is(doc_get_str(t, "stoppedReason"), "enough"));
}

static void
test_missing_image(void **state)
{
	const struct doc *t;
	struct span arn;

	(void)state;
	register_def("missing");
	arn = arena_span(a, doc_get_str(doc_at(doc_get(ok(call("RunTask",
	    "{\"taskDefinition\":\"app\"," NETWORK "}")), "tasks"), 0),
	    "taskArn"));
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":0,"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "STOPPED"));
	t = task(arn);
	assert_true(span_is(doc_get_str(t, "stopCode"), "TaskFailedToStart"));
	assert_true(span_starts(doc_get_str(t, "stoppedReason"),
	    SPAN("CannotPullContainerError")));
}

static void
kill_one(void)
{
	struct span arn = arena_span(a, first_task("RUNNING"));
	struct span id = span_from(arn, (size_t)span_rchr(arn, '/') + 1);

	runtime_fake_exit(runtime, arena_fmt_span(a, "%.*s-0", SPAN_ARG(id)),
	    137);
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "STOPPED"));
	assert_true(span_is(doc_get_str(task(arn), "stopCode"),
	    "EssentialContainerExited"));
	assert_int_equal(doc_get_int(doc_at(doc_get(task(arn), "containers"), 0),
	    "exitCode", -1), 137);
}

static void
test_service(void **state)
{
	struct span old;

	(void)state;
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":2,"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(stable());
	UNTIL(said("has reached a steady state."));
	assert_true(said("has started 2 tasks: (task "));
	assert_true(said("deployment completed."));
	kill_one();
	UNTIL(stable());
	assert_true(said("has started 1 tasks: (task "));
	old = arena_span(a, first_task("RUNNING"));
	ok(call("UpdateService", "{\"service\":\"web\","
	    "\"forceNewDeployment\":true,\"desiredCount\":3}"));
	assert_false(stable());
	UNTIL(stable());
	UNTIL(span_is(doc_get_str(task(old), "lastStatus"), "STOPPED"));
	assert_true(said("has stopped "));
	ok(call("UpdateService", "{\"service\":\"web\",\"desiredCount\":0}"));
	UNTIL(stable());
	ok(call("DeleteService", "{\"service\":\"web\"}"));
	UNTIL(span_is(doc_get_str(service(), "status"), "INACTIVE"));
}

static void
test_circuit_breaker(void **state)
{
	const struct doc *d;

	(void)state;
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":2,"
	    "\"deploymentConfiguration\":{\"deploymentCircuitBreaker\":"
	    "{\"enable\":true,\"rollback\":true}},"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(stable());
	register_def("missing");
	ok(call("UpdateService",
	    "{\"service\":\"web\",\"taskDefinition\":\"app\"}"));
	UNTIL(said("rolling back to (deployment ecs-svc/"));
	UNTIL(stable());
	d = doc_at(doc_get(service(), "deployments"), 0);
	assert_true(span_ends(doc_get_str(d, "taskDefinition"),
	    SPAN("app:1")));
	assert_true(said("deployment failed: tasks failed to start."));
	assert_true(said("CannotPullContainerError"));
	assert_int_equal(doc_get_int(service(), "runningCount", 0), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_run_and_stop, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_missing_image, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_service, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_circuit_breaker, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
