using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>Kinds of models. Each has a geomean of its own, so that many tiny models cannot hide a large one.</summary>
internal static class Kinds
{
    internal const string Small = "under 1 ms";

    internal const string Convolution = "convolution";

    internal const string Transformer = "transformer";

    internal const string Recurrent = "recurrent";

    internal const string Other = "other";

    private static readonly HashSet<string> loops = ["LSTM", "GRU", "RNN", "Loop", "Scan"];

    /// <summary>All kinds in the order of reports.</summary>
    internal static IReadOnlyList<string> All { get; } = [Small, Convolution, Transformer, Recurrent, Other];

    /// <summary>The kind by what the model does: it loops; most of its work is convolution; it has attention, told by its softmax beside matrix products.</summary>
    internal static string Of(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        if (graph.AllNodes.Any(n => loops.Contains(n.Operator.Name))) return Recurrent;
        var extents = Extents(graph, inputs);
        var convolution = graph.Nodes.Where(n => n.Operator is Conv or ConvTranspose).Sum(n => Flops(n, extents));
        var product = graph.Nodes.Where(n => n.Operator is MatMul or Gemm).Sum(n => Flops(n, extents));
        if (convolution > product) return Convolution;
        return product > 0 && graph.Nodes.Any(n => n.Operator.Name is "Softmax" or "Attention") ? Transformer : Other;
    }

    private static double Flops(Node node, IReadOnlyDictionary<string, long> extents) =>
        node.Operator.Flops(node) is { } f && f.Symbols.All(extents.ContainsKey) ? f.Evaluate(extents) : 1;

    private static Dictionary<string, long> Extents(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var extents = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var input in graph.Inputs)
            if (input.Shape is { } shape && inputs.TryGetValue(input.Name, out var t) && t.Shape.Rank == shape.Rank)
                for (var i = 0; i < shape.Rank; i++)
                    if (shape[i].SymbolName is { } symbol) extents[symbol] = t.Shape[i];
        return extents;
    }
}
