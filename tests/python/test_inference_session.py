"""The calls that users of onnxruntime have already."""

import ctypes
import threading

import numpy as np
import onnx_proto as onnx
import pytest
from conftest import address

import ai_optix as ort

A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.ones(3, np.float32)


@pytest.fixture(scope="module")
def data():
    nodes = [onnx.node("Add", ["a", "b"], ["sum"]), onnx.node("Mul", ["a", "b"], ["product"])]
    return onnx.model(nodes, {"a": ("float32", ["N", 3]), "b": ("float32", [3])}, {"sum": ("float32", ["N", 3]), "product": ("float32", ["N", 3])})


@pytest.fixture(scope="module")
def session(data):
    return ort.InferenceSession(data, providers=["CPUExecutionProvider"])


def test_run(session):
    total, product = session.run(None, {"a": A, "b": B})
    np.testing.assert_array_equal(total, A + B)
    np.testing.assert_array_equal(product, A)
    assert len(session.run([], {"a": A, "b": B})) == 2
    names = ["product", "sum", "product"]
    for got, expected in zip(session.run(names, {"a": A, "b": B}), (A, A + B, A)):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(session.run(["sum"], {"a": A.tolist(), "b": [1, 1, 1]})[0], A + B)


def test_wrong_names(session):
    with pytest.raises(ort.InvalidInputError, match="no output 'q'; it has 'sum', 'product'"):
        session.run(["q"], {"a": A, "b": B})
    with pytest.raises(ort.InvalidInputError, match="'b' is missing"):
        session.run(None, {"a": A})
    with pytest.raises(ort.InputTypeError):
        session.run(None, {"a": A.astype("f8"), "b": B})


def test_what_it_says(session):
    assert [(i.name, i.shape, i.type) for i in session.get_inputs()] == [("a", ["N", 3], "tensor(float)"), ("b", [3], "tensor(float)")]
    assert [o.name for o in session.get_outputs()] == ["sum", "product"]
    assert session.get_overridable_initializers() == []
    meta = session.get_modelmeta()
    assert (meta.producer_name, meta.graph_name, meta.custom_metadata_map) == ("tests", "test", {})
    assert (meta.domain, meta.description, meta.graph_description, meta.version) == ("org.tests", "a model of the tests", "its graph", 7)
    assert session.get_providers() == ort.get_available_providers() == ort.get_all_providers() == ["CPUExecutionProvider"]
    assert session.get_provider_options() == {"CPUExecutionProvider": {}}
    assert ort.get_device() == "CPU"
    assert "NodeArg(name='a'" in repr(session.get_inputs()[0])
    assert "float32" in repr(session)


def test_constructor_forms(data, tmp_path):
    (tmp_path / "m.onnx").write_bytes(data)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for made in (
        ort.InferenceSession(str(tmp_path / "m.onnx")),
        ort.InferenceSession(tmp_path / "m.onnx", options),
        ort.InferenceSession(path_or_bytes=data, sess_options=options, providers=[("CPUExecutionProvider", {})], provider_options=[{}]),
        ort.InferenceSession(data, options, enable_fallback=0),
    ):
        np.testing.assert_array_equal(made.run(["sum"], {"a": A, "b": B})[0], A + B)
    assert ort.InferenceSession(data, options).get_session_options() is options
    with pytest.raises(TypeError, match="no argument 'thread'"):
        ort.InferenceSession(data, thread=1)


def test_a_missing_provider_is_said_once(data):
    with pytest.warns(UserWarning, match="no execution provider 'TestProviderOne'"):
        ort.InferenceSession(data, providers=["TestProviderOne", "CPUExecutionProvider"])
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = ort.InferenceSession(data, providers=[("TestProviderOne", {"device_id": 0})])
    with pytest.warns(UserWarning, match="TestProviderTwo"):
        session.set_providers(["TestProviderTwo"])
    session.disable_fallback()
    session.enable_fallback()


def test_session_options(data):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    options.inter_op_num_threads = 2
    options.log_severity_level = 3
    options.add_session_config_entry("session.test_entry", "1")
    assert options.get_session_config_entry("session.test_entry") == "1"
    assert options.has_session_config_entry("session.test_entry")
    with pytest.raises(RuntimeError, match="no entry 'other'"):
        options.get_session_config_entry("other")
    options.enable_profiling = True
    with pytest.warns(UserWarning) as warned:
        session = ort.InferenceSession(data, options)
    assert {str(w.message).split(" has no effect")[0] for w in warned} >= {"SessionOptions.enable_profiling", "the session config entry 'session.test_entry'"}
    with pytest.raises(NotImplementedError, match="writes no profile"):
        session.end_profiling()
    with pytest.raises(NotImplementedError):
        options.register_custom_ops_library("ops.so")
    with pytest.raises(NotImplementedError):
        options.add_initializer("w", None)


def test_threads_and_rewriting_are_honoured(data):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(data, options)
    assert "threads=2" in repr(session)


def test_module_functions():
    ort.set_default_logger_severity(3)
    ort.set_default_logger_verbosity(0)
    with pytest.raises(ValueError, match="0 .* to 4"):
        ort.set_default_logger_severity(9)
    with pytest.warns(UserWarning, match="set_seed"):
        ort.set_seed(1)


def test_terminate(session):
    options = ort.RunOptions()
    assert not options.terminate
    options.logid = "a"
    session.run(None, {"a": A, "b": B}, options)
    options.terminate = True
    with pytest.raises(ort.CancelledError, match="cancelled"):
        session.run(None, {"a": A, "b": B}, options)
    options.terminate = False
    session.run(None, {"a": A, "b": B}, run_options=options)
    with pytest.warns(UserWarning, match="memory.enable"):
        options.add_run_config_entry("memory.enable", "1")
    assert options.get_run_config_entry("memory.enable") == "1"


def test_ort_values(session):
    value = ort.OrtValue.ortvalue_from_numpy(A)
    assert value.data_ptr() == address(A) == address(value.numpy())
    assert (value.shape(), value.data_type(), value.element_type(), value.device_name()) == ([2, 3], "tensor(float)", 1, "cpu")
    assert (value.is_tensor(), value.is_tensor_sequence(), value.is_sparse_tensor(), value.has_value()) == (True, False, False, True)
    assert value.tensor_size_in_bytes() == 24
    results = session.run_with_ort_values(["sum"], {"a": value, "b": ort.OrtValue.ortvalue_from_numpy(B)})
    np.testing.assert_array_equal(results[0].numpy(), A + B)
    np.testing.assert_array_equal(session.run(["sum"], {"a": value, "b": B})[0], A + B)
    with pytest.raises(ValueError, match="no device 'cuda'"):
        ort.OrtValue.ortvalue_from_numpy(A, "cuda", 0)


@pytest.mark.parametrize(("element_type", "word", "number"), [(np.int64, "int64", 7), ("float16", "float16", 10), (1, "float", 1), (11, "double", 11), (16, "bfloat16", 16), (8, "string", 8), (22, "int4", 22)])
def test_ort_values_of_types(element_type, word, number):
    value = ort.OrtValue.ortvalue_from_shape_and_type([3, 2], element_type)
    assert (value.data_type(), value.element_type(), value.shape()) == (f"tensor({word})", number, [3, 2])


def test_update_inplace():
    value = ort.OrtValue.ortvalue_from_shape_and_type((2, 3), np.float32)
    where = value.data_ptr()
    value.update_inplace(A)
    np.testing.assert_array_equal(value.numpy(), A)
    assert value.data_ptr() == where
    with pytest.raises(ValueError, match="found float64"):
        value.update_inplace(A.astype("f8"))
    half = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.array([0x3F80, 0xC000], np.uint16), 16)
    assert half.numpy().tolist() == [1, -2]
    half.update_inplace(np.array([0xC000, 0x3F80], np.uint16))
    assert half.numpy().tolist() == [-2, 1]
    assert ort.OrtValue.from_dlpack(A.copy()).numpy().tolist() == A.tolist()


def test_sequences_in_ort_values():
    value = ort.OrtValue([A, B])
    assert (value.is_tensor(), value.is_tensor_sequence()) == (False, True)
    with pytest.raises(RuntimeError):
        value.numpy()


def test_io_binding(session):
    binding = session.io_binding()
    binding.bind_cpu_input("a", A)
    binding.bind_ortvalue_input("b", ort.OrtValue.ortvalue_from_numpy(B))
    binding.bind_output("product")
    target = ort.OrtValue.ortvalue_from_shape_and_type((2, 3), np.float32)
    binding.bind_ortvalue_output("sum", target)
    binding.synchronize_inputs()
    session.run_with_iobinding(binding)
    binding.synchronize_outputs()
    np.testing.assert_array_equal(target.numpy(), A + B)
    product, total = binding.get_outputs()
    assert total.data_ptr() == target.data_ptr()
    np.testing.assert_array_equal(product.numpy(), A)
    copies = binding.copy_outputs_to_cpu()
    assert address(copies[1]) != target.data_ptr()
    np.testing.assert_array_equal(copies[1], A + B)
    A2 = A + 1
    binding.bind_cpu_input("a", A2)
    session.run_with_iobinding(binding, ort.RunOptions())
    np.testing.assert_array_equal(target.numpy(), A2 + B)
    np.testing.assert_array_equal(copies[1], A + B)
    binding.clear_binding_outputs()
    assert binding.get_outputs_as_ortvaluevector() == []
    binding.clear_binding_inputs()
    with pytest.raises(ort.InvalidInputError, match="'a' is missing"):
        session.run_with_iobinding(binding)


def test_io_binding_to_addresses(session):
    out = np.empty((2, 3), np.float32)
    binding = session.io_binding()
    binding.bind_input("a", "cpu", 0, np.float32, A.shape, A.ctypes.data)
    binding.bind_input(name="b", device_type="cpu", device_id=0, element_type=np.float32, shape=(3,), buffer_ptr=B.ctypes.data)
    binding.bind_output("sum", "cpu", 0, np.float32, (2, 3), out.ctypes.data)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(out, A + B)
    with pytest.raises(ort.InvalidInputError, match="no input 'q'"):
        binding.bind_cpu_input("q", A)
    with pytest.raises(ort.InvalidInputError, match="no output 'q'"):
        binding.bind_output("q")
    with pytest.raises(ValueError, match="no device 'cuda'"):
        binding.bind_output("sum", "cuda")
    with pytest.raises(ValueError, match="element_type and shape"):
        binding.bind_output("sum", "cpu", 0, buffer_ptr=ctypes.addressof(ctypes.c_int()))


def test_run_async(session):
    done = threading.Event()
    got = []

    def callback(results, user_data, error):
        got.append((results, user_data, error))
        done.set()

    session.run_async(["sum"], {"a": A, "b": B}, callback, "mine")
    assert done.wait(60)
    np.testing.assert_array_equal(got[0][0][0], A + B)
    assert got[0][1:] == ("mine", "")
    done.clear()
    session.run_async(["sum"], {"a": A}, callback, None)
    assert done.wait(60)
    assert got[1][0] == []
    assert "'b' is missing" in got[1][2]
