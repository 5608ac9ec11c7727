using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Gemm: Alpha · A' · B' + Beta · C for matrices, C (may be left out) broadcast to the product.</summary>
/// <param name="Alpha">The factor of the product.</param>
/// <param name="Beta">The factor of C.</param>
/// <param name="TransA">A is transposed.</param>
/// <param name="TransB">B is transposed.</param>
public sealed record Gemm(float Alpha = 1, float Beta = 1, bool TransA = false, bool TransB = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Products.IsMultiplicable, "a floating-point type or a 32- or 64-bit integer");
        context.RequireSame(0, 1);
        context.RequireRank(0, 2);
        context.RequireRank(1, 2);
        if (context.Has(2)) context.RequireSame(0, 2);
        var a = context.Shape(0);
        var b = context.Shape(1);
        if (a is not null && b is not null) context.Same(a[TransA ? 0 : 1], b[TransB ? 1 : 0], $"the inner extents of {a} and {b}");
        var result = new SymbolicShape(a?[TransA ? 1 : 0] ?? context.Fresh(), b?[TransB ? 0 : 1] ?? context.Fresh());
        if (context.Has(2) && context.Shape(2) is { } c)
            for (var i = 1; i <= c.Rank; i++)
                if (c.Rank > 2 || (c[-i].Constant is { } d and not 1 && result[-i].Constant is { } e && d != e))
                    throw context.Error($"input 2 of shape {c} does not broadcast to {result}");
        context.Set(0, type, result);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (a, b, c) = (context.Input(0), context.Input(1), context.OptionalInput(2));
        if (Numbers.IsReal(a.DType)) Evaluate(context, a.ToReals(), b.ToReals(), c?.ToReals(), Alpha, Beta, (t, v) => t.Store(v));
        else if (Alpha == 1 && Beta == 1) Evaluate(context, a.ToInt64(), b.ToInt64(), c?.ToInt64(), 1, 1, (t, v) => t.Store(v));
        else Evaluate(context, a.ToReals(), b.ToReals(), c?.ToReals(), Alpha, Beta, (t, v) => t.Store(Array.ConvertAll(v, x => (long)x)));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } o && node.Input(0)?.Shape is { } a ? o.Count * a[TransA ? 0 : 1] * 2 : null;

    private void Evaluate<T>(EvaluationContext context, T[] a, T[] b, T[]? c, T alpha, T beta, Action<Tensor, T[]> store) where T : struct, INumber<T>
    {
        var (x, y) = (context.Input(0).Shape, context.Input(1).Shape);
        var (m, k, n) = ((int)x[TransA ? 1 : 0], (int)x[TransA ? 0 : 1], (int)y[TransB ? 0 : 1]);
        if (y[TransB ? 1 : 0] != k) throw context.Error($"the inner extents of {x} and {y} differ");
        var result = new T[m * n];
        Products.Accumulate<T>(TransA ? Products.Transposed<T>(a, k, m) : a, TransB ? Products.Transposed<T>(b, n, k) : b, result, m, k, n);
        var rows = c is null ? 1 : context.Input(2).Shape is { Rank: 2 } s ? (int)s[0] : 1;
        var columns = c is null ? 1 : context.Input(2).Shape is { Rank: > 0 } t ? (int)t[-1] : 1;
        if ((rows != 1 && rows != m) || (columns != 1 && columns != n)) throw context.Error($"input 2 of shape {context.Input(2).Shape} does not broadcast to [{m},{n}]");
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                ref var at = ref result[i * n + j];
                at *= alpha;
                if (c is not null) at += beta * c[(rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j)];
            }
        store(context.Allocate(0, context.Input(0).DType, new Shape(m, n)), result);
    }
}
