"""The tags of a stack are on all that it makes and that takes tags, and the
tagging API finds it by them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""
import copy
import json

import pytest

from cfn import SERVICE, delete, events, physical, text, wait
from conftest import ROOT, Daemon

NAT = {"Address": {"Type": "AWS::EC2::EIP", "DependsOn": "Attachment", "Properties": {
    "Domain": "vpc"}},
    "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {
        "SubnetId": {"Ref": "Subnet0"}, "AllocationId": {"Fn::GetAtt": ["Address",
                                                                       "AllocationId"]}}},
    "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "Vpc"}}}}
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}
REST = {
    "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "tagged.example.com"}},
    "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
        "DomainName": "tagged.example.com", "ValidationMethod": "DNS",
        "KeyAlgorithm": "EC_prime256v1", "DomainValidationOptions": [{
            "DomainName": "tagged.example.com", "HostedZoneId": {"Ref": "Zone"}}]}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    "User": {"Type": "AWS::IAM::User"},
    "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {
        "Url": "https://token.example.com", "ClientIdList": ["sts.amazonaws.com"],
        "ThumbprintList": ["a" * 40]}},
    "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}}]}}},
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}},
    "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}},
}
OWN = {"Key": "Own", "Value": "1"}


@pytest.fixture(scope="module")
def world():
    d = Daemon("--ephemeral")
    yield d
    d.stop()


def taggable():
    """{type: the property that has its tags}"""
    types = json.loads((ROOT / "model" / "cfn.json").read_text())["types"]
    return {name: t["tags"] for name, t in types.items() if t.get("tags")}


def template(nested, **more):
    resources = copy.deepcopy({**SERVICE, **NAT, **REST, **more, "Child": {
        "Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": nested}}})
    for r in resources.values():
        if taggable().get(r["Type"]) == "Tags":
            r.setdefault("Properties", {}).setdefault("Tags", {"Own": "1"} if r["Type"] in (
                "AWS::SSM::Parameter",) else [OWN])
    return resources


def found(daemon, **wanted):
    """{last word of the ARN: its tags} of what has them."""
    pages = daemon.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(
        TagFilters=[{"Key": k, **({"Values": [v]} if v else {})} for k, v in wanted.items()])
    return {m["ResourceARN"]: {t["Key"]: t["Value"] for t in m["Tags"]}
            for p in pages for m in p["ResourceTagMappingList"]}


def by_iam(daemon, made):
    """{logical id: tags}: the tagging API does not tell of roles and users.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
    """
    iam = daemon.client("iam")
    tags = {"Role": iam.list_role_tags(RoleName=made["Role"])["Tags"],
            "User": iam.list_user_tags(UserName=made["User"])["Tags"]}
    return {i: {t["Key"]: t["Value"] for t in v} for i, v in tags.items()}


def of(daemon, resources, what):
    """Those that take tags: {logical id: ARN that was found, or None}"""
    addresses = {a["PublicIp"]: a["AllocationId"] for a in
                 daemon.client("ec2").describe_addresses()["Addresses"]}

    def arn(r):
        i = addresses.get(r["PhysicalResourceId"], r["PhysicalResourceId"])
        return next((a for a in what if a == i or a.rsplit("/", 1)[-1] == i or
                     a.endswith((":" + i, "/" + i, ":parameter/" + i.lstrip("/")))), None)
    return {r["LogicalResourceId"]: arn(r) for r in resources
            if r["ResourceType"] in taggable().keys() - {"AWS::IAM::Role", "AWS::IAM::User"}}


def forget_proof(r53, zone):
    """What proved the certificate outlives it, and would keep the zone."""
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
        {"Action": "DELETE", "ResourceRecordSet": r} for r in r53.list_resource_record_sets(
            HostedZoneId=zone)["ResourceRecordSets"] if r["Type"] == "CNAME"]})


def test_everything(world):
    cfn, s3 = world.client("cloudformation"), world.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="child.json", Body=text({"Resources": {
        "Inner": {"Type": "AWS::Logs::LogGroup"}}}).encode())
    resources = template(world.endpoint + "/templates/child.json")
    assert {r["Type"] for r in resources.values()} >= taggable().keys()

    cfn.create_stack(StackName="tagged", TemplateBody=text({"Resources": resources, "Parameters": {
                         "Value": {"Type": "String", "Default": "1"}}}),
                     Capabilities=["CAPABILITY_NAMED_IAM"], Tags=[
                         {"Key": "PRNumber", "Value": "9"}, {"Key": "Gone", "Value": "x"},
                         {"Key": "ExpiryDate", "Value": "2026-12-03"}])
    stack = wait(cfn, "tagged")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "tagged")
    made = cfn.describe_stack_resources(StackName="tagged")["StackResources"]
    by_tag = found(world, PRNumber="9", ExpiryDate=None)
    arns = of(world, made, by_tag)
    assert [i for i, a in arns.items() if not a] == []
    for i, a in arns.items():
        t = by_tag[a]
        if i == "Child":    # a stack has no tags of the system's
            continue
        assert t["aws:cloudformation:stack-name"] == "tagged", (i, t)
        assert t["aws:cloudformation:logical-id"] == i, (i, t)
        assert t["aws:cloudformation:stack-id"] == stack["StackId"], (i, t)
        if resources[i]["Type"] != "AWS::Route53::HostedZone":
            assert t["Own"] == "1", (i, t)
    for i, t in by_iam(world, physical(cfn, "tagged")).items():
        assert (t["PRNumber"], t["Own"], t["Gone"]) == ("9", "1", "x"), (i, t)
    # What a nested stack made is its parent's as well.
    child = physical(cfn, physical(cfn, "tagged")["Child"])["Inner"]
    assert any(a.endswith(child) for a in by_tag)
    assert stack["StackId"] in by_tag
    assert found(world, PRNumber="10") == {}

    # Changed tags alone are an update: of all, in place.
    before = physical(cfn, "tagged")
    cfn.update_stack(StackName="tagged", UsePreviousTemplate=True,
                     Capabilities=["CAPABILITY_NAMED_IAM"], Tags=[
                         {"Key": "PRNumber", "Value": "10"},
                         {"Key": "ExpiryDate", "Value": "2026-12-10"}])
    stack = wait(cfn, "tagged")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "tagged")
    after = physical(cfn, "tagged")
    # A task definition cannot be changed: another revision has the new tags.
    assert {i for i in before if before[i] != after[i]} <= {"Task"}
    made = cfn.describe_stack_resources(StackName="tagged")["StackResources"]
    by_tag = found(world, PRNumber="10", ExpiryDate="2026-12-10")
    arns = of(world, made, by_tag)
    assert [i for i, a in arns.items() if not a] == []
    assert [i for i, a in arns.items() if "Gone" in by_tag[a]] == []
    for i, t in by_iam(world, after).items():
        assert t["PRNumber"] == "10" and t["Own"] == "1" and "Gone" not in t, (i, t)
    assert [a for a in found(world, PRNumber="9") if ":task-definition/" not in a] == []

    # So does going back.
    bad = {"Resources": {**resources, "Taken": {"Type": "AWS::ECR::Repository", "Properties": {
        "RepositoryName": physical(cfn, "tagged")["Repository"]}}},
        "Parameters": {"Value": {"Type": "String", "Default": "1"}}}
    cfn.update_stack(StackName="tagged", TemplateBody=text(bad), Tags=[
        {"Key": "PRNumber", "Value": "11"}, {"Key": "More", "Value": "x"}],
        Capabilities=["CAPABILITY_NAMED_IAM"])
    assert wait(cfn, "tagged")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "tagged")
    assert [a for a in found(world, PRNumber="11") if ":task-definition/" not in a] == []
    assert [a for a in found(world, More=None) if ":task-definition/" not in a] == []
    made = cfn.describe_stack_resources(StackName="tagged")["StackResources"]
    by_tag = found(world, PRNumber="10", ExpiryDate="2026-12-10")
    assert [i for i, a in of(world, made, by_tag).items() if not a] == []
    assert stack["StackId"] in by_tag
    forget_proof(world.client("route53"), after["Zone"])
    delete(cfn, stack)
    # KMS keeps a key for a while, ECS a definition that is no longer active.
    left = [a for a in found(world, PRNumber="10") if ":key/" not in a and
            ":task-definition/" not in a and "natgateway/" not in a]
    assert left == []
