using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX AffineGrid: sampling positions [N, d…, r] for affine matrices [N, r, r + 1] and an output size [N, C, d…]; r is 2 or 3, coordinates go from the innermost axis out.</summary>
/// <param name="AlignCorners">-1 and 1 are the centres of the corner pixels, not their outer edges.</param>
public sealed record AffineGrid(bool AlignCorners = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireRank(0, 3);
        context.RequireIndices(1);
        var size = context.ShapeFrom(1);
        if (size is { Rank: not (4 or 5) }) throw context.Error($"the size {size} must have 4 or 5 extents");
        if (size is not null && context.Shape(0) is { } theta) context.Same(theta[0], size[0], "batches of matrices and size");
        context.Set(0, type, size is null ? null : new([size[0], .. size.Dims[2..], size.Rank - 2]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var theta = context.Input(0);
        var size = context.Shape(context.RequiredIntegers(1));
        var r = size.Rank - 2;
        if (r is not (2 or 3) || theta.Shape != new Shape(size[0], r, r + 1)) throw context.Error($"matrices {theta} do not fit the size {size}");
        var output = context.Allocate(0, theta.DType, new Shape([size[0], .. size.Dims[2..], r]));
        var matrices = theta.ToReals();
        var values = new double[output.Count];
        var plane = size.Product(2, size.Rank);
        Span<double> at = stackalloc double[r];
        for (long p = 0; p < size[0] * plane; p++)
        {
            var rest = p % plane;
            for (var axis = r - 1; axis >= 0; axis--)
            {
                var (n, i) = (size[axis + 2], rest % size[axis + 2]);
                at[r - 1 - axis] = Coordinate(i, n);
                rest /= n;
            }
            for (var row = 0; row < r; row++)
            {
                var m = matrices.AsSpan((int)(p / plane * r + row) * (r + 1), r + 1);
                var sum = m[r];
                for (var k = 0; k < r; k++) sum += m[k] * at[k];
                values[p * r + row] = sum;
            }
        }
        output.Store(values);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[1].Elements?.Select(e => e.Constant ?? -1).ToArray() is not { Length: 4 or 5 } size || size.Any(e => e < 1)) return false;
        var r = size.Length - 2;
        var extents = size[2..];
        var plane = extents.Aggregate(1L, (a, b) => a * b);
        if (plane > int.MaxValue / 16) return false;
        var places = new float[plane * (r + 1)];
        for (long p = 0; p < plane; p++)
        {
            var rest = p;
            for (var axis = r - 1; axis >= 0; axis--, rest /= extents[axis + 1]) places[p * (r + 1) + r - 1 - axis] = (float)Coordinate(rest % extents[axis], extents[axis]);
            places[p * (r + 1) + r] = 1;
        }
        var grid = to.Add(new MatMul(), to.Constant(Tensor.From<float>(places, new Shape(plane, r + 1))), to.Add(new Transpose([0, 2, 1]), to[0]));
        return to.Set(0, to.Add(new Reshape(), grid, to.Integers([size[0], .. extents, r])));
    }

    private double Coordinate(long i, long n) => AlignCorners ? n == 1 ? 0 : -1 + 2.0 * i / (n - 1) : (2.0 * i + 1) / n - 1;
}
