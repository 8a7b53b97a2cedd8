/* Tags of keys. */
#include "svc/kms/kms.h"

#define TAGS_MAX 50

struct reply *
kms_put_tags(struct call *c, const struct res *key, const struct doc *tags)
{
	struct doc *now;
	int r;

	doc_each(t, tags) {
		struct span k = doc_get_str(t, "TagKey");

		if (span_starts(k, SPAN("aws:")) && !c->who.system)
			return reply_error(c, "TagException",
			    "Tags beginning with aws: are reserved");
		r = store_tag(c->store, key, k, doc_get_str(t, "TagValue"));
		if (r)
			return kms_fail(c, r);
	}
	if ((r = store_tags(c->store, c->arena, key, &now)))
		return kms_fail(c, r);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TagException", "Too many tags");
	return NULL;
}

struct reply *
kms_tag_resource(struct call *c)
{
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);

	if (no || (no = kms_put_tags(c, key, doc_get(c->in, "Tags"))))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
kms_untag_resource(struct call *c)
{
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);
	int r;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((r = store_untag(c->store, key, doc_span(k))) < 0)
			return kms_fail(c, r);
	return reply_ok(c, NULL);
}

struct reply *
kms_list_tags(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *tags;
	struct kms_page page;
	struct res *key;
	struct reply *no = kms_named(c, KMS_LOOK, &key);
	int64_t at = 0;
	int r;

	if (no || (no = kms_page(c, TAGS_MAX, &page)))
		return no;
	if ((r = store_tags(c->store, c->arena, key, &tags)))
		return kms_fail(c, r);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		if (at++ < page.after || doc_len(list) == page.limit)
			continue;
		doc_set_str(c->arena, t, "TagKey", k);
		doc_set_str(c->arena, t, "TagValue", doc_span(v));
		doc_push(list, t);
	}
	doc_set(c->arena, out, "Tags", list);
	page.after += (int64_t)doc_len(list);
	doc_set_bool(c->arena, out, "Truncated", page.after < at);
	if (page.after < at)
		doc_set_str(c->arena, out, "NextMarker",
		    page_token(c, page.after));
	return reply_ok(c, out);
}
