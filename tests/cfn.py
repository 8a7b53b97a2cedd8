"""What the tests of CloudFormation share."""
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
from conftest import KEY, REGION, SECRET

GROUP = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
    "RetentionInDays": 7}}}}


def text(template):
    return json.dumps(template)


def refused(call, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kwargs)
    return e.value.response


def wait(cfn, name, seconds=20):
    """The stack once nothing goes on in it."""
    end = time.monotonic() + seconds
    while True:
        stack = cfn.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        assert time.monotonic() < end, events(cfn, name)
        time.sleep(0.02)


def events(cfn, name):
    pages = cfn.get_paginator("describe_stack_events").paginate(StackName=name)
    found = [e for p in pages for e in p["StackEvents"]][::-1]
    return [(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
            for e in found]


def delete(cfn, stack):
    cfn.delete_stack(StackName=stack["StackName"])
    gone = wait(cfn, stack["StackId"])
    assert gone["StackStatus"] == "DELETE_COMPLETE", events(cfn, stack["StackId"])


def reason(cfn, name, status, logical):
    """The reason of the first event of a resource that has a status."""
    return next(r for i, s, r in events(cfn, name) if (i, s) == (logical, status))


def physical(cfn, name):
    """{logical id: physical id} of what the stack has."""
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
            cfn.list_stack_resources(StackName=name)["StackResourceSummaries"]}


def ask(daemon, action, **members):
    """What Debian's SDK is too old to say: (status, the reply as a tree)."""
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15",
                                   **{k.replace("_", "."): v for k, v in members.items()}})
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=daemon.endpoint + "/", data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "cloudformation",
                            REGION).add_auth(request)
    try:
        reply = urllib.request.urlopen(urllib.request.Request(
            request.url, body.encode(), dict(request.headers)))
    except urllib.error.HTTPError as e:
        reply = e
    words = re.sub(r' xmlns="[^"]*"', "", reply.read().decode())
    return reply.status, xml.etree.ElementTree.fromstring(words)


VPC = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {
        "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {
        "VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}}},
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Out": {"Type": "AWS::EC2::Route", "DependsOn": "Attachment", "Properties": {
        "RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": {"Ref": "Gateway"}}},
    **{f"Subnet{z}": {"Type": "AWS::EC2::Subnet", "Properties": {
        "VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{z}.0/24", "MapPublicIpOnLaunch": True,
        "AvailabilityZone": {"Fn::Select": [z, {"Fn::GetAZs": ""}]}}} for z in (0, 1)},
    **{f"Follows{z}": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
        "SubnetId": {"Ref": f"Subnet{z}"}, "RouteTableId": {"Ref": "Table"}}} for z in (0, 1)},
}
SERVICE = {
    **VPC,
    "BalancerGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "balancer", "VpcId": {"Ref": "Vpc"},
        "SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp",
                                  "FromPort": 80, "ToPort": 80, "Description": "all"}],
        "SecurityGroupEgress": [{"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp",
                                 "FromPort": 252, "ToPort": 86}]}},
    "TaskGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "tasks", "VpcId": {"Ref": "Vpc"}}},
    "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": {"Fn::GetAtt": ["TaskGroup", "GroupId"]}, "IpProtocol": "tcp",
        "FromPort": 8080, "ToPort": 8080,
        "SourceSecurityGroupId": {"Fn::GetAtt": ["BalancerGroup", "GroupId"]}}},
    "To": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {
        "GroupId": {"Fn::GetAtt": ["BalancerGroup", "GroupId"]}, "IpProtocol": "tcp",
        "FromPort": 8080, "ToPort": 8080,
        "DestinationSecurityGroupId": {"Fn::GetAtt": ["TaskGroup", "GroupId"]}}},
    "Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "DependsOn": "Out",
                 "Properties": {
                     "Scheme": "internet-facing", "Type": "application",
                     "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                     "SecurityGroups": [{"Ref": "BalancerGroup"}],
                     "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds",
                                                 "Value": "61"}]}},
    "Targets": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {
        "VpcId": {"Ref": "Vpc"}, "Port": 8080, "Protocol": "HTTP", "TargetType": "ip",
        "HealthCheckPath": "/health", "Matcher": {"HttpCode": "200"},
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds",
                                   "Value": "0"}]}},
    "Listener": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {
        "LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}]}},
    "Rule": {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {
        "ListenerArn": {"Ref": "Listener"}, "Priority": 5,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]}},
    "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {
        "CapacityProviders": ["FARGATE", "FARGATE_SPOT"]}},
    "Repository": {"Type": "AWS::ECR::Repository", "Properties": {
        "ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration": {"ScanOnPush": True},
        "EmptyOnDelete": True,
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [{
            "rulePriority": 1, "selection": {
                "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"}}]})}}},
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
    "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
        "Cpu": "256", "Memory": "512", "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [{
            "Name": "web", "Essential": True,
            "Image": {"Fn::Sub": "${Repository.RepositoryUri}:1"},
            "PortMappings": [{"ContainerPort": 8080, "Protocol": "tcp"}],
            "Environment": [{"Name": "A", "Value": {"Ref": "Value"}}],
            "LogConfiguration": {"LogDriver": "awslogs", "Options": {
                "awslogs-group": {"Ref": "Logs"}, "awslogs-stream-prefix": "web",
                "awslogs-region": {"Ref": "AWS::Region"}}}}]}},
    "Service": {"Type": "AWS::ECS::Service", "DependsOn": ["Listener", "Rule"], "Properties": {
        "Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Task"},
        "DesiredCount": 0, "LaunchType": "FARGATE", "HealthCheckGracePeriodSeconds": 60,
        "DeploymentConfiguration": {"MinimumHealthyPercent": 100, "MaximumPercent": 200,
                                    "DeploymentCircuitBreaker": {"Enable": True,
                                                                 "Rollback": True}},
        "LoadBalancers": [{"ContainerName": "web", "ContainerPort": 8080,
                           "TargetGroupArn": {"Ref": "Targets"}}],
        "NetworkConfiguration": {"AwsvpcConfiguration": {
            "AssignPublicIp": "ENABLED", "SecurityGroups": [{"Ref": "TaskGroup"}],
            "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}]}}}},
}


def service_template(**changes):
    resources = json.loads(json.dumps(SERVICE))
    for path, value in changes.items():
        name, prop = path.split("_")
        resources[name]["Properties"][prop] = value
    return text({
        "Parameters": {"Value": {"Type": "String", "Default": "1"}}, "Resources": resources,
        "Outputs": {"Url": {"Value": {"Fn::Sub": "http://${Balancer.DNSName}"},
                            "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-url"}}},
                    "Repo": {"Value": {"Ref": "Repository"}},
                    "Service": {"Value": {"Ref": "Service"}}}})
