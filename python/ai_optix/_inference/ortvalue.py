"""Values that a caller keeps between runs."""

from __future__ import annotations

import ctypes

import numpy as np

from .. import _arrays
from .._native import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# ONNX's numbers of element types.
_NUMBERS = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "complex128": 15,
    "bfloat16": 16,
    "float8e4m3fn": 17,
    "float8e4m3fnuz": 18,
    "float8e5m2": 19,
    "float8e5m2fnuz": 20,
    "uint4": 21,
    "int4": 22,
    "float4e2m1": 23,
    "float8e8m0": 24,
    "uint2": 25,
    "int2": 26,
}
_NAMES = {number: name for name, number in _NUMBERS.items()}
_BITS = {"int4": 4, "uint4": 4, "float4e2m1": 4, "int2": 2, "uint2": 2, "bfloat16": 16}
_WORDS = {"float32": "float", "float64": "double"}


def dtype_name(element_type: Any) -> str:
    """Our name of a NumPy type, or of ONNX's number of a type."""
    if isinstance(element_type, (int, np.integer)):
        if int(element_type) not in _NAMES:
            raise ValueError(f"ONNX has no element type {element_type}")
        return _NAMES[int(element_type)]
    if isinstance(element_type, str) and element_type in _NUMBERS:
        return element_type
    return _arrays.dtype_name(np.dtype(element_type))


def check_device(device_type: str, device_id: int = 0) -> None:
    """Fails unless the device is the CPU."""
    if device_type.lower() != "cpu":
        raise ValueError(f"there is no device '{device_type}'; ai_optix runs on 'cpu'")


def at(address: int, element_type: Any, shape: Sequence[int]) -> Any:
    """An array, or a Tensor for dtypes that NumPy lacks, over memory that the caller keeps alive."""
    name = dtype_name(element_type)
    bits = _BITS.get(name) or (8 if name.startswith("float8") else 0)
    count = int(np.prod(shape, dtype=np.int64))
    size = (count * bits + 7) // 8 if bits else count * np.dtype(name).itemsize
    if size == 0:
        return np.empty(tuple(shape), name) if not bits else _arrays.from_bits(b"", name, tuple(shape))
    memory = (ctypes.c_ubyte * size).from_address(address)
    return _arrays.from_bits(memory, name, tuple(shape)) if bits else np.frombuffer(memory, name).reshape(shape)


class OrtValue:
    """A tensor, or a sequence or map, in main memory, that runs take as input and give as output without a copy."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    @staticmethod
    def ortvalue_from_numpy(numpy_obj: np.ndarray[Any, Any], device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """Over the array's own memory; a strided or byte-swapped array is copied."""
        check_device(device_type, device_id)
        array = np.asarray(numpy_obj)
        if array.dtype.kind in "biufc":
            array = np.require(array, array.dtype.newbyteorder("="), "C")
        return OrtValue(array)

    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data: np.ndarray[Any, Any], onnx_element_type: int) -> OrtValue:
        """Over the array's own memory, its bytes taken for elements of ONNX's number of a type."""
        name = dtype_name(onnx_element_type)
        bits = _BITS.get(name) or (8 if name.startswith("float8") else 8 * np.dtype(name).itemsize)
        if bits != 8 * data.dtype.itemsize:
            raise ValueError(f"elements of {name} have {bits} bits, those of the array {8 * data.dtype.itemsize}")
        return OrtValue(_arrays.from_bits(np.ascontiguousarray(data).reshape(-1).view(np.uint8), name, data.shape))

    @staticmethod
    def ortvalue_from_shape_and_type(shape: Sequence[int], element_type: Any = np.float32, device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """Fresh memory. element_type is a NumPy type or ONNX's number of one."""
        check_device(device_type, device_id)
        name = dtype_name(element_type)
        if name in _BITS or name.startswith("float8"):
            count = int(np.prod(shape, dtype=np.int64))
            return OrtValue(_arrays.from_bits(np.zeros((count * _BITS.get(name, 8) + 7) // 8, np.uint8), name, tuple(shape)))
        return OrtValue(np.empty(tuple(shape), object if name == "string" else name))

    @staticmethod
    def from_dlpack(data: Any, is_bool_tensor: bool = False) -> OrtValue:
        """Over the memory of an object with ``__dlpack__``. is_bool_tensor takes bytes for booleans."""
        array = _arrays.wrap(_arrays.from_dlpack(data))
        return OrtValue(array.view(np.bool_) if is_bool_tensor else array)

    def numpy(self) -> np.ndarray[Any, Any]:
        """An array over the value's memory; what NumPy has no dtype for is widened into a copy.

        Raises
        ------
        RuntimeError
            The value is no tensor.
        """
        if not self.is_tensor():
            raise RuntimeError("only a tensor can be had as an array")
        return _arrays.to_numpy(self._value)

    def shape(self) -> list[int]:
        """The extents of a tensor."""
        return list(self._tensor().shape)

    def data_type(self) -> str:
        """The type in ONNX's words: ``"tensor(float)"``."""
        if not self.is_tensor():
            return "sequence" if self.is_tensor_sequence() else "map"
        name = self._dtype()
        return f"tensor({_WORDS.get(name, name)})"

    def element_type(self) -> int:
        """ONNX's number of the element type."""
        return _NUMBERS[self._dtype()]

    def has_value(self) -> bool:
        """False for an empty optional."""
        return self._value is not None

    def is_tensor(self) -> bool:
        return isinstance(self._value, (np.ndarray, Tensor))

    def is_tensor_sequence(self) -> bool:
        return isinstance(self._value, (list, tuple))

    def is_sparse_tensor(self) -> bool:
        return False

    def device_name(self) -> str:
        """``"cpu"``."""
        return "cpu"

    def data_ptr(self) -> int:
        """The address of the first byte."""
        tensor = self._tensor()
        return tensor.address if isinstance(tensor, Tensor) else tensor.ctypes.data

    def tensor_size_in_bytes(self) -> int:
        """Bytes of element data."""
        return self._tensor().nbytes

    def update_inplace(self, np_arr: np.ndarray[Any, Any]) -> None:
        """Copies an array of the same dtype and shape into the value's memory.

        Raises
        ------
        ValueError
            The dtype or the shape differs.
        """
        target = self._tensor()
        if isinstance(target, Tensor):
            source = np.ascontiguousarray(np_arr).reshape(-1).view(np.uint8)
            if source.nbytes != target.nbytes:
                raise ValueError(f"the value holds {target.nbytes} bytes of {target.dtype}, found {source.nbytes}")
            np.asarray(target)[...] = source
            return
        if np_arr.shape != target.shape or np_arr.dtype != target.dtype:
            raise ValueError(f"the value is {target.dtype}{list(target.shape)}, found {np_arr.dtype}{list(np_arr.shape)}")
        target[...] = np_arr

    def _tensor(self) -> Any:
        if not self.is_tensor():
            raise RuntimeError("the value is no tensor")
        return self._value

    def _dtype(self) -> str:
        tensor = self._tensor()
        return tensor.dtype if isinstance(tensor, Tensor) else _arrays.dtype_name(tensor.dtype)
