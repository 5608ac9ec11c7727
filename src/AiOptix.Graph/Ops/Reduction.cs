using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// What the reductions share: one number for all elements along the axes of input 1. Without axes (left out or empty) all are reduced, or none with
/// <paramref name="NoopWithEmptyAxes"/>: each element then counts as a group of its own.
/// </summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public abstract record Reduction(bool KeepDims, bool NoopWithEmptyAxes) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Allowed, "a numeric type");
        if (context.Has(1)) context.Require(1, t => t is DType.Int64, "int64");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        var given = context.Has(1) ? context.Integers(1) : [];
        if (given is null)
        {
            context.Set(0, type, KeepDims ? context.FreshShape(s.Rank) : context.Length(1) is { } n and > 0 ? context.FreshShape(Math.Max(0, s.Rank - n)) : null);
            return;
        }
        var axes = AxesOf(context.Axes(given, s.Rank), s.Rank);
        var isReduced = new bool[s.Rank];
        foreach (var axis in axes) isReduced[axis] = true;
        context.Set(0, type, KeepDims ? new([.. s.Select((d, i) => isReduced[i] ? Dim.One : d)]) : new([.. s.Where((_, i) => !isReduced[i])]));
        if (axes.Length == 1 && s.Rank == 1 && context.Elements(0) is { Count: > 0 } e && Follow(e) is { } followed) context.SetElements(0, [followed]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var axes = AxesOf(context.Axes(context.Integers(1) ?? [], s.Rank), s.Rank);
        int[] order = [.. Enumerable.Range(0, s.Rank).Except(axes), .. axes];
        var moved = Tensor.Allocate(input.DType, new Shape([.. order.Select(a => s[a])]));
        var steps = s.Strides();
        if (input.Count > 0) new ElementMover(input, moved).CopyBox(moved.Shape.Dims, 0, [.. order.Select(a => steps[a])], 0, moved.Shape.Strides());
        var output = context.Allocate(0, input.DType, KeepDims ? new Shape([.. s.Select((d, i) => axes.Contains(i) ? 1 : d)]) : new Shape([.. s.Where((_, i) => !axes.Contains(i))]));
        var length = (int)new Shape([.. axes.Select(a => s[a])]).Count;
        if (Numbers.IsReal(input.DType)) output.Store(Groups(moved.ToReals(), length, (int)output.Count, input.DType));
        else if (input.DType == DType.UInt64) output.Store(Array.ConvertAll(Groups(Array.ConvertAll(moved.ToInt64(), v => unchecked((ulong)v)), length, (int)output.Count, input.DType), v => unchecked((long)v)));
        else output.Store(Groups(moved.ToInt64(), length, (int)output.Count, input.DType));
        moved.Dispose();
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Input(0)?.Shape?.Count;

    /// <summary>Which element types are taken.</summary>
    private protected virtual bool Allowed(DType type) => Numbers.IsReal(type) || type is DType.Int32 or DType.Int64 or DType.UInt32 or DType.UInt64;

    /// <summary>The number for a group.</summary>
    private protected abstract T Reduce<T>(ReadOnlySpan<T> group, DType type) where T : struct, INumber<T>;

    /// <summary>The number for followed elements, where algebra can tell.</summary>
    private protected virtual Dim? Follow(IReadOnlyList<Dim> elements) => null;

    /// <summary>Sum of a function of the elements.</summary>
    private protected static T Sum<T>(ReadOnlySpan<T> group, Func<T, T> of) where T : struct, INumber<T>
    {
        var sum = T.Zero;
        foreach (var v in group) sum = unchecked(sum + of(v));
        return sum;
    }

    /// <summary>A real function of a number of any type.</summary>
    private protected static T Real<T>(T value, Func<double, double> of) where T : struct, INumber<T> => T.CreateSaturating(of(double.CreateChecked(value)));

    private int[] AxesOf(int[] given, int rank) => given.Length > 0 || NoopWithEmptyAxes ? given : Queries.Each(rank, i => i);

    private T[] Groups<T>(T[] values, int length, int count, DType type) where T : struct, INumber<T>
    {
        var r = new T[count];
        for (var i = 0; i < count; i++) r[i] = Reduce<T>(values.AsSpan(i * length, length), type);
        return r;
    }
}
