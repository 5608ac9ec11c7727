"""Arrays to tensors and back. The native module calls ``wrap`` on every tensor that a run returns, ``prepare`` on awkward inputs."""

from __future__ import annotations

import sys

import numpy as np

from . import _native
from ._native import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Names of ml_dtypes that differ from ours.
_ML_NAMES = {
    "float8_e4m3fn": "float8e4m3fn",
    "float8_e4m3fnuz": "float8e4m3fnuz",
    "float8_e5m2": "float8e5m2",
    "float8_e5m2fnuz": "float8e5m2fnuz",
    "float8_e8m0fnu": "float8e8m0",
    "float4_e2m1fn": "float4e2m1",
}
_ML_WHOLE = {"bfloat16": "bfloat16", **{ours: theirs for theirs, ours in _ML_NAMES.items() if ours != "float4e2m1"}}
_PACKED = ("int4", "uint4", "float4e2m1", "int2", "uint2")
_NUMPY = {np.dtype(letter).name for letter in "?bhiqBHIQefdFD"}

_asarray = np.asarray


def wrap(lent: Tensor) -> Any:
    """What a run returns for a tensor: an array over its memory, an array of str, or the tensor where NumPy has no dtype for it."""
    array = _asarray(lent)
    return array if array.dtype.char not in "BO" else _wrap_rare(lent, array)


def _wrap_rare(lent: Tensor, array: np.ndarray[Any, Any]) -> Any:
    dtype = lent.dtype
    if dtype == "uint8":
        return array
    if dtype == "string":
        return _strings(lent)
    ml_dtypes = sys.modules.get("ml_dtypes")
    if ml_dtypes is None or dtype not in _ML_WHOLE:
        return lent
    return array.view(getattr(ml_dtypes, _ML_WHOLE[dtype])).reshape(lent.shape)


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Our name of an element type of NumPy's or ml_dtypes'."""
    return "string" if dtype.kind in "USO" else _ML_NAMES.get(dtype.name, dtype.name)


def is_tensor(value: Any) -> bool:
    """Whether a result of a run is a tensor, not a sequence, a map or nothing."""
    return isinstance(value, (np.ndarray, Tensor))


def prepare(source: Any, dtype: str | None, what: str) -> tuple[Any, bool]:
    """What can be borrowed in place of an input that cannot, and whether that took a copy. what names the input in messages."""
    if dtype == "string":
        return _from_strings(source, what), False
    if not isinstance(source, np.ndarray) and hasattr(source, "__dlpack__") and hasattr(source, "contiguous"):
        return _native.from_dlpack(source.contiguous()), True
    array = _asarray(source)
    name = dtype_name(array.dtype)
    if name in _PACKED:
        from . import _narrow

        return _native.from_buffer(_narrow.pack(array, name), name, array.shape), True
    if array.dtype.kind == "V" and name in _ML_WHOLE:
        whole = np.ascontiguousarray(array).reshape(array.shape)
        bits = whole.reshape(-1).view(np.uint8)
        return _native.from_buffer(bits, name, array.shape), not np.shares_memory(whole, array)
    if name not in _NUMPY:
        raise TypeError(f"{what}: an array of dtype {array.dtype} has no element type of ONNX{'' if dtype is None else f'; expected {dtype}'}")
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C"), True


def tensor(array: Any, dtype: Any = None) -> Tensor:
    """A tensor of an array, for dtypes that NumPy lacks and to keep memory held.

    Parameters
    ----------
    array : array_like
        An array or anything that NumPy makes one of.
    dtype : str or numpy.dtype, optional
        An element type of ONNX: ``"float32"``, ``"bfloat16"``, ``"float8e4m3fn"``, ``"int4"``, ``"string"``, … None keeps the array's own.

    Returns
    -------
    Tensor
        Over the array's own memory where it has the dtype already and is contiguous, else over a converted copy. Floats are
        rounded to the nearest value of the narrower type, ties to even; in types without infinity, and in all 8-bit and 4-bit floats, what is
        too large becomes the largest finite value (as ONNX's Cast does).

    Raises
    ------
    ValueError
        An integer does not fit the dtype, or the dtype is unknown.
    TypeError
        The array's own dtype is none of ONNX's.
    """
    if not isinstance(dtype, (str, type(None))):
        dtype = dtype_name(np.dtype(dtype))
    if isinstance(array, Tensor):
        if dtype is None or dtype == array.dtype:
            return array
        array = to_numpy(array)
    if dtype == "string" or (dtype is None and _is_text(array)):
        return _from_strings(array)
    array = _asarray(array)
    name = dtype_name(array.dtype)
    if dtype is None or dtype == name:
        return _own(array)
    if dtype == "bfloat16" or dtype in _PACKED or dtype.startswith("float8"):
        from . import _narrow

        return _native.from_buffer(_narrow.encode(array, dtype), dtype, array.shape)
    if dtype not in _NUMPY:
        raise ValueError(f"there is no element type '{dtype}'")
    wanted = np.dtype(dtype)
    converted = array.astype(wanted)
    if wanted.kind in "iu" and not np.array_equal(converted, array):
        raise ValueError(f"not every value of the array fits {dtype}")
    return _own(converted)


def from_bits(buffer: Any, dtype: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor over raw memory: the bytes of its elements, row-major, packed where several share one.

    Parameters
    ----------
    buffer : bytes-like
        A C-contiguous exporter of the buffer protocol; it is held, not copied, and read-only if it is.
    dtype : str
        An element type of ONNX. 4-bit types lie two a byte, low nibble first; 2-bit types four a byte, lowest bits first.
    shape : tuple of int
        The extents in elements.

    Raises
    ------
    ValueError
        The buffer has not exactly the bytes that the shape takes.
    """
    return _native.from_buffer(buffer, dtype, tuple(shape))


def from_dlpack(source: Any) -> Tensor:
    """A tensor over the memory of an object with ``__dlpack__``, on the CPU and contiguous; nothing is copied."""
    return _native.from_dlpack(source)


def to_numpy(source: Any) -> np.ndarray[Any, Any]:
    """An array of a tensor's values.

    Types that NumPy has come without a copy, strings as an array of str. bfloat16 and the narrow floats widen to float32, 4-bit and
    2-bit integers to int8 or uint8; both are exact.
    """
    array = wrap(source) if isinstance(source, Tensor) else _asarray(source)
    if not isinstance(array, Tensor):
        return array
    from . import _narrow

    return _narrow.decode(_asarray(array), array.dtype, array.shape)


def _own(array: np.ndarray[Any, Any]) -> Tensor:
    # The buffer protocol says "strided" and "byte-swapped" as failures; what it takes is borrowed.
    if array.flags.c_contiguous and array.dtype.isnative and array.dtype.kind in "biufc":
        return _native.from_buffer(array, None, None)
    prepared, _ = prepare(array, None, "array")
    return prepared if isinstance(prepared, Tensor) else _native.from_buffer(prepared, None, None)


def _strings(lent: Tensor) -> np.ndarray[Any, Any]:
    strings = lent.strings()
    array = np.empty(len(strings), dtype=object)
    array[:] = strings
    return array.reshape(lent.shape)


def _is_text(source: Any) -> bool:
    return isinstance(source, (str, bytes)) or _asarray(source).dtype.kind in "US"


def _from_strings(source: Any, what: str = "array") -> Tensor:
    array = source if isinstance(source, np.ndarray) else np.array(source, dtype=object)
    if array.dtype.kind not in "USO":
        raise TypeError(f"{what} must be an array of strings (str, bytes or object), found {array.dtype}")
    items = [item.decode("utf-8") if isinstance(item, bytes) else item for item in array.reshape(-1).tolist()]
    for item in items:
        if not isinstance(item, str):
            raise TypeError(f"{what} must be an array of strings, found {type(item).__name__} among its elements")
    return _native.from_strings(items, array.shape)


_native.configure(wrap, prepare)
