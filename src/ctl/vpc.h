/* The controller of VPCs; a row in controllers.c. */
#pragma once

#include "ctl/ctl.h"

/*
 * Key: the row of an ec2.vpc.  Any change of one of its parts wakes it.  A VPC
 * is made on the host when its first interface or NAT gateway needs it, and
 * goes when it is deleted.  Writes the status of these: plane "up", or "error"
 * with detail, and "gone" for a deleted gateway; a failed network is tried
 * again, sooner at first, later each time.
 */
extern const struct controller ctl_vpc;
extern const struct controller ctl_nat; /* nat.c */
