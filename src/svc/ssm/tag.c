/* Tags of parameters.  Other types of resources are not here yet. */
#include "svc/ssm/ssm.h"

#define TAGS_MAX 50

struct reply *
ssm_put_tags(struct call *c, const struct res *p, const struct doc *tags)
{
	struct doc *now;
	int r;

	doc_each(t, tags) {
		struct span k = doc_get_str(t, "Key");

		if (span_starts(k, SPAN("aws:")) && !c->who.system)
			return ssm_invalid(c, "Tag key %.*s: the prefix aws: "
			    "is reserved.", SPAN_ARG(k));
		r = store_tag(c->store, p, k, doc_get_str(t, "Value"));
		if (r)
			return ssm_fail(c, r);
	}
	if ((r = store_tags(c->store, c->arena, p, &now)))
		return ssm_fail(c, r);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TooManyTagsError", "A resource can "
		    "have %d tags at most.", TAGS_MAX);
	return NULL;
}

static struct reply *
named(struct call *c, struct res **ret)
{
	struct span type = doc_get_str(c->in, "ResourceType");
	int r;

	if (!span_is(type, "Parameter"))
		return reply_not_implemented(c, "ResourceType %.*s",
		    SPAN_ARG(type));
	r = ssm_get(c, doc_get_str(c->in, "ResourceId"), ret);
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "InvalidResourceId", "%s", "");
	return r ? ssm_fail(c, r) : NULL;
}

struct reply *
ssm_add_tags(struct call *c)
{
	struct res *p;
	struct reply *no = named(c, &p);

	if (no || (no = ssm_put_tags(c, p, doc_get(c->in, "Tags"))))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
ssm_remove_tags(struct call *c)
{
	struct res *p;
	struct reply *no = named(c, &p);
	int r;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((r = store_untag(c->store, p, doc_span(k))) < 0)
			return ssm_fail(c, r);
	return reply_ok(c, NULL);
}

struct reply *
ssm_list_tags(struct call *c)
{
	struct doc *list = doc_arr(c->arena), *tags;
	struct res *p;
	struct reply *no = named(c, &p);
	int r;

	if (no)
		return no;
	if ((r = store_tags(c->store, c->arena, p, &tags)))
		return ssm_fail(c, r);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "Key", k);
		doc_set_str(c->arena, t, "Value", doc_span(v));
		doc_push(list, t);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "TagList",
	    list));
}
