/* Stacks: which phase follows which, and what a stack says of itself. */
#include "base/clock.h"
#include "base/err.h"
#include "ctl/stack.h"
#include "svc/acm/kinds.h"
#include "svc/ec2/kinds.h"
#include "svc/ecs/kinds.h"
#include "svc/elbv2/kinds.h"

/* Resources that one run begins, before others have their turn. */
#define BUDGET 40
/* What settles without a change of a row that wakes us is looked at again. */
#define LOOK_MS 500

/* Stacks that wait for something, by row. */
struct stack_state {
	int64_t *v;
	size_t n;
};

static bool
is_phase(const struct stack_work *w, const char *phase)
{
	return span_is(doc_get_str(w->stack->status, "Phase"), phase);
}

/* phase NULL: nothing goes on any more. */
static int
turn(struct stack_work *w, const char *phase, const char *status,
    struct span reason)
{
	w->again = phase != NULL;
	return stack_turn(w->store, w->a, w->stack, phase, status, reason);
}

static int
put_spec(struct stack_work *w)
{
	int e = store_put_spec(w->store, w->stack);

	return e ? err_fold(e) : 0;
}

/* Ends of phases */

/* An update can no more go back. */
static int
forget_before(struct stack_work *w)
{
	int e;

	for (size_t i = 0; i < w->x.rows.n; i++) {
		struct res *row = w->x.rows.v[i];

		if (!doc_get(row->status, "Before") &&
		    !doc_get(row->status, "Imported"))
			continue;
		doc_del(row->status, "Before");
		doc_del(row->status, "Imported");
		e = store_put_status(w->store, row);
		if (e && e != STORE_E_NOT_FOUND)
			return err_trace(e);
	}
	if (!doc_get(w->stack->spec, "Prior"))
		return 0;
	doc_del(w->stack->spec, "Prior");
	doc_del(w->stack->spec, "SkipResources");
	return put_spec(w);
}

static int
forward_failed(struct stack_work *w, struct span why)
{
	struct span on = doc_get_str(w->stack->spec, "OnFailure");
	bool stay = doc_get_bool(w->stack->spec, "DisableRollback", false);
	struct span asked = arena_fmt_span(w->a,
	    "%.*sRollback requested by user.", SPAN_ARG(why));
	int e;

	doc_set_str(w->a, w->stack->status, "WhyFailed", why);
	if (is_phase(w, "import"))
		return turn(w, "import-rollback", "IMPORT_ROLLBACK_IN_PROGRESS",
		    why);
	if (is_phase(w, "update-rollback"))
		return turn(w, NULL, "UPDATE_ROLLBACK_FAILED", why);
	if (is_phase(w, "update")) {
		if (stay)
			return turn(w, NULL, "UPDATE_FAILED", why);
		/* It never was complete: there is nothing to go back to. */
		if (!doc_get(w->stack->spec, "Prior"))
			return turn(w, "rollback", "ROLLBACK_IN_PROGRESS",
			    asked);
		doc_set(w->a, w->stack->spec, "Def", doc_copy(w->a,
		    doc_get(w->stack->spec, "Prior")));
		if ((e = put_spec(w)))
			return err_trace(e);
		return turn(w, "update-rollback",
		    "UPDATE_ROLLBACK_IN_PROGRESS", why);
	}
	if (stay || span_is(on, "DO_NOTHING"))
		return turn(w, NULL, "CREATE_FAILED", why);
	if (span_is(on, "DELETE"))
		return turn(w, "delete", "DELETE_IN_PROGRESS", why);
	return turn(w, "rollback", "ROLLBACK_IN_PROGRESS", asked);
}

static int
forward_done(struct stack_work *w)
{
	struct span why = SPAN_NULL;
	int e = stack_publish(w, &why);

	if (e)
		return err_trace(e);
	if (why.n)
		return forward_failed(w, why);
	if (is_phase(w, "create") || is_phase(w, "import"))
		return (e = forget_before(w)) ? err_trace(e) :
		    turn(w, NULL, is_phase(w, "create") ? "CREATE_COMPLETE" :
			"IMPORT_COMPLETE", SPAN_NULL);
	if (is_phase(w, "update"))
		return turn(w, "cleanup", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
		    SPAN_NULL);
	return turn(w, "update-rollback-cleanup",
	    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", SPAN_NULL);
}

static int
delete_rest(struct stack_work *w)
{
	doc_del(w->stack->spec, "Live");
	doc_del(w->stack->spec, "Prior");
	doc_del(w->stack->status, "Imports");
	doc_set_time(w->a, w->stack->status, "DeletionTime", w->now);
	return put_spec(w);
}

static int
remove_done(struct stack_work *w, struct span why)
{
	int e;

	if (is_phase(w, "delete")) {
		if ((e = delete_rest(w)))
			return err_trace(e);
		return turn(w, NULL, "DELETE_COMPLETE", SPAN_NULL);
	}
	if (is_phase(w, "rollback")) {
		doc_del(w->stack->status, "Outputs");
		doc_del(w->stack->status, "Imports");
		return turn(w, NULL, "ROLLBACK_COMPLETE", SPAN_NULL);
	}
	if ((e = forget_before(w)))
		return err_trace(e);
	doc_set_time(w->a, w->stack->status, "LastUpdatedTime", w->now);
	if (is_phase(w, "cleanup"))
		return turn(w, NULL, "UPDATE_COMPLETE", why);
	return turn(w, NULL, "UPDATE_ROLLBACK_COMPLETE", why);
}

static int
remove_failed(struct stack_work *w, struct span why)
{
	if (is_phase(w, "delete"))
		return turn(w, NULL, "DELETE_FAILED", why);
	if (is_phase(w, "rollback"))
		return turn(w, NULL, "ROLLBACK_FAILED", why);
	/* AWS: the update has been made all the same. */
	return remove_done(w, SPAN("Update successful. One or more resources "
	    "could not be deleted."));
}

/* Exports that others use keep their stack; else they go first, so that no one
 * begins to use what is on its way out. */
static int
withdraw(struct stack_work *w, struct span *ret_why)
{
	int e;

	if (!is_phase(w, "delete"))
		return 0;
	if ((e = store_savepoint(w->store)))
		return err_trace(e);
	e = stack_unexport(w, NULL, ret_why);
	if (e || ret_why->n)
		store_rollback(w->store);
	else
		store_release(w->store);
	return e;
}

/* A stack that this import was to make keeps its definition, and nothing. */
static int
give_back(struct stack_work *w)
{
	const struct doc *prior = doc_get(w->stack->spec, "Prior");
	int e = stack_disown(w);

	if (!e && prior) {
		doc_set(w->a, w->stack->spec, "Def", doc_copy(w->a, prior));
		doc_del(w->stack->spec, "Prior");
		e = put_spec(w);
	}
	return e ? err_trace(e) : turn(w, NULL, "IMPORT_ROLLBACK_COMPLETE",
	    SPAN_NULL);
}

static bool
is_cleanup(const struct stack_work *w)
{
	return is_phase(w, "cleanup") || is_phase(w, "update-rollback-cleanup");
}

static int
backward(struct stack_work *w, bool all)
{
	struct span why = SPAN_NULL;
	enum stack_end end;
	bool busy = false;
	int e = 0;

	if (is_phase(w, "cleanup") && (e = stack_held(w, &w->held)))
		return err_trace(e);
	if (w->held)
		return 0;
	if ((e = withdraw(w, &why)))
		return err_trace(e);
	if (why.n)
		return remove_failed(w, why);
	if ((e = stack_remove(w, all, &end, &why)))
		return err_trace(e);
	if (end == STACK_DONE && is_cleanup(w) &&
	    (e = stack_children_busy(w, &busy)))
		return err_trace(e);
	if (busy) {
		w->waiting = true;
		return 0;
	}
	return end == STACK_DONE ? remove_done(w, SPAN_NULL) :
	    end == STACK_FAILED	 ? remove_failed(w, why) : 0;
}

static int
advance(struct stack_work *w)
{
	bool all = is_phase(w, "delete") || is_phase(w, "rollback");
	int64_t minutes = doc_get_int(w->stack->spec, "TimeoutInMinutes", 0);
	struct span why = SPAN_NULL;
	enum stack_end end;
	int e;

	if (is_phase(w, "import-rollback"))
		return give_back(w);
	if (all || is_cleanup(w))
		return backward(w, all);
	if ((e = stack_forward(w, &end, &why)))
		return err_trace(e);
	if (end == STACK_GOES_ON && is_phase(w, "create") && minutes &&
	    w->now - doc_get_time(w->stack->status, "Since") > minutes * 60000) {
		end = STACK_FAILED;
		why = SPAN("Stack creation time exceeded the specified "
		    "timeout. ");
		e = stack_cancel(w);
	}
	/* Even at its end: the parent of a nested stack counts on it. */
	if (end != STACK_FAILED && is_phase(w, "update") &&
	    doc_get_bool(w->stack->spec, "Cancel", false)) {
		end = STACK_FAILED;
		why = SPAN("User Initiated");
		doc_del(w->stack->spec, "Cancel");
		if (!(e = put_spec(w)))
			e = stack_cancel(w);
	}
	if (e)
		return err_trace(e);
	return end == STACK_DONE ? forward_done(w) :
	    end == STACK_FAILED	 ? forward_failed(w, why) : 0;
}

/* The controller */

static void
set_waiting(struct stack_state *s, int64_t row, bool waiting)
{
	size_t i = 0;

	while (i < s->n && s->v[i] != row)
		i++;
	if (waiting && i == s->n) {
		s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
		s->v[s->n++] = row;
	} else if (!waiting && i < s->n) {
		s->v[i] = s->v[--s->n];
	}
}

static int
run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct stack_work w = {.ctl = ctl, .store = ctl_env(ctl)->store,
		.a = a, .now = clock_ms(), .budget = BUDGET};
	int e = store_get_row(w.store, a, key, &w.stack);
	int64_t last;

	if (e == STORE_E_NOT_FOUND)
		return 0;
	if (e)
		return err_fold(e);
	set_waiting(state, key, false);
	if (!doc_get(w.stack->status, "Phase"))
		return 0;
	last = doc_get_time(w.stack->status, "LastEvent");
	if ((e = stack_context(&w.x, ctl_env(ctl)->api, w.store, a, w.stack)) ||
	    (e = advance(&w)))
		return err_trace(e);
	/* Events of resources do not write the stack. */
	if (doc_get_time(w.stack->status, "LastEvent") != last &&
	    (e = store_put_status(w.store, w.stack)))
		return err_fold(e);
	set_waiting(state, key, w.waiting || w.held);
	if (w.again)
		*again_ms = 1;
	else if (w.waiting)
		*again_ms = LOOK_MS;
	return 0;
}

static int64_t
key(void *state, struct ctl *ctl, const struct change *c)
{
	bool begins = c->kind == &cloudformation_stack && !c->deleted &&
	    (c->inserted || c->spec);
	struct stack_state *s = state;

	/* Of rows, signals alone are put into the spec. */
	if (c->kind == &cloudformation_resource && (!c->spec || c->inserted))
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] != c->row)
			ctl_wake(ctl, &ctl_stack, s->v[i]);
	return begins ? c->row : 0;
}

static void *
init(struct ctl *ctl UNUSED)
{
	return xcalloc(1, sizeof(struct stack_state));
}

static void
done(void *state)
{
	struct stack_state *s = state;

	free(s->v);
	free(s);
}

/* Stacks, and what resources are seen to settle by. */
static const struct kind *const kinds[] = {&cloudformation_stack,
	&cloudformation_resource, &acm_certificate,
	&ecs_service, &ecs_service_deployment, &ecs_task,
	&elbv2_load_balancer, &ec2_network_interface, &ec2_nat_gateway, NULL};

const struct controller ctl_stack = {
	.name = "stack",
	.kinds = kinds,
	.key = key,
	.init = init,
	.done = done,
	.run = run,
};
