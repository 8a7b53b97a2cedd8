/* Lists: in the order of names, cut by MaxItems, gone on with by Marker. */
#include <stdlib.h>

#include "svc/iam/iam.h"

#define ITEMS_DEFAULT 100

struct item {
	struct span key;
	struct doc *d;
};

static int
by_key(const void *a, const void *b)
{
	return span_cmp(((const struct item *)a)->key,
	    ((const struct item *)b)->key);
}

struct reply *
iam_page(struct call *c, const char *member, struct doc *all,
    struct doc **ret_out)
{
	struct item *v = arena_array(c->arena, struct item, doc_len(all) + 1);
	size_t max = (size_t)doc_get_int(c->in, "MaxItems", ITEMS_DEFAULT);
	struct span marker = doc_get_str(c->in, "Marker"), last = SPAN_NULL;
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	size_t n = 0, i = 0;

	if (marker.n && !page_token_read(c, marker, &last))
		return reply_error(c, "ValidationError", "Invalid Marker.");
	doc_each_key(k, d, all)
		v[n++] = (struct item){k, d};
	qsort(v, n, sizeof(*v), by_key);
	while (i < n && last.p && span_cmp(v[i].key, last) <= 0)
		i++;
	for (; i < n && doc_len(list) < max; i++)
		doc_push(list, doc_copy(c->arena, v[i].d));
	doc_set(c->arena, out, member, list);
	doc_set_bool(c->arena, out, "IsTruncated", i < n);
	if (i < n)
		doc_set_str(c->arena, out, "Marker",
		    page_token_text(c, v[i - 1].key));
	*ret_out = out;
	return NULL;
}

struct reply *
iam_list(struct call *c, const struct query *q,
    struct doc *(*fn)(struct call *, const struct res *), struct doc **ret)
{
	struct span prefix = doc_get_str(c->in, "PathPrefix");
	struct doc *all = doc_obj(c->arena);
	struct res_list l;
	int r = store_list(c->store, c->arena, q, &l);

	if (r)
		return iam_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		if (span_starts(l.v[i]->parent, prefix))
			doc_append(c->arena, all, l.v[i]->id, fn(c, l.v[i]));
	*ret = all;
	return NULL;
}
