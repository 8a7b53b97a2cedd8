"""Uploads in parts: every step, every refusal, every way a part is read again."""
import base64
import concurrent.futures
import hashlib
import os
import re
import time

import pytest
import requests

from conftest import Daemon
from raw import Signed, send, talk
from test_s3 import bucket, crc32, error, files, s3  # noqa: F401

MIN = 5 << 20


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return b64(hashlib.sha256(data).digest())


def etag(*parts):
    return '"%s-%d"' % (hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest(),
                        len(parts))


def begin(s3, bucket, key="k", **args):
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **args)["UploadId"]


def put(s3, bucket, upload, number, body, key="k", **args):
    return s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body,
                          **args)


def complete(s3, bucket, upload, parts, key="k", **args):
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **args)


def whole(s3, bucket, bodies, key="k", **args):
    upload = begin(s3, bucket, key, **args)
    parts = [{"PartNumber": i, "ETag": put(s3, bucket, upload, i, b, key)["ETag"]}
             for i, b in enumerate(bodies, 1)]
    return complete(s3, bucket, upload, parts, key)


@pytest.fixture(scope="module")
def bodies():
    return [os.urandom(1 << 16) * 80, os.urandom(1 << 16) * 96, b"the last one"]


def test_whole(s3, bucket, bodies, daemon):
    n = len(files(daemon))
    done = whole(s3, bucket, bodies, ContentType="text/plain", Metadata={"a": "b"}, Tagging="x=y")
    assert done["ETag"] == etag(*bodies)
    assert done["Location"] == f"{daemon.endpoint}/{bucket}/k"
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(bodies)
    assert got["ContentType"] == "text/plain" and got["Metadata"] == {"a": "b"}
    assert got["ETag"] == etag(*bodies) and got["TagCount"] == 1
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == sum(map(len, bodies))
    assert len(files(daemon)) == n + 3
    s3.delete_object(Bucket=bucket, Key="k")
    assert len(files(daemon)) == n


@pytest.mark.parametrize("sizes", [(MIN, MIN, 7), (MIN + 3, MIN, MIN + 1, 2), (MIN, MIN),
                                   (MIN, MIN, 3 * MIN + 1)])
def test_ranges(s3, bucket, sizes):
    """Parts alike, and not: where they meet."""
    bodies = [bytes([65 + i]) * n for i, n in enumerate(sizes)]
    all = b"".join(bodies)
    whole(s3, bucket, bodies)
    edges = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    for at in [*edges, len(all) - 5]:
        for first, last in ((at - 2, at + 2), (at, at), (at - 1, at - 1), (at, len(all) - 1),
                            (0, at)):
            if 0 <= first <= last and first < len(all):
                got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")
                assert got["Body"].read() == all[first:last + 1], (first, last)
    for i, b in enumerate(bodies, 1):
        got = s3.get_object(Bucket=bucket, Key="k", PartNumber=i)
        assert got["Body"].read() == b and got["PartsCount"] == len(bodies)
        assert got["ContentRange"] == "bytes %d-%d/%d" % (edges[i - 1], edges[i] - 1, len(all))
        head = s3.head_object(Bucket=bucket, Key="k", PartNumber=i)
        assert head["PartsCount"] == len(bodies) and head["ContentLength"] == len(b)
        assert head["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert error(s3.get_object, Bucket=bucket, Key="k", PartNumber=len(bodies) + 1) == (
        416, "InvalidPartNumber")
    s3.put_object(Bucket=bucket, Key="simple", Body=b"x")
    assert "PartsCount" not in s3.head_object(Bucket=bucket, Key="simple", PartNumber=1)
    assert error(s3.get_object, Bucket=bucket, Key="simple", PartNumber=2) == (
        416, "InvalidPartNumber")


def test_composite(s3, bucket, bodies):
    """As the CDK's publisher sends it: parts in parallel, SHA-256 of each."""
    made = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")
    assert made["ChecksumAlgorithm"] == "SHA256"
    assert made["ResponseMetadata"]["HTTPHeaders"]["x-amz-checksum-type"] == "COMPOSITE"
    upload = made["UploadId"]

    def send_part(i):
        r = put(s3, bucket, upload, i, bodies[i - 1], ChecksumSHA256=sha256(bodies[i - 1]))
        assert r["ChecksumSHA256"] == sha256(bodies[i - 1])
        return {"PartNumber": i, "ETag": r["ETag"], "ChecksumSHA256": r["ChecksumSHA256"]}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        parts = list(pool.map(send_part, (1, 2, 3)))
    assert error(put, s3=s3, bucket=bucket, upload=upload, number=4, body=b"x",
                 ChecksumCRC32=crc32(b"x")) == (400, "InvalidRequest")
    wrong = [dict(parts[0], ChecksumSHA256=sha256(b"")), *parts[1:]]
    assert error(complete, s3=s3, bucket=bucket, upload=upload, parts=wrong) == (400, "InvalidPart")
    assert error(complete, s3=s3, bucket=bucket, upload=upload, parts=[
        {"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]) == (
        400, "InvalidRequest")
    done = complete(s3, bucket, upload, parts)
    sums = b"".join(hashlib.sha256(b).digest() for b in bodies)
    assert done["ChecksumSHA256"] == sha256(sums) + "-3"
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == sha256(sums) + "-3"
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-amz-checksum-type"] == "COMPOSITE"


@pytest.mark.parametrize("claimed", [True, False])
def test_full_object(daemon, s3, bucket, bodies, claimed):
    """A part that comes without the sum is summed up here."""
    def ask(method, query, body=b"", headers=()):
        status, code, answer = send(daemon, Signed("s3", body, method, f"/{bucket}/k", query=query,
                                                   headers=headers))
        return (status, code) if code else (status, answer.decode("latin1"))
    status, answer = ask("POST", [("uploads", "")], headers=[
        ("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")])
    assert status == 200 and "x-amz-checksum-type: FULL_OBJECT" in answer
    upload = re.search("<UploadId>(.*)</UploadId>", answer).group(1)
    xml = "<CompleteMultipartUpload>"
    for i, b in enumerate(bodies, 1):
        status, answer = ask("PUT", [("uploadId", upload), ("partNumber", str(i))], b,
                             [("x-amz-checksum-crc32", crc32(b))] if claimed else [])
        assert status == 200 and "x-amz-checksum-crc32: " + crc32(b) in answer
        tag = re.search('ETag: "(.*)"', answer).group(1)
        xml += f"<Part><PartNumber>{i}</PartNumber><ETag>{tag}</ETag></Part>"
    xml = (xml + "</CompleteMultipartUpload>").encode()
    all = b"".join(bodies)

    def finish(*headers):
        return ask("POST", [("uploadId", upload)], xml, headers)
    assert finish(("x-amz-checksum-crc32", crc32(b"no"))) == (400, "BadDigest")
    assert finish(("x-amz-checksum-type", "COMPOSITE")) == (400, "InvalidRequest")
    assert finish(("x-amz-mp-object-size", "1")) == (400, "InvalidRequest")
    status, answer = finish(("x-amz-checksum-crc32", crc32(all)),
                            ("x-amz-mp-object-size", str(len(all))),
                            ("x-amz-checksum-type", "FULL_OBJECT"))
    assert status == 200 and f"<ChecksumCRC32>{crc32(all)}</ChecksumCRC32>" in answer
    assert "<ChecksumType>FULL_OBJECT</ChecksumType>" in answer


@pytest.mark.parametrize("algorithm,type", [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"),
                                            (None, "COMPOSITE")])
def test_sums_that_cannot_be(daemon, bucket, algorithm, type):
    headers = [("x-amz-checksum-type", type)]
    if algorithm:
        headers.append(("x-amz-checksum-algorithm", algorithm))
    assert send(daemon, Signed("s3", path=f"/{bucket}/k", query=[("uploads", "")],
                               headers=headers))[:2] == (400, "InvalidRequest")


def test_refusals(s3, bucket, daemon):
    n = len(files(daemon))
    upload = begin(s3, bucket)
    tags = [put(s3, bucket, upload, i, b"small")["ETag"] for i in (1, 2)]
    parts = [{"PartNumber": i, "ETag": t} for i, t in enumerate(tags, 1)]

    def refused(parts):
        return error(complete, s3=s3, bucket=bucket, upload=upload, parts=parts)
    assert refused(parts) == (400, "EntityTooSmall")
    assert refused(parts[::-1]) == (400, "InvalidPartOrder")
    assert refused([parts[0], parts[0]]) == (400, "InvalidPartOrder")
    assert refused([dict(parts[0], ETag='"' + "0" * 32 + '"')]) == (400, "InvalidPart")
    assert refused([{"PartNumber": 3, "ETag": tags[0]}]) == (400, "InvalidPart")
    for xml in (b"", b"<CompleteMultipartUpload/>", b"<Complete", b"<A></A>"):
        r = Signed("s3", xml, path=f"/{bucket}/k", query=[("uploadId", upload)])
        assert send(daemon, r)[:2] == (400, "MalformedXML"), xml
    for number in (0, 10001, -1):
        assert error(put, s3=s3, bucket=bucket, upload=upload, number=number, body=b"x") == (
            400, "InvalidArgument")
    for key, id in (("k", "no"), ("k", upload[:-1] + "z"), ("other", upload)):
        assert error(put, s3=s3, bucket=bucket, upload=id, number=1, body=b"x", key=key) == (
            404, "NoSuchUpload")
        assert error(complete, s3=s3, bucket=bucket, upload=id, parts=parts, key=key) == (
            404, "NoSuchUpload")
        for call in (s3.list_parts, s3.abort_multipart_upload):
            assert error(call, Bucket=bucket, Key=key, UploadId=id) == (404, "NoSuchUpload")
    assert error(s3.create_multipart_upload, Bucket="no-such-bucket", Key="k") == (
        404, "NoSuchBucket")
    assert error(s3.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    assert len(files(daemon)) == n + 2
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert len(files(daemon)) == n
    assert refused(parts) == (404, "NoSuchUpload")


def test_again(s3, bucket, daemon):
    """A part sent twice counts once; a completion asked for twice says the same."""
    n = len(files(daemon))
    upload = begin(s3, bucket)
    put(s3, bucket, upload, 1, b"first")
    put(s3, bucket, upload, 9, b"not wanted")
    parts = [{"PartNumber": 1, "ETag": put(s3, bucket, upload, 1, b"second")["ETag"].strip('"')}]
    assert len(files(daemon)) == n + 2
    first = complete(s3, bucket, upload, parts)
    assert len(files(daemon)) == n + 1
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    again = complete(s3, bucket, upload, parts)
    for d in (first, again):
        del d["ResponseMetadata"]
    assert first == again
    assert error(complete, s3=s3, bucket=bucket, upload=upload, parts=[
        {"PartNumber": 1, "ETag": "0" * 32}]) == (400, "InvalidPart")
    s3.put_object(Bucket=bucket, Key="k", Body=b"third")
    assert error(complete, s3=s3, bucket=bucket, upload=upload, parts=parts) == (
        404, "NoSuchUpload")
    assert len(files(daemon)) == n + 1


def test_conditional(s3, bucket, daemon):
    upload = begin(s3, bucket)
    tag = put(s3, bucket, upload, 1, b"x")["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    xml = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part>" \
        "</CompleteMultipartUpload>"
    r = Signed("s3", xml.encode(), path=f"/{bucket}/k", query=[("uploadId", upload)],
               headers=[("If-None-Match", "*")])
    assert send(daemon, r)[:2] == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"there"
    assert s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]


def test_listing_parts(s3, bucket):
    upload = begin(s3, bucket, StorageClass="STANDARD_IA")
    for i in (1, 3, 5, 10000):
        put(s3, bucket, upload, i, str(i).encode())
    r = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    assert [p["PartNumber"] for p in r["Parts"]] == [1, 3, 5, 10000]
    assert [p["Size"] for p in r["Parts"]] == [1, 1, 1, 5]
    assert r["Parts"][0]["ETag"] == '"c4ca4238a0b923820dcc509a6f75849b"'
    assert r["StorageClass"] == "STANDARD_IA" and r["IsTruncated"] is False
    assert r["NextPartNumberMarker"] == 10000 and r["PartNumberMarker"] == 0
    pages = list(s3.get_paginator("list_parts").paginate(
        Bucket=bucket, Key="k", UploadId=upload, PaginationConfig={"PageSize": 3}))
    assert [[p["PartNumber"] for p in page["Parts"]] for page in pages] == [[1, 3, 5], [10000]]
    assert error(s3.list_parts, Bucket=bucket, Key="k", UploadId=upload, MaxParts=-1) == (
        400, "InvalidArgument")


def test_reading_goes_on(s3, bucket, bodies, daemon):
    """What is read is read to its end, though it was deleted meanwhile."""
    n = len(files(daemon))
    bodies = [bodies[1]] * 4 + bodies[2:]  # more than sockets hold
    whole(s3, bucket, bodies)
    got = s3.get_object(Bucket=bucket, Key="k")["Body"]
    first = got.read(1000)
    s3.delete_object(Bucket=bucket, Key="k")
    assert len(files(daemon)) == n + 5
    assert first + got.read() == b"".join(bodies)
    # The last byte is here before the daemon knows that it is.
    deadline = time.monotonic() + 10
    while len(files(daemon)) > n:
        assert time.monotonic() < deadline
        s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize("end", ["reset", "stop"])
def test_ended_meanwhile(bodies, end):
    """A reader in the middle of it keeps neither a reset nor the end from coming."""
    d = Daemon("--ephemeral")
    s3 = d.client("s3")
    s3.create_bucket(Bucket="read")
    whole(s3, "read", [bodies[1]] * 4)
    got = s3.get_object(Bucket="read", Key="k")["Body"]
    assert got.read(1000) == bodies[1][:1000]
    if end == "reset":
        assert requests.post(d.endpoint + "/_neargate/reset").status_code == 200
        assert files(d) == [] and s3.list_buckets()["Buckets"] == []
        got.close()
    d.stop()


def test_empty(s3, bucket):
    done = whole(s3, bucket, [b""])
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"" and got["ETag"] == done["ETag"] == etag(b"")
    assert s3.head_object(Bucket=bucket, Key="k", PartNumber=1)["ContentLength"] == 0
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b""


def test_bucket_takes_uploads_along(s3, daemon):
    n = len(files(daemon))
    s3.create_bucket(Bucket="with-uploads")
    put(s3, "with-uploads", begin(s3, "with-uploads"), 1, b"x")
    s3.delete_bucket(Bucket="with-uploads")
    assert len(files(daemon)) == n


def test_copying_parts(s3, bucket, bodies):
    src = bodies[0] + bodies[1]
    s3.put_object(Bucket=bucket, Key="src", Body=src)
    upload = begin(s3, bucket)

    def copy(number, **args):
        return s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number,
                                   CopySource={"Bucket": bucket, "Key": "src"}, **args)
    r = copy(1, CopySourceRange=f"bytes=3-{MIN + 9}")
    assert r["CopyPartResult"]["ETag"] == '"%s"' % hashlib.md5(src[3:MIN + 10]).hexdigest()
    r2 = copy(2)
    assert error(copy, number=3, CopySourceRange=f"bytes=0-{len(src)}") == (400, "InvalidArgument")
    assert error(copy, number=3, CopySourceRange="bytes=5-") == (400, "InvalidArgument")
    complete(s3, bucket, upload, [{"PartNumber": i, "ETag": x["CopyPartResult"]["ETag"]}
                                  for i, x in ((1, r), (2, r2))])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == src[3:MIN + 10] + src
    # from one with parts, across where they meet
    upload = begin(s3, bucket, "again")
    r = s3.upload_part_copy(Bucket=bucket, Key="again", UploadId=upload, PartNumber=1,
                            CopySource=f"{bucket}/k", CopySourceRange=f"bytes=10-{MIN + 20}")
    complete(s3, bucket, upload, [{"PartNumber": 1, "ETag": r["CopyPartResult"]["ETag"]}], "again")
    assert s3.get_object(Bucket=bucket, Key="again")["Body"].read() == (
        src[3:MIN + 10] + src)[10:MIN + 21]


def test_kill(bodies):
    """Killed between any two steps: nothing acknowledged is lost, nothing is left over."""
    d = Daemon()
    d.client("s3").create_bucket(Bucket="kept")
    upload = None
    parts = []

    def again():
        d.kill()
        d.start()
        return d.client("s3")
    s3 = again()
    upload = begin(s3, "kept")
    for i, body in enumerate(bodies, 1):
        s3 = again()
        parts.append({"PartNumber": i, "ETag": put(s3, "kept", upload, i, body)["ETag"]})
    r = Signed("s3", b"x" * 600000, "PUT", "/kept/k", query=[
        ("uploadId", upload), ("partNumber", "7")])
    try:
        talk(d, r.bytes(length=700000), timeout=0.5)
    except TimeoutError:
        pass
    s3 = again()
    put(s3, "kept", upload, 8, b"not wanted")
    assert len(s3.list_parts(Bucket="kept", Key="k", UploadId=upload)["Parts"]) == 4
    s3 = again()
    complete(s3, "kept", upload, parts)
    s3 = again()
    complete(s3, "kept", upload, parts)
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"".join(bodies)
    assert len(files(d)) == 3
    s3.delete_object(Bucket="kept", Key="k")
    s3 = again()
    s3.list_buckets()
    assert files(d) == []
    d.stop()


def test_cli(daemon, bucket, tmp_path):
    """Both AWS CLIs send what is large in parts, and read it back in ranges."""
    body = os.urandom(1 << 20) * 21
    (tmp_path / "f").write_bytes(body)
    daemon.aws("s3", "cp", str(tmp_path / "f"), f"s3://{bucket}/two")
    daemon.aws("s3", "cp", f"s3://{bucket}/two", f"s3://{bucket}/copied")
    daemon.aws("s3", "cp", f"s3://{bucket}/copied", str(tmp_path / "g"))
    assert (tmp_path / "g").read_bytes() == body
    assert daemon.client("s3").head_object(Bucket=bucket, Key="two")["ETag"].endswith('-3"')
