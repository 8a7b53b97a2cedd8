/* Stacks: what happens to one resource on the way forward. */
#include "base/err.h"
#include "base/id.h"
#include "cfn/diff.h"
#include "ctl/stack.h"

/* AWS gives a service three hours to become steady. */
#define SETTLE_MS (3 * 60 * 60 * 1000LL)

#define REPLACED "Requested update requires the creation of a new physical " \
	"resource; hence creating one."

int
stack_row_fail(struct stack_work *w, struct res *row, struct span reason)
{
	bool update = doc_get(row->status, "Before") != NULL;

	stack_row_step(w, row, "failed");
	return stack_say(w, row, update ? "UPDATE_FAILED" : "CREATE_FAILED",
	    reason);
}

static void
note_run(struct stack_work *w, struct res *row, const struct cfn_run *run,
    struct doc *props)
{
	doc_set_str(w->a, row->status, "PhysicalResourceId", run->ref);
	doc_set(w->a, row->status, "Props", props);
	if (w->mark.n)
		doc_set_str(w->a, row->status, "Mark", w->mark);
	else
		doc_del(row->status, "Mark");
	doc_set(w->a, row->status, "Attrs", doc_copy(w->a, run->attrs));
}

int
stack_row_settle(struct stack_work *w, struct res *row)
{
	bool update = doc_get(row->status, "Before") != NULL;
	enum cfn_outcome o;
	struct cfn_run run;
	int e;

	AN(stack_run(w, row, &run));
	if ((e = cfn_settled(&run, false, &o)))
		return err_trace(e);
	if (o == CFN_WAIT && !run.map->own_limit &&
	    w->now - doc_get_time(row->status, "Since") > SETTLE_MS)
		o = cfn_fail(&run, "Exceeded attempts to wait");
	if (o == CFN_FAILED)
		return stack_row_fail(w, row, run.reason);
	if (o == CFN_WAIT) {
		w->waiting = true;
		return 0;
	}
	stack_row_step(w, row, "done");
	doc_set(w->a, row->status, "Attrs", doc_copy(w->a, run.attrs));
	return stack_say(w, row, update ? "UPDATE_COMPLETE" : "CREATE_COMPLETE",
	    SPAN_NULL);
}

int
stack_row_make(struct stack_work *w, struct res *row, struct doc *props)
{
	bool update = doc_get(row->status, "Before") != NULL;
	const char *status = update ? "UPDATE_IN_PROGRESS" :
				      "CREATE_IN_PROGRESS";
	enum cfn_outcome o;
	struct cfn_run run;
	int e;

	AN(stack_run(w, row, &run));
	run.props = props;
	run.ref = SPAN_NULL;
	if ((e = stack_say(w, row, status, update ? SPAN(REPLACED) : SPAN_NULL)) ||
	    (e = cfn_make(&run, &o)))
		return err_trace(e);
	if (o == CFN_FAILED)
		return stack_row_fail(w, row, run.reason);
	note_run(w, row, &run, props);
	stack_row_step(w, row, "busy");
	if ((e = stack_say(w, row, status, SPAN("Resource creation Initiated"))))
		return err_trace(e);
	return stack_row_settle(w, row);
}

void
stack_row_before(struct stack_work *w, struct res *row, struct span moved_to)
{
	struct doc *b = doc_get(row->status, "Before");

	if (!b) {
		b = doc_obj(w->a);
		doc_set(w->a, row->status, "Before", b);
	}
	/* An update that failed may be followed by another: both go back to
	 * what was there before the first. */
	if (moved_to.n && !doc_get(b, "Row"))
		doc_set_str(w->a, b, "Row", moved_to);
}

/* What the row names gets a row of its own, for the clean-up to remove. */
static int
move_aside(struct stack_work *w, struct res *row, struct span *ret_id)
{
	const struct doc *before = doc_get(row->status, "Before");
	struct res *r = res_new(w->a, &cloudformation_resource,
	    w->stack->scope, w->stack->id, arena_fmt_span(w->a, "%.*s#%s",
		SPAN_ARG(row->id), id_uuid(w->a)));
	int e;

	r->status = doc_copy(w->a, row->status);
	doc_set_bool(w->a, r->status, "Replaced", true);
	if (before && !doc_get(before, "Row"))
		doc_set_bool(w->a, r->status, "Changed", true);
	doc_del(r->status, "Before");
	doc_del(r->status, "Step");
	if ((e = store_insert(w->store, w->a, r)))
		return err_fold(e);
	*ret_id = r->id;
	return 0;
}

static int
replace_row(struct stack_work *w, struct res *row, struct doc *props,
    const struct cfn_map *map)
{
	struct span name = doc_get_str(doc_get(row->status, "Attrs"), ".Name");
	struct doc *attrs = doc_obj(w->a);
	struct span aside;
	int e = move_aside(w, row, &aside);

	if (e)
		return err_trace(e);
	if (map->name_shared && name.n)
		doc_set_str(w->a, attrs, ".Name", name);
	stack_row_before(w, row, aside);
	doc_del(row->status, "PhysicalResourceId");
	doc_del(row->status, "Props");
	doc_set(w->a, row->status, "Attrs", attrs);
	return stack_row_make(w, row, props);
}

static int
change_row(struct stack_work *w, struct res *row, struct doc *props)
{
	enum cfn_outcome o;
	struct cfn_run run;
	int e;

	stack_row_before(w, row, SPAN_NULL);
	AN(stack_run(w, row, &run));
	run.old = run.props;
	run.props = props;
	if ((e = stack_say(w, row, "UPDATE_IN_PROGRESS", SPAN_NULL)) ||
	    (e = cfn_change(&run, &o)))
		return err_trace(e);
	if (o == CFN_FAILED)
		return stack_row_fail(w, row, run.reason);
	note_run(w, row, &run, props);
	stack_row_step(w, row, "busy");
	if ((e = store_put_status(w->store, row)))
		return err_fold(e);
	return stack_row_settle(w, row);
}

int
stack_row_swap_back(struct stack_work *w, struct res *row, bool *ret_changed)
{
	struct span id = doc_get_str(doc_get(row->status, "Before"), "Row");
	struct span aside;
	struct res *old;
	bool changed;
	int e = store_get(w->store, w->a, &cloudformation_resource,
	    w->stack->scope, w->stack->id, id, &old);

	if (e)
		return err_fold(e);
	if (doc_get(row->status, "PhysicalResourceId") &&
	    (e = move_aside(w, row, &aside)))
		return err_trace(e);
	changed = doc_get_bool(old->status, "Changed", false);
	row->status = doc_copy(w->a, old->status);
	doc_del(row->status, "Replaced");
	doc_del(row->status, "Changed");
	if (changed)
		stack_row_before(w, row, SPAN_NULL);
	else
		stack_row_step(w, row, "done");
	e = changed ? store_put_status(w->store, row) :
		      stack_say(w, row, "UPDATE_COMPLETE", SPAN_NULL);
	if (e || (e = store_delete(w->store, old)))
		return err_fold(e);
	*ret_changed = changed;
	return 0;
}

/* Is there a step that makes the change in place, if it may be? */
static bool
in_place(const struct cfn_map *m, struct span prop)
{
	for (const struct cfn_step *s = m->update; s && s->op; s++)
		if (cfn_word(s->takes, prop))
			return true;
	return m->on_update != NULL;
}

static bool
fixed(struct stack_work *w, const struct cfn_facts *f, const struct cfn_map *m,
    struct span prop, const struct doc *was, const struct doc *is)
{
	enum cfn_recreate r = cfn_recreation(w->a, cfn_facts_prop(f, prop),
	    doc_getn(was, prop), doc_getn(is, prop));

	return r == CFN_RECREATE_ALWAYS ||
	    (r == CFN_RECREATE_MAYBE && !in_place(m, prop));
}

/* Does the change need a new resource? */
static bool
needs_new(struct stack_work *w, const struct cfn_facts *f,
    const struct cfn_map *m, const struct doc *was, const struct doc *is)
{
	doc_each_key(k, v, is)
		if (fixed(w, f, m, k, was, is))
			return true;
	doc_each_key(k, v, was)
		if (!doc_getn(is, k) && fixed(w, f, m, k, was, is))
			return true;
	return false;
}

int
stack_row_keep(struct stack_work *w, struct res *row)
{
	int e;

	if (span_ends(doc_get_str(row->status, "ResourceStatus"),
		SPAN("_FAILED"))) {
		stack_row_step(w, row, "busy");
		return stack_row_settle(w, row);
	}
	stack_row_step(w, row, "done");
	e = store_put_status(w->store, row);
	return e ? err_fold(e) : 0;
}

/* What is inside changes on the way there, and goes back only if it did. */
static bool
may_differ(const struct stack_work *w, const struct res *row)
{
	return span_is(doc_get_str(w->stack->status, "Phase"), "update") ||
	    doc_get(row->status, "Before");
}

int
stack_row_update(struct stack_work *w, struct res *row, struct span type,
    struct doc *props, const struct cfn_map *map)
{
	const struct doc *was = doc_get(row->status, "Props");
	bool same = span_eq(type, doc_get_str(row->status, "ResourceType"));
	const struct cfn_facts *f = cfn_facts_find(type);
	struct span why;
	bool change;

	if (same && doc_eq(was, props) && !(map->looks_inside && may_differ(w,
		row)))
		return stack_row_keep(w, row);
	change = same && !needs_new(w, f, map, was, props);
	if (!stack_allows(w, change ? "Update:Modify" : "Update:Replace", row,
		&why)) {
		stack_row_before(w, row, SPAN_NULL);
		return stack_row_fail(w, row, why);
	}
	if (change)
		return change_row(w, row, props);
	if (same && map->name && !map->name_shared &&
	    doc_get(props, map->name) &&
	    doc_eq(doc_get(props, map->name), doc_get(was, map->name))) {
		stack_row_before(w, row, SPAN_NULL);
		return stack_row_fail(w, row, arena_fmt_span(w->a, "CloudFormation "
		    "cannot update a stack when a custom-named resource "
		    "requires replacing. Rename %.*s and update the stack "
		    "again.", SPAN_ARG(doc_get_str(props, map->name))));
	}
	doc_set_str(w->a, row->status, "ResourceType", type);
	return replace_row(w, row, props, map);
}
