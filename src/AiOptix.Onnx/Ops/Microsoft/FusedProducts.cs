using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Products with transpositions, a factor and an activation, distances and inverses of <c>com.microsoft</c>.</summary>
internal static class FusedProducts
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("FusedMatMul", r => r.Bind(0, Product(r, 0))),
        Row("TransposeMatMul", r => r.Bind(0, Product(r, 0))),
        Row("FusedMatMulActivation", r => r.EmitOutput(0, Activation(r, r.String("activation", ""), Parameters(r), r.Int("activation_axis", -1)) ?? throw r.Error("attribute 'activation' is required"), Product(r, -1))),
        Row("FusedGemm", ReadGemm),
        Row("MatMulInteger16", ReadInteger16),
        Row("CDist", ReadDistances),
        Row("Inverse", r => r.Emit(new Inverse(), r.Required(0))),
        OnnxOperator.WriteOnly<Inverse>((w, _) => WriteInverse(w), 13),
    ];

    private static float?[] Parameters(NodeReader r) => [r.OptionalFloat("activation_alpha"), r.OptionalFloat("activation_beta"), r.OptionalFloat("activation_gamma")];

    private static Value Product(NodeReader r, int output)
    {
        var alpha = r.Float("alpha", 1);
        var a = Arranged(r, r.Required(0), r.Bool("transA", false), r.Bool("transBatchA", false));
        var b = Arranged(r, r.Required(1), r.Bool("transB", false), r.Bool("transBatchB", false));
        if (alpha == 1) return r.EmitOutput(output, new MatMul(), a, b);
        return r.EmitOutput(output, new Mul(), r.Add(new MatMul(), a, b), r.Number(alpha, a.DType));
    }

    /// <summary>The last two axes exchanged; for batches, the first axis goes to before the last one first.</summary>
    private static Value Arranged(NodeReader r, Value x, bool transposed, bool batches)
    {
        if (!transposed && !batches) return x;
        var rank = r.RankOf(x);
        if (rank < 2) return x;
        var axes = Enumerable.Range(0, rank).Select(i => (long)i).ToList();
        if (batches)
        {
            axes.RemoveAt(0);
            axes.Insert(rank - 2, 0);
        }
        if (transposed) (axes[^1], axes[^2]) = (axes[^2], axes[^1]);
        return r.Permuted(x, [.. axes]);
    }

    private static void ReadGemm(NodeReader r)
    {
        var gemm = new Gemm(r.Float("alpha", 1), r.Float("beta", 1), r.Bool("transA", false), r.Bool("transB", false));
        var activation = Activation(r, r.String("activation", ""), Parameters(r));
        if (activation is null) r.Emit(gemm, r.Required(0), r.Required(1), r.Input(2));
        else r.Emit(activation, r.Add(gemm, r.Required(0), r.Required(1), r.Input(2)));
    }

    /// <summary>16-bit factors, 32-bit sums modulo 2^32: unsigned when both factors are.</summary>
    private static void ReadInteger16(NodeReader r)
    {
        var type = r.Required(0).DType == DType.UInt16 && r.Required(1).DType == DType.UInt16 ? DType.UInt32 : DType.Int32;
        r.Emit(new MatMul(), r.To(r.Required(0), type), r.To(r.Required(1), type));
    }

    /// <summary>The distance of every row of one matrix from every row of another.</summary>
    private static void ReadDistances(NodeReader r)
    {
        var type = r.Required(0).DType;
        var (a, b) = (r.Unsqueezed(r.Required(0), 1), r.Unsqueezed(r.Required(1), 0));
        var metric = r.String("metric", "sqeuclidean");
        if (metric == "correlation") (a, b) = (Centred(a), Centred(b));
        Value Apart() => r.Add(new Abs(), r.Add(new Sub(), a, b));
        switch (metric)
        {
            case "sqeuclidean": r.Emit(new ReduceSumSquare(KeepDims: false), r.Add(new Sub(), a, b), r.Constant(-1L)); break;
            case "euclidean" or "minkowski": r.Emit(new ReduceL2(KeepDims: false), r.Add(new Sub(), a, b), r.Constant(-1L)); break;
            case "cityblock": r.Emit(new ReduceL1(KeepDims: false), r.Add(new Sub(), a, b), r.Constant(-1L)); break;
            case "chebyshev": r.Emit(new ReduceMax(KeepDims: false), Apart(), r.Constant(-1L)); break;
            case "braycurtis": r.Emit(new Div(), Sum(Apart()), Sum(r.Add(new Abs(), r.Add(new Add(), a, b)))); break;
            case "canberra":
                var whole = r.Add(new Add(), r.Add(new Abs(), a), r.Add(new Abs(), b));
                var share = r.Add(new Where(), r.Add(new Equal(), whole, r.Number(0, type)), r.Number(0, type), r.Add(new Div(), Apart(), whole));
                r.Emit(new ReduceSum(KeepDims: false), share, r.Constant(-1L));
                break;
            case "hamming" or "matching": r.Emit(new ReduceMean(KeepDims: false), r.To(r.Add(new Not(), r.Add(new Equal(), a, b)), type), r.Constant(-1L)); break;
            case "cosine" or "correlation":
                var norms = r.Times(Norm(a), Norm(b));
                r.Emit(new Sub(), r.Number(1, type), r.Add(new Div(), Sum(r.Times(a, b)), norms));
                break;
            case "seuclidean":
                var all = r.Joined(0, r.Required(0), r.Required(1));
                var spread = r.Add(new Sub(), all, r.Add(new ReduceMean(), all, r.Constant(0L)));
                var one = r.Constant(1L);
                var variance = r.Add(new Div(), r.Add(new ReduceSumSquare(KeepDims: false), spread, r.Constant(0L)), r.To(r.Add(new Sub(), r.Extents(all, 0, 1), one), type));
                var squares = r.Add(new ReduceSumSquare(KeepDims: false), r.Add(new Div(), r.Add(new Sub(), a, b), r.Add(new Sqrt(), variance)), r.Constant(-1L));
                r.Emit(new Sqrt(), squares);
                break;
            case "jensenshannon":
                Value Share(Value x) => r.Add(new Div(), x, r.Add(new ReduceSum(), x, r.Constant(-1L)));
                var (p, q) = (Share(a), Share(b));
                var middle = r.Times(r.Plus(p, q), 0.5f);
                Value Entropy(Value x) => Sum(r.Add(new Where(), r.Add(new Equal(), x, r.Number(0, type)), r.Number(0, type), r.Times(x, r.Add(new Log(), r.Add(new Div(), x, middle)))));
                r.Emit(new Sqrt(), r.Times(r.Plus(Entropy(p), Entropy(q)), 0.5f));
                break;
            default:
                r.Emit(new Identity(), OfSets(r, metric, NonZero(a), NonZero(b), type) ?? throw r.Error($"metric '{metric}' is not one that needs nothing beside the vectors"));
                break;
        }

        Value NonZero(Value x) => r.To(r.Add(new Not(), r.Add(new Equal(), x, r.Number(0, type))), type);
        Value Sum(Value x) => r.Add(new ReduceSum(KeepDims: false), x, r.Constant(-1L));
        Value Norm(Value x) => r.Add(new ReduceL2(KeepDims: false), x, r.Constant(-1L));
        Value Centred(Value x) => r.Add(new Sub(), x, r.Add(new ReduceMean(), x, r.Constant(-1L)));
    }

    /// <summary>Distances between sets, given by 1 for what is in them and 0 for what is not; null where the metric is none of them.</summary>
    private static Value? OfSets(NodeReader r, string metric, Value a, Value b, DType type)
    {
        Value Sum(Value x) => r.Add(new ReduceSum(KeepDims: false), x, r.Constant(-1L));
        Value Minus(Value x, Value y) => r.Add(new Sub(), x, y);
        // 0 over 0 is 0.
        Value Over(Value x, Value y) => r.Add(new Div(), x, r.Add(new Where(), r.Add(new Equal(), y, r.Number(0, type)), r.Number(1, type), y));
        var count = r.To(r.Add(new Squeeze(), r.Extents(a, 2, 3)), type);
        var (both, inA, inB) = (Sum(r.Times(a, b)), Sum(a), Sum(b));
        var (onlyA, onlyB) = (Minus(inA, both), Minus(inB, both));
        var different = r.Plus(onlyA, onlyB);
        var neither = Minus(count, r.Plus(different, both));
        return metric switch
        {
            "dice" => Over(different, r.Plus(r.Times(both, 2), different)),
            "jaccard" => Over(different, r.Plus(both, different)),
            "kulsinski" => Over(r.Plus(Minus(different, both), count), r.Plus(different, count)),
            "rogerstanimoto" or "sokalmichener" => Over(r.Times(different, 2), r.Plus(count, different)),
            "russellrao" => Over(Minus(count, both), count),
            "sokalsneath" => Over(r.Times(different, 2), r.Plus(both, r.Times(different, 2))),
            "yule" => Over(r.Times(r.Times(onlyA, onlyB), 2), r.Plus(r.Times(both, neither), r.Times(onlyA, onlyB))),
            _ => null,
        };
    }

    /// <summary>Cofactors over the determinant: the minors are gathered, since no standard operator inverts.</summary>
    private static void WriteInverse(NodeWriter w)
    {
        if (w.ForOnnxRuntime)
        {
            w.EmitMicrosoft("Inverse");
            return;
        }
        var x = w.Inputs[0];
        var shape = w.Node.Inputs[0]!.Shape ?? throw new UnsupportedModelException($"node '{w.Node.Name}': Inverse of unknown rank has no standard form; write it with the dialect of ONNX Runtime");
        var lead = shape.Rank - 2;
        string Scalar(long v) => w.Constant(Tensor.Scalar(v));
        string Axes(params long[] axes) => w.Constant(axes);
        var n = w.Step("Squeeze", [w.Step("Gather", [w.Step("Shape", [x]), Axes(-1)]), Axes(0)]);
        var all = w.Step("Range", [Scalar(0), n, Scalar(1)]);
        var column = w.Step("Unsqueeze", [all, Axes(1)]);
        var fewer = w.Step("Range", [Scalar(0), w.Step("Sub", [n, Scalar(1)]), Scalar(1)]);
        var beyond = w.Step("Cast", [w.Step("Not", [w.Step("Less", [fewer, column])])], ("to", DType.Int64));
        var others = w.Step("Add", [fewer, beyond]);
        // [..., i, rows, columns] → [..., i, rows, j, columns] → [..., i, j, rows, columns]
        var minors = w.Step("Gather", [w.Step("Gather", [x, others], ("axis", (long)lead)), others], ("axis", lead + 2L));
        long[] perm = [.. Enumerable.Range(0, lead).Select(a => (long)a), lead, lead + 2, lead + 1, lead + 3];
        var cofactors = w.Step("Det", [w.Step("Transpose", [minors], ("perm", perm))]);
        var parity = w.Step("Mod", [w.Step("Add", [column, w.Step("Unsqueeze", [all, Axes(0)])]), Scalar(2)]);
        var type = w.Node.Inputs[0]!.DType;
        var sign = w.Step("Cast", [w.Step("Sub", [Scalar(1), w.Step("Mul", [parity, Scalar(2)])])], ("to", type));
        long[] swap = [.. Enumerable.Range(0, lead).Select(a => (long)a), lead + 1, lead];
        var adjugate = w.Step("Transpose", [w.Step("Mul", [cofactors, sign])], ("perm", swap));
        var determinant = w.Step("Unsqueeze", [w.Step("Unsqueeze", [w.Step("Det", [x]), Axes(lead)]), Axes(lead)]);
        w.Emit("Div", [adjugate, determinant], w.Outputs);
    }
}
