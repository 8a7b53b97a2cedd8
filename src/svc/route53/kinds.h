/*
 * What Route 53 keeps in the store.  All kinds are global (region empty).
 *
 * Names are canonical everywhere: lower case, a trailing dot, and what is not
 * a-z 0-9 - _ as \ooo, so "*" is "\052"; see name.h.
 *
 * route53.hosted-zone	id = "Z...".  spec {Name, CallerReference, Comment?,
 *			PrivateZone (bool), NameServers[4] (no trailing dot),
 *			VPCs[{VPCRegion, VPCId}], VpcKeys["REGION/ID"]}
 * route53.record-set	parent = id of its zone, id = record_id() of name.h, so
 *			that store_list_ids() gives Route 53's order.  spec as the
 *			API's ResourceRecordSet, with ResourceRecords a list of
 *			texts: {Name, Type, TTL, ResourceRecords[]} or {Name,
 *			Type, AliasTarget{HostedZoneId, DNSName (canonical),
 *			EvaluateTargetHealth}}, with SetIdentifier and one of
 *			Weight, Region, Failover, GeoLocation, MultiValueAnswer
 *			where there are several of one name and type.
 *			AliasTarget.DNSName may begin with "dualstack.", which
 *			is not part of a load balancer's own name.
 * route53.change	id = "C...".  spec {Comment?}.  Kept for a month.
 */
#pragma once

#include "store/store.h"

extern const struct kind route53_hosted_zone;
extern const struct kind route53_record_set;
extern const struct kind route53_change;

extern const struct kind *const route53_kinds[];
