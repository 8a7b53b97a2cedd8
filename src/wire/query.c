/* awsQuery and ec2Query requests: the tree of their dotted names, read by the
 * model. */
#include "doc/form.h"
#include "wire/shape.h"

static int
read_value(struct wire_walk *w, const struct model_member *mb,
    const struct form_node *n, struct doc **ret);

struct slot {
	uint64_t at;
	const struct form_node *n;
};

static int
slot_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct slot *)a)->at;
	uint64_t y = ((const struct slot *)b)->at;

	return x < y ? -1 : x > y;
}

/* The numbered children of n in the order of their numbers. */
static size_t
numbered(struct wire_walk *w, const struct form_node *n, struct slot **ret)
{
	struct slot *v = arena_array(w->a, struct slot, n->n + 1);
	size_t count = 0;
	bool sorted = true;

	for (const struct form_node *c = n->first; c; c = c->next) {
		if (!span_u64(c->key, &v[count].at))
			continue;
		v[count].n = c;
		sorted = sorted && (count == 0 || v[count - 1].at < v[count].at);
		count++;
	}
	if (!sorted)
		qsort(v, count, sizeof(*v), slot_cmp);
	*ret = v;
	return count;
}

/* Below the list's own name: ".member.N", ".<element name>.N" or ".N". */
static const struct form_node *
elements_of(struct wire_walk *w, const struct model_member *mb,
    const struct form_node *n)
{
	const struct model_member *el = model_members(w->m, wire_shape(w, mb));
	const struct form_node *c = NULL;

	if (w->protocol == PROTO_EC2 || mb->flags & MEMBER_FLATTENED)
		return n;
	c = form_child(n, wire_name(w, el));
	if (!c)
		c = form_child(n, SPAN("member"));
	return c ? c : n;
}

static int
read_list(struct wire_walk *w, const struct model_member *mb,
    const struct form_node *n, struct doc **ret)
{
	const struct model_member *el = model_members(w->m, wire_shape(w, mb));
	struct doc *arr = doc_arr(w->a), *out;
	struct slot *v;
	size_t count;
	int r;

	count = numbered(w, elements_of(w, mb, n), &v);
	for (size_t i = 0; i < count; i++) {
		if ((r = read_value(w, el, v[i].n, &out)))
			return r;
		doc_push(arr, out);
	}
	*ret = arr;
	return 0;
}

static int
read_map(struct wire_walk *w, const struct model_member *mb,
    const struct form_node *n, struct doc **ret)
{
	const struct model_member *kv = model_members(w->m, wire_shape(w, mb));
	struct doc *obj = doc_obj(w->a), *out;
	const struct form_node *k, *val;
	struct slot *v;
	size_t count;
	int r;

	if (!(mb->flags & MEMBER_FLATTENED) && form_child(n, SPAN("entry")))
		n = form_child(n, SPAN("entry"));
	count = numbered(w, n, &v);
	for (size_t i = 0; i < count; i++) {
		k = form_child(v[i].n, wire_name(w, &kv[0]));
		val = form_child(v[i].n, wire_name(w, &kv[1]));
		if (!k || !k->value.p || !val)
			return wire_refuse(w, NULL,
			    "A map's entry needs a key and a value");
		if ((r = read_value(w, &kv[1], val, &out)))
			return r;
		doc_setn(w->a, obj, k->value, out);
	}
	*ret = obj;
	return 0;
}

static int
read_struct(struct wire_walk *w, const struct model_shape *s,
    const struct form_node *n, struct doc *into)
{
	const struct model_member *mb, *el;
	const struct form_node *c;
	const struct model_shape *sub;
	struct doc *out;
	struct span name;
	int r;

	mb = model_members(w->m, s);
	for (size_t i = 0; i < s->n; i++, mb++) {
		sub = wire_shape(w, mb);
		name = wire_name(w, mb);
		/* SQS's older clients: a flattened list without a name of its
		 * own goes by its element's. */
		if (sub->type == MODEL_LIST && mb->flags & MEMBER_FLATTENED &&
		    w->protocol == PROTO_QUERY && !mb->wire && !mb->query) {
			el = model_members(w->m, sub);
			if (el->query)
				name = wire_name(w, el);
		}
		c = form_child(n, name);
		if (!c)
			continue;
		if ((r = read_value(w, mb, c, &out)))
			return r;
		doc_append(w->a, into, model_str(w->m, mb->name), out);
	}
	return 0;
}

static int
read_value(struct wire_walk *w, const struct model_member *mb,
    const struct form_node *n, struct doc **ret)
{
	const struct model_shape *s = wire_shape(w, mb);

	switch ((enum model_type)s->type) {
	case MODEL_STRUCTURE:
		*ret = doc_obj(w->a);
		return read_struct(w, s, n, *ret);
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
	if (!n->value.p)
		return wire_refuse(w, NULL, "Unexpected complex element");
	return wire_scalar_read(w, mb, n->value, ret);
}

int
wire_query_read(struct wire_walk *w, const struct model_shape *s,
    struct span query, struct span body, struct doc *into)
{
	struct form_node root = {0};

	if (form_tree(w->a, query, &root) || form_tree(w->a, body, &root))
		return wire_refuse(w, NULL, "The request has too many "
		    "parameters");
	return s ? read_struct(w, s, &root, into) : 0;
}
