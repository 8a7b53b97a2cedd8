"""What real clients put on the wire, replayed byte for byte; both ways of addressing."""
import base64
import concurrent.futures
import hashlib
import os
import re
import shutil
import socket
import subprocess

import boto3
import botocore.config
import pytest
import requests

from conftest import KEY, REGION, SECRET
from raw import Signed, send
from test_s3 import bucket, crc32, s3  # noqa: F401
from test_s3_multipart import MIN, sha256


def ask(daemon, method, path, body=b"", query=(), headers=(), **args):
    status, code, answer = send(daemon, Signed("s3", body, method, path, query=query,
                                               headers=headers, **args))
    return status, code or answer


def test_cdk_publishes(daemon, bucket):
    """One asset as the CDK's publisher sends it, call by call."""
    body = b"PK" + os.urandom(1000)
    key = f"{hashlib.sha256(body).hexdigest()}.zip"
    status, answer = ask(daemon, "GET", f"/{bucket}/", query=[
        ("list-type", "2"), ("max-keys", "1"), ("prefix", key)])
    assert status == 200 and b"<KeyCount>0</KeyCount>" in answer
    status, answer = ask(daemon, "GET", f"/{bucket}/", query=[("location", "")])
    assert status == 200 and b"<LocationConstraint" in answer
    status, answer = ask(daemon, "GET", f"/{bucket}/", query=[("encryption", "")])
    assert status == 200 and b"<SSEAlgorithm>AES256</SSEAlgorithm>" in answer
    status, answer = ask(daemon, "PUT", f"/{bucket}/{key}", body, [("x-id", "PutObject")], [
        ("content-type", "application/zip"), ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-sdk-checksum-algorithm", "SHA256"), ("x-amz-checksum-sha256", sha256(body))])
    assert status == 200 and b"x-amz-server-side-encryption: aws:kms" in answer
    assert b"x-amz-checksum-sha256: " + sha256(body).encode() in answer
    status, answer = ask(daemon, "GET", f"/{bucket}/", query=[
        ("list-type", "2"), ("max-keys", "1"), ("prefix", key)])
    assert f"<Key>{key}</Key>".encode() in answer
    # a body other than what is summed up
    assert ask(daemon, "PUT", f"/{bucket}/x", body, [("x-id", "PutObject")], [
        ("x-amz-sdk-checksum-algorithm", "SHA256"), ("x-amz-checksum-sha256", sha256(b""))]) == (
        400, "BadDigest")


def test_cdk_publishes_in_parts(daemon, bucket):
    body = os.urandom(1 << 20) * 12
    pieces = [body[i:i + MIN] for i in range(0, len(body), MIN)]
    status, answer = ask(daemon, "POST", f"/{bucket}/big.zip", query=[("uploads", "")], headers=[
        ("x-amz-checksum-algorithm", "SHA256"), ("x-amz-server-side-encryption", "aws:kms")])
    upload = re.search(rb"<UploadId>(.*)</UploadId>", answer).group(1).decode()

    def part(i):
        status, answer = ask(daemon, "PUT", f"/{bucket}/big.zip", pieces[i], [
            ("partNumber", str(i + 1)), ("uploadId", upload), ("x-id", "UploadPart")], [
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
            ("x-amz-checksum-sha256", sha256(pieces[i]))])
        assert status == 200
        return re.search(rb'(?i)etag: (".*?")', answer).group(1).decode()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        tags = list(pool.map(part, range(len(pieces))))
    xml = '<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload ' \
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + "".join(
            f"<Part><ETag>{t.replace(chr(34), '&quot;')}</ETag><ChecksumSHA256>{sha256(p)}"
            f"</ChecksumSHA256><PartNumber>{i}</PartNumber></Part>"
            for i, (t, p) in enumerate(zip(tags, pieces), 1)) + "</CompleteMultipartUpload>"
    status, answer = ask(daemon, "POST", f"/{bucket}/big.zip", xml.encode(), [
        ("uploadId", upload), ("x-id", "CompleteMultipartUpload")], [
        ("content-type", "application/xml")])
    assert status == 200, answer
    assert daemon.client("s3").get_object(Bucket=bucket, Key="big.zip")["Body"].read() == body


def test_boto_and_old_clients(daemon, bucket):
    body = b"hello"
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    sums = [("x-amz-checksum-crc32", crc32(body)), ("x-amz-sdk-checksum-algorithm", "CRC32")]
    for headers, payload in ((sums, None), ([("Content-MD5", md5)], None),
                             ([], "UNSIGNED-PAYLOAD")):
        assert ask(daemon, "PUT", f"/{bucket}/k", body, headers=headers, payload=payload)[0] == 200
    assert ask(daemon, "PUT", f"/{bucket}/k", b"other", headers=[("Content-MD5", md5)]) == (
        400, "BadDigest")
    assert ask(daemon, "PUT", f"/{bucket}/k", b"other", headers=[("Content-MD5", "junk")]) == (
        400, "InvalidDigest")
    status, answer = ask(daemon, "GET", f"/{bucket}/k", headers=[
        ("x-amz-checksum-mode", "ENABLED")])
    assert answer.endswith(b"hello") and b"x-amz-checksum-crc64nvme" in answer


def test_expect(daemon, bucket):
    """100 before the body; a refusal instead of it."""
    def begin(path):
        r = Signed("s3", b"x" * 100, "PUT", path, headers=[("Expect", "100-continue")])
        sock = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
        sock.sendall(r.bytes()[:-100])
        return sock
    with begin(f"/{bucket}/k") as sock:
        assert sock.recv(65536).startswith(b"HTTP/1.1 100")
        sock.sendall(b"x" * 100)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def client(daemon, style):
    endpoint = daemon.endpoint if style == "path" else f"http://localhost:{daemon.port}"
    return boto3.client("s3", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=KEY,
                        aws_secret_access_key=SECRET, config=botocore.config.Config(
                            signature_version="s3v4", s3={"addressing_style": style}))


def by_host(daemon, method, url, **args):
    """What a browser does with NAME.localhost, which not every libc resolves."""
    host = url.split("/")[2]
    return requests.request(method, url.replace(host, f"127.0.0.1:{daemon.port}", 1),
                            headers={"Host": host, **args.pop("headers", {})}, **args)


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_presigned(daemon, bucket, style):
    s3 = client(daemon, style)

    def url(op, **params):
        u = s3.generate_presigned_url(op, Params={"Bucket": bucket, **params})
        assert (f"//{bucket}.localhost:" in u) == (style == "virtual"), u
        return u
    r = by_host(daemon, "PUT", url("put_object", Key="a b"), data=b"by link")
    assert r.status_code == 200, r.text
    r = by_host(daemon, "GET", url("get_object", Key="a b"), headers={"Range": "bytes=3-"})
    assert (r.status_code, r.content) == (206, b"link")
    assert by_host(daemon, "HEAD", url("head_object", Key="a b")).headers["content-length"] == "7"
    own = daemon.client("s3")
    upload = own.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    r = by_host(daemon, "PUT", url("upload_part", Key="m", UploadId=upload, PartNumber=1),
                data=b"part")
    assert r.status_code == 200, r.text
    own.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": r.headers["ETag"]}]})
    assert by_host(daemon, "GET", url("get_object", Key="m")).content == b"part"
    assert by_host(daemon, "DELETE", url("delete_object", Key="m")).status_code == 204
    good = url("get_object", Key="a b")
    for bad in (good.replace("a%20b", "m"), re.sub("X-Amz-Expires=\\d+", "X-Amz-Expires=604801",
                                                     good), good.replace(bucket, "other")):
        assert by_host(daemon, "GET", bad).status_code in (400, 403), bad


def test_virtual_hosts(daemon, bucket):
    port = daemon.port
    hosts = [f"{bucket}.localhost:{port}", f"{bucket}.s3.localhost:{port}",
             f"{bucket}.s3.us-east-1.amazonaws.com", f"{bucket}.s3.amazonaws.com",
             f"{bucket}.s3-us-east-1.amazonaws.com",
             f"{bucket}.s3.dualstack.us-east-1.amazonaws.com"]
    for i, host in enumerate(hosts):
        assert ask(daemon, "PUT", f"/k/{i}", b"x", host=host)[0] == 200, host
        status, answer = ask(daemon, "GET", f"/k/{i}", host=host)
        assert status == 200 and answer.endswith(b"\r\n\r\nx")
        status, answer = ask(daemon, "GET", "/", query=[("list-type", "2")], host=host)
        assert f"<Key>k/{i}</Key>".encode() in answer
        assert ask(daemon, "GET", "/", query=[("location", "")], host=host)[0] == 200
        assert ask(daemon, "HEAD", "/", host=host)[0] == 200
        status, answer = ask(daemon, "POST", "/m", query=[("uploads", "")], host=host)
        upload = re.search(rb"<UploadId>(.*)</UploadId>", answer).group(1).decode()
        status, answer = ask(daemon, "PUT", "/m", b"part", [
            ("partNumber", "1"), ("uploadId", upload)], host=host)
        tag = re.search(rb'(?i)etag: "(.*?)"', answer).group(1).decode()
        xml = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" \
            f"<ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        status, answer = ask(daemon, "POST", "/m", xml.encode(), [("uploadId", upload)], host=host)
        assert f"<Location>http://{host}/m</Location>".encode() in answer
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"s3.localhost:{port}",
                 "s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "s3-us-east-1.amazonaws.com",
                 "s3.dualstack.us-east-1.amazonaws.com"):
        assert ask(daemon, "GET", f"/{bucket}/k/0", host=host)[0] == 200, host
        status, answer = ask(daemon, "GET", "/", host=host)
        assert status == 200 and b"<ListAllMyBucketsResult" in answer, host
    # a signature for one host is none for another
    r = Signed("s3", method="GET", path="/k/0", host=hosts[0]).bytes()
    assert send(daemon, r.replace(bucket.encode(), b"other", 1))[:2] == (
        403, "SignatureDoesNotMatch")


def test_a_bucket_with_dots(daemon, s3):
    s3.create_bucket(Bucket="www.example.com")
    for host in ("s3.us-east-1.amazonaws.com", "localhost:1"):
        assert ask(daemon, "PUT", "/k", b"x", host="www.example.com." + host)[0] == 200


def test_template_urls(daemon, s3, bucket, client):
    cfn = client("cloudformation")
    s3.put_object(Bucket=bucket, Key="t/a b.json", Body=b'{"Resources": {"G": {"Type": '
                  b'"AWS::Logs::LogGroup"}}, "Description": "from a bucket"}')
    for origin in (daemon.endpoint + "/" + bucket, f"http://localhost:{daemon.port}/{bucket}",
                   f"http://{bucket}.localhost:{daemon.port}", f"https://{bucket}.s3.amazonaws.com",
                   f"https://{bucket}.s3.us-east-1.amazonaws.com",
                   f"https://s3.us-east-1.amazonaws.com/{bucket}",
                   f"https://s3.amazonaws.com/{bucket}"):
        r = cfn.validate_template(TemplateURL=origin + "/t/a%20b.json")
        assert r["Description"] == "from a bucket", origin


def test_curl(daemon, bucket, tmp_path):
    """curl signs by itself, sends a file as it reads it, and is told to wait."""
    body = os.urandom(3 << 20)
    (tmp_path / "f").write_bytes(body)

    def curl(*args):
        p = subprocess.run(["curl", "-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user",
                            f"{KEY}:{SECRET}", *args], capture_output=True)
        assert p.returncode == 0, p.stderr
        return p.stdout
    url = f"{daemon.endpoint}/{bucket}/by-curl"
    unsigned = ("-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
    assert curl("-T", tmp_path / "f", "-w", "%{http_code}", *unsigned, url) == b"200"
    assert curl(*unsigned, url) == body
    assert curl(*unsigned, "-r", "10-19", url) == body[10:20]


@pytest.mark.skipif(not shutil.which("aws"), reason="there is but one AWS CLI")
def test_cli_1(daemon, bucket, tmp_path):
    """The other AWS CLI: sums of everything, sync, copies, removal."""
    (tmp_path / "d").mkdir()
    bodies = {"a": os.urandom(1 << 20) * 18, "b c": b"x", "ü": b""}
    for name, body in bodies.items():
        (tmp_path / "d" / name).write_bytes(body)

    def aws(*args):
        p = subprocess.run(["aws", *map(str, args)], env=daemon.env(), capture_output=True,
                           text=True)
        assert p.returncode == 0, p.stderr
        return p.stdout
    aws("s3", "sync", tmp_path / "d", f"s3://{bucket}/d")
    assert aws("s3", "sync", tmp_path / "d", f"s3://{bucket}/d") == ""
    aws("s3", "sync", f"s3://{bucket}/d", f"s3://{bucket}/e")
    aws("s3", "sync", f"s3://{bucket}/e", tmp_path / "e")
    for name, body in bodies.items():
        assert (tmp_path / "e" / name).read_bytes() == body
    aws("s3", "mv", f"s3://{bucket}/e/a", f"s3://{bucket}/moved")
    assert daemon.client("s3").head_object(Bucket=bucket, Key="moved")["ContentLength"] == 18 << 20
    aws("s3", "rm", f"s3://{bucket}", "--recursive")
    aws("s3", "rb", f"s3://{bucket}")
