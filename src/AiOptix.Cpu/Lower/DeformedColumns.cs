using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// What DeformConv multiplies with its weights: for each window the elements where they are moved to, times their factors. Inputs x, moves, factors (may be left out); output
/// [N, groups, channels of a group · taps, windows]. It lives in the backend's copy of a graph only.
/// </summary>
/// <param name="Window">The window.</param>
/// <param name="Groups">Groups of the product.</param>
/// <param name="MoveGroups">Groups of channels that move together.</param>
internal sealed record DeformedColumns(ConvGeometry Window, long Groups, long MoveGroups) : Operator
{
    public override string Name => nameof(DeformConv);

    /// <summary>The operators that become such columns and a product.</summary>
    public static IEnumerable<Type> Operators => [typeof(DeformConv)];

    public long Taps => Window.Kernel.Aggregate(1L, (a, b) => a * b);

    public override void Infer(InferenceContext context)
    {
        var (x, moves) = (context.Shape(0)!, context.Shape(1)!);
        context.Set(0, DType.Float32, new(x[0], Groups, Dim.FloorDiv(x[1], Groups) * Taps, moves.Skip(2).Aggregate((Dim)1, (a, b) => a * b)));
    }

    /// <summary>A convolution whose weights pick one element each.</summary>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var count = x.Shape[1] * Taps;
        using var weights = Tensor.Allocate(DType.Float32, new Shape([count, x.Shape[1], .. Window.Kernel]), zeroed: true);
        for (long i = 0; i < count; i++) weights.Span<float>()[checked((int)(i * count + i))] = 1;
        var inner = new EvaluationContext(context.Node, [x, weights, context.Input(1), null, context.OptionalInput(2)], context.Limits, context.OuterScope, context.Cancellation);
        var conv = new Conv(Window.Strides, Window.Pads, Window.Dilations, AutoPad: Window.AutoPad);
        new DeformConv(conv, MoveGroups).Evaluate(inner);
        using var columns = (Tensor)inner.Outputs[0]!;
        context.Set(0, columns.Reshape(new Shape(x.Shape[0], Groups, count / Groups, columns.Shape.Product(2, columns.Shape.Rank))));
    }

    /// <summary>The graph with columns and products in place of DeformConv: a copy, or the graph itself when there are none. A pure function.</summary>
    public static Graph Assign(Graph graph)
    {
        if (!graph.Nodes.Any(n => Of(n) is not null)) return graph;
        var copy = graph.Clone();
        foreach (var node in copy.Nodes.ToArray())
        {
            if (Of(node) is not { } columns) continue;
            var patch = new Patch(copy, $"{node} as a product");
            Value Integers(params ReadOnlySpan<long> values) => patch.Constant(Tensor.Vector(values));
            var (w, filters) = (node.Inputs[1]!, node.Inputs[1]!.Shape![0].Constant!.Value);
            var weights = patch.Add(new Reshape(), w, Integers(columns.Groups, filters / columns.Groups, w.Shape![1].Constant!.Value * columns.Taps));
            var product = patch.Add(new MatMul(), weights, patch.Add(columns, node.Inputs[0], node.Inputs[2], node.Input(4)));
            var shape = patch.Add(new Concat(0), patch.Add(new ShapeOf(0, 1), node.Inputs[0]), Integers(filters), patch.Add(new ShapeOf(2), node.Inputs[2]));
            var y = patch.Add(new Reshape(AllowZero: true), product, shape);
            if (node.Input(3) is { } bias) y = patch.Add(new Add(), y, patch.Add(new Reshape(), bias, Integers([filters, .. Enumerable.Repeat(1L, columns.Window.Rank)])));
            if (patch.ReplaceOutputs(node, _ => y)) patch.Apply();
        }
        return copy;
    }

    private static DeformedColumns? Of(Node node)
    {
        if (node is not { Operator: DeformConv op, Contradiction: null, Inputs: [{ Shape: { Rank: >= 3 and <= 5 } x }, { Shape: { } w }, { Shape: not null }, ..], Output.IsUnused: false } || node.Inputs.Any(i => i is { DType: not DType.Float32 })) return null;
        if (w.Any(d => d.Constant is null or < 1) || x[1].Constant != w[1].Constant * op.Convolution.Group || w[0].Constant % op.Convolution.Group != 0 || x[1].Constant % op.OffsetGroup != 0) return null;
        return new(op.Convolution.Geometry([.. w.Skip(2).Select(d => d.Constant!.Value)]), op.Convolution.Group, op.OffsetGroup);
    }
}
