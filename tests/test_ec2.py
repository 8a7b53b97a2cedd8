"""EC2 over the wire: what a CDK or CLI user does to have a network."""
import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ec2(daemon):
    return daemon.client("ec2")


def refused(code, call, **kwargs):
    with pytest.raises(ClientError) as e:
        call(**kwargs)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response


def ids(answer, member, key):
    return sorted(x[key] for x in answer[member])


def everything(ec2):
    """Every resource that can be listed, to see that nothing is left."""
    return {
        "vpc": ids(ec2.describe_vpcs(), "Vpcs", "VpcId"),
        "subnet": ids(ec2.describe_subnets(), "Subnets", "SubnetId"),
        "group": ids(ec2.describe_security_groups(), "SecurityGroups", "GroupId"),
        "rule": ids(ec2.describe_security_group_rules(), "SecurityGroupRules",
                    "SecurityGroupRuleId"),
        "table": ids(ec2.describe_route_tables(), "RouteTables", "RouteTableId"),
        "gateway": ids(ec2.describe_internet_gateways(), "InternetGateways",
                       "InternetGatewayId"),
        "acl": ids(ec2.describe_network_acls(), "NetworkAcls", "NetworkAclId"),
        "interface": ids(ec2.describe_network_interfaces(), "NetworkInterfaces",
                         "NetworkInterfaceId"),
        "tag": ids(ec2.describe_tags(), "Tags", "ResourceId"),
    }


def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def test_a_region_starts_with_a_default_vpc(ec2, client):
    vpc, = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    subnets = ec2.describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert [s["AvailabilityZone"] for s in subnets] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert all(s["DefaultForAz"] and s["MapPublicIpOnLaunch"] for s in subnets)
    assert {s["AvailableIpAddressCount"] for s in subnets} == {4091}
    options, = ec2.describe_dhcp_options()["DhcpOptions"]
    assert options["DhcpOptionsId"] == vpc["DhcpOptionsId"]
    other, = client("ec2", region="eu-west-1").describe_vpcs()["Vpcs"]
    assert other["VpcId"] != vpc["VpcId"]


def build(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16",
                         TagSpecifications=named("vpc", "web"))["Vpc"]["VpcId"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway(
        TagSpecifications=named("internet-gateway", "web"))["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    assert ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0",
                            GatewayId=gateway)["Return"]
    subnets, associations = [], []
    for i, zone in enumerate("ab"):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-east-1{zone}",
            TagSpecifications=named("subnet", f"public-{zone}"))["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        associations.append(ec2.associate_route_table(
            RouteTableId=table, SubnetId=subnet)["AssociationId"])
        subnets.append(subnet)
    lb = ec2.create_security_group(GroupName="lb", Description="load balancer",
                                   VpcId=vpc)["GroupId"]
    tasks = ec2.create_security_group(GroupName="tasks", Description="tasks",
                                      VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=lb, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
    rule, = ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 3000, "ToPort": 3000,
        "UserIdGroupPairs": [{"GroupId": lb, "Description": "from the load balancer"}],
    }])["SecurityGroupRules"]
    assert rule["ReferencedGroupInfo"]["GroupId"] == lb
    return vpc, gateway, table, subnets, associations, lb, tasks


def test_a_stack_comes_and_goes(ec2):
    before = everything(ec2)
    vpc, gateway, table, subnets, associations, lb, tasks = build(ec2)

    found = ec2.describe_subnets(Filters=[
        {"Name": "tag:Name", "Values": ["public-*"]},
        {"Name": "map-public-ip-on-launch", "Values": ["true"]}])["Subnets"]
    assert sorted(s["SubnetId"] for s in found) == sorted(subnets)
    assert ec2.describe_vpc_attribute(
        VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"] == {"Value": True}
    shown, = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert [r["State"] for r in shown["Routes"]] == ["active", "active"]
    assert [a["SubnetId"] for a in shown["Associations"]] == subnets
    group, = ec2.describe_security_groups(GroupIds=[tasks])["SecurityGroups"]
    pair, = group["IpPermissions"][0]["UserIdGroupPairs"]
    assert pair == {"GroupId": lb, "UserId": "123456789012",
                    "Description": "from the load balancer"}
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]

    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    refused("DependencyViolation", ec2.delete_security_group, GroupId=lb)
    refused("DependencyViolation", ec2.delete_route_table, RouteTableId=table)
    refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=gateway)

    for group in (tasks, lb):
        ec2.delete_security_group(GroupId=group)
    for association in associations:
        ec2.disassociate_route_table(AssociationId=association)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)
    assert everything(ec2) == before


def test_a_users_interface(ec2):
    subnet = ec2.describe_subnets()["Subnets"][0]
    made = ec2.create_network_interface(
        SubnetId=subnet["SubnetId"], Description="mine", PrivateIpAddress="172.31.0.9",
        TagSpecifications=named("network-interface", "mine"))["NetworkInterface"]
    eni = made["NetworkInterfaceId"]
    assert made["Status"] == "available" and made["MacAddress"].startswith("02:")
    assert made["Groups"][0]["GroupName"] == "default"
    assert made["TagSet"] == [{"Key": "Name", "Value": "mine"}]
    assert made["PrivateDnsName"] == "ip-172-31-0-9.ec2.internal"
    refused("InvalidIPAddress.InUse", ec2.create_network_interface,
            SubnetId=subnet["SubnetId"], PrivateIpAddress="172.31.0.9")
    refused("InvalidParameterValue", ec2.create_network_interface,
            SubnetId=subnet["SubnetId"], PrivateIpAddress="172.31.0.3")
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
    assert ec2.describe_network_interface_attribute(
        NetworkInterfaceId=eni, Attribute="sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "private-ip-address", "Values": ["172.31.0.9"]}])
    assert ids(found, "NetworkInterfaces", "NetworkInterfaceId") == [eni]
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet["SubnetId"])
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces,
            NetworkInterfaceIds=[eni])


def test_refusals_are_awss(ec2):
    answer = refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 412
    answer = refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-00000000"])
    assert answer["Error"]["Message"] == "The vpc ID 'vpc-00000000' does not exist"
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupNames=["nope"])
    refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8")
    refused("NotImplemented", ec2.create_vpc_peering_connection, VpcId="vpc-00000000")
    refused("CannotDelete", ec2.delete_security_group, GroupName="default")


def test_pages(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = sorted(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{i}.0/24")["Subnet"]["SubnetId"]
                  for i in range(11))
    pages = list(ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}))
    assert [len(p["Subnets"]) for p in pages] == [5, 5, 1]
    assert sorted(s["SubnetId"] for p in pages for s in p["Subnets"]) == made
    for subnet in made:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def test_the_cli(daemon):
    zones = json.loads(daemon.aws("ec2", "describe-availability-zones", "--output", "json"))
    assert [z["ZoneName"] for z in zones["AvailabilityZones"]] == [
        "us-east-1a", "us-east-1b", "us-east-1c"]
    group = daemon.aws("ec2", "create-security-group", "--group-name", "cli", "--description",
                       "from the CLI", "--query", "GroupId", "--output", "text").strip()
    daemon.aws("ec2", "authorize-security-group-ingress", "--group-id", group,
               "--protocol", "tcp", "--port", "22", "--cidr", "203.0.113.0/24")
    daemon.aws("ec2", "revoke-security-group-ingress", "--group-id", group,
               "--protocol", "tcp", "--port", "22", "--cidr", "203.0.113.0/24")
    daemon.aws("ec2", "delete-security-group", "--group-id", group)
