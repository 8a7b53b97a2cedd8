"""Unmodified CDK: its own command line, both versions, from bootstrap to
destroy, on real containers, networks, proxies.  The tests of this file are one
story and run in its order."""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading
import time

import pytest

import cdk
from cli import Instance

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("crun") or not cdk.ready,
    reason="root, crun and the CDK (tools/deps test)")

STACK, IMAGES = "AppPr7", "AppPr7Images"
PR = ("-c", "prNumber=7")
HOST = f"pr-7-api.{cdk.ZONE_NAME}"
KEY = "s3cr3t-of-the-preview"


@pytest.fixture(scope="module")
def ng():
    i = Instance()
    yield i
    i.down()
    assert i.leftovers() == []


@pytest.fixture(scope="module")
def preview(ng, tmp_path_factory):
    base = tmp_path_factory.mktemp("cdk")
    return cdk.Cdk(ng, base, cdk.copy_app(base / "preview"))


def curl(ng, path="/api/version", *args, scheme="https", host=HOST):
    p = cdk.edge_port(ng, scheme)
    ca = ng.run / "test-ca.pem"
    if not ca.exists():
        ca.write_text(ng("ca").stdout)
    return subprocess.run(
        ["curl", "-sS", "--max-time", "10", "--cacert", ca, "--resolve", f"{host}:{p}:127.0.0.1",
         *args, f"{scheme}://{host}:{p}{path}"], capture_output=True, text=True)


def version(ng):
    r = curl(ng, "/api/version", "--fail")
    assert r.returncode == 0, r.stderr
    return r.stdout.split()


def test_bootstrap(ng, preview):
    account = ng.client("sts").get_caller_identity()["Account"]
    out = preview("bootstrap", f"aws://{account}/us-east-1")
    assert "bootstrapped" in out
    s = cdk.stack(ng, "CDKToolkit")
    assert s["StackStatus"] == "CREATE_COMPLETE"
    assert {"BucketName", "BootstrapVersion"} <= cdk.outputs(ng, "CDKToolkit").keys()
    assert "no changes" in preview("bootstrap", f"aws://{account}/us-east-1")


def test_deploy(ng, preview):
    ssm = ng.client("ssm")
    ssm.put_parameter(Name="/app/development/LOG_LEVEL", Value="debug", Type="String")
    ssm.put_parameter(Name="/app/development/API_KEY", Value=KEY, Type="SecureString")
    ng("import", "hosted-zone", "--id", cdk.ZONE, "--name", cdk.ZONE_NAME)
    preview("deploy", IMAGES, *PR)
    cdk.push_server(ng, "app-pr-7", "pr-7")
    out = preview("deploy", STACK, "--exclusively", *PR)
    assert f"https://{HOST}" in out
    assert cdk.stack(ng, STACK)["StackStatus"] == "CREATE_COMPLETE"
    assert version(ng) == ["pr-7", "pr-7", "debug", KEY]


def test_what_the_preview_is(ng):
    """Redirect, secrets, tags, scaling, exports."""
    r = curl(ng, "/api/version", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}",
             scheme="http")
    assert r.stdout.startswith(f"301 https://{HOST}"), r
    ecs = ng.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition="app-pr-7")["taskDefinition"]
    assert KEY not in json.dumps(definition, default=str)
    assert KEY not in ng("dump").stdout and KEY not in ng.log()
    found = ng.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "PRNumber", "Values": ["7"]}], ResourcesPerPage=100)
    kinds = {r["ResourceARN"].split(":")[2] for r in found["ResourceTagMappingList"]}
    assert {"ec2", "ecs", "elasticloadbalancing", "acm"} <= kinds
    scaling = ng.client("application-autoscaling")
    action = scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"][0]
    assert action["Schedule"] == "cron(0 22 * * ? *)"
    assert action["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
    exports = ng.client("cloudformation").list_exports()["Exports"]
    assert {f"{STACK}-Url", f"{IMAGES}-RepositoryUri"} <= {e["Name"] for e in exports}


def test_unchanged(ng, preview):
    assert "no differences" in preview("diff", STACK, "--exclusively", *PR).lower()
    before = len(cdk.events(ng, STACK))
    assert "no changes" in preview("deploy", STACK, "--exclusively", *PR)
    assert len(cdk.events(ng, STACK)) == before


class Asking:
    """Requests all the time; none may fail."""

    def __init__(self, ng):
        self.ng, self.bad, self.n, self.stop = ng, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            r = curl(self.ng, "/api/version", "--fail")
            self.n += 1
            if r.returncode:
                self.bad.append((time.time(), r.stderr))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *e):
        self.stop.set()
        self.thread.join()


def test_update_drops_nothing(ng, preview):
    cdk.push_server(ng, "app-pr-7", "pr-7-b")
    out = preview("diff", STACK, "--exclusively", *PR, "-c", "imageTag=pr-7-b")
    assert "AWS::ECS::TaskDefinition" in out
    with Asking(ng) as asking:
        preview("deploy", STACK, "--exclusively", *PR, "-c", "imageTag=pr-7-b")
    assert asking.bad == [] and asking.n > 20
    assert version(ng)[0] == "pr-7-b"


def test_broken_change_rolls_back(ng, preview):
    """Tasks that never become healthy: the breaker, then the stack."""
    cdk.push_server(ng, "app-pr-7", "pr-7-broken", command="echo no; exit 3")
    with Asking(ng) as asking:
        out = preview("deploy", STACK, "--exclusively", *PR, "-c", "imageTag=pr-7-broken",
                      code=1)
    assert "ECS Deployment Circuit Breaker was triggered" in out
    assert cdk.stack(ng, STACK)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert asking.bad == []
    assert version(ng)[0] == "pr-7-b"


def test_hotswap(ng, preview):
    """The task definition and the service, without CloudFormation."""
    cdk.push_server(ng, "app-pr-7", "pr-7-c")
    before = cdk.stack(ng, STACK)["LastUpdatedTime"]
    out = preview("deploy", STACK, "--exclusively", "--hotswap", *PR, "-c", "imageTag=pr-7-c")
    assert "hotswapped" in out
    assert cdk.stack(ng, STACK)["LastUpdatedTime"] == before
    assert version(ng)[0] == "pr-7-c"


def test_watch(ng, preview):
    """A file that changes is deployed; what the service logs is shown."""
    cdk.push_server(ng, "app-pr-7", "pr-7-w")
    p = preview.watch(STACK, "--exclusively", *PR, "-c", "imageTag=pr-7-w")
    wanted = ["observing", "total time", "detected change", "hotswapped",
              "version pr-7-w listens"]
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in p.stdout], daemon=True).start()
    seen, deadline = [], time.monotonic() + 120
    try:
        while wanted:
            seen.append(lines.get(timeout=max(deadline - time.monotonic(), 0.1)))
            if wanted[0].lower() not in seen[-1].lower():
                continue
            if wanted.pop(0) == "total time":
                source = preview.app / "lib" / "preview.js"
                source.write_text(source.read_text().replace("'500'", "'501'"))
    except queue.Empty:
        raise AssertionError("".join(seen)) from None
    finally:
        p.terminate()
        p.wait()


def test_drift(ng, preview):
    """What hot-swapping left behind, and what somebody changed by hand."""
    ng.client("logs").put_retention_policy(logGroupName="/ecs/app-pr-7", retentionInDays=3)
    out = preview("drift", STACK, *PR, code=None)
    assert "AWS::Logs::LogGroup" in out and "RetentionInDays" in out
    assert "AWS::EC2::VPC" not in out.split("AWS::Logs::LogGroup")[0] or "MODIFIED" not in \
        out.split("AWS::Logs::LogGroup")[0]


def test_asleep_and_awake(ng):
    """What 22:00 UTC does, by a schedule that is due now; then by hand."""
    scaling, ecs = ng.client("application-autoscaling"), ng.client("ecs")
    resource = "service/app-pr-7/api"
    at = time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime(time.time() + 2))
    scaling.put_scheduled_action(
        ServiceNamespace="ecs", ResourceId=resource, ScheduledActionName="now", Schedule=at,
        ScalableDimension="ecs:service:DesiredCount",
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0})
    deadline = time.monotonic() + 60
    while True:
        s = ecs.describe_services(cluster="app-pr-7", services=["api"])["services"][0]
        if s["desiredCount"] == 0 and s["runningCount"] == 0:
            break
        assert time.monotonic() < deadline, s["events"][:5]
        time.sleep(0.2)
    ecs.update_service(cluster="app-pr-7", service="api", desiredCount=1)
    ecs.get_waiter("services_stable").wait(cluster="app-pr-7", services=["api"])
    elb = ng.client("elbv2")
    elb.get_waiter("target_in_service").wait(
        TargetGroupArn=elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"],
        WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert version(ng)[0] == "pr-7-w"


def test_older_cli(ng, preview):
    """2.1027.0: an update, and what it says of no change."""
    preview("deploy", STACK, "--exclusively", *PR, "-c", "imageTag=pr-7-c", cli=cdk.OLD)
    assert version(ng)[0] == "pr-7-c"
    assert "no changes" in preview("deploy", STACK, "--exclusively", *PR, "-c",
                                   "imageTag=pr-7-c", cli=cdk.OLD)


def test_destroy(ng, preview):
    preview("destroy", STACK, "--exclusively", "--force", *PR)
    preview("destroy", IMAGES, "--exclusively", "--force", *PR, cli=cdk.OLD)
    stacks = ng.client("cloudformation").list_stacks(StackStatusFilter=[
        "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])["StackSummaries"]
    assert [s["StackName"] for s in stacks] == ["CDKToolkit"]
    assert list(pathlib.Path("/run/netns").glob(ng.name + "-task-*")) == []
    assert list(pathlib.Path("/run/netns").glob(ng.name + "-lb-*")) == []
    zone = ng.client("route53").list_resource_record_sets(HostedZoneId=cdk.ZONE)
    # CloudFormation leaves the records that proved a certificate, as on AWS.
    assert {r["Type"] for r in zone["ResourceRecordSets"]
            if not r["Name"].startswith("_")} == {"NS", "SOA"}


def test_assets(ng, preview, tmp_path):
    """An image built from a Dockerfile, a file, a nested stack; one CLI makes
    them, the other changes and destroys them."""
    app = cdk.Cdk(ng, preview.env["HOME"], cdk.ROOT / "tests" / "cdk")
    app.env |= {"CDK_DOCKER": str(cdk.ROOT / "tests" / "cdk" / "docker"),
                "BUILDAH_HOME": str(tmp_path)}
    out = ("-o", tmp_path / "out")
    app("deploy", "--all", *out)
    names = cdk.outputs(ng, "Assets")
    repository, tag = names["ImageUri"].rsplit("/", 1)[1].split(":")
    images = ng.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    assert [i["imageTags"] for i in images] == [[tag]]
    bucket, key = names["FileUrl"].removeprefix("s3://").split("/", 1)
    body = ng.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == (app.app / "image" / "hello.txt").read_bytes()
    parent = cdk.stack(ng, "Assets")
    child = next(s for s in ng.client("cloudformation").describe_stacks()["Stacks"]
                 if s.get("ParentId") == parent["StackId"])
    assert child["StackStatus"] == "CREATE_COMPLETE"
    assert names["GroupName"] == f"/nested/{parent['StackName']}"
    app("deploy", "--all", "-c", "retention=3", *out, cli=cdk.OLD)
    group = ng.client("logs").describe_log_groups(logGroupNamePrefix="/nested/")["logGroups"][0]
    assert group["retentionInDays"] == 3
    # A failed update that is left as it is, then told to roll back.
    app("deploy", "--all", "--no-rollback", "-c", "retention=4", *out, code=1)
    assert cdk.stack(ng, "Assets")["StackStatus"] == "UPDATE_FAILED"
    app("rollback", "Assets", *out)
    assert cdk.stack(ng, "Assets")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    group = ng.client("logs").describe_log_groups(logGroupNamePrefix="/nested/")["logGroups"][0]
    assert group["retentionInDays"] == 3
    app("destroy", "--all", "--force", *out, cli=cdk.OLD)
    assert ng.client("logs").describe_log_groups(logGroupNamePrefix="/nested/")["logGroups"] == []


def make_what_is_looked_up(ng):
    """{output: value}, as somebody else's hand would have made it."""
    ec2, elb, r53 = ng.client("ec2"), ng.client("elbv2"), ng.client("route53")
    ours = [{"Key": "Team", "Value": "network"}]
    default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    spare = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [default["VpcId"]]}])
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    out = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=out, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"][:2]]
    nets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{i}.0/24",
                              AvailabilityZone=zones[i % 2])["Subnet"]["SubnetId"]
            for i in range(4)]
    for n in nets[:2]:
        ec2.associate_route_table(RouteTableId=out, SubnetId=n)
    ec2.create_tags(Resources=[vpc], Tags=ours)
    group = ec2.create_security_group(GroupName="looked-for", Description="x", VpcId=vpc)["GroupId"]
    lb = elb.create_load_balancer(Name="looked-for", Subnets=nets[:2], SecurityGroups=[group],
                                  Tags=ours)["LoadBalancers"][0]
    elb.create_load_balancer(Name="other", Subnets=nets[:2], SecurityGroups=[group])
    listener = elb.create_listener(
        LoadBalancerArn=lb["LoadBalancerArn"], Port=80, Protocol="HTTP", DefaultActions=[
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
    zone = r53.create_hosted_zone(Name="lookups.localhost", CallerReference="l")["HostedZone"]
    hidden = r53.create_hosted_zone(Name="hidden.localhost", CallerReference="h", VPC={
        "VPCRegion": "us-east-1", "VPCId": vpc})["HostedZone"]
    key = ng.client("kms").create_key()["KeyMetadata"]["KeyId"]
    ng.client("kms").create_alias(AliasName="alias/lookups", TargetKeyId=key)
    ng.client("ssm").put_parameter(Name="/lookups/value", Value="seen", Type="String")
    return {
        "Vpc": vpc, "Cidr": "10.77.0.0/16", "Public": ",".join(nets[:2]),
        "Tables": f"{out},{out}", "Isolated": ",".join(nets[2:]), "DefaultVpc": default["VpcId"],
        "DefaultPublic": ",".join(s["SubnetId"] for s in sorted(
            spare["Subnets"], key=lambda s: s["AvailabilityZone"])),
        "ById": group, "ByName": group, "Balancer": lb["LoadBalancerArn"],
        "BalancerName": lb["DNSName"], "BalancerZone": lb["CanonicalHostedZoneId"],
        "Listener": listener["Listeners"][0]["ListenerArn"], "Zone": zone["Id"].split("/")[-1],
        "Hidden": hidden["Id"].split("/")[-1], "Key": key, "Parameter": "seen"}


def test_lookups(ng, preview, tmp_path):
    """What an app finds in its account before it is synthesised, by the role
    for lookups; an image of a machine is refused by its operation's name."""
    app = cdk.Cdk(ng, preview.env["HOME"], tmp_path)
    shutil.copy(cdk.ROOT / "tests" / "cdk" / "lookups.js", tmp_path)
    want = make_what_is_looked_up(ng)
    args = ("--app", "node lookups.js", "-c", f"group={want['ById']}", "--require-approval",
            "never")
    app("deploy", *args)
    got = {k.removeprefix("Found"): v for k, v in cdk.outputs(ng, "Lookups").items()}
    assert got == want
    (tmp_path / "cdk.context.json").unlink()
    out = app("synth", *args, "-c", "image=al2023*", code=1)
    assert "ec2:DescribeImages is not implemented" in out
    (tmp_path / "cdk.context.json").unlink(missing_ok=True)
    # The same found by the older one; and with what it keeps, nothing is asked.
    assert "no changes" in app("deploy", *args, cli=cdk.OLD)
    app("destroy", *args, "--force")


SMALL = """
const { App, RemovalPolicy, Stack } = require('aws-cdk-lib');
const logs = require('aws-cdk-lib/aws-logs');
const { Asset } = require('aws-cdk-lib/aws-s3-assets');
const stack = new Stack(new App(), 'Small');
new logs.LogGroup(stack, 'Group', {
	logGroupName: 'small', removalPolicy: RemovalPolicy.DESTROY,
	retention: Number(stack.node.tryGetContext('days')) });
new Asset(stack, 'File', { path: __filename });
"""


def test_other_ways(ng, preview, tmp_path):
    """The older CLI's bootstrap, creations that fail, deployments without a
    change set and with one that waits, and assets that nobody uses any more."""
    app = cdk.Cdk(ng, preview.env["HOME"], tmp_path)
    (tmp_path / "small.js").write_text(SMALL)
    args = ("--app", "node small.js")
    deploy = ("deploy", *args, "--require-approval", "never")

    def days():
        groups = logs.describe_log_groups(logGroupNamePrefix="small")["logGroups"]
        return [g["retentionInDays"] for g in groups]
    out = app("bootstrap", *args, "--qualifier", "old", "--toolkit-stack-name", "OldToolkit",
              cli=cdk.OLD)
    assert "bootstrapped" in out
    assert cdk.stack(ng, "OldToolkit")["StackStatus"] == "CREATE_COMPLETE"
    # A creation that fails says why; the next one begins anew by itself.
    logs = ng.client("logs")
    logs.create_log_group(logGroupName="small")
    for cli in (cdk.NEW, cdk.OLD):
        out = app(*deploy, "-c", "days=7", cli=cli, code=1)
        assert "The specified log group already exists" in out
        assert cdk.stack(ng, "Small")["StackStatus"] == "ROLLBACK_COMPLETE"
    logs.delete_log_group(logGroupName="small")
    app(*deploy, "-c", "days=7")
    app("destroy", *args, "--force", "-c", "days=7", cli=cdk.OLD)
    app(*deploy, "--method=direct", "-c", "days=7")
    app(*deploy, "--method=direct", "-c", "days=3", cli=cdk.OLD)
    assert days() == [3]
    app(*deploy, "--method=prepare-change-set", "-c", "days=5")
    assert days() == [3]
    for cli in (cdk.NEW, cdk.OLD):
        out = app("diff", *args, "-c", "days=5", cli=cli)
        assert "[-] 3" in out and "[+] 5" in out
    cfn = ng.client("cloudformation")
    cfn.execute_change_set(StackName="Small", ChangeSetName="cdk-deploy-change-set")
    cfn.get_waiter("stack_update_complete").wait(StackName="Small", WaiterConfig={"Delay": 1})
    assert days() == [5]
    app("destroy", *args, "--force", "-c", "days=5")
    bucket = cdk.outputs(ng, "CDKToolkit")["BucketName"]
    assert ng.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] > 0
    app("gc", *args, "-c", "days=5", "--unstable=gc", "--confirm=false",
        "--rollback-buffer-days=0", "--created-buffer-days=0")
    assert ng.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    app.ng.client("cloudformation").delete_stack(StackName="OldToolkit")
