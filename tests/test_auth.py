"""Who gets in, and what the others are told."""
import datetime
import json
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, KEY, SECRET, Daemon


def code(call, **args):
    with pytest.raises(ClientError) as e:
        call(**args)
    r = e.value.response
    return r["ResponseMetadata"]["HTTPStatusCode"], r["Error"]["Code"]


def test_identity(client):
    r = client("sts").get_caller_identity()
    assert r["Account"] == ACCOUNT
    assert r["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_cli(daemon):
    assert json.loads(daemon.aws("sts", "get-caller-identity"))["Account"] == ACCOUNT


@pytest.mark.parametrize("service,op,args,wrong_key,wrong_secret", [
    ("sts", "get_caller_identity", {}, (403, "InvalidClientTokenId"),
     (403, "SignatureDoesNotMatch")),
    ("ecs", "list_clusters", {}, (400, "UnrecognizedClientException"),
     (400, "InvalidSignatureException")),
    ("ec2", "describe_vpcs", {}, (401, "AuthFailure"), (401, "AuthFailure")),
])
def test_refused(client, service, op, args, wrong_key, wrong_secret):
    assert code(getattr(client(service, key="AKIAWRONG"), op), **args) == wrong_key
    assert code(getattr(client(service, secret="wrong"), op), **args) == wrong_secret


def test_not_implemented_by_name(client):
    with pytest.raises(ClientError) as e:
        client("ecs").create_task_set(cluster="c", service="s", taskDefinition="t")
    r = e.value.response
    assert r["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert r["Error"] == {"Code": "NotImplemented",
                          "Message": "ecs:CreateTaskSet is not implemented"}


def post(endpoint, body, headers):
    request = urllib.request.Request(endpoint + "/", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def signed(endpoint, body, at=None):
    """Headers of a signed sts call, made at another time if asked."""
    request = botocore.awsrequest.AWSRequest(
        "POST", endpoint + "/", data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "sts",
                                   "us-east-1")
    if at is None:
        auth.add_auth(request)
    else:
        class Clock(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return at
        real, botocore.auth.datetime.datetime = botocore.auth.datetime.datetime, Clock
        try:
            auth.add_auth(request)
        finally:
            botocore.auth.datetime.datetime = real
    return dict(request.headers.items())


BODY = b"Action=GetCallerIdentity&Version=2011-06-15"


def test_raw(endpoint):
    assert post(endpoint, BODY, signed(endpoint, BODY))[0] == 200


def test_tampered_body(endpoint):
    status, text = post(endpoint, BODY + b"&A=b", signed(endpoint, BODY))
    assert status == 403 and b"SignatureDoesNotMatch" in text


@pytest.mark.parametrize("minutes", [-20, 20])
def test_skew(endpoint, minutes):
    at = datetime.datetime.utcnow() + datetime.timedelta(minutes=minutes)
    status, text = post(endpoint, BODY, signed(endpoint, BODY, at))
    assert status == 403 and b"SignatureDoesNotMatch" in text
    assert (b"Signature expired" if minutes < 0 else b"not yet current") in text


def test_unsigned(endpoint):
    status, text = post(endpoint, BODY, {})
    assert status == 403 and b"MissingAuthenticationToken" in text


def test_reset_is_for_ephemeral_ones():
    d = Daemon()
    try:
        assert post(d.endpoint + "/_neargate/reset", b"", {})[0] == 404
    finally:
        d.stop()


def test_key_survives(tmp_path):
    d = Daemon()
    try:
        assert d.client("sts").get_caller_identity()["Account"] == ACCOUNT
        d.kill()
        d.args = ()
        d.start()
        assert d.client("sts").get_caller_identity()["Account"] == ACCOUNT
    finally:
        d.stop()
