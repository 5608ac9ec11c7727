using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Losses, and steps of training (ai.onnx.preview.training).</summary>
internal static class Training
{
    private const string Preview = "ai.onnx.preview.training";

    private static readonly string[] reductions = ["none", "sum", "mean"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<NegativeLogLikelihoodLoss>("NegativeLogLikelihoodLoss", r => r.Emit(Loss(r), r.InputsFrom(0)),
            (w, op) => w.Emit("NegativeLogLikelihoodLoss", ("reduction", reductions[(int)op.Reduction]), ("ignore_index", op.IgnoreIndex)), 12),
        OnnxOperator.ReadOnly("SoftmaxCrossEntropyLoss", ReadCrossEntropy),
        OnnxOperator.Of<Adagrad>("Adagrad", r => r.Emit(new Adagrad(r.Float("decay_factor", 0), r.Float("epsilon", 0), r.Float("norm_coefficient", 0)), r.InputsFrom(0)),
            (w, op) => w.Emit("Adagrad", ("decay_factor", op.Decay), ("epsilon", op.Epsilon), ("norm_coefficient", op.Norm)), 1, Preview),
        OnnxOperator.Of<Adam>("Adam", r => r.Emit(new Adam(r.Float("alpha", 0.9f), r.Float("beta", 0.999f), r.Float("epsilon", 0), r.Float("norm_coefficient", 0), r.Float("norm_coefficient_post", 0)), r.InputsFrom(0)),
            (w, op) => w.Emit("Adam", ("alpha", op.Alpha), ("beta", op.Beta), ("epsilon", op.Epsilon), ("norm_coefficient", op.Norm), ("norm_coefficient_post", op.NormPost)), 1, Preview),
        OnnxOperator.Of<Momentum>("Momentum", r => r.Emit(new Momentum(r.Float("alpha", 0), r.Float("beta", 0), r.Float("norm_coefficient", 0), r.String("mode", "standard") switch
            {
                "nesterov" => true,
                "standard" => false,
                var m => throw r.Error($"mode '{m}' must be 'standard' or 'nesterov'"),
            }), r.InputsFrom(0)),
            (w, op) => w.Emit("Momentum", ("alpha", op.Alpha), ("beta", op.Beta), ("norm_coefficient", op.Norm), ("mode", op.Nesterov ? "nesterov" : "standard")), 1, Preview),
    ];

    private static NegativeLogLikelihoodLoss Loss(NodeReader r)
    {
        var name = r.String("reduction", "mean");
        var reduction = Array.IndexOf(reductions, name);
        return reduction >= 0 ? new((LossReduction)reduction, r.OptionalInt("ignore_index")) : throw r.Error($"reduction '{name}' must be one of {string.Join(", ", reductions)}");
    }

    /// <summary>The loss of the logarithms of softmax over the classes; they are output 1.</summary>
    private static void ReadCrossEntropy(NodeReader r)
    {
        var logarithms = r.Add(new LogSoftmax(1), r.Required(0));
        r.Bind(0, r.Add(Loss(r), logarithms, r.Required(1), r.Input(2)));
        if (r.HasOutput(1)) r.Bind(1, logarithms);
    }
}
