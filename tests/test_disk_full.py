"""A disk that fills up: clear refusals, nothing half visible, nothing lost."""
import concurrent.futures
import gzip
import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import botocore.exceptions
import pytest

import oci
import stack
import test_images as images
from conftest import Daemon
from oci import Registry, sha

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root")


class Small(Daemon):
    """Its state is on a file system of a few MiB."""

    def start(self):
        if not os.path.ismount(self.state):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "small", self.state],
                           check=True)
        super().start()

    def fill(self, leave=0):
        """All but `leave` bytes are gone."""
        st = os.statvfs(self.state)
        with open(os.path.join(self.state, "ballast"), "ab") as f:
            f.write(bytes(max(0, st.f_bavail * st.f_bsize - leave)))

    def free(self):
        os.unlink(os.path.join(self.state, "ballast"))

    def close(self):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.log.close()
        log = self.read_log()
        subprocess.run(["umount", "-l", self.state], check=True)
        shutil.rmtree(self.state)
        assert code == 0 and "panic" not in log, log[-3000:]


@pytest.fixture
def small():
    d = Small()
    d.client("ecr").create_repository(repositoryName="full/app")
    yield d
    d.close()


def uploads(d):
    return os.listdir(pathlib.Path(d.state) / "uploads")


def test_push(small):
    reg = Registry(small)
    kept = reg.image("full/app", "kept", [b"kept"])
    data = random.Random(1).randbytes(4 << 20)
    small.fill(leave=1 << 20)
    # In one piece, in chunks, at the end.
    for r in (reg.call("POST", f"/v2/full/app/blobs/uploads/?digest={sha(data)}", data),
              reg.call("PATCH", reg.start("full/app"), data),
              reg.call("PATCH", reg.start("full/app"), iter([data])),
              reg.call("PUT", f"{reg.start('full/app')}?digest={sha(data)}", data)):
        assert (r.status, r.code, r.message) == (
            507, "UNKNOWN", "no space is left on the registry's disk")
    # What was sent does not stay in the way.
    deadline = time.monotonic() + 5
    while uploads(small):
        assert time.monotonic() < deadline
    assert reg.call("GET", "/v2/full/app/tags/list").json()["tags"] == ["kept"]
    assert reg.call("HEAD", f"/v2/full/app/blobs/{sha(data)}").status == 404
    assert not (pathlib.Path(small.state) / "blobs/sha256" / sha(data)[7:]).exists()
    assert reg.call("GET", "/v2/full/app/manifests/kept").headers["Docker-Content-Digest"] == kept
    p = oci.skopeo("copy", "--dest-tls-verify=false", "--dest-creds", "AWS:" + reg.password,
                   f"oci:{oci.oci_dir(pathlib.Path(small.state) / 'x', [data[:1000]])}:latest",
                   f"docker://127.0.0.1:{small.port}/full/app:s")
    assert p.returncode == 0
    small.free()
    assert reg.blob("full/app", data) == sha(data)
    assert reg.call("GET", f"/v2/full/app/blobs/{sha(data)}").body == data


def test_many_pushes_at_once(small):
    reg = Registry(small)
    small.fill(leave=3 << 20)

    def push(i):
        data = random.Random(i).randbytes(1 << 20)
        r = reg.call("POST", f"/v2/full/app/blobs/uploads/?digest={sha(data)}", data)
        assert r.status in (201, 507), r.body
        return r.status, data
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(push, range(16)))
    assert 507 in [s for s, _ in done]
    for status, data in done:
        r = reg.call("GET", f"/v2/full/app/blobs/{sha(data)}")
        assert r.status == (200 if status == 201 else 404)
        assert status != 201 or r.body == data
    small.free()
    for _, data in done[:3]:
        assert reg.blob("full/app", data) == sha(data)


def test_api_writes(small):
    """No write is acknowledged that is not there after a restart."""
    ecs, ecr = small.client("ecs"), small.client("ecr")
    made, failed = [], []
    small.fill(leave=128 << 10)
    for i in itertools.count():
        name = f"full/r{i}"
        try:
            ecr.create_repository(repositoryName=name, tags=[{"Key": "k", "Value": "v" * 250}])
            made.append(name)
        except botocore.exceptions.ClientError as e:
            failed.append(name)
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503), e.response
            assert e.response["Error"]["Code"] in (
                "InternalFailure", "InternalError", "ServerException", "ServiceUnavailable"), \
                e.response
        if len(failed) == 5:
            break
        assert i < 3000
    # Reading goes on, and another protocol is refused as well as it can be.
    assert ecr.describe_repositories(repositoryNames=["full/app"])["repositories"]
    assert ecs.list_clusters()["clusterArns"] is not None
    for n in failed:
        with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
            ecr.describe_repositories(repositoryNames=[n])
    reg = Registry(small)
    r = reg.call("POST", "/v2/full/app/blobs/uploads/")
    assert r.status in (500, 507) and r.code == "UNKNOWN"
    small.kill()
    small.free()
    small.start()
    ecr = small.client("ecr")
    there = {r["repositoryName"] for p in ecr.get_paginator("describe_repositories").paginate()
             for r in p["repositories"]}
    assert there == {"full/app", *made}
    ecr.create_repository(repositoryName="full/again")
    assert ecr.list_tags_for_resource(resourceArn=ecr.describe_repositories(
        repositoryNames=[made[-1]])["repositories"][0]["repositoryArn"])["tags"]


TEMPLATE = json.dumps({"Metadata": {"X": "x" * 20000}, "Resources": {
    f"G{i}": {"Type": "AWS::Logs::LogGroup"} for i in range(5)}})


def registers(d):
    """A write over and over: (the write, how many there are)."""
    ecs = d.client("ecs")
    return lambda i: ecs.register_task_definition(
        family="f", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
        memory="512", containerDefinitions=[{"name": "a", "image": "a", "environment": [
            {"name": "A", "value": "x" * 20000}]}]), lambda: [
        d.rsplit(":", 1)[1] for p in ecs.get_paginator("list_task_definitions").paginate()
        for d in p["taskDefinitionArns"]]


def serves(d):
    ecs, ec2 = d.client("ecs"), d.client("ec2")
    registers(d)[0](0)
    ecs.create_cluster(clusterName="c")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return lambda i: ecs.create_service(
        cluster="c", serviceName=f"s{i}", taskDefinition="f", desiredCount=0,
        launchType="FARGATE", clientToken=f"t{i}", tags=[{"key": "k" * 100, "value": "v" * 250}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}}), lambda: [
        a for p in ecs.get_paginator("list_services").paginate(cluster="c")
        for a in p["serviceArns"]]


def keeps(d):
    ssm = d.client("ssm")
    return lambda i: ssm.put_parameter(Name="/p", Value="x" * 4000, Type="SecureString",
                                       Overwrite=True), lambda: [
        v["Version"] for p in ssm.get_paginator("get_parameter_history").paginate(Name="/p")
        for v in p["Parameters"]][-1:] * ssm.get_parameter(Name="/p")["Parameter"]["Version"]


def executes(d):
    """Change sets, made while there was room."""
    cfn = d.client("cloudformation")
    for i in range(100):
        cfn.create_change_set(StackName=f"s{i}", ChangeSetName="c", ChangeSetType="CREATE",
                              TemplateBody=TEMPLATE)

    def there():
        deadline = time.monotonic() + 30
        while any(s["StackStatus"].endswith("PROGRESS") and s["StackStatus"] !=
                  "REVIEW_IN_PROGRESS" for s in cfn.list_stacks()["StackSummaries"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stacks = [s for p in cfn.get_paginator("list_stacks").paginate() for s in
                  p["StackSummaries"] if s["StackStatus"] != "REVIEW_IN_PROGRESS"]
        assert {s["StackStatus"] for s in stacks} == {"CREATE_COMPLETE"}, stacks
        groups = [g for p in d.client("logs").get_paginator("describe_log_groups").paginate()
                  for g in p["logGroups"]]
        assert len(groups) == 5 * len(stacks)
        return stacks
    return lambda i: cfn.execute_change_set(StackName=f"s{i}", ChangeSetName="c",
                                            ClientRequestToken=f"t{i}"), there


@pytest.mark.parametrize("kind", [registers, serves, keeps, executes])
def test_retry(small, kind):
    """What failed for want of space left nothing: tried again it is the first."""
    write, there = kind(small)
    small.fill()
    for i in itertools.count():
        try:
            write(i)
        except botocore.exceptions.ClientError as e:
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503), e.response
            break
        assert i < 3000
    for _ in range(3):
        with pytest.raises(botocore.exceptions.ClientError):
            write(i)
    small.free()
    write(i)
    assert len(there()) == i + 1


def test_freed_without_a_restart(small):
    ecr = small.client("ecr")
    small.fill()
    failed = 0
    for i in range(200):
        try:
            ecr.create_repository(repositoryName=f"full/x{i}")
        except botocore.exceptions.ClientError:
            failed += 1
            if failed == 3:
                break
    assert failed == 3
    small.free()
    ecr.create_repository(repositoryName="full/after")
    reg = Registry(small)
    reg.image("full/after", "x", [b"after"])
    assert reg.call("GET", "/v2/full/after/manifests/x").status == 200


def test_starts_on_a_full_disk():
    """What runs goes on running; there is somebody to ask what to delete."""
    d = Small()
    try:
        ecr = d.client("ecr")
        ecr.create_repository(repositoryName="full/app")
        Registry(d).image("full/app", "x", [bytes(1 << 20)])
        d.kill()
        d.fill(leave=8192)  # for the port's file
        d.start()
        assert d.client("ecr").describe_repositories()["repositories"]
        for _ in range(8):  # a start needs no room
            d.kill()
            d.start()
        with pytest.raises(botocore.exceptions.ClientError):
            for i in range(100):
                d.client("ecr").create_repository(repositoryName=f"full/more{i}")
    finally:
        d.close()


@pytest.mark.skipif(not stack.ready, reason="crun")
def test_unpack():
    """A layer that does not fit: the task says so, and the next one works."""
    state = tempfile.mkdtemp(prefix="ngf-", dir="/var/tmp")
    os.chmod(state, 0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "small", state], check=True)
    s = None
    try:
        s = stack.Stack("ngf", state=state)
        s.client("ecr").create_repository(repositoryName="full/app")
        s.client("ecs").create_cluster(clusterName="default")
        s.subnet = s.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        reg = Registry(s)
        layer = oci.tar(oci.entry("zero", bytes(60 << 20)))
        layers = [images.BUSYBOX, layer]
        reg.image("full/app", "x", [gzip.compress(b) for b in layers],
                  diffs=[sha(b) for b in layers], config=images.script("exit 0"))
        task = images.run(s, f"127.0.0.1:{s.port}/full/app:x")
        reason = task["containers"][0]["reason"]
        assert reason.startswith("CannotPullContainerError: failed to register layer")
        assert "No space left on device" in reason
        deadline = time.monotonic() + 10
        while os.statvfs(state).f_bavail * os.statvfs(state).f_bsize < 20 << 20:
            assert time.monotonic() < deadline, "the half layer stays"
            time.sleep(0.05)
        subprocess.run(["mount", "-o", "remount,size=200m", state], check=True)
        assert images.code(images.run(s, f"127.0.0.1:{s.port}/full/app:x")) == 0
    finally:
        if s:
            s.stop()
        subprocess.run(["umount", "-l", state], check=True)
        os.rmdir(state)
