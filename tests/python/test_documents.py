"""The code of the README, of docs/python.md and of examples/ runs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox

ROOT = Path(__file__).resolve().parents[2]


def code(document):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def model(tmp_path):
    """A classifier of 8 x 8 images with ten classes, as the documents take it: input x, output y."""
    r = np.random.default_rng(0)
    nodes = [
        onnx.node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        onnx.node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"]),
        onnx.node("Relu", ["n"], ["r"]),
        onnx.node("Flatten", ["r"], ["f"]),
        onnx.node("MatMul", ["f", "k"], ["y"]),
    ]
    shapes = {"w": (4, 1, 3, 3), "s": 4, "b": 4, "m": 4, "v": 4, "k": (144, 10)}
    weights = {name: r.random(shape, np.float32) for name, shape in shapes.items()}
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.model(nodes, {"x": ("float32", ["N", 1, 8, 8])}, {"y": ("float32", ["N", 10])}, weights))
    return path


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_documents(document, model, monkeypatch, capsys):
    blocks = code(document)
    assert blocks
    monkeypatch.chdir(model.parent)
    exec("\n".join(blocks), {})
    assert "nodes to" in capsys.readouterr().out


def test_tuning_document(model, monkeypatch, tmp_path):
    monkeypatch.chdir(model.parent)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = {"ox": ox}
    exec("\n".join(code("docs/tuning.md")), names)
    assert names["result"].tuning.winners.keys() >= names["tuning"].winners.keys()


def test_data_document(model, monkeypatch, capsys):
    monkeypatch.chdir(model.parent)
    exec("\n".join(code("docs/data.md")), {})
    printed = capsys.readouterr().out
    for line in ("(2, 2) [0 1]", "['one' 'two']", "(2, 3, 8, 8) [0 1] ('cat', 'dog')", "[(2, 4)] 1 b.npy is not an NPY file"):
        assert line in printed


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_examples(script, model):
    if "import torch" in (ROOT / "examples" / script).read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason="PyTorch is not installed")
    done = subprocess.run([sys.executable, ROOT / "examples" / script, model], capture_output=True, text=True, cwd=model.parent, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_error_is_documented():
    from ai_optix import errors

    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for name in errors.__all__:
        assert name == "Error" or f"| `{name}` |" in text
