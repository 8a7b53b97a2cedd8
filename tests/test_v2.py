"""Neargate on a host with cgroup v2 alone, in a virtual machine: see
tools/v2-host.  Needs root, Debian's qemu and the kernel it downloads."""
import os
import platform
import shutil
import subprocess

import pytest

from conftest import ROOT

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="root shares its files with the machine"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="tools/deps v2: no qemu"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine is an x86-64"),
]


def test_host_with_v2_alone():
    p = subprocess.run([ROOT / "tools" / "v2-host", "--seconds", "400", ROOT / "tests/v2/run"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(p.stdout)
    if p.returncode == 77:
        pytest.skip("no kernel: " + p.stdout)
    assert p.returncode == 0, p.stdout[-6000:]
