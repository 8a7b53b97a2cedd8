/* Stacks: makes and changes resources until they are as the template says. */
#include "base/err.h"
#include "base/id.h"
#include "cfn/diff.h"
#include "ctl/stack.h"

static bool
is_update(const struct stack_work *w)
{
	return !span_is(doc_get_str(w->stack->status, "Phase"), "create");
}

/* What the template says of the resource besides its properties. */
static int
note_body(struct stack_work *w, size_t i, struct res *row)
{
	const struct cfn_resource *r = &w->x.stack->resources[i];
	struct doc *deps = doc_arr(w->a), *creation = NULL;
	struct cfn_error err;
	int e = doc_get(r->body, "CreationPolicy") ? cfn_eval(w->a, w->x.stack,
	    doc_get(r->body, "CreationPolicy"), 0, &creation, &err) : 0;

	doc_set(w->a, row->status, "CreationPolicy", creation);
	for (size_t d = 0; d < r->n_deps; d++)
		doc_push_str(w->a, deps, w->x.stack->resources[r->deps[d]].id);
	doc_set(w->a, row->status, "Deps", deps);
	doc_set_str(w->a, row->status, "DeletionPolicy",
	    cfn_policy(w->a, w->x.stack, i, "DeletionPolicy"));
	doc_set_str(w->a, row->status, "UpdateReplacePolicy",
	    cfn_policy(w->a, w->x.stack, i, "UpdateReplacePolicy"));
	if (doc_get(r->body, "Metadata"))
		doc_set_str(w->a, row->status, "Metadata",
		    doc_json(w->a, doc_get(r->body, "Metadata")));
	return e < 0 ? err_trace(e) : 0;
}

/* What events show of the properties: no secret is among them. */
static int
note_shown(struct stack_work *w, size_t i, struct res *row)
{
	struct cfn_error err;
	struct doc *shown;
	int e = cfn_properties(w->a, w->x.stack, i, CFN_SHOW, &shown, &err);

	doc_set(w->a, row->status, "Shown", e ? NULL : shown);
	return e < 0 ? err_trace(e) : 0;
}

/* Tells whether the template wants something else than what was made, where a
 * secret that it names may have changed since; empty where it names none. */
static int
note_mark(struct stack_work *w, size_t i)
{
	struct span body = doc_get_str(doc_get(w->stack->spec, "Def"),
	    "TemplateBody");
	struct cfn_error err;
	struct doc *props;
	int e;

	w->mark = SPAN_NULL;
	if (span_find(body, SPAN("secretsmanager")) < 0)
		return 0;
	e = cfn_properties(w->a, w->x.stack, i, CFN_LITERAL_SECRETS, &props,
	    &err);
	if (!e) {
		props = stack_tagged(w, w->x.stack->resources[i].type,
		    w->x.stack->resources[i].id, props);
		w->mark = span_of(sha256_hex(w->a, doc_json(w->a, props)));
	}
	return e < 0 ? err_trace(e) : 0;
}

/* ContinueUpdateRollback leaves it as it is. */
static bool
skipped(const struct stack_work *w, const struct res *row)
{
	return span_is(doc_get_str(w->stack->status, "Phase"),
		   "update-rollback") &&
	    doc_has_str(doc_get(w->stack->spec, "SkipResources"), row->id);
}

/* AWS does not read a secret again for a resource of which nothing else
 * changed. */
static bool
untouched(const struct stack_work *w, const struct res *row, struct span type,
    const struct cfn_map *map)
{
	return w->mark.n && map && !map->looks_inside &&
	    span_eq(w->mark, doc_get_str(row->status, "Mark")) &&
	    span_eq(type, doc_get_str(row->status, "ResourceType")) &&
	    doc_get(row->status, "PhysicalResourceId");
}

static struct res *
row_for(struct stack_work *w, size_t i)
{
	const struct cfn_resource *r = &w->x.stack->resources[i];
	struct res *row = stack_row(&w->x, r->id), **v;

	if (row)
		return row;
	row = res_new(w->a, &cloudformation_resource, w->stack->scope,
	    w->stack->id, r->id);
	doc_set_str(w->a, row->status, "LogicalResourceId", r->id);
	doc_set_str(w->a, row->status, "ResourceType", r->type);
	v = arena_array(w->a, struct res *, w->x.rows.n + 1);
	for (size_t j = 0; j < w->x.rows.n; j++)
		v[j] = w->x.rows.v[j];
	v[w->x.rows.n++] = row;
	w->x.rows.v = v;
	return row;
}

/* Without the stack's tags.  0, CFN_E_INVALID or negative. */
static int
plain(struct stack_work *w, size_t i, struct doc **ret, struct cfn_error *err)
{
	const struct cfn_facts *f = cfn_facts_find(
	    w->x.stack->resources[i].type);
	struct doc *props;
	int e = cfn_properties(w->a, w->x.stack, i, 0, &props, err);

	if (e == CFN_E_UNKNOWN) {
		err->text = SPAN("A value is not known yet");
		return CFN_E_INVALID;
	}
	if (e)
		return e;
	return f ? cfn_facts_check(w->a, f, props, ret, err) : CFN_E_INVALID;
}

static int
wanted(struct stack_work *w, size_t i, struct doc **ret, struct cfn_error *err)
{
	const struct cfn_resource *r = &w->x.stack->resources[i];
	struct doc *props;
	int e = plain(w, i, &props, err);

	if (!e)
		*ret = stack_tagged(w, r->type, r->id, props);
	return e;
}

static int
adopt(struct stack_work *w, size_t i, struct res *row, struct doc *tagged)
{
	struct cfn_error err;
	struct doc *props;
	int e = plain(w, i, &props, &err);

	doc_set_str(w->a, row->status, "ResourceType",
	    w->x.stack->resources[i].type);
	if (e < 0)
		return err_trace(e);
	return e ? stack_row_fail(w, row, err.text) :
		   stack_adopt(w, row, props, tagged);
}

static int
begin(struct stack_work *w, size_t i)
{
	const struct cfn_resource *r = &w->x.stack->resources[i];
	struct res *row = row_for(w, i);
	const struct service *service;
	const struct cfn_map *map = cfn_map_find(r->type, &service);
	struct cfn_error err = {SPAN("Resource type is not supported")};
	struct doc *props = NULL;
	bool changed = true;
	int e;

	if (span_is(doc_get_str(w->stack->status, "Phase"),
		"update-rollback") &&
	    doc_get_str(doc_get(row->status, "Before"), "Row").n &&
	    ((e = stack_row_swap_back(w, row, &changed)) || !changed))
		return e;
	if (skipped(w, row)) {
		stack_row_step(w, row, "done");
		return stack_say(w, row, "UPDATE_COMPLETE", SPAN_NULL);
	}
	if ((e = note_body(w, i, row)) || (e = note_shown(w, i, row)) ||
	    (e = note_mark(w, i)))
		return err_trace(e);
	if (untouched(w, row, r->type, map))
		return stack_row_keep(w, row);
	e = map ? wanted(w, i, &props, &err) : CFN_E_INVALID;
	if (e < 0)
		return err_trace(e);
	if (e)
		return stack_row_fail(w, row, err.text);
	if (!doc_get(row->status, "PhysicalResourceId") &&
	    doc_getn(doc_get(w->x.def, "Import"), row->id))
		return adopt(w, i, row, props);
	if (doc_get(row->status, "PhysicalResourceId"))
		return stack_row_update(w, row, r->type, props, map);
	doc_set_str(w->a, row->status, "ResourceType", r->type);
	return stack_row_make(w, row, props);
}

int
stack_cancel(struct stack_work *w)
{
	bool update = is_update(w);
	int e;

	for (size_t i = 0; i < w->x.stack->n; i++) {
		struct res *row = stack_row(&w->x, w->x.stack->resources[i].id);

		if (stack_row_state(w, row) != ITEM_BUSY)
			continue;
		stack_row_step(w, row, "failed");
		update = doc_get(row->status, "Before") != NULL;
		if ((e = stack_say(w, row, update ? "UPDATE_FAILED" : "CREATE_FAILED",
			 update ? SPAN("Resource update cancelled") :
				  SPAN("Resource creation cancelled"))))
			return err_trace(e);
	}
	return 0;
}

static struct stack_plan
plan(struct stack_work *w)
{
	struct cfn_stack *s = w->x.stack;
	struct stack_item *v = arena_array(w->a, struct stack_item, s->n + 1);

	for (size_t i = 0; i < s->n; i++) {
		const struct cfn_resource *r = &s->resources[i];

		v[i] = (struct stack_item){
			stack_row_state(w, stack_row(&w->x, r->id)), r->deps,
			r->n_deps};
	}
	return stack_plan(w->a, v, s->n, false);
}

static int
look_at_busy(struct stack_work *w, bool *ret_moved)
{
	int e;

	*ret_moved = false;
	w->waiting = false;
	for (size_t i = 0; i < w->x.stack->n; i++) {
		struct res *row = stack_row(&w->x, w->x.stack->resources[i].id);

		if (stack_row_state(w, row) != ITEM_BUSY)
			continue;
		if ((e = stack_row_settle(w, row)))
			return err_trace(e);
		*ret_moved |= stack_row_state(w, row) != ITEM_BUSY;
	}
	return 0;
}

static struct span
failure(struct stack_work *w)
{
	struct span made = stack_failed_text(w, "create", "CREATE_FAILED");
	struct span changed = stack_failed_text(w, "update", "UPDATE_FAILED");

	struct span got = stack_failed_text(w, "import", "IMPORT_FAILED");

	return arena_fmt_span(w->a, "%.*s%.*s%.*s", SPAN_ARG(made),
	    SPAN_ARG(changed), SPAN_ARG(got));
}

/* What the update would remove, but the stack's policy keeps. */
static int
check_removed(struct stack_work *w, bool *ret_denied)
{
	struct span why;
	int e;

	*ret_denied = false;
	if (!doc_get(w->stack->spec, "PolicyInForce"))
		return 0;
	for (size_t i = 0; i < w->x.rows.n; i++) {
		struct res *row = w->x.rows.v[i];

		if (doc_get_bool(row->status, "Replaced", false) ||
		    cfn_find(w->x.stack, row->id) != CFN_NONE ||
		    stack_allows(w, "Update:Delete", row, &why))
			continue;
		*ret_denied = true;
		stack_row_before(w, row, SPAN_NULL);
		if ((e = stack_row_fail(w, row, why)))
			return err_trace(e);
	}
	return 0;
}

/* What the stack is about to use stays, as what it used until now. */
static int
note_imports(struct stack_work *w)
{
	struct doc *all = cfn_imports(w->a, w->x.stack);
	int e;

	if (!doc_len(all))
		return 0;
	all = doc_copy(w->a, all);
	doc_each(v, doc_get(w->stack->status, "Imports"))
		if (!doc_has_str(all, doc_span(v)))
			doc_push(all, doc_copy(w->a, v));
	doc_set(w->a, w->stack->status, "Imports", all);
	e = store_put_status(w->store, w->stack);
	return e ? err_fold(e) : 0;
}

/* Before anything begins. */
static int
check_names(struct stack_work *w, struct span *ret_why)
{
	struct span phase = doc_get_str(w->stack->status, "Phase");
	struct cfn_error err;
	int e;

	if (!span_is(phase, "create") && !span_is(phase, "update"))
		return 0;
	for (size_t i = 0; i < w->x.stack->n; i++)
		if (stack_row_state(w, stack_row(&w->x,
			w->x.stack->resources[i].id)) != ITEM_TODO)
			return 0;
	e = stack_names(&w->x, &err);
	if (e > 0)
		*ret_why = err.text;
	return e ? MIN(e, 0) : note_imports(w);
}

int
stack_forward(struct stack_work *w, enum stack_end *ret, struct span *ret_why)
{
	struct cfn_error err;
	struct stack_plan p;
	bool moved, denied;
	int e = stack_open(&w->x, doc_get(w->stack->spec, "Def"), &err);

	*ret = STACK_FAILED;
	if (e < 0)
		return err_trace(e);
	if (e) {
		*ret_why = err.text;
		return 0;
	}
	if ((e = check_removed(w, &denied)))
		return err_trace(e);
	if (denied) {
		*ret_why = failure(w);
		return stack_cancel(w);
	}
	if ((e = check_names(w, ret_why)))
		return err_trace(e);
	if (ret_why->n)
		return 0;
	if ((e = look_at_busy(w, &moved)))
		return err_trace(e);
	for (p = plan(w); !p.done && !p.failed && p.n; p = plan(w)) {
		for (size_t i = 0; i < p.n && w->budget; i++, w->budget--)
			if ((e = begin(w, p.start[i])))
				return err_trace(e);
		w->again = !w->budget;
		if (w->again)
			break;
	}
	*ret = p.failed ? STACK_FAILED : p.done ? STACK_DONE : STACK_GOES_ON;
	if (p.failed) {
		*ret_why = failure(w);
		return stack_cancel(w);
	}
	return 0;
}
