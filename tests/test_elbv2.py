"""Load balancers through boto3: what an SDK sends and reads."""
import re

import botocore.exceptions
import pytest

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"


@pytest.fixture
def elb(client):
    return client("elbv2")


@pytest.fixture
def net(client):
    """Two subnets of the default VPC in two zones."""
    ec2 = client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    zones = {s["AvailabilityZone"]: s for s in subnets}
    pair = [zones[z]["SubnetId"] for z in sorted(zones)[:2]]
    return {"vpc": subnets[0]["VpcId"], "subnets": pair}


def refused(fn, code, text="", **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        fn(**args)
    err = e.value.response["Error"]
    assert err["Code"] == code, err
    assert text in err["Message"], err
    return e.value.response


@pytest.fixture
def lb(elb, net):
    made = elb.create_load_balancer(
        Name="web", Subnets=net["subnets"], Tags=[{"Key": "a", "Value": "b"}])["LoadBalancers"][0]
    yield made
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


@pytest.fixture
def tg(elb, net):
    made = elb.create_target_group(Name="tg", Protocol="HTTP", Port=80, VpcId=net["vpc"],
                                   TargetType="ip")["TargetGroups"][0]
    yield made
    arn = made["TargetGroupArn"]
    try:
        elb.delete_target_group(TargetGroupArn=arn)
    except elb.exceptions.ResourceInUseException:
        for x in elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]:
            for b in x["LoadBalancerArns"]:
                elb.delete_load_balancer(LoadBalancerArn=b)
        elb.delete_target_group(TargetGroupArn=arn)


def test_load_balancer(elb, net, lb):
    assert re.fullmatch(ARN + "loadbalancer/app/web/[0-9a-f]{16}", lb["LoadBalancerArn"])
    assert re.fullmatch(r"web-\d+\.us-east-1\.elb\.neargate\.localhost", lb["DNSName"])
    assert lb["State"]["Code"] in ("provisioning", "active")
    assert lb["Type"] == "application" and lb["Scheme"] == "internet-facing"
    assert lb["VpcId"] == net["vpc"] and lb["IpAddressType"] == "ipv4"
    assert sorted(z["SubnetId"] for z in lb["AvailabilityZones"]) == sorted(net["subnets"])
    assert len(lb["SecurityGroups"]) == 1
    assert lb["CreatedTime"].year >= 2024
    again = elb.create_load_balancer(Name="web", Subnets=net["subnets"][::-1])
    assert again["LoadBalancers"][0]["LoadBalancerArn"] == lb["LoadBalancerArn"]
    tags = elb.describe_tags(ResourceArns=[lb["LoadBalancerArn"]])["TagDescriptions"]
    assert tags[0]["Tags"] == [{"Key": "a", "Value": "b"}]
    refused(elb.create_load_balancer, "DuplicateLoadBalancerName", "different settings",
            Name="web", Subnets=net["subnets"], Scheme="internal")


def test_refusals(elb, net):
    refused(elb.create_load_balancer, "ValidationError", "At least two subnets",
            Name="x", Subnets=net["subnets"][:1])
    refused(elb.create_load_balancer, "SubnetNotFound", Name="x",
            Subnets=["subnet-00000000000000000", net["subnets"][0]])
    r = refused(elb.create_load_balancer, "NotImplemented", "network", Name="x",
                Type="network", Subnets=net["subnets"])
    assert r["ResponseMetadata"]["HTTPStatusCode"] == 501
    refused(elb.describe_load_balancers, "LoadBalancerNotFound",
            "Load balancers '[nope]' not found", Names=["nope"])
    refused(elb.describe_target_groups, "TargetGroupNotFound",
            "One or more target groups not found", Names=["nope"])
    refused(elb.describe_listeners, "ListenerNotFound", "One or more listeners not found",
            ListenerArns=[ARN + "listener/app/x/0/0"])
    refused(elb.add_listener_certificates, "ListenerNotFound", "One or more listeners not found",
            ListenerArn=ARN + "listener/app/x/0/0", Certificates=[{"CertificateArn": "x"}])


def test_listener_rules_targets(elb, lb, tg):
    lb_arn, tg_arn = lb["LoadBalancerArn"], tg["TargetGroupArn"]
    assert re.fullmatch(ARN + "targetgroup/tg/[0-9a-f]{16}", tg_arn)
    assert (tg["HealthCheckIntervalSeconds"], tg["HealthCheckTimeoutSeconds"],
            tg["HealthyThresholdCount"], tg["UnhealthyThresholdCount"]) == (30, 5, 5, 2)
    forward = [{"Type": "forward", "TargetGroupArn": tg_arn}]
    listener = elb.create_listener(LoadBalancerArn=lb_arn, Port=80, Protocol="HTTP",
                                   DefaultActions=forward)["Listeners"][0]
    l_arn = listener["ListenerArn"]
    assert re.fullmatch(ARN + "listener/app/web/[0-9a-f]{16}/[0-9a-f]{16}", l_arn)
    again = elb.create_listener(LoadBalancerArn=lb_arn, Port=80, Protocol="HTTP",
                                DefaultActions=forward)["Listeners"][0]
    assert again["ListenerArn"] == l_arn
    refused(elb.create_listener, "DuplicateListener", LoadBalancerArn=lb_arn, Port=80,
            Protocol="HTTP", DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {
                "StatusCode": "204"}}])
    rule = elb.create_rule(
        ListenerArn=l_arn, Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]},
                    {"Field": "query-string", "QueryStringConfig": {
                        "Values": [{"Key": "v", "Value": "1"}]}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {
            "StatusCode": "204"}}])["Rules"][0]
    assert rule["Priority"] == "7" and rule["IsDefault"] is False
    assert rule["Conditions"][0]["PathPatternConfig"] == {"Values": ["/api/*"]}
    rules = elb.describe_rules(ListenerArn=l_arn)["Rules"]
    assert [r["Priority"] for r in rules] == ["7", "default"]
    refused(elb.create_rule, "PriorityInUse", "Priority '7' is currently in use",
            ListenerArn=l_arn, Priority=7, Actions=forward,
            Conditions=[{"Field": "path-pattern", "Values": ["/x"]}])
    refused(elb.delete_target_group, "ResourceInUse", "currently in use", TargetGroupArn=tg_arn)
    elb.register_targets(TargetGroupArn=tg_arn, Targets=[{"Id": "172.31.0.9", "Port": 8080}])
    health = elb.describe_target_health(TargetGroupArn=tg_arn)["TargetHealthDescriptions"]
    assert health[0]["Target"] == {"Id": "172.31.0.9", "Port": 8080}
    assert health[0]["HealthCheckPort"] == "8080"
    assert health[0]["TargetHealth"]["State"] in ("initial", "healthy")
    got = elb.describe_target_groups(LoadBalancerArn=lb_arn)["TargetGroups"]
    assert [g["LoadBalancerArns"] for g in got] == [[lb_arn]]
    elb.delete_listener(ListenerArn=l_arn)
    health = elb.describe_target_health(TargetGroupArn=tg_arn)["TargetHealthDescriptions"]
    assert health[0]["TargetHealth"] == {
        "State": "unused", "Reason": "Target.NotInUse", "Description": "Target group is not "
        "configured to receive traffic from the load balancer"}


def test_attributes_and_facts(elb, lb, tg):
    arn = lb["LoadBalancerArn"]
    got = elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[
        {"Key": "idle_timeout.timeout_seconds", "Value": "90"}])["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "90"} in got
    assert {"Key": "routing.http2.enabled", "Value": "true"} in got
    refused(elb.modify_load_balancer_attributes, "NotImplemented", "access_logs.s3.enabled",
            LoadBalancerArn=arn, Attributes=[{"Key": "access_logs.s3.enabled", "Value": "true"}])
    got = elb.describe_target_group_attributes(TargetGroupArn=tg["TargetGroupArn"])["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "300"} in got
    limits = {x["Name"]: x["Max"] for x in elb.describe_account_limits()["Limits"]}
    assert limits["rules-per-application-load-balancer"] == "100"
    assert elb.describe_ssl_policies(Names=["ELBSecurityPolicy-2016-08"])["SslPolicies"]


def test_delete_is_idempotent_and_frees_the_name(elb, net):
    one = elb.create_load_balancer(Name="gone", Subnets=net["subnets"])["LoadBalancers"][0]
    for _ in range(2):
        elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])
    refused(elb.describe_load_balancers, "LoadBalancerNotFound",
            LoadBalancerArns=[one["LoadBalancerArn"]])
    two = elb.create_load_balancer(Name="gone", Subnets=net["subnets"])["LoadBalancers"][0]
    assert two["LoadBalancerArn"] != one["LoadBalancerArn"]
    elb.delete_load_balancer(LoadBalancerArn=two["LoadBalancerArn"])
