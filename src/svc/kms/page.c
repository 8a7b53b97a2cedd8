/* Pages: Limit, Marker, Truncated, NextMarker. */
#include "svc/kms/kms.h"

struct reply *
kms_page(struct call *c, size_t limit, struct kms_page *ret)
{
	struct span marker = doc_get_str(c->in, "Marker");

	*ret = (struct kms_page){.limit = limit};
	ret->limit = (size_t)doc_get_int(c->in, "Limit", (int64_t)limit);
	if (marker.n && !page_token_row(c, marker, &ret->after))
		return reply_error(c, "InvalidMarkerException",
		    "Could not deserialize marker '%.*s'", SPAN_ARG(marker));
	return NULL;
}

void
kms_page_end(struct call *c, struct doc *out, const struct res_list *l)
{
	doc_set_bool(c->arena, out, "Truncated", l->more);
	if (l->more)
		doc_set_str(c->arena, out, "NextMarker",
		    page_token(c, l->v[l->n - 1]->row));
}
