using System.Globalization;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>How an answer differs from what is expected. Type and shape must match; integers, booleans and strings exactly; NaN and infinities in their places.</summary>
/// <param name="Problem">What does not match, or null.</param>
/// <param name="MaxAbsolute">The largest finite difference.</param>
/// <param name="MaxScaled">That, over the largest finite magnitude expected; 0 when both are 0.</param>
/// <param name="Cosine">The cosine between both, over finite elements; 1 for equal or empty ones, NaN for what is not numeric.</param>
public sealed record TensorComparison(string? Problem, double MaxAbsolute, double MaxScaled, double Cosine)
{
    /// <summary>True when the answer holds.</summary>
    public bool Holds => Problem is null;

    /// <summary>Compares an answer with what is expected.</summary>
    public static TensorComparison Compare(Tensor found, Tensor expected, Tolerance tolerance)
    {
        if (found.DType != expected.DType) return Fail($"type {found.DType.Name()}, expected {expected.DType.Name()}");
        if (found.Shape != expected.Shape) return Fail($"shape {found.Shape}, expected {expected.Shape}");
        if (found.DType == DType.String)
        {
            var at = Enumerable.Range(0, found.Strings.Length).FirstOrDefault(i => found.Strings[i] != expected.Strings[i], -1);
            return at < 0 ? new(null, 0, 0, 1) : Fail($"element {at} is '{found.Strings[at]}', expected '{expected.Strings[at]}'");
        }
        return found.DType.IsFloat() ? CompareFloats(Reals(found), Reals(expected), tolerance) : CompareExactly(found, expected);
    }

    private static TensorComparison Fail(string problem) => new(problem, double.PositiveInfinity, double.PositiveInfinity, double.NaN);

    private static TensorComparison CompareExactly(Tensor found, Tensor expected)
    {
        if (found.BitEquals(expected)) return new(null, 0, 0, 1);
        var at = found.Bytes.CommonPrefixLength(expected.Bytes) * 8L / Math.Max(1, found.DType.Bits());
        var result = Fail($"element {at} of {found.Count} differs ({found.DType.Name()} must match exactly)");
        GC.KeepAlive(found);
        GC.KeepAlive(expected);
        return result;
    }

    private static TensorComparison CompareFloats(double[] found, double[] expected, Tolerance tolerance)
    {
        var largest = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        var floor = tolerance.Absolute + tolerance.ScaledAbsolute * largest;
        double most = 0, dot = 0, aa = 0, bb = 0, worst = 0;
        var wrong = 0;
        var at = -1;
        for (var i = 0; i < found.Length; i++)
        {
            var (a, b) = (found[i], expected[i]);
            if (!double.IsFinite(a) || !double.IsFinite(b))
            {
                if (a.Equals(b)) continue;
                wrong++;
                if (worst < double.PositiveInfinity) (worst, at) = (double.PositiveInfinity, i);
                continue;
            }
            var difference = Math.Abs(a - b);
            most = Math.Max(most, difference);
            (dot, aa, bb) = (dot + a * b, aa + a * a, bb + b * b);
            var allowed = floor + tolerance.Relative * Math.Abs(b);
            if (difference <= allowed) continue;
            wrong++;
            if (difference - allowed > worst) (worst, at) = (difference - allowed, i);
        }
        var cosine = aa == 0 && bb == 0 ? 1 : aa == 0 || bb == 0 ? 0 : dot / Math.Sqrt(aa * bb);
        var problem = wrong == 0 ? null : string.Create(CultureInfo.InvariantCulture,
            $"{wrong} of {found.Length} elements differ; the worst, element {at}, is {found[at]:G9}, expected {expected[at]:G9} (allowed {floor + tolerance.Relative * Math.Abs(expected[at]):G3})");
        return new(problem, most, largest == 0 ? (most == 0 ? 0 : double.PositiveInfinity) : most / largest, cosine);
    }

    private static double[] Reals(Tensor t)
    {
        var result = new double[t.Count];
        switch (t.DType)
        {
            case DType.Float32: Fill<float>(t, result, v => v); break;
            case DType.Float64: Fill<double>(t, result, v => v); break;
            case DType.Float16: Fill<Half>(t, result, v => (double)v); break;
            case DType.BFloat16: Fill<BFloat16>(t, result, v => v); break;
            default: Fill<float>(Widen(t), result, v => v); break;
        }
        return result;
    }

    private static Tensor Widen(Tensor t) => Graphs.Evaluate.ElementTypes.Convert(t, DType.Float32);

    private static void Fill<T>(Tensor t, double[] result, Func<T, double> convert) where T : unmanaged
    {
        var span = t.Span<T>();
        for (var i = 0; i < result.Length; i++) result[i] = convert(span[i]);
        GC.KeepAlive(t);
    }
}
