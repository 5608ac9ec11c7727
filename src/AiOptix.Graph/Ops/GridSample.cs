using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>How <see cref="GridSample"/> reads between elements.</summary>
public enum GridMode
{
    /// <summary>Linear along every axis.</summary>
    Linear,
    /// <summary>The nearest element, the even one of two.</summary>
    Nearest,
    /// <summary>Cubic along every axis, with the coefficient -0.75.</summary>
    Cubic,
}

/// <summary>What <see cref="GridSample"/> reads outside.</summary>
public enum GridPadding
{
    /// <summary>0.</summary>
    Zeros,
    /// <summary>The element at the border.</summary>
    Border,
    /// <summary>What lies inside, mirrored.</summary>
    Reflection,
}

/// <summary>ONNX GridSample: X [N, C, d…] read at positions [N, D…, r] between -1 and 1, coordinates from the innermost axis out; gives [N, C, D…].</summary>
/// <param name="Mode">How it is read between elements.</param>
/// <param name="Padding">What is read outside.</param>
/// <param name="AlignCorners">-1 and 1 are the centres of the corner elements, not their outer edges.</param>
public sealed record GridSample(GridMode Mode = GridMode.Linear, GridPadding Padding = GridPadding.Zeros, bool AlignCorners = false) : Operator
{
    private const double A = -0.75;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = Mode == GridMode.Nearest ? context.DType(0) : context.Require(0, t => t != DType.String, "a numeric type (strings are read in mode nearest only)");
        context.Require(1, Numbers.IsReal, "a floating-point type");
        var (x, grid) = (context.Shape(0), context.Shape(1));
        if (x is null || grid is null)
        {
            context.Set(0, type, (x ?? grid) is { } s ? context.FreshShape(s.Rank) : null);
            return;
        }
        if (x.Rank != grid.Rank || x.Rank < 3) throw context.Error($"input of shape {x} and grid of shape {grid} do not fit");
        if (grid[-1].Constant is { } r && r != x.Rank - 2) throw context.Error($"a grid of shape {grid} has {r} coordinates; expected {x.Rank - 2}");
        context.Set(0, type, new([context.Same(x[0], grid[0], "batches of input and grid"), x[1], .. grid.Dims[1..^1]]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (x, grid) = (context.Input(0), context.Input(1));
        var r = x.Shape.Rank - 2;
        if (grid.Shape.Rank != r + 2 || grid.Shape[-1] != r || grid.Shape[0] != x.Shape[0]) throw context.Error($"input {x} and grid {grid} do not fit");
        var output = context.Allocate(0, x.DType, new Shape([x.Shape[0], x.Shape[1], .. grid.Shape.Dims[1..^1]]));
        var positions = grid.ToReals();
        var parts = Numbers.IsComplex(x.DType) ? 2 : 1;
        var values = x.DType == DType.String ? [] : x.ToComponents();
        var texts = x.DType == DType.String ? Enumerable.Repeat("", checked((int)output.Count)).ToArray() : null;
        var result = new double[texts is null ? output.Count * parts : 0];
        var (points, plane, channels) = (grid.Shape.Product(1, grid.Shape.Rank - 1), x.Shape.Product(2, x.Shape.Rank), x.Shape[1]);
        var taps = new List<(long Index, double Weight)>();
        for (long n = 0; n < x.Shape[0]; n++)
            for (long p = 0; p < points; p++)
            {
                Taps(x.Shape, positions.AsSpan((int)((n * points + p) * r), r), taps);
                for (long c = 0; c < channels; c++)
                {
                    var at = (n * channels + c) * points + p;
                    foreach (var (index, weight) in taps)
                        if (texts is not null) texts[at] = x.Strings[(n * channels + c) * plane + index];
                        else
                            for (var part = 0; part < parts; part++) result[at * parts + part] += values[((n * channels + c) * plane + index) * parts + part] * weight;
                }
            }
        if (texts is not null) context.Set(0, Tensor.FromStrings(texts, output.Shape));
        else output.StoreComponents(result);
    }

    /// <summary>The elements of a plane that a position reads, and their weights; those outside that count as 0 are left out.</summary>
    private void Taps(Shape shape, ReadOnlySpan<double> position, List<(long Index, double Weight)> taps)
    {
        taps.Clear();
        taps.Add((0, 1));
        for (var axis = 0; axis < position.Length; axis++)
        {
            var n = shape[axis + 2];
            var line = Line(position[position.Length - 1 - axis], n);
            var count = taps.Count;
            for (var t = 0; t < count; t++)
                foreach (var (index, weight) in line)
                    if (Inside(index, n) is >= 0 and var i) taps.Add((taps[t].Index * n + i, taps[t].Weight * weight));
            taps.RemoveRange(0, count);
        }
    }

    private (long Index, double Weight)[] Line(double position, long n)
    {
        var at = AlignCorners ? (position + 1) / 2 * (n - 1) : ((position + 1) * n - 1) / 2;
        if (!double.IsFinite(at)) at = Padding == GridPadding.Zeros ? -2 : 0;
        if (Mode == GridMode.Nearest) at = Math.Round(at, MidpointRounding.ToEven);
        var (low, high) = Ends(n);
        if (at < low || at > high)
            at = Padding switch { GridPadding.Border => Math.Clamp(at, 0, n - 1), GridPadding.Reflection => Reflect(at, low, high), _ => Math.Clamp(at, -4.0, n + 4.0) };
        if (Mode == GridMode.Nearest) return [((long)Math.Round(at, MidpointRounding.ToEven), 1)];
        var first = (long)Math.Floor(at);
        var f = at - first;
        return Mode == GridMode.Linear
            ? [(first, 1 - f), (first + 1, f)]
            : [(first - 1, Far(f + 1)), (first, Near(f)), (first + 1, Near(1 - f)), (first + 2, Far(2 - f))];
    }

    private (double Low, double High) Ends(long n) => AlignCorners ? (0, n - 1) : (-0.5, n - 0.5);

    private long Inside(long index, long n)
    {
        if (index >= 0 && index < n) return index;
        var (low, high) = Ends(n);
        return Padding switch
        {
            GridPadding.Border => Math.Clamp(index, 0, n - 1),
            GridPadding.Reflection => Math.Clamp((long)Reflect(index, low, high), 0, n - 1),
            _ => -1,
        };
    }

    private static double Reflect(double at, double low, double high)
    {
        var range = high - low;
        if (range <= 0) return low;
        var beyond = at < low ? low - at : at > high ? at - high : -1;
        if (beyond < 0) return at;
        var turns = Math.Floor(beyond / range);
        var rest = beyond - turns * range;
        return at < low == (turns % 2 == 0) ? low + rest : high - rest;
    }

    private static double Near(double d) => ((A + 2) * d - (A + 3)) * d * d + 1;

    private static double Far(double d) => ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;
}
