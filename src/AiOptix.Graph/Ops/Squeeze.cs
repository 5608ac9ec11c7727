using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Squeeze: drops axes of extent 1: those that input 1 names, or all of them when it is left out.</summary>
public sealed record Squeeze : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.DType(0), Result(context));
        if (context.Node.Output.Shape is { Rank: <= 1 }) context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var drop = context.Integers(1) is { } given ? context.Axes(given, s.Rank) : Array.FindAll(Queries.Each(s.Rank, i => i), i => s[i] == 1);
        foreach (var a in drop)
            if (s[a] != 1) throw context.Error($"axis {a} of shape {s} cannot be dropped; its extent is not 1");
        context.Set(0, input.Reshape(new Shape([.. s.Where((_, i) => !drop.Contains(i))])));
    }

    private static SymbolicShape? Result(InferenceContext context)
    {
        if (context.Shape(0) is not { } s) return null;
        if (!context.Has(1)) return s.All(d => d.IsConstant) ? new([.. s.Where(d => d.Constant != 1)]) : null;
        if (context.Integers(1) is not { } given) return context.Length(1) is { } n ? context.FreshShape(Math.Max(0, s.Rank - n)) : null;
        var drop = context.Axes(given, s.Rank);
        foreach (var a in drop)
        {
            if (s[a].Constant is { } d and not 1) throw context.Error($"axis {a} of shape {s} cannot be dropped; its extent is {d}");
            context.AssumeEqual(s[a], 1, $"axis {a} that is dropped");
        }
        return new([.. s.Where((_, i) => !drop.Contains(i))]);
    }
}
