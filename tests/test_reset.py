"""POST /_neargate/reset without a warden; with one see test_cli.py."""
import urllib.error
import urllib.request

from conftest import Daemon


def post(d, path):
    try:
        with urllib.request.urlopen(urllib.request.Request(
                d.endpoint + path, method="POST"), timeout=30) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code


def fill(d):
    ecs = d.client("ecs")
    subnet = d.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    d.client("ecr").create_repository(repositoryName="app")
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="t", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256",
        memory="512", containerDefinitions=[{"name": "a", "image": "busybox"}])
    ecs.create_service(
        cluster="c", serviceName="s", taskDefinition="t", desiredCount=3, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}})


def test_reset_empties_and_goes_on(daemon):
    first = daemon.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    for _ in range(3):
        fill(daemon)
        assert post(daemon, "/_neargate/reset") == 200
        ecs = daemon.client("ecs")
        assert ecs.list_clusters()["clusterArns"] == []
        assert ecs.list_task_definitions()["taskDefinitionArns"] == []
        assert daemon.client("ecr").describe_repositories()["repositories"] == []
        vpcs = daemon.client("ec2").describe_vpcs()["Vpcs"]
        assert [v["IsDefault"] for v in vpcs] == [True]
        assert vpcs[0]["VpcId"] != first


def test_only_where_it_was_asked_for():
    d = Daemon()
    try:
        d.client("ecs").create_cluster(clusterName="stays")
        assert post(d, "/_neargate/reset") == 404
        assert len(d.client("ecs").list_clusters()["clusterArns"]) == 1
    finally:
        d.stop()
