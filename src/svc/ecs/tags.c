/* Tags of any ecs resource, by ARN. */
#include "svc/ecs/ecs.h"

#include "base/err.h"

#define INVALID "InvalidParameterException"

static struct reply *
find_tagged(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "resourceArn");
	struct reply *bad = ref_check(c, arn);
	struct res *r;
	int e;

	if (bad)
		return bad;
	if (!span_starts(arn, SPAN("arn:")))
		return reply_error(c, INVALID,
		    "The specified identifier is not a valid ARN.");
	e = store_get_arn(c->store, c->arena, arn, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e && span_find(arn, SPAN(":cluster/")) >= 0)
		return reply_error(c, "ClusterNotFoundException",
		    "Cluster not found.");
	if (e || !span_starts(span_of(r->kind->name), SPAN("ecs.")) ||
	    r->kind->untaggable)
		return reply_error(c, INVALID,
		    "The specified resource was not found. Specify a valid "
		    "resource ARN and try again.");
	*ret = r;
	return NULL;
}

struct reply *
tag_resource(struct call *c)
{
	const struct doc *tags = doc_get(c->in, "tags");
	struct res *r = NULL;
	struct refusal why;
	struct reply *bad = find_tagged(c, &r);
	struct doc *all;
	int e;

	if (bad)
		return bad;
	if (!ecs_tags_check(c->arena, tags, c->who.system, &why))
		return reply_refusal(c, &why);
	if ((e = ecs_tags_put(c, r, tags)) || (e = tags_list(c, r, &all)))
		return reply_failure(c, e);
	if (doc_len(all) > 50)
		return reply_error(c, INVALID,
		    "Tags can not be more than 50 elements.");
	return reply_ok(c, NULL);
}

struct reply *
untag_resource(struct call *c)
{
	struct res *r = NULL;
	struct reply *bad = find_tagged(c, &r);

	if (bad)
		return bad;
	doc_each(k, doc_get(c->in, "tagKeys")) {
		int e = store_untag(c->store, r, doc_span(k));

		if (e < 0)
			return reply_failure(c, e);
	}
	return reply_ok(c, NULL);
}

struct reply *
list_tags_for_resource(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *tags;
	struct res *r = NULL;
	struct reply *bad = find_tagged(c, &r);
	int e;

	if (bad)
		return bad;
	if ((e = tags_list(c, r, &tags)))
		return reply_failure(c, e);
	doc_set(c->arena, out, "tags", tags);
	return reply_ok(c, out);
}
