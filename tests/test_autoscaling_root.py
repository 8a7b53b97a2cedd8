"""Scaling by what real containers use and a real proxy counts, schedules that
stop them, and neargated killed while it decides.  Periods are a second long."""
import http.client
import os
import pathlib
import signal
import socket
import sqlite3
import threading
import time

import pytest

import cli
import stack
from test_autoscaling import Service, soon
from test_ecs import until

pytestmark = pytest.mark.skipif(not stack.ready, reason="root and crun")
HTTPD = "mkdir /tmp/w; echo hi >/tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"


class Stack(stack.Stack):
    def neargated(self):
        """The process id, by its parent."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            if b"neargated\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        return None

    def kill_daemon(self):
        """kill -9; the warden starts the next one."""
        port_file = self.base / "out" / "port"
        port_file.unlink()
        os.kill(self.neargated(), signal.SIGKILL)
        until(port_file.exists)

    def edge_port(self):
        db = sqlite3.connect(f"file:{self.state}/state.db?mode=ro", uri=True)
        try:
            return int(db.execute("select value from setting where key='edge_http_port'")
                       .fetchone()[0])
        finally:
            db.close()


@pytest.fixture(scope="module")
def s():
    # The same port after a restart: images are named by it.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    s = Stack("nga", "--metric-period", "1", "--edge-http-port", "auto", "--listen",
              f"127.0.0.1:{port}")
    s.image = cli.Instance.push(s, "bb")
    yield s
    s.stop()


class Real(Service):
    """cpu units: of 256, a quarter of a processor."""

    def __init__(self, s, name, script, count=1, **kw):
        self.daemon, self.name, self.id = s, name, f"service/{name}/web"
        self.ecs = s.client("ecs")
        self.aas = s.client("application-autoscaling")
        subnets = s.client("ec2").describe_subnets()["Subnets"]
        self.ecs.create_cluster(clusterName=name)
        self.ecs.register_task_definition(
            family=name, networkMode="awsvpc", cpu="256", memory="512",
            requiresCompatibilities=["FARGATE"], containerDefinitions=[{
                "name": "app", "image": s.image, "command": ["sh", "-c", script],
                "portMappings": [{"containerPort": 8080}], "stopTimeout": 1}])
        self.ecs.create_service(
            cluster=name, serviceName="web", taskDefinition=name, desiredCount=count,
            launchType="FARGATE", networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnets[0]["SubnetId"]]}}, **kw)
        self.key = {"ServiceNamespace": "ecs", "ResourceId": self.id,
                    "ScalableDimension": "ecs:service:DesiredCount"}

    def describe(self):
        return self.ecs.describe_services(cluster=self.name, services=["web"])["services"][0]

    def end(self):
        self.ecs.delete_service(cluster=self.name, service="web", force=True)
        until(lambda: self.describe()["status"] == "INACTIVE")


def groups(s):
    """Control groups of tasks that are there."""
    top = pathlib.Path("/sys/fs/cgroup")
    for root in (top / "memory", top):
        if (root / f"neargate-{s.instance}").exists():
            return [p for p in (root / f"neargate-{s.instance}").iterdir() if p.is_dir()]
    return []


def test_busy_containers_are_joined_by_more(s):
    """One that spins is at 100 %: at a target of 60, two are wanted."""
    busy = Real(s, "busy", "while :; do :; done")
    idle = Real(s, "idle", "sleep 1000")
    for x in (busy, idle):
        x.register(1, 4)
        x.track(60)
    busy.wait(2, seconds=60)
    assert "AlarmHigh" in busy.activities()[0]["Cause"]
    until(lambda: busy.activities()[0]["StatusCode"] == "Successful")
    assert idle.counts() == (1, 1) and idle.activities() == []
    # Memory: what the shell has is next to nothing of 512 MiB.
    idle.track(0.001, "memory", "ECSServiceAverageMemoryUtilization")
    idle.wait(4, seconds=60)
    busy.end()
    idle.end()


def test_schedule_stops_all_and_a_hand_wakes(s):
    x = Real(s, "night", "sleep 1000", count=2)
    x.register(1, 2)
    x.wait(2)
    assert len(groups(s)) == 2
    x.schedule(soon(2), 0, 0)
    x.wait(0)
    until(lambda: not groups(s))
    x.ecs.update_service(cluster="night", service="web", desiredCount=1)
    x.wait(1)
    assert len(groups(s)) == 1
    x.end()


def test_killed_while_it_decides(s):
    """neargated dies around the moment an action is due: it is done once."""
    x = Real(s, "killed", "sleep 1000")
    x.register(1, 1)
    x.wait(1)
    for i, before in enumerate((0.3, 0.0, -0.05, -0.15)):
        now = time.time()
        due = int(now) + 2
        count = 2 - i % 2
        x.schedule(soon(due - now), count, count, name=f"n{i}")
        time.sleep(due - before - time.time())  # the moment is what is tested
        s.kill_daemon()
        x.wait(count)
        causes = [a["Cause"] for a in x.activities()]
        assert causes.count(f"scheduled action name n{i} was triggered") == 1, causes
        bound = "minimum" if count == 2 else "maximum"
        assert causes[0] == f"{bound} capacity was set to {count}", causes
        assert len(causes) == 2 * (i + 1), causes
    until(lambda: {a["StatusCode"] for a in x.activities()} == {"Successful"})
    x.end()


@pytest.fixture
def site(s):
    """A load balancer: target group and the ARN's tails."""
    ec2, elb = s.client("ec2"), s.client("elbv2")
    subnets = ec2.describe_subnets()["Subnets"]
    vpc = subnets[0]["VpcId"]
    group = ec2.create_security_group(GroupName="lb", Description="d", VpcId=vpc)["GroupId"]
    own = ec2.describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    lb = elb.create_load_balancer(Name="web", Subnets=[x["SubnetId"] for x in subnets[:2]],
                                  SecurityGroups=[group, own])["LoadBalancers"][0]
    tg = elb.create_target_group(Name="web", Protocol="HTTP", Port=8080, VpcId=vpc,
                                 TargetType="ip", HealthCheckIntervalSeconds=5,
                                 HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=tg, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
    elb.create_listener(LoadBalancerArn=lb["LoadBalancerArn"], Protocol="HTTP", Port=80,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": tg}])
    yield lb, tg
    elb.delete_load_balancer(LoadBalancerArn=lb["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=tg)


class Visitors(threading.Thread):
    """Requests without pause, each counted."""

    def __init__(self, host, port):
        super().__init__()
        self.host, self.port, self.stop, self.count = host, port, False, 0
        self.start()

    def run(self):
        while not self.stop:
            try:
                c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                c.request("GET", "/", headers={"Host": self.host})
                self.count += c.getresponse().status == 200
                c.close()
            except OSError:
                pass
            time.sleep(0.02)


def test_requests_per_target(s, site):
    lb, tg = site
    x = Real(s, "visited", HTTPD, loadBalancers=[
        {"targetGroupArn": tg, "containerName": "app", "containerPort": 8080}])
    x.register(1, 2)
    label = lb["LoadBalancerArn"].split(":loadbalancer/")[1] + "/" + tg.split(":")[-1]
    x.aas.put_scaling_policy(
        **x.key, PolicyName="requests", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}})
    x.wait(1)
    visitors = Visitors(lb["DNSName"], until(s.edge_port))
    try:
        until(lambda: visitors.count > 10, seconds=60)
        x.wait(2, seconds=60)
    finally:
        visitors.stop = True
        visitors.join()
    assert "triggered policy requests" in x.activities()[0]["Cause"]
    x.end()
