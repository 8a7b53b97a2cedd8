"""The neargate command, and what `up` and `down` do to a host."""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import boto3
import pytest

import cli
from cli import Instance, neargate

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("crun"), reason="root and crun")


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)
    return got


def gone(pid):
    """Waits for the end of a process that is not ours."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([fd], [], [], 20)[0]
    os.close(fd)


@pytest.fixture(scope="module")
def one():
    i = Instance()
    yield i
    i.down()
    assert i.leftovers() == []


def run_task(i, image, command, family="t", **more):
    ecs = i.client("ecs")
    subnet = i.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family=family, requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
        cpu="256", memory="512",
        executionRoleArn=f"arn:aws:iam::{i.status()['account']}:role/x",
        containerDefinitions=[{"name": "main", "image": image, "stopTimeout": 2,
                               "command": ["sh", "-c", command], **more}])
    r = ecs.run_task(cluster="c", taskDefinition=family, launchType="FARGATE",
                     networkConfiguration={"awsvpcConfiguration": {
                         "subnets": [subnet], "assignPublicIp": "ENABLED"}})
    assert not r["failures"], r
    return r["tasks"][0]["taskArn"]


def task(i, arn):
    return i.client("ecs").describe_tasks(cluster="c", tasks=[arn])["tasks"][0]


def running(i, arn):
    def look():
        t = task(i, arn)
        assert t["lastStatus"] != "STOPPED", t
        return t["lastStatus"] == "RUNNING"
    until(look)


# --- words ---------------------------------------------------------------

def test_help_names_every_command():
    out = neargate("help").stdout
    for name in ("up", "down", "env", "status", "logs", "dump", "doctor", "version"):
        assert f"\n  {name} " in out
        assert neargate(name, "--help").stdout.startswith(f"usage: neargate {name}")
        assert neargate("help", name).stdout == neargate(name, "--help").stdout


@pytest.mark.parametrize("args, say", [
    ((), "usage:"), (("upp",), "there is no command upp"),
    (("up", "--nope"), "up does not know --nope"),
    (("up", "--listen"), "--listen takes a value"),
    (("up", "--ephemeral=1"), "--ephemeral takes no value"),
    (("status", "x"), "status: what is x?"),
    (("help", "upp"), "there is no command upp"),
    (("up", "--ephemeral", "--listen", "4566"), "not ADDRESS:PORT"),
    (("up", "--instance", "Too/Long"), "not a name"),
    (("up", "--account", "12"), "--account 12: not 12 digits"),
    (("up", "--edge-port", "0"), "neither a port nor auto"),
    (("up", "--edge-https-port", "70000"), "neither a port nor auto"),
    (("status", "--run-dir", "x"), "must be absolute"),
])
def test_wrong_usage(args, say):
    p = neargate(*args, check=False)
    assert p.returncode == 2 and say in p.stderr and p.stdout == ""


def test_what_does_not_run():
    for cmd in ("status", "env", "dump"):
        p = neargate(cmd, "--instance", "ngnone", check=False)
        assert p.returncode == 1
        assert "ngnone does not run; `neargate up` starts it" in p.stderr
    assert neargate("down", "--instance", "ngnone").returncode == 0


def own(letter):
    """An instance's name that no other run has."""
    return f"ng{letter}{os.getpid() & 0xffff:04x}"


def open_to_all(path):
    """pytest's directories are root's alone; /tmp itself stays as it is."""
    while path != pathlib.Path(tempfile.gettempdir()):
        os.chmod(path, 0o755)
        path = path.parent


def test_without_root(tmp_path):
    """Nobody has neither the right nor, here, sudo."""
    def nobody():
        os.setgid(65534)
        os.setuid(65534)
    (tmp_path / "neargate").write_bytes(cli.NEARGATE.read_bytes())
    os.chmod(tmp_path / "neargate", 0o755)
    open_to_all(tmp_path)
    p = subprocess.run([tmp_path / "neargate", "status"], preexec_fn=nobody,
                       capture_output=True, text=True)
    assert p.returncode != 0 and "needs root" in p.stderr


def test_doctor():
    p = neargate("doctor", check=False)
    lines = p.stdout.splitlines()
    assert p.returncode == 0, p.stdout
    for line in lines[:-1]:
        assert line.split()[0] in ("ok", "warn"), line
    assert lines[-1].endswith("0 in the way")


# --- one instance --------------------------------------------------------

def test_env_is_what_clients_need(one, tmp_path):
    env = cli.evaluate(one("env").stdout)
    assert env == {**one.env, **{k: env[k] for k in ("PWD", "_") if k in env}}
    assert "AWS_SESSION_TOKEN" not in env
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-east-1"
    assert cli.evaluate(one("env", "--region", "eu-west-1").stdout)["AWS_REGION"] == "eu-west-1"
    p = subprocess.run(["/usr/bin/aws", "--endpoint-url", env["AWS_ENDPOINT_URL"], "sts",
                        "get-caller-identity"], env=env, capture_output=True, text=True)
    assert json.loads(p.stdout)["Account"] == one.status()["account"]


def test_up_again_says_so(one):
    p = neargate("up", "--instance", one.name, "--env-file", one.run / "e")
    assert "runs already at " + one.endpoint in p.stderr
    assert cli.evaluate(p.stdout)["AWS_ACCESS_KEY_ID"] == one.env["AWS_ACCESS_KEY_ID"]
    assert (one.run / "e").read_text() == p.stdout
    assert (one.run / "e").stat().st_mode & 0o777 == 0o600


def test_up_keeps_nothing_of_who_called_it():
    out, kept = os.pipe()
    p = subprocess.run([cli.NEARGATE, "up", "--ephemeral"], pass_fds=[kept], text=True,
                       capture_output=True, check=True)
    name = cli.evaluate(p.stdout)["NEARGATE_INSTANCE"]
    try:
        os.close(kept)
        assert select.select([out], [], [], 10)[0] and os.read(out, 1) == b""
    finally:
        os.close(out)
        neargate("down", "--instance", name)


def test_the_environment_names_the_instance(one):
    p = neargate("status", env={**os.environ, "NEARGATE_INSTANCE": one.name})
    assert one.endpoint in p.stdout and one.name in p.stdout


def test_status(one):
    s = one.status()
    assert s["endpoint"] == one.endpoint and s["ephemeral"] is True
    assert s["instance"] == one.name and s["stateDir"] == str(one.state)
    text = one("status").stdout
    assert "memory     neargated " in text and "tasks      none" in text


def test_status_counts_no_deleted_service(one):
    ecs, ec2 = one.client("ecs"), one.client("ec2")
    name = {"cluster": "counted", "service": "counted"}
    ecs.create_cluster(clusterName="counted")
    ecs.register_task_definition(
        family="counted", networkMode="awsvpc", cpu="256", memory="512",
        requiresCompatibilities=["FARGATE"], containerDefinitions=[{"name": "a", "image": "b"}])
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_service(
        cluster="counted", serviceName="counted", taskDefinition="counted", desiredCount=0,
        launchType="FARGATE", networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}})
    assert one.status()["services"] == 1
    ecs.delete_service(**name)
    ecs.get_waiter("services_inactive").wait(
        cluster="counted", services=["counted"], WaiterConfig={"Delay": 0.05, "MaxAttempts": 100})
    assert one.status()["services"] == 0


def test_two_at_the_same_time(one):
    two = Instance("--account", "210987654321", "--root-access-key", "AKIATWOTWOTWOTWOTWOX",
                   "--root-secret-key", "se'cret \"$x")
    try:
        assert two.name != one.name and two.port != one.port
        assert two.env["AWS_SECRET_ACCESS_KEY"] == "se'cret \"$x"
        assert two.client("sts").get_caller_identity()["Account"] == "210987654321"
        one.client("ecs").create_cluster(clusterName="only-in-one")
        assert two.client("ecs").list_clusters()["clusterArns"] == []
        for line in cli.processes().values():
            assert "se'cret" not in line
        wrong = boto3.client("sts", endpoint_url=one.endpoint, region_name="us-east-1",
                             aws_access_key_id=two.env["AWS_ACCESS_KEY_ID"],
                             aws_secret_access_key=two.env["AWS_SECRET_ACCESS_KEY"])
        with pytest.raises(wrong.exceptions.ClientError):
            wrong.get_caller_identity()
    finally:
        two.down()
    assert two.leftovers() == []
    assert one.client("sts").get_caller_identity()


def test_a_taken_port_is_told_at_once(one):
    start = time.monotonic()
    p = neargate("up", "--ephemeral", "--listen", f"127.0.0.1:{one.port}", check=False)
    assert p.returncode == 1 and time.monotonic() - start < 10
    assert f"cannot listen on 127.0.0.1 port {one.port}: Address already in use" in p.stderr
    assert "could not start" in p.stderr
    assert not [x for x in cli.processes().values() if f"127.0.0.1:{one.port}" in x
                and one.name not in x]


def test_dump_hides_secrets(one):
    one.client("ecs").create_cluster(clusterName="dumped")
    one.client("ecs").register_task_definition(
        family="hide", requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
        cpu="256", memory="512", containerDefinitions=[{
            "name": "a", "image": "b",
            "environment": [{"name": "PASS", "value": "hunter2"}]}])
    everything = one("dump").stdout
    rows = [json.loads(line) for line in everything.splitlines()]
    assert {"ecs.cluster", "ecs.task-definition", "live.registry", "live.http",
            "live.controllers", "live.logs"} <= {r["kind"] for r in rows}
    assert "hunter2" not in everything
    assert one.env["AWS_SECRET_ACCESS_KEY"] not in everything
    only = [json.loads(line) for line in one("dump", "ecs.cluster").stdout.splitlines()]
    assert {r["kind"] for r in only} == {"ecs.cluster"}
    assert "dumped" in [r["id"] for r in only]


def test_the_admin_socket_is_closed(one):
    s = one.run / "daemon" / "admin"
    assert s.stat().st_mode & 0o777 == 0o600
    assert s.parent.stat().st_mode & 0o777 == 0o700
    assert (one.state / "root-credentials").stat().st_mode & 0o777 == 0o600


def test_daemon_log(one):
    assert f"ready on 127.0.0.1:{one.port}" in one("logs").stdout


# --- tasks, kills --------------------------------------------------------

def test_logs_of_a_task(one):
    image = one.push("logs")
    arn = run_task(one, image, "echo out; echo err >&2; sleep 1000")
    running(one, arn)
    ident = arn.rsplit("/", 1)[1]
    for name in (arn, ident, ident[:8]):
        out = until(lambda: one("logs", name).stdout)
        assert "main out" in out and "main (stderr) err" in out
    follow = subprocess.Popen([cli.NEARGATE, "logs", "-f", ident, "--instance", one.name],
                              stdout=subprocess.PIPE, text=True)
    assert follow.stdout.readline().endswith(("main out\n", "main (stderr) err\n"))
    one.client("ecs").stop_task(cluster="c", task=arn)
    assert follow.wait(60) == 0
    assert one("logs", "no-such", check=False).returncode == 1


def test_logs_that_went_to_a_group(one):
    image = one.push("awslogs")
    logs = one.client("logs")
    logs.create_log_group(logGroupName="/g")
    arn = run_task(one, image, "echo hi; sleep 1; echo bye", family="grouped", logConfiguration={
        "logDriver": "awslogs", "options": {
            "awslogs-group": "/g", "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "p"}})
    until(lambda: task(one, arn)["lastStatus"] == "STOPPED")
    until(lambda: [e["message"] for e in
                   logs.filter_log_events(logGroupName="/g")["events"]] == ["hi", "bye"])
    p = until(lambda: (p := one("logs", arn)).stdout == "" and p)
    assert "aws logs tail /g --log-stream-names p/main/" in p.stderr


def test_kills_lose_nothing(one):
    """neargated alone, then the warden, too: the task does not notice."""
    image = one.push("kills")
    arn = run_task(one, image, "sleep 100000")
    running(one, arn)
    before = [p for p, line in cli.processes().items() if line.startswith("sleep 100000")]
    assert before
    pid = one.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    p = neargate("up", "--instance", one.name)
    assert "runs already" in p.stderr, "the warden starts it again"
    assert one.status()["pid"] != pid
    warden, pid = one.warden(), one.status()["pid"]
    os.kill(warden, signal.SIGKILL)
    gone(warden)
    gone(pid)
    p = neargate("up", "--instance", one.name)
    assert "Neargate runs at " + one.endpoint in p.stderr
    assert cli.evaluate(p.stdout)["AWS_ACCESS_KEY_ID"] == one.env["AWS_ACCESS_KEY_ID"]
    assert task(one, arn)["lastStatus"] == "RUNNING"
    assert [p for p, line in cli.processes().items() if line.startswith("sleep 100000")] == before
    one.client("ecs").stop_task(cluster="c", task=arn)
    until(lambda: task(one, arn)["lastStatus"] == "STOPPED")


def reset(i):
    start = time.monotonic()
    r = urllib.request.urlopen(urllib.request.Request(
        i.endpoint + "/_neargate/reset", method="POST"))
    assert r.status == 200
    return time.monotonic() - start


def make_service(i, image):
    """Behind a load balancer; its URL, once it answers."""
    ec2, elb, ecs = i.client("ec2"), i.client("elbv2"), i.client("ecs")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    ids = [s["SubnetId"] for s in subnets]
    lb = elb.create_load_balancer(Name="web", Subnets=ids)["LoadBalancers"][0]
    tg = elb.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"], TargetType="ip",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(LoadBalancerArn=lb["LoadBalancerArn"], Protocol="HTTP", Port=80,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": tg}])
    group = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80,
         "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="web", requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
        cpu="256", memory="512", containerDefinitions=[{
            "name": "web", "image": image, "stopTimeout": 2, "portMappings": [
                {"containerPort": 80}],
            "command": ["sh", "-c", "echo serving; echo hello >/tmp/index.html;"
                        " exec httpd -f -h /tmp"]}])
    ecs.create_service(
        cluster="c", serviceName="web", taskDefinition="web", desiredCount=2,
        launchType="FARGATE", networkConfiguration={"awsvpcConfiguration": {
            "subnets": ids, "assignPublicIp": "ENABLED"}},
        loadBalancers=[{"targetGroupArn": tg, "containerName": "web", "containerPort": 80}])
    url = i.status()["loadBalancers"][0]["urls"][0]

    def answers():
        return subprocess.run(["curl", "-sf", "-m", "2", url], capture_output=True,
                              text=True).stdout == "hello\n"
    until(answers, 60)
    return url


def test_reset_empties_all(one):
    """Tasks, a service, a load balancer; twice, and the second is as the first."""
    for n in range(2):
        image = one.push(f"reset{n}")
        arn = run_task(one, image, "sleep 54321")
        running(one, arn)
        url = make_service(one, image)
        assert one.status()["services"] == 1 and url in one("status").stdout
        assert "main" in one("dump", "ecs.task").stdout
        assert one("logs", "web").stdout.count("/web serving\n") == 2
        took = reset(one)
        print(f"reset took {took * 1000:.1f} ms")
        assert took < 2
        assert one("dump", "e*.*").stdout == ""
        left = [x for x in cli.processes().values()
                if x.startswith(("sleep 54321", "httpd -f -h /tmp")) or
                ("neargate-" + one.name in x and ("monitor" in x or "/lb/lb-" in x))]
        assert left == []
        assert [p.name for p in pathlib.Path("/run/netns").glob(one.name + "-*")] == []
        assert list((one.state / "log").glob("*")) == []
        assert list((one.state / "containers").glob("*/*")) == []
        until(lambda: list((one.state / "layers").glob("*")) == [])
        assert [p for p in (one.state / "blobs").rglob("*") if p.is_file()] == []
        assert one.client("ecs").list_clusters()["clusterArns"] == []
        assert one.client("ecr").describe_repositories()["repositories"] == []
        assert len(one.client("ec2").describe_vpcs()["Vpcs"]) == 1
        assert len(one.client("ec2").describe_subnets()["Subnets"]) >= 2
    for _ in range(5):
        reset(one)


def test_reset_while_tasks_start(one):
    """What was on its way to start does not start any more."""
    for n in range(4):
        image = one.push("race")
        for _ in range(3):
            run_task(one, image, "sleep 43210")
        time.sleep(0.03 * n)
        reset(one)
        assert one.client("ecs").list_clusters()["clusterArns"] == []
    time.sleep(0.5)
    assert not [x for x in cli.processes().values() if x.startswith("sleep 43210")]
    image = one.push("after")
    running(one, run_task(one, image, "sleep 43210"))
    reset(one)


@pytest.mark.parametrize("how", ["told", "killed"])
def test_down_ends_what_runs(how):
    """Also when warden and daemon were killed before."""
    i = Instance()
    try:
        image = i.push("down")
        running(i, run_task(i, image, "sleep 65432"))
        make_service(i, image)
        if how == "killed":
            for pid in (i.warden(), i.status()["pid"]):
                os.kill(pid, signal.SIGKILL)
                gone(pid)
    finally:
        i.down()
    assert i.leftovers() == []
    assert not [x for x in cli.processes().values() if x.startswith("sleep 65432")]
    assert i("down").returncode == 0


def test_many_at_once():
    """Each finds a name, ports and public addresses of its own."""
    up = [subprocess.Popen([cli.NEARGATE, "up", "--ephemeral"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True) for _ in range(5)]
    out = [p.communicate(timeout=60) for p in up]
    envs = [cli.evaluate(o) for o, _ in out]
    names = [e.get("NEARGATE_INSTANCE") for e in envs]
    try:
        assert [p.returncode for p in up] == [0] * 5, out
        assert len({e["AWS_ENDPOINT_URL"] for e in envs}) == len(set(names)) == 5
        pools = {pathlib.Path("/run/neargate-net", n).read_text() for n in names}
        assert len(pools) == 5
    finally:
        down = [subprocess.Popen([cli.NEARGATE, "down", "--instance", n]) for n in names if n]
        assert [p.wait(60) for p in down] == [0] * len(down)


def test_up_twice_at_once():
    """One starts it, the other one waits and finds it."""
    name = own("t")
    args = [cli.NEARGATE, "up", "--ephemeral", "--instance", name]
    both = [subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)]
    out = [p.communicate(timeout=60) for p in both]
    try:
        assert [p.returncode for p in both] == [0, 0], out
        assert out[0][0] == out[1][0]
        assert sorted("runs already" in err for _, err in out) == [False, True]
    finally:
        neargate("down", "--instance", name)


def test_foreground_ends_with_its_process():
    p = subprocess.Popen([cli.NEARGATE, "up", "--ephemeral", "--foreground"],
                         stdout=subprocess.PIPE, text=True)
    text = ""
    while "NEARGATE_INSTANCE" not in text:
        line = p.stdout.readline()
        assert line, "it ended: " + text
        text += line
    name = cli.evaluate(text)["NEARGATE_INSTANCE"]
    assert neargate("status", "--instance", name)
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 0
    assert not pathlib.Path("/run/neargate-" + name).exists()
    assert not pathlib.Path("/var/lib/neargate-" + name).exists()


def test_what_is_stored_stays(tmp_path):
    open_to_all(tmp_path)
    name, state = own("k"), tmp_path / "state"
    args = ("--instance", name, "--state-dir", state, "--listen", "127.0.0.1:0")
    try:
        p = neargate("up", *args)
        assert "Neargate runs at http://127.0.0.1:" in p.stdout
        first = cli.evaluate(neargate("env", "--instance", name).stdout)
        neargate("down", "--instance", name)
        assert (state / "state.db").exists()
        assert not pathlib.Path("/run/neargate-" + name).exists()
        neargate("up", *args)
        neargate("down", "--instance", name, "--state-dir", state)
        p = neargate("up", "--ephemeral", *args, check=False)
        assert p.returncode == 1 and "was not made to be thrown away" in p.stderr
        neargate("up", *args)
        again = cli.evaluate(neargate("env", "--instance", name).stdout)
        assert again["AWS_ACCESS_KEY_ID"] == first["AWS_ACCESS_KEY_ID"]
    finally:
        neargate("down", "--instance", name, "--purge")
    assert not state.exists()


def test_installed_where_only_root_may_look(tmp_path):
    subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr",
                    f"BUILD={cli.BUILD}"], cwd=cli.BUILD.parent, check=True)
    unit = (tmp_path / "etc/systemd/system/neargate.service").read_text()
    assert "ExecStart=/usr/bin/neargate up --foreground" in unit
    os.chmod(tmp_path, 0o700)
    program = tmp_path / "usr/bin/neargate"
    p = subprocess.run([program, "up", "--ephemeral"], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    name = cli.evaluate(p.stdout)["NEARGATE_INSTANCE"]
    assert subprocess.run([program, "down", "--instance", name]).returncode == 0


def test_as_a_service(tmp_path):
    """What systemd does: one process, its log on standard error, SIGTERM."""
    name, args = own("s"), ("--listen", "127.0.0.1:0", "--state-dir", tmp_path / "state")
    open_to_all(tmp_path)
    for _ in range(2):
        p = subprocess.Popen([cli.NEARGATE, "up", "--foreground", "--instance", name, *args],
                             stderr=subprocess.PIPE, text=True)
        line = p.stderr.readline()
        assert "ready on 127.0.0.1:" in line, line
        assert int(pathlib.Path(f"/run/neargate-{name}/warden.pid").read_text()) == p.pid
        neargate("status", "--instance", name)
        p.terminate()
        assert p.wait(20) == 0
    neargate("down", "--instance", name, "--purge")
    assert not (tmp_path / "state").exists()


def test_an_ephemeral_one_outlives_run_only_until_down():
    """After a boot /run is empty; what is in /var/lib can still be removed."""
    i = Instance()
    pid = i.warden()
    os.kill(pid, signal.SIGTERM)
    gone(pid)
    shutil.rmtree(i.run)
    assert i.state.exists()
    i.down()
    assert i.leftovers() == []
