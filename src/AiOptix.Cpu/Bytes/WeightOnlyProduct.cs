using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Bytes;

/// <summary>
/// MatMul of float32 with constant weights of 4 or 8 bits that a DequantizeLinear makes numbers, perhaps transposed: inputs x, weights, scales, zero points (may be left out). The weights stay as they are
/// stored. It lives in the backend's copy of a graph only.
/// </summary>
/// <param name="Dequantize">How the weights become numbers.</param>
/// <param name="IsTransposed">Weights are [N,K].</param>
internal sealed record WeightOnlyProduct(DequantizeLinear Dequantize, bool IsTransposed) : Operator
{
    public override string Name => nameof(MatMul);

    public override Dim? Flops(Node node) => node.Output.Shape is { } o && node.Input(0)?.Shape is { Rank: > 0 } a ? o.Count * a[-1] * 2 : null;

    public override void Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x && context.Shape(1) is { } w) context.Set(0, DType.Float32, new SymbolicShape([.. x.Dims[..^1], w[IsTransposed ? 0 : 1]]));
        else context.Set(0, DType.Float32, null);
    }

    public override void Evaluate(EvaluationContext context)
    {
        using var numbers = Run(context, Dequantize, [.. Enumerable.Range(1, context.InputCount - 1).Select(context.OptionalInput)]);
        using var weights = IsTransposed ? Run(context, new Transpose([1, 0]), [numbers]) : (Tensor)numbers.Share();
        context.Set(0, Run(context, new MatMul(), [context.Input(0), weights]));
    }

    /// <summary>A graph with such products in place of MatMul: a copy, or the graph itself when there are none. A pure function.</summary>
    public static Graph Assign(Graph graph)
    {
        if (!graph.Nodes.Any(n => Match(graph, n) is not null)) return graph;
        var copy = graph.Clone();
        foreach (var node in copy.Nodes.ToArray())
        {
            if (node.Outputs.Count == 0 || copy.Values.GetValueOrDefault(node.Output.Name) != node.Output || Match(copy, node) is not var (product, made)) continue;
            var patch = new Patch(copy, $"{node} of stored weights");
            patch.Replace(node.Output, patch.AddNode(product, [node.Inputs[0], .. made.Inputs], 1, node).Output).Apply();
        }
        return copy;
    }

    private static (WeightOnlyProduct Product, Node Made)? Match(Graph graph, Node node)
    {
        if (node.Operator is not MatMul || node is not { Contradiction: null, Inputs: [{ DType: DType.Float32, Shape: { Rank: >= 2 } x }, { Producer: { } producer } right] } || producer.Graph != graph) return null;
        var isTransposed = producer.Operator is Transpose && right.Shape?.Rank == 2;
        if (isTransposed && (!((Transpose)producer.Operator).PermutationOf(2).SequenceEqual([1, 0]) || producer.Inputs[0]!.Producer is not { } before || (producer = before).Graph != graph)) return null;
        if (producer is not { Operator: DequantizeLinear { To: null or DType.Float32 } op, Inputs: [{ DType: DType.Int8 or DType.UInt8 or DType.Int4 or DType.UInt4, Constant: { Shape.Rank: 2 } q }, { DType: DType.Float32, Constant: { } scales }, ..] }) return null;
        if (producer.Input(2) is { IsConstant: false } || !x[-1].Equals(q.Shape[isTransposed ? 1 : 0]) || BlockOf(op, q.Shape, scales.Shape, isTransposed) is null) return null;
        return (new(op, isTransposed), producer);
    }

    /// <summary>How many terms share a scale; null where scales do not belong to blocks of terms or to whole columns.</summary>
    public static int? BlockOf(DequantizeLinear op, Shape weights, Shape scales, bool isTransposed)
    {
        var (terms, columns) = isTransposed ? (1, 0) : (0, 1);
        var axis = (int)(op.Axis < 0 ? op.Axis + 2 : op.Axis);
        var k = (int)weights[terms];
        if (k == 0 || weights[columns] == 0) return null;
        if (scales.Count == 1 && op.BlockSize == 0 || scales.Rank == 1 && axis == columns && scales[0] == weights[columns]) return k;
        return op.BlockSize > 0 && axis == terms && scales.Rank == 2 && scales[columns] == weights[columns] && scales[terms] == (k + op.BlockSize - 1) / op.BlockSize ? (int)Math.Min(k, op.BlockSize) : null;
    }

    private static Tensor Run(EvaluationContext context, Operator op, RuntimeValue?[] inputs)
    {
        var inner = new EvaluationContext(context.Node, inputs, context.Limits, context.OuterScope, context.Cancellation);
        op.Evaluate(inner);
        return (Tensor)inner.Outputs[0]!;
    }
}
