"""Secrets Manager with boto3 and the AWS CLI."""
import itertools
import json
import re
import sqlite3
import string
import time
import uuid

import botocore.exceptions
import pytest
import requests
from conftest import ACCOUNT, Daemon
from raw import Signed

serial = itertools.count()
ARN = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:"
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def sm(daemon):
    return daemon.client("secretsmanager")


@pytest.fixture(scope="module")
def kms(daemon):
    return daemon.client("kms")


@pytest.fixture
def name():
    return f"app/s{next(serial)}"


def refused(code, call, **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**args)
    r = e.value.response
    assert r["Error"]["Code"] == code, r["Error"]
    assert r["ResponseMetadata"]["HTTPStatusCode"] == (501 if code == "NotImplemented" else 400)
    return r["Error"]["Message"]


class Raw:
    """Operations and members that Debian's boto3 does not know yet."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __getattr__(self, op):
        def call(**args):
            r = requests.post(self.daemon.endpoint, auth=None, **self.sign(op, args))
            body = r.json()
            if r.status_code != 200:
                raise botocore.exceptions.ClientError(
                    {"Error": {"Code": body["__type"].split("#")[-1],
                               "Message": body.get("message", body.get("Message"))},
                     "ResponseMetadata": {"HTTPStatusCode": r.status_code}}, op)
            return body
        return call

    def sign(self, op, args):
        headers = [("X-Amz-Target", f"secretsmanager.{op}"),
                   ("Content-Type", "application/x-amz-json-1.1")]
        body = json.dumps(args).encode()
        signed = Signed("secretsmanager", body, headers=headers,
                        host=self.daemon.endpoint.split("/")[-1])
        return {"data": body, "headers": dict(signed.headers)}


@pytest.fixture(scope="module")
def raw(daemon):
    return Raw(daemon)


def value(sm, id, **args):
    return sm.get_secret_value(SecretId=id, **args)["SecretString"]


def stages(sm, id):
    """{value: stages}"""
    found = sm.describe_secret(SecretId=id).get("VersionIdsToStages", {})
    return {value(sm, id, VersionId=v): s for v, s in found.items()}


def test_life(sm, name):
    token = str(uuid.uuid4())
    made = sm.create_secret(Name=name, SecretString="one", Description="d",
                            ClientRequestToken=token, Tags=[{"Key": "a", "Value": "1"}])
    arn = made["ARN"]
    assert re.fullmatch(re.escape(ARN + name) + "-[A-Za-z0-9]{6}", arn)
    assert (made["Name"], made["VersionId"]) == (name, token)
    got = sm.get_secret_value(SecretId=name)
    assert (got["ARN"], got["SecretString"], got["VersionStages"], got["VersionId"]) == (
        arn, "one", ["AWSCURRENT"], token)
    assert "SecretBinary" not in got
    assert value(sm, arn) == value(sm, arn[:-7]) == "one"
    d = sm.describe_secret(SecretId=arn)
    assert d["LastAccessedDate"].timestamp() % DAY == 0
    assert d["VersionIdsToStages"] == {token: ["AWSCURRENT"]}
    assert (d["Description"], d["Tags"]) == ("d", [{"Key": "a", "Value": "1"}])
    assert "KmsKeyId" not in d and "DeletedDate" not in d and "RotationEnabled" not in d
    two = sm.put_secret_value(SecretId=name, SecretString="two")
    assert two["VersionStages"] == ["AWSCURRENT"] and two["VersionId"] != token
    assert value(sm, name) == "two"
    assert value(sm, name, VersionStage="AWSPREVIOUS") == value(sm, name, VersionId=token) == "one"
    three = sm.update_secret(SecretId=name, SecretString="three", Description="e")
    assert stages(sm, name) == {"three": ["AWSCURRENT"], "two": ["AWSPREVIOUS"]}
    assert "VersionId" not in sm.update_secret(SecretId=name, Description="f")
    assert sm.describe_secret(SecretId=name)["Description"] == "f"
    every = sm.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert [v.get("VersionStages") for v in every] == [None, ["AWSPREVIOUS"], ["AWSCURRENT"]]
    assert every[0]["KmsKeyIds"] == ["DefaultEncryptionKey"]
    live = sm.list_secret_version_ids(SecretId=name)["Versions"]
    assert [v["VersionId"] for v in live] == [two["VersionId"], three["VersionId"]]
    page = sm.list_secret_version_ids(SecretId=name, MaxResults=1)
    rest = sm.list_secret_version_ids(SecretId=name, NextToken=page["NextToken"])
    assert page["Versions"] + rest["Versions"] == live and "NextToken" not in rest
    gone = sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert gone["ARN"] == arn
    assert refused("ResourceNotFoundException", sm.get_secret_value, SecretId=name) == (
        "Secrets Manager can't find the specified secret.")
    again = sm.create_secret(Name=name, SecretString="four")
    assert again["ARN"] != arn
    refused("ResourceNotFoundException", sm.get_secret_value, SecretId=arn)


def test_refused(sm, name):
    sm.create_secret(Name=name, SecretString="v")
    assert refused("ResourceExistsException", sm.create_secret, Name=name, SecretString="v") == (
        f"The operation failed because the secret {name} already exists.")
    for bad in ("no:colons", sm.describe_secret(SecretId=name)["ARN"]):
        assert "Invalid name." in refused("ValidationException", sm.create_secret, Name=bad)
    refused("InvalidParameterException", sm.create_secret, Name=name + "b", SecretString="v",
            SecretBinary=b"v")
    refused("ResourceNotFoundException", sm.describe_secret, SecretId=name + "b")
    assert refused("InvalidRequestException", sm.put_secret_value, SecretId=name) == (
        "You must provide either SecretString or SecretBinary.")
    assert refused("ResourceNotFoundException", sm.get_secret_value, SecretId=name,
                   VersionStage="AWSPREVIOUS") == (
        "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS")
    id = str(uuid.uuid4())
    assert refused("ResourceNotFoundException", sm.get_secret_value, SecretId=name,
                   VersionId=id).endswith(f"for VersionId: {id}")
    current = sm.get_secret_value(SecretId=name)["VersionId"]
    assert "not associated" in refused("InvalidRequestException", sm.get_secret_value,
                                       SecretId=name, VersionId=current, VersionStage="OTHER")
    refused("ResourceNotFoundException", sm.get_secret_value,
            SecretId=f"arn:aws:secretsmanager:us-east-1:999999999999:secret:{name}")
    for call, args in ((sm.rotate_secret, {}), (sm.cancel_rotate_secret, {}),
                       (sm.replicate_secret_to_regions,
                        {"AddReplicaRegions": [{"Region": "us-west-2"}]}),
                       (sm.stop_replication_to_replica, {})):
        refused("NotImplemented", call, SecretId=name, **args)
    assert "AddReplicaRegions" in refused("NotImplemented", sm.create_secret, Name=name + "r",
                                          AddReplicaRegions=[{"Region": "us-west-2"}])


def test_tokens(sm, name):
    """The same request again is the same version; another under its token is refused."""
    token = str(uuid.uuid4())
    first = sm.create_secret(Name=name, SecretString="v", ClientRequestToken=token)
    same = sm.create_secret(Name=name, SecretString="v", ClientRequestToken=token)
    assert (first["ARN"], first["VersionId"]) == (same["ARN"], same["VersionId"])
    why = (f"You can't use ClientRequestToken {token} because that value is already in use for a "
           f"version of secret {first['ARN']}.")
    for call, id in ((sm.create_secret, "Name"), (sm.put_secret_value, "SecretId"),
                     (sm.update_secret, "SecretId")):
        assert refused("ResourceExistsException", call, **{id: name}, SecretString="w",
                       ClientRequestToken=token) == why
    refused("ResourceExistsException", sm.put_secret_value, SecretId=name, SecretBinary=b"v",
            ClientRequestToken=token)
    assert sm.put_secret_value(SecretId=name, SecretString="v",
                               ClientRequestToken=token)["VersionId"] == token
    refused("ResourceExistsException", sm.create_secret, Name=name, ClientRequestToken=token)
    assert len(sm.list_secret_version_ids(SecretId=name)["Versions"]) == 1


def test_binary(sm, name):
    sm.create_secret(Name=name, SecretBinary=bytes(range(256)))
    got = sm.get_secret_value(SecretId=name)
    assert got["SecretBinary"] == bytes(range(256)) and "SecretString" not in got


def test_empty_then_first_version(sm, name):
    assert "VersionId" not in sm.create_secret(Name=name)
    assert "VersionIdsToStages" not in sm.describe_secret(SecretId=name)
    assert refused("ResourceNotFoundException", sm.get_secret_value, SecretId=name) == (
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
    first = sm.put_secret_value(SecretId=name, SecretString="v", VersionStages=["MINE"])
    assert first["VersionStages"] == ["AWSCURRENT", "MINE"]


def test_stages(sm, name):
    one = sm.create_secret(Name=name, SecretString="1")["VersionId"]
    two = sm.put_secret_value(SecretId=name, SecretString="2",
                              VersionStages=["PUT1", "AWSPENDING"])["VersionId"]
    assert stages(sm, name) == {"1": ["AWSCURRENT"], "2": ["AWSPENDING", "PUT1"]}
    move = dict(SecretId=name, VersionStage="AWSCURRENT")
    assert refused("InvalidParameterException", sm.update_secret_version_stage, **move,
                   MoveToVersionId=two) == (
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "
        f"attached to version {one}, so you must explicitly reference that version in "
        "RemoveFromVersionId.")
    assert "can't be completely removed" in " ".join(refused(
        "InvalidParameterException", sm.update_secret_version_stage, **move,
        RemoveFromVersionId=one).split())
    refused("InvalidParameterException", sm.update_secret_version_stage, **move,
            RemoveFromVersionId=two, MoveToVersionId=one)
    refused("InvalidParameterException", sm.update_secret_version_stage, **move,
            RemoveFromVersionId=one, MoveToVersionId=str(uuid.uuid4()))
    assert stages(sm, name) == {"1": ["AWSCURRENT"], "2": ["AWSPENDING", "PUT1"]}
    sm.update_secret_version_stage(**move, RemoveFromVersionId=one, MoveToVersionId=two)
    assert stages(sm, name) == {"1": ["AWSPREVIOUS"], "2": ["AWSCURRENT", "AWSPENDING", "PUT1"]}
    # Back again.
    sm.update_secret_version_stage(**move, RemoveFromVersionId=two, MoveToVersionId=one)
    assert stages(sm, name) == {"1": ["AWSCURRENT"], "2": ["AWSPENDING", "AWSPREVIOUS", "PUT1"]}
    sm.update_secret_version_stage(SecretId=name, VersionStage="PUT1", RemoveFromVersionId=two)
    sm.update_secret_version_stage(SecretId=name, VersionStage="NEW", MoveToVersionId=one)
    assert stages(sm, name) == {"1": ["AWSCURRENT", "NEW"], "2": ["AWSPENDING", "AWSPREVIOUS"]}


def test_deletion(sm, raw, name):
    sm.create_secret(Name=name, SecretString="v")
    for days in (6, 31):
        assert "between 7 and 30" in refused("InvalidParameterException", sm.delete_secret,
                                             SecretId=name, RecoveryWindowInDays=days)
    refused("InvalidParameterException", sm.delete_secret, SecretId=name, RecoveryWindowInDays=7,
            ForceDeleteWithoutRecovery=True)
    gone = sm.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert 7 * DAY - 60 < gone["DeletionDate"].timestamp() - time.time() < 7 * DAY + 60
    marked = "You can't perform this operation on the secret because it was marked for deletion."
    for call, args in ((sm.get_secret_value, {}), (sm.put_secret_value, {"SecretString": "x"}),
                       (sm.update_secret, {"Description": "x"}), (sm.delete_secret, {}),
                       (sm.tag_resource, {"Tags": [{"Key": "k", "Value": "v"}]})):
        assert refused("InvalidRequestException", call, SecretId=name, **args) == marked
    assert "already scheduled for deletion" in refused("InvalidRequestException", sm.create_secret,
                                                       Name=name, SecretString="v")
    assert sm.describe_secret(SecretId=name)["DeletedDate"] == gone["DeletionDate"]
    mine = [{"Key": "name", "Values": [name]}]
    assert not sm.list_secrets(Filters=mine)["SecretList"]
    assert raw.ListSecrets(Filters=mine, IncludePlannedDeletion=True)["SecretList"]
    sm.restore_secret(SecretId=name)
    assert value(sm, name) == "v"
    # Force needs nothing to be there.
    sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)["Name"] == name


def test_list(sm, raw):
    tag = f"list{next(serial)}"
    made = {}
    for n, text in (("b", "the blue door"), ("a", "Red door"), ("c", "")):
        made[n] = sm.create_secret(Name=f"{tag}/{n}", Description=text, SecretString="v",
                                   Tags=[{"Key": f"k{n}", "Value": tag}])["ARN"]

    def names(*filters, **args):
        found = raw.ListSecrets(Filters=[{"Key": "name", "Values": [tag + "/"]}, *filters], **args)
        return [s["Name"][len(tag) + 1:] for s in found["SecretList"]]

    assert names() == ["b", "a", "c"]
    assert names(SortBy="name") == ["a", "b", "c"]
    assert names(SortOrder="desc") == ["c", "a", "b"]
    sm.update_secret(SecretId=f"{tag}/b", Description="the blue door")
    assert names(SortBy="last-changed-date")[-1] == "b"
    assert names({"Key": "description", "Values": ["RED"]}) == ["a"]
    assert names({"Key": "description", "Values": ["door"]}) == ["b", "a"]
    assert names({"Key": "tag-key", "Values": ["kc", "ka"]}) == ["a", "c"]
    assert names({"Key": "tag-value", "Values": ["!" + tag]}) == []
    assert names({"Key": "all", "Values": ["door blue"]}) == ["b"]
    assert names({"Key": "primary-region", "Values": ["us-west"]}) == []
    asked = dict(Filters=[{"Key": "name", "Values": [tag]}], MaxResults=2, SortBy="name")
    page = raw.ListSecrets(**asked)
    rest = raw.ListSecrets(**asked, NextToken=page["NextToken"])
    assert [s["Name"][-1] for s in page["SecretList"] + rest["SecretList"]] == ["a", "b", "c"]
    assert "NextToken" not in rest
    refused("InvalidNextTokenException", sm.list_secrets, NextToken="nonsense")
    first = page["SecretList"][0]
    assert list(first["SecretVersionsToStages"].values()) == [["AWSCURRENT"]]


def test_batch(sm, raw):
    tag = f"batch{next(serial)}"
    for n in "abc":
        sm.create_secret(Name=f"{tag}/{n}", SecretString=n)
    got = raw.BatchGetSecretValue(SecretIdList=[f"{tag}/b", f"{tag}/no", f"{tag}/a"])
    assert [v["SecretString"] for v in got["SecretValues"]] == ["b", "a"]
    assert got["Errors"] == [{"SecretId": f"{tag}/no", "ErrorCode": "ResourceNotFoundException",
                              "Message": "Secrets Manager can't find the specified secret."}]
    mine = [{"Key": "name", "Values": [tag]}]
    page = raw.BatchGetSecretValue(Filters=mine, MaxResults=2)
    rest = raw.BatchGetSecretValue(Filters=mine, NextToken=page["NextToken"])
    assert [v["SecretString"] for v in page["SecretValues"] + rest["SecretValues"]] == list("abc")
    refused("InvalidParameterException", raw.BatchGetSecretValue)
    refused("InvalidParameterException", raw.BatchGetSecretValue, Filters=mine,
            SecretIdList=[f"{tag}/a"])


def test_password(sm):
    def make(**args):
        return sm.get_random_password(**args)["RandomPassword"]

    for _ in range(20):
        p = make()
        assert len(p) == 32
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits,
                     string.punctuation):
            assert set(p) & set(kind)
        assert not set(p) - set(string.ascii_letters + string.digits + string.punctuation)
    p = make(PasswordLength=4096, ExcludePunctuation=True, ExcludeCharacters="abcABC123",
             IncludeSpace=True)
    assert len(p) == 4096
    assert set(p) == set(string.ascii_letters + string.digits + " ") - set("abcABC123")
    # The required ones are anywhere.
    assert len({make(PasswordLength=4)[0].isdigit() for _ in range(64)}) == 2
    only = dict(ExcludePunctuation=True, ExcludeUppercase=True, ExcludeLowercase=True)
    assert make(**only).isdigit()
    assert "too short" in refused("InvalidParameterException", make, PasswordLength=3)
    assert len(make(PasswordLength=3, RequireEachIncludedType=False)) == 3
    assert "desired type" in refused("InvalidParameterException", make,
                                     ExcludeCharacters="0123456789")
    assert "from selection" in refused("InvalidParameterException", make, **only,
                                       ExcludeNumbers=True)
    refused("ValidationException", make, PasswordLength=4097)


def test_policy(sm, name):
    sm.create_secret(Name=name, SecretString="v")
    assert "ResourcePolicy" not in sm.get_resource_policy(SecretId=name)

    def policy(principal, **more):
        return json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": principal, "Action": "secretsmanager:GetSecretValue",
            "Resource": "*", **more}]})

    mine = policy({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    sm.put_resource_policy(SecretId=name, ResourcePolicy=mine, BlockPublicPolicy=True)
    assert sm.get_resource_policy(SecretId=name)["ResourcePolicy"] == mine
    for bad in ("{", "[]", json.dumps({"Statement": []}),
                policy("*", Effect="Maybe"), json.dumps({"Statement": [{"Effect": "Allow"}]})):
        refused("MalformedPolicyDocumentException", sm.put_resource_policy, SecretId=name,
                ResourcePolicy=bad)
    refused("PublicPolicyException", sm.put_resource_policy, SecretId=name,
            ResourcePolicy=policy({"AWS": ["*"]}), BlockPublicPolicy=True)
    assert sm.get_resource_policy(SecretId=name)["ResourcePolicy"] == mine
    assert sm.validate_resource_policy(ResourcePolicy=mine)["PolicyValidationPassed"]
    no = sm.validate_resource_policy(SecretId=name, ResourcePolicy=policy("*"))
    assert not no["PolicyValidationPassed"] and no["ValidationErrors"]
    sm.delete_resource_policy(SecretId=name)
    assert "ResourcePolicy" not in sm.get_resource_policy(SecretId=name)


def test_tags(sm, daemon, name):
    arn = sm.create_secret(Name=name, SecretString="v")["ARN"]
    sm.tag_resource(SecretId=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sm.untag_resource(SecretId=arn, TagKeys=["a"])
    assert sm.describe_secret(SecretId=name)["Tags"] == [{"Key": "b", "Value": "2"}]
    tagging = daemon.client("resourcegroupstaggingapi")
    tagging.tag_resources(ResourceARNList=[arn], Tags={"PRNumber": name})
    found = tagging.get_resources(TagFilters=[{"Key": "PRNumber", "Values": [name]}])
    assert [r["ResourceARN"] for r in found["ResourceTagMappingList"]] == [arn]
    refused("InvalidParameterException", sm.tag_resource, SecretId=name,
            Tags=[{"Key": "aws:x", "Value": "1"}])


def test_kms_key(sm, kms, name):
    """A key of one's own: used for new and, once it changes, for living versions."""
    first, second = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    sm.create_secret(Name=name, SecretString="1", KmsKeyId=first)
    sm.put_secret_value(SecretId=name, SecretString="2")
    assert sm.describe_secret(SecretId=name)["KmsKeyId"] == first
    sm.update_secret(SecretId=name, KmsKeyId=second)
    kms.disable_key(KeyId=first)
    assert (value(sm, name), value(sm, name, VersionStage="AWSPREVIOUS")) == ("2", "1")
    kms.disable_key(KeyId=second)
    assert "can't decrypt" in refused("DecryptionFailure", sm.get_secret_value, SecretId=name)
    assert "can't encrypt" in refused("EncryptionFailure", sm.put_secret_value, SecretId=name,
                                      SecretString="3")
    kms.enable_key(KeyId=second)
    assert stages(sm, name) == {"2": ["AWSCURRENT"], "1": ["AWSPREVIOUS"]}
    keys = {k for v in sm.list_secret_version_ids(SecretId=name)["Versions"]
            for k in v["KmsKeyIds"]}
    assert keys == {second}
    sm.update_secret(SecretId=name, KmsKeyId="alias/aws/secretsmanager")
    assert "KmsKeyId" not in sm.describe_secret(SecretId=name)
    kms.disable_key(KeyId=second)
    assert value(sm, name) == "2"
    refused("ResourceNotFoundException", sm.create_secret, Name=name + "n", SecretString="v",
            KmsKeyId=str(uuid.uuid4()))


def test_regions(daemon, sm, name):
    sm.create_secret(Name=name, SecretString="here")
    there = daemon.client("secretsmanager", region="eu-west-1")
    refused("ResourceNotFoundException", there.get_secret_value, SecretId=name)
    there.create_secret(Name=name, SecretString="there")
    assert (value(sm, name), value(there, name)) == ("here", "there")


def test_aws_cli(daemon, name):
    made = json.loads(daemon.aws("secretsmanager", "create-secret", "--name", name,
                                 "--secret-string", '{"user":"u"}'))
    got = daemon.aws("secretsmanager", "get-secret-value", "--secret-id", made["ARN"], "--query",
                     "SecretString", "--output", "text")
    assert json.loads(got) == {"user": "u"}


def test_at_rest_and_at_its_time():
    """Nothing of a value is readable on disk; old versions and secrets whose time has come go, also
    when that time was while nothing ran."""
    d = Daemon()
    try:
        sm = d.client("secretsmanager")
        secret = "x" * 300 + "hunter2-horse"
        for n in ("past", "soon", "later", "busy"):
            sm.create_secret(Name=n, SecretString=secret)
        for n in ("past", "soon", "later"):
            sm.delete_secret(SecretId=n)
        for i in range(104):
            sm.put_secret_value(SecretId="busy", SecretString=str(i))
        assert versions(sm) == 105  # all of today
        d.kill()
        state = f"{d.state}/state.db"
        assert b"hunter2" not in b"".join(open(f, "rb").read() for f in files(d.state))
        db = sqlite3.connect(state)
        moved = "update resource set spec = json_set(spec, '$.Deletion', ?) where id like ?"
        db.execute(moved, (1000, "past-%"))
        db.execute(moved, (int(time.time() * 1000) + 1500, "soon-%"))
        db.execute("update resource set spec = json_set(spec, '$.Created', 1000) "
                   "where parent like 'busy-%'")
        db.commit()
        db.close()
        d.start()
        sm = d.client("secretsmanager")
        assert names(Raw(d)) - {"soon"} == {"later", "busy"}
        end = time.monotonic() + 10
        while "soon" in names(Raw(d)):
            assert time.monotonic() < end
            time.sleep(0.05)
        db = sqlite3.connect(f"file:{state}?mode=ro", uri=True)
        assert not db.execute("select 1 from resource where parent like 'soon-%' or "
                              "parent like 'past-%'").fetchall()
        db.close()
        sm.restore_secret(SecretId="later")
        assert value(sm, "later") == secret
        sm.put_secret_value(SecretId="busy", SecretString="last")
        assert versions(sm) == 100
        assert value(sm, "busy", VersionStage="AWSPREVIOUS") == "103"
    finally:
        d.stop()


def files(state):
    import pathlib
    return [f for f in pathlib.Path(state).rglob("*") if f.is_file()]


def names(raw):
    return {s["Name"] for s in raw.ListSecrets(IncludePlannedDeletion=True)["SecretList"]}


def versions(sm):
    n, token = 0, {}
    while True:
        page = sm.list_secret_version_ids(SecretId="busy", IncludeDeprecated=True, **token)
        n += len(page["Versions"])
        if "NextToken" not in page:
            return n
        token = {"NextToken": page["NextToken"]}
