using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>A sparse tensor as files hold it.</summary>
/// <param name="Values">A vector.</param>
/// <param name="Indices">int64: one linear index a value, or one row of coordinates a value.</param>
/// <param name="Shape">The shape of the dense tensor.</param>
internal sealed record SparseTensor(Tensor Values, Tensor Indices, Shape Shape)
{
    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="ModelFormatException">They do not.</exception>
    public static SparseTensor Create(Tensor values, Tensor indices, Shape shape, string what)
    {
        if (indices.DType != DType.Int64) throw new ModelFormatException($"{what}: sparse indices have type {indices.DType.Name()}, expected int64");
        var fits = indices.Shape.Rank == 1 ? indices.Count == values.Count
            : indices.Shape.Rank == 2 && indices.Shape[0] == values.Count && indices.Shape[1] == shape.Rank;
        if (values.Shape.Rank != 1 || !fits) throw new ModelFormatException($"{what}: sparse indices {indices.Shape} do not fit values {values.Shape} and shape {shape}");
        return new(values, indices, shape);
    }

    /// <summary>The dense tensor.</summary>
    /// <exception cref="ModelFormatException">An index is out of range.</exception>
    public Tensor ToDense(string what)
    {
        var type = Values.DType;
        if (type == DType.String)
        {
            var texts = new string[Shape.Count];
            Array.Fill(texts, "");
            var given = Values.Strings.ToArray();
            Place(what, (from, to) => texts[to] = given[from]);
            return Tensor.FromStrings(texts, Shape);
        }
        if (type.IsPacked())
        {
            var (numbers, given) = (new double[Shape.Count], ElementTypes.ToFloat64(Values));
            Place(what, (from, to) => numbers[to] = given[from]);
            return ElementTypes.From(numbers, type, Shape);
        }
        var dense = Tensor.Allocate(type, Shape, zeroed: true);
        var width = type.Bits() / 8;
        Place(what, (from, to) => Values.BytesAt(from * width, width).CopyTo(dense.BytesAt(to * width, width)));
        GC.KeepAlive(this);
        return dense;
    }

    private void Place(string what, Action<long, long> put)
    {
        var linear = Indices.Shape.Rank == 1;
        var count = Shape.Count;
        var indices = Indices.Span<long>();
        for (var i = 0; i < Values.Count; i++)
        {
            var at = linear ? indices[i] : Linear(indices.Slice(i * Shape.Rank, Shape.Rank), what);
            if (at < 0 || at >= count) throw new ModelFormatException($"{what}: sparse index {at} is outside of shape {Shape}");
            put(i, at);
        }
    }

    private long Linear(ReadOnlySpan<long> index, string what)
    {
        long at = 0;
        for (var d = 0; d < index.Length; d++)
        {
            if (index[d] < 0 || index[d] >= Shape[d]) throw new ModelFormatException($"{what}: sparse index [{string.Join(",", index.ToArray())}] is outside of shape {Shape}");
            at = at * Shape[d] + index[d];
        }
        return at;
    }
}
