/* What depends on what, in which order things can be made, and cycles. */
#include "cfn/internal.h"

struct edges {
	struct cfn_walk w;
	const struct cfn_stack *s;
	size_t self;
	bool *on; /* by index */
	struct buf missing;
};

static int
add(struct edges *g, struct span name)
{
	size_t i = cfn_find(g->s, name);

	if (i != CFN_NONE)
		g->on[i] = true;
	else if (!cfn_pseudo(name) &&
	    !doc_getn(g->s->template->parameters, name))
		cfn_list_once(&g->missing, name);
	return 0;
}

static int
use(struct cfn_walk *w, enum cfn_use use, struct span name,
    struct span arg UNUSED, const struct doc *value UNUSED)
{
	struct edges *g = w->ctx;

	switch (use) {
	case CFN_USE_REF:
	case CFN_USE_ATTR:
		return add(g, name);
	case CFN_USE_CONDITION:
	case CFN_USE_MAP:
	case CFN_USE_IMPORT:
		break;
	}
	return 0;
}

/* DependsOn may name a resource that is not made: it then waits for none. */
static void
depends_on(struct edges *g, const struct doc *d)
{
	size_t i;

	if (doc_type(d) == DOC_STR &&
	    (i = cfn_find(g->s, doc_span(d))) != CFN_NONE)
		g->on[i] = true;
	doc_each(v, d)
		if ((i = cfn_find(g->s, doc_span(v))) != CFN_NONE)
			g->on[i] = true;
}

static int
resource_edges(struct edges *g, struct cfn_resource *r)
{
	const struct cfn_stack *s = g->s;

	memset(g->on, 0, s->n * sizeof(*g->on));
	depends_on(g, doc_get(r->body, "DependsOn"));
	R(cfn_walk(&g->w, doc_get(r->body, "Properties")));
	R(cfn_walk(&g->w, doc_get(r->body, "Metadata")));
	R(cfn_walk(&g->w, doc_get(r->body, "CreationPolicy")));
	R(cfn_walk(&g->w, doc_get(r->body, "UpdatePolicy")));
	r->n_deps = 0;
	for (size_t i = 0; i < s->n; i++)
		r->n_deps += g->on[i];
	r->deps = arena_array(g->w.a, size_t, r->n_deps);
	for (size_t i = 0, k = 0; i < s->n; i++)
		if (g->on[i])
			r->deps[k++] = i;
	return 0;
}

static int
edges(struct edges *g, struct cfn_stack *s)
{
	const struct doc *c;

	for (size_t i = 0; i < s->n; i++)
		R(resource_edges(g, &s->resources[i]));
	if (g->missing.n)
		return cfn_invalid(g->w.a, g->w.err, "Template format error: "
		    "Unresolved resource dependencies [%s] in the Resources "
		    "block of the template", buf_str(&g->missing));
	doc_each(o, doc_get(s->doc, "Outputs")) {
		c = doc_get(o, "Condition");
		if (c && !doc_true(doc_getn(s->conditions, doc_span(c))))
			continue;
		R(cfn_walk(&g->w, doc_get(o, "Value")));
	}
	if (g->missing.n)
		return cfn_invalid(g->w.a, g->w.err, "Template format error: "
		    "Unresolved resource dependencies [%s] in the Outputs "
		    "block of the template", buf_str(&g->missing));
	return 0;
}

/* AWS names everything that cannot be ordered, in order of name. */
static int
circular(struct arena *a, struct cfn_resource *r, size_t n, const size_t *left,
    struct cfn_error *err)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	bool *in = arena_array(a, bool, n), again = true;

	for (size_t i = 0; i < n; i++)
		in[i] = left[i] > 0;
	/* What only waits for the cycle is no part of it. */
	while (again) {
		bool *wanted = arena_array(a, bool, n);

		again = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; in[i] && k < r[i].n_deps; k++)
				wanted[r[i].deps[k]] = true;
		for (size_t i = 0; i < n; i++)
			if (in[i] && !wanted[i])
				in[i] = false, again = true;
	}
	for (struct span last = SPAN_NULL;;) {
		size_t best = CFN_NONE;

		for (size_t i = 0; i < n; i++)
			if (in[i] && (best == CFN_NONE ||
			    span_cmp(r[i].id, r[best].id) < 0) &&
			    (!last.p || span_cmp(r[i].id, last) > 0))
				best = i;
		if (best == CFN_NONE)
			break;
		last = r[best].id;
		cfn_list_add(&b, last);
	}
	return cfn_invalid(a, err, "Circular dependency between resources: "
	    "[%s]", buf_str(&b));
}

int
cfn_graph_of(struct arena *a, struct cfn_resource *r, size_t n,
    size_t **ret_order, struct cfn_error *err)
{
	size_t *left = arena_array(a, size_t, n + 1);
	size_t *order = arena_array(a, size_t, n + 1);
	bool *done = arena_array(a, bool, n + 1);
	size_t k = 0, before;

	for (size_t i = 0; i < n; i++)
		left[i] = r[i].n_deps;
	do {
		before = k;
		for (size_t i = 0; i < n; i++) {
			if (done[i])
				continue;
			left[i] = 0;
			for (size_t j = 0; j < r[i].n_deps; j++)
				left[i] += !done[r[i].deps[j]];
			if (!left[i]) {
				done[i] = true;
				order[k++] = i;
			}
		}
	} while (k > before);
	if (k < n)
		return circular(a, r, n, left, err);
	*ret_order = order;
	return 0;
}

static void
add_users(struct arena *a, struct cfn_stack *s)
{
	struct cfn_resource *r = s->resources, *d;

	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < r[i].n_deps; k++)
			r[r[i].deps[k]].n_users++;
	for (size_t i = 0; i < s->n; i++) {
		r[i].users = arena_array(a, size_t, r[i].n_users);
		r[i].n_users = 0;
	}
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < r[i].n_deps; k++) {
			d = &r[r[i].deps[k]];
			d->users[d->n_users++] = i;
		}
}

int
cfn_graph(struct arena *a, struct cfn_stack *s, struct cfn_error *err)
{
	struct edges g = {.w = {.a = a, .conditions = s->conditions,
	    .use = use, .err = err}, .s = s};
	int r;

	g.w.ctx = &g;
	g.on = arena_array(a, bool, s->n + 1);
	r = edges(&g, s);
	buf_done(&g.missing);
	R(r);
	add_users(a, s);
	return cfn_graph_of(a, s->resources, s->n, &s->order, err);
}

bool
cfn_ready(const struct cfn_stack *s, size_t i, const bool *done)
{
	const struct cfn_resource *r = &s->resources[i];

	for (size_t k = 0; k < r->n_deps; k++)
		if (!done[r->deps[k]])
			return false;
	return true;
}

bool
cfn_deletable(const struct cfn_stack *s, size_t i, const bool *gone)
{
	const struct cfn_resource *r = &s->resources[i];

	for (size_t k = 0; k < r->n_users; k++)
		if (!gone[r->users[k]])
			return false;
	return true;
}
