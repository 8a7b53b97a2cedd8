/* What AWS tells of itself: account limits. */
#include "svc/elbv2/elbv2.h"

static const struct {
	const char *name;
	int max;
} limits[] = {
	{"application-load-balancers", LIMIT_LBS},
	{"condition-values-per-alb-rule", LIMIT_CONDITION_VALUES},
	{"condition-wildcards-per-alb-rule", LIMIT_WILDCARDS},
	{"listeners-per-application-load-balancer", LIMIT_LISTENERS},
	{"rules-per-application-load-balancer", LIMIT_RULES},
	{"target-groups", LIMIT_GROUPS},
	{"target-groups-per-action-on-application-load-balancer",
	    LIMIT_ACTION_GROUPS},
	{"target-groups-per-application-load-balancer", LIMIT_GROUPS_OF_LB},
	{"targets-per-application-load-balancer", LIMIT_TARGETS},
};

struct reply *
account_limits(struct call *c)
{
	struct arena *a = c->arena;
	struct doc *l = doc_arr(a), *d;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		d = doc_obj(a);
		doc_set_str(a, d, "Name", span_of(limits[i].name));
		doc_setf(a, d, "Max", "%d", limits[i].max);
		doc_push(l, d);
	}
	return reply_ok(c, doc_set(a, doc_obj(a), "Limits", l));
}
