using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>What ONNX Runtime calculates where it departs from the specification in a way that can be evaluated: its answers must be these, to rounding, or those of the specification.</summary>
internal static class Deviations
{
    public const string Why = "LSTM: LSTM-22, clip: it \"is applied to the input of activations\"; to that of the last one, the cell state, it is not applied";

    /// <summary>The results with such operators in place of those of the specification; null when there are none.</summary>
    public static IReadOnlyList<RuntimeValue>? Results(Generated g)
    {
        if (!g.Drafts.Any(d => d.OpType == "LSTM" && d.Attributes.ContainsKey("clip"))) return null;
        var graph = OnnxFile.Read(g.File);
        foreach (var node in graph.Nodes.Where(n => n.Operator is LSTM { Clip: not null }).ToArray())
        {
            var patch = new Patch(graph, "as ONNX Runtime calculates");
            var theirs = patch.AddNode(new UnclippedCell((LSTM)node.Operator), [.. node.Inputs], node.Outputs.Count);
            if (patch.ReplaceOutputs(node, i => theirs.Outputs[i])) patch.Apply();
        }
        return ReferenceEvaluator.Run(graph, g.Inputs);
    }

    /// <summary>An LSTM whose last function takes the cell state as it is.</summary>
    private sealed record UnclippedCell(LSTM Layer) : Recurrent(Layer.Direction, Layer.Activations, Layer.Clip, Layer.BatchFirst)
    {
        public override int Gates => Layer.Gates;

        public override IReadOnlyList<RecurrentActivation> DefaultActivations => Layer.DefaultActivations;

        internal override int States => Layer.States;

        internal override void InferFurther(InferenceContext context, Dim batch, Dim hidden) => Layer.InferFurther(context, batch, hidden);

        internal override void Advance(RecurrentCell cell)
        {
            var hidden = new double[cell.Size];
            for (var j = 0; j < hidden.Length; j++)
            {
                var c = cell.Cell[j];
                var i = cell.Apply(0, cell.Sum(0, j) + cell.Peephole(0, j, c));
                var f = Layer.InputForget ? 1 - i : cell.Apply(0, cell.Sum(2, j) + cell.Peephole(2, j, c));
                c = cell.Cell[j] = f * c + i * cell.Apply(1, cell.Sum(3, j));
                hidden[j] = cell.Apply(0, cell.Sum(1, j) + cell.Peephole(1, j, c)) * cell.Functions[2].Apply(c);
            }
            hidden.CopyTo(cell.Hidden, 0);
        }
    }
}
