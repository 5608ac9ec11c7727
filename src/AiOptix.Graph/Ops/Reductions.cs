using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ReduceSum.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceSum(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) => Sum(group, v => v);

    private protected override Dim? Follow(IReadOnlyList<Dim> elements) => elements.Aggregate(Dim.Zero, (a, b) => a + b);
}

/// <summary>ONNX ReduceMean; of integers rounded toward zero.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceMean(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) =>
        group.Length == 0 && !type.IsFloat() ? T.Zero : Sum(group, v => v) / T.CreateChecked(group.Length);
}

/// <summary>ONNX ReduceProd; 1 for an empty group.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceProd(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type)
    {
        var product = T.One;
        foreach (var v in group) product = unchecked(product * v);
        return product;
    }

    private protected override Dim? Follow(IReadOnlyList<Dim> elements) => elements.Aggregate(Dim.One, (a, b) => a * b);
}

/// <summary>ONNX ReduceMax; the type's lowest value for an empty group. NaN wins.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceMax(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override bool Allowed(DType type) => base.Allowed(type) || type is DType.Int8 or DType.UInt8 or DType.Bool;

    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type)
    {
        if (group.Length == 0)
            return type switch
            {
                DType.Int8 => T.CreateChecked(sbyte.MinValue),
                DType.Int32 => T.CreateChecked(int.MinValue),
                DType.Int64 => T.CreateChecked(long.MinValue),
                _ when type.IsFloat() => T.CreateChecked(double.NegativeInfinity),
                _ => T.Zero,
            };
        var best = group[0];
        foreach (var v in group) best = T.Max(best, v);
        return best;
    }
}

/// <summary>ONNX ReduceMin; the type's highest value for an empty group. NaN wins.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceMin(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override bool Allowed(DType type) => base.Allowed(type) || type is DType.Int8 or DType.UInt8 or DType.Bool;

    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type)
    {
        if (group.Length == 0)
            return type switch
            {
                DType.Int8 => T.CreateChecked(sbyte.MaxValue),
                DType.UInt8 => T.CreateChecked(byte.MaxValue),
                DType.Int32 => T.CreateChecked(int.MaxValue),
                DType.UInt32 => T.CreateChecked(uint.MaxValue),
                DType.Int64 => T.CreateChecked(long.MaxValue),
                DType.UInt64 => T.CreateChecked(ulong.MaxValue),
                DType.Bool => T.One,
                _ => T.CreateChecked(double.PositiveInfinity),
            };
        var best = group[0];
        foreach (var v in group) best = T.Min(best, v);
        return best;
    }
}

/// <summary>ONNX ReduceL1: the sum of magnitudes.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceL1(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) => Sum(group, v => T.IsNegative(v) ? unchecked(-v) : v);
}

/// <summary>ONNX ReduceL2: the root of the sum of squares.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceL2(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) => Real(Sum(group, v => unchecked(v * v)), Math.Sqrt);
}

/// <summary>ONNX ReduceSumSquare: the sum of squares.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceSumSquare(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) => Sum(group, v => unchecked(v * v));
}

/// <summary>ONNX ReduceLogSum: the logarithm of the sum.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceLogSum(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type) => Real(Sum(group, v => v), Math.Log);
}

/// <summary>ONNX ReduceLogSumExp: the logarithm of the sum of exponentials, free of overflow.</summary>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="NoopWithEmptyAxes">No axes means none, not all.</param>
public sealed record ReduceLogSumExp(bool KeepDims = true, bool NoopWithEmptyAxes = false) : Reduction(KeepDims, NoopWithEmptyAxes)
{
    private protected override T Reduce<T>(ReadOnlySpan<T> group, DType type)
    {
        var largest = double.NegativeInfinity;
        foreach (var v in group) largest = Math.Max(largest, double.CreateChecked(v));
        if (double.IsInfinity(largest)) return T.CreateSaturating(largest);
        double sum = 0;
        foreach (var v in group) sum += Math.Exp(double.CreateChecked(v) - largest);
        return T.CreateSaturating(largest + Math.Log(sum));
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].DType != DType.Float32 || to[0].Shape is not { Rank: > 0 } s) return false;
        var given = to.Node.Input(1) is { } input ? input.Elements?.Select(e => e.Constant).ToArray() : [];
        if (given is null || given.Contains(null) || (given.Length == 0 && NoopWithEmptyAxes)) return false;
        var axes = given.Length > 0 ? to.Node.Input(1)! : to.Integers([.. Enumerable.Range(0, s.Rank).Select(a => (long)a)]);
        var largest = to.Add(new ReduceMax(), to[0], axes);
        var shift = to.Add(new Where(), to.Add(new IsInf(), largest), to.Scalar(0), largest);
        var sum = to.Add(new ReduceSum(), to.Add(new Exp(), to.Add(new Sub(), to[0], shift)), axes);
        var result = to.Add(new Add(), to.Add(new Log(), sum), shift);
        return to.Set(0, KeepDims ? result : to.Add(new Squeeze(), result, axes));
    }
}
