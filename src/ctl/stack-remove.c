/* Stacks: removes resources, what needs them first. */
#include <errno.h>

#include "base/err.h"
#include "ctl/stack.h"

/* How long something may stay in use by what is being removed elsewhere. */
#define IN_USE_MS (120 * 1000LL)

static bool
deleting_stack(const struct stack_work *w)
{
	struct span phase = doc_get_str(w->stack->status, "Phase");

	return span_is(phase, "delete") || span_is(phase, "rollback");
}

/* It is no more a resource of the stack.  A stack that goes shows what it had;
 * one that stays does not. */
static int
forget(struct stack_work *w, struct res *row, const char *status,
    struct span reason)
{
	int e;

	stack_row_step(w, row, "done");
	doc_set_bool(w->a, row->status, "Gone", true);
	if ((e = stack_say(w, row, status, reason)))
		return err_trace(e);
	if (deleting_stack(w))
		return 0;
	e = store_delete(w->store, row);
	return e ? err_fold(e) : 0;
}

static bool
retained(struct stack_work *w, const struct res *row)
{
	bool replaced = doc_get_bool(row->status, "Replaced", false);
	struct span policy = doc_get_str(row->status,
	    replaced ? "UpdateReplacePolicy" : "DeletionPolicy");
	struct span phase = doc_get_str(w->stack->status, "Phase");
	bool made = span_is(phase, "rollback") ||
	    span_is(phase, "update-rollback-cleanup");

	if (doc_has_str(doc_get(w->stack->spec, "RetainResources"), row->id) ||
	    doc_get_bool(row->status, "Imported", false))
		return true;
	/* AWS: what the operation that failed made goes, if one of both says
	 * so. */
	if (made && doc_get_bool(w->stack->spec, "RetainExceptOnCreate", false))
		return false;
	if (span_is(policy, "RetainExceptOnCreate"))
		return !made;
	return span_is(policy, "Retain");
}

/* AWS: a deletion by force leaves behind what it cannot delete. */
static int
remove_failed(struct stack_work *w, struct res *row, struct span reason)
{
	if (span_is(doc_get_str(w->stack->spec, "DeletionMode"),
		"FORCE_DELETE_STACK"))
		return forget(w, row, "DELETE_SKIPPED", reason);
	stack_row_step(w, row, "failed");
	return stack_say(w, row, "DELETE_FAILED", reason);
}

static int
settle(struct stack_work *w, struct res *row)
{
	enum cfn_outcome o;
	struct cfn_run run;
	int e;

	AN(stack_run(w, row, &run));
	if ((e = cfn_settled(&run, true, &o)))
		return err_trace(e);
	if (o == CFN_DONE)
		return forget(w, row, "DELETE_COMPLETE", SPAN_NULL);
	if (o == CFN_WAIT) {
		w->waiting = true;
		return 0;
	}
	return remove_failed(w, row, run.reason);
}

/* Asked again while another resource lets go of it. */
static bool
in_use(struct span reason)
{
	return span_find(reason, SPAN("ResourceConflict")) >= 0;
}

static int
take_away(struct stack_work *w, struct res *row)
{
	int64_t since = doc_get_time(row->status, "Since");
	enum cfn_outcome o;
	struct cfn_run run;
	int e;

	AN(stack_run(w, row, &run));
	if ((e = cfn_remove(&run, &o)))
		return err_trace(e);
	if (o == CFN_FAILED && in_use(run.reason) &&
	    w->now - since < IN_USE_MS) {
		w->waiting = true;
		return 0;
	}
	if (o == CFN_FAILED)
		return remove_failed(w, row, run.reason);
	doc_set_bool(w->a, row->status, "Removed", true);
	if ((e = store_put_status(w->store, row)))
		return err_fold(e);
	return settle(w, row);
}

static int
begin(struct stack_work *w, struct res *row)
{
	struct cfn_run run;
	int e;

	if (!doc_get(row->status, "PhysicalResourceId"))
		return forget(w, row, "DELETE_COMPLETE", SPAN_NULL);
	if (retained(w, row))
		return forget(w, row, "DELETE_SKIPPED", SPAN_NULL);
	stack_row_step(w, row, "busy");
	doc_del(row->status, "Removed");
	if ((e = stack_say(w, row, "DELETE_IN_PROGRESS", SPAN_NULL)))
		return err_trace(e);
	if (!stack_run(w, row, &run))
		return forget(w, row, "DELETE_COMPLETE", SPAN_NULL);
	return take_away(w, row);
}

/* Those that go: all, or what the definition does not have. */
static int
candidates(struct stack_work *w, bool all, struct res_list *ret)
{
	struct cfn_error err;
	int e = all ? 0 : stack_open(&w->x, doc_get(w->stack->spec, "Def"),
	    &err);

	*ret = (struct res_list){arena_array(w->a, struct res *,
	    w->x.rows.n + 1), 0, false};
	if (e)
		return e < 0 ? err_trace(e) : err_origin(EINVAL, "%.*s",
		    SPAN_ARG(err.text));
	for (size_t i = 0; i < w->x.rows.n; i++) {
		struct res *row = w->x.rows.v[i];

		if (doc_get_bool(row->status, "Gone", false))
			continue;
		if (all || doc_get_bool(row->status, "Replaced", false) ||
		    cfn_find(w->x.stack, row->id) == CFN_NONE)
			ret->v[ret->n++] = row;
	}
	return 0;
}

/* Before a row goes what needs it: the rows that name it among their Deps. */
static struct stack_plan
plan(struct stack_work *w, const struct res_list *l)
{
	struct stack_item *v = arena_array(w->a, struct stack_item, l->n + 1);
	size_t *deps;

	for (size_t i = 0; i < l->n; i++) {
		struct span id = doc_get_str(l->v[i]->status,
		    "LogicalResourceId");

		deps = arena_array(w->a, size_t, l->n + 1);
		v[i].state = stack_row_state(w, l->v[i]);
		v[i].deps = deps;
		for (size_t j = 0; j < l->n; j++)
			if (j != i && doc_has_str(doc_get(l->v[j]->status,
					  "Deps"), id))
				deps[v[i].n_deps++] = j;
	}
	return stack_plan(w->a, v, l->n, true);
}

static int
look_at_busy(struct stack_work *w, const struct res_list *l)
{
	int e;

	for (size_t i = 0; i < l->n; i++) {
		struct res *row = l->v[i];

		if (stack_row_state(w, row) != ITEM_BUSY)
			continue;
		e = doc_get_bool(row->status, "Removed", false) ?
		    settle(w, row) : take_away(w, row);
		if (e)
			return err_trace(e);
	}
	return 0;
}

int
stack_remove(struct stack_work *w, bool all, enum stack_end *ret,
    struct span *ret_why)
{
	struct stack_plan p;
	struct res_list l;
	int e = candidates(w, all, &l);

	if (e || (e = look_at_busy(w, &l)))
		return err_trace(e);
	for (p = plan(w, &l); !p.done && !p.failed && p.n; p = plan(w, &l)) {
		for (size_t i = 0; i < p.n && w->budget; i++, w->budget--)
			if ((e = begin(w, l.v[p.start[i]])))
				return err_trace(e);
		w->again = !w->budget;
		if (w->again)
			break;
	}
	*ret = p.failed ? STACK_FAILED : p.done ? STACK_DONE : STACK_GOES_ON;
	if (p.failed)
		*ret_why = stack_failed_text(w, "delete", "DELETE_FAILED");
	return 0;
}
