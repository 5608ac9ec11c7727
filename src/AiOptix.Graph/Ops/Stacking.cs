using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Tensors of equal shape stacked along a new axis, and slices along one.</summary>
internal static class Stacking
{
    /// <summary>Stacks tensors, which are taken over. Of none the result has extent 0 along the axis and, where nothing is known, along others.</summary>
    /// <param name="items">The tensors.</param>
    /// <param name="axis">The new axis; may count from the end.</param>
    /// <param name="reversed">Whether the last one comes first.</param>
    /// <param name="like">What one of them is, for the case of none.</param>
    /// <param name="run">Limits and errors.</param>
    public static Tensor Stack(IReadOnlyList<Tensor> items, long axis, bool reversed, Value like, ControlFlowRun run)
    {
        var element = items.Count > 0 ? items[0].Shape : new Shape([.. (like.Shape ?? new SymbolicShape()).Select(d => d.Constant ?? 0)]);
        var type = items.Count > 0 ? items[0].DType : like.DType;
        var at = (int)(axis < 0 ? axis + element.Rank + 1 : axis);
        if (at < 0 || at > element.Rank) throw run.Error($"axis {axis} is out of range for rank {element.Rank + 1}");
        if (items.FirstOrDefault(t => t.Shape != element) is { } other) throw run.Error($"values of shapes {element} and {other.Shape} cannot be stacked");
        var shape = new Shape([.. element.Dims[..at], items.Count, .. element.Dims[at..]]);
        run.Limits.CheckTensor(type, shape, $"an output of node {run.Node}");
        var result = Tensor.Allocate(type, shape);
        for (var i = 0; i < items.Count; i++)
        {
            var position = reversed ? items.Count - 1 - i : i;
            Copy(items[i], 0, result, position, items.Count, element.Product(0, at), element.Product(at, element.Rank), one: 1);
            items[i].Dispose();
        }
        return result;
    }

    /// <summary>The slice of a tensor at an index along an axis, without that axis.</summary>
    public static Tensor Slice(Tensor source, int axis, long index)
    {
        var result = Tensor.Allocate(source.DType, new Shape([.. source.Shape.Dims[..axis], .. source.Shape.Dims[(axis + 1)..]]));
        Copy(source, index, result, 0, source.Shape[axis], source.Shape.Product(0, axis), source.Shape.Product(axis + 1, source.Shape.Rank), one: 0);
        return result;
    }

    // Blocks of inner elements: between a tensor with the axis, whose extent is given, and one without it. With one = 1 the destination has it, else the source.
    private static void Copy(Tensor from, long fromIndex, Tensor to, long toIndex, long extent, long outer, long inner, int one)
    {
        for (long o = 0; o < outer; o++)
        {
            var source = one == 1 ? o * inner : (o * extent + fromIndex) * inner;
            var target = one == 1 ? (o * extent + toIndex) * inner : o * inner;
            if (from.DType == DType.String) from.Strings.AsSpan((int)source, (int)inner).CopyTo(to.Strings.AsSpan((int)target, (int)inner));
            else if (from.DType.IsPacked()) CopyPacked(from, source, to, target, inner);
            else
                for (long done = 0, size = from.DType.Bits() / 8, bytes = inner * size; done < bytes; done += 1 << 30)
                {
                    var n = (int)Math.Min(1 << 30, bytes - done);
                    from.BytesAt(source * size + done, n).CopyTo(to.BytesAt(target * size + done, n));
                }
        }
        GC.KeepAlive(from);
        GC.KeepAlive(to);
    }

    private static void CopyPacked(Tensor from, long source, Tensor to, long target, long count)
    {
        var bits = from.DType.Bits();
        var mask = (1 << bits) - 1;
        var a = from.Bytes;
        var b = to.Bytes;
        for (long i = 0; i < count; i++)
        {
            var (s, t) = ((source + i) * bits, (target + i) * bits);
            var value = a[(int)(s / 8)] >> (int)(s % 8) & mask;
            ref var place = ref b[(int)(t / 8)];
            place = (byte)(place & ~(mask << (int)(t % 8)) | value << (int)(t % 8));
        }
    }
}
