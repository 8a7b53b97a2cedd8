/* The VPC family's CloudFormation types, and those that tables do not do. */
#pragma once

#include "cfn/type.h"

extern const struct cfn_map ec2_types[];

/* cfn-group.c: security groups, whose rules are other calls */
int cfn_group_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_group_update(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_ingress_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_egress_create(struct cfn_run *run, enum cfn_outcome *ret);

/* cfn-acl.c */
int cfn_route_update(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_acl_association_create(struct cfn_run *run, enum cfn_outcome *ret);
int cfn_acl_association_remove(struct cfn_run *run, enum cfn_outcome *ret);
