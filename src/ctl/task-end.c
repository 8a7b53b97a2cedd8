/* DEACTIVATING, STOPPING and DEPROVISIONING: a task ends so that nobody's
 * request is lost: first no new ones come, then the old ones end, then the
 * processes are asked to stop. */
#include <signal.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/task-step.h"
#include "svc/elbv2/kinds.h"

static bool
all_ended(const struct step *st)
{
	for (size_t i = 0; i < st->live->n; i++) {
		const struct live_container *k = &st->live->v[i];

		if (k->start_asked && !k->exited && !k->failure)
			return false;
	}
	return true;
}

/* DEACTIVATING */

/* *ret: the target is out, or there is no group any more to be out of. */
static int
deregister(struct step *st, const struct doc *lb, struct span ip, bool *ret)
{
	struct arena *a = st->a;
	struct doc *in = doc_obj(a), *list = doc_arr(a), *t = doc_obj(a);
	struct op_result r;
	int e;

	doc_set_str(a, t, "Id", ip);
	doc_set_int(a, t, "Port", doc_get_int(lb, "containerPort", 0));
	doc_push(list, t);
	doc_set_str(a, in, "TargetGroupArn",
	    doc_get_str(lb, "targetGroupArn"));
	doc_set(a, in, "Targets", list);
	if ((e = step_call(st, "elbv2", "DeregisterTargets", in,
		 st->task->scope, &r)))
		return err_trace(e);
	*ret = !r.error.n || span_is(r.error, "TargetGroupNotFound");
	if (!*ret)
		log_warn("task %.*s: deregister: %.*s", SPAN_ARG(st->task->id),
		    SPAN_ARG(r.message));
	return 0;
}

/* Takes our targets out.  *ret_drains: one is still there; its row goes when
 * draining has ended.  *ret_refused: one could not be taken out. */
static int
drain(struct step *st, bool *ret_drains, bool *ret_refused)
{
	struct span ip = doc_get_str(doc_get(st->task->status, "Eni"),
	    "privateIPv4Address");

	*ret_drains = *ret_refused = false;
	doc_each(lb, doc_get(st->task->spec, "loadBalancers")) {
		struct span id = arena_fmt_span(st->a, "%.*s:%lld",
		    SPAN_ARG(ip),
		    (long long)doc_get_int(lb, "containerPort", 0));
		struct res *r;
		bool out = false;
		int e = store_get(ctl_env(st->s->ctl)->store, st->a,
		    &elbv2_target, st->task->scope,
		    doc_get_str(lb, "targetGroupArn"), id, &r);

		if (e < 0)
			return err_trace(e);
		if (e)
			continue;
		*ret_drains = true;
		if (doc_get_bool(r->spec, "Draining", false))
			continue;
		if ((e = deregister(st, lb, ip, &out)))
			return err_trace(e);
		*ret_refused |= !out;
	}
	return 0;
}

int
step_deactivating(struct step *st)
{
	bool drains = false, refused = false;
	int e;

	if (doc_get(st->task->status, "Eni") &&
	    (e = drain(st, &drains, &refused)))
		return err_trace(e);
	if (refused)
		step_again(st, 1000);
	/* With no process left there is nothing to wait for. */
	else if (!drains || all_ended(st))
		step_go(st, "STOPPING");
	return 0;
}

/* STOPPING */

static void
stop_container(struct step *st, size_t i)
{
	struct live_container *k = &st->live->v[i];
	const struct doc *def = step_definition(st, i);
	struct span sig = doc_get_str(step_container(st, i), "StopSignal");

	if (!k->started || k->exited)
		return;
	if (!k->stop_asked) {
		if (!task_may_stop(doc_get_str(def, "name"), st->taskdef,
			doc_get(st->task->status, "Containers")))
			return;
		k->stop_asked = true;
		/* AWS: 30 seconds on Fargate unless stopTimeout says else. */
		k->kill_at =
		    st->now + doc_get_int(def, "stopTimeout", 30) * 1000;
		live_kill(k, task_signal(sig));
	}
	if (k->kill_asked)
		return;
	if (st->now >= k->kill_at) {
		k->kill_asked = true;
		live_kill(k, SIGKILL);
		return;
	}
	step_again(st, k->kill_at - st->now);
}

int
step_stopping(struct step *st)
{
	for (size_t i = 0; i < st->live->n; i++)
		stop_container(st, i);
	if (!all_ended(st))
		return 0;
	for (size_t i = 0; i < st->live->n; i++)
		doc_set_str(st->a, step_container(st, i), "lastStatus",
		    SPAN("STOPPED"));
	step_time(st, "executionStoppedAt");
	step_go(st, "DEPROVISIONING");
	return 0;
}

/* DEPROVISIONING */

static int
delete_interface(struct step *st)
{
	struct doc *eni = doc_get(st->task->status, "Eni");
	struct doc *in = doc_obj(st->a);
	struct op_result r;
	int e;

	if (!eni)
		return 0;
	doc_set_str(st->a, in, "NetworkInterfaceId",
	    doc_get_str(eni, "networkInterfaceId"));
	if ((e = step_call(st, "ec2", "DeleteNetworkInterface", in,
		 st->task->scope, &r)))
		return err_trace(e);
	if (r.error.n &&
	    !span_is(r.error, "InvalidNetworkInterfaceID.NotFound"))
		return err_origin(EAGAIN, "DeleteNetworkInterface: %.*s",
		    SPAN_ARG(r.message));
	doc_set_str(st->a, eni, "status", SPAN("DELETED"));
	return 0;
}

static bool
due(struct step *st, int64_t at)
{
	if (st->now >= at)
		return true;
	step_again(st, at - st->now);
	return false;
}

int
step_deprovisioning(struct step *st)
{
	bool left = false;
	int e;

	/* What the containers left is known nowhere else: not removed before
	 * it is stored.  That wakes us. */
	if (!span_is(st->begun_in, "DEPROVISIONING"))
		return 0;
	for (size_t i = 0; i < st->live->n; i++) {
		struct live_container *k = &st->live->v[i];

		if (!k->start_asked)
			continue;
		left |= !k->removed;
		if (!k->removed && !k->remove_asked && due(st, k->remove_at))
			live_remove(k);
	}
	if (left)
		return 0;
	if (!st->live->task_removed) {
		if (!st->live->task_remove_asked &&
		    due(st, st->live->remove_at))
			live_task_remove(st->live);
		return 0;
	}
	if ((e = delete_interface(st)))
		return err_trace(e);
	doc_del(st->task->status, "LiveIn");
	step_time(st, "stoppedAt");
	step_go(st, "STOPPED");
	return 0;
}
