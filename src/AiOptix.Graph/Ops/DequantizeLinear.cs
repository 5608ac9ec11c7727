using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX DequantizeLinear: (x - zero point) · scale. Inputs x, scale, zero point (may be left out). The shape of the scale tells the granularity
/// (<see cref="ScaleGrid"/>).
/// </summary>
/// <param name="Axis">The axis of scales that are not one for all.</param>
/// <param name="BlockSize">How many entries of the axis share a scale; 0 for one each.</param>
/// <param name="To">The type of the result; null for that of the scale.</param>
public sealed record DequantizeLinear(long Axis = 1, long BlockSize = 0, DType? To = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => QuantizedTypes.IsQuantized(t) || t == DType.Int32, "a quantised type or int32");
        var scale = context.Require(1, t => Numbers.IsReal(t) || t == DType.Float8E8M0, "a floating-point type or float8e8m0");
        if (context.Has(2)) context.RequireSame(0, 2);
        var type = To ?? scale;
        if (!Numbers.IsReal(type)) throw context.Error($"a scale of type {scale.Name()} needs an output_dtype of float32, float16 or bfloat16");
        ScaleGrid.Check(context, 1, 2, Axis, BlockSize);
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (x, scale) = (context.Input(0), context.Input(1));
        var grid = ScaleGrid.Of(context, x.Shape, scale.Shape, Axis, BlockSize);
        var values = ElementTypes.ToFloat64(x);
        var scales = scale.ToReals();
        var zeros = context.OptionalInput(2)?.ToReals() ?? new double[scales.Length];
        if (zeros.Length != scales.Length) throw context.Error($"{zeros.Length} zero points do not fit {scales.Length} scales");
        for (var i = 0; i < values.Length; i++)
        {
            var at = grid.At(i);
            values[i] = (values[i] - zeros[at]) * scales[at];
        }
        context.Allocate(0, To ?? scale.DType, x.Shape).Store(values);
    }
}
