"""What CDK's Fargate constructs write, made by CloudFormation: every property has its effect, is one
that truly has none, or is refused by name."""
import itertools
import json

import pytest
from conftest import ACCOUNT
from test_cfn_ssm import change, make
from test_cloudformation import VPC, delete, events

serial = itertools.count()
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"


@pytest.fixture(scope="module")
def cfn(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def ecs(daemon):
    return daemon.client("ecs")


@pytest.fixture
def name():
    return f"e{next(serial)}"


def template(container=(), task=(), service=(), cluster=()):
    """As FargateService, FargateTaskDefinition and Cluster write them."""
    return {
        **VPC,
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "tasks", "VpcId": {"Ref": "Vpc"}}},
        "Token": {"Type": "AWS::SecretsManager::Secret", "Properties": {
            "GenerateSecretString": {}}},
        "Plain": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}},
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": dict({
            "ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]}, **dict(
                cluster))},
        "Providers": {"Type": "AWS::ECS::ClusterCapacityProviderAssociations", "Properties": {
            "Cluster": {"Ref": "Cluster"}, "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "DefaultCapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT",
                                                 "Weight": 1}]}},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": dict({
            "Family": "f", "Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc",
            "RequiresCompatibilities": ["FARGATE"], "ExecutionRoleArn": ROLE + "execution",
            "TaskRoleArn": ROLE + "task", "RuntimePlatform": {
                "CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
            "EphemeralStorage": {"SizeInGiB": 30}, "Volumes": [{"Name": "v"}],
            "ContainerDefinitions": [dict({
                "Name": "web", "Image": "app:1", "Essential": True,
                "Environment": [{"Name": "PLAIN", "Value": {"Fn::GetAtt": ["Plain", "Value"]}}],
                "Secrets": [
                    {"Name": "TOKEN", "ValueFrom": {"Ref": "Token"}},
                    {"Name": "KEY", "ValueFrom": {"Fn::Join": ["", [{"Ref": "Token"},
                                                                    ":key::"]]}},
                    {"Name": "PARAMETER", "ValueFrom": {"Fn::Join": ["", [
                        f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/", {"Ref": "Plain"}]]}}],
                "PortMappings": [{"ContainerPort": 3040, "Protocol": "tcp"}],
                "LinuxParameters": {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}},
                "Ulimits": [{"Name": "nofile", "SoftLimit": 1024, "HardLimit": 2048}],
                "DockerLabels": {"a": "b"}, "StopTimeout": 20, "StartTimeout": 30,
                "User": "1001", "WorkingDirectory": "/app", "ReadonlyRootFilesystem": False,
                "MountPoints": [{"ContainerPath": "/v", "ReadOnly": False, "SourceVolume": "v"}],
                "HealthCheck": {"Command": ["CMD-SHELL", "true"], "Interval": 30, "Retries": 3,
                                "StartPeriod": 10, "Timeout": 5},
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {
                    "awslogs-group": "g", "awslogs-stream-prefix": "p",
                    "awslogs-region": {"Ref": "AWS::Region"}}}}, **dict(container))]},
            **dict(task))},
        "Service": {"Type": "AWS::ECS::Service", "DependsOn": ["Providers"], "Properties": dict({
            "Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Task"}, "DesiredCount": 0,
            "DeploymentConfiguration": {
                "MaximumPercent": 200, "MinimumHealthyPercent": 100,
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                "Alarms": {"AlarmNames": [], "Enable": False, "Rollback": False}},
            "DeploymentController": {"Type": "ECS"}, "EnableECSManagedTags": True,
            "PropagateTags": "SERVICE", "EnableExecuteCommand": False,
            "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Base": 1, "Weight": 1},
                                         {"CapacityProvider": "FARGATE_SPOT", "Weight": 0}],
            "PlatformVersion": "1.4.0", "AvailabilityZoneRebalancing": "ENABLED",
            "NetworkConfiguration": {"AwsvpcConfiguration": {
                "AssignPublicIp": "ENABLED", "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                "SecurityGroups": [{"Fn::GetAtt": ["Group", "GroupId"]}]}}}, **dict(service))},
    }


def made(cfn, ecs, stack):
    ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in cfn.describe_stack_resources(
        StackName=stack)["StackResources"]}
    service = ecs.describe_services(cluster=ids["Cluster"], services=[ids["Service"]],
                                    include=["TAGS"])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"],
                                              include=["TAGS"])["taskDefinition"]
    cluster = ecs.describe_clusters(clusters=[ids["Cluster"]],
                                    include=["SETTINGS", "TAGS"])["clusters"][0]
    return ids, service, definition, cluster


def test_whole(cfn, ecs, name):
    stack = make(cfn, name, template(), Tags=[{"Key": "PRNumber", "Value": "5"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    ids, service, definition, cluster = made(cfn, ecs, name)
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["defaultCapacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    config = service["deploymentConfiguration"]
    assert config["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (service["enableECSManagedTags"], service["propagateTags"],
            service["platformVersion"]) == (True, "SERVICE", "1.4.0")
    assert [s["capacityProvider"] for s in service["capacityProviderStrategy"]] == [
        "FARGATE", "FARGATE_SPOT"]
    assert {"key": "PRNumber", "value": "5"} in service["tags"]
    assert (definition["executionRoleArn"], definition["taskRoleArn"]) == (
        ROLE + "execution", ROLE + "task")
    assert definition["runtimePlatform"] == {"cpuArchitecture": "X86_64",
                                             "operatingSystemFamily": "LINUX"}
    assert definition["ephemeralStorage"] == {"sizeInGiB": 30}
    web = definition["containerDefinitions"][0]
    assert web["secrets"] == [
        {"name": "TOKEN", "valueFrom": ids["Token"]},
        {"name": "KEY", "valueFrom": ids["Token"] + ":key::"},
        {"name": "PARAMETER", "valueFrom": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/"
         + ids["Plain"]}]
    assert web["environment"] == [{"name": "PLAIN", "value": "v"}]
    assert web["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {
        "drop": ["ALL"]}}
    assert web["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}]
    assert (web["dockerLabels"], web["stopTimeout"], web["user"]) == ({"a": "b"}, 20, "1001")
    # A change of the service alone, in place; then of the definition: a new revision.
    new = template(service={"PlatformVersion": "LATEST", "EnableECSManagedTags": False,
                            "AvailabilityZoneRebalancing": "DISABLED"},
                   cluster={"ClusterSettings": [{"Name": "containerInsights",
                                                 "Value": "disabled"}]})
    assert change(cfn, name, new)["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    again, service, _, cluster = made(cfn, ecs, name)
    assert again == ids
    assert not service["enableECSManagedTags"]
    assert cluster["settings"][0]["value"] == "disabled"
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    new = template(container={"Secrets": []})
    assert change(cfn, name, new)["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    again, service, definition, _ = made(cfn, ecs, name)
    assert again["Service"] == ids["Service"] and again["Task"] != ids["Task"]
    assert service["taskDefinition"] == again["Task"]
    assert not definition["containerDefinitions"][0]["secrets"]
    # What a template no longer says goes back to what it is without.
    new = template()
    for gone in ("EnableECSManagedTags", "PropagateTags", "EnableExecuteCommand",
                 "CapacityProviderStrategy", "PlatformVersion", "AvailabilityZoneRebalancing",
                 "DeploymentConfiguration"):
        del new["Service"]["Properties"][gone]
    stack = change(cfn, name, new)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    _, service, _, _ = made(cfn, ecs, name)
    assert not service["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"]
    assert not service["enableECSManagedTags"]
    delete(cfn, stack)


@pytest.mark.parametrize("where, what, why", [
    ("service", {"EnableExecuteCommand": True}, "enableExecuteCommand"),
    ("service", {"DeploymentConfiguration": {"Alarms": {
        "AlarmNames": ["a"], "Enable": True, "Rollback": True}}},
     "deploymentConfiguration.alarms"),
    ("service", {"HealthCheckGracePeriodSeconds": 60}, "only valid for services"),
    ("service", {"ServiceConnectConfiguration": {"Enabled": True}}, "serviceConnectConfiguration"),
    ("service", {"LaunchType": "EC2", "CapacityProviderStrategy": []}, "EC2"),
    ("service", {"LaunchType": "FARGATE"}, "launch type"),
    ("container", {"EnvironmentFiles": [{"Type": "s3", "Value": "arn:aws:s3:::b/k"}]},
     "environmentFiles"),
    ("container", {"Privileged": True}, "privileged"),
    ("task", {"ExecutionRoleArn": ""}, "'executionRoleArn'"),
    ("task", {"Cpu": "256", "Memory": "4096"}, "No Fargate configuration exists"),
])
def test_refused(cfn, name, where, what, why):
    stack = make(cfn, name, template(**{where: what}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(s == "CREATE_FAILED" and r in ("Service", "Task") and why in text
               for r, s, text in events(cfn, name)), events(cfn, name)


def test_missing_secret_trips_the_breaker(cfn, ecs, name):
    """The stack fails with ECS's verdict, and is what it was."""
    good = template()
    stack = make(cfn, name, good)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    before, _, _, _ = made(cfn, ecs, name)
    bad = template(container={"Secrets": [{"Name": "X", "ValueFrom": "/none/here"}]},
                   service={"DesiredCount": 1})
    stack = change(cfn, name, bad)
    seen = events(cfn, name)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", seen
    why = [text for r, s, text in seen if (r, s) == ("Service", "UPDATE_FAILED")]
    assert why and why[0].startswith(
        "Resource handler returned message: \"Error occurred during operation 'ECS Deployment "
        "Circuit Breaker was triggered'.\""), seen
    after, service, _, _ = made(cfn, ecs, name)
    assert after == before and service["desiredCount"] == 0
    said = [e["message"] for e in service["events"]]
    assert any("unable to retrieve secrets from ssm" in m and "/none/here" in m for m in said), said
    assert json.dumps(said).count("unable to place a task") >= 3
    delete(cfn, stack)
