"""IAM's entities, the keys of users, sessions of roles."""
import json
import urllib.parse

import boto3
import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, Daemon

TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "sts:AssumeRole"}]}
POLICY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def code(fn, **kw):
    with pytest.raises(ClientError) as e:
        fn(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


@pytest.fixture
def iam(client):
    return client("iam")


def session(daemon, c, service):
    return boto3.client(service, endpoint_url=daemon.endpoint, region_name=REGION,
                        aws_access_key_id=c["AccessKeyId"],
                        aws_secret_access_key=c["SecretAccessKey"],
                        aws_session_token=c.get("SessionToken"))


def role(iam, name, trust=None, **kw):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or TRUST),
                           **kw)["Role"]


def test_role(iam):
    r = role(iam, "Plain", Path="/a/b/", Description="d", Tags=[{"Key": "k", "Value": "v"}])
    assert r["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/a/b/Plain"
    assert r["RoleId"].startswith("AROA") and len(r["RoleId"]) == 21
    got = iam.get_role(RoleName="Plain")["Role"]
    assert got["AssumeRolePolicyDocument"] == TRUST
    assert got["Tags"] == [{"Key": "k", "Value": "v"}]
    assert got["MaxSessionDuration"] == 3600
    assert code(iam.create_role, RoleName="PLAIN",
                AssumeRolePolicyDocument=json.dumps(TRUST))[0] == "EntityAlreadyExists"
    assert [r["RoleName"] for r in iam.list_roles(PathPrefix="/a/")["Roles"]] == ["Plain"]
    iam.update_role(RoleName="Plain", Description="e", MaxSessionDuration=7200)
    assert iam.get_role(RoleName="Plain")["Role"]["Description"] == "e"
    iam.delete_role(RoleName="Plain")
    assert code(iam.get_role, RoleName="Plain") == (
        "NoSuchEntity", "The role with name Plain cannot be found.")


def test_policies_of_a_role(iam):
    role(iam, "Rich")
    iam.put_role_policy(RoleName="Rich", PolicyName="p", PolicyDocument=json.dumps(POLICY))
    assert iam.get_role_policy(RoleName="Rich", PolicyName="p")["PolicyDocument"] == POLICY
    execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="Rich", PolicyArn=execution)
    assert iam.list_attached_role_policies(RoleName="Rich")["AttachedPolicies"] == [
        {"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": execution}]
    assert code(iam.attach_role_policy, RoleName="Rich",
                PolicyArn="arn:aws:iam::aws:policy/None")[0] == "NoSuchEntity"
    assert code(iam.delete_role, RoleName="Rich")[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="Rich", PolicyArn=execution)
    assert code(iam.delete_role, RoleName="Rich")[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName="Rich", PolicyName="p")
    iam.delete_role(RoleName="Rich")


@pytest.mark.parametrize("text, why", [
    ("{", "Syntax errors in policy."),
    ({"Version": "2012-10-17"}, "Syntax errors in policy."),
    ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]},
     "Policy statement must contain actions."),
    ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]},
     "Policy statement must contain resources."),
    ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3", "Resource": "*"}]},
     "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    ({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}]},
     'Resource bucket must be in ARN format or "*".'),
])
def test_malformed(iam, text, why):
    text = text if isinstance(text, str) else json.dumps(text)
    assert code(iam.create_policy, PolicyName="x", PolicyDocument=text) == (
        "MalformedPolicyDocument", why)


def test_managed(iam):
    p = iam.create_policy(PolicyName="mine", PolicyDocument=json.dumps(POLICY))["Policy"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=p["Arn"], PolicyDocument=json.dumps(POLICY),
                                  SetAsDefault=True)
    assert code(iam.create_policy_version, PolicyArn=p["Arn"],
                PolicyDocument=json.dumps(POLICY))[0] == "LimitExceeded"
    assert iam.get_policy(PolicyArn=p["Arn"])["Policy"]["DefaultVersionId"] == "v5"
    assert iam.get_policy_version(PolicyArn=p["Arn"], VersionId="v5")["PolicyVersion"][
        "Document"] == POLICY
    for v in "v1", "v2", "v3", "v4":
        iam.delete_policy_version(PolicyArn=p["Arn"], VersionId=v)
    iam.delete_policy(PolicyArn=p["Arn"])
    aws = iam.list_policies(Scope="AWS", MaxItems=1000)["Policies"]
    for one in aws:
        doc = iam.get_policy_version(PolicyArn=one["Arn"], VersionId="v1")
        assert iam.create_policy(PolicyName=one["PolicyName"], PolicyDocument=json.dumps(
            doc["PolicyVersion"]["Document"])), one


def test_keys_of_a_user(daemon, client, iam):
    iam.create_user(UserName="ann")
    k = iam.create_access_key(UserName="ann")["AccessKey"]
    who = session(daemon, k, "sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    session(daemon, k, "s3").list_buckets()
    session(daemon, k, "ecs").list_clusters()
    iam.update_access_key(UserName="ann", AccessKeyId=k["AccessKeyId"], Status="Inactive")
    assert code(session(daemon, k, "sts").get_caller_identity)[0] == "InvalidClientTokenId"
    assert code(iam.delete_user, UserName="ann")[0] == "DeleteConflict"
    iam.delete_access_key(UserName="ann", AccessKeyId=k["AccessKeyId"])
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    assert [u["UserName"] for u in iam.get_group(GroupName="g")["Users"]] == ["ann"]
    iam.remove_user_from_group(GroupName="g", UserName="ann")
    iam.delete_user(UserName="ann")
    iam.delete_group(GroupName="g")


def test_session(daemon, client, iam):
    arn = role(iam, "Session")["Arn"]
    sts = client("sts")
    got = sts.assume_role(RoleArn=arn, RoleSessionName="me")
    c = got["Credentials"]
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Session/me"
    who = session(daemon, c, "sts").get_caller_identity()
    assert who["Arn"] == got["AssumedRoleUser"]["Arn"]
    assert who["UserId"] == got["AssumedRoleUser"]["AssumedRoleId"]
    s3 = session(daemon, c, "s3")
    s3.create_bucket(Bucket="of-a-session")
    s3.put_object(Bucket="of-a-session", Key="k", Body=b"x" * 100000)
    assert s3.get_object(Bucket="of-a-session", Key="k")["Body"].read() == b"x" * 100000
    session(daemon, c, "ssm").describe_parameters()
    assert code(session(daemon, c | {"SessionToken": "no"}, "sts").get_caller_identity)[0] == \
        "InvalidClientTokenId"
    assert code(session(daemon, c | {"SessionToken": "no"}, "s3").list_buckets)[0] == \
        "InvalidToken"
    assert code(sts.assume_role, RoleArn=arn, RoleSessionName="me",
                DurationSeconds=7200)[0] == "ValidationError"
    daemon.kill()
    daemon.start()
    session(daemon, c, "sts").get_caller_identity()
    client("iam").delete_role(RoleName="Session")
    assert code(session(daemon, c, "sts").get_caller_identity)[0] == "InvalidClientTokenId"
    assert c["SecretAccessKey"] not in daemon.read_log()


def test_trust(client, iam):
    sts = client("sts")
    nobody = f"arn:aws:iam::{ACCOUNT}:role/Nobody"
    assert code(sts.assume_role, RoleArn=nobody, RoleSessionName="xy") == (
        "AccessDenied", f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: "
        f"sts:AssumeRole on resource: {nobody}")
    ecs = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    arn = role(iam, "ForTasks", ecs)["Arn"]
    assert code(sts.assume_role, RoleArn=arn, RoleSessionName="xy")[0] == "AccessDenied"
    external = json.loads(json.dumps(TRUST))
    external["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "77"}}
    arn = role(iam, "External", external)["Arn"]
    assert code(sts.assume_role, RoleArn=arn, RoleSessionName="xy")[0] == "AccessDenied"
    sts.assume_role(RoleArn=arn, RoleSessionName="xy", ExternalId="77")


def test_web_identity_comes_unsigned(daemon):
    """As GitHub's action sends it."""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", daemon.port)
    c.request("POST", "/", urllib.parse.urlencode({
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x", "RoleSessionName": "GitHubActions",
        "WebIdentityToken": "ey.ey.x"}), {"Content-Type": "application/x-www-form-urlencoded"})
    r = c.getresponse()
    assert r.status == 501 and b"sts:AssumeRoleWithWebIdentity" in r.read()
