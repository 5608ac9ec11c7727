using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Tile: input 0 repeated along each axis as often as input 1 says.</summary>
public sealed record Tile : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(1, t => t == DType.Int64, "int64");
        var n = context.Length(1);
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, context.DType(0), n is { } rank ? context.FreshShape(rank) : null);
            return;
        }
        if (n is not null && n != s.Rank) throw context.Error($"{n} repeats are given for shape {s}");
        var repeats = context.Elements(1);
        if (repeats?.FirstOrDefault(r => r.Constant < 0) is { } negative) throw context.Error($"a repeat of {negative} is negative");
        context.Set(0, context.DType(0), repeats is null ? context.FreshShape(s.Rank) : new([.. s.Zip(repeats, (a, b) => a * b)]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var repeats = context.RequiredIntegers(1);
        var s = input.Shape;
        if (repeats.Length != s.Rank || repeats.Any(r => r < 0)) throw context.Error($"repeats [{string.Join(",", repeats)}] do not fit shape {s}");
        var output = context.Allocate(0, input.DType, new Shape([.. s.Zip(repeats, (a, b) => a * b)]), zeroed: input.DType.IsPacked());
        var to = output.Shape.Strides();
        long[] extents = [.. repeats.Concat(s)];
        long[] fromSteps = [.. repeats.Select(_ => 0L), .. s.Strides()];
        long[] toSteps = [.. s.Select((d, i) => d * to[i]), .. to];
        if (output.Count > 0) new ElementMover(input, output).CopyBox(extents, 0, fromSteps, 0, toSteps);
    }
}
