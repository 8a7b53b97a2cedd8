/* The operations of EC2 that there are, and the service itself. */
#include "svc/ec2/ops.h"

#include "svc/ec2/cfn.h"
#include "svc/ec2/ec2.h"

#define PAGED "DryRun Filters MaxResults NextToken "
#define PEER "CidrIp FromPort IpPermissions IpProtocol " \
	"SourceSecurityGroupName SourceSecurityGroupOwnerId ToPort "
#define ROUTE "DestinationCidrBlock DryRun GatewayId RouteTableId "

static const struct op_row ops[] = {
	{"AssociateRouteTable", table_associate, "DryRun RouteTableId SubnetId"},
	{"AssociateVpcCidrBlock", vpc_associate_cidr,
	    "AmazonProvidedIpv6CidrBlock CidrBlock VpcId"},
	{"AttachInternetGateway", gateway_attach,
	    "DryRun InternetGatewayId VpcId"},
	{"AuthorizeSecurityGroupEgress", rule_authorize_egress,
	    PEER "DryRun GroupId TagSpecifications"},
	{"AuthorizeSecurityGroupIngress", rule_authorize_ingress,
	    PEER "DryRun GroupId GroupName TagSpecifications"},
	{"CreateDefaultSubnet", subnet_create_default,
	    "AvailabilityZone AvailabilityZoneId DryRun"},
	{"CreateDefaultVpc", vpc_create_default, "DryRun"},
	{"CreateInternetGateway", gateway_create, "DryRun TagSpecifications"},
	{"CreateNetworkInterface", interface_create,
	    "ClientToken Description DryRun Groups InterfaceType NeargateNetns "
	    "NeargatePublicIp PrivateIpAddress PrivateIpAddresses SubnetId "
	    "TagSpecifications"},
	{"CreateRoute", route_create, ROUTE},
	{"CreateRouteTable", table_create,
	    "ClientToken DryRun TagSpecifications VpcId"},
	{"CreateSecurityGroup", group_create,
	    "Description DryRun GroupName TagSpecifications VpcId"},
	{"CreateSubnet", subnet_create,
	    "AvailabilityZone AvailabilityZoneId CidrBlock DryRun "
	    "TagSpecifications VpcId"},
	{"CreateTags", ec2_tags_create, "DryRun Resources Tags"},
	{"CreateVpc", vpc_create,
	    "AmazonProvidedIpv6CidrBlock CidrBlock DryRun InstanceTenancy "
	    "TagSpecifications"},
	{"DeleteInternetGateway", gateway_delete, "DryRun InternetGatewayId"},
	{"DeleteNetworkInterface", interface_delete,
	    "DryRun NetworkInterfaceId"},
	{"DeleteRoute", route_delete,
	    "DestinationCidrBlock DryRun RouteTableId"},
	{"DeleteRouteTable", table_delete, "DryRun RouteTableId"},
	{"DeleteSecurityGroup", group_delete, "DryRun GroupId GroupName"},
	{"DeleteSubnet", subnet_delete, "DryRun SubnetId"},
	{"DeleteTags", ec2_tags_delete, "DryRun Resources Tags"},
	{"DeleteVpc", vpc_delete, "DryRun VpcId"},
	{"DescribeAccountAttributes", account_attributes,
	    "AttributeNames DryRun"},
	/* AllAvailabilityZones adds those not opted in: there are none. */
	{"DescribeAvailabilityZones", zone_describe,
	    "AllAvailabilityZones DryRun Filters ZoneIds ZoneNames"},
	{"DescribeDhcpOptions", dhcp_describe, PAGED "DhcpOptionsIds"},
	{"DescribeInternetGateways", gateway_describe,
	    PAGED "InternetGatewayIds"},
	{"DescribeNetworkAcls", acl_describe, PAGED "NetworkAclIds"},
	{"DescribeNetworkInterfaceAttribute", interface_attribute,
	    "Attribute DryRun NetworkInterfaceId"},
	/* IncludeManagedResources: ours are never hidden. */
	{"DescribeNetworkInterfaces", interface_describe,
	    PAGED "IncludeManagedResources NetworkInterfaceIds"},
	{"DescribeRegions", region_describe,
	    "AllRegions DryRun Filters RegionNames"},
	{"DescribeRouteTables", table_describe, PAGED "RouteTableIds"},
	{"DescribeSecurityGroupRules", sg_rule_describe,
	    PAGED "SecurityGroupRuleIds"},
	{"DescribeSecurityGroups", group_describe,
	    PAGED "GroupIds GroupNames"},
	{"DescribeSubnets", subnet_describe, PAGED "SubnetIds"},
	{"DescribeTags", ec2_tags_describe, PAGED},
	{"DescribeVpcAttribute", vpc_attribute, "Attribute DryRun VpcId"},
	{"DescribeVpcs", vpc_describe, PAGED "VpcIds"},
	{"DetachInternetGateway", gateway_detach,
	    "DryRun InternetGatewayId VpcId"},
	{"DisassociateRouteTable", table_disassociate,
	    "AssociationId DryRun"},
	{"DisassociateVpcCidrBlock", vpc_disassociate_cidr, "AssociationId"},
	{"GetSecurityGroupsForVpc", group_for_vpc,
	    "DryRun Filters VpcId"},
	{"ModifyNetworkInterfaceAttribute", interface_modify,
	    "Description DryRun Groups NetworkInterfaceId SourceDestCheck"},
	{"ModifySecurityGroupRules", sg_rule_modify,
	    "DryRun GroupId SecurityGroupRules"},
	{"ModifySubnetAttribute", subnet_modify,
	    "AssignIpv6AddressOnCreation EnableDns64 "
	    "EnableResourceNameDnsAAAARecordOnLaunch "
	    "EnableResourceNameDnsARecordOnLaunch MapPublicIpOnLaunch "
	    "PrivateDnsHostnameTypeOnLaunch SubnetId"},
	{"ModifyVpcAttribute", vpc_modify,
	    "EnableDnsHostnames EnableDnsSupport "
	    "EnableNetworkAddressUsageMetrics VpcId"},
	{"ReplaceRoute", route_replace, ROUTE},
	{"ReplaceRouteTableAssociation", table_replace,
	    "AssociationId DryRun RouteTableId"},
	{"ResetNetworkInterfaceAttribute", interface_reset,
	    "DryRun NetworkInterfaceId SourceDestCheck"},
	{"RevokeSecurityGroupEgress", rule_revoke_egress,
	    PEER "DryRun GroupId SecurityGroupRuleIds"},
	{"RevokeSecurityGroupIngress", rule_revoke_ingress,
	    PEER "DryRun GroupId GroupName SecurityGroupRuleIds"},
	{"UpdateSecurityGroupRuleDescriptionsEgress", rule_describe_egress,
	    "DryRun GroupId GroupName IpPermissions "
	    "SecurityGroupRuleDescriptions"},
	{"UpdateSecurityGroupRuleDescriptionsIngress", rule_describe_ingress,
	    "DryRun GroupId GroupName IpPermissions "
	    "SecurityGroupRuleDescriptions"},
	{NULL, NULL, NULL},
};

/* AWS: the caller may do it, and it is not done.  Nothing else is checked. */
static struct reply *
dry_run(struct call *c)
{
	if (!doc_get_bool(c->in, "DryRun", false))
		return NULL;
	return reply_error_with(c, 412, "DryRunOperation", NULL,
	    "Request would have succeeded, but DryRun flag is set.");
}

const struct service ec2_service = {
	.name = "ec2",
	.ops = ops,
	.kinds = ec2_kinds,
	.types = ec2_types,
	.scope_init = default_scope,
	.before = dry_run,
};
