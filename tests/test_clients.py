"""What clients send, replayed as they send it: the CDK's command line above
all, call by call.  Requests are made by hand, so that their form is theirs:
lower-case headers, empty members, members that the server does not know."""
import base64
import hashlib
import json
import re
import time
import urllib.parse
import xml.etree.ElementTree

import conftest
import pytest

from cfn import GROUP, refused, service_template, wait
from conftest import ACCOUNT, KEY, REGION, SECRET
from raw import Signed, send, talk
from test_s3_multipart import sha256

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
VERSIONS = {"cloudformation": "2010-05-15", "sts": "2011-06-15", "ec2": "2016-11-15",
            "elasticloadbalancing": "2015-12-01", "iam": "2010-05-08"}
NEW, OLD = "2.1148.1", "2.1027.0"


class Keys:
    """Who signs: the root user, or a role's session."""

    def __init__(self, key=KEY, secret=SECRET, token=None):
        self.key, self.secret, self.token = key, secret, token


ROOT = Keys()


def members(prefix, values):
    return [(f"{prefix}.member.{i}", v) for i, v in enumerate(values, 1)]


def tags(n, **more):
    pairs = {**{f"Tag{i}": f"v{i}" for i in range(n - len(more))}, **more}
    return [p for i, (k, v) in enumerate(pairs.items(), 1) for p in (
        (f"Tags.member.{i}.Key", k), (f"Tags.member.{i}.Value", v))]


class Wire:
    """The JavaScript SDK's requests: names of headers in lower case, the token
    of a session among them."""

    def __init__(self, daemon, keys=ROOT):
        self.daemon, self.keys = daemon, keys

    def send(self, service, body, path="/", method="POST", query=(), headers=(), payload=None):
        k = self.keys
        r = Signed(service, body, method, path, query=query, payload=payload, key=k.key,
                   secret=k.secret, token=k.token, host=f"127.0.0.1:{self.daemon.port}",
                   headers=[*headers, ("amz-sdk-invocation-id", "5f2f7d0c"),
                            ("amz-sdk-request", "attempt=1; max=3"),
                            ("x-amz-user-agent", "aws-sdk-js/3.972 aws-cdk/2.1148.1")])
        r.headers = [(n.lower(), v) for n, v in r.headers]
        return send(self.daemon, r)

    def query(self, service, action, *pairs, **simple):
        """(status, the reply as a tree without name spaces)"""
        body = urllib.parse.urlencode([("Action", action), ("Version", VERSIONS[service]),
                                       *simple.items(), *pairs]).encode()
        status, _, answer = self.send(service, body, headers=[
            ("content-type", "application/x-www-form-urlencoded")])
        text = re.sub(r' xmlns="[^"]*"', "", answer.partition(b"\r\n\r\n")[2].decode())
        return status, xml.etree.ElementTree.fromstring(text)

    def json(self, service, target, /, version="1.1", **body):
        status, _, answer = self.send(service, json.dumps(body).encode(), headers=[
            ("content-type", f"application/x-amz-json-{version}"), ("x-amz-target", target)])
        return status, json.loads(answer.partition(b"\r\n\r\n")[2])

    def cfn(self, action, *pairs, status=200, **simple):
        got, tree = self.query("cloudformation", action, *pairs, **simple)
        assert got == status, xml.etree.ElementTree.tostring(tree)
        return tree

    def assume(self, role, session="aws-cdk-root"):
        status, tree = self.query("sts", "AssumeRole", RoleArn=role, RoleSessionName=session,
                                  DurationSeconds="3600")
        assert status == 200, xml.etree.ElementTree.tostring(tree)
        key = tree.findtext(".//AccessKeyId")
        assert key.startswith("ASIA")
        return Wire(self.daemon, Keys(key, tree.findtext(".//SecretAccessKey"),
                                      tree.findtext(".//SessionToken")))


def error(tree):
    return tree.findtext(".//Code"), tree.findtext(".//Message")


def absent(wire, name):
    """What the CLI takes for "there is no such stack"."""
    tree = wire.cfn("DescribeStacks", StackName=name, status=400)
    assert error(tree) == ("ValidationError", f"Stack with id {name} does not exist")


def polled(wire, action, path, until, seconds=20, **members):
    end = time.monotonic() + seconds
    while True:
        tree = wire.cfn(action, **members)
        if tree.findtext(path) in until:
            return tree
        assert time.monotonic() < end, xml.etree.ElementTree.tostring(tree)
        time.sleep(0.02)


def settled(wire, stack, want):
    tree = polled(wire, "DescribeStacks", ".//StackStatus", {
        s + e for s in ("CREATE", "UPDATE", "DELETE", "ROLLBACK", "UPDATE_ROLLBACK")
        for e in ("_COMPLETE", "_FAILED")}, StackName=stack)
    assert tree.findtext(".//StackStatus") == want, xml.etree.ElementTree.tostring(
        wire.cfn("DescribeStackEvents", StackName=stack)).decode()
    return tree


# --- cdk bootstrap -----------------------------------------------------------------

ROLES = ("lookup", "file-publishing", "image-publishing", "deploy", "cfn-exec")
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Action": "sts:AssumeRole", "Effect": "Allow",
    "Principal": {"AWS": {"Ref": "AWS::AccountId"}}}, {
    "Action": "sts:TagSession", "Effect": "Allow",
    "Principal": {"AWS": {"Ref": "AWS::AccountId"}}}]}
NAME = "cdk-hnb659fds-{}-${{AWS::AccountId}}-${{AWS::Region}}"


def not_empty(name):
    return {"Fn::Not": [{"Fn::Equals": ["", {"Fn::Join": ["", {"Ref": name}]}]}]}


def role(name):
    trust = dict(TRUST)
    if name == "cfn-exec":
        trust = {"Version": "2012-10-17", "Statement": [{
            "Action": "sts:AssumeRole", "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"}}]}
    else:
        trust["Statement"] = TRUST["Statement"] + [{"Fn::If": ["HasTrusted", {
            "Action": "sts:AssumeRole", "Effect": "Allow",
            "Principal": {"AWS": {"Ref": "TrustedAccounts"}},
            "Condition": {"Null": {"sts:ExternalId": "true"}}}, {"Ref": "AWS::NoValue"}]}]
    return {"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": {"Fn::Sub": NAME.format(name + "-role")}, "AssumeRolePolicyDocument": trust,
        "Tags": [{"Key": "aws-cdk:bootstrap-role", "Value": name}]}}


# The shape of the CLI's own template: its parameters, its conditions, its names.
BOOTSTRAP = {
    "Description": "what an environment needs for deployments",
    "Parameters": {
        "TrustedAccounts": {"Type": "CommaDelimitedList", "Default": ""},
        "TrustedAccountsForLookup": {"Type": "CommaDelimitedList", "Default": ""},
        "CloudFormationExecutionPolicies": {"Type": "CommaDelimitedList", "Default": ""},
        "FileAssetsBucketKmsKeyId": {"Type": "String", "Default": ""},
        "PublicAccessBlockConfiguration": {"Type": "String", "Default": "true",
                                           "AllowedValues": ["true", "false"]}},
    "Conditions": {
        "HasTrusted": not_empty("TrustedAccounts"),
        "HasLookup": not_empty("TrustedAccountsForLookup"),
        "HasPolicies": not_empty("CloudFormationExecutionPolicies"),
        "OwnKey": {"Fn::Equals": ["", {"Ref": "FileAssetsBucketKmsKeyId"}]},
        "IsClosed": {"Fn::Equals": ["true", {"Ref": "PublicAccessBlockConfiguration"}]}},
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Condition": "OwnKey",
                "Properties": {"KeyPolicy": {"Statement": []}}},
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete", "Properties": {
            "BucketName": {"Fn::Sub": NAME.format("assets")},
            "PublicAccessBlockConfiguration": {"Fn::If": ["IsClosed", {
                "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True}, {"Ref": "AWS::NoValue"}]}}},
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {
            "ImageTagMutability": "IMMUTABLE", "EmptyOnDelete": True,
            "RepositoryName": {"Fn::Sub": NAME.format("container-assets")}}},
        "Version": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Type": "String", "Name": {"Fn::Sub": "/cdk-bootstrap/hnb659fds/version"},
            "Value": "33"}},
        **{"Role" + n.title().replace("-", ""): role(n) for n in ROLES}},
    "Outputs": {
        "BucketName": {"Value": {"Fn::Sub": "${Bucket}"}},
        "BucketDomainName": {"Value": {"Fn::Sub": "${Bucket.RegionalDomainName}"}},
        "ImageRepositoryName": {"Value": {"Fn::Sub": "${Images}"}},
        "BootstrapVersion": {"Value": {"Fn::GetAtt": ["Version", "Value"]}}},
}
GIVEN = {"TrustedAccounts": "", "TrustedAccountsForLookup": "",
         "CloudFormationExecutionPolicies": "", "FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY",
         "PublicAccessBlockConfiguration": "true"}


def given(values):
    return [p for i, (k, v) in enumerate(values.items(), 1) for p in (
        (f"Parameters.member.{i}.ParameterKey", k), (f"Parameters.member.{i}.ParameterValue", v))]


def bootstrap(wire):
    status, tree = wire.query("sts", "GetCallerIdentity")
    assert (status, tree.findtext(".//Account")) == (200, ACCOUNT)
    for _ in range(3):
        absent(wire, "CDKToolkit")
    name = "cdk-bootstrap-change-set-9f1c"
    arn = wire.cfn(
        "CreateChangeSet", *given(GIVEN), *members("Capabilities", CAPABILITIES),
        StackName="CDKToolkit", ChangeSetName=name, ChangeSetType="CREATE",
        ClientToken="create9f1c", Description="CDK Changeset for execution 9f1c",
        TemplateBody=json.dumps(BOOTSTRAP), IncludeNestedStacks="true",
        ImportExistingResources="true", **{"DeploymentConfig.Mode": "STANDARD"}).findtext(".//Id")
    polled(wire, "DescribeChangeSet", ".//Status", {"CREATE_COMPLETE"}, ChangeSetName=arn,
           StackName="CDKToolkit")
    wire.cfn("ExecuteChangeSet", StackName="CDKToolkit", ChangeSetName=name,
             ClientRequestToken="exec9f1c", **{"DeploymentConfig.Mode": "STANDARD"})
    return settled(wire, "CDKToolkit", "CREATE_COMPLETE")


@pytest.fixture(scope="module")
def wire(daemon):
    w = Wire(daemon)
    w.toolkit = bootstrap(w)
    return w


def as_role(wire, name):
    return wire.assume(f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{name}-role-{ACCOUNT}-{REGION}")


def test_bootstrap(wire):
    """Values that are empty are values; what a condition leaves out is not made."""
    got = {o.findtext("OutputKey"): o.findtext("OutputValue")
           for o in wire.toolkit.iter("member") if o.find("OutputKey") is not None}
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    assert got == {"BucketName": bucket, "BootstrapVersion": "33",
                   "BucketDomainName": f"{bucket}.s3.{REGION}.amazonaws.com",
                   "ImageRepositoryName": f"cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"}
    kept = {p.findtext("ParameterKey"): p.findtext("ParameterValue")
            for p in wire.toolkit.iter("member") if p.find("ParameterKey") is not None}
    assert kept == GIVEN
    made = wire.cfn("ListStackResources", StackName="CDKToolkit")
    names = {r.findtext("LogicalResourceId") for r in made.iter("member")}
    assert "Key" not in names and "Bucket" in names
    seen = wire.cfn("DescribeStackEvents", StackName="CDKToolkit")
    assert {e.findtext("ClientRequestToken") for e in seen.iter("member")
            if e.findtext("ResourceStatus") != "REVIEW_IN_PROGRESS"} == {"exec9f1c"}


# --- cdk deploy ---------------------------------------------------------------------

def put_template(wire, template):
    """As the publisher does; the address that is told to CloudFormation."""
    body = json.dumps(template, indent=1).encode()
    bucket, key = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}", f"{hashlib.sha256(body).hexdigest()}.json"
    files = as_role(wire, "file-publishing")
    for query in ([("list-type", "2"), ("max-keys", "1"), ("prefix", key)], [("location", "")],
                  [("encryption", "")]):
        assert files.send("s3", b"", f"/{bucket}", "GET", query)[0] == 200
    status, code, answer = files.send(
        "s3", body, f"/{bucket}/{key}", "PUT", [("x-id", "PutObject")], [
            ("content-type", "application/json"), ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-sdk-checksum-algorithm", "SHA256"), ("x-amz-checksum-sha256", sha256(body))])
    assert status == 200, answer
    return f"{wire.daemon.endpoint}/{bucket}/{key}", body.decode()


class Deploy:
    """`cdk deploy` of one stack, as the deploy role, with one of two versions."""

    def __init__(self, root, name, version):
        self.root, self.name, self.new = root, name, version == NEW
        self.wire = as_role(root, "deploy")
        self.execution = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-" \
            f"{ACCOUNT}-{REGION}"

    def preamble(self):
        """What is asked before each deployment."""
        status, p = self.wire.json("ssm", "AmazonSSM.GetParameter",
                                   Name="/cdk-bootstrap/hnb659fds/version",
                                   **({"WithDecryption": True} if self.new else {}))
        assert (status, p["Parameter"]["Value"]) == (200, "33")
        for _ in range(2):
            self.wire.cfn("DescribeStacks", StackName="CDKToolkit")

    def change_set(self, template, kind, name="cdk-deploy-change-set", *more, **simple):
        """Its description once nothing goes on in it."""
        url, self.body = put_template(self.root, template)
        pairs = more or (("Parameters", ""),)
        extra = {"IncludeNestedStacks": "true", "ImportExistingResources": "false",
                 "DeploymentConfig.Mode": "STANDARD"} if self.new else {}
        arn = self.wire.cfn(
            "CreateChangeSet", *pairs, *members("Capabilities", CAPABILITIES),
            *tags(18, PRNumber="7", ExpiryDate="2026-12-03"), StackName=self.name,
            ChangeSetName=name, ChangeSetType=kind, TemplateURL=url, RoleARN=self.execution,
            Description="CDK Changeset for execution x", ClientToken=f"create{time.time_ns()}",
            **extra, **simple).findtext(".//Id")
        ask = {"ChangeSetName": arn, "IncludePropertyValues": "true"} if self.new else {
            "ChangeSetName": name}
        return polled(self.wire, "DescribeChangeSet", ".//Status", {"CREATE_COMPLETE", "FAILED"},
                      StackName=self.name, **ask)

    def execute(self, want, name="cdk-deploy-change-set"):
        token = f"exec{time.time_ns()}"
        self.wire.cfn("ExecuteChangeSet", StackName=self.name, ChangeSetName=name,
                      ClientRequestToken=token)
        tree = settled(self.wire, self.name, want)
        self.id = tree.findtext(".//StackId")
        return tree

    def create(self, template, want="CREATE_COMPLETE"):
        self.preamble()
        absent(self.wire, self.name)
        described = self.change_set(template, "CREATE")
        assert described.findtext(".//Status") == "CREATE_COMPLETE"
        tree = self.wire.cfn("DescribeStacks", StackName=self.name)
        assert tree.findtext(".//StackStatus") == "REVIEW_IN_PROGRESS"
        if self.new:
            # Even of a stack that is nothing but a change set.
            tree = self.wire.cfn("GetTemplate", StackName=self.name, TemplateStage="Original")
            assert tree.findtext(".//TemplateBody") in (None, "", "{}")
        return self.execute(want)

    def update(self, template, want, *parameters):
        self.wire.cfn("DescribeStacks", StackName=self.name)
        self.wire.cfn("GetTemplate", StackName=self.name, TemplateStage="Original")
        self.wire.cfn("DeleteChangeSet", StackName=self.name,
                      ChangeSetName="cdk-deploy-change-set")
        if self.new:
            tree = self.wire.cfn("DescribeChangeSet", StackName=self.name, status=404,
                                 ChangeSetName="cdk-deploy-change-set")
            assert error(tree) == ("ChangeSetNotFound",
                                   "ChangeSet [cdk-deploy-change-set] does not exist")
        described = self.change_set(template, "UPDATE", "cdk-deploy-change-set", *parameters)
        if want is None:
            return described
        assert described.findtext(".//Status") == "CREATE_COMPLETE"
        return self.execute(want)

    def destroy(self):
        self.wire.cfn("DescribeStacks", StackName=self.name)
        self.wire.cfn("DeleteStack", StackName=self.name, RoleARN=self.execution,
                      ClientRequestToken=f"destroy{time.time_ns()}",
                      **({"DeploymentConfig.Mode": "STANDARD"} if self.new else {}))
        if self.new:
            settled(self.wire, self.id, "DELETE_COMPLETE")
            return
        end = time.monotonic() + 20
        while self.wire.query("cloudformation", "DescribeStacks", StackName=self.name)[0] == 200:
            assert time.monotonic() < end
            time.sleep(0.02)
        absent(self.wire, self.name)


def group(days=7, **more):
    return {"Parameters": {"Version": {"Type": "AWS::SSM::Parameter::Value<String>",
                                       "Default": "/cdk-bootstrap/hnb659fds/version"}},
            "Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
                "RetentionInDays": days, **more}}},
            "Outputs": {"Name": {"Value": {"Ref": "Group"},
                                 "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-Name"}}}}}


def with_name(name):
    return {**group(), "Parameters": {"GroupName": {"Type": "String"}}, "Resources": {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": {"Ref": "GroupName"}}}}} if name else group()


@pytest.mark.parametrize("version", [NEW, OLD])
def test_deploy(wire, version):
    """Created, deployed again, changed, without a change, destroyed."""
    lookup = as_role(wire, "lookup")
    status, zones = lookup.query("ec2", "DescribeAvailabilityZones")
    assert status == 200 and len(list(zones.iter("zoneName"))) >= 2
    d = Deploy(wire, "Deploy" + version.replace(".", "-"), version)
    d.create(group())
    outputs = d.wire.cfn("DescribeStacks", StackName=d.name)
    assert outputs.findtext(".//ExportName") == d.name + "-Name"
    assert outputs.findtext(".//RoleARN") == d.execution
    assert len([t for t in outputs.iter("member") if t.find("Key") is not None]) == 18
    # what it compares, byte for byte
    tree = d.wire.cfn("GetTemplate", StackName=d.name, TemplateStage="Original")
    assert tree.findtext(".//TemplateBody") == d.body
    kept = (("Parameters.member.1.ParameterKey", "Version"),
            ("Parameters.member.1.UsePreviousValue", "true"))
    seen = len(list(d.wire.cfn("DescribeStackEvents", StackName=d.name).iter("EventId")))
    empty = d.update(group(), None, *kept)
    assert empty.findtext(".//Status") == "FAILED"
    assert empty.findtext(".//StatusReason").startswith(
        "The submitted information didn't contain changes.")
    assert len(list(d.wire.cfn("DescribeStackEvents", StackName=d.name).iter("EventId"))) == seen
    d.wire.cfn("DeleteChangeSet", StackName=d.name, ChangeSetName="cdk-deploy-change-set")
    d.update(group(3), "UPDATE_COMPLETE", *kept)
    tree = d.wire.cfn("GetTemplate", StackName=d.name, TemplateStage="Original")
    assert tree.findtext(".//TemplateBody") == d.body
    d.destroy()
    tree = d.wire.cfn("DescribeStacks", StackName=d.id)
    assert tree.findtext(".//StackStatus") == "DELETE_COMPLETE"
    tree = d.wire.cfn("DescribeStackEvents", StackName=d.id)
    assert tree.findtext(".//ResourceStatus") == "DELETE_COMPLETE"


def test_previous_value(wire):
    """A parameter that is not sent again keeps its value, not its default."""
    d = Deploy(wire, "Previous", NEW)
    template = {"Parameters": {"Days": {"Type": "Number", "Default": 7}}, "Resources": {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "RetentionInDays": {"Ref": "Days"}}}}}
    url, _ = put_template(wire, template)
    d.wire.cfn("CreateStack", *given({"Days": "30"}), StackName=d.name, TemplateURL=url,
               RoleARN=d.execution)
    d.id = settled(d.wire, d.name, "CREATE_COMPLETE").findtext(".//StackId")
    template["Metadata"] = {"Changed": "1"}
    template["Resources"]["Other"] = {"Type": "AWS::Logs::LogGroup"}
    d.update(template, "UPDATE_COMPLETE", ("Parameters.member.1.ParameterKey", "Days"),
             ("Parameters.member.1.UsePreviousValue", "true"))
    tree = d.wire.cfn("DescribeStacks", StackName=d.name)
    assert tree.findtext(".//ParameterValue") == "30"
    d.destroy()


@pytest.mark.parametrize("version", [NEW, OLD])
def test_diff(wire, version):
    """A change set that is looked at and thrown away; of no stack, too."""
    d = Deploy(wire, "Diff" + version.replace(".", "-"), version)
    d.create(group())
    name = "cdk-diff-change-set" + ("-5ab1" if d.new else "")
    lookup = as_role(wire, "lookup")
    lookup.cfn("GetTemplate", StackName=d.name, TemplateStage="Original")
    found = d.change_set(group(3), "UPDATE", name)
    change = found.find(".//ResourceChange")
    assert (change.findtext("Action"), change.findtext("Replacement")) == ("Modify", "False")
    assert [x.text for x in change.iter("Attribute")].count("Properties") >= 1
    d.wire.cfn("DeleteChangeSet", StackName=d.name, ChangeSetName=name)
    tree = d.wire.cfn("DescribeChangeSet", StackName=d.name, ChangeSetName=name, status=404)
    assert error(tree)[0] == "ChangeSetNotFound"
    assert settled(d.wire, d.name, "CREATE_COMPLETE") is not None
    d.destroy()


def test_failed_create(wire):
    """Events tell why; the CLI asks CloudTrail as well, which must not hold it
    up; the next deployment deletes what is left and begins anew."""
    d = Deploy(wire, "Broken", NEW)
    bad = group()
    bad["Resources"]["Taken"] = {"Type": "AWS::Logs::LogGroup", "Properties": {
        "LogGroupName": "taken-by-another"}}
    status, _ = wire.json("logs", "Logs_20140328.CreateLogGroup", logGroupName="taken-by-another")
    assert status == 200
    d.create(bad, "ROLLBACK_COMPLETE")
    lookup = as_role(wire, "lookup")
    tree = lookup.cfn("DescribeStackResources", StackName=d.name)
    tree = lookup.cfn("DescribeStackEvents", StackName=d.id)
    reasons = [e.findtext("ResourceStatusReason") or "" for e in tree.iter("member")
               if e.findtext("ResourceStatus") == "CREATE_FAILED"]
    assert any("already exists" in r for r in reasons), reasons
    began = time.monotonic()
    target = "CloudTrail_20131101.LookupEvents"
    status, answer = lookup.json("cloudtrail", target, MaxResults=50)
    assert time.monotonic() - began < 0.5
    # not a status that SDKs try again
    assert status == 400 and target in answer["message"]
    tree = d.wire.cfn("DescribeStacks", StackName=d.name)
    assert tree.findtext(".//StackStatus") == "ROLLBACK_COMPLETE"
    d.destroy()
    d.create(group())
    d.destroy()


def test_direct_and_no_rollback(wire):
    """--method=direct, and --no-rollback with `cdk rollback` after it."""
    d = Deploy(wire, "Direct", NEW)
    url, _ = put_template(wire, group())
    common = {"StackName": d.name, "RoleARN": d.execution}
    d.wire.cfn("CreateStack", ("Parameters", ""), *members("Capabilities", CAPABILITIES), *tags(3),
               TemplateURL=url, ClientRequestToken="a1", EnableTerminationProtection="false",
               **common)
    d.id = settled(d.wire, d.name, "CREATE_COMPLETE").findtext(".//StackId")
    status, tree = d.wire.query(
        "cloudformation", "UpdateStack", ("Parameters", ""), *members("Capabilities", CAPABILITIES),
        *tags(3), TemplateURL=url, ClientRequestToken="a2", **common)
    assert (status, *error(tree)) == (400, "ValidationError", "No updates are to be performed.")
    bad = group(3)
    bad["Resources"]["Taken"] = {"Type": "AWS::Logs::LogGroup", "DependsOn": "Group", "Properties": {
        "LogGroupName": "taken-by-one"}}
    wire.json("logs", "Logs_20140328.CreateLogGroup", logGroupName="taken-by-one")
    url, _ = put_template(wire, bad)
    d.wire.cfn("UpdateStack", ("Parameters", ""), *members("Capabilities", CAPABILITIES), *tags(3),
               TemplateURL=url, ClientRequestToken="a3", DisableRollback="true", **common)
    settled(d.wire, d.name, "UPDATE_FAILED")
    d.wire.cfn("RollbackStack", ClientRequestToken="a4", **common)
    settled(d.wire, d.name, "UPDATE_ROLLBACK_COMPLETE")
    d.destroy()


def test_hotswap(wire, daemon):
    """The task definition as the SDK writes it, without CloudFormation; images
    by the host that the CLI makes up of the endpoint's name."""
    d = Deploy(wire, "Hot", NEW)
    d.create(json.loads(service_template()))
    parts = d.wire.cfn("ListStackResources", StackName=d.name)
    ids = {r.findtext("LogicalResourceId"): r.findtext("PhysicalResourceId")
           for r in parts.iter("member")}
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.127.0.0.1/{ids['Repository']}:2"
    status, made = d.wire.json(
        "ecs", "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition",
        family="hot", cpu="256", memory="512", networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"], containerDefinitions=[{
            "name": "web", "image": image, "essential": True,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}]}])
    assert status == 200, made
    arn = made["taskDefinition"]["taskDefinitionArn"]
    cluster = ids["Service"].split("/")[1]
    status, made = d.wire.json(
        "ecs", "AmazonEC2ContainerServiceV20141113.UpdateService", service=ids["Service"],
        taskDefinition=arn, forceNewDeployment=True, cluster=cluster,
        deploymentConfiguration={"minimumHealthyPercent": 0})
    assert status == 200, made
    status, made = d.wire.json("ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices",
                               cluster=cluster, services=[ids["Service"]])
    service = made["services"][0]
    assert (service["status"], service["taskDefinition"]) == ("ACTIVE", arn)
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 0
    # What it left out is as it was.
    assert service["deploymentConfiguration"]["maximumPercent"] == 200
    d.destroy()


# --- docker assets --------------------------------------------------------------------

def test_docker_assets(wire, daemon):
    """Asked for an image that is not there, then logged in where it goes."""
    images = as_role(wire, "image-publishing")
    repo = f"cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"
    prefix = "AmazonEC2ContainerRegistry_V20150921."
    status, found = images.json("ecr", prefix + "DescribeRepositories", repositoryNames=[repo])
    assert status == 200
    uri = found["repositories"][0]["repositoryUri"]
    status, answer = images.json("ecr", prefix + "DescribeImages", repositoryName=repo,
                                 imageIds=[{"imageTag": "0badc0de"}])
    assert status == 400 and answer["__type"].endswith("ImageNotFoundException"), answer
    status, answer = images.json("ecr", prefix + "GetAuthorizationToken")
    login = answer["authorizationData"][0]
    assert login["proxyEndpoint"] == daemon.endpoint
    assert uri == f"{urllib.parse.urlsplit(daemon.endpoint).netloc}/{repo}"
    assert base64.b64decode(login["authorizationToken"]).startswith(b"AWS:")
    # What `docker login` asks of that host.
    head = talk(daemon, f"GET /v2/ HTTP/1.1\r\nhost: {daemon.port}\r\nauthorization: Basic "
                f"{login['authorizationToken']}\r\nconnection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 200"), head


# --- every operation that the command line has -----------------------------------------

# What CLI 2.1148.1 can send; after "|" what is refused by name.
OPERATIONS = {
    "cloudformation": """
        ContinueUpdateRollback CreateChangeSet CreateStack DeleteChangeSet DeleteStack
        DescribeChangeSet DescribeEvents DescribeStackDriftDetectionStatus DescribeStackEvents
        DescribeStackResourceDrifts DescribeStackResources DescribeStacks DetectStackDrift
        DetectStackResourceDrift ExecuteChangeSet GetHookResult GetTemplate GetTemplateSummary
        ListChangeSets ListExports ListHookResults ListStackResources ListStacks RollbackStack
        UpdateStack UpdateTerminationProtection
        | CreateGeneratedTemplate CreateStackRefactor DeleteGeneratedTemplate
        DescribeGeneratedTemplate DescribeResourceScan DescribeType ExecuteStackRefactor
        GetGeneratedTemplate""",
    "s3": """GetBucketLocation GetBucketEncryption ListObjectsV2 PutObject CreateMultipartUpload
        UploadPart CompleteMultipartUpload AbortMultipartUpload GetObject GetObjectTagging
        PutObjectTagging DeleteObjectTagging DeleteObjects""",
    "ecr": """DescribeRepositories DescribeImages GetAuthorizationToken CreateRepository
        PutImageScanningConfiguration ListImages BatchGetImage BatchDeleteImage PutImage""",
    "ecs": """RegisterTaskDefinition UpdateService DescribeServices DescribeTaskDefinition
        ListTasks DescribeTasks ListClusters""",
    "sts": "GetCallerIdentity AssumeRole",
    "ssm": "GetParameter",
    "ec2": """DescribeAvailabilityZones DescribeRouteTables DescribeSecurityGroups DescribeSubnets
        DescribeVpcEndpointServices DescribeVpcs DescribeVpnGateways
        | DescribeImages DescribeInstances""",
    "elbv2": "DescribeListeners DescribeLoadBalancers DescribeTags",
    "route53": "GetHostedZone ListHostedZones ListHostedZonesByName",
    "kms": "DescribeKey ListAliases",
    "iam": "GetRole GetPolicy CreatePolicy",
    "logs": "DescribeLogGroups FilterLogEvents",
    "secretsmanager": "GetSecretValue",
    "lambda": """| UpdateFunctionCode UpdateFunctionConfiguration GetFunctionConfiguration
        PublishVersion UpdateAlias Invoke""",
}
# Of services that are not known at all: how they are asked.
STRANGERS = [
    ("cloudtrail", "POST", "/", "CloudTrail_20131101.LookupEvents"),
    ("states", "POST", "/", "AWSStepFunctions.UpdateStateMachine"),
    ("codebuild", "POST", "/", "CodeBuild_20161006.UpdateProject"),
    ("cloudcontrolapi", "POST", "/", "CloudApiService.GetResource"),
    ("cloudcontrolapi", "POST", "/", "CloudApiService.ListResources"),
    ("appsync", "GET", "/v1/apis/a/functions", None),
    ("appsync", "POST", "/v1/apis/a/schemacreation", None),
    ("bedrock-agentcore", "PUT", "/runtimes/r/", None),
]
MODELS = conftest.ROOT / "model"
# What a model does not say of its operation.
GIVEN_TOO = {
    "CreateStackRefactor": {"StackDefinitions": [{"StackName": "a"}]},
    "RegisterTaskDefinition": {
        "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "containerDefinitions": [{"name": "a", "image": "a"}]},
}


def sample(model, name):
    """The least that a shape admits."""
    shape = model["shapes"][name]
    kind = shape["type"]
    if kind == "structure":
        return {m: sample(model, member(shape, m)) for m in shape.get("required", ())}
    if kind in ("list", "map"):
        return [sample(model, member({"members": {"x": shape["member"]}}, "x"))
                for _ in range(shape.get("min", 0))] if kind == "list" else {}
    if kind == "string":
        return shape["enum"][0] if "enum" in shape else "x" * max(shape.get("min", 1), 1)
    return {"boolean": True, "timestamp": 0, "blob": "eA=="}.get(kind, max(shape.get("min", 1), 1))


def member(shape, name):
    m = shape["members"][name]
    return m if isinstance(m, str) else m["shape"]


def flat(value, prefix=""):
    """As awsQuery has it."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in flat(v, f"{prefix}.{k}" if prefix else k)]
    if isinstance(value, list):
        return [p for i, v in enumerate(value, 1) for p in flat(v, f"{prefix}.member.{i}")]
    return [(prefix, "true" if value is True else str(value))]


def form(model, operation):
    """A request for an operation with what it must have, by its model."""
    op, signing = model["operations"][operation], model["signingName"]
    value = sample(model, op["input"]) if op.get("input") else {}
    value |= GIVEN_TOO.get(operation, {})
    protocol = model["protocols"][0]
    if protocol in ("query", "ec2"):
        body = urllib.parse.urlencode([("Action", operation), ("Version", model["apiVersion"]),
                                       *flat(value)]).encode()
        return signing, body, "/", "POST", (), [
            ("content-type", "application/x-www-form-urlencoded")]
    if protocol == "json":
        return signing, json.dumps(value).encode(), "/", "POST", (), [
            ("content-type", f"application/x-amz-json-{model['jsonVersion']}"),
            ("x-amz-target", f"{model['targetPrefix']}.{operation}")]
    path, _, query = op["uri"].partition("?")
    shape = model["shapes"].get(op.get("input"), {"members": {}})
    pairs = [tuple((q + "=").split("=")[:2]) for q in query.split("&") if q]
    for name in list(value):
        where = shape["members"][name]
        if isinstance(where, str) or "location" not in where:
            continue
        text = str(value.pop(name))
        if where["location"] == "uri":
            path = re.sub(r"\{%s\+?\}" % re.escape(where["locationName"]), text, path)
        elif where["location"] == "querystring":
            pairs.append((where["locationName"], text))
    body = b"" if op["method"] in ("GET", "DELETE") or protocol == "rest-xml" else \
        json.dumps(value).encode()
    return signing, body, path, op["method"], pairs, [("content-type", "application/json")]


def quickest(wire, *request):
    """(status, code, answer, milliseconds), the best of three."""
    best = None
    for _ in range(3):
        began = time.monotonic()
        got = wire.send(*request)
        took = (time.monotonic() - began) * 1000
        best = (*got, min(took, best[3]) if best else took)
    return best


def cases():
    for service, words in OPERATIONS.items():
        there, _, refused_ones = words.partition("|")
        yield from ((service, op, True) for op in there.split())
        yield from ((service, op, False) for op in refused_ones.split())


@pytest.mark.parametrize("service,operation,there", list(cases()))
def test_operation(daemon, service, operation, there):
    """Each of them acts, or is refused by its name, at once."""
    model = json.loads((MODELS / f"{service}.json").read_text())
    wire = Wire(daemon)
    status, code, answer, took = quickest(wire, *form(model, operation))
    assert took < 50, took
    name = f"{model['signingName']}:{operation} is not implemented".encode()
    if there:
        assert code not in ("NotImplemented", "UnknownOperationException", "InvalidAction",
                            "MethodNotAllowed") and status < 500, answer
    else:
        assert (status, code) == (501, "NotImplemented") and name in answer, answer


@pytest.mark.parametrize("service,method,path,target", STRANGERS)
def test_stranger(daemon, service, method, path, target):
    """A service that is not here: told its name, in a form that its SDK reads,
    with a status that no SDK tries again."""
    status, code, answer, took = quickest(
        Wire(daemon), service, b"{}", path, method, (), [
            ("content-type", "application/x-amz-json-1.1"),
            *([("x-amz-target", target)] if target else [])])
    assert code == "UnknownOperationException" and 400 <= status < 500, answer
    assert (target or service).encode() in answer.partition(b"\r\n\r\n")[2], answer
    assert took < 50, took


# --- what else is easily got wrong -------------------------------------------------------

@pytest.mark.parametrize("body", [
    "# a comment\nResources:\n  Group:   # and another\n    Type: AWS::Logs::LogGroup\n\n\n",
    "Description: ünïcode ☃\r\nResources:\r\n  Group: {Type: 'AWS::Logs::LogGroup'}\r\n",
    '{ "Resources" : {"B": {"Type": "AWS::Logs::LogGroup"},\t"A": {"Type":'
    '"AWS::Logs::LogGroup"}}, "Description": "<&>\\u00e9\\u2028 ]]>" }\n',
    "  \nResources:\n  Group:\n    Type: 'AWS::Logs::LogGroup' \t\n ",
], ids=["comments", "line ends", "json", "blanks"])
def test_template_as_sent(wire, body):
    """What `cdk diff` compares; an SDK's XML reader makes a line feed of each
    carriage return that is not escaped."""
    name = "Sent" + hashlib.sha256(body.encode()).hexdigest()[:8]
    wire.cfn("CreateStack", StackName=name, TemplateBody=body)
    settled(wire, name, "CREATE_COMPLETE")
    tree = wire.cfn("GetTemplate", StackName=name, TemplateStage="Original")
    assert tree.findtext(".//TemplateBody") == body
    wire.cfn("DeleteStack", StackName=name)


def test_lookups(wire):
    """Networks, with the filters that the CLI sends, and no gateway of a VPN."""
    lookup = as_role(wire, "lookup")

    def ask(action, *filters):
        pairs = [p for i, (k, v) in enumerate(filters, 1) for p in (
            (f"Filter.{i}.Name", k), (f"Filter.{i}.Value.1", v))]
        status, tree = lookup.query("ec2", action, *pairs)
        assert status == 200, xml.etree.ElementTree.tostring(tree)
        return tree
    vpcs = [v.text for v in ask("DescribeVpcs", ("isDefault", "true")).iter("vpcId")]
    assert len(vpcs) == 1
    subnets = ask("DescribeSubnets", ("vpc-id", vpcs[0]))
    assert {s.text for s in subnets.iter("vpcId")} == set(vpcs)
    tables = ask("DescribeRouteTables", ("vpc-id", vpcs[0]))
    assert [m.text for m in tables.iter("main")] == ["true"]
    assert any(g.text.startswith("igw-") for g in tables.iter("gatewayId"))
    none = ask("DescribeVpnGateways", ("attachment.vpc-id", vpcs[0]),
               ("attachment.state", "attached"), ("state", "available"))
    assert list(none.iter("item")) == []
    groups = ask("DescribeSecurityGroups", ("vpc-id", vpcs[0]), ("group-name", "default"))
    assert len(list(groups.iter("groupId"))) >= 1
    assert [g.text for g in groups.iter("groupName")][0] == "default"
    assert list(ask("DescribeVpcs", ("tag:Name", "none-such")).iter("vpcId")) == []
    # A filter that EC2 does not know is no filter that matches all.
    status, tree = lookup.query("ec2", "DescribeVpcs", **{
        "Filter.1.Name": "no-such-filter", "Filter.1.Value.1": "x"})
    assert (status, error(tree)[0]) == (400, "InvalidParameterValue")


@pytest.mark.parametrize("cpu,memory,fine", [
    ("256", "512", True), ("512", "1024", True), ("1024", "2048", True), ("256", "2048", True),
    ("4096", "30720", True), ("16384", "122880", True), ("256", "1536", False),
    ("256", "3072", False), ("512", "512", False), ("512", "5120", False), ("1024", "1024", False),
    ("1024", "9216", False), ("2048", "2048", False), ("8192", "8192", False),
    ("8192", "18432", False), ("300", "512", False), ("256", "513", False)])
def test_task_sizes(client, cpu, memory, fine):
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""
    call, args = client("ecs").register_task_definition, {
        "family": "sizes", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": cpu, "memory": memory, "containerDefinitions": [{"name": "a", "image": "a"}]}
    if fine:
        assert call(**args)["taskDefinition"]["memory"] == memory
        return
    e = refused(call, **args)
    assert (e["ResponseMetadata"]["HTTPStatusCode"], e["Error"]["Code"]) == (400, "ClientException")
    assert e["Error"]["Message"] == "No Fargate configuration exists for given values: " \
        f"{cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."


def test_clean_up(daemon, client):
    """What a nightly job does with previews that have expired: finds them by
    name and age, lifts their protection, destroys, looks for what is left."""
    cfn, tagged = client("cloudformation"), client("resourcegroupstaggingapi")
    for n in ("AppPr41", "AppPr42", "Other"):
        cfn.create_stack(StackName=n, EnableTerminationProtection=n == "AppPr42", Tags=[
            {"Key": "PRNumber", "Value": n[5:] or "none"}], TemplateBody=json.dumps(
                GROUP))
        wait(cfn, n)
    names = json.loads(daemon.aws(
        "cloudformation", "list-stacks", "--stack-status-filter", "CREATE_COMPLETE",
        "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "--output", "json", "--query",
        "StackSummaries[?starts_with(StackName,'AppPr')].[StackName,CreationTime]"))
    assert sorted(n for n, at in names) == ["AppPr41", "AppPr42"]
    e = refused(cfn.delete_stack, StackName="AppPr42")
    assert e["Error"]["Code"] == "ValidationError"
    assert "TerminationProtection is enabled" in e["Error"]["Message"]
    daemon.aws("cloudformation", "update-termination-protection", "--no-enable-termination-protection",
               "--stack-name", "AppPr42")
    for n in ("AppPr41", "AppPr42"):
        daemon.aws("cloudformation", "delete-stack", "--stack-name", n)
        daemon.aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", n)
        assert tagged.get_resources(TagFilters=[{"Key": "PRNumber", "Values": [n[5:]]}])[
            "ResourceTagMappingList"] == []
    assert cfn.describe_stacks(StackName="Other")["Stacks"]
    cfn.delete_stack(StackName="Other")


def test_order_of_events(wire):
    """The CLI sorts by time what it is told newest first: a stack that is made
    within a millisecond must not be told backwards."""
    resources = {f"G{i}": {"Type": "AWS::Logs::LogGroup", **({"DependsOn": f"G{i - 1}"} if i else {})}
                 for i in range(20)}
    wire.cfn("CreateStack", StackName="Ordered", TemplateBody=json.dumps({"Resources": resources}))
    settled(wire, "Ordered", "CREATE_COMPLETE")
    seen = [(e.findtext("Timestamp"), e.findtext("LogicalResourceId"), e.findtext("ResourceStatus"))
            for e in wire.cfn("DescribeStackEvents", StackName="Ordered").iter("member")]
    assert len({at for at, *_ in seen}) == len(seen) == 62
    story = [(i, s) for _, i, s in sorted(seen, key=lambda e: e[0])]
    assert story == [e[1:] for e in reversed(seen)]
    assert story[0] == ("Ordered", "CREATE_IN_PROGRESS")
    assert story[1:-1] == [(f"G{i}", s) for i in range(20) for s in (
        "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")]
    assert story[-1] == ("Ordered", "CREATE_COMPLETE")
    wire.cfn("DeleteStack", StackName="Ordered")
