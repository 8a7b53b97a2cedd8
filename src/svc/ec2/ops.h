/* The operations, one handler each, and the makers that several files use. */
#pragma once

#include "base/cidr.h"
#include "svc/ec2/noun.h"

/* vpc.c */
struct vpc_plan {
	struct cidr cidr;
	struct span tenancy;
	bool is_default;
};
/* Makes a VPC and what AWS makes with it: main route table, default network
 * ACL, default security group.  0 or negative. */
int vpc_make(const struct at *at, const struct vpc_plan *p, struct res **ret);
/* 0, 1: the scope has no default VPC, or negative. */
int vpc_default(const struct at *at, struct res **ret);
/* The CIDR blocks of a VPC, *ret_n of them. */
struct cidr *vpc_cidrs(struct arena *a, const struct res *vpc, size_t *ret_n);
struct reply *vpc_create(struct call *c);
struct reply *vpc_create_default(struct call *c);
struct reply *vpc_delete(struct call *c);
struct reply *vpc_describe(struct call *c);
struct reply *vpc_modify(struct call *c);
struct reply *vpc_attribute(struct call *c);
struct reply *vpc_associate_cidr(struct call *c);
struct reply *vpc_disassociate_cidr(struct call *c);

/* default.c */
/* Makes the default VPC with its subnets and gateway. */
int default_vpc_make(const struct at *at, struct res **ret);
int default_subnet_make(const struct at *at, const struct res *vpc,
    struct span zone, struct cidr cidr, struct res **ret);
/* The scope's record, made with its DHCP options when missing. */
int default_region(const struct at *at, struct res **ret);
int default_scope(struct store *s, struct arena *a, struct scope scope);

/* subnet.c */
struct reply *subnet_create(struct call *c);
struct reply *subnet_create_default(struct call *c);
struct reply *subnet_delete(struct call *c);
struct reply *subnet_describe(struct call *c);
struct reply *subnet_modify(struct call *c);

/* zone.c */
/* The zones of a region as text: "us-east-1a" for 0..2. */
enum { ZONES = 3 };
struct span zone_name(struct arena *a, struct span region, size_t i);
struct span zone_id(struct arena *a, struct span region, size_t i);
/* Which zone a name or an id is, or -1. */
int zone_find(struct arena *a, struct span region, struct span name);
struct reply *zone_describe(struct call *c);
struct reply *region_describe(struct call *c);
struct reply *account_attributes(struct call *c);

/* security-group.c */
int group_make(const struct at *at, struct span vpc, struct span name,
    struct span description, struct res **ret);
int group_make_default(const struct at *at, struct span vpc);
int group_drop(const struct at *at, const struct res *group);
/* A group of the request by GroupId, or by GroupName in the default VPC. */
struct reply *group_named(struct call *c, struct res **ret);
/* 0 with *ret NULL when the VPC has no group of that name, or negative. */
int group_by_name(const struct at *at, struct span vpc, struct span name,
    struct res **ret);
struct reply *group_create(struct call *c);
struct reply *group_delete(struct call *c);
struct reply *group_describe(struct call *c);
struct reply *group_for_vpc(struct call *c);

/* security-group-rule.c */
int rule_make(const struct at *at, const struct res *group,
    const struct doc *rule, struct res **ret);
/* All rules of a group, both directions. */
int rule_list(const struct at *at, const struct res *group,
    struct res_list *ret);
struct reply *rule_authorize_ingress(struct call *c);
struct reply *rule_authorize_egress(struct call *c);
struct reply *rule_revoke_ingress(struct call *c);
struct reply *rule_revoke_egress(struct call *c);
struct reply *sg_rule_modify(struct call *c);
struct reply *rule_describe_ingress(struct call *c);
struct reply *rule_describe_egress(struct call *c);
struct reply *sg_rule_describe(struct call *c);

/* route-table.c */
int table_make(const struct at *at, const struct res *vpc, bool is_main,
    struct res **ret);
/* The VPC's main table. */
int table_main(const struct at *at, struct span vpc, struct res **ret);
void table_add_route(struct arena *a, struct res *table, struct span cidr,
    struct span gateway, struct span origin);
/* NULL: the table has no route to exactly this. */
struct doc *table_route(const struct res *table, struct span cidr);
bool table_drop_route(struct res *table, struct span cidr);
/* Ends the association of a subnet that goes. */
int table_forget_subnet(const struct at *at, struct span subnet);
struct reply *table_create(struct call *c);
struct reply *table_delete(struct call *c);
struct reply *table_describe(struct call *c);
struct reply *table_associate(struct call *c);
struct reply *table_disassociate(struct call *c);
struct reply *table_replace(struct call *c);
struct reply *table_wanted(struct call *c, struct res **ret);

/* route.c */
/* Adds to a route as shown whether it leads anywhere.  0 or negative. */
int route_state(const struct at *at, struct span vpc, struct doc *route);
struct reply *route_create(struct call *c);
struct reply *route_replace(struct call *c);
struct reply *route_delete(struct call *c);

/* internet-gateway.c */
struct reply *gateway_create(struct call *c);
struct reply *gateway_delete(struct call *c);
struct reply *gateway_attach(struct call *c);
struct reply *gateway_detach(struct call *c);
struct reply *gateway_describe(struct call *c);

/* address-take.c: a free address, or the one that is wanted.  What the
 * functions return is as of noun_get(). */
struct reply *address_private(struct call *c, const struct res *subnet,
    struct span want, struct span *ret);
/* Of the installation's pool, unique in all accounts and regions. */
struct reply *address_public(struct call *c, struct span *ret);

/* elastic-ip.c */
/* Writes both: the interface has the address from now on, and what it had
 * before goes.  0 or negative. */
int elastic_ip_bind(const struct at *at, struct res *address,
    struct res *interface);
/* Parts an interface that goes from its elastic address, if it has one. */
int elastic_ip_free(const struct at *at, const struct res *interface);
struct reply *elastic_ip_allocate(struct call *c);
struct reply *elastic_ip_release(struct call *c);
struct reply *elastic_ip_associate(struct call *c);
struct reply *elastic_ip_disassociate(struct call *c);
struct reply *elastic_ip_describe(struct call *c);

/* nat-gateway.c */
struct reply *nat_create(struct call *c);
struct reply *nat_delete(struct call *c);
struct reply *nat_describe(struct call *c);

/* network-interface.c */
/* One in memory, without groups. */
struct res *interface_new(const struct at *at, const struct res *subnet,
    struct span addr);
struct reply *interface_create(struct call *c);
struct reply *interface_delete(struct call *c);
struct reply *interface_describe(struct call *c);
struct reply *interface_modify(struct call *c);
struct reply *interface_attribute(struct call *c);
struct reply *interface_reset(struct call *c);

/* network-acl-entry.c */
struct reply *acl_entry_create(struct call *c);
struct reply *acl_entry_replace(struct call *c);
struct reply *acl_entry_delete(struct call *c);

/* absent.c: Describe of what there can be none of here. */
struct reply *absent_endpoints(struct call *c);
struct reply *absent_endpoint_services(struct call *c);
struct reply *absent_prefix_lists(struct call *c);
struct reply *absent_managed_prefix_lists(struct call *c);
struct reply *absent_flow_logs(struct call *c);
struct reply *absent_vpn_gateways(struct call *c);

/* network-acl.c, dhcp-options.c */
int acl_make(const struct at *at, struct span vpc);
struct reply *acl_create(struct call *c);
struct reply *acl_delete(struct call *c);
struct reply *acl_describe(struct call *c);
struct reply *acl_replace(struct call *c);
int dhcp_make(const struct at *at, struct res **ret);
struct reply *dhcp_describe(struct call *c);

/* tag.c */
struct reply *ec2_tags_create(struct call *c);
struct reply *ec2_tags_delete(struct call *c);
struct reply *ec2_tags_describe(struct call *c);
