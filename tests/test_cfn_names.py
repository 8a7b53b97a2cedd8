"""CloudFormation and names: hosted zones, record sets, certificates."""
import itertools

import pytest

from cfn import delete, events, physical, text, wait

serial = itertools.count()


@pytest.fixture(scope="module")
def cfn(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def r53(daemon):
    return daemon.client("route53")


@pytest.fixture(scope="module")
def acm(daemon):
    return daemon.client("acm")


@pytest.fixture
def name():
    return f"n{next(serial)}"


@pytest.fixture
def domain(name):
    return f"{name}.example.com"


@pytest.fixture
def zone(r53, domain):
    return r53.create_hosted_zone(Name=domain, CallerReference=domain)[
        "HostedZone"]["Id"].split("/")[-1]


def make(cfn, name, resources, outputs=()):
    cfn.create_stack(StackName=name, TemplateBody=template(resources, outputs))
    return wait(cfn, name)


def change(cfn, name, resources, outputs=(), **kw):
    cfn.update_stack(StackName=name, TemplateBody=template(resources, outputs), **kw)
    return wait(cfn, name)


def template(resources, outputs=()):
    return text({"Resources": resources,
                 "Outputs": {k: {"Value": v} for k, v in dict(outputs).items()}})


def outputs(stack):
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def complete(cfn, stack, status="CREATE_COMPLETE"):
    assert stack["StackStatus"] == status, events(cfn, stack["StackName"])
    return stack


def records(r53, zone):
    """{(name, type, set): values} but for the zone's own."""
    every = r53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(r["Name"], r["Type"], r.get("SetIdentifier")): r for r in every
            if r["Type"] not in ("NS", "SOA")}


def record(zone, name, kind="A", value="192.0.2.1", **more):
    return {"Type": "AWS::Route53::RecordSet", "Properties": {
        "HostedZoneId": zone, "Name": name, "Type": kind, "TTL": "60",
        "ResourceRecords": [value], **more}}


def test_zone(cfn, r53, name, domain):
    zone = {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {
        "Name": domain, "HostedZoneConfig": {"Comment": "first"},
        "HostedZoneTags": [{"Key": f"k{i}", "Value": "1"} for i in range(9)]}}}
    out = {"Ref": {"Ref": "Zone"}, "Id": {"Fn::GetAtt": ["Zone", "Id"]},
           "Servers": {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}}
    stack = complete(cfn, make(cfn, name, zone, out))
    got = outputs(stack)
    assert got["Ref"] == got["Id"] and "/" not in got["Ref"]
    seen = r53.get_hosted_zone(Id=got["Ref"])
    assert seen["HostedZone"]["Config"]["Comment"] == "first"
    assert got["Servers"].split(",") == seen["DelegationSet"]["NameServers"]

    def tags():
        return {t["Key"] for t in r53.list_tags_for_resource(
            ResourceType="hostedzone", ResourceId=got["Ref"])["ResourceTagSet"]["Tags"]}
    assert len(tags()) == 12  # with CloudFormation's own three
    props = zone["Zone"]["Properties"]
    props["HostedZoneConfig"] = {"Comment": "second"}
    props["HostedZoneTags"] = [{"Key": "k0", "Value": "2"}]
    assert outputs(complete(cfn, change(cfn, name, zone, out), "UPDATE_COMPLETE")) == got
    assert r53.get_hosted_zone(Id=got["Ref"])["HostedZone"]["Config"]["Comment"] == "second"
    assert "k1" not in tags() and "k0" in tags()
    props["Name"] = "other." + domain
    replaced = outputs(complete(cfn, change(cfn, name, zone, out), "UPDATE_COMPLETE"))
    assert replaced["Ref"] != got["Ref"]
    with pytest.raises(r53.exceptions.NoSuchHostedZone):
        r53.get_hosted_zone(Id=got["Ref"])
    props["QueryLoggingConfig"] = {"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:1:x"}
    failed = change(cfn, name, zone, out)
    complete(cfn, failed, "UPDATE_ROLLBACK_COMPLETE")
    assert any("property QueryLoggingConfig is not implemented" in r
               for _, _, r in events(cfn, name))
    delete(cfn, stack)
    with pytest.raises(r53.exceptions.NoSuchHostedZone):
        r53.get_hosted_zone(Id=replaced["Ref"])


def test_private_zone(cfn, r53, name, domain):
    def resources(*vpcs):
        return {"A": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
                "B": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
                "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {
                    "Name": domain, "VPCs": [{"VPCId": {"Ref": v}, "VPCRegion": {
                        "Ref": "AWS::Region"}} for v in vpcs]}}}

    def associated(stack):
        ids = physical(cfn, name)
        back = {ids["A"]: "A", ids["B"]: "B"}
        return {back[v["VPCId"]] for v in r53.get_hosted_zone(Id=ids["Zone"])["VPCs"]}

    stack = complete(cfn, make(cfn, name, resources("A", "B")))
    assert associated(stack) == {"A", "B"}
    complete(cfn, change(cfn, name, resources("B")), "UPDATE_COMPLETE")
    assert associated(stack) == {"B"}
    complete(cfn, change(cfn, name, resources("A")), "UPDATE_COMPLETE")
    assert associated(stack) == {"A"}
    delete(cfn, stack)


def test_record_set(cfn, r53, name, domain, zone):
    www = f"www.{domain}."
    out = {"Ref": {"Ref": "Record"}}
    stack = complete(cfn, make(cfn, name, {"Record": record(zone, www)}, out))
    assert outputs(stack)["Ref"] == "www." + domain
    assert records(r53, zone)[www, "A", None] == {
        "Name": www, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    # In place: values, then the type.
    complete(cfn, change(cfn, name, {"Record": record(zone, www, value="192.0.2.2")}, out),
             "UPDATE_COMPLETE")
    assert records(r53, zone)[www, "A", None]["ResourceRecords"] == [{"Value": "192.0.2.2"}]
    complete(cfn, change(cfn, name, {"Record": record(zone, www, "CNAME", "x.test")}, out),
             "UPDATE_COMPLETE")
    assert list(records(r53, zone)) == [(www, "CNAME", None)]
    # Replaced: the name.
    complete(cfn, change(cfn, name, {"Record": record(zone, "a." + domain)}, out),
             "UPDATE_COMPLETE")
    assert list(records(r53, zone)) == [(f"a.{domain}.", "A", None)]
    # Rolled back, to what there was.
    before = records(r53, zone)
    failed = change(cfn, name, {"Record": record(zone, "a." + domain, value="192.0.2.9"),
                                "Bad": {**record(zone, "b." + domain, value="no address"),
                                        "DependsOn": "Record"}}, out)
    complete(cfn, failed, "UPDATE_ROLLBACK_COMPLETE")
    assert records(r53, zone) == before
    assert any("ARRDATAIllegalIPv4Address" in r for _, _, r in events(cfn, name))
    # Somebody took it away: deleting the stack does not mind.
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
        {"Action": "DELETE", "ResourceRecordSet": r} for r in before.values()]})
    delete(cfn, stack)


def test_record_that_is_there(cfn, r53, name, domain, zone):
    complete(cfn, make(cfn, name, {"Record": record(zone, domain)}))
    other = make(cfn, name + "b", {"Record": record(zone, domain)})
    complete(cfn, other, "ROLLBACK_COMPLETE")
    assert any(f"[Tried to create resource record set [name='{domain}.', type='A'] but it "
               "already exists]" in r for _, _, r in events(cfn, name + "b"))
    assert len(records(r53, zone)) == 1  # the first stack's


def test_by_zone_name_and_policies(cfn, r53, name, domain, zone):
    def weighted(ident, weight):
        r = record(None, "w." + domain, SetIdentifier=ident, Weight=weight,
                   HostedZoneName=domain + ".")
        del r["Properties"]["HostedZoneId"]
        return r

    stack = complete(cfn, make(cfn, name, {"A": weighted("a", 1), "B": weighted("b", "2")}))
    got = records(r53, zone)
    assert {k[2]: r["Weight"] for k, r in got.items()} == {"a": 1, "b": 2}
    complete(cfn, change(cfn, name, {"A": weighted("a", 5)}), "UPDATE_COMPLETE")
    assert {k[2]: r["Weight"] for k, r in records(r53, zone).items()} == {"a": 5}
    delete(cfn, stack)
    assert records(r53, zone) == {}
    r53.create_hosted_zone(Name=domain, CallerReference=domain + "2")
    failed = make(cfn, name + "m", {"A": weighted("a", 1)})
    complete(cfn, failed, "ROLLBACK_COMPLETE")
    assert any(f"Found multiple hosted zones for domain: {domain}." in r
               for _, _, r in events(cfn, name + "m"))


def test_alias_and_group(cfn, r53, name, domain, zone, daemon):
    subnets = [s["SubnetId"] for s in daemon.client("ec2").describe_subnets()["Subnets"]][:2]
    group = {"Lb": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    "Properties": {"Subnets": subnets}},
             "Group": {"Type": "AWS::Route53::RecordSetGroup", "Properties": {
                 "HostedZoneId": zone, "Comment": "c", "RecordSets": [
                     {"Name": domain, "Type": "A", "AliasTarget": {
                         "HostedZoneId": {"Fn::GetAtt": ["Lb", "CanonicalHostedZoneID"]},
                         "DNSName": {"Fn::Join": ["", ["dualstack.", {
                             "Fn::GetAtt": ["Lb", "DNSName"]}]]}}},
                     {"Name": "*." + domain, "Type": "CNAME", "TTL": "60",
                      "ResourceRecords": [domain]},
                     {"Name": "t." + domain, "Type": "TXT", "TTL": 60,
                      "ResourceRecords": ['"a"']}]}}}
    stack = complete(cfn, make(cfn, name, group))
    assert physical(cfn, name)["Group"].startswith(name + "-Group-")
    got = records(r53, zone)
    lb = daemon.client("elbv2").describe_load_balancers(
        LoadBalancerArns=[physical(cfn, name)["Lb"]])["LoadBalancers"][0]
    assert got[domain + ".", "A", None]["AliasTarget"] == {
        "HostedZoneId": lb["CanonicalHostedZoneId"], "EvaluateTargetHealth": False,
        "DNSName": f"dualstack.{lb['DNSName']}.".lower()}
    assert {k[1] for k in got} == {"A", "CNAME", "TXT"}
    sets = group["Group"]["Properties"]["RecordSets"]
    sets[1]["Type"], sets[1]["ResourceRecords"] = "A", ["192.0.2.1"]
    del sets[2]
    complete(cfn, change(cfn, name, group), "UPDATE_COMPLETE")
    assert {(k[0], k[1]) for k in records(r53, zone)} == {
        (domain + ".", "A"), (f"\\052.{domain}.", "A")}
    delete(cfn, stack)
    assert records(r53, zone) == {}


def test_group_with_a_set_twice(cfn, r53, name, domain, zone):
    """Two sets of one name and type are refused, as their batch would be; none is lost."""
    def records_of(*values):
        return {"Group": {"Type": "AWS::Route53::RecordSetGroup", "Properties": {
            "HostedZoneId": zone, "RecordSets": [
                {"Name": n, "Type": "A", "TTL": "60", "ResourceRecords": [v]}
                for n, v in zip((domain, domain.upper() + "."), values)]}}}
    stack = complete(cfn, make(cfn, name, records_of("192.0.2.1", "192.0.2.2")),
                     "ROLLBACK_COMPLETE")
    assert f"invalid set of changes for a resource record set 'A {domain}.'" in str(
        events(cfn, name))
    assert records(r53, zone) == {}
    delete(cfn, stack)


def certificate(domain, zone, *names, **more):
    return {"Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
        "DomainName": domain, "ValidationMethod": "DNS",
        **({"SubjectAlternativeNames": list(names)} if names else {}),
        **({"DomainValidationOptions": [{"DomainName": d, "HostedZoneId": zone}
                                        for d in (domain, *names)]} if zone else {}),
        **more}}}


def test_certificate(cfn, r53, acm, name, domain, zone):
    out = {"Ref": {"Ref": "Certificate"}}
    props = dict(KeyAlgorithm="EC_prime256v1", Tags=[{"Key": "Name", "Value": "x"}])
    stack = complete(cfn, make(cfn, name, certificate(domain, zone, "*." + domain, **props), out))
    arn = outputs(stack)["Ref"]
    seen = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert seen["Status"] == "ISSUED"
    assert seen["SubjectAlternativeNames"] == [domain, "*." + domain]
    proof = seen["DomainValidationOptions"][0]["ResourceRecord"]
    assert [r["ResourceRecords"][0]["Value"] for r in records(r53, zone).values()] == [
        proof["Value"]]

    def tags():
        return {t["Key"]: t["Value"] for t in acm.list_tags_for_certificate(
            CertificateArn=arn)["Tags"]}
    assert tags()["Name"] == "x" and tags()["aws:cloudformation:stack-name"] == name
    props["Tags"] = [{"Key": "Other", "Value": "y"}]
    props["CertificateTransparencyLoggingPreference"] = "DISABLED"
    changed = change(cfn, name, certificate(domain, zone, "*." + domain, **props), out)
    assert outputs(complete(cfn, changed, "UPDATE_COMPLETE"))["Ref"] == arn
    assert "Name" not in tags() and tags()["Other"] == "y"
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Options"][
        "CertificateTransparencyLoggingPreference"] == "DISABLED"
    # Another name is another certificate; the same proof serves.
    replaced = outputs(complete(cfn, change(cfn, name, certificate(
        "www." + domain, zone, **props), out), "UPDATE_COMPLETE"))["Ref"]
    assert replaced != arn
    with pytest.raises(acm.exceptions.ResourceNotFoundException):
        acm.describe_certificate(CertificateArn=arn)
    delete(cfn, stack)
    with pytest.raises(acm.exceptions.ResourceNotFoundException):
        acm.describe_certificate(CertificateArn=replaced)
    assert len(records(r53, zone)) == 2  # AWS leaves them: others may need them


def test_certificate_of_a_zone_in_the_stack(cfn, acm, name, domain):
    """The default key: RSA."""
    resources = {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": domain}},
                 **certificate(domain, {"Ref": "Zone"})}
    complete(cfn, make(cfn, name, resources))
    arn = physical(cfn, name)["Certificate"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"][
        "KeyAlgorithm"] == "RSA_2048"


def test_certificate_waits_for_its_proof(cfn, r53, acm, name, domain, zone):
    cfn.create_stack(StackName=name, TemplateBody=template(certificate(
        domain, None, KeyAlgorithm="EC_prime256v1")))
    ec = {"keyTypes": ["EC_prime256v1"]}
    arn = []
    while not arn:  # the stack makes it within a few turns
        arn = [s["CertificateArn"] for s in acm.list_certificates(
            Includes=ec, CertificateStatuses=["PENDING_VALIDATION"])["CertificateSummaryList"]
            if s["DomainName"] == domain]
    stack = cfn.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_IN_PROGRESS"
    proof = acm.describe_certificate(CertificateArn=arn[0])["Certificate"][
        "DomainValidationOptions"][0]["ResourceRecord"]
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
        {"Action": "CREATE", "ResourceRecordSet": {
            "Name": proof["Name"], "Type": "CNAME", "TTL": 60,
            "ResourceRecords": [{"Value": proof["Value"]}]}}]})
    complete(cfn, wait(cfn, name))
    assert physical(cfn, name)["Certificate"] == arn[0]


def test_certificate_fails(cfn, r53, acm, name, domain, zone):
    rows = [
        (certificate("www.example.org", zone),
         "is not permitted in zone " + domain),
        (certificate(domain, "Z0NOSUCHZONE"), "No hosted zone found with ID: Z0NOSUCHZONE"),
        (certificate(domain, zone, ValidationMethod="EMAIL"), "ValidationMethod 'EMAIL'"),
        (certificate(domain, None, DomainValidationOptions=[
            {"DomainName": "x." + domain, "HostedZoneId": zone}]),
         f"x.{domain} is not a domain name of the certificate"),
        (certificate(domain, zone, CertificateAuthorityArn="arn:aws:acm-pca:us-east-1:"
                     "123456789012:certificate-authority/x"), "CertificateAuthorityArn"),
    ]
    before = len(acm.list_certificates()["CertificateSummaryList"])
    for i, (resources, why) in enumerate(rows):
        complete(cfn, make(cfn, f"{name}x{i}", resources), "ROLLBACK_COMPLETE")
        assert any(why in r for _, _, r in events(cfn, f"{name}x{i}")), \
            events(cfn, f"{name}x{i}")
    assert len(acm.list_certificates()["CertificateSummaryList"]) == before
    assert records(r53, zone) == {}
