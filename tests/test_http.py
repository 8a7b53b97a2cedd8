"""HTTP as strangers speak it: the daemon answers rightly or cuts off, and goes
on answering everybody else."""
import contextlib
import socket
import time

import pytest

from raw import Signed, send, talk

FORM = ("Content-Type", "application/x-www-form-urlencoded")
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
HEALTH = b"GET /_neargate/health HTTP/1.1\r\nHost: h\r\n"


def connect(daemon, timeout=10):
    return socket.create_connection(("127.0.0.1", daemon.port), timeout=timeout)


def read_until(s, what, count=1):
    got = b""
    while got.count(what) < count:
        piece = s.recv(65536)
        assert piece, got
        got += piece
    return got


def served(daemon, within=2.0):
    """Others are answered, and soon."""
    start = time.monotonic()
    assert send(daemon, Signed("sts", IDENTITY, headers=[FORM]))[0] == 200
    assert time.monotonic() - start < within


def rss(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) // 1024


@pytest.fixture(autouse=True)
def alive(daemon):
    yield
    assert daemon.process.poll() is None
    served(daemon)


# What works

@pytest.mark.parametrize("head,keeps", [
    (b"GET /_neargate/health HTTP/1.0\r\n\r\n", False),
    (b"GET /_neargate/health HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", True),
    (HEALTH + b"\r\n", True),
    (HEALTH + b"Connection: close\r\n\r\n", False),
    (b"GET http://h/_neargate/health HTTP/1.1\r\nHost: h\r\n\r\n", True),
    (b"\r\n" + HEALTH + b"\r\n", True),
])
def test_versions(daemon, head, keeps):
    with connect(daemon) as s:
        for _ in range(2 if keeps else 1):
            s.sendall(head)
            assert b" 200 " in read_until(s, b"ready").split(b"\r\n")[0]
        if not keeps:
            tail = s.recv(1000)  # what is left of the body, then the end
            assert not tail or not s.recv(1000)


def test_pipelining(daemon):
    """All are answered, in their order."""
    one = Signed("sts", IDENTITY, headers=[FORM]).bytes(close=False)
    with connect(daemon) as s:
        s.sendall((one + HEALTH + b"\r\n") * 50)
        got = read_until(s, b'"status":"ready"', 50)
    assert got.count(b"HTTP/1.1 200") == 100
    kinds = [b"GetCallerIdentityResult" in part for part in got.split(b"HTTP/1.1 200")[1:]]
    assert kinds == [True, False] * 50


def test_byte_by_byte(daemon):
    data = Signed("sts", IDENTITY, headers=[FORM]).bytes()
    with connect(daemon) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            s.sendall(data[i:i + 1])
        assert b" 200 " in read_until(s, b"</GetCallerIdentityResponse>")


def test_expect_continue(daemon):
    r = Signed("sts", IDENTITY, headers=[FORM, ("Expect", "100-continue")])
    body, r.body = r.body, b""
    with connect(daemon) as s:
        s.sendall(r.bytes(length=len(body)))
        assert read_until(s, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert b" 200 " in read_until(s, b"</GetCallerIdentityResponse>")


def test_refused_before_the_body(daemon):
    r = Signed("sts", b"", headers=[FORM, ("Expect", "100-continue")])
    with connect(daemon) as s:
        s.sendall(r.bytes(length=1 << 40))
        got = read_until(s, b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 413 ") and b"100 Continue" not in got


def chunked(request, body):
    request.headers.append(("Transfer-Encoding", "chunked"))
    data = request.bytes().split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
    lines = [line for line in data.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join(lines) + body


@pytest.mark.parametrize("frame", [
    b"%x\r\n%s\r\n0\r\n\r\n" % (len(IDENTITY), IDENTITY),
    b"%X;ext=1\r\n%s\r\n0;x\r\nTrailer: y\r\n\r\n" % (len(IDENTITY), IDENTITY),
    b"".join(b"1\r\n%c\r\n" % c for c in IDENTITY) + b"0\r\n\r\n",
])
def test_chunked_body(daemon, frame):
    data = chunked(Signed("sts", IDENTITY, headers=[FORM]), frame)
    assert send(daemon, data)[0] == 200


def test_long_headers(daemon):
    """Session tokens of some kilobytes and as many headers as SDKs send."""
    headers = [FORM, ("X-Long", "a" * 12000)] + [(f"X-H{i}", "v" * 20) for i in range(100)]
    assert send(daemon, Signed("sts", IDENTITY, headers=headers))[0] == 200


def test_large_body(daemon):
    body = b'{"unknown":"' + b"a" * ((16 << 20) - 16) + b'"}'
    headers = [("Content-Type", "application/x-amz-json-1.1"),
               ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")]
    assert send(daemon, Signed("ecs", body, headers=headers))[0] == 200
    status, code, _ = send(daemon, Signed("ecs", body + b" " * 16, headers=headers))
    assert (status, code) == (413, "RequestEntityTooLargeException")


# What does not

@pytest.mark.parametrize("data", ids=range(22), argvalues=[
    b"GET\r\n\r\n", b"GET /\r\n\r\n", b"/ HTTP/1.1\r\n\r\n", b"\0" * 100,
    b"GET / HTTP/1.1\r\n\r\n",  # no Host
    b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nA\0B: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    b"GET / HTTP/1.1\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5x\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"fffffffffffffffff\r\nhello\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 200000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n" + b"".join(b"H%d: v\r\n" % i for i in range(20000)) + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
])
def test_malformed(daemon, data):
    try:
        with connect(daemon) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while piece := s.recv(65536):
                got += piece
    except OSError:  # cut off in the middle of it
        return
    assert not got or got[9:10] in (b"4", b"5") and not got.startswith(b"HTTP/1.1 500"), got


@pytest.mark.parametrize("extra", [
    b"Content-Length: 5\r\nContent-Length: 43\r\n",
    b"Content-Length: 43\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 43\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
    b"Content-Length: 5, 5\r\n", b"Content-Length: 0x5\r\n",
])
def test_ambiguous_length(daemon, extra):
    """One of two lengths would let a second request hide behind the first."""
    hidden = b"GET /_neargate/health HTTP/1.1\r\nHost: h\r\n\r\n"
    try:
        got = talk(daemon, b"POST / HTTP/1.1\r\nHost: h\r\n" + extra + b"\r\n0\r\n\r\n" + hidden)
    except ConnectionResetError:
        return
    assert got.startswith(b"HTTP/1.1 400 ") and b"ready" not in got, got


def test_gone_in_the_middle(daemon):
    data = Signed("sts", IDENTITY, headers=[FORM]).bytes()
    for n in range(0, len(data), 7):
        with connect(daemon) as s:
            s.sendall(data[:n])


def test_reset_after_the_request(daemon):
    """The answer has nowhere to go."""
    data = Signed("ecs", b"{}", headers=[
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.CreateCluster")]).bytes(close=False)
    linger = b"\1\0\0\0\0\0\0\0"
    for _ in range(50):
        with connect(daemon) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            s.sendall(data)


def test_slow_ones_are_nobodys_trouble(daemon):
    """Hundreds that send a byte now and then, or nothing at all."""
    with contextlib.ExitStack() as stack:
        conns = [stack.enter_context(connect(daemon)) for _ in range(400)]
        for i, s in enumerate(conns):
            s.sendall([b"", b"G", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n",
                       b"GET / HTTP/1.1\r\nX: "][i % 4])
        for _ in range(3):
            for s in conns[1::4] + conns[2::4] + conns[3::4]:
                s.sendall(b"a")
            served(daemon)


def test_one_that_never_reads(daemon):
    """Its answers pile up on its side of the socket and no further."""
    ecs = daemon.client("ecs")
    ecs.register_task_definition(
        family="large", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256",
        memory="512", containerDefinitions=[
            {"name": "x", "image": "x", "environment": [
                {"name": f"N{i}", "value": "v" * 100} for i in range(400)]}])
    one = Signed("ecs", b'{"taskDefinition":"large"}', headers=[
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition")]
    ).bytes(close=False)
    before = rss(daemon)
    with connect(daemon) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(4000):
                s.sendall(one)
        for _ in range(5):
            served(daemon)
        assert rss(daemon) - before < 64


def test_memory_is_given_back(daemon):
    """Refusals, large bodies and lost connections leave nothing behind."""
    def round_of_abuse():
        for _ in range(8):
            test_gone_in_the_middle(daemon)
        for _ in range(2):
            test_large_body(daemon)

    round_of_abuse()
    before = rss(daemon)
    round_of_abuse()
    assert rss(daemon) - before < 24, (before, rss(daemon))
