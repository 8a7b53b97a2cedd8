/* Target groups. */
#include "base/err.h"
#include "base/id.h"
#include "svc/elbv2/elbv2.h"

/* Health check settings: member and AWS's default (text of a number for the
 * numeric ones).
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html */
static const struct setting {
	const char *name;
	const char *text;	/* default of a text member */
	int64_t number;
} health[] = {
	{"HealthCheckPort", "traffic-port", 0},
	{"HealthCheckPath", "/", 0},
	{"HealthCheckIntervalSeconds", NULL, 30},
	{"HealthCheckTimeoutSeconds", NULL, 5},
	{"HealthyThresholdCount", NULL, 5},
	{"UnhealthyThresholdCount", NULL, 2},
};

static struct doc *
tg_doc(struct call *c, const struct res *tg, int *err)
{
	struct arena *a = c->arena;
	struct doc *d = doc_copy(a, tg->spec), *users = NULL;

	*err = tg_users(c, tg->arn, &users);
	doc_del(d, "Attributes");
	doc_set_str(a, d, "TargetGroupArn", tg->arn);
	doc_set(a, d, "LoadBalancerArns", users);
	return d;
}

static struct reply *
reply_tg(struct call *c, const struct res *tg)
{
	struct doc *l = doc_arr(c->arena);
	int e;

	doc_push(l, tg_doc(c, tg, &e));
	if (e)
		return reply_failure(c, e);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "TargetGroups",
	    l));
}

static int
tg_by_name(struct call *c, struct span name, struct res **ret)
{
	struct res_list l;
	int e = list_by(c, &elbv2_target_group, "spec.TargetGroupName", name,
	    &l);

	*ret = !e && l.n ? l.v[0] : NULL;
	return e;
}

static struct reply *
port_check(struct call *c, struct span port)
{
	uint64_t n;

	if (span_is(port, "traffic-port") ||
	    (span_u64(port, &n) && n >= 1 && n <= 65535))
		return NULL;
	return reply_error(c, VALIDATION, "Health check port '%.*s' must be "
	    "'traffic-port' or a number between 1 and 65535", SPAN_ARG(port));
}

static struct reply *
path_check(struct call *c, struct span path)
{
	if (path.n == 0 || path.p[0] != '/')
		return reply_error(c, VALIDATION, "Health check path '%.*s' "
		    "must begin with a '/' character", SPAN_ARG(path));
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] <= ' ' || path.p[i] == 127)
			return reply_error(c, VALIDATION, "Health check path "
			    "'%.*s' contains invalid characters",
			    SPAN_ARG(path));
	return NULL;
}

/* A timeout that was not given follows a short interval. */
static struct reply *
times_check(struct call *c, struct doc *spec)
{
	int64_t every = doc_get_int(spec, "HealthCheckIntervalSeconds", 30);
	int64_t limit = doc_get_int(spec, "HealthCheckTimeoutSeconds", 5);

	if (limit < every)
		return NULL;
	return reply_error(c, VALIDATION, "Health check timeout '%d' must be "
	    "smaller than the interval '%d'", (int)limit, (int)every);
}

static struct reply *
matcher_place(struct call *c, struct doc *spec)
{
	const struct doc *m = doc_get(c->in, "Matcher");
	struct span codes = doc_get_str(m, "HttpCode");
	struct doc *out = doc_obj(c->arena);

	if (doc_get_str(m, "GrpcCode").n)
		return reply_not_implemented(c, "Matcher.GrpcCode");
	if (!m && doc_get(spec, "Matcher"))
		return NULL;
	if (!codes.n)
		codes = SPAN("200");
	if (!matcher_ok(codes))
		return reply_error(c, VALIDATION, "Health check matcher HTTP "
		    "code '%.*s' must be within '200-499' inclusive",
		    SPAN_ARG(codes));
	doc_set_str(c->arena, out, "HttpCode", codes);
	doc_set(c->arena, spec, "Matcher", out);
	return NULL;
}

/* Puts the health check members of the input, else what spec has, else AWS's
 * defaults into spec. */
static struct reply *
health_place(struct call *c, struct doc *spec)
{
	const struct setting *s;
	const struct doc *v;
	struct span protocol = doc_get_str(c->in, "HealthCheckProtocol");
	struct reply *e;

	if (!doc_get_bool(c->in, "HealthCheckEnabled", true))
		return reply_error(c, VALIDATION, "Health check enabled must "
		    "be true for target groups with target type 'ip'");
	if (protocol.n && !span_is(protocol, "HTTP") &&
	    !span_is(protocol, "HTTPS"))
		return reply_error(c, VALIDATION, "Health check protocol "
		    "'%.*s' must be one of 'HTTP, HTTPS'", SPAN_ARG(protocol));
	if (protocol.n)
		doc_set_str(c->arena, spec, "HealthCheckProtocol", protocol);
	for (s = health; s < health + ARRAY_SIZE(health); s++) {
		v = doc_get(c->in, s->name);
		if (v)
			doc_set(c->arena, spec, s->name, doc_copy(c->arena, v));
		else if (!doc_get(spec, s->name) && s->text)
			doc_set_str(c->arena, spec, s->name, span_of(s->text));
		else if (!doc_get(spec, s->name))
			doc_set_int(c->arena, spec, s->name, s->number);
	}
	if ((e = port_check(c, doc_get_str(spec, "HealthCheckPort"))) ||
	    (e = path_check(c, doc_get_str(spec, "HealthCheckPath"))) ||
	    (e = times_check(c, spec)))
		return e;
	return matcher_place(c, spec);
}

static struct reply *
kind_check(struct call *c)
{
	struct span type = doc_get_str(c->in, "TargetType");
	struct span protocol = doc_get_str(c->in, "Protocol");
	struct span version = doc_get_str(c->in, "ProtocolVersion");
	struct span ip = doc_get_str(c->in, "IpAddressType");

	if (!type.n)
		type = SPAN("instance");
	if (!span_is(type, "ip"))
		return reply_not_implemented(c, "TargetType '%.*s' (only 'ip')",
		    SPAN_ARG(type));
	if (!protocol.n)
		return reply_error(c, VALIDATION, "A protocol must be specified");
	if (!span_is(protocol, "HTTP") && !span_is(protocol, "HTTPS"))
		return reply_not_implemented(c, "Protocol '%.*s' (only 'HTTP' "
		    "and 'HTTPS')", SPAN_ARG(protocol));
	if (version.n && !span_is(version, "HTTP1"))
		return reply_not_implemented(c, "ProtocolVersion '%.*s' (only "
		    "'HTTP1')", SPAN_ARG(version));
	if (ip.n && !span_is(ip, "ipv4"))
		return reply_not_implemented(c, "IpAddressType '%.*s' (only "
		    "'ipv4')", SPAN_ARG(ip));
	if (!doc_get(c->in, "Port"))
		return reply_error(c, VALIDATION, "A port must be specified");
	if (!doc_get_str(c->in, "VpcId").n)
		return reply_error(c, VALIDATION, "A VPC ID must be specified");
	return NULL;
}

static struct reply *
vpc_check(struct call *c, struct span vpc)
{
	struct doc *in = doc_obj(c->arena), *ids = doc_arr(c->arena);
	struct op_result r;
	int e;

	doc_push_str(c->arena, ids, vpc);
	doc_set(c->arena, in, "VpcIds", ids);
	if ((e = ec2_call(c, "DescribeVpcs", in, &r)))
		return reply_failure(c, e);
	return r.error.n ? reply_error(c, VALIDATION,
	    "The VPC ID '%.*s' is not found", SPAN_ARG(vpc)) : NULL;
}

static struct reply *
tg_spec(struct call *c, struct span name, struct doc **ret)
{
	struct arena *a = c->arena;
	struct doc *spec = doc_obj(a);
	struct span protocol = doc_get_str(c->in, "Protocol");
	struct reply *e;

	doc_set_str(a, spec, "TargetGroupName", name);
	doc_set_str(a, spec, "Protocol", protocol);
	doc_set_str(a, spec, "ProtocolVersion", SPAN("HTTP1"));
	doc_set_int(a, spec, "Port", doc_get_int(c->in, "Port", 0));
	doc_set_str(a, spec, "VpcId", doc_get_str(c->in, "VpcId"));
	doc_set_str(a, spec, "TargetType", SPAN("ip"));
	doc_set_str(a, spec, "IpAddressType", SPAN("ipv4"));
	doc_set_str(a, spec, "HealthCheckProtocol", SPAN("HTTP"));
	doc_set_bool(a, spec, "HealthCheckEnabled", true);
	if ((e = health_place(c, spec)))
		return e;
	*ret = spec;
	return NULL;
}

/* Compares what was asked for, attributes apart. */
static bool
tg_same(const struct res *tg, const struct doc *spec)
{
	doc_each_key(k, v, spec)
		if (!doc_eq(doc_getn(tg->spec, k), v))
			return false;
	return true;
}

static struct reply *
tg_insert(struct call *c, struct span name, struct doc *spec, struct res **ret)
{
	struct query all = {.kind = &elbv2_target_group, .scope = c->scope};
	struct res *tg = res_new(c->arena, &elbv2_target_group, c->scope,
	    SPAN_NULL, arena_fmt_span(c->arena, "%.*s/%s", SPAN_ARG(name),
	    id_hex(c->arena, 16)));
	int64_t have = store_count(c->store, &all);
	int e;

	if (have < 0)
		return reply_failure(c, (int)have);
	if (have >= LIMIT_GROUPS)
		return reply_error(c, "TooManyTargetGroups", "The maximum "
		    "number of target groups has been reached");
	doc_set(c->arena, spec, "Attributes", doc_obj(c->arena));
	tg->spec = spec;
	if ((e = store_insert(c->store, c->arena, tg)))
		return reply_failure(c, err_fold(e));
	*ret = tg;
	return tags_put(c, tg, doc_get(c->in, "Tags"));
}

struct reply *
tg_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "Name");
	struct res *tg;
	struct doc *spec;
	struct reply *e;
	int n;

	if ((e = name_check(c, "Target group", name)) || (e = kind_check(c)) ||
	    (e = vpc_check(c, doc_get_str(c->in, "VpcId"))) ||
	    (e = tg_spec(c, name, &spec)))
		return e;
	if ((n = tg_by_name(c, name, &tg)))
		return reply_failure(c, err_fold(n));
	if (tg && !tg_same(tg, spec))
		return reply_error(c, "DuplicateTargetGroupName", "A target "
		    "group with the same name '%.*s' exists, but with "
		    "different settings", SPAN_ARG(name));
	if (!tg && (e = tg_insert(c, name, spec, &tg)))
		return e;
	return reply_tg(c, tg);
}

/* The groups a load balancer forwards to, or those named. */
static struct reply *
describe_some(struct call *c, const struct doc *arns, const struct doc *names)
{
	struct doc *list = doc_arr(c->arena);
	struct res *tg;
	struct reply *e;
	int n = 0;

	doc_each(arn, arns) {
		if ((e = tg_find(c, doc_span(arn), &tg)))
			return e;
		doc_push(list, tg_doc(c, tg, &n));
		if (n)
			return reply_failure(c, n);
	}
	doc_each(name, names) {
		if ((n = tg_by_name(c, doc_span(name), &tg)))
			return reply_failure(c, err_fold(n));
		if (!tg)
			return reply_error(c, "TargetGroupNotFound",
			    "One or more target groups not found");
		doc_push(list, tg_doc(c, tg, &n));
		if (n)
			return reply_failure(c, n);
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "TargetGroups",
	    list));
}

static struct reply *
describe_all(struct call *c, struct span lb_arn)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *d;
	struct res_list l;
	struct query q;
	struct reply *e;
	int n;

	if ((e = page_query(c, &elbv2_target_group, &q)))
		return e;
	if (lb_arn.n)
		q.limit = 0;
	if ((n = store_list(c->store, c->arena, &q, &l)))
		return reply_failure(c, err_fold(n));
	for (size_t i = 0; i < l.n; i++) {
		d = tg_doc(c, l.v[i], &n);
		if (n)
			return reply_failure(c, n);
		if (!lb_arn.n ||
		    doc_has_str(doc_get(d, "LoadBalancerArns"), lb_arn))
			doc_push(list, d);
	}
	page_next(c, out, &l);
	return reply_ok(c, doc_set(c->arena, out, "TargetGroups", list));
}

struct reply *
tg_describe(struct call *c)
{
	const struct doc *arns = doc_get(c->in, "TargetGroupArns");
	const struct doc *names = doc_get(c->in, "Names");
	struct span lb_arn = doc_get_str(c->in, "LoadBalancerArn");
	struct res *lb;
	struct reply *e;

	if (!!doc_len(arns) + !!doc_len(names) + !!lb_arn.n > 1)
		return reply_error(c, VALIDATION, "Target group names, target "
		    "group ARNs and a load balancer ARN cannot be specified at "
		    "the same time");
	if (doc_len(arns) || doc_len(names))
		return describe_some(c, arns, names);
	if (lb_arn.n && (e = lb_find(c, lb_arn, &lb)))
		return e;
	return describe_all(c, lb_arn);
}

struct reply *
tg_modify(struct call *c)
{
	struct res *tg;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);
	int n;

	if (e || (e = health_place(c, tg->spec)))
		return e;
	if ((n = store_put_spec(c->store, tg)))
		return reply_failure(c, err_fold(n));
	return reply_tg(c, tg);
}

struct reply *
tg_delete(struct call *c)
{
	struct span arn = doc_get_str(c->in, "TargetGroupArn");
	struct doc *users;
	struct res_list l;
	struct res *tg;
	struct reply *e = tg_find(c, arn, &tg);
	int n;

	if (e)
		return e;
	if ((n = tg_users(c, tg->arn, &users)))
		return reply_failure(c, n);
	if (doc_len(users))
		return reply_error(c, "ResourceInUse", "Target group '%.*s' is "
		    "currently in use by a listener or a rule", SPAN_ARG(arn));
	n = list_below(c, &elbv2_target, tg->arn, &l);
	for (size_t i = 0; !n && i < l.n; i++)
		n = store_delete(c->store, l.v[i]);
	if (!n)
		n = store_delete(c->store, tg);
	return n ? reply_failure(c, err_fold(n)) : reply_ok(c, NULL);
}

struct reply *
tg_attributes(struct call *c)
{
	struct res *tg;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);

	if (e)
		return e;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Attributes",
	    attrs_doc(c->arena, ATTR_TG, doc_get(tg->spec, "Attributes"))));
}

struct reply *
tg_modify_attributes(struct call *c)
{
	struct res *tg;
	struct reply *e = tg_find(c, doc_get_str(c->in, "TargetGroupArn"), &tg);
	int n;

	if (e || (e = attrs_modify(c, ATTR_TG, doc_get(tg->spec, "Attributes"))))
		return e;
	if ((n = store_put_spec(c->store, tg)))
		return reply_failure(c, err_fold(n));
	return tg_attributes(c);
}
