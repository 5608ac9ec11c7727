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
        OnnxOperator.Of<ScatterElements>("ScatterElements", ReadScatterElements,
            (w, op) => w.Emit("ScatterElements", ("axis", op.Axis), ("reduction", NameOf(op.Reduction))), op => MinOpset(op.Reduction)),
        OnnxOperator.ReadOnly("Scatter", ReadScatterElements),
        OnnxOperator.Of<ScatterND>("ScatterND", r => r.Emit(new ScatterND(Reduction(r)), r.Required(0), r.Required(1), r.Required(2)),
            (w, op) => w.Emit("ScatterND", ("reduction", NameOf(op.Reduction))), op => MinOpset(op.Reduction)),
        OnnxOperator.Of<OneHot>("OneHot", r => r.Emit(new OneHot(r.Int("axis", -1)), r.Required(0), r.Required(1), r.Required(2)), (w, op) => w.Emit("OneHot", ("axis", op.Axis)), 11),
        OnnxOperator.Of<CumSum>("CumSum", r => r.Emit(new CumSum(r.Bool("exclusive", false), r.Bool("reverse", false)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("CumSum", ("exclusive", op.Exclusive), ("reverse", op.Reverse)), 11),
        OnnxOperator.Of<CumProd>("CumProd", r => r.Emit(new CumProd(r.Bool("exclusive", false), r.Bool("reverse", false)), r.Required(0), r.Required(1)),
            (w, op) => w.Emit("CumProd", ("exclusive", op.Exclusive), ("reverse", op.Reverse)), 26),
        OnnxOperator.Of<Compress>("Compress", r => r.Emit(new Compress(r.OptionalInt("axis")), r.Required(0), r.Required(1)), (w, op) => w.Emit("Compress", ("axis", op.Axis)), op => op.Axis < 0 ? 11 : 9),
        OnnxOperator.Of<Unique>("Unique", r => r.Emit(new Unique(r.OptionalInt("axis"), r.Bool("sorted", true)), r.Required(0)), (w, op) => w.Emit("Unique", ("axis", op.Axis), ("sorted", op.Sorted)), 11),
        OnnxOperator.Of<TensorScatter>("TensorScatter", ReadTensorScatter, (w, op) => w.Emit("TensorScatter", ("axis", op.Axis), ("mode", op.Circular ? "circular" : null)), 24),
        OnnxOperator.Of<TopK>("TopK", ReadTopK, (w, op) => w.Emit("TopK", ("axis", op.Axis), ("largest", op.Largest), ("sorted", op.Sorted)), 11),
        OnnxOperator.Of<ArgMax>("ArgMax", r => r.Emit(new ArgMax(r.Int("axis", 0), r.Bool("keepdims", true), r.Bool("select_last_index", false)), r.Required(0)),
            (w, op) => w.Emit("ArgMax", Attributes(op)), op => op.SelectLast ? 12 : 11),
        OnnxOperator.Of<ArgMin>("ArgMin", r => r.Emit(new ArgMin(r.Int("axis", 0), r.Bool("keepdims", true), r.Bool("select_last_index", false)), r.Required(0)),
            (w, op) => w.Emit("ArgMin", Attributes(op)), op => op.SelectLast ? 12 : 11),
        OnnxOperator.Of<NonZero>("NonZero", r => r.Emit(new NonZero(), r.Required(0)), (w, _) => w.Emit("NonZero"), 9),
        OnnxOperator.Of<Trilu>("Trilu", r => r.Emit(new Trilu(r.Bool("upper", true)), r.InputsFrom(0)), (w, op) => w.Emit("Trilu", ("upper", op.Upper)), 14),
    ];

    private static (string, object?)[] Attributes(ArgReduction op) =>
        [("axis", op.Axis), ("keepdims", op.KeepDims), ("select_last_index", op.SelectLast ? true : null)];

    private static void ReadScatterElements(NodeReader r) =>
        r.Emit(new ScatterElements(r.Int("axis", 0), Reduction(r)), r.Required(0), r.Required(1), r.Required(2));

    /// <summary>Below opset 10 k is an attribute.</summary>
    private static void ReadTopK(NodeReader r) =>
        r.Emit(new TopK(r.Int("axis", -1), r.Bool("largest", true), r.Bool("sorted", true)), r.Required(0),
            r.Opset >= 10 ? r.Required(1) : r.Constant(r.OptionalInt("k") ?? throw r.Error("attribute 'k' is required")));

    private static void ReadTensorScatter(NodeReader r)
    {
        var mode = r.String("mode", "linear");
        if (mode is not ("linear" or "circular")) throw r.Error($"mode '{mode}' must be 'linear' or 'circular'");
        r.Emit(new TensorScatter(r.Int("axis", -2), mode == "circular"), r.InputsFrom(0));
    }

    private static ScatterReduction Reduction(NodeReader r) => r.String("reduction", "none") switch
    {
        "none" => ScatterReduction.None,
        "add" => ScatterReduction.Add,
        "mul" => ScatterReduction.Mul,
        "max" => ScatterReduction.Max,
        "min" => ScatterReduction.Min,
        var m => throw r.Error($"reduction '{m}' must be 'none', 'add', 'mul', 'max' or 'min'"),
    };

    private static string? NameOf(ScatterReduction reduction) => reduction switch
    {
        ScatterReduction.None => null,
        ScatterReduction.Add => "add",
        ScatterReduction.Mul => "mul",
        ScatterReduction.Max => "max",
        _ => "min",
    };

    private static long MinOpset(ScatterReduction reduction) => reduction switch
    {
        ScatterReduction.None => 11,
        ScatterReduction.Add or ScatterReduction.Mul => 16,
        _ => 18,
    };
}
