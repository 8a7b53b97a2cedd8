"""The load balancer driver with a real HAProxy and backends, on loopback."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOOL = HERE.parent / os.environ.get("NEARGATE_BUILD", "build") / "drv/lb/test-driver"
A, B = "arn:tg/a", "arn:tg/b"


def free_ports(n):
    socks = [socket.socket() for _ in range(n)]
    for s in socks:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


def forward(*groups):
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": g, "Weight": w} for g, w in groups]}}]


def spec(**attributes):
    return {"Protocol": "HTTP", "HealthCheckPort": "traffic-port",
            "HealthCheckPath": "/health", "HealthCheckProtocol": "HTTP",
            "HealthCheckIntervalSeconds": 1, "HealthCheckTimeoutSeconds": 1,
            "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2,
            "Matcher": {"HttpCode": "200-299"},
            "Attributes": {k.replace("__", "."): v for k, v in attributes.items()}}


class Proxy:
    def __init__(self, tmp):
        self.tmp = tmp
        self.ports = free_ports(5)
        self.port = self.ports[0]
        self.be = self.ports[1:4]
        self.dead = self.ports[4]
        self.backend = subprocess.Popen(
            [sys.executable, HERE / "lb_backend.py", *map(str, self.be)],
            cwd=tmp, stdout=subprocess.PIPE, text=True)
        assert self.backend.stdout.readline() == "ready\n"
        self.tool = subprocess.Popen([TOOL, "serve", tmp], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.conf = {"id": "lb-1", "attributes": {"idle_timeout.timeout_seconds": "2"},
                     "listeners": [{"port": self.port, "actions": forward((A, 1))}],
                     "groups": [{"arn": A, "name": "tg-a", "spec": spec()},
                                {"arn": B, "name": "tg-b", "spec": spec()}]}

    def call(self, op, **more):
        self.tool.stdin.write(json.dumps({**self.conf, **more, "op": op}) + "\n")
        self.tool.stdin.flush()
        return json.loads(self.tool.stdout.readline())

    def sync(self):
        r = self.call("sync")
        assert r["err"] == 0, r

    def targets(self, *t):
        r = self.call("targets", targets=list(t))
        assert r["err"] == 0, r
        return {s["name"] + ("o" if s["open"] else ""): s for s in r["servers"]}

    def target(self, i, group="tg-a", **more):
        return {"group": group, "name": "%016x" % i, "addr": "127.0.0.1",
                "port": self.be[i] if i < 3 else self.dead, **more}

    def wait(self, want, *t):
        """Until it is so; never, on whatever machine, means a minute."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            s = self.targets(*t)
            if want(s):
                return s
            time.sleep(0.05)
        raise AssertionError(s)

    def count(self, what):
        """Of the backends: checks of health, slow answers begun."""
        return int(self.get("/count/" + what, port=self.be[0]).text)

    def slow_begun(self, n):
        end = time.monotonic() + 60
        while self.count("slow") < n:
            assert time.monotonic() < end
            time.sleep(0.01)

    def up(self, *t):
        return self.wait(lambda s: all(s[x["name"]]["up"] for x in t), *t)

    def get(self, path="/", method="GET", headers={}, port=None):
        c = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=15)
        c.request(method, path, headers=headers)
        r = c.getresponse()
        r.text = r.read().decode()
        c.close()
        return r

    def close(self):
        self.tool.stdin.close()
        self.tool.wait(20)
        self.backend.kill()
        self.backend.wait()


@pytest.fixture
def proxy(tmp_path):
    p = Proxy(tmp_path)
    yield p
    p.close()


class Hammer:
    """Clients with a connection each, until told; every failure is kept."""

    def __init__(self, proxy, n=4):
        self.proxy, self.stop, self.bad, self.count = proxy, False, [], 0
        self.threads = [threading.Thread(target=self.run) for _ in range(n)]
        for t in self.threads:
            t.start()

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=15)
        while not self.stop:
            try:
                c.request("GET", "/")
                r = c.getresponse()
                text = r.read()
                self.count += 1
                if r.status != 200:
                    self.bad.append((r.status, r.getheaders(), text))
            except Exception as e:
                self.bad.append(repr(e))
                c.close()
            time.sleep(0.001)
        c.close()

    def more(self, n=50):
        """Until so many more answers came."""
        end, goal = time.monotonic() + 60, self.count + n
        while self.count < goal:
            assert time.monotonic() < end, self.bad
            time.sleep(0.01)

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join()
        return self.bad


def test_no_target_then_new_one_waits_for_its_checks(proxy):
    proxy.sync()
    r = proxy.get()
    assert (r.status, r.getheader("server")) == (503, "awselb/2.0")
    assert "503 Service Temporarily Unavailable" in r.text
    t = proxy.target(0)
    assert proxy.count("health") == 0
    s = proxy.targets(t)
    assert not s[t["name"]]["up"]
    def up(s):
        if not s[t["name"]]["up"]:
            before = proxy.get().status
            assert before == 503 or proxy.targets(t)[t["name"]]["up"]
        return s[t["name"]]["up"]

    proxy.wait(up, t)
    assert proxy.count("health") >= 1
    assert proxy.get().status == 200


def test_requests_are_counted_by_group(proxy):
    """On one connection and on several; not the checks; anew after a reload."""
    proxy.sync()
    t = proxy.target(0, judged=True)
    proxy.up(t)
    assert proxy.call("requests")["requests"] == {"tg-a": 0, "tg-b": 0}
    c = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=15)
    for _ in range(5):
        c.request("GET", "/")
        assert c.getresponse().read()
    proxy.get()
    assert proxy.call("requests")["requests"] == {"tg-a": 6, "tg-b": 0}
    c.close()
    proxy.conf["attributes"] = {"idle_timeout.timeout_seconds": "3"}
    proxy.sync()
    assert proxy.call("requests")["requests"] == {"tg-a": 0, "tg-b": 0}
    proxy.call("stop")
    assert proxy.call("requests")["err"] < 0


def test_health_and_fail_open(proxy):
    proxy.sync()
    t = [proxy.target(0, judged=True), proxy.target(1, judged=True)]
    proxy.up(*t)
    (proxy.tmp / ("st%d" % proxy.be[0])).write_text("503")
    s = proxy.wait(lambda s: not s[t[0]["name"]]["up"], *t)[t[0]["name"]]
    assert (s["check"], s["code"]) == (2, 503)
    assert {proxy.get().text for _ in range(6)} == {"from %d" % proxy.be[1]}
    (proxy.tmp / ("st%d" % proxy.be[1])).write_text("500")
    proxy.wait(lambda s: not s[t[1]["name"]]["up"], *t)
    assert {proxy.get().text for _ in range(6)} == {"from %d" % p for p in proxy.be[:2]}
    (proxy.tmp / ("st%d" % proxy.be[0])).write_text("204")
    proxy.wait(lambda s: s[t[0]["name"]]["up"], *t)
    assert {proxy.get().text for _ in range(6)} == {"from %d" % proxy.be[0]}


def test_unhealthy_from_the_start_gets_nothing(proxy):
    proxy.sync()
    dead = proxy.target(3)
    s = proxy.wait(lambda s: s[dead["name"]]["check"] == 4, dead)
    assert not s[dead["name"]]["up"]
    assert proxy.get().status == 503


def test_bad_gateway_and_timeout(proxy):
    proxy.sync()
    good, dead = proxy.target(0, judged=True), proxy.target(3, judged=True)
    proxy.up(good)
    assert proxy.get("/drop").status == 502
    r = proxy.get("/slow5")
    assert (r.status, r.getheader("server")) == (504, "awselb/2.0")
    assert "504 Gateway Time-out" in r.text
    r = proxy.get("/own503")
    assert (r.status, r.text, r.getheader("server")) == (
        503, "from %d" % proxy.be[0], "be")
    proxy.wait(lambda s: good["name"] not in s and dead["name"] + "o" in s, dead)
    r = proxy.get()
    assert (r.status, r.getheader("server")) == (502, "awselb/2.0")
    assert "502 Bad Gateway" in r.text


def test_headers(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    h = proxy.get("/hdr").text.lower()
    assert "x-forwarded-for: 127.0.0.1\r" in h
    assert "x-forwarded-proto: http\r" in h
    assert "x-forwarded-port: %d\r" % proxy.port in h
    import re
    assert re.search(r"x-amzn-trace-id: root=1-[0-9a-f]{8}-[0-9a-f]{24}\r", h)
    h = proxy.get("/hdr", headers={"X-Forwarded-For": "9.9.9.9",
                                   "X-Amzn-Trace-Id": "Root=1-x"}).text.lower()
    assert "x-forwarded-for: 9.9.9.9, 127.0.0.1\r" in h
    assert re.search(r"x-amzn-trace-id: self=1-[0-9a-f]{8}-[0-9a-f]{24};root=1-x\r", h)


def fixed(text, status="200"):
    return [{"Type": "fixed-response", "FixedResponseConfig": {
        "StatusCode": status, "ContentType": "text/plain", "MessageBody": text}}]


def cond(field, config, **values):
    return {"Field": field, config: values}


def test_rules(proxy):
    rules = [
        ([cond("host-header", "HostHeaderConfig", Values=["*.Example.com", "x}"])], "host"),
        ([cond("path-pattern", "PathPatternConfig", Values=["/img/*", "/a?c"]),
          cond("http-request-method", "HttpRequestMethodConfig", Values=["GET"])], "path"),
        ([cond("http-header", "HttpHeaderConfig", HttpHeaderName="X-Beta",
               Values=["Yes*", "-i", "}"])], "header"),
        ([cond("http-header", "HttpHeaderConfig", HttpHeaderName="X#'$`Odd",
               Values=["1"])], "odd name"),
        ([cond("query-string", "QueryStringConfig",
               Values=[{"Key": "v", "Value": "1?"}, {"Value": "only"}])], "query"),
        ([cond("source-ip", "SourceIpConfig", Values=["10.0.0.0/8"])], "never"),
        ([cond("http-request-method", "HttpRequestMethodConfig", Values=["PURGE"])],
         "a\n\"q\" %[src] $HOME #x \\ 'y'"),
    ]
    proxy.conf["listeners"][0]["rules"] = [
        {"conditions": c, "actions": fixed(t)} for c, t in rules]
    proxy.conf["listeners"][0]["actions"] = fixed("default", "404")
    proxy.sync()
    table = [
        ({"path": "/", "headers": {"Host": "a.example.COM:80"}}, "host"),
        ({"path": "/", "headers": {"Host": "example.com"}}, "default"),
        ({"path": "/img/x.png?q"}, "path"), ({"path": "/abc"}, "path"),
        ({"path": "/ABC"}, "default"), ({"path": "/abbc"}, "default"),
        ({"path": "/img/x", "method": "POST"}, "default"),
        ({"path": "/", "headers": {"x-beta": "yes, do"}}, "header"),
        ({"path": "/", "headers": {"x-beta": "no"}}, "default"),
        ({"path": "/", "headers": {"x-beta": "-I"}}, "header"),
        ({"path": "/", "headers": {"x-beta": "}"}}, "header"),
        ({"path": "/", "headers": {"x#'$`odd": "1"}}, "odd name"),
        ({"path": "/?a=b&V=12"}, "query"), ({"path": "/?v=123"}, "default"),
        ({"path": "/?xv=12"}, "default"), ({"path": "/?z=ONLY"}, "query"),
        ({"path": "/?only"}, "query"), ({"path": "/?only=1"}, "default"),
        ({"path": "/", "method": "PURGE"}, rules[6][1]),
    ]
    for request, want in table:
        r = proxy.get(**request)
        assert r.text == want, request
        assert r.getheader("server") == "awselb/2.0"
    assert proxy.get().status == 404


def test_redirects(proxy):
    conf = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}",
            "Query": "#{query}", "StatusCode": "HTTP_301"}
    proxy.conf["listeners"][0]["actions"] = [{"Type": "redirect", "RedirectConfig": conf}]
    proxy.sync()
    for path, want in (("/a/b?c=d", "https://h.example:443/a/b?c=d"),
                       ("/a", "https://h.example:443/a"), ("/?", "https://h.example:443/")):
        r = proxy.get(path, headers={"Host": "h.example:8080"})
        assert (r.status, r.getheader("location")) == (301, want)
        assert r.getheader("server") == "awselb/2.0"
    conf.update(Protocol="#{protocol}", Port="#{port}", Host="www.#{host}", Path="/x%#{path}",
                Query="p=#{path}", StatusCode="HTTP_302")
    proxy.sync()
    r = proxy.get("/a?c", headers={"Host": "h"})
    assert (r.status, r.getheader("location")) == (
        302, "http://www.h:%d/x%%a?p=a" % proxy.port)


def test_weights(proxy):
    proxy.conf["listeners"][0]["actions"] = forward((A, 3), (B, 1))
    proxy.sync()
    proxy.up(proxy.target(0), proxy.target(1, "tg-b"))
    got = [proxy.get().text for _ in range(200)]
    share = got.count("from %d" % proxy.be[0])
    assert 115 <= share <= 185, share
    proxy.conf["listeners"][0]["actions"] = forward((A, 0), (B, 5))
    proxy.sync()
    assert {proxy.get().text for _ in range(20)} == {"from %d" % proxy.be[1]}


def test_sticky(proxy):
    proxy.conf["groups"][0]["spec"] = spec(stickiness__enabled="true")
    proxy.sync()
    t = [proxy.target(i) for i in range(3)]
    proxy.up(*t)
    r = proxy.get()
    cookie = r.getheader("set-cookie").split(";")[0]
    assert cookie.startswith("AWSALB=")
    mine = r.text
    assert {proxy.get(headers={"Cookie": cookie}).text for _ in range(9)} == {mine}
    assert len({proxy.get().text for _ in range(9)}) == 3
    i = proxy.be.index(int(mine.split()[1]))
    t[i]["draining"] = True
    proxy.wait(lambda s: s[t[i]["name"]]["drain"], *t)
    assert mine not in {proxy.get(headers={"Cookie": cookie}).text for _ in range(9)}
    del t[i]["draining"]
    proxy.wait(lambda s: not s[t[i]["name"]]["drain"], *t)
    assert {proxy.get(headers={"Cookie": cookie}).text for _ in range(9)} == {mine}


def test_draining_loses_nothing(proxy):
    proxy.sync()
    t = [proxy.target(0, judged=True), proxy.target(1, judged=True)]
    proxy.up(*t)
    slow = []
    threads = [threading.Thread(target=lambda: slow.append(proxy.get("/slow1").status))
               for _ in range(6)]
    h = Hammer(proxy)
    for x in threads:
        x.start()
    proxy.slow_begun(6)
    for i in (0, 1, 0):
        h.more()
        t[i]["draining"] = True
        proxy.wait(lambda s: s[t[i]["name"]]["active"] == 0, *t)
        left = [x for x in t if x is not t[i]]
        proxy.wait(lambda s: t[i]["name"] not in s and t[i]["name"] + "o" not in s, *left)
        del t[i]["draining"]
        proxy.up(*t)
    for x in threads:
        x.join()
    assert h.end() == []
    assert slow == [200] * 6


def test_reload_loses_nothing_and_keeps_health(proxy):
    proxy.sync()
    t = [proxy.target(0, judged=True), proxy.target(1, judged=True), proxy.target(3, judged=True)]
    proxy.up(*t[:2])
    proxy.wait(lambda s: s[t[2]["name"]]["check"] == 4, *t)
    proxy.targets(*t)
    slow = []
    x = threading.Thread(target=lambda: slow.append(proxy.get("/slow1.5").status))
    x.start()
    h = Hammer(proxy)
    proxy.slow_begun(1)
    for i in range(4):
        h.more()
        proxy.conf["listeners"][0]["rules"] = [
            {"conditions": [cond("path-pattern", "PathPatternConfig", Values=["/r%d" % i])],
             "actions": fixed("r%d" % i)}]
        proxy.sync()
        assert proxy.get("/r%d" % i).text == "r%d" % i
        s = proxy.targets(*t)
        assert [s[x["name"]]["up"] for x in t] == [True, True, False]
    x.join()
    assert h.end() == []
    assert slow == [200]


def pids(tmp):
    out = subprocess.run(["pgrep", "-f", "haproxy .*%s/" % tmp],
                         capture_output=True, text=True).stdout.split()
    return out


def test_same_structure_is_left_alone(proxy):
    proxy.sync()
    before = pids(proxy.tmp)
    assert before
    proxy.sync()
    proxy.sync()
    assert pids(proxy.tmp) == before


def test_edge(proxy):
    edge, lb2 = free_ports(2)
    proxy.conf["edge"] = "127.0.0.9/32"
    proxy.sync()
    proxy.up(proxy.target(0))
    conf = {"port": edge, "to": proxy.port, "source": "127.0.0.9",
            "hosts": {"a.test": "127.0.0.1"}}
    assert proxy.call("edge", **conf)["err"] == 0
    r = proxy.get("/hdr", headers={"Host": "A.test:%d" % edge}, port=edge)
    assert r.status == 200
    # The client's address, not the edge's.
    assert "x-forwarded-for: 127.0.0.1\r" in r.text.lower()
    r = proxy.get(headers={"Host": "b.test"}, port=edge)
    assert r.status == 404 and "b.test" in r.text
    before = pids(proxy.tmp)
    conf["hosts"] = {"b.test": "127.0.0.1"}
    assert proxy.call("edge", **conf)["err"] == 0
    assert proxy.get(headers={"Host": "b.test"}, port=edge).status == 200
    assert proxy.get(headers={"Host": "a.test"}, port=edge).status == 404
    assert pids(proxy.tmp) == before


def test_own_headers_are_matched_as_the_client_sent_them(proxy):
    proxy.conf["listeners"][0]["rules"] = [
        {"conditions": [cond("http-header", "HttpHeaderConfig", HttpHeaderName="x-forwarded-proto",
                             Values=["http"])], "actions": fixed("said http")},
        {"conditions": [cond("http-header", "HttpHeaderConfig", HttpHeaderName="X-Forwarded-For",
                             Values=["9.*"])], "actions": fixed("said 9")}]
    proxy.conf["listeners"][0]["actions"] = fixed("default")
    proxy.sync()
    assert proxy.get().text == "default"
    assert proxy.get(headers={"X-Forwarded-Proto": "http"}).text == "said http"
    assert proxy.get(headers={"X-Forwarded-For": "9.1.1.1"}).text == "said 9"


def raw(port, data, end=b"", seconds=15):
    """What comes back for bytes of our own, until it ends with or closes."""
    import socket
    with socket.create_connection(("127.0.0.1", port), seconds) as s:
        s.sendall(data)
        got = b""
        while not end or end not in got:
            more = s.recv(65536)
            if not more:
                break
            got += more
        return got


def test_several_forwarded_lines_and_trace_fields(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    h = raw(proxy.port, b"GET /hdr HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n"
            b"x-forwarded-for: 3.3.3.3\r\nX-Forwarded-Port: 9\r\nX-Forwarded-Proto: gopher\r\n"
            b"X-Amzn-Trace-Id: Root=1-a-b; Self=1-c-d;CalledFrom=app\r\n"
            b"Connection: close\r\n\r\n").decode().lower()
    assert "x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1\r" in h
    assert h.count("x-forwarded-for:") == h.count("x-forwarded-port:") == 1
    assert "gopher" not in h
    import re
    assert re.search(r"x-amzn-trace-id: self=1-[0-9a-f]{8}-[0-9a-f]{24};"
                     r"root=1-a-b;calledfrom=app\r", h), h
    ids = set()
    for _ in range(50):
        ids.add(re.search(r"root=1-(\S+)", proxy.get("/hdr").text.lower())[1])
    assert len(ids) == 50


def keep_alive_requests(port, n):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    for _ in range(n):
        c.request("GET", "/")
        r = c.getresponse()
        assert r.read() and r.status == 200
    c.close()


def test_connections_to_targets_are_kept(proxy):
    proxy.sync()
    t = [proxy.target(0, judged=True)]
    proxy.up(*t)
    keep_alive_requests(proxy.port, 20)
    assert proxy.count("reused") >= 18
    # Kept ones do not hold up a target that goes, and a reload keeps keeping.
    proxy.wait(lambda s: not s)
    proxy.up(*t)
    proxy.conf["attributes"]["idle_timeout.timeout_seconds"] = "3"
    proxy.sync()
    before = proxy.count("reused")
    keep_alive_requests(proxy.port, 20)
    assert proxy.count("reused") >= before + 18


def test_large_headers(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    r = proxy.get("/hdr?" + "q" * 15000,
                  headers={"X-%d" % i: "v" * 16000 for i in range(3)})
    assert r.status == 200 and len(r.text) > 63000
    assert r.text.count("v") == 3 * 16000
    r = raw(proxy.port, b"GET / HTTP/1.1\r\nHost: a\r\n" +
            b"".join(b"X-%d: %s\r\n" % (i, b"v" * 16000) for i in range(6)) + b"\r\n")
    assert r.startswith(b"HTTP/1.1 400 ")
    assert proxy.get().status == 200


def test_bodies_both_ways(proxy):
    import hashlib
    proxy.sync()
    proxy.up(proxy.target(0))
    sent = bytes(range(256)) * (32 << 12)
    c = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    c.request("POST", "/body", sent)
    assert c.getresponse().read().split()[:2] == [
        b"%d" % len(sent), hashlib.sha256(sent).hexdigest().encode()]
    c.request("GET", "/big32")
    r = c.getresponse()
    assert len(r.read()) == 32 << 20
    c.close()
    # Chunks, a trailer, and a client that waits to be asked.
    import socket
    with socket.create_connection(("127.0.0.1", proxy.port), 15) as s:
        s.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                  b"Trailer: X-Sum\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 100 Continue\r\n")
        s.sendall(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 7\r\n\r\n")
        got = b""
        while more := s.recv(4096):
            got += more
    assert got.lower().endswith(b"hello world|x-sum: 7"), got


def test_websocket_outlives_requests_and_idles_out(proxy):
    import socket
    proxy.sync()
    proxy.up(proxy.target(0))
    with socket.create_connection(("127.0.0.1", proxy.port), 15) as s:
        s.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                  b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ")
        for i in range(3):      # together longer than the idle timeout of 2 s
            s.sendall(b"ping %d" % i)
            assert s.recv(4096) == b"ping %d" % i
            time.sleep(1)
        assert s.recv(4096) == b""


def test_http2_is_not_spoken_in_clear(proxy):
    proxy.sync()
    proxy.up(proxy.target(0))
    got = raw(proxy.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    assert got.startswith(b"HTTP/1.1 4") and b"\r\n\r\n" in got, got


def test_every_kind_of_server_is_taken(proxy):
    kinds = [spec(slow_start__duration_seconds="30"),
             {**spec(), "HealthCheckPort": str(proxy.be[1])},
             {**spec(), "Protocol": "HTTPS", "HealthCheckProtocol": "HTTPS"},
             {**spec(), "Protocol": "HTTPS"}, {**spec(), "HealthCheckProtocol": "HTTPS"},
             spec(load_balancing__algorithm__type="least_outstanding_requests"),
             {**spec(), "HealthCheckPath": "/health?a=%20b&'\"$HOME"}]
    proxy.conf["groups"] = [{"arn": A, "name": "tg-a", "spec": spec()}] + [
        {"arn": "arn:%d" % i, "name": "tg-%d" % i, "spec": s} for i, s in enumerate(kinds)]
    proxy.sync()
    all_of = [proxy.target(i % 3, "tg-%d" % i, judged=True) for i in range(len(kinds))]
    proxy.targets(*all_of)
    # and so by a reload
    proxy.conf["attributes"]["idle_timeout.timeout_seconds"] = "4"
    proxy.sync()
    assert len(proxy.targets(*all_of)) == 6     # by name, and their twins
    up = [t for t in all_of if t["group"] not in ("tg-2", "tg-3", "tg-4")]
    proxy.wait(lambda s: all(s[t["name"]]["up"] for t in up), *up)


def test_no_connection_within_ten_seconds(proxy):
    import socket
    proxy.sync()
    with socket.socket() as full:
        full.bind(("127.0.0.1", proxy.dead))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for s in waiting:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", proxy.dead))
        t = proxy.target(3, judged=True)
        proxy.targets(t)
        start = time.monotonic()
        r = proxy.get()
        assert (r.status, r.getheader("server")) == (504, "awselb/2.0")
        assert "504 Gateway Time-out" in r.text
        assert time.monotonic() - start > 9
        for s in waiting:
            s.close()


def test_new_proxy_trusts_what_was_healthy(proxy):
    proxy.sync()
    good, bad = proxy.target(0, judged=True, healthy=True), proxy.target(1, judged=True)
    (proxy.tmp / ("st%d" % proxy.be[1])).write_text("503")
    s = proxy.targets(good, bad)
    assert s[good["name"]]["up"] and not s[bad["name"]]["up"]
    assert {proxy.get().text for _ in range(4)} == {"from %d" % proxy.be[0]}
    (proxy.tmp / ("st%d" % proxy.be[0])).write_text("503")
    proxy.wait(lambda s: not s[good["name"]]["up"], good, bad)


def test_edge_keeps_clients_apart(proxy):
    """Connections to load balancers are reused, each for its client alone."""
    edge, = free_ports(1)
    proxy.conf["edge"] = "127.0.0.9/32"
    proxy.sync()
    proxy.up(proxy.target(0))
    assert proxy.call("edge", port=edge, to=proxy.port, source="127.0.0.9",
                      hosts={"a.test": "127.0.0.1"})["err"] == 0
    clients = {ip: http.client.HTTPConnection("127.0.0.1", edge, timeout=15,
                                              source_address=(ip, 0))
               for ip in ("127.0.0.2", "127.0.0.3", "127.0.0.4")}
    for _ in range(5):
        for ip, c in clients.items():
            c.request("GET", "/hdr", headers={"Host": "a.test"})
            assert "x-forwarded-for: %s\r" % ip in c.getresponse().read().decode().lower()
    for c in clients.values():
        c.close()
