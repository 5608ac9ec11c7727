using AiOptix.Cpu.Bytes;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Layout;

/// <summary>
/// Which values have their channels last. Convolutions and windows ask for it; what works on elements, channels or axes follows the value that it reads. A value whose channels lie last stands in the
/// graph as a Transpose of what is really made, so a reorder is left exactly where a user that does not follow reads such a value, or one that follows reads another: at the graph's inputs and outputs,
/// and around operators that are not listed here. A Transpose of the file between the two orders is one of them and vanishes.
/// </summary>
internal static class LayoutAssignment
{
    /// <summary>A graph that computes the same, with channels last where that serves: a copy, or the graph itself when nothing asks for it. A pure function.</summary>
    public static Graph Assign(Graph graph)
    {
        if (!graph.Nodes.Any(Asks)) return graph;
        var copy = graph.Clone();
        foreach (var node in copy.Nodes.ToArray())
        {
            var isThere = node.Outputs.Count > 0 && copy.Values.GetValueOrDefault(node.Output.Name) == node.Output;
            if (!isThere || node.Output.Shape is null) continue;
            var patch = new LayoutPatch(node);
            if (Asks(node) ? patch.Wrap() : Follows(node) && Follow(patch)) patch.Apply();
            else patch.Discard();
        }
        return copy;
    }

    /// <summary>True for operators that are faster with channels last, whatever stands around them.</summary>
    private static bool Asks(Node node) => node.Operator switch
    {
        Conv c => IsConvolution(node, c.Pads),
        ConvInteger { Convolution: var c } => node is { Contradiction: null, Inputs: [{ Shape: { } s }, { Constant.Shape.Rank: >= 3 and <= 5 and var rank }, ..] } && s.Rank == rank && s[1].Constant is > 0 && c.Pads.All(p => p >= 0),
        QLinearConv { Convolution: var c } => IsQuantized(node, c.Pads),
        ConvTranspose t => IsConvolution(node, t.Pads),
        MaxPool => node is { Contradiction: null, Inputs: [{ DType: DType.Int8 or DType.UInt8, Shape.Rank: >= 3 and <= 5 }, ..] } && node.Outputs.Skip(1).All(o => o.IsUnused),
        _ => false,
    };

    // One that there are kernels for.
    private static bool IsConvolution(Node node, ValueList<long> pads) =>
        node is { Contradiction: null, Inputs: [{ DType: DType.Float32, Shape: { } s }, { Constant.Shape.Rank: >= 3 and <= 5 and var rank }, ..] } && s.Rank == rank && s[1].Constant is > 0 && node.Input(2) is not { IsConstant: false } && pads.All(p => p >= 0);

    private static bool IsQuantized(Node node, ValueList<long> pads) =>
        node is { Contradiction: null, Inputs: [{ DType: DType.Int8 or DType.UInt8, Shape: { } s }, _, _, { Constant.Shape.Rank: >= 3 and <= 5 and var rank }, ..] } && s.Rank == rank && s[1].Constant is > 0
        && node.Inputs.Skip(1).All(i => i is null or { IsConstant: true }) && pads.All(p => p >= 0);

    /// <summary>True when a value that the node reads has its channels last and is of the rank that it makes or works on.</summary>
    private static bool Follows(Node node) => node.Inputs.Any(i => LayoutPatch.Source(i) is not null);

    private static bool Follow(LayoutPatch p) => p.Node.Operator switch
    {
        Pool or BatchNormalization or InstanceNormalization or GroupNormalization => IsFirst(p) && p.Node.Outputs.Skip(1).All(o => o.IsUnused) && p.Wrap(),
        DepthToSpace => IsFirst(p) && p.Wrap(),
        GlobalAveragePool => IsFirst(p) && LayoutRules.Spatial(p, new ReduceMean()),
        GlobalMaxPool => IsFirst(p) && LayoutRules.Spatial(p, new ReduceMax()),
        UnaryFloat or Clip or Cast or Not or Identity or BytesTable => IsFirst(p) && LayoutRules.Unary(p),
        BinaryNumeric or Variadic or Comparison or Logical or Pow or Where or BytesBinary => LayoutRules.Broadcast(p),
        QuantizeLinear q => IsFirst(p) && LayoutRules.Scales(p, q.Axis, q.BlockSize, axis => q with { Axis = axis }),
        DequantizeLinear q => IsFirst(p) && LayoutRules.Scales(p, q.Axis, q.BlockSize, axis => q with { Axis = axis }),
        Concat c => LayoutRules.Concat(p, c),
        Split s => IsFirst(p) && LayoutRules.Split(p, s),
        Slice => IsFirst(p) && LayoutRules.Slice(p),
        Pad => IsFirst(p) && LayoutRules.Pad(p),
        Resize r => IsFirst(p) && LayoutRules.Resize(p, r),
        Softmax s => IsFirst(p) && LayoutRules.Line(p, s, s.Axis, axis => s with { Axis = axis }),
        LogSoftmax s => IsFirst(p) && LayoutRules.Line(p, s, s.Axis, axis => s with { Axis = axis }),
        Reduction r => IsFirst(p) && LayoutRules.Reduce(p, r),
        ArgReduction a => IsFirst(p) && LayoutRules.Position(p, a),
        Transpose t => IsFirst(p) && LayoutRules.Transpose(p, t),
        Reshape or Flatten => IsFirst(p) && LayoutRules.Reshape(p),
        Unsqueeze => IsFirst(p) && LayoutRules.Unsqueeze(p),
        Squeeze => IsFirst(p) && LayoutRules.Squeeze(p),
        _ => false,
    };

    private static bool IsFirst(LayoutPatch p) => LayoutPatch.Source(p.Node.Inputs[0]) is not null;
}
