"""Where packets go, as the EC2 API tells it: elastic addresses, NAT gateways, routes, ACLs."""
import time

import pytest
from botocore.exceptions import ClientError

from test_ec2 import ids, named, refused


@pytest.fixture(scope="module")
def ec2(daemon):
    return daemon.client("ec2")


class Net:
    """A VPC with a public and a private subnet."""

    def __init__(self, ec2, gateway=True):
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.public, self.private = (ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.0.{i}.0/24")["Subnet"]["SubnetId"] for i in (0, 1))
        self.igw = None
        if gateway:
            self.igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)

    def table(self):
        found = self.ec2.describe_route_tables(
            Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
        return next(t for t in found if any(a["Main"] for a in t["Associations"]))

    def end(self):
        if self.igw:
            self.ec2.detach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
            self.ec2.delete_internet_gateway(InternetGatewayId=self.igw)
        for subnet in (self.public, self.private):
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=self.vpc)


@pytest.fixture
def net(ec2):
    n = Net(ec2)
    yield n
    n.end()


def nat_of(ec2, nat):
    return ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]


def wait_nat(ec2, nat, state, seconds=10):
    """As the waiter does, without its 15 seconds between looks."""
    end = time.monotonic() + seconds
    while nat_of(ec2, nat)["State"] != state:
        assert time.monotonic() < end, nat_of(ec2, nat)
        time.sleep(0.01)
    return nat_of(ec2, nat)


def test_addresses(ec2, net):
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "one"))
    alloc, ip = made["AllocationId"], made["PublicIp"]
    assert made["Domain"] == "vpc" and made["NetworkBorderGroup"] == "us-east-1"
    shown, = ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["one"]}])["Addresses"]
    assert shown["AllocationId"] == alloc and shown["PublicIp"] == ip
    assert ec2.describe_addresses(PublicIps=[ip])["Addresses"] == [shown]
    refused("InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=["198.51.100.1"])
    refused("InvalidAllocationID.NotFound", ec2.release_address,
            AllocationId="eipalloc-00000000000000000")
    refused("InvalidParameterValue", ec2.allocate_address, NetworkBorderGroup="mars")
    refused("NotImplemented", ec2.allocate_address, PublicIpv4Pool="ipv4pool-ec2-1")
    refused("NotImplemented", ec2.describe_addresses_attribute, AllocationIds=[alloc])

    eni, other = (ec2.create_network_interface(SubnetId=net.public)["NetworkInterface"][
        "NetworkInterfaceId"] for _ in range(2))
    assoc = ec2.associate_address(AllocationId=alloc, NetworkInterfaceId=eni)["AssociationId"]
    # The same again is no error, another's is.
    assert ec2.associate_address(AllocationId=alloc,
                                 NetworkInterfaceId=eni)["AssociationId"] == assoc
    answer = refused("Resource.AlreadyAssociated", ec2.associate_address, AllocationId=alloc,
                     NetworkInterfaceId=other, AllowReassociation=False)
    assert answer["Error"]["Message"] == \
        f"resource {alloc} is already associated with associate-id {assoc}"
    shown, = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert shown["Association"]["AllocationId"] == alloc
    assert shown["Association"]["PublicIp"] == ip
    assert shown["Association"]["IpOwnerId"] == "123456789012"
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=alloc)
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=net.igw,
            VpcId=net.vpc)
    # It moves; and the address that the interface had is free again.
    second = ec2.allocate_address()["AllocationId"]
    ec2.associate_address(AllocationId=second, NetworkInterfaceId=other)
    moved = ec2.associate_address(AllocationId=alloc, NetworkInterfaceId=other)["AssociationId"]
    ec2.release_address(AllocationId=second)
    assert moved != assoc
    shown, = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert "Association" not in shown
    refused("InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=assoc)
    # An interface that goes gives its address back to the account.
    ec2.delete_network_interface(NetworkInterfaceId=other)
    shown, = ec2.describe_addresses(AllocationIds=[alloc])["Addresses"]
    assert "AssociationId" not in shown and "NetworkInterfaceId" not in shown
    assoc = ec2.associate_address(AllocationId=alloc, NetworkInterfaceId=eni)["AssociationId"]
    ec2.disassociate_address(AssociationId=assoc)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.release_address(AllocationId=alloc)
    assert ec2.describe_addresses()["Addresses"] == []


def test_nat_gateway(ec2, net):
    alloc = ec2.allocate_address()
    made = ec2.create_nat_gateway(
        SubnetId=net.public, AllocationId=alloc["AllocationId"], ClientToken="once",
        TagSpecifications=named("natgateway", "out"))
    nat = made["NatGateway"]["NatGatewayId"]
    assert made["NatGateway"]["State"] == "pending" and made["ClientToken"] == "once"
    again = ec2.create_nat_gateway(SubnetId=net.public, AllocationId=alloc["AllocationId"],
                                   ClientToken="once")
    assert again["NatGateway"]["NatGatewayId"] == nat
    shown = wait_nat(ec2, nat, "available")
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat])
    assert shown["ConnectivityType"] == "public" and shown["VpcId"] == net.vpc
    assert shown["Tags"] == [{"Key": "Name", "Value": "out"}]
    address, = shown["NatGatewayAddresses"]
    assert address["PublicIp"] == alloc["PublicIp"]
    assert ids(ec2.describe_nat_gateways(Filters=[
        {"Name": "state", "Values": ["available"]}, {"Name": "vpc-id", "Values": [net.vpc]},
        {"Name": "tag:Name", "Values": ["out"]}]), "NatGateways", "NatGatewayId") == [nat]
    eni, = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[address["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert eni["InterfaceType"] == "nat_gateway" and eni["RequesterManaged"]
    assert eni["Description"] == f"Interface for NAT Gateway {nat}"
    assert eni["PrivateIpAddress"] == address["PrivateIp"] and eni["Status"] == "in-use"
    assert eni["Association"]["AllocationId"] == alloc["AllocationId"]

    # What a gateway holds cannot be taken away from under it.
    held, = ec2.describe_addresses(PublicIps=[alloc["PublicIp"]])["Addresses"]
    assert held["NetworkInterfaceId"] == eni["NetworkInterfaceId"]
    refused("AuthFailure", ec2.disassociate_address, AssociationId=held["AssociationId"])
    mine = ec2.create_network_interface(SubnetId=net.private)["NetworkInterface"]
    refused("AuthFailure", ec2.associate_address, AllocationId=alloc["AllocationId"],
            NetworkInterfaceId=mine["NetworkInterfaceId"], AllowReassociation=True)
    ec2.delete_network_interface(NetworkInterfaceId=mine["NetworkInterfaceId"])
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=alloc["AllocationId"])
    refused("InvalidParameterValue", ec2.delete_network_interface,
            NetworkInterfaceId=eni["NetworkInterfaceId"])
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=net.public)
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=net.igw,
            VpcId=net.vpc)
    taken = ec2.create_nat_gateway(SubnetId=net.public, AllocationId=alloc["AllocationId"])
    shown = nat_of(ec2, taken["NatGateway"]["NatGatewayId"])
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Resource.AlreadyAssociated")

    table = net.table()["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    out = net.table()["Routes"][-1]
    assert (out["NatGatewayId"], out["State"]) == (nat, "active")
    assert ec2.delete_nat_gateway(NatGatewayId=nat)["NatGatewayId"] == nat
    shown = wait_nat(ec2, nat, "deleted")
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat])
    assert shown["DeleteTime"]
    assert net.table()["Routes"][-1]["State"] == "blackhole"
    refused("NatGatewayNotFound", ec2.replace_route, RouteTableId=table,
            DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces,
            NetworkInterfaceIds=[eni["NetworkInterfaceId"]])
    ec2.release_address(AllocationId=alloc["AllocationId"])
    answer = refused("NatGatewayNotFound", ec2.delete_nat_gateway,
                     NatGatewayId="nat-00000000000000000")
    assert answer["Error"]["Message"] == "NAT gateway nat-00000000000000000 was not found"


def test_nat_gateways_that_fail(ec2):
    net = Net(ec2, gateway=False)
    alloc = ec2.allocate_address()["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=net.public, AllocationId=alloc)["NatGateway"]
    assert made["State"] == "pending"
    shown = nat_of(ec2, made["NatGatewayId"])
    assert (shown["State"], shown["FailureCode"], shown["FailureMessage"]) == (
        "failed", "Gateway.NotAttached", f"Network {net.vpc} has no Internet gateway attached")
    table = net.table()["RouteTableId"]
    refused("NatGatewayNotFound", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="0.0.0.0/0", NatGatewayId=made["NatGatewayId"])
    refused("MissingParameter", ec2.create_nat_gateway, SubnetId=net.public)
    refused("InvalidAllocationID.NotFound", ec2.create_nat_gateway, SubnetId=net.public,
            AllocationId="eipalloc-00000000000000000")
    refused("InvalidParameterCombination", ec2.create_nat_gateway, SubnetId=net.public,
            AllocationId=alloc, ConnectivityType="private")
    # A private one needs no gateway and no address.
    private = ec2.create_nat_gateway(SubnetId=net.private, ConnectivityType="private",
                                     PrivateIpAddress="10.0.1.77")["NatGateway"]
    shown = wait_nat(ec2, private["NatGatewayId"], "available")
    assert shown["NatGatewayAddresses"][0]["PrivateIp"] == "10.0.1.77"
    assert "PublicIp" not in shown["NatGatewayAddresses"][0]
    ec2.delete_nat_gateway(NatGatewayId=private["NatGatewayId"])
    wait_nat(ec2, private["NatGatewayId"], "deleted")
    ec2.release_address(AllocationId=alloc)
    net.end()


def test_routes(ec2, net):
    table = net.table()["RouteTableId"]
    eni = ec2.create_network_interface(SubnetId=net.private)["NetworkInterface"]
    refused("MissingParameter", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="0.0.0.0/0")
    refused("InvalidParameterCombination", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="0.0.0.0/0", GatewayId=net.igw,
            NetworkInterfaceId=eni["NetworkInterfaceId"])
    refused("NotImplemented", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="0.0.0.0/0", TransitGatewayId="tgw-00000000000000000")
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="10.0.1.0/24", GatewayId=net.igw)
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="10.0.1.0/25", NetworkInterfaceId=eni["NetworkInterfaceId"])
    for cidr in ("10.0.1.0/24", "192.168.7.9/16"):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr,
                         NetworkInterfaceId=eni["NetworkInterfaceId"])
    # Nobody has the interface.
    assert {(r["DestinationCidrBlock"], r["State"]) for r in net.table()["Routes"]} == {
        ("10.0.0.0/16", "active"), ("10.0.1.0/24", "blackhole"),
        ("192.168.0.0/16", "blackhole")}
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="192.168.0.0/16",
                      GatewayId=net.igw)
    route = next(r for r in net.table()["Routes"]
                 if r["DestinationCidrBlock"] == "192.168.0.0/16")
    assert route == {"DestinationCidrBlock": "192.168.0.0/16", "GatewayId": net.igw,
                     "Origin": "CreateRoute", "State": "active"}
    for cidr in ("10.0.1.0/24", "192.168.0.0/16"):
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock=cidr)
    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])


def acl_of(ec2, subnet):
    acl, = ec2.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    return acl, next(a["NetworkAclAssociationId"] for a in acl["Associations"]
                     if a["SubnetId"] == subnet)


def entry(number, egress=False, action="allow", **more):
    return {"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0", **more}


def test_network_acls(ec2, net):
    first, association = acl_of(ec2, net.public)
    assert first["IsDefault"]
    made = ec2.create_network_acl(VpcId=net.vpc, TagSpecifications=named("network-acl", "tight"))
    acl = made["NetworkAcl"]["NetworkAclId"]
    assert not made["NetworkAcl"]["IsDefault"]
    assert [(e["RuleNumber"], e["Egress"], e["RuleAction"]) for e in
            made["NetworkAcl"]["Entries"]] == [(32767, True, "deny"), (32767, False, "deny")]
    refused("DependencyViolation", ec2.delete_vpc, VpcId=net.vpc)
    refused("InvalidParameterValue", ec2.delete_network_acl, NetworkAclId=first["NetworkAclId"])

    new = ec2.replace_network_acl_association(
        AssociationId=association, NetworkAclId=acl)["NewAssociationId"]
    now, shown = acl_of(ec2, net.public)
    assert (now["NetworkAclId"], shown) == (acl, new)
    assert acl_of(ec2, net.private)[0]["NetworkAclId"] == first["NetworkAclId"]
    refused("InvalidAssociationID.NotFound", ec2.replace_network_acl_association,
            AssociationId=association, NetworkAclId=acl)
    answer = refused("DependencyViolation", ec2.delete_network_acl, NetworkAclId=acl)
    assert answer["Error"]["Message"] == \
        f"The networkAcl '{acl}' has dependencies and cannot be deleted."

    create = ec2.create_network_acl_entry
    create(NetworkAclId=acl, **entry(200, Protocol="6", PortRange={"From": 80, "To": 81}))
    create(NetworkAclId=acl, **entry(100, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1}))
    create(NetworkAclId=acl, **entry(100, True, "deny", CidrBlock="192.0.2.1/24"))
    answer = refused("NetworkAclEntryAlreadyExists", create, NetworkAclId=acl, **entry(100))
    assert answer["Error"]["Message"] == \
        "The network acl entry identified by 100 already exists."
    for bad in (entry(0), entry(32767), entry(5, Protocol="tcp"), entry(5, Protocol="256"),
                entry(5, CidrBlock="10.0.0.0/33"),
                entry(5, Protocol="6", PortRange={"From": 9, "To": 8}),
                entry(5, Protocol="1", IcmpTypeCode={"Type": 256, "Code": 0})):
        refused("InvalidParameterValue", create, NetworkAclId=acl, **bad)
    refused("MissingParameter", create, NetworkAclId=acl, **entry(5, Protocol="6"))
    refused("MissingParameter", create, NetworkAclId=acl, **entry(5, Protocol="1"))
    refused("NotImplemented", create, NetworkAclId=acl, RuleNumber=5, Egress=False,
            RuleAction="allow", Protocol="-1", Ipv6CidrBlock="::/0")
    refused("InvalidNetworkAclID.NotFound", create,
            NetworkAclId="acl-00000000000000000", **entry(5))
    shown = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    assert shown == [
        {"CidrBlock": "192.0.2.0/24", "Egress": True, "Protocol": "-1", "RuleAction": "deny",
         "RuleNumber": 100},
        {"CidrBlock": "0.0.0.0/0", "Egress": True, "Protocol": "-1", "RuleAction": "deny",
         "RuleNumber": 32767},
        {"CidrBlock": "0.0.0.0/0", "Egress": False, "Protocol": "1", "RuleAction": "allow",
         "RuleNumber": 100, "IcmpTypeCode": {"Code": -1, "Type": 8}},
        {"CidrBlock": "0.0.0.0/0", "Egress": False, "Protocol": "6", "RuleAction": "allow",
         "RuleNumber": 200, "PortRange": {"From": 80, "To": 81}},
        {"CidrBlock": "0.0.0.0/0", "Egress": False, "Protocol": "-1", "RuleAction": "deny",
         "RuleNumber": 32767}]
    ec2.replace_network_acl_entry(NetworkAclId=acl, **entry(100, True, CidrBlock="10.0.0.0/8"))
    answer = refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry,
                     NetworkAclId=acl, RuleNumber=7, Egress=False)
    assert answer["Error"]["Message"] == f"no ingress entry with number 7 in network acl {acl}"
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=200, Egress=False)
    found = ec2.describe_network_acls(Filters=[
        {"Name": "entry.icmp.type", "Values": ["8"]}, {"Name": "tag:Name", "Values": ["tight"]}])
    assert [e["RuleNumber"] for e in found["NetworkAcls"][0]["Entries"]] == [
        100, 32767, 100, 32767]
    # AWS: twenty in a direction, the last one's among them.
    for number in range(101, 119):
        create(NetworkAclId=acl, **entry(number))
    refused("NetworkAclEntryLimitExceeded", create, NetworkAclId=acl, **entry(119))
    create(NetworkAclId=acl, **entry(119, True))

    ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=first["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=acl)
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_network_acl(VpcId=other)["NetworkAcl"]["NetworkAclId"]
    refused("InvalidParameterValue", ec2.replace_network_acl_association,
            AssociationId=acl_of(ec2, net.public)[1], NetworkAclId=foreign)
    ec2.delete_network_acl(NetworkAclId=foreign)
    ec2.delete_vpc(VpcId=other)


def test_what_there_is_none_of(ec2):
    for call, member in (("describe_vpc_endpoints", "VpcEndpoints"),
                         ("describe_vpc_endpoint_services", "ServiceNames"),
                         ("describe_prefix_lists", "PrefixLists"),
                         ("describe_managed_prefix_lists", "PrefixLists"),
                         ("describe_flow_logs", "FlowLogs"),
                         ("describe_vpn_gateways", "VpnGateways")):
        assert getattr(ec2, call)()[member] == [], call
    # As the CDK asks when it looks a VPC up.
    assert ec2.describe_vpn_gateways(Filters=[
        {"Name": "attachment.vpc-id", "Values": ["vpc-1"]},
        {"Name": "state", "Values": ["available"]}])["VpnGateways"] == []
    refused("InvalidVpcEndpointId.NotFound", ec2.describe_vpc_endpoints,
            VpcEndpointIds=["vpce-00000000000000000"])
    refused("InvalidServiceName", ec2.describe_vpc_endpoint_services,
            ServiceNames=["com.amazonaws.us-east-1.s3"])
    with pytest.raises(ClientError, match="NotImplemented"):
        ec2.create_vpc_endpoint(VpcId="vpc-00000000", ServiceName="s3")


def test_the_cli(daemon, ec2, net):
    """Protocols by their names, and the waiters."""
    def text(*args):
        return daemon.aws("ec2", *args, "--output", "text").strip()
    alloc = text("allocate-address", "--domain", "vpc", "--query", "AllocationId")
    nat = text("create-nat-gateway", "--subnet-id", net.public, "--allocation-id", alloc,
               "--query", "NatGateway.NatGatewayId")
    text("wait", "nat-gateway-available", "--nat-gateway-ids", nat)
    acl = text("create-network-acl", "--vpc-id", net.vpc, "--query", "NetworkAcl.NetworkAclId")
    text("create-network-acl-entry", "--network-acl-id", acl, "--ingress", "--rule-number", "100",
         "--protocol", "tcp", "--port-range", "From=22,To=22", "--cidr-block", "0.0.0.0/0",
         "--rule-action", "allow")
    shown = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"][1]
    assert (shown["Protocol"], shown["PortRange"]) == ("6", {"From": 22, "To": 22})
    text("delete-network-acl", "--network-acl-id", acl)
    text("delete-nat-gateway", "--nat-gateway-id", nat)
    text("wait", "nat-gateway-deleted", "--nat-gateway-ids", nat)
    text("release-address", "--allocation-id", alloc)
