"""CloudFormation: what was changed behind the stack's back is found."""
import json

import pytest
from cfn import SERVICE, ask, delete, events, physical, refused, text, wait

MORE = {
    "Named": {"Type": "AWS::Logs::LogGroup", "Properties": {
        "LogGroupName": "drifting", "RetentionInDays": 7,
        "Tags": [{"Key": "Own", "Value": "1"}]}},
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {
        "Name": "/drift/p", "Type": "String", "Value": "one", "Description": "d",
        "Tags": {"Own": "1"}}},
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
        "LifecycleConfiguration": {"Rules": [{
            "Id": "old", "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True, "BlockPublicPolicy": True,
            "IgnorePublicAcls": True, "RestrictPublicBuckets": True}}},
    "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {
        "Bucket": {"Ref": "Bucket"}, "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*",
                "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}}},
    "Key": {"Type": "AWS::KMS::Key", "Properties": {
        "Description": "k", "EnableKeyRotation": True, "KeyPolicy": {
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "kms:*", "Resource": "*",
                "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}}]}}},
    "Alias": {"Type": "AWS::KMS::Alias", "Properties": {
        "AliasName": "alias/drift", "TargetKeyId": {"Ref": "Key"}}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": "r", "ManagedPolicyArns": [{"Ref": "Managed"}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}}},
    "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
        "Description": "m", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}}},
    "Policy": {"Type": "AWS::IAM::Policy", "Properties": {
        "PolicyName": "inline", "Roles": [{"Ref": "Role"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "*"}]}}},
    "Scaling": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": {"Fn::Sub": "service/${Cluster}/${Service.Name}"},
        "MinCapacity": 0, "MaxCapacity": 4}},
    "ScalingPolicy": {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
        "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Scaling"}, "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 60, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}}},
    "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {
        "Name": "drift.example", "HostedZoneConfig": {"Comment": "c"}}},
    "Record": {"Type": "AWS::Route53::RecordSet", "Properties": {
        "HostedZoneId": {"Ref": "Zone"}, "Name": "a.drift.example", "Type": "A", "TTL": "60",
        "ResourceRecords": ["10.0.0.1", "10.0.0.2"]}},
    "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {
        "Description": "s", "SecretString": "x"}},
}


def detect(cfn, name, **more):
    found = cfn.detect_stack_drift(StackName=name, **more)["StackDriftDetectionId"]
    status = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=found)
    assert status["DetectionStatus"] == "DETECTION_COMPLETE"
    pages = cfn.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return status, {d["LogicalResourceId"]: d for d in pages}


def differences(drift):
    return {d["PropertyPath"]: (d["DifferenceType"], d["ExpectedValue"], d["ActualValue"])
            for d in drift["PropertyDifferences"]}


@pytest.fixture(scope="module")
def stack(daemon):
    cfn = daemon.client("cloudformation")
    resources = json.loads(json.dumps({**SERVICE, **MORE}))
    resources["Repository"]["Properties"]["RepositoryPolicyText"] = {
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]}
    cfn.create_stack(StackName="drift", Tags=[{"Key": "Project", "Value": "p"}],
                     Capabilities=["CAPABILITY_IAM"],
                     TemplateBody=text({"Parameters": {"Value": {
                         "Type": "String", "Default": "1"}}, "Resources": resources}))
    stack = wait(cfn, "drift")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "drift")
    yield stack
    delete(cfn, stack)


def test_in_sync(client, stack):
    cfn = client("cloudformation")
    status, found = detect(cfn, "drift")
    wrong = {k: differences(v) or v["StackResourceDriftStatus"] for k, v in found.items()
             if v["StackResourceDriftStatus"] != "IN_SYNC"}
    assert not wrong
    assert set(found) == {*SERVICE, *MORE}
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    assert cfn.describe_stacks(StackName="drift")["Stacks"][0]["DriftInformation"][
        "StackDriftStatus"] == "IN_SYNC"
    # It is compared, not passed over.
    told = {k: set(json.loads(v["ExpectedProperties"])) for k, v in found.items()}
    assert told["Vpc"] == {"CidrBlock", "EnableDnsHostnames", "Tags"}
    assert told["Service"] >= {"TaskDefinition", "DesiredCount", "NetworkConfiguration"}
    assert told["Bucket"] >= {"BucketEncryption", "VersioningConfiguration",
                              "LifecycleConfiguration", "PublicAccessBlockConfiguration"}
    assert told["BalancerGroup"] >= {"SecurityGroupIngress", "SecurityGroupEgress"}
    assert told["Parameter"] == {"Name", "Type", "Value", "Description", "Tags"}
    assert told["Key"] >= {"KeyPolicy", "EnableKeyRotation", "Description"}
    assert told["BucketPolicy"] >= {"PolicyDocument"}
    assert told["Out"] >= {"DestinationCidrBlock", "GatewayId"}
    assert told["Role"] >= {"AssumeRolePolicyDocument", "ManagedPolicyArns", "Description"}
    assert told["Managed"] >= {"PolicyDocument"} and told["Policy"] >= {"PolicyDocument"}
    assert told["Record"] == {"Type", "TTL", "ResourceRecords"}
    assert told["ScalingPolicy"] >= {"TargetTrackingScalingPolicyConfiguration"}
    assert told["Scaling"] >= {"MinCapacity", "MaxCapacity"}
    assert told["Task"] >= {"ContainerDefinitions", "Cpu", "Memory"}


def test_changed(client, stack):
    cfn = client("cloudformation")
    ids = physical(cfn, "drift")
    logs, ec2, s3 = client("logs"), client("ec2"), client("s3")
    logs.put_retention_policy(logGroupName="drifting", retentionInDays=30)
    logs.tag_log_group(logGroupName="drifting", tags={"More": "2"})
    ec2.authorize_security_group_ingress(GroupId=ids["BalancerGroup"], CidrIp="10.0.0.0/8",
                                         IpProtocol="tcp", FromPort=443, ToPort=443)
    ec2.modify_vpc_attribute(VpcId=ids["Vpc"], EnableDnsHostnames={"Value": False})
    s3.put_bucket_versioning(Bucket=ids["Bucket"],
                             VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_policy(Bucket=ids["Bucket"])
    client("ssm").put_parameter(Name="/drift/p", Value="two", Overwrite=True)
    client("ecs").update_service(cluster=ids["Cluster"], service=ids["Service"],
                                 healthCheckGracePeriodSeconds=5)
    client("ecr").delete_repository_policy(repositoryName=ids["Repository"])
    client("elbv2").modify_target_group(TargetGroupArn=ids["Targets"], HealthCheckPath="/other")
    iam = client("iam")
    iam.detach_role_policy(RoleName=ids["Role"], PolicyArn=ids["Managed"])
    iam.put_role_policy(RoleName=ids["Role"], PolicyName="inline", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Action": "*", "Resource": "*"}]}))
    status, found = detect(cfn, "drift")
    changed = {k: (v["StackResourceDriftStatus"], differences(v) if "PropertyDifferences" in v
                   else None) for k, v in found.items()
               if v["StackResourceDriftStatus"] != "IN_SYNC"}
    assert status["StackDriftStatus"] == "DRIFTED"
    assert status["DriftedStackResourceCount"] == len(changed)
    retention, tag = changed["Named"][1].items()
    assert retention == ("/RetentionInDays", ("NOT_EQUAL", "7", "30"))
    assert tag[0].startswith("/Tags/") and tag[1] == (
        "ADD", "null", '{"Key":"More","Value":"2"}')
    assert changed["Vpc"][1] == {"/EnableDnsHostnames": ("NOT_EQUAL", "true", "false")}
    assert [d[0] for d in changed["BalancerGroup"][1].values()] == ["ADD"]
    assert changed["Bucket"][1] == {
        "/VersioningConfiguration/Status": ("NOT_EQUAL", "Enabled", "Suspended")}
    assert changed["BucketPolicy"][0] == "DELETED"
    assert changed["Parameter"][1] == {"/Value": ("NOT_EQUAL", "one", "two")}
    assert changed["Service"][1] == {"/HealthCheckGracePeriodSeconds": ("NOT_EQUAL", "60", "5")}
    assert changed["Repository"][1]["/RepositoryPolicyText"][0] == "REMOVE"
    assert changed["Targets"][1] == {"/HealthCheckPath": ("NOT_EQUAL", "/health", "/other")}
    assert set(changed) == {"Named", "Vpc", "BalancerGroup", "Bucket", "BucketPolicy", "Parameter",
                            "Service", "Repository", "Targets", "Role", "Policy"}
    assert changed["Role"][1] == {"/ManagedPolicyArns/0": ("REMOVE", ids["Managed"], "null")}
    assert changed["Policy"][1]["/PolicyDocument"][0] == "NOT_EQUAL"
    one = cfn.detect_stack_resource_drift(StackName="drift", LogicalResourceId="Named")[
        "StackResourceDrift"]
    assert one["StackResourceDriftStatus"] == "MODIFIED"
    only = cfn.describe_stack_resource_drifts(
        StackName="drift", StackResourceDriftStatusFilters=["DELETED"])["StackResourceDrifts"]
    assert [d["LogicalResourceId"] for d in only] == ["BucketPolicy"]
    summaries = {r["LogicalResourceId"]: r["DriftInformation"]["StackResourceDriftStatus"]
                 for r in cfn.list_stack_resources(StackName="drift")["StackResourceSummaries"]}
    assert summaries["Vpc"] == "MODIFIED" and summaries["Cluster"] == "IN_SYNC"


def test_what_cannot_be_checked(daemon, client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="plain", TemplateBody=text({"Resources": {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}))
    stack = wait(cfn, "plain")
    status, found = detect(cfn, "plain")
    assert status["StackDriftStatus"] == "IN_SYNC" and not found
    assert "not supported" in refused(cfn.detect_stack_resource_drift, StackName="plain",
                                      LogicalResourceId="Handle")["Error"]["Message"]
    delete(cfn, stack)
    assert ask(daemon, "DetectStackDrift", StackName=stack["StackId"])[0] == 400
    assert refused(cfn.describe_stack_drift_detection_status, StackDriftDetectionId="x" * 36)[
        "Error"]["Code"] == "ValidationError"


def test_secrets_are_not_shown(client):
    cfn, ssm = client("cloudformation"), client("ssm")
    cfn.create_stack(StackName="quiet", Parameters=[
        {"ParameterKey": "P", "ParameterValue": "hidden-value"}], TemplateBody=text({
            "Parameters": {"P": {"Type": "String", "NoEcho": True}}, "Resources": {
                "A": {"Type": "AWS::SSM::Parameter", "Properties": {
                    "Name": "/quiet", "Type": "String", "Value": {"Ref": "P"}}}}}))
    stack = wait(cfn, "quiet")
    ssm.put_parameter(Name="/quiet", Value="other-value", Overwrite=True)
    _, found = detect(cfn, "quiet")
    assert "-value" not in json.dumps(found, default=str)
    assert json.loads(found["A"]["ExpectedProperties"]) == {"Name": "/quiet", "Type": "String"}
    delete(cfn, stack)
