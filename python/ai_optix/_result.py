"""What an optimisation changed, what it gained, and the proof."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from . import _native
from ._model import Model
from ._tables import duration, html, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from ._tuning import Tuning


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


@dataclass(frozen=True)
class Candidate:
    """A form that a search looked at.

    Attributes
    ----------
    name : str
    verdict : str
        What became of it: "proven", "not faster than fp32", "over the budget" and the like.
    noise : float or None
        The mean squared error of its outputs against the baseline's over their mean square; None when it is not finite.
    drop : float or None
        The loss that the budget bounds, as seen on the search part of the samples.
    speed : Speed or None
        Against the best fp32 form; None when it was not timed.
    weight_bytes : int
    products : int
        How many products it quantises.
    proof : BudgetProof or None
        What the held-back samples show of it; None when they were not asked.
    """

    name: str
    verdict: str
    noise: float | None
    drop: float | None
    speed: Speed | None
    weight_bytes: int
    products: int
    proof: BudgetProof | None


@dataclass(frozen=True)
class BudgetProof:
    """What held-back samples show of a quantised form.

    Attributes
    ----------
    holds : bool
        Whether the budget holds.
    is_shown : bool
        Whether it holds by the worse end of the interval; False where less data than needed was allowed.
    metric : str
    is_error : bool
        Whether the metric is an error against the baseline's answers, which says nothing of accuracy.
    units, units_needed : int
        Held-back samples, or rows of such, and how many the claim needs.
    baseline_score, score : float or None
        Means; for an error 0 and the largest.
    lost, gained : int
        Answers that became wrong, and right.
    drop, worse_end, limit : float or None
        The loss that was seen, the worse end of its interval, and the budget.
    coverage : float
        For an error, the share of inputs that it holds for at least.
    confidence : float
    method : str
    """

    holds: bool
    is_shown: bool
    metric: str
    is_error: bool
    units: int
    units_needed: int
    baseline_score: float | None
    score: float | None
    lost: int
    gained: int
    drop: float | None
    worse_end: float | None
    coverage: float
    limit: float
    confidence: float
    method: str


@dataclass(frozen=True)
class Search:
    """A search within a budget.

    Attributes
    ----------
    summary : str
        What came of it.
    chosen : int or None
        Which candidate is handed out; None when it is the best fp32 form.
    candidates : tuple of Candidate
    attempts : tuple of int
        Which candidates were put to the proof, in order: from the mildest to the fastest, up to the first that failed.
    proof : BudgetProof or None
        Of the chosen one, or of the one that failed.
    calibration, search, held_back : int
        How many samples served what.
    seconds : float
    resumed : bool
        Whether it went on from a state file.
    """

    summary: str
    chosen: int | None
    candidates: tuple[Candidate, ...]
    attempts: tuple[int, ...]
    proof: BudgetProof | None
    calibration: int
    search: int
    held_back: int
    seconds: float
    resumed: bool

    @classmethod
    def of(cls, found: dict[str, Any]) -> Search:
        """From the form that ``optix optimize --json`` writes."""
        return cls(
            summary=found["summary"],
            chosen=found["chosen"],
            candidates=tuple(Candidate(**{**c, "speed": c["speed"] and Speed(**c["speed"]), "proof": c["proof"] and BudgetProof(**c["proof"])}) for c in found["candidates"]),
            attempts=tuple(found["attempts"]),
            proof=found["proof"] and BudgetProof(**found["proof"]),
            calibration=found["samples"]["calibration"],
            search=found["samples"]["search"],
            held_back=found["samples"]["held_back"],
            seconds=found["elapsed_seconds"],
            resumed=found["resumed"],
        )


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
    search : Search or None
        What a search within a budget did; None when there was no budget.
    recipe : dict or None
        What it decided, for ``Optimizer.optimize(recipe=...)`` here or elsewhere.
    tuning : Tuning or None
        The winners of an optimizer that tunes, for ``Session(result.model, tuning=result.tuning)``; None without ``Optimizer(tuning=...)``.
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
    search: Search | None = None
    recipe: dict[str, Any] | None = None
    tuning: Tuning | None = None
    _text: str = field(default="", compare=False)
    _name: str = field(default="", compare=False)

    @property
    def holds(self) -> bool:
        """Whether the model gives the answers of its baseline."""
        return self.proof.holds

    @classmethod
    def of(cls, model: Model, found: dict[str, Any], text: str = "", recipe: dict[str, Any] | None = None, name: str = "", tuning: Tuning | None = None) -> OptimizationResult:
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
            search=found["search"] and Search.of(found["search"]),
            recipe=recipe,
            tuning=tuning,
            _text=text,
            _name=name,
        )

    def save_report(self, path: str | os.PathLike[str]) -> None:
        """Writes the report as a page that asks the network for nothing."""
        page = _native.report(self._text, self._name, "ox.Optimizer(...).optimize(...)")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)

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
                *self._search_lines(),
                self._footline(),
            ]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(self._headline(), _PASSES, self._pass_rows()) + html(self._footline(), _OUTPUTS, self._output_rows())

    def _search_lines(self) -> list[str]:
        if self.search is None:
            return []
        lines = [f"Search ({self.search.calibration} samples to calibrate, {self.search.search} to search, {self.search.held_back} held back)", *text(_CANDIDATES, self._candidate_rows())]
        if (proof := self.search.proof) is not None:
            outcome = "proven" if proof.holds and proof.is_shown else "allowed, not proven" if proof.holds else "not proven"
            lines.append(f"  {outcome} on {proof.units} held-back: {_short(proof.drop)} lost, at worst {_short(proof.worse_end)}, allowed {_short(proof.limit)}")
        return [*lines, f"  {self.search.summary}"]

    def _candidate_rows(self) -> list[tuple[object, ...]]:
        assert self.search is not None
        return [(c.name, _short(c.noise), c.speed or "", "CHOSEN" if i == self.search.chosen else c.verdict) for i, c in enumerate(self.search.candidates)]

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
_CANDIDATES = ("form", ">noise", "over fp32", "")
_OUTPUTS = ("output", ">largest error", ">of its largest value", ">cosine", "")


def _short(value: float | None) -> str:
    return "not finite" if value is None else "0" if value == 0 else f"{value:.1e}"
