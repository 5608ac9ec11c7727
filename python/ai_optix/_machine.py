"""The machine that this process stands on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from . import _native
from ._tables import html, text


@dataclass(frozen=True)
class Machine:
    """What the machine is, and how much of it this process may use.

    Attributes
    ----------
    processor, system, runtime : str
    instruction_sets : tuple of str
    logical_cores, physical_cores : int
    quota : float or None
        Cores that the cgroup grants; None when it does not bound them.
    default_threads : int
        Threads that a session takes when it is not told.
    memory_bytes : int
        Memory that the machine or its cgroup grants, in bytes.
    """

    processor: str
    system: str
    runtime: str
    instruction_sets: tuple[str, ...]
    logical_cores: int
    physical_cores: int
    quota: float | None
    default_threads: int
    memory_bytes: int

    def __str__(self) -> str:
        return "\n".join(text(("machine", ""), self._rows()))

    def _repr_html_(self) -> str:
        return html("Machine", ("", ""), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        shown = {**asdict(self), "instruction_sets": " ".join(self.instruction_sets), "quota": "none" if self.quota is None else f"{self.quota:g} cores"}
        return [(name.replace("_", " "), str(value)) for name, value in shown.items()]


def machine() -> Machine:
    """What the machine is, and how much of it this process may use."""
    found = json.loads(_native.machine())
    found["instruction_sets"] = tuple(found["instruction_sets"])
    return Machine(**found)
