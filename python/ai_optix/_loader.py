"""The data loader."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from . import _native
from .data import Named, Source, source_of
from .transforms import Transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._model import Limits


class LoadError(NamedTuple):
    """A sample that could not be read.

    Attributes
    ----------
    index : int
        Which one.
    reason : str
        Where it comes from, and why.
    replacement : int or None
        The sample that took its place.
    """

    index: int
    reason: str
    replacement: int | None


class DataLoader:
    """Reads samples in batches, with threads of this process.

    The order is a function of seed, epoch and sample alone: the same for any number of workers. Each ``for`` loop is one epoch; one that runs to its end
    moves on to the next, one that is broken off begins the same epoch again, unless a state is loaded. Batches are dicts of arrays on recycled memory, which
    is never overwritten while anybody holds it.

    Parameters
    ----------
    source : str, path, list of those, array, mapping, sequence, iterable, or Source
        Files by name, folder or pattern (.npy, .npz, .safetensors, images); an array whose first axis counts samples; a mapping of field names to arrays or
        NPY files; a sequence (``len`` and ``[i]``) or iterable of dicts, arrays or tuples; or what ``ox.data`` makes.
    batch_size : int or None
        Samples a batch. None gives samples one by one, without a batch axis; they may have different shapes.
    shuffle : bool
        Whether each epoch has an order of its own.
    seed : int
        The seed of orders and of random transforms.
    workers : int, optional
        Threads that read; 0 reads when a batch is asked for, None takes what the machine grants. Never changes what is read.
    prefetch : int
        Batches that are read ahead. With the one in hand they bound the memory, whatever the number of workers.
    drop_last : bool
        Whether a last batch that is not full is left out.
    shard : (int, int)
        (rank, world): this is one of ``world`` loaders that share the samples. Rank r takes positions r, r + world, … of the common order.
    shard_end : {"pad", "drop"}
        Ranks always have as many batches: those that would have a sample less take one from the beginning again, or the last round is left out.
    on_error : {"raise", "skip", "replace"}
        What becomes of a sample that cannot be read: ``SampleError``; its batch is shorter; the next one that can be read takes its place.
    transform : Transform, callable, or list of those
        Applied to each sample by the workers: those of ``ox.transforms``, or functions of a dict of arrays that give a dict.
    names : str or sequence of str, optional
        Names of the fields where the source has none: "x" of one, "x" and "y" of two.
    per : {"row", "file"}
        Whether the first axis of a file counts samples, or each file is one.
    limits : Limits, optional
        Bounds on what files may ask for, see ``load``.

    Attributes
    ----------
    epoch : int
        The epoch that comes next, or is going on.
    indices : list of int
        The sample of each row of the last batch.
    errors : list of LoadError
        The samples that could not be read, the first thousand.
    error_count : int
        How many there were.
    classes : tuple of str
        The names of the classes of images in folders.

    Examples
    --------
    >>> loader = ox.DataLoader("data/*.npy", batch_size=32, shuffle=True, seed=7, workers=4)
    >>> for batch in loader:
    ...     session.run(batch)
    >>> state = loader.state_dict()
    """

    __slots__ = ("__weakref__", "_native", "_reader")

    def __init__(
        self,
        source: Any,
        *,
        batch_size: int | None = 1,
        shuffle: bool = False,
        seed: int = 0,
        workers: int | None = None,
        prefetch: int = 2,
        drop_last: bool = False,
        shard: tuple[int, int] = (0, 1),
        shard_end: str = "pad",
        on_error: str = "raise",
        transform: Transform | Callable[[dict[str, Any]], Any] | Iterable[Transform | Callable[[dict[str, Any]], Any]] | None = None,
        names: str | Sequence[str] | None = None,
        per: str = "row",
        limits: Limits | None = None,
    ) -> None:
        opened = source_of(source, names=names, per=per)
        objects = list(opened.objects)
        rank, world = shard
        options = {
            "batch_size": None if batch_size is None else int(batch_size),
            "shuffle": bool(shuffle),
            "seed": int(seed),
            "workers": None if workers is None else int(workers),
            "prefetch": int(prefetch),
            "drop_last": bool(drop_last),
            "rank": int(rank),
            "world": int(world),
            "shard_end": shard_end,
            "on_error": on_error,
            "transforms": [_transform(t, objects) for t in _listed(transform)],
        }
        self._native = _native.Loader.create(json.dumps(opened.spec), json.dumps(options), objects, limits)
        self._reader: _native.Reader | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        reader = self._reader = self._native.begin()
        process = os.getpid()
        try:
            while (batch := reader.next()) is not None:
                yield batch
        finally:
            # A forked child that drops its copy of a loop has no threads to stop.
            if os.getpid() == process:
                reader.stop()

    def __len__(self) -> int:
        """Batches an epoch."""
        count = self._native.count
        if count is None:
            raise TypeError("an iterable does not say how many samples it has")
        return count

    @property
    def epoch(self) -> int:
        return self._native.epoch

    @property
    def indices(self) -> list[int]:
        return [] if self._reader is None else self._reader.indices

    @property
    def errors(self) -> list[LoadError]:
        return [LoadError(*error) for error in self._native.errors]

    @property
    def error_count(self) -> int:
        return self._native.error_count

    @property
    def classes(self) -> tuple[str, ...]:
        return self._native.classes

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: behind the last batch that was handed out. Small, and JSON can hold it."""
        return json.loads(self._native.state())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Has the next loop go on where a state was taken, also with another number of workers.

        Raises
        ------
        InvalidInputError
            The state is damaged, or belongs to other data or options; all differences are named.
        """
        self._native.load_state(json.dumps(dict(state)))


def _listed(transform: Any) -> list[Any]:
    if transform is None:
        return []
    return list(transform) if isinstance(transform, (list, tuple)) else [transform]


def _transform(transform: Any, objects: list[Any]) -> dict[str, Any]:
    if not isinstance(transform, Transform):
        if not callable(transform):
            raise TypeError(f"a transform must be one of ox.transforms or a function, found {type(transform).__name__}")
        transform = Transform({"kind": "call", "seeded": False}, transform)
    if (function := transform.function) is None:
        return transform.spec
    named = Named(None)

    def called(*arguments: Any) -> dict[str, Any]:
        made = function(*arguments)
        if not isinstance(made, Mapping):
            raise TypeError(f"a transform must give a dict of arrays, found {type(made).__name__}")
        return named(made)

    objects.append(called)
    return {**transform.spec, "object": len(objects) - 1}


__all__ = ["DataLoader", "LoadError", "Source"]
