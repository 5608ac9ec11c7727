using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX BatchNormalization: inputs X [N, C, …], scale, bias, mean, variance, each [C]. In training mode the batch's own statistics are used, and outputs 1
/// and 2 are the running mean and variance moved towards them.
/// </summary>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="Momentum">How much of the running statistics stays.</param>
/// <param name="Training">Training mode.</param>
public sealed record BatchNormalization(float Epsilon = 1e-5f, float Momentum = 0.9f, bool Training = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        for (var i = 1; i < 5; i++) context.Require(i, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        context.RequireSame(1, 2);
        context.RequireSame(3, 4);
        Normalizing.RequireChannels(context, 1, 2, 3, 4);
        if (context.OutputCount > 1 && !Training) throw context.Error("outputs 1 and 2 need training mode");
        context.Set(0, type, context.Shape(0));
        context.Set(1, context.DType(3), context.Shape(3));
        context.Set(2, context.DType(4), context.Shape(4));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var x = input.ToReals();
        var channels = s.Rank < 2 ? 1 : (int)s[1];
        var batch = s.Rank == 0 ? 1 : (int)s[0];
        var plane = (int)s.Product(Math.Min(2, s.Rank), s.Rank);
        var (scale, bias, mean, variance) = (context.Input(1).ToReals(), context.Input(2).ToReals(), context.Input(3).ToReals(), context.Input(4).ToReals());
        if (new[] { scale, bias, mean, variance }.Any(v => v.Length != channels)) throw context.Error($"scale, bias, mean and variance must have {channels} elements each");
        var own = new double[batch * plane];
        for (var c = 0; c < channels; c++)
        {
            var (m, v) = (mean[c], variance[c]);
            if (Training)
            {
                for (var n = 0; n < batch; n++) x.AsSpan((n * channels + c) * plane, plane).CopyTo(own.AsSpan(n * plane));
                (m, v) = Normalizing.Statistics(own);
                (mean[c], variance[c]) = (mean[c] * Momentum + m * (1 - Momentum), variance[c] * Momentum + v * (1 - Momentum));
            }
            var factor = scale[c] / Math.Sqrt(v + Epsilon);
            for (var n = 0; n < batch; n++)
                foreach (ref var e in x.AsSpan((n * channels + c) * plane, plane)) e = (e - m) * factor + bias[c];
        }
        context.Allocate(0, input.DType, s).Store(x);
        if (context.OutputCount > 1) context.Allocate(1, context.Input(3).DType, context.Input(3).Shape).Store(mean);
        if (context.OutputCount > 2) context.Allocate(2, context.Input(4).DType, context.Input(4).Shape).Store(variance);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * 2 : null;
}
