using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ConvTranspose: input [N, C, spatial…], weights [C, M/group, kernel…], optional bias [M]; the gradient of Conv with respect to its input.</summary>
/// <param name="Strides">Steps between windows in the output; empty means 1.</param>
/// <param name="Pads">What is cut off: all begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between kernel elements; empty means 1.</param>
/// <param name="Group">How many groups the channels fall into.</param>
/// <param name="OutputPadding">Extra extent at the ends; empty means 0.</param>
/// <param name="OutputShape">The output's spatial extents; pads follow from them. Empty when the pads decide.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
public sealed record ConvTranspose(ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default, long Group = 1,
    ValueList<long> OutputPadding = default, ValueList<long> OutputShape = default, AutoPad AutoPad = AutoPad.NotSet) : Operator
{
    /// <summary>The output extent of a spatial axis.</summary>
    /// <param name="axis">The spatial axis.</param>
    /// <param name="kernel">The kernel's extent along it.</param>
    /// <param name="input">The input's.</param>
    public Dim Output(int axis, long kernel, Dim input)
    {
        if (OutputShape.Count > 0) return OutputShape[axis];
        if (AutoPad is AutoPad.SameUpper or AutoPad.SameLower) return input * Stride(axis);
        var cut = AutoPad == AutoPad.Valid || Pads.Count == 0 ? 0 : Pads[axis] + Pads[axis + Pads.Count / 2];
        return Whole(axis, kernel, input) - cut;
    }

    /// <summary>How much is cut off the beginning of a spatial axis.</summary>
    public long Begin(int axis, long kernel, long input)
    {
        if (OutputShape.Count == 0 && AutoPad is AutoPad.NotSet or AutoPad.Valid) return AutoPad == AutoPad.Valid || Pads.Count == 0 ? 0 : Pads[axis];
        var total = Math.Max(0, (Whole(axis, kernel, input) - Output(axis, kernel, input)).Constant!.Value);
        return AutoPad == AutoPad.SameUpper ? total / 2 : total - total / 2;
    }

    /// <summary>The step along a spatial axis.</summary>
    public long Stride(int axis) => Strides.Count == 0 ? 1 : Strides[axis];

    /// <summary>The distance between kernel elements along a spatial axis.</summary>
    public long Dilation(int axis) => Dilations.Count == 0 ? 1 : Dilations[axis];

    /// <summary>True when each output is met by exactly one kernel element and nothing is cut off: a stride as long as the kernel, as in most decoders.</summary>
    /// <param name="weights">The weights' shape.</param>
    public bool IsDisjoint(Shape weights)
    {
        if (AutoPad is not (AutoPad.NotSet or AutoPad.Valid) || OutputShape.Count > 0 || OutputPadding.Any(p => p != 0) || (AutoPad == AutoPad.NotSet && Pads.Any(p => p != 0))) return false;
        return Enumerable.Range(0, weights.Rank - 2).All(a => weights[a + 2] is var taps && Stride(a) == taps && (taps == 1 || Dilation(a) == 1));
    }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        context.RequireSame(0, 1);
        if (context.Has(2))
        {
            context.RequireSame(0, 2);
            context.RequireRank(2, 1);
        }
        var x = context.Shape(0);
        var w = context.Shape(1);
        if (w is { Rank: < 2 }) throw context.Error($"weights have shape {w}; expected [C, M/group, kernel…]");
        if (x is not null && w is not null && x.Rank != w.Rank) throw context.Error($"input of shape {x} and weights of shape {w} have different ranks");
        if (Group < 1) throw context.Error($"group {Group} must be positive");
        if (x is null || w is null)
        {
            context.Set(0, type, (x ?? w) is { } s ? context.FreshShape(s.Rank) : null);
            return;
        }
        var rank = x.Rank - 2;
        if (x[1].Constant is { } c && w[0].Constant is { } wc && c != wc) throw context.Error($"input of shape {x} has {c} channels; weights of shape {w} expect {wc}");
        context.AssumeEqual(x[1], w[0], "the channels of input and weights");
        if (w[0].Constant % Group is > 0) throw context.Error($"{w[0]} channels do not divide into {Group} groups");
        foreach (var (name, list, length) in new[] { ("strides", Strides, rank), ("dilations", Dilations, rank), ("output_padding", OutputPadding, rank), ("output_shape", OutputShape, rank), ("pads", Pads, 2 * rank) })
            if (list.Count > 0 && list.Count != length) throw context.Error($"{name} {list} do not fit {rank} spatial axes; expected {length} numbers");
        if (Strides.Any(s => s < 1) || Dilations.Any(d => d < 1)) throw context.Error($"strides {Strides} and dilations {Dilations} must be positive");
        if (Strides.Concat(Dilations).Concat(Pads).Concat(OutputPadding).Concat(OutputShape).Any(n => n is < -ConvGeometry.Furthest or > ConvGeometry.Furthest))
            throw context.Error($"strides {Strides}, dilations {Dilations}, pads {Pads}, output_padding {OutputPadding} and output_shape {OutputShape} go beyond {ConvGeometry.Furthest} elements");
        var dims = new Dim[x.Rank];
        (dims[0], dims[1]) = (x[0], w[1] * Group);
        for (var i = 0; i < rank; i++)
        {
            dims[i + 2] = w[i + 2].Constant is { } k ? Output(i, k, x[i + 2]) : context.Fresh();
            if (dims[i + 2].Constant < 0) throw context.Error($"pads {Pads} cut more than axis {i + 2} of the output has");
        }
        context.Set(0, type, new(dims));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (input, weights) = (context.Input(0), context.Input(1));
        var (xs, ws) = (input.Shape, weights.Shape);
        var rank = xs.Rank - 2;
        if (xs[1] != ws[0] || ws[0] % Group != 0) throw context.Error($"input of shape {xs} and weights of shape {ws} do not fit {Group} groups");
        var spatial = new long[rank];
        var begin = new long[rank];
        for (var i = 0; i < rank; i++)
        {
            spatial[i] = Output(i, ws[i + 2], xs[i + 2]).Constant!.Value;
            begin[i] = Begin(i, ws[i + 2], xs[i + 2]);
        }
        var output = context.Allocate(0, input.DType, new Shape([xs[0], ws[1] * Group, .. spatial]));
        var (x, w, bias) = (input.ToReals(), weights.ToReals(), context.OptionalInput(2)?.ToReals());
        var plane = (int)new Shape(spatial).Count;
        var inputPlane = (int)xs.Product(2, xs.Rank);
        var taps = (int)ws.Product(2, ws.Rank);
        var (channels, filters) = ((int)(xs[1] / Group), (int)ws[1]);
        var result = new double[output.Count];
        if (bias is not null)
            for (var i = 0; i < xs[0] * ws[1] * Group; i++) result.AsSpan(i * plane, plane).Fill(bias[i % bias.Length]);
        var targets = new long[inputPlane];
        var sums = new double[filters * inputPlane];
        var kernel = new double[filters * channels];
        for (var t = 0; t < taps; t++)
        {
            Targets(t, xs.Dims[2..], ws.Dims[2..], spatial, begin, targets);
            for (var ng = 0; ng < xs[0] * Group; ng++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var group = (int)(ng % Group);
                for (var f = 0; f < filters; f++)
                    for (var c = 0; c < channels; c++) kernel[f * channels + c] = w[((group * channels + c) * filters + f) * taps + t];
                Array.Clear(sums);
                Products.Accumulate<double>(kernel, x.AsSpan(ng * channels * inputPlane, channels * inputPlane), sums, filters, channels, inputPlane);
                for (var f = 0; f < filters; f++)
                    for (var p = 0; p < inputPlane; p++)
                        if (targets[p] >= 0) result[(ng * filters + f) * plane + (int)targets[p]] += sums[f * inputPlane + p];
            }
        }
        output.Store(result);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) =>
        node.Input(0)?.Shape is { } x && node.Input(1)?.Shape is { Rank: > 0 } w ? x.Count * new SymbolicShape(w.Dims[1..]).Count * 2 : null;

    private Dim Whole(int axis, long kernel, Dim input) =>
        (input - 1) * Stride(axis) + ((kernel - 1) * Dilation(axis) + 1 + (OutputPadding.Count == 0 ? 0 : OutputPadding[axis]));

    /// <summary>For every input position the output position to which one kernel element carries it, -1 where it falls outside.</summary>
    private void Targets(int tap, ReadOnlySpan<long> input, ReadOnlySpan<long> kernel, long[] output, long[] begin, long[] targets)
    {
        if (targets.Length == 0) return;
        Array.Clear(targets);
        long repeat = targets.Length;
        long tapRepeat = 1;
        foreach (var k in kernel) tapRepeat *= k;
        for (var i = 0; i < output.Length; i++)
        {
            repeat /= input[i];
            tapRepeat /= kernel[i];
            var shift = tap / tapRepeat % kernel[i] * Dilation(i) - begin[i];
            for (long p = 0; p < targets.Length; p++)
            {
                var at = p / repeat % input[i] * Stride(i) + shift;
                targets[p] = targets[p] < 0 || at < 0 || at >= output[i] ? -1 : targets[p] * output[i] + at;
            }
        }
    }
}
