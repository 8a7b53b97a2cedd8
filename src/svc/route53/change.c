/* Changes: what GetChange tells of them. */
#include "base/clock.h"
#include "base/id.h"
#include "svc/route53/route53.h"

#define ID_LEN	20 /* after the C */
#define KEPT_MS (30 * 24 * 60 * 60 * 1000LL)
#define SWEEP	4 /* more than come in */

static struct doc *
change_doc(struct call *c, const struct res *r, const char *status)
{
	struct doc *d = doc_obj(c->arena);

	doc_setf(c->arena, d, "Id", "/change/%.*s", SPAN_ARG(r->id));
	doc_set_str(c->arena, d, "Status", span_of(status));
	doc_set_time(c->arena, d, "SubmittedAt", r->created);
	return doc_set(c->arena, d, "Comment",
	    doc_copy(c->arena, doc_get(r->spec, "Comment")));
}

/* The oldest go as new ones come. */
static int
forget_old(struct call *c)
{
	struct query q = {.kind = &route53_change, .scope = c->scope,
	    .limit = SWEEP};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		if (l.v[i]->created < clock_ms() - KEPT_MS)
			r = store_delete(c->store, l.v[i]);
	return r;
}

struct reply *
r53_change(struct call *c, struct span comment, struct doc **ret)
{
	struct res *change = res_new(c->arena, &route53_change, c->scope,
	    SPAN_NULL, arena_fmt_span(c->arena, "C%s",
	    id_upper(c->arena, ID_LEN)));
	int r = forget_old(c);

	if (comment.n)
		doc_set_str(c->arena, change->spec, "Comment", comment);
	if (r || (r = store_insert(c->store, c->arena, change)))
		return r53_fail(c, r);
	/* It acts once it is committed, after this reply was made. */
	*ret = change_doc(c, change, "PENDING");
	return NULL;
}

struct reply *
r53_get_change(struct call *c)
{
	struct span id = doc_get_str(c->in, "Id");
	struct res *change;
	int r;

	if (span_starts(id, SPAN("/change/")))
		id = span_from(id, 8);
	r = store_get(c->store, c->arena, &route53_change, c->scope, SPAN_NULL,
	    id, &change);
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "NoSuchChange", "Could not find resource "
		    "with ID: %.*s", SPAN_ARG(id));
	if (r)
		return r53_fail(c, r);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "ChangeInfo",
	    change_doc(c, change, "INSYNC")));
}
