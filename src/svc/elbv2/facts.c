/* What AWS tells of itself: account limits and TLS policies. */
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

/* The policies in use today; weakest first in each list.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html */
static const struct {
	const char *name;
	const char *protocols;
	const char *ciphers;
} policies[] = {
	{"ELBSecurityPolicy-2016-08", "TLSv1 TLSv1.1 TLSv1.2",
	    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 "
	    "ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 "
	    "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA "
	    "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 "
	    "ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 "
	    "ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES256-SHA AES128-GCM-SHA256 "
	    "AES128-SHA256 AES128-SHA AES256-GCM-SHA384 AES256-SHA256 "
	    "AES256-SHA"},
	{"ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1.2 TLSv1.3",
	    "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
	    "TLS_CHACHA20_POLY1305_SHA256 ECDHE-ECDSA-AES128-GCM-SHA256 "
	    "ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA256 "
	    "ECDHE-RSA-AES128-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "
	    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES256-SHA384 "
	    "ECDHE-RSA-AES256-SHA384"},
	{"ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1.3",
	    "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
	    "TLS_CHACHA20_POLY1305_SHA256"},
	{"ELBSecurityPolicy-FS-1-2-Res-2020-10", "TLSv1.2",
	    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 "
	    "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384"},
};

static struct doc *
words(struct arena *a, const char *text)
{
	struct span rest = span_of(text);
	struct doc *l = doc_arr(a);

	while (rest.p)
		doc_push_str(a, l, span_cut(&rest, ' '));
	return l;
}

static struct doc *
ciphers(struct arena *a, const char *text)
{
	struct span rest = span_of(text);
	struct doc *l = doc_arr(a), *d;
	int64_t priority = 0;

	while (rest.p) {
		d = doc_obj(a);
		doc_set_str(a, d, "Name", span_cut(&rest, ' '));
		doc_set_int(a, d, "Priority", ++priority);
		doc_push(l, d);
	}
	return l;
}

struct reply *
ssl_policies(struct call *c)
{
	const struct doc *names = doc_get(c->in, "Names");
	struct arena *a = c->arena;
	struct doc *l = doc_arr(a), *d;

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		if (doc_len(names) &&
		    !doc_has_str(names, span_of(policies[i].name)))
			continue;
		d = doc_obj(a);
		doc_set_str(a, d, "Name", span_of(policies[i].name));
		doc_set(a, d, "SslProtocols", words(a, policies[i].protocols));
		doc_set(a, d, "Ciphers", ciphers(a, policies[i].ciphers));
		doc_set(a, d, "SupportedLoadBalancerTypes",
		    words(a, "application network"));
		doc_push(l, d);
	}
	if (doc_len(l) < doc_len(names))
		return reply_error(c, "SSLPolicyNotFound",
		    "One or more SSL policies not found");
	return reply_ok(c, doc_set(a, doc_obj(a), "SslPolicies", l));
}
