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
