/* Actions of listeners and rules, in the normal form AWS answers with. */
#include "svc/elbv2/elbv2.h"

#define BAD_ACTION "InvalidLoadBalancerAction"

static void
group_add(struct arena *a, struct doc *groups, struct doc *arns,
    struct span arn, int64_t weight)
{
	struct doc *g = doc_obj(a);

	doc_set_str(a, g, "TargetGroupArn", arn);
	doc_set_int(a, g, "Weight", weight);
	doc_push(groups, g);
	if (!doc_has_str(arns, arn))
		doc_push_str(a, arns, arn);
}

static struct reply *
weights_check(struct call *c, const struct doc *groups)
{
	struct res *tg;
	struct reply *e;
	int64_t w;

	if (doc_len(groups) > LIMIT_ACTION_GROUPS)
		return reply_error(c, BAD_ACTION, "A forward action can "
		    "have at most '%d' target groups", LIMIT_ACTION_GROUPS);
	doc_each(g, groups) {
		w = doc_get_int(g, "Weight", 1);
		if (w < 0 || w > 999)
			return reply_error(c, VALIDATION, "The weight '%d' "
			    "must be between '0-999' inclusive", (int)w);
		if ((e = tg_find(c, doc_get_str(g, "TargetGroupArn"), &tg)))
			return e;
	}
	return NULL;
}

static struct reply *
forward_normal(struct call *c, const struct doc *in, struct doc *out,
    struct doc *arns)
{
	struct arena *a = c->arena;
	const struct doc *conf = doc_get(in, "ForwardConfig");
	struct span arn = doc_get_str(in, "TargetGroupArn");
	struct doc *groups = doc_arr(a), *fwd = doc_obj(a), *stick = doc_obj(a);
	struct reply *e;

	if (doc_get_bool(doc_get(conf, "TargetGroupStickinessConfig"),
	    "Enabled", false))
		return reply_not_implemented(c,
		    "ForwardConfig.TargetGroupStickinessConfig");
	doc_each(g, doc_get(conf, "TargetGroups"))
		group_add(a, groups, arns, doc_get_str(g, "TargetGroupArn"),
		    doc_get_int(g, "Weight", 1));
	if (arn.n && doc_len(groups) == 0)
		group_add(a, groups, arns, arn, 1);
	if (doc_len(groups) == 0)
		return reply_error(c, VALIDATION, "A target group ARN must be "
		    "specified");
	if (arn.n && (doc_len(groups) > 1 || !doc_has_str(arns, arn)))
		return reply_error(c, VALIDATION, "You cannot specify both a "
		    "target group ARN and a forward configuration that names "
		    "other target groups");
	if ((e = weights_check(c, groups)))
		return e;
	if (doc_len(groups) == 1)
		doc_set_str(a, out, "TargetGroupArn",
		    doc_get_str(doc_at(groups, 0), "TargetGroupArn"));
	doc_set_bool(a, stick, "Enabled", false);
	doc_set(a, fwd, "TargetGroups", groups);
	doc_set(a, fwd, "TargetGroupStickinessConfig", stick);
	doc_set(a, out, "ForwardConfig", fwd);
	return NULL;
}

/* Members of RedirectConfig, with what they are when absent.  Another query
 * alone is a loop.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html */
static const struct {
	const char *name;
	const char *otherwise;
	bool counts;
} redirect[] = {
	{"Protocol", "#{protocol}", true},
	{"Port", "#{port}", true},
	{"Host", "#{host}", true},
	{"Path", "/#{path}", true},
	{"Query", "#{query}", false},
};

static bool
port_ok(struct span port)
{
	uint64_t n;

	return span_is(port, "#{port}") ||
	    (span_u64(port, &n) && n >= 1 && n <= 65535);
}

static bool
plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
			return false;
	return true;
}

static struct reply *
redirect_normal(struct call *c, const struct doc *in, struct doc *out)
{
	const struct doc *conf = doc_get(in, "RedirectConfig"), *v;
	struct doc *r = doc_obj(c->arena);
	bool changes = false;

	if (!conf)
		return reply_error(c, BAD_ACTION, "A redirect configuration "
		    "must be specified for an action of type 'redirect'");
	for (size_t i = 0; i < ARRAY_SIZE(redirect); i++) {
		v = doc_get(conf, redirect[i].name);
		if (v && !plain(doc_span(v)))
			return reply_error(c, VALIDATION, "The redirect '%s' "
			    "contains invalid characters", redirect[i].name);
		changes |= v && redirect[i].counts &&
		    !span_is(doc_span(v), redirect[i].otherwise);
		doc_set_str(c->arena, r, redirect[i].name,
		    v ? doc_span(v) : span_of(redirect[i].otherwise));
	}
	if (!changes)
		return reply_error(c, BAD_ACTION, "The redirect configuration "
		    "is not valid because it creates a loop.");
	if (!port_ok(doc_get_str(r, "Port")))
		return reply_error(c, VALIDATION, "The redirect port '%.*s' "
		    "must be '#{port}' or between '1-65535' inclusive",
		    SPAN_ARG(doc_get_str(r, "Port")));
	if (!span_starts(doc_get_str(r, "Path"), SPAN("/")))
		return reply_error(c, VALIDATION, "The redirect path '%.*s' "
		    "must begin with a '/' character",
		    SPAN_ARG(doc_get_str(r, "Path")));
	doc_set_str(c->arena, r, "StatusCode", doc_get_str(conf, "StatusCode"));
	doc_set(c->arena, out, "RedirectConfig", r);
	return NULL;
}

static struct reply *
fixed_normal(struct call *c, const struct doc *in, struct doc *out)
{
	static const char *const types[] = {"text/html", "application/json",
		"application/javascript", "text/css", "text/plain"};
	const struct doc *conf = doc_get(in, "FixedResponseConfig");
	struct span type = doc_get_str(conf, "ContentType");
	size_t i;

	if (!conf)
		return reply_error(c, BAD_ACTION, "A fixed response "
		    "configuration must be specified for an action of type "
		    "'fixed-response'");
	for (i = 0; type.n && i < ARRAY_SIZE(types); i++)
		if (span_is(type, types[i]))
			break;
	if (type.n && i == ARRAY_SIZE(types))
		return reply_error(c, BAD_ACTION, "The ContentType must be one "
		    "of:'text/html', 'application/json', "
		    "'application/javascript', 'text/css', 'text/plain'");
	doc_set(c->arena, out, "FixedResponseConfig",
	    doc_copy(c->arena, conf));
	return NULL;
}

static struct reply *
one_normal(struct call *c, const struct doc *in, struct doc *out,
    struct doc *arns)
{
	struct span type = doc_get_str(in, "Type");

	doc_set_str(c->arena, out, "Type", type);
	if (span_is(type, "forward"))
		return forward_normal(c, in, out, arns);
	if (span_is(type, "redirect"))
		return redirect_normal(c, in, out);
	if (span_is(type, "fixed-response"))
		return fixed_normal(c, in, out);
	return reply_not_implemented(c, "actions of type '%.*s'",
	    SPAN_ARG(type));
}

struct reply *
actions_check(struct call *c, const struct doc *in,
    struct doc **ret, struct doc **ret_groups)
{
	struct doc *out = doc_arr(c->arena), *arns = doc_arr(c->arena), *one;
	struct reply *e;

	if (doc_len(in) == 0)
		return reply_error(c, VALIDATION, "An action must be specified");
	doc_each(a, in) {
		one = doc_obj(c->arena);
		if ((e = one_normal(c, a, one, arns)))
			return e;
		doc_push(out, one);
	}
	/* Only authentication, refused above, may come before the last. */
	if (doc_len(out) > 1)
		return reply_error(c, BAD_ACTION, "You cannot specify multiple "
		    "actions of the following type: '%.*s'",
		    SPAN_ARG(doc_get_str(doc_at(out, 1), "Type")));
	*ret = out;
	*ret_groups = arns;
	return NULL;
}
