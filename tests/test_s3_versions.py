"""Listings of versions and of uploads, what is told of objects, deleting many."""
import hashlib
import re

import pytest

from raw import Signed, send
from test_s3 import bucket, error, files, s3  # noqa: F401
from test_s3_multipart import MIN, begin, complete, put, sha256, whole


@pytest.fixture
def versioned(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a/old", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a/old", "a/2", "a/2", "b", "b", "b", "c/1", "zz"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.delete_object(Bucket=bucket, Key="b")
    s3.delete_object(Bucket=bucket, Key="zz")
    s3.put_object(Bucket=bucket, Key="zz", Body=b"again")
    return bucket


def entries(pages):
    """(key, version, latest, marker) in S3's order."""
    found = []
    for p in pages:
        found += [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in p.get("Versions", [])]
        found += [(v["Key"], v["VersionId"], v["IsLatest"], True)
                  for v in p.get("DeleteMarkers", [])]
    return found


def listed(s3, bucket, size=1000, **args):
    pages = list(s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": size}, **args))
    for p in pages:
        n = sum(len(p.get(k, [])) for k in ("Versions", "DeleteMarkers", "CommonPrefixes"))
        assert n <= size and (n == size or not p["IsTruncated"])
    return pages


def test_versions_listed(s3, versioned):
    all = entries(listed(s3, versioned))
    assert sorted(k for k, _, _, _ in all) == [
        "a/2", "a/2", "a/old", "a/old", "b", "b", "b", "b", "c/1", "zz", "zz", "zz"]
    latest = {k: m for k, _, last, m in all if last}
    assert latest == {"a/2": False, "a/old": False, "b": True, "c/1": False, "zz": False}
    assert ("a/old", "null", False, False) in all
    version = s3.list_object_versions(Bucket=versioned, Prefix="c/")["Versions"][0]
    assert version["Size"] == 3 and version["StorageClass"] == "STANDARD"
    assert version["ETag"] == '"%s"' % hashlib.md5(b"c/1").hexdigest() and version["Owner"]["ID"]
    for size in (1, 2, 3, 5):
        for args in ({}, {"Prefix": "b"}, {"Delimiter": "/"}, {"Prefix": "a/", "Delimiter": "/"}):
            pages = listed(s3, versioned, size, **args)
            whole = listed(s3, versioned, **args)
            assert sorted(entries(pages)) == sorted(entries(whole)), (size, args)
            rolled = [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])]
            assert rolled == [c["Prefix"] for c in whole[0].get("CommonPrefixes", [])]
    assert [c["Prefix"] for c in listed(s3, versioned, Delimiter="/")[0]["CommonPrefixes"]] == [
        "a/", "c/"]
    assert error(s3.list_object_versions, Bucket=versioned, VersionIdMarker="x") == (
        400, "InvalidArgument")
    assert error(s3.list_object_versions, Bucket=versioned, MaxKeys=-1) == (400, "InvalidArgument")


def test_newest_first(s3, versioned):
    order = [v["VersionId"] for v in s3.list_object_versions(
        Bucket=versioned, Prefix="zz")["Versions"]]
    bodies = [s3.get_object(Bucket=versioned, Key="zz", VersionId=v)["Body"].read() for v in order]
    assert bodies == [b"again", b"zz"]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_emptied_page_by_page(s3, versioned, daemon, size):
    """As tools do: each page's versions are deleted before the next is asked for."""
    n = len(files(daemon))
    marker, deleted = {}, 0
    while True:
        p = s3.list_object_versions(Bucket=versioned, MaxKeys=size, **marker)
        gone = [{"Key": k, "VersionId": v} for k, v, _, _ in entries([p])]
        r = s3.delete_objects(Bucket=versioned, Delete={"Objects": gone})
        assert len(r["Deleted"]) == len(gone) and "Errors" not in r
        deleted += len(gone)
        if not p["IsTruncated"]:
            break
        marker = {"KeyMarker": p["NextKeyMarker"]}
        if "NextVersionIdMarker" in p:
            marker["VersionIdMarker"] = p["NextVersionIdMarker"]
    assert deleted == 12 and entries(listed(s3, versioned)) == []
    assert len(files(daemon)) == n - 10
    s3.delete_bucket(Bucket=versioned)


def test_uploads_listed(s3, bucket):
    ids = {}
    for key in ("a/1", "a/2", "b", "b", "b", "c/1"):
        ids.setdefault(key, []).append(begin(s3, bucket, key))

    def listed(size=1000, **args):
        pages = list(s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size}, **args))
        return ([(u["Key"], u["UploadId"]) for p in pages for u in p.get("Uploads", [])],
                [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])])
    all = [(k, i) for k in sorted(ids) for i in ids[k]]
    assert listed() == (all, [])
    assert listed(Delimiter="/") == ([x for x in all if x[0] == "b"], ["a/", "c/"])
    for size in (1, 2, 4):
        for args in ({}, {"Prefix": "b"}, {"Delimiter": "/"}):
            assert listed(size, **args) == listed(**args)
    u = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1)
    assert u["IsTruncated"] and u["NextKeyMarker"] == "a/1"
    assert u["NextUploadIdMarker"] == ids["a/1"][0]
    assert u["Uploads"][0]["Initiator"]["ID"] == u["Uploads"][0]["Owner"]["ID"]
    assert listed(KeyMarker="b") == (all[-1:], [])
    s3.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=ids["b"][1])
    assert listed(KeyMarker="b", UploadIdMarker=ids["b"][1])[0] == all[4:]


def test_attributes(daemon, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="SHA256")
    r = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=[
        "ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"])
    assert r["ETag"] == "5d41402abc4b2a76b9719d911017c592" and r["ObjectSize"] == 5
    assert r["Checksum"]["ChecksumSHA256"] == sha256(b"hello")
    assert r["StorageClass"] == "STANDARD" and "ObjectParts" not in r and r["LastModified"]
    r = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in r and r["ObjectSize"] == 5
    upload = begin(s3, bucket, ChecksumAlgorithm="SHA256")
    bodies = [b"x" * MIN, b"y" * MIN, b"z"]
    parts = [{"PartNumber": i, "ETag": put(s3, bucket, upload, i, b,
                                           ChecksumSHA256=sha256(b))["ETag"],
              "ChecksumSHA256": sha256(b)} for i, b in zip((2, 4, 6), bodies)]
    complete(s3, bucket, upload, parts)
    for size, after, want, more in ((1000, 0, [1, 2, 3], False), (2, 0, [1, 2], True),
                                    (2, 2, [3], False), (1, 3, [], False)):
        r = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"],
                                     MaxParts=size, PartNumberMarker=after)["ObjectParts"]
        assert r["TotalPartsCount"] == 3 and r["IsTruncated"] is more
        assert [p["PartNumber"] for p in r.get("Parts", [])] == want
        assert [p["Size"] for p in r.get("Parts", [])] == [len(bodies[i - 1]) for i in want]
        assert [p["ChecksumSHA256"] for p in r.get("Parts", [])] == [
            sha256(bodies[i - 1]) for i in want]
    whole(s3, bucket, [b"no sums agreed on"])
    r = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])
    assert r["ObjectParts"] == {"TotalPartsCount": 1}
    assert error(s3.get_object_attributes, Bucket=bucket, Key="no", ObjectAttributes=["ETag"]) == (
        404, "NoSuchKey")


def test_multipart_versions(s3, bucket, daemon):
    """A version in parts takes its parts along, no other's."""
    n = len(files(daemon))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = whole(s3, bucket, [b"a" * MIN, b"1"])["VersionId"]
    second = whole(s3, bucket, [b"b" * MIN, b"2"])["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read()[-1:] == b"1"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=second)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"a" * MIN + b"1"
    assert len(files(daemon)) == n + 2
    s3.delete_object(Bucket=bucket, Key="k", VersionId=first)
    assert len(files(daemon)) == n


def test_deleting_some(daemon, s3, bucket):
    """One that cannot be deleted does not stop the others."""
    tag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"].strip('"')
    s3.put_object(Bucket=bucket, Key="b", Body=b"2")
    xml = f"<Delete><Object><Key>a</Key><ETag>{tag}</ETag></Object>" \
        f"<Object><Key>b</Key><ETag>{tag}</ETag></Object>" \
        f"<Object><Key>{'k' * 1025}</Key></Object></Delete>"
    status, _, answer = send(daemon, Signed("s3", xml.encode(), path=f"/{bucket}",
                                            query=[("delete", "")]))
    assert status == 200
    assert re.findall(rb"<Deleted>.*?<Key>(.)</Key>", answer) == [b"a"]
    assert sorted(re.findall(rb"<Code>(\w+)</Code>", answer)) == [
        b"KeyTooLongError", b"PreconditionFailed"]
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]
