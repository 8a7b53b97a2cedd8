/* The operations of EC2 that there are, and the service itself. */
#include "svc/ec2/ops.h"

#include "svc/ec2/cfn.h"
#include "svc/ec2/ec2.h"

#define PAGED "DryRun Filters MaxResults NextToken "
#define PEER "CidrIp FromPort IpPermissions IpProtocol " \
	"SourceSecurityGroupName SourceSecurityGroupOwnerId ToPort "
#define ROUTE "DestinationCidrBlock DryRun GatewayId NatGatewayId " \
	"NetworkInterfaceId RouteTableId "
#define ENTRY "CidrBlock DryRun Egress IcmpTypeCode Ipv6CidrBlock " \
	"NetworkAclId PortRange Protocol RuleAction RuleNumber "

static const struct op_row ops[] = {
	{"AllocateAddress", elastic_ip_allocate,
	    "Domain DryRun NetworkBorderGroup TagSpecifications"},
	{"AssociateAddress", elastic_ip_associate,
	    "AllocationId AllowReassociation DryRun NetworkInterfaceId "
	    "PrivateIpAddress PublicIp"},
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
	{"CreateNatGateway", nat_create,
	    "AllocationId AvailabilityMode ClientToken ConnectivityType DryRun "
	    "PrivateIpAddress SubnetId TagSpecifications"},
	{"CreateNetworkAcl", acl_create,
	    "ClientToken DryRun TagSpecifications VpcId"},
	{"CreateNetworkAclEntry", acl_entry_create, ENTRY},
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
	{"DeleteNatGateway", nat_delete, "DryRun NatGatewayId"},
	{"DeleteNetworkAcl", acl_delete, "DryRun NetworkAclId"},
	{"DeleteNetworkAclEntry", acl_entry_delete,
	    "DryRun Egress NetworkAclId RuleNumber"},
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
	{"DescribeAddresses", elastic_ip_describe,
	    "AllocationIds DryRun Filters PublicIps"},
	/* AllAvailabilityZones adds those not opted in: there are none. */
	{"DescribeAvailabilityZones", zone_describe,
	    "AllAvailabilityZones DryRun Filters ZoneIds ZoneNames"},
	{"DescribeDhcpOptions", dhcp_describe, PAGED "DhcpOptionsIds"},
	{"DescribeFlowLogs", absent_flow_logs,
	    "DryRun Filter FlowLogIds MaxResults NextToken"},
	{"DescribeInternetGateways", gateway_describe,
	    PAGED "InternetGatewayIds"},
	{"DescribeManagedPrefixLists", absent_managed_prefix_lists,
	    PAGED "PrefixListIds"},
	{"DescribeNatGateways", nat_describe,
	    "DryRun Filter MaxResults NatGatewayIds NextToken"},
	{"DescribeNetworkAcls", acl_describe, PAGED "NetworkAclIds"},
	{"DescribeNetworkInterfaceAttribute", interface_attribute,
	    "Attribute DryRun NetworkInterfaceId"},
	/* IncludeManagedResources: ours are never hidden. */
	{"DescribeNetworkInterfaces", interface_describe,
	    PAGED "IncludeManagedResources NetworkInterfaceIds"},
	{"DescribePrefixLists", absent_prefix_lists, PAGED "PrefixListIds"},
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
	{"DescribeVpcEndpointServices", absent_endpoint_services,
	    PAGED "ServiceNames ServiceRegions"},
	{"DescribeVpcEndpoints", absent_endpoints, PAGED "VpcEndpointIds"},
	{"DescribeVpcs", vpc_describe, PAGED "VpcIds"},
	{"DescribeVpnGateways", absent_vpn_gateways,
	    "DryRun Filters VpnGatewayIds"},
	{"DetachInternetGateway", gateway_detach,
	    "DryRun InternetGatewayId VpcId"},
	{"DisassociateAddress", elastic_ip_disassociate,
	    "AssociationId DryRun PublicIp"},
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
	{"ReleaseAddress", elastic_ip_release,
	    "AllocationId DryRun NetworkBorderGroup PublicIp"},
	{"ReplaceNetworkAclAssociation", acl_replace,
	    "AssociationId DryRun NetworkAclId"},
	{"ReplaceNetworkAclEntry", acl_entry_replace, ENTRY},
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
