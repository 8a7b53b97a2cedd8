#!/usr/bin/python3
"""Not a test: prints how long CONTAINER_START takes and what a monitor holds.
Needs root; compare only figures of one run on a quiet machine."""
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_runtime as t  # noqa: E402
import warden  # noqa: E402


def main(rounds=100):
    base = tempfile.mkdtemp(prefix="ngw-", dir="/var/tmp")
    w = warden.Warden(base, t.INSTANCE)
    t.make_layer(w)
    t.start(w)
    took, kept = [], []
    for i in range(rounds):
        before = time.perf_counter()
        w.container(f"m{i}", ["sleep", "1000"], layers=[t.LAYER])
        took.append((time.perf_counter() - before) * 1000)
        monitor = (w.run / "containers" / f"m{i}" / "monitor").read_text()
        rollup = pathlib.Path(f"/proc/{monitor.strip()}/smaps_rollup")
        kept.append({line.split()[0]: int(line.split()[1])
                     for line in rollup.read_text().splitlines()[1:]})
        w.remove(f"m{i}")
    took.sort()
    print(f"start ms: min {took[0]:.1f} p50 {statistics.median(took):.1f} "
          f"p99 {took[int(rounds * .99) - 1]:.1f}")
    print("monitor kB: PSS", statistics.median(k["Pss:"] for k in kept),
          "private", statistics.median(
              k["Private_Dirty:"] + k["Private_Clean:"] for k in kept))
    w.stop()
    w.down()
    shutil.rmtree(base)


if __name__ == "__main__":
    main()
