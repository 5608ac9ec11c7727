using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX DeformConv: a convolution whose window elements are moved by offsets [N, offset groups · taps · r, o…] (input 2) and weighted by a mask [N, offset groups · taps, o…]
/// (input 4, may be left out); input 3 is the bias. Between elements X is read linearly, outside it is 0.
/// </summary>
/// <param name="Convolution">The window.</param>
/// <param name="OffsetGroup">How many groups of channels have offsets of their own.</param>
public sealed record DeformConv(Conv Convolution, long OffsetGroup = 1) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        for (var i = 1; i < context.InputCount; i++)
            if (context.Has(i)) context.RequireSame(0, i);
        if (OffsetGroup < 1) throw context.Error($"offset_group {OffsetGroup} must be positive");
        context.Set(0, type, Convolution.Shape(context, 1, 3));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (x, w, offset) = (context.Input(0), context.Input(1), context.Input(2));
        var (xs, ws) = (x.Shape, w.Shape);
        var group = Convolution.Group;
        if (xs[1] != ws[1] * group || ws[0] % group != 0 || xs[1] % OffsetGroup != 0) throw context.Error($"input {x} and weights {w} do not fit {group} groups and {OffsetGroup} offset groups");
        var r = xs.Rank - 2;
        var geometry = Convolution.Geometry(ws.Dims[2..]);
        var spatial = geometry.Outputs(xs.Dims[2..]);
        var (taps, plane) = (ws.Product(2, ws.Rank), new Shape(spatial).Count);
        if (offset.Shape != new Shape([xs[0], OffsetGroup * taps * r, .. spatial])) throw context.Error($"offsets {offset} do not fit {OffsetGroup} groups of {taps} window elements");
        var (values, weights, moves) = (x.ToReals(), w.ToReals(), offset.ToReals());
        var mask = context.OptionalInput(4)?.ToReals();
        if (mask is not null && mask.Length != xs[0] * OffsetGroup * taps * plane) throw context.Error($"the mask {context.Input(4)} does not fit {OffsetGroup} groups of {taps} window elements");
        var bias = context.OptionalInput(3)?.ToReals();
        var output = context.Allocate(0, x.DType, new Shape([xs[0], ws[0], .. spatial]));
        var result = new double[output.Count];
        var inputPlane = xs.Product(2, xs.Rank);
        var columns = new double[xs[1] * taps];
        var at = new double[r];
        for (long n = 0; n < xs[0]; n++)
            for (long p = 0; p < plane; p++)
            {
                for (long g = 0; g < OffsetGroup; g++)
                    for (long t = 0; t < taps; t++)
                    {
                        Place(geometry, xs, spatial, p, t, at);
                        for (var a = 0; a < r; a++) at[a] += moves[((n * OffsetGroup + g) * taps * r + t * r + a) * plane + p];
                        var factor = mask?[((n * OffsetGroup + g) * taps + t) * plane + p] ?? 1;
                        for (var c = g * xs[1] / OffsetGroup; c < (g + 1) * xs[1] / OffsetGroup; c++)
                            columns[c * taps + t] = factor * Read(values.AsSpan((int)((n * xs[1] + c) * inputPlane), (int)inputPlane), xs.Dims[2..], at, 0, 0);
                    }
                for (long m = 0; m < ws[0]; m++)
                {
                    var sum = bias?[m] ?? 0;
                    var first = m / (ws[0] / group) * ws[1] * taps;
                    for (long k = 0; k < ws[1] * taps; k++) sum += weights[m * ws[1] * taps + k] * columns[first + k];
                    result[(n * ws[0] + m) * plane + p] = sum;
                }
            }
        output.Store(result);
    }

    private static void Place(ConvGeometry geometry, Shape input, long[] spatial, long position, long tap, double[] at)
    {
        for (var a = at.Length - 1; a >= 0; a--)
        {
            at[a] = position % spatial[a] * geometry.Stride(a) - geometry.PadsOf(a, input[a + 2]).Begin + tap % geometry.Kernel[a] * geometry.Dilation(a);
            position /= spatial[a];
            tap /= geometry.Kernel[a];
        }
    }

    /// <summary>Reads linearly along this axis and those behind it.</summary>
    private static double Read(ReadOnlySpan<double> plane, ReadOnlySpan<long> dims, double[] at, int axis, long offset)
    {
        if (axis == at.Length) return plane[(int)offset];
        if (!(at[axis] > -1 && at[axis] < dims[axis])) return 0;
        var low = (long)Math.Floor(at[axis]);
        var f = at[axis] - low;
        double sum = 0;
        if (low >= 0 && f < 1) sum += (1 - f) * Read(plane, dims, at, axis + 1, offset * dims[axis] + low);
        if (low + 1 < dims[axis] && f > 0) sum += f * Read(plane, dims, at, axis + 1, offset * dims[axis] + low + 1);
        return sum;
    }
}
