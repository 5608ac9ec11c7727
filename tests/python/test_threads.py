"""Threads, the GIL, cancellation, interrupts."""

import concurrent.futures
import sys
import threading
import time

import numpy as np
import pytest

import ai_optix as ox

ROW = np.random.default_rng(0).standard_normal((1, 400)).astype(np.float32)
MANY = np.repeat(ROW, 1000, axis=0)
HOPELESS = np.repeat(ROW, 20000, axis=0)


@pytest.fixture(scope="module")
def expected(slow_bytes):
    return ox.Session(slow_bytes, threads=1).run({"x": ROW})["y"].copy()


@pytest.fixture
def slow(slow_bytes):
    with ox.Session(slow_bytes, threads=1) as session:
        yield session


class Ticks:
    """Ticks on another thread. With the interpreter told to take the GIL from nobody, it ticks only while others let go of it."""

    def __enter__(self):
        self.count = 0
        self.stop = False
        self.interval = sys.getswitchinterval()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        sys.setswitchinterval(3600)
        time.sleep(0.05)
        return self

    def work(self):
        while not self.stop:
            self.count += 1
            time.sleep(0.0002)

    def during(self, work):
        before = self.count
        work()
        return self.count - before

    def __exit__(self, *_):
        sys.setswitchinterval(self.interval)
        self.stop = True
        self.thread.join()


def test_the_gil_is_released(slow, slow_bytes):
    with Ticks() as ticks:
        assert ticks.during(lambda: sum(range(1_000_000))) == 0
        assert ticks.during(lambda: slow.run({"x": MANY})) > 0
        assert ticks.during(lambda: ox.load(slow_bytes)) > 0
        assert ticks.during(lambda: ox.Session(slow_bytes)) > 0
        assert ticks.during(lambda: ox.Optimizer(threads=1, seconds=0.1, pass_seconds=0).optimize(slow_bytes, ROW)) > 0


def test_the_gil_is_released_on_other_threads(slow):
    with Ticks() as ticks:
        got = []
        thread = threading.Thread(target=lambda: got.append(ticks.during(lambda: slow.run({"x": MANY}))))
        thread.start()
        thread.join()
    assert got[0] > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_share_a_session(slow_bytes, threads):
    with ox.Session(slow_bytes, threads=threads) as session:
        inputs = [np.repeat(ROW * (i + 1), i + 1, axis=0) for i in range(8)]
        expected = [session.run({"x": x})["y"].copy() for x in inputs]

        def work(i):
            out = np.empty_like(inputs[i])
            lent = session.run({"x": inputs[i]})["y"]
            session.run({"x": inputs[i]}, {"y": out})
            return np.array_equal(lent, expected[i]) and np.array_equal(out, expected[i])

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, [i % 8 for i in range(80)]))


def test_many_short_runs_on_many_threads(relu):
    def work(seed):
        x = np.random.default_rng(seed).standard_normal(seed + 1).astype(np.float32)
        return all(np.array_equal(relu.run({"x": x})["y"], np.maximum(x, 0)) for _ in range(500))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(12)))
    assert relu.copies == 0


def test_a_cancellation_ends_a_run(slow, expected):
    for on_main in (True, False):
        cancellation = ox.Cancellation()
        assert not cancellation.cancelled
        threading.Timer(0.2, cancellation.cancel).start()
        with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(ox.CancelledError, match="the run was cancelled"):
            if on_main:
                slow.run({"x": HOPELESS}, cancellation=cancellation)
            else:
                pool.submit(slow.run, {"x": HOPELESS}, cancellation=cancellation).result()
        assert cancellation.cancelled
        np.testing.assert_array_equal(slow.run({"x": ROW}, cancellation=ox.Cancellation())["y"], expected)


def test_a_run_that_is_cancelled_beforehand(slow, expected):
    cancellation = ox.Cancellation()
    cancellation.cancel()
    cancellation.cancel()
    with pytest.raises(ox.CancelledError):
        slow.run({"x": ROW}, cancellation=cancellation)
    np.testing.assert_array_equal(slow.run({"x": ROW})["y"], expected)


def test_a_time_limit_ends_a_run(slow_bytes, expected):
    with ox.Session(slow_bytes, threads=1, limits={"max_run_seconds": 0.3}) as session:
        with pytest.raises(ox.LimitExceededError):
            session.run({"x": HOPELESS})
        np.testing.assert_array_equal(session.run({"x": ROW})["y"], expected)


def test_terminating_run_options_end_a_run(slow_bytes):
    session = ox.InferenceSession(slow_bytes)
    options = ox.RunOptions()
    threading.Timer(0.2, lambda: setattr(options, "terminate", True)).start()
    with pytest.raises(ox.CancelledError):
        session.run(None, {"x": HOPELESS}, options)


def test_closing_waits_for_runs_in_flight(slow_bytes):
    session = ox.Session(slow_bytes, threads=1)
    expected = session.run({"x": MANY})["y"].copy()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(session.run, {"x": MANY}) for _ in range(2)]
        while not all(run.running() or run.done() for run in runs):
            time.sleep(0.001)
        time.sleep(0.05)
        session.close()
        for run in runs:
            np.testing.assert_array_equal(run.result()["y"], expected)


INTERRUPT = """
import os, signal, sys, threading
import numpy as np, onnx_proto as onnx, ai_optix as ox

data = onnx.products(300)
row = np.ones((1, 400), np.float32)
session = ox.Session(data, threads=int(sys.argv[2]))
expected = session.run({"x": row})["y"].copy()
hopeless = np.repeat(row, 20000, axis=0)
work = {
    "run": lambda: session.run({"x": hopeless}),
    "out": lambda: session.run({"x": hopeless}, {"y": np.empty((20000, 400), np.float32)}),
    "optimize": lambda: ox.Optimizer(threads=1, seconds=60, pass_seconds=10).optimize(data, hopeless),
    "inference": lambda: ox.InferenceSession(data).run(None, {"x": hopeless}),
}[sys.argv[1]]
for _ in range(3):
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        work()
        print("ended")
    except KeyboardInterrupt:
        print("interrupted")
    print(np.array_equal(session.run({"x": row})["y"], expected))
session.close()
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", ["run", "out", "optimize", "inference"])
def test_ctrl_c_ends_work_and_leaves_the_session_usable(python, work, threads):
    assert python(INTERRUPT, work, threads) == "interrupted\nTrue\n" * 3


def test_a_signal_handler_that_does_not_raise_ends_nothing(python):
    script = """
import os, signal, threading
import numpy as np, onnx_proto as onnx, ai_optix as ox

got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append(threading.current_thread() is threading.main_thread()))
session = ox.Session(onnx.products(300), threads=1)
threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
y = session.run({"x": np.ones((1000, 400), np.float32)})["y"]
print(y.shape, got)
"""
    assert python(script) == "(1000, 400) [True]\n"
