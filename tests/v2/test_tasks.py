"""Tasks on a host with cgroup v2 alone.  That host computes slowly, so all of
it is one story."""
import pathlib
import time

import pytest

from cli import Instance

ROOT = pathlib.Path("/sys/fs/cgroup")
LIMITS = {"cpu.max": "25000 100000", "cpu.weight": "10", "memory.max": str(512 << 20),
          "memory.swap.max": "0"}


def until(fn, seconds=60):
    end = time.monotonic() + seconds
    while not (got := fn()):
        assert time.monotonic() < end, fn
        time.sleep(0.2)
    return got


def groups():
    return sorted(str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_dir())


class Cluster:
    def __init__(self, up):
        self.up, self.ecs, self.ec2 = up, up.client("ecs"), up.client("ec2")
        self.image = up.push("bb")
        self.ecs.create_cluster(clusterName="c")
        self.subnet = self.ec2.describe_subnets()["Subnets"][0]
        self.n = 0

    def group(self, name, source=None):
        g = self.ec2.create_security_group(GroupName=name, Description=name,
                                           VpcId=self.subnet["VpcId"])["GroupId"]
        if source:
            self.ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[{
                "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080,
                "UserIdGroupPairs": [{"GroupId": source}]}])
        return g

    def run(self, script, group, **more):
        self.n += 1
        family = f"t{self.n}"
        self.ecs.register_task_definition(
            family=family, requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
            cpu="256", memory="512", containerDefinitions=[{
                "name": "main", "image": self.image, "command": ["sh", "-c", script],
                "stopTimeout": 2, **more}])
        r = self.ecs.run_task(
            cluster="c", taskDefinition=family, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [self.subnet["SubnetId"]],
                                                          "securityGroups": [group]}})
        assert not r["failures"], r
        return r["tasks"][0]["taskArn"]

    def task(self, arn):
        return self.ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]

    def healthy(self, arn):
        t = self.task(arn)
        assert t["lastStatus"] != "STOPPED", t
        return t.get("healthStatus") == "HEALTHY" and t

    def stopped(self, arn):
        t = self.task(arn)
        return t["lastStatus"] == "STOPPED" and t


def story(up):
    c = Cluster(up)
    inside, outside = c.group("inside"), c.group("outside")
    web = c.run("echo hello >/tmp/index.html; exec httpd -f -p 8080 -h /tmp",
                c.group("web", inside),
                healthCheck={"command": ["CMD-SHELL", "test -s /tmp/index.html"],
                             "interval": 5, "timeout": 5, "retries": 3})
    hog = c.run("exec busybox dd if=/dev/zero of=/dev/null bs=100M count=1", outside, memory=16)
    t = until(lambda: c.healthy(web))
    ip = t["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    look = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 8 {ip} 8080 | busybox grep hello"
    friend, stranger = c.run(look, inside), c.run(look, outside)

    # The task's group has its limits, the container's below has crun's.
    group = ROOT / f"neargate-{up.name}" / web.rsplit("/", 1)[1]
    assert {n: (group / n).read_text().strip() for n in LIMITS} == LIMITS
    assert (group / "cgroup.procs").read_text() == ""
    below = [p for p in group.iterdir() if p.is_dir()]
    assert len(below) == 1 and (below[0] / "cgroup.events").read_text().startswith("populated 1")
    # An init system that finds no use for a controller cannot take it away.
    with pytest.raises(OSError, match="busy"):
        (ROOT / "cgroup.subtree_control").write_text("-cpu")

    t = until(lambda: c.stopped(hog))
    assert t["containers"][0]["exitCode"] == 137, t
    assert t["containers"][0]["reason"].startswith("OutOfMemoryError"), t
    assert until(lambda: c.stopped(friend))["containers"][0]["exitCode"] == 0
    assert until(lambda: c.stopped(stranger))["containers"][0]["exitCode"] == 1
    c.ecs.stop_task(cluster="c", task=web)
    until(lambda: c.stopped(web))
    until(lambda: not list((ROOT / f"neargate-{up.name}").glob("*/")))


def options():
    return next(line.split()[-1] for line in open("/proc/self/mountinfo")
                if line.split()[4] == str(ROOT)).split(",")


def test_tasks():
    before, had = groups(), options()
    up = Instance()
    try:
        # By this line, alone, programs know v2 and find their limits: Node.js, say.
        own = pathlib.Path("/proc/self/cgroup").read_text()
        assert own.startswith("0::/") and own.count("\n") == 1
        # Moves between groups are quick; what else holds goes on to.
        assert set(options()) == {*had, "favordynmods"}
        story(up)
    except BaseException:
        print(up.log()[-6000:])
        raise
    finally:
        up.down()
    assert up.leftovers() == []
    assert groups() == before and options() == had and "favordynmods" not in had
