using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Layout;

/// <summary>
/// An operator whose contract has its channels at axis 1, over an input 0 and an output with their channels last; other inputs lie as the operator has them. It lives in the backend's copy of a
/// graph only.
/// </summary>
/// <param name="Inner">The operator.</param>
/// <param name="Type">The output's type, channels last.</param>
internal sealed record ChannelsLast(Operator Inner, TensorType Type) : Operator
{
    public override string Name => Inner.Name;

    public override Dim? Flops(Node node) => Inner.Flops(node);

    public override void Infer(InferenceContext context) => context.Set(0, Type);

    public override void Evaluate(EvaluationContext context)
    {
        var rank = context.Input(0).Shape.Rank;
        using var first = Turned(context, context.Input(0), Permutation.ToFirst(rank));
        RuntimeValue?[] inputs = [first, .. Enumerable.Range(1, context.InputCount - 1).Select(context.OptionalInput)];
        var inner = new EvaluationContext(context.Node, inputs, context.Limits, context.OuterScope, context.Cancellation);
        Inner.Evaluate(inner);
        using var result = (Tensor)inner.Outputs[0]!;
        context.Set(0, Turned(context, result, Permutation.ToLast(rank)));
    }

    private static Tensor Turned(EvaluationContext context, Tensor tensor, int[] permutation)
    {
        var turn = new EvaluationContext(context.Node, [tensor], context.Limits, context.OuterScope, context.Cancellation);
        new Transpose([.. permutation.Select(p => (long)p)]).Evaluate(turn);
        return (Tensor)turn.Outputs[0]!;
    }
}
