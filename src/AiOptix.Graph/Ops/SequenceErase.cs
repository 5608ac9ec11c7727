using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceErase: a sequence without the item at a position (input 1; the last one when left out).</summary>
public sealed record SequenceErase : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.Has(1)) context.RequirePosition(1);
        context.Set(0, new SequenceType(context.Element(0)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var items = context.Items(0);
        if (items.Count == 0) throw context.Error("an empty sequence has no item to erase");
        var at = context.Has(1) ? context.Position(1, items.Count, items.Count - 1) : items.Count - 1;
        context.Set(0, new SequenceValue([.. items.Where((_, i) => i != at).Select(i => i.Share())]));
    }
}
