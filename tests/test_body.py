"""What clients wrap bodies in: gzip, aws-chunked, sums."""
import base64
import gzip
import hashlib
import zlib

import pytest

from raw import EMPTY, Signed, send

FORM = ("Content-Type", "application/x-www-form-urlencoded")
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
JSON = [("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")]


@pytest.mark.parametrize("encoding,status", [("gzip", 200), ("GZIP", 200), ("custom, gzip", 200)])
def test_gzip_form(daemon, encoding, status):
    """The action is in the packed body, so the headers must do until then."""
    r = Signed("sts", gzip.compress(IDENTITY), headers=[FORM, ("Content-Encoding", encoding)])
    assert send(daemon, r)[0] == status


def test_gzip_json(daemon):
    r = Signed("ecs", gzip.compress(b"{}") + gzip.compress(b" "),
               headers=JSON + [("Content-Encoding", "gzip")])
    status, _, answer = send(daemon, r)
    assert status == 200 and b"clusterArns" in answer


@pytest.mark.parametrize("body", [b"{}", gzip.compress(b"{}", mtime=0)[:-1], b"",
                                  zlib.compress(b"{}"), gzip.compress(b"{}", mtime=0) + b"junk"])
def test_not_gzip(daemon, body):
    r = Signed("ecs", body, headers=JSON + [("Content-Encoding", "gzip")])
    assert send(daemon, r)[:2] == (400, "SerializationException")
    r = Signed("sts", body, headers=[FORM, ("Content-Encoding", "gzip")])
    assert send(daemon, r)[:2] == (400, "MalformedInput")


def test_bomb(daemon):
    r = Signed("ecs", gzip.compress(b" " * (64 << 20)), headers=JSON + [("Content-Encoding", "gzip")])
    assert send(daemon, r)[:2] == (413, "RequestEntityTooLargeException")


def test_nobody_unpacks_for_strangers(daemon):
    r = Signed("sts", gzip.compress(IDENTITY), secret="wrong",
               headers=[FORM, ("Content-Encoding", "gzip")])
    assert send(daemon, r)[:2] == (403, "SignatureDoesNotMatch")
    r = Signed("cloudwatch", b"junk", key="AKIANOSUCHKEY", headers=[
        FORM, ("Content-Encoding", "gzip")])
    assert send(daemon, r)[0] in (400, 403)


def test_put_metric_data_as_sdks_send_it(daemon, client):
    """Large enough that botocore compresses it, where it knows how."""
    data = [{"MetricName": f"metric-{i}", "Value": 1.0} for i in range(500)]
    try:
        client("cloudwatch").put_metric_data(Namespace="n", MetricData=data)
    except Exception as e:
        assert "NotImplemented" in str(e), e


@pytest.mark.parametrize("service,headers,body,want", [
    ("ecs", JSON, b"{}", (400, "InvalidSignatureException")),
    ("sts", [FORM], IDENTITY, (403, "SignatureDoesNotMatch")),
])
def test_unsigned_payload_is_for_s3(daemon, service, headers, body, want):
    for payload in ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "nonsense"):
        assert send(daemon, Signed(service, body, headers=headers, payload=payload))[:2] == want


# S3.  What passes reaches the service, whatever that says of the bucket.

PASSED = (200, 404, 501)
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def put(body, payload=None, headers=(), **args):
    return Signed("s3", body, "PUT", "/bucket/key", payload=payload, headers=headers, **args)


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def frame(request, pieces, trailers=(), bend=None):
    """The pieces, signed one after the other, and trailers."""
    previous, out = request.signature, b""
    for i, piece in enumerate([*pieces, b""]):
        previous = request.sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY + "\n" +
                                hashlib.sha256(piece).hexdigest(), previous)
        signature = "0" * 64 if bend == i else previous
        out += f"{len(piece):x};chunk-signature={signature}\r\n".encode() + piece
        out += b"\r\n" if piece else b""
    if trailers:
        text = "".join(f"{k}:{v}\n" for k, v in trailers)
        signature = request.sign("AWS4-HMAC-SHA256-TRAILER",
                                 hashlib.sha256(text.encode()).hexdigest(), previous)
        out += text.replace("\n", "\r\n").encode()
        out += f"x-amz-trailer-signature:{'0' * 64 if bend == 't' else signature}\r\n".encode()
    return out + b"\r\n"


def chunked(pieces, trailers=(), bend=None, length=None, cut=0):
    length = sum(map(len, pieces)) if length is None else length
    headers = [("Content-Encoding", "aws-chunked"), ("X-Amz-Decoded-Content-Length", str(length))]
    if trailers:
        headers.append(("X-Amz-Trailer", trailers[0][0]))
    r = put(b"", SIGNED + ("-TRAILER" if trailers else ""), headers)
    r.body = frame(r, pieces, trailers, bend)
    r.body = r.body[:len(r.body) - cut]
    return r


PIECES = [b"a" * 8192, b"the end"]
SUM = ("x-amz-checksum-crc32", crc32(b"".join(PIECES)))


@pytest.mark.parametrize("args,want", [
    ({}, None), ({"trailers": [SUM]}, None),
    ({"bend": 0}, "SignatureDoesNotMatch"), ({"bend": 1}, "SignatureDoesNotMatch"),
    ({"bend": 2}, "SignatureDoesNotMatch"), ({"trailers": [SUM], "bend": "t"},
                                             "SignatureDoesNotMatch"),
    ({"trailers": [("x-amz-checksum-crc32", crc32(b"x"))]}, "BadDigest"),
    ({"trailers": [("x-amz-checksum-nosuch", "AA==")]}, "InvalidRequest"),
    ({"length": 8198}, "IncompleteBody"), ({"length": 9000}, "IncompleteBody"),
    ({"cut": 100}, "IncompleteBody"), ({"cut": 8300}, "IncompleteBody"),
])
def test_signed_chunks(daemon, args, want):
    status, code, answer = send(daemon, chunked(PIECES, **args))
    assert (code == want) if want else status in PASSED, answer


def test_decoded_length_is_required(daemon):
    r = put(b"", SIGNED)
    r.body = frame(r, PIECES)
    assert send(daemon, r)[:2] == (411, "MissingContentLength")


@pytest.mark.parametrize("body,want", [
    (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % crc32(b"hello").encode(), None),
    (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"),
    (b"5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
    (b"zz\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
    (b"5\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"),
    (b"ffffffffffffffff\r\nhello", "IncompleteBody"),
    (b"hello", "IncompleteBody"), (b"", "IncompleteBody"),
])
def test_unsigned_trailer(daemon, body, want):
    r = put(body, UNSIGNED, [("X-Amz-Decoded-Content-Length", "5"),
                             ("X-Amz-Trailer", "x-amz-checksum-crc32")])
    status, code, answer = send(daemon, r)
    assert (code == want) if want else status in PASSED, answer


MD5 = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
SHA1 = base64.b64encode(hashlib.sha1(b"hello").digest()).decode()


@pytest.mark.parametrize("headers,want,text", [
    ([("Content-MD5", MD5)], None, ""),
    ([("Content-MD5", MD5[:-4] + "AA==")], "BadDigest", "Content-MD5"),
    ([("Content-MD5", "x")], "InvalidDigest", "Content-MD5"),
    ([("x-amz-checksum-sha1", SHA1)], None, ""),
    ([("x-amz-checksum-crc32", crc32(b"hello"))], None, ""),
    ([("x-amz-checksum-crc32", crc32(b"other"))], "BadDigest",
     "The CRC32 you specified did not match the calculated checksum."),
    ([("x-amz-checksum-sha1", crc32(b"hello"))], "InvalidRequest",
     "Value for x-amz-checksum-sha1 header is invalid."),
    ([("x-amz-checksum-sha1", SHA1), ("x-amz-checksum-crc32", crc32(b"hello"))],
     "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are "
     "not allowed."),
])
def test_sums(daemon, headers, want, text):
    status, code, answer = send(daemon, put(b"hello", headers=headers))
    assert (code == want) if want else status in PASSED, answer
    assert text.encode() in answer


@pytest.mark.parametrize("payload,want", [
    ("UNSIGNED-PAYLOAD", None), (hashlib.sha256(b"hello").hexdigest().upper(), None),
    (EMPTY, "XAmzContentSHA256Mismatch"), ("nonsense", "InvalidArgument"),
    ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "NotImplemented"),
])
def test_content_sha256(daemon, payload, want):
    status, code, answer = send(daemon, put(b"hello", payload))
    assert (code == want) if want else status in PASSED, answer


def test_content_sha256_is_required(daemon):
    r = Signed("s3", b"hello", "PUT", "/bucket/key")
    bare = Signed("s3", b"hello", "PUT", "/bucket/key", skip=["x-amz-content-sha256"])
    bare.headers = [h for h in bare.headers if h[0] != "X-Amz-Content-Sha256"]
    assert send(daemon, r)[0] in PASSED
    status, code, answer = send(daemon, bare)
    assert (status, code) == (400, "InvalidRequest"), answer
    assert b"Missing required header for this request: x-amz-content-sha256" in answer
