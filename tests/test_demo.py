"""./demo from its first line to its last, which checks each of its steps: with
CDK, and by hand."""
import os
import pathlib
import shutil
import subprocess
import types

import pytest

from cli import Instance
from conftest import ROOT

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("crun") or not shutil.which("buildah"),
    reason="root, crun and buildah")


@pytest.mark.parametrize("story", [[], ["--by-hand"]], ids=["cdk", "by-hand"])
def test_demo(story):
    name = f"d{len(story)}{os.getpid() % 1000000}"
    i = types.SimpleNamespace(name=name, run=pathlib.Path("/run/neargate-" + name),
                              state=pathlib.Path("/var/lib/neargate-" + name))
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    try:
        p = subprocess.run([ROOT / "demo", "--down", *story, "--", "--ephemeral", "--instance", name],
                           env=env | {"NEARGATE_INSTANCE": name}, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert p.returncode == 0, p.stdout
        assert Instance.leftovers(i) == []
    finally:
        subprocess.run([ROOT / "build/neargate", "down", "--instance", name, "--purge"],
                       capture_output=True)
