using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What the two convolutions of quantised operands share.</summary>
internal static class QuantizedConvolutions
{
    /// <summary>The convolution of the operands less their zero points, exact as long as it stays below 2^53. Padding stands for the zero point.</summary>
    public static (double[] Values, Shape Shape) Convolve(EvaluationContext context, Conv conv, Tensor x, Tensor? xZero, Tensor w, Tensor? wZero, Tensor? bias)
    {
        var input = ElementTypes.ToFloat64(x);
        if (xZero?.ToReals() is { } xz)
        {
            if (xz.Length != 1) throw context.Error($"the zero point of the input must be a scalar, found {xZero}");
            for (var i = 0; i < input.Length; i++) input[i] -= xz[0];
        }
        var weights = ElementTypes.ToFloat64(w);
        if (wZero?.ToReals() is { } wz)
            for (var i = 0; i < weights.Length; i++) weights[i] -= wz[Filter(context, wz, i, w.Shape)];
        return conv.Apply(context, input, x.Shape, weights, w.Shape, bias?.ToReals());
    }

    /// <summary>Which of one or as many as filters values belongs to an element of a tensor whose axis <paramref name="axis"/> runs over the filters.</summary>
    public static int Filter(EvaluationContext context, double[] values, int element, Shape shape, int axis = 0)
    {
        if (values.Length == 1) return 0;
        if (values.Length != shape[axis]) throw context.Error($"{values.Length} scales or zero points do not fit {shape[axis]} filters");
        return (int)(element / shape.Product(axis + 1, shape.Rank) % shape[axis]);
    }
}

/// <summary>ONNX ConvInteger: the int32 convolution of int8 or uint8 operands less their zero points. Inputs x, w, zero points of both (may be left out); w's may be one a filter.</summary>
/// <param name="Convolution">The window.</param>
public sealed record ConvInteger(Conv Convolution) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, QuantizedTypes.IsByte, "int8 or uint8");
        context.Require(1, QuantizedTypes.IsByte, "int8 or uint8");
        if (context.Has(2)) context.RequireSame(0, 2);
        if (context.Has(3)) context.RequireSame(1, 3);
        context.Set(0, DType.Int32, Convolution.Shape(context, 1, -1));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (values, shape) = QuantizedConvolutions.Convolve(context, Convolution, context.Input(0), context.OptionalInput(2), context.Input(1), context.OptionalInput(3), null);
        context.Allocate(0, DType.Int32, shape).Store(Array.ConvertAll(values, v => (long)v));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => Convolution.Flops(node);
}

/// <summary>
/// ONNX QLinearConv: a convolution of quantised operands, quantised again. Inputs x, its scale and zero point, w, its scale and zero point (one, or one a filter), the
/// scale and zero point of the result, an int32 bias in steps of both scales' product (may be left out). The sum is exact; as a float32 it is multiplied with the
/// float32 x scale · w scale / result scale, rounded to the nearest even integer, and the zero point is added.
/// </summary>
/// <param name="Convolution">The window.</param>
public sealed record QLinearConv(Conv Convolution) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        foreach (var i in (ReadOnlySpan<int>)[0, 3, 7]) context.Require(i, QuantizedTypes.IsByte, "int8 or uint8");
        foreach (var i in (ReadOnlySpan<int>)[1, 4, 6]) context.Require(i, Numbers.IsReal, "a floating-point type");
        context.RequireSame(0, 2);
        context.RequireSame(3, 5);
        if (context.Has(8)) context.Require(8, t => t == DType.Int32, "int32");
        context.Set(0, context.DType(7), Convolution.Shape(context, 3, 8));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (values, shape) = QuantizedConvolutions.Convolve(context, Convolution, context.Input(0), context.Input(2), context.Input(3), context.Input(5), context.OptionalInput(8));
        var (x, w, y, zero) = (context.Input(1).ToReals(), context.Input(4).ToReals(), context.Input(6).ToReals(), context.Input(7).ToReals());
        if (x.Length != 1 || y.Length != 1 || zero.Length != 1) throw context.Error("the scales of input and result and the zero point of the result must be scalars");
        var factors = Array.ConvertAll(w, s => (double)((float)x[0] * (float)s / (float)y[0]));
        for (var i = 0; i < values.Length; i++) values[i] = (float)values[i] * (float)factors[QuantizedConvolutions.Filter(context, factors, i, shape, 1)];
        QuantizedTypes.Store(values, _ => zero[0], context.Allocate(0, context.Input(7).DType, shape));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) =>
        node.Output.Shape is { } o && node.Input(3)?.Shape is { Rank: > 0 } w ? o.Count * new SymbolicShape(w.Dims[1..]).Count * 2 : null;
}
