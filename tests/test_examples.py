"""examples/service.yaml, as its first lines say."""
import os
import shutil
import subprocess
import time

import pytest

import cdk
from cli import Instance
from conftest import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("crun"),
                                reason="root and crun")


@pytest.fixture(scope="module")
def ng():
    i = Instance()
    yield i
    i.down()
    assert i.leftovers() == []


def deploy(ng, *parameters):
    """The AWS CLI of Debian is older than AWS_ENDPOINT_URL."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | ng.env
    p = subprocess.run(
        ["/usr/bin/aws", "--endpoint-url", ng.endpoint, "cloudformation", "deploy",
         "--stack-name", "hello", "--template-file", ROOT / "examples" / "service.yaml",
         "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *parameters],
        env=env, capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    return p.stdout


def test_service(ng):
    ng.client("ecr").create_repository(repositoryName="hello")
    cdk.push_server(ng, "hello", "1")
    image = f"127.0.0.1:{ng.port}/hello"
    deploy(ng, f"Image={image}:1")
    out = cdk.outputs(ng, "hello")
    host = out["Url"].split("/")[2]
    port = cdk.edge_port(ng, "http")
    ask = ["curl", "-sS", "--fail", "--resolve", f"{host}:{port}:127.0.0.1",
           f"http://{host}:{port}/api/version"]
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split() == ["1"]
    assert "No changes to deploy" in deploy(ng, f"Image={image}:1")
    # The CLI names a change set by the second.
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)
    deploy(ng, "Count=1")
    s = ng.client("ecs").describe_services(cluster=out["Cluster"], services=[out["Service"]])
    assert (s["services"][0]["desiredCount"], s["services"][0]["runningCount"]) == (1, 1)
    cf = ng.client("cloudformation")
    cf.delete_stack(StackName="hello")
    cf.get_waiter("stack_delete_complete").wait(StackName="hello", WaiterConfig={"Delay": 1})
