using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What MaxPool, AveragePool and LpPool share: a window that slides over the spatial axes of [N, C, spatial…].</summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between the elements of a window; empty means 1.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
/// <param name="CeilMode">A last window that hangs over the end counts if it starts inside.</param>
public abstract record Pool(ValueList<long> Kernel, ValueList<long> Strides, ValueList<long> Pads, ValueList<long> Dilations, AutoPad AutoPad, bool CeilMode) : Operator
{
    /// <summary>The sliding window.</summary>
    public ConvGeometry Geometry => new(Kernel, Strides, Dilations, Pads, AutoPad, CeilMode);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Allowed, "a floating-point type");
        context.Set(0, context.DType(0), Geometry.Result(context, context.Shape(0) ?? context.FreshShape(Kernel.Count + 2), context.Shape(0)?[1] ?? context.Fresh()));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } o ? o.Count * Kernel.Aggregate(1L, (a, b) => a * b) : null;

    /// <summary>Which element types are taken.</summary>
    private protected virtual bool Allowed(DType type) => Numbers.IsReal(type);

    /// <summary>The output's shape for a known input shape.</summary>
    private protected Shape Result(EvaluationContext context, Shape input)
    {
        if (input.Rank != Kernel.Count + 2) throw context.Error($"input 0 has shape {input}; expected {Kernel.Count} spatial axes after batch and channels");
        return context.Shape([input[0], input[1], .. Geometry.Outputs(input.Dims[2..])]);
    }

    /// <summary>Visits every window: its output position and the positions of its elements within the input, -1 for padding.</summary>
    private protected void Windows(EvaluationContext context, Shape input, Shape output, Action<long, long[]> visit)
    {
        var geometry = Geometry;
        var taps = new long[Kernel.Aggregate(1L, (a, b) => a * b)];
        var moved = new long[taps.Length];
        var plane = output.Product(2, output.Rank);
        var inputPlane = input.Product(2, input.Rank);
        for (long p = 0; p < plane; p++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            geometry.Taps(input.Dims[2..], output.Dims[2..], p, taps);
            for (long nc = 0; nc < output[0] * output[1]; nc++)
            {
                for (var t = 0; t < taps.Length; t++) moved[t] = taps[t] < 0 ? -1 : taps[t] + nc * inputPlane;
                visit(nc * plane + p, moved);
            }
        }
    }
}

/// <summary>ONNX LpPool: the p-norm of each window.</summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between the elements of a window; empty means 1.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
/// <param name="CeilMode">A last window that hangs over the end counts if it starts inside.</param>
/// <param name="P">The norm's exponent.</param>
public sealed record LpPool(ValueList<long> Kernel, ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default,
    AutoPad AutoPad = AutoPad.NotSet, bool CeilMode = false, long P = 2) : Pool(Kernel, Strides, Pads, Dilations, AutoPad, CeilMode)
{
    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var x = input.ToReals();
        var output = context.Allocate(0, input.DType, Result(context, input.Shape));
        var result = new double[output.Count];
        Windows(context, input.Shape, output.Shape, (to, taps) =>
        {
            double sum = 0;
            foreach (var t in taps)
                if (t >= 0) sum += Math.Pow(Math.Abs(x[t]), P);
            result[to] = Math.Pow(sum, 1.0 / P);
        });
        output.Store(result);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        // A mean counts what hangs over the end in ceil mode for nothing, so its sum is not known there.
        if (!to.IsSingle || P < 1 || CeilMode || to[0].Shape is not { Rank: >= 3 and <= 5 } || Pads.Any(p => p < 0)) return false;
        var mean = to.Add(new AveragePool(Kernel, Strides, Pads, Dilations, AutoPad, CountIncludePad: true), PowerNorm.Terms(to, to[0], P));
        return to.Set(0, PowerNorm.Root(to, to.Add(new Mul(), mean, to.Scalar(Kernel.Aggregate(1L, (a, b) => a * b))), P));
    }
}
