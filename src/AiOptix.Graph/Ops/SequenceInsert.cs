using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceInsert: a sequence (input 0) with a tensor (input 1) put in before a position (input 2; at the end when left out).</summary>
public sealed record SequenceInsert : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (context.Has(2)) context.RequirePosition(2);
        var isFirst = context.Node.Inputs[0]!.Producer?.Operator is SequenceEmpty e && e.DType == context.DType(1);
        context.Set(0, new SequenceType(isFirst ? context.Type(1) : context.Both(element, context.Type(1))));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var items = context.Items(0);
        var at = context.Has(2) ? context.Position(2, items.Count, items.Count) : items.Count;
        long held = 0;
        foreach (var item in items.Append(context.Value(1)))
            if (item is Tensor t) held = context.Limits.Charge(held, t, $"node {context.Node}");
        context.Set(0, new SequenceValue([.. items.Take(at).Append(context.Value(1)).Concat(items.Skip(at)).Select(i => i.Share())]));
    }
}
