"""ACM: certificates of the private CA, proved by records of our zones; import and export."""
import datetime
import json
import re
import subprocess
import time
import urllib.request

import botocore.exceptions
import pytest

import conftest

counter = iter(range(10 ** 6))


@pytest.fixture
def acm(client):
    return client("acm")


@pytest.fixture
def r53(client):
    return client("route53")


@pytest.fixture
def domain():
    return f"d{next(counter)}.example.com"


@pytest.fixture
def zone(r53, domain):
    return make_zone(r53, domain)


def make_zone(r53, name):
    return r53.create_hosted_zone(Name=name, CallerReference=f"a{next(counter)}")[
        "HostedZone"]["Id"]


def request(acm, domain, *names, **kw):
    kw = {"ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1", **kw}
    if names:
        kw["SubjectAlternativeNames"] = list(names)
    return acm.request_certificate(DomainName=domain, **kw)["CertificateArn"]


def describe(acm, arn):
    return acm.describe_certificate(CertificateArn=arn)["Certificate"]


def prove(acm, r53, zone, arn, action="UPSERT"):
    records = {json.dumps(o["ResourceRecord"], sort_keys=True)
               for o in describe(acm, arn)["DomainValidationOptions"]}
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
        {"Action": action, "ResourceRecordSet": {
            "Name": r["Name"], "Type": r["Type"], "TTL": 300,
            "ResourceRecords": [{"Value": r["Value"]}]}}
        for r in map(json.loads, sorted(records))]})


def issued(acm, arn, seconds=20):
    """No event tells a client of it; AWS's own waiter polls, too, by the minute."""
    deadline = time.monotonic() + seconds
    while (d := describe(acm, arn))["Status"] == "PENDING_VALIDATION":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert d["Status"] == "ISSUED", d
    return d


def refused(code, fn, *args, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        fn(*args, **kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


def openssl(*args, stdin=None):
    p = subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    return p.stdout


def verified(tmp_path, certificate, chain, host):
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "chain.pem").write_text(chain)
    out = openssl("verify", "-CAfile", tmp_path / "chain.pem", "-purpose", "sslserver",
                  "-verify_hostname", host, tmp_path / "cert.pem")
    assert out.endswith(": OK\n")
    return openssl("x509", "-in", tmp_path / "cert.pem", "-noout", "-text")


def test_pending_then_issued(acm, r53, zone, domain, tmp_path):
    arn = request(acm, domain, "*." + domain)
    assert re.fullmatch(r"arn:aws:acm:us-east-1:%s:certificate/[0-9a-f-]{36}" % conftest.ACCOUNT,
                        arn)
    d = describe(acm, arn)
    assert (d["Status"], d["Type"], d["InUseBy"]) == ("PENDING_VALIDATION", "AMAZON_ISSUED", [])
    assert d["SubjectAlternativeNames"] == [domain, "*." + domain]
    one, two = d["DomainValidationOptions"]
    assert one["ResourceRecord"] == two["ResourceRecord"]  # a wildcard is proved as its domain
    assert re.fullmatch(r"_[0-9a-f]{32}\.%s\." % re.escape(domain), one["ResourceRecord"]["Name"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.",
                        one["ResourceRecord"]["Value"])
    assert (one["ValidationStatus"], one["ValidationMethod"]) == ("PENDING_VALIDATION", "DNS")
    refused("RequestInProgressException", acm.get_certificate, CertificateArn=arn)
    prove(acm, r53, zone, arn)
    d = issued(acm, arn)
    assert all(o["ValidationStatus"] == "SUCCESS" for o in d["DomainValidationOptions"])
    assert d["Issuer"] == "Neargate" and d["Subject"] == "CN=" + domain
    assert d["NotAfter"] - d["NotBefore"] == datetime.timedelta(days=395, seconds=-1)
    assert d["KeyUsages"] == [{"Name": "DIGITAL_SIGNATURE"}]
    assert {u["Name"] for u in d["ExtendedKeyUsages"]} == {
        "TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION"}
    got = acm.get_certificate(CertificateArn=arn)
    text = verified(tmp_path, got["Certificate"], got["CertificateChain"], "x." + domain)
    assert d["Serial"] in text and "Public-Key: (256 bit)" in text
    # The same domain in another certificate is proved by the same record.
    again = request(acm, domain)
    assert issued(acm, again)["DomainValidationOptions"][0]["ResourceRecord"] == \
        one["ResourceRecord"]


@pytest.mark.parametrize("algorithm,bits", [(None, 2048), ("EC_secp384r1", 384)])
def test_algorithms(acm, r53, zone, domain, tmp_path, algorithm, bits):
    kw = {"DomainName": domain, "ValidationMethod": "DNS"}
    if algorithm:
        kw["KeyAlgorithm"] = algorithm
    arn = acm.request_certificate(**kw)["CertificateArn"]
    prove(acm, r53, zone, arn)
    d = issued(acm, arn)
    assert d["KeyAlgorithm"] == (algorithm or "RSA_2048")
    got = acm.get_certificate(CertificateArn=arn)
    text = verified(tmp_path, got["Certificate"], got["CertificateChain"], domain)
    assert f"Public-Key: ({bits} bit)" in text


def test_an_rsa_key_does_not_hold_up_others(acm, r53, zone, domain, daemon):
    arns = [acm.request_certificate(DomainName=f"r{i}.{domain}", ValidationMethod="DNS")[
        "CertificateArn"] for i in range(8)]
    for arn in arns:
        prove(acm, r53, zone, arn)
    for arn in arns:
        issued(acm, arn, 60)
    assert len({acm.get_certificate(CertificateArn=a)["Certificate"] for a in arns}) == 8


def test_the_longest_zone_counts(acm, r53, zone, domain):
    sub = "sub." + domain
    inner = make_zone(r53, sub)
    arn = request(acm, "www." + sub)
    prove(acm, r53, zone, arn)  # in the outer zone: not where it would be looked up
    marker = request(acm, domain)
    prove(acm, r53, zone, marker)
    issued(acm, marker)  # the controller has seen both changes
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"
    prove(acm, r53, inner, arn)
    issued(acm, arn)


def test_a_wrong_value_or_a_private_zone_prove_nothing(acm, r53, zone, domain, client):
    arn = request(acm, domain)
    name = describe(acm, arn)["DomainValidationOptions"][0]["ResourceRecord"]["Name"]
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": "CREATE", "ResourceRecordSet": {
            "Name": name, "Type": "CNAME", "TTL": 1,
            "ResourceRecords": [{"Value": "_other.acm-validations.aws."}]}}]})
    vpc = client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    private = r53.create_hosted_zone(
        Name="inner." + domain, CallerReference=f"a{next(counter)}",
        VPC={"VPCRegion": "us-east-1", "VPCId": vpc})["HostedZone"]["Id"]
    hidden = request(acm, "inner." + domain)
    prove(acm, r53, private, hidden)
    marker = request(acm, "marker." + domain)
    prove(acm, r53, zone, marker)
    issued(acm, marker)
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"
    assert describe(acm, hidden)["Status"] == "PENDING_VALIDATION"


def test_request_checks(acm, domain):
    refused("NotImplemented", acm.request_certificate, DomainName=domain)
    assert "ValidationMethod 'EMAIL'" in refused(
        "NotImplemented", request, acm, domain, ValidationMethod="EMAIL")
    refused("InvalidParameterException", request, acm, domain, KeyAlgorithm="RSA_4096")
    long = "a" * 60 + "." + domain
    refused("InvalidParameterException", request, acm, long)
    assert all(s["DomainName"] != domain for s in acm.list_certificates(
        Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"])
    request(acm, domain, long)
    for bad in ("a b.com", "a.*.com", "nodot", "-a.com"):
        refused("ValidationException", request, acm, bad)
    refused("InvalidDomainValidationOptionsException", request, acm, domain,
            DomainValidationOptions=[{"DomainName": domain, "ValidationDomain": "other.com"}])
    refused("InvalidTagException", request, acm, domain, Tags=[{"Key": "aws:x", "Value": "1"}])
    first = request(acm, domain, IdempotencyToken="t1")
    assert request(acm, domain, IdempotencyToken="t1") == first
    assert request(acm, "x." + domain, IdempotencyToken="t1") != first
    assert request(acm, domain.upper(), domain, IdempotencyToken="t2") != first
    for fn in (acm.describe_certificate, acm.delete_certificate, acm.get_certificate):
        refused("ResourceNotFoundException", fn,
                CertificateArn=first[:-12] + "000000000000")
    assert "acm:ResendValidationEmail" in refused(
        "NotImplemented", acm.resend_validation_email, CertificateArn=first, Domain=domain,
        ValidationDomain=domain)


def test_list(daemon, r53):
    acm = daemon.client("acm", region="eu-west-1")
    arns = [request(acm, f"l{i}.example.org") for i in range(3)]
    rsa = acm.request_certificate(DomainName="rsa.example.org", ValidationMethod="DNS")[
        "CertificateArn"]

    def listed(**kw):
        return [s["CertificateArn"] for s in acm.list_certificates(**kw)["CertificateSummaryList"]]

    # AWS: without keyTypes, RSA alone.
    assert listed() == [rsa]
    ec = {"keyTypes": ["EC_prime256v1"]}
    assert listed(Includes=ec) == arns
    assert listed(Includes=ec, SortBy="CREATED_AT", SortOrder="DESCENDING") == arns[::-1]
    assert listed(Includes=ec, CertificateStatuses=["ISSUED"]) == []
    pages = acm.get_paginator("list_certificates").paginate(
        Includes=ec, PaginationConfig={"PageSize": 2})
    assert [s["CertificateArn"] for p in pages for s in p["CertificateSummaryList"]] == arns
    refused("ValidationException", acm.list_certificates, SortBy="CREATED_AT")
    refused("ValidationException", acm.list_certificates, NextToken="x")
    zone = make_zone(r53, "l0.example.org")
    prove(acm, r53, zone, arns[0])
    issued(acm, arns[0])
    assert listed(Includes=ec, CertificateStatuses=["ISSUED"]) == arns[:1]
    assert listed(Includes={**ec, "extendedKeyUsage": ["CODE_SIGNING"]}) == []
    assert listed(Includes={**ec, "extendedKeyUsage": ["TLS_WEB_SERVER_AUTHENTICATION"]}) == \
        arns[:1]


def test_tags_and_options(acm, r53, zone, domain, client):
    arn = request(acm, domain, Tags=[{"Key": "a", "Value": "1"}])
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[
        {"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [
        {"Key": "a", "Value": "1"}]
    client("resourcegroupstaggingapi").tag_resources(ResourceARNList=[arn], Tags={"c": "3"})
    assert {t["Key"] for t in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]} == {
        "a", "c"}
    off = {"CertificateTransparencyLoggingPreference": "DISABLED"}
    refused("InvalidStateException", acm.update_certificate_options, CertificateArn=arn,
            Options=off)
    prove(acm, r53, zone, arn)
    issued(acm, arn)
    acm.update_certificate_options(CertificateArn=arn, Options=off)
    if "Export" in str(acm.meta.service_model.shape_for("CertificateOptions").members):
        refused("ValidationException", acm.update_certificate_options, CertificateArn=arn,
                Options={"Export": "ENABLED"})
    assert describe(acm, arn)["Options"]["CertificateTransparencyLoggingPreference"] == "DISABLED"
    refused("ValidationException", acm.renew_certificate, CertificateArn=arn)
    refused("ValidationException", acm.export_certificate, CertificateArn=arn, Passphrase=b"abcd")
    acm.delete_certificate(CertificateArn=arn)
    refused("ResourceNotFoundException", acm.describe_certificate, CertificateArn=arn)


def test_in_use(acm, r53, zone, domain, client):
    elb = client("elbv2")
    arn, extra = request(acm, domain), request(acm, "b." + domain)
    for a in (arn, extra):
        prove(acm, r53, zone, a)
        issued(acm, a)
    subnets = [s["SubnetId"] for s in client("ec2").describe_subnets()["Subnets"]][:2]
    lb = elb.create_load_balancer(Name="use", Subnets=subnets)["LoadBalancers"][0][
        "LoadBalancerArn"]
    listener = elb.create_listener(
        LoadBalancerArn=lb, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])[
            "Listeners"][0]["ListenerArn"]
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": extra}])
    for a in (arn, extra):
        seen = describe(acm, a)
        assert (seen["InUseBy"], seen["RenewalEligibility"]) == ([lb], "ELIGIBLE")
        assert refused("ResourceInUseException", acm.delete_certificate, CertificateArn=a) == \
            f"Certificate {a} in account {conftest.ACCOUNT} is in use."
    elb.delete_listener(ListenerArn=listener)
    for a in (arn, extra):
        assert describe(acm, a)["InUseBy"] == []
        acm.delete_certificate(CertificateArn=a)


class Authority:
    """A root, an intermediate and a leaf, made by openssl."""

    def __init__(self, path):
        self.path = path
        self.make("root", None, "CA:TRUE")
        self.make("middle", "root", "CA:TRUE")
        self.make("leaf", "middle", "CA:FALSE", "DNS:leaf.example.net,DNS:www.example.net")
        self.make("alone", None, "CA:FALSE")

    def make(self, name, by, constraint, names="DNS:x.example.net", days=30):
        p = self.path
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", p / f"{name}.key", "-out", p / f"{name}.pem", "-days", days,
                "-subj", f"/O=Own/CN={name}", "-addext", "subjectAltName=" + names,
                "-addext", "basicConstraints=critical," + constraint,
                *(("-CA", p / f"{by}.pem", "-CAkey", p / f"{by}.key") if by else ()))

    def read(self, *names, kind="pem"):
        return b"".join((self.path / f"{n}.{kind}").read_bytes() for n in names)

    def args(self, name="leaf", chain=("middle", "root")):
        a = {"Certificate": self.read(name), "PrivateKey": self.read(name, kind="key")}
        return {**a, "CertificateChain": self.read(*chain)} if chain else a


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    version = openssl("version").split()[1]
    if version < "3.0":
        pytest.skip("openssl req -CA is not there before 3.0")
    return Authority(tmp_path_factory.mktemp("ca"))


def test_import(acm, authority):
    arn = acm.import_certificate(**authority.args(), Tags=[{"Key": "k", "Value": "v"}])[
        "CertificateArn"]
    d = describe(acm, arn)
    assert (d["Type"], d["Status"], d["Issuer"], d["DomainName"]) == (
        "IMPORTED", "ISSUED", "Own", "leaf.example.net")
    assert d["SubjectAlternativeNames"] == ["leaf.example.net", "www.example.net"]
    assert "DomainValidationOptions" not in d and d["RenewalEligibility"] == "INELIGIBLE"
    got = acm.get_certificate(CertificateArn=arn)
    assert got["Certificate"].strip() == authority.read("leaf").decode().strip()
    assert got["CertificateChain"].count("BEGIN CERTIFICATE") == 2
    refused("ValidationException", acm.export_certificate, CertificateArn=arn, Passphrase=b"abcd")
    # Again, under the same ARN.
    authority.make("next", "middle", "CA:FALSE")
    assert acm.import_certificate(CertificateArn=arn, **authority.args("next"))[
        "CertificateArn"] == arn
    assert describe(acm, arn)["DomainName"] == "x.example.net"
    assert describe(acm, arn)["Serial"] != d["Serial"]
    refused("InvalidParameterException", acm.import_certificate, CertificateArn=arn,
            **authority.args("next"), Tags=[{"Key": "k", "Value": "v"}])
    alone = acm.import_certificate(**authority.args("alone", ()))["CertificateArn"]
    assert "CertificateChain" not in acm.get_certificate(CertificateArn=alone)
    acm.delete_certificate(CertificateArn=arn)


def test_import_checks(acm, authority, domain, tmp_path):
    args = authority.args()
    chain_message = ("Unable to validate certificate chain. The certificate chain must start with "
                     "the immediate signing certificate, followed by any intermediaries in order. "
                     "The index within the chain of the invalid certificate is: %d")
    sealed = openssl("pkey", "-in", authority.path / "leaf.key", "-aes256", "-passout",
                     "pass:abcd").encode()
    subprocess.run(["openssl", "ecparam", "-name", "brainpoolP256r1", "-genkey", "-noout", "-out",
                    tmp_path / "odd.key"], check=True)
    rows = [
        ({**args, "Certificate": b"x"}, "The certificate is not in PEM format."),
        ({**args, "Certificate": authority.read("leaf", "middle")},
         "The certificate field contains more than one certificate. You can specify only one "
         "certificate in this field."),
        ({**args, "PrivateKey": b"\xff\xfe"}, "The private key is not in PEM format."),
        ({**args, "PrivateKey": sealed}, "The private key is encrypted. It must be unencrypted."),
        ({**args, "PrivateKey": authority.read("root", kind="key")},
         "The certificate and private key do not match."),
        ({**args, "PrivateKey": (tmp_path / "odd.key").read_bytes()},
         "The private key algorithm or length is not supported."),
        ({**args, "CertificateChain": b"x"}, "The certificate chain is not in PEM format."),
        ({**args, "CertificateChain": authority.read("root")}, chain_message % 0),
        ({**args, "CertificateChain": authority.read("middle", "leaf")}, chain_message % 1),
        (authority.args(chain=()), "The certificate that is not a valid self-signed. Please "
         "provide either a valid self-signed certificate or certificate chain."),
    ]
    before = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})
    for bad, why in rows:
        assert refused("ValidationException", acm.import_certificate, **bad) == why
    assert acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})[
        "CertificateSummaryList"] == before["CertificateSummaryList"]
    requested = request(acm, domain)
    refused("ValidationException", acm.import_certificate, CertificateArn=requested, **args)


def test_export_then_renew(acm, r53, zone, domain, tmp_path, daemon):
    try:
        arn = request(acm, domain, Options={"Export": "ENABLED"})
    except botocore.exceptions.ParamValidationError:
        # A client older than exportable public certificates.
        arn = json.loads(subprocess.run(
            ["aws", "acm", "request-certificate", "--domain-name", domain, "--validation-method",
             "DNS", "--key-algorithm", "EC_prime256v1", "--options", "Export=ENABLED"],
            env=daemon.env(), check=True, capture_output=True, text=True).stdout)[
                "CertificateArn"]
    prove(acm, r53, zone, arn)
    first = issued(acm, arn)
    assert first["RenewalEligibility"] == "INELIGIBLE"
    out = acm.export_certificate(CertificateArn=arn, Passphrase=b"correct horse")
    assert out["PrivateKey"].startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    (tmp_path / "key.pem").write_text(out["PrivateKey"])
    public = openssl("pkey", "-in", tmp_path / "key.pem", "-passin", "pass:correct horse",
                     "-pubout")
    assert public == openssl("x509", "-noout", "-pubkey", stdin=out["Certificate"])
    assert describe(acm, arn)["RenewalEligibility"] == "ELIGIBLE"
    acm.renew_certificate(CertificateArn=arn)
    deadline = time.monotonic() + 20
    while (d := describe(acm, arn))["Serial"] == first["Serial"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert d["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert d["RenewalEligibility"] == "INELIGIBLE"  # until it is exported again
    got = acm.get_certificate(CertificateArn=arn)
    assert openssl("x509", "-noout", "-pubkey", stdin=got["Certificate"]) != public
    # Without its record, a renewal waits for it.
    acm.export_certificate(CertificateArn=arn, Passphrase=b"correct horse")
    prove(acm, r53, zone, arn, "DELETE")
    acm.renew_certificate(CertificateArn=arn)
    deadline = time.monotonic() + 20
    while describe(acm, arn)["RenewalSummary"]["RenewalStatus"] != "PENDING_VALIDATION":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    prove(acm, r53, zone, arn)
    while describe(acm, arn)["RenewalSummary"]["RenewalStatus"] != "SUCCESS":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_goes_on_after_a_kill(tmp_path):
    daemon = conftest.Daemon()
    acm, r53 = daemon.client("acm"), daemon.client("route53")
    zone = make_zone(r53, "k.example.com")
    arn = request(acm, "k.example.com", KeyAlgorithm="RSA_2048")
    prove(acm, r53, zone, arn)
    daemon.kill()
    daemon.start()
    acm = daemon.client("acm")
    issued(acm, arn)
    root = acm.get_certificate(CertificateArn=arn)["CertificateChain"]
    other = request(acm, "k.example.com")
    issued(acm, other)
    assert acm.get_certificate(CertificateArn=other)["CertificateChain"] == root
    # Neither what is stored nor what is logged has a key in it.
    text = subprocess.run(["grep", "-rlaE", "BEGIN (RSA |EC |ENCRYPTED )?PRIVATE KEY",
                           daemon.state], capture_output=True, text=True).stdout
    assert text == ""
    daemon.stop()


def test_reset_and_stop_while_keys_are_made():
    daemon = conftest.Daemon("--ephemeral")
    acm, r53 = daemon.client("acm"), daemon.client("route53")
    for _ in range(2):
        zone = make_zone(r53, "s.example.com")
        for i in range(6):
            arn = request(acm, f"s{i}.s.example.com", KeyAlgorithm="RSA_2048")
            prove(acm, r53, zone, arn)
        urllib.request.urlopen(urllib.request.Request(
            daemon.endpoint + "/_neargate/reset", method="POST")).read()
        assert acm.list_certificates()["CertificateSummaryList"] == []
    zone = make_zone(r53, "s.example.com")
    prove(acm, r53, zone, request(acm, "s.example.com", KeyAlgorithm="RSA_2048"))
    daemon.stop()


def test_command_line(daemon, acm, r53, zone, domain):
    arn = json.loads(daemon.aws("acm", "request-certificate", "--domain-name", domain,
                                "--validation-method", "DNS"))["CertificateArn"]
    prove(acm, r53, zone, arn)
    issued(acm, arn)  # the waiter would sleep for a minute if it came too early
    daemon.aws("acm", "wait", "certificate-validated", "--certificate-arn", arn)
    assert "BEGIN CERTIFICATE" in daemon.aws("acm", "get-certificate", "--certificate-arn", arn)
