using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>How far the answers of two engines lie apart.</summary>
/// <param name="Largest">The largest difference, as a part of its output's largest magnitude.</param>
/// <param name="Problem">What is beyond the tolerance, or null.</param>
internal sealed record Agreement(double Largest, string? Problem)
{
    /// <summary>What was beyond the tolerance as a whole where the pieces agree (<see cref="Held"/>); null elsewhere.</summary>
    internal string? OnlyInPieces { get; private init; }

    /// <summary>
    /// The same, with a quantised model whose whole answers lie apart held to the peer piece by piece. A byte next to the middle between two steps goes up in one engine and down in the other, and what follows
    /// makes more of it: seeded weights damp nothing, and a threshold (non-maximum suppression) turns a step into another number of rows. A wider tolerance would tell such answers from wrong ones less well; the pieces
    /// tell them exactly, since nothing carries over from one to the next, and the tolerance of each is that of one rounding.
    /// </summary>
    internal Agreement Held(Func<Stepwise> pieces) => Problem is null ? this : pieces() is { Problem: { } problem } ? this with { Problem = $"{Problem}; {problem}" } : new(Largest, null) { OnlyInPieces = Problem };

    private const double Relative = 1e-3;
    private const double OfLargest = 1e-4;

    private const double LeastCosine = 0.999;

    /// <summary>
    /// Compares outputs by name: numbers within 1e-3 of the value plus 1e-4 of the output's largest magnitude, everything else exactly. Engines round quantised values at other places, so those of a
    /// quantised model are held to a cosine of 0.999.
    /// </summary>
    internal static Agreement Of(IReadOnlyDictionary<string, Tensor> answers, IReadOnlyDictionary<string, Tensor> expected, bool isQuantized = false)
    {
        var largest = 0.0;
        string? problem = null;
        foreach (var (name, right) in expected)
        {
            if (!answers.TryGetValue(name, out var left)) problem ??= $"output '{name}' is missing";
            else if (left.DType != right.DType || left.Shape != right.Shape) problem ??= $"output '{name}' is {left}; expected {right}";
            else if (Numbers(left) is { } found && Numbers(right) is { } wanted)
            {
                var (difference, beyond) = Compare(found, wanted);
                largest = Math.Max(largest, difference);
                if (isQuantized)
                {
                    if (Cosine(found, wanted) is var cosine && !(cosine >= LeastCosine)) problem ??= string.Create(System.Globalization.CultureInfo.InvariantCulture, $"output '{name}' has a cosine of {cosine:F5}; expected {LeastCosine}");
                }
                else if (beyond is { } at) problem ??= $"output '{name}'[{at}] is {found[at]:R}; expected {wanted[at]:R}";
            }
            else if (!left.BitEquals(right)) problem ??= $"output '{name}' ({left}) differs";
        }
        return new(largest, problem);
    }

    private static double Cosine(double[] a, double[] b)
    {
        double product = 0, left = 0, right = 0;
        for (var i = 0; i < a.Length; i++) (product, left, right) = (product + a[i] * b[i], left + a[i] * a[i], right + b[i] * b[i]);
        return left == 0 && right == 0 ? 1 : product / Math.Sqrt(left * right);
    }

    private static (double Largest, int? Beyond) Compare(double[] found, double[] expected)
    {
        var magnitude = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        var largest = 0.0;
        var worst = 0.0;
        int? beyond = null;
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].Equals(expected[i])) continue;
            var difference = Math.Abs(found[i] - expected[i]);
            var excess = double.IsFinite(difference) ? difference - Relative * Math.Abs(expected[i]) - OfLargest * magnitude : double.MaxValue;
            largest = Math.Max(largest, double.IsFinite(difference) ? difference / Math.Max(magnitude, double.Epsilon) : double.PositiveInfinity);
            if (excess <= worst) continue;
            worst = excess;
            beyond = i;
        }
        return (largest, beyond);
    }

    private static double[]? Numbers(Tensor t) => t.DType switch
    {
        DType.Float32 => Array.ConvertAll(t.Span<float>().ToArray(), x => (double)x),
        DType.Float64 => t.Span<double>().ToArray(),
        DType.Float16 => Array.ConvertAll(t.Span<Half>().ToArray(), x => (double)x),
        _ => null,
    };
}
