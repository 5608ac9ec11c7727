using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Gather: slices of input 0 along one axis, picked by the indices of input 1 (negative ones count from the end).</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Gather(long Axis = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequireIndices(1);
        var data = context.Shape(0);
        var indices = context.Shape(1);
        if (data is { Rank: 0 }) throw context.Error("input 0 must have at least one axis");
        var axis = data is null ? 0 : context.Axis(Axis, data.Rank);
        if (data is null || indices is null)
        {
            context.Set(0, context.DType(0), null);
            return;
        }
        context.Set(0, context.DType(0), new([.. data.Take(axis), .. indices, .. data.Skip(axis + 1)]));
        if (data[axis].Constant is { } n && context.Integers(1) is { } known)
            foreach (var i in known)
                if (i < -n || i >= n) throw context.Error($"index {i} is out of range for axis {axis} of shape {data}");
        if (data.Rank == 1 && indices.Rank <= 1 && context.Elements(0) is { } e && context.Integers(1) is { } at)
            context.SetElements(0, [.. at.Select(i => e[(int)(i < 0 ? i + e.Count : i)])]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var data = context.Input(0);
        var indices = context.RequiredIntegers(1);
        var axis = context.Axis(Axis, data.Shape.Rank);
        var n = data.Shape[axis];
        foreach (var i in indices)
            if (i < -n || i >= n) throw context.Error($"index {i} is out of range for axis {axis} of shape {data.Shape}");
        var shape = new Shape([.. data.Shape.Take(axis), .. context.Input(1).Shape, .. data.Shape.Skip(axis + 1)]);
        var output = context.Allocate(0, data.DType, shape, zeroed: data.DType.IsPacked());
        var outer = data.Shape.Product(0, axis);
        var inner = data.Shape.Product(axis + 1, data.Shape.Rank);
        var mover = new ElementMover(data, output);
        long to = 0;
        for (long o = 0; o < outer; o++)
            foreach (var i in indices)
            {
                mover.Copy((o * n + (i < 0 ? i + n : i)) * inner, to, inner);
                to += inner;
            }
    }
}
