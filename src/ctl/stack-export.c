/* Stacks: outputs, and what others may use of them. */
#include "base/err.h"
#include "ctl/stack.h"

/* The name of a stack, other than ours, that uses an export; or empty. */
static int
importer(struct stack_work *w, struct span name, struct span *ret)
{
	struct query q = {.kind = &cloudformation_stack,
		.scope = w->stack->scope, .index = "status.Imports",
		.value = name};
	struct res_list l;
	int e = store_list(w->store, w->a, &q, &l);

	*ret = SPAN_NULL;
	if (e)
		return err_fold(e);
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i]->row != w->stack->row)
			*ret = doc_get_str(l.v[i]->spec, "StackName");
	return 0;
}

static const struct doc *
exported(const struct doc *outputs, struct span name)
{
	doc_each(o, outputs)
		if (span_eq(doc_get_str(o, "ExportName"), name))
			return o;
	return NULL;
}

int
stack_unexport(struct stack_work *w, const struct doc *outputs, struct span *why)
{
	struct query q = {.kind = &cloudformation_export,
		.scope = w->stack->scope};
	struct res_list l;
	int e = store_list(w->store, w->a, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++) {
		const struct doc *o = exported(outputs, l.v[i]->id);
		struct span user = SPAN_NULL;

		if (!span_eq(doc_get_str(l.v[i]->spec, "ExportingStackId"),
			w->stack->arn) ||
		    (o && span_eq(doc_get_str(o, "OutputValue"),
			      doc_get_str(l.v[i]->spec, "Value"))))
			continue;
		if ((e = importer(w, l.v[i]->id, &user)))
			return err_trace(e);
		if (user.n) {
			*why = arena_fmt_span(w->a, "Export %.*s cannot be %s "
			    "as it is in use by %.*s", SPAN_ARG(l.v[i]->id),
			    o ? "updated" : "deleted", SPAN_ARG(user));
			return 0;
		}
		e = store_delete(w->store, l.v[i]);
	}
	return e ? err_fold(e) : 0;
}

static int
export_new(struct stack_work *w, const struct doc *outputs, struct span *why)
{
	int e;

	doc_each(o, outputs) {
		struct span name = doc_get_str(o, "ExportName"), other;
		struct res *r;

		if (!name.n)
			continue;
		r = res_new(w->a, &cloudformation_export, w->stack->scope,
		    SPAN_NULL, name);
		doc_set_str(w->a, r->spec, "Value",
		    doc_get_str(o, "OutputValue"));
		doc_set_str(w->a, r->spec, "ExportingStackId", w->stack->arn);
		e = store_insert(w->store, w->a, r);
		if (e == STORE_E_EXISTS) {
			e = store_get(w->store, w->a, &cloudformation_export,
			    w->stack->scope, SPAN_NULL, name, &r);
			if (e)
				return err_fold(e);
			other = doc_get_str(r->spec, "ExportingStackId");
			if (span_eq(other, w->stack->arn))
				continue;
			*why = arena_fmt_span(w->a, "Export with name %.*s is "
			    "already exported by stack %.*s.", SPAN_ARG(name),
			    SPAN_ARG(other));
			return 0;
		}
		if (e)
			return err_fold(e);
	}
	return 0;
}

int
stack_publish(struct stack_work *w, struct span *why)
{
	struct cfn_error err;
	struct doc *outputs;
	int e = cfn_outputs(w->a, w->x.stack, 0, &outputs, &err);

	if (e < 0)
		return err_trace(e);
	if (e) {
		*why = e == CFN_E_INVALID ? err.text :
		    SPAN("An output is not known");
		return 0;
	}
	if ((e = store_savepoint(w->store)))
		return err_trace(e);
	if (!(e = stack_unexport(w, outputs, why)) && !why->n)
		e = export_new(w, outputs, why);
	if (e || why->n) {
		store_rollback(w->store);
		return e;
	}
	store_release(w->store);
	doc_set(w->a, w->stack->status, "Outputs", outputs);
	doc_set(w->a, w->stack->status, "Imports",
	    doc_copy(w->a, cfn_imports(w->a, w->x.stack)));
	return 0;
}
