"""HTTPS listeners: the API; and real proxies by the edge's names."""
import os
import re
import shutil
import subprocess
import time

import pytest
from botocore.exceptions import ClientError

from cli import Instance

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def self_signed(path, name, san=None, key=P256):
    """(certificate, key), PEM."""
    subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName=DNS:{san or name}",
                    "-keyout", path / "key", "-out", path / "cert"],
                   check=True, capture_output=True)
    return (path / "cert").read_bytes(), (path / "key").read_bytes()


def code(fn, **kw):
    with pytest.raises(ClientError) as e:
        fn(**kw)
    return e.value.response["Error"]["Code"]


def balancer(client, name):
    subnets = [s["SubnetId"] for s in client("ec2").describe_subnets()["Subnets"]][:2]
    return client("elbv2").create_load_balancer(Name=name, Subnets=subnets)[
        "LoadBalancers"][0]


FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {
    "StatusCode": "200", "ContentType": "text/plain", "MessageBody": "hello"}}]


def test_listener(client, tmp_path):
    acm, elb = client("acm"), client("elbv2")
    cert, key = self_signed(tmp_path, "a.example.test")
    one = acm.import_certificate(Certificate=cert, PrivateKey=key)["CertificateArn"]
    two = acm.import_certificate(Certificate=cert, PrivateKey=key)["CertificateArn"]
    lb = balancer(client, "secure")["LoadBalancerArn"]
    want = {"LoadBalancerArn": lb, "Port": 443, "Protocol": "HTTPS", "DefaultActions": FIXED}
    assert code(elb.create_listener, **want) == "ValidationError"
    assert code(elb.create_listener, **want, Certificates=[
        {"CertificateArn": one[:-4] + "0000"}]) == "CertificateNotFound"
    waiting = acm.request_certificate(DomainName="b.example.test", ValidationMethod="DNS")
    assert code(elb.create_listener, **want, Certificates=[
        {"CertificateArn": waiting["CertificateArn"]}]) == "UnsupportedCertificate"
    assert code(elb.create_listener, **want, Certificates=[{"CertificateArn": one}],
                SslPolicy="None") == "SSLPolicyNotFound"
    assert code(elb.create_listener, **want | {"Protocol": "HTTP"}, Certificates=[
        {"CertificateArn": one}]) == "ValidationError"
    arn = elb.create_listener(**want, Certificates=[{"CertificateArn": one}])[
        "Listeners"][0]["ListenerArn"]
    l = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    assert l["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert l["Certificates"] == [{"CertificateArn": one}]
    elb.modify_listener(ListenerArn=arn, SslPolicy=POLICY)
    elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": two}])
    assert elb.describe_listener_certificates(ListenerArn=arn)["Certificates"] == [
        {"CertificateArn": one, "IsDefault": True}, {"CertificateArn": two, "IsDefault": False}]
    assert acm.describe_certificate(CertificateArn=two)["Certificate"]["InUseBy"] == [lb]
    assert code(acm.delete_certificate, CertificateArn=two) == "ResourceInUseException"
    assert code(elb.remove_listener_certificates, ListenerArn=arn, Certificates=[
        {"CertificateArn": one}]) == "OperationNotPermitted"
    elb.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": two}])
    acm.delete_certificate(CertificateArn=two)
    elb.modify_listener(ListenerArn=arn, Protocol="HTTP", Port=80)
    assert "Certificates" not in elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    acm.delete_certificate(CertificateArn=one)


def imported(acm, path, name, **kw):
    cert, key = self_signed(path, name, **kw)
    return acm.import_certificate(Certificate=cert, PrivateKey=key)["CertificateArn"]


def test_certificates_are_refused(client, tmp_path):
    acm, elb = client("acm"), client("elbv2")
    lb = balancer(client, "refuses")["LoadBalancerArn"]
    want = {"LoadBalancerArn": lb, "Port": 443, "Protocol": "HTTPS", "DefaultActions": FIXED}
    one = imported(acm, tmp_path, "one.test")
    weak = imported(acm, tmp_path, "weak.test", key=["-newkey", "rsa:1024"])
    abroad = imported(client("acm", region="eu-west-1"), tmp_path, "abroad.test")
    for arn, why in (("one", "ValidationError"), (weak, "UnsupportedCertificate"),
                     (abroad, "CertificateNotFound"), (lb, "ValidationError"),
                     ("arn:aws:iam::123456789012:server-certificate/a", "CertificateNotFound")):
        assert code(elb.create_listener, **want, Certificates=[{"CertificateArn": arn}]) == why
    good = [{"CertificateArn": one}]
    assert code(elb.create_listener, **want, Certificates=good * 2) == "TooManyCertificates"
    assert code(elb.create_listener, **want, Certificates=[
        {"CertificateArn": one, "IsDefault": True}]) == "ValidationError"
    assert code(elb.create_listener, **want, Certificates=good,
                AlpnPolicy=["HTTP2Only"]) == "ALPNPolicyNotSupported"
    assert code(elb.create_listener, **want, Certificates=good,
                SslPolicy="ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04") == "NotImplemented"
    assert elb.describe_listeners(LoadBalancerArn=lb)["Listeners"] == []
    arn = elb.create_listener(**want, Certificates=good)["Listeners"][0]["ListenerArn"]
    # The same again is the same.
    assert elb.create_listener(**want, Certificates=good)["Listeners"][0]["ListenerArn"] == arn
    plain = elb.create_listener(**want | {"Port": 80, "Protocol": "HTTP"})[
        "Listeners"][0]["ListenerArn"]
    assert code(elb.add_listener_certificates, ListenerArn=plain,
                Certificates=good) == "OperationNotPermitted"
    assert code(elb.modify_listener, ListenerArn=plain, Protocol="HTTPS") == "ValidationError"
    assert code(elb.modify_listener, ListenerArn=plain, SslPolicy=POLICY) == "ValidationError"
    elb.modify_listener(ListenerArn=plain, Protocol="HTTPS", Certificates=good)
    # A weak one does not come in place of a used one either.
    for key, ok in ((["-newkey", "rsa:1024"], False), (P256, True)):
        cert, secret = self_signed(tmp_path, "one.test", key=key)
        try:
            acm.import_certificate(CertificateArn=one, Certificate=cert, PrivateKey=secret)
            assert ok
        except ClientError as e:
            assert not ok and e.response["Error"]["Code"] == "ValidationException"


def test_certificate_lists(client, tmp_path):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListenerCertificates.html:
    the default one may be in the list, too; the limit is the load balancer's."""
    acm, elb = client("acm"), client("elbv2")
    lb = balancer(client, "lists")["LoadBalancerArn"]
    arns = [imported(acm, tmp_path, "a.test") for _ in range(26)]

    def listener(port):
        return elb.create_listener(
            LoadBalancerArn=lb, Port=port, Protocol="HTTPS", DefaultActions=FIXED,
            Certificates=[{"CertificateArn": arns[0]}])["Listeners"][0]["ListenerArn"]

    def add(listener, i):
        return elb.add_listener_certificates(ListenerArn=listener, Certificates=[
            {"CertificateArn": arns[i]}])["Certificates"]

    def remove(listener, i):
        elb.remove_listener_certificates(ListenerArn=listener, Certificates=[
            {"CertificateArn": arns[i]}])

    a, b = listener(443), listener(8443)
    assert code(elb.add_listener_certificates, ListenerArn=a, Certificates=[
        {"CertificateArn": arns[1], "IsDefault": False}]) == "ValidationError"
    for _ in range(2):
        assert add(a, 0) == [{"CertificateArn": arns[0], "IsDefault": False}]
    assert [c["IsDefault"] for c in elb.describe_listener_certificates(ListenerArn=a)[
        "Certificates"]] == [True, False]
    remove(a, 0)
    with pytest.raises(ClientError) as e:
        remove(a, 0)
    assert e.value.response["Error"]["Code"] == "OperationNotPermitted"
    remove(a, 1)
    for i in range(1, 26):
        add((a, b)[i % 2], i)
    with pytest.raises(ClientError) as e:
        add(b, 0)
    assert e.value.response["Error"]["Code"] == "TooManyCertificates"
    add(b, 1)
    pages = list(elb.get_paginator("describe_listener_certificates").paginate(
        ListenerArn=a, PaginationConfig={"PageSize": 5}))
    assert [len(p["Certificates"]) for p in pages] == [5, 5, 3]
    assert len({c["CertificateArn"] for p in pages for c in p["Certificates"]}) == 13
    assert code(elb.describe_listener_certificates, ListenerArn=a,
                Marker="1") == "ValidationError"
    assert code(acm.delete_certificate, CertificateArn=arns[1]) == "ResourceInUseException"
    elb.delete_load_balancer(LoadBalancerArn=lb)
    for arn in arns:
        acm.delete_certificate(CertificateArn=arn)


def test_redirect_needs_a_change(client):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html"""
    elb = client("elbv2")
    lb = balancer(client, "loops")["LoadBalancerArn"]

    def redirect(**to):
        return elb.create_listener(LoadBalancerArn=lb, Port=80, Protocol="HTTP", DefaultActions=[
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **to}}])

    assert code(redirect, Query="a=b") == "InvalidLoadBalancerAction"
    assert code(redirect) == "InvalidLoadBalancerAction"
    got = redirect(Path="/new/#{path}")["Listeners"][0]["DefaultActions"][0]["RedirectConfig"]
    assert got == {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}",
                   "Path": "/new/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}


def test_policies(client):
    elb = client("elbv2")
    p = elb.describe_ssl_policies(Names=[POLICY])["SslPolicies"][0]
    assert p["SslProtocols"] == ["TLSv1.3", "TLSv1.2"]
    assert p["Ciphers"][0] == {"Name": "TLS_AES_128_GCM_SHA256", "Priority": 1}
    every = [p["Name"] for p in elb.describe_ssl_policies()["SslPolicies"]]
    assert len(every) > 20
    pages = list(elb.get_paginator("describe_ssl_policies").paginate(
        PaginationConfig={"PageSize": 10}))
    assert [p["Name"] for page in pages for p in page["SslPolicies"]] == every
    # The CDK's own choice by its newest feature flags, and its LEGACY.
    for name in ("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", "ELBSecurityPolicy-TLS-1-0-2015-04"):
        assert name in every
    assert code(elb.describe_ssl_policies, LoadBalancerType="network") == "NotImplemented"
    assert code(elb.describe_ssl_policies, Names=["None"]) == "SSLPolicyNotFound"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("crun"), reason="root and crun")
def test_proxy(tmp_path):
    """Two certificates by SNI, a third in place of the second, names of Route
    53 in every form, the redirect, an end that leaves nothing."""
    ng = Instance()
    try:
        acm, elb, r53 = ng.client("acm"), ng.client("elbv2"), ng.client("route53")
        zone = r53.create_hosted_zone(Name="example.test", CallerReference="1")[
            "HostedZone"]["Id"]
        certs = {name: imported(acm, tmp_path, name, san=san)
                 for name, san in (("a", "a.example.test"), ("w", "*.example.test"))}
        trusted = acm.get_certificate(CertificateArn=certs["w"])["Certificate"]
        (tmp_path / "trusted").write_text(trusted)
        lb = balancer(ng.client, "secure")
        elb.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[lb["LoadBalancerArn"]], WaiterConfig={"Delay": 1})
        group = elb.describe_load_balancers()["LoadBalancers"][0]["SecurityGroups"][0]
        for port in (80, 443):
            ng.client("ec2").authorize_security_group_ingress(
                GroupId=group, IpProtocol="tcp", FromPort=port, ToPort=port,
                CidrIp="0.0.0.0/0")
        arn = elb.create_listener(
            LoadBalancerArn=lb["LoadBalancerArn"], Port=443, Protocol="HTTPS", SslPolicy=POLICY,
            Certificates=[{"CertificateArn": certs["a"]}], DefaultActions=FIXED)[
                "Listeners"][0]["ListenerArn"]
        elb.create_listener(
            LoadBalancerArn=lb["LoadBalancerArn"], Port=80, Protocol="HTTP", DefaultActions=[
                {"Type": "redirect", "RedirectConfig": {
                    "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}])
        elb.add_listener_certificates(ListenerArn=arn, Certificates=[
            {"CertificateArn": certs["w"]}])
        alias = {"HostedZoneId": lb["CanonicalHostedZoneId"],
                 "DNSName": "dualstack." + lb["DNSName"].upper(), "EvaluateTargetHealth": False}
        r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
            {"Action": "CREATE", "ResourceRecordSet": record} for record in (
                {"Name": "a.example.test", "Type": "A", "AliasTarget": alias},
                {"Name": "*.example.test", "Type": "CNAME", "TTL": 60,
                 "ResourceRecords": [{"Value": "A.example.test."}]})]})

        def edge(scheme):
            url = next(u for u in ng.status()["loadBalancers"][0]["urls"]
                       if u.startswith(scheme + ":"))
            return url.rsplit(":", 1)[1].strip("/")

        def ask(host, *args, scheme="https"):
            port = edge(scheme)
            return subprocess.run(
                ["curl", "-sS", "-k", "-v", "--retry", "20", "--retry-all-errors",
                 "--retry-delay", "1", "--resolve", f"{host}:{port}:127.0.0.1", *args,
                 f"{scheme}://{host}:{port}/x?y=z"], capture_output=True, text=True, timeout=60)

        for host, cn in (("a.example.test", "a"), ("b.example.test", "w"), (lb["DNSName"], "a"),
                         (lb["DNSName"].upper(), "a")):
            # A certificate that was just added is served after a reload.
            deadline = time.monotonic() + 30
            while f"subject: CN={cn}\n" not in (r := ask(host)).stderr:
                assert time.monotonic() < deadline, r.stderr
            assert r.stdout == "hello" and "HTTP/2 200" in r.stderr, r.stderr
        names = ng.status()["loadBalancers"][0]["names"]
        assert sorted(names) == ["*.example.test", "a.example.test"]
        assert "also a.example.test\n" in ng("status").stdout
        # Verified for once.
        port = edge("https")
        r = subprocess.run(["curl", "-sS", "--cacert", tmp_path / "trusted", "--resolve",
                            f"b.example.test:{port}:127.0.0.1", f"https://b.example.test:{port}/"],
                           capture_output=True, text=True, timeout=60)
        assert r.stdout == "hello", r.stderr
        r = ask("b.example.test", scheme="http")
        assert "HTTP/1.1 301" in r.stderr, r.stderr
        assert "location: https://b.example.test:443/x?y=z\n" in r.stderr.lower()
        assert "TLSv1.2" in ask("a.example.test", "--tls-max", "1.2", "--http1.1").stderr
        for scheme, want in (("http", "no load balancer is called"), ("https", "curl: (35)")):
            r = ask("else.test", "--retry", "0", scheme=scheme)
            assert want in r.stdout + r.stderr
        cert, key = self_signed(tmp_path, "w2", "*.example.test")
        acm.import_certificate(Certificate=cert, PrivateKey=key, CertificateArn=certs["w"])
        for _ in range(40):
            r = ask("b.example.test")
            assert r.stdout == "hello", r.stderr
            if "subject: CN=w2\n" in r.stderr:
                break
        else:
            raise AssertionError(r.stderr)
        # Renewed five times under load: no request fails.  wrk speaks to the
        # node itself, for it has no names.
        node = ng.client("ec2").describe_network_interfaces(Filters=[
            {"Name": "description", "Values": ["ELB " + lb["LoadBalancerArn"].split("/", 1)[1]]}
        ])["NetworkInterfaces"][0]["Association"]["PublicIp"]
        load = [subprocess.Popen(["wrk", "-t1", "-c8", "-d6", *more, f"https://{node}/"],
                                 stdout=subprocess.PIPE, text=True)
                for more in ((), ("-H", "Connection: close"))]
        serial, served = set(), set()
        while any(w.poll() is None for w in load):
            if serial == served and len(served) < 5:
                cert, key = self_signed(tmp_path, "a%d" % len(serial), "a.example.test")
                acm.import_certificate(Certificate=cert, PrivateKey=key,
                                       CertificateArn=certs["a"])
                serial.add("a%d" % len(serial))
            found = re.search(r"subject: CN=(\S+)", ask("a.example.test", "--retry", "0").stderr)
            served |= {found.group(1)} & serial
        for w in load:
            out = w.communicate()[0]
            assert " requests in" in out and int(out.split(" requests in")[0].split()[-1]) > 100
            assert "Non-2xx" not in out and "Socket errors" not in out, out
        assert len(served) == 5
        keys = list((ng.run / "lb").glob("lb-*/cert-*"))
        assert len(keys) == 2 and {k.stat().st_mode & 0o777 for k in keys} == {0o600}
        assert b"PRIVATE KEY" not in ng.log().encode()
        assert "PRIVATE KEY" not in ng("dump").stdout
        elb.modify_load_balancer_attributes(LoadBalancerArn=lb["LoadBalancerArn"], Attributes=[
            {"Key": "routing.http2.enabled", "Value": "false"}])
        for _ in range(40):
            r = ask("a.example.test", "--http2")
            assert r.stdout == "hello", r.stderr
            if "HTTP/1.1 200" in r.stderr:
                break
        else:
            raise AssertionError(r.stderr)
        # Names go with their records.
        r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
            {"Action": "DELETE", "ResourceRecordSet": {
                "Name": "a.example.test", "Type": "A", "AliasTarget": alias}}]})
        end = time.monotonic() + 60
        while ng.status()["loadBalancers"][0]["names"]:
            assert time.monotonic() < end
            time.sleep(0.05)
        r = ask("a.example.test", "--retry", "0", scheme="http")
        assert "no load balancer is called" in r.stdout
    finally:
        ng.down()
    assert ng.leftovers() == []
