"""Copies: what they keep, what they refuse."""
import hashlib
import os

import pytest

from test_s3 import bucket, error, files, s3  # noqa: F401
from test_s3_multipart import MIN, sha256, whole


@pytest.fixture
def src(s3, bucket):
    s3.put_object(Bucket=bucket, Key="src/ä b+c", Body=b"hello", ContentType="text/x", Metadata={
        "a": "b"}, CacheControl="no-cache", Tagging="t=1")
    return {"Bucket": bucket, "Key": "src/ä b+c"}


def test_copy(s3, bucket, src, daemon):
    n = len(files(daemon))
    r = s3.copy_object(Bucket=bucket, Key="k", CopySource=src)
    assert r["CopyObjectResult"]["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert r["CopyObjectResult"]["LastModified"] and "CopySourceVersionId" not in r
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"hello" and got["ContentType"] == "text/x"
    assert got["Metadata"] == {"a": "b"} and got["TagCount"] == 1
    # one file for both, as long as there is one of them
    assert len(files(daemon)) == n
    s3.delete_object(**src)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
    s3.delete_object(Bucket=bucket, Key="k")
    assert len(files(daemon)) == n - 1


def test_directives(s3, bucket, src):
    s3.copy_object(Bucket=bucket, Key="k", CopySource=src, MetadataDirective="REPLACE",
                   ContentType="text/y", Metadata={"c": "d"})
    got = s3.head_object(Bucket=bucket, Key="k")
    assert got["ContentType"] == "text/y" and got["Metadata"] == {"c": "d"}
    assert "CacheControl" not in got
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(Bucket=bucket, Key="k", CopySource=src, TaggingDirective="REPLACE",
                   Tagging="u=2", StorageClass="STANDARD_IA")
    got = s3.head_object(Bucket=bucket, Key="k")
    assert got["CacheControl"] == "no-cache" and got["StorageClass"] == "STANDARD_IA"
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "u", "Value": "2"}]


def test_onto_itself(s3, src):
    assert error(s3.copy_object, CopySource=src, **src) == (400, "InvalidRequest")
    s3.copy_object(CopySource=src, MetadataDirective="REPLACE", Metadata={"new": "1"}, **src)
    got = s3.get_object(**src)
    assert got["Metadata"] == {"new": "1"} and got["Body"].read() == b"hello"
    s3.copy_object(CopySource=src, StorageClass="STANDARD", **src)
    s3.copy_object(CopySource=src, ServerSideEncryption="aws:kms", **src)
    assert s3.head_object(**src)["ServerSideEncryption"] == "aws:kms"


def test_conditions(s3, bucket, src):
    head = s3.head_object(**src)
    etag, at = head["ETag"], head["LastModified"]

    def copy(**args):
        return s3.copy_object(Bucket=bucket, Key="k", CopySource=src, **args)
    no = (412, "PreconditionFailed")
    copy(CopySourceIfMatch=etag)
    assert error(copy, CopySourceIfMatch='"no"') == no
    assert error(copy, CopySourceIfNoneMatch=etag) == no
    copy(CopySourceIfNoneMatch='"no"')
    assert error(copy, CopySourceIfModifiedSince=at) == no
    copy(CopySourceIfModifiedSince="2001-01-01")
    assert error(copy, CopySourceIfUnmodifiedSince="2001-01-01") == no
    copy(CopySourceIfUnmodifiedSince=at)
    # AWS: the tag decides
    copy(CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince="2001-01-01")
    assert error(copy, CopySourceIfNoneMatch=etag, CopySourceIfModifiedSince="2001-01-01") == no


def test_no_source(s3, bucket, src):
    for source, why in ((f"{bucket}/none", (404, "NoSuchKey")),
                        ("no-such-b/k", (404, "NoSuchBucket")),
                        (bucket, (400, "InvalidArgument")),
                        (f"/{bucket}/", (400, "InvalidArgument"))):
        assert error(s3.copy_object, Bucket=bucket, Key="k", CopySource=source) == why, source
    assert error(s3.copy_object, Bucket="no-such-b", Key="k", CopySource=src) == (
        404, "NoSuchBucket")


def test_versions(s3, bucket, src):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    v1 = s3.put_object(Bucket=bucket, Key="v", Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key="v", Body=b"two")
    # an older version comes back by a copy onto itself
    r = s3.copy_object(Bucket=bucket, Key="v", CopySource={"Bucket": bucket, "Key": "v",
                                                           "VersionId": v1})
    assert r["CopySourceVersionId"] == v1 and r["VersionId"] not in (v1, None)
    assert s3.get_object(Bucket=bucket, Key="v")["Body"].read() == b"one"
    assert error(s3.copy_object, Bucket=bucket, Key="x", CopySource={
        "Bucket": bucket, "Key": "v", "VersionId": "no"}) == (404, "NoSuchVersion")
    marker = s3.delete_object(Bucket=bucket, Key="v")["VersionId"]
    assert error(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/v") == (
        404, "NoSuchKey")
    assert error(s3.copy_object, Bucket=bucket, Key="x", CopySource={
        "Bucket": bucket, "Key": "v", "VersionId": marker}) == (400, "InvalidRequest")


def test_sums_and_parts(s3, bucket, src, daemon):
    r = s3.copy_object(Bucket=bucket, Key="k", CopySource=src, ChecksumAlgorithm="SHA256")
    assert r["CopyObjectResult"]["ChecksumSHA256"] == sha256(b"hello")
    r = s3.copy_object(Bucket=bucket, Key="k2", CopySource=f"{bucket}/k")
    assert r["CopyObjectResult"]["ChecksumSHA256"] == sha256(b"hello")
    n = len(files(daemon))
    body = os.urandom(MIN) + b"end"
    whole(s3, bucket, [body[:MIN], body[MIN:]], "parts")
    r = s3.copy_object(Bucket=bucket, Key="one", CopySource=f"{bucket}/parts")
    assert r["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
    assert s3.get_object(Bucket=bucket, Key="one")["Body"].read() == body
    assert len(files(daemon)) == n + 3
    # the thread's file goes when the copy is refused after all
    assert error(s3.copy_object, Bucket=bucket, Key="one", CopySource=f"{bucket}/parts",
                 StorageClass="GLACIER") == (501, "NotImplemented")
    for k in ("one", "parts"):
        s3.delete_object(Bucket=bucket, Key=k)
    assert len(files(daemon)) == n
