/* What is to be done with a certificate; no clock, no I/O. */
#include "ctl/cert.h"

#define HOUR_MS	  (60 * 60 * 1000LL)
#define DAY_MS	  (24 * HOUR_MS)
#define GIVE_UP   (72 * HOUR_MS)
/* https://docs.aws.amazon.com/acm/latest/userguide/dns-renewal-validation.html
 * 60 days before the end, then every hour. */
#define RENEW_DAYS 60
#define LOOK_MS	   HOUR_MS

static struct cert_plan
plan(enum cert_step step, int64_t again_ms)
{
	return (struct cert_plan){step, again_ms};
}

static struct cert_plan
plan_pending(const struct cert_view *v)
{
	if (v->proved)
		return plan(CERT_ISSUE, 0);
	if (v->now >= v->created + GIVE_UP)
		return plan(CERT_GIVE_UP, 0);
	return plan(CERT_REST, v->created + GIVE_UP - v->now);
}

static struct cert_plan
plan_issued(const struct cert_view *v)
{
	int64_t due = v->not_after - RENEW_DAYS * DAY_MS;
	bool wanted = v->renew_asked > v->issued_at || v->now >= due;

	if (v->now >= v->not_after)
		return plan(CERT_REST, 0); /* AWS: expired is for good */
	if (!wanted)
		return plan(CERT_REST, MIN(due - v->now, DAY_MS));
	/* That it came into use is not told to us. */
	if (!v->renewable)
		return plan(CERT_REST, LOOK_MS);
	return v->proved ? plan(CERT_RENEW, 0) : plan(CERT_PROVE, LOOK_MS);
}

struct cert_plan
cert_plan(const struct cert_view *v)
{
	if (v->pending)
		return plan_pending(v);
	if (v->issued)
		return plan_issued(v);
	return plan(CERT_REST, 0);
}

void
cert_term(int64_t now, int64_t *ret_from, int64_t *ret_until)
{
	*ret_from = now - now % DAY_MS;
	*ret_until = *ret_from + CERT_VALID_DAYS * DAY_MS - 1000;
}
