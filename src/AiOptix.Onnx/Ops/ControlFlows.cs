using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Operators that run subgraphs.</summary>
internal static class ControlFlows
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<If>("If", r => r.Emit(new If(r.Subgraph("then_branch"), r.Subgraph("else_branch")), r.Required(0)),
            (w, op) => w.Emit("If", ("then_branch", op.Then), ("else_branch", op.Else)), 1),
        OnnxOperator.WithBody(OnnxOperator.Of<Loop>("Loop", r => r.Emit(new Loop(r.Subgraph("body")), [r.Input(0), r.Input(1), .. r.InputsFrom(2)]),
            (w, op) => w.Emit("Loop", ("body", op.Body)), 1), LoopInputs),
        OnnxOperator.WithBody(OnnxOperator.Of<Scan>("Scan", ReadScan, WriteScan, 9), (inputs, opset) => [.. inputs.Skip(opset < 9 ? 1 : 0).Select(i => i is null ? null : new TensorType(i.DType, null))]),
    ];

    private static GraphType?[] LoopInputs(IReadOnlyList<Value?> inputs, long opset) =>
        [new TensorType(DType.Int64, new()), new TensorType(DType.Bool, new()), .. inputs.Skip(2).Select(i => i?.Type)];

    private static void ReadScan(NodeReader r)
    {
        if (r.Opset < 9)
        {
            ReadBatchedScan(r);
            return;
        }
        var body = r.Subgraph("body");
        var inputs = (int)(r.OptionalInt("num_scan_inputs") ?? throw r.Error("attribute 'num_scan_inputs' is required"));
        var outputs = body.Outputs.Count - (r.InputCount - inputs);
        if (inputs < 1 || inputs > r.InputCount || outputs < 0) throw r.Error($"num_scan_inputs is {inputs}, but the node has {r.InputCount} inputs and its body {body.Outputs.Count} outputs");
        r.Emit(new Scan(body, inputs, Axes("scan_input_axes", inputs), Directions("scan_input_directions", inputs), Axes("scan_output_axes", outputs),
            Directions("scan_output_directions", outputs)), r.InputsFrom(0));

        ValueList<long> Axes(string name, int count) => new(r.OptionalInts(name) ?? new long[count]);
        ValueList<bool> Directions(string name, int count) => [.. (r.OptionalInts(name) ?? new long[count]).Select(d => d != 0)];
    }

    /// <summary>
    /// Scan of opset 8: values have a batch axis, and scan inputs the axis of the sequence behind it; input 0 may say how long the sequences are. Read as a scan over the batch whose body
    /// scans one sequence. What its outputs hold behind the end of a sequence is not defined; here it is zeros.
    /// </summary>
    private static void ReadBatchedScan(NodeReader r)
    {
        var (body, values) = (r.Subgraph("body"), r.InputsFrom(1));
        var inputs = (int)(r.OptionalInt("num_scan_inputs") ?? throw r.Error("attribute 'num_scan_inputs' is required"));
        var states = values.Length - inputs;
        var outputs = body.Outputs.Count - states;
        if (inputs < 1 || states < 0 || outputs < 0) throw r.Error($"num_scan_inputs is {inputs}, but the node has {values.Length} inputs behind the lengths and its body {body.Outputs.Count} outputs");
        var directions = r.OptionalInts("directions") ?? new long[inputs];
        var entry = new Graph($"{body.Name}_entry", r.Graph);
        var given = values.Select((v, i) => entry.AddInput(entry.Unique($"value{i}"), OfEntry(r, v, i + 1))).ToArray();
        var length = r.Input(0) is null ? null : entry.Add(new Reshape(), entry.AddInput(entry.Unique("length"), new TensorType(DType.Int64, new())), Vector(1));
        var scanned = given.Select((v, i) => i < states || length is null ? v : entry.Add(new Slice(), v, Vector(0), length, Vector(0)));
        var scan = new Scan(Inside(body, entry), inputs, [.. new long[inputs]], [.. directions.Select(d => d != 0)], [.. new long[outputs]], [.. new bool[outputs]]);
        var results = entry.Add(scan, [.. scanned], new string?[states + outputs]).Outputs;
        for (var i = 0; i < results.Count; i++)
            entry.AddOutput(i < states || length is null ? results[i] : entry.Add(new Pad(), results[i], entry.Add(new Concat(0), Vector(0), Missing()), null, Vector(0)));
        var count = entry.Inputs.Count;
        r.Emit(new Scan(entry, count, [.. new long[count]], [.. new bool[count]], [.. new long[results.Count]], [.. new bool[results.Count]]), length is null ? values : [.. values, r.Input(0)]);

        Value Vector(long v) => entry.AddConstant(Tensor.Vector(v));
        Value Missing() => entry.Add(new Sub(), entry.Add(new ShapeOf(0, 1), given[states]), length);
    }

    /// <summary>The type of an entry of a batch.</summary>
    private static TensorType OfEntry(NodeReader r, Value? batch, int input) => batch?.Type switch
    {
        TensorType { Shape: { Rank: > 0 } s } t => new(t.DType, new([.. s.Skip(1)])),
        TensorType { Shape: null } t => t,
        _ => throw r.Error($"input {input} must be a tensor with a batch axis, found {batch?.Type}"),
    };

    /// <summary>A graph as it was, inside another one.</summary>
    private static Graph Inside(Graph body, Graph parent)
    {
        var inside = new Graph(body.Name, parent);
        var inputs = body.Inputs.Select(i => inside.AddInput(inside.Unique(i.Name), i.Type)).ToArray();
        var patch = new Patch(inside, body.Name);
        var outputs = patch.Inline(body, inputs);
        foreach (var o in outputs) inside.AddOutput(o);
        patch.Apply();
        return inside;
    }

    private static void WriteScan(NodeWriter w, Scan op)
    {
        w.Emit("Scan", ("body", op.Body), ("num_scan_inputs", op.ScanInputs), ("scan_input_axes", Unless(op.InputAxes.All(a => a == 0), op.InputAxes)),
            ("scan_input_directions", Unless(op.InputReversed.All(d => !d), Flags(op.InputReversed))), ("scan_output_axes", Unless(op.OutputAxes.All(a => a == 0), op.OutputAxes)),
            ("scan_output_directions", Unless(op.OutputReversed.All(d => !d), Flags(op.OutputReversed))));

        static ValueList<long> Flags(ValueList<bool> flags) => [.. flags.Select(f => f ? 1L : 0)];
        static object? Unless(bool isDefault, ValueList<long> values) => isDefault ? null : values;
    }
}
