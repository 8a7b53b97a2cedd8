/* Where a load balancer stands: subnets and security groups, asked of ec2. */
#pragma once

#include "api/op.h"

/* Reads Subnets or SubnetMappings of the input and sets VpcId and
 * AvailabilityZones (by subnet id) of spec. */
struct reply *subnets_place(struct call *c, struct span scheme,
    struct doc *spec);
/* Reads SecurityGroups of the input, else takes the VPC's default group, and
 * sets SecurityGroups of spec, which has VpcId. */
struct reply *groups_place(struct call *c, struct doc *spec);
