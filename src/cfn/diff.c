/* What changes between two stacks, resource by resource in the order in which
 * they depend on each other, so that causes are known before their effects. */
#include "cfn/diff.h"
#include "cfn/facts.h"
#include "cfn/internal.h"

enum fate {
	FATE_SAME, FATE_MODIFIED, FATE_MAYBE_REPLACED, FATE_REPLACED, FATE_NEW
};

static const char *const recreate_text[] = {"Never", "Conditionally",
    "Always"};

struct diff {
	struct arena *a;
	const struct cfn_diff *in;
	struct cfn_error *err;
	struct cfn_stack after; /* with a lookup of ours */
	enum fate *fates;	/* by index in after */
};

/* The change of one resource. */
struct change {
	struct diff *d;
	const struct cfn_resource *old;
	const struct cfn_resource *new;
	const struct cfn_facts *facts;
	struct doc *details;
	struct doc *scope;
	enum fate fate;
};

/* One property of it. */
struct prop {
	struct cfn_walk w;
	struct change *c;
	struct span name;
	const struct doc *was;
	const struct doc *will;
	enum cfn_recreate recreate;
	bool parameter; /* a parameter is the cause */
};

/* What exists and stays keeps its values; what is replaced or new has none. */
static bool
stays(const struct diff *d, struct span id)
{
	size_t i = cfn_find(&d->after, id);

	return i != CFN_NONE && d->fates[i] < FATE_MAYBE_REPLACED;
}

static const struct cfn_lookup *
existing(const struct diff *d)
{
	return d->in->before ? d->in->before->env.lookup :
	    d->in->after->env.lookup;
}

static void *
existing_ctx(const struct diff *d)
{
	return d->in->before ? d->in->before->env.ctx : d->in->after->env.ctx;
}

static int
look_ref(void *ctx, struct arena *a, struct span id, struct doc **ret,
    struct cfn_error *err)
{
	struct diff *d = ctx;

	if (!stays(d, id) || !existing(d) || !existing(d)->ref)
		return CFN_E_UNKNOWN;
	return existing(d)->ref(existing_ctx(d), a, id, ret, err);
}

static int
look_attr(void *ctx, struct arena *a, struct span id, struct span attr,
    struct doc **ret, struct cfn_error *err)
{
	struct diff *d = ctx;

	if (!stays(d, id) || !existing(d) || !existing(d)->attr)
		return CFN_E_UNKNOWN;
	return existing(d)->attr(existing_ctx(d), a, id, attr, ret, err);
}

static int
look_zones(void *ctx, struct arena *a, struct span region, struct doc **ret,
    struct cfn_error *err)
{
	struct diff *d = ctx;

	if (!existing(d) || !existing(d)->zones)
		return CFN_E_UNKNOWN;
	return existing(d)->zones(existing_ctx(d), a, region, ret, err);
}

static int
look_import(void *ctx, struct arena *a, struct span name, struct span *ret,
    struct cfn_error *err)
{
	struct diff *d = ctx;

	if (!existing(d) || !existing(d)->import)
		return CFN_E_UNKNOWN;
	return existing(d)->import(existing_ctx(d), a, name, ret, err);
}

static const struct cfn_lookup lookup = {
	.ref = look_ref, .attr = look_attr, .zones = look_zones,
	.import = look_import
};

/* 60 and 60.0: one of them at least is a number, not a text. */
static bool
same_number(struct arena *a, const struct doc *x, const struct doc *y)
{
	char *s, *t, *s_end, *t_end;

	if (doc_type(x) != DOC_REAL && doc_type(y) != DOC_REAL)
		return false;
	s = arena_str(a, cfn_scalar_text(a, x));
	t = arena_str(a, cfn_scalar_text(a, y));
	return strtod(s, &s_end) == strtod(t, &t_end) && *s && *t && !*s_end &&
	    !*t_end;
}

bool
cfn_same(struct arena *a, const struct doc *x, const struct doc *y)
{
	struct doc_iter it = doc_iter(y);

	if (cfn_is_scalar(x) && cfn_is_scalar(y))
		return span_eq(cfn_scalar_text(a, x), cfn_scalar_text(a, y)) ||
		    same_number(a, x, y);
	if (doc_type(x) != doc_type(y) || doc_len(x) != doc_len(y))
		return false;
	if (doc_type(x) == DOC_ARR) {
		doc_each(v, x)
			if (!cfn_same(a, v, doc_next(&it)))
				return false;
		return true;
	}
	/* Mostly in the same order. */
	doc_each_key(k, v, x) {
		const struct doc *w = doc_next(&it);

		if (!span_eq(doc_iter_key(&it), k))
			w = doc_getn(y, k);
		if (!cfn_same(a, v, w))
			return false;
	}
	return true;
}

static bool
has_unknown(const struct doc *v)
{
	if (doc_type(v) == DOC_STR)
		return span_find(doc_span(v), SPAN(CFN_AFTER_APPLY)) >= 0;
	doc_each(e, v)
		if (has_unknown(e))
			return true;
	return false;
}

enum cfn_recreate
cfn_recreation(struct arena *a, const struct cfn_prop *p, const struct doc *was,
    const struct doc *will)
{
	const struct cfn_shape *s;
	enum cfn_recreate worst = CFN_RECREATE_NEVER, r;

	if (!p || cfn_same(a, was, will))
		return CFN_RECREATE_NEVER;
	if (p->flags & CFN_CREATE_ONLY)
		return CFN_RECREATE_ALWAYS;
	if (p->flags & CFN_MAYBE_CREATE_ONLY)
		worst = CFN_RECREATE_MAYBE;
	s = &cfn_fact_shapes[p->shape];
	if (!p->shape || s->map)
		return worst;
	if (doc_type(will) == DOC_ARR || doc_type(was) == DOC_ARR) {
		size_t n = MAX(doc_len(was), doc_len(will));

		struct cfn_prop item = *p;

		item.flags = 0;
		for (size_t i = 0; i < n; i++) {
			r = cfn_recreation(a, &item, doc_at(was, i),
			    doc_at(will, i));
			worst = MAX(worst, r);
		}
		return worst;
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct cfn_prop *m = &cfn_fact_props[s->first + i];

		r = cfn_recreation(a, m, doc_get(was, m->name),
		    doc_get(will, m->name));
		worst = MAX(worst, r);
	}
	return worst;
}

static struct doc *
shown(struct arena *a, const struct doc *v)
{
	return doc_str(a, cfn_is_scalar(v) ? cfn_scalar_text(a, v) :
	    doc_json(a, v));
}

static void
scope(struct change *c, const char *attribute)
{
	if (!doc_has_str(c->scope, span_of(attribute)))
		doc_push_str(c->d->a, c->scope, span_of(attribute));
}

static void
worsen(struct change *c, enum cfn_recreate r, bool is_static)
{
	enum fate f = FATE_MODIFIED;

	if (r == CFN_RECREATE_ALWAYS && is_static)
		f = FATE_REPLACED;
	else if (r != CFN_RECREATE_NEVER)
		f = FATE_MAYBE_REPLACED;
	c->fate = MAX(c->fate, f);
}

static struct doc *
detail(struct change *c, const char *attribute, const char *source,
    bool is_static, struct span cause, enum cfn_recreate recreate)
{
	struct arena *a = c->d->a;
	struct doc *o = doc_obj(a), *target = doc_obj(a);

	doc_set_str(a, target, "Attribute", span_of(attribute));
	doc_set_str(a, target, "RequiresRecreation",
	    span_of(recreate_text[recreate]));
	doc_set(a, o, "Target", target);
	doc_set_str(a, o, "Evaluation", is_static ? SPAN("Static") :
	    SPAN("Dynamic"));
	doc_set_str(a, o, "ChangeSource", span_of(source));
	if (cause.n)
		doc_set_str(a, o, "CausingEntity", cause);
	doc_push(c->details, o);
	scope(c, attribute);
	worsen(c, recreate, is_static);
	return target;
}

static void
prop_detail(struct prop *p, const char *source, bool is_static,
    struct span cause)
{
	struct change *c = p->c;
	struct arena *a = c->d->a;
	bool tags = c->facts && c->facts->tags &&
	    span_is(p->name, c->facts->tags);
	struct doc *t = detail(c, tags ? "Tags" : "Properties", source,
	    is_static, cause, p->recreate);

	if (!tags)
		doc_set_str(a, t, "Name", p->name);
	if (!c->d->in->values)
		return;
	doc_setf(a, t, "Path", "/Properties/%.*s", SPAN_ARG(p->name));
	doc_set_str(a, t, "AttributeChangeType", !p->was ? SPAN("Add") :
	    !p->will ? SPAN("Remove") : SPAN("Modify"));
	if (p->was)
		doc_set(a, t, "BeforeValue", shown(a, p->was));
	if (p->will)
		doc_set(a, t, "AfterValue", shown(a, p->will));
}

static bool
param_changed(const struct diff *d, struct span name)
{
	const struct cfn_env *old = &d->in->before->env, *new = &d->after.env;

	return doc_getn(d->after.template->parameters, name) &&
	    (!doc_eq(doc_getn(old->params, name), doc_getn(new->params, name)) ||
	    !doc_eq(doc_getn(old->resolved, name),
		doc_getn(new->resolved, name)));
}

static int
cause(struct cfn_walk *w, enum cfn_use use, struct span name, struct span arg,
    const struct doc *value UNUSED)
{
	struct prop *p = w->ctx;
	struct diff *d = p->c->d;
	size_t i = cfn_find(&d->after, name);
	enum fate f = i == CFN_NONE ? FATE_SAME : d->fates[i];

	if (use == CFN_USE_REF && param_changed(d, name) &&
	    !cfn_same(d->a, p->was, p->will)) {
		prop_detail(p, "ParameterReference", true, name);
		p->parameter = true;
	} else if (use == CFN_USE_REF &&
	    (f == FATE_MAYBE_REPLACED || f == FATE_REPLACED)) {
		prop_detail(p, "ResourceReference", false, name);
	} else if (use == CFN_USE_ATTR && (f == FATE_MAYBE_REPLACED ||
	    f == FATE_REPLACED || (f == FATE_MODIFIED && !d->in->values))) {
		prop_detail(p, "ResourceAttribute", false, arena_fmt_span(d->a,
		    "%.*s.%.*s", SPAN_ARG(name), SPAN_ARG(arg)));
	}
	return 0;
}

static int
diff_prop(struct change *c, struct span name, const struct doc *was,
    const struct doc *will)
{
	struct diff *d = c->d;
	const struct doc *raw = doc_getn(doc_get(c->new->body, "Properties"),
	    name);
	const struct doc *raw_was = doc_getn(doc_get(c->old->body,
	    "Properties"), name);
	const struct cfn_prop *fact = c->facts ?
	    cfn_facts_prop(c->facts, name) : NULL;
	struct prop p = {.w = {.a = d->a, .conditions = d->after.conditions,
	    .use = cause, .err = d->err}, .c = c, .name = name, .was = was,
	    .will = will};
	size_t before = doc_len(c->details);

	p.w.ctx = &p;
	p.recreate = cfn_recreation(d->a, fact, was, will);
	/* A reference may change though its value now is the same. */
	if (cfn_same(d->a, was, will) && fact)
		p.recreate = fact->flags & CFN_CREATE_ONLY ? CFN_RECREATE_ALWAYS :
		    fact->flags & CFN_MAYBE_CREATE_ONLY ?
		    CFN_RECREATE_MAYBE : CFN_RECREATE_NEVER;
	R(cfn_walk(&p.w, raw));
	if (cfn_same(d->a, was, will))
		return 0;
	if (p.parameter)
		prop_detail(&p, "DirectModification", false, SPAN_NULL);
	else if (doc_len(c->details) == before || !cfn_same(d->a, raw, raw_was))
		prop_detail(&p, "DirectModification", !has_unknown(will),
		    SPAN_NULL);
	return 0;
}

static int
diff_props(struct change *c, const struct doc *was, const struct doc *will)
{
	doc_each_key(k, v, will)
		R(diff_prop(c, k, doc_getn(was, k), v));
	doc_each_key(k, v, was)
		if (!doc_getn(will, k))
			R(diff_prop(c, k, v, NULL));
	return 0;
}

static int
diff_attributes(struct change *c)
{
	static const char *const names[] = {"Metadata", "CreationPolicy",
	    "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"};
	struct diff *d = c->d;
	struct doc *was, *will;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		was = will = NULL;
		if (doc_get(c->old->body, names[i]))
			R(cfn_eval(d->a, d->in->before, doc_get(c->old->body,
			    names[i]), CFN_PLAN, &was, d->err));
		if (doc_get(c->new->body, names[i]))
			R(cfn_eval(d->a, &d->after, doc_get(c->new->body,
			    names[i]), CFN_PLAN, &will, d->err));
		if (!cfn_same(d->a, was, will))
			detail(c, names[i], "DirectModification", true,
			    SPAN_NULL, CFN_RECREATE_NEVER);
	}
	return 0;
}

static void
diff_tags(struct change *c)
{
	const struct cfn_diff *in = c->d->in;

	if (c->facts && c->facts->tags &&
	    !doc_has_str(c->scope, SPAN("Tags")) &&
	    (doc_len(in->tags_before) || doc_len(in->tags_after)) &&
	    !cfn_same(c->d->a, in->tags_before, in->tags_after))
		detail(c, "Tags", "DirectModification", true, SPAN_NULL,
		    CFN_RECREATE_NEVER);
}

/* "Delete", "ReplaceAndRetain" and so on. */
static void
policy_action(struct change *c, struct doc *o)
{
	struct diff *d = c->d;
	const struct cfn_stack *s = c->new ? &d->after : d->in->before;
	const struct cfn_resource *r = c->new ? c->new : c->old;
	struct span p = cfn_policy(d->a, s, (size_t)(r - s->resources),
	    c->new ? "UpdateReplacePolicy" : "DeletionPolicy");

	/* It existed: RetainExceptOnCreate keeps it. */
	if (span_starts(p, SPAN("Retain")))
		p = SPAN("Retain");
	doc_setf(d->a, o, "PolicyAction", "%s%.*s", c->new ? "ReplaceAnd" : "",
	    SPAN_ARG(p));
}

static int
context(struct diff *d, struct doc *o, const char *key,
    const struct cfn_stack *s, const struct cfn_resource *r)
{
	struct doc *wrap = doc_obj(d->a), *props;

	if (!d->in->values || !r)
		return 0;
	R(cfn_properties(d->a, s, (size_t)(r - s->resources), CFN_SHOW, &props,
	    d->err));
	doc_set(d->a, wrap, "Properties", props);
	doc_set_str(d->a, o, key, doc_json(d->a, wrap));
	return 0;
}

static int
render(struct change *c, const char *action, struct doc **ret)
{
	struct diff *d = c->d;
	const struct cfn_resource *r = c->new ? c->new : c->old;
	struct span id = doc_span(doc_getn(d->in->physical, r->id));
	struct doc *o = doc_obj(d->a), *change = doc_obj(d->a);

	doc_set_str(d->a, o, "Action", span_of(action));
	doc_set_str(d->a, o, "LogicalResourceId", r->id);
	if (id.n && c->old)
		doc_set_str(d->a, o, "PhysicalResourceId", id);
	doc_set_str(d->a, o, "ResourceType", r->type);
	if (!c->new || (c->old && c->fate == FATE_REPLACED))
		policy_action(c, o);
	if (c->old && c->new)
		doc_set_str(d->a, o, "Replacement", c->fate == FATE_REPLACED ?
		    SPAN("True") : c->fate == FATE_MAYBE_REPLACED ?
		    SPAN("Conditional") : SPAN("False"));
	doc_set(d->a, o, "Scope", c->scope);
	doc_set(d->a, o, "Details", c->details);
	R(context(d, o, "BeforeContext", d->in->before, c->old));
	R(context(d, o, "AfterContext", &d->after, c->new));
	doc_set_str(d->a, change, "Type", SPAN("Resource"));
	doc_set(d->a, change, "ResourceChange", o);
	*ret = change;
	return 0;
}

static int
modify(struct change *c)
{
	struct diff *d = c->d;
	struct doc *was, *will;

	R(cfn_properties(d->a, d->in->before, (size_t)(c->old -
	    d->in->before->resources), CFN_PLAN, &was, d->err));
	R(cfn_properties(d->a, &d->after, (size_t)(c->new -
	    d->after.resources), CFN_PLAN, &will, d->err));
	R(diff_props(c, was, will));
	R(diff_attributes(c));
	diff_tags(c);
	if (!doc_len(c->details) &&
	    span_is(c->new->type, "AWS::CloudFormation::Stack"))
		detail(c, "Properties", "Automatic", false, SPAN_NULL,
		    CFN_RECREATE_NEVER);
	return 0;
}

/* ret stays NULL where nothing changes. */
static int
resource(struct diff *d, size_t i, struct doc **ret)
{
	const struct cfn_stack *b = d->in->before;
	size_t was = b ? cfn_find(b, d->after.resources[i].id) : CFN_NONE;
	struct change c = {.d = d, .new = &d->after.resources[i],
	    .details = doc_arr(d->a), .scope = doc_arr(d->a)};

	c.facts = cfn_facts_find(c.new->type);
	if (was == CFN_NONE) {
		d->fates[i] = FATE_NEW;
		return render(&c, "Add", ret);
	}
	c.old = &b->resources[was];
	R(modify(&c));
	d->fates[i] = c.fate;
	return doc_len(c.details) ? render(&c, "Modify", ret) : 0;
}

static int
check_types(struct diff *d)
{
	_cleanup_(buf_done) struct buf bad = BUF_INIT;
	const struct cfn_stack *b = d->in->before;
	const struct cfn_resource *r;
	size_t was;

	for (size_t i = 0; b && i < d->after.n; i++) {
		r = &d->after.resources[i];
		was = cfn_find(b, r->id);
		if (was != CFN_NONE && !span_eq(b->resources[was].type, r->type))
			cfn_list_add(&bad, r->id);
	}
	if (bad.n)
		return cfn_invalid(d->a, d->err, "Update of resource type is "
		    "not permitted. The new template modifies resource type "
		    "of the following resources: [%s]", buf_str(&bad));
	return 0;
}

/* Both sides in the order of their ids. */
static int
merge(struct diff *d, struct doc **changes, struct doc *list)
{
	const struct cfn_stack *b = d->in->before, *n = &d->after;
	size_t i = 0, k = 0, nb = b ? b->n : 0;
	struct doc *o;
	int c;

	while (i < nb || k < n->n) {
		c = i == nb ? 1 : k == n->n ? -1 :
		    span_cmp(b->resources[b->by_id[i]].id,
			n->resources[n->by_id[k]].id);
		if (c < 0) {
			struct change gone = {.d = d,
			    .old = &b->resources[b->by_id[i]],
			    .details = doc_arr(d->a), .scope = doc_arr(d->a)};

			R(render(&gone, "Remove", &o));
			doc_push(list, o);
		} else if (changes[n->by_id[k]]) {
			doc_push(list, changes[n->by_id[k]]);
		}
		i += c <= 0;
		k += c >= 0;
	}
	return 0;
}

int
cfn_diff(struct arena *a, const struct cfn_diff *in, struct doc **ret,
    struct cfn_error *err)
{
	struct diff d = {.a = a, .in = in, .err = err, .after = *in->after};
	struct doc *list = doc_arr(a), **changes;

	d.after.env.lookup = &lookup;
	d.after.env.ctx = &d;
	d.fates = arena_array(a, enum fate, d.after.n + 1);
	changes = arena_array(a, struct doc *, d.after.n + 1);
	R(check_types(&d));
	for (size_t i = 0; i < d.after.n; i++)
		R(resource(&d, d.after.order[i], &changes[d.after.order[i]]));
	R(merge(&d, changes, list));
	*ret = list;
	return 0;
}
