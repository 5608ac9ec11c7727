using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Sequences and optionals.</summary>
internal static class Containers
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row<SequenceConstruct>("SequenceConstruct"), Row<SequenceInsert>("SequenceInsert"), Row<SequenceErase>("SequenceErase"), Row<SequenceAt>("SequenceAt"), Row<SequenceLength>("SequenceLength"),
        OnnxOperator.Of<SequenceEmpty>("SequenceEmpty", r => r.Emit(new SequenceEmpty((DType)r.Int("dtype", (long)DType.Float32))), (w, op) => w.Emit("SequenceEmpty", ("dtype", op.DType)), 11),
        OnnxOperator.Of<ConcatFromSequence>("ConcatFromSequence",
            r => r.Emit(new ConcatFromSequence(r.OptionalInt("axis") ?? throw r.Error("attribute 'axis' is required"), r.Bool("new_axis", false)), r.Required(0)),
            (w, op) => w.Emit("ConcatFromSequence", ("axis", op.Axis), ("new_axis", op.NewAxis)), 11),
        OnnxOperator.Of<SplitToSequence>("SplitToSequence", r => r.Emit(new SplitToSequence(r.Int("axis", 0), r.Bool("keepdims", true)), r.Required(0), r.Input(1)),
            (w, op) => w.Emit("SplitToSequence", ("axis", op.Axis), ("keepdims", op.KeepDims)), 11),
        OnnxOperator.WithBody(OnnxOperator.Of<SequenceMap>("SequenceMap", r => r.Emit(new SequenceMap(r.Subgraph("body")), r.InputsFrom(0)),
            (w, op) => w.Emit("SequenceMap", ("body", op.Body)), 17), (inputs, _) => [.. inputs.Select(i => i?.Type is SequenceType s ? s.Element : i?.Type)]),
        OnnxOperator.Of<ReverseSequence>("ReverseSequence", r => r.Emit(new ReverseSequence(r.Int("batch_axis", 1), r.Int("time_axis", 0)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("ReverseSequence", ("batch_axis", op.BatchAxis), ("time_axis", op.TimeAxis)), 10),
        OnnxOperator.Of<Optional>("Optional", ReadOptional, (w, op) => w.Emit("Optional", ("type", op.Content)), 15),
        OnnxOperator.ByNode<OptionalHasElement>("OptionalHasElement", r => r.Emit(new OptionalHasElement(), r.InputsFrom(0)), (w, _) => w.Emit("OptionalHasElement"), OfOptional),
        OnnxOperator.ByNode<OptionalGetElement>("OptionalGetElement", r => r.Emit(new OptionalGetElement(), r.Required(0)), (w, _) => w.Emit("OptionalGetElement"), OfOptional),
    ];

    private static OnnxOperator Row<T>(string name) where T : Operator, new() => OnnxOperator.Of<T>(name, r => r.Emit(new T(), r.InputsFrom(0)), (w, _) => w.Emit(name), 11);

    private static long OfOptional(Node node) => node.Input(0)?.Type is OptionalType ? 15 : 18;

    private static void ReadOptional(NodeReader r)
    {
        var content = r.OptionalType("type");
        r.Emit(r.Input(0) is null ? new Optional(content) : new Optional(), r.InputsFrom(0));
    }
}
