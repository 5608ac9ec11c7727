using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Operators of <c>com.microsoft</c> that stand for former or simpler forms of standard ones, repeated n-grams, and the tokeniser.</summary>
internal static class Varied
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("GatherND", r => r.Emit(new GatherND(), r.Required(0), r.To(r.Required(1), DType.Int64))),
        Row("ExpandDims", r => r.Emit(new Unsqueeze(), r.Required(0), r.Shaped(r.To(r.Required(1), DType.Int64), 1))),
        Row("GridSample", Sampling.ReadGridSample),
        Row("Pad", ReadPad),
        Row("Range", r => r.Emit(new NumericRange(), r.Required(0), r.Required(1), r.Input(2) ?? r.Number(1, r.Required(0).DType))),
        Row("Trilu", r => r.Emit(new Trilu(r.Bool("upper", true)), r.Required(0), r.Input(1))),
        Row("Unique", ReadUnique),
        Row("NGramRepeatBlock", ReadNGrams),
        OnnxOperator.Of<Tokenizer>("Tokenizer", r => r.Emit(new Tokenizer([.. r.OptionalStrings("separators") ?? []], r.OptionalString("tokenexp"), r.Bool("mark", false), r.Int("mincharnum", 1), r.String("pad_value", "")), r.Required(0)),
            (w, op) => w.Emit("Tokenizer", ("separators", op.Separators.Count > 0 ? op.Separators : null), ("tokenexp", op.Pattern), ("mark", op.Mark), ("mincharnum", op.Shortest), ("pad_value", op.Padding)), 1, Domain),
    ];

    private static void ReadPad(NodeReader r)
    {
        var mode = r.String("mode", "constant") switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Edge,
            var m => throw r.Error($"mode '{m}' must be constant, reflect or edge"),
        };
        var value = r.Input(2) is { } v ? r.Add(new Reshape(), v, r.Constant(Tensor.Allocate(DType.Int64, new Shape(0)))) : null;
        r.Emit(new Pad(mode), r.Required(0), r.RankOf(r.Required(1)) == 1 ? r.Required(1) : r.Shaped(r.Required(1), -1), value);
    }

    /// <summary>In the order of the input; the outputs are the values, the place of each element among them, and how often each is there.</summary>
    private static void ReadUnique(NodeReader r)
    {
        var all = r.AddAll(new Unique(Sorted: false), 4, r.Required(0));
        r.Bind(0, all[0]);
        r.Bind(1, all[2]);
        r.Bind(2, all[3]);
    }

    /// <summary>Tokens that would repeat an n-gram of the ids get -∞: those behind every place where the last n - 1 ids stand.</summary>
    private static void ReadNGrams(NodeReader r)
    {
        var n = r.OptionalInt("ngram_size") is { } size and > 0 ? size : throw r.Error("attribute 'ngram_size' is required and must be positive");
        var (ids, scores) = (r.Required(0), r.Required(1));
        Value Scalar(long v) => r.Constant(Tensor.Scalar(v));
        var places = r.Add(new Max(), r.Add(new Sub(), r.Extent(ids, 1), Scalar(n - 1)), Scalar(0));
        var starts = r.Counted(places);
        var before = r.Add(new Gather(1), ids, r.Plus(r.Unsqueezed(starts, 1), r.Constant([.. Enumerable.Range(0, (int)n - 1).Select(i => (long)i)])));
        var last = r.Add(new Gather(1), ids, r.Plus(places, r.Constant([.. Enumerable.Range(0, (int)n - 1).Select(i => (long)i)])));
        var same = r.To(r.Add(new Equal(), before, r.Unsqueezed(last, 1)), DType.Int32);
        var repeats = r.To(r.Add(new ReduceMin(KeepDims: false), same, r.Constant(2L)), DType.Bool);
        var tokens = r.Add(new Gather(1), ids, r.Plus(starts, Scalar(n - 1)));
        var updates = r.Add(new Where(), repeats, r.Number(float.NegativeInfinity, scores.DType), r.Number(float.PositiveInfinity, scores.DType));
        r.Emit(new ScatterElements(1, ScatterReduction.Min), scores, tokens, updates);
    }
}
