using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>What stands behind a Python <c>Tensor</c>: a tensor, and the extents and steps that exported buffers point at.</summary>
/// <param name="tensor">The tensor; taken over.</param>
/// <param name="isReadOnly">Whether consumers may write.</param>
/// <param name="held">The Python object whose memory it is, borrowed (the tensor holds it); 0 when it is C#'s.</param>
internal sealed unsafe class TensorObject(Tensor tensor, bool isReadOnly, nint held) : IDisposable, IPythonHolder
{
    private readonly Tensor tensor = tensor;
    private readonly nint held = held;
    private nint* extents;
    private bool released;

    /// <summary>The tensor.</summary>
    /// <exception cref="BufferException">CPython's collector took it out of a cycle of garbage.</exception>
    public Tensor Tensor => released ? throw new BufferException("the tensor let go of its memory when a cycle of garbage was broken") : tensor;

    public ReadOnlySpan<nint> Held => released || held == 0 ? default : new(in held);

    public bool IsReadOnly { get; } = isReadOnly;

    /// <summary>Fills a view in; the caller has checked what was asked for. The memory it points at lives as long as this object.</summary>
    public void Fill(PyBuffer* view, int flags)
    {
        var letters = DTypeFormat.Letters(Tensor.DType, out var exact);
        var rank = exact ? Tensor.Shape.Rank : 1;
        var itemSize = exact ? Tensor.DType.Bits() / 8 : 1;
        if (extents == null) extents = Extents(exact, rank, itemSize);
        view->Pointer = Tensor.Pointer;
        view->Length = (nint)Tensor.ByteLength;
        view->ItemSize = itemSize;
        view->ReadOnly = IsReadOnly ? 1 : 0;
        view->Rank = rank;
        view->Letters = (flags & PyBuffer.Format) != 0 ? letters : null;
        view->Shape = (flags & PyBuffer.Dimensions) != 0 ? extents : null;
        view->Steps = (flags & PyBuffer.Strides) == PyBuffer.Strides ? extents + rank : null;
        view->Suboffsets = null;
        view->Internal = 0;
    }

    /// <summary>True when the elements lie in Fortran's order too: at most one axis is longer than 1.</summary>
    public bool IsContiguousF => Tensor.Count == 0 || Tensor.Shape.Dims.ToArray().Count(d => d > 1) <= 1;

    public void Dispose()
    {
        released = true;
        tensor.Dispose();
        NativeMemory.Free(extents);
        extents = null;
    }

    private nint* Extents(bool exact, int rank, int itemSize)
    {
        var values = (nint*)NativeMemory.Alloc((nuint)Math.Max(1, 2 * rank), (nuint)sizeof(nint));
        nint step = itemSize;
        for (var i = rank - 1; i >= 0; i--)
        {
            values[i] = exact ? (nint)Tensor.Shape[i] : (nint)Tensor.ByteLength;
            values[rank + i] = step;
            step *= Math.Max(1, values[i]);
        }
        return values;
    }
}
