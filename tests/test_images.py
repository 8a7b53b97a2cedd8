"""Images from push, or another registry, to a running container."""
import concurrent.futures
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tarfile
import threading
import time

import pytest

import oci
import stack
from conftest import Daemon
from oci import INDEX, LAYER, MANIFEST, Registry, entry, sha, tar

pytestmark = pytest.mark.skipif(not stack.ready, reason="root and crun")
DIR, LNK, SYM = tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
# cap_net_bind_service=ep, as the kernel keeps it
CAP = bytes.fromhex("0100000200040000000000000000000000000000")


@pytest.fixture(scope="module")
def s():
    s = stack.Stack("ngr")
    s.client("ecr").create_repository(repositoryName="app/images")
    s.client("ecs").create_cluster(clusterName="default")
    s.subnet = s.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    yield s
    s.stop()


@pytest.fixture(scope="module")
def reg(s):
    return Registry(s)


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, check=True, stdout=subprocess.PIPE).stdout


BUSYBOX = tar(entry("bin/", kind=DIR, mode=0o755),
              entry("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), mode=0o755),
              entry("bin/sh", kind=SYM, link="busybox"), entry("tmp/", kind=DIR, mode=0o1777))


def script(text):
    return {"Cmd": ["/bin/sh", "-c", "set -e; busybox --install -s /bin 2>/dev/null || true; "
                    + text], "Env": ["PATH=/bin"]}


def run(s, image, wait=True, **container):
    """The task, ended; containers' exit code and reason are what tests look at."""
    ecs = s.client("ecs")
    ecs.register_task_definition(
        family="f", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
        memory="512", containerDefinitions=[{"name": "c", "image": image, **container}])
    task = ecs.run_task(taskDefinition="f", launchType="FARGATE", networkConfiguration={
        "awsvpcConfiguration": {"subnets": [s.subnet], "assignPublicIp": "ENABLED"}})["tasks"][0]
    return ended(s, task["taskArn"]) if wait else task["taskArn"]


def ended(s, arn, status="STOPPED", timeout=40):
    deadline = time.monotonic() + timeout
    while True:
        task = s.client("ecs").describe_tasks(tasks=[arn])["tasks"][0]
        if task["lastStatus"] in (status, "STOPPED"):
            return task
        assert time.monotonic() < deadline, (task, s.read_log()[-2000:])
        time.sleep(0.02)


def code(task):
    c = task["containers"][0]
    assert "exitCode" in c, (task.get("stoppedReason"), c.get("reason"))
    return c["exitCode"]


def mine(s, tag):
    return f"127.0.0.1:{s.port}/app/images:{tag}"


def push(s, reg, tag, layers, config, packs=None, **more):
    """layers: tars, bottom first; packs: how each is packed."""
    packs = packs or [gzip.compress] * len(layers)
    packed = [p(b) for p, b in zip(packs, layers)]
    reg.image("app/images", tag, packed, diffs=[sha(b) for b in layers], config=config, **more)
    return [sha(p) for p in packed]


# What is in layers

def test_layers(s, reg):
    below = tar(entry("gone", b"x"), entry("dir/", kind=DIR, mode=0o750), entry("dir/hidden", b"x"),
                entry("opaque/", kind=DIR), entry("opaque/hidden", b"x"),
                entry("replaced/", kind=DIR), entry("replaced/hidden", b"x"),
                entry("file", b"below"), entry("d2f/", kind=DIR), entry("d2f/x", b"x"),
                entry("f2d", b"x"))
    above = tar(entry(".wh.gone"), entry("dir/.wh.hidden"), entry("dir/seen", b"x"),
                entry("opaque/", kind=DIR), entry("opaque/.wh..wh..opq"), entry("opaque/new", b"x"),
                entry(".wh.replaced"), entry("file", b"above"),
                entry(".wh.d2f"), entry("d2f", b"file"), entry(".wh.f2d"),
                entry("f2d/", kind=DIR, mode=0o755), entry("f2d/y", b"y"))
    odd = tar(entry("suid", b"x", mode=0o4755, uid=1000), entry("sgid", b"y", mode=0o2755),
              entry("h1", b"linked"), entry("h2", kind=LNK, link="h1"),
              entry("abs", kind=SYM, link="/h1"), entry("up", kind=SYM, link="../../../../h1"),
              entry("pipe", kind=tarfile.FIFOTYPE), entry("mem", kind=tarfile.CHRTYPE),
              entry("sda", kind=tarfile.BLKTYPE),
              entry("capable", b"x", mode=0o755, pax={
                  "SCHILY.xattr.security.capability": CAP.decode("latin1")}),
              entry("n" * 200 + "/" + "m" * 200, b"long"))
    checks = script(
        "test ! -e /gone; test ! -e /dir/hidden; test -e /dir/seen; "
        "test ! -e /opaque/hidden; test -e /opaque/new; test ! -e /replaced; "
        "test $(cat /file) = above; test $(cat /d2f) = file; test $(cat /f2d/y) = y; "
        "test $(stat -c %a:%u /suid) = 4755:1000; test $(stat -c %a /sgid) = 2755; "
        "test $(stat -c %h /h1) = 2; test $(cat /abs) = linked; test $(cat /up) = linked; "
        "test -p /pipe; test ! -e /mem; test ! -e /sda; test -e /capable; "
        f"test $(cat /{'n' * 200}/{'m' * 200}) = long; exit 42")
    digests = push(s, reg, "layers", [BUSYBOX, below, above, odd], checks,
                   [gzip.compress, zstd, bytes, gzip.compress])
    assert code(run(s, mine(s, "layers"))) == 42
    tree = s.wait_layer(digests[3])
    assert stat.S_IMODE(os.stat(tree.parent).st_mode) == 0o750
    assert os.stat(tree).st_uid == 0
    assert os.getxattr(tree / "capable", "security.capability") == CAP


def test_pushed_by_skopeo(s, reg, tmp_path):
    config = script("test $(cat /f) = by-skopeo")
    image = oci.oci_dir(tmp_path / "i", [BUSYBOX, tar(entry("f", b"by-skopeo"))], config)
    for tag, options in (("gz", ()), ("zstd", ("--dest-compress-format", "zstd")),
                         ("docker", ("--format", "v2s2"))):
        oci.skopeo("copy", "--dest-tls-verify=false", "--dest-creds", "AWS:" + reg.password,
                   *options, f"oci:{image}:latest", f"docker://{mine(s, 'sk-' + tag)}")
        assert code(run(s, mine(s, "sk-" + tag))) == 0


def test_layer_that_comes_twice(s, reg):
    """Builders make the same empty layer again and again."""
    empty = tar()
    one, two = tar(entry("f", b"1")), tar(entry("f", b"2"))
    push(s, reg, "twice", [BUSYBOX, empty, one, empty, two, one, empty],
         script("test $(cat /f) = 1"))
    assert code(run(s, mine(s, "twice"))) == 0


def test_many_layers(s, reg):
    """127 is what Docker makes at most."""
    layers = [tar(entry(f"l{i}", b"%d" % i), entry("top", b"%d" % i)) for i in range(126)]
    push(s, reg, "many", [BUSYBOX, *layers],
         script("test $(cat /top) = 125; test -e /l0; test -e /l125; test $(ls / | grep -c ^l[0-9]) = 126"))
    assert code(run(s, mine(s, "many"))) == 0


def test_user_of_the_image(s, reg):
    etc = tar(entry("etc/", kind=DIR, mode=0o755),
              entry("etc/passwd", b"root:x:0:0::/:/bin/sh\nweb:x:1234:55::/:/bin/sh\n"),
              entry("etc/group", b"root:x:0:\nextra:x:77:web\n"))
    push(s, reg, "user", [BUSYBOX, etc],
         {**script("test $(id -u):$(id -g) = 1234:55; id -G | grep -w 77"), "User": "web"})
    assert code(run(s, mine(s, "user"))) == 0
    push(s, reg, "nouser", [BUSYBOX, etc], {**script("exit 0"), "User": "nobody-here"})
    task = run(s, mine(s, "nouser"))
    assert "nobody-here" in json.dumps(task["containers"]) + task["stoppedReason"]


@pytest.mark.parametrize("name,layer,why", [
    ("dotdot", tar(entry("../../evil", b"x")), "bad name"),
    ("absolute", tar(entry("/evil", b"x")), "bad name"),
    ("through", tar(entry("l", kind=SYM, link="/var/tmp"), entry("l/evil", b"x")),
     "passes through"),
    ("hardlink", tar(entry("h", kind=LNK, link="../../../../../etc/passwd")), "bad name"),
    ("bomb", tar(entry("zero", bytes(300 << 20))), "expands too much"),
    ("garbage", b"no tar" * 5000, ""),
], ids=lambda v: v if isinstance(v, str) and " " not in v else "")
def test_hostile_layers(s, reg, name, layer, why):
    layers = pathlib.Path(s.state) / "layers"
    push(s, reg, name, [BUSYBOX, layer], script("exit 0"))
    task = run(s, mine(s, name))
    text = task["containers"][0]["reason"]
    assert text.startswith("CannotPullContainerError: failed to register layer") and why in text
    assert task["stoppedReason"].startswith("CannotPullContainerError")
    assert task["stopCode"] == "TaskFailedToStart"
    deadline = time.monotonic() + 10
    while [n for n in os.listdir(layers) if n.startswith("tmp")]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not (layers / sha(gzip.compress(layer))[7:]).exists()
    assert not os.path.exists("/evil") and not os.path.exists("/var/tmp/evil")


def test_wrong_diff_id(s, reg):
    layer = gzip.compress(BUSYBOX, 1)
    reg.image("app/images", "diff", [layer], diffs=[sha(b"other")], config=script("exit 0"))
    task = run(s, mine(s, "diff"))
    assert "the content's digest is" in task["containers"][0]["reason"]
    # Those bytes under their right name are fine, and stay wrong under others.
    reg.image("app/images", "diff2", [layer], diffs=[sha(BUSYBOX)], config=script("exit 0"))
    assert code(run(s, mine(s, "diff2"))) == 0
    task = run(s, mine(s, "diff"))
    assert "wrong diff id" in task["containers"][0]["reason"]


def test_platform(s, reg):
    arm = reg.image("app/images", "arm", [BUSYBOX], arch="arm64", config=script("exit 0"))
    r, _ = reg.manifest("app/images", "arm-index", {
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": MANIFEST, "digest": arm, "size": 1,
             "platform": {"os": "linux", "architecture": "arm64"}}]}, INDEX)
    assert r.status == 201
    for tag in ("arm", "arm-index"):
        task = run(s, mine(s, tag))
        assert task["containers"][0]["reason"] == (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): image "
            "Manifest does not contain descriptor matching platform 'linux/amd64'")
    # What does not run here is not unpacked; an index with both runs.
    amd = reg.image("app/images", "amd", [BUSYBOX], config=script("exit 9"))
    both = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": d, "size": 1,
         "platform": {"os": "linux", "architecture": a}}
        for d, a in ((arm, "arm64"), (amd, "amd64"))]}
    reg.manifest("app/images", "both", both, INDEX)
    task = run(s, mine(s, "both"))
    assert code(task) == 9


def test_missing(s, reg):
    for image in (mine(s, "never"), f"127.0.0.1:{s.port}/no/such:x"):
        reason = run(s, image)["containers"][0]["reason"]
        assert reason == (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            f"resolve ref {image}: {image}: not found")


def test_by_digest_and_by_ecr_name(s, reg):
    digest = reg.image("app/images", "dig", [BUSYBOX], config=script("exit 3"))
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    for image in (f"127.0.0.1:{s.port}/app/images@{digest}", f"{host}/app/images:dig",
                  # as the CDK's hot-swapping makes it up of the endpoint's host
                  "123456789012.dkr.ecr.us-east-1.127.0.0.1/app/images:dig",
                  f"localhost:{s.port}/app/images:dig"):
        assert code(run(s, image)) == 3, image
    task = run(s, "210987654321.dkr.ecr.us-east-1.amazonaws.com/app/images:dig")
    assert "CannotPullContainerError: pull access denied" in task["containers"][0]["reason"]


def test_deleted_while_it_runs(s, reg):
    digests = push(s, reg, "busy", [BUSYBOX, tar(entry("busy", b"here"))],
                   script("while test -e /busy; do sleep 0.1; done"))
    arn = run(s, mine(s, "busy"), wait=False, stopTimeout=2)
    ended(s, arn, "RUNNING")
    s.client("ecr").batch_delete_image(repositoryName="app/images", imageIds=[{"imageTag": "busy"}])
    time.sleep(0.5)
    assert s.layer(digests[1]).exists()
    assert ended(s, arn, "RUNNING")["lastStatus"] == "RUNNING"
    s.client("ecs").stop_task(task=arn)
    ended(s, arn)


def test_killed_daemon_unpacks_again(s, reg):
    """The warden ends with its layers half unpacked; nothing half shows."""
    layer = tar(*(entry(f"f{i}", os.urandom(2000)) for i in range(8000)))
    packed = gzip.compress(layer, 1)
    reg.image("app/images", "killed", [gzip.compress(BUSYBOX), packed],
              diffs=[sha(BUSYBOX), sha(layer)], config=script("test -e /f7999"))
    s.process.kill()
    s.process.wait()
    s.log.close()
    time.sleep(0.3)
    assert not s.layer(sha(packed)).exists() or (s.layer(sha(packed)) / "f7999").exists()
    s.start()
    reg.daemon = s
    assert code(run(s, mine(s, "killed"))) == 0
    layers = pathlib.Path(s.state) / "layers"
    deadline = time.monotonic() + 10
    while [n for n in os.listdir(layers) if n.startswith("tmp")]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


# Other registries

class Upstream(http.server.ThreadingHTTPServer):
    """A registry with a token service that can be told to misbehave."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs, self.manifests, self.seen, self.fault = {}, {}, [], {}
        self.token = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def add(self, data):
        self.blobs[sha(data)] = data
        return {"digest": sha(data), "size": len(data)}

    def image(self, tag, layers, config, arch="amd64"):
        conf = json.dumps({"os": "linux", "architecture": arch, "config": config,
                           "rootfs": {"diff_ids": [sha(b) for b in layers]}}).encode()
        doc = {"schemaVersion": 2, "mediaType": MANIFEST,
               "config": {"mediaType": oci.CONFIG, **self.add(conf)},
               "layers": [{"mediaType": LAYER, **self.add(b)} for b in layers]}
        return self.put(tag, doc, MANIFEST)

    def put(self, tag, doc, kind):
        data = json.dumps(doc).encode()
        self.manifests[sha(data)] = self.manifests[tag] = (data, kind)
        return sha(data)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        up = self.server
        up.seen.append((self.path, self.headers["Authorization"], self.headers["Range"]))
        if self.path.startswith("/token"):
            return self.answer(200, json.dumps({"token": up.token}).encode())
        if self.path.startswith("/elsewhere/"):
            return self.answer(200, up.blobs[self.path.split("/")[-1]])
        if up.token and self.headers["Authorization"] != "Bearer " + up.token:
            return self.answer(401, WWW_Authenticate=(
                f'Bearer realm="http://{up.host}/token",service="reg",scope="repository:x:pull"'))
        _, _, *_, kind, ref = self.path.split("/")
        fault = up.fault.pop(ref, None) or up.fault.get("always " + ref)
        if isinstance(fault, int):
            return self.answer(fault)
        if kind == "manifests":
            if ref not in up.manifests:
                return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            data, media = up.manifests[ref]
            return self.answer(200, fault or data, Content_Type=media)
        data = up.blobs.get(ref)
        if data is None:
            return self.answer(404)
        if fault == "redirect":
            return self.answer(307, Location=f"http://localhost:{up.server_address[1]}/elsewhere/{ref}")
        if fault == "break":
            self.send_response(200)
            self.send_header("Content-Length", len(data))
            self.end_headers()
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
            return None
        if isinstance(fault, threading.Event):
            self.send_response(200)
            self.send_header("Content-Length", len(data))
            self.end_headers()
            self.wfile.write(data[:len(data) // 2])
            fault.wait(60)
            return self.wfile.write(data[len(data) // 2:])
        if isinstance(fault, bytes):
            return self.answer(200, fault)
        if self.headers["Range"]:
            at = int(self.headers["Range"][6:-1])
            return self.answer(206, data[at:], Content_Range=f"bytes {at}-{len(data)-1}/{len(data)}")
        return self.answer(200, data)


@pytest.fixture
def up():
    up = Upstream()
    yield up
    up.shutdown()
    up.server_close()


def fresh():
    """A layer that no test has brought yet."""
    return tar(entry("x", os.urandom(100000)))


def test_pull(s, up):
    up.image("v1", [BUSYBOX, fresh()], script("exit 5"))
    assert code(run(s, f"{up.host}/lib/app:v1")) == 5
    # The second time only the tag is asked for.
    up.seen.clear()
    assert code(run(s, f"{up.host}/lib/app:v1")) == 5
    assert {p for p, _, _ in up.seen} == {"/v2/lib/app/manifests/v1"}
    # A tag that moved.
    up.image("v1", [BUSYBOX, fresh()], script("exit 6"))
    assert code(run(s, f"{up.host}/lib/app:v1")) == 6


def test_pull_by_digest_needs_nobody(s, up):
    """What a digest names is here already: its registry may be away."""
    digest = up.image("d", [BUSYBOX, fresh()], script("exit 8"))
    assert code(run(s, f"{up.host}/lib/app@{digest}")) == 8
    up.shutdown()
    up.server_close()
    assert code(run(s, f"{up.host}/lib/app@{digest}")) == 8


def test_pull_with_token(s, up):
    up.token = "secret-" + os.urandom(8).hex()
    layer = fresh()
    up.image("t", [BUSYBOX, layer], script("exit 0"))
    up.fault[sha(layer)] = "redirect"
    assert code(run(s, f"{up.host}/lib/app:t")) == 0
    tokens = [p for p, _, _ in up.seen if p.startswith("/token")]
    assert tokens == ["/token?service=reg&scope=repository:lib/app:pull"]
    # Nobody else gets the token.
    elsewhere = [a for p, a, _ in up.seen if p.startswith("/elsewhere")]
    assert elsewhere == [None]


def test_pull_resumes(s, up):
    layer = fresh()
    up.image("r", [BUSYBOX, layer], script("exit 0"))
    up.fault[sha(layer)] = "break"
    assert code(run(s, f"{up.host}/lib/app:r")) == 0
    ranges = [r for p, _, r in up.seen if sha(layer) in p]
    assert ranges == [None, f"bytes={len(layer) // 2}-"]


def test_pull_index(s, up):
    amd = up.image("a", [BUSYBOX, fresh()], script("exit 4"))
    arm = up.image("b", [fresh()], script("exit 5"), arch="arm64")
    top = up.put("multi", {"schemaVersion": 2, "manifests": [
        {"mediaType": MANIFEST, "digest": d, "size": 1,
         "platform": {"os": "linux", "architecture": a}}
        for d, a in ((arm, "arm64"), (amd, "amd64"))]}, INDEX)
    task = run(s, f"{up.host}/lib/app:multi")
    assert code(task) == 4 and task["containers"][0]["imageDigest"] in (top, amd)
    up.put("arm", {"schemaVersion": 2, "manifests": [
        {"mediaType": MANIFEST, "digest": arm, "size": 1,
         "platform": {"os": "linux", "architecture": "arm64"}}]}, INDEX)
    assert "does not contain descriptor matching platform 'linux/amd64'" in run(
        s, f"{up.host}/lib/app:arm")["containers"][0]["reason"]


def test_pull_at_once(s, up):
    """Ten tasks, one download."""
    layer = fresh()
    up.image("p", [BUSYBOX, layer], script("exit 0"))
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        arns = list(pool.map(lambda _: run(s, f"{up.host}/lib/app:p", wait=False), range(5)))
    assert [code(ended(s, a)) for a in arns] == [0] * 5
    assert len([p for p, _, _ in up.seen if sha(layer) in p]) == 1


def test_pull_many_layers_at_once(s, up):
    """More layers on their way than are written at a time."""
    for i in range(6):
        up.image(f"m{i}", [BUSYBOX, *(tar(entry(f"{i}-{n}", b"x")) for n in range(100))],
                 script(f"test -e /{i}-99"))
    arns = [run(s, f"{up.host}/lib/app:m{i}", wait=False) for i in range(6)]
    assert [code(ended(s, a, timeout=120)) for a in arns] == [0] * 6


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill"])
def test_daemon_ends_in_the_middle_of_a_pull(s, reg, up, sig):
    """The next one pulls again, and the task runs."""
    layer = tar(entry("x", os.urandom(2000000)))
    up.image("mid", [BUSYBOX, layer], script("test -e /x"))
    up.fault[sha(layer)] = threading.Event()
    arn = run(s, f"{up.host}/lib/app:mid", wait=False)
    deadline = time.monotonic() + 20
    while not [p for p, _, _ in up.seen if sha(layer) in p]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)
    s.process.send_signal(sig)
    assert s.process.wait(30) == (0 if sig == signal.SIGTERM else -sig)
    s.log.close()
    s.start()
    reg.daemon = s
    assert code(ended(s, arn)) == 0
    # What the first half left is not in the way, nor visible.
    assert code(run(s, f"{up.host}/lib/app:mid")) == 0


@pytest.mark.parametrize("fault,why", [
    (b"other bytes", "failed to copy|unexpected digest"),
    ("same size", "unexpected digest"),
    (404, "status 404"), (500, "status 500"), ("none", "status 404"),
], ids=str)
def test_pull_faults(s, up, fault, why):
    layer = fresh()
    up.image("f", [BUSYBOX, layer], script("exit 0"))
    if fault == "none":
        del up.blobs[sha(layer)]
    else:
        up.fault["always " + sha(layer)] = (
            os.urandom(len(layer)) if fault == "same size" else fault)
    reason = run(s, f"{up.host}/lib/app:f")["containers"][0]["reason"]
    assert reason.startswith("CannotPullContainerError: ") and re.search(why, reason), reason
    # Once it is well again, so are we.
    up.fault.clear()
    up.add(layer)
    assert code(run(s, f"{up.host}/lib/app:f")) == 0


@pytest.mark.parametrize("status,text", [
    (404, "not found"), (403, "pull access denied"), (503, "unexpected status 503"),
    (b"junk", "not valid JSON"), (b"{}", "schemaVersion 2"), (b"[" * 3000000, "JSON|too")],
    ids=["404", "403", "503", "junk", "empty", "deep"])
def test_manifest_faults(s, up, status, text):
    up.image("m", [BUSYBOX], script("exit 0"))
    up.fault["m"] = status
    reason = run(s, f"{up.host}/lib/app:m")["containers"][0]["reason"]
    assert reason.startswith("CannotPullContainerError: ") and re.search(text, reason), reason


def test_wrong_manifest_for_digest(s, up):
    up.image("w", [BUSYBOX], script("exit 0"))
    up.manifests[sha(b"want")] = up.manifests["w"]
    reason = run(s, f"{up.host}/lib/app@{sha(b'want')}")["containers"][0]["reason"]
    assert "not that of the digest" in reason


def test_nobody_there(s):
    reason = run(s, "127.0.0.1:1/lib/app:x")["containers"][0]["reason"]
    assert reason.startswith("CannotPullContainerError: pull image manifest has been retried 1 "
                             "time(s): failed to resolve ref 127.0.0.1:1/lib/app"), reason


def test_registry_that_wants_a_password(s):
    """Another of our kind: it lets nobody in without a token."""
    other = Daemon()
    try:
        other.client("ecr").create_repository(repositoryName="lib/app")
        Registry(other).image("lib/app", "x", [BUSYBOX], config=script("exit 0"))
        reason = run(s, f"127.0.0.1:{other.port}/lib/app:x")["containers"][0]["reason"]
        assert reason.startswith("CannotPullContainerError: pull access denied"), reason
    finally:
        other.stop()


@pytest.mark.skipif(not shutil.which("docker-registry"), reason="docker-registry")
def test_docker_registry(s, tmp_path):
    import socket
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    conf = tmp_path / "c.yml"
    conf.write_text(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/r\n"
                    f"http:\n  addr: 127.0.0.1:{port}\n")
    p = subprocess.Popen(["docker-registry", "serve", conf], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        image = oci.oci_dir(tmp_path / "i", [BUSYBOX, fresh()], script("exit 11"))
        oci.skopeo("copy", "--dest-tls-verify=false", f"oci:{image}:latest",
                   f"docker://127.0.0.1:{port}/lib/app:x")
        assert code(run(s, f"127.0.0.1:{port}/lib/app:x")) == 11
    finally:
        p.kill()
        p.wait()
