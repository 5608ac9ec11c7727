"""Sessions: compiled models, ready to run."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from . import _native
from ._model import Model, load
from ._tables import html
from ._tuning import Tuning, native_of
from ._values import Value, rows, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Literal

    from ._model import Limits


class Session:
    """A compiled model, ready to run from any number of threads at once.

    Parameters
    ----------
    model : Model, str, os.PathLike, bytes-like or binary file
        A model, or whatever ``load`` takes on its own.
    threads : int
        How many threads take part in a run, the calling one included; 0 takes what the machine, its cgroup and the affinity grant.
    rewrite : bool
        Whether to apply the portable rewrites first; False compiles the file as it is.
    isa : {"avx512", "avx2", "none"}
        The most that the kernels may use of the machine's instruction sets.
    limits : Limits, optional
        Bounds on what the model may ask for, see ``load``.
    tuning : Tuning, optional
        Kernels that won when they were timed (``Model.tune``), used in place of the cost model's where they serve the model.

    Attributes
    ----------
    model : Model
    inputs, outputs : tuple of Value
    threads : int
    copies : int
        How many inputs had to be copied so far because they were strided or byte-swapped.
    closed : bool

    Raises
    ------
    UnsupportedModelError
        The model has operators that cannot be run; all are named.
    ValueError, OSError, MemoryError
        As for ``load``.

    Examples
    --------
    >>> session = ox.Session("model.onnx", threads=2)
    >>> session.run({"x": x})["y"]
    >>> session.run({"x": x}, out={"y": buffer})
    """

    __slots__ = ("__weakref__", "_native", "_run", "model")

    def __init__(
        self,
        model: Any,
        *,
        threads: int = 0,
        rewrite: bool = True,
        isa: Literal["avx512", "avx2", "none"] = "avx512",
        limits: Limits | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self.model: Model = load(model, limits=limits)
        self._native = _native.Session.create(self.model._native, threads, rewrite, isa, limits, native_of(tuning))
        self._run = self._native.run
        if (notice := self.model._native.notice) is not None:
            warnings.warn(notice, RuntimeWarning, stacklevel=2)

    def run(
        self,
        inputs: Mapping[str, Any] | Any,
        out: Mapping[str, Any] | Any | None = None,
        *,
        copy: bool = True,
        cancellation: _native.Cancellation | None = None,
    ) -> dict[str, Any]:
        """Runs the model.

        Parameters
        ----------
        inputs : mapping of str to array
            An array for each input, with exactly its dtype; nothing is cast. C-contiguous memory (NumPy, also read-only, PyTorch, anything with the
            buffer protocol or DLPack, ``Tensor``) is read in place and held until the run ends. Strings come as arrays of str, bytes or object,
            sequences as lists, maps as dicts, an empty optional as None. For a model of one input the array alone will do.
        out : mapping of str to array, optional
            Where to write outputs: writable, C-contiguous arrays of their dtype and shape, which overlap no input. Outputs without one are lent. For a
            model of one output the array alone will do.
        copy : bool
            Whether strided and byte-swapped inputs may be copied; each copy counts in ``copies``.
        cancellation : Cancellation, optional
            Ends the run from another thread.

        Returns
        -------
        dict
            Every output by name: the object given in ``out``, else an ndarray over memory of the session, which stays valid as long as anybody holds
            it or a view of it, a closed session notwithstanding, and goes back to the session's pool afterwards. Strings come as object arrays, dtypes
            that NumPy lacks as ``Tensor`` (or as ml_dtypes arrays when that package is loaded), sequences as lists, maps as dicts.

        Raises
        ------
        InvalidInputError
            A name, rank, shape or value is wrong.
        InputTypeError, TypeError
            A dtype is wrong, or an input is no array.
        BufferError
            A copy is needed and ``copy`` is False, or an output buffer is read-only or not contiguous.
        CancelledError
            The cancellation was called.
        KeyboardInterrupt
            Ctrl-C was pressed during a run on the main thread; the session stays usable.
        ValueError
            The session is closed.
        """
        if type(inputs) is not dict:
            inputs = _by_name(inputs, self._native.inputs, "input")
        if out is not None and type(out) is not dict:
            out = _by_name(out, self._native.outputs, "output")
        return self._run(inputs, out, copy, cancellation)

    @property
    def inputs(self) -> tuple[Value, ...]:
        return self.model.inputs

    @property
    def outputs(self) -> tuple[Value, ...]:
        return self.model.outputs

    @property
    def threads(self) -> int:
        return self._native.threads

    @property
    def copies(self) -> int:
        return self._native.copies

    @property
    def closed(self) -> bool:
        return self._native.closed

    def close(self) -> None:
        """Waits for runs in flight and gives memory and threads back. Arrays that are still lent stay valid."""
        self._native.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Session({self.model.name!r}, {signature(self.inputs, self.outputs)}, threads={self.threads}{', closed' if self.closed else ''})"

    def _repr_html_(self) -> str:
        return html(f"Session of {self.model.name}, {self.threads} threads", ("", "name", "dtype", "shape"), rows(self.inputs, self.outputs))


def _by_name(given: Any, values: tuple[Any, ...], what: str) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if len(values) != 1:
        names = ", ".join(f"'{value[0]}'" for value in values)
        raise TypeError(f"the model has {len(values)} {what}s: give a dict with {names}, found {type(given).__name__}")
    return {values[0][0]: given}
