"""neargate ca and neargate import, and that no key leaves."""
import os
import shutil
import subprocess

import pytest
from cli import Instance
from test_acm import issued, prove, request

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("crun"), reason="root and crun")


@pytest.fixture(scope="module")
def one():
    i = Instance()
    yield i
    i.down()


def test_ca_signs_what_acm_issues(one, tmp_path):
    first = one("ca").stdout
    assert first.startswith("-----BEGIN CERTIFICATE-----") and one("ca").stdout == first
    assert "PRIVATE KEY" not in first
    (tmp_path / "ca.pem").write_text(first)
    acm, r53 = one.client("acm"), one.client("route53")
    zone = r53.create_hosted_zone(Name="ca.example.com", CallerReference="1")["HostedZone"]["Id"]
    arn = request(acm, "ca.example.com")
    prove(acm, r53, zone, arn)
    issued(acm, arn)
    (tmp_path / "cert.pem").write_text(acm.get_certificate(CertificateArn=arn)["Certificate"])
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "ca.pem",
                    tmp_path / "cert.pem"], check=True, capture_output=True)
    dump = one("dump").stdout
    line = next(x for x in dump.splitlines() if arn in x)
    assert '"PrivateKey":"(hidden)"' in line
    assert "PRIVATE KEY" not in dump + one.log()
    # A reset empties everything, but who trusts the CA need not do so again.
    subprocess.run(["curl", "-sf", "-X", "POST", one.endpoint + "/_neargate/reset"], check=True)
    assert one("ca").stdout == first


def test_import_a_hosted_zone(one):
    args = ("import", "hosted-zone", "--id", "Z0123456789ABC", "--name")
    one(*args, "Own.example.com")
    one(*args, "own.example.com.")  # again
    r53 = one.client("route53")
    zone = r53.get_hosted_zone(Id="Z0123456789ABC")
    assert zone["HostedZone"]["Name"] == "own.example.com."
    assert zone["HostedZone"]["ResourceRecordSetCount"] == 2
    assert len(zone["DelegationSet"]["NameServers"]) == 4
    rows = [
        (("import", "hosted-zone", "--id", "Z0123456789ABC", "--name", "other.com"), 1,
         "Z0123456789ABC is the hosted zone own.example.com."),
        (("import", "hosted-zone", "--id", "Z1", "--name", "own.example.com"), 1,
         "own.example.com. has the hosted zone Z0123456789ABC already"),
        (("import", "hosted-zone", "--id", "z1", "--name", "x.com"), 1, "no id of a hosted zone"),
        (("import", "hosted-zone", "--id", "Z1 2", "--name", "x.com"), 1, "no id of a hosted"),
        (("import", "hosted-zone", "--id", "Z1", "--name", "a..b"), 1, "Domain label is empty"),
        (("import", "hosted-zone", "--id", "Z1"), 2, "needs --id and --name"),
        (("import",), 2, "Only `neargate import hosted-zone`"),
    ]
    for words, code, say in rows:
        p = one(*words, check=False)
        assert (p.returncode, say in p.stderr) == (code, True), p.stderr
    assert [z["Id"] for z in r53.list_hosted_zones()["HostedZones"]] == [
        "/hostedzone/Z0123456789ABC"]
