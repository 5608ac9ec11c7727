"""Models: what a file says, before it is compiled."""

from __future__ import annotations

import json
import os
import sys

from . import _native
from ._tables import html
from ._tuning import Tuning, native_of
from ._values import Value, rows, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypedDict

    class Limits(TypedDict, total=False):
        """Bounds on what a model may ask for; what is left out comes from the machine and its cgroup."""

        max_tensor_bytes: int
        max_total_bytes: int
        max_loop_trips: int
        max_depth: int
        max_run_seconds: float


class Model:
    """A loaded model. Nothing changes it; threads may share it. ``load`` makes one.

    Attributes
    ----------
    name : str
        The graph's name.
    inputs, outputs : tuple of Value
        Name, dtype, shape and type of each.
    metadata : dict
        ``name``, ``producer``, ``ir_version``, ``opsets`` (a dict by domain) and ``properties`` (a dict of str).
    operators : dict
        How often each operator occurs in the main graph and its subgraphs, by name.
    unsupported : tuple of str
        Operators that cannot be run; ``Session`` refuses the model while there are any.
    """

    __slots__ = ("_inputs", "_native", "_outputs")

    def __init__(self, native: _native.Model) -> None:
        if not isinstance(native, _native.Model):
            raise TypeError(f"a Model is made by ai_optix.load(source), not from {type(native).__name__}")
        self._native = native
        self._inputs: tuple[Value, ...] | None = None
        self._outputs: tuple[Value, ...] | None = None

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def inputs(self) -> tuple[Value, ...]:
        if self._inputs is None:
            self._inputs = tuple(Value(*row) for row in self._native.inputs)
        return self._inputs

    @property
    def outputs(self) -> tuple[Value, ...]:
        if self._outputs is None:
            self._outputs = tuple(Value(*row) for row in self._native.outputs)
        return self._outputs

    @property
    def metadata(self) -> dict[str, Any]:
        return json.loads(self._native.metadata)

    @property
    def operators(self) -> dict[str, int]:
        return {name: count for name, count, _ in self._native.operators()}

    @property
    def unsupported(self) -> tuple[str, ...]:
        return tuple(name for name, _, supported in self._native.operators() if not supported)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as standard ONNX.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        self._native.save(os.fspath(path))

    def tune(self, known: Tuning | None = None, *, seconds: float = 0.2) -> Tuning:
        """Times the kernels that can compute what the model consists of on this machine: its products and convolutions, after the rewrites.

        Open axes are taken for typical ones. Whatever else runs on the machine disturbs it.

        Parameters
        ----------
        known : Tuning, optional
            What is tuned already and not timed again.
        seconds : float
            How long to time each kernel, the cost model's pick beside it included.

        Returns
        -------
        Tuning
            What was known and what won; ``timed`` says what was timed.

        Raises
        ------
        UnsupportedModelError
            The model has operators that cannot be run.
        """
        return Tuning._of(*self._native.tune(native_of(known), seconds))

    def save_compiled(
        self,
        path: str | os.PathLike[str],
        *,
        rewrite: bool = True,
        isa: Literal["avx512", "avx2", "none"] = "avx512",
        limits: Limits | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        """Compiles the model for this machine and saves the program, so that ``Session(path)`` opens it without compiling.

        The folder holds the graph after all rewrites and the weights packed as kernels read them. It is good for this build of AI Optix and this
        CPU. A ``Session`` of a program that was saved by another build or for another CPU, whose model has changed since, or that is damaged
        compiles the model anew and warns with ``RuntimeWarning``; when the model is not there, it raises ``ModelFormatError``.

        Parameters
        ----------
        path : str or os.PathLike
            The folder, made when it is not there. It or its content appears when it is complete.
        rewrite, isa, limits, tuning
            As for ``Session``; a session with other values does not use the program.

        Raises
        ------
        OSError
            It cannot be written.
        UnsupportedModelError
            The model has operators that cannot be run.

        Examples
        --------
        >>> ox.load("model.onnx").save_compiled("model.compiled")
        >>> session = ox.Session("model.compiled")
        """
        self._native.save_compiled(os.fspath(path), rewrite, isa, limits, native_of(tuning))

    def sample(self, seed: int = 0, dims: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Draws inputs for one run, the same for the same seed on every machine.

        Floats are normal with mean 0 and deviation 1, integers small, strings empty.

        Parameters
        ----------
        seed : int
        dims : mapping of str to int, optional
            Extents for the open axes, by name; 1 where none is given.

        Returns
        -------
        dict of str to ndarray
            Writable arrays, by the names of the inputs.

        Raises
        ------
        InvalidInputError
            A name in dims is none of the model's, or an input cannot be drawn.
        """
        return self._native.sample(seed, dict(dims or {}))

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {signature(self.inputs, self.outputs)}, {sum(self.operators.values())} nodes)"

    def _repr_html_(self) -> str:
        return html(f"Model {self.name}, {sum(self.operators.values())} nodes", ("", "name", "dtype", "shape"), rows(self.inputs, self.outputs))


def load(
    source: Any,
    example_inputs: Any = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    **export: Any,
) -> Model:
    """Loads a model.

    Parameters
    ----------
    source : str, os.PathLike, bytes-like, binary file, torch.nn.Module or Model
        A path, whose file is mapped, not read, or that of a program saved by ``Model.save_compiled``; the bytes of an ONNX file; a file open for reading in binary mode; or a PyTorch module, which
        PyTorch's own exporter turns into ONNX.
    example_inputs : tensor or tuple of tensors, optional
        For a PyTorch module, what to call it with while it is exported.
    folder : str or os.PathLike, optional
        Where the external data of a model given as bytes lies.
    limits : Limits, optional
        Bounds on what the file may ask for: a dict with any of ``max_tensor_bytes``, ``max_total_bytes``, ``max_loop_trips``, ``max_depth``,
        ``max_run_seconds``.
    **export
        For a PyTorch module, handed to ``torch.onnx.export``: ``input_names``, ``output_names``, ``dynamic_axes``, ``opset_version``.

    Returns
    -------
    Model

    Raises
    ------
    OSError
        The file cannot be read.
    ModelFormatError
        It is no ONNX file, or a damaged one.
    InvalidGraphError
        Its graph contradicts itself.
    LimitExceededError
        It asks for more than the limits allow.
    TypeError
        The source is none of the above.
    """
    if isinstance(source, Model):
        return source
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(source, torch.nn.Module):
        from ._torch import to_onnx

        source = to_onnx(torch, source, example_inputs, export)
    elif example_inputs is not None or export:
        unknown = ", ".join(["example_inputs"] * (example_inputs is not None) + list(export))
        raise TypeError(f"load() takes {unknown} only with a torch.nn.Module, found {type(source).__name__}")
    if isinstance(source, (str, os.PathLike)):
        return Model(_native.Model.load(os.fsdecode(source), None, limits))
    if isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    elif hasattr(source, "read"):
        source = source.read()
    if not isinstance(source, bytes):
        raise TypeError(f"expected a path, bytes, a binary file or a torch.nn.Module, found {type(source).__name__}")
    return Model(_native.Model.load(source, None if folder is None else os.fsdecode(folder), limits))
