"""HTTPS listeners: the API; and real proxies by the edge's names."""
import os
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError

from cli import Instance

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


def self_signed(path, name, san=None):
    """(certificate, key), PEM."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
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


def test_policies(client):
    elb = client("elbv2")
    p = elb.describe_ssl_policies(Names=[POLICY])["SslPolicies"][0]
    assert p["SslProtocols"] == ["TLSv1.3", "TLSv1.2"]
    assert p["Ciphers"][0] == {"Name": "TLS_AES_128_GCM_SHA256", "Priority": 1}
    assert len(elb.describe_ssl_policies()["SslPolicies"]) > 10
    assert code(elb.describe_ssl_policies, Names=["None"]) == "SSLPolicyNotFound"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("crun"), reason="root and crun")
def test_proxy(tmp_path):
    """Two certificates by SNI, a third in place of the second, names of Route
    53, versions of TLS, an end that leaves nothing."""
    ng = Instance()
    try:
        acm, elb, r53 = ng.client("acm"), ng.client("elbv2"), ng.client("route53")
        zone = r53.create_hosted_zone(Name="example.test", CallerReference="1")[
            "HostedZone"]["Id"]
        certs = {}
        for name, san in (("a", "a.example.test"), ("w", "*.example.test")):
            cert, key = self_signed(tmp_path, name, san)
            certs[name] = acm.import_certificate(Certificate=cert, PrivateKey=key)[
                "CertificateArn"]
        lb = balancer(ng.client, "secure")
        elb.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[lb["LoadBalancerArn"]], WaiterConfig={"Delay": 1})
        group = elb.describe_load_balancers()["LoadBalancers"][0]["SecurityGroups"][0]
        ng.client("ec2").authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0")
        arn = elb.create_listener(
            LoadBalancerArn=lb["LoadBalancerArn"], Port=443, Protocol="HTTPS", SslPolicy=POLICY,
            Certificates=[{"CertificateArn": certs["a"]}], DefaultActions=FIXED)[
                "Listeners"][0]["ListenerArn"]
        elb.add_listener_certificates(ListenerArn=arn, Certificates=[
            {"CertificateArn": certs["w"]}])
        r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
            {"Action": "CREATE", "ResourceRecordSet": {
                "Name": "a.example.test", "Type": "A", "AliasTarget": {
                    "HostedZoneId": lb["CanonicalHostedZoneId"],
                    "DNSName": "dualstack." + lb["DNSName"], "EvaluateTargetHealth": False}}},
            {"Action": "CREATE", "ResourceRecordSet": {
                "Name": "*.example.test", "Type": "CNAME", "TTL": 60,
                "ResourceRecords": [{"Value": "a.example.test"}]}}]})

        def ask(host, *args):
            url = ng.status()["loadBalancers"][0]["urls"][0]
            port = url.rsplit(":", 1)[1].strip("/")
            return subprocess.run(
                ["curl", "-sS", "-k", "-v", "--retry", "20", "--retry-all-errors",
                 "--retry-delay", "1", "--resolve", f"{host}:{port}:127.0.0.1",
                 f"https://{host}:{port}/", *args], capture_output=True, text=True, timeout=60)

        for host, cn in (("a.example.test", "a"), ("b.example.test", "w")):
            r = ask(host)
            assert r.stdout == "hello", r.stderr
            assert f"subject: CN={cn}\n" in r.stderr and "HTTP/2 200" in r.stderr
        assert "TLSv1.2" in ask("a.example.test", "--tls-max", "1.2", "--http1.1").stderr
        cert, key = self_signed(tmp_path, "w2", "*.example.test")
        acm.import_certificate(Certificate=cert, PrivateKey=key, CertificateArn=certs["w"])
        for _ in range(40):
            r = ask("b.example.test")
            assert r.stdout == "hello", r.stderr
            if "subject: CN=w2\n" in r.stderr:
                break
        else:
            raise AssertionError(r.stderr)
        keys = list((ng.run / "lb").glob("lb-*/cert-*"))
        assert len(keys) == 2 and {k.stat().st_mode & 0o777 for k in keys} == {0o600}
        assert b"PRIVATE KEY" not in ng.log().encode()
    finally:
        ng.down()
    assert ng.leftovers() == []
