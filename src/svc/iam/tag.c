/* Tags of whatever IAM tags.  Their keys are unique whatever their case.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html */
#include "svc/iam/iam.h"

#define TAGS_MAX 50

/* What the operation names: a noun, or a provider by its ARN. */
static struct reply *
named(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "OpenIDConnectProviderArn");

	if (arn.n)
		return iam_find_provider(c, arn, ret);
	if ((arn = doc_get_str(c->in, "PolicyArn")).n)
		return iam_find_policy(c, arn, ret);
	return iam_named(c, iam_noun(c), ret);
}

/* The key as it is there already, in whatever case. */
static struct span
key_of(const struct doc *tags, struct span key)
{
	doc_each_key(k, v, tags)
		if (span_ieq(k, key))
			return k;
	return key;
}

static struct reply *
check(struct call *c, const struct doc *list)
{
	struct doc *seen = doc_arr(c->arena);

	doc_each(t, list) {
		struct span key = doc_get_str(t, "Key");
		struct span low = arena_lower(c->arena, key);

		if (span_starts(low, SPAN("aws:")) && !c->who.system)
			return reply_error(c, "InvalidInput", "'aws:' prefixed "
			    "tag key names are not allowed for external use.");
		if (doc_has_str(seen, low))
			return reply_error(c, "InvalidInput", "Duplicate tag "
			    "keys found. Please note that Tag keys are case "
			    "insensitive.");
		doc_push_str(c->arena, seen, low);
	}
	return NULL;
}

struct reply *
iam_put_tags(struct call *c, const struct res *r)
{
	const struct doc *list = doc_get(c->in, "Tags");
	struct reply *no = check(c, list);
	struct doc *tags;
	int e;

	if (no || !list)
		return no;
	if ((e = store_tags(c->store, c->arena, r, &tags)))
		return iam_fail(c, e);
	doc_each(t, list) {
		struct span key = doc_get_str(t, "Key");
		struct span was = key_of(tags, key);

		if (!span_eq(was, key) &&
		    (e = store_untag(c->store, r, was)) < 0)
			return iam_fail(c, e);
		if ((e = store_tag(c->store, r, key, doc_get_str(t, "Value"))))
			return iam_fail(c, e);
	}
	if ((e = store_tags(c->store, c->arena, r, &tags)))
		return iam_fail(c, e);
	if (doc_len(tags) > TAGS_MAX)
		return iam_quota(c, "TagsPerResource", TAGS_MAX);
	return NULL;
}

static struct doc *
pair(struct call *c, struct span key, struct span value)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "Key", key);
	return doc_set_str(c->arena, d, "Value", value);
}

struct reply *
iam_show_tags(struct call *c, const struct res *r, struct doc *d)
{
	struct doc *tags, *list = doc_arr(c->arena);
	int e = store_tags(c->store, c->arena, r, &tags);

	if (e)
		return iam_fail(c, e);
	doc_each_key(k, v, tags)
		doc_push(list, pair(c, k, doc_span(v)));
	if (doc_len(list))
		doc_set(c->arena, d, "Tags", list);
	return NULL;
}

struct reply *
iam_tag(struct call *c)
{
	struct res *r;
	struct reply *no = named(c, &r);

	if (no || (no = iam_put_tags(c, r)))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
iam_untag(struct call *c)
{
	struct doc *tags;
	struct res *r;
	struct reply *no = named(c, &r);
	int e;

	if (no)
		return no;
	if ((e = store_tags(c->store, c->arena, r, &tags)))
		return iam_fail(c, e);
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((e = store_untag(c->store, r, key_of(tags, doc_span(k)))) < 0)
			return iam_fail(c, e);
	return reply_ok(c, NULL);
}

struct reply *
iam_list_tags(struct call *c)
{
	struct doc *all = doc_obj(c->arena), *tags, *out;
	struct res *r;
	struct reply *no = named(c, &r);
	int e;

	if (no)
		return no;
	if ((e = store_tags(c->store, c->arena, r, &tags)))
		return iam_fail(c, e);
	doc_each_key(k, v, tags)
		doc_append(c->arena, all, k, pair(c, k, doc_span(v)));
	return (no = iam_page(c, "Tags", all, &out)) ? no : reply_ok(c, out);
}
