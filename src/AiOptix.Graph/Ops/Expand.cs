using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Expand: input 0 broadcast, in both directions, with the shape that input 1 gives as data.</summary>
public sealed record Expand : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(1, t => t == DType.Int64, "int64");
        var type = context.DType(0);
        var data = context.Shape(0);
        if (context.Elements(1) is null)
        {
            var rank = context.Length(1) is { } n && data is not null ? Math.Max(n, data.Rank) : (int?)null;
            context.Set(0, type, rank is { } r ? context.FreshShape(r) : null);
            return;
        }
        var target = context.ShapeFrom(1)!;
        if (data is null)
        {
            context.Set(0, type, null);
            return;
        }
        var result = SymbolicShape.Broadcast(data, target) ?? throw context.Error($"shape {data} does not broadcast with {target}");
        context.Set(0, type, result);
        if (result.Rank <= 1 && context.Elements(0) is { Count: 1 } e && result.Count.Constant is { } count and <= Graph.MaxFollowedElements)
            context.SetElements(0, [.. Enumerable.Repeat(e[0], (int)count)]);
        else if (result.Rank <= 1 && data.Equals(result)) context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var target = context.Shape(context.RequiredIntegers(1));
        var rank = Math.Max(input.Shape.Rank, target.Rank);
        var strides = input.Shape.Strides();
        var dims = new long[rank];
        var steps = new long[rank];
        for (var i = 0; i < rank; i++)
        {
            var a = i - (rank - input.Shape.Rank);
            var t = i - (rank - target.Rank);
            var have = a < 0 ? 1 : input.Shape[a];
            var want = t < 0 ? 1 : target[t];
            if (have != want && have != 1 && want != 1) throw context.Error($"shape {input.Shape} does not broadcast with {target}");
            dims[i] = have == 1 ? want : have;
            steps[i] = have == 1 ? 0 : strides[a];
        }
        var output = context.Allocate(0, input.DType, new Shape(dims), zeroed: input.DType.IsPacked());
        if (output.Count > 0) new ElementMover(input, output).CopyBox(dims, 0, steps, 0, output.Shape.Strides());
    }
}
