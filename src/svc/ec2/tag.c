/* Tags: on creation, CreateTags, DeleteTags, DescribeTags. */
#include "base/err.h"
#include "svc/ec2/ops.h"

enum { TAGS_MAX = 50, KEY_MAX = 127, VALUE_MAX = 255, TAG_PAGE = 1000 };

int
tags_show(const struct at *at, const struct res *r, struct doc **ret)
{
	struct doc *list = doc_arr(at->arena), *tags;
	int e = store_tags(at->store, at->arena, r, &tags);

	if (e < 0)
		return err_trace(e);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(at->arena);

		doc_set_str(at->arena, t, "Key", k);
		doc_set_str(at->arena, t, "Value", doc_span(v));
		doc_push(list, t);
	}
	*ret = list;
	return 0;
}

/* AWS: docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
 * Services of ours set aws: tags; users may not. */
static struct reply *
tag_refused(struct call *c, struct span key, struct span value)
{
	if (key.n == 0)
		return noun_invalid(c, "Tag key cannot be empty.");
	if (key.n > KEY_MAX)
		return noun_invalid(c, "Tag key exceeds the maximum length of "
		    "%d characters", KEY_MAX);
	if (value.n > VALUE_MAX)
		return noun_invalid(c, "Tag value exceeds the maximum length "
		    "of %d characters", VALUE_MAX);
	if (!c->who.system && span_ieq(span_to(key, 4), SPAN("aws:")))
		return noun_invalid(c, "Tag keys starting with 'aws:' are "
		    "reserved for internal use");
	return NULL;
}

/* Sets tags ([{Key, Value}]) on r, old ones kept. */
static struct reply *
tags_put(struct call *c, const struct res *r, const struct doc *tags)
{
	struct doc *now;
	int e;

	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");
		struct span value = doc_get_str(t, "Value");
		struct reply *refusal = tag_refused(c, key, value);

		if (refusal)
			return refusal;
		if ((e = store_tag(c->store, r, key, value)) < 0)
			return reply_failure(c, e);
	}
	if ((e = store_tags(c->store, c->arena, r, &now)) < 0)
		return reply_failure(c, e);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TagLimitExceeded", "The maximum number "
		    "of Tags for a resource has been reached.");
	return NULL;
}

static struct reply *
keys_repeat(struct call *c, const struct doc *tags)
{
	struct doc *seen = doc_arr(c->arena);

	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");

		if (doc_has_str(seen, key))
			return noun_invalid(c,
			    "Duplicate tag key '%.*s' specified.",
			    SPAN_ARG(key));
		doc_push_str(c->arena, seen, key);
	}
	return NULL;
}

struct reply *
tags_specified(struct call *c, const char *type, const struct res *r)
{
	doc_each(s, doc_get(c->in, "TagSpecifications")) {
		struct span of = doc_get_str(s, "ResourceType");
		const struct doc *tags = doc_get(s, "Tags");
		struct reply *refusal;

		if (of.n == 0)
			return noun_invalid(c,
			    "Tag specification resource type must have a value");
		if (!span_is(of, type))
			return noun_invalid(c, "'%.*s' is not a valid taggable "
			    "resource type for this operation.", SPAN_ARG(of));
		if (doc_len(tags) == 0)
			return noun_invalid(c,
			    "Tag specification must have at least one tag");
		if ((refusal = keys_repeat(c, tags)) ||
		    (refusal = tags_put(c, r, tags)))
			return refusal;
	}
	return NULL;
}

/* The resource that an id of CreateTags or DeleteTags names. */
static struct reply *
tagged(struct call *c, struct span id, struct res **ret)
{
	const struct noun *n = noun_of_id(id);

	if (!n)
		return reply_error(c, "InvalidID",
		    "The ID '%.*s' is not valid", SPAN_ARG(id));
	return noun_get(c, n, id, ret);
}

struct reply *
ec2_tags_create(struct call *c)
{
	const struct doc *tags = doc_get(c->in, "Tags");
	struct reply *refusal = keys_repeat(c, tags);
	struct res *r;

	if (refusal)
		return refusal;
	doc_each(id, doc_get(c->in, "Resources"))
		if ((refusal = tagged(c, doc_span(id), &r)) ||
		    (refusal = tags_put(c, r, tags)))
			return refusal;
	return noun_done(c);
}

/* AWS: without a value the key goes whatever its value; with one, only if it
 * is that; without any tags all of the user's go. */
static int
tags_remove(struct call *c, const struct res *r, const struct doc *tags)
{
	struct doc *now;
	int e = store_tags(c->store, c->arena, r, &now);

	if (e < 0)
		return err_trace(e);
	if (doc_len(tags) == 0)
		doc_each_key(key, v, now)
			if (!span_starts(key, SPAN("aws:")) &&
			    (e = store_untag(c->store, r, key)) < 0)
				return err_trace(e);
	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");
		const struct doc *want = doc_get(t, "Value");
		const struct doc *have = doc_getn(now, key);

		if (!have || (want && !doc_eq(want, have)))
			continue;
		if ((e = store_untag(c->store, r, key)) < 0)
			return err_trace(e);
	}
	return 0;
}

struct reply *
ec2_tags_delete(struct call *c)
{
	const struct doc *tags = doc_get(c->in, "Tags");
	struct reply *refusal;
	struct res *r;
	int e;

	doc_each(t, tags)
		if ((refusal = tag_refused(c, doc_get_str(t, "Key"),
			 doc_get_str(t, "Value"))))
			return refusal;
	doc_each(id, doc_get(c->in, "Resources")) {
		if ((refusal = tagged(c, doc_span(id), &r)))
			return refusal;
		if ((e = tags_remove(c, r, tags)) < 0)
			return reply_failure(c, e);
	}
	return noun_done(c);
}

static const struct ec2_filter tag_filters[] = {
	{"key", "Key", NULL},
	{"resource-id", "ResourceId", NULL},
	{"resource-type", "ResourceType", NULL},
	{"value", "Value", NULL},
	{NULL, NULL, NULL},
};

/* Adds r's tags that the filters let through. */
static int
offer_tags(const struct at *at, const struct res *r, const struct doc *filters,
    struct doc *out)
{
	const struct noun *n = noun_of(r->kind);
	struct doc *tags;
	int e = tags_show(at, r, &tags);

	if (e < 0)
		return err_trace(e);
	if (!n)
		return 0;
	doc_each(t, tags) {
		struct doc *one = doc_arr(at->arena);
		struct doc *d = doc_copy(at->arena, t);

		doc_set_str(at->arena, d, "ResourceId", r->id);
		doc_set_str(at->arena, d, "ResourceType", span_of(n->type));
		doc_push(one, doc_copy(at->arena, t));
		if (ec2_filter_match(filters, tag_filters, d, one))
			doc_push(out, d);
	}
	return 0;
}

/* A page ends between resources, never between the tags of one. */
struct reply *
ec2_tags_describe(struct call *c)
{
	const struct doc *filters = doc_get(c->in, "Filters");
	struct span unknown = ec2_filter_unknown(filters, tag_filters);
	struct span token = doc_get_str(c->in, "NextToken");
	size_t max = (size_t)doc_get_int(c->in, "MaxResults", TAG_PAGE);
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct doc *none = doc_arr(c->arena), *types = doc_arr(c->arena);
	struct at at = at_of(c);
	struct res_list l;
	int64_t after = 0;
	int e;

	if (unknown.n > 0)
		return noun_invalid(c, "The filter '%.*s' is invalid",
		    SPAN_ARG(unknown));
	if (token.n > 0 && !page_token_row(c, token, &after))
		return reply_error(c, "InvalidNextToken",
		    "The token '%.*s' is invalid", SPAN_ARG(token));
	doc_push_str(c->arena, types, SPAN("ec2"));
	doc_set(c->arena, out, "Tags", list);
	do {
		e = store_find_tagged(c->store, c->arena, c->scope, none,
		    types, after, TAG_PAGE, &l);
		for (size_t i = 0; e >= 0 && i < l.n; i++) {
			if (doc_len(list) >= max) {
				doc_set_str(c->arena, out, "NextToken",
				    page_token(c, after));
				return reply_ok(c, out);
			}
			e = offer_tags(&at, l.v[i], filters, list);
			after = l.v[i]->row;
		}
		if (e < 0)
			return reply_failure(c, e);
	} while (l.more);
	return reply_ok(c, out);
}
