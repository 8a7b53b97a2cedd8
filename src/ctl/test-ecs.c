/* Tasks and services through the call interface and the real controllers. */
#include "ctl/test-ecs.h"

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

/* What has ended is shown for an hour, then it goes. */
static void
test_purge(void **state)
{
	struct span arn;
	int64_t task_row, service_row;

	(void)state;
	arn = arena_span(a, doc_get_str(doc_at(doc_get(ok(call("RunTask",
	    "{\"taskDefinition\":\"app\",\"clientToken\":\"t\"," NETWORK "}")),
	    "tasks"), 0), "taskArn"));
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":0,"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "RUNNING"));
	ok(call("StopTask", "{\"task\":\"%.*s\"}", SPAN_ARG(arn)));
	ok(call("DeleteService", "{\"service\":\"web\"}"));
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "STOPPED"));
	UNTIL(span_is(doc_get_str(service(), "status"), "INACTIVE"));
	task_row = rows(&ecs_task).v[0]->row;
	service_row = rows(&ecs_service).v[0]->row;
	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < 5; j++) {
			ctl_wake(ctl, &ctl_task, task_row);
			ctl_wake(ctl, &ctl_service, service_row);
			turn();
		}
		assert_int_equal(rows(&ecs_task).n, i ? 0 : 1);
		assert_int_equal(rows(&ecs_run_token).n, i ? 0 : 1);
		assert_int_equal(rows(&ecs_service).n, i ? 0 : 1);
		clock_fake(clock_ms() + 60 * 60 * 1000);
	}
	clock_fake(0);
}

/* Deployments beyond fifty go, with their revisions; the newest stays. */
static void
test_many_deployments(void **state)
{
	(void)state;
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":1,"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	for (int i = 0; i < 60; i++) {
		ok(call("UpdateService", "{\"service\":\"web\","
		    "\"forceNewDeployment\":true}"));
		turn();
	}
	UNTIL(stable());
	assert_in_range(rows(&ecs_service_deployment).n, 50, 51);
	assert_int_equal(rows(&ecs_service_revision).n,
	    rows(&ecs_service_deployment).n);
}

/* The first deployment fails: there is nothing to go back to. */
static void
test_breaker_without_past(void **state)
{
	const struct doc *d;
	size_t n;

	(void)state;
	register_def("missing");
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":1,"
	    "\"deploymentConfiguration\":{\"deploymentCircuitBreaker\":"
	    "{\"enable\":true,\"rollback\":true}},"
	    "\"taskDefinition\":\"app\"," NETWORK "}"));
	UNTIL(said("deployment failed: tasks failed to start."));
	d = doc_at(doc_get(service(), "deployments"), 0);
	assert_true(span_is(doc_get_str(d, "rolloutState"), "FAILED"));
	assert_true(span_is(doc_get_str(d, "rolloutStateReason"),
	    "ECS deployment circuit breaker: tasks failed to start."));
	assert_int_equal(doc_get_int(d, "failedTasks", 0), 3);
	n = rows(&ecs_task).n;
	for (int i = 0; i < 200; i++)
		turn();
	assert_int_equal(rows(&ecs_task).n, n);
	register_def("img");
	ok(call("UpdateService",
	    "{\"service\":\"web\",\"taskDefinition\":\"app\"}"));
	UNTIL(stable());
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
		cmocka_unit_test_setup_teardown(test_purge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_deployments, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_breaker_without_past,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
