"""CDK's own command line against an instance, on a copy of an app."""
import os
import pathlib
import shutil
import subprocess

import oci
from conftest import ROOT

PREVIEW = ROOT / "examples" / "preview"
NEW = PREVIEW / "node_modules" / ".bin" / "cdk"          # 2.1148.1
OLD = ROOT / "tests" / "cdk" / "node_modules" / ".bin" / "cdk"   # 2.1027.0
ready = NEW.exists() and OLD.exists()
ZONE, ZONE_NAME = "Z0PREVIEWZONE000000A", "preview.localhost"


class Cdk:
    """cdk in a directory of its own, with nothing set but the endpoint and the
    keys."""

    def __init__(self, ng, home, app):
        self.ng, self.app = ng, pathlib.Path(app)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("AWS_", "CDK_", "NEARGATE"))}
        self.env |= {k: v for k, v in ng.env.items() if k.startswith("AWS_")}
        self.env |= {"CDK_HOME": str(home), "HOME": str(home), "NO_COLOR": "1", "CI": "1",
                     "CDK_DISABLE_CLI_TELEMETRY": "true", "no_proxy": "127.0.0.1,localhost",
                     "NODE_PATH": str(PREVIEW / "node_modules")}

    def __call__(self, *args, cli=NEW, code=0, timeout=300):
        """What it printed, both streams as one."""
        p = subprocess.run([cli, *map(str, args)], cwd=self.app, env=self.env, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        assert code is None or p.returncode == code, p.stdout + self.ng.log()[-3000:]
        return p.stdout


    def watch(self, *args):
        """`cdk watch`, running; its output comes in lines."""
        return subprocess.Popen([NEW, "watch", *args], cwd=self.app, env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def copy_app(to):
    """examples/preview without what is made; its modules by NODE_PATH."""
    shutil.copytree(PREVIEW, to, ignore=shutil.ignore_patterns(
        "node_modules", "cdk.out", "cdk.context.json"))
    return to


SERVE = r"""
mkdir -p /tmp/w/api
echo ok >/tmp/w/api/health
echo "$VERSION $DEPLOYMENT $LOG_LEVEL $API_KEY" >/tmp/w/api/version
echo "version $VERSION listens"
trap 'exit 0' TERM
busybox httpd -f -p $PORT -h /tmp/w & wait
"""


def push_server(ng, repo, tag, version=None, command=None):
    """An image that answers as examples/api does, or runs another command."""
    bb = pathlib.Path("/bin/busybox").read_bytes()
    layer = oci.tar(
        oci.entry("bin/busybox", bb, mode=0o755),
        *(oci.entry("bin/" + n, kind=oci.tarfile.SYMTYPE, link="busybox")
          for n in ("sh", "sleep", "echo", "mkdir", "wget")),
        oci.entry("tmp", kind=oci.tarfile.DIRTYPE, mode=0o1777))
    return oci.Registry(ng).image(repo, tag, [layer], config={
        "Cmd": ["/bin/sh", "-c", command or SERVE], "User": "1001:1001",
        "Env": ["PATH=/bin", f"VERSION={version or tag}"]})


def stack(ng, name):
    return ng.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def outputs(ng, name):
    return {o["OutputKey"]: o["OutputValue"] for o in stack(ng, name).get("Outputs", [])}


def events(ng, name):
    pages = ng.client("cloudformation").get_paginator("describe_stack_events")
    return [e for p in pages.paginate(StackName=name) for e in p["StackEvents"]]


def edge_port(ng, scheme):
    """Where the edge serves a load balancer's listener of that scheme."""
    return next(u.rsplit(":", 1)[1].strip("/") for b in ng.status()["loadBalancers"]
                for u in b["urls"] if u.startswith(scheme + ":"))
