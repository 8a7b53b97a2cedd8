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
from raw import Signed, now, send


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


# Each family refuses in its own codes, the same reasons for all.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

FORM = ("Content-Type", "application/x-www-form-urlencoded")
FAMILIES = {
    "json": {"service": "ecs", "body": b"{}", "headers": [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")]},
    "query": {"service": "sts", "body": BODY, "headers": [FORM]},
    "ec2": {"service": "ec2", "body": b"Action=DescribeVpcs&Version=2016-11-15", "headers": [FORM]},
    "rest": {"service": "lambda", "method": "GET", "path": "/2015-03-31/functions/"},
    "s3": {"service": "s3", "method": "GET", "path": "/bucket"},
}
CODES = {
    #                json                              query
    "MISSING": [(400, "MissingAuthenticationTokenException"), (403, "MissingAuthenticationToken"),
                (401, "AuthFailure"), (403, "MissingAuthenticationTokenException"),
                (403, "AccessDenied")],
    "INCOMPLETE": [(400, "IncompleteSignatureException"), (400, "IncompleteSignature"),
                   (401, "AuthFailure"), (403, "IncompleteSignatureException"),
                   (400, "AuthorizationHeaderMalformed")],
    "KEY": [(400, "UnrecognizedClientException"), (403, "InvalidClientTokenId"),
            (401, "AuthFailure"), (403, "UnrecognizedClientException"),
            (403, "InvalidAccessKeyId")],
    "TOKEN": [(400, "UnrecognizedClientException"), (403, "InvalidClientTokenId"),
            (401, "AuthFailure"), (403, "UnrecognizedClientException"),
            (400, "InvalidToken")],
    "MISMATCH": [(400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch"),
                 (401, "AuthFailure"), (403, "InvalidSignatureException"),
                 (403, "SignatureDoesNotMatch")],
    "CLAIM": [(400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch"),
              (401, "AuthFailure"), (403, "InvalidSignatureException"),
              (400, "AuthorizationHeaderMalformed")],
    "EXPIRED": [(400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch"),
                (400, "RequestExpired"), (403, "InvalidSignatureException"),
                (403, "RequestTimeTooSkewed")],
}
PARTS = "Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}"
V4 = "AWS4-HMAC-SHA256 "


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("bend,want", [
    ({"key": "AKIAWRONG"}, "KEY"),
    ({"secret": "wrong"}, "MISMATCH"),
    ({"terminator": "aws5_request"}, "CLAIM"),
    ({"skip": ["host"]}, "CLAIM"),
    ({"at": now(-16)}, "EXPIRED"), ({"at": now(16)}, "EXPIRED"),
    ({"at": now(-14)}, None), ({"at": now(14)}, None),
    ({"claim": "AWS4-HMAC-SHA512 " + PARTS}, "INCOMPLETE"),
    ({"claim": V4 + "Credential={key}/{scope}, SignedHeaders={signed}"}, "INCOMPLETE"),
    ({"claim": V4 + "Credential={key}/{scope}, Signature={signature}"}, "INCOMPLETE"),
    ({"claim": V4 + "Credential={key}/{scope}, junk, " + PARTS}, "INCOMPLETE"),
    ({"claim": V4 + PARTS.replace("{signature}", "{signature}0")}, "MISMATCH"),
    ({"claim": V4 + PARTS.replace("{signature}", "")}, "INCOMPLETE"),
    ({"claim": V4 + PARTS.replace("{signed}", "{signed};x-absent")}, "MISMATCH"),
    ({"claim": V4 + PARTS.replace(", ", ",")}, None),
    ({"token": "a session that nobody made"}, "TOKEN"),
    ({"host": "elsewhere.example.com"}, None),
])
def test_bent(daemon, family, bend, want):
    status, code, answer = send(daemon, Signed(**FAMILIES[family], **bend))
    if want is None:
        assert status in (200, 404, 501), answer
        return
    # A claim that cannot be read names no service, and where nothing else
    # does, the answer is that of the front door.
    if family in ("rest", "s3") and want == "INCOMPLETE" and status == 403:
        assert code == "MissingAuthenticationToken", answer
        return
    assert (status, code) == CODES[want][list(FAMILIES).index(family)], answer


@pytest.mark.parametrize("family", ["json", "query", "ec2"])
@pytest.mark.parametrize("claim", [None, "Bearer token", "Basic eDp5", ""])
def test_no_token(daemon, family, claim):
    r = Signed(**FAMILIES[family])
    r.headers = [h for h in r.headers if h[0] != "Authorization"]
    r.headers += [("Authorization", claim)] if claim is not None else []
    status, code, answer = send(daemon, r)
    assert (status, code) == CODES["MISSING"][list(FAMILIES).index(family)], answer


@pytest.mark.parametrize("family", FAMILIES)
def test_changed_on_the_way(daemon, family):
    """Whatever the signature covers cannot be changed."""
    mismatch = CODES["MISMATCH"][list(FAMILIES).index(family)]

    def after(change):
        r = Signed(**FAMILIES[family], query=[("a", "1")])
        change(r)
        return send(daemon, r)[:2]

    def replace(name, value):
        def change(r):
            r.headers = [(k, value if k == name else v) for k, v in r.headers]
        return change

    assert after(lambda r: None)[0] in (200, 404, 501)
    assert after(replace("Host", "other")) == mismatch
    assert after(replace("X-Amz-Date", now(-1))) == mismatch
    assert after(lambda r: r.query.append(("b", "2"))) == mismatch
    assert after(lambda r: r.query.clear()) == mismatch
    assert after(lambda r: setattr(r, "method", r.method.lower())) in (
        mismatch, (405, "MethodNotAllowed"), (404, "UnknownOperationException"))
    if FAMILIES[family].get("body"):
        assert after(lambda r: setattr(r, "body", r.body + b" ")) == mismatch


def test_repeated_headers_are_joined(daemon):
    """As many, in their order, or the signature is another."""
    headers = FAMILIES["query"]["headers"] + [("X-Twice", "a"), ("X-Twice", "b  c")]
    r = Signed("sts", BODY, headers=headers)
    assert send(daemon, r)[0] == 200
    r.headers = [h for h in r.headers if h != ("X-Twice", "a")] + [("X-Twice", "a")]
    assert send(daemon, r)[:2] == (403, "SignatureDoesNotMatch")
    r.headers.remove(("X-Twice", "a"))
    assert send(daemon, r)[:2] == (403, "SignatureDoesNotMatch")


def test_unsigned_headers_are_no_harm_but_to_s3(daemon):
    r = Signed("sts", BODY, headers=[FORM])
    r.headers.append(("X-Amz-Later", "1"))
    assert send(daemon, r)[0] == 200
    r = Signed("s3", method="GET", path="/bucket")
    r.headers.append(("X-Amz-Later", "1"))
    status, code, answer = send(daemon, r)
    assert (status, code) == (403, "AccessDenied"), answer
    assert b"There were headers present in the request which were not signed" in answer


def test_another_service(daemon):
    """X-Amz-Target says ecs, the scope says sts."""
    r = Signed(**{**FAMILIES["json"], "service": "sts"})
    status, code, answer = send(daemon, r)
    assert (status, code) == (400, "InvalidSignatureException")
    assert b"Credential should be scoped to correct service: 'ecs'. " in answer


def presigned(family, **bend):
    r = {**FAMILIES[family], "presign": 60, **bend}
    if r.get("body"):
        action = dict(p.split("=") for p in r.pop("body").decode().split("&"))
        r.update(method="GET", query=list(action.items()), headers=[])
    return r


@pytest.mark.parametrize("family,bend,want", [
    ("query", {}, 200), ("ec2", {}, 200), ("s3", {}, (404, 501)), ("rest", {}, (200, 501)),
    ("query", {"secret": "wrong"}, (403, "SignatureDoesNotMatch")),
    ("query", {"key": "AKIAWRONG"}, (403, "InvalidClientTokenId")),
    ("query", {"at": now(-16)}, (403, "SignatureDoesNotMatch")),
    ("query", {"at": now(-14), "presign": 1}, 200),  # not what bounds it outside of S3
    ("ec2", {"secret": "wrong"}, (401, "AuthFailure")),
    ("ec2", {"at": now(-16)}, (400, "RequestExpired")),
    ("s3", {"at": now(-2), "presign": 60}, (403, "AccessDenied")),
    ("s3", {"at": now(-120), "presign": 7300}, (404, 501)),
    ("s3", {"presign": 604801}, (400, "AuthorizationQueryParametersError")),
    ("s3", {"presign": -1}, (400, "AuthorizationQueryParametersError")),
    ("s3", {"presign": "soon"}, (400, "AuthorizationQueryParametersError")),
    ("s3", {"secret": "wrong"}, (403, "SignatureDoesNotMatch")),
])
def test_presigned(daemon, family, bend, want):
    status, code, answer = send(daemon, Signed(**presigned(family, **bend)))
    if isinstance(want, tuple) and isinstance(want[1], str):
        assert (status, code) == want, answer
    else:
        assert status in (want if isinstance(want, tuple) else (want,)), answer


def test_presigned_by_sdk(client):
    for service, op, params in [("sts", "get_caller_identity", {}), ("ec2", "describe_vpcs", {}),
                                ("elbv2", "describe_load_balancers", {})]:
        url = client(service).generate_presigned_url(op, Params=params, HttpMethod="GET")
        with urllib.request.urlopen(url) as r:
            assert r.status == 200, url


def test_two_ways_at_once(daemon):
    r = Signed("sts", BODY, headers=[FORM], query=[("X-Amz-Algorithm", "AWS4-HMAC-SHA256")])
    status, code, answer = send(daemon, r)
    assert (status, code) == (403, "SignatureDoesNotMatch") and b"Found both" in answer


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
