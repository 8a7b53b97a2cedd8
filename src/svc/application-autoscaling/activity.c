/* Scaling activities: what ctl_scaling did, newest first. */
#include "svc/application-autoscaling/scaling.h"

static int
view(struct call *c, const struct res *x, struct doc **ret)
{
	*ret = NULL;
	if (doc_get(x->status, "NotScaledReasons") &&
	    !doc_get_bool(c->in, "IncludeNotScaledActivities", false))
		return 0;
	if (scaling_wanted(c))
		*ret = doc_copy(c->arena, x->status);
	return 0;
}

struct reply *
scaling_describe_activities(struct call *c)
{
	struct span only = doc_get_str(c->in, "ResourceId");
	struct query q = {.kind = &scaling_activity, .scope = c->scope,
		.any_parent = !only.n, .parent = only, .newest_first = true};
	struct reply *no = scaling_filter(c, "ResourceId");

	return no ? no : scaling_page(c, &q, "ScalingActivities", view);
}
