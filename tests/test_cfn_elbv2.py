"""CloudFormation and load balancers: HTTPS listeners, their certificates, rules."""
import json

import pytest

from cfn import delete, events, physical, reason
from test_cfn_names import change, complete, make, name, outputs  # noqa: F401
from test_tls import FIXED, imported

TYPE = "AWS::ElasticLoadBalancingV2::"
POLICY = "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"


@pytest.fixture(scope="module")
def cfn(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def elb(daemon):
    return daemon.client("elbv2")


@pytest.fixture(scope="module")
def subnets(daemon):
    return [s["SubnetId"] for s in daemon.client("ec2").describe_subnets()["Subnets"]][:2]


@pytest.fixture(scope="module")
def arns(daemon, tmp_path_factory):
    acm, path = daemon.client("acm"), tmp_path_factory.mktemp("certs")
    return [imported(acm, path, f"{i}.test") for i in range(4)]


def certificates(*arns):
    return [{"CertificateArn": a} for a in arns]


def balancer(subnets, **more):
    return {"Type": TYPE + "LoadBalancer", "Properties": {
        "Type": "application", "Scheme": "internet-facing", "IpAddressType": "ipv4",
        "SubnetMappings": [{"SubnetId": s} for s in subnets], **more}}


def listener(**more):
    return {"Type": TYPE + "Listener", "Properties": {
        "LoadBalancerArn": {"Ref": "Lb"}, "DefaultActions": FIXED, **more}}


def secure(subnets, arns, extra=(), **more):
    resources = {"Lb": balancer(subnets), "L": listener(**{
        "Port": 443, "Protocol": "HTTPS", "SslPolicy": POLICY,
        "Certificates": certificates(arns[0]), **more})}
    if extra:
        resources["Extra"] = {"Type": TYPE + "ListenerCertificate", "Properties": {
            "ListenerArn": {"Ref": "L"}, "Certificates": certificates(*extra)}}
    return resources


def test_https_listener(cfn, elb, name, subnets, arns):  # noqa: F811
    def certs():
        found = elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
        return [(arns.index(c["CertificateArn"]), c["IsDefault"]) for c in found]

    stack = complete(cfn, make(cfn, name, secure(subnets, arns, arns[1:3])))
    ids = physical(cfn, name)
    arn = ids["L"]
    assert ids["Extra"].startswith(name + "-Extra-")
    assert certs() == [(0, True), (1, False), (2, False)]
    got = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    assert (got["Protocol"], got["Port"], got["SslPolicy"]) == ("HTTPS", 443, POLICY)
    # Another list, another default, the policy left out: in place.
    complete(cfn, change(cfn, name, secure(
        subnets, arns[3:], [arns[2], arns[0]], SslPolicy={"Ref": "AWS::NoValue"},
        MutualAuthentication={"Mode": "off"})), "UPDATE_COMPLETE")
    assert physical(cfn, name) == ids
    assert certs() == [(3, True), (2, False), (0, False)]
    assert elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]["SslPolicy"] == POLICY
    # Refused, and what was there is there.
    for bad, why in (({"SslPolicy": "None"}, "SSL policy 'None' not found"),
                     ({"AlpnPolicy": ["HTTP2Only"]}, "ALPN"),
                     ({"MutualAuthentication": {"Mode": "passthrough"}}, "MutualAuthentication"),
                     ({"Certificates": certificates(arns[3][:-4] + "0000")}, "not found")):
        stack = change(cfn, name, secure(subnets, arns[3:], [arns[2], arns[0]], **bad))
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert any(why in r for i, s, r in events(cfn, name)
                   if (i, s) == ("L", "UPDATE_FAILED")), events(cfn, name)
        assert certs() == [(3, True), (2, False), (0, False)]
    # In clear: certificates go with the protocol.
    complete(cfn, change(cfn, name, {"Lb": balancer(subnets), "L": listener(
        Port=80, Protocol="HTTP")}), "UPDATE_COMPLETE")
    got = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    assert (got["Protocol"], got["Port"]) == ("HTTP", 80)
    assert "Certificates" not in got and "SslPolicy" not in got
    delete(cfn, stack)


def test_certificates_of_a_listener_that_went(cfn, elb, name, subnets, arns):  # noqa: F811
    stack = complete(cfn, make(cfn, name, secure(subnets, arns, arns[1:2])))
    elb.delete_listener(ListenerArn=physical(cfn, name)["L"])
    delete(cfn, stack)


def test_create_fails(cfn, name, subnets, arns):  # noqa: F811
    stack = make(cfn, name, secure(subnets, arns, [arns[1], arns[1][:-4] + "0000"]))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "not found" in reason(cfn, name, "CREATE_FAILED", "Extra")
    delete(cfn, stack)


@pytest.mark.parametrize("kind", ["network", "gateway"])
def test_other_types(cfn, name, subnets, kind):  # noqa: F811
    stack = make(cfn, name, {"Lb": balancer(subnets, Type=kind)})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert kind in reason(cfn, name, "CREATE_FAILED", "Lb")
    delete(cfn, stack)


def test_subnets_in_either_form(cfn, elb, name, subnets):  # noqa: F811
    def form(**placed):
        return {"Lb": {"Type": TYPE + "LoadBalancer", "Properties": placed}}

    stack = complete(cfn, make(cfn, name, form(Subnets=subnets)))
    ids = physical(cfn, name)
    complete(cfn, change(cfn, name, form(SubnetMappings=[{"SubnetId": s} for s in subnets])),
             "UPDATE_COMPLETE")
    assert physical(cfn, name) == ids
    assert change(cfn, name, form())["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    zones = elb.describe_load_balancers(LoadBalancerArns=[ids["Lb"]])["LoadBalancers"][0][
        "AvailabilityZones"]
    assert {z["SubnetId"] for z in zones} == set(subnets)
    delete(cfn, stack)


CONDITIONS = [
    [{"Field": "host-header", "Values": ["a.test", "*.b.test"]}],
    [{"Field": "host-header", "HostHeaderConfig": {"Values": ["c.test"]}},
     {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x*"]}}],
    [{"Field": "http-header", "HttpHeaderConfig": {
        "HttpHeaderName": "X-Beta", "Values": ["yes"]}}],
    [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}}],
    [{"Field": "query-string", "QueryStringConfig": {"Values": [
        {"Key": "v", "Value": "1"}, {"Value": "x"}]}}],
    [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}],
    [{"Field": "path-pattern", "Values": ["/last"]}],
]


def actions(vpc_group="Group"):
    return [
        [{"Type": "forward", "TargetGroupArn": {"Ref": vpc_group}}],
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": {"Ref": vpc_group}, "Weight": 3},
            {"TargetGroupArn": {"Ref": "Other"}, "Weight": 1}]}}],
        [{"Type": "redirect", "RedirectConfig": {
            "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}}],
        *([FIXED] * 4)]


def rules(priorities):
    group = {"Type": TYPE + "TargetGroup", "Properties": {
        "Port": 80, "Protocol": "HTTP", "TargetType": "ip", "VpcId": {"Ref": "Vpc"}}}
    found = {"Group": group, "Other": group}
    for i, (c, a) in enumerate(zip(CONDITIONS, actions())):
        found[f"R{i}"] = {"Type": TYPE + "ListenerRule", "Properties": {
            "ListenerArn": {"Ref": "L"}, "Priority": priorities[i], "Conditions": c,
            "Actions": a}}
    return json.loads(json.dumps(found).replace('{"Ref": "Vpc"}', '"%s"' % rules.vpc))


def test_rules(cfn, elb, name, subnets, daemon):  # noqa: F811
    rules.vpc = daemon.client("ec2").describe_subnets(SubnetIds=subnets[:1])["Subnets"][0]["VpcId"]
    fixed = {"Lb": balancer(subnets), "L": listener(Port=80, Protocol="HTTP")}
    said = {"Name": {"Fn::GetAtt": ["Lb", "LoadBalancerName"]},
            "Full": {"Fn::GetAtt": ["Lb", "LoadBalancerFullName"]},
            "Arn": {"Fn::GetAtt": ["Lb", "LoadBalancerArn"]},
            "Zone": {"Fn::GetAtt": ["Lb", "CanonicalHostedZoneID"]},
            "Dns": {"Fn::GetAtt": ["Lb", "DNSName"]},
            "Group": {"Fn::GetAtt": ["Group", "TargetGroupName"]},
            "GroupFull": {"Fn::GetAtt": ["Group", "TargetGroupFullName"]},
            "Rule": {"Fn::GetAtt": ["R0", "RuleArn"]},
            "Default": {"Fn::GetAtt": ["R0", "IsDefault"]}}
    stack = complete(cfn, make(cfn, name, {**fixed, **rules(range(1, 8))}, said))
    ids = physical(cfn, name)
    out = outputs(stack)
    lb = elb.describe_load_balancers(LoadBalancerArns=[ids["Lb"]])["LoadBalancers"][0]
    assert out == {
        "Name": lb["LoadBalancerName"], "Full": ids["Lb"].split("loadbalancer/")[1],
        "Arn": ids["Lb"], "Zone": lb["CanonicalHostedZoneId"], "Dns": lb["DNSName"],
        "Group": ids["Group"].split("/")[1], "GroupFull": ids["Group"].split(":")[-1],
        "Rule": ids["R0"], "Default": "false"}
    got = elb.describe_rules(ListenerArn=ids["L"])["Rules"]
    assert [r["RuleArn"] for r in got[:-1]] == [ids[f"R{i}"] for i in range(7)]
    for r, want in zip(got, CONDITIONS):
        for c, w in zip(r["Conditions"], want):
            assert c.items() >= w.items()
    assert [a["Weight"] for a in got[1]["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [3, 1]
    # Priorities that are free and others that are not, in place; a rule goes.
    some = rules([11, 2, 3, 4, 5, 6, 17])
    some.pop("R3")
    some["R2"]["Properties"]["Conditions"] = [{"Field": "path-pattern", "Values": ["/new"]}]
    complete(cfn, change(cfn, name, {**fixed, **some}, said), "UPDATE_COMPLETE")
    got = elb.describe_rules(ListenerArn=ids["L"])["Rules"]
    assert [(r["Priority"], r["RuleArn"]) for r in got[:-1]] == [
        (p, ids[i]) for p, i in (("2", "R1"), ("3", "R2"), ("5", "R4"), ("6", "R5"),
                                 ("11", "R0"), ("17", "R6"))]
    assert got[1]["Conditions"][0]["Values"] == ["/new"]
    # A priority in use is CloudFormation's failure, too.
    taken = rules([11, 2, 2, 4, 5, 6, 17])
    stack = change(cfn, name, {**fixed, **taken}, said)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    delete(cfn, stack)
