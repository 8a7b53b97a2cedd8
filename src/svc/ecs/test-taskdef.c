/* What RegisterTaskDefinition refuses and what it fills in. */
#include "base/test.h"

#include "svc/ecs/ecs.h"

static struct doc *
parse(struct arena *a, const char *text)
{
	struct doc *d = NULL;

	assert_int_equal(doc_parse_json(a, span_of(text), &d), 0);
	return d;
}

/* One good definition; each case puts members over it. */
static const char *const good =
    "{\"family\":\"web\",\"networkMode\":\"awsvpc\",\"cpu\":\"256\","
    "\"memory\":\"512\",\"requiresCompatibilities\":[\"FARGATE\"],"
    "\"containerDefinitions\":[{\"name\":\"app\",\"image\":\"i\"}]}";

struct refuse_case {
	const char *what;
	const char *task;	/* merged into the task */
	const char *container;	/* merged into its container */
	const char *want;	/* part of the text; NULL: accepted */
};

#define ROLE "{\"executionRoleArn\":\"r\"}"
#define SECRET(from) \
	"{\"secrets\":[{\"name\":\"A\",\"valueFrom\":\"" from "\"}]}"
#define BAD_SECRET "parameter name specified for secret A is invalid"
#define ASM "arn:aws:secretsmanager:us-east-1:123456789012:"

static const struct refuse_case cases[] = {
	{"good", "{}", "{}", NULL},
	{"vcpu", "{\"cpu\":\".25 vCPU\",\"memory\":\"1 GB\"}", "{}", NULL},
	{"pair", "{\"cpu\":\"256\",\"memory\":\"4096\"}", "{}",
	    "No Fargate configuration exists for given values: 256 CPU, 4096 "
	    "memory."},
	{"pair step", "{\"cpu\":\"256\",\"memory\":\"1536\"}", "{}",
	    "No Fargate configuration exists"},
	{"large", "{\"cpu\":\"16384\",\"memory\":\"40960\"}", "{}", NULL},
	{"bad cpu", "{\"cpu\":\"lots\"}", "{}", "Invalid 'cpu' setting"},
	{"bridge", "{\"networkMode\":\"bridge\"}", "{}",
	    "Fargate only supports network mode"},
	{"ec2", "{\"requiresCompatibilities\":[\"EC2\"]}", "{}",
	    "not for Fargate"},
	{"family", "{\"family\":\"a b\"}", "{}", "Family contains invalid"},
	{"no name", "{}", "{\"name\":\"\"}", "Container.name"},
	{"no image", "{}", "{\"image\":\"\"}", "Container.image"},
	{"unessential", "{}", "{\"essential\":false}", "essential"},
	{"host port", "{}",
	    "{\"portMappings\":[{\"containerPort\":80,\"hostPort\":81}]}",
	    "host ports and container ports"},
	{"host port equal", "{}",
	    "{\"portMappings\":[{\"containerPort\":80,\"hostPort\":80}]}",
	    NULL},
	{"secrets without a role", "{}", SECRET("x"), "'executionRoleArn'"},
	{"parameter", ROLE, SECRET("/a/b.c_d-9"), NULL},
	{"parameter of a version", ROLE, SECRET("/a:1"), BAD_SECRET},
	{"no source", ROLE, SECRET(""), BAD_SECRET},
	{"parameter's ARN", ROLE,
	    SECRET("arn:aws:ssm:us-east-1:123456789012:parameter/a/b"), NULL},
	{"ARN of no account", ROLE, SECRET("arn:aws:ssm:us-east-1::parameter/a"),
	    BAD_SECRET},
	{"secret", ROLE, SECRET(ASM "secret:a/b-abcdef"), NULL},
	{"secret's key", ROLE, SECRET(ASM "secret:a:key::"), NULL},
	{"one field too many", ROLE, SECRET(ASM "secret:a:k:s:v:"), BAD_SECRET},
	{"no secret", ROLE, SECRET(ASM "secret:"), BAD_SECRET},
	{"another ARN", ROLE, SECRET("arn:aws:s3:r:1:x"), BAD_SECRET},
	{"a secret and a variable", ROLE,
	    "{\"secrets\":[{\"name\":\"A\",\"valueFrom\":\"x\"}],"
	    "\"environment\":[{\"name\":\"A\",\"value\":\"\"}]}", "such as 'A'"},
	{"empty secrets", "{}", "{\"secrets\":[]}", NULL},
	{"privileged", "{}", "{\"privileged\":true}", "privileged"},
	{"interval", "{}",
	    "{\"healthCheck\":{\"command\":[\"CMD\",\"x\"],\"interval\":4}}",
	    "interval must be between 5 and 300"},
	{"health ok", "{}",
	    "{\"healthCheck\":{\"command\":[\"CMD-SHELL\",\"x\"],"
	    "\"interval\":5,\"timeout\":2,\"retries\":10}}", NULL},
	{"health empty", "{}", "{\"healthCheck\":{\"command\":[\"CMD\"]}}",
	    "must name what to run"},
	{"log driver", "{}",
	    "{\"logConfiguration\":{\"logDriver\":\"syslog\"}}",
	    "not supported on Fargate"},
	{"log options", "{}",
	    "{\"logConfiguration\":{\"logDriver\":\"awslogs\",\"options\":"
	    "{\"awslogs-group\":\"g\"}}}",
	    "requires options: awslogs-region"},
	{"an option of no driver", "{}",
	    "{\"logConfiguration\":{\"logDriver\":\"awslogs\",\"options\":"
	    "{\"awslogs-group\":\"g\",\"awslogs-region\":\"r\","
	    "\"awslogs-stream-prefix\":\"p\",\"tag\":\"x\"}}}",
	    "Log driver awslogs disallows options: tag"},
	{"stop timeout", "{}", "{\"stopTimeout\":121}",
	    "stopTimeout must be between"},
	{"capability", "{}",
	    "{\"linuxParameters\":{\"capabilities\":{\"add\":[\"NET_ADMIN\"]}}}",
	    "NET_ADMIN"},
	{"ptrace", "{}",
	    "{\"linuxParameters\":{\"capabilities\":{\"add\":[\"SYS_PTRACE\"],"
	    "\"drop\":[\"ALL\"]},\"initProcessEnabled\":true}}", NULL},
	{"ulimit", "{}",
	    "{\"ulimits\":[{\"name\":\"nofile\",\"softLimit\":2,"
	    "\"hardLimit\":1}]}", "soft limit"},
	{"mount", "{}",
	    "{\"mountPoints\":[{\"sourceVolume\":\"v\","
	    "\"containerPath\":\"/v\"}]}", "Unknown volume 'v'"},
	{"mount ok", "{\"volumes\":[{\"name\":\"v\"}]}",
	    "{\"mountPoints\":[{\"sourceVolume\":\"v\","
	    "\"containerPath\":\"/v\"}]}", NULL},
	{"host volume",
	    "{\"volumes\":[{\"name\":\"v\",\"host\":{\"sourcePath\":\"/\"}}]}",
	    "{}", "host.sourcePath"},
	{"efs",
	    "{\"volumes\":[{\"name\":\"v\",\"efsVolumeConfiguration\":"
	    "{\"fileSystemId\":\"fs\"}}]}", "{}", "efsVolumeConfiguration"},
	{"cpu sum", "{}", "{\"cpu\":512}", "sum of all container cpu"},
	{"memory", "{}", "{\"memory\":1024}", "memory of the task"},
	{"self", "{}",
	    "{\"dependsOn\":[{\"containerName\":\"app\","
	    "\"condition\":\"START\"}]}", "cycle"},
	{"unknown dependency", "{}",
	    "{\"dependsOn\":[{\"containerName\":\"db\","
	    "\"condition\":\"START\"}]}", "does not exist"},
	{"dependency needs health", "{}",
	    "{\"dependsOn\":[{\"containerName\":\"app\","
	    "\"condition\":\"HEALTHY\"}]}", "no health check"},
	{"storage", "{\"ephemeralStorage\":{\"sizeInGiB\":20}}", "{}",
	    "ephemeral storage size"},
	{"windows",
	    "{\"runtimePlatform\":{\"operatingSystemFamily\":"
	    "\"WINDOWS_SERVER_2019_CORE\"}}", "{}", "operatingSystemFamily"},
};

static void
merge(struct arena *a, struct doc *into, const struct doc *from)
{
	doc_each_key(k, v, from)
		doc_setn(a, into, k, doc_copy(a, v));
}

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const struct refuse_case *t = &cases[i];
		struct doc *d = parse(a, good);
		struct refusal why = {0};
		bool ok;

		merge(a, d, parse(a, t->task));
		merge(a, doc_at(doc_get(d, "containerDefinitions"), 0),
		    parse(a, t->container));
		ok = taskdef_check(a, d, &why);
		if (ok != !t->want)
			fail_msg("%s: %s", t->what, ok ? "accepted" : why.text);
		if (!ok && !strstr(why.text, t->want))
			fail_msg("%s: says \"%s\"", t->what, why.text);
	}
}

static void
test_two_containers(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doc *d = parse(a, good), *list;
	struct refusal why;

	(void)state;
	list = doc_get(d, "containerDefinitions");
	doc_push(list, doc_copy(a, doc_at(list, 0)));
	assert_false(taskdef_check(a, d, &why));
	assert_non_null(strstr(why.text, "unique"));
	doc_set_str(a, doc_at(list, 1), "name", SPAN("two"));
	assert_true(taskdef_check(a, d, &why));
	doc_set(a, doc_at(list, 0), "dependsOn", parse(a,
	    "[{\"containerName\":\"two\",\"condition\":\"START\"}]"));
	assert_true(taskdef_check(a, d, &why));
	doc_set(a, doc_at(list, 1), "dependsOn", parse(a,
	    "[{\"containerName\":\"app\",\"condition\":\"START\"}]"));
	assert_false(taskdef_check(a, d, &why));
	assert_non_null(strstr(why.text, "cycle"));
	doc_set(a, doc_at(list, 1), "dependsOn", parse(a, "[]"));
	doc_set(a, doc_at(list, 0), "dependsOn", parse(a,
	    "[{\"containerName\":\"two\",\"condition\":\"SUCCESS\"}]"));
	assert_false(taskdef_check(a, d, &why));
	doc_set_bool(a, doc_at(list, 1), "essential", false);
	assert_true(taskdef_check(a, d, &why));
}

static void
test_sizes(void **state)
{
	int n = 0;

	(void)state;
	for (int64_t cpu = 256; cpu <= 16384; cpu *= 2)
		for (int64_t m = 512; m <= 131072; m += 512)
			n += fargate_size(cpu, m);
	/* 3 + 4 + 7 + 13 + 23 + 12 + 12, the rows of AWS's table. */
	assert_int_equal(n, 74);
}

static void
test_fill(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doc *d = parse(a, good), *full, *c;

	(void)state;
	doc_set_str(a, d, "memory", SPAN("1GB"));
	doc_set(a, doc_at(doc_get(d, "containerDefinitions"), 0),
	    "portMappings", parse(a, "[{\"containerPort\":80}]"));
	full = taskdef_fill(a, d);
	c = doc_at(doc_get(full, "containerDefinitions"), 0);
	assert_true(span_is(doc_get_str(full, "memory"), "1024"));
	assert_true(span_is(doc_get_str(full, "status"), "ACTIVE"));
	assert_true(doc_get_bool(c, "essential", false));
	assert_int_equal(doc_get_int(c, "cpu", -1), 0);
	c = doc_at(doc_get(c, "portMappings"), 0);
	assert_int_equal(doc_get_int(c, "hostPort", 0), 80);
	assert_true(span_is(doc_get_str(c, "protocol"), "tcp"));
	/* The input is left alone. */
	assert_null(doc_get(d, "status"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_two_containers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
