/*
 * The steps of a task.  Each function below is one state: it starts what the
 * state needs, and moves on when it is all there.  See task.h for the states.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"
#include "ctl/task-step.h"
#include "svc/ec2/kinds.h"
#include "svc/ecs/kinds.h"

/* For a network interface to come up. */
#define ATTACH_MS (3 * 60 * 1000)

bool
step_in(const struct step *st, const char *state)
{
	return span_is(doc_get_str(st->task->status, "lastStatus"), state);
}

void
step_go(struct step *st, const char *state)
{
	doc_set_str(st->a, st->task->status, "lastStatus", span_of(state));
	st->dirty = true;
}

void
step_again(struct step *st, int64_t ms)
{
	ms = MAX(ms, (int64_t)1);
	if (!*st->again_ms || ms < *st->again_ms)
		*st->again_ms = ms;
}

void
step_time(struct step *st, const char *member)
{
	doc_set_time(st->a, st->task->status, member, st->now);
	st->dirty = true;
}

/* The first reason stays. */
void
step_stop(struct step *st, const char *code, struct span reason)
{
	struct doc *s = st->task->status;

	if (doc_get(s, "stopCode"))
		return;
	doc_set_str(st->a, s, "desiredStatus", SPAN("STOPPED"));
	doc_set_str(st->a, s, "stopCode", span_of(code));
	doc_set_str(st->a, s, "stoppedReason",
	    span_to(arena_span(st->a, reason), 1024));
	step_time(st, "stoppingAt");
	step_go(st, "DEACTIVATING");
}

int
step_call(struct step *st, const char *service, const char *op,
    const struct doc *in, struct scope scope, struct op_result *ret)
{
	struct principal who =
	    principal_system(st->task->scope.account, "ecs.amazonaws.com");

	*ret = (struct op_result){0};
	return op_call(ctl_env(st->s->ctl)->api, st->a, &who, scope, service,
	    op, in, ret);
}

struct doc *
step_container(const struct step *st, size_t i)
{
	return doc_at(doc_get(st->task->status, "Containers"), i);
}

const struct doc *
step_definition(const struct step *st, size_t i)
{
	return doc_at(doc_get(st->taskdef, "containerDefinitions"), i);
}

/* What is known of the processes, into the status. */

static void
container_runs(struct step *st, struct doc *c, struct live_container *k)
{
	if (!span_is(doc_get_str(c, "lastStatus"), "PENDING"))
		return;
	doc_set_str(st->a, c, "lastStatus", SPAN("RUNNING"));
	doc_setf(st->a, c, "runtimeId", "%s", k->id);
	st->dirty = true;
}

static void
container_stopped(struct step *st, struct doc *c, struct live_container *k)
{
	if (span_is(doc_get_str(c, "lastStatus"), "STOPPED"))
		return;
	doc_set_str(st->a, c, "lastStatus", SPAN("STOPPED"));
	doc_set_int(st->a, c, "exitCode", k->exit.code);
	doc_setf(st->a, c, "runtimeId", "%s", k->id);
	if (k->exit.oom)
		doc_set_str(st->a, c, "reason",
		    SPAN("OutOfMemoryError: Container killed due to memory "
			 "usage"));
	st->dirty = true;
}

/* A container that ran before we started and that the runtime does not know:
 * the host was restarted.  It is not started again; its service will. */
static void
container_lost(struct step *st, struct doc *c, struct live_container *k)
{
	k->exited = true;
	k->start_asked = false;
	doc_set_str(st->a, c, "lastStatus", SPAN("STOPPED"));
	doc_set_str(st->a, c, "reason",
	    SPAN("The host was restarted and the container is gone."));
	st->dirty = true;
}

static void
sync_containers(struct step *st)
{
	for (size_t i = 0; i < st->live->n; i++) {
		struct live_container *k = &st->live->v[i];
		struct doc *c = step_container(st, i);
		bool ran = span_is(doc_get_str(c, "lastStatus"), "RUNNING");

		if (k->exited)
			container_stopped(st, c, k);
		else if (k->started)
			container_runs(st, c, k);
		else if (ran)
			container_lost(st, c, k);
	}
}

static void
sync_exits(struct step *st)
{
	for (size_t i = 0; i < st->live->n; i++) {
		const struct doc *c = step_container(st, i);

		if (span_is(doc_get_str(c, "lastStatus"), "STOPPED") &&
		    doc_get_bool(step_definition(st, i), "essential", true))
			step_stop(st, "EssentialContainerExited",
			    SPAN("Essential container in task exited"));
	}
}

static void
sync_wish(struct step *st)
{
	const struct doc *spec = st->task->spec;

	if (span_is(doc_get_str(spec, "desiredStatus"), "STOPPED"))
		step_stop(st, span_is(doc_get_str(spec, "StopCode"),
				  "ServiceSchedulerInitiated") ?
			"ServiceSchedulerInitiated" :
			"UserInitiated",
		    doc_get_str(spec, "StopReason"));
}

/* PROVISIONING */

static const char *
netns_of(struct step *st)
{
	return arena_fmt(st->a, "task-%.*s", SPAN_ARG(st->task->id));
}

static void
note_interface(struct step *st, const struct doc *eni)
{
	struct arena *a = st->a;
	struct doc *e = doc_obj(a);
	struct span ip = doc_get_str(eni, "PrivateIpAddress");
	char *name = arena_fmt(a, "ip-%.*s.ec2.internal", SPAN_ARG(ip));

	for (char *p = name; *p && *p != 'e'; p++)
		if (*p == '.' && p[1] != 'e')
			*p = '-';
	doc_set_str(a, e, "attachmentId", span_of(id_uuid(a)));
	doc_set_str(a, e, "status", SPAN("ATTACHING"));
	doc_set_str(a, e, "networkInterfaceId",
	    doc_get_str(eni, "NetworkInterfaceId"));
	doc_set_str(a, e, "macAddress", doc_get_str(eni, "MacAddress"));
	doc_set_str(a, e, "privateDnsName", span_of(name));
	doc_set_str(a, e, "privateIPv4Address", ip);
	doc_set(a, st->task->status, "Eni", e);
	for (size_t i = 0; i < st->live->n; i++) {
		struct doc *nic = doc_obj(a), *list = doc_arr(a);

		doc_set_str(a, nic, "attachmentId",
		    doc_get_str(e, "attachmentId"));
		doc_set_str(a, nic, "privateIpv4Address", ip);
		doc_push(list, nic);
		doc_set(a, step_container(st, i), "networkInterfaces", list);
	}
	st->dirty = true;
}

static int
make_interface(struct step *st)
{
	struct arena *a = st->a;
	const struct doc *net = doc_path(st->task->spec, "networkConfiguration",
	    "awsvpcConfiguration", NULL);
	const struct doc *groups = doc_get(net, "securityGroups");
	struct doc *in = doc_obj(a);
	struct op_result r;
	int e;

	doc_set_str(a, in, "SubnetId", doc_get_str(st->task->spec, "Subnet"));
	if (doc_len(groups))
		doc_set(a, in, "Groups", doc_copy(a, groups));
	doc_setf(a, in, "Description", "arn:aws:ecs:%.*s:%.*s:attachment/%s",
	    SPAN_ARG(st->task->scope.region),
	    SPAN_ARG(st->task->scope.account), id_uuid(a));
	doc_set_str(a, in, "NeargateNetns", span_of(netns_of(st)));
	doc_set_bool(a, in, "NeargatePublicIp",
	    span_is(doc_get_str(net, "assignPublicIp"), "ENABLED"));
	if ((e = step_call(st, "ec2", "CreateNetworkInterface", in,
		 st->task->scope, &r)))
		return err_trace(e);
	if (r.error.n) {
		step_stop(st, "TaskFailedToStart",
		    arena_fmt_span(a, "ResourceInitializationError: unable to "
			"create a network interface: %.*s (%.*s)",
			SPAN_ARG(r.message), SPAN_ARG(r.error)));
		return 0;
	}
	note_interface(st, doc_get(r.out, "NetworkInterface"));
	return 0;
}

struct span
step_arch(const struct step *st)
{
	struct span arch =
	    doc_get_str(doc_get(st->taskdef, "runtimePlatform"),
		"cpuArchitecture");

	return span_is(arch, "ARM64") ? SPAN("arm64") : SPAN("amd64");
}

static int
revision_of(struct step *st, struct res **ret)
{
	struct span id = doc_get_str(st->task->spec, "Revision");
	struct span parent = arena_fmt_span(st->a, "%.*s/%.*s",
	    SPAN_ARG(st->task->parent),
	    SPAN_ARG(doc_get_str(st->task->spec, "ServiceName")));

	if (!id.n)
		return STORE_E_NOT_FOUND;
	return store_get(ctl_env(st->s->ctl)->store, st->a,
	    &ecs_service_revision, st->task->scope, parent, id, ret);
}

/* The digest that the service's revision holds for a container, or empty. */
static struct span
pin_of(struct step *st, struct span name)
{
	struct res *rev;

	if (revision_of(st, &rev))
		return SPAN_NULL;
	return doc_get_str(doc_getn(doc_get(rev->status, "Images"), name),
	    "imageDigest");
}

static void
ask_image(struct step *st, size_t i)
{
	const struct doc *def = step_definition(st, i);
	struct span ref = doc_get_str(def, "image"), pin;

	pin = pin_of(st, doc_get_str(def, "name"));
	if (pin.n && !span_is(doc_get_str(def, "versionConsistency"), "disabled"))
		ref = image_pinned(st->a, ref, pin);
	live_image(&st->live->v[i], st->task, ref, step_arch(st));
}

static void
ask_images(struct step *st)
{
	for (size_t i = 0; i < st->live->n; i++)
		if (!st->live->v[i].image_asked && !st->live->v[i].exited)
			ask_image(st, i);
}

static void
wait_for_plane(struct step *st)
{
	int64_t left = doc_get_time(st->task->spec, "createdAt") +
	    ATTACH_MS - st->now;

	if (left > 0)
		step_again(st, left);
	else
		step_stop(st, "TaskFailedToStart",
		    SPAN("Timeout waiting for network interface provisioning "
			 "to complete."));
}

static int
provisioning(struct step *st)
{
	struct res *eni;
	int e;

	ask_images(st);
	if (!doc_get(st->task->status, "Eni")) {
		if ((e = make_interface(st)))
			return err_trace(e);
		return 0;
	}
	e = store_get(ctl_env(st->s->ctl)->store, st->a,
	    &ec2_network_interface, st->task->scope, SPAN_NULL,
	    doc_get_str(doc_get(st->task->status, "Eni"),
		"networkInterfaceId"), &eni);
	if (e < 0)
		return err_trace(e);
	if (e || span_is(doc_get_str(eni->status, "plane"), "error")) {
		step_stop(st, "TaskFailedToStart",
		    arena_fmt_span(st->a, "ResourceInitializationError: the "
			"network interface could not be attached: %.*s",
			SPAN_ARG(e ? SPAN("it was deleted") :
				     doc_get_str(eni->status, "detail"))));
		return 0;
	}
	if (!span_is(doc_get_str(eni->status, "plane"), "up")) {
		wait_for_plane(st);
		return 0;
	}
	doc_set_str(st->a, doc_get(st->task->status, "Eni"), "status",
	    SPAN("ATTACHED"));
	doc_set_str(st->a, st->task->status, "connectivity", SPAN("CONNECTED"));
	doc_set_str(st->a, st->task->status, "availabilityZone",
	    doc_get_str(eni->spec, "AvailabilityZone"));
	step_time(st, "connectivityAt");
	step_time(st, "pullStartedAt");
	step_go(st, "PENDING");
	return 0;
}

/* PENDING */

/* All tasks of a revision run the digest that its first task found. */
static int
pin_image(struct step *st, size_t i, bool *ret_again)
{
	struct live_container *k = &st->live->v[i];
	const struct doc *def = step_definition(st, i);
	struct span name = doc_get_str(def, "name"), pin;
	struct doc *images, *one;
	struct res *rev;
	int e = revision_of(st, &rev);

	*ret_again = false;
	if (e == STORE_E_NOT_FOUND ||
	    span_is(doc_get_str(def, "versionConsistency"), "disabled"))
		return 0;
	if (e)
		return err_trace(e);
	pin = pin_of(st, name);
	if (pin.n) {
		/* Asked for by its digest it is what it is. */
		*ret_again = !span_eq(pin, k->image.pinned) &&
		    !strchr(k->image_ref, '@');
		return 0;
	}
	images = doc_get(rev->status, "Images");
	if (!images)
		images = doc_get(doc_set(st->a, rev->status, "Images",
				     doc_obj(st->a)), "Images");
	one = doc_obj(st->a);
	doc_set_str(st->a, one, "image", doc_get_str(def, "image"));
	doc_set_str(st->a, one, "imageDigest", k->image.pinned);
	doc_setn(st->a, images, name, one);
	e = store_put_status(ctl_env(st->s->ctl)->store, rev);
	return e ? err_fold(e) : 0;
}

static int
pending(struct step *st)
{
	bool all = true;
	int e = step_secrets(st);

	if (e || !step_in(st, "PENDING"))
		return err_trace(e);
	ask_images(st);
	for (size_t i = 0; i < st->live->n; i++) {
		struct live_container *k = &st->live->v[i];
		struct doc *c = step_container(st, i);
		bool again = false;

		if (k->failure) {
			doc_setf(st->a, c, "reason", "%s", k->failure);
			step_stop(st, "TaskFailedToStart",
			    span_of(k->failure));
			return 0;
		}
		if (k->image_ready && (e = pin_image(st, i, &again)))
			return err_trace(e);
		if (again)
			ask_image(st, i);
		if (!k->image_ready) {
			all = false;
			continue;
		}
		doc_set(st->a, c, "imageDigest",
		    doc_strdup(st->a, k->image.pinned));
		doc_set(st->a, c, "StopSignal",
		    doc_strdup(st->a, k->image.stop_signal));
	}
	if (!all)
		return 0;
	step_time(st, "pullStoppedAt");
	step_go(st, "ACTIVATING");
	return 0;
}

static int
step_once(struct step *st)
{
	static const struct {
		const char *state;
		int (*fn)(struct step *st);
	} rows[] = {
		{"PROVISIONING", provisioning},
		{"PENDING", pending},
		{"ACTIVATING", step_activating},
		{"RUNNING", step_running},
		{"DEACTIVATING", step_deactivating},
		{"STOPPING", step_stopping},
		{"DEPROVISIONING", step_deprovisioning},
	};

	sync_containers(st);
	sync_wish(st);
	sync_exits(st);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (step_in(st, rows[i].state))
			return rows[i].fn(st);
	return 0;
}

int
task_step(struct tasks *s, struct arena *a, struct res *task,
    struct live_task *live, const struct doc *taskdef, int64_t *again_ms)
{
	struct step st = {.s = s, .a = a, .task = task, .live = live,
		.taskdef = taskdef, .again_ms = again_ms, .now = clock_ms(),
		.begun_in = arena_span(a,
		    doc_get_str(task->status, "lastStatus"))};
	struct span before;
	int e;

	do {
		before = arena_span(a, doc_get_str(task->status, "lastStatus"));
		if ((e = step_once(&st)))
			return err_trace(e);
	} while (!span_eq(before, doc_get_str(task->status, "lastStatus")));
	if (!st.dirty)
		return 0;
	e = store_put_status(ctl_env(s->ctl)->store, task);
	return e ? err_fold(e) : 0;
}
