/* A record set of a request, checked by itself. */
#include "svc/route53/rdata.h"
#include "svc/route53/route53.h"

#define VALUES_MAX 400

/* What makes one of several sets of the same name and type. */
static const char *const policies[] = {"Weight", "Region", "Failover",
	"GeoLocation", "MultiValueAnswer"};
static const char *const missing[] = {"TrafficPolicyInstanceId",
	"CidrRoutingConfig", "GeoProximityLocation"};
/* AWS: types of a multivalue answer. */
static const char *const single_types[] = {"CNAME", "NS", "SOA", "DS"};
static const char *const continents[] = {"AF", "AN", "AS", "EU", "OC", "NA",
	"SA"};

static bool
is_one_of(struct span s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(s, list[i]))
			return true;
	return false;
}
#define ONE_OF(s, list) is_one_of(s, list, ARRAY_SIZE(list))

static void
say(struct call *c, struct doc *messages, const char *fmt, ...)
    PRINTF(3, 4);
static void
say(struct call *c, struct doc *messages, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	doc_push_str(c->arena, messages,
	    span_of(arena_vfmt(c->arena, fmt, ap)));
	va_end(ap);
}

/* "[Action=CREATE, Name=a., Type=A, SetIdentifier=null]" */
static struct span
label(struct call *c, const struct doc *change)
{
	const struct doc *set = doc_get(change, "ResourceRecordSet");
	struct span name = doc_get_str(set, "Name");
	struct span id = doc_get_str(set, "SetIdentifier");

	return arena_fmt_span(c->arena, "[Action=%.*s, Name=%.*s%s, Type=%.*s,"
	    " SetIdentifier=%.*s]", SPAN_ARG(doc_get_str(change, "Action")),
	    SPAN_ARG(name), span_ends(name, SPAN(".")) ? "" : ".",
	    SPAN_ARG(doc_get_str(set, "Type")),
	    SPAN_ARG(id.n ? id : SPAN("null")));
}

static struct reply *
missing_field(struct call *c, const struct doc *change, const char *field)
{
	return r53_invalid(c, "Invalid request: Missing field '%s' in Change "
	    "with %.*s", field, SPAN_ARG(label(c, change)));
}

static struct reply *
not_one_of(struct call *c, const struct doc *change, const char *fields,
    size_t found)
{
	return r53_invalid(c, "Invalid request: Expected exactly one of [%s], "
	    "but found %s in Change with %.*s", fields,
	    found ? "more than one" : "none", SPAN_ARG(label(c, change)));
}

static bool
policy_there(const struct doc *set, const char *member)
{
	const struct doc *v = doc_get(set, member);

	return doc_type(v) == DOC_BOOL ? doc_true(v) : v != NULL;
}

static size_t
count_policies(const struct doc *set)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		n += policy_there(set, policies[i]);
	return n;
}

static struct reply *
check_form(struct call *c, const struct doc *change)
{
	const struct doc *set = doc_get(change, "ResourceRecordSet");
	bool alias = doc_get(set, "AliasTarget"), ttl = doc_get(set, "TTL");
	bool values = doc_len(doc_get(set, "ResourceRecords")) > 0;
	bool named = doc_get_str(set, "SetIdentifier").n > 0;
	size_t n = count_policies(set);

	if (!alias && ttl != values)
		return missing_field(c, change, ttl ? "ResourceRecords" :
		    "TTL");
	if (alias == (ttl || values))
		return not_one_of(c, change, "AliasTarget, all of [TTL, and "
		    "ResourceRecords], or TrafficPolicyInstanceId", alias);
	if (n && !named)
		return missing_field(c, change, "SetIdentifier");
	if (n > 1 || (named && n == 0))
		return not_one_of(c, change, "Weight, Region, Failover, "
		    "GeoLocation, or MultiValueAnswer", n);
	return NULL;
}

static struct reply *
check_support(struct call *c, const struct doc *set)
{
	struct span health = doc_get_str(set, "HealthCheckId");

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (doc_get(set, missing[i]))
			return reply_not_implemented(c,
			    "ResourceRecordSet.%s", missing[i]);
	if (health.n)
		return reply_error(c, "NoSuchHealthCheck", "No health check "
		    "exists with the specified ID: %.*s", SPAN_ARG(health));
	return NULL;
}

static struct reply *
check_geo(struct call *c, const struct doc *change)
{
	const struct doc *geo = doc_path(change, "ResourceRecordSet",
	    "GeoLocation", NULL);
	struct span continent = doc_get_str(geo, "ContinentCode");
	struct span country = doc_get_str(geo, "CountryCode");
	struct span part = doc_get_str(geo, "SubdivisionCode");

	if (!geo)
		return NULL;
	if (!continent.n == !country.n)
		return not_one_of(c, change, "ContinentCode, or CountryCode",
		    continent.n);
	if ((continent.n && !ONE_OF(continent, continents)) ||
	    (part.n && !span_is(country, "US") && !span_is(country, "UA")))
		return r53_invalid(c, "Invalid request: GeoLocation is not "
		    "valid in Change with %.*s", SPAN_ARG(label(c, change)));
	return NULL;
}

/* --- what becomes a message of InvalidChangeBatch ------------------------ */

static void
check_place(struct call *c, const struct res *zone, const struct doc *spec,
    struct doc *messages)
{
	struct span name = doc_get_str(spec, "Name"), type;
	struct span in = doc_get_str(zone->spec, "Name");
	bool apex = span_eq(name, in);

	type = doc_get_str(spec, "Type");
	if (!name_within(name, in) || (span_is(type, "SOA") && !apex))
		say(c, messages, "RRSet with DNS name %.*s is not permitted in "
		    "zone %.*s", SPAN_ARG(name), SPAN_ARG(in));
	else if (apex && (span_is(type, "CNAME") || span_is(type, "DS")))
		say(c, messages, "RRSet of type %.*s with DNS name %.*s is not "
		    "permitted at apex in zone %.*s", SPAN_ARG(type),
		    SPAN_ARG(name), SPAN_ARG(in));
	if (doc_get(spec, "MultiValueAnswer") &&
	    (doc_get(spec, "AliasTarget") || ONE_OF(type, single_types)))
		say(c, messages, "RRSet with DNS name %.*s, type %.*s cannot "
		    "be a multivalue answer rrset", SPAN_ARG(name),
		    SPAN_ARG(type));
	if ((apex && (span_is(type, "NS") || span_is(type, "SOA"))) &&
	    (doc_get(spec, "AliasTarget") || doc_get(spec, "SetIdentifier")))
		say(c, messages, "RRSet of type %.*s with DNS name %.*s must "
		    "be a simple record in zone %.*s", SPAN_ARG(type),
		    SPAN_ARG(name), SPAN_ARG(in));
}

static void
check_values(struct call *c, const struct doc *spec, struct doc *messages)
{
	struct span type = doc_get_str(spec, "Type"), why;
	const struct doc *values = doc_get(spec, "ResourceRecords");
	struct doc *seen = doc_obj(c->arena);

	if (doc_len(values) > VALUES_MAX)
		say(c, messages, "Cannot have more than %d records in a RRSet.",
		    VALUES_MAX);
	else if (doc_len(values) > 1 && (span_is(type, "CNAME") ||
	    span_is(type, "SOA")))
		say(c, messages, "RRSet of type %.*s with DNS name %.*s cannot "
		    "have more than one value", SPAN_ARG(type),
		    SPAN_ARG(doc_get_str(spec, "Name")));
	doc_each(v, values) {
		struct span text = doc_span(v);

		if (doc_getn(seen, text))
			say(c, messages, "Duplicate Resource Record: '%.*s'",
			    SPAN_ARG(text));
		doc_setn(c->arena, seen, text, doc_bool(c->arena, true));
		if (!rdata_check(c->arena, type, text, &why))
			say(c, messages, "Invalid Resource Record: 'FATAL "
			    "problem: %.*s'", SPAN_ARG(why));
	}
}

/* --- reading ------------------------------------------------------------ */

static bool
read_name(struct call *c, struct span text, struct doc *messages,
    struct span *ret)
{
	int e = name_canonical(c->arena, text, ret);

	if (e)
		say(c, messages, "FATAL problem: %.*s",
		    SPAN_ARG(rdata_name_problem(c->arena, e, text)));
	return e == 0;
}

static struct doc *
read_values(struct call *c, const struct doc *set)
{
	struct doc *list = doc_arr(c->arena);

	doc_each(v, doc_get(set, "ResourceRecords"))
		doc_push_str(c->arena, list, doc_get_str(v, "Value"));
	return list;
}

static bool
read_alias(struct call *c, const struct doc *alias, struct doc *messages,
    struct doc *spec)
{
	struct doc *d = doc_obj(c->arena);
	struct span name;

	if (!read_name(c, doc_get_str(alias, "DNSName"), messages, &name))
		return false;
	doc_set_str(c->arena, d, "HostedZoneId",
	    r53_zone_id(doc_get_str(alias, "HostedZoneId")));
	doc_set_str(c->arena, d, "DNSName", name);
	doc_set_bool(c->arena, d, "EvaluateTargetHealth",
	    doc_get_bool(alias, "EvaluateTargetHealth", false));
	doc_set(c->arena, spec, "AliasTarget", d);
	return true;
}

static void
read_policy(struct call *c, const struct doc *set, struct doc *spec)
{
	doc_set(c->arena, spec, "SetIdentifier",
	    doc_copy(c->arena, doc_get(set, "SetIdentifier")));
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (policy_there(set, policies[i]))
			doc_set(c->arena, spec, policies[i],
			    doc_copy(c->arena, doc_get(set, policies[i])));
}

struct reply *
r53_read_record(struct call *c, const struct res *zone,
    const struct doc *change, struct doc *messages, struct doc **ret)
{
	const struct doc *set = doc_get(change, "ResourceRecordSet");
	struct doc *spec = doc_obj(c->arena);
	struct span name;
	struct reply *no;

	*ret = NULL;
	if ((no = check_support(c, set)) || (no = check_form(c, change)) ||
	    (no = check_geo(c, change)))
		return no;
	if (!read_name(c, doc_get_str(set, "Name"), messages, &name))
		return NULL;
	doc_set_str(c->arena, spec, "Name", name);
	doc_set_str(c->arena, spec, "Type", doc_get_str(set, "Type"));
	read_policy(c, set, spec);
	if (doc_get(set, "AliasTarget")) {
		if (!read_alias(c, doc_get(set, "AliasTarget"), messages, spec))
			return NULL;
	} else {
		doc_set_int(c->arena, spec, "TTL", doc_get_int(set, "TTL", 0));
		doc_set(c->arena, spec, "ResourceRecords",
		    read_values(c, set));
		check_values(c, spec, messages);
	}
	check_place(c, zone, spec, messages);
	*ret = spec;
	return NULL;
}
