"""Application Auto Scaling through boto3, on fake drivers: a container whose
command is "burn N" uses N percent of a processor, so 0.25 vCPU is full at 25."""
import datetime
import json
import re
import time

import pytest

import test_ecs
from conftest import Daemon
from test_cloudformation import delete, events, text, wait
from test_ecs import define, refused, until

CPU = "ECSServiceAverageCPUUtilization"
UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def daemon():
    d = Daemon("--ephemeral", "--metric-period", "1")
    yield d
    d.stop()


def raw(daemon, op, **body):
    return test_ecs.raw(daemon, op, "application-autoscaling", "AnyScaleFrontendService", **body)


class Service:
    """A service with a scalable target's key."""

    def __init__(self, daemon, name, count=1, burn=0):
        self.daemon, self.name = daemon, name
        self.ecs = daemon.client("ecs")
        self.aas = daemon.client("application-autoscaling")
        subnets = daemon.client("ec2").describe_subnets()["Subnets"]
        self.ecs.create_cluster(clusterName=name)
        define(self.ecs, family=name, command=["burn", str(burn)])
        self.ecs.create_service(
            cluster=name, serviceName="s", taskDefinition=name, desiredCount=count,
            launchType="FARGATE", networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnets[0]["SubnetId"]]}})
        self.id = f"service/{name}/s"
        self.key = {"ServiceNamespace": "ecs", "ResourceId": self.id,
                    "ScalableDimension": "ecs:service:DesiredCount"}

    def describe(self):
        return self.ecs.describe_services(cluster=self.name, services=["s"])["services"][0]

    def counts(self):
        s = self.describe()
        return s["desiredCount"], s["runningCount"]

    def wait(self, n, seconds=20):
        until(lambda: self.counts() == (n, n), lambda: f"{self.counts()}, not {n}: "
              f"{self.activities()}", seconds)

    def register(self, low, high, **kw):
        return self.aas.register_scalable_target(**self.key, MinCapacity=low, MaxCapacity=high,
                                                 **kw)

    def track(self, target, name="cpu", metric=CPU, **kw):
        return self.aas.put_scaling_policy(
            **self.key, PolicyName=name, PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric}, **kw})

    def schedule(self, when, low=None, high=None, name="a", **kw):
        action = {k: v for k, v in (("MinCapacity", low), ("MaxCapacity", high)) if v is not None}
        return self.aas.put_scheduled_action(**self.key, ScheduledActionName=name, Schedule=when,
                                             ScalableTargetAction=action, **kw)

    def activities(self, **kw):
        status, out = raw(self.daemon, "DescribeScalingActivities", ServiceNamespace="ecs",
                          ResourceId=self.id, **kw)
        assert status == 200
        return out["ScalingActivities"]

    def target(self):
        t = self.aas.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[self.id])
        return t["ScalableTargets"][0]


@pytest.fixture
def service(daemon, request):
    made = []

    def make(**kw):
        made.append(Service(daemon, re.sub(r"\W", "-", request.node.name), **kw))
        return made[-1]

    yield make
    for s in made:
        if s.describe()["status"] == "ACTIVE":
            s.ecs.delete_service(cluster=s.name, service="s", force=True)


def soon(seconds=1):
    at = datetime.datetime.now(UTC) + datetime.timedelta(seconds=seconds)
    return f"at({at:%Y-%m-%dT%H:%M:%S})"


def test_targets(service, daemon):
    s = service()
    status, out = raw(daemon, "RegisterScalableTarget", **s.key, MinCapacity=1, MaxCapacity=4,
                      Tags={"team": "a"}, RoleARN="arn:aws:iam::123456789012:role/mine")
    arn = out["ScalableTargetARN"]
    assert status == 200
    assert re.fullmatch(r"arn:aws:application-autoscaling:us-east-1:123456789012:"
                        r"scalable-target/[0-9a-z]{36}", arn)
    t = s.target()
    assert {k: t[k] for k in s.key} == s.key
    assert (t["MinCapacity"], t["MaxCapacity"]) == (1, 4)
    assert t["RoleARN"] == (
        "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling."
        "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService")
    role = daemon.client("iam").get_role(RoleName=t["RoleARN"].split("/")[-1])["Role"]
    assert role["Arn"] == t["RoleARN"]
    assert t["SuspendedState"] == {"DynamicScalingInSuspended": False,
                                   "DynamicScalingOutSuspended": False,
                                   "ScheduledScalingSuspended": False}
    assert abs(t["CreationTime"].timestamp() - time.time()) < 60
    s.aas.register_scalable_target(**s.key, MaxCapacity=9,
                                   SuspendedState={"ScheduledScalingSuspended": True})
    after = s.target()
    assert (after["MinCapacity"], after["MaxCapacity"]) == (1, 9)
    assert after["CreationTime"] == t["CreationTime"]
    assert after["SuspendedState"]["ScheduledScalingSuspended"]
    assert not after["SuspendedState"]["DynamicScalingInSuspended"]
    assert raw(daemon, "ListTagsForResource", ResourceARN=arn) == (200, {"Tags": {"team": "a"}})
    assert raw(daemon, "TagResource", ResourceARN=arn, Tags={"b": "c"})[0] == 200
    assert raw(daemon, "UntagResource", ResourceARN=arn, TagKeys=["team"])[0] == 200
    assert raw(daemon, "ListTagsForResource", ResourceARN=arn)[1] == {"Tags": {"b": "c"}}
    found = daemon.client("resourcegroupstaggingapi").get_resources(
        ResourceTypeFilters=["application-autoscaling"])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "b", "Value": "c"}]}]
    s.track(50)
    s.schedule("rate(1 hour)", 1)
    s.aas.deregister_scalable_target(**s.key)
    for list_, member in ((s.aas.describe_scalable_targets, "ScalableTargets"),
                          (s.aas.describe_scaling_policies, "ScalingPolicies"),
                          (s.aas.describe_scheduled_actions, "ScheduledActions")):
        assert list_(ServiceNamespace="ecs")[member] == []
    refused(s.aas.deregister_scalable_target, "ObjectNotFoundException",
            "No scalable target found for service namespace: ecs, resource ID: " + s.id +
            ", scalable dimension: ecs:service:DesiredCount", **s.key)
    status, out = raw(daemon, "ListTagsForResource", ResourceARN=arn)
    assert (status, out["__type"], out["ResourceName"]) == (400, "ResourceNotFoundException", arn)


def test_bad_targets(service, daemon):
    s = service()
    for kw, code, text in (
            ({"MinCapacity": 1}, "ValidationException", "Both minimum and maximum"),
            ({"MinCapacity": 3, "MaxCapacity": 2}, "ValidationException",
             "Maximum capacity cannot be less than minimum capacity"),
            ({"MinCapacity": -1, "MaxCapacity": 2}, "ValidationException", "negative"),
            ({"ResourceId": "service/nope/s"}, "ValidationException",
             "ECS service doesn't exist: service/nope/s"),
            ({"ResourceId": "service/s"}, "ValidationException",
             "Unsupported service namespace, resource type or scalable dimension"),
            ({"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "ValidationException",
             "Unsupported service namespace, resource type or scalable dimension"),
            ({"ServiceNamespace": "dynamodb", "ResourceId": "table/t",
              "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "NotImplemented",
             "ServiceNamespace dynamodb"),
            ({"ServiceNamespace": "s3"}, "ValidationException", "serviceNamespace")):
        args = {**s.key, "MinCapacity": 1, "MaxCapacity": 2, **kw}
        if kw == {"MinCapacity": 1}:
            del args["MaxCapacity"]
        refused(s.aas.register_scalable_target, code, text, **args)
    status, out = raw(daemon, "RegisterScalableTarget", **s.key, MinCapacity=1, MaxCapacity=2,
                      Tags={"aws:x": "y"})
    assert (status, out["__type"]) == (400, "ValidationException")
    assert s.aas.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert s.aas.describe_scalable_targets(ServiceNamespace="rds")["ScalableTargets"] == []
    refused(s.aas.describe_scalable_targets, "ValidationException", "resource ID",
            ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount")
    s.register(1, 3)
    refused(s.aas.register_scalable_target, "ValidationException", "Maximum capacity",
            **s.key, MinCapacity=4)
    assert s.target()["MinCapacity"] == 1


def test_pages(service):
    s = service()
    s.register(1, 2)
    for i in range(5):
        s.schedule("rate(1 hour)", 1, name=f"a{i}")
    first = s.aas.describe_scheduled_actions(ServiceNamespace="ecs", MaxResults=2)
    assert [a["ScheduledActionName"] for a in first["ScheduledActions"]] == ["a0", "a1"]
    pages = s.aas.get_paginator("describe_scheduled_actions").paginate(
        ServiceNamespace="ecs", ResourceId=s.id, PaginationConfig={"PageSize": 2})
    assert [a["ScheduledActionName"] for p in pages for a in p["ScheduledActions"]] == [
        f"a{i}" for i in range(5)]
    for i in range(5, 200):
        s.schedule("rate(1 hour)", 1, name=f"a{i}")
    refused(s.schedule, "LimitExceededException", "200", when="rate(1 hour)", low=1, name="b")
    s.schedule("rate(2 hours)", name="a7", low=1)
    refused(s.aas.describe_scheduled_actions, "InvalidNextTokenException", ServiceNamespace="ecs",
            NextToken="x")
    refused(s.aas.describe_scheduled_actions, "ValidationException", "MaxResults",
            ServiceNamespace="ecs", MaxResults=51)


def test_policies(service):
    s = service()
    config = {"TargetValue": 50.0,
              "PredefinedMetricSpecification": {"PredefinedMetricType": CPU}}
    put = dict(s.key, PolicyName="p", PolicyType="TargetTrackingScaling",
               TargetTrackingScalingPolicyConfiguration=config)
    refused(s.aas.put_scaling_policy, "ObjectNotFoundException",
            "No scalable target registered for service namespace: ecs, resource ID: " + s.id, **put)
    s.register(1, 4)
    r = s.aas.put_scaling_policy(**put)
    assert r["Alarms"] == []
    assert re.fullmatch(r"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:[0-9a-f-]{36}:"
                        rf"resource/ecs/{s.id}:policyName/p", r["PolicyARN"])
    again = s.track(60, name="p", ScaleInCooldown=0, DisableScaleIn=True)
    assert again["PolicyARN"] == r["PolicyARN"]
    [p] = s.aas.describe_scaling_policies(ServiceNamespace="ecs",
                                          PolicyNames=["p"])["ScalingPolicies"]
    assert {k: p[k] for k in s.key} == s.key
    assert p["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 60.0, "ScaleInCooldown": 0, "DisableScaleIn": True,
        "PredefinedMetricSpecification": {"PredefinedMetricType": CPU}}
    # What is not said of one that is there stays.
    kept = s.aas.put_scaling_policy(**s.key, PolicyName="p")
    assert kept["PolicyARN"] == r["PolicyARN"]
    assert s.aas.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == [p]
    refused(s.track, "ValidationException", "Only one TargetTrackingScaling policy for a given "
            "metric specification is allowed.", target=10, name="q")
    s.track(10, "m", "ECSServiceAverageMemoryUtilization")
    refused(s.aas.put_scaling_policy, "NotImplemented", "StepScaling", **s.key, PolicyName="bad")
    for kw, code, text in (
            ({"PolicyType": "StepScaling"}, "NotImplemented", "StepScaling"),
            ({"TargetTrackingScalingPolicyConfiguration": {**config, "TargetValue": 0}},
             "ValidationException", "TargetValue"),
            ({"TargetTrackingScalingPolicyConfiguration": {**config, "ScaleInCooldown": -1}},
             "ValidationException", "ScaleInCooldown"),
            ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1}},
             "ValidationException", "metric specification"),
            ({"TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 1, "CustomizedMetricSpecification": {
                    "MetricName": "m", "Namespace": "n", "Statistic": "Average"}}},
             "NotImplemented", "CustomizedMetricSpecification"),
            ({"TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 1, "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "RDSReaderAverageCPUUtilization"}}},
             "ValidationException", "RDSReaderAverageCPUUtilization"),
            ({"TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 1, "PredefinedMetricSpecification": {
                    "PredefinedMetricType": CPU, "ResourceLabel": "app/a/b"}}},
             "ValidationException", "resource label"),
            ({"TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 1, "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ALBRequestCountPerTarget",
                    "ResourceLabel": "app/a/b/targetgroup/c/d"}}},
             "ValidationException", "not attached")):
        refused(s.aas.put_scaling_policy, code, text, **{**put, "PolicyName": "bad", **kw})
    assert len(s.aas.describe_scaling_policies(
        ServiceNamespace="ecs", ResourceId=s.id)["ScalingPolicies"]) == 2
    s.aas.delete_scaling_policy(**s.key, PolicyName="p")
    refused(s.aas.delete_scaling_policy, "ObjectNotFoundException", "No scaling policy found",
            **s.key, PolicyName="p")


def test_scheduled_actions(service):
    s = service()
    refused(s.schedule, "ObjectNotFoundException", "No scalable target registered",
            when="rate(1 hour)", low=1)
    s.register(1, 4)
    begin = datetime.datetime(2030, 1, 1, tzinfo=UTC)
    s.schedule("cron(0 22 ? * * *)", 0, 0, Timezone="Europe/London", StartTime=begin,
               EndTime=begin.replace(year=2031))
    [a] = s.aas.describe_scheduled_actions(ServiceNamespace="ecs",
                                           ScheduledActionNames=["a"])["ScheduledActions"]
    assert {k: a[k] for k in s.key} == s.key
    assert (a["Schedule"], a["Timezone"]) == ("cron(0 22 ? * * *)", "Europe/London")
    assert (a["StartTime"], a["EndTime"]) == (begin, begin.replace(year=2031))
    assert a["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
    assert re.fullmatch(r"arn:aws:autoscaling:us-east-1:123456789012:scheduledAction:"
                        rf"[0-9a-f-]{{36}}:resource/ecs/{s.id}:scheduledActionName/a",
                        a["ScheduledActionARN"])
    # What is not said stays, but for the times.
    s.aas.put_scheduled_action(**s.key, ScheduledActionName="a", Schedule="rate(2 hours)")
    [b] = s.aas.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    assert b == {k: v for k, v in {**a, "Schedule": "rate(2 hours)"}.items()
                 if k not in ("StartTime", "EndTime")}
    for kw, text in (
            ({"when": "cron(0 22 * * * *)"}, "Invalid schedule expression"),
            ({"when": "every day"}, "Invalid schedule expression"),
            ({"Timezone": "Europe/Atlantis"}, "Invalid timezone"),
            ({"StartTime": begin.replace(year=2031), "EndTime": begin}, "before"),
            ({"low": None}, "At least one of minimum capacity and maximum capacity"),
            ({"low": 3, "high": 2}, "Maximum capacity cannot be less"),
            ({"name": "a:b"}, "scheduledActionName")):
        args = {"when": "rate(1 hour)", "low": 1, "name": "bad", **kw}
        refused(s.schedule, "ValidationException", text, **args)
    s.aas.delete_scheduled_action(**s.key, ScheduledActionName="a")
    refused(s.aas.delete_scheduled_action, "ObjectNotFoundException",
            "No scheduled action found", **s.key, ScheduledActionName="a")


def test_a_registration_brings_the_count_within_bounds(service):
    s = service(count=1)
    s.wait(1)
    s.register(2, 4)
    s.wait(2)
    until(lambda: s.activities()[0]["StatusCode"] == "Successful")
    [a] = s.activities()
    assert a["Cause"] == "minimum capacity was set to 2"
    assert a["Description"] == "Setting desired count to 2."
    assert a["StatusMessage"] == ("Successfully set desired count to 2. Change successfully "
                                  "fulfilled by ecs.")
    assert a["EndTime"] >= a["StartTime"]
    # By hand anything goes, until the next registration.
    s.ecs.update_service(cluster=s.name, service="s", desiredCount=6)
    s.wait(6)
    s.register(2, 4)
    s.wait(4)
    assert s.activities()[0]["Cause"] == "maximum capacity was set to 4"
    s.register(1, 5)
    s.wait(4)
    pages = s.aas.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="ecs", ResourceId=s.id, PaginationConfig={"PageSize": 1})
    assert [[a["Cause"] for a in p["ScalingActivities"]] for p in pages] == [
        ["maximum capacity was set to 4"], ["minimum capacity was set to 2"]]
    # Deletion of the service takes the target with it; activities stay.
    s.ecs.delete_service(cluster=s.name, service="s", force=True)
    until(lambda: not s.aas.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[s.id])["ScalableTargets"])
    assert len(s.activities()) == 2


def test_schedule_puts_a_preview_to_sleep_and_a_hand_wakes_it(service):
    s = service(count=2)
    s.register(1, 2)
    s.track(50, ScaleInCooldown=0, ScaleOutCooldown=0)
    s.wait(2)
    s.schedule(soon(), 0, 0, name="night")
    s.wait(0)
    t = s.target()
    assert (t["MinCapacity"], t["MaxCapacity"]) == (0, 0)
    until(lambda: s.activities()[0]["StatusCode"] == "Successful")
    down, night = s.activities()
    assert down["Cause"] == "maximum capacity was set to 0"
    assert night["Cause"] == "scheduled action name night was triggered"
    assert night["Description"] == "Setting min capacity to 0 and max capacity to 0"
    assert night["StatusMessage"] == "Successfully set min capacity to 0 and max capacity to 0"
    s.ecs.update_service(cluster=s.name, service="s", desiredCount=1)
    s.wait(1)
    assert len(s.activities()) == 2
    s.schedule(soon(), 1, 3, name="morning")
    until(lambda: s.target()["MaxCapacity"] == 3)
    s.wait(1)


def test_suspended_schedule_is_passed_over(service):
    s = service()
    s.register(1, 2, SuspendedState={"ScheduledScalingSuspended": True})
    s.wait(1)
    s.schedule(soon(), 2, 2)
    s.schedule("rate(1 minute)", 2, 2, name="later")
    time.sleep(2.2)  # nothing happens: there is no event to wait for
    s.register(1, 2, SuspendedState={"ScheduledScalingSuspended": False})
    s.schedule(soon(), None, 5, name="b")
    until(lambda: s.target()["MaxCapacity"] == 5)
    assert s.counts() == (1, 1)


def test_missed_actions_happen_after_a_restart():
    d = Daemon("--metric-period", "1")
    try:
        s = Service(d, "missed", count=1)
        s.register(1, 2)
        s.wait(1)
        s.schedule(soon(2), 0, 0, name="first")
        s.schedule(soon(3), 3, 4, name="second")
        d.kill()
        time.sleep(3.5)  # both come due while nobody is there
        d.start()
        s = Service.__new__(Service)
        s.daemon, s.name, s.id = d, "missed", "service/missed/s"
        s.ecs, s.aas = d.client("ecs"), d.client("application-autoscaling")
        until(lambda: s.describe()["desiredCount"] == 3)
        assert [a["Cause"] for a in s.activities()] == [
            "minimum capacity was set to 3",
            "scheduled action name second was triggered",
            "scheduled action name first was triggered"]
        assert (s.target()["MinCapacity"], s.target()["MaxCapacity"]) == (3, 4)
    finally:
        d.stop()


def test_target_tracking(service):
    """Out in proportion after three periods, once in a cool-down; at the
    maximum it says so; in after fifteen."""
    s = service(count=1, burn=20)
    s.register(1, 3)
    s.track(50, ScaleInCooldown=0)
    s.wait(2)
    [a] = s.activities()
    alarm = rf"TargetTracking-{s.id}-AlarmHigh-[0-9a-f-]{{36}}"
    assert re.fullmatch(f"monitor alarm {alarm} in state ALARM triggered policy cpu", a["Cause"])
    assert a["Description"] == "Setting desired count to 2."
    s.track(50, ScaleInCooldown=0, ScaleOutCooldown=0)
    s.wait(3)
    stuck = until(lambda: [a for a in s.activities(IncludeNotScaledActivities=True)
                           if "NotScaledReasons" in a])
    assert stuck[0]["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]
    assert stuck[0]["StatusCode"] == "Failed"
    assert stuck[0]["Description"] == "Attempting to scale due to alarm triggered"
    assert not any("NotScaledReasons" in a for a in s.activities())
    # 20 % of 0.25 vCPU each, at a target of 100 %: 3 * 0.8 is 2.4, so stays.
    s.track(400, ScaleInCooldown=0)
    s.wait(1, seconds=40)
    assert "AlarmLow" in s.activities()[0]["Cause"]
    assert len([a for a in s.activities(IncludeNotScaledActivities=True)
                if "NotScaledReasons" in a]) == 1


CFN = "AWS::ApplicationAutoScaling::"


def stack(s, **changes):
    action = {"ScheduledActionName": "night", "Schedule": "cron(0 22 ? * * *)",
              "Timezone": "Europe/London", "StartTime": "2030-01-01T00:00:00Z",
              "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": "0"}}
    target = {"MinCapacity": 1, "MaxCapacity": "3", "ResourceId": s.id,
              "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
              "RoleARN": "arn:aws:iam::123456789012:role/any",
              "SuspendedState": {"DynamicScalingInSuspended": True},
              "ScheduledActions": [action, {
                  "ScheduledActionName": "morning", "Schedule": "rate(1 day)",
                  "ScalableTargetAction": {"MinCapacity": 1}}]}
    policy = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
              "ScalingTargetId": {"Ref": "Target"},
              "TargetTrackingScalingPolicyConfiguration": {
                  "TargetValue": "60", "ScaleInCooldown": 10,
                  "PredefinedMetricSpecification": {"PredefinedMetricType": CPU}}}
    changes = json.loads(json.dumps(changes))
    target.update(changes.pop("target", {}))
    policy.update(changes.pop("policy", {}))
    for props in (target, policy):
        for k in [k for k, v in props.items() if v is None]:
            del props[k]
    return text({"Resources": {"Target": {"Type": CFN + "ScalableTarget", "Properties": target},
                               "Policy": {"Type": CFN + "ScalingPolicy", "Properties": policy}},
                 "Outputs": {"Target": {"Value": {"Ref": "Target"}},
                             "Id": {"Value": {"Fn::GetAtt": ["Target", "Id"]}},
                             "Policy": {"Value": {"Ref": "Policy"}},
                             "Arn": {"Value": {"Fn::GetAtt": ["Policy", "Arn"]}}}})


def test_cloudformation(service, daemon):
    s, cfn = service(), daemon.client("cloudformation")

    def state():
        actions = s.aas.describe_scheduled_actions(ServiceNamespace="ecs",
                                                   ResourceId=s.id)["ScheduledActions"]
        policies = s.aas.describe_scaling_policies(ServiceNamespace="ecs",
                                                   ResourceId=s.id)["ScalingPolicies"]
        return {a["ScheduledActionName"]: a for a in actions}, policies

    cfn.create_stack(StackName="scale", TemplateBody=stack(s))
    made = wait(cfn, "scale")
    assert made["StackStatus"] == "CREATE_COMPLETE", events(cfn, "scale")
    out = {o["OutputKey"]: o["OutputValue"] for o in made["Outputs"]}
    actions, [policy] = state()
    assert out["Target"] == out["Id"] == s.id + "|ecs:service:DesiredCount|ecs"
    assert out["Policy"] == out["Arn"] == policy["PolicyARN"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 60.0, "ScaleInCooldown": 10,
        "PredefinedMetricSpecification": {"PredefinedMetricType": CPU}}
    assert (s.target()["MinCapacity"], s.target()["MaxCapacity"]) == (1, 3)
    assert s.target()["SuspendedState"]["DynamicScalingInSuspended"]
    assert set(actions) == {"night", "morning"}
    assert actions["night"]["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
    assert actions["night"]["StartTime"] == datetime.datetime(2030, 1, 1, tzinfo=UTC)
    arn = s.target().get("ScalableTargetARN")

    cfn.update_stack(StackName="scale", TemplateBody=stack(
        s, target={"MaxCapacity": 5, "SuspendedState": None, "ScheduledActions": [
            {"ScheduledActionName": "night", "Schedule": "cron(0 23 ? * * *)",
             "ScalableTargetAction": {"MaxCapacity": 0}}]},
        policy={"ScalingTargetId": None, "ResourceId": s.id, "ServiceNamespace": "ecs",
                "ScalableDimension": "ecs:service:DesiredCount", "PolicyName": "other",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 10, "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}}}))
    assert wait(cfn, "scale")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "scale")
    actions, [policy] = state()
    assert s.target()["MaxCapacity"] == 5 and s.target().get("ScalableTargetARN") == arn
    assert not s.target()["SuspendedState"]["DynamicScalingInSuspended"]
    assert list(actions) == ["night"]
    assert actions["night"]["Schedule"] == "cron(0 23 ? * * *)"
    assert not {"Timezone", "StartTime"} & set(actions["night"])
    assert actions["night"]["ScalableTargetAction"] == {"MaxCapacity": 0}
    assert policy["PolicyName"] == "other"

    cfn.update_stack(StackName="scale", TemplateBody=stack(s, target={"ScheduledActions": [
        {"ScheduledActionName": "bad", "Schedule": "never"}]}, policy={"PolicyName": "other"}))
    assert wait(cfn, "scale")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Invalid schedule expression: never" in r for _, _, r in events(cfn, "scale"))
    assert list(state()[0]) == ["night"] and s.target()["MaxCapacity"] == 5
    delete(cfn, made)
    assert state() == ({}, [])

    cfn.create_stack(StackName="bad", TemplateBody=stack(s, policy={"ScalingTargetId": None}))
    assert wait(cfn, "bad")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("Either ScalingTargetId or all three of [ResourceId, ScalableDimension, "
               "ServiceNamespace] must be specified" in r for _, _, r in events(cfn, "bad"))
