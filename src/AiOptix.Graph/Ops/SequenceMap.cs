using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX SequenceMap: runs a body once for each item of the first input, a sequence. Further inputs are sequences as long, which give an item each, or tensors, which are given as they
/// are. Each output is the sequence of one output of the body.
/// </summary>
/// <param name="Body">The body.</param>
public sealed record SequenceMap(Graph Body) : ControlFlow
{
    /// <inheritdoc/>
    public override IReadOnlyList<Graph> Subgraphs => [Body];

    /// <inheritdoc/>
    public override Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs) => new SequenceMap(subgraphs[0]);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Element(0);
        if (Body.Inputs.Count != context.InputCount) throw context.Error($"body '{Body.Name}' takes {Body.Inputs.Count} values; expected {context.InputCount}");
        if (Body.Outputs.Count < context.OutputCount) throw context.Error($"body '{Body.Name}' gives {Body.Outputs.Count} values; expected {context.OutputCount}");
        for (var i = 0; i < context.InputCount; i++) Body.Inputs[i].Type = context.Type(i) is SequenceType s ? context.Taken(s.Element) : context.Type(i);
        Body.InferAll();
        var shared = SharedSymbols(Body);
        for (var i = 0; i < context.OutputCount; i++)
            if (Body.Outputs[i].Type is { } type) context.Set(i, new SequenceType(Join(context, type, type, shared, $"output {i}")!));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(ControlFlowRun run)
    {
        var first = run.Inputs[0] as SequenceValue ?? throw run.Error("input 0 must be a sequence");
        var count = first.Items.Count;
        foreach (var s in run.Inputs.OfType<SequenceValue>())
            if (s.Items.Count != count) throw run.Error($"sequences have {count} and {s.Items.Count} items; they must have as many");
        var results = Body.Outputs.Select(_ => new RuntimeValue[count]).ToArray();
        long held = 0;
        for (var i = 0; i < count; i++)
        {
            run.Cancellation.ThrowIfCancellationRequested();
            var made = run.RunSubgraph(0, [.. run.Inputs.Select(v => v is SequenceValue s ? s.Items[i] : v!)]);
            for (var k = 0; k < results.Length; k++)
            {
                results[k][i] = made[k];
                if (made[k] is Tensor t) held = run.Limits.Charge(held, t, $"node {run.Node}");
            }
        }
        return [.. results.Select(r => new SequenceValue(r))];
    }
}
