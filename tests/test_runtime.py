"""Real containers through the real warden: needs root, crun and
busybox-static; an instance of its own, leaves nothing behind.  Waits for
events, holds nothing to a time."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

import warden
from warden import Failed, Warden

INSTANCE = f"w{os.getpid():x}"  # two runs at a time do not meet
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
        ).splitlines() if INSTANCE + "-" in m or BASE[0] in m]
    for proc in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = proc.read_bytes()
        except OSError:
            continue
        if BASE[0].encode() in line:
            found.append(line.decode())
    found += list(pathlib.Path("/run/netns").glob(INSTANCE + "-*"))
    found += list(pathlib.Path("/run/neargate-net").glob(INSTANCE))
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
    base = tempfile.mkdtemp(prefix=INSTANCE + "-", dir="/var/tmp")
    BASE[0] = base
    ward = Warden(base, INSTANCE)
    # The runtime, held back while the file "hold" is there.
    ward.hold, runtime = ward.base / "hold", ward.base / "runtime.sh"
    runtime.write_text(f"#!/bin/sh\nwhile [ -e {ward.hold} ]; do sleep 0.02; "
                       f"done\nexec {shutil.which('crun')} \"$@\"\n")
    runtime.chmod(0o755)
    ward.options = ["--runtime", runtime]
    try:
        make_layer(ward)
        start(ward)
        yield ward
    finally:
        code = ward.end()
    assert code == 0
    assert leftovers() == []


def alive(pid):
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def monitor_of(w, ident):
    return int((w.run / "containers" / ident / "monitor").read_text())


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
    go(w, "c3", "trap 'echo bye; exit 3' TERM; echo ready; "
       "while :; do sleep 0.1; done")
    w.said("c3", b"ready")
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
    """The kernel holds it back; how much it got is the kernel's business."""
    go(w, "c8", "while :; do :; done", task="t3", task_cpu=256)
    v2 = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
    group = pathlib.Path(f"/sys/fs/cgroup{'' if v2 else '/cpu'}"
                         f"/neargate-{INSTANCE}/t3")
    if v2:
        assert (group / "cpu.max").read_text() == "25000 100000\n"
    else:
        assert (group / "cpu.cfs_quota_us").read_text() == "25000\n"
        assert (group / "cpu.cfs_period_us").read_text() == "100000\n"
    w.until(lambda: "nr_throttled 0\n" not in (group / "cpu.stat").read_text(),
            "the quota holds it back")
    w.remove("c8")
    w.call(warden.TASK_REMOVE, warden.text("t3"))


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
    assert w.execute("c14", ["sleep", "1000"], 300)[0] == 137
    code, out = w.execute("c14", ["sh", "-c", "seq 1 5000"])
    assert code == 0 and len(out) == 4096
    w.remove("c14")
    with pytest.raises(Failed, match="does not run"):
        w.execute("c14", ["true"])


def test_init_reaps(w):
    go(w, "c15", "sh -c 'sleep 0.1 & echo $! >/tmp/p'; "
       "while [ -d /proc/$(cat /tmp/p) ]; do sleep 0.05; done; echo reaped; "
       "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done",
       init=True)
    w.said("c15", b"reaped")
    w.said("c15", b"ready")
    w.kill("c15", signal.SIGTERM)
    assert w.exit("c15")[0] == 5
    w.remove("c15")


def test_tty(w):
    code, _, out = result(w, "c16", "[ -t 1 ] && echo terminal", tty=True)
    assert code == 0 and "terminal" in out


def test_daemon_dies(w):
    pid = go(w, "c17", "sleep 1000")
    w.sock.close()
    os.kill(pid, signal.SIGTERM)    # nobody handles it: the first process
    os.kill(pid, signal.SIGKILL)
    w.connect()
    w.until(lambda: w.list()["c17"] == (0, True, 137, False), "the exit")
    w.remove("c17")


def test_daemon_dies_among_others(w):
    """Its end is told apart from those of monitors that end with it."""
    for i in range(5):
        pids = [go(w, f"c33-{k}", "sleep 1000") for k in range(4)]
        w.sock.close()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        w.connect()
        for k in range(4):
            w.remove(f"c33-{k}")


def test_warden_dies(w):
    one = go(w, "c18", "echo a; while [ ! -e /tmp/end ]; do sleep 0.05; done; "
             "echo b; exit 6")
    pid = go(w, "c19", "while :; do sleep 0.1; done")
    w.said("c18", b"a")
    monitor = monitor_of(w, "c18")
    end = pathlib.Path(f"/proc/{one}/root/tmp/end")
    w.process.kill()
    w.process.wait()
    end.touch()
    w.until(lambda: not alive(monitor), "c18's end")
    start(w)
    assert w.list() == {"c18": (0, True, 6, False),
                        "c19": (pid, False, 0, False)}
    # The list told it; an event would be a second time.
    assert [k for k, _ in w.events if k == warden.EXIT] == []
    assert [t for _, _, t in w.log("c18")] == [b"a", b"b"]
    assert w.execute("c19", ["true"]) == (0, "")
    w.kill("c19", signal.SIGKILL)
    assert w.exit("c19")[0] == 137
    w.remove("c18")
    w.remove("c19")


def test_warden_and_monitor_die(w):
    pid = go(w, "c23", "sleep 1000")
    monitor = monitor_of(w, "c23")
    w.process.kill()
    w.process.wait()
    os.kill(monitor, signal.SIGKILL)
    start(w)
    w.until(lambda: w.list()["c23"] == (0, True, 137, False), "the exit")
    assert not alive(pid)
    w.remove("c23")
    assert not (w.state / "containers" / "c23").exists()


def test_monitor_dies(w):
    pid = go(w, "c20", "sleep 1000")
    os.kill(monitor_of(w, "c20"), signal.SIGKILL)
    assert w.exit("c20") == (137, False)
    assert not alive(pid)
    assert w.list()["c20"] == (0, True, 137, False)
    w.remove("c20")
    assert not (w.state / "containers" / "c20").exists()


def held_start(w, ident):
    """A container whose runtime waits: request, monitor, runtime."""
    w.hold.touch()
    w.send(warden.START, w.container_fields(
        ident, ["sleep", "1000"], layers=[LAYER]))
    path = w.run / "containers" / ident / "monitor"
    w.until(path.exists, "the monitor's number")
    monitor = int(path.read_text())
    children = pathlib.Path(f"/proc/{monitor}/task/{monitor}/children")
    w.until(lambda: children.read_text().split(), "the runtime")
    return monitor, int(children.read_text().split()[0])


def test_monitor_dies_while_starting(w):
    monitor, runtime = held_start(w, "c24")
    os.kill(monitor, signal.SIGKILL)
    kind, _, m = w.frame()
    assert kind == warden.REPLY and m.u32() != 0
    w.hold.unlink()
    w.until(lambda: not alive(runtime), "the runtime's end")
    assert "c24" not in w.list()
    assert not (w.state / "containers" / "c24").exists()
    assert result(w, "c24", "exit 4")[0] == 4


def test_warden_dies_while_starting(w):
    """Nobody was told that it runs: so it does not."""
    monitor, runtime = held_start(w, "c25")
    w.process.kill()
    w.process.wait()
    start(w)
    w.hold.unlink()
    w.until(lambda: not alive(monitor) and not alive(runtime), "their end")
    w.until(lambda: "c25" not in w.list(), "the container's end")
    assert not (w.state / "containers" / "c25").exists()
    assert result(w, "c25", "exit 4")[0] == 4


def test_every_exit_is_the_containers(w):
    """The runtime's helpers end around it and are not it."""
    for i in range(20):
        pid = go(w, "c26", "sleep 1000")
        os.kill(pid, signal.SIGKILL)
        assert w.exit("c26") == (137, False)
        w.remove("c26")
        go(w, "c26", "sleep 1000")
        w.kill("c26", signal.SIGTERM)   # has no handler: first process
        assert w.execute("c26", ["true"]) == (0, "")
        w.kill("c26", signal.SIGKILL)
        assert w.exit("c26") == (137, False)
        w.remove("c26")


@pytest.mark.parametrize("tty", [False, True])
def test_somebody_holds_its_output(w, tty):
    """Somebody else has the other end and never stops writing."""
    pid = go(w, "c27", "echo mine; sleep 1000", tty=tty)
    w.said("c27", b"mine\r" if tty else b"mine")
    with open(f"/proc/{pid}/fd/1", "wb", buffering=0) as held:
        writer = subprocess.Popen(["sh", "-c", "while :; do echo theirs || "
                                   "exit; done"], stdout=held,
                                  stderr=subprocess.DEVNULL)
        try:
            os.kill(pid, signal.SIGKILL)
            assert w.exit("c27") == (137, False)
        finally:
            writer.kill()
            writer.wait()
    w.remove("c27")


def test_full_log_does_not_hide_the_exit(w):
    """The reader is far behind and stays there."""
    pid = go(w, "c28", "while :; do head -c 65536 /dev/zero; done")
    last = w.state / "log" / "c28" / "000064.log"
    w.until(last.exists, "64 segments", 120)
    os.kill(pid, signal.SIGKILL)
    assert w.exit("c28") == (137, False)
    w.remove("c28")
    shutil.rmtree(last.parent)


def test_idle_monitor(w):
    """It waits; it does not look."""
    pid = go(w, "c29", "exec >/dev/null 2>&1; sleep 1000", init=True)
    monitor = pathlib.Path(f"/proc/{monitor_of(w, 'c29')}")
    # poll or ppoll, of whichever number
    w.until(lambda: (monitor / "syscall").read_text().split()[0] in
            ("7", "271", "73"), "it polls, not " +
            (monitor / "syscall").read_text())
    status = (monitor / "status").read_text()
    switches = [l for l in status.splitlines() if l.startswith("voluntary")]
    assert w.execute("c29", ["true"]) == (0, "")
    assert switches == [l for l in (monitor / "status").read_text(
        ).splitlines() if l.startswith("voluntary")]
    rollup = dict(line.split()[:2] for line in (
        monitor / "smaps_rollup").read_text().splitlines()[1:])
    # kB of its own; its program is one copy for all of them.
    assert int(rollup["Private_Dirty:"]) < 200, rollup
    os.kill(pid, signal.SIGKILL)
    assert w.exit("c29") == (137, False)
    w.remove("c29")


def test_garbage_ends_the_connection_only(w):
    pid = go(w, "c21", "sleep 100")
    w.send(warden.START, b"\xff" * 50)
    with pytest.raises((EOFError, OSError)):
        while True:
            w.frame()
    w.connect()
    assert w.list()["c21"][0] == pid
    w.remove("c21")


def test_runtime_itself(w):
    """Not by the script that holds it back: from memory, the filter given."""
    w.stop()
    options, w.options = w.options, []
    start(w)
    code, _, out = result(w, "c32", "cat /proc/self/status; mount -t tmpfs x "
                          "/tmp; ls -l /proc/1/fd; exit 3")
    assert code == 3 and "Seccomp:\t2" in out
    assert "mount: permission denied" in out and "runtime" not in out
    go(w, "c32", "sleep 1000")
    assert w.execute("c32", ["cat", "/proc/self/status"])[1].count(
        "Seccomp:\t2") == 1
    w.remove("c32")
    w.stop()
    w.options = options
    start(w)


def test_nothing_shows_on_the_host(w):
    go(w, "c22", "sleep 1000")
    assert BASE[0] not in pathlib.Path("/proc/self/mounts").read_text()
    # down, at the end, finds it running and leaves nothing


@pytest.mark.parametrize("lost", [(), ("run",), ("run", "state")])
def test_down_after_a_crash(w, lost):
    """The warden was killed, with a container and one that is just made;
    perhaps its directories are gone, too."""
    pid = go(w, "c30", "sleep 1000")
    monitor = monitor_of(w, "c30")
    started, runtime = held_start(w, "c31")
    w.process.kill()
    w.process.wait()
    kept = w.base / "kept"
    shutil.copytree(w.state / "layers", kept, symlinks=True)
    for name in lost:
        shutil.rmtree(w.base / name)
    assert w.down() == 0
    for p in (pid, monitor, started, runtime):
        assert not alive(p)
    w.until(lambda: leftovers() == [], str(leftovers()))
    w.hold.unlink()
    assert not w.run.exists()
    assert w.state.exists() == ("state" not in lost)
    if "state" in lost:
        w.state.mkdir()
        shutil.copytree(kept, w.state / "layers", symlinks=True)
    shutil.rmtree(kept)
    start(w)
    assert w.list() == {}
    assert result(w, "c30", "exit 4")[0] == 4
