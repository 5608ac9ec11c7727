using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX MaxPool: the largest element of each window, and, as output 1 (may be left out), its position in the whole input. Padding never wins; a window of
/// padding alone gives the type's lowest value and position -1.
/// </summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between the elements of a window; empty means 1.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
/// <param name="CeilMode">A last window that hangs over the end counts if it starts inside.</param>
/// <param name="ColumnMajor">Positions count the spatial axes in column-major order.</param>
public sealed record MaxPool(ValueList<long> Kernel, ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default,
    AutoPad AutoPad = AutoPad.NotSet, bool CeilMode = false, bool ColumnMajor = false) : Pool(Kernel, Strides, Pads, Dilations, AutoPad, CeilMode)
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        base.Infer(context);
        context.Set(1, DType.Int64, context.Node.Output.Shape);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var x = input.ToReals();
        var output = context.Allocate(0, input.DType, Result(context, input.Shape));
        var indices = context.OutputCount > 1 ? new long[output.Count] : null;
        var result = new double[output.Count];
        var lowest = input.DType switch { DType.Int8 => sbyte.MinValue, DType.UInt8 => 0, DType.Float16 => (double)Half.NegativeInfinity, _ => double.NegativeInfinity };
        Windows(context, input.Shape, output.Shape, (to, taps) =>
        {
            long best = -1;
            foreach (var t in taps)
                if (t >= 0 && (best < 0 || x[t] > x[best] || (double.IsNaN(x[t]) && !double.IsNaN(x[best])))) best = t;
            result[to] = best < 0 ? lowest : x[best];
            if (indices is not null) indices[to] = best < 0 || !ColumnMajor ? best : Turned(best, input.Shape);
        });
        if (Numbers.IsReal(input.DType)) output.Store(result);
        else output.Store(Array.ConvertAll(result, v => (long)v));
        if (indices is not null) context.Allocate(1, DType.Int64, output.Shape).Store(indices);
    }

    private protected override bool Allowed(DType type) => base.Allowed(type) || type is DType.Int8 or DType.UInt8;

    /// <summary>A position with the spatial axes counted in column-major order.</summary>
    private static long Turned(long position, Shape shape)
    {
        var plane = shape.Product(2, shape.Rank);
        var rest = position % plane;
        long turned = 0;
        for (var i = shape.Rank - 1; i >= 2; i--)
        {
            turned += rest % shape[i] * shape.Product(2, i);
            rest /= shape[i];
        }
        return position / plane * plane + turned;
    }
}
