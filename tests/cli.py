"""An instance brought up by the neargate command, and its clients."""
import json
import os
import pathlib
import select
import signal
import subprocess

import boto3
import botocore.config

import oci
from conftest import BUILD

NEARGATE = BUILD / "neargate"


def neargate(*args, check=True, env=None):
    p = subprocess.run([NEARGATE, *map(str, args)], capture_output=True, text=True,
                       timeout=120, env=env)
    assert not check or p.returncode == 0, p.stdout + p.stderr
    return p


def evaluate(text):
    """What a shell makes of export lines."""
    p = subprocess.run(["sh", "-euc", text + "\nenv -0"], capture_output=True, text=True,
                       check=True, env={"PATH": os.environ["PATH"], "AWS_SESSION_TOKEN": "x"})
    return dict(line.split("=", 1) for line in p.stdout.split("\0") if line)


def processes():
    """{pid: command line} of all."""
    found = {}
    for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = p.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if line:
            found[int(p.parent.name)] = line
    return found


class Instance:
    def __init__(self, *args, name=None):
        out = neargate("up", "--ephemeral", *(("--instance", name) if name else ()),
                       *args)
        self.env = evaluate(out.stdout)
        self.name = self.env["NEARGATE_INSTANCE"]
        self.endpoint = self.env["AWS_ENDPOINT_URL"]
        self.port = int(self.endpoint.rsplit(":", 1)[1])
        self.run = pathlib.Path("/run/neargate-" + self.name)
        self.state = pathlib.Path("/var/lib/neargate-" + self.name)
        self.is_down = False

    def __call__(self, *args, **kw):
        return neargate(args[0], "--instance", self.name, *args[1:], **kw)

    def status(self):
        return json.loads(self("status", "--json").stdout)

    def warden(self):
        return int((self.run / "warden.pid").read_text())

    def log(self):
        return (self.state / "neargate.log").read_text(errors="replace")

    def down(self):
        """The daemon first, so that its last words are heard."""
        if self.is_down:
            return
        self.is_down = True
        log = ""
        if (self.run / "warden.pid").exists():
            fd = os.pidfd_open(self.warden())
            os.kill(self.warden(), signal.SIGTERM)
            ended = select.select([fd], [], [], 30)[0]
            os.close(fd)
            log = self.log()
            assert ended, log
        self("down")
        for word in ("<3>", "panic", "Sanitizer", "runtime error"):
            assert word not in log, log

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=region,
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(retries={"max_attempts": 0}))

    def push(self, repo):
        """Busybox from this host; the reference for a task definition."""
        layer = oci.tar(
            oci.entry("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), mode=0o755),
            *(oci.entry("bin/" + n, kind=oci.tarfile.SYMTYPE, link="busybox")
              for n in ("sh", "sleep", "echo", "httpd", "cat", "true")),
            oci.entry("tmp", kind=oci.tarfile.DIRTYPE, mode=0o1777))
        self.client("ecr").create_repository(repositoryName=repo)
        oci.Registry(self).image(repo, "latest", [layer])
        return f"127.0.0.1:{self.port}/{repo}:latest"

    def leftovers(self):
        """All that is still on the host of this instance."""
        n = self.name
        found = [str(p) for p in (self.run, self.state) if p.exists()]
        found += [str(p) for p in pathlib.Path("/run/netns").glob(n + "-*")]
        if pathlib.Path("/run/neargate-net", n).exists():
            found.append("/run/neargate-net/" + n)
        found += [m for m in pathlib.Path("/proc/self/mounts").read_text().splitlines()
                  if n + "-" in m or "-" + n in m]
        for root, dirs, _ in os.walk("/sys/fs/cgroup"):
            found += [f"{root}/{d}" for d in dirs if d == "neargate-" + n]
            dirs[:] = [d for d in dirs if root.count("/") < 5]
        found += [line for line in processes().values()
                  if f"/neargate-{n}" in line or f" {n} " in line]
        tables = subprocess.run(["/usr/sbin/nft", "list", "tables"], capture_output=True,
                                text=True).stdout
        found += [t for t in tables.splitlines() if t.split()[-1] == n]
        links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True).stdout
        found += [i for i in links.splitlines() if i.startswith(n + "v")]
        return found
