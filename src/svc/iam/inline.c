/* Inline policies of roles, users and groups. */
#include "svc/iam/iam.h"

static struct reply *
find(struct call *c, struct res **ret)
{
	return iam_named(c, iam_noun(c), ret);
}

static struct reply *
changeable(struct call *c, struct res **ret)
{
	struct reply *no = find(c, ret);

	return no ? no : iam_protected(c, *ret);
}

static struct reply *
no_such(struct call *c)
{
	return iam_missing(c, "The %s policy with name %.*s cannot be found.",
	    iam_noun(c)->in_text, SPAN_ARG(doc_get_str(c->in, "PolicyName")));
}

struct reply *
iam_put_inline(struct call *c)
{
	struct span text = doc_get_str(c->in, "PolicyDocument");
	const struct iam_noun *n = iam_noun(c);
	struct doc *all;
	struct res *r;
	struct reply *no = changeable(c, &r);
	size_t size = 0;

	if (no || (no = iam_check_policy(c, text, POLICY_IDENTITY)))
		return no;
	all = doc_get(r->spec, "Inline");
	doc_setn(c->arena, all, doc_get_str(c->in, "PolicyName"),
	    doc_str(c->arena, text));
	doc_each_key(k, v, all)
		size += policy_size(doc_span(v));
	if (size > n->inline_max)
		return reply_error(c, "LimitExceeded", "Maximum policy size of "
		    "%zu bytes exceeded for %s %.*s", n->inline_max,
		    n->in_text, SPAN_ARG(r->id));
	return iam_put_ok(c, r);
}

struct reply *
iam_get_inline(struct call *c)
{
	struct span name = doc_get_str(c->in, "PolicyName");
	struct doc *out = doc_obj(c->arena);
	const struct doc *text;
	struct res *r;
	struct reply *no = find(c, &r);

	if (no)
		return no;
	if (!(text = doc_getn(doc_get(r->spec, "Inline"), name)))
		return no_such(c);
	doc_set_str(c->arena, out, iam_noun(c)->member, r->id);
	doc_set_str(c->arena, out, "PolicyName", name);
	doc_set_str(c->arena, out, "PolicyDocument",
	    iam_encoded(c, doc_span(text)));
	return reply_ok(c, out);
}

struct reply *
iam_delete_inline(struct call *c)
{
	struct span name = doc_get_str(c->in, "PolicyName");
	struct res *r;
	struct reply *no = changeable(c, &r);

	if (no)
		return no;
	if (!doc_getn(doc_get(r->spec, "Inline"), name))
		return no_such(c);
	doc_setn(c->arena, doc_get(r->spec, "Inline"), name, NULL);
	return iam_put_ok(c, r);
}

struct reply *
iam_list_inline(struct call *c)
{
	struct doc *all = doc_obj(c->arena), *out;
	struct res *r;
	struct reply *no = find(c, &r);

	if (no)
		return no;
	doc_each_key(k, v, doc_get(r->spec, "Inline"))
		doc_append(c->arena, all, k, doc_str(c->arena, k));
	return (no = iam_page(c, "PolicyNames", all, &out)) ? no :
	    reply_ok(c, out);
}

struct doc *
iam_show_inline(struct call *c, const struct res *r)
{
	struct doc *list = doc_arr(c->arena), *d;

	doc_each_key(k, v, doc_get(r->spec, "Inline")) {
		d = doc_obj(c->arena);
		doc_set_str(c->arena, d, "PolicyName", k);
		doc_set_str(c->arena, d, "PolicyDocument",
		    iam_encoded(c, doc_span(v)));
		doc_push(list, d);
	}
	return list;
}
