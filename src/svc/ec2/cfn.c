/* The VPC family as CloudFormation makes it. */
#include "svc/ec2/cfn.h"

#define VPC "{'VpcId': '$ref'}"
#define SUBNET "{'SubnetId': '$ref'}"
#define ASSOCIATION "{'AssociationId': '$ref'}"
#define GATEWAY "{'InternetGatewayId': '$ref'}"
#define ATTACHMENT \
	"{'InternetGatewayId': '$p.InternetGatewayId', 'VpcId': '$p.VpcId'}"
#define ROUTE "{'RouteTableId': '$p.RouteTableId', " \
	"'DestinationCidrBlock': '$p.DestinationCidrBlock'}"
#define ADDRESS "{'AllocationId': '$a.AllocationId'}"
#define NAT "{'NatGatewayId': '$ref'}"
#define NATS "{'NatGatewayIds': ['$ref']}"
#define ACL "{'NetworkAclId': '$ref'}"
#define RULE "{'GroupId': '$p.GroupId', 'SecurityGroupRuleIds': ['$ref']}"
#define DESCRIPTION "{'GroupId': '$p.GroupId', " \
	"'SecurityGroupRuleDescriptions': [{'SecurityGroupRuleId': '$ref', " \
	"'Description': '$p.Description'}]}"

static const struct cfn_tagging tagging = {
	"CreateTags", "{'Resources': ['$ref']}", "Tags",
	"DeleteTags", "{'Resources': ['$ref']}", "Tags",
};

/* Addresses have two ids, and Ref is not the one that tags go by. */
static const struct cfn_tagging address_tagging = {
	"CreateTags", "{'Resources': ['$a.AllocationId']}", "Tags",
	"DeleteTags", "{'Resources': ['$a.AllocationId']}", "Tags",
};

static const struct cfn_wait nat_ready = {
	"DescribeNatGateways", NATS,
	.value = "$o.NatGateways.0.State",
	.done = "available",
	.failed = "failed deleting deleted",
	.reason = "NatGateway ${ref} is in state ${o.NatGateways.0.State} and "
	    "hence failed to stabilize. Detailed failure message: "
	    "${o.NatGateways.0.FailureMessage}",
};

static const struct cfn_wait nat_gone = {
	"DescribeNatGateways", NATS,
	.value = "$o.NatGateways.0.State",
	.done = "deleted",
};

const struct cfn_map ec2_types[] = {
	{
		.type = "AWS::EC2::VPC",
		.create = CFN_STEPS(CFN_STEP("CreateVpc", NULL, NULL),
		    CFN_STEP("ModifyVpcAttribute", "EnableDnsSupport", VPC),
		    CFN_STEP("ModifyVpcAttribute", "EnableDnsHostnames", VPC)),
		.update = CFN_STEPS(
		    CFN_STEP("ModifyVpcAttribute", "EnableDnsSupport", VPC),
		    CFN_STEP("ModifyVpcAttribute", "EnableDnsHostnames", VPC)),
		.defaults =
		    "{'EnableDnsSupport': true, 'EnableDnsHostnames': false}",
		.read = CFN_STEPS(
		    CFN_STEP("DescribeSecurityGroups", "", "{'Filters': ["
			"{'Name': 'vpc-id', 'Values': ['$ref']}, "
			"{'Name': 'group-name', 'Values': ['default']}]}"),
		    CFN_STEP("DescribeNetworkAcls", "", "{'Filters': ["
			"{'Name': 'vpc-id', 'Values': ['$ref']}, "
			"{'Name': 'default', 'Values': ['true']}]}")),
		.remove = CFN_STEPS(CFN_STEP("DeleteVpc", "", VPC)),
		.ref = "$o.Vpc.VpcId",
		.attrs = "{'VpcId': '$ref', 'CidrBlock': '$p.CidrBlock', "
		    "'CidrBlockAssociations': "
		    "'$o.Vpc.CidrBlockAssociationSet.*.AssociationId', "
		    "'Ipv6CidrBlocks': [], 'DefaultSecurityGroup': "
		    "'$o.SecurityGroups.0.GroupId', 'DefaultNetworkAcl': "
		    "'$o.NetworkAcls.0.NetworkAclId'}",
		.tag_spec = "vpc",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::Subnet",
		.create = CFN_STEPS(CFN_STEP("CreateSubnet", NULL, NULL),
		    CFN_STEP("ModifySubnetAttribute", "MapPublicIpOnLaunch",
			SUBNET),
		    CFN_STEP("ModifySubnetAttribute",
			"AssignIpv6AddressOnCreation", SUBNET)),
		.update = CFN_STEPS(
		    CFN_STEP("ModifySubnetAttribute", "MapPublicIpOnLaunch",
			SUBNET)),
		.defaults = "{'MapPublicIpOnLaunch': false}",
		.remove = CFN_STEPS(CFN_STEP("DeleteSubnet", "", SUBNET)),
		.ref = "$o.Subnet.SubnetId",
		.attrs = "{'SubnetId': '$ref', 'VpcId': '$o.Subnet.VpcId', "
		    "'AvailabilityZone': '$o.Subnet.AvailabilityZone', "
		    "'AvailabilityZoneId': '$o.Subnet.AvailabilityZoneId', "
		    "'CidrBlock': '$o.Subnet.CidrBlock', "
		    "'Ipv6CidrBlocks': [], "
		    /* As network-acl.c makes it with the subnet. */
		    "'NetworkAclAssociationId': "
		    "'aclassoc-${ref>subnet-}'}",
		.tag_spec = "subnet",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::InternetGateway",
		.create = CFN_STEPS(
		    CFN_STEP("CreateInternetGateway", NULL, NULL)),
		.remove = CFN_STEPS(
		    CFN_STEP("DeleteInternetGateway", "", GATEWAY)),
		.ref = "$o.InternetGateway.InternetGatewayId",
		.attrs = "{'InternetGatewayId': '$ref'}",
		.tag_spec = "internet-gateway",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::VPCGatewayAttachment",
		.create = CFN_STEPS(
		    CFN_STEP("AttachInternetGateway", NULL, NULL)),
		.remove = CFN_STEPS(
		    CFN_STEP("DetachInternetGateway", "", ATTACHMENT)),
		.ref = "IGW|${p.VpcId}",
		.attrs = "{'AttachmentType': 'IGW'}",
	},
	{
		.type = "AWS::EC2::RouteTable",
		.create = CFN_STEPS(CFN_STEP("CreateRouteTable", NULL, NULL)),
		.remove = CFN_STEPS(CFN_STEP("DeleteRouteTable", "",
		    "{'RouteTableId': '$ref'}")),
		.ref = "$o.RouteTable.RouteTableId",
		.attrs = "{'RouteTableId': '$ref'}",
		.tag_spec = "route-table",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::Route",
		.create = CFN_STEPS(CFN_STEP("CreateRoute", NULL, NULL)),
		.on_update = cfn_route_update,
		.remove = CFN_STEPS(CFN_STEP("DeleteRoute", "", ROUTE)),
		.ref = "${p.RouteTableId}|${p.DestinationCidrBlock}",
		.attrs = "{'CidrBlock': '$p.DestinationCidrBlock'}",
	},
	{
		.type = "AWS::EC2::SubnetRouteTableAssociation",
		.create = CFN_STEPS(
		    CFN_STEP("AssociateRouteTable", NULL, NULL)),
		.remove = CFN_STEPS(
		    CFN_STEP("DisassociateRouteTable", "", ASSOCIATION)),
		.ref = "$o.AssociationId",
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::EC2::SecurityGroup",
		.name = "GroupName",
		.on_create = cfn_group_create,
		.on_update = cfn_group_update,
		.remove = CFN_STEPS(CFN_STEP("DeleteSecurityGroup", "",
		    "{'GroupId': '$ref'}")),
		.attrs = "{'GroupId': '$ref', 'Id': '$ref', "
		    "'VpcId': '$p.VpcId'}",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::SecurityGroupIngress",
		.on_create = cfn_ingress_create,
		.update = CFN_STEPS(
		    CFN_STEP("UpdateSecurityGroupRuleDescriptionsIngress",
			"Description", DESCRIPTION)),
		.remove = CFN_STEPS(
		    CFN_STEP("RevokeSecurityGroupIngress", "", RULE)),
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::EC2::SecurityGroupEgress",
		.on_create = cfn_egress_create,
		.update = CFN_STEPS(
		    CFN_STEP("UpdateSecurityGroupRuleDescriptionsEgress",
			"Description", DESCRIPTION)),
		.remove = CFN_STEPS(
		    CFN_STEP("RevokeSecurityGroupEgress", "", RULE)),
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::EC2::EIP",
		.create = CFN_STEPS(CFN_STEP("AllocateAddress", NULL, NULL)),
		.remove = CFN_STEPS(CFN_STEP("ReleaseAddress", "", ADDRESS)),
		.ref = "$o.PublicIp",
		.attrs = "{'PublicIp': '$ref', "
		    "'AllocationId': '$o.AllocationId'}",
		.tag_spec = "elastic-ip",
		.tagging = &address_tagging,
	},
	{
		.type = "AWS::EC2::EIPAssociation",
		.create = CFN_STEPS(CFN_STEP("AssociateAddress", NULL, NULL,
		    .map = "EIP=PublicIp")),
		.remove = CFN_STEPS(
		    CFN_STEP("DisassociateAddress", "", ASSOCIATION)),
		.ref = "$o.AssociationId",
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::EC2::NatGateway",
		.create = CFN_STEPS(CFN_STEP("CreateNatGateway", NULL,
		    "{'ClientToken': '$token'}")),
		.remove = CFN_STEPS(CFN_STEP("DeleteNatGateway", "", NAT)),
		.ref = "$o.NatGateway.NatGatewayId",
		.attrs = "{'NatGatewayId': '$ref', 'EniId': "
		    "'$o.NatGateway.NatGatewayAddresses.0."
		    "NetworkInterfaceId'}",
		/* How long connections are given when an address is taken
		 * away, which cannot happen here. */
		.no_effect = "MaxDrainDurationSeconds",
		.tag_spec = "natgateway",
		.tagging = &tagging,
		.ready = &nat_ready,
		.gone = &nat_gone,
	},
	{
		.type = "AWS::EC2::NetworkAcl",
		.create = CFN_STEPS(CFN_STEP("CreateNetworkAcl", NULL,
		    "{'ClientToken': '$token'}")),
		.remove = CFN_STEPS(CFN_STEP("DeleteNetworkAcl", "", ACL)),
		.ref = "$o.NetworkAcl.NetworkAclId",
		.attrs = "{'Id': '$ref'}",
		.tag_spec = "network-acl",
		.tagging = &tagging,
	},
	{
		.type = "AWS::EC2::NetworkAclEntry",
		.create = CFN_STEPS(CFN_STEP("CreateNetworkAclEntry", NULL,
		    "{'Egress': false}", .map = "Icmp=IcmpTypeCode")),
		.update = CFN_STEPS(CFN_STEP("ReplaceNetworkAclEntry", NULL,
		    "{'Egress': false}", .map = "Icmp=IcmpTypeCode")),
		.defaults = "{'PortRange': {'From': 0, 'To': 65535}, "
		    "'Icmp': {'Type': -1, 'Code': -1}}",
		.remove = CFN_STEPS(CFN_STEP("DeleteNetworkAclEntry", "Egress",
		    "{'NetworkAclId': '$p.NetworkAclId', 'RuleNumber': "
		    "'$p.RuleNumber', 'Egress': false}")),
		.ref = "${stack}-${logical}-${random}",
		.attrs = "{'Id': '$ref'}",
	},
	{
		.type = "AWS::EC2::SubnetNetworkAclAssociation",
		.on_create = cfn_acl_association_create,
		.on_remove = cfn_acl_association_remove,
		.attrs = "{'AssociationId': '$ref'}",
	},
	{.type = NULL},
};
