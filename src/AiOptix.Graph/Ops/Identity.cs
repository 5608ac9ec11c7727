namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Identity: its operand, of any type, sequences and optionals included.</summary>
public sealed record Identity : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Set(0, context.Type(0));
        context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, context.Value(0).Share());
}
