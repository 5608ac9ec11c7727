"""Sources of samples for a ``DataLoader``.

Paths are files, folders, patterns (``*`` and ``?`` within a name, ``**`` for folders at any depth) or lists of those, and stand for files in the order of their names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ._arrays import tensor
from ._native import Tensor

__all__ = ["Source", "arrays", "csv", "images", "iterable", "jsonl", "npy", "npz", "open", "raw", "safetensors", "sequence", "side_by_side"]

_Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


class Source:
    """What a loader reads.

    Attributes
    ----------
    spec : dict
        What the native loader is told.
    objects : tuple
        The Python objects that it refers to by number.
    """

    __slots__ = ("objects", "spec")

    def __init__(self, spec: Mapping[str, Any], objects: Iterable[Any] = ()) -> None:
        self.spec = dict(spec)
        self.objects = tuple(objects)

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.spec.items() if key != "kind" and value is not None)
        return f"{self.spec['kind']}({told})"


def open(paths: _Paths, *, name: str = "x", per: str = "row") -> Source:
    """Files of a kind that their ending tells: .npy, .npz, .safetensors, or images."""
    return Source({"kind": "open", "paths": _paths(paths), "name": name, "per": per})


def npy(paths: _Paths, *, name: str = "x", per: str = "row") -> Source:
    """NPY files as field ``name``. ``per="row"``: the first axis counts samples, files are mapped; ``per="file"``: each file is one sample, opened when it is read."""
    return Source({"kind": "npy", "paths": _paths(paths), "name": name, "per": per})


def npz(paths: _Paths, *, names: Sequence[str] | None = None, per: str = "row") -> Source:
    """NPZ archives; each member is a field. Archives of rows are unpacked into memory."""
    return Source({"kind": "npz", "paths": _paths(paths), "names": None if names is None else list(names), "per": per})


def safetensors(paths: _Paths, *, names: Sequence[str] | None = None, per: str = "row") -> Source:
    """Safetensors files, mapped; each tensor is a field."""
    return Source({"kind": "safetensors", "paths": _paths(paths), "names": None if names is None else list(names), "per": per})


def raw(paths: _Paths, dtype: Any, shape: Sequence[int], *, name: str = "x", offset: int = 0) -> Source:
    """Raw little-endian elements, sample after sample of ``shape``, behind ``offset`` bytes; mapped."""
    return Source({"kind": "raw", "paths": _paths(paths), "dtype": _dtype(dtype), "shape": list(shape), "name": name, "offset": offset})


def csv(paths: _Paths, fields: Mapping[str, Any], *, separator: str | None = None, header: bool = True) -> Source:
    """Tables of text.

    Parameters
    ----------
    paths : str, path or list
        The files.
    fields : mapping
        For each field a column, a list of columns (a vector), or (columns, dtype); float32 without a dtype. Columns of a file without a header are "0", "1", …
    separator : str, optional
        None finds it out from the first line.
    header : bool
        Whether the first line names the columns.
    """
    return Source({"kind": "csv", "paths": _paths(paths), "fields": _fields(fields), "separator": separator, "header": header})


def jsonl(paths: _Paths, fields: Mapping[str, Any]) -> Source:
    """JSON Lines: for each field a property, a list of properties, or (properties, dtype). Nested lists become axes."""
    return Source({"kind": "jsonl", "paths": _paths(paths), "fields": _fields(fields)})


def images(paths: _Paths, *, name: str = "image", label: str | None = None, labels: Sequence[int] | None = None, channels: str = "rgb") -> Source:
    """Images as uint8 [height, width, channels], decoded when they are read.

    Parameters
    ----------
    paths : str, path or list
        Files, folders, patterns. With ``label`` alone: one folder that holds a folder for each class.
    name : str
        The field of the pixels.
    label : str, optional
        The field of the class, int64: the number of the class's folder, by name.
    labels : sequence of int, optional
        The class of each file, in the order of the files, instead of folders.
    channels : {"rgb", "bgr", "grey"}
    """
    given = None if labels is None else [int(v) for v in labels]
    return Source({"kind": "images", "paths": _paths(paths), "name": name, "label": label if given is None else label or "label", "labels": given, "channels": channels})


def arrays(fields: Mapping[str, Any]) -> Source:
    """Arrays whose first axis counts samples; they are borrowed where they are contiguous."""
    return Source({"kind": "arrays", "names": [str(key) for key in fields]}, [tensor(value) for value in fields.values()])


def sequence(samples: Any, *, names: str | Sequence[str] | None = None) -> Source:
    """Anything with ``len()`` and ``[i]``, which gives dicts, arrays, or tuples of arrays. Workers call it under the GIL."""
    named = Named(names)
    return Source({"kind": "function", "count": len(samples), "object": 0}, [lambda index: named(samples[index])])


def iterable(samples: Iterable[Any], *, names: str | Sequence[str] | None = None) -> Source:
    """Any iterable of dicts, arrays, or tuples of arrays, pulled in its order; each epoch iterates anew."""
    named = Named(names)

    def begin(epoch: int) -> Callable[[], Any]:
        iterator = iter(samples)
        if epoch > 0 and iterator is samples:
            raise ValueError("the iterable is an iterator, which can be read once; give something that begins anew, a list or an object whose __iter__ makes an iterator")
        end = object()

        def pull() -> Any:
            item = next(iterator, end)
            return None if item is end else named(item)

        return pull

    return Source({"kind": "iterable", "object": 0}, [begin])


def side_by_side(*sources: Source) -> Source:
    """Sources of as many samples each: a sample has the fields of all."""
    specs, objects = [], []
    for source in sources:
        specs.append(shifted(source.spec, len(objects)))
        objects += source.objects
    return Source({"kind": "zip", "parts": specs}, objects)


def source_of(given: Any, *, names: str | Sequence[str] | None, per: str) -> Source:
    """What a loader was given, as a source."""
    name = names if isinstance(names, str) else None
    if isinstance(given, Source):
        return given
    if isinstance(given, (str, os.PathLike)) or (isinstance(given, (list, tuple)) and given and all(isinstance(p, (str, os.PathLike)) for p in given)):
        return open(given, name=name or "x", per=per)
    if isinstance(given, Mapping):
        parts = [npy(value, name=key, per=per) if isinstance(value, (str, os.PathLike, list)) else arrays({key: value}) for key, value in given.items()]
        return parts[0] if len(parts) == 1 else side_by_side(*parts)
    if isinstance(given, (np.ndarray, Tensor)) or hasattr(given, "__dlpack__"):
        return arrays({name or "x": given})
    if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        return sequence(given, names=names)
    if isinstance(given, Iterable):
        return iterable(given, names=names)
    raise TypeError(f"data must be paths, arrays, a mapping of those, a sequence or an iterable of samples, or a source of ox.data; found {type(given).__name__}")


class Named:
    """Makes a dict of arrays of what a user's sequence, iterable or function gives."""

    def __init__(self, names: str | Sequence[str] | None) -> None:
        self.names = (names,) if isinstance(names, str) else None if names is None else tuple(names)

    def __call__(self, item: Any) -> dict[str, Any]:
        if isinstance(item, Mapping):
            return {key: value_of(value) for key, value in item.items()}
        values = item if isinstance(item, tuple) else (item,)
        names = self.names or (("x",), ("x", "y"))[min(len(values), 2) - 1]
        if len(names) != len(values):
            raise ValueError(f"a sample has {len(values)} values; name them: names=({', '.join(map(repr, names))}) names {len(names)}")
        return {name: value_of(value) for name, value in zip(names, values, strict=True)}


def value_of(value: Any) -> Any:
    """An array of a value of a sample."""
    if isinstance(value, (np.ndarray, Tensor)):
        return tensor(value) if isinstance(value, np.ndarray) and value.dtype.kind in "USO" else value
    if isinstance(value, (str, bytes)):
        return tensor(np.array(value))
    return value if hasattr(value, "__dlpack__") else np.asarray(value)


def shifted(spec: Mapping[str, Any], by: int) -> dict[str, Any]:
    """A spec whose objects have moved in the list."""
    moved = dict(spec)
    if moved["kind"] == "arrays":
        moved["first"] = moved.get("first", 0) + by
    if "object" in moved:
        moved["object"] += by
    if "parts" in moved:
        moved["parts"] = [shifted(part, by) for part in moved["parts"]]
    return moved


def _paths(paths: _Paths) -> list[str]:
    return [os.fspath(paths)] if isinstance(paths, (str, os.PathLike)) else [os.fspath(path) for path in paths]


def _dtype(dtype: Any) -> str:
    return dtype if isinstance(dtype, str) else np.dtype(dtype).name


def _fields(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, given in fields.items():
        columns, dtype = given if isinstance(given, tuple) else (given, "float32")
        found.append({"name": name, "columns": [columns] if isinstance(columns, str) else list(columns), "dtype": "string" if dtype is str else _dtype(dtype)})
    return found
