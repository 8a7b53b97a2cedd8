/* What ECS adds to a task definition: defaults, and the attributes that a
 * container instance would need.  Pure. */
#include "svc/ecs/ecs.h"

static void
default_int(struct arena *a, struct doc *d, const char *name, int64_t v)
{
	if (!doc_get(d, name))
		doc_set_int(a, d, name, v);
}

static void
default_list(struct arena *a, struct doc *d, const char *name)
{
	if (!doc_get(d, name))
		doc_set(a, d, name, doc_arr(a));
}

static void
fill_ports(struct arena *a, struct doc *def)
{
	doc_each(p, doc_get(def, "portMappings")) {
		default_int(a, p, "hostPort",
		    doc_get_int(p, "containerPort", 0));
		if (!doc_get(p, "protocol"))
			doc_set_str(a, p, "protocol", SPAN("tcp"));
	}
}

static void
fill_container(struct arena *a, struct doc *def)
{
	static const char *const lists[] = {"portMappings", "environment",
		"mountPoints", "volumesFrom", "systemControls"};
	struct doc *health = doc_get(def, "healthCheck");
	struct doc *log = doc_get(def, "logConfiguration");

	default_int(a, def, "cpu", 0);
	if (!doc_get(def, "essential"))
		doc_set_bool(a, def, "essential", true);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		default_list(a, def, lists[i]);
	fill_ports(a, def);
	if (health) {
		default_int(a, health, "interval", 30);
		default_int(a, health, "timeout", 5);
		default_int(a, health, "retries", 3);
	}
	if (log)
		default_list(a, log, "secretOptions");
}

struct wants {
	bool ecr, awslogs, health, order, stop_timeout, ssm, asm_;
};

static struct wants
look(const struct doc *in)
{
	struct wants w = {0};

	doc_each(c, doc_get(in, "containerDefinitions")) {
		w.ecr |= span_find(doc_get_str(c, "image"), SPAN(".dkr.ecr.")) >= 0;
		w.awslogs |= doc_get(c, "logConfiguration") != NULL;
		w.health |= doc_get(c, "healthCheck") != NULL;
		w.order |= doc_len(doc_get(c, "dependsOn")) > 0;
		w.stop_timeout |= doc_get(c, "stopTimeout") ||
		    doc_get(c, "startTimeout");
		doc_each(s, doc_get(c, "secrets")) {
			bool asm_ = span_find(doc_get_str(s, "valueFrom"),
			    SPAN(":secretsmanager:")) >= 0;

			w.asm_ |= asm_;
			w.ssm |= !asm_;
		}
	}
	return w;
}

static struct doc *
attributes(struct arena *a, const struct doc *in)
{
	struct wants w = look(in);
	bool role = doc_get_str(in, "executionRoleArn").n > 0;
	const struct {
		bool needed;
		const char *name;
	} rows[] = {
		{w.awslogs, "com.amazonaws.ecs.capability.logging-driver.awslogs"},
		{w.awslogs && role, "ecs.capability.execution-role-awslogs"},
		{w.ecr, "com.amazonaws.ecs.capability.ecr-auth"},
		{w.ecr && role, "ecs.capability.execution-role-ecr-pull"},
		{w.awslogs, "com.amazonaws.ecs.capability.docker-remote-api.1.19"},
		{w.health, "com.amazonaws.ecs.capability.docker-remote-api.1.24"},
		{w.health, "ecs.capability.container-health-check"},
		{w.order || w.stop_timeout, "ecs.capability.container-ordering"},
		{w.ssm, "ecs.capability.secrets.ssm.environment-variables"},
		{w.asm_, "ecs.capability.secrets.asm.environment-variables"},
		{doc_get_str(in, "taskRoleArn").n > 0,
		    "com.amazonaws.ecs.capability.task-iam-role"},
		{doc_get(in, "ephemeralStorage") != NULL,
		    "ecs.capability.extensible-ephemeral-storage"},
		{true, "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
		{true, "ecs.capability.task-eni"},
	};
	struct doc *list = doc_arr(a);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct doc *at;

		if (!rows[i].needed)
			continue;
		at = doc_obj(a);
		doc_set_str(a, at, "name", span_of(rows[i].name));
		doc_push(list, at);
	}
	return list;
}

struct doc *
taskdef_fill(struct arena *a, const struct doc *in)
{
	struct doc *spec = doc_copy(a, in), *compat = doc_arr(a);
	int64_t cpu = 0, memory = 0;

	doc_del(spec, "tags");
	taskdef_cpu(doc_get_str(in, "cpu"), &cpu);
	taskdef_memory(doc_get_str(in, "memory"), &memory);
	doc_setf(a, spec, "cpu", "%lld", (long long)cpu);
	doc_setf(a, spec, "memory", "%lld", (long long)memory);
	doc_each(c, doc_get(spec, "containerDefinitions"))
		fill_container(a, c);
	default_list(a, spec, "volumes");
	doc_each(v, doc_get(spec, "volumes"))
		if (!doc_get(v, "host"))
			doc_set(a, v, "host", doc_obj(a));
	default_list(a, spec, "placementConstraints");
	doc_set_str(a, spec, "status", SPAN("ACTIVE"));
	doc_set(a, spec, "requiresAttributes", attributes(a, in));
	doc_push_str(a, compat, SPAN("EC2"));
	doc_push_str(a, compat, SPAN("FARGATE"));
	doc_set(a, spec, "compatibilities", compat);
	return spec;
}
