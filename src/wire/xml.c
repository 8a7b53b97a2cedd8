/* XML bodies: requests of restXml, replies of all the XML protocols. */
#include "doc/xml.h"
#include "wire/shape.h"

static const char *
malformed(const struct wire_walk *w)
{
	return w->m->no_error_wrapping ? "MalformedXML" : "InvalidInput";
}

int
wire_xml_parse(struct wire_walk *w, struct span body, struct xml_node **ret)
{
	if (xml_parse(w->a, body, ret) == 0)
		return 0;
	return wire_refuse(w, malformed(w), "The XML you provided was not "
	    "well-formed or did not validate against our published schema");
}

static struct span
element_name(const struct wire_walk *w, const struct model_member *el)
{
	return wire_name(w, el);
}

/* The name under which a member's elements stand in its parent.
 * For SQS's older clients, a flattened list without a name of its own goes by
 * its element's. */
static struct span
member_tag(const struct wire_walk *w, const struct model_member *mb)
{
	const struct model_shape *s = wire_shape(w, mb);
	const struct model_member *el;

	if (s->type == MODEL_LIST && mb->flags & MEMBER_FLATTENED &&
	    w->protocol == PROTO_QUERY && !mb->wire && !mb->query) {
		el = model_members(w->m, s);
		if (el->query)
			return element_name(w, el);
	}
	return wire_name(w, mb);
}

/* Elements with the tag, from n on among its siblings (flattened), or below
 * n. */
static int
read_list(struct wire_walk *w, const struct model_member *mb,
    const struct xml_node *n, struct doc **ret)
{
	const struct model_member *el = model_members(w->m, wire_shape(w, mb));
	bool flat = mb->flags & MEMBER_FLATTENED;
	struct span tag = flat ? n->name : element_name(w, el);
	struct doc *arr = doc_arr(w->a), *out;
	int r;

	for (const struct xml_node *c = flat ? n : n->first; c; c = c->next) {
		if (!span_eq(c->name, tag))
			continue;
		if ((r = wire_xml_read(w, el, c, &out)))
			return r;
		doc_push(arr, out);
	}
	*ret = arr;
	return 0;
}

static int
read_map(struct wire_walk *w, const struct model_member *mb,
    const struct xml_node *n, struct doc **ret)
{
	const struct model_member *kv = model_members(w->m, wire_shape(w, mb));
	bool flat = mb->flags & MEMBER_FLATTENED;
	struct span tag = flat ? n->name : SPAN("entry");
	struct doc *obj = doc_obj(w->a), *out;
	const struct xml_node *k, *v;
	int r;

	for (const struct xml_node *c = flat ? n : n->first; c; c = c->next) {
		if (!span_eq(c->name, tag))
			continue;
		k = xml_child(c, wire_name(w, &kv[0]));
		v = xml_child(c, wire_name(w, &kv[1]));
		if (!k || !v)
			return wire_refuse(w, malformed(w),
			    "A map's entry needs a key and a value");
		if ((r = wire_xml_read(w, &kv[1], v, &out)))
			return r;
		doc_setn(w->a, obj, k->text, out);
	}
	*ret = obj;
	return 0;
}

static int
read_attr(struct wire_walk *w, const struct model_member *mb,
    const struct xml_node *n, struct doc *into)
{
	struct doc *out;
	int r;

	for (const struct xml_attr *at = n->attrs; at; at = at->next) {
		if (!span_eq(at->name, wire_name(w, mb)))
			continue;
		if ((r = wire_scalar_read(w, mb, at->value, &out)))
			return r;
		doc_append(w->a, into, model_str(w->m, mb->name), out);
		return 0;
	}
	return 0;
}

int
wire_xml_read_struct(struct wire_walk *w, const struct model_shape *s,
    const struct xml_node *n, struct doc *into)
{
	const struct model_member *mb = model_members(w->m, s);
	const struct xml_node *c;
	struct doc *out;
	int r;

	for (size_t i = 0; i < s->n; i++, mb++) {
		if (!wire_in_body(w, mb))
			continue;
		if (mb->flags & MEMBER_XML_ATTRIBUTE) {
			if ((r = read_attr(w, mb, n, into)))
				return r;
			continue;
		}
		c = xml_child(n, member_tag(w, mb));
		if (!c)
			continue;
		if ((r = wire_xml_read(w, mb, c, &out)))
			return r;
		doc_append(w->a, into, model_str(w->m, mb->name), out);
	}
	return 0;
}

int
wire_xml_read(struct wire_walk *w, const struct model_member *mb,
    const struct xml_node *n, struct doc **ret)
{
	const struct model_shape *s = wire_shape(w, mb);

	switch ((enum model_type)s->type) {
	case MODEL_STRUCTURE:
		*ret = doc_obj(w->a);
		return wire_xml_read_struct(w, s, n, *ret);
	case MODEL_LIST:
		return read_list(w, mb, n, ret);
	case MODEL_MAP:
		return read_map(w, mb, n, ret);
	case MODEL_STRING:
	case MODEL_BLOB:
	case MODEL_BOOLEAN:
	case MODEL_INTEGER:
	case MODEL_LONG:
	case MODEL_FLOAT:
	case MODEL_DOUBLE:
	case MODEL_TIMESTAMP:
		break;
	}
	if (n->first) {
		wire_refuse(w, malformed(w), "Unexpected element %.*s",
		    SPAN_ARG(n->first->name));
		return WIRE_E_REFUSED;
	}
	if (s->type == MODEL_STRING || s->type == MODEL_BLOB)
		return wire_scalar_read(w, mb, n->text, ret);
	if (wire_scalar_read(w, mb, span_trim(n->text), ret) == 0)
		return 0;
	w->err->code = span_of(malformed(w));
	return WIRE_E_REFUSED;
}

/* Writer */

void
wire_xml_put_text(struct buf *b, const struct wire_walk *w, struct span s)
{
	size_t from = 0;
	const char *ent;

	s = wire_clean_text(w->a, s, true);
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			ent = "&amp;";
			break;
		case '<':
			ent = "&lt;";
			break;
		case '>':
			ent = "&gt;";
			break;
		case '"':
			ent = "&quot;";
			break;
		case '\r':
			ent = "&#xD;";
			break;
		default:
			continue;
		}
		buf_add(b, s.p + from, i - from);
		buf_add_str(b, ent);
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
}

static void
put_xmlns(struct buf *b, struct span ns)
{
	ptrdiff_t eq = span_chr(ns, '=');

	if (ns.n == 0)
		return;
	buf_add_str(b, " xmlns");
	if (eq > 0) {
		buf_add_char(b, ':');
		buf_add(b, ns.p, (size_t)eq);
		ns = span_from(ns, (size_t)eq + 1);
	}
	buf_add_str(b, "=\"");
	buf_add_span(b, ns);
	buf_add_char(b, '"');
}

static void
put_open(struct buf *b, struct span name)
{
	buf_add_char(b, '<');
	buf_add_span(b, name);
	buf_add_char(b, '>');
}

static void
put_close(struct buf *b, struct span name)
{
	buf_add(b, "</", 2);
	buf_add_span(b, name);
	buf_add_char(b, '>');
}

void
wire_xml_put_attrs(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_member *mb = model_members(w->m, s);
	const struct doc *v;

	for (size_t i = 0; i < s->n; i++, mb++) {
		if (!(mb->flags & MEMBER_XML_ATTRIBUTE))
			continue;
		v = doc_getn(d, model_str(w->m, mb->name));
		if (!v)
			continue;
		buf_add_char(b, ' ');
		buf_add_span(b, wire_name(w, mb));
		buf_add_str(b, "=\"");
		wire_xml_put_text(b, w, wire_scalar_text(w, mb,
		    wire_time(w, mb), v));
		buf_add_char(b, '"');
	}
}

static void
put_map_entries(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, struct span tag, const struct doc *d)
{
	const struct model_member *kv = model_members(w->m, s);
	struct span key = wire_name(w, &kv[0]);

	doc_each_key(k, v, d) {
		put_open(b, tag);
		put_open(b, key);
		wire_xml_put_text(b, w, k);
		put_close(b, key);
		wire_xml_put(b, w, &kv[1], wire_name(w, &kv[1]), v);
		put_close(b, tag);
	}
}

static void
put_list_items(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, struct span tag, const struct doc *d)
{
	doc_each(v, d)
		wire_xml_put(b, w, model_members(w->m, s), tag, v);
}

void
wire_xml_put(struct buf *b, const struct wire_walk *w,
    const struct model_member *mb, struct span name, const struct doc *d)
{
	const struct model_shape *s = wire_shape(w, mb);

	buf_add_char(b, '<');
	buf_add_span(b, name);
	put_xmlns(b, model_str(w->m, mb->xmlns ? mb->xmlns : s->xmlns));
	if (s->type == MODEL_STRUCTURE)
		wire_xml_put_attrs(b, w, s, d);
	buf_add_char(b, '>');
	switch ((enum model_type)s->type) {
	case MODEL_STRUCTURE:
		wire_xml_put_members(b, w, s, d);
		break;
	case MODEL_LIST:
		put_list_items(b, w, s, element_name(w,
		    model_members(w->m, s)), d);
		break;
	case MODEL_MAP:
		put_map_entries(b, w, s, SPAN("entry"), d);
		break;
	case MODEL_STRING:
	case MODEL_BLOB:
	case MODEL_BOOLEAN:
	case MODEL_INTEGER:
	case MODEL_LONG:
	case MODEL_FLOAT:
	case MODEL_DOUBLE:
	case MODEL_TIMESTAMP:
		wire_xml_put_text(b, w, wire_scalar_text(w, mb,
		    wire_time(w, mb), d));
		break;
	}
	put_close(b, name);
}

void
wire_xml_put_members(struct buf *b, const struct wire_walk *w,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_member *mb;
	const struct model_shape *sub;
	size_t hint = 0;

	doc_each_key(k, v, d) {
		if (doc_type(v) == DOC_NULL)
			continue;
		mb = wire_find_own(w, s, k, &hint);
		if (!mb || !wire_in_body(w, mb) ||
		    mb->flags & MEMBER_XML_ATTRIBUTE)
			continue;
		sub = wire_shape(w, mb);
		if (!(mb->flags & MEMBER_FLATTENED))
			wire_xml_put(b, w, mb, wire_name(w, mb), v);
		else if (sub->type == MODEL_MAP)
			put_map_entries(b, w, sub, wire_name(w, mb), v);
		else
			put_list_items(b, w, sub, member_tag(w, mb), v);
	}
}
