using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX MatMul: the product of matrices in the last two axes, all other axes broadcast; a vector counts as one row (left) or column (right).</summary>
public sealed record MatMul : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Products.IsMultiplicable, "a floating-point type or a 32- or 64-bit integer");
        var type = context.RequireSame(0, 1);
        context.Set(0, type, Shape(context, 0, 1));
    }

    /// <summary>The shape of the product of two inputs; null when the rank of one is not known.</summary>
    internal static SymbolicShape? Shape(InferenceContext context, int left, int right)
    {
        if (context.Shape(left) is not { } a || context.Shape(right) is not { } b) return null;
        if (a.Rank == 0 || b.Rank == 0) throw context.Error($"shapes {a} and {b} must have at least one axis");
        context.Same(a[-1], b.Rank == 1 ? b[0] : b[-2], $"{a} · {b}");
        var batch = SymbolicShape.Broadcast(new(a.Dims[..Math.Max(0, a.Rank - 2)]), new(b.Dims[..Math.Max(0, b.Rank - 2)]))
            ?? throw context.Error($"the leading axes of {a} and {b} do not broadcast");
        Dim[] rows = a.Rank > 1 ? [a[-2]] : [];
        Dim[] columns = b.Rank > 1 ? [b[-1]] : [];
        return new([.. batch, .. rows, .. columns]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var a = context.Input(0);
        var b = context.Input(1);
        if (Numbers.IsReal(a.DType))
        {
            var (values, shape) = Product(context, a.Shape, a.ToReals(), b.Shape, b.ToReals());
            context.Allocate(0, a.DType, shape).Store(values);
        }
        else
        {
            var (values, shape) = Product(context, a.Shape, a.ToInt64(), b.Shape, b.ToInt64());
            context.Allocate(0, a.DType, shape).Store(values);
        }
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } o && node.Input(0)?.Shape is { } a ? o.Count * a[-1] * 2 : null;

    /// <summary>The product of widened operands and its shape.</summary>
    internal static (T[] Values, Shape Shape) Product<T>(EvaluationContext context, Shape x, T[] a, Shape y, T[] b) where T : struct, INumber<T>
    {
        var left = x.Rank == 1 ? new Shape(1, x[0]) : x;
        var right = y.Rank == 1 ? new Shape(y[0], 1) : y;
        var (m, k, n) = ((int)left[-2], (int)left[-1], (int)right[-1]);
        if (right[-2] != k) throw context.Error($"{x} · {y}: the inner extents differ");
        var batch = SymbolicShape.Broadcast(SymbolicShape.Of(new Shape(left.Dims[..^2])), SymbolicShape.Of(new Shape(right.Dims[..^2])))?.Concrete
            ?? throw context.Error($"the leading axes of {x} and {y} do not broadcast");
        var shape = new Shape([.. batch, .. x.Rank > 1 ? [(long)m] : Array.Empty<long>(), .. y.Rank > 1 ? [(long)n] : Array.Empty<long>()]);
        context.Limits.CheckTensor(DType.Int64, shape, $"output 0 of node {context.Node}");
        var c = new T[shape.Count];
        var count = (int)batch.Count;
        var at = new long[batch.Rank];
        for (var i = 0; i < count; i++)
        {
            Products.Accumulate(a.AsSpan((int)Offset(left, at) * m * k, m * k), b.AsSpan((int)Offset(right, at) * k * n, k * n), c.AsSpan(i * m * n, m * n), m, k, n);
            for (var d = at.Length - 1; d >= 0 && ++at[d] == batch[d]; d--) at[d] = 0;
        }
        return (c, shape);
    }

    /// <summary>Which matrix of an operand belongs to a place in the broadcast leading axes.</summary>
    private static long Offset(Shape operand, long[] at)
    {
        long offset = 0;
        for (var i = 0; i < operand.Rank - 2; i++) offset = offset * operand[i] + (operand[i] == 1 ? 0 : at[i + at.Length - (operand.Rank - 2)]);
        return offset;
    }
}
