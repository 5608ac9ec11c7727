namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceAt: the item of a sequence (input 0) at a position (input 1).</summary>
public sealed record SequenceAt : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequirePosition(1);
        context.Set(0, context.Taken(context.Element(0)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var items = context.Items(0);
        context.Set(0, items[context.Position(1, items.Count, items.Count - 1)].Share());
    }
}
