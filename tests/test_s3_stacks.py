"""Buckets, policies and keys that stacks make."""
import json

import pytest

from test_cloudformation import delete, events, text, wait
from test_s3 import error

DENY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
# What CDK's Bucket construct and its bootstrap template send.
ALL = {
    "Key": {"Type": "AWS::KMS::Key", "Properties": {
        "Description": "of assets", "EnableKeyRotation": True, "PendingWindowInDays": 7,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
            "Action": "kms:*", "Resource": "*"}]}}},
    "Alias": {"Type": "AWS::KMS::Alias", "Properties": {
        "AliasName": "alias/assets", "TargetKeyId": {"Ref": "Key"}}},
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
        "AccessControl": "Private",
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{
            "ServerSideEncryptionByDefault": {
                "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True},
        "VersioningConfiguration": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [
            {"Id": "CleanupOldVersions", "Status": "Enabled",
             "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
            {"Id": "AbortIncompleteMultipartUploads", "Status": "Enabled",
             "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
            {"Status": "Enabled", "ExpirationInDays": 9, "Prefix": "logs/",
             "TagFilters": [{"Key": "a", "Value": "b"}], "ObjectSizeGreaterThan": "5"},
            {"Status": "Disabled", "ExpirationDate": "2030-01-01T00:00:00Z", "Prefix": "x",
             "NoncurrentVersionExpirationInDays": 3}]},
        "Tags": [{"Key": "own", "Value": "1"}]}},
    "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {
        "Bucket": {"Ref": "Bucket"}, "PolicyDocument": DENY}},
}
OUTPUTS = {n: {"Value": {"Fn::GetAtt": ["Bucket", n]}}
           for n in ("Arn", "DomainName", "RegionalDomainName", "DualStackDomainName")}


def make(cfn, name, resources, update=False, **args):
    call = cfn.update_stack if update else cfn.create_stack
    call(StackName=name, TemplateBody=text({"Resources": resources, **args.pop("more", {})}),
         **args)
    return wait(cfn, name)


def without(resources, name, *props):
    r = json.loads(json.dumps(resources))
    for p in props:
        del r[name]["Properties"][p]
    return r


def test_bucket(client):
    cfn, s3, kms = client("cloudformation"), client("s3"), client("kms")
    stack = make(cfn, "Buckets-Upper", ALL, Tags=[{"Key": "PRNumber", "Value": "9"}], more={
        "Outputs": {**OUTPUTS, "Key": {"Value": {"Ref": "Key"}}, "Name": {
            "Value": {"Ref": "Bucket"}}}})
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "Buckets-Upper")
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    name = out["Name"]
    assert name.startswith("buckets-upper-bucket-") and name == name.lower()
    assert out["Arn"] == "arn:aws:s3:::" + name
    assert out["DomainName"] == name + ".s3.amazonaws.com"
    assert out["RegionalDomainName"] == name + ".s3.us-east-1.amazonaws.com"
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = kms.describe_key(KeyId="alias/assets")["KeyMetadata"]
    assert key["KeyId"] == out["Key"] and key["Description"] == "of assets"
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    assert kms.get_key_rotation_status(KeyId=out["Key"])["KeyRotationEnabled"] is True
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == DENY
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules[0]["Filter"] == {"Prefix": ""} and rules[0]["ID"] == "CleanupOldVersions"
    assert rules[1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rules[2]["Filter"] == {"And": {"Prefix": "logs/", "ObjectSizeGreaterThan": 5,
                                          "Tags": [{"Key": "a", "Value": "b"}]}}
    assert rules[2]["Expiration"] == {"Days": 9}
    assert rules[3]["Filter"] == {"Prefix": "x"}
    assert rules[3]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 3}
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["own"] == "1" and tags["PRNumber"] == "9"
    assert tags["aws:cloudformation:logical-id"] == "Bucket"

    changed = without(ALL, "Bucket", "BucketEncryption", "LifecycleConfiguration", "Tags",
                      "VersioningConfiguration", "OwnershipControls")
    changed["Key"]["Properties"].update(Description="changed", EnableKeyRotation=False,
                                        Enabled="false")
    changed["Policy"]["Properties"]["PolicyDocument"]["Statement"][0]["Sid"] = "changed"
    stack = make(cfn, "Buckets-Upper", changed, update=True,
                 Tags=[{"Key": "PRNumber", "Value": "10"}])
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "Buckets-Upper")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
    assert error(s3.get_bucket_lifecycle_configuration, Bucket=name)[0] == 404
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0][
        "Sid"] == "changed"
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert "own" not in tags and tags["PRNumber"] == "10"
    key = kms.describe_key(KeyId=out["Key"])["KeyMetadata"]
    assert key["Description"] == "changed" and key["KeyState"] == "Disabled"
    stack = make(cfn, "Buckets-Upper", ALL, update=True)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "Buckets-Upper")
    assert kms.describe_key(KeyId=out["Key"])["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.get_key_rotation_status(KeyId=out["Key"])["KeyRotationEnabled"] is True
    delete(cfn, stack)
    assert error(s3.head_bucket, Bucket=name)[0] == 404
    assert kms.describe_key(KeyId=out["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert error(kms.describe_key, KeyId="alias/assets")[1] == "NotFoundException"


def test_not_empty(client):
    cfn, s3 = client("cloudformation"), client("s3")
    bucket = {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-of-things"}}}
    stack = make(cfn, "full", bucket)
    s3.put_object(Bucket="full-of-things", Key="k", Body=b"x")
    cfn.delete_stack(StackName="full")
    assert wait(cfn, stack["StackId"])["StackStatus"] == "DELETE_FAILED"
    why = [e[2] for e in events(cfn, "full") if e[:2] == ("B", "DELETE_FAILED")][0]
    assert why.startswith('Resource handler returned message: "The bucket you tried to delete is '
                          "not empty (Service: S3, Status Code: 409, "), why
    s3.delete_object(Bucket="full-of-things", Key="k")
    delete(cfn, stack)


def test_names_taken(client):
    """What is there already is not taken over, nor taken away by the rollback."""
    cfn, s3 = client("cloudformation"), client("s3")
    s3.create_bucket(Bucket="somebodys-own")
    s3.put_bucket_policy(Bucket="somebodys-own", Policy=json.dumps(DENY))
    for type, props, word in (
            ("Bucket", {"BucketName": "somebodys-own"}, "AlreadyExists"),
            ("BucketPolicy", {"Bucket": "somebodys-own", "PolicyDocument": DENY},
             "The bucket policy already exists on bucket somebodys-own."),
            ("BucketPolicy", {"Bucket": "nobodys", "PolicyDocument": DENY}, "does not exist")):
        stack = make(cfn, "taken", {"R": {"Type": "AWS::S3::" + type, "Properties": props}})
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert any(word in e[2] for e in events(cfn, "taken")), events(cfn, "taken")
        delete(cfn, stack)
    assert json.loads(s3.get_bucket_policy(Bucket="somebodys-own")["Policy"]) == DENY


@pytest.mark.parametrize("props,word", [
    ({"WebsiteConfiguration": {"IndexDocument": "i"}}, "WebsiteConfiguration"),
    ({"CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
     "CorsConfiguration"),
    ({"ObjectLockEnabled": True}, "ObjectLockEnabled"),
    ({"AccessControl": "PublicRead"}, "AccessControl"),
    ({"LoggingConfiguration": {}}, "LoggingConfiguration"),
    ({"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
     "NotificationConfiguration"),
    ({"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Transitions": [
        {"StorageClass": "GLACIER", "TransitionInDays": 1}]}]}}, "ransition"),
])
def test_refused_by_name(client, props, word):
    cfn = client("cloudformation")
    stack = make(cfn, "refused", {"R": {"Type": "AWS::S3::Bucket", "Properties": props}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(word in e[2] and "not implemented" in e[2] for e in events(cfn, "refused")), events(
        cfn, "refused")
    delete(cfn, stack)


def test_elsewhere(client):
    cfn = client("cloudformation", region="eu-west-1")
    stack = make(cfn, "west", {"B": {"Type": "AWS::S3::Bucket"}}, more={
        "Outputs": {"Name": {"Value": {"Ref": "B"}},
                    "D": {"Value": {"Fn::GetAtt": ["B", "RegionalDomainName"]}}}})
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    assert out["D"].endswith(".s3.eu-west-1.amazonaws.com")
    assert client("s3").get_bucket_location(Bucket=out["Name"])["LocationConstraint"] == "eu-west-1"
    delete(cfn, stack)


def test_key_deleted_by_hand(client):
    cfn, kms = client("cloudformation"), client("kms")
    stack = make(cfn, "by-hand", {"K": {"Type": "AWS::KMS::Key", "Properties": {
        "PendingWindowInDays": "9"}}}, more={"Outputs": {"K": {"Value": {"Ref": "K"}}}})
    kms.schedule_key_deletion(KeyId=stack["Outputs"][0]["OutputValue"])
    delete(cfn, stack)
    stack = make(cfn, "by-hand", {"K": {"Type": "AWS::KMS::Key", "Properties": {
        "PendingWindowInDays": "9"}}}, more={"Outputs": {"K": {"Value": {"Ref": "K"}}}})
    delete(cfn, stack)
    key = kms.describe_key(KeyId=stack["Outputs"][0]["OutputValue"])["KeyMetadata"]
    assert 8 < (key["DeletionDate"] - key["CreationDate"]).total_seconds() / 86400 < 10


def test_key_that_cannot_be(client):
    cfn = client("cloudformation")
    stack = make(cfn, "rsa", {"K": {"Type": "AWS::KMS::Key", "Properties": {
        "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("RSA_2048 is not implemented" in e[2] for e in events(cfn, "rsa"))
    delete(cfn, stack)
