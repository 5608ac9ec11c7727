"""Inputs read in place, outputs lent: proven by addresses."""

import ctypes
import gc
import sys

import numpy as np
import onnx_proto as onnx
import pytest
from conftest import address

import ai_optix as ox

X = np.linspace(-1, 1, 1000, dtype=np.float32)


@pytest.fixture(scope="module")
def halves():
    """a and b are two views of x: outputs that tell how x was read."""
    nodes = [onnx.node("Neg", ["x"], ["a"]), onnx.node("Abs", ["x"], ["b"])]
    with ox.Session(onnx.model(nodes, {"x": ("float32", ["N"])}, {"a": ("float32", ["N"]), "b": ("float32", ["N"])}), threads=1) as session:
        yield session


def test_an_input_is_read_where_it_lies(relu):
    x = X.copy()
    tensor = ox.tensor(x)
    assert tensor.address == address(x)
    before = relu.copies
    relu.run({"x": x})
    assert relu.copies == before
    # The run reads the memory as it is then, so it holds no copy of what it was.
    x[:] = 5
    assert (relu.run({"x": tensor})["y"] == 5).all()
    assert relu.copies == before


def test_read_only_inputs_are_read_in_place(relu):
    x = X.copy()
    x.flags.writeable = False
    np.testing.assert_array_equal(relu.run({"x": x}, copy=False)["y"], np.maximum(X, 0))
    data = X.tobytes()
    np.testing.assert_array_equal(relu.run({"x": np.frombuffer(data, np.float32)}, copy=False)["y"], np.maximum(X, 0))
    assert relu.copies == 0


def test_inputs_are_held_only_while_used(relu):
    memory = bytearray(X.tobytes())
    view = memoryview(memory).cast("f")
    count = sys.getrefcount(view)
    relu.run({"x": view})
    assert sys.getrefcount(view) == count
    view.release()
    memory.extend(b"free again")


def test_other_exporters(relu):
    import array

    expected = np.maximum(X, 0)
    np.testing.assert_array_equal(relu.run({"x": array.array("f", X)}, copy=False)["y"], expected)
    np.testing.assert_array_equal(relu.run({"x": memoryview(X)}, copy=False)["y"], expected)
    np.testing.assert_array_equal(relu.run({"x": (ctypes.c_float * 1000)(*X)}, copy=False)["y"], expected)
    np.testing.assert_array_equal(relu.run({"x": ox.tensor(X)}, copy=False)["y"], expected)


def test_an_output_is_lent_not_copied(relu):
    y = relu.run({"x": X})["y"]
    assert type(y) is np.ndarray
    assert y.flags.writeable
    assert y.flags.c_contiguous
    assert not y.flags.owndata
    owner = y.base
    while not isinstance(owner, ox.Tensor):
        owner = owner.obj if isinstance(owner, memoryview) else owner.base
    assert owner.address == address(y)
    assert address(y) % 64 == 0
    y[:] = 3
    assert np.asarray(owner)[0] == 3


def test_lent_memory_is_nobody_elses_while_it_is_held(relu):
    held = [relu.run({"x": np.full(1000, i, np.float32)})["y"] for i in range(20)]
    assert len({address(y) for y in held}) == 20
    assert [y[500] for y in held] == list(range(20))


def test_lent_memory_goes_back_to_the_pool(relu):
    relu.run({"x": X})
    seen = {address(relu.run({"x": X})["y"]) for _ in range(50)}
    assert len(seen) <= 2
    view = relu.run({"x": X})["y"][10:20]
    where = address(view) - 40
    assert all(address(relu.run({"x": X})["y"]) != where for _ in range(20))
    np.testing.assert_array_equal(view, np.maximum(X[10:20], 0))
    del view
    assert where in [address(relu.run({"x": X})["y"]) for _ in range(3)]


def test_lent_memory_outlives_the_session(relu_bytes):
    session = ox.Session(relu_bytes)
    y = session.run({"x": X})["y"]
    closed = session.run({"x": X + 1})["y"]
    session.close()
    np.testing.assert_array_equal(closed, np.maximum(X + 1, 0))
    view = memoryview(y)
    del session, y
    gc.collect()
    np.testing.assert_array_equal(np.asarray(view), np.maximum(X, 0))


def test_out(relu):
    buffer = np.empty(1000, np.float32)
    result = relu.run({"x": X}, out={"y": buffer})
    assert result["y"] is buffer
    np.testing.assert_array_equal(buffer, np.maximum(X, 0))
    assert relu.run({"x": X}, out=buffer)["y"] is buffer
    tensor = ox.tensor(np.zeros(1000, np.float32))
    assert relu.run({"x": X}, out={"y": tensor})["y"] is tensor
    np.testing.assert_array_equal(np.asarray(tensor), np.maximum(X, 0))
    inside = np.zeros(3000, np.float32)
    relu.run({"x": X}, out={"y": inside[1000:2000]})
    np.testing.assert_array_equal(inside, np.concatenate([np.zeros(1000), np.maximum(X, 0), np.zeros(1000)]))


def test_some_outputs_given_some_lent(halves):
    b = np.empty(1000, np.float32)
    results = halves.run({"x": X}, out={"b": b})
    assert list(results) == ["a", "b"]
    assert results["b"] is b
    np.testing.assert_array_equal(results["a"], -X)
    np.testing.assert_array_equal(b, np.abs(X))


@pytest.mark.parametrize(
    ("buffer", "error", "text"),
    [
        (np.empty(999, np.float32), ValueError, "y"),
        (np.empty(1000, np.float64), TypeError, "float64"),
        (np.empty(2000, np.float32)[::2], BufferError, "contiguous"),
        (np.frombuffer(bytes(4000), np.float32), BufferError, "output 'y' is read-only"),
        ([0.0] * 1000, TypeError, "list"),
    ],
)
def test_a_buffer_that_does_not_fit_is_refused(relu, buffer, error, text):
    with pytest.raises(error, match=text):
        relu.run({"x": X}, out={"y": buffer})
    np.testing.assert_array_equal(relu.run({"x": X})["y"], np.maximum(X, 0))


def test_buffers_that_overlap_are_refused(halves):
    both = np.zeros(1500, np.float32)
    with pytest.raises(ox.InvalidInputError, match="overlaps an input"):
        halves.run({"x": both[:1000]}, out={"a": both[500:]})
    with pytest.raises(ox.InvalidInputError, match="overlaps that of another output"):
        halves.run({"x": X}, out={"a": both[:1000], "b": both[500:]})
    with pytest.raises(ox.InvalidInputError, match="no output 'c'; it has 'a', 'b'"):
        halves.run({"x": X}, out={"c": both[:1000]})


@pytest.mark.parametrize(
    "x",
    [
        np.repeat(X, 2)[::2],
        X[::-1][::-1].copy()[::-1],
        X.astype(">f4"),
        np.broadcast_to(np.float32(1), 1000),
    ],
    ids=["strided", "reversed", "byte-swapped", "broadcast"],
)
def test_awkward_inputs_are_copied_once_and_counted(relu, x):
    assert relu.copies == 0
    np.testing.assert_array_equal(relu.run({"x": x})["y"], np.maximum(x, 0).astype(np.float32))
    assert relu.copies == 1
    with pytest.raises(BufferError, match="input 'x': the array.*copy=False"):
        relu.run({"x": x}, copy=False)
    assert relu.copies == 1


def test_two_dimensions():
    session = ox.Session(onnx.identity("float32", ["A", "B"], "Relu"), threads=1)
    x = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(session.run({"x": x})["y"], x)
    assert session.copies == 1
    np.testing.assert_array_equal(session.run({"x": x.T})["y"], x.T)
    assert session.copies == 1


def test_numpy_takes_a_tensor_by_dlpack():
    tensor = ox.tensor(X.copy())
    array = np.from_dlpack(tensor)
    assert address(array) == tensor.address
    assert tensor.__dlpack_device__() == (1, 0)
    del tensor
    gc.collect()
    np.testing.assert_array_equal(array, X)


def test_a_tensor_takes_an_array_by_dlpack():
    x = X.copy()
    count = sys.getrefcount(x)
    tensor = ox.from_dlpack(x)
    assert tensor.address == address(x)
    assert sys.getrefcount(x) > count
    del tensor
    ox.tensor(x)
    gc.collect()
    assert sys.getrefcount(x) == count


def test_a_capsule_that_nobody_takes_is_freed():
    x = X.copy()
    count = sys.getrefcount(x)
    tensor = ox.tensor(x)
    tensor.__dlpack__()
    tensor.__dlpack__(stream=None, max_version=(1, 0))
    del tensor
    gc.collect()
    assert sys.getrefcount(x) == count


def test_dlpack_says_what_it_cannot():
    with pytest.raises(BufferError, match="DLPack has no type for float8e5m2"):
        ox.tensor([1.0], "float8e5m2").__dlpack__()
    with pytest.raises(BufferError, match="read-only"):
        ox.from_bits(b"abcd", "float32", (1,)).__dlpack__()
    with pytest.raises(BufferError, match="stream"):
        ox.tensor(X).__dlpack__(stream=1)
    with pytest.raises(TypeError, match="__dlpack__"):
        ox.from_dlpack(object())
