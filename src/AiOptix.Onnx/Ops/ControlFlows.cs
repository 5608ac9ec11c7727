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
        OnnxOperator.WithBody(OnnxOperator.Of<Scan>("Scan", ReadScan, WriteScan, 9), inputs => [.. inputs.Select(i => i is null ? null : new TensorType(i.DType, null))]),
    ];

    private static GraphType?[] LoopInputs(IReadOnlyList<Value?> inputs) =>
        [new TensorType(DType.Int64, new()), new TensorType(DType.Bool, new()), .. inputs.Skip(2).Select(i => i?.Type)];

    private static void ReadScan(NodeReader r)
    {
        if (r.Opset < 9) throw new UnsupportedModelException(r.Error("Scan of opset 8 (with a batch axis and sequence lengths) is not supported").Message);
        var body = r.Subgraph("body");
        var inputs = (int)(r.OptionalInt("num_scan_inputs") ?? throw r.Error("attribute 'num_scan_inputs' is required"));
        var outputs = body.Outputs.Count - (r.InputCount - inputs);
        if (inputs < 1 || inputs > r.InputCount || outputs < 0) throw r.Error($"num_scan_inputs is {inputs}, but the node has {r.InputCount} inputs and its body {body.Outputs.Count} outputs");
        r.Emit(new Scan(body, inputs, Axes("scan_input_axes", inputs), Directions("scan_input_directions", inputs), Axes("scan_output_axes", outputs),
            Directions("scan_output_directions", outputs)), r.InputsFrom(0));

        ValueList<long> Axes(string name, int count) => new(r.OptionalInts(name) ?? new long[count]);
        ValueList<bool> Directions(string name, int count) => [.. (r.OptionalInts(name) ?? new long[count]).Select(d => d != 0)];
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
