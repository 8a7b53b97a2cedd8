/* From a definition to what the runtime is told. */
#include "base/test.h"
#include "ctl/task.h"
#include "doc/doc.h"

static void
test_names(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	static const struct span dns[] = {{"10.9.0.2", 8}};
	struct res task = {.id = SPAN("0123"), .spec = doc_obj(a)};
	struct doc *container = doc_obj(a);
	struct image image = {.cwd = SPAN("/app")};
	struct task_launch l = {.task = &task, .taskdef = doc_obj(a),
		.container = container, .image = &image,
		.hostname = SPAN("ip-10-0-1-23.ec2.internal"),
		.ip = SPAN("10.0.1.23"), .dns = dns, .n_dns = 1};
	struct container_spec *s;

	(void)state;
	doc_set_str(a, container, "name", SPAN("web"));
	s = task_container_spec(a, &l, SPAN("0123-0"));
	assert_true(span_is(s->hostname, "ip-10-0-1-23.ec2.internal"));
	assert_int_equal(s->n_hosts, 1);
	assert_true(span_is(s->hosts[0],
	    "10.0.1.23 ip-10-0-1-23.ec2.internal"));
	assert_int_equal(s->n_dns, 1);
	assert_true(span_is(s->dns[0], "10.9.0.2"));
	assert_true(span_is(s->netns, "task-0123"));
	assert_true(span_is(s->cwd, "/app"));
	assert_in_range(s->pids, 1024, 32768);
	for (size_t i = 0; i < s->n_env; i++) {
		/* Nothing is announced that does not answer. */
		assert_false(span_starts(s->env[i], SPAN("AWS_ENDPOINT")));
		assert_false(span_starts(s->env[i], SPAN("ECS_CONTAINER")));
		assert_false(span_starts(s->env[i], SPAN("AWS_CONTAINER")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
