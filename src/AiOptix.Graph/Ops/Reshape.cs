using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Reshape: the same elements under another shape, given as data. One -1 takes what is left over; a 0 copies the input's extent unless
/// <paramref name="AllowZero"/>.
/// </summary>
/// <param name="AllowZero">A 0 means an extent of 0.</param>
public sealed record Reshape(bool AllowZero = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(1, t => t == DType.Int64, "int64");
        context.Set(0, context.DType(0), Target(context));
        if (context.Node.Output.Shape is { Rank: <= 1 }) context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var dims = context.RequiredIntegers(1);
        var rest = -1;
        for (var i = 0; i < dims.Length; i++)
            if (dims[i] == 0 && !AllowZero)
                dims[i] = i < input.Shape.Rank ? input.Shape[i] : throw context.Error($"extent {i} copies an axis that shape {input.Shape} does not have");
            else if (dims[i] == -1)
                rest = rest < 0 ? i : throw context.Error($"shape [{string.Join(",", dims)}] has more than one -1");
        if (rest >= 0)
        {
            dims[rest] = 1;
            var others = context.Shape(dims).Count;
            dims[rest] = others != 0 && input.Count % others == 0 ? input.Count / others
                : throw context.Error($"{input.Shape} does not divide into a shape whose other extents are [{string.Join(",", dims.Where((_, i) => i != rest))}]");
        }
        var shape = context.Shape(dims);
        if (shape.Count != input.Count) throw context.Error($"{input.Shape} has {input.Count} elements and cannot become {shape}");
        context.Set(0, input.Reshape(shape));
    }

    private SymbolicShape? Target(InferenceContext context)
    {
        if (context.Elements(1) is not { } asked) return context.Length(1) is { } rank ? context.FreshShape(rank) : null;
        var input = context.Shape(0);
        var dims = new Dim[asked.Count];
        var rest = -1;
        for (var i = 0; i < dims.Length; i++)
        {
            dims[i] = asked[i];
            if (asked[i].Constant == -1) rest = rest < 0 ? i : throw context.Error($"shape [{string.Join(",", asked)}] has more than one -1");
            else if (asked[i].Constant < 0) throw context.Error($"shape [{string.Join(",", asked)}] has a negative extent");
            else if (asked[i].Constant == 0 && !AllowZero)
                dims[i] = input is null ? context.Fresh() : i < input.Rank ? input[i] : throw context.Error($"extent {i} copies an axis that shape {input} does not have");
        }
        if (rest >= 0)
        {
            dims[rest] = 1;
            var others = new SymbolicShape(dims).Count;
            if (others.Constant == 0) throw context.Error($"shape [{string.Join(",", asked)}] leaves -1 undetermined beside an extent of 0");
            dims[rest] = input is null ? context.Fresh() : Dim.FloorDiv(input.Count, others);
        }
        var shape = new SymbolicShape(dims);
        if (input?.Count.Constant is { } have && shape.Count.Constant is { } want && have != want)
            throw context.Error($"{input} has {have} elements and cannot become [{string.Join(",", asked)}]");
        if (input is not null) context.AssumeEqual(shape.Count, input.Count, "the elements before and after");
        return shape;
    }
}
