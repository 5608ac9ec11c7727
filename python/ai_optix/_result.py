"""What an optimisation changed, what it gained, and the proof."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ._model import Model
from ._tables import duration, html, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Speed:
    """A paired comparison of two models.

    Attributes
    ----------
    baseline_seconds, optimized_seconds : float
        Medians, in seconds a run.
    ratio : float
        How many times as fast the optimised model is.
    low, high : float
        The 95 % interval of the ratio.
    pairs : int
        How many pairs of runs it rests on.
    """

    baseline_seconds: float
    optimized_seconds: float
    ratio: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.ratio:.2f}x (95 % {self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Patch:
    """A rewrite that was applied: its number, the pass that proposed it, in words, and the nodes before and after."""

    index: int
    name: str
    description: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class PassGain:
    """A pass: its name, how many patches it made, and the speed with it against that without it; None when it was not timed."""

    name: str
    patches: int
    speed: Speed | None


@dataclass(frozen=True)
class OutputProof:
    """How far an output is from the baseline's over all samples.

    Attributes
    ----------
    output : str
    max_absolute, max_scaled : float or None
        The largest error, and the same in units of the largest value; None when it is not finite.
    cosine : float or None
        Between both answers.
    problem : str or None
        Why it does not hold; None when it does.
    """

    output: str
    max_absolute: float | None
    max_scaled: float | None
    cosine: float | None
    problem: str | None


@dataclass(frozen=True)
class Proof:
    """Whether the answers hold, on how many samples, and the figures of each output."""

    holds: bool
    samples: int
    outputs: tuple[OutputProof, ...]


@dataclass(frozen=True, repr=False)
class OptimizationResult:
    """The outcome of an optimisation; ``print`` shows it as tables.

    Attributes
    ----------
    model : Model
        The optimised model; ``result.model.save(path)`` writes standard ONNX.
    patches : tuple of Patch
        The rewrites, in order.
    passes : tuple of PassGain
        What each pass gained.
    proof : Proof
    speed : Speed
        Against the baseline: the same file, no rewrites, the same kernels and threads.
    threads : int
        Threads that were timed with.
    nodes_before, nodes_after : int
    stopped : bool
        Whether rewriting was stopped before its end.
    """

    model: Model
    patches: tuple[Patch, ...]
    passes: tuple[PassGain, ...]
    proof: Proof
    speed: Speed
    threads: int
    nodes_before: int
    nodes_after: int
    stopped: bool

    @property
    def holds(self) -> bool:
        """Whether the model gives the answers of its baseline."""
        return self.proof.holds

    @classmethod
    def of(cls, model: Model, found: dict[str, Any]) -> OptimizationResult:
        """From the form that ``optix optimize --json`` writes."""
        return cls(
            model=model,
            patches=tuple(Patch(p["index"], p["pass"], p["description"], tuple(p["before"]), tuple(p["after"])) for p in found["patches"]),
            passes=tuple(PassGain(p["pass"], p["patches"], p["speed"] and Speed(**p["speed"])) for p in found["passes"]),
            proof=Proof(found["proof"]["holds"], found["proof"]["samples"], tuple(OutputProof(**o) for o in found["proof"]["outputs"])),
            speed=Speed(**found["speed"]),
            threads=found["threads"],
            nodes_before=found["nodes_before"],
            nodes_after=found["nodes_after"],
            stopped=found["stopped"],
        )

    def without_model(self) -> OptimizationResult:
        """The same with None in the place of the model."""
        return replace(self, model=None)

    def __str__(self) -> str:
        return "\n".join(
            [
                self._headline(),
                *(text(_PASSES, self._pass_rows()) if self.passes else ["  no rewrite applied"]),
                f"Answers against the baseline ({self.proof.samples} samples)",
                *text(_OUTPUTS, self._output_rows()),
                self._footline(),
            ]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(self._headline(), _PASSES, self._pass_rows()) + html(self._footline(), _OUTPUTS, self._output_rows())

    def _headline(self) -> str:
        return f"{self.nodes_before} nodes to {self.nodes_after}{', stopped early' if self.stopped else ''}"

    def _footline(self) -> str:
        times = f"{duration(self.speed.baseline_seconds)} to {duration(self.speed.optimized_seconds)}"
        return f"Speed against the baseline: {self.speed}, {times}, {self.speed.pairs} pairs on {self.threads} threads"

    def _pass_rows(self) -> list[tuple[object, ...]]:
        return [(p.name, p.patches, p.speed or "not timed") for p in self.passes]

    def _output_rows(self) -> list[tuple[object, ...]]:
        return [
            (o.output, _short(o.max_absolute), _short(o.max_scaled), "" if o.cosine is None else f"{o.cosine:.8f}", "holds" if o.problem is None else f"FAILS: {o.problem}")
            for o in self.proof.outputs
        ]


_PASSES = ("pass", ">patches", "speed with it")
_OUTPUTS = ("output", ">largest error", ">of its largest value", ">cosine", "")


def _short(value: float | None) -> str:
    return "not finite" if value is None else "0" if value == 0 else f"{value:.1e}"
