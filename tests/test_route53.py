"""Route 53 as data: zones, records, batches, order, tags."""
import json

import botocore.exceptions
import pytest

import conftest


@pytest.fixture
def r53(client):
    return client("route53")


counter = iter(range(10 ** 6))


def make_zone(r53, name, **kw):
    return r53.create_hosted_zone(Name=name, CallerReference=f"r{next(counter)}", **kw)


@pytest.fixture
def zone(r53):
    return make_zone(r53, f"z{next(counter)}.example.com")["HostedZone"]


def record(name, kind, *values, ttl=300, **kw):
    return {"Name": name, "Type": kind, "TTL": ttl,
            "ResourceRecords": [{"Value": v} for v in values], **kw}


def change(r53, zone, *changes, comment=None):
    batch = {"Changes": [{"Action": a, "ResourceRecordSet": s} for a, s in changes]}
    if comment:
        batch["Comment"] = comment
    return r53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)


def records(r53, zone):
    return r53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]


def refused(code, fn, *args, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        fn(*args, **kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def test_zone_life(r53, daemon):
    out = make_zone(r53, "Life.Example.COM", HostedZoneConfig={"Comment": "c"})
    zone = out["HostedZone"]
    assert out["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert out["Location"].endswith("/2013-04-01" + zone["Id"])
    assert zone["Name"] == "life.example.com." and zone["ResourceRecordSetCount"] == 2
    assert zone["Config"] == {"Comment": "c", "PrivateZone": False}
    assert len(set(out["DelegationSet"]["NameServers"])) == 4
    assert out["ChangeInfo"]["Status"] == "PENDING"
    assert r53.get_change(Id=out["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    got = r53.get_hosted_zone(Id=zone["Id"])
    assert got["HostedZone"] == zone and got["DelegationSet"] == out["DelegationSet"]
    ns, soa = records(r53, zone)
    assert (ns["Type"], ns["TTL"], soa["Type"], soa["TTL"]) == ("NS", 172800, "SOA", 900)
    assert [v["Value"] for v in ns["ResourceRecords"]] == [
        n + "." for n in out["DelegationSet"]["NameServers"]]
    assert soa["ResourceRecords"][0]["Value"].endswith(" 1 7200 900 1209600 86400")
    up = r53.update_hosted_zone_comment(Id=zone["Id"], Comment="d")
    assert up["HostedZone"]["Config"]["Comment"] == "d"
    assert r53.delete_hosted_zone(Id=zone["Id"])["ChangeInfo"]["Status"] == "PENDING"
    bare = zone["Id"].split("/")[-1]
    assert refused("NoSuchHostedZone", r53.get_hosted_zone, Id=bare) == \
        f"No hosted zone found with ID: {bare}"
    assert refused("NoSuchChange", r53.get_change, Id="C123")


def test_caller_reference_and_names(r53):
    ref = f"r{next(counter)}"
    r53.create_hosted_zone(Name="ref.example.com", CallerReference=ref)
    before = r53.get_hosted_zone_count()["HostedZoneCount"]
    message = refused("HostedZoneAlreadyExists", r53.create_hosted_zone,
                      Name="ref.example.com", CallerReference=ref)
    assert message == ("A hosted zone has already been created with the specified caller "
                       "reference.")
    for bad in ("a..b", "x" * 64 + ".com", "a\\9.com"):
        refused("InvalidDomainName", make_zone, r53, bad)
    refused("InvalidInput", make_zone, r53, "p.com", HostedZoneConfig={"PrivateZone": True})
    assert r53.get_hosted_zone_count()["HostedZoneCount"] == before


def test_private_zones(r53, client):
    ec2 = client("ec2")
    a, b = (ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    vpc_a, vpc_b = ({"VPCRegion": "us-east-1", "VPCId": v} for v in (a, b))
    refused("InvalidVPCId", make_zone, r53, "in.example.com",
            VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-0123456789abcdef0"})
    out = make_zone(r53, "in.example.com", VPC=vpc_a, HostedZoneConfig={"PrivateZone": True})
    zone = out["HostedZone"]
    assert out["VPC"] == vpc_a and zone["Config"]["PrivateZone"] is True
    refused("ConflictingDomainExists", make_zone, r53, "in.example.com", VPC=vpc_a)
    refused("VPCAssociationNotFound", r53.disassociate_vpc_from_hosted_zone,
            HostedZoneId=zone["Id"], VPC=vpc_b)
    refused("LastVPCAssociation", r53.disassociate_vpc_from_hosted_zone,
            HostedZoneId=zone["Id"], VPC=vpc_a)
    r53.associate_vpc_with_hosted_zone(HostedZoneId=zone["Id"], VPC=vpc_b)
    got = r53.get_hosted_zone(Id=zone["Id"])
    assert got["VPCs"] == [vpc_a, vpc_b] and "DelegationSet" not in got
    by = r53.list_hosted_zones_by_vpc(VPCId=b, VPCRegion="us-east-1")["HostedZoneSummaries"]
    assert by == [{"HostedZoneId": zone["Id"].split("/")[-1], "Name": "in.example.com.",
                   "Owner": {"OwningAccount": conftest.ACCOUNT}}]
    r53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone["Id"], VPC=vpc_a)
    assert r53.get_hosted_zone(Id=zone["Id"])["VPCs"] == [vpc_b]
    public = make_zone(r53, "out.example.com")["HostedZone"]
    refused("PublicZoneVPCAssociation", r53.associate_vpc_with_hosted_zone,
            HostedZoneId=public["Id"], VPC=vpc_a)


def test_lists(r53):
    names = ["b.order.test", "order.test", "a.b.order.test", "order-x.test", "z.test"]
    ids = {n: make_zone(r53, n)["HostedZone"]["Id"] for n in names}
    pages = r53.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 2})
    every = [z["Id"] for p in pages for z in p["HostedZones"]]
    assert set(ids.values()) <= set(every) and len(every) == len(set(every))
    # Labels in reverse, the trailing dot counted: '-' is less than '.'.
    out = r53.list_hosted_zones_by_name(DNSName="order-x.test")
    got = [z["Name"] for z in out["HostedZones"] if z["Name"].endswith("test.")]
    assert got == ["order-x.test.", "order.test.", "b.order.test.", "a.b.order.test.", "z.test."]
    one = r53.list_hosted_zones_by_name(DNSName="order.test.", MaxItems="1")
    assert [z["Name"] for z in one["HostedZones"]] == ["order.test."]
    assert one["IsTruncated"] and one["NextDNSName"] == "b.order.test."
    two = r53.list_hosted_zones_by_name(DNSName=one["NextDNSName"],
                                        HostedZoneId=one["NextHostedZoneId"], MaxItems="1")
    assert [z["Name"] for z in two["HostedZones"]] == ["b.order.test."]
    refused("InvalidInput", r53.list_hosted_zones, MaxItems="many")


def test_records_come_and_go(r53, zone):
    n = zone["Name"]
    www = record("WWW." + n, "A", "192.0.2.1", "192.0.2.2")
    info = change(r53, zone, ("CREATE", www), comment="first")["ChangeInfo"]
    r53.get_waiter("resource_record_sets_changed").wait(
        Id=info["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    assert r53.get_change(Id=info["Id"])["ChangeInfo"]["Comment"] == "first"
    got = [r for r in records(r53, zone) if r["Type"] == "A"]
    assert got == [{**www, "Name": "www." + n}]
    message = refused("InvalidChangeBatch", change, r53, zone, ("CREATE", www))
    assert message == (f"[Tried to create resource record set [name='www.{n}', type='A'] "
                       "but it already exists]")
    change(r53, zone, ("UPSERT", record("www." + n, "A", "192.0.2.3", ttl=60)))
    message = refused("InvalidChangeBatch", change, r53, zone, ("DELETE", www))
    assert message == (f"[Tried to delete resource record set [name='www.{n}', type='A'] "
                       "but the values provided do not match the current values]")
    message = refused("HostedZoneNotEmpty", r53.delete_hosted_zone, Id=zone["Id"])
    assert message == ("The specified hosted zone contains non-required resource record sets  "
                       "and so cannot be deleted.")
    change(r53, zone, ("DELETE", record("www." + n, "A", "192.0.2.3", ttl=60)))
    message = refused("InvalidChangeBatch", change, r53, zone, ("DELETE", www))
    assert "but it was not found" in message
    r53.delete_hosted_zone(Id=zone["Id"])


def test_a_batch_is_all_or_nothing(r53, zone):
    n = zone["Name"]
    refused("InvalidChangeBatch", change, r53, zone,
            ("CREATE", record("a." + n, "A", "192.0.2.1")),
            ("DELETE", record("b." + n, "A", "192.0.2.1")))
    assert len(records(r53, zone)) == 2
    # In place of one another, in one batch, in either order.
    change(r53, zone, ("CREATE", record("a." + n, "A", "192.0.2.1")))
    change(r53, zone, ("CREATE", record("a." + n, "CNAME", "b." + n)),
           ("DELETE", record("a." + n, "A", "192.0.2.1")))
    change(r53, zone, ("DELETE", record("a." + n, "CNAME", "b." + n)),
           ("CREATE", record("a." + n, "CNAME", "c." + n)))
    message = refused("InvalidChangeBatch", change, r53, zone,
                      ("UPSERT", record("a." + n, "CNAME", "d." + n)),
                      ("UPSERT", record("a." + n, "CNAME", "e." + n)))
    assert message == ("[The request contains an invalid set of changes for a resource record "
                       f"set 'CNAME a.{n}']")
    assert [r["ResourceRecords"][0]["Value"] for r in records(r53, zone)
            if r["Type"] == "CNAME"] == ["c." + n]


def test_what_a_zone_does_not_hold(r53, zone):
    n = zone["Name"]
    apex = records(r53, zone)
    change(r53, zone, ("CREATE", record("c." + n, "CNAME", "x.test")),
           ("CREATE", record("t." + n, "TXT", '"x"')))
    rows = [
        (("CREATE", record("www.example.org", "A", "192.0.2.1")),
         f"RRSet with DNS name www.example.org. is not permitted in zone {n}"),
        (("CREATE", record(n, "CNAME", "x.test")),
         f"RRSet of type CNAME with DNS name {n} is not permitted at apex in zone {n}"),
        (("CREATE", record("t." + n, "CNAME", "x.test")),
         f"RRSet of type CNAME with DNS name t.{n} is not permitted as it conflicts with other "
         f"records with the same DNS name in zone {n}"),
        (("CREATE", record("c." + n, "A", "192.0.2.1")),
         f"RRSet of type A with DNS name c.{n} is not permitted because a conflicting RRSet of "
         f"type  CNAME with the same DNS name already exists in zone {n}"),
        (("DELETE", apex[0]),
         "A HostedZone must contain at least one NS record for the zone itself."),
        (("DELETE", apex[1]), "A HostedZone must contain exactly one SOA record."),
        (("CREATE", record("d." + n, "A", "192.0.2.1", "192.0.2.1")),
         "Duplicate Resource Record: '192.0.2.1'"),
    ]
    before = records(r53, zone)
    for bad, why in rows:
        assert refused("InvalidChangeBatch", change, r53, zone, bad) == f"[{why}]"
    assert records(r53, zone) == before


VALUES = [
    ("A", ["192.0.2.1"], ["1.2.3", "1.2.3.4.5", "::1", "a", "1.2.3.4 5.6.7.8"]),
    ("AAAA", ["2001:db8::1"], ["192.0.2.1", "g::"]),
    ("CAA", ['0 issue "ca.example.net"', '128 iodef "mailto:a@b.c"'],
     ["0 issue", '300 issue "x"', "0 issue x"]),
    ("CNAME", ["x.example.net", "x.example.net."], ["a..b", ""]),
    ("DS", ["123 13 2 " + "ab" * 32], ["123 13 2 xyz"]),
    ("MX", ["10 mail.example.net"], ["mail.example.net", "x mail", "70000 mail", "1 2 3"]),
    ("NAPTR", ['100 50 "u" "sip+E2U" "!^.*$!sip:a@b!" .'], ["100 50 u"]),
    ("NS", ["ns.example.net"], ["a b"]),
    ("PTR", ["x.example.net"], ["a b"]),
    ("SPF", ['"v=spf1 -all"'], ["v=spf1"]),
    ("SRV", ["1 2 80 x.example.net", "0 0 0 ."], ["1 2 x.example.net", "1 2 99999 x"]),
    ("SSHFP", ["4 2 " + "0f" * 32], ["4 2 xx"]),
    ("TLSA", ["3 1 1 " + "0f" * 32], ["3 1 " + "0f" * 32]),
    ("TXT", ['"a" "b"', '"with \\"quotes\\" and \\200"', '""'],
     ["bare", '"open', '"a"b"', '"' + "x" * 256 + '"']),
    ("HTTPS", ["0 x.example.net", '1 . alpn="h2,h3"'], ["x"]),
]


@pytest.mark.parametrize("kind,good,bad", VALUES, ids=[v[0] for v in VALUES])
def test_values(r53, zone, kind, good, bad):
    name = "v." + zone["Name"]
    for v in good:
        change(r53, zone, ("UPSERT", record(name, kind, v)))
        assert [r["ResourceRecords"] for r in records(r53, zone)
                if r["Name"] == name] == [[{"Value": v}]]
    for v in bad:
        message = refused("InvalidChangeBatch", change, r53, zone,
                          ("UPSERT", record(name, kind, v)))
        assert message.startswith("[Invalid Resource Record: 'FATAL problem: "), message
        assert message.endswith("'']")


def test_form(r53, zone):
    name = "f." + zone["Name"]
    base = {"Name": name, "Type": "A"}
    values = {"TTL": 1, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    label = f"Change with [Action=CREATE, Name={name}, Type=A, SetIdentifier=%s]"
    rows = [
        (base, "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
         "ResourceRecords], or TrafficPolicyInstanceId], but found none in " + label % "null"),
        ({**base, "TTL": 1}, "Invalid request: Missing field 'ResourceRecords' in "
         + label % "null"),
        ({**base, **values, "Weight": 1}, "Invalid request: Missing field 'SetIdentifier' in "
         + label % "null"),
        ({**base, **values, "SetIdentifier": "x"}, "Invalid request: Expected exactly one of "
         "[Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found none in "
         + label % "x"),
        ({**base, **values, "SetIdentifier": "x", "Weight": 1, "Failover": "PRIMARY"},
         "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or "
         "MultiValueAnswer], but found more than one in " + label % "x"),
    ]
    for bad, why in rows:
        assert refused("InvalidInput", change, r53, zone, ("CREATE", bad)) == why
    refused("NoSuchHealthCheck", change, r53, zone,
            ("CREATE", {**base, **values, "HealthCheckId": "x"}))
    message = refused("NotImplemented", change, r53, zone, ("CREATE", {
        **base, **values, "SetIdentifier": "x",
        "CidrRoutingConfig": {"CollectionId": "01234567-0123-0123-0123-0123456789ab",
                              "LocationName": "x"}}))
    assert "CidrRoutingConfig" in message
    refused("InvalidInput", change, r53, zone, ("CREATE", {**base, **values, "Type": "WKS"}))


def test_policies(r53, zone):
    name = "p." + zone["Name"]

    def member(ident, *values, **kw):
        return record(name, "A", *values or ("192.0.2.1",), SetIdentifier=ident, **kw)

    change(r53, zone, ("CREATE", member("b", Weight=10)), ("CREATE", member("a", Weight=0)))
    got = [r for r in records(r53, zone) if r["Name"] == name]
    assert [(r["SetIdentifier"], r["Weight"]) for r in got] == [("a", 0), ("b", 10)]
    assert refused("InvalidChangeBatch", change, r53, zone,
                   ("CREATE", record(name, "A", "192.0.2.9"))) == (
        f"[RRSet with DNS name {name}, type A cannot be created as other RRSets exist with the "
        "same name and type.]")
    assert "SetIdentifier c cannot be created" in refused(
        "InvalidChangeBatch", change, r53, zone, ("CREATE", member("c", Failover="PRIMARY")))
    change(r53, zone, *(("DELETE", r) for r in got))
    change(r53, zone, ("CREATE", member("a", Region="eu-west-1")),
           ("CREATE", member("b", Region="eu-west-2")))
    refused("InvalidChangeBatch", change, r53, zone, ("CREATE", member("c", Region="eu-west-2")))
    change(r53, zone, *(("DELETE", r) for r in records(r53, zone) if r["Name"] == name))
    geo = [{"CountryCode": "*"}, {"ContinentCode": "EU"},
           {"CountryCode": "US", "SubdivisionCode": "CA"}]
    change(r53, zone, *(("CREATE", member(f"g{i}", GeoLocation=g)) for i, g in enumerate(geo)))
    assert [r["GeoLocation"] for r in records(r53, zone) if r["Name"] == name] == geo
    refused("InvalidInput", change, r53, zone, ("CREATE", member("x", GeoLocation={
        "ContinentCode": "EU", "CountryCode": "DE"})))
    multi = record("m." + zone["Name"], "A", "192.0.2.1", SetIdentifier="1",
                   MultiValueAnswer=True)
    change(r53, zone, ("CREATE", record("m." + zone["Name"], "A", "192.0.2.2")))
    assert "because a non multivalue answer rrset exists with the same name and type." in \
        refused("InvalidChangeBatch", change, r53, zone, ("CREATE", multi))


def test_order_and_pages(r53, zone):
    n = zone["Name"]
    made = [("1." + n, "A"), ("*." + n, "A"), ("a." + n, "A"), ("a." + n, "TXT"), ("b.a." + n, "A"),
            ("www." + n, "A")]
    for name, kind in reversed(made):
        change(r53, zone, ("CREATE", record(name, kind, '"x"' if kind == "TXT" else "192.0.2.1")))
    want = [(n, "NS"), (n, "SOA")] + [(m.replace("*", "\\052"), k) for m, k in made]
    assert [(r["Name"], r["Type"]) for r in records(r53, zone)] == want
    pages = r53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone["Id"], PaginationConfig={"PageSize": 2})
    assert [(r["Name"], r["Type"]) for p in pages for r in p["ResourceRecordSets"]] == want
    start = r53.list_resource_record_sets(HostedZoneId=zone["Id"], StartRecordName="a." + n,
                                          StartRecordType="TXT", MaxItems="1")
    assert [(r["Name"], r["Type"]) for r in start["ResourceRecordSets"]] == [("a." + n, "TXT")]
    assert (start["NextRecordName"], start["NextRecordType"]) == ("b.a." + n, "A")
    refused("InvalidInput", r53.list_resource_record_sets, HostedZoneId=zone["Id"],
            StartRecordType="A")


def alias(name, zone_id, target, kind="A", **kw):
    return {"Name": name, "Type": kind, "AliasTarget": {
        "HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": False}, **kw}


def test_aliases(r53, client, zone):
    n, own = zone["Name"], zone["Id"].split("/")[-1]
    ec2 = client("ec2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    lb = client("elbv2").create_load_balancer(Name="Alias", Subnets=subnets)["LoadBalancers"][0]
    dns, lb_zone = lb["DNSName"], lb["CanonicalHostedZoneId"]
    change(r53, zone, ("CREATE", alias(n, lb_zone, "dualstack." + dns)),
           ("CREATE", alias("w." + n, lb_zone, dns)),
           ("CREATE", alias("x." + n, own, "w." + n)))
    got = {r["Name"]: r for r in records(r53, zone) if r["Type"] == "A"}
    assert got[n]["AliasTarget"] == {
        "HostedZoneId": lb_zone, "DNSName": f"dualstack.{dns}.".lower(),
        "EvaluateTargetHealth": False}
    assert "TTL" not in got[n]
    rows = [(alias("y." + n, lb_zone, "no-1." + dns), "that target was not found"),
            (alias("y." + n, own, "none." + n), "that target was not found"),
            (alias("y." + n, own, "w." + n, "AAAA"), "that target was not found"),
            (alias("y." + n, own, "y." + n), "that target was not found"),
            (alias("y." + n, own, "w.example.org"),
             "the alias target name does not lie within the target zone")]
    for bad, why in rows:
        target = bad["AliasTarget"]
        assert refused("InvalidChangeBatch", change, r53, zone, ("CREATE", bad)) == (
            f"[Tried to create an alias that targets {target['DNSName'].lower()}., type "
            f"{bad['Type']} in zone {target['HostedZoneId']}, but {why}]").replace("..,", ".,")


def test_tags(r53, client, zone):
    own = zone["Id"].split("/")[-1]
    r53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=own, AddTags=[
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    r53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=own,
                                 RemoveTagKeys=["a"])
    assert r53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=own)[
        "ResourceTagSet"] == {"ResourceType": "hostedzone", "ResourceId": own,
                              "Tags": [{"Key": "b", "Value": "2"}]}
    assert len(r53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[own])[
        "ResourceTagSets"]) == 1
    refused("NoSuchHealthCheck", r53.list_tags_for_resource, ResourceType="healthcheck",
            ResourceId="x")
    tagging = client("resourcegroupstaggingapi")
    arn = f"arn:aws:route53:::hostedzone/{own}"
    tagging.tag_resources(ResourceARNList=[arn], Tags={"c": "3"})
    tagging.untag_resources(ResourceARNList=[arn], TagKeys=["b"])
    found = tagging.get_resources(TagFilters=[{"Key": "c"}])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "c", "Value": "3"}]}]


def test_refused_by_name(r53, zone):
    for fn, kw in ((r53.list_health_checks, {}), (r53.list_traffic_policies, {}),
                   (r53.get_dnssec, {"HostedZoneId": zone["Id"]}),
                   (r53.list_query_logging_configs, {})):
        assert "is not implemented" in refused("NotImplemented", fn, **kw)
    assert "DelegationSetId" in refused("NotImplemented", make_zone, r53, "d.com",
                                        DelegationSetId="N1")


def test_command_line(daemon, zone):
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet":
                          record("cli." + zone["Name"], "A", "192.0.2.1")}]}
    out = json.loads(daemon.aws("route53", "change-resource-record-sets", "--hosted-zone-id",
                                zone["Id"], "--change-batch", json.dumps(batch)))
    daemon.aws("route53", "wait", "resource-record-sets-changed", "--id",
               out["ChangeInfo"]["Id"])
    assert "cli." + zone["Name"] in daemon.aws(
        "route53", "list-resource-record-sets", "--hosted-zone-id", zone["Id"])
