"""Prints what a call from Python costs, how threads scale, how fast Ctrl-C works, and how memory behaves; asserts nothing.

Runs against the installed package. The same calls in .NET come from `./bench.sh calls`, where the .NET SDK is installed.
Usage: figures.py [MODEL.onnx]   MODEL, with drawn inputs, is used for scaling (default: 20 matrix products of 64 x 400 by 400 x 400)
"""

import gc
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import timeit
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "python"))

import onnx_proto as onnx  # noqa: E402

import ai_optix as ox  # noqa: E402


def nanoseconds(statement, **names):
    number = 20000
    return min(timeit.repeat(statement, globals=names, number=number, repeat=9)) / number * 1e9


def rate(session, inputs, callers, seconds=2.0):
    """Runs a second of all callers together, each into its own arrays."""
    runs = []
    start = threading.Barrier(callers)

    def work():
        out = {name: y.copy() for name, y in session.run(inputs).items()}
        start.wait()
        began, mine = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            for _ in range(16):
                session.run(inputs, out)
            mine += 16
        runs.append(mine / (time.perf_counter() - began))

    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(runs)


def dotnet(path):
    """The same calls in .NET: runs a second by number of callers; empty without the SDK."""
    if shutil.which("dotnet") is None:
        return {}
    done = subprocess.run([ROOT / "bench.sh", "calls", path], capture_output=True, text=True, check=True)
    return {int(callers): runs for callers, runs in json.loads(done.stdout.splitlines()[-1]).items()}


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def call_overhead(tiny):
    session = ox.Session(tiny, threads=1)
    x, y = np.ones(3, np.float32), np.empty(3, np.float32)
    names = {"s": session, "n": session._native, "i": {"x": x}, "o": {"y": y}}
    for _ in range(60000):
        session.run(names["i"], names["o"])
    public = nanoseconds("s.run(i, out=o)", **names)
    native = nanoseconds("n.run(i, o, True, None)", **names)
    there = dotnet(tiny)
    print(f"a warm call, relu of 3 floats, into a given array: {public:.0f} ns, of which the public layer {public - native:.0f} ns")
    print(f"  into lent memory: {nanoseconds('s.run(i)', **names):.0f} ns")
    if there:
        print(f"  in .NET, into given memory: {1e9 / there[1]:.0f} ns; so Python costs {public - 1e9 / there[1]:.0f} ns more")


def scaling(path):
    session = ox.Session(path, threads=1)
    inputs = session.model.sample()
    rate(session, inputs, 1, 0.5)
    here = {callers: rate(session, inputs, callers) for callers in (1, 2, 4)}
    there = dotnet(path)
    print("threads on one session, runs a second:")
    for callers, runs in here.items():
        other = f"   .NET {there[callers]:.0f} (x{there[callers] / there[1]:.2f})" if there else ""
        print(f"  {callers}: {runs:.0f} (x{runs / here[1]:.2f}){other}")


def interrupts():
    session = ox.Session(onnx.products(300), threads=1)
    hopeless = np.ones((20000, 400), np.float32)
    optimizer = ox.Optimizer(threads=1, seconds=60)
    for name, work in (("a run", lambda: session.run({"x": hopeless})), ("an optimisation", lambda: optimizer.optimize(session.model, hopeless))):
        latencies = []
        for _ in range(10):
            sent = []
            threading.Timer(0.3, lambda: (sent.append(time.perf_counter()), os.kill(os.getpid(), signal.SIGINT))).start()
            try:
                work()
            except KeyboardInterrupt:
                latencies.append(time.perf_counter() - sent[0])
        print(f"Ctrl-C to KeyboardInterrupt out of {name}: median {1e3 * statistics.median(latencies):.0f} ms, most {1e3 * max(latencies):.0f} ms of {len(latencies)}")


def memory(tiny):
    session = ox.Session(tiny, threads=2)
    x = np.ones(3, np.float32)

    def sessions():
        with ox.Session(tiny, threads=2) as other:
            other.run({"x": x})

    for name, work, count in (("100,000 runs", lambda: session.run({"x": x}), 100_000), ("1,000 sessions", sessions, 1000)):
        for _ in range(count):
            work()
        gc.collect()
        before = resident()
        for _ in range(count):
            work()
        gc.collect()
        print(f"resident memory over {name}, after as many: {resident() - before:+.2f} MB of {before:.0f}")


def start():
    code = "import time, numpy; t = time.perf_counter(); import ai_optix; print(time.perf_counter() - t)"
    times = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(10)]
    print(f"import in a fresh process with NumPy loaded: median {1e3 * statistics.median(times):.0f} ms, least {1e3 * min(times):.0f} ms of {len(times)}")


def main():
    print(ox.machine())
    with tempfile.TemporaryDirectory() as folder:
        tiny, middle = Path(folder) / "tiny.onnx", Path(folder) / "middle.onnx"
        tiny.write_bytes(onnx.identity("float32", [3], "Relu"))
        middle.write_bytes(onnx.products(20, rows=64))
        start()
        call_overhead(tiny)
        scaling(sys.argv[1] if len(sys.argv) > 1 else middle)
        memory(tiny)
        interrupts()


if __name__ == "__main__":
    main()
