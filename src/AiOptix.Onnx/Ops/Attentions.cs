using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Attention.</summary>
internal static class Attentions
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Attention>("Attention", Read, Write, op => op.LeftWindow >= 0 || op.RightWindow >= 0 ? 25 : 23),
    ];

    private static void Read(NodeReader r)
    {
        var scores = r.Int("qk_matmul_output_mode", 0);
        if (scores is < 0 or > 3) throw r.Error($"qk_matmul_output_mode {scores} must be 0 to 3");
        r.Emit(new Attention(r.Bool("is_causal", false), r.OptionalInt("q_num_heads"), r.OptionalInt("kv_num_heads"), r.OptionalFloat("scale"), r.Float("softcap", 0),
            (AttentionScores)scores, (DType?)r.OptionalInt("softmax_precision"), r.Int("left_window_size", -1), r.Int("right_window_size", -1)), r.InputsFrom(0));
    }

    private static void Write(NodeWriter w, Attention op) => w.Emit("Attention",
        ("is_causal", op.IsCausal ? true : null), ("q_num_heads", op.QueryHeads), ("kv_num_heads", op.KeyHeads), ("scale", op.Scale),
        ("softcap", op.Softcap != 0 ? op.Softcap : null), ("qk_matmul_output_mode", op.Scores != AttentionScores.Raw ? (long)op.Scores : null),
        ("softmax_precision", op.SoftmaxPrecision), ("left_window_size", op.LeftWindow >= 0 ? op.LeftWindow : null),
        ("right_window_size", op.RightWindow >= 0 ? op.RightWindow : null));
}
