using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Unsqueeze: inserts axes of extent 1 where input 1 says, counted in the output.</summary>
public sealed record Unsqueeze : Operator
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
        var given = context.Integers(1) ?? throw context.Error("input 1 (axes) is required");
        var rank = input.Shape.Rank + given.Length;
        var at = context.Axes(given, rank);
        var rest = new Queue<long>(input.Shape);
        context.Set(0, input.Reshape(new Shape(Queries.Each(rank, i => Array.IndexOf(at, i) >= 0 ? 1 : rest.Dequeue()))));
    }

    private static SymbolicShape? Result(InferenceContext context)
    {
        if (!context.Has(1)) throw context.Error("input 1 (axes) is required");
        if (context.Shape(0) is not { } s) return null;
        if (context.Integers(1) is not { } given) return context.Length(1) is { } n ? context.FreshShape(s.Rank + n) : null;
        var rank = s.Rank + given.Length;
        var at = context.Axes(given, rank);
        var rest = new Queue<Dim>(s);
        return new(Queries.Each(rank, i => Array.IndexOf(at, i) >= 0 ? Dim.One : rest.Dequeue()));
    }
}
