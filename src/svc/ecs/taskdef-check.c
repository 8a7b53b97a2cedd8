/*
 * What RegisterTaskDefinition accepts for Fargate.  Pure: input in, refusal
 * out.  Types, enums and required members were checked from the model before.
 *
 * AWS: Fargate task definition considerations and "Task size", in
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/
 */
#include "svc/ecs/ecs.h"

#define CLIENT "ClientException"

/* AWS: valid pairs; memory in MiB from min to max in steps. */
static const struct {
	int64_t cpu, min, max, step;
} sizes[] = {
	{256, 512, 512, 512},
	{256, 1024, 2048, 1024},
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
};

bool
fargate_size(int64_t cpu, int64_t memory)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].cpu == cpu && memory >= sizes[i].min &&
		    memory <= sizes[i].max &&
		    (memory - sizes[i].min) % sizes[i].step == 0)
			return true;
	return false;
}

/* "2", ".25", "1.5" times unit, exact. */
static bool
decimal(struct span s, int64_t unit, int64_t *ret)
{
	int64_t whole = 0, part = 0, scale = 1;
	bool digits = false, dot = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !dot) {
			dot = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || s.n > 12)
			return false;
		digits = true;
		if (dot) {
			part = part * 10 + (s.p[i] - '0');
			scale *= 10;
		} else {
			whole = whole * 10 + (s.p[i] - '0');
		}
	}
	if (!digits || part * unit % scale)
		return false;
	*ret = whole * unit + part * unit / scale;
	return true;
}

static bool
amount(struct span s, const char *unit, int64_t factor, int64_t *ret)
{
	struct span u = span_of(unit);
	uint64_t v;

	s = span_trim(s);
	if (span_u64(s, &v) && v < INT32_MAX) {
		*ret = (int64_t)v;
		return true;
	}
	if (s.n <= u.n || !span_ieq(span_from(s, s.n - u.n), u))
		return false;
	return decimal(span_trim(span_to(s, s.n - u.n)), factor, ret);
}

bool
taskdef_cpu(struct span s, int64_t *ret)
{
	return amount(s, "vcpu", 1024, ret);
}

bool
taskdef_memory(struct span s, int64_t *ret)
{
	return amount(s, "gb", 1024, ret);
}

static bool
word(struct span s, size_t max, const char *more)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			(ch >= '0' && ch <= '9') || strchr(more, ch)) || !ch)
			return false;
	}
	return true;
}

/* Members that Fargate refuses, and members that Neargate does not have yet.
 * A member with an empty list, an empty object or false does not count. */
struct member {
	const char *name;
	const char *text; /* AWS's refusal; NULL: not implemented */
};

static const struct member task_members[] = {
	{"proxyConfiguration", NULL},
	{"inferenceAccelerators",
	    "Elastic Inference accelerators are not supported on Fargate."},
	{"placementConstraints", "Placement constraints are not supported "
				 "for FARGATE launch type."},
	{"ipcMode", "ipcMode is not supported on Fargate."},
	{"pidMode", NULL},
	{"enableFaultInjection", NULL},
	{NULL, NULL},
};

static const struct member container_members[] = {
	{"environmentFiles", NULL},
	{"repositoryCredentials", NULL},
	{"firelensConfiguration", NULL},
	{"systemControls", NULL},
	{"credentialSpecs", NULL},
	{"resourceRequirements", NULL},
	{"interactive", NULL},
	{"links", "Links are not supported when networkMode=awsvpc."},
	{"hostname", "Hostname is not supported on container when "
		     "networkMode=awsvpc."},
	{"dnsServers", "DnsServers are not supported on container when "
		       "networkMode=awsvpc."},
	{"dnsSearchDomains", "DnsSearchDomains are not supported on container "
			     "when networkMode=awsvpc."},
	{"extraHosts", "ExtraHosts are not supported on container when "
		       "networkMode=awsvpc."},
	{"disableNetworking", "DisableNetworking is not supported on "
			      "container when networkMode=awsvpc."},
	{"privileged", "Fargate does not support privileged containers."},
	{"dockerSecurityOptions",
	    "Fargate does not support dockerSecurityOptions."},
	{NULL, NULL},
};

static const struct member linux_members[] = {
	{"devices", "Fargate does not support linuxParameters.devices."},
	{"sharedMemorySize",
	    "Fargate does not support linuxParameters.sharedMemorySize."},
	{"maxSwap", "Fargate does not support linuxParameters.maxSwap."},
	{"swappiness", "Fargate does not support linuxParameters.swappiness."},
	{"tmpfs", NULL},
	{NULL, NULL},
};

static const struct member volume_members[] = {
	{"efsVolumeConfiguration", NULL},
	{"s3filesVolumeConfiguration", NULL},
	{"configuredAtLaunch", NULL},
	{"dockerVolumeConfiguration",
	    "Fargate does not support dockerVolumeConfiguration."},
	{"fsxWindowsFileServerVolumeConfiguration",
	    "Fargate does not support fsxWindowsFileServerVolumeConfiguration."},
	{NULL, NULL},
};

static bool
counts(const struct doc *v)
{
	switch (doc_type(v)) {
	case DOC_NONE:
	case DOC_NULL:
		return false;
	case DOC_BOOL:
		return doc_true(v);
	case DOC_INT:
	case DOC_REAL:
		return true;
	case DOC_STR:
	case DOC_ARR:
	case DOC_OBJ:
		return doc_len(v) > 0;
	}
	WRONG("doc_type");
}

static bool
check_members(struct arena *a, const struct doc *in, const struct member *m,
    struct refusal *ret)
{
	for (; m->name; m++) {
		if (!counts(doc_get(in, m->name)))
			continue;
		if (!m->text)
			return refuse_unimplemented(ret, a, "%s", m->name);
		return refuse(ret, a, CLIENT, "%s", m->text);
	}
	return true;
}

static bool
check_range(struct arena *a, const struct doc *in, const char *name,
    int64_t min, int64_t max, const char *label, struct refusal *ret)
{
	const struct doc *v = doc_get(in, name);
	int64_t n = doc_i64(v, min);

	if (!v || (n >= min && n <= max))
		return true;
	return refuse(ret, a, CLIENT, "%s must be between %lld and %lld.",
	    label, (long long)min, (long long)max);
}

static bool
check_ports(struct arena *a, const struct doc *def, struct refusal *ret)
{
	const struct doc *ports = doc_get(def, "portMappings");

	if (doc_len(ports) > 100)
		return refuse(ret, a, CLIENT,
		    "Container cannot have more than 100 port mappings.");
	doc_each(p, ports) {
		int64_t port = doc_get_int(p, "containerPort", 0);
		int64_t host = doc_get_int(p, "hostPort", 0);

		if (doc_get(p, "containerPortRange"))
			return refuse_unimplemented(ret, a,
			    "portMappings.containerPortRange");
		if (port < 1 || port > 65535)
			return refuse(ret, a, CLIENT,
			    "Invalid 'containerPort' setting for container "
			    "'%.*s'", SPAN_ARG(doc_get_str(def, "name")));
		if (host && host != port)
			return refuse(ret, a, CLIENT,
			    "When networkMode=awsvpc, the host ports and "
			    "container ports in port mappings must match.");
		if (doc_get(p, "appProtocol") && !doc_get(p, "name"))
			return refuse(ret, a, CLIENT,
			    "The 'appProtocol' setting requires a port "
			    "mapping with a name.");
	}
	return true;
}

static bool
check_health(struct arena *a, const struct doc *def, struct refusal *ret)
{
	const struct doc *h = doc_get(def, "healthCheck");
	struct span first = doc_span(doc_at(doc_get(h, "command"), 0));

	if (!h)
		return true;
	if (!first.n)
		return refuse(ret, a, CLIENT,
		    "Container health check command must not be empty.");
	if ((span_is(first, "CMD") || span_is(first, "CMD-SHELL")) &&
	    doc_len(doc_get(h, "command")) < 2)
		return refuse(ret, a, CLIENT,
		    "Container health check command must name what to run.");
	return check_range(a, h, "interval", 5, 300,
		   "Container health check interval", ret) &&
	    check_range(a, h, "timeout", 2, 120,
		"Container health check timeout", ret) &&
	    check_range(a, h, "retries", 1, 10,
		"Container health check retries", ret) &&
	    check_range(a, h, "startPeriod", 0, 300,
		"Container health check startPeriod", ret);
}

/* mode and max-buffer-size say what happens when the driver falls behind: here
 * output waits on the disk first. */
static bool
check_log_options(struct arena *a, const struct doc *options,
    struct refusal *ret)
{
	static const char *const known[] = {"awslogs-group", "awslogs-region",
		"awslogs-stream-prefix", "awslogs-create-group",
		"awslogs-datetime-format", "awslogs-multiline-pattern",
		"mode", "max-buffer-size"};

	doc_each_key(k, v, options) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found |= span_is(k, known[i]);
		if (!found)
			return refuse(ret, a, CLIENT,
			    "Log driver awslogs disallows options: %.*s",
			    SPAN_ARG(k));
	}
	return true;
}

static bool
check_log(struct arena *a, const struct doc *def, struct refusal *ret)
{
	static const char *const needed[] = {
		"awslogs-group", "awslogs-region", "awslogs-stream-prefix"};
	const struct doc *log = doc_get(def, "logConfiguration");
	struct span driver = doc_get_str(log, "logDriver");

	if (!log)
		return true;
	if (span_is(driver, "awsfirelens") || span_is(driver, "splunk"))
		return refuse_unimplemented(ret, a,
		    "logConfiguration.logDriver %.*s", SPAN_ARG(driver));
	if (!span_is(driver, "awslogs"))
		return refuse(ret, a, CLIENT,
		    "Log driver '%.*s' is not supported on Fargate. Supported "
		    "log drivers are [awslogs, splunk, awsfirelens].",
		    SPAN_ARG(driver));
	if (counts(doc_get(log, "secretOptions")))
		return refuse_unimplemented(ret, a,
		    "logConfiguration.secretOptions");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!doc_get_str(doc_get(log, "options"), needed[i]).n)
			return refuse(ret, a, CLIENT,
			    "Log driver awslogs requires options: %s",
			    needed[i]);
	return check_log_options(a, doc_get(log, "options"), ret);
}

static bool
check_capabilities(struct arena *a, const struct doc *def, struct refusal *ret)
{
	const struct doc *caps =
	    doc_path(def, "linuxParameters", "capabilities", NULL);

	doc_each(v, doc_get(caps, "add"))
		if (!span_is(doc_span(v), "SYS_PTRACE"))
			return refuse(ret, a, CLIENT,
			    "Fargate does not support adding the Linux "
			    "capability %.*s. The only supported capability "
			    "is SYS_PTRACE.", SPAN_ARG(doc_span(v)));
	return true;
}

static bool
check_ulimits(struct arena *a, const struct doc *def, struct refusal *ret)
{
	doc_each(u, doc_get(def, "ulimits"))
		if (doc_get_int(u, "softLimit", 0) >
		    doc_get_int(u, "hardLimit", 0))
			return refuse(ret, a, CLIENT,
			    "Invalid 'ulimit' setting for container '%.*s': "
			    "the soft limit must not exceed the hard limit.",
			    SPAN_ARG(doc_get_str(def, "name")));
	return true;
}

static bool
check_environment(struct arena *a, const struct doc *def, struct refusal *ret)
{
	doc_each(e, doc_get(def, "environment"))
		if (!doc_get_str(e, "name").n)
			return refuse(ret, a, CLIENT,
			    "Environment variable name must not be empty.");
	return true;
}

static bool
check_mounts(struct arena *a, const struct doc *def, const struct doc *in,
    struct refusal *ret)
{
	doc_each(m, doc_get(def, "mountPoints")) {
		struct span name = doc_get_str(m, "sourceVolume");
		struct span path = doc_get_str(m, "containerPath");
		bool found = false;

		doc_each(v, doc_get(in, "volumes"))
			found |= span_eq(doc_get_str(v, "name"), name);
		if (!found)
			return refuse(ret, a, CLIENT,
			    "Unknown volume '%.*s'.", SPAN_ARG(name));
		if (!span_starts(path, SPAN("/")))
			return refuse(ret, a, CLIENT,
			    "Invalid 'containerPath' setting for container "
			    "'%.*s'", SPAN_ARG(doc_get_str(def, "name")));
	}
	doc_each(v, doc_get(def, "volumesFrom")) {
		struct span from = doc_get_str(v, "sourceContainer");

		if (!taskdef_container(in, from))
			return refuse(ret, a, CLIENT,
			    "Unknown volumesFrom container '%.*s'.",
			    SPAN_ARG(from));
	}
	return true;
}

static bool
check_limits(struct arena *a, const struct doc *def, struct refusal *ret)
{
	const struct doc *hard = doc_get(def, "memory");
	const struct doc *soft = doc_get(def, "memoryReservation");

	if ((hard && doc_i64(hard, 0) < 6) || (soft && doc_i64(soft, 0) < 6))
		return refuse(ret, a, CLIENT,
		    "Invalid setting for container '%.*s'. The minimum valid "
		    "value for 'memory' and 'memoryReservation' is 6.",
		    SPAN_ARG(doc_get_str(def, "name")));
	if (hard && soft && doc_i64(soft, 0) > doc_i64(hard, 0))
		return refuse(ret, a, CLIENT,
		    "Invalid setting for container '%.*s'. "
		    "'memoryReservation' must not exceed 'memory'.",
		    SPAN_ARG(doc_get_str(def, "name")));
	if (doc_get_int(def, "cpu", 0) < 0)
		return refuse(ret, a, CLIENT,
		    "Invalid 'cpu' setting for container '%.*s'",
		    SPAN_ARG(doc_get_str(def, "name")));
	return check_range(a, def, "startTimeout", 2, 120,
		   "Container startTimeout", ret) &&
	    check_range(a, def, "stopTimeout", 0, 120,
		"Container stopTimeout", ret);
}

static bool
check_container(struct arena *a, const struct doc *def, const struct doc *in,
    struct refusal *ret)
{
	struct span name = doc_get_str(def, "name");
	struct span user = doc_get_str(def, "user");

	if (!name.n)
		return refuse(ret, a, CLIENT,
		    "Container.name should not be null or empty.");
	if (!word(name, 255, "-_"))
		return refuse(ret, a, CLIENT,
		    "Container name contains invalid characters.");
	if (!doc_get_str(def, "image").n)
		return refuse(ret, a, CLIENT,
		    "Container.image should not be null or empty.");
	if (doc_get_str(def, "image").n > 4096)
		return refuse(ret, a, CLIENT, "Container.image is too long.");
	if (user.n && !word(user, 255, "-_.:$"))
		return refuse(ret, a, CLIENT,
		    "Invalid 'user' setting for container '%.*s'",
		    SPAN_ARG(name));
	if (doc_true(doc_path(def, "restartPolicy", "enabled", NULL)))
		return refuse_unimplemented(ret, a, "restartPolicy");
	return check_members(a, def, container_members, ret) &&
	    check_members(a, doc_get(def, "linuxParameters"), linux_members,
		ret) &&
	    check_capabilities(a, def, ret) && check_limits(a, def, ret) &&
	    check_ports(a, def, ret) && check_health(a, def, ret) &&
	    check_log(a, def, ret) && check_ulimits(a, def, ret) &&
	    check_environment(a, def, ret) &&
	    taskdef_check_secrets(a, def, doc_get_str(in, "executionRoleArn"),
		ret) &&
	    check_mounts(a, def, in, ret);
}

const struct doc *
taskdef_container(const struct doc *def, struct span name)
{
	doc_each(c, doc_get(def, "containerDefinitions"))
		if (span_eq(doc_get_str(c, "name"), name))
			return c;
	return NULL;
}

static bool
check_dependency(struct arena *a, const struct doc *c, const struct doc *dep,
    const struct doc *in, struct refusal *ret)
{
	struct span name = doc_get_str(c, "name");
	struct span on = doc_get_str(dep, "containerName");
	struct span condition = doc_get_str(dep, "condition");
	const struct doc *other = taskdef_container(in, on);

	if (!other)
		return refuse(ret, a, CLIENT,
		    "Container '%.*s' depends on container '%.*s', which does "
		    "not exist in the task definition.",
		    SPAN_ARG(name), SPAN_ARG(on));
	if (span_is(condition, "HEALTHY") && !doc_get(other, "healthCheck"))
		return refuse(ret, a, CLIENT,
		    "Container '%.*s' depends on container '%.*s' with "
		    "condition HEALTHY, but it has no health check.",
		    SPAN_ARG(name), SPAN_ARG(on));
	/* AWS: COMPLETE and SUCCESS cannot name an essential container. */
	if ((span_is(condition, "COMPLETE") || span_is(condition, "SUCCESS")) &&
	    doc_get_bool(other, "essential", true))
		return refuse(ret, a, CLIENT,
		    "A container with a dependency condition of %.*s cannot "
		    "depend on an essential container.", SPAN_ARG(condition));
	return true;
}

/* Kahn's way: take away containers all of whose dependencies are taken. */
static bool
has_cycle(struct arena *a, const struct doc *list)
{
	size_t n = doc_len(list), left = n, before;
	bool *gone = arena_array(a, bool, n + 1);

	do {
		size_t i = 0;

		before = left;
		doc_each(c, list) {
			bool ready = !gone[i];

			doc_each(d, doc_get(c, "dependsOn")) {
				size_t j = 0;

				doc_each(o, list) {
					if (!gone[j] &&
					    span_eq(doc_get_str(o, "name"),
						doc_get_str(d,
						    "containerName")))
						ready = false;
					j++;
				}
			}
			if (ready) {
				gone[i] = true;
				left--;
			}
			i++;
		}
	} while (left && left < before);
	return left > 0;
}

static bool
check_containers(struct arena *a, const struct doc *in, struct refusal *ret)
{
	const struct doc *list = doc_get(in, "containerDefinitions");
	bool essential = false;

	if (!doc_len(list))
		return refuse(ret, a, CLIENT, "Container list cannot be empty.");
	if (doc_len(list) > 10)
		return refuse(ret, a, CLIENT,
		    "Container list cannot have more than 10 elements.");
	doc_each(c, list) {
		if (!check_container(a, c, in, ret))
			return false;
		if (taskdef_container(in, doc_get_str(c, "name")) != c)
			return refuse(ret, a, CLIENT,
			    "Container names must be unique: '%.*s' is used "
			    "more than once.",
			    SPAN_ARG(doc_get_str(c, "name")));
		doc_each(d, doc_get(c, "dependsOn"))
			if (!check_dependency(a, c, d, in, ret))
				return false;
		essential |= doc_get_bool(c, "essential", true);
	}
	if (!essential)
		return refuse(ret, a, CLIENT,
		    "At least one container must be marked essential.");
	if (has_cycle(a, list))
		return refuse(ret, a, CLIENT,
		    "The containers' dependsOn settings form a cycle.");
	return true;
}

static bool
check_volumes(struct arena *a, const struct doc *in, struct refusal *ret)
{
	doc_each(v, doc_get(in, "volumes")) {
		struct span name = doc_get_str(v, "name");
		int same = 0;

		if (!word(name, 255, "-_"))
			return refuse(ret, a, CLIENT,
			    "Volume name contains invalid characters.");
		if (doc_get_str(doc_get(v, "host"), "sourcePath").n)
			return refuse(ret, a, CLIENT,
			    "Fargate does not support host.sourcePath: "
			    "volume '%.*s'.", SPAN_ARG(name));
		if (!check_members(a, v, volume_members, ret))
			return false;
		doc_each(o, doc_get(in, "volumes"))
			same += span_eq(doc_get_str(o, "name"), name);
		if (same > 1)
			return refuse(ret, a, CLIENT,
			    "Volume names must be unique: '%.*s' is used more "
			    "than once.", SPAN_ARG(name));
	}
	return true;
}

static bool
check_sums(struct arena *a, const struct doc *in, int64_t cpu, int64_t memory,
    struct refusal *ret)
{
	int64_t sum = 0;

	doc_each(c, doc_get(in, "containerDefinitions")) {
		sum += doc_get_int(c, "cpu", 0);
		if (doc_get_int(c, "memory", 0) > memory ||
		    doc_get_int(c, "memoryReservation", 0) > memory)
			return refuse(ret, a, CLIENT,
			    "Invalid setting for container '%.*s'. 'memory' "
			    "must not exceed the memory of the task.",
			    SPAN_ARG(doc_get_str(c, "name")));
	}
	if (sum > cpu)
		return refuse(ret, a, CLIENT,
		    "The sum of all container cpu values cannot be greater "
		    "than the value of the task cpu.");
	return true;
}

static bool
check_size(struct arena *a, const struct doc *in, struct refusal *ret)
{
	int64_t cpu, memory;
	int64_t disk = doc_get_int(doc_get(in, "ephemeralStorage"), "sizeInGiB",
	    21);

	if (!doc_get_str(in, "cpu").n)
		return refuse(ret, a, CLIENT,
		    "Fargate requires that 'cpu' be defined at the task level.");
	if (!doc_get_str(in, "memory").n)
		return refuse(ret, a, CLIENT,
		    "Fargate requires that 'memory' be defined at the task "
		    "level.");
	if (!taskdef_cpu(doc_get_str(in, "cpu"), &cpu))
		return refuse(ret, a, CLIENT,
		    "Invalid 'cpu' setting for task.");
	if (!taskdef_memory(doc_get_str(in, "memory"), &memory))
		return refuse(ret, a, CLIENT,
		    "Invalid 'memory' setting for task.");
	if (!fargate_size(cpu, memory))
		return refuse(ret, a, CLIENT, FARGATE_NO_SIZE, (long long)cpu,
		    (long long)memory);
	if (disk < 21 || disk > 200)
		return refuse(ret, a, CLIENT,
		    "The ephemeral storage size must be between 21 GiB and "
		    "200 GiB.");
	return check_sums(a, in, cpu, memory, ret);
}

bool
taskdef_check(struct arena *a, const struct doc *in, struct refusal *ret)
{
	const struct doc *needs = doc_get(in, "requiresCompatibilities");
	struct span mode = doc_get_str(in, "networkMode");
	struct span os = doc_get_str(doc_get(in, "runtimePlatform"),
	    "operatingSystemFamily");

	if (!word(doc_get_str(in, "family"), 255, "-_"))
		return refuse(ret, a, CLIENT,
		    "Family contains invalid characters.");
	if (!doc_has_str(needs, SPAN("FARGATE")) &&
	    (doc_len(needs) || !span_is(mode, "awsvpc")))
		return refuse_unimplemented(ret, a,
		    "a task definition that is not for Fargate "
		    "(requiresCompatibilities must name FARGATE)");
	if (!span_is(mode, "awsvpc"))
		return refuse(ret, a, CLIENT,
		    "Fargate only supports network mode 'awsvpc'.");
	if (os.n && !span_is(os, "LINUX"))
		return refuse_unimplemented(ret, a,
		    "runtimePlatform.operatingSystemFamily %.*s", SPAN_ARG(os));
	return check_members(a, in, task_members, ret) &&
	    check_volumes(a, in, ret) && check_containers(a, in, ret) &&
	    check_size(a, in, ret);
}
