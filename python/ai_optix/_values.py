"""What a model says about its inputs and outputs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Value:
    """An input or output of a model.

    Attributes
    ----------
    name : str
    dtype : str or None
        The element type: ``"float32"``, ``"bfloat16"``, ``"string"``. NumPy takes the names of the types that it has. None when the
        value is a sequence, a map or an optional.
    shape : tuple or None
        For each axis an int, or the name of an open extent. None when even the rank is open.
    type : str
        The type in ONNX's words: ``"tensor(float)"``, ``"seq(tensor(int64))"``.
    """

    __slots__ = ("dtype", "name", "shape", "type")

    def __init__(self, name: str, dtype: str | None, shape: tuple[int | str | None, ...] | None, type: str) -> None:
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.type = type

    def __str__(self) -> str:
        if self.dtype is None:
            return f"{self.name}: {self.type}"
        axes = "…" if self.shape is None else ", ".join("?" if axis is None else str(axis) for axis in self.shape)
        return f"{self.name}: {self.dtype}[{axes}]"

    def __repr__(self) -> str:
        return f"Value({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.name, self.dtype, self.shape, self.type


def signature(inputs: Iterable[Value], outputs: Iterable[Value]) -> str:
    """Inputs and outputs on one line."""
    return f"({', '.join(map(str, inputs))}) -> ({', '.join(map(str, outputs))})"


def rows(inputs: Iterable[Value], outputs: Iterable[Value]) -> list[tuple[str, str, str, str]]:
    """Inputs and outputs as rows of a table: kind, name, type, shape."""
    return [
        (kind, value.name, value.dtype or value.type, "" if value.shape is None else " × ".join(map(str, value.shape)) or "scalar")
        for kind, values in (("input", inputs), ("output", outputs))
        for value in values
    ]
