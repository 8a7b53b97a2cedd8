/* What a target's state is, from what its proxy sees. */
#include "base/clock.h"
#include "ctl/lb.h"

/* AWS's words.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html#target-health-reason-codes */
static const struct {
	const char *state;
	const char *reason;
	const char *text;
} words[] = {
	[LB_INITIAL_REGISTERING] = {"initial", "Elb.RegistrationInProgress",
	    "Target registration is in progress"},
	[LB_INITIAL_CHECKING] = {"initial", "Elb.InitialHealthChecking",
	    "Initial health checks in progress"},
	[LB_HEALTHY] = {"healthy", NULL, NULL},
	[LB_UNHEALTHY_CODE] = {"unhealthy", "Target.ResponseCodeMismatch",
	    "Health checks failed with these codes: [%d]"},
	[LB_UNHEALTHY_TIMEOUT] = {"unhealthy", "Target.Timeout",
	    "Request timed out"},
	[LB_UNHEALTHY_FAILED] = {"unhealthy", "Target.FailedHealthChecks",
	    "Health checks failed"},
	[LB_UNHEALTHY_STILL] = {"unhealthy", NULL, NULL},
	[LB_DRAINING] = {"draining", "Target.DeregistrationInProgress",
	    "Target deregistration is in progress"},
	[LB_DRAINED] = {"draining", "Target.DeregistrationInProgress",
	    "Target deregistration is in progress"},
	[LB_UNUSED] = {"unused", "Target.NotInUse", "Target group is not "
	    "configured to receive traffic from the load balancer"},
};

/* Until a first verdict a target is given as long as one that fails its
 * checks has before it counts as unhealthy. */
static bool
still_initial(const struct res *t, const struct doc *group,
    const struct lb_server *s)
{
	struct span state = doc_get_str(t->status, "State");
	int64_t patience = (doc_get_int(group, "UnhealthyThresholdCount", 2) -
	    1) * doc_get_int(group, "HealthCheckIntervalSeconds", 30);

	if (span_is(state, "healthy") || span_is(state, "unhealthy"))
		return false;
	return s->check == LB_CHECK_NONE || s->check == LB_CHECK_OK ||
	    s->since_s < patience;
}

enum lb_verdict
lb_verdict(const struct res *t, const struct doc *group,
    const struct lb_server *s, int64_t now)
{
	if (doc_get_bool(t->spec, "Draining", false)) {
		if (!s || (s->drain && s->active == 0) ||
		    now >= doc_get_time(t->spec, "DrainUntil"))
			return LB_DRAINED;
		return LB_DRAINING;
	}
	if (!s || s->maint || s->drain)
		return LB_INITIAL_REGISTERING;
	if (s->up)
		return LB_HEALTHY;
	if (still_initial(t, group, s))
		return LB_INITIAL_CHECKING;
	switch (s->check) {
	case LB_CHECK_CODE:
		return LB_UNHEALTHY_CODE;
	case LB_CHECK_TIMEOUT:
		return LB_UNHEALTHY_TIMEOUT;
	case LB_CHECK_FAILED:
		return LB_UNHEALTHY_FAILED;
	case LB_CHECK_NONE:
	case LB_CHECK_OK:
		break;
	}
	return LB_UNHEALTHY_STILL;
}

struct doc *
lb_verdict_status(struct arena *a, enum lb_verdict v,
    const struct lb_server *s, const struct doc *old)
{
	struct doc *d = doc_obj(a);

	if (v == LB_UNHEALTHY_STILL &&
	    span_is(doc_get_str(old, "State"), "unhealthy"))
		return doc_copy(a, old);
	if (v == LB_UNHEALTHY_STILL)
		v = LB_UNHEALTHY_FAILED;
	doc_set_str(a, d, "State", span_of(words[v].state));
	if (words[v].reason)
		doc_set_str(a, d, "Reason", span_of(words[v].reason));
	if (v == LB_UNHEALTHY_CODE)
		doc_setf(a, d, "Description",
		    "Health checks failed with these codes: [%d]", s->code);
	else if (words[v].text)
		doc_set_str(a, d, "Description", span_of(words[v].text));
	return d;
}
