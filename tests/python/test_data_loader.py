"""ox.DataLoader: order, resume, sources, errors, life."""

import gc
import itertools
import json
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from conftest import address

import ai_optix as ox

X = np.arange(46, dtype=np.float32).reshape(23, 2)


def rows(loader):
    return [batch["x"].tolist() for batch in loader]


def workers():
    names = []
    for task in Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text())
        except OSError:
            pass
    return sum(name.startswith("optix-loader") for name in names)


def assert_gone():
    deadline = time.monotonic() + 5
    while workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert workers() == 0


class Samples:
    """A sequence of samples; some are bad, some are slow."""

    def __init__(self, count, bad=(), slow=0.0):
        self.count, self.bad, self.slow = count, bad, slow

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        time.sleep(self.slow)
        if index in self.bad:
            raise LookupError(f"number {index} is rotten")
        return {"x": np.array([index, -index], np.float32), "label": index}


@pytest.mark.parametrize("count", [0, 1, 2, 8])
def test_order_does_not_depend_on_workers(count):
    expected = [rows(ox.DataLoader(X, batch_size=4, shuffle=True, seed=3, workers=1)) for _ in range(1)][0]
    assert rows(ox.DataLoader(X, batch_size=4, shuffle=True, seed=3, workers=count, prefetch=3)) == expected
    assert sorted(x for batch in expected for x in batch) == X.tolist()
    assert rows(ox.DataLoader(Samples(23), batch_size=4, shuffle=True, seed=3, workers=count)) == [[[x / 2, -x / 2] for x, _ in batch] for batch in expected]


@pytest.mark.parametrize("world", [1, 2, 4])
def test_ranks_taken_in_turn(world):
    alone = [row for batch in rows(ox.DataLoader(X, shuffle=True, batch_size=3)) for row in batch]
    ranks = [ox.DataLoader(X, shuffle=True, batch_size=3, shard=(rank, world)) for rank in range(world)]
    assert len({len(rank) for rank in ranks}) == 1
    parts = [[row for batch in rows(rank) for row in batch] for rank in ranks]
    merged = list(itertools.chain.from_iterable(zip(*parts, strict=True)))
    assert merged[: len(alone)] == alone
    assert len(merged) - len(alone) < world
    dropped = [sum(map(len, rows(ox.DataLoader(X, batch_size=3, shard=(rank, world), shard_end="drop")))) for rank in range(world)]
    assert dropped == [23 // world] * world


def test_resume_at_every_batch():
    def fresh(**more):
        return ox.DataLoader(X, batch_size=4, shuffle=True, seed=9, **more)

    whole = fresh(workers=2)
    expected = rows(whole) + rows(whole)
    assert whole.epoch == 2
    for at in range(len(expected)):
        first = fresh(workers=1)
        left = at
        while left > 0:
            left -= sum(1 for _ in itertools.islice(first, left))
        state = json.loads(json.dumps(first.state_dict()))
        second = fresh(workers=8)
        second.load_state_dict(state)
        rest = []
        while len(rest) < len(expected) - at:
            rest += itertools.islice((batch["x"].tolist() for batch in second), len(expected) - at - len(rest))
        assert rest == expected[at:]


def test_a_state_of_other_options_is_refused():
    state = ox.DataLoader(X, batch_size=4).state_dict()
    with pytest.raises(ox.InvalidInputError, match="batch_size was 4, is 5"):
        ox.DataLoader(X, batch_size=5).load_state_dict(state)
    with pytest.raises(ox.InvalidInputError, match="damaged"):
        ox.DataLoader(X).load_state_dict({})


def test_straight_into_a_session(relu):
    x = np.arange(-8, 8, dtype=np.float32)
    loader = ox.DataLoader(x, batch_size=4)
    for batch in loader:
        assert np.array_equal(relu.run(batch)["y"], np.maximum(batch["x"], 0))
        assert address(batch["x"]) % 64 == 0
        assert batch["x"].flags.writeable
    assert relu.copies == 0


def test_memory_is_used_again_but_never_under_somebody():
    loader = ox.DataLoader(np.arange(64, dtype=np.int64).reshape(64, 1), batch_size=2, workers=2)
    seen = {address(batch["x"]) for batch in loader}
    assert len(seen) <= 4
    kept = [(batch["x"][1:], indices) for batch, indices in ((b, loader.indices) for b in loader)]
    assert all(part.tolist() == [[indices[1]]] for part, indices in kept)
    del loader
    gc.collect()
    assert all(part.tolist() == [[indices[1]]] for part, indices in kept)


def test_arrays_are_borrowed_and_held():
    x = np.zeros((4, 2), np.float32)
    loader = ox.DataLoader({"x": x, "label": np.arange(4)}, batch_size=4)
    x[3] = 7
    (batch,) = loader
    assert batch["x"][3].tolist() == [7, 7]
    assert batch["label"].tolist() == [0, 1, 2, 3]
    gone = weakref.ref(x)
    del x
    assert gone() is not None
    del loader
    gc.collect()
    ox.tensor(np.zeros(1))
    assert gone() is None


def test_files(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"{i}.npy", X[i * 5 : i * 5 + 5])
    assert np.concatenate([b["x"] for b in ox.DataLoader(str(tmp_path / "*.npy"), batch_size=4)]).tolist() == X[:15].tolist()
    (batch,) = ox.DataLoader(tmp_path, batch_size=3, per="file", names="image")
    assert batch["image"].tolist() == X[:15].reshape(3, 5, 2).tolist()
    np.savez_compressed(tmp_path / "a.npz", x=X, label=np.arange(23, dtype=np.int32))
    (batch,) = ox.DataLoader(tmp_path / "a.npz", batch_size=23)
    assert (batch["x"].tolist(), batch["label"].dtype, batch["label"].tolist()) == (X.tolist(), np.int32, list(range(23)))
    (batch,) = ox.DataLoader({"x": tmp_path / "*.npy", "label": np.arange(15)}, batch_size=15)
    assert batch["x"].tolist() == X[:15].tolist() and batch["label"].tolist() == list(range(15))
    X.tofile(tmp_path / "x.bin")
    (batch,) = ox.DataLoader(ox.data.raw(tmp_path / "x.bin", np.float32, (2,)), batch_size=23)
    assert batch["x"].tolist() == X.tolist()


def test_tables(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,class,text\n1,2,0,x\n3,4,1,\"y, z\"\n")
    (batch,) = ox.DataLoader(ox.data.csv(tmp_path / "t.csv", {"x": ["a", "b"], "label": ("class", "int64"), "text": ("text", str)}), batch_size=2)
    assert (batch["x"].tolist(), batch["label"].tolist(), batch["text"].tolist()) == ([[1, 2], [3, 4]], [0, 1], ["x", "y, z"])
    (tmp_path / "t.jsonl").write_text('{"ids": [1, 2], "y": 0.5}\n{"ids": [3, 4], "y": 1}\n')
    (batch,) = ox.DataLoader(ox.data.jsonl(tmp_path / "t.jsonl", {"ids": ("ids", np.int64), "y": "y"}), batch_size=2)
    assert (batch["ids"].tolist(), batch["y"].tolist()) == ([[1, 2], [3, 4]], [0.5, 1])


def test_iterables_and_tuples():
    class Stream:
        def __iter__(self):
            return ((np.full(2, i), f"s{i}") for i in range(5))

    loader = ox.DataLoader(Stream(), batch_size=2, names=("x", "text"))
    for _ in range(2):
        assert [(b["x"][:, 0].tolist(), b["text"].tolist()) for b in loader] == [([0, 1], ["s0", "s1"]), ([2, 3], ["s2", "s3"]), ([4], ["s4"])]
    with pytest.raises(TypeError, match="does not say"):
        len(loader)
    once = ox.DataLoader(iter([np.ones(2)]), batch_size=2)
    assert len(list(once)) == 1
    with pytest.raises(ValueError, match="begins anew"):
        list(once)

    def broken():
        yield np.ones(1)
        raise LookupError("the tap is dry")

    with pytest.raises(LookupError, match="dry"):
        list(ox.DataLoader(broken(), workers=2))


@pytest.mark.parametrize("count", [0, 4])
def test_transforms_of_the_users_own(count):
    def double(sample):
        return {"x": sample["x"] * 2, "label": sample["label"]}

    def draw(sample, seed):
        return {**sample, "draw": np.random.default_rng(seed).integers(1 << 40)}

    def read(workers, **more):
        loader = ox.DataLoader(Samples(12), batch_size=5, workers=workers, transform=[double, ox.transforms.seeded(draw), ox.transforms.cast("int32")], **more)
        return [(int(x[0]), int(d)) for b in loader for x, d in zip(b["x"], b["draw"], strict=True)]

    found = read(count)
    assert [x for x, _ in found] == list(range(0, 24, 2))
    assert len({d for _, d in found}) == 12
    assert sorted(read(3, shuffle=True)) == found


def test_bad_samples():
    loader = ox.DataLoader(Samples(9, bad=(1, 5)), batch_size=3, on_error="skip", workers=2)
    assert [b["label"].tolist() for b in loader] == [[0, 2], [3, 4], [6, 7, 8]]
    assert loader.errors == [(1, "sample 1: LookupError: number 1 is rotten", None), (5, "sample 5: LookupError: number 5 is rotten", None)]
    assert loader.error_count == 2
    replaced = ox.DataLoader(Samples(9, bad=(1, 5)), batch_size=3, on_error="replace", workers=2)
    assert [b["label"].tolist() for b in replaced] == [[0, 2, 2], [3, 4, 6], [6, 7, 8]]
    assert [e.replacement for e in replaced.errors] == [2, 6]
    with pytest.raises(ox.SampleError, match="sample 1 cannot be read.*rotten") as caught:
        list(ox.DataLoader(Samples(9, bad=(1, 5)), batch_size=3, workers=2))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.__cause__, LookupError)
    frames = []
    trace = caught.value.__cause__.__traceback__
    while trace:
        frames.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert frames[-1] == "__getitem__"
    with pytest.raises(ox.SampleError) as caught:
        list(ox.DataLoader(Samples(3), transform=lambda sample: 1))
    assert isinstance(caught.value.__cause__, TypeError)


def test_damaged_files(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"{i}.npy", np.full(2, i))
    (tmp_path / "1.npy").write_bytes((tmp_path / "1.npy").read_bytes()[:-1])
    with pytest.raises(ox.SampleError, match=r"1\.npy.*promises") as caught:
        list(ox.DataLoader(tmp_path, per="file", batch_size=3))
    assert isinstance(caught.value.__cause__, ox.ModelFormatError)
    np.save(tmp_path / "0.npy", np.zeros(3))
    with pytest.raises(ox.ModelFormatError, match=r"1\.npy"):
        ox.DataLoader(tmp_path)
    with pytest.raises(FileNotFoundError):
        ox.DataLoader(tmp_path / "nowhere" / "*.npy")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"batch_size": 0}, "batch size 0"),
        ({"workers": -1}, "-1 workers"),
        ({"prefetch": 0}, "prefetch 0"),
        ({"shard": (2, 2)}, "rank 2 of 2"),
        ({"on_error": "shrug"}, "on_error must be"),
        ({"shard_end": "tear"}, "shard_end must be"),
        ({"per": "byte"}, "per must be"),
        ({"transform": ox.transforms.normalize(0, 0)}, "deviations not 0"),
    ],
)
def test_bad_arguments_fail_at_construction(more, says, tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match=says):
        ox.DataLoader(tmp_path, **more)


def test_wrong_kinds_of_arguments():
    for source in (7, None, object()):
        with pytest.raises(TypeError, match="data must be"):
            ox.DataLoader(source)
    with pytest.raises(TypeError, match="a transform must be"):
        ox.DataLoader(X, transform=7)
    with pytest.raises(ValueError, match="stream"):
        ox.DataLoader(iter([X]), shuffle=True)


def test_threads_end_with_a_break_an_exception_and_a_forgotten_loop():
    gc.collect()  # what other tests left in cycles
    assert_gone()
    loader = ox.DataLoader(Samples(500, slow=0.001), batch_size=4, workers=4)
    for _ in loader:
        break
    assert_gone()

    def fail():
        for _ in loader:
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert_gone()
    passes = iter(loader)
    next(passes)
    assert workers() > 0
    del passes
    assert_gone()
    cycle = [iter(loader)]
    cycle.append(cycle)
    next(cycle[0])
    del cycle
    gc.collect()
    assert_gone()
    begun = iter(loader)
    next(begun)
    del loader
    assert next(begun) is not None
    begun.close()
    assert_gone()


def test_a_cycle_through_a_function_is_garbage():
    class Holder:
        pass

    def make():
        holder = Holder()
        holder.loader = ox.DataLoader(Samples(1000, slow=0.001), batch_size=4, workers=2, transform=lambda sample: sample if holder else None)
        holder.passes = iter(holder.loader)
        next(holder.passes)
        return weakref.ref(holder)

    gone = make()
    for _ in range(100):
        if gone() is not None:
            gc.collect()
            time.sleep(0.01)
    assert gone() is None
    assert_gone()


def test_the_gil_is_free_while_a_batch_is_waited_for():
    class Slow:
        def __len__(self):
            return 1

        def __getitem__(self, index):
            time.sleep(0.5)
            return {"x": np.zeros(1)}

    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    list(ox.DataLoader(Slow(), workers=1))
    stop.set()
    thread.join()
    assert len(ticks) > 20


@pytest.mark.parametrize("count", [0, 2])
def test_ctrl_c(python, count):
    script = f"""
import os, signal, threading, time
import numpy as np, ai_optix as ox

class Slow:
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep(0.02)
        return {{"x": np.zeros(4)}}

loader = ox.DataLoader(Slow(), batch_size=100, workers={count})
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    for batch in loader:
        pass
except KeyboardInterrupt:
    time.sleep(0.3)
    names = [open(f"/proc/self/task/{{t}}/comm").read() for t in os.listdir("/proc/self/task")]
    print("interrupted", sum(n.startswith("optix-loader") for n in names))
for batch in ox.DataLoader(np.zeros((4, 2)), batch_size=4):
    print(batch["x"].shape)
"""
    assert python(script) == "interrupted 0\n(4, 2)\n"


def test_a_fork_while_a_pass_goes_on(python):
    script = """
import os, sys
import numpy as np, ai_optix as ox

passes = iter(ox.DataLoader(np.arange(40).reshape(20, 2), batch_size=2, workers=2))
first = next(passes)["x"]
child = os.fork()
if child == 0:
    try:
        next(passes)
    except RuntimeError as error:
        print("forked" in str(error), first.tolist(), flush=True)
    del passes
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(status, sum(len(batch["x"]) for batch in passes))
"""
    assert python(script) == "True [[0, 1], [2, 3]]\n0 18\n"


def test_batches_prove_an_optimisation(relu_bytes):
    loader = ox.DataLoader(np.random.default_rng(0).normal(size=64).astype(np.float32), batch_size=16)
    result = ox.Optimizer(threads=1, seconds=0.05, pass_seconds=0).optimize(relu_bytes, data=loader, progress=False)
    assert result.holds


@pytest.mark.parametrize("how", ["pass", "raise SystemExit(0)"])
def test_exit_while_a_pass_goes_on(python, how):
    script = f"""
import time
import numpy as np, ai_optix as ox

class Slow:
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep(0.001)
        return {{"x": np.zeros(4)}}

kept = iter(ox.DataLoader(Slow(), batch_size=2, workers=4))
next(kept)
print("end")
{how}
"""
    assert python(script) == "end\n"


def test_memory_is_flat_over_epochs_and_workers(python):
    script = """
import gc, os
import numpy as np, ai_optix as ox

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

x = np.zeros((256, 1 << 16), np.float32)
def work(workers):
    loader = ox.DataLoader(x, batch_size=16, workers=workers, transform=ox.transforms.normalize(0.5, 2.0))
    for _ in range(3):
        for batch in loader:
            pass

work(8)
gc.collect()
before = resident()
grown = []
for workers in (1, 2, 8, 8):
    work(workers)
    gc.collect()
    grown.append(resident() - before)
print(*grown)
"""
    assert max(map(float, python(script).split())) < 40


def test_python_samples_do_not_leak(python):
    script = """
import gc, os
import numpy as np, ai_optix as ox

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

class Samples:
    def __len__(self):
        return 2000
    def __getitem__(self, index):
        if index % 50 == 7:
            raise ValueError(index)
        return {"x": np.zeros(1000)}

loader = ox.DataLoader(Samples(), batch_size=50, workers=3, on_error="skip", transform=lambda sample: {"x": sample["x"] + 1})
def work():
    for batch in loader:
        pass

for _ in range(3):
    work()
gc.collect()
before = resident()
for _ in range(6):
    work()
gc.collect()
print(resident() - before)
"""
    assert float(python(script)) < 20
