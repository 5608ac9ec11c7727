using System.Globalization;
using System.Runtime.InteropServices;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>How far floats may differ: |actual - expected| &lt;= Absolute + Scaled * (largest finite |expected| of the tensor) + Relative * |expected|.</summary>
/// <param name="Relative">Per unit of the expected value.</param>
/// <param name="Absolute">For any value.</param>
/// <param name="Scaled">Per unit of the largest finite expected magnitude.</param>
public sealed record Tolerance(double Relative = 1e-3, double Absolute = 1e-7, double Scaled = 0)
{
    /// <summary>What a healthy fp32 implementation of a real model keeps: 1e-3 relative plus 1e-4 of the output's largest magnitude.</summary>
    public static Tolerance Model { get; } = new(Scaled: 1e-4);
}

/// <summary>An element that differs.</summary>
/// <param name="Index">Its index, an entry for each axis.</param>
/// <param name="Expected">What it should be, as text.</param>
/// <param name="Actual">What it is, as text.</param>
/// <param name="Error">The absolute difference; NaN when only one of the two is a finite number, or neither is a number at all.</param>
public sealed record ElementMismatch(string Index, string Expected, string Actual, double Error)
{
    /// <summary><c>[0,3]: 1.5, expected 1.25</c></summary>
    public override string ToString() => $"{Index}: {Actual}, expected {Expected}";
}

/// <summary>The outcome of comparing two values.</summary>
/// <param name="Failure">Why they do not match; null when they do.</param>
/// <param name="Mismatches">How many elements differ.</param>
/// <param name="First">The first one.</param>
/// <param name="Worst">The one with the largest error, of those that have one.</param>
/// <param name="MaxError">The largest absolute error of all finite pairs, matching ones included.</param>
/// <param name="MaxScaled">That error over the largest finite magnitude expected; 0 when both are 0.</param>
/// <param name="Cosine">The cosine between both over finite pairs; 1 where there is nothing to compare.</param>
public sealed record ComparisonResult(string? Failure, long Mismatches = 0, ElementMismatch? First = null, ElementMismatch? Worst = null, double MaxError = 0, double MaxScaled = 0,
    double Cosine = 1)
{
    /// <summary>True when the values match.</summary>
    public bool Matches => Failure is null;
}

/// <summary>
/// Compares recorded and computed values. Kind, element type and shape must be the same; integers, bool and strings match exactly, floats within a
/// <see cref="Tolerance"/>; NaN matches NaN, an infinity one of its sign.
/// </summary>
public static class TensorComparison
{
    /// <summary>Compares two values of any kind.</summary>
    public static ComparisonResult Compare(RuntimeValue expected, RuntimeValue actual, Tolerance? tolerance = null) => (expected, actual) switch
    {
        (Tensor e, Tensor a) => Compare(e, a, tolerance),
        (SequenceValue e, SequenceValue a) when e.Items.Count != a.Items.Count => new($"the sequence has {a.Items.Count} items, expected {e.Items.Count}"),
        (SequenceValue e, SequenceValue a) => All(e.Items.Zip(a.Items, (x, y) => Compare(x, y, tolerance)), "item"),
        (OptionalValue { Content: null }, OptionalValue { Content: null }) => new(null),
        (OptionalValue { Content: { } e }, OptionalValue { Content: { } a }) => Compare(e, a, tolerance),
        (MapValue e, MapValue a) => All([Compare(e.Keys, a.Keys, tolerance), Compare(e.Values, a.Values, tolerance)], "part"),
        _ => new($"the value is {actual}, expected {expected}"),
    };

    /// <summary>Compares kind, element type and shape only: for random results.</summary>
    public static ComparisonResult CompareForm(RuntimeValue expected, RuntimeValue actual) => (expected, actual) switch
    {
        (Tensor e, Tensor a) => new(Form(e, a)),
        (SequenceValue e, SequenceValue a) when e.Items.Count == a.Items.Count => All(e.Items.Zip(a.Items, CompareForm), "item"),
        _ => new(expected.GetType() == actual.GetType() ? null : $"the value is {actual}, expected {expected}"),
    };

    /// <summary>
    /// Compares which element of every row along the last axis is the largest. NaN and infinities match; what is not a tensor of floats is compared as usual.
    /// </summary>
    public static ComparisonResult CompareRanking(RuntimeValue expected, RuntimeValue actual)
    {
        if (expected is not Tensor e || actual is not Tensor a || !e.DType.IsFloat() || a.DType != e.DType) return Compare(expected, actual);
        var result = Compare(e, a, new Tolerance(Relative: 0, Absolute: double.MaxValue));
        return result.Matches ? result with { Failure = OtherFirst(e, a) } : result;
    }

    /// <summary>Compares two tensors.</summary>
    public static ComparisonResult Compare(Tensor expected, Tensor actual, Tolerance? tolerance = null)
    {
        if (Form(expected, actual) is { } failure) return new(failure);
        var result = expected.DType switch
        {
            DType.String => Exact(expected.Shape, expected.Strings, actual.Strings),
            DType.Complex64 => Floats(expected, Widen(MemoryMarshal.Cast<byte, float>(expected.Bytes)), Widen(MemoryMarshal.Cast<byte, float>(actual.Bytes)), 2, tolerance ?? new()),
            DType.Complex128 => Floats(expected, MemoryMarshal.Cast<byte, double>(expected.Bytes), MemoryMarshal.Cast<byte, double>(actual.Bytes), 2, tolerance ?? new()),
            var t when t.IsFloat() => Floats(expected, ElementTypes.ToFloat64(expected), ElementTypes.ToFloat64(actual), 1, tolerance ?? new()),
            _ => Exact(expected.Shape, Integers(expected), Integers(actual)),
        };
        GC.KeepAlive(expected);
        GC.KeepAlive(actual);
        return result;
    }

    /// <summary>The first row whose largest element is not where it should be, as a message.</summary>
    private static string? OtherFirst(Tensor expected, Tensor actual)
    {
        var (wanted, found) = (ElementTypes.ToFloat64(expected), ElementTypes.ToFloat64(actual));
        var width = expected.Shape.Rank == 0 ? 1 : (int)expected.Shape[expected.Shape.Rank - 1];
        for (var begin = 0; begin < wanted.Length; begin += width)
        {
            var (first, other) = (First(wanted, begin, width), First(found, begin, width));
            if (first != other) return $"the largest element of the row is {Index(expected.Shape, other)}, expected {Index(expected.Shape, first)}";
        }
        return null;
    }

    private static int First(ReadOnlySpan<double> values, int begin, int width)
    {
        var first = begin;
        for (var i = begin + 1; i < begin + width; i++)
            if (values[i] > values[first] || double.IsNaN(values[first])) first = i;
        return first;
    }

    private static string? Form(Tensor expected, Tensor actual) =>
        expected.DType != actual.DType ? $"the type is {actual.DType.Name()}, expected {expected.DType.Name()}"
        : expected.Shape != actual.Shape ? $"the shape is {actual.Shape}, expected {expected.Shape}"
        : null;

    private static ComparisonResult Floats(Tensor expectedTensor, ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, int partsPerElement, Tolerance tolerance)
    {
        var largest = 0.0;
        foreach (var e in expected)
            if (double.IsFinite(e)) largest = Math.Max(largest, Math.Abs(e));
        var floor = tolerance.Absolute + tolerance.Scaled * largest;
        long mismatches = 0;
        ElementMismatch? first = null;
        int worst = -1;
        double worstError = -1, maxError = 0, dot = 0, squaresExpected = 0, squaresActual = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var (e, a) = (expected[i], actual[i]);
            var error = Math.Abs(a - e);
            var finite = double.IsFinite(error);
            if (finite) (dot, squaresExpected, squaresActual) = (dot + e * a, squaresExpected + e * e, squaresActual + a * a);
            if (e.Equals(a)) continue;
            if (finite) maxError = Math.Max(maxError, error);
            if (finite && error <= floor + tolerance.Relative * Math.Abs(e)) continue;
            mismatches++;
            if (finite && error > worstError) (worst, worstError) = (i, error);
            first ??= Mismatch(i, e, a);
        }
        var scaled = maxError == 0 ? 0 : maxError / largest;
        var cosine = squaresExpected == squaresActual && dot == squaresActual ? 1 : dot / Math.Sqrt(squaresExpected * squaresActual);
        if (mismatches == 0) return new(null, MaxError: maxError, MaxScaled: scaled, Cosine: cosine);
        var worstMismatch = worst < 0 ? null : Mismatch(worst, expected[worst], actual[worst]);
        return new(Summary(mismatches, expected.Length, first!, worstMismatch), mismatches, first, worstMismatch, maxError, scaled, cosine);

        ElementMismatch Mismatch(int i, double e, double a) =>
            new(Index(expectedTensor.Shape, i / partsPerElement), Text(e), Text(a), double.IsFinite(a - e) ? Math.Abs(a - e) : double.NaN);
    }

    private static ComparisonResult Exact<T>(Shape shape, ReadOnlySpan<T> expected, ReadOnlySpan<T> actual) where T : IEquatable<T>
    {
        long mismatches = 0;
        ElementMismatch? first = null;
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i].Equals(actual[i])) continue;
            mismatches++;
            first ??= new(Index(shape, i), $"{expected[i]}", $"{actual[i]}", double.NaN);
        }
        return mismatches == 0 ? new(null) : new(Summary(mismatches, expected.Length, first!, null), mismatches, first);
    }

    private static ReadOnlySpan<long> Integers(Tensor tensor)
    {
        var r = new long[tensor.Count];
        ElementTypes.Read(tensor, 0, r);
        return r;
    }

    private static ReadOnlySpan<double> Widen(ReadOnlySpan<float> values)
    {
        var r = new double[values.Length];
        for (var i = 0; i < r.Length; i++) r[i] = values[i];
        return r;
    }

    private static ComparisonResult All(IEnumerable<ComparisonResult> parts, string what)
    {
        var results = parts.ToList();
        var failed = results.FindIndex(r => !r.Matches);
        var maxError = results.Select(r => r.MaxError).DefaultIfEmpty(0).Max();
        return failed < 0 ? new(null, MaxError: maxError) : results[failed] with { Failure = $"{what} {failed}: {results[failed].Failure}", MaxError = maxError };
    }

    private static string Summary(long mismatches, int count, ElementMismatch first, ElementMismatch? worst) =>
        $"{mismatches} of {count} elements differ; first {first}" + (worst is not null && worst != first ? $"; worst {worst}" : "");

    private static string Index(Shape shape, long position)
    {
        var index = new long[shape.Rank];
        for (var axis = shape.Rank - 1; axis >= 0; axis--) (position, index[axis]) = Math.DivRem(position, Math.Max(1, shape[axis]));
        return $"[{string.Join(",", index)}]";
    }

    private static string Text(double value) => value.ToString("G9", CultureInfo.InvariantCulture);
}
