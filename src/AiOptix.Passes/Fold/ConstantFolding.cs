using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>
/// Evaluates pure nodes whose inputs are all constants, by their reference evaluation. Never makes more than 64 KiB of data unless it is no more than what
/// the node reads; what is larger is done when a program is compiled. A node whose evaluation fails stays, so that the run reports it.
/// </summary>
public sealed class ConstantFolding : IPass
{
    /// <summary>The most data that folding may make out of less, bytes.</summary>
    public const long MaxBytes = 64 * 1024;

    /// <summary>The most work that folding a node may be, floating-point operations; the reference evaluation is slow.</summary>
    public const long MaxFlops = 50_000_000;

    private readonly Limits limits;
    private readonly Func<Node, bool> isLeft;

    /// <summary>Folds within limits.</summary>
    /// <param name="limits">The limits.</param>
    /// <param name="isLeft">Nodes to leave as they are, because a backend reads through them; null leaves none.</param>
    public ConstantFolding(Limits limits, Func<Node, bool>? isLeft = null)
    {
        this.limits = limits;
        this.isLeft = isLeft ?? (_ => false);
    }

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        var op = node.Operator;
        if (!op.IsPure || !op.IsKnown || op.Subgraphs.Count > 0 || node.Outputs.Count == 0) return null;
        // Weights that a file holds quantised stay so: integer kernels, here and elsewhere, are found by the pattern, and the file stays small.
        if (op is DequantizeLinear) return null;
        if (node.Inputs.Any(i => i is { IsConstant: false }) || node.Outputs.Any(o => o.OutputUses > 0 || o.TensorType is null)) return null;
        var read = node.Inputs.Sum(i => i?.Constant!.ByteLength ?? 0);
        var most = Math.Min(limits.MaxTensorBytes, Math.Max(MaxBytes, read));
        if (isLeft(node) || node.Outputs.Any(o => SizeOf(o) > most) || Node.FlopsOf([node])?.Constant > MaxFlops) return null;
        if (Evaluate(node, most) is not { } results) return null;
        if (results.Sum(t => t.ByteLength) > most) return null;
        var patch = new Patch(graph, "all inputs are constant");
        for (var i = 0; i < results.Count; i++) patch.Replace(node.Outputs[i], patch.Constant(results[i], node.Outputs[i].Name));
        return patch;
    }

    private List<Tensor>? Evaluate(Node node, long most)
    {
        try
        {
            var results = ReferenceEvaluator.Evaluate(node, new Scope(), limits with { MaxTensorBytes = most, MaxTotalBytes = limits.MaxTotalBytes }, CancellationToken.None);
            return results.All(r => r is Tensor) ? [.. results.Cast<Tensor>()] : null;
        }
        catch (AiOptixException)
        {
            return null;
        }
    }

    private static long SizeOf(Value output) => output.Shape?.Concrete is { } s ? output.DType.ByteLength(s.Count) : 0;
}
