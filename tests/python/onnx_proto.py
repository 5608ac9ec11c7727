"""As much of ONNX's protobuf as the tests write and read: small models, and recorded tensors."""

import numpy as np

# name: (ONNX's number, dtype of its raw bytes)
TYPES = {
    "float32": (1, "<f4"),
    "uint8": (2, "u1"),
    "int8": (3, "i1"),
    "uint16": (4, "<u2"),
    "int16": (5, "<i2"),
    "int32": (6, "<i4"),
    "int64": (7, "<i8"),
    "string": (8, "O"),
    "bool": (9, "?"),
    "float16": (10, "<f2"),
    "float64": (11, "<f8"),
    "uint32": (12, "<u4"),
    "uint64": (13, "<u8"),
    "complex64": (14, "<c8"),
    "complex128": (15, "<c16"),
    "bfloat16": (16, None),
    "float8e4m3fn": (17, None),
    "float8e4m3fnuz": (18, None),
    "float8e5m2": (19, None),
    "float8e5m2fnuz": (20, None),
    "uint4": (21, None),
    "int4": (22, None),
    "float4e2m1": (23, None),
    "uint2": (25, None),
    "int2": (26, None),
}
DTYPES = {number: dtype for number, dtype in TYPES.values()}


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _fields(*pairs):
    return b"".join(_field(number, value) for number, value in pairs)


def tensor(name, array):
    """A TensorProto of an array that NumPy has a dtype for."""
    number = next(n for n, d in TYPES.values() if d not in (None, "O") and np.dtype(d) == array.dtype)
    return _fields(*((1, d) for d in array.shape), (2, number), (8, name), (9, array.tobytes()))


def tensor_type(dtype, shape):
    """A TypeProto: shape of ints and names, None for an open rank."""
    axes = b"" if shape is None else _field(2, b"".join(_field(1, _field(1, d) if isinstance(d, int) else _field(2, d)) for d in shape))
    return _field(1, _field(1, TYPES[dtype][0]) + axes)


def sequence_type(dtype, shape):
    return _field(4, _field(1, tensor_type(dtype, shape)))


def optional_type(dtype, shape):
    return _field(9, _field(1, tensor_type(dtype, shape)))


def _value(name, kind):
    return _fields((1, name), (2, kind if isinstance(kind, bytes) else tensor_type(*kind)))


def _attribute(name, value):
    if isinstance(value, bool | int):
        return _fields((1, name), (3, int(value)), (20, 2))
    if isinstance(value, str):
        return _fields((1, name), (4, value), (20, 3))
    if isinstance(value, bytes):
        return _fields((1, name), (6, value), (20, 5))
    return _fields((1, name), *((8, v) for v in value), (20, 7))


def node(operator, inputs, outputs, domain="", **attributes):
    """A NodeProto; attributes are ints, str, lists of ints, or a graph's bytes."""
    return _fields(
        *((1, i) for i in inputs), *((2, o) for o in outputs), (4, operator), *((5, _attribute(n, v)) for n, v in attributes.items()), (7, domain)
    )


def graph(nodes, inputs, outputs, initializers=(), name="test"):
    """A GraphProto; inputs and outputs map names to (dtype, shape) or a type's bytes."""
    return _fields(
        *((1, n) for n in nodes),
        (2, name),
        *((5, tensor(n, a)) for n, a in dict(initializers).items()),
        (10, "its graph"),
        *((11, _value(n, k)) for n, k in inputs.items()),
        *((12, _value(n, k)) for n, k in outputs.items()),
    )


def model(nodes, inputs, outputs, initializers=(), opset=21, ir_version=10):
    """A ModelProto."""
    return _fields((1, ir_version), (2, "tests"), (4, "org.tests"), (5, 7), (6, "a model of the tests"), (8, _fields((1, ""), (2, opset))), (7, graph(nodes, inputs, outputs, initializers)))


def identity(dtype, shape, operator="Identity", **attributes):
    """A model y = operator(x)."""
    return model([node(operator, ["x"], ["y"], **attributes)], {"x": (dtype, shape)}, {"y": (dtype, shape)})


def products(count, rows="N"):
    """A model y = x w w … w of matrices with 400 columns."""
    weight = (np.random.default_rng(0).standard_normal((400, 400)) / 20).astype(np.float32)
    names = ["x", *(f"x{i}" for i in range(1, count)), "y"]
    nodes = [node("MatMul", [names[i], "w"], [names[i + 1]]) for i in range(count)]
    return model(nodes, {"x": ("float32", [rows, 400])}, {"y": ("float32", [rows, 400])}, {"w": weight})


def read_tensor(data):
    """The array of a TensorProto in a recorded test."""
    dims, number, raw, fields = [], 1, None, {}
    for field, value in _parse(data):
        if field == 1:
            dims.extend(_packed(value))
        elif field == 2:
            number = value
        elif field == 9:
            raw = value
        elif field in (4, 5, 6, 7, 10, 11):
            fields.setdefault(field, []).append(value)
    if number == 8:
        return np.array([s.decode() for s in fields.get(6, [])], dtype=object).reshape(dims)
    dtype = np.dtype(DTYPES[number])
    if raw is None:
        (field, values) = next(iter(fields.items()), (4, []))
        if field in (4, 10):
            raw = b"".join(values)
        else:
            return np.array([i - (1 << 64) if i >> 63 else i for v in values for i in _packed(v)]).astype(dtype).reshape(dims)
    return np.frombuffer(raw, dtype).reshape(dims)


def _packed(value):
    if isinstance(value, int):
        return [value]
    values, at = [], 0
    while at < len(value):
        item, at = _read_varint(value, at)
        values.append(item)
    return values


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _parse(data):
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_varint(data, at)
        else:
            if kind == 2:
                length, at = _read_varint(data, at)
            else:
                length = 8 if kind == 1 else 4
            value = data[at : at + length]
            at += length
        yield key >> 3, value
