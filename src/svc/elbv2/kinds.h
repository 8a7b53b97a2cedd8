/*
 * The kinds of Elastic Load Balancing v2.  Spec members carry AWS's names;
 * the few of our own are said below.
 *
 *	kind	      parent		       id
 *	load-balancer -			       app/NAME/<16 hex>
 *	target-group  -			       NAME/<16 hex>
 *	listener      load balancer's id       <16 hex>
 *	rule	      "LBID/LISTENERID"	       <16 hex>
 *	target	      target group's ARN       ip:port
 *
 * load-balancer: spec {LoadBalancerName, DNSName, CanonicalHostedZoneId,
 *	Scheme, VpcId, Type, IpAddressType, SecurityGroups[],
 *	AvailabilityZones[{ZoneName, SubnetId}], Attributes{key: text}}, ours:
 *	Deleting (true once DeleteLoadBalancer was called: gone for every API
 *	answer, the row stays until the controller has put everything away).
 *	status {State: provisioning|active|active_impaired|failed, Reason,
 *	Interfaces[{SubnetId, NetworkInterfaceId, PrivateIpAddress, PublicIp}]}
 * target-group: spec as TargetGroup's members, and Attributes{key: text}
 * listener: spec {LoadBalancerArn, Port, Protocol, DefaultActions[],
 *	Certificates[{CertificateArn}] (the default one), SslPolicy,
 *	Attributes{}}, ours: TargetGroupArns[] of all its actions,
 *	ExtraCertificates[] (ARNs, for SNI), CertificateArns[]: all of them, by
 *	which ACM finds who uses a certificate
 * rule: spec {ListenerArn, Priority (number), Conditions[], Actions[]}, ours:
 *	TargetGroupArns[].  The default rule is the listener itself.
 * target: spec {Id, Port, AvailabilityZone?}, ours: Draining, DrainUntil (time)
 *	status {State: initial|healthy|unhealthy|draining|unused, Reason,
 *	Description}; the row goes when draining has ended.
 */
#pragma once

#include "store/store.h"

extern const struct kind elbv2_load_balancer;
extern const struct kind elbv2_target_group;
extern const struct kind elbv2_listener;
extern const struct kind elbv2_rule;
extern const struct kind elbv2_target;

/* NULL-terminated, for struct service. */
extern const struct kind *const elbv2_kinds[];
