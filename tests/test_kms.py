"""AWS KMS with boto3 and the AWS CLI."""
import base64
import datetime
import itertools
import json
import os
import shutil
import stat
import time

import botocore.exceptions
import pytest

from conftest import ACCOUNT, Daemon
from raw import Signed, send

serial = itertools.count()
ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:"
ABSENT = "12345678-1234-4234-8234-123456789012"


@pytest.fixture(scope="module")
def kms(daemon):
    return daemon.client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


def refused(code, call, **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**args)
    r = e.value.response
    assert r["Error"]["Code"] == code, r["Error"]
    assert r["ResponseMetadata"]["HTTPStatusCode"] == (501 if code == "NotImplemented" else 400)
    return r["Error"]["Message"]


def test_create(kms):
    m = kms.create_key(Description="mine", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    created = m.pop("CreationDate")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - created).total_seconds()) < 60
    key = m["KeyId"]
    assert m == {
        "AWSAccountId": ACCOUNT, "KeyId": key, "Arn": f"{ARN}key/{key}", "Enabled": True,
        "Description": "mine", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
        "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False}
    for name in (key, m["Arn"]):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == {**m, "CreationDate": created}
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "1"}]
    kms.update_key_description(KeyId=key, Description="ours")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "ours"


@pytest.mark.parametrize("args", [
    {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, {"Origin": "EXTERNAL"},
    {"MultiRegion": True}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}])
def test_not_implemented(kms, args):
    assert "is not implemented" in refused("NotImplemented", kms.create_key, **args)


@pytest.mark.parametrize("name,message", [
    (ABSENT, f"Key '{ARN}key/{ABSENT}' does not exist"),
    (f"{ARN}key/{ABSENT}", f"Key '{ARN}key/{ABSENT}' does not exist"),
    ("alias/absent", f"Alias {ARN}alias/absent is not found."),
    ("junk", "Invalid keyId 'junk'"),
    (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{ABSENT}", "Invalid arn eu-west-1"),
])
def test_not_found(kms, name, message):
    assert refused("NotFoundException", kms.describe_key, KeyId=name) == message
    assert refused("NotFoundException", kms.encrypt, KeyId=name, Plaintext=b"x") == message


def test_round_trip(kms, key):
    text = bytes(range(256)) * 16
    context = {"b": "2", "a": "1", "ü": "ñ"}
    e = kms.encrypt(KeyId=key, Plaintext=text, EncryptionContext=context)
    assert e["KeyId"] == f"{ARN}key/{key}" and e["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    blob = e["CiphertextBlob"]
    assert text[:64] not in blob and len(blob) <= 6144
    assert blob != kms.encrypt(KeyId=key, Plaintext=text,
                               EncryptionContext=context)["CiphertextBlob"]
    for args in ({}, {"KeyId": key}):
        d = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, **args)
        assert d["Plaintext"] == text and d["KeyId"] == e["KeyId"]
    for wrong in ({}, {"a": "1"}, {**context, "c": ""}, {**context, "A": "1"}):
        assert refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob,
                       EncryptionContext=wrong) == ""
    for bad in (b"x", blob[:-1], blob[:20], bytes([blob[0] ^ 1]) + blob[1:],
                blob[:-1] + bytes([blob[-1] ^ 1])):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=bad,
                EncryptionContext=context)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=blob, KeyId=other,
            EncryptionContext=context)
    refused("ValidationException", kms.encrypt, KeyId=key, Plaintext=b"x" * 4097)
    refused("ValidationException", kms.encrypt, KeyId=key, Plaintext=b"")
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=key, Plaintext=b"x",
            EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def newer(daemon, op, **members):
    """An operation, or a member, that Debian's botocore does not know."""
    req = Signed("kms", json.dumps(members).encode(), headers=[
        ("X-Amz-Target", "TrentService." + op), ("Content-Type", "application/x-amz-json-1.1")])
    status, code, answer = send(daemon, req)
    return status, code if status != 200 else json.loads(
        answer.partition(b"\r\n\r\n")[2] or b"{}")


def test_dry_run(daemon, kms, key):
    assert newer(daemon, "Encrypt", KeyId=key, Plaintext="eA==", DryRun=True) == (
        400, "DryRunOperationException")
    assert newer(daemon, "Encrypt", KeyId=key, Plaintext="eA==", DryRun=False)[0] == 200


def test_other_region(daemon, kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert refused("AccessDeniedException", daemon.client("kms", region="eu-west-1").decrypt,
                   CiphertextBlob=blob).startswith("The ciphertext refers to a customer master key")


def test_reencrypt(kms, key):
    to = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    r = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "1"},
                       DestinationKeyId=to, DestinationEncryptionContext={"b": "2"})
    assert r["SourceKeyId"] == f"{ARN}key/{key}" and r["KeyId"] == to
    d = kms.decrypt(CiphertextBlob=r["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert d["Plaintext"] == b"x" and d["KeyId"] == to


def test_data_keys(kms, key):
    for args, n in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16),
                    ({"NumberOfBytes": 100}, 100)):
        r = kms.generate_data_key(KeyId=key, EncryptionContext={"a": "b"}, **args)
        assert len(r["Plaintext"]) == n
        assert kms.decrypt(CiphertextBlob=r["CiphertextBlob"],
                           EncryptionContext={"a": "b"})["Plaintext"] == r["Plaintext"]
    r = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in r and len(kms.decrypt(
        CiphertextBlob=r["CiphertextBlob"])["Plaintext"]) == 32
    for bad in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 3}):
        assert refused("ValidationException", kms.generate_data_key, KeyId=key, **bad) == (
            "Please specify either number of bytes or key spec.")
    refused("ValidationException", kms.generate_data_key, KeyId=key, NumberOfBytes=1025)
    assert len(kms.generate_random(NumberOfBytes=77)["Plaintext"]) == 77
    assert kms.generate_random(NumberOfBytes=32) != kms.generate_random(NumberOfBytes=32)


def test_states(kms, key):
    arn = f"{ARN}key/{key}"
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"] is False
    for call, args in ((kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
                       (kms.decrypt, {"CiphertextBlob": blob}),
                       (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
                       (kms.enable_key_rotation, {"KeyId": key})):
        assert refused("DisabledException", call, **args) == f"{arn} is disabled."
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused("KMSInvalidStateException", kms.cancel_key_deletion, KeyId=key) == (
        f"{arn} is not pending deletion.")
    refused("ValidationException", kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=6)
    r = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    days = (r["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert abs(days - 7 * 86400) < 60
    assert (r["KeyId"], r["KeyState"], r["PendingWindowInDays"]) == (arn, "PendingDeletion", 7)
    m = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert m["KeyState"] == "PendingDeletion" and m["DeletionDate"] == r["DeletionDate"]
    for call, args in ((kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
                       (kms.decrypt, {"CiphertextBlob": blob}), (kms.enable_key, {"KeyId": key}),
                       (kms.schedule_key_deletion, {"KeyId": key})):
        assert refused("KMSInvalidStateException", call, **args) == f"{arn} is pending deletion."
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == arn
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_aliases(kms, key):
    name = f"alias/app-{next(serial)}"
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=name, TargetKeyId=f"{ARN}key/{key}")
    assert refused("AlreadyExistsException", kms.create_alias, AliasName=name,
                   TargetKeyId=other) == f"An alias with the name {ARN}{name} already exists"
    blob = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
    assert kms.describe_key(KeyId=ARN + name)["KeyMetadata"]["KeyId"] == key
    a, = kms.list_aliases(KeyId=key)["Aliases"]
    assert (a["AliasName"], a["AliasArn"], a["TargetKeyId"]) == (name, ARN + name, key)
    kms.update_alias(AliasName=name, TargetKeyId=other)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=blob, KeyId=name)
    assert kms.list_aliases(KeyId=key)["Aliases"] == []
    kms.delete_alias(AliasName=name)
    for call in (kms.delete_alias, lambda **a: kms.update_alias(TargetKeyId=key, **a)):
        assert refused("NotFoundException", call, AliasName=name) == (
            f"Alias {ARN}{name} is not found.")
    assert refused("ValidationException", kms.create_alias, AliasName="x", TargetKeyId=key) == (
        "Invalid identifier")
    refused("ValidationException", kms.create_alias, AliasName="alias/a b", TargetKeyId=key)
    refused("ValidationException", kms.create_alias, AliasName="alias/y", TargetKeyId=name)
    refused("NotAuthorizedException", kms.create_alias, AliasName="alias/aws/x", TargetKeyId=key)


def test_managed(kms):
    m = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert m["KeyManager"] == "AWS" and m["KeyState"] == "Enabled"
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"] == m["KeyId"]
    assert "alias/aws/s3" in [a["AliasName"] for a in kms.list_aliases()["Aliases"]]
    assert kms.get_key_rotation_status(KeyId=m["KeyId"])["KeyRotationEnabled"]
    assert "is not authorized to perform: kms:Encrypt on resource: " + m["Arn"] in refused(
        "AccessDeniedException", kms.encrypt, KeyId="alias/aws/s3", Plaintext=b"x")
    for call in (kms.schedule_key_deletion, kms.disable_key, kms.enable_key_rotation):
        refused("AccessDeniedException", call, KeyId=m["KeyId"])
    refused("NotFoundException", kms.describe_key, KeyId="alias/aws/other")


def test_policies(kms, key):
    p = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert p["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    p["Statement"][0]["Sid"] = "mine"
    text = json.dumps(p)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == text
    for bad in ("junk", "[]", "{}", '{"Statement":[]}', '{"Statement":[{"Effect":"Allow"}]}'):
        refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key,
                PolicyName="default", Policy=bad)
        refused("MalformedPolicyDocumentException", kms.create_key, Policy=bad)
    assert refused("NotFoundException", kms.get_key_policy, KeyId=key, PolicyName="x") == (
        "No such policy exists")


def test_rotation(daemon, kms, key):
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    newer(daemon, "EnableKeyRotation", KeyId=key, RotationPeriodInDays=100)
    s = newer(daemon, "GetKeyRotationStatus", KeyId=key)[1]
    assert s["KeyRotationEnabled"] and s["RotationPeriodInDays"] == 100
    assert abs(s["NextRotationDate"] - time.time() - 100 * 86400) < 60
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    before = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert newer(daemon, "RotateKeyOnDemand", KeyId=key) == (200, {"KeyId": f"{ARN}key/{key}"})
    after = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    replies = [newer(daemon, "Decrypt", CiphertextBlob=base64.b64encode(b).decode())[1]
               for b in (before, after)]
    assert [r["Plaintext"] for r in replies] == ["eA==", "eA=="]
    ids = [r["KeyMaterialId"] for r in replies]
    assert ids[0] != ids[1]
    rotation, = newer(daemon, "ListKeyRotations", KeyId=key)[1]["Rotations"]
    assert rotation["RotationType"] == "ON_DEMAND" and rotation["KeyMaterialId"] == ids[1]
    assert newer(daemon, "EnableKeyRotation", KeyId=key, RotationPeriodInDays=89) == (
        400, "ValidationException")


def test_tags(daemon, kms, key):
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"k{i}", "TagValue": str(i)} for i in range(5)])
    kms.untag_resource(KeyId=key, TagKeys=["k1", "absent"])
    page = kms.list_resource_tags(KeyId=key, Limit=3)
    assert page["Truncated"] and [t["TagKey"] for t in page["Tags"]] == ["k0", "k2", "k3"]
    rest = kms.list_resource_tags(KeyId=key, Limit=3, Marker=page["NextMarker"])
    assert not rest["Truncated"] and [t["TagKey"] for t in rest["Tags"]] == ["k4"]
    refused("TagException", kms.tag_resource, KeyId=key,
            Tags=[{"TagKey": "aws:x", "TagValue": ""}])
    refused("TagException", kms.tag_resource, KeyId=key,
            Tags=[{"TagKey": f"m{i}", "TagValue": ""} for i in range(50)])
    rgt = daemon.client("resourcegroupstaggingapi")
    arn = f"{ARN}key/{key}"
    assert rgt.tag_resources(ResourceARNList=[arn], Tags={"by": "rgt"})["FailedResourcesMap"] == {}
    found = rgt.get_resources(TagFilters=[{"Key": "by", "Values": ["rgt"]}])
    assert [r["ResourceARN"] for r in found["ResourceTagMappingList"]] == [arn]


def test_pages(daemon):
    kms = daemon.client("kms", region="eu-central-1")
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)]
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert [k["KeyId"] for p in pages for k in p["Keys"]] == keys and len(pages) == 3
    refused("InvalidMarkerException", kms.list_keys, Marker="junk")


def test_cli(daemon):
    key = json.loads(daemon.aws("kms", "create-key"))["KeyMetadata"]["KeyId"]
    blob = daemon.aws("kms", "encrypt", "--key-id", key, "--plaintext",
                      base64.b64encode(b"hello").decode(), "--query", "CiphertextBlob",
                      "--output", "text").strip()
    assert base64.b64decode(daemon.aws("kms", "decrypt", "--ciphertext-blob", blob, "--query",
                                       "Plaintext", "--output", "text")) == b"hello"


def test_at_rest():
    """Keys outlive a kill; without its root key, the store does not open."""
    d = Daemon()
    path = os.path.join(d.state, "root.key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and os.stat(path).st_size == 32
    kms = d.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    d.kill()
    d.start()
    assert d.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    d.kill()
    os.rename(path, path + ".away")
    with pytest.raises(AssertionError, match="root.key, which the secrets"):
        d.start()
    assert not os.path.exists(path)
    with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(b"x" * 32)
    with pytest.raises(AssertionError, match="not the key of this store"):
        d.start()
    os.rename(path + ".away", path)
    d.start()
    assert d.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    d.process.terminate()
    assert d.process.wait(timeout=20) == 0
    d.start()
    d.process.terminate()
    assert d.process.wait(timeout=20) == 0
    shutil.rmtree(d.state)
