"""AI Optix: the fastest version of a trained model for the CPU it stands on, with proof.

>>> import ai_optix as ox
>>> session = ox.Session("model.onnx", threads=2)
>>> y = session.run({"x": x})["y"]

``Session`` runs a model, ``load`` reads one, ``Optimizer`` rewrites and proves it; ``InferenceSession`` and its kin are the calls
that users of onnxruntime have already. Arrays go in and come out without a copy.
"""

import atexit as _atexit
import os as _os
import sys as _sys

from . import _host

_native = _host.start()
_sys.modules[__name__ + "._native"] = _native


@_atexit.register
def _shutdown(_process: int = _os.getpid()) -> None:
    # A forked child that exits has nothing to shut down.
    if _os.getpid() == _process:
        _native.shutdown()


from ._native import (  # noqa: E402
    Cancellation,
    CancelledError,
    Error,
    InputTypeError,
    InvalidGraphError,
    InvalidInputError,
    LimitExceededError,
    ModelFormatError,
    NotEnoughDataError,
    ProofFailedError,
    SampleError,
    Tensor,
    UnsupportedModelError,
)
from ._arrays import from_bits, from_dlpack, tensor, to_numpy  # noqa: E402
from ._model import Model, load  # noqa: E402
from ._session import Session  # noqa: E402
from ._tuning import Tuning  # noqa: E402
from ._values import Value  # noqa: E402

__version__: str = _native.__version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._inference import (
        ExecutionMode,
        GraphOptimizationLevel,
        InferenceSession,
        IOBinding,
        ModelMetadata,
        NodeArg,
        OrtValue,
        RunOptions,
        SessionOptions,
        get_all_providers,
        get_available_providers,
        get_device,
        set_default_logger_severity,
        set_default_logger_verbosity,
        set_seed,
    )
    from . import data, transforms
    from ._loader import DataLoader, LoadError
    from ._machine import Machine, machine
    from ._model import Limits
    from ._optimizer import Optimizer
    from ._tuning import KernelTime
    from ._result import BudgetProof, Candidate, OptimizationResult, OutputProof, PassGain, Patch, Proof, Search, Speed

# What an import should not wait for: each name, and the module that has it.
_LATER = {
    **dict.fromkeys(("DataLoader", "LoadError"), "_loader"),
    **dict.fromkeys(("Machine", "machine"), "_machine"),
    "KernelTime": "_tuning",
    "Optimizer": "_optimizer",
    **dict.fromkeys(("BudgetProof", "Candidate", "OptimizationResult", "OutputProof", "PassGain", "Patch", "Proof", "Search", "Speed"), "_result"),
    **dict.fromkeys(
        (
            "ExecutionMode",
            "GraphOptimizationLevel",
            "IOBinding",
            "InferenceSession",
            "ModelMetadata",
            "NodeArg",
            "OrtValue",
            "RunOptions",
            "SessionOptions",
            "get_all_providers",
            "get_available_providers",
            "get_device",
            "set_default_logger_severity",
            "set_default_logger_verbosity",
            "set_seed",
        ),
        "_inference",
    ),
}

__all__ = [
    "Cancellation",
    "CancelledError",
    "Error",
    "InputTypeError",
    "InvalidGraphError",
    "InvalidInputError",
    "LimitExceededError",
    "Model",
    "ModelFormatError",
    "NotEnoughDataError",
    "ProofFailedError",
    "SampleError",
    "Session",
    "Tensor",
    "Tuning",
    "UnsupportedModelError",
    "Value",
    "from_bits",
    "from_dlpack",
    "data",
    "load",
    "tensor",
    "to_numpy",
    "transforms",
    *_LATER,
]


def __getattr__(name: str) -> object:
    import importlib

    if name in ("data", "transforms"):
        return importlib.import_module(f"{__name__}.{name}")
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
