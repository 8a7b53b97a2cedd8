"""Lifecycle rules: which are taken, what they announce, what they delete."""
import datetime
import time

import botocore.exceptions
import pytest

from test_s3 import bucket, error, files, s3  # noqa: F401


def put(s3, bucket, *rules):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={
        "Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, **r} for r in rules]})


def midnight(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days + 1)
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def test_expires(s3, bucket, daemon):
    """A date that is over: what is there goes, but for what no rule is for."""
    n = len(files(daemon))
    for key in ("old/1", "old/2", "kept"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    put(s3, bucket, {"Filter": {"Prefix": "old/"}, "Expiration": {"Date": "2020-01-01"}})
    deadline = time.monotonic() + 10
    while s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 1:
        assert time.monotonic() < deadline, daemon.read_log()
        time.sleep(0.01)
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]
    assert len(files(daemon)) == n + 1


def test_announced(s3, bucket):
    put(s3, bucket, {"ID": "the rule", "Expiration": {"Days": 3},
                     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})
    want = f'expiry-date="{midnight(3):%a, %d %b %Y %H:%M:%S GMT}", rule-id="the%20rule"'
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["Expiration"] == want
    assert s3.get_object(Bucket=bucket, Key="k")["Expiration"] == want
    assert s3.head_object(Bucket=bucket, Key="k")["Expiration"] == want
    up = s3.create_multipart_upload(Bucket=bucket, Key="k")
    assert up["AbortRuleId"] == "the rule" and up["AbortDate"] == midnight(7)
    parts = s3.list_parts(Bucket=bucket, Key="k", UploadId=up["UploadId"])
    assert parts["AbortDate"] == midnight(7)


def test_rules_without_a_name(s3, bucket):
    put(s3, bucket, {"Expiration": {"Days": 3}}, {"Expiration": {"Days": 4}})
    ids = {r["ID"] for r in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert len(ids) == 2 and all(ids)


@pytest.mark.parametrize("rule,code", [
    ({}, "InvalidRequest"), ({"Expiration": {"Days": 0}}, "InvalidArgument"),
    ({"Expiration": {"Days": -1}}, "InvalidArgument"),
    ({"Expiration": {"Date": "2030-01-01T00:00:01Z"}}, "InvalidArgument"),
    ({"Expiration": {"Days": 1, "Date": "2030-01-01"}}, "MalformedXML"),
    ({"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML"),
    ({"Expiration": {}}, "MalformedXML"),
    ({"Expiration": {"Days": 1}, "ID": "x" * 256}, "InvalidArgument"),
    ({"Expiration": {"Days": 1}, "Status": "On"}, "MalformedXML"),
    ({"Expiration": {"Days": 1}, "Prefix": ""}, "MalformedXML"),
    ({"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}, "InvalidArgument"),
    ({"NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 1}}, "MalformedXML"),
    ({"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}},
     "InvalidArgument"),
    ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}, "InvalidArgument"),
    ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
      "Filter": {"Tag": {"Key": "a", "Value": "b"}}}, "InvalidRequest"),
    ({"Expiration": {"Days": 1}, "Filter": {"And": {"Prefix": "a"}}}, "MalformedXML"),
    ({"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}, "NotImplemented"),
])
def test_rules_that_are_none(s3, bucket, rule, code):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        put(s3, bucket, rule)
    assert e.value.response["Error"]["Code"] == code
    assert error(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == (
        404, "NoSuchLifecycleConfiguration")


def test_rules_of_one_name(s3, bucket):
    rule = {"ID": "a", "Expiration": {"Days": 1}}
    with pytest.raises(botocore.exceptions.ClientError) as e:
        put(s3, bucket, rule, rule)
    assert e.value.response["Error"]["Code"] == "InvalidArgument"
