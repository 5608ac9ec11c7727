using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX QuantizeLinear: saturate(round(x / scale) + zero point). Inputs x, scale, zero point (may be left out). The shape of the scale tells the granularity
/// (<see cref="ScaleGrid"/>).
/// </summary>
/// <param name="Axis">The axis of scales that are not one for all.</param>
/// <param name="BlockSize">How many entries of the axis share a scale; 0 for one each.</param>
/// <param name="To">The type of the result; null for that of the zero point, or uint8.</param>
/// <param name="Precision">The type that the division is rounded to; null for that of the scale.</param>
/// <param name="Saturate">Whether float8 results out of range become the largest value.</param>
public sealed record QuantizeLinear(long Axis = 1, long BlockSize = 0, DType? To = null, DType? Precision = null, bool Saturate = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => Numbers.IsReal(t) || t == DType.Int32, "float32, float64, float16, bfloat16 or int32");
        context.Require(1, t => Numbers.IsReal(t) || t is DType.Int32 or DType.Float8E8M0, "a floating-point type, int32 or float8e8m0");
        if (context.Has(2)) context.Require(2, QuantizedTypes.IsQuantized, "a quantised type");
        var type = context.Has(2) ? context.DType(2) : To ?? DType.UInt8;
        if (!QuantizedTypes.IsQuantized(type)) throw context.Error($"{type.Name()} is no type to quantise to");
        if (To is { } to && to != type) throw context.Error($"output_dtype {to.Name()} contradicts a zero point of type {type.Name()}");
        ScaleGrid.Check(context, 1, 2, Axis, BlockSize);
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (x, scale) = (context.Input(0), context.Input(1));
        var type = context.OptionalInput(2)?.DType ?? To ?? DType.UInt8;
        var grid = ScaleGrid.Of(context, x.Shape, scale.Shape, Axis, BlockSize);
        var precision = Precision ?? scale.DType;
        var values = x.ToReals();
        var scales = Array.ConvertAll(scale.ToReals(), s => Numbers.Round(s, precision));
        var zeros = context.OptionalInput(2)?.ToReals() ?? new double[scales.Length];
        if (zeros.Length != scales.Length) throw context.Error($"{zeros.Length} zero points do not fit {scales.Length} scales");
        for (var i = 0; i < values.Length; i++) values[i] = Numbers.Round(Numbers.Round(values[i], precision) / scales[grid.At(i)], precision);
        QuantizedTypes.Store(values, i => zeros[grid.At(i)], context.Allocate(0, type, x.Shape), Saturate);
    }
}
