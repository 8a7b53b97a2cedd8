/*
 * Importing what is there already: by name (ChangeSetType IMPORT), or whatever
 * of the new resources' names is taken (ImportExistingResources).  Def.Import
 * {logical id: {property: value}} is what the controller adopts.
 *
 * AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
 */
#include "base/err.h"
#include "cfn/facts.h"
#include "svc/cloudformation/cloudformation.h"
#include "svc/cloudformation/live.h"

static bool
importable(struct span type)
{
	const struct service *s;

	return live_find(type) && cfn_map_find(type, &s);
}

static void
name(struct buf *b, struct span s)
{
	buf_addf(b, "%s%.*s", b->n ? ", " : "", SPAN_ARG(s));
}

static bool
has_policy(const struct cfn_stack *s, size_t i)
{
	return doc_get(s->resources[i].body, "DeletionPolicy") != NULL;
}

static struct reply *
check_one(struct call *c, const struct cfn_stack *s, const struct doc *r)
{
	struct span logical = doc_get_str(r, "LogicalResourceId");
	const struct doc *id = doc_get(r, "ResourceIdentifier");
	struct span type = doc_get_str(r, "ResourceType");
	size_t i = cfn_find(s, logical);
	struct doc *names;
	bool same;

	if (i == CFN_NONE || !span_eq(s->resources[i].type, type))
		return cfn_refuse(c, "The resource to import [%.*s] of type "
		    "%.*s is not in the template", SPAN_ARG(logical),
		    SPAN_ARG(type));
	if (!importable(type))
		return cfn_refuse(c, "ResourceTypes [%.*s] are not supported "
		    "for Import", SPAN_ARG(type));
	names = cfn_facts_identifiers(c->arena, cfn_facts_find(type));
	same = doc_len(names) == doc_len(id);
	doc_each(n, names)
		same &= doc_get_str(id, arena_str(c->arena, doc_span(n))).n > 0;
	if (!same)
		return cfn_refuse(c, "The resource identifier of [%.*s] must "
		    "have exactly these properties: %.*s", SPAN_ARG(logical),
		    SPAN_ARG(doc_json(c->arena, names)));
	return NULL;
}

struct reply *
import_read(struct call *c, const struct cfn_stack *s, struct doc *def)
{
	_cleanup_(buf_done) struct buf bare = BUF_INIT;
	const struct doc *list = doc_get(c->in, "ResourcesToImport");
	struct doc *import = doc_obj(c->arena);
	struct reply *no;

	if (!doc_len(list))
		return cfn_refuse(c, "ResourcesToImport must be specified for "
		    "a change set of type IMPORT");
	doc_each(r, list) {
		struct span logical = doc_get_str(r, "LogicalResourceId");

		if ((no = check_one(c, s, r)))
			return no;
		if (!has_policy(s, cfn_find(s, logical)))
			name(&bare, logical);
		doc_setn(c->arena, import, logical, doc_copy(c->arena,
		    doc_get(r, "ResourceIdentifier")));
	}
	if (bare.n)
		return cfn_refuse(c, "The following resources to import [%s] "
		    "must have DeletionPolicy attribute specified in the "
		    "template.", buf_str(&bare));
	doc_set(c->arena, def, "Import", import);
	return NULL;
}

/* The changes of what is imported, as such. */
static void
mark(struct arena *a, const struct doc *import, struct doc *changes)
{
	doc_each(v, changes) {
		struct doc *rc = doc_get(v, "ResourceChange");
		const struct doc *id = doc_getn(import, doc_get_str(rc,
		    "LogicalResourceId"));

		if (!id)
			continue;
		doc_set_str(a, rc, "Action", SPAN("Import"));
		doc_each(value, id)
			if (doc_len(id) == 1)
				doc_set(a, rc, "PhysicalResourceId",
				    doc_copy(a, value));
	}
}

/* Nothing but imports; *ret_why: what else there is. */
void
import_judge(struct call *c, const struct doc *def, struct doc *plain,
    struct doc *full, bool outputs, struct span *ret_why)
{
	_cleanup_(buf_done) struct buf other = BUF_INIT;

	mark(c->arena, doc_get(def, "Import"), plain);
	mark(c->arena, doc_get(def, "Import"), full);
	doc_each(v, plain) {
		const struct doc *rc = doc_get(v, "ResourceChange");

		if (!span_is(doc_get_str(rc, "Action"), "Import"))
			name(&other, doc_get_str(rc, "LogicalResourceId"));
	}
	if (other.n)
		*ret_why = arena_fmt_span(c->arena, "You have modified "
		    "resources [%s] in your template that are not being "
		    "imported. Update, create or delete operations cannot be "
		    "executed during import operations.", buf_str(&other));
	else if (outputs)
		*ret_why = SPAN("As part of the import operation, you cannot "
		    "modify or add [Outputs]");
}

/* ImportExistingResources */

/* The identifier as the properties have it; NULL: not all of it. */
static struct doc *
identifier(struct arena *a, const struct cfn_facts *f, const struct doc *props)
{
	struct doc *id = doc_obj(a);

	doc_each(n, cfn_facts_identifiers(a, f)) {
		struct span v = doc_span(doc_getn(props, doc_span(n)));

		if (!v.n || span_find(v, SPAN(CFN_AFTER_APPLY)) >= 0)
			return NULL;
		doc_setn(a, id, doc_span(n), doc_strdup(a, v));
	}
	return doc_len(id) ? id : NULL;
}

static int
is_there(struct call *c, const struct stack_context *x, size_t i,
    const struct doc *props, const struct doc *id, bool *ret)
{
	struct cfn_run run = {
		.api = c->api,
		.store = c->store,
		.arena = c->arena,
		.who = principal_system(c->scope.account,
		    "cloudformation.amazonaws.com"),
		.scope = c->scope,
		.stack = x->stack_name,
		.stack_id = x->stack_id,
		.logical = x->stack->resources[i].id,
		.token = c->request_id,
		.props = props,
		.attrs = doc_obj(c->arena),
		.out = doc_obj(c->arena),
	};
	struct span type = x->stack->resources[i].type;
	struct doc *want, *have;
	enum live_outcome o;
	int e;

	run.map = cfn_map_find(type, &run.service);
	doc_each(v, id)
		run.ref = doc_span(v);
	e = live_read(&run, live_find(type), doc_obj(c->arena), NULL, &want,
	    &have, &o);
	*ret = !e && o == LIVE_THERE;
	return e;
}

static bool
is_kept(struct call *c, const struct cfn_stack *s, size_t i)
{
	return span_starts(cfn_policy(c->arena, s, i, "DeletionPolicy"),
	    SPAN("Retain"));
}

static void
affected(struct buf *b, struct span logical, const struct doc *id)
{
	size_t n = 0;

	buf_addf(b, "%s%.*s ({", b->n ? ", " : "", SPAN_ARG(logical));
	doc_each_key(k, v, id)
		buf_addf(b, "%s%.*s=%.*s", n++ ? ", " : "", SPAN_ARG(k),
		    SPAN_ARG(doc_span(v)));
	buf_add_str(b, "})");
}

int
import_existing(struct call *c, struct stack_context *x, struct doc *def,
    struct doc *plain, struct doc *full, struct span *ret_why)
{
	_cleanup_(buf_done) struct buf bad = BUF_INIT;
	struct doc *import = doc_obj(c->arena), *props, *id;
	struct cfn_error err;
	bool there;
	int e;

	for (size_t i = 0; i < x->stack->n; i++) {
		const struct cfn_resource *r = &x->stack->resources[i];

		if (stack_row(x, r->id) || !importable(r->type))
			continue;
		e = cfn_properties(c->arena, x->stack, i, CFN_PLAN, &props,
		    &err);
		if (e < 0)
			return err_trace(e);
		if (e || !(id = identifier(c->arena, cfn_facts_find(r->type),
			props)))
			continue;
		if ((e = is_there(c, x, i, props, id, &there)))
			return err_trace(e);
		if (there && !is_kept(c, x->stack, i))
			affected(&bad, r->id, id);
		if (there)
			doc_setn(c->arena, import, r->id, id);
	}
	if (bad.n)
		*ret_why = arena_fmt_span(c->arena, "CloudFormation is "
		    "attempting to import some resources because they already "
		    "exist in your account. The resources must have the "
		    "DeletionPolicy attribute set to 'Retain' or "
		    "'RetainExceptOnCreate' in the template for successful "
		    "import. The affected resources are %s", buf_str(&bad));
	doc_set(c->arena, def, "Import", import);
	mark(c->arena, import, plain);
	mark(c->arena, import, full);
	return 0;
}
