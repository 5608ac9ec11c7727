using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What shape rules and evaluations of many operators share: axes, lists of integers, shapes that are given as data.</summary>
internal static class Rules
{
    /// <summary>Brings an axis into 0..rank-1.</summary>
    public static int Axis(this EvaluationContext context, long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw context.Error($"axis {axis} is out of range for rank {rank}");

    /// <summary>The elements of an integer input, or null when it is left out.</summary>
    public static long[]? Integers(this EvaluationContext context, int input) => context.OptionalInput(input) is not { } t ? null
        : t.DType == DType.Bool || t.DType.IsInteger() && !t.DType.IsPacked() ? t.ToInt64() : throw context.Error($"input {input} holds {t.DType.Name()}; expected integers");

    /// <summary>The elements of an integer input.</summary>
    public static long[] RequiredIntegers(this EvaluationContext context, int input) => context.Integers(input) ?? throw context.Error($"input {input} is required");

    /// <summary>A single integer given as data.</summary>
    public static long Integer(this EvaluationContext context, int input) =>
        context.Input(input) is { Count: 1 } ? context.RequiredIntegers(input)[0] : throw context.Error($"input {input} must have one element, found {context.Input(input)}");

    /// <summary>A concrete shape given as data.</summary>
    public static Shape Shape(this EvaluationContext context, ReadOnlySpan<long> dims)
    {
        foreach (var d in dims)
            if (d < 0) throw context.Error($"shape [{string.Join(",", dims.ToArray())}] has a negative extent");
        return new Shape(dims);
    }

    /// <summary>Different axes, each within 0..rank-1, in the given order.</summary>
    public static int[] Axes(this InferenceContext context, IEnumerable<long> axes, int rank) => Distinct(Normal(axes, a => context.Axis(a, rank)), context.Error);

    /// <summary>Different axes, each within 0..rank-1, in the given order.</summary>
    public static int[] Axes(this EvaluationContext context, IEnumerable<long> axes, int rank) => Distinct(Normal(axes, a => context.Axis(a, rank)), context.Error);

    /// <summary>How many elements a vector input has, when that is known.</summary>
    public static int? Length(this InferenceContext context, int input)
    {
        if (context.Elements(input) is { } e) return e.Count;
        return context.Shape(input) is { } s ? s.Rank == 0 ? 1 : s.Rank == 1 ? (int?)s[0].Constant : throw context.Error($"input {input} has shape {s}; expected a vector") : null;
    }

    /// <summary>The shape that a vector input describes; fresh extents when only its length is known, null when not even that.</summary>
    public static SymbolicShape? ShapeFrom(this InferenceContext context, int input)
    {
        if (context.Elements(input) is not { } e) return context.Length(input) is { } n ? context.FreshShape(n) : null;
        foreach (var d in e)
            if (d.Constant < 0) throw context.Error($"input {input} asks for the negative extent {d}");
        return new([.. e]);
    }

    /// <summary>Requires an input of integer indices.</summary>
    public static void RequireIndices(this InferenceContext context, int input) =>
        context.Require(input, t => t is DType.Int32 or DType.Int64, "int32 or int64");

    /// <summary>One extent for two that must be equal: the known one if there is one.</summary>
    public static Dim Same(this InferenceContext context, Dim a, Dim b, string what)
    {
        if (a.IsConstant && b.IsConstant && a.Constant != b.Constant) throw context.Error($"{what}: extents {a} and {b} differ");
        context.AssumeEqual(a, b, what);
        return a.IsConstant ? a : b.IsConstant ? b : a;
    }

    /// <summary>The shape with one axis replaced.</summary>
    public static SymbolicShape With(this SymbolicShape shape, int axis, Dim extent)
    {
        var dims = shape.Dims.ToArray();
        dims[axis] = extent;
        return new(dims);
    }

    /// <summary>The shape with one axis replaced.</summary>
    public static Shape With(this Shape shape, int axis, long extent)
    {
        var dims = shape.Dims.ToArray();
        dims[axis] = extent;
        return new(dims);
    }

    /// <summary>The two shapes as one that holds for both; null when neither is known.</summary>
    public static SymbolicShape? Merge(this InferenceContext context, SymbolicShape? a, SymbolicShape? b, string what)
    {
        if (a is null || b is null) return a ?? b;
        if (a.Rank != b.Rank) throw context.Error($"{what}: shapes {a} and {b} have different ranks");
        var dims = new Dim[a.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = context.Same(a[i], b[i], what);
        return new(dims);
    }

    private static int[] Normal(IEnumerable<long> axes, Func<long, int> normal)
    {
        var normalized = new List<int>();
        foreach (var a in axes) normalized.Add(normal(a));
        return normalized.ToArray();
    }

    private static int[] Distinct(int[] axes, Func<string, AiOptixException> error) =>
        axes.DistinctFew().Length == axes.Length ? axes : throw error($"axes [{string.Join(",", axes)}] name one axis twice");
}
