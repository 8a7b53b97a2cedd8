/* A template with its parameters: loops, rules, conditions, what is live; and
 * what is asked of it. */
#include "cfn/internal.h"

static int
by_id(const void *a, const void *b, void *ctx)
{
	const struct cfn_resource *r = ctx;

	return span_cmp(r[*(const size_t *)a].id, r[*(const size_t *)b].id);
}

size_t
cfn_find(const struct cfn_stack *s, struct span id)
{
	size_t lo = 0, hi = s->n, mid;
	int c;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		c = span_cmp(id, s->resources[s->by_id[mid]].id);
		if (c == 0)
			return s->by_id[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return CFN_NONE;
}

static int
decide(struct arena *a, struct cfn_stack *s, struct cfn_error *err)
{
	bool b;

	s->conditions = doc_obj(a);
	doc_each_key(k, c, doc_get(s->doc, "Conditions")) {
		R(cfn_eval_condition(a, s, c, &b, err));
		doc_setn(a, s->conditions, k, doc_bool(a, b));
	}
	return 0;
}

/* AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html */
static int
assert_rules(struct arena *a, struct cfn_stack *s, struct cfn_error *err)
{
	const struct doc *when;
	struct span why;
	bool b;

	doc_each_key(name, rule, s->template->rules) {
		when = doc_get(rule, "RuleCondition");
		if (when) {
			R(cfn_eval_condition(a, s, when, &b, err));
			if (!b)
				continue;
		}
		doc_each(v, doc_get(rule, "Assertions")) {
			R(cfn_eval_condition(a, s, doc_get(v, "Assert"), &b,
			    err));
			why = doc_get_str(v, "AssertDescription");
			if (!b)
				return cfn_invalid(a, err, "Template error: "
				    "Assertion failed for rule %.*s%s%.*s",
				    SPAN_ARG(name), why.n ? ": " : "",
				    SPAN_ARG(why));
		}
	}
	return 0;
}

static bool
is_live(const struct cfn_stack *s, const struct doc *body)
{
	const struct doc *c = doc_get(body, "Condition");

	return !c || doc_true(doc_getn(s->conditions, doc_span(c)));
}

static int
collect(struct arena *a, struct cfn_stack *s, struct cfn_error *err)
{
	const struct doc *all = doc_get(s->doc, "Resources");

	if (doc_len(all) > CFN_MAX_RESOURCES)
		return cfn_invalid(a, err, "Template format error: Number of "
		    "resources, %zu, is greater than maximum allowed, %d",
		    doc_len(all), CFN_MAX_RESOURCES);
	s->resources = arena_array(a, struct cfn_resource, doc_len(all) + 1);
	s->by_id = arena_array(a, size_t, doc_len(all) + 1);
	doc_each_key(k, body, all) {
		if (!is_live(s, body))
			continue;
		s->resources[s->n] = (struct cfn_resource){.id = k,
		    .type = doc_get_str(body, "Type"), .body = body};
		s->by_id[s->n] = s->n;
		s->n++;
	}
	qsort_r(s->by_id, s->n, sizeof(*s->by_id), by_id, s->resources);
	return 0;
}

int
cfn_stack_open(struct arena *a, const struct cfn_template *t,
    const struct cfn_env *env, struct cfn_stack **ret, struct cfn_error *err)
{
	struct cfn_stack *s = arena_new_of(a, struct cfn_stack);

	s->arena = a;
	s->template = t;
	s->env = *env;
	s->doc = t->doc;
	s->conditions = doc_obj(a);
	if (t->extensions) {
		R(cfn_expand(a, s, t->doc, &s->doc, err));
		R(cfn_check_references(a, t, s->doc, err));
	}
	R(assert_rules(a, s, err));
	R(decide(a, s, err));
	R(collect(a, s, err));
	R(cfn_graph(a, s, err));
	*ret = s;
	return 0;
}

int
cfn_properties(struct arena *a, const struct cfn_stack *s, size_t i, int flags,
    struct doc **ret, struct cfn_error *err)
{
	const struct doc *p = doc_get(s->resources[i].body, "Properties");
	struct doc *d = NULL;

	if (p)
		R(cfn_eval(a, s, p, flags, &d, err));
	if (d && doc_type(d) != DOC_OBJ)
		return cfn_invalid(a, err, "Template format error: "
		    "[/Resources/%.*s/Properties] Properties must be an "
		    "object.", SPAN_ARG(s->resources[i].id));
	*ret = d ? d : doc_obj(a);
	return 0;
}

static int
output(struct arena *a, const struct cfn_stack *s, struct span name,
    const struct doc *o, int flags, struct doc **ret, struct cfn_error *err)
{
	struct span v, export;
	struct doc *d = doc_obj(a);

	R(cfn_eval_text(a, s, doc_get(o, "Value"), flags | CFN_LITERAL,
	    arena_fmt(a,
	    "Output %.*s: The Value field of every Outputs member must "
	    "evaluate to a String.", SPAN_ARG(name)), &v, err));
	doc_set_str(a, d, "OutputKey", name);
	doc_set_str(a, d, "OutputValue", v);
	if (doc_get_str(o, "Description").n)
		doc_set_str(a, d, "Description",
		    doc_get_str(o, "Description"));
	if (doc_get(o, "Export")) {
		R(cfn_eval_text(a, s, doc_path(o, "Export", "Name", NULL),
		    flags, "The Name field of every Export member must "
		    "evaluate to a String.", &export, err));
		doc_set_str(a, d, "ExportName", export);
	}
	*ret = d;
	return 0;
}

int
cfn_outputs(struct arena *a, const struct cfn_stack *s, int flags,
    struct doc **ret, struct cfn_error *err)
{
	struct doc *list = doc_arr(a), *o;

	doc_each_key(k, v, doc_get(s->doc, "Outputs")) {
		if (!is_live(s, v))
			continue;
		R(output(a, s, k, v, flags, &o, err));
		doc_push(list, o);
	}
	*ret = list;
	return 0;
}

struct span
cfn_policy(struct arena *a, const struct cfn_stack *s, size_t i,
    const char *key)
{
	const struct doc *d = doc_get(s->resources[i].body, key);
	struct cfn_error err;
	struct span v;

	if (d && cfn_eval_text(a, s, d, CFN_SHOW, "", &v, &err) == 0)
		return v;
	return SPAN("Delete");
}

struct imports {
	struct cfn_walk w;
	const struct cfn_stack *s;
	struct doc *names;
};

static int
use(struct cfn_walk *w, enum cfn_use use, struct span name UNUSED,
    struct span arg UNUSED, const struct doc *value)
{
	struct imports *m = w->ctx;
	struct span v;

	if (use == CFN_USE_IMPORT && cfn_eval_text(w->a, m->s, value, 0, "",
	    &v, w->err) == 0 && !doc_has_str(m->names, v))
		doc_push_str(w->a, m->names, v);
	return 0;
}

struct doc *
cfn_imports(struct arena *a, const struct cfn_stack *s)
{
	struct cfn_error err;
	struct imports m = {.w = {.a = a, .conditions = s->conditions,
	    .use = use, .err = &err}, .s = s, .names = doc_arr(a)};

	m.w.ctx = &m;
	for (size_t i = 0; i < s->n; i++)
		cfn_walk(&m.w, s->resources[i].body);
	doc_each(o, doc_get(s->doc, "Outputs"))
		if (is_live(s, o))
			cfn_walk(&m.w, doc_get(o, "Value"));
	return m.names;
}
