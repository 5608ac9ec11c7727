"""The optimizer: rewrites, quantised forms within a budget, proof, measured gain."""

from __future__ import annotations

import array
import json
import os
from collections.abc import Mapping

from . import _native
from ._model import Model, load
from ._progress import show
from ._result import OptimizationResult
from ._tuning import Tuning, native_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal


class Optimizer:
    """Rewrites a model, proves the answers against its baseline and times what each change gained.

    The baseline is the same file without rewrites, on the same kernels and threads. Without a budget (``max_accuracy_drop`` or ``max_error``)
    nothing but fp32 rewrites is done. With one, quantised forms are searched as well; one is handed out only if it is measured faster
    than the best fp32 form and is shown, on samples held back from calibration and search, to be within the budget at the worse end of the
    95 % interval. Otherwise the result is the best fp32 form, and ``result.search.summary`` says why.

    Parameters
    ----------
    threads : int
        Threads to time with; 0 takes the machine's default.
    max_accuracy_drop : float, optional
        How much the mean score may drop: 0.005 is half a percent.
    max_error : float, optional
        How large the error of a sample against the baseline's answers may be.
    metric : str or callable, optional
        For a drop "top1" (the default: is the largest element of each row of the first output the label's) or a function ``metric(outputs, label)``
        that gives a number, or one for each row of the sample; more is better. ``outputs`` is a dict of arrays; without labels it is called as
        ``metric(outputs)``. For an error "max" (the default: over the largest magnitude of the output), "mse" (over the mean square) or
        "cosine" (1 less it).
    objective : {"latency", "throughput", "size"}
        What is made least of.
    time : float
        Seconds after which the search ends and takes the best that it has.
    allow_little_data : bool
        Whether a claim may rest on fewer samples than it needs; the result says so.
    seed : int
        Of the split of the samples.
    rtol, atol, scaled_atol : float
        How far an answer of the fp32 rewrites may be from the baseline's: ``atol + scaled_atol * max|baseline| + rtol * |baseline|``.
    seconds : float
        How long to time baseline against result, in seconds.
    pass_seconds : float
        How long to time each pass, in seconds; 0 times none.
    tuning : Tuning, optional
        Has kernels timed before they are chosen, where this does not know them (``Tuning()`` knows none), for the baseline and for every form that is
        tried; ``result.tuning`` has the winners. Without it the cost model chooses.
    kernel_seconds : float
        How long to time each kernel.

    Examples
    --------
    >>> result = ox.Optimizer(threads=2).optimize("model.onnx", data=[{"x": x}])
    >>> print(result)
    >>> result.model.save("model.opt.onnx")
    >>> result = ox.Optimizer(max_accuracy_drop=0.005).optimize("model.onnx", images, labels)
    """

    def __init__(
        self,
        threads: int = 0,
        *,
        max_accuracy_drop: float | None = None,
        max_error: float | None = None,
        metric: str | Callable[..., Any] | None = None,
        objective: Literal["latency", "throughput", "size"] = "latency",
        time: float = 600.0,
        allow_little_data: bool = False,
        seed: int = 0,
        rtol: float = 1e-3,
        atol: float = 1e-7,
        scaled_atol: float = 1e-4,
        seconds: float = 2.0,
        pass_seconds: float = 0.5,
        tuning: Tuning | None = None,
        kernel_seconds: float = 0.2,
    ) -> None:
        if metric is not None and max_accuracy_drop is None and max_error is None:
            raise ValueError("a metric belongs to a budget: give max_accuracy_drop or max_error")
        if metric is not None and not callable(metric) and not isinstance(metric, str):
            raise TypeError(f"metric must be a name or a function, found {type(metric).__name__}")
        self.threads = threads
        self.max_accuracy_drop = max_accuracy_drop
        self.max_error = max_error
        self.metric = metric
        self.objective = objective
        self.time = time
        self.allow_little_data = allow_little_data
        self.seed = seed
        self.rtol = rtol
        self.atol = atol
        self.scaled_atol = scaled_atol
        self.seconds = seconds
        self.pass_seconds = pass_seconds
        self.tuning = tuning
        self.kernel_seconds = kernel_seconds

    def optimize(
        self,
        model: Any,
        data: Mapping[str, Any] | Iterable[Mapping[str, Any] | Any] | str | os.PathLike[str] | None = None,
        labels: Iterable[Any] | str | None = None,
        *,
        batch: int = 1,
        state: str | os.PathLike[str] | None = None,
        recipe: Mapping[str, Any] | None = None,
        progress: Callable[[str, float], object] | bool | None = None,
        check: bool = True,
    ) -> OptimizationResult:
        """Optimises a model; the model given is not changed.

        Parameters
        ----------
        model : Model, str, os.PathLike, bytes-like or binary file
            A model, or whatever ``load`` takes on its own.
        data : dict, iterable of dicts or arrays, or path, optional
            Sample inputs: the answers are proven on all of them, the first one is timed. A dict is one sample; for a model of one input an array stands
            for the dict. An array given as ``data`` is one sample, but with a budget it holds many along its first axis. The iterable (a DataLoader,
            say) is read to its end; its items may be pairs of sample and label. A path is read as ``optix optimize --data`` reads it.
            None draws as many samples from the model's types and shapes as are needed.
        labels : iterable, or str, optional
            With a budget, a label for each sample or for each row of the samples; or the key under which a sample has its own.
        batch : int
            Rows of a sample, where ``data`` is one array or file and the model leaves them open.
        state : path, optional
            A file that keeps what a search found out, so that it goes on where it was ended; it is deleted when the search is over.
        recipe : mapping, optional
            The ``recipe`` of an earlier result: applied, proven and measured in the place of a search.
        progress : callable, bool, optional
            Called with (stage, done) on this thread, done from 0 to 1 within the stage; what it raises ends the optimisation. None shows a bar when stderr is a
            terminal, True always, False never.
        check : bool
            Whether a failed proof of the fp32 rewrites raises. With False the result is handed out and says so in ``holds``.

        Returns
        -------
        OptimizationResult

        Raises
        ------
        ProofFailedError
            The rewritten model does not give the answers of its baseline; ``error.result`` has the details, and no model is handed out.
        NotEnoughDataError
            There are too few samples for what the budget claims.
        InvalidInputError, TypeError
            A sample does not fit the model.
        """
        model = load(model)
        has_budget = self.max_accuracy_drop is not None or self.max_error is not None
        if not has_budget and (labels is not None or state is not None or recipe is not None):
            raise ValueError("labels, state and recipe belong to a budget: give max_accuracy_drop or max_error")
        if data is None and self.max_accuracy_drop is not None:
            raise ValueError("max_accuracy_drop needs data: nothing can be said of accuracy on drawn inputs")
        samples, own = _samples(model, data, labels if isinstance(labels, str) else None, batch, has_budget)
        if own is not None and labels is not None and not isinstance(labels, str):
            raise ValueError("the samples have labels of their own; leave labels out")
        if own is None and labels is not None:
            own = _cut(list(labels), samples)
        tolerance = (self.rtol, self.atol, self.scaled_atol)
        budget = self._budget(own, state, recipe) if has_budget else None
        named = None if own is None or callable(self.metric) else [_integers(label) for label in own]
        with show("optimising", progress) as told:
            native, text, plan, won = _native.optimize(
                model._native, samples, self.threads, tolerance, self.seconds, self.pass_seconds, told, budget, named, native_of(self.tuning), self.kernel_seconds
            )
        result = OptimizationResult.of(Model(native), json.loads(text), text, plan and json.loads(plan), model.name, won and Tuning._of(won))
        if check and not result.holds:
            failed = next(output for output in result.proof.outputs if output.problem is not None)
            error = _native.ProofFailedError(f"the optimised model does not give the answers of its baseline: output '{failed.output}', {failed.problem}")
            error.result = result.without_model()  # type: ignore[attr-defined]
            raise error
        return result

    def _budget(self, labels: list[Any] | None, state: Any, recipe: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            "max_accuracy_drop": self.max_accuracy_drop,
            "max_error": self.max_error,
            "metric": _scoring(self.metric, labels) if callable(self.metric) else self.metric,
            "objective": self.objective,
            "time": self.time,
            "allow_little_data": self.allow_little_data,
            "seed": self.seed,
            "state": None if state is None else os.fspath(state),
            "recipe": None if recipe is None else json.dumps(dict(recipe)),
        }

    def __repr__(self) -> str:
        budget = "".join(f"{name}={value}, " for name, value in (("max_accuracy_drop", self.max_accuracy_drop), ("max_error", self.max_error)) if value is not None)
        return f"Optimizer(threads={self.threads}, {budget}rtol={self.rtol}, atol={self.atol}, scaled_atol={self.scaled_atol}, seconds={self.seconds}, pass_seconds={self.pass_seconds})"


def _samples(model: Model, data: Any, key: str | None, batch: int, has_budget: bool) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """The samples, and their labels where they have some."""
    if data is None:
        return [model.sample(seed) for seed in range(80 if has_budget else 3)], None
    if isinstance(data, (str, os.PathLike)):
        return list(_native.samples(model._native, os.fspath(data), batch)), None
    if has_budget and _is_array(data) and len(model.inputs) == 1:
        data = [data[at : at + batch] for at in range(0, len(data), batch)]
    elif isinstance(data, Mapping) or _is_array(data):
        data = [data]
    samples, labels = [], []
    for item in data:
        sample, label = item if isinstance(item, tuple) and len(item) == 2 and has_budget else (item, None)
        sample = _sample(model, sample)
        if key is not None:
            if key not in sample:
                raise KeyError(f"a sample has no '{key}' for its label; it has {', '.join(map(repr, sample))}")
            label = sample.pop(key)
        samples.append(sample)
        if label is not None:
            labels.append(label)
    if labels and len(labels) != len(samples):
        raise ValueError(f"{len(labels)} of {len(samples)} samples have a label; all or none must")
    return samples, labels or None


def _cut(labels: list[Any], samples: list[dict[str, Any]]) -> list[Any]:
    """A label for each sample, from one for each sample or for each of their rows."""
    if len(labels) == len(samples):
        return labels
    rows = [len(next(iter(sample.values()))) for sample in samples]
    if len(labels) != sum(rows):
        raise ValueError(f"there are {len(labels)} labels; the data has {len(samples)} samples of {sum(rows)} rows")
    at, cut = 0, []
    for count in rows:
        cut.append(labels[at : at + count])
        at += count
    return cut


def _integers(label: Any) -> Any:
    """A label as an array of integers."""
    if _is_array(label) and getattr(label, "shape", (1,)) != ():
        return label
    try:
        return array.array("q", (int(value) for value in (label if hasattr(label, "__len__") else (label,))))
    except (TypeError, ValueError) as error:
        raise TypeError(f"a label must be an integer or an array of them, found {type(label).__name__}") from error


def _scoring(metric: Callable[..., Any], labels: list[Any] | None) -> Callable[[int, dict[str, Any]], tuple[float, ...]]:
    def score(index: int, outputs: dict[str, Any]) -> tuple[float, ...]:
        scored = metric(outputs) if labels is None else metric(outputs, labels[index])
        try:
            return tuple(float(value) for value in scored)
        except TypeError:
            return (float(scored),)

    return score


def _sample(model: Model, item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return dict(item)
    if len(model.inputs) != 1:
        names = ", ".join(f"'{value.name}'" for value in model.inputs)
        raise TypeError(f"a sample must be a dict with {names}, found {type(item).__name__}")
    return {model.inputs[0].name: item}


def _is_array(data: Any) -> bool:
    return hasattr(data, "__dlpack__") or isinstance(data, memoryview) or hasattr(data, "__array__")
