/* Tags of scalable targets. */
#include "base/err.h"
#include "svc/application-autoscaling/scaling.h"

#define TAGS_MAX 50

static struct reply *
not_there(struct call *c, struct span arn)
{
	struct doc *more = doc_obj(c->arena);

	doc_set_str(c->arena, more, "ResourceName", arn);
	return reply_error_with(c, 400, "ResourceNotFoundException", more,
	    "The specified resource doesn't exist.");
}

static struct reply *
named(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "ResourceARN");
	int r = store_get_arn(c->store, c->arena, arn, ret);

	if (r < 0)
		return reply_failure(c, r);
	if (r || (*ret)->kind != &scaling_target ||
	    !span_eq((*ret)->scope.account, c->scope.account) ||
	    !span_eq((*ret)->scope.region, c->scope.region))
		return not_there(c, arn);
	return NULL;
}

struct reply *
scaling_tag(struct call *c, const struct res *target, const struct doc *tags)
{
	struct doc *now, *more = doc_obj(c->arena);
	int r;

	doc_each_key(k, v, tags) {
		if (k.n >= 4 && span_ieq(span_to(k, 4), SPAN("aws:")) &&
		    !c->who.system)
			return scaling_invalid(c, "Tag keys starting with "
			    "aws: are reserved: %.*s", SPAN_ARG(k));
		if ((r = store_tag(c->store, target, k, doc_span(v))))
			return reply_failure(c, err_fold(r));
	}
	if ((r = store_tags(c->store, c->arena, target, &now)))
		return reply_failure(c, err_fold(r));
	if (doc_len(now) <= TAGS_MAX)
		return NULL;
	doc_set_str(c->arena, more, "ResourceName", target->arn);
	return reply_error_with(c, 400, "TooManyTagsException", more,
	    "A resource can have at most %d tags.", TAGS_MAX);
}

struct reply *
scaling_tag_resource(struct call *c)
{
	struct res *t = NULL;
	struct reply *no = named(c, &t);

	if (no || (no = scaling_tag(c, t, doc_get(c->in, "Tags"))))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
scaling_untag_resource(struct call *c)
{
	struct res *t = NULL;
	struct reply *no = named(c, &t);
	int r;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((r = store_untag(c->store, t, doc_span(k))) < 0)
			return reply_failure(c, r);
	return reply_ok(c, NULL);
}

struct reply *
scaling_list_tags(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *tags;
	struct res *t = NULL;
	struct reply *no = named(c, &t);
	int r;

	if (no)
		return no;
	if ((r = store_tags(c->store, c->arena, t, &tags)))
		return reply_failure(c, err_fold(r));
	doc_set(c->arena, out, "Tags", tags);
	return reply_ok(c, out);
}
