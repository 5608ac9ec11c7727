using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX DynamicQuantizeLinear: float32 to uint8 with a scale and a zero point that cover the values and 0. Outputs y, scale, zero point. Where all values are 0 the
/// scale is 1.
/// </summary>
public sealed record DynamicQuantizeLinear : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Float32, "float32");
        context.Set(0, DType.UInt8, context.Shape(0));
        context.Set(1, DType.Float32, new SymbolicShape());
        context.Set(2, DType.UInt8, new SymbolicShape());
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var values = x.Span<float>();
        var (least, greatest) = (0f, 0f);
        foreach (var v in values) (least, greatest) = (MathF.Min(least, v), MathF.Max(greatest, v));
        var scale = (greatest - least) / 255f;
        if (scale == 0) scale = 1;
        var zero = MathF.Round(Math.Clamp(0 - least / scale, 0f, 255f), MidpointRounding.ToEven);
        var steps = new double[values.Length];
        for (var i = 0; i < steps.Length; i++) steps[i] = values[i] / scale;
        QuantizedTypes.Store(steps, _ => zero, context.Allocate(0, DType.UInt8, x.Shape));
        context.Set(1, Tensor.Scalar(scale));
        context.Set(2, Tensor.Scalar((byte)zero));
        GC.KeepAlive(x);
    }
}
