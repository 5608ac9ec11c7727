"""Beside PyTorch: one process, one memory."""

import gc

import numpy as np
import pytest
from conftest import address

import ai_optix as ox

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def test_torch_takes_an_output_without_a_copy(relu):
    y = relu.run({"x": np.arange(5, dtype=np.float32)})["y"]
    t = torch.from_dlpack(y)
    assert t.data_ptr() == address(y)
    assert torch.from_numpy(y).data_ptr() == address(y)
    tensor = ox.tensor(y)
    assert torch.from_dlpack(tensor).data_ptr() == tensor.address
    del y, tensor
    gc.collect()
    for _ in range(5):
        relu.run({"x": np.full(5, 9, np.float32)})
    assert t.tolist() == [0, 1, 2, 3, 4]


def test_a_run_takes_a_torch_tensor_without_a_copy(relu):
    t = torch.linspace(-1, 1, 100)
    assert ox.from_dlpack(t).address == t.data_ptr()
    np.testing.assert_array_equal(relu.run({"x": t}, copy=False)["y"], torch.relu(t).numpy())
    assert relu.copies == 0


def test_a_run_writes_into_a_torch_tensor(relu):
    t = torch.linspace(-1, 1, 100)
    out = torch.empty(100)
    assert relu.run({"x": t}, out={"y": out})["y"] is out
    assert torch.equal(out, torch.relu(t))


def test_strided_torch_tensors_are_copied_and_counted(relu):
    t = torch.linspace(-1, 1, 200)[::2]
    np.testing.assert_array_equal(relu.run({"x": t})["y"], torch.relu(t).numpy())
    assert relu.copies == 1
    with pytest.raises(BufferError, match="copy=False"):
        relu.run({"x": t}, copy=False)


def test_bfloat16_comes_and_goes_without_a_copy():
    t = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    tensor = ox.from_dlpack(t)
    assert (tensor.dtype, tensor.address) == ("bfloat16", t.data_ptr())
    assert ox.to_numpy(tensor).tolist() == [1.5, -2.0]
    back = torch.from_dlpack(tensor)
    assert back.data_ptr() == t.data_ptr()
    assert back.dtype == torch.bfloat16


def test_memory_is_held_by_either_side():
    t = torch.arange(4, dtype=torch.float32)
    tensor = ox.from_dlpack(t)
    del t
    gc.collect()
    again = torch.from_dlpack(tensor)
    del tensor
    gc.collect()
    assert again.tolist() == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.LayerNorm(16), torch.nn.Linear(16, 3)).eval()


def test_a_module_becomes_a_model(network):
    x = torch.randn(5, 8)
    model = ox.load(network, x, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "N"}, "y": {0: "N"}})
    assert [(v.name, v.dtype, v.shape) for v in model.inputs] == [("x", "float32", ("N", 8))]
    session = ox.Session(model, threads=2)
    for rows in (5, 1, 9):
        x = torch.randn(rows, 8)
        expected = network(x).detach().numpy()
        np.testing.assert_allclose(session.run({"x": x})["y"], expected, rtol=1e-4, atol=1e-5)
    assert session.copies == 0


def test_a_module_keeps_its_mode(network):
    network.train()
    try:
        ox.load(network, (torch.randn(1, 8),))
        assert network.training
    finally:
        network.eval()


def test_a_module_needs_example_inputs(network):
    with pytest.raises(TypeError, match="example inputs"):
        ox.load(network)
    with pytest.raises(TypeError, match="only with a torch.nn.Module"):
        ox.load("model.onnx", torch.randn(1, 8))


def test_torch_threads_and_ours_work_side_by_side(network):
    x = torch.randn(64, 8)
    session = ox.Session(ox.load(network, x, input_names=["x"], output_names=["y"]), threads=2)
    for _ in range(50):
        np.testing.assert_allclose(session.run({"x": x})["y"], network(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_either_may_be_imported_first(python):
    for first, second in (("torch", "ai_optix"), ("ai_optix", "torch")):
        script = f"import {first}, {second}, torch, ai_optix, numpy as np\nt = torch.ones(2)\nprint(ai_optix.from_dlpack(t).address == t.data_ptr(), (t @ t).item())"
        assert python(script) == "True 2.0\n"
