using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Unique: the different elements, or the different slices along an axis; also where each occurs first, which each of the input's is, and how often each occurs.
/// </summary>
/// <param name="Axis">The axis of the slices; null for elements of the flattened input.</param>
/// <param name="Sorted">In ascending order rather than in that of their first occurrence.</param>
public sealed record Unique(long? Axis = null, bool Sorted = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, t => Numbers.IsNumber(t) || t is DType.Bool or DType.String or DType.Complex64 or DType.Complex128, "a numeric type, bool, string or a complex type");
        var count = context.Fresh();
        var (shape, total) = (new SymbolicShape(count), context.Shape(0)?.Count ?? context.Fresh());
        if (Axis is { } a)
        {
            var s = context.Shape(0);
            var axis = s is null ? 0 : context.Axis(a, s.Rank);
            total = s?[axis] ?? context.Fresh();
            context.Set(0, type, s?.With(axis, count));
        }
        else context.Set(0, type, shape);
        context.Set(1, DType.Int64, shape);
        context.Set(2, DType.Int64, new SymbolicShape(total));
        context.Set(3, DType.Int64, shape);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var shape = Axis is null ? new Shape(x.Count) : x.Shape;
        var axis = Axis is null ? 0 : context.Axis(Axis.Value, shape.Rank);
        var (outer, n, inner) = (shape.Product(0, axis), (int)shape[axis], shape.Product(axis + 1, shape.Rank));
        var elements = Comparer(x);
        int Compare(int a, int b)
        {
            for (long o = 0; o < outer; o++)
                for (long i = 0; i < inner; i++)
                    if (elements((o * n + a) * inner + i, (o * n + b) * inner + i) is not 0 and var c) return c;
            return 0;
        }
        var order = Enumerable.Range(0, n).Order(Comparer<int>.Create(Compare)).ToArray();
        var groups = new List<List<int>>();
        foreach (var i in order)
            if (groups.Count > 0 && Compare(groups[^1][0], i) == 0) groups[^1].Add(i);
            else groups.Add([i]);
        if (!Sorted) groups.Sort((a, b) => a[0].CompareTo(b[0]));
        var output = context.Allocate(0, x.DType, shape.With(axis, groups.Count));
        var mover = new ElementMover(x, output);
        for (long o = 0; o < outer; o++)
            for (var g = 0; g < groups.Count; g++) mover.Copy((o * n + groups[g][0]) * inner, (o * groups.Count + g) * inner, inner);
        var inverse = new long[n];
        for (var g = 0; g < groups.Count; g++)
            foreach (var i in groups[g]) inverse[i] = g;
        context.Set(1, Tensor.Vector<long>([.. groups.Select(g => (long)g[0])]));
        context.Set(2, Tensor.Vector<long>(inverse));
        context.Set(3, Tensor.Vector<long>([.. groups.Select(g => (long)g.Count)]));
    }

    private static Func<long, long, int> Comparer(Tensor x)
    {
        switch (x.DType)
        {
            case DType.String: return (a, b) => string.CompareOrdinal(x.Strings[a], x.Strings[b]);
            case DType.Complex64 or DType.Complex128:
                var parts = x.DType == DType.Complex64 ? Array.ConvertAll(MemoryMarshal.Cast<byte, float>(x.Bytes).ToArray(), v => (double)v) : MemoryMarshal.Cast<byte, double>(x.Bytes).ToArray();
                return (a, b) => parts[2 * a].CompareTo(parts[2 * b]) is not 0 and var c ? c : parts[2 * a + 1].CompareTo(parts[2 * b + 1]);
            default: return x.Order();
        }
    }
}
