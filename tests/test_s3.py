"""S3 as boto3 and the AWS CLI see it."""
import base64
import hashlib
import json
import os
import zlib

import boto3
import botocore.config
import botocore.exceptions
import pytest
import requests

from conftest import KEY, REGION, SECRET, Daemon
from raw import Signed, send, talk


@pytest.fixture
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3, request):
    name = "b-" + hashlib.md5(request.node.nodeid.encode()).hexdigest()
    s3.create_bucket(Bucket=name)
    return name


def error(call, **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**args)
    r = e.value.response
    return r["ResponseMetadata"]["HTTPStatusCode"], r["Error"]["Code"]


def files(daemon):
    return sorted(os.listdir(os.path.join(daemon.state, "s3")))


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_buckets(s3):
    assert s3.create_bucket(Bucket="first-bucket")["Location"] == "/first-bucket"
    head = s3.head_bucket(Bucket="first-bucket")["ResponseMetadata"]["HTTPHeaders"]
    assert head["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="first-bucket")["LocationConstraint"] is None
    assert "first-bucket" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.create_bucket(Bucket="first-bucket")  # as in us-east-1
    s3.delete_bucket(Bucket="first-bucket")
    assert error(s3.head_bucket, Bucket="first-bucket") == (404, "404")
    assert error(s3.delete_bucket, Bucket="first-bucket") == (404, "NoSuchBucket")


def test_bucket_elsewhere(client):
    west = client("s3", region="eu-west-1")
    assert error(west.create_bucket, Bucket="in-the-west") == (
        400, "IllegalLocationConstraintException")
    west.create_bucket(Bucket="in-the-west",
                       CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert west.get_bucket_location(Bucket="in-the-west")["LocationConstraint"] == "eu-west-1"
    assert error(west.create_bucket, Bucket="in-the-west", CreateBucketConfiguration={
        "LocationConstraint": "eu-west-1"}) == (409, "BucketAlreadyOwnedByYou")


@pytest.mark.parametrize("name", ["ab", "A-upper", "a..b", "192.168.0.1", "xn--a", "a_b", "-ab",
                                  "a" * 64, "x-s3alias"])
def test_bucket_names(daemon, name):
    status, code, answer = send(daemon, Signed("s3", method="PUT", path="/" + name))
    assert (status, code) == (400, "InvalidBucketName"), answer


def test_put_get_delete(s3, bucket, daemon):
    body = b"hello"
    put = s3.put_object(Bucket=bucket, Key="a/b c+ü", Body=body, ContentType="text/plain",
                        Metadata={"Who": "me"}, CacheControl="no-cache")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="a/b c+ü")
    assert got["Body"].read() == body
    assert got["ContentType"] == "text/plain" and got["Metadata"] == {"who": "me"}
    assert got["CacheControl"] == "no-cache" and got["ContentLength"] == 5
    head = s3.head_object(Bucket=bucket, Key="a/b c+ü")
    assert head["ContentLength"] == 5 and head["ETag"] == put["ETag"]
    assert error(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    n = len(files(daemon))
    s3.delete_object(Bucket=bucket, Key="a/b c+ü")
    s3.delete_object(Bucket=bucket, Key="a/b c+ü")
    assert len(files(daemon)) == n - 1
    assert error(s3.get_object, Bucket=bucket, Key="a/b c+ü") == (404, "NoSuchKey")
    assert error(s3.head_object, Bucket=bucket, Key="a/b c+ü") == (404, "404")
    s3.delete_bucket(Bucket=bucket)


def test_overwriting_frees(s3, bucket, daemon):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one")
    n = len(files(daemon))
    s3.put_object(Bucket=bucket, Key="k", Body=b"two!")
    assert len(files(daemon)) == n
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two!"
    assert error(s3.put_object, Bucket="no-such-bucket", Key="k", Body=b"x") == (
        404, "NoSuchBucket")
    assert len(files(daemon)) == n


def test_large_and_streamed(s3, bucket, daemon):
    """Memory stays where it was."""
    def rss():
        with open(f"/proc/{daemon.process.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096
    body = os.urandom(1 << 20) * 64
    s3.put_object(Bucket=bucket, Key="warm", Body=body[:1 << 20])
    before = rss()
    s3.put_object(Bucket=bucket, Key="big", Body=body)
    assert rss() - before < 16 << 20
    got = s3.get_object(Bucket=bucket, Key="big")["Body"]
    assert hashlib.sha256(got.read()).digest() == hashlib.sha256(body).digest()
    assert rss() - before < 16 << 20
    assert s3.get_object(Bucket=bucket, Key="big", Range="bytes=-3")["Body"].read() == body[-3:]
    s3.delete_object(Bucket=bucket, Key="big")


@pytest.mark.parametrize("range,status,want,told", [
    ("bytes=0-0", 206, b"0", "bytes 0-0/10"), ("bytes=3-", 206, b"3456789", "bytes 3-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"), ("bytes=5-100", 206, b"56789", "bytes 5-9/10"),
    ("bytes=-100", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=0-1,3-4", 200, b"0123456789", None), ("lines=1-2", 200, b"0123456789", None),
    ("bytes=5-3", 200, b"0123456789", None),
])
def test_ranges(s3, bucket, range, status, want, told):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=range)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == status
    assert got["Body"].read() == want and got.get("ContentRange") == told
    head = s3.head_object(Bucket=bucket, Key="k", Range=range)
    assert head["ContentLength"] == len(want)


def test_bad_range(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert error(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == (416, "InvalidRange")
    assert error(s3.get_object, Bucket=bucket, Key="empty", Range="bytes=-1") == (
        416, "InvalidRange")
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    at = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    get = dict(Bucket=bucket, Key="k")
    assert s3.get_object(IfMatch=etag, **get)
    assert error(s3.get_object, IfMatch='"no"', **get) == (412, "PreconditionFailed")
    assert error(s3.get_object, IfNoneMatch=etag, **get) == (304, "304")
    assert error(s3.head_object, IfNoneMatch="*", **get) == (304, "304")
    assert s3.get_object(IfNoneMatch='"no"', IfModifiedSince=at, **get)
    assert error(s3.get_object, IfModifiedSince=at, **get) == (304, "304")
    assert s3.get_object(IfUnmodifiedSince=at, **get)
    assert error(s3.get_object, IfUnmodifiedSince="2001-01-01", **get) == (
        412, "PreconditionFailed")
    assert s3.get_object(IfMatch=etag, IfUnmodifiedSince="2001-01-01", **get)


def test_conditional_writes(s3, bucket, daemon):
    """By hand: not every boto3 knows them."""
    def put(name, value, key="k"):
        return send(daemon, Signed("s3", b"x", "PUT", f"/{bucket}/{key}",
                                   headers=[(name, value)]))[:2]
    assert put("If-None-Match", "*") == (200, "")
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    assert put("If-None-Match", "*") == (412, "PreconditionFailed")
    assert put("If-Match", etag) == (200, "")
    assert put("If-Match", '"no"') == (412, "PreconditionFailed")
    assert put("If-Match", etag, "no") == (404, "NoSuchKey")


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3, bucket, name):
    body = b"hello"
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=name)
    want = crc32(body) if name == "CRC32" else base64.b64encode(
        hashlib.new(name.lower(), body).digest()).decode()
    assert put["Checksum" + name] == want
    got = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Checksum" + name] == want
    assert "Checksum" + name not in s3.head_object(Bucket=bucket, Key="k")
    assert error(s3.put_object, Bucket=bucket, Key="k", Body=body,
                 ChecksumSHA256=base64.b64encode(bytes(32)).decode()) == (400, "BadDigest")


def test_listing(s3, bucket):
    keys = ["a", "a/1", "a/2", "a/b/3", "b", "b/1", "c", "ü/1"]
    for k in keys:
        s3.put_object(Bucket=bucket, Key=k, Body=k.encode())

    def names(**args):
        r = s3.list_objects_v2(Bucket=bucket, **args)
        return [c["Key"] for c in r.get("Contents", [])], [
            p["Prefix"] for p in r.get("CommonPrefixes", [])], r
    assert names()[0] == keys
    assert names(Prefix="a/")[0] == ["a/1", "a/2", "a/b/3"]
    assert names(Delimiter="/")[:2] == (["a", "b", "c"], ["a/", "b/", "ü/"])
    assert names(Prefix="a/", Delimiter="/")[:2] == (["a/1", "a/2"], ["a/b/"])
    assert names(StartAfter="a/2")[0] == keys[3:]
    assert names(Prefix="zz")[:2] == ([], [])
    assert names(MaxKeys=0)[2]["IsTruncated"] is False
    for size in (1, 2, 3, 7):
        for args in ({}, {"Delimiter": "/"}, {"Prefix": "a"}, {"Prefix": "a/", "Delimiter": "/"}):
            pages = list(s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, PaginationConfig={"PageSize": size}, **args))
            got = [c["Key"] for p in pages for c in p.get("Contents", [])]
            rolled = [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])]
            assert (got, rolled) == names(**args)[:2]
            assert all(p["KeyCount"] <= size for p in pages)
            pages = list(s3.get_paginator("list_objects").paginate(
                Bucket=bucket, PaginationConfig={"PageSize": size}, **args))
            assert [c["Key"] for p in pages for c in p.get("Contents", [])] == got
            assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == rolled
    assert error(s3.list_objects_v2, Bucket=bucket, ContinuationToken="junk") == (
        400, "InvalidArgument")


def test_delete_objects(s3, bucket):
    for k in "abc":
        s3.put_object(Bucket=bucket, Key=k)
    r = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "zz"}]})
    assert sorted(d["Key"] for d in r["Deleted"]) == ["a", "zz"]
    r = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in r
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]


def test_addressing(daemon, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for host in (f"{bucket}.localhost:{daemon.port}", f"{bucket}.s3.localhost:{daemon.port}",
                 f"{bucket}.s3.us-east-1.amazonaws.com", f"{bucket}.s3.amazonaws.com"):
        status, _, answer = send(daemon, Signed("s3", method="GET", path="/k", host=host))
        assert status == 200 and answer.endswith(b"\r\n\r\nx"), answer
        status, _, answer = send(daemon, Signed("s3", method="GET", host=host,
                                                query=[("list-type", "2")]))
        assert status == 200 and b"<Key>k</Key>" in answer
    for host in ("localhost", "s3.localhost", "s3.us-east-1.amazonaws.com"):
        status, _, answer = send(daemon, Signed("s3", method="GET", path=f"/{bucket}/k", host=host))
        assert status == 200, answer


def test_presigned(daemon, bucket):
    s3 = boto3.client("s3", endpoint_url=daemon.endpoint, region_name=REGION,
                      aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                      config=botocore.config.Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert requests.put(url, data=b"by link").status_code == 200
    url = s3.generate_presigned_url("get_object", Params={
        "Bucket": bucket, "Key": "k", "ResponseContentType": "text/x-own"})
    r = requests.get(url)
    assert r.content == b"by link" and r.headers["content-type"] == "text/x-own"
    assert requests.get(url.replace("Signature=", "Signature=0")).status_code == 403
    assert requests.get(url.split("?")[0]).status_code == 403


def test_errors_tell(s3, daemon, bucket):
    _, _, answer = send(daemon, Signed("s3", method="GET", path=f"/{bucket}/nokey"))
    assert b"<Code>NoSuchKey</Code>" in answer and b"<Key>nokey</Key>" in answer
    assert b"<RequestId>" in answer and b"<HostId>" in answer
    assert b"x-amz-request-id" in answer.lower()


def test_incomplete_upload_leaves_nothing(daemon, s3, bucket):
    n = len(files(daemon))
    r = Signed("s3", b"x" * 300000, "PUT", f"/{bucket}/k")
    try:
        talk(daemon, r.bytes(length=400000), timeout=0.5)
    except TimeoutError:
        pass
    assert error(s3.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    for _ in range(100):
        if len(files(daemon)) == n:
            break
    assert send(daemon, Signed("s3", b"x", "PUT", f"/{bucket}/k", payload="0" * 64))[:2] == (
        400, "XAmzContentSHA256Mismatch")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert len(files(daemon)) == n


def test_length_is_required(daemon, bucket):
    r = Signed("s3", b"", "PUT", f"/{bucket}/k", payload="UNSIGNED-PAYLOAD")
    head = r.bytes().replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    assert send(daemon, head + b"0\r\n\r\n")[:2] == (411, "MissingContentLength")
    r = Signed("s3", b"", "PUT", f"/{bucket}/k", payload="UNSIGNED-PAYLOAD",
               headers=[("Expect", "100-continue")])
    assert send(daemon, r.bytes(length=(5 << 30) + 1))[:2] == (400, "EntityTooLarge")


def test_versions(s3, bucket, daemon):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    v1 = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    v2 = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]

    def read(**args):
        return s3.get_object(Bucket=bucket, Key="k", **args)["Body"].read()
    assert read() == b"two" and read(VersionId=v1) == b"one"
    assert read(VersionId="null") == b"before"
    gone = s3.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] is True
    assert error(s3.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    assert error(s3.get_object, Bucket=bucket, Key="k", VersionId=gone["VersionId"]) == (
        405, "MethodNotAllowed")
    assert error(s3.get_object, Bucket=bucket, Key="k", VersionId="nope") == (404, "NoSuchVersion")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert error(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    back = s3.delete_object(Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    assert back["DeleteMarker"] is True and read() == b"two"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=v2)
    assert read() == b"one"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    n = len(files(daemon))
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"null")["VersionId"] == "null"
    assert len(files(daemon)) == n  # the null version of before is gone
    assert read() == b"null" and read(VersionId=v1) == b"one"
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert error(s3.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    assert read(VersionId=v1) == b"one"
    for v in ("null", v1):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=v)
    s3.delete_bucket(Bucket=bucket)


def test_settings(s3, bucket):
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=kms)
    put = s3.put_object(Bucket=bucket, Key="k")
    assert put["ServerSideEncryption"] == "aws:kms" and put["SSEKMSKeyId"].startswith("arn:aws:kms")
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"][
        "BlockPublicAcls"] is True
    s3.delete_public_access_block(Bucket=bucket)
    assert error(s3.get_public_access_block, Bucket=bucket) == (
        404, "NoSuchPublicAccessBlockConfiguration")
    assert error(s3.get_bucket_policy, Bucket=bucket) == (404, "NoSuchBucketPolicy")
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",'
              '"Action":"s3:*","Resource":"arn:aws:s3:::%s/*"}]}' % bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    assert error(s3.put_bucket_policy, Bucket=bucket, Policy="x") == (400, "MalformedPolicy")
    s3.delete_bucket_policy(Bucket=bucket)
    life = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""},
                       "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=life)
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == life["Rules"]
    assert error(s3.get_bucket_cors, Bucket=bucket) == (404, "NoSuchCORSConfiguration")
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_tags(s3, bucket, client):
    assert error(s3.get_bucket_tagging, Bucket=bucket) == (404, "NoSuchTagSet")
    tags = [{"Key": "PRNumber", "Value": "7"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    found = client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "PRNumber", "Values": ["7"]}])["ResourceTagMappingList"]
    assert [f["ResourceARN"] for f in found] == ["arn:aws:s3:::" + bucket]
    s3.delete_bucket_tagging(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Tagging="a=1&b=x%20y")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert error(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={
        "TagSet": tags * 2}) == (400, "InvalidTag")


def test_kill(tmp_path):
    """What was acknowledged is there, what was not is not, and nothing is left over."""
    d = Daemon()
    s3 = d.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"x" * 100000)
    r = Signed("s3", b"x" * 600000, "PUT", "/kept/half")
    try:
        talk(d, r.bytes(length=700000), timeout=0.5)
    except TimeoutError:
        pass
    d.kill()
    with open(os.path.join(d.state, "s3", "0123456789abcdef" * 3), "wb") as f:
        f.write(b"left over")
    d.start()
    s3 = d.client("s3")
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"x" * 100000
    assert [c["Key"] for c in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["k"]
    assert len(files(d)) == 1
    d.stop()


def test_cli(daemon, bucket, tmp_path):
    body = os.urandom(3 << 20)
    (tmp_path / "f").write_bytes(body)
    daemon.aws("s3", "cp", str(tmp_path / "f"), f"s3://{bucket}/dir/f")
    assert "PRE dir/" in daemon.aws("s3", "ls", f"s3://{bucket}")
    daemon.aws("s3", "cp", f"s3://{bucket}/dir/f", str(tmp_path / "g"))
    assert (tmp_path / "g").read_bytes() == body
    daemon.aws("s3", "rm", f"s3://{bucket}", "--recursive")
    daemon.aws("s3", "rb", f"s3://{bucket}")


def test_public_policies(s3, bucket):
    """A new bucket lets no policy open it."""
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
              '"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}' % bucket)
    assert error(s3.put_bucket_policy, Bucket=bucket, Policy=policy) == (403, "AccessDenied")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True})
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True


@pytest.mark.parametrize("change,why", [
    ({"Resource": "*"}, "Policy has invalid resource"),
    ({"Resource": "arn:aws:s3:::other/*"}, "Policy has invalid resource"),
    ({"Action": "ec2:*"}, "Policy has invalid action"), ({"Effect": "Maybe"}, None),
    ({"Principal": None}, None), ({"Condition": {"Nonsense": {"a": "b"}}}, None),
    ({"Resource": None}, None), ({"Unknown": "x"}, None)])
def test_policies_that_are_none(s3, bucket, change, why):
    st = {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"],
          "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket[:9]}*/x"]}
    policy = {"Version": "2012-10-17", "Statement": st}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    policy["Statement"] = {k: v for k, v in {**st, **change}.items() if v}
    with pytest.raises(botocore.exceptions.ClientError) as e:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    got = e.value.response["Error"]
    assert got["Code"] == "MalformedPolicy" and (not why or got["Message"] == why)


def test_access_lists(s3, bucket):
    """Refused as AWS does by default; where AWS would take them, by name."""
    for call, args in ((s3.put_object, {"Key": "k"}), (s3.put_bucket_acl, {})):
        call(Bucket=bucket, ACL="private", **args)
        assert error(call, Bucket=bucket, ACL="public-read", **args) == (
            400, "AccessControlListNotSupported")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={
        "Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert error(s3.put_object, Bucket=bucket, Key="k", ACL="public-read") == (
        501, "NotImplemented")
