using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX AveragePool: the mean of each window, over its elements inside the input or, with <paramref name="CountIncludePad"/>, inside the padded input. What hangs
/// over the padded input in ceil mode never counts.
/// </summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
/// <param name="Dilations">Distances between the elements of a window; empty means 1.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
/// <param name="CeilMode">A last window that hangs over the end counts if it starts inside.</param>
/// <param name="CountIncludePad">Padding counts as zeros.</param>
public sealed record AveragePool(ValueList<long> Kernel, ValueList<long> Strides = default, ValueList<long> Pads = default, ValueList<long> Dilations = default,
    AutoPad AutoPad = AutoPad.NotSet, bool CeilMode = false, bool CountIncludePad = false) : Pool(Kernel, Strides, Pads, Dilations, AutoPad, CeilMode)
{
    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var x = input.ToReals();
        var shape = Result(context, input.Shape);
        var output = context.Allocate(0, input.DType, shape);
        var result = new double[output.Count];
        var plane = shape.Product(2, shape.Rank);
        Windows(context, input.Shape, shape, (to, taps) =>
        {
            double sum = 0;
            long count = 0;
            foreach (var t in taps)
                if (t >= 0)
                {
                    sum += x[t];
                    count++;
                }
            result[to] = sum / (CountIncludePad ? Padded(input.Shape, shape, to % plane) : count);
        });
        output.Store(result);
    }

    /// <summary>How many elements of a window lie inside the padded input.</summary>
    private long Padded(Shape input, Shape output, long position)
    {
        var geometry = Geometry;
        long count = 1;
        for (var i = Kernel.Count - 1; i >= 0; i--)
        {
            var (begin, end) = geometry.PadsOf(i, input[i + 2]);
            var start = position % output[i + 2] * geometry.Stride(i);
            position /= output[i + 2];
            var room = begin + input[i + 2] + end - start;
            count *= Math.Clamp((room + geometry.Dilation(i) - 1) / geometry.Dilation(i), 0, Kernel[i]);
        }
        return count;
    }
}
