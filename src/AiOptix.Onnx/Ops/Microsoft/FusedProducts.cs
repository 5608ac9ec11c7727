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
            default: throw r.Error($"metric '{metric}' is not supported; use sqeuclidean, euclidean, minkowski, cityblock, chebyshev, braycurtis, canberra, hamming, matching, cosine or correlation");
        }

        Value Sum(Value x) => r.Add(new ReduceSum(KeepDims: false), x, r.Constant(-1L));
        Value Norm(Value x) => r.Add(new ReduceL2(KeepDims: false), x, r.Constant(-1L));
        Value Centred(Value x) => r.Add(new Sub(), x, r.Add(new ReduceMean(), x, r.Constant(-1L)));
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
