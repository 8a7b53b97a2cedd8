"""AWS STS with boto3: sessions of roles, and what they may be used for."""
import datetime
import itertools
import json
import secrets

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, Daemon
from raw import Signed, send, talk

serial = itertools.count()
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def refused(call, **args):
    with pytest.raises(ClientError) as e:
        call(**args)
    r = e.value.response
    return r["ResponseMetadata"]["HTTPStatusCode"], r["Error"]["Code"], r["Error"]["Message"]


def trust(principal=None, condition=None, action="sts:AssumeRole", effect="Allow"):
    s = {"Effect": effect, "Principal": principal or {"AWS": ROOT}, "Action": action}
    if condition:
        s["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [s]})


def session(daemon, service, credentials, region=REGION):
    return boto3.client(
        service, endpoint_url=daemon.endpoint, region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=botocore.config.Config(retries={"max_attempts": 0}, signature_version="s3v4" if service == "s3" else "v4",
                                      s3={"addressing_style": "path"}))


@pytest.fixture(scope="module")
def iam(daemon):
    return daemon.client("iam")


@pytest.fixture(scope="module")
def sts(daemon):
    return daemon.client("sts")


@pytest.fixture
def role(iam):
    return iam.create_role(RoleName=f"r{next(serial)}", Path="/team/",
                           AssumeRolePolicyDocument=trust())["Role"]


@pytest.fixture
def keys(sts, role):
    return sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]


def test_assume(daemon, sts, role):
    r = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me@here", DurationSeconds=900)
    name, c = role["RoleName"], r["Credentials"]
    assert r["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:me@here",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/me@here"}
    assert c["AccessKeyId"].startswith("ASIA") and len(c["AccessKeyId"]) == 20
    left = c["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 890 < left.total_seconds() <= 900
    who = session(daemon, "sts", c).get_caller_identity()
    assert (who["UserId"], who["Account"], who["Arn"]) == (
        f"{role['RoleId']}:me@here", ACCOUNT, r["AssumedRoleUser"]["Arn"])
    assert sts.get_access_key_info(AccessKeyId=c["AccessKeyId"])["Account"] == ACCOUNT


def test_used_everywhere(daemon, keys):
    """json, query, rest-xml with headers, with a streamed body, and presigned."""
    s3, ssm = session(daemon, "s3", keys), session(daemon, "ssm", keys)
    bucket = f"sessions-{next(serial)}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 70000)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * 70000
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert "X-Amz-Security-Token" in url
    path, _, query = url.partition(daemon.endpoint)[2].partition("?")
    get = "GET {} HTTP/1.1\r\nHost: " + url.split("/")[2] + "\r\nConnection: close\r\n\r\n"
    assert b"200" in talk(daemon, get.format(path + "?" + query).encode()).split(b"\r\n")[0]
    broken = query.replace("X-Amz-Security-Token=", "X-Amz-Security-Token=A")
    assert b"<Code>InvalidToken<" in talk(daemon, get.format(path + "?" + broken).encode())
    ssm.put_parameter(Name=f"/p{next(serial)}", Value="v", Type="SecureString")
    assert session(daemon, "ecs", keys).list_clusters()["clusterArns"] is not None
    assert session(daemon, "ec2", keys).describe_vpcs()["Vpcs"]


# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
REFUSED = [
    ("sts", "get_caller_identity", (403, "InvalidClientTokenId"), (403, "ExpiredToken")),
    ("ecs", "list_clusters", (400, "UnrecognizedClientException"),
     (400, "ExpiredTokenException")),
    ("ec2", "describe_vpcs", (401, "AuthFailure"), (400, "RequestExpired")),
    ("s3", "list_buckets", (400, "InvalidToken"), (400, "ExpiredToken")),
]


@pytest.mark.parametrize("service,op,bad,old", REFUSED)
def test_bad_tokens(daemon, sts, role, keys, service, op, bad, old):
    other = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="you")["Credentials"]
    token = keys["SessionToken"]
    for wrong in (other["SessionToken"], token[:-8] + "AAAAAAA=", "junk"):
        call = getattr(session(daemon, service, {**keys, "SessionToken": wrong}), op)
        assert refused(call)[:2] == bad
    assert "does not open" not in daemon.read_log()  # strangers do not fill it
    call = getattr(session(daemon, service, {**keys, "SecretAccessKey": "x"}), op)
    assert refused(call)[1] in ("SignatureDoesNotMatch", "InvalidSignatureException",
                                "AuthFailure")


def test_no_token(daemon, keys):
    for service, code in (("sts", (403, "InvalidClientTokenId")),
                          ("s3", (403, "InvalidAccessKeyId"))):
        c = daemon.client(service, key=keys["AccessKeyId"], secret=keys["SecretAccessKey"])
        op = c.get_caller_identity if service == "sts" else c.list_buckets
        assert refused(op)[:2] == code


def test_deleted_role(daemon, iam, role, keys):
    iam.delete_role(RoleName=role["RoleName"])
    call = session(daemon, "sts", keys).get_caller_identity
    assert refused(call)[:2] == (403, "InvalidClientTokenId")
    iam.create_role(RoleName=role["RoleName"], Path="/team/", AssumeRolePolicyDocument=trust())
    assert refused(call)[:2] == (403, "InvalidClientTokenId")


def test_restart():
    d = Daemon()
    role = d.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]
    keys = d.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    d.kill()
    d.start()
    assert session(d, "sts", keys).get_caller_identity()["Arn"].endswith("assumed-role/r/me")
    d.stop()


def test_absent(sts):
    arn = f"arn:aws:iam::{ACCOUNT}:role/absent"
    assert refused(sts.assume_role, RoleArn=arn, RoleSessionName="me") == (
        403, "AccessDenied", f"User: {ROOT} is not authorized to perform: sts:AssumeRole on "
        f"resource: {arn}")
    assert refused(sts.assume_role, RoleArn="x" * 20, RoleSessionName="me")[1] == "ValidationError"


S = "arn:aws:sts::" + ACCOUNT
TRUST = [
    ({"AWS": ACCOUNT}, None, {}, True),
    ({"AWS": "*"}, None, {}, True),
    ({"AWS": "999999999999"}, None, {}, False),
    ({"AWS": ["999999999999", ROOT]}, None, {}, True),
    ({"Service": "ecs-tasks.amazonaws.com"}, None, {}, False),
    (None, {"StringEquals": {"sts:ExternalId": "x"}}, {}, False),
    (None, {"StringEquals": {"sts:ExternalId": "x"}}, {"ExternalId": "xx"}, False),
    (None, {"StringEquals": {"sts:ExternalId": ["xx", "yy"]}}, {"ExternalId": "yy"}, True),
    (None, {"StringLike": {"sts:RoleSessionName": "m?"}}, {}, True),
    (None, {"StringNotLike": {"sts:RoleSessionName": "m*"}}, {}, False),
    (None, {"Null": {"sts:ExternalId": "true"}}, {}, True),
    (None, {"Null": {"sts:ExternalId": "true"}}, {"ExternalId": "xx"}, False),
    (None, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, False),
    (None, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, {}, True),
    (None, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}, {}, True),
    (None, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, {}, False),
    (None, {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, {}, True),
]


@pytest.mark.parametrize("principal,condition,args,fine", TRUST)
def test_trust(iam, sts, principal, condition, args, fine):
    role = iam.create_role(RoleName=f"t{next(serial)}",
                           AssumeRolePolicyDocument=trust(principal, condition))["Role"]
    args = {"RoleArn": role["Arn"], "RoleSessionName": "me", **args}
    if fine:
        sts.assume_role(**args)
    else:
        assert refused(sts.assume_role, **args)[:2] == (403, "AccessDenied")


def test_trust_denied_explicitly(iam, sts, role):
    both = {"Version": "2012-10-17", "Statement": [
        json.loads(trust())["Statement"][0],
        json.loads(trust(effect="Deny", condition={
            "StringEquals": {"sts:RoleSessionName": "not-me"}}))["Statement"][0]]}
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(both))
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
    assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="not-me")[0] == 403


def test_chain(daemon, iam, sts, role, keys):
    """A role's session is named by its role's ARN, and lasts an hour at most."""
    mine = session(daemon, "sts", keys)
    for principal in (role["Arn"], f"{S}:assumed-role/{role['RoleName']}/me"):
        to = iam.create_role(RoleName=f"c{next(serial)}", MaxSessionDuration=43200,
                             AssumeRolePolicyDocument=trust({"AWS": principal}))["Role"]
        assert refused(sts.assume_role, RoleArn=to["Arn"], RoleSessionName="me")[2] == (
            f"User: {ROOT} is not authorized to perform: sts:AssumeRole on resource: {to['Arn']}")
        next_keys = mine.assume_role(RoleArn=to["Arn"], RoleSessionName="further")["Credentials"]
        assert session(daemon, "sts", next_keys).get_caller_identity()["Arn"] == (
            f"{S}:assumed-role/{to['RoleName']}/further")
        assert refused(mine.assume_role, RoleArn=to["Arn"], RoleSessionName="me",
                       DurationSeconds=3601) == (
            400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session "
            "limit for roles assumed by role chaining")
    denied = refused(mine.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x",
                     RoleSessionName="me")[2]
    assert denied.startswith(f"User: {S}:assumed-role/{role['RoleName']}/me is not authorized")


def test_trusted_one_made_again(daemon, iam, sts, role, keys):
    """A policy that names a role means that one, not a later one of its name."""
    to = iam.create_role(RoleName=f"a{next(serial)}", AssumeRolePolicyDocument=trust(
        {"AWS": role["Arn"]}))["Role"]
    session(daemon, "sts", keys).assume_role(RoleArn=to["Arn"], RoleSessionName="me")
    iam.delete_role(RoleName=role["RoleName"])
    again = iam.create_role(RoleName=role["RoleName"], Path="/team/",
                            AssumeRolePolicyDocument=trust())["Role"]
    assert again["Arn"] == role["Arn"]
    c = sts.assume_role(RoleArn=again["Arn"], RoleSessionName="me")["Credentials"]
    mine = session(daemon, "sts", c)
    assert refused(mine.assume_role, RoleArn=to["Arn"], RoleSessionName="me")[0] == 403
    whole = iam.create_role(RoleName=f"a{next(serial)}", AssumeRolePolicyDocument=trust())["Role"]
    mine.assume_role(RoleArn=whole["Arn"], RoleSessionName="me")
    iam.update_assume_role_policy(RoleName=to["RoleName"],
                                  PolicyDocument=trust({"AWS": role["Arn"]}))
    mine.assume_role(RoleArn=to["Arn"], RoleSessionName="me")


def test_duration(iam, sts, role):
    args = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
    assert refused(sts.assume_role, DurationSeconds=3601, **args) == (
        400, "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    iam.update_role(RoleName=role["RoleName"], MaxSessionDuration=7200)
    sts.assume_role(DurationSeconds=7200, **args)
    assert refused(sts.assume_role, DurationSeconds=43201, **args)[1] == "ValidationError"
    assert refused(sts.assume_role, **{**args, "RoleSessionName": "a b"})[1] == "ValidationError"


def test_tags(daemon, iam, sts, role):
    args = {"RoleArn": role["Arn"], "RoleSessionName": "me",
            "Tags": [{"Key": "team", "Value": "red"}]}
    assert "sts:TagSession" in refused(sts.assume_role, **args)[2]
    name = role["RoleName"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(
        action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        condition={"StringEqualsIfExists": {"aws:RequestTag/team": "red"}}))
    r = sts.assume_role(TransitiveTagKeys=["Team", "team"], SourceIdentity="ann", **args)
    assert r["PackedPolicySize"] > 0 and r["SourceIdentity"] == "ann"
    assert refused(sts.assume_role, **{**args, "Tags": [{"Key": "team", "Value": "blue"}]})[0] == 403
    for bad in ({"TransitiveTagKeys": ["other"]},
                {"Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}):
        assert refused(sts.assume_role, **{**args, **bad})[0] in (400, 403)
    # What is transitive, and the source identity, go along.
    mine = session(daemon, "sts", r["Credentials"])
    to = iam.create_role(RoleName=f"t{next(serial)}", AssumeRolePolicyDocument=trust(
        action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], condition={
            "StringEquals": {"aws:PrincipalTag/team": "red"}}))["Role"]
    bare = iam.create_role(RoleName=f"t{next(serial)}",
                           AssumeRolePolicyDocument=trust())["Role"]
    assert "sts:TagSession" in refused(mine.assume_role, RoleArn=bare["Arn"],
                                       RoleSessionName="me")[2]
    n = mine.assume_role(RoleArn=to["Arn"], RoleSessionName="me")
    assert n["SourceIdentity"] == "ann"
    assert refused(sts.assume_role, RoleArn=to["Arn"], RoleSessionName="me")[0] == 403
    third = session(daemon, "sts", n["Credentials"])
    assert third.assume_role(RoleArn=to["Arn"], RoleSessionName="me")["SourceIdentity"] == "ann"


def test_tags_of_the_caller(daemon, iam, sts, role, keys):
    """aws:PrincipalTag is of the role, unless the session has its own."""
    mine = session(daemon, "sts", keys)
    to = {"RoleSessionName": "me", "RoleArn": iam.create_role(
        RoleName=f"t{next(serial)}", AssumeRolePolicyDocument=trust(condition={
            "StringEquals": {"aws:PrincipalTag/team": "red"}}))["Role"]["Arn"]}
    assert refused(mine.assume_role, **to)[0] == 403
    iam.tag_role(RoleName=role["RoleName"], Tags=[{"Key": "team", "Value": "red"}])
    mine.assume_role(**to)
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=trust(
        action=["sts:AssumeRole", "sts:TagSession"]))
    blue = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="blue", Tags=[
        {"Key": "team", "Value": "blue"}])["Credentials"]
    assert refused(session(daemon, "sts", blue).assume_role, **to)[0] == 403
    # A tag that is handed on is not one that was asked for.
    assert refused(sts.assume_role, **to)[0] == 403


def test_policies(sts, role, keys, daemon):
    args = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    r = sts.assume_role(Policy=policy, PolicyArns=[
        {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}], **args)
    assert 0 < r["PackedPolicySize"] < 100
    session(daemon, "sts", r["Credentials"]).get_caller_identity()
    assert refused(sts.assume_role, Policy="{}", **args)[1] == "MalformedPolicyDocument"
    status, code, text = refused(sts.assume_role, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": [
            "arn:aws:s3:::" + secrets.token_hex(20) for _ in range(100)]}}), **args)
    assert (status, code) == (400, "PackedPolicyTooLarge")
    assert text.startswith("Packed policy consumes ") and "% of allotted space" in text
    assert refused(sts.assume_role, PolicyArns=[
        {"arn": "arn:aws:iam::aws:policy/Nothing"}], **args)[1] == "ValidationError"


def test_session_token(daemon, sts, keys):
    c = sts.get_session_token()["Credentials"]
    assert session(daemon, "sts", c).get_caller_identity()["Arn"] == ROOT
    assert refused(session(daemon, "sts", c).get_session_token) == (
        403, "AccessDenied", "Cannot call GetSessionToken with session credentials")


def test_unsigned_by_name(daemon):
    body = ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=me&"
            f"RoleArn=arn:aws:iam::{ACCOUNT}:role/absent&WebIdentityToken=abcdef").encode()
    head = ("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    status, code, text = send(daemon, head + body)
    assert (status, code) == (501, "NotImplemented")
    assert b"sts:AssumeRoleWithWebIdentity is not implemented" in text
    # Nothing else comes in that way.
    other = head.replace(str(len(body)).encode(), b"43")
    status, code, _ = send(daemon, other + b"Action=GetCallerIdentity&Version=2011-06-15")
    assert (status, code) == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize("op,args", [
    ("get_federation_token", {"Name": "me"}),
    ("decode_authorization_message", {"EncodedMessage": "x"}),
    ("assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x", "RoleSessionName": "me",
                     "SerialNumber": "123456789", "TokenCode": "123456"})])
def test_not_implemented(sts, op, args):
    assert refused(getattr(sts, op), **args)[:2] == (501, "NotImplemented")
