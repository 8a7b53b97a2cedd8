"""The network that the CDK's ec2.Vpc asks for, as CloudFormation makes it."""
import json

import pytest

from test_cloudformation import delete, events, wait
from test_ec2 import everything


def tags(name, **more):
    return [{"Key": k, "Value": v} for k, v in sorted({"Name": name, **more}.items())]


def subnet_type(kind):
    return {"aws-cdk:subnet-name": kind, "aws-cdk:subnet-type": {
        "public": "Public", "app": "Private", "data": "Isolated"}[kind]}


def vpc_template():
    """public, private with egress and isolated subnets in two zones, a NAT gateway in each."""
    r = {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {
        "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True, "EnableDnsSupport": True,
        "InstanceTenancy": "default", "Tags": tags("net/Vpc")}},
        "Igw": {"Type": "AWS::EC2::InternetGateway", "Properties": {"Tags": tags("net/Vpc")}},
        "Attachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {
            "InternetGatewayId": {"Ref": "Igw"}, "VpcId": {"Ref": "Vpc"}}}}
    for i, kind in enumerate(("public", "app", "data")):
        for zone in range(2):
            n = f"{kind}{zone}"
            label = f"net/Vpc/{kind}Subnet{zone + 1}"
            r[n] = {"Type": "AWS::EC2::Subnet", "Properties": {
                "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                "CidrBlock": f"10.0.{i * 64 + zone * 32}.0/19",
                "MapPublicIpOnLaunch": kind == "public",
                "Tags": tags(label, **subnet_type(kind)), "VpcId": {"Ref": "Vpc"}}}
            r[n + "Table"] = {"Type": "AWS::EC2::RouteTable", "Properties": {
                "Tags": tags(label), "VpcId": {"Ref": "Vpc"}}}
            r[n + "Follows"] = {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
                "RouteTableId": {"Ref": n + "Table"}, "SubnetId": {"Ref": n}}}
    for zone in range(2):
        public, app = f"public{zone}", f"app{zone}"
        r[public + "Out"] = {
            "Type": "AWS::EC2::Route", "DependsOn": ["Attachment"], "Properties": {
                "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"Ref": "Igw"},
                "RouteTableId": {"Ref": public + "Table"}}}
        r[public + "Eip"] = {"Type": "AWS::EC2::EIP", "Properties": {
            "Domain": "vpc", "Tags": tags(f"net/Vpc/{public}")}}
        r[public + "Nat"] = {
            "Type": "AWS::EC2::NatGateway", "DependsOn": [public + "Out", public + "Follows"],
            "Properties": {
                "AllocationId": {"Fn::GetAtt": [public + "Eip", "AllocationId"]},
                "SubnetId": {"Ref": public}, "Tags": tags(f"net/Vpc/{public}")}}
        r[app + "Out"] = {"Type": "AWS::EC2::Route", "Properties": {
            "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": {"Ref": public + "Nat"},
            "RouteTableId": {"Ref": app + "Table"}}}
    return r


ACLS = {
    "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {
        "VpcId": {"Ref": "Vpc"}, "Tags": tags("data")}},
    "AclIn": {"Type": "AWS::EC2::NetworkAclEntry", "Properties": {
        "NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 100, "RuleAction": "allow",
        "Egress": False, "Protocol": 6, "CidrBlock": "10.0.64.0/18",
        "PortRange": {"From": 5432, "To": 5432}}},
    "AclOut": {"Type": "AWS::EC2::NetworkAclEntry", "Properties": {
        "NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 100, "RuleAction": "allow",
        "Egress": True, "Protocol": 6, "CidrBlock": "10.0.64.0/18",
        "PortRange": {"From": 1024, "To": 65535}}},
    "AclPing": {"Type": "AWS::EC2::NetworkAclEntry", "Properties": {
        "NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 110, "RuleAction": "deny",
        "Protocol": 1, "CidrBlock": "0.0.0.0/0", "Icmp": {"Type": 8, "Code": -1}}},
    **{f"AclOf{z}": {"Type": "AWS::EC2::SubnetNetworkAclAssociation", "Properties": {
        "NetworkAclId": {"Ref": "Acl"}, "SubnetId": {"Ref": f"data{z}"}}} for z in (0, 1)},
}


def resources(cfn, stack):
    pages = cfn.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"]
            for p in pages for r in p["StackResourceSummaries"]}


def all_but_ended(ec2):
    """A deleted gateway is shown with its tags for an hour, as on AWS."""
    found = everything(ec2)
    found["tag"] = [i for i in found["tag"] if not i.startswith("nat-")]
    return found


def nothing_left(ec2, before):
    assert all_but_ended(ec2) == before
    assert ec2.describe_addresses()["Addresses"] == []
    assert {n["State"] for n in ec2.describe_nat_gateways()["NatGateways"]} <= {
        "deleted", "failed"}


@pytest.fixture
def clients(client):
    return client("cloudformation"), client("ec2")


def test_a_cdk_vpc(clients):
    cfn, ec2 = clients
    before = all_but_ended(ec2)
    template = vpc_template()
    outputs = {
        "Address": {"Value": {"Ref": "public0Eip"}},
        "Allocation": {"Value": {"Fn::GetAtt": ["public0Eip", "AllocationId"]}},
        "Nat": {"Value": {"Fn::GetAtt": ["public0Nat", "NatGatewayId"]}},
        "Acl": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultNetworkAcl"]}},
        "Group": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}},
        "Block": {"Value": {"Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "CidrBlockAssociations"]}]}},
        **{f"Follows{z}": {"Value": {"Fn::GetAtt": [f"data{z}", "NetworkAclAssociationId"]}}
           for z in (0, 1)}}
    cfn.create_stack(StackName="net", TemplateBody=json.dumps(
        {"Resources": template, "Outputs": outputs}), Tags=[{"Key": "PRNumber", "Value": "9"}])
    stack = wait(cfn, "net")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "net")
    made = resources(cfn, "net")
    assert set(made) == set(template)
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    address, = ec2.describe_addresses(AllocationIds=[out["Allocation"]])["Addresses"]
    assert address["PublicIp"] == out["Address"] == made["public0Eip"]
    assert {t["Key"]: t["Value"] for t in address["Tags"]}["PRNumber"] == "9"
    nat, = ec2.describe_nat_gateways(NatGatewayIds=[out["Nat"]])["NatGateways"]
    assert nat["State"] == "available" and nat["SubnetId"] == made["public0"]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == out["Address"]
    acl, = ec2.describe_network_acls(NetworkAclIds=[out["Acl"]])["NetworkAcls"]
    found = {a["SubnetId"]: a["NetworkAclAssociationId"] for a in acl["Associations"]}
    assert [found[made[f"data{z}"]] for z in (0, 1)] == [out["Follows0"], out["Follows1"]]
    group, = ec2.describe_security_groups(GroupIds=[out["Group"]])["SecurityGroups"]
    assert group["GroupName"] == "default" and out["Block"].startswith("vpc-cidr-assoc-")
    private = ec2.describe_subnets(Filters=[
        {"Name": "tag:aws-cdk:subnet-type", "Values": ["Private"]}])["Subnets"]
    assert {s["SubnetId"] for s in private} == {made["app0"], made["app1"]}
    table, = ec2.describe_route_tables(RouteTableIds=[made["app1Table"]])["RouteTables"]
    assert table["Routes"][-1]["NatGatewayId"] == made["public1Nat"]

    # ACLs come, a rule changes in place, they go; a route changes its target in place.
    cfn.update_stack(StackName="net", TemplateBody=json.dumps({"Resources": {**template, **ACLS}}))
    assert wait(cfn, "net")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "net")
    with_acl = resources(cfn, "net")
    acl, = ec2.describe_network_acls(NetworkAclIds=[with_acl["Acl"]])["NetworkAcls"]
    assert {a["SubnetId"]: a["NetworkAclAssociationId"] for a in acl["Associations"]} == {
        made[f"data{z}"]: with_acl[f"AclOf{z}"] for z in (0, 1)}
    assert [(e["RuleNumber"], e["Egress"], e["Protocol"]) for e in acl["Entries"]] == [
        (100, True, "6"), (32767, True, "-1"), (100, False, "6"), (110, False, "1"),
        (32767, False, "-1")]
    changed = json.loads(json.dumps({**template, **ACLS}))
    changed["AclIn"]["Properties"].pop("PortRange")
    changed["AclIn"]["Properties"]["Protocol"] = -1
    changed["app1Out"]["Properties"]["NatGatewayId"] = {"Ref": "public0Nat"}
    del changed["public1Out"]["Properties"]["GatewayId"]
    changed["public1Out"]["Properties"]["NatGatewayId"] = {"Ref": "public0Nat"}
    cfn.update_stack(StackName="net", TemplateBody=json.dumps({"Resources": changed}))
    assert wait(cfn, "net")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "net")
    assert resources(cfn, "net") == with_acl
    acl, = ec2.describe_network_acls(NetworkAclIds=[with_acl["Acl"]])["NetworkAcls"]
    assert acl["Entries"][2]["Protocol"] == "-1" and "PortRange" not in acl["Entries"][2]
    table, = ec2.describe_route_tables(RouteTableIds=[made["app1Table"]])["RouteTables"]
    assert table["Routes"][-1]["NatGatewayId"] == made["public0Nat"]
    table, = ec2.describe_route_tables(RouteTableIds=[made["public1Table"]])["RouteTables"]
    assert table["Routes"][-1]["NatGatewayId"] == made["public0Nat"]
    assert "GatewayId" not in table["Routes"][-1]
    cfn.update_stack(StackName="net", TemplateBody=json.dumps({"Resources": template}))
    stack = wait(cfn, "net")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "net")
    acl, = ec2.describe_network_acls(NetworkAclIds=[out["Acl"]])["NetworkAcls"]
    assert len(acl["Associations"]) == 6
    delete(cfn, stack)
    nothing_left(ec2, before)
    seen = [(i, s) for i, s, _ in events(cfn, stack["StackId"])]
    gone = [i for i, s in seen if s == "DELETE_COMPLETE"]
    assert gone.index("public0Nat") < gone.index("public0Eip") < gone.index("Vpc")
    assert gone.index("public0Nat") < gone.index("Attachment") < gone.index("Igw")


def test_a_gateway_that_fails_rolls_back(clients):
    """Without the route's and the attachment's order the gateway has no way out."""
    cfn, ec2 = clients
    before = all_but_ended(ec2)
    template = vpc_template()
    for name in ("Attachment", "public0Out", "public1Out"):
        del template[name]
    for zone in (0, 1):
        template[f"public{zone}Nat"]["DependsOn"] = f"public{zone}Follows"
    cfn.create_stack(StackName="bad", TemplateBody=json.dumps({"Resources": template}))
    stack = wait(cfn, "bad")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = next(r for i, s, r in events(cfn, "bad")
                  if s == "CREATE_FAILED" and "Nat" in i and "has no Internet" in r)
    assert "failed to stabilize. Detailed failure message: Network vpc-" in reason
    nothing_left(ec2, before)
    delete(cfn, stack)


def test_an_address_of_an_interface(clients):
    """EIPAssociation, and the types that are not there yet fail by name."""
    cfn, ec2 = clients
    before = all_but_ended(ec2)
    template = vpc_template()
    only = {k: template[k] for k in ("Vpc", "Igw", "Attachment", "public0")}
    cfn.create_stack(StackName="addr", TemplateBody=json.dumps({"Resources": only}))
    assert wait(cfn, "addr")["StackStatus"] == "CREATE_COMPLETE", events(cfn, "addr")
    eni = ec2.create_network_interface(SubnetId=resources(cfn, "addr")["public0"])[
        "NetworkInterface"]["NetworkInterfaceId"]
    only["Eip"] = {"Type": "AWS::EC2::EIP"}
    only["Binds"] = {"Type": "AWS::EC2::EIPAssociation", "DependsOn": "Attachment", "Properties": {
        "AllocationId": {"Fn::GetAtt": ["Eip", "AllocationId"]}, "NetworkInterfaceId": eni}}
    cfn.update_stack(StackName="addr", TemplateBody=json.dumps({"Resources": only}))
    assert wait(cfn, "addr")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "addr")
    made = resources(cfn, "addr")
    shown, = ec2.describe_addresses(PublicIps=[made["Eip"]])["Addresses"]
    assert (shown["AssociationId"], shown["NetworkInterfaceId"]) == (made["Binds"], eni)
    del only["Binds"], only["Eip"]
    cfn.update_stack(StackName="addr", TemplateBody=json.dumps({"Resources": only}))
    stack = wait(cfn, "addr")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "addr")
    assert ec2.describe_addresses()["Addresses"] == []
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    delete(cfn, stack)
    nothing_left(ec2, before)
