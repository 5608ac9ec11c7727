"""The optimizer: rewrites, proof, measured gain."""

from __future__ import annotations

import json
from collections.abc import Mapping

from . import _native
from ._model import Model, load
from ._progress import show
from ._result import OptimizationResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Optimizer:
    """Rewrites a model, proves the answers against its baseline and times what each change gained.

    The baseline is the same file without rewrites, on the same kernels and threads.

    Parameters
    ----------
    threads : int
        Threads to time with; 0 takes the machine's default.
    rtol, atol, scaled_atol : float
        How far an answer may be from the baseline's: ``atol + scaled_atol * max|baseline| + rtol * |baseline|``.
    seconds : float
        How long to time baseline against result, in seconds.
    pass_seconds : float
        How long to time each pass, in seconds; 0 times none.

    Examples
    --------
    >>> result = ox.Optimizer(threads=2).optimize("model.onnx", data=[{"x": x}])
    >>> print(result)
    >>> result.model.save("model.opt.onnx")
    """

    def __init__(
        self,
        threads: int = 0,
        *,
        rtol: float = 1e-3,
        atol: float = 1e-7,
        scaled_atol: float = 1e-4,
        seconds: float = 2.0,
        pass_seconds: float = 0.5,
    ) -> None:
        self.threads = threads
        self.rtol = rtol
        self.atol = atol
        self.scaled_atol = scaled_atol
        self.seconds = seconds
        self.pass_seconds = pass_seconds

    def optimize(
        self,
        model: Any,
        data: Mapping[str, Any] | Iterable[Mapping[str, Any] | Any] | None = None,
        *,
        progress: Callable[[str, float], object] | bool | None = None,
        check: bool = True,
    ) -> OptimizationResult:
        """Optimises a model; the model given is not changed.

        Parameters
        ----------
        model : Model, str, os.PathLike, bytes-like or binary file
            A model, or whatever ``load`` takes on its own.
        data : dict, or iterable of dicts or arrays, optional
            Sample inputs: the answers are proven on all of them, the first one is timed. A dict is one sample; for a model of one input an array stands
            for the dict, and an array given as ``data`` is one sample. The iterable is read to its end. None draws three samples from the model's
            types and shapes.
        progress : callable, bool, optional
            Called with (stage, done) on this thread, done from 0 to 1 within the stage; what it raises ends the optimisation. None shows a bar when stderr is a
            terminal, True always, False never.
        check : bool
            Whether a failed proof raises. With False the result is handed out and says so in ``holds``.

        Returns
        -------
        OptimizationResult

        Raises
        ------
        ProofFailedError
            The rewritten model does not give the answers of its baseline; ``error.result`` has the details, and no model is handed out.
        InvalidInputError, TypeError
            A sample does not fit the model.
        """
        model = load(model)
        samples = _samples(model, data)
        tolerance = (self.rtol, self.atol, self.scaled_atol)
        with show("optimising", progress) as told:
            native, text = _native.optimize(model._native, samples, self.threads, tolerance, self.seconds, self.pass_seconds, told)
        result = OptimizationResult.of(Model(native), json.loads(text))
        if check and not result.holds:
            failed = next(output for output in result.proof.outputs if output.problem is not None)
            error = _native.ProofFailedError(f"the optimised model does not give the answers of its baseline: output '{failed.output}', {failed.problem}")
            error.result = result.without_model()  # type: ignore[attr-defined]
            raise error
        return result

    def __repr__(self) -> str:
        return f"Optimizer(threads={self.threads}, rtol={self.rtol}, atol={self.atol}, scaled_atol={self.scaled_atol}, seconds={self.seconds}, pass_seconds={self.pass_seconds})"


def _samples(model: Model, data: Any) -> list[dict[str, Any]]:
    if data is None:
        return [model.sample(seed) for seed in range(3)]
    if isinstance(data, Mapping) or _is_array(data):
        data = [data]
    return [_sample(model, item) for item in data]


def _sample(model: Model, item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return dict(item)
    if len(model.inputs) != 1:
        names = ", ".join(f"'{value.name}'" for value in model.inputs)
        raise TypeError(f"a sample must be a dict with {names}, found {type(item).__name__}")
    return {model.inputs[0].name: item}


def _is_array(data: Any) -> bool:
    return hasattr(data, "__dlpack__") or isinstance(data, memoryview) or hasattr(data, "__array__")
