/* The controller of VPCs; a row in controllers.c. */
#pragma once

#include "ctl/ctl.h"

/*
 * Key: the row of an ec2.vpc.  Any change of one of its parts wakes it.  A VPC
 * is made on the host when its first interface needs it, and goes when it is
 * deleted.  Writes ec2.network-interface status: plane "up", or "error" with
 * detail; a failed network is tried again, sooner at first, later each time.
 */
extern const struct controller ctl_vpc;
