"""Tuned kernels: what won when it was timed on this machine."""

from __future__ import annotations

import os
import warnings
from typing import NamedTuple

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class KernelTime(NamedTuple):
    """A problem whose kernels were timed.

    Attributes
    ----------
    problem : str
        A product or convolution and its shape, as ``optix bench --kernels`` writes it.
    pick : str
        The kernel that the cost model picks.
    kernel : str
        The winner: the pick, or a kernel whose speed ratio to the pick has its whole 95 % interval above 1.
    ratio, low, high : float
        How many times as fast as the pick the winner is, and the 95 % interval.
    """

    problem: str
    pick: str
    kernel: str
    ratio: float
    low: float
    high: float


class Tuning:
    """Which kernels won when they were timed (``Model.tune``). ``Session``, ``Model.save_compiled`` and ``Optimizer`` take it.

    Winners are good for one CPU and one build of AI Optix; a session whose model has other problems leaves those to the cost model.

    Parameters
    ----------
    winners : mapping of str to str, optional
        Winning kernels by problem, known beforehand. What is no problem or none of its kernels is not used.

    Attributes
    ----------
    winners : dict of str to str
        The winning kernel of each problem.
    timed : tuple of KernelTime
        What ``Model.tune`` timed, in order; empty otherwise.

    Examples
    --------
    >>> tuning = ox.load("model.onnx").tune()
    >>> session = ox.Session("model.onnx", tuning=tuning)
    >>> tuning.save()
    >>> session = ox.Session("model.onnx", tuning=ox.Tuning.load())
    """

    __slots__ = ("_native", "timed")

    def __init__(self, winners: Mapping[str, str] | None = None) -> None:
        self._native = _native.Tuning.of(dict(winners or {}))
        self.timed: tuple[KernelTime, ...] = ()

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Tuning:
        """Reads winners that were saved here, or by ``optix tune``.

        Entries of another CPU or build are left out, a damaged file is not used, and one that is not there has none: each with a ``RuntimeWarning``.

        Parameters
        ----------
        path : str or os.PathLike, optional
            The file; ``ai-optix/kernels.json`` in the user's cache folder when it is left out.
        """
        tuning = cls._of(_native.Tuning.load(None if path is None else os.fspath(path)))
        for notice in tuning._native.notices:
            warnings.warn(notice, RuntimeWarning, stacklevel=2)
        return tuning

    def save(self, path: str | os.PathLike[str] | None = None) -> str:
        """Writes the winners into a file, beside those of other CPUs that it holds; gives its path.

        Parameters
        ----------
        path : str or os.PathLike, optional
            The file; ``ai-optix/kernels.json`` in the user's cache folder when it is left out.

        Raises
        ------
        OSError
            It cannot be written.
        """
        return self._native.save(None if path is None else os.fspath(path))

    @property
    def winners(self) -> dict[str, str]:
        return dict(self._native.winners)

    @classmethod
    def _of(cls, native: _native.Tuning, timed: tuple[tuple[str, str, str, float, float, float], ...] = ()) -> Tuning:
        tuning = cls.__new__(cls)
        tuning._native = native
        tuning.timed = tuple(KernelTime(*row) for row in timed)
        return tuning

    def __len__(self) -> int:
        return len(self._native.winners)

    def __repr__(self) -> str:
        return f"Tuning({len(self)} problems, {sum(t.kernel != t.pick for t in self.timed)} of {len(self.timed)} timed with another kernel than the cost model's)"


def native_of(tuning: Tuning | None) -> _native.Tuning | None:
    """What the C# side takes."""
    if tuning is not None and not isinstance(tuning, Tuning):
        raise TypeError(f"tuning must be a Tuning (Tuning.load() reads one), found {type(tuning).__name__}")
    return None if tuning is None else tuning._native
