"""The OCI distribution specification 1.1, case by case, and what ECR adds."""
import concurrent.futures
import gzip
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import time

import pytest

import conftest
import oci
from oci import DOCKER, DOCKER_LIST, INDEX, MANIFEST, Registry, quote, sha

serial = itertools.count()
DATA = random.Random(1).randbytes(300000)
NOT_FOUND = "The repository with name '{}' does not exist in the registry with id '123456789012'"


@pytest.fixture(scope="module")
def reg(daemon):
    return Registry(daemon)


@pytest.fixture
def repo(daemon, request):
    """An empty repository, named after the test."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].rstrip("-")
    name = f"t{next(serial)}/{name}"
    daemon.client("ecr").create_repository(repositoryName=name)
    return name


# Who may come in

def test_challenge(reg, daemon):
    r = reg.call("GET", "/v2/", auth=False)
    assert r.status == 401 and r.code == "UNAUTHORIZED"
    assert r.headers["WWW-Authenticate"] == (
        f'Basic realm="http://127.0.0.1:{daemon.port}/",service="ecr.amazonaws.com"')
    assert r.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    for path in ("/v2", "/v2/"):
        r = reg.call("GET", path)
        assert (r.status, r.json()) == (200, {})
        assert r.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.parametrize("auth", [
    "", "Basic", "Basic !", "Basic QVdTOg==", "Basic Og==", "Bearer x", "Basic " + "A" * 9000,
    "AWS4-HMAC-SHA256 Credential=x"])
def test_bad_authorization(daemon, auth):
    r = Registry(daemon, auth=auth).call("GET", "/v2/")
    assert r.status in (401, 431), r.body
    if r.status == 401:
        assert r.headers["WWW-Authenticate"].startswith("Basic ")


def test_token_cannot_be_changed(daemon, reg):
    import base64
    user, password = base64.b64decode(reg.auth.split()[1]).split(b":", 1)
    assert user == b"AWS"
    payload, mac = password.split(b".")
    text = base64.b64decode(payload)
    for bad in (
            b"AWS:" + base64.b64encode(text.replace(b"123456789012", b"123456789013"))
            + b"." + mac,
            b"aws:" + password, b"AWS:" + payload + b".", b"AWS:" + payload + b"." + mac[:-1],
            b"AWS:" + payload, b"AWS:" + password + b"\n"):
        r = Registry(daemon, auth="Basic " + base64.b64encode(bad).decode()).call("GET", "/v2/")
        assert r.status == 401, bad


def test_token_is_of_its_region_and_host(daemon, reg, repo):
    data = reg.image(repo, "here")
    far = Registry(daemon, region="eu-west-1")
    assert far.call("GET", f"/v2/{repo}/manifests/here").code == "NAME_UNKNOWN"
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    named = Registry(daemon, auth=reg.auth, host=host)
    r = named.call("GET", f"/v2/{repo}/manifests/here")
    assert r.status == 200 and r.headers["Docker-Content-Digest"] == data
    for host in ("210987654321.dkr.ecr.us-east-1.amazonaws.com",
                 "123456789012.dkr.ecr.eu-west-1.amazonaws.com"):
        r = Registry(daemon, auth=reg.auth, host=host).call("GET", "/v2/")
        assert (r.status, r.code) == (403, "DENIED")


# Pushing blobs

def test_monolithic_post(reg, repo):
    r = reg.call("POST", f"/v2/{repo}/blobs/uploads/?digest={sha(DATA)}", DATA)
    assert r.status == 201
    assert r.headers["Location"] == f"/v2/{repo}/blobs/{sha(DATA)}"
    assert reg.call("GET", r.headers["Location"]).body == DATA


def test_post_then_put(reg, repo):
    where = reg.start(repo)
    r = reg.call("PUT", f"{where}?digest={sha(DATA)}", DATA,
                 {"Content-Type": "application/octet-stream"})
    assert r.status == 201
    assert r.headers["Docker-Content-Digest"] == sha(DATA)
    # The session ended with it.
    assert reg.call("GET", where).code == "BLOB_UPLOAD_UNKNOWN"
    assert reg.call("PUT", f"{where}?digest={sha(DATA)}").status == 404


def test_empty_and_sha512_blobs(reg, repo):
    import hashlib
    assert reg.blob(repo, b"") == sha(b"")
    assert reg.call("HEAD", f"/v2/{repo}/blobs/{sha(b'')}").headers["Content-Length"] == "0"
    d = "sha512:" + hashlib.sha512(DATA).hexdigest()
    r = reg.call("POST", f"/v2/{repo}/blobs/uploads/?digest={d}", DATA)
    assert r.status == 201 and r.headers["Docker-Content-Digest"] == d
    assert reg.call("GET", f"/v2/{repo}/blobs/{d}").body == DATA


def test_chunks(reg, repo):
    where = reg.start(repo)
    r = reg.call("GET", where)
    assert (r.status, r.headers["Range"]) == (204, "0-0")
    at = 0
    for n in (1, 100000, 70000):
        r = reg.call("PATCH", where, DATA[at:at + n],
                     {"Content-Range": f"{at}-{at + n - 1}"})
        at += n
        assert (r.status, r.headers["Range"]) == (202, f"0-{at - 1}")
        where = r.headers["Location"]
        assert r.headers["Docker-Upload-UUID"] in where
        assert reg.call("GET", where).headers["Range"] == f"0-{at - 1}"
    # Out of order: behind and beyond what came.
    for first in (at - 1, at + 1, 0):
        r = reg.call("PATCH", where, DATA[:10], {"Content-Range": f"{first}-{first + 9}"})
        assert (r.status, r.code, r.headers["Range"]) == (
            416, "BLOB_UPLOAD_INVALID", f"0-{at - 1}")
        assert r.headers["Location"]
    r = reg.call("PATCH", where, DATA[:10], {"Content-Range": f"{at}-{at + 3}"})
    assert (r.status, r.code) == (400, "SIZE_INVALID")
    for bad in ("x", "5-1", "-", f"{at}", "99999999999999999999-1"):
        assert reg.call("PATCH", where, b"x", {"Content-Range": bad}).status == 400
    # The last chunk may come with the PUT.
    r = reg.call("PUT", f"{where}?digest={sha(DATA)}", DATA[at:],
                 {"Content-Range": f"{at}-{len(DATA) - 1}"})
    assert r.status == 201
    assert reg.call("GET", f"/v2/{repo}/blobs/{sha(DATA)}").body == DATA


def test_chunked_encoding(reg, repo):
    where = reg.start(repo)
    r = reg.call("PATCH", where, iter([DATA[:1000], DATA[1000:]]))
    assert (r.status, r.headers["Range"]) == (202, f"0-{len(DATA) - 1}")
    r = reg.call("PUT", f"{r.headers['Location']}?digest={quote(sha(DATA))}")
    assert r.status == 201


def test_large_uploads(reg, repo):
    """More than is held in memory, in small chunks, and several at once."""
    data = random.Random(3).randbytes(6 << 20)

    def push(step):
        r = reg.call("PATCH", reg.start(repo), iter(
            data[i:i + step] for i in range(0, len(data), step)))
        assert (r.status, r.headers["Range"]) == (202, f"0-{len(data) - 1}")
        return reg.call("PUT", f"{r.headers['Location']}?digest={sha(data)}").status
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(push, (1000, 8192, 100000, 5 << 20))) == [201] * 4
    assert reg.call("GET", f"/v2/{repo}/blobs/{sha(data)}").body == data


def test_cancel(reg, repo):
    where = reg.start(repo)
    assert reg.call("PATCH", where, DATA).status == 202
    assert reg.call("DELETE", where).status == 204
    assert reg.call("DELETE", where).code == "BLOB_UPLOAD_UNKNOWN"
    assert reg.call("PATCH", where, DATA).status == 404


@pytest.mark.parametrize("digest,status,code", [
    (sha(b"other"), 400, "DIGEST_INVALID"),
    ("sha256:abc", 400, "DIGEST_INVALID"),
    ("md5:" + "0" * 32, 400, "DIGEST_INVALID"),
    ("sha256:" + "G" * 64, 400, "DIGEST_INVALID"),
    ("sha256:../../" + "0" * 58, 400, "DIGEST_INVALID"),
    ("", 400, "DIGEST_INVALID"),
    (None, 400, "DIGEST_INVALID"),
], ids=["wrong", "short", "md5", "nohex", "path", "empty", "none"])
def test_wrong_digest(daemon, reg, repo, digest, status, code):
    where = reg.start(repo)
    query = "" if digest is None else "?digest=" + quote(digest)
    r = reg.call("PUT", where + query, DATA)
    assert (r.status, r.code) == (status, code)
    if digest is not None:
        r = reg.call("POST", f"/v2/{repo}/blobs/uploads/" + query, DATA)
        assert (r.status, r.code) == (status, code)
    assert reg.call("HEAD", f"/v2/{repo}/blobs/{sha(DATA)}").status == 404


def test_mount(daemon, reg, repo):
    other = repo + "/other"
    daemon.client("ecr").create_repository(repositoryName=other)
    d = reg.blob(repo, DATA)
    assert reg.call("HEAD", f"/v2/{other}/blobs/{d}").status == 404
    r = reg.call("POST", f"/v2/{other}/blobs/uploads/?mount={quote(d)}&from={quote(repo)}")
    assert (r.status, r.headers["Location"]) == (201, f"/v2/{other}/blobs/{d}")
    assert reg.call("GET", f"/v2/{other}/blobs/{d}").body == DATA
    # What cannot be mounted becomes an ordinary upload.
    for query in (f"mount={quote(sha(b'no'))}&from={repo}", f"mount={quote(d)}&from=no/such",
                  f"mount={quote(d)}", "mount=x&from=y", f"mount={quote(d)}&from=../t"):
        r = reg.call("POST", f"/v2/{other}/blobs/uploads/?{query}")
        assert r.status == 202 and r.headers["Location"], query
    # Not from another region's repository of the same name.
    daemon.client("ecr", region="eu-west-1").create_repository(repositoryName=other)
    far = Registry(daemon, region="eu-west-1")
    r = far.call("POST", f"/v2/{other}/blobs/uploads/?mount={quote(d)}&from={quote(repo)}")
    assert r.status == 202


def test_upload_is_of_its_repository(daemon, reg, repo):
    other = repo + "/other"
    daemon.client("ecr").create_repository(repositoryName=other)
    uid = reg.start(repo).rsplit("/", 1)[1]
    for bad in (f"/v2/{other}/blobs/uploads/{uid}", f"/v2/{repo}/blobs/uploads/{uid}x",
                f"/v2/{repo}/blobs/uploads/{uid}%00", f"/v2/{repo}/blobs/uploads/..%2f{uid}",
                f"/v2/{repo}/blobs/uploads/."):
        for method in ("GET", "PATCH", "DELETE"):
            r = reg.call(method, bad)
            assert r.status in (400, 404), (method, bad, r.status)


def test_half_pushed(daemon, reg, repo):
    """A client that goes away in the middle of a chunk, and goes on later."""
    where = reg.start(repo)
    s = socket.create_connection(("127.0.0.1", daemon.port))
    s.sendall((f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: {reg.auth}\r\n"
               f"Content-Length: {len(DATA)}\r\n\r\n").encode() + DATA[:100000])
    # While it writes, nobody else may.
    deadline = time.monotonic() + 5
    while reg.call("GET", where).headers["Range"] == "0-0":
        assert time.monotonic() < deadline
    r = reg.call("PATCH", where, b"x")
    assert (r.status, r.code) == (409, "BLOB_UPLOAD_INVALID")
    assert reg.call("DELETE", where).status == 409
    s.close()
    deadline = time.monotonic() + 5
    while True:
        at = int(reg.call("GET", where).headers["Range"][2:]) + 1
        r = reg.call("PATCH", where, DATA[at:], {"Content-Range": f"{at}-{len(DATA) - 1}"})
        if r.status == 202:
            break
        assert r.status in (409, 416) and time.monotonic() < deadline, r.body
    assert reg.call("PUT", f"{where}?digest={sha(DATA)}").status == 201


def test_same_layer_at_once(reg, repo):
    data = random.Random(2).randbytes(3000000)

    def push(i):
        where = reg.start(repo)
        assert reg.call("PATCH", where, data).status == 202
        return reg.call("PUT", f"{where}?digest={sha(data)}").status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(push, range(8))) == [201] * 8
    assert reg.call("GET", f"/v2/{repo}/blobs/{sha(data)}").body == data


# Pulling blobs

def test_blob_head_and_ranges(reg, repo):
    d = reg.blob(repo, DATA)
    path = f"/v2/{repo}/blobs/{d}"
    r = reg.call("HEAD", path)
    assert (r.status, r.headers["Content-Length"], r.headers["Docker-Content-Digest"]) == (
        200, str(len(DATA)), d)
    n = len(DATA)
    for spec, status, part, said in (
            ("bytes=0-9", 206, DATA[:10], f"bytes 0-9/{n}"),
            ("bytes=100-", 206, DATA[100:], f"bytes 100-{n - 1}/{n}"),
            ("bytes=-7", 206, DATA[-7:], f"bytes {n - 7}-{n - 1}/{n}"),
            (f"bytes={n - 1}-{n + 50}", 206, DATA[-1:], f"bytes {n - 1}-{n - 1}/{n}"),
            (f"bytes=-{n + 1}", 206, DATA, f"bytes 0-{n - 1}/{n}"),
            (f"bytes={n}-", 416, None, f"bytes */{n}"),
            ("bytes=-0", 416, None, f"bytes */{n}"),
            ("bytes=5-1", 200, DATA, None), ("bytes=a-b", 200, DATA, None),
            ("lines=0-1", 200, DATA, None), ("bytes=0-1,4-5", 200, DATA, None)):
        r = reg.call("GET", path, headers={"Range": spec})
        assert (r.status, r.headers["Content-Range"]) == (status, said), spec
        assert part is None or r.body == part, spec
    for bad, status, code in ((sha(b"none"), 404, "BLOB_UNKNOWN"), ("sha256:1", 400, "DIGEST_INVALID"),
                              ("latest", 400, "DIGEST_INVALID")):
        r = reg.call("GET", f"/v2/{repo}/blobs/{bad}")
        assert (r.status, r.code) == (status, code)
        r = reg.call("HEAD", f"/v2/{repo}/blobs/{bad}")
        assert (r.status, r.body) == (status, b"")


def test_blob_delete(reg, repo):
    d = reg.blob(repo, DATA)
    path = f"/v2/{repo}/blobs/{d}"
    assert reg.call("DELETE", path).status == 202
    assert reg.call("DELETE", path).code == "BLOB_UNKNOWN"
    assert reg.call("GET", path).status == 404
    layer = b"needed"
    reg.image(repo, "x", [layer])
    r = reg.call("DELETE", f"/v2/{repo}/blobs/{sha(layer)}")
    assert (r.status, r.code) == (403, "DENIED")
    assert reg.call("HEAD", f"/v2/{repo}/blobs/{sha(layer)}").status == 200


# Manifests

def test_manifest_by_tag_and_digest(reg, repo):
    doc = json.dumps(reg.image_doc(repo, [b"one"]), indent=3).encode()
    r, d = reg.manifest(repo, "v1", doc)
    assert (r.status, r.headers["Location"], r.headers["Docker-Content-Digest"]) == (
        201, f"/v2/{repo}/manifests/{d}", d)
    assert "OCI-Subject" not in r.headers
    for ref in ("v1", d):
        for method in ("GET", "HEAD"):
            r = reg.call(method, f"/v2/{repo}/manifests/{ref}")
            assert (r.status, r.headers["Content-Type"], r.headers["Docker-Content-Digest"],
                    r.headers["Content-Length"]) == (200, MANIFEST, d, str(len(doc)))
            assert r.body == (doc if method == "GET" else b"")
    # Again, by digest and under another tag.
    assert reg.manifest(repo, d, doc)[0].status == 201
    assert reg.manifest(repo, "v2", doc)[0].status == 201
    # A tag moves.
    new = reg.image(repo, "v1", [b"two"])
    r = reg.call("HEAD", f"/v2/{repo}/manifests/v1")
    assert r.headers["Docker-Content-Digest"] == new
    assert reg.call("HEAD", f"/v2/{repo}/manifests/{d}").status == 200


@pytest.mark.parametrize("accept,kind", [
    (None, MANIFEST), ("*/*", MANIFEST), (MANIFEST, MANIFEST),
    (f"{INDEX}, {MANIFEST};q=0.5", MANIFEST), (DOCKER, MANIFEST)])
def test_accept(reg, repo, accept, kind):
    """ECR converts nothing: what was pushed is what comes."""
    reg.image(repo, "a")
    r = reg.call("GET", f"/v2/{repo}/manifests/a",
                 headers={"Accept": accept} if accept else {})
    assert (r.status, r.headers["Content-Type"]) == (200, kind)


def docs(reg, repo):
    """Manifests that must be refused: name, body, content type, status, code."""
    good = reg.image_doc(repo, [b"l"])
    gone = {**good, "layers": [{**good["layers"][0], "digest": sha(b"never")}]}
    noconf = {**good, "config": {**good["config"], "digest": sha(b"never2")}}
    big = {**good, "annotations": {"x": "y" * (4 << 20)}}
    index = {"schemaVersion": 2, "mediaType": INDEX,
             "manifests": [{"mediaType": MANIFEST, "digest": sha(b"never3"), "size": 1}]}

    def but(**k):
        return {**good, **k}
    bad_digest = [{**good["layers"][0], "digest": "sha256:zz"}]
    many = [good["layers"][0]] * 1025
    return [
        ("layer", gone, MANIFEST, 404, "MANIFEST_BLOB_UNKNOWN"),
        ("config", noconf, MANIFEST, 404, "MANIFEST_BLOB_UNKNOWN"),
        ("child", index, INDEX, 404, "MANIFEST_BLOB_UNKNOWN"),
        ("big", big, MANIFEST, 413, "MANIFEST_INVALID"),
        ("text", b"no json", MANIFEST, 400, "MANIFEST_INVALID"),
        ("empty", b"", MANIFEST, 400, "MANIFEST_INVALID"),
        ("array", b"[]", MANIFEST, 400, "MANIFEST_INVALID"),
        ("deep", b"[" * 100000, MANIFEST, 400, "MANIFEST_INVALID"),
        ("schema1", but(schemaVersion=1), MANIFEST, 400, "MANIFEST_INVALID"),
        ("type", good, DOCKER, 400, "MANIFEST_INVALID"),
        ("unknown", but(mediaType="text/plain"), "text/plain", 400, "MANIFEST_INVALID"),
        ("digest", but(layers=bad_digest), MANIFEST, 400, "MANIFEST_INVALID"),
        ("nolayers", but(layers=7), MANIFEST, 400, "MANIFEST_INVALID"),
        ("many", but(layers=many), MANIFEST, 400, "MANIFEST_INVALID"),
        ("size", but(layers=[{**good["layers"][0], "size": -1}]), MANIFEST, 400,
         "MANIFEST_INVALID"),
        ("sizes", but(layers=[{**good["layers"][0], "size": 2 ** 63 - 1}] * 3), MANIFEST, 400,
         "MANIFEST_INVALID"),
        ("subject", but(subject={"digest": "x"}), MANIFEST, 400, "MANIFEST_INVALID"),
    ]


def test_bad_manifests(reg, repo):
    for name, doc, kind, status, code in docs(reg, repo):
        r, _ = reg.manifest(repo, "bad", doc, kind)
        assert r.body, (name, r.status)
        assert (r.status, r.code) == (status, code), (name, r.body[:300])
    assert reg.call("GET", f"/v2/{repo}/tags/list").json()["tags"] == []
    r, _ = reg.manifest(repo, "bad", docs(reg, repo)[0][1])
    assert r.message == (
        f"Layers with digests '[{sha(b'never')}]' required for pushing image into repository "
        f"with name '{repo}' in the registry with id '123456789012' do not exist")
    doc = reg.image_doc(repo)
    r, _ = reg.manifest(repo, sha(b"another"), doc)
    assert (r.status, r.code) == (400, "DIGEST_INVALID")


def test_index(reg, repo):
    amd = reg.image(repo, None, [b"amd"])
    arm = reg.image(repo, None, [b"arm"], arch="arm64")
    doc = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": d, "size": 1,
         "platform": {"os": "linux", "architecture": a}}
        for d, a in ((amd, "amd64"), (arm, "arm64"))]}
    r, d = reg.manifest(repo, "multi", doc, INDEX)
    assert r.status == 201
    r = reg.call("GET", f"/v2/{repo}/manifests/multi")
    assert r.headers["Content-Type"] == INDEX and r.json() == doc
    # Its images cannot go while it is there.
    r = reg.call("DELETE", f"/v2/{repo}/manifests/{amd}")
    assert (r.status, r.code) == (403, "DENIED")
    assert r.message == f"Requested image referenced by manifest list: [{d}]"
    assert reg.call("DELETE", f"/v2/{repo}/manifests/{d}").status == 202
    assert reg.call("DELETE", f"/v2/{repo}/manifests/{amd}").status == 202
    doc["mediaType"] = DOCKER_LIST
    doc["manifests"] = doc["manifests"][1:]
    assert reg.manifest(repo, "list", doc, DOCKER_LIST)[0].status == 201


def test_manifest_delete(reg, repo):
    d = reg.image(repo, "a")
    reg.image(repo, "b")
    assert reg.call("DELETE", f"/v2/{repo}/manifests/a").status == 202
    assert reg.call("GET", f"/v2/{repo}/manifests/a").code == "MANIFEST_UNKNOWN"
    assert reg.call("GET", f"/v2/{repo}/manifests/{d}").status == 200
    assert reg.call("DELETE", f"/v2/{repo}/manifests/{d}").status == 202
    for ref in (d, "b", "never"):
        r = reg.call("DELETE", f"/v2/{repo}/manifests/{ref}")
        assert (r.status, r.code) == (404, "MANIFEST_UNKNOWN")


def test_immutable_tags(daemon, reg, repo):
    daemon.client("ecr").put_image_tag_mutability(repositoryName=repo,
                                                  imageTagMutability="IMMUTABLE")
    doc = reg.image_doc(repo, [b"first"])
    assert reg.manifest(repo, "v1", doc)[0].status == 201
    assert reg.manifest(repo, "v1", doc)[0].status == 201  # the same: fine
    r, _ = reg.manifest(repo, "v1", reg.image_doc(repo, [b"second"]))
    assert (r.status, r.code) == (400, "TAG_INVALID")
    assert r.message == (f"The image tag 'v1' already exists in the '{repo}' repository and "
                         "cannot be overwritten because the tag is immutable.")
    assert reg.manifest(repo, "v2", reg.image_doc(repo, [b"second"]))[0].status == 201


@pytest.mark.parametrize("tag", ["-x", ".x", "a" * 129, "a b", "\u00e9", "a%00"])
def test_bad_tags(reg, repo, tag):
    path = f"/v2/{repo}/manifests/{tag if '%' in tag else quote(tag)}"
    for method, body in (("GET", None), ("PUT", b"{}"), ("DELETE", None)):
        r = reg.call(method, path, body)
        assert (r.status, r.code) == (400, "TAG_INVALID"), method


# Names

@pytest.mark.parametrize("name", [
    "A", "a_", "_a", "a//b", "a/", "../etc", "a/../b", "a..b", "a" * 257, "a%00b", "%2e%2e",
    "a b", "\u00fc", "a:b", "."])
def test_bad_names(reg, name):
    q = name if "%" in name else "/".join(map(quote, name.split("/")))
    for method, rest in (("GET", "tags/list"), ("GET", "manifests/x"), ("POST", "blobs/uploads/"),
                         ("GET", "blobs/" + sha(b"")), ("PUT", "manifests/x")):
        r = reg.call(method, f"/v2/{q}/{rest}")
        assert (r.status, r.code) == (400, "NAME_INVALID"), (method, rest, r.body)


@pytest.mark.parametrize("method,path", [
    ("GET", "/v2/tags/list"), ("GET", "/v2/manifests/x"), ("POST", "/v2/blobs/uploads/"),
    ("GET", "/v2//tags/list"), ("PUT", "/v2/manifests/x"), ("GET", "/v2/blobs/" + sha(b"")),
    ("GET", "/v2/referrers/" + sha(b"")), ("PATCH", "/v2/blobs/uploads/x")])
def test_no_name(reg, method, path):
    r = reg.call(method, path, b"" if method != "GET" else None)
    assert r.status in (400, 404) and r.code in ("NAME_INVALID", "NAME_UNKNOWN"), r.body


@pytest.mark.parametrize("method,rest", [
    ("GET", "tags/list"), ("GET", "manifests/latest"), ("HEAD", "manifests/latest"),
    ("PUT", "manifests/latest"), ("POST", "blobs/uploads/"), ("GET", "blobs/" + sha(b"")),
    ("DELETE", "manifests/x"), ("GET", "referrers/" + sha(b""))])
def test_no_repository(reg, method, rest):
    r = reg.call(method, f"/v2/no/such-repo/{rest}", b"{}" if method == "PUT" else None)
    assert r.status == 404
    if method != "HEAD":
        assert r.code == "NAME_UNKNOWN" and r.message == NOT_FOUND.format("no/such-repo")


def test_no_endpoint(reg, repo):
    for path in ("/v2/x", "/v2/_catalog/x", f"/v2/{repo}/tags", f"/v2/{repo}/tags/other"):
        assert reg.call("GET", path).status == 404, path
    for method, path in (("DELETE", "/v2/"), ("POST", f"/v2/{repo}/manifests/x"),
                         ("PATCH", f"/v2/{repo}/blobs/{sha(b'')}"), ("PUT", f"/v2/{repo}/tags/list")):
        r = reg.call(method, path)
        assert (r.status, r.code) == (405, "UNSUPPORTED"), path
    r = reg.call("GET", f"/v2/{repo}/tags/list", b"surprise")
    assert r.status in (200, 400)


# Lists

def pages(reg, path, member):
    out, n = [], 0
    while path:
        r = reg.call("GET", path)
        assert r.status == 200
        out += r.json()[member]
        n += 1
        link = r.headers["Link"]
        path = link[1:link.index(">")] if link else None
        assert not link or link.endswith('>; rel="next"')
    return out, n


def test_tags_list(reg, repo):
    assert reg.call("GET", f"/v2/{repo}/tags/list").json() == {"name": repo, "tags": []}
    doc = reg.image_doc(repo)
    tags = sorted(["v1", "v10", "v2", "A", "_", "z.z-z", "latest"])
    for t in reversed(tags):
        assert reg.manifest(repo, t, doc)[0].status == 201
    path = f"/v2/{repo}/tags/list"
    assert reg.call("GET", path).json() == {"name": repo, "tags": tags}
    assert pages(reg, path + "?n=3", "tags") == (tags, 3)
    assert pages(reg, path + "?n=7", "tags") == (tags, 1)
    assert pages(reg, path + "?last=" + tags[2], "tags") == (tags[3:], 1)
    assert pages(reg, path + "?n=2&last=b", "tags") == ([t for t in tags if t > "b"], 3)
    assert pages(reg, path + "?last=zzzz", "tags") == ([], 1)
    r = reg.call("GET", path + "?n=0")
    assert r.json()["tags"] == [] and r.headers["Link"] is None
    for bad in ("x", "-1", "", "1.5"):
        assert reg.call("GET", f"{path}?n={bad}").status == 400, bad


def test_catalog(reg, daemon, repo):
    names, _ = pages(reg, "/v2/_catalog?n=2", "repositories")
    assert repo in names and names == sorted(names)
    assert names == sorted(r["repositoryName"] for r in daemon.client("ecr").get_paginator(
        "describe_repositories").paginate().build_full_result()["repositories"])


def test_referrers(reg, repo):
    d = reg.image(repo, "subject")
    subject = {"mediaType": MANIFEST, "digest": d, "size": 1}
    empty = reg.blob(repo, b"{}")
    base = {"schemaVersion": 2, "mediaType": MANIFEST, "subject": subject,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty,
                       "size": 2},
            "layers": [{"mediaType": "text/x", "digest": empty, "size": 2}]}
    path = f"/v2/{repo}/referrers/"
    r = reg.call("GET", path + d)
    assert (r.status, r.headers["Content-Type"]) == (200, INDEX)
    assert r.json() == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    want = {}
    for kind in ("a/sbom", "b/sig"):
        doc = {**base, "artifactType": kind, "annotations": {"k": kind}}
        r, got = reg.manifest(repo, None, doc)
        assert (r.status, r.headers["OCI-Subject"]) == (201, d)
        want[got] = {"mediaType": MANIFEST, "digest": got, "size": len(json.dumps(doc)),
                     "artifactType": kind, "annotations": {"k": kind}}
    # Without artifactType it is the configuration's type.
    doc = {**base, "config": {**base["config"], "mediaType": "c/conf"}}
    _, got = reg.manifest(repo, None, doc)
    want[got] = {"mediaType": MANIFEST, "digest": got, "size": len(json.dumps(doc)),
                 "artifactType": "c/conf"}
    have = reg.call("GET", path + d).json()["manifests"]
    assert {m["digest"]: m for m in have} == want
    r = reg.call("GET", path + d + "?artifactType=" + quote("b/sig"))
    assert r.headers["OCI-Filters-Applied"] == "artifactType"
    assert [m["artifactType"] for m in r.json()["manifests"]] == ["b/sig"]
    # A subject need not be there; a malformed one is refused.
    missing = sha(b"not here")
    doc = {**base, "subject": {**subject, "digest": missing}}
    assert reg.manifest(repo, None, doc)[0].headers["OCI-Subject"] == missing
    assert len(reg.call("GET", path + missing).json()["manifests"]) == 1
    assert reg.call("GET", path + "tag").code == "DIGEST_INVALID"
    # An index may have a subject, too.
    r, _ = reg.manifest(repo, None, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [],
                                     "artifactType": "i/i", "subject": subject}, INDEX)
    assert r.headers["OCI-Subject"] == d
    assert "i/i" in [m.get("artifactType") for m in
                     reg.call("GET", path + d).json()["manifests"]]
    # What goes is no longer listed.
    for m in want:
        reg.call("DELETE", f"/v2/{repo}/manifests/{m}")
    assert len(reg.call("GET", path + d).json()["manifests"]) == 1


def test_many_large_referrers(daemon, reg, repo):
    """Neither lists nor pages of them hold all manifests in memory."""
    d = reg.image(repo, "subject")
    doc = reg.image_doc(repo)

    def peak():
        with open(f"/proc/{daemon.process.pid}/status") as f:
            return int([l for l in f if l.startswith("VmHWM")][0].split()[1]) >> 10
    want = set()
    for i in range(16):
        r, got = reg.manifest(repo, None, {
            **doc, "artifactType": "a/b c", "annotations": {"i": str(i), "x": "y" * 4000000},
            "subject": {"mediaType": MANIFEST, "digest": d, "size": 1}})
        assert r.status == 201
        want.add(got)
    before = peak()
    path = f"/v2/{repo}/referrers/{d}?artifactType=" + quote("a/b c")
    listed, n = pages(reg, path, "manifests")
    assert {m["digest"] for m in listed} == want and len(listed) == 16 and n == 8
    assert reg.call("GET", path + "&after=x").status == 400
    assert len(daemon.client("ecr").describe_images(repositoryName=repo)["imageDetails"]) == 17
    # The sanitizer keeps 256 MiB of what was freed.
    assert peak() - before < 100 + (256 if "asan" in conftest.BUILD.name else 0)
    ecr, ids = daemon.client("ecr"), [{"imageDigest": d} for d in want]
    with pytest.raises(ecr.exceptions.LimitExceededException):
        ecr.batch_get_image(repositoryName=repo, imageIds=ids)
    assert len(ecr.batch_get_image(repositoryName=repo, imageIds=ids[:3])["images"]) == 3


# Real clients

def test_skopeo(daemon, reg, repo, tmp_path):
    layers = [oci.tar(oci.entry("f", os.urandom(200000))), oci.tar(oci.entry("g", b"2"))]
    image = oci.oci_dir(tmp_path / "image", layers)
    host = f"127.0.0.1:{daemon.port}"
    auth = tmp_path / "auth.json"
    password = daemon.aws("ecr", "get-login-password")
    p = subprocess.run(["skopeo", "login", "--tls-verify=false", "--authfile", auth, "-u", "AWS",
                        "--password-stdin", host], input=password, text=True,
                       capture_output=True)
    assert p.returncode == 0 and "Login Succeeded" in p.stdout, p.stderr
    p = subprocess.run(["skopeo", "login", "--tls-verify=false", "--authfile", tmp_path / "no",
                        "-u", "AWS", "--password-stdin", host], input="wrong", text=True,
                       capture_output=True)
    assert p.returncode != 0 and "invalid username/password" in p.stderr
    opts = ("--authfile", auth)
    to = f"docker://{host}/{repo}"
    oci.skopeo("copy", "--dest-tls-verify=false", *opts, f"oci:{image}:latest", f"{to}:oci")
    oci.skopeo("copy", "--dest-tls-verify=false", *opts, "--format", "v2s2",
               f"oci:{image}:latest", f"{to}:docker")
    seen = json.loads(oci.skopeo("inspect", "--tls-verify=false", *opts, f"{to}:oci").stdout)
    assert set(seen["RepoTags"]) == {"oci", "docker"} and len(seen["Layers"]) == 2
    raw = oci.skopeo("inspect", "--raw", "--tls-verify=false", *opts, f"{to}:docker").stdout
    assert json.loads(raw)["mediaType"] == DOCKER
    back = tmp_path / "back"
    oci.skopeo("copy", "--src-tls-verify=false", *opts, f"{to}:oci", f"oci:{back}:latest")
    m = json.loads(raw)
    for layer in m["layers"]:
        data = (back / "blobs/sha256" / layer["digest"][7:]).read_bytes()
        assert gzip.decompress(data) in layers
    # Within the registry: by mounts.
    other = repo + "-2"
    daemon.client("ecr").create_repository(repositoryName=other)
    oci.skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", *opts, f"{to}:oci",
               f"docker://{host}/{other}:x")
    assert reg.call("HEAD", f"/v2/{other}/manifests/x").status == 200
    oci.skopeo("delete", "--tls-verify=false", *opts, f"{to}:oci")
    # skopeo deletes by digest.
    assert reg.call("HEAD", f"/v2/{repo}/manifests/oci").status == 404
    p = oci.skopeo("copy", "--dest-tls-verify=false", *opts, f"oci:{image}:latest",
                   f"docker://{host}/no/such:x", check=False)
    assert p.returncode != 0 and NOT_FOUND.format("no/such") in p.stderr


# A daemon that is killed

def test_kill(tmp_path):
    d = conftest.Daemon()
    try:
        d.client("ecr").create_repository(repositoryName="kk")
        reg = Registry(d)
        reg.image("kk", "before", [b"kept"])
        where = reg.start("kk")
        assert reg.call("PATCH", where, DATA[:100000]).status == 202
        s = socket.create_connection(("127.0.0.1", d.port))
        s.sendall((f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: {reg.auth}\r\n"
                   f"Content-Length: {len(DATA) - 100000}\r\n\r\n").encode()
                  + DATA[100000:150000])
        while int(reg.call("GET", where).headers["Range"][2:]) < 100000:
            pass
        d.kill()
        s.close()
        d.start()
        # The token outlives the daemon, and so do the bytes.
        at = int(reg.call("GET", where).headers["Range"][2:]) + 1
        assert 100000 <= at <= 150000
        r = reg.call("PATCH", where, DATA[at:], {"Content-Range": f"{at}-{len(DATA) - 1}"})
        assert r.status == 202
        assert reg.call("PUT", f"{where}?digest={sha(DATA)}").status == 201
        assert reg.call("GET", f"/v2/kk/blobs/{sha(DATA)}").body == DATA
        assert reg.call("GET", "/v2/kk/manifests/before").status == 200
        assert os.listdir(pathlib.Path(d.state) / "uploads") == []
        # A wrong end of a resumed one.
        where = reg.start("kk")
        reg.call("PATCH", where, b"half")
        d.kill()
        d.start()
        r = reg.call("PUT", f"{where}?digest={sha(b'whole')}", b"wrong")
        assert (r.status, r.code) == (400, "DIGEST_INVALID")
    finally:
        d.stop()


def test_kill_storm(tmp_path):
    """Every acknowledged push is there after a kill at any moment."""
    d = conftest.Daemon()
    try:
        d.client("ecr").create_repository(repositoryName="ss")
        reg = Registry(d)
        rand = random.Random(7)
        for round_ in range(4):
            acked = []

            def push(i):
                try:
                    data = random.Random(f"{round_}{i}").randbytes(50000)
                    got = reg.image("ss", f"r{round_}-{i}", [data])
                    acked.append((f"r{round_}-{i}", got, data))
                except (OSError, http.client.HTTPException):
                    pass
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(push, i) for i in range(40)]
                time.sleep(rand.uniform(0.02, 0.3))
                d.kill()
                for j in jobs:
                    j.result()
            d.start()
            for tag, got, data in acked:
                r = reg.call("GET", f"/v2/ss/manifests/{tag}")
                assert r.headers["Docker-Content-Digest"] == got
                assert reg.call("GET", f"/v2/ss/blobs/{sha(data)}").body == data
            # And what is visible is whole.
            for tag in reg.call("GET", "/v2/ss/tags/list").json()["tags"]:
                m = reg.call("GET", f"/v2/ss/manifests/{tag}").json()
                for part in [m["config"], *m["layers"]]:
                    r = reg.call("GET", f"/v2/ss/blobs/{part['digest']}")
                    assert sha(r.body) == part["digest"]
    finally:
        d.stop()


def test_no_write_waits_for_the_next_event(reg, repo):
    """A request that came while answers were sent waited for a timer once."""
    manifests = [reg.image_doc(repo, [b"%d" % i]) for i in range(30)]
    start = time.monotonic()
    for doc in manifests:
        assert reg.manifest(repo, "x", doc)[0].status == 201
    assert time.monotonic() - start < 3
