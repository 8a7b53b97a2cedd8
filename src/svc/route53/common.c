/* Errors, lookups, and how a zone is shown. */
#include "base/err.h"
#include "svc/ec2/kinds.h"
#include "svc/route53/route53.h"
#include "svc/route53/zone.h"

struct reply *
r53_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
r53_invalid(struct call *c, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "InvalidInput", "%s", text);
}

struct span
r53_zone_id(struct span text)
{
	return span_starts(text, SPAN("/hostedzone/")) ? span_from(text, 12)
	    : text;
}

struct reply *
r53_find_zone(struct call *c, struct span id, struct res **ret)
{
	int r;

	id = r53_zone_id(id);
	r = store_get(c->store, c->arena, &route53_hosted_zone, c->scope,
	    SPAN_NULL, id, ret);
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "NoSuchHostedZone",
		    "No hosted zone found with ID: %.*s", SPAN_ARG(id));
	return r ? r53_fail(c, r) : NULL;
}

struct reply *
r53_max_items(struct call *c, size_t most, size_t *ret)
{
	struct span text = doc_get_str(c->in, "MaxItems");
	uint64_t n = most;

	if (text.n && (!span_u64(text, &n) || n == 0))
		return r53_invalid(c, "Invalid value for MaxItems: '%.*s'",
		    SPAN_ARG(text));
	*ret = (size_t)MIN(n, most);
	return NULL;
}

struct doc *
r53_zone_doc(struct call *c, const struct res *zone)
{
	struct query q = {.kind = &route53_record_set, .scope = zone->scope,
	    .parent = zone->id};
	struct doc *d = doc_obj(c->arena), *config = doc_obj(c->arena);

	doc_setf(c->arena, d, "Id", "/hostedzone/%.*s", SPAN_ARG(zone->id));
	doc_set_str(c->arena, d, "Name", doc_get_str(zone->spec, "Name"));
	doc_set_str(c->arena, d, "CallerReference",
	    doc_get_str(zone->spec, "CallerReference"));
	doc_set(c->arena, config, "Comment",
	    doc_copy(c->arena, doc_get(zone->spec, "Comment")));
	doc_set_bool(c->arena, config, "PrivateZone",
	    doc_get_bool(zone->spec, "PrivateZone", false));
	doc_set(c->arena, d, "Config", config);
	doc_set_int(c->arena, d, "ResourceRecordSetCount",
	    MAX(store_count(c->store, &q), 0));
	return d;
}

struct doc *
r53_delegation_doc(struct call *c, const struct res *zone)
{
	return doc_set(c->arena, doc_obj(c->arena), "NameServers",
	    doc_copy(c->arena, doc_get(zone->spec, "NameServers")));
}

/* AWS: two zones of one name would be ambiguous inside of a VPC. */
static struct reply *
check_conflict(struct call *c, const struct doc *vpc, struct span name)
{
	struct query q = {.kind = &route53_hosted_zone, .scope = c->scope,
	    .index = "spec.VpcKeys", .value = zone_vpc_key(c->arena, vpc)};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r53_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(doc_get_str(l.v[i]->spec, "Name"), name))
			return reply_error(c, "ConflictingDomainExists",
			    "The VPC %.*s in region %.*s has already been "
			    "associated with the hosted zone %.*s with the "
			    "same domain name.",
			    SPAN_ARG(doc_get_str(vpc, "VPCId")),
			    SPAN_ARG(doc_get_str(vpc, "VPCRegion")),
			    SPAN_ARG(l.v[i]->id));
	return NULL;
}

struct reply *
r53_check_vpc(struct call *c, const struct doc *vpc, struct span name)
{
	struct scope scope = {.account = c->scope.account,
	    .region = doc_get_str(vpc, "VPCRegion")};
	struct res *found;
	int r = STORE_E_NOT_FOUND;

	if (scope.region.n)
		r = store_get(c->store, c->arena, &ec2_vpc, scope, SPAN_NULL,
		    doc_get_str(vpc, "VPCId"), &found);
	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "InvalidVPCId", "The VPC ID is invalid: "
		    "%.*s in region %.*s does not exist",
		    SPAN_ARG(doc_get_str(vpc, "VPCId")), SPAN_ARG(scope.region));
	return r ? r53_fail(c, r) : check_conflict(c, vpc, name);
}
