/* Stacks: what their phases share. */
#include "base/id.h"
#include "cfn/stack-policy.h"
#include "ctl/stack.h"

bool
stack_run(struct stack_work *w, const struct res *row, struct cfn_run *ret)
{
	struct span type = doc_get_str(row->status, "ResourceType");
	const struct doc *attrs = doc_get(row->status, "Attrs");
	const struct service *service = NULL;
	const struct cfn_map *map = cfn_map_find(type, &service);

	if (!map)
		return false;
	*ret = (struct cfn_run){
		.api = ctl_env(w->ctl)->api,
		.store = w->store,
		.arena = w->a,
		.who = principal_system(w->stack->scope.account,
		    "cloudformation.amazonaws.com"),
		.scope = w->stack->scope,
		.service = service,
		.map = map,
		.stack = doc_get_str(w->stack->spec, "StackName"),
		.stack_id = w->stack->arn,
		.logical = doc_get_str(row->status, "LogicalResourceId"),
		.token = span_of(id_uuid(w->a)),
		.random = span_of(id_upper(w->a, 12)),
		.props = doc_get(row->status, "Props"),
		.creation = doc_get(row->status, "CreationPolicy"),
		.ref = doc_get_str(row->status, "PhysicalResourceId"),
		.attrs = attrs ? doc_copy(w->a, attrs) : doc_obj(w->a),
		.out = doc_obj(w->a),
	};
	if (!ret->props)
		ret->props = doc_obj(w->a);
	return true;
}

static bool
has_tag(const struct doc *tags, struct span key)
{
	if (doc_type(tags) == DOC_OBJ)
		return doc_getn(tags, key) != NULL;
	doc_each(t, tags)
		if (span_eq(doc_get_str(t, "Key"), key))
			return true;
	return false;
}

/* AWS: a tag of the resource's own wins over the stack's. */
static void
add_tag(struct arena *a, struct doc *tags, struct span key, struct span value)
{
	struct doc *t;

	if (has_tag(tags, key))
		return;
	if (doc_type(tags) == DOC_OBJ) {
		doc_setn(a, tags, key, doc_str(a, value));
		return;
	}
	t = doc_obj(a);
	doc_set_str(a, t, "Key", key);
	doc_set_str(a, t, "Value", value);
	doc_push(tags, t);
}

struct doc *
stack_tagged(struct stack_work *w, struct span type, struct span logical,
    const struct doc *props)
{
	const struct cfn_facts *f = cfn_facts_find(type);
	struct doc *out = doc_copy(w->a, props), *tags;
	struct arena *a = w->a;

	if (!f || !f->tags)
		return out;
	tags = doc_get(out, f->tags);
	if (!tags) {
		tags = f->tag_map ? doc_obj(a) : doc_arr(a);
		doc_set(a, out, f->tags, tags);
	}
	doc_each(t, doc_get(w->x.def, "Tags"))
		add_tag(a, tags, doc_get_str(t, "Key"),
		    doc_get_str(t, "Value"));
	add_tag(a, tags, SPAN("aws:cloudformation:stack-name"),
	    doc_get_str(w->stack->spec, "StackName"));
	add_tag(a, tags, SPAN("aws:cloudformation:stack-id"), w->stack->arn);
	add_tag(a, tags, SPAN("aws:cloudformation:logical-id"), logical);
	return out;
}

enum stack_item_state
stack_row_state(const struct stack_work *w, const struct res *row)
{
	struct span step;

	if (!row || doc_get_int(row->status, "Op", 0) !=
	    doc_get_int(w->stack->status, "Op", 0))
		return ITEM_TODO;
	step = doc_get_str(row->status, "Step");
	if (span_is(step, "done"))
		return ITEM_DONE;
	if (span_is(step, "failed"))
		return ITEM_FAILED;
	return span_is(step, "busy") ? ITEM_BUSY : ITEM_TODO;
}

int
stack_say(struct stack_work *w, struct res *row, const char *status,
    struct span reason)
{
	return resource_status(w->store, w->a, w->stack, row, status, reason);
}

bool
stack_allows(struct stack_work *w, const char *action, const struct res *row,
    struct span *ret_why)
{
	struct span text = doc_get_str(w->stack->spec, "PolicyInForce");
	struct cfn_error err;
	struct doc *policy;

	if (!text.n ||
	    !span_is(doc_get_str(w->stack->status, "Phase"), "update"))
		return true;
	AZ(cfn_stack_policy_parse(w->a, text, &policy, &err));
	return cfn_stack_policy_allows(w->a, policy, action,
	    doc_get_str(row->status, "LogicalResourceId"),
	    doc_get_str(row->status, "ResourceType"), ret_why);
}

void
stack_row_step(struct stack_work *w, struct res *row, const char *step)
{
	doc_set_int(w->a, row->status, "Op",
	    doc_get_int(w->stack->status, "Op", 0));
	doc_set_str(w->a, row->status, "Step", span_of(step));
	doc_set_time(w->a, row->status, "Since", w->now);
}

struct span
stack_failed_text(struct stack_work *w, const char *verb, const char *status)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; i < w->x.rows.n; i++) {
		const struct res *r = w->x.rows.v[i];
		struct span id = doc_get_str(r->status, "LogicalResourceId");

		if (stack_row_state(w, r) != ITEM_FAILED ||
		    !span_is(doc_get_str(r->status, "ResourceStatus"), status))
			continue;
		buf_addf(&b, "%s%.*s", b.n ? ", " : "", SPAN_ARG(id));
	}
	return b.n ? arena_fmt_span(w->a, "The following resource(s) failed "
	    "to %s: [%s]. ", verb, buf_str(&b)) : SPAN_NULL;
}
