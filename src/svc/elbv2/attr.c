/*
 * Attributes: every key AWS knows for Application Load Balancers, with its
 * default, its bounds and what a change of it does here.
 *
 * A key acts when src/drv/lb renders it.  A fixed key is listed with its
 * default and refuses any other value by name; `harmless` ones may be set,
 * because what they choose does not exist here (the reason is in the row).
 */
#include <ctype.h>

#include "svc/elbv2/elbv2.h"

enum effect { ACTS, HARMLESS, FIXED };

static const struct attr {
	enum attr_owner owner;
	const char *key;
	const char *value;	/* AWS's default */
	const char *one_of;	/* "a|b", or NULL */
	int64_t min, max;	/* of a number, when max is not 0 */
	enum effect effect;
	const char *why;
} attrs[] = {
	{ATTR_LB, "access_logs.s3.enabled", "false", "true|false", 0, 0, FIXED,
	    "access logs"},
	{ATTR_LB, "access_logs.s3.bucket", "", NULL, 0, 0, HARMLESS,
	    "read only when access logs are enabled"},
	{ATTR_LB, "access_logs.s3.prefix", "", NULL, 0, 0, HARMLESS,
	    "read only when access logs are enabled"},
	{ATTR_LB, "idle_timeout.timeout_seconds", "60", NULL, 1, 4000, ACTS,
	    NULL},
	{ATTR_LB, "deletion_protection.enabled", "false", "true|false", 0, 0,
	    ACTS, NULL},
	{ATTR_LB, "routing.http2.enabled", "true", "true|false", 0, 0, ACTS,
	    NULL},
	{ATTR_LB, "routing.http.drop_invalid_header_fields.enabled", "false",
	    "true|false", 0, 0, ACTS, NULL},
	{ATTR_LB, "routing.http.xff_client_port.enabled", "false",
	    "true|false", 0, 0, ACTS, NULL},
	{ATTR_LB, "routing.http.preserve_host_header.enabled", "false",
	    "true|false", 0, 0, HARMLESS,
	    "the Host header always reaches the target unchanged"},
	{ATTR_LB, "routing.http.xff_header_processing.mode", "append",
	    "append|preserve|remove", 0, 0, ACTS, NULL},
	{ATTR_LB, "load_balancing.cross_zone.enabled", "true", "true", 0, 0,
	    FIXED, "load balancing without cross-zone"},
	{ATTR_LB, "routing.http.desync_mitigation_mode", "defensive",
	    "monitor|defensive|strictest", 0, 0, HARMLESS,
	    "ambiguous requests are always refused"},
	{ATTR_LB, "client_keep_alive.seconds", "3600", NULL, 60, 604800,
	    HARMLESS, "clients' connections end by idle timeout alone"},
	{ATTR_LB, "connection_logs.s3.enabled", "false", "true|false", 0, 0,
	    FIXED, "connection logs"},
	{ATTR_LB, "connection_logs.s3.bucket", "", NULL, 0, 0, HARMLESS,
	    "read only when connection logs are enabled"},
	{ATTR_LB, "connection_logs.s3.prefix", "", NULL, 0, 0, HARMLESS,
	    "read only when connection logs are enabled"},
	{ATTR_LB, "health_check_logs.s3.enabled", "false", "true|false", 0, 0,
	    FIXED, "health check logs"},
	{ATTR_LB, "health_check_logs.s3.bucket", "", NULL, 0, 0, HARMLESS,
	    "read only when health check logs are enabled"},
	{ATTR_LB, "health_check_logs.s3.prefix", "", NULL, 0, 0, HARMLESS,
	    "read only when health check logs are enabled"},
	{ATTR_LB, "waf.fail_open.enabled", "false", "true|false", 0, 0,
	    HARMLESS, "there is no firewall service before a load balancer"},
	{ATTR_LB, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
	    "false", "true|false", 0, 0, ACTS, NULL},
	{ATTR_LB, "ipv6.deny_all_igw_traffic", "false", "true|false", 0, 0,
	    HARMLESS, "there is no IPv6"},
	{ATTR_LB, "zonal_shift.config.enabled", "false", "true|false", 0, 0,
	    FIXED, "zonal shift"},

	{ATTR_TG, "stickiness.enabled", "false", "true|false", 0, 0, ACTS, NULL},
	{ATTR_TG, "deregistration_delay.timeout_seconds", "300", NULL, 0, 3600,
	    ACTS, NULL},
	{ATTR_TG, "stickiness.type", "lb_cookie", "lb_cookie", 0, 0, FIXED,
	    "stickiness by application cookie"},
	{ATTR_TG, "stickiness.lb_cookie.duration_seconds", "86400", NULL, 1,
	    604800, ACTS, NULL},
	{ATTR_TG, "stickiness.app_cookie.cookie_name", "", NULL, 0, 0, HARMLESS,
	    "read only by stickiness by application cookie"},
	{ATTR_TG, "stickiness.app_cookie.duration_seconds", "86400", NULL, 1,
	    604800, HARMLESS,
	    "read only by stickiness by application cookie"},
	{ATTR_TG, "slow_start.duration_seconds", "0", NULL, 0, 900, ACTS, NULL},
	{ATTR_TG, "load_balancing.algorithm.type", "round_robin",
	    "round_robin|least_outstanding_requests", 0, 0, ACTS, NULL},
	{ATTR_TG, "load_balancing.algorithm.anomaly_mitigation", "off", "off",
	    0, 0, FIXED, "anomaly mitigation"},
	{ATTR_TG, "load_balancing.cross_zone.enabled",
	    "use_load_balancer_configuration",
	    "true|use_load_balancer_configuration", 0, 0, HARMLESS,
	    "both mean cross-zone"},
	{ATTR_TG,
	    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
	    "1", "1", 0, 0, FIXED, "fail-open with another minimum"},
	{ATTR_TG,
	    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
	    "off", "off", 0, 0, FIXED, "fail-open by percentage"},
	{ATTR_TG,
	    "target_group_health.dns_failover.minimum_healthy_targets.count",
	    "1", NULL, 0, 0, HARMLESS, "all zones answer at one address"},
	{ATTR_TG,
	    "target_group_health.dns_failover.minimum_healthy_targets.percentage",
	    "off", NULL, 0, 0, HARMLESS, "all zones answer at one address"},

#define RENAMED(key, name, effect, why)                                    \
	{ATTR_LISTENER, "routing.http.request." key ".header_name", name,  \
	    NULL, 0, 0, effect, why}
#define MUTUAL "without mutual TLS there is no such header"
	RENAMED("x_amzn_mtls_clientcert_serial_number",
	    "X-Amzn-Mtls-Clientcert-Serial-Number", HARMLESS, MUTUAL),
	RENAMED("x_amzn_mtls_clientcert_issuer",
	    "X-Amzn-Mtls-Clientcert-Issuer", HARMLESS, MUTUAL),
	RENAMED("x_amzn_mtls_clientcert_subject",
	    "X-Amzn-Mtls-Clientcert-Subject", HARMLESS, MUTUAL),
	RENAMED("x_amzn_mtls_clientcert_validity",
	    "X-Amzn-Mtls-Clientcert-Validity", HARMLESS, MUTUAL),
	RENAMED("x_amzn_mtls_clientcert_leaf", "X-Amzn-Mtls-Clientcert-Leaf",
	    HARMLESS, MUTUAL),
	RENAMED("x_amzn_mtls_clientcert", "X-Amzn-Mtls-Clientcert", HARMLESS,
	    MUTUAL),
	RENAMED("x_amzn_tls_version", "X-Amzn-Tls-Version", ACTS, NULL),
	RENAMED("x_amzn_tls_cipher_suite", "X-Amzn-Tls-Cipher-Suite", ACTS,
	    NULL),
#undef RENAMED
	{ATTR_LISTENER, "routing.http.response.server.enabled", "true",
	    "true|false", 0, 0, ACTS, NULL},
#define HEADER(key)                                                        \
	{ATTR_LISTENER, "routing.http.response." key ".header_value", "",  \
	    NULL, 0, 0, ACTS, NULL}
	HEADER("strict_transport_security"),
	HEADER("access_control_allow_origin"),
	HEADER("access_control_allow_methods"),
	HEADER("access_control_allow_headers"),
	HEADER("access_control_allow_credentials"),
	HEADER("access_control_expose_headers"),
	HEADER("access_control_max_age"),
	HEADER("content_security_policy"),
	HEADER("x_content_type_options"),
	HEADER("x_frame_options"),
#undef HEADER
};

static const struct attr *
attr_row(enum attr_owner o, struct span key)
{
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (attrs[i].owner == o && span_is(key, attrs[i].key))
			return &attrs[i];
	return NULL;
}

static bool
one_of(struct span v, const char *list)
{
	struct span rest = span_of(list);

	while (rest.p)
		if (span_eq(span_cut(&rest, '|'), v))
			return true;
	return false;
}

static bool
printable(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] < ' ' || v.p[i] == 127)
			return false;
	return true;
}

static struct reply *
attr_check(struct call *c, const struct attr *a, struct span v)
{
	int64_t n;

	if (a->effect == FIXED && !span_is(v, a->value) &&
	    (!a->one_of || one_of(v, a->one_of) || !one_of(v, "true|false")))
		return reply_not_implemented(c, "attribute '%s' with value "
		    "'%.*s' (%s)", a->key, SPAN_ARG(v), a->why);
	if (a->one_of && !one_of(v, a->one_of))
		return reply_error(c, VALIDATION, "Attribute '%s' value '%.*s' "
		    "must be one of '%s'", a->key, SPAN_ARG(v), a->one_of);
	if (a->max && (!span_i64(v, &n) || n < a->min || n > a->max))
		return reply_error(c, VALIDATION,
		    "'%s' value '%.*s' must be between '%d-%d' inclusive",
		    a->key, SPAN_ARG(v), (int)a->min, (int)a->max);
	if (!printable(v))
		return reply_error(c, VALIDATION, "Attribute '%s' has "
		    "invalid characters", a->key);
	return NULL;
}

/* 0 turns a slow start off; else AWS wants at least 30 seconds. */
static struct reply *
slow_start_check(struct call *c, struct span key, struct span v)
{
	int64_t n;

	if (!span_is(key, "slow_start.duration_seconds") || !span_i64(v, &n) ||
	    n == 0 || n >= 30)
		return NULL;
	return reply_error(c, VALIDATION, "'slow_start.duration_seconds' value "
	    "'%.*s' must be between '30-900' inclusive, or 0", SPAN_ARG(v));
}

/* https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html */
static struct reply *
header_name_check(struct call *c, struct span key, struct span v)
{
	bool ok = v.n > 0 && v.n <= 40;

	if (!span_ends(key, SPAN(".header_name")))
		return NULL;
	for (size_t i = 0; i < v.n; i++)
		ok = ok && (isalnum((unsigned char)v.p[i]) || v.p[i] == '-' ||
		    v.p[i] == '_');
	return ok ? NULL : reply_error(c, VALIDATION, "'%.*s' value '%.*s' "
	    "must have 1 to 40 characters of A-Z, a-z, 0-9, '-' and '_'",
	    SPAN_ARG(key), SPAN_ARG(v));
}

struct reply *
attrs_modify(struct call *c, enum attr_owner o, struct doc *stored)
{
	static const char *const noun[] = {"Load balancer", "Target group",
		"Listener"};
	const struct attr *a;
	struct span key, v;
	struct reply *e;

	doc_each(pair, doc_get(c->in, "Attributes")) {
		key = doc_get_str(pair, "Key");
		v = doc_get_str(pair, "Value");
		if (!(a = attr_row(o, key)))
			return reply_error(c, VALIDATION, "%s attribute key "
			    "'%.*s' is not recognized", noun[o], SPAN_ARG(key));
		if ((e = attr_check(c, a, v)) ||
		    (e = slow_start_check(c, key, v)) ||
		    (e = header_name_check(c, key, v)))
			return e;
		doc_setn(c->arena, stored, span_of(a->key),
		    doc_strdup(c->arena, v));
	}
	return NULL;
}

struct doc *
attrs_doc(struct arena *a, enum attr_owner o, const struct doc *stored)
{
	struct doc *out = doc_arr(a), *pair;
	const struct doc *v;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (attrs[i].owner != o)
			continue;
		pair = doc_obj(a);
		v = doc_get(stored, attrs[i].key);
		doc_set_str(a, pair, "Key", span_of(attrs[i].key));
		doc_set_str(a, pair, "Value",
		    v ? doc_span(v) : span_of(attrs[i].value));
		doc_push(out, pair);
	}
	return out;
}
