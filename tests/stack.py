"""The whole of it as root: a warden of its own, its daemon, real containers."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import conftest
from conftest import ACCOUNT, BUILD, KEY, SECRET, Daemon

ready = os.geteuid() == 0 and shutil.which("crun") is not None


class Stack(Daemon):
    """Like a Daemon, with real drivers.  prefix: up to four letters."""

    def __init__(self, prefix, *args, state=None):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir="/var/tmp"))
        os.chmod(self.base, 0o755)
        self.instance = f"{prefix}{os.getpid() % 4096:03x}"
        self.state = str(state or self.base / "state")
        self.run_dir = self.base / "run"
        self.args, self.process = args, None
        self.start()

    def command(self):
        return [BUILD / "neargate-warden", "--instance", self.instance, "--run-dir", self.run_dir,
                "--state-dir", self.state]

    def start(self):
        out = self.base / "out"
        out.mkdir(exist_ok=True)
        user = pwd.getpwnam("neargate")
        os.chown(out, user.pw_uid, user.pw_gid)
        port_file = out / "port"
        port_file.unlink(missing_ok=True)
        self.log = open(self.base / "log", "ab")
        self.process = subprocess.Popen(
            [*self.command(), "--listen", "127.0.0.1:0", "--port-file", port_file, "--account",
             ACCOUNT, "--root-access-key", KEY, "--root-secret-key", SECRET, *self.args],
            stderr=self.log)
        deadline = time.monotonic() + 20
        while not port_file.exists():
            assert self.process.poll() is None, self.read_log()
            assert time.monotonic() < deadline, "no answer: " + self.read_log()
            time.sleep(0.01)
        self.port = int(port_file.read_text())
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def read_log(self):
        return (self.base / "log").read_text(errors="replace")

    def layer(self, digest):
        return pathlib.Path(self.state) / "layers" / digest[7:]

    def wait_layer(self, digest, there=True, timeout=30):
        deadline = time.monotonic() + timeout
        while self.layer(digest).exists() != there:
            assert time.monotonic() < deadline, self.read_log()[-3000:]
            time.sleep(0.01)
        return self.layer(digest)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.log.close()
        log = self.read_log()
        down = subprocess.run(self.command() + ["--down"], timeout=60, capture_output=True,
                              text=True)
        shutil.rmtree(self.base, ignore_errors=True)
        assert (code, down.returncode) == (0, 0), log[-3000:] + down.stderr
        assert "panic" not in log and "ERROR: " not in log, log
