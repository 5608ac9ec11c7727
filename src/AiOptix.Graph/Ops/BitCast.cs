using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX BitCast: the same bits as elements of another type of the same width.</summary>
/// <param name="To">The type.</param>
public sealed record BitCast(DType To) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t != DType.String && t.Bits() == To.Bits(), $"a type as wide as {To.Name()}");
        context.Set(0, To, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        x.Bytes.CopyTo(context.Allocate(0, To, x.Shape).Bytes);
        GC.KeepAlive(x);
    }
}
