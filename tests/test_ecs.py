"""ECS through boto3 and the AWS CLI, on fake drivers: what clients send and
read.  The fakes: images that start with "missing" are not found; a container
whose command is "exit N" ends at once; see src/drv/runtime/runtime.h."""
import json
import re
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
import urllib3

from conftest import KEY, SECRET

ARN = "arn:aws:ecs:us-east-1:123456789012:"
SOON = {"Delay": 0.02, "MaxAttempts": 900}
HEX = "[0-9a-f]{32}"


def refused(fn, code, text="", **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        fn(**args)
    err = e.value.response["Error"]
    assert err["Code"] == code, err
    assert text in err["Message"], err
    return e.value.response


def raw(daemon, op, signing="ecs", prefix="AmazonEC2ContainerServiceV20141113", **body):
    """An operation, or members, that Debian's boto3 is too old to know."""
    url = daemon.endpoint + "/"
    request = botocore.awsrequest.AWSRequest("POST", url, data=json.dumps(body), headers={
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{prefix}.{op}"})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), signing,
                            "us-east-1").add_auth(request)
    r = urllib3.PoolManager().request("POST", url, body=json.dumps(body),
                                      headers=dict(request.headers), retries=False)
    return r.status, json.loads(r.data)


def until(fn, what=None, seconds=20):
    """Polls: fn() until it says something true."""
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got:
            return got
        assert time.monotonic() < end, what() if what else fn
        time.sleep(0.02)


@pytest.fixture
def ecs(client):
    return client("ecs")


@pytest.fixture
def net(client):
    subnets = client("ec2").describe_subnets()["Subnets"]
    return {"awsvpcConfiguration": {"subnets": [s["SubnetId"] for s in subnets[:2]]}}


def define(ecs, family="app", image="img", more=(), **kw):
    main = {"name": "app", "image": image, **{k: kw.pop(k) for k in list(kw) if k in CONTAINER}}
    args = {"family": family, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [main, *more], **kw}
    return ecs.register_task_definition(**args)["taskDefinition"]


CONTAINER = {"command", "essential", "portMappings", "healthCheck", "stopTimeout", "dependsOn",
             "logConfiguration", "environment", "user"}


@pytest.fixture
def cluster(ecs, request):
    name = re.sub(r"\W", "-", request.node.name)
    ecs.create_cluster(clusterName=name)
    yield name
    for arn in ecs.list_services(cluster=name)["serviceArns"]:
        ecs.delete_service(cluster=name, service=arn, force=True)
    for arn in ecs.list_tasks(cluster=name)["taskArns"]:
        ecs.stop_task(cluster=name, task=arn)
    until(lambda: not ecs.describe_clusters(clusters=[name])["clusters"][0]["runningTasksCount"])


def run(ecs, cluster, net, definition="app", **kw):
    out = ecs.run_task(cluster=cluster, taskDefinition=definition, launchType="FARGATE",
                       networkConfiguration=net, **kw)
    assert out["failures"] == []
    return out["tasks"]


def task(ecs, cluster, arn, **kw):
    return ecs.describe_tasks(cluster=cluster, tasks=[arn], **kw)["tasks"][0]


def stopped(ecs, cluster, arn):
    ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[arn], WaiterConfig=SOON)
    return task(ecs, cluster, arn)


def service(ecs, cluster, name="web"):
    return ecs.describe_services(cluster=cluster, services=[name])["services"][0]


def events(ecs, cluster, name="web"):
    return [e["message"] for e in service(ecs, cluster, name)["events"]]


def said(ecs, cluster, pattern, name="web"):
    return until(lambda: [m for m in events(ecs, cluster, name) if re.fullmatch(pattern, m)],
                 lambda: (pattern, service(ecs, cluster, name)))


def create(ecs, cluster, net, definition="app", name="web", count=1, **kw):
    return ecs.create_service(
        cluster=cluster, serviceName=name, taskDefinition=definition, desiredCount=count,
        launchType="FARGATE", networkConfiguration=net, **kw)["service"]


def stable(ecs, cluster, name="web"):
    until(lambda: service(ecs, cluster, name)["deployments"][0]["rolloutState"] == "COMPLETED",
          lambda: service(ecs, cluster, name))
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name], WaiterConfig=SOON)
    return service(ecs, cluster, name)


# Clusters


def test_clusters(ecs):
    made = ecs.create_cluster(clusterName="one", tags=[{"key": "a", "value": "b"}])["cluster"]
    assert made["clusterArn"] == ARN + "cluster/one"
    assert made["status"] == "ACTIVE" and made["tags"] == [{"key": "a", "value": "b"}]
    assert made["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert made["capacityProviders"] == [] and made["defaultCapacityProviderStrategy"] == []
    again = ecs.create_cluster(clusterName="one")["cluster"]
    assert again["clusterArn"] == made["clusterArn"]
    assert ARN + "cluster/one" in ecs.list_clusters()["clusterArns"]
    out = ecs.describe_clusters(clusters=["one", "nope"], include=["TAGS", "STATISTICS"])
    assert out["clusters"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert {s["name"] for s in out["clusters"][0]["statistics"]} >= {"runningFargateTasksCount"}
    assert out["failures"] == [{"arn": ARN + "cluster/nope", "reason": "MISSING"}]
    put = ecs.put_cluster_capacity_providers(
        cluster="one", capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    assert put["cluster"]["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    ecs.update_cluster_settings(cluster="one",
                                settings=[{"name": "containerInsights", "value": "enabled"}])
    refused(ecs.put_cluster_capacity_providers, "InvalidParameterException", "nope",
            cluster="one", capacityProviders=["nope"], defaultCapacityProviderStrategy=[])
    assert ecs.delete_cluster(cluster="one")["cluster"]["status"] == "INACTIVE"
    refused(ecs.delete_cluster, "ClusterNotFoundException", "Cluster not found.", cluster="one")
    assert ecs.describe_clusters(clusters=["one"])["clusters"][0]["status"] == "INACTIVE"
    assert ARN + "cluster/one" not in ecs.list_clusters()["clusterArns"]
    refused(ecs.create_cluster, "InvalidParameterException", clusterName="a b")
    for arn in ("arn:aws:ecs:us-east-1:999999999999:cluster/one", "arn:foo",
                ARN.replace("us-east-1", "eu-west-1") + "cluster/one"):
        refused(ecs.describe_clusters, "InvalidParameterException", "Identifier is for",
                clusters=[arn])


def test_default_cluster(ecs, net):
    """It is made when something is first put into it; looking makes nothing."""
    for look in (ecs.list_tasks, ecs.list_services, ecs.list_container_instances):
        refused(look, "ClusterNotFoundException", "Cluster not found.")
    define(ecs, "short")
    t = run(ecs, "default", net, "short")[0]
    assert t["clusterArn"] == ARN + "cluster/default"
    ecs.stop_task(task=t["taskArn"])
    ecs.get_waiter("tasks_stopped").wait(tasks=[t["taskArn"]], WaiterConfig=SOON)


def test_capacity_providers(ecs):
    out = ecs.describe_capacity_providers()
    assert [p["name"] for p in out["capacityProviders"]] == ["FARGATE", "FARGATE_SPOT"]
    out = ecs.describe_capacity_providers(capacityProviders=["FARGATE", "x"])
    assert [p["status"] for p in out["capacityProviders"]] == ["ACTIVE"]
    assert out["failures"][0]["reason"] == "MISSING"


# Task definitions


def test_task_definitions(ecs, daemon):
    one = define(ecs, "td", portMappings=[{"containerPort": 80}],
                 environment=[{"name": "A", "value": "b"}])
    assert one["taskDefinitionArn"] == ARN + "task-definition/td:1"
    assert one["revision"] == 1 and one["status"] == "ACTIVE"
    assert one["compatibilities"] == ["EC2", "FARGATE"]
    assert one["registeredBy"] == "arn:aws:iam::123456789012:root"
    assert {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"} in \
        one["requiresAttributes"]
    assert one["containerDefinitions"] == [{
        "name": "app", "image": "img", "cpu": 0, "essential": True, "mountPoints": [],
        "volumesFrom": [], "systemControls": [], "environment": [{"name": "A", "value": "b"}],
        "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}]
    two = define(ecs, "td", cpu="1 vCPU", memory="2GB", tags=[{"key": "k", "value": "v"}])
    assert (two["revision"], two["cpu"], two["memory"]) == (2, "1024", "2048")
    assert ecs.describe_task_definition(taskDefinition="td")["taskDefinition"]["revision"] == 2
    out = ecs.describe_task_definition(taskDefinition="td:2", include=["TAGS"])
    assert out["tags"] == [{"key": "k", "value": "v"}]
    got = ecs.describe_task_definition(taskDefinition=one["taskDefinitionArn"])["taskDefinition"]
    assert got == one
    assert ecs.list_task_definitions(familyPrefix="td", sort="DESC")["taskDefinitionArns"] == [
        ARN + "task-definition/td:2", ARN + "task-definition/td:1"]
    gone = ecs.deregister_task_definition(taskDefinition="td:2")["taskDefinition"]
    assert gone["status"] == "INACTIVE" and "deregisteredAt" in gone
    assert ecs.describe_task_definition(taskDefinition="td")["taskDefinition"]["revision"] == 1
    assert ecs.list_task_definitions(familyPrefix="td", status="INACTIVE")[
        "taskDefinitionArns"] == [ARN + "task-definition/td:2"]
    assert define(ecs, "td")["revision"] == 3
    _, out = raw(daemon, "DeleteTaskDefinitions", taskDefinitions=["td:2", "td:1", "td:99"])
    assert [d["status"] for d in out["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert len(out["failures"]) == 2
    refused(ecs.describe_task_definition, "ClientException",
            "Unable to describe task definition.", taskDefinition="nope")
    refused(ecs.deregister_task_definition, "ClientException", "Revision is missing.",
            taskDefinition="td")
    out = json.loads(daemon.aws("ecs", "describe-task-definition", "--task-definition", "td:1"))
    assert out["taskDefinition"]["family"] == "td"


def test_families(ecs):
    define(ecs, "fam-a"), define(ecs, "fam-b")
    ecs.deregister_task_definition(taskDefinition="fam-b:1")

    def families(**kw):
        return ecs.list_task_definition_families(familyPrefix="fam-", **kw)["families"]
    assert families() == ["fam-a", "fam-b"]
    assert families(status="ACTIVE") == ["fam-a"]
    assert families(status="INACTIVE") == ["fam-b"]
    define(ecs, "fam-c")
    for _ in range(3):
        define(ecs, "fam-a")
    pages = ecs.get_paginator("list_task_definition_families").paginate(
        familyPrefix="fam-", PaginationConfig={"PageSize": 1})
    assert [p["families"] for p in pages] == [["fam-a"], ["fam-b"], ["fam-c"]]
    pages = ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix="fam-a", PaginationConfig={"PageSize": 3})
    assert [len(p["taskDefinitionArns"]) for p in pages] == [3, 1]


@pytest.mark.parametrize("change, text", [
    ({"cpu": "256", "memory": "8192"}, "No Fargate configuration exists for given values"),
    ({"cpu": "300"}, "No Fargate configuration exists for given values"),
    ({"networkMode": "bridge"}, "Fargate only supports network mode"),
    ({"family": "a b"}, "Family"),
    ({"containerDefinitions": []}, "Container list cannot be empty."),
    ({"portMappings": [{"containerPort": 80, "hostPort": 81}]},
     "the host ports and container ports in port mappings must match"),
])
def test_definition_refused(ecs, change, text):
    refused(lambda **kw: define(ecs, **kw), "ClientException", text, **change)


def test_definition_not_there(ecs):
    r = refused(lambda **kw: define(ecs, **kw), "NotImplemented", "pidMode", pidMode="task")
    assert r["ResponseMetadata"]["HTTPStatusCode"] == 501


# Tasks


def test_run_task(ecs, cluster, net, daemon):
    define(ecs, portMappings=[{"containerPort": 80}], tags=[{"key": "of", "value": "def"}])
    tasks = run(ecs, cluster, net, count=2, startedBy="me", group="mine", enableECSManagedTags=True,
                tags=[{"key": "a", "value": "b"}], propagateTags="TASK_DEFINITION",
                overrides={"cpu": "512", "memory": "1024", "containerOverrides": [
                    {"name": "app", "environment": [{"name": "X", "value": "y"}]}]})
    arns = [t["taskArn"] for t in tasks]
    assert all(re.fullmatch(ARN + f"task/{cluster}/" + HEX, a) for a in arns)
    t = tasks[0]
    assert t["lastStatus"] == "PROVISIONING" and t["desiredStatus"] == "RUNNING"
    ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=arns, WaiterConfig=SOON)
    t = task(ecs, cluster, arns[0], include=["TAGS"])
    assert t["lastStatus"] == "RUNNING" and t["connectivity"] == "CONNECTED"
    assert (t["cpu"], t["memory"]) == ("512", "1024")
    assert t["startedBy"] == "me" and t["group"] == "mine" and t["launchType"] == "FARGATE"
    assert t["platformVersion"] == "1.4.0" and t["platformFamily"] == "Linux"
    assert t["ephemeralStorage"] == {"sizeInGiB": 20} and t["enableExecuteCommand"] is False
    assert t["healthStatus"] == "UNKNOWN" and t["version"] > 1
    assert t["overrides"]["containerOverrides"][0]["environment"] == [{"name": "X", "value": "y"}]
    assert {x["key"]: x["value"] for x in t["tags"]} == {
        "a": "b", "of": "def", "aws:ecs:clusterName": cluster}
    times = [t[k] for k in ("createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt",
                            "startedAt")]
    assert times == sorted(times)
    a = t["attachments"][0]
    assert a["type"] == "ElasticNetworkInterface" and a["status"] == "ATTACHED"
    assert {d["name"] for d in a["details"]} == {
        "subnetId", "networkInterfaceId", "macAddress", "privateDnsName", "privateIPv4Address"}
    k = t["containers"][0]
    assert k["lastStatus"] == "RUNNING" and k["runtimeId"] and k["imageDigest"]
    assert k["networkInterfaces"][0]["attachmentId"] == a["id"]
    assert set(k) <= set("containerArn taskArn name image imageDigest runtimeId lastStatus "
                         "networkBindings networkInterfaces healthStatus cpu memory".split())
    assert json.loads(daemon.aws("ecs", "list-tasks", "--cluster", cluster, "--started-by",
                                 "me"))["taskArns"] == arns
    assert len({i["privateIpv4Address"] for x in arns for i in
                task(ecs, cluster, x)["containers"][0]["networkInterfaces"]}) == 2
    out = ecs.stop_task(cluster=cluster, task=arns[0], reason="enough")["task"]
    assert out["desiredStatus"] == "STOPPED"
    t = stopped(ecs, cluster, arns[0])
    assert t["stopCode"] == "UserInitiated" and t["stoppedReason"] == "enough"
    assert t["attachments"][0]["status"] == "DELETED"
    assert t["containers"][0]["lastStatus"] == "STOPPED"
    assert t["stoppingAt"] <= t["executionStoppedAt"] <= t["stoppedAt"]
    daemon.aws("ecs", "stop-task", "--cluster", cluster, "--task", arns[1].split("/")[-1])
    t = stopped(ecs, cluster, arns[1])
    assert t["stoppedReason"] == "Task stopped by user"
    again = ecs.stop_task(cluster=cluster, task=arns[1])["task"]
    assert again["lastStatus"] == "STOPPED"


def test_list_tasks(ecs, cluster, net):
    define(ecs, "list-a"), define(ecs, "list-b")
    a = [t["taskArn"] for t in run(ecs, cluster, net, "list-a", count=5)]
    b = [t["taskArn"] for t in run(ecs, cluster, net, "list-b", startedBy="b")]

    def ls(**kw):
        return set(ecs.list_tasks(cluster=cluster, **kw)["taskArns"])
    assert ls() == set(a + b)
    assert ls(family="list-a") == set(a) and ls(startedBy="b") == set(b)
    assert ls(launchType="FARGATE") == set(a + b) and ls(launchType="EC2") == set()
    pages = list(ecs.get_paginator("list_tasks").paginate(
        cluster=cluster, PaginationConfig={"PageSize": 4}))
    assert [len(p["taskArns"]) for p in pages] == [4, 2]
    ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=a + b, WaiterConfig=SOON)
    ecs.stop_task(cluster=cluster, task=b[0])
    stopped(ecs, cluster, b[0])
    assert ls(desiredStatus="STOPPED") == set(b) and ls() == set(a)
    refused(ecs.list_tasks, "ServiceNotFoundException", cluster=cluster, serviceName="nope")
    refused(ecs.list_tasks, "ClusterNotFoundException", cluster="nope")
    refused(ecs.list_tasks, "InvalidParameterException", "token", cluster=cluster,
            nextToken="garbage")


def test_missing(ecs, cluster):
    ident = "0" * 32
    out = ecs.describe_tasks(cluster=cluster, tasks=[ident])
    assert out["tasks"] == []
    assert out["failures"] == [{"arn": f"{ARN}task/{cluster}/{ident}", "reason": "MISSING"}]
    out = ecs.describe_services(cluster=cluster, services=["nope"])
    assert out["failures"] == [{"arn": f"{ARN}service/{cluster}/nope", "reason": "MISSING"}]
    refused(ecs.stop_task, "InvalidParameterException", "The referenced task was not found.",
            cluster=cluster, task=ident)
    refused(ecs.describe_tasks, "InvalidParameterException", "Tasks cannot be empty.",
            cluster=cluster, tasks=[])
    refused(ecs.describe_tasks, "InvalidParameterException", "accountId", cluster=cluster,
            tasks=["arn:aws:ecs:us-east-1:999999999999:task/x/" + ident])


def test_run_task_refused(ecs, cluster, net):
    define(ecs)
    args = {"cluster": cluster, "taskDefinition": "app", "launchType": "FARGATE",
            "networkConfiguration": net}

    def no(code, text, **kw):
        refused(ecs.run_task, code, text, **{**args, **kw})
    no("ClusterNotFoundException", "Cluster not found.", cluster="nope")
    no("ClientException", "TaskDefinition not found.", taskDefinition="nope")
    no("InvalidParameterException", "count", count=11)
    no("InvalidParameterException", "Override for container named x is not a container in the "
       "TaskDefinition.", overrides={"containerOverrides": [{"name": "x"}]})
    no("InvalidParameterException", "subnet", networkConfiguration={"awsvpcConfiguration": {
        "subnets": ["subnet-00000000000000000"]}})
    no("InvalidParameterException", "security group", networkConfiguration={
        "awsvpcConfiguration": {"subnets": net["awsvpcConfiguration"]["subnets"],
                                "securityGroups": ["sg-00000000000000000"]}})
    no("PlatformUnknownException", "", platformVersion="9.9.9")
    no("NotImplemented", "enableExecuteCommand", enableExecuteCommand=True)
    no("NotImplemented", "EC2", launchType="EC2")
    no("InvalidParameterException", "propagateTags", propagateTags="SERVICE")
    no("InvalidParameterException", "both a launch type and capacity provider",
       capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}])
    del args["networkConfiguration"]
    no("InvalidParameterException", "Network Configuration must be provided when networkMode "
       "'awsvpc' is specified.")


def test_spot(ecs, cluster, net):
    define(ecs)
    t = ecs.run_task(cluster=cluster, taskDefinition="app", networkConfiguration=net,
                     capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT",
                                                "weight": 1}])["tasks"][0]
    assert t["capacityProviderName"] == "FARGATE_SPOT" and t["launchType"] == "FARGATE"


def test_client_token(ecs, cluster, net, daemon):
    define(ecs)
    args = {"cluster": cluster, "taskDefinition": "app", "networkConfiguration": net,
            "clientToken": "abc"}
    one = raw(daemon, "RunTask", **args)[1]["tasks"][0]["taskArn"]
    assert raw(daemon, "RunTask", **args)[1]["tasks"][0]["taskArn"] == one
    status, out = raw(daemon, "RunTask", **args, startedBy="else")
    assert status == 400 and out["__type"] == "ConflictException"
    assert out["resourceIds"] == [one]
    assert ecs.list_tasks(cluster=cluster)["taskArns"] == [one]


def ends(ecs, cluster, net, **kw):
    define(ecs, **kw)
    return stopped(ecs, cluster, run(ecs, cluster, net)[0]["taskArn"])


def test_essential_exit(ecs, cluster, net):
    t = ends(ecs, cluster, net, command=["exit", "7"])
    assert t["stopCode"] == "EssentialContainerExited"
    assert t["stoppedReason"] == "Essential container in task exited"
    assert t["containers"][0]["exitCode"] == 7


def test_side_container_may_exit(ecs, cluster, net):
    define(ecs, more=[{"name": "side", "image": "img", "essential": False,
                       "command": ["exit", "0"]}])
    arn = run(ecs, cluster, net)[0]["taskArn"]
    t = until(lambda: [t for t in [task(ecs, cluster, arn)] if t["lastStatus"] == "RUNNING"])[0]
    side = t["containers"][1]
    assert side["lastStatus"] == "STOPPED" and side["exitCode"] == 0


def test_missing_image(ecs, cluster, net):
    t = ends(ecs, cluster, net, image="missing:1")
    assert t["stopCode"] == "TaskFailedToStart"
    assert t["stoppedReason"].startswith("CannotPullContainerError: ")
    assert t["containers"][0]["reason"] == t["stoppedReason"]
    assert "startedAt" not in t and "exitCode" not in t["containers"][0]


def test_cannot_start(ecs, cluster, net):
    why = 'exec: "/nope": no such file or directory'
    t = ends(ecs, cluster, net, command=["fail", why])
    assert t["stopCode"] == "TaskFailedToStart"
    assert t["stoppedReason"] == "CannotStartContainerError: " + why
    assert t["containers"][0]["reason"] == t["stoppedReason"]


def test_no_such_user(ecs, cluster, net):
    t = ends(ecs, cluster, net, user="nobody-here")
    assert "CannotStartContainerError" in t["stoppedReason"]
    assert "unable to find user nobody-here" in t["stoppedReason"]


def logs_to(group, **more):
    return {"logDriver": "awslogs", "options": {
        "awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p",
        **more}}


def test_log_group(ecs, cluster, net, client):
    try:
        client("logs").describe_log_groups()
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == "NotImplemented"
        pytest.skip("logs are not there yet")
    t = ends(ecs, cluster, net, logConfiguration=logs_to("/none"))
    assert t["stopCode"] == "TaskFailedToStart"
    assert re.match("ResourceInitializationError: failed to validate logger args: .*"
                    "ResourceNotFoundException: The specified log group does not exist",
                    t["stoppedReason"]), t["stoppedReason"]
    ends(ecs, cluster, net, command=["exit", "0"],
         logConfiguration=logs_to("/made", **{"awslogs-create-group": "true"}))
    streams = client("logs").describe_log_streams(logGroupName="/made")["logStreams"]
    assert re.fullmatch("p/app/" + HEX, streams[0]["logStreamName"])


def test_stop_timeout(ecs, cluster, net):
    define(ecs, command=["stubborn"], stopTimeout=1)
    arn = run(ecs, cluster, net)[0]["taskArn"]
    ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=[arn], WaiterConfig=SOON)
    ecs.stop_task(cluster=cluster, task=arn)
    t = stopped(ecs, cluster, arn)
    assert t["containers"][0]["exitCode"] == 137
    assert 0.9 < (t["stoppedAt"] - t["stoppingAt"]).total_seconds() < 3


def test_depends_on(ecs, cluster, net):
    """An init container, and one that waits for it; and one that fails."""
    side = {"name": "init", "image": "img", "essential": False, "command": ["exit", "0"]}
    define(ecs, more=[side], dependsOn=[{"containerName": "init", "condition": "SUCCESS"}])
    arn = run(ecs, cluster, net)[0]["taskArn"]
    ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=[arn], WaiterConfig=SOON)
    side["command"] = ["exit", "3"]
    define(ecs, more=[side], dependsOn=[{"containerName": "init", "condition": "SUCCESS"}])
    t = stopped(ecs, cluster, run(ecs, cluster, net)[0]["taskArn"])
    assert t["stopCode"] == "TaskFailedToStart"
    assert {c["name"]: c.get("exitCode") for c in t["containers"]} == {"app": None, "init": 3}


def test_dependency_times_out(ecs, cluster, net):
    side = {"name": "db", "image": "img", "startTimeout": 2, "healthCheck": {
        "command": ["CMD", "exit", "1"], "interval": 5, "timeout": 2, "retries": 3}}
    define(ecs, more=[side], dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    t = stopped(ecs, cluster, run(ecs, cluster, net)[0]["taskArn"])
    assert t["stopCode"] == "TaskFailedToStart" and "'app'" in t["stoppedReason"]
    assert 1.8 < (t["stoppingAt"] - t["createdAt"]).total_seconds() < 5
    assert "startedAt" not in t


def test_subnet_full(ecs, cluster, net, client):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/24")["Vpc"]["VpcId"]
    sub = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/28")["Subnet"]["SubnetId"]
    net = {"awsvpcConfiguration": {"subnets": [sub]}}
    define(ecs)
    arns = [t["taskArn"] for n in (10, 2) for t in run(ecs, cluster, net, count=n)]
    t = until(lambda: [t for t in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
                       if t["lastStatus"] == "STOPPED"])[0]
    assert t["stopCode"] == "TaskFailedToStart"
    assert "InsufficientFreeAddressesInSubnet" in t["stoppedReason"]


# Services


def test_service(ecs, cluster, net, daemon):
    define(ecs)
    s = create(ecs, cluster, net, count=2, tags=[{"key": "a", "value": "b"}],
               propagateTags="SERVICE", enableECSManagedTags=True)
    assert s["serviceArn"] == f"{ARN}service/{cluster}/web"
    assert s["status"] == "ACTIVE" and s["schedulingStrategy"] == "REPLICA"
    assert s["deploymentController"] == {"type": "ECS"}
    assert s["deploymentConfiguration"]["maximumPercent"] == 200
    assert s["deploymentConfiguration"]["minimumHealthyPercent"] == 100
    assert s["platformVersion"] == "LATEST" and s["launchType"] == "FARGATE"
    d = s["deployments"][0]
    assert re.fullmatch(r"ecs-svc/\d{19}", d["id"])
    assert d["status"] == "PRIMARY" and d["rolloutState"] == "IN_PROGRESS"
    assert d["rolloutStateReason"] == f"ECS deployment {d['id']} in progress."
    s = stable(ecs, cluster)
    d = s["deployments"][0]
    assert d["rolloutStateReason"] == f"ECS deployment {d['id']} completed."
    assert (d["runningCount"], d["desiredCount"], d["pendingCount"], d["failedTasks"]) == (
        2, 2, 0, 0)
    said(ecs, cluster, r"\(service web\) has reached a steady state\.")
    said(ecs, cluster, rf"\(service web\) \(deployment {d['id']}\) deployment completed\.")
    said(ecs, cluster, rf"\(service web\) has started 2 tasks: \(task {HEX}\) \(task {HEX}\)\.")
    arns = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"]
    t = task(ecs, cluster, arns[0], include=["TAGS"])
    assert t["startedBy"] == d["id"] and t["group"] == "service:web"
    assert {x["key"]: x["value"] for x in t["tags"]} == {
        "a": "b", "aws:ecs:serviceName": "web", "aws:ecs:clusterName": cluster}
    assert len({task(ecs, cluster, a)["attachments"][0]["details"][0]["value"]
                for a in arns}) == 2, "one in each subnet"
    out = json.loads(daemon.aws("ecs", "list-services", "--cluster", cluster))
    assert out["serviceArns"] == [s["serviceArn"]]
    ecs.stop_task(cluster=cluster, task=arns[0], reason="by hand")
    assert stopped(ecs, cluster, arns[0])["stopCode"] == "UserInitiated"
    s = stable(ecs, cluster)
    assert s["runningCount"] == 2 and s["deployments"][0]["failedTasks"] == 0
    arns = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"]
    refused(ecs.update_service, "InvalidParameterException", "healthCheckGracePeriodSeconds",
            cluster=cluster, service="web", healthCheckGracePeriodSeconds=-1)
    refused(ecs.delete_service, "InvalidParameterException",
            "The service cannot be stopped while it is scaled above 0.", cluster=cluster,
            service="web")
    ecs.update_service(cluster=cluster, service="web", desiredCount=1)
    s = stable(ecs, cluster)
    assert s["runningCount"] == 1
    said(ecs, cluster, rf"\(service web\) has stopped 1 running tasks: \(task {HEX}\)\.")
    gone = [t for t in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
            if t["desiredStatus"] == "STOPPED"]
    assert gone[0]["stoppedReason"] == f"Scaling activity initiated by (deployment {d['id']})"
    assert gone[0]["stopCode"] == "ServiceSchedulerInitiated"
    s = ecs.delete_service(cluster=cluster, service="web", force=True)["service"]
    assert s["status"] == "DRAINING" and s["desiredCount"] == 0
    ecs.get_waiter("services_inactive").wait(cluster=cluster, services=["web"], WaiterConfig=SOON)
    assert ecs.list_services(cluster=cluster)["serviceArns"] == []
    refused(ecs.update_service, "ServiceNotActiveException", "Service was not ACTIVE.",
            cluster=cluster, service="web", desiredCount=1)
    refused(ecs.delete_service, "ServiceNotFoundException", "", cluster=cluster, service="web")
    create(ecs, cluster, net)
    assert stable(ecs, cluster)["runningCount"] == 1


def test_create_service_twice(ecs, cluster, net):
    define(ecs)
    one = create(ecs, cluster, net, clientToken="t1")
    again = create(ecs, cluster, net, clientToken="t1")
    assert again["createdAt"] == one["createdAt"]
    assert len(again["deployments"]) == 1
    refused(lambda **kw: create(ecs, cluster, net, **kw), "InvalidParameterException",
            "Creation of service was not idempotent.", count=3, clientToken="t2")


def test_service_refused(ecs, cluster, net):
    define(ecs, portMappings=[{"containerPort": 80}])

    def no(code, text, **kw):
        refused(lambda **k: create(ecs, cluster, net, **k), code, text, **kw)
    no("ClientException", "TaskDefinition not found.", definition="nope")
    no("InvalidParameterException", "target group", loadBalancers=[{
        "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/"
        "0123456789abcdef", "containerName": "app", "containerPort": 80}])
    no("InvalidParameterException", "container nope does not exist", loadBalancers=[{
        "targetGroupArn": "x", "containerName": "nope", "containerPort": 80}])
    no("InvalidParameterException", "Health check grace period is only valid",
       healthCheckGracePeriodSeconds=5)
    no("InvalidParameterException", "Both maximumPercent and minimumHealthyPercent cannot be 100",
       deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 100})
    no("NotImplemented", "CODE_DEPLOY", deploymentController={"type": "CODE_DEPLOY"})
    no("NotImplemented", "serviceRegistries", serviceRegistries=[{"registryArn": "x"}])
    no("NotImplemented", "enableExecuteCommand", enableExecuteCommand=True)
    no("InvalidParameterException", "Invalid desiredCount", count=-1)
    no("InvalidParameterException", "Invalid healthCheckGracePeriodSeconds",
       healthCheckGracePeriodSeconds=-1)
    for name in ("", "a b", "a/b", "a.b", "é", "x" * 256):
        no("InvalidParameterException", "Service name contains invalid characters.", name=name)
    refused(ecs.update_service, "ServiceNotFoundException", "Service not found.",
            cluster=cluster, service="web", desiredCount=1)
    assert ecs.list_services(cluster=cluster)["serviceArns"] == []


def test_rolling_update(ecs, cluster, net, daemon):
    define(ecs)
    create(ecs, cluster, net, count=3)
    old = stable(ecs, cluster)["deployments"][0]
    define(ecs)
    s = ecs.update_service(cluster=cluster, service="web", taskDefinition="app")["service"]
    assert [d["status"] for d in s["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert s["taskDefinition"] == s["deployments"][0]["taskDefinition"] != old["taskDefinition"]
    s = stable(ecs, cluster)
    assert len(s["deployments"]) == 1 and s["runningCount"] == 3
    assert s["deployments"][0]["id"] != old["id"]
    arns = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"]
    assert {t["taskDefinitionArn"] for t in ecs.describe_tasks(cluster=cluster, tasks=arns)[
        "tasks"]} == {s["taskDefinition"]}
    listed = raw(daemon, "ListServiceDeployments", cluster=cluster, service="web")[1][
        "serviceDeployments"]
    assert [d["status"] for d in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    now = raw(daemon, "DescribeServices", cluster=cluster, services=["web"])[1]["services"][0]
    assert listed[0]["serviceDeploymentArn"] == now["currentServiceDeployment"]
    arns = [d["serviceDeploymentArn"] for d in listed]
    full = raw(daemon, "DescribeServiceDeployments", serviceDeploymentArns=arns)[1][
        "serviceDeployments"]
    assert full[0]["targetServiceRevision"]["runningTaskCount"] == 3
    assert full[0]["sourceServiceRevisions"][0]["arn"] == full[1]["targetServiceRevision"]["arn"]
    assert full[0]["deploymentCircuitBreaker"]["status"] == "DISABLED"
    rev = raw(daemon, "DescribeServiceRevisions", serviceRevisionArns=[
        full[0]["targetServiceRevision"]["arn"]])[1]["serviceRevisions"][0]
    assert rev["taskDefinition"] == s["taskDefinition"]
    assert rev["containerImages"][0]["containerName"] == "app"
    assert rev["containerImages"][0]["imageDigest"].startswith("sha256:")
    assert raw(daemon, "ListServiceDeployments", cluster=cluster, service="nope")[1][
        "__type"] == "ServiceNotFoundException"


def test_circuit_breaker(ecs, cluster, net, daemon):
    define(ecs)
    create(ecs, cluster, net, count=2, deploymentConfiguration={
        "deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    good = stable(ecs, cluster)["deployments"][0]
    define(ecs, image="missing")
    ecs.update_service(cluster=cluster, service="web", taskDefinition="app")
    said(ecs, cluster, rf"\(service web\) rolling back to \(deployment {good['id']}\)\.")
    s = stable(ecs, cluster)
    d = s["deployments"][0]
    assert d["id"] == good["id"] and s["runningCount"] == 2
    assert s["taskDefinition"] == good["taskDefinition"]
    said(ecs, cluster, r"\(service web\) \(deployment ecs-svc/\d+\) deployment failed: tasks "
         r"failed to start\.")
    said(ecs, cluster, r"\(service web\) was unable to place a task\. Reason: "
         r"CannotPullContainerError: .*\.")
    listed = raw(daemon, "ListServiceDeployments", cluster=cluster, service="web")[1][
        "serviceDeployments"]
    assert [x["status"] for x in listed] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    full = raw(daemon, "DescribeServiceDeployments", serviceDeploymentArns=[
        listed[0]["serviceDeploymentArn"]])[1]["serviceDeployments"][0]
    ecs.update_service(cluster=cluster, service="web", desiredCount=1, forceNewDeployment=True)
    assert stable(ecs, cluster)["taskDefinition"] == good["taskDefinition"]
    breaker = full["deploymentCircuitBreaker"]
    assert breaker.pop("failureCount") >= 3 and breaker == {
        "status": "TRIGGERED", "threshold": 3}
    assert full["rollback"]["serviceRevisionArn"] == listed[1]["targetServiceRevisionArn"]


def test_failing_service(ecs, cluster, net):
    """No circuit breaker: it tries on, ever more slowly."""
    define(ecs, image="missing")
    create(ecs, cluster, net)
    said(ecs, cluster, r"\(service web\) is unable to consistently start tasks successfully\. "
         r"For more information, see the Troubleshooting section.*")
    n = service(ecs, cluster)["deployments"][0]["failedTasks"]
    assert 3 <= n < 6
    define(ecs)
    ecs.update_service(cluster=cluster, service="web", taskDefinition="app")
    assert stable(ecs, cluster)["runningCount"] == 1


def test_health_gates(ecs, cluster, net):
    """A deployment waits for HEALTHY; UNHEALTHY tasks are replaced."""
    check = {"interval": 5, "timeout": 2, "retries": 1}
    define(ecs, healthCheck={"command": ["CMD", "exit", "0"], **check})
    create(ecs, cluster, net)
    until(lambda: service(ecs, cluster)["runningCount"] == 1)
    assert service(ecs, cluster)["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    stable(ecs, cluster)
    arn = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"][0]
    t = task(ecs, cluster, arn)
    assert t["healthStatus"] == "HEALTHY" and t["containers"][0]["healthStatus"] == "HEALTHY"
    define(ecs, healthCheck={"command": ["CMD", "exit", "1"], **check})
    ecs.update_service(cluster=cluster, service="web", taskDefinition="app")
    said(ecs, cluster, rf"\(service web\) \(task {HEX}\) failed container health checks\.")
    assert task(ecs, cluster, arn)["lastStatus"] == "RUNNING", "the old one serves on"
    bad = until(lambda: ecs.list_tasks(cluster=cluster, serviceName="web",
                                       desiredStatus="STOPPED")["taskArns"])
    t = stopped(ecs, cluster, bad[0])
    assert t["stoppedReason"] == "Task failed container health checks"
    assert t["stopCode"] == "ServiceSchedulerInitiated"


@pytest.fixture
def group(client, net):
    elb = client("elbv2")
    subnets = client("ec2").describe_subnets(
        SubnetIds=net["awsvpcConfiguration"]["subnets"])["Subnets"]
    lb = elb.create_load_balancer(Name="ecs", Subnets=[s["SubnetId"] for s in subnets])[
        "LoadBalancers"][0]["LoadBalancerArn"]
    tg = elb.create_target_group(Name="ecs", Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"],
                                 TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=tg, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "1"}])
    listener = elb.create_listener(LoadBalancerArn=lb, Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "forward", "TargetGroupArn": tg}])["Listeners"][0]["ListenerArn"]
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[lb], WaiterConfig=SOON)
    yield tg
    elb.delete_listener(ListenerArn=listener)
    elb.delete_load_balancer(LoadBalancerArn=lb)
    elb.delete_target_group(TargetGroupArn=tg)


def test_load_balanced(ecs, cluster, net, client, group):
    elb = client("elbv2")

    def targets():
        return {h["Target"]["Id"]: h["TargetHealth"]["State"] for h in
                elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]}
    define(ecs, portMappings=[{"containerPort": 80}])
    lbs = [{"targetGroupArn": group, "containerName": "app", "containerPort": 80}]
    s = create(ecs, cluster, net, count=2, loadBalancers=lbs, healthCheckGracePeriodSeconds=5)
    assert s["loadBalancers"] == lbs and s["healthCheckGracePeriodSeconds"] == 5
    stable(ecs, cluster)
    assert list(targets().values()) == ["healthy"] * 2
    tg = re.escape(group)
    said(ecs, cluster, rf"\(service web\) registered \d targets in \(target-group {tg}\)")
    first = set(targets())
    ecs.update_service(cluster=cluster, service="web", forceNewDeployment=True)
    stable(ecs, cluster)
    said(ecs, cluster, r"\(service web\) has begun draining connections on \d tasks\.")
    said(ecs, cluster, rf"\(service web\) deregistered \d targets in \(target-group {tg}\)")
    until(lambda: set(targets().values()) == {"healthy"} and len(targets()) == 2, targets)
    assert not first & set(targets())
    ip = next(iter(targets()))
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": ip, "Port": 80}])
    said(ecs, cluster, rf"\(service web\) \(task {HEX}\) \(port 80\) is unhealthy in "
         rf"\(target-group {tg}\) due to \(reason Target .*\)")
    stable(ecs, cluster)
    until(lambda: ip not in targets() and len(targets()) == 2, targets)
    ecs.delete_service(cluster=cluster, service="web", force=True)
    ecs.get_waiter("services_inactive").wait(cluster=cluster, services=["web"], WaiterConfig=SOON)
    assert targets() == {}


# Settings, tags, what is not there


def test_account_settings(ecs):
    got = {s["name"]: s["value"] for s in
           ecs.list_account_settings(effectiveSettings=True)["settings"]}
    assert got["serviceLongArnFormat"] == got["taskLongArnFormat"] == "enabled"
    assert got["containerInsights"] == "disabled"
    assert ecs.list_account_settings()["settings"] == []
    s = ecs.put_account_setting_default(name="containerInsights", value="enhanced")["setting"]
    assert {**s, "type": "user"} == {
        "name": "containerInsights", "value": "enhanced", "type": "user",
        "principalArn": "arn:aws:iam::123456789012:root"}
    made = ecs.create_cluster(clusterName="insights")["cluster"]
    assert made["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    ecs.delete_cluster(cluster="insights")
    user = "arn:aws:iam::123456789012:user/u"
    ecs.put_account_setting(name="containerInsights", value="enabled", principalArn=user)
    out = ecs.list_account_settings(name="containerInsights", principalArn=user)["settings"]
    assert [x["value"] for x in out] == ["enabled"]
    ecs.delete_account_setting(name="containerInsights", principalArn=user)
    out = ecs.list_account_settings(name="containerInsights", principalArn=user,
                                    effectiveSettings=True)["settings"]
    assert [x["value"] for x in out] == ["enhanced"]
    ecs.delete_account_setting(name="containerInsights")
    assert ecs.list_account_settings()["settings"] == []
    refused(ecs.put_account_setting, "InvalidParameterException", "maybe",
            name="containerInsights", value="maybe")
    refused(ecs.put_account_setting, "InvalidParameterException", "guardDutyActivate",
            name="guardDutyActivate", value="on")
    refused(ecs.put_account_setting, "NotImplemented", "fargateFIPSMode",
            name="fargateFIPSMode", value="enabled")


def test_tags(ecs, cluster, net):
    define(ecs)
    arn = create(ecs, cluster, net, count=0)["serviceArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": ""}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": ""}]
    got = ecs.describe_services(cluster=cluster, services=["web"], include=["TAGS"])["services"]
    assert got[0]["tags"] == [{"key": "b", "value": ""}]
    refused(ecs.tag_resource, "InvalidParameterException", "aws:", resourceArn=arn,
            tags=[{"key": "aws:x", "value": "y"}])
    refused(ecs.list_tags_for_resource, "InvalidParameterException", "",
            resourceArn=ARN + "service/x/y")


def test_container_instances(ecs, cluster):
    assert ecs.list_container_instances(cluster=cluster)["containerInstanceArns"] == []
    out = ecs.describe_container_instances(cluster=cluster, containerInstances=["x"])
    assert out["containerInstances"] == []
    assert out["failures"][0]["reason"] == "MISSING"
    assert ecs.list_attributes(cluster=cluster, targetType="container-instance")[
        "attributes"] == []


@pytest.mark.parametrize("op, args", [
    ("execute_command", {"cluster": "c", "task": "t", "command": "sh", "interactive": True}),
    ("create_task_set", {"service": "s", "cluster": "c", "taskDefinition": "t"}),
    ("create_capacity_provider", {"name": "x", "autoScalingGroupProvider": {
        "autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:x"}}),
])
def test_not_there(ecs, op, args):
    r = refused(getattr(ecs, op), "NotImplemented", "", **args)
    assert r["ResponseMetadata"]["HTTPStatusCode"] == 501
    name = "".join(w.capitalize() for w in op.split("_"))
    assert name in r["Error"]["Message"], r["Error"]
