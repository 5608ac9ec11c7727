"""Optimisations: data in all forms, progress, proof."""

import io
import json
import sys

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox


def quick(**options):
    return ox.Optimizer(threads=1, seconds=0.05, pass_seconds=0, **options)


@pytest.fixture(scope="module")
def model():
    """y = relu(x) + 0, with work to do: a chain of Identity nodes and of constants."""
    nodes = [
        onnx.node("Identity", ["x"], ["a"]),
        onnx.node("Add", ["one", "one"], ["two"]),
        onnx.node("Mul", ["a", "two"], ["b"]),
        onnx.node("Relu", ["b"], ["y"]),
    ]
    return ox.load(onnx.model(nodes, {"x": ("float32", ["N"])}, {"y": ("float32", ["N"])}, {"one": np.ones(1, np.float32)}))


def test_a_result(model, tmp_path):
    result = quick().optimize(model)
    assert result.holds
    assert result.proof.samples == 3
    assert result.nodes_before == 4
    assert result.nodes_after == 2
    assert not result.stopped
    assert result.threads == 1
    assert {p.name for p in result.passes} == {p.name for p in result.patches}
    assert sum(p.patches for p in result.passes) == len(result.patches)
    assert [o.output for o in result.proof.outputs] == ["y"]
    assert result.speed.baseline_seconds > 0
    assert result.speed.low <= result.speed.ratio <= result.speed.high
    x = np.array([-1, 2], np.float32)
    result.model.save(tmp_path / "fast.onnx")
    for session in (ox.Session(result.model), ox.Session(tmp_path / "fast.onnx")):
        assert session.run(x)["y"].tolist() == [0, 4]
    assert sum(model.operators.values()) == 4


def test_a_result_is_a_readable_table(model):
    result = quick().optimize(model)
    lines = str(result).splitlines()
    assert lines[0] == "4 nodes to 2"
    assert lines[1].split() == ["pass", "patches", "speed", "with", "it"]
    assert any(line.endswith("holds") for line in lines)
    assert lines[-1].startswith("Speed against the baseline: ")
    assert "1 threads" in lines[-1]
    assert result._repr_html_().count("<table>") == 2
    assert repr(result) == str(result)


def test_passes_are_timed(model):
    result = ox.Optimizer(threads=1, seconds=0.05, pass_seconds=0.02).optimize(model)
    assert all(p.speed.pairs > 0 for p in result.passes)


X = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        ({"x": X}, 1),
        (X, 1),
        ([X, X], 2),
        ([{"x": X}, {"x": X[:2]}, X], 3),
        (({"x": X * i} for i in range(4)), 4),
        ([np.repeat(X, 2)[::2]], 1),
        ([X.astype(">f4")], 1),
    ],
    ids=["dict", "array", "arrays", "mixed", "generator", "strided", "swapped"],
)
def test_forms_of_data(model, data, samples):
    assert quick().optimize(model, data).proof.samples == samples


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [([], ValueError, "at least one sample"), ([{"z": X}], ValueError, "lacks input 'x'"), ([X.astype("f8")], TypeError, "float64"), ([3], TypeError, "'x'"), (3, TypeError, "")],
)
def test_data_that_does_not_fit(model, data, error, text):
    with pytest.raises(error, match=text):
        quick().optimize(model, data)


def test_progress(model):
    told = []
    quick().optimize(model, progress=lambda stage, done: told.append((stage, done)))
    assert told
    assert all(isinstance(stage, str) and 0 <= done <= 1 for stage, done in told)
    for stage in {stage for stage, _ in told}:
        done = [d for s, d in told if s == stage]
        assert done == sorted(done)


def test_what_progress_raises_ends_it(model):
    def stop(stage, done):
        raise ZeroDivisionError(stage)

    with pytest.raises(ZeroDivisionError, match="rewriting"):
        ox.Optimizer(threads=1, seconds=60).optimize(model, progress=stop)
    assert quick().optimize(model).holds


class Terminal(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(("terminal", "progress", "bar"), [(True, None, True), (False, None, False), (True, False, False), (False, True, True)])
def test_a_bar_on_a_terminal(model, monkeypatch, terminal, progress, bar):
    monkeypatch.setattr(sys, "stderr", Terminal(terminal))
    quick().optimize(model, progress=progress)
    written = sys.stderr.getvalue()
    assert ("optimising [" in written) == bar
    assert not bar or written.endswith("\r")


def test_a_proof_that_fails_hands_out_no_model(model, monkeypatch):
    from ai_optix import _native

    real = _native.optimize

    def wrong(*arguments):
        optimized, text, *rest = real(*arguments)
        found = json.loads(text)
        found["proof"]["holds"] = False
        found["proof"]["outputs"][0]["problem"] = "1 of 4 elements differ"
        return optimized, json.dumps(found), *rest

    monkeypatch.setattr(_native, "optimize", wrong)
    with pytest.raises(ox.ProofFailedError, match="output 'y', 1 of 4 elements differ") as caught:
        quick().optimize(model)
    assert caught.value.result.model is None
    assert "FAILS: 1 of 4" in str(caught.value.result)
    result = quick().optimize(model, check=False)
    assert not result.holds
    assert isinstance(result.model, ox.Model)


def test_a_tolerance_that_nothing_meets_fails_the_proof():
    """Folding BatchNormalization into Conv rounds differently, so a tolerance of zero cannot hold for it."""
    r = np.random.default_rng(0)
    nodes = [onnx.node("Conv", ["x", "w"], ["c"]), onnx.node("BatchNormalization", ["c", "s", "b", "m", "v"], ["y"])]
    weights = {"w": r.standard_normal((8, 4, 3, 3)).astype("f"), "s": r.random(8).astype("f"), "b": r.random(8).astype("f"), "m": r.random(8).astype("f"), "v": r.random(8).astype("f")}
    data = onnx.model(nodes, {"x": ("float32", [1, 4, 9, 9])}, {"y": ("float32", [1, 8, 7, 7])}, weights)
    assert quick().optimize(data).nodes_after == 1
    with pytest.raises(ox.ProofFailedError, match="output 'y'"):
        quick(rtol=0, atol=0, scaled_atol=0).optimize(data)


def test_repr():
    assert repr(ox.Optimizer(threads=2)).startswith("Optimizer(threads=2, rtol=0.001, ")
