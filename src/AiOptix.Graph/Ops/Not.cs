using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Not: true where the operand is false.</summary>
public sealed record Not : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Bool, "bool");
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var from = x.Bytes;
        var to = context.Allocate(0, DType.Bool, x.Shape).Bytes;
        for (var i = 0; i < from.Length; i++) to[i] = from[i] == 0 ? (byte)1 : (byte)0;
    }
}
