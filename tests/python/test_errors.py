"""Errors are Python's, and name what was wrong, where, and what was expected."""

import subprocess
import sys
import traceback

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox
from ai_optix import errors

X = np.ones(3, np.float32)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (ox.ModelFormatError, ValueError),
        (ox.InvalidGraphError, ValueError),
        (ox.InvalidInputError, ValueError),
        (ox.InputTypeError, TypeError),
        (ox.UnsupportedModelError, NotImplementedError),
        (ox.LimitExceededError, MemoryError),
        (ox.ProofFailedError, ArithmeticError),
        (ox.CancelledError, RuntimeError),
    ],
)
def test_tree(error, builtin):
    assert issubclass(error, ox.Error)
    assert issubclass(error, builtin)
    assert getattr(errors, error.__name__) is error
    assert error.__doc__


def test_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.onnx"):
        ox.load(tmp_path / "missing.onnx")
    with pytest.raises(OSError):
        ox.load(tmp_path)
    path = tmp_path / "broken.onnx"
    for content in (b"\xff" * 100, b"hello", onnx.identity("float32", [1])[:-3]):
        path.write_bytes(content)
        with pytest.raises(ox.ModelFormatError, match="broken.onnx"):
            ox.load(path)
        with pytest.raises(ox.ModelFormatError):
            ox.load(content)


@pytest.mark.parametrize("source", [None, 3, object(), ["model.onnx"], {}])
def test_what_is_no_model(source):
    with pytest.raises(TypeError, match=f"found {type(source).__name__}"):
        ox.load(source)


def test_a_text_file_object_is_no_model(tmp_path):
    (tmp_path / "text").write_text("x")
    with (tmp_path / "text").open() as file, pytest.raises(TypeError, match="binary"):
        ox.load(file)


def test_all_unsupported_operators_are_named():
    data = onnx.model(
        [onnx.node("Frobnicate", ["x"], ["a"]), onnx.node("Twist", ["a"], ["y"], domain="my.domain")], {"x": ("float32", [1])}, {"y": ("float32", [1])}
    )
    assert set(ox.load(data).unsupported) == {"Frobnicate", "my.domain::Twist"}
    with pytest.raises(ox.UnsupportedModelError, match="Frobnicate.*my.domain::Twist") as caught:
        ox.Session(data)
    assert isinstance(caught.value, NotImplementedError)


def test_a_graph_that_contradicts_itself():
    data = onnx.model([onnx.node("Relu", ["nowhere"], ["y"])], {"x": ("float32", [1])}, {"y": ("float32", [1])})
    with pytest.raises(ox.InvalidGraphError, match="nowhere"):
        ox.load(data)


@pytest.mark.parametrize(
    ("inputs", "error", "text"),
    [
        ({}, ox.InvalidInputError, "input 'x' is missing; it should be float32"),
        ({"x": X, "z": X}, ox.InvalidInputError, "no input 'z'; it has 'x'"),
        ({"x": X.astype("f8")}, ox.InputTypeError, "'x'.*float32.*float64|'x'.*float64.*float32"),
        ({"x": X.reshape(1, 3)}, ox.InvalidInputError, "'x'"),
        ({"x": "text"}, TypeError, "'x'.*found str"),
        ({"x": None}, TypeError, "'x'.*found NoneType"),
        ({1: X}, ox.InvalidInputError, "'x' is missing"),
    ],
)
def test_inputs(relu, inputs, error, text):
    with pytest.raises(error, match=text):
        relu.run(inputs)
    assert relu.run({"x": X})["y"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("argument", [{"inputs": {"x": X}, "cancellation": 3}, {"inputs": {"x": X}, "out": 5}, {"inputs": 5}, {"inputs": {"x": X}, "out": {"y": None}}])
def test_wrong_kinds_of_arguments(relu, argument):
    with pytest.raises(TypeError):
        relu.run(**argument)


def test_native_functions_check_their_arguments(relu_bytes):
    from ai_optix import _native

    model = _native.Model.load(relu_bytes, None, None)
    session = _native.Session.create(model, 1, True, "avx512", None, None)
    for wrong in (
        lambda: _native.Model.load(3, None, None),
        lambda: _native.Model.load(),
        lambda: _native.Session.create(session, 1, True, "avx512", None, None),
        lambda: _native.Session.create(model, "1", True, "avx512", None, None),
        lambda: session.run({"x": X}, None, True),
        lambda: session.run([X], None, True, None),
        lambda: session.run({"x": X}, [X], True, None),
        lambda: model.sample("a", {}),
        lambda: model.save(3),
        lambda: _native.Session.create(model, 1, True, "avx512", None, model),
        lambda: _native.optimize(model, [3], 1, (1, 1, 1), 0.1, 0, None, None, None, None, 0.1),
        lambda: _native.optimize(model, [{}], 1, (1, 1), 0.1, 0, None, None, None, None, 0.1),
        lambda: _native.optimize(model, [{"x": X}], 1, (1, 1, 1), 0.1, 0, None, None, None, {}, 0.1),
        lambda: model.tune(3, 0.1),
        lambda: _native.Tuning.of({"problem": 3}),
        lambda: _native.from_buffer(3, None, None),
        lambda: _native.from_strings([1], (1,)),
        lambda: _native.machine(1),
    ):
        with pytest.raises((TypeError, ValueError)):
            wrong()
    assert session.run({"x": X}, None, True, None)["y"].tolist() == [1, 1, 1]


def test_huge_numbers_are_refused(relu_bytes):
    for threads in (1 << 40, 1 << 80, -(1 << 80)):
        with pytest.raises((OverflowError, ValueError)):
            ox.Session(relu_bytes, threads=threads)


def test_tracebacks_are_short(relu):
    try:
        relu.run({"x": X.astype("f8")})
    except TypeError as e:
        frames = traceback.extract_tb(e.__traceback__)
        assert [frame.name for frame in frames] == ["test_tracebacks_are_short", "run"]
        assert "\n" not in str(e)
        assert "at AiOptix" not in str(e)
        assert e.__cause__ is e.__context__ is None


def test_an_error_in_the_callers_own_exporter_comes_through(relu):
    class Producer:
        def __dlpack__(self, **_):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        relu.run({"x": Producer()})


@pytest.mark.parametrize("x", [np.ones(3, np.float64), np.ones(4, np.float32)])
def test_the_text_is_that_of_net(tmp_path, x):
    """The command line, which is .NET alone, says the same of the same mistake."""
    model = tmp_path / "model.onnx"
    model.write_bytes(onnx.identity("float32", [3], "Relu"))
    np.save(tmp_path / "x.npy", x)
    told = subprocess.run([sys.executable, "-m", "ai_optix", "run", str(model), "--input", f"x={tmp_path / 'x.npy'}"], capture_output=True, text=True, timeout=120)
    assert told.returncode == 1
    with pytest.raises(ox.Error) as raised:
        ox.Session(model).run({"x": x})
    assert " ".join(str(raised.value).split()) in " ".join((told.stdout + told.stderr).split())


def test_the_text_of_a_damaged_file_is_that_of_net(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(onnx.identity("float32", [3])[:-3])
    told = subprocess.run([sys.executable, "-m", "ai_optix", "inspect", str(model)], capture_output=True, text=True, timeout=120)
    with pytest.raises(ox.ModelFormatError) as raised:
        ox.load(model)
    assert " ".join(str(raised.value).split()) in " ".join((told.stdout + told.stderr).split())
