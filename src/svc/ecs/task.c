/* Tasks: run, stop, describe, list.  What happens to one after RunTask is the
 * work of src/ctl/task.c. */
#include "svc/ecs/ecs.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

#define INVALID "InvalidParameterException"

int
task_get(struct call *c, struct span cluster, struct span ref,
    struct res **ret)
{
	struct span name = ref_tail(ref, "task");
	ptrdiff_t slash = span_chr(name, '/');

	if (slash >= 0) {
		cluster = span_to(name, (size_t)slash);
		name = span_from(name, (size_t)slash + 1);
	}
	return store_get(c->store, c->arena, &ecs_task, c->scope, cluster, name,
	    ret);
}

/* RunTask */

/* What all tasks of one call share. */
struct launch {
	struct res *cluster;
	struct res *taskdef;
	struct doc *spec;
	const struct doc *tags;
};

static struct reply *
check_overrides(struct call *c, struct launch *l)
{
	const struct doc *ov = doc_get(c->in, "overrides");
	int64_t cpu = 0, memory = 0;
	const struct doc *def;
	struct refusal no;
	struct span s;

	doc_each(o, doc_get(ov, "containerOverrides")) {
		struct span name = doc_get_str(o, "name");

		def = taskdef_container(l->taskdef->spec, name);
		if (!def)
			return reply_error(c, INVALID,
			    "Override for container named %.*s is not a "
			    "container in the TaskDefinition.",
			    SPAN_ARG(name));
		if (!taskdef_secrets_alone(c->arena, def,
		    doc_get(o, "environment"), &no))
			return reply_refusal(c, &no);
		if (doc_len(doc_get(o, "environmentFiles")) ||
		    doc_len(doc_get(o, "resourceRequirements")))
			return reply_not_implemented(c,
			    "overrides.containerOverrides with environmentFiles "
			    "or resourceRequirements");
	}
	if (doc_len(doc_get(ov, "inferenceAcceleratorOverrides")))
		return reply_not_implemented(c,
		    "overrides.inferenceAcceleratorOverrides");
	s = doc_get_str(ov, "cpu");
	if (!taskdef_cpu(s.n ? s : doc_get_str(l->taskdef->spec, "cpu"), &cpu))
		return reply_error(c, INVALID, "Invalid 'cpu' setting for task.");
	s = doc_get_str(ov, "memory");
	if (!taskdef_memory(s.n ? s : doc_get_str(l->taskdef->spec, "memory"),
		&memory))
		return reply_error(c, INVALID,
		    "Invalid 'memory' setting for task.");
	if (!fargate_size(cpu, memory))
		return reply_error(c, "ClientException", FARGATE_NO_SIZE,
		    (long long)cpu, (long long)memory);
	doc_setf(c->arena, l->spec, "cpu", "%lld", (long long)cpu);
	doc_setf(c->arena, l->spec, "memory", "%lld", (long long)memory);
	doc_set(c->arena, l->spec, "overrides",
	    ov ? doc_copy(c->arena, ov) : doc_obj(c->arena));
	if (!doc_path(l->spec, "overrides", "containerOverrides", NULL))
		doc_set(c->arena, doc_get(l->spec, "overrides"),
		    "containerOverrides", doc_arr(c->arena));
	return NULL;
}

/* The first provider of the strategy with a base, else the heaviest. */
static struct span
provider(const struct doc *strategy)
{
	struct span best = SPAN_NULL;
	int64_t most = -1;

	doc_each(s, strategy) {
		int64_t w = doc_get_int(s, "base", 0) > 0 ?
		    INT64_MAX :
		    doc_get_int(s, "weight", 0);

		if (w > most) {
			most = w;
			best = doc_get_str(s, "capacityProvider");
		}
	}
	return best;
}

/* Members that only the service controller sends. */
static void
copy_internal(struct call *c, struct doc *spec)
{
	static const char *const names[] = {
		"ServiceName", "Revision", "Subnet", "loadBalancers"};

	if (!c->who.system)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct doc *v = doc_get(c->in, names[i]);

		if (v)
			doc_set(c->arena, spec, names[i],
			    doc_copy(c->arena, v));
	}
}

static struct reply *
check_names(struct call *c, struct launch *l)
{
	struct arena *a = c->arena;
	struct span group = doc_get_str(c->in, "group");
	struct span by = doc_get_str(c->in, "startedBy");

	if (!c->who.system &&
	    span_is(doc_get_str(c->in, "propagateTags"), "SERVICE"))
		return reply_error(c, INVALID,
		    "The SERVICE option for propagateTags is only valid for "
		    "services.");
	if (by.n > 128)
		return reply_error(c, INVALID,
		    "startedBy can have at most 128 characters.");
	if (!c->who.system && (span_starts(group, SPAN("service:")) ||
		span_starts(group, SPAN("family:"))))
		return reply_error(c, INVALID,
		    "Invalid namespace for group: %.*s.", SPAN_ARG(group));
	if (!group.n)
		group = arena_fmt_span(a, "family:%.*s",
		    SPAN_ARG(doc_get_str(l->taskdef->spec, "family")));
	doc_set_str(a, l->spec, "group", group);
	if (by.n)
		doc_set_str(a, l->spec, "startedBy", by);
	return NULL;
}

static struct reply *
launch_prepare(struct call *c, struct launch *l)
{
	struct arena *a = c->arena;
	struct refusal why;
	struct reply *bad;

	l->spec = doc_obj(a);
	l->tags = doc_get(c->in, "tags");
	if ((bad = cluster_find(c, true, &l->cluster)) ||
	    /* A running deployment keeps its revision alive, whatever
	     * became of its status. */
	    (bad = taskdef_find(c, c->who.system,
		 doc_get_str(c->in, "taskDefinition"), &l->taskdef)))
		return bad;
	if (!ecs_tags_check(a, l->tags, c->who.system, &why))
		return reply_refusal(c, &why);
	if ((bad = launch_check(c, c->in, l->cluster, l->taskdef->spec,
		 l->spec)) ||
	    (bad = check_overrides(c, l)) || (bad = check_names(c, l)))
		return bad;
	doc_set_str(a, l->spec, "platformVersion", SPAN("1.4.0"));
	doc_set_str(a, l->spec, "launchType", SPAN("FARGATE"));
	if (doc_get(l->spec, "capacityProviderStrategy"))
		doc_set_str(a, l->spec, "capacityProviderName",
		    provider(doc_get(l->spec, "capacityProviderStrategy")));
	doc_del(l->spec, "capacityProviderStrategy");
	doc_set_str(a, l->spec, "taskDefinitionArn", l->taskdef->arn);
	doc_set_str(a, l->spec, "family",
	    doc_get_str(l->taskdef->spec, "family"));
	doc_set_str(a, l->spec, "clusterArn", l->cluster->arn);
	doc_set_bool(a, l->spec, "enableExecuteCommand", false);
	doc_set_str(a, l->spec, "desiredStatus", SPAN("RUNNING"));
	copy_internal(c, l->spec);
	return NULL;
}

static struct doc *
first_containers(struct call *c, const struct res *task,
    const struct doc *taskdef)
{
	struct arena *a = c->arena;
	struct doc *list = doc_arr(a);
	int n = 0;

	doc_each(def, doc_get(taskdef, "containerDefinitions")) {
		struct doc *k = doc_obj(a);

		doc_setf(a, k, "containerArn",
		    "arn:aws:ecs:%.*s:%.*s:container/%.*s/%.*s/%s",
		    SPAN_ARG(c->scope.region), SPAN_ARG(c->scope.account),
		    SPAN_ARG(task->parent), SPAN_ARG(task->id), id_uuid(a));
		doc_set_str(a, k, "taskArn", task->arn);
		doc_set_str(a, k, "name", doc_get_str(def, "name"));
		doc_set_str(a, k, "image", doc_get_str(def, "image"));
		doc_set_str(a, k, "lastStatus", SPAN("PENDING"));
		doc_set(a, k, "networkInterfaces", doc_arr(a));
		doc_set_str(a, k, "healthStatus", SPAN("UNKNOWN"));
		doc_setf(a, k, "cpu", "%lld",
		    (long long)doc_get_int(def, "cpu", 0));
		if (doc_get(def, "memory"))
			doc_setf(a, k, "memory", "%lld",
			    (long long)doc_get_int(def, "memory", 0));
		if (doc_get(def, "memoryReservation"))
			doc_setf(a, k, "memoryReservation", "%lld",
			    (long long)doc_get_int(def, "memoryReservation",
				0));
		doc_setf(a, k, "RuntimeContainer", "%.*s-%d",
		    SPAN_ARG(task->id), n++);
		doc_push(list, k);
	}
	return list;
}

/* Without a word of the service controller, subnets are taken in turn. */
static void
choose_subnet(struct call *c, struct doc *spec, size_t turn)
{
	const struct doc *subnets = doc_path(spec, "networkConfiguration",
	    "awsvpcConfiguration", "subnets", NULL);

	if (!doc_get(spec, "Subnet"))
		doc_set_str(c->arena, spec, "Subnet",
		    doc_span(doc_at(subnets, turn % doc_len(subnets))));
}

static int
put_tags(struct call *c, const struct launch *l, const struct res *r)
{
	struct doc *own;
	int e = ecs_tags_put(c, r, l->tags);

	if (e)
		return err_trace(e);
	if (doc_true(doc_get(c->in, "enableECSManagedTags")))
		if ((e = store_tag(c->store, r, SPAN("aws:ecs:clusterName"),
			 l->cluster->id)))
			return err_fold(e);
	if (!span_is(doc_get_str(c->in, "propagateTags"), "TASK_DEFINITION"))
		return 0;
	if ((e = tags_list(c, l->taskdef, &own)))
		return err_trace(e);
	doc_each(t, own) {
		struct span key = doc_get_str(t, "key");
		bool given = false;

		doc_each(g, l->tags)
			given |= span_eq(doc_get_str(g, "key"), key);
		if (!given && (e = store_tag(c->store, r, key,
				   doc_get_str(t, "value"))))
			return err_fold(e);
	}
	return 0;
}

static int
task_new(struct call *c, const struct launch *l, size_t turn,
    struct res **ret)
{
	struct arena *a = c->arena;
	struct span id = span_of(id_hex(a, 32));
	struct res *r = res_new(a, &ecs_task, c->scope, l->cluster->id, id);
	int e;

	r->arn = kind_arn(a, &ecs_task, c->scope, l->cluster->id, id);
	r->spec = doc_copy(a, l->spec);
	choose_subnet(c, r->spec, turn);
	doc_set_time(a, r->spec, "createdAt", clock_ms());
	doc_set_str(a, r->status, "lastStatus", SPAN("PROVISIONING"));
	doc_set_str(a, r->status, "desiredStatus", SPAN("RUNNING"));
	if (doc_get(r->spec, "ServiceName"))
		doc_set_str(a, r->status, "LiveIn",
		    doc_get_str(r->spec, "ServiceName"));
	doc_set(a, r->status, "Containers",
	    first_containers(c, r, l->taskdef->spec));
	doc_set(a, r->spec, "ephemeralStorage",
	    doc_copy(a, doc_get(l->taskdef->spec, "ephemeralStorage")));
	if ((e = store_insert(c->store, a, r)))
		return err_fold(e);
	if ((e = put_tags(c, l, r)))
		return err_trace(e);
	*ret = r;
	return 0;
}

/* A repeated clientToken gives what the first call gave; with other input it
 * is a conflict. */
static struct reply *
check_token(struct call *c, struct span token, struct span hash)
{
	struct arena *a = c->arena;
	struct doc *out, *tasks;
	struct res *r, *t;
	int e = store_get(c->store, a, &ecs_run_token, c->scope, SPAN_NULL,
	    token, &r);

	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return NULL;
	if (!span_eq(doc_get_str(r->spec, "Hash"), hash))
		return reply_error_with(c, 400, "ConflictException",
		    doc_set(a, doc_obj(a), "resourceIds",
			doc_copy(a, doc_get(r->spec, "Tasks"))),
		    "The clientToken was used with different parameters.");
	out = doc_obj(a);
	tasks = doc_arr(a);
	doc_each(arn, doc_get(r->spec, "Tasks")) {
		e = store_get_arn(c->store, a, doc_span(arn), &t);
		if (e < 0)
			return reply_failure(c, e);
		if (e == 0)
			doc_push(tasks, task_view(c, t));
	}
	doc_set(a, out, "tasks", tasks);
	doc_set(a, out, "failures", doc_arr(a));
	return reply_ok(c, out);
}

static int
keep_token(struct call *c, struct span token, struct span hash,
    const struct doc *tasks)
{
	struct arena *a = c->arena;
	struct res *r =
	    res_new(a, &ecs_run_token, c->scope, SPAN_NULL, token);
	struct doc *arns = doc_arr(a);

	doc_each(t, tasks)
		doc_push_str(a, arns, doc_get_str(t, "taskArn"));
	doc_set_str(a, r->spec, "Hash", hash);
	doc_set(a, r->spec, "Tasks", arns);
	return store_insert(c->store, a, r);
}

struct reply *
run_task(struct call *c)
{
	struct arena *a = c->arena;
	struct span token = doc_get_str(c->in, "clientToken"), hash = SPAN_NULL;
	int64_t count = doc_get_int(c->in, "count", 1);
	struct doc *out = doc_obj(a), *tasks = doc_arr(a);
	struct launch l = {0};
	struct reply *r;
	int e;

	if (count < 1 || count > 10)
		return reply_error(c, INVALID,
		    "The task count must be between 1 and 10.");
	if (token.n) {
		hash = span_of(sha256_hex(a, doc_json(a, c->in)));
		if ((r = check_token(c, token, hash)))
			return r;
	}
	if ((r = launch_prepare(c, &l)))
		return r;
	if (token.n)
		doc_set_str(a, l.spec, "Token", token);
	for (int64_t i = 0; i < count; i++) {
		struct res *t = NULL;

		if ((e = task_new(c, &l, (size_t)i, &t)))
			return reply_failure(c, e);
		doc_push(tasks, task_view(c, t));
	}
	if (token.n && (e = keep_token(c, token, hash, tasks)))
		return reply_failure(c, err_fold(e));
	doc_set(a, out, "tasks", tasks);
	doc_set(a, out, "failures", doc_arr(a));
	return reply_ok(c, out);
}

struct reply *
start_task(struct call *c)
{
	return reply_error(c, INVALID,
	    "StartTask places tasks on container instances; there are none "
	    "with Fargate. Use RunTask.");
}

struct reply *
stop_task(struct call *c)
{
	struct arena *a = c->arena;
	struct span ref = doc_get_str(c->in, "task");
	struct span reason = doc_get_str(c->in, "reason");
	struct doc *out = doc_obj(a);
	struct res *cluster = NULL, *t = NULL;
	struct reply *bad;
	int e;

	if ((bad = cluster_find(c, false, &cluster)) ||
	    (bad = ref_check(c, ref)))
		return bad;
	e = task_get(c, cluster->id, ref, &t);
	if (e < 0)
		return reply_failure(c, e);
	if (e)
		return reply_error(c, INVALID,
		    "The referenced task was not found.");
	if (!span_is(doc_get_str(t->spec, "desiredStatus"), "STOPPED") &&
	    !span_is(doc_get_str(t->status, "lastStatus"), "STOPPED")) {
		doc_set_str(a, t->spec, "desiredStatus", SPAN("STOPPED"));
		doc_set_str(a, t->spec, "StopReason",
		    reason.n ? reason : SPAN("Task stopped by user"));
		doc_set_str(a, t->spec, "StopCode",
		    c->who.system ? SPAN("ServiceSchedulerInitiated") :
				    SPAN("UserInitiated"));
		if ((e = store_put_spec(c->store, t)))
			return reply_failure(c, err_fold(e));
	}
	doc_set(a, out, "task", task_view(c, t));
	return reply_ok(c, out);
}

/* Views */

static void
detail(struct arena *a, struct doc *list, const char *name, struct span v)
{
	struct doc *d = doc_obj(a);

	if (!v.n)
		return;
	doc_set_str(a, d, "name", span_of(name));
	doc_set_str(a, d, "value", v);
	doc_push(list, d);
}

static struct doc *
attachments(struct arena *a, const struct res *t)
{
	const struct doc *eni = doc_get(t->status, "Eni");
	struct doc *list = doc_arr(a), *at, *details;

	if (!eni)
		return list;
	at = doc_obj(a);
	details = doc_arr(a);
	doc_set_str(a, at, "id", doc_get_str(eni, "attachmentId"));
	doc_set_str(a, at, "type", SPAN("ElasticNetworkInterface"));
	doc_set_str(a, at, "status", doc_get_str(eni, "status"));
	detail(a, details, "subnetId", doc_get_str(t->spec, "Subnet"));
	detail(a, details, "networkInterfaceId",
	    doc_get_str(eni, "networkInterfaceId"));
	detail(a, details, "macAddress", doc_get_str(eni, "macAddress"));
	detail(a, details, "privateDnsName",
	    doc_get_str(eni, "privateDnsName"));
	detail(a, details, "privateIPv4Address",
	    doc_get_str(eni, "privateIPv4Address"));
	doc_set(a, at, "details", details);
	doc_push(list, at);
	return list;
}

struct doc *
task_view(struct call *c, const struct res *t)
{
	struct arena *a = c->arena;
	struct doc *d = doc_copy(a, t->spec), *arch = doc_obj(a);

	/* Status wins where both have a member, but who asked for the end is
	 * known before the controller has seen it. */
	doc_each_key(k, v, t->status)
		doc_setn(a, d, k, doc_copy(a, v));
	if (span_is(doc_get_str(t->spec, "desiredStatus"), "STOPPED"))
		doc_set_str(a, d, "desiredStatus", SPAN("STOPPED"));
	doc_set_str(a, d, "taskArn", t->arn);
	doc_set_int(a, d, "version", t->version);
	doc_set(a, d, "attachments", attachments(a, t));
	doc_set_str(a, arch, "name", SPAN("ecs.cpu-architecture"));
	doc_set_str(a, arch, "value", SPAN("x86_64"));
	doc_set(a, d, "attributes", doc_arr(a));
	doc_push(doc_get(d, "attributes"), arch);
	doc_set(a, d, "containers",
	    doc_copy(a, doc_get(t->status, "Containers")));
	doc_set(a, d, "inferenceAccelerators", doc_arr(a));
	doc_set(a, d, "tags", doc_arr(a));
	if (!doc_get(d, "ephemeralStorage")) {
		struct doc *e = doc_obj(a);

		doc_set_int(a, e, "sizeInGiB", 20);
		doc_set(a, d, "ephemeralStorage", e);
	}
	return d;
}

struct reply *
describe_tasks(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *found = doc_arr(a), *lost = doc_arr(a);
	const struct doc *refs = doc_get(c->in, "tasks");
	struct res *cluster = NULL, *t = NULL;
	struct reply *bad;

	if ((bad = cluster_find(c, false, &cluster)))
		return bad;
	if (!doc_len(refs))
		return reply_error(c, INVALID, "Tasks cannot be empty.");
	if (doc_len(refs) > 100)
		return reply_error(c, INVALID,
		    "Tasks cannot have more than 100 elements.");
	doc_each(v, refs) {
		struct span ref = doc_span(v);
		struct doc *view, *tags;
		int e;

		if ((bad = ref_check(c, ref)))
			return bad;
		e = task_get(c, cluster->id, ref, &t);
		if (e < 0)
			return reply_failure(c, e);
		if (e) {
			failure_add(c, lost,
			    span_starts(ref, SPAN("arn:")) ?
				ref :
				kind_arn(a, &ecs_task, c->scope, cluster->id,
				    ref),
			    "MISSING");
			continue;
		}
		view = task_view(c, t);
		if (includes(c, "TAGS")) {
			if ((e = tags_list(c, t, &tags)))
				return reply_failure(c, e);
			doc_set(a, view, "tags", tags);
		}
		doc_push(found, view);
	}
	doc_set(a, out, "tasks", found);
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}

static bool
list_task(struct call *c, struct res *t, struct doc *list, void *ctx)
{
	struct span want = doc_get_str(c->in, "desiredStatus");
	struct span family = doc_get_str(c->in, "family");
	struct span by = doc_get_str(c->in, "startedBy");
	struct span type = doc_get_str(c->in, "launchType");
	bool stopped =
	    span_is(doc_get_str(t->spec, "desiredStatus"), "STOPPED") ||
	    span_is(doc_get_str(t->status, "desiredStatus"), "STOPPED");

	(void)ctx;
	if (stopped != span_is(want, "STOPPED") ||
	    (family.n && !span_eq(family, doc_get_str(t->spec, "family"))) ||
	    (by.n && !span_eq(by, doc_get_str(t->spec, "startedBy"))) ||
	    (type.n && !span_is(type, "FARGATE")))
		return false;
	doc_push_str(c->arena, list, t->arn);
	return true;
}

struct reply *
list_tasks(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *arns = doc_arr(c->arena);
	struct span service = doc_get_str(c->in, "serviceName");
	struct res *cluster = NULL, *svc = NULL;
	struct reply *bad;
	struct query q = {.kind = &ecs_task, .scope = c->scope};
	int e;

	if ((bad = cluster_find(c, false, &cluster)))
		return bad;
	q.parent = cluster->id;
	if (doc_get_str(c->in, "containerInstance").n)
		return reply_error(c, INVALID,
		    "The specified container instance does not exist.");
	if (service.n) {
		e = service_get(c, cluster->id, service, &svc);
		if (e < 0)
			return reply_failure(c, e);
		if (e)
			return reply_error(c, "ServiceNotFoundException",
			    "Service not found.");
		q.index = "spec.ServiceName";
		q.value = svc->id;
	}
	/* PENDING is never a desired status that lasts; AWS answers nothing. */
	if (!span_is(doc_get_str(c->in, "desiredStatus"), "PENDING") &&
	    (bad = page_walk(c, &q, 100, 100, list_task, NULL, arns, out)))
		return bad;
	doc_set(c->arena, out, "taskArns", arns);
	return reply_ok(c, out);
}
