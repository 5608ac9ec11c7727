using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Conv: input [N, C, spatial…], weights [M, C/group, kernel…], optional bias [M]; any number of spatial axes. A cross-correlation: the kernel is
/// not flipped.
/// </summary>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between kernel elements; empty means 1.</param>
/// <param name="Group">How many groups the channels fall into.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
public sealed record Conv(ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default, long Group = 1, AutoPad AutoPad = AutoPad.NotSet) : Operator
{
    /// <summary>The sliding window for a kernel's spatial extents.</summary>
    public ConvGeometry Geometry(ReadOnlySpan<long> kernel) => new(new(kernel), Strides, Dilations, Pads, AutoPad);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        context.RequireSame(0, 1);
        if (context.Has(2)) context.RequireSame(0, 2);
        context.Set(0, type, Shape(context, 1, 2));
    }

    /// <summary>The shape of the result for input 0; null when nothing is known.</summary>
    /// <param name="context">The node.</param>
    /// <param name="weights">Which input the weights are.</param>
    /// <param name="bias">Which input the bias is; it may be left out.</param>
    internal SymbolicShape? Shape(InferenceContext context, int weights, int bias)
    {
        var biased = bias >= 0 && context.Has(bias);
        if (biased) context.RequireRank(bias, 1);
        var x = context.Shape(0);
        var w = context.Shape(weights);
        if (w is { Rank: < 2 }) throw context.Error($"weights have shape {w}; expected [M, C/group, kernel…]");
        if (x is not null && w is not null && x.Rank != w.Rank) throw context.Error($"input of shape {x} and weights of shape {w} have different ranks");
        if (Group < 1) throw context.Error($"group {Group} must be positive");
        if (x is null || w is null) return (x ?? w) is { } s ? context.FreshShape(s.Rank) : null;
        if (x[1].Constant is { } c && w[1].Constant is { } wc && c != wc * Group) throw context.Error($"input of shape {x} has {c} channels; weights of shape {w} in {Group} groups expect {wc * Group}");
        context.AssumeEqual(x[1], w[1] * Group, "the channels of input and weights");
        if (w[0].Constant % Group is > 0) throw context.Error($"{w[0]} output channels do not divide into {Group} groups");
        if (biased && context.Shape(bias) is { } b) context.Same(b[0], w[0], "bias and weights");
        return new SymbolicShape(w.Dims[2..]).Concrete is { } kernel ? Geometry(kernel.Dims).Result(context, x, w[0]) : new([x[0], w[0], .. context.FreshShape(x.Rank - 2)]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (input, weights) = (context.Input(0), context.Input(1));
        var (values, shape) = Apply(context, input.ToReals(), input.Shape, weights.ToReals(), weights.Shape, context.OptionalInput(2)?.ToReals());
        context.Allocate(0, input.DType, shape).Store(values);
    }

    /// <summary>The convolution of widened operands and its shape.</summary>
    internal (double[] Values, Shape Shape) Apply(EvaluationContext context, double[] input, Shape x, double[] weights, Shape w, double[]? bias)
    {
        if (x[1] != w[1] * Group || w[0] % Group != 0) throw context.Error($"input of shape {x} and weights of shape {w} do not fit {Group} groups");
        var geometry = Geometry(w.Dims[2..]);
        var spatial = geometry.Outputs(x.Dims[2..]);
        var shape = context.Shape([x[0], w[0], .. spatial]);
        context.Limits.CheckTensor(DType.Float64, shape, $"output 0 of node {context.Node}");
        return (Products(context, geometry, input, weights, bias, x, w, spatial), shape);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) =>
        node.Output.Shape is { } o && node.Input(1)?.Shape is { Rank: > 0 } w ? o.Count * new SymbolicShape(w.Dims[1..]).Count * 2 : null;

    private double[] Products(EvaluationContext context, ConvGeometry geometry, double[] x, double[] w, double[]? bias, Shape xs, Shape ws, long[] spatial)
    {
        const int Tile = 96;
        var plane = (int)new Shape(spatial).Count;
        var inputPlane = (int)xs.Product(2, xs.Rank);
        var taps = (int)ws.Product(2, ws.Rank);
        var (channels, filters) = ((int)ws[1], (int)(ws[0] / Group));
        var result = new double[xs[0] * ws[0] * plane];
        var places = new long[Tile * taps];
        var columns = new double[channels * taps * Tile];
        var sums = new double[filters * Tile];
        for (var from = 0; from < plane; from += Tile)
        {
            var count = Math.Min(Tile, plane - from);
            for (var p = 0; p < count; p++) geometry.Taps(xs.Dims[2..], spatial, from + p, places.AsSpan(p * taps, taps));
            for (var ng = 0; ng < xs[0] * Group; ng++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                for (var c = 0; c < channels; c++)
                {
                    var source = x.AsSpan((ng * channels + c) * inputPlane, inputPlane);
                    for (var t = 0; t < taps; t++)
                    {
                        var column = columns.AsSpan((c * taps + t) * count, count);
                        for (var p = 0; p < column.Length; p++)
                        {
                            var at = places[p * taps + t];
                            column[p] = at < 0 ? 0 : source[(int)at];
                        }
                    }
                }
                var first = (int)(ng % Group) * filters;
                for (var f = 0; f < filters; f++) sums.AsSpan(f * count, count).Fill(bias?[first + f] ?? 0);
                Ops.Products.Accumulate(w.AsSpan(first * channels * taps, filters * channels * taps), columns.AsSpan(0, channels * taps * count), sums.AsSpan(0, filters * count), filters, channels * taps, count);
                for (var f = 0; f < filters; f++) sums.AsSpan(f * count, count).CopyTo(result.AsSpan((ng * filters + f) * plane + from, count));
            }
        }
        return result;
    }
}
