"""The network for real: namespaces, wires, firewalls, public addresses.

Drives the warden's network through its own messages (tests/net-driver.c) with
an instance of its own; needs root, leaves nothing behind.
"""

import ctypes
import ipaddress
import os
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

TOP = Path(__file__).resolve().parent.parent
INSTANCE = f"n{os.getpid():x}"  # two runs at a time do not meet
SYNC, REMOVE, LIST, CLEAN = 0x40, 0x41, 0x42, 0x43
ANY, ICMP, TCP, UDP = -1, 1, 6, 17
libc = ctypes.CDLL(None, use_errno=True)


def ip(text):
    return int(ipaddress.IPv4Address(text))


def u32(v):
    return struct.pack("<I", v & 0xFFFFFFFF)


def span(s):
    s = s.encode() if isinstance(s, str) else s
    return u32(len(s)) + s


def boolean(v):
    return bytes([1 if v else 0])


def cidr(text):
    n = ipaddress.IPv4Network(text)
    return u32(int(n.network_address)) + u32(n.prefixlen)


def rule(proto=ANY, lo=-1, hi=-1, cidr_="0.0.0.0/0", group="", egress=False):
    return (boolean(egress) + u32(proto) + u32(lo) + u32(hi) + cidr(cidr_) + span(group))


OUT = rule(egress=True)


class Eni:
    def __init__(self, n, netns, addr, subnet, groups, public=None, internet=True):
        self.id, self.netns, self.addr, self.subnet = f"eni-{n:017x}", netns, addr, subnet
        self.groups, self.public, self.internet = groups, public, internet
        self.mac = b"\x02\x00" + struct.pack(">I", n)

    def encode(self):
        return (span(self.id) + span(self.netns) + u32(ip(self.addr)) + cidr(self.subnet) + span(self.mac)
                + u32(ip(self.public) if self.public else 0) + boolean(self.internet)
                + u32(len(self.groups)) + b"".join(map(span, self.groups)))


NOWHERE, LOCAL, INTERNET, NAT = range(4)
LOCAL_ROUTE = ("10.0.0.0/16", LOCAL)
OUTSIDE = [LOCAL_ROUTE, ("0.0.0.0/0", INTERNET)]


def via(nat, dst="0.0.0.0/0"):
    return (dst, NAT, nat.addr)


class Nat:
    def __init__(self, n, subnet, addr, public=None):
        self.id, self.subnet, self.addr, self.public = f"nat-{n:017x}", subnet, addr, public


def name(prefix, key):
    """An id made of a number or a prefix's third byte: "10.0.2.0/24" is 2."""
    return f"{prefix}-{key if isinstance(key, int) else int(key.split('.')[2]):017x}"


def listed(items, encode):
    items = list(items)
    return u32(len(items)) + b"".join(map(encode, items))


def route(r):
    return cidr(r[0]) + u32(r[1]) + u32(ip(r[2]) if len(r) > 2 else 0)


def paths(enis, subnets, nats, acls):
    """subnets: {prefix: routes}; acls: {prefix: rules}, each (match, allow).  What is not
    said leads outside and lets everything pass."""
    subnets = {**{e.subnet: OUTSIDE for e in enis}, **(subnets or {})}
    acls = {s: (acls or {}).get(s, [(rule(), True), (OUT, True)]) for s in subnets}
    return (listed(subnets, lambda s: span(name("subnet", s)) + cidr(s) + span(name("rtb", s))
                   + span(name("acl", s)))
            + listed(subnets.items(), lambda x: span(name("rtb", x[0])) + listed(x[1], route))
            + listed(acls.items(), lambda x: span(name("acl", x[0])) + listed(
                x[1], lambda r: r[0] + boolean(r[1])))
            + listed(nats, lambda n: span(n.id) + span(name("subnet", n.subnet)) + u32(ip(n.addr))
                     + u32(ip(n.public) if n.public else 0)))


def vpc(n, enis, groups, cidrs=("10.0.0.0/16",), subnets=None, nats=(), acls=None):
    return (span(vpc_id(n)) + listed(cidrs, cidr) + listed(enis, lambda e: e.encode())
            + listed(groups.items(), lambda x: span(x[0]) + u32(len(x[1])) + b"".join(x[1]))
            + paths(enis, subnets, nats, acls))


def vpc_id(n):
    return f"vpc-{n:017x}"


class Driver:
    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.p = subprocess.Popen([self.path, INSTANCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        addr, length = map(int, self.p.stdout.readline().split())
        self.pool = ipaddress.IPv4Network((addr, length))

    def stop(self):
        self.p.stdin.close()
        assert self.p.wait(10) == 0

    def call(self, kind, body=b""):
        frame = struct.pack("<HQ", kind, 7) + body
        self.p.stdin.write(u32(len(frame)) + frame)
        self.p.stdin.flush()
        n, = struct.unpack("<I", self.p.stdout.read(4))
        reply = self.p.stdout.read(n)[10:]
        err, size = struct.unpack_from("<II", reply)
        why = reply[8:8 + size].decode()
        assert err == 0, why
        self.took_us, = struct.unpack_from("<I", reply, 8 + size)
        return reply[12 + size:]

    def sync(self, *args, **kw):
        self.call(SYNC, vpc(*args, **kw))

    def public(self, n):
        return str(self.pool[n])


def inside(netns, fn):
    """Runs fn in the namespace, in a thread of its own; what it returns."""
    out = []

    def run():
        fd = os.open(f"/run/netns/{INSTANCE}-{netns}", os.O_RDONLY)
        try:
            if libc.setns(fd, 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            out.append((fn(), None))
        except OSError as e:
            out.append((None, e))
        finally:
            os.close(fd)

    t = threading.Thread(target=run)
    t.start()
    t.join(10)
    value, error = out[0]
    if error:
        raise error
    return value


def listen(netns, port, addr="0.0.0.0"):
    s = inside(netns, lambda: socket.create_server((addr, port), backlog=16)) if netns else socket.create_server((addr, port))
    s.settimeout(2)
    return s


def connect(netns, addr, port, timeout=0.35):
    def go():
        return socket.create_connection((addr, port), timeout=timeout)
    return inside(netns, go) if netns else go()


def refused(netns, addr, port, server):
    """Nothing came, nor would: what is let through takes far less."""
    try:
        connect(netns, addr, port).close()
    except (TimeoutError, OSError):
        return True
    return False


def reaches(netns, addr, port, server):
    """The peer's view of who called; netns None: the host."""
    c = connect(netns, addr, port, 5)
    s, who = server.accept()
    c.sendall(b"x")
    s.settimeout(2)
    assert s.recv(1) == b"x"
    s.sendall(b"y")
    assert c.recv(1) == b"y"
    c.close()
    s.close()
    return who[0]


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "driver"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmnl"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["make", "-s", "build/libneargate.a"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    libs = ["-lmnl", "-lyyjson", "-lcrypto", "-lm", "-lpthread"]
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-g", "-Isrc", "-o", path, "tests/net-driver.c",
                    "build/libneargate.a", *flags, *libs], cwd=TOP, check=True)
    return path


@pytest.fixture
def net(binary):
    d = Driver(binary)
    yield d
    if d.p.poll() is None:
        d.p.stdin.close()
        d.p.wait(10)
    subprocess.run([binary, INSTANCE, "clean"], check=True)
    left = [f for f in os.listdir("/run/netns") if f.startswith(INSTANCE + "-")]
    assert left == []
    assert [i for _, i in socket.if_nameindex() if i.startswith(INSTANCE + "v")] == []
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    assert f"table ip {INSTANCE}\n" not in tables
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True).stdout
    assert str(d.pool) not in routes
    assert not os.path.exists(f"/run/neargate-net/{INSTANCE}")


LB, APP, NONE = "sg-0000000000000001b", "sg-000000000000000a9", "sg-00000000000000000"
GROUPS = {
    LB: [rule(TCP, 80, 80), OUT],
    APP: [rule(TCP, 3000, 3000, group=LB), rule(TCP, 7000, 7000, group=APP),
          rule(TCP, 5000, 5000, cidr_="10.0.2.0/24"), OUT],
    NONE: [],
}


def small(net, n=1):
    """A load balancer, two tasks of one group, one alone, one without rules."""
    return [
        Eni(n * 100 + 1, f"lb-{n}", "10.0.1.10", "10.0.1.0/24", [LB], net.public(n * 10 + 1)),
        Eni(n * 100 + 2, f"task-{n}a", "10.0.1.20", "10.0.1.0/24", [APP]),
        Eni(n * 100 + 3, f"task-{n}b", "10.0.2.20", "10.0.2.0/24", [APP], net.public(n * 10 + 2)),
        Eni(n * 100 + 4, f"task-{n}c", "10.0.2.30", "10.0.2.0/24", [NONE], net.public(n * 10 + 3)),
    ]


def test_groups(net):
    net.sync(1, small(net), GROUPS)
    app = {p: listen("task-1a", p) for p in (3000, 5000, 7000, 9000)}
    # By group: the balancer's only, and only from the balancer.
    assert reaches("lb-1", "10.0.1.20", 3000, app[3000]) == "10.0.1.10"
    assert refused("task-1b", "10.0.1.20", 3000, app[3000])
    # Members of the same group.
    assert reaches("task-1b", "10.0.1.20", 7000, app[7000]) == "10.0.2.20"
    assert refused("lb-1", "10.0.1.20", 7000, app[7000])
    # By CIDR.
    assert reaches("task-1b", "10.0.1.20", 5000, app[5000]) == "10.0.2.20"
    assert refused("lb-1", "10.0.1.20", 5000, app[5000])
    # No rule, no way; not even from oneself to the network, without egress.
    assert refused("lb-1", "10.0.1.20", 9000, app[9000])
    assert refused("task-1c", "10.0.1.20", 5000, app[5000])
    # A task talks to itself over its own address.
    assert reaches("task-1a", "10.0.1.20", 9000, app[9000]) == "10.0.1.20"


def test_no_answer_is_silence(net):
    net.sync(1, small(net), GROUPS)
    with pytest.raises(TimeoutError):
        connect("task-1b", "10.0.1.20", 3000, 0.3)
    # Allowed, but nobody listens: refused at once, not silent.
    with pytest.raises(ConnectionRefusedError):
        connect("lb-1", "10.0.1.20", 3000, 0.3)
    # An address nobody has must not leave the VPC.
    with pytest.raises(OSError):
        connect("lb-1", "10.0.3.3", 80, 0.3)
    with pytest.raises(TimeoutError):
        connect("lb-1", "10.0.1.1", 80, 0.3)


def test_overlapping_vpcs(net):
    net.sync(1, small(net, 1), GROUPS)
    net.sync(2, small(net, 2), GROUPS)
    one, two = listen("task-1a", 3000), listen("task-2a", 3000)
    assert reaches("lb-1", "10.0.1.20", 3000, one) == "10.0.1.10"
    assert reaches("lb-2", "10.0.1.20", 3000, two) == "10.0.1.10"
    # From one VPC to another's public address, seen as a public address.
    lb2 = listen("lb-2", 80)
    assert reaches("lb-1", net.public(21), 80, lb2) == net.public(11)
    assert net.call(LIST)[4:].count(b"vpc-") == 2
    net.call(REMOVE, span(vpc_id(2)))
    assert net.call(LIST)[4:].count(b"vpc-") == 1
    assert reaches("lb-1", "10.0.1.20", 3000, one) == "10.0.1.10"


def test_public_addresses(net):
    enis = small(net)
    net.sync(1, enis, GROUPS)
    lb = listen("lb-1", 80)
    assert reaches(None, net.public(11), 80, lb) == "169.254.64.1"
    # The group counts from outside, too.
    app = listen("task-1b", 3000)
    assert refused(None, net.public(12), 3000, app)
    # Outgoing as its public address: to the other VPC's, see above; here the
    # host itself must not be reached at all.
    host = socket.create_server(("0.0.0.0", 0))
    host.settimeout(0.2)
    port = host.getsockname()[1]
    assert refused("lb-1", "169.254.64.1", port, host)
    # Inside the VPC by public address: both sides translated, so that a rule
    # that names a group does not match and one that names all does.
    assert reaches("task-1b", net.public(11), 80, lb) == net.public(12)
    assert refused("lb-1", net.public(12), 3000, app)
    # To itself.
    assert reaches("lb-1", net.public(11), 80, lb) == net.public(11)
    # Without a public address there is no way out or to public ones.
    assert refused("task-1a", net.public(11), 80, lb)
    # Without the route to an internet gateway neither.
    enis[0].internet = False
    net.sync(1, enis, GROUPS)
    assert refused(None, net.public(11), 80, lb)
    assert reaches("task-1b", "10.0.1.10", 80, lb) == "10.0.2.20"


def test_adopts_while_wires_end(net):
    """Namespaces that are just ending hold no new start up."""
    many = [Eni(n, f"task-{n}", f"10.0.3.{10 + n}", "10.0.3.0/24", [APP]) for n in range(30)]
    for _ in range(5):
        net.sync(1, many, GROUPS)
        net.sync(1, many[:1], GROUPS)
        net.stop()
        net.start()
        assert net.call(LIST)[4:].count(b"vpc-") == 1


def test_icmp(net):
    groups = dict(GROUPS)
    net.sync(1, small(net), groups)

    def ping(addr):
        def go():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
            s.settimeout(0.3)
            s.sendto(b"\x08\x00\x00\x00\x00\x01\x00\x01", (addr, 0))
            return s.recvfrom(100)[1][0]
        try:
            return inside("task-1b", go)
        except TimeoutError:
            return None

    assert ping("10.0.1.20") is None
    groups[APP] = GROUPS[APP] + [rule(ICMP, 8, 0)]
    net.sync(1, small(net), groups)
    assert ping("10.0.1.20") == "10.0.1.20"
    groups[APP] = GROUPS[APP] + [rule(ICMP, 13, -1)]
    net.sync(1, small(net), groups)
    assert ping("10.0.1.20") is None


def test_udp_and_spoofing(net):
    groups = {APP: [rule(UDP, 53, 53, cidr_="10.0.1.0/24"), OUT]}
    enis = [Eni(1, "task-s", "10.0.1.20", "10.0.1.0/24", [APP]), Eni(2, "task-r", "10.0.2.20", "10.0.2.0/24", [APP]),
            Eni(3, "task-v", "10.0.1.30", "10.0.1.0/24", [APP])]
    net.sync(1, enis, groups)

    def receiver():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", 53))
        s.settimeout(0.3)
        return s

    r = inside("task-r", receiver)
    raw = inside("task-s", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))

    def send(src):
        udp = struct.pack(">HHHH", 4444, 53, 9, 0) + b"x"
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                           socket.inet_aton(src), socket.inet_aton("10.0.2.20"))
        raw.sendto(head + udp, ("10.0.2.20", 0))
        try:
            return r.recvfrom(10)[1][0]
        except TimeoutError:
            return None

    assert send("10.0.1.20") == "10.0.1.20"
    for other in ("10.0.1.30", "10.0.1.1", "10.0.1.99", "8.8.8.8"):
        assert send(other) is None


def test_two_interfaces(net):
    groups = {LB: [rule(TCP, 80, 80), OUT], APP: [rule(TCP, 3000, 3000, group=LB), OUT]}
    enis = [Eni(1, "lb-2", "10.0.1.10", "10.0.1.0/24", [LB], net.public(1)),
            Eni(2, "lb-2", "10.0.2.10", "10.0.2.0/24", [LB], net.public(2)),
            Eni(3, "task-x", "10.0.2.20", "10.0.2.0/24", [APP])]
    net.sync(1, enis, groups)
    s = listen("lb-2", 80)
    for a in (net.public(1), net.public(2)):
        assert reaches(None, a, 80, s) == "169.254.64.1"
    for a in ("10.0.1.10", "10.0.2.10"):
        assert reaches("task-x", a, 80, s) == "10.0.2.20"
    app = listen("task-x", 3000)
    assert reaches("lb-2", "10.0.2.20", 3000, app) == "10.0.1.10"
    # One of them goes, the other stays.
    net.sync(1, [enis[0], enis[2]], groups)
    assert reaches(None, net.public(1), 80, s) == "169.254.64.1"
    assert refused(None, net.public(2), 80, s)


class Talk:
    """A connection that stays open and is asked whether it still lives."""

    def __init__(self, netns, addr, port, server):
        self.c = connect(netns, addr, port, 2)
        self.s, self.peer = server.accept()

    def alive(self):
        self.c.settimeout(1)
        self.s.settimeout(1)
        self.c.sendall(b"ping")
        if self.s.recv(4) != b"ping":
            return False
        self.s.sendall(b"pong")
        return self.c.recv(4) == b"pong"


def test_changes_disturb_nobody(net):
    enis = small(net)
    net.sync(1, enis, GROUPS)
    app, lb = listen("task-1a", 3000), listen("lb-1", 80)
    inner, outer = Talk("lb-1", "10.0.1.20", 3000, app), Talk(None, net.public(11), 80, lb)
    hairpin = Talk("task-1b", net.public(11), 80, lb)
    # Rules change (nft), an interface comes and goes (netlink).
    net.sync(1, enis, {**GROUPS, LB: GROUPS[LB] + [rule(TCP, 443, 443)]})
    more = enis + [Eni(999, "task-more", "10.0.1.99", "10.0.1.0/24", [APP])]
    net.sync(1, more, GROUPS)
    assert reaches("task-more", "10.0.1.20", 7000, listen("task-1a", 7000)) == "10.0.1.99"
    net.sync(1, enis, GROUPS)
    assert not os.path.exists(f"/run/netns/{INSTANCE}-task-more")
    # A revoked rule: what is tracked goes on, nothing new comes.
    net.sync(1, enis, {**GROUPS, APP: [OUT]})
    assert inner.alive() and outer.alive() and hairpin.alive()
    assert refused("lb-1", "10.0.1.20", 3000, app)
    # An address that is used again at once, by another interface.
    again = [enis[0], enis[2], enis[3], Eni(998, "task-again", "10.0.1.20", "10.0.1.0/24", [APP])]
    net.sync(1, again, GROUPS)
    assert reaches("lb-1", "10.0.1.20", 3000, listen("task-again", 3000)) == "10.0.1.10"
    assert outer.alive() and hairpin.alive()


def test_a_new_warden_adopts(net):
    enis = small(net)
    net.sync(1, enis, GROUPS)
    net.sync(2, small(net, 2), GROUPS)
    app, lb = listen("task-1a", 3000), listen("lb-1", 80)
    inner, outer = Talk("lb-1", "10.0.1.20", 3000, app), Talk(None, net.public(11), 80, lb)
    pool = net.pool
    net.stop()
    assert inner.alive() and outer.alive()
    net.start()
    assert net.pool == pool
    assert net.call(LIST)[4:].count(b"vpc-") == 2
    net.sync(1, enis, GROUPS)
    assert inner.alive() and outer.alive()
    assert reaches("lb-1", "10.0.1.20", 3000, app) == "10.0.1.10"
    # What is not listed any more goes, also when an earlier warden made it.
    net.stop()
    os.close(os.open(f"/run/netns/{INSTANCE}-task-left", os.O_CREAT | os.O_WRONLY))
    net.start()
    assert not os.path.exists(f"/run/netns/{INSTANCE}-task-left")
    net.sync(1, enis[:2], GROUPS)
    assert not os.path.exists(f"/run/netns/{INSTANCE}-task-1b")
    assert inner.alive() and outer.alive()
    assert "via 169.254.64.2" not in subprocess.run(
        ["ip", "route", "show", net.public(12)], capture_output=True, text=True).stdout
    # A firewall that somebody broke heals with the next change.
    subprocess.run(["ip", "netns", "exec", f"{INSTANCE}-{vpc_id(1)}", "nft", "flush", "ruleset"], check=True)
    net.sync(1, enis, GROUPS)
    assert reaches("lb-1", "10.0.1.20", 3000, app) == "10.0.1.10"
    assert refused("task-1b", "10.0.1.20", 3000, app)


def test_hostile_input_is_refused(net):
    for bad in (vpc(1, [Eni(1, "task-x/../../../tmp/x", "10.0.1.5", "10.0.1.0/24", [])], {}),
                vpc(1, [Eni(1, "vpc-x", "10.0.1.5", "10.0.1.0/24", [])], {}),
                vpc(1, [Eni(1, "task-x", "10.0.1.5", "10.0.1.0/24", ["sg-00000000; flush ruleset"])], {}),
                vpc(1, [Eni(1, "task-x", "10.0.9.5", "10.0.1.0/24", [])], {}),
                vpc(1, [Eni(1, "task-x", "10.0.1.5", "10.0.1.0/24", [], "192.0.2.77")], {}),
                vpc(1, [], {})[:-2]):
        with pytest.raises(AssertionError):
            net.call(SYNC, bad)
    assert net.call(LIST)[4:].count(b"vpc-") == 0


def test_many_interfaces(net):
    """Prints what a change costs beside 200 interfaces and 20 groups (run with -s)."""
    groups = {**GROUPS, **{f"sg-{n:017x}": [rule(TCP, p, p) for p in range(1, 11)] for n in range(100, 120)}}
    enis = [Eni(n, f"task-{n}", f"10.0.{n // 200 + 1}.{n % 200 + 10}", f"10.0.{n // 200 + 1}.0/24", [APP])
            for n in range(200)]
    both = {f"10.0.{n}.0/24": OUTSIDE for n in (1, 2)}
    net.sync(1, enis, groups, subnets=both)
    first = net.took_us
    times = []
    for n in range(200, 220):
        enis.append(Eni(n, f"task-{n}", f"10.0.{n // 200 + 1}.{n % 200 + 10}", f"10.0.{n // 200 + 1}.0/24", [APP]))
        net.sync(1, enis, groups, subnets=both)
        times.append(net.took_us)
    net.sync(1, enis, groups, subnets=both)
    idle = net.took_us
    net.sync(1, enis, {**groups, APP: GROUPS[APP] + [rule(TCP, 1, 1)]}, subnets=both)
    rules = net.took_us
    net.sync(1, enis[:-1], {**groups, APP: GROUPS[APP] + [rule(TCP, 1, 1)]}, subnets=both)
    times.sort()
    print(f"\n200 interfaces {first / 1000:.1f} ms; one more {times[10] / 1000:.2f} ms (worst {times[-1] / 1000:.2f}); "
          f"no change {idle / 1000:.2f} ms; a rule {rules / 1000:.1f} ms; one less {net.took_us / 1000:.2f} ms")
    names = os.listdir("/run/netns")
    assert f"{INSTANCE}-task-218" in names and f"{INSTANCE}-task-219" not in names
