/* Tags of hosted zones. */
#include "svc/route53/route53.h"

#define TAGS_MAX 50

static struct reply *
find(struct call *c, struct span id, struct res **ret)
{
	if (span_is(doc_get_str(c->in, "ResourceType"), "healthcheck"))
		return reply_error(c, "NoSuchHealthCheck", "No health check "
		    "exists with the specified ID: %.*s", SPAN_ARG(id));
	return r53_find_zone(c, id, ret);
}

struct reply *
r53_change_tags(struct call *c)
{
	struct res *zone;
	struct doc *now;
	struct reply *no = find(c, doc_get_str(c->in, "ResourceId"), &zone);
	int r;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "RemoveTagKeys"))
		if ((r = store_untag(c->store, zone, doc_span(k))) < 0)
			return r53_fail(c, r);
	doc_each(t, doc_get(c->in, "AddTags")) {
		struct span key = doc_get_str(t, "Key");

		if (!key.n || (span_starts(key, SPAN("aws:")) &&
		    !c->who.system))
			return r53_invalid(c, "Invalid tag key: '%.*s'",
			    SPAN_ARG(key));
		if ((r = store_tag(c->store, zone, key,
		    doc_get_str(t, "Value"))))
			return r53_fail(c, r);
	}
	if ((r = store_tags(c->store, c->arena, zone, &now)))
		return r53_fail(c, r);
	if (doc_len(now) > TAGS_MAX)
		return r53_invalid(c, "The maximum number of tags is %d",
		    TAGS_MAX);
	return reply_ok(c, NULL);
}

static struct reply *
tag_set(struct call *c, struct span id, struct doc **ret)
{
	struct doc *d = doc_obj(c->arena), *list = doc_arr(c->arena), *tags;
	struct res *zone;
	struct reply *no = find(c, id, &zone);
	int r;

	if (no)
		return no;
	if ((r = store_tags(c->store, c->arena, zone, &tags)))
		return r53_fail(c, r);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "Key", k);
		doc_push(list, doc_set_str(c->arena, t, "Value", doc_span(v)));
	}
	doc_set_str(c->arena, d, "ResourceType", SPAN("hostedzone"));
	doc_set_str(c->arena, d, "ResourceId", zone->id);
	*ret = doc_set(c->arena, d, "Tags", list);
	return NULL;
}

struct reply *
r53_list_tags(struct call *c)
{
	struct doc *set;
	struct reply *no = tag_set(c, doc_get_str(c->in, "ResourceId"), &set);

	return no ? no : reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "ResourceTagSet", set));
}

struct reply *
r53_list_tags_of_many(struct call *c)
{
	struct doc *list = doc_arr(c->arena), *set;
	struct reply *no;

	doc_each(id, doc_get(c->in, "ResourceIds")) {
		if ((no = tag_set(c, doc_span(id), &set)))
			return no;
		doc_push(list, set);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena),
	    "ResourceTagSets", list));
}
