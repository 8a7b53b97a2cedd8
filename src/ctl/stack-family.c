/* Stacks: what nested stacks and their parents wait for. */
#include "base/err.h"
#include "ctl/stack.h"

static int
stack_of(struct stack_work *w, struct span arn, struct res **ret)
{
	int e = store_get_arn(w->store, w->a, arn, ret);

	if (e == STORE_E_NOT_FOUND)
		*ret = NULL;
	return e < 0 ? err_trace(e) : 0;
}

int
stack_held(struct stack_work *w, bool *ret)
{
	struct span id = doc_get_str(w->stack->spec, "ParentId"), phase, status;
	struct res *parent = NULL;
	int e = id.n ? stack_of(w, id, &parent) : 0;

	*ret = false;
	if (e || !parent)
		return e;
	phase = doc_get_str(parent->status, "Phase");
	status = doc_get_str(parent->status, "StackStatus");
	*ret = span_is(phase, "update") || span_is(phase, "update-rollback") ||
	    span_is(status, "UPDATE_FAILED") ||
	    span_is(status, "UPDATE_ROLLBACK_FAILED");
	if (!*ret && span_is(phase, "cleanup")) {
		/* The parent is held itself. */
		struct stack_work up = *w;

		up.stack = parent;
		return stack_held(&up, ret);
	}
	return 0;
}

int
stack_children_busy(struct stack_work *w, bool *ret)
{
	struct res *child;
	int e;

	*ret = false;
	for (size_t i = 0; i < w->x.rows.n && !*ret; i++) {
		const struct doc *s = w->x.rows.v[i]->status;

		if (!span_is(doc_get_str(s, "ResourceType"),
			"AWS::CloudFormation::Stack"))
			continue;
		e = stack_of(w, doc_get_str(s, "PhysicalResourceId"), &child);
		if (e)
			return err_trace(e);
		*ret = child && doc_get(child->status, "Phase");
	}
	return 0;
}
