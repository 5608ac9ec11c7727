using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>A generated model with inputs for it.</summary>
/// <param name="Name">What was drawn, and from which seed.</param>
/// <param name="File">The model.</param>
/// <param name="Inputs">A value for every input.</param>
/// <param name="Drafts">The nodes.</param>
/// <param name="Follows">The nodes that read, near or far, what the peer does not make.</param>
internal sealed record Generated(string Name, byte[] File, IReadOnlyDictionary<string, RuntimeValue> Inputs, IReadOnlyList<NodeDraft> Drafts, IReadOnlySet<NodeDraft> Follows)
{
    /// <summary>Whether results are random.</summary>
    public bool IsRandom => Drafts.Any(d => d.IsRandom);

    /// <summary>How much further than usual results may lie apart.</summary>
    public double Slack => Drafts.Max(d => d.Slack);

    /// <summary>Whether the peer makes an output of the graph.</summary>
    public bool IsCompared(int output)
    {
        foreach (var d in Drafts)
        {
            if (output < d.Outputs) return output != d.Uncompared && !Follows.Contains(d);
            output -= d.Outputs;
        }
        return true;
    }

    /// <summary>Whether results of few bits may lie one step apart.</summary>
    public bool IsQuantized => Drafts.Any(d => d.OpType.Contains("Quantize", StringComparison.Ordinal) || d.OpType.StartsWith('Q'));

    /// <summary>A model of one node.</summary>
    public static Generated Of(string name, NodeDraft draft, bool hasOpenExtents = true) => Of(name, [draft], draft.Draw, hasOpenExtents: hasOpenExtents);

    /// <summary>A model of several nodes; an operand that is an output of an earlier node is fed from it.</summary>
    public static Generated Of(string name, IReadOnlyList<NodeDraft> drafts, Draw draw, IReadOnlyDictionary<Operand, (int Node, int Output)>? links = null, bool hasOpenExtents = true)
    {
        var graph = new Graph("generated");
        var opsets = new Dictionary<string, long>();
        foreach (var d in drafts) opsets[d.Domain] = d.Opset;
        opsets.TryAdd("", drafts.Where(d => d.Domain == "ai.onnx.ml").Select(d => d.Opset >= 5 ? 22L : 15).DefaultIfEmpty(17).Max());
        graph.Metadata = GraphMetadata.Empty with { IrVersion = 8, Opsets = opsets };
        var inputs = new Dictionary<string, RuntimeValue>(StringComparer.Ordinal);
        var made = new List<Node>();
        var follows = new HashSet<NodeDraft>(ReferenceEqualityComparer.Instance);
        var seen = new Dictionary<Operand, Value>(ReferenceEqualityComparer.Instance);
        foreach (var d in drafts)
        {
            var operands = new List<Value?>();
            foreach (var operand in d.Inputs)
            {
                if (operand is not null && links?.TryGetValue(operand, out var source) == true && (follows.Contains(drafts[source.Node]) || source.Output == drafts[source.Node].Uncompared)) follows.Add(d);
                if (operand is null) operands.Add(null);
                else if (links is not null && links.TryGetValue(operand, out var from)) operands.Add(made[from.Node].Outputs[from.Output]);
                else if (seen.TryGetValue(operand, out var known)) operands.Add(known);
                else
                {
                    var value = operand is { Constant: true, Value: Tensor t } ? graph.AddConstant(t, $"c{seen.Count}") : Input(operand.Value);
                    operands.Add(seen[operand] = value);
                }
            }
            var subgraphs = d.Attributes.Values.OfType<Graph>().ToArray();
            var names = Enumerable.Range(0, d.Outputs).Select(i => (string?)$"y{made.Count}_{i}").ToArray();
            made.Add(graph.Add(new UnknownOperator(d.Domain, d.OpType, d.Opset, d.Attributes, subgraphs), [.. operands], names, $"n{made.Count}"));
        }
        foreach (var o in made.SelectMany(n => n.Outputs)) graph.AddOutput(o);
        using var file = new MemoryStream();
        OnnxFile.Write(graph, file);
        return new(name, file.ToArray(), inputs, [.. drafts], follows);

        Value Input(RuntimeValue value)
        {
            var input = $"x{inputs.Count}";
            inputs.Add(input, value);
            return graph.AddInput(input, TypeOf(value, input, draw, hasOpenExtents));
        }
    }

    /// <summary>The declared type of an input: now and then with open extents.</summary>
    private static GraphType TypeOf(RuntimeValue value, string name, Draw draw, bool hasOpenExtents) => value switch
    {
        Tensor t when hasOpenExtents && draw.Chance(0.3) => new TensorType(t.DType, new([.. t.Shape.Select((d, i) => draw.Chance(0.6) ? Dim.Symbol($"{name}_{i}") : (Dim)d)])),
        Tensor t => new TensorType(t.DType, SymbolicShape.Of(t.Shape)),
        SequenceValue s => new SequenceType(new TensorType(((Tensor)s.Items[0]).DType, null)),
        OptionalValue { Content: { } c } => new OptionalType(TypeOf(c, name, draw, hasOpenExtents)),
        MapValue m => new MapType(m.Keys.DType, new TensorType(m.Values.DType, null)),
        _ => throw new ArgumentException($"{value} has no type", nameof(value)),
    };
}
