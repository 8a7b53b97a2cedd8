/*
 * Stacks: resources that are there already and become the stack's.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
 */
#include "base/err.h"
#include "ctl/stack.h"
#include "svc/cloudformation/live.h"

#define TAGS "Apply stack-level tags to imported resource if applicable."

static int
fail(struct stack_work *w, struct res *row, struct span reason)
{
	stack_row_step(w, row, "failed");
	return stack_say(w, row, "IMPORT_FAILED", reason);
}

/* The stack that has the resource already; empty: none. */
static int
owner(struct stack_work *w, const struct res *row, struct span physical,
    struct span *ret)
{
	struct query q = {.kind = &cloudformation_resource,
		.scope = w->stack->scope, .any_parent = true,
		.index = "status.PhysicalResourceId", .value = physical};
	struct res_list l;
	struct res *s;
	int e = store_list(w->store, w->a, &q, &l);

	*ret = SPAN_NULL;
	for (size_t i = 0; !e && i < l.n; i++) {
		const struct doc *r = l.v[i]->status;

		if (l.v[i]->row == row->row ||
		    doc_get_bool(r, "Gone", false) ||
		    !span_eq(doc_get_str(r, "ResourceType"), doc_get_str(
			row->status, "ResourceType")))
			continue;
		e = store_get(w->store, w->a, &cloudformation_stack,
		    w->stack->scope, SPAN_NULL, l.v[i]->parent, &s);
		if (!e)
			*ret = s->arn;
	}
	return e ? err_fold(e) : 0;
}

/* What it is called, in our rows and on AWS. */
static struct span
physical_id(struct cfn_run *run, const struct doc *identifier)
{
	struct span ref = span_of(run->map->ref);
	struct doc *d;

	if (ref.n && span_find(ref, SPAN("$o")) < 0 &&
	    (d = cfn_expr(run, run->map->ref)))
		return doc_span(d);
	doc_each_key(k, v, identifier)
		if (doc_len(identifier) == 1 || span_ends(k, SPAN("Arn")) ||
		    span_ends(k, SPAN("Id")))
			return doc_span(v);
	return SPAN_NULL;
}

/* The run over what is there, as if it had just been made. */
static int
look(struct stack_work *w, struct cfn_run *run, const struct doc *identifier,
    enum live_outcome *ret)
{
	const struct live *l = live_find(span_of(run->map->type));
	struct doc *want, *have, *props = doc_copy(w->a, run->props);
	enum cfn_outcome o;
	int e;

	doc_each_key(k, v, identifier)
		doc_setn(w->a, props, k, doc_copy(w->a, v));
	run->props = props;
	run->ref = physical_id(run, identifier);
	*ret = LIVE_DELETED;
	if (!l || !run->ref.n)
		return 0;
	e = live_read(run, l, doc_obj(w->a), NULL, &want, &have, ret);
	if (e || *ret != LIVE_THERE)
		return e;
	live_as_made(run);
	e = cfn_attributes(run, &o);
	if (!e && o == CFN_FAILED)
		*ret = LIVE_FAILED;
	return e;
}

static struct span
not_found(struct stack_work *w, const struct cfn_run *run,
    const struct doc *identifier)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	doc_each(v, identifier)
		buf_addf(&b, "%s%.*s", b.n ? "|" : "", SPAN_ARG(doc_span(v)));
	return arena_fmt_span(w->a, "Resource of type '%s' with identifier "
	    "'%s' was not found. (RequestToken: %.*s, HandlerErrorCode: "
	    "NotFound)", run->map->type, buf_str(&b), SPAN_ARG(run->token));
}

/* The stack's tags come to it as they would to a new one. */
static int
tag(struct stack_work *w, struct res *row, struct doc *props,
    struct doc *tagged)
{
	enum cfn_outcome o = CFN_DONE;
	struct cfn_run run;
	int e;

	AN(stack_run(w, row, &run));
	run.old = props;
	run.props = tagged;
	if ((e = stack_say(w, row, "UPDATE_IN_PROGRESS", SPAN(TAGS))) ||
	    (e = cfn_change(&run, &o)))
		return err_trace(e);
	stack_row_step(w, row, o == CFN_FAILED ? "failed" : "done");
	if (o == CFN_FAILED)
		return stack_say(w, row, "UPDATE_FAILED", run.reason);
	doc_set(w->a, row->status, "Props", tagged);
	doc_set(w->a, row->status, "Attrs", doc_copy(w->a, run.attrs));
	return stack_say(w, row, "UPDATE_COMPLETE", SPAN_NULL);
}

int
stack_adopt(struct stack_work *w, struct res *row, struct doc *props,
    struct doc *tagged)
{
	const struct doc *identifier = doc_getn(doc_get(w->x.def, "Import"),
	    row->id);
	enum live_outcome o;
	struct cfn_run run;
	struct span other;
	int e;

	AN(stack_run(w, row, &run));
	run.props = props;
	if ((e = stack_say(w, row, "IMPORT_IN_PROGRESS", SPAN_NULL)) ||
	    (e = look(w, &run, identifier, &o)))
		return err_trace(e);
	if (o != LIVE_THERE)
		return fail(w, row, o == LIVE_FAILED ? run.reason :
		    not_found(w, &run, identifier));
	if ((e = owner(w, row, run.ref, &other)))
		return err_trace(e);
	if (other.n)
		return fail(w, row, arena_fmt_span(w->a, "%.*s already exists "
		    "in stack %.*s", SPAN_ARG(run.ref), SPAN_ARG(other)));
	if (run.map->name && !doc_get(props, run.map->name))
		doc_set(w->a, run.attrs, ".Name", doc_copy(w->a, doc_get(
		    run.props, run.map->name)));
	doc_set_str(w->a, row->status, "PhysicalResourceId", run.ref);
	doc_set(w->a, row->status, "Props", props);
	doc_set(w->a, row->status, "Attrs", doc_copy(w->a, run.attrs));
	doc_set_bool(w->a, row->status, "Imported", true);
	stack_row_step(w, row, "done");
	if ((e = stack_say(w, row, "IMPORT_COMPLETE", SPAN_NULL)))
		return err_trace(e);
	return doc_eq(props, tagged) ? 0 : tag(w, row, props, tagged);
}

int
stack_disown(struct stack_work *w)
{
	int e = 0;

	for (size_t i = 0; !e && i < w->x.rows.n; i++) {
		struct res *row = w->x.rows.v[i];

		if (!doc_get_bool(row->status, "Imported", false) &&
		    doc_get(row->status, "PhysicalResourceId"))
			continue;
		if ((e = stack_say(w, row, "IMPORT_ROLLBACK_IN_PROGRESS",
			 SPAN_NULL)) ||
		    (e = stack_say(w, row, "IMPORT_ROLLBACK_COMPLETE", SPAN_NULL)))
			return err_trace(e);
		e = store_delete(w->store, row);
	}
	return e ? err_fold(e) : 0;
}
