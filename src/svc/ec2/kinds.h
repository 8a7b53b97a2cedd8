/*
 * The kinds of the VPC family.  README.md beside this file says which members
 * each spec holds; they are what controllers read.
 *
 * Every kind but the rule has an empty parent, so that an id alone finds it.
 */
#pragma once

#include "store/store.h"

extern const struct kind ec2_vpc;
extern const struct kind ec2_subnet;
extern const struct kind ec2_security_group;
/* One resource for each rule; parent: the id of its group. */
extern const struct kind ec2_security_group_rule;
extern const struct kind ec2_route_table;
extern const struct kind ec2_internet_gateway;
extern const struct kind ec2_network_interface;
extern const struct kind ec2_network_acl;
extern const struct kind ec2_dhcp_options;
extern const struct kind ec2_elastic_ip;
extern const struct kind ec2_nat_gateway;
/* One for each account and region in use, id "region": that its defaults were
 * made, and the id of its DHCP options. */
extern const struct kind ec2_region;

/* All of them, NULL-terminated: ec2_service.kinds. */
extern const struct kind *const ec2_kinds[];
