using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX MaxUnpool: elements of X [N, C, d…] at their positions (input 1, counted in the tensor that kernel, strides and pads give back) in a tensor of zeros. An output shape
/// (input 2) may be larger; the tensor then lies at its beginning.
/// </summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows; empty means 1.</param>
/// <param name="Pads">All begins, then all ends; empty means 0.</param>
public sealed record MaxUnpool(ValueList<long> Kernel, ValueList<long> Strides = default, ValueList<long> Pads = default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        context.Require(1, t => t == DType.Int64, "int64");
        if (new ConvGeometry(Kernel, Strides, [], Pads).Problem() is { } problem) throw context.Error(problem);
        var s = context.Merge(context.Shape(0), context.Shape(1), "values and positions");
        if (s is not null && s.Rank != Kernel.Count + 2) throw context.Error($"input 0 has shape {s}; expected {Kernel.Count} spatial axes after batch and channels");
        if (context.Has(2)) context.Set(0, type, context.ShapeFrom(2));
        else context.Set(0, type, s is null ? null : new([s[0], s[1], .. Enumerable.Range(0, Kernel.Count).Select(i => Extent(i, s[i + 2]))]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var positions = context.Input(1).ToInt64();
        if (positions.Length != x.Count) throw context.Error($"{positions.Length} positions do not fit {x.Count} values");
        var inner = context.Shape([x.Shape[0], x.Shape[1], .. Enumerable.Range(0, Kernel.Count).Select(i => Extent(i, x.Shape[i + 2]).Constant!.Value)]);
        var shape = context.Integers(2) is { } given ? context.Shape(given) : inner;
        if (shape.Rank != inner.Rank) throw context.Error($"the output shape {shape} does not fit {inner}");
        var output = context.Allocate(0, x.DType, shape, zeroed: true);
        var mover = new ElementMover(x, output);
        var (from, to) = (inner.Strides(), shape.Strides());
        for (long i = 0; i < positions.Length; i++)
        {
            if (positions[i] < 0 || positions[i] >= inner.Count) throw context.Error($"position {positions[i]} lies outside of {inner}");
            long place = 0;
            for (var axis = 0; axis < inner.Rank; axis++)
            {
                var at = positions[i] / from[axis] % inner[axis];
                if (at >= shape[axis]) throw context.Error($"position {positions[i]} of {inner} lies outside of the output shape {shape}");
                place += at * to[axis];
            }
            mover.Copy(i, place, 1);
        }
    }

    private Dim Extent(int axis, Dim input) => (input - 1) * (Strides.Count > 0 ? Strides[axis] : 1) + (Kernel[axis] - (Pads.Count > 0 ? Pads[axis] + Pads[axis + Kernel.Count] : 0));

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is null || to[1].Shape is null) return false;
        var r = Kernel.Count;
        var spatial = to.Add(new Mul(), to.Add(new Sub(), to.Add(new ShapeOf(2), to[0]), to.Integers(1)), to.Integers([.. Strides.Count > 0 ? Strides : Enumerable.Repeat(1L, r)]));
        var window = to.Integers([.. Enumerable.Range(0, r).Select(i => Kernel[i] - (Pads.Count > 0 ? Pads[i] + Pads[i + r] : 0))]);
        var shape = to.Add(new Concat(0), to.Add(new ShapeOf(0, 2), to[0]), to.Add(new Add(), spatial, window));
        var zeros = to.Add(new ConstantOfShape(Tensor.Vector(0f)), to.Add(new ReduceProd(), shape, to.Integers(0)));
        var positions = to.Add(new Reshape(), to[1], to.Integers(-1));
        // An index below 0 counts from the end; a position below 0 is an error.
        var index = to.Add(new Where(), to.Add(new Less(), positions, to.Integers(0)), to.Integers(long.MaxValue), positions);
        var y = to.Add(new Reshape(AllowZero: true), to.Add(new ScatterElements(0), zeros, index, to.Add(new Reshape(), to[0], to.Integers(-1))), shape);
        if (to.Node.Input(2) is { } whole) y = to.Add(new Pad(), y, to.Add(new Concat(0), to.Integers(new long[r + 2]), to.Add(new Sub(), whole, shape)));
        return to.Set(0, y);
    }
}
