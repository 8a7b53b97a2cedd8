/* Container instances: with Fargate there are none, and lists say so. */
#include "svc/ecs/ecs.h"

#define INVALID "InvalidParameterException"

static struct reply *
reply_empty(struct call *c, const char *member)
{
	struct doc *out = doc_obj(c->arena);
	struct res *cluster;
	struct reply *bad = cluster_find(c, false, &cluster);

	if (bad)
		return bad;
	doc_set(c->arena, out, member, doc_arr(c->arena));
	return reply_ok(c, out);
}

struct reply *
list_container_instances(struct call *c)
{
	return reply_empty(c, "containerInstanceArns");
}

struct reply *
list_attributes(struct call *c)
{
	return reply_empty(c, "attributes");
}

struct reply *
describe_container_instances(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *out = doc_obj(a), *lost = doc_arr(a);
	const struct doc *refs = doc_get(c->in, "containerInstances");
	struct res *cluster = NULL;
	struct reply *bad = cluster_find(c, false, &cluster);

	if (bad)
		return bad;
	if (!doc_len(refs))
		return reply_error(c, INVALID,
		    "Container instance cannot be empty.");
	doc_each(v, refs) {
		struct span ref = doc_span(v);

		failure_add(c, lost, span_starts(ref, SPAN("arn:")) ? ref :
			arena_fmt_span(a,
			    "arn:aws:ecs:%.*s:%.*s:container-instance/"
			    "%.*s/%.*s", SPAN_ARG(c->scope.region),
			    SPAN_ARG(c->scope.account), SPAN_ARG(cluster->id),
			    SPAN_ARG(ref)), "MISSING");
	}
	doc_set(a, out, "containerInstances", doc_arr(a));
	doc_set(a, out, "failures", lost);
	return reply_ok(c, out);
}
