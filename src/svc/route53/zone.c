/* Hosted zones themselves. */
#include "svc/route53/rdata.h"
#include "svc/route53/route53.h"
#include "svc/route53/zone.h"

static struct reply *
reference_unused(struct call *c, struct span reference)
{
	struct query q = {.kind = &route53_hosted_zone, .scope = c->scope,
	    .index = "spec.CallerReference", .value = reference};
	int64_t n = store_count(c->store, &q);

	if (n < 0)
		return r53_fail(c, (int)n);
	if (n)
		return reply_error(c, "HostedZoneAlreadyExists", "A hosted "
		    "zone has already been created with the specified caller "
		    "reference.");
	return NULL;
}

static struct reply *
read_new(struct call *c, struct zone_new *ret)
{
	const struct doc *config = doc_get(c->in, "HostedZoneConfig");
	struct span name = doc_get_str(c->in, "Name");
	struct reply *no;
	int e = name_canonical(c->arena, name, &ret->name);

	if (e)
		return reply_error(c, "InvalidDomainName", "%.*s",
		    SPAN_ARG(rdata_name_problem(c->arena, e, name)));
	ret->caller_reference = doc_get_str(c->in, "CallerReference");
	ret->comment = doc_get_str(config, "Comment");
	ret->vpc = doc_get(c->in, "VPC");
	/* AWS: a zone with a VPC is a private one, whatever the flag says. */
	ret->private_zone = ret->vpc != NULL;
	if (!ret->vpc && doc_get_bool(config, "PrivateZone", false))
		return r53_invalid(c, "A private hosted zone must be "
		    "associated with a VPC: specify VPC");
	if ((no = reference_unused(c, ret->caller_reference)))
		return no;
	return ret->vpc ? r53_check_vpc(c, ret->vpc, ret->name) : NULL;
}

struct reply *
r53_create_zone(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *info;
	struct zone_new n = {0};
	struct res *zone;
	struct reply *no = read_new(c, &n);
	int r;

	if (no)
		return no;
	if ((r = zone_make(c->store, c->arena, c->scope, &n, &zone)))
		return r53_fail(c, r);
	if ((no = r53_change(c, SPAN_NULL, &info)))
		return no;
	doc_set(c->arena, out, "HostedZone", r53_zone_doc(c, zone));
	doc_set(c->arena, out, "ChangeInfo", info);
	doc_set(c->arena, out, "DelegationSet", r53_delegation_doc(c, zone));
	if (n.vpc)
		doc_set(c->arena, out, "VPC", doc_copy(c->arena, n.vpc));
	doc_setf(c->arena, out, "Location", "%.*s/2013-04-01/hostedzone/%.*s",
	    SPAN_ARG(c->origin), SPAN_ARG(zone->id));
	return reply_ok(c, out);
}

struct reply *
r53_get_zone(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct res *zone;
	struct reply *no = r53_find_zone(c, doc_get_str(c->in, "Id"), &zone);

	if (no)
		return no;
	doc_set(c->arena, out, "HostedZone", r53_zone_doc(c, zone));
	if (doc_get_bool(zone->spec, "PrivateZone", false))
		doc_set(c->arena, out, "VPCs",
		    doc_copy(c->arena, doc_get(zone->spec, "VPCs")));
	else
		doc_set(c->arena, out, "DelegationSet",
		    r53_delegation_doc(c, zone));
	return reply_ok(c, out);
}

/* The records every zone has go with it; any other keeps it. */
static struct reply *
drop_own_records(struct call *c, const struct res *zone)
{
	struct query q = {.kind = &route53_record_set, .scope = zone->scope,
	    .parent = zone->id, .limit = 2};
	struct res_list l;
	int r = store_list(c->store, c->arena, &q, &l);

	if (r)
		return r53_fail(c, r);
	if (l.more)
		return reply_error(c, "HostedZoneNotEmpty", "The specified "
		    "hosted zone contains non-required resource record sets  "
		    "and so cannot be deleted.");
	for (size_t i = 0; i < l.n; i++)
		if ((r = store_delete(c->store, l.v[i])))
			return r53_fail(c, r);
	return NULL;
}

struct reply *
r53_delete_zone(struct call *c)
{
	struct doc *info;
	struct res *zone;
	struct reply *no = r53_find_zone(c, doc_get_str(c->in, "Id"), &zone);
	int r;

	if (no || (no = drop_own_records(c, zone)))
		return no;
	if ((r = store_delete(c->store, zone)))
		return r53_fail(c, r);
	if ((no = r53_change(c, SPAN_NULL, &info)))
		return no;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "ChangeInfo",
	    info));
}

struct reply *
r53_update_comment(struct call *c)
{
	struct span comment = doc_get_str(c->in, "Comment");
	struct res *zone;
	struct reply *no = r53_find_zone(c, doc_get_str(c->in, "Id"), &zone);
	int r;

	if (no)
		return no;
	doc_set(c->arena, zone->spec, "Comment",
	    comment.n ? doc_str(c->arena, comment) : NULL);
	if ((r = store_put_spec(c->store, zone)))
		return r53_fail(c, r);
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "HostedZone",
	    r53_zone_doc(c, zone)));
}

/* --- VPCs of private zones ---------------------------------------------- */

static struct reply *
put_vpcs(struct call *c, struct res *zone)
{
	struct doc *info;
	struct reply *no;
	int r = store_put_spec(c->store, zone);

	if (r)
		return r53_fail(c, r);
	if ((no = r53_change(c, doc_get_str(c->in, "Comment"), &info)))
		return no;
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "ChangeInfo",
	    info));
}

struct reply *
r53_associate_vpc(struct call *c)
{
	const struct doc *vpc = doc_get(c->in, "VPC");
	struct res *zone;
	struct reply *no = r53_find_zone(c,
	    doc_get_str(c->in, "HostedZoneId"), &zone);

	if (no)
		return no;
	if (!doc_get_bool(zone->spec, "PrivateZone", false))
		return reply_error(c, "PublicZoneVPCAssociation", "You're "
		    "trying to associate a VPC with a public hosted zone. "
		    "Amazon Route 53 doesn't support associating a VPC with a "
		    "public hosted zone.");
	if ((no = r53_check_vpc(c, vpc, doc_get_str(zone->spec, "Name"))))
		return no;
	zone_add_vpc(c->arena, zone, vpc);
	return put_vpcs(c, zone);
}

struct reply *
r53_disassociate_vpc(struct call *c)
{
	struct span key = zone_vpc_key(c->arena, doc_get(c->in, "VPC"));
	struct res *zone;
	struct reply *no = r53_find_zone(c,
	    doc_get_str(c->in, "HostedZoneId"), &zone);
	struct doc *keys;
	size_t at = 0;

	if (no)
		return no;
	keys = doc_get(zone->spec, "VpcKeys");
	while (at < doc_len(keys) && !span_eq(doc_span(doc_at(keys, at)), key))
		at++;
	if (at == doc_len(keys))
		return reply_error(c, "VPCAssociationNotFound", "The VPC that "
		    "you specified is not associated with the hosted zone.");
	if (doc_len(keys) == 1)
		return reply_error(c, "LastVPCAssociation", "The VPC that "
		    "you're trying to disassociate from the private hosted "
		    "zone is the last VPC that is associated with the hosted "
		    "zone. Amazon Route 53 doesn't support disassociating the "
		    "last VPC from a hosted zone.");
	doc_remove(keys, at);
	doc_remove(doc_get(zone->spec, "VPCs"), at);
	return put_vpcs(c, zone);
}
