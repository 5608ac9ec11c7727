using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX BitwiseNot: every bit of an integer turned over.</summary>
public sealed record BitwiseNot : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsInteger, "an integer type");
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var from = x.Bytes;
        var to = context.Allocate(0, x.DType, x.Shape).Bytes;
        for (var i = 0; i < from.Length; i++) to[i] = (byte)~from[i];
    }
}
