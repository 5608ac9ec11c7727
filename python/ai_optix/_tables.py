"""Tables for terminals and notebooks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table. A column whose header starts with ``>`` is aligned to the right."""
    cells = [[name.lstrip(">") for name in header], *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  " + "  ".join(cell.rjust(width) if name.startswith(">") else cell.ljust(width) for cell, width, name in zip(row, widths, header)).rstrip()
        for row in cells
    ]


def html(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a caption; everything in it is escaped."""
    from html import escape

    head = "".join(f"<th>{escape(name.lstrip('>'))}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td{_align(name)}>{escape(str(cell))}</td>' for name, cell in zip(header, row)) + "</tr>" for row in rows
    )
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _align(name: str) -> str:
    return ' style="text-align:right"' if name.startswith(">") else ""


def duration(seconds: float) -> str:
    """Seconds in a unit that a person reads: ``1.25 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e9:.3g} ns"
