"""Real tasks: an instance of its own, real images, containers and networks.
Needs root; leaves nothing behind.  What takes its time is waited for by what
ECS says, and runs beside other things where it can."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import boto3
import botocore.config
import pytest

import oci
from conftest import BUILD

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("crun", "skopeo", "haproxy", "nft"))),
    reason="root, crun, skopeo, haproxy and nft")
SOON = {"Delay": 0.05, "MaxAttempts": 600}
APPLETS = ("sh", "sleep", "cat", "true", "id", "echo", "dd", "env", "touch", "test", "httpd",
           "wget", "hostname", "kill", "ls", "mkdir", "chmod", "printf")


class Instance:
    def __init__(self):
        self.name = self.env_file = None
        self.env_file = pathlib.Path(f"/tmp/neargate-tasks-{os.getpid()}.env")
        p = subprocess.run([BUILD / "neargate", "up", "--ephemeral", "--env-file", self.env_file,
                            "--edge-port", "auto"], capture_output=True, text=True, timeout=60)
        assert p.returncode == 0, p.stderr
        env = dict(re.findall(r"export (\w+)='(.*)'", self.env_file.read_text()))
        self.env_file.unlink()
        self.name, self.endpoint = env["NEARGATE_INSTANCE"], env["AWS_ENDPOINT_URL"]
        self.key, self.secret = env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
        self.port = int(self.endpoint.split(":")[-1])
        self.state = pathlib.Path("/var/lib/neargate-" + self.name)

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=region,
            aws_access_key_id=self.key, aws_secret_access_key=self.secret,
            config=botocore.config.Config(retries={"max_attempts": 30, "mode": "standard"},
                                          connect_timeout=2))

    def log(self):
        return (self.state / "neargate.log").read_text(errors="replace")

    def down(self):
        log = self.log()
        p = subprocess.run([BUILD / "neargate", "down", "--instance", self.name],
                           capture_output=True, text=True, timeout=60)
        assert p.returncode == 0, p.stderr
        assert "panic" not in log and "ERROR: " not in log, log[-5000:]
        assert self.left() == [], self.left()

    def processes(self, program):
        for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = p.read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"/" + program.encode()) and self.name.encode() in b" ".join(
                    words):
                yield int(p.parent.name)

    def kill_daemon(self):
        """kill -9 of neargated; the warden starts the next one."""
        pid = next(self.processes("neargated"))
        os.kill(pid, signal.SIGKILL)

    def containers(self):
        """Runtime ids and first processes, as the runtime has them."""
        found = {}
        for d in pathlib.Path("/run/neargate-" + self.name, "runtime").glob("*-*"):
            try:
                found[d.name] = json.loads((d / "status").read_text())["pid"]
            except OSError:
                continue
        return {k: pid for k, pid in found.items() if os.path.exists(f"/proc/{pid}")}

    def left(self):
        cgroups = pathlib.Path("/sys/fs/cgroup")
        return [str(p) for p in [
            *cgroups.glob(f"neargate-{self.name}"), *cgroups.glob(f"*/neargate-{self.name}"),
            *pathlib.Path("/run/netns").glob(self.name + "-*"), *self.state.parent.glob(
                self.state.name), *pathlib.Path("/run").glob("neargate-" + self.name)]] + \
            [m for m in pathlib.Path("/proc/self/mounts").read_text().splitlines()
             if "neargate-" + self.name in m] + list(self.processes("neargate-monitor"))


def busybox():
    data = pathlib.Path("/bin/busybox").read_bytes()
    link = [oci.entry("bin/" + n, kind=oci.tarfile.SYMTYPE, link="busybox") for n in APPLETS]
    dirs = [oci.entry(d, kind=oci.tarfile.DIRTYPE, mode=0o755)
            for d in ("bin", "etc", "proc", "sys", "dev", "v")]
    return oci.tar(*dirs, oci.entry("tmp", kind=oci.tarfile.DIRTYPE, mode=0o1777),
                   oci.entry("bin/not-a-program", b"no", mode=0o755),
                   oci.entry("bin/busybox", data, mode=0o755), *link,
                   oci.entry("etc/passwd", b"root:x:0:0::/:/bin/sh\nweb:x:1001:1001::/:/bin/sh\n"),
                   oci.entry("etc/group", b"root:x:0:\nweb:x:1001:\n"))


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    i = Instance()
    try:
        i.ecs, i.ec2 = i.client("ecs"), i.client("ec2")
        i.client("ecr").create_repository(repositoryName="bb")
        reg = oci.Registry(i)
        path = oci.oci_dir(tmp_path_factory.mktemp("bb"), [busybox()],
                           {"Cmd": ["sleep", "1000"], "Env": ["FROM=image"]})
        oci.skopeo("copy", f"oci:{path}:latest", f"docker://127.0.0.1:{i.port}/bb:1",
                   "--dest-tls-verify=false", "--dest-creds", "AWS:" + reg.password)
        reg.image("bb", "arm", [oci.tar(oci.entry("x"))], arch="arm64")
        i.ecs.create_cluster(clusterName="c")
        i.net = {"awsvpcConfiguration": {"subnets": [
            s["SubnetId"] for s in i.ec2.describe_subnets()["Subnets"][:2]]}}
        i.image = f"127.0.0.1:{i.port}/bb:1"
        i.n = 0
        yield i
    except BaseException:
        print(i.log()[-4000:])
        raise
    finally:
        i.down()


def define(up, *containers, **kw):
    """Containers are (name, script or words, more)."""
    up.n += 1
    defs = []
    for name, what, *more in containers:
        d = {"name": name, "image": up.image, **(more[0] if more else {})}
        if what is not None:
            d["command"] = ["sh", "-c", what] if isinstance(what, str) else what
        defs.append(d)
    args = {"family": f"t{up.n}", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": defs, **kw}
    return up.ecs.register_task_definition(**args)["taskDefinition"]["taskDefinitionArn"]


def run(up, *containers, **kw):
    return up.ecs.run_task(
        cluster="c", taskDefinition=define(up, *containers, **kw), launchType="FARGATE",
        networkConfiguration=up.net)["tasks"][0]["taskArn"]


def task(up, arn):
    return up.ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]


def wait(up, what, *arns):
    up.ecs.get_waiter("tasks_" + what).wait(cluster="c", tasks=list(arns), WaiterConfig=SOON)
    return up.ecs.describe_tasks(cluster="c", tasks=list(arns))["tasks"]


def codes(t):
    return {c["name"]: c.get("exitCode") for c in t["containers"]}


def until(fn, seconds=30):
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got:
            return got
        assert time.monotonic() < end, fn
        time.sleep(0.05)


def service(up):
    return up.ecs.describe_services(cluster="c", services=["web"])["services"][0]


def members(up, status="RUNNING"):
    return sorted(up.ecs.list_tasks(cluster="c", serviceName="web", desiredStatus=status)[
        "taskArns"])


def stable(up):
    until(lambda: [d["rolloutState"] for d in service(up)["deployments"]] == ["COMPLETED"])
    up.ecs.get_waiter("services_stable").wait(cluster="c", services=["web"], WaiterConfig=SOON)
    return service(up)


def ident(arn):
    return arn.split("/")[-1]


TRAP = "trap 'exit 3' TERM; while :; do sleep 0.05; done"


def test_stop(up):
    """The signal reaches the process; one that ignores it is killed in time."""
    polite = run(up, ("app", TRAP))
    deaf = run(up, ("app", "trap '' TERM; while :; do sleep 0.05; done", {"stopTimeout": 2}))
    wait(up, "running", polite, deaf)
    time.sleep(0.3)  # the shells set their traps; nothing tells when
    for arn in (polite, deaf):
        up.ecs.stop_task(cluster="c", task=arn, reason="bye")
    polite, deaf = wait(up, "stopped", polite, deaf)
    assert codes(polite) == {"app": 3} and codes(deaf) == {"app": 137}
    assert polite["stopCode"] == "UserInitiated" and polite["stoppedReason"] == "bye"
    assert 1.8 < (deaf["stoppedAt"] - deaf["stoppingAt"]).total_seconds() < 5


def test_what_fails(up):
    """Each with ECS's words for it; all at the same time."""
    host = up.image.rsplit("/", 1)[0]
    arns = {
        "exit": run(up, ("app", "exit 4")),
        "nothing": run(up, ("app", ["/nope"])),
        "path": run(up, ("app", ["nope"])),
        "mode": run(up, ("app", ["/etc/passwd"])),
        "format": run(up, ("app", ["/bin/not-a-program"])),
        "user": run(up, ("app", "true", {"user": "nobody-here"})),
        "tag": run(up, ("app", "true", {"image": host + "/bb:none"})),
        "repo": run(up, ("app", "true", {"image": host + "/none:1"})),
        "arch": run(up, ("app", "true", {"image": host + "/bb:arm"})),
        "oom": run(up, ("app", "dd if=/dev/zero of=/dev/null bs=100M count=1", {"memory": 16})),
    }
    got = {k: wait(up, "stopped", a)[0] for k, a in arns.items()}
    why = {k: (t["stopCode"], t["containers"][0].get("reason", ""), t["stoppedReason"])
           for k, t in got.items()}
    print(json.dumps(why, indent=1))

    def said(name, code, pattern):
        assert why[name][0] == code, why[name]
        assert re.match(pattern, why[name][1]), why[name]
        if code == "TaskFailedToStart":
            assert why[name][2] == why[name][1]
    assert codes(got["exit"]) == {"app": 4}
    assert why["exit"] == ("EssentialContainerExited", "", "Essential container in task exited")
    head = "CannotStartContainerError: OCI runtime create failed: unable to start container process: "
    said("nothing", "TaskFailedToStart", head + 'exec: "/nope": stat /nope: no such file or '
         "directory")
    said("path", "TaskFailedToStart", head + r'exec: "nope": executable file not found in \$PATH')
    said("mode", "TaskFailedToStart", head + "exec: permission denied")
    assert codes(got["format"])["app"] > 0, "the kernel refuses it after the start"
    said("user", "TaskFailedToStart", "CannotStartContainerError: unable to find user "
         "nobody-here: no matching entries in passwd file")
    said("tag", "TaskFailedToStart", "CannotPullContainerError: .*bb:none.*not found")
    said("repo", "TaskFailedToStart", "CannotPullContainerError: .*none:1")
    said("arch", "TaskFailedToStart", "CannotPullContainerError: .*linux/amd64")
    said("oom", "EssentialContainerExited", "OutOfMemoryError: Container killed due to memory "
         "usage")
    assert codes(got["oom"]) == {"app": 137}


def test_order(up):
    """dependsOn by condition at the start, and the other way round at the end."""
    mount = {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}
    app = ("test -e /v/init -a -e /v/ready || exit 9\n"
           "trap 'sleep 0.3; touch /v/app-gone; exit 0' TERM; touch /v/up\n"
           "while :; do sleep 0.05; done")
    db = ("test -e /v/init || exit 8; touch /v/ready\n"
          "trap 'test -e /v/app-gone && exit 5; exit 6' TERM; while :; do sleep 0.05; done")
    arn = run(
        up,
        ("app", app, {**mount, "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}]}),
        ("db", db, {**mount, "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
                    "healthCheck": {"command": ["CMD-SHELL", "test -e /v/ready"],
                                    "interval": 5, "timeout": 2, "retries": 2}}),
        ("init", "sleep 0.3; touch /v/init", {**mount, "essential": False}),
        volumes=[{"name": "v"}])
    t = wait(up, "running", arn)[0]
    assert {c["name"]: c["healthStatus"] for c in t["containers"]} == {
        "app": "UNKNOWN", "db": "HEALTHY", "init": "UNKNOWN"}
    assert t["healthStatus"] == "HEALTHY"
    time.sleep(0.2)
    up.ecs.stop_task(cluster="c", task=arn)
    t = wait(up, "stopped", arn)[0]
    assert codes(t) == {"app": 0, "db": 5, "init": 0}


def test_no_exit_is_lost(up):
    """Containers end while neargated dies: each exit code arrives."""
    definition = define(up, ("app", "sleep 0.4; exit 7"))
    arns = [t["taskArn"] for t in up.ecs.run_task(
        cluster="c", taskDefinition=definition, launchType="FARGATE", count=10,
        networkConfiguration=up.net)["tasks"]]
    until(lambda: len(up.containers()) >= 3)
    up.kill_daemon()
    up.ecs.list_clusters()
    up.kill_daemon()
    for t in wait(up, "stopped", *arns):
        assert codes(t) == {"app": 7}, t
        assert t["stoppedReason"] == "Essential container in task exited"
    assert not up.containers()


def test_restart_while_stopping(up):
    arn = run(up, ("app", "trap 'sleep 1; exit 3' TERM; while :; do sleep 0.05; done"))
    wait(up, "running", arn)
    time.sleep(0.3)
    up.ecs.stop_task(cluster="c", task=arn)
    until(lambda: task(up, arn)["lastStatus"] == "STOPPING")
    up.kill_daemon()
    t = wait(up, "stopped", arn)[0]
    assert codes(t) == {"app": 3} and t["stopCode"] == "UserInitiated"


class Visitor(threading.Thread):
    """Asks again and again until told to stop; keeps what went wrong."""

    def __init__(self, port, host, path, pause):
        super().__init__()
        self.port, self.host, self.path, self.pause = port, host, path, pause
        self.wrong, self.served, self.over = [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(self.pause):
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                c.request("GET", self.path, headers={"Host": self.host})
                r = c.getresponse()
                body = r.read()
                if r.status != 200 or b"hello" not in body:
                    self.wrong.append((time.time(), r.status, body))
            except (OSError, http.client.HTTPException) as e:
                self.wrong.append((time.time(), e))
            finally:
                c.close()
            self.served += 1

    def stop(self):
        self.over.set()
        self.join()
        assert self.wrong == [] and self.served > 3, (self.served, self.wrong)


SITE = """mkdir -p /tmp/cgi-bin; echo hello >/tmp/index.html
printf '#!/bin/sh\\necho; sleep 1; echo hello\\n' >/tmp/cgi-bin/slow; chmod +x /tmp/cgi-bin/slow
exec httpd -f -p 80 -h /tmp"""


@pytest.fixture
def site(up):
    """A load balancer; its group's ARN, its name, the host's port for it."""
    elb = up.client("elbv2")
    subnets = up.net["awsvpcConfiguration"]["subnets"]
    vpc = up.ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    # One group lets the world in, the default one lets the balancer into the tasks.
    group = up.ec2.create_security_group(GroupName="world", Description="x", VpcId=vpc)["GroupId"]
    up.ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
    own = up.ec2.describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])[
            "SecurityGroups"][0]["GroupId"]
    lb = elb.create_load_balancer(Name="web", Subnets=subnets, SecurityGroups=[group, own])[
        "LoadBalancers"][0]
    arn = lb["LoadBalancerArn"]
    tg = elb.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)["TargetGroups"][0][
            "TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=tg, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "10"}])
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "forward", "TargetGroupArn": tg}])["Listeners"][0]["ListenerArn"]
    url = until(lambda: re.search(r"http://web-[^ /]*:(\d+)/", subprocess.run(
        [BUILD / "neargate", "status", "--instance", up.name], capture_output=True,
        text=True).stdout))
    yield tg, lb["DNSName"], int(url[1])
    elb.delete_listener(ListenerArn=listener)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=tg)
    until(lambda: not up.ec2.describe_network_interfaces(Filters=[
        {"Name": "group-id", "Values": [group]}])["NetworkInterfaces"])
    up.ec2.delete_security_group(GroupId=group)


def test_no_request_is_lost(up, site):
    """A rolling update behind a load balancer, with neargated killed in the middle."""
    tg, host, port = site
    # As process 1 it does not hear SIGTERM.
    define_site = {"portMappings": [{"containerPort": 80}], "stopTimeout": 1}
    up.ecs.create_service(
        cluster="c", serviceName="web", taskDefinition=define(up, ("app", SITE, define_site)),
        desiredCount=2, launchType="FARGATE", networkConfiguration=up.net, loadBalancers=[
            {"targetGroupArn": tg, "containerName": "app", "containerPort": 80}])
    stable(up)
    old = members(up)
    fast = Visitor(port, host, "/", 0.02)
    slow = [Visitor(port, host, "/cgi-bin/slow", 0.01) for _ in range(3)]
    up.ecs.update_service(cluster="c", service="web",
                          taskDefinition=define(up, ("app", SITE, define_site)))
    until(lambda: len(members(up)) == 4)
    up.kill_daemon()
    stable(up)
    for v in [fast, *slow]:
        v.stop()
    assert not set(old) & set(members(up))
    for t in wait(up, "stopped", *old):
        assert t["stopCode"] == "ServiceSchedulerInitiated"
    up.ecs.delete_service(cluster="c", service="web", force=True)
    up.ecs.get_waiter("services_inactive").wait(cluster="c", services=["web"], WaiterConfig=SOON)


@pytest.fixture
def web(up):
    up.ecs.create_service(
        cluster="c", serviceName="web", taskDefinition=define(up, ("app", TRAP)), desiredCount=3,
        launchType="FARGATE", networkConfiguration=up.net)
    stable(up)
    yield
    up.ecs.delete_service(cluster="c", service="web", force=True)
    up.ecs.get_waiter("services_inactive").wait(cluster="c", services=["web"], WaiterConfig=SOON)
    until(lambda: not up.containers())
    assert not list(pathlib.Path("/run/netns").glob(up.name + "-task-*"))


def test_restart_changes_nothing(up, web):
    before, had = members(up), up.containers()
    assert len(had) == 3
    up.kill_daemon()
    assert members(up) == before and up.containers() == had
    stable(up)
    assert members(up) == before and up.containers() == had
    assert len([e for e in service(up)["events"] if "has started" in e["message"]]) == 1
    # One of them ends while nobody looks.
    daemon = next(up.processes("neargated"))
    os.kill(daemon, signal.SIGSTOP)
    victim, pid = next(iter(had.items()))
    os.kill(pid, signal.SIGKILL)
    os.kill(daemon, signal.SIGKILL)
    gone = f"task/c/{victim.rsplit('-', 1)[0]}"
    until(lambda: not any(a.endswith(gone) for a in members(up)))
    stable(up)
    t = wait(up, "stopped", next(a for a in members(up, "STOPPED") if a.endswith(gone)))[0]
    assert codes(t) == {"app": 137}
    assert t["stoppedReason"] == "Essential container in task exited"
    assert len(up.containers()) == 3


def test_restarts_in_a_deployment(up, web):
    """neargated dies at every stage of a rolling update; the update goes on."""
    old = set(members(up))
    up.ecs.update_service(cluster="c", service="web", taskDefinition=define(up, ("app", TRAP)))
    for _ in range(2):
        up.kill_daemon()
        up.ecs.list_clusters()
        time.sleep(0.15)
    s = stable(up)
    assert s["runningCount"] == 3 and not old & set(members(up))
    wait(up, "stopped", *old)
    until(lambda: len(up.containers()) == 3)
    assert {k.rsplit("-", 1)[0] for k in up.containers()} == {ident(a) for a in members(up)}
    for t in up.ecs.describe_tasks(cluster="c", tasks=members(up))["tasks"]:
        assert len(t["attachments"]) == 1
    enis = up.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert len(enis) == 3, [e["Description"] for e in enis]


def test_one_digest_in_a_deployment(up):
    """A tag that moves meets the next deployment, none that is under way: all
    tasks of one run the same bytes.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html"""
    reg = oci.Registry(up)

    def push(tag, word):
        return reg.image("bb", tag, [busybox(), oci.tar(oci.entry("word", word))],
                         config={"Cmd": ["sleep", "1000"]})

    def running():
        tasks = up.ecs.describe_tasks(cluster="c", tasks=members(up))["tasks"]
        return [t["containers"][0]["imageDigest"] for t in tasks if t["lastStatus"] == "RUNNING"]
    first = push("moves", b"first")
    arn = define(up, ("app", None, {"image": f"127.0.0.1:{up.port}/bb:moves", "stopTimeout": 0}))
    up.ecs.create_service(cluster="c", serviceName="web", taskDefinition=arn, desiredCount=1,
                          launchType="FARGATE", networkConfiguration=up.net)
    stable(up)
    second = push("moves", b"second")
    up.ecs.update_service(cluster="c", service="web", desiredCount=3)
    until(lambda: len(running()) == 3)
    assert set(running()) == {first} != {second}
    # One that is replaced is the same as well.
    up.ecs.stop_task(cluster="c", task=members(up)[0])
    until(lambda: len(running()) == 3)
    assert set(running()) == {first}
    old = members(up)
    # Started anew, the same definition has what the tag names now.
    up.ecs.update_service(cluster="c", service="web", forceNewDeployment=True)
    stable(up)
    assert not set(old) & set(members(up))
    assert running() == [second] * 3
    up.ecs.delete_service(cluster="c", service="web", force=True)
    up.ecs.get_waiter("services_inactive").wait(cluster="c", services=["web"], WaiterConfig=SOON)
    until(lambda: not up.containers())
