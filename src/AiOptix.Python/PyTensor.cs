using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>The type <c>Tensor</c>: memory that C# lends to Python by the buffer protocol (PEP 3118) and DLPack.</summary>
internal static unsafe class PyTensor
{
    private const int GetBufferSlot = 1;

    public static TypeBuilder Type { get; } = new("Tensor", "Memory of AI Optix, or memory that it borrows: buffer protocol and DLPack, both without a copy.");

    public static TypeBuilder Describe()
    {
        delegate* unmanaged<nint, PyBuffer*, int, int> get = &GetBuffer;
        return Type.Ends().Holds().Slot(GetBufferSlot, get, SlotKind.Status)
            .Property("dtype", "The element type: \"float32\".", &GetDType)
            .Property("shape", "The extents.", &GetShape)
            .Property("nbytes", "Bytes of element data; 0 for strings.", &GetBytes)
            .Property("address", "Where the first byte lies; 0 for strings.", &GetAddress)
            .Property("readonly", "Whether consumers may not write.", &GetReadOnly)
            .Method("strings", "", "The elements of a string tensor, row-major.", &Strings)
            .KeywordMethod("__dlpack__", "*, stream=None, max_version=None, dl_device=None, copy=None", "A capsule with a DLManagedTensor over the memory.", &DLPack.Export)
            .Method("__dlpack_device__", "", "(1, 0): the CPU.", &DLPack.Device);
    }

    public static IReadOnlyList<MethodRow> Functions() =>
    [
        NativeModule.Function("from_buffer", "obj, dtype, shape", "A tensor over the memory of an exporter of the buffer protocol.", &FromBuffer),
        NativeModule.Function("from_dlpack", "obj", "A tensor over the memory of an object with __dlpack__.", &FromDLPack),
        NativeModule.Function("from_strings", "strings, shape", "A tensor of copies of the strings.", &FromStrings),
    ];

    /// <summary>A Python object around a tensor, which is taken over.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="isReadOnly">Whether consumers may not write.</param>
    /// <param name="held">The Python object whose memory the tensor holds, or 0.</param>
    public static nint New(Tensor tensor, bool isReadOnly = false, nint held = 0) => Type.Wrap(new TensorObject(tensor, isReadOnly, held));

    /// <summary>The object behind a Python tensor.</summary>
    public static TensorObject Object(nint self) => TypeBuilder.Value<TensorObject>(self);

    [UnmanagedCallersOnly]
    private static int GetBuffer(nint self, PyBuffer* view, int flags)
    {
        try
        {
            view->Owner = 0;
            var o = Object(self);
            if (o.Tensor.DType == DType.String) throw new BufferException("a tensor of strings has no buffer; use strings()");
            if ((flags & PyBuffer.Writable) != 0 && o.IsReadOnly) throw new BufferException("the tensor is read-only");
            if ((flags & PyBuffer.ContiguousF) == PyBuffer.ContiguousF && !o.IsContiguousF) throw new BufferException("the tensor is contiguous in C's order, not in Fortran's");
            o.Fill(view, flags);
            view->Owner = Py.New(self);
            return 0;
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return -1;
        }
    }

    [UnmanagedCallersOnly]
    private static nint GetDType(nint self, nint closure) => TypeBuilder.Read<TensorObject>(self, static o => Py.Text(o.Tensor.DType.Name()));

    [UnmanagedCallersOnly]
    private static nint GetShape(nint self, nint closure) => TypeBuilder.Read<TensorObject>(self, static o => Integers(o.Tensor.Shape.Dims));

    [UnmanagedCallersOnly]
    private static nint GetBytes(nint self, nint closure) => TypeBuilder.Read<TensorObject>(self, static o => Py.Integer(o.Tensor.ByteLength));

    [UnmanagedCallersOnly]
    private static nint GetAddress(nint self, nint closure) => TypeBuilder.Read<TensorObject>(self, static o => Py.Integer((nint)o.Tensor.Pointer));

    [UnmanagedCallersOnly]
    private static nint GetReadOnly(nint self, nint closure) => TypeBuilder.Read<TensorObject>(self, static o => Py.Bool(o.IsReadOnly));

    [UnmanagedCallersOnly]
    private static nint Strings(nint self, nint* arguments, nint count) => TypeBuilder.Read<TensorObject>(self, static o =>
    {
        if (o.Tensor.DType != DType.String) throw new ArgumentTypeException($"the tensor holds {o.Tensor.DType.Name()}, not strings");
        return Py.List(Array.ConvertAll(o.Tensor.Strings, Py.Text));
    });

    [UnmanagedCallersOnly]
    private static nint FromBuffer(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 3, "from_buffer");
            var type = Py.IsNone(arguments[1]) ? (DType?)null : DTypeFormat.Parse(Py.ToText(arguments[1]));
            var shape = Py.IsNone(arguments[2]) ? (Shape?)null : new Shape(Py.Items(arguments[2], Py.ToInteger));
            var (tensor, isReadOnly, owner) = Borrowing.FromBuffer(arguments[0], type, shape);
            return New(tensor, isReadOnly, owner);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint FromDLPack(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "from_dlpack");
            return New(DLPack.Import(arguments[0]));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint FromStrings(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 2, "from_strings");
            return New(Tensor.FromStrings(Py.Items(arguments[0], Py.ToText), new Shape(Py.Items(arguments[1], Py.ToInteger))), isReadOnly: true);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    private static nint Integers(ReadOnlySpan<long> values)
    {
        var items = new nint[values.Length];
        for (var i = 0; i < items.Length; i++) items[i] = Py.Integer(values[i]);
        return Py.Tuple(items);
    }
}

/// <summary>A view that cannot be given: Python's BufferError.</summary>
internal sealed class BufferException(string message) : Exception(message);
