"""Tuned kernels. Which one wins is the machine's to say."""

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1, 8, 14, 14)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    nodes = [onnx.node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]), onnx.node("Relu", ["c"], ["r"]), onnx.node("Flatten", ["r"], ["f"]), onnx.node("MatMul", ["f", "k"], ["y"])]
    weights = {"w": RNG.standard_normal((16, 8, 3, 3)).astype(np.float32), "k": RNG.standard_normal((2304, 10)).astype(np.float32)}
    return ox.load(onnx.model(nodes, {"x": ("float32", [1, 8, 14, 14])}, {"y": ("float32", [1, 10])}, weights))


@pytest.fixture(scope="module")
def tuning(model):
    return model.tune(seconds=0.01)


def test_tune_says_what_won(tuning):
    assert len(tuning) == len(tuning.timed) == 2
    assert tuning.winners == {t.problem: t.kernel for t in tuning.timed}
    assert all(t.kernel == t.pick or t.low > 1 for t in tuning.timed)
    assert repr(tuning).startswith("Tuning(2 problems, ")


def test_what_is_known_is_not_timed_again(model, tuning):
    again = model.tune(tuning, seconds=0.01)
    assert (again.timed, again.winners) == ((), tuning.winners)


def test_a_session_answers_the_same(model, tuning, tmp_path, recwarn):
    expected = ox.Session(model, threads=1).run(X)["y"]
    for kernel in {t.kernel for t in tuning.timed} | {None}:
        chosen = tuning if kernel is None else ox.Tuning({t.problem: kernel for t in tuning.timed})
        found = [ox.Session(model, threads=threads, tuning=chosen).run(X)["y"] for threads in (1, 2)]
        np.testing.assert_array_equal(*found)
        np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3)
    model.save_compiled(tmp_path / "program", tuning=tuning)
    np.testing.assert_array_equal(ox.Session(tmp_path / "program", threads=1).run(X)["y"], ox.Session(model, threads=1, tuning=tuning).run(X)["y"])
    assert not recwarn.list


def test_winners_are_kept(tuning, tmp_path, monkeypatch):
    file = tmp_path / "sub" / "kernels.json"
    assert tuning.save(file) == str(file)
    assert ox.Tuning.load(file).winners == tuning.winners
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.warns(RuntimeWarning, match="no tuned kernels"):
        assert len(ox.Tuning.load(tmp_path / "none.json")) == 0
    file.write_text("{")
    with pytest.warns(RuntimeWarning, match="is not used"):
        assert len(ox.Tuning.load(file)) == 0


def test_an_optimizer_tunes(model):
    optimizer = ox.Optimizer(threads=1, seconds=0.02, pass_seconds=0, tuning=ox.Tuning(), kernel_seconds=0.01)
    result = optimizer.optimize(model, {"x": X})
    assert len(result.tuning) >= 2
    assert ox.Session(result.model, threads=1, tuning=result.tuning).run(X)["y"].shape == (1, 10)
    assert ox.Optimizer(threads=1, seconds=0.02, pass_seconds=0).optimize(model, {"x": X}).tuning is None


def test_wrong_arguments(model):
    with pytest.raises(TypeError, match=r"tuning must be a Tuning \(Tuning.load\(\) reads one\), found str"):
        ox.Session(model, tuning="kernels.json")
    with pytest.raises(TypeError, match="found dict"):
        model.tune({})
    with pytest.raises(ValueError, match="seconds must be 0 to 3600, found -1"):
        model.tune(seconds=-1)
