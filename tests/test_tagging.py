"""resourcegroupstaggingapi: tags across services."""
import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, Daemon

ARN = f"arn:aws:{{}}:us-east-1:{ACCOUNT}:{{}}"


@pytest.fixture(scope="module")
def world():
    """A daemon of its own, so that what is counted is all there is."""
    d = Daemon("--ephemeral")
    try:
        yield made(d)
    finally:
        d.stop()


def made(d):
    ecs, ec2, ecr, elb = (d.client(s) for s in ("ecs", "ec2", "ecr", "elbv2"))
    w = {
        "cluster": ecs.create_cluster(clusterName="c", tags=[
            {"key": "env", "value": "dev"}, {"key": "team", "value": "a"}])["cluster"]["clusterArn"],
        "bare": ecs.create_cluster(clusterName="bare")["cluster"]["clusterArn"],
        "taskdef": ecs.register_task_definition(
            family="f", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256",
            memory="512", containerDefinitions=[{"name": "x", "image": "x"}],
            tags=[{"key": "env", "value": "prod"}])["taskDefinition"]["taskDefinitionArn"],
        "repo": ecr.create_repository(repositoryName="rr", tags=[
            {"Key": "env", "Value": "dev"}])["repository"]["repositoryArn"],
        "tg": elb.create_target_group(Name="tg", Protocol="HTTP", Port=80, TargetType="ip",
                                      VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"], Tags=[
                                          {"Key": "team", "Value": "b"}]
                                      )["TargetGroups"][0]["TargetGroupArn"],
    }
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=[
        {"ResourceType": "vpc", "Tags": [{"Key": "env", "Value": "prod"}]}])["Vpc"]["VpcId"]
    w["vpc"] = ARN.format("ec2", "vpc/" + vpc)
    w["daemon"] = d
    w["api"] = d.client("resourcegroupstaggingapi")
    return w


def find(w, **args):
    pages = w["api"].get_paginator("get_resources").paginate(**args)
    return sorted(r["ResourceARN"] for p in pages for r in p["ResourceTagMappingList"])


def names(w, *which):
    return sorted(w[n] for n in which)


@pytest.mark.parametrize("filters,types,want", [
    ([], [], ["cluster", "taskdef", "repo", "tg", "vpc"]),
    ([{"Key": "env"}], [], ["cluster", "taskdef", "repo", "vpc"]),
    ([{"Key": "env", "Values": ["dev"]}], [], ["cluster", "repo"]),
    ([{"Key": "env", "Values": ["dev", "prod"]}], [], ["cluster", "taskdef", "repo", "vpc"]),
    ([{"Key": "env", "Values": ["dev"]}, {"Key": "team"}], [], ["cluster"]),
    ([{"Key": "env", "Values": ["DEV"]}], [], []),
    ([{"Key": "none"}], [], []),
    ([], ["ecs"], ["cluster", "taskdef"]),
    ([], ["ecs:cluster"], ["cluster"]),
    ([], ["ecs:service"], []),
    ([], ["ecs:clust"], []),
    ([], ["ec2:vpc", "ecr:repository"], ["vpc", "repo"]),
    ([], ["elasticloadbalancing:targetgroup"], ["tg"]),
    ([], ["elasticloadbalancing:targetgroup/tg"], ["tg"]),
    ([], ["elasticloadbalancing:targetgroup/other"], []),
    ([], ["nosuch"], []),
])
def test_find(world, filters, types, want):
    assert find(world, TagFilters=filters, ResourceTypeFilters=types) == names(world, *want)
    assert find(world, TagFilters=filters, ResourceTypeFilters=types,
                ResourcesPerPage=1) == names(world, *want)


def test_tags_come_along(world):
    r = world["api"].get_resources(ResourceARNList=[world["cluster"], world["bare"],
                                                    ARN.format("ecs", "cluster/gone")])
    assert r["ResourceTagMappingList"] == [
        {"ResourceARN": world["cluster"], "Tags": [{"Key": "env", "Value": "dev"},
                                                   {"Key": "team", "Value": "a"}]},
        {"ResourceARN": world["bare"], "Tags": []}]
    assert r["PaginationToken"] == ""


def test_pages(world):
    first = world["api"].get_resources(ResourcesPerPage=2)
    assert len(first["ResourceTagMappingList"]) == 2 and first["PaginationToken"]
    second = world["api"].get_resources(PaginationToken=first["PaginationToken"])
    assert len(second["ResourceTagMappingList"]) == 3 and second["PaginationToken"] == ""


def test_tags_per_page():
    """22 resources of 10 tags, 100 tags a page: pages of 10, 10 and 2."""
    d = Daemon()
    ecs, api = d.client("ecs"), d.client("resourcegroupstaggingapi")
    for i in range(22):
        ecs.create_cluster(clusterName=f"c{i}", tags=[
            {"key": f"k{j}", "value": "v"} for j in range(10)])
    pages = api.get_paginator("get_resources").paginate(TagsPerPage=100)
    assert [len(p["ResourceTagMappingList"]) for p in pages] == [10, 10, 2]
    d.stop()


def test_ended(world):
    """What is deleted is no left-over, although ecs describes it a while longer."""
    ecs = world["daemon"].client("ecs")
    arn = ecs.create_cluster(clusterName="ended", tags=[{"key": "env", "value": "dev"}])[
        "cluster"]["clusterArn"]
    assert arn in find(world, TagFilters=[{"Key": "env"}])
    ecs.delete_cluster(cluster="ended")
    old = ecs.describe_clusters(clusters=["ended"], include=["TAGS"])["clusters"][0]
    assert old["status"] == "INACTIVE" and old["tags"]
    assert arn not in find(world, TagFilters=[{"Key": "env"}])
    assert find(world, ResourceARNList=[arn]) == []


def test_keys_and_values(world):
    api = world["api"]
    assert api.get_tag_keys()["TagKeys"] == ["env", "team"]
    assert api.get_tag_values(Key="env")["TagValues"] == ["dev", "prod"]
    assert api.get_tag_values(Key="nosuch")["TagValues"] == []
    other = world["daemon"].client("resourcegroupstaggingapi", region="eu-west-1")
    assert other.get_tag_keys()["TagKeys"] == []
    assert other.get_resources()["ResourceTagMappingList"] == []


@pytest.mark.parametrize("args,text", [
    ({"ResourcesPerPage": 0}, "ResourcesPerPage"),
    ({"ResourcesPerPage": 101}, "ResourcesPerPage"),
    ({"TagsPerPage": 99}, "TagsPerPage"),
    ({"TagsPerPage": 501}, "TagsPerPage"),
    ({"PaginationToken": "nonsense"}, "PaginationToken"),
    ({"TagFilters": [{"Values": ["x"]}]}, "key"),
    ({"ExcludeCompliantResources": True}, "IncludeComplianceDetails"),
    ({"ResourceARNList": ["nonsense"]}, "nonsense is not a valid AmazonResourceName (ARN)"),
    ({"ResourceARNList": ["arn:aws:ecs:r:1:x"], "ResourcesPerPage": 5}, "ResourcesPerPage"),
    ({"ResourceARNList": ["arn:aws:ecs:r:1:x"], "TagFilters": [{"Key": "a"}]}, "TagFilters"),
])
def test_refused(world, args, text):
    with pytest.raises(ClientError) as e:
        world["api"].get_resources(**args)
    error = e.value.response["Error"]
    assert error["Code"] == "InvalidParameterException" and text in error["Message"]


def test_compliance_is_named(world):
    with pytest.raises(ClientError) as e:
        world["api"].get_resources(IncludeComplianceDetails=True)
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError) as e:
        world["api"].get_compliance_summary()
    assert e.value.response["Error"]["Code"] == "NotImplemented"


def test_tag_and_untag(world):
    """Each service's own view shows what was set; then it is gone again, and
    the resources are still told of."""
    api, d = world["api"], world["daemon"]
    d.client("logs").create_log_group(logGroupName="/g")
    world["group"] = ARN.format("logs", "log-group:/g")
    arns = names(world, "bare", "repo", "tg", "vpc", "group")
    assert api.tag_resources(ResourceARNList=arns, Tags={"x": "1", "y": ""}
                             )["FailedResourcesMap"] == {}
    assert find(world, TagFilters=[{"Key": "x", "Values": ["1"]}, {"Key": "y"}]) == arns
    assert {"key": "x", "value": "1"} in d.client("ecs").list_tags_for_resource(
        resourceArn=world["bare"])["tags"]
    assert {"Key": "x", "Value": "1"} in d.client("ecr").list_tags_for_resource(
        resourceArn=world["repo"])["tags"]
    assert d.client("logs").list_tags_for_resource(
        resourceArn=world["group"])["tags"] == {"x": "1", "y": ""}
    assert find(world, TagFilters=[{"Key": "x"}], ResourceTypeFilters=["logs:log-group"]) == [
        world["group"]]
    assert {"Key": "x", "Value": "1"} in d.client("ec2").describe_vpcs(
        VpcIds=[world["vpc"].split("/")[1]])["Vpcs"][0]["Tags"]
    assert {"Key": "x", "Value": "1"} in d.client("elbv2").describe_tags(
        ResourceArns=[world["tg"]])["TagDescriptions"][0]["Tags"]
    assert api.untag_resources(ResourceARNList=arns, TagKeys=["x", "y", "z"]
                               )["FailedResourcesMap"] == {}
    assert find(world, TagFilters=[{"Key": "x"}]) == []
    assert world["bare"] in find(world)  # it once had tags
    d.client("logs").delete_log_group(logGroupName="/g")
    assert world["group"] not in find(world)


def test_failures_are_told_one_by_one(world):
    api = world["api"]
    gone = ARN.format("ecr", "repository/gone")
    far = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"
    foreign = "arn:aws:ecs:us-east-1:999999999999:cluster/c"
    odd = ARN.format("frobnicate", "thing/1")
    failed = api.tag_resources(ResourceARNList=[gone, far, foreign, odd, world["bare"]],
                               Tags={"z": "1"})["FailedResourcesMap"]
    assert set(failed) == {gone, far, foreign, odd}
    assert failed[gone]["ErrorCode"] == "RepositoryNotFoundException"
    assert failed[gone]["StatusCode"] == 400
    assert failed[odd]["ErrorCode"] == "InternalServiceException"
    assert find(world, TagFilters=[{"Key": "z"}]) == [world["bare"]]
    api.untag_resources(ResourceARNList=[world["bare"]], TagKeys=["z"])


def test_own_rules_hold(world):
    failed = world["api"].tag_resources(ResourceARNList=names(world, "cluster", "vpc", "repo", "tg"),
                                        Tags={"aws:mine": "1"})["FailedResourcesMap"]
    assert set(failed) == set(names(world, "cluster", "vpc", "repo", "tg"))
    assert failed[world["vpc"]]["ErrorCode"] == "InvalidParameterValue"
    with pytest.raises(ClientError) as e:
        world["api"].tag_resources(ResourceARNList=["nonsense"], Tags={"a": "b"})
    assert e.value.response["Error"]["Message"] == (
        "nonsense is not a valid AmazonResourceName (ARN)")


def test_cli(world):
    out = json.loads(world["daemon"].aws(
        "resourcegroupstaggingapi", "get-resources", "--tag-filters", "Key=env,Values=dev",
        "--resource-type-filters", "ecs", "ecr:repository"))
    assert sorted(r["ResourceARN"] for r in out["ResourceTagMappingList"]) == names(
        world, "cluster", "repo")
