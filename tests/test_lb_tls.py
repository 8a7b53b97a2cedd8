"""TLS of the load balancer driver, with a real HAProxy on loopback."""
import concurrent.futures
import hashlib
import http.client
import re
import socket
import ssl
import subprocess
import time

import pytest

from test_lb_proxy import Proxy, fixed, free_ports
from test_tls import self_signed

MODERN = {"min": 2, "max": 3, "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256",
          "suites": "TLS_AES_128_GCM_SHA256"}


def cert(path, name, san=None, **kw):
    pem, key = (b.decode() for b in self_signed(path, name, san, **kw))
    return ["cert-%s.pem" % hashlib.sha256(pem.encode()).hexdigest()[:16], pem, key]


@pytest.fixture
def proxy(tmp_path):
    p = Proxy(tmp_path)
    p.tls = {**MODERN, "certs": [cert(tmp_path, "default.test")]}
    p.conf["listeners"][0]["tls"] = p.tls
    yield p
    p.close()


def context(alpn=None, **versions):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    for k, v in versions.items():
        setattr(c, k, v)
    if alpn:
        c.set_alpn_protocols(alpn)
    return c


def connect(port, name=None, **kw):
    s = socket.create_connection(("127.0.0.1", port), 15)
    return context(**kw).wrap_socket(s, server_hostname=name)


def subject(port, name=None):
    with connect(port, name) as s:
        der = s.getpeercert(True)
    out = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der,
                         capture_output=True, check=True).stdout.decode()
    return re.search(r"CN ?= ?(\S+)", out).group(1)


def curl(port, *args, name="default.test", path="/"):
    return subprocess.run(["curl", "-sSk", "--max-time", "20", "--resolve",
                           f"{name}:{port}:127.0.0.1", *args, f"https://{name}:{port}{path}"],
                          capture_output=True, text=True, timeout=60)


def test_names_choose_certificates(proxy, tmp_path):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html"""
    proxy.tls["certs"] += [cert(tmp_path, "wild", "*.x.test"), cert(tmp_path, "exact", "a.x.test")]
    proxy.sync()
    for name, want in (("a.x.test", "exact"), ("A.X.TEST", "exact"), ("b.x.test", "wild"),
                       ("c.b.x.test", "default.test"), ("x.test", "default.test"),
                       ("default.test", "default.test"), (None, "default.test")):
        assert subject(proxy.port, name) == want, name
    files = {f.name: f.stat().st_mode & 0o777 for f in (proxy.tmp / "lb/lb-1").glob("cert-*")}
    assert files == {c[0]: 0o600 for c in proxy.tls["certs"]}
    assert "PRIVATE" not in (proxy.tmp / "lb/lb-1/haproxy.cfg").read_text()
    # One that is gone takes its key along.
    gone = proxy.tls["certs"].pop(1)
    proxy.sync()
    assert subject(proxy.port, "b.x.test") == "default.test"
    assert not (proxy.tmp / "lb/lb-1" / gone[0]).exists()
    proxy.call("stop")
    assert not list(proxy.tmp.rglob("cert-*"))


def test_kind_of_key_by_what_the_client_knows(proxy, tmp_path):
    """Of two with the same names."""
    proxy.tls["certs"] += [cert(tmp_path, "rsa", "a.test", key=["-newkey", "rsa:2048"]),
                           cert(tmp_path, "ec", "a.test")]
    proxy.tls["ciphers"] += ":ECDHE-RSA-AES128-GCM-SHA256"
    proxy.sync()
    rsa = "RSA-PSS+SHA256:RSA+SHA256"
    for sigalgs, want in (("ECDSA+SHA256:" + rsa, "ec"), (rsa, "rsa")):
        out = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "a.test",
             "-sigalgs", sigalgs], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert re.search(r"subject=CN ?= ?(\S+)", out.stdout).group(1) == want, out


def test_versions_and_ciphers(proxy):
    proxy.sync()
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    with connect(proxy.port, maximum_version=v12) as s:
        assert s.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    with connect(proxy.port) as s:
        assert (s.version(), s.cipher()[0]) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    for few, ok, no in (({"max": 2}, v12, v13), ({"min": 3, "ciphers": ""}, v13, v12)):
        proxy.conf["listeners"][0]["tls"] = {**proxy.tls, **few}
        proxy.sync()
        with connect(proxy.port, maximum_version=ok):
            pass
        with pytest.raises(ssl.SSLError):
            connect(proxy.port, minimum_version=no, maximum_version=no)
    # Plain HTTP there is no answer.
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        proxy.get()


def test_http2_by_alpn(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    both = ["h2", "http/1.1"]
    with connect(proxy.port, alpn=both) as s:
        assert s.selected_alpn_protocol() == "h2"
    with connect(proxy.port, alpn=["http/1.1"]) as s:
        assert s.selected_alpn_protocol() == "http/1.1"
    r = curl(proxy.port, "--http2", "-w", "%{http_version} %{http_code}", path="/hdr")
    assert r.stdout.endswith("2 200"), r.stderr
    assert "host: default.test:%d\n" % proxy.port in r.stdout.lower()
    assert "x-forwarded-proto: https\n" in r.stdout.lower()
    assert "x-forwarded-port: %d\n" % proxy.port in r.stdout.lower()
    assert "x-amzn-tls" not in r.stdout.lower()
    proxy.tls["h2"] = False
    proxy.sync()
    with connect(proxy.port, alpn=both) as s:
        assert s.selected_alpn_protocol() == "http/1.1"


def test_tls_headers(proxy):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html"""
    proxy.conf["attributes"][
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] = "true"
    proxy.sync()
    proxy.up(proxy.target(0))
    got = curl(proxy.port, "-H", "X-Amzn-Tls-Version: mine", path="/hdr").stdout.lower()
    assert "x-amzn-tls-version: tlsv1.3\n" in got and "mine" not in got
    assert "x-amzn-tls-cipher-suite: tls_aes_128_gcm_sha256\n" in got
    proxy.conf["listeners"][0]["attributes"] = {
        "routing.http.request.x_amzn_tls_version.header_name": "X-My-Version"}
    proxy.sync()
    got = curl(proxy.port, "--tls-max", "1.2", path="/hdr").stdout.lower()
    assert "x-my-version: tlsv1.2\n" in got and "x-amzn-tls-version" not in got


def test_websocket(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    with connect(proxy.port, "default.test", alpn=["http/1.1"]) as s:
        s.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                  b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(4096)
        assert got.startswith(b"HTTP/1.1 101")
        s.sendall(b"ping")
        assert s.recv(4096) == b"ping"


def test_redirect_from_http(proxy):
    """To the listener beside it, and there."""
    plain, = free_ports(1)
    proxy.conf["listeners"].append({"port": plain, "actions": [
        {"Type": "redirect", "RedirectConfig": {
            "Protocol": "HTTPS", "Port": str(proxy.port), "Host": "#{host}",
            "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}}]})
    proxy.conf["listeners"][0]["actions"] = fixed("secure")
    proxy.sync()
    r = subprocess.run(
        ["curl", "-sSkL", "--resolve", f"a.test:{plain}:127.0.0.1", "--resolve",
         f"a.test:{proxy.port}:127.0.0.1", "-w", " %{num_redirects} %{url_effective}",
         f"http://a.test:{plain}/x/y?z=1&w"], capture_output=True, text=True, timeout=60)
    assert r.stdout == f"secure 1 https://a.test:{proxy.port}/x/y?z=1&w", r.stderr
    assert proxy.get("/a", port=plain).status == 301


def test_without_certificate_the_others_serve(proxy):
    plain, = free_ports(1)
    proxy.conf["listeners"].append({"port": plain, "actions": fixed("there")})
    proxy.tls["certs"] = []
    proxy.sync()
    assert proxy.get(port=plain).text == "there"
    with pytest.raises(ConnectionRefusedError):
        connect(proxy.port)


class Clients:
    """Keep asking: on one connection, with a connection each, and by HTTP/2
    through curl, fifty requests on a connection."""

    def __init__(self, port):
        self.port, self.stop, self.bad, self.count = port, False, [], 0
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self.work = [self.pool.submit(f) for f in
                     [self.kept] * 3 + [self.fresh] * 2 + [self.http2] * 2]

    def one(self, c):
        c.request("GET", "/")
        r = c.getresponse()
        if r.status != 200 or not r.read().startswith(b"from "):
            self.bad.append(r.status)
        self.count += 1

    def kept(self):
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=15, context=context())
        while not self.stop:
            try:
                self.one(c)
            except Exception as e:
                self.bad.append(repr(e))
                c.close()
        c.close()

    def fresh(self):
        while not self.stop:
            c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=15,
                                            context=context())
            try:
                self.one(c)
            except Exception as e:
                self.bad.append(repr(e))
            c.close()

    def http2(self):
        while not self.stop:
            r = subprocess.run(
                ["curl", "-sSk", "--http2", "--max-time", "20", "-o", "/dev/null", "-w",
                 "%{http_code} %{http_version}\n", f"https://127.0.0.1:{self.port}/[1-50]"],
                capture_output=True, text=True)
            lines = r.stdout.split("\n")[:-1]
            self.bad += [x for x in lines if x != "200 2"]
            if r.returncode or len(lines) != 50:
                self.bad.append(r.stderr)
            self.count += len(lines)

    def more(self, n):
        goal, end = self.count + n, time.monotonic() + 60
        while self.count < goal and not self.bad:
            assert time.monotonic() < end
            time.sleep(0.01)

    def end(self):
        self.stop = True
        for w in self.work:
            w.result()
        return self.bad


def test_renewal_loses_nothing(proxy, tmp_path):
    """A certificate in place of another, six times under load; no request
    fails, and each is there when the call has returned."""
    proxy.sync()
    proxy.up(*(t := [proxy.target(0), proxy.target(1)]))
    clients = Clients(proxy.port)
    try:
        for i in range(6):
            clients.more(150)
            proxy.tls["certs"] = [cert(tmp_path, "n%d.test" % i)]
            proxy.sync()
            assert subject(proxy.port) == "n%d.test" % i
            assert all(s["up"] for s in proxy.targets(*t).values() if not s["open"])
        clients.more(150)
    finally:
        bad = clients.end()
    assert bad == []
    assert clients.count >= 1000


def test_edge_by_name(proxy):
    """TLS goes through to the load balancer, which learns who asks."""
    edge, = free_ports(1)
    proxy.conf["edge"] = "127.0.0.9/32"
    proxy.sync()
    proxy.up(proxy.target(0))
    conf = {"port": edge, "to": proxy.port, "tls": True, "source": "127.0.0.9",
            "hosts": {"a.test": "127.0.0.1", "*.w.test": "127.0.0.1"}}
    assert proxy.call("edge", **conf)["err"] == 0
    for name in ("a.test", "A.TEST", "x.w.test", "x.y.w.test"):
        assert subject(edge, name) == "default.test"
    got = curl(edge, name="a.test", path="/hdr").stdout.lower()
    assert "x-forwarded-for: 127.0.0.1\n" in got
    assert "x-forwarded-port: %d\n" % proxy.port in got
    for name in ("b.test", "w.test", "x.a.test", None):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            subject(edge, name)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        proxy.get(port=edge)
    # A hello in small pieces is waited for.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    with socket.create_connection(("127.0.0.1", edge), 15) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = outgoing.read()
        for i in range(0, len(data), 100):
            s.sendall(data[i:i + 100])
        assert s.recv(1) == b"\x16"


def test_edge_names_in_clear(proxy):
    edge, = free_ports(1)
    proxy.conf["edge"] = "127.0.0.9/32"
    proxy.conf["listeners"] = [{"port": proxy.port, "actions": fixed("here")}]
    proxy.sync()
    assert proxy.call("edge", port=edge, to=proxy.port, source="127.0.0.9", hosts={
        "a.test": "127.0.0.1", "*.w.test": "127.0.0.1"})["err"] == 0
    for name in ("a.test", "A.Test.", "a.test:%d" % edge, "a.test.:80", "x.w.test",
                 "x.y.w.test:1"):
        assert proxy.get(headers={"Host": name}, port=edge).text == "here", name
    for name in ("b.test", "w.test", "x.a.test", "", "*"):
        r = proxy.get(headers={"Host": name}, port=edge)
        assert (r.status, r.getheader("server")) == (404, "neargate"), name
