using System.Runtime.InteropServices;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>Tensors over the memory of Python objects, and values of ONNX's other kinds from Python's.</summary>
internal static unsafe class Borrowing
{
    /// <summary>A tensor over an exporter of the buffer protocol, which is held until the tensor lets go.</summary>
    /// <param name="o">The exporter.</param>
    /// <param name="type">The element type of its bytes; null takes what the exporter says.</param>
    /// <param name="shape">The shape; null takes the exporter's.</param>
    /// <returns>The tensor, whether it may not be written, and the object that the buffer holds, borrowed.</returns>
    /// <exception cref="BufferException">It is strided or byte-swapped.</exception>
    public static (Tensor Tensor, bool IsReadOnly, nint Owner) FromBuffer(nint o, DType? type = null, Shape? shape = null)
    {
        var view = (PyBuffer*)NativeMemory.AllocZeroed((nuint)sizeof(PyBuffer));
        try
        {
            if (PyApi.GetBuffer(o, view, PyBuffer.ContiguousC | PyBuffer.Format) < 0) throw Refused();
            var found = DTypeFormat.Of(view->Letters, view->ItemSize, out var swapped);
            if (swapped) throw new BufferException("the array's bytes are in the other order than this machine's");
            if (type is null && found == DType.Undefined)
                throw new ArgumentTypeException($"an array of format '{Marshal.PtrToStringUTF8((nint)view->Letters)}' ({view->ItemSize} bytes an element) has no element type of ONNX");
            var extents = shape ?? new Shape(Extents(view));
            var t = type ?? found;
            if (t.ByteLength(extents.Count) != view->Length)
                throw new ArgumentException($"{t.Name()}{extents} takes {t.ByteLength(extents.Count)} bytes, the buffer holds {view->Length}");
            var kept = view;
            var tensor = Tensor.Borrow(view->Pointer, t, extents, () => Deferred.Release(kept));
            var (isReadOnly, owner) = (view->ReadOnly != 0, view->Owner);
            view = null;
            return (tensor, isReadOnly, owner);
        }
        finally
        {
            if (view != null) Deferred.ReleaseNow(view);
        }
    }

    /// <summary>
    /// A value for an input or output: a Tensor, an exporter of the buffer protocol or of DLPack; lists for sequences, dicts for maps, None for empty optionals.
    /// What cannot be borrowed in place (strided, byte-swapped, of strings) goes through the public layer's <c>prepare</c>.
    /// </summary>
    /// <param name="o">The object.</param>
    /// <param name="type">What the model expects; null when it does not say.</param>
    /// <param name="what">Its name for messages: <c>input 'x'</c>.</param>
    /// <param name="mayCopy">Whether a copy is allowed.</param>
    /// <param name="copies">Counts copies.</param>
    public static RuntimeValue Value(nint o, GraphType? type, string what, bool mayCopy, ref long copies)
    {
        if (PyTensor.Type.Is(o)) return PyTensor.Object(o).Tensor.Share();
        if (type is OptionalType optional) return new OptionalValue(Py.IsNone(o) ? null : Value(o, optional.Element, what, mayCopy, ref copies));
        if (type is MapType map) return Map(o, map, what);
        if (type is SequenceType sequence)
        {
            if (!Py.IsList(o) && !Py.IsTuple(o)) throw new ArgumentTypeException($"{what} must be a list ({sequence}), found {Py.TypeName(o)}");
            var items = new RuntimeValue[PyApi.SequenceSize(o)];
            for (var i = 0; i < items.Length; i++)
            {
                var item = Errors.Check(PyApi.SequenceGet(o, i));
                items[i] = Value(item, sequence.Element, $"{what}, item {i}", mayCopy, ref copies);
                PyApi.DecRef(item);
            }
            return new SequenceValue(items);
        }
        return (type as TensorType)?.DType == DType.String ? Prepared(o, DType.String, what, "it holds strings", mayCopy, ref copies) : Array(o, type, what, mayCopy, ref copies);
    }

    private static Tensor Array(nint o, GraphType? type, string what, bool mayCopy, ref long copies)
    {
        try
        {
            if (PyApi.CheckBuffer(o) != 0) return FromBuffer(o).Tensor;
            if (DLPack.IsProducer(o)) return DLPack.Import(o);
        }
        catch (Exception e) when (e is BufferException or ArgumentTypeException)
        {
            return Prepared(o, (type as TensorType)?.DType, what, e.Message, mayCopy, ref copies);
        }
        throw new ArgumentTypeException($"{what} must be an array (buffer protocol or DLPack) or a Tensor{(type is null ? "" : $", {type}")}; found {Py.TypeName(o)}");
    }

    // prepare(object, dtype, what) gives (object, copied): an array that can be borrowed, or a Tensor. The reason says why the object itself cannot.
    private static Tensor Prepared(nint o, DType? type, string what, string reason, bool mayCopy, ref long copies)
    {
        nint name = type is { } t ? Py.Text(t.Name()) : Py.None(), subject = Py.Text(what);
        nint result;
        try
        {
            result = Py.Call(NativeModule.Prepare, o, name, subject);
        }
        finally
        {
            PyApi.DecRef(name);
            PyApi.DecRef(subject);
        }
        try
        {
            var prepared = Errors.Check(PyApi.SequenceGet(result, 0));
            var copied = Errors.Check(PyApi.SequenceGet(result, 1));
            try
            {
                if (Py.ToBool(copied))
                {
                    if (!mayCopy) throw new BufferException($"{what}: {reason}, and copies are not allowed (copy=False)");
                    Interlocked.Increment(ref copies);
                }
                return PyTensor.Type.Is(prepared) ? PyTensor.Object(prepared).Tensor.Share() : FromBuffer(prepared).Tensor;
            }
            finally
            {
                PyApi.DecRef(prepared);
                PyApi.DecRef(copied);
            }
        }
        finally
        {
            PyApi.DecRef(result);
        }
    }

    private static MapValue Map(nint dict, MapType type, string what)
    {
        if (!Py.IsDict(dict)) throw new ArgumentTypeException($"{what} must be a dict ({type}), found {Py.TypeName(dict)}");
        var entries = Py.Entries(dict);
        return new(Column(entries.ConvertAll(e => e.Key), type.Key, what), Column(entries.ConvertAll(e => e.Value), (type.Value as TensorType)?.DType ?? DType.Float32, what));
    }

    private static Tensor Column(List<nint> items, DType type, string what)
    {
        var shape = new Shape(items.Count);
        return type switch
        {
            DType.String => Tensor.FromStrings([.. items.Select(Py.ToText)], shape),
            DType.Int64 => Tensor.From<long>(items.ConvertAll(Py.ToInteger).ToArray(), shape),
            DType.Int32 => Tensor.From<int>(items.ConvertAll(i => checked((int)Py.ToInteger(i))).ToArray(), shape),
            DType.Float32 => Tensor.From<float>(items.ConvertAll(i => (float)Py.ToFloat(i)).ToArray(), shape),
            DType.Float64 => Tensor.From<double>(items.ConvertAll(Py.ToFloat).ToArray(), shape),
            _ => throw new NotSupportedException($"{what}: maps of {type.Name()} cannot be given from Python"),
        };
    }

    private static ReadOnlySpan<long> Extents(PyBuffer* view)
    {
        var extents = new long[view->Rank];
        for (var i = 0; i < extents.Length; i++) extents[i] = view->Shape[i];
        return extents;
    }

    // The exporter's own reason (strided, mostly) becomes ours, so that a caller can tell it from other failures.
    private static Exception Refused()
    {
        if (PyApi.ErrExceptionMatches(PyApi.Exception("BufferError")) == 0 && PyApi.ErrExceptionMatches(PyApi.Exception("ValueError")) == 0) return new PythonErrorException();
        PyApi.ErrClear();
        return new BufferException("the array is not contiguous in C's order");
    }
}
