/*
 * One life of a service behind a load balancer, again and again: each time
 * another of the things that can fail fails, or neargated starts anew after
 * another turn.  However it went, the service gets where it shall and nothing
 * is left.
 */
#include "ctl/test-ecs.h"

#define LB "\"loadBalancers\":[{\"targetGroupArn\":\"" GROUP "\","         \
	"\"containerName\":\"app\",\"containerPort\":80}]"

static bool
inactive(void)
{
	return span_is(doc_get_str(service(), "status"), "INACTIVE");
}

static size_t
targets(void)
{
	return rows(&elbv2_target).n;
}

static bool
all_stopped(void)
{
	struct res_list l = rows(&ecs_task);

	for (size_t i = 0; i < l.n; i++)
		if (!span_is(doc_get_str(l.v[i]->status, "lastStatus"),
			"STOPPED"))
			return false;
	return true;
}

static void
kill_first(void)
{
	struct span arn = arena_span(a, first_task("RUNNING"));
	struct span id = span_from(arn, (size_t)span_rchr(arn, '/') + 1);

	runtime_fake_exit(runtime, arena_fmt_span(a, "%.*s-0", SPAN_ARG(id)),
	    1);
	UNTIL(span_is(doc_get_str(task(arn), "lastStatus"), "STOPPED"));
}

/* The service as a client sees it, from birth to end. */
static void
life(void)
{
	ok(call("CreateService", "{\"serviceName\":\"web\",\"desiredCount\":2,"
	    "\"taskDefinition\":\"app\"," LB "," NETWORK "}"));
	UNTIL(stable());
	UNTIL(targets() == 2);
	ok(call("UpdateService",
	    "{\"service\":\"web\",\"forceNewDeployment\":true}"));
	UNTIL(stable());
	UNTIL(containers() == 2);
	kill_first();
	UNTIL(stable());
	UNTIL(targets() == 2);
	ok(call("DeleteService", "{\"service\":\"web\",\"force\":true}"));
	UNTIL(inactive());
	assert_true(all_stopped());
	assert_int_equal(containers(), 0);
	assert_int_equal(targets(), 0);
	assert_int_equal(rows(&ec2_network_interface).n, 0);
	assert_int_equal(rows(&ecs_service_deployment).n, 0);
	assert_int_equal(rows(&ecs_service_revision).n, 0);
	assert_null(((struct tasks *)ctl_state(ctl, &ctl_task))->by_id);
}

static void
test_undisturbed(void **state)
{
	int64_t begun = clock_mono_us();

	set_up(state);
	life();
	assert_int_equal(starts, 5);
	assert_int_equal(rows(&ecs_task).n, 5);
	tear_down(state);
	print_message("one life: %lld us\n",
	    (long long)(clock_mono_us() - begun));
}

/* Most want to wait before they are tried again: only some of them, unless
 * asked for all. */
static void
test_each_fault(void **state)
{
	int n = 1;

	for (;; n += getenv("NEARGATE_ALL") ? 1 : 5) {
		set_up(state);
		set_fault(n);
		life();
		tear_down(state);
		if (!faulted)
			break;
		print_message("%d: %s failed, %d starts\n", n, faulted, starts);
		assert_in_range(starts, 5, 6);
	}
	assert_true(n > 40);
}

static void
test_each_restart(void **state)
{
	int n = 1;

	for (;; n++) {
		bool restarted;

		set_up(state);
		restart_in = n;
		life();
		restarted = !restart_in;
		assert_int_equal(rows(&ecs_task).n, 5);
		tear_down(state);
		print_message("new after commit %d: %d starts\n", n, starts);
		/* A start that was under way is asked for again, no more. */
		assert_in_range(starts, 5, 6);
		if (!restarted)
			break;
	}
	assert_true(n > 30);
}

static void
on_started(void *ctx, int err, struct span why, int pid, int64_t at)
{
	(void)why, (void)pid, (void)at;
	AZ(err);
	*(bool *)ctx = true;
}

/* Left behind by somebody; and the first question what is there fails. */
static void
test_nobodys_container(void **state)
{
	struct container_spec c = {.task = SPAN("0123456789abcdef"),
		.id = SPAN("0123456789abcdef-0")};
	bool there = false;

	set_up(state);
	ctl_stop(ctl);
	fake_runtime->start(runtime, &c, on_started, &there);
	while (!there)
		turn();
	assert_int_equal(containers(), 1);
	set_fault(1);
	AZ(ctl_start(ctl));
	/* Tasks that are there have the list asked for again. */
	ok(call("RunTask", "{\"taskDefinition\":\"app\"," NETWORK "}"));
	while (containers() != 1 || there) {
		struct res_list l = rows(&ecs_task);

		there = !span_is(doc_get_str(l.v[0]->status, "lastStatus"),
		    "RUNNING");
		turn();
	}
	assert_string_equal(faulted, "list");
	tear_down(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_each_fault),
		cmocka_unit_test(test_each_restart),
		cmocka_unit_test(test_nobodys_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
