"""What CPython expects of an exporter of the buffer protocol."""

import ctypes
import gc

import numpy as np
import onnx_proto as onnx
import pytest

import ai_optix as ox

SIMPLE, WRITABLE, FORMAT, ND, STRIDES = 0, 1, 4, 8, 0x18
C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS, INDIRECT = 0x38, 0x58, 0x98, 0x118
FULL_RO, FULL, CONTIG, CONTIG_RO, RECORDS, STRIDED = 0x11C, 0x11D, 9, 8, 0x1D, 0x19


class Buffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


def get(exporter, flags):
    view = Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(exporter), ctypes.byref(view), ctypes.c_int(flags))
    return view


def release(view):
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))


def lent(shape=(2, 3, 4)):
    """A tensor of the engine's own memory, as a run lends it."""
    session = ox.Session(onnx.identity("float32", list(shape), "Relu"), threads=1)
    array = session.run({"x": np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)})["y"]
    return array.base.obj if isinstance(array.base, memoryview) else array.base


@pytest.mark.parametrize("flags", [SIMPLE, FORMAT, ND, STRIDES, C_CONTIGUOUS, ANY_CONTIGUOUS, INDIRECT, FULL_RO, FULL, CONTIG, CONTIG_RO, RECORDS, STRIDED])
@pytest.mark.parametrize("extra", [0, WRITABLE])
def test_flags(flags, extra):
    tensor = lent()
    view = get(tensor, flags | extra)
    assert view.buf == tensor.address
    assert view.obj == id(tensor)
    assert (view.len, view.itemsize, view.readonly, view.ndim) == (96, 4, 0, 3)
    assert view.format == (b"f" if flags & FORMAT else None)
    assert [view.shape[i] for i in range(3)] == [2, 3, 4] if flags & ND else not view.shape
    assert [view.strides[i] for i in range(3)] == [48, 16, 4] if flags & STRIDES == STRIDES else not view.strides
    assert not view.suboffsets
    release(view)
    assert view.obj is None


def test_fortran_order_is_refused_unless_it_is_the_same():
    tensor = lent()
    with pytest.raises(BufferError, match="Fortran"):
        get(tensor, F_CONTIGUOUS)
    vector = lent((1, 5, 1))
    release(get(vector, F_CONTIGUOUS))


def test_a_refused_view_has_no_owner():
    tensor = ox.tensor(b"x", "string")
    view = Buffer()
    view.obj = 1
    with pytest.raises(BufferError, match="strings"):
        ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(tensor), ctypes.byref(view), ctypes.c_int(SIMPLE))
    assert view.obj is None


def test_read_only_memory_stays_read_only():
    source = np.arange(4, dtype=np.float32)
    source.flags.writeable = False
    tensor = ox.tensor(source)
    assert tensor.readonly
    with pytest.raises(BufferError, match="read-only"):
        get(tensor, WRITABLE)
    assert memoryview(tensor).readonly
    assert not np.asarray(tensor).flags.writeable
    assert ox.tensor(b"abcd" and np.frombuffer(b"abcd", np.uint8)).readonly


@pytest.mark.parametrize("backwards", [False, True])
def test_release_order(backwards):
    tensor = lent()
    views = [memoryview(tensor) for _ in range(5)]
    for i, view in enumerate(reversed(views) if backwards else views):
        assert view.tolist()[0][0][0] == 1
        view.release()
        with pytest.raises(ValueError, match="released"):
            view.tolist()
        assert all(later.nbytes == 96 for later in (views[: 4 - i] if backwards else views[i + 1 :]))


def test_a_view_outlives_the_tensor_and_the_session():
    view = memoryview(lent())
    gc.collect()
    assert view.format == "f"
    assert view.shape == (2, 3, 4)
    assert view[1, 2, 3] == 24
    assert view.obj.shape == (2, 3, 4)


def test_memoryview_behaves():
    view = memoryview(lent())
    assert (view.ndim, view.itemsize, view.nbytes, view.strides, view.c_contiguous, view.f_contiguous) == (3, 4, 96, (48, 16, 4), True, False)
    view[0, 0, 0] = 7.0
    flat = view.cast("B").cast("f")
    assert flat[0] == 7.0
    assert bytes(view) == np.asarray(view).tobytes()
    assert view == np.asarray(view)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (1, 1)])
def test_scalars_and_empty_tensors(shape):
    session = ox.Session(onnx.identity("float32", list(shape)), threads=1)
    array = session.run({"x": np.full(shape, 3, np.float32)})["y"]
    assert array.shape == shape
    assert (array == 3).all()
    tensor = ox.tensor(np.full(shape, 3, np.float32))
    assert tensor.shape == shape
    assert memoryview(tensor).shape == shape
    assert np.asarray(tensor).tolist() == np.full(shape, 3, np.float32).tolist()


@pytest.mark.parametrize(
    ("dtype", "letter"),
    [(k, np.dtype(k).char) for k in ("float32", "float64", "float16", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "complex64", "complex128")]
    + [("int64", "q"), ("uint64", "Q")],
)
def test_letters(dtype, letter):
    tensor = ox.tensor(np.zeros(3, dtype))
    assert tensor.dtype == dtype
    assert memoryview(tensor).format == {"F": "Zf", "D": "Zd"}.get(letter, letter)
    assert np.asarray(tensor).dtype == dtype


def test_what_is_borrowed_is_held():
    memory = bytearray(16)
    tensor = ox.from_bits(memory, "float32", (4,))
    with pytest.raises(BufferError):
        memory.extend(b"more")
    del tensor
    memory.extend(b"more")


def test_a_buffer_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="takes 16 bytes, the buffer holds 12"):
        ox.from_bits(bytearray(12), "float32", (4,))
    with pytest.raises(ValueError, match="no element type 'float31'"):
        ox.from_bits(bytearray(12), "float31", (3,))
