/* The kinds of the VPC family: names, ARN forms and what lookups go by. */
#include "svc/ec2/kinds.h"

#define ARN(noun) "arn:aws:ec2:{region}:{account}:" noun "/{id}"

static const char *const by_vpc[] = {"spec.VpcId", NULL};
static const char *const table_index[] = {"spec.VpcId", "spec.AssociationIds",
	"spec.SubnetIds", "spec.ClientToken", NULL};
static const char *const vpc_index[] = {"spec.DhcpOptionsId", NULL};
static const char *const group_index[] = {"spec.VpcId", "spec.GroupName", NULL};
static const char *const rule_index[] = {"spec.GroupId",
	"spec.ReferencedGroupInfo.GroupId", NULL};
static const char *const eni_index[] = {"spec.VpcId", "spec.SubnetId",
	"spec.Groups", "spec.PrivateIpAddress", "spec.PublicIp", "spec.Netns",
	"spec.ClientToken", NULL};
static const char *const subnet_index[] = {"spec.VpcId",
	"spec.NetworkAclAssociationId", NULL};
static const char *const acl_index[] = {"spec.VpcId", "spec.ClientToken", NULL};
static const char *const ip_index[] = {"spec.PublicIp", "spec.AssociationId",
	"spec.NetworkInterfaceId", NULL};
static const char *const nat_index[] = {"spec.VpcId", "spec.SubnetId",
	"spec.ClientToken", NULL};

static bool
nat_ended(const struct res *r)
{
	return doc_get(r->spec, "FailureCode") ||
	    span_is(doc_get_str(r->status, "State"), "deleted");
}

const struct kind ec2_vpc = {
	.name = "ec2.vpc", .arn = ARN("vpc"), .index = vpc_index};
const struct kind ec2_subnet = {
	.name = "ec2.subnet", .arn = ARN("subnet"), .index = subnet_index};
const struct kind ec2_security_group = {.name = "ec2.security-group",
	.arn = ARN("security-group"), .index = group_index};
const struct kind ec2_security_group_rule = {
	.name = "ec2.security-group-rule", .arn = ARN("security-group-rule"),
	.index = rule_index};
const struct kind ec2_route_table = {
	.name = "ec2.route-table", .arn = ARN("route-table"), .index = table_index};
const struct kind ec2_internet_gateway = {.name = "ec2.internet-gateway",
	.arn = ARN("internet-gateway"), .index = by_vpc};
const struct kind ec2_network_interface = {.name = "ec2.network-interface",
	.arn = ARN("network-interface"), .index = eni_index};
const struct kind ec2_network_acl = {
	.name = "ec2.network-acl", .arn = ARN("network-acl"), .index = acl_index};
const struct kind ec2_dhcp_options = {
	.name = "ec2.dhcp-options", .arn = ARN("dhcp-options")};
const struct kind ec2_elastic_ip = {
	.name = "ec2.elastic-ip", .arn = ARN("elastic-ip"), .index = ip_index};
const struct kind ec2_nat_gateway = {.name = "ec2.nat-gateway",
	.arn = ARN("natgateway"), .index = nat_index, .ended = nat_ended};

const struct kind ec2_region = {.name = "ec2.region"};

const struct kind *const ec2_kinds[] = {&ec2_vpc, &ec2_subnet,
	&ec2_security_group, &ec2_security_group_rule, &ec2_route_table,
	&ec2_internet_gateway, &ec2_network_interface, &ec2_network_acl,
	&ec2_dhcp_options, &ec2_elastic_ip, &ec2_nat_gateway, &ec2_region,
	NULL};
