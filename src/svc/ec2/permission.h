/*
 * Security group rules, without a store: from IpPermissions to one rule for
 * each peer in normal form, and back.
 *
 * A rule is {IsEgress, IpProtocol, FromPort, ToPort, one peer, Description?};
 * the peer is CidrIpv4, CidrIpv6 or ReferencedGroupInfo{GroupId or GroupName,
 * UserId?}.  Normal form: protocol "tcp", "udp", "icmp", "icmpv6", "-1" or the
 * number of another; ports -1 where the protocol has none; blocks canonical.
 * AWS: docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
 */
#pragma once

#include "doc/doc.h"

enum { PERMISSION_E_INVALID = 1 }; /* *ret_why: for InvalidParameterValue */

/* An array with one rule for each peer of permissions. */
int permission_rules(struct arena *a, const struct doc *permissions,
    bool egress, struct doc **ret, struct span *ret_why);
/* The legacy parameters (CidrIp, IpProtocol, FromPort, ToPort,
 * SourceSecurityGroupName) as IpPermissions; NULL: none is given. */
struct doc *permission_flat(struct arena *a, const struct doc *in);
/* Two rules of a group are the same if their keys are. */
struct span permission_key(struct arena *a, const struct doc *rule);
/* "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" */
struct span permission_text(struct arena *a, const struct doc *rule);
/* Adds a rule to IpPermissions, which group rules by protocol and ports. */
void permission_add(struct arena *a, struct doc *permissions,
    const struct doc *rule);
