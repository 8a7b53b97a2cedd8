/* Tags of repositories. */
#include "svc/ecr/ecr.h"

/* https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html */
#define TAGS_MAX 50
#define KEY_MAX 128
#define VALUE_MAX 256

static struct reply *
check(struct call *c, const struct doc *tags)
{
	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");

		if (key.n == 0 || key.n > KEY_MAX ||
		    doc_get_str(t, "Value").n > VALUE_MAX)
			return reply_error(c, "InvalidTagParameterException",
			    "Invalid parameter at 'tags' failed to satisfy "
			    "constraint: 'Tag keys have 1 to 128 and values 0 "
			    "to 256 characters'");
		if (!c->who.system && span_starts(key, SPAN("aws:")))
			return reply_error(c, "InvalidTagParameterException",
			    "Invalid parameter at 'tags' failed to satisfy "
			    "constraint: 'aws: prefixed tag key names are not "
			    "allowed for external use'");
	}
	return NULL;
}

struct reply *
ecr_put_tags(struct call *c, const struct res *repo, const struct doc *tags)
{
	struct reply *no = check(c, tags);
	struct doc *now;
	int r = 0;

	if (no)
		return no;
	doc_each(t, tags) {
		r = store_tag(c->store, repo, doc_get_str(t, "Key"),
		    doc_get_str(t, "Value"));
		if (r)
			return ecr_fail(c, r);
	}
	if (doc_len(tags) == 0)
		return NULL;
	r = store_tags(c->store, c->arena, repo, &now);
	if (r)
		return ecr_fail(c, r);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TooManyTagsException",
		    "The repository with name '%.*s' would have more than %d "
		    "tags", SPAN_ARG(repo->id), TAGS_MAX);
	return NULL;
}

static struct reply *
find(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "resourceArn");
	ptrdiff_t i = span_find(arn, SPAN(":repository/"));
	int r;

	if (!span_starts(arn, SPAN("arn:aws:ecr:")) || i < 0)
		return ecr_invalid(c, "resourceArn", "Invalid ARN");
	r = store_get_arn(c->store, c->arena, arn, ret);
	if (r == STORE_E_NOT_FOUND)
		return ecr_no_repository(c, span_from(arn, (size_t)i + 12));
	return r ? ecr_fail(c, r) : NULL;
}

struct reply *
ecr_tag_resource(struct call *c)
{
	struct res *repo;
	struct reply *no = find(c, &repo);

	if (no == NULL)
		no = ecr_put_tags(c, repo, doc_get(c->in, "tags"));
	return no ? no : reply_ok(c, NULL);
}

struct reply *
ecr_untag_resource(struct call *c)
{
	struct res *repo;
	struct reply *no = find(c, &repo);
	int r;

	if (no)
		return no;
	doc_each(key, doc_get(c->in, "tagKeys")) {
		r = store_untag(c->store, repo, doc_span(key));
		if (r < 0)
			return ecr_fail(c, r);
	}
	return reply_ok(c, NULL);
}

struct reply *
ecr_list_tags_for_resource(struct call *c)
{
	struct arena *a = c->arena;
	struct res *repo;
	struct reply *no = find(c, &repo);
	struct doc *tags, *arr = doc_arr(a);
	int r;

	if (no)
		return no;
	r = store_tags(c->store, a, repo, &tags);
	if (r)
		return ecr_fail(c, r);
	doc_each_key(key, value, tags) {
		struct doc *t = doc_obj(a);

		doc_set(a, t, "Key", doc_strdup(a, key));
		doc_set(a, t, "Value", doc_strdup(a, doc_span(value)));
		doc_push(arr, t);
	}
	return reply_ok(c, doc_set(a, doc_obj(a), "tags", arr));
}
