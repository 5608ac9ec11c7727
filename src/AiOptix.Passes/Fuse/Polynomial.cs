using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>A value as a polynomial in another with known coefficients: how a formula is told apart from the order in which somebody wrote it down.</summary>
internal sealed class Polynomial
{
    private const int MaxDegree = 3;
    private const int MaxDepth = 10;

    private Polynomial(double[] coefficients, double tolerance)
    {
        Coefficients = coefficients;
        Tolerance = tolerance;
    }

    /// <summary>The coefficients, lowest power first.</summary>
    public IReadOnlyList<double> Coefficients { get; }

    /// <summary>How far, relatively, rounded constants may have moved them.</summary>
    public double Tolerance { get; }

    /// <summary>Reads a value as a polynomial.</summary>
    /// <param name="value">The value.</param>
    /// <param name="variable">The variable.</param>
    /// <param name="nodes">Receives the nodes that calculate it.</param>
    /// <returns>Null when it is none of degree 3 or less.</returns>
    public static Polynomial? Of(Value value, Value variable, ICollection<Node> nodes) => Of(value, variable, nodes, MaxDepth);

    private static Polynomial? Of(Value value, Value variable, ICollection<Node> nodes, int depth)
    {
        if (value == variable) return new([0, 1], 0);
        if (value.Number() is { } n) return value.DType.IsFloat() ? new([n], Reals.Tolerance(value.DType)) : null;
        if (depth-- == 0 || value.Producer is not { } node || node.Graph != variable.Graph || node.Inputs is not [{ } left, { } right]) return null;
        var result = node.Operator switch
        {
            Add => Join(Of(left, variable, nodes, depth), Of(right, variable, nodes, depth), (a, b) => a + b),
            Sub => Join(Of(left, variable, nodes, depth), Of(right, variable, nodes, depth), (a, b) => a - b),
            Mul => Product(Of(left, variable, nodes, depth), Of(right, variable, nodes, depth)),
            Div => right.Number() is { } d && d != 0 && Of(left, variable, nodes, depth) is { } p ? new([.. p.Coefficients.Select(c => c / d)], p.Tolerance + Reals.Tolerance(right.DType)) : null,
            Pow => right.Number() is { } e && e is 1 or 2 or 3 && Of(left, variable, nodes, depth) is { } p ? Power(p, (int)e) : null,
            _ => null,
        };
        if (result is not null) nodes.Add(node);
        return result;
    }

    /// <summary>True for these coefficients up to rounding; what is expected to be 0 must be exactly 0.</summary>
    public bool Is(params ReadOnlySpan<double> expected)
    {
        for (var i = 0; i < Math.Max(expected.Length, Coefficients.Count); i++)
        {
            var found = i < Coefficients.Count ? Coefficients[i] : 0;
            var wanted = i < expected.Length ? expected[i] : 0;
            if (!(Math.Abs(found - wanted) <= Math.Abs(wanted) * Tolerance)) return false;
        }
        return true;
    }

    private static Polynomial? Join(Polynomial? a, Polynomial? b, Func<double, double, double> function)
    {
        if (a is null || b is null) return null;
        var n = Math.Max(a.Coefficients.Count, b.Coefficients.Count);
        return new([.. Enumerable.Range(0, n).Select(i => function(a.At(i), b.At(i)))], a.Tolerance + b.Tolerance);
    }

    private static Polynomial? Product(Polynomial? a, Polynomial? b)
    {
        if (a is null || b is null || a.Coefficients.Count + b.Coefficients.Count - 2 > MaxDegree) return null;
        var r = new double[a.Coefficients.Count + b.Coefficients.Count - 1];
        for (var i = 0; i < a.Coefficients.Count; i++)
            for (var j = 0; j < b.Coefficients.Count; j++) r[i + j] += a.Coefficients[i] * b.Coefficients[j];
        return new(r, a.Tolerance + b.Tolerance);
    }

    private static Polynomial? Power(Polynomial p, int exponent)
    {
        var result = p;
        for (var i = 1; i < exponent && result is not null; i++) result = Product(result, p);
        return result;
    }

    private double At(int power) => power < Coefficients.Count ? Coefficients[power] : 0;
}
