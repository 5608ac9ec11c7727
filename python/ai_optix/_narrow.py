"""Values of the types that NumPy lacks, to and from NumPy: bfloat16, floats of 8 and 4 bits, integers of 4 and 2 bits."""

from __future__ import annotations

import functools

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Array = np.ndarray[Any, Any]

# bits of exponent and of mantissa, exponent bias, what the codes beyond the finite numbers mean
_FLOATS = {
    "float8e4m3fn": (4, 3, 7, "fn"),
    "float8e4m3fnuz": (4, 3, 8, "fnuz"),
    "float8e5m2": (5, 2, 15, "ieee"),
    "float8e5m2fnuz": (5, 2, 16, "fnuz"),
    "float4e2m1": (2, 1, 1, "finite"),
}
_INTEGERS = {"int4": (4, True), "uint4": (4, False), "int2": (2, True), "uint2": (2, False)}


def encode(array: Array, dtype: str) -> Array:
    """The bytes of values rounded to a dtype, row-major and packed."""
    if dtype == "bfloat16":
        return _to_bfloat16(array)
    if dtype in _INTEGERS:
        return pack(array, dtype)
    if dtype != "float8e8m0" and dtype not in _FLOATS:
        raise ValueError(f"there is no element type '{dtype}'")
    return _join(_nearest(array, dtype), 4) if dtype == "float4e2m1" else _nearest(array, dtype)


def decode(data: Array, dtype: str, shape: tuple[int, ...]) -> Array:
    """The values of packed bytes: float32, int8 or uint8."""
    if dtype == "bfloat16":
        return (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
    count = int(np.prod(shape, dtype=np.int64))
    if dtype in _INTEGERS:
        bits, signed = _INTEGERS[dtype]
        codes = _split(data, bits, count)
        return (((codes << (8 - bits)).view(np.int8) >> (8 - bits)) if signed else codes).reshape(shape)
    codes = _split(data, 4, count) if dtype == "float4e2m1" else data
    return _values(dtype)[codes].reshape(shape)


def pack(array: Array, dtype: str) -> Array:
    """The bytes of 4-bit or 2-bit values, lowest bits first; of ml_dtypes arrays too, which spend a byte on each."""
    if dtype == "float4e2m1":
        return _join(np.ascontiguousarray(array).reshape(-1).view(np.uint8), 4)
    bits, signed = _INTEGERS[dtype]
    wide = array.astype(np.int64)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if wide.size and (wide.min() < low or wide.max() > high or not np.array_equal(wide, array)):
        raise ValueError(f"not every value of the array fits {dtype} ({low} to {high})")
    return _join((wide & (1 << bits) - 1).astype(np.uint8).reshape(-1), bits)


def _join(codes: Array, bits: int) -> Array:
    each = 8 // bits
    padded = np.zeros(-(-codes.size // each) * each, np.uint8)
    padded[: codes.size] = codes
    shifts = np.arange(each, dtype=np.uint8) * bits
    return np.bitwise_or.reduce(padded.reshape(-1, each) << shifts, axis=1).astype(np.uint8)


def _split(data: Array, bits: int, count: int) -> Array:
    shifts = np.arange(8 // bits, dtype=np.uint8) * bits
    return ((data.reshape(-1, 1) >> shifts) & (1 << bits) - 1).astype(np.uint8).reshape(-1)[:count]


def _to_bfloat16(array: Array) -> Array:
    bits = np.ascontiguousarray(array, np.float32).reshape(-1).view(np.uint32)
    rounded = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where((bits & 0x7FFFFFFF) > 0x7F800000, (bits >> 16 | 0x40).astype(np.uint16), rounded)


@functools.cache
def _values(dtype: str) -> Array:
    """The value of every code."""
    if dtype == "float8e8m0":
        with np.errstate(over="ignore"):
            values = np.ldexp(np.float32(1), np.arange(256, dtype=np.int32) - 127).astype(np.float32)
        values[255] = np.nan
        return values
    exponent_bits, mantissa_bits, bias, specials = _FLOATS[dtype]
    half = 1 << exponent_bits + mantissa_bits
    codes = np.arange(half)
    exponent, mantissa = codes >> mantissa_bits, codes & (1 << mantissa_bits) - 1
    fraction = mantissa / (1 << mantissa_bits)
    positive = np.where(exponent == 0, np.ldexp(fraction, 1 - bias), np.ldexp(1 + fraction, exponent - bias))
    if specials == "ieee":
        positive[exponent == (1 << exponent_bits) - 1] = np.nan
        positive[(1 << exponent_bits) - 1 << mantissa_bits] = np.inf
    elif specials == "fn":
        positive[-1] = np.nan
    values = np.concatenate([positive, -positive]).astype(np.float32)
    if specials == "fnuz":
        values[half] = np.nan
    return values


def _nearest(array: Array, dtype: str) -> Array:
    values = _values(dtype).astype(np.float64)
    codes = np.flatnonzero(np.isfinite(values) & ~np.signbit(values))
    known = values[codes]
    given = np.asarray(array, np.float64).reshape(-1)
    unsigned = dtype == "float8e8m0"
    if unsigned and (given < 0).any():
        raise ValueError("float8e8m0 has no negative values")
    size = np.minimum(np.nan_to_num(np.abs(given), nan=0.0, posinf=known[-1]), known[-1])
    above = np.clip(np.searchsorted(known, size), 1, known.size - 1)
    down, up = size - known[above - 1], known[above] - size
    take_up = (up < down) | ((up == down) & (codes[above] % 2 == 0))
    code = np.where(take_up, codes[above], codes[above - 1])
    if not unsigned:
        code = np.where(np.signbit(given) & ((code != 0) | (not dtype.endswith("fnuz"))), code | values.size // 2, code)
    nan = np.flatnonzero(np.isnan(values))
    if np.isnan(given).any():
        if not nan.size:
            raise ValueError(f"{dtype} has no NaN")
        code = np.where(np.isnan(given), nan[0], code)
    return code.astype(np.uint8)
