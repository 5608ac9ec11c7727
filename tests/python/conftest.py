"""What the tests share. They run against the installed package, as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox


@pytest.fixture(scope="session")
def shared():
    """The folder of real models with recorded answers."""
    folder = Path(os.environ.get("AIOPTIX_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
    if not (folder / "models").is_dir():
        pytest.skip("no real models: neither $AIOPTIX_SHARED nor ../shared has a folder 'models'")
    return folder


@pytest.fixture(scope="session")
def relu_bytes():
    """y = relu(x), x of any length."""
    return onnx.identity("float32", ["N"], "Relu")


@pytest.fixture
def relu(relu_bytes):
    with ox.Session(relu_bytes, threads=1) as session:
        yield session


@pytest.fixture(scope="session")
def slow_bytes():
    """300 matrix products one after the other: an instant for one row of 400, most of a minute for 20,000."""
    return onnx.products(300)


@pytest.fixture
def python(tmp_path):
    """Runs a script in a fresh interpreter; returns what it wrote. It must exit with 0 and write nothing on stderr.

    From 3.12 on CPython warns of forks in a process with threads, which is what some scripts are about.
    """

    def run(script, *arguments, code=0, stderr="", timeout=300):
        file = tmp_path / "script.py"
        file.write_text(script)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in (os.environ.get("PYTHONPATH"), str(Path(__file__).parent)) if p)}
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", str(file), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment, cwd=tmp_path
        )
        assert (done.returncode, done.stderr) == (code, stderr), done.stdout
        return done.stdout

    return run


def address(array):
    """Where an array's first byte lies."""
    return array.__array_interface__["data"][0]
