"""Layers, good and hostile, through the warden's unpacker; proxies."""
import gzip
import hashlib
import io
import os
import pwd
import shutil
import socket
import subprocess
import tarfile
import tempfile

import pytest

import warden
from warden import Failed, Warden, text, u32

INSTANCE = f"l{os.getpid():x}"  # two runs at a time do not meet
PORT = 512 + os.getpid() % 500

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root")


@pytest.fixture(scope="module")
def w():
    base = tempfile.mkdtemp(prefix=INSTANCE + "-", dir="/var/tmp")
    ward = Warden(base, INSTANCE)
    try:
        ward.start()
        yield ward
    finally:
        code = ward.end()
    assert code == 0


def entry(name, kind=tarfile.REGTYPE, data=b"", link="", mode=0o644, uid=0,
          pax=None, mtime=1000):
    t = tarfile.TarInfo(name)
    t.type, t.linkname, t.mode, t.uid, t.gid = kind, link, mode, uid, uid
    t.size, t.mtime, t.pax_headers = len(data), mtime, pax or {}
    return t, data


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as f:
        for t, data in entries:
            f.addfile(t, io.BytesIO(data))
    return out.getvalue()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put_blob(w, blob):
    user = pwd.getpwnam("neargate")
    path = w.state
    for part in ("blobs", "sha256"):
        path = path / part
        path.mkdir(exist_ok=True)
        os.chown(path, user.pw_uid, user.pw_gid)
    path = path / sha(blob)[7:]
    path.write_bytes(blob)
    os.chown(path, user.pw_uid, user.pw_gid)
    return sha(blob)


def unpack(w, raw, pack=None, fmt=2, diff=None):
    digest = put_blob(w, (pack or gz)(raw))
    m = w.call(warden.UNPACK, text(digest) + text(diff or sha(raw)) + u32(fmt),
               timeout=120)
    m.u64(), m.u64()
    return w.state / "layers" / digest[7:]


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


GOOD = tar(
    entry("./", tarfile.DIRTYPE, mode=0o755),
    entry("./a/", tarfile.DIRTYPE, mode=0o1777, uid=7),
    entry("a/suid", data=b"x" * 100000, mode=0o4755, uid=1001),
    entry("a/hard", tarfile.LNKTYPE, link="a/suid"),
    entry("a/soft", tarfile.SYMTYPE, link="/etc/passwd"),
    entry("deep/er/file", data=b"1"),
    entry("deep/.wh.gone", data=b""),
    entry("opaque/", tarfile.DIRTYPE, mode=0o755),
    entry("opaque/.wh..wh..opq"),
    entry("dev/sda", tarfile.BLKTYPE),
    entry("name-\u00e9\U0001f600", data=b"2"),
    entry("xattr", data=b"", pax={
        "SCHILY.xattr.user.overlay.redirect": "/etc",
        "SCHILY.xattr.trusted.overlay.opaque": "y"}))


def gz(data):
    return gzip.compress(data, 1, mtime=0)


@pytest.mark.parametrize("pack,fmt", [
    (gz, 2), (zstd, 3), (bytes, 1),
    (lambda d: gz(d[:700]) + gz(d[700:]), 2)])
def test_good(w, pack, fmt):
    if fmt == 3 and not shutil.which("zstd"):
        pytest.skip("zstd")
    d = unpack(w, GOOD, pack, fmt)
    st = os.stat(d / "a/suid")
    assert (st.st_mode & 0o7777, st.st_uid, st.st_size, st.st_nlink,
            st.st_mtime) == (0o4755, 1001, 100000, 2, 1000)
    assert os.stat(d / "a").st_mode & 0o7777 == 0o1777
    assert os.stat(d / "a").st_mtime == 1000
    assert os.readlink(d / "a/soft") == "/etc/passwd"
    wh = os.lstat(d / "deep/gone")
    assert wh.st_rdev == 0 and wh.st_mode & 0o170000 == 0o020000
    assert os.getxattr(d / "opaque", "user.overlay.opaque") == b"y"
    assert not (d / "dev/sda").exists()
    assert (d / "name-\u00e9\U0001f600").read_bytes() == b"2"
    assert os.listxattr(d / "xattr") == []
    # Again: it is there.
    assert unpack(w, GOOD, pack, fmt) == d
    w.call(warden.IMAGE_REMOVE, text("sha256:" + d.name))
    assert not d.exists()


@pytest.mark.skipif(not shutil.which("crun"), reason="crun")
def test_remove_in_use(w):
    """A container keeps its layers; its end lets them go."""
    name = w.instance + "-task-t1"
    subprocess.run(["ip", "netns", "add", name], check=True)
    with open("/bin/busybox", "rb") as f:
        d = unpack(w, tar(entry("bin/sleep", data=f.read(), mode=0o755)))
    digest = "sha256:" + d.name
    w.container("c1", ["/bin/sleep", "60"], layers=[digest])
    with pytest.raises(Failed, match="a container uses the layer"):
        w.call(warden.IMAGE_REMOVE, text(digest))
    assert (d / "bin/sleep").exists()
    w.kill("c1", 9)
    w.exit("c1")
    w.remove("c1")
    w.call(warden.IMAGE_REMOVE, text(digest))
    assert not d.exists()
    subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.mark.parametrize("name,raw,why", [
    ("dotdot", tar(entry("../evil", data=b"x")), "bad name"),
    ("inner", tar(entry("a/../../evil", data=b"x")), "bad name"),
    ("absolute", tar(entry("/etc/evil", data=b"x")), "bad name"),
    ("link", tar(entry("l", tarfile.SYMTYPE, link="/etc"),
                 entry("l/evil", data=b"x")), "passes through"),
    ("hardlink", tar(entry("h", tarfile.LNKTYPE, link="../../etc/passwd")),
     "bad name"),
    ("hardlink2", tar(entry("l", tarfile.SYMTYPE, link="/etc"),
                      entry("h", tarfile.LNKTYPE, link="l/passwd")),
     "hard link"),
    ("whiteout", tar(entry(".wh..", data=b"")), "whiteout of nothing"),
    ("truncated", GOOD[:5000], "."),
    ("garbage", b"not a tar" * 1000, "."),
    ("bomb", None, "expands too much"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_hostile(w, name, raw, why):
    if raw is None:
        raw = tar(entry("zero", data=bytes(300 << 20)))
    before = set(os.listdir(w.state / "layers"))
    with pytest.raises(Failed, match=why):
        unpack(w, raw)
    w.until(lambda: set(os.listdir(w.state / "layers")) == before, "its end")
    assert not os.path.exists("/etc/evil")
    assert not os.path.exists(w.state / "evil")


def test_wrong_digest_and_corrupt(w):
    with pytest.raises(Failed, match="digest"):
        unpack(w, GOOD, diff="sha256:" + "0" * 64)
    with pytest.raises(Failed, match="corrupt|early"):
        unpack(w, GOOD, lambda d: gzip.compress(d)[:-200])
    with pytest.raises(Failed, match="corrupt"):
        unpack(w, GOOD, lambda d: b"\x1f\x8b\x08\0" + b"\xff" * 100)
    with pytest.raises(Failed, match="blob"):
        w.call(warden.UNPACK, text("sha256:" + "1" * 64)
               + text("sha256:" + "1" * 64) + u32(2))
    # A blob that is a link to something of root's.
    path = w.state / "blobs" / "sha256" / ("2" * 64)
    path.symlink_to("/etc/shadow")
    with pytest.raises(Failed, match="blob"):
        w.call(warden.UNPACK, text("sha256:" + "2" * 64)
               + text("sha256:" + "1" * 64) + u32(1))


CFG = """global
	stats socket {d}/admin.sock mode 600 level admin expose-fd listeners
defaults
	mode http
	timeout client 5s
	timeout server 5s
	timeout connect 5s
	option idle-close-on-response
frontend f
	bind 127.0.0.1:{port}
	http-request return status 200 content-type text/plain string {text}
"""


def configure(w, ident, port, text_):
    user = pwd.getpwnam("neargate")
    d = w.run / "lb" / ident
    d.mkdir(exist_ok=True)
    (d / "haproxy.cfg").write_text(CFG.format(d=d, port=port, text=text_))
    os.chown(d, user.pw_uid, user.pw_gid)


def get(port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        out = b""
        while data := s.recv(4096):
            out += data
        return out.rsplit(b"\r\n\r\n", 1)[1]


def refuses(port):
    try:
        get(port)
    except OSError:
        return True
    return False


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy")
def test_proxy(w):
    configure(w, "edge", PORT, "one")
    args = text("edge") + text("")
    m = w.call(warden.PROXY_START, args)
    pid = m.u32()
    assert not m.flag() and get(PORT) == b"one"
    status = open(f"/proc/{pid}/status").read()
    assert f"Uid:\t{pwd.getpwnam('neargate').pw_uid}" in status
    assert "CapEff:\t0000000000000400" in status
    m = w.call(warden.PROXY_START, args)
    assert m.u32() == pid and m.flag()
    configure(w, "edge", PORT, "two")
    new = w.call(warden.PROXY_RELOAD, args).u32()
    assert new != pid and get(PORT) == b"two"
    # A bad configuration leaves the old one at work.
    (w.run / "lb/edge/haproxy.cfg").write_text("nonsense\n")
    with pytest.raises(Failed, match="nonsense"):
        w.call(warden.PROXY_RELOAD, args)
    assert get(PORT) == b"two"
    configure(w, "edge", PORT, "two")
    # Another warden finds it.
    w.process.kill()
    w.process.wait()
    w.start()
    m = w.call(warden.PROXY_START, args)
    assert m.u32() == new and m.flag()
    # Its death is told.
    os.kill(new, 9)
    assert w.event(warden.PROXY_DIED).text() == "edge"
    assert w.call(warden.PROXY_START, args).u32() != new
    w.call(warden.PROXY_STOP, text("edge"))
    w.until(lambda: refuses(PORT), "the proxy's end")


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy")
def test_proxy_in_namespace(w):
    name = INSTANCE + "-lb-1"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    configure(w, "lb-1", 80, "inside")
    pid = w.call(warden.PROXY_START, text("lb-1") + text("lb-1")).u32()
    assert "CapEff:\t0000000000000000" in open(f"/proc/{pid}/status").read()
    out = subprocess.run(["ip", "netns", "exec", name, "curl", "-s",
                          "http://127.0.0.1/"], stdout=subprocess.PIPE)
    assert out.stdout == b"inside"
