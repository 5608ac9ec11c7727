"""Transforms of samples, applied by the workers of a ``DataLoader``.

Each works on one field, the first unless ``field`` names another. They run in C#, without the GIL; a function of your own runs under it.

>>> import ai_optix as ox
>>> t = ox.transforms
>>> steps = [t.resize(256, crop=224), t.normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

__all__ = ["Transform", "cast", "center_crop", "channels_first", "normalize", "random_crop", "random_flip", "reshape", "resize", "seeded"]


class Transform:
    """A transform that runs in C#, or a function that is given the sample's seed.

    Attributes
    ----------
    spec : dict
        What the native loader is told.
    function : callable or None
        A function of the sample and its seed.
    """

    __slots__ = ("function", "spec")

    def __init__(self, spec: Mapping[str, Any], function: Callable[[dict[str, Any], int], Any] | None = None) -> None:
        self.spec = dict(spec)
        self.function = function

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.spec.items() if key != "kind" and value is not None)
        return f"{self.spec['kind']}({told})"


def resize(size: int | tuple[int, int], *, crop: int | None = None, field: str | None = None) -> Transform:
    """Resizes images, uint8 [height, width, channels], by an antialiased bilinear filter.

    Parameters
    ----------
    size : int or (int, int)
        The length of the shorter side, the ratio kept; or height and width.
    crop : int, optional
        The side of a square that is cut from the middle; only that is computed.
    field : str, optional
        The field; None takes the first.
    """
    height, width = (size, None) if isinstance(size, numbers.Integral) else size
    return Transform({"kind": "resize", "height": int(height), "width": None if width is None else int(width), "crop": crop, "field": field})


def center_crop(height: int, width: int | None = None, *, field: str | None = None) -> Transform:
    """Cuts the middle from images."""
    return Transform({"kind": "center_crop", "height": height, "width": height if width is None else width, "field": field})


def random_crop(height: int, width: int | None = None, *, field: str | None = None) -> Transform:
    """Cuts a window from a place of images that is drawn from the sample's own seed."""
    return Transform({"kind": "random_crop", "height": height, "width": height if width is None else width, "field": field})


def random_flip(probability: float = 0.5, *, field: str | None = None) -> Transform:
    """Turns images left to right with a probability, drawn from the sample's own seed."""
    return Transform({"kind": "random_flip", "probability": probability, "field": field})


def normalize(
    mean: float | Sequence[float],
    std: float | Sequence[float],
    *,
    scale: float | None = None,
    channels_first: bool = True,
    field: str | None = None,
) -> Transform:
    """``(x * scale - mean) / std`` as float32.

    Parameters
    ----------
    mean, std : float or sequence of float
        One for all, or one for each channel.
    scale : float, optional
        None scales bytes by 1/255 and leaves floats as they are.
    channels_first : bool
        Whether images come out as [channels, height, width].
    field : str, optional
        The field, uint8 or float32; None takes the first.
    """
    means, deviations = ([float(v) for v in (x if isinstance(x, Iterable) else [x])] for x in (mean, std))
    return Transform({"kind": "normalize", "mean": means, "std": deviations, "scale": scale, "channels_first": channels_first, "field": field})


def channels_first(*, field: str | None = None) -> Transform:
    """[height, width, channels] to [channels, height, width], the dtype kept."""
    return Transform({"kind": "channels_first", "field": field})


def reshape(*shape: int, field: str | None = None) -> Transform:
    """The same elements under another shape; one extent may be -1."""
    return Transform({"kind": "reshape", "shape": list(shape), "field": field})


def cast(dtype: Any, *, field: str | None = None) -> Transform:
    """Converts the elements: floats round to nearest even, floats become integers by cutting the fraction off."""
    import numpy as np

    return Transform({"kind": "cast", "dtype": dtype if isinstance(dtype, str) else np.dtype(dtype).name, "field": field})


def seeded(function: Callable[[dict[str, Any], int], Any]) -> Transform:
    """A function of a sample (a dict of arrays) and its own seed, which gives a dict. Draw from that seed alone, and the order of workers does not show."""
    return Transform({"kind": "call", "seeded": True}, function)
