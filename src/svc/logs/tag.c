/* Tags of log groups, by ARN and, as it was before, by name. */
#include "svc/logs/logs.h"

/* https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/log-groups-tags.html */
#define TAGS_MAX 50

struct reply *
logs_put_tags(struct call *c, const struct res *group, const struct doc *tags)
{
	struct doc *now;
	int r;

	if (doc_len(tags) == 0)
		return NULL;
	doc_each_key(k, v, tags) {
		if (!c->who.system && span_starts(k, SPAN("aws:")))
			return logs_invalid(c, "aws: prefixed tag key names "
			    "are not allowed for external use.");
		r = store_tag(c->store, group, k, doc_span(v));
		if (r)
			return logs_fail(c, r);
	}
	if ((r = store_tags(c->store, c->arena, group, &now)))
		return logs_fail(c, r);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TooManyTagsException",
		    "The number of tags exceeds the limit of %d.", TAGS_MAX);
	return NULL;
}

static struct reply *
remove_tags(struct call *c, const struct res *group, const struct doc *keys)
{
	int r;

	doc_each(k, keys) {
		r = store_untag(c->store, group, doc_span(k));
		if (r < 0)
			return logs_fail(c, r);
	}
	return reply_ok(c, NULL);
}

static struct reply *
list_tags(struct call *c, const struct res *group)
{
	struct doc *tags;
	int r = store_tags(c->store, c->arena, group, &tags);

	if (r)
		return logs_fail(c, r);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "tags", tags));
}

/* The group that resourceArn names. */
static struct reply *
by_arn(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "resourceArn");
	int r;

	if (!span_starts(arn, SPAN("arn:aws:logs:")))
		return logs_invalid(c, "1 validation error detected: Value "
		    "'%.*s' at 'resourceArn' failed to satisfy constraint: "
		    "Member must be a valid ARN", SPAN_ARG(arn));
	if (span_ends(arn, SPAN(":*")))
		arn = span_to(arn, arn.n - 2);
	r = store_get_arn(c->store, c->arena, arn, ret);
	if (r == STORE_E_NOT_FOUND ||
	    (r == 0 && (*ret)->kind != &logs_log_group))
		return reply_error(c, "ResourceNotFoundException",
		    "The specified resource does not exist.");
	return r ? logs_fail(c, r) : NULL;
}

struct reply *
logs_tag_resource(struct call *c)
{
	struct res *g;
	struct reply *no = by_arn(c, &g);

	if (!no)
		no = logs_put_tags(c, g, doc_get(c->in, "tags"));
	return no ? no : reply_ok(c, NULL);
}

struct reply *
logs_untag_resource(struct call *c)
{
	struct res *g;
	struct reply *no = by_arn(c, &g);

	return no ? no : remove_tags(c, g, doc_get(c->in, "tagKeys"));
}

struct reply *
logs_list_tags_for_resource(struct call *c)
{
	struct res *g;
	struct reply *no = by_arn(c, &g);

	return no ? no : list_tags(c, g);
}

struct reply *
logs_tag_group(struct call *c)
{
	struct res *g;
	struct reply *no = logs_group(c, &g);

	if (!no)
		no = logs_put_tags(c, g, doc_get(c->in, "tags"));
	return no ? no : reply_ok(c, NULL);
}

struct reply *
logs_untag_group(struct call *c)
{
	struct res *g;
	struct reply *no = logs_group(c, &g);

	return no ? no : remove_tags(c, g, doc_get(c->in, "tags"));
}

struct reply *
logs_list_tags_group(struct call *c)
{
	struct res *g;
	struct reply *no = logs_group(c, &g);

	return no ? no : list_tags(c, g);
}
