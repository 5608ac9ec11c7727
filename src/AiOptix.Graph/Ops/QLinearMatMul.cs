using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Matrix products of quantised operands less their zero points: a's may be one a row, b's one a column.</summary>
internal static class QuantizedProducts
{
    /// <summary>The product, exact as long as it stays below 2^53.</summary>
    public static (double[] Values, Shape Shape) Multiply(EvaluationContext context, Tensor a, Tensor? aZero, Tensor b, Tensor? bZero) =>
        MatMul.Product(context, a.Shape, Centred(context, a, aZero, rows: true), b.Shape, Centred(context, b, bZero, rows: false));

    /// <summary>A tensor of scales or zero points as it broadcasts to a matrix: a vector of rows stands upright.</summary>
    public static Tensor Upright(Tensor tensor, bool rows) => rows && tensor.Shape.Rank == 1 && tensor.Count > 1 ? tensor.Reshape(new Shape(tensor.Count, 1)) : tensor;

    private static double[] Centred(EvaluationContext context, Tensor matrix, Tensor? zero, bool rows)
    {
        var values = ElementTypes.ToFloat64(matrix);
        if (zero is null) return values;
        using var upright = Upright(zero.Share() as Tensor ?? zero, rows);
        var zeros = Normalizing.Spread(context, upright, matrix.Shape);
        for (var i = 0; i < values.Length; i++) values[i] -= zeros[i];
        return values;
    }
}

/// <summary>ONNX MatMulInteger: the int32 product of int8 or uint8 matrices less their zero points (inputs 2 and 3, may be left out).</summary>
public sealed record MatMulInteger : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, QuantizedTypes.IsByte, "int8 or uint8");
        context.Require(1, QuantizedTypes.IsByte, "int8 or uint8");
        if (context.Has(2)) context.RequireSame(0, 2);
        if (context.Has(3)) context.RequireSame(1, 3);
        context.Set(0, DType.Int32, MatMul.Shape(context, 0, 1));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (values, shape) = QuantizedProducts.Multiply(context, context.Input(0), context.OptionalInput(2), context.Input(1), context.OptionalInput(3));
        context.Allocate(0, DType.Int32, shape).Store(Array.ConvertAll(values, v => (long)v));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } o && node.Input(0)?.Shape is { Rank: > 0 } a ? o.Count * a[-1] * 2 : null;
}

/// <summary>
/// ONNX QLinearMatMul: the product of quantised matrices, quantised again. Inputs a, its scale and zero point, b, its scale and zero point, the scale and zero point
/// of the result. Scales and zero points of a may be one a row, those of b one a column. Beyond ONNX, input 8 may be an int32 bias for each column, in steps of both scales' product, as QLinearConv has one;
/// the scales of a and the result are then float32 scalars.
/// </summary>
public sealed record QLinearMatMul : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        foreach (var i in (ReadOnlySpan<int>)[0, 3, 7]) context.Require(i, QuantizedTypes.IsQuantized, "a quantised type");
        foreach (var i in (ReadOnlySpan<int>)[1, 4, 6]) context.Require(i, Numbers.IsReal, "a floating-point type");
        context.RequireSame(0, 2);
        context.RequireSame(3, 5);
        if (context.Has(8))
        {
            context.Require(0, QuantizedTypes.IsByte, "int8 or uint8, as it has a bias");
            context.Require(3, QuantizedTypes.IsByte, "int8 or uint8, as it has a bias");
            foreach (var i in (ReadOnlySpan<int>)[1, 4, 6]) context.Require(i, t => t == DType.Float32, "float32, as it has a bias");
            foreach (var i in (ReadOnlySpan<int>)[1, 6])
                if (context.Shape(i) is { } scale && scale.Any(d => d.Constant is not null and not 1)) throw context.Error($"a product with a bias has one scale for input {i}, found shape {scale}");
            context.Require(8, t => t == DType.Int32, "int32");
            context.RequireRank(8, 1);
        }
        context.Set(0, context.DType(7), MatMul.Shape(context, 0, 3));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (values, shape) = QuantizedProducts.Multiply(context, context.Input(0), context.Input(2), context.Input(3), context.Input(5));
        if (context.OptionalInput(8) is { } bias)
        {
            var addends = bias.ToReals();
            if (addends.Length != shape[-1]) throw context.Error($"{addends.Length} addends do not fit {shape[-1]} columns");
            for (var i = 0; i < values.Length; i++) values[i] += addends[i % addends.Length];
        }
        var type = context.Input(1).DType;
        using var upright = QuantizedProducts.Upright((Tensor)context.Input(1).Share(), rows: true);
        var rows = Normalizing.Spread(context, upright, shape);
        var columns = Normalizing.Spread(context, context.Input(4), shape);
        var result = Normalizing.Spread(context, context.Input(6), shape);
        var zeros = Normalizing.Spread(context, context.Input(7), shape);
        var precision = type == DType.Float64 ? DType.Float64 : DType.Float32;
        for (var i = 0; i < values.Length; i++)
            values[i] = Numbers.Round(Numbers.Round(values[i], precision) * Numbers.Round(Numbers.Round(rows[i] * columns[i], type) / result[i], type), precision);
        QuantizedTypes.Store(values, i => zeros[i], context.Allocate(0, context.Input(7).DType, shape));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } o && node.Input(0)?.Shape is { Rank: > 0 } a ? o.Count * a[-1] * 2 : null;
}
