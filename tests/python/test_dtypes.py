"""Element types: those of NumPy, those it lacks, strings, sequences."""

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox

NUMPY = ["float32", "float64", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]


def through(dtype, x, shape=("N",)):
    """x through a model that gives it back."""
    with ox.Session(onnx.identity(dtype, list(shape)), threads=1) as session:
        return session.run({"x": x})["y"]


@pytest.mark.parametrize("dtype", NUMPY)
def test_numpy_dtypes(dtype):
    x = np.array([0, 1, 1, 0, 100]).astype(dtype)
    y = through(dtype, x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("expected", ["float32", "int64", "bool", "float16"])
@pytest.mark.parametrize("given", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_nothing_is_cast_silently(expected, given):
    if expected == given:
        return
    with ox.Session(onnx.identity(expected, ["N"]), threads=1) as session:
        with pytest.raises(TypeError, match=f"(?s){expected}.*{given}|{given}.*{expected}") as caught:
            session.run({"x": np.zeros(3, given)})
        assert isinstance(caught.value, ox.InputTypeError)
        assert "'x'" in str(caught.value)
        session.run({"x": np.zeros(3, expected)})


@pytest.mark.parametrize("given", [np.zeros(2, "M8[s]"), np.zeros(2, [("a", "f4")]), np.zeros(2, object), np.zeros(2, "U3"), np.zeros(2, np.longdouble), [1.0], None, 3])
def test_what_is_no_array_of_numbers_is_refused(relu, given):
    with pytest.raises(TypeError, match="input 'x'.*float32"):
        relu.run({"x": given})


@pytest.mark.parametrize(
    "x",
    [
        np.array([["a", "ß"], ["", "日本"]]),
        np.array([["a", "ß"], ["", "日本"]], dtype=object),
        np.array([[b"a", "ß".encode()], [b"", "日本".encode()]]),
        np.array([[b"a", "ß"], ["", "日本"]], dtype=object),
        [["a", "ß"], ["", "日本"]],
    ],
    ids=["str", "object", "bytes", "mixed", "list"],
)
def test_strings(x):
    y = through("string", x, ("A", "B"))
    assert y.dtype == object
    assert y.tolist() == [["a", "ß"], ["", "日本"]]
    assert ox.to_numpy(ox.tensor(x, "string")).tolist() == y.tolist()


def test_a_string_scalar():
    assert through("string", np.array("one"), ()).item() == "one"
    assert through("string", np.empty(0, object)).shape == (0,)


@pytest.mark.parametrize("x", [np.zeros(2), np.array(["a", 1], object), np.array([b"\xff"])])
def test_what_is_no_string_is_refused(x):
    with pytest.raises((TypeError, UnicodeDecodeError)):
        through("string", x)


def test_bfloat16_rounds_to_nearest_even():
    x = np.array([1, 1 + 2**-8, 1 + 3 * 2**-8, -0.0, np.inf, 3.4e38, 1e-40, np.nan], np.float32)
    tensor = ox.tensor(x, "bfloat16")
    assert (tensor.dtype, tensor.shape, tensor.nbytes) == ("bfloat16", (8,), 16)
    y = ox.to_numpy(tensor)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y[:6], np.array([1, 1, 1 + 2**-6, -0.0, np.inf, np.inf], np.float32))
    assert np.signbit(y[3])
    assert np.isnan(y[7])
    assert memoryview(tensor).format == "B"


NARROW = {
    "bfloat16": [0, 1, -2.5, 3e38],
    "float8e4m3fn": [0, 1, -1.25, 448, 2**-9],
    "float8e4m3fnuz": [0, 1, -1.25, 240, 2**-10],
    "float8e5m2": [0, 1, -1.25, 57344, 2**-16],
    "float8e5m2fnuz": [0, 1, -1.25, 57344, 2**-17],
    "float4e2m1": [0, 0.5, -1.5, 6, 4],
    "int4": [0, 7, -8, 1, -1],
    "uint4": [0, 15, 8, 1, 2],
    "int2": [0, 1, -2, -1, 1],
    "uint2": [0, 1, 2, 3, 3],
}


@pytest.mark.parametrize("dtype", NARROW)
def test_types_that_numpy_lacks(dtype):
    values = np.array(NARROW[dtype])
    tensor = ox.tensor(values, dtype)
    assert (tensor.dtype, tensor.shape) == (dtype, values.shape)
    expected = values if dtype != "bfloat16" else ox.to_numpy(tensor)
    np.testing.assert_array_equal(ox.to_numpy(tensor), expected)
    opset = 25 if "2" in dtype and "int" in dtype else 23
    data = onnx.model([onnx.node("Identity", ["x"], ["y"])], {"x": (dtype, ["N"])}, {"y": (dtype, ["N"])}, opset=opset, ir_version=13)
    y = ox.Session(data, threads=1).run({"x": tensor})["y"]
    if isinstance(y, ox.Tensor):
        assert y.dtype == dtype
        assert bytes(memoryview(y)) == bytes(memoryview(tensor))
    np.testing.assert_array_equal(ox.to_numpy(y), expected)


def test_packing_puts_the_first_element_lowest():
    assert bytes(memoryview(ox.tensor([1, 2, 3], "uint4"))) == b"\x21\x03"
    assert bytes(memoryview(ox.tensor([-1, 1], "int4"))) == b"\x1f"
    assert bytes(memoryview(ox.tensor([1, 2, 3, 0, 1], "uint2"))) == b"\x39\x01"
    assert ox.to_numpy(ox.from_bits(b"\x21\x03", "uint4", (3,))).tolist() == [1, 2, 3]


@pytest.mark.parametrize(("values", "dtype"), [([8], "int4"), ([-1], "uint4"), ([4], "uint2"), ([0.5], "int4"), ([300], "uint8"), ([1.5], "int32")])
def test_integers_that_do_not_fit_are_refused(values, dtype):
    with pytest.raises(ValueError, match=f"fits {dtype}"):
        ox.tensor(values, dtype)


def test_floats_that_are_too_large_saturate_in_eight_bits():
    assert ox.to_numpy(ox.tensor([1e9, -np.inf, 0.3], "float8e4m3fn")).tolist() == [448, -448, np.float32(0.3125)]
    assert ox.to_numpy(ox.tensor([3.0, 2**-140], "float8e8m0")).tolist() == [2, 2**-127]
    with pytest.raises(ValueError, match="no NaN"):
        ox.tensor([np.nan], "float4e2m1")


def test_rounding_agrees_with_the_engines_own_cast():
    x = (np.random.default_rng(1).standard_normal(4000) * np.exp2(np.random.default_rng(2).uniform(-12, 9, 4000))).astype(np.float32)
    for dtype in ("bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"):
        data = onnx.model([onnx.node("Cast", ["x"], ["y"], to=onnx.TYPES[dtype][0])], {"x": ("float32", ["N"])}, {"y": (dtype, ["N"])})
        y = ox.Session(data, threads=1).run({"x": x})["y"]
        np.testing.assert_array_equal(ox.to_numpy(y), ox.to_numpy(ox.tensor(x, dtype)), err_msg=dtype)


def test_an_unknown_dtype_is_named():
    for dtype in ("float12", "float8e9", "object"):
        with pytest.raises(ValueError, match=dtype):
            ox.tensor([1.0], dtype)


def test_ml_dtypes_arrays_come_and_go_without_a_copy():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed")
    x = np.array([1.5, -2], ml_dtypes.bfloat16)
    with ox.Session(onnx.identity("bfloat16", ["N"]), threads=1) as session:
        y = session.run({"x": x}, copy=False)["y"]
        assert session.copies == 0
    assert y.dtype == ml_dtypes.bfloat16
    assert y.tolist() == [1.5, -2]
    assert ox.tensor(x).dtype == "bfloat16"


def test_sequences_are_lists():
    kind = onnx.sequence_type("float32", ["N"])
    session = ox.Session(onnx.model([onnx.node("Identity", ["s"], ["t"])], {"s": kind}, {"t": kind}), threads=1)
    assert (session.inputs[0].dtype, session.inputs[0].type) == (None, "seq(tensor(float))")
    items = [np.arange(3, dtype=np.float32), np.ones(2, np.float32)]
    assert [t.tolist() for t in session.run({"s": items})["t"]] == [[0, 1, 2], [1, 1]]
    assert session.run({"s": ()})["t"] == []
    with pytest.raises(TypeError, match="'s' must be a list"):
        session.run({"s": items[0]})
    with pytest.raises(TypeError, match="item 1"):
        session.run({"s": [items[0], "no"]})


def test_an_empty_optional_is_none():
    kind = onnx.optional_type("float32", ["N"])
    session = ox.Session(onnx.model([onnx.node("Identity", ["o"], ["p"])], {"o": kind}, {"p": kind}), threads=1)
    assert session.run({"o": None})["p"] is None
    assert session.run({"o": np.ones(2, np.float32)})["p"].tolist() == [1, 1]
