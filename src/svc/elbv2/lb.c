/* Load balancers: create, describe, delete, attributes. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/elbv2/elbv2.h"
#include "svc/elbv2/placement.h"

/* The Route 53 zone of Application Load Balancers' names in each region.
 * https://docs.aws.amazon.com/general/latest/gr/elb.html */
static const struct {
	const char *region;
	const char *zone;
} zones[] = {
	{"us-east-1", "Z35SXDOTRQ7X7K"},
	{"us-east-2", "Z3AADJGX6KTTL2"},
	{"us-west-1", "Z368ELLRRE2KJ0"},
	{"us-west-2", "Z1H1FL5HABSF5"},
	{"af-south-1", "Z268VQBMOI5EKX"},
	{"ap-east-1", "Z3DQVH9N71FHZ0"},
	{"ap-northeast-1", "Z14GRHDCWA56QT"},
	{"ap-northeast-2", "ZWKZPGTI48KDX"},
	{"ap-northeast-3", "Z5LXEXXYW11ES"},
	{"ap-south-1", "ZP97RAFLXTNZK"},
	{"ap-southeast-1", "Z1LMS91P8CMLE5"},
	{"ap-southeast-2", "Z1GM3OXH4ZPM65"},
	{"ca-central-1", "ZQSVJUPU6J1EY"},
	{"eu-central-1", "Z215JYRZR1TBD5"},
	{"eu-north-1", "Z23TAZ6LKFMNIO"},
	{"eu-south-1", "Z3ULH7SSC9OV64"},
	{"eu-west-1", "Z32O12XQLNTSW2"},
	{"eu-west-2", "ZHURV8PSTC4K8"},
	{"eu-west-3", "Z3Q77PNBQS71R4"},
	{"me-south-1", "ZS929ML54UICD"},
	{"sa-east-1", "Z2P70J7HTTTPLU"},
};

static struct span
hosted_zone(struct span region)
{
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		if (span_is(region, zones[i].region))
			return span_of(zones[i].zone);
	return span_of(zones[0].zone);
}

static struct doc *
lb_state(struct arena *a, const struct res *lb)
{
	struct doc *s = doc_obj(a);
	struct span code = doc_get_str(lb->status, "State");
	struct span why = doc_get_str(lb->status, "Reason");

	doc_set_str(a, s, "Code", code.n ? code : SPAN("provisioning"));
	if (why.n)
		doc_set_str(a, s, "Reason", why);
	return s;
}

static struct doc *
lb_zones(struct arena *a, const struct res *lb)
{
	struct doc *l = doc_arr(a), *z;

	doc_each(v, doc_get(lb->spec, "AvailabilityZones")) {
		z = doc_copy(a, v);
		doc_set(a, z, "LoadBalancerAddresses", doc_arr(a));
		doc_push(l, z);
	}
	return l;
}

static struct doc *
lb_doc(struct arena *a, const struct res *lb)
{
	static const char *const plain[] = {"LoadBalancerName", "DNSName",
		"CanonicalHostedZoneId", "Scheme", "VpcId", "Type",
		"IpAddressType", "SecurityGroups"};
	struct doc *d = doc_obj(a);

	doc_set_str(a, d, "LoadBalancerArn", lb->arn);
	doc_set_time(a, d, "CreatedTime", lb->created);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		doc_set(a, d, plain[i], doc_copy(a, doc_get(lb->spec, plain[i])));
	doc_set(a, d, "State", lb_state(a, lb));
	doc_set(a, d, "AvailabilityZones", lb_zones(a, lb));
	return d;
}

static struct reply *
reply_lbs(struct call *c, struct doc *list)
{
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "LoadBalancers",
	    list));
}

/* A name is free again as soon as its load balancer is being deleted. */
static int
lb_by_name(struct call *c, struct span name, struct res **ret)
{
	struct res_list l;
	int e = list_by(c, &elbv2_load_balancer, "spec.LoadBalancerName", name,
	    &l);

	*ret = NULL;
	for (size_t i = 0; !e && i < l.n; i++)
		if (!lb_deleting(l.v[i]))
			*ret = l.v[i];
	return e;
}

/* The same settings again answer with what is there. */
static bool
lb_same(const struct res *lb, const struct doc *spec)
{
	static const char *const settings[] = {"Scheme", "Type",
		"IpAddressType", "AvailabilityZones", "SecurityGroups"};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!doc_eq(doc_get(lb->spec, settings[i]),
		    doc_get(spec, settings[i])))
			return false;
	return true;
}

static struct span
lb_dns_name(struct call *c, struct span name, bool internal)
{
	struct span suffix;
	uint32_t n;

	if (store_setting(c->store, c->arena, "elb_suffix", &suffix))
		suffix = SPAN("elb.neargate.localhost");
	random_bytes(&n, sizeof(n));
	return arena_fmt_span(c->arena, "%s%.*s-%u.%.*s.%.*s",
	    internal ? "internal-" : "", SPAN_ARG(name), n,
	    SPAN_ARG(c->scope.region), SPAN_ARG(suffix));
}

/* Members that are refused unless they ask for what happens anyway. */
static struct reply *
lb_unsupported(struct call *c)
{
	struct span type = doc_get_str(c->in, "Type");
	struct span ip = doc_get_str(c->in, "IpAddressType");

	if (type.n && !span_is(type, "application"))
		return reply_not_implemented(c, "Type '%.*s' (only "
		    "'application')", SPAN_ARG(type));
	if (ip.n && !span_is(ip, "ipv4"))
		return reply_not_implemented(c, "IpAddressType '%.*s' (only "
		    "'ipv4')", SPAN_ARG(ip));
	return NULL;
}

static struct reply *
lb_spec(struct call *c, struct span name, struct doc **ret)
{
	struct doc *spec = doc_obj(c->arena);
	struct span scheme = doc_get_str(c->in, "Scheme");
	struct reply *e;

	if (!scheme.n)
		scheme = SPAN("internet-facing");
	doc_set_str(c->arena, spec, "LoadBalancerName", name);
	doc_set_str(c->arena, spec, "Type", SPAN("application"));
	doc_set_str(c->arena, spec, "IpAddressType", SPAN("ipv4"));
	doc_set_str(c->arena, spec, "Scheme", scheme);
	if ((e = subnets_place(c, scheme, spec)))
		return e;
	if ((e = groups_place(c, spec)))
		return e;
	*ret = spec;
	return NULL;
}

static struct reply *
lb_insert(struct call *c, struct span name, struct doc *spec, struct res **ret)
{
	struct span id = arena_fmt_span(c->arena, "app/%.*s/%s", SPAN_ARG(name),
	    id_hex(c->arena, 16));
	struct res *lb = res_new(c->arena, &elbv2_load_balancer, c->scope,
	    SPAN_NULL, id);
	struct query all = {.kind = &elbv2_load_balancer, .scope = c->scope};
	int64_t have = store_count(c->store, &all);
	int e;

	if (have < 0)
		return reply_failure(c, (int)have);
	if (have >= LIMIT_LBS)
		return reply_error(c, "TooManyLoadBalancers", "The maximum "
		    "number of load balancers has been reached");
	doc_set_str(c->arena, spec, "DNSName", lb_dns_name(c, name,
	    span_is(doc_get_str(spec, "Scheme"), "internal")));
	doc_set_str(c->arena, spec, "CanonicalHostedZoneId",
	    hosted_zone(c->scope.region));
	doc_set(c->arena, spec, "Attributes", doc_obj(c->arena));
	lb->spec = spec;
	e = store_insert(c->store, c->arena, lb);
	if (e)
		return reply_failure(c, err_fold(e));
	*ret = lb;
	return tags_put(c, lb, doc_get(c->in, "Tags"));
}

struct reply *
lb_create(struct call *c)
{
	struct span name = doc_get_str(c->in, "Name");
	struct res *lb;
	struct doc *spec, *out = doc_arr(c->arena);
	struct reply *e;
	int n;

	if ((e = lb_unsupported(c)) ||
	    (e = name_check(c, "The load balancer", name)))
		return e;
	if (span_starts(name, SPAN("internal-")))
		return reply_error(c, VALIDATION, "The load balancer name "
		    "'%.*s' cannot begin with 'internal-'", SPAN_ARG(name));
	if ((e = lb_spec(c, name, &spec)))
		return e;
	if ((n = lb_by_name(c, name, &lb)))
		return reply_failure(c, err_fold(n));
	if (lb && !lb_same(lb, spec))
		return reply_error(c, "DuplicateLoadBalancerName", "A load "
		    "balancer with the same name '%.*s' exists, but with "
		    "different settings", SPAN_ARG(name));
	if (!lb && (e = lb_insert(c, name, spec, &lb)))
		return e;
	doc_push(out, lb_doc(c->arena, lb));
	return reply_lbs(c, out);
}

static struct reply *
describe_by_name(struct call *c, const struct doc *names)
{
	struct doc *out = doc_arr(c->arena);
	struct res *lb;
	int e;

	doc_each(n, names) {
		if ((e = lb_by_name(c, doc_span(n), &lb)))
			return reply_failure(c, err_fold(e));
		if (!lb)
			return reply_error(c, "LoadBalancerNotFound",
			    "Load balancers '[%.*s]' not found",
			    SPAN_ARG(doc_span(n)));
		doc_push(out, lb_doc(c->arena, lb));
	}
	return reply_lbs(c, out);
}

static struct reply *
describe_by_arn(struct call *c, const struct doc *arns)
{
	struct doc *out = doc_arr(c->arena);
	struct res *lb;
	struct reply *e;

	doc_each(arn, arns) {
		if ((e = lb_find(c, doc_span(arn), &lb)))
			return e;
		doc_push(out, lb_doc(c->arena, lb));
	}
	return reply_lbs(c, out);
}

struct reply *
lb_describe(struct call *c)
{
	const struct doc *arns = doc_get(c->in, "LoadBalancerArns");
	const struct doc *names = doc_get(c->in, "Names");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res_list l;
	struct query q;
	struct reply *e;
	int n;

	if (doc_len(arns) && doc_len(names))
		return reply_error(c, VALIDATION, "Load balancer names and "
		    "load balancer ARNs cannot be specified at the same time");
	if (doc_len(arns))
		return describe_by_arn(c, arns);
	if (doc_len(names))
		return describe_by_name(c, names);
	if ((e = page_query(c, &elbv2_load_balancer, &q)))
		return e;
	if ((n = store_list(c->store, c->arena, &q, &l)))
		return reply_failure(c, err_fold(n));
	for (size_t i = 0; i < l.n; i++)
		if (!lb_deleting(l.v[i]))
			doc_push(list, lb_doc(c->arena, l.v[i]));
	page_next(c, out, &l);
	return reply_ok(c, doc_set(c->arena, out, "LoadBalancers", list));
}

/* The row stays, hidden, until the controller has put everything away. */
struct reply *
lb_delete(struct call *c)
{
	struct span arn = doc_get_str(c->in, "LoadBalancerArn");
	struct res_list l;
	struct res *lb;
	struct reply *e;
	int n = lb_get(c, arn, &lb);

	if (n == STORE_E_NOT_FOUND)
		return (e = lb_arn_check(c, arn)) ? e : reply_ok(c, NULL);
	if (n)
		return reply_failure(c, err_fold(n));
	if (span_is(doc_get_str(doc_get(lb->spec, "Attributes"),
	    "deletion_protection.enabled"), "true"))
		return reply_error(c, "OperationNotPermitted", "Load balancer "
		    "'%.*s' cannot be deleted because deletion protection is "
		    "enabled", SPAN_ARG(arn));
	n = list_below(c, &elbv2_listener, lb->id, &l);
	for (size_t i = 0; !n && i < l.n; i++)
		n = listener_drop(c, l.v[i]);
	if (!n) {
		doc_set_bool(c->arena, lb->spec, "Deleting", true);
		n = store_put_spec(c->store, lb);
	}
	return n ? reply_failure(c, err_fold(n)) : reply_ok(c, NULL);
}

struct reply *
lb_attributes(struct call *c)
{
	struct res *lb;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);

	if (e)
		return e;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Attributes",
	    attrs_doc(c->arena, ATTR_LB, doc_get(lb->spec, "Attributes"))));
}

struct reply *
lb_modify_attributes(struct call *c)
{
	struct res *lb;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);
	struct doc *attrs;
	int n;

	if (e)
		return e;
	attrs = doc_get(lb->spec, "Attributes");
	if ((e = attrs_modify(c, ATTR_LB, attrs)))
		return e;
	if ((n = store_put_spec(c->store, lb)))
		return reply_failure(c, err_fold(n));
	return lb_attributes(c);
}

struct reply *
lb_set_security_groups(struct call *c)
{
	struct res *lb;
	struct doc *out = doc_obj(c->arena);
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);
	int n;

	if (e)
		return e;
	if (doc_len(doc_get(c->in, "SecurityGroups")) == 0)
		return reply_error(c, "InvalidConfigurationRequest", "At least "
		    "one security group must be specified");
	if ((e = groups_place(c, lb->spec)))
		return e;
	if ((n = store_put_spec(c->store, lb)))
		return reply_failure(c, err_fold(n));
	doc_set(c->arena, out, "SecurityGroupIds",
	    doc_copy(c->arena, doc_get(lb->spec, "SecurityGroups")));
	return reply_ok(c, out);
}

struct reply *
lb_set_subnets(struct call *c)
{
	struct res *lb;
	struct doc *out = doc_obj(c->arena);
	struct span vpc;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);
	int n;

	if (e || (e = lb_unsupported(c)))
		return e;
	vpc = doc_get_str(lb->spec, "VpcId");
	if ((e = subnets_place(c, doc_get_str(lb->spec, "Scheme"), lb->spec)))
		return e;
	if (!span_eq(vpc, doc_get_str(lb->spec, "VpcId")))
		return reply_error(c, "InvalidSubnet", "The subnets must be "
		    "in VPC '%.*s'", SPAN_ARG(vpc));
	if ((n = store_put_spec(c->store, lb)))
		return reply_failure(c, err_fold(n));
	doc_set(c->arena, out, "AvailabilityZones", lb_zones(c->arena, lb));
	doc_set_str(c->arena, out, "IpAddressType", SPAN("ipv4"));
	return reply_ok(c, out);
}

struct reply *
lb_set_ip_address_type(struct call *c)
{
	struct res *lb;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);

	if (e || (e = lb_unsupported(c)))
		return e;
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
	    "IpAddressType", SPAN("ipv4")));
}

/* Nothing is ever reserved: the host is what there is. */
struct reply *
lb_capacity(struct call *c)
{
	struct res *lb;
	struct reply *e = lb_find(c, doc_get_str(c->in, "LoadBalancerArn"), &lb);

	return e ? e : reply_ok(c, NULL);
}
