"""Real containers through the real warden: needs root, crun and
busybox-static; touches only what it made."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import warden
from warden import Failed, Warden

INSTANCE = "ngw"
LAYER = "sha256:" + "ab" * 32

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("crun"), reason="root and crun")


def run(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


def leftovers():
    found = []
    for root, dirs, _ in os.walk("/sys/fs/cgroup"):
        found += [f"{root}/{d}" for d in dirs if d == "neargate-" + INSTANCE]
        dirs[:] = [d for d in dirs if not d.startswith("neargate-")] \
            if root.count("/") < 5 else []
    found += [m for m in pathlib.Path("/proc/self/mounts").read_text(
        ).splitlines() if INSTANCE + "-" in m or "overlay" in m]
    for proc in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = proc.read_bytes()
        except OSError:
            continue
        if b"neargate-monitor" in line and BASE[0].encode() in line:
            found.append(line.decode())
    found += list(pathlib.Path("/run/netns").glob(INSTANCE + "-*"))
    return found


BASE = [""]


def make_layer(ward):
    layer = ward.state / "layers" / ("ab" * 32)
    for d in ("bin", "etc", "proc", "sys", "dev", "tmp"):
        (layer / d).mkdir(parents=True)
    os.chmod(layer / "tmp", 0o1777)
    shutil.copy("/bin/busybox", layer / "bin" / "busybox")
    for name in ("sh", "sleep", "cat", "true", "id", "echo", "kill", "dd",
                 "seq", "trap", "env", "ls", "head", "ulimit", "nslookup",
                 "hostname", "tr", "mknod", "mount", "touch", "ps"):
        os.symlink("busybox", layer / "bin" / name)


def start(ward):
    """The network part takes a namespace without interfaces for a leftover,
    and removes it when the warden starts."""
    ward.start()
    name = INSTANCE + "-task-t1"
    if not pathlib.Path("/run/netns", name).exists():
        run("ip", "netns", "add", name)


@pytest.fixture(scope="module")
def w():
    base = tempfile.mkdtemp(prefix="ngw-", dir="/var/tmp")
    BASE[0] = base
    ward = Warden(base, INSTANCE)
    make_layer(ward)
    start(ward)
    yield ward
    ward.stop()
    assert ward.down() == 0
    shutil.rmtree(base)
    assert leftovers() == []


def go(w, ident, script, **kw):
    return w.container(ident, ["sh", "-c", script], layers=[LAYER], **kw)


def result(w, ident, script, **kw):
    """Runs it to its end: exit, output."""
    go(w, ident, script, **kw)
    code, oom = w.exit(ident)
    out = b"\n".join(t for _, _, t in w.log(ident)).decode()
    w.remove(ident)
    return code, oom, out


def test_output_and_code(w):
    go(w, "c1", "echo out; echo err >&2; printf unfinished; exit 7")
    assert w.exit("c1") == (7, False)
    log = w.log("c1")
    assert ("o", "F", b"out") in log and ("e", "F", b"err") in log
    assert ("o", "F", b"unfinished") in log
    assert (w.state / "log" / "c1" / "end").exists()
    assert w.list()["c1"] == (0, True, 7, False)
    w.remove("c1")
    w.remove("c1")
    assert "c1" not in w.list()


def test_long_lines_are_parts(w):
    go(w, "c2", "head -c 40000 /dev/zero | tr '\\0' x; echo")
    w.exit("c2")
    kinds = [(k, len(t)) for _, k, t in w.log("c2")]
    assert kinds == [("P", 16384), ("P", 16384), ("F", 7232)]
    w.remove("c2")


def test_signals(w):
    go(w, "c3", "trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done")
    time.sleep(0.2)
    w.kill("c3", signal.SIGTERM)
    assert w.exit("c3") == (3, False)
    w.remove("c3")
    go(w, "c3", "sleep 100")
    w.kill("c3", signal.SIGKILL)
    assert w.exit("c3") == (137, False)
    w.kill("c3", signal.SIGKILL)
    w.remove("c3")
    w.kill("c3", signal.SIGKILL)


def test_start_is_idempotent(w):
    pid = go(w, "c4", "sleep 100")
    assert go(w, "c4", "sleep 100") == pid
    w.remove("c4")
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_what_cannot_start(w):
    with pytest.raises(Failed, match="no such file or directory|not found"):
        w.container("c5", ["/nope"], layers=[LAYER])
    with pytest.raises(Failed, match="not unpacked"):
        w.container("c5", ["true"], layers=["sha256:" + "00" * 32])
    with pytest.raises(Failed, match="network namespace"):
        w.container("c5", ["true"], layers=[LAYER], netns="nope")
    for bad in (dict(netns="../x"), dict(hostname="a b"), dict(cwd="/.."),
                dict(caps=["SYS_ADMIN"]), dict(task="../.."),
                dict(mounts=[("../etc", "/x", False)]),
                dict(hosts=["a\nb"])):
        with pytest.raises(Failed, match="Invalid argument"):
            w.container("c5", ["true"], **(dict(layers=[LAYER]) | bad))
    with pytest.raises(Failed, match="Invalid argument"):
        w.container("../c5", ["true"], layers=[LAYER])
    time.sleep(0.2)
    assert "c5" not in w.list()
    assert result(w, "c5", "exit 4")[0] == 4


def test_memory_limit(w):
    code, oom, _ = result(w, "c6", "exec dd if=/dev/zero of=/dev/null bs=200M",
                          memory=32 << 20)
    assert (code, oom) == (137, True)


def test_task_memory_limit(w):
    code, oom, _ = result(w, "c7", "exec dd if=/dev/zero of=/dev/null bs=200M",
                          task="t2", task_memory=32 << 20)
    assert (code, oom) == (137, True)
    w.call(warden.TASK_REMOVE, warden.text("t2"))


def test_cpu_limit(w):
    pid = go(w, "c8", "while :; do :; done", task="t3", task_cpu=256)
    time.sleep(0.3)
    before = cpu(pid)
    time.sleep(2)
    used = cpu(pid) - before
    w.remove("c8")
    w.call(warden.TASK_REMOVE, warden.text("t3"))
    assert 0 < used < 0.75, used


def cpu(pid):
    f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def test_fork_bomb(w):
    code, _, out = result(w, "c9", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
                          "sleep 5 & done; echo unreachable", pids=8)
    assert "fork" in out and "unreachable" not in out and code != 0


def test_user_and_caps(w):
    _, _, out = result(w, "c10", "id; cat /proc/self/status", uid=1001,
                       gid=1002, groups=[7])
    assert "uid=1001 gid=1002 groups=7" in out
    assert "CapEff:\t0000000000000000" in out
    assert "CapBnd:\t00000000a80425fb" in out and "Seccomp:\t2" in out
    _, _, out = result(w, "c10", "cat /proc/self/status; mount -t tmpfs x /tmp;"
                       " mknod /tmp/sda b 8 0; cat /tmp/sda")
    assert "CapEff:\t00000000a80425fb" in out
    assert "mount: permission denied" in out
    assert "/tmp/sda': Operation not permitted" in out


def test_what_it_sees(w):
    code, _, out = result(
        w, "c11", "hostname; cat /etc/hosts /etc/resolv.conf; echo $A; pwd; "
        "ulimit -n; ps | head -3; ls /sys/fs/cgroup/unified; touch /x",
        env=["PATH=/bin", "A=b c"], cwd="/tmp", hostname="web", read_only=True,
        hosts=["10.0.0.1 web"], dns=["10.0.0.2"],
        ulimits=[("nofile", 100, 200)])
    assert out.startswith("web\n127.0.0.1 localhost\n10.0.0.1 web\n"
                          "nameserver 10.0.0.2\nb c\n/tmp\n100\n")
    assert "1 0 " in out and "Read-only file system" in out and code != 0


def test_volumes_are_shared(w):
    result(w, "c12", "echo hello >/data/f",
           mounts=[("Vol.1", "/data", False)], task="t4")
    code, _, out = result(w, "c13", "cat /in/f; touch /in/g",
                          mounts=[("Vol.1", "/in", True)], task="t4")
    assert out.startswith("hello") and code != 0
    w.call(warden.TASK_REMOVE, warden.text("t4"))
    assert not (w.state / "volumes" / "t4").exists()


def test_exec(w):
    go(w, "c14", "sleep 100", env=["PATH=/bin", "X=1"], uid=5)
    assert w.execute("c14", ["sh", "-c", "echo $X; id -u; exit 9"]) == (
        9, "1\n5\n")
    assert w.execute("c14", ["/nope"])[0] == 127
    before = time.time()
    assert w.execute("c14", ["sleep", "50"], 300)[0] == 137
    assert time.time() - before < 3
    code, out = w.execute("c14", ["sh", "-c", "seq 1 5000"])
    assert code == 0 and len(out) == 4096
    w.remove("c14")
    with pytest.raises(Failed, match="does not run"):
        w.execute("c14", ["true"])


def test_init_reaps(w):
    go(w, "c15", "sh -c 'sleep 0.1 &'; sleep 0.5; ps; trap 'exit 5' TERM; "
       "while :; do sleep 0.1; done", init=True)
    time.sleep(1)
    w.kill("c15", signal.SIGTERM)
    assert w.exit("c15")[0] == 5
    assert b"[sleep]" not in b"".join(t for _, _, t in w.log("c15"))
    w.remove("c15")


def test_tty(w):
    code, _, out = result(w, "c16", "[ -t 1 ] && echo terminal", tty=True)
    assert code == 0 and "terminal" in out


def test_daemon_dies(w):
    pid = go(w, "c17", "sleep 1; exit 6")
    w.sock.close()
    time.sleep(1.5)
    w.connect()
    assert w.list()["c17"] == (0, True, 6, False) and pid
    w.remove("c17")


def test_warden_dies(w):
    go(w, "c18", "echo a; sleep 1; echo b; exit 6")
    pid = go(w, "c19", "while :; do sleep 0.1; done")
    w.process.kill()
    w.process.wait()
    time.sleep(1.5)
    start(w)
    assert w.list() == {"c18": (0, True, 6, False),
                        "c19": (pid, False, 0, False)}
    assert [t for _, _, t in w.log("c18")] == [b"a", b"b"]
    assert w.execute("c19", ["true"]) == (0, "")
    w.kill("c19", signal.SIGKILL)
    assert w.exit("c19")[0] == 137
    w.remove("c18")
    w.remove("c19")


def test_monitor_dies(w):
    pid = go(w, "c20", "sleep 100")
    monitor = int((w.run / "containers" / "c20" / "monitor").read_text())
    os.kill(monitor, signal.SIGKILL)
    assert w.exit("c20") == (137, False)
    stat = pathlib.Path(f"/proc/{pid}/stat")
    assert not stat.exists() or ") Z " in stat.read_text()
    w.remove("c20")


def test_garbage_ends_the_connection_only(w):
    pid = go(w, "c21", "sleep 100")
    w.send(warden.START, b"\xff" * 50)
    with pytest.raises((EOFError, OSError)):
        while True:
            w.frame()
    w.connect()
    assert w.list()["c21"][0] == pid
    w.remove("c21")


def test_nothing_shows_on_the_host(w):
    go(w, "c22", "sleep 100")
    mounts = pathlib.Path("/proc/self/mounts").read_text()
    assert "overlay" not in mounts
    # down, at the end, finds it running and leaves nothing
