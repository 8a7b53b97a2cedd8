"""A raw client of the distribution endpoints, and images made on the spot."""
import base64
import hashlib
import http.client
import io
import json
import subprocess
import tarfile
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The registry's own error code; each error has exactly this form."""
        errors = self.json()["errors"]
        assert len(errors) == 1 and errors[0]["message"], errors
        return errors[0]["code"]

    @property
    def message(self):
        return self.json()["errors"][0]["message"]


class Registry:
    """One account's view; every call is a connection of its own."""

    def __init__(self, daemon, region="us-east-1", auth=None, host=None):
        self.daemon, self.host = daemon, host
        if auth is None:
            data = daemon.client("ecr", region=region).get_authorization_token()
            auth = "Basic " + data["authorizationData"][0]["authorizationToken"]
        self.auth = auth

    @property
    def password(self):
        return base64.b64decode(self.auth.split()[1]).decode().split(":", 1)[1]

    def call(self, method, path, body=None, headers=None, auth=True):
        c = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        h = dict(headers or {})
        if auth:
            h.setdefault("Authorization", self.auth)
        if self.host:
            h["Host"] = self.host
        try:
            c.request(method, path, body, h)
            return Answer(c.getresponse())
        finally:
            c.close()

    def start(self, repo):
        r = self.call("POST", f"/v2/{repo}/blobs/uploads/")
        assert r.status == 202, r.body
        return r.headers["Location"]

    def blob(self, repo, data):
        """Monolithic POST; its digest."""
        r = self.call("POST", f"/v2/{repo}/blobs/uploads/?digest={sha(data)}", data,
                      {"Content-Type": "application/octet-stream"})
        assert r.status == 201, r.body
        return sha(data)

    def manifest(self, repo, ref, doc, kind=MANIFEST):
        data = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        return self.call("PUT", f"/v2/{repo}/manifests/{ref or sha(data)}", data,
                         {"Content-Type": kind}), sha(data)

    def image(self, repo, tag, layers=(b"",), arch="amd64", kind=MANIFEST, **more):
        """Pushes an image of tars and returns its digest."""
        doc = self.image_doc(repo, layers, arch, kind, **more)
        r, digest = self.manifest(repo, tag, doc, kind)
        assert r.status == 201, r.body
        return digest

    def image_doc(self, repo, layers=(b"",), arch="amd64", kind=MANIFEST,
                  media=LAYER, diffs=None, config=None, **more):
        conf = json.dumps({"os": "linux", "architecture": arch, "config": config or {},
                           "rootfs": {"type": "layers",
                                      "diff_ids": diffs or [sha(b) for b in layers]}}
                          ).encode()
        self.blob(repo, conf)
        for b in layers:
            self.blob(repo, b)
        return {"schemaVersion": 2, "mediaType": kind,
                "config": {"mediaType": CONFIG, "digest": sha(conf), "size": len(conf)},
                "layers": [{"mediaType": media, "digest": sha(b), "size": len(b)}
                           for b in layers], **more}


def entry(name, data=b"", kind=tarfile.REGTYPE, link="", mode=0o644, uid=0, pax=None):
    t = tarfile.TarInfo(name)
    t.type, t.linkname, t.mode, t.uid, t.gid = kind, link, mode, uid, uid
    t.size, t.mtime, t.pax_headers = len(data), 1000, pax or {}
    return t, data


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as f:
        for t, data in entries:
            f.addfile(t, io.BytesIO(data))
    return out.getvalue()


def oci_dir(path, layers, config=None, media=LAYER, diffs=None):
    """An image layout for skopeo: oci:PATH:latest."""
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data):
        (blobs / sha(data)[7:]).write_bytes(data)
        return {"digest": sha(data), "size": len(data)}
    conf = json.dumps({"os": "linux", "architecture": "amd64", "config": config or {},
                       "rootfs": {"type": "layers",
                                  "diff_ids": diffs or [sha(b) for b in layers]}})
    m = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": CONFIG, **put(conf.encode())},
                    "layers": [{"mediaType": media, **put(b)} for b in layers]})
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (path / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "manifests": [
            {"mediaType": MANIFEST, **put(m.encode()),
             "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))
    return path


def skopeo(*args, check=True):
    p = subprocess.run(["skopeo", *map(str, args)], capture_output=True, text=True)
    assert not check or p.returncode == 0, p.stderr
    return p


def quote(s):
    return urllib.parse.quote(s, safe="")
