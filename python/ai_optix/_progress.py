"""How long work shows how far it is."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 24


class Bar:
    """A bar on a terminal, gone when the work is over.

    Parameters
    ----------
    title : str
        What stands in front of it.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.length = 0

    def __call__(self, stage: str, done: float) -> None:
        full = round(min(max(done, 0.0), 1.0) * WIDTH)
        self._show(f"{self.title} [{'#' * full}{'.' * (WIDTH - full)}] {100 * done:3.0f} % {stage}")

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._show("")

    def _show(self, line: str) -> None:
        sys.stderr.write(f"\r{line.ljust(self.length)}\r" if not line else f"\r{line.ljust(self.length)}")
        sys.stderr.flush()
        self.length = len(line)


class Callback:
    """A function of the user's in the place of a bar.

    Parameters
    ----------
    function : callable or None
        Called with (stage, done), done from 0 to 1 within the stage; None shows nothing.
    """

    def __init__(self, function: Callable[[str, float], object] | None) -> None:
        self.function = function

    def __enter__(self) -> Callable[[str, float], object] | None:
        return self.function

    def __exit__(self, *_: object) -> None:
        pass


def show(title: str, progress: Callable[[str, float], object] | bool | None) -> Bar | Callback:
    """A context that gives what to call: the user's own function, a bar where stderr is a terminal (or True asks for one), else nothing."""
    if callable(progress):
        return Callback(progress)
    wanted = progress if isinstance(progress, bool) else sys.stderr is not None and sys.stderr.isatty()
    return Bar(title) if wanted else Callback(None)
