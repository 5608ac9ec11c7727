using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>FlexAttention (ai.onnx.preview), read as the products and the Softmax that define it, with its subgraphs between them.</summary>
internal static class FlexAttentions
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.WithBody(OnnxOperator.ReadOnly("FlexAttention", Read, "ai.onnx.preview"), (inputs, _) => [inputs is [{ } q, ..] ? new TensorType(q.DType == DType.Float64 ? DType.Float64 : DType.Float32, null) : null]),
    ];

    private static void Read(NodeReader r)
    {
        var (q, k, v) = (r.Required(0), r.Required(1), r.Required(2));
        var precision = r.Type("softmax_precision") ?? (q.DType == DType.Float64 ? DType.Float64 : DType.Float32);
        if (q.Shape is not { Rank: 4 } qs || k.Shape is not { Rank: 4 } ks) throw r.Error($"queries and keys must have 4 axes, found {q.Type} and {k.Type}");
        if (!qs[1].Equals(ks[1])) (k, v) = (Shared(r, k, qs[1], ks[1]), Shared(r, v, qs[1], ks[1]));
        var keys = r.Add(new Transpose([0, 1, 3, 2]), Cast(r, k, precision));
        var scores = r.Add(new Mul(), r.Add(new MatMul(), Cast(r, q, precision), keys), Scale(r, q, precision));
        var probabilities = Modified(r, "prob_mod", r.Add(new Softmax(-1), Modified(r, "score_mod", scores)));
        r.Emit(new Cast(q.DType), r.Add(new MatMul(), probabilities, Cast(r, v, precision)));
    }

    /// <summary>Each head of keys or values as often as heads of queries share it.</summary>
    private static Value Shared(NodeReader r, Value value, Dim queries, Dim keys)
    {
        if (queries.Constant is not { } q || keys.Constant is not (> 0 and var k) || q % k != 0) throw r.Error($"{queries} heads of queries do not divide among {keys} heads of keys");
        return r.Add(new Gather(1), value, r.Constant([.. Enumerable.Range(0, (int)q).Select(h => h / (q / k))]));
    }

    private static Value Scale(NodeReader r, Value q, DType precision)
    {
        if (r.OptionalFloat("scale") is { } given) return r.Number(given, precision);
        if (q.Shape![3].Constant is { } size) return r.Number((float)(1 / Math.Sqrt(size)), precision);
        return r.Add(new Reciprocal(), r.Add(new Sqrt(), r.Add(new Cast(precision), r.Add(new Gather(0), r.Add(new ShapeOf(), q), r.Constant(Tensor.Scalar(3L))))));
    }

    private static Value Cast(NodeReader r, Value value, DType type) => value.DType == type ? value : r.Add(new Cast(type), value);

    private static Value Modified(NodeReader r, string attribute, Value value)
    {
        if (!r.Has(attribute)) return value;
        var body = r.Subgraph(attribute);
        if (body.Inputs.Count != 1 || body.Outputs.Count != 1) throw r.Error($"{attribute} must have one input and one output");
        var patch = new Patch(r.Graph, attribute);
        var result = patch.Inline(body, value)[0];
        patch.Apply();
        return result;
    }
}
