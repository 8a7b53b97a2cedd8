/* Query strings and form bodies. */
#include "base/buf.h"
#include "doc/form.h"

static struct span
decode(struct arena *a, struct span s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	if (span_chr(s, '%') < 0 && span_chr(s, '+') < 0)
		return s.p ? s : SPAN("");
	buf_add_unuri(&b, s, true);
	return arena_span(a, buf_span(&b));
}

bool
form_next(struct arena *a, struct span *rest, struct form_pair *ret)
{
	struct span pair = SPAN_NULL;
	ptrdiff_t eq;

	while (rest->p && pair.n == 0)
		pair = span_cut(rest, '&');
	if (pair.n == 0)
		return false;
	eq = span_chr(pair, '=');
	ret->has_value = eq >= 0;
	ret->name = decode(a, eq < 0 ? pair : span_to(pair, (size_t)eq));
	ret->value = eq < 0 ? SPAN("") :
	    decode(a, span_from(pair, (size_t)eq + 1));
	return true;
}

/* Clients send what belongs together together: look at the newest first. */
struct form_node *
form_child(const struct form_node *n, struct span key)
{
	if (n->last && span_eq(n->last->key, key))
		return n->last;
	for (struct form_node *c = n->first; c; c = c->next)
		if (span_eq(c->key, key))
			return c;
	return NULL;
}

static struct form_node *
child_add(struct arena *a, struct form_node *n, struct span key)
{
	struct form_node *c = form_child(n, key);

	if (c)
		return c;
	c = arena_new_of(a, struct form_node);
	c->key = key;
	if (n->last)
		n->last->next = c;
	else
		n->first = c;
	n->last = c;
	n->n++;
	return c;
}

int
form_tree(struct arena *a, struct span text, struct form_node *root)
{
	struct form_node *n;
	struct form_pair p;
	size_t pairs = 0, depth;

	while (form_next(a, &text, &p)) {
		if (++pairs > FORM_MAX_PAIRS)
			return FORM_E_LIMIT;
		n = root;
		depth = 0;
		while (p.name.p) {
			if (++depth > FORM_MAX_DEPTH)
				return FORM_E_LIMIT;
			n = child_add(a, n, span_cut(&p.name, '.'));
		}
		if (!n->value.p)
			n->value = p.value;
	}
	return 0;
}
