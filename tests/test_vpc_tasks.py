"""Tasks in the subnets of a CDK VPC: who reaches out, by which address, and through restarts."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import conftest
import oci
from cli import Instance, neargate
from test_cfn_vpc import resources, vpc_template
from test_cloudformation import delete, events, wait as wait_stack

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("crun", "nft"))), reason="root, crun and nft")
SERVER = "exec peer serve 80"
LOOK = "peer ask {ip} 80 {t}000"
# Ends when an answer is missing or another's, else when it is told to.
WATCH = """trap 'exit 3' TERM
while :; do
  who=$(%s); [ "$who" = "{nat}" ] || {{ echo "$who"; exit 9; }}
  sleep 0.05
done""" % LOOK


def until(fn, seconds=40):
    end = time.monotonic() + seconds
    while not (got := fn()):
        assert time.monotonic() < end, fn
        time.sleep(0.05)
    return got


def push(i, repo):
    """tests/peer.c beside a shell; the image's name."""
    with tempfile.TemporaryDirectory() as tmp:
        peer = pathlib.Path(tmp, "peer")
        subprocess.run(["gcc", "-static", "-O1", "-o", peer, conftest.ROOT / "tests/peer.c"],
                       check=True)
        layer = oci.tar(
            oci.entry("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), mode=0o755),
            oci.entry("bin/peer", peer.read_bytes(), mode=0o755),
            *(oci.entry("bin/" + n, kind=oci.tarfile.SYMTYPE, link="busybox")
              for n in ("sh", "sleep")))
    i.client("ecr").create_repository(repositoryName=repo)
    oci.Registry(i).image(repo, "latest", [layer])
    return f"127.0.0.1:{i.port}/{repo}:latest"


class Up:
    def __init__(self):
        self.i = Instance()
        self.ecs, self.ec2 = self.i.client("ecs"), self.i.client("ec2")
        self.cfn = self.i.client("cloudformation")
        self.n = 0

    def run(self, script, subnet, group, public="DISABLED"):
        self.n += 1
        family = f"t{self.n}"
        self.ecs.register_task_definition(
            family=family, networkMode="awsvpc", cpu="256", memory="512",
            requiresCompatibilities=["FARGATE"], containerDefinitions=[
                {"name": "app", "image": self.image, "command": ["sh", "-c", script],
                 "stopTimeout": 2}])
        return self.ecs.run_task(
            cluster="c", taskDefinition=family, launchType="FARGATE", networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group],
                                        "assignPublicIp": public}})["tasks"][0]["taskArn"]

    def task(self, arn):
        return self.ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]

    def code(self, arn):
        until(lambda: self.task(arn)["lastStatus"] == "STOPPED")
        return self.task(arn)["containers"][0].get("exitCode")

    def public_ip(self, arn):
        until(lambda: self.task(arn)["lastStatus"] == "RUNNING")
        eni = next(d["value"] for a in self.task(arn)["attachments"] for d in a["details"]
                   if d["name"] == "networkInterfaceId")
        return self.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])[
            "NetworkInterfaces"][0]["Association"]["PublicIp"]

    def group(self, vpc):
        group = self.ec2.create_security_group(GroupName="all", Description="all",
                                               VpcId=vpc)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80,
                                                  ToPort=80, CidrIp="0.0.0.0/0")
        return group

    def nat_address(self, made, zone):
        return self.ec2.describe_nat_gateways(NatGatewayIds=[made[f"public{zone}Nat"]])[
            "NatGateways"][0]["NatGatewayAddresses"][0]["PublicIp"]


@pytest.fixture(scope="module")
def up():
    u = Up()
    try:
        u.image = push(u.i, "peer")
        u.ecs.create_cluster(clusterName="c")
        u.cfn.create_stack(StackName="net", TemplateBody=json.dumps(
            {"Resources": vpc_template()}))
        stack = wait_stack(u.cfn, "net")
        assert stack["StackStatus"] == "CREATE_COMPLETE", events(u.cfn, "net")
        u.made = resources(u.cfn, "net")
        u.all = u.group(u.made["Vpc"])
        default = u.ec2.describe_subnets(
            Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
        u.server = u.run(SERVER, default["SubnetId"], u.group(default["VpcId"]), "ENABLED")
        u.ip = u.public_ip(u.server)
        yield u
        u.ecs.stop_task(cluster="c", task=u.server)
        u.code(u.server)
        u.ec2.delete_security_group(GroupId=u.all)
        delete(u.cfn, stack)
    finally:
        u.i.down()
    assert u.i.leftovers() == []


def test_who_gets_out(up):
    nats = [up.nat_address(up.made, z) for z in (0, 1)]
    look = LOOK.format(ip=up.ip, t=5)
    same = f'[ "$({look})" = "%s" ]'
    # The private subnets, each by its zone's gateway.
    private = [up.run(same % nats[z], up.made[f"app{z}"], up.all) for z in (0, 1)]
    # An isolated one, and a public one without an address: not at all.
    look = LOOK.format(ip=up.ip, t=1)
    shut = [up.run(f"{look} && exit 7; exit 5", up.made[s], up.all) for s in ("data0", "public0")]
    # A public one with an address by its own.
    own = up.run(f"who=$({LOOK.format(ip=up.ip, t=5)}); "
                 f'[ -n "$who" ] && [ "$who" != "{nats[0]}" ]', up.made["public0"], up.all,
                 "ENABLED")
    assert [up.code(t) for t in private] == [0, 0]
    assert [up.code(t) for t in shut] == [5, 5]
    assert up.code(own) == 0


def test_restarts_disturb_nobody(up):
    nat = up.nat_address(up.made, 0)
    watch = up.run(WATCH.format(ip=up.ip, t=2, nat=nat), up.made["app0"], up.all)
    until(lambda: up.task(watch)["lastStatus"] == "RUNNING")
    # The daemon alone; then the warden, and the daemon with it.
    for which in (lambda: (up.i.status()["pid"],),
                  lambda: (up.i.warden(), up.i.status()["pid"])):
        pids = which()
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids))
        neargate("up", "--instance", up.i.name)
    # The network is looked at anew, and changed: another route, another interface.
    up.ec2.create_route(RouteTableId=up.made["app0Table"], DestinationCidrBlock="192.0.2.0/24",
                        NatGatewayId=up.made["public1Nat"])
    look = LOOK.format(ip=up.ip, t=5)
    assert up.code(up.run(f'[ "$({look})" = "{nat}" ]', up.made["app0"], up.all)) == 0
    up.ec2.delete_route(RouteTableId=up.made["app0Table"], DestinationCidrBlock="192.0.2.0/24")
    assert up.task(watch)["lastStatus"] == "RUNNING"
    # A route that goes takes the way out with it; one that comes brings it back.
    up.ec2.delete_route(RouteTableId=up.made["app0Table"], DestinationCidrBlock="0.0.0.0/0")
    assert up.code(watch) == 9
    up.ec2.create_route(RouteTableId=up.made["app0Table"], DestinationCidrBlock="0.0.0.0/0",
                        NatGatewayId=up.made["public0Nat"])
    assert up.code(up.run(f'[ "$({look})" = "{nat}" ]', up.made["app0"], up.all)) == 0


def test_an_acl_shuts_a_subnet(up):
    ec2, look = up.ec2, LOOK.format(ip=up.ip, t=1)
    acl = ec2.create_network_acl(VpcId=up.made["Vpc"])["NetworkAcl"]["NetworkAclId"]
    now, = ec2.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [up.made["app1"]]}])["NetworkAcls"]
    old = next(a["NetworkAclAssociationId"] for a in now["Associations"]
               if a["SubnetId"] == up.made["app1"])
    new = ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=acl)[
        "NewAssociationId"]
    tries = f"{look} && exit 7; exit 5"
    assert up.code(up.run(tries, up.made["app1"], up.all)) == 5
    for egress, ports in ((True, (80, 80)), (False, (1024, 65535))):
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=100, Protocol="6", RuleAction="allow", Egress=egress,
            CidrBlock="0.0.0.0/0", PortRange={"From": ports[0], "To": ports[1]})
    assert up.code(up.run(tries, up.made["app1"], up.all)) == 7
    ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=now["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=acl)
