"""A warden under test and a client of its protocol (src/warden/proto.h)."""
import os
import pathlib
import pwd
import shutil
import socket
import struct
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / os.environ.get("BUILD", "build")
(HELLO, START, KILL, REMOVE, EXEC, LIST, TASK_REMOVE) = (
    1, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15)
(UNPACK, IMAGE_REMOVE, IMAGE_LIST) = (0x20, 0x21, 0x22)
(PROXY_START, PROXY_RELOAD, PROXY_STOP, PROXY_LIST) = (0x30, 0x31, 0x32, 0x33)
EXIT, PROXY_DIED, REPLY = 0x80, 0x81, 0xff


class Failed(Exception):
    def __init__(self, err, why):
        super().__init__(f"{os.strerror(err)}: {why}")
        self.err, self.why = err, why


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<I", len(b)) + b


def texts(v):
    return struct.pack("<I", len(v)) + b"".join(text(s) for s in v)


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def flag(b):
    return b"\1" if b else b"\0"


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        assert len(self.data) >= n
        got, self.data = self.data[:n], self.data[n:]
        return got

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.take(8))[0]

    def flag(self):
        return self.take(1) == b"\1"

    def text(self):
        return self.take(self.u32()).decode(errors="replace")


class Warden:
    """Owns an instance; its directories are under base."""

    def __init__(self, base, instance):
        self.base, self.instance = pathlib.Path(base), instance
        self.run, self.state = self.base / "run", self.base / "state"
        self.socket_path = self.base / "peer" / "socket"
        self.events, self.serial, self.inbox = [], 0, b""
        self.process, self.sock, self.options = None, None, []
        user = pwd.getpwnam("neargate")
        os.chmod(self.base, 0o755)
        (self.base / "peer").mkdir(exist_ok=True)
        os.chown(self.base / "peer", user.pw_uid, user.pw_gid)
        # neargated's user must be able to read its program.
        shutil.copy(TOP / "tests" / "warden_peer.py", self.base / "peer.py")
        os.chmod(self.base / "peer.py", 0o755)

    def args(self):
        return [BUILD / "neargate-warden", "--instance", self.instance,
                "--run-dir", self.run, "--state-dir", self.state,
                "--daemon", self.base / "peer.py"]

    def start(self):
        self.process = subprocess.Popen(
            [*self.args(), *self.options], env=os.environ | {
                "WARDEN_PEER_SOCKET": str(self.socket_path)})
        self.connect()

    def connect(self):
        self.inbox = b""
        for _ in range(500):
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                self.sock.connect(str(self.socket_path))
                self.call(LIST)
                return
            except (OSError, EOFError):
                time.sleep(0.02)
        raise TimeoutError("the warden's peer does not answer")

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(15)
        finally:
            self.process.kill()

    def down(self):
        return subprocess.run(self.args() + ["--down"], timeout=30).returncode

    def end(self):
        """Leaves nothing, whatever went wrong before; what down answered."""
        try:
            if self.process and self.process.poll() is None:
                self.stop()
        finally:
            code = self.down()
            shutil.rmtree(self.base, ignore_errors=True)
        return code

    def frame(self, timeout=20):
        self.sock.settimeout(timeout)
        while len(self.inbox) < 4 or len(self.inbox) < 4 + struct.unpack(
                "<I", self.inbox[:4])[0]:
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError
            self.inbox += data
        n = struct.unpack("<I", self.inbox[:4])[0]
        kind, serial = struct.unpack("<HQ", self.inbox[4:14])
        body, self.inbox = self.inbox[14:4 + n], self.inbox[4 + n:]
        return kind, serial, Reader(body)

    def send(self, kind, fields=b""):
        self.serial += 1
        self.sock.sendall(struct.pack("<IHQ", 10 + len(fields), kind,
                                      self.serial) + fields)
        return self.serial

    def call(self, kind, fields=b"", timeout=20):
        serial = self.send(kind, fields)
        while True:
            got, s, m = self.frame(timeout)
            if got != REPLY:
                self.events.append((got, m))
                continue
            assert s == serial
            err, why = m.u32(), m.text()
            if err:
                raise Failed(err, why)
            return m

    def event(self, kind, timeout=20):
        while True:
            for i, (got, m) in enumerate(self.events):
                if got == kind:
                    return self.events.pop(i)[1]
            got, _, m = self.frame(timeout)
            self.events.append((got, m))

    def container(self, *args, **kw):
        return self.call(START, self.container_fields(*args, **kw)).u32()

    def container_fields(
            self, ident, args, task="t1", netns="task-t1", layers=(),
            env=("PATH=/bin",), uid=0, gid=0, groups=(), memory=0, shares=0,
            task_memory=0, task_cpu=0, pids=0, ulimits=(), mounts=(),
            read_only=False, cwd="/", caps=(), drop=(), init=False, tty=False,
            dns=(), hosts=(), hostname="ip-10-0-0-1"):
        return b"".join([
            text(ident), text(task), text(netns), text(hostname),
            texts(layers), flag(read_only), texts(args), texts(env),
            text(cwd), u32(uid), u32(gid),
            u32(len(groups)), *map(u32, groups),
            u64(memory), u64(0), u32(shares), u64(task_memory),
            u32(task_cpu), u32(pids),
            u32(len(ulimits)),
            *(text(n) + u64(s) + u64(h) for n, s, h in ulimits),
            u32(len(mounts)),
            *(text(v) + text(t) + flag(r) for v, t, r in mounts),
            texts(caps), texts(drop), flag(init), flag(tty), texts(dns),
            texts(hosts)])

    def exit(self, ident):
        """Waits for it: (code, oom)."""
        while True:
            m = self.event(EXIT)
            if m.text() == ident:
                return m.u32(), m.flag()

    def list(self):
        m = self.call(LIST)
        out = {}
        for _ in range(m.u32()):
            ident, task = m.text(), m.text()
            pid, _, exited, code, oom, _ = (
                m.u32(), m.u64(), m.flag(), m.u32(), m.flag(), m.u64())
            out[ident] = (pid, exited, code, oom)
        return out

    def execute(self, ident, args, timeout_ms=5000):
        m = self.call(EXEC, text(ident) + texts(args) + u32(timeout_ms))
        return m.u32(), m.text()

    def kill(self, ident, sig):
        self.call(KILL, text(ident) + u32(sig))

    def remove(self, ident):
        self.call(REMOVE, text(ident))

    def until(self, done, what, timeout=20):
        """Waits for what nobody announces."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, "never happened: " + what
            time.sleep(0.01)

    def said(self, ident, line):
        """Waits until the container has printed the line."""
        self.until(lambda: line in [t for _, _, t in self.log(ident)],
                   f"{ident} says {line}")

    def log(self, ident):
        """All records: [(stream, kind, text)]."""
        lines = []
        for path in sorted((self.state / "log" / ident).glob("*.log")):
            for line in path.read_bytes().split(b"\n")[:-1]:
                _, stream, kind, rest = line.split(b" ", 3)
                lines.append((stream.decode(), kind.decode(), rest))
        return lines
