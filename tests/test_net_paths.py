"""Where packets really go: route tables, NAT gateways, network ACLs, with real packets.

Namespaces of its own, like test_net.py, and another one that stands for the internet.
"""
import os
import socket
import subprocess

import pytest

import test_net
from test_net import (APP, ICMP, INTERNET, LOCAL_ROUTE, NOWHERE, OUT, OUTSIDE, TCP, UDP, Eni,
                      Nat, Talk, connect, inside, listen, reaches, refused, rule, via)
from test_net import binary, net, pytestmark  # noqa: F401: fixtures

OPEN = "sg-0000000000000000f"
GROUPS = {OPEN: [rule(), OUT], APP: [rule(TCP, 3000, 3000), OUT]}
PUBLIC, PRIVATE, ISOLATED = "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"


class World:
    """A VPC as the CDK makes it, and a second one with a server that has a public address."""

    def __init__(self, net):
        self.net = net
        self.nat = Nat(1, PUBLIC, "10.0.1.5", net.public(50))
        self.enis = [
            Eni(1, "lb-1", "10.0.1.10", PUBLIC, [OPEN], net.public(11)),
            Eni(2, "task-bare", "10.0.1.20", PUBLIC, [OPEN]),
            Eni(3, "task-priv", "10.0.2.20", PRIVATE, [OPEN]),
            Eni(4, "task-mate", "10.0.2.21", PRIVATE, [OPEN]),
            Eni(5, "task-iso", "10.0.3.20", ISOLATED, [OPEN])]
        self.subnets = {PUBLIC: OUTSIDE, PRIVATE: [LOCAL_ROUTE, via(self.nat)],
                        ISOLATED: [LOCAL_ROUTE]}
        self.nats, self.acls = [self.nat], {}
        self.sync()
        net.sync(2, [Eni(20, "lb-2", "10.0.1.10", PUBLIC, [OPEN], net.public(21))], GROUPS)
        self.server = net.public(21)

    def sync(self, **changes):
        for key, value in changes.items():
            setattr(self, key, value)
        self.net.sync(1, self.enis, GROUPS, subnets=self.subnets, nats=self.nats, acls=self.acls)


@pytest.fixture
def world(net):  # noqa: F811
    return World(net)


@pytest.fixture
def internet():
    """A namespace beyond the host, with 203.0.113.2."""
    name, link = f"i{os.getpid():x}", f"i{os.getpid():x}"

    def ip(*args):
        subprocess.run(["ip", *args], check=True)
    ip("netns", "add", name)
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
    ip("addr", "add", "203.0.113.1/30", "dev", link)
    ip("link", "set", link, "up")
    ip("-n", name, "addr", "add", "203.0.113.2/30", "dev", "eth0")
    ip("-n", name, "link", "set", "eth0", "up")
    yield name
    ip("netns", "del", name)


def listen_in(netns, port):
    """In a namespace that is not the instance's."""
    was, test_net.INSTANCE = test_net.INSTANCE, netns
    os.symlink(f"/run/netns/{netns}", f"/run/netns/{netns}-x")
    try:
        return listen("x", port)
    finally:
        os.unlink(f"/run/netns/{netns}-x")
        test_net.INSTANCE = was


def ping(netns, addr, timeout=0.3):
    def go():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
        s.settimeout(timeout)
        s.sendto(b"\x08\x00\x00\x00\x00\x01\x00\x01", (addr, 0))
        return s.recvfrom(100)[1][0]
    try:
        return inside(netns, go)
    except TimeoutError:
        return None


def test_nat_gateway(world):
    net, nat = world.net, world.nat
    lb2, lb1 = listen("lb-2", 80), listen("lb-1", 80)
    # Out by the gateway, seen as its address; by one's own where there is one.
    assert reaches("task-priv", world.server, 80, lb2) == nat.public
    assert reaches("lb-1", world.server, 80, lb2) == net.public(11)
    # An internet gateway alone is no way for who has no public address; nor is nothing.
    assert refused("task-bare", world.server, 80, lb2)
    assert refused("task-iso", world.server, 80, lb2)
    # To a neighbour's public address: out and in again.
    assert reaches("task-priv", net.public(11), 80, lb1) == nat.public
    assert refused("task-iso", net.public(11), 80, lb1)
    assert reaches("task-iso", "10.0.1.10", 80, lb1) == "10.0.3.20"
    # Nobody comes in by it, from wherever.
    for peer in (None, "lb-2", "lb-1", "task-priv"):
        assert refused(peer, nat.public, 80, lb1)
    assert ping("task-priv", world.server) == world.server
    assert ping("task-iso", world.server) is None


def test_nat_carries_udp_and_equal_ports(world):
    def udp(port):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", port))
        s.settimeout(1)
        return s
    server = inside("lb-2", lambda: udp(53))
    clients = [inside(n, lambda: udp(5555)) for n in ("task-priv", "task-mate")]
    seen = set()
    for i, c in enumerate(clients):
        c.sendto(b"%d" % i, (world.server, 53))
        data, who = server.recvfrom(10)
        assert who[0] == world.nat.public
        seen.add(who[1])
        server.sendto(b"to " + data, who)
        assert c.recvfrom(10)[0] == b"to %d" % i
    assert len(seen) == 2
    # Another peer may not use the door that is open for the first.
    stranger = inside("lb-2", lambda: udp(54))
    stranger.sendto(b"x", (world.nat.public, min(seen)))
    for c in clients:
        c.settimeout(0.2)
        with pytest.raises(TimeoutError):
            c.recvfrom(10)


def test_errors_find_their_way_back(world):
    """Refusals of the far side, also those that are messages about a packet."""
    with pytest.raises(ConnectionRefusedError):
        connect("task-priv", world.server, 9, 2)

    def closed():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(2)
        s.connect((world.server, 9))
        s.send(b"x")
        s.recv(1)
    with pytest.raises(ConnectionRefusedError):
        inside("task-priv", closed)


def test_a_way_is_kept(world):
    """What began by a NAT gateway does not go on by an internet gateway, nor the other way."""
    lb2 = listen("lb-2", 80)
    world.sync(enis=world.enis + [Eni(9, "task-both", "10.0.2.30", PRIVATE, [OPEN],
                                      world.net.public(19))])
    by_nat = Talk("task-both", world.server, 80, lb2)
    assert by_nat.peer[0] == world.nat.public and by_nat.alive()
    private = world.subnets[PRIVATE]
    world.sync(subnets={**world.subnets, PRIVATE: OUTSIDE})
    by_own = Talk("task-both", world.server, 80, lb2)
    assert by_own.peer[0] == world.net.public(19) and by_own.alive()
    with pytest.raises(TimeoutError):
        by_nat.alive()
    world.sync(subnets={**world.subnets, PRIVATE: private})
    with pytest.raises(TimeoutError):
        by_own.alive()
    # It was only not heard: what was said is said again.
    by_nat.s.settimeout(8)
    assert by_nat.s.recv(4) == b"ping"


def test_the_internet(world, internet):
    far = listen_in(internet, 80)
    # The host stands between as the last translation.
    assert reaches("task-priv", "203.0.113.2", 80, far) == "203.0.113.1"
    assert reaches("lb-1", "203.0.113.2", 80, far) == "203.0.113.1"
    assert refused("task-iso", "203.0.113.2", 80, far)
    assert refused("task-bare", "203.0.113.2", 80, far)


def test_the_longest_prefix_leads(world):
    net = world.net
    other = Nat(2, PUBLIC, "10.0.1.6", net.public(51))
    lb2 = listen("lb-2", 80)
    world.sync(nats=[world.nat, other], subnets={
        **world.subnets, PRIVATE: [LOCAL_ROUTE, via(world.nat), via(other, world.server + "/32")]})
    assert reaches("task-priv", world.server, 80, lb2) == other.public
    world.sync(subnets={**world.subnets, PRIVATE: [
        LOCAL_ROUTE, via(world.nat), (world.server + "/32", NOWHERE)]})
    assert refused("task-priv", world.server, 80, lb2)
    world.sync(subnets={**world.subnets, ISOLATED: [LOCAL_ROUTE, via(other, f"{net.pool}")]})
    assert reaches("task-iso", world.server, 80, lb2) == other.public
    # A table that sends everything to the gateway, for who has an address.
    world.sync(subnets={**world.subnets, PUBLIC: [LOCAL_ROUTE, (world.server + "/32", INTERNET)]})
    assert reaches("lb-1", world.server, 80, lb2) == net.public(11)
    # The gateway's own subnet has to lead on, too.
    world.sync(subnets={**world.subnets, PUBLIC: [LOCAL_ROUTE]})
    assert refused("task-iso", world.server, 80, lb2)
    # One gateway does not lead into another.
    world.sync(subnets={**world.subnets, PUBLIC: [LOCAL_ROUTE, via(world.nat)]})
    assert refused("task-iso", world.server, 80, lb2)


def test_answers_follow_the_table(world):
    """A public address in a private subnet: AWS answers by the wrong gateway, so not at all."""
    net = world.net
    world.sync(enis=world.enis + [Eni(9, "task-odd", "10.0.2.30", PRIVATE, [OPEN],
                                      net.public(19))])
    odd = listen("task-odd", 80)
    assert refused("lb-2", net.public(19), 80, odd)
    assert reaches("lb-1", "10.0.2.30", 80, odd) == "10.0.1.10"
    # It leaves by the NAT gateway's address, not by its own.
    assert reaches("task-odd", world.server, 80, listen("lb-2", 80)) == world.nat.public


def test_a_private_gateway(world):
    """Inside the VPC as its private address; outside nobody is let."""
    inner = Nat(3, ISOLATED, "10.0.3.5")
    world.sync(nats=[inner], subnets={
        **world.subnets, PRIVATE: [LOCAL_ROUTE, via(inner, PUBLIC), via(inner)],
        ISOLATED: OUTSIDE})
    assert reaches("task-priv", "10.0.1.20", 80, listen("task-bare", 80)) == "10.0.3.5"
    assert refused("task-priv", world.server, 80, listen("lb-2", 80))
    assert reaches("task-priv", "10.0.2.21", 80, listen("task-mate", 80)) == "10.0.2.20"


def test_connections_go_on(world):
    net, enis = world.net, list(world.enis)
    lb2 = listen("lb-2", 80)
    talk = Talk("task-priv", world.server, 80, lb2)
    direct = Talk("lb-1", world.server, 80, lb2)
    assert talk.peer[0] == world.nat.public
    # Others come and go: interfaces, gateways, rules, ACLs.
    world.sync(enis=enis + [Eni(8, "task-new", "10.0.2.40", PRIVATE, [OPEN])])
    world.sync(enis=enis, nats=[world.nat, Nat(2, PUBLIC, "10.0.1.6", net.public(51))])
    world.sync(acls={ISOLATED: [(rule(TCP, 1, 9), True)]})
    assert talk.alive() and direct.alive()
    # A warden that is new finds them.
    net.stop()
    assert talk.alive()
    net.start()
    world.sync()
    net.sync(2, [Eni(20, "lb-2", "10.0.1.10", PUBLIC, [OPEN], net.public(21))], GROUPS)
    assert talk.alive() and direct.alive()
    assert reaches("task-mate", world.server, 80, lb2) == world.nat.public
    # The route goes on elsewhere: what is under way ends, what is new works.
    world.sync(subnets={**world.subnets, PRIVATE: [LOCAL_ROUTE, via(world.nats[1])]})
    with pytest.raises(TimeoutError):
        talk.alive()
    assert reaches("task-priv", world.server, 80, lb2) == net.public(51)
    assert direct.alive()
    world.sync(nats=[])
    assert refused("task-priv", world.server, 80, lb2)
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True).stdout
    assert world.nat.public not in routes and net.public(51) not in routes
    assert net.public(11) in routes


ALL_IN, ALL_OUT = (rule(), True), (OUT, True)
EPHEMERAL_IN = (rule(TCP, 1024, 65535), True)


def test_acls_are_stateless(world):
    app = listen("task-iso", 3000)
    # In by one port, and out to where the callers' own ports are.
    world.sync(acls={ISOLATED: [(rule(TCP, 3000, 3000), True),
                                (rule(TCP, 1024, 65535, egress=True), True)]})
    assert reaches("task-priv", "10.0.3.20", 3000, app) == "10.0.2.20"
    other = listen("task-iso", 4000)
    assert refused("task-priv", "10.0.3.20", 4000, other)
    # It cannot call anybody: answers come to its own ports, which nothing lets in.
    assert refused("task-iso", "10.0.2.20", 3000, listen("task-priv", 3000))
    talk = Talk("task-priv", "10.0.3.20", 3000, app)
    assert talk.alive()
    # Without the way back there is none at all, for what is under way, too.
    world.sync(acls={ISOLATED: [(rule(TCP, 3000, 3000), True)]})
    assert refused("task-priv", "10.0.3.20", 3000, app)
    with pytest.raises(TimeoutError):
        talk.alive()
    # An ACL holds at the border, not inside.
    world.sync(enis=world.enis + [Eni(8, "task-iso2", "10.0.3.21", ISOLATED, [OPEN])],
               acls={ISOLATED: []})
    assert reaches("task-iso2", "10.0.3.20", 4000, other) == "10.0.3.21"
    assert refused("task-priv", "10.0.3.20", 3000, app)


def test_acls_go_by_number(world):
    app = listen("task-iso", 3000)
    deny = (rule(TCP, 3000, 3000, cidr_="10.0.2.21/32"), False)
    world.sync(acls={ISOLATED: [deny, ALL_IN, ALL_OUT]})
    assert reaches("task-priv", "10.0.3.20", 3000, app) == "10.0.2.20"
    assert refused("task-mate", "10.0.3.20", 3000, app)
    world.sync(acls={ISOLATED: [ALL_IN, deny, ALL_OUT]})
    assert reaches("task-mate", "10.0.3.20", 3000, app) == "10.0.2.21"
    # ICMP by type and code; a protocol by itself.
    world.sync(acls={ISOLATED: [(rule(ICMP, 8, 0), True), (rule(ICMP, 0, -1, egress=True), True)]})
    assert ping("task-priv", "10.0.3.20") == "10.0.3.20"
    assert refused("task-priv", "10.0.3.20", 3000, app)
    world.sync(acls={ISOLATED: [(rule(ICMP, 8, 1), True), ALL_OUT]})
    assert ping("task-priv", "10.0.3.20") is None
    world.sync(acls={ISOLATED: [(rule(UDP, 0, 65535), True), ALL_OUT]})
    assert refused("task-priv", "10.0.3.20", 3000, app)
    # The sender's own ACL counts like the receiver's.
    world.sync(acls={PRIVATE: [ALL_IN, (rule(cidr_="10.0.3.0/24", egress=True), False), ALL_OUT]})
    assert refused("task-priv", "10.0.3.20", 3000, app)
    assert reaches("lb-1", "10.0.3.20", 3000, app) == "10.0.1.10"


def test_acls_and_the_internet(world):
    """Public addresses are what an ACL sees of who is outside, private ones of who is inside."""
    net, lb1, lb2 = world.net, listen("lb-1", 80), listen("lb-2", 80)
    world.sync(acls={PUBLIC: [(rule(TCP, 80, 80, cidr_=net.public(21) + "/32"), True),
                              (rule(TCP, 1024, 65535, egress=True), True)]})
    assert reaches("lb-2", net.public(11), 80, lb1) == net.public(21)
    assert refused(None, net.public(11), 80, lb1)
    # A gateway's subnet sees what passes it, four times.
    steps = [(rule(TCP, 80, 80, cidr_=PRIVATE), True), (rule(TCP, 80, 80, egress=True), True),
             EPHEMERAL_IN, (rule(TCP, 1024, 65535, cidr_=PRIVATE, egress=True), True)]
    world.sync(acls={PUBLIC: steps})
    assert reaches("task-priv", world.server, 80, lb2) == world.nat.public
    for i in range(4):
        world.sync(acls={PUBLIC: steps[:i] + steps[i + 1:]})
        assert refused("task-priv", world.server, 80, lb2), i
    # And so does the private one.
    world.sync(acls={PRIVATE: [EPHEMERAL_IN, (rule(TCP, 80, 80, egress=True), True)]})
    assert reaches("task-priv", world.server, 80, lb2) == world.nat.public
    world.sync(acls={PRIVATE: [ALL_OUT]})
    assert refused("task-priv", world.server, 80, lb2)


def test_what_it_costs(world):
    """Prints it (run with -s): one interface more beside many subnets, a rule of an ACL."""
    net = world.net
    subnets = {f"10.0.{n}.0/24": [LOCAL_ROUTE, via(world.nat)] for n in range(10, 200)}
    tight = {s: [(rule(TCP, p, p), True) for p in range(1, 19)] for s in list(subnets)[:20]}
    world.sync(subnets={**world.subnets, **subnets}, acls=tight)
    first, times = net.took_us, []
    for n in range(30, 50):
        world.sync(enis=world.enis + [Eni(n, f"task-{n}", f"10.0.2.{n}", PRIVATE, [OPEN])])
        times.append(net.took_us)
    world.sync()
    idle = net.took_us
    world.sync(acls={**tight, "10.0.10.0/24": [(rule(TCP, 7, 7), True)]})
    entry = net.took_us
    world.sync(subnets={**world.subnets, "10.0.12.0/24": OUTSIDE})
    times.sort()
    print(f"\n190 subnets, 20 ACLs {first / 1000:.1f} ms; one interface more "
          f"{times[10] / 1000:.2f} (worst {times[-1] / 1000:.2f}); no change {idle / 1000:.2f}; "
          f"an ACL's rule {entry / 1000:.1f}; a route {net.took_us / 1000:.1f}")
    assert times[10] < 100000


def datagrams(port, dst=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", port))
    s.settimeout(0.5)
    if dst:
        s.connect(dst)
    return s


def test_what_nobody_answers_goes_by_the_next_gateway(world):
    """Datagrams that are only sent (logs, statistics) are one connection for as long."""
    net = world.net
    server = inside("lb-2", lambda: datagrams(514))
    client = inside("task-priv", lambda: datagrams(5000, (world.server, 514)))
    client.send(b"1")
    assert server.recvfrom(10)[1][0] == world.nat.public
    other = Nat(2, PUBLIC, "10.0.1.6", net.public(51))
    world.sync(nats=[other], subnets={**world.subnets, PRIVATE: [LOCAL_ROUTE, via(other)]})
    client.send(b"2")
    assert server.recvfrom(10)[1][0] == other.public


def test_an_address_does_not_inherit_connections(world):
    """Who gets an address next is not open to the peers of who had it before."""
    def talk(port):
        a = inside("task-mate", lambda: datagrams(port))
        b = inside("task-priv", lambda: datagrams(port, ("10.0.2.21", port)))
        b.send(b"1")
        a.sendto(b"2", a.recvfrom(10)[1])
        assert b.recv(10) == b"2"
        return b
    peer = talk(6000)
    mate = world.enis[3]
    rest = [e for e in world.enis if e is not mate]
    world.sync(enis=rest)
    world.sync(enis=rest + [Eni(44, "task-next", mate.addr, PRIVATE, [APP])])
    next_ = inside("task-next", lambda: datagrams(6000))
    peer.send(b"3")
    with pytest.raises(TimeoutError):
        next_.recvfrom(10)
    # The same where one comes as the other goes.
    world.sync(enis=world.enis[:-1])
    world.sync(enis=rest + [mate])
    peer = talk(6001)
    world.sync(enis=rest + [Eni(45, "task-last", mate.addr, PRIVATE, [APP])])
    last = inside("task-last", lambda: datagrams(6001))
    peer.send(b"3")
    with pytest.raises(TimeoutError):
        last.recvfrom(10)


def test_an_elastic_address_takes_no_connections_along(world):
    net = world.net
    server = inside("lb-2", lambda: datagrams(7000))
    mine, other = world.enis[0], world.enis[1]
    client = inside("lb-1", lambda: datagrams(7000, (world.server, 7000)))
    client.send(b"1")
    server.sendto(b"2", server.recvfrom(10)[1])
    assert client.recv(10) == b"2"
    # The address goes to another, its holder gets a new one.
    other.public, mine.public = mine.public, net.public(13)
    world.sync()
    server.sendto(b"3", (other.public, 7000))
    with pytest.raises(TimeoutError):
        client.recv(10)
    client.send(b"4")
    assert server.recvfrom(10)[1][0] == mine.public


def test_an_address_comes_and_goes_between_vpcs(world):
    """Also when the VPC that had it hears of nothing meanwhile."""
    net, lb1 = world.net, listen("lb-1", 80)
    public = world.enis[0].public
    assert reaches(None, public, 80, lb1)
    there = [Eni(20, "lb-2", "10.0.1.10", PUBLIC, [OPEN], public)]
    net.sync(2, there, GROUPS)
    lb2 = listen("lb-2", 80)
    assert reaches(None, public, 80, lb2)
    there[0].public = None
    net.sync(2, there, GROUPS)
    world.sync()
    assert reaches(None, public, 80, lb1)
