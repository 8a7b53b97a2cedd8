"""Requests made by hand: signed as asked, sent byte for byte."""
import datetime
import hashlib
import hmac
import re
import socket
import urllib.parse

from conftest import KEY, REGION, SECRET

EMPTY = hashlib.sha256(b"").hexdigest()


def now(minutes=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y%m%dT%H%M%SZ")


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret, scope):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = mac(key, part)
    return key


def canonical_query(pairs):
    def quote(s):
        return urllib.parse.quote(s, safe="-_.~")
    return "&".join(sorted(f"{quote(k)}={quote(v)}" for k, v in pairs))


class Signed:
    """A request and its signature, every part of which can be bent.

    service, region, date and scope say what the credential claims; headers
    are (name, value) pairs as they will be sent, and skip names those that
    the signature leaves out."""

    def __init__(self, service, body=b"", method="POST", path="/", query=(), headers=(), skip=(),
                 host="localhost", key=KEY, secret=SECRET, region=REGION, at=None, scope=None,
                 payload=None, presign=None, terminator="aws4_request", token=None, claim=None):
        self.method, self.path, self.body = method, path, body
        self.amz_date = at or now()
        self.scope = scope or f"{self.amz_date[:8]}/{region}/{service}/{terminator}"
        self.key, self.secret = signing_key(secret, self.scope), secret
        self.headers = [("Host", host)] + list(headers)
        self.query = list(query)
        digest = payload or hashlib.sha256(body).hexdigest()
        if presign is None:
            self.headers.append(("X-Amz-Date", self.amz_date))
            if token:
                self.headers.append(("X-Amz-Security-Token", token))
            if service == "s3" or payload:
                self.headers.append(("X-Amz-Content-Sha256", digest))
        elif service == "s3":
            digest = "UNSIGNED-PAYLOAD"
        names = sorted({k.lower() for k, _ in self.headers} - set(skip))
        signed = ";".join(names)
        if presign is not None:
            self.query += [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                           ("X-Amz-Credential", f"{key}/{self.scope}"),
                           ("X-Amz-Date", self.amz_date), ("X-Amz-Expires", str(presign)),
                           ("X-Amz-SignedHeaders", signed)]
        lines = [f"{n}:" + ",".join(re.sub(" +", " ", v.strip()) for k, v in self.headers
                                    if k.lower() == n) for n in names]
        canonical = "\n".join([method, path, canonical_query(self.query), *lines, "", signed,
                               digest])
        self.signature = self.sign("AWS4-HMAC-SHA256", hashlib.sha256(
            canonical.encode()).hexdigest())
        if presign is not None:
            self.query.append(("X-Amz-Signature", self.signature))
        else:
            self.headers.append(("Authorization", (
                claim or "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, "
                "Signature={signature}").format(key=key, scope=self.scope, signed=signed,
                                                signature=self.signature)))

    def sign(self, algorithm, text, previous=None):
        parts = [algorithm, self.amz_date, self.scope] + ([previous] if previous else []) + [text]
        return mac(self.key, "\n".join(parts)).hex()

    def bytes(self, close=True, length=None):
        target = self.path
        if self.query:
            target += "?" + canonical_query(self.query)
        head = f"{self.method} {target} HTTP/1.1\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in self.headers)
        head += f"Content-Length: {len(self.body) if length is None else length}\r\n"
        head += "Connection: close\r\n" if close else ""
        return head.encode() + b"\r\n" + self.body


def talk(daemon, data, timeout=10):
    """All that comes back until the daemon closes."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=timeout) as s:
        s.sendall(data)
        got = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece


def send(daemon, request):
    """(status, error code or "", the whole answer)"""
    answer = talk(daemon, request.bytes() if isinstance(request, Signed) else request)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    m = re.search(rb'"__type" *: *"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)</Code>'
                  rb'|"code" *: *"([^"]+)"', body)
    if not m:
        m = re.search(rb"(?i)x-amzn-errortype: *([A-Za-z0-9]+)", head)
    code = next((g for g in m.groups() if g), b"") if m else b""
    return status, code.decode(), answer
