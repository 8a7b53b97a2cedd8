"""The request path: limits, refusals in the protocol's words, what survives."""
import socket
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from conftest import KEY, SECRET


def talk(daemon, data, keep=False):
    """Sends raw bytes; the first read that ends a message is the answer."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as s:
        s.sendall(data)
        if not keep:
            s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            piece = s.recv(65536)
            got += piece
            if not piece or (keep and b"\r\n\r\n" in got):
                return got


def sign(service, method, url, body=b"", headers=None, query=False):
    request = botocore.awsrequest.AWSRequest(method, url, data=body, headers=headers or {})
    kind = botocore.auth.SigV4QueryAuth if query else botocore.auth.SigV4Auth
    kind(botocore.credentials.Credentials(KEY, SECRET), service, "us-east-1").add_auth(request)
    return request.prepare()


def send(daemon, request):
    url = urllib.parse.urlsplit(request.url)
    target = url.path + ("?" + url.query if url.query else "")
    head = "".join(f"{k}: {v.decode() if isinstance(v, bytes) else v}\r\n"
                   for k, v in request.headers.items() if k.lower() != "content-length")
    body = request.body or b""
    return talk(daemon, (f"{request.method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\n"
                         f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                         ).encode() + body)


def test_presigned_query(daemon):
    url = daemon.endpoint + "/?Action=GetCallerIdentity&Version=2011-06-15"
    answer = send(daemon, sign("sts", "GET", url, query=True))
    assert answer.startswith(b"HTTP/1.1 200") and b"<Account>" in answer


def test_scope_of_another_service(daemon):
    """A signature for ecs must not open sts."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    answer = send(daemon, sign("ecs", "POST", daemon.endpoint + "/", b"{}", {
        "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        "Content-Type": "application/x-amz-json-1.1"}))
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"InvalidSignatureException" in answer and b"scoped to correct service" in answer
    answer = send(daemon, sign("sts", "POST", daemon.endpoint + "/", body, {
        "Content-Type": "application/x-www-form-urlencoded"}))
    assert answer.startswith(b"HTTP/1.1 200"), answer


@pytest.mark.parametrize("service,target,status,code", [
    ("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", 413,
     b"RequestEntityTooLargeException"),
    ("s3", None, 400, b"<Code>EntityTooLarge</Code>"),
])
def test_too_large(daemon, service, target, status, code):
    head = (f"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n"
            f"Expect: 100-continue\r\nX-Amz-Date: 20260101T000000Z\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{service}/"
            f"aws4_request, SignedHeaders=host, Signature=00\r\n")
    if target:
        head += f"X-Amz-Target: {target}\r\n"
    answer = talk(daemon, head.encode() + b"\r\n", keep=True)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert code in answer


def test_unsigned_bodies_are_small(daemon):
    answer = talk(daemon, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" +
                  b"a" * 200000)
    assert answer.startswith(b"HTTP/1.1 413"), answer


@pytest.mark.parametrize("data", ids=range(8), argvalues=[
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
    b"GET /%zz%00?%=&=&&=%ff HTTP/1.1\r\nHost: h\r\n\r\n",
])
def test_garbage(daemon, client, data):
    try:
        answer = talk(daemon, data)
    except OSError:  # cut off while it was sending
        answer = b""
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")) or b" 505 " in answer[:20]
    assert client("sts").get_caller_identity()


def test_filled_in_tokens_are_no_refusal(client):
    """SDKs add idempotency tokens that nobody asked for."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=vpc)


def test_head(daemon):
    answer = talk(daemon, b"HEAD /_neargate/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert b"content-length:" in head.lower()
