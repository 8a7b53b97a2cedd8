#!/usr/bin/python3
"""Not a test: prints how long the warden takes for a container, and what a
monitor holds.  Needs root; compare only figures of one run on a quiet machine.

Starts are measured one right after the other, and after a pause, when the
kernel's control groups are cold.  run_dir is a tmpfs, as /run is."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_runtime as t  # noqa: E402
import warden  # noqa: E402


def show(what, took):
    took.sort()
    print(f"{what:24} ms: min {took[0]:5.1f}  p50 "
          f"{statistics.median(took):5.1f}  p90 {took[len(took) * 9 // 10]:5.1f}")


def timed(fn, *args, **kw):
    before = time.perf_counter()
    fn(*args, **kw)
    return (time.perf_counter() - before) * 1000


def measure(w, rounds):
    # A container that was started once: its program is in memory.
    start = {"layers": [t.LAYER]}
    for pause in (0, 0.1):
        starts, removes = [], []
        for i in range(rounds):
            time.sleep(pause)
            starts.append(timed(w.container, f"m{i}", ["sleep", "1000"],
                                **start))
            removes.append(timed(w.remove, f"m{i}"))
        show(f"start, {pause} s apart", starts)
    show("remove", removes)
    w.container("e", ["sleep", "1000"], **start)
    show("exec of true", [timed(w.execute, "e", ["true"])
                          for _ in range(rounds)])
    w.remove("e")
    many = [f"n{i}" for i in range(20)]
    show("20 at once, each", [timed(at_once, w, many) / len(many)])
    kept = [dict(line.split()[:2] for line in pathlib.Path(
        f"/proc/{t.monitor_of(w, i)}/smaps_rollup").read_text().splitlines()[1:])
            for i in many]
    for key in ("Private_Dirty:", "Pss:", "Rss:"):
        print(f"monitor, one of 20, {key[:-1]:14}",
              statistics.median(int(k[key]) for k in kept), "kB")
    for i in many:
        w.remove(i)


def at_once(w, many):
    for i in many:
        w.send(warden.START, w.container_fields(i, ["sleep", "1000"],
                                                layers=[t.LAYER]))
    for _ in many:
        _, _, m = w.frame()
        assert m.u32() == 0, m.text()


def main(rounds=60):
    base = tempfile.mkdtemp(prefix=t.INSTANCE + "-", dir="/var/tmp")
    w = warden.Warden(base, t.INSTANCE)
    w.run.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", w.run], check=True)
    try:
        t.make_layer(w)
        t.start(w)
        measure(w, rounds)
    finally:
        w.stop()
        w.down()    # all but the directory itself, which is a mount
        subprocess.run(["umount", w.run], check=True)
        w.end()


if __name__ == "__main__":
    main()
