using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Operators that read or write by index.</summary>
internal static class Indexing
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Gather>("Gather", r => r.Emit(new Gather(r.Int("axis", 0)), r.Required(0), r.Required(1)), (w, op) => w.Emit("Gather", ("axis", op.Axis)), 11),
        OnnxOperator.Of<GatherElements>("GatherElements", r => r.Emit(new GatherElements(r.Int("axis", 0)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("GatherElements", ("axis", op.Axis)), 11),
        OnnxOperator.Of<GatherND>("GatherND", r => r.Emit(new GatherND(r.Int("batch_dims", 0)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("GatherND", ("batch_dims", op.BatchDims != 0 ? op.BatchDims : null)), op => op.BatchDims != 0 ? 12 : 11),
        OnnxOperator.Of<Trilu>("Trilu", r => r.Emit(new Trilu(r.Bool("upper", true)), r.InputsFrom(0)), (w, op) => w.Emit("Trilu", ("upper", op.Upper)), 14),
    ];
}
