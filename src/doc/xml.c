/* XML elements as a tree, on expat. */
#include <expat.h>

#include "base/buf.h"
#include "doc/xml.h"

struct reader {
	struct arena *arena;
	XML_Parser parser;
	struct xml_node *open[XML_MAX_DEPTH];
	size_t depth;
	struct xml_node *root;
	struct buf text;
	int failed;
};

static void
stop(struct reader *r, int why)
{
	if (!r->failed)
		r->failed = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static struct span
local_name(struct arena *a, const char *name)
{
	struct span s = span_of(name);
	ptrdiff_t colon = span_rchr(s, ':');

	return arena_span(a, colon < 0 ? s : span_from(s, (size_t)colon + 1));
}

static void
add_attrs(struct reader *r, struct xml_node *n, const char **attrs)
{
	struct xml_attr *at;

	for (; attrs[0]; attrs += 2) {
		at = arena_new_of(r->arena, struct xml_attr);
		at->name = arena_span(r->arena, span_of(attrs[0]));
		at->value = arena_span(r->arena, span_of(attrs[1]));
		at->next = n->attrs;
		n->attrs = at;
	}
}

static void XMLCALL
on_start(void *ctx, const char *name, const char **attrs)
{
	struct reader *r = ctx;
	struct xml_node *n, *up;

	if (r->depth == XML_MAX_DEPTH) {
		stop(r, XML_E_DEPTH);
		return;
	}
	n = arena_new_of(r->arena, struct xml_node);
	n->name = local_name(r->arena, name);
	add_attrs(r, n, attrs);
	if (r->depth == 0) {
		r->root = n;
	} else {
		up = r->open[r->depth - 1];
		if (up->last)
			up->last->next = n;
		else
			up->first = n;
		up->last = n;
	}
	r->open[r->depth++] = n;
	buf_clear(&r->text);
}

static void XMLCALL
on_end(void *ctx, const char *name UNUSED)
{
	struct reader *r = ctx;
	struct xml_node *n = r->open[--r->depth];

	if (!n->first)
		n->text = arena_span(r->arena, buf_span(&r->text));
	buf_clear(&r->text);
}

static void XMLCALL
on_text(void *ctx, const char *p, int n)
{
	struct reader *r = ctx;

	buf_add(&r->text, p, (size_t)n);
}

static void XMLCALL
on_doctype(void *ctx, const char *name UNUSED, const char *sysid UNUSED,
    const char *pubid UNUSED, int subset UNUSED)
{
	stop(ctx, XML_E_DOCTYPE);
}

int
xml_parse(struct arena *a, struct span text, struct xml_node **ret)
{
	struct reader r = {.arena = a, .text = BUF_INIT};
	enum XML_Status st = XML_STATUS_ERROR;

	r.parser = XML_ParserCreate("UTF-8");
	AN(r.parser);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (text.n <= INT32_MAX)
		st = XML_Parse(r.parser, text.p ? text.p : "", (int)text.n, 1);
	XML_ParserFree(r.parser);
	buf_done(&r.text);
	if (r.failed)
		return r.failed;
	if (st != XML_STATUS_OK || !r.root)
		return XML_E_SYNTAX;
	*ret = r.root;
	return 0;
}

struct xml_node *
xml_child(const struct xml_node *n, struct span name)
{
	for (struct xml_node *c = n ? n->first : NULL; c; c = c->next)
		if (span_eq(c->name, name))
			return c;
	return NULL;
}
