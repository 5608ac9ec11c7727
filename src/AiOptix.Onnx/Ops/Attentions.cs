using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Attention.</summary>
internal static class Attentions
{
    private static readonly string[] rules = ["linear", "gated", "delta", "gated_delta"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ByNode<Attention>("Attention", Read, Write, MinOpset),
        OnnxOperator.ByNode<RotaryEmbedding>("RotaryEmbedding", r => r.Emit(new RotaryEmbedding(r.Bool("interleaved", false), r.Int("num_heads", 0), r.Int("rotary_embedding_dim", 0)), r.InputsFrom(0)),
            WriteRotary, n => n.Operator is RotaryEmbedding { Size: 0 } op && SizeOf(n, op) is not null ? 13 : 23),
        OnnxOperator.Of<LinearAttention>("LinearAttention", ReadLinear,
            (w, op) => w.Emit("LinearAttention", ("q_num_heads", op.QueryHeads), ("kv_num_heads", op.KeyHeads), ("scale", op.Scale), ("chunk_size", op.ChunkSize), ("update_rule", rules[(op.Gated ? 1 : 0) + (op.Delta ? 2 : 0)])), 27),
        OnnxOperator.Of<CausalConvWithState>("CausalConvWithState", r => r.Emit(new CausalConvWithState(HasSilu(r)), r.InputsFrom(0)), (w, op) => w.Emit("CausalConvWithState", ("activation", op.Silu ? "silu" : "none")), 27),
        OnnxOperator.ReadOnly("SwiGLU", r => r.Emit(new Mul(), r.Add(new Swish(r.Float("alpha", 1)), r.Required(0)), r.Required(1))),
    ];

    /// <summary>Whether a convolution's result goes through x · sigmoid(x).</summary>
    public static bool HasSilu(NodeReader r) => r.String("activation", "none") switch
    {
        "none" => false,
        "silu" or "swish" => true,
        var a => throw r.Error($"activation '{a}' must be 'silu', 'swish' or 'none'"),
    };

    public static void ReadLinear(NodeReader r)
    {
        var name = r.String("update_rule", "gated_delta");
        var rule = Array.IndexOf(rules, name);
        if (rule < 0) throw r.Error($"update_rule '{name}' must be one of {string.Join(", ", rules)}");
        long Heads(string attribute) => r.OptionalInt(attribute) ?? throw r.Error($"attribute '{attribute}' is required");
        r.Emit(new LinearAttention(Heads("q_num_heads"), Heads("kv_num_heads"), (rule & 1) != 0, (rule & 2) != 0, r.Float("scale", 0), r.Int("chunk_size", 64)), r.InputsFrom(0));
    }

    private static void Read(NodeReader r)
    {
        var scores = r.Int("qk_matmul_output_mode", 0);
        if (scores is < 0 or > 3) throw r.Error($"qk_matmul_output_mode {scores} must be 0 to 3");
        r.Emit(new Attention(r.Bool("is_causal", false), r.OptionalInt("q_num_heads"), r.OptionalInt("kv_num_heads"), r.OptionalFloat("scale"), r.Float("softcap", 0),
            (AttentionScores)scores, (DType?)r.OptionalInt("softmax_precision"), r.Int("left_window_size", -1), r.Int("right_window_size", -1)), r.InputsFrom(0));
    }

    private static long MinOpset(Node node) => node.Operator is Attention { LeftWindow: < 0, RightWindow: < 0 } op ? IsPlain(node, op) ? 13 : 23 : 25;

    /// <summary>
    /// Written out as products and a Softmax where the file's opset has no Attention, and where ONNX Runtime refuses it: a mask that broadcasts along the queries. In that
    /// form a query that may attend nothing gives NaN, as in the files that such attentions come from.
    /// </summary>
    private static void Write(NodeWriter w, Attention op)
    {
        var maskBroadcasts = w.Node.Input(3)?.Shape is { } m && (m.Rank == 1 || m[-2].Constant == 1) && w.Node.Input(0)?.Shape is { Rank: 4 } q && q[2].Constant != 1;
        if (!IsPlain(w.Node, op) || (w.Opset >= 23 && (!maskBroadcasts || w.IsWhole)))
        {
            WriteWhole(w, op);
            return;
        }
        var type = w.Node.Inputs[0]!.DType;
        var scale = op.Scale ?? (float)(1 / Math.Sqrt(w.Node.Inputs[0]!.Shape![3].Constant!.Value));
        var scores = w.Step("MatMul", [w.Inputs[0], w.Step("Transpose", [Repeated(w, 1)], ("perm", new long[] { 0, 1, 3, 2 }))]);
        scores = w.Step("Mul", [scores, w.Constant(ElementTypes.Convert(Tensor.Scalar(scale), type))]);
        if (w.Node.Input(3) is not null) scores = w.Step("Add", [scores, w.Inputs[3]]);
        w.Emit("MatMul", [w.Step("Softmax", [scores], ("axis", -1L)), Repeated(w, 2)], w.Outputs);
    }

    /// <summary>Keys or values for all heads: each shared one as often as heads share it.</summary>
    private static string Repeated(NodeWriter w, int input)
    {
        var (heads, shared) = (w.Node.Inputs[0]!.Shape![1], w.Node.Inputs[input]!.Shape![1]);
        if (heads.Equals(shared)) return w.Inputs[input];
        var (all, size) = (heads.Constant!.Value, w.Node.Inputs[input]!.Shape![3].Constant!.Value);
        var copies = w.Step("Expand", [w.Step("Unsqueeze", [w.Inputs[input], w.Constant(2)]), w.Constant(1, 1, all / shared.Constant!.Value, 1, 1)]);
        return w.Step("Reshape", [copies, w.Constant(0, all, -1, size)]);
    }

    /// <summary>Written out as products where the file's opset has no RotaryEmbedding.</summary>
    private static void WriteRotary(NodeWriter w, RotaryEmbedding op)
    {
        if (w.Opset >= 23 || SizeOf(w.Node, op) is not { } size)
        {
            w.Emit("RotaryEmbedding", ("interleaved", op.Interleaved), ("num_heads", op.Heads > 0 ? op.Heads : null), ("rotary_embedding_dim", op.Size));
            return;
        }
        var isFlat = w.Node.Inputs[0]!.Shape!.Rank == 3;
        var x = isFlat ? w.Step("Reshape", [w.Inputs[0], w.Constant(0, 0, op.Heads, size)]) : w.Inputs[0];
        var (cos, sin) = (Angles(1), Angles(2));
        var (first, second) = op.Interleaved ? (Part(0, size, 2), Part(1, size, 2)) : (Part(0, size / 2, 1), Part(size / 2, size, 1));
        var left = w.Step("Sub", [w.Step("Mul", [first, cos]), w.Step("Mul", [second, sin])]);
        var right = w.Step("Add", [w.Step("Mul", [first, sin]), w.Step("Mul", [second, cos])]);
        if (!op.Interleaved && !isFlat) w.Emit("Concat", [left, right], w.Outputs, ("axis", 3L));
        else
        {
            var axis = op.Interleaved ? 4L : 3L;
            if (op.Interleaved) (left, right) = (w.Step("Unsqueeze", [left, w.Constant(4)]), w.Step("Unsqueeze", [right, w.Constant(4)]));
            var joined = w.Step("Concat", [left, right], ("axis", axis));
            w.Emit("Reshape", [joined, isFlat ? w.Constant(0, 0, op.Heads * size) : w.Constant(0, 0, 0, size)], w.Outputs);
        }

        string Angles(int input)
        {
            var rows = w.Node.Input(3) is null ? w.Inputs[input] : w.Step("Gather", [w.Inputs[input], w.Inputs[3]], ("axis", 0L));
            return w.Step("Unsqueeze", [rows, w.Constant(isFlat ? 2 : 1)]);
        }

        string Part(long start, long end, long step) => w.Step("Slice", [x, w.Constant(start), w.Constant(end), w.Constant(3), w.Constant(step)]);
    }

    /// <summary>How many elements a head has, when it is known.</summary>
    private static long? SizeOf(Node node, RotaryEmbedding op) => node.Input(0)?.Shape is { } s ? s.Rank == 4 ? s[3].Constant : s[2].Constant / op.Heads : null;

    /// <summary>
    /// True for softmax(scale · Q · Kᵀ + mask) · V over heads, perhaps with shared keys and values, and nothing more. The mask must be as long as the keys: a shorter one masks the
    /// rest, which an addition does not.
    /// </summary>
    private static bool IsPlain(Node node, Attention op) =>
        op is { IsCausal: false, Softcap: 0, LeftWindow: < 0, RightWindow: < 0, SoftmaxPrecision: null } && node.Outputs.Count == 1 && node.Inputs.Skip(4).All(i => i is null)
        && node.Input(0)?.Shape is { Rank: 4 } q && node.Input(1)?.Shape is { Rank: 4 } k && (q[1].Equals(k[1]) || q[1].IsConstant && k[1].IsConstant && k[3].IsConstant && node.Input(2)?.Shape is { Rank: 4 } v && v[3].IsConstant) && (op.Scale is not null || q[3].IsConstant)
        && node.Input(2)?.DType == node.Input(0)!.DType && (node.Input(3) is null || (node.Input(3)!.DType == node.Input(0)!.DType && node.Input(3)!.Shape is { Rank: >= 1 } m && m[-1].Equals(k[2])));

    private static void WriteWhole(NodeWriter w, Attention op) => w.Emit("Attention",
        ("is_causal", op.IsCausal ? true : null), ("q_num_heads", op.QueryHeads), ("kv_num_heads", op.KeyHeads), ("scale", op.Scale),
        ("softcap", op.Softcap != 0 ? op.Softcap : null), ("qk_matmul_output_mode", op.Scores != AttentionScores.Raw ? (long)op.Scores : null),
        ("softmax_precision", op.SoftmaxPrecision), ("left_window_size", op.LeftWindow >= 0 ? op.LeftWindow : null),
        ("right_window_size", op.RightWindow >= 0 ? op.RightWindow : null));
}
